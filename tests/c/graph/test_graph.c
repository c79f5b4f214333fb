// A graph through graph.h: what it refuses, what it says about itself, batches, times, and columns. The models are
// those of write_cases.js' list and the tiny detector.
#include <stdint.h>

#include "check.h"
#include "kernels/kernels.h"
#include "ocelli.h"

static ocl_session* open(const char* path, int32_t batch) {
  ocl_session* session;
  FILE* file = fopen(path, "rb");
  if (file == NULL) abort();
  fseek(file, 0, SEEK_END);
  const size_t size_bytes = (size_t)ftell(file);
  rewind(file);
  CHECK_STATUS(ocl_session_create(1, &session), OCL_OK);
  if (fread(ocl_session_reserve_model(session, size_bytes), 1, size_bytes, file) != size_bytes) abort();
  fclose(file);
  CHECK_STATUS(ocl_session_open_model(session), OCL_OK);
  CHECK_STATUS(ocl_session_build_model(session, batch), OCL_OK);
  return session;
}

static const char kDetector[] = "build/native/cases/detector.tflite";

// The first model of the list whose batch is free (or is not).
static ocl_session* open_with_batch(bool is_free) {
  FILE* list = fopen("build/native/cases/models.txt", "r");
  if (list == NULL) abort();
  char path[400];
  ocl_session* found = NULL;
  while (found == NULL && fscanf(list, "%399[^\n]\n", path) == 1) {
    found = open(path, 1);
    const ocl_graph* graph = ocl_session_graph(found);
    if (ocl_graph_describe(graph).is_batch_free == is_free && ocl_graph_num_inputs(graph) == 1) continue;
    ocl_session_destroy(found);
    found = NULL;
  }
  fclose(list);
  if (found == NULL) abort();
  return found;
}

static void fill(const ocl_graph* graph, int32_t first) {
  const ocl_graph_tensor input = ocl_graph_input(graph, 0);
  for (size_t i = 0; i < input.size_bytes / sizeof(float); i++)
    ((float*)input.data)[i] = (float)((i + (size_t)first) % 17) / 8 - 1;
}

static void what_is_not_placed_does_not_run(void) {
  ocl_session* session = open(kDetector, 1);
  ocl_graph* graph = ocl_session_graph(session);
  CHECK(ocl_graph_describe(graph).arena_bytes == 0 && ocl_graph_input(graph, 0).data == NULL);
  CHECK_STATUS(ocl_graph_run(graph), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_graph_place(graph, NULL), OCL_OK);
  const size_t bytes = ocl_graph_describe(graph).arena_bytes;
  CHECK(bytes > 0 && ocl_graph_input(graph, 0).data != NULL);
  CHECK_STATUS(ocl_graph_run(graph), OCL_OK);
  void* before = ocl_graph_input(graph, 0).data;
  CHECK_STATUS(ocl_graph_place(graph, NULL), OCL_OK);
  CHECK(ocl_graph_input(graph, 0).data == before && ocl_graph_describe(graph).arena_bytes == bytes);
  ocl_session_destroy(session);
}

// Values share memory once they are read: all of them together would need more.
static void memory_is_used_again(void) {
  ocl_session* session = open_with_batch(true);
  ocl_graph* graph = ocl_session_graph(session);
  CHECK_STATUS(ocl_graph_place(graph, NULL), OCL_OK);
  size_t all_bytes = 0;
  const int32_t num_steps = ocl_graph_num_steps(graph);
  for (int32_t i = 0; i < num_steps; i++) {
    const ocl_graph_step_info step = ocl_graph_step(graph, i);
    all_bytes += ocl_shape_num_elements(&step.output_shape) * ocl_dtype_size_bytes(step.output_dtype);
  }
  CHECK(num_steps > 10 && ocl_graph_describe(graph).arena_bytes < all_bytes / 2);
  ocl_session_destroy(session);
}

static void a_batch_that_is_fixed(void) {
  ocl_session* session = open_with_batch(false);
  ocl_graph* graph = ocl_session_graph(session);
  CHECK_STATUS(ocl_graph_place(graph, NULL), OCL_OK);
  CHECK_STATUS(ocl_graph_set_batch(graph, 1, NULL), OCL_OK);
  CHECK_STATUS(ocl_graph_set_batch(graph, 2, NULL), OCL_BATCH_NOT_FREE);
  CHECK_STATUS(ocl_graph_set_batch(graph, 0, NULL), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_graph_run(graph), OCL_OK);
  CHECK_STATUS(ocl_session_build_model(session, 0), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_build_model(session, 2), OCL_BATCH_NOT_FREE);
  ocl_session_destroy(session);
}

// Images of a batch do not touch each other, whatever was run before.
static void a_batch_that_is_free(void) {
  ocl_session* session = open_with_batch(true);
  ocl_graph* graph = ocl_session_graph(session);
  CHECK_STATUS(ocl_graph_place(graph, NULL), OCL_OK);
  const size_t one_in = ocl_graph_input(graph, 0).size_bytes, one_out = ocl_graph_output(graph, 0).size_bytes;
  const uint64_t multiply_adds = ocl_graph_describe(graph).multiply_adds;
  uint8_t* alone[2];
  for (int32_t i = 0; i < 2; i++) {
    fill(graph, 5 * i);
    CHECK_STATUS(ocl_graph_run(graph), OCL_OK);
    alone[i] = malloc(one_out);
    memcpy(alone[i], ocl_graph_output(graph, 0).data, one_out);
  }
  CHECK(memcmp(alone[0], alone[1], one_out) != 0);
  const int32_t batches[] = {3, 1, 2};
  for (int32_t k = 0; k < 3; k++) {
    const int32_t batch = batches[k];
    CHECK_STATUS(ocl_graph_set_batch(graph, batch, NULL), OCL_OK);
    const ocl_graph_tensor input = ocl_graph_input(graph, 0), output = ocl_graph_output(graph, 0);
    CHECK(input.shape.dims[0] == batch && input.size_bytes == (size_t)batch * one_in);
    CHECK(output.shape.dims[0] == batch && output.size_bytes == (size_t)batch * one_out);
    CHECK(ocl_graph_describe(graph).multiply_adds == (uint64_t)batch * multiply_adds);
    for (int32_t i = 0; i < batch; i++)
      for (size_t e = 0; e < one_in / sizeof(float); e++)
        ((float*)input.data)[(size_t)i * one_in / sizeof(float) + e] = (float)((e + 5 * (size_t)(i % 2)) % 17) / 8 - 1;
    CHECK_STATUS(ocl_graph_run(graph), OCL_OK);
    for (int32_t i = 0; i < batch; i++)
      for (size_t e = 0; e < one_out / sizeof(float); e++)
        CHECK_NEAR(((const float*)output.data)[(size_t)i * one_out / sizeof(float) + e],
                   ((const float*)(const void*)alone[i % 2])[e], 1e-5);
  }
  CHECK_STATUS(ocl_graph_set_batch(graph, -1, NULL), OCL_INVALID_ARGUMENT);
  // More than a tensor may hold: refused, and the batch before is there again.
  ocl_detail detail;
  CHECK_STATUS(ocl_graph_set_batch(graph, INT32_MAX, &detail), OCL_MODEL_TOO_LARGE);
  char expected[200];
  snprintf(expected, sizeof expected, "tensor '%s' has more than 2^28 elements", ocl_graph_input(graph, 0).name);
  CHECK(strcmp(detail.text, expected) == 0);
  CHECK(ocl_graph_input(graph, 0).shape.dims[0] == 2);
  CHECK_STATUS(ocl_graph_run(graph), OCL_OK);
  for (int32_t i = 0; i < 2; i++) free(alone[i]);
  ocl_session_destroy(session);
}

static double ticks;
static double tick(void) {
  return ticks++;
}

static void times(void) {
  ocl_session* session = open(kDetector, 1);
  ocl_graph* graph = ocl_session_graph(session);
  CHECK_STATUS(ocl_graph_place(graph, NULL), OCL_OK);
  ticks = 100;
  CHECK_STATUS(ocl_graph_run_timed(graph, tick), OCL_OK);
  const int32_t num_steps = ocl_graph_num_steps(graph);
  for (int32_t i = 0; i < num_steps; i++) CHECK(ocl_graph_step(graph, i).time_us == 1);
  CHECK(num_steps > 1 && ticks == 101 + num_steps);
  ocl_session_destroy(session);
}

static void steps_that_are_not_there(void) {
  ocl_session* session = open(kDetector, 1);
  ocl_graph* graph = ocl_session_graph(session);
  const int32_t num_steps = ocl_graph_num_steps(graph);
  const int32_t wrong[] = {-1, num_steps, INT32_MAX, INT32_MIN};
  for (int32_t i = 0; i < 4; i++) {
    CHECK_STATUS(ocl_graph_keep(graph, wrong[i], NULL), OCL_INVALID_ARGUMENT);
    CHECK_STATUS(ocl_graph_cut_after(graph, wrong[i], NULL), OCL_INVALID_ARGUMENT);
  }
  CHECK_STATUS(ocl_graph_keep(graph, num_steps - 1, NULL), OCL_OK);
  CHECK_STATUS(ocl_graph_cut_after(graph, 0, NULL), OCL_OK);
  CHECK(ocl_graph_num_steps(graph) == 1 && ocl_graph_num_outputs(graph) == 1);
  CHECK_STATUS(ocl_graph_place(graph, NULL), OCL_OK);
  CHECK_STATUS(ocl_graph_run(graph), OCL_OK);
  ocl_session_destroy(session);
}

// The scores [1, 16, 3] with some columns are those columns of all of them.
static void columns(void) {
  ocl_session *whole = open(kDetector, 1), *some = open(kDetector, 1);
  ocl_graph *all = ocl_session_graph(whole), *kept = ocl_session_graph(some);
  const int32_t two[] = {0, 2}, none[] = {0}, twice[] = {1, 1}, turned[] = {2, 0}, beyond[] = {0, 3}, below[] = {-1, 0};
  const int32_t four[] = {0, 1, 2, 3};
  bool is_done = true;
  CHECK_STATUS(ocl_session_keep_columns(some, 1, none, 0, &is_done), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_keep_columns(some, 1, twice, 2, &is_done), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_keep_columns(some, 1, turned, 2, &is_done), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_keep_columns(some, 1, beyond, 2, &is_done), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_keep_columns(some, 1, below, 2, &is_done), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_keep_columns(some, 1, four, 4, &is_done), OCL_INVALID_ARGUMENT);
  CHECK(!is_done);
  CHECK_STATUS(ocl_session_keep_columns(some, 1, two, 2, &is_done), OCL_OK);
  CHECK(is_done);
  kept = ocl_session_graph(some);
  CHECK_STATUS(ocl_session_keep_columns(some, 1, two, 2, &is_done), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_graph_place(all, NULL), OCL_OK);
  CHECK_STATUS(ocl_graph_place(kept, NULL), OCL_OK);
  fill(all, 3);
  fill(kept, 3);
  CHECK_STATUS(ocl_graph_run(all), OCL_OK);
  CHECK_STATUS(ocl_graph_run(kept), OCL_OK);
  const ocl_graph_tensor a = ocl_graph_output(all, 1), b = ocl_graph_output(kept, 1);
  CHECK(a.shape.dims[1] == 16 && a.shape.dims[2] == 3 && b.shape.dims[1] == 16 && b.shape.dims[2] == 2);
  for (int32_t row = 0; row < 16 && check_failures_in_test == 0; row++)
    for (int32_t i = 0; i < 2; i++)
      CHECK(((const float*)b.data)[2 * row + i] == ((const float*)a.data)[3 * row + two[i]]);
  CHECK(ocl_graph_describe(kept).multiply_adds < ocl_graph_describe(all).multiply_adds);
  CHECK(ocl_graph_describe(kept).num_parameters < ocl_graph_describe(all).num_parameters);
  ocl_session_destroy(whole);
  ocl_session_destroy(some);
}

// The same of a convolution alone, whatever its weights are, for each choice of its three columns.
static void columns_of(const char* path, int32_t choice) {
  ocl_session* sessions[2] = {open(path, 1), open(path, 1)};
  ocl_graph_tensor outputs[2];
  int32_t kept[3], count = 0;
  for (int32_t i = 0; i < 3; i++)
    if (choice & 1 << i) kept[count++] = i;
  bool is_done = false;
  CHECK_STATUS(ocl_session_keep_columns(sessions[1], 0, kept, count, &is_done), OCL_OK);
  CHECK(is_done);
  for (int32_t s = 0; s < 2; s++) {
    ocl_graph* graph = ocl_session_graph(sessions[s]);
    CHECK_STATUS(ocl_graph_place(graph, NULL), OCL_OK);
    const ocl_graph_tensor input = ocl_graph_input(graph, 0);
    if (input.dtype == OCL_FLOAT32) fill(graph, 3);
    for (size_t i = 0; i < input.size_bytes && input.dtype != OCL_FLOAT32; i++)
      ((uint8_t*)input.data)[i] = (uint8_t)(i * 71);
    CHECK_STATUS(ocl_graph_run(graph), OCL_OK);
    outputs[s] = ocl_graph_output(graph, 0);
  }
  const size_t size = ocl_dtype_size_bytes(outputs[0].dtype);
  CHECK(outputs[0].size_bytes == 8 * 3 * size && outputs[1].size_bytes == 8 * (size_t)count * size);
  for (int32_t row = 0; row < 8 && check_failures_in_test == 0; row++)
    for (int32_t i = 0; i < count; i++)
      CHECK(memcmp((uint8_t*)outputs[1].data + (size_t)(count * row + i) * size,
                   (uint8_t*)outputs[0].data + (size_t)(3 * row + kept[i]) * size, size) == 0);
  for (int32_t s = 0; s < 2; s++) ocl_session_destroy(sessions[s]);
}

static void columns_of_all_weights(void) {
  FILE* list = fopen("build/native/cases/columns.txt", "r");
  if (list == NULL) abort();
  char path[400];
  int32_t num_models = 0;
  for (; fscanf(list, "%399[^\n]\n", path) == 1; num_models++)
    for (int32_t choice = 1; choice < 7; choice++) {
      columns_of(path, choice);
      if (check_failures_in_test > 0) printf("# columns %d of %s\n", (int)choice, path);
    }
  CHECK(num_models == 5);
  fclose(list);
}

int main(void) {
  ocl_kernels_install(false);
  RUN(what_is_not_placed_does_not_run);
  RUN(memory_is_used_again);
  RUN(a_batch_that_is_fixed);
  RUN(a_batch_that_is_free);
  RUN(times);
  RUN(steps_that_are_not_there);
  RUN(columns);
  RUN(columns_of_all_weights);
  return check_failed_tests;
}
