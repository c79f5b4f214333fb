#include "train/matmul.h"

#ifdef __wasm_relaxed_simd__
#include <wasm_simd128.h>
#endif

// A tile is 6 rows by 8 columns: twelve sums, two vectors of b and one of a stay in registers.
enum { LANES = 4, TILE_ROWS = 6, TILE_COLUMNS = 2 * LANES };

typedef float vector __attribute__((vector_size(16), aligned(4)));

static inline vector splat(float value) {
  return (vector){value, value, value, value};
}

static inline vector multiply_add(vector a, vector b, vector sum) {
#ifdef __wasm_relaxed_simd__
  return (vector)wasm_f32x4_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)sum);
#else
  return a * b + sum;
#endif
}

// Columns first .. first + width of b -> [depth][width], zeros past the last column.
static void pack(ocl_matrix b, int32_t depth, int32_t columns, int32_t width, float* panel) {
  for (int32_t k = 0; k < depth; k++) {
    const float* row = b.data + k * b.row_stride;
    for (int32_t j = 0; j < width; j++) *panel++ = j < columns ? row[j * b.column_stride] : 0;
  }
}

// `vectors` is a constant in each call, so that the sums are registers.
static inline __attribute__((always_inline)) void sum_tile(int vectors, int32_t depth,
                                                           const float* const rows[TILE_ROWS], ptrdiff_t step,
                                                           const float* panel, float tile[TILE_ROWS][TILE_COLUMNS]) {
  vector sums[TILE_ROWS][2] = {0};
  for (ptrdiff_t at = 0; depth-- > 0; at += step, panel += vectors * LANES) {
    const vector left = *(const vector*)panel;
    const vector right = vectors == 2 ? *(const vector*)(panel + LANES) : left;
#pragma GCC unroll 6
    for (int r = 0; r < TILE_ROWS; r++) {
      const vector value = splat(rows[r][at]);
      sums[r][0] = multiply_add(value, left, sums[r][0]);
      if (vectors == 2) sums[r][1] = multiply_add(value, right, sums[r][1]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < TILE_ROWS; r++) {
    *(vector*)tile[r] = sums[r][0];
    *(vector*)(tile[r] + LANES) = sums[r][1];
  }
}

void ocl_matmul(int32_t rows, int32_t columns, int32_t depth, ocl_matrix a, ocl_matrix b, bool accumulate,
                float* scratch, float* out) {
  for (int32_t j = 0; j < columns; j += TILE_COLUMNS) {
    const int32_t width = columns - j < TILE_COLUMNS ? columns - j : TILE_COLUMNS;
    b.data += j == 0 ? 0 : TILE_COLUMNS * b.column_stride;
    pack(b, depth, width, width > LANES ? TILE_COLUMNS : LANES, scratch);
    for (int32_t i = 0; i < rows; i += TILE_ROWS) {
      const float* pointers[TILE_ROWS];
      const int32_t height = rows - i < TILE_ROWS ? rows - i : TILE_ROWS;
      // Past the last row: that row again, and what comes of it is not stored.
      for (int32_t r = 0; r < TILE_ROWS; r++) pointers[r] = a.data + (i + (r < height ? r : height - 1)) * a.row_stride;
      float tile[TILE_ROWS][TILE_COLUMNS];
      if (width > LANES)
        sum_tile(2, depth, pointers, a.column_stride, scratch, tile);
      else
        sum_tile(1, depth, pointers, a.column_stride, scratch, tile);
      for (int32_t r = 0; r < height; r++) {
        float* target = out + (size_t)(i + r) * (size_t)columns + j;
        for (int32_t c = 0; c < width; c++) target[c] = accumulate ? target[c] + tile[r][c] : tile[r][c];
      }
    }
  }
}
