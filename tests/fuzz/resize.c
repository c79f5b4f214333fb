// Pixel arrays of any layout -> a tensor, against the same sampling, pixel by pixel and in double precision.
#include "image/resize.h"

#include <math.h>

#include "fuzz.h"

// ---- the plain way ----

typedef struct {
  const ocl_pixels* pixels;
  ocl_roi roi;
  int32_t turns, view_width, view_height;  // turns: 0 to 3, clockwise
} view;

// The stored pixel that lies at (x, y) of the upright image (EXIF 2.3, Orientation).
static int upright_at(const ocl_pixels* p, int32_t x, int32_t y, int channel) {
  const int32_t w = p->width_px, h = p->height_px;
  int32_t column = x, row = y;
  switch (p->orientation) {
    case 2: column = w - 1 - x; break;
    case 3: column = w - 1 - x, row = h - 1 - y; break;
    case 4: row = h - 1 - y; break;
    case 5: column = y, row = x; break;
    case 6: column = y, row = h - 1 - x; break;
    case 7: column = w - 1 - y, row = h - 1 - x; break;
    case 8: column = w - 1 - y, row = x; break;
    default: break;
  }
  const int32_t at = p->num_channels == 1 ? 0 : channel;
  return p->data[(size_t)row * p->stride_bytes + (size_t)column * (size_t)p->num_channels + (size_t)at];
}

static int view_at(const view* v, int32_t x, int32_t y, int channel) {
  const ocl_roi* r = &v->roi;
  int32_t column = x, row = y;
  if (v->turns == 1) column = y, row = r->height_px - 1 - x;
  if (v->turns == 2) column = r->width_px - 1 - x, row = r->height_px - 1 - y;
  if (v->turns == 3) column = r->width_px - 1 - y, row = x;
  return upright_at(v->pixels, r->x_px + column, r->y_px + row, channel);
}

static double clamp(double x, double max) {
  return x < 0 ? 0 : x > max ? max : x;
}

static double sample(const view* v, const ocl_resize_target* t, int32_t x, int32_t y, int channel) {
  const double half = t->mode == OCL_RESIZE_HALF_PIXEL ? 0.5 : 0;
  const double at_x = clamp((x + half) * ((double)v->view_width / t->width) - half, v->view_width - 1);
  const double at_y = clamp((y + half) * ((double)v->view_height / t->height) - half, v->view_height - 1);
  const int32_t x0 = (int32_t)at_x, y0 = (int32_t)at_y;
  const int32_t x1 = x0 + 1 < v->view_width ? x0 + 1 : x0, y1 = y0 + 1 < v->view_height ? y0 + 1 : y0;
  const double top = view_at(v, x0, y0, channel) * (1 - (at_x - x0)) + view_at(v, x1, y0, channel) * (at_x - x0);
  const double bottom = view_at(v, x0, y1, channel) * (1 - (at_x - x0)) + view_at(v, x1, y1, channel) * (at_x - x0);
  return (top * (1 - (at_y - y0)) + bottom * (at_y - y0)) * t->scale[channel] + t->offset[channel];
}

// ---- the target ----

static void check_elements(const view* v, const ocl_resize_target* t, const void* tensor) {
  for (int32_t i = 0; i < t->height * t->width * 3; i++) {
    const double expected = sample(v, t, i / 3 % t->width, i / 3 / t->width, i % 3);
    if (t->dtype == OCL_FLOAT32) {
      // A weight is off by the rounding of a coordinate, which a row of 255 pixels multiplies.
      const double found = ((const float*)tensor)[i];
      FUZZ_CHECK(fabs(found - expected) <= 0.02 * fabs(t->scale[i % 3]) + 1e-4, "element %d is %g, not %g", (int)i,
                 found, expected);
      continue;
    }
    const double low = t->dtype == OCL_UINT8 ? 0 : -128, whole = clamp(expected - low, 255) + low;
    const double found = t->dtype == OCL_UINT8 ? ((const uint8_t*)tensor)[i] : ((const int8_t*)tensor)[i];
    FUZZ_CHECK(fabs(found - whole) <= 0.55 + 0.02 * fabs(t->scale[i % 3]), "element %d is %g, not %g", (int)i, found,
               expected);
  }
}

static float any_scale(fuzz_bytes* b) {
  static const float kScales[] = {1 / 127.5f, 1, 1 / 255.0f, 0.5f, -1, 2};
  return kScales[fuzz_below(b, 6)];
}

// An extreme number now and then; `b` says what is valid.
static int32_t any_size(fuzz_bytes* b, int32_t max) {
  static const int32_t kExtremes[] = {0, -1, INT32_MAX, INT32_MIN, 65536, 1 << 30};
  return fuzz_one_in(b, 40) ? kExtremes[fuzz_below(b, 6)] : fuzz_range(b, 1, max);
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size_bytes) {
  fuzz_bytes b = {bytes, size_bytes};
  static const int32_t kChannels[] = {3, 4, 1};
  static const ocl_dtype kDtypes[] = {OCL_FLOAT32, OCL_UINT8, OCL_INT8};
  ocl_pixels p = {.width_px = any_size(&b, 40), .height_px = any_size(&b, 40), .orientation = any_size(&b, 8)};
  p.num_channels = fuzz_one_in(&b, 40) ? any_size(&b, 8) : kChannels[fuzz_below(&b, 3)];
  p.stride_bytes = (size_t)p.width_px * (size_t)p.num_channels + (size_t)(fuzz_one_in(&b, 4) ? fuzz_byte(&b) : 0);
  if (fuzz_one_in(&b, 60)) p.stride_bytes = fuzz_u32(&b);
  ocl_resize_target t = {.height = any_size(&b, 30), .width = any_size(&b, 30), .dtype = kDtypes[fuzz_below(&b, 3)]};
  t.background = OCL_IGNORE_ALPHA;
  t.mode = fuzz_one_in(&b, 2) ? OCL_RESIZE_LEGACY : OCL_RESIZE_HALF_PIXEL;
  for (int i = 0; i < 3; i++) t.scale[i] = any_scale(&b), t.offset[i] = (float)fuzz_below(&b, 3) - 1;
  const bool has_roi = fuzz_one_in(&b, 2);
  const ocl_roi roi = {fuzz_below(&b, 20), fuzz_below(&b, 20), any_size(&b, 40), any_size(&b, 40)};
  const int32_t turns = fuzz_one_in(&b, 8) ? (int32_t)fuzz_u32(&b) : fuzz_below(&b, 4);
  if (t.height > 64 || t.width > 64 || t.height < 1 || t.width < 1) t.height = t.width = 1;

  // As much as the rows need, or any number of bytes.
  const bool is_sized = p.width_px > 0 && p.width_px <= 64 && p.height_px > 0 && p.height_px <= 64 &&
                        p.num_channels > 0 && p.num_channels <= 4 && p.stride_bytes < 4096;
  const size_t needed =
      is_sized ? p.stride_bytes * (size_t)(p.height_px - 1) + (size_t)p.width_px * (size_t)p.num_channels : 0;
  p.size_bytes = is_sized && !fuzz_one_in(&b, 20) ? needed : fuzz_byte(&b);
  uint8_t* data = malloc(p.size_bytes + 1);
  uint32_t state = fuzz_byte(&b) + 1;
  for (size_t i = 0; i < p.size_bytes; i++) data[i] = (uint8_t)(fuzz_random(&state) >> 9);
  uint8_t* tight = fuzz_copy(data, p.size_bytes);
  free(data);
  p.data = tight;
  void* scratch = malloc(ocl_resize_scratch_size_bytes(t.width, t.height));
  void* tensor = malloc((size_t)t.height * (size_t)t.width * 3 * ocl_dtype_size_bytes(t.dtype));
  ocl_detail detail;
  if (ocl_resize_to_tensor(&p, has_roi ? &roi : NULL, turns, &t, scratch, tensor, &detail) == OCL_OK) {
    view v = {.pixels = &p, .roi = roi, .turns = ((turns % 4) + 4) % 4};
    if (!has_roi) v.roi.x_px = v.roi.y_px = 0, ocl_resize_upright_size(&p, &v.roi.width_px, &v.roi.height_px);
    v.view_width = v.turns % 2 == 0 ? v.roi.width_px : v.roi.height_px;
    v.view_height = v.turns % 2 == 0 ? v.roi.height_px : v.roi.width_px;
    check_elements(&v, &t, tensor);
  }
  free(scratch);
  free(tensor);
  free(tight);
  return 0;
}
