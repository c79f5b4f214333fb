// Stage: image file -> RGB u8 [H,W,3]. See image.h. probe (structure, no pixels) -> limits -> stb_image.
// Invariant: stb_image sees only files that the probe found complete, within max_pixels.
#include "image/image.h"

#include <limits.h>

#include "image/probe.h"
#include "image/stb.h"

static ocl_status check_limits(const ocl_image_header* header, size_t size_bytes, int64_t max_pixels,
                               ocl_detail* detail) {
  if ((int64_t)header->width_px * header->height_px > max_pixels) {
    return ocl_status_with_detail(OCL_IMAGE_TOO_LARGE, detail, "%dx%d; the limit is %lld pixels", (int)header->width_px,
                                  (int)header->height_px, (long long)max_pixels);
  }
  if (size_bytes > INT_MAX) {
    return ocl_status_with_detail(OCL_IMAGE_TOO_LARGE, detail, "the file has more than %d bytes", INT_MAX);
  }
  return OCL_OK;
}

ocl_status ocl_image_decode(const uint8_t* bytes, size_t size_bytes, int64_t max_pixels, ocl_image* image_out,
                            ocl_detail* detail) {
  *image_out = (ocl_image){0};
  if (size_bytes == 0) return OCL_IMAGE_EMPTY;
  ocl_image_header header;
  const ocl_status probed = ocl_image_probe(bytes, size_bytes, &header, detail);
  // "too large" says more about a bomb than "too few bytes for its pixels"
  OCL_TRY(check_limits(&header, size_bytes, max_pixels, detail));
  OCL_TRY(probed);

  const size_t budget_bytes =
      header.decode_budget_bytes < PTRDIFF_MAX ? (size_t)header.decode_budget_bytes : PTRDIFF_MAX;
  ocl_image image = {.orientation = header.orientation};
  const ocl_status decoded =
      ocl_image_stb_decode(bytes, size_bytes, budget_bytes, &image.rgb, &image.width_px, &image.height_px);
  if (decoded == OCL_IMAGE_CORRUPT) return ocl_status_with_detail(decoded, detail, "its pixels do not decode");
  OCL_TRY(decoded);
  if (image.width_px != header.width_px || image.height_px != header.height_px) {
    ocl_image_destroy(&image);
    return ocl_status_with_detail(OCL_IMAGE_CORRUPT, detail, "two different sizes");
  }
  *image_out = image;
  return OCL_OK;
}

void ocl_image_destroy(ocl_image* image) {
  if (image == NULL) return;
  ocl_image_stb_free(image->rgb);
  *image = (ocl_image){0};
}
