// See flexbuffer.h. An offset counts backwards from its own position, so its target lies before it. A map is
// [keys offset, width of keys, count | values… | one packed type for each value]. A packed type is the type (upper 6
// bits) and log2 of the width of the offset's target (lower 2 bits).
#include "tflite/flexbuffer.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
  kTypeInt = 1,
  kTypeUint = 2,
  kTypeFloat = 3,
  kTypeIndirectInt = 6,
  kTypeIndirectUint = 7,
  kTypeIndirectFloat = 8,
  kTypeMap = 9,
  kTypeBool = 26,
};

static ocl_status reject(ocl_detail* detail, const char* key, const char* what) {
  return ocl_status_with_detail(OCL_MODEL_BAD_OPTION, detail, "FlexBuffer, %s: %s", key, what);
}

static bool is_inside(const ocl_flexbuffer_map* map, size_t position, size_t size_bytes) {
  return position <= map->size_bytes && size_bytes <= map->size_bytes - position;
}

// Loads `width_bytes` (1, 2, 4 or 8) bytes. The caller has checked the range.
static uint64_t load_uint(const ocl_flexbuffer_map* map, size_t position, uint32_t width_bytes) {
  uint64_t value = 0;
  memcpy(&value, map->bytes + position, width_bytes);
  return value;
}

static int64_t load_int(const ocl_flexbuffer_map* map, size_t position, uint32_t width_bytes) {
  const uint32_t shift = 64 - 8 * width_bytes;
  return (int64_t)(load_uint(map, position, width_bytes) << shift) >> shift;
}

// Follows the offset at `position` (checked by the caller). false: `size_bytes` at its target are not all inside.
static bool follow(const ocl_flexbuffer_map* map, size_t position, uint32_t width_bytes, size_t size_bytes,
                   size_t* target_out) {
  const uint64_t offset = load_uint(map, position, width_bytes);
  if (offset == 0 || offset > position) return false;
  *target_out = position - (size_t)offset;
  return is_inside(map, *target_out, size_bytes);
}

ocl_status ocl_flexbuffer_open_map(const uint8_t* bytes, size_t size_bytes, ocl_flexbuffer_map* map_out,
                                   ocl_detail* detail) {
  ocl_flexbuffer_map map = {.bytes = bytes, .size_bytes = size_bytes};
  if (size_bytes < 3) return reject(detail, "root", "fewer than 3 bytes");
  const uint32_t root_bytes = bytes[size_bytes - 1], packed = bytes[size_bytes - 2];
  const bool is_width = root_bytes == 1 || root_bytes == 2 || root_bytes == 4 || root_bytes == 8;
  if (!is_width || root_bytes > size_bytes - 2)
    return reject(detail, "root", "its width is not 1, 2, 4 or 8, or exceeds the bytes");
  if (packed >> 2 != kTypeMap) return reject(detail, "root", "not a map");

  const uint32_t width = 1u << (packed & 3);
  if (!follow(&map, size_bytes - 2 - root_bytes, root_bytes, 0, &map.values) || map.values < 3 * (size_t)width)
    return reject(detail, "root", "its offset points outside the bytes");
  const uint64_t count = load_uint(&map, map.values - width, width);
  const uint64_t key_bytes = load_uint(&map, map.values - 2 * width, width);
  if (key_bytes != 1 && key_bytes != 2 && key_bytes != 4 && key_bytes != 8)
    return reject(detail, "keys", "their width is not 1, 2, 4 or 8");
  // Division first, so that the products below cannot overflow.
  if (count > size_bytes / (width + 1) || count > size_bytes / key_bytes ||
      !is_inside(&map, map.values, (size_t)count * (width + 1)))
    return reject(detail, "root", "its values reach outside the bytes");
  if (!follow(&map, map.values - 3 * width, width, (size_t)count * key_bytes, &map.keys))
    return reject(detail, "keys", "they reach outside the bytes");
  map.count = (size_t)count;
  map.value_bytes = width;
  map.key_bytes = (uint32_t)key_bytes;
  *map_out = map;
  return OCL_OK;
}

// *index_out: map->count if there is no such key.
static ocl_status find_key(const ocl_flexbuffer_map* map, const char* key, size_t* index_out, ocl_detail* detail) {
  const size_t key_size_bytes = strlen(key) + 1;  // with its NUL, so a prefix does not match
  for (*index_out = 0; *index_out < map->count; ++*index_out) {
    size_t text;
    if (!follow(map, map->keys + *index_out * map->key_bytes, map->key_bytes, 1, &text))
      return reject(detail, key, "a key points outside the bytes");
    if (is_inside(map, text, key_size_bytes) && memcmp(map->bytes + text, key, key_size_bytes) == 0) return OCL_OK;
  }
  return OCL_OK;
}

static bool load_float(const ocl_flexbuffer_map* map, size_t position, uint32_t width_bytes, double* number_out) {
  float single;
  if (width_bytes == 8) memcpy(number_out, map->bytes + position, 8);
  if (width_bytes == 4) memcpy(&single, map->bytes + position, 4);
  if (width_bytes == 4) *number_out = (double)single;
  return width_bytes >= 4;
}

// Reads the value at `key` as a double, which holds every int32 and float exactly. Absent: *number_out does not change.
static ocl_status get_number(const ocl_flexbuffer_map* map, const char* key, double* number_out, ocl_detail* detail) {
  size_t index;
  OCL_TRY(find_key(map, key, &index, detail));
  if (index == map->count) return OCL_OK;
  const uint32_t packed = map->bytes[map->values + map->count * map->value_bytes + index];
  uint32_t type = packed >> 2, width = map->value_bytes;
  size_t position = map->values + index * width;
  if (type >= kTypeIndirectInt && type <= kTypeIndirectFloat) {
    const uint32_t target_width = 1u << (packed & 3);
    if (!follow(map, position, width, target_width, &position))
      return reject(detail, key, "its offset points outside the bytes");
    width = target_width;
    type -= kTypeIndirectInt - kTypeInt;
  }
  switch (type) {
    case kTypeInt: *number_out = (double)load_int(map, position, width); return OCL_OK;
    case kTypeUint:
    case kTypeBool: *number_out = (double)load_uint(map, position, width); return OCL_OK;
    case kTypeFloat:
      return load_float(map, position, width, number_out) ? OCL_OK
                                                          : reject(detail, key, "a float must have 4 or 8 bytes");
    default: return reject(detail, key, "not a number");
  }
}

ocl_status ocl_flexbuffer_get_int(const ocl_flexbuffer_map* map, const char* key, int32_t* value_out,
                                  ocl_detail* detail) {
  double number = *value_out;
  OCL_TRY(get_number(map, key, &number, detail));
  if (!(number >= INT32_MIN && number <= INT32_MAX) || number != floor(number))
    return reject(detail, key, "not a 32-bit integer");
  *value_out = (int32_t)number;
  return OCL_OK;
}

ocl_status ocl_flexbuffer_get_float(const ocl_flexbuffer_map* map, const char* key, float* value_out,
                                    ocl_detail* detail) {
  double number = (double)*value_out;
  OCL_TRY(get_number(map, key, &number, detail));
  if (fabs(number) > (double)FLT_MAX) return reject(detail, key, "out of the range of a float");
  *value_out = (float)number;
  return OCL_OK;
}

ocl_status ocl_flexbuffer_get_bool(const ocl_flexbuffer_map* map, const char* key, bool* value_out,
                                   ocl_detail* detail) {
  double number = *value_out;
  OCL_TRY(get_number(map, key, &number, detail));
  *value_out = number != 0;
  return OCL_OK;
}
