// The image formats: an image file -> its format, its header, its pixels. For image.c only.
#ifndef OCELLI_FORMATS_H_
#define OCELLI_FORMATS_H_

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "image/rows.h"

// A file, while it is decoded whole.
typedef struct {
  const uint8_t* bytes;
  size_t size_bytes;
  bool allow_truncated;
  ocl_detail* detail;
  ocl_image_header header;
  uint8_t* pixels;    // [height_px, width_px, num_channels]
  bool is_truncated;  // set by the decoder, if allow_truncated
} ocl_image_file;

typedef struct {
  // Reads the header: sets `header` as far as it can, also if it fails. UNSUPPORTED_IMAGE_FORMAT, IMAGE_CORRUPT.
  ocl_status (*read_header)(ocl_image_file* file);
  // Fills `pixels`, which are allocated and 0. IMAGE_CORRUPT, OUT_OF_MEMORY.
  ocl_status (*decode)(ocl_image_file* file);
} ocl_image_format;

// NULL: not a format that is read; `detail` names it.
const ocl_image_format* ocl_image_find_format(const uint8_t* bytes, size_t size_bytes, ocl_detail* detail);

// JPEG has no functions: its decoder makes rows (jpeg.h).
extern const ocl_image_format ocl_format_png, ocl_format_jpeg, ocl_format_bmp, ocl_format_gif;

#endif  // OCELLI_FORMATS_H_
