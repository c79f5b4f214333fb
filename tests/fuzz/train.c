// Networks in training: layers, an optimizer and batches of any kind.
#include <math.h>

#include "fuzz.h"
#include "train/trainer.h"

enum { MAX_LAYERS = 8 };
static const int32_t kMaxBytes = 1 << 22;

static int32_t any_layers(fuzz_bytes* b, ocl_layer* layers, int32_t channels) {
  const int32_t count = fuzz_range(b, 0, MAX_LAYERS);
  for (int32_t i = 0; i < count; i++) {
    const bool is_pointwise = fuzz_one_in(b, 2);
    if (is_pointwise) channels = fuzz_one_in(b, 40) ? (int32_t)fuzz_u32(b) : fuzz_range(b, 1, 12);
    layers[i] = (ocl_layer){.kind = is_pointwise ? OCL_POINTWISE : fuzz_below(b, OCL_NUM_LAYER_KINDS + 1),
                            .channels = channels,
                            .stride = fuzz_one_in(b, 30) ? (int32_t)fuzz_byte(b) - 128 : fuzz_range(b, 1, 2),
                            .norm = fuzz_below(b, OCL_NUM_NORMS),
                            .size = fuzz_one_in(b, 30) ? (int32_t)fuzz_byte(b) - 128 : 3 + 2 * fuzz_below(b, 2),
                            .activation = fuzz_below(b, OCL_NUM_LAYER_ACTIVATIONS + (int32_t)fuzz_one_in(b, 30)),
                            .factor = 1.0f / 6,
                            .added = fuzz_one_in(b, 3) ? fuzz_range(b, 0, i + 1) : -1,
                            .epsilon = 1e-3f,
                            .momentum = 0.99f};
  }
  return count;
}

static void fill_batch(fuzz_bytes* b, const ocl_trainer_buffers* buffers, const ocl_trainer_shape* shape,
                       int32_t rows) {
  uint32_t state = fuzz_byte(b) + 1;
  const size_t inputs = (size_t)rows * (size_t)shape->height * (size_t)shape->width * (size_t)shape->channels;
  for (size_t i = 0; i < inputs; i++) buffers->input[i] = fuzz_random_real(&state);
  for (int32_t i = 0; i < rows; i++)
    buffers->labels[i] = fuzz_one_in(b, 30) ? (int32_t)fuzz_u32(b)
                                            : fuzz_below(b, buffers->num_classes > 200 ? 200 : buffers->num_classes);
  for (int32_t i = 0; i < rows * buffers->num_classes; i++)
    buffers->targets[i] = (float)(i % buffers->num_classes == 0);
  for (int32_t i = 0; i < rows; i++) buffers->weights[i] = (float)fuzz_below(b, 3);
}

static void train(fuzz_bytes* b, ocl_trainer* trainer, const ocl_trainer_shape* shape) {
  const ocl_trainer_buffers buffers = ocl_trainer_get_buffers(trainer);
  uint32_t state = fuzz_byte(b) + 1;
  for (int32_t i = 0; i < buffers.num_parameters; i++) buffers.parameters[i] = 0.5f * fuzz_random_real(&state) + 0.5f;
  for (int32_t step = 1; step <= 3; step++) {
    const int32_t rows = fuzz_one_in(b, 12) ? fuzz_below(b, 12) : fuzz_range(b, 1, shape->max_rows);
    fill_batch(b, &buffers, shape, rows < 1 || rows > shape->max_rows ? shape->max_rows : rows);
    const ocl_trainer_batch batch = {.rows = rows,
                                     .has_targets = fuzz_one_in(b, 2),
                                     .has_weights = fuzz_one_in(b, 2),
                                     .label_smoothing = (float)fuzz_below(b, 3) / 10,
                                     .l2 = (float)fuzz_below(b, 2) / 100};
    ocl_trainer_result result;
    const ocl_status status = ocl_trainer_step(trainer, &batch, fuzz_one_in(b, 20) ? 0 : step, 0.01f, &result);
    FUZZ_CHECK(status == OCL_OK || status == OCL_INVALID_ARGUMENT, "%s", ocl_status_name(status));
    ocl_trainer_evaluate(trainer, &batch, &result);
    if (rows < 1 || rows > shape->max_rows || ocl_trainer_predict(trainer, rows) != OCL_OK) continue;
    for (int32_t row = 0; row < rows; row++) {
      float sum = 0;
      for (int32_t c = 0; c < buffers.num_classes; c++) sum += buffers.probabilities[row * buffers.num_classes + c];
      FUZZ_CHECK(!(fabsf(sum - 1) > 1e-3f), "probabilities that add up to %g", (double)sum);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size_bytes) {
  fuzz_bytes b = {bytes, size_bytes};
  ocl_layer layers[MAX_LAYERS];
  const ocl_trainer_shape shape = {.height = fuzz_one_in(&b, 60) ? (int32_t)fuzz_u32(&b) : fuzz_range(&b, 1, 9),
                                   .width = fuzz_one_in(&b, 60) ? (int32_t)fuzz_u32(&b) : fuzz_range(&b, 1, 9),
                                   .channels = fuzz_one_in(&b, 60) ? (int32_t)fuzz_u32(&b) : fuzz_range(&b, 1, 12),
                                   .max_rows = fuzz_one_in(&b, 60) ? (int32_t)fuzz_u32(&b) : fuzz_range(&b, 1, 6)};
  const int32_t num_layers = any_layers(&b, layers, shape.channels);
  const ocl_optimizer optimizer = {.kind = fuzz_below(&b, 4),
                                   .is_nesterov = fuzz_one_in(&b, 2),
                                   .is_amsgrad = fuzz_one_in(&b, 2),
                                   .is_centered = fuzz_one_in(&b, 2),
                                   .momentum = (double)fuzz_below(&b, 2) * 0.9,
                                   .beta_1 = 0.9,
                                   .beta_2 = 0.999,
                                   .epsilon = 1e-7,
                                   .weight_decay = (double)fuzz_below(&b, 2) * 0.01,
                                   .clip_norm = (double)fuzz_below(&b, 2)};
  ocl_trainer* trainer;
  if (ocl_trainer_create(layers, num_layers, shape, &optimizer, &trainer) != OCL_OK) return 0;
  const ocl_trainer_buffers buffers = ocl_trainer_get_buffers(trainer);
  const int64_t inputs = (int64_t)shape.height * shape.width * shape.channels * shape.max_rows;
  if (inputs * 4 <= kMaxBytes && buffers.num_parameters <= kMaxBytes / 4) train(&b, trainer, &shape);
  ocl_trainer_destroy(trainer);
  return 0;
}
