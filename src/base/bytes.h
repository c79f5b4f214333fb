// Numbers in the bytes of a file, at any address.
#ifndef OCELLI_BYTES_H_
#define OCELLI_BYTES_H_

#include <stdint.h>

static inline uint32_t ocl_load_u16_le(const uint8_t* bytes) {
  return (uint32_t)bytes[1] << 8 | bytes[0];
}
static inline uint32_t ocl_load_u32_le(const uint8_t* bytes) {
  return ocl_load_u16_le(bytes + 2) << 16 | ocl_load_u16_le(bytes);
}
static inline uint32_t ocl_load_u16_be(const uint8_t* bytes) {
  return (uint32_t)bytes[0] << 8 | bytes[1];
}
static inline uint32_t ocl_load_u32_be(const uint8_t* bytes) {
  return ocl_load_u16_be(bytes) << 16 | ocl_load_u16_be(bytes + 2);
}

#endif  // OCELLI_BYTES_H_
