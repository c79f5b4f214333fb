// Stage: BMP file -> RGB or RGBA. Layout: BITMAPFILEHEADER and the BITMAP*HEADER structures of Windows' wingdi.h;
// OS/2's BITMAPCOREHEADER and OS22XBITMAPHEADER.
#include <string.h>

#include "base/bytes.h"
#include "image/formats.h"

enum {
  FILE_HEADER_BYTES = 14,
  CORE_HEADER_BYTES = 12,  // OS/2 1.x: 16-bit sizes, colours of three bytes
  INFO_HEADER_BYTES = 40,
  RGB_MASKS_END = 52,  // of the header, if it has them
  RGBA_MASKS_END = 56,
  OS2_HEADER_BYTES = 64,  // OS/2 2.x: no masks at these places
  PLAIN = 0,
  RLE8 = 1,
  RLE4 = 2,
  BIT_FIELDS = 3,
  ALPHA_BIT_FIELDS = 6,
  PIXELS_PER_BYTE = 256,  // at most, of a run; more than that, an escape may skip
  FREE_PIXELS = 1 << 20,
};

typedef struct {
  uint32_t mask, shift, max;
} channel;

typedef struct {
  uint32_t pixels_at, header_bytes, bits, compression, width, height;
  bool is_top_down;
  channel channels[4];  // red, green, blue, alpha
  uint8_t colors[256][4];
  uint32_t num_channels;
} bmp;

static ocl_status corrupt(const ocl_image_file* file, const char* what) {
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, file->detail, "BMP: %s", what);
}

static ocl_status unsupported(const ocl_image_file* file, const char* what) {
  return ocl_status_with_detail(OCL_UNSUPPORTED_IMAGE_FORMAT, file->detail, "BMP %s", what);
}

// ---- header

static channel make_channel(uint32_t mask) {
  if (mask == 0) return (channel){0};
  const uint32_t shift = (uint32_t)__builtin_ctz(mask);
  return (channel){mask, shift, mask >> shift};
}

// Programs write alpha masks of bits that the pixels do not have. Otherwise, as in Chromium, the bits of a mask follow
// each other, and those of two are not the same.
static ocl_status read_masks(const ocl_image_file* file, bmp* b) {
  static const uint32_t kMasks16[4] = {0x7C00, 0x3E0, 0x1F, 0}, kMasks[4] = {0xFF0000, 0xFF00, 0xFF, 0};
  const uint8_t* masks = file->bytes + FILE_HEADER_BYTES + INFO_HEADER_BYTES;
  const bool has_alpha =
      b->header_bytes >= RGBA_MASKS_END || (b->header_bytes == INFO_HEADER_BYTES && b->compression == ALPHA_BIT_FIELDS);
  uint32_t taken = 0;
  for (uint32_t i = 0; i < 4; i++) {
    uint32_t mask = (b->bits == 16 ? kMasks16 : kMasks)[i];
    if (b->compression != PLAIN) mask = i < 3 || has_alpha ? ocl_load_u32_le(masks + 4 * (size_t)i) : 0;
    if (b->bits == 16) mask &= 0xFFFF;
    b->channels[i] = make_channel(mask);
    const uint32_t max = b->channels[i].max;
    if ((mask & taken) != 0 || (max & (max + 1)) != 0) return corrupt(file, "impossible masks");
    taken |= mask;
  }
  return OCL_OK;
}

// Returns where they end.
static uint32_t read_colors(const ocl_image_file* file, bmp* b) {
  const uint32_t entry_bytes = b->header_bytes == CORE_HEADER_BYTES ? 3 : 4;
  uint32_t at = FILE_HEADER_BYTES + b->header_bytes, num_colors = 1u << b->bits;
  const uint32_t num_used = entry_bytes == 3 ? 0 : ocl_load_u32_le(file->bytes + FILE_HEADER_BYTES + 32);
  if (num_used != 0 && num_used < num_colors) num_colors = num_used;
  for (uint32_t i = 0; i < num_colors; i++, at += entry_bytes)
    for (uint32_t c = 0; c < 3 && at + 3 <= file->size_bytes; c++) b->colors[i][c] = file->bytes[at + 2 - c];
  return at;
}

static uint32_t magnitude(uint32_t twos_complement) {
  return twos_complement > INT32_MAX ? 0u - twos_complement : twos_complement;
}

static ocl_status check_kind(const ocl_image_file* file, const bmp* b) {
  const uint32_t bits = b->bits, compression = b->compression;
  if (compression == 4 || compression == 5) return unsupported(file, "with an embedded JPEG or PNG");
  const bool is_rle = compression == RLE8 || compression == RLE4;
  const bool has_masks = compression == BIT_FIELDS || compression == ALPHA_BIT_FIELDS;
  if (b->header_bytes == OS2_HEADER_BYTES && compression > RLE4) return unsupported(file, "of OS/2, compressed");
  if (compression != PLAIN && !is_rle && !has_masks) return corrupt(file, "unknown compression");
  if (is_rle && bits != (compression == RLE8 ? 8u : 4u)) return corrupt(file, "compression of other pixels");
  if (has_masks && bits != 16 && bits != 32) return corrupt(file, "masks for other pixels");
  if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32)
    return corrupt(file, "unknown number of bits per pixel");
  return OCL_OK;
}

static bool is_known_header(uint32_t header_bytes) {
  return header_bytes == CORE_HEADER_BYTES || header_bytes == INFO_HEADER_BYTES || header_bytes == RGB_MASKS_END ||
         header_bytes == RGBA_MASKS_END || header_bytes == OS2_HEADER_BYTES || header_bytes == 108 ||
         header_bytes == 124;
}

static ocl_status read_sizes(ocl_image_file* file, bmp* b) {
  const uint8_t* info = file->bytes + FILE_HEADER_BYTES;
  if (file->size_bytes < FILE_HEADER_BYTES + CORE_HEADER_BYTES) return corrupt(file, "truncated header");
  *b = (bmp){.pixels_at = ocl_load_u32_le(file->bytes + 10), .header_bytes = ocl_load_u32_le(info)};
  if (!is_known_header(b->header_bytes)) return unsupported(file, "with an unknown kind of header");
  if (file->size_bytes < FILE_HEADER_BYTES + b->header_bytes) return corrupt(file, "truncated header");
  if (b->header_bytes == CORE_HEADER_BYTES) {
    b->width = ocl_load_u16_le(info + 4);
    b->height = ocl_load_u16_le(info + 6);
    b->bits = ocl_load_u16_le(info + 10);
  } else {
    b->width = ocl_load_u32_le(info + 4);
    b->height = magnitude(ocl_load_u32_le(info + 8));
    b->is_top_down = ocl_load_u32_le(info + 8) > INT32_MAX;
    b->bits = ocl_load_u16_le(info + 14);
    b->compression = ocl_load_u32_le(info + 16);
  }
  if (b->width - 1 >= INT32_MAX || b->height - 1 >= INT32_MAX) return corrupt(file, "no pixels");
  file->header.width_px = (int32_t)b->width;
  file->header.height_px = (int32_t)b->height;
  return OCL_OK;
}

static ocl_status read_facts(ocl_image_file* file, bmp* b) {
  OCL_TRY(read_sizes(file, b));
  OCL_TRY(check_kind(file, b));
  const uint32_t masks_bytes = b->compression < BIT_FIELDS || b->header_bytes >= RGB_MASKS_END ? 0
                               : b->compression == BIT_FIELDS                                  ? 12
                                                                                               : 16;
  const uint32_t header_end = FILE_HEADER_BYTES + b->header_bytes + masks_bytes;
  if (file->size_bytes < header_end) return corrupt(file, "truncated header");
  uint32_t colors_end = header_end;
  if (b->bits > 8)
    OCL_TRY(read_masks(file, b));
  else
    colors_end = read_colors(file, b);
  // programs that do not write the place of the pixels, or forget the colours in it, put them behind all
  if (b->pixels_at == 0 || b->pixels_at == header_end) b->pixels_at = colors_end;
  b->num_channels = b->channels[3].mask != 0 ? 4 : 3;
  return OCL_OK;
}

static uint64_t row_bytes(const bmp* b) {
  return ((uint64_t)b->width * b->bits + 7) / 8;
}

static uint64_t padded_row_bytes(const bmp* b) {
  return (row_bytes(b) + 3) / 4 * 4;
}

static ocl_status read_header(ocl_image_file* file) {
  bmp b = {0};
  OCL_TRY(read_facts(file, &b));
  const uint64_t num_pixels = (uint64_t)b.width * b.height;
  const bool is_rle = b.compression == RLE8 || b.compression == RLE4;
  // what a file can describe, so that a small one costs little
  if (is_rle && num_pixels > FREE_PIXELS + (uint64_t)PIXELS_PER_BYTE * file->size_bytes)
    return corrupt(file, "too few bytes for its pixels");
  // the last row's padding may be missing; at most 2^34 times 2^31, so nothing wraps
  const uint64_t end = b.pixels_at + padded_row_bytes(&b) * (b.height - 1) + row_bytes(&b);
  if (!is_rle && end > file->size_bytes && !file->allow_truncated)
    return ocl_status_with_detail(
        OCL_IMAGE_CORRUPT, file->detail, "BMP: truncated: the data ends at row %llu of %u",
        b.pixels_at < file->size_bytes ? (file->size_bytes - b.pixels_at) / padded_row_bytes(&b) : 0ull, b.height);
  file->header.num_channels = (int32_t)b.num_channels;
  file->header.working_bytes = num_pixels * b.num_channels;
  return OCL_OK;
}

// ---- pixels

static uint8_t* row_of(const ocl_image_file* file, const bmp* b, uint32_t y) {
  const size_t row = b->is_top_down ? y : b->height - 1 - y;
  return file->pixels + row * b->width * b->num_channels;
}

static uint32_t read_pixel(const uint8_t* row, uint32_t x, uint32_t bits) {
  if (bits == 32) return ocl_load_u32_le(row + 4 * (size_t)x);
  if (bits == 24) return ocl_load_u16_le(row + 3 * (size_t)x) | (uint32_t)row[3 * (size_t)x + 2] << 16;
  if (bits == 16) return ocl_load_u16_le(row + 2 * (size_t)x);
  const size_t bit = (size_t)x * bits;
  return row[bit / 8] >> (8 - bits - bit % 8) & ((1u << bits) - 1);
}

static uint8_t extract(uint32_t pixel, channel c) {
  if (c.mask == 0) return 0;
  return (uint8_t)((uint64_t)((pixel & c.mask) >> c.shift) * 255 / c.max);
}

static void decode_row(const bmp* b, const uint8_t* row, uint8_t* out) {
  for (uint32_t x = 0; x < b->width; x++, out += b->num_channels) {
    const uint32_t pixel = read_pixel(row, x, b->bits);
    if (b->bits <= 8)
      memcpy(out, b->colors[pixel], 3);
    else
      for (uint32_t c = 0; c < b->num_channels; c++) out[c] = extract(pixel, b->channels[c]);
  }
}

// Rows that are cut off stay grey.
static void decode_rows(ocl_image_file* file, const bmp* b) {
  for (uint32_t y = 0; y < b->height; y++) {
    const uint64_t start = b->pixels_at + padded_row_bytes(b) * y;
    uint8_t* out = row_of(file, b, y);
    if (start + row_bytes(b) <= file->size_bytes) {
      decode_row(b, file->bytes + start, out);
    } else {
      file->is_truncated = true;
      memset(out, 128, (size_t)b->width * b->num_channels);
    }
  }
}

typedef struct {
  ocl_image_file* file;
  const bmp* bmp;
  uint32_t x, y;
} pen;

static void put(pen* p, uint32_t index) {
  if (p->x < p->bmp->width && p->y < p->bmp->height)
    memcpy(row_of(p->file, p->bmp, p->y) + (size_t)3 * p->x, p->bmp->colors[index], 3);
  p->x++;
}

// Pixel i of bytes, or of pairs of half bytes.
static void put_of(pen* p, const uint8_t* bytes, uint32_t i) {
  put(p, p->bmp->compression == RLE8 ? bytes[i] : bytes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15);
}

// A run: a length, and a byte of one or two colours. False: the data ends.
static bool draw_runs(pen* p, const uint8_t* at, const uint8_t* end) {
  enum { END_OF_ROW, END_OF_PICTURE, MOVE };
  const bool is_byte = p->bmp->compression == RLE8;
  while (p->y < p->bmp->height) {
    if (end - at < 2) return false;
    const uint32_t length = at[0], value = at[1];
    for (uint32_t i = 0; i < length; i++) put_of(p, at + 1, is_byte ? 0 : i % 2);
    at += 2;
    if (length > 0) continue;
    if (value == END_OF_PICTURE) return true;
    if (value == END_OF_ROW) {
      p->x = 0;
      p->y++;
    } else if (value == MOVE) {
      if (end - at < 2) return false;
      p->x += at[0];
      p->y += at[1];
      at += 2;
    } else {
      const ptrdiff_t data_bytes = is_byte ? value : (value + 1) / 2;
      if (end - at < data_bytes) return false;
      for (uint32_t i = 0; i < value; i++) put_of(p, at, i);
      at += data_bytes + data_bytes % 2 < end - at ? data_bytes + data_bytes % 2 : end - at;
    }
  }
  return true;
}

static ocl_status decode_runs(ocl_image_file* file, const bmp* b) {
  for (uint32_t y = 0; y < b->height; y++)
    for (uint32_t x = 0; x < b->width; x++) memcpy(row_of(file, b, y) + (size_t)3 * x, b->colors[0], 3);
  pen p = {file, b, 0, 0};
  const size_t start = b->pixels_at < file->size_bytes ? b->pixels_at : file->size_bytes;
  // a picture may end with its last pixel
  const bool is_whole =
      draw_runs(&p, file->bytes + start, file->bytes + file->size_bytes) || (p.y == b->height - 1 && p.x >= b->width);
  file->is_truncated = !is_whole;
  if (is_whole || file->allow_truncated) return OCL_OK;
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, file->detail, "BMP: truncated: the data ends at row %u of %u", p.y,
                                b->height);
}

static ocl_status decode(ocl_image_file* file) {
  bmp b = {0};
  OCL_TRY(read_facts(file, &b));
  if (b.compression == RLE8 || b.compression == RLE4) return decode_runs(file, &b);
  decode_rows(file, &b);
  return OCL_OK;
}

const ocl_image_format ocl_format_bmp = {read_header, decode};
