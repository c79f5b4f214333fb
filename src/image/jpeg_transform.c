// Stage: coefficients [64] -> samples [8, 8], [4, 4], [2, 2] or [1, 1], by the inverse DCTs of libjpeg: 13 bits of
// fraction, 2 of them kept between the passes. Each output is a sum of products; here the constants that libjpeg's
// steps multiply with are added up, which gives the same sums.
#include <string.h>
#include <wasm_simd128.h>

#include "image/jpeg_internal.h"

enum { FRACTION_BITS = 13, KEPT_BITS = 2, SCALE_BITS = 3 };

static inline v128_t pairs_low(v128_t a, v128_t b) {
  return wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
static inline v128_t pairs_high(v128_t a, v128_t b) {
  return wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

// For each pair: a * first + b * second.
static inline v128_t products(v128_t pairs, int32_t first, int32_t second) {
  return wasm_i32x4_dot_i16x8(pairs, wasm_i32x4_splat((int32_t)((uint32_t)second << 16 | (first & 0xFFFF))));
}

static inline v128_t rounded(v128_t sums, int32_t shift) {
  return wasm_i32x4_shr(wasm_i32x4_add(sums, wasm_i32x4_splat(1 << (shift - 1))), (uint32_t)shift);
}

// ---- 8 x 8

typedef struct {
  v128_t rows[8];
} octet;

// Four columns: of the pairs (row 0 + row 4, row 0 - row 4), (2, 6), (3 + 7, 1 + 5), (7, 1), (5, 3).
static inline octet half_of_8(v128_t p04, v128_t p26, v128_t sums, v128_t p71, v128_t p53, int32_t shift) {
  const v128_t even_0 = products(p04, 8192, 0), even_1 = products(p04, 0, 8192);
  const v128_t even_2 = products(p26, 10703, 4433), even_3 = products(p26, 4433, -10704);
  const v128_t even[4] = {wasm_i32x4_add(even_0, even_2), wasm_i32x4_add(even_1, even_3),
                          wasm_i32x4_sub(even_1, even_3), wasm_i32x4_sub(even_0, even_2)};
  const v128_t sum_0 = products(sums, -6436, 9633), sum_1 = products(sums, 9633, 6437);
  const v128_t odd[4] = {
      wasm_i32x4_add(products(p71, -7373, 4926), sum_1), wasm_i32x4_add(products(p53, -20995, 4177), sum_0),
      wasm_i32x4_add(products(p53, -4176, -20995), sum_1), wasm_i32x4_add(products(p71, -4927, -7373), sum_0)};
  octet out;
  for (int32_t i = 0; i < 4; i++) {
    out.rows[i] = rounded(wasm_i32x4_add(even[i], odd[i]), shift);
    out.rows[7 - i] = rounded(wasm_i32x4_sub(even[i], odd[i]), shift);
  }
  return out;
}

static inline void pass_of_8(v128_t* r, int32_t shift) {
  const v128_t sum_04 = wasm_i16x8_add(r[0], r[4]), difference_04 = wasm_i16x8_sub(r[0], r[4]);
  const v128_t sum_37 = wasm_i16x8_add(r[3], r[7]), sum_15 = wasm_i16x8_add(r[1], r[5]);
  const octet low = half_of_8(pairs_low(sum_04, difference_04), pairs_low(r[2], r[6]), pairs_low(sum_37, sum_15),
                              pairs_low(r[7], r[1]), pairs_low(r[5], r[3]), shift);
  const octet high = half_of_8(pairs_high(sum_04, difference_04), pairs_high(r[2], r[6]), pairs_high(sum_37, sum_15),
                               pairs_high(r[7], r[1]), pairs_high(r[5], r[3]), shift);
  for (int32_t i = 0; i < 8; i++) r[i] = wasm_i16x8_narrow_i32x4(low.rows[i], high.rows[i]);
}

// The first pass over columns that are constant. It wraps where the other one saturates, as libjpeg-turbo's does.
static inline bool spread_first_row(v128_t* r) {
  v128_t others = r[1];
  for (int32_t i = 2; i < 8; i++) others = wasm_v128_or(others, r[i]);
  if (wasm_v128_any_true(others)) return false;
  r[0] = wasm_i16x8_shl(r[0], KEPT_BITS);
  for (int32_t i = 1; i < 8; i++) r[i] = r[0];
  return true;
}

static inline void transpose(v128_t* r) {
  v128_t a[8], b[8];
  for (int32_t i = 0; i < 4; i++) {
    a[2 * i] = pairs_low(r[i], r[i + 4]);
    a[2 * i + 1] = pairs_high(r[i], r[i + 4]);
  }
  for (int32_t i = 0; i < 4; i++) {
    b[2 * i] = pairs_low(a[i], a[i + 4]);
    b[2 * i + 1] = pairs_high(a[i], a[i + 4]);
  }
  for (int32_t i = 0; i < 4; i++) {
    r[2 * i] = pairs_low(b[i], b[i + 4]);
    r[2 * i + 1] = pairs_high(b[i], b[i + 4]);
  }
}

static void transform_8(const v128_t* coefficients, uint8_t* out, int32_t stride) {
  v128_t r[8];
  memcpy(r, coefficients, sizeof r);
  if (!spread_first_row(r)) pass_of_8(r, FRACTION_BITS - KEPT_BITS);
  transpose(r);
  pass_of_8(r, FRACTION_BITS + KEPT_BITS + SCALE_BITS);
  transpose(r);
  for (int32_t y = 0; y < 8; y += 2, out += 2 * stride) {
    const v128_t two = wasm_v128_xor(wasm_i8x16_narrow_i16x8(r[y], r[y + 1]), wasm_i8x16_splat(-128));
    wasm_v128_store64_lane(out, two, 0);
    wasm_v128_store64_lane(out + stride, two, 1);
  }
}

// ---- 4 x 4: row and column 4 are not used

static inline void half_of_4(v128_t r0, v128_t p26, v128_t p13, v128_t p57, int32_t shift, v128_t out[4]) {
  const v128_t first = wasm_i32x4_shl(r0, FRACTION_BITS + 1), even = products(p26, 15137, -6270);
  const v128_t odd_0 = wasm_i32x4_add(products(p13, 20995, 7373), products(p57, -4926, -4176));
  const v128_t odd_1 = wasm_i32x4_add(products(p13, 8697, -17799), products(p57, 11893, -1730));
  const v128_t even_0 = wasm_i32x4_add(first, even), even_1 = wasm_i32x4_sub(first, even);
  out[0] = rounded(wasm_i32x4_add(even_0, odd_0), shift);
  out[1] = rounded(wasm_i32x4_add(even_1, odd_1), shift);
  out[2] = rounded(wasm_i32x4_sub(even_1, odd_1), shift);
  out[3] = rounded(wasm_i32x4_sub(even_0, odd_0), shift);
}

static void transform_4(const v128_t* c, uint8_t* out, int32_t stride) {
  v128_t low[4], high[4], r[8];
  const int32_t shift = FRACTION_BITS - KEPT_BITS + 1;
  half_of_4(wasm_i32x4_extend_low_i16x8(c[0]), pairs_low(c[2], c[6]), pairs_low(c[1], c[3]), pairs_low(c[5], c[7]),
            shift, low);
  half_of_4(wasm_i32x4_extend_high_i16x8(c[0]), pairs_high(c[2], c[6]), pairs_high(c[1], c[3]), pairs_high(c[5], c[7]),
            shift, high);
  for (int32_t i = 0; i < 4; i++) r[i] = wasm_i16x8_narrow_i32x4(low[i], high[i]);
  for (int32_t i = 4; i < 8; i++) r[i] = wasm_i16x8_splat(0);
  transpose(r);
  half_of_4(wasm_i32x4_extend_low_i16x8(r[0]), pairs_low(r[2], r[6]), pairs_low(r[1], r[3]), pairs_low(r[5], r[7]),
            FRACTION_BITS + KEPT_BITS + SCALE_BITS + 1, low);
  // low[x] is column x
  const v128_t p01 = wasm_i16x8_narrow_i32x4(low[0], low[1]), p23 = wasm_i16x8_narrow_i32x4(low[2], low[3]);
  const v128_t bytes = wasm_v128_xor(wasm_i8x16_narrow_i16x8(p01, p23), wasm_i8x16_splat(-128));
  const v128_t rows = wasm_i8x16_shuffle(bytes, bytes, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  wasm_v128_store32_lane(out, rows, 0);
  wasm_v128_store32_lane(out + stride, rows, 1);
  wasm_v128_store32_lane(out + 2 * stride, rows, 2);
  wasm_v128_store32_lane(out + 3 * stride, rows, 3);
}

// ---- 2 x 2: of rows and columns, 0 and the odd ones are used

static inline v128_t pass_of_2(v128_t r0, v128_t p13, v128_t p57, bool is_second) {
  const v128_t first = wasm_i32x4_shl(r0, FRACTION_BITS + 2);
  const v128_t odd = wasm_i32x4_add(products(p13, 29692, -10426), products(p57, 6967, -5906));
  return rounded(is_second ? wasm_i32x4_sub(first, odd) : wasm_i32x4_add(first, odd), FRACTION_BITS - KEPT_BITS + 2);
}

static inline uint8_t clamp_sample(int32_t value) {
  return (uint8_t)(value < -128 ? 0 : value > 127 ? 255 : value + 128);
}

static void transform_2(const v128_t* c, uint8_t* out, int32_t stride) {
  const v128_t first_low = wasm_i32x4_extend_low_i16x8(c[0]), first_high = wasm_i32x4_extend_high_i16x8(c[0]);
  const v128_t p13_low = pairs_low(c[1], c[3]), p13_high = pairs_high(c[1], c[3]);
  const v128_t p57_low = pairs_low(c[5], c[7]), p57_high = pairs_high(c[5], c[7]);
  for (int32_t y = 0; y < 2; y++, out += stride) {
    const v128_t row = wasm_i16x8_narrow_i32x4(pass_of_2(first_low, p13_low, p57_low, y == 1),
                                               pass_of_2(first_high, p13_high, p57_high, y == 1));
    v128_t sums = wasm_i32x4_dot_i16x8(row, wasm_i16x8_make(0, 29692, 0, -10426, 0, 6967, 0, -5906));
    sums = wasm_i32x4_add(sums, wasm_i32x4_shuffle(sums, sums, 2, 3, 0, 1));
    const v128_t odd = wasm_i32x4_add(sums, wasm_i32x4_shuffle(sums, sums, 1, 0, 3, 2));
    const v128_t first = wasm_i32x4_splat(wasm_i16x8_extract_lane(row, 0) * (1 << (FRACTION_BITS + 2)));
    const int32_t shift = FRACTION_BITS + KEPT_BITS + SCALE_BITS + 2;
    out[0] = clamp_sample(wasm_i32x4_extract_lane(rounded(wasm_i32x4_add(first, odd), shift), 0));
    out[1] = clamp_sample(wasm_i32x4_extract_lane(rounded(wasm_i32x4_sub(first, odd), shift), 0));
  }
}

// ---- any size

static void fill_flat(int32_t dc, int32_t size_px, uint8_t* out, int32_t stride) {
  const uint8_t value = clamp_sample(((int16_t)((uint32_t)dc << KEPT_BITS) + 16) >> (KEPT_BITS + SCALE_BITS));
  for (int32_t y = 0; y < size_px; y++, out += stride) memset(out, value, (size_t)size_px);
}

void ocl_jpeg_transform(const int16_t* block, const int16_t* steps, int32_t size_px, bool is_flat, uint8_t* out,
                        int32_t stride) {
  if (is_flat || size_px == 1) {
    fill_flat(block[0] * steps[0], size_px, out, stride);
    return;
  }
  v128_t coefficients[8];
  for (int32_t i = 0; i < 8; i++)
    coefficients[i] = wasm_i16x8_mul(wasm_v128_load(block + 8 * i), wasm_v128_load(steps + 8 * i));
  if (size_px == 8)
    transform_8(coefficients, out, stride);
  else if (size_px == 4)
    transform_4(coefficients, out, stride);
  else
    transform_2(coefficients, out, stride);
}
