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

typedef struct {
  ocl_fixed_point factor;
  int32_t bias;
} requantization;

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
  requantization* factors = ocl_conv_of(step)->channel_factors = calloc(channels, sizeof *factors);
  if (factors == NULL) return OCL_OUT_OF_MEMORY;
  const double input_scale = ocl_graph_in(graph, step, 0)->scale, output_scale = ocl_graph_out(graph, step, 0)->scale;
  const int32_t* biases = w->bias;
  for (size_t c = 0; c < channels; c++)
    factors[c] =
        (requantization){ocl_fixed_point_of(input_scale * w->scales[c] / output_scale), biases == NULL ? 0 : biases[c]};
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

static void find_range(const float* values, size_t count, float* min_out, float* max_out) {
  enum { LANES = 8 };
  float min[LANES] = {0}, max[LANES] = {0};  // the range always includes 0
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int lane = 0; lane < LANES; lane++) {
      min[lane] = values[i + lane] < min[lane] ? values[i + lane] : min[lane];
      max[lane] = values[i + lane] > max[lane] ? values[i + lane] : max[lane];
    }
  for (; i < count; i++) {
    min[0] = values[i] < min[0] ? values[i] : min[0];
    max[0] = values[i] > max[0] ? values[i] : max[0];
  }
  for (int lane = 1; lane < LANES; lane++) {
    min[0] = min[lane] < min[0] ? min[lane] : min[0];
    max[0] = max[lane] > max[0] ? max[lane] : max[0];
  }
  *min_out = min[0];
  *max_out = max[0];
}

// gemmlowp's "nudged" zero point, computed from the end of the range (min or max) that gives the smaller error.
static float zero_point_of(double min, double max, double scale) {
  const double zero_point = 128 - min / scale < 127 + max / scale ? -128 - min / scale : 127 - max / scale;
  return (float)round(zero_point < -128 ? -128 : zero_point > 127 ? 127 : zero_point);
}

// Quantizes to 8 bits like TFLite's optimized kernels: rounds halves up, then adds the zero point. Writes
// stored - zero_point and returns the scale.
static float round_to_8_bits(const float* values, size_t count, float* out) {
  float min, max;
  find_range(values, count, &min, &max);
  const double range = max - min;                        // subtracted in float, then used in double, as in TFLite
  const bool is_usable = range > 0 && range < INFINITY;  // false: all values are 0, or one is infinite
  const float scale = is_usable ? (float)(range / 255) : 1;
  const float zero_point = is_usable ? zero_point_of(min, max, range / 255) : 0, inverse = 1 / scale;
  for (size_t i = 0; i < count; i++) {
    const float stored = floorf(values[i] * inverse + 0.5f) + zero_point;
    out[i] = (stored > -128 ? (stored < 127 ? stored : 127) : -128) - zero_point;
  }
  return scale;
}

static void round_input(ocl_graph* graph, const ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const size_t groups = num_groups(graph, step), group = ocl_shape_num_elements(&input->shape) / groups;
  float* scales = step->workspace;
  float* rounded = float_input(graph, step);
  for (size_t i = 0; i < groups; i++)
    scales[i] = round_to_8_bits((const float*)input->data + i * group, group, rounded + i * group);
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
    for (size_t c = 0; c < channels; c++, sums++) {
      const float value = *sums * (first * scales[c]) * last + biases[c];
      *sums = value > min ? (value < max ? value : max) : min;
    }
  }
}

// ---- rounded twice ----

static void shift_input(ocl_graph* graph, const ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const size_t count = ocl_shape_num_elements(&input->shape);
  float* whole = float_input(graph, step);
  for (size_t i = 0; i < count; i++) whole[i] = (float)(((const int8_t*)input->data)[i] - input->zero_point);
}

// A doubling high multiplication, then a rounding shift, as in ruy and gemmlowp. Both round halves up.
static int64_t requantize(float sum, const requantization* r) {
  const int64_t biased = ocl_fixed_point_saturate((int64_t)sum + r->bias);
  const int64_t scaled =
      r->factor.shift > 0 ? ocl_fixed_point_saturate(biased * (INT64_C(1) << r->factor.shift)) : biased;
  const int64_t high = (scaled * r->factor.multiplier + (INT64_C(1) << 30)) >> 31;
  return r->factor.shift < 0 ? (high + (INT64_C(1) << (-r->factor.shift - 1))) >> -r->factor.shift : high;
}

static void requantize_sums(ocl_graph* graph, const ocl_step* step) {
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const size_t channels = (size_t)output->shape.dims[output->shape.rank - 1];
  const size_t count = ocl_shape_num_elements(&output->shape);
  const requantization* factors = ocl_conv_of(step)->channel_factors;
  const float* sums = ocl_conv_sums_output(graph, step);
  int32_t min, max;
  ocl_graph_stored_bounds(output, ocl_conv_of(step)->activation, &min, &max);
  int8_t* stored = output->data;
  for (size_t i = 0; i < count; i += channels)
    for (size_t c = 0; c < channels; c++) {
      const int64_t value = requantize(sums[i + c], &factors[c]) + output->zero_point;
      stored[i + c] = (int8_t)(value < min ? min : value > max ? max : value);
    }
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
