// The example at the top of ocelli.h, with the declarations that it leaves out: prints what the detector of the package
// finds in a photo, one line for each: class, score, x, y, width, height. The Makefile copies the lines of the header
// to build/example/example.inc.
//   example MODEL PHOTO
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detect/anchors.h"
#include "ocelli.h"

static uint8_t* read_file(const char* path, size_t* size_bytes_out) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) exit(2);
  fseek(file, 0, SEEK_END);
  *size_bytes_out = (size_t)ftell(file);
  rewind(file);
  uint8_t* bytes = malloc(*size_bytes_out);
  if (bytes == NULL || fread(bytes, 1, *size_bytes_out, file) != *size_bytes_out) exit(2);
  fclose(file);
  return bytes;
}

// The settings of models/manifest.json.
static float* make_anchors(int32_t* num_anchors_out) {
  static const int32_t kMaps[6][2] = {{19, 19}, {10, 10}, {5, 5}, {3, 3}, {2, 2}, {1, 1}};
  static const float kRatios[5] = {1, 2, 0.5f, 3, 0.3333f};
  const ocl_anchors_grid grid = {300, 300, 6, kMaps};
  const ocl_anchors_ssd settings = {.num_layers = 6,
                                    .min_scale = 0.2f,
                                    .max_scale = 0.95f,
                                    .num_aspect_ratios = 5,
                                    .aspect_ratios = kRatios,
                                    .interpolated_aspect_ratio = 1,
                                    .reduce_boxes_in_lowest_layer = true,
                                    .base_height = 1,
                                    .base_width = 1};
  if (ocl_anchors_count_ssd(&settings, &grid, num_anchors_out, NULL) != OCL_OK) exit(2);
  float* anchors = malloc((size_t)*num_anchors_out * 4 * sizeof *anchors);
  if (anchors == NULL || ocl_anchors_fill_ssd(&settings, &grid, anchors, NULL) != OCL_OK) exit(2);
  return anchors;
}

static void show(const ocl_session_detection* d) {
  printf("%d %.9g %.9g %.9g %.9g %.9g\n", (int)d->class_id, (double)d->score, (double)d->x_px, (double)d->y_px,
         (double)d->width_px, (double)d->height_px);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  size_t model_size_bytes, photo_size_bytes;
  uint8_t* model = read_file(argv[1], &model_size_bytes);
  uint8_t* photo = read_file(argv[2], &photo_size_bytes);
  int32_t num_anchors;
  float* anchors = make_anchors(&num_anchors);
  const int32_t boxes_output = 0, scores_output = 1;
  const ocl_ssd_config config = {.num_anchors = num_anchors,
                                 .num_columns = 24,
                                 .background_column = 0,
                                 .converter = OCL_SSD_SIGMOID,
                                 .box_scales = {10, 10, 5, 5},
                                 .anchors = anchors,
                                 .max_total = 100};
  const ocl_resize_target target = {
      .mode = OCL_RESIZE_LEGACY, .scale = {1 / 127.5f, 1 / 127.5f, 1 / 127.5f}, .offset = {-1, -1, -1}};
  const ocl_image_options image_options = {.max_pixels = OCL_IMAGE_DEFAULT_MAX_PIXELS};
  ocl_image_facts facts;
  const ocl_ssd_options options = {
      .score_threshold = 0.2f, .iou_threshold = 0.6f, .max_per_class = 100, .max_total = 100, .is_clipped = true};
  const ocl_session_detection* detections;
  int32_t num_detections;

#include "example.inc"

  free(anchors);
  free(photo);
  free(model);
  return 0;
}
