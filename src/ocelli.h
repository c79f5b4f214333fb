// ocelli: image bytes in, detections or raw tensors out.
//
//   ocl_session* session;
//   ocl_session_create(1, &session);
//   memcpy(ocl_session_reserve_model(session, size_bytes), bytes, size_bytes);
//   ocl_session_open_model(session);           // verified; metadata may be read now
//   ocl_session_build_model(session, 1);       // weights packed
//   ocl_session_close_model(session);          // the model's bytes are gone, the network can be run
//   ocl_session_set_detector(session, &detector);
//   ocl_session_decode(session, photo, photo_size_bytes, 1 << 24);
//   ocl_session_preprocess(session, &input, NULL, 0);
//   ocl_session_run(session);
//   ocl_session_detect(session, &options, &detections, &num_detections);
//   ocl_session_destroy(session);
//
// image -> tensor -> graph -> heads -> boxes. One session is one model; sessions share nothing. Every function may be
// called again after a failure, and a failed call leaves the session as it was. Not thread-safe: one caller at a time.
#ifndef OCELLI_OCELLI_H_
#define OCELLI_OCELLI_H_

#include "base/status.h"
#include "detect/ssd.h"
#include "graph/graph.h"
#include "image/resize.h"
#include "tflite/metadata.h"

typedef struct ocl_session ocl_session;

// `num_threads` 1, or more in the threaded variants (graph_threads.h says who provides the threads). OUT_OF_MEMORY,
// INVALID_ARGUMENT.
ocl_status ocl_session_create(int32_t num_threads, ocl_session** session_out);
void ocl_session_destroy(ocl_session* session);  // takes NULL
// What the last failed call could say beyond its status; "" if nothing. Borrowed until the next call.
const char* ocl_session_detail(const ocl_session* session);
// The pool that the host's threads work for; NULL with one thread.
ocl_thread_pool ocl_session_pool(const ocl_session* session);

// ---- model ----

// Memory for a model file of that size, which the caller fills; NULL: out of memory. Gives up a model that was there.
// Borrowed until ocl_session_close_model().
uint8_t* ocl_session_reserve_model(ocl_session* session, size_t size_bytes);
// Verifies the reserved bytes. MODEL_* (tflite.h).
ocl_status ocl_session_open_model(ocl_session* session);
// TFLite Metadata of the opened model, NULL if it has none. Borrowed until the model is closed.
const ocl_metadata* ocl_session_metadata(const ocl_session* session);
// The first label file of any output, inflated: text_out is NULL if there is none. Caller frees. BAD_METADATA,
// OUT_OF_MEMORY.
ocl_status ocl_session_read_labels(ocl_session* session, char** text_out, size_t* size_bytes_out);
// Builds the network. Statuses of ocl_graph_create().
ocl_status ocl_session_build_model(ocl_session* session, int32_t batch);
// Leaves some columns of an output; between build and close. Statuses of ocl_graph_keep_columns().
ocl_status ocl_session_keep_columns(ocl_session* session, int32_t output, const int32_t* columns, int32_t num_columns,
                                    bool* is_done_out);
// Frees the model's bytes, which the network does not need, and takes memory for its activations: it can be run now.
// OUT_OF_MEMORY.
ocl_status ocl_session_close_model(ocl_session* session);
// Plans the network for another batch. Statuses of ocl_graph_set_batch().
ocl_status ocl_session_set_batch(ocl_session* session, int32_t batch);
// The built network: tensors, steps, batch. Borrowed; NULL before it is built.
ocl_graph* ocl_session_graph(const ocl_session* session);

// ---- image -> tensor ----

// Decodes an image file; the session keeps its pixels until the next one. IMAGE_*, UNSUPPORTED_IMAGE_FORMAT.
ocl_status ocl_session_decode(ocl_session* session, const uint8_t* bytes, size_t size_bytes, int64_t max_pixels);
// Takes pixels as they are; `pixels->data` must outlive the next ocl_session_preprocess(). INVALID_PIXELS.
ocl_status ocl_session_set_pixels(ocl_session* session, const ocl_pixels* pixels);
// The present image; num_channels 0: none.
ocl_pixels ocl_session_pixels(const ocl_session* session);
void ocl_session_drop_image(ocl_session* session);
// Copies the present image to rgb_out [height_px, width_px, 3], upright; the caller's, of ocl_resize_upright_size().
ocl_status ocl_session_upright(ocl_session* session, uint8_t* rgb_out);
// Region `roi` (NULL: all) of the upright image, turned clockwise by quarters -> image `batch_index` of input tensor 0.
// `target`'s size and dtype are taken from the tensor. INVALID_ROI, INVALID_ARGUMENT (no image, or input 0 is not
// [N, H, W, 3]).
ocl_status ocl_session_preprocess(ocl_session* session, const ocl_resize_target* target, const ocl_roi* roi,
                                  int32_t quarter_turns_clockwise, int32_t batch_index);

// ---- tensor -> heads ----

// `clock_us`: NULL, or notes each step's time.
ocl_status ocl_session_run(ocl_session* session, double (*clock_us)(void));

// ---- heads -> boxes ----

typedef struct {
  float x_px, y_px, width_px, height_px;  // of the upright image
  float score;
  int32_t class_id;  // without background, from 0
} ocl_session_detection;

// Says which outputs of the network are its raw heads and what becomes of them. Not needed, and without effect, where
// the network has a post-processing operator of its own. SSD_SHAPE_MISMATCH: the outputs are not [.., N, 4] and
// [.., N, C] for the configured anchors and columns. INVALID_ARGUMENT, OUT_OF_MEMORY.
ocl_status ocl_session_use_heads(ocl_session* session, int32_t boxes_output, int32_t scores_output,
                                 const ocl_ssd_config* config);
// Classes without background; 0: neither heads nor a post-processing operator are there.
int32_t ocl_session_num_classes(const ocl_session* session);
// Detections of the last run, best first, in pixels of the upright image, of which the network saw `roi` turned by
// `quarter_turns_clockwise`. *detections_out is borrowed until the next call. INVALID_ARGUMENT, OUT_OF_MEMORY.
ocl_status ocl_session_detect(ocl_session* session, const ocl_ssd_options* options, const ocl_roi* roi,
                              int32_t quarter_turns_clockwise, const ocl_session_detection** detections_out,
                              int32_t* num_detections_out);

// ---- tensor -> features ----

// Says of what features are to be pooled: the output of operator `step`, which is kept beside the outputs or, if
// `is_cut`, is the last one that is run. Statuses of ocl_graph_keep() and ocl_graph_cut_after().
ocl_status ocl_session_use_features(ocl_session* session, int32_t step, bool is_cut);
// How long a vector is; 0: there is nothing to pool. INVALID_ARGUMENT.
int32_t ocl_session_features_length(const ocl_session* session);
// The features of image `batch_index` of the last run, the mean over the whole plane. features_out: the caller's, of
// the length above.
ocl_status ocl_session_pool_image(ocl_session* session, int32_t batch_index, float* features_out);
// The features of each detection of the last ocl_session_detect(), the mean under its box: [num_detections, length].
ocl_status ocl_session_pool_boxes(ocl_session* session, float* features_out);

#endif  // OCELLI_OCELLI_H_
