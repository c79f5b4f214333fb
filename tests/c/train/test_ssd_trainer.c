// The trainer of a detector: what it refuses, and gradients against differences of the loss.
#include "check.h"
#include "train/ssd_trainer.h"

enum { SIDE = 3, CHANNELS = 5, COLUMNS = 3, AT_PIXEL = 2, ANCHORS = SIDE * SIDE * AT_PIXEL };

static const ocl_map_shape kMap = {SIDE, SIDE, CHANNELS};
static float anchors[ANCHORS * 4];
static const ocl_ssd_heads kHeads = {1, 3};

static void make_anchors(void) {
  for (int32_t i = 0; i < ANCHORS; i++) {
    const int32_t pixel = i / AT_PIXEL;
    anchors[4 * i] = ((float)(pixel / SIDE) + 0.5F) / SIDE;
    anchors[4 * i + 1] = ((float)(pixel % SIDE) + 0.5F) / SIDE;
    anchors[4 * i + 2] = anchors[4 * i + 3] = i % AT_PIXEL == 0 ? 0.3F : 0.5F;
  }
}

// Separable heads; the depthwise layer of scores is that of boxes, and the last layers are 3x3 and 1x1.
static void make_layers(ocl_layer layers[4]) {
  layers[0] = (ocl_layer){.kind = OCL_DEPTHWISE,
                          .channels = CHANNELS,
                          .stride = 1,
                          .size = 3,
                          .activation = OCL_LAYER_RELU6,
                          .added = -1,
                          .shared = -1};
  layers[1] =
      (ocl_layer){.kind = OCL_CONV3, .channels = 4 * AT_PIXEL, .stride = 1, .added = -1, .from = 1, .shared = -1};
  layers[2] = (ocl_layer){
      .kind = OCL_DEPTHWISE, .channels = CHANNELS, .stride = 1, .size = 3, .activation = OCL_LAYER_RELU6, .added = -1};
  layers[3] = (ocl_layer){.kind = OCL_POINTWISE, .channels = COLUMNS * AT_PIXEL, .added = -1, .from = 3, .shared = -1};
}

static ocl_ssd_plan make_plan(void) {
  make_anchors();
  return (ocl_ssd_plan){.heads = &kHeads,
                        .num_heads = 1,
                        .anchors = anchors,
                        .num_anchors = ANCHORS,
                        .num_columns = COLUMNS,
                        .max_boxes = 4,
                        .loss = {.match = {0.5F, 0.4F, true, false},
                                 .scales = {10, 10, 5, 5},
                                 .class_loss = OCL_CLASS_FOCAL,
                                 .has_background = true,
                                 .alpha = 0.25F,
                                 .gamma = 2,
                                 .logit_scale = 1,
                                 .delta = 1,
                                 .negative_weight = 1,
                                 .class_weight = 1,
                                 .box_weight = 0.5F,
                                 .is_normalized = true}};
}

static ocl_status create(const ocl_layer* layers, const ocl_ssd_plan* plan, int32_t max_rows, ocl_ssd_trainer** out) {
  const ocl_network_plan network = {layers, 4, &kMap, 1, max_rows};
  return ocl_ssd_trainer_create(&network, &(ocl_optimizer){.kind = OCL_SGD}, plan, out);
}

static void plans_that_do_not_fit_are_refused(void) {
  ocl_layer layers[4];
  ocl_ssd_trainer* trainer;
  make_layers(layers);
  const ocl_ssd_plan good = make_plan();
  for (int i = 0; i < 12; i++) {
    ocl_ssd_plan plan = good;
    const ocl_ssd_heads crossed = {3, 1}, outside = {1, 4};
    if (i == 0) plan.num_anchors--;
    if (i == 1) plan.heads = &crossed;
    if (i == 2) plan.heads = &outside;
    if (i == 3) plan.num_columns = 1;
    if (i == 4) plan.loss.scales[2] = 0;
    if (i == 5) plan.loss.delta = 0;
    if (i == 6) plan.loss.class_loss = OCL_NUM_CLASS_LOSSES;
    if (i == 7) plan.loss.class_loss = OCL_CLASS_SOFTMAX, plan.loss.has_background = false;
    if (i == 8) plan.loss.match.unmatched_iou = 0.6F;
    if (i == 9) plan.max_boxes = -1;
    if (i == 10) plan.num_heads = 0;
    if (i == 11) plan.loss.mine_loss = -1;
    CHECK_STATUS(create(layers, &plan, 2, &trainer), OCL_INVALID_ARGUMENT);
    CHECK(trainer == NULL);
  }
  CHECK_STATUS(create(layers, &good, 0, &trainer), OCL_INVALID_ARGUMENT);
  layers[1].stride = 3;
  CHECK_STATUS(create(layers, &good, 2, &trainer), OCL_INVALID_ARGUMENT);
  layers[1].stride = 1, layers[2].shared = 1;  // another kind
  CHECK_STATUS(create(layers, &good, 2, &trainer), OCL_INVALID_ARGUMENT);
  layers[2].shared = 2;  // itself
  CHECK_STATUS(create(layers, &good, 2, &trainer), OCL_INVALID_ARGUMENT);
  layers[2].shared = 0, layers[3].from = 4;  // its own output
  CHECK_STATUS(create(layers, &good, 2, &trainer), OCL_INVALID_ARGUMENT);
  ocl_ssd_trainer_destroy(NULL);
}

// Two layers are the heads over and over: the network is small, its predictions are not.
static void predictions_that_need_too_much_memory_are_refused(void) {
  enum { MANY = OCL_NETWORK_MAX_LAYERS, MANY_COLUMNS = 1020, MANY_ANCHORS = MANY * SIDE * SIDE };
  static float many_anchors[4 * MANY_ANCHORS];
  static ocl_ssd_heads many[MANY];
  for (int i = 0; i < MANY; i++) many[i] = (ocl_ssd_heads){0, 1};
  const ocl_layer layers[2] = {
      {.kind = OCL_POINTWISE, .channels = 4, .added = -1, .shared = -1},
      {.kind = OCL_POINTWISE, .channels = MANY_COLUMNS, .added = -1, .shared = -1},
  };
  ocl_ssd_plan plan = make_plan();
  plan.heads = many, plan.num_heads = MANY;
  plan.anchors = many_anchors, plan.num_anchors = MANY_ANCHORS, plan.num_columns = MANY_COLUMNS;
  // Fewer than 2^27 numbers, and more.
  const int32_t rows[] = {2, (1 << 27) / (MANY_ANCHORS * (MANY_COLUMNS + 4)) + 1};
  for (int i = 0; i < 2; i++) {
    const ocl_network_plan network = {layers, 2, &kMap, 1, rows[i]};
    ocl_ssd_trainer* trainer;
    const ocl_status expected = i == 0 ? OCL_OK : OCL_OUT_OF_MEMORY;
    CHECK_STATUS(ocl_ssd_trainer_create(&network, &(ocl_optimizer){.kind = OCL_SGD}, &plan, &trainer), expected);
    ocl_ssd_trainer_destroy(trainer);
  }
}

// The numbers of layers and inputs, and every size, at their ends.
static void networks_out_of_range_are_refused(void) {
  static ocl_layer layers[OCL_NETWORK_MAX_LAYERS + 1];
  static ocl_map_shape inputs[OCL_NETWORK_MAX_INPUTS + 1];
  make_layers(layers);
  for (int32_t i = 0; i <= OCL_NETWORK_MAX_INPUTS; i++) inputs[i] = kMap;
  for (int32_t i = 4; i <= OCL_NETWORK_MAX_LAYERS; i++) layers[i] = layers[0];
  const ocl_ssd_plan plan = make_plan();
  const ocl_network_plan good = {layers, 4, inputs, 1, 2};
  for (int i = 0; i < 12; i++) {
    ocl_network_plan network = good;
    ocl_optimizer optimizer = {.kind = OCL_SGD};
    inputs[0] = kMap;
    if (i == 0) network.num_layers = 0;
    if (i == 1) network.num_layers = OCL_NETWORK_MAX_LAYERS + 1;
    if (i == 2) network.num_inputs = 0;
    if (i == 3) network.num_inputs = OCL_NETWORK_MAX_INPUTS + 1;
    if (i == 4) network.max_rows = 0;
    if (i == 5) network.max_rows = OCL_NETWORK_MAX_SIZE + 1;
    if (i == 6) inputs[0].height = 0;
    if (i == 7) inputs[0].width = 0;
    if (i == 8) inputs[0].channels = 0;
    if (i == 9) inputs[0].height = OCL_NETWORK_MAX_SIZE + 1;
    if (i == 10) optimizer.kind = OCL_RMSPROP + 1;
    if (i == 11) optimizer.kind = OCL_SGD - 1;
    ocl_ssd_trainer* trainer;
    CHECK_STATUS(ocl_ssd_trainer_create(&network, &optimizer, &plan, &trainer), OCL_INVALID_ARGUMENT);
    CHECK(trainer == NULL);
  }
}

static void fill(ocl_ssd_trainer* trainer, const ocl_ssd_buffers* b) {
  for (int32_t i = 0; i < b->num_parameters; i++) b->parameters[i] = 0.3F * sinf((float)(i * i % 97));
  for (int32_t row = 0; row < 2; row++) {
    size_t count = 0;
    float* map = ocl_ssd_trainer_map(trainer, 0, row, &count);
    CHECK(count == (size_t)b->row_length);
    for (size_t i = 0; i < count; i++) map[i] = 0.5F + 0.5F * cosf((float)(i * 7 + (size_t)row));
  }
  const float boxes[] = {0.1F, 0.1F, 0.4F, 0.45F, 0.5F, 0.4F, 0.9F, 1};
  memcpy(b->boxes, boxes, sizeof boxes);
  b->counts[0] = b->counts[1] = 1;
  b->classes[0] = 0, b->classes[1] = 1;
  b->weights[0] = 1, b->weights[1] = 0.5F;
}

static double loss_of(ocl_ssd_trainer* trainer) {
  ocl_ssd_trainer_result result = {0};
  CHECK_STATUS(ocl_ssd_trainer_run(trainer, 2, 0.01F, 0, 0, &result), OCL_OK);
  return result.loss.class_loss + result.loss.box_loss + result.regularizer;
}

static void batches_out_of_range_are_refused(void) {
  ocl_layer layers[4];
  ocl_ssd_trainer* trainer;
  make_layers(layers);
  const ocl_ssd_plan plan = make_plan();
  CHECK_STATUS(create(layers, &plan, 2, &trainer), OCL_OK);
  const ocl_ssd_buffers b = ocl_ssd_trainer_get_buffers(trainer);
  fill(trainer, &b);
  size_t count;
  ocl_ssd_trainer_result result;
  CHECK(ocl_ssd_trainer_map(trainer, 1, 0, &count) == NULL && ocl_ssd_trainer_map(trainer, 0, 2, &count) == NULL);
  CHECK_STATUS(ocl_ssd_trainer_run(trainer, 3, 0, 1, 0.1F, &result), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_ssd_trainer_run(trainer, 2, 0, -1, 0.1F, &result), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_ssd_trainer_predict(trainer, 0), OCL_INVALID_ARGUMENT);
  b.classes[1] = COLUMNS - 1;
  CHECK_STATUS(ocl_ssd_trainer_run(trainer, 2, 0, 1, 0.1F, &result), OCL_INVALID_ARGUMENT);
  b.classes[1] = 1, b.counts[1] = 4;
  CHECK_STATUS(ocl_ssd_trainer_run(trainer, 2, 0, 1, 0.1F, &result), OCL_INVALID_ARGUMENT);
  b.counts[0] = -1, b.counts[1] = 2;
  CHECK_STATUS(ocl_ssd_trainer_run(trainer, 2, 0, 1, 0.1F, &result), OCL_INVALID_ARGUMENT);
  b.counts[0] = b.counts[1] = 1;
  CHECK_STATUS(ocl_ssd_trainer_run(trainer, 2, 0, 1, 0.1F, &result), OCL_OK);
  ocl_ssd_trainer_destroy(trainer);
}

static void check_gradients(ocl_ssd_trainer* trainer) {
  const ocl_ssd_buffers b = ocl_ssd_trainer_get_buffers(trainer);
  fill(trainer, &b);
  ocl_ssd_trainer_result result;
  CHECK_STATUS(ocl_ssd_trainer_run(trainer, 2, 0.01F, 1, 0, &result), OCL_OK);  // learning rate 0
  for (int32_t i = 0; i < b.num_parameters; i++) {
    const float value = b.parameters[i], step = 2e-3F;
    b.parameters[i] = value + step;
    const double above = loss_of(trainer);
    b.parameters[i] = value - step;
    const double below = loss_of(trainer);
    b.parameters[i] = value;
    CHECK_NEAR((double)b.gradients[i], (above - below) / (2 * (double)step), 2e-3);
  }
}

static void gradients_match_differences_of_the_loss(void) {
  ocl_layer layers[4];
  ocl_ssd_trainer* trainer;
  make_layers(layers);
  const ocl_ssd_plan plan = make_plan();
  CHECK_STATUS(create(layers, &plan, 2, &trainer), OCL_OK);
  check_gradients(trainer);
  ocl_ssd_trainer_destroy(trainer);
}

// The map of the heads is that of a 3x3 layer of stride 2, and of a layer after it that adds it.
static void gradients_of_layers_before_the_heads_match_too(void) {
  enum { BODY = 2 };
  ocl_layer layers[BODY + 4];
  ocl_ssd_trainer* trainer;
  make_layers(layers + BODY);
  for (int i = BODY; i < BODY + 4; i++) {
    layers[i].from += BODY;
    if (layers[i].shared >= 0) layers[i].shared += BODY;
  }
  layers[0] = (ocl_layer){
      .kind = OCL_CONV3, .channels = CHANNELS, .stride = 2, .activation = OCL_LAYER_RELU6, .added = -1, .shared = -1};
  layers[1] = (ocl_layer){.kind = OCL_POINTWISE, .channels = CHANNELS, .added = 1, .from = 1, .shared = -1};
  ocl_ssd_plan plan = make_plan();
  plan.heads = &(ocl_ssd_heads){BODY + 1, BODY + 3};
  const ocl_map_shape input = {2 * SIDE, 2 * SIDE - 1, CHANNELS};
  const ocl_network_plan network = {layers, BODY + 4, &input, 1, 2};
  CHECK_STATUS(ocl_ssd_trainer_create(&network, &(ocl_optimizer){.kind = OCL_SGD}, &plan, &trainer), OCL_OK);
  check_gradients(trainer);
  ocl_ssd_trainer_destroy(trainer);
}

// What is predicted is what the loss was computed from.
static void predictions_are_those_of_a_run(void) {
  enum { MAX_LOGITS = 4096 };
  static float logits[MAX_LOGITS];
  ocl_layer layers[4];
  ocl_ssd_trainer* trainer;
  make_layers(layers);
  const ocl_ssd_plan plan = make_plan();
  CHECK_STATUS(create(layers, &plan, 2, &trainer), OCL_OK);
  const ocl_ssd_buffers b = ocl_ssd_trainer_get_buffers(trainer);
  const size_t size_bytes = (size_t)2 * (size_t)plan.num_anchors * COLUMNS * sizeof *logits;
  CHECK(size_bytes <= sizeof logits);
  fill(trainer, &b);
  loss_of(trainer);
  memcpy(logits, b.logits, size_bytes);
  memset(b.logits, 0, size_bytes);
  CHECK_STATUS(ocl_ssd_trainer_predict(trainer, 2), OCL_OK);
  CHECK(memcmp(logits, b.logits, size_bytes) == 0);
  ocl_ssd_trainer_destroy(trainer);
}

static void frozen_layers_stay(void) {
  ocl_layer layers[4];
  ocl_ssd_trainer* trainer;
  make_layers(layers);
  layers[0].is_frozen = layers[1].is_frozen = 1;
  const ocl_ssd_plan plan = make_plan();
  CHECK_STATUS(create(layers, &plan, 2, &trainer), OCL_OK);
  const ocl_ssd_buffers b = ocl_ssd_trainer_get_buffers(trainer);
  fill(trainer, &b);
  const int32_t frozen = 9 * CHANNELS + CHANNELS + 9 * CHANNELS * 4 * AT_PIXEL + 4 * AT_PIXEL;
  float* before = malloc((size_t)b.num_parameters * sizeof *before);
  memcpy(before, b.parameters, (size_t)b.num_parameters * sizeof *before);
  ocl_ssd_trainer_result result;
  CHECK_STATUS(ocl_ssd_trainer_run(trainer, 2, 0.01F, 1, 0.1F, &result), OCL_OK);
  CHECK(memcmp(before, b.parameters, (size_t)frozen * sizeof *before) == 0);
  for (int32_t i = frozen; i < b.num_parameters; i++) CHECK(before[i] != b.parameters[i]);
  free(before);
  ocl_ssd_trainer_destroy(trainer);
}

int main(void) {
  RUN(plans_that_do_not_fit_are_refused);
  RUN(predictions_that_need_too_much_memory_are_refused);
  RUN(networks_out_of_range_are_refused);
  RUN(batches_out_of_range_are_refused);
  RUN(gradients_match_differences_of_the_loss);
  RUN(gradients_of_layers_before_the_heads_match_too);
  RUN(predictions_are_those_of_a_run);
  RUN(frozen_layers_stay);
  return check_failed_tests;
}
