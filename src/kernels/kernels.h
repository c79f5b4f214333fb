// Our own microkernels, which replace some of XNNPACK's. They have the same signatures and read the same packed
// weights, so XNNPACK still packs, pads, splits work over threads, and runs the shapes that these kernels do not cover.
#ifndef OCELLI_KERNELS_KERNELS_H_
#define OCELLI_KERNELS_KERNELS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tflite/tflite.h"

union xnn_f32_minmax_params;
union xnn_qs8_qc8w_conv_minmax_params;

// XNNPACK's offsets lead from one buffer to another, so they are added as numbers: they may wrap.
static inline const void* ocl_kernels_move(const void* address, size_t offset_bytes) {
  return (const void*)((uintptr_t)address + offset_bytes);
}

// Whether a float convolution of one group can be created from stored weights (float16, or 8 bits with scales for each
// of the first dimension): call ocl_pack_f32_from(kernel, rows) before creating it and ocl_pack_f32_from(NULL, NULL)
// after. rows: ocl_pack_f32_rows_bytes(weights of one output channel) of scratch memory.
bool ocl_kernels_pack_stored(size_t inputs, size_t outputs);
void ocl_pack_f32_from(const ocl_tflite_tensor* kernel, float* rows);
size_t ocl_pack_f32_rows_bytes(size_t depth);
// An xnn_x32_packw_gemm_goi_ukernel_fn for kernels with nr 8 and kr 1.
void ocl_pack_f32_run(size_t groups, size_t columns, size_t depth, size_t nr, size_t kr, size_t sr,
                      const uint32_t* weights, const uint32_t* bias, const void* scale, uint32_t* packed,
                      size_t extra_bytes, const void* params);

// Puts these kernels into XNNPACK's configuration, all or only those that it lacks (tools/xnnpack_unused.h leaves its
// 8-bit matrix kernels out). Operators that already exist keep their kernels.
void ocl_kernels_install(bool are_only_missing);

// Whether the 8-bit kernels use relaxed dot products: only if those of the engine compute what XNNPACK expects.
bool ocl_kernels_use_dot(void);
// What bytes are xored with before they are the second operand of a dot product: 0x80 if it treats them as unsigned, so
// that 128 is added to each; else 0.
int8_t ocl_kernels_flip(void);

// An xnn_f32_dwconv_minmax_unipass_ukernel_fn, primary tile 9, channel tile 8.
void ocl_dwconv_f32_run(size_t channels, size_t output_width, const float** input, const float* weights, float* output,
                        intptr_t input_stride, size_t output_increment, size_t input_offset, const float* zero,
                        const union xnn_f32_minmax_params* params);

// An xnn_f32_gemm_minmax_ukernel_fn and the igemm counterparts: mr 6 and 5, nr 8. Relaxed SIMD only.
void ocl_gemm_f32_run(size_t mr, size_t nc, size_t kc, const float* a, size_t a_stride, const float* w, float* c,
                      size_t cm_stride, size_t cn_stride, const union xnn_f32_minmax_params* params);
void ocl_igemm_f32_run(size_t mr, size_t nc, size_t kc, size_t ks, const float** a, const float* w, float* c,
                       size_t cm_stride, size_t cn_stride, size_t a_offset, const float* zero,
                       const union xnn_f32_minmax_params* params);
void ocl_igemm_f32_run_five(size_t mr, size_t nc, size_t kc, size_t ks, const float** a, const float* w, float* c,
                            size_t cm_stride, size_t cn_stride, size_t a_offset, const float* zero,
                            const union xnn_f32_minmax_params* params);

// A panel: OCL_PANEL neighbouring channels of some pixels, [pixels][OCL_PANEL] floats. A convolution writes one and a
// depthwise convolution reads it while it is in the first cache. Sums are added in the order of the kernels above.
enum { OCL_PANEL = 8 };
// The pixels that ocl_gemm_f32_run_panel() computes at once.
#ifdef __wasm_relaxed_simd__
enum { OCL_PANEL_TILE = 6 };
#else
enum { OCL_PANEL_TILE = 4 };
#endif

// Where the inputs of pixels lie, in bytes: each pixel has num_taps taps of tap_bytes, tap_stride apart. Those of the
// next pixel are pixel_stride further.
typedef struct {
  const float* first;
  size_t num_taps, tap_bytes, tap_stride, pixel_stride;
} ocl_panel_inputs;
// Writes a panel of num_pixels, at least OCL_PANEL_TILE. `w`: packed with nr 8, kr 1.
void ocl_gemm_f32_run_panel(size_t num_pixels, const ocl_panel_inputs* inputs, const float* w, float* panel,
                            const union xnn_f32_minmax_params* params);

// Three rows of a panel's pixels, row_bytes apart, and the row of outputs that is computed from them, each pixel_stride
// floats from the last.
typedef struct {
  const float* top;
  size_t row_bytes;
  bool pads_left, pads_right;  // whether the first and the last window begin before and end after the row, by one pixel
  float* output;
  size_t output_width, pixel_stride;
} ocl_panel_row;
// A depthwise convolution of 3 x 3 with a stride of 1 or 2. `weights`: of all channels, primary tile 9, channel tile 8.
void ocl_dwconv_f32_run_panel(const ocl_panel_row* row, size_t stride, const float* weights, size_t panel,
                              const union xnn_f32_minmax_params* params);

// An xnn_qs8_qc8w_dwconv_minmax_unipass_ukernel_fn, primary tile 9, channel tile 16.
void ocl_dwconv_qs8_run(size_t channels, size_t output_width, const int8_t** input, const void* weights, int8_t* output,
                        intptr_t input_stride, size_t output_increment, size_t input_offset, const int8_t* zero,
                        const union xnn_qs8_qc8w_conv_minmax_params* params);

// xnn_qs8_qc8w_gemm_minmax_ukernel_fn and the igemm counterpart, nr 8: with pairs of inputs kr 2, mr 1 and 5; with
// quads, which need ocl_kernels_use_dot(), kr 4, mr 1 and 4.
#define OCL_GEMM_QS8(kind)                                                                                          \
  void ocl_gemm_qs8_run_##kind(size_t mr, size_t nc, size_t kc, const int8_t* a, size_t a_stride, const void* w,    \
                               int8_t* c, size_t cm_stride, size_t cn_stride,                                       \
                               const union xnn_qs8_qc8w_conv_minmax_params* params);                                \
  void ocl_igemm_qs8_run_##kind(size_t mr, size_t nc, size_t kc, size_t ks, const int8_t** a, const void* w,        \
                                int8_t* c, size_t cm_stride, size_t cn_stride, size_t a_offset, const int8_t* zero, \
                                const union xnn_qs8_qc8w_conv_minmax_params* params)
OCL_GEMM_QS8(pairs_1);
OCL_GEMM_QS8(pairs_5);
OCL_GEMM_QS8(quads_1);
OCL_GEMM_QS8(quads_4);

// Engines compile a function well only after it has run for a while. This runs the float kernels of convolutions on a
// few zeros; after OCL_WARM_UP_ROUNDS V8, at least, has begun to compile them. Takes less than a millisecond.
enum { OCL_WARM_UP_ROUNDS = 200 };
void ocl_kernels_warm_up(void);

// Functions that XNNPACK does not have, of floats. y = x where x >= 0, else x * slope; with one slope for each column.
void ocl_leaky_f32(const float* x, float slope, float* y, size_t count);
void ocl_prelu_f32(const float* x, const float* slopes, float* y, size_t rows, size_t columns);
// Each row of y has length 1: y = x / max(|x|, 1e-6).
void ocl_l2_normalize_f32(const float* x, float* y, size_t rows, size_t columns);
// y = x times the normal distribution's probability up to x.
void ocl_gelu_f32(const float* x, float* y, size_t count);

#endif  // OCELLI_KERNELS_KERNELS_H_
