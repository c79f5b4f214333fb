#include "train/ssd_loss.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "train/mining.h"

// One image of a batch.
typedef struct {
  const float *encodings, *logits;
  ocl_truth truth;
  const int32_t* classes;
} image;

static float class_weight_of(const ocl_ssd_loss* loss, const image* im, int32_t match) {
  if (match == OCL_IGNORED) return 0;
  return match == OCL_UNMATCHED ? loss->negative_weight : im->truth.weights[match];
}

// The column that should be 1; -1: none.
static int32_t column_of(const ocl_ssd_loss* loss, const image* im, int32_t match) {
  if (match < 0) return loss->has_background ? 0 : -1;
  return im->classes[match] + (loss->has_background ? 1 : 0);
}

// ---- classes: the loss of an anchor, and its gradient by the logits if gradient is not NULL

// Of a logit; one exponential serves all.
typedef struct {
  float share;    // its sigmoid
  float missing;  // 1 - the share of the target 0 or 1
  float entropy;  // -log of that share, without overflow
} logistic;

// The sigmoid of x, whose exp(-|x|) is `small`.
static float share_of(float x, float small) {
  return (x < 0 ? small : 1) / (1 + small);
}

static logistic logistic_of(float x, float target) {
  const float small = expf(-fabsf(x));
  const float share = share_of(x, small);
  return (logistic){share, target > 0 ? share_of(-x, small) : share, (x > 0 ? x : 0) - x * target + log1pf(small)};
}

static float sigmoid_loss(float x, float target, float* gradient) {
  const logistic l = logistic_of(x, target);
  if (gradient != NULL) *gradient = l.share - target;
  return l.entropy;
}

// powf() takes as long as the rest of the loss; 2 is the usual exponent.
static float power(float base, float exponent) {
  return exponent == 2 ? base * base : powf(base, exponent);
}

static float focal_loss(const ocl_ssd_loss* loss, float x, float target, float* gradient) {
  const logistic l = logistic_of(x, target);
  const float alpha = loss->alpha < 0 ? 1 : target > 0 ? loss->alpha : 1 - loss->alpha;
  const float factor = loss->gamma == 0 ? 1 : power(l.missing, loss->gamma);
  if (gradient != NULL) {
    // d missing / dx = missing * (1 - missing), with the sign of the target.
    const float slope = loss->gamma * factor * (1 - l.missing) * (target > 0 ? -1 : 1);
    *gradient = alpha * (factor * (l.share - target) + slope * l.entropy);
  }
  return alpha * factor * l.entropy;
}

static float softmax_loss(const ocl_ssd_loss* loss, int32_t columns, const float* logits, int32_t wanted,
                          float* gradient) {
  const float scale = loss->logit_scale;
  float maximum = logits[0] / scale, sum = 0;
  for (int32_t c = 1; c < columns; c++) maximum = logits[c] / scale > maximum ? logits[c] / scale : maximum;
  for (int32_t c = 0; c < columns; c++) sum += expf(logits[c] / scale - maximum);
  for (int32_t c = 0; gradient != NULL && c < columns; c++)
    gradient[c] = (wanted < 0 ? 0 : expf(logits[c] / scale - maximum) / sum - (float)(c == wanted)) / scale;
  return wanted < 0 ? 0 : logf(sum) - (logits[wanted] / scale - maximum);
}

static float class_loss(const ocl_ssd_loss* loss, int32_t columns, const float* logits, int32_t wanted,
                        float* gradient) {
  if (loss->class_loss == OCL_CLASS_SOFTMAX) return softmax_loss(loss, columns, logits, wanted, gradient);
  float sum = 0;
  for (int32_t c = 0; c < columns; c++) {
    float* to = gradient == NULL ? NULL : gradient + c;
    const float target = (float)(c == wanted);
    sum += loss->class_loss == OCL_CLASS_FOCAL ? focal_loss(loss, logits[c], target, to)
                                               : sigmoid_loss(logits[c], target, to);
  }
  return sum;
}

// ---- boxes

static float huber_loss(const ocl_ssd_loss* loss, const float encoding[4], const float target[4], float* gradient) {
  const float delta = loss->delta;
  float sum = 0;
  for (int i = 0; i < 4; i++) {
    const float error = encoding[i] - target[i], size = fabsf(error);
    const float linear = size > delta ? size - delta : 0, quadratic = size - linear;
    sum += 0.5F * quadratic * quadratic + delta * linear;
    if (gradient != NULL) gradient[i] = error < -delta ? -delta : error > delta ? delta : error;
  }
  return sum;
}

static float box_loss(const ocl_ssd_loss* loss, const image* im, int32_t match, const float encoding[4],
                      const float anchor[4], float* gradient) {
  if (match < 0) {
    if (gradient != NULL) memset(gradient, 0, 4 * sizeof *gradient);
    return 0;
  }
  float target[4];
  ocl_targets_encode(im->truth.boxes + 4 * (ptrdiff_t)match, anchor, loss->scales, target);
  return huber_loss(loss, encoding, target, gradient);
}

// ---- an image

static void scale(float* values, int32_t count, float factor) {
  for (int32_t i = 0; i < count; i++) values[i] = factor == 0 ? 0 : values[i] * factor;
}

// The losses of all anchors, and their gradients, before anything is chosen or normalized.
static void compute_anchors(const ocl_ssd_loss* loss, const ocl_ssd_batch* batch, const image* im,
                            const ocl_ssd_scratch* scratch, float* encoding_gradients, float* logit_gradients) {
  const int32_t columns = batch->num_columns;
  for (int32_t i = 0; i < batch->num_anchors; i++) {
    const int32_t match = scratch->matches[i];
    const float weight = class_weight_of(loss, im, match), box_weight = match < 0 ? 0 : im->truth.weights[match];
    float* by_encoding = encoding_gradients == NULL ? NULL : encoding_gradients + 4 * (ptrdiff_t)i;
    float* by_logit = logit_gradients == NULL ? NULL : logit_gradients + (ptrdiff_t)columns * i;
    const float* logits = im->logits + (ptrdiff_t)columns * i;
    scratch->class_losses[i] = class_loss(loss, columns, logits, column_of(loss, im, match), by_logit) * weight;
    scratch->box_losses[i] =
        box_loss(loss, im, match, im->encodings + 4 * (ptrdiff_t)i, batch->anchors + 4 * (ptrdiff_t)i, by_encoding) *
        box_weight;
    if (by_logit != NULL) scale(by_logit, columns, weight);
    if (by_encoding != NULL) scale(by_encoding, 4, box_weight);
  }
}

static void decode(const ocl_ssd_loss* loss, const ocl_ssd_batch* batch, const image* im, float* boxes_out) {
  for (int32_t i = 0; i < batch->num_anchors; i++) {
    const ptrdiff_t at = 4 * (ptrdiff_t)i;
    ocl_targets_decode(im->encodings + at, batch->anchors + at, loss->scales, boxes_out + at);
  }
}

static void match_image(const ocl_ssd_loss* loss, const ocl_ssd_batch* batch, const image* im,
                        const ocl_ssd_scratch* scratch) {
  if (loss->matches_predicted)
    decode(loss, batch, im, scratch->places);
  else
    for (int32_t i = 0; i < batch->num_anchors; i++)
      ocl_targets_corners(batch->anchors + 4 * (ptrdiff_t)i, scratch->places + 4 * (ptrdiff_t)i);
  ocl_targets_match(&loss->match, &im->truth, batch->num_anchors, scratch->places, scratch->matches);
}

static void choose_anchors(const ocl_ssd_loss* loss, const ocl_ssd_batch* batch, const image* im,
                           const ocl_ssd_scratch* scratch) {
  if (!loss->is_mined) {
    for (int32_t i = 0; i < batch->num_anchors; i++) scratch->is_chosen[i] = true;
    return;
  }
  if (loss->mine_iou < 1) decode(loss, batch, im, scratch->places);
  ocl_mining_choose(loss, batch->num_anchors, scratch);
}

// Adds the image's sums to the result; matches are in scratch.
static void add_image(const ocl_ssd_loss* loss, const ocl_ssd_batch* batch, const image* im,
                      const ocl_ssd_scratch* scratch, float* encoding_gradients, float* logit_gradients,
                      ocl_ssd_result* result) {
  compute_anchors(loss, batch, im, scratch, encoding_gradients, logit_gradients);
  choose_anchors(loss, batch, im, scratch);
  for (int32_t i = 0; i < batch->num_anchors; i++) {
    const int32_t match = scratch->matches[i];
    if (match >= 0) result->num_matches += (double)im->truth.weights[match];
    if (scratch->is_chosen[i]) {
      result->class_loss += (double)scratch->class_losses[i];
      result->box_loss += (double)scratch->box_losses[i];
      result->num_positives += match >= 0;
      continue;
    }
    if (logit_gradients != NULL) scale(logit_gradients + (ptrdiff_t)batch->num_columns * i, batch->num_columns, 0);
    if (encoding_gradients != NULL) scale(encoding_gradients + 4 * (ptrdiff_t)i, 4, 0);
  }
}

ocl_ssd_result ocl_ssd_loss_compute(const ocl_ssd_loss* loss, const ocl_ssd_batch* batch,
                                    const ocl_ssd_scratch* scratch, float* encoding_gradients_out,
                                    float* logit_gradients_out) {
  ocl_ssd_result result = {0};
  const ptrdiff_t encodings = 4 * (ptrdiff_t)batch->num_anchors;
  const ptrdiff_t logits = (ptrdiff_t)batch->num_columns * batch->num_anchors;
  ptrdiff_t first = 0;
  for (int32_t row = 0; row < batch->rows; row++) {
    const image im = {batch->encodings + encodings * row,
                      batch->logits + logits * row,
                      {batch->counts[row], batch->boxes + 4 * first, batch->weights + first},
                      batch->classes + first};
    match_image(loss, batch, &im, scratch);
    add_image(loss, batch, &im, scratch,
              encoding_gradients_out == NULL ? NULL : encoding_gradients_out + encodings * row,
              logit_gradients_out == NULL ? NULL : logit_gradients_out + logits * row, &result);
    first += batch->counts[row];
  }
  const double normalizer = loss->is_normalized && result.num_matches > 1 ? result.num_matches : 1;
  const double class_factor = (double)loss->class_weight / normalizer;
  const double box_factor = (double)loss->box_weight / (loss->is_divided_by_coder ? 4 * normalizer : normalizer);
  result.class_loss *= class_factor;
  result.box_loss *= box_factor;
  for (ptrdiff_t i = 0; logit_gradients_out != NULL && i < logits * batch->rows; i++)
    logit_gradients_out[i] *= (float)class_factor;
  for (ptrdiff_t i = 0; encoding_gradients_out != NULL && i < encodings * batch->rows; i++)
    encoding_gradients_out[i] *= (float)box_factor;
  return result;
}
