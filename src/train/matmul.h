// One matrix product for training: every transposition is a choice of strides.
// Written on the compilers' vector type, so that the same source is the native twin.
#ifndef OCELLI_MATMUL_H_
#define OCELLI_MATMUL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Element (i, j) is data[i * row_stride + j * column_stride]; strides in floats.
typedef struct {
  const float* data;
  ptrdiff_t row_stride, column_stride;
} ocl_matrix;

// A part of the depth is so short that what is packed of b stays in the first cache, and what is read of a in the
// second.
enum { OCL_MATMUL_PART = 256 };

// Floats of scratch that a product over `depth` needs.
static inline size_t ocl_matmul_scratch_floats(int32_t depth) {
  return (size_t)depth * 8;
}

// out[rows][columns] = a[rows][depth] * b[depth][columns], or += if `accumulate`. `out` is contiguous and overlaps
// neither input. Sums run over depth in order, one chain per element; with `accumulate`, one chain for each
// OCL_MATMUL_PART of the depth.
void ocl_matmul(int32_t rows, int32_t columns, int32_t depth, ocl_matrix a, ocl_matrix b, bool accumulate,
                float* scratch, float* out);

#endif  // OCELLI_MATMUL_H_
