// What the operators' files share: rejections, constants, bounds of stored numbers, windows over a plane.
#include <math.h>
#include <stdarg.h>

#include "base/text.h"
#include "graph/internal.h"

ocl_status ocl_graph_reject(const ocl_step* step, ocl_status status, ocl_detail* detail, const char* format, ...) {
  if (detail == NULL) return status;
  const char* name = ocl_tflite_opcode_name(step->op.opcode);
  if (step->op.opcode == OCL_OP_CUSTOM) name = step->op.custom_name;
  const size_t used = ocl_text_format(detail->text, sizeof detail->text, "operator %d (%s): ", (int)step->index,
                                      name != NULL ? name : "unknown");
  va_list arguments;
  va_start(arguments, format);
  ocl_text_format_list(detail->text + used, sizeof detail->text - used, format, arguments);
  va_end(arguments);
  return status;
}

ocl_status ocl_graph_check_xnn(const ocl_step* step, enum xnn_status status, ocl_detail* detail) {
  if (status == xnn_status_success) return OCL_OK;
  if (status == xnn_status_out_of_memory) return OCL_OUT_OF_MEMORY;
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "XNNPACK refuses its parameters (status %d)", status);
}

ocl_status ocl_graph_constant(ocl_graph* graph, const ocl_step* step, int32_t input, ocl_tflite_tensor* tensor_out,
                              ocl_detail* detail) {
  const ocl_value* value = ocl_graph_in(graph, step, input);
  if (value == NULL || value->constant < 0)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "input %d must be a constant", (int)input);
  *tensor_out = ocl_tflite_get_tensor(graph->model, value->constant);
  return OCL_OK;
}

ocl_status ocl_graph_known_ints(ocl_graph* graph, const ocl_step* step, int32_t input, int32_t max, int32_t* ints_out,
                                int32_t* count_out, ocl_detail* detail) {
  const ocl_value* value = ocl_graph_in(graph, step, input);
  if (value == NULL || value->known == NULL || (value->dtype != OCL_INT32 && value->dtype != OCL_INT64))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "input %d must be integers known at load",
                            (int)input);
  const size_t count = ocl_shape_num_elements(&value->shape);
  if (count > (size_t)max)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "input %d has too many elements", (int)input);
  for (size_t i = 0; i < count; i++) {
    const int64_t element =
        value->dtype == OCL_INT32 ? ((const int32_t*)value->data)[i] : ((const int64_t*)value->data)[i];
    if (element < INT32_MIN || element > INT32_MAX)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "input %d is out of range", (int)input);
    ints_out[i] = (int32_t)element;
  }
  *count_out = (int32_t)count;
  return OCL_OK;
}

void ocl_graph_share_storage(ocl_graph* graph, const ocl_step* step) {
  ocl_graph_out(graph, step, 0)->storage = ocl_graph_in(graph, step, 0)->storage;
}

void ocl_graph_activation_bounds(ocl_activation activation, float* min_out, float* max_out) {
  *min_out = activation == OCL_ACTIVATION_NONE ? -INFINITY : activation == OCL_ACTIVATION_RELU_N1_TO_1 ? -1.0f : 0.0f;
  *max_out = activation == OCL_ACTIVATION_RELU6 ? 6.0f : activation == OCL_ACTIVATION_RELU_N1_TO_1 ? 1.0f : INFINITY;
}

int32_t ocl_graph_quantize(float real, const ocl_value* value) {
  const float min = (float)ocl_graph_stored_min(value->dtype), max = (float)ocl_graph_stored_max(value->dtype);
  const float stored = roundf(real / value->scale) + (float)value->zero_point;
  return (int32_t)(stored >= max ? max : stored >= min ? stored : min);
}

void ocl_graph_stored_bounds(const ocl_value* output, ocl_activation activation, int32_t* min_out, int32_t* max_out) {
  float min, max;
  ocl_graph_activation_bounds(activation, &min, &max);
  *min_out = ocl_graph_quantize(min, output);
  *max_out = ocl_graph_quantize(max, output);
}

ocl_status ocl_graph_build_clamp(ocl_graph* graph, ocl_step* step, ocl_activation activation, ocl_detail* detail) {
  if (activation == OCL_ACTIVATION_NONE) return OCL_OK;
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const enum xnn_datatype datatype = output->dtype == OCL_FLOAT32 ? xnn_datatype_fp32
                                     : output->dtype == OCL_INT8  ? xnn_datatype_qint8
                                                                  : xnn_datatype_quint8;
  const struct xnn_quantization_params quantization = {output->zero_point, output->scale};
  union xnn_unary_params params;
  ocl_graph_activation_bounds(activation, &params.clamp.min, &params.clamp.max);
  return ocl_graph_check_xnn(step,
                             xnn_create_unary_elementwise_nc(xnn_unary_clamp, datatype, datatype, &params,
                                                             &quantization, &quantization, 0, &step->clamp),
                             detail);
}

// XNNPACK keeps a pointer for each kernel element of each output pixel; past this a window is refused.
static const int64_t kMaxIndirections = (int64_t)1 << 27;

static int64_t window_outputs(ocl_padding padding, int64_t input, int64_t explicit_padding, int64_t kernel,
                              int64_t stride, int64_t dilation) {
  if (padding == OCL_PADDING_SAME) return (input + stride - 1) / stride;
  const int64_t span = (kernel - 1) * dilation + 1;
  return input + explicit_padding < span ? 0 : (input + explicit_padding - span) / stride + 1;
}

ocl_status ocl_graph_plan_window(ocl_graph* graph, const ocl_step* step, const ocl_window* window, int32_t channels,
                                 ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_pad_2d* pad = &window->explicit_padding;
  const int64_t out_h = window_outputs(window->padding, input->shape.dims[1], pad->top + pad->bottom, window->kernel_h,
                                       window->stride_h, window->dilation_h);
  const int64_t out_w = window_outputs(window->padding, input->shape.dims[2], pad->left + pad->right, window->kernel_w,
                                       window->stride_w, window->dilation_w);
  if (out_h < 1 || out_w < 1)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its window is larger than its input");
  if (out_h * out_w > kMaxIndirections / (window->kernel_h * window->kernel_w))
    return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "a %d x %d window over %d x %d", (int)window->kernel_h,
                            (int)window->kernel_w, (int)out_h, (int)out_w);
  ocl_graph_out(graph, step, 0)->shape =
      (ocl_shape){4, {input->shape.dims[0], (int32_t)out_h, (int32_t)out_w, channels}};
  return OCL_OK;
}

ocl_status ocl_graph_check_rank_4(ocl_graph* graph, const ocl_step* step, ocl_detail* detail) {
  if (ocl_graph_in(graph, step, 0)->shape.rank == 4) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input is not [N, H, W, C]");
}
