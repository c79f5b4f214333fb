// Operators over whole dimensions: MEAN and REDUCE_MAX over constant axes, ARG_MAX along one axis, SOFTMAX along the
// last.
#include <math.h>
#include <string.h>

#include "graph/operators/table.h"

// ---- axes ----

typedef struct {
  bool is_reduced[OCL_MAX_RANK];
} reduction;

// Reads the axes from input 1 (an axis may be repeated). Sets output 0's shape without them, or with 1 in their places.
static ocl_status plan_axes(ocl_graph* graph, ocl_step* step, reduction* r, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t axes[OCL_MAX_RANK], num_axes;
  *r = (reduction){{false}};
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, axes, &num_axes, detail));
  for (int32_t i = 0; i < num_axes; i++) {
    const int32_t axis = axes[i] < 0 ? axes[i] + input->rank : axes[i];
    if (axis < 0 || axis >= input->rank)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "axis %d of %d dimensions", (int)axes[i],
                              (int)input->rank);
    r->is_reduced[axis] = true;
  }
  if (num_axes == 0) return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "it reduces no axis");
  ocl_shape shape = {0};
  for (int32_t i = 0; i < input->rank; i++)
    if (!r->is_reduced[i] || step->op.options.reduce.keep_dims)
      shape.dims[shape.rank++] = r->is_reduced[i] ? 1 : input->dims[i];
  ocl_graph_out(graph, step, 0)->shape = shape;
  return OCL_OK;
}

// ---- MEAN ----

static ocl_status build_mean(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  enum xnn_datatype datatype;
  if (!ocl_graph_datatype_of(input, &datatype) || input->dtype != output->dtype)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input and output must both be float or 8-bit");
  if (input->dtype != OCL_FLOAT32 &&
      !(input->scale / output->scale >= 0x1p-10f && input->scale / output->scale < 0x1p8f))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                            "input scale / output scale is not from 2^-10 to 2^8");
  const struct xnn_quantization_params qi = ocl_graph_quantization_of(input), qo = ocl_graph_quantization_of(output);
  return ocl_graph_check_created(step, xnn_create_reduce_nd(xnn_reduce_mean, datatype, &qi, &qo, 0, &step->xnn),
                                 detail);
}

static ocl_status plan_mean(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  reduction r;
  OCL_TRY(plan_axes(graph, step, &r, detail));
  int64_t reduced[OCL_MAX_RANK];
  size_t num_reduced = 0, sizes[OCL_MAX_RANK], alignment;
  for (int32_t i = 0; i < input->rank; i++)
    if (r.is_reduced[i]) reduced[num_reduced++] = i;
  ocl_graph_to_sizes(input, sizes);
  return ocl_graph_check_xnn(step,
                             xnn_reshape_reduce_nd(step->xnn, num_reduced, reduced, (size_t)input->rank, sizes,
                                                   &step->workspace_bytes, &alignment, graph->pool),
                             detail);
}

static enum xnn_status bind_mean(ocl_graph* graph, ocl_step* step) {
  // XNNPACK adds up in the workspace, if it gets one, and then converts. Float sums go to the output directly.
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  void* workspace = input->dtype == OCL_FLOAT32 ? NULL : step->workspace;
  return xnn_setup_reduce_nd(step->xnn, workspace, input->data, ocl_graph_out(graph, step, 0)->data);
}

const ocl_kind ocl_kind_MEAN = {.build = build_mean, .plan = plan_mean, .bind = bind_mean};

// ---- REDUCE_MAX ----

static ocl_status build_max(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return ocl_graph_check_same_quantization(graph, step, detail);
}

static ocl_status plan_max(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return plan_axes(graph, step, step->state, detail);
}

// The offset in the output of element 0 of input row `row`. A row is a run of elements along the last dimension.
static size_t output_of_row(const reduction* r, const ocl_shape* input, size_t row) {
  const int32_t last = input->rank - 1;
  size_t offset = 0, stride = r->is_reduced[last] ? 1 : (size_t)input->dims[last];
  for (int32_t d = last - 1; d >= 0; d--) {
    const size_t size = (size_t)input->dims[d];
    if (!r->is_reduced[d]) {
      offset += row % size * stride;
      stride *= size;
    }
    row /= size;
  }
  return offset;
}

// to[i * step] = the larger of itself and from[i]
#define MAX_OF_ROW(suffix, type)                                                              \
  static void max_of_row_##suffix(const void* from, void* to, size_t step, size_t count) {    \
    const type* x = from;                                                                     \
    type* y = to;                                                                             \
    for (size_t i = 0; i < count; i++) y[i * step] = x[i] > y[i * step] ? x[i] : y[i * step]; \
  }
MAX_OF_ROW(f32, float)
MAX_OF_ROW(s8, int8_t)
MAX_OF_ROW(u8, uint8_t)
#undef MAX_OF_ROW

static void fill_with_lowest(const ocl_value* output) {
  if (output->dtype == OCL_FLOAT32) {
    const size_t count = ocl_shape_num_elements(&output->shape);
    for (size_t i = 0; i < count; i++) ((float*)output->data)[i] = -INFINITY;
  } else {
    memset(output->data, output->dtype == OCL_INT8 ? INT8_MIN : 0, ocl_graph_size_bytes(output));
  }
}

static enum xnn_status run_max(ocl_graph* graph, ocl_step* step) {
  const reduction* r = step->state;
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const int32_t last = input->shape.rank - 1;
  const size_t length = (size_t)input->shape.dims[last], size = ocl_dtype_size_bytes(input->dtype);
  const size_t num_rows = ocl_shape_num_elements(&input->shape) / length;
  void (*const max_of_row)(const void*, void*, size_t, size_t) = input->dtype == OCL_FLOAT32 ? max_of_row_f32
                                                                 : input->dtype == OCL_INT8  ? max_of_row_s8
                                                                                             : max_of_row_u8;
  fill_with_lowest(output);
  for (size_t row = 0; row < num_rows; row++)
    max_of_row((const uint8_t*)input->data + row * length * size,
               (uint8_t*)output->data + output_of_row(r, &input->shape, row) * size, r->is_reduced[last] ? 0 : 1,
               length);
  return xnn_status_success;
}

const ocl_kind ocl_kind_REDUCE_MAX = {
    .state_bytes = sizeof(reduction), .build = build_max, .plan = plan_max, .run = run_max};

// ---- ARG_MAX: the index of the largest element along an axis; of equal elements, the first ----

static ocl_status build_arg_max(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_dtype to = ocl_graph_out(graph, step, 0)->dtype;
  if (input->dtype != OCL_FLOAT32 && input->dtype != OCL_INT8 && input->dtype != OCL_UINT8)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input must be float or 8-bit");
  if (to == OCL_INT32 || to == OCL_INT64) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its output must be int32 or int64");
}

// The state is the axis.
static ocl_status plan_arg_max(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t *axis = step->state, count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, 1, axis, &count, detail));
  if (*axis < 0) *axis += input->rank;
  if (count != 1 || *axis < 0 || *axis >= input->rank)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its axis is not one of the %d dimensions",
                            (int)input->rank);
  ocl_shape shape = {0};
  for (int32_t i = 0; i < input->rank; i++)
    if (i != *axis) shape.dims[shape.rank++] = input->dims[i];
  ocl_graph_out(graph, step, 0)->shape = shape;
  return OCL_OK;
}

// Element `i` of a float or 8-bit value, as stored.
static float element_at(const ocl_value* value, size_t i) {
  if (value->dtype == OCL_FLOAT32) return ((const float*)value->data)[i];
  return (float)ocl_graph_stored_at(value, ((const uint8_t*)value->data)[i]);
}

static int32_t find_largest(const ocl_value* input, size_t first, size_t stride, int32_t count) {
  int32_t best = 0;
  for (int32_t i = 1; i < count; i++)
    if (element_at(input, first + (size_t)i * stride) > element_at(input, first + (size_t)best * stride)) best = i;
  return best;
}

static enum xnn_status run_arg_max(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const int32_t axis = *(const int32_t*)step->state, count = input->shape.dims[axis];
  size_t inner = 1;
  for (int32_t d = axis + 1; d < input->shape.rank; d++) inner *= (size_t)input->shape.dims[d];
  for (size_t i = 0; i < ocl_shape_num_elements(&output->shape); i++) {
    const int32_t best = find_largest(input, i / inner * inner * (size_t)count + i % inner, inner, count);
    if (output->dtype == OCL_INT32)
      ((int32_t*)output->data)[i] = best;
    else
      ((int64_t*)output->data)[i] = best;
  }
  return xnn_status_success;
}

const ocl_kind ocl_kind_ARG_MAX = {
    .state_bytes = sizeof(int32_t), .build = build_arg_max, .plan = plan_arg_max, .run = run_arg_max};

// ---- SOFTMAX ----

static ocl_status build_softmax(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const bool is_float = input->dtype == OCL_FLOAT32 && output->dtype == OCL_FLOAT32;
  if (!is_float && (!ocl_graph_is_quantized(input) || !ocl_graph_is_quantized(output)))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input and output must both be float or 8-bit");
  if (!is_float || step->op.options.softmax.beta != 1.0f) return OCL_OK;
  return ocl_graph_check_created(step, xnn_create_softmax_nc_f32(0, &step->xnn), detail);
}

static ocl_status plan_softmax(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_graph_out(graph, step, 0)->shape = input->shape;
  const size_t channels = (size_t)ocl_graph_dim_from_end(&input->shape, 0);
  step->workspace_bytes = channels * sizeof(float);
  if (step->xnn == NULL) return OCL_OK;
  const size_t rows = ocl_shape_num_elements(&input->shape) / channels;
  return ocl_graph_check_xnn(
      step, xnn_reshape_softmax_nc_f32(step->xnn, channels, channels, channels, rows, graph->pool), detail);
}

static enum xnn_status bind_softmax(ocl_graph* graph, ocl_step* step) {
  return xnn_setup_softmax_nc_f32(step->xnn, ocl_graph_in(graph, step, 0)->data, ocl_graph_out(graph, step, 0)->data);
}

// XNNPACK's operator is used for float with beta 1 only.
static enum xnn_status run_softmax(ocl_graph* graph, ocl_step* step) {
  if (step->xnn != NULL) return xnn_run_operator(step->xnn, graph->pool);
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const float beta = step->op.options.softmax.beta;
  const size_t channels = (size_t)ocl_graph_dim_from_end(&input->shape, 0),
               count = ocl_shape_num_elements(&input->shape);
  float* exps = step->workspace;
  for (size_t row = 0; row < count; row += channels) {
    float max = -INFINITY, sum = 0;
    for (size_t c = 0; c < channels; c++) max = fmaxf(max, ocl_graph_real_at(input, row + c));
    for (size_t c = 0; c < channels; c++) sum += exps[c] = expf((ocl_graph_real_at(input, row + c) - max) * beta);
    for (size_t c = 0; c < channels; c++) ocl_graph_store_at(output, row + c, exps[c] / sum);
  }
  return xnn_status_success;
}

const ocl_kind ocl_kind_SOFTMAX = {
    .build = build_softmax, .plan = plan_softmax, .bind = bind_softmax, .run = run_softmax};
