// Stage: bytes of a FlexBuffer whose root is a map -> numbers by key. Supports what the custom options of
// TFLite_Detection_PostProcess use: integers, floats and booleans, inline or indirect, of every width.
// Layout facts: the FlexBuffers part of the FlatBuffers "internals" page. Every read is checked when it is made.
#ifndef OCELLI_FLEXBUFFER_H_
#define OCELLI_FLEXBUFFER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
  const uint8_t* bytes;  // borrowed: must outlive the map
  size_t size_bytes;
  // Private to flexbuffer.c: where the values and the keys start, how many, and the bytes of each.
  size_t values, keys, count;
  uint32_t value_bytes, key_bytes;
} ocl_flexbuffer_map;

// MODEL_BAD_OPTION: malformed, or the root is no map. `bytes` may have any alignment.
ocl_status ocl_flexbuffer_open_map(const uint8_t* bytes, size_t size_bytes, ocl_flexbuffer_map* map_out,
                                   ocl_detail* detail);

// The number at `key`. A missing key, and a failure, leave *value_out as it is: set the default first.
// MODEL_BAD_OPTION: the value is malformed, is no number, or does not fit (a fraction asked for as an integer).
ocl_status ocl_flexbuffer_get_int(const ocl_flexbuffer_map* map, const char* key, int32_t* value_out,
                                  ocl_detail* detail);
ocl_status ocl_flexbuffer_get_float(const ocl_flexbuffer_map* map, const char* key, float* value_out,
                                    ocl_detail* detail);
ocl_status ocl_flexbuffer_get_bool(const ocl_flexbuffer_map* map, const char* key, bool* value_out, ocl_detail* detail);

#endif  // OCELLI_FLEXBUFFER_H_
