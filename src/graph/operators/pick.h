// Copies elements of a tensor by index: output element [i0, i1, …] is the input element at first + the sum of each
// dimension's offset for its index.
#ifndef OCELLI_GRAPH_OPERATORS_PICK_H_
#define OCELLI_GRAPH_OPERATORS_PICK_H_

#include "graph/step.h"

typedef struct {
  int32_t rank;
  int64_t first;
  // A dimension of the output: its size, and the offsets of its indices: in a table, or index * step.
  int32_t counts[OCL_MAX_RANK];
  int64_t steps[OCL_MAX_RANK];
  int32_t* tables[OCL_MAX_RANK];  // owned
} ocl_pick;

// A new list of dimensions, from the first on.
void ocl_pick_begin(ocl_pick* pick);
void ocl_pick_add(ocl_pick* pick, int32_t count, int64_t start, int64_t step);
// The table is to be filled with offsets. NULL: out of memory.
int32_t* ocl_pick_add_table(ocl_pick* pick, size_t count);
void ocl_pick_copy(const ocl_pick* pick, size_t element_bytes, const void* from, void* to);
// What picking the elements of output 0 costs, in multiply-adds.
uint64_t ocl_pick_work(ocl_graph* graph, const ocl_step* step);

// `run` and `drop` of the operators whose state begins with an ocl_pick.
enum xnn_status ocl_pick_run(ocl_graph* graph, ocl_step* step);
void ocl_pick_drop(ocl_step* step);

#endif  // OCELLI_GRAPH_OPERATORS_PICK_H_
