// Stage: TFLite's custom operator TFLite_Detection_PostProcess: raw heads + anchors -> detections, as a model has it.
// Input shapes: box encodings [1, N, 4] (ty, tx, th, tw), class scores [1, N, classes] or [1, N, 1 + classes] with the
// background first (probabilities), anchors [N, 4] (y_center, x_center, height, width); float32.
// Output shapes, with R rows: boxes [1, R, 4] (y_min, x_min, y_max, x_max; not clipped), classes [1, R] (from 0,
// without background), scores [1, R], count [1]; float32, every row that is not a detection's is zero. Semantics:
// tensorflow/lite/kernels/detection_postprocess.cc. Where that fails the whole run or leaves its result open: a box
// whose corners are not in order or not finite, or a score that is not finite, is no candidate; of equal scores the
// lower anchor comes first, then the lower class.
#ifndef OCELLI_DETECTION_POSTPROCESS_H_
#define OCELLI_DETECTION_POSTPROCESS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { OCL_DETECTION_POSTPROCESS_DEFAULT_DETECTIONS_PER_CLASS = 100 };

// The operator's custom options, by their names in the file, which they share but for the scales.
typedef struct {
  int32_t max_detections;             // at least 1
  int32_t max_classes_per_detection;  // at least 1; R = max_detections * max_classes_per_detection
  int32_t detections_per_class;       // at least 1; of the regular variant
  int32_t num_classes;                // at least 1, without background
  float nms_score_threshold;          // scores below it are no candidates
  float nms_iou_threshold;            // above 0, at most 1
  float box_scales[4];                // y_scale, x_scale, h_scale, w_scale; above 0
  // true: suppression in each class, then the best max_detections of all; one row each.
  // false ("fast"): suppression among the anchors by their best score, then max_classes_per_detection rows for each of
  // the anchors kept, its best classes; count is the number of anchors. Fewer classes than rows leave rows zero.
  bool use_regular_nms;
} ocl_detection_postprocess_params;

// Parameters that were found valid.
typedef struct ocl_detection_postprocess ocl_detection_postprocess;

// MODEL_BAD_OPTION: a parameter is out of its range, or R is too large; `detail` (may be NULL) names it. OUT_OF_MEMORY.
ocl_status ocl_detection_postprocess_create(const ocl_detection_postprocess_params* params,
                                            ocl_detection_postprocess** postprocess_out, ocl_detail* detail);
void ocl_detection_postprocess_destroy(ocl_detection_postprocess* postprocess);  // takes NULL

// R.
int32_t ocl_detection_postprocess_num_rows(const ocl_detection_postprocess* postprocess);

// The size of the scratch memory of a run with N = `num_anchors` and `num_columns` class scores each. MODEL_BAD_GRAPH:
// the columns are not the classes, nor one more, or N < 1. MODEL_TOO_LARGE. `detail` may be NULL.
ocl_status ocl_detection_postprocess_scratch_size(const ocl_detection_postprocess* postprocess, int32_t num_anchors,
                                                  int32_t num_columns, size_t* size_bytes_out, ocl_detail* detail);

// The most comparisons that a run makes, of boxes and of scores.
uint64_t ocl_detection_postprocess_count_comparisons(const ocl_detection_postprocess* postprocess, int32_t num_anchors);

// `num_anchors` and `num_columns`: as the scratch size was asked for. `scratch`: that many bytes of
// the caller's, aligned to 4; the run overwrites them. Outputs: the caller's arrays of the shapes above, written whole.
void ocl_detection_postprocess_run(const ocl_detection_postprocess* postprocess, int32_t num_anchors,
                                   int32_t num_columns, const float* box_encodings, const float* class_scores,
                                   const float* anchors, void* scratch, float* boxes_out, float* classes_out,
                                   float* scores_out, float* count_out);

#endif  // OCELLI_DETECTION_POSTPROCESS_H_
