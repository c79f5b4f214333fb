#include "detect/feature_map.h"

#include <math.h>
#include <string.h>

bool ocl_feature_map_is_usable(const ocl_feature_map* map, bool has_plane) {
  const bool is_stored = (map->dtype == OCL_INT8 || map->dtype == OCL_UINT8) && map->scale > 0;
  return (map->dtype == OCL_FLOAT32 || is_stored) && (has_plane ? map->shape.rank == 4 : map->shape.rank >= 2);
}

int32_t ocl_feature_map_length(const ocl_feature_map* map) {
  return map->shape.dims[map->shape.rank - 1];
}

// Adds one cell [C] to the sums, as stored.
static void add_cell(const ocl_feature_map* map, size_t cell, float weight, float* sums) {
  const size_t length = (size_t)ocl_feature_map_length(map), first = cell * length;
  const float* reals = (const float*)map->data + first;
  const int8_t* signed_bytes = (const int8_t*)map->data + first;
  const uint8_t* unsigned_bytes = (const uint8_t*)map->data + first;
  if (map->dtype == OCL_FLOAT32)
    for (size_t c = 0; c < length; c++) sums[c] += weight * reals[c];
  else if (map->dtype == OCL_INT8)
    for (size_t c = 0; c < length; c++) sums[c] += weight * (float)signed_bytes[c];
  else
    for (size_t c = 0; c < length; c++) sums[c] += weight * (float)unsigned_bytes[c];
}

// The sums -> means, as reals.
static void finish(const ocl_feature_map* map, float total_weight, float* sums) {
  const size_t length = (size_t)ocl_feature_map_length(map);
  const bool is_float = map->dtype == OCL_FLOAT32;
  const float scale = is_float ? 1 : map->scale, zero_point = is_float ? 0 : (float)map->zero_point;
  for (size_t c = 0; c < length; c++) sums[c] = (sums[c] / total_weight - zero_point) * scale;
}

void ocl_feature_map_pool(const ocl_feature_map* map, int32_t index, float* features_out) {
  const size_t length = (size_t)ocl_feature_map_length(map);
  const size_t cells = ocl_shape_num_elements(&map->shape) / length / (size_t)map->shape.dims[0];
  memset(features_out, 0, length * sizeof *features_out);
  for (size_t i = 0; i < cells; i++) add_cell(map, (size_t)index * cells + i, 1, features_out);
  finish(map, (float)cells, features_out);
}

// What an interval covers of a row of `size` cells.
typedef struct {
  int32_t first, last;  // cells
  float from, to;       // in cells
} span;

static float clip(float norm) {
  return norm > 0 ? (norm < 1 ? norm : 1) : 0;
}

static span cover(float from_norm, float to_norm, int32_t size) {
  span s = {.from = clip(from_norm) * (float)size, .to = clip(to_norm) * (float)size};
  s.first = (int32_t)floorf(s.from);
  if (s.first > size - 1) s.first = size - 1;
  s.last = (int32_t)ceilf(s.to) - 1;
  if (s.last < s.first) s.last = s.first;
  return s;
}

static float weight_of(const span* s, int32_t cell) {
  if (!(s->to > s->from)) return 1;
  return fminf(s->to, (float)(cell + 1)) - fmaxf(s->from, (float)cell);
}

void ocl_feature_map_pool_box(const ocl_feature_map* map, ocl_resize_box box_norm, float* features_out) {
  const int32_t width = map->shape.dims[2];
  const span rows = cover(box_norm.y_min, box_norm.y_max, map->shape.dims[1]);
  const span columns = cover(box_norm.x_min, box_norm.x_max, width);
  float total_weight = 0;
  memset(features_out, 0, (size_t)ocl_feature_map_length(map) * sizeof *features_out);
  for (int32_t y = rows.first; y <= rows.last; y++)
    for (int32_t x = columns.first; x <= columns.last; x++) {
      const float weight = weight_of(&rows, y) * weight_of(&columns, x);
      add_cell(map, (size_t)y * (size_t)width + (size_t)x, weight, features_out);
      total_weight += weight;
    }
  finish(map, total_weight, features_out);
}
