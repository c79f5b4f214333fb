// What a graph says about itself, and parts of it: parameters and multiply-adds by definition, the output of a step
// that is kept, and that of a graph cut behind it. write_cases.js writes the list.
#include "check.h"
#include "kernels/kernels.h"
#include "ocelli.h"

enum { MAX_MODEL_BYTES = 400000, MAX_STEPS = 40 };

static ocl_session* load(const char* path) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) abort();
  fseek(file, 0, SEEK_END);
  const size_t size_bytes = (size_t)ftell(file);
  rewind(file);
  ocl_session* session = NULL;
  if (size_bytes <= MAX_MODEL_BYTES) {
    CHECK_STATUS(ocl_session_create(1, &session), OCL_OK);
    if (fread(ocl_session_reserve_model(session, size_bytes), 1, size_bytes, file) != size_bytes) abort();
    CHECK_STATUS(ocl_session_open_model(session), OCL_OK);
    CHECK_STATUS(ocl_session_build_model(session, 1), OCL_OK);
    CHECK_STATUS(ocl_session_close_model(session), OCL_OK);
  }
  fclose(file);
  return session;
}

static void run(ocl_session* session) {
  const ocl_graph* graph = ocl_session_graph(session);
  for (int32_t i = 0; i < ocl_graph_num_inputs(graph); i++) {
    const ocl_graph_tensor input = ocl_graph_input(graph, i);
    if (input.size_bytes > 0) memset(input.data, 1, input.size_bytes);
    if (input.dtype == OCL_FLOAT32)
      for (size_t k = 0; k < input.size_bytes / sizeof(float); k++)
        ((float*)input.data)[k] = (float)(k % 13) / 4 + 0.1f;
  }
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
}

static void check_sums(const ocl_graph* graph, int64_t multiply_adds, uint64_t num_parameters) {
  CHECK(ocl_graph_describe(graph).num_parameters == num_parameters);
  if (multiply_adds < 0) return;  // of operators that compute another number
  const uint64_t expected = (uint64_t)multiply_adds;
  uint64_t sum = 0;
  for (int32_t i = 0; i < ocl_graph_num_steps(graph); i++) sum += ocl_graph_step(graph, i).multiply_adds;
  CHECK(sum == expected);
  CHECK(ocl_graph_describe(graph).multiply_adds == expected);
}

// Boxes, classes, scores and their number are those of the one operator that finds them.
static bool check_postprocess(const ocl_graph* graph) {
  ocl_graph_tensor found[4] = {{0}};
  int32_t num_classes = -1;
  const bool has_one = ocl_graph_postprocess(graph, found, &num_classes);
  bool is_expected = false;
  for (int32_t i = 0; i < ocl_graph_num_steps(graph); i++) {
    const ocl_graph_step_info step = ocl_graph_step(graph, i);
    if (strcmp(step.operator_name, "TFLite_Detection_PostProcess") != 0) continue;
    is_expected = true;
    CHECK(has_one && strcmp(found[0].name, step.output_name) == 0);
  }
  CHECK(has_one == is_expected);
  if (!has_one) return false;
  CHECK(num_classes >= 1 && found[0].shape.dims[2] == 4 && found[3].shape.dims[0] == 1);
  for (int32_t i = 1; i < 3; i++) CHECK(found[i].shape.dims[1] == found[0].shape.dims[1]);
  return true;
}

// A second run, without inputs written again, gives the same: what lies in memory meanwhile does not touch the inputs.
static void check_again(ocl_session* session) {
  const ocl_graph* graph = ocl_session_graph(session);
  run(session);
  for (int32_t i = 0; i < ocl_graph_num_inputs(graph); i++) CHECK(!ocl_graph_input(graph, i).is_constant);
  const ocl_graph_tensor output = ocl_graph_output(graph, 0);
  if (output.size_bytes == 0) return;
  uint8_t* first = malloc(output.size_bytes);
  memcpy(first, output.data, output.size_bytes);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  CHECK(memcmp(first, output.data, output.size_bytes) == 0);
  free(first);
}

enum { GUARD_BYTES = 16 };

// A single operator writes nothing behind its outputs. (Behind those of several, others may have lain.)
static void check_ends(ocl_session* session) {
  const ocl_graph* graph = ocl_session_graph(session);
  if (ocl_graph_num_steps(graph) != 1) return;
  static const uint8_t kGuard[GUARD_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  for (int32_t i = 0; i < ocl_graph_num_outputs(graph); i++) {
    const ocl_graph_tensor output = ocl_graph_output(graph, i);
    if (output.is_constant || output.size_bytes == 0) continue;
    uint8_t* end = (uint8_t*)output.data + output.size_bytes;
    memcpy(end, kGuard, GUARD_BYTES);
    CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
    CHECK(memcmp(end, kGuard, GUARD_BYTES) == 0);
  }
}

static bool is_same(const ocl_graph_tensor* a, const ocl_graph_tensor* b) {
  return a->dtype == b->dtype && ocl_shape_is_same(&a->shape, &b->shape) && a->size_bytes == b->size_bytes &&
         strcmp(a->name, b->name) == 0;
}

// The output of a step, beside the outputs of the whole, and as the only output of what is left.
static void check_step(const char* path, int32_t step) {
  ocl_session *whole = load(path), *cut = load(path);
  ocl_graph *kept = ocl_session_graph(whole), *left = ocl_session_graph(cut);
  ocl_detail detail;
  const ocl_status status = ocl_graph_keep(kept, step, &detail);
  CHECK_STATUS(ocl_graph_cut_after(left, step, &detail), status);
  if (status == OCL_OK) {
    const ocl_graph_step_info info = ocl_graph_step(kept, step);
    run(whole);
    run(cut);
    const ocl_graph_tensor a = ocl_graph_kept(kept), b = ocl_graph_output(left, 0);
    CHECK(is_same(&a, &b) && (a.size_bytes == 0 || memcmp(a.data, b.data, a.size_bytes) == 0));
    CHECK(strcmp(info.output_name, a.name) == 0 && ocl_shape_is_same(&info.output_shape, &a.shape));
    CHECK(ocl_graph_num_outputs(left) == 1 && ocl_graph_num_steps(left) == step + 1);
    CHECK(ocl_graph_describe(left).multiply_adds <= ocl_graph_describe(kept).multiply_adds);
  } else {
    CHECK_STATUS(status, OCL_FEATURES_UNUSABLE);
    CHECK(strstr(detail.text, "choose another") != NULL);
  }
  ocl_session_destroy(whole);
  ocl_session_destroy(cut);
}

static void every_model(void) {
  FILE* list = fopen("build/native/cases/multiply_adds.txt", "r");
  if (list == NULL) abort();
  char path[400];
  long long multiply_adds;
  unsigned long long num_parameters;
  int32_t num_models = 0, num_multiplying = 0, num_detectors = 0;
  while (fscanf(list, "%lld %llu %399[^\n]", &multiply_adds, &num_parameters, path) == 3) {
    ocl_session* session = load(path);
    if (session == NULL) continue;
    const ocl_graph* graph = ocl_session_graph(session);
    const int32_t num_steps = ocl_graph_num_steps(graph);
    const int32_t failures = check_failures_in_test;
    check_sums(graph, multiply_adds, num_parameters);
    num_detectors += check_postprocess(graph);
    check_again(session);
    check_ends(session);
    if (num_steps <= MAX_STEPS)
      for (int32_t step = 0; step < num_steps; step++) check_step(path, step);
    if (check_failures_in_test > failures) printf("# in %s\n", path);
    num_models++;
    num_multiplying += multiply_adds > 0;
    ocl_session_destroy(session);
  }
  fclose(list);
  CHECK(num_models > 100 && num_multiplying > 20 && num_detectors > 0);
}

int main(void) {
  ocl_kernels_install(false);
  RUN(every_model);
  return check_failed_tests;
}
