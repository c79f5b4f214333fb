// An image file -> the digest of its pixels, by src/image/image.h.
#ifndef OCELLI_TESTS_PICTURE_DIGEST_H_
#define OCELLI_TESTS_PICTURE_DIGEST_H_

#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "image/image_digest.h"

// Of RGBA; alpha is 255 where the picture has none. `bytes` are copied, so that ASan sees every stray read.
static inline uint32_t digest_picture(const uint8_t* bytes, size_t size_bytes) {
  const ocl_image_options options = {.max_pixels = 1 << 20};
  uint8_t* copy = malloc(size_bytes);
  memcpy(copy, bytes, size_bytes);
  ocl_image image;
  ocl_image_decode(copy, size_bytes, &options, &image, NULL);
  free(copy);
  const ocl_pixels* p = &image.pixels;
  if (p->data == NULL) return DIGEST_REFUSED;
  uint8_t* rgba = malloc(p->size_bytes * 4 / (size_t)p->num_channels);
  for (size_t i = 0; i < p->size_bytes / (size_t)p->num_channels; i++) {
    rgba[4 * i + 3] = 255;
    memcpy(rgba + 4 * i, p->data + i * (size_t)p->num_channels, (size_t)p->num_channels);
  }
  const uint32_t digest = digest_pixels(rgba, p->width_px, p->height_px, 4);
  free(rgba);
  ocl_image_destroy(&image);
  return digest;
}

#endif  // OCELLI_TESTS_PICTURE_DIGEST_H_
