// Stage: PNG file -> ocl_image_header, by a walk over its chunks. Layout: PNG specification (third edition), 5 and 11.
// Complete means: IEND is reached, and the compressed data could hold the pixels.
#include <stdbool.h>
#include <string.h>

#include "image/exif.h"
#include "image/probe.h"

enum {
  SIGNATURE_SIZE_BYTES = 8,
  CHUNK_OVERHEAD_BYTES = 12,        // length, type, CRC
  MAX_DEFLATE_RATIO = 1032,         // 258 bytes from two bits
  DECODER_OVERHEAD_BYTES = 1 << 16  // tables, and buffers that have a least size
};

typedef struct {
  uint32_t width_px, height_px, depth_bits, num_channels;  // channels as compressed: 1 for a palette
  bool is_palette, is_interlaced, has_transparency;
  uint64_t compressed_bytes;
} png_facts;

static uint32_t read_u32(const uint8_t* bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static ocl_status corrupt(ocl_detail* detail, const char* what) {
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, detail, "PNG: %s", what);
}

static ocl_status read_ihdr(const uint8_t* chunk, uint32_t size_bytes, png_facts* facts, ocl_image_header* header,
                            ocl_detail* detail) {
  if (size_bytes != 13) return corrupt(detail, "header of a wrong length");
  static const uint8_t kChannelsOfColorType[7] = {1, 0, 3, 1, 2, 0, 4};
  const uint32_t color_type = chunk[9];
  if (color_type > 6 || kChannelsOfColorType[color_type] == 0) return corrupt(detail, "unknown colour type");
  facts->width_px = read_u32(chunk);
  facts->height_px = read_u32(chunk + 4);
  if (facts->width_px - 1 >= INT32_MAX || facts->height_px - 1 >= INT32_MAX) return corrupt(detail, "no pixels");
  facts->depth_bits = chunk[8];
  facts->num_channels = kChannelsOfColorType[color_type];
  facts->is_palette = color_type == 3;
  facts->is_interlaced = chunk[12] != 0;
  header->width_px = (int32_t)facts->width_px;
  header->height_px = (int32_t)facts->height_px;
  return OCL_OK;
}

// stb_image holds: the chunks' data joined (doubled as it grows), the inflated rows, the unfiltered samples, and a copy
// each for the Adam7 passes and the conversion to three channels.
static uint64_t decode_budget_bytes(const png_facts* f) {
  const uint64_t sample_bytes = f->depth_bits == 16 ? 2 : 1;
  const uint64_t num_channels = f->num_channels + (f->has_transparency && !f->is_palette ? 1 : 0);
  const uint64_t copies = f->is_interlaced ? 4 : 2;
  const uint64_t converted_bytes = num_channels == 3 && sample_bytes == 1 ? 0 : 3 * (sample_bytes + 1);
  const uint64_t per_pixel = copies * num_channels * sample_bytes + converted_bytes;
  const uint64_t per_row_or_column = 2 * num_channels * sample_bytes + 8;
  return (uint64_t)f->width_px * f->height_px * per_pixel + ((uint64_t)f->width_px + f->height_px) * per_row_or_column +
         3 * f->compressed_bytes + DECODER_OVERHEAD_BYTES;
}

static bool is_plausible(const png_facts* f) {
  const uint64_t row_bytes = ((uint64_t)f->width_px * f->num_channels * f->depth_bits + 7) / 8;
  return row_bytes <= f->compressed_bytes * MAX_DEFLATE_RATIO / f->height_px;
}

static ocl_status finish(const png_facts* facts, ocl_image_header* header, ocl_detail* detail) {
  if (!is_plausible(facts)) return corrupt(detail, "too few bytes for its pixels");
  header->decode_budget_bytes = decode_budget_bytes(facts);
  return OCL_OK;
}

ocl_status ocl_image_probe_png(const uint8_t* bytes, size_t size_bytes, ocl_image_header* header_out,
                               ocl_detail* detail) {
  png_facts facts = {0};
  size_t at = SIGNATURE_SIZE_BYTES;
  while (size_bytes - at >= CHUNK_OVERHEAD_BYTES) {
    const uint32_t length = read_u32(bytes + at);
    const uint8_t* type = bytes + at + 4;
    const uint8_t* chunk = type + 4;
    if (length > size_bytes - at - CHUNK_OVERHEAD_BYTES) return corrupt(detail, "truncated inside a chunk");
    if (memcmp(type, "CgBI", 4) == 0) {  // stb_image would give its channels in the wrong order
      return ocl_status_with_detail(OCL_UNSUPPORTED_IMAGE_FORMAT, detail, "Apple's CgBI variant of PNG");
    }
    if (memcmp(type, "IHDR", 4) == 0) {
      OCL_TRY(read_ihdr(chunk, length, &facts, header_out, detail));
    } else if (facts.width_px == 0) {
      return corrupt(detail, "does not begin with its header");
    } else if (memcmp(type, "tRNS", 4) == 0) {
      facts.has_transparency = true;
    } else if (memcmp(type, "eXIf", 4) == 0) {
      header_out->orientation = ocl_exif_orientation(chunk, length);
    } else if (memcmp(type, "IDAT", 4) == 0) {
      facts.compressed_bytes += length;
    } else if (memcmp(type, "IEND", 4) == 0) {
      return finish(&facts, header_out, detail);
    }
    at += CHUNK_OVERHEAD_BYTES + length;
  }
  return corrupt(detail, "truncated: no end chunk");
}
