// TRANSPOSE_CONV, and MediaPipe's custom Convolution2DTransposeBias, over feature maps [N, H, W, C]. For each row of
// the input, a matrix product of XNNPACK gives the products of all taps, which are then added to the outputs that they
// belong to. In 8 bits the numbers are real in between.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/operators/conv.h"
#include "graph/operators/table.h"
#include "tflite/weights.h"

typedef struct {
  int32_t input, weights, bias;  // which inputs of the step they are
  bool is_custom;
} arguments;

typedef struct {
  ocl_padding padding;
  ocl_activation activation;
  int32_t stride_h, stride_w;
  int32_t outputs, kernel_h, kernel_w, inputs;
  float* bias;  // owned
} transpose_conv;

// ---- building ----

// Custom options: TFLite's TfLiteTransposeConvParams as its first three numbers of 4 bytes.
static ocl_status read_custom_options(ocl_step* step, ocl_detail* detail) {
  transpose_conv* state = step->state;
  int32_t fields[3] = {0};  // padding (1: same, 2: valid), stride_w, stride_h
  if (step->op.options.custom.size_bytes >= sizeof fields) memcpy(fields, step->op.options.custom.bytes, sizeof fields);
  const bool has_padding = fields[0] == 1 || fields[0] == 2;
  if (!has_padding || fields[1] < 1 || fields[1] > 65535 || fields[2] < 1 || fields[2] > 65535)
    return ocl_graph_reject(step, OCL_MODEL_BAD_OPTION, detail, "its options say padding %d, stride %d x %d",
                            (int)fields[0], (int)fields[2], (int)fields[1]);
  state->padding = fields[0] == 1 ? OCL_PADDING_SAME : OCL_PADDING_VALID;
  state->stride_w = fields[1];
  state->stride_h = fields[2];
  return OCL_OK;
}

static ocl_status read_options(ocl_step* step, ocl_detail* detail) {
  transpose_conv* state = step->state;
  if (((const arguments*)step->kind->variant)->is_custom) return read_custom_options(step, detail);
  state->padding = step->op.options.transpose_conv.padding;
  state->activation = step->op.options.transpose_conv.activation;
  state->stride_h = step->op.options.transpose_conv.stride_h;
  state->stride_w = step->op.options.transpose_conv.stride_w;
  return OCL_OK;
}

static ocl_status read_bias(ocl_graph* graph, ocl_step* step, const ocl_quantization* weights, ocl_detail* detail) {
  const arguments* from = step->kind->variant;
  transpose_conv* state = step->state;
  const ocl_value* input = ocl_graph_in(graph, step, from->input);
  state->bias = calloc((size_t)state->outputs, sizeof *state->bias);
  if (state->bias == NULL) return OCL_OUT_OF_MEMORY;
  if (ocl_graph_in(graph, step, from->bias) == NULL) return OCL_OK;
  ocl_tflite_tensor bias;
  OCL_TRY(ocl_graph_constant(graph, step, from->bias, &bias, detail));
  if (ocl_shape_num_elements(&bias.shape) != (size_t)state->outputs)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its bias has not one number for each of %d channels",
                            (int)state->outputs);
  step->num_parameters += (uint64_t)state->outputs;
  if (bias.dtype == OCL_INT32 && weights->num_scales > 0) {
    for (int32_t i = 0; i < state->outputs; i++)
      state->bias[i] = (float)((const int32_t*)(const void*)bias.data)[i] * input->scale *
                       weights->scales[weights->num_scales == 1 ? 0 : i];
    return OCL_OK;
  }
  if (ocl_weights_to_float(&bias, state->bias) == OCL_OK) return OCL_OK;
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its bias has an unsupported dtype");
}

// [O, kH, kW, I] -> [kH, kW, O, I]
static void order_by_tap(const transpose_conv* state, const float* weights, float* ordered) {
  const size_t taps = (size_t)state->kernel_h * (size_t)state->kernel_w, outputs = (size_t)state->outputs,
               inputs = (size_t)state->inputs;
  for (size_t o = 0; o < outputs; o++)
    for (size_t tap = 0; tap < taps; tap++)
      memcpy(ordered + (tap * outputs + o) * inputs, weights + (o * taps + tap) * inputs, inputs * sizeof(float));
}

static ocl_status build_product(ocl_step* step, const ocl_tflite_tensor* weights, float* reals, ocl_detail* detail) {
  const transpose_conv* state = step->state;
  const size_t count = ocl_shape_num_elements(&weights->shape), inputs = (size_t)state->inputs,
               outputs = count / inputs;
  if (ocl_weights_to_float(weights, reals) != OCL_OK)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its weights have an unsupported dtype");
  float* ordered = reals + count;
  order_by_tap(state, reals, ordered);
  return ocl_graph_check_created(step,
                                 xnn_create_fully_connected_nc_f32(inputs, outputs, inputs, outputs, ordered, NULL,
                                                                   -INFINITY, INFINITY, 0, NULL, NULL, &step->xnn),
                                 detail);
}

static ocl_status build_transpose_conv(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const arguments* from = step->kind->variant;
  transpose_conv* state = step->state;
  const ocl_value* input = ocl_graph_in(graph, step, from->input);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const bool is_8_bit = ocl_graph_is_quantized(input) && ocl_graph_is_quantized(output);
  if (input->dtype != output->dtype || (input->dtype != OCL_FLOAT32 && !is_8_bit))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                            "its input and output must both be float or both be 8-bit");
  OCL_TRY(read_options(step, detail));
  ocl_tflite_tensor weights;
  OCL_TRY(ocl_graph_constant(graph, step, from->weights, &weights, detail));
  const size_t count = ocl_shape_num_elements(&weights.shape);
  const int32_t* dims = weights.shape.dims;
  if (weights.shape.rank != 4 || count == 0)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its kernel must have 4 dimensions and not be empty");
  if (weights.quantization.num_scales > 1 && weights.quantization.axis != 0)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                            "its weights have a scale for each index of dimension %d, not for each output channel",
                            (int)weights.quantization.axis);
  state->outputs = dims[0];
  state->kernel_h = dims[1];
  state->kernel_w = dims[2];
  state->inputs = dims[3];
  step->num_parameters = count;
  OCL_TRY(ocl_conv_check_packed_size(step, 1, count / (size_t)dims[3], (uint64_t)dims[3], detail));
  OCL_TRY(read_bias(graph, step, &weights.quantization, detail));
  float* reals = malloc(2 * count * sizeof *reals);
  if (reals == NULL) return OCL_OUT_OF_MEMORY;
  const ocl_status status = build_product(step, &weights, reals, detail);
  free(reals);
  return status;
}

static void drop_transpose_conv(ocl_step* step) {
  free(((transpose_conv*)step->state)->bias);
}

// ---- planning ----

static int64_t out_size(const transpose_conv* state, int64_t size, int64_t kernel, int64_t stride) {
  const int64_t overlap = kernel - stride;
  return size * stride + (state->padding == OCL_PADDING_VALID && overlap > 0 ? overlap : 0);
}

static ocl_status set_output_shape(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const arguments* from = step->kind->variant;
  const transpose_conv* state = step->state;
  const ocl_shape* input = &ocl_graph_in(graph, step, from->input)->shape;
  ocl_shape* shape = &ocl_graph_out(graph, step, 0)->shape;
  if (from->is_custom) {
    const int64_t h = out_size(state, input->dims[1], state->kernel_h, state->stride_h);
    const int64_t w = out_size(state, input->dims[2], state->kernel_w, state->stride_w);
    if (h > OCL_GRAPH_MAX_ELEMENTS || w > OCL_GRAPH_MAX_ELEMENTS)
      return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "its output is too large");
    *shape = (ocl_shape){4, {input->dims[0], (int32_t)h, (int32_t)w, state->outputs}};
    return OCL_OK;
  }
  int32_t count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 0, 4, shape->dims, &count, detail));
  shape->rank = 4;
  if (count == 4 && shape->dims[0] == input->dims[0] && shape->dims[1] > 0 && shape->dims[2] > 0 &&
      shape->dims[3] == state->outputs)
    return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its output shape is not [%d, height, width, %d]",
                          (int)input->dims[0], (int)state->outputs);
}

// The parts of the workspace, in floats: the products of one row of the input; and, in 8 bits, the row and all outputs.
static uint64_t product_floats(const transpose_conv* state, const ocl_shape* input) {
  return (uint64_t)input->dims[2] * (uint64_t)state->kernel_h * (uint64_t)state->kernel_w * (uint64_t)state->outputs;
}
static uint64_t row_floats(const ocl_value* input) {
  return input->dtype == OCL_FLOAT32 ? 0 : (uint64_t)input->shape.dims[2] * (uint64_t)input->shape.dims[3];
}

static ocl_status plan_transpose_conv(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const arguments* from = step->kind->variant;
  const transpose_conv* state = step->state;
  const ocl_value* input = ocl_graph_in(graph, step, from->input);
  const int32_t* in = input->shape.dims;
  if (input->shape.rank != 4 || in[3] != state->inputs)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input is not [N, H, W, %d]", (int)state->inputs);
  OCL_TRY(set_output_shape(graph, step, detail));
  const int32_t* out = ocl_graph_out(graph, step, 0)->shape.dims;
  const uint64_t products = product_floats(state, &input->shape);
  uint64_t outputs;  // number of floats
  if (products > OCL_GRAPH_MAX_ELEMENTS ||
      __builtin_mul_overflow((uint64_t)out[1] * (uint64_t)out[2], (uint64_t)out[0] * (uint64_t)out[3], &outputs) ||
      outputs > OCL_GRAPH_MAX_ELEMENTS)
    return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "its output, or a row of products, is too large");
  const uint64_t floats = products + row_floats(input) + (input->dtype == OCL_FLOAT32 ? 0 : outputs);
  if (floats > OCL_GRAPH_MAX_ELEMENTS)
    return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "its output is too large");
  step->workspace_bytes = (size_t)floats * sizeof(float);
  const uint64_t rows = (uint64_t)in[0] * (uint64_t)in[1];
  step->multiply_adds = rows * products * (uint64_t)state->inputs;
  step->other_work = rows * products;
  return ocl_graph_check_xnn(step, xnn_reshape_fully_connected_nc_f32(step->xnn, (size_t)in[2], graph->pool), detail);
}

// ---- running ----

static int64_t padding_before(const transpose_conv* state, int64_t size, int64_t kernel, int64_t stride) {
  return state->padding == OCL_PADDING_SAME ? ocl_graph_same_padding(size, kernel, stride, 1) / 2 : 0;
}

static void add(float* to, const float* from, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] += from[i];
}

// Adds the products of row `y` of the input to the image's sums.
static void add_products(const transpose_conv* state, const float* products, int64_t y, int64_t width,
                         const int32_t* out, float* sums) {
  const size_t outputs = (size_t)state->outputs;
  const int64_t top = y * state->stride_h - padding_before(state, out[1], state->kernel_h, state->stride_h);
  const int64_t left = padding_before(state, out[2], state->kernel_w, state->stride_w);
  for (int64_t x = 0; x < width; x++)
    for (int64_t ky = 0; ky < state->kernel_h; ky++)
      for (int64_t kx = 0; kx < state->kernel_w; kx++, products += outputs) {
        const int64_t to_y = top + ky, to_x = x * state->stride_w - left + kx;
        if (to_y < 0 || to_y >= out[1] || to_x < 0 || to_x >= out[2]) continue;
        add(sums + (size_t)(to_y * out[2] + to_x) * outputs, products, outputs);
      }
}

static void set_to_bias(const transpose_conv* state, float* sums, size_t count) {
  for (size_t i = 0; i < count; i += (size_t)state->outputs)
    memcpy(sums + i, state->bias, (size_t)state->outputs * sizeof *sums);
}

static void finish(const transpose_conv* state, const ocl_value* output, const float* sums, size_t count) {
  float min, max;
  ocl_graph_activation_bounds(state->activation, &min, &max);
  for (size_t i = 0; i < count; i++)
    ocl_graph_store_at(output, i, sums[i] > min ? (sums[i] < max ? sums[i] : max) : min);
}

static enum xnn_status run_transpose_conv(ocl_graph* graph, ocl_step* step) {
  const transpose_conv* state = step->state;
  const ocl_value* input = ocl_graph_in(graph, step, ((const arguments*)step->kind->variant)->input);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const bool is_float = input->dtype == OCL_FLOAT32;
  const int32_t *in = input->shape.dims, *out = output->shape.dims;
  const size_t row = (size_t)in[2] * (size_t)in[3], count = ocl_shape_num_elements(&output->shape);
  float* products = step->workspace;
  float* reals = products + product_floats(state, &input->shape);
  float* sums = is_float ? output->data : reals + row;
  set_to_bias(state, sums, count);
  for (size_t i = 0; i < (size_t)in[0] * (size_t)in[1]; i++) {
    for (size_t k = 0; k < row && !is_float; k++) reals[k] = ocl_graph_real_at(input, i * row + k);
    const float* from = is_float ? (const float*)input->data + i * row : reals;
    enum xnn_status status = xnn_setup_fully_connected_nc_f32(step->xnn, from, products);
    if (status == xnn_status_success) status = xnn_run_operator(step->xnn, graph->pool);
    if (status != xnn_status_success) return status;
    const size_t image = i / (size_t)in[1];
    add_products(state, products, (int64_t)(i % (size_t)in[1]), in[2], out, sums + image * (count / (size_t)in[0]));
  }
  if (!is_float || state->activation != OCL_ACTIVATION_NONE) finish(state, output, sums, count);
  return xnn_status_success;
}

const ocl_kind ocl_kind_TRANSPOSE_CONV = {.state_bytes = sizeof(transpose_conv),
                                          .build = build_transpose_conv,
                                          .plan = plan_transpose_conv,
                                          .run = run_transpose_conv,
                                          .drop = drop_transpose_conv,
                                          .variant = &(const arguments){2, 1, 3, false}};
const ocl_kind ocl_kind_Convolution2DTransposeBias = {.state_bytes = sizeof(transpose_conv),
                                                      .build = build_transpose_conv,
                                                      .plan = plan_transpose_conv,
                                                      .run = run_transpose_conv,
                                                      .drop = drop_transpose_conv,
                                                      .variant = &(const arguments){0, 1, 2, true}};
