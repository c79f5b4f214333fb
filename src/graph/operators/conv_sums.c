// Operators with 8-bit weights whose accumulators must be rounded as in TFLite, not as in XNNPACK. XNNPACK's float
// operator adds up products of integers, which is exact as long as a sum stays below 2^24. The code here turns the sums
// into outputs, bit for bit as TFLite does: a difference in the last bit could change a rounding in a later layer and
// grow from there.
//
// Hybrid: TFLite's "dynamic range" kernels quantize a float input to 8 bits before they multiply it with 8-bit weights.
// Each image (each row of a fully connected layer) gets its own scale and zero point.
//
// Rounded twice: TFLite's built-in 8-bit kernels multiply a sum by a 32-bit fixed-point factor, round, shift, and round
// again. XNNPACK rounds once.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/operators/conv.h"
#include "graph/operators/fixed_point.h"
#include "kernels/hybrid_f32.h"

// Hybrid: the number of parts of the input that have their own scale.
static size_t num_groups(ocl_graph* graph, const ocl_step* step) {
  if (ocl_conv_of(step)->sums != OCL_CONV_HYBRID) return 0;
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  return ocl_conv_of(step)->is_fully_connected ? ocl_shape_num_elements(input) / (size_t)ocl_conv_of(step)->kernel[1]
                                               : (size_t)input->dims[0];
}

// ---- workspace: hybrid: scale of each group; then the quantized input, as floats; rounded twice: then the sums ----

static size_t aligned(size_t bytes) {
  return (bytes + XNN_EXTRA_BYTES + 15) & ~(size_t)15;
}

static size_t input_end(ocl_graph* graph, const ocl_step* step) {
  const size_t elements = ocl_shape_num_elements(&ocl_graph_in(graph, step, 0)->shape);
  return aligned((num_groups(graph, step) + elements) * sizeof(float));
}

size_t ocl_conv_sums_bytes(ocl_graph* graph, const ocl_step* step) {
  if (ocl_conv_of(step)->sums == OCL_CONV_XNNPACK) return 0;
  if (ocl_conv_of(step)->sums == OCL_CONV_HYBRID) return input_end(graph, step);
  const size_t outputs = ocl_shape_num_elements(&ocl_graph_out(graph, step, 0)->shape);
  return input_end(graph, step) + aligned(outputs * sizeof(float));
}

static float* float_input(ocl_graph* graph, const ocl_step* step) {
  return (float*)step->workspace + num_groups(graph, step);
}

const void* ocl_conv_sums_input(ocl_graph* graph, const ocl_step* step) {
  return ocl_conv_of(step)->sums == OCL_CONV_XNNPACK ? ocl_graph_in(graph, step, 0)->data : float_input(graph, step);
}

void* ocl_conv_sums_output(ocl_graph* graph, const ocl_step* step) {
  if (ocl_conv_of(step)->sums != OCL_CONV_ROUNDED_TWICE) return ocl_graph_out(graph, step, 0)->data;
  return (uint8_t*)step->workspace + input_end(graph, step);
}

// ---- building ----

static ocl_status keep_hybrid(ocl_conv* conv, const ocl_conv_weights* w, size_t channels) {
  float* factors = conv->channel_factors = calloc(channels, 2 * sizeof(float));
  if (factors == NULL) return OCL_OUT_OF_MEMORY;
  memcpy(factors, w->scales, channels * sizeof(float));
  if (w->bias != NULL) memcpy(factors + channels, w->bias, channels * sizeof(float));
  return OCL_OK;
}

static ocl_status keep_requantizations(ocl_graph* graph, ocl_step* step, const ocl_conv_weights* w, size_t channels) {
  ocl_requantization* factors = ocl_conv_of(step)->channel_factors = calloc(channels, sizeof *factors);
  if (factors == NULL) return OCL_OUT_OF_MEMORY;
  const double input_scale = ocl_graph_in(graph, step, 0)->scale, output_scale = ocl_graph_out(graph, step, 0)->scale;
  const int32_t* biases = w->bias;
  for (size_t c = 0; c < channels; c++)
    factors[c] = (ocl_requantization){ocl_fixed_point_of(input_scale * w->scales[c] / output_scale),
                                      biases == NULL ? 0 : biases[c]};
  return OCL_OK;
}

// The stored integers of an 8-bit kernel as floats. The caller frees them.
static float* to_floats(const int8_t* numbers, size_t count) {
  float* floats = malloc(count * sizeof(float) + 1);
  for (size_t i = 0; floats != NULL && i < count; i++) floats[i] = numbers[i];
  return floats;
}

ocl_status ocl_conv_prepare_sums(ocl_graph* graph, ocl_step* step, size_t channels, ocl_conv_weights* w) {
  ocl_conv* conv = ocl_conv_of(step);
  if (conv->sums == OCL_CONV_XNNPACK) return OCL_OK;
  OCL_TRY(conv->sums == OCL_CONV_HYBRID ? keep_hybrid(conv, w, channels)
                                        : keep_requantizations(graph, step, w, channels));
  float* numbers = to_floats(w->kernel, ocl_shape_num_elements(&w->shape));
  if (numbers == NULL) return OCL_OUT_OF_MEMORY;
  free(w->owned[0]);
  w->kernel = w->owned[0] = numbers;
  w->bias = NULL;
  w->dtype = OCL_FLOAT32;
  return OCL_OK;
}

// ---- hybrid ----

static void round_input(ocl_graph* graph, const ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const size_t groups = num_groups(graph, step), group = ocl_shape_num_elements(&input->shape) / groups;
  float* scales = step->workspace;
  float* rounded = float_input(graph, step);
  for (size_t i = 0; i < groups; i++)
    scales[i] = ocl_hybrid_round((const float*)input->data + i * group, group, rounded + i * group);
}

// Turns sums into real numbers and applies bias and activation.
static void scale_sums(ocl_graph* graph, const ocl_step* step) {
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const float* group_scales = step->workspace;
  const size_t channels = (size_t)output->shape.dims[output->shape.rank - 1], groups = num_groups(graph, step);
  const size_t pixels = ocl_shape_num_elements(&output->shape) / channels;
  // TFLite computes sum * (group scale * channel scale), depthwise (sum * channel scale) * group scale. Multiplying by
  // 1 changes no bit.
  const bool is_depthwise = ocl_conv_of(step)->is_depthwise;
  const float *scales = ocl_conv_of(step)->channel_factors, *biases = scales + channels;
  float min, max;
  ocl_graph_activation_bounds(ocl_conv_of(step)->activation, &min, &max);
  float* sums = output->data;
  for (size_t pixel = 0; pixel < pixels; pixel++) {
    const float scale = group_scales[pixel / (pixels / groups)];
    const float first = is_depthwise ? 1 : scale, last = is_depthwise ? scale : 1;
    ocl_hybrid_scale(sums + pixel * channels, channels, &(ocl_hybrid_scales){scales, biases, first, last, min, max});
  }
}

// ---- rounded twice ----

static void shift_input(ocl_graph* graph, const ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const size_t count = ocl_shape_num_elements(&input->shape);
  float* whole = float_input(graph, step);
  ocl_hybrid_shift(input->data, count, input->zero_point, whole);
}

static void requantize_sums(ocl_graph* graph, const ocl_step* step) {
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const size_t channels = (size_t)output->shape.dims[output->shape.rank - 1];
  const size_t count = ocl_shape_num_elements(&output->shape);
  const ocl_requantization* factors = ocl_conv_of(step)->channel_factors;
  const float* sums = ocl_conv_sums_output(graph, step);
  int32_t min, max;
  ocl_graph_stored_bounds(output, ocl_conv_of(step)->activation, &min, &max);
  int8_t* stored = output->data;
  for (size_t i = 0; i < count; i += channels)
    ocl_fixed_point_requantize(sums + i, factors, channels, &(ocl_stored_range){output->zero_point, min, max},
                               stored + i);
}

void ocl_conv_begin_sums(ocl_graph* graph, ocl_step* step) {
  if (ocl_conv_of(step)->sums == OCL_CONV_HYBRID)
    round_input(graph, step);
  else
    shift_input(graph, step);
}

void ocl_conv_finish_sums(ocl_graph* graph, ocl_step* step) {
  if (ocl_conv_of(step)->sums == OCL_CONV_HYBRID)
    scale_sums(graph, step);
  else
    requantize_sums(graph, step);
}
