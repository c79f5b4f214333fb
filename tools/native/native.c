// What a native build has besides src/.
#include <wasm_simd128.h>

int ocl_native_dot = OCL_NATIVE_DOT_SIGNED;

// ASan asks for it; native.mk keeps the linker from leaving it out.
const char* __asan_default_options(void);
const char* __asan_default_options(void) {
  return "allocator_may_return_null=1";  // as malloc() does: a status says so
}
