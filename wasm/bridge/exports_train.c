// The training module's exports: trainer.h for one trainer, flattened to numbers and addresses. With exports_train.txt,
// the list of its symbols, what exports.c is to the detector's module; wasm/train/trainer.js is its counterpart.
#include <malloc.h>
#include <stdlib.h>

#include "tflite/weights.h"
#include "train/trainer.h"

// Raise ABI when a layout or a signature changes.
enum { ABI = 1 };

_Static_assert(sizeof(ocl_layer) == 32, "trainer.js: LAYER_BYTES");
_Static_assert(sizeof(ocl_optimizer) == 80, "trainer.js: OPTIMIZER_KEYS");
_Static_assert(sizeof(ocl_trainer_buffers) == 44, "trainer.js: BUFFERS_BYTES");
_Static_assert(sizeof(ocl_trainer_result) == 40, "trainer.js: RESULT_BYTES");

static ocl_trainer* trainer;

ocl_status ocl_train_open(const ocl_layer* layers, int32_t num_layers, int32_t height, int32_t width, int32_t channels,
                          int32_t max_rows, const ocl_optimizer* optimizer) {
  ocl_trainer_destroy(trainer);
  const ocl_trainer_shape shape = {height, width, channels, max_rows};
  return ocl_trainer_create(layers, num_layers, shape, optimizer, &trainer);
}
void ocl_train_close(void) {
  ocl_trainer_destroy(trainer);
  trainer = NULL;
}

const ocl_trainer_buffers* ocl_train_buffers(void) {
  static ocl_trainer_buffers buffers;
  buffers = ocl_trainer_get_buffers(trainer);
  return &buffers;
}

// binary16 -> the input.
void ocl_train_widen(const uint16_t* halves, int32_t count) {
  float* input = ocl_trainer_get_buffers(trainer).input;
  for (int32_t i = 0; i < count; i++) input[i] = ocl_weights_half_to_float(halves[i]);
}

static ocl_trainer_result train_result;
const ocl_trainer_result* ocl_train_result(void) {
  return &train_result;
}

// `step` 0: evaluates only.
ocl_status ocl_train_run(int32_t rows, int32_t has_targets, int32_t has_weights, float label_smoothing, float l2,
                         int32_t step, float learning_rate) {
  const ocl_trainer_batch batch = {rows, has_targets != 0, has_weights != 0, label_smoothing, l2};
  return step == 0 ? ocl_trainer_evaluate(trainer, &batch, &train_result)
                   : ocl_trainer_step(trainer, &batch, step, learning_rate, &train_result);
}
ocl_status ocl_train_predict(int32_t rows) {
  return ocl_trainer_predict(trainer, rows);
}

int32_t ocl_train_abi(void) {
  return ABI;
}

void* ocl_alloc(size_t size_bytes) {
  return malloc(size_bytes);
}
void ocl_free(void* address) {
  free(address);
}
size_t ocl_live_bytes(void) {
  return (size_t)mallinfo().uordblks;
}

const char* ocl_status_text(int32_t status, int32_t what) {
  return what == 0 ? ocl_status_name((ocl_status)status) : ocl_status_message((ocl_status)status);
}
