// XNNPACK's assertions, for fuzzing, although it is compiled with NDEBUG. One is wrong where it stands (qs8-rsum's
// relaxed kernel takes 64 numbers at a time, and asserts that fewer than 32 are left): it is left out.
#include <stdio.h>
#include <stdlib.h>

#ifndef OCELLI_NATIVE_ASSERT_H_
#define OCELLI_NATIVE_ASSERT_H_

static inline void ocl_native_assert(int is_true, int is_wrong, const char* text, const char* file, int line) {
  if (is_true || is_wrong) return;
  fprintf(stderr, "%s:%d: Assertion `%s' failed.\n", file, line, text);
  abort();
}

#endif  // OCELLI_NATIVE_ASSERT_H_

#undef assert
#define assert(condition)                                                                                           \
  ocl_native_assert((condition) ? 1 : 0, __builtin_strcmp(#condition, "batch >= 1 && batch < 32") == 0, #condition, \
                    __FILE__, __LINE__)
#ifndef __cplusplus
#undef static_assert
#define static_assert _Static_assert
#endif
