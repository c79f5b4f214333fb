// Products of float matrices in tiles of up to six rows by eight columns. XNNPACK's kernels keep a pointer for each
// row, which engines step and extend one by one: 37 instructions for 12 multiply-adds. Here the rows are found from the
// first one, by an addition each, so that only one pointer is stepped. Sums are added in XNNPACK's order: the bits are
// the same.
#include <wasm_simd128.h>

#include "kernels/kernels.h"
#include "xnnpack/hardware-config.h"
#include "xnnpack/microparams.h"

enum { ROWS = OCL_PANEL_TILE, FIVE = 5, COLUMNS = OCL_PANEL };

// The compiler does not know what x is after this, so it cannot turn x + distance into a pointer of its own.
#define HIDE(x) __asm__("" : "+r"(x))

typedef struct {
  v128_t low, high;
} octet;

#ifdef __wasm_relaxed_simd__
static inline octet madd(v128_t input, octet weights, octet sum) {
  return (octet){wasm_f32x4_relaxed_madd(input, weights.low, sum.low),
                 wasm_f32x4_relaxed_madd(input, weights.high, sum.high)};
}
static inline bool is_nan_kept(void) {
  return false;  // the instruction decides
}
static inline v128_t clamp(v128_t value, v128_t min, v128_t max, bool keeps_nan) {
  (void)keeps_nan;
  return wasm_f32x4_relaxed_min(max, wasm_f32x4_relaxed_max(min, value));
}
#else
static inline octet madd(v128_t input, octet weights, octet sum) {
  return (octet){wasm_f32x4_add(sum.low, wasm_f32x4_mul(input, weights.low)),
                 wasm_f32x4_add(sum.high, wasm_f32x4_mul(input, weights.high))};
}
// XNNPACK's kernels for ARM keep a NaN, those for x86 turn it into the lower limit.
static inline bool is_nan_kept(void) {
  return !xnn_init_hardware_config()->is_x86;
}
static inline v128_t clamp(v128_t value, v128_t min, v128_t max, bool keeps_nan) {
  return keeps_nan ? wasm_f32x4_min(max, wasm_f32x4_max(min, value))
                   : wasm_f32x4_pmin(max, wasm_f32x4_pmax(min, value));
}
#endif

static inline octet load(const float* from) {
  return (octet){wasm_v128_load(from), wasm_v128_load(from + 4)};
}

// Sets the sums to the biases. Returns the address of the weights behind them.
static inline const float* begin(octet sums[ROWS], const float* biases) {
#pragma clang loop unroll(full)
  for (int i = 0; i < ROWS; i++) sums[i] = load(biases);
  return biases + COLUMNS;
}

static inline v128_t splat(uintptr_t address) {
  return wasm_v128_load32_splat((const void*)address);
}

// Stores the first `left` columns, at most eight.
static inline void store_row(float* to, octet values, size_t left) {
  if (left >= COLUMNS) {
    wasm_v128_store(to, values.low);
    wasm_v128_store(to + 4, values.high);
    return;
  }
  if (left & 4) {
    wasm_v128_store(to, values.low);
    values.low = values.high;
    to += 4;
  }
  if (left & 2) {
    wasm_v128_store64_lane(to, values.low, 0);
    values.low = wasm_i64x2_shuffle(values.low, values.low, 1, 1);
    to += 2;
  }
  if (left & 1) wasm_v128_store32_lane(to, values.low, 0);
}

// Stores the first `rows` rows. The limits are loaded here, behind HIDE, because they would take two registers from the
// sums during the loop.
__attribute__((always_inline)) static inline void store(octet sums[ROWS], size_t rows, float* to, size_t row_bytes,
                                                        size_t left, const union xnn_f32_minmax_params* params,
                                                        bool keeps_nan) {
  HIDE(params);
  const v128_t min = wasm_v128_load32_splat(&params->scalar.min), max = wasm_v128_load32_splat(&params->scalar.max);
#pragma clang loop unroll(full)
  for (size_t i = 0; i < ROWS; i++, to = (float*)((uintptr_t)to + row_bytes)) {
    const octet values = {clamp(sums[i].low, min, max, keeps_nan), clamp(sums[i].high, min, max, keeps_nan)};
    if (i < rows) store_row(to, values, left);
  }
}

// Adds the products of a tap of each row to the sums. The taps are row_stride bytes apart. Returns the address of the
// weights behind its own.
__attribute__((always_inline)) static inline const float* add_tap(octet sums[ROWS], size_t bytes, uintptr_t first,
                                                                  size_t row_stride, const float* w) {
  for (; bytes != 0; bytes -= sizeof *w) {
    HIDE(w);
    const octet weights = load(w);
    uintptr_t at = first;
    HIDE(at);
#pragma clang loop unroll(full)
    for (int i = 0; i < ROWS; i++, at += row_stride) sums[i] = madd(splat(at), weights, sums[i]);
    first += sizeof *w;
    w += COLUMNS;
  }
  return w;
}

// The last tile overlaps the one before it.
__attribute__((always_inline)) static inline void run_tiles(size_t num_pixels, const ocl_panel_inputs* inputs,
                                                            size_t num_taps, const float* w, float* panel,
                                                            const union xnn_f32_minmax_params* params, bool keeps_nan) {
  const size_t tap_bytes = inputs->tap_bytes, tap_stride = inputs->tap_stride, pixel_stride = inputs->pixel_stride;
  const float* a = inputs->first;
  for (size_t left = num_pixels;;) {
    octet sums[ROWS];
    const float* weights = begin(sums, w);
    uintptr_t tap = (uintptr_t)a;
    for (size_t taps = num_taps; taps != 0; taps--, tap += tap_stride)
      weights = add_tap(sums, tap_bytes, tap, pixel_stride, weights);
    store(sums, ROWS, panel, COLUMNS * sizeof *panel, COLUMNS, params, keeps_nan);
    left -= ROWS;
    if (left == 0) return;
    const size_t step = left < ROWS ? left : ROWS;
    if (left < ROWS) left = ROWS;
    a = ocl_kernels_move(a, step * pixel_stride);
    panel += step * COLUMNS;
  }
}

__attribute__((always_inline)) static inline void run_panel(size_t num_pixels, const ocl_panel_inputs* inputs,
                                                            const float* w, float* panel,
                                                            const union xnn_f32_minmax_params* params, bool keeps_nan) {
  // A loop over one tap costs a tile of 16 inputs 8 % more time.
  if (inputs->num_taps == 1)
    run_tiles(num_pixels, inputs, 1, w, panel, params, keeps_nan);
  else
    run_tiles(num_pixels, inputs, inputs->num_taps, w, panel, params, keeps_nan);
}

void ocl_gemm_f32_run_panel(size_t num_pixels, const ocl_panel_inputs* inputs, const float* w, float* panel,
                            const union xnn_f32_minmax_params* params) {
  // A branch in the loop over tiles costs a network 2 % more time.
  if (is_nan_kept())
    run_panel(num_pixels, inputs, w, panel, params, true);
  else
    run_panel(num_pixels, inputs, w, panel, params, false);
}

#ifdef __wasm_relaxed_simd__
// Where a tap's rows lie: that of the first and how far the others are from it.
typedef struct {
  uintptr_t first, distances[ROWS];
} tap;

static inline tap tap_of(const float** rows, int num_rows, size_t offset_bytes, const float* zero) {
  tap t;
#pragma clang loop unroll(full)
  for (int i = 0; i < num_rows; i++) {
    const uintptr_t address = (uintptr_t)rows[i] + (rows[i] == zero ? 0 : offset_bytes);
    if (i == 0) t.first = address;
    t.distances[i] = address - t.first;
  }
  return t;
}

// The first num_rows rows of each tap are computed, of which mr are stored. Each tap has `pitch` pointers.
__attribute__((always_inline)) static inline void run_taps(int num_rows, size_t pitch, size_t mr, size_t nc, size_t kc,
                                                           size_t ks, const float** a, const float* w, float* c,
                                                           size_t cm_stride, size_t cn_stride, size_t a_offset,
                                                           const float* zero,
                                                           const union xnn_f32_minmax_params* params) {
  for (size_t left = nc;; left -= COLUMNS) {
    octet sums[ROWS];
    w = begin(sums, w);
    const float** rows = a;
    for (size_t bytes_left = ks; bytes_left != 0; bytes_left -= pitch * sizeof *rows, rows += pitch) {
      tap t = tap_of(rows, num_rows, a_offset, zero);
      for (size_t bytes = kc; bytes != 0; bytes -= sizeof **a) {
        HIDE(w);
        const octet weights = load(w);
        HIDE(t.first);
#pragma clang loop unroll(full)
        for (int i = 0; i < num_rows; i++) sums[i] = madd(splat(t.first + t.distances[i]), weights, sums[i]);
        t.first += sizeof **a;
        w += COLUMNS;
      }
    }
    store(sums, mr, c, cm_stride, left, params, is_nan_kept());
    if (left <= COLUMNS) return;
    c = (float*)((uintptr_t)c + cn_stride);
  }
}

// Up to five rows.
static __attribute__((noinline)) void run_five(size_t pitch, size_t mr, size_t nc, size_t kc, size_t ks,
                                               const float** a, const float* w, float* c, size_t cm_stride,
                                               size_t cn_stride, size_t a_offset, const float* zero,
                                               const union xnn_f32_minmax_params* params) {
  run_taps(FIVE, pitch, mr, nc, kc, ks, a, w, c, cm_stride, cn_stride, a_offset, zero, params);
}

void ocl_igemm_f32_run(size_t mr, size_t nc, size_t kc, size_t ks, const float** a, const float* w, float* c,
                       size_t cm_stride, size_t cn_stride, size_t a_offset, const float* zero,
                       const union xnn_f32_minmax_params* params) {
  if (mr == ROWS)
    run_taps(ROWS, ROWS, ROWS, nc, kc, ks, a, w, c, cm_stride, cn_stride, a_offset, zero, params);
  else
    run_five(ROWS, mr, nc, kc, ks, a, w, c, cm_stride, cn_stride, a_offset, zero, params);
}

void ocl_igemm_f32_run_five(size_t mr, size_t nc, size_t kc, size_t ks, const float** a, const float* w, float* c,
                            size_t cm_stride, size_t cn_stride, size_t a_offset, const float* zero,
                            const union xnn_f32_minmax_params* params) {
  run_five(FIVE, mr, nc, kc, ks, a, w, c, cm_stride, cn_stride, a_offset, zero, params);
}

void ocl_gemm_f32_run(size_t mr, size_t nc, size_t kc, const float* a, size_t a_stride, const float* w, float* c,
                      size_t cm_stride, size_t cn_stride, const union xnn_f32_minmax_params* params) {
  if (mr < ROWS) {
    const float* rows[ROWS];
    for (size_t i = 0; i < ROWS; i++) rows[i] = ocl_kernels_move(a, (i < mr ? i : mr - 1) * a_stride);
    run_five(ROWS, mr, nc, kc, sizeof rows, rows, w, c, cm_stride, cn_stride, 0, NULL, params);
    return;
  }
  for (size_t left = nc;; left -= COLUMNS) {
    octet sums[ROWS];
    w = add_tap(sums, kc, (uintptr_t)a, a_stride, begin(sums, w));
    store(sums, ROWS, c, cm_stride, left, params, is_nan_kept());
    if (left <= COLUMNS) return;
    c = (float*)((uintptr_t)c + cn_stride);
  }
}
#endif
