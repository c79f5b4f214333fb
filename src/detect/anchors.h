// Stage: feature-map sizes -> SSD anchor grid, float32 [N, 4]: y_center, x_center, height, width.
// Order: layer, then row, then column of its feature map, then box shape; the order of the SSD heads' rows.
// Formulas: TensorFlow Object Detection API, anchor_generators/multiple_grid_anchor_generator.py (ssd_anchor_generator;
// Liu et al., "SSD: Single Shot MultiBox Detector", 2016, 2.2) and multiscale_grid_anchor_generator.py
// (multiscale_anchor_generator; Lin et al., "Focal Loss for Dense Object Detection", 2017). Nothing is clipped.
#ifndef OCELLI_ANCHORS_H_
#define OCELLI_ANCHORS_H_

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

enum { OCL_ANCHORS_MAX_LAYERS = 16, OCL_ANCHORS_MAX_RATIOS = 16, OCL_ANCHORS_MAX_OCTAVE_SCALES = 16 };

// What the anchors lie on.
typedef struct {
  int32_t image_height_px, image_width_px;  // of the network's input; 1 to 65535
  int32_t num_feature_maps;                 // 0: from the image size, halved and rounded up from layer to layer
  const int32_t (*feature_maps)[2];         // [num_feature_maps][height, width], 1 to 65535; one per layer
} ocl_anchors_grid;

// The settings of ssd_anchor_generator. Box shapes of a layer: each aspect ratio at the layer's scale, then the
// interpolated one. Without feature maps, those of layer k are the image's size / 2^(4 + k).
typedef struct {
  int32_t num_layers;               // 1 to OCL_ANCHORS_MAX_LAYERS
  float min_scale, max_scale;       // of the first and the last layer, as a part of the image's shorter side
  const float* scales;              // [num_layers], instead of the two; may be NULL
  int32_t num_aspect_ratios;        // 0 to OCL_ANCHORS_MAX_RATIOS
  const float* aspect_ratios;       // [num_aspect_ratios] width / height
  float interpolated_aspect_ratio;  // of the one more box with the mean (geometric) of this scale and the next; 0: none
  bool reduce_boxes_in_lowest_layer;  // layer 0 has three: ratio 1 at scale 0.1, ratios 2 and 1/2 at its own scale
  float base_height, base_width;      // factors on every box's height and width; 1 in most models
  // [num_layers][y, x] distance of centres, and the first centre. NULL: one cell, and half of a stride.
  const float (*strides_px)[2];
  const float (*offsets_px)[2];
} ocl_anchors_ssd;

// The settings of multiscale_anchor_generator. Box shapes of a layer: for each aspect ratio, each scale of the octave.
// Layer k has level min_level + k and stride 2^level pixels; without feature maps, its own is the image / stride.
typedef struct {
  int32_t min_level, max_level;  // 0 to 15, at most OCL_ANCHORS_MAX_LAYERS of them
  float anchor_scale;            // side of the base anchor, in strides
  int32_t num_aspect_ratios;     // 1 to OCL_ANCHORS_MAX_RATIOS
  const float* aspect_ratios;    // [num_aspect_ratios] width / height
  int32_t scales_per_octave;     // 1 to OCL_ANCHORS_MAX_OCTAVE_SCALES
  bool normalize_coordinates;    // false: anchors in pixels of the network's input
} ocl_anchors_multiscale;

// How many anchors the fill functions below write. INVALID_ARGUMENT: a setting is out of its range, the feature maps
// are not one per layer, or there are no anchors or too many to index; `detail` (may be NULL) says which.
ocl_status ocl_anchors_count_ssd(const ocl_anchors_ssd* settings, const ocl_anchors_grid* grid,
                                 int32_t* num_anchors_out, ocl_detail* detail);
ocl_status ocl_anchors_count_multiscale(const ocl_anchors_multiscale* settings, const ocl_anchors_grid* grid,
                                        int32_t* num_anchors_out, ocl_detail* detail);

// Writes anchors_out [N, 4], the caller's array of N as counted: 0..1 of the image's height and width.
// INVALID_ARGUMENT as above.
ocl_status ocl_anchors_fill_ssd(const ocl_anchors_ssd* settings, const ocl_anchors_grid* grid, float* anchors_out,
                                ocl_detail* detail);
ocl_status ocl_anchors_fill_multiscale(const ocl_anchors_multiscale* settings, const ocl_anchors_grid* grid,
                                       float* anchors_out, ocl_detail* detail);

#endif  // OCELLI_ANCHORS_H_
