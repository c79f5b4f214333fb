#include "train/targets.h"

#include <math.h>
#include <stddef.h>

// Of the API's box coder: keeps a size of 0 out of the logarithm.
static const float EPSILON = 1e-8F;

static float smaller(float a, float b) {
  return a < b ? a : b;
}
static float larger(float a, float b) {
  return a > b ? a : b;
}

static float area(const float box[4]) {
  return (box[2] - box[0]) * (box[3] - box[1]);
}

float ocl_targets_iou(const float a[4], const float b[4]) {
  const float height = larger(0, smaller(a[2], b[2]) - larger(a[0], b[0]));
  const float width = larger(0, smaller(a[3], b[3]) - larger(a[1], b[1]));
  const float intersection = height * width;
  return intersection == 0 ? 0 : intersection / (area(a) + area(b) - intersection);
}

void ocl_targets_corners(const float anchor[4], float corners_out[4]) {
  for (int d = 0; d < 2; d++) {
    const float half = anchor[2 + d] / 2;
    corners_out[d] = anchor[d] - half;
    corners_out[2 + d] = anchor[d] + half;
  }
}

static int32_t match_of(const ocl_match_options* options, int32_t best, float iou) {
  if (iou >= options->matched_iou) return best;
  const bool is_low = iou < options->unmatched_iou;
  return is_low == options->swaps_bands ? OCL_IGNORED : OCL_UNMATCHED;
}

static void match_anchors(const ocl_match_options* options, const ocl_truth* truth, int32_t num_anchors,
                          const float* places, int32_t* matches_out) {
  for (int32_t i = 0; i < num_anchors; i++) {
    float best_iou = -1;
    int32_t best = 0;
    for (int32_t box = 0; box < truth->count; box++) {
      const float iou = ocl_targets_iou(truth->boxes + 4 * (ptrdiff_t)box, places + 4 * (ptrdiff_t)i);
      if (iou > best_iou) best_iou = iou, best = box;
    }
    matches_out[i] = match_of(options, best, best_iou);
  }
}

static int32_t best_anchor(const float box[4], int32_t num_anchors, const float* places) {
  int32_t best = 0;
  float best_iou = -1;
  for (int32_t i = 0; i < num_anchors; i++) {
    const float iou = ocl_targets_iou(box, places + 4 * (ptrdiff_t)i);
    if (iou > best_iou) best_iou = iou, best = i;
  }
  return best;
}

void ocl_targets_match(const ocl_match_options* options, const ocl_truth* truth, int32_t num_anchors,
                       const float* places, int32_t* matches_out) {
  if (truth->count == 0) {
    for (int32_t i = 0; i < num_anchors; i++) matches_out[i] = OCL_UNMATCHED;
    return;
  }
  match_anchors(options, truth, num_anchors, places, matches_out);
  // From the last to the first: where two boxes want one anchor, the first has it.
  for (int32_t box = truth->count - 1; options->is_forced && box >= 0; box--) {
    if (truth->weights[box] <= 0) continue;
    matches_out[best_anchor(truth->boxes + 4 * (ptrdiff_t)box, num_anchors, places)] = box;
  }
}

void ocl_targets_encode(const float box[4], const float anchor[4], const float scales[4], float encoding_out[4]) {
  for (int d = 0; d < 2; d++) {
    const float size = box[2 + d] - box[d], anchor_size = anchor[2 + d] + EPSILON;
    encoding_out[d] = (box[d] + size / 2 - anchor[d]) / anchor_size * scales[d];
    encoding_out[2 + d] = logf((size + EPSILON) / anchor_size) * scales[2 + d];
  }
}

void ocl_targets_decode(const float encoding[4], const float anchor[4], const float scales[4], float box_out[4]) {
  for (int d = 0; d < 2; d++) {
    const float half = expf(encoding[2 + d] / scales[2 + d]) * anchor[2 + d] / 2;
    const float center = encoding[d] / scales[d] * anchor[2 + d] + anchor[d];
    box_out[d] = center - half;
    box_out[2 + d] = center + half;
  }
}
