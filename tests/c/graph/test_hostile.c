// Networks that no converter would write (tests/fuzz/hostile_networks.js, refused_networks.js): refused with the
// status, and the latter with the message, that the lists say. With arguments: loads and runs these files, and prints
// how far each came.
#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "machines.h"
#include "ocelli.h"

static void reserve_file(ocl_session* session, const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    abort();
  }
  fseek(file, 0, SEEK_END);
  const size_t size_bytes = (size_t)ftell(file);
  rewind(file);
  uint8_t* to = ocl_session_reserve_model(session, size_bytes);
  if (to == NULL || fread(to, 1, size_bytes, file) != size_bytes) abort();
  fclose(file);
}

static void fill_inputs(const ocl_graph* graph) {
  for (int32_t i = 0; i < ocl_graph_num_inputs(graph); i++) {
    const ocl_graph_tensor input = ocl_graph_input(graph, i);
    uint8_t* bytes = input.data;
    for (size_t k = 0; k < input.size_bytes; k++) bytes[k] = (uint8_t)(k % 251);
    if (input.dtype == OCL_FLOAT32)
      for (size_t k = 0; k < input.size_bytes / sizeof(float); k++) ((float*)input.data)[k] = (float)(k % 13) / 4 - 1;
  }
}

// Reads every byte of the outputs.
static uint32_t sum_outputs(const ocl_graph* graph) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < ocl_graph_num_outputs(graph); i++) {
    const ocl_graph_tensor output = ocl_graph_output(graph, i);
    for (size_t k = 0; k < output.size_bytes; k++) sum += ((const uint8_t*)output.data)[k];
  }
  return sum;
}

static ocl_status run(ocl_session* session) {
  static uint8_t allowed[1 << 16];
  fill_inputs(ocl_session_graph(session));
  OCL_TRY(ocl_session_run(session, NULL));
  printf("# sum of the outputs: %u\n", (unsigned)sum_outputs(ocl_session_graph(session)));
  const int32_t num_classes = ocl_session_num_classes(session);
  if (num_classes == 0 || num_classes > (int32_t)sizeof allowed) return OCL_OK;
  memset(allowed, 1, sizeof allowed);
  const ocl_ssd_options options = {
      .iou_threshold = 1, .max_per_class = 100, .max_total = 100, .allowed_classes = allowed};
  const ocl_roi roi = {0, 0, 100, 100};
  const ocl_session_detection* detections;
  int32_t num_detections;
  return ocl_session_detect(session, &options, &roi, 0, &detections, &num_detections);
}

static ocl_status try_model(ocl_session* session, const char* path) {
  reserve_file(session, path);
  OCL_TRY(ocl_session_open_model(session));
  OCL_TRY(ocl_session_build_model(session, 1));
  OCL_TRY(ocl_session_close_model(session));
  OCL_TRY(run(session));
  if (!ocl_graph_describe(ocl_session_graph(session)).is_batch_free) return OCL_OK;
  OCL_TRY(ocl_session_set_batch(session, 2));
  return run(session);
}

static const char* try_file(const char* path, char* message, size_t message_bytes) {
  ocl_session* session;
  CHECK_STATUS(ocl_session_create(1, &session), OCL_OK);
  const ocl_status status = try_model(session, path);
  snprintf(message, message_bytes, "%s", ocl_session_detail(session));
  if (status != OCL_OK) printf("# %s\n", message);
  ocl_session_destroy(session);
  return ocl_status_name(status);
}

// `is_message`: a network's name is what its message says.
static void check_list(const char* path, bool is_message) {
  FILE* list = fopen(path, "r");
  if (list == NULL) abort();
  char expected[40], model[400], name[200], message[400];
  while (fscanf(list, "%39s %399s %199[^\n]", expected, model, name) == 3) {
    const char* status = try_file(model, message, sizeof message);
    const bool is_ok = strcmp(status, expected) == 0 && (!is_message || strstr(message, name) != NULL);
    printf("%s %s: %s\n", is_ok ? "ok" : "not ok", name, status);
    check_failed_tests += !is_ok;
  }
  fclose(list);
}

int main(int argc, char** argv) {
  become_machine(&kMachines[NUM_MACHINES - 1]);
  char message[400];
  for (int i = 1; i < argc; i++) printf("%s: %s\n", argv[i], try_file(argv[i], message, sizeof message));
  if (argc > 1) return check_failed_tests;
  check_list("build/native/cases/hostile.txt", false);
  check_list("build/native/cases/refused.txt", true);
  return check_failed_tests;
}
