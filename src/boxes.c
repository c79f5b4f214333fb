#include "boxes.h"

#include <math.h>

ocl_box ocl_box_decode(const float encoding[4], const float anchor[4], const float scales[4]) {
  const float y = encoding[0] / scales[0] * anchor[2] + anchor[0];
  const float x = encoding[1] / scales[1] * anchor[3] + anchor[1];
  const float half_h = expf(encoding[2] / scales[2]) * anchor[2] / 2;
  const float half_w = expf(encoding[3] / scales[3]) * anchor[3] / 2;
  return (ocl_box){y - half_h, x - half_w, y + half_h, x + half_w};
}

static ocl_box ordered(const ocl_box* box) {
  return (ocl_box){fminf(box->y_min, box->y_max), fminf(box->x_min, box->x_max), fmaxf(box->y_min, box->y_max),
                   fmaxf(box->x_min, box->x_max)};
}

float ocl_box_iou(const ocl_box* first, const ocl_box* second) {
  const ocl_box a = ordered(first), b = ordered(second);
  const float area_a = (a.y_max - a.y_min) * (a.x_max - a.x_min), area_b = (b.y_max - b.y_min) * (b.x_max - b.x_min);
  if (area_a <= 0 || area_b <= 0) return 0;
  const float height = fmaxf(fminf(a.y_max, b.y_max) - fmaxf(a.y_min, b.y_min), 0);
  const float width = fmaxf(fminf(a.x_max, b.x_max) - fmaxf(a.x_min, b.x_min), 0);
  const float intersection = height * width;
  return intersection / (area_a + area_b - intersection);
}

static float clip(float value) { return value > 0 ? (value < 1 ? value : 1) : 0; }

ocl_box ocl_box_clip(ocl_box box) {
  return (ocl_box){clip(box.y_min), clip(box.x_min), clip(box.y_max), clip(box.x_max)};
}
