// Boxes as corners, and what detectors do with them: decoding from an anchor, overlap, clipping.
#ifndef OCELLI_BOXES_H_
#define OCELLI_BOXES_H_

typedef struct {
  float y_min, x_min, y_max, x_max;
} ocl_box;

// Inverse of the Object Detection API's faster_rcnn_box_coder. `encoding` is ty, tx, th, tw; `anchor` y centre,
// x centre, height, width; `scales` the coder's (10, 10, 5, 5 in most models).
ocl_box ocl_box_decode(const float encoding[4], const float anchor[4], const float scales[4]);
// Area of the intersection over area of the union, corners in any order; 0 where a box has no area (as TensorFlow's
// non_max_suppression has it).
float ocl_box_iou(const ocl_box* a, const ocl_box* b);
// To [0,1] on both axes.
ocl_box ocl_box_clip(ocl_box box);

#endif  // OCELLI_BOXES_H_
