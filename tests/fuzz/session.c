// Two sessions, and any calls of ocelli.h in any order, with any arguments that the header allows. Each call succeeds
// or fails by a status. In the end a session that did all this answers like a fresh one.
#include "machines.h"
#include "network.h"
#include "ocelli.h"

enum { MAX_IMAGE = 40 };

typedef struct {
  fuzz_bytes* b;
  const uint8_t* models[2];
  size_t model_bytes[2];
  ocl_session* sessions[2];
  uint8_t pixels[MAX_IMAGE * MAX_IMAGE * 4];
} world;

// ---- one call ----

static void reserve(world* w, ocl_session* s) {
  const int which = fuzz_below(w->b, 2);
  const size_t size_bytes = fuzz_one_in(w->b, 8) ? w->model_bytes[which] / 2 : w->model_bytes[which];
  uint8_t* to = ocl_session_reserve_model(s, size_bytes);
  if (to != NULL) memcpy(to, w->models[which], size_bytes);
}

static void open_model(world* w, ocl_session* s) {
  (void)w;
  ocl_session_open_model(s);
  char* labels;
  size_t size_bytes;
  if (ocl_session_read_labels(s, &labels, &size_bytes) == OCL_OK) free(labels);
  ocl_session_metadata(s);
}

static void build(world* w, ocl_session* s) {
  ocl_session_build_model(s, fuzz_range(w->b, -1, 3));
}

static void keep_columns(world* w, ocl_session* s) {
  int32_t columns[4];
  const int32_t count = fuzz_range(w->b, 0, 4), output = fuzz_range(w->b, -1, 3);
  for (int32_t i = 0; i < count; i++) columns[i] = fuzz_range(w->b, -1, 8);
  bool is_done;
  ocl_session_keep_columns(s, output, columns, count, &is_done);
}

static void close_model(world* w, ocl_session* s) {
  (void)w;
  ocl_session_close_model(s);
}

static void set_batch(world* w, ocl_session* s) {
  ocl_session_set_batch(s, fuzz_range(w->b, -1, 3));
}

static void set_pixels(world* w, ocl_session* s) {
  const ocl_pixels pixels = {.data = w->pixels,
                             .size_bytes = sizeof w->pixels,
                             .stride_bytes = MAX_IMAGE * 4,
                             .width_px = fuzz_range(w->b, 0, MAX_IMAGE),
                             .height_px = fuzz_range(w->b, 0, MAX_IMAGE),
                             .num_channels = fuzz_range(w->b, 0, 5),
                             .orientation = fuzz_range(w->b, 0, 9)};
  ocl_session_set_pixels(s, &pixels);
}

static void decode(world* w, ocl_session* s) {
  static const uint8_t kGif[] = "GIF89a\1\0\1\0\200\0\0\377\0\0\0\0\377,\0\0\0\0\1\0\1\0\0\2\2D\1\0;";
  const ocl_image_options options = {.max_pixels = 1 << 16};
  ocl_image_facts facts;
  ocl_session_decode(s, kGif, fuzz_one_in(w->b, 4) ? sizeof kGif / 2 : sizeof kGif - 1, &options, &facts);
  if (fuzz_one_in(w->b, 8)) ocl_session_drop_image(s);
}

static void preprocess(world* w, ocl_session* s) {
  const ocl_resize_target target = {.scale = {1, 1, 1}};
  const ocl_roi roi = {fuzz_below(w->b, 8), fuzz_below(w->b, 8), fuzz_below(w->b, 40), fuzz_below(w->b, 40)};
  ocl_session_preprocess(s, &target, fuzz_one_in(w->b, 2) ? &roi : NULL, fuzz_range(w->b, -4, 4),
                         fuzz_range(w->b, -1, 3));
}

static double no_time(void) {
  return 0;
}

static void run(world* w, ocl_session* s) {
  ocl_session_run(s, fuzz_one_in(w->b, 4) ? no_time : NULL);
}

static void use_heads(world* w, ocl_session* s) {
  static const float kAnchors[4 * 256] = {0.5f};
  static const int32_t kExtremes[] = {INT32_MIN, INT32_MAX, 0, -1};
  const ocl_ssd_config config = {
      .num_anchors = fuzz_range(w->b, 0, 255),
      .num_columns = fuzz_one_in(w->b, 8) ? kExtremes[fuzz_below(w->b, 4)] : fuzz_range(w->b, 1, 12),
      .background_column = -fuzz_below(w->b, 3),
      .converter = (ocl_ssd_converter)fuzz_below(w->b, 4),
      .box_scales = {10, 10, 5, 5},
      .anchors = kAnchors,
      .max_total = fuzz_range(w->b, 0, 40)};
  ocl_ssd_config fitting = config;
  const int32_t boxes = fuzz_range(w->b, -1, 3), scores = fuzz_one_in(w->b, 4) ? boxes : fuzz_range(w->b, -1, 3);
  const ocl_graph* graph = ocl_session_graph(s);
  if (graph != NULL && boxes >= 0 && boxes < ocl_graph_num_outputs(graph)) {
    const ocl_graph_tensor tensor = ocl_graph_output(graph, boxes);
    const size_t count = ocl_shape_num_elements(&tensor.shape) / 4;
    if (count <= 256) fitting.num_anchors = (int32_t)count;
    if (boxes == scores) fitting.num_columns = 4;
  }
  ocl_session_use_heads(s, boxes, scores, fuzz_one_in(w->b, 3) ? &config : &fitting);
}

static void detect(world* w, ocl_session* s) {
  uint8_t allowed[4096];
  memset(allowed, fuzz_below(w->b, 2), sizeof allowed);
  const ocl_ssd_options options = {.score_threshold = (float)fuzz_below(w->b, 12) / 10,
                                   .iou_threshold = (float)fuzz_below(w->b, 12) / 10,
                                   .max_per_class = fuzz_below(w->b, 20),
                                   .max_total = fuzz_below(w->b, 40),
                                   .is_class_agnostic = fuzz_one_in(w->b, 2),
                                   .is_clipped = fuzz_one_in(w->b, 2),
                                   .allowed_classes = fuzz_one_in(w->b, 2) ? allowed : NULL};
  const ocl_roi roi = {0, 0, 100, 100};
  const ocl_session_detection* found = NULL;
  int32_t count = 0;
  FUZZ_CHECK(ocl_session_num_classes(s) <= (int32_t)sizeof allowed, "%d classes", (int)ocl_session_num_classes(s));
  const ocl_status status = ocl_session_detect(s, &options, fuzz_one_in(w->b, 2) ? &roi : NULL, 0, &found, &count);
  FUZZ_CHECK(status == OCL_OK || count == 0, "%d detections after a failure", (int)count);
  const int32_t length = ocl_session_features_length(s);
  float* features = malloc(((size_t)count * (size_t)length + (size_t)length + 1) * sizeof *features);
  ocl_session_pool_boxes(s, fuzz_one_in(w->b, 8) ? count + 1 : count, features);
  ocl_session_pool_image(s, fuzz_range(w->b, -1, 3), features);
  free(features);
}

static void use_features(world* w, ocl_session* s) {
  ocl_session_use_features(s, fuzz_range(w->b, -1, 12), fuzz_one_in(w->b, 2));
}

static void describe(world* w, ocl_session* s) {
  (void)w;
  const ocl_graph* graph = ocl_session_graph(s);
  if (graph == NULL) return;
  for (int32_t i = 0; i < ocl_graph_num_steps(graph); i++) ocl_graph_step(graph, i);
  for (int32_t i = 0; i < ocl_graph_num_outputs(graph); i++) ocl_graph_output(graph, i);
  ocl_graph_describe(graph);
  FUZZ_CHECK(strlen(ocl_session_detail(s)) < 200, "no detail");
}

typedef void (*call)(world* w, ocl_session* s);
// The usual way is the usual order, so that most calls find what they need.
static const call kCalls[] = {reserve,    open_model, build,    keep_columns, close_model,  use_heads,
                              set_pixels, preprocess, run,      detect,       use_features, set_batch,
                              run,        detect,     describe, decode};
enum { NUM_CALLS = sizeof kCalls / sizeof *kCalls };

// ---- in the end ----

// The outputs of the first model: a hash of them, or of the status.
static uint32_t answer(const world* w, ocl_session* s) {
  uint8_t* to = ocl_session_reserve_model(s, w->model_bytes[0]);
  memcpy(to, w->models[0], w->model_bytes[0]);
  ocl_status status = ocl_session_open_model(s);
  if (status == OCL_OK) status = ocl_session_build_model(s, 1);
  if (status == OCL_OK) status = ocl_session_close_model(s);
  if (status != OCL_OK) return (uint32_t)status;
  const ocl_graph* graph = ocl_session_graph(s);
  for (int32_t i = 0; i < ocl_graph_num_inputs(graph); i++) {
    const ocl_graph_tensor input = ocl_graph_input(graph, i);
    if (input.data != NULL) memset(input.data, 0x3d, input.size_bytes);
  }
  if ((status = ocl_session_run(s, NULL)) != OCL_OK) return (uint32_t)status;
  uint32_t hash = 2166136261u;
  for (int32_t i = 0; i < ocl_graph_num_outputs(graph); i++) {
    const ocl_graph_tensor output = ocl_graph_output(graph, i);
    for (size_t k = 0; k < output.size_bytes; k++) hash = (hash ^ ((const uint8_t*)output.data)[k]) * 16777619u;
  }
  return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size_bytes) {
  static bool is_machine;
  if (!is_machine) become_machine(&kMachines[NUM_MACHINES - 1]);
  is_machine = true;
  static network net;
  static world w;
  fuzz_bytes b = {bytes, size_bytes};
  w.b = &b;
  for (size_t i = 0; i < sizeof w.pixels; i++) w.pixels[i] = (uint8_t)(i * 37);
  uint8_t* models[2];
  for (int i = 0; i < 2; i++) {
    net_generate(&b, &net);
    w.models[i] = models[i] = net_write(&net, &w.model_bytes[i]);
    net_free(&net);
    if (ocl_session_create(1, &w.sessions[i]) != OCL_OK) abort();
  }
  for (int at = 0, left = 64; b.left > 0 && left > 0; left--, at++) {
    if (fuzz_one_in(&b, 3)) at = fuzz_below(&b, NUM_CALLS);
    kCalls[at % NUM_CALLS](&w, w.sessions[fuzz_one_in(&b, 4)]);
  }
  ocl_session* fresh;
  if (ocl_session_create(1, &fresh) != OCL_OK) abort();
  const uint32_t expected = answer(&w, fresh), found = answer(&w, w.sessions[0]);
  FUZZ_CHECK(found == expected, "what came before changes the answer");
  ocl_session_destroy(fresh);
  for (int i = 0; i < 2; i++) {
    ocl_session_destroy(w.sessions[i]);
    free(models[i]);
  }
  return 0;
}
