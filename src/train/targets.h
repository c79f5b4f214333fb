// Stage: an image's true boxes and the anchors -> what each anchor should predict, as TensorFlow's Object Detection API
// assigns it: IoU similarity, ArgMaxMatcher, FasterRcnnBoxCoder.
#ifndef OCELLI_TARGETS_H_
#define OCELLI_TARGETS_H_

#include <stdbool.h>
#include <stdint.h>

// Instead of the number of a box.
enum { OCL_UNMATCHED = -1, OCL_IGNORED = -2 };

typedef struct {
  float matched_iou;    // an anchor matches its best box at this IoU or above
  float unmatched_iou;  // below it the anchor is background; between the two it is ignored
  bool is_forced;       // every box matches its best anchor, however small their IoU is
  bool swaps_bands;     // negatives_lower_than_unmatched = False: background between the two, ignored below
} ocl_match_options;

// What an image shows. Boxes are [count, 4]: ymin, xmin, ymax, xmax as shares of the image.
typedef struct {
  int32_t count;
  const float* boxes;
  const float* weights;  // [count]; a box of weight 0 is never forced on an anchor, and its anchors have no loss
} ocl_truth;

// places [num_anchors, 4]: ymin, xmin, ymax, xmax of each anchor, or of the box that it predicts. matches_out
// [num_anchors]: the box's number, or one of the two above. Of equal IoUs the first box or anchor wins.
void ocl_targets_match(const ocl_match_options* options, const ocl_truth* truth, int32_t num_anchors,
                       const float* places, int32_t* matches_out);

// An anchor (y center, x center, height, width) -> ymin, xmin, ymax, xmax.
void ocl_targets_corners(const float anchor[4], float corners_out[4]);
// A box as an anchor's encoding: ty, tx, th, tw, times the scales.
void ocl_targets_encode(const float box[4], const float anchor[4], const float scales[4], float encoding_out[4]);
// An encoding -> ymin, xmin, ymax, xmax.
void ocl_targets_decode(const float encoding[4], const float anchor[4], const float scales[4], float box_out[4]);

// Intersection over union; 0 if they do not intersect.
float ocl_targets_iou(const float a[4], const float b[4]);

#endif  // OCELLI_TARGETS_H_
