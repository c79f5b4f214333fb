// Pooling against the definition, cell by cell in double: the integral of the map over the box, divided by its area.
#include <stdint.h>

#include "check.h"
#include "detect/feature_map.h"

enum { N = 2, H = 4, W = 5, C = 7, COUNT = N * H * W * C };

static float reals[COUNT];
static int8_t signed_bytes[COUNT];
static uint8_t unsigned_bytes[COUNT];
static const ocl_shape kShape = {4, {N, H, W, C}};
static const float kScale = 0.03f;

static void fill(void) {
  uint32_t state = 7;
  for (int i = 0; i < COUNT; i++) {
    state = state * 1664525u + 1013904223u;
    unsigned_bytes[i] = (uint8_t)(state >> 24);
    signed_bytes[i] = (int8_t)(unsigned_bytes[i] - 128);
    reals[i] = (float)unsigned_bytes[i] * 0.01f - 1;
  }
}

static ocl_feature_map map_of(ocl_dtype dtype) {
  return (ocl_feature_map){.data = dtype == OCL_FLOAT32 ? (const void*)reals
                                   : dtype == OCL_INT8  ? (const void*)signed_bytes
                                                        : (const void*)unsigned_bytes,
                           .dtype = dtype,
                           .shape = kShape,
                           .scale = kScale,
                           .zero_point = dtype == OCL_INT8 ? -5 : 123};
}

static double real_at(ocl_dtype dtype, int i) {
  if (dtype == OCL_FLOAT32) return reals[i];
  if (dtype == OCL_INT8) return (signed_bytes[i] + 5) * (double)kScale;
  return (unsigned_bytes[i] - 123) * (double)kScale;
}

static double overlap(double from, double to, int cell) {
  const double low = from > cell ? from : cell, high = to < cell + 1 ? to : cell + 1;
  return high > low ? high - low : 0;
}

static void check_box(ocl_dtype dtype, ocl_resize_box box) {
  const ocl_feature_map map = map_of(dtype);
  float features[C];
  ocl_feature_map_pool_box(&map, box, features);
  for (int c = 0; c < C; c++) {
    double sum = 0, area = 0;
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++) {
        const double part = overlap(box.y_min * H, box.y_max * H, y) * overlap(box.x_min * W, box.x_max * W, x);
        sum += part * real_at(dtype, (y * W + x) * C + c);
        area += part;
      }
    CHECK_NEAR(features[c], sum / area, 1e-5);
  }
}

static void whole_planes(void) {
  const ocl_dtype dtypes[] = {OCL_FLOAT32, OCL_INT8, OCL_UINT8};
  for (int d = 0; d < 3; d++)
    for (int image = 0; image < N; image++) {
      const ocl_feature_map map = map_of(dtypes[d]);
      float features[C];
      ocl_feature_map_pool(&map, image, features);
      for (int c = 0; c < C; c++) {
        double sum = 0;
        for (int i = 0; i < H * W; i++) sum += real_at(dtypes[d], (image * H * W + i) * C + c);
        CHECK_NEAR(features[c], sum / (H * W), 1e-5);
      }
    }
}

static void vectors_are_copied(void) {
  ocl_feature_map map = map_of(OCL_FLOAT32);
  map.shape = (ocl_shape){2, {N, C}};
  float features[C];
  ocl_feature_map_pool(&map, 1, features);
  for (int c = 0; c < C; c++) CHECK(features[c] == reals[C + c]);
}

static void boxes(void) {
  const ocl_resize_box cases[] = {
      {0, 0, 1, 1},                      // all of it
      {0.25f, 0.2f, 0.5f, 0.6f},         // on the borders of cells
      {0.1f, 0.13f, 0.77f, 0.91f},       // across them
      {0.3f, 0.31f, 0.4f, 0.37f},        // inside one
      {0.9f, 0.95f, 1, 1},               // in the last corner
      {0, 0.999f, 1, 1},                 // narrower than a cell
      {0.5f, 0.5f, 0.5001f, 0.500001f},  // nearly nothing
      {-0.3f, -2, 0.4f, 0.5f},           // across the plane's edges, as boxes that are not clipped
      {0.5f, 0.3f, 1e30f, 1.2f},
  };
  const ocl_dtype dtypes[] = {OCL_FLOAT32, OCL_INT8, OCL_UINT8};
  for (int d = 0; d < 3; d++)
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_box(dtypes[d], cases[i]);
}

static void a_box_without_area_takes_its_cell(void) {
  const ocl_feature_map map = map_of(OCL_FLOAT32);
  const struct {
    ocl_resize_box box;
    int cell;
  } cases[] = {{{0.3f, 0.5f, 0.3f, 0.5f}, W + 2}, {{1, 1, 1, 1}, H * W - 1}, {{0, 0, 0, 0}, 0},
               {{1.5f, 2, 3, 1e30f}, H * W - 1},  // outside: the nearest
               {{-3, -2, -1, -1.5f}, 0},          {{NAN, NAN, NAN, NAN}, 0}, {{-3, 0.5f, -1, 0.5f}, 2}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    float features[C];
    ocl_feature_map_pool_box(&map, cases[i].box, features);
    for (int c = 0; c < C; c++) CHECK_NEAR(features[c], reals[cases[i].cell * C + c], 1e-6);
  }
}

static void maps(void) {
  ocl_feature_map map = map_of(OCL_FLOAT32);
  CHECK(ocl_feature_map_is_usable(&map, true) && ocl_feature_map_length(&map) == C);
  map.shape.rank = 2;
  CHECK(ocl_feature_map_is_usable(&map, false) && !ocl_feature_map_is_usable(&map, true));
  map.shape.rank = 1;
  CHECK(!ocl_feature_map_is_usable(&map, false));
  map = map_of(OCL_INT8);
  map.scale = 0;
  CHECK(!ocl_feature_map_is_usable(&map, false));
  map = map_of(OCL_FLOAT32);
  map.dtype = OCL_INT32;
  CHECK(!ocl_feature_map_is_usable(&map, false));
}

int main(void) {
  fill();
  RUN(whole_planes);
  RUN(vectors_are_copied);
  RUN(boxes);
  RUN(a_box_without_area_takes_its_cell);
  RUN(maps);
  return check_failed_tests;
}
