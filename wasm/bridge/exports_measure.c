// Exports that measure how fast this engine computes.
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <wasm_simd128.h>

#include "kernels/kernels.h"
#include "xnnpack/config.h"
#include "xnnpack/gemm.h"
#include "xnnpack/microparams.h"

#define INLINE __attribute__((always_inline)) static inline

double emscripten_get_now(void);  // milliseconds

// Independent chains of operations, so that none waits for the result of another. All of them fit into registers.
enum { CHAINS = 12 };

// The next value of a chain, by the instructions of a matrix kernel.
typedef v128_t advance(v128_t chain, v128_t factor);

INLINE v128_t add_float(v128_t chain, v128_t factor) {
#ifdef __wasm_relaxed_simd__
  return wasm_f32x4_relaxed_madd(chain, factor, factor);
#else
  return wasm_f32x4_add(wasm_f32x4_mul(chain, factor), factor);
#endif
}

INLINE v128_t add_pairs(v128_t chain, v128_t factor) {
  return wasm_i32x4_add(wasm_i32x4_dot_i16x8(chain, factor), chain);
}

#ifdef __wasm_relaxed_simd__
INLINE v128_t add_quads(v128_t chain, v128_t factor) {
  return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(factor, factor, chain);
}
#endif

// The milliseconds that `rounds` steps of each chain take.
INLINE double time_chains(advance next, int rounds) {
  // Volatile, because the compiler would load the constant again at each use, and remove a loop whose result is not
  // used.
  volatile const float opaque = 0x1p-20f;
  volatile v128_t sink;
  const v128_t factor = wasm_f32x4_splat(opaque);
  v128_t chains[CHAINS];
  for (int i = 0; i < CHAINS; i++) chains[i] = wasm_f32x4_splat((float)i);
  const double start = emscripten_get_now();
  for (int round = 0; round < rounds; round++)
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) chains[i] = next(chains[i], factor);
  const double elapsed = emscripten_get_now() - start;
  for (int i = 0; i < CHAINS; i++) sink = chains[i];
  (void)sink;
  return elapsed;
}

static double time_float(int rounds) {
  return time_chains(add_float, rounds);
}
static double time_pairs(int rounds) {
  return time_chains(add_pairs, rounds);
}
#ifdef __wasm_relaxed_simd__
static double time_quads(int rounds) {
  return time_chains(add_quads, rounds);
}
#endif

// In 10^9 multiply-adds per second.
static double measure(double time_rounds(int rounds), int products_in_lane) {
  enum { ROUNDS = 400000, TRIES = 5, LANES = 4 };
  double best_ms = INFINITY;
#pragma clang loop unroll(disable)  // copies of the try would take 8 KB
  for (int try = 0; try < TRIES; try++) best_ms = fmin(best_ms, time_rounds(ROUNDS));
  return best_ms <= 0 ? 0 : (double)LANES * products_in_lane * CHAINS * ROUNDS / best_ms / 1e6;
}

// The peak of one thread, in 10^9 multiply-adds per second: of floats, or of bytes as the 8-bit kernels multiply them.
double ocl_measure_peak(bool is_int8) {
  if (!is_int8) return measure(time_float, 1);
#ifdef __wasm_relaxed_simd__
  if (ocl_kernels_use_dot()) return measure(time_quads, 4);
#endif
  return measure(time_pairs, 2);
}

// The next two functions time one try of the matrix kernel that most of a network of that precision runs on, in
// milliseconds, for the same number of multiply-adds. The host repeats them, because an engine recompiles a function
// after it has run for a while, and switches to the new code between calls. A try takes 2 ms or more; most clocks
// resolve 0.1 ms.
enum { DEPTH = 96, COLUMNS = 64, ROWS = 24000, MAX_ROWS = 6, MAX_BYTES = 4, SCALE_BYTES = 4 };
enum { WEIGHT_BYTES = COLUMNS * (MAX_BYTES * (1 + DEPTH) + SCALE_BYTES) };

static double time_product(const struct xnn_gemm_config* config, size_t number_bytes, const void* params) {
  // Zeros are multiplied as fast as other numbers.
  uint8_t input[MAX_ROWS * DEPTH * MAX_BYTES] = {0}, weights[WEIGHT_BYTES] = {0};
  uint8_t output[MAX_ROWS * COLUMNS * MAX_BYTES];
  const xnn_gemm_ukernel_fn run = config->minmax.gemm[config->mr - 1].function[XNN_UARCH_DEFAULT];
  const double start = emscripten_get_now();
  for (size_t rows = 0; rows < ROWS; rows += config->mr)
    run(config->mr, COLUMNS, DEPTH * number_bytes, (const void*)input, DEPTH * number_bytes, weights, (void*)output,
        COLUMNS * number_bytes, config->nr * number_bytes, params);
  return emscripten_get_now() - start;
}

double ocl_time_float(void) {
  const union xnn_f32_minmax_params params = {.scalar = {-INFINITY, INFINITY}};
  return time_product(xnn_init_f32_gemm_config(), sizeof(float), &params);
}

double ocl_time_int8(void) {
  const union xnn_qs8_qc8w_conv_minmax_params params = {.fp32_scalar = {0, INT8_MIN, INT8_MAX}};
  return time_product(xnn_init_qs8_qc8w_gemm_config(), sizeof(int8_t), &params);
}
