// Stage: boxes and the scores of one class -> those kept by non-maximum suppression; kept lists of classes -> one list.
// Boxes: float32 [N, 4] y_min, x_min, y_max, x_max, finite. Scores: never NaN.
// Semantics: TensorFlow's kernels/image/non_max_suppression_op.cc (hard suppression).
#ifndef OCELLI_NMS_H_
#define OCELLI_NMS_H_

#include <stdint.h>

typedef struct {
  float score;
  int32_t box_index;
} ocl_nms_candidate;

typedef struct {
  float score;
  int32_t box_index, class_id;
} ocl_nms_detection;

// Takes candidates in descending order of score (ties: lower box index first) and selects each whose intersection over
// union with all selected before is at most `iou_threshold` (>= 0); a box without area overlaps nothing. Writes up to
// `max_selected` to selected_out, in that order, and returns how many. Reorders and overwrites `candidates`
// [num_candidates]. Sorts only as many candidates as it reaches.
// `classes`: NULL, or those of the boxes: only boxes of one class suppress each other, and of each class up to
// `max_per_class` are selected.
int32_t ocl_nms_select(const float* boxes, const float* classes, float iou_threshold, ocl_nms_candidate* candidates,
                       int32_t num_candidates, int32_t max_per_class, int32_t max_selected,
                       ocl_nms_candidate* selected_out);

// Merges `selected` of class `class_id`, in ocl_nms_select()'s order, into `kept`, in descending order of score (ties:
// lower box index first, then lower class). Drops the last ones past `max_kept`. Returns the new number of
// kept detections.
int32_t ocl_nms_merge(ocl_nms_detection* kept, int32_t num_kept, int32_t max_kept, const ocl_nms_candidate* selected,
                      int32_t num_selected, int32_t class_id);

#endif  // OCELLI_NMS_H_
