// Matrix product, int8 with a scale for each channel, with relaxed dot products. It has XNNPACK's signatures and
// rounding. A tile has four rows and eight columns and takes four inputs at a time ("4x8c4"): eight accumulators, two
// weight vectors and four input vectors fit the sixteen registers of x86, and each lane of an accumulator is one
// column. XNNPACK's 4x8c8 has sixteen accumulators with half a column in each lane: they spill to memory, and halves
// must be added at the end.
#include "kernels/kernels.h"
#ifdef __wasm_relaxed_simd__
#include "kernels/requantize.h"

enum { ROWS = 4, COLUMNS = 8, DEPTH = 4 };
enum { VECTOR_BYTES = 16, GROUP_BYTES = COLUMNS * DEPTH };

typedef struct {
  const int8_t* rows[ROWS];
} inputs;

static inline ocl_octet load(const int8_t* numbers) {
  return (ocl_octet){wasm_v128_load(numbers), wasm_v128_load(numbers + VECTOR_BYTES)};
}

// Adds the products of `depth` inputs of each row and the weights. Returns the address after those weights.
static inline __attribute__((always_inline)) const int8_t* add_rows(ocl_octet* sums, const int num_rows, inputs in,
                                                                    size_t depth, const int8_t* weights, v128_t flip) {
  for (size_t k = 0; k < depth; k += DEPTH, weights += GROUP_BYTES) {
    const ocl_octet w = load(weights);
#pragma clang loop unroll(full)
    for (int r = 0; r < num_rows; r++) {
      const v128_t input = wasm_v128_xor(wasm_v128_load32_splat(in.rows[r] + k), flip);
      sums[r] = (ocl_octet){wasm_i32x4_relaxed_dot_i8x16_i7x16_add(w.low, input, sums[r].low),
                            wasm_i32x4_relaxed_dot_i8x16_i7x16_add(w.high, input, sums[r].high)};
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
  int8_t* outputs[ROWS];
  size_t step;
} product;

static inline __attribute__((always_inline)) void multiply(const int num_rows, product p, const ocl_requantize* given) {
  const ocl_requantize r = *given;
  const v128_t flip = wasm_i8x16_splat(ocl_kernels_dot_is_unsigned() ? INT8_MIN : 0);
  for (size_t left = p.num_columns;; left -= COLUMNS) {
    ocl_octet sums[ROWS];
    sums[0] = load(p.weights);
#pragma clang loop unroll(full)
    for (int i = 1; i < num_rows; i++) sums[i] = sums[0];
    p.weights += GROUP_BYTES;
    const int8_t** taps = p.taps;
    for (size_t t = p.num_taps; t != 0; t--) {
      if (taps != NULL) {
#pragma clang loop unroll(full)
        for (int i = 0; i < num_rows; i++)
          p.in.rows[i] = taps[i] == p.zero ? p.zero : ocl_kernels_move(taps[i], p.offset);
        taps += num_rows;
      }
      p.weights = add_rows(sums, num_rows, p.in, p.depth, p.weights, flip);
    }
    const ocl_octet scales = load(p.weights);
    p.weights += GROUP_BYTES;
#pragma clang loop unroll(full)
    for (int i = num_rows - 1; i >= 0; i--) {
      const v128_t bytes = ocl_requantize_octet(sums[i], scales, &r);
      if (left >= COLUMNS)
        wasm_v128_store64_lane(p.outputs[i], bytes, 0);
      else
        store_some(p.outputs[i], bytes, left);
      p.outputs[i] += p.step;
    }
    if (left <= COLUMNS) return;
  }
}

// Missing rows (num_given < num_rows) repeat the last one.
static inline void set_rows(const int num_rows, size_t num_given, product* p, const int8_t* in, size_t in_stride,
                            int8_t* out, size_t out_stride) {
#pragma clang loop unroll(full)
  for (int i = 0; i < num_rows; i++) {
    const size_t row = (size_t)i < num_given ? (size_t)i : num_given - 1;
    p->in.rows[i] = ocl_kernels_move(in, row * in_stride);
    p->outputs[i] = out + row * out_stride;
  }
}

#define PRODUCTS(num_rows)                                                                                           \
  void ocl_gemm_qs8_run_##num_rows(size_t mr, size_t nc, size_t kc, const int8_t* a, size_t a_stride, const void* w, \
                                   int8_t* c, size_t cm_stride, size_t cn_stride,                                    \
                                   const union xnn_qs8_qc8w_conv_minmax_params* params) {                            \
    const ocl_requantize requantize = ocl_requantize_of(params);                                                     \
    product p = {.depth = kc, .num_taps = 1, .num_columns = nc, .weights = w, .step = cn_stride};                    \
    set_rows(num_rows, mr, &p, a, a_stride, c, cm_stride);                                                           \
    multiply(num_rows, p, &requantize);                                                                              \
  }                                                                                                                  \
  void ocl_igemm_qs8_run_##num_rows(size_t mr, size_t nc, size_t kc, size_t ks, const int8_t** a, const void* w,     \
                                    int8_t* c, size_t cm_stride, size_t cn_stride, size_t a_offset,                  \
                                    const int8_t* zero, const union xnn_qs8_qc8w_conv_minmax_params* params) {       \
    const ocl_requantize requantize = ocl_requantize_of(params);                                                     \
    product p = {.depth = kc,                                                                                        \
                 .num_taps = ks / (num_rows * sizeof *a),                                                            \
                 .num_columns = nc,                                                                                  \
                 .taps = a,                                                                                          \
                 .weights = w,                                                                                       \
                 .zero = zero,                                                                                       \
                 .offset = a_offset,                                                                                 \
                 .step = cn_stride};                                                                                 \
    set_rows(num_rows, mr, &p, zero, 0, c, cm_stride);                                                               \
    multiply(num_rows, p, &requantize);                                                                              \
  }

PRODUCTS(1)
PRODUCTS(4)
#endif
