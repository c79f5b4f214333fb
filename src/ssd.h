// Stage: raw heads + anchors -> scored boxes. Box encodings [N,4], class scores [N,C], anchors [N,4], all float32.
// The Object Detection API's batch_multiclass_non_max_suppression: per class, what scores above the threshold, best
// first, on unclipped boxes; then all classes together, best first, clipped, boxes without area dropped.
#ifndef OCELLI_SSD_H_
#define OCELLI_SSD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boxes.h"
#include "status.h"

typedef struct ocl_ssd ocl_ssd;

typedef enum {
  OCL_SSD_SIGMOID,
  OCL_SSD_SOFTMAX,
  OCL_SSD_NO_CONVERTER,  // the class head gives probabilities
} ocl_ssd_converter;

typedef struct {
  int32_t num_anchors;
  int32_t num_columns;      // of the class head
  bool has_background;      // column 0 is the background; class 0 is column 1
  ocl_ssd_converter converter;
  float box_scales[4];      // ty, tx, th, tw
  const float* anchors;     // [num_anchors, 4], copied
} ocl_ssd_params;

typedef struct {
  float score_threshold;      // strictly above it
  float iou_threshold;        // suppressed if strictly above it
  int32_t max_per_class, max_total;
  bool is_class_agnostic;     // each anchor's best class only, and one suppression for all classes
  const uint8_t* class_mask;  // [classes without background], 0: left out; NULL: all
} ocl_ssd_options;

typedef struct {
  ocl_box box;  // [0,1] of the network's view, clipped
  float score;
  int32_t class_id;  // without background, from 0
  int32_t anchor;
} ocl_detection;

// INVALID_ARGUMENT, OUT_OF_MEMORY.
ocl_status ocl_ssd_create(const ocl_ssd_params* params, ocl_ssd** ssd_out);
void ocl_ssd_destroy(ocl_ssd* ssd);  // takes NULL
int32_t ocl_ssd_num_classes(const ocl_ssd* ssd);  // without background

// Best first; equal scores: lower class, then lower anchor. A NaN or a box that is not finite is left out.
// *detections_out is borrowed until the next call. OUT_OF_MEMORY.
ocl_status ocl_ssd_detect(ocl_ssd* ssd, const float* box_encodings, const float* class_scores,
                          const ocl_ssd_options* options, const ocl_detection** detections_out,
                          int32_t* num_detections_out);

#endif  // OCELLI_SSD_H_
