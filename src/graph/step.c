// Helpers shared by the files of operators/ (step.h).
#include "graph/step.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/text.h"
#include "tflite/dense.h"

ocl_status ocl_graph_reject(const ocl_step* step, ocl_status status, ocl_detail* detail, const char* format, ...) {
  if (detail == NULL) return status;
  // The model's bytes, and with them a custom operator's name, may be freed by now.
  const char* name = step->op.row != NULL ? step->op.row->name : ocl_tflite_operator_name(&step->op);
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
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "XNNPACK rejects its parameters (status %d)", status);
}

ocl_status ocl_graph_check_created(const ocl_step* step, enum xnn_status status, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_xnn(step, status, detail));
  return step->xnn == NULL ? OCL_OUT_OF_MEMORY : OCL_OK;
}

// ---- checks ----

ocl_status ocl_graph_check_same_dtype(ocl_graph* graph, const ocl_step* step, ocl_detail* detail) {
  if (ocl_graph_in(graph, step, 0)->dtype == ocl_graph_out(graph, step, 0)->dtype) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input and output have different dtypes");
}

ocl_status ocl_graph_check_float_or_8_bit(ocl_graph* graph, const ocl_step* step, int32_t count, ocl_detail* detail) {
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  bool fits = output->dtype == OCL_FLOAT32 || ocl_graph_is_quantized(output);
  for (int32_t i = 0; i < count; i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    fits = fits && input->dtype == output->dtype && (input->dtype == OCL_FLOAT32 || ocl_graph_is_quantized(input));
  }
  if (fits) return OCL_OK;
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                          "its tensors must all be float, or all quantized with the same 8-bit dtype");
}

ocl_status ocl_graph_check_same_quantization(ocl_graph* graph, const ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_float_or_8_bit(graph, step, 1, detail));
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  if (input->dtype == OCL_FLOAT32 || ocl_graph_is_same_quantization(input, ocl_graph_out(graph, step, 0)))
    return OCL_OK;
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input and output have different quantizations");
}

ocl_status ocl_graph_check_moves(ocl_graph* graph, const ocl_step* step, int32_t input, ocl_detail* detail) {
  const ocl_value* from = ocl_graph_in(graph, step, input);
  for (int32_t i = 0; i < step->op.num_outputs; i++) {
    const ocl_value* to = ocl_graph_out(graph, step, i);
    if (from->dtype != to->dtype)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input and output have different dtypes");
    if ((ocl_graph_is_quantized(from) || ocl_graph_is_quantized(to)) && !ocl_graph_is_same_quantization(from, to))
      return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                              "its input and output have different quantizations");
  }
  return OCL_OK;
}

ocl_status ocl_graph_check_rank_4(ocl_graph* graph, const ocl_step* step, ocl_detail* detail) {
  if (ocl_graph_in(graph, step, 0)->shape.rank == 4) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input has %d dimensions, not the 4 of [N, H, W, C]",
                          (int)ocl_graph_in(graph, step, 0)->shape.rank);
}

// ---- constants ----

ocl_status ocl_graph_constant(ocl_graph* graph, const ocl_step* step, int32_t input, ocl_tflite_tensor* tensor_out,
                              ocl_detail* detail) {
  const ocl_value* value = ocl_graph_in(graph, step, input);
  if (value == NULL || value->constant < 0)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "input %d must be a constant", (int)input);
  return ocl_graph_read_tensor(graph, value->constant, tensor_out, detail);
}

struct ocl_dense {
  ocl_dense* next;
  int64_t data[];  // aligned as any element
};

ocl_status ocl_graph_read_tensor(ocl_graph* graph, int32_t index, ocl_tflite_tensor* tensor_out, ocl_detail* detail) {
  *tensor_out = ocl_tflite_get_tensor(graph->model, index);
  if (tensor_out->encoding == OCL_TFLITE_PLAIN) return OCL_OK;
  const size_t count = ocl_shape_num_elements(&tensor_out->shape);
  const size_t size = count * ocl_dtype_size_bytes(tensor_out->dtype);
  graph->num_dense += count;
  if (graph->num_dense > OCL_GRAPH_MAX_ELEMENTS)
    return ocl_status_with_detail(OCL_MODEL_TOO_LARGE, detail, "its sparse tensors have more than 2^28 elements");
  ocl_dense* dense = malloc(sizeof *dense + size);
  if (dense == NULL) return OCL_OUT_OF_MEMORY;
  dense->next = graph->dense;
  graph->dense = dense;
  tensor_out->data = (const uint8_t*)dense->data;
  return ocl_tflite_make_dense(graph->model, index, dense->data, detail);
}

void ocl_graph_free_dense(ocl_graph* graph) {
  for (ocl_dense* next; graph->dense != NULL; graph->dense = next) {
    next = graph->dense->next;
    free(graph->dense);
  }
}

ocl_status ocl_graph_known_ints(ocl_graph* graph, const ocl_step* step, int32_t input, int32_t max, int32_t* ints_out,
                                int32_t* count_out, ocl_detail* detail) {
  const ocl_value* value = ocl_graph_in(graph, step, input);
  if (value == NULL || value->known == NULL || (value->dtype != OCL_INT32 && value->dtype != OCL_INT64))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                            "input %d must be integers that do not depend on the model's inputs", (int)input);
  const size_t count = ocl_shape_num_elements(&value->shape);
  if (count > (size_t)max)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "input %d has %u elements, at most %d", (int)input,
                            (unsigned)count, (int)max);
  for (size_t i = 0; i < count; i++) {
    const int64_t element =
        value->dtype == OCL_INT32 ? ((const int32_t*)value->data)[i] : ((const int64_t*)value->data)[i];
    if (element < INT32_MIN || element > INT32_MAX)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "input %d has an element that does not fit 32 bits",
                              (int)input);
    ints_out[i] = (int32_t)element;
  }
  *count_out = (int32_t)count;
  return OCL_OK;
}

ocl_status ocl_graph_known_size(ocl_graph* graph, const ocl_step* step, int32_t input, int32_t size_out[2],
                                ocl_detail* detail) {
  int32_t count;
  OCL_TRY(ocl_graph_known_ints(graph, step, input, 2, size_out, &count, detail));
  if (count == 2 && size_out[0] >= 1 && size_out[1] >= 1 && size_out[0] <= 65535 && size_out[1] <= 65535) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its output size must be two integers from 1 to 65535");
}

// ---- shapes ----

ocl_status ocl_graph_axis(const ocl_step* step, int32_t given, int32_t rank, int32_t* axis_out, ocl_detail* detail) {
  *axis_out = given < 0 ? given + rank : given;
  if (*axis_out >= 0 && *axis_out < rank) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "axis %d of %d dimensions", (int)given, (int)rank);
}

size_t ocl_graph_product(const ocl_shape* shape, int32_t first, int32_t end) {
  size_t product = 1;
  for (int32_t d = first; d < end; d++) product *= (size_t)shape->dims[d];
  return product;
}

void ocl_graph_share_storage(ocl_graph* graph, const ocl_step* step) {
  ocl_graph_out(graph, step, 0)->storage = ocl_graph_in(graph, step, 0)->storage;
}

void ocl_graph_to_sizes(const ocl_shape* shape, size_t sizes_out[OCL_MAX_RANK]) {
  for (int32_t i = 0; i < shape->rank; i++) sizes_out[i] = (size_t)shape->dims[i];
}

int32_t ocl_graph_dim_from_end(const ocl_shape* shape, int32_t i) {
  return i < shape->rank ? shape->dims[shape->rank - 1 - i] : 1;
}

bool ocl_graph_broadcast(const ocl_shape* a, const ocl_shape* b, ocl_shape* shape_out) {
  *shape_out = (ocl_shape){.rank = a->rank > b->rank ? a->rank : b->rank};
  for (int32_t i = 0; i < shape_out->rank; i++) {
    const int32_t x = ocl_graph_dim_from_end(a, i), y = ocl_graph_dim_from_end(b, i);
    if (x != y && x != 1 && y != 1) return false;
    shape_out->dims[shape_out->rank - 1 - i] = x == 1 ? y : x;
  }
  return true;
}

// XNNPACK keeps a pointer for each kernel element of each output pixel. A window that needs more is rejected.
static const int64_t kMaxIndirections = (int64_t)1 << 27;
// XNNPACK adds a window's rows to an input's (at most 2^28) in 32 bits.
static const int64_t kMaxSpan = (int64_t)1 << 30;

static int64_t span_of(int64_t kernel, int64_t dilation) {
  return (kernel - 1) * dilation + 1;
}

static int64_t window_outputs(ocl_padding padding, int64_t input, int64_t explicit_padding, int64_t kernel,
                              int64_t stride, int64_t dilation) {
  if (padding == OCL_PADDING_SAME) return (input + stride - 1) / stride;
  const int64_t span = span_of(kernel, dilation);
  return input + explicit_padding < span ? 0 : (input + explicit_padding - span) / stride + 1;
}

ocl_status ocl_graph_plan_window(ocl_graph* graph, const ocl_step* step, const ocl_window* window, int32_t channels,
                                 ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_pad_2d* pad = &window->explicit_padding;
  if (span_of(window->kernel_h, window->dilation_h) > kMaxSpan ||
      span_of(window->kernel_w, window->dilation_w) > kMaxSpan)
    return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "a %d x %d window, dilated by %d x %d",
                            (int)window->kernel_h, (int)window->kernel_w, (int)window->dilation_h,
                            (int)window->dilation_w);
  const int64_t out_h = window_outputs(window->padding, input->shape.dims[1], pad->top + pad->bottom, window->kernel_h,
                                       window->stride_h, window->dilation_h);
  const int64_t out_w = window_outputs(window->padding, input->shape.dims[2], pad->left + pad->right, window->kernel_w,
                                       window->stride_w, window->dilation_w);
  if (out_h < 1 || out_w < 1)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its window is larger than its input");
  if (out_h * out_w > kMaxIndirections / (window->kernel_h * window->kernel_w))
    return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail,
                            "a %d x %d window for %d x %d output pixels is too large", (int)window->kernel_h,
                            (int)window->kernel_w, (int)out_h, (int)out_w);
  ocl_graph_out(graph, step, 0)->shape =
      (ocl_shape){4, {input->shape.dims[0], (int32_t)out_h, (int32_t)out_w, channels}};
  return OCL_OK;
}

// ---- numbers ----

struct xnn_quantization_params ocl_graph_quantization_of(const ocl_value* value) {
  return (struct xnn_quantization_params){value->zero_point, value->scale};
}

bool ocl_graph_datatype_of(const ocl_value* value, enum xnn_datatype* datatype_out) {
  switch (value->dtype) {
    case OCL_FLOAT32: *datatype_out = xnn_datatype_fp32; return true;
    case OCL_INT8: *datatype_out = xnn_datatype_qint8; return value->scale > 0;
    case OCL_UINT8: *datatype_out = xnn_datatype_quint8; return value->scale > 0;
    default: return false;
  }
}

void ocl_graph_activation_bounds(ocl_activation activation, float* min_out, float* max_out) {
  *min_out = activation == OCL_ACTIVATION_NONE ? -INFINITY : activation == OCL_ACTIVATION_RELU_N1_TO_1 ? -1.0f : 0.0f;
  *max_out = activation == OCL_ACTIVATION_RELU6 ? 6.0f : activation == OCL_ACTIVATION_RELU_N1_TO_1 ? 1.0f : INFINITY;
}

int32_t ocl_graph_quantize(float real, const ocl_value* value) {
  const float min = value->dtype == OCL_INT8 ? INT8_MIN : 0, max = value->dtype == OCL_INT8 ? INT8_MAX : UINT8_MAX;
  const float stored = roundf(real / value->scale) + (float)value->zero_point;
  return (int32_t)(stored >= max ? max : stored >= min ? stored : min);
}

void ocl_graph_stored_bounds(const ocl_value* output, ocl_activation activation, int32_t* min_out, int32_t* max_out) {
  float min, max;
  ocl_graph_activation_bounds(activation, &min, &max);
  *min_out = ocl_graph_quantize(min, output);
  *max_out = ocl_graph_quantize(max, output);
}

int32_t ocl_graph_stored_at(const ocl_value* value, uint8_t byte) {
  return value->dtype == OCL_INT8 ? (int8_t)byte : byte;
}

float ocl_graph_real_at(const ocl_value* value, size_t i) {
  if (value->dtype == OCL_FLOAT32) return ((const float*)value->data)[i];
  return (float)(ocl_graph_stored_at(value, ((const uint8_t*)value->data)[i]) - value->zero_point) * value->scale;
}

void ocl_graph_store_at(const ocl_value* value, size_t i, float real) {
  if (value->dtype == OCL_FLOAT32)
    ((float*)value->data)[i] = real;
  else
    ((uint8_t*)value->data)[i] = (uint8_t)ocl_graph_quantize(real, value);
}

int64_t ocl_graph_whole_at(const ocl_value* value, size_t i) {
  switch (value->dtype) {
    case OCL_INT32: return ((const int32_t*)value->data)[i];
    case OCL_INT64: return ((const int64_t*)value->data)[i];
    case OCL_BOOL: return ((const uint8_t*)value->data)[i] != 0;
    default: return ocl_graph_stored_at(value, ((const uint8_t*)value->data)[i]);
  }
}

void ocl_graph_store_whole_at(const ocl_value* value, size_t i, int64_t whole) {
  switch (value->dtype) {
    case OCL_INT32: ((int32_t*)value->data)[i] = (int32_t)whole; break;
    case OCL_INT64: ((int64_t*)value->data)[i] = whole; break;
    default: ((uint8_t*)value->data)[i] = (uint8_t)whole;
  }
}

int64_t ocl_graph_add_wholes(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a + (uint64_t)b);
}
int64_t ocl_graph_multiply_wholes(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a * (uint64_t)b);
}
int64_t ocl_graph_larger_whole(int64_t a, int64_t b) {
  return a > b ? a : b;
}
int64_t ocl_graph_smaller_whole(int64_t a, int64_t b) {
  return a < b ? a : b;
}

float ocl_graph_identity(float x) {
  return x;
}

void ocl_graph_fill_table(uint8_t table[256], float (*f)(float x), const ocl_value* input, const ocl_value* output) {
  for (int32_t byte = 0; byte < 256; byte++) {
    const float x = (float)(ocl_graph_stored_at(input, (uint8_t)byte) - input->zero_point) * input->scale;
    table[byte] = (uint8_t)ocl_graph_quantize(f(x), output);
  }
}
