// Stage: one tensor of the graph -> feature vectors: the mean over its plane, or over the part under a box.
// Input shapes: [N, C], or [N, …, C] with a plane between, of [H, W] where boxes are asked for; float32, or 8-bit with
// scale and zero point. Output: float32 [C] of reals.
#ifndef OCELLI_FEATURE_MAP_H_
#define OCELLI_FEATURE_MAP_H_

#include <stdbool.h>

#include "base/tensor.h"
#include "image/resize.h"

// A borrowed view of the tensor.
typedef struct {
  const void* data;
  ocl_dtype dtype;
  ocl_shape shape;
  float scale;  // real = (stored - zero_point) * scale; unused if float
  int32_t zero_point;
} ocl_feature_map;

// Whether the functions below can read it. `has_plane`: only if it has a plane [H, W].
bool ocl_feature_map_is_usable(const ocl_feature_map* map, bool has_plane);

// The length of a feature vector: C.
int32_t ocl_feature_map_length(const ocl_feature_map* map);

// The mean over the plane of image `index`.
void ocl_feature_map_pool(const ocl_feature_map* map, int32_t index, float* features_out);

// The mean over the cells of image 0 under a box, in [0, 1] of the plane: each cell is weighted by the area that the
// box covers of it. What lies outside the plane does not count. A box without area, or with its corners not in order,
// takes the cell in which it begins; one outside the plane takes the nearest.
void ocl_feature_map_pool_box(const ocl_feature_map* map, ocl_resize_box box_norm, float* features_out);

#endif  // OCELLI_FEATURE_MAP_H_
