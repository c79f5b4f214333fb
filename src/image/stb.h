// Stage: a checked image file -> RGB u8 [H,W,3]: stb_image behind a byte budget. For image.c; and its inflater, for
// the label files that a model carries.
#ifndef OCELLI_IMAGE_STB_H_
#define OCELLI_IMAGE_STB_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

// Decodes PNG, JPEG, BMP or the first frame of a GIF, having at most `budget_bytes` allocated at any time.
// *rgb_out is [*height_px_out, *width_px_out, 3], top row first; free it with ocl_image_stb_free().
// IMAGE_CORRUPT: not decodable, or more memory asked for than the budget. OUT_OF_MEMORY: malloc failed within it.
// size_bytes must be at most INT_MAX. Nothing stays allocated when it fails.
ocl_status ocl_image_stb_decode(const uint8_t* bytes, size_t size_bytes, size_t budget_bytes, uint8_t** rgb_out,
                                int32_t* width_px_out, int32_t* height_px_out);

// Takes NULL.
void ocl_image_stb_free(uint8_t* rgb);

// Inflates raw deflate data (RFC 1951) to exactly out_size_bytes; false: it is not that. Allocates nothing.
bool ocl_image_stb_inflate(const uint8_t* bytes, size_t size_bytes, char* out, size_t out_size_bytes);

#endif  // OCELLI_IMAGE_STB_H_
