// Microkernels of our own in place of XNNPACK's: same signatures, same packed weights, so that packing, padding, the
// splitting over threads and every shape that they do not cover stay XNNPACK's.
#ifndef OCELLI_KERNELS_KERNELS_H_
#define OCELLI_KERNELS_KERNELS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

union xnn_f32_minmax_params;
union xnn_qs8_qc8w_conv_minmax_params;

// Whether a float convolution of one group can be created from float16 weights, between two calls of
// ocl_pack_f32_from_halves().
bool ocl_kernels_pack_halves(size_t inputs, size_t outputs);
void ocl_pack_f32_from_halves(bool from_halves);
// xnn_x32_packw_gemm_goi_ukernel_fn for kernels of 8 columns that take one input at a time.
void ocl_pack_f32_run(size_t groups, size_t columns, size_t depth, size_t nr, size_t kr, size_t sr,
                      const uint32_t* weights, const uint32_t* bias, const void* scale, uint32_t* packed,
                      size_t extra_bytes, const void* params);

// Puts them into XNNPACK's configuration. An operator keeps the kernels that it was created with.
void ocl_kernels_install(void);

// Whether 8-bit products are summed by relaxed dot products: only where those compute what XNNPACK's kernels need.
bool ocl_kernels_use_dot(void);
// Of those: whether they take the second operand as unsigned.
bool ocl_kernels_dot_is_unsigned(void);

// xnn_f32_dwconv_minmax_unipass_ukernel_fn, primary tile 9, channel tile 8.
void ocl_dwconv_f32_run(size_t channels, size_t output_width, const float** input, const float* weights, float* output,
                        intptr_t input_stride, size_t output_increment, size_t input_offset, const float* zero,
                        const union xnn_f32_minmax_params* params);

// xnn_qs8_qc8w_dwconv_minmax_unipass_ukernel_fn, primary tile 9, channel tile 16. Where relaxed dot products may be
// used.
void ocl_dwconv_qs8_run(size_t channels, size_t output_width, const int8_t** input, const void* weights, int8_t* output,
                        intptr_t input_stride, size_t output_increment, size_t input_offset, const int8_t* zero,
                        const union xnn_qs8_qc8w_conv_minmax_params* params);

// xnn_qs8_qc8w_gemm_minmax_ukernel_fn and its igemm, for one row and for four, by 8 columns, 4 inputs at a time.
// Likewise.
void ocl_gemm_qs8_run_1(size_t mr, size_t nc, size_t kc, const int8_t* a, size_t a_stride, const void* w, int8_t* c,
                        size_t cm_stride, size_t cn_stride, const union xnn_qs8_qc8w_conv_minmax_params* params);
void ocl_gemm_qs8_run_4(size_t mr, size_t nc, size_t kc, const int8_t* a, size_t a_stride, const void* w, int8_t* c,
                        size_t cm_stride, size_t cn_stride, const union xnn_qs8_qc8w_conv_minmax_params* params);
void ocl_igemm_qs8_run_1(size_t mr, size_t nc, size_t kc, size_t ks, const int8_t** a, const void* w, int8_t* c,
                         size_t cm_stride, size_t cn_stride, size_t a_offset, const int8_t* zero,
                         const union xnn_qs8_qc8w_conv_minmax_params* params);
void ocl_igemm_qs8_run_4(size_t mr, size_t nc, size_t kc, size_t ks, const int8_t** a, const void* w, int8_t* c,
                         size_t cm_stride, size_t cn_stride, size_t a_offset, const int8_t* zero,
                         const union xnn_qs8_qc8w_conv_minmax_params* params);

#endif  // OCELLI_KERNELS_KERNELS_H_
