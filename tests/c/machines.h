// The kinds of machine whose kernels XNNPACK tells apart in a module: by the sign of a NaN, and by what the relaxed dot
// product makes of numbers that need an eighth bit.
#ifndef OCELLI_TESTS_MACHINES_H_
#define OCELLI_TESTS_MACHINES_H_

#include <stdbool.h>
#include <wasm_simd128.h>

#include "graph/graph.h"
#include "kernels/kernels.h"
#include "xnnpack/hardware-config.h"

typedef struct {
  const char* name;
  bool is_x86;
  int dot;
} machine;

static const machine kMachines[] = {
    {"ARM", false, OCL_NATIVE_DOT_SIGNED},
    {"x86", true, OCL_NATIVE_DOT_SATURATES},
#ifdef __wasm_relaxed_simd__
    {"x86 with VNNI", true, OCL_NATIVE_DOT_UNSIGNED},
#endif
};
enum { NUM_MACHINES = sizeof kMachines / sizeof *kMachines };

// Before the first graph; as exports.c starts the module.
static void become_machine(const machine* m) {
  ocl_native_dot = m->dot;
  // The table is XNNPACK's own and filled in on first use; the cast is the only way to it.
  ((struct xnn_hardware_config*)xnn_init_hardware_config())->is_x86 = m->is_x86;
  ocl_kernels_install(false);
  ocl_graph_enable_shared_rows();
}

#endif  // OCELLI_TESTS_MACHINES_H_
