#include "train/activation.h"

#include <math.h>

static inline float clamp(float x, float most) {
  return x < 0 ? 0 : x > most ? most : x;
}

static inline float sigmoid(float x) {
  return 1 / (1 + expf(-x));
}

static inline float slope_between(float y, float most) {
  return y > 0 && y < most ? 1 : 0;
}

static inline float swish_slope(float x) {
  const float s = sigmoid(x);
  return s + x * s * (1 - s);
}

static inline float hard_swish_slope(float x) {
  const float gate = clamp(x + 3, 6);
  return (gate + x * slope_between(gate, 6)) / 6;
}

void ocl_activation_forward(ocl_layer_activation kind, float factor, size_t count, float* data) {
  switch (kind) {
    case OCL_LAYER_RELU:
      for (size_t i = 0; i < count; i++) data[i] = clamp(data[i], INFINITY);
      break;
    case OCL_LAYER_RELU6:
      for (size_t i = 0; i < count; i++) data[i] = clamp(data[i], 6);
      break;
    case OCL_LAYER_SIGMOID:
      for (size_t i = 0; i < count; i++) data[i] = sigmoid(data[i]);
      break;
    case OCL_LAYER_HARD_SIGMOID:
      for (size_t i = 0; i < count; i++) data[i] = clamp(data[i] + 3, 6) * factor;
      break;
    case OCL_LAYER_SWISH:
      for (size_t i = 0; i < count; i++) data[i] *= sigmoid(data[i]);
      break;
    case OCL_LAYER_HARD_SWISH:
      for (size_t i = 0; i < count; i++) data[i] *= clamp(data[i] + 3, 6) / 6;
      break;
    case OCL_LAYER_LINEAR:
    case OCL_NUM_LAYER_ACTIVATIONS: break;
  }
}

void ocl_activation_backward(ocl_layer_activation kind, float factor, size_t count, const float* input,
                             const float* output, float* gradient) {
  switch (kind) {
    case OCL_LAYER_RELU:
      for (size_t i = 0; i < count; i++) gradient[i] = output[i] > 0 ? gradient[i] : 0;
      break;
    case OCL_LAYER_RELU6:
      for (size_t i = 0; i < count; i++) gradient[i] = output[i] > 0 && output[i] < 6 ? gradient[i] : 0;
      break;
    case OCL_LAYER_SIGMOID:
      for (size_t i = 0; i < count; i++) gradient[i] *= output[i] * (1 - output[i]);
      break;
    case OCL_LAYER_HARD_SIGMOID:
      for (size_t i = 0; i < count; i++) gradient[i] *= factor * slope_between(output[i], 6 * factor);
      break;
    case OCL_LAYER_SWISH:
      for (size_t i = 0; i < count; i++) gradient[i] *= swish_slope(input[i]);
      break;
    case OCL_LAYER_HARD_SWISH:
      for (size_t i = 0; i < count; i++) gradient[i] *= hard_swish_slope(input[i]);
      break;
    case OCL_LAYER_LINEAR:
    case OCL_NUM_LAYER_ACTIVATIONS: break;
  }
}
