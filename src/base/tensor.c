#include "base/tensor.h"

size_t ocl_shape_num_elements(const ocl_shape* shape) {
  size_t count = 1;
  for (int32_t i = 0; i < shape->rank; i++) count *= (size_t)shape->dims[i];
  return count;
}

bool ocl_shape_is_same(const ocl_shape* a, const ocl_shape* b) {
  bool is_same = a->rank == b->rank;
  for (int32_t i = 0; is_same && i < a->rank; i++) is_same = a->dims[i] == b->dims[i];
  return is_same;
}
