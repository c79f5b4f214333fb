// Removes unwanted columns (classes) of an output from the convolutions that compute them. Walks from the output back
// through operators that keep columns apart, to the convolutions. A convolution has one output channel for each column,
// or for each pair of anchor and column.
#include <stdlib.h>
#include <string.h>

#include "graph/internal.h"

// The walk ends at operators whose output channels have weights of their own.
static bool makes_own_columns(const ocl_step* step) {
  return step->kind->makes_columns != NULL && step->kind->makes_columns(step);
}

// How many inputs the walk continues with; -1: this operator mixes columns.
static int32_t count_inputs_to_follow(ocl_graph* graph, const ocl_step* step, int32_t total) {
  const ocl_shape* output = &ocl_graph_out(graph, step, 0)->shape;
  if (output->rank < 2 || output->dims[output->rank - 1] % total != 0) return -1;
  if (makes_own_columns(step)) return 0;
  if ((step->op.row->flags & OCL_OPERATOR_KEEPS_COLUMNS) == 0) return -1;
  return step->op.row->maps == OCL_OPERATORS_ANY ? step->op.num_inputs : step->op.row->maps;
}

// Marks the steps from the convolutions to the output. false: an operator on the way mixes columns, is folded, or has
// an output that is also used elsewhere.
static bool mark(ocl_graph* graph, int32_t output, int32_t total, bool* is_marked, bool* is_wanted) {
  int32_t num_open = 1;
  is_wanted[output] = true;
  for (int32_t s = graph->num_steps - 1; s >= 0 && num_open > 0; s--) {
    const ocl_step* step = &graph->steps[s];
    if (!is_wanted[step->op.outputs[0]]) continue;
    const int32_t followed = count_inputs_to_follow(graph, step, total);
    if (followed < 0 || step->is_folded || ocl_graph_out(graph, step, 0)->num_uses != 1) return false;
    is_marked[s] = true;
    num_open += followed - 1;
    for (int32_t i = 0; i < followed; i++) is_wanted[step->op.inputs[i]] = true;
  }
  return num_open == 0;
}

static ocl_status apply(ocl_graph* graph, const bool* is_marked, int32_t total, int32_t count, ocl_detail* detail) {
  graph->is_placed = false;
  for (int32_t s = 0; s < graph->num_steps; s++) {
    ocl_step* step = &graph->steps[s];
    if (!is_marked[s]) continue;
    step->columns = (ocl_columns){total, count, graph->columns};
    if (makes_own_columns(step)) OCL_TRY(ocl_graph_rebuild(graph, step, detail));
  }
  return ocl_graph_plan(graph, graph->batch, detail);
}

ocl_status ocl_graph_keep_columns(ocl_graph* graph, const ocl_tflite* model, int32_t output, const int32_t* columns,
                                  int32_t num_columns, bool* is_done_out, ocl_detail* detail) {
  *is_done_out = false;
  const ocl_shape* shape = &graph->values[graph->outputs[output]].shape;
  const int32_t total = shape->rank == 0 ? 0 : shape->dims[shape->rank - 1];
  if (graph->columns != NULL || num_columns < 1 || num_columns > total) return OCL_INVALID_ARGUMENT;
  for (int32_t i = 0; i < num_columns; i++)
    if (columns[i] < 0 || columns[i] >= total || (i > 0 && columns[i] <= columns[i - 1])) return OCL_INVALID_ARGUMENT;
  bool* is_marked = calloc((size_t)graph->num_steps + (size_t)graph->num_values + 1, sizeof *is_marked);
  graph->columns = malloc((size_t)num_columns * sizeof *graph->columns);
  ocl_status status = is_marked == NULL || graph->columns == NULL ? OCL_OUT_OF_MEMORY : OCL_OK;
  if (status == OCL_OK && mark(graph, graph->outputs[output], total, is_marked, is_marked + graph->num_steps)) {
    *is_done_out = true;
    memcpy(graph->columns, columns, (size_t)num_columns * sizeof *columns);
    graph->model = model;
    status = apply(graph, is_marked, total, num_columns, detail);
    graph->model = NULL;
  }
  free(is_marked);
  if (!*is_done_out) {
    free(graph->columns);
    graph->columns = NULL;
  }
  return status;
}
