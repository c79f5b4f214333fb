// tools/xnnpack.mk includes this file before some of XNNPACK's files. Their tables select kernels at run time, so the
// linker cannot see that ocelli uses only a few of them. These macros make the others "not available": creating an
// operator that needs one fails. This makes the module 200 KB smaller.
#include <stddef.h>

#include "xnnpack/config.h"
#include "xnnpack/dwconv.h"
#include "xnnpack/gemm.h"
#include "xnnpack/igemm.h"
#include "xnnpack/packw.h"
#include "xnnpack/reference-config.h"
#include "xnnpack/transpose.h"

#define xnn_init_binary_reference_config(type, datatype) NULL
#define xnn_init_unary_reference_config(type, input, output) NULL

#define xnn_init_f32_vcopysign_config() NULL
#define xnn_init_f32_vdiv_config() NULL
#define xnn_init_f32_vmax_config() NULL
#define xnn_init_f32_vmin_config() NULL
#define xnn_init_f32_vprelu_config() NULL
#define xnn_init_f32_vsqrdiff_config() NULL

#define xnn_init_f16_to_f32_cvt_config() NULL
#define xnn_init_f32_to_f16_cvt_config() NULL
#define xnn_init_f32_elu_config() NULL
#define xnn_init_f32_exp_config() NULL
#define xnn_init_f32_gelu_config() NULL
#define xnn_init_f32_log_config() NULL
#define xnn_init_f32_lrelu_config() NULL
#define xnn_init_f32_neg_config() NULL
#define xnn_init_f32_rndd_config() NULL
#define xnn_init_f32_rndne_config() NULL
#define xnn_init_f32_rndu_config() NULL
#define xnn_init_f32_rsqrt_config() NULL
#define xnn_init_f32_sqr_config() NULL
#define xnn_init_f32_sqrt_config() NULL
#define xnn_init_f32_tanh_config() NULL
#define xnn_init_qs8_cvt_config() NULL
#define xnn_init_qs8_lrelu_config() NULL
#define xnn_init_qu8_cvt_config() NULL
#define xnn_init_qu8_lrelu_config() NULL
#define xnn_init_x8_lut_config() NULL

// Kernels with ReLU or without an activation: the minmax kernels compute the same.
#define xnn_f32_gemm_relu_ukernel_1x8__wasmrelaxedsimd_fma_loadsplat NULL
#define xnn_f32_gemm_relu_ukernel_1x8__wasmrelaxedsimd_fma_splat NULL
#define xnn_f32_gemm_relu_ukernel_4x8__wasmrelaxedsimd_fma_loadsplat NULL
#define xnn_f32_gemm_relu_ukernel_6x8__wasmrelaxedsimd_fma_splat NULL
#define xnn_f32_gemm_relu_ukernel_1x8__wasmsimd_loadsplat NULL
#define xnn_f32_gemm_relu_ukernel_1x8__wasmsimd_splat NULL
#define xnn_f32_gemm_relu_ukernel_4x8__wasmsimd_loadsplat NULL
#define xnn_f32_gemm_relu_ukernel_4x8__wasmsimd_splat NULL
#define xnn_f32_gemm_relu_ukernel_5x8__wasmsimd_splat NULL
#define xnn_f32_igemm_relu_ukernel_1x8__wasmrelaxedsimd_fma_loadsplat NULL
#define xnn_f32_igemm_relu_ukernel_1x8__wasmrelaxedsimd_fma_splat NULL
#define xnn_f32_igemm_relu_ukernel_4x8__wasmrelaxedsimd_fma_loadsplat NULL
#define xnn_f32_igemm_relu_ukernel_6x8__wasmrelaxedsimd_fma_splat NULL
#define xnn_f32_igemm_relu_ukernel_1x8__wasmsimd_loadsplat NULL
#define xnn_f32_igemm_relu_ukernel_1x8__wasmsimd_splat NULL
#define xnn_f32_igemm_relu_ukernel_4x8__wasmsimd_loadsplat NULL
#define xnn_f32_igemm_relu_ukernel_4x8__wasmsimd_splat NULL
#define xnn_f32_igemm_relu_ukernel_5x8__wasmsimd_splat NULL
#define xnn_f32_dwconv_ukernel_3p8c__wasmrelaxedsimd_fma NULL
#define xnn_f32_dwconv_ukernel_3p8c__wasmsimd NULL
#define xnn_f32_dwconv_ukernel_3p4c__wasmsimd NULL
#define xnn_f32_dwconv_ukernel_4p8c__wasmrelaxedsimd_fma NULL
#define xnn_f32_dwconv_ukernel_4p8c__wasmsimd NULL
#define xnn_f32_dwconv_ukernel_4p4c__wasmsimd NULL
#define xnn_f32_dwconv_ukernel_9p8c__wasmrelaxedsimd_fma NULL
#define xnn_f32_dwconv_ukernel_9p8c__wasmsimd NULL
#define xnn_f32_dwconv_ukernel_9p4c__wasmsimd NULL
#define xnn_f32_dwconv_ukernel_25p8c__wasmrelaxedsimd_fma NULL
#define xnn_f32_dwconv_ukernel_25p4c__wasmsimd NULL
#define xnn_f32_gemm_ukernel_1x8__wasmrelaxedsimd_fma_loadsplat NULL
#define xnn_f32_gemm_ukernel_1x8__wasmrelaxedsimd_fma_splat NULL
#define xnn_f32_gemm_ukernel_1x8__wasmsimd_loadsplat NULL
#define xnn_f32_gemm_ukernel_1x8__wasmsimd_splat NULL
#define xnn_f32_gemm_ukernel_4x2c4__wasmrelaxedsimd_fma NULL
#define xnn_f32_gemm_ukernel_4x2c4__wasmsimd NULL
#define xnn_f32_gemm_ukernel_4x8__wasmrelaxedsimd_fma_loadsplat NULL
#define xnn_f32_gemm_ukernel_4x8__wasmsimd_loadsplat NULL
#define xnn_f32_gemm_ukernel_4x8__wasmsimd_splat NULL
#define xnn_f32_gemm_ukernel_5x8__wasmsimd_splat NULL
#define xnn_f32_gemm_ukernel_6x8__wasmrelaxedsimd_fma_splat NULL
#define xnn_f32_igemm_ukernel_1x8__wasmrelaxedsimd_fma_loadsplat NULL
#define xnn_f32_igemm_ukernel_1x8__wasmrelaxedsimd_fma_splat NULL
#define xnn_f32_igemm_ukernel_1x8__wasmsimd_loadsplat NULL
#define xnn_f32_igemm_ukernel_1x8__wasmsimd_splat NULL
#define xnn_f32_igemm_ukernel_4x2c4__wasmrelaxedsimd_fma NULL
#define xnn_f32_igemm_ukernel_4x2c4__wasmsimd NULL
#define xnn_f32_igemm_ukernel_4x8__wasmrelaxedsimd_fma_loadsplat NULL
#define xnn_f32_igemm_ukernel_4x8__wasmsimd_loadsplat NULL
#define xnn_f32_igemm_ukernel_4x8__wasmsimd_splat NULL
#define xnn_f32_igemm_ukernel_5x8__wasmsimd_splat NULL
#define xnn_f32_igemm_ukernel_6x8__wasmrelaxedsimd_fma_splat NULL

// Kernels for fewer than eight output channels: ocelli uses the kernels for eight.
#define xnn_f32_gemm_minmax_ukernel_4x2c4__wasmrelaxedsimd_fma NULL
#define xnn_f32_gemm_minmax_ukernel_4x2c4__wasmsimd_arm NULL
#define xnn_f32_gemm_minmax_ukernel_4x2c4__wasmsimd_x86 NULL
#define xnn_f32_igemm_minmax_ukernel_4x2c4__wasmrelaxedsimd_fma NULL
#define xnn_f32_igemm_minmax_ukernel_4x2c4__wasmsimd_arm NULL
#define xnn_f32_igemm_minmax_ukernel_4x2c4__wasmsimd_x86 NULL
#define xnn_x32_packw_gemm_goi_ukernel_x2c4__wasmsimd_u4 NULL

// Transposes of 8- and 16-bit values are rare and small, so the scalar kernels are fast enough.
#define xnn_x8_transposec_ukernel__16x16_reuse_mov_wasmsimd xnn_x8_transposec_ukernel__2x4_scalar_int
#define xnn_x16_transposec_ukernel__8x8_reuse_mov_wasmsimd xnn_x16_transposec_ukernel__2x4_scalar_int

// Signed dot products on x86, where engines can only emulate them: the kernels for ARM work as well.
#define xnn_qs8_qc8w_gemm_minmax_fp32_ukernel_1x8c8__wasmsdot xnn_qs8_qc8w_gemm_minmax_fp32_ukernel_1x8c8__wasmsdot_u2
#define xnn_qs8_qc8w_gemm_minmax_fp32_ukernel_2x8c8__wasmsdot xnn_qs8_qc8w_gemm_minmax_fp32_ukernel_4x8c8__wasmsdot_u2
#define xnn_qs8_qc8w_igemm_minmax_fp32_ukernel_1x8c8__wasmsdot xnn_qs8_qc8w_igemm_minmax_fp32_ukernel_1x8c8__wasmsdot_u2
