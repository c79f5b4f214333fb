// Every operator case and small network of tests/data through ocelli.h, against TFLite's outputs, on each kind of
// machine whose kernels XNNPACK tells apart; and blocks of convolutions, by bands and without. write_cases.js writes
// the cases and says what is compared how.
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "kernels/kernels.h"
#include "machines.h"
#include "ocelli.h"

enum { MAX_INPUTS = 3, MAX_OUTPUTS = 6 };

typedef struct {
  char name[120];
  int elements;     // of one input's output
  float* expected;  // for each input, one after the other
  float* found;
  double limit, cosine;
  int32_t index;  // in the network
} output;

typedef struct {
  char name[120], model[400];
  int has_detections, is_batch_free, num_inputs, num_outputs;
  uint8_t* inputs[MAX_INPUTS];
  size_t input_bytes;
  output outputs[MAX_OUTPUTS];
} golden;

static uint8_t* read_file(const char* path, size_t* size_bytes_out) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    abort();
  }
  fseek(file, 0, SEEK_END);
  *size_bytes_out = (size_t)ftell(file);
  rewind(file);
  uint8_t* bytes = malloc(*size_bytes_out);
  if (fread(bytes, 1, *size_bytes_out, file) != *size_bytes_out) abort();
  fclose(file);
  return bytes;
}

// ---- cases ----

static void expect_words(int actual, int expected) {
  if (actual == expected) return;
  fprintf(stderr, "golden.txt does not read as this test expects\n");
  abort();
}

static void read_output(FILE* list, output* to, int num_inputs) {
  char path[400];
  size_t size_bytes;
  expect_words(fscanf(list, " output %119s %d %399s %lf %lf", to->name, &to->elements, path, &to->limit, &to->cosine),
               5);
  to->expected = (float*)(void*)read_file(path, &size_bytes);
  to->found = malloc(size_bytes);
  expect_words((int)size_bytes, num_inputs * to->elements * (int)sizeof(float));
}

static bool read_case(FILE* list, golden* to) {
  const int words = fscanf(list, " case %119s %399s %d %d %d %d", to->name, to->model, &to->has_detections,
                           &to->is_batch_free, &to->num_inputs, &to->num_outputs);
  if (words == EOF) return false;
  expect_words(words, 6);
  expect_words(to->num_inputs <= MAX_INPUTS && to->num_outputs <= MAX_OUTPUTS, true);
  for (int i = 0; i < to->num_inputs; i++) {
    char path[400];
    expect_words(fscanf(list, " input %399s", path), 1);
    to->inputs[i] = read_file(path, &to->input_bytes);
  }
  for (int i = 0; i < to->num_outputs; i++) read_output(list, &to->outputs[i], to->num_inputs);
  return true;
}

static void free_case(golden* g) {
  for (int i = 0; i < g->num_inputs; i++) free(g->inputs[i]);
  for (int i = 0; i < g->num_outputs; i++) {
    free(g->outputs[i].expected);
    free(g->outputs[i].found);
  }
}

// ---- running ----

static ocl_session* load(const golden* g) {
  ocl_session* session;
  size_t size_bytes;
  uint8_t* bytes = read_file(g->model, &size_bytes);
  CHECK_STATUS(ocl_session_create(1, &session), OCL_OK);
  memcpy(ocl_session_reserve_model(session, size_bytes), bytes, size_bytes);
  free(bytes);
  CHECK_STATUS(ocl_session_open_model(session), OCL_OK);
  CHECK_STATUS(ocl_session_build_model(session, 1), OCL_OK);
  if (check_failures_in_test > 0) printf("# %s\n", ocl_session_detail(session));
  CHECK_STATUS(ocl_session_close_model(session), OCL_OK);
  return session;
}

static float number_at(const ocl_graph_tensor* tensor, int i) {
  switch (tensor->dtype) {
    case OCL_INT8: return ((const int8_t*)tensor->data)[i];
    case OCL_UINT8: return ((const uint8_t*)tensor->data)[i];
    case OCL_INT32: return (float)((const int32_t*)tensor->data)[i];
    case OCL_INT64: return (float)((const int64_t*)tensor->data)[i];
    case OCL_BOOL: return ((const uint8_t*)tensor->data)[i];
    default: return ((const float*)tensor->data)[i];
  }
}

static int num_elements(const ocl_graph_tensor* tensor) {
  return (int)ocl_shape_num_elements(&tensor->shape);
}

// By its name, or else by its size.
static int32_t find_output(const ocl_graph* graph, const output* wanted) {
  int32_t found = -1;
  for (int32_t i = ocl_graph_num_outputs(graph) - 1; i >= 0; i--) {
    const ocl_graph_tensor tensor = ocl_graph_output(graph, i);
    if (strcmp(tensor.name, wanted->name) == 0) return i;
    if (num_elements(&tensor) == wanted->elements) found = i;
  }
  return found;
}

static void run(ocl_session* session, const uint8_t* const* inputs, int num_inputs, size_t input_bytes) {
  const ocl_graph_tensor input = ocl_graph_input(ocl_session_graph(session), 0);
  CHECK(input.size_bytes == (size_t)num_inputs * input_bytes);
  if (check_failures_in_test > 0) return;
  for (int i = 0; i < num_inputs; i++) memcpy((uint8_t*)input.data + (size_t)i * input_bytes, inputs[i], input_bytes);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
}

static void run_each(ocl_session* session, golden* g) {
  for (int i = 0; i < g->num_inputs; i++) {
    run(session, (const uint8_t* const*)&g->inputs[i], 1, g->input_bytes);
    for (int k = 0; k < g->num_outputs && check_failures_in_test == 0; k++) {
      output* o = &g->outputs[k];
      const ocl_graph_tensor tensor = ocl_graph_output(ocl_session_graph(session), o->index);
      CHECK(num_elements(&tensor) == o->elements);
      for (int e = 0; e < o->elements && check_failures_in_test == 0; e++)
        o->found[i * o->elements + e] = number_at(&tensor, e);
    }
  }
}

// ---- comparing ----

static void check_output(const output* o, int num_inputs) {
  double difference = 0, ab = 0, aa = 0, bb = 0;
  for (int i = 0; i < num_inputs * o->elements; i++) {
    const double a = o->found[i], b = o->expected[i];
    if (!(fabs(a - b) <= difference)) difference = fabs(a - b);
    ab += a * b;
    aa += a * a;
    bb += b * b;
  }
  if (difference <= o->limit && (o->cosine < 0 || ab / sqrt(aa * bb) >= o->cosine)) return;
  printf("# %s differs by %g of %g, cosine %g of %g\n", o->name, difference, o->limit, ab / sqrt(aa * bb), o->cosine);
  check_failures_in_test++;
}

// What scores over 0.4 has the same class, nearly the same score and box.
static void check_detections(const golden* g) {
  const output *boxes = &g->outputs[0], *classes = &g->outputs[1], *scores = &g->outputs[2];
  for (int input = 0; input < g->num_inputs; input++) {
    for (int row = 0; row < scores->elements; row++) {
      const int at = input * scores->elements + row;
      if (scores->expected[at] <= 0.4f) break;
      CHECK_NEAR(classes->found[at], classes->expected[at], 0);
      CHECK_NEAR(scores->found[at], scores->expected[at], 0.03);
      for (int i = 4 * at; i < 4 * at + 4; i++) CHECK_NEAR(boxes->found[i], boxes->expected[i], 0.03);
    }
  }
}

static void check_batch(ocl_session* session, const golden* g) {
  CHECK_STATUS(ocl_session_set_batch(session, g->num_inputs), OCL_OK);
  run(session, (const uint8_t* const*)g->inputs, g->num_inputs, g->input_bytes);
  for (int k = 0; k < g->num_outputs && check_failures_in_test == 0; k++) {
    const output* o = &g->outputs[k];
    const ocl_graph_tensor tensor = ocl_graph_output(ocl_session_graph(session), o->index);
    CHECK(tensor.is_constant || num_elements(&tensor) == g->num_inputs * o->elements);
    double largest = 0;
    for (int i = 0; i < g->num_inputs * o->elements; i++) largest = fmax(largest, fabsf(o->found[i]));
    for (int i = 0; i < num_elements(&tensor) && check_failures_in_test == 0; i++)
      CHECK_NEAR(number_at(&tensor, i), o->found[i], 1e-5 * largest);
  }
}

static void check_case(golden* g) {
  ocl_session* session = load(g);
  if (check_failures_in_test == 0) {
    for (int k = 0; k < g->num_outputs; k++)
      g->outputs[k].index =
          strcmp(g->outputs[k].name, "-") == 0 ? k : find_output(ocl_session_graph(session), &g->outputs[k]);
    run_each(session, g);
  }
  if (check_failures_in_test == 0) {
    for (int k = 0; k < g->num_outputs; k++) check_output(&g->outputs[k], g->num_inputs);
    if (g->has_detections) check_detections(g);
    if (g->is_batch_free) check_batch(session, g);
  }
  ocl_session_destroy(session);
}

static void check_cases(const char* machine) {
  FILE* list = fopen("build/native/cases/golden.txt", "r");
  if (list == NULL) abort();
  for (golden g; read_case(list, &g); free_case(&g)) {
    check_failures_in_test = 0;
    check_case(&g);
    printf("%s %s, %s\n", check_failures_in_test == 0 ? "ok" : "not ok", g.name, machine);
    check_failed_tests += check_failures_in_test > 0;
  }
  fclose(list);
}

// ---- bands ----

static void copy_output(const ocl_session* session, size_t size_bytes, uint8_t* to) {
  const ocl_graph_tensor tensor = ocl_graph_output(ocl_session_graph(session), 0);
  CHECK(tensor.size_bytes == size_bytes);
  if (check_failures_in_test == 0) memcpy(to, tensor.data, size_bytes);
}

static double count_reads(void) {
  static double count;
  return ++count;
}

// The times of a block's steps add up to that of the block.
static void check_times(ocl_session* session) {
  CHECK_STATUS(ocl_session_run(session, count_reads), OCL_OK);
  const ocl_graph* graph = ocl_session_graph(session);
  double sum = 0;
  for (int32_t s = 0; s < ocl_graph_num_steps(graph); s++) {
    const double time_us = ocl_graph_step(graph, s).time_us;
    CHECK(time_us > 0);
    sum += time_us;
  }
  CHECK(fabs(sum - round(sum)) < 1e-6);
}

// A block of three convolutions has the same bits band by band and, with a feature map from within it that must be
// there as a whole, one convolution after the other.
static void check_bands(const char* path) {
  golden g = {0};
  snprintf(g.model, sizeof g.model, "%s", path);
  ocl_session* session = load(&g);
  ocl_graph* graph = ocl_session_graph(session);
  const size_t in_bytes = ocl_graph_input(graph, 0).size_bytes, out_bytes = ocl_graph_output(graph, 0).size_bytes;
  const size_t arena_bytes = ocl_graph_describe(graph).arena_bytes;
  uint8_t *in = malloc(in_bytes), *in_bands = malloc(out_bytes), *whole = malloc(out_bytes);
  for (size_t i = 0; i < in_bytes / sizeof(float); i++)
    ((float*)(void*)in)[i] = (float)(i * 2654435761u % 4093) / 512 - 4;
  run(session, (const uint8_t* const*)&in, 1, in_bytes);
  copy_output(session, out_bytes, in_bands);
  check_times(session);
  CHECK_STATUS(ocl_graph_keep(graph, 0, NULL), OCL_OK);
  CHECK(ocl_graph_describe(graph).arena_bytes > arena_bytes);
  run(session, (const uint8_t* const*)&in, 1, in_bytes);
  copy_output(session, out_bytes, whole);
  CHECK(memcmp(in_bands, whole, out_bytes) == 0);
  if (check_failures_in_test > 0) printf("# %s\n", path);
  free(in);
  free(in_bands);
  free(whole);
  ocl_session_destroy(session);
}

static void bands_change_no_bit(void) {
  FILE* list = fopen("build/native/cases/bands.txt", "r");
  if (list == NULL) abort();
  char path[400];
  while (fscanf(list, "%399[^\n]\n", path) == 1) check_bands(path);
  fclose(list);
}

// XNNPACK chooses its kernels once in a process.
int main(void) {
  int failed = 0;
  for (size_t i = 0; i < NUM_MACHINES; i++) {
    const pid_t child = fork();
    if (child == 0) {
      become_machine(&kMachines[i]);
      check_cases(kMachines[i].name);
      RUN(bands_change_no_bit);
      return check_failed_tests > 0;
    }
    int status;
    failed += waitpid(child, &status, 0) < 0 || status != 0;
  }
  return failed;
}
