#include "ocelli.h"

#include <stdlib.h>
#include <string.h>

#include "detect/detection_rows.h"
#include "detect/feature_map.h"
#include "tflite/model_file.h"
#ifdef OCL_THREADS
#include "graph/threads.h"
#endif

// The outputs of the network that are its raw heads.
typedef struct {
  int32_t boxes_output, scores_output, num_anchors, num_columns, num_classes;
  ocl_ssd* ssd;
  float *real_boxes, *real_scores;  // of 8-bit outputs
  int32_t num_box_columns;
} raw_heads;

struct ocl_session {
  ocl_thread_pool pool;
  ocl_detail detail;

  uint8_t* model_bytes;  // from reserve to close
  ocl_model_file file;   // those bytes
  ocl_graph* graph;
  bool is_placed, has_run;  // the network has memory for its activations; the outputs are those of a run

  ocl_image image;      // the present one
  ocl_roi whole_image;  // of the last one; 0 wide: there was none
  ocl_image_scratch scratch;

  raw_heads heads;
  ocl_session_detection* detections;
  ocl_resize_box* views;  // their boxes, in [0, 1] of what the network saw
  int32_t num_detections, detections_capacity;

  enum { NO_FEATURES, KEPT_FEATURES, CUT_FEATURES } features;
};

ocl_status ocl_session_create(int32_t num_threads, ocl_session** session_out) {
  *session_out = NULL;
#ifdef OCL_THREADS
  const bool has_threads = true;
#else
  const bool has_threads = false;
#endif
  if (num_threads < 1 || (num_threads > 1 && !has_threads)) return OCL_INVALID_ARGUMENT;
  ocl_session* session = calloc(1, sizeof *session);
  if (session == NULL) return OCL_OUT_OF_MEMORY;
#ifdef OCL_THREADS
  if (num_threads > 1 && ocl_graph_threads_create(num_threads, &session->pool) != OCL_OK) {
    free(session);
    return OCL_OUT_OF_MEMORY;
  }
#endif
  *session_out = session;
  return OCL_OK;
}

static void drop_heads(raw_heads* heads) {
  ocl_ssd_destroy(heads->ssd);
  free(heads->real_boxes);
  free(heads->real_scores);
  *heads = (raw_heads){0};
}

static void free_model(ocl_session* session) {
  free(session->model_bytes);
  session->model_bytes = NULL;
  session->file.is_open = false;
}

static void drop_graph(ocl_session* session) {
  drop_heads(&session->heads);
  ocl_graph_destroy(session->graph);
  session->graph = NULL;
  session->is_placed = session->has_run = false;
  session->num_detections = 0;
  session->features = NO_FEATURES;
}

void ocl_session_destroy(ocl_session* session) {
  if (session == NULL) return;
  free_model(session);
  drop_graph(session);
  ocl_session_drop_image(session);
  free(session->detections);
  free(session->views);
  free(session->scratch.memory);
#ifdef OCL_THREADS
  ocl_graph_threads_destroy(session->pool);
#endif
  free(session);
}

const char* ocl_session_detail(const ocl_session* session) {
  return session->detail.text;
}
ocl_thread_pool ocl_session_pool(const ocl_session* session) {
  return session->pool;
}
ocl_graph* ocl_session_graph(const ocl_session* session) {
  return session->graph;
}

// ---- model ----

// The activations are allocated where the file was. They may need more room; pages that are never touched cost nothing.
static const size_t kUsualActivations = 12500000;
static size_t room_of(size_t model_bytes) {
  const size_t room = model_bytes + model_bytes / 4;
  if (room >= kUsualActivations) return room;
  return model_bytes * 5 / 2 < kUsualActivations ? model_bytes * 5 / 2 : kUsualActivations;
}

uint8_t* ocl_session_reserve_model(ocl_session* session, size_t size_bytes) {
  session->detail.text[0] = '\0';
  free_model(session);
  drop_graph(session);
  return ocl_session_resize_model(session, size_bytes);
}

uint8_t* ocl_session_resize_model(ocl_session* session, size_t size_bytes) {
  if (session->file.is_open || session->graph != NULL) return NULL;
  uint8_t* bytes = size_bytes > SIZE_MAX / 2 ? NULL : realloc(session->model_bytes, room_of(size_bytes) + 1);
  if (bytes == NULL) free_model(session);
  session->model_bytes = bytes;
  session->file = (ocl_model_file){.bytes = bytes, .size_bytes = size_bytes};
  return bytes;
}

ocl_status ocl_session_open_model(ocl_session* session) {
  return ocl_session_open_signature(session, NULL);
}

ocl_status ocl_session_open_signature(ocl_session* session, const char* signature) {
  session->detail.text[0] = '\0';
  if (session->model_bytes == NULL) return OCL_INVALID_ARGUMENT;
  return ocl_model_file_open(&session->file, signature, &session->detail);
}

int32_t ocl_session_num_signatures(const ocl_session* session) {
  return session->file.is_open ? ocl_tflite_num_signatures(&session->file.model) : 0;
}

const char* ocl_session_signature_key(const ocl_session* session, int32_t index) {
  if (index < 0 || index >= ocl_session_num_signatures(session)) return NULL;
  return ocl_tflite_signature_key(&session->file.model, index);
}

const ocl_metadata* ocl_session_metadata(const ocl_session* session) {
  return session->file.is_open && session->file.has_metadata ? &session->file.metadata : NULL;
}

ocl_status ocl_session_read_labels(ocl_session* session, char** text_out, size_t* size_bytes_out) {
  const ocl_metadata* metadata = ocl_session_metadata(session);
  const char* name = metadata == NULL ? NULL : ocl_metadata_find_label_file(metadata);
  session->detail.text[0] = '\0';
  return ocl_model_file_read(&session->file, name, text_out, size_bytes_out, &session->detail);
}

ocl_status ocl_session_read_calibration(ocl_session* session, char** text_out, size_t* size_bytes_out) {
  const ocl_metadata* metadata = ocl_session_metadata(session);
  const char* name = metadata == NULL ? NULL : ocl_metadata_get_scores(metadata).calibration_file;
  session->detail.text[0] = '\0';
  return ocl_model_file_read(&session->file, name, text_out, size_bytes_out, &session->detail);
}

ocl_status ocl_session_build_model(ocl_session* session, int32_t batch) {
  session->detail.text[0] = '\0';
  if (!session->file.is_open || batch < 1) return OCL_INVALID_ARGUMENT;
  drop_graph(session);
  return ocl_graph_create(&session->file.model, session->pool, batch, &session->graph, &session->detail);
}

ocl_status ocl_session_keep_columns(ocl_session* session, int32_t output, const int32_t* columns, int32_t num_columns,
                                    bool* is_done_out) {
  session->detail.text[0] = '\0';
  *is_done_out = false;
  if (!session->file.is_open || session->graph == NULL || output < 0 || output >= ocl_graph_num_outputs(session->graph))
    return OCL_INVALID_ARGUMENT;
  const ocl_status status = ocl_graph_keep_columns(session->graph, &session->file.model, output, columns, num_columns,
                                                   is_done_out, &session->detail);
  if (status == OCL_OK || status == OCL_INVALID_ARGUMENT) return status;
  *is_done_out = false;
  drop_graph(session);  // some of its convolutions have lost columns, others have not
  return status;
}

ocl_status ocl_session_close_model(ocl_session* session) {
  session->detail.text[0] = '\0';
  free_model(session);
  if (session->graph == NULL) return OCL_OK;
  OCL_TRY(ocl_graph_place(session->graph, &session->detail));
  session->is_placed = true;
  return OCL_OK;
}

ocl_status ocl_session_set_batch(ocl_session* session, int32_t batch) {
  session->detail.text[0] = '\0';
  if (session->graph == NULL) return OCL_INVALID_ARGUMENT;
  const ocl_status status = ocl_graph_set_batch(session->graph, batch, &session->detail);
  // Refused before anything was changed.
  if (status == OCL_INVALID_ARGUMENT || status == OCL_BATCH_NOT_FREE) return status;
  session->has_run = false;
  return status;
}

// ---- image -> tensor ----

void ocl_session_drop_image(ocl_session* session) {
  ocl_image_destroy(&session->image);
  session->whole_image = (ocl_roi){0};
}

static void replace_image(ocl_session* session, const ocl_image* image) {
  ocl_session_drop_image(session);
  session->image = *image;
  ocl_resize_upright_size(&image->pixels, &session->whole_image.width_px, &session->whole_image.height_px);
}

ocl_status ocl_session_decode(ocl_session* session, const uint8_t* bytes, size_t size_bytes,
                              const ocl_image_options* options, ocl_image_facts* facts_out) {
  session->detail.text[0] = '\0';
  ocl_image image;
  OCL_TRY(ocl_image_decode(bytes, size_bytes, options, &image, &session->detail));
  replace_image(session, &image);
  *facts_out = (ocl_image_facts){session->whole_image.width_px, session->whole_image.height_px, 0, image.is_truncated};
  return OCL_OK;
}

ocl_status ocl_session_set_pixels(ocl_session* session, const ocl_pixels* pixels) {
  session->detail.text[0] = '\0';
  OCL_TRY(ocl_resize_check_pixels(pixels, &session->detail));
  replace_image(session, &(ocl_image){.pixels = *pixels});
  return OCL_OK;
}

ocl_pixels ocl_session_pixels(const ocl_session* session) {
  return session->image.pixels;
}

ocl_status ocl_session_upright(ocl_session* session, int32_t background, uint8_t* rgb_out) {
  session->detail.text[0] = '\0';
  ocl_resize_target same = {.dtype = OCL_UINT8, .scale = {1, 1, 1}, .background = background};
  if (session->image.pixels.num_channels == 0) return OCL_INVALID_ARGUMENT;
  ocl_resize_upright_size(&session->image.pixels, &same.width, &same.height);
  OCL_TRY(ocl_image_reserve_scratch(&session->scratch, &same));
  return ocl_resize_to_tensor(&session->image.pixels, NULL, 0, &same, session->scratch.memory, rgb_out,
                              &session->detail);
}

// Takes the target's size and type, and where the image belongs, from input 0.
static ocl_status find_target(ocl_session* session, int32_t batch_index, ocl_resize_target* target, void** image_out) {
  session->detail.text[0] = '\0';
  if (session->graph == NULL || ocl_graph_num_inputs(session->graph) != 1) return OCL_INVALID_ARGUMENT;
  const ocl_graph_tensor tensor = ocl_graph_input(session->graph, 0);
  const int32_t* dims = tensor.shape.dims;
  if (tensor.data == NULL || tensor.shape.rank != 4 || dims[3] != 3 || batch_index < 0 || batch_index >= dims[0])
    return OCL_INVALID_ARGUMENT;
  target->height = dims[1], target->width = dims[2], target->dtype = tensor.dtype;
  *image_out = (uint8_t*)tensor.data + (size_t)batch_index * (tensor.size_bytes / (size_t)dims[0]);
  return ocl_image_reserve_scratch(&session->scratch, target);
}

ocl_status ocl_session_preprocess(ocl_session* session, const ocl_resize_target* target, const ocl_roi* roi,
                                  int32_t quarter_turns_clockwise, int32_t batch_index) {
  ocl_resize_target sized = *target;
  void* image;
  OCL_TRY(find_target(session, batch_index, &sized, &image));
  if (session->image.pixels.num_channels == 0) return OCL_INVALID_ARGUMENT;
  return ocl_resize_to_tensor(&session->image.pixels, roi, quarter_turns_clockwise, &sized, session->scratch.memory,
                              image, &session->detail);
}

ocl_status ocl_session_read(ocl_session* session, const uint8_t* bytes, size_t size_bytes,
                            const ocl_image_options* options, const ocl_resize_target* target, const ocl_roi* roi,
                            int32_t quarter_turns_clockwise, int32_t batch_index, ocl_image_facts* facts_out) {
  ocl_resize_target sized = *target;
  void* image;
  *facts_out = (ocl_image_facts){0};
  OCL_TRY(find_target(session, batch_index, &sized, &image));
  ocl_session_drop_image(session);
  OCL_TRY(ocl_image_to_tensor(bytes, size_bytes, options, roi, quarter_turns_clockwise, &sized, session->scratch.memory,
                              image, facts_out, &session->detail));
  session->whole_image = (ocl_roi){0, 0, facts_out->width_px, facts_out->height_px};
  return OCL_OK;
}

// ---- tensor -> heads ----

ocl_status ocl_session_run(ocl_session* session, double (*clock_us)(void)) {
  session->detail.text[0] = '\0';
  if (!session->is_placed) return OCL_INVALID_ARGUMENT;
  session->has_run = false;
  OCL_TRY(clock_us == NULL ? ocl_graph_run(session->graph) : ocl_graph_run_timed(session->graph, clock_us));
  session->has_run = true;
  return OCL_OK;
}

// ---- heads -> boxes ----

static bool is_head(const ocl_graph* graph, int32_t output, int32_t num_rows, int32_t num_columns) {
  if (output < 0 || output >= ocl_graph_num_outputs(graph)) return false;
  const ocl_graph_tensor tensor = ocl_graph_output(graph, output);
  const bool is_known = tensor.dtype == OCL_FLOAT32 || (tensor.scale > 0 && ocl_dtype_size_bytes(tensor.dtype) == 1);
  return is_known && (int64_t)ocl_shape_num_elements(&tensor.shape) == (int64_t)num_rows * num_columns;
}

static ocl_status check_heads(ocl_session* session, const raw_heads* heads) {
  if (is_head(session->graph, heads->boxes_output, heads->num_anchors, heads->num_box_columns) &&
      is_head(session->graph, heads->scores_output, heads->num_anchors, heads->num_columns))
    return OCL_OK;
  return ocl_status_with_detail(OCL_SSD_SHAPE_MISMATCH, &session->detail, "%d anchors, %d columns of scores",
                                (int)heads->num_anchors, (int)heads->num_columns);
}

// Memory for the reals of an 8-bit head, if it has none; a float head needs none.
static ocl_status reserve_reals(const ocl_session* session, int32_t output, float** reals_out) {
  const ocl_graph_tensor tensor = ocl_graph_output(session->graph, output);
  if (tensor.dtype == OCL_FLOAT32 || *reals_out != NULL) return OCL_OK;
  *reals_out = malloc(ocl_shape_num_elements(&tensor.shape) * sizeof(float));
  return *reals_out == NULL ? OCL_OUT_OF_MEMORY : OCL_OK;
}

// The network may have changed since use_heads: another batch, fewer columns, other outputs.
static ocl_status reserve_heads(ocl_session* session, raw_heads* heads) {
  OCL_TRY(check_heads(session, heads));
  OCL_TRY(reserve_reals(session, heads->boxes_output, &heads->real_boxes));
  return reserve_reals(session, heads->scores_output, &heads->real_scores);
}

static ocl_status make_heads(ocl_session* session, const ocl_ssd_config* config, raw_heads* heads) {
  OCL_TRY(reserve_heads(session, heads));
  return ocl_ssd_create(config, &heads->ssd);
}

ocl_status ocl_session_use_heads(ocl_session* session, int32_t boxes_output, int32_t scores_output,
                                 const ocl_ssd_config* config) {
  session->detail.text[0] = '\0';
  if (session->graph == NULL) return OCL_INVALID_ARGUMENT;
  if (config->num_other_columns < 0 || config->num_other_columns > INT32_MAX - 4) return OCL_INVALID_ARGUMENT;
  raw_heads heads = {.boxes_output = boxes_output,
                     .scores_output = scores_output,
                     .num_anchors = config->num_anchors,
                     .num_columns = config->num_columns,
                     .num_box_columns = 4 + config->num_other_columns};
  const ocl_status status = make_heads(session, config, &heads);
  if (status == OCL_OK) heads.num_classes = config->num_columns - (config->background_column == 0);
  drop_heads(status == OCL_OK ? &session->heads : &heads);
  if (status == OCL_OK) session->heads = heads;
  return status;
}

int32_t ocl_session_num_classes(const ocl_session* session) {
  ocl_graph_tensor tensors[4];
  int32_t num_classes;
  if (session->graph != NULL && ocl_graph_postprocess(session->graph, tensors, &num_classes)) return num_classes;
  return session->heads.num_classes;
}

// The tensor's numbers; those of an 8-bit one as reals, in `reals`.
static const float* reals_of(const ocl_graph_tensor* tensor, float* reals) {
  if (tensor->dtype == OCL_FLOAT32) return tensor->data;
  const size_t count = ocl_shape_num_elements(&tensor->shape);
  for (size_t i = 0; i < count; i++) {
    const int32_t stored =
        tensor->dtype == OCL_INT8 ? ((const int8_t*)tensor->data)[i] : ((const uint8_t*)tensor->data)[i];
    reals[i] = (float)(stored - tensor->zero_point) * tensor->scale;
  }
  return reals;
}

static ocl_status reserve_detections(ocl_session* session, int32_t count) {
  if (count <= session->detections_capacity) return OCL_OK;
  ocl_session_detection* detections = realloc(session->detections, (size_t)count * sizeof *detections);
  if (detections != NULL) session->detections = detections;
  ocl_resize_box* views = realloc(session->views, (size_t)count * sizeof *views);
  if (views != NULL) session->views = views;
  if (detections == NULL || views == NULL) return OCL_OUT_OF_MEMORY;
  session->detections_capacity = count;
  return OCL_OK;
}

static ocl_status set_detections(ocl_session* session, const ocl_ssd_detection* found, int32_t count,
                                 const ocl_ssd_options* options, const ocl_roi* roi, int32_t quarter_turns) {
  OCL_TRY(reserve_detections(session, options->max_total));
  for (int32_t i = 0; i < count; i++) {
    const ocl_resize_box view = {found[i].y_min, found[i].x_min, found[i].y_max, found[i].x_max};
    const ocl_resize_box px = ocl_resize_box_to_upright(view, roi, quarter_turns);
    session->views[i] = view;
    session->detections[i] = (ocl_session_detection){
        px.x_min, px.y_min, px.x_max - px.x_min, px.y_max - px.y_min, found[i].score, found[i].class_id};
  }
  session->num_detections = count;
  return OCL_OK;
}

static ocl_status detect_by_heads(ocl_session* session, const ocl_ssd_options* options, const ocl_roi* roi,
                                  int32_t quarter_turns) {
  raw_heads* heads = &session->heads;
  OCL_TRY(reserve_heads(session, heads));
  const ocl_graph_tensor boxes = ocl_graph_output(session->graph, heads->boxes_output);
  const ocl_graph_tensor scores = ocl_graph_output(session->graph, heads->scores_output);
  const ocl_ssd_detection* found;
  int32_t count = 0;
  OCL_TRY(ocl_ssd_detect(heads->ssd, reals_of(&boxes, heads->real_boxes), reals_of(&scores, heads->real_scores),
                         options, &found, &count));
  return set_detections(session, found, count, options, roi, quarter_turns);
}

static ocl_status detect_by_operator(ocl_session* session, const ocl_graph_tensor tensors[4], int32_t num_classes,
                                     const ocl_ssd_options* options, const ocl_roi* roi, int32_t quarter_turns) {
  const ocl_detection_rows rows = {tensors[0].data, tensors[1].data, tensors[2].data, tensors[1].shape.dims[1],
                                   num_classes};
  ocl_ssd_detection* found;
  int32_t count = 0;
  OCL_TRY(ocl_detection_rows_detect(&rows, options, &found, &count));
  const ocl_status status = set_detections(session, found, count, options, roi, quarter_turns);
  free(found);
  return status;
}

ocl_status ocl_session_detect(ocl_session* session, const ocl_ssd_options* options, const ocl_roi* roi,
                              int32_t quarter_turns, const ocl_session_detection** detections_out,
                              int32_t* num_detections_out) {
  session->detail.text[0] = '\0';
  *detections_out = NULL;
  *num_detections_out = 0;
  if (!session->has_run || (roi == NULL && session->whole_image.width_px == 0)) return OCL_INVALID_ARGUMENT;
  OCL_TRY(ocl_ssd_check_options(options));
  const ocl_roi seen = roi != NULL ? *roi : session->whole_image;
  ocl_graph_tensor tensors[4];
  int32_t num_classes;
  if (ocl_graph_postprocess(session->graph, tensors, &num_classes))
    OCL_TRY(detect_by_operator(session, tensors, num_classes, options, &seen, quarter_turns));
  else if (session->heads.ssd != NULL)
    OCL_TRY(detect_by_heads(session, options, &seen, quarter_turns));
  else
    return OCL_INVALID_ARGUMENT;
  *detections_out = session->detections;
  *num_detections_out = session->num_detections;
  return OCL_OK;
}

// ---- tensor -> features ----

static ocl_feature_map features_map(const ocl_session* session) {
  const ocl_graph_tensor tensor =
      session->features == CUT_FEATURES ? ocl_graph_output(session->graph, 0) : ocl_graph_kept(session->graph);
  return (ocl_feature_map){tensor.data, tensor.dtype, tensor.shape, tensor.scale, tensor.zero_point};
}

// Keeps the tensor in either case, to check it before the cut, which cannot be undone.
static ocl_status choose_features(ocl_session* session, int32_t step, bool is_cut) {
  OCL_TRY(ocl_graph_keep(session->graph, step, &session->detail));
  session->features = KEPT_FEATURES;
  const ocl_feature_map map = features_map(session);
  if (!ocl_feature_map_is_usable(&map, !is_cut)) return OCL_FEATURES_UNUSABLE;
  if (!is_cut) return OCL_OK;
  OCL_TRY(ocl_graph_cut_after(session->graph, step, &session->detail));
  session->features = CUT_FEATURES;
  return OCL_OK;
}

ocl_status ocl_session_use_features(ocl_session* session, int32_t step, bool is_cut) {
  session->detail.text[0] = '\0';
  if (session->graph == NULL || step < 0 || step >= ocl_graph_num_steps(session->graph)) return OCL_INVALID_ARGUMENT;
  const ocl_status status = choose_features(session, step, is_cut);
  session->has_run = false;
  if (status != OCL_OK) session->features = NO_FEATURES;
  return status;
}

int32_t ocl_session_features_length(const ocl_session* session) {
  if (session->features == NO_FEATURES) return 0;
  const ocl_feature_map map = features_map(session);
  return ocl_feature_map_length(&map);
}

ocl_status ocl_session_pool_image(ocl_session* session, int32_t batch_index, float* features_out) {
  session->detail.text[0] = '\0';
  if (!session->has_run || session->features == NO_FEATURES) return OCL_INVALID_ARGUMENT;
  const ocl_feature_map map = features_map(session);
  if (batch_index < 0 || batch_index >= map.shape.dims[0]) return OCL_INVALID_ARGUMENT;
  ocl_feature_map_pool(&map, batch_index, features_out);
  return OCL_OK;
}

ocl_status ocl_session_pool_boxes(ocl_session* session, int32_t num_detections, float* features_out) {
  session->detail.text[0] = '\0';
  if (!session->has_run || session->features != KEPT_FEATURES || num_detections != session->num_detections)
    return OCL_INVALID_ARGUMENT;
  const ocl_feature_map map = features_map(session);
  for (int32_t i = 0; i < num_detections; i++)
    ocl_feature_map_pool_box(&map, session->views[i], features_out + (size_t)i * (size_t)ocl_feature_map_length(&map));
  return OCL_OK;
}
