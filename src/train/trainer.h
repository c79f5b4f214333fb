// A network in training: the last layers of a MobileNet, or its softmax head alone (one pointwise layer on 1x1 maps).
// Input rows [n, height, width, channels] -> logits; loss, gradients, optimizer step. Everything is allocated at
// create.
#ifndef OCELLI_TRAINER_H_
#define OCELLI_TRAINER_H_

#include <stdbool.h>

#include "train/head.h"
#include "train/network.h"

typedef struct {
  int32_t height, width, channels;  // of the input
  int32_t max_rows;                 // the largest batch
} ocl_trainer_shape;

// Where the caller writes and reads; valid until the trainer is destroyed. network.h gives the order of parameters.
typedef struct {
  float* input;          // [max_rows, height, width, channels]
  int32_t* labels;       // [max_rows]
  float* targets;        // [max_rows, classes]
  float* weights;        // [max_rows]
  float* parameters;     // [num_parameters], 0 at first
  float* gradients;      // [num_parameters], of the last step; 0 for what is not trained
  float* slots;          // [num_slots, num_parameters], see optimizer.h; 0 at first
  float* probabilities;  // [max_rows, classes], of the last call
  int32_t num_parameters, num_slots, num_classes;
} ocl_trainer_buffers;

typedef struct {
  int32_t rows;
  bool has_targets;  // use `targets`, not `labels`
  bool has_weights;
  float label_smoothing, l2;  // l2 * sum of squares of the last kernel joins the loss
} ocl_trainer_batch;

typedef struct {
  ocl_head_result head;
  double regularizer;
} ocl_trainer_result;

typedef struct ocl_trainer ocl_trainer;

// The layers are a chain: `from`, `shared` and `is_frozen` are not read. INVALID_ARGUMENT: the layers do not fit
// together, or a size is out of its range. OUT_OF_MEMORY. The functions below change nothing when they fail.
ocl_status ocl_trainer_create(const ocl_layer* layers, int32_t num_layers, ocl_trainer_shape shape,
                              const ocl_optimizer* optimizer, ocl_trainer** trainer_out);
void ocl_trainer_destroy(ocl_trainer* trainer);  // takes NULL
ocl_trainer_buffers ocl_trainer_get_buffers(const ocl_trainer* trainer);

// Inference: input -> probabilities. INVALID_ARGUMENT: `rows` is not 1 to max_rows.
ocl_status ocl_trainer_predict(ocl_trainer* trainer, int32_t rows);
// The same, with the loss. INVALID_ARGUMENT: rows or a label is out of its range.
ocl_status ocl_trainer_evaluate(ocl_trainer* trainer, const ocl_trainer_batch* batch, ocl_trainer_result* result_out);
// One optimizer step, number `step` from 1; the result is that of the parameters before the step. INVALID_ARGUMENT: as
// above, or `step` is below 1.
ocl_status ocl_trainer_step(ocl_trainer* trainer, const ocl_trainer_batch* batch, int32_t step, float learning_rate,
                            ocl_trainer_result* result_out);

#endif  // OCELLI_TRAINER_H_
