// CONCATENATION and PACK join several tensors along an axis; SPLIT, SPLIT_V and UNPACK divide one.
#include <stdlib.h>
#include <string.h>

#include "graph/operators/table.h"

typedef struct {
  uint8_t* tables;  // owned: a lookup table of 256 bytes for each input; NULL: all have the output's quantization
  size_t outer;     // the product of the dimensions before the axis
} joining;

static const uint64_t kWorkPerPart = 256;

static void set_outer_size(ocl_step* step, const ocl_shape* shape, int32_t axis) {
  joining* state = step->state;
  state->outer = 1;
  for (int32_t i = 0; i < axis; i++) state->outer *= (size_t)shape->dims[i];
  step->other_work = kWorkPerPart * (uint64_t)state->outer * (uint64_t)step->op.num_inputs;  // parts may be empty
}

// If an 8-bit input has another quantization than the output, lookup tables requantize all inputs.
static ocl_status build_rescaling(ocl_graph* graph, ocl_step* step) {
  joining* state = step->state;
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  bool is_needed = false;
  for (int32_t i = 0; i < step->op.num_inputs; i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    is_needed = is_needed || !ocl_graph_is_same_quantization(input, output);
  }
  if (!is_needed || !ocl_graph_is_quantized(output)) return OCL_OK;
  state->tables = malloc((size_t)step->op.num_inputs * 256);
  if (state->tables == NULL) return OCL_OUT_OF_MEMORY;
  for (int32_t i = 0; i < step->op.num_inputs; i++)
    ocl_graph_fill_table(state->tables + i * 256, ocl_graph_identity, ocl_graph_in(graph, step, i), output);
  return OCL_OK;
}

static ocl_status build_joining(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  for (int32_t i = 0; i < step->op.num_inputs; i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    if (input == NULL || input->dtype != output->dtype ||
        ocl_graph_is_quantized(input) != ocl_graph_is_quantized(output))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "input %d and its output have different dtypes",
                              (int)i);
  }
  return build_rescaling(graph, step);
}

static ocl_status build_concatenation(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  if (step->op.options.concatenation.activation != OCL_ACTIVATION_NONE)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "it has a fused activation; only NONE runs");
  return build_joining(graph, step, detail);
}

static ocl_status build_pack(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const int32_t count = step->op.options.pack.values_count;
  if (count != step->op.num_inputs)
    return ocl_graph_reject(step, OCL_MODEL_BAD_OPTION, detail, "its values_count is %d, but it has %d inputs",
                            (int)count, (int)step->op.num_inputs);
  return build_joining(graph, step, detail);
}

static ocl_status plan_concatenation(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* first = &ocl_graph_in(graph, step, 0)->shape;
  const int32_t given = step->op.options.concatenation.axis, axis = given < 0 ? given + first->rank : given;
  if (axis < 0 || axis >= first->rank)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "axis %d of %d dimensions", (int)given,
                            (int)first->rank);
  ocl_shape shape = *first;
  int64_t sum = 0;
  for (int32_t i = 0; i < step->op.num_inputs; i++) {
    ocl_shape input = ocl_graph_in(graph, step, i)->shape;
    sum += axis < input.rank ? input.dims[axis] : 0;
    if (axis < input.rank) input.dims[axis] = shape.dims[axis];
    if (input.rank != shape.rank || memcmp(input.dims, shape.dims, (size_t)shape.rank * sizeof *shape.dims) != 0)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "the shape of input %d does not fit input 0", (int)i);
  }
  if (sum > INT32_MAX)
    return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "dimension %d of its output is too large", (int)axis);
  shape.dims[axis] = (int32_t)sum;
  ocl_graph_out(graph, step, 0)->shape = shape;
  set_outer_size(step, &shape, axis);
  return OCL_OK;
}

static ocl_status plan_pack(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  const int32_t given = step->op.options.pack.axis, axis = given < 0 ? given + input->rank + 1 : given;
  if (axis < 0 || axis > input->rank || input->rank == OCL_MAX_RANK)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "axis %d for inputs of %d dimensions", (int)given,
                            (int)input->rank);
  for (int32_t i = 1; i < step->op.num_inputs; i++) {
    const ocl_shape* other = &ocl_graph_in(graph, step, i)->shape;
    if (other->rank != input->rank || memcmp(other->dims, input->dims, (size_t)input->rank * sizeof *input->dims) != 0)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "inputs 0 and %d have different shapes", (int)i);
  }
  ocl_shape shape = {.rank = input->rank + 1};
  for (int32_t i = 0; i < shape.rank; i++)
    shape.dims[i] = i < axis ? input->dims[i] : i == axis ? step->op.num_inputs : input->dims[i - 1];
  set_outer_size(step, &shape, axis);
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

static enum xnn_status run_joining(ocl_graph* graph, ocl_step* step) {
  const joining* state = step->state;
  uint8_t* to = ocl_graph_out(graph, step, 0)->data;
  for (size_t outer = 0; outer < state->outer; outer++)
    for (int32_t i = 0; i < step->op.num_inputs; i++) {
      const ocl_value* input = ocl_graph_in(graph, step, i);
      const size_t size = ocl_graph_size_bytes(input) / state->outer;
      copy_through(state->tables == NULL ? NULL : state->tables + i * 256, (const uint8_t*)input->data + outer * size,
                   to, size);
      to += size;
    }
  return xnn_status_success;
}

static void drop_joining(ocl_step* step) {
  free(((joining*)step->state)->tables);
}

const ocl_kind ocl_kind_CONCATENATION = {.state_bytes = sizeof(joining),
                                         .build = build_concatenation,
                                         .plan = plan_concatenation,
                                         .run = run_joining,
                                         .drop = drop_joining};
const ocl_kind ocl_kind_PACK = {
    .state_bytes = sizeof(joining), .build = build_pack, .plan = plan_pack, .run = run_joining, .drop = drop_joining};

// ---- SPLIT, SPLIT_V, UNPACK ----

typedef struct {
  size_t outer;  // the product of the dimensions before the axis
} splitting;

static ocl_status build_splitting(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const int32_t count = step->op.options.split.count;
  if (count != step->op.num_outputs)
    return ocl_graph_reject(step, OCL_MODEL_BAD_OPTION, detail, "its options say %d outputs, but it has %d", (int)count,
                            (int)step->op.num_outputs);
  return ocl_graph_check_moves(graph, step, ocl_operators_first_map(step->op.row), detail);
}

static void set_outer(ocl_step* step, const ocl_shape* shape, int32_t axis) {
  splitting* state = step->state;
  state->outer = ocl_graph_product(shape, 0, axis);
  step->other_work = kWorkPerPart * (uint64_t)state->outer * (uint64_t)step->op.num_outputs;
}

static ocl_status read_axis(ocl_graph* graph, const ocl_step* step, int32_t input, int32_t rank, int32_t* axis_out,
                            ocl_detail* detail) {
  int32_t given, count;
  OCL_TRY(ocl_graph_known_ints(graph, step, input, 1, &given, &count, detail));
  if (count != 1) return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its axis is empty");
  return ocl_graph_axis(step, given, rank, axis_out, detail);
}

static ocl_status plan_split(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 1)->shape;
  int32_t axis;
  OCL_TRY(read_axis(graph, step, 0, input->rank, &axis, detail));
  if (input->dims[axis] % step->op.num_outputs != 0)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "it splits a dimension of %d into %d",
                            (int)input->dims[axis], (int)step->op.num_outputs);
  for (int32_t i = 0; i < step->op.num_outputs; i++) {
    ocl_value* output = ocl_graph_out(graph, step, i);
    output->shape = *input;
    output->shape.dims[axis] /= step->op.num_outputs;
  }
  set_outer(step, input, axis);
  return OCL_OK;
}

static ocl_status plan_split_into_sizes(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  const ocl_value* sizes = ocl_graph_in(graph, step, 1);
  int32_t axis;
  OCL_TRY(read_axis(graph, step, 2, input->rank, &axis, detail));
  if (sizes->known == NULL || !ocl_graph_is_int(sizes))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                            "its sizes must be integers that do not depend on the model's inputs");
  if (ocl_shape_num_elements(&sizes->shape) != (size_t)step->op.num_outputs)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "it has not one size for each of its %d outputs",
                            (int)step->op.num_outputs);
  int64_t rest = input->dims[axis];
  int32_t free_part = -1;
  for (int32_t i = 0; i < step->op.num_outputs; i++) {
    const int64_t size = ocl_graph_whole_at(sizes, (size_t)i);
    const bool is_free = size == -1 && free_part < 0;
    if (is_free) free_part = i;
    if (!is_free && (size < 0 || size > rest))
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "size %lld does not fit a dimension of %d",
                              (long long)size, (int)input->dims[axis]);
    if (!is_free) rest -= size;
    ocl_graph_out(graph, step, i)->shape = *input;
    ocl_graph_out(graph, step, i)->shape.dims[axis] = (int32_t)size;
  }
  if (free_part >= 0)
    ocl_graph_out(graph, step, free_part)->shape.dims[axis] = (int32_t)rest;
  else if (rest != 0)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its sizes do not add up to %d", (int)input->dims[axis]);
  set_outer(step, input, axis);
  return OCL_OK;
}

static ocl_status plan_unpack(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t axis;
  OCL_TRY(ocl_graph_axis(step, step->op.options.split.axis, input->rank, &axis, detail));
  if (input->dims[axis] != step->op.num_outputs)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "%d outputs for a dimension of %d",
                            (int)step->op.num_outputs, (int)input->dims[axis]);
  ocl_shape shape = {.rank = input->rank - 1};
  for (int32_t d = 0; d < shape.rank; d++) shape.dims[d] = input->dims[d < axis ? d : d + 1];
  for (int32_t i = 0; i < step->op.num_outputs; i++) ocl_graph_out(graph, step, i)->shape = shape;
  set_outer(step, input, axis);
  return OCL_OK;
}

static enum xnn_status run_splitting(ocl_graph* graph, ocl_step* step) {
  const splitting* state = step->state;
  const uint8_t* from = ocl_graph_in(graph, step, ocl_operators_first_map(step->op.row))->data;
  for (size_t outer = 0; outer < state->outer; outer++)
    for (int32_t i = 0; i < step->op.num_outputs; i++) {
      const ocl_value* output = ocl_graph_out(graph, step, i);
      const size_t size = ocl_graph_size_bytes(output) / state->outer;
      memcpy((uint8_t*)output->data + outer * size, from, size);
      from += size;
    }
  return xnn_status_success;
}

#define SPLITTING(planner) \
  {.state_bytes = sizeof(splitting), .build = build_splitting, .plan = planner, .run = run_splitting}
const ocl_kind ocl_kind_SPLIT = SPLITTING(plan_split);
const ocl_kind ocl_kind_SPLIT_V = SPLITTING(plan_split_into_sizes);
const ocl_kind ocl_kind_UNPACK = SPLITTING(plan_unpack);
