// Stage: EXIF block -> orientation 1..8. See exif.h. Layout: TIFF 6.0, section 2; tag numbers: EXIF 2.3.
// Invariant: every read is of bytes [at, at + n) with at + n <= size_bytes, checked by the caller of read_u16/read_u32.
#include "image/exif.h"

#include <stdbool.h>

#include "base/bytes.h"

enum {
  UPRIGHT = 1,
  HEADER_SIZE_BYTES = 8,
  ENTRY_SIZE_BYTES = 12,  // tag u16, type u16, count u32, value u32 (a SHORT lies in its first two bytes)
  TAG_ORIENTATION = 0x0112,
  TYPE_SHORT = 3,
};

static uint32_t read_u16(const uint8_t* bytes, bool is_big_endian) {
  return is_big_endian ? ocl_load_u16_be(bytes) : ocl_load_u16_le(bytes);
}

static uint32_t read_u32(const uint8_t* bytes, bool is_big_endian) {
  return is_big_endian ? ocl_load_u32_be(bytes) : ocl_load_u32_le(bytes);
}

static int32_t orientation_of_entry(const uint8_t* entry, bool is_big_endian) {
  const bool is_one_short = read_u16(entry + 2, is_big_endian) == TYPE_SHORT && read_u32(entry + 4, is_big_endian) == 1;
  const uint32_t value = read_u16(entry + 8, is_big_endian);
  return is_one_short && value >= 1 && value <= 8 ? (int32_t)value : UPRIGHT;
}

int32_t ocl_exif_orientation(const uint8_t* tiff, size_t size_bytes) {
  if (size_bytes < HEADER_SIZE_BYTES || tiff[0] != tiff[1] || (tiff[0] != 'I' && tiff[0] != 'M')) return UPRIGHT;
  const bool is_big_endian = tiff[0] == 'M';
  if (read_u16(tiff + 2, is_big_endian) != 42) return UPRIGHT;

  const size_t directory = read_u32(tiff + 4, is_big_endian);
  if (directory < HEADER_SIZE_BYTES || directory > size_bytes - 2) return UPRIGHT;
  size_t num_entries = read_u16(tiff + directory, is_big_endian);
  const uint8_t* entries = tiff + directory + 2;
  const size_t most = (size_bytes - directory - 2) / ENTRY_SIZE_BYTES;
  if (num_entries > most) num_entries = most;  // a count that is too large: those that are there

  for (size_t i = 0; i < num_entries; i++) {
    const uint8_t* entry = entries + i * ENTRY_SIZE_BYTES;
    if (read_u16(entry, is_big_endian) == TAG_ORIENTATION) return orientation_of_entry(entry, is_big_endian);
  }
  return UPRIGHT;
}
