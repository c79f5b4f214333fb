// In: the bytes of a FlexBuffer whose root is a map. Out: numbers by key. Reads what the custom options of
// TFLite_Detection_PostProcess need: integers, floats and booleans, inline or indirect, of every width.
// Source: the FlexBuffers part of the FlatBuffers "internals" page. Each read checks its own bounds.
#ifndef OCELLI_FLEXBUFFER_H_
#define OCELLI_FLEXBUFFER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
  const uint8_t* bytes;  // borrowed: must outlive the map
  size_t size_bytes;
  // Private to flexbuffer.c: start of the values and of the keys, their count, and the size of each.
  size_t values, keys, count;
  uint32_t value_bytes, key_bytes;
} ocl_flexbuffer_map;

// MODEL_BAD_OPTION: the bytes are malformed, or the root is not a map. `bytes` may have any alignment.
ocl_status ocl_flexbuffer_open_map(const uint8_t* bytes, size_t size_bytes, ocl_flexbuffer_map* map_out,
                                   ocl_detail* detail);

// Reads the number at `key`. *value_out does not change if there is no such key or on failure: set the
// default first.
// MODEL_BAD_OPTION: the value is malformed, not a number, or does not fit the type (a fraction read as an integer).
ocl_status ocl_flexbuffer_get_int(const ocl_flexbuffer_map* map, const char* key, int32_t* value_out,
                                  ocl_detail* detail);
ocl_status ocl_flexbuffer_get_float(const ocl_flexbuffer_map* map, const char* key, float* value_out,
                                    ocl_detail* detail);
ocl_status ocl_flexbuffer_get_bool(const ocl_flexbuffer_map* map, const char* key, bool* value_out, ocl_detail* detail);

#endif  // OCELLI_FLEXBUFFER_H_
