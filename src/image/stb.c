// Stage: a checked image file -> RGB u8 [H,W,3]. The only file that sees stb_image (2.30); see stb.h.
// Invariant: at any time at most `budget_bytes` are allocated; after a failure none are.
//
// Reports against stb_image 2.30 that upstream has not fixed, and what keeps each out:
// - CVE-2023-45661, -45664, -45666, -45667, CVE-2026-5186: the loader of animated GIFs
//   (stbi_load_gif_from_memory), never called: the single-frame path does not enter it.
// - CVE-2023-45662: stbi_set_flip_vertically_on_load, never called.
// - CVE-2023-45663 (TGA, HDR), CVE-2023-43898 (PIC): formats that are not compiled in.
// - CVE-2026-5313 and issue 2001 (a small GIF asks for gigabytes): the budget.
// - issues 1861, 1929, 1535, 1595 (palette entries, JPEG planes and locals read before they are written, so that old
//   memory shows in the pixels): allocations are zeroed, and so are locals (next lines).
// - issue 1928, 16-bit conversions that overflow or leak: the budget caps the sizes; what leaks is freed with the list.
// - signed overflow in the inverse DCT of hostile coefficients: wraps (next lines).
// Clang has no such pragma: there the build passes -ftrivial-auto-var-init=zero -fwrapv for this file.
#ifndef __clang__
#pragma GCC optimize("trivial-auto-var-init=zero", "wrapv")
#endif

#include "image/stb.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// ---- stb_image's memory

// Precedes each allocation. All of a decode's blocks are in one list, so that nothing stb loses track of stays behind.
typedef struct block {
  alignas(16) struct block* next;
  struct block* previous;
  size_t size_bytes;
} block;

typedef struct {
  block list;  // its head; holds no memory itself
  size_t used_bytes, limit_bytes;
  bool is_exhausted, is_out_of_memory;
} budget;

// stb's macros carry no context, so the decode under way is found here. Set only while ocl_image_stb_decode() runs.
static budget* current;

static void link_block(block* b) {
  b->previous = &current->list;
  b->next = current->list.next;
  b->next->previous = b;
  current->list.next = b;
  current->used_bytes += b->size_bytes;
}

static void unlink_block(block* b) {
  b->previous->next = b->next;
  b->next->previous = b->previous;
  current->used_bytes -= b->size_bytes;
}

static void* budget_malloc(size_t size_bytes) {
  if (size_bytes > current->limit_bytes - current->used_bytes) {
    current->is_exhausted = true;
    return NULL;
  }
  block* b = calloc(1, sizeof *b + size_bytes);
  if (b == NULL) {
    current->is_out_of_memory = true;
    return NULL;
  }
  b->size_bytes = size_bytes;
  link_block(b);
  return b + 1;
}

static void budget_free(void* memory) {
  if (memory == NULL) return;
  block* b = (block*)memory - 1;
  unlink_block(b);
  free(b);
}

// Old and new are both held while copying, and both count.
static void* budget_realloc(void* memory, size_t old_size_bytes, size_t size_bytes) {
  void* grown = budget_malloc(size_bytes);
  if (grown == NULL || memory == NULL) return grown;
  memcpy(grown, memory, old_size_bytes < size_bytes ? old_size_bytes : size_bytes);
  budget_free(memory);
  return grown;
}

// ---- stb_image

#define STBI_MALLOC(size) budget_malloc(size)
#define STBI_REALLOC_SIZED(memory, old_size, size) budget_realloc(memory, old_size, size)
#define STBI_FREE(memory) budget_free(memory)
#define STBI_ASSERT(condition) ((void)0)  // never abort; what they state is tested by mutation under sanitizers
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_ONLY_GIF
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#ifdef __wasm_simd128__
#define STBI__X64_TARGET  // its SSE2 code, which Emscripten maps to WASM's (-msse2): the same pixels in half the time
#endif
#define STBI_NO_FAILURE_STRINGS
#define STBI_NO_THREAD_LOCALS
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include "stb_image.h"

// ---- public

static ocl_status failure(const budget* spent) {
  // Only a lie about the sizes exhausts the budget.
  return spent->is_out_of_memory && !spent->is_exhausted ? OCL_OUT_OF_MEMORY : OCL_IMAGE_CORRUPT;
}

ocl_status ocl_image_stb_decode(const uint8_t* bytes, size_t size_bytes, size_t budget_bytes, uint8_t** rgb_out,
                                int32_t* width_px_out, int32_t* height_px_out) {
  budget spent = {.limit_bytes = budget_bytes};
  spent.list.next = spent.list.previous = &spent.list;
  current = &spent;
  int width_px = 0, height_px = 0, num_channels_in_file = 0;
  uint8_t* rgb = stbi_load_from_memory(bytes, (int)size_bytes, &width_px, &height_px, &num_channels_in_file, 3);
  if (rgb != NULL) unlink_block((block*)(void*)rgb - 1);
  while (spent.list.next != &spent.list) budget_free(spent.list.next + 1);
  current = NULL;
  if (rgb == NULL) return failure(&spent);
  *rgb_out = rgb;
  *width_px_out = width_px;
  *height_px_out = height_px;
  return OCL_OK;
}

void ocl_image_stb_free(uint8_t* rgb) {
  if (rgb != NULL) free((block*)(void*)rgb - 1);
}

bool ocl_image_stb_inflate(const uint8_t* bytes, size_t size_bytes, char* out, size_t out_size_bytes) {
  if (size_bytes > INT32_MAX || out_size_bytes > INT32_MAX) return false;
  const int written = stbi_zlib_decode_noheader_buffer(out, (int)out_size_bytes, (const char*)bytes, (int)size_bytes);
  return written >= 0 && (size_t)written == out_size_bytes;
}
