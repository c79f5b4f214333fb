// Float convolutions with the rounding of TFLite's built-in kernels, for graphs where the last bit matters: TFLite does
// not run them with XNNPACK (has_builtin_rounding), and later layers round these outputs to 8 bits. Only convolutions
// with so few weights that TFLite's converter leaves them in float are run here.
// Each product is rounded, then each sum. As in Eigen and in TFLite, dense convolutions add the bias last and depthwise
// convolutions add it first.
#include <stdlib.h>
#include <string.h>

#include "graph/operators/conv.h"

typedef struct {
  int32_t taps_h, taps_w, inputs, outputs;  // dimensions of the kernel; depthwise: 1 input
  bool is_depthwise;
} layout;

static layout layout_of(const ocl_step* step) {
  const int32_t* k = ocl_conv_of(step)->kernel;
  const bool is_depthwise = ocl_conv_of(step)->is_depthwise;
  return is_depthwise ? (layout){k[1], k[2], 1, k[3], true} : (layout){k[1], k[2], k[3], k[0], false};
}

ocl_status ocl_conv_build_builtin(ocl_step* step, const float* kernel, const float* bias) {
  const layout l = layout_of(step);
  const size_t outputs = (size_t)l.outputs, per_output = (size_t)l.taps_h * (size_t)l.taps_w * (size_t)l.inputs;
  float* weights = ocl_conv_of(step)->channel_factors = calloc(outputs * (per_output + 1), sizeof(float));
  if (weights == NULL) return OCL_OUT_OF_MEMORY;
  for (size_t i = 0; i < per_output; i++)
    for (size_t o = 0; o < outputs; o++)
      weights[i * outputs + o] = kernel[l.is_depthwise ? i * outputs + o : o * per_output + i];
  if (bias != NULL) memcpy(weights + per_output * outputs, bias, outputs * sizeof(float));
  return OCL_OK;
}

// Adds the products of one input pixel and the weights of one tap.
static void add_products(const layout* l, const float* pixel, int32_t channels, const float* weights, float* sums) {
  const size_t outputs = (size_t)l->outputs;
  if (l->is_depthwise) {
    const size_t multiplier = outputs / (size_t)channels;
    for (size_t o = 0; o < outputs; o++) sums[o] += pixel[multiplier == 1 ? o : o / multiplier] * weights[o];
    return;
  }
  for (int32_t i = 0; i < l->inputs; i++, weights += outputs)
    for (size_t o = 0; o < outputs; o++) sums[o] += pixel[i] * weights[o];
}

void ocl_conv_run_builtin(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const layout l = layout_of(step);
  const int32_t *from = input->shape.dims, *to = output->shape.dims, channels = from[3];
  const int32_t stride_h = step->op.options.conv.stride_h, stride_w = step->op.options.conv.stride_w;
  const int32_t dilation_h = step->op.options.conv.dilation_h, dilation_w = step->op.options.conv.dilation_w;
  const ocl_pad_2d pad = ocl_conv_padding(graph, step);
  const size_t tap_weights = (size_t)l.inputs * (size_t)l.outputs, outputs = (size_t)l.outputs;
  const float* weights = ocl_conv_of(step)->channel_factors;
  const float* bias = weights + (size_t)l.taps_h * (size_t)l.taps_w * tap_weights;
  float min, max;
  ocl_graph_activation_bounds(ocl_conv_of(step)->activation, &min, &max);
  float* sums = output->data;
  for (int32_t n = 0; n < to[0]; n++) {
    const float* image = (const float*)input->data + (size_t)n * (size_t)from[1] * (size_t)from[2] * (size_t)channels;
    for (int32_t at = 0; at < to[1] * to[2]; at++, sums += outputs) {
      for (size_t o = 0; o < outputs; o++) sums[o] = l.is_depthwise ? bias[o] : 0;
      for (int32_t tap = 0; tap < l.taps_h * l.taps_w; tap++) {
        const int32_t y = at / to[2] * stride_h - pad.top + tap / l.taps_w * dilation_h;
        const int32_t x = at % to[2] * stride_w - pad.left + tap % l.taps_w * dilation_w;
        if (y < 0 || y >= from[1] || x < 0 || x >= from[2]) continue;
        const float* pixel = image + ((size_t)y * (size_t)from[2] + (size_t)x) * (size_t)channels;
        add_products(&l, pixel, channels, weights + (size_t)tap * tap_weights, sums);
      }
      for (size_t o = 0; o < outputs; o++) {
        const float value = l.is_depthwise ? sums[o] : sums[o] + bias[o];
        sums[o] = value > min ? (value < max ? value : max) : min;
      }
    }
  }
}
