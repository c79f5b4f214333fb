#include "detect/detection_rows.h"

#include <stdlib.h>

#include "detect/nms.h"

static float clip(float norm) {
  return norm > 0 ? (norm < 1 ? norm : 1) : 0;
}

static ocl_ssd_detection detection_of(const ocl_detection_rows* rows, int32_t row) {
  const float* box = &rows->boxes[4 * (size_t)row];
  return (ocl_ssd_detection){
      clip(box[0]), clip(box[1]), clip(box[2]), clip(box[3]), rows->scores[row], (int32_t)rows->classes[row], row};
}

// The rows past the operator's count are 0, and a score of 0 is above no threshold.
static bool passes(const ocl_detection_rows* rows, const ocl_ssd_options* options, int32_t row) {
  const float class_id = rows->classes[row];
  if (!(rows->scores[row] > options->score_threshold && class_id >= 0 && class_id < (float)rows->num_classes))
    return false;
  if (options->allowed_classes != NULL && !options->allowed_classes[(int32_t)class_id]) return false;
  const ocl_ssd_detection d = detection_of(rows, row);
  return (d.y_max - d.y_min) * (d.x_max - d.x_min) > 0;
}

ocl_status ocl_detection_rows_detect(const ocl_detection_rows* rows, const ocl_ssd_options* options,
                                     ocl_ssd_detection** detections_out, int32_t* num_detections_out) {
  const size_t num_rows = (size_t)rows->num_rows;
  ocl_ssd_detection* detections = malloc(num_rows * (sizeof *detections + 2 * sizeof(ocl_nms_candidate)));
  if (detections == NULL) return OCL_OUT_OF_MEMORY;
  ocl_nms_candidate *candidates = (ocl_nms_candidate*)(detections + num_rows), *selected = candidates + num_rows;
  int32_t num_candidates = 0;
  for (int32_t row = 0; row < rows->num_rows; row++)
    if (passes(rows, options, row)) candidates[num_candidates++] = (ocl_nms_candidate){rows->scores[row], row};
  const bool is_agnostic = options->is_class_agnostic;
  const int32_t count = ocl_nms_select(
      rows->boxes, is_agnostic ? NULL : rows->classes, options->iou_threshold, candidates, num_candidates,
      is_agnostic ? rows->num_rows : options->max_per_class, options->max_total, selected);
  for (int32_t i = 0; i < count; i++) detections[i] = detection_of(rows, selected[i].box_index);
  *detections_out = detections;
  *num_detections_out = count;
  return OCL_OK;
}
