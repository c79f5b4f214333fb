// What a decode gave, in 32 bits: the same for two decoders if their pixels are the same.
#ifndef OCELLI_TESTS_IMAGE_DIGEST_H_
#define OCELLI_TESTS_IMAGE_DIGEST_H_

#include <stddef.h>
#include <stdint.h>

enum {
  DIGEST_REFUSED = 0,
  DIGEST_WARNED = 1
};  // the reference's answers that are no pixels, or not the only right ones

// FNV-1a of the size and the pixels [height, width, num_channels].
static inline uint32_t digest_pixels(const uint8_t* pixels, int32_t width, int32_t height, size_t num_channels) {
  uint32_t hash = 2166136261u;
  const uint32_t sizes[2] = {(uint32_t)width, (uint32_t)height};
  for (int32_t i = 0; i < 8; i++) hash = (hash ^ (sizes[i / 4] >> 8 * (i % 4) & 255)) * 16777619u;
  const size_t size_bytes = (size_t)width * (size_t)height * num_channels;
  for (size_t i = 0; i < size_bytes; i++) hash = (hash ^ pixels[i]) * 16777619u;
  return hash <= DIGEST_WARNED ? hash + 2 : hash;
}

#endif  // OCELLI_TESTS_IMAGE_DIGEST_H_
