// Stage: what TFLite_Detection_PostProcess returns (detection_postprocess.h) -> detections, best first. The operator
// has dropped boxes by the model's own limits; the options can drop more of them. Its fast variant returns the classes
// of a box one after the other, so that its rows are not in order.
#ifndef OCELLI_DETECTION_ROWS_H_
#define OCELLI_DETECTION_ROWS_H_

#include "detect/ssd.h"

typedef struct {
  const float *boxes, *classes, *scores;  // [num_rows, 4], [num_rows], [num_rows]
  int32_t num_rows, num_classes;          // at least 1; at most 2^26 rows
} ocl_detection_rows;

// Detections as ocl_ssd_detect() returns them, always clipped, with the row as their anchor. Boxes without area in
// [0, 1] are left out, and suppress none. *detections_out: the caller frees it. OUT_OF_MEMORY.
ocl_status ocl_detection_rows_detect(const ocl_detection_rows* rows, const ocl_ssd_options* options,
                                     ocl_ssd_detection** detections_out, int32_t* num_detections_out);

#endif  // OCELLI_DETECTION_ROWS_H_
