// Either generator's settings become a list of layers, each a grid of centres and the box shapes put on every one of
// them; counting and filling know only layers.
// Computed in double and rounded once: within a float32 rounding of the originals, which compute in float32.
#include "detect/anchors.h"

#include <math.h>
#include <stddef.h>

enum { MAX_SIDE = 65535, MAX_SHAPES = OCL_ANCHORS_MAX_RATIOS * OCL_ANCHORS_MAX_OCTAVE_SCALES };

typedef struct {
  double height, width;
} box_shape;

// In the unit of the anchors.
typedef struct {
  int32_t height_cells, width_cells;
  double y_stride, x_stride;
  double y_first, x_first;
  int32_t num_shapes;
  box_shape shapes[MAX_SHAPES];
} layer;

static bool is_positive(double value) {
  return value > 0 && value <= 1e6;
}

static ocl_status reject(ocl_detail* detail, const char* what) {
  return ocl_status_with_detail(OCL_INVALID_ARGUMENT, detail, "anchors: %s", what);
}

static ocl_status check_grid(const ocl_anchors_grid* grid, int32_t num_layers, ocl_detail* detail) {
  const int32_t height_px = grid->image_height_px, width_px = grid->image_width_px;
  if (height_px < 1 || height_px > MAX_SIDE || width_px < 1 || width_px > MAX_SIDE)
    return reject(detail, "the image's sides must be 1 to 65535");
  if (grid->num_feature_maps == 0) return OCL_OK;
  if (grid->num_feature_maps != num_layers) return reject(detail, "there must be one feature map per layer");
  for (int32_t i = 0; i < num_layers; i++) {
    const int32_t height = grid->feature_maps[i][0], width = grid->feature_maps[i][1];
    if (height < 1 || height > MAX_SIDE || width < 1 || width > MAX_SIDE)
      return reject(detail, "a feature map's sides must be 1 to 65535");
  }
  return OCL_OK;
}

static ocl_status check_ratios(const float* ratios, int32_t count, int32_t min_count, ocl_detail* detail) {
  if (count < min_count || count > OCL_ANCHORS_MAX_RATIOS) return reject(detail, "too few or too many aspect ratios");
  for (int32_t i = 0; i < count; i++)
    if (!is_positive(ratios[i])) return reject(detail, "an aspect ratio must be above 0");
  return OCL_OK;
}

static void set_cells(layer* out, const ocl_anchors_grid* grid, int32_t index, int32_t level) {
  const int32_t stride_px = (int32_t)1 << level;
  const bool is_given = grid->num_feature_maps > 0;
  out->height_cells = is_given ? grid->feature_maps[index][0] : (grid->image_height_px + stride_px - 1) / stride_px;
  out->width_cells = is_given ? grid->feature_maps[index][1] : (grid->image_width_px + stride_px - 1) / stride_px;
}

static void add_shape(layer* out, double scale, double ratio, double base_height, double base_width) {
  const double ratio_sqrt = sqrt(ratio);
  out->shapes[out->num_shapes++] = (box_shape){scale / ratio_sqrt * base_height, scale * ratio_sqrt * base_width};
}

// ---- ssd_anchor_generator ----

static ocl_status check_ssd(const ocl_anchors_ssd* s, const ocl_anchors_grid* grid, ocl_detail* detail) {
  if (s->num_layers < 1 || s->num_layers > OCL_ANCHORS_MAX_LAYERS)
    return reject(detail, "there must be 1 to 16 layers");
  OCL_TRY(check_grid(grid, s->num_layers, detail));
  OCL_TRY(check_ratios(s->aspect_ratios, s->num_aspect_ratios, 0, detail));
  if (!is_positive(s->base_height) || !is_positive(s->base_width)) return reject(detail, "a base side must be above 0");
  if (s->interpolated_aspect_ratio != 0 && !is_positive(s->interpolated_aspect_ratio))
    return reject(detail, "the interpolated box's aspect ratio must be 0 (none) or above");
  if (s->scales == NULL && !(is_positive(s->min_scale) && is_positive(s->max_scale)))
    return reject(detail, "a scale must be above 0");
  for (int32_t i = 0; i < s->num_layers; i++) {
    if (s->scales != NULL && !is_positive(s->scales[i])) return reject(detail, "a scale must be above 0");
    if (s->strides_px != NULL && !(is_positive(s->strides_px[i][0]) && is_positive(s->strides_px[i][1])))
      return reject(detail, "a stride must be above 0");
    if (s->offsets_px != NULL && !(isfinite(s->offsets_px[i][0]) && isfinite(s->offsets_px[i][1])))
      return reject(detail, "an offset must be finite");
  }
  return OCL_OK;
}

// The layer past the last has scale 1, for the last one's interpolated box.
static double ssd_scale(const ocl_anchors_ssd* s, int32_t index) {
  if (index == s->num_layers) return 1;
  if (s->scales != NULL) return s->scales[index];
  if (s->num_layers == 1) return s->min_scale;
  return s->min_scale + ((double)s->max_scale - s->min_scale) * index / (s->num_layers - 1);
}

static void set_ssd_centres(layer* out, const ocl_anchors_ssd* s, const ocl_anchors_grid* grid, int32_t index) {
  out->y_stride = s->strides_px == NULL ? 1.0 / out->height_cells : s->strides_px[index][0] / grid->image_height_px;
  out->x_stride = s->strides_px == NULL ? 1.0 / out->width_cells : s->strides_px[index][1] / grid->image_width_px;
  out->y_first = s->offsets_px == NULL ? out->y_stride / 2 : s->offsets_px[index][0] / grid->image_height_px;
  out->x_first = s->offsets_px == NULL ? out->x_stride / 2 : s->offsets_px[index][1] / grid->image_width_px;
}

static void make_ssd_layer(const void* settings, const ocl_anchors_grid* grid, int32_t index, layer* out) {
  enum { FIRST_LEVEL = 4 };  // stride 16
  const ocl_anchors_ssd* s = settings;
  set_cells(out, grid, index, FIRST_LEVEL + index);
  set_ssd_centres(out, s, grid, index);
  // Scales are parts of the shorter side, so that a box of ratio 1 is square in any image.
  const double shorter_px = fmin(grid->image_height_px, grid->image_width_px);
  const double base_height = s->base_height * shorter_px / grid->image_height_px;
  const double base_width = s->base_width * shorter_px / grid->image_width_px;
  const double scale = ssd_scale(s, index);
  out->num_shapes = 0;
  if (index == 0 && s->reduce_boxes_in_lowest_layer) {
    add_shape(out, 0.1, 1, base_height, base_width);
    add_shape(out, scale, 2, base_height, base_width);
    add_shape(out, scale, 0.5, base_height, base_width);
    return;
  }
  for (int32_t i = 0; i < s->num_aspect_ratios; i++)
    add_shape(out, scale, s->aspect_ratios[i], base_height, base_width);
  if (s->interpolated_aspect_ratio > 0)
    add_shape(out, sqrt(scale * ssd_scale(s, index + 1)), s->interpolated_aspect_ratio, base_height, base_width);
}

// ---- multiscale_anchor_generator ----

static ocl_status check_multiscale(const ocl_anchors_multiscale* s, const ocl_anchors_grid* grid, ocl_detail* detail) {
  if (s->min_level < 0 || s->max_level < s->min_level || s->max_level > 15)
    return reject(detail, "the levels must be 0 to 15, the lowest first");
  OCL_TRY(check_grid(grid, s->max_level - s->min_level + 1, detail));
  OCL_TRY(check_ratios(s->aspect_ratios, s->num_aspect_ratios, 1, detail));
  if (!is_positive(s->anchor_scale)) return reject(detail, "the anchor scale must be above 0");
  if (s->scales_per_octave < 1 || s->scales_per_octave > OCL_ANCHORS_MAX_OCTAVE_SCALES)
    return reject(detail, "there must be 1 to 16 scales per octave");
  return OCL_OK;
}

static void make_multiscale_layer(const void* settings, const ocl_anchors_grid* grid, int32_t index, layer* out) {
  const ocl_anchors_multiscale* s = settings;
  const int32_t level = s->min_level + index, stride_px = (int32_t)1 << level;
  set_cells(out, grid, index, level);
  const double y_unit = s->normalize_coordinates ? grid->image_height_px : 1;
  const double x_unit = s->normalize_coordinates ? grid->image_width_px : 1;
  out->y_stride = stride_px / y_unit;
  out->x_stride = stride_px / x_unit;
  // The original starts at the image's edge where the last cell is not whole.
  out->y_first = grid->image_height_px % stride_px == 0 ? out->y_stride / 2 : 0;
  out->x_first = grid->image_width_px % stride_px == 0 ? out->x_stride / 2 : 0;
  const double base_px = (double)s->anchor_scale * stride_px;
  out->num_shapes = 0;
  for (int32_t r = 0; r < s->num_aspect_ratios; r++)
    for (int32_t i = 0; i < s->scales_per_octave; i++)
      add_shape(out, exp2((double)i / s->scales_per_octave), s->aspect_ratios[r], base_px / y_unit, base_px / x_unit);
}

// ---- layers -> anchors ----

typedef void (*make_layer)(const void* settings, const ocl_anchors_grid* grid, int32_t index, layer* out);

static ocl_status count_anchors(make_layer make, const void* settings, const ocl_anchors_grid* grid, int32_t num_layers,
                                int32_t* num_anchors_out, ocl_detail* detail) {
  int64_t total = 0;
  for (int32_t i = 0; i < num_layers; i++) {
    layer l;
    make(settings, grid, i, &l);
    total += (int64_t)l.height_cells * l.width_cells * l.num_shapes;
  }
  if (total == 0) return reject(detail, "there are none");
  // 16 bytes each: their array fits a 32-bit address space's signed sizes.
  if (total > INT32_MAX / 16) return reject(detail, "there are too many");
  *num_anchors_out = (int32_t)total;
  return OCL_OK;
}

static float* fill_cell(const layer* l, int32_t row, int32_t column, float* out) {
  for (int32_t i = 0; i < l->num_shapes; i++, out += 4) {
    out[0] = (float)(l->y_first + row * l->y_stride);
    out[1] = (float)(l->x_first + column * l->x_stride);
    out[2] = (float)l->shapes[i].height;
    out[3] = (float)l->shapes[i].width;
  }
  return out;
}

static void fill_anchors(make_layer make, const void* settings, const ocl_anchors_grid* grid, int32_t num_layers,
                         float* out) {
  for (int32_t i = 0; i < num_layers; i++) {
    layer l;
    make(settings, grid, i, &l);
    for (int32_t row = 0; row < l.height_cells; row++)
      for (int32_t column = 0; column < l.width_cells; column++) out = fill_cell(&l, row, column, out);
  }
}

ocl_status ocl_anchors_count_ssd(const ocl_anchors_ssd* settings, const ocl_anchors_grid* grid,
                                 int32_t* num_anchors_out, ocl_detail* detail) {
  OCL_TRY(check_ssd(settings, grid, detail));
  return count_anchors(make_ssd_layer, settings, grid, settings->num_layers, num_anchors_out, detail);
}

ocl_status ocl_anchors_count_multiscale(const ocl_anchors_multiscale* settings, const ocl_anchors_grid* grid,
                                        int32_t* num_anchors_out, ocl_detail* detail) {
  OCL_TRY(check_multiscale(settings, grid, detail));
  const int32_t num_layers = settings->max_level - settings->min_level + 1;
  return count_anchors(make_multiscale_layer, settings, grid, num_layers, num_anchors_out, detail);
}

ocl_status ocl_anchors_fill_ssd(const ocl_anchors_ssd* settings, const ocl_anchors_grid* grid, float* anchors_out,
                                ocl_detail* detail) {
  int32_t num_anchors;
  OCL_TRY(ocl_anchors_count_ssd(settings, grid, &num_anchors, detail));
  fill_anchors(make_ssd_layer, settings, grid, settings->num_layers, anchors_out);
  return OCL_OK;
}

ocl_status ocl_anchors_fill_multiscale(const ocl_anchors_multiscale* settings, const ocl_anchors_grid* grid,
                                       float* anchors_out, ocl_detail* detail) {
  int32_t num_anchors;
  OCL_TRY(ocl_anchors_count_multiscale(settings, grid, &num_anchors, detail));
  const int32_t num_layers = settings->max_level - settings->min_level + 1;
  fill_anchors(make_multiscale_layer, settings, grid, num_layers, anchors_out);
  return OCL_OK;
}
