// What the library takes from the machine. XNNPACK reads it once in a process.
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "machines.h"
#include "xnnpack/config.h"
#include "xnnpack/dwconv.h"
#include "xnnpack/packw.h"

static const machine* current;

static void dot_products_are_found(void) {
#ifdef __wasm_relaxed_simd__
  CHECK(ocl_kernels_use_dot() == (current->dot != OCL_NATIVE_DOT_SATURATES));
#else
  CHECK(!ocl_kernels_use_dot());
#endif
}

static void every_machine_can_be_one_of_x86(void) {
  CHECK(xnn_init_hardware_config()->is_x86 == current->is_x86);
  ocl_graph_make_deterministic();
  CHECK(xnn_init_hardware_config()->is_x86);
}

static void packing_reads_what_is_stored(void) {
  CHECK(ocl_kernels_pack_stored(2, 8) && ocl_kernels_pack_stored(2, 9));
  CHECK(!ocl_kernels_pack_stored(1, 8) && !ocl_kernels_pack_stored(2, 7));
}

// Without them the numbers are the same, and slower to come by.
static void kernels_are_installed(void) {
  const struct xnn_dwconv_config *floats = xnn_init_f32_dwconv_config(), *bytes = xnn_init_qs8_qc8w_dwconv_config();
  int num_floats = 0, num_bytes = 0;
  for (int i = 0; i < XNN_MAX_F32_DWCONV_UKERNELS; i++)
    num_floats += floats[i].minmax.unipass == (xnn_dwconv_unipass_ukernel_fn)ocl_dwconv_f32_run &&
                  floats[i].channel_tile == 8 && floats[i].channel_subtile == 8 && floats[i].primary_tile == 9;
  for (int i = 0; i < XNN_MAX_QC8_DWCONV_UKERNELS; i++)
    num_bytes += bytes[i].minmax.unipass == (xnn_dwconv_unipass_ukernel_fn)ocl_dwconv_qs8_run;
  const struct xnn_gemm_config *matrix = xnn_init_f32_gemm_config(), *int8 = xnn_init_qs8_qc8w_gemm_config();
  CHECK(matrix->pack_gemm_goi == (xnn_packw_gemm_goi_ukernel_fn)ocl_pack_f32_run);
#ifdef __wasm_relaxed_simd__
  CHECK(matrix->mr == 6);
#endif
  const bool has_quads = ocl_kernels_use_dot();
  CHECK(int8->mr == (has_quads ? 4 : 5) && int8->log2_kr == (has_quads ? 2 : 1) && int8->nr == 8 && int8->log2_sr == 0);
  CHECK(num_floats >= 1 && num_bytes == 1);
}

int main(void) {
  int failed = 0;
  for (size_t i = 0; i < NUM_MACHINES; i++) {
    const pid_t child = fork();
    if (child == 0) {
      current = &kMachines[i];
      become_machine(current);
      RUN(dot_products_are_found);
      RUN(every_machine_can_be_one_of_x86);
      RUN(packing_reads_what_is_stored);
      RUN(kernels_are_installed);
      return check_failed_tests > 0;
    }
    int status;
    failed += waitpid(child, &status, 0) < 0 || status != 0;
  }
  return failed;
}
