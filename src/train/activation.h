// The functions that follow a convolution, in place over `count` values, and the gradients of them.
#ifndef OCELLI_TRAIN_ACTIVATION_H_
#define OCELLI_TRAIN_ACTIVATION_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// hard sigmoid: relu6(x + 3) * factor; hard swish: x * relu6(x + 3) / 6; swish: x * sigmoid(x).
typedef enum {
  OCL_LAYER_LINEAR,
  OCL_LAYER_RELU,
  OCL_LAYER_RELU6,
  OCL_LAYER_SIGMOID,
  OCL_LAYER_HARD_SIGMOID,
  OCL_LAYER_SWISH,
  OCL_LAYER_HARD_SWISH,
  OCL_NUM_LAYER_ACTIVATIONS
} ocl_layer_activation;

// Whether the gradient needs the values from before the function.
static inline bool ocl_activation_needs_input(int32_t kind) {
  return kind == OCL_LAYER_SWISH || kind == OCL_LAYER_HARD_SWISH;
}

// factor: of a hard sigmoid, 1/6 or what a file has rounded it to.
void ocl_activation_forward(ocl_layer_activation kind, float factor, size_t count, float* data);
// Multiplies `gradient` by the slope; 0 at a corner. `input` may be NULL if it is not needed.
void ocl_activation_backward(ocl_layer_activation kind, float factor, size_t count, const float* input,
                             const float* output, float* gradient);

#endif  // OCELLI_TRAIN_ACTIVATION_H_
