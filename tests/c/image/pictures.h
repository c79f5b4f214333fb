// Random GIF and BMP files: number -> a sound file with few pixels, or one with one to three kinds of damage. The same
// number gives the same file everywhere.
#ifndef OCELLI_TESTS_PICTURES_H_
#define OCELLI_TESTS_PICTURES_H_

#include "image/damage.h"
#include "image/image_files.h"

enum { MAX_BLOCKS = 40 };

// A file, and where its blocks begin: headers, tables of colours, extensions, pixels.
typedef struct {
  file f;
  size_t starts[MAX_BLOCKS + 1];
  int32_t num_blocks;
} picture;

static inline void begin_block(picture* p) {
  if (p->num_blocks < MAX_BLOCKS) p->starts[p->num_blocks++] = p->f.size_bytes;
}

static inline void put_random(file* f, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) put_byte(f, below(256));
}

static inline bool one_in(uint32_t n) {
  return below(n) == 0;
}

// ---- GIF: LZW

typedef struct {
  file bytes;
  uint32_t bits, num_bits;
} code_writer;

static inline void put_code(code_writer* w, uint32_t code, uint32_t code_bits) {
  w->bits |= code << w->num_bits;
  w->num_bits += code_bits;
  for (; w->num_bits >= 8; w->num_bits -= 8, w->bits >>= 8) put_byte(&w->bytes, w->bits & 255);
}

typedef struct {
  uint16_t child[4096], sibling[4096];
  uint8_t last[4096];
  uint32_t root_bits, code_bits, num_codes;
} lzw_table;

static inline void clear_table(lzw_table* t) {
  t->code_bits = t->root_bits + 1;
  t->num_codes = (1u << t->root_bits) + 2;
  memset(t->child, 0, sizeof t->child);
}

// 0: there is none.
static inline uint32_t find_code(const lzw_table* t, uint32_t prefix, uint8_t last) {
  uint32_t code = t->child[prefix];
  while (code != 0 && t->last[code] != last) code = t->sibling[code];
  return code;
}

static inline void write_code(lzw_table* t, code_writer* w, uint32_t code) {
  put_code(w, code, t->code_bits);
  if (t->num_codes == 1u << t->code_bits && t->code_bits < 12) t->code_bits++;
}

static inline void add_code(lzw_table* t, uint32_t prefix, uint8_t last) {
  if (t->num_codes == 4096) return;
  t->last[t->num_codes] = last;
  t->sibling[t->num_codes] = t->child[prefix];
  t->child[prefix] = (uint16_t)t->num_codes++;
}

// A table that is full is cleared, or used on; now and then it is cleared earlier.
static inline file compress_indices(const uint8_t* indices, uint32_t count, uint32_t root_bits) {
  static lzw_table t;
  code_writer w = {0};
  const bool is_used_on = one_in(2), begins_with_clear = !one_in(8);
  t.root_bits = root_bits;
  clear_table(&t);
  if (begins_with_clear) put_code(&w, 1u << root_bits, t.code_bits);
  uint32_t prefix = indices[0];
  for (uint32_t i = 1; i < count; i++) {
    const uint32_t longer = find_code(&t, prefix, indices[i]);
    if (longer != 0) {
      prefix = longer;
      continue;
    }
    write_code(&t, &w, prefix);
    add_code(&t, prefix, indices[i]);
    prefix = indices[i];
    if ((t.num_codes < 4096 || is_used_on) && !one_in(400)) continue;
    put_code(&w, 1u << root_bits, t.code_bits);
    clear_table(&t);
  }
  write_code(&t, &w, prefix);
  if (!one_in(8)) put_code(&w, (1u << root_bits) + 1, t.code_bits);
  put_code(&w, 0, 7);
  return w.bytes;
}

// ---- GIF: blocks

static inline void put_sub_blocks(file* f, const file* data) {
  const uint32_t most = one_in(2) ? 255 : 1 + below(255);
  for (size_t at = 0; at < data->size_bytes;) {
    const size_t left = data->size_bytes - at, size = left < most ? left : most;
    put_byte(f, (unsigned)size);
    put(f, data->bytes + at, size);
    at += size;
  }
  put_byte(f, 0);
}

static inline void put_extension(picture* p) {
  static const uint8_t kLabels[] = {0xFE, 0xFF, 0x01, 0xF9, 0x42};
  const uint8_t label = kLabels[below(5)];
  file data = {0};
  begin_block(p);
  put_byte(&p->f, 0x21);
  put_byte(&p->f, label);
  if (label == 0xFF) put(&p->f, "\x0BNETSCAPE2.0\3\1\0\0", 16);
  if (label == 0xF9) put_le(&data, below(8) << 2 | below(2) | below(256) << 24, 4);
  if (label != 0xFF && label != 0xF9) put_random(&data, below(300));
  put_sub_blocks(&p->f, &data);
  drop(&data);
}

static inline void put_between(picture* p) {
  if (one_in(5)) put_zeros(&p->f, 1 + (int32_t)below(3));
  while (one_in(3)) put_extension(p);
  if (one_in(8)) put_zeros(&p->f, 1);
}

static inline void put_frame(picture* p, uint32_t left, uint32_t top, uint32_t width, uint32_t height) {
  const uint32_t root_bits = 2 + below(7), flags = one_in(3) ? 0x80 | below(8) : 0;
  begin_block(p);
  put_byte(&p->f, 0x2C);
  put_le(&p->f, left, 2);
  put_le(&p->f, top, 2);
  put_le(&p->f, width, 2);
  put_le(&p->f, height, 2);
  put_byte(&p->f, flags | (one_in(3) ? 0x40 : 0) | (one_in(4) ? 0x20 : 0));
  if (flags != 0) put_random(&p->f, 6u << (flags & 7));
  begin_block(p);
  put_byte(&p->f, root_bits);
  uint8_t* indices = malloc((size_t)width * height);
  const uint32_t noise = one_in(2) ? 1 + below(1u << root_bits) : 1 + below(3);
  for (uint32_t i = 0; i < width * height; i++)
    indices[i] = (uint8_t)(((i % width) / 4 + i / width / 3 + below(noise)) & ((1u << root_bits) - 1));
  file codes = compress_indices(indices, width * height, root_bits);
  put_sub_blocks(&p->f, &codes);
  drop(&codes);
  free(indices);
}

// The screen: none, that of the frame, or any.
static inline picture make_random_gif(uint32_t number) {
  picture p = {0};
  seed_damage(number);
  const uint32_t largest = one_in(16) ? 90 : 20, width = 1 + below(largest), height = 1 + below(largest);
  const bool is_moved = one_in(3);
  const uint32_t left = is_moved ? below(12) : 0, top = is_moved ? below(12) : 0, kind = below(4);
  const uint32_t flags = one_in(4) ? 0 : 0x80 | below(8);
  begin_block(&p);
  put(&p.f, one_in(3) ? "GIF87a" : "GIF89a", 6);
  put_le(&p.f, kind == 0 ? below(2) * below(40) : left + width + (kind == 1 ? below(10) : 0), 2);
  put_le(&p.f, kind == 0 ? below(2) * below(40) : top + height + (kind == 1 ? below(10) : 0), 2);
  put_byte(&p.f, flags | below(8) << 4);
  put_byte(&p.f, below(256));
  put_byte(&p.f, one_in(8) ? below(256) : 0);
  if (flags != 0) put_random(&p.f, 6u << (flags & 7));
  put_between(&p);
  put_frame(&p, left, top, width, height);
  while (one_in(3)) {
    put_between(&p);
    put_frame(&p, below(9), below(9), 1 + below(9), 1 + below(9));
  }
  begin_block(&p);
  if (!one_in(6)) put_byte(&p.f, 0x3B);
  p.starts[p.num_blocks] = p.f.size_bytes;
  return p;
}

// ---- BMP

typedef struct {
  uint32_t header_bytes, bits, compression, width, height, num_colors;
  const uint32_t* masks;  // NULL: none
} bmp_kind;

static const uint32_t kMasks16[2][4] = {{0xF800, 0x07E0, 0x1F, 0}, {0x7C00, 0x3E0, 0x1F, 0}};
static const uint32_t kMasks32[5][4] = {{0xFF0000, 0xFF00, 0xFF, 0},
                                        {0xFF0000, 0xFF00, 0xFF, 0xFF000000},
                                        {0xFF, 0xFF00, 0xFF0000, 0xFF000000},
                                        {0xFF000000, 0xFF0000, 0xFF00, 0xFF},
                                        {0xFF000000, 0xFF0000, 0xFF00, 0}};

static inline bmp_kind random_kind(void) {
  static const uint32_t kHeaders[] = {12, 40, 40, 40, 52, 56, 64, 108, 124}, kBits[] = {1, 4, 8, 16, 24, 32};
  bmp_kind k = {kHeaders[below(9)], kBits[below(6)], 0, 1 + below(20), 1 + below(20), 0, NULL};
  const bool is_core = k.header_bytes == 12;
  if (is_core && k.bits == 16) k.bits = 24;
  if (k.bits <= 8) k.num_colors = 1u << k.bits;
  if (k.bits <= 8 && !is_core && one_in(3)) k.num_colors = 1 + below(k.num_colors);
  if (is_core) return k;
  if (k.bits == 4 || k.bits == 8) k.compression = one_in(2) ? (k.bits == 8 ? 1 : 2) : 0;
  if ((k.bits == 16 || k.bits == 32) && k.header_bytes != 64 && !one_in(3)) {
    k.compression = 3;
    k.masks = k.bits == 16 ? kMasks16[below(2)] : kMasks32[below(5)];
  }
  return k;
}

static inline void put_run(file* f, uint32_t bits, uint32_t count) {
  put_byte(f, count);
  put_byte(f, below(1u << bits) | (bits == 4 ? below(16) << 4 : 0));
}

static inline void put_literal(file* f, uint32_t bits, uint32_t count) {
  const uint32_t num_bytes = (count * bits + 7) / 8;
  put_byte(f, 0);
  put_byte(f, count);
  put_random(f, num_bytes + num_bytes % 2);
}

// Rows of runs, literals and moves; some rows end early.
static inline void put_runs(file* f, const bmp_kind* k) {
  const bool has_moves = one_in(4);
  for (uint32_t y = 0; y < k->height; y++) {
    for (uint32_t x = 0; x < k->width;) {
      const uint32_t left = k->width - x;
      uint32_t count = 1 + below(left);
      if (has_moves && one_in(6)) {
        put(f, (uint8_t[]){0, 2, (uint8_t)count, 0}, 4);
      } else if (count >= 3 && one_in(2)) {
        put_literal(f, k->bits, count);
      } else {
        put_run(f, k->bits, count);
      }
      x += count;
      if (has_moves && one_in(10)) break;
    }
    if (y + 1 < k->height) put_zeros(f, 2);
  }
  put(f, "\0\1", 2);
}

static inline picture make_random_bmp(uint32_t number) {
  picture p = {0};
  seed_damage(number);
  const bmp_kind k = random_kind();
  const bool is_core = k.header_bytes == 12;
  const uint32_t masks_bytes = k.masks != NULL && k.header_bytes == 40 ? 12 : 0;
  const uint32_t palette_bytes = k.num_colors * (is_core ? 3 : 4), gap = one_in(4) ? 2 * below(20) : 0;
  begin_block(&p);
  put(&p.f, "BM", 2);
  put_zeros(&p.f, 8);
  put_le(&p.f, 14 + k.header_bytes + masks_bytes + palette_bytes + gap, 4);
  put_le(&p.f, k.header_bytes, 4);
  put_le(&p.f, k.width, is_core ? 2 : 4);
  put_le(&p.f, !is_core && k.compression != 1 && k.compression != 2 && one_in(3) ? 0u - k.height : k.height,
         is_core ? 2 : 4);
  put_le(&p.f, 1, 2);
  put_le(&p.f, k.bits, 2);
  if (!is_core) {
    put_le(&p.f, k.compression, 4);
    put_zeros(&p.f, 12);
    put_le(&p.f, k.bits <= 8 && k.num_colors == 1u << k.bits ? 0 : k.num_colors, 4);
    put_zeros(&p.f, 4);
  }
  for (uint32_t i = 0; i < 4 && p.f.size_bytes < 14 + k.header_bytes + masks_bytes; i++)
    put_le(&p.f, k.masks == NULL ? 0 : k.masks[i], 4);
  while (p.f.size_bytes < 14 + k.header_bytes) put_zeros(&p.f, 1);
  begin_block(&p);
  for (uint32_t i = 0; i < k.num_colors; i++) {
    put_random(&p.f, 3);
    if (!is_core) put_zeros(&p.f, 1);
  }
  put_random(&p.f, gap);
  begin_block(&p);
  if (k.compression == 1 || k.compression == 2) {
    put_runs(&p.f, &k);
  } else {
    const uint32_t row_bytes = (k.width * k.bits + 7) / 8;
    for (uint32_t y = 0; y < k.height; y++) {
      put_random(&p.f, row_bytes);
      put_zeros(&p.f, (int32_t)((4 - row_bytes % 4) % 4));
    }
  }
  p.starts[p.num_blocks] = p.f.size_bytes;
  return p;
}

// ---- damage

static inline void damage_picture(picture* p, damaged_file* f) {
  const uint32_t i = below((uint32_t)p->num_blocks), j = below((uint32_t)p->num_blocks);
  const size_t size = f->size;
  size_t start = p->starts[i] < size ? p->starts[i] : size, end = p->starts[i + 1] < size ? p->starts[i + 1] : size;
  if (end <= start) return;
  const size_t at = start + below((uint32_t)(end - start)), other = p->starts[j] < size ? p->starts[j] : size;
  uint8_t bytes[20];
  const uint32_t count = 1 + below(20);
  for (uint32_t k = 0; k < count; k++) bytes[k] = (uint8_t)below(256);
  switch (below(12)) {
    case 0: f->bytes[at] = bytes[0]; break;
    case 1: f->bytes[at] ^= (uint8_t)(1 << below(8)); break;
    case 2: splice(f, at, at, bytes, count); break;
    case 3: splice(f, at, at + below((uint32_t)(end - at)), NULL, 0); break;
    case 4: splice(f, start, end, NULL, 0); break;
    case 5: duplicate(f, (part){start, end, 0}, other); break;
    case 6: splice(f, below((uint32_t)size), size, NULL, 0); break;
    case 7: splice(f, size, size, bytes, count); break;
    case 8: memset(bytes, 0, sizeof bytes), splice(f, start, start, bytes, 1 + count % 4); break;
    case 9: f->bytes[below(size < 54 ? (uint32_t)size : 54)] = bytes[0]; break;
    case 10: f->bytes[below(size < 54 ? (uint32_t)size : 54)] ^= (uint8_t)(1 << below(8)); break;
    default: f->bytes[start + (end - start > 1 ? below(2) : 0)] = bytes[0]; break;
  }
}

// The caller frees its bytes. It still begins as a file of its format does.
static inline damaged_file damage(picture* p, size_t magic_bytes) {
  uint8_t magic[6];
  memcpy(magic, p->f.bytes, magic_bytes);
  damaged_file f = {p->f.bytes, p->f.size_bytes};
  for (uint32_t left = 1 + below(1 + below(3)); left > 0; left--) damage_picture(p, &f);
  if (f.size < magic_bytes) splice(&f, 0, f.size, magic, magic_bytes);
  memcpy(f.bytes, magic, magic_bytes);
  return f;
}

static inline damaged_file make_sound_gif(uint32_t number) {
  const picture p = make_random_gif(number);
  return (damaged_file){p.f.bytes, p.f.size_bytes};
}

static inline damaged_file make_sound_bmp(uint32_t number) {
  const picture p = make_random_bmp(number);
  return (damaged_file){p.f.bytes, p.f.size_bytes};
}

static inline damaged_file make_damaged_gif(uint32_t number) {
  picture p = make_random_gif(number);
  return damage(&p, 6);
}

static inline damaged_file make_damaged_bmp(uint32_t number) {
  picture p = make_random_bmp(number);
  return damage(&p, 2);
}

#endif  // OCELLI_TESTS_PICTURES_H_
