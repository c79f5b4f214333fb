// Stage: image file (PNG, JPEG, BMP, first frame of a GIF) -> pixels u8 [H,W,3 or 4], or straight to a tensor.
// The bytes are untrusted: sizes are checked against the file and the limits before anything is allocated for them, and
// the decoders allocate no more than an honest file of that size needs.
#ifndef OCELLI_IMAGE_H_
#define OCELLI_IMAGE_H_

#include <stdbool.h>

#include "base/status.h"
#include "image/resize.h"

enum {
  OCL_IMAGE_DEFAULT_MAX_PIXELS = 100 * 1000 * 1000,
  OCL_IMAGE_MAX_SIDE_PX = 65535,
  OCL_IMAGE_MAX_WORKING_BYTES = 256 << 20,
  OCL_IMAGE_FULL_PIXELS = 4 * 1000 * 1000,  // OCL_IMAGE_AUTO decodes images up to this size at full scale
};

// JPEG only; other formats are decoded at full scale.
typedef enum {
  OCL_IMAGE_FULL,
  OCL_IMAGE_SCALED,  // by 1/2, 1/4 or 1/8, as long as the view is twice as large as the network's input
  OCL_IMAGE_AUTO,    // SCALED for images of more than OCL_IMAGE_FULL_PIXELS
} ocl_image_scale;

typedef struct {
  int64_t max_pixels;    // the limit of width * height
  bool allow_truncated;  // a file that is cut short gives what is there
  ocl_image_scale scale;
} ocl_image_options;

typedef struct {
  int32_t width_px, height_px;  // of the upright image at full scale
  int32_t scale_log2;           // it was decoded at 1 / (1 << scale_log2)
  bool is_truncated;
} ocl_image_facts;

typedef struct {
  ocl_pixels pixels;  // `data` is NULL: there are none
  void* memory;
  bool is_truncated;
} ocl_image;

// Grey becomes RGB, palettes and CMYK are resolved, 16-bit samples keep their upper byte. Images with transparency have
// four channels. *image_out: the caller frees it with ocl_image_destroy(); after a failure it is zeroed. The scale is
// always full. `detail` may be NULL. Not thread-safe: one decode at a time.
// IMAGE_EMPTY. UNSUPPORTED_IMAGE_FORMAT: `detail` names the format. IMAGE_TOO_LARGE: `detail` has size and limit.
// IMAGE_CORRUPT: damaged or truncated; bytes after a complete image are fine. OUT_OF_MEMORY.
ocl_status ocl_image_decode(const uint8_t* bytes, size_t size_bytes, const ocl_image_options* options,
                            ocl_image* image_out, ocl_detail* detail);

// Takes NULL, and an image that is zeroed or destroyed already.
void ocl_image_destroy(ocl_image* image);

// Memory that is kept from one resize to the next. All 0: none; `memory` is the owner's to free.
typedef struct {
  void* memory;
  size_t size_bytes;
} ocl_image_scratch;

// OUT_OF_MEMORY.
ocl_status ocl_image_reserve_scratch(ocl_image_scratch* scratch, const ocl_resize_target* target);

// Decodes and resizes at once, as ocl_resize_to_tensor() does with the image's pixels; the rows of a JPEG are never all
// in memory. Statuses of both. *facts_out: set as far as it is known, also after a failure.
ocl_status ocl_image_to_tensor(const uint8_t* bytes, size_t size_bytes, const ocl_image_options* options,
                               const ocl_roi* roi, int32_t quarter_turns_clockwise, const ocl_resize_target* target,
                               void* scratch, void* tensor_out, ocl_image_facts* facts_out, ocl_detail* detail);

#endif  // OCELLI_IMAGE_H_
