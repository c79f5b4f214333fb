// WebAssembly's SIMD on x86 with SSE4.1, for the native builds: SIMDe's functions, and what SIMDe lacks.
#ifndef OCELLI_NATIVE_WASM_SIMD128_H_
#define OCELLI_NATIVE_WASM_SIMD128_H_

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/wasm/simd128.h>
#include <smmintrin.h>

// The types of clang's header, which XNNPACK's wrappers name.
typedef float __f32x4 __attribute__((__vector_size__(16)));
typedef uint32_t __u32x4 __attribute__((__vector_size__(16)));

#define wasm_i8x16_const_splat(value) wasm_i8x16_splat(value)
#define wasm_u8x16_const_splat(value) wasm_i8x16_splat((int8_t)(value))
#define wasm_i16x8_const_splat(value) wasm_i16x8_splat(value)
#define wasm_u16x8_const_splat(value) wasm_i16x8_splat((int16_t)(value))
#define wasm_i32x4_const_splat(value) wasm_i32x4_splat(value)
#define wasm_u32x4_const_splat(value) wasm_i32x4_splat((int32_t)(value))
#define wasm_u32x4_splat(value) wasm_i32x4_splat((int32_t)(value))
#define wasm_f32x4_const_splat(value) wasm_f32x4_splat(value)
#define wasm_u32x4_make(a, b, c, d) wasm_i32x4_make((int32_t)(a), (int32_t)(b), (int32_t)(c), (int32_t)(d))
#define wasm_u32x4_extract_lane(a, lane) ((uint32_t)wasm_i32x4_extract_lane(a, lane))
// Former names.
#define wasm_v8x16_shuffle wasm_i8x16_shuffle
#define wasm_v16x8_shuffle wasm_i16x8_shuffle
#define wasm_v32x4_shuffle wasm_i32x4_shuffle
#define wasm_v64x2_shuffle wasm_i64x2_shuffle

// ---- relaxed SIMD: what engines on x86 make of it, but without a fused multiply-add ----

static inline v128_t wasm_f32x4_relaxed_madd(v128_t a, v128_t b, v128_t c) {
  return wasm_f32x4_add(wasm_f32x4_mul(a, b), c);
}
static inline v128_t wasm_f32x4_relaxed_min(v128_t a, v128_t b) {
  return (v128_t)_mm_min_ps((__m128)a, (__m128)b);
}
static inline v128_t wasm_f32x4_relaxed_max(v128_t a, v128_t b) {
  return (v128_t)_mm_max_ps((__m128)a, (__m128)b);
}
static inline v128_t wasm_i16x8_relaxed_q15mulr(v128_t a, v128_t b) {
  return _mm_mulhrs_epi16(a, b);
}
static inline v128_t wasm_i16x8_relaxed_laneselect(v128_t a, v128_t b, v128_t mask) {
  return _mm_blendv_epi8(b, a, mask);
}
static inline v128_t wasm_i32x4_relaxed_laneselect(v128_t a, v128_t b, v128_t mask) {
  return (v128_t)_mm_blendv_ps((__m128)b, (__m128)a, (__m128)mask);
}
static inline v128_t wasm_i8x16_relaxed_swizzle(v128_t a, v128_t indices) {
  return _mm_shuffle_epi8(a, indices);
}

// How the dot product takes its second operand: as signed (ARM), as unsigned (x86 with VNNI), or as unsigned with sums
// of two that saturate in 16 bits (older x86), which XNNPACK cannot use. Chosen before the first graph.
enum { OCL_NATIVE_DOT_SIGNED, OCL_NATIVE_DOT_UNSIGNED, OCL_NATIVE_DOT_SATURATES };
extern int ocl_native_dot;

static inline v128_t wasm_i32x4_relaxed_dot_i8x16_i7x16_add(v128_t a, v128_t b, v128_t sum) {
  if (ocl_native_dot == OCL_NATIVE_DOT_SATURATES)
    return _mm_add_epi32(sum, _mm_madd_epi16(_mm_maddubs_epi16(b, a), _mm_set1_epi16(1)));
  const v128_t a_high = _mm_srli_si128(a, 8), b_high = _mm_srli_si128(b, 8);
  const int is_signed = ocl_native_dot == OCL_NATIVE_DOT_SIGNED;
  const v128_t low = _mm_madd_epi16(_mm_cvtepi8_epi16(a), is_signed ? _mm_cvtepi8_epi16(b) : _mm_cvtepu8_epi16(b));
  const v128_t high =
      _mm_madd_epi16(_mm_cvtepi8_epi16(a_high), is_signed ? _mm_cvtepi8_epi16(b_high) : _mm_cvtepu8_epi16(b_high));
  return _mm_add_epi32(sum, _mm_hadd_epi32(low, high));
}

#endif  // OCELLI_NATIVE_WASM_SIMD128_H_
