// Stage: box encodings [rows, anchors, 4] and class logits [rows, anchors, columns] of a detector, and what they should
// be -> loss and its gradients, as TensorFlow's Object Detection API computes them (ssd_meta_arch.py, losses.py).
#ifndef OCELLI_SSD_LOSS_H_
#define OCELLI_SSD_LOSS_H_

#include "train/targets.h"

typedef enum { OCL_CLASS_SIGMOID, OCL_CLASS_FOCAL, OCL_CLASS_SOFTMAX, OCL_NUM_CLASS_LOSSES } ocl_class_loss;
// By which loss hard examples are chosen.
typedef enum { OCL_MINE_CLASS, OCL_MINE_BOX, OCL_MINE_BOTH, OCL_NUM_MINE_LOSSES } ocl_mine_loss;

typedef struct {
  ocl_match_options match;
  bool matches_predicted;  // the boxes that anchors predict are matched, not the anchors
  float scales[4];         // of the box coder
  int32_t class_loss;      // ocl_class_loss
  bool has_background;     // the first column of the logits is the background
  float alpha, gamma;      // focal loss; alpha below 0: no weighting by alpha
  float logit_scale;       // softmax: logits are divided by it
  float delta;             // Huber loss: quadratic up to it. 1: smooth L1
  float negative_weight;   // of the classes of an anchor without a box
  float class_weight, box_weight;
  bool is_normalized;                        // by the number of matches, at least 1
  bool is_divided_by_coder;                  // the loss of boxes by 4 as well
  bool is_mined;                             // hard-example mining
  int32_t mine_loss;                         // ocl_mine_loss
  int32_t num_hard_examples;                 // in each image; 0: any number
  float mine_iou;                            // an example whose box overlaps a chosen one more is left out; 1: none is
  float mine_class_weight, mine_box_weight;  // of OCL_MINE_BOTH
  float negatives_per_positive;              // below 0: no limit
  int32_t min_negatives;                     // in each image
} ocl_ssd_loss;

typedef struct {
  int32_t rows, num_anchors, num_columns;
  const float* anchors;    // [num_anchors, 4]
  const float* encodings;  // [rows, num_anchors, 4]
  const float* logits;     // [rows, num_anchors, num_columns]
  const int32_t* counts;   // [rows]: boxes of each image
  const float* boxes;      // [sum of counts, 4]
  const int32_t* classes;  // [sum of counts]: columns, without background
  const float* weights;    // [sum of counts]
} ocl_ssd_batch;

// Memory that the caller lends; [num_anchors] each.
typedef struct {
  int32_t *matches, *order;
  float *class_losses, *box_losses, *places /* [num_anchors, 4] */;
  bool* is_chosen;
} ocl_ssd_scratch;

typedef struct {
  double class_loss, box_loss;  // weighted and normalized; their sum is the loss
  double num_matches;           // sum of the weights of matched anchors
  double num_positives;         // matched anchors in the loss
} ocl_ssd_result;

// Gradients have the shapes of encodings and logits; both may be NULL.
ocl_ssd_result ocl_ssd_loss_compute(const ocl_ssd_loss* loss, const ocl_ssd_batch* batch,
                                    const ocl_ssd_scratch* scratch, float* encoding_gradients_out,
                                    float* logit_gradients_out);

#endif  // OCELLI_SSD_LOSS_H_
