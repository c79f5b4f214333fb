// CONCATENATION and PACK: join several tensors along an axis.
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
