// The custom operator TFLite_Detection_PostProcess: box encodings [N,4], class scores [N,C], anchors [N,4] -> boxes
// [M,4] (y min, x min, y max, x max), classes [M] (without background, from 0), scores [M] and their count.
// Semantics of TFLite's detection_postprocess.cc; everything past the count is 0 (TFLite leaves it undefined).
#ifndef OCELLI_DETECTION_POSTPROCESS_H_
#define OCELLI_DETECTION_POSTPROCESS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef struct {
  int32_t max_detections, max_classes_per_detection, detections_per_class, num_classes;
  float score_threshold, iou_threshold;
  float box_scales[4];    // y, x, h, w
  bool use_regular_nms;   // per class, then the best of all; else one suppression on each anchor's best score
} ocl_detection_postprocess_params;

typedef struct ocl_detection_postprocess ocl_detection_postprocess;

// Reads the operator's custom options, a FlexBuffer map. MODEL_BAD_OPTION.
ocl_status ocl_detection_postprocess_read(const uint8_t* bytes, size_t size_bytes,
                                          ocl_detection_postprocess_params* params_out, ocl_detail* detail);
// Rows of its outputs, M.
int32_t ocl_detection_postprocess_rows(const ocl_detection_postprocess_params* params);

// `num_columns` of the class scores: num_classes, or more with the background first. MODEL_BAD_OPTION, OUT_OF_MEMORY.
ocl_status ocl_detection_postprocess_create(const ocl_detection_postprocess_params* params, int32_t num_anchors,
                                            int32_t num_columns, ocl_detection_postprocess** postprocess_out);
void ocl_detection_postprocess_destroy(ocl_detection_postprocess* postprocess);  // takes NULL

void ocl_detection_postprocess_run(ocl_detection_postprocess* postprocess, const float* box_encodings,
                                   const float* class_scores, const float* anchors, float* boxes_out,
                                   float* classes_out, float* scores_out, float* count_out);

#endif  // OCELLI_DETECTION_POSTPROCESS_H_
