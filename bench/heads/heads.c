// Bench only: heads of 601 classes -> boxes, through detect/ssd.h. No network runs: bench/heads.js passes in stored
// heads.
#include <stdlib.h>

#include "detect/ssd.h"

void* ocl_heads_alloc(size_t size_bytes) {
  return malloc(size_bytes);
}

// `anchors` [num_anchors, 4] as in ssd.h. The scores are sigmoids; column 0 is the background. Returns NULL on failure.
ocl_ssd* ocl_heads_create(const float* anchors, int32_t num_anchors, int32_t num_columns) {
  const ocl_ssd_config config = {.num_anchors = num_anchors,
                                 .num_columns = num_columns,
                                 .background_column = 0,
                                 .converter = OCL_SSD_SIGMOID,
                                 .box_scales = {10, 10, 5, 5},
                                 .anchors = anchors,
                                 .max_total = 100};
  ocl_ssd* ssd;
  return ocl_ssd_create(&config, &ssd) == OCL_OK ? ssd : NULL;
}

// Returns the number of detections; -1 on failure.
int32_t ocl_heads_detect(ocl_ssd* ssd, const float* box_encodings, const float* logits, float score_threshold) {
  const ocl_ssd_options options = {.score_threshold = score_threshold,
                                   .iou_threshold = 0.6f,
                                   .max_per_class = 100,
                                   .max_total = 100,
                                   .is_clipped = true};
  const ocl_ssd_detection* detections;
  int32_t num_detections;
  const ocl_status status = ocl_ssd_detect(ssd, box_encodings, logits, &options, &detections, &num_detections);
  return status == OCL_OK ? num_detections : -1;
}
