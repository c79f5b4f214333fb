// What the tests of ssd.c share: the default detector's anchors and settings.
#ifndef OCELLI_TESTS_SSD_CASES_H_
#define OCELLI_TESTS_SSD_CASES_H_

#include <stdbool.h>
#include <stdlib.h>

#include "check.h"
#include "detect/anchors.h"
#include "detect/ssd.h"

enum { NUM_ANCHORS = 1917 };

static const ocl_ssd_options kOptions = {
    .score_threshold = 1e-8f, .iou_threshold = 0.6f, .max_per_class = 100, .max_total = 100, .is_clipped = true};

static ocl_ssd_config config_of(int32_t num_anchors, int32_t num_columns, ocl_ssd_converter converter,
                                const float* anchors) {
  return (ocl_ssd_config){.num_anchors = num_anchors,
                          .num_columns = num_columns,
                          .background_column = 0,
                          .converter = converter,
                          .box_scales = {10, 10, 5, 5},
                          .anchors = anchors,
                          .max_total = 400};
}

// malloc'ed; caller frees.
static float* default_anchors(void) {
  static const float ratios[] = {1, 2, 0.5f, 3, 0.3333f};
  const ocl_anchors_ssd settings = {.num_layers = 6,
                                    .min_scale = 0.2f,
                                    .max_scale = 0.95f,
                                    .num_aspect_ratios = 5,
                                    .aspect_ratios = ratios,
                                    .interpolated_aspect_ratio = 1,
                                    .reduce_boxes_in_lowest_layer = true,
                                    .base_height = 1,
                                    .base_width = 1};
  const ocl_anchors_grid grid = {300, 300, 0, NULL};
  float* anchors = malloc(NUM_ANCHORS * 4 * sizeof *anchors);
  CHECK_STATUS(ocl_anchors_fill_ssd(&settings, &grid, anchors, NULL), OCL_OK);
  return anchors;
}

#endif  // OCELLI_TESTS_SSD_CASES_H_
