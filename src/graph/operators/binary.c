// Operators on two inputs, element by element with numpy's broadcasting: arithmetic, comparisons, logic. And SELECT,
// SELECT_V2, which choose between two inputs by a third, and ADD_N, which adds several inputs of one shape.
#include <math.h>
#include <string.h>

#include "graph/operators/broadcast.h"
#include "graph/operators/fixed_point.h"
#include "graph/operators/table.h"

// FLOORING: arithmetic, in 8 bits on the stored numbers.
typedef enum { ARITHMETIC, FLOORING, COMPARISON, LOGIC } binary_family;

typedef struct {
  binary_family family;
  enum xnn_binary_operator type;           // for float and 8 bits; invalid: XNNPACK is not used
  float (*real)(float a, float b);         // of a comparison: 0 or 1. NULL: not for float
  int64_t (*whole)(int64_t a, int64_t b);  // wraps around
  bool divides;
} binary;

typedef struct {
  xnn_operator_t clamp;  // owned: the fused activation, run on the output. NULL: no activation
} binary_state;

// ---- building ----

static bool is_ratio_in(float ratio, float min, float max) {
  return ratio >= min && ratio < max;
}

// Whether XNNPACK's 8-bit arithmetic is defined for these scales (its microparams-init.c asserts it).
static bool are_scales_close(const ocl_value* a, const ocl_value* b, const ocl_value* output,
                             enum xnn_binary_operator type) {
  if (output->dtype != OCL_INT8 && output->dtype != OCL_UINT8) return true;
  if (type == xnn_binary_multiply) return is_ratio_in(a->scale * b->scale / output->scale, 0x1p-16f, 0x1p8f);
  const float ratio_a = a->scale / output->scale, ratio_b = b->scale / output->scale;
  return is_ratio_in(ratio_a, 0x1p-10f, 0x1p8f) && is_ratio_in(ratio_b, 0x1p-10f, 0x1p8f);
}

static ocl_status build_xnn(ocl_graph* graph, ocl_step* step, enum xnn_binary_operator type, ocl_detail* detail) {
  const ocl_value* a = ocl_graph_in(graph, step, 0);
  const ocl_value* b = ocl_graph_in(graph, step, 1);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  if (!are_scales_close(a, b, output, type))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                            "the scales of its inputs and output are too far apart");
  enum xnn_datatype datatype;
  ocl_graph_datatype_of(output, &datatype);
  const struct xnn_quantization_params qa = ocl_graph_quantization_of(a), qb = ocl_graph_quantization_of(b),
                                       qo = ocl_graph_quantization_of(output);
  return ocl_graph_check_created(step, xnn_create_binary_elementwise_nd(type, datatype, &qa, &qb, &qo, 0, &step->xnn),
                                 detail);
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

// Whether the output is computed from integers as they are stored.
static bool is_of_wholes(const binary* variant, const ocl_value* output) {
  return ocl_graph_is_int(output) || (variant->family != ARITHMETIC && output->dtype != OCL_FLOAT32);
}

static ocl_status build_arithmetic(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const binary* variant = step->kind->variant;
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const ocl_dtype dtype = output->dtype;
  // Shape arithmetic has few elements, so it needs no speed.
  const bool has_wholes = is_of_wholes(variant, output) && dtype != OCL_FLOAT16 && dtype != OCL_BOOL;
  if (has_wholes && ocl_graph_in(graph, step, 0)->dtype == dtype && ocl_graph_in(graph, step, 1)->dtype == dtype &&
      step->op.options.binary.activation == OCL_ACTIVATION_NONE)
    return OCL_OK;
  OCL_TRY(ocl_graph_check_float_or_8_bit(graph, step, 2, detail));
  if (variant->type != xnn_binary_invalid) OCL_TRY(build_xnn(graph, step, variant->type, detail));
  return build_clamp(graph, step, detail);
}

static ocl_status build_binary(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const binary* variant = step->kind->variant;
  if (variant->family <= FLOORING) return build_arithmetic(graph, step, detail);
  const ocl_value *a = ocl_graph_in(graph, step, 0), *b = ocl_graph_in(graph, step, 1);
  if (a->dtype != b->dtype || ocl_graph_out(graph, step, 0)->dtype != OCL_BOOL)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail,
                            "its inputs must have the same dtype, and its output must be bool");
  if (a->dtype == OCL_FLOAT16 || (variant->family == LOGIC && a->dtype != OCL_BOOL) ||
      ocl_graph_is_quantized(a) != ocl_graph_is_quantized(b))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its inputs have an unsupported dtype");
  return OCL_OK;
}

static void drop_binary(ocl_step* step) {
  xnn_delete_operator(((binary_state*)step->state)->clamp);
}

// ---- planning ----

static ocl_status plan_clamp(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const binary_state* state = step->state;
  if (state->clamp == NULL) return OCL_OK;
  const size_t elements = ocl_shape_num_elements(&ocl_graph_out(graph, step, 0)->shape);
  return ocl_graph_check_xnn(
      step, xnn_reshape_unary_elementwise_nc(state->clamp, 1, elements, elements, elements, graph->pool), detail);
}

// TFLite stops at a division of integers by zero. Here a divisor that is not known before a run gives 0.
static ocl_status check_divisor(ocl_graph* graph, const ocl_step* step, ocl_detail* detail) {
  const binary* variant = step->kind->variant;
  const ocl_value* divisor = ocl_graph_in(graph, step, 1);
  if (!variant->divides || !is_of_wholes(variant, ocl_graph_out(graph, step, 0)) || divisor->known == NULL)
    return OCL_OK;
  for (size_t i = 0; i < ocl_shape_num_elements(&divisor->shape); i++)
    if (ocl_graph_whole_at(divisor, i) == 0)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "it divides by zero");
  return OCL_OK;
}

static ocl_status plan_binary(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* a = &ocl_graph_in(graph, step, 0)->shape;
  const ocl_shape* b = &ocl_graph_in(graph, step, 1)->shape;
  if (!ocl_graph_broadcast(a, b, &ocl_graph_out(graph, step, 0)->shape))
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "the shapes of its inputs do not broadcast");
  OCL_TRY(check_divisor(graph, step, detail));
  if (step->xnn != NULL) {
    size_t sizes_a[OCL_MAX_RANK], sizes_b[OCL_MAX_RANK];
    ocl_graph_to_sizes(a, sizes_a);
    ocl_graph_to_sizes(b, sizes_b);
    OCL_TRY(ocl_graph_check_xnn(
        step,
        xnn_reshape_binary_elementwise_nd(step->xnn, (size_t)a->rank, sizes_a, (size_t)b->rank, sizes_b, graph->pool),
        detail));
  }
  return plan_clamp(graph, step, detail);
}

static enum xnn_status bind_binary(ocl_graph* graph, ocl_step* step) {
  return xnn_setup_binary_elementwise_nd(step->xnn, ocl_graph_in(graph, step, 0)->data,
                                         ocl_graph_in(graph, step, 1)->data, ocl_graph_out(graph, step, 0)->data);
}

// ---- running ----

typedef struct {
  const ocl_value* value;
  ocl_broadcast rows;
  ocl_fixed_point to_fixed;  // of a quantized value
} operand;

static operand operand_of(ocl_graph* graph, const ocl_step* step, int32_t i) {
  const ocl_value* value = ocl_graph_in(graph, step, i);
  return (operand){value, ocl_broadcast_of(&ocl_graph_out(graph, step, 0)->shape, &value->shape),
                   ocl_fixed_point_of(value->scale)};
}

static void compute_floats(float (*real)(float, float), const float* x, size_t x_step, const float* y, size_t y_step,
                           float* to, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = real(x[i * x_step], y[i * y_step]);
}

// TFLite compares quantized numbers in units of 1/256.
static int64_t whole_at(const binary* variant, const operand* o, size_t i) {
  const int64_t whole = ocl_graph_whole_at(o->value, i);
  if (variant->family != COMPARISON || !ocl_graph_is_quantized(o->value)) return whole;
  return ocl_fixed_point_multiply((int32_t)(whole - o->value->zero_point) * 256, o->to_fixed);
}

static void compute_element(const binary* variant, const operand* a, size_t i, const operand* b, size_t j,
                            const ocl_value* output, size_t k) {
  if (!is_of_wholes(variant, output))
    ocl_graph_store_at(output, k, variant->real(ocl_graph_real_at(a->value, i), ocl_graph_real_at(b->value, j)));
  else
    ocl_graph_store_whole_at(output, k, variant->whole(whole_at(variant, a, i), whole_at(variant, b, j)));
}

static void compare_floats(float (*real)(float, float), const float* x, size_t x_step, const float* y, size_t y_step,
                           uint8_t* to, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = real(x[i * x_step], y[i * y_step]) != 0;
}

static void run_here(ocl_graph* graph, ocl_step* step) {
  const binary* variant = step->kind->variant;
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const operand a = operand_of(graph, step, 0), b = operand_of(graph, step, 1);
  const size_t length = a.rows.row_length;
  for (size_t row = 0; row < a.rows.num_rows; row++) {
    const size_t i = ocl_broadcast_row(&a.rows, row), j = ocl_broadcast_row(&b.rows, row);
    if (output->dtype == OCL_FLOAT32)
      compute_floats(variant->real, (const float*)a.value->data + i, a.rows.step, (const float*)b.value->data + j,
                     b.rows.step, (float*)output->data + row * length, length);
    else if (a.value->dtype == OCL_FLOAT32)  // compared
      compare_floats(variant->real, (const float*)a.value->data + i, a.rows.step, (const float*)b.value->data + j,
                     b.rows.step, (uint8_t*)output->data + row * length, length);
    else
      for (size_t k = 0; k < length; k++)
        compute_element(variant, &a, i + k * a.rows.step, &b, j + k * b.rows.step, output, row * length + k);
  }
}

static enum xnn_status run_binary(ocl_graph* graph, ocl_step* step) {
  const binary_state* state = step->state;
  if (step->xnn == NULL) {
    run_here(graph, step);
  } else {
    const enum xnn_status status = xnn_run_operator(step->xnn, graph->pool);
    if (status != xnn_status_success) return status;
  }
  if (state->clamp == NULL) return xnn_status_success;
  void* output = ocl_graph_out(graph, step, 0)->data;
  xnn_setup_unary_elementwise_nc(state->clamp, output, output);
  return xnn_run_operator(state->clamp, graph->pool);
}

// ---- arithmetic ----

static int64_t subtract_wholes(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a - (uint64_t)b);
}
static float divide(float a, float b) {
  return a / b;
}
static int64_t divide_wholes(int64_t a, int64_t b) {
  return b == 0 ? 0 : b == -1 ? subtract_wholes(0, a) : a / b;
}
static float floor_divide(float a, float b) {
  return floorf(a / b);
}
static int64_t floor_divide_wholes(int64_t a, int64_t b) {
  const int64_t quotient = divide_wholes(a, b);
  return subtract_wholes(a, ocl_graph_multiply_wholes(quotient, b)) != 0 && b != 0 && (a < 0) != (b < 0) ? quotient - 1
                                                                                                         : quotient;
}
static float floor_modulo(float a, float b) {
  const float remainder = fmodf(a, b);
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}
static int64_t floor_modulo_wholes(int64_t a, int64_t b) {
  return b == 0 ? 0 : subtract_wholes(a, ocl_graph_multiply_wholes(floor_divide_wholes(a, b), b));
}
static float squared_difference(float a, float b) {
  return (a - b) * (a - b);
}
static int64_t squared_difference_of_wholes(int64_t a, int64_t b) {
  return ocl_graph_multiply_wholes(subtract_wholes(a, b), subtract_wholes(a, b));
}
static float larger(float a, float b) {
  return a > b ? a : b;
}
static float smaller(float a, float b) {
  return a < b ? a : b;
}
// pow() of C would bring large tables.
static float power(float a, float b) {
  if (b == 0 || a == 1) return 1;
  const float magnitude = a == -1 ? 1 : (float)exp(b * log(fabsf(a)));
  const bool is_whole = floorf(b) == b, is_even = floorf(b / 2) * 2 == b;
  if (is_whole && !is_even) return copysignf(magnitude, a);
  return a < 0 && isfinite(a) && !is_whole ? NAN : magnitude;
}
static int64_t power_of_whole(int64_t a, int64_t b) {
  if (b < 0) return a == 1 || (a == -1 && b % 2 == 0) ? 1 : a == -1 ? -1 : 0;
  int64_t power = 1;
  for (; b > 0; b /= 2, a = ocl_graph_multiply_wholes(a, a))
    if (b % 2 == 1) power = ocl_graph_multiply_wholes(power, a);
  return power;
}

#define BINARY(...)                                                                                       \
  {                                                                                                       \
    .state_bytes = sizeof(binary_state), .build = build_binary, .plan = plan_binary, .bind = bind_binary, \
    .run = run_binary, .drop = drop_binary, .variant = &(const binary) {                                  \
      __VA_ARGS__                                                                                         \
    }                                                                                                     \
  }
const ocl_kind ocl_kind_ADD = BINARY(ARITHMETIC, xnn_binary_add, NULL, ocl_graph_add_wholes, false);
const ocl_kind ocl_kind_SUB = BINARY(ARITHMETIC, xnn_binary_subtract, NULL, subtract_wholes, false);
const ocl_kind ocl_kind_MUL = BINARY(ARITHMETIC, xnn_binary_multiply, NULL, ocl_graph_multiply_wholes, false);
const ocl_kind ocl_kind_DIV = BINARY(ARITHMETIC, xnn_binary_invalid, divide, divide_wholes, true);
const ocl_kind ocl_kind_FLOOR_DIV = BINARY(FLOORING, xnn_binary_invalid, floor_divide, floor_divide_wholes, true);
const ocl_kind ocl_kind_FLOOR_MOD = BINARY(FLOORING, xnn_binary_invalid, floor_modulo, floor_modulo_wholes, true);
const ocl_kind ocl_kind_SQUARED_DIFFERENCE =
    BINARY(ARITHMETIC, xnn_binary_invalid, squared_difference, squared_difference_of_wholes, false);
const ocl_kind ocl_kind_MAXIMUM = BINARY(ARITHMETIC, xnn_binary_invalid, larger, ocl_graph_larger_whole, false);
const ocl_kind ocl_kind_MINIMUM = BINARY(ARITHMETIC, xnn_binary_invalid, smaller, ocl_graph_smaller_whole, false);
const ocl_kind ocl_kind_POW = BINARY(ARITHMETIC, xnn_binary_invalid, power, power_of_whole, false);

// ---- comparisons, logic ----

#define COMPARE(name, operator)                        \
  static float name(float a, float b) {                \
    return a operator b;                               \
  }                                                    \
  static int64_t name##_wholes(int64_t a, int64_t b) { \
    return a operator b;                               \
  }
COMPARE(is_equal, ==)
COMPARE(is_unequal, !=)
COMPARE(is_less, <)
COMPARE(is_less_or_equal, <=)
COMPARE(is_greater, >)
COMPARE(is_greater_or_equal, >=)
#undef COMPARE

const ocl_kind ocl_kind_EQUAL = BINARY(COMPARISON, xnn_binary_invalid, is_equal, is_equal_wholes, false);
const ocl_kind ocl_kind_NOT_EQUAL = BINARY(COMPARISON, xnn_binary_invalid, is_unequal, is_unequal_wholes, false);
const ocl_kind ocl_kind_LESS = BINARY(COMPARISON, xnn_binary_invalid, is_less, is_less_wholes, false);
const ocl_kind ocl_kind_LESS_EQUAL =
    BINARY(COMPARISON, xnn_binary_invalid, is_less_or_equal, is_less_or_equal_wholes, false);
const ocl_kind ocl_kind_GREATER = BINARY(COMPARISON, xnn_binary_invalid, is_greater, is_greater_wholes, false);
const ocl_kind ocl_kind_GREATER_EQUAL =
    BINARY(COMPARISON, xnn_binary_invalid, is_greater_or_equal, is_greater_or_equal_wholes, false);
const ocl_kind ocl_kind_LOGICAL_AND = BINARY(LOGIC, xnn_binary_invalid, NULL, ocl_graph_smaller_whole, false);
const ocl_kind ocl_kind_LOGICAL_OR = BINARY(LOGIC, xnn_binary_invalid, NULL, ocl_graph_larger_whole, false);
#undef BINARY

// ---- SELECT, SELECT_V2: input 1 where input 0 is true, else input 2 ----

static ocl_status build_select(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  if (ocl_graph_in(graph, step, 0)->dtype != OCL_BOOL)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its condition is not bool");
  OCL_TRY(ocl_graph_check_moves(graph, step, 1, detail));
  return ocl_graph_check_moves(graph, step, 2, detail);
}

// The shape of the condition as it is broadcast. SELECT's may be a vector of one element for each index of dimension 0.
static ocl_shape shape_of_condition(ocl_graph* graph, const ocl_step* step) {
  ocl_shape shape = ocl_graph_in(graph, step, 0)->shape;
  const int32_t rank = ocl_graph_in(graph, step, 1)->shape.rank;
  if (step->kind != &ocl_kind_SELECT || shape.rank != 1) return shape;
  for (; shape.rank < rank; shape.rank++) shape.dims[shape.rank] = 1;
  return shape;
}

static ocl_status plan_select(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape condition = shape_of_condition(graph, step);
  ocl_shape values;
  if (ocl_graph_broadcast(&ocl_graph_in(graph, step, 1)->shape, &ocl_graph_in(graph, step, 2)->shape, &values) &&
      ocl_graph_broadcast(&condition, &values, &ocl_graph_out(graph, step, 0)->shape))
    return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "the shapes of its inputs do not broadcast");
}

static enum xnn_status run_select(ocl_graph* graph, ocl_step* step) {
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const ocl_shape condition = shape_of_condition(graph, step);
  const size_t size = ocl_dtype_size_bytes(output->dtype);
  const uint8_t* chosen = ocl_graph_in(graph, step, 0)->data;
  const uint8_t* from[2];
  ocl_broadcast rows[3];
  for (int32_t i = 0; i < 3; i++)
    rows[i] = ocl_broadcast_of(&output->shape, i == 0 ? &condition : &ocl_graph_in(graph, step, i)->shape);
  for (int32_t i = 0; i < 2; i++) from[i] = ocl_graph_in(graph, step, 1 + i)->data;
  uint8_t* to = output->data;
  for (size_t row = 0; row < rows[0].num_rows; row++) {
    size_t at[3];
    for (int32_t i = 0; i < 3; i++) at[i] = ocl_broadcast_row(&rows[i], row);
    for (size_t k = 0; k < rows[0].row_length; k++, to += size) {
      const int32_t i = chosen[at[0] + k * rows[0].step] != 0 ? 0 : 1;
      memcpy(to, from[i] + (at[1 + i] + k * rows[1 + i].step) * size, size);
    }
  }
  return xnn_status_success;
}

const ocl_kind ocl_kind_SELECT = {.build = build_select, .plan = plan_select, .run = run_select};
const ocl_kind ocl_kind_SELECT_V2 = {.build = build_select, .plan = plan_select, .run = run_select};

// ---- ADD_N ----

static ocl_status build_sum(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_dtype dtype = ocl_graph_out(graph, step, 0)->dtype;
  if (dtype != OCL_FLOAT32 && dtype != OCL_INT32)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "it adds float32 and int32 only");
  for (int32_t i = 0; i < step->op.num_inputs; i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    if (input == NULL || input->dtype != dtype)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "input %d and its output have different dtypes",
                              (int)i);
  }
  return OCL_OK;
}

static ocl_status plan_sum(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* shape = &ocl_graph_in(graph, step, 0)->shape;
  for (int32_t i = 1; i < step->op.num_inputs; i++)
    if (!ocl_shape_is_same(&ocl_graph_in(graph, step, i)->shape, shape))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "inputs 0 and %d have different shapes", (int)i);
  ocl_graph_out(graph, step, 0)->shape = *shape;
  step->other_work = (uint64_t)ocl_shape_num_elements(shape) * (uint64_t)step->op.num_inputs;
  return OCL_OK;
}

static void add_floats(const float* a, const float* b, float* sum, size_t count) {
  for (size_t i = 0; i < count; i++) sum[i] = a[i] + b[i];
}

// Wraps around, as TFLite's sums do.
static void add_wholes(const uint32_t* a, const uint32_t* b, uint32_t* sum, size_t count) {
  for (size_t i = 0; i < count; i++) sum[i] = a[i] + b[i];
}

static enum xnn_status run_sum(ocl_graph* graph, ocl_step* step) {
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const size_t count = ocl_shape_num_elements(&output->shape);
  const void* sum = ocl_graph_in(graph, step, 0)->data;
  for (int32_t i = 1; i < step->op.num_inputs; i++) {
    const void* part = ocl_graph_in(graph, step, i)->data;
    if (output->dtype == OCL_FLOAT32)
      add_floats(sum, part, output->data, count);
    else
      add_wholes(sum, part, output->data, count);
    sum = output->data;
  }
  return xnn_status_success;
}

const ocl_kind ocl_kind_ADD_N = {.build = build_sum, .plan = plan_sum, .run = run_sum};
