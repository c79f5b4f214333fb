// Included before some of XNNPACK's files (xnnpack.mk): their tables choose among kernels at run time, so the linker
// cannot see that ocelli asks for a few of them only. Here the others become "not available"; an operator that asked
// for one would be refused, not miscomputed. Takes 200 KB off the module.
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
#define xnn_init_f32_abs_config() NULL
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

// Kernels for ReLU and for no activation: the ones with two bounds do the same.
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

// For fewer than eight outputs: the kernels for eight do.
#define xnn_f32_gemm_minmax_ukernel_4x2c4__wasmrelaxedsimd_fma NULL
#define xnn_f32_gemm_minmax_ukernel_4x2c4__wasmsimd_arm NULL
#define xnn_f32_gemm_minmax_ukernel_4x2c4__wasmsimd_x86 NULL
#define xnn_f32_igemm_minmax_ukernel_4x2c4__wasmrelaxedsimd_fma NULL
#define xnn_f32_igemm_minmax_ukernel_4x2c4__wasmsimd_arm NULL
#define xnn_f32_igemm_minmax_ukernel_4x2c4__wasmsimd_x86 NULL
#define xnn_x32_packw_gemm_goi_ukernel_x2c4__wasmsimd_u4 NULL

// Transposing bytes is rare, and never much.
#define xnn_x8_transposec_ukernel__16x16_reuse_mov_wasmsimd xnn_x8_transposec_ukernel__2x4_scalar_int
#define xnn_x16_transposec_ukernel__8x8_reuse_mov_wasmsimd xnn_x16_transposec_ukernel__2x4_scalar_int

// Signed dot products on x86, which no engine there has but by emulation: the kernels for ARM do as well.
#define xnn_qs8_qc8w_gemm_minmax_fp32_ukernel_1x8c8__wasmsdot xnn_qs8_qc8w_gemm_minmax_fp32_ukernel_1x8c8__wasmsdot_u2
#define xnn_qs8_qc8w_gemm_minmax_fp32_ukernel_2x8c8__wasmsdot xnn_qs8_qc8w_gemm_minmax_fp32_ukernel_4x8c8__wasmsdot_u2
#define xnn_qs8_qc8w_igemm_minmax_fp32_ukernel_1x8c8__wasmsdot xnn_qs8_qc8w_igemm_minmax_fp32_ukernel_1x8c8__wasmsdot_u2
