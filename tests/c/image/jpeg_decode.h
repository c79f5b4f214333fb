// A JPEG file -> all its pixels at a scale, by src/image/jpeg.h.
#ifndef OCELLI_TESTS_JPEG_DECODE_H_
#define OCELLI_TESTS_JPEG_DECODE_H_

#include <stdlib.h>
#include <string.h>

#include "image/jpeg.h"

typedef struct {
  ocl_status status;
  ocl_detail detail;
  uint8_t* rgb;  // the caller frees it; NULL after a failure
  int32_t width, height;
  bool is_truncated;
} decoded_jpeg;

static void store_decoded_row(void* context, int32_t y, const uint8_t* rgb) {
  const decoded_jpeg* d = context;
  memcpy(d->rgb + (size_t)y * (size_t)d->width * 3, rgb, (size_t)d->width * 3);
}

// `num_nth`: only every n-th row and column is asked for; the others stay 0. They begin with the first.
static decoded_jpeg decode_jpeg(const uint8_t* bytes, size_t size_bytes, int32_t scale_log2, bool allow_truncated,
                                int32_t num_nth) {
  decoded_jpeg d = {0};
  ocl_image_header header;
  ocl_jpeg* jpeg;
  uint64_t working_bytes;
  d.status = ocl_jpeg_open(bytes, size_bytes, &header, &jpeg, &d.detail);
  if (d.status != OCL_OK) return d;
  d.status = (int64_t)header.width_px * header.height_px > 1 << 22 ? OCL_IMAGE_TOO_LARGE : OCL_OK;
  if (d.status == OCL_OK)
    d.status = ocl_jpeg_set_scale(jpeg, scale_log2, &d.width, &d.height, &working_bytes, &d.detail);
  if (d.status == OCL_OK) {
    uint8_t* needs = calloc((size_t)d.width + (size_t)d.height, 1);
    for (int32_t y = 0; y < d.height; y += num_nth) needs[y] = 1;
    for (int32_t x = 0; x < d.width; x += num_nth) needs[d.height + x] = 1;
    d.rgb = calloc((size_t)d.width * (size_t)d.height, 3);
    const ocl_row_sink sink = {needs, needs + d.height, store_decoded_row, &d};
    d.status = ocl_jpeg_decode(jpeg, allow_truncated, &sink, &d.is_truncated, &d.detail);
    free(needs);
  }
  if (d.status != OCL_OK) {
    free(d.rgb);
    d.rgb = NULL;
  }
  ocl_jpeg_close(jpeg);
  return d;
}

#endif  // OCELLI_TESTS_JPEG_DECODE_H_
