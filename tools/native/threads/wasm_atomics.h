// WebAssembly's atomic wait and notify for src/graph/threads.c, by Linux's futex. native.mk includes it in that file.
#ifndef OCELLI_NATIVE_WASM_ATOMICS_H_
#define OCELLI_NATIVE_WASM_ATOMICS_H_

#include <linux/futex.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int ocl_native_wait(int32_t* address, int32_t value, int64_t timeout_ns) {
  (void)timeout_ns;  // none is asked for
  return (int)syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static inline int ocl_native_notify(int32_t* address, uint32_t count) {
  return (int)syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, count > INT32_MAX ? INT32_MAX : (int32_t)count, NULL,
                      NULL, 0);
}

#define __builtin_wasm_memory_atomic_wait32(address, value, timeout_ns) ocl_native_wait(address, value, timeout_ns)
#define __builtin_wasm_memory_atomic_notify(address, count) ocl_native_notify(address, count)

#endif  // OCELLI_NATIVE_WASM_ATOMICS_H_
