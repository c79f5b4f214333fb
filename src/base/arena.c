#include "base/arena.h"

#include <stdbool.h>
#include <stdlib.h>

static int larger_first(const void* a, const void* b) {
  const ocl_arena_block* x = *(ocl_arena_block* const*)a;
  const ocl_arena_block* y = *(ocl_arena_block* const*)b;
  if (x->size_bytes != y->size_bytes) return x->size_bytes > y->size_bytes ? -1 : 1;
  return x < y ? -1 : x > y;  // a total order: the same plan on every platform's qsort
}

static bool live_together(const ocl_arena_block* a, const ocl_arena_block* b) {
  return a->first_step <= b->last_step && b->first_step <= a->last_step;
}

static size_t footprint(const ocl_arena_block* block) {
  return ocl_arena_padded(block->size_bytes);
}

// The lowest offset at which `block` collides with none of the `count` placed ones, which are in order of offset.
static size_t lowest_free_offset(const ocl_arena_block* block, ocl_arena_block* const* placed, int32_t count) {
  size_t offset = 0;
  for (int32_t i = 0; i < count; i++) {
    const ocl_arena_block* other = placed[i];
    if (other->offset_bytes >= offset + footprint(block)) break;
    const size_t end = other->offset_bytes + footprint(other);
    if (end > offset && live_together(block, other)) offset = end;
  }
  return offset;
}

// Keeps the first `count + 1` entries in order of offset; order[count] is the new one.
static void insert_by_offset(ocl_arena_block** order, int32_t count) {
  ocl_arena_block* block = order[count];
  int32_t i = count;
  for (; i > 0 && order[i - 1]->offset_bytes > block->offset_bytes; i--) order[i] = order[i - 1];
  order[i] = block;
}

ocl_status ocl_arena_plan(ocl_arena_block* blocks, int32_t num_blocks, size_t* size_bytes_out) {
  *size_bytes_out = 0;
  if (num_blocks == 0) return OCL_OK;
  ocl_arena_block** order = malloc((size_t)num_blocks * sizeof *order);
  if (order == NULL) return OCL_OUT_OF_MEMORY;
  size_t sum = 0;
  bool fits = true;
  for (int32_t i = 0; i < num_blocks; i++) {
    order[i] = &blocks[i];
    fits = fits && blocks[i].size_bytes <= SIZE_MAX / 2 && !__builtin_add_overflow(sum, footprint(&blocks[i]), &sum);
  }
  qsort(order, (size_t)num_blocks, sizeof *order, larger_first);
  for (int32_t i = 0; fits && i < num_blocks; i++) {
    order[i]->offset_bytes = lowest_free_offset(order[i], order, i);
    const size_t end = order[i]->offset_bytes + footprint(order[i]);
    if (end > *size_bytes_out) *size_bytes_out = end;
    insert_by_offset(order, i);
  }
  free(order);
  return fits && *size_bytes_out <= SIZE_MAX / 2 ? OCL_OK : OCL_OUT_OF_MEMORY;
}
