// Functions of floats, element by element or row by row, in loops without branches and calls, which the compiler
// vectorizes.
#include <math.h>
#include <string.h>
#include <wasm_simd128.h>

#include "kernels/kernels.h"

void ocl_leaky_f32(const float* restrict x, float slope, float* restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] >= 0 ? x[i] : x[i] * slope;
}

// By hand: the compiler leaves this loop as it is.
static void prelu_row(const float* x, const float* slopes, float* y, size_t count) {
  const v128_t zero = wasm_f32x4_splat(0);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const v128_t value = wasm_v128_load(x + i), scaled = wasm_f32x4_mul(value, wasm_v128_load(slopes + i));
    wasm_v128_store(y + i, wasm_v128_bitselect(value, scaled, wasm_f32x4_ge(value, zero)));
  }
  for (; i < count; i++) y[i] = x[i] >= 0 ? x[i] : x[i] * slopes[i];
}

void ocl_prelu_f32(const float* x, const float* slopes, float* y, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++) prelu_row(x + row * columns, slopes, y + row * columns, columns);
}

// By hand: the compiler keeps the order of a sum.
static float sum_of_squares(const float* x, size_t count) {
  v128_t sums = wasm_f32x4_splat(0);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const v128_t value = wasm_v128_load(x + i);
    sums = wasm_f32x4_add(sums, wasm_f32x4_mul(value, value));
  }
  float sum = (wasm_f32x4_extract_lane(sums, 0) + wasm_f32x4_extract_lane(sums, 1)) +
              (wasm_f32x4_extract_lane(sums, 2) + wasm_f32x4_extract_lane(sums, 3));
  for (; i < count; i++) sum += x[i] * x[i];
  return sum;
}

// x / norm. By hand: the compiler does not know that x and y do not overlap where they are the same.
static void divide_row(const float* x, float norm, float* y, size_t count) {
  const v128_t norms = wasm_f32x4_splat(norm);
  size_t i = 0;
  for (; i + 4 <= count; i += 4) wasm_v128_store(y + i, wasm_f32x4_div(wasm_v128_load(x + i), norms));
  for (; i < count; i++) y[i] = x[i] / norm;
}

void ocl_l2_normalize_f32(const float* x, float* y, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; row++, x += columns, y += columns)
    divide_row(x, fmaxf(sqrtf(sum_of_squares(x, columns)), 1e-6f), y, columns);
}

// exp of a number up to 0. Below -87 the result is about 1e-38. The logarithm of 2 is split, so that n times its first
// part is exact.
static inline float exp_of_negative(float x) {
  const float bounded = x > -87.0f ? x : -87.0f;
  const float n = floorf(bounded * 1.442695041f + 0.5f);
  const float r = (bounded - n * 0.693359375f) + n * 2.12194440e-4f;
  float sum = 1.0f / 5040;
  sum = sum * r + 1.0f / 720;
  sum = sum * r + 1.0f / 120;
  sum = sum * r + 1.0f / 24;
  sum = sum * r + 1.0f / 6;
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  const int32_t bits = ((int32_t)n + 127) << 23;
  float scale;
  memcpy(&scale, &bits, sizeof scale);
  return sum * scale;
}

// The complementary error function by a Chebyshev fit (Press et al., Numerical Recipes, erfcc): its own relative error
// is below 1.2e-7.
static inline float gelu(float x) {
  const float z = fabsf(x) * 0.70710678f, t = 1.0f / (1.0f + 0.5f * z);
  float sum = 0.17087277f;
  sum = sum * t - 0.82215223f;
  sum = sum * t + 1.48851587f;
  sum = sum * t - 1.13520398f;
  sum = sum * t + 0.27886807f;
  sum = sum * t - 0.18628806f;
  sum = sum * t + 0.09678418f;
  sum = sum * t + 0.37409196f;
  sum = sum * t + 1.00002368f;
  sum = sum * t - 1.26551223f;
  const float tail = 0.5f * t * exp_of_negative(sum - z * z);  // of the normal distribution, past |x|
  return x * (x < 0 ? tail : 1.0f - tail);
}

void ocl_gelu_f32(const float* restrict x, float* restrict y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = gelu(x[i]);
}
