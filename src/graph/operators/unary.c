// Operators on one feature map, element by element. From 8 bits to 8 bits each of them is a lookup table; XNNPACK runs
// the most frequent ones in float. Also PRELU, whose second input is its slope.
#include <math.h>
#include <string.h>

#include "graph/operators/broadcast.h"
#include "graph/operators/fixed_point.h"
#include "graph/operators/table.h"
#include "kernels/kernels.h"

typedef struct {
  float (*compute_real)(float x);       // NULL: of integers only
  int64_t (*compute_whole)(int64_t x);  // NULL: not of integers
  enum xnn_unary_operator type;         // in float. convert: float to 8 bits or 8 bits to float. invalid: no XNNPACK
  float min, max;                       // of a clamp
} unary;

typedef struct {
  float (*compute_real)(float x);
  uint8_t table[256];  // input byte -> output byte
} unary_state;

// ---- building ----

static ocl_status build_float(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const unary* variant = step->kind->variant;
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  enum xnn_datatype from, to;
  if (!ocl_graph_datatype_of(input, &from) || !ocl_graph_datatype_of(output, &to))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input and output must be float or 8-bit");
  if ((variant->type == xnn_unary_convert) == (from == to))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "it has unsupported input and output dtypes");
  if (variant->type == xnn_unary_invalid) return OCL_OK;
  const union xnn_unary_params params = {.clamp = {variant->min, variant->max}};
  const struct xnn_quantization_params qi = ocl_graph_quantization_of(input), qo = ocl_graph_quantization_of(output);
  return ocl_graph_check_created(
      step, xnn_create_unary_elementwise_nc(variant->type, from, to, &params, &qi, &qo, 0, &step->xnn), detail);
}

static bool is_of_wholes(ocl_graph* graph, const ocl_step* step) {
  const unary* variant = step->kind->variant;
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  if (variant->compute_whole == NULL || input->dtype != ocl_graph_out(graph, step, 0)->dtype) return false;
  return variant->compute_real == NULL ? input->dtype == OCL_BOOL : ocl_graph_is_int(input);
}

static ocl_status build_with(ocl_graph* graph, ocl_step* step, float (*compute_real)(float x), ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  unary_state* state = step->state;
  state->compute_real = compute_real;
  if (is_of_wholes(graph, step)) return OCL_OK;
  if (compute_real == NULL)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input and output must be bool");
  if (!ocl_graph_is_quantized(input) || !ocl_graph_is_quantized(output)) return build_float(graph, step, detail);
  ocl_graph_fill_table(state->table, compute_real, input, output);
  return OCL_OK;
}

static ocl_status build_unary(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return build_with(graph, step, ((const unary*)step->kind->variant)->compute_real, detail);
}

// ---- planning and running ----

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

static void compute_floats(float (*compute_real)(float x), const float* from, float* to, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = compute_real(from[i]);
}

static void look_up(const uint8_t table[256], const uint8_t* from, uint8_t* to, size_t count) {
  for (size_t i = 0; i < count; i++) to[i] = table[from[i]];
}

static float gelu(float x);

static enum xnn_status run_unary(ocl_graph* graph, ocl_step* step) {
  if (step->xnn != NULL) return xnn_run_operator(step->xnn, graph->pool);
  const unary_state* state = step->state;
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const size_t count = ocl_shape_num_elements(&input->shape);
  if (is_of_wholes(graph, step)) {
    const unary* variant = step->kind->variant;
    for (size_t i = 0; i < count; i++)
      ocl_graph_store_whole_at(output, i, variant->compute_whole(ocl_graph_whole_at(input, i)));
  } else if (input->dtype == OCL_FLOAT32) {
    if (state->compute_real == gelu)
      ocl_gelu_f32(input->data, output->data, count);
    else
      compute_floats(state->compute_real, input->data, output->data, count);
  } else {
    look_up(state->table, input->data, output->data, count);
  }
  return xnn_status_success;
}

// ---- the functions ----

static float relu(float x) {
  return x > 0 ? x : 0;
}
static float clamp(float x, float min, float max) {
  return x > min ? (x < max ? x : max) : min;
}
static float relu6(float x) {
  return clamp(x, 0, 6);
}
static float relu_n1_to_1(float x) {
  return clamp(x, -1, 1);
}
static float relu_0_to_1(float x) {
  return clamp(x, 0, 1);
}
static float logistic(float x) {
  return 1 / (1 + expf(-x));
}
static float hard_swish(float x) {
  return x * fminf(fmaxf(x + 3, 0), 6) / 6;
}
// exp(x) - 1 with all bits of a float: near 0, where the difference loses them, by its series.
static double exp_minus_1(double x) {
  return fabs(x) < 1e-5 ? x + x * x / 2 : exp(x) - 1;
}
static float elu(float x) {
  return x < 0 ? (float)exp_minus_1(x) : x;
}
static float hyperbolic_tangent(float x) {
  const double e = exp_minus_1(-2 * fabs((double)x));
  return copysignf((float)(-e / (e + 2)), x);
}
static float logarithm(float x) {
  return (float)log(x);
}
static float negate(float x) {
  return -x;
}
static int64_t negate_whole(int64_t x) {
  return (int64_t)(0 - (uint64_t)x);
}
static int64_t absolute_whole(int64_t x) {
  return x < 0 ? negate_whole(x) : x;
}
static float square(float x) {
  return x * x;
}
static int64_t square_of_whole(int64_t x) {
  return (int64_t)((uint64_t)x * (uint64_t)x);
}
static float sign(float x) {
  return x > 0 ? 1 : x < 0 ? -1 : x;
}
static int64_t sign_of_whole(int64_t x) {
  return (x > 0) - (x < 0);
}
static float reciprocal_square_root(float x) {
  return 1 / sqrtf(x);
}
static int64_t not_whole(int64_t x) {
  return !x;
}

#define UNARY(builder, ...)                                                                                         \
  {                                                                                                                 \
    .state_bytes = sizeof(unary_state), .build = builder, .plan = plan_unary, .bind = bind_unary, .run = run_unary, \
    .variant = &(const unary) {                                                                                     \
      __VA_ARGS__                                                                                                   \
    }                                                                                                               \
  }
const ocl_kind ocl_kind_RELU = UNARY(build_unary, relu, NULL, xnn_unary_clamp, 0, INFINITY);
const ocl_kind ocl_kind_RELU6 = UNARY(build_unary, relu6, NULL, xnn_unary_clamp, 0, 6);
const ocl_kind ocl_kind_RELU_N1_TO_1 = UNARY(build_unary, relu_n1_to_1, NULL, xnn_unary_clamp, -1, 1);
const ocl_kind ocl_kind_RELU_0_TO_1 = UNARY(build_unary, relu_0_to_1, NULL, xnn_unary_clamp, 0, 1);
const ocl_kind ocl_kind_LOGISTIC = UNARY(build_unary, logistic, NULL, xnn_unary_sigmoid, 0, 0);
const ocl_kind ocl_kind_HARD_SWISH = UNARY(build_unary, hard_swish, NULL, xnn_unary_hardswish, 0, 0);
const ocl_kind ocl_kind_ABS = UNARY(build_unary, fabsf, absolute_whole, xnn_unary_abs, 0, 0);
const ocl_kind ocl_kind_QUANTIZE = UNARY(build_unary, ocl_graph_identity, NULL, xnn_unary_convert, 0, 0);
const ocl_kind ocl_kind_DEQUANTIZE = UNARY(build_unary, ocl_graph_identity, NULL, xnn_unary_convert, 0, 0);
const ocl_kind ocl_kind_ELU = UNARY(build_unary, elu, NULL, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_TANH = UNARY(build_unary, hyperbolic_tangent, NULL, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_EXP = UNARY(build_unary, expf, NULL, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_LOG = UNARY(build_unary, logarithm, NULL, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_SQRT = UNARY(build_unary, sqrtf, NULL, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_RSQRT = UNARY(build_unary, reciprocal_square_root, NULL, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_SQUARE = UNARY(build_unary, square, square_of_whole, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_NEG = UNARY(build_unary, negate, negate_whole, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_FLOOR = UNARY(build_unary, floorf, NULL, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_CEIL = UNARY(build_unary, ceilf, NULL, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_ROUND = UNARY(build_unary, rintf, NULL, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_SIGN = UNARY(build_unary, sign, sign_of_whole, xnn_unary_invalid, 0, 0);
const ocl_kind ocl_kind_LOGICAL_NOT = UNARY(build_unary, NULL, not_whole, xnn_unary_invalid, 0, 0);

// ---- GELU ----

static float gelu(float x) {
  float y;
  ocl_gelu_f32(&x, &y, 1);
  return y;
}
static float gelu_by_tanh(float x) {
  return 0.5f * x * (1 + hyperbolic_tangent(0.79788456f * (x + 0.044715f * x * x * x)));
}

static ocl_status build_gelu(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return build_with(graph, step, step->op.options.gelu.approximate ? gelu_by_tanh : gelu, detail);
}

const ocl_kind ocl_kind_GELU = UNARY(build_gelu, gelu, NULL, xnn_unary_invalid, 0, 0);
#undef UNARY

// ---- DENSIFY: of a constant, graph.c replaces it ----

static ocl_status plan_densify(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  (void)graph;
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input is not a constant of its output's dtype");
}

const ocl_kind ocl_kind_DENSIFY = {.plan = plan_densify};

// ---- CAST: numbers as they are stored, whatever their scale ----

static ocl_status plan_cast(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_value* output = ocl_graph_out(graph, step, 0);
  if (input->dtype == OCL_FLOAT16 || output->dtype == OCL_FLOAT16)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input or output is float16");
  output->shape = input->shape;
  return OCL_OK;
}

// Toward zero; numbers past int64, and NaN, as WebAssembly converts them.
static int64_t to_whole(float x) {
  return x >= 0x1p63f ? INT64_MAX : x <= -0x1p63f ? INT64_MIN : x == x ? (int64_t)x : 0;
}

static int64_t to_whole_of(ocl_dtype dtype, float x) {
  if (dtype == OCL_BOOL) return x != 0;
  const int64_t whole = to_whole(x);
  if (dtype != OCL_INT32) return whole;
  return whole > INT32_MAX ? INT32_MAX : whole < INT32_MIN ? INT32_MIN : whole;
}

static enum xnn_status run_cast(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const size_t count = ocl_shape_num_elements(&input->shape);
  if (input->dtype == output->dtype) memcpy(output->data, input->data, ocl_graph_size_bytes(input));
  for (size_t i = 0; i < count && input->dtype != output->dtype; i++) {
    if (output->dtype == OCL_FLOAT32)
      ((float*)output->data)[i] = (float)ocl_graph_whole_at(input, i);
    else if (input->dtype == OCL_FLOAT32)
      ocl_graph_store_whole_at(output, i, to_whole_of(output->dtype, ((const float*)input->data)[i]));
    else
      ocl_graph_store_whole_at(
          output, i, output->dtype == OCL_BOOL ? ocl_graph_whole_at(input, i) != 0 : ocl_graph_whole_at(input, i));
  }
  return xnn_status_success;
}

const ocl_kind ocl_kind_CAST = {.plan = plan_cast, .run = run_cast};

// ---- PRELU: x if x >= 0, else alpha * x, with alpha broadcast to x's shape ----

// Requantization factors for x >= 0 and x < 0; unused by float operators.
typedef struct {
  ocl_fixed_point positive, negative;
} prelu;

static ocl_status build_prelu(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_float_or_8_bit(graph, step, 2, detail));
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  if (output->dtype == OCL_FLOAT32) return OCL_OK;
  prelu* state = step->state;
  const float input_scale = ocl_graph_in(graph, step, 0)->scale, alpha_scale = ocl_graph_in(graph, step, 1)->scale;
  state->positive = ocl_fixed_point_of(input_scale / output->scale);
  state->negative = ocl_fixed_point_of(input_scale * alpha_scale / output->scale);
  return OCL_OK;
}

static ocl_status plan_prelu(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  ocl_shape* shape = &ocl_graph_out(graph, step, 0)->shape;
  if (!ocl_graph_broadcast(input, &ocl_graph_in(graph, step, 1)->shape, shape) || !ocl_shape_is_same(shape, input))
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail,
                            "its alpha does not broadcast to the shape of its input");
  return OCL_OK;
}

static uint8_t compute_stored(const prelu* state, const ocl_value* values[3], uint8_t x, uint8_t alpha) {
  const ocl_value* output = values[2];
  const int32_t value = ocl_graph_stored_at(values[0], x) - values[0]->zero_point;
  const int32_t slope = ocl_graph_stored_at(values[1], alpha) - values[1]->zero_point;
  const int32_t product = value >= 0 ? ocl_fixed_point_multiply(value, state->positive)
                                     : ocl_fixed_point_multiply(value * slope, state->negative);
  const int64_t stored = (int64_t)product + output->zero_point;
  const int64_t min = output->dtype == OCL_INT8 ? INT8_MIN : 0, max = output->dtype == OCL_INT8 ? INT8_MAX : UINT8_MAX;
  return (uint8_t)(stored < min ? min : stored > max ? max : stored);
}

static void run_prelu_floats(const float* x, const float* slopes, const ocl_broadcast* alpha, float* y) {
  const size_t length = alpha->row_length;
  if (alpha->step == 1 && alpha->first >= alpha->rank - 1) {  // the same slopes for all rows
    ocl_prelu_f32(x, slopes, y, alpha->num_rows, length);
    return;
  }
  for (size_t row = 0; row < alpha->num_rows; row++, x += length, y += length) {
    const float* of_row = slopes + ocl_broadcast_row(alpha, row);
    if (alpha->step == 1)
      ocl_prelu_f32(x, of_row, y, 1, length);
    else
      ocl_leaky_f32(x, *of_row, y, length);
  }
}

static enum xnn_status run_prelu(ocl_graph* graph, ocl_step* step) {
  const ocl_value* values[] = {ocl_graph_in(graph, step, 0), ocl_graph_in(graph, step, 1),
                               ocl_graph_out(graph, step, 0)};
  const ocl_broadcast alpha = ocl_broadcast_of(&values[2]->shape, &values[1]->shape);
  if (values[2]->dtype == OCL_FLOAT32) {
    run_prelu_floats(values[0]->data, values[1]->data, &alpha, values[2]->data);
    return xnn_status_success;
  }
  const uint8_t *x = values[0]->data, *slopes = values[1]->data;
  uint8_t* y = values[2]->data;
  for (size_t row = 0; row < alpha.num_rows; row++) {
    const size_t at = row * alpha.row_length, alpha_at = ocl_broadcast_row(&alpha, row);
    for (size_t i = 0; i < alpha.row_length; i++)
      y[at + i] = compute_stored(step->state, values, x[at + i], slopes[alpha_at + i * alpha.step]);
  }
  return xnn_status_success;
}

const ocl_kind ocl_kind_PRELU = {
    .state_bytes = sizeof(prelu), .build = build_prelu, .plan = plan_prelu, .run = run_prelu};

// ---- LEAKY_RELU: PRELU with one alpha, an option ----

// The state is a lookup table, for 8 bits.
static ocl_status build_leaky_relu(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_float_or_8_bit(graph, step, 1, detail));
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  uint8_t* table = step->state;
  for (int32_t byte = 0; byte < 256 && output->dtype != OCL_FLOAT32; byte++) {
    const float x = (float)(ocl_graph_stored_at(input, (uint8_t)byte) - input->zero_point) * input->scale;
    table[byte] = (uint8_t)ocl_graph_quantize(x >= 0 ? x : x * step->op.options.leaky_relu.alpha, output);
  }
  return OCL_OK;
}

static ocl_status plan_leaky_relu(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  (void)detail;
  ocl_graph_out(graph, step, 0)->shape = ocl_graph_in(graph, step, 0)->shape;
  return OCL_OK;
}

static enum xnn_status run_leaky_relu(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  void* output = ocl_graph_out(graph, step, 0)->data;
  const size_t count = ocl_shape_num_elements(&input->shape);
  if (input->dtype == OCL_FLOAT32) {
    ocl_leaky_f32(input->data, step->op.options.leaky_relu.alpha, output, count);
    return xnn_status_success;
  }
  look_up(step->state, input->data, output, count);
  return xnn_status_success;
}

const ocl_kind ocl_kind_LEAKY_RELU = {
    .state_bytes = 256, .build = build_leaky_relu, .plan = plan_leaky_relu, .run = run_leaky_relu};
