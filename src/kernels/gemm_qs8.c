// Matrix product, int8 with a scale for each channel. It has XNNPACK's signatures and rounding. A tile has eight
// columns, and each lane of an accumulator is one column. With relaxed dot products it has four rows and takes four
// inputs at a time ("4x8c4"): eight accumulators, two weight vectors and four input vectors fit the sixteen registers
// of x86. XNNPACK's 4x8c8 has sixteen accumulators with half a column in each lane: they spill to memory, and halves
// must be added at the end. In plain SIMD, and where the engine has no such dot products, a tile has five rows and
// takes pairs of inputs ("5x8c2"), widened to 16 bits. A sum of products of bytes overflows after 131 071 inputs at the
// earliest.
#include "kernels/kernels.h"
#include "kernels/requantize.h"

enum { MAX_ROWS = 5, COLUMNS = 8, VECTOR_BYTES = 16, BIAS_BYTES = 2 * VECTOR_BYTES };

#define INLINE __attribute__((always_inline)) static inline

typedef struct {
  const int8_t* rows[MAX_ROWS];
  v128_t flip;  // of quads: see ocl_kernels_flip
} inputs;

INLINE ocl_octet load(const int8_t* numbers) {
  return (ocl_octet){wasm_v128_load(numbers), wasm_v128_load(numbers + VECTOR_BYTES)};
}

// Adds the products of `depth` inputs of each row and the weights. Returns the address after those weights.
typedef const int8_t* add_rows(ocl_octet* sums, const int num_rows, inputs in, size_t depth, const int8_t* weights);

#ifdef __wasm_relaxed_simd__
INLINE const int8_t* add_quads(ocl_octet* sums, const int num_rows, inputs in, size_t depth, const int8_t* weights) {
  for (size_t k = 0; k < depth; k += 4, weights += 2 * VECTOR_BYTES) {
    const ocl_octet w = load(weights);
#pragma clang loop unroll(full)
    for (int r = 0; r < num_rows; r++) {
      const v128_t input = wasm_v128_xor(wasm_v128_load32_splat(in.rows[r] + k), in.flip);
      sums[r] = (ocl_octet){wasm_i32x4_relaxed_dot_i8x16_i7x16_add(w.low, input, sums[r].low),
                            wasm_i32x4_relaxed_dot_i8x16_i7x16_add(w.high, input, sums[r].high)};
    }
  }
  return weights;
}
#endif

INLINE ocl_octet load_pairs(const int8_t* weights) {
  return (ocl_octet){wasm_i16x8_load8x8(weights), wasm_i16x8_load8x8(weights + VECTOR_BYTES / 2)};
}

INLINE const int8_t* add_pairs(ocl_octet* sums, const int num_rows, inputs in, size_t depth, const int8_t* weights) {
  for (size_t k = 0; k < depth; k += 2, weights += VECTOR_BYTES) {
    const ocl_octet w = load_pairs(weights);
#pragma clang loop unroll(full)
    for (int r = 0; r < num_rows; r++) {
      const v128_t input = wasm_i16x8_extend_low_i8x16(wasm_v128_load16_splat(in.rows[r] + k));
      sums[r] = (ocl_octet){wasm_i32x4_add(wasm_i32x4_dot_i16x8(input, w.low), sums[r].low),
                            wasm_i32x4_add(wasm_i32x4_dot_i16x8(input, w.high), sums[r].high)};
    }
  }
  return weights;
}

static void store_some(int8_t* output, v128_t bytes, size_t count) {
  for (size_t i = 0; i < count; i++, bytes = wasm_u64x2_shr(bytes, 8)) wasm_v128_store8_lane(output + i, bytes, 0);
}

typedef struct {
  size_t depth, num_taps, num_columns;
  const int8_t** taps;  // num_rows pointers for each tap; NULL: the only tap is `in`
  inputs in;
  const int8_t* weights;
  const int8_t* zero;
  size_t offset;
  int8_t* outputs[MAX_ROWS];
  size_t step;
} product;

INLINE void set_taps(const int num_rows, product* p, const int8_t** taps) {
#pragma clang loop unroll(full)
  for (int i = 0; i < num_rows; i++)
    p->in.rows[i] = taps[i] == p->zero ? p->zero : ocl_kernels_move(taps[i], p->offset);
}

// Sets the sums of a group of columns to their biases, which come before their weights.
INLINE void begin(const int num_rows, ocl_octet* sums, product* p) {
  sums[0] = load(p->weights);
  p->weights += BIAS_BYTES;
#pragma clang loop unroll(full)
  for (int i = 1; i < num_rows; i++) sums[i] = sums[0];
}

// Stores the sums of a group of columns, whose scales come behind their weights.
INLINE void finish(const int num_rows, const ocl_octet* sums, product* p, size_t left, const ocl_requantize* r) {
  const ocl_octet scales = load(p->weights);
  p->weights += BIAS_BYTES;
#pragma clang loop unroll(full)
  for (int i = num_rows - 1; i >= 0; i--) {
    const v128_t bytes = ocl_requantize_octet(sums[i], scales, r);
    if (left >= COLUMNS)
      wasm_v128_store64_lane(p->outputs[i], bytes, 0);
    else
      store_some(p->outputs[i], bytes, left);
    p->outputs[i] += p->step;
  }
}

INLINE void multiply(const int num_rows, add_rows add, product p, const ocl_requantize* given) {
  const ocl_requantize r = *given;
  p.in.flip = wasm_i8x16_splat(ocl_kernels_flip());
  for (size_t left = p.num_columns;; left -= COLUMNS) {
    ocl_octet sums[MAX_ROWS];
    begin(num_rows, sums, &p);
    for (size_t t = 0; t < p.num_taps; t++) {
      if (p.taps != NULL) set_taps(num_rows, &p, p.taps + t * (size_t)num_rows);
      p.weights = add(sums, num_rows, p.in, p.depth, p.weights);
    }
    finish(num_rows, sums, &p, left, &r);
    if (left <= COLUMNS) return;
  }
}

// Missing rows (num_given < num_rows) repeat the last one.
INLINE void set_rows(const int num_rows, size_t num_given, product* p, const int8_t* in, size_t in_stride, int8_t* out,
                     size_t out_stride) {
#pragma clang loop unroll(full)
  for (int i = 0; i < num_rows; i++) {
    const size_t row = (size_t)i < num_given ? (size_t)i : num_given - 1;
    p->in.rows[i] = ocl_kernels_move(in, row * in_stride);
    p->outputs[i] = out + row * out_stride;
  }
}

#define PRODUCTS(kind, num_rows)                                                                                    \
  void ocl_gemm_qs8_run_##kind##_##num_rows(size_t mr, size_t nc, size_t kc, const int8_t* a, size_t a_stride,      \
                                            const void* w, int8_t* c, size_t cm_stride, size_t cn_stride,           \
                                            const union xnn_qs8_qc8w_conv_minmax_params* params) {                  \
    const ocl_requantize requantize = ocl_requantize_of(params);                                                    \
    product p = {.depth = kc, .num_taps = 1, .num_columns = nc, .weights = w, .step = cn_stride};                   \
    set_rows(num_rows, mr, &p, a, a_stride, c, cm_stride);                                                          \
    multiply(num_rows, add_##kind, p, &requantize);                                                                 \
  }                                                                                                                 \
  void ocl_igemm_qs8_run_##kind##_##num_rows(                                                                       \
      size_t mr, size_t nc, size_t kc, size_t ks, const int8_t** a, const void* w, int8_t* c, size_t cm_stride,     \
      size_t cn_stride, size_t a_offset, const int8_t* zero, const union xnn_qs8_qc8w_conv_minmax_params* params) { \
    const ocl_requantize requantize = ocl_requantize_of(params);                                                    \
    product p = {.depth = kc,                                                                                       \
                 .num_taps = ks / (num_rows * sizeof *a),                                                           \
                 .num_columns = nc,                                                                                 \
                 .taps = a,                                                                                         \
                 .weights = w,                                                                                      \
                 .zero = zero,                                                                                      \
                 .offset = a_offset,                                                                                \
                 .step = cn_stride};                                                                                \
    set_rows(num_rows, mr, &p, zero, 0, c, cm_stride);                                                              \
    multiply(num_rows, add_##kind, p, &requantize);                                                                 \
  }

#ifdef __wasm_relaxed_simd__
PRODUCTS(quads, 1)
PRODUCTS(quads, 4)
#endif
PRODUCTS(pairs, 1)

// ---- tiles of five rows, widened once ----

enum { PAIR_ROWS = 5, PAIRS_AT_ONCE = 4, MAX_PAIRS = 3200, PAIR_BYTES = 2 * sizeof(int16_t) };
// Pairs of inputs as 16-bit numbers: the pairs of all rows, then the next ones, so that one pointer reads all of them.
typedef struct {
  int8_t bytes[PAIR_ROWS * PAIR_BYTES];
} widened;

// Widens PAIRS_AT_ONCE pairs of each row: transposes those of the first four, so that a store writes all of them.
INLINE void widen_all(const v128_t* rows, int8_t* to) {
  const v128_t ab_low = wasm_i32x4_shuffle(rows[0], rows[1], 0, 4, 1, 5),
               ab_high = wasm_i32x4_shuffle(rows[0], rows[1], 2, 6, 3, 7),
               cd_low = wasm_i32x4_shuffle(rows[2], rows[3], 0, 4, 1, 5),
               cd_high = wasm_i32x4_shuffle(rows[2], rows[3], 2, 6, 3, 7);
  int8_t* const last = to + (PAIR_ROWS - 1) * PAIR_BYTES;
  wasm_v128_store(to, wasm_i64x2_shuffle(ab_low, cd_low, 0, 2));
  wasm_v128_store32_lane(last, rows[4], 0);
  wasm_v128_store(to + sizeof(widened), wasm_i64x2_shuffle(ab_low, cd_low, 1, 3));
  wasm_v128_store32_lane(last + sizeof(widened), rows[4], 1);
  wasm_v128_store(to + 2 * sizeof(widened), wasm_i64x2_shuffle(ab_high, cd_high, 0, 2));
  wasm_v128_store32_lane(last + 2 * sizeof(widened), rows[4], 2);
  wasm_v128_store(to + 3 * sizeof(widened), wasm_i64x2_shuffle(ab_high, cd_high, 1, 3));
  wasm_v128_store32_lane(last + 3 * sizeof(widened), rows[4], 3);
}

// Widens `depth` inputs of each row; of an odd number, a byte behind them too, whose weight is zero. Returns the
// address of the next pairs, from which on up to PAIRS_AT_ONCE - 1 are written that do not count.
INLINE widened* widen(inputs in, size_t depth, widened* out) {
  const size_t num_pairs = (depth + 1) / 2;
  for (size_t done = 0; done < num_pairs; done += PAIRS_AT_ONCE) {
    v128_t rows[PAIR_ROWS];
#pragma clang loop unroll(full)
    for (int r = 0; r < PAIR_ROWS; r++) rows[r] = wasm_i16x8_load8x8(in.rows[r] + 2 * done);
    widen_all(rows, out[done].bytes);
  }
  return out + num_pairs;
}

INLINE void multiply_widened(const widened* in, size_t num_pairs, product p, const ocl_requantize* given) {
  const ocl_requantize r = *given;
  for (size_t left = p.num_columns;; left -= COLUMNS) {
    ocl_octet sums[MAX_ROWS];
    begin(PAIR_ROWS, sums, &p);
    const widened* pairs = in;
    for (size_t k = num_pairs; k != 0; k--, pairs++, p.weights += VECTOR_BYTES) {
      const ocl_octet w = load_pairs(p.weights);
#pragma clang loop unroll(full)
      for (int i = 0; i < PAIR_ROWS; i++) {
        const v128_t input = wasm_v128_load32_splat(pairs->bytes + i * PAIR_BYTES);
        sums[i] = (ocl_octet){wasm_i32x4_add(wasm_i32x4_dot_i16x8(input, w.low), sums[i].low),
                              wasm_i32x4_add(wasm_i32x4_dot_i16x8(input, w.high), sums[i].high)};
      }
    }
    finish(PAIR_ROWS, sums, &p, left, &r);
    if (left <= COLUMNS) return;
  }
}

void ocl_gemm_qs8_run_pairs_5(size_t mr, size_t nc, size_t kc, const int8_t* a, size_t a_stride, const void* w,
                              int8_t* c, size_t cm_stride, size_t cn_stride,
                              const union xnn_qs8_qc8w_conv_minmax_params* params) {
  const ocl_requantize requantize = ocl_requantize_of(params);
  product p = {.depth = kc, .num_taps = 1, .num_columns = nc, .weights = w, .step = cn_stride};
  set_rows(PAIR_ROWS, mr, &p, a, a_stride, c, cm_stride);
  if (kc > 2 * MAX_PAIRS) {
    multiply(PAIR_ROWS, add_pairs, p, &requantize);
    return;
  }
  widened pairs[MAX_PAIRS + PAIRS_AT_ONCE - 1];
  widen(p.in, kc, pairs);
  multiply_widened(pairs, (kc + 1) / 2, p, &requantize);
}

void ocl_igemm_qs8_run_pairs_5(size_t mr, size_t nc, size_t kc, size_t ks, const int8_t** a, const void* w, int8_t* c,
                               size_t cm_stride, size_t cn_stride, size_t a_offset, const int8_t* zero,
                               const union xnn_qs8_qc8w_conv_minmax_params* params) {
  const ocl_requantize requantize = ocl_requantize_of(params);
  product p = {.depth = kc,
               .num_taps = ks / (PAIR_ROWS * sizeof *a),
               .num_columns = nc,
               .taps = a,
               .weights = w,
               .zero = zero,
               .offset = a_offset,
               .step = cn_stride};
  set_rows(PAIR_ROWS, mr, &p, zero, 0, c, cm_stride);
  const size_t tap_pairs = (kc + 1) / 2;
  if (tap_pairs * p.num_taps > MAX_PAIRS) {
    multiply(PAIR_ROWS, add_pairs, p, &requantize);
    return;
  }
  widened pairs[MAX_PAIRS + PAIRS_AT_ONCE - 1];
  widened* to = pairs;
  for (size_t t = 0; t < p.num_taps; t++) {
    set_taps(PAIR_ROWS, &p, a + t * PAIR_ROWS);
    to = widen(p.in, kc, to);
  }
  multiply_widened(pairs, tap_pairs * p.num_taps, p, &requantize);
}
