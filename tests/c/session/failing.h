// Makes allocations fail, and counts those that live. The program is linked with --wrap for these functions
// (native.mk), so that the library's and XNNPACK's calls come here.
#ifndef OCELLI_TESTS_FAILING_H_
#define OCELLI_TESTS_FAILING_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static struct {
  int64_t countdown;  // allocations until one fails; below 0: none does
  bool is_lasting;    // and all after it
  bool has_failed;
  int64_t num_calls, num_live;
} failing = {.countdown = -1};

void* __real_malloc(size_t size_bytes);
void* __real_calloc(size_t count, size_t size_bytes);
void* __real_realloc(void* memory, size_t size_bytes);
void* __real_aligned_alloc(size_t alignment, size_t size_bytes);
void* __real_memalign(size_t alignment, size_t size_bytes);
int __real_posix_memalign(void** memory, size_t alignment, size_t size_bytes);
void __real_free(void* memory);

static bool is_to_fail(void) {
  failing.num_calls++;
  if (failing.has_failed && failing.is_lasting) return true;
  if (failing.countdown < 0 || failing.has_failed) return false;
  failing.has_failed = failing.countdown-- == 0;
  return failing.has_failed;
}

static void* counted(void* memory) {
  failing.num_live += memory != NULL;
  return memory;
}

void* __wrap_malloc(size_t size_bytes);
void* __wrap_malloc(size_t size_bytes) {
  return is_to_fail() ? NULL : counted(__real_malloc(size_bytes));
}
void* __wrap_calloc(size_t count, size_t size_bytes);
void* __wrap_calloc(size_t count, size_t size_bytes) {
  return is_to_fail() ? NULL : counted(__real_calloc(count, size_bytes));
}
void* __wrap_realloc(void* memory, size_t size_bytes);
void* __wrap_realloc(void* memory, size_t size_bytes) {
  if (is_to_fail()) return NULL;
  return memory == NULL ? counted(__real_realloc(memory, size_bytes)) : __real_realloc(memory, size_bytes);
}
void* __wrap_aligned_alloc(size_t alignment, size_t size_bytes);
void* __wrap_aligned_alloc(size_t alignment, size_t size_bytes) {
  return is_to_fail() ? NULL : counted(__real_aligned_alloc(alignment, size_bytes));
}
void* __wrap_memalign(size_t alignment, size_t size_bytes);
void* __wrap_memalign(size_t alignment, size_t size_bytes) {
  return is_to_fail() ? NULL : counted(__real_memalign(alignment, size_bytes));
}
int __wrap_posix_memalign(void** memory, size_t alignment, size_t size_bytes);
int __wrap_posix_memalign(void** memory, size_t alignment, size_t size_bytes) {
  if (is_to_fail()) return 12;  // ENOMEM
  const int failed = __real_posix_memalign(memory, alignment, size_bytes);
  failing.num_live += failed == 0;
  return failed;
}
void __wrap_free(void* memory);
void __wrap_free(void* memory) {
  failing.num_live -= memory != NULL;
  __real_free(memory);
}

static void fail_at(int64_t n, bool is_lasting) {
  failing.countdown = n;
  failing.is_lasting = is_lasting;
  failing.has_failed = false;
}

static void fail_no_more(void) {
  fail_at(-1, false);
}

#endif  // OCELLI_TESTS_FAILING_H_
