// Stage: GIF file -> ocl_image_header of its first frame, by a walk over its blocks. Layout: GIF89a specification.
// Complete means: the first frame's data is all there and, run through the code lengths of LZW, gives its pixels. That
// also bounds the decoder's work: codes past the frame's end cost it up to 4096 steps each and draw nothing.
#include <stdbool.h>
#include <stdint.h>

#include "image/probe.h"

enum {
  SCREEN_END = 13,  // signature and logical screen descriptor
  EXTENSION = 0x21,
  IMAGE = 0x2C,
  IMAGE_DESCRIPTOR_SIZE_BYTES = 9,
  HAS_COLOR_TABLE = 0x80,
  MAX_CODES = 4096,
  // A screen may be larger than its frame, but not a bomb: the best LZW gives is 4096 pixels from 12 bits.
  PIXELS_PER_BYTE = 2731,
  FREE_PIXELS = 1 << 20,
  BYTES_PER_PIXEL = 12,  // stb_image: RGBA, its background, a history byte, and the result
  DECODER_OVERHEAD_BYTES = 1 << 12
};

typedef struct {
  const uint8_t* bytes;
  size_t size_bytes, at;
} walk;

static uint32_t read_u16(const uint8_t* bytes) {
  return (uint32_t)bytes[1] << 8 | bytes[0];
}

static ocl_status corrupt(ocl_detail* detail, const char* what) {
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, detail, "GIF: %s", what);
}

static bool skip(walk* w, size_t size_bytes) {
  if (size_bytes > w->size_bytes - w->at) return false;
  w->at += size_bytes;
  return true;
}

static bool skip_color_table(walk* w, uint8_t flags) {
  return (flags & HAS_COLOR_TABLE) == 0 || skip(w, (size_t)3 * (2u << (flags & 7)));
}

// Sub-blocks: a length byte and that many bytes, until a length of 0.
static bool skip_sub_blocks(walk* w) {
  while (w->at < w->size_bytes) {
    const size_t length = w->bytes[w->at++];
    if (length == 0) return true;
    if (!skip(w, length)) return false;
  }
  return false;
}

// ---- LZW, lengths only: how many pixels the codes give

typedef struct {
  walk* blocks;
  size_t left_in_block;
  uint32_t bits, num_bits;
} bit_reader;

// Also false where the sub-blocks end; the walk then stands behind them.
static bool read_code(bit_reader* r, uint32_t code_bits, uint32_t* code_out) {
  walk* w = r->blocks;
  while (r->num_bits < code_bits) {
    if (r->left_in_block == 0) {
      if (w->at == w->size_bytes) return false;
      r->left_in_block = w->bytes[w->at++];
      if (r->left_in_block == 0) return false;
    }
    if (w->at == w->size_bytes) return false;
    r->bits |= (uint32_t)w->bytes[w->at++] << r->num_bits;
    r->num_bits += 8;
    r->left_in_block--;
  }
  *code_out = r->bits & ((1u << code_bits) - 1);
  r->bits >>= code_bits;
  r->num_bits -= code_bits;
  return true;
}

// The pixels that the data at w->at gives, or more than `limit` as soon as it is passed.
static uint64_t count_pixels(walk* w, uint32_t min_code_bits, uint64_t limit) {
  uint16_t lengths[MAX_CODES];
  const uint32_t clear = 1u << min_code_bits, end = clear + 1;
  for (uint32_t i = 0; i < clear; i++) lengths[i] = 1;
  bit_reader reader = {.blocks = w};
  uint32_t num_codes = end + 1, code_bits = min_code_bits + 1, code, last_length = 0;
  uint64_t num_pixels = 0;
  while (num_pixels <= limit && read_code(&reader, code_bits, &code) && code != end) {
    if (code == clear) {
      num_codes = end + 1;
      code_bits = min_code_bits + 1;
      last_length = 0;
      continue;
    }
    if (code > num_codes || (code == num_codes && last_length == 0)) break;  // stb_image refuses it too
    // each code after the first also defines the last one's string and one pixel more
    if (last_length != 0 && num_codes < MAX_CODES) lengths[num_codes++] = (uint16_t)(last_length + 1);
    if (code >= num_codes) break;
    last_length = lengths[code];
    num_pixels += last_length;
    if (num_codes == 1u << code_bits && code_bits < 12) code_bits++;
  }
  return num_pixels;
}

// ---- the walk

static ocl_status check_frame(walk* w, const ocl_image_header* header, ocl_detail* detail) {
  const uint8_t* descriptor = w->bytes + w->at;
  if (!skip(w, IMAGE_DESCRIPTOR_SIZE_BYTES) || !skip_color_table(w, descriptor[8]) || w->at == w->size_bytes) {
    return corrupt(detail, "truncated before its pixels");
  }
  const uint32_t left = read_u16(descriptor), top = read_u16(descriptor + 2);
  const uint32_t width = read_u16(descriptor + 4), height = read_u16(descriptor + 6);
  if (width == 0 || height == 0 || left + width > (uint32_t)header->width_px ||
      top + height > (uint32_t)header->height_px) {
    return corrupt(detail, "frame outside its screen");
  }
  const uint32_t min_code_bits = w->bytes[w->at++];
  if (min_code_bits < 1 || min_code_bits > 8) return corrupt(detail, "impossible code size");
  walk blocks = *w;
  if (!skip_sub_blocks(&blocks)) return corrupt(detail, "truncated inside its pixels");
  const uint64_t num_frame_pixels = (uint64_t)width * height;
  const uint64_t num_pixels = count_pixels(w, min_code_bits, num_frame_pixels + MAX_CODES);
  if (num_pixels < num_frame_pixels) return corrupt(detail, "too few bytes for its pixels");
  if (num_pixels > num_frame_pixels + MAX_CODES) return corrupt(detail, "more data than pixels");
  return OCL_OK;
}

static ocl_status find_frame(walk* w, ocl_detail* detail) {
  while (w->at < w->size_bytes) {
    const uint8_t kind = w->bytes[w->at++];
    if (kind == IMAGE) return OCL_OK;
    if (kind != EXTENSION) return corrupt(detail, "no image");
    if (!skip(w, 1) || !skip_sub_blocks(w)) break;
  }
  return corrupt(detail, "truncated before its first image");
}

ocl_status ocl_image_probe_gif(const uint8_t* bytes, size_t size_bytes, ocl_image_header* header_out,
                               ocl_detail* detail) {
  walk w = {.bytes = bytes, .size_bytes = size_bytes};
  if (!skip(&w, SCREEN_END)) return corrupt(detail, "truncated header");
  header_out->width_px = (int32_t)read_u16(bytes + 6);
  header_out->height_px = (int32_t)read_u16(bytes + 8);
  const uint64_t num_pixels = (uint64_t)header_out->width_px * (uint64_t)header_out->height_px;
  if (num_pixels == 0) return corrupt(detail, "no pixels");
  if (num_pixels > FREE_PIXELS + (uint64_t)PIXELS_PER_BYTE * size_bytes) {
    return corrupt(detail, "too few bytes for its screen");
  }
  if (!skip_color_table(&w, bytes[10])) return corrupt(detail, "truncated colour table");
  OCL_TRY(find_frame(&w, detail));
  OCL_TRY(check_frame(&w, header_out, detail));
  header_out->decode_budget_bytes = num_pixels * BYTES_PER_PIXEL + DECODER_OVERHEAD_BYTES;
  return OCL_OK;
}
