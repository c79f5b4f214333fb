#include "kernels/kernels.h"

#include <string.h>

#include "xnnpack/config.h"
#include "xnnpack/gemm.h"
#include "xnnpack/hardware-config.h"
#include "xnnpack/igemm.h"

// XNNPACK fills its configuration tables on first use and offers no setter, so casts remove their const.

static void install_depthwise(void) {
  struct xnn_dwconv_config* configs = (struct xnn_dwconv_config*)xnn_init_f32_dwconv_config();
  for (int i = 0; configs != NULL && i < XNN_MAX_F32_DWCONV_UKERNELS; i++) {
    if (configs[i].primary_tile != 9) continue;
    configs[i].minmax.unipass = (xnn_dwconv_unipass_ukernel_fn)ocl_dwconv_f32_run;
    // The weight layout of our kernel; XNNPACK's kernel may have a tile of four channels.
    configs[i].channel_tile = configs[i].channel_subtile = 8;
  }
}

// On x86 XNNPACK's float kernels compute tiles of four rows by eight columns. Tiles of six rows need twelve
// accumulators, two weights and one input, which fits the sixteen registers of x86. They do 12 multiply-adds for 8
// loads instead of 8 for 6, and have enough independent accumulators to hide the latency. Tiles of five rows are for
// small feature maps whose number of pixels is divisible by five. Without a fused multiply-add the products need
// registers too, and four rows stay fastest.
static void install_matrix(void) {
#ifdef __wasm_relaxed_simd__
  enum { FIVE = 4, SIX = 5 };  // indices into the tables, which begin with one row
  struct xnn_gemm_config* config = (struct xnn_gemm_config*)xnn_init_f32_gemm_config();
  if (config == NULL || config->mr != 4) return;
  config->minmax.gemm[SIX] = xnn_init_hmp_gemm_ukernel((xnn_gemm_ukernel_fn)ocl_gemm_f32_run);
  config->minmax.igemm[FIVE] = xnn_init_hmp_igemm_ukernel((xnn_igemm_ukernel_fn)ocl_igemm_f32_run_five);
  config->minmax.igemm[SIX] = xnn_init_hmp_igemm_ukernel((xnn_igemm_ukernel_fn)ocl_igemm_f32_run);
  config->mr = 6;
#endif
}

static void install_packing(void) {
  struct xnn_gemm_config* config = (struct xnn_gemm_config*)xnn_init_f32_gemm_config();
  if (config != NULL && config->nr == 8 && config->log2_kr == 0)
    config->pack_gemm_goi = (xnn_packw_gemm_goi_ukernel_fn)ocl_pack_f32_run;
}

// With one input, or fewer outputs than nr, XNNPACK may choose other kernels with another packing function.
bool ocl_kernels_pack_stored(size_t inputs, size_t outputs) {
  const struct xnn_gemm_config* config = xnn_init_f32_gemm_config();
  return config != NULL && config->pack_gemm_goi == (xnn_packw_gemm_goi_ukernel_fn)ocl_pack_f32_run && inputs > 1 &&
         outputs >= config->nr;
}

bool ocl_kernels_use_dot(void) {
#ifdef __wasm_relaxed_simd__
  const struct xnn_hardware_config* config = xnn_init_hardware_config();
  return config != NULL && (config->use_wasm_sdot || config->use_wasm_usdot);
#else
  return false;
#endif
}

int8_t ocl_kernels_flip(void) {
#ifdef __wasm_relaxed_simd__
  if (ocl_kernels_use_dot() && !xnn_init_hardware_config()->use_wasm_sdot) return INT8_MIN;
#endif
  return 0;
}

static void install_depthwise_int8(void) {
  struct xnn_dwconv_config* configs = (struct xnn_dwconv_config*)xnn_init_qs8_qc8w_dwconv_config();
  for (int i = 0; configs != NULL && i < XNN_MAX_QC8_DWCONV_UKERNELS; i++)
    if (configs[i].primary_tile == 9) configs[i].minmax.unipass = (xnn_dwconv_unipass_ukernel_fn)ocl_dwconv_qs8_run;
}

static void put(struct xnn_gemm_config* config, size_t mr, void* gemm, void* igemm) {
  config->minmax.gemm[mr - 1] = xnn_init_hmp_gemm_ukernel((xnn_gemm_ukernel_fn)gemm);
  config->minmax.igemm[mr - 1] = xnn_init_hmp_igemm_ukernel((xnn_igemm_ukernel_fn)igemm);
  config->mr = (uint8_t)mr;
}

static void put_kernels_int8(struct xnn_gemm_config* config) {
#ifdef __wasm_relaxed_simd__
  if (ocl_kernels_use_dot()) {
    put(config, 1, ocl_gemm_qs8_run_quads_1, ocl_igemm_qs8_run_quads_1);
    put(config, 4, ocl_gemm_qs8_run_quads_4, ocl_igemm_qs8_run_quads_4);
    config->log2_kr = 2;
    return;
  }
#endif
  put(config, 1, ocl_gemm_qs8_run_pairs_1, ocl_igemm_qs8_run_pairs_1);
  put(config, 5, ocl_gemm_qs8_run_pairs_5, ocl_igemm_qs8_run_pairs_5);
  config->log2_kr = 1;
}

static void install_matrix_int8(void) {
  struct xnn_gemm_config* config = (struct xnn_gemm_config*)xnn_init_qs8_qc8w_gemm_config();
  if (config == NULL) return;
  memset(&config->minmax, 0, sizeof config->minmax);
  config->nr = 8;
  config->log2_sr = 0;
  put_kernels_int8(config);
}

void ocl_kernels_install(bool are_only_missing) {
  install_matrix_int8();
  if (are_only_missing) return;
  install_depthwise();
  install_matrix();
  install_packing();
  install_depthwise_int8();
}
