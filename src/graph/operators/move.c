// Operators that move elements without computing on them: PAD, TRANSPOSE, STRIDED_SLICE, TILE.
#include <string.h>

#include "graph/operators/conv.h"
#include "graph/operators/table.h"

// ---- PAD ----

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

static ocl_status build_pad(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_same_quantization(graph, step, detail));
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_value* output = ocl_graph_out(graph, step, 0);
  if (input->shape.rank == 4 && ocl_graph_in(graph, step, 1) != NULL && ocl_graph_in(graph, step, 1)->known != NULL &&
      is_read_by_padding_operator_only(graph, step->op.outputs[0])) {
    int32_t paddings[OCL_MAX_RANK][2];
    OCL_TRY(read_paddings(graph, step, 4, paddings, detail));
    step->is_absorbed = paddings[0][0] + paddings[0][1] + paddings[3][0] + paddings[3][1] == 0;
    if (step->is_absorbed) {
      output->padding = (ocl_pad_2d){paddings[1][0], paddings[1][1], paddings[2][0], paddings[2][1]};
      return OCL_OK;
    }
  }
  if (input->dtype == OCL_FLOAT32) {
    const float zero = 0;
    return ocl_graph_check_created(step, xnn_create_constant_pad_nd_x32(&zero, 0, &step->xnn), detail);
  }
  const uint8_t zero = (uint8_t)input->zero_point;
  return ocl_graph_check_created(step, xnn_create_constant_pad_nd_x8(&zero, 0, &step->xnn), detail);
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
      input->dtype == OCL_FLOAT32
          ? xnn_reshape_constant_pad_nd_x32(step->xnn, (size_t)rank, sizes, before, after, graph->pool)
          : xnn_reshape_constant_pad_nd_x8(step->xnn, (size_t)rank, sizes, before, after, graph->pool);
  return ocl_graph_check_xnn(step, status, detail);
}

static enum xnn_status bind_pad(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  void* output = ocl_graph_out(graph, step, 0)->data;
  return input->dtype == OCL_FLOAT32 ? xnn_setup_constant_pad_nd_x32(step->xnn, input->data, output)
                                     : xnn_setup_constant_pad_nd_x8(step->xnn, input->data, output);
}

const ocl_kind ocl_kind_PAD = {.build = build_pad, .plan = plan_pad, .bind = bind_pad};

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

// ---- STRIDED_SLICE, TILE: copy elements of the input by index ----

// Element [i0, i1, …] of the output is element [j0, j1, …] of the input, with
// j_d = (start[d] + i_d * step[d]) mod size[d] and i_d < count[d].
typedef struct {
  int32_t start[OCL_MAX_RANK], step[OCL_MAX_RANK], count[OCL_MAX_RANK];
} pick;

static const uint64_t kWorkPerPick = 64;  // computing the index of one element, in multiply-adds

static ocl_status plan_strided_slice(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  pick* at = step->state;
  OCL_TRY(ocl_graph_check_same_dtype(graph, step, detail));
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t begin[OCL_MAX_RANK], end[OCL_MAX_RANK], stride[OCL_MAX_RANK], num_begin, num_end, num_stride;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, begin, &num_begin, detail));
  OCL_TRY(ocl_graph_known_ints(graph, step, 2, OCL_MAX_RANK, end, &num_end, detail));
  OCL_TRY(ocl_graph_known_ints(graph, step, 3, OCL_MAX_RANK, stride, &num_stride, detail));
  const int32_t ellipsis = step->op.options.strided_slice.ellipsis_mask;
  if (ellipsis != 0 || step->op.options.strided_slice.new_axis_mask != 0)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "ellipsis_mask and new_axis_mask must be 0");
  if (num_begin > input->rank || num_end != num_begin || num_stride != num_begin)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail,
                            "its begin, end and strides have %d, %d and %d elements for %d dimensions", (int)num_begin,
                            (int)num_end, (int)num_stride, (int)input->rank);
  ocl_shape shape = {0};
  for (int32_t d = 0; d < input->rank; d++) {
    const int64_t size = input->dims[d];
    const bool is_given = d < num_begin;
    const int64_t by = is_given ? stride[d] : 1;
    if (by == 0) return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "the stride of dimension %d is 0", (int)d);
    const bool is_shrunk = is_given && (step->op.options.strided_slice.shrink_axis_mask >> d & 1);
    const bool from_start = !is_given || (!is_shrunk && (step->op.options.strided_slice.begin_mask >> d & 1));
    const bool to_end = !is_given || (step->op.options.strided_slice.end_mask >> d & 1);
    const int64_t low = by > 0 ? 0 : -1, high = by > 0 ? size : size - 1;
    int64_t from = from_start ? (by > 0 ? 0 : size - 1) : begin[d] < 0 ? begin[d] + size : begin[d];
    int64_t to = to_end ? (by > 0 ? size : -1) : end[d] < 0 ? end[d] + size : end[d];
    if (is_shrunk && (from < 0 || from >= size))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "index %d is outside dimension %d", (int)begin[d],
                              (int)d);
    from = from < low ? low : from > high ? high : from;
    to = to < low ? low : to > high ? high : to;
    const int64_t count = is_shrunk ? 1 : by > 0 ? (to - from + by - 1) / by : (from - to - by - 1) / -by;
    if (count < 1) return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its slice is empty");
    at->start[d] = (int32_t)from;
    at->step[d] = (int32_t)by;
    at->count[d] = (int32_t)count;
    if (!is_shrunk) shape.dims[shape.rank++] = (int32_t)count;
  }
  ocl_graph_out(graph, step, 0)->shape = shape;
  step->other_work = (uint64_t)ocl_shape_num_elements(&shape) * kWorkPerPick;
  return OCL_OK;
}

static ocl_status plan_tile(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  pick* at = step->state;
  OCL_TRY(ocl_graph_check_same_dtype(graph, step, detail));
  ocl_shape shape = ocl_graph_in(graph, step, 0)->shape;
  int32_t multiples[OCL_MAX_RANK], count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, multiples, &count, detail));
  if (count != shape.rank)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "%d multiples for %d dimensions", (int)count,
                            (int)shape.rank);
  for (int32_t d = 0; d < shape.rank; d++) {
    if (multiples[d] < 1 || __builtin_mul_overflow(shape.dims[d], multiples[d], &shape.dims[d]))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "multiple %d is below 1 or too large",
                              (int)multiples[d]);
    at->start[d] = 0;
    at->step[d] = 1;
    at->count[d] = shape.dims[d];
  }
  ocl_graph_out(graph, step, 0)->shape = shape;
  step->other_work = (uint64_t)ocl_shape_num_elements(&shape) * kWorkPerPick;
  return OCL_OK;
}

static enum xnn_status run_pick(ocl_graph* graph, ocl_step* step) {
  const pick* at = step->state;
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const size_t element = ocl_dtype_size_bytes(input->dtype), count = ocl_shape_num_elements(&output->shape);
  const uint8_t* from = input->data;
  uint8_t* to = output->data;
  int32_t index[OCL_MAX_RANK] = {0};
  for (size_t i = 0; i < count; i++) {
    size_t offset = 0;
    for (int32_t d = 0; d < input->shape.rank; d++) {
      const int32_t size = input->shape.dims[d];
      offset = offset * (size_t)size + (size_t)((at->start[d] + index[d] * at->step[d]) % size);
    }
    memcpy(to + i * element, from + offset * element, element);
    for (int32_t d = input->shape.rank - 1; d >= 0 && ++index[d] == at->count[d]; d--) index[d] = 0;
  }
  return xnn_status_success;
}

const ocl_kind ocl_kind_STRIDED_SLICE = {.state_bytes = sizeof(pick), .plan = plan_strided_slice, .run = run_pick};
const ocl_kind ocl_kind_TILE = {.state_bytes = sizeof(pick), .plan = plan_tile, .run = run_pick};
