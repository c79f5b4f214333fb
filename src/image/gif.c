// Stage: GIF file -> its first frame, on its screen, RGBA. Layout: GIF89a specification. A screen that is smaller than
// the frame grows, as in browsers. What the frame leaves uncovered is transparent.
#include <string.h>

#include "base/bytes.h"
#include "image/formats.h"

enum {
  SCREEN_END = 13,  // signature and logical screen descriptor
  EXTENSION = 0x21,
  IMAGE = 0x2C,
  GRAPHIC_CONTROL = 0xF9,
  HAS_COLOR_TABLE = 0x80,
  IS_INTERLACED = 0x40,
  MAX_CODE_BITS = 12,
  MAX_CODES = 1 << MAX_CODE_BITS,
  NO_CODE = MAX_CODES,
  // A screen may be larger than its frame, but not a bomb: the best LZW gives is 4096 pixels from 12 bits.
  PIXELS_PER_BYTE = 2731,
  FREE_PIXELS = 1 << 24,
};

typedef struct {
  const uint8_t *at, *end;
  const uint8_t* color_table;  // the frame's own, or the screen's; NULL: none
  uint32_t num_colors;
  int32_t transparent;  // index, or -1
  uint32_t left, top, width, height, flags;
} frame;

static ocl_status corrupt(const ocl_image_file* file, const char* what) {
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, file->detail, "GIF: %s", what);
}

// ---- blocks

static const uint8_t* take(frame* f, size_t size_bytes) {
  if (size_bytes > (size_t)(f->end - f->at)) return NULL;
  f->at += size_bytes;
  return f->at - size_bytes;
}

static bool take_color_table(frame* f, uint32_t flags) {
  if ((flags & HAS_COLOR_TABLE) == 0) return true;
  f->num_colors = 2u << (flags & 7);
  f->color_table = take(f, (size_t)3 * f->num_colors);
  return f->color_table != NULL;
}

// An extension's label, and its sub-blocks: a length byte and that many bytes, until a length of 0.
static bool skip_extension(frame* f) {
  const uint8_t* label = take(f, 1);
  for (;;) {
    const uint8_t* length = take(f, 1);
    if (length == NULL) return false;
    if (*length == 0) return true;
    const uint8_t* block = take(f, *length);
    if (block == NULL) return false;
    if (*label == GRAPHIC_CONTROL && *length >= 4) f->transparent = block[0] & 1 ? block[3] : -1;
  }
}

static ocl_status find_frame(const ocl_image_file* file, frame* f) {
  *f = (frame){.at = file->bytes, .end = file->bytes + file->size_bytes, .transparent = -1};
  const uint8_t* screen = take(f, SCREEN_END);
  if (screen == NULL || !take_color_table(f, screen[10])) return corrupt(file, "truncated header");
  for (;;) {
    const uint8_t* kind = take(f, 1);
    if (kind == NULL || (*kind == EXTENSION && !skip_extension(f)))
      return corrupt(file, "truncated before its first image");
    if (*kind == IMAGE) break;
    if (*kind != EXTENSION && *kind != 0) return corrupt(file, "no image");
  }
  const uint8_t* descriptor = take(f, 9);
  if (descriptor == NULL || !take_color_table(f, descriptor[8])) return corrupt(file, "truncated before its pixels");
  f->left = ocl_load_u16_le(descriptor);
  f->top = ocl_load_u16_le(descriptor + 2);
  f->width = ocl_load_u16_le(descriptor + 4);
  f->height = ocl_load_u16_le(descriptor + 6);
  f->flags = descriptor[8];
  return f->width == 0 || f->height == 0 ? corrupt(file, "no pixels") : OCL_OK;
}

static int32_t larger(uint32_t a, uint32_t b) {
  return (int32_t)(a > b ? a : b);
}

static ocl_status read_header(ocl_image_file* file) {
  frame f;
  if (file->size_bytes >= SCREEN_END) {
    file->header.width_px = (int32_t)ocl_load_u16_le(file->bytes + 6);
    file->header.height_px = (int32_t)ocl_load_u16_le(file->bytes + 8);
  }
  OCL_TRY(find_frame(file, &f));
  ocl_image_header* header = &file->header;
  header->width_px = larger((uint32_t)header->width_px, f.left + f.width);
  header->height_px = larger((uint32_t)header->height_px, f.top + f.height);
  const uint64_t num_pixels = (uint64_t)header->width_px * (uint64_t)header->height_px;
  if (num_pixels > FREE_PIXELS + (uint64_t)PIXELS_PER_BYTE * file->size_bytes)
    return corrupt(file, "too few bytes for its screen");
  header->num_channels = 4;
  header->working_bytes = 4 * num_pixels;
  return OCL_OK;
}

// ---- LZW

typedef struct {
  frame* frame;
  size_t left_in_block;
  uint32_t bits, num_bits;
  uint16_t previous[MAX_CODES];  // a code's string is that of `previous`, and `last`
  uint8_t last[MAX_CODES];
  uint8_t string[MAX_CODES];  // the present code's, from its end
} lzw;

// False: the data ends.
static bool read_code(lzw* l, uint32_t code_bits, uint32_t* code_out) {
  while (l->num_bits < code_bits) {
    if (l->left_in_block == 0) {
      const uint8_t* length = take(l->frame, 1);
      if (length == NULL || *length == 0) return false;
      l->left_in_block = *length;
    }
    const uint8_t* byte = take(l->frame, 1);
    if (byte == NULL) return false;
    l->bits |= (uint32_t)*byte << l->num_bits;
    l->num_bits += 8;
    l->left_in_block--;
  }
  *code_out = l->bits & ((1u << code_bits) - 1);
  l->bits >>= code_bits;
  l->num_bits -= code_bits;
  return true;
}

// Writes the code's string, last byte first; returns its length.
static uint32_t unwind(lzw* l, uint32_t code, uint32_t num_roots) {
  uint32_t length = 0;
  for (; code >= num_roots; code = l->previous[code]) l->string[length++] = l->last[code];
  l->string[length++] = (uint8_t)code;
  return length;
}

// ---- pixels

typedef struct {
  uint8_t* pixels;  // the frame's first one
  size_t stride_bytes;
  uint32_t width, height, x, y;
  uint32_t pass;  // of the four if rows are interlaced; 4: the rows are in order
  uint8_t colors[256][4];
} canvas;

static void fill_colors(const frame* f, canvas* c) {
  for (uint32_t i = 0; i < 256; i++) {
    const uint8_t grey[3] = {(uint8_t)i, (uint8_t)i, (uint8_t)i};
    const uint8_t* color = f->color_table == NULL ? grey : f->color_table + (size_t)3 * i;
    memset(c->colors[i], 0, 3);
    if (f->color_table == NULL || i < f->num_colors) memcpy(c->colors[i], color, 3);
    c->colors[i][3] = (int32_t)i == f->transparent ? 0 : 255;
  }
}

static void next_row(canvas* c) {
  static const uint8_t kStarts[5] = {0, 4, 2, 1}, kSteps[5] = {8, 8, 4, 2, 1};
  c->x = 0;
  c->y += kSteps[c->pass];
  while (c->pass < 3 && c->y >= c->height) c->y = kStarts[++c->pass];
}

static void put_string(canvas* c, const uint8_t* string, uint32_t length) {
  while (length > 0 && c->y < c->height) {
    memcpy(c->pixels + c->y * c->stride_bytes + (size_t)4 * c->x, c->colors[string[--length]], 4);
    if (++c->x == c->width) next_row(c);
  }
}

static bool draw(lzw* l, uint32_t root_bits, canvas* c) {
  const uint32_t num_roots = 1u << root_bits, clear = num_roots, end = clear + 1;
  uint32_t num_codes = end + 1, code_bits = root_bits + 1, before = NO_CODE, code;
  uint8_t first = 0;  // of the last string
  while (c->y < c->height && read_code(l, code_bits, &code) && code != end) {
    if (code == clear) {
      num_codes = end + 1;
      code_bits = root_bits + 1;
      before = NO_CODE;
      continue;
    }
    // The next code that the table gets may be used at once: the string before, and its first byte.
    const bool is_next = code == num_codes;
    if (code > num_codes || (is_next && before == NO_CODE)) return false;
    uint32_t length = is_next ? 0 : unwind(l, code, num_roots);
    if (!is_next) first = l->string[length - 1];
    if (before != NO_CODE && num_codes < MAX_CODES) {
      l->previous[num_codes] = (uint16_t)before;
      l->last[num_codes++] = first;
    }
    // of one root bit, which GIF89a does not allow, already after the first code
    if (num_codes == 1u << code_bits && code_bits < MAX_CODE_BITS) code_bits++;
    if (is_next) length = unwind(l, code, num_roots);
    put_string(c, l->string, length);
    before = code;
  }
  return true;
}

static ocl_status decode(ocl_image_file* file) {
  frame f;
  OCL_TRY(find_frame(file, &f));
  const uint8_t* root_bits = take(&f, 1);
  if (root_bits == NULL) return corrupt(file, "truncated before its pixels");
  if (*root_bits < 1 || *root_bits > 8) return corrupt(file, "impossible code size");
  const size_t stride_bytes = (size_t)4 * (size_t)file->header.width_px;
  canvas c = {.pixels = file->pixels + f.top * stride_bytes + (size_t)4 * f.left,
              .stride_bytes = stride_bytes,
              .width = f.width,
              .height = f.height,
              .pass = f.flags & IS_INTERLACED ? 0 : 4};
  fill_colors(&f, &c);
  lzw l = {.frame = &f};
  if (!draw(&l, *root_bits, &c)) return corrupt(file, "impossible code");
  file->is_truncated = c.y < c.height;
  if (!file->is_truncated || file->allow_truncated) return OCL_OK;
  return ocl_status_with_detail(OCL_IMAGE_CORRUPT, file->detail, "GIF: truncated: the data ends at row %u of %u",
                                (unsigned)c.y, (unsigned)c.height);
}

const ocl_image_format ocl_format_gif = {read_header, decode};
