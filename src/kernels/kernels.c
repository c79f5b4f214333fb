#include "kernels/kernels.h"

#include "xnnpack/config.h"

void ocl_kernels_install(void) {
  // The tables are XNNPACK's own, filled in by this call; the cast is the only way to them.
  struct xnn_dwconv_config* depthwise = (struct xnn_dwconv_config*)xnn_init_f32_dwconv_config();
  for (int i = 0; depthwise != NULL && i < XNN_MAX_F32_DWCONV_UKERNELS; i++) {
    if (depthwise[i].primary_tile != 9) continue;
    depthwise[i].minmax.unipass = (xnn_dwconv_unipass_ukernel_fn)ocl_dwconv_f32_run;
    depthwise[i].linear.unipass = NULL;  // without an activation: the same, with infinite bounds
  }
}
