// Stage: image file -> format, size, orientation, and whether the file is complete. For image.c only.
#ifndef OCELLI_IMAGE_PROBE_H_
#define OCELLI_IMAGE_PROBE_H_

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
  int32_t width_px, height_px;   // as stored; 0 until known
  int32_t orientation;           // EXIF 1..8
  uint64_t decode_budget_bytes;  // the most that stb_image may have allocated while it decodes an honest file
} ocl_image_header;

// Walks the file's structure without decoding a pixel: stb_image must not get a file that it would take for complete
// although it is not, or would decode wrongly. If the size was read before a failure, *header_out has it.
// UNSUPPORTED_IMAGE_FORMAT: not PNG, JPEG, BMP or GIF, or a kind of these that stb_image does not read; `detail` names
// it. IMAGE_CORRUPT: damaged or truncated; `detail` says where. `detail` may be NULL. size_bytes > 0.
ocl_status ocl_image_probe(const uint8_t* bytes, size_t size_bytes, ocl_image_header* header_out, ocl_detail* detail);

// One format each; *header_out is zeroed but for orientation 1. For probe.c.
ocl_status ocl_image_probe_png(const uint8_t* bytes, size_t size_bytes, ocl_image_header* header_out,
                               ocl_detail* detail);
ocl_status ocl_image_probe_jpeg(const uint8_t* bytes, size_t size_bytes, ocl_image_header* header_out,
                                ocl_detail* detail);
ocl_status ocl_image_probe_bmp(const uint8_t* bytes, size_t size_bytes, ocl_image_header* header_out,
                               ocl_detail* detail);
ocl_status ocl_image_probe_gif(const uint8_t* bytes, size_t size_bytes, ocl_image_header* header_out,
                               ocl_detail* detail);

#endif  // OCELLI_IMAGE_PROBE_H_
