// RESHAPE, SQUEEZE and EXPAND_DIMS give the same elements another shape. SHAPE returns the shape as a tensor, RANK its
// length. ZEROS_LIKE returns zeros of the same shape.
#include <string.h>

#include "graph/operators/table.h"

// ---- RESHAPE, SQUEEZE, EXPAND_DIMS ----

// Copies dimensions from the options, which point into the model's bytes, to the state, an ocl_shape.
static ocl_status copy_dims(ocl_step* step, const ocl_tflite_ints* dims, ocl_detail* detail) {
  ocl_shape* given = step->state;
  if (dims->count > OCL_MAX_RANK)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its options list %d dimensions, at most %d",
                            (int)dims->count, OCL_MAX_RANK);
  given->rank = dims->count;
  if (dims->count > 0) memcpy(given->dims, dims->ints, (size_t)dims->count * sizeof *given->dims);
  return OCL_OK;
}

// As in TFLite, input 1 is the new shape only if it is a vector of int32.
static bool has_shape_input(ocl_graph* graph, const ocl_step* step) {
  const ocl_value* shape = ocl_graph_in(graph, step, 1);
  return shape != NULL && shape->dtype == OCL_INT32 && shape->shape.rank == 1;
}

static ocl_status build_reshape(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_same_dtype(graph, step, detail));
  if (has_shape_input(graph, step)) return OCL_OK;
  if (step->op.options.reshape.dims.ints == NULL)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail,
                            "it has a new shape neither as input 1 nor in its options");
  return copy_dims(step, &step->op.options.reshape.dims, detail);
}

static ocl_status read_new_shape(ocl_graph* graph, ocl_step* step, ocl_shape* shape, ocl_detail* detail) {
  if (has_shape_input(graph, step))
    return ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, shape->dims, &shape->rank, detail);
  *shape = *(const ocl_shape*)step->state;
  return OCL_OK;
}

static ocl_status reshaped(ocl_graph* graph, ocl_step* step, ocl_shape* shape, ocl_detail* detail) {
  const size_t elements = ocl_shape_num_elements(&ocl_graph_in(graph, step, 0)->shape);
  OCL_TRY(read_new_shape(graph, step, shape, detail));
  const int32_t last = shape->rank - 1;
  if (step->columns.total > 0 && last >= 0 && shape->dims[last] > 0)
    shape->dims[last] = shape->dims[last] / step->columns.total * step->columns.count;
  int32_t free_dim = -1;
  uint64_t product = 1;
  for (int32_t i = 0; i < shape->rank; i++) {
    if (shape->dims[i] < -1 || (shape->dims[i] == -1 && free_dim >= 0))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail,
                              "dimension %d of its new shape is %d; only one may be -1", (int)i, (int)shape->dims[i]);
    if (shape->dims[i] == -1) free_dim = i;
    if (shape->dims[i] >= 0 && __builtin_mul_overflow(product, (uint64_t)shape->dims[i], &product))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its new shape is too large");
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

static ocl_status set_shape(ocl_graph* graph, ocl_step* step, const ocl_shape* shape) {
  ocl_graph_out(graph, step, 0)->shape = *shape;
  ocl_graph_share_storage(graph, step);
  return OCL_OK;
}

static ocl_status plan_reshape(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  ocl_shape shape = {0};
  OCL_TRY(reshaped(graph, step, &shape, detail));
  return set_shape(graph, step, &shape);
}

static ocl_status build_squeeze(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_same_dtype(graph, step, detail));
  return copy_dims(step, &step->op.options.squeeze.dims, detail);
}

static ocl_status squeezed(ocl_graph* graph, ocl_step* step, ocl_shape* shape, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  const ocl_shape* given = step->state;
  bool is_dropped[OCL_MAX_RANK];
  for (int32_t i = 0; i < input->rank; i++) is_dropped[i] = given->rank == 0 && input->dims[i] == 1;
  // The last dimension is 1 only because one of several columns is computed.
  if (step->columns.total > 1 && given->rank == 0) is_dropped[input->rank - 1] = false;
  for (int32_t i = 0; i < given->rank; i++) {
    const int32_t dim = given->dims[i], axis = dim < 0 ? dim + input->rank : dim;
    if (axis < 0 || axis >= input->rank || input->dims[axis] != 1)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "it removes dimension %d, which is not 1", (int)dim);
    is_dropped[axis] = true;
  }
  shape->rank = 0;
  for (int32_t i = 0; i < input->rank; i++)
    if (!is_dropped[i]) shape->dims[shape->rank++] = input->dims[i];
  return OCL_OK;
}

static ocl_status plan_squeeze(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  ocl_shape shape = {0};
  OCL_TRY(squeezed(graph, step, &shape, detail));
  return set_shape(graph, step, &shape);
}

static ocl_status expanded(ocl_graph* graph, ocl_step* step, ocl_shape* shape, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t axis, count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, 1, &axis, &count, detail));
  if (count == 1 && axis < 0) axis += input->rank + 1;
  if (count != 1 || axis < 0 || axis > input->rank || input->rank == OCL_MAX_RANK)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its axis does not fit an input of %d dimensions",
                            (int)input->rank);
  shape->rank = 0;
  for (int32_t i = 0; i <= input->rank; i++) {
    if (i == axis) shape->dims[shape->rank++] = 1;
    if (i < input->rank) shape->dims[shape->rank++] = input->dims[i];
  }
  return OCL_OK;
}

static ocl_status plan_expand_dims(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  ocl_shape shape = {0};
  OCL_TRY(ocl_graph_check_same_dtype(graph, step, detail));
  OCL_TRY(expanded(graph, step, &shape, detail));
  return set_shape(graph, step, &shape);
}

const ocl_kind ocl_kind_RESHAPE = {.state_bytes = sizeof(ocl_shape), .build = build_reshape, .plan = plan_reshape};
const ocl_kind ocl_kind_SQUEEZE = {.state_bytes = sizeof(ocl_shape), .build = build_squeeze, .plan = plan_squeeze};
const ocl_kind ocl_kind_EXPAND_DIMS = {.plan = plan_expand_dims};

// ---- SHAPE ----

static ocl_status plan_shape(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  ocl_value* output = ocl_graph_out(graph, step, 0);
  if (output->dtype != OCL_INT32 && output->dtype != OCL_INT64)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its output must be int32 or int64");
  const int32_t rank = ocl_graph_in(graph, step, 0)->shape.rank;
  if (rank == 0) return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its input is a scalar");
  output->shape = (ocl_shape){1, {rank}};
  return OCL_OK;
}

static enum xnn_status run_shape(ocl_graph* graph, ocl_step* step) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  for (int32_t i = 0; i < input->rank; i++)
    ocl_graph_store_whole_at(ocl_graph_out(graph, step, 0), (size_t)i, input->dims[i]);
  return xnn_status_success;
}

const ocl_kind ocl_kind_SHAPE = {.plan = plan_shape, .run = run_shape};

// ---- RANK, ZEROS_LIKE ----

static ocl_status plan_rank(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  ocl_value* output = ocl_graph_out(graph, step, 0);
  output->shape = (ocl_shape){0};
  if (output->dtype == OCL_INT32) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its output must be int32");
}

static enum xnn_status run_rank(ocl_graph* graph, ocl_step* step) {
  ocl_graph_store_whole_at(ocl_graph_out(graph, step, 0), 0, ocl_graph_in(graph, step, 0)->shape.rank);
  return xnn_status_success;
}

static ocl_status plan_zeros(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_moves(graph, step, 0, detail));
  ocl_graph_out(graph, step, 0)->shape = ocl_graph_in(graph, step, 0)->shape;
  return OCL_OK;
}

static enum xnn_status run_zeros(ocl_graph* graph, ocl_step* step) {
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  memset(output->data, ocl_graph_is_quantized(output) ? output->zero_point : 0, ocl_graph_size_bytes(output));
  return xnn_status_success;
}

const ocl_kind ocl_kind_RANK = {.plan = plan_rank, .run = run_rank};
const ocl_kind ocl_kind_ZEROS_LIKE = {.plan = plan_zeros, .run = run_zeros};
