// The backward pass of one convolution, depthwise convolution or fully connected layer: how strongly each output
// channel's weights act on a loss, and the gradient of the input. Arrays are NHWC; kernels are TFLite's: [O, kH, kW,
// I], depthwise [1, kH, kW, O]. Sums run in a fixed order, so plain SIMD gives the same bits on every machine.
#ifndef OCELLI_TRAIN_BACKWARD_H_
#define OCELLI_TRAIN_BACKWARD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

// A fully connected layer is a 1x1 window over images of one pixel.
typedef struct {
  int32_t images, height, width, channels;  // input
  int32_t out_height, out_width, out_channels;
  int32_t kernel_height, kernel_width, stride_y, stride_x, dilation_y, dilation_x;
  int32_t padding_top, padding_left;
  int32_t groups;  // depthwise: the number of input channels
  bool is_depthwise;
} ocl_window;

// gradient: of the loss by each output, [images, out_height, out_width, out_channels].
// squares_out[out_channels]: the sum over the channel's weights of their squared gradients.
// input_gradient_out: overwritten, of the input's shape; NULL: not wanted.
// INVALID_ARGUMENT: a size is not positive, or channels and groups do not fit together. OUT_OF_MEMORY.
ocl_status ocl_backward_run(const ocl_window* window, const float* input, const float* kernel, const float* gradient,
                            double* squares_out, float* input_gradient_out);

#endif  // OCELLI_TRAIN_BACKWARD_H_
