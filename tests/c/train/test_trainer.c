// Against Keras' trajectories (tests/data/train): every optimizer on the small head, step by step, and the tail with
// frozen and live batch norm. tests/node/train/keras.test.js runs all cases, these among them, through the wasm.
#include "check.h"
#include "test_data.h"
#include "train/trainer.h"

static void* read_file(const char* name, const char* suffix) {
  char path[128];
  size_t size_bytes;
  snprintf(path, sizeof path, "train/%s%s.bin", name, suffix);
  return data_read(path, &size_bytes);
}

static double largest_difference(const float* a, const float* b, int32_t count) {
  double largest = 0;
  for (int32_t i = 0; i < count; i++) {
    const double difference = fabs((double)a[i] - (double)b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

// ---- the small head: 40 rows of 16 features, 3 classes, 10 epochs

enum { FEATURES = 16, CLASSES = 3, ROWS = 40, SMALL_PARAMETERS = FEATURES * CLASSES + CLASSES };

typedef struct {
  const char* name;
  int32_t batch;
  float rate, l2, label_smoothing;
  bool has_targets, has_class_weights, has_sample_weights;
  ocl_optimizer optimizer;
} small_case;

#define SGD(...) {.kind = OCL_SGD, __VA_ARGS__}
#define ADAM(...) {.kind = OCL_ADAM, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7, __VA_ARGS__}
#define RMSPROP(...) {.kind = OCL_RMSPROP, .beta_2 = 0.9, .epsilon = 1e-7, __VA_ARGS__}

static const small_case kSmall[] = {
    {.name = "small_sgd_b16", .batch = 16, .rate = 0.01f, .optimizer = SGD(.momentum = 0)},
    {.name = "small_sgd_b32", .batch = 32, .rate = 0.01f, .optimizer = SGD(.momentum = 0)},
    {.name = "small_sgdm_b16", .batch = 16, .rate = 0.01f, .optimizer = SGD(.momentum = 0.9)},
    {.name = "small_nesterov_b32", .batch = 32, .rate = 0.01f, .optimizer = SGD(.momentum = 0.9, .is_nesterov = 1)},
    {.name = "small_sgd_clipnorm_b16", .batch = 16, .rate = 0.1f, .optimizer = SGD(.clip_norm = 0.05)},
    {.name = "small_adam_b16", .batch = 16, .rate = 0.001f, .optimizer = ADAM(.is_amsgrad = 0)},
    {.name = "small_adam_amsgrad_b16", .batch = 16, .rate = 0.001f, .optimizer = ADAM(.is_amsgrad = 1)},
    {.name = "small_adamw_b16", .batch = 16, .rate = 0.001f, .optimizer = ADAM(.weight_decay = 0.004)},
    {.name = "small_rmsprop_b16", .batch = 16, .rate = 0.001f, .optimizer = RMSPROP(.momentum = 0)},
    {.name = "small_rmsprop_momentum_centered_b16",
     .batch = 16,
     .rate = 0.001f,
     .optimizer = RMSPROP(.momentum = 0.9, .is_centered = 1)},
    {.name = "small_adam_smooth_b16",
     .batch = 16,
     .rate = 0.001f,
     .label_smoothing = 0.1f,
     .has_targets = true,
     .optimizer = ADAM(.is_amsgrad = 0)},
    {.name = "small_sgdm_l2_b16", .batch = 16, .rate = 0.01f, .l2 = 1e-4f, .optimizer = SGD(.momentum = 0.9)},
    {.name = "small_sgdm_weights_b20",
     .batch = 20,
     .rate = 0.01f,
     .has_class_weights = true,
     .has_sample_weights = true,
     .optimizer = SGD(.momentum = 0.9)},
};

static void fill_batch(const ocl_trainer_buffers* b, const small_case* is, const uint8_t* features,
                       const uint16_t* labels, const float* sample_weights, int32_t rows) {
  static const float class_weights[CLASSES] = {0.5f, 1, 2};
  for (int32_t i = 0; i < rows * FEATURES; i++) b->input[i] = (float)features[i] / 64;
  memset(b->targets, 0, (size_t)(rows * CLASSES) * sizeof *b->targets);
  for (int32_t i = 0; i < rows; i++) {
    b->labels[i] = labels[i];
    b->targets[i * CLASSES + labels[i]] = 1;
    b->weights[i] = is->has_class_weights ? class_weights[labels[i]] * sample_weights[i] : 1;
  }
}

static void check_small(const small_case* is) {
  uint8_t* features = read_file("small", "_features");
  uint16_t* labels = read_file("small", "_labels");
  float *kernel = read_file("small", "_kernel0"), *sample_weights = read_file("small", "_sample_weight");
  float *params = read_file(is->name, "_params"), *gradients = read_file(is->name, "_grads");
  const ocl_layer dense = {.kind = OCL_POINTWISE, .channels = CLASSES, .added = -1};
  ocl_trainer* trainer;
  CHECK_STATUS(ocl_trainer_create(&dense, 1, (ocl_trainer_shape){1, 1, FEATURES, is->batch}, &is->optimizer, &trainer),
               OCL_OK);
  const ocl_trainer_buffers b = ocl_trainer_get_buffers(trainer);
  memcpy(b.parameters, kernel, FEATURES * CLASSES * sizeof(float));
  int32_t step = 0;
  for (int32_t epoch = 0; epoch < 10; epoch++) {
    for (int32_t first = 0; first < ROWS; first += is->batch, step++) {
      const int32_t rows = ROWS - first < is->batch ? ROWS - first : is->batch;
      const ocl_trainer_batch batch = {rows, is->has_targets, is->has_class_weights, is->label_smoothing, is->l2};
      ocl_trainer_result result;
      fill_batch(&b, is, features + first * FEATURES, labels + first, sample_weights + first, rows);
      CHECK_STATUS(ocl_trainer_step(trainer, &batch, step + 1, is->rate, &result), OCL_OK);
      if (is->optimizer.clip_norm == 0)
        CHECK_NEAR(largest_difference(b.gradients, gradients + step * SMALL_PARAMETERS, SMALL_PARAMETERS), 0, 5e-7);
      CHECK_NEAR(largest_difference(b.parameters, params + step * SMALL_PARAMETERS, SMALL_PARAMETERS), 0, 2e-6);
    }
  }
  ocl_trainer_destroy(trainer);
  void* const all[] = {features, labels, kernel, sample_weights, params, gradients};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void the_small_head_follows_keras_step_by_step(void) {
  for (size_t i = 0; i < sizeof kSmall / sizeof *kSmall; i++) check_small(&kSmall[i]);
}

// ---- the tail: one inverted residual block, the last pointwise layer, pool, head

enum { LINEAR = OCL_LAYER_LINEAR, RELU6 = OCL_LAYER_RELU6 };
enum { TAIL_PARAMETERS = 10565, TAIL_ROW = 7 * 7 * 32, TAIL_CLASSES = 5 };

static ocl_layer tail_layer(ocl_layer_kind kind, int32_t channels, ocl_layer_norm norm, ocl_layer_activation activation,
                            int32_t added) {
  return (ocl_layer){.kind = kind,
                     .channels = channels,
                     .stride = 1,
                     .size = 3,
                     .norm = (int32_t)norm,
                     .activation = (int32_t)activation,
                     .factor = 1.0f / 6,
                     .added = added,
                     .epsilon = 1e-3f,
                     .momentum = 0.99f};
}

static void fill_tail(const ocl_trainer_buffers* b, const int8_t* features, const uint16_t* labels) {
  for (int32_t i = 0; i < 16 * TAIL_ROW; i++) b->input[i] = (float)features[i] / 32;
  for (int32_t i = 0; i < 16; i++) b->labels[i] = labels[i];
}

static void check_tail(const char* name, ocl_layer_norm norm) {
  int8_t* features = read_file("tail", "_features");
  uint16_t* labels = read_file("tail", "_labels");
  float *initial = read_file("tail", "_initial"), *final = read_file(name, "_final");
  float *gradients = read_file(name, "_grad0"), *probabilities = read_file(name, "_val_probs");
  const ocl_layer layers[] = {
      tail_layer(OCL_POINTWISE, 64, norm, RELU6, -1), tail_layer(OCL_DEPTHWISE, 64, norm, RELU6, -1),
      tail_layer(OCL_POINTWISE, 32, norm, LINEAR, 0), tail_layer(OCL_POINTWISE, 128, norm, RELU6, -1),
      tail_layer(OCL_POOL, 128, norm, LINEAR, -1),    tail_layer(OCL_POINTWISE, 5, OCL_NORM_BIAS, LINEAR, -1),
  };
  const ocl_optimizer sgd = SGD(.momentum = 0.9);
  ocl_trainer* trainer;
  CHECK_STATUS(ocl_trainer_create(layers, 6, (ocl_trainer_shape){7, 7, 32, 16}, &sgd, &trainer), OCL_OK);
  const ocl_trainer_buffers b = ocl_trainer_get_buffers(trainer);
  CHECK(b.num_parameters == TAIL_PARAMETERS && b.num_classes == TAIL_CLASSES);
  memcpy(b.parameters, initial, TAIL_PARAMETERS * sizeof(float));
  const ocl_trainer_batch batch = {.rows = 16};
  ocl_trainer_result result;
  for (int32_t step = 0; step < 12; step++) {
    const int32_t first = step % 4 * 16;
    fill_tail(&b, features + first * TAIL_ROW, labels + first);
    CHECK_STATUS(ocl_trainer_step(trainer, &batch, step + 1, 0.005f, &result), OCL_OK);
    if (step == 0) CHECK_NEAR(largest_difference(b.gradients, gradients, TAIL_PARAMETERS), 0, 1e-6);
  }
  CHECK_NEAR(largest_difference(b.parameters, final, TAIL_PARAMETERS), 0, 1e-5);
  fill_tail(&b, features + 64 * TAIL_ROW, labels + 64);
  CHECK_STATUS(ocl_trainer_predict(trainer, 16), OCL_OK);
  CHECK_NEAR(largest_difference(b.probabilities, probabilities, 16 * TAIL_CLASSES), 0, 2e-6);
  ocl_trainer_destroy(trainer);
  void* const all[] = {features, labels, initial, final, gradients, probabilities};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void the_tail_follows_keras_with_frozen_batch_norm(void) {
  check_tail("tail_bn_frozen", OCL_NORM_FROZEN);
}
static void the_tail_follows_keras_with_live_batch_norm(void) {
  check_tail("tail_bn_training", OCL_NORM_LIVE);
}

// ---- a loss of every parameter: numerical against analytic gradients, for what the references leave out

enum { BATCH = 3, SIDE = 5, CHANNELS = 4 };

static float next_number(uint32_t* state, float divisor) {
  return (float)((*state = *state * 1664525u + 1013904223u) >> 24) / divisor;
}

// frozen_variance: where that of the only layer with frozen batch norm begins; live: where the statistics of the only
// layer with live batch norm do. Returns the share of gradients that disagree.
static double count_disagreements(const ocl_layer* layers, int32_t num_layers, int32_t live, int32_t num_live,
                                  int32_t frozen_variance, int32_t num_frozen) {
  // A rate of 0: the parameters stay, the gradients are there to see.
  const ocl_optimizer sgd = SGD(.momentum = 0);
  ocl_trainer* trainer;
  const ocl_trainer_shape shape = {SIDE, SIDE, CHANNELS, BATCH};
  CHECK_STATUS(ocl_trainer_create(layers, num_layers, shape, &sgd, &trainer), OCL_OK);
  const ocl_trainer_buffers b = ocl_trainer_get_buffers(trainer);
  uint32_t state = 1;
  for (int32_t i = 0; i < BATCH * SIDE * SIDE * CHANNELS; i++) b.input[i] = next_number(&state, 64) - 2;
  for (int32_t i = 0; i < b.num_parameters; i++) b.parameters[i] = next_number(&state, 128) - 0.6f;
  for (int32_t i = 0; i < num_frozen; i++) b.parameters[frozen_variance + i] = 1;
  for (int32_t i = 0; i < BATCH; i++) b.labels[i] = i;
  float* analytic = malloc((size_t)b.num_parameters * sizeof *analytic);
  const ocl_trainer_batch batch = {.rows = BATCH, .l2 = 0.01f};
  ocl_trainer_result result;
  CHECK_STATUS(ocl_trainer_step(trainer, &batch, 1, 0, &result), OCL_OK);
  memcpy(analytic, b.gradients, (size_t)b.num_parameters * sizeof *analytic);
  int32_t disagreements = 0;
  for (int32_t i = 0; i < b.num_parameters; i++) {
    // Statistics and what belongs to frozen batch norm are not trained.
    if (i >= live && i < live + 2 * num_live) continue;
    if (i >= frozen_variance - 3 * num_frozen && i < frozen_variance + num_frozen) continue;
    const float value = b.parameters[i], nudge = 1.0f / 512;
    double losses[2];
    for (int32_t side = 0; side < 2; side++) {
      b.parameters[i] = value + (side == 0 ? -nudge : nudge);
      ocl_trainer_step(trainer, &batch, 1, 0, &result);
      losses[side] = result.head.loss / BATCH + result.regularizer;
    }
    b.parameters[i] = value;
    disagreements += !(fabs((losses[1] - losses[0]) / (2 * nudge) - analytic[i]) < 2e-3 + 0.02 * fabs(analytic[i]));
  }
  const double share = (double)disagreements / b.num_parameters;
  free(analytic);
  ocl_trainer_destroy(trainer);
  return share;
}

// Stride 2 and a folded kernel with its bias.
static void gradients_match_differences_of_the_loss(void) {
  const ocl_layer layers[] = {
      tail_layer(OCL_POINTWISE, 6, OCL_NORM_LIVE, RELU6, -1),
      {.kind = OCL_DEPTHWISE, .channels = 6, .stride = 2, .size = 3, .activation = RELU6, .added = -1},
      tail_layer(OCL_POINTWISE, 5, OCL_NORM_BIAS, LINEAR, -1),
      tail_layer(OCL_DEPTHWISE, 5, OCL_NORM_FROZEN, RELU6, -1),
      tail_layer(OCL_POOL, 5, OCL_NORM_BIAS, LINEAR, -1),
      tail_layer(OCL_POINTWISE, 3, OCL_NORM_BIAS, LINEAR, -1),
  };
  const int32_t frozen_variance = 24 + 24 + 54 + 6 + 30 + 5 + 45 + 15;
  // A kink of ReLU6 between the two points spoils the difference, at a few of them.
  CHECK(count_disagreements(layers, 6, 36, 6, frozen_variance, 5) <= 0.05);
}

// A block of an EfficientNet or a MobileNetV3: a gate from the mean of what it scales, 5x5 taps, and a skip connection.
static double check_block(ocl_layer_activation inner, ocl_layer_activation squeezed, ocl_layer_activation gate) {
  const ocl_layer layers[] = {
      tail_layer(OCL_POINTWISE, 6, OCL_NORM_LIVE, inner, -1),
      {.kind = OCL_DEPTHWISE, .channels = 6, .stride = 2, .size = 5, .activation = (int32_t)inner, .added = -1},
      tail_layer(OCL_POOL, 6, OCL_NORM_BIAS, LINEAR, -1),
      tail_layer(OCL_POINTWISE, 3, OCL_NORM_BIAS, squeezed, -1),
      tail_layer(OCL_POINTWISE, 6, OCL_NORM_BIAS, gate, -1),
      tail_layer(OCL_GATE, 6, OCL_NORM_BIAS, LINEAR, 2),
      tail_layer(OCL_POINTWISE, 6, OCL_NORM_FROZEN, LINEAR, 2),
      tail_layer(OCL_POOL, 6, OCL_NORM_BIAS, LINEAR, -1),
      tail_layer(OCL_POINTWISE, 3, OCL_NORM_BIAS, LINEAR, -1),
  };
  const int32_t frozen_variance = 24 + 24 + 150 + 6 + 18 + 3 + 18 + 6 + 36 + 18;
  return count_disagreements(layers, 9, 36, 6, frozen_variance, 6);
}

static void gradients_of_gates_match_differences_of_the_loss(void) {
  CHECK(check_block(OCL_LAYER_SWISH, OCL_LAYER_SWISH, OCL_LAYER_SIGMOID) == 0);
  CHECK(check_block(OCL_LAYER_HARD_SWISH, OCL_LAYER_RELU, OCL_LAYER_HARD_SIGMOID) <= 0.05);
  CHECK(check_block(OCL_LAYER_RELU, OCL_LAYER_RELU, OCL_LAYER_SIGMOID) <= 0.05);
}

// The gate of the network's own input: neither is trained, and what makes the gate is.
static void the_input_can_be_gated(void) {
  const ocl_layer layers[] = {
      tail_layer(OCL_POOL, 4, OCL_NORM_BIAS, LINEAR, -1),
      tail_layer(OCL_POINTWISE, 4, OCL_NORM_BIAS, OCL_LAYER_SIGMOID, -1),
      tail_layer(OCL_GATE, 4, OCL_NORM_BIAS, LINEAR, 0),
      tail_layer(OCL_POOL, 4, OCL_NORM_BIAS, LINEAR, -1),
      tail_layer(OCL_POINTWISE, 3, OCL_NORM_BIAS, LINEAR, -1),
  };
  CHECK(count_disagreements(layers, 5, 0, 0, 0, 0) == 0);
}

// ---- rejections

static ocl_status try_create(ocl_layer layer, ocl_trainer_shape shape) {
  const ocl_optimizer sgd = SGD(.momentum = 0);
  ocl_trainer* trainer;
  const ocl_status status = ocl_trainer_create(&layer, 1, shape, &sgd, &trainer);
  ocl_trainer_destroy(trainer);
  return status;
}

static void layers_that_do_not_fit_are_refused(void) {
  const ocl_layer dense = {.kind = OCL_POINTWISE, .channels = 2, .added = -1};
  const ocl_trainer_shape shape = {1, 1, 4, 2};
  ocl_layer layer = dense;
  CHECK_STATUS(try_create(layer, shape), OCL_OK);
  layer.kind = 7;
  CHECK_STATUS(try_create(layer, shape), OCL_INVALID_ARGUMENT);
  layer = dense;
  layer.activation = OCL_NUM_LAYER_ACTIVATIONS;
  CHECK_STATUS(try_create(layer, shape), OCL_INVALID_ARGUMENT);
  layer = (ocl_layer){.kind = OCL_DEPTHWISE, .channels = 4, .stride = 1, .size = 4, .added = -1};
  CHECK_STATUS(try_create(layer, shape), OCL_INVALID_ARGUMENT);
  layer = (ocl_layer){.kind = OCL_GATE, .channels = 4, .added = -1};  // of no map
  CHECK_STATUS(try_create(layer, shape), OCL_INVALID_ARGUMENT);
  layer.added = 0;
  CHECK_STATUS(try_create(layer, (ocl_trainer_shape){2, 2, 4, 2}), OCL_INVALID_ARGUMENT);  // the gate is a map
  layer = dense;
  layer.added = 0;  // 2 channels onto 4
  CHECK_STATUS(try_create(layer, shape), OCL_INVALID_ARGUMENT);
  layer.added = 1;  // itself
  CHECK_STATUS(try_create(layer, shape), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(try_create(dense, (ocl_trainer_shape){2, 2, 4, 2}), OCL_INVALID_ARGUMENT);  // not pooled
  CHECK_STATUS(try_create(dense, (ocl_trainer_shape){1, 1, 0, 2}), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(try_create(dense, (ocl_trainer_shape){1, 1, 1 << 16, 1 << 16}), OCL_OUT_OF_MEMORY);
  layer = dense;
  layer.channels = 1 << 16;
  CHECK_STATUS(try_create(layer, (ocl_trainer_shape){1, 1, 1 << 16, 1}), OCL_OUT_OF_MEMORY);
}

static void batches_out_of_range_are_refused(void) {
  const ocl_layer dense = {.kind = OCL_POINTWISE, .channels = 2, .added = -1};
  const ocl_optimizer sgd = SGD(.momentum = 0);
  ocl_trainer* trainer;
  CHECK_STATUS(ocl_trainer_create(&dense, 1, (ocl_trainer_shape){1, 1, 4, 2}, &sgd, &trainer), OCL_OK);
  ocl_trainer_result result = {.regularizer = 7};
  const ocl_trainer_buffers buffers = ocl_trainer_get_buffers(trainer);
  for (int32_t i = 0; i < 8; i++) buffers.input[i] = 1;
  ocl_trainer_batch batch = {.rows = 3};
  CHECK_STATUS(ocl_trainer_step(trainer, &batch, 1, 0.1f, &result), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_trainer_predict(trainer, 0), OCL_INVALID_ARGUMENT);
  batch.rows = 2;
  CHECK_STATUS(ocl_trainer_step(trainer, &batch, 0, 0.1f, &result), OCL_INVALID_ARGUMENT);
  buffers.labels[1] = 2;
  CHECK_STATUS(ocl_trainer_step(trainer, &batch, 1, 0.1f, &result), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_trainer_evaluate(trainer, &batch, &result), OCL_INVALID_ARGUMENT);
  CHECK(result.regularizer == 7);
  for (int32_t i = 0; i < buffers.num_parameters; i++) CHECK(buffers.parameters[i] == 0 && buffers.gradients[i] == 0);
  for (int32_t i = 0; i < 4; i++) CHECK(buffers.probabilities[i] == 0);
  buffers.labels[1] = 1;
  CHECK_STATUS(ocl_trainer_evaluate(trainer, &batch, &result), OCL_OK);
  CHECK_NEAR(result.head.loss, 2 * log(2), 1e-6);  // parameters of 0: even odds
  ocl_trainer_destroy(trainer);
}

// What a call does not use may still lie in the buffers from the call before.
static void a_call_uses_its_own_weights_and_targets_only(void) {
  const ocl_layer dense = {.kind = OCL_POINTWISE, .channels = 2, .added = -1};
  const ocl_optimizer sgd = SGD(.momentum = 0);
  ocl_trainer* trainer;
  CHECK_STATUS(ocl_trainer_create(&dense, 1, (ocl_trainer_shape){1, 1, 1, 2}, &sgd, &trainer), OCL_OK);
  const ocl_trainer_buffers b = ocl_trainer_get_buffers(trainer);
  b.input[0] = b.input[1] = 1;
  b.labels[0] = 0;
  b.labels[1] = 1;
  b.weights[0] = 3;
  b.weights[1] = 0;
  // Parameters of 0: each row's loss is log 2, and the gradient of a logit half the row's weight, over the rows.
  ocl_trainer_result result;
  CHECK_STATUS(ocl_trainer_step(trainer, &(ocl_trainer_batch){.rows = 2, .has_weights = true}, 1, 0, &result), OCL_OK);
  CHECK_NEAR(result.head.loss, 3 * log(2), 1e-6);
  CHECK_NEAR(result.head.weight, 3, 0);
  CHECK_NEAR((double)b.gradients[0], -0.75, 1e-6);
  CHECK_STATUS(ocl_trainer_step(trainer, &(ocl_trainer_batch){.rows = 2}, 1, 0, &result), OCL_OK);
  CHECK_NEAR(result.head.loss, 2 * log(2), 1e-6);
  CHECK_NEAR(result.head.weight, 2, 0);
  CHECK_NEAR((double)b.gradients[0], 0, 1e-6);
  b.targets[0] = b.targets[2] = 1;
  CHECK_STATUS(ocl_trainer_step(trainer, &(ocl_trainer_batch){.rows = 2, .has_targets = true}, 1, 0, &result), OCL_OK);
  CHECK_NEAR((double)b.gradients[0], -0.5, 1e-6);
  CHECK_STATUS(ocl_trainer_evaluate(trainer, &(ocl_trainer_batch){.rows = 2}, &result), OCL_OK);
  CHECK(result.head.hits == 1);  // even odds: the first class
  ocl_trainer_destroy(trainer);
}

int main(void) {
  RUN(a_call_uses_its_own_weights_and_targets_only);
  RUN(the_small_head_follows_keras_step_by_step);
  RUN(the_tail_follows_keras_with_frozen_batch_norm);
  RUN(the_tail_follows_keras_with_live_batch_norm);
  RUN(gradients_match_differences_of_the_loss);
  RUN(gradients_of_gates_match_differences_of_the_loss);
  RUN(the_input_can_be_gated);
  RUN(layers_that_do_not_fit_are_refused);
  RUN(batches_out_of_range_are_refused);
  return check_failed_tests;
}
