// Operators over whole dimensions: MEAN over known axes, SOFTMAX over the last dimension.
#include <math.h>

#include "graph/operators/table.h"

// ---- axes ----

typedef struct {
  bool is_reduced[OCL_MAX_RANK];
} reduction;

// The known axes of input 1, and output 0's shape without them (or with 1 in their places).
static ocl_status plan_axes(ocl_graph* graph, ocl_step* step, reduction* r, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t axes[OCL_MAX_RANK], num_axes;
  *r = (reduction){{false}};
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, axes, &num_axes, detail));
  for (int32_t i = 0; i < num_axes; i++) {
    const int32_t axis = axes[i] < 0 ? axes[i] + input->rank : axes[i];
    if (axis < 0 || axis >= input->rank || r->is_reduced[axis])
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "axis %d", (int)axes[i]);
    r->is_reduced[axis] = true;
  }
  if (num_axes == 0) return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "no axis to reduce");
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
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its tensors are neither float nor 8-bit");
  if (input->dtype != OCL_FLOAT32 &&
      !(input->scale / output->scale >= 0x1p-10f && input->scale / output->scale < 0x1p8f))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its scales are too far apart");
  const struct xnn_quantization_params qi = ocl_graph_quantization_of(input), qo = ocl_graph_quantization_of(output);
  return ocl_graph_check_xnn(step, xnn_create_reduce_nd(xnn_reduce_mean, datatype, &qi, &qo, 0, &step->xnn), detail);
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
  // Its sums go to the workspace, where one is given, to be converted; float sums are the output already.
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  void* workspace = input->dtype == OCL_FLOAT32 ? NULL : step->workspace;
  return xnn_setup_reduce_nd(step->xnn, workspace, input->data, ocl_graph_out(graph, step, 0)->data);
}

const ocl_kind ocl_kind_MEAN = {.build = build_mean, .plan = plan_mean, .bind = bind_mean};

// ---- SOFTMAX ----

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

// 8 bits, or another beta than 1.
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
