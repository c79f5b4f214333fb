// Operators that normalize the rows of a tensor (along the last dimension): SOFTMAX, LOG_SOFTMAX, L2_NORMALIZATION.
#include <math.h>

#include "graph/operators/table.h"

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
  return ocl_graph_check_xnn(step, xnn_create_softmax_nc_f32(0, &step->xnn), detail);
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
  void (*const normalize)(const ocl_value*, const ocl_value*, size_t, size_t) =
      step->kind == &ocl_kind_LOG_SOFTMAX ? log_softmax : l2_normalize;
  for (size_t row = 0; row < count; row += channels) normalize(input, output, row, channels);
  return xnn_status_success;
}

const ocl_kind ocl_kind_LOG_SOFTMAX = {
    .build = build_normalization, .plan = plan_normalization, .run = run_normalization};
const ocl_kind ocl_kind_L2_NORMALIZATION = {
    .build = build_normalization, .plan = plan_normalization, .run = run_normalization};
