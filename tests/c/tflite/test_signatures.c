// Signatures of a file by TensorFlow's converter: which subgraph they run, and what is refused. Damaged files.
#include <string.h>

#include "check.h"
#include "ocelli.h"
#include "test_data.h"
#include "tflite/internal.h"

static uint8_t* bytes;
static size_t size_bytes;

static ocl_status open(const char* signature, ocl_tflite* model, ocl_detail* detail) {
  return ocl_tflite_verify_signature(bytes, size_bytes, signature, model, detail);
}

static void test_each_signature_has_its_subgraph(void) {
  ocl_tflite first, classify, embed;
  CHECK_STATUS(open(NULL, &first, NULL), OCL_OK);
  CHECK(ocl_tflite_num_signatures(&first) == 2);
  CHECK(strcmp(ocl_tflite_signature_key(&first, 0), "classify") == 0);
  CHECK(strcmp(ocl_tflite_signature_key(&first, 1), "embed") == 0);
  CHECK_STATUS(open("classify", &classify, NULL), OCL_OK);
  CHECK_STATUS(open("embed", &embed, NULL), OCL_OK);
  CHECK(first.subgraph == classify.subgraph && embed.subgraph != classify.subgraph && embed.subgraph_index == 1);
  CHECK(ocl_tflite_get_tensor(&embed, ocl_tflite_outputs(&embed)[0]).shape.dims[1] == 8);
}

static void test_an_unknown_signature_is_refused(void) {
  ocl_tflite model;
  ocl_detail detail;
  CHECK_STATUS(open("detect", &model, &detail), OCL_MODEL_NO_SIGNATURE);
  CHECK(strcmp(detail.text, "'detect'; it has 'classify', 'embed'") == 0);
}

// The position of a scalar of signature 1, to overwrite it.
static uint8_t* scalar(uint32_t ports_id, uint32_t id) {
  ocl_tflite model;
  CHECK_STATUS(open(NULL, &model, NULL), OCL_OK);
  uint32_t table = ocl_flatbuffer_table_at(bytes, model.model, OCL_MODEL_SIGNATURES, 1);
  if (id == OCL_SIGNATURE_PORT_TENSOR) table = ocl_flatbuffer_table_at(bytes, table, ports_id, 0);
  return bytes + ocl_flatbuffer_field_position(bytes, table, id);
}

static void check_poked(uint8_t* at, uint32_t value, ocl_status status, const char* text) {
  uint32_t before;
  ocl_tflite model;
  ocl_detail detail;
  memcpy(&before, at, sizeof before);
  memcpy(at, &value, sizeof value);
  CHECK_STATUS(open("embed", &model, &detail), status);
  CHECK(strstr(detail.text, text) != NULL);
  CHECK_STATUS(open("classify", &model, &detail), OCL_OK);
  memcpy(at, &before, sizeof before);
}

static void test_what_does_not_fit_is_refused(void) {
  check_poked(scalar(0, OCL_SIGNATURE_SUBGRAPH), 2, OCL_MODEL_BAD_TABLE, "no subgraph 2");
  check_poked(scalar(0, OCL_SIGNATURE_SUBGRAPH), 0xffffffff, OCL_MODEL_BAD_TABLE, "no subgraph");
  check_poked(scalar(OCL_SIGNATURE_OUTPUTS, OCL_SIGNATURE_PORT_TENSOR), 1, OCL_MODEL_UNSUPPORTED_FEATURE,
              "other outputs");
  // The first signature's subgraph, whose output is another tensor.
  check_poked(scalar(0, OCL_SIGNATURE_SUBGRAPH), 0, OCL_MODEL_UNSUPPORTED_FEATURE, "other outputs");
}

static void test_a_session_opens_a_signature(void) {
  ocl_session* session;
  CHECK_STATUS(ocl_session_create(1, &session), OCL_OK);
  CHECK(ocl_session_num_signatures(session) == 0 && ocl_session_signature_key(session, 0) == NULL);
  memcpy(ocl_session_reserve_model(session, size_bytes), bytes, size_bytes);
  CHECK_STATUS(ocl_session_open_signature(session, "none"), OCL_MODEL_NO_SIGNATURE);
  CHECK_STATUS(ocl_session_build_model(session, 1), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_open_signature(session, "embed"), OCL_OK);
  CHECK(ocl_session_num_signatures(session) == 2 && ocl_session_signature_key(session, 2) == NULL);
  CHECK_STATUS(ocl_session_build_model(session, 1), OCL_OK);
  ocl_session_destroy(session);
}

// Every word, in an exact-size copy, so that ASan sees every overread.
static void test_hostile(void) {
  for (size_t i = 0; i + 4 <= size_bytes; i += 4) {
    const uint32_t values[] = {0, 1, INT32_MAX, 0xffffffff, (uint32_t)size_bytes, (uint32_t)(size_bytes - i)};
    for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
      uint8_t* copy = malloc(size_bytes);
      memcpy(copy, bytes, size_bytes);
      memcpy(copy + i, &values[j], 4);
      ocl_tflite model;
      ocl_detail detail;
      if (ocl_tflite_verify_signature(copy, size_bytes, "embed", &model, &detail) == OCL_OK)
        for (int32_t k = 0; k < ocl_tflite_num_signatures(&model); k++)
          CHECK(strlen(ocl_tflite_signature_key(&model, k)) < size_bytes);
      free(copy);
    }
  }
}

int main(void) {
  bytes = data_read("signatures/two.tflite", &size_bytes);
  RUN(test_each_signature_has_its_subgraph);
  RUN(test_an_unknown_signature_is_refused);
  RUN(test_what_does_not_fit_is_refused);
  RUN(test_a_session_opens_a_signature);
  RUN(test_hostile);
  free(bytes);
  return check_failed_tests;
}
