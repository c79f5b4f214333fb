// Operators that move elements without computing on them: padding, reshaping, transposing, joining, slicing; and those
// of shape arithmetic. What they are given at load time they do at load time (graph.c folds steps whose inputs are
// known).
#include <stdlib.h>
#include <string.h>

#include "graph/internal.h"

static void to_sizes(const ocl_shape* shape, size_t sizes[OCL_MAX_RANK]) {
  for (int32_t i = 0; i < shape->rank; i++) sizes[i] = (size_t)shape->dims[i];
}

static ocl_status check_same_dtype(ocl_graph* graph, const ocl_step* step, ocl_detail* detail) {
  if (ocl_graph_in(graph, step, 0)->dtype == ocl_graph_out(graph, step, 0)->dtype) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input and output differ in dtype");
}

// ---- PAD ----

static ocl_status read_paddings(ocl_graph* graph, const ocl_step* step, int32_t rank, int32_t paddings[][2],
                                ocl_detail* detail) {
  int32_t count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, 2 * OCL_MAX_RANK, &paddings[0][0], &count, detail));
  if (count != 2 * rank) return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its paddings are not [rank, 2]");
  for (int32_t i = 0; i < rank; i++)
    for (int32_t side = 0; side < 2; side++)
      if (paddings[i][side] < 0 || paddings[i][side] > 65535)
        return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "padding %d", (int)paddings[i][side]);
  return OCL_OK;
}

// The one operator that reads `value`, if it is a convolution that can pad for itself.
static bool is_read_by_valid_convolution_only(const ocl_graph* graph, int32_t value) {
  if (graph->values[value].num_uses != 1) return false;
  for (int32_t i = 0; i < graph->model->num_operators; i++) {
    const ocl_tflite_operator op = ocl_tflite_get_operator(graph->model, i);
    if (op.num_inputs == 0 || op.inputs[0] != value) continue;
    return (op.opcode == OCL_OP_CONV_2D || op.opcode == OCL_OP_DEPTHWISE_CONV_2D) &&
           op.options.conv.padding == OCL_PADDING_VALID;
  }
  return false;
}

static ocl_status build_pad(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(check_same_dtype(graph, step, detail));
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_value* output = ocl_graph_out(graph, step, 0);
  if (input->dtype != OCL_FLOAT32 && !ocl_graph_is_quantized(input))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its tensors are neither float nor 8-bit");
  if (input->scale != output->scale || input->zero_point != output->zero_point)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input and output differ in quantization");
  if (input->shape.rank == 4 && ocl_graph_in(graph, step, 1) != NULL && ocl_graph_in(graph, step, 1)->known != NULL &&
      is_read_by_valid_convolution_only(graph, step->op.outputs[0])) {
    int32_t paddings[OCL_MAX_RANK][2];
    OCL_TRY(read_paddings(graph, step, 4, paddings, detail));
    step->is_fused_away = paddings[0][0] + paddings[0][1] + paddings[3][0] + paddings[3][1] == 0;
    if (step->is_fused_away) {
      output->padding = (ocl_pad_2d){paddings[1][0], paddings[1][1], paddings[2][0], paddings[2][1]};
      return OCL_OK;
    }
  }
  if (input->dtype == OCL_FLOAT32) {
    const float zero = 0;
    return ocl_graph_check_xnn(step, xnn_create_constant_pad_nd_x32(&zero, 0, &step->xnn), detail);
  }
  const uint8_t zero = (uint8_t)input->zero_point;
  return ocl_graph_check_xnn(step, xnn_create_constant_pad_nd_x8(&zero, 0, &step->xnn), detail);
}

static ocl_status plan_pad(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_value* output = ocl_graph_out(graph, step, 0);
  if (step->is_fused_away) {
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
  to_sizes(&input->shape, sizes);
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

const ocl_kind ocl_graph_pad = {build_pad, plan_pad, bind_pad, NULL};

// ---- RESHAPE, SQUEEZE, EXPAND_DIMS: the same elements under another shape ----

// The dimensions that RESHAPE asks for, from its second input or else its options.
static ocl_status read_new_shape(ocl_graph* graph, ocl_step* step, int32_t* dims, int32_t* rank, ocl_detail* detail) {
  if (ocl_graph_in(graph, step, 1) != NULL)
    return ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, dims, rank, detail);
  *rank = step->op.options.reshape.num_dims;
  if (*rank > OCL_MAX_RANK || step->op.options.reshape.dims == NULL)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "it has no new shape");
  memcpy(dims, step->op.options.reshape.dims, (size_t)*rank * sizeof *dims);
  return OCL_OK;
}

static ocl_status reshaped(ocl_graph* graph, ocl_step* step, ocl_shape* shape, ocl_detail* detail) {
  const size_t elements = ocl_shape_num_elements(&ocl_graph_in(graph, step, 0)->shape);
  OCL_TRY(read_new_shape(graph, step, shape->dims, &shape->rank, detail));
  const int32_t last = shape->rank - 1;
  if (step->columns.total > 0 && last >= 0 && shape->dims[last] > 0)
    shape->dims[last] = shape->dims[last] / step->columns.total * step->columns.count;
  int32_t free_dim = -1;
  uint64_t product = 1;
  for (int32_t i = 0; i < shape->rank; i++) {
    if (shape->dims[i] < -1 || (shape->dims[i] == -1 && free_dim >= 0))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its new shape");
    if (shape->dims[i] == -1) free_dim = i;
    if (shape->dims[i] >= 0 && __builtin_mul_overflow(product, (uint64_t)shape->dims[i], &product))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its new shape");
  }
  if (free_dim >= 0 && product > 0 && elements % product == 0) {
    shape->dims[free_dim] = (int32_t)(elements / product);
    product = elements;
  }
  if (product != elements)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its new shape does not hold %u elements",
                            (unsigned)elements);
  return OCL_OK;
}

static ocl_status squeezed(ocl_graph* graph, ocl_step* step, ocl_shape* shape, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  const int32_t num_dims = step->op.options.squeeze.num_dims;
  bool is_dropped[OCL_MAX_RANK];
  for (int32_t i = 0; i < input->rank; i++) is_dropped[i] = num_dims == 0 && input->dims[i] == 1;
  for (int32_t i = 0; i < num_dims; i++) {
    const int32_t dim = step->op.options.squeeze.dims[i], axis = dim < 0 ? dim + input->rank : dim;
    if (axis < 0 || axis >= input->rank || input->dims[axis] != 1)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "dimension %d is not 1", (int)dim);
    is_dropped[axis] = true;
  }
  shape->rank = 0;
  for (int32_t i = 0; i < input->rank; i++)
    if (!is_dropped[i]) shape->dims[shape->rank++] = input->dims[i];
  return OCL_OK;
}

static ocl_status expanded(ocl_graph* graph, ocl_step* step, ocl_shape* shape, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t axis, count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, 1, &axis, &count, detail));
  if (count == 1 && axis < 0) axis += input->rank + 1;
  if (count != 1 || axis < 0 || axis > input->rank || input->rank == OCL_MAX_RANK)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its axis");
  shape->rank = 0;
  for (int32_t i = 0; i <= input->rank; i++) {
    if (i == axis) shape->dims[shape->rank++] = 1;
    if (i < input->rank) shape->dims[shape->rank++] = input->dims[i];
  }
  return OCL_OK;
}

static ocl_status plan_reshape(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(check_same_dtype(graph, step, detail));
  ocl_shape shape = {0};
  switch (step->op.opcode) {
    case OCL_OP_RESHAPE: OCL_TRY(reshaped(graph, step, &shape, detail)); break;
    case OCL_OP_SQUEEZE: OCL_TRY(squeezed(graph, step, &shape, detail)); break;
    default: OCL_TRY(expanded(graph, step, &shape, detail)); break;
  }
  ocl_graph_out(graph, step, 0)->shape = shape;
  ocl_graph_share_storage(graph, step);
  return OCL_OK;
}

const ocl_kind ocl_graph_reshape = {NULL, plan_reshape, NULL, NULL};

// ---- TRANSPOSE ----

static ocl_status build_transpose(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(check_same_dtype(graph, step, detail));
  switch (ocl_dtype_size_bytes(ocl_graph_in(graph, step, 0)->dtype)) {
    case 1: return ocl_graph_check_xnn(step, xnn_create_transpose_nd_x8(0, &step->xnn), detail);
    case 4: return ocl_graph_check_xnn(step, xnn_create_transpose_nd_x32(0, &step->xnn), detail);
    default: return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its dtype");
  }
}

static ocl_status plan_transpose(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_value* output = ocl_graph_out(graph, step, 0);
  const int32_t rank = input->shape.rank;
  int32_t permutation[OCL_MAX_RANK], count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, permutation, &count, detail));
  if (count != rank || rank == 0) return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its permutation");
  size_t sizes[OCL_MAX_RANK], order[OCL_MAX_RANK];
  uint32_t seen = 0;
  output->shape.rank = rank;
  for (int32_t i = 0; i < rank; i++) {
    const int32_t from = permutation[i] < 0 ? permutation[i] + rank : permutation[i];
    if (from < 0 || from >= rank || (seen >> from & 1))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its permutation");
    seen |= 1u << from;
    order[i] = (size_t)from;
    output->shape.dims[i] = input->shape.dims[from];
  }
  to_sizes(&input->shape, sizes);
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

const ocl_kind ocl_graph_transpose = {build_transpose, plan_transpose, bind_transpose, NULL};

// ---- CONCATENATION, PACK: several tensors one after the other along an axis ----

// 8-bit inputs whose scale is not the output's are rescaled on the way, through a table each.
static ocl_status build_rescaling(ocl_graph* graph, ocl_step* step) {
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  bool is_needed = false;
  for (int32_t i = 0; i < step->op.num_inputs; i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    is_needed = is_needed || input->scale != output->scale || input->zero_point != output->zero_point;
  }
  if (!is_needed || !ocl_graph_is_quantized(output)) return OCL_OK;
  step->table = malloc((size_t)step->op.num_inputs * 256);
  if (step->table == NULL) return OCL_OUT_OF_MEMORY;
  for (int32_t i = 0; i < step->op.num_inputs; i++)
    ocl_graph_fill_table(step->table + i * 256, OCL_OP_QUANTIZE, ocl_graph_in(graph, step, i), output);
  return OCL_OK;
}

static ocl_status build_joining(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  for (int32_t i = 0; i < step->op.num_inputs; i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    if (input == NULL || input->dtype != output->dtype ||
        ocl_graph_is_quantized(input) != ocl_graph_is_quantized(output))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "input %d is not of its output's dtype", (int)i);
  }
  if (step->op.opcode == OCL_OP_CONCATENATION && step->op.options.concatenation.activation != OCL_ACTIVATION_NONE)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "a fused activation");
  return build_rescaling(graph, step);
}

static ocl_status plan_concatenation(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* first = &ocl_graph_in(graph, step, 0)->shape;
  const int32_t given = step->op.options.concatenation.axis, axis = given < 0 ? given + first->rank : given;
  if (axis < 0 || axis >= first->rank)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "axis %d", (int)given);
  ocl_shape shape = *first;
  int64_t sum = 0;
  for (int32_t i = 0; i < step->op.num_inputs; i++) {
    ocl_shape input = ocl_graph_in(graph, step, i)->shape;
    sum += axis < input.rank ? input.dims[axis] : 0;
    if (axis < input.rank) input.dims[axis] = shape.dims[axis];
    if (input.rank != shape.rank || memcmp(input.dims, shape.dims, (size_t)shape.rank * sizeof *shape.dims) != 0)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "the shape of input %d", (int)i);
  }
  if (sum > INT32_MAX) return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "its output");
  shape.dims[axis] = (int32_t)sum;
  ocl_graph_out(graph, step, 0)->shape = shape;
  step->outer = 1;
  for (int32_t i = 0; i < axis; i++) step->outer *= (size_t)shape.dims[i];
  return OCL_OK;
}

static ocl_status plan_pack(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  const int32_t given = step->op.options.pack.axis, axis = given < 0 ? given + input->rank + 1 : given;
  if (axis < 0 || axis > input->rank || input->rank == OCL_MAX_RANK)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "axis %d", (int)given);
  for (int32_t i = 1; i < step->op.num_inputs; i++) {
    const ocl_shape* other = &ocl_graph_in(graph, step, i)->shape;
    if (other->rank != input->rank || memcmp(other->dims, input->dims, (size_t)input->rank * sizeof *input->dims) != 0)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "the shape of input %d", (int)i);
  }
  ocl_shape shape = {.rank = input->rank + 1};
  step->outer = 1;
  for (int32_t i = 0; i < shape.rank; i++) {
    shape.dims[i] = i < axis ? input->dims[i] : i == axis ? step->op.num_inputs : input->dims[i - 1];
    if (i < axis) step->outer *= (size_t)shape.dims[i];
  }
  ocl_graph_out(graph, step, 0)->shape = shape;
  return OCL_OK;
}

static void copy_through(const uint8_t* table, const uint8_t* from, uint8_t* to, size_t size_bytes) {
  if (table == NULL) {
    memcpy(to, from, size_bytes);
    return;
  }
  for (size_t i = 0; i < size_bytes; i++) to[i] = table[from[i]];
}

static void run_joining(ocl_graph* graph, ocl_step* step) {
  uint8_t* to = ocl_graph_out(graph, step, 0)->data;
  for (size_t outer = 0; outer < step->outer; outer++)
    for (int32_t i = 0; i < step->op.num_inputs; i++) {
      const ocl_value* input = ocl_graph_in(graph, step, i);
      const size_t size = ocl_graph_size_bytes(input) / step->outer;
      copy_through(step->table == NULL ? NULL : step->table + i * 256, (const uint8_t*)input->data + outer * size, to,
                   size);
      to += size;
    }
}

const ocl_kind ocl_graph_concatenation = {build_joining, plan_concatenation, NULL, run_joining};
const ocl_kind ocl_graph_pack = {build_joining, plan_pack, NULL, run_joining};

// ---- SHAPE ----

static ocl_status plan_shape(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  ocl_value* output = ocl_graph_out(graph, step, 0);
  if (output->dtype != OCL_INT32 && output->dtype != OCL_INT64)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its output is not of integers");
  const int32_t rank = ocl_graph_in(graph, step, 0)->shape.rank;
  if (rank == 0) return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "the shape of a scalar");
  output->shape = (ocl_shape){1, {rank}};
  return OCL_OK;
}

static void run_shape(ocl_graph* graph, ocl_step* step) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  for (int32_t i = 0; i < input->rank; i++) {
    if (output->dtype == OCL_INT32)
      ((int32_t*)output->data)[i] = input->dims[i];
    else
      ((int64_t*)output->data)[i] = input->dims[i];
  }
}

const ocl_kind ocl_graph_shape = {NULL, plan_shape, NULL, run_shape};

// ---- STRIDED_SLICE, TILE: the output's elements picked from the input by index ----

// Element [i0, i1, …] of the output is the input's at sum over d of (start[d] + i_d * step[d]) mod size[d], in strides.
static const uint64_t kWorkPerPick = 64;  // an index of each dimension

static ocl_status plan_strided_slice(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(check_same_dtype(graph, step, detail));
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t begin[OCL_MAX_RANK], end[OCL_MAX_RANK], stride[OCL_MAX_RANK], num_begin, num_end, num_stride;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, begin, &num_begin, detail));
  OCL_TRY(ocl_graph_known_ints(graph, step, 2, OCL_MAX_RANK, end, &num_end, detail));
  OCL_TRY(ocl_graph_known_ints(graph, step, 3, OCL_MAX_RANK, stride, &num_stride, detail));
  const int32_t ellipsis = step->op.options.strided_slice.ellipsis_mask;
  if (ellipsis != 0 || step->op.options.strided_slice.new_axis_mask != 0)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "an ellipsis or new axis");
  if (num_begin > input->rank || num_end != num_begin || num_stride != num_begin)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its begin, end and strides do not match");
  ocl_shape shape = {0};
  for (int32_t d = 0; d < input->rank; d++) {
    const int64_t size = input->dims[d];
    const bool is_given = d < num_begin;
    const int64_t by = is_given ? stride[d] : 1;
    if (by == 0) return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "a stride of 0");
    const bool is_shrunk = is_given && (step->op.options.strided_slice.shrink_axis_mask >> d & 1);
    const bool from_start = !is_given || (!is_shrunk && (step->op.options.strided_slice.begin_mask >> d & 1));
    const bool to_end = !is_given || (step->op.options.strided_slice.end_mask >> d & 1);
    const int64_t low = by > 0 ? 0 : -1, high = by > 0 ? size : size - 1;
    int64_t from = from_start ? (by > 0 ? 0 : size - 1) : begin[d] < 0 ? begin[d] + size : begin[d];
    int64_t to = to_end ? (by > 0 ? size : -1) : end[d] < 0 ? end[d] + size : end[d];
    if (is_shrunk && (from < 0 || from >= size))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "index %d of dimension %d", (int)begin[d], (int)d);
    from = from < low ? low : from > high ? high : from;
    to = to < low ? low : to > high ? high : to;
    const int64_t count = is_shrunk ? 1 : by > 0 ? (to - from + by - 1) / by : (from - to - by - 1) / -by;
    if (count < 1) return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "an empty slice");
    step->pick.start[d] = (int32_t)from;
    step->pick.step[d] = (int32_t)by;
    step->pick.count[d] = (int32_t)count;
    if (!is_shrunk) shape.dims[shape.rank++] = (int32_t)count;
  }
  ocl_graph_out(graph, step, 0)->shape = shape;
  step->other_work = (uint64_t)ocl_shape_num_elements(&shape) * kWorkPerPick;
  return OCL_OK;
}

static ocl_status plan_tile(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(check_same_dtype(graph, step, detail));
  ocl_shape shape = ocl_graph_in(graph, step, 0)->shape;
  int32_t multiples[OCL_MAX_RANK], count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, multiples, &count, detail));
  if (count != shape.rank) return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "one multiple per dimension");
  for (int32_t d = 0; d < shape.rank; d++) {
    if (multiples[d] < 1 || __builtin_mul_overflow(shape.dims[d], multiples[d], &shape.dims[d]))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "multiple %d", (int)multiples[d]);
    step->pick.start[d] = 0;
    step->pick.step[d] = 1;
    step->pick.count[d] = shape.dims[d];
  }
  ocl_graph_out(graph, step, 0)->shape = shape;
  step->other_work = (uint64_t)ocl_shape_num_elements(&shape) * kWorkPerPick;
  return OCL_OK;
}

static void run_pick(ocl_graph* graph, ocl_step* step) {
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
      offset = offset * (size_t)size + (size_t)((step->pick.start[d] + index[d] * step->pick.step[d]) % size);
    }
    memcpy(to + i * element, from + offset * element, element);
    for (int32_t d = input->shape.rank - 1; d >= 0 && ++index[d] == step->pick.count[d]; d--) index[d] = 0;
  }
}

const ocl_kind ocl_graph_strided_slice = {NULL, plan_strided_slice, NULL, run_pick};
const ocl_kind ocl_graph_tile = {NULL, plan_tile, NULL, run_pick};

// ---- RESIZE_NEAREST_NEIGHBOR to a known size ----

static ocl_status plan_nearest(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(check_same_dtype(graph, step, detail));
  OCL_TRY(ocl_graph_check_rank_4(graph, step, detail));
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  ocl_value* output = ocl_graph_out(graph, step, 0);
  if (input->scale != output->scale || input->zero_point != output->zero_point)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input and output differ in quantization");
  int32_t size[2], count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, 2, size, &count, detail));
  if (count != 2 || size[0] < 1 || size[1] < 1 || size[0] > 65535 || size[1] > 65535)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its output size");
  output->shape = (ocl_shape){4, {input->shape.dims[0], size[0], size[1], input->shape.dims[3]}};
  return OCL_OK;
}

// Which of `from` rows or columns is nearest to number `index` of `to`.
static int32_t nearest_index(const ocl_step* step, int32_t index, int32_t from, int32_t to) {
  const bool align_corners = step->op.options.resize.align_corners && to > 1;
  const float scale = align_corners ? (float)(from - 1) / (float)(to - 1) : (float)from / (float)to;
  const float at = ((float)index + (step->op.options.resize.half_pixel_centers ? 0.5f : 0.0f)) * scale;
  const int32_t nearest = (int32_t)(align_corners ? at + 0.5f : at);  // at >= 0: truncation is the floor
  return nearest < from ? nearest : from - 1;
}

static void run_nearest(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const int32_t *in = input->shape.dims, *out = output->shape.dims;
  const size_t pixel = (size_t)in[3] * ocl_dtype_size_bytes(input->dtype), row = pixel * (size_t)in[2];
  uint8_t* to = output->data;
  for (int32_t n = 0; n < out[0]; n++)
    for (int32_t y = 0; y < out[1]; y++) {
      const size_t from_row = (size_t)n * (size_t)in[1] + (size_t)nearest_index(step, y, in[1], out[1]);
      const uint8_t* from = (const uint8_t*)input->data + from_row * row;
      for (int32_t x = 0; x < out[2]; x++, to += pixel)
        memcpy(to, from + (size_t)nearest_index(step, x, in[2], out[2]) * pixel, pixel);
    }
}

const ocl_kind ocl_graph_resize_nearest = {NULL, plan_nearest, NULL, run_nearest};
