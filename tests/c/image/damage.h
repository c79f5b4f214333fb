// Damaged JPEG files: number -> one of the sound files with one to three kinds of damage at random places. The same
// number gives the same file everywhere.
#ifndef OCELLI_TESTS_DAMAGE_H_
#define OCELLI_TESTS_DAMAGE_H_

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  uint8_t* bytes;
  size_t size;
} damaged_file;

// ---- random numbers: xorshift64

static uint64_t damage_state;

static inline uint32_t below(uint32_t limit) {
  damage_state ^= damage_state << 13;
  damage_state ^= damage_state >> 7;
  damage_state ^= damage_state << 17;
  return (uint32_t)(damage_state >> 11) % limit;
}

static inline void seed_damage(uint32_t number) {
  damage_state = 0x9E3779B97F4A7C15ull * (number + 1);
  for (int32_t i = 0; i < 8; i++) below(2);
}

// ---- parts: markers with their segments, and the data behind scan headers, cut at restart markers

typedef struct {
  size_t start, end;
  uint8_t marker;  // 0: entropy-coded data
} part;

enum { MAX_PARTS = 400 };

static inline void note_part(part* parts, int32_t* count, size_t start, size_t end, uint8_t marker) {
  if (*count < MAX_PARTS && end > start) parts[(*count)++] = (part){start, end, marker};
}

static inline bool is_bare(uint8_t marker) {
  return (marker >= 0xD0 && marker <= 0xD9) || marker == 1;
}

static inline int32_t find_parts(const damaged_file* f, part* parts) {
  int32_t count = 0;
  size_t at = 0, data = 0;
  while (at + 1 < f->size) {
    const uint8_t marker = f->bytes[at + 1];
    if (f->bytes[at] != 0xFF || marker == 0 || marker == 0xFF) {
      at++;
      continue;
    }
    note_part(parts, &count, data, at, 0);
    size_t end = at + 2;
    if (!is_bare(marker) && end + 2 <= f->size) end += (size_t)f->bytes[at + 2] << 8 | f->bytes[at + 3];
    if (end > f->size) end = f->size;
    note_part(parts, &count, at, end, marker);
    at = data = end;
  }
  note_part(parts, &count, data, f->size, 0);
  return count;
}

// ---- changes

// Replaces [from, to) by `size` bytes.
static inline void splice(damaged_file* f, size_t from, size_t to, const uint8_t* bytes, size_t size) {
  uint8_t* result = malloc(f->size - (to - from) + size + 1);
  memcpy(result, f->bytes, from);
  if (size > 0) memcpy(result + from, bytes, size);
  memcpy(result + from + size, f->bytes + to, f->size - to);
  free(f->bytes);
  f->bytes = result;
  f->size += size - (to - from);
}

static inline void insert_random(damaged_file* f, size_t at, bool may_be_marker) {
  uint8_t bytes[300];
  const uint32_t size = 1 + below(below(3) == 0 ? 300 : 20);
  for (uint32_t i = 0; i < size; i++) bytes[i] = (uint8_t)below(may_be_marker ? 256 : 255);
  splice(f, at, at, bytes, size);
}

static inline part pick_part(const part* parts, int32_t count, uint8_t marker_low, uint8_t marker_high) {
  for (int32_t tries = 0; tries < 200; tries++) {
    const part p = parts[below((uint32_t)count)];
    if (p.marker >= marker_low && p.marker <= marker_high) return p;
  }
  return parts[below((uint32_t)count)];
}

static inline void remove_all(damaged_file* f, uint8_t marker) {
  static part parts[MAX_PARTS];
  for (int32_t i = find_parts(f, parts) - 1; i >= 0; i--)
    if (parts[i].marker == marker) splice(f, parts[i].start, parts[i].end, NULL, 0);
}

static inline void duplicate(damaged_file* f, part p, size_t at) {
  uint8_t* copy = malloc(p.end - p.start);
  memcpy(copy, f->bytes + p.start, p.end - p.start);
  splice(f, at, at, copy, p.end - p.start);
  free(copy);
}

static inline void damage_once(damaged_file* f) {
  static part parts[MAX_PARTS];
  const int32_t count = find_parts(f, parts);
  if (count == 0) return;
  const part any = parts[below((uint32_t)count)], segment = pick_part(parts, count, 0xC0, 0xFE);
  const part data = pick_part(parts, count, 0, 0), restart = pick_part(parts, count, 0xD0, 0xD7);
  static const uint8_t kMarkers[] = {0x01, 0xC0, 0xC4, 0xC8, 0xCC, 0xD0, 0xD3, 0xD8, 0xD9, 0xDA, 0xDB,
                                     0xDC, 0xDD, 0xDE, 0xE0, 0xEE, 0xF0, 0xFD, 0xFE, 0x02, 0xBF, 0xFF};
  const uint8_t marker[2] = {0xFF, kMarkers[below(sizeof kMarkers)]};
  uint8_t* byte = f->bytes + any.start + below((uint32_t)(any.end - any.start));
  switch (below(24)) {
    case 0:
    case 1: insert_random(f, segment.start, false); break;  // stray bytes before a marker
    case 2: insert_random(f, segment.start, true); break;
    case 3: insert_random(f, restart.start, false); break;
    case 4: splice(f, segment.start, segment.start, (const uint8_t*)"\xFF\x01", 2); break;
    case 5: splice(f, segment.start, segment.start, (const uint8_t*)"\xFF\xFF\xFF\xFF", 1 + below(4)); break;
    case 6: memset(f->bytes + f->size - 2, 0, 2); break;  // zeros in place of the end marker
    case 7: splice(f, f->size - 2, f->size, NULL, 0); break;
    case 8:
    case 9: splice(f, restart.start, restart.end, NULL, 0); break;
    case 10: duplicate(f, restart, restart.start); break;
    case 11: f->bytes[restart.end - 1] = (uint8_t)(0xD0 + below(8)); break;
    case 12: remove_all(f, 0xC4); break;
    case 13: splice(f, segment.start, segment.end, NULL, 0); break;
    case 14: duplicate(f, segment, segment.start); break;
    case 15: duplicate(f, segment, parts[below((uint32_t)count)].start); break;
    case 16: splice(f, below((uint32_t)f->size), f->size, NULL, 0); break;  // cut short
    case 17: *byte = (uint8_t)below(256); break;
    case 18: *byte ^= (uint8_t)(1 << below(8)); break;
    case 19: f->bytes[data.start + below((uint32_t)(data.end - data.start))] = (uint8_t)below(256); break;
    case 20: splice(f, data.start, data.end, NULL, 0); break;
    case 21: splice(f, data.start + below((uint32_t)(data.end - data.start)), data.end, NULL, 0); break;
    case 22:
      if (segment.end - segment.start > 4) f->bytes[segment.start + 2 + below(2)] ^= (uint8_t)(1 << below(8));
      break;
    case 23: {
      const size_t at = any.start + below((uint32_t)(any.end - any.start));
      splice(f, at, at, marker, 2);
      break;
    }
    default: break;
  }
}

// The caller frees its bytes. Its first three bytes are those of a JPEG file.
static inline damaged_file make_damaged(const damaged_file* sound, int32_t num_sound, uint32_t number) {
  seed_damage(number);
  const damaged_file* from = &sound[below((uint32_t)num_sound)];
  damaged_file f = {malloc(from->size), from->size};
  memcpy(f.bytes, from->bytes, from->size);
  for (uint32_t left = 1 + below(1 + below(3)); left > 0 && f.size > 4; left--) damage_once(&f);
  if (f.size < 4) splice(&f, 0, f.size, (const uint8_t*)"\xFF\xD8\xFF\xD9", 4);
  memcpy(f.bytes, "\xFF\xD8\xFF", 3);
  return f;
}

#endif  // OCELLI_TESTS_DAMAGE_H_
