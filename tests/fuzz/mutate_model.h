// How the fuzzer changes a model, which follows HEAD_BYTES bytes of decisions: most of the time numbers of its
// structure, as a change of its length, or of its weights, seldom leads anywhere. Included by a target.
#ifndef OCELLI_TESTS_FUZZ_MUTATE_MODEL_H_
#define OCELLI_TESTS_FUZZ_MUTATE_MODEL_H_

#include "fuzz.h"

size_t LLVMFuzzerMutate(uint8_t* bytes, size_t size_bytes, size_t max_size_bytes);
size_t LLVMFuzzerCustomMutator(uint8_t* bytes, size_t size_bytes, size_t max_size_bytes, unsigned int seed);

static uint32_t any_number(uint32_t old, uint32_t* state) {
  static const uint32_t kBoundaries[] = {0,          1,          2,          3,       4,       5,          7,
                                         8,          16,         127,        128,     255,     256,        1000,
                                         32767,      65535,      65536,      1 << 20, 1 << 24, 1 << 28,    1u << 30,
                                         0x7fffffff, 1u << 31,   0xffffffff, 0xfffe,  100000,  0x3f800000, 0x7f800000,
                                         0x7fc00000, 0x00000001, 0xff7fffff};
  switch (fuzz_random(state) % 5) {
    case 0: return kBoundaries[fuzz_random(state) % (sizeof kBoundaries / sizeof *kBoundaries)];
    case 1: return old + fuzz_random(state) % 9 - 4;
    case 2: return old ^ 1u << fuzz_random(state) % 32;
    case 3: return fuzz_random(state) % 10;
    default: return fuzz_random(state);
  }
}

// FlatBuffers keep numbers at multiples of their size. Most of what a model holds are weights, at the end or the
// beginning of the file; the numbers of its structure are small.
static bool is_structure(uint32_t word) {
  return word < 70000 || word > 0xfffffff0;
}

static void change_number(uint8_t* bytes, size_t size_bytes, uint32_t* state) {
  size_t at = 0;
  uint32_t word = 0;
  for (int i = 0; i < 16; i++) {
    at = fuzz_random(state) % (uint32_t)(size_bytes / 4) * 4;
    memcpy(&word, bytes + at, 4);
    if (is_structure(word)) break;
  }
  const uint32_t number = any_number(word, state), width = fuzz_random(state) % 4 == 0 ? 1 : 4;
  memcpy(bytes + at + (width == 1 ? fuzz_random(state) % 4 : 0), &number, width);
}

size_t LLVMFuzzerCustomMutator(uint8_t* bytes, size_t size_bytes, size_t max_size_bytes, unsigned int seed) {
  uint32_t state = seed;
  if (size_bytes < HEAD_BYTES + 64) return LLVMFuzzerMutate(bytes, size_bytes, max_size_bytes);
  if (fuzz_random(&state) % 4 == 0) LLVMFuzzerMutate(bytes, HEAD_BYTES, HEAD_BYTES);
  if (fuzz_random(&state) % 32 == 0) return LLVMFuzzerMutate(bytes, size_bytes, max_size_bytes);
  for (uint32_t left = 1 + fuzz_random(&state) % 3; left > 0; left--)
    change_number(bytes + HEAD_BYTES, size_bytes - HEAD_BYTES, &state);
  return size_bytes;
}

#endif  // OCELLI_TESTS_FUZZ_MUTATE_MODEL_H_
