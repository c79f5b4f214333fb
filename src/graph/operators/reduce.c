// Operators over whole dimensions: MEAN, SUM, REDUCE_MAX and their like over constant axes, ARG_MAX and ARG_MIN along
// one axis; TOPK_V2, SOFTMAX, LOG_SOFTMAX and L2_NORMALIZATION along the last.
#include <math.h>
#include <string.h>

#include "graph/operators/table.h"
#include "kernels/kernels.h"

// ---- axes ----

typedef struct {
  bool is_reduced[OCL_MAX_RANK];
  size_t count;  // of reduced dimensions
} reduction;

// Reads the axes from input 1 (an axis may be repeated). Sets output 0's shape without them, or with 1 in their places.
static ocl_status plan_axes(ocl_graph* graph, ocl_step* step, reduction* r, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t axes[OCL_MAX_RANK], num_axes;
  *r = (reduction){{false}, 0};
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, axes, &num_axes, detail));
  for (int32_t i = 0; i < num_axes; i++) {
    int32_t axis;
    OCL_TRY(ocl_graph_axis(step, axes[i], input->rank, &axis, detail));
    r->count += !r->is_reduced[axis];
    r->is_reduced[axis] = true;
  }
  ocl_shape shape = {0};
  for (int32_t i = 0; i < input->rank; i++)
    if (!r->is_reduced[i] || step->op.options.reduce.keep_dims)
      shape.dims[shape.rank++] = r->is_reduced[i] ? 1 : input->dims[i];
  ocl_graph_out(graph, step, 0)->shape = shape;
  return OCL_OK;
}

// ---- float and 8-bit sums and means, by XNNPACK ----

// Numbers of a dtype that no operator of XNNPACK reduces, or all of an operator that it does not have.
typedef struct {
  enum xnn_reduce_operator type;           // invalid: XNNPACK is not used
  float (*real)(float a, float b);         // NULL: not for float
  int64_t (*whole)(int64_t a, int64_t b);  // wraps around
  float start;                             // what the numbers are added to; infinite: the last number of the dtype
  bool is_of_bools;
} reducing;

static ocl_status build_xnn(ocl_graph* graph, ocl_step* step, enum xnn_reduce_operator type, ocl_detail* detail) {
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
  return ocl_graph_check_created(step, xnn_create_reduce_nd(type, datatype, &qi, &qo, 0, &step->xnn), detail);
}

static ocl_status plan_xnn(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const reduction* r = step->state;
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int64_t reduced[OCL_MAX_RANK];
  size_t num_reduced = 0, sizes[OCL_MAX_RANK], alignment;
  for (int32_t i = 0; i < input->rank; i++)
    if (r->is_reduced[i]) reduced[num_reduced++] = i;
  ocl_graph_to_sizes(input, sizes);
  return ocl_graph_check_xnn(step,
                             xnn_reshape_reduce_nd(step->xnn, num_reduced, reduced, (size_t)input->rank, sizes,
                                                   &step->workspace_bytes, &alignment, graph->pool),
                             detail);
}

static enum xnn_status bind_reduce(ocl_graph* graph, ocl_step* step) {
  // XNNPACK adds up in the workspace, if it gets one, and then converts. Float sums go to the output directly.
  if (((const reduction*)step->state)->count == 0) return xnn_status_success;
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  void* workspace = input->dtype == OCL_FLOAT32 ? NULL : step->workspace;
  return xnn_setup_reduce_nd(step->xnn, workspace, input->data, ocl_graph_out(graph, step, 0)->data);
}

// ---- the others ----

static ocl_status build_reduce(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const reducing* variant = step->kind->variant;
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  if (variant->type != xnn_reduce_invalid && (!ocl_graph_is_int(input) || variant->whole == NULL))
    return build_xnn(graph, step, variant->type, detail);
  OCL_TRY(ocl_graph_check_moves(graph, step, 0, detail));
  const bool is_product = variant->start == 1, is_bool = input->dtype == OCL_BOOL;
  if (variant->is_of_bools == is_bool && input->dtype != OCL_FLOAT16 && !(is_product && ocl_graph_is_quantized(input)))
    return OCL_OK;
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input has an unsupported dtype");
}

static ocl_status plan_reduce(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  reduction* r = step->state;
  OCL_TRY(plan_axes(graph, step, r, detail));
  if (step->xnn == NULL) return OCL_OK;
  return r->count > 0 ? plan_xnn(graph, step, detail) : ocl_graph_check_moves(graph, step, 0, detail);
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

// The smallest (sign -1) or largest number of an integer dtype.
static int64_t limit_of(ocl_dtype dtype, float sign) {
  switch (dtype) {
    case OCL_INT64: return sign < 0 ? INT64_MIN : INT64_MAX;
    case OCL_INT32: return sign < 0 ? INT32_MIN : INT32_MAX;
    case OCL_INT8: return sign < 0 ? INT8_MIN : INT8_MAX;
    default: return sign < 0 ? 0 : UINT8_MAX;
  }
}

static void fill_with_start(const ocl_value* output, float start) {
  const size_t count = ocl_shape_num_elements(&output->shape);
  for (size_t i = 0; i < count; i++) {
    if (output->dtype == OCL_FLOAT32)
      ((float*)output->data)[i] = start;
    else
      ocl_graph_store_whole_at(output, i, isinf(start) ? limit_of(output->dtype, start) : (int64_t)start);
  }
}

static void reduce_row(const reducing* variant, const ocl_value* input, size_t from, const ocl_value* output, size_t to,
                       size_t to_step, size_t count) {
  if (input->dtype == OCL_FLOAT32) {
    const float* x = (const float*)input->data + from;
    float* y = (float*)output->data + to;
    for (size_t i = 0; i < count; i++) y[i * to_step] = variant->real(y[i * to_step], x[i]);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    const size_t at = to + i * to_step;
    ocl_graph_store_whole_at(output, at,
                             variant->whole(ocl_graph_whole_at(output, at), ocl_graph_whole_at(input, from + i)));
  }
}

static enum xnn_status run_reduce(ocl_graph* graph, ocl_step* step) {
  const reduction* r = step->state;
  const reducing* variant = step->kind->variant;
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  if (r->count == 0) memcpy(output->data, input->data, ocl_graph_size_bytes(output));
  if (r->count == 0) return xnn_status_success;
  if (step->xnn != NULL) return xnn_run_operator(step->xnn, graph->pool);
  const int32_t last = input->shape.rank - 1;
  const size_t length = (size_t)input->shape.dims[last];
  const size_t num_rows = ocl_shape_num_elements(&input->shape) / length;
  const bool is_row_reduced = r->is_reduced[last];
  fill_with_start(output, variant->start);
  for (size_t row = 0; row < num_rows; row++)
    reduce_row(variant, input, row * length, output, output_of_row(r, &input->shape, row), is_row_reduced ? 0 : 1,
               length);
  return xnn_status_success;
}

static float multiply(float a, float b) {
  return a * b;
}
static float larger(float a, float b) {
  return b > a ? b : a;
}
static float smaller(float a, float b) {
  return b < a ? b : a;
}

#define REDUCE(...)                                                                                    \
  {                                                                                                    \
    .state_bytes = sizeof(reduction), .build = build_reduce, .plan = plan_reduce, .bind = bind_reduce, \
    .run = run_reduce, .variant = &(const reducing) {                                                  \
      __VA_ARGS__                                                                                      \
    }                                                                                                  \
  }
const ocl_kind ocl_kind_MEAN = REDUCE(xnn_reduce_mean, NULL, NULL, 0, false);
const ocl_kind ocl_kind_SUM = REDUCE(xnn_reduce_sum, NULL, ocl_graph_add_wholes, 0, false);
const ocl_kind ocl_kind_REDUCE_PROD = REDUCE(xnn_reduce_invalid, multiply, ocl_graph_multiply_wholes, 1, false);
const ocl_kind ocl_kind_REDUCE_MAX = REDUCE(xnn_reduce_invalid, larger, ocl_graph_larger_whole, -INFINITY, false);
const ocl_kind ocl_kind_REDUCE_MIN = REDUCE(xnn_reduce_invalid, smaller, ocl_graph_smaller_whole, INFINITY, false);
const ocl_kind ocl_kind_REDUCE_ANY = REDUCE(xnn_reduce_invalid, NULL, ocl_graph_larger_whole, 0, true);
const ocl_kind ocl_kind_REDUCE_ALL = REDUCE(xnn_reduce_invalid, NULL, ocl_graph_smaller_whole, 1, true);
#undef REDUCE

// ---- ARG_MAX, ARG_MIN: the index of the largest or smallest element along an axis; of equal elements, the first ----

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
  if (count != 1) return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its axis is empty");
  OCL_TRY(ocl_graph_axis(step, *axis, input->rank, axis, detail));
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

// `sign`: 1 finds the largest, -1 the smallest.
static int32_t find_largest(const ocl_value* input, size_t first, size_t stride, int32_t count, float sign) {
  int32_t best = 0;
  for (int32_t i = 1; i < count; i++)
    if (sign * element_at(input, first + (size_t)i * stride) > sign * element_at(input, first + (size_t)best * stride))
      best = i;
  return best;
}

static enum xnn_status run_arg_max(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const int32_t axis = *(const int32_t*)step->state, count = input->shape.dims[axis];
  const size_t inner = ocl_graph_product(&input->shape, axis + 1, input->shape.rank);
  const float sign = step->kind == &ocl_kind_ARG_MAX ? 1 : -1;
  for (size_t i = 0; i < ocl_shape_num_elements(&output->shape); i++)
    ocl_graph_store_whole_at(output, i,
                             find_largest(input, i / inner * inner * (size_t)count + i % inner, inner, count, sign));
  return xnn_status_success;
}

const ocl_kind ocl_kind_ARG_MAX = {
    .state_bytes = sizeof(int32_t), .build = build_arg_max, .plan = plan_arg_max, .run = run_arg_max};
const ocl_kind ocl_kind_ARG_MIN = {
    .state_bytes = sizeof(int32_t), .build = build_arg_max, .plan = plan_arg_max, .run = run_arg_max};

// ---- TOPK_V2: the largest elements of each row, in descending order, and their indices; of equal ones, the first ----

static ocl_status build_top(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  if (ocl_graph_out(graph, step, 1)->dtype != OCL_INT32)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its indices are not int32");
  if (input->dtype != output->dtype || input->dtype == OCL_FLOAT16 || input->dtype == OCL_BOOL ||
      !ocl_graph_is_same_quantization(input, output))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                            "its input and output have different or unsupported dtypes or quantizations");
  return OCL_OK;
}

static ocl_status plan_top(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t k, count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, 1, &k, &count, detail));
  if (count != 1 || input->rank < 1 || k < 1 || k > input->dims[input->rank - 1])
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "it asks for more or fewer elements than a row has");
  for (int32_t i = 0; i < 2; i++) {
    ocl_shape* shape = &ocl_graph_out(graph, step, i)->shape;
    *shape = *input;
    shape->dims[input->rank - 1] = k;
  }
  step->other_work = (uint64_t)ocl_shape_num_elements(input) * (uint64_t)k;
  return OCL_OK;
}

static bool is_above(const ocl_value* input, size_t a, size_t b) {
  if (input->dtype == OCL_FLOAT32) return ((const float*)input->data)[a] > ((const float*)input->data)[b];
  return ocl_graph_whole_at(input, a) > ocl_graph_whole_at(input, b);
}

static enum xnn_status run_top(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const int32_t length = ocl_graph_dim_from_end(&input->shape, 0), k = ocl_graph_dim_from_end(&output->shape, 0);
  const size_t num_rows = ocl_shape_num_elements(&input->shape) / (size_t)length;
  const size_t size = ocl_dtype_size_bytes(input->dtype);
  int32_t* best = ocl_graph_out(graph, step, 1)->data;
  uint8_t* values = output->data;
  for (size_t row = 0; row < num_rows; row++, best += k) {
    const size_t first = row * (size_t)length;
    int32_t found = 0;
    for (int32_t i = 0; i < length; i++) {
      int32_t at = found < k ? found++ : k;  // its place, counted down past those that it is above
      for (; at > 0 && is_above(input, first + (size_t)i, first + (size_t)best[at - 1]); at--)
        if (at < k) best[at] = best[at - 1];
      if (at < k) best[at] = i;
    }
    for (int32_t i = 0; i < k; i++, values += size)
      memcpy(values, (const uint8_t*)input->data + (first + (size_t)best[i]) * size, size);
  }
  return xnn_status_success;
}

const ocl_kind ocl_kind_TOPK_V2 = {.build = build_top, .plan = plan_top, .run = run_top};

// ---- rows normalized along the last dimension: SOFTMAX, LOG_SOFTMAX, L2_NORMALIZATION ----

static ocl_status check_dtypes(ocl_graph* graph, const ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  if (input->dtype == OCL_FLOAT32 && output->dtype == OCL_FLOAT32) return OCL_OK;
  if (ocl_graph_is_quantized(input) && ocl_graph_is_quantized(output)) return OCL_OK;
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input and output must both be float or 8-bit");
}

// ---- SOFTMAX ----

static ocl_status build_softmax(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(check_dtypes(graph, step, detail));
  const bool is_float = ocl_graph_in(graph, step, 0)->dtype == OCL_FLOAT32;
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

// ---- LOG_SOFTMAX, L2_NORMALIZATION ----

static ocl_status build_normalization(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  if (step->op.options.l2_normalization.activation != OCL_ACTIVATION_NONE)  // LOG_SOFTMAX has none
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "it has a fused activation; only NONE runs");
  return check_dtypes(graph, step, detail);
}

static ocl_status plan_normalization(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  (void)detail;
  ocl_graph_out(graph, step, 0)->shape = ocl_graph_in(graph, step, 0)->shape;
  return OCL_OK;
}

static void log_softmax(const ocl_value* input, const ocl_value* output, size_t row, size_t channels) {
  float max = -INFINITY, sum = 0;
  for (size_t c = 0; c < channels; c++) max = fmaxf(max, ocl_graph_real_at(input, row + c));
  for (size_t c = 0; c < channels; c++) sum += expf(ocl_graph_real_at(input, row + c) - max);
  const float log_sum = (float)log(sum);
  for (size_t c = 0; c < channels; c++)
    ocl_graph_store_at(output, row + c, ocl_graph_real_at(input, row + c) - max - log_sum);
}

static void l2_normalize(const ocl_value* input, const ocl_value* output, size_t row, size_t channels) {
  float sum = 0;
  for (size_t c = 0; c < channels; c++) sum += ocl_graph_real_at(input, row + c) * ocl_graph_real_at(input, row + c);
  const float norm = fmaxf(sqrtf(sum), 1e-6f);
  for (size_t c = 0; c < channels; c++) ocl_graph_store_at(output, row + c, ocl_graph_real_at(input, row + c) / norm);
}

static enum xnn_status run_normalization(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const size_t channels = (size_t)ocl_graph_dim_from_end(&input->shape, 0),
               count = ocl_shape_num_elements(&input->shape);
  if (step->kind == &ocl_kind_L2_NORMALIZATION && input->dtype == OCL_FLOAT32) {
    ocl_l2_normalize_f32(input->data, output->data, count / channels, channels);
    return xnn_status_success;
  }
  void (*const normalize)(const ocl_value*, const ocl_value*, size_t, size_t) =
      step->kind == &ocl_kind_LOG_SOFTMAX ? log_softmax : l2_normalize;
  for (size_t row = 0; row < count; row += channels) normalize(input, output, row, channels);
  return xnn_status_success;
}

const ocl_kind ocl_kind_LOG_SOFTMAX = {
    .build = build_normalization, .plan = plan_normalization, .run = run_normalization};
const ocl_kind ocl_kind_L2_NORMALIZATION = {
    .build = build_normalization, .plan = plan_normalization, .run = run_normalization};
