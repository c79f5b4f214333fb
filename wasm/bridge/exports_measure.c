// Exports that measure how fast this engine computes.
#include <math.h>
#include <stdint.h>
#include <wasm_simd128.h>

#include "kernels/kernels.h"

double emscripten_get_now(void);  // milliseconds

// Independent chains of operations, so that none waits for the result of another. All of them fit into registers.
enum { CHAINS = 12 };

// The milliseconds that `rounds` multiply-adds in each chain take, with the instructions of this variant.
static double time_fma(int rounds) {
  // Volatile, because the compiler would load constants again at each use.
  volatile const float opaque_factor = 0.999999f, opaque_addend = 1e-6f;
  const v128_t factor = wasm_f32x4_splat(opaque_factor), addend = wasm_f32x4_splat(opaque_addend);
  v128_t chains[CHAINS];
  for (int i = 0; i < CHAINS; i++) chains[i] = wasm_f32x4_splat((float)i);
  const double start = emscripten_get_now();
  for (int round = 0; round < rounds; round++)
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) {
#ifdef __wasm_relaxed_simd__
      chains[i] = wasm_f32x4_relaxed_madd(chains[i], factor, addend);
#else
      chains[i] = wasm_f32x4_add(wasm_f32x4_mul(chains[i], factor), addend);
#endif
    }
  const double elapsed = emscripten_get_now() - start;
  float sum = 0;
  for (int i = 0; i < CHAINS; i++) sum += wasm_f32x4_extract_lane(chains[i], 0);
  volatile const float sink = sum;  // The compiler removes a loop whose result is not used.
  (void)sink;
  return elapsed;
}

// The peak of one thread, in 10^9 multiply-adds per second.
double ocl_measure_peak(void) {
  enum { ROUNDS = 400000, TRIES = 5 };
  double best_ms = 1e9;
  for (int try = 0; try < TRIES; try++) {
    const double elapsed = time_fma(ROUNDS);
    if (elapsed < best_ms) best_ms = elapsed;
  }
  return best_ms <= 0 ? 0 : 4.0 * CHAINS * ROUNDS / best_ms / 1e6;
}

// The next two functions time one try in milliseconds. The host repeats them, because an engine recompiles a function
// after it has run for a while, and switches to the new code between calls. A try takes 1 ms or more; most clocks
// resolve 0.1 ms.
enum { TRY_ROUNDS = 1000000 };
double ocl_time_fma(void) {
  return time_fma(TRY_ROUNDS);
}

// For four times as many multiply-adds of bytes, with the instructions of this variant's 8-bit kernels. INFINITY:
// relaxed dot products do not compute what the kernels expect.
double ocl_time_dot(void) {
#ifdef __wasm_relaxed_simd__
  if (!ocl_kernels_use_dot()) return INFINITY;
  enum { ROUNDS = TRY_ROUNDS };
#else
  enum { ROUNDS = 2 * TRY_ROUNDS };  // of two multiply-adds in each lane
#endif
  volatile const int8_t opaque = 1;
  const v128_t factor = wasm_i8x16_splat(opaque);
  v128_t chains[CHAINS];
  for (int i = 0; i < CHAINS; i++) chains[i] = wasm_i32x4_splat(i);
  const double start = emscripten_get_now();
  for (int round = 0; round < ROUNDS; round++)
#pragma clang loop unroll(full)
    for (int i = 0; i < CHAINS; i++) {
#ifdef __wasm_relaxed_simd__
      chains[i] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(factor, factor, chains[i]);
#else
      chains[i] = wasm_i32x4_add(wasm_i32x4_dot_i16x8(chains[i], factor), chains[i]);
#endif
    }
  const double elapsed = emscripten_get_now() - start;
  int32_t sum = 0;
  for (int i = 0; i < CHAINS; i++) sum += wasm_i32x4_extract_lane(chains[i], 0);
  volatile const int32_t sink = sum;
  (void)sink;
  return elapsed;
}
