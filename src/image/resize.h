// Stage: pixels u8 [H,W,C], or rows of them as a decoder makes them -> network input tensor [out_height,out_width,3].
// The network sees the "view": the region of interest of the upright image, turned by quarter turns clockwise. No pixel
// is moved for that: EXIF orientation, region and turns become one affine index mapping that the resize reads through.
#ifndef OCELLI_RESIZE_H_
#define OCELLI_RESIZE_H_

#include <stdbool.h>

#include "base/status.h"
#include "base/tensor.h"

// A borrowed view of interleaved pixels: 1 grey, 3 RGB or 4 RGBA channels.
typedef struct {
  const uint8_t* data;
  size_t size_bytes;    // of data
  size_t stride_bytes;  // from one row to the next; at least width_px * num_channels
  int32_t width_px, height_px, num_channels;
  int32_t orientation;  // EXIF 1..8: how the stored pixels lie; 1: upright
} ocl_pixels;

// In pixels of the upright image, that is after `orientation` is applied.
typedef struct {
  int32_t x_px, y_px, width_px, height_px;
} ocl_roi;

typedef enum {
  OCL_RESIZE_HALF_PIXEL,  // TensorFlow 2: tf.image.resize, bilinear, antialias off
  OCL_RESIZE_LEGACY,      // TensorFlow 1: src = dst * scale, align_corners off
} ocl_resize_mode;

enum { OCL_IGNORE_ALPHA = -1 };

// The network's input. value = pixel * scale[c] + offset[c] with pixel in [0,255] and c over R, G, B.
// FLOAT32 stores the value; UINT8 and INT8 store it rounded to nearest, ties to even (as XNNPACK quantizes), saturated.
typedef struct {
  int32_t height, width;
  ocl_dtype dtype;
  ocl_resize_mode mode;
  float scale[3], offset[3];
  int32_t background;  // 0xRRGGBB, over which RGBA pixels are blended; OCL_IGNORE_ALPHA: their colours are taken as is
} ocl_resize_target;

// [0,1] of the view, as detection heads give them; or pixels of the upright image.
typedef struct {
  float y_min, x_min, y_max, x_max;
} ocl_resize_box;

// Bytes of scratch that a resize needs for this size of the output.
size_t ocl_resize_scratch_size_bytes(int32_t out_width, int32_t out_height);

// INVALID_PIXELS: `pixels` contradicts itself. `detail` may be NULL.
ocl_status ocl_resize_check_pixels(const ocl_pixels* pixels, ocl_detail* detail);

// Width and height after `orientation` is applied.
void ocl_resize_upright_size(const ocl_pixels* pixels, int32_t* width_px_out, int32_t* height_px_out);

// Writes [target->height, target->width, 3] elements of target->dtype to tensor_out.
// `roi` NULL: the whole image. `quarter_turns_clockwise`: any number, also negative. `scratch`:
// ocl_resize_scratch_size_bytes() bytes, aligned to 8; any content, which the call overwrites.
// INVALID_PIXELS: `pixels` contradicts itself. INVALID_ROI: empty or not inside the upright image.
// INVALID_ARGUMENT: `target` (or an orientation outside 1..8). `detail` may be NULL.
ocl_status ocl_resize_to_tensor(const ocl_pixels* pixels, const ocl_roi* roi, int32_t quarter_turns_clockwise,
                                const ocl_resize_target* target, void* scratch, void* tensor_out, ocl_detail* detail);

// ---- rows from a decoder

// The stored image that rows will come of: its size, and 1 << scale_log2 by which the rows are smaller than it.
typedef struct {
  int32_t width_px, height_px, orientation, scale_log2;
} ocl_resize_source;

// Which stored pixels an output coordinate reads, and the weight of the second.
typedef struct {
  int32_t first, second;
  float lerp;
} ocl_resize_tap;

// A resize under way. Its fields are for resize.c.
typedef struct {
  ocl_resize_target target;
  void* tensor;
  ocl_resize_tap *across, *down;   // along stored rows and columns
  int32_t num_across, num_down;    // outputs along them: width and height, or height and width
  bool is_sideways, is_bottom_up;  // stored rows become columns; the last output needs the first stored rows
  int32_t num_done, held[2];       // outputs along columns; which stored rows `rows` holds
  float* rows[2];
} ocl_resize_pass;

// The scale at which neither side of the view falls below twice the target's size: 0 (1/1) to 3 (1/8).
// Statuses of ocl_resize_begin().
ocl_status ocl_resize_choose_scale(const ocl_resize_source* source, const ocl_roi* roi, int32_t quarter_turns_clockwise,
                                   const ocl_resize_target* target, int32_t* scale_log2_out, ocl_detail* detail);

// Begins a resize of stored rows that come from top to bottom. `roi` is in pixels of the upright image at full size.
// *pass_out uses `scratch` and `tensor_out` until all rows were taken.
ocl_status ocl_resize_begin(const ocl_resize_source* source, const ocl_roi* roi, int32_t quarter_turns_clockwise,
                            const ocl_resize_target* target, void* scratch, void* tensor_out, ocl_resize_pass* pass_out,
                            ocl_detail* detail);

// Sets to 1 what the pass needs of the rows and columns of the scaled image.
void ocl_resize_mark_needs(const ocl_resize_pass* pass, uint8_t* rows, uint8_t* columns);

// Takes row y of the scaled image; rows that are not needed may be left out. `size_bytes`: that can be read from `row`
// on, at least the row's own.
void ocl_resize_take_row(ocl_resize_pass* pass, int32_t y, const uint8_t* row, size_t size_bytes, int32_t num_channels);

// ---- boxes

// Maps a box of the view (normalized) back to pixels of the upright image. `roi` and turns as given to the resize;
// `roi` is not NULL here: pass the whole image where there was none. Boxes that reach outside are not clipped.
ocl_resize_box ocl_resize_box_to_upright(ocl_resize_box box_norm, const ocl_roi* roi, int32_t quarter_turns_clockwise);

#endif  // OCELLI_RESIZE_H_
