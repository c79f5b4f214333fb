// A network in training: the last layers of a MobileNet, or its softmax head alone (one pointwise layer on 1x1 maps).
// Input rows [n, height, width, channels] -> logits; loss, gradients, optimizer step. Everything is allocated at
// create.
#ifndef OCELLI_TRAINER_H_
#define OCELLI_TRAINER_H_

#include <stdbool.h>

#include "base/status.h"
#include "train/head.h"
#include "train/optimizer.h"

typedef enum { OCL_POINTWISE, OCL_DEPTHWISE, OCL_POOL, OCL_NUM_LAYER_KINDS } ocl_layer_kind;

// What follows the convolution. A bias is trained; frozen batch norm keeps gamma, beta and statistics; live batch norm
// normalizes with the batch's own, trains gamma and beta, and moves the statistics.
typedef enum { OCL_NORM_BIAS, OCL_NORM_FROZEN, OCL_NORM_LIVE, OCL_NUM_NORMS } ocl_layer_norm;

typedef struct {
  int32_t kind;      // ocl_layer_kind; depthwise is 3x3 with SAME padding; pool is global
  int32_t channels;  // of the output; only a pointwise layer may change their number
  int32_t stride;    // depthwise: 1 or 2
  int32_t norm;      // ocl_layer_norm; not for a pool
  int32_t is_relu6;
  int32_t added;  // the activation that is added to the result: 0 the input, i the output of layer i - 1; -1: none
  float epsilon, momentum;  // of batch norm
} ocl_layer;

enum { OCL_TRAINER_MAX_LAYERS = 64, OCL_TRAINER_MAX_SIZE = 1 << 16 };

typedef struct {
  int32_t height, width, channels;  // of the input
  int32_t max_rows;                 // the largest batch
} ocl_trainer_shape;

// Where the caller writes and reads; valid until the trainer is destroyed. Parameters are, layer by layer, the kernel
// (pointwise [in, out], depthwise [3, 3, channels]), then the bias, or gamma, beta, moving mean, moving variance.
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

// INVALID_ARGUMENT: the layers do not fit together, or a size is out of its range. OUT_OF_MEMORY. The functions below
// change nothing when they fail.
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
