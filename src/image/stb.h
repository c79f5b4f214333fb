// Stage: a checked PNG file -> pixels, by stb_image behind a byte budget. For png.c; and its inflater, for the label
// files that a model carries.
#ifndef OCELLI_IMAGE_STB_H_
#define OCELLI_IMAGE_STB_H_

#include "image/formats.h"

// Allocates file->pixels and file->memory, having at most file->header.working_bytes allocated at any time.
// IMAGE_CORRUPT: not decodable, or more memory asked for than that. OUT_OF_MEMORY: malloc failed within it.
// The size of the file must be at most INT_MAX. Without file->memory, nothing stays allocated.
ocl_status ocl_image_stb_decode(ocl_image_file* file);

// Inflates raw deflate data (RFC 1951) to exactly out_size_bytes; false: it is not that. Allocates nothing.
bool ocl_image_stb_inflate(const uint8_t* bytes, size_t size_bytes, char* out, size_t out_size_bytes);

#endif  // OCELLI_IMAGE_STB_H_
