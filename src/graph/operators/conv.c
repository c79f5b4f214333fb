// CONV_2D and DEPTHWISE_CONV_2D over feature maps [N, H, W, C].
#include "graph/operators/conv.h"

#include <stdlib.h>

#include "graph/operators/table.h"
#include "kernels/kernels.h"
#include "xnnpack/operator.h"

// ---- building ----

typedef struct {
  uint32_t groups, flags;
  size_t group_inputs, group_outputs;
} grouping;

static enum xnn_status create_convolution(const ocl_graph* graph, ocl_step* step, const grouping* g,
                                          const ocl_conv_weights* w) {
  const ocl_value* input = &graph->values[step->op.inputs[0]];
  const ocl_value* output = &graph->values[step->op.outputs[0]];
  const ocl_conv* conv = ocl_conv_of(step);
  const ocl_pad_2d* pad = &conv->padding;
  const uint32_t kernel_h = (uint32_t)conv->kernel[1], kernel_w = (uint32_t)conv->kernel[2];
  const uint32_t stride_h = (uint32_t)step->op.options.conv.stride_h,
                 stride_w = (uint32_t)step->op.options.conv.stride_w;
  const uint32_t dilation_h = (uint32_t)step->op.options.conv.dilation_h;
  const uint32_t dilation_w = (uint32_t)step->op.options.conv.dilation_w;
  const size_t in_stride = g->groups * g->group_inputs, out_stride = g->groups * g->group_outputs;
#define WINDOW                                                                                                        \
  (uint32_t)pad->top, (uint32_t)pad->right, (uint32_t)pad->bottom, (uint32_t)pad->left, kernel_h, kernel_w, stride_h, \
      stride_w, dilation_h, dilation_w, g->groups, g->group_inputs, g->group_outputs, in_stride, out_stride
  if (w->dtype == OCL_FLOAT32) {
    float min, max;
    ocl_graph_activation_bounds(conv->sums == OCL_CONV_XNNPACK ? conv->activation : OCL_ACTIVATION_NONE, &min, &max);
    ocl_pack_f32_from(w->is_stored ? &w->stored : NULL, w->owned[0]);
    const enum xnn_status status =
        xnn_create_convolution2d_nhwc_f32(WINDOW, w->kernel, w->bias, min, max, g->flags, NULL, NULL, &step->xnn);
    ocl_pack_f32_from(NULL, NULL);
    return status;
  }
  int32_t min, max;
  ocl_graph_stored_bounds(output, conv->activation, &min, &max);
  if (w->dtype == OCL_INT8)
    return xnn_create_convolution2d_nhwc_qs8_qc8w(WINDOW, (int8_t)input->zero_point, input->scale, w->scales, w->kernel,
                                                  w->bias, (int8_t)output->zero_point, output->scale, (int8_t)min,
                                                  (int8_t)max, g->flags, NULL, NULL, &step->xnn);
  return xnn_create_convolution2d_nhwc_qu8(WINDOW, (uint8_t)input->zero_point, input->scale, w->kernel_zero_point,
                                           w->kernel_scale, w->kernel, w->bias, (uint8_t)output->zero_point,
                                           output->scale, (uint8_t)min, (uint8_t)max, g->flags, NULL, NULL, &step->xnn);
#undef WINDOW
}

// TFLite's converter quantizes only weights with at least this many elements.
static const size_t kMinQuantizedWeights = 1024;

// Float convolutions of a dynamic-range model, whose outputs later layers round to 8 bits: the last bit matters.
static bool is_builtin(const ocl_graph* graph, const ocl_step* step, const grouping* g, const ocl_conv_weights* w) {
  const ocl_conv* conv = ocl_conv_of(step);
  const size_t num_weights =
      (size_t)conv->kernel[0] * (size_t)conv->kernel[1] * (size_t)conv->kernel[2] * (size_t)conv->kernel[3];
  return graph->has_builtin_rounding && graph->is_dynamic_range && conv->sums == OCL_CONV_XNNPACK &&
         w->dtype == OCL_FLOAT32 && num_weights < kMinQuantizedWeights && (g->groups == 1 || conv->is_depthwise);
}

// Derives the groups from kernel and input channels. false: they do not fit together.
static bool find_grouping(const ocl_step* step, grouping* g) {
  const ocl_conv* conv = ocl_conv_of(step);
  const int32_t* dims = conv->kernel;
  const int32_t outputs = dims[conv->is_depthwise ? 3 : 0], group_inputs = conv->is_depthwise ? 1 : dims[3];
  const int32_t groups = conv->channels / group_inputs;
  if (groups == 0 || conv->channels % group_inputs != 0 || outputs % groups != 0) return false;
  if (conv->is_depthwise && dims[0] != 1) return false;
  *g = (grouping){(uint32_t)groups, 0, (size_t)group_inputs, (size_t)(outputs / groups)};
  if (conv->is_depthwise) g->flags |= XNN_FLAG_DEPTHWISE_CONVOLUTION;
  if (conv->padding_mode == OCL_PADDING_SAME) g->flags |= XNN_FLAG_TENSORFLOW_SAME_PADDING;
  return true;
}

static ocl_status build_with(ocl_graph* graph, ocl_step* step, ocl_conv_weights* w, ocl_detail* detail) {
  ocl_conv* conv = ocl_conv_of(step);
  grouping g;
  for (int i = 0; i < 4; i++) conv->kernel[i] = w->shape.dims[i];
  if (!find_grouping(step, &g))
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its kernel does not fit an input of %d channels",
                            (int)conv->channels);
  OCL_TRY(ocl_conv_check_packed_size(step, g.groups, g.group_outputs,
                                     (uint64_t)conv->kernel[1] * (uint64_t)conv->kernel[2] * g.group_inputs, detail));
  OCL_TRY(ocl_conv_prepare_sums(graph, step, g.groups * g.group_outputs, w));
  if (!is_builtin(graph, step, &g, w))
    return ocl_graph_check_created(step, create_convolution(graph, step, &g, w), detail);
  conv->sums = OCL_CONV_BUILTIN;
  return ocl_conv_build_builtin(step, w->kernel, w->bias);
}

static ocl_status build(ocl_graph* graph, ocl_step* step, bool is_depthwise, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_rank_4(graph, step, detail));
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  *ocl_conv_of(step) = (ocl_conv){.is_depthwise = is_depthwise,
                                  .activation = step->op.options.conv.activation,
                                  .padding_mode = step->op.options.conv.padding,
                                  .padding = input->padding,
                                  .channels = input->shape.dims[3]};
  if (input->dilation_h > 0) {
    step->op.options.conv.dilation_h = input->dilation_h;
    step->op.options.conv.dilation_w = input->dilation_w;
  }
  ocl_conv_weights w;
  ocl_status status = ocl_conv_read_weights(graph, step, 4, is_depthwise ? 3 : 0, &w, detail);
  if (status == OCL_OK) status = build_with(graph, step, &w, detail);
  ocl_conv_free_weights(&w);
  return status;
}

static ocl_status build_conv(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return build(graph, step, false, detail);
}

static ocl_status build_depthwise(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return build(graph, step, true, detail);
}

bool ocl_conv_can_pad(const ocl_tflite_operator* op) {
  return (op->opcode == OCL_OP_CONV_2D || op->opcode == OCL_OP_DEPTHWISE_CONV_2D) &&
         op->options.conv.padding == OCL_PADDING_VALID;
}

bool ocl_conv_can_dilate(const ocl_tflite_operator* op) {
  return ocl_conv_can_pad(op) && op->options.conv.stride_h == 1 && op->options.conv.stride_w == 1 &&
         op->options.conv.dilation_h == 1 && op->options.conv.dilation_w == 1;
}

bool ocl_conv_makes_columns(const ocl_step* step) {
  const ocl_conv* conv = ocl_conv_of(step);
  return !conv->is_depthwise && conv->channels == conv->kernel[3];
}

void ocl_conv_drop(ocl_step* step) {
  free(ocl_conv_of(step)->channel_factors);
}

// ---- planning ----

ocl_pad_2d ocl_conv_padding(ocl_graph* graph, const ocl_step* step) {
  const ocl_conv* conv = ocl_conv_of(step);
  if (conv->padding_mode != OCL_PADDING_SAME) return conv->padding;
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const int32_t rows = (int32_t)ocl_graph_same_padding(
      input->shape.dims[1], conv->kernel[1], step->op.options.conv.stride_h, step->op.options.conv.dilation_h);
  const int32_t columns = (int32_t)ocl_graph_same_padding(
      input->shape.dims[2], conv->kernel[2], step->op.options.conv.stride_w, step->op.options.conv.dilation_w);
  return (ocl_pad_2d){rows / 2, rows - rows / 2, columns / 2, columns - columns / 2};
}

// Sets the SAME padding explicitly: if a stride is larger than the window, XNNPACK computes a negative padding and
// takes it for a huge unsigned number. The operator was created with the flag, so that it has zeros to pad with.
static void set_padding(ocl_graph* graph, ocl_step* step) {
  if (ocl_conv_of(step)->padding_mode != OCL_PADDING_SAME) return;
  const ocl_pad_2d pad = ocl_conv_padding(graph, step);
  xnn_operator_t op = step->xnn;
  op->flags &= ~(uint32_t)XNN_FLAG_TENSORFLOW_SAME_PADDING;
  op->padding_top = (uint32_t)pad.top;
  op->padding_bottom = (uint32_t)pad.bottom;
  op->padding_left = (uint32_t)pad.left;
  op->padding_right = (uint32_t)pad.right;
}

static enum xnn_status reshape_in_xnn(ocl_graph* graph, ocl_step* step) {
  const int32_t* dims = ocl_graph_in(graph, step, 0)->shape.dims;
  const size_t n = (size_t)dims[0], h = (size_t)dims[1], w = (size_t)dims[2];
  size_t alignment, out_h, out_w;
  switch (ocl_conv_inner_dtype(graph, step)) {
    case OCL_FLOAT32:
      return xnn_reshape_convolution2d_nhwc_f32(step->xnn, n, h, w, &step->workspace_bytes, &alignment, &out_h, &out_w,
                                                graph->pool);
    case OCL_INT8:
      return xnn_reshape_convolution2d_nhwc_qs8_qc8w(step->xnn, n, h, w, &step->workspace_bytes, &alignment, &out_h,
                                                     &out_w, graph->pool);
    default:
      return xnn_reshape_convolution2d_nhwc_qu8(step->xnn, n, h, w, &step->workspace_bytes, &alignment, &out_h, &out_w,
                                                graph->pool);
  }
}

static ocl_status reshape_convolution(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  if (ocl_conv_prepare_rows(step)) {
    OCL_TRY(ocl_graph_check_xnn(step, reshape_in_xnn(graph, step), detail));
    OCL_TRY(ocl_conv_share_rows(step));
    step->workspace_bytes = 0;
    if (ocl_conv_of(step)->rows.num_shared > 0) return OCL_OK;
  }
  return ocl_graph_check_xnn(step, reshape_in_xnn(graph, step), detail);
}

static ocl_status plan_convolution(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_rank_4(graph, step, detail));
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_conv* conv = ocl_conv_of(step);
  const int32_t group_inputs = conv->is_depthwise ? 1 : conv->kernel[3];
  const int32_t outputs = conv->kernel[conv->is_depthwise ? 3 : 0];
  const ocl_window w = {conv->padding_mode,
                        conv->padding,
                        conv->kernel[1],
                        conv->kernel[2],
                        step->op.options.conv.stride_h,
                        step->op.options.conv.stride_w,
                        step->op.options.conv.dilation_h,
                        step->op.options.conv.dilation_w};
  // The operator was built for the shape in the file; the shape computed from the graph's inputs may differ.
  if (input->shape.dims[3] != conv->channels)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input has %d channels, but %d in the file",
                            (int)input->shape.dims[3], (int)conv->channels);
  OCL_TRY(ocl_graph_plan_window(graph, step, &w, outputs, detail));
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  step->multiply_adds = (uint64_t)ocl_shape_num_elements(&output->shape) * (uint64_t)conv->kernel[1] *
                        (uint64_t)conv->kernel[2] * (uint64_t)group_inputs;
  if (step->xnn == NULL) return OCL_OK;
  set_padding(graph, step);
  OCL_TRY(reshape_convolution(graph, step, detail));
  step->workspace_bytes += ocl_conv_sums_bytes(graph, step);
  return OCL_OK;
}

static enum xnn_status bind_convolution(ocl_graph* graph, ocl_step* step) {
  const void* input = ocl_conv_sums_input(graph, step);
  void* output = ocl_conv_sums_output(graph, step);
  const size_t sums_bytes = ocl_conv_sums_bytes(graph, step);
  void* workspace = sums_bytes == 0 ? step->workspace : (uint8_t*)step->workspace + sums_bytes;
  const ocl_dtype dtype = ocl_conv_inner_dtype(graph, step);
  if (dtype == OCL_FLOAT32) return xnn_setup_convolution2d_nhwc_f32(step->xnn, workspace, input, output);
  if (dtype == OCL_INT8) return xnn_setup_convolution2d_nhwc_qs8_qc8w(step->xnn, workspace, input, output);
  return xnn_setup_convolution2d_nhwc_qu8(step->xnn, workspace, input, output);
}

// ---- running ----

enum xnn_status ocl_conv_run(ocl_graph* graph, ocl_step* step) {
  const ocl_conv* conv = ocl_conv_of(step);
  if (conv->sums == OCL_CONV_BUILTIN) {
    ocl_conv_run_builtin(graph, step);
    return xnn_status_success;
  }
  const bool has_own_sums = conv->sums != OCL_CONV_XNNPACK;
  if (has_own_sums) ocl_conv_begin_sums(graph, step);
  if (!ocl_conv_run_rows(graph, step)) {
    const enum xnn_status status = xnn_run_operator(step->xnn, graph->pool);
    if (status != xnn_status_success) return status;
  }
  if (has_own_sums) ocl_conv_finish_sums(graph, step);
  return xnn_status_success;
}

const ocl_kind ocl_kind_CONV_2D = {.state_bytes = sizeof(ocl_conv),
                                   .build = build_conv,
                                   .plan = plan_convolution,
                                   .bind = bind_convolution,
                                   .run = ocl_conv_run,
                                   .drop = ocl_conv_drop,
                                   .makes_columns = ocl_conv_makes_columns,
                                   .find_rows = ocl_conv_find_rows,
                                   .run_panel = ocl_conv_run_panel,
                                   .run_rows = ocl_conv_run_some_rows};
const ocl_kind ocl_kind_DEPTHWISE_CONV_2D = {.state_bytes = sizeof(ocl_conv),
                                             .build = build_depthwise,
                                             .plan = plan_convolution,
                                             .bind = bind_convolution,
                                             .run = ocl_conv_run,
                                             .drop = ocl_conv_drop,
                                             .find_rows = ocl_conv_find_rows,
                                             .run_panel = ocl_conv_run_panel,
                                             .run_rows = ocl_conv_run_some_rows};
