// What decoders and their users share: facts of a file's header, and who takes decoded rows.
#ifndef OCELLI_ROWS_H_
#define OCELLI_ROWS_H_

#include <stdint.h>

typedef struct {
  int32_t width_px, height_px;  // as stored; 0 until known
  int32_t orientation;          // EXIF 1..8
  int32_t num_channels;         // of the decoded pixels: 3 RGB or 4 RGBA
  uint64_t working_bytes;       // the most that decoding allocates at one time, its result included
} ocl_image_header;

// Takes RGB rows. Rows and columns that are not needed may be left out or hold anything.
typedef struct {
  const uint8_t* needs_row;     // [height_px] of 0 or 1
  const uint8_t* needs_column;  // [width_px] of 0 or 1
  void (*take)(void* context, int32_t y, const uint8_t* rgb);
  void* context;
} ocl_row_sink;

#endif  // OCELLI_ROWS_H_
