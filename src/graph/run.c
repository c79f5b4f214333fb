// In: a placed graph whose inputs are written. Out: its outputs.
#include "graph/internal.h"

enum xnn_status ocl_graph_bind_step(ocl_graph* graph, ocl_step* step) {
  if (step->kind->bind == NULL || step->xnn == NULL) return xnn_status_success;
  return step->kind->bind(graph, step);
}

enum xnn_status ocl_graph_run_step(ocl_graph* graph, ocl_step* step) {
  if (step->kind->run != NULL) return step->kind->run(graph, step);
  return step->xnn == NULL ? xnn_status_success : xnn_run_operator(step->xnn, graph->pool);
}

// `clock_us` (may be NULL): used to record each step's time.
static ocl_status run(ocl_graph* graph, double (*clock_us)(void)) {
  if (!graph->is_placed) return OCL_INVALID_ARGUMENT;
  double before = clock_us == NULL ? 0 : clock_us();
  for (int32_t s = 0; s < graph->num_steps; s++) {
    ocl_step* step = &graph->steps[s];
    if (step->is_in_bands) continue;
    if (step->bands.num_bands > 0) {
      ocl_graph_run_bands(graph, s, clock_us);
      if (clock_us != NULL) before = clock_us();
      continue;
    }
    const enum xnn_status status = step->is_folded ? xnn_status_success : ocl_graph_run_step(graph, step);
    if (status != xnn_status_success)
      return status == xnn_status_invalid_parameter ? OCL_INDEX_OUT_OF_RANGE : OCL_OUT_OF_MEMORY;
    if (clock_us == NULL) continue;
    const double after = clock_us();
    step->time_us = after - before;
    before = after;
  }
  return OCL_OK;
}

ocl_status ocl_graph_run(ocl_graph* graph) {
  return run(graph, NULL);
}

ocl_status ocl_graph_run_timed(ocl_graph* graph, double (*clock_us)(void)) {
  return run(graph, clock_us);
}
