// FULLY_CONNECTED: the input as a matrix [batch, inputs], times a kernel [outputs, inputs].
#include "graph/operators/conv.h"
#include "graph/operators/table.h"

static enum xnn_status create(ocl_graph* graph, ocl_step* step, const ocl_conv_weights* w) {
  const ocl_conv* conv = ocl_conv_of(step);
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const size_t outputs = (size_t)conv->kernel[0], inputs = (size_t)conv->kernel[1];
  if (w->dtype == OCL_FLOAT32) {
    float min, max;
    ocl_graph_activation_bounds(conv->sums == OCL_CONV_XNNPACK ? conv->activation : OCL_ACTIVATION_NONE, &min, &max);
    return xnn_create_fully_connected_nc_f32(inputs, outputs, inputs, outputs, w->kernel, w->bias, min, max, 0, NULL,
                                             NULL, &step->xnn);
  }
  int32_t min, max;
  ocl_graph_stored_bounds(output, conv->activation, &min, &max);
  if (w->dtype == OCL_INT8)
    return xnn_create_fully_connected_nc_qs8_qc8w(
        inputs, outputs, inputs, outputs, (int8_t)input->zero_point, input->scale, w->scales, w->kernel, w->bias,
        (int8_t)output->zero_point, output->scale, (int8_t)min, (int8_t)max, 0, NULL, NULL, &step->xnn);
  return xnn_create_fully_connected_nc_qu8(inputs, outputs, inputs, outputs, (uint8_t)input->zero_point, input->scale,
                                           w->kernel_zero_point, w->kernel_scale, w->kernel, w->bias,
                                           (uint8_t)output->zero_point, output->scale, (uint8_t)min, (uint8_t)max, 0,
                                           NULL, NULL, &step->xnn);
}

static ocl_status build_with(ocl_graph* graph, ocl_step* step, ocl_conv_weights* w, ocl_detail* detail) {
  ocl_conv* conv = ocl_conv_of(step);
  const int32_t outputs = conv->kernel[0] = w->shape.dims[0], inputs = conv->kernel[1] = w->shape.dims[1];
  OCL_TRY(ocl_conv_check_packed_size(step, 1, (uint64_t)outputs, (uint64_t)inputs, detail));
  OCL_TRY(ocl_conv_prepare_sums(graph, step, (size_t)outputs, w));
  return ocl_graph_check_created(step, create(graph, step, w), detail);
}

static ocl_status build_fully_connected(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  *ocl_conv_of(step) =
      (ocl_conv){.is_fully_connected = true, .activation = step->op.options.fully_connected.activation};
  ocl_conv_weights w;
  ocl_status status = ocl_conv_read_weights(graph, step, 2, 0, &w, detail);
  if (status == OCL_OK) status = build_with(graph, step, &w, detail);
  ocl_conv_free_weights(&w);
  return status;
}

static ocl_status plan_fully_connected(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_value* output = ocl_graph_out(graph, step, 0);
  const int32_t outputs = ocl_conv_of(step)->kernel[0], inputs = ocl_conv_of(step)->kernel[1];
  const size_t elements = ocl_shape_num_elements(&input->shape);
  if (input->shape.rank < 1 || elements % (size_t)inputs != 0)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "the size of its input is not a multiple of %d",
                            (int)inputs);
  const size_t batch = elements / (size_t)inputs;
  if (step->op.options.fully_connected.keep_num_dims) {
    if (input->shape.dims[input->shape.rank - 1] != inputs)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "the last dimension of its input is not %d",
                              (int)inputs);
    output->shape = input->shape;
    output->shape.dims[input->shape.rank - 1] = outputs;
  } else {
    output->shape = (ocl_shape){2, {(int32_t)batch, outputs}};
  }
  step->multiply_adds = (uint64_t)batch * (uint64_t)inputs * (uint64_t)outputs;
  const ocl_dtype dtype = ocl_conv_inner_dtype(graph, step);
  const enum xnn_status status =
      dtype == OCL_FLOAT32 ? xnn_reshape_fully_connected_nc_f32(step->xnn, batch, graph->pool)
      : dtype == OCL_INT8  ? xnn_reshape_fully_connected_nc_qs8_qc8w(step->xnn, batch, graph->pool)
                           : xnn_reshape_fully_connected_nc_qu8(step->xnn, batch, graph->pool);
  step->workspace_bytes = ocl_conv_sums_bytes(graph, step);
  return ocl_graph_check_xnn(step, status, detail);
}

static enum xnn_status bind_fully_connected(ocl_graph* graph, ocl_step* step) {
  const void* input = ocl_conv_sums_input(graph, step);
  void* output = ocl_conv_sums_output(graph, step);
  const ocl_dtype dtype = ocl_conv_inner_dtype(graph, step);
  if (dtype == OCL_FLOAT32) return xnn_setup_fully_connected_nc_f32(step->xnn, input, output);
  if (dtype == OCL_INT8) return xnn_setup_fully_connected_nc_qs8_qc8w(step->xnn, input, output);
  return xnn_setup_fully_connected_nc_qu8(step->xnn, input, output);
}

const ocl_kind ocl_kind_FULLY_CONNECTED = {.state_bytes = sizeof(ocl_conv),
                                           .build = build_fully_connected,
                                           .plan = plan_fully_connected,
                                           .bind = bind_fully_connected,
                                           .run = ocl_conv_run,
                                           .drop = ocl_conv_drop};
