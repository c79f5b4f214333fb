#include "train/matmul.h"

#include <string.h>

#ifdef __wasm_relaxed_simd__
#include <wasm_simd128.h>
#endif

// A tile is 6 rows by 8 columns: twelve sums, two vectors of b and one of a stay in registers.
enum { LANES = 4, TILE_ROWS = 6, TILE_COLUMNS = 2 * LANES, TILE_BYTES = TILE_COLUMNS * sizeof(float) };
enum { PART_ROWS = 32 * TILE_ROWS };

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
  if (columns == TILE_COLUMNS && b.column_stride == 1) {
    for (int32_t k = 0; k < depth; k++, panel += TILE_COLUMNS) memcpy(panel, b.data + k * b.row_stride, TILE_BYTES);
    return;
  }
  for (int32_t k = 0; k < depth; k++) {
    const float* row = b.data + k * b.row_stride;
    for (int32_t j = 0; j < width; j++) *panel++ = j < columns ? row[j * b.column_stride] : 0;
  }
}

// Adds to the tile. `vectors` is a constant in each call, so that the sums are registers.
static inline __attribute__((always_inline)) void sum_tile(int vectors, int32_t depth,
                                                           const float* const rows[TILE_ROWS], ptrdiff_t step,
                                                           const float* panel, float tile[TILE_ROWS][TILE_COLUMNS]) {
  vector sums[TILE_ROWS][2];
#pragma GCC unroll 6
  for (int r = 0; r < TILE_ROWS; r++) {
    sums[r][0] = *(const vector*)tile[r];
    sums[r][1] = *(const vector*)(tile[r] + LANES);
  }
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

// Where a result goes: element (i, j) is data[i * row_stride + j * column_stride].
typedef struct {
  float* data;
  ptrdiff_t row_stride, column_stride;
} target;

// How the sums over a part of the depth join what is in out.
typedef enum { REPLACE, CONTINUE, ADD } joining;

// out[height][width] of one tile.
static void add_tile(int32_t height, int32_t width, int32_t depth, ocl_matrix a, const float* panel, joining join,
                     target out) {
  const float* pointers[TILE_ROWS];
  // Past the last row: that row again, and what comes of it is not stored.
  for (int32_t r = 0; r < TILE_ROWS; r++) pointers[r] = a.data + (r < height ? r : height - 1) * a.row_stride;
  float tile[TILE_ROWS][TILE_COLUMNS] = {0};
  for (int32_t r = 0; r < height && join == CONTINUE; r++)
    for (int32_t c = 0; c < width; c++) tile[r][c] = out.data[r * out.row_stride + c * out.column_stride];
  if (width > LANES)
    sum_tile(2, depth, pointers, a.column_stride, panel, tile);
  else
    sum_tile(1, depth, pointers, a.column_stride, panel, tile);
  for (int32_t r = 0; r < height; r++) {
    for (int32_t c = 0; c < width; c++) {
      float* to = out.data + r * out.row_stride + c * out.column_stride;
      *to = join == ADD ? *to + tile[r][c] : tile[r][c];
    }
  }
}

// Products over a part of the depth, for all elements of out.
static void add_products(int32_t rows, int32_t columns, int32_t depth, ocl_matrix a, ocl_matrix b, joining join,
                         float* panel, target out) {
  for (int32_t j = 0; j < columns; j += TILE_COLUMNS) {
    const int32_t width = columns - j < TILE_COLUMNS ? columns - j : TILE_COLUMNS;
    const ocl_matrix right = {b.data + j * b.column_stride, b.row_stride, b.column_stride};
    pack(right, depth, width, width > LANES ? TILE_COLUMNS : LANES, panel);
    for (int32_t i = 0; i < rows; i += TILE_ROWS) {
      const int32_t height = rows - i < TILE_ROWS ? rows - i : TILE_ROWS;
      const ocl_matrix left = {a.data + i * a.row_stride, a.row_stride, a.column_stride};
      const target at = {out.data + i * out.row_stride + j * out.column_stride, out.row_stride, out.column_stride};
      add_tile(height, width, depth, left, panel, join, at);
    }
  }
}

// Part by part: what is read of a serves all columns while it is in the second cache.
static void add_all(int32_t rows, int32_t columns, int32_t depth, ocl_matrix a, ocl_matrix b, bool accumulate,
                    float* panel, target out) {
  for (int32_t i = 0; i < rows; i += PART_ROWS) {
    const int32_t height = rows - i < PART_ROWS ? rows - i : PART_ROWS;
    const target part_out = {out.data + i * out.row_stride, out.row_stride, out.column_stride};
    for (int32_t k = 0; k < depth; k += OCL_MATMUL_PART) {
      const int32_t part = depth - k < OCL_MATMUL_PART ? depth - k : OCL_MATMUL_PART;
      const ocl_matrix left = {a.data + i * a.row_stride + k * a.column_stride, a.row_stride, a.column_stride};
      const ocl_matrix right = {b.data + k * b.row_stride, b.row_stride, b.column_stride};
      const joining join = accumulate ? ADD : k == 0 ? REPLACE : CONTINUE;
      add_products(height, columns, part, left, right, join, panel, part_out);
    }
  }
}

static ocl_matrix transpose(ocl_matrix m) {
  return (ocl_matrix){m.data, m.column_stride, m.row_stride};
}

void ocl_matmul(int32_t rows, int32_t columns, int32_t depth, ocl_matrix a, ocl_matrix b, bool accumulate,
                float* scratch, float* out) {
  // Vectors run along the rows of a where these lie side by side: what is read of a then fills whole cache lines.
  const bool is_swapped = a.row_stride == 1 && a.column_stride != 1;
  const target straight = {out, columns, 1}, swapped = {out, 1, columns};
  if (is_swapped)
    add_all(columns, rows, depth, transpose(b), transpose(a), accumulate, scratch, swapped);
  else
    add_all(rows, columns, depth, a, b, accumulate, scratch, straight);
}
