// Elementwise arithmetic, activations, softmax, mean, resize, and the detection post-processing operator.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/internal.h"
#include "tflite/flexbuffer.h"

static struct xnn_quantization_params quantization_of(const ocl_value* value) {
  return (struct xnn_quantization_params){value->zero_point, value->scale};
}

// false: not a dtype that this file computes in.
static bool xnn_datatype_of(const ocl_value* value, enum xnn_datatype* datatype_out) {
  switch (value->dtype) {
    case OCL_FLOAT32: *datatype_out = xnn_datatype_fp32; return true;
    case OCL_INT8: *datatype_out = xnn_datatype_qint8; return value->scale > 0;
    case OCL_UINT8: *datatype_out = xnn_datatype_quint8; return value->scale > 0;
    default: return false;
  }
}

static void to_sizes(const ocl_shape* shape, size_t sizes[OCL_MAX_RANK]) {
  for (int32_t i = 0; i < shape->rank; i++) sizes[i] = (size_t)shape->dims[i];
}

// ---- ADD, SUB, MUL, with numpy's broadcasting ----

static bool is_ratio_in(float ratio, float min, float max) {
  return ratio >= min && ratio < max;
}

// Where XNNPACK's 8-bit arithmetic is defined (asserted in its microparams-init.c).
static bool are_scales_close(const ocl_value* a, const ocl_value* b, const ocl_value* output,
                             enum xnn_binary_operator type) {
  if (output->dtype != OCL_INT8 && output->dtype != OCL_UINT8) return true;
  if (type == xnn_binary_multiply) return is_ratio_in(a->scale * b->scale / output->scale, 0x1p-16f, 0x1p8f);
  const float ratio_a = a->scale / output->scale, ratio_b = b->scale / output->scale;
  return is_ratio_in(ratio_a, 0x1p-10f, 0x1p8f) && is_ratio_in(ratio_b, 0x1p-10f, 0x1p8f) &&
         fmaxf(ratio_a, ratio_b) >= 0x1p-10f;
}

// Shape arithmetic: integers, always few.
static bool is_int32(ocl_graph* graph, const ocl_step* step) {
  return ocl_graph_in(graph, step, 0)->dtype == OCL_INT32 && ocl_graph_in(graph, step, 1)->dtype == OCL_INT32 &&
         ocl_graph_out(graph, step, 0)->dtype == OCL_INT32 && step->op.options.binary.activation == OCL_ACTIVATION_NONE;
}

static ocl_status build_binary(ocl_graph* graph, ocl_step* step, enum xnn_binary_operator type, ocl_detail* detail) {
  const ocl_value* a = ocl_graph_in(graph, step, 0);
  const ocl_value* b = ocl_graph_in(graph, step, 1);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  enum xnn_datatype datatype;
  if (is_int32(graph, step)) return OCL_OK;
  if (a->dtype != b->dtype || a->dtype != output->dtype || !xnn_datatype_of(a, &datatype) ||
      !xnn_datatype_of(b, &datatype) || !xnn_datatype_of(output, &datatype))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its tensors are not of one dtype");
  if (!are_scales_close(a, b, output, type))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its scales are too far apart");
  const struct xnn_quantization_params qa = quantization_of(a), qb = quantization_of(b), qo = quantization_of(output);
  OCL_TRY(ocl_graph_check_xnn(step, xnn_create_binary_elementwise_nd(type, datatype, &qa, &qb, &qo, 0, &step->xnn),
                              detail));
  return ocl_graph_build_clamp(graph, step, step->op.options.binary.activation, detail);
}

static ocl_status build_add(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return build_binary(graph, step, xnn_binary_add, detail);
}
static ocl_status build_sub(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return build_binary(graph, step, xnn_binary_subtract, detail);
}
static ocl_status build_mul(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return build_binary(graph, step, xnn_binary_multiply, detail);
}

// Dimension `i` counted from the last.
static int32_t dim_from_end(const ocl_shape* shape, int32_t i) {
  return i < shape->rank ? shape->dims[shape->rank - 1 - i] : 1;
}

static ocl_status plan_binary(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* a = &ocl_graph_in(graph, step, 0)->shape;
  const ocl_shape* b = &ocl_graph_in(graph, step, 1)->shape;
  ocl_shape shape = {.rank = a->rank > b->rank ? a->rank : b->rank};
  for (int32_t i = 0; i < shape.rank; i++) {
    const int32_t x = dim_from_end(a, i), y = dim_from_end(b, i);
    if (x != y && x != 1 && y != 1)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its shapes do not broadcast");
    shape.dims[shape.rank - 1 - i] = x == 1 ? y : x;
  }
  ocl_graph_out(graph, step, 0)->shape = shape;
  if (step->xnn == NULL) {
    const bool is_elementwise = ocl_shape_num_elements(a) == 1 || ocl_shape_num_elements(b) == 1 ||
                                ocl_shape_num_elements(a) == ocl_shape_num_elements(b);
    return is_elementwise ? OCL_OK : ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "these integers' shapes");
  }
  size_t sizes_a[OCL_MAX_RANK], sizes_b[OCL_MAX_RANK];
  to_sizes(a, sizes_a);
  to_sizes(b, sizes_b);
  return ocl_graph_check_xnn(
      step,
      xnn_reshape_binary_elementwise_nd(step->xnn, (size_t)a->rank, sizes_a, (size_t)b->rank, sizes_b, graph->pool),
      detail);
}

static enum xnn_status bind_binary(ocl_graph* graph, ocl_step* step) {
  return xnn_setup_binary_elementwise_nd(step->xnn, ocl_graph_in(graph, step, 0)->data,
                                         ocl_graph_in(graph, step, 1)->data, ocl_graph_out(graph, step, 0)->data);
}

static void run_int32(ocl_graph* graph, ocl_step* step) {
  const ocl_value* values[] = {ocl_graph_in(graph, step, 0), ocl_graph_in(graph, step, 1)};
  const size_t strides[] = {ocl_shape_num_elements(&values[0]->shape) > 1,
                            ocl_shape_num_elements(&values[1]->shape) > 1};
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  for (size_t i = 0; i < ocl_shape_num_elements(&output->shape); i++) {
    const uint32_t x = ((const uint32_t*)values[0]->data)[i * strides[0]];
    const uint32_t y = ((const uint32_t*)values[1]->data)[i * strides[1]];
    ((uint32_t*)output->data)[i] = step->op.opcode == OCL_OP_ADD   ? x + y
                                   : step->op.opcode == OCL_OP_SUB ? x - y
                                                                   : x * y;
  }
}

const ocl_kind ocl_graph_add = {build_add, plan_binary, bind_binary, run_int32};
const ocl_kind ocl_graph_sub = {build_sub, plan_binary, bind_binary, run_int32};
const ocl_kind ocl_graph_mul = {build_mul, plan_binary, bind_binary, run_int32};

// ---- RELU, RELU6, LOGISTIC, HARD_SWISH, QUANTIZE, DEQUANTIZE ----
// From 8 bits to 8 bits any of them is a table of 256; the rest is XNNPACK's.

static float apply(int32_t opcode, float x) {
  switch (opcode) {
    case OCL_OP_RELU: return x > 0 ? x : 0;
    case OCL_OP_RELU6: return x > 0 ? (x < 6 ? x : 6) : 0;
    case OCL_OP_LOGISTIC: return 1 / (1 + expf(-x));
    case OCL_OP_HARD_SWISH: return x * fminf(fmaxf(x + 3, 0), 6) / 6;
    default: return x;  // QUANTIZE between 8-bit scales
  }
}

static int32_t stored_at(const ocl_value* value, int32_t byte) {
  return value->dtype == OCL_INT8 ? (int8_t)byte : byte;
}

void ocl_graph_fill_table(uint8_t table[256], int32_t opcode, const ocl_value* input, const ocl_value* output) {
  for (int32_t byte = 0; byte < 256; byte++) {
    const float x = (float)(stored_at(input, byte) - input->zero_point) * input->scale;
    table[byte] = (uint8_t)ocl_graph_quantize(apply(opcode, x), output);
  }
}

static ocl_status build_unary_float(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  enum xnn_datatype from, to;
  if (!xnn_datatype_of(input, &from) || !xnn_datatype_of(output, &to))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its tensors are neither float nor 8-bit");
  enum xnn_unary_operator type = xnn_unary_convert;
  union xnn_unary_params params = {.clamp = {0, INFINITY}};
  switch (step->op.opcode) {
    case OCL_OP_RELU6: params.clamp.max = 6;  // fall through
    case OCL_OP_RELU: type = xnn_unary_clamp; break;
    case OCL_OP_LOGISTIC: type = xnn_unary_sigmoid; break;
    case OCL_OP_HARD_SWISH: type = xnn_unary_hardswish; break;
    default: break;
  }
  if ((type == xnn_unary_convert) == (from == to))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "these dtypes");
  const struct xnn_quantization_params qi = quantization_of(input), qo = quantization_of(output);
  return ocl_graph_check_xnn(step, xnn_create_unary_elementwise_nc(type, from, to, &params, &qi, &qo, 0, &step->xnn),
                             detail);
}

static ocl_status build_unary(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  if (!ocl_graph_is_quantized(input) || !ocl_graph_is_quantized(output)) return build_unary_float(graph, step, detail);
  step->table = malloc(256);
  if (step->table == NULL) return OCL_OUT_OF_MEMORY;
  ocl_graph_fill_table(step->table, step->op.opcode, input, output);
  return OCL_OK;
}

static ocl_status plan_unary(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_graph_out(graph, step, 0)->shape = input->shape;
  if (step->xnn == NULL) return OCL_OK;
  const size_t elements = ocl_shape_num_elements(&input->shape);
  return ocl_graph_check_xnn(
      step, xnn_reshape_unary_elementwise_nc(step->xnn, 1, elements, elements, elements, graph->pool), detail);
}

static enum xnn_status bind_unary(ocl_graph* graph, ocl_step* step) {
  return xnn_setup_unary_elementwise_nc(step->xnn, ocl_graph_in(graph, step, 0)->data,
                                        ocl_graph_out(graph, step, 0)->data);
}

static void run_table(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const uint8_t* from = input->data;
  uint8_t* to = ocl_graph_out(graph, step, 0)->data;
  const size_t count = ocl_shape_num_elements(&input->shape);
  for (size_t i = 0; i < count; i++) to[i] = step->table[from[i]];
}

const ocl_kind ocl_graph_unary = {build_unary, plan_unary, bind_unary, run_table};

// ---- SOFTMAX over the last dimension ----

static ocl_status build_softmax(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const bool is_float = input->dtype == OCL_FLOAT32 && output->dtype == OCL_FLOAT32;
  if (!is_float && (!ocl_graph_is_quantized(input) || !ocl_graph_is_quantized(output)))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its tensors are neither float nor 8-bit");
  if (!is_float || step->op.options.softmax.beta != 1.0f) return OCL_OK;
  return ocl_graph_check_xnn(step, xnn_create_softmax_nc_f32(0, &step->xnn), detail);
}

static ocl_status plan_softmax(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_graph_out(graph, step, 0)->shape = input->shape;
  const size_t channels = (size_t)dim_from_end(&input->shape, 0);
  step->workspace_bytes = channels * sizeof(float);
  if (step->xnn == NULL) return OCL_OK;
  const size_t rows = ocl_shape_num_elements(&input->shape) / channels;
  return ocl_graph_check_xnn(
      step, xnn_reshape_softmax_nc_f32(step->xnn, channels, channels, channels, rows, graph->pool), detail);
}

static enum xnn_status bind_softmax(ocl_graph* graph, ocl_step* step) {
  return xnn_setup_softmax_nc_f32(step->xnn, ocl_graph_in(graph, step, 0)->data, ocl_graph_out(graph, step, 0)->data);
}

static float real_at(const ocl_value* value, size_t i) {
  if (value->dtype == OCL_FLOAT32) return ((const float*)value->data)[i];
  return (float)(stored_at(value, ((const uint8_t*)value->data)[i]) - value->zero_point) * value->scale;
}

static void store_at(const ocl_value* value, size_t i, float real) {
  if (value->dtype == OCL_FLOAT32)
    ((float*)value->data)[i] = real;
  else
    ((uint8_t*)value->data)[i] = (uint8_t)ocl_graph_quantize(real, value);
}

// 8 bits, or another beta than 1.
static void run_softmax(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const float beta = step->op.options.softmax.beta;
  const size_t channels = (size_t)dim_from_end(&input->shape, 0), count = ocl_shape_num_elements(&input->shape);
  float* exps = step->workspace;
  for (size_t row = 0; row < count; row += channels) {
    float max = -INFINITY, sum = 0;
    for (size_t c = 0; c < channels; c++) max = fmaxf(max, real_at(input, row + c));
    for (size_t c = 0; c < channels; c++) sum += exps[c] = expf((real_at(input, row + c) - max) * beta);
    for (size_t c = 0; c < channels; c++) store_at(output, row + c, exps[c] / sum);
  }
}

const ocl_kind ocl_graph_softmax = {build_softmax, plan_softmax, bind_softmax, run_softmax};

// ---- MEAN over known axes ----

static ocl_status build_mean(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  enum xnn_datatype datatype;
  if (!xnn_datatype_of(input, &datatype) || input->dtype != output->dtype)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its tensors are neither float nor 8-bit");
  if (input->dtype != OCL_FLOAT32 && !is_ratio_in(input->scale / output->scale, 0x1p-10f, 0x1p8f))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its scales are too far apart");
  const struct xnn_quantization_params qi = quantization_of(input), qo = quantization_of(output);
  return ocl_graph_check_xnn(step, xnn_create_reduce_nd(xnn_reduce_mean, datatype, &qi, &qo, 0, &step->xnn), detail);
}

static ocl_status plan_mean(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t axes[OCL_MAX_RANK], num_axes;
  bool is_reduced[OCL_MAX_RANK] = {false};
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, axes, &num_axes, detail));
  for (int32_t i = 0; i < num_axes; i++) {
    const int32_t axis = axes[i] < 0 ? axes[i] + input->rank : axes[i];
    if (axis < 0 || axis >= input->rank || is_reduced[axis])
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "axis %d", (int)axes[i]);
    is_reduced[axis] = true;
  }
  ocl_shape shape = {0};
  int64_t reduced[OCL_MAX_RANK];
  size_t num_reduced = 0;
  for (int32_t i = 0; i < input->rank; i++) {
    if (is_reduced[i]) reduced[num_reduced++] = i;
    if (!is_reduced[i] || step->op.options.reduce.keep_dims)
      shape.dims[shape.rank++] = is_reduced[i] ? 1 : input->dims[i];
  }
  if (num_reduced == 0) return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "no axis to reduce");
  ocl_graph_out(graph, step, 0)->shape = shape;
  size_t sizes[OCL_MAX_RANK], alignment;
  to_sizes(input, sizes);
  return ocl_graph_check_xnn(step,
                             xnn_reshape_reduce_nd(step->xnn, num_reduced, reduced, (size_t)input->rank, sizes,
                                                   &step->workspace_bytes, &alignment, graph->pool),
                             detail);
}

static enum xnn_status bind_mean(ocl_graph* graph, ocl_step* step) {
  // Its sums go to the workspace, where one is given, to be converted; float sums are the output already.
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  void* workspace = input->dtype == OCL_FLOAT32 ? NULL : step->workspace;
  return xnn_setup_reduce_nd(step->xnn, workspace, input->data, ocl_graph_out(graph, step, 0)->data);
}

const ocl_kind ocl_graph_mean = {build_mean, plan_mean, bind_mean, NULL};

// ---- RESIZE_BILINEAR to a known size ----

static ocl_status build_resize(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  if (input->dtype != output->dtype || (input->dtype != OCL_FLOAT32 && !ocl_graph_is_quantized(input)))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its tensors are neither float nor 8-bit");
  if (input->dtype != OCL_FLOAT32 && (input->scale != output->scale || input->zero_point != output->zero_point))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input and output differ in quantization");
  if (step->op.options.resize.align_corners && step->op.options.resize.half_pixel_centers)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "align_corners with half_pixel_centers");
  return OCL_OK;
}

// XNNPACK keeps four pointers and two weights for each, and their bytes must fit 32 bits.
static const int32_t kMaxResizedPixels = 1 << 25;

// XNNPACK takes the output size when an operator is created, so this one is created when it is known.
static ocl_status plan_resize(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_rank_4(graph, step, detail));
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  int32_t size[2], count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, 2, size, &count, detail));
  if (count != 2 || size[0] < 1 || size[1] < 1 || size[0] > 65535 || size[1] > 65535)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its output size");
  if (size[0] > kMaxResizedPixels / size[1])
    return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "%d x %d outputs", (int)size[0], (int)size[1]);
  const uint32_t flags = step->op.options.resize.align_corners        ? XNN_FLAG_ALIGN_CORNERS
                         : step->op.options.resize.half_pixel_centers ? 0
                                                                      : XNN_FLAG_TENSORFLOW_LEGACY_MODE;
  const size_t h = (size_t)size[0], w = (size_t)size[1], n = (size_t)input->shape.dims[0];
  const size_t in_h = (size_t)input->shape.dims[1], in_w = (size_t)input->shape.dims[2],
               c = (size_t)input->shape.dims[3];
  ocl_graph_out(graph, step, 0)->shape = (ocl_shape){4, {input->shape.dims[0], size[0], size[1], input->shape.dims[3]}};
  xnn_delete_operator(step->xnn);
  step->xnn = NULL;
  if (graph->has_builtin_rounding && input->dtype == OCL_INT8) return OCL_OK;
  size_t alignment;
  enum xnn_status status;
  if (input->dtype == OCL_FLOAT32) {
    status = xnn_create_resize_bilinear2d_nhwc_f32(h, w, flags, &step->xnn);
    if (status == xnn_status_success)
      status = xnn_reshape_resize_bilinear2d_nhwc_f32(step->xnn, n, in_h, in_w, c, c, c, &step->workspace_bytes,
                                                      &alignment, graph->pool);
  } else if (input->dtype == OCL_INT8) {
    status = xnn_create_resize_bilinear2d_nhwc_s8(h, w, flags, &step->xnn);
    if (status == xnn_status_success)
      status = xnn_reshape_resize_bilinear2d_nhwc_s8(step->xnn, n, in_h, in_w, c, c, c, &step->workspace_bytes,
                                                     &alignment, graph->pool);
  } else {
    status = xnn_create_resize_bilinear2d_nhwc_u8(h, w, flags, &step->xnn);
    if (status == xnn_status_success)
      status = xnn_reshape_resize_bilinear2d_nhwc_u8(step->xnn, n, in_h, in_w, c, c, c, &step->workspace_bytes,
                                                     &alignment, graph->pool);
  }
  return ocl_graph_check_xnn(step, status, detail);
}

static enum xnn_status bind_resize(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  void* output = ocl_graph_out(graph, step, 0)->data;
  if (input->dtype == OCL_FLOAT32)
    return xnn_setup_resize_bilinear2d_nhwc_f32(step->xnn, step->workspace, input->data, output);
  if (input->dtype == OCL_INT8)
    return xnn_setup_resize_bilinear2d_nhwc_s8(step->xnn, step->workspace, input->data, output);
  return xnn_setup_resize_bilinear2d_nhwc_u8(step->xnn, step->workspace, input->data, output);
}

const ocl_kind ocl_graph_resize = {build_resize, plan_resize, bind_resize, ocl_graph_run_builtin_resize};

// ---- TFLite_Detection_PostProcess ----

static ocl_status read_postprocess(const ocl_step* step, ocl_detection_postprocess_params* params, ocl_detail* detail) {
  ocl_flexbuffer_map map;
  *params = (ocl_detection_postprocess_params){.detections_per_class =
                                                   OCL_DETECTION_POSTPROCESS_DEFAULT_DETECTIONS_PER_CLASS};
  OCL_TRY(ocl_flexbuffer_open_map(step->op.options.custom.bytes, step->op.options.custom.size_bytes, &map, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "max_detections", &params->max_detections, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "max_classes_per_detection", &params->max_classes_per_detection, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "detections_per_class", &params->detections_per_class, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "num_classes", &params->num_classes, detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "nms_score_threshold", &params->nms_score_threshold, detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "nms_iou_threshold", &params->nms_iou_threshold, detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "y_scale", &params->box_scales[0], detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "x_scale", &params->box_scales[1], detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "h_scale", &params->box_scales[2], detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "w_scale", &params->box_scales[3], detail));
  return ocl_flexbuffer_get_bool(&map, "use_regular_nms", &params->use_regular_nms, detail);
}

static ocl_status build_postprocess(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  for (int32_t i = 0; i < 3; i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    if (input->dtype != OCL_FLOAT32 && !ocl_graph_is_quantized(input))
      return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "input %d is neither float nor 8-bit", (int)i);
  }
  for (int32_t i = 0; i < 4; i++)
    if (ocl_graph_out(graph, step, i)->dtype != OCL_FLOAT32)
      return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "output %d is not float", (int)i);
  ocl_detection_postprocess_params params;
  OCL_TRY(read_postprocess(step, &params, detail));
  step->num_classes = params.num_classes;
  return ocl_detection_postprocess_create(&params, &step->postprocess, detail);
}

static size_t real_bytes(const ocl_value* value) {
  return value->dtype == OCL_FLOAT32 ? 0 : ocl_shape_num_elements(&value->shape) * sizeof(float);
}

static const uint64_t kWorkPerComparison = 16;

static ocl_status plan_postprocess(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* encodings = &ocl_graph_in(graph, step, 0)->shape;
  const ocl_shape* scores = &ocl_graph_in(graph, step, 1)->shape;
  const ocl_shape* anchors = &ocl_graph_in(graph, step, 2)->shape;
  if (encodings->rank != 3 || scores->rank != 3 || anchors->rank != 2 || encodings->dims[0] != 1 ||
      scores->dims[0] != 1 || encodings->dims[2] != 4 || anchors->dims[1] != 4 ||
      anchors->dims[0] != encodings->dims[1] || scores->dims[1] != encodings->dims[1])
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its inputs are not [1,N,4], [1,N,C] and [N,4]");
  OCL_TRY(ocl_detection_postprocess_scratch_size(step->postprocess, encodings->dims[1], scores->dims[2],
                                                 &step->workspace_bytes, detail));
  uint64_t bytes = step->workspace_bytes;
  for (int32_t i = 0; i < 3; i++) bytes += real_bytes(ocl_graph_in(graph, step, i));
  if (bytes > INT32_MAX)
    return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "%d anchors", (int)anchors->dims[0]);
  step->workspace_bytes = (size_t)bytes;
  step->other_work =
      kWorkPerComparison * ocl_detection_postprocess_count_comparisons(step->postprocess, encodings->dims[1]);
  const int32_t rows = ocl_detection_postprocess_num_rows(step->postprocess);
  ocl_graph_out(graph, step, 0)->shape = (ocl_shape){3, {1, rows, 4}};
  ocl_graph_out(graph, step, 1)->shape = (ocl_shape){2, {1, rows}};
  ocl_graph_out(graph, step, 2)->shape = (ocl_shape){2, {1, rows}};
  ocl_graph_out(graph, step, 3)->shape = (ocl_shape){1, {1}};
  return OCL_OK;
}

// The input's reals: its own, or dequantized to *next in the workspace.
static const float* reals(const ocl_value* value, float** next) {
  if (value->dtype == OCL_FLOAT32) return value->data;
  float* out = *next;
  const size_t count = ocl_shape_num_elements(&value->shape);
  for (size_t i = 0; i < count; i++) out[i] = real_at(value, i);
  *next += count;
  return out;
}

static void run_postprocess(ocl_graph* graph, ocl_step* step) {
  const ocl_shape* scores_shape = &ocl_graph_in(graph, step, 1)->shape;
  float* next = step->workspace;
  const float* encodings = reals(ocl_graph_in(graph, step, 0), &next);
  const float* scores = reals(ocl_graph_in(graph, step, 1), &next);
  const float* anchors = reals(ocl_graph_in(graph, step, 2), &next);
  ocl_detection_postprocess_run(step->postprocess, scores_shape->dims[1], scores_shape->dims[2], encodings, scores,
                                anchors, next, ocl_graph_out(graph, step, 0)->data, ocl_graph_out(graph, step, 1)->data,
                                ocl_graph_out(graph, step, 2)->data, ocl_graph_out(graph, step, 3)->data);
}

const ocl_kind ocl_graph_detection_postprocess = {build_postprocess, plan_postprocess, NULL, run_postprocess};
