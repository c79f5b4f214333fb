// The exports of the training module: the functions of trainer.h and of ssd_trainer.h, for one trainer each, and that
// of backward.h. exports_train.txt lists all exports; wasm/train/trainer.js and wasm/compress/backward.js call them.
#include "tflite/weights.h"
#include "train/backward.h"
#include "train/ssd_trainer.h"
#include "train/trainer.h"

static ocl_trainer* trainer;

// The previous trainer has been closed.
ocl_status ocl_train_open(const ocl_layer* layers, int32_t num_layers, const ocl_trainer_shape* shape,
                          const ocl_optimizer* optimizer, ocl_trainer_buffers* buffers_out) {
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
  ocl_weights_halves_to_floats((size_t)count, halves, ocl_trainer_get_buffers(trainer).input);
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

static ocl_ssd_trainer* ssd;

// The previous one has been closed.
ocl_status ocl_train_ssd_open(const ocl_network_plan* network, const ocl_optimizer* optimizer, const ocl_ssd_plan* plan,
                              ocl_ssd_buffers* buffers_out) {
  OCL_TRY(ocl_ssd_trainer_create(network, optimizer, plan, &ssd));
  *buffers_out = ocl_ssd_trainer_get_buffers(ssd);
  return OCL_OK;
}
void ocl_train_ssd_close(void) {
  ocl_ssd_trainer_destroy(ssd);
  ssd = NULL;
}

// Converts an image's maps, one after the other, from float16 to float32, as row `row` of the next batch.
ocl_status ocl_train_ssd_widen(int32_t row, const uint16_t* halves) {
  size_t count = 0;
  float* to = ocl_ssd_trainer_map(ssd, 0, row, &count);
  if (to == NULL) return OCL_INVALID_ARGUMENT;
  for (int32_t map = 1; to != NULL; to = ocl_ssd_trainer_map(ssd, map++, row, &count)) {
    ocl_weights_halves_to_floats(count, halves, to);
    halves += count;
  }
  return OCL_OK;
}

// `step` >= 1: the number of the optimizer step to do. 0: evaluates without training.
ocl_status ocl_train_ssd_run(int32_t rows, float l2, int32_t step, float learning_rate,
                             ocl_ssd_trainer_result* result_out) {
  return ocl_ssd_trainer_run(ssd, rows, l2, step, learning_rate, result_out);
}
ocl_status ocl_train_ssd_predict(int32_t rows) {
  return ocl_ssd_trainer_predict(ssd, rows);
}

// The encodings of the last call -> ymin, xmin, ymax, xmax, in place.
void ocl_train_ssd_decode(int32_t rows, int32_t num_anchors, const float* anchors, const float* scales) {
  float* encoding = ocl_ssd_trainer_get_buffers(ssd).encodings;
  for (int32_t row = 0; row < rows; row++) {
    for (int32_t i = 0; i < num_anchors; i++, encoding += 4) {
      const float code[4] = {encoding[0], encoding[1], encoding[2], encoding[3]};
      ocl_targets_decode(code, anchors + 4 * (ptrdiff_t)i, scales, encoding);
    }
  }
}
