// Builds a graph from a model and describes it. plan.c and run.c plan and run it; operators/ implements the operators.
#include "graph/graph.h"

#include <stdlib.h>
#include <string.h>

#include "graph/internal.h"
#include "graph/operators/table.h"
#include "tflite/weights.h"
#include "xnnpack/hardware-config.h"

enum { kMaxOperators = 4096, kMaxInputs = 1024 };  // planning their memory takes the square of their number

// ---- values ----

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
  value->reader = -1;
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
      return ocl_status_with_detail(OCL_MODEL_BAD_GRAPH, detail,
                                    "input '%s' has a free dimension; only the batch may be free", tensor.name);
    ocl_value* value = &graph->values[graph->inputs[i]];
    value->is_input = true;
    value->constant = -1;
    value->is_batch_free = tensor.is_batch_free;
    graph->is_batch_free = graph->is_batch_free || tensor.is_batch_free;
  }
  return OCL_OK;
}

// Copies a constant operand into the graph, converted to the value's dtype.
static ocl_status keep_constant(ocl_graph* graph, ocl_value* value, ocl_detail* detail) {
  if (value->is_kept_constant) return OCL_OK;
  ocl_tflite_tensor tensor;
  OCL_TRY(ocl_graph_read_tensor(graph, value->constant, &tensor, detail));
  const size_t size = ocl_graph_size_bytes(value);
  value->known = calloc(1, size + XNN_EXTRA_BYTES);
  if (value->known == NULL) return OCL_OUT_OF_MEMORY;
  value->data = value->known;
  value->is_kept_constant = true;
  if (value->dtype != tensor.dtype) return ocl_weights_to_float(&tensor, (float*)(void*)value->known);
  memcpy(value->known, tensor.data, size);
  return OCL_OK;
}

static ocl_status build_outputs(ocl_graph* graph, ocl_detail* detail) {
  for (int32_t i = 0; i < graph->num_outputs; i++) {
    ocl_value* value = &graph->values[graph->outputs[i]];
    value->is_output = true;
    if (value->constant >= 0) OCL_TRY(keep_constant(graph, value, detail));
  }
  return OCL_OK;
}

// ---- steps ----

static bool has_flag(const ocl_tflite_operator* op, uint8_t flag) {
  return op->row != NULL && (op->row->flags & flag) != 0;
}

// Such an operator (a DEQUANTIZE of float16 weights, a DENSIFY) is not run: the operators that read its output read its
// constant input instead, dense, as floats.
static bool is_unpacked_constant(const ocl_graph* graph, const ocl_tflite_operator* op) {
  if (!has_flag(op, OCL_OPERATOR_UNPACKS)) return false;
  const ocl_value* input = &graph->values[op->inputs[0]];
  const ocl_value* output = &graph->values[op->outputs[0]];
  if (input->constant < 0 || ocl_shape_num_elements(&input->shape) != ocl_shape_num_elements(&output->shape))
    return false;
  if (input->dtype == output->dtype) return true;
  const ocl_tflite_tensor tensor = ocl_tflite_get_tensor(graph->model, input->constant);
  const bool is_quantized = tensor.quantization.num_scales > 0 && !ocl_graph_is_int(input);
  return output->dtype == OCL_FLOAT32 && (input->dtype == OCL_FLOAT16 || is_quantized);
}

static ocl_status build_operator(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_kind* kind = step->kind;
  if (kind->state_bytes > 0) {
    step->state = calloc(1, kind->state_bytes);
    if (step->state == NULL) return OCL_OUT_OF_MEMORY;
  }
  const ocl_status status = kind->build == NULL ? OCL_OK : kind->build(graph, step, detail);
  ocl_graph_free_dense(graph);
  return status;
}

static void drop_operator(ocl_step* step) {
  xnn_delete_operator(step->xnn);
  if (step->state != NULL && step->kind->drop != NULL) step->kind->drop(step);
  free(step->state);
  step->xnn = NULL;
  step->state = NULL;
}

ocl_status ocl_graph_rebuild(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  drop_operator(step);
  return build_operator(graph, step, detail);
}

// Also of no indices, which may have no address. Returns what follows the copy.
static int32_t* copy_indices(const int32_t* indices, int32_t count, int32_t* to) {
  if (count > 0) memcpy(to, indices, (size_t)count * sizeof *to);
  return to + count;
}

static void keep_indices(const int32_t** indices, int32_t count, int32_t** next_index) {
  int32_t* copy = *next_index;
  *next_index = copy_indices(*indices, count, copy);
  *indices = copy;
}

static ocl_status build_step(ocl_graph* graph, int32_t operator_index, int32_t** next_index, ocl_detail* detail) {
  ocl_step* step = &graph->steps[graph->num_steps];
  ocl_tflite_operator* op = &step->op;
  step->index = operator_index;
  *op = ocl_tflite_get_operator(graph->model, operator_index);
  if (op->row == NULL && ocl_tflite_operator_name(op) == NULL)
    return ocl_status_with_detail(OCL_UNSUPPORTED_OPERATOR, detail,
                                  "operator %d: ocelli does not know BuiltinOperator %d", (int)operator_index,
                                  (int)op->opcode);
  if (op->row == NULL)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "ocelli does not run this operator");
  // The verifier lets an operator compute only what is no constant, or has no elements in the file.
  for (int32_t i = 0; i < op->num_outputs; i++) graph->values[op->outputs[i]].constant = -1;
  if (is_unpacked_constant(graph, op)) {
    graph->values[op->outputs[0]].constant = graph->values[op->inputs[0]].constant;
    return OCL_OK;
  }
  graph->num_steps++;
  step->kind = ocl_operators_kind(op->row);
  keep_indices(&op->inputs, op->num_inputs, next_index);
  keep_indices(&op->outputs, op->num_outputs, next_index);
  for (int32_t i = 0; i < op->num_inputs; i++) {
    ocl_value* input = ocl_graph_in(graph, step, i);
    const bool is_weight = i != 0 && i != ocl_operators_first_map(op->row);
    const bool is_packed = is_weight && has_flag(op, OCL_OPERATOR_PACKS_WEIGHTS);
    if (input != NULL && input->constant >= 0 && !is_packed) OCL_TRY(keep_constant(graph, input, detail));
  }
  return build_operator(graph, step, detail);
}

static int32_t count_indices_and_uses(ocl_graph* graph) {
  int32_t count = 0;
  for (int32_t i = 0; i < graph->model->num_operators; i++) {
    const ocl_tflite_operator op = ocl_tflite_get_operator(graph->model, i);
    count += op.num_inputs + op.num_outputs;
    for (int32_t j = 0; j < op.num_inputs; j++)
      if (op.inputs[j] >= 0) graph->values[op.inputs[j]].num_uses++;
    if (op.num_inputs > 0 && op.inputs[0] >= 0) graph->values[op.inputs[0]].reader = i;
  }
  for (int32_t i = 0; i < graph->num_outputs; i++) graph->values[graph->outputs[i]].num_uses++;
  return count;
}

// TFLite's hybrid operators: float activations, 8-bit weights.
static bool is_hybrid(const ocl_tflite* model, const ocl_tflite_operator* op) {
  return has_flag(op, OCL_OPERATOR_PACKS_WEIGHTS) && op->inputs[0] >= 0 && op->inputs[1] >= 0 &&
         ocl_tflite_get_tensor(model, op->inputs[0]).dtype == OCL_FLOAT32 &&
         ocl_tflite_get_tensor(model, op->inputs[1]).dtype == OCL_INT8;
}

static void find_rounding(ocl_graph* graph) {
  for (int32_t i = 0; i < graph->model->num_operators; i++) {
    const ocl_tflite_operator op = ocl_tflite_get_operator(graph->model, i);
    graph->has_builtin_rounding = graph->has_builtin_rounding || has_flag(&op, OCL_OPERATOR_IGNORES_VALUES);
    graph->is_dynamic_range = graph->is_dynamic_range || is_hybrid(graph->model, &op);
  }
}

// ---- the graph ----

static ocl_status build(ocl_graph* graph, ocl_detail* detail) {
  const ocl_tflite* model = graph->model;
  if (model->num_operators > kMaxOperators)
    return ocl_status_with_detail(OCL_MODEL_TOO_LARGE, detail, "%d operators, at most %d", (int)model->num_operators,
                                  (int)kMaxOperators);
  if (model->num_inputs > kMaxInputs)
    return ocl_status_with_detail(OCL_MODEL_TOO_LARGE, detail, "%d inputs, at most %d", (int)model->num_inputs,
                                  (int)kMaxInputs);
  graph->num_values = model->num_tensors;
  graph->num_inputs = model->num_inputs;
  graph->num_outputs = model->num_outputs;
  graph->values = calloc((size_t)model->num_tensors + 1, sizeof *graph->values);
  graph->steps = calloc((size_t)model->num_operators + 1, sizeof *graph->steps);
  graph->inputs = malloc((size_t)(model->num_inputs + model->num_outputs + 1) * sizeof(int32_t));
  if (graph->values == NULL || graph->steps == NULL || graph->inputs == NULL) return OCL_OUT_OF_MEMORY;
  graph->outputs = copy_indices(ocl_tflite_inputs(model), graph->num_inputs, graph->inputs);
  copy_indices(ocl_tflite_outputs(model), graph->num_outputs, graph->outputs);
  OCL_TRY(copy_names(graph));
  for (int32_t i = 0; i < graph->num_values; i++) OCL_TRY(build_value(graph, i, detail));
  OCL_TRY(build_inputs(graph, detail));

  graph->indices = malloc((size_t)(count_indices_and_uses(graph) + 1) * sizeof(int32_t));
  if (graph->indices == NULL) return OCL_OUT_OF_MEMORY;
  find_rounding(graph);
  int32_t* next_index = graph->indices;
  for (int32_t i = 0; i < model->num_operators; i++) OCL_TRY(build_step(graph, i, &next_index, detail));
  return build_outputs(graph, detail);
}

void ocl_graph_make_deterministic(void) {
  // XNNPACK fills this table on first use and offers no setter, so the cast removes its const.
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
  for (; graph->num_steps > first; graph->num_steps--) drop_operator(&graph->steps[graph->num_steps - 1]);
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
  ocl_graph_free_dense(graph);
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
  return ocl_graph_assign_memory(graph, detail);
}

static ocl_status check_is_computed(const ocl_graph* graph, int32_t step, ocl_detail* detail) {
  if (step < 0 || step >= graph->num_steps) return OCL_INVALID_ARGUMENT;
  const ocl_step* kept = &graph->steps[step];
  if (!kept->is_absorbed && !kept->is_folded) return OCL_OK;
  return ocl_graph_reject(kept, OCL_FEATURES_UNUSABLE, detail, "a run does not compute its output; choose another");
}

ocl_status ocl_graph_keep(ocl_graph* graph, int32_t step, ocl_detail* detail) {
  OCL_TRY(check_is_computed(graph, step, detail));
  graph->kept = graph->steps[step].op.outputs[0];
  graph->values[graph->kept].is_output = true;
  return ocl_graph_plan(graph, graph->batch, detail);
}

ocl_status ocl_graph_cut_after(ocl_graph* graph, int32_t step, ocl_detail* detail) {
  OCL_TRY(check_is_computed(graph, step, detail));
  drop_steps(graph, step + 1);
  for (int32_t i = 0; i < graph->num_outputs; i++) graph->values[graph->outputs[i]].is_output = false;
  graph->num_outputs = 1;
  graph->outputs[0] = graph->steps[step].op.outputs[0];
  graph->values[graph->outputs[0]].is_output = true;
  return ocl_graph_plan(graph, graph->batch, detail);
}

// ---- description ----

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
    if (step->kind->num_classes == NULL) continue;
    for (int32_t i = 0; i < 4; i++) tensors_out[i] = describe(&graph->values[step->op.outputs[i]]);
    *num_classes_out = step->kind->num_classes(step);
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

int32_t ocl_graph_num_steps(const ocl_graph* graph) {
  return graph->num_steps;
}

ocl_graph_step_info ocl_graph_step(const ocl_graph* graph, int32_t index) {
  const ocl_step* step = &graph->steps[index];
  const ocl_value* output = &graph->values[step->op.outputs[0]];
  return (ocl_graph_step_info){step->op.row->name, output->name,        output->shape,
                               output->dtype,      step->multiply_adds, step->time_us};
}
