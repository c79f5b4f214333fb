// Element-wise operators: ADD, SUB, MUL; RELU, RELU6, LOGISTIC, HARD_SWISH, ABS, QUANTIZE, DEQUANTIZE.
#include <math.h>

#include "graph/operators/broadcast.h"
#include "graph/operators/table.h"

// ---- ADD, SUB, MUL, with numpy's broadcasting ----

typedef struct {
  enum xnn_binary_operator type;
  uint32_t (*compute_int32)(uint32_t a, uint32_t b);  // for shape arithmetic; wraps around
} binary;

typedef struct {
  xnn_operator_t clamp;  // owned: the fused activation, run on the output after step->xnn. NULL: no activation
} binary_state;

static bool is_ratio_in(float ratio, float min, float max) {
  return ratio >= min && ratio < max;
}

// Whether XNNPACK's 8-bit arithmetic is defined for these scales (its microparams-init.c asserts it).
static bool are_scales_close(const ocl_value* a, const ocl_value* b, const ocl_value* output,
                             enum xnn_binary_operator type) {
  if (output->dtype != OCL_INT8 && output->dtype != OCL_UINT8) return true;
  if (type == xnn_binary_multiply) return is_ratio_in(a->scale * b->scale / output->scale, 0x1p-16f, 0x1p8f);
  const float ratio_a = a->scale / output->scale, ratio_b = b->scale / output->scale;
  return is_ratio_in(ratio_a, 0x1p-10f, 0x1p8f) && is_ratio_in(ratio_b, 0x1p-10f, 0x1p8f) &&
         fmaxf(ratio_a, ratio_b) >= 0x1p-10f;
}

// Shape arithmetic has few elements, so it needs no speed.
static bool is_int32(ocl_graph* graph, const ocl_step* step) {
  return ocl_graph_in(graph, step, 0)->dtype == OCL_INT32 && ocl_graph_in(graph, step, 1)->dtype == OCL_INT32 &&
         ocl_graph_out(graph, step, 0)->dtype == OCL_INT32 && step->op.options.binary.activation == OCL_ACTIVATION_NONE;
}

static ocl_status build_clamp(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_activation activation = step->op.options.binary.activation;
  if (activation == OCL_ACTIVATION_NONE) return OCL_OK;
  binary_state* state = step->state;
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  enum xnn_datatype datatype;
  ocl_graph_datatype_of(output, &datatype);
  const struct xnn_quantization_params quantization = ocl_graph_quantization_of(output);
  union xnn_unary_params params;
  ocl_graph_activation_bounds(activation, &params.clamp.min, &params.clamp.max);
  return ocl_graph_check_xnn(step,
                             xnn_create_unary_elementwise_nc(xnn_unary_clamp, datatype, datatype, &params,
                                                             &quantization, &quantization, 0, &state->clamp),
                             detail);
}

static ocl_status build_binary(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const enum xnn_binary_operator type = ((const binary*)step->kind->variant)->type;
  const ocl_value* a = ocl_graph_in(graph, step, 0);
  const ocl_value* b = ocl_graph_in(graph, step, 1);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  if (is_int32(graph, step)) return OCL_OK;
  OCL_TRY(ocl_graph_check_float_or_8_bit(graph, step, 2, detail));
  if (!are_scales_close(a, b, output, type))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                            "the scales of its inputs and output are too far apart");
  enum xnn_datatype datatype;
  ocl_graph_datatype_of(output, &datatype);
  const struct xnn_quantization_params qa = ocl_graph_quantization_of(a), qb = ocl_graph_quantization_of(b),
                                       qo = ocl_graph_quantization_of(output);
  OCL_TRY(ocl_graph_check_created(step, xnn_create_binary_elementwise_nd(type, datatype, &qa, &qb, &qo, 0, &step->xnn),
                                  detail));
  return build_clamp(graph, step, detail);
}

static ocl_status plan_clamp(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const binary_state* state = step->state;
  if (state->clamp == NULL) return OCL_OK;
  const size_t elements = ocl_shape_num_elements(&ocl_graph_out(graph, step, 0)->shape);
  return ocl_graph_check_xnn(
      step, xnn_reshape_unary_elementwise_nc(state->clamp, 1, elements, elements, elements, graph->pool), detail);
}

static ocl_status plan_binary(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* a = &ocl_graph_in(graph, step, 0)->shape;
  const ocl_shape* b = &ocl_graph_in(graph, step, 1)->shape;
  if (!ocl_graph_broadcast(a, b, &ocl_graph_out(graph, step, 0)->shape))
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "the shapes of its inputs do not broadcast");
  if (step->xnn == NULL) return OCL_OK;
  size_t sizes_a[OCL_MAX_RANK], sizes_b[OCL_MAX_RANK];
  ocl_graph_to_sizes(a, sizes_a);
  ocl_graph_to_sizes(b, sizes_b);
  OCL_TRY(ocl_graph_check_xnn(
      step,
      xnn_reshape_binary_elementwise_nd(step->xnn, (size_t)a->rank, sizes_a, (size_t)b->rank, sizes_b, graph->pool),
      detail));
  return plan_clamp(graph, step, detail);
}

static enum xnn_status bind_binary(ocl_graph* graph, ocl_step* step) {
  const binary_state* state = step->state;
  void* output = ocl_graph_out(graph, step, 0)->data;
  const enum xnn_status status = xnn_setup_binary_elementwise_nd(step->xnn, ocl_graph_in(graph, step, 0)->data,
                                                                 ocl_graph_in(graph, step, 1)->data, output);
  if (status != xnn_status_success || state->clamp == NULL) return status;
  return xnn_setup_unary_elementwise_nc(state->clamp, output, output);
}

static void run_int32(ocl_graph* graph, ocl_step* step) {
  const binary* variant = step->kind->variant;
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const ocl_value *a = ocl_graph_in(graph, step, 0), *b = ocl_graph_in(graph, step, 1);
  const ocl_broadcast rows_a = ocl_broadcast_of(&output->shape, &a->shape);
  const ocl_broadcast rows_b = ocl_broadcast_of(&output->shape, &b->shape);
  uint32_t* to = output->data;
  for (size_t row = 0; row < rows_a.num_rows; row++) {
    const uint32_t* x = (const uint32_t*)a->data + ocl_broadcast_row(&rows_a, row);
    const uint32_t* y = (const uint32_t*)b->data + ocl_broadcast_row(&rows_b, row);
    for (size_t i = 0; i < rows_a.row_length; i++)
      *to++ = variant->compute_int32(x[i * rows_a.step], y[i * rows_b.step]);
  }
}

static enum xnn_status run_binary(ocl_graph* graph, ocl_step* step) {
  const binary_state* state = step->state;
  if (step->xnn == NULL) {
    run_int32(graph, step);
    return xnn_status_success;
  }
  const enum xnn_status status = xnn_run_operator(step->xnn, graph->pool);
  return status != xnn_status_success || state->clamp == NULL ? status : xnn_run_operator(state->clamp, graph->pool);
}

static void drop_binary(ocl_step* step) {
  xnn_delete_operator(((binary_state*)step->state)->clamp);
}

static uint32_t add_int32(uint32_t a, uint32_t b) {
  return a + b;
}
static uint32_t subtract_int32(uint32_t a, uint32_t b) {
  return a - b;
}
static uint32_t multiply_int32(uint32_t a, uint32_t b) {
  return a * b;
}

#define BINARY(xnn_type, int32_function)                                                                  \
  {                                                                                                       \
    .state_bytes = sizeof(binary_state), .build = build_binary, .plan = plan_binary, .bind = bind_binary, \
    .run = run_binary, .drop = drop_binary, .variant = &(const binary) {                                  \
      xnn_type, int32_function                                                                            \
    }                                                                                                     \
  }
const ocl_kind ocl_kind_ADD = BINARY(xnn_binary_add, add_int32);
const ocl_kind ocl_kind_SUB = BINARY(xnn_binary_subtract, subtract_int32);
const ocl_kind ocl_kind_MUL = BINARY(xnn_binary_multiply, multiply_int32);
#undef BINARY

// ---- RELU, RELU6, LOGISTIC, HARD_SWISH, ABS, QUANTIZE, DEQUANTIZE ----
// From 8 bits to 8 bits each of them is a lookup table; XNNPACK runs the others.

typedef struct {
  float (*compute_real)(float x);
  enum xnn_unary_operator type;  // convert: float to 8 bits or 8 bits to float
  float max;                     // upper bound of a clamp, whose lower bound is 0
} unary;

typedef struct {
  uint8_t table[256];  // input byte -> output byte
} unary_state;

static float relu(float x) {
  return x > 0 ? x : 0;
}
static float relu6(float x) {
  return x > 0 ? (x < 6 ? x : 6) : 0;
}
static float logistic(float x) {
  return 1 / (1 + expf(-x));
}
static float hard_swish(float x) {
  return x * fminf(fmaxf(x + 3, 0), 6) / 6;
}

static ocl_status build_unary_float(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const unary* variant = step->kind->variant;
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  enum xnn_datatype from, to;
  if (!ocl_graph_datatype_of(input, &from) || !ocl_graph_datatype_of(output, &to))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input and output must be float or 8-bit");
  if ((variant->type == xnn_unary_convert) == (from == to))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "it has unsupported input and output dtypes");
  const union xnn_unary_params params = {.clamp = {0, variant->max}};
  const struct xnn_quantization_params qi = ocl_graph_quantization_of(input), qo = ocl_graph_quantization_of(output);
  return ocl_graph_check_created(
      step, xnn_create_unary_elementwise_nc(variant->type, from, to, &params, &qi, &qo, 0, &step->xnn), detail);
}

static ocl_status build_unary(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  if (!ocl_graph_is_quantized(input) || !ocl_graph_is_quantized(output)) return build_unary_float(graph, step, detail);
  ocl_graph_fill_table(((unary_state*)step->state)->table, ((const unary*)step->kind->variant)->compute_real, input,
                       output);
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

static enum xnn_status run_unary(ocl_graph* graph, ocl_step* step) {
  if (step->xnn != NULL) return xnn_run_operator(step->xnn, graph->pool);
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const uint8_t *from = input->data, *table = ((const unary_state*)step->state)->table;
  uint8_t* to = ocl_graph_out(graph, step, 0)->data;
  const size_t count = ocl_shape_num_elements(&input->shape);
  for (size_t i = 0; i < count; i++) to[i] = table[from[i]];
  return xnn_status_success;
}

#define UNARY(...)                                                                                    \
  {                                                                                                   \
    .state_bytes = sizeof(unary_state), .build = build_unary, .plan = plan_unary, .bind = bind_unary, \
    .run = run_unary, .variant = &(const unary) {                                                     \
      __VA_ARGS__                                                                                     \
    }                                                                                                 \
  }
const ocl_kind ocl_kind_RELU = UNARY(relu, xnn_unary_clamp, INFINITY);
const ocl_kind ocl_kind_RELU6 = UNARY(relu6, xnn_unary_clamp, 6);
const ocl_kind ocl_kind_LOGISTIC = UNARY(logistic, xnn_unary_sigmoid, 0);
const ocl_kind ocl_kind_HARD_SWISH = UNARY(hard_swish, xnn_unary_hardswish, 0);
const ocl_kind ocl_kind_ABS = UNARY(fabsf, xnn_unary_abs, 0);
const ocl_kind ocl_kind_QUANTIZE = UNARY(ocl_graph_identity, xnn_unary_convert, 0);
const ocl_kind ocl_kind_DEQUANTIZE = UNARY(ocl_graph_identity, xnn_unary_convert, 0);
#undef UNARY
