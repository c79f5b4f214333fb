// The parsers: a .tflite file with its metadata and label files, or one of those alone.
#include "detect/anchors.h"
#include "fuzz.h"
#include "ocelli.h"
#include "tflite/dense.h"
#include "tflite/detector_metadata.h"
#include "tflite/flexbuffer.h"
#include "tflite/operators.h"
#include "tflite/tflite.h"
#include "tflite/weights.h"
#include "tflite/zip.h"

// The first byte of an input chooses the parser.
enum { HEAD_BYTES = 1 };
#include "mutate_model.h"

static volatile size_t read_sum;  // what is read is used

static void read_text(const char* text) {
  read_sum += strlen(text);
}

static void read_bytes(const void* bytes, size_t size_bytes) {
  for (size_t i = 0; i < size_bytes; i++) read_sum += ((const uint8_t*)bytes)[i];
}

// ---- metadata ----

static void read_detector_metadata(const uint8_t* bytes, size_t size_bytes) {
  ocl_detector_metadata m;
  ocl_detail detail;
  if (ocl_detector_metadata_verify(bytes, size_bytes, &m, &detail) != OCL_OK) return;
  FUZZ_CHECK(m.num_anchors >= 0 && (size_t)m.num_anchors <= size_bytes, "%d anchors", (int)m.num_anchors);
  float* anchors = malloc((size_t)m.num_anchors * 4 * sizeof *anchors + 1);
  ocl_detector_metadata_fill_anchors(&m, anchors);
  read_bytes(anchors, (size_t)m.num_anchors * 4 * sizeof *anchors);
  free(anchors);
}

static void read_metadata_tensor(const ocl_metadata* m, const ocl_metadata_tensor* t) {
  read_text(t->name);
  read_text(t->description);
  for (int32_t i = 0; i < t->num_channels; i++) FUZZ_CHECK(t->std[i] > 0, "std %g", (double)t->std[i]);
  for (int32_t i = 0; i < t->num_files; i++) {
    const ocl_metadata_file file = ocl_metadata_get_file(m, t, i);
    read_text(file.name);
    read_text(file.locale);
  }
}

static void read_metadata(const ocl_metadata* m) {
  const char* const texts[] = {m->name, m->description, m->version, m->author, m->license};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) read_text(texts[i]);
  for (int32_t i = 0; i < m->num_inputs; i++) {
    const ocl_metadata_tensor t = ocl_metadata_get_input(m, i);
    read_metadata_tensor(m, &t);
  }
  for (int32_t i = 0; i < m->num_outputs; i++) {
    const ocl_metadata_tensor t = ocl_metadata_get_output(m, i);
    read_metadata_tensor(m, &t);
  }
  const char* label_file = ocl_metadata_find_label_file(m);
  if (label_file != NULL) read_text(label_file);
  size_t size_bytes;
  const uint8_t* own = ocl_metadata_find_custom(m, OCL_METADATA_OWN_ENTRY, &size_bytes);
  if (own != NULL) read_bytes(own, size_bytes);
  const uint8_t* detector = ocl_metadata_find_custom(m, OCL_DETECTOR_METADATA_ENTRY, &size_bytes);
  if (detector == NULL) return;
  uint8_t* copy = fuzz_copy(detector, size_bytes);
  read_detector_metadata(copy, size_bytes);
  free(copy);
}

static void try_metadata(const uint8_t* bytes, size_t size_bytes) {
  ocl_metadata m;
  ocl_detail detail;
  if (ocl_metadata_verify(bytes, size_bytes, &m, &detail) == OCL_OK) read_metadata(&m);
}

static void try_zip(const uint8_t* bytes, size_t size_bytes) {
  ocl_zip_file file;
  ocl_detail detail;
  if (ocl_zip_find(bytes, size_bytes, "labels.txt", &file, &detail) != OCL_OK || file.bytes == NULL) return;
  read_bytes(file.bytes, file.size_bytes);
  FUZZ_CHECK(file.inflated_size_bytes <= 1 << 24, "%zu bytes", file.inflated_size_bytes);
}

static void try_flexbuffer(const uint8_t* bytes, size_t size_bytes) {
  static const char* const kKeys[] = {"a", "b", "c", "d", "max_detections", "nms_iou_threshold", "y_scale", ""};
  ocl_flexbuffer_map map;
  ocl_detail detail;
  if (ocl_flexbuffer_open_map(bytes, size_bytes, &map, &detail) != OCL_OK) return;
  for (size_t i = 0; i < sizeof kKeys / sizeof *kKeys; i++) {
    int32_t number = 0;
    float real = 0;
    bool truth = false;
    ocl_flexbuffer_get_int(&map, kKeys[i], &number, &detail);
    ocl_flexbuffer_get_float(&map, kKeys[i], &real, &detail);
    ocl_flexbuffer_get_bool(&map, kKeys[i], &truth, &detail);
    read_sum += (size_t)number + truth + (real > 0);
  }
}

// ---- the file ----

// As a graph reads it: dense first, then as floats.
static void read_tensor(const ocl_tflite* model, int32_t index) {
  ocl_tflite_tensor t = ocl_tflite_get_tensor(model, index);
  const size_t count = ocl_shape_num_elements(&t.shape);
  ocl_detail detail;
  read_text(t.name);
  if (t.data == NULL || t.data_size_bytes > 1 << 16 || count > 1 << 20) return;
  read_bytes(t.data, t.data_size_bytes);
  uint8_t* dense = malloc(count * ocl_dtype_size_bytes(t.dtype) + 1);
  float* reals = malloc(count * sizeof *reals + 1);
  ocl_status status = OCL_OK;
  if (t.encoding != OCL_TFLITE_PLAIN) {
    status = ocl_tflite_make_dense(model, index, dense, &detail);
    t.data = dense;
  }
  if (status == OCL_OK) ocl_weights_to_float(&t, reals);
  free(reals);
  free(dense);
}

static void read_operator(const ocl_tflite* model, int32_t index) {
  const ocl_tflite_operator op = ocl_tflite_get_operator(model, index);
  const char* name = ocl_tflite_operator_name(&op);
  if (name != NULL) read_text(name);
  read_bytes(op.inputs, (size_t)op.num_inputs * sizeof *op.inputs);
  read_bytes(op.outputs, (size_t)op.num_outputs * sizeof *op.outputs);
  if (op.opcode == OCL_OP_CUSTOM) try_flexbuffer(op.options.custom.bytes, op.options.custom.size_bytes);
}

static void read_model(const uint8_t* bytes, size_t size_bytes) {
  ocl_tflite model;
  ocl_detail detail;
  const ocl_status status = ocl_tflite_verify(bytes, size_bytes, &model, &detail);
  FUZZ_CHECK(status == OCL_OK, "%s, after the session opened it", ocl_status_name(status));
  for (int32_t i = 0; i < model.num_tensors; i++) read_tensor(&model, i);
  for (int32_t i = 0; i < model.num_operators; i++) read_operator(&model, i);
  read_bytes(ocl_tflite_inputs(&model), (size_t)model.num_inputs * 4);
  read_bytes(ocl_tflite_outputs(&model), (size_t)model.num_outputs * 4);
}

static void try_tflite(const uint8_t* bytes, size_t size_bytes) {
  ocl_session* session;
  if (ocl_session_create(1, &session) != OCL_OK) abort();
  uint8_t* to = ocl_session_reserve_model(session, size_bytes);
  if (size_bytes > 0) memcpy(to, bytes, size_bytes);
  if (ocl_session_open_model(session) == OCL_OK) {
    const ocl_metadata* metadata = ocl_session_metadata(session);
    if (metadata != NULL) read_metadata(metadata);
    char* labels;
    size_t labels_bytes;
    if (ocl_session_read_labels(session, &labels, &labels_bytes) == OCL_OK && labels != NULL)
      read_bytes(labels, labels_bytes);
    free(labels);
    read_model(bytes, size_bytes);
  }
  ocl_session_destroy(session);
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size_bytes) {
  static void (*const kParsers[])(const uint8_t*, size_t) = {try_tflite, try_metadata, try_zip, try_flexbuffer,
                                                             read_detector_metadata};
  if (size_bytes == 0) return 0;
  uint8_t* file = fuzz_copy(bytes + 1, size_bytes - 1);
  kParsers[bytes[0] % (sizeof kParsers / sizeof *kParsers)](file, size_bytes - 1);
  free(file);
  return 0;
}
