// Stage: PNG file -> RGB or RGBA. Layout: PNG specification (third edition), 5 to 11. As libpng does, it refuses damage
// in what makes the pixels (checksums of critical chunks and of the compressed data), and leaves out a damaged chunk of
// another kind. What lies behind the pixels is not looked at.
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/inflate.h"
#include "image/exif.h"
#include "image/formats.h"

enum {
  SIGNATURE_BYTES = 8,
  CHUNK_OVERHEAD_BYTES = 12,  // length, type, CRC
  MAX_DEFLATE_RATIO = 1032,   // 258 bytes from two bits
  HAS_COLOR = 2,              // of colour types
  PALETTE = 3,
  HAS_ALPHA = 4,
  GREY_LEVEL = 128,  // of pixels that a truncated file lacks
  NUM_FILTERS = 5,
  MAX_SURPLUS_BYTES = 1 << 20,
  MAX_SAMPLES = 4,
  PADDING_BYTES = 8,  // before a row: more than the filter and a pixel
  ADLER_MODULUS = 65521,
  ADLER_RUN_BYTES = 5552,  // before its sums may wrap
};

typedef uint32_t crc_tables[4][256];

typedef struct {
  const uint8_t *type, *data;
  uint32_t length;
  bool is_cut;         // the file ends before the chunk does; `length` is what is there
  bool is_impossible;  // in type or length
} chunk;

typedef struct {
  ocl_image_file* file;
  crc_tables crc;
  const uint8_t* at;  // the next chunk
  chunk first_data;
  uint32_t depth_bits, color_type, num_samples;
  bool is_interlaced, has_transparency;
  uint32_t num_colors, transparent[3];
  uint8_t palette[256][4];
  uint64_t compressed_bytes;
  // while pixels are decoded
  bool is_bad;         // a filter is unknown, or there are far too many bytes
  bool has_bad_chunk;  // of data, by its checksum; it is not used
  bool is_unfinished;  // the compressed data has no end, or no checksum
  bool is_followed;    // by a chunk, which shows that nothing was cut off
  uint32_t adler_a, adler_b;
  uint32_t pass, end_pass;              // the present pass
  uint32_t pass_width, pass_height, y;  // y: of the next row, among those of its pass
  size_t surplus_bytes;                 // behind the pixels
  size_t row_bytes, have_bytes;         // of the present row; both count the filter's byte
  uint8_t *row, *above;                 // the filter's byte; the bytes before it, and it when it was read, are 0
} png;

// The seven passes of Adam7 (8.2), and the only one of a picture that has none.
static const struct {
  uint8_t x, y, across, down;
} kPasses[8] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}, {0, 0, 1, 1}};
enum { ONLY_PASS = 7 };

static ocl_status corrupt(const ocl_image_file* file, const char* what) {
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, file->detail, "PNG: %s", what);
}

// ---- chunks

static void fill_crc_tables(crc_tables t) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int32_t bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    t[0][i] = crc;
  }
  for (uint32_t k = 1; k < 4; k++)
    for (uint32_t i = 0; i < 256; i++) t[k][i] = t[k - 1][i] >> 8 ^ t[0][t[k - 1][i] & 255];
}

static bool has_sound_crc(const png* p, const chunk* c) {
  uint32_t crc = 0xFFFFFFFF;
  const uint8_t *at = c->type, *end = c->data + c->length;
  for (; end - at >= 4; at += 4) {
    crc ^= ocl_load_u32_le(at);
    crc = p->crc[3][crc & 255] ^ p->crc[2][crc >> 8 & 255] ^ p->crc[1][crc >> 16 & 255] ^ p->crc[0][crc >> 24];
  }
  for (; at < end; at++) crc = crc >> 8 ^ p->crc[0][(crc ^ *at) & 255];
  return ~crc == ocl_load_u32_be(end);
}

static bool has_letters(const chunk* c) {
  for (uint32_t i = 0; i < 4; i++)
    if ((c->type[i] | 0x20u) - 'a' > 'z' - 'a') return false;
  return true;
}

// False: the file ends.
static bool take_chunk(png* p, chunk* c) {
  const size_t left_bytes = (size_t)(p->file->bytes + p->file->size_bytes - p->at);
  if (left_bytes < 8) return false;
  *c = (chunk){.type = p->at + 4, .data = p->at + 8, .length = ocl_load_u32_be(p->at)};
  c->is_impossible = c->length > INT32_MAX || !has_letters(c);
  c->is_cut = left_bytes < CHUNK_OVERHEAD_BYTES || c->length > left_bytes - CHUNK_OVERHEAD_BYTES;
  if (c->is_cut && c->length > left_bytes - 8) c->length = (uint32_t)(left_bytes - 8);
  p->at += c->is_cut ? left_bytes : CHUNK_OVERHEAD_BYTES + (size_t)c->length;
  return true;
}

static bool is_type(const chunk* c, const char* type) {
  return memcmp(c->type, type, 4) == 0;
}

static bool is_critical(const chunk* c) {
  return (c->type[0] & 0x20) == 0;
}

// ---- header

static ocl_status read_ihdr(png* p, const chunk* c) {
  // by colour type: number of samples, and the possible depths
  static const uint8_t kSamples[7] = {1, 0, 3, 1, 2, 0, 4}, kDepths[7] = {31, 0, 24, 15, 24, 0, 24};
  ocl_image_file* file = p->file;
  if (p->num_samples > 0) return corrupt(file, "two headers");
  if (c->length != 13) return corrupt(file, "header of a wrong length");
  const uint32_t width_px = ocl_load_u32_be(c->data), height_px = ocl_load_u32_be(c->data + 4);
  if (width_px - 1 >= INT32_MAX || height_px - 1 >= INT32_MAX) return corrupt(file, "no pixels");
  p->depth_bits = c->data[8];
  p->color_type = c->data[9];
  const bool is_power = p->depth_bits <= 16 && (p->depth_bits & (p->depth_bits - 1)) == 0;
  if (p->color_type > 6 || !is_power || p->depth_bits == 0 ||
      (kDepths[p->color_type] >> __builtin_ctz(p->depth_bits) & 1) == 0)
    return corrupt(file, "unknown colour type or depth");
  if (c->data[10] != 0 || c->data[11] != 0 || c->data[12] > 1)
    return corrupt(file, "unknown compression, filters or interlacing");
  p->num_samples = kSamples[p->color_type];
  p->is_interlaced = c->data[12] != 0;
  file->header.width_px = (int32_t)width_px;
  file->header.height_px = (int32_t)height_px;
  return OCL_OK;
}

static ocl_status read_palette(png* p, const chunk* c) {
  if (p->num_colors > 0) return corrupt(p->file, "two palettes");
  if ((p->color_type & HAS_COLOR) == 0) return OCL_OK;  // grey: it means nothing
  if (c->length == 0 || c->length > sizeof p->palette / 4 * 3 || c->length % 3 != 0)
    return p->color_type == PALETTE || c->length == 0 ? corrupt(p->file, "palette of a wrong length") : OCL_OK;
  p->num_colors = c->length / 3;
  for (uint32_t i = 0; i < p->num_colors; i++) memcpy(p->palette[i], c->data + 3 * (size_t)i, 3);
  return OCL_OK;
}

// A chunk that does not fit is left out.
static void read_transparency(png* p, const chunk* c) {
  if (p->has_transparency || (p->color_type & HAS_ALPHA) != 0) return;
  const bool is_palette = p->color_type == PALETTE;
  p->has_transparency = is_palette ? c->length > 0 && c->length <= p->num_colors : c->length == 2 * p->num_samples;
  if (!p->has_transparency) return;
  for (uint32_t i = 0; i < c->length && is_palette; i++) p->palette[i][3] = c->data[i];
  for (uint32_t i = 0; i < p->num_samples && !is_palette; i++)
    p->transparent[i] = ocl_load_u16_be(c->data + 2 * (size_t)i) & ((1u << p->depth_bits) - 1);
}

static ocl_status read_chunk(png* p, const chunk* c) {
  ocl_image_file* file = p->file;
  if (is_type(c, "CgBI"))  // its channels are in another order
    return ocl_status_with_detail(OCL_UNSUPPORTED_IMAGE_FORMAT, file->detail, "Apple's CgBI variant of PNG");
  if (c->is_impossible) return corrupt(file, "impossible chunk");
  if (c->is_cut) return corrupt(file, "truncated before its pixels");
  const bool is_ihdr = is_type(c, "IHDR");
  if (p->num_samples == 0 && !is_ihdr) return corrupt(file, "does not begin with its header");
  if (!has_sound_crc(p, c)) return is_critical(c) ? corrupt(file, "damaged header, by its checksum") : OCL_OK;
  if (is_ihdr) return read_ihdr(p, c);
  if (is_type(c, "PLTE")) return read_palette(p, c);
  if (is_type(c, "tRNS")) read_transparency(p, c);
  if (is_type(c, "eXIf")) file->header.orientation = ocl_exif_orientation(c->data, c->length);
  return is_critical(c) ? corrupt(file, "critical chunk of an unknown kind") : OCL_OK;
}

// Reads the chunks before the pixels.
static ocl_status read_chunks(png* p) {
  p->at = p->file->bytes + SIGNATURE_BYTES;
  fill_crc_tables(p->crc);
  for (uint32_t i = 0; i < 256; i++) p->palette[i][3] = 255;
  for (;;) {
    if (!take_chunk(p, &p->first_data) || is_type(&p->first_data, "IEND"))
      return corrupt(p->file, "truncated before its pixels");
    if (is_type(&p->first_data, "IDAT") && !p->first_data.is_impossible) break;
    OCL_TRY(read_chunk(p, &p->first_data));
  }
  if (p->num_samples == 0) return corrupt(p->file, "does not begin with its header");
  return p->color_type == PALETTE && p->num_colors == 0 ? corrupt(p->file, "no palette") : OCL_OK;
}

static uint64_t bytes_in_row(const png* p, uint64_t width_px) {
  return (width_px * p->num_samples * p->depth_bits + 7) / 8;
}

// Whether the data could hold the pixels, if it is whole. Moves behind it.
static ocl_status check_data(png* p) {
  const ocl_image_file* file = p->file;
  uint64_t data_bytes = p->first_data.length;
  chunk c = p->first_data;
  while (take_chunk(p, &c) && is_type(&c, "IDAT")) data_bytes += c.length;
  const uint64_t row_bytes = bytes_in_row(p, (uint64_t)file->header.width_px);
  if (file->allow_truncated || row_bytes <= data_bytes * MAX_DEFLATE_RATIO / (uint64_t)file->header.height_px)
    return OCL_OK;
  return corrupt(file, "too few bytes for its pixels");
}

static size_t row_memory_bytes(const png* p) {
  return PADDING_BYTES + 1 + (size_t)bytes_in_row(p, (uint64_t)p->file->header.width_px);
}

static ocl_status read_all(png* p) {
  OCL_TRY(read_chunks(p));
  OCL_TRY(check_data(p));
  ocl_image_header* header = &p->file->header;
  header->num_channels = p->has_transparency || (p->color_type & HAS_ALPHA) != 0 ? 4 : 3;
  header->working_bytes = (uint64_t)header->width_px * (uint64_t)header->height_px * (uint64_t)header->num_channels +
                          2 * row_memory_bytes(p) + sizeof(ocl_inflate);
  return OCL_OK;
}

static ocl_status read_header(ocl_image_file* file) {
  png p = {.file = file};
  return read_all(&p);
}

// ---- rows

static uint32_t count_in_pass(int32_t size, uint32_t start, uint32_t step) {
  return (uint32_t)size <= start ? 0 : ((uint32_t)size - start + step - 1) / step;
}

// Moves on to the next pass that has pixels.
static void begin_pass(png* p) {
  const ocl_image_header* header = &p->file->header;
  for (; p->pass < p->end_pass; p->pass++) {
    p->pass_width = count_in_pass(header->width_px, kPasses[p->pass].x, kPasses[p->pass].across);
    p->pass_height = count_in_pass(header->height_px, kPasses[p->pass].y, kPasses[p->pass].down);
    if (p->pass_width > 0 && p->pass_height > 0) break;
  }
  p->y = 0;
  p->row_bytes = 1 + (size_t)bytes_in_row(p, p->pass_width);
  memset(p->above, 0, p->row_bytes);
}

static void next_row(png* p) {
  uint8_t* above = p->row;
  p->row = p->above;
  p->above = above;
  p->have_bytes = 0;
  if (++p->y < p->pass_height) return;
  p->pass++;
  begin_pass(p);
}

static uint8_t* pixel_at(const png* p, uint32_t x) {
  const ocl_image_header* header = &p->file->header;
  const size_t row = kPasses[p->pass].y + (size_t)p->y * kPasses[p->pass].down;
  const size_t column = kPasses[p->pass].x + (size_t)x * kPasses[p->pass].across;
  return p->file->pixels + (row * (size_t)header->width_px + column) * (size_t)header->num_channels;
}

static uint32_t predict_paeth(uint32_t left, uint32_t above, uint32_t corner) {
  const int32_t by_left = (int32_t)above - (int32_t)corner, by_above = (int32_t)left - (int32_t)corner;
  const int32_t to_left = abs(by_left), to_above = abs(by_above), to_corner = abs(by_left + by_above);
  if (to_left <= to_above && to_left <= to_corner) return left;
  return to_above <= to_corner ? above : corner;
}

// Takes the filter from a row (9.2). False: it is unknown.
static bool unfilter(png* p) {
  const uint32_t filter = p->row[0], pixel_bytes = p->num_samples * p->depth_bits / 8;
  const ptrdiff_t step = pixel_bytes > 0 ? (ptrdiff_t)pixel_bytes : 1;
  p->row[0] = 0;
  uint8_t *at = p->row + 1, *end = p->row + p->row_bytes;
  const uint8_t* above = p->above + 1;
  if (filter == 1)
    for (; at < end; at++) *at = (uint8_t)(*at + at[-step]);
  if (filter == 2)
    for (; at < end; at++, above++) *at = (uint8_t)(*at + *above);
  if (filter == 3)
    for (; at < end; at++, above++) *at = (uint8_t)(*at + ((at[-step] + *above) >> 1));
  if (filter == 4)
    for (; at < end; at++, above++) *at = (uint8_t)(*at + predict_paeth(at[-step], *above, above[-step]));
  return filter < NUM_FILTERS;
}

static uint32_t sample_at(const png* p, size_t index) {
  const uint8_t* row = p->row + 1;
  if (p->depth_bits == 8) return row[index];
  if (p->depth_bits == 16) return ocl_load_u16_be(row + 2 * index);
  const size_t bit = index * p->depth_bits;
  return row[bit / 8] >> (8 - p->depth_bits - bit % 8) & ((1u << p->depth_bits) - 1);
}

static void put_pixel(const png* p, uint32_t x, uint8_t* out) {
  uint8_t bytes[MAX_SAMPLES] = {0};
  bool is_transparent = p->has_transparency;
  const uint32_t num_samples = p->num_samples, num_channels = (uint32_t)p->file->header.num_channels;
  if (p->color_type == PALETTE) {
    memcpy(out, p->palette[sample_at(p, x)], num_channels);
    return;
  }
  for (uint32_t i = 0; i < num_samples; i++) {
    const uint32_t sample = sample_at(p, (size_t)x * num_samples + i);
    if (i < 3 && sample != p->transparent[i]) is_transparent = false;
    bytes[i] = (uint8_t)(p->depth_bits == 16 ? sample >> 8 : sample * (255 / ((1u << p->depth_bits) - 1)));
  }
  const bool has_color = (p->color_type & HAS_COLOR) != 0;
  for (uint32_t i = 0; i < 3; i++) out[i] = bytes[has_color ? i : 0];
  if (num_channels == 4) out[3] = p->has_transparency ? (is_transparent ? 0 : 255) : bytes[num_samples - 1];
}

static void put_row(const png* p) {
  const uint32_t num_channels = (uint32_t)p->file->header.num_channels;
  if (p->pass == ONLY_PASS && p->depth_bits == 8 && p->num_samples == num_channels) {
    memcpy(pixel_at(p, 0), p->row + 1, p->row_bytes - 1);
    return;
  }
  uint8_t* out = pixel_at(p, 0);
  for (uint32_t x = 0; x < p->pass_width; x++, out += num_channels * kPasses[p->pass].across) put_pixel(p, x, out);
}

static void fill_missing_rows(png* p) {
  const uint32_t num_channels = (uint32_t)p->file->header.num_channels;
  for (; p->pass < p->end_pass; next_row(p)) {
    for (uint32_t x = 0; x < p->pass_width; x++) {
      uint8_t* out = pixel_at(p, x);
      memset(out, GREY_LEVEL, 3);
      if (num_channels == 4) out[3] = 255;
    }
  }
}

// ---- compressed data

static void add_to_adler(png* p, const uint8_t* bytes, size_t size_bytes) {
  while (size_bytes > 0) {
    size_t run = size_bytes < ADLER_RUN_BYTES ? size_bytes : ADLER_RUN_BYTES;
    for (size_bytes -= run; run > 0; run--) {
      p->adler_a += *bytes++;
      p->adler_b += p->adler_a;
    }
    p->adler_a %= ADLER_MODULUS;
    p->adler_b %= ADLER_MODULUS;
  }
}

static bool take_bytes(void* context, const uint8_t* bytes, size_t size_bytes) {
  png* p = context;
  add_to_adler(p, bytes, size_bytes);
  while (size_bytes > 0) {
    if (p->pass == p->end_pass) {
      p->surplus_bytes += size_bytes;
      p->is_bad = p->surplus_bytes > MAX_SURPLUS_BYTES;
      return !p->is_bad;
    }
    size_t piece = p->row_bytes - p->have_bytes;
    if (piece > size_bytes) piece = size_bytes;
    memcpy(p->row + p->have_bytes, bytes, piece);
    bytes += piece;
    size_bytes -= piece;
    p->have_bytes += piece;
    if (p->have_bytes < p->row_bytes) break;
    p->is_bad = !unfilter(p);
    if (p->is_bad) return false;
    put_row(p);
    next_row(p);
  }
  return true;
}

static bool next_data(void* context, const uint8_t** at, const uint8_t** end) {
  png* p = context;
  chunk c;
  if (p->has_bad_chunk || p->is_followed || !take_chunk(p, &c)) return false;
  p->is_followed = c.is_impossible || !is_type(&c, "IDAT");
  if (p->is_followed) return false;
  p->has_bad_chunk = !c.is_cut && !has_sound_crc(p, &c);
  if (p->has_bad_chunk) return false;
  *at = c.data;
  *end = c.data + c.length;
  return true;
}

// RFC 1950: a head, deflate data, a checksum. False: damaged.
static bool inflate(png* p, ocl_inflate* z) {
  uint32_t head, adler;
  p->is_unfinished = true;
  if (!ocl_inflate_read_bits(z, 16, &head)) return true;
  const uint32_t method = head & 255, flags = head >> 8;
  if ((method << 8 | flags) % 31 != 0 || (method & 15) != 8 || method >> 4 > 7 || (flags & 32) != 0) return false;
  const ocl_inflate_result result = ocl_inflate_run(z);
  p->is_unfinished = result != OCL_INFLATE_STOPPED;
  if (result != OCL_INFLATE_END) return result != OCL_INFLATE_BAD;
  ocl_inflate_align(z);
  if (!ocl_inflate_read_bits(z, 32, &adler)) return true;
  p->is_unfinished = false;
  return __builtin_bswap32(adler) == (p->adler_b << 16 | p->adler_a);
}

static ocl_status finish(png* p, bool is_sound) {
  ocl_image_file* file = p->file;
  if (p->is_bad || !is_sound || (p->has_bad_chunk && p->is_unfinished)) return corrupt(file, "damaged pixels");
  if (p->pass == p->end_pass && p->is_unfinished && p->is_followed && !file->allow_truncated)
    return corrupt(file, "compressed data without an end");
  if (p->pass == p->end_pass) return OCL_OK;
  if (!file->allow_truncated)
    return ocl_status_with_detail(OCL_IMAGE_CORRUPT, file->detail, "PNG: truncated: the data ends at row %u of %u%s",
                                  (unsigned)(kPasses[p->pass].y + p->y * kPasses[p->pass].down),
                                  (unsigned)file->header.height_px,
                                  p->is_interlaced && p->pass < p->end_pass - 1 ? ", before its last pass" : "");
  file->is_truncated = true;
  fill_missing_rows(p);
  return OCL_OK;
}

static ocl_status decode(ocl_image_file* file) {
  png p = {.file = file, .adler_a = 1};
  OCL_TRY(read_all(&p));
  const size_t row_bytes = row_memory_bytes(&p);
  uint8_t* memory = calloc(1, sizeof(ocl_inflate) + 2 * row_bytes);
  if (memory == NULL) return OCL_OUT_OF_MEMORY;
  ocl_inflate* z = (ocl_inflate*)(void*)memory;
  p.row = memory + sizeof *z + PADDING_BYTES;
  p.above = p.row + row_bytes;
  p.pass = p.is_interlaced ? 0 : ONLY_PASS;
  p.end_pass = p.is_interlaced ? ONLY_PASS : ONLY_PASS + 1;
  begin_pass(&p);
  p.at = p.first_data.type - 4;
  z->next = next_data;
  z->take = take_bytes;
  z->context = &p;
  const ocl_status status = finish(&p, inflate(&p, z));
  free(memory);
  return status;
}

const ocl_image_format ocl_format_png = {read_header, decode};
