// Stage: BMP file -> ocl_image_header. Layout: BITMAPFILEHEADER and the BITMAP*HEADER structures of Windows' wingdi.h.
// Complete means: the rows that the size asks for are all inside the file. stb_image itself reads zeros past the end.
#include <stdbool.h>
#include <stdint.h>

#include "image/probe.h"

enum {
  FILE_HEADER_SIZE_BYTES = 14,
  CORE_HEADER_SIZE_BYTES = 12,  // OS/2 1.x: 16-bit sizes
  INFO_HEADER_SIZE_BYTES = 40,
  UNCOMPRESSED = 0,
  BIT_FIELDS = 3,
  DECODER_OVERHEAD_BYTES = 1 << 12
};

typedef struct {
  uint32_t pixels_at, header_size_bytes, bits_per_pixel, compression;
  uint32_t width_px, height_px;
} bmp_facts;

static uint32_t read_u16(const uint8_t* bytes) {
  return (uint32_t)bytes[1] << 8 | bytes[0];
}
static uint32_t read_u32(const uint8_t* bytes) {
  return read_u16(bytes + 2) << 16 | read_u16(bytes);
}

static ocl_status corrupt(ocl_detail* detail, const char* what) {
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, detail, "BMP: %s", what);
}

static ocl_status unsupported(ocl_detail* detail, const char* what) {
  return ocl_status_with_detail(OCL_UNSUPPORTED_IMAGE_FORMAT, detail, "BMP %s", what);
}

static uint32_t magnitude(uint32_t twos_complement) {
  return twos_complement > INT32_MAX ? 0u - twos_complement : twos_complement;
}

// The caller has checked that 14 + 40 bytes are there, or 14 + 12 for the core header.
static bmp_facts read_facts(const uint8_t* bytes) {
  const uint8_t* info = bytes + FILE_HEADER_SIZE_BYTES;
  bmp_facts f = {.pixels_at = read_u32(bytes + 10), .header_size_bytes = read_u32(info)};
  if (f.header_size_bytes == CORE_HEADER_SIZE_BYTES) {
    f.width_px = read_u16(info + 4);
    f.height_px = read_u16(info + 6);
    f.bits_per_pixel = read_u16(info + 10);
    return f;
  }
  f.width_px = read_u32(info + 4);
  f.height_px = magnitude(read_u32(info + 8));  // negative: top row first
  f.bits_per_pixel = read_u16(info + 14);
  f.compression = read_u32(info + 16);
  return f;
}

// What stb_image does not read, or, without saying so, reads wrongly.
static ocl_status check_kind(const bmp_facts* f, ocl_detail* detail) {
  const uint32_t bits = f->bits_per_pixel;
  if (bits != 1 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
    return corrupt(detail, "unknown number of bits per pixel");
  }
  if (f->compression != UNCOMPRESSED && f->compression != BIT_FIELDS) {
    return unsupported(detail, "with RLE or embedded compression");
  }
  if (bits < 16) {
    // its palette is read a few entries short
    if (f->header_size_bytes == CORE_HEADER_SIZE_BYTES) return unsupported(detail, "of OS/2 1.x with a palette");
    return OCL_OK;
  }
  // a gap between header and pixels is skipped twice
  const bool has_masks_behind_header = f->compression == BIT_FIELDS && f->header_size_bytes <= 56;
  const uint32_t pixels_expected_at =
      FILE_HEADER_SIZE_BYTES + f->header_size_bytes + (has_masks_behind_header ? 12 : 0);
  if (f->pixels_at != pixels_expected_at) return unsupported(detail, "with a gap before its pixels");
  return OCL_OK;
}

static bool is_complete(const bmp_facts* f, size_t size_bytes) {
  const uint64_t row_bytes = ((uint64_t)f->width_px * f->bits_per_pixel + 7) / 8;
  const uint64_t padded_row_bytes = (row_bytes + 3) / 4 * 4;
  // the last row's padding may be missing; at most 2^34 times 2^31, so nothing wraps
  return f->pixels_at + padded_row_bytes * (f->height_px - 1) + row_bytes <= size_bytes;
}

ocl_status ocl_image_probe_bmp(const uint8_t* bytes, size_t size_bytes, ocl_image_header* header_out,
                               ocl_detail* detail) {
  if (size_bytes < FILE_HEADER_SIZE_BYTES + CORE_HEADER_SIZE_BYTES) return corrupt(detail, "truncated header");
  const uint32_t header_size_bytes = read_u32(bytes + FILE_HEADER_SIZE_BYTES);
  if (header_size_bytes != CORE_HEADER_SIZE_BYTES) {
    if (header_size_bytes != 40 && header_size_bytes != 56 && header_size_bytes != 108 && header_size_bytes != 124) {
      return unsupported(detail, "with an unknown kind of header");
    }
    if (size_bytes < FILE_HEADER_SIZE_BYTES + INFO_HEADER_SIZE_BYTES) return corrupt(detail, "truncated header");
  }
  const bmp_facts facts = read_facts(bytes);
  if (facts.width_px - 1 >= INT32_MAX || facts.height_px - 1 >= INT32_MAX) return corrupt(detail, "no pixels");
  header_out->width_px = (int32_t)facts.width_px;
  header_out->height_px = (int32_t)facts.height_px;
  OCL_TRY(check_kind(&facts, detail));
  if (!is_complete(&facts, size_bytes)) return corrupt(detail, "truncated: too few bytes for its pixels");
  header_out->decode_budget_bytes = 3 * (uint64_t)facts.width_px * facts.height_px + DECODER_OVERHEAD_BYTES;
  return OCL_OK;
}
