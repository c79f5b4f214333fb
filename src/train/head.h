// Stage: logits [rows, classes] of a dense layer -> softmax, cross-entropy and its gradient, as Keras computes them:
// from the logits, so that nothing is clipped.
#ifndef OCELLI_HEAD_H_
#define OCELLI_HEAD_H_

#include <stdint.h>

// What the rows should be: `labels` (class numbers, sparse cross-entropy) or, if that is NULL, `targets`
// [rows, classes] (one-hot or any distribution). `weights` [rows] may be NULL: all 1.
typedef struct {
  int32_t rows, classes;
  const int32_t* labels;
  const float *targets, *weights;
  float label_smoothing;  // the target becomes target * (1 - s) + s / classes
} ocl_head_truth;

typedef struct {
  double loss;                         // sum of weight * row loss
  double weight, hits, weighted_hits;  // sums over the rows; a hit is the first maximum at the target's first maximum
} ocl_head_result;

// In place: logits -> probabilities.
void ocl_head_softmax(int32_t rows, int32_t classes, float* logits);

// Turns `logits` into probabilities as well. gradient_out [rows, classes], of the loss divided by `rows` with respect
// to the logits, may be NULL.
ocl_head_result ocl_head_loss(const ocl_head_truth* truth, float* logits, float* gradient_out);

#endif  // OCELLI_HEAD_H_
