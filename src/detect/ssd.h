// Stage: raw heads (box encodings, class scores) + anchors -> detections, best first.
// Input shapes: box encodings [N, 4] (ty, tx, th, tw) or [N, 4 + keypoints], class scores [N, columns], anchors [N, 4]
// (y_center, x_center, height, width); float32. Output: a list of at most max_total boxes in [0, 1] of the network's
// input. Semantics: TensorFlow Object Detection API, box_coders/faster_rcnn_box_coder.py and core/post_processing.py
// (multiclass_non_max_suppression, class_agnostic_non_max_suppression). Suppression sees the boxes before clipping.
// A class score or box that is not finite is dropped, as if its score were below the threshold.
#ifndef OCELLI_SSD_H_
#define OCELLI_SSD_H_

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct ocl_ssd ocl_ssd;

enum { OCL_SSD_MAX_RESULTS = 10000 };  // the most detections that one call may ask for

// How class scores become probabilities.
typedef enum {
  OCL_SSD_SIGMOID,
  OCL_SSD_SOFTMAX,  // over all columns, the background included
  OCL_SSD_NONE,     // they are probabilities already
} ocl_ssd_converter;

typedef struct {
  int32_t num_anchors;        // N, at least 1
  int32_t num_columns;        // of the class scores
  int32_t background_column;  // 0, or -1: there is none. All other columns are classes, numbered from 0
  ocl_ssd_converter converter;
  float box_scales[4];        // of ty, tx, th, tw; above 0. 10, 10, 5, 5 in most models
  bool is_size_linear;        // sides are th, tw of the anchor's, not exp(th), exp(tw)
  bool is_x_first;            // encodings are tx, ty, tw, th
  int32_t num_other_columns;  // of the box encodings, after the first four: keypoints. Not read
  const float* anchors;       // [num_anchors, 4]; copied
  int32_t max_total;          // the most that any call will ask for; 1 to OCL_SSD_MAX_RESULTS
} ocl_ssd_config;

typedef struct {
  float score_threshold;           // 0 to 1; a detection's score is above it
  float iou_threshold;             // 0 to 1; two detections overlap no more than that
  int32_t max_per_class;           // at least 1; ignored if class-agnostic
  int32_t max_total;               // 1 to the config's
  bool is_class_agnostic;          // an anchor has its best allowed class, and boxes of all classes suppress each other
  bool is_clipped;                 // to [0, 1]; then boxes without area are dropped, and others move up to max_total
  const uint8_t* allowed_classes;  // [classes] 0: left out; NULL: all are looked for. Must outlive the call
} ocl_ssd_options;

typedef struct {
  float y_min, x_min, y_max, x_max;  // of the input's height and width
  float score;
  int32_t class_id;  // from 0, without background
  int32_t anchor_index;
} ocl_ssd_detection;

// Takes all memory that detection needs: 61 bytes for each anchor, 40 for each of max_total. INVALID_ARGUMENT: the
// config is out of its range, or an anchor is not finite. OUT_OF_MEMORY.
ocl_status ocl_ssd_create(const ocl_ssd_config* config, ocl_ssd** ssd_out);
void ocl_ssd_destroy(ocl_ssd* ssd);  // takes NULL

// `box_encodings` [N, 4] and `class_scores` [N, columns] as configured, in any alignment of float. *detections_out:
// borrowed until the next call; in descending order of score (ties: lower anchor first, then lower class).
// INVALID_ARGUMENT: an option is out of its range.
ocl_status ocl_ssd_detect(ocl_ssd* ssd, const float* box_encodings, const float* class_scores,
                          const ocl_ssd_options* options, const ocl_ssd_detection** detections_out,
                          int32_t* num_detections_out);

// INVALID_ARGUMENT: an option is out of its range, whatever the config is.
ocl_status ocl_ssd_check_options(const ocl_ssd_options* options);

#endif  // OCELLI_SSD_H_
