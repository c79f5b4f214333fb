// XNNPACK's own header, but for the target: a native build takes the WebAssembly kernels, too.
#include_next "xnnpack/common.h"

#ifndef OCELLI_NATIVE_XNNPACK_COMMON_H_
#define OCELLI_NATIVE_XNNPACK_COMMON_H_

#undef XNN_ARCH_X86
#undef XNN_ARCH_X86_64
#undef XNN_ARCH_WASMSIMD
#undef XNN_ARCH_WASMRELAXEDSIMD
#undef XNN_PLATFORM_WEB
#undef XNN_ALLOCATION_ALIGNMENT
#undef XNN_MAX_SIMD_SIZE
#define XNN_ARCH_X86 0
#define XNN_ARCH_X86_64 0
#ifdef __wasm_relaxed_simd__
#define XNN_ARCH_WASMSIMD 0
#define XNN_ARCH_WASMRELAXEDSIMD 1
#else
#define XNN_ARCH_WASMSIMD 1
#define XNN_ARCH_WASMRELAXEDSIMD 0
#endif
#define XNN_PLATFORM_WEB 1
#define XNN_ALLOCATION_ALIGNMENT 16
#define XNN_MAX_SIMD_SIZE 16

// The scalar kernels use two of WebAssembly's instructions by their compiler's names. Both return NaN for NaN.
static inline float ocl_native_min(float a, float b) {
  return a != a ? a : b < a || b != b ? b : a;
}
static inline float ocl_native_max(float a, float b) {
  return a != a ? a : b > a || b != b ? b : a;
}
#define __builtin_wasm_min_f32(a, b) ocl_native_min(a, b)
#define __builtin_wasm_max_f32(a, b) ocl_native_max(a, b)

#endif  // OCELLI_NATIVE_XNNPACK_COMMON_H_
