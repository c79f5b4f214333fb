// A network in training: layers over one or several maps, forward and backward, and the optimizer's step. trainer.h
// puts a softmax on it, ssd_trainer.h the heads of a detector. Everything is allocated at create.
#ifndef OCELLI_TRAIN_NETWORK_H_
#define OCELLI_TRAIN_NETWORK_H_

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "train/activation.h"
#include "train/optimizer.h"

// conv3: 3x3 with SAME padding; depthwise: with SAME padding; pool: global average; gate: the map `added`
// times the input [1, 1, channels].
typedef enum { OCL_POINTWISE, OCL_DEPTHWISE, OCL_POOL, OCL_CONV3, OCL_GATE, OCL_NUM_LAYER_KINDS } ocl_layer_kind;

// What follows the convolution. A bias is trained; frozen batch norm keeps gamma, beta and statistics; live batch norm
// normalizes with the batch's own, trains gamma and beta, and moves the statistics.
typedef enum { OCL_NORM_BIAS, OCL_NORM_FROZEN, OCL_NORM_LIVE, OCL_NUM_NORMS } ocl_layer_norm;

// Activations are numbered: first the inputs, then the layers' outputs.
typedef struct {
  int32_t kind;             // ocl_layer_kind
  int32_t channels;         // of the output; only pointwise and conv3 layers may change their number
  int32_t stride;           // depthwise and conv3: 1 or 2
  int32_t size;             // of the kernel; depthwise: 3 or 5
  int32_t norm;             // ocl_layer_norm; not for a pool or a gate
  int32_t activation;       // ocl_layer_activation
  float factor;             // of a hard sigmoid, see activation.h
  int32_t added;            // the activation that is added to the result, or the gate's map; -1: none
  float epsilon, momentum;  // of batch norm
  int32_t from;             // the activation that is the layer's input
  int32_t shared;           // the earlier layer whose kernel, and bias, it uses; -1: none
  int32_t is_frozen;        // its parameters stay as they are
} ocl_layer;

enum { OCL_NETWORK_MAX_LAYERS = 128, OCL_NETWORK_MAX_INPUTS = 16, OCL_NETWORK_MAX_SIZE = 1 << 16 };

typedef struct {
  int32_t height, width, channels;
} ocl_map_shape;

typedef struct {
  const ocl_layer* layers;
  int32_t num_layers;
  const ocl_map_shape* inputs;
  int32_t num_inputs;
  int32_t max_rows;  // the largest batch
} ocl_network_plan;

typedef struct {
  ocl_map_shape shape;
  float *values, *gradient;  // [max_rows, height, width, channels]; no gradient for an input
} ocl_map;

typedef struct ocl_network_layer ocl_network_layer;

// Parameters are, layer by layer, the kernel (pointwise [in, out], depthwise [size, size, channels], conv3 [3, 3, in,
// out]), then the bias, or gamma, beta, moving mean, moving variance. A layer that shares them has none of its own.
typedef struct {
  int32_t num_layers, num_inputs, max_rows, num_activations, num_parameters, num_slots;
  ocl_network_layer* layers;
  ocl_map* activations;
  ocl_optimizer optimizer;
  float* parameters;  // 0 at first
  float* gradients;   // of the last step; 0 for what is not trained
  float* slots;       // [num_slots, num_parameters], see optimizer.h; 0 at first
  float *memory, *scratch, *columns, *scale;
  double* sums;
} ocl_network;

// INVALID_ARGUMENT: the layers do not fit together, or a size is out of its range. OUT_OF_MEMORY. After a failure only
// ocl_network_free() may be called.
ocl_status ocl_network_init(ocl_network* network, const ocl_network_plan* plan, const ocl_optimizer* optimizer);
void ocl_network_free(ocl_network* network);

static inline size_t ocl_map_size(ocl_map_shape shape) {
  return (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
}
const ocl_layer* ocl_network_layer_of(const ocl_network* network, int32_t index);

// Inputs -> all other activations.
void ocl_network_forward(const ocl_network* network, int32_t rows, bool is_training);
// Zeroes the gradients; then the caller writes those of its outputs.
void ocl_network_clear(const ocl_network* network, int32_t rows);
void ocl_network_backward(const ocl_network* network, int32_t rows);
// l2 * sum of squares of a layer's kernel, and its gradient if `is_training`.
double ocl_network_regularize(const ocl_network* network, int32_t layer, float l2, bool is_training);
// One step of the optimizer, number `step` from 1.
void ocl_network_apply(const ocl_network* network, int32_t step, float learning_rate);

#endif  // OCELLI_TRAIN_NETWORK_H_
