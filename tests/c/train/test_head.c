// Cross-entropy and its gradient against Keras' own on logits up to +-100 (tests/data/train).
#include "check.h"
#include "test_data.h"
#include "train/head.h"

enum { ROWS = 17, CLASSES = 4 };
static const int32_t kLabels[ROWS] = {0, 1, 2, 1, 1, 2, 3, 0, 0, 2, 1, 0, 2, 0, 1, 1, 0};

static void check_gradient(const char* name, const ocl_head_truth* truth) {
  char path[64];
  size_t size_bytes;
  snprintf(path, sizeof path, "train/xent_%s_from_logits_grad.bin", name);
  float* expected = (float*)(void*)data_read(path, &size_bytes);
  float* logits = (float*)(void*)data_read("train/xent_logits.bin", &size_bytes);
  float gradient[ROWS * CLASSES];
  ocl_head_loss(truth, logits, gradient);
  for (int32_t i = 0; i < ROWS * CLASSES; i++) CHECK_NEAR(gradient[i] * ROWS, expected[i], 1e-6);
  free(expected);
  free(logits);
}

static void gradients_are_keras_own(void) {
  float one_hot[ROWS * CLASSES] = {0};
  for (int32_t i = 0; i < ROWS; i++) one_hot[i * CLASSES + kLabels[i]] = 1;
  check_gradient("sparse", &(ocl_head_truth){.rows = ROWS, .classes = CLASSES, .labels = kLabels});
  check_gradient("onehot", &(ocl_head_truth){.rows = ROWS, .classes = CLASSES, .targets = one_hot});
  check_gradient("smooth",
                 &(ocl_head_truth){.rows = ROWS, .classes = CLASSES, .targets = one_hot, .label_smoothing = 0.1f});
}

// What no truth asks for adds nothing to the loss, though its logarithm is infinite.
static void logits_that_are_too_far_apart(void) {
  float logits[2] = {3e38F, -3e38F};
  const int32_t label = 0;
  const ocl_head_result result =
      ocl_head_loss(&(ocl_head_truth){.rows = 1, .classes = 2, .labels = &label}, logits, NULL);
  CHECK(result.loss == 0 && result.hits == 1 && logits[0] == 1 && logits[1] == 0);
}

static void nothing_is_clipped(void) {
  float logits[CLASSES] = {100, 0, -100, 0};
  const int32_t label = 2;
  const ocl_head_result result =
      ocl_head_loss(&(ocl_head_truth){.rows = 1, .classes = CLASSES, .labels = &label}, logits, NULL);
  CHECK_NEAR(result.loss, 200, 1e-4);
  CHECK(result.hits == 0);
  CHECK_NEAR(logits[0], 1, 0);
}

static void ties_go_to_the_first_class(void) {
  float logits[2 * CLASSES] = {0};
  const int32_t labels[] = {0, 1};
  const float weights[] = {0.5f, 3};
  const ocl_head_result result = ocl_head_loss(
      &(ocl_head_truth){.rows = 2, .classes = CLASSES, .labels = labels, .weights = weights}, logits, NULL);
  CHECK(result.hits == 1);
  CHECK_NEAR(result.weighted_hits, 0.5, 0);
  CHECK_NEAR(result.weight, 3.5, 0);
  CHECK_NEAR(result.loss, 3.5 * log(4), 1e-6);
}

// Of distributions, the largest share is what is wanted: in every row, whatever the rows before.
static void hits_of_distributions(void) {
  float logits[3 * CLASSES] = {0, 9, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0};
  const float targets[3 * CLASSES] = {0, 1, 0, 0, 0.1f, 0.2f, 0.3f, 0.4f, 0.2f, 0.5f, 0.3f, 0};
  const float weights[] = {1, 2, 4};
  const ocl_head_result result = ocl_head_loss(
      &(ocl_head_truth){.rows = 3, .classes = CLASSES, .targets = targets, .weights = weights}, logits, NULL);
  CHECK(result.hits == 2);
  CHECK_NEAR(result.weighted_hits, 3, 0);
  const double log_sum = log(exp(9) + 3);  // of every row
  CHECK_NEAR(result.loss, (log_sum - 9) + 2 * (log_sum - 0.4 * 9) + 4 * (log_sum - 0.2 * 9), 1e-4);
}

int main(void) {
  RUN(hits_of_distributions);
  RUN(gradients_are_keras_own);
  RUN(nothing_is_clipped);
  RUN(logits_that_are_too_far_apart);
  RUN(ties_go_to_the_first_class);
  return check_failed_tests;
}
