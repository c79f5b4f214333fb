// Functions shared by the files of graph/ and not available to operators (those are in step.h).
#ifndef OCELLI_GRAPH_INTERNAL_H_
#define OCELLI_GRAPH_INTERNAL_H_

#include "graph/step.h"

// graph.c. Builds a step's operator again after step->columns has changed.
ocl_status ocl_graph_rebuild(ocl_graph* graph, ocl_step* step, ocl_detail* detail);

// plan.c. Computes shapes for a batch size and, if graph->has_memory, allocates memory. On failure the graph cannot
// run.
ocl_status ocl_graph_plan(ocl_graph* graph, int32_t batch, ocl_detail* detail);
ocl_status ocl_graph_assign_memory(ocl_graph* graph, ocl_detail* detail);

// bands.c
// Finds the blocks of three steps that run band by band, and sets the sizes of their workspaces.
void ocl_graph_find_bands(ocl_graph* graph);
// Gives the feature maps within the blocks their memory, which is in the workspaces.
void ocl_graph_place_bands(ocl_graph* graph);
// Runs the block whose last step is steps[last]. clock_us (may be NULL): records the times of its steps.
void ocl_graph_run_bands(ocl_graph* graph, int32_t last, double (*clock_us)(void));

// run.c
enum xnn_status ocl_graph_bind_step(ocl_graph* graph, ocl_step* step);
enum xnn_status ocl_graph_run_step(ocl_graph* graph, ocl_step* step);

// limits.c. MODEL_TOO_LARGE: past a limit. MODEL_BAD_GRAPH: an empty tensor.
ocl_status ocl_graph_check_size(const ocl_value* value, ocl_detail* detail);
ocl_status ocl_graph_check_inputs(ocl_graph* graph, const ocl_step* step, ocl_detail* detail);
ocl_status ocl_graph_check_outputs(ocl_graph* graph, const ocl_step* step, ocl_detail* detail);
// Adds the step's work to *work, the total of the steps before it, and checks the total.
ocl_status ocl_graph_check_work(ocl_graph* graph, const ocl_step* step, int32_t batch, uint64_t* work,
                                ocl_detail* detail);

#endif  // OCELLI_GRAPH_INTERNAL_H_
