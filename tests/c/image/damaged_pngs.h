// Damaged PNG files: number -> one of the sound files with one to three kinds of damage at random places. The same
// number gives the same file everywhere. Checksums are often made right again, so that what they guard is reached.
#ifndef OCELLI_TESTS_DAMAGED_PNGS_H_
#define OCELLI_TESTS_DAMAGED_PNGS_H_

#include "image/damage.h"
#include "image/image_files.h"

typedef struct {
  size_t start, end;  // with length, type and CRC
} png_chunk;

enum { MAX_CHUNKS = 200, NUM_SOUND_PNGS = 60 };  // of the sound files that are stored

static inline uint32_t be32(const uint8_t* bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void set_be32(uint8_t* bytes, uint32_t value) {
  for (int32_t i = 0; i < 4; i++) bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline int32_t find_chunks(const damaged_file* f, png_chunk* chunks) {
  int32_t count = 0;
  for (size_t at = 8; f->size >= 12 && at <= f->size - 12 && count < MAX_CHUNKS; at = chunks[count - 1].end) {
    const size_t length = be32(f->bytes + at);
    if (length > f->size - 12 - at) break;
    chunks[count++] = (png_chunk){at, at + 12 + length};
  }
  return count;
}

static inline void repair_crcs(damaged_file* f) {
  png_chunk chunks[MAX_CHUNKS];
  for (int32_t i = find_chunks(f, chunks) - 1; i >= 0; i--) {
    const size_t size_bytes = chunks[i].end - chunks[i].start - 8;
    set_be32(f->bytes + chunks[i].end - 4, crc_of(f->bytes + chunks[i].start + 4, size_bytes));
  }
}

static inline void insert_chunk(damaged_file* f, size_t at) {
  static const char* const kTypes[] = {"tEXt", "tRNS", "PLTE", "IDAT", "IEND", "IHDR", "gAMA", "abCd", "ABCD", "eXIf"};
  uint8_t chunk[12 + 40] = {0};
  const uint32_t length = below(3) * below(13);
  chunk[3] = (uint8_t)length;
  memcpy(chunk + 4, kTypes[below(10)], 4);
  for (uint32_t i = 0; i < length; i++) chunk[8 + i] = (uint8_t)below(256);
  if (below(2)) set_be32(chunk + 8 + length, crc_of(chunk + 4, 4 + length));
  splice(f, at, at, chunk, 12 + length);
}

static inline void damage_png_once(damaged_file* f) {
  png_chunk chunks[MAX_CHUNKS];
  const int32_t count = find_chunks(f, chunks);
  if (count == 0) return;
  const png_chunk c = chunks[below((uint32_t)count)], other = chunks[below((uint32_t)count)];
  const size_t inside = c.start + below((uint32_t)(c.end - c.start));
  uint8_t bytes[20];
  const uint32_t size = 1 + below(20);
  for (uint32_t i = 0; i < size; i++) bytes[i] = (uint8_t)below(256);
  switch (below(13)) {
    case 0: f->bytes[inside] = bytes[0]; break;
    case 1: f->bytes[inside] ^= (uint8_t)(1 << below(8)); break;
    case 2: splice(f, inside, inside, bytes, size); break;
    case 3: splice(f, inside, inside + below((uint32_t)(c.end - inside)), NULL, 0); break;
    case 4: splice(f, c.start, c.end, NULL, 0); break;
    case 5: duplicate(f, (part){c.start, c.end, 0}, other.start); break;
    case 6: insert_chunk(f, c.start); break;
    case 7: splice(f, below((uint32_t)f->size), f->size, NULL, 0); break;
    case 8: splice(f, f->size, f->size, bytes, size); break;
    case 9: f->bytes[c.start + below(4)] = bytes[0] & 1; break;
    case 10: f->bytes[c.start + 4 + below(4)] ^= 0x20; break;
    case 11: {  // within the data, whose length is made right
      if (c.end - c.start < 14) break;
      const size_t at = c.start + 8 + below((uint32_t)(c.end - c.start - 12)),
                   gone = 1 + below((uint32_t)(c.end - 4 - at));
      splice(f, at, at + gone, NULL, 0);
      set_be32(f->bytes + c.start, (uint32_t)(c.end - c.start - 12 - gone));
      break;
    }
    case 12: splice(f, f->size - 12, f->size, NULL, 0); break;  // no IEND
    default: break;
  }
}

// The caller frees its bytes. Its first eight bytes are those of a PNG file.
static inline damaged_file make_damaged_png(const damaged_file* sound, uint32_t number) {
  seed_damage(number);
  const damaged_file* from = &sound[below(NUM_SOUND_PNGS)];
  damaged_file f = {malloc(from->size), from->size};
  memcpy(f.bytes, from->bytes, from->size);
  for (uint32_t left = 1 + below(1 + below(3)); left > 0 && f.size > 12; left--) damage_png_once(&f);
  if (f.size < 8) splice(&f, 0, f.size, (const uint8_t*)"\x89PNG\r\n\x1a\n", 8);
  memcpy(f.bytes, "\x89PNG\r\n\x1a\n", 8);
  if (below(3) > 0) repair_crcs(&f);
  return f;
}

#endif  // OCELLI_TESTS_DAMAGED_PNGS_H_
