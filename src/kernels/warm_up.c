// Runs kernels on zeros, so that the engine has compiled them well before they are needed.
#include <math.h>

#include "kernels/kernels.h"
#include "xnnpack/config.h"
#include "xnnpack/microparams.h"

enum { PIXELS = 40, DEPTH = 32, TAPS = 9, MAX_ROWS = 6 };
enum { MAX_WEIGHTS = OCL_PANEL * (1 + TAPS * DEPTH) };

static const union xnn_f32_minmax_params kNoLimits = {.scalar = {-INFINITY, INFINITY}};

// `zeros`: inputs and weights. All pixels have the same inputs.
static void run_panels(const float* zeros, float* panel) {
  const ocl_panel_inputs one_tap = {.first = zeros, .num_taps = 1, .tap_bytes = DEPTH * sizeof *zeros};
  const ocl_panel_inputs taps = {.first = zeros, .num_taps = TAPS, .tap_bytes = DEPTH / TAPS * sizeof *zeros};
  ocl_gemm_f32_run_panel(PIXELS, &one_tap, zeros, panel, &kNoLimits);
  ocl_gemm_f32_run_panel(PIXELS, &taps, zeros, panel, &kNoLimits);
  const ocl_panel_row row = {.top = zeros, .output = panel, .output_width = PIXELS, .pixel_stride = OCL_PANEL};
  for (size_t stride = 1; stride <= 2; stride++) ocl_dwconv_f32_run_panel(&row, stride, zeros, 0, &kNoLimits);
}

static void run_tiles(const struct xnn_gemm_config* config, const float* zeros, float* tile) {
  const size_t mr = config->mr, nr = config->nr, row_bytes = nr * sizeof *tile, depth_bytes = DEPTH * sizeof *zeros;
  const void* rows[MAX_ROWS * TAPS];
  for (size_t i = 0; i < mr * TAPS; i++) rows[i] = zeros;
  // As often as the igemm has taps, so that both compute as much.
  for (int i = 0; i < TAPS; i++)
    config->minmax.gemm[mr - 1].function[XNN_UARCH_DEFAULT](mr, nr, depth_bytes, zeros, 0, zeros, tile, row_bytes,
                                                            row_bytes, &kNoLimits);
  config->minmax.igemm[mr - 1].function[XNN_UARCH_DEFAULT](mr, nr, depth_bytes, mr * TAPS * sizeof *rows, rows, zeros,
                                                           tile, row_bytes, row_bytes, 0, NULL, &kNoLimits);
}

void ocl_kernels_warm_up(void) {
  const struct xnn_gemm_config* config = xnn_init_f32_gemm_config();
  if (config == NULL || config->mr > MAX_ROWS || config->nr != OCL_PANEL) return;
  const float zeros[MAX_WEIGHTS] = {0};
  float output[PIXELS * OCL_PANEL];
  run_panels(zeros, output);
  run_tiles(config, zeros, output);
}
