// Stage: EXIF block (a TIFF header and what follows; in JPEG after "Exif\0\0" of APP1, in PNG the eXIf chunk) ->
// orientation 1..8.
#ifndef OCELLI_EXIF_H_
#define OCELLI_EXIF_H_

#include <stddef.h>
#include <stdint.h>

// The first image directory's Orientation (tag 0x0112, one SHORT, either byte order); 1, that is upright, if it is
// absent or anything about the block is malformed. Never fails and never reads outside `tiff` [size_bytes].
int32_t ocl_exif_orientation(const uint8_t* tiff, size_t size_bytes);

#endif  // OCELLI_EXIF_H_
