// Packs weights [columns, depth] for float matrix kernels with eight columns. Out: for every eight columns, their
// biases, then eight weights for each input (XNNPACK's layout). float16 and int8 weights are converted while packing,
// eight columns at a time, without a float32 copy of all.
#include "kernels/kernels.h"
#include "tflite/weights.h"
#include "xnnpack/packw.h"

enum { WIDTH = 8 };

static const ocl_tflite_tensor* source_kernel;  // NULL: XNNPACK passes floats
static float* source_rows;

void ocl_pack_f32_from(const ocl_tflite_tensor* kernel, float* rows) {
  source_kernel = kernel;
  source_rows = rows;
}

size_t ocl_pack_f32_rows_bytes(size_t depth) {
  return WIDTH * depth * sizeof(float);
}

// `count` output channels of the kernel, from number `first` on.
static ocl_tflite_tensor columns_of(const ocl_tflite_tensor* kernel, size_t first, size_t count, size_t depth) {
  ocl_tflite_tensor slice = *kernel;
  slice.shape = (ocl_shape){.rank = 2, .dims = {(int32_t)count, (int32_t)depth}};
  slice.data += first * depth * (kernel->dtype == OCL_FLOAT16 ? 2 : 1);
  if (slice.quantization.num_scales <= 1) return slice;
  slice.quantization.num_scales = (int32_t)count;
  slice.quantization.scales += first;
  if (slice.quantization.zero_points != NULL) slice.quantization.zero_points += first;
  return slice;
}

void ocl_pack_f32_run(size_t groups, size_t columns, size_t depth, size_t nr, size_t kr, size_t sr,
                      const uint32_t* weights, const uint32_t* bias, const void* scale, uint32_t* packed,
                      size_t extra_bytes, const void* params) {
  const size_t width = source_kernel == NULL ? columns : WIDTH;
  for (size_t first = 0; first < columns; first += width) {
    const size_t count = columns - first < width ? columns - first : width;
    if (source_kernel != NULL) {
      const ocl_tflite_tensor slice = columns_of(source_kernel, first, count, depth);
      (void)ocl_weights_to_float(&slice, source_rows);
      weights = (const uint32_t*)(const void*)source_rows;
    }
    xnn_x32_packw_gemm_goi_ukernel_x8__wasmsimd_u4(groups, count, depth, nr, kr, sr, weights,
                                                   bias == NULL ? NULL : bias + first, scale, packed, extra_bytes,
                                                   params);
    packed += WIDTH * (depth + 1);
  }
}

// The linker option --wrap makes this replace XNNPACK's packing of convolutions with more than one tap. All float
// matrix kernels here have kr 1, so the inputs of all taps can be packed as the inputs of one tap. XNNPACK's kernel for
// that is vectorized: six times as fast in the engine's baseline compiler.
void __wrap_xnn_pack_f32_conv_goki_w(size_t g, size_t nc, size_t ks, size_t kc, size_t nr, size_t kr, size_t sr,
                                     const float* k, const float* b, const void* scale, float* packed_weights,
                                     size_t extra_bytes, const void* params) {
  ocl_pack_f32_run(g, nc, ks * kc, nr, kr, sr, (const uint32_t*)k, (const uint32_t*)b, scale, (uint32_t*)packed_weights,
                   extra_bytes, params);
}
