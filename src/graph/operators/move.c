// PAD, PADV2 and TRANSPOSE. pick.c has other operators that move elements.
#include <string.h>

#include "graph/operators/conv.h"
#include "graph/operators/table.h"

// ---- PAD, PADV2 ----

static ocl_status read_paddings(ocl_graph* graph, const ocl_step* step, int32_t rank, int32_t paddings[][2],
                                ocl_detail* detail) {
  int32_t count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, 2 * OCL_MAX_RANK, &paddings[0][0], &count, detail));
  if (count != 2 * rank)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail,
                            "its paddings have %d elements, not 2 for each dimension", (int)count);
  for (int32_t i = 0; i < rank; i++)
    for (int32_t side = 0; side < 2; side++)
      if (paddings[i][side] < 0 || paddings[i][side] > 65535)
        return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "padding %d is not from 0 to 65535",
                                (int)paddings[i][side]);
  return OCL_OK;
}

// Whether exactly one operator reads `value`, and it can add the padding itself.
static bool is_read_by_padding_operator_only(const ocl_graph* graph, int32_t value) {
  const ocl_value* padded = &graph->values[value];
  if (padded->num_uses != 1 || padded->reader < 0) return false;
  const ocl_tflite_operator op = ocl_tflite_get_operator(graph->model, padded->reader);
  return ocl_conv_can_pad(&op);
}

// Whether the following convolution adds the padding. Then the step does not run.
static ocl_status absorb(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* paddings_value = ocl_graph_in(graph, step, 1);
  if (ocl_graph_in(graph, step, 0)->shape.rank != 4 || paddings_value->known == NULL ||
      !is_read_by_padding_operator_only(graph, step->op.outputs[0]))
    return OCL_OK;
  int32_t paddings[OCL_MAX_RANK][2];
  OCL_TRY(read_paddings(graph, step, 4, paddings, detail));
  step->is_absorbed = paddings[0][0] + paddings[0][1] + paddings[3][0] + paddings[3][1] == 0;
  if (step->is_absorbed)
    ocl_graph_out(graph, step, 0)->padding =
        (ocl_pad_2d){paddings[1][0], paddings[1][1], paddings[2][0], paddings[2][1]};
  return OCL_OK;
}

static ocl_status build_with_value(ocl_graph* graph, ocl_step* step, const void* value, ocl_detail* detail) {
  const size_t size = ocl_dtype_size_bytes(ocl_graph_in(graph, step, 0)->dtype);
  if (size != 1 && size != 4)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its elements are not of 1 or 4 bytes");
  const enum xnn_status status = size == 4 ? xnn_create_constant_pad_nd_x32(value, 0, &step->xnn)
                                           : xnn_create_constant_pad_nd_x8(value, 0, &step->xnn);
  return ocl_graph_check_created(step, status, detail);
}

static ocl_status build_pad(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_moves(graph, step, 0, detail));
  OCL_TRY(absorb(graph, step, detail));
  if (step->is_absorbed) return OCL_OK;
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const int32_t zero = ocl_graph_is_quantized(input) ? input->zero_point & 0xff : 0;
  return build_with_value(graph, step, &zero, detail);
}

static ocl_status build_pad_with_value(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_moves(graph, step, 0, detail));
  OCL_TRY(ocl_graph_check_moves(graph, step, 2, detail));
  const ocl_value* value = ocl_graph_in(graph, step, 2);
  if (value->known == NULL || ocl_shape_num_elements(&value->shape) != 1)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its value must be one constant number");
  return build_with_value(graph, step, value->known, detail);
}

static ocl_status plan_pad(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_value* output = ocl_graph_out(graph, step, 0);
  if (step->is_absorbed) {
    output->shape = input->shape;
    ocl_graph_share_storage(graph, step);
    return OCL_OK;
  }
  const int32_t rank = input->shape.rank;
  int32_t paddings[OCL_MAX_RANK][2];
  OCL_TRY(read_paddings(graph, step, rank, paddings, detail));
  size_t before[OCL_MAX_RANK], after[OCL_MAX_RANK], sizes[OCL_MAX_RANK];
  output->shape.rank = rank;
  for (int32_t i = 0; i < rank; i++) {
    before[i] = (size_t)paddings[i][0];
    after[i] = (size_t)paddings[i][1];
    output->shape.dims[i] = input->shape.dims[i] + paddings[i][0] + paddings[i][1];
  }
  ocl_graph_to_sizes(&input->shape, sizes);
  const enum xnn_status status =
      ocl_dtype_size_bytes(input->dtype) == 4
          ? xnn_reshape_constant_pad_nd_x32(step->xnn, (size_t)rank, sizes, before, after, graph->pool)
          : xnn_reshape_constant_pad_nd_x8(step->xnn, (size_t)rank, sizes, before, after, graph->pool);
  return ocl_graph_check_xnn(step, status, detail);
}

static enum xnn_status bind_pad(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  void* output = ocl_graph_out(graph, step, 0)->data;
  return ocl_dtype_size_bytes(input->dtype) == 4 ? xnn_setup_constant_pad_nd_x32(step->xnn, input->data, output)
                                                 : xnn_setup_constant_pad_nd_x8(step->xnn, input->data, output);
}

const ocl_kind ocl_kind_PAD = {.build = build_pad, .plan = plan_pad, .bind = bind_pad};
const ocl_kind ocl_kind_PADV2 = {.build = build_pad_with_value, .plan = plan_pad, .bind = bind_pad};

// ---- TRANSPOSE ----

static ocl_status build_transpose(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_same_dtype(graph, step, detail));
  switch (ocl_dtype_size_bytes(ocl_graph_in(graph, step, 0)->dtype)) {
    case 1: return ocl_graph_check_created(step, xnn_create_transpose_nd_x8(0, &step->xnn), detail);
    case 4: return ocl_graph_check_created(step, xnn_create_transpose_nd_x32(0, &step->xnn), detail);
    default: return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its elements are not of 1 or 4 bytes");
  }
}

static ocl_status plan_transpose(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_value* output = ocl_graph_out(graph, step, 0);
  const int32_t rank = input->shape.rank;
  int32_t permutation[OCL_MAX_RANK], count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, permutation, &count, detail));
  if (count != rank || rank == 0)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its permutation has %d elements for %d dimensions",
                            (int)count, (int)rank);
  size_t sizes[OCL_MAX_RANK], order[OCL_MAX_RANK];
  uint32_t seen = 0;
  output->shape.rank = rank;
  for (int32_t i = 0; i < rank; i++) {
    const int32_t from = permutation[i] < 0 ? permutation[i] + rank : permutation[i];
    if (from < 0 || from >= rank || (seen >> from & 1))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its permutation repeats or exceeds a dimension (%d)",
                              (int)permutation[i]);
    seen |= 1u << from;
    order[i] = (size_t)from;
    output->shape.dims[i] = input->shape.dims[from];
  }
  ocl_graph_to_sizes(&input->shape, sizes);
  const enum xnn_status status = ocl_dtype_size_bytes(input->dtype) == 1
                                     ? xnn_reshape_transpose_nd_x8(step->xnn, (size_t)rank, sizes, order, graph->pool)
                                     : xnn_reshape_transpose_nd_x32(step->xnn, (size_t)rank, sizes, order, graph->pool);
  return ocl_graph_check_xnn(step, status, detail);
}

static enum xnn_status bind_transpose(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  void* output = ocl_graph_out(graph, step, 0)->data;
  return ocl_dtype_size_bytes(input->dtype) == 1 ? xnn_setup_transpose_nd_x8(step->xnn, input->data, output)
                                                 : xnn_setup_transpose_nd_x32(step->xnn, input->data, output);
}

const ocl_kind ocl_kind_TRANSPOSE = {.build = build_transpose, .plan = plan_transpose, .bind = bind_transpose};
