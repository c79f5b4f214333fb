// The exports of the training module: the functions of trainer.h for a single trainer, and that of backward.h.
// exports_train.txt lists all exports; wasm/train/trainer.js and wasm/compress/backward.js call them.
#include "tflite/weights.h"
#include "train/backward.h"
#include "train/trainer.h"

static ocl_trainer* trainer;

// Destroys the previous trainer.
ocl_status ocl_train_open(const ocl_layer* layers, int32_t num_layers, const ocl_trainer_shape* shape,
                          const ocl_optimizer* optimizer, ocl_trainer_buffers* buffers_out) {
  ocl_trainer_destroy(trainer);
  OCL_TRY(ocl_trainer_create(layers, num_layers, *shape, optimizer, &trainer));
  *buffers_out = ocl_trainer_get_buffers(trainer);
  return OCL_OK;
}
void ocl_train_close(void) {
  ocl_trainer_destroy(trainer);
  trainer = NULL;
}

// Converts float16 values to float32 and writes them to the trainer's input.
void ocl_train_widen(const uint16_t* halves, int32_t count) {
  float* input = ocl_trainer_get_buffers(trainer).input;
  for (int32_t i = 0; i < count; i++) input[i] = ocl_weights_half_to_float(halves[i]);
}

// `step` >= 1: the number of the optimizer step to do. 0: evaluates without training.
ocl_status ocl_train_run(const ocl_trainer_batch* batch, int32_t step, float learning_rate,
                         ocl_trainer_result* result_out) {
  return step == 0 ? ocl_trainer_evaluate(trainer, batch, result_out)
                   : ocl_trainer_step(trainer, batch, step, learning_rate, result_out);
}
ocl_status ocl_train_predict(int32_t rows) {
  return ocl_trainer_predict(trainer, rows);
}

// As ocl_backward_run(). input_gradient_out: NULL if it is not wanted.
ocl_status ocl_train_backward(const ocl_window* window, const float* input, const float* kernel, const float* gradient,
                              double* squares_out, float* input_gradient_out) {
  return ocl_backward_run(window, input, kernel, gradient, squares_out, input_gradient_out);
}
