// Stage: PNG file -> its header, by a walk over its chunks. Layout: PNG specification (third edition), 5 and 11.
// Complete means: the chunks of pixels are whole, and could hold the pixels. What comes behind them may be cut off.
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "image/exif.h"
#include "image/formats.h"
#include "image/stb.h"

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

static ocl_status corrupt(const ocl_image_file* file, const char* what) {
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, file->detail, "PNG: %s", what);
}

static ocl_status read_ihdr(ocl_image_file* file, const uint8_t* chunk, uint32_t size_bytes, png_facts* facts) {
  if (size_bytes != 13) return corrupt(file, "header of a wrong length");
  static const uint8_t kChannelsOfColorType[7] = {1, 0, 3, 1, 2, 0, 4};
  const uint32_t color_type = chunk[9];
  if (color_type > 6 || kChannelsOfColorType[color_type] == 0) return corrupt(file, "unknown colour type");
  facts->width_px = ocl_load_u32_be(chunk);
  facts->height_px = ocl_load_u32_be(chunk + 4);
  if (facts->width_px - 1 >= INT32_MAX || facts->height_px - 1 >= INT32_MAX) return corrupt(file, "no pixels");
  facts->depth_bits = chunk[8];
  facts->num_channels = kChannelsOfColorType[color_type];
  facts->is_palette = color_type == 3;
  facts->is_interlaced = chunk[12] != 0;
  file->header.width_px = (int32_t)facts->width_px;
  file->header.height_px = (int32_t)facts->height_px;
  return OCL_OK;
}

// stb_image holds: the chunks' data joined (doubled as it grows), the inflated rows, the unfiltered samples, and a copy
// each for the Adam7 passes and the conversion to other channels.
static uint64_t working_bytes(const png_facts* f, uint64_t num_channels_out) {
  const uint64_t sample_bytes = f->depth_bits == 16 ? 2 : 1;
  const uint64_t num_channels = f->num_channels + (f->has_transparency && !f->is_palette ? 1 : 0);
  const uint64_t copies = f->is_interlaced ? 4 : 2;
  const uint64_t converted_bytes =
      num_channels == num_channels_out && sample_bytes == 1 ? 0 : num_channels_out * (sample_bytes + 1);
  const uint64_t per_pixel = copies * num_channels * sample_bytes + converted_bytes;
  const uint64_t per_row_or_column = 2 * num_channels * sample_bytes + 8;
  return (uint64_t)f->width_px * f->height_px * per_pixel + ((uint64_t)f->width_px + f->height_px) * per_row_or_column +
         3 * f->compressed_bytes + DECODER_OVERHEAD_BYTES;
}

static bool is_plausible(const png_facts* f) {
  const uint64_t row_bytes = ((uint64_t)f->width_px * f->num_channels * f->depth_bits + 7) / 8;
  return row_bytes <= f->compressed_bytes * MAX_DEFLATE_RATIO / f->height_px;
}

static ocl_status finish(ocl_image_file* file, const png_facts* facts) {
  if (!is_plausible(facts)) return corrupt(file, "too few bytes for its pixels");
  const bool has_alpha = facts->num_channels % 2 == 0 || facts->has_transparency;
  file->header.num_channels = has_alpha ? 4 : 3;
  file->header.working_bytes = working_bytes(facts, has_alpha ? 4 : 3);
  return OCL_OK;
}

static ocl_status read_chunk(ocl_image_file* file, const uint8_t* type, uint32_t length, png_facts* facts) {
  const uint8_t* chunk = type + 4;
  if (memcmp(type, "CgBI", 4) == 0)  // stb_image would give its channels in the wrong order
    return ocl_status_with_detail(OCL_UNSUPPORTED_IMAGE_FORMAT, file->detail, "Apple's CgBI variant of PNG");
  if (memcmp(type, "IHDR", 4) == 0) return read_ihdr(file, chunk, length, facts);
  if (facts->width_px == 0) return corrupt(file, "does not begin with its header");
  if (memcmp(type, "tRNS", 4) == 0) facts->has_transparency = true;
  if (memcmp(type, "IDAT", 4) == 0) facts->compressed_bytes += length;
  // one behind the pixels does not count
  if (memcmp(type, "eXIf", 4) == 0 && facts->compressed_bytes == 0)
    file->header.orientation = ocl_exif_orientation(chunk, length);
  return OCL_OK;
}

static ocl_status read_header(ocl_image_file* file) {
  png_facts facts = {0};
  const uint8_t *at = file->bytes + SIGNATURE_SIZE_BYTES, *end = file->bytes + file->size_bytes;
  while (end - at >= 8) {
    const uint32_t length = ocl_load_u32_be(at);
    const uint8_t* type = at + 4;
    if (memcmp(type, "IEND", 4) == 0) break;
    const bool is_cut = (uint64_t)length + CHUNK_OVERHEAD_BYTES > (uint64_t)(end - at);
    if (is_cut && facts.compressed_bytes > 0 && memcmp(type, "IDAT", 4) != 0) break;
    if (is_cut) return corrupt(file, "truncated inside a chunk");
    OCL_TRY(read_chunk(file, type, length, &facts));
    at += CHUNK_OVERHEAD_BYTES + length;
  }
  if (facts.width_px == 0) return corrupt(file, "truncated before its header");
  // stb_image gets an end chunk there, whatever follows
  file->size_bytes = (size_t)(at - file->bytes);
  return finish(file, &facts);
}

const ocl_image_format ocl_format_png = {read_header, ocl_image_stb_decode};
