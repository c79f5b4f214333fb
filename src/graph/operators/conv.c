// The operators with weights: convolutions and the fully connected layer.
// Feature maps are [N, H, W, C]; kernels as TFLite has them, [O, kH, kW, I] and, depthwise, [1, kH, kW, O].
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/internal.h"
#include "kernels/kernels.h"
#include "tflite/weights.h"

static const uint64_t kMaxPackedWeights = (uint64_t)1 << 28;

// ---- weights ----

// Kernel and bias of one operator in the form that XNNPACK packs from, made for the moment of packing.
typedef struct {
  ocl_dtype dtype;  // of activations: FLOAT32, INT8, UINT8
  const void* kernel;
  bool are_halves;   // the kernel of a float operator is float16
  const void* bias;  // float or int32; NULL: none
  float* scales;     // of 8-bit kernels: per output channel
  float kernel_scale;
  uint8_t kernel_zero_point;
  void* owned[3];
} weights;

static void free_weights(weights* w) {
  for (size_t i = 0; i < sizeof w->owned / sizeof *w->owned; i++) free(w->owned[i]);
}

// `tensor`'s values as floats: its own, or unpacked into *owned.
static ocl_status as_floats(const ocl_step* step, const ocl_tflite_tensor* tensor, const void** values_out,
                            void** owned, ocl_detail* detail) {
  *values_out = tensor->data;
  if (tensor->dtype == OCL_FLOAT32) return OCL_OK;
  float* values = *owned = malloc(ocl_shape_num_elements(&tensor->shape) * sizeof(float) + 1);
  if (values == NULL) return OCL_OUT_OF_MEMORY;
  *values_out = values;
  if (ocl_weights_to_float(tensor, values) == OCL_OK) return OCL_OK;
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "a float operator with weights of another dtype");
}

static ocl_status channel_scales(const ocl_step* step, const ocl_quantization* q, int32_t num_outputs, weights* w,
                                 ocl_detail* detail) {
  for (int32_t i = 0; i < q->num_scales; i++)
    if (q->zero_points != NULL && q->zero_points[i] != 0)
      return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its weights are not symmetric");
  w->scales = w->owned[2] = malloc((size_t)num_outputs * sizeof(float));
  if (w->scales == NULL) return OCL_OUT_OF_MEMORY;
  for (int32_t i = 0; i < num_outputs; i++) w->scales[i] = q->scales[q->num_scales == 1 ? 0 : i];
  return OCL_OK;
}

// A convolution of all inputs with all outputs whose kernel stays as it is.
static bool can_pack_halves(const ocl_graph* graph, const ocl_step* step, const ocl_tflite_tensor* kernel) {
  const int32_t* dims = kernel->shape.dims;
  return kernel->dtype == OCL_FLOAT16 && step->kind == &ocl_graph_conv && dims[3] == step->channels &&
         step->columns.total == 0 && !graph->has_builtin_rounding &&
         ocl_kernels_pack_halves((size_t)dims[3], (size_t)dims[0]);
}

static ocl_status float_weights(const ocl_graph* graph, ocl_step* step, const ocl_tflite_tensor* kernel,
                                const ocl_tflite_tensor* bias, int32_t num_outputs, weights* w, ocl_detail* detail) {
  if (bias != NULL) OCL_TRY(as_floats(step, bias, &w->bias, &w->owned[1], detail));
  w->are_halves = can_pack_halves(graph, step, kernel);
  w->kernel = kernel->data;
  if (w->are_halves) return OCL_OK;
  if (kernel->dtype != OCL_INT8 || kernel->quantization.num_scales == 0)
    return as_floats(step, kernel, &w->kernel, &w->owned[0], detail);
  step->sums = OCL_SUMS_HYBRID;
  return channel_scales(step, &kernel->quantization, num_outputs, w, detail);
}

static ocl_status quantized_weights(ocl_graph* graph, ocl_step* step, const ocl_tflite_tensor* kernel,
                                    const ocl_tflite_tensor* bias, int32_t num_outputs, weights* w,
                                    ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const ocl_quantization* q = &kernel->quantization;
  if (kernel->dtype != w->dtype || output->dtype != w->dtype || (bias != NULL && bias->dtype != OCL_INT32) ||
      !ocl_graph_is_quantized(input) || !ocl_graph_is_quantized(output) || q->num_scales == 0)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its tensors' dtypes are not of one 8-bit kind");
  for (int32_t i = 0; i < q->num_scales; i++)  // the factor of an int32 sum; XNNPACK takes no larger one
    if (input->scale * q->scales[i] / output->scale >= 256)
      return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its scales are too far apart");
  w->kernel = kernel->data;
  w->bias = bias == NULL ? NULL : bias->data;
  w->kernel_scale = q->scales[0];
  w->kernel_zero_point = (uint8_t)(q->zero_points == NULL ? 0 : q->zero_points[0]);
  if (w->dtype == OCL_INT8 && graph->has_builtin_rounding) step->sums = OCL_SUMS_ROUNDED_TWICE;
  if (w->dtype == OCL_INT8) return channel_scales(step, q, num_outputs, w, detail);
  if (q->num_scales == 1) return OCL_OK;
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its unsigned weights have several scales");
}

static ocl_status keep_channels(const ocl_step* step, weights* w, ocl_tflite_tensor* kernel) {
  if (step->columns.total == 0) return OCL_OK;
  const int32_t num_outputs = kernel->shape.dims[0];
  const bool is_float = w->dtype == OCL_FLOAT32 && step->sums == OCL_SUMS_OF_XNNPACK;
  const size_t row_bytes = ocl_shape_num_elements(&kernel->shape) / (size_t)num_outputs * (is_float ? 4 : 1);
  const void* scales = w->scales;
  OCL_TRY(ocl_graph_keep_rows(step, num_outputs, row_bytes, &w->kernel, &w->owned[0]));
  OCL_TRY(ocl_graph_keep_rows(step, num_outputs, 4, &w->bias, &w->owned[1]));
  OCL_TRY(ocl_graph_keep_rows(step, num_outputs, 4, &scales, &w->owned[2]));
  w->scales = w->owned[2];
  kernel->shape.dims[0] = num_outputs / step->columns.total * step->columns.count;
  return OCL_OK;
}

// Reads inputs 1 (kernel) and 2 (bias, optional) of `step`. The caller frees with free_weights(), on failure too.
static ocl_status read_weights(ocl_graph* graph, ocl_step* step, int32_t rank, int32_t output_axis, weights* w,
                               ocl_tflite_tensor* kernel, ocl_detail* detail) {
  *w = (weights){.dtype = ocl_graph_in(graph, step, 0)->dtype};
  ocl_tflite_tensor bias_tensor;
  const ocl_tflite_tensor* bias = NULL;
  OCL_TRY(ocl_graph_constant(graph, step, 1, kernel, detail));
  if (kernel->shape.rank != rank || ocl_shape_num_elements(&kernel->shape) == 0)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its kernel's shape is not one of a kernel");
  if (kernel->quantization.num_scales > 1 && kernel->quantization.axis != output_axis)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its weights' scales are not per output channel");
  const int32_t num_outputs = kernel->shape.dims[output_axis];
  if (ocl_graph_in(graph, step, 2) != NULL) {
    OCL_TRY(ocl_graph_constant(graph, step, 2, &bias_tensor, detail));
    bias = &bias_tensor;
    if (ocl_shape_num_elements(&bias->shape) != (size_t)num_outputs)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its bias does not have one element per output");
  }
  if (w->dtype == OCL_INT8 || w->dtype == OCL_UINT8) {
    OCL_TRY(quantized_weights(graph, step, kernel, bias, num_outputs, w, detail));
  } else {
    if (w->dtype != OCL_FLOAT32 || ocl_graph_out(graph, step, 0)->dtype != OCL_FLOAT32)
      return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its activations are neither float nor 8-bit");
    OCL_TRY(float_weights(graph, step, kernel, bias, num_outputs, w, detail));
  }
  OCL_TRY(keep_channels(step, w, kernel));
  step->num_parameters = ocl_shape_num_elements(&kernel->shape);
  if (bias != NULL) step->num_parameters += (uint64_t)kernel->shape.dims[output_axis];
  return OCL_OK;
}

// XNNPACK pads each group to whole tiles of at most 16 outputs and 8 inputs: few weights may become many, and their
// number must fit 32 bits.
static ocl_status check_packed_size(const ocl_step* step, uint64_t groups, uint64_t group_outputs,
                                    uint64_t inputs_per_output, ocl_detail* detail) {
  const uint64_t weights_per_group = ((group_outputs + 15) & ~UINT64_C(15)) * ((inputs_per_output + 7) & ~UINT64_C(7));
  if (weights_per_group <= kMaxPackedWeights / groups) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "%u groups of %u outputs", (unsigned)groups,
                          (unsigned)group_outputs);
}

// The dtype that XNNPACK's operator has.
static ocl_dtype inner_dtype(ocl_graph* graph, const ocl_step* step) {
  return step->sums == OCL_SUMS_OF_XNNPACK ? ocl_graph_in(graph, step, 0)->dtype : OCL_FLOAT32;
}

// Gives XNNPACK whole numbers to sum, where graph_sums.c makes the outputs of the sums.
static ocl_status split_sums(ocl_graph* graph, ocl_step* step, size_t count, size_t channels, weights* w) {
  if (step->sums == OCL_SUMS_OF_XNNPACK) return OCL_OK;
  float* numbers;
  OCL_TRY(ocl_graph_build_sums(graph, step, w->scales, w->bias, channels));
  OCL_TRY(ocl_graph_whole_numbers(w->kernel, count, &numbers));
  free(w->owned[0]);
  w->kernel = w->owned[0] = numbers;
  w->bias = NULL;
  w->dtype = OCL_FLOAT32;
  return OCL_OK;
}

// ---- convolutions ----

typedef struct {
  uint32_t groups, flags;
  size_t group_inputs, group_outputs;
} grouping;

static enum xnn_status create_convolution(const ocl_graph* graph, ocl_step* step, const grouping* g, const weights* w) {
  const ocl_value* input = &graph->values[step->op.inputs[0]];
  const ocl_value* output = &graph->values[step->op.outputs[0]];
  const ocl_pad_2d* pad = &step->padding;
  const uint32_t kernel_h = (uint32_t)step->kernel[1], kernel_w = (uint32_t)step->kernel[2];
  const uint32_t stride_h = (uint32_t)step->op.options.conv.stride_h,
                 stride_w = (uint32_t)step->op.options.conv.stride_w;
  const uint32_t dilation_h = (uint32_t)step->op.options.conv.dilation_h;
  const uint32_t dilation_w = (uint32_t)step->op.options.conv.dilation_w;
  const ocl_activation activation = step->op.options.conv.activation;
  const size_t in_stride = g->groups * g->group_inputs, out_stride = g->groups * g->group_outputs;
#define WINDOW                                                                                                        \
  (uint32_t)pad->top, (uint32_t)pad->right, (uint32_t)pad->bottom, (uint32_t)pad->left, kernel_h, kernel_w, stride_h, \
      stride_w, dilation_h, dilation_w, g->groups, g->group_inputs, g->group_outputs, in_stride, out_stride
  if (w->dtype == OCL_FLOAT32) {
    float min, max;
    ocl_graph_activation_bounds(step->sums == OCL_SUMS_OF_XNNPACK ? activation : OCL_ACTIVATION_NONE, &min, &max);
    ocl_pack_f32_from_halves(w->are_halves);
    const enum xnn_status status =
        xnn_create_convolution2d_nhwc_f32(WINDOW, w->kernel, w->bias, min, max, g->flags, NULL, NULL, &step->xnn);
    ocl_pack_f32_from_halves(false);
    return status;
  }
  int32_t min, max;
  ocl_graph_stored_bounds(output, activation, &min, &max);
  if (w->dtype == OCL_INT8)
    return xnn_create_convolution2d_nhwc_qs8_qc8w(WINDOW, (int8_t)input->zero_point, input->scale, w->scales, w->kernel,
                                                  w->bias, (int8_t)output->zero_point, output->scale, (int8_t)min,
                                                  (int8_t)max, g->flags, NULL, NULL, &step->xnn);
  return xnn_create_convolution2d_nhwc_qu8(WINDOW, (uint8_t)input->zero_point, input->scale, w->kernel_zero_point,
                                           w->kernel_scale, w->kernel, w->bias, (uint8_t)output->zero_point,
                                           output->scale, (uint8_t)min, (uint8_t)max, g->flags, NULL, NULL, &step->xnn);
#undef WINDOW
}

static int64_t same_padding(int64_t size, int64_t kernel, int64_t dilation, int64_t stride) {
  return (size - 1) / stride * stride + (kernel - 1) * dilation + 1 - size;
}

// Where strides are larger than the window, SAME may want less than no padding, which XNNPACK takes for very much: such
// an operator gets its padding in numbers.
static void number_padding(const ocl_value* input, ocl_step* step) {
  const int64_t height = same_padding(input->shape.dims[1], step->kernel[1], step->op.options.conv.dilation_h,
                                      step->op.options.conv.stride_h);
  const int64_t width = same_padding(input->shape.dims[2], step->kernel[2], step->op.options.conv.dilation_w,
                                     step->op.options.conv.stride_w);
  if (step->op.options.conv.padding != OCL_PADDING_SAME || (height >= 0 && width >= 0)) return;
  const int32_t rows = height > 0 ? (int32_t)height : 0, columns = width > 0 ? (int32_t)width : 0;
  step->padding = (ocl_pad_2d){rows / 2, rows - rows / 2, columns / 2, columns - columns / 2};
  step->op.options.conv.padding = OCL_PADDING_VALID;
}

// TFLite's converter leaves weights of fewer elements than this in float.
static const size_t kFewestQuantized = 1024;

// A float convolution whose last bit later layers round to 8 bits.
static bool is_builtin(const ocl_graph* graph, const ocl_step* step, const grouping* g, const weights* w) {
  const size_t num_weights =
      (size_t)step->kernel[0] * (size_t)step->kernel[1] * (size_t)step->kernel[2] * (size_t)step->kernel[3];
  return graph->has_builtin_rounding && graph->is_dynamic_range && step->sums == OCL_SUMS_OF_XNNPACK &&
         w->dtype == OCL_FLOAT32 && num_weights < kFewestQuantized &&
         (g->groups == 1 || step->kind == &ocl_graph_depthwise_conv);
}

static ocl_status build_convolution(ocl_graph* graph, ocl_step* step, bool is_depthwise, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_rank_4(graph, step, detail));
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const int32_t channels = input->shape.dims[3];
  step->padding = input->padding;
  step->channels = channels;
  weights w;
  ocl_tflite_tensor kernel;
  ocl_status status = read_weights(graph, step, 4, is_depthwise ? 3 : 0, &w, &kernel, detail);
  grouping g = {0};
  if (status == OCL_OK) {
    const int32_t* dims = kernel.shape.dims;
    for (int i = 0; i < 4; i++) step->kernel[i] = dims[i];
    number_padding(input, step);
    if (step->op.options.conv.padding == OCL_PADDING_SAME) g.flags = XNN_FLAG_TENSORFLOW_SAME_PADDING;
    const int32_t outputs = dims[is_depthwise ? 3 : 0], group_inputs = is_depthwise ? 1 : dims[3];
    g.groups = (uint32_t)(channels / group_inputs);
    g.group_inputs = (size_t)group_inputs;
    g.group_outputs = g.groups == 0 ? 0 : (size_t)outputs / g.groups;
    if (is_depthwise) g.flags |= XNN_FLAG_DEPTHWISE_CONVOLUTION;
    if (g.groups == 0 || channels % group_inputs != 0 || outputs % (int32_t)g.groups != 0 ||
        (is_depthwise && dims[0] != 1))
      status =
          ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its kernel does not fit %d channels", (int)channels);
  }
  if (status == OCL_OK)
    status = check_packed_size(step, g.groups, g.group_outputs,
                               (uint64_t)step->kernel[1] * (uint64_t)step->kernel[2] * g.group_inputs, detail);
  if (status == OCL_OK)
    status = split_sums(graph, step, ocl_shape_num_elements(&kernel.shape),
                        (size_t)kernel.shape.dims[is_depthwise ? 3 : 0], &w);
  if (status == OCL_OK && is_builtin(graph, step, &g, &w))
    status = ocl_graph_build_builtin_conv(step, w.kernel, w.bias);
  else if (status == OCL_OK)
    status = ocl_graph_check_xnn(step, create_convolution(graph, step, &g, &w), detail);
  free_weights(&w);
  return status;
}

static ocl_status build_conv(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return build_convolution(graph, step, false, detail);
}

static ocl_status build_depthwise(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return build_convolution(graph, step, true, detail);
}

static enum xnn_status reshape_in_xnn(ocl_graph* graph, ocl_step* step) {
  const int32_t* dims = ocl_graph_in(graph, step, 0)->shape.dims;
  const size_t n = (size_t)dims[0], h = (size_t)dims[1], w = (size_t)dims[2];
  size_t alignment, out_h, out_w;
  switch (inner_dtype(graph, step)) {
    case OCL_FLOAT32:
      return xnn_reshape_convolution2d_nhwc_f32(step->xnn, n, h, w, &step->workspace_bytes, &alignment, &out_h, &out_w,
                                                graph->pool);
    case OCL_INT8:
      return xnn_reshape_convolution2d_nhwc_qs8_qc8w(step->xnn, n, h, w, &step->workspace_bytes, &alignment, &out_h,
                                                     &out_w, graph->pool);
    default:
      return xnn_reshape_convolution2d_nhwc_qu8(step->xnn, n, h, w, &step->workspace_bytes, &alignment, &out_h, &out_w,
                                                graph->pool);
  }
}

static ocl_status reshape_convolution(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  if (ocl_graph_prepare_rows(step)) {
    OCL_TRY(ocl_graph_check_xnn(step, reshape_in_xnn(graph, step), detail));
    OCL_TRY(ocl_graph_share_rows(step));
    step->workspace_bytes = 0;
    if (step->rows.num_alike > 0) return OCL_OK;
  }
  return ocl_graph_check_xnn(step, reshape_in_xnn(graph, step), detail);
}

static ocl_status plan_convolution(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_rank_4(graph, step, detail));
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const bool is_depthwise = step->kind == &ocl_graph_depthwise_conv;
  const int32_t group_inputs = is_depthwise ? 1 : step->kernel[3];
  const int32_t outputs = step->kernel[is_depthwise ? 3 : 0];
  const ocl_window w = {step->op.options.conv.padding,
                        step->padding,
                        step->kernel[1],
                        step->kernel[2],
                        step->op.options.conv.stride_h,
                        step->op.options.conv.stride_w,
                        step->op.options.conv.dilation_h,
                        step->op.options.conv.dilation_w};
  // The operator was built for the shape in the file; what arrives here is the shape that follows from the inputs.
  if (input->shape.dims[3] != step->channels)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input has %d channels", input->shape.dims[3]);
  OCL_TRY(ocl_graph_plan_window(graph, step, &w, outputs, detail));
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  step->multiply_adds = (uint64_t)ocl_shape_num_elements(&output->shape) * (uint64_t)step->kernel[1] *
                        (uint64_t)step->kernel[2] * (uint64_t)group_inputs;
  if (step->xnn == NULL) return OCL_OK;
  OCL_TRY(reshape_convolution(graph, step, detail));
  step->workspace_bytes += ocl_graph_sums_bytes(graph, step);
  return OCL_OK;
}

static enum xnn_status bind_convolution(ocl_graph* graph, ocl_step* step) {
  const void* input = ocl_graph_sums_input(graph, step);
  void* output = ocl_graph_sums_output(graph, step);
  void* workspace = (uint8_t*)step->workspace + ocl_graph_sums_bytes(graph, step);
  const ocl_dtype dtype = inner_dtype(graph, step);
  if (dtype == OCL_FLOAT32) return xnn_setup_convolution2d_nhwc_f32(step->xnn, workspace, input, output);
  if (dtype == OCL_INT8) return xnn_setup_convolution2d_nhwc_qs8_qc8w(step->xnn, workspace, input, output);
  return xnn_setup_convolution2d_nhwc_qu8(step->xnn, workspace, input, output);
}

const ocl_kind ocl_graph_conv = {build_conv, plan_convolution, bind_convolution, ocl_graph_run_builtin_conv};
const ocl_kind ocl_graph_depthwise_conv = {build_depthwise, plan_convolution, bind_convolution,
                                           ocl_graph_run_builtin_conv};

// ---- fully connected ----

static ocl_status build_fully_connected(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  weights w;
  ocl_tflite_tensor kernel;
  ocl_status status = read_weights(graph, step, 2, 0, &w, &kernel, detail);
  if (status == OCL_OK)
    status = check_packed_size(step, 1, (uint64_t)kernel.shape.dims[0], (uint64_t)kernel.shape.dims[1], detail);
  if (status == OCL_OK)
    status = split_sums(graph, step, ocl_shape_num_elements(&kernel.shape), (size_t)kernel.shape.dims[0], &w);
  if (status == OCL_OK) {
    const ocl_value* input = ocl_graph_in(graph, step, 0);
    const ocl_value* output = ocl_graph_out(graph, step, 0);
    const ocl_activation activation = step->op.options.fully_connected.activation;
    const size_t inputs = (size_t)kernel.shape.dims[1], outputs = (size_t)kernel.shape.dims[0];
    step->kernel[0] = kernel.shape.dims[0];
    step->kernel[1] = kernel.shape.dims[1];
    float min, max;
    int32_t stored_min = 0, stored_max = 0;
    ocl_graph_activation_bounds(step->sums == OCL_SUMS_OF_XNNPACK ? activation : OCL_ACTIVATION_NONE, &min, &max);
    if (w.dtype != OCL_FLOAT32) ocl_graph_stored_bounds(output, activation, &stored_min, &stored_max);
    const enum xnn_status created =
        w.dtype == OCL_FLOAT32 ? xnn_create_fully_connected_nc_f32(inputs, outputs, inputs, outputs, w.kernel, w.bias,
                                                                   min, max, 0, NULL, NULL, &step->xnn)
        : w.dtype == OCL_INT8
            ? xnn_create_fully_connected_nc_qs8_qc8w(inputs, outputs, inputs, outputs, (int8_t)input->zero_point,
                                                     input->scale, w.scales, w.kernel, w.bias,
                                                     (int8_t)output->zero_point, output->scale, (int8_t)stored_min,
                                                     (int8_t)stored_max, 0, NULL, NULL, &step->xnn)
            : xnn_create_fully_connected_nc_qu8(inputs, outputs, inputs, outputs, (uint8_t)input->zero_point,
                                                input->scale, w.kernel_zero_point, w.kernel_scale, w.kernel, w.bias,
                                                (uint8_t)output->zero_point, output->scale, (uint8_t)stored_min,
                                                (uint8_t)stored_max, 0, NULL, NULL, &step->xnn);
    status = ocl_graph_check_xnn(step, created, detail);
  }
  free_weights(&w);
  return status;
}

static ocl_status plan_fully_connected(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_value* output = ocl_graph_out(graph, step, 0);
  const int32_t outputs = step->kernel[0], inputs = step->kernel[1];
  const size_t elements = ocl_shape_num_elements(&input->shape);
  if (input->shape.rank < 1 || elements % (size_t)inputs != 0)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input is not a multiple of %d", (int)inputs);
  const size_t batch = elements / (size_t)inputs;
  if (step->op.options.fully_connected.keep_num_dims) {
    if (input->shape.dims[input->shape.rank - 1] != inputs)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input's last dimension is not %d", (int)inputs);
    output->shape = input->shape;
    output->shape.dims[input->shape.rank - 1] = outputs;
  } else {
    output->shape = (ocl_shape){2, {(int32_t)batch, outputs}};
  }
  step->multiply_adds = (uint64_t)batch * (uint64_t)inputs * (uint64_t)outputs;
  const ocl_dtype dtype = inner_dtype(graph, step);
  const enum xnn_status status =
      dtype == OCL_FLOAT32 ? xnn_reshape_fully_connected_nc_f32(step->xnn, batch, graph->pool)
      : dtype == OCL_INT8  ? xnn_reshape_fully_connected_nc_qs8_qc8w(step->xnn, batch, graph->pool)
                           : xnn_reshape_fully_connected_nc_qu8(step->xnn, batch, graph->pool);
  step->workspace_bytes = ocl_graph_sums_bytes(graph, step);
  return ocl_graph_check_xnn(step, status, detail);
}

static enum xnn_status bind_fully_connected(ocl_graph* graph, ocl_step* step) {
  const void* input = ocl_graph_sums_input(graph, step);
  void* output = ocl_graph_sums_output(graph, step);
  const ocl_dtype dtype = inner_dtype(graph, step);
  if (dtype == OCL_FLOAT32) return xnn_setup_fully_connected_nc_f32(step->xnn, input, output);
  if (dtype == OCL_INT8) return xnn_setup_fully_connected_nc_qs8_qc8w(step->xnn, input, output);
  return xnn_setup_fully_connected_nc_qu8(step->xnn, input, output);
}

const ocl_kind ocl_graph_fully_connected = {build_fully_connected, plan_fully_connected, bind_fully_connected, NULL};
