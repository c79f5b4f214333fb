// PRELU: x if x >= 0, else alpha * x, with alpha broadcast to x's shape. LEAKY_RELU: the same with one alpha, an
// option.
#include "graph/operators/broadcast.h"
#include "graph/operators/fixed_point.h"
#include "graph/operators/table.h"

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

static void run_floats(const float* x, const float* alpha, size_t alpha_step, float* y, size_t count) {
  if (alpha_step == 0)
    for (size_t i = 0; i < count; i++) y[i] = x[i] >= 0 ? x[i] : x[i] * *alpha;
  else
    for (size_t i = 0; i < count; i++) y[i] = x[i] >= 0 ? x[i] : x[i] * alpha[i];
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

static enum xnn_status run_prelu(ocl_graph* graph, ocl_step* step) {
  const ocl_value* values[] = {ocl_graph_in(graph, step, 0), ocl_graph_in(graph, step, 1),
                               ocl_graph_out(graph, step, 0)};
  const ocl_broadcast alpha = ocl_broadcast_of(&values[2]->shape, &values[1]->shape);
  for (size_t row = 0; row < alpha.num_rows; row++) {
    const size_t at = row * alpha.row_length, alpha_at = ocl_broadcast_row(&alpha, row);
    if (values[2]->dtype == OCL_FLOAT32) {
      run_floats((const float*)values[0]->data + at, (const float*)values[1]->data + alpha_at, alpha.step,
                 (float*)values[2]->data + at, alpha.row_length);
      continue;
    }
    const uint8_t *x = values[0]->data, *a = (const uint8_t*)values[1]->data + alpha_at;
    uint8_t* y = values[2]->data;
    for (size_t i = 0; i < alpha.row_length; i++)
      y[at + i] = compute_stored(step->state, values, x[at + i], a[i * alpha.step]);
  }
  return xnn_status_success;
}

const ocl_kind ocl_kind_PRELU = {
    .state_bytes = sizeof(prelu), .build = build_prelu, .plan = plan_prelu, .run = run_prelu};

// ---- LEAKY_RELU ----

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
    run_floats(input->data, &step->op.options.leaky_relu.alpha, 0, output, count);
    return xnn_status_success;
  }
  const uint8_t *from = input->data, *table = step->state;
  for (size_t i = 0; i < count; i++) ((uint8_t*)output)[i] = table[from[i]];
  return xnn_status_success;
}

const ocl_kind ocl_kind_LEAKY_RELU = {
    .state_bytes = 256, .build = build_leaky_relu, .plan = plan_leaky_relu, .run = run_leaky_relu};
