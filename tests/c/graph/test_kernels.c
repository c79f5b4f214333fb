// Element-wise functions of kernels/, by their definitions: at zero, behind the last whole vector, and as exact as
// floats allow. Products of matrices, of relaxed SIMD, in whole numbers.
#include <math.h>

#include "check.h"
#include "kernels/kernels.h"
#include "xnnpack/microparams.h"

enum { COUNT = 7 };

static const float kX[COUNT] = {-2, 0, 3, -0.5f, 0, -1, 4};

// 0 is not multiplied: an infinite slope would make a NaN of it.
static void slopes_are_for_negative_numbers_only(void) {
  const float expected[COUNT] = {-INFINITY, 0, 3, -INFINITY, 0, -INFINITY, 4};
  float y[COUNT + 1] = {[COUNT] = 9};
  ocl_leaky_f32(kX, INFINITY, y, COUNT);
  CHECK(memcmp(y, expected, sizeof expected) == 0 && y[COUNT] == 9);
  float slopes[COUNT], twice[2 * COUNT];
  for (int i = 0; i < COUNT; i++) slopes[i] = INFINITY;
  for (int i = 0; i < 2 * COUNT; i++) twice[i] = kX[i % COUNT];
  float rows[2 * COUNT + 1] = {[2 * COUNT] = 9};
  ocl_prelu_f32(twice, slopes, rows, 2, COUNT);
  CHECK(memcmp(rows, expected, sizeof expected) == 0 && memcmp(rows + COUNT, expected, sizeof expected) == 0);
  CHECK(rows[2 * COUNT] == 9);
}

static void each_column_has_its_slope(void) {
  float slopes[COUNT], x[2 * COUNT], y[2 * COUNT];
  for (int i = 0; i < COUNT; i++) slopes[i] = 0.25f * (float)(i + 1);
  for (int i = 0; i < 2 * COUNT; i++) x[i] = -1 - (float)i;
  ocl_prelu_f32(x, slopes, y, 2, COUNT);
  for (int i = 0; i < 2 * COUNT; i++) CHECK(y[i] == x[i] * slopes[i % COUNT]);
}

// The square mean of the relative errors from -limit to 0, where nothing is subtracted from 1.
static double gelu_error(float limit) {
  enum { STEPS = 2000 };
  static float x[STEPS], y[STEPS];
  for (int i = 0; i < STEPS; i++) x[i] = -limit * (float)(i + 1) / STEPS;
  ocl_gelu_f32(x, y, STEPS);
  double sum = 0;
  for (int i = 0; i < STEPS; i++) {
    const double exact = 0.5 * x[i] * erfc(-x[i] / sqrt(2));
    sum += (y[i] / exact - 1) * (y[i] / exact - 1);
  }
  return sqrt(sum / STEPS);
}

static void gelu_is_as_exact_as_its_numbers(void) {
  CHECK(gelu_error(1) < 1.3e-7);
  CHECK(gelu_error(2) < 1.6e-7);
  CHECK(gelu_error(6) < 6.5e-7);
  // Far below, the smallest normal number times x is left; far above, x itself.
  const float far[] = {-20, 20, -1000, 1000};
  float y[4];
  ocl_gelu_f32(far, y, 4);
  CHECK(y[0] <= 0 && y[0] > -1e-35f && y[1] == 20);
  CHECK(y[2] <= 0 && y[2] > -1e-34f && y[3] == 1000);
}

#ifdef __wasm_relaxed_simd__
static float whole(size_t i) {
  return (float)(i * 7 % 11) - 5;
}

// In memory of exactly their sizes. Between the rows of the output lies a number that stays.
static void check_product(size_t rows, size_t columns, size_t depth) {
  const size_t tiles = (columns + 7) / 8, stride = columns + 1;
  float* a = malloc(rows * depth * sizeof *a);
  float* w = malloc(tiles * 8 * (depth + 1) * sizeof *w);
  float* c = malloc(rows * stride * sizeof *c);
  for (size_t i = 0; i < rows * depth; i++) a[i] = whole(i);
  for (size_t i = 0; i < tiles * 8 * (depth + 1); i++) w[i] = whole(i + 3);
  for (size_t i = 0; i < rows * stride; i++) c[i] = 99;
  const union xnn_f32_minmax_params params = {.scalar = {.min = -60, .max = 80}};
  ocl_gemm_f32_run(rows, columns, depth * sizeof *a, a, depth * sizeof *a, w, c, stride * sizeof *c, 8 * sizeof *c,
                   &params);
  for (size_t i = 0; i < rows * stride; i++) {
    const size_t row = i / stride, column = i % stride;
    if (column == columns) {
      CHECK(c[i] == 99);
      continue;
    }
    const float* tile = w + column / 8 * 8 * (depth + 1) + column % 8;
    float sum = tile[0];
    for (size_t k = 0; k < depth; k++) sum += a[row * depth + k] * tile[8 * (k + 1)];
    CHECK(c[i] == fminf(fmaxf(sum, -60), 80));
  }
  free(a);
  free(w);
  free(c);
}

static void products_of_every_tile_by_definition(void) {
  for (size_t rows = 1; rows <= 6; rows++)
    for (size_t columns = 1; columns <= 17; columns++)
      for (size_t depth = 1; depth <= 6; depth++) check_product(rows, columns, depth);
}
#endif

int main(void) {
#ifdef __wasm_relaxed_simd__
  RUN(products_of_every_tile_by_definition);
#endif
  RUN(slopes_are_for_negative_numbers_only);
  RUN(each_column_has_its_slope);
  RUN(gelu_is_as_exact_as_its_numbers);
  return check_failed_tests;
}
