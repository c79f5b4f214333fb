// The exports of the inference module: the functions of ocelli.h for a single session. exports.txt lists all exports;
// wasm/engine/ calls them. An export that can fail returns a status and writes its result to its last argument,
// *..._out. An export that cannot fail returns its result; a returned struct is valid until the same export is called
// again.
#include <stdlib.h>
#include <string.h>

#include "detect/anchors.h"
#include "kernels/kernels.h"
#include "structs.h"
#include "tflite/detector_metadata.h"
#ifdef OCL_THREADS
#include "graph/threads.h"
#endif

double emscripten_get_now(void);  // milliseconds

static ocl_session* session;
static uint8_t* pixels;  // from ocl_image_reserve()
static size_t pixels_size_bytes;

// Details of the last failed call, beyond its status; "" if there are none.
const char* ocl_detail_text(void) {
  return session == NULL ? "" : ocl_session_detail(session);
}

// `use_baseline`: uses XNNPACK's kernels, where it has them, and its indirection buffers, for benchmarks.
ocl_status ocl_start(int32_t num_threads, int32_t is_deterministic, int32_t use_baseline) {
  if (is_deterministic) ocl_graph_make_deterministic();
  ocl_kernels_install(use_baseline);
  if (!use_baseline) ocl_graph_enable_shared_rows();
  return ocl_session_create(num_threads, &session);
}
void ocl_stop(void) {
  ocl_session_destroy(session);
  session = NULL;
  free(pixels);
  pixels = NULL;
}

// ---- threads ----

void* ocl_pool(void) {
  return ocl_session_pool(session);
}
// The main loop of worker `index` of the pool; returns when the pool is destroyed. Does nothing without threads.
void ocl_threads_work(void* pool, int32_t index) {
#ifdef OCL_THREADS
  ocl_graph_threads_work(pool, index);
#else
  (void)pool, (void)index;
#endif
}
// After a trap in ocl_threads_work(): the call that waits for this worker then traps, too, instead of waiting for ever.
void ocl_threads_abandon(void* pool) {
#ifdef OCL_THREADS
  ocl_graph_threads_abandon(pool);
#else
  (void)pool;
#endif
}

// ---- model ----

void* ocl_model_reserve(size_t size_bytes) {
  return ocl_session_reserve_model(session, size_bytes);
}
void* ocl_model_resize(size_t size_bytes) {
  return ocl_session_resize_model(session, size_bytes);
}
// `signature`: a key that ends in NUL; NULL: the first subgraph.
ocl_status ocl_model_open(const char* signature) {
  return ocl_session_open_signature(session, signature);
}
int32_t ocl_model_signature_count(void) {
  return ocl_session_num_signatures(session);
}
// Valid until the model is closed.
const char* ocl_model_signature(int32_t index) {
  return ocl_session_signature_key(session, index);
}

// NULL: the model has no metadata. The texts are valid until the model is closed.
const ocl_bridge_metadata* ocl_model_metadata(void) {
  static ocl_bridge_metadata result;
  const ocl_metadata* metadata = ocl_session_metadata(session);
  if (metadata == NULL) return NULL;
  result = (ocl_bridge_metadata){.name = metadata->name,
                                 .description = metadata->description,
                                 .version = metadata->version,
                                 .author = metadata->author,
                                 .license = metadata->license};
  const ocl_metadata_scores scores = ocl_metadata_get_scores(metadata);
  result.has_threshold = scores.has_threshold;
  result.threshold = scores.threshold;
  result.default_score = scores.default_score;
  result.transform = scores.transform;
  if (metadata->num_inputs == 0) return &result;
  const ocl_metadata_tensor input = ocl_metadata_get_input(metadata, 0);
  result.num_channels = input.num_channels;
  memcpy(result.mean, input.mean, sizeof result.mean);
  memcpy(result.std, input.std, sizeof result.std);
  return &result;
}

ocl_status ocl_model_read_labels(ocl_bridge_text* text_out) {
  return ocl_session_read_labels(session, &text_out->bytes, &text_out->size_bytes);
}

ocl_status ocl_model_read_calibration(ocl_bridge_text* text_out) {
  return ocl_session_read_calibration(session, &text_out->bytes, &text_out->size_bytes);
}

ocl_status ocl_model_read_detector(ocl_bridge_detector* detector_out) {
  *detector_out = (ocl_bridge_detector){0};
  const ocl_metadata* metadata = ocl_session_metadata(session);
  if (metadata == NULL) return OCL_OK;
  detector_out->own = ocl_metadata_find_custom(metadata, OCL_METADATA_OWN_ENTRY, &detector_out->own_size_bytes);
  size_t size_bytes;
  const uint8_t* entry = ocl_metadata_find_custom(metadata, OCL_DETECTOR_METADATA_ENTRY, &size_bytes);
  if (entry == NULL) return OCL_OK;
  ocl_detector_metadata detector;
  OCL_TRY(ocl_detector_metadata_verify(entry, size_bytes, &detector, NULL));
  detector_out->anchors = malloc((size_t)detector.num_anchors * 4 * sizeof(float) + 1);
  if (detector_out->anchors == NULL) return OCL_OUT_OF_MEMORY;
  ocl_detector_metadata_fill_anchors(&detector, detector_out->anchors);
  detector_out->num_anchors = detector.num_anchors;
  detector_out->num_classes = detector.num_classes;
  detector_out->is_size_exponential = detector.is_size_exponential;
  detector_out->is_sigmoid = detector.is_sigmoid;
  memcpy(detector_out->box_scales, detector.box_scales, sizeof detector.box_scales);
  return OCL_OK;
}

ocl_status ocl_model_build(int32_t batch) {
  return ocl_session_build_model(session, batch);
}
// *is_done_out is false if columns depend on each other; then the network does not change.
ocl_status ocl_model_keep_columns(int32_t output, const int32_t* columns, int32_t num_columns, bool* is_done_out) {
  return ocl_session_keep_columns(session, output, columns, num_columns, is_done_out);
}
ocl_status ocl_model_close(void) {
  return ocl_session_close_model(session);
}
ocl_status ocl_model_set_batch(int32_t batch) {
  return ocl_session_set_batch(session, batch);
}

// ---- network ----

int32_t ocl_input_count(void) {
  const ocl_graph* graph = ocl_session_graph(session);
  return graph == NULL ? 0 : ocl_graph_num_inputs(graph);
}
ocl_status ocl_input(int32_t index, ocl_graph_tensor* tensor_out) {
  if (index < 0 || index >= ocl_input_count()) return OCL_INVALID_ARGUMENT;
  *tensor_out = ocl_graph_input(ocl_session_graph(session), index);
  return OCL_OK;
}

int32_t ocl_output_count(void) {
  const ocl_graph* graph = ocl_session_graph(session);
  return graph == NULL ? 0 : ocl_graph_num_outputs(graph);
}
ocl_status ocl_output(int32_t index, ocl_graph_tensor* tensor_out) {
  if (index < 0 || index >= ocl_output_count()) return OCL_INVALID_ARGUMENT;
  *tensor_out = ocl_graph_output(ocl_session_graph(session), index);
  return OCL_OK;
}

ocl_status ocl_network(ocl_graph_info* info_out) {
  const ocl_graph* graph = ocl_session_graph(session);
  if (graph == NULL) return OCL_INVALID_ARGUMENT;
  *info_out = ocl_graph_describe(graph);
  return OCL_OK;
}

int32_t ocl_step_count(void) {
  const ocl_graph* graph = ocl_session_graph(session);
  return graph == NULL ? 0 : ocl_graph_num_steps(graph);
}
ocl_status ocl_step(int32_t index, ocl_graph_step_info* info_out) {
  if (index < 0 || index >= ocl_step_count()) return OCL_INVALID_ARGUMENT;
  *info_out = ocl_graph_step(ocl_session_graph(session), index);
  return OCL_OK;
}

static double clock_us(void) {
  return emscripten_get_now() * 1000;
}
ocl_status ocl_run(int32_t is_timed) {
  return ocl_session_run(session, is_timed ? clock_us : NULL);
}

// ---- image -> tensor ----

static ocl_image_options read_options(const ocl_bridge_image_options* options) {
  return (ocl_image_options){.max_pixels = (int64_t)options->max_pixels,
                             .allow_truncated = options->allow_truncated != 0,
                             .scale = (ocl_image_scale)options->scale};
}

// Decodes a file and resizes it into image `batch_index` of input 0. `roi` NULL: the whole image.
ocl_status ocl_image_read(const ocl_bridge_file* file, const ocl_bridge_image_options* options,
                          const ocl_resize_target* target, const ocl_roi* roi, int32_t quarter_turns_clockwise,
                          int32_t batch_index, ocl_image_facts* facts_out) {
  const ocl_image_options read = read_options(options);
  return ocl_session_read(session, file->bytes, file->size_bytes, &read, target, roi, quarter_turns_clockwise,
                          batch_index, facts_out);
}

// Decodes a file whole, which becomes the current image.
ocl_status ocl_image_decode_file(const ocl_bridge_file* file, const ocl_bridge_image_options* options,
                                 ocl_image_facts* facts_out) {
  const ocl_image_options read = read_options(options);
  return ocl_session_decode(session, file->bytes, file->size_bytes, &read, facts_out);
}

// Memory for the host's pixels; NULL: out of memory. Frames of the same size reuse the same memory. Drops the current
// image, because its pixels may be in that memory.
void* ocl_image_reserve(size_t size_bytes) {
  ocl_session_drop_image(session);
  if (pixels != NULL && pixels_size_bytes == size_bytes) return pixels;
  free(pixels);
  pixels = malloc(size_bytes + 1);
  pixels_size_bytes = size_bytes;
  return pixels;
}
// Makes pixels in the module's memory the current image, without a copy.
ocl_status ocl_image_use(const ocl_pixels* image) {
  return ocl_session_set_pixels(session, image);
}
void ocl_image_drop(void) {
  ocl_session_drop_image(session);
}

// The upright size of the current image; 0 x 0: there is none.
const ocl_bridge_size* ocl_image_size(void) {
  static ocl_bridge_size size;
  size = (ocl_bridge_size){0};
  const ocl_pixels image = ocl_session_pixels(session);
  if (image.num_channels != 0) ocl_resize_upright_size(&image, &size.width_px, &size.height_px);
  return &size;
}

// Writes the current image, upright, as RGB [height, width, 3].
ocl_status ocl_image_upright(int32_t background, uint8_t* rgb_out) {
  return ocl_session_upright(session, background, rgb_out);
}

// Resizes the current image into image `batch_index` of input 0. `roi` NULL: the whole image.
ocl_status ocl_preprocess(const ocl_resize_target* target, const ocl_roi* roi, int32_t quarter_turns_clockwise,
                          int32_t batch_index) {
  return ocl_session_preprocess(session, target, roi, quarter_turns_clockwise, batch_index);
}

// ---- heads -> boxes ----

int32_t ocl_has_postprocess(void) {
  const ocl_graph* graph = ocl_session_graph(session);
  ocl_graph_tensor tensors[4];
  int32_t num_classes;
  return graph != NULL && ocl_graph_postprocess(graph, tensors, &num_classes);
}
int32_t ocl_num_classes(void) {
  return ocl_session_num_classes(session);
}

static ocl_status allocate_anchors(ocl_bridge_anchors* anchors) {
  anchors->anchors = malloc((size_t)anchors->num_anchors * 4 * sizeof(float));
  return anchors->anchors == NULL ? OCL_OUT_OF_MEMORY : OCL_OK;
}

ocl_status ocl_anchors_make_ssd(const ocl_anchors_ssd* settings, const ocl_anchors_grid* grid,
                                ocl_bridge_anchors* anchors_out) {
  OCL_TRY(ocl_anchors_count_ssd(settings, grid, &anchors_out->num_anchors, NULL));
  OCL_TRY(allocate_anchors(anchors_out));
  return ocl_anchors_fill_ssd(settings, grid, anchors_out->anchors, NULL);
}

ocl_status ocl_anchors_make_multiscale(const ocl_anchors_multiscale* settings, const ocl_anchors_grid* grid,
                                       ocl_bridge_anchors* anchors_out) {
  OCL_TRY(ocl_anchors_count_multiscale(settings, grid, &anchors_out->num_anchors, NULL));
  OCL_TRY(allocate_anchors(anchors_out));
  return ocl_anchors_fill_multiscale(settings, grid, anchors_out->anchors, NULL);
}

ocl_status ocl_use_heads(int32_t boxes_output, int32_t scores_output, const ocl_ssd_config* config) {
  return ocl_session_use_heads(session, boxes_output, scores_output, config);
}

ocl_status ocl_detect(const ocl_ssd_options* options, const ocl_roi* roi, int32_t quarter_turns_clockwise,
                      ocl_bridge_detections* found_out) {
  return ocl_session_detect(session, options, roi, quarter_turns_clockwise, &found_out->rows, &found_out->num_rows);
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
ocl_status ocl_features_of_boxes(int32_t num_detections, float* features_out) {
  return ocl_session_pool_boxes(session, num_detections, features_out);
}
