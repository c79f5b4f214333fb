// Builds, plans, runs. How each operator is worked is in graph_conv.c, graph_pool.c, graph_math.c and graph_shape.c.
#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "graph/internal.h"
#include "tflite/weights.h"
#include "xnnpack/hardware-config.h"

enum { kMaxOperators = 4096 };

// ---- building ----

const ocl_kind* ocl_graph_find_kind(const ocl_tflite_operator* op) {
  switch (op->opcode) {
    case OCL_OP_CONV_2D: return &ocl_graph_conv;
    case OCL_OP_DEPTHWISE_CONV_2D: return &ocl_graph_depthwise_conv;
    case OCL_OP_FULLY_CONNECTED: return &ocl_graph_fully_connected;
    case OCL_OP_MAX_POOL_2D: return &ocl_graph_max_pool;
    case OCL_OP_AVERAGE_POOL_2D: return &ocl_graph_average_pool;
    case OCL_OP_ADD: return &ocl_graph_add;
    case OCL_OP_SUB: return &ocl_graph_sub;
    case OCL_OP_MUL: return &ocl_graph_mul;
    case OCL_OP_RELU:
    case OCL_OP_RELU6:
    case OCL_OP_LOGISTIC:
    case OCL_OP_HARD_SWISH:
    case OCL_OP_QUANTIZE:
    case OCL_OP_DEQUANTIZE: return &ocl_graph_unary;
    case OCL_OP_SOFTMAX: return &ocl_graph_softmax;
    case OCL_OP_MEAN: return &ocl_graph_mean;
    case OCL_OP_RESIZE_BILINEAR: return &ocl_graph_resize;
    case OCL_OP_RESIZE_NEAREST_NEIGHBOR: return &ocl_graph_resize_nearest;
    case OCL_OP_PAD: return &ocl_graph_pad;
    case OCL_OP_RESHAPE:
    case OCL_OP_SQUEEZE:
    case OCL_OP_EXPAND_DIMS: return &ocl_graph_reshape;
    case OCL_OP_TRANSPOSE: return &ocl_graph_transpose;
    case OCL_OP_CONCATENATION: return &ocl_graph_concatenation;
    case OCL_OP_PACK: return &ocl_graph_pack;
    case OCL_OP_SHAPE: return &ocl_graph_shape;
    case OCL_OP_STRIDED_SLICE: return &ocl_graph_strided_slice;
    case OCL_OP_TILE: return &ocl_graph_tile;
    case OCL_OP_CUSTOM:
      return strcmp(op->custom_name, "TFLite_Detection_PostProcess") == 0 ? &ocl_graph_detection_postprocess : NULL;
    default: return NULL;
  }
}

static ocl_status copy_names(ocl_graph* graph) {
  size_t bytes = 0;
  for (int32_t i = 0; i < graph->num_values; i++) bytes += strlen(ocl_tflite_get_tensor(graph->model, i).name) + 1;
  graph->names = malloc(bytes);
  if (graph->names == NULL) return OCL_OUT_OF_MEMORY;
  char* next = graph->names;
  for (int32_t i = 0; i < graph->num_values; i++) {
    const char* name = ocl_tflite_get_tensor(graph->model, i).name;
    const size_t size = strlen(name) + 1;
    graph->values[i].name = memcpy(next, name, size);
    next += size;
  }
  return OCL_OK;
}

static ocl_status build_value(ocl_graph* graph, int32_t index, ocl_detail* detail) {
  const ocl_tflite_tensor tensor = ocl_tflite_get_tensor(graph->model, index);
  ocl_value* value = &graph->values[index];
  value->dtype = tensor.dtype;
  value->shape = tensor.shape;
  value->constant = tensor.data != NULL ? index : -1;
  value->storage = index;
  if (tensor.quantization.num_scales == 1) {
    value->scale = tensor.quantization.scales[0];
    value->zero_point = tensor.quantization.zero_points == NULL ? 0 : (int32_t)tensor.quantization.zero_points[0];
  }
  return ocl_graph_check_size(value, detail);
}

static ocl_status build_inputs(ocl_graph* graph, ocl_detail* detail) {
  for (int32_t i = 0; i < graph->num_inputs; i++) {
    const ocl_tflite_tensor tensor = ocl_tflite_get_tensor(graph->model, graph->inputs[i]);
    if (tensor.is_shape_free)
      return ocl_status_with_detail(OCL_MODEL_BAD_GRAPH, detail, "input '%s' has a free dimension besides the batch",
                                    tensor.name);
    graph->values[graph->inputs[i]].is_input = true;
    graph->is_batch_free = graph->is_batch_free || tensor.is_batch_free;
  }
  return OCL_OK;
}

// Weights and biases of the operators that pack them are read while building and never kept.
static bool is_packed_weight(const ocl_step* step, int32_t input) {
  const int32_t opcode = step->op.opcode;
  return input >= 1 &&
         (opcode == OCL_OP_CONV_2D || opcode == OCL_OP_DEPTHWISE_CONV_2D || opcode == OCL_OP_FULLY_CONNECTED);
}

// A constant operand: its elements, in the value's dtype, owned by the graph.
static ocl_status keep_constant(ocl_graph* graph, ocl_value* value) {
  if (value->is_kept) return OCL_OK;
  const ocl_tflite_tensor tensor = ocl_tflite_get_tensor(graph->model, value->constant);
  const size_t size = ocl_graph_size_bytes(value);
  value->known = calloc(1, size + XNN_EXTRA_BYTES);
  if (value->known == NULL) return OCL_OUT_OF_MEMORY;
  value->data = value->known;
  value->is_kept = true;
  if (value->dtype != tensor.dtype) return ocl_weights_to_float(&tensor, (float*)(void*)value->known);
  memcpy(value->known, tensor.data, size);
  return OCL_OK;
}

// DEQUANTIZE of a constant (fp16 weights) is no step: its consumers read the constant as float.
static bool is_constant_dequantize(const ocl_graph* graph, const ocl_tflite_operator* op) {
  if (op->opcode != OCL_OP_DEQUANTIZE) return false;
  const ocl_value* input = &graph->values[op->inputs[0]];
  const ocl_value* output = &graph->values[op->outputs[0]];
  return input->constant >= 0 && output->dtype == OCL_FLOAT32 &&
         ocl_shape_num_elements(&input->shape) == ocl_shape_num_elements(&output->shape) &&
         (input->dtype == OCL_FLOAT16 || ocl_tflite_get_tensor(graph->model, input->constant).quantization.num_scales);
}

static ocl_status build_step(ocl_graph* graph, int32_t operator_index, int32_t** next_index, ocl_detail* detail) {
  const ocl_tflite_operator op = ocl_tflite_get_operator(graph->model, operator_index);
  ocl_step* step = &graph->steps[graph->num_steps];
  step->index = operator_index;
  step->op = op;
  step->kind = ocl_graph_find_kind(&op);
  if (step->kind == NULL && op.opcode != OCL_OP_CUSTOM && ocl_tflite_opcode_name(op.opcode) == NULL)
    return ocl_status_with_detail(OCL_UNSUPPORTED_OPERATOR, detail, "operator %d (BuiltinOperator %d)",
                                  (int)operator_index, (int)op.opcode);
  if (step->kind == NULL) return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "not in the set");
  if (is_constant_dequantize(graph, &op)) {
    graph->values[op.outputs[0]].constant = graph->values[op.inputs[0]].constant;
    return OCL_OK;
  }
  graph->num_steps++;
  step->op.inputs = memcpy(*next_index, op.inputs, (size_t)op.num_inputs * sizeof(int32_t));
  *next_index += op.num_inputs;
  step->op.outputs = memcpy(*next_index, op.outputs, (size_t)op.num_outputs * sizeof(int32_t));
  *next_index += op.num_outputs;
  for (int32_t i = 0; i < op.num_inputs; i++) {
    ocl_value* input = ocl_graph_in(graph, step, i);
    if (input == NULL) continue;
    if (input->constant >= 0 && !is_packed_weight(step, i)) OCL_TRY(keep_constant(graph, input));
  }
  return step->kind->build == NULL ? OCL_OK : step->kind->build(graph, step, detail);
}

static int32_t count_indices_and_uses(ocl_graph* graph) {
  int32_t count = 0;
  for (int32_t i = 0; i < graph->model->num_operators; i++) {
    const ocl_tflite_operator op = ocl_tflite_get_operator(graph->model, i);
    count += op.num_inputs + op.num_outputs;
    for (int32_t j = 0; j < op.num_inputs; j++)
      if (op.inputs[j] >= 0) graph->values[op.inputs[j]].num_uses++;
  }
  for (int32_t i = 0; i < graph->num_outputs; i++) graph->values[graph->outputs[i]].num_uses++;
  return count;
}

static bool is_hybrid(const ocl_tflite* model, const ocl_tflite_operator* op) {
  const bool has_weights = op->opcode == OCL_OP_CONV_2D || op->opcode == OCL_OP_DEPTHWISE_CONV_2D;
  return has_weights && op->num_inputs > 1 && op->inputs[0] >= 0 && op->inputs[1] >= 0 &&
         ocl_tflite_get_tensor(model, op->inputs[0]).dtype == OCL_FLOAT32 &&
         ocl_tflite_get_tensor(model, op->inputs[1]).dtype == OCL_INT8;
}

static void find_rounding(ocl_graph* graph) {
  for (int32_t i = 0; i < graph->model->num_operators; i++) {
    const ocl_tflite_operator op = ocl_tflite_get_operator(graph->model, i);
    graph->has_builtin_rounding = graph->has_builtin_rounding || op.opcode == OCL_OP_SHAPE;
    graph->is_dynamic_range = graph->is_dynamic_range || is_hybrid(graph->model, &op);
  }
}

static ocl_status build_outputs(ocl_graph* graph) {
  for (int32_t i = 0; i < graph->num_outputs; i++) {
    ocl_value* value = &graph->values[graph->outputs[i]];
    value->is_output = true;
    if (value->constant >= 0) OCL_TRY(keep_constant(graph, value));
  }
  return OCL_OK;
}

static ocl_status build(ocl_graph* graph, ocl_detail* detail) {
  const ocl_tflite* model = graph->model;
  if (model->num_operators > kMaxOperators)
    return ocl_status_with_detail(OCL_MODEL_TOO_LARGE, detail, "%d operators", (int)model->num_operators);
  graph->num_values = model->num_tensors;
  graph->num_inputs = model->num_inputs;
  graph->num_outputs = model->num_outputs;
  graph->values = calloc((size_t)model->num_tensors + 1, sizeof *graph->values);
  graph->steps = calloc((size_t)model->num_operators + 1, sizeof *graph->steps);
  graph->inputs = malloc((size_t)(model->num_inputs + model->num_outputs + 1) * sizeof(int32_t));
  if (graph->values == NULL || graph->steps == NULL || graph->inputs == NULL) return OCL_OUT_OF_MEMORY;
  graph->outputs = graph->inputs + graph->num_inputs;
  memcpy(graph->inputs, ocl_tflite_inputs(model), (size_t)graph->num_inputs * sizeof(int32_t));
  memcpy(graph->outputs, ocl_tflite_outputs(model), (size_t)graph->num_outputs * sizeof(int32_t));
  OCL_TRY(copy_names(graph));
  for (int32_t i = 0; i < graph->num_values; i++) OCL_TRY(build_value(graph, i, detail));
  OCL_TRY(build_inputs(graph, detail));

  graph->indices = malloc((size_t)(count_indices_and_uses(graph) + 1) * sizeof(int32_t));
  if (graph->indices == NULL) return OCL_OUT_OF_MEMORY;
  find_rounding(graph);
  int32_t* next_index = graph->indices;
  for (int32_t i = 0; i < model->num_operators; i++) OCL_TRY(build_step(graph, i, &next_index, detail));
  return build_outputs(graph);
}

// ---- planning: shapes, known values, lifetimes, memory ----

static void forget_known(ocl_graph* graph) {
  for (int32_t i = 0; i < graph->num_values; i++) {
    ocl_value* value = &graph->values[i];
    if (value->is_kept) continue;
    if (value->storage == i) free(value->known);
    value->known = NULL;
    value->data = NULL;
    value->storage = i;
  }
}

static bool all_inputs_known(ocl_graph* graph, const ocl_step* step) {
  if (step->op.opcode == OCL_OP_SHAPE) return true;
  for (int32_t i = 0; i < step->op.num_inputs; i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    if (input != NULL && input->known == NULL) return false;
  }
  return true;
}

static enum xnn_status bind_step(ocl_graph* graph, ocl_step* step) {
  if (step->kind->bind != NULL && step->xnn != NULL) {
    const enum xnn_status status = step->kind->bind(graph, step);
    if (status != xnn_status_success) return status;
  }
  if (step->clamp == NULL) return xnn_status_success;
  void* output = ocl_graph_out(graph, step, 0)->data;
  return xnn_setup_unary_elementwise_nc(step->clamp, output, output);
}

static enum xnn_status run_step(ocl_graph* graph, ocl_step* step) {
  if (step->sums != OCL_SUMS_OF_XNNPACK) ocl_graph_begin_sums(graph, step);
  if (step->rows.num_alike > 0) {
    ocl_graph_run_rows(graph, step);
  } else if (step->xnn != NULL) {
    const enum xnn_status status = xnn_run_operator(step->xnn, graph->pool);
    if (status != xnn_status_success) return status;
  } else if (step->kind->run != NULL) {
    step->kind->run(graph, step);
  }
  if (step->sums != OCL_SUMS_OF_XNNPACK) ocl_graph_finish_sums(graph, step);
  return step->clamp == NULL ? xnn_status_success : xnn_run_operator(step->clamp, graph->pool);
}

// All inputs are known, so the outputs are: runs the step now, into memory of its outputs' own.
static ocl_status fold(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  for (int32_t i = 0; i < step->op.num_outputs; i++) {
    ocl_value* output = ocl_graph_out(graph, step, i);
    const ocl_value* storage = &graph->values[output->storage];
    if (storage != output) {
      output->known = storage->known;
    } else {
      output->known = calloc(1, ocl_graph_size_bytes(output) + XNN_EXTRA_BYTES);
      if (output->known == NULL) return OCL_OUT_OF_MEMORY;
    }
    output->data = output->known;
  }
  step->workspace = calloc(1, step->workspace_bytes + XNN_EXTRA_BYTES);
  if (step->workspace == NULL) return OCL_OUT_OF_MEMORY;
  enum xnn_status status = bind_step(graph, step);
  if (status == xnn_status_success) status = run_step(graph, step);
  free(step->workspace);
  step->workspace = NULL;
  return ocl_graph_check_xnn(step, status, detail);
}

static ocl_status plan_step(ocl_graph* graph, ocl_step* step, int32_t batch, uint64_t* work, ocl_detail* detail) {
  step->workspace_bytes = 0;
  step->multiply_adds = 0;
  step->other_work = 0;
  OCL_TRY(ocl_graph_check_input(graph, step, detail));
  OCL_TRY(step->kind->plan(graph, step, detail));
  OCL_TRY(ocl_graph_check_outputs(graph, step, detail));
  OCL_TRY(ocl_graph_check_work(graph, step, batch, work, detail));
  if (step->clamp != NULL) {
    const size_t elements = ocl_shape_num_elements(&ocl_graph_out(graph, step, 0)->shape);
    OCL_TRY(ocl_graph_check_xnn(
        step, xnn_reshape_unary_elementwise_nc(step->clamp, 1, elements, elements, elements, graph->pool), detail));
  }
  step->is_folded = all_inputs_known(graph, step);
  return step->is_folded ? fold(graph, step, detail) : OCL_OK;
}

static void extend_life(ocl_graph* graph, const ocl_value* value, int32_t step) {
  ocl_value* storage = &graph->values[value->storage];
  if (step < storage->first_step) storage->first_step = step;
  if (step > storage->last_step) storage->last_step = step;
}

static void find_lifetimes(ocl_graph* graph) {
  for (int32_t i = 0; i < graph->num_values; i++) {
    graph->values[i].first_step = INT32_MAX;
    graph->values[i].last_step = -1;
  }
  for (int32_t s = 0; s < graph->num_steps; s++) {
    const ocl_step* step = &graph->steps[s];
    for (int32_t i = 0; i < step->op.num_inputs; i++) {
      const ocl_value* input = ocl_graph_in(graph, step, i);
      if (input != NULL) extend_life(graph, input, s);
    }
    for (int32_t i = 0; i < step->op.num_outputs; i++) extend_life(graph, ocl_graph_out(graph, step, i), s);
  }
  // Inputs are the caller's from before the first step to after the last, so that a run may be repeated.
  for (int32_t i = 0; i < graph->num_values; i++) {
    const ocl_value* value = &graph->values[i];
    if (value->is_input) extend_life(graph, value, 0);
    if (value->is_input || value->is_output) extend_life(graph, value, graph->num_steps);
  }
}

static bool needs_memory(const ocl_graph* graph, int32_t index) {
  const ocl_value* value = &graph->values[index];
  return value->known == NULL && value->storage == index && value->last_step >= 0;
}

// One block per value that owns memory, then one per workspace.
static ocl_status plan_memory(ocl_graph* graph) {
  ocl_arena_block* blocks = calloc((size_t)(graph->num_values + graph->num_steps) + 1, sizeof *blocks);
  if (blocks == NULL) return OCL_OUT_OF_MEMORY;
  find_lifetimes(graph);
  int32_t count = 0;
  for (int32_t i = 0; i < graph->num_values; i++) {
    const ocl_value* value = &graph->values[i];
    if (!needs_memory(graph, i)) continue;
    blocks[count++] = (ocl_arena_block){ocl_graph_size_bytes(value), value->first_step, value->last_step, 0};
  }
  for (int32_t s = 0; s < graph->num_steps; s++) {
    const ocl_step* step = &graph->steps[s];
    if (step->workspace_bytes > 0 && !step->is_folded)
      blocks[count++] = (ocl_arena_block){step->workspace_bytes, s, s, 0};
  }
  ocl_status status = ocl_arena_plan(blocks, count, &graph->arena_bytes);
  if (status == OCL_OK) {
    graph->arena = aligned_alloc(OCL_ARENA_ALIGNMENT_BYTES, graph->arena_bytes + OCL_ARENA_ALIGNMENT_BYTES);
    if (graph->arena == NULL) status = OCL_OUT_OF_MEMORY;
  }
  if (status == OCL_OK) {
    const ocl_arena_block* block = blocks;
    for (int32_t i = 0; i < graph->num_values; i++)
      if (needs_memory(graph, i)) graph->values[i].data = graph->arena + (block++)->offset_bytes;
    for (int32_t s = 0; s < graph->num_steps; s++) {
      ocl_step* step = &graph->steps[s];
      if (step->workspace_bytes > 0 && !step->is_folded) step->workspace = graph->arena + (block++)->offset_bytes;
    }
    for (int32_t i = 0; i < graph->num_values; i++)
      if (graph->values[i].known == NULL) graph->values[i].data = graph->values[graph->values[i].storage].data;
  }
  free(blocks);
  return status;
}

static ocl_status place(ocl_graph* graph, ocl_detail* detail) {
  OCL_TRY(plan_memory(graph));
  for (int32_t s = 0; s < graph->num_steps; s++) {
    ocl_step* step = &graph->steps[s];
    if (!step->is_folded) OCL_TRY(ocl_graph_check_xnn(step, bind_step(graph, step), detail));
  }
  graph->is_placed = true;
  return OCL_OK;
}

ocl_status ocl_graph_plan(ocl_graph* graph, int32_t batch, ocl_detail* detail) {
  graph->is_placed = false;
  free(graph->arena);
  graph->arena = NULL;
  forget_known(graph);
  uint64_t work = 0;
  for (int32_t i = 0; i < graph->num_inputs; i++) {
    ocl_value* input = &graph->values[graph->inputs[i]];
    if (graph->is_batch_free && input->shape.rank > 0) input->shape.dims[0] = batch;
    OCL_TRY(ocl_graph_check_size(input, detail));
  }
  for (int32_t s = 0; s < graph->num_steps; s++) OCL_TRY(plan_step(graph, &graph->steps[s], batch, &work, detail));
  graph->batch = batch;
  return graph->has_memory ? place(graph, detail) : OCL_OK;
}

// ---- the public functions ----

void ocl_graph_make_deterministic(void) {
  // The table is XNNPACK's own and filled in on first use; the cast is the only way to it.
  struct xnn_hardware_config* config = (struct xnn_hardware_config*)xnn_init_hardware_config();
  if (config != NULL) config->is_x86 = true;
}

ocl_status ocl_graph_create(const ocl_tflite* model, ocl_thread_pool pool, int32_t batch, ocl_graph** graph_out,
                            ocl_detail* detail) {
  *graph_out = NULL;
  if (batch < 1) return OCL_INVALID_ARGUMENT;
  if (xnn_initialize(NULL) != xnn_status_success) return OCL_OUT_OF_MEMORY;
  ocl_graph* graph = calloc(1, sizeof *graph);
  if (graph == NULL) return OCL_OUT_OF_MEMORY;
  graph->model = model;
  graph->pool = pool;
  graph->kept = -1;
  ocl_status status = build(graph, detail);
  graph->model = NULL;
  if (status == OCL_OK && batch > 1 && !graph->is_batch_free) status = OCL_BATCH_NOT_FREE;
  if (status == OCL_OK) status = ocl_graph_plan(graph, batch, detail);
  if (status != OCL_OK) {
    ocl_graph_destroy(graph);
    return status;
  }
  *graph_out = graph;
  return OCL_OK;
}

static void drop_steps(ocl_graph* graph, int32_t first) {
  for (; graph->num_steps > first; graph->num_steps--) {
    const ocl_step* step = &graph->steps[graph->num_steps - 1];
    xnn_delete_operator(step->xnn);
    xnn_delete_operator(step->clamp);
    ocl_detection_postprocess_destroy(step->postprocess);
    free(step->table);
    free(step->channel_factors);
  }
}

void ocl_graph_destroy(ocl_graph* graph) {
  if (graph == NULL) return;
  drop_steps(graph, 0);
  for (int32_t i = 0; graph->values != NULL && i < graph->num_values; i++)
    if (graph->values[i].storage == i) free(graph->values[i].known);
  free(graph->values);
  free(graph->steps);
  free(graph->inputs);
  free(graph->names);
  free(graph->indices);
  free(graph->columns);
  free(graph->arena);
  free(graph);
}

ocl_status ocl_graph_set_batch(ocl_graph* graph, int32_t batch, ocl_detail* detail) {
  if (batch < 1) return OCL_INVALID_ARGUMENT;
  if (batch == graph->batch && graph->is_placed) return OCL_OK;
  if (batch != graph->batch && !graph->is_batch_free) return OCL_BATCH_NOT_FREE;
  const int32_t before = graph->batch;
  const ocl_status status = ocl_graph_plan(graph, batch, detail);
  if (status != OCL_OK) OCL_TRY(ocl_graph_plan(graph, before, NULL));
  return status;
}

ocl_status ocl_graph_place(ocl_graph* graph, ocl_detail* detail) {
  if (graph->is_placed) return OCL_OK;
  graph->has_memory = true;
  return place(graph, detail);
}

static ocl_status check_is_kept(const ocl_graph* graph, int32_t step, ocl_detail* detail) {
  if (step < 0 || step >= graph->num_steps) return OCL_INVALID_ARGUMENT;
  const ocl_step* kept = &graph->steps[step];
  if (!kept->is_fused_away && !kept->is_folded) return OCL_OK;
  return ocl_graph_reject(kept, OCL_FEATURES_UNUSABLE, detail, "its output is never computed by itself");
}

ocl_status ocl_graph_keep(ocl_graph* graph, int32_t step, ocl_detail* detail) {
  OCL_TRY(check_is_kept(graph, step, detail));
  graph->kept = graph->steps[step].op.outputs[0];
  graph->values[graph->kept].is_output = true;
  return ocl_graph_plan(graph, graph->batch, detail);
}

ocl_status ocl_graph_cut_after(ocl_graph* graph, int32_t step, ocl_detail* detail) {
  OCL_TRY(check_is_kept(graph, step, detail));
  drop_steps(graph, step + 1);
  for (int32_t i = 0; i < graph->num_outputs; i++) graph->values[graph->outputs[i]].is_output = false;
  graph->num_outputs = 1;
  graph->outputs[0] = graph->steps[step].op.outputs[0];
  graph->values[graph->outputs[0]].is_output = true;
  return ocl_graph_plan(graph, graph->batch, detail);
}

int32_t ocl_graph_num_inputs(const ocl_graph* graph) {
  return graph->num_inputs;
}
int32_t ocl_graph_num_outputs(const ocl_graph* graph) {
  return graph->num_outputs;
}

static ocl_graph_tensor describe(const ocl_value* value) {
  return (ocl_graph_tensor){value->name,  value->dtype,        value->shape,
                            value->scale, value->zero_point,   ocl_graph_size_bytes(value),
                            value->data,  value->known != NULL};
}

ocl_graph_tensor ocl_graph_input(const ocl_graph* graph, int32_t index) {
  return describe(&graph->values[graph->inputs[index]]);
}

ocl_graph_tensor ocl_graph_output(const ocl_graph* graph, int32_t index) {
  return describe(&graph->values[graph->outputs[index]]);
}

ocl_graph_tensor ocl_graph_kept(const ocl_graph* graph) {
  return describe(&graph->values[graph->kept]);
}

bool ocl_graph_postprocess(const ocl_graph* graph, ocl_graph_tensor tensors_out[4], int32_t* num_classes_out) {
  for (int32_t s = 0; s < graph->num_steps; s++) {
    const ocl_step* step = &graph->steps[s];
    if (step->postprocess == NULL) continue;
    for (int32_t i = 0; i < 4; i++) tensors_out[i] = describe(&graph->values[step->op.outputs[i]]);
    *num_classes_out = step->num_classes;
    return true;
  }
  return false;
}

ocl_graph_info ocl_graph_describe(const ocl_graph* graph) {
  ocl_graph_info info = {.arena_bytes = graph->arena_bytes, .is_batch_free = graph->is_batch_free};
  for (int32_t s = 0; s < graph->num_steps; s++) {
    info.multiply_adds += graph->steps[s].multiply_adds;
    info.num_parameters += graph->steps[s].num_parameters;
  }
  return info;
}

ocl_status ocl_graph_run(ocl_graph* graph) {
  if (!graph->is_placed) return OCL_OUT_OF_MEMORY;
  for (int32_t s = 0; s < graph->num_steps; s++) {
    ocl_step* step = &graph->steps[s];
    if (!step->is_folded && run_step(graph, step) != xnn_status_success) return OCL_OUT_OF_MEMORY;
  }
  return OCL_OK;
}

ocl_status ocl_graph_run_timed(ocl_graph* graph, double (*clock_us)(void)) {
  if (!graph->is_placed) return OCL_OUT_OF_MEMORY;
  double before = clock_us();
  for (int32_t s = 0; s < graph->num_steps; s++) {
    ocl_step* step = &graph->steps[s];
    if (!step->is_folded && run_step(graph, step) != xnn_status_success) return OCL_OUT_OF_MEMORY;
    const double after = clock_us();
    step->time_us = after - before;
    before = after;
  }
  return OCL_OK;
}

int32_t ocl_graph_num_steps(const ocl_graph* graph) {
  return graph->num_steps;
}

ocl_graph_step_info ocl_graph_step(const ocl_graph* graph, int32_t index) {
  const ocl_step* step = &graph->steps[index];
  const ocl_value* output = &graph->values[step->op.outputs[0]];
  const char* name =
      step->op.opcode == OCL_OP_CUSTOM ? "TFLite_Detection_PostProcess" : ocl_tflite_opcode_name(step->op.opcode);
  return (ocl_graph_step_info){name, output->name, output->shape, output->dtype, step->multiply_adds, step->time_us};
}
