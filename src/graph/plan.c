// In: a built graph and a batch size. Out: shapes, folded constants, lifetimes and addresses of all values.
#include <stdlib.h>

#include "base/arena.h"
#include "graph/internal.h"

// ---- shapes and known values ----

static void forget_known(ocl_graph* graph) {
  for (int32_t i = 0; i < graph->num_values; i++) {
    ocl_value* value = &graph->values[i];
    if (value->is_kept_constant) continue;
    if (value->storage == i) free(value->known);
    value->known = NULL;
    value->storage = i;
  }
}

static bool is_known(ocl_graph* graph, const ocl_step* step) {
  if (step->op.row->flags & OCL_OPERATOR_IGNORES_VALUES) return true;
  for (int32_t i = 0; i < step->op.num_inputs; i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    if (input != NULL && input->known == NULL) return false;
  }
  return true;
}

// Constant folding: runs the step now. Its outputs get memory of their own.
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
  enum xnn_status status = ocl_graph_bind_step(graph, step);
  if (status == xnn_status_success) status = ocl_graph_run_step(graph, step);
  free(step->workspace);
  step->workspace = NULL;
  return ocl_graph_check_xnn(step, status, detail);
}

static ocl_status plan_step(ocl_graph* graph, ocl_step* step, int32_t batch, uint64_t* work, ocl_detail* detail) {
  step->workspace_bytes = 0;
  OCL_TRY(ocl_graph_check_inputs(graph, step, detail));
  OCL_TRY(step->kind->plan(graph, step, detail));
  OCL_TRY(ocl_graph_check_outputs(graph, step, detail));
  OCL_TRY(ocl_graph_check_work(graph, step, batch, work, detail));
  step->is_folded = is_known(graph, step);
  return step->is_folded ? fold(graph, step, detail) : OCL_OK;
}

// ---- memory ----

static void extend_lifetime(ocl_graph* graph, const ocl_value* value, int32_t step) {
  ocl_value* storage = &graph->values[value->storage];
  if (step < storage->first_step) storage->first_step = step;
  if (step > storage->last_step) storage->last_step = step;
}

// The step that reads the inputs of step `s`: the last one of its block, if it runs in bands.
static int32_t reader_of_inputs(const ocl_graph* graph, int32_t s) {
  while (graph->steps[s].is_in_bands) s++;
  return s;
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
      if (input != NULL) extend_lifetime(graph, input, reader_of_inputs(graph, s));
    }
    for (int32_t i = 0; i < step->op.num_outputs; i++) {
      const ocl_value* output = ocl_graph_out(graph, step, i);
      extend_lifetime(graph, output, s);
      // Detections are read after a run, whether or not the network gives them.
      if (step->kind->num_classes != NULL) extend_lifetime(graph, output, graph->num_steps);
    }
  }
  // Inputs stay valid for the whole run, so that a run can be repeated without writing them again.
  for (int32_t i = 0; i < graph->num_values; i++) {
    const ocl_value* value = &graph->values[i];
    if (value->is_input) extend_lifetime(graph, value, 0);
    if (value->is_input || value->is_output) extend_lifetime(graph, value, graph->num_steps);
  }
}

static bool needs_memory(const ocl_graph* graph, int32_t index) {
  const ocl_value* value = &graph->values[index];
  return value->known == NULL && value->storage == index && value->last_step >= 0 && !value->is_in_bands;
}

static bool has_workspace(const ocl_step* step) {
  return step->workspace_bytes > 0 && !step->is_folded;
}

// One block for each value that owns memory, then one for each workspace.
static int32_t list_blocks(const ocl_graph* graph, ocl_arena_block* blocks) {
  int32_t count = 0;
  for (int32_t i = 0; i < graph->num_values; i++) {
    const ocl_value* value = &graph->values[i];
    if (needs_memory(graph, i))
      blocks[count++] = (ocl_arena_block){ocl_graph_size_bytes(value), value->first_step, value->last_step, 0};
  }
  for (int32_t s = 0; s < graph->num_steps; s++)
    if (has_workspace(&graph->steps[s])) blocks[count++] = (ocl_arena_block){graph->steps[s].workspace_bytes, s, s, 0};
  return count;
}

// `block`: in the order of list_blocks().
static void set_addresses(ocl_graph* graph, const ocl_arena_block* block) {
  for (int32_t i = 0; i < graph->num_values; i++)
    if (needs_memory(graph, i)) graph->values[i].data = graph->arena + (block++)->offset_bytes;
  for (int32_t s = 0; s < graph->num_steps; s++)
    if (has_workspace(&graph->steps[s])) graph->steps[s].workspace = graph->arena + (block++)->offset_bytes;
  for (int32_t i = 0; i < graph->num_values; i++)
    if (graph->values[i].known == NULL) graph->values[i].data = graph->values[graph->values[i].storage].data;
  ocl_graph_place_bands(graph);
}

static void free_arena(ocl_graph* graph) {
  graph->is_placed = false;
  free(graph->arena);
  graph->arena = NULL;
}

static ocl_status plan_memory(ocl_graph* graph) {
  ocl_arena_block* blocks = calloc((size_t)(graph->num_values + graph->num_steps) + 1, sizeof *blocks);
  if (blocks == NULL) return OCL_OUT_OF_MEMORY;
  ocl_graph_find_bands(graph);
  find_lifetimes(graph);
  ocl_status status = ocl_arena_plan(blocks, list_blocks(graph, blocks), &graph->arena_bytes);
  if (status == OCL_OK) {
    graph->arena = aligned_alloc(OCL_ARENA_ALIGNMENT_BYTES, graph->arena_bytes + OCL_ARENA_ALIGNMENT_BYTES);
    if (graph->arena == NULL) status = OCL_OUT_OF_MEMORY;
  }
  if (status == OCL_OK) set_addresses(graph, blocks);
  free(blocks);
  return status;
}

ocl_status ocl_graph_assign_memory(ocl_graph* graph, ocl_detail* detail) {
  free_arena(graph);
  OCL_TRY(plan_memory(graph));
  for (int32_t s = 0; s < graph->num_steps; s++) {
    ocl_step* step = &graph->steps[s];
    if (!step->is_folded) OCL_TRY(ocl_graph_check_xnn(step, ocl_graph_bind_step(graph, step), detail));
  }
  graph->is_placed = true;
  return OCL_OK;
}

ocl_status ocl_graph_plan(ocl_graph* graph, int32_t batch, ocl_detail* detail) {
  free_arena(graph);
  forget_known(graph);
  uint64_t work = 0;
  for (int32_t i = 0; i < graph->num_inputs; i++) {
    ocl_value* input = &graph->values[graph->inputs[i]];
    if (input->is_batch_free) input->shape.dims[0] = batch;
    OCL_TRY(ocl_graph_check_size(input, detail));
  }
  for (int32_t s = 0; s < graph->num_steps; s++) OCL_TRY(plan_step(graph, &graph->steps[s], batch, &work, detail));
  graph->batch = batch;
  return graph->has_memory ? ocl_graph_assign_memory(graph, detail) : OCL_OK;
}
