// Against the definition, in double, for every remainder of the tile and every choice of strides.
#include "check.h"
#include "train/matmul.h"

static float value_at(int32_t i) {
  return (float)((i * 7919) % 201 - 100) / 64.0f;
}

// Exact-size allocations, so that ASan sees any element beyond.
static float* make_values(int32_t count) {
  float* values = malloc((size_t)count * sizeof *values);
  for (int32_t i = 0; i < count; i++) values[i] = value_at(i);
  return values;
}

static void check_product(int32_t rows, int32_t columns, int32_t depth, bool transpose_a, bool transpose_b,
                          bool accumulate) {
  float *a = make_values(rows * depth), *b = make_values(depth * columns), *out = make_values(rows * columns);
  float* scratch = malloc(ocl_matmul_scratch_floats(depth) * sizeof *scratch);
  const ocl_matrix left = {a, transpose_a ? 1 : depth, transpose_a ? rows : 1};
  const ocl_matrix right = {b, transpose_b ? 1 : columns, transpose_b ? depth : 1};
  ocl_matmul(rows, columns, depth, left, right, accumulate, scratch, out);
  for (int32_t i = 0; i < rows; i++) {
    for (int32_t j = 0; j < columns; j++) {
      double sum = accumulate ? value_at(i * columns + j) : 0;
      for (int32_t k = 0; k < depth; k++)
        sum += (double)a[i * left.row_stride + k * left.column_stride] *
               (double)b[k * right.row_stride + j * right.column_stride];
      CHECK_NEAR(out[i * columns + j], sum, 1e-5 * depth);
    }
  }
  free(a);
  free(b);
  free(out);
  free(scratch);
}

static void every_remainder_of_the_tile(void) {
  for (int32_t rows = 1; rows <= 13; rows++)
    for (int32_t columns = 1; columns <= 17; columns++) check_product(rows, columns, 5, false, false, false);
}

static void every_transposition_and_accumulation(void) {
  for (int flags = 0; flags < 8; flags++) check_product(7, 11, 37, flags & 1, flags & 2, flags & 4);
  check_product(32, 10, 1280, false, false, false);
}

// The product is computed in parts of the rows and of the depth.
static void parts_of_rows_and_depth(void) {
  for (int flags = 0; flags < 8; flags++) check_product(203, 13, 521, flags & 1, flags & 2, flags & 4);
  check_product(9, 205, 300, true, false, true);
}

int main(void) {
  RUN(every_remainder_of_the_tile);
  RUN(every_transposition_and_accumulation);
  RUN(parts_of_rows_and_depth);
  return check_failed_tests;
}
