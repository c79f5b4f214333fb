// Stage: pixels u8 [H,W,C] -> network input tensor [out_height,out_width,3]. See resize.h.
// Separable bilinear: a source row of the view is interpolated horizontally once into a float row [out_width*3]; each
// output row blends two such rows, normalizes and stores. The two rows are kept: the next output row often needs them.
// Invariant: every pixel offset that is computed lies inside pixels->data, checked once before the pass.
#include "image/resize.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

// Same result on every engine and compiler: no fused multiply-add.
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

typedef float f32x4 __attribute__((vector_size(16)));
typedef uint8_t u8x4 __attribute__((vector_size(4)));

// Three RGB-periodic vectors: the unit in which the vertical pass walks a row.
enum { GROUP = 12 };

// view(u, v) starts at data[offset + u * step_x + v * step_y].
typedef struct {
  ptrdiff_t offset, step_x, step_y;
  int32_t width_px, height_px;
} pixel_view;

// One output coordinate's two source neighbours: index and weight of the upper one. As offsets for columns.
typedef struct {
  int32_t lower, upper;
  float lerp;
} neighbours;

typedef struct {
  ptrdiff_t left, right;  // bytes from the start of the view's row
  float lerp;
} column;

typedef struct {
  float scale[GROUP], offset[GROUP];  // the three channels, repeated
} affine;

// ---- the view: the eight symmetries of a rectangle as changes of origin and steps

static void flip_x(pixel_view* view) {
  view->offset += (view->width_px - 1) * view->step_x;
  view->step_x = -view->step_x;
}

static void turn_clockwise(pixel_view* view) {
  const pixel_view old = *view;
  view->step_x = old.step_y;
  view->step_y = old.step_x;
  view->width_px = old.height_px;
  view->height_px = old.width_px;
  flip_x(view);
}

static int32_t turns_modulo_4(int32_t quarter_turns) {
  return quarter_turns & 3;
}

static void turn_clockwise_times(pixel_view* view, int32_t quarter_turns) {
  for (int32_t i = turns_modulo_4(quarter_turns); i > 0; i--) turn_clockwise(view);
}

static pixel_view upright_view(const ocl_pixels* pixels) {
  // EXIF orientation -> mirror the stored image left to right first?, then turn it clockwise how often.
  static const struct {
    uint8_t is_mirrored, turns;
  } kSteps[9] = {{0, 0}, {0, 0}, {1, 0}, {0, 2}, {1, 2}, {1, 3}, {0, 1}, {1, 1}, {0, 3}};
  pixel_view view = {0, pixels->num_channels, (ptrdiff_t)pixels->stride_bytes, pixels->width_px, pixels->height_px};
  if (kSteps[pixels->orientation].is_mirrored) flip_x(&view);
  turn_clockwise_times(&view, kSteps[pixels->orientation].turns);
  return view;
}

static void crop(pixel_view* view, const ocl_roi* roi) {
  view->offset += roi->x_px * view->step_x + roi->y_px * view->step_y;
  view->width_px = roi->width_px;
  view->height_px = roi->height_px;
}

// ---- coordinates

// TensorFlow's compute_interpolation_weights (resize_bilinear_op.cc), in its float32 order of operations.
static neighbours find_neighbours(int32_t out_index, int32_t in_size, int32_t out_size, ocl_resize_mode mode) {
  const float scale = (float)in_size / (float)out_size;
  const float in = mode == OCL_RESIZE_HALF_PIXEL ? ((float)out_index + 0.5f) * scale - 0.5f : (float)out_index * scale;
  const float floored = floorf(in);
  const int32_t last = in_size - 1;
  int32_t lower = (int32_t)floored, upper = (int32_t)ceilf(in);
  if (lower < 0) lower = 0;
  if (lower > last) lower = last;
  if (upper > last) upper = last;
  return (neighbours){lower, upper, in - floored};
}

static void fill_columns(const pixel_view* view, int32_t out_width, ocl_resize_mode mode, column* columns) {
  for (int32_t x = 0; x < out_width; x++) {
    const neighbours n = find_neighbours(x, view->width_px, out_width, mode);
    columns[x] = (column){n.lower * view->step_x, n.upper * view->step_x, n.lerp};
  }
}

// Not inlined below: engines compile whole functions, and one with every pass in it takes the optimizing compiler
// twenty times as long as the pass that is run.

// ---- horizontal pass: one row of the view -> float RGB row [out_width*3]

// Lane 3 is whatever follows the pixel; the next pixel's store covers it.
static inline f32x4 load_four(const uint8_t* pixel) {
  u8x4 bytes;
  memcpy(&bytes, pixel, sizeof bytes);
  return __builtin_convertvector(bytes, f32x4);
}

static inline f32x4 load_rgb(const uint8_t* pixel) {
  return __builtin_convertvector(((u8x4){pixel[0], pixel[1], pixel[2], 0}), f32x4);
}

static inline f32x4 load_grey(const uint8_t* pixel) {
  const float value = *pixel;
  return (f32x4){value, value, value, value};
}

// The row buffer has room for one float past out_width*3.
#define LERP_ROW(load)                                           \
  for (int32_t x = 0; x < out_width; x++) {                      \
    const f32x4 left = load(row + columns[x].left);              \
    const f32x4 right = load(row + columns[x].right);            \
    const f32x4 value = left + (right - left) * columns[x].lerp; \
    memcpy(out + 3 * x, &value, sizeof value);                   \
  }

static __attribute__((noinline)) void lerp_row(const ocl_pixels* pixels, const pixel_view* view, int32_t y,
                                               const column* columns, int32_t out_width, float* out) {
  const ptrdiff_t row_offset = view->offset + y * view->step_y;
  const uint8_t* row = pixels->data + row_offset;
  if (pixels->num_channels == 1) {
    LERP_ROW(load_grey)
    return;
  }
  // Reading four bytes of a three-byte pixel overruns the array by one at its very last pixel only.
  const ptrdiff_t row_end = row_offset + (view->step_x > 0 ? (view->width_px - 1) * view->step_x : 0);
  if (row_end + 4 <= (ptrdiff_t)pixels->size_bytes) {
    LERP_ROW(load_four)
  } else {
    LERP_ROW(load_rgb)
  }
}

// ---- vertical pass: two float rows -> one row of the tensor

static inline void blend_group(const float* top, const float* bottom, float lerp, const affine* to, float* out) {
  for (int32_t i = 0; i < GROUP; i += 4) {
    f32x4 t, b, scale, offset;
    memcpy(&t, top + i, sizeof t);
    memcpy(&b, bottom + i, sizeof b);
    memcpy(&scale, to->scale + i, sizeof scale);
    memcpy(&offset, to->offset + i, sizeof offset);
    const f32x4 value = (t + (b - t) * lerp) * scale + offset;
    memcpy(out + i, &value, sizeof value);
  }
}

static __attribute__((noinline)) void blend_row_f32(const float* top, const float* bottom, float lerp, const affine* to,
                                                    int32_t count, float* out) {
  int32_t i = 0;
  for (; i + GROUP <= count; i += GROUP) blend_group(top + i, bottom + i, lerp, to, out + i);
  if (i == count) return;
  float rest[GROUP];
  blend_group(top + i, bottom + i, lerp, to, rest);
  memcpy(out + i, rest, (size_t)(count - i) * sizeof *rest);
}

// `lowest` is -128 or 0; the byte stored is the two's complement of the rounded value either way.
static __attribute__((noinline)) void blend_row_u8(const float* top, const float* bottom, float lerp, const affine* to,
                                                   float lowest, int32_t count, uint8_t* out) {
  for (int32_t i = 0; i < count; i += GROUP) {
    float values[GROUP];
    uint8_t bytes[GROUP];
    blend_group(top + i, bottom + i, lerp, to, values);
    for (int32_t j = 0; j < GROUP; j++) {
      float value = values[j] < lowest ? lowest : values[j];
      value = value > lowest + 255.0f ? lowest + 255.0f : value;
      bytes[j] = (uint8_t)(int32_t)rintf(value);
    }
    memcpy(out + i, bytes, (size_t)(count - i < GROUP ? count - i : GROUP));
  }
}

// ---- the pass

static size_t columns_size_bytes(int32_t out_width) {
  return ((size_t)out_width * sizeof(column) + 15) / 16 * 16;
}

// Whole groups, and four more floats so that the last pixel's store stays inside.
static size_t row_capacity(int32_t out_width) {
  return ((size_t)out_width * 3 / GROUP + 1) * GROUP + 4;
}

size_t ocl_resize_scratch_size_bytes(int32_t out_width) {
  return columns_size_bytes(out_width) + 2 * row_capacity(out_width) * sizeof(float);
}

static affine make_affine(const ocl_resize_target* target) {
  affine to;
  for (int32_t i = 0; i < GROUP; i++) {
    to.scale[i] = target->scale[i % 3];
    to.offset[i] = target->offset[i % 3];
  }
  return to;
}

static void store_row(const float* top, const float* bottom, float lerp, const affine* to,
                      const ocl_resize_target* target, int32_t y, void* tensor_out) {
  const int32_t count = target->width * 3;
  const size_t start = (size_t)y * (size_t)count;
  if (target->dtype == OCL_FLOAT32) {
    blend_row_f32(top, bottom, lerp, to, count, (float*)tensor_out + start);
  } else {
    const float lowest = target->dtype == OCL_INT8 ? -128.0f : 0.0f;
    blend_row_u8(top, bottom, lerp, to, lowest, count, (uint8_t*)tensor_out + start);
  }
}

static void resize_view(const ocl_pixels* pixels, const pixel_view* view, const ocl_resize_target* target,
                        void* scratch, void* tensor_out) {
  column* columns = scratch;
  const size_t capacity = row_capacity(target->width);
  float* rows[2] = {(float*)((uint8_t*)scratch + columns_size_bytes(target->width)), NULL};
  rows[1] = rows[0] + capacity;
  memset(rows[0], 0, 2 * capacity * sizeof(float));  // the vertical pass reads whole groups
  fill_columns(view, target->width, target->mode, columns);
  const affine to = make_affine(target);

  int32_t held[2] = {-1, -1};  // which row of the view rows[0], rows[1] hold
  for (int32_t y = 0; y < target->height; y++) {
    const neighbours n = find_neighbours(y, view->height_px, target->height, target->mode);
    const int32_t top = held[1] == n.lower ? 1 : 0;
    if (held[top] != n.lower) lerp_row(pixels, view, n.lower, columns, target->width, rows[top]);
    held[top] = n.lower;
    const int32_t bottom = n.upper == n.lower ? top : 1 - top;
    if (held[bottom] != n.upper) lerp_row(pixels, view, n.upper, columns, target->width, rows[bottom]);
    held[bottom] = n.upper;
    store_row(rows[top], rows[bottom], n.lerp, &to, target, y, tensor_out);
  }
}

// ---- checks

ocl_status ocl_resize_check_pixels(const ocl_pixels* p, ocl_detail* detail) {
  if (p->orientation < 1 || p->orientation > 8) {
    return ocl_status_with_detail(OCL_INVALID_ARGUMENT, detail, "orientation %d is not in 1..8", (int)p->orientation);
  }
  if (p->data == NULL || p->width_px <= 0 || p->height_px <= 0) {
    return ocl_status_with_detail(OCL_INVALID_PIXELS, detail, "%dx%d pixels", (int)p->width_px, (int)p->height_px);
  }
  if (p->num_channels != 1 && p->num_channels != 3 && p->num_channels != 4) {
    return ocl_status_with_detail(OCL_INVALID_PIXELS, detail, "%d channels; 1, 3 or 4 are known", (int)p->num_channels);
  }
  const uint64_t row_bytes = (uint64_t)p->width_px * (uint64_t)p->num_channels;
  if (p->stride_bytes < row_bytes) {
    return ocl_status_with_detail(OCL_INVALID_PIXELS, detail, "stride %zu is shorter than a row of %llu bytes",
                                  p->stride_bytes, (unsigned long long)row_bytes);
  }
  // rows - 1 strides and a row must fit; divide, since the product may wrap
  const uint64_t rows_before_last = (uint64_t)p->height_px - 1;
  if (p->size_bytes < row_bytes || (p->size_bytes - row_bytes) / p->stride_bytes < rows_before_last) {
    return ocl_status_with_detail(OCL_INVALID_PIXELS, detail, "%zu bytes are too few for %dx%d pixels of %d channels",
                                  p->size_bytes, (int)p->width_px, (int)p->height_px, (int)p->num_channels);
  }
  return OCL_OK;
}

static ocl_status check_roi(const ocl_roi* roi, const pixel_view* view, ocl_detail* detail) {
  const bool is_inside = roi->x_px >= 0 && roi->y_px >= 0 && roi->width_px > 0 && roi->height_px > 0 &&
                         roi->width_px <= view->width_px && roi->x_px <= view->width_px - roi->width_px &&
                         roi->height_px <= view->height_px && roi->y_px <= view->height_px - roi->height_px;
  if (is_inside) return OCL_OK;
  return ocl_status_with_detail(OCL_INVALID_ROI, detail, "x %d, y %d, %dx%d in an image of %dx%d", (int)roi->x_px,
                                (int)roi->y_px, (int)roi->width_px, (int)roi->height_px, (int)view->width_px,
                                (int)view->height_px);
}

static ocl_status check_target(const ocl_resize_target* target, ocl_detail* detail) {
  // the size bound keeps every index of a row in an int32
  if (target->width <= 0 || target->height <= 0 || target->width > 1 << 24 || target->height > 1 << 24) {
    return ocl_status_with_detail(OCL_INVALID_ARGUMENT, detail, "input size %dx%d", (int)target->width,
                                  (int)target->height);
  }
  if (target->dtype != OCL_FLOAT32 && target->dtype != OCL_UINT8 && target->dtype != OCL_INT8) {
    return ocl_status_with_detail(OCL_INVALID_ARGUMENT, detail, "input type %d is not float32, uint8 or int8",
                                  (int)target->dtype);
  }
  for (int32_t c = 0; c < 3; c++) {
    if (!isfinite(target->scale[c]) || !isfinite(target->offset[c])) {
      return ocl_status_with_detail(OCL_INVALID_ARGUMENT, detail, "input scale or offset is not finite");
    }
  }
  return OCL_OK;
}

// ---- public

void ocl_resize_upright_size(const ocl_pixels* pixels, int32_t* width_px_out, int32_t* height_px_out) {
  const bool is_sideways = pixels->orientation >= 5;
  *width_px_out = is_sideways ? pixels->height_px : pixels->width_px;
  *height_px_out = is_sideways ? pixels->width_px : pixels->height_px;
}

ocl_status ocl_resize_to_tensor(const ocl_pixels* pixels, const ocl_roi* roi, int32_t quarter_turns_clockwise,
                                const ocl_resize_target* target, void* scratch, void* tensor_out, ocl_detail* detail) {
  OCL_TRY(check_target(target, detail));
  OCL_TRY(ocl_resize_check_pixels(pixels, detail));
  pixel_view view = upright_view(pixels);
  if (roi != NULL) {
    OCL_TRY(check_roi(roi, &view, detail));
    crop(&view, roi);
  }
  turn_clockwise_times(&view, quarter_turns_clockwise);
  resize_view(pixels, &view, target, scratch, tensor_out);
  return OCL_OK;
}

ocl_resize_box ocl_resize_box_to_upright(ocl_resize_box box_norm, const ocl_roi* roi, int32_t quarter_turns_clockwise) {
  ocl_resize_box box = box_norm;
  for (int32_t i = turns_modulo_4(quarter_turns_clockwise); i > 0; i--) {
    // A clockwise turn sends (x, y) to (1 - y, x); this undoes one.
    box = (ocl_resize_box){1.0f - box.x_max, box.y_min, 1.0f - box.x_min, box.y_max};
  }
  const float width_px = (float)roi->width_px, height_px = (float)roi->height_px;
  const float x_px = (float)roi->x_px, y_px = (float)roi->y_px;
  return (ocl_resize_box){y_px + box.y_min * height_px, x_px + box.x_min * width_px, y_px + box.y_max * height_px,
                          x_px + box.x_max * width_px};
}
