// Stage: tensor lifetimes -> offsets in one block of memory.
// Greedy by size: places the largest block first, and each at the lowest offset that no block with an overlapping
// lifetime occupies (Pisarchyk & Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
#ifndef OCELLI_ARENA_H_
#define OCELLI_ARENA_H_

#include "base/status.h"
#include "base/tensor.h"

// Every offset is a multiple of this, and every block is followed by as many bytes as a SIMD kernel may read past it.
enum { OCL_ARENA_ALIGNMENT_BYTES = 64, OCL_ARENA_SLACK_BYTES = 64 };

// The bytes from the start of something of `size_bytes` to where the next one may begin.
static inline size_t ocl_arena_padded(size_t size_bytes) {
  const size_t mask = OCL_ARENA_ALIGNMENT_BYTES - 1;
  return (size_bytes + OCL_ARENA_SLACK_BYTES + mask) & ~mask;
}

typedef struct {
  size_t size_bytes;
  int32_t first_step, last_step;  // inclusive; the block is untouched outside them
  size_t offset_bytes;            // result
} ocl_arena_block;

// Fills in every block's offset and *size_bytes_out, the memory they need together.
// OUT_OF_MEMORY: no memory for the sort, the sum of the sizes does not fit size_t, or the blocks need more than half of
// the address space.
ocl_status ocl_arena_plan(ocl_arena_block* blocks, int32_t num_blocks, size_t* size_bytes_out);

#endif  // OCELLI_ARENA_H_
