// Stage: image file (PNG, JPEG, BMP, first frame of a GIF) -> RGB u8 [H,W,3] and its EXIF orientation.
// The bytes are untrusted: sizes are checked against the file and the limit before anything is allocated for them, and
// the decoder can allocate no more than an honest file of that size needs.
#ifndef OCELLI_IMAGE_H_
#define OCELLI_IMAGE_H_

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { OCL_IMAGE_DEFAULT_MAX_PIXELS = 1 << 24 };

typedef struct {
  uint8_t* rgb;                 // [height_px, width_px, 3], top row first, as stored: orientation is not applied
  int32_t width_px, height_px;  // as stored
  int32_t orientation;          // EXIF 1..8; resize.h reads through it
} ocl_image;

// Grey becomes RGB, palettes and CMYK are resolved, 16-bit samples keep their upper byte, alpha is dropped (not
// blended, as TensorFlow's decoders with channels=3). *image_out: the caller frees it with
// ocl_image_destroy(); after a failure it is zeroed. `max_pixels`: the limit of width * height. `detail` may be NULL.
// Not thread-safe: one decode at a time. IMAGE_EMPTY. UNSUPPORTED_IMAGE_FORMAT: `detail` names the format.
// IMAGE_TOO_LARGE: `detail` has size and limit. IMAGE_CORRUPT: damaged or truncated; bytes after a complete image are
// fine. OUT_OF_MEMORY.
ocl_status ocl_image_decode(const uint8_t* bytes, size_t size_bytes, int64_t max_pixels, ocl_image* image_out,
                            ocl_detail* detail);

// Takes NULL, and an image that is zeroed or destroyed already.
void ocl_image_destroy(ocl_image* image);

#endif  // OCELLI_IMAGE_H_
