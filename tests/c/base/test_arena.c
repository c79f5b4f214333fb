#include <stdbool.h>

#include "base/arena.h"
#include "check.h"

// xorshift32: the same blocks everywhere.
static uint32_t next_random(uint32_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static bool live_together(const ocl_arena_block* a, const ocl_arena_block* b) {
  return a->first_step <= b->last_step && b->first_step <= a->last_step;
}

// What a block takes: its bytes, the slack, up to the next aligned offset.
static size_t footprint(const ocl_arena_block* block) {
  const size_t alignment = OCL_ARENA_ALIGNMENT_BYTES;
  return (block->size_bytes + OCL_ARENA_SLACK_BYTES + alignment - 1) / alignment * alignment;
}

static void check_plan(const ocl_arena_block* blocks, int32_t count, int32_t num_steps, size_t size_bytes) {
  size_t sum = 0;
  for (int32_t i = 0; i < count; i++) {
    sum += footprint(&blocks[i]);
    CHECK(blocks[i].offset_bytes % OCL_ARENA_ALIGNMENT_BYTES == 0);
    CHECK(blocks[i].offset_bytes + blocks[i].size_bytes + OCL_ARENA_SLACK_BYTES <= size_bytes);
    for (int32_t j = 0; j < i; j++) {
      const ocl_arena_block *a = &blocks[i], *b = &blocks[j];
      const bool is_apart = a->offset_bytes + a->size_bytes + OCL_ARENA_SLACK_BYTES <= b->offset_bytes ||
                            b->offset_bytes + b->size_bytes + OCL_ARENA_SLACK_BYTES <= a->offset_bytes;
      CHECK(is_apart || !live_together(a, b));
    }
  }
  CHECK(size_bytes <= sum);
  for (int32_t step = 0; step < num_steps; step++) {
    size_t live = 0;
    for (int32_t i = 0; i < count; i++)
      if (blocks[i].first_step <= step && step <= blocks[i].last_step) live += blocks[i].size_bytes;
    CHECK(size_bytes >= live);
  }
}

static void test_nothing(void) {
  size_t size_bytes = 1;
  CHECK_STATUS(ocl_arena_plan(NULL, 0, &size_bytes), OCL_OK);
  CHECK(size_bytes == 0);
}

static void test_random_lifetimes(void) {
  enum { ROUNDS = 300, MAX_BLOCKS = 60, STEPS = 40 };
  uint32_t state = 1;
  for (int round = 0; round < ROUNDS; round++) {
    ocl_arena_block blocks[MAX_BLOCKS];
    const int32_t count = 1 + (int32_t)(next_random(&state) % MAX_BLOCKS);
    for (int32_t i = 0; i < count; i++) {
      const int32_t first = (int32_t)(next_random(&state) % STEPS);
      const int32_t length = (int32_t)(next_random(&state) % (round % 2 == 0 ? 4 : STEPS));
      // Of all magnitudes, with empty blocks and equal sizes among them.
      const uint32_t magnitude = 4 + next_random(&state) % 28;
      blocks[i] = (ocl_arena_block){next_random(&state) >> magnitude, first, first + length, 0};
    }
    size_t size_bytes;
    CHECK_STATUS(ocl_arena_plan(blocks, count, &size_bytes), OCL_OK);
    check_plan(blocks, count, 2 * STEPS, size_bytes);
  }
}

// A chain, each value read by the next step only: two of them in memory at a time, whatever its length.
static void test_chain_takes_two_blocks(void) {
  enum { LENGTH = 100, BYTES = 4096 };
  ocl_arena_block blocks[LENGTH];
  for (int32_t i = 0; i < LENGTH; i++) blocks[i] = (ocl_arena_block){BYTES, i, i + 1, 0};
  size_t size_bytes;
  CHECK_STATUS(ocl_arena_plan(blocks, LENGTH, &size_bytes), OCL_OK);
  check_plan(blocks, LENGTH, LENGTH + 1, size_bytes);
  CHECK(size_bytes == 2 * footprint(&blocks[0]));
}

static void test_same_blocks_same_plan(void) {
  enum { COUNT = 50 };
  ocl_arena_block first[COUNT], second[COUNT];
  uint32_t state = 7;
  for (int32_t i = 0; i < COUNT; i++) {
    const int32_t from = (int32_t)(next_random(&state) % 20);
    first[i] = second[i] = (ocl_arena_block){1000 * (1 + next_random(&state) % 3), from, from + 3, 0};
  }
  size_t first_bytes, second_bytes;
  CHECK_STATUS(ocl_arena_plan(first, COUNT, &first_bytes), OCL_OK);
  CHECK_STATUS(ocl_arena_plan(second, COUNT, &second_bytes), OCL_OK);
  CHECK(first_bytes == second_bytes);
  for (int32_t i = 0; i < COUNT; i++) CHECK(first[i].offset_bytes == second[i].offset_bytes);
}

static void test_sums_that_do_not_fit(void) {
  size_t size_bytes;
  ocl_arena_block huge[] = {{SIZE_MAX, 0, 1, 0}};
  CHECK_STATUS(ocl_arena_plan(huge, 1, &size_bytes), OCL_OUT_OF_MEMORY);
  ocl_arena_block halves[] = {{SIZE_MAX / 2, 0, 1, 0}, {SIZE_MAX / 2, 2, 3, 0}, {SIZE_MAX / 2, 4, 5, 0}};
  CHECK_STATUS(ocl_arena_plan(halves, 3, &size_bytes), OCL_OUT_OF_MEMORY);
  ocl_arena_block quarters[] = {{SIZE_MAX / 4, 0, 1, 0}, {SIZE_MAX / 4, 1, 2, 0}};
  CHECK_STATUS(ocl_arena_plan(quarters, 2, &size_bytes), OCL_OUT_OF_MEMORY);
  quarters[1].first_step = 2;
  CHECK_STATUS(ocl_arena_plan(quarters, 2, &size_bytes), OCL_OK);
}

int main(void) {
  RUN(test_nothing);
  RUN(test_random_lifetimes);
  RUN(test_chain_takes_two_blocks);
  RUN(test_same_blocks_same_plan);
  RUN(test_sums_that_do_not_fit);
  return check_failed_tests;
}
