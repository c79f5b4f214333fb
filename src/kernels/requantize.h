// Requantizes 32-bit accumulators to int8 with a scale for each channel, with the "fp32" rounding of XNNPACK's kernels.
#ifndef OCELLI_KERNELS_REQUANTIZE_H_
#define OCELLI_KERNELS_REQUANTIZE_H_

#include <wasm_simd128.h>

#include "kernels/kernels.h"
#include "xnnpack/microparams.h"

// 32-bit values of eight channels.
typedef struct {
  v128_t low, high;
} ocl_octet;

typedef struct {
  v128_t magic, magic_min, magic_less_zero_point, max;
} ocl_requantize;

static inline ocl_requantize ocl_requantize_of(const union xnn_qs8_qc8w_conv_minmax_params* params) {
  // The bits of 0x1.8p23f. Near it, floats are integers, and neighbouring floats have neighbouring bit patterns.
  static const int32_t kMagic = 0x4B400000;
  const int32_t zero_point = params->fp32_scalar.output_zero_point;
  int32_t magic = kMagic;
  // V8 takes three instructions for a constant, each time that it is used. This is none.
  __asm__("" : "+r"(magic));
  return (ocl_requantize){.magic = wasm_i32x4_splat(magic),
                          .magic_min = wasm_i32x4_splat(kMagic + params->fp32_scalar.output_min - zero_point),
                          .magic_less_zero_point = wasm_i32x4_splat(kMagic - zero_point),
                          .max = wasm_i8x16_splat((int8_t)params->fp32_scalar.output_max)};
}

// Scales an accumulator in float. Adding 0x1.8p23f, whose last bit is worth 1, rounds it to an integer.
static inline v128_t ocl_requantize_scale(v128_t sum, v128_t scale, const ocl_requantize* r) {
  const v128_t scaled = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sum), scale);
  const v128_t magic = wasm_f32x4_add(scaled, r->magic);
  return wasm_i32x4_sub(wasm_i32x4_max(magic, r->magic_min), r->magic_less_zero_point);
}

// Returns the eight bytes twice, in the low and the high half.
static inline v128_t ocl_requantize_octet(ocl_octet sums, ocl_octet scales, const ocl_requantize* r) {
  const v128_t words = wasm_i16x8_narrow_i32x4(ocl_requantize_scale(sums.low, scales.low, r),
                                               ocl_requantize_scale(sums.high, scales.high, r));
  return wasm_i8x16_min(wasm_i8x16_narrow_i16x8(words, words), r->max);
}

#endif  // OCELLI_KERNELS_REQUANTIZE_H_
