// What the measuring exports time, by a clock and by kernels that count: their numbers are read by nobody else.
#include <stdint.h>

#include "check.h"
#include "xnnpack/config.h"

static const struct xnn_gemm_config* watch(const struct xnn_gemm_config* config);
#define xnn_init_f32_gemm_config() watch((xnn_init_f32_gemm_config)())
#define xnn_init_qs8_qc8w_gemm_config() watch((xnn_init_qs8_qc8w_gemm_config)())
#include "../../../wasm/bridge/exports_measure.c"

// A clock that shows 100, 101, 103, 106, ...
static double now_ms, step_ms;
double emscripten_get_now(void) {
  const double now = now_ms;
  now_ms += ++step_ms;
  return now;
}
static void set_clock(void) {
  now_ms = 100;
  step_ms = 0;
}

// ---- matrix kernels ----

static struct xnn_gemm_config watched;
static xnn_gemm_ukernel_fn watched_kernel;
static double products;
static int calls;

// The first call computes, so that ASan sees whether its operands are large enough.
static void count(size_t mr, size_t columns, size_t depth_bytes, const void* input, size_t input_stride,
                  const void* weights, void* output, size_t row_stride, size_t group_stride, const void* params) {
  const size_t number_bytes = group_stride / watched.nr;
  CHECK(mr == watched.mr && group_stride == watched.nr * number_bytes);
  CHECK(input_stride == depth_bytes && row_stride == columns * number_bytes);
  products += (double)(mr * columns) * (double)depth_bytes / (double)number_bytes;
  if (calls++ == 0)
    watched_kernel(mr, columns, depth_bytes, input, input_stride, weights, output, row_stride, group_stride, params);
}

static const struct xnn_gemm_config* watch(const struct xnn_gemm_config* config) {
  watched = *config;
  watched_kernel = config->minmax.gemm[config->mr - 1].function[XNN_UARCH_DEFAULT];
  memset(&watched.minmax, 0, sizeof watched.minmax);
  watched.minmax.gemm[config->mr - 1].function[XNN_UARCH_DEFAULT] = count;
  products = calls = 0;
  return &watched;
}

static void test_both_precisions_multiply_as_often(void) {
  double (*const times[])(void) = {ocl_time_float, ocl_time_int8};
  for (int i = 0; i < 2; i++) {
    set_clock();
    CHECK(times[i]() == 1);
    CHECK(products == 24000.0 * 96 * 64);
  }
}

// ---- chains ----

static int num_steps;
static float first_factor;

static v128_t count_step(v128_t chain, v128_t factor) {
  const float factors[4] = {wasm_f32x4_extract_lane(factor, 0), wasm_f32x4_extract_lane(factor, 1),
                            wasm_f32x4_extract_lane(factor, 2), wasm_f32x4_extract_lane(factor, 3)};
  if (num_steps == 0) first_factor = factors[0];
  for (int lane = 0; lane < 4; lane++) CHECK(factors[lane] == first_factor);
  // A chain takes what its last step gave; the first ones are 0, 1, 2 ...
  CHECK(wasm_f32x4_extract_lane(chain, 3) == (float)(num_steps % 12 + 100 * (num_steps / 12)));
  num_steps++;
  return wasm_f32x4_add(chain, wasm_f32x4_splat(100));
}

static void test_chains_are_independent(void) {
  num_steps = 0;
  set_clock();
  CHECK(time_chains(count_step, 5) == 1);
  CHECK(num_steps == 5 * 12);
  // Neither too large nor too small for numbers that are as fast as others.
  CHECK(first_factor > 1e-9F && first_factor < 1e-3F);
}

static void test_steps_multiply_and_add(void) {
  const v128_t two = wasm_f32x4_splat(2), three = wasm_f32x4_splat(3);
  CHECK(wasm_f32x4_extract_lane(add_float(two, three), 1) == 2 * 3 + 3);
  const v128_t pairs = wasm_i16x8_make(1, 2, 3, 4, 5, 6, 7, 8);
  // Of 16-bit numbers, and to the 32-bit number that two of them are.
  CHECK(wasm_i32x4_extract_lane(add_pairs(pairs, pairs), 0) == 1 * 1 + 2 * 2 + (1 + 2 * 65536));
  CHECK(wasm_i32x4_extract_lane(add_pairs(pairs, pairs), 3) == 7 * 7 + 8 * 8 + (7 + 8 * 65536));
}

// ---- peaks ----

static int asked_rounds, num_tries;

static double take_turns(int rounds) {
  const double ms[] = {5, 4, 3, 8, 9, 1};
  asked_rounds = rounds;
  return ms[num_tries++];
}

static double stand_still(int rounds) {
  (void)rounds;
  return 0;
}

static void test_the_peak_is_that_of_the_fastest_of_five_tries(void) {
  num_tries = 0;
  const double peak = measure(take_turns, 2);
  CHECK(num_tries == 5);
  CHECK_NEAR(peak, 2.0 * 4 * 12 * asked_rounds / (3 * 1e6), 1e-9);
  CHECK(measure(stand_still, 2) == 0);
}

int main(void) {
  ocl_kernels_install(false);
  RUN(test_both_precisions_multiply_as_often);
  RUN(test_chains_are_independent);
  RUN(test_steps_multiply_and_add);
  RUN(test_the_peak_is_that_of_the_fastest_of_five_tries);
  return check_failed_tests;
}
