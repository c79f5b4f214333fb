// The module's exports: ocelli.h for one session, flattened to numbers and addresses. The only file with exported
// symbols (exports.txt is their list) and the only one with mutable globals. wasm/engine/engine.js is its counterpart.
#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wasm_simd128.h>

#include "detect/anchors.h"
#ifdef OCL_THREADS
#include "graph/threads.h"
#endif
#include "kernels/kernels.h"
#include "ocelli.h"
#include "tflite/detector_metadata.h"

double emscripten_get_now(void);  // milliseconds

// What JavaScript reads, in 32-bit words. Raise ABI when a layout or a signature changes.
enum { ABI = 4 };

typedef struct {
  const char* name;
  int32_t dtype, rank, dims[OCL_MAX_RANK];
  float scale;
  int32_t zero_point;
  uint32_t size_bytes;
  void* data;
  int32_t is_constant;
} tensor_record;
_Static_assert(sizeof(tensor_record) == 56, "engine.js: TENSOR_BYTES");

typedef struct {
  const char *operator_name, *output_name;
  int32_t rank, dims[OCL_MAX_RANK], dtype;
  double multiply_adds, time_us;
} step_record;
_Static_assert(sizeof(step_record) == 56, "engine.js: STEP_BYTES");

typedef struct {
  double arena_bytes, num_parameters, multiply_adds, is_batch_free;
} graph_record;
_Static_assert(sizeof(graph_record) == 32, "engine.js: GRAPH_BYTES");

typedef struct {
  const char *name, *description, *version, *author, *license;
  int32_t num_channels;  // of the first input's normalization; 0: none
  float mean[OCL_METADATA_MAX_CHANNELS], std[OCL_METADATA_MAX_CHANNELS];
} metadata_record;
_Static_assert(sizeof(metadata_record) == 56, "engine.js: METADATA_BYTES");

typedef struct {
  char* text;
  uint32_t size_bytes;
} labels_record;
_Static_assert(sizeof(labels_record) == 8, "engine.js: LABELS_BYTES");

typedef struct {
  int32_t width_px, height_px, num_channels;
} image_record;
_Static_assert(sizeof(image_record) == 12, "engine.js: IMAGE_BYTES");

typedef struct {
  const uint8_t* own;  // our converter's JSON; borrowed until the model is closed
  uint32_t own_size_bytes;
  float* anchors;  // JavaScript frees them; NULL: the file has no detector metadata
  int32_t num_anchors, num_classes, is_size_exponential, is_sigmoid;
  float box_scales[4];
} detector_record;
_Static_assert(sizeof(detector_record) == 44, "engine.js: DETECTOR_BYTES");

static ocl_session* session;
static uint8_t* pixels;  // what ocl_image_reserve() gave
static ocl_pixels pixels_view;

static double clock_us(void) {
  return emscripten_get_now() * 1000;
}

int32_t ocl_abi(void) {
  return ABI;
}

void* ocl_alloc(size_t size_bytes) {
  return malloc(size_bytes);
}
void ocl_free(void* address) {
  free(address);
}
size_t ocl_live_bytes(void) {
  return (size_t)mallinfo().uordblks;
}

const char* ocl_status_text(int32_t status, int32_t what) {
  return what == 0 ? ocl_status_name((ocl_status)status) : ocl_status_message((ocl_status)status);
}
const char* ocl_detail_text(void) {
  return session == NULL ? "" : ocl_session_detail(session);
}

// `baseline`: XNNPACK's kernels and indirection throughout, to measure ours against.
ocl_status ocl_start(int32_t num_threads, int32_t deterministic, int32_t baseline) {
  if (deterministic) ocl_graph_make_deterministic();
  if (!baseline) {
    ocl_kernels_install();
    ocl_graph_enable_shared_rows();
  }
  return ocl_session_create(num_threads, &session);
}
void* ocl_pool(void) {
  return ocl_session_pool(session);
}
void ocl_stop(void) {
  ocl_session_destroy(session);
  session = NULL;
  free(pixels);
  pixels = NULL;
}

// ---- model ----

void* ocl_model_reserve(size_t size_bytes) {
  return ocl_session_reserve_model(session, size_bytes);
}
ocl_status ocl_model_open(void) {
  return ocl_session_open_model(session);
}

// 0: the model has none. Valid until it is closed.
const metadata_record* ocl_model_metadata(void) {
  static metadata_record record;
  const ocl_metadata* metadata = ocl_session_metadata(session);
  if (metadata == NULL) return NULL;
  record = (metadata_record){
      metadata->name, metadata->description, metadata->version, metadata->author, metadata->license, 0, {0}, {0}};
  if (metadata->num_inputs == 0) return &record;
  const ocl_metadata_tensor input = ocl_metadata_get_input(metadata, 0);
  record.num_channels = input.num_channels;
  memcpy(record.mean, input.mean, sizeof record.mean);
  memcpy(record.std, input.std, sizeof record.std);
  return &record;
}

static labels_record labels;

// The text that ocl_labels() then gives; JavaScript frees it.
ocl_status ocl_model_read_labels(void) {
  size_t size_bytes;
  const ocl_status status = ocl_session_read_labels(session, &labels.text, &size_bytes);
  labels.size_bytes = size_bytes;
  return status;
}
const labels_record* ocl_labels(void) {
  return &labels;
}

static detector_record detector;

// What the model's custom metadata says, which ocl_detector() then gives.
ocl_status ocl_model_read_detector(void) {
  detector = (detector_record){0};
  const ocl_metadata* metadata = ocl_session_metadata(session);
  if (metadata == NULL) return OCL_OK;
  size_t size_bytes;
  detector.own = ocl_metadata_find_custom(metadata, OCL_METADATA_OWN_ENTRY, &size_bytes);
  detector.own_size_bytes = size_bytes;
  const uint8_t* entry = ocl_metadata_find_custom(metadata, OCL_DETECTOR_METADATA_ENTRY, &size_bytes);
  if (entry == NULL) return OCL_OK;
  ocl_detector_metadata read;
  OCL_TRY(ocl_detector_metadata_verify(entry, size_bytes, &read, NULL));
  detector.anchors = malloc((size_t)read.num_anchors * 4 * sizeof(float) + 1);
  if (detector.anchors == NULL) return OCL_OUT_OF_MEMORY;
  ocl_detector_metadata_fill_anchors(&read, detector.anchors);
  detector.num_anchors = read.num_anchors;
  detector.num_classes = read.num_classes;
  detector.is_size_exponential = read.is_size_exponential;
  detector.is_sigmoid = read.is_sigmoid;
  memcpy(detector.box_scales, read.box_scales, sizeof detector.box_scales);
  return OCL_OK;
}
const detector_record* ocl_detector(void) {
  return &detector;
}

ocl_status ocl_model_build(int32_t batch) {
  return ocl_session_build_model(session, batch);
}
// 1: done; 0: left whole; below 0: less a status.
int32_t ocl_model_keep_columns(int32_t output, const int32_t* columns, int32_t num_columns) {
  bool is_done;
  const ocl_status status = ocl_session_keep_columns(session, output, columns, num_columns, &is_done);
  return status == OCL_OK ? is_done : -(int32_t)status;
}
ocl_status ocl_model_close(void) {
  return ocl_session_close_model(session);
}
ocl_status ocl_model_set_batch(int32_t batch) {
  return ocl_session_set_batch(session, batch);
}

int32_t ocl_tensor_count(int32_t side) {
  const ocl_graph* graph = ocl_session_graph(session);
  if (graph == NULL) return 0;
  return side == 0 ? ocl_graph_num_inputs(graph) : ocl_graph_num_outputs(graph);
}

const tensor_record* ocl_tensor(int32_t side, int32_t index) {
  static tensor_record record;
  const ocl_graph* graph = ocl_session_graph(session);
  const ocl_graph_tensor tensor = side == 0 ? ocl_graph_input(graph, index) : ocl_graph_output(graph, index);
  record = (tensor_record){.name = tensor.name,
                           .dtype = (int32_t)tensor.dtype,
                           .rank = tensor.shape.rank,
                           .scale = tensor.scale,
                           .zero_point = tensor.zero_point,
                           .size_bytes = tensor.size_bytes,
                           .data = tensor.data,
                           .is_constant = tensor.is_constant};
  memcpy(record.dims, tensor.shape.dims, sizeof record.dims);
  return &record;
}

const graph_record* ocl_network(void) {
  static graph_record record;
  const ocl_graph_info info = ocl_graph_describe(ocl_session_graph(session));
  record = (graph_record){(double)info.arena_bytes, (double)info.num_parameters, (double)info.multiply_adds,
                          info.is_batch_free};
  return &record;
}

int32_t ocl_step_count(void) {
  return ocl_graph_num_steps(ocl_session_graph(session));
}

const step_record* ocl_step(int32_t index) {
  static step_record record;
  const ocl_graph_step_info info = ocl_graph_step(ocl_session_graph(session), index);
  record = (step_record){.operator_name = info.operator_name,
                         .output_name = info.output_name,
                         .rank = info.output_shape.rank,
                         .dtype = (int32_t)info.output_dtype,
                         .multiply_adds = (double)info.multiply_adds,
                         .time_us = info.time_us};
  memcpy(record.dims, info.output_shape.dims, sizeof record.dims);
  return &record;
}

// ---- image -> tensor ----

ocl_status ocl_image_decode_file(const uint8_t* bytes, size_t size_bytes, double max_pixels) {
  return ocl_session_decode(session, bytes, size_bytes, (int64_t)max_pixels);
}

// Memory for pixels of the host, kept from frame to frame; 0: out of memory. ocl_image_use() makes them the image.
void* ocl_image_reserve(size_t size_bytes, int32_t width_px, int32_t height_px, int32_t num_channels,
                        size_t stride_bytes) {
  if (pixels_view.size_bytes != size_bytes || pixels == NULL) {
    free(pixels);
    pixels = malloc(size_bytes + 1);
  }
  pixels_view = (ocl_pixels){.data = pixels,
                             .size_bytes = size_bytes,
                             .stride_bytes = stride_bytes,
                             .width_px = width_px,
                             .height_px = height_px,
                             .num_channels = num_channels,
                             .orientation = 1};
  return pixels;
}

ocl_status ocl_image_use(void) {
  return pixels == NULL ? OCL_OUT_OF_MEMORY : ocl_session_set_pixels(session, &pixels_view);
}

void ocl_image_drop(void) {
  ocl_session_drop_image(session);
}

const image_record* ocl_image_info(void) {
  static image_record record;
  const ocl_pixels image = ocl_session_pixels(session);
  record = (image_record){.num_channels = image.num_channels};
  if (image.num_channels != 0) ocl_resize_upright_size(&image, &record.width_px, &record.height_px);
  return &record;
}

// The present image as RGB [height, width, 3], upright.
ocl_status ocl_image_upright(uint8_t* rgb_out) {
  return ocl_session_upright(session, rgb_out);
}

ocl_status ocl_preprocess(float scale_r, float scale_g, float scale_b, float offset_r, float offset_g, float offset_b,
                          int32_t is_legacy, int32_t x_px, int32_t y_px, int32_t width_px, int32_t height_px,
                          int32_t quarter_turns_clockwise, int32_t batch_index) {
  const ocl_resize_target target = {.mode = is_legacy ? OCL_RESIZE_LEGACY : OCL_RESIZE_HALF_PIXEL,
                                    .scale = {scale_r, scale_g, scale_b},
                                    .offset = {offset_r, offset_g, offset_b}};
  const ocl_roi roi = {x_px, y_px, width_px, height_px};
  return ocl_session_preprocess(session, &target, width_px < 0 ? NULL : &roi, quarter_turns_clockwise, batch_index);
}

ocl_status ocl_run(int32_t is_timed) {
  return ocl_session_run(session, is_timed ? clock_us : NULL);
}

// ---- heads -> boxes ----

_Static_assert(sizeof(ocl_session_detection) == 24, "engine.js: DETECTION_BYTES");

static const ocl_session_detection* detections;

int32_t ocl_has_postprocess(void) {
  ocl_graph_tensor tensors[4];
  int32_t num_classes;
  return ocl_graph_postprocess(ocl_session_graph(session), tensors, &num_classes);
}
int32_t ocl_num_classes(void) {
  return ocl_session_num_classes(session);
}

// `lists`: num_feature_maps pairs height, width; num_aspect_ratios; num_layers scales (or none). 0: out of memory or
// INVALID_ARGUMENT, see ocl_anchors_status(). The caller frees.
static ocl_status anchors_status;
static int32_t num_anchors;
ocl_status ocl_anchors_status(void) {
  return anchors_status;
}
int32_t ocl_anchors_count(void) {
  return num_anchors;
}

float* ocl_anchors_ssd_new(int32_t image_height_px, int32_t image_width_px, int32_t num_feature_maps,
                           const int32_t* feature_maps, int32_t num_layers, float min_scale, float max_scale,
                           const float* scales, int32_t num_aspect_ratios, const float* aspect_ratios,
                           float interpolated_aspect_ratio, int32_t reduce_boxes_in_lowest_layer) {
  const ocl_anchors_grid grid = {image_height_px, image_width_px, num_feature_maps,
                                 (const int32_t(*)[2])(const void*)feature_maps};
  const ocl_anchors_ssd settings = {.num_layers = num_layers,
                                    .min_scale = min_scale,
                                    .max_scale = max_scale,
                                    .scales = scales,
                                    .num_aspect_ratios = num_aspect_ratios,
                                    .aspect_ratios = aspect_ratios,
                                    .interpolated_aspect_ratio = interpolated_aspect_ratio,
                                    .reduce_boxes_in_lowest_layer = reduce_boxes_in_lowest_layer != 0,
                                    .base_height = 1,
                                    .base_width = 1};
  anchors_status = ocl_anchors_count_ssd(&settings, &grid, &num_anchors, NULL);
  if (anchors_status != OCL_OK) return NULL;
  float* anchors = malloc((size_t)num_anchors * 4 * sizeof *anchors);
  anchors_status = anchors == NULL ? OCL_OUT_OF_MEMORY : ocl_anchors_fill_ssd(&settings, &grid, anchors, NULL);
  return anchors;
}

float* ocl_anchors_multiscale_new(int32_t image_height_px, int32_t image_width_px, int32_t min_level, int32_t max_level,
                                  float anchor_scale, int32_t num_aspect_ratios, const float* aspect_ratios,
                                  int32_t scales_per_octave) {
  const ocl_anchors_grid grid = {.image_height_px = image_height_px, .image_width_px = image_width_px};
  const ocl_anchors_multiscale settings = {min_level,     max_level,         anchor_scale, num_aspect_ratios,
                                           aspect_ratios, scales_per_octave, true};
  anchors_status = ocl_anchors_count_multiscale(&settings, &grid, &num_anchors, NULL);
  if (anchors_status != OCL_OK) return NULL;
  float* anchors = malloc((size_t)num_anchors * 4 * sizeof *anchors);
  anchors_status = anchors == NULL ? OCL_OUT_OF_MEMORY : ocl_anchors_fill_multiscale(&settings, &grid, anchors, NULL);
  return anchors;
}

ocl_status ocl_use_heads(int32_t boxes_output, int32_t scores_output, const float* anchors, int32_t anchors_rows,
                         int32_t num_columns, int32_t has_background, int32_t converter, int32_t max_total,
                         float scale_y, float scale_x, float scale_h, float scale_w) {
  const ocl_ssd_config config = {.num_anchors = anchors_rows,
                                 .num_columns = num_columns,
                                 .background_column = has_background ? 0 : -1,
                                 .converter = (ocl_ssd_converter)converter,
                                 .box_scales = {scale_y, scale_x, scale_h, scale_w},
                                 .anchors = anchors,
                                 .max_total = max_total};
  return ocl_session_use_heads(session, boxes_output, scores_output, &config);
}

// Number of detections, at ocl_detections(); below 0: less a status.
int32_t ocl_detect(float score_threshold, float iou_threshold, int32_t max_per_class, int32_t max_total,
                   int32_t is_class_agnostic, const uint8_t* class_mask, int32_t x_px, int32_t y_px, int32_t width_px,
                   int32_t height_px, int32_t quarter_turns_clockwise) {
  const ocl_ssd_options options = {score_threshold,        iou_threshold, max_per_class, max_total,
                                   is_class_agnostic != 0, true,          class_mask};
  const ocl_roi roi = {x_px, y_px, width_px, height_px};
  int32_t count;
  const ocl_status status = ocl_session_detect(session, &options, &roi, quarter_turns_clockwise, &detections, &count);
  return status == OCL_OK ? count : -(int32_t)status;
}
const ocl_session_detection* ocl_detections(void) {
  return detections;
}

// ---- tensor -> features ----

ocl_status ocl_features_use(int32_t step, int32_t is_cut) {
  return ocl_session_use_features(session, step, is_cut != 0);
}
int32_t ocl_features_size(void) {
  return ocl_session_features_length(session);
}
ocl_status ocl_features_of_image(int32_t batch_index, float* features_out) {
  return ocl_session_pool_image(session, batch_index, features_out);
}
ocl_status ocl_features_of_boxes(float* features_out) {
  return ocl_session_pool_boxes(session, features_out);
}

// ---- measuring ----

// Twelve independent chains, in registers.
enum { CHAINS = 12 };

// Milliseconds for so many of this variant's multiply-adds a chain.
static double time_fma(int rounds) {
  // Volatile: as constants they would be made anew at each use.
  volatile const float opaque_factor = 0.999999f, opaque_addend = 1e-6f;
  const v128_t factor = wasm_f32x4_splat(opaque_factor), addend = wasm_f32x4_splat(opaque_addend);
  v128_t chains[CHAINS];
  for (int i = 0; i < CHAINS; i++) chains[i] = wasm_f32x4_splat((float)i);
  const double start = emscripten_get_now();
  for (int round = 0; round < rounds; round++)
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) {
#ifdef __wasm_relaxed_simd__
      chains[i] = wasm_f32x4_relaxed_madd(chains[i], factor, addend);
#else
      chains[i] = wasm_f32x4_add(wasm_f32x4_mul(chains[i], factor), addend);
#endif
    }
  const double elapsed = emscripten_get_now() - start;
  float sum = 0;
  for (int i = 0; i < CHAINS; i++) sum += wasm_f32x4_extract_lane(chains[i], 0);
  volatile const float sink = sum;  // keeps the loop from being dropped
  (void)sink;
  return elapsed;
}

// 10^9 multiply-adds per second on one thread.
double ocl_measure_peak(void) {
  enum { ROUNDS = 400000, TRIES = 5 };
  double best_ms = 1e9;
  for (int try = 0; try < TRIES; try++) {
    const double elapsed = time_fma(ROUNDS);
    if (elapsed < best_ms) best_ms = elapsed;
  }
  return best_ms <= 0 ? 0 : 4.0 * CHAINS * ROUNDS / best_ms / 1e6;
}

// One try each, for the host to repeat: an engine compiles anew in between what has run for a while. It takes a
// millisecond or more, of which most clocks tell a tenth. As many operations in both; a dot product has four
// times the multiply-adds.
enum { TRY_ROUNDS = 1000000 };
double ocl_time_fma(void) {
  return time_fma(TRY_ROUNDS);
}

// INFINITY: there are no dot products here, or they do not compute what XNNPACK's kernels need.
double ocl_time_dot(void) {
#ifdef __wasm_relaxed_simd__
  if (!ocl_kernels_use_dot()) return INFINITY;
  volatile const int8_t opaque = 1;
  const v128_t a = wasm_i8x16_splat(opaque), b = wasm_i8x16_splat(opaque);
  v128_t chains[CHAINS];
  for (int i = 0; i < CHAINS; i++) chains[i] = wasm_i32x4_splat(i);
  const double start = emscripten_get_now();
  for (int round = 0; round < TRY_ROUNDS; round++)
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) chains[i] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(a, b, chains[i]);
  const double elapsed = emscripten_get_now() - start;
  int32_t sum = 0;
  for (int i = 0; i < CHAINS; i++) sum += wasm_i32x4_extract_lane(chains[i], 0);
  volatile const int32_t sink = sum;
  (void)sink;
  return elapsed;
#else
  return INFINITY;
#endif
}

// ---- threads ----

// The life of one thread of the pool; in the single-threaded variants there is none.
void ocl_threads_work(void* pool, int32_t index) {
#ifdef OCL_THREADS
  ocl_graph_threads_work(pool, index);
#else
  (void)pool, (void)index;
#endif
}
