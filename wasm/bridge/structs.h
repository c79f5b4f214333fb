// Structs that exports.c fills for JavaScript and that ocelli.h does not have. layout.c prints the layouts of these
// structs and of the library's structs that JavaScript reads or writes.
#ifndef OCELLI_STRUCTS_H_
#define OCELLI_STRUCTS_H_

#include "ocelli.h"

// TFLite Metadata of the model and of its first input.
typedef struct {
  const char *name, *description, *version, *author, *license;
  int32_t num_channels;  // values in `mean` and `std`. 1: the same for all channels; 0: no normalization
  float mean[OCL_METADATA_MAX_CHANNELS], std[OCL_METADATA_MAX_CHANNELS];
  bool has_threshold;
  float threshold, default_score;
  int32_t transform;  // ocl_metadata_score_transform
} ocl_bridge_metadata;

// The model's custom metadata about its heads.
typedef struct {
  const uint8_t* own;  // JSON of ocelli's converter, borrowed until the model is closed; NULL: none
  size_t own_size_bytes;
  float* anchors;  // [num_anchors, 4], caller frees; NULL: the file has no detector metadata
  int32_t num_anchors, num_classes;
  bool is_size_exponential, is_sigmoid;
  float box_scales[4];
} ocl_bridge_detector;

// Text that does not end in NUL.
typedef struct {
  char* bytes;  // caller frees; NULL: none
  size_t size_bytes;
} ocl_bridge_text;

typedef struct {
  const uint8_t* bytes;
  size_t size_bytes;
} ocl_bridge_file;

typedef struct {
  double max_pixels;
  int32_t allow_truncated, scale;  // scale: an ocl_image_scale
} ocl_bridge_image_options;

typedef struct {
  int32_t width_px, height_px;
} ocl_bridge_size;

typedef struct {
  float* anchors;  // [num_anchors, 4], caller frees
  int32_t num_anchors;
} ocl_bridge_anchors;

typedef struct {
  const ocl_session_detection* rows;  // borrowed until the next detection
  int32_t num_rows;
} ocl_bridge_detections;

#endif  // OCELLI_STRUCTS_H_
