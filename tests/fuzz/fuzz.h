// What the fuzz targets share: the fuzzer's bytes as a source of decisions, random numbers, and how a finding is
// reported. A target is a program with LLVMFuzzerTestOneInput(); tests/fuzz/README.md says how it is built and run.
#ifndef OCELLI_TESTS_FUZZ_H_
#define OCELLI_TESTS_FUZZ_H_

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A finding: prints what is wrong, and stops.
#define FUZZ_CHECK(condition, ...)                                    \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      fprintf(stderr, __VA_ARGS__);                                   \
      fputc('\n', stderr);                                            \
      abort();                                                        \
    }                                                                 \
  } while (0)

// Decisions. Past the end of the bytes every decision is the first one, 0.
typedef struct {
  const uint8_t* at;
  size_t left;
} fuzz_bytes;

static inline uint32_t fuzz_byte(fuzz_bytes* b) {
  if (b->left == 0) return 0;
  b->left--;
  return *b->at++;
}

static inline uint32_t fuzz_u32(fuzz_bytes* b) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) value = value << 8 | fuzz_byte(b);
  return value;
}

// 0 to count - 1; `count` is 1 to 256.
static inline int32_t fuzz_below(fuzz_bytes* b, int32_t count) {
  return (int32_t)(fuzz_byte(b) % (uint32_t)count);
}

// `min` to `max`, both included, at most 256 numbers.
static inline int32_t fuzz_range(fuzz_bytes* b, int32_t min, int32_t max) {
  return min + fuzz_below(b, max - min + 1);
}

// True for one byte in `count`, and not for 0.
static inline bool fuzz_one_in(fuzz_bytes* b, int32_t count) {
  return fuzz_below(b, count) == count - 1;
}

// xorshift32, by George Marsaglia.
static inline uint32_t fuzz_random(uint32_t* state) {
  uint32_t x = *state == 0 ? 0x9e3779b9u : *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

// -1 to 1
static inline float fuzz_random_real(uint32_t* state) {
  return (float)(int32_t)fuzz_random(state) / 2147483648.0f;
}

// Memory of exactly that size, so that a read past its end is seen, with a copy of `bytes`. The caller frees it.
static inline uint8_t* fuzz_copy(const uint8_t* bytes, size_t size_bytes) {
  uint8_t* copy = malloc(size_bytes == 0 ? 1 : size_bytes);
  if (copy == NULL) abort();
  if (size_bytes > 0) memcpy(copy, bytes, size_bytes);
  return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size_bytes);

#endif  // OCELLI_TESTS_FUZZ_H_
