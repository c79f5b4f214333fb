// Stage: a checked PNG file -> pixels. The only file that sees stb_image (2.30); see stb.h.
// Invariant: at any time at most the file's `working_bytes` are allocated; after a failure none are.
//
// Reports against stb_image 2.30 that upstream has not fixed, and what keeps each out:
// - all about GIF (CVE-2023-45661, -45664, -45666, -45667, CVE-2026-5186, -5313, issue 2001), JPEG, TGA, HDR and PIC
//   (CVE-2023-45663, CVE-2023-43898): formats that are not compiled in.
// - CVE-2023-45662: stbi_set_flip_vertically_on_load, never called.
// - issues 1861, 1929 (palette entries read before they are written, so that old memory shows in the pixels):
//   allocations are zeroed, and so are locals (next lines).
// - issue 1928, 16-bit conversions that overflow or leak: the budget caps the sizes; what leaks is freed with the list.
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
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_NO_FAILURE_STRINGS
#define STBI_NO_THREAD_LOCALS
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include "stb_image.h"

// ---- the file, and an end chunk behind it

static const uint8_t kEndChunk[12] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};

typedef struct {
  const uint8_t* bytes;
  size_t size_bytes, at;
} reader;

static int read_some(void* user, char* out, int size_bytes) {
  reader* r = user;
  int done = 0;
  while (done < size_bytes) {
    const bool is_file = r->at < r->size_bytes;
    const uint8_t* from = is_file ? r->bytes + r->at : kEndChunk + (r->at - r->size_bytes);
    size_t left = is_file ? r->size_bytes - r->at : r->size_bytes + sizeof kEndChunk - r->at;
    if (left == 0) break;
    if (left > (size_t)(size_bytes - done)) left = (size_t)(size_bytes - done);
    memcpy(out + done, from, left);
    done += (int)left;
    r->at += left;
  }
  return done;
}

static void skip_some(void* user, int size_bytes) {
  reader* r = user;
  const size_t left = r->size_bytes + sizeof kEndChunk - r->at;
  if (size_bytes > 0) r->at += (size_t)size_bytes < left ? (size_t)size_bytes : left;
}

static int is_at_end(void* user) {
  const reader* r = user;
  return r->at == r->size_bytes + sizeof kEndChunk;
}

// ---- public

static ocl_status failure(const budget* spent, ocl_detail* detail) {
  // Only a lie about the sizes exhausts the budget.
  if (spent->is_out_of_memory && !spent->is_exhausted) return OCL_OUT_OF_MEMORY;
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, detail, "PNG: its pixels do not decode");
}

ocl_status ocl_image_stb_decode(ocl_image_file* file) {
  static const stbi_io_callbacks kCallbacks = {read_some, skip_some, is_at_end};
  const ocl_image_header* header = &file->header;
  budget spent = {.limit_bytes = header->working_bytes < PTRDIFF_MAX ? (size_t)header->working_bytes : PTRDIFF_MAX};
  spent.list.next = spent.list.previous = &spent.list;
  current = &spent;
  reader source = {file->bytes, file->size_bytes, 0};
  int width_px = 0, height_px = 0, num_channels = 0;
  uint8_t* pixels =
      stbi_load_from_callbacks(&kCallbacks, &source, &width_px, &height_px, &num_channels, header->num_channels);
  if (pixels != NULL) unlink_block((block*)(void*)pixels - 1);
  while (spent.list.next != &spent.list) budget_free(spent.list.next + 1);
  current = NULL;
  if (pixels == NULL) return failure(&spent, file->detail);
  file->pixels = pixels;
  file->memory = (block*)(void*)pixels - 1;
  if (width_px == header->width_px && height_px == header->height_px) return OCL_OK;
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, file->detail, "PNG: two different sizes");
}

bool ocl_image_stb_inflate(const uint8_t* bytes, size_t size_bytes, char* out, size_t out_size_bytes) {
  if (size_bytes > INT32_MAX || out_size_bytes > INT32_MAX) return false;
  const int written = stbi_zlib_decode_noheader_buffer(out, (int)out_size_bytes, (const char*)bytes, (int)size_bytes);
  return written >= 0 && (size_t)written == out_size_bytes;
}
