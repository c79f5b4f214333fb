// ocelli: image bytes in, detections or raw tensors out.
//
//   ocl_session* session;
//   ocl_session_create(1, &session);
//   memcpy(ocl_session_reserve_model(session, model_size_bytes), model, model_size_bytes);
//   ocl_session_open_model(session);      // verifies the file; its metadata can be read now
//   ocl_session_build_model(session, 1);  // packs the weights, for a batch of one image
//   ocl_session_close_model(session);     // frees the file's bytes; the network can run now
//   ocl_session_use_heads(session, boxes_output, scores_output, &config);
//
//   ocl_session_read(session, photo, photo_size_bytes, &image_options, &target, NULL, 0, 0, &facts);
//   ocl_session_run(session, NULL);
//   ocl_session_detect(session, &options, NULL, 0, &detections, &num_detections);
//   for (int32_t i = 0; i < num_detections; i++) show(&detections[i]);
//
//   ocl_session_destroy(session);
//
// (tests/c/example runs these lines. For brevity, they check no status.)
//
// image -> tensor -> graph -> heads -> boxes. One session holds one model; sessions do not affect each other. Not
// thread-safe: one call at a time, in all sessions together.
//
// Every function can be called again after a failure. A failed call leaves the session as it was, except for what its
// comment says that it drops. A call in the wrong order (run before close_model, detect before run) fails with
// INVALID_ARGUMENT.
#ifndef OCELLI_OCELLI_H_
#define OCELLI_OCELLI_H_

#include "base/status.h"
#include "detect/ssd.h"
#include "graph/graph.h"
#include "image/image.h"
#include "image/resize.h"
#include "tflite/metadata.h"

typedef struct ocl_session ocl_session;

// `num_threads`: 1, or more in the threaded variants (threads.h says who provides the threads). INVALID_ARGUMENT,
// OUT_OF_MEMORY.
ocl_status ocl_session_create(int32_t num_threads, ocl_session** session_out);
void ocl_session_destroy(ocl_session* session);  // takes NULL
// Details of the last failure beyond its status; "" if there are none. Borrowed until the next call.
const char* ocl_session_detail(const ocl_session* session);
// The pool that the host's threads work for; NULL with one thread.
ocl_thread_pool ocl_session_pool(const ocl_session* session);

// ---- model ----

// Memory for a model file of that size, which the caller fills; NULL: out of memory. Drops the model, its network and
// its heads first, also if it fails: there is seldom memory for two. Borrowed until ocl_session_close_model().
uint8_t* ocl_session_reserve_model(ocl_session* session, size_t size_bytes);
// Changes the size of that memory while the file arrives, if its size is not known before. The bytes in it stay, as
// many as fit. NULL: out of memory, and they are gone; or the model is open or built, and stays as it is.
uint8_t* ocl_session_resize_model(ocl_session* session, size_t size_bytes);
// Verifies the reserved bytes. MODEL_* (tflite.h), BAD_METADATA. After a failure the model is not open: nothing is read
// from it or built.
ocl_status ocl_session_open_model(ocl_session* session);
// The same for the subgraph of a signature, which the model runs instead of its first subgraph. NULL: as above.
// MODEL_NO_SIGNATURE.
ocl_status ocl_session_open_signature(ocl_session* session, const char* signature);
// The signatures of the opened model; 0: it is not open, or has none.
int32_t ocl_session_num_signatures(const ocl_session* session);
// The key of signature `index`, borrowed until the model is closed; NULL: there is no such signature.
const char* ocl_session_signature_key(const ocl_session* session, int32_t index);
// TFLite Metadata of the opened model; NULL if it has none. Borrowed until the model is closed.
const ocl_metadata* ocl_session_metadata(const ocl_session* session);
// The first label file of any output, inflated: *text_out is NULL if there is none. The caller frees it. BAD_METADATA,
// OUT_OF_MEMORY.
ocl_status ocl_session_read_labels(ocl_session* session, char** text_out, size_t* size_bytes_out);
// The same for the file that calibrates scores: CSV, a line for each class.
ocl_status ocl_session_read_calibration(ocl_session* session, char** text_out, size_t* size_bytes_out);
// Builds the network of the opened model. Statuses of ocl_graph_create(). Unless it fails with INVALID_ARGUMENT, it
// drops the network and the heads that were there.
ocl_status ocl_session_build_model(ocl_session* session, int32_t batch);
// Computes only some columns of an output. Call it once, after build_model and before close_model and use_heads. It
// reads the weights again: the model's bytes must still be those that build_model read.
// Statuses of ocl_graph_keep_columns(). Failures other than INVALID_ARGUMENT drop the network: build it again.
ocl_status ocl_session_keep_columns(ocl_session* session, int32_t output, const int32_t* columns, int32_t num_columns,
                                    bool* is_done_out);
// Frees the model's bytes, which the network does not need, and takes memory for its activations: it can run now.
// OUT_OF_MEMORY: the bytes are freed all the same, and the call can be repeated.
ocl_status ocl_session_close_model(ocl_session* session);
// Plans the network for another batch. Statuses of ocl_graph_set_batch(). Drops the outputs of the last run, unless it
// fails with INVALID_ARGUMENT or BATCH_NOT_FREE. After other failures the batch is as it was; if there is no memory
// even for that, `run` fails until the batch is set.
ocl_status ocl_session_set_batch(ocl_session* session, int32_t batch);
// The built network: tensors, steps, batch. Borrowed; NULL before it is built.
ocl_graph* ocl_session_graph(const ocl_session* session);

// ---- image -> tensor ----

// Decodes an image file and resizes it into image `batch_index` of input tensor 0, at once: the rows of a JPEG are
// never all in memory. Region `roi` (NULL: all) of the upright image, turned clockwise by quarters. `target`'s size and
// dtype are taken from the tensor. *facts_out is set as far as it is known, also after a failure. Drops the present
// image. IMAGE_*, UNSUPPORTED_IMAGE_FORMAT, INVALID_ROI, OUT_OF_MEMORY; INVALID_ARGUMENT: not one input of [N, H, W,
// 3].
ocl_status ocl_session_read(ocl_session* session, const uint8_t* bytes, size_t size_bytes,
                            const ocl_image_options* options, const ocl_resize_target* target, const ocl_roi* roi,
                            int32_t quarter_turns_clockwise, int32_t batch_index, ocl_image_facts* facts_out);
// Decodes an image file at full scale, which becomes the present image. Holds the image before it until the new one is
// decoded: ocl_session_drop_image() frees it earlier. *facts_out is left as it is after a failure.
// IMAGE_*, UNSUPPORTED_IMAGE_FORMAT, OUT_OF_MEMORY.
ocl_status ocl_session_decode(ocl_session* session, const uint8_t* bytes, size_t size_bytes,
                              const ocl_image_options* options, ocl_image_facts* facts_out);
// Makes pixels of the caller's the present image; `pixels->data` must outlive it. INVALID_PIXELS, INVALID_ARGUMENT.
ocl_status ocl_session_set_pixels(ocl_session* session, const ocl_pixels* pixels);
// The present image; num_channels 0: there is none.
ocl_pixels ocl_session_pixels(const ocl_session* session);
void ocl_session_drop_image(ocl_session* session);
// Copies the present image to rgb_out [height_px, width_px, 3], upright; the caller's, of ocl_resize_upright_size().
// `background`: as that of ocl_resize_target. INVALID_ARGUMENT: there is no image. OUT_OF_MEMORY.
ocl_status ocl_session_upright(ocl_session* session, int32_t background, uint8_t* rgb_out);
// As ocl_session_read() does, with the present image; INVALID_ARGUMENT also if there is none.
ocl_status ocl_session_preprocess(ocl_session* session, const ocl_resize_target* target, const ocl_roi* roi,
                                  int32_t quarter_turns_clockwise, int32_t batch_index);

// ---- tensor -> heads ----

// `clock_us`: NULL, or the clock for the time of each step, in microseconds. OUT_OF_MEMORY: the outputs of the last run
// are dropped.
ocl_status ocl_session_run(ocl_session* session, double (*clock_us)(void));

// ---- heads -> boxes ----

typedef struct {
  float x_px, y_px, width_px, height_px;  // of the upright image
  float score;
  int32_t class_id;  // without background, from 0
} ocl_session_detection;

// Sets which outputs of the network are its raw heads and how they become boxes. A network with a post-processing
// operator of its own needs no heads and ignores them. SSD_SHAPE_MISMATCH: the outputs are not [.., N, 4] and [.., N,
// C] for the configured anchors and columns. INVALID_ARGUMENT, OUT_OF_MEMORY.
ocl_status ocl_session_use_heads(ocl_session* session, int32_t boxes_output, int32_t scores_output,
                                 const ocl_ssd_config* config);
// Classes without background; 0: there are neither heads nor a post-processing operator.
int32_t ocl_session_num_classes(const ocl_session* session);
// Detections of the last run, best first, in pixels of the upright image. `roi` (NULL: all of the last image) and
// `quarter_turns_clockwise` as they were given to ocl_session_read() or ocl_session_preprocess(). *detections_out is
// borrowed until the next call. INVALID_ARGUMENT: also an option that is out of its range (ssd.h). SSD_SHAPE_MISMATCH:
// the outputs have other shapes than at use_heads. OUT_OF_MEMORY.
ocl_status ocl_session_detect(ocl_session* session, const ocl_ssd_options* options, const ocl_roi* roi,
                              int32_t quarter_turns_clockwise, const ocl_session_detection** detections_out,
                              int32_t* num_detections_out);

// ---- tensor -> features ----

// Sets which features are pooled: the output of operator `step`, which is kept beside the outputs or, if `is_cut`,
// becomes the only output, and no later step runs. Drops the outputs of the last run. Statuses of ocl_graph_keep() and
// ocl_graph_cut_after(); FEATURES_UNUSABLE: also if the output cannot be averaged. After a failure other than
// INVALID_ARGUMENT no features are chosen; after OUT_OF_MEMORY `run` fails until the batch is set.
ocl_status ocl_session_use_features(ocl_session* session, int32_t step, bool is_cut);
// Length of a feature vector; 0: no features are chosen.
int32_t ocl_session_features_length(const ocl_session* session);
// The features of image `batch_index` of the last run: the mean over the whole plane. features_out: the caller's, of
// the length above. INVALID_ARGUMENT.
ocl_status ocl_session_pool_image(ocl_session* session, int32_t batch_index, float* features_out);
// The features of each detection of the last ocl_session_detect(): the mean under its box. features_out: the caller's,
// of [num_detections, length]. INVALID_ARGUMENT: also if the features are the only output, or if the last detection
// found another number.
ocl_status ocl_session_pool_boxes(ocl_session* session, int32_t num_detections, float* features_out);

#endif  // OCELLI_OCELLI_H_
