#include "train/head.h"

#include <math.h>
#include <stddef.h>

static int32_t first_maximum(const float* values, int32_t count) {
  int32_t best = 0;
  for (int32_t i = 1; i < count; i++) {
    if (values[i] > values[best]) best = i;
  }
  return best;
}

// In place: logits -> logits less their maximum. Returns the sum of their exponentials.
static float shift(float* logits, int32_t classes) {
  const float maximum = logits[first_maximum(logits, classes)];
  float sum = 0;
  for (int32_t c = 0; c < classes; c++) {
    logits[c] -= maximum;
    sum += expf(logits[c]);
  }
  return sum;
}

void ocl_head_softmax(int32_t rows, int32_t classes, float* logits) {
  for (; rows-- > 0; logits += classes) {
    const float sum = shift(logits, classes);
    for (int32_t c = 0; c < classes; c++) logits[c] = expf(logits[c]) / sum;
  }
}

static float target_of(const ocl_head_truth* truth, int32_t row, int32_t c) {
  const float hard = truth->labels != NULL ? (float)(truth->labels[row] == c)
                                           : truth->targets[(size_t)row * (size_t)truth->classes + (size_t)c];
  return hard * (1 - truth->label_smoothing) + truth->label_smoothing / (float)truth->classes;
}

ocl_head_result ocl_head_loss(const ocl_head_truth* truth, float* logits, float* gradient_out) {
  ocl_head_result result = {0};
  const int32_t classes = truth->classes;
  for (int32_t row = 0; row < truth->rows; row++, logits += classes) {
    const float weight = truth->weights != NULL ? truth->weights[row] : 1;
    const int32_t wanted = truth->labels != NULL
                               ? truth->labels[row]
                               : first_maximum(truth->targets + (size_t)row * (size_t)classes, classes);
    const int32_t is_hit = first_maximum(logits, classes) == wanted;
    const float sum = shift(logits, classes);
    const float log_sum = logf(sum);
    float loss = 0;
    for (int32_t c = 0; c < classes; c++) {
      const float target = target_of(truth, row, c);
      if (target != 0) loss += target * (log_sum - logits[c]);
      logits[c] = expf(logits[c]) / sum;
      if (gradient_out != NULL) *gradient_out++ = (logits[c] - target) * (weight / (float)truth->rows);
    }
    result.loss += (double)(loss * weight);
    result.weight += (double)weight;
    result.hits += is_hit;
    result.weighted_hits += (double)(weight * (float)is_hit);
  }
  return result;
}
