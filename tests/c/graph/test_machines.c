// What the library takes from the machine. XNNPACK reads it once in a process.
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "machines.h"

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
      return check_failed_tests > 0;
    }
    int status;
    failed += waitpid(child, &status, 0) < 0 || status != 0;
  }
  return failed;
}
