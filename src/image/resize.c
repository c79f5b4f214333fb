// Stage: pixels u8 [H,W,C] -> network input tensor [out_height,out_width,3]. See resize.h.
// Bilinear, by stored rows: a row is sampled once, at the columns that the outputs need, into floats; outputs blend two
// such rows, normalize and store. The two last rows are kept: the next output often needs them.
// Where the view stands upright, an output along stored columns is a row of the tensor, and the samples of a row are
// interpolated at once. Where it lies on its side, an output is a column of the tensor. It interpolates between the two
// rows first and between the samples of a row afterwards: always along the view's rows first, as TensorFlow does.
// Invariant: every index of a pixel that is computed lies inside the stored image, checked once before the pass.
#include "image/resize.h"

#include <math.h>
#include <string.h>

// Same result on every engine and compiler: no fused multiply-add.
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

typedef float f32x4 __attribute__((vector_size(16)));
typedef uint8_t u8x4 __attribute__((vector_size(4)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));

// Three RGB-periodic vectors: the unit in which the vertical pass walks a row.
enum { GROUP = 12 };

// Stored pixel (x, y) of the view's (u, v): x + u * x_of_u + v * x_of_v, and y in the same way.
typedef struct {
  int32_t x, y, x_of_u, y_of_u, x_of_v, y_of_v;
  int32_t width_px, height_px;
} pixel_view;

typedef struct {
  float scale[GROUP], offset[GROUP];  // the three channels, repeated
} affine;

// ---- the view: the eight symmetries of a rectangle as changes of origin and steps

static void flip_x(pixel_view* view) {
  view->x += (view->width_px - 1) * view->x_of_u;
  view->y += (view->width_px - 1) * view->y_of_u;
  view->x_of_u = -view->x_of_u;
  view->y_of_u = -view->y_of_u;
}

static void turn_clockwise(pixel_view* view) {
  const pixel_view old = *view;
  view->x_of_u = old.x_of_v;
  view->y_of_u = old.y_of_v;
  view->x_of_v = old.x_of_u;
  view->y_of_v = old.y_of_u;
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

static pixel_view upright_view(const ocl_resize_source* source) {
  // EXIF orientation -> mirror the stored image left to right first?, then turn it clockwise how often.
  static const struct {
    uint8_t is_mirrored, turns;
  } kSteps[9] = {{0, 0}, {0, 0}, {1, 0}, {0, 2}, {1, 2}, {1, 3}, {0, 1}, {1, 1}, {0, 3}};
  pixel_view view = {.x_of_u = 1, .y_of_v = 1, .width_px = source->width_px, .height_px = source->height_px};
  if (kSteps[source->orientation].is_mirrored) flip_x(&view);
  turn_clockwise_times(&view, kSteps[source->orientation].turns);
  return view;
}

static void crop(pixel_view* view, const ocl_roi* roi) {
  view->x += roi->x_px * view->x_of_u + roi->y_px * view->x_of_v;
  view->y += roi->x_px * view->y_of_u + roi->y_px * view->y_of_v;
  view->width_px = roi->width_px;
  view->height_px = roi->height_px;
}

// ---- coordinates

static int32_t clamp(int32_t value, int32_t low, int32_t high) {
  return value < low ? low : value > high ? high : value;
}

// TensorFlow's compute_interpolation_weights (resize_bilinear_op.cc), in its float32 order of operations.
static float find_position(int32_t out_index, int32_t in_size, int32_t out_size, ocl_resize_mode mode) {
  const float scale = (float)in_size / (float)out_size;
  return mode == OCL_RESIZE_HALF_PIXEL ? ((float)out_index + 0.5f) * scale - 0.5f : (float)out_index * scale;
}

// Stored pixels start at `origin`; `step` is 1 or -1.
static ocl_resize_tap find_tap(float in, int32_t in_size, int32_t origin, int32_t step) {
  const float floored = floorf(in);
  const int32_t last = in_size - 1;
  int32_t lower = (int32_t)floored, upper = (int32_t)ceilf(in);
  if (lower < 0) lower = 0;
  if (lower > last) lower = last;
  if (upper > last) upper = last;
  return (ocl_resize_tap){origin + step * lower, origin + step * upper, in - floored};
}

// The same place of the scene in an image that is smaller by 1 << scale_log2: pixels are the squares around their
// centres.
static ocl_resize_tap find_scaled_tap(float in, int32_t in_size, int32_t origin, int32_t step, int32_t scale_log2) {
  const float factor = (float)(1 << scale_log2);
  const float position = ((float)origin + (float)step * in + 0.5f) / factor - 0.5f, floored = floorf(position);
  const int32_t end = origin + step * (in_size - 1);
  const int32_t first = (step > 0 ? origin : end) >> scale_log2, last = (step > 0 ? end : origin) >> scale_log2;
  const int32_t lower = (int32_t)floored;
  return (ocl_resize_tap){clamp(lower, first, last), clamp(lower + 1, first, last), position - floored};
}

typedef struct {
  int32_t in_size, origin, step, scale_log2;
} axis;

static void fill_taps(axis a, int32_t count, ocl_resize_mode mode, ocl_resize_tap* taps) {
  for (int32_t i = 0; i < count; i++) {
    const float in = find_position(i, a.in_size, count, mode);
    taps[i] = a.scale_log2 == 0 ? find_tap(in, a.in_size, a.origin, a.step)
                                : find_scaled_tap(in, a.in_size, a.origin, a.step, a.scale_log2);
  }
}

// Not inlined below: engines compile whole functions, and one with every pass in it takes the optimizing compiler
// twenty times as long as the pass that is run.

// ---- pixels -> floats

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

// Blended to whole numbers: the pixels that a program stores that saves the picture without alpha.
static inline f32x4 load_over(const uint8_t* pixel, u32x4 background) {
  const uint32_t alpha = pixel[3];
  if (alpha == 255) return load_four(pixel);
  u8x4 bytes;
  memcpy(&bytes, pixel, sizeof bytes);
  const u32x4 sum = __builtin_convertvector(bytes, u32x4) * alpha + background * (255 - alpha) + 128;
  return __builtin_convertvector((sum + (sum >> 8)) >> 8, f32x4);
}

// The row buffer has room for one float past the last pixel.
#define LERP_ROW(load)                                         \
  for (int32_t x = 0; x < count; x++) {                        \
    const f32x4 left = load(row + taps[x].first * channels);   \
    const f32x4 right = load(row + taps[x].second * channels); \
    const f32x4 value = left + (right - left) * taps[x].lerp;  \
    memcpy(out + 3 * x, &value, sizeof value);                 \
  }
#define COPY_ROW(load)                                                                                  \
  for (int32_t x = 0; x < count; x++) {                                                                 \
    const f32x4 two[2] = {load(row + taps[x].first * channels), load(row + taps[x].second * channels)}; \
    memcpy(out + 8 * x, two, sizeof two);                                                               \
  }
#define LOAD_OVER(pixel) load_over(pixel, background)
// For each kind of pixels. Reading four bytes of a three-byte pixel overruns the row by one at its last pixel only.
#define FOR_ALL_KINDS(ROW)                                                      \
  do {                                                                          \
    if (channels == 1) {                                                        \
      ROW(load_grey)                                                            \
    } else if (channels == 4 && pass->target.background != OCL_IGNORE_ALPHA) {  \
      const uint32_t rgb = (uint32_t)pass->target.background;                   \
      const u32x4 background = {rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255, 0}; \
      ROW(LOAD_OVER)                                                            \
    } else if (is_roomy) {                                                      \
      ROW(load_four)                                                            \
    } else {                                                                    \
      ROW(load_rgb)                                                             \
    }                                                                           \
  } while (0)

static int32_t last_column(const ocl_resize_tap* taps, int32_t count) {
  const ocl_resize_tap ends[2] = {taps[0], taps[count - 1]};
  int32_t last = 0;
  for (int32_t i = 0; i < 2; i++) {
    if (last < ends[i].first) last = ends[i].first;
    if (last < ends[i].second) last = ends[i].second;
  }
  return last;
}

// Interpolated: [count, 3].
static __attribute__((noinline)) void lerp_row(const ocl_resize_pass* pass, const uint8_t* row, bool is_roomy,
                                               int32_t channels, float* out) {
  const ocl_resize_tap* taps = pass->across;
  const int32_t count = pass->num_across;
  FOR_ALL_KINDS(LERP_ROW);
}

// Both samples of each tap: [count, 2, 4].
static __attribute__((noinline)) void copy_row(const ocl_resize_pass* pass, const uint8_t* row, bool is_roomy,
                                               int32_t channels, float* out) {
  const ocl_resize_tap* taps = pass->across;
  const int32_t count = pass->num_across;
  FOR_ALL_KINDS(COPY_ROW);
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
static inline uint8_t to_byte(float value, float lowest) {
  const float at_least = value < lowest ? lowest : value;
  return (uint8_t)(int32_t)rintf(at_least > lowest + 255.0f ? lowest + 255.0f : at_least);
}

static __attribute__((noinline)) void blend_row_u8(const float* top, const float* bottom, float lerp, const affine* to,
                                                   float lowest, int32_t count, uint8_t* out) {
  for (int32_t i = 0; i < count; i += GROUP) {
    float values[GROUP];
    uint8_t bytes[GROUP];
    blend_group(top + i, bottom + i, lerp, to, values);
    for (int32_t j = 0; j < GROUP; j++) bytes[j] = to_byte(values[j], lowest);
    memcpy(out + i, bytes, (size_t)(count - i < GROUP ? count - i : GROUP));
  }
}

// ---- two rows -> one column of the tensor

static void store_pixel(f32x4 value, const ocl_resize_target* target, size_t index, void* tensor) {
  if (target->dtype == OCL_FLOAT32) {
    memcpy((float*)tensor + index, &value, 3 * sizeof(float));
    return;
  }
  const float lowest = target->dtype == OCL_INT8 ? -128.0f : 0.0f;
  for (int32_t c = 0; c < 3; c++) ((uint8_t*)tensor)[index + (size_t)c] = to_byte(value[c], lowest);
}

// `first`, `second`: [count, 2, 4].
static __attribute__((noinline)) void blend_column(const ocl_resize_pass* pass, const float* first, const float* second,
                                                   float lerp, int32_t x) {
  const ocl_resize_target* target = &pass->target;
  const f32x4 scale = {target->scale[0], target->scale[1], target->scale[2], 0};
  const f32x4 offset = {target->offset[0], target->offset[1], target->offset[2], 0};
  for (int32_t y = 0; y < pass->num_across; y++, first += 8, second += 8) {
    f32x4 left[2], right[2];
    memcpy(left, first, sizeof left);
    memcpy(right, second, sizeof right);
    const f32x4 top = left[0] + (right[0] - left[0]) * lerp, bottom = left[1] + (right[1] - left[1]) * lerp;
    const f32x4 value = (top + (bottom - top) * pass->across[y].lerp) * scale + offset;
    store_pixel(value, target, ((size_t)y * (size_t)target->width + (size_t)x) * 3, pass->tensor);
  }
}

// ---- the pass

// Whole groups, and four more floats so that the last pixel's store stays inside; or two samples for each output.
static size_t row_capacity(int32_t out_width, int32_t out_height) {
  const size_t upright = ((size_t)out_width * 3 / GROUP + 1) * GROUP + 4, sideways = (size_t)out_height * 8;
  return upright > sideways ? upright : sideways;
}

size_t ocl_resize_scratch_size_bytes(int32_t out_width, int32_t out_height) {
  const size_t num_taps = (size_t)out_width + (size_t)out_height;
  return num_taps * sizeof(ocl_resize_tap) + 2 * row_capacity(out_width, out_height) * sizeof(float);
}

static affine make_affine(const ocl_resize_target* target) {
  affine to;
  for (int32_t i = 0; i < GROUP; i++) {
    to.scale[i] = target->scale[i % 3];
    to.offset[i] = target->offset[i % 3];
  }
  return to;
}

static void store_row(const ocl_resize_pass* pass, const float* top, const float* bottom, float lerp, int32_t y) {
  const ocl_resize_target* target = &pass->target;
  const affine to = make_affine(target);
  const int32_t count = target->width * 3;
  const size_t start = (size_t)y * (size_t)count;
  if (target->dtype == OCL_FLOAT32) {
    blend_row_f32(top, bottom, lerp, &to, count, (float*)pass->tensor + start);
  } else {
    const float lowest = target->dtype == OCL_INT8 ? -128.0f : 0.0f;
    blend_row_u8(top, bottom, lerp, &to, lowest, count, (uint8_t*)pass->tensor + start);
  }
}

static int32_t next_output(const ocl_resize_pass* pass) {
  return pass->is_bottom_up ? pass->num_down - 1 - pass->num_done : pass->num_done;
}

static int32_t later(ocl_resize_tap tap) {
  return tap.first > tap.second ? tap.first : tap.second;
}

void ocl_resize_take_row(ocl_resize_pass* pass, int32_t y, const uint8_t* row, size_t size_bytes,
                         int32_t num_channels) {
  const int32_t slot = y & 1;  // an output's two rows are the same or neighbours
  for (; pass->num_done < pass->num_down; pass->num_done++) {
    const int32_t output = next_output(pass);
    const ocl_resize_tap tap = pass->down[output];
    if (tap.first != y && tap.second != y) return;
    if (pass->held[slot] != y) {
      const size_t needed_bytes = (size_t)last_column(pass->across, pass->num_across) * (size_t)num_channels + 4;
      (pass->is_sideways ? copy_row : lerp_row)(pass, row, needed_bytes <= size_bytes, num_channels, pass->rows[slot]);
      pass->held[slot] = y;
    }
    if (later(tap) > y) return;
    const float *first = pass->rows[tap.first & 1], *second = pass->rows[tap.second & 1];
    (pass->is_sideways ? blend_column : store_row)(pass, first, second, tap.lerp, output);
  }
}

void ocl_resize_mark_needs(const ocl_resize_pass* pass, uint8_t* rows, uint8_t* columns) {
  for (int32_t i = 0; i < pass->num_down; i++) rows[pass->down[i].first] = rows[pass->down[i].second] = 1;
  for (int32_t i = 0; i < pass->num_across; i++) columns[pass->across[i].first] = columns[pass->across[i].second] = 1;
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

static ocl_status find_view(const ocl_resize_source* source, const ocl_roi* roi, int32_t quarter_turns_clockwise,
                            const ocl_resize_target* target, pixel_view* view_out, ocl_detail* detail) {
  OCL_TRY(check_target(target, detail));
  *view_out = upright_view(source);
  if (roi != NULL) {
    OCL_TRY(check_roi(roi, view_out, detail));
    crop(view_out, roi);
  }
  turn_clockwise_times(view_out, quarter_turns_clockwise);
  return OCL_OK;
}

ocl_status ocl_resize_choose_scale(const ocl_resize_source* source, const ocl_roi* roi, int32_t quarter_turns_clockwise,
                                   const ocl_resize_target* target, int32_t* scale_log2_out, ocl_detail* detail) {
  pixel_view view;
  OCL_TRY(find_view(source, roi, quarter_turns_clockwise, target, &view, detail));
  int32_t scale_log2 = 3;
  while (scale_log2 > 0 &&
         (view.width_px >> scale_log2 < 2 * target->width || view.height_px >> scale_log2 < 2 * target->height))
    scale_log2--;
  *scale_log2_out = scale_log2;
  return OCL_OK;
}

ocl_status ocl_resize_begin(const ocl_resize_source* source, const ocl_roi* roi, int32_t quarter_turns_clockwise,
                            const ocl_resize_target* target, void* scratch, void* tensor_out, ocl_resize_pass* pass_out,
                            ocl_detail* detail) {
  pixel_view view;
  OCL_TRY(find_view(source, roi, quarter_turns_clockwise, target, &view, detail));
  const bool is_sideways = view.x_of_u == 0;
  const int32_t scale_log2 = source->scale_log2;
  const axis along_u = {view.width_px, is_sideways ? view.y : view.x, view.x_of_u + view.y_of_u, scale_log2};
  const axis along_v = {view.height_px, is_sideways ? view.x : view.y, view.x_of_v + view.y_of_v, scale_log2};
  ocl_resize_tap *taps_u = scratch, *taps_v = taps_u + target->width;
  fill_taps(along_u, target->width, target->mode, taps_u);
  fill_taps(along_v, target->height, target->mode, taps_v);
  const size_t capacity = row_capacity(target->width, target->height);
  float* rows = (float*)(void*)(taps_v + target->height);
  memset(rows, 0, 2 * capacity * sizeof(float));  // the vertical pass reads whole groups
  *pass_out = (ocl_resize_pass){
      .target = *target,
      .tensor = tensor_out,
      .across = is_sideways ? taps_v : taps_u,
      .down = is_sideways ? taps_u : taps_v,
      .num_across = is_sideways ? target->height : target->width,
      .num_down = is_sideways ? target->width : target->height,
      .is_sideways = is_sideways,
      .is_bottom_up = (is_sideways ? along_u : along_v).step < 0,
      .held = {-1, -1},
      .rows = {rows, rows + capacity},
  };
  return OCL_OK;
}

ocl_status ocl_resize_to_tensor(const ocl_pixels* pixels, const ocl_roi* roi, int32_t quarter_turns_clockwise,
                                const ocl_resize_target* target, void* scratch, void* tensor_out, ocl_detail* detail) {
  OCL_TRY(check_target(target, detail));
  OCL_TRY(ocl_resize_check_pixels(pixels, detail));
  const ocl_resize_source source = {pixels->width_px, pixels->height_px, pixels->orientation, 0};
  ocl_resize_pass pass;
  OCL_TRY(ocl_resize_begin(&source, roi, quarter_turns_clockwise, target, scratch, tensor_out, &pass, detail));
  while (pass.num_done < pass.num_down) {
    const ocl_resize_tap tap = pass.down[next_output(&pass)];
    const int32_t rows[2] = {tap.first < tap.second ? tap.first : tap.second, later(tap)};
    for (int32_t i = 0; i < 2; i++) {
      const size_t start = (size_t)rows[i] * pixels->stride_bytes;
      ocl_resize_take_row(&pass, rows[i], pixels->data + start, pixels->size_bytes - start, pixels->num_channels);
    }
  }
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
