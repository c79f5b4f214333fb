#include "check.h"
#include "detect/anchors.h"
#include "test_data.h"

static const float kRatios[] = {1, 2, 0.5f, 3, 0.3333f};
static const int32_t kMaps[6][2] = {{19, 19}, {10, 10}, {5, 5}, {3, 3}, {2, 2}, {1, 1}};

static ocl_anchors_ssd default_ssd(void) {
  return (ocl_anchors_ssd){.num_layers = 6,
                           .min_scale = 0.2f,
                           .max_scale = 0.95f,
                           .num_aspect_ratios = 5,
                           .aspect_ratios = kRatios,
                           .interpolated_aspect_ratio = 1,
                           .reduce_boxes_in_lowest_layer = true,
                           .base_height = 1,
                           .base_width = 1};
}

static ocl_anchors_multiscale default_multiscale(void) {
  return (ocl_anchors_multiscale){.min_level = 3,
                                  .max_level = 7,
                                  .anchor_scale = 4,
                                  .num_aspect_ratios = 3,
                                  .aspect_ratios = kRatios,
                                  .scales_per_octave = 2,
                                  .normalize_coordinates = true};
}

// malloc'ed [*count_out, 4]; caller frees. Sized exactly, for ASan.
static float* fill_ssd(const ocl_anchors_ssd* settings, const ocl_anchors_grid* grid, int32_t* count_out) {
  CHECK_STATUS(ocl_anchors_count_ssd(settings, grid, count_out, NULL), OCL_OK);
  float* anchors = malloc((size_t)*count_out * 16);
  CHECK_STATUS(ocl_anchors_fill_ssd(settings, grid, anchors, NULL), OCL_OK);
  return anchors;
}

static float* fill_multiscale(const ocl_anchors_multiscale* settings, const ocl_anchors_grid* grid,
                              int32_t* count_out) {
  CHECK_STATUS(ocl_anchors_count_multiscale(settings, grid, count_out, NULL), OCL_OK);
  float* anchors = malloc((size_t)*count_out * 16);
  CHECK_STATUS(ocl_anchors_fill_multiscale(settings, grid, anchors, NULL), OCL_OK);
  return anchors;
}

static void check_anchor(const float* anchor, double y, double x, double height, double width) {
  CHECK_NEAR(anchor[0], y, 1e-6);
  CHECK_NEAR(anchor[1], x, 1e-6);
  CHECK_NEAR(anchor[2], height, 1e-6);
  CHECK_NEAR(anchor[3], width, 1e-6);
}

static double largest_difference(const float* a, const float* b, int32_t count) {
  double largest = 0;
  for (int32_t i = 0; i < count; i++) largest = fmax(largest, fabs((double)a[i] - b[i]));
  return largest;
}

// TensorFlow's own, as corners.
static void ssd_equals_tensorflow(void) {
  NEEDS_LARGE("convert/openimages_v4");
  size_t size_bytes;
  uint8_t* file = large_read("convert/openimages_v4/anchors.npy", &size_bytes);
  const ocl_anchors_ssd settings = default_ssd();
  const ocl_anchors_grid grid = {300, 300, 0, NULL};
  int32_t count;
  float* anchors = fill_ssd(&settings, &grid, &count);
  CHECK(count == 1917 && size_bytes == 128 + 1917 * 16);
  const float* corners = (const float*)(file + 128);
  double largest = 0;
  for (int32_t i = 0; i < count; i++)
    for (int32_t k = 0; k < 4; k++) {
      const double half = (k < 2 ? -0.5 : 0.5) * anchors[4 * i + 2 + k % 2];
      largest = fmax(largest, fabs(anchors[4 * i + k % 2] + half - corners[4 * i + k]));
    }
  CHECK_NEAR(largest, 0, 1e-6);
  free(anchors);
  free(file);
}

// A published 320x320 FPN detector's anchors, which TensorFlow folded into constants of one byte each.
static void multiscale_equals_tensorflow(void) {
  NEEDS_LARGE("convert/tfjs_ssd_mobilenet_v2_320_fpnlite_hands_uint8");
  size_t size_bytes;
  uint8_t* shard =
      large_read("convert/tfjs_ssd_mobilenet_v2_320_fpnlite_hands_uint8/group1-shard1of1.bin", &size_bytes);
  // model.json: .../get_center_coordinates_and_sizes/ add, add_1, sub_1, sub of shape [12804].
  static const struct {
    size_t offset_bytes;
    double scale, min;
  } columns[4] = {{30918, 0.003872549300100289, 0},
                  {69332, 0.003872549300100289, 0},
                  {43723, 0.012271723209642897, 0.07071062922477722},
                  {103457, 0.012271723209642897, 0.07071062922477722}};
  const ocl_anchors_multiscale settings = default_multiscale();
  const ocl_anchors_grid grid = {320, 320, 0, NULL};
  int32_t count;
  float* anchors = fill_multiscale(&settings, &grid, &count);
  CHECK(count == 12804);
  for (int32_t k = 0; k < 4; k++) {
    double largest = 0;
    for (int32_t i = 0; i < count; i++)
      largest = fmax(largest, fabs(shard[columns[k].offset_bytes + (size_t)i] * columns[k].scale + columns[k].min -
                                   anchors[4 * i + k]));
    CHECK_NEAR(largest, 0, columns[k].scale * 0.501);
  }
  free(anchors);
  free(shard);
}

// 300 -> 19, 10, 5, 3, 2, 1; and an image that is not square halves each side by itself.
static void feature_maps_follow_from_the_image(void) {
  const ocl_anchors_ssd settings = default_ssd();
  const ocl_anchors_grid derived = {300, 300, 0, NULL}, given = {300, 300, 6, kMaps}, wide = {200, 330, 0, NULL};
  int32_t count, count_given, count_wide;
  float* a = fill_ssd(&settings, &derived, &count);
  float* b = fill_ssd(&settings, &given, &count_given);
  CHECK(count == count_given);
  CHECK_NEAR(largest_difference(a, b, 4 * count), 0, 0);
  float* c = fill_ssd(&settings, &wide, &count_wide);
  CHECK(count_wide == 13 * 21 * 3 + (7 * 11 + 4 * 6 + 2 * 3 + 1 * 2 + 1 * 1) * 6);
  free(a);
  free(b);
  free(c);
}

// Scales are parts of the shorter side: a box of ratio 1 is square in pixels.
static void boxes_keep_their_shape_in_wide_images(void) {
  ocl_anchors_ssd settings = default_ssd();
  settings.num_layers = 1;
  settings.base_height = 0.5f;
  const int32_t map[1][2] = {{2, 4}};
  const ocl_anchors_grid grid = {100, 400, 1, map};
  int32_t count;
  float* anchors = fill_ssd(&settings, &grid, &count);
  CHECK(count == 24);
  check_anchor(&anchors[0], 0.25, 0.125, 0.05, 0.025);
  check_anchor(&anchors[4], 0.25, 0.125, 0.5 * 0.2 / sqrt(2), 0.25 * 0.2 * sqrt(2));
  check_anchor(&anchors[4 * 3], 0.25, 0.375, 0.05, 0.025);
  check_anchor(&anchors[4 * 12], 0.75, 0.125, 0.05, 0.025);
  free(anchors);
}

static void explicit_scales_strides_and_offsets(void) {
  static const float scales[] = {0.3f, 0.6f}, ratios[] = {1, 4}, strides[][2] = {{20, 40}, {50, 50}},
                     offsets[][2] = {{5, 10}, {0, 25}};
  const int32_t maps[2][2] = {{2, 2}, {1, 1}};
  ocl_anchors_ssd settings = default_ssd();
  settings.num_layers = 2;
  settings.scales = scales;
  settings.aspect_ratios = ratios;
  settings.num_aspect_ratios = 2;
  settings.reduce_boxes_in_lowest_layer = false;
  settings.strides_px = strides;
  settings.offsets_px = offsets;
  const ocl_anchors_grid grid = {100, 100, 2, maps};
  int32_t count;
  float* anchors = fill_ssd(&settings, &grid, &count);
  CHECK(count == 4 * 3 + 3);
  check_anchor(&anchors[4 * 0], 0.05, 0.1, 0.3, 0.3);
  check_anchor(&anchors[4 * 1], 0.05, 0.1, 0.15, 0.6);
  check_anchor(&anchors[4 * 2], 0.05, 0.1, sqrt(0.18), sqrt(0.18));
  check_anchor(&anchors[4 * 3], 0.05, 0.5, 0.3, 0.3);
  check_anchor(&anchors[4 * 6], 0.25, 0.1, 0.3, 0.3);
  check_anchor(&anchors[4 * 14], 0, 0.25, sqrt(0.6), sqrt(0.6));
  free(anchors);

  settings.interpolated_aspect_ratio = 0;
  settings.offsets_px = NULL;  // half of a stride
  anchors = fill_ssd(&settings, &grid, &count);
  CHECK(count == 4 * 2 + 2);
  check_anchor(&anchors[0], 0.1, 0.2, 0.3, 0.3);
  free(anchors);
}

static void multiscale_in_pixels_is_normalized_times_size(void) {
  ocl_anchors_multiscale settings = default_multiscale();
  const ocl_anchors_grid grid = {192, 320, 0, NULL};
  int32_t count, count_px;
  float* normalized = fill_multiscale(&settings, &grid, &count);
  settings.normalize_coordinates = false;
  float* in_px = fill_multiscale(&settings, &grid, &count_px);
  CHECK(count == count_px && count == (24 * 40 + 12 * 20 + 6 * 10 + 3 * 5 + 2 * 3) * 6);
  check_anchor(in_px, 4, 4, 32, 32);
  for (int32_t i = 0; i < 4 * count; i++) CHECK_NEAR(in_px[i], (double)normalized[i] * (i % 2 ? 320 : 192), 1e-3);
  free(normalized);
  free(in_px);
}

// The first cell starts at the edge only on the axis whose last cell is not whole, and each axis has its own unit.
static void multiscale_axes_are_independent(void) {
  const struct {
    int32_t height_px, width_px;
    double y_first, x_first;
  } cases[] = {{16, 24, 4, 4}, {16, 20, 4, 0}, {20, 16, 0, 4}, {20, 12, 0, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ocl_anchors_multiscale settings = default_multiscale();
    settings.max_level = settings.min_level;
    const ocl_anchors_grid grid = {cases[i].height_px, cases[i].width_px, 0, NULL};
    for (int32_t normalized = 0; normalized < 2; normalized++) {
      settings.normalize_coordinates = normalized;
      int32_t count;
      float* anchors = fill_multiscale(&settings, &grid, &count);
      const int32_t wide = (cases[i].width_px + 7) / 8, high = (cases[i].height_px + 7) / 8;
      CHECK(count == wide * high * 6);
      const double y_unit = normalized ? grid.image_height_px : 1, x_unit = normalized ? grid.image_width_px : 1;
      const float* last = &anchors[4 * (count - 1)];
      CHECK_NEAR((double)anchors[0], cases[i].y_first / y_unit, 1e-6);
      CHECK_NEAR((double)anchors[1], cases[i].x_first / x_unit, 1e-6);
      CHECK_NEAR((double)last[0], (cases[i].y_first + 8 * (high - 1)) / y_unit, 1e-6);
      CHECK_NEAR((double)last[1], (cases[i].x_first + 8 * (wide - 1)) / x_unit, 1e-6);
      CHECK_NEAR((double)anchors[2], 32 / y_unit, 1e-6);
      CHECK_NEAR((double)anchors[3], 32 / x_unit, 1e-6);
      free(anchors);
    }
  }
}

#define REJECTS_SSD(change)                                                             \
  do {                                                                                  \
    ocl_anchors_ssd s = default_ssd();                                                  \
    ocl_anchors_grid g = {300, 300, 6, kMaps};                                          \
    int32_t count;                                                                      \
    ocl_detail detail = {""};                                                           \
    change;                                                                             \
    CHECK_STATUS(ocl_anchors_count_ssd(&s, &g, &count, &detail), OCL_INVALID_ARGUMENT); \
    CHECK(detail.text[0] != '\0');                                                      \
    CHECK_STATUS(ocl_anchors_fill_ssd(&s, &g, NULL, NULL), OCL_INVALID_ARGUMENT);       \
  } while (0)

#define REJECTS_MULTISCALE(change)                                                          \
  do {                                                                                      \
    ocl_anchors_multiscale s = default_multiscale();                                        \
    ocl_anchors_grid g = {320, 320, 0, NULL};                                               \
    int32_t count;                                                                          \
    change;                                                                                 \
    CHECK_STATUS(ocl_anchors_count_multiscale(&s, &g, &count, NULL), OCL_INVALID_ARGUMENT); \
    CHECK_STATUS(ocl_anchors_fill_multiscale(&s, &g, NULL, NULL), OCL_INVALID_ARGUMENT);    \
  } while (0)

static void settings_out_of_range_are_rejected(void) {
  const float bad_scales[] = {0.1f, NAN, 0.3f, 0.4f, 0.5f, 0.6f};
  const float bad_ratios[] = {1, 0, 1, 1, 1};
  const float bad_strides[6][2] = {{16, 0}};
  const float bad_offsets[6][2] = {{INFINITY, 0}};
  const int32_t zero_map[6][2] = {{19, 0}}, huge_maps[6][2] = {{65535, 65535}};
  REJECTS_SSD(s.num_layers = 0);
  REJECTS_SSD(s.num_layers = 17);
  REJECTS_SSD(s.num_layers = 5);  // six feature maps
  REJECTS_SSD(s.min_scale = 0);
  REJECTS_SSD(s.max_scale = NAN);
  REJECTS_SSD(s.scales = bad_scales);
  REJECTS_SSD(s.aspect_ratios = bad_ratios);
  REJECTS_SSD(s.num_aspect_ratios = 17);
  REJECTS_SSD(s.num_aspect_ratios = -1);
  REJECTS_SSD(s.interpolated_aspect_ratio = -1);
  REJECTS_SSD(s.base_width = INFINITY);
  REJECTS_SSD(s.strides_px = bad_strides);
  REJECTS_SSD(s.offsets_px = bad_offsets);
  REJECTS_SSD(g.image_width_px = 0);
  REJECTS_SSD(g.image_height_px = 65536);
  REJECTS_SSD(g.num_feature_maps = -1);
  REJECTS_SSD(g.feature_maps = zero_map);
  REJECTS_SSD(g.feature_maps = huge_maps);
  REJECTS_SSD((s.num_aspect_ratios = 0, s.interpolated_aspect_ratio = 0, s.reduce_boxes_in_lowest_layer = false));
  REJECTS_MULTISCALE(s.min_level = -1);
  REJECTS_MULTISCALE(s.max_level = 2);
  REJECTS_MULTISCALE(s.max_level = 16);
  REJECTS_MULTISCALE(s.anchor_scale = 0);
  REJECTS_MULTISCALE(s.num_aspect_ratios = 0);
  REJECTS_MULTISCALE(s.scales_per_octave = 0);
  REJECTS_MULTISCALE(s.scales_per_octave = 17);
  REJECTS_MULTISCALE((g.num_feature_maps = 6, g.feature_maps = kMaps));
}

int main(void) {
  RUN(ssd_equals_tensorflow);
  RUN(multiscale_equals_tensorflow);
  RUN(feature_maps_follow_from_the_image);
  RUN(boxes_keep_their_shape_in_wide_images);
  RUN(explicit_scales_strides_and_offsets);
  RUN(multiscale_in_pixels_is_normalized_times_size);
  RUN(multiscale_axes_are_independent);
  RUN(settings_out_of_range_are_rejected);
  return check_failed_tests;
}
