// What stands between the matrix products of a network in training: depthwise convolution, per-channel sums and
// scaling, pooling and gates, forward and backward. Arrays are [rows, channels] or NHWC; sums run in double.
#ifndef OCELLI_TRAIN_LAYERS_H_
#define OCELLI_TRAIN_LAYERS_H_

#include <stddef.h>
#include <stdint.h>

// A convolution's window over `images` [height, width, channels] under SAME padding; it has `size` rows and columns, at
// most OCL_SAME_MAX_SIZE.
typedef struct {
  int32_t images, height, width, channels, stride, size;
} ocl_same_window;

enum { OCL_SAME_MAX_SIZE = 5 };

// Outputs along an axis of `size`.
static inline int32_t ocl_same_out(int32_t size, int32_t stride) {
  return (size + stride - 1) / stride;
}

// kernel [size, size, channels].
void ocl_depthwise_forward(const ocl_same_window* w, const float* input, const float* kernel, float* out);
// Adds to both gradients; input_gradient_out may be NULL.
void ocl_depthwise_backward(const ocl_same_window* w, const float* input, const float* kernel, const float* gradient,
                            float* kernel_gradient_out, float* input_gradient_out);

// What the window sees at each output pixel: [images * out_height * out_width, size, size, channels], 0 on the padding.
void ocl_layers_unfold(const ocl_same_window* w, const float* input, float* columns_out);
// The gradient of that, added.
void ocl_layers_fold(const ocl_same_window* w, const float* columns, float* input_gradient_out);

// sums_out[channels] of a, or of a * b; b may be NULL.
void ocl_layers_sum(size_t rows, int32_t channels, const float* a, const float* b, double* sums_out);
// data = data * scale + shift, per channel; either may be NULL.
void ocl_layers_scale(size_t rows, int32_t channels, const float* scale, const float* shift, float* data);

// Mean over each image's `area` pixels, and its gradient, which is added.
void ocl_layers_pool(int32_t images, int32_t area, int32_t channels, const float* input, float* out);
void ocl_layers_pool_backward(int32_t images, int32_t area, int32_t channels, const float* gradient,
                              float* input_gradient_out);

// Each image's `area` pixels times its gate [channels].
void ocl_layers_gate(int32_t images, int32_t area, int32_t channels, const float* map, const float* gate, float* out);
// Adds to both gradients; either may be NULL. sums: room for `channels`.
void ocl_layers_gate_backward(int32_t images, int32_t area, int32_t channels, const float* map, const float* gate,
                              const float* gradient, double* sums, float* map_gradient_out, float* gate_gradient_out);

#endif  // OCELLI_TRAIN_LAYERS_H_
