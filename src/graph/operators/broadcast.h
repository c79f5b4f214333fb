// numpy's broadcasting. A row is a run of elements along the output's last dimension.
#ifndef OCELLI_GRAPH_OPERATORS_BROADCAST_H_
#define OCELLI_GRAPH_OPERATORS_BROADCAST_H_

#include "base/tensor.h"

typedef struct {
  size_t num_rows, row_length;   // of the output
  size_t step;                   // in the operand, between neighbours in a row: 0 or 1
  int32_t rank, first;           // dimensions before `first` repeat the operand
  size_t dims[OCL_MAX_RANK];     // of the output
  size_t strides[OCL_MAX_RANK];  // in the operand; 0 where it is repeated
} ocl_broadcast;

// `operand` must broadcast to `output` (ocl_graph_broadcast()).
static inline ocl_broadcast ocl_broadcast_of(const ocl_shape* output, const ocl_shape* operand) {
  ocl_broadcast b = {.num_rows = 1, .row_length = 1, .rank = output->rank};
  size_t stride = 1;
  for (int32_t i = 0; i < output->rank; i++) {
    const int32_t d = output->rank - 1 - i, from = operand->rank - 1 - i;
    const size_t size = from < 0 ? 1 : (size_t)operand->dims[from];
    b.dims[d] = (size_t)output->dims[d];
    b.strides[d] = size == 1 ? 0 : stride;
    stride *= size;
    if (i > 0) b.num_rows *= b.dims[d];
  }
  if (b.rank > 0) {
    b.row_length = b.dims[b.rank - 1];
    b.step = b.strides[b.rank - 1];
  }
  while (b.first < b.rank && b.strides[b.first] == 0) b.first++;
  return b;
}

// The operand's offset of the first element of output row `row`.
static inline size_t ocl_broadcast_row(const ocl_broadcast* b, size_t row) {
  size_t offset = 0;
  for (int32_t d = b->rank - 2; d >= b->first; d--) {
    offset += row % b->dims[d] * b->strides[d];
    row /= b->dims[d];
  }
  return offset;
}

#endif  // OCELLI_GRAPH_OPERATORS_BROADCAST_H_
