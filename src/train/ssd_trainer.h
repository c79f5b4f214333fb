// The heads of an SSD detector in training: kept feature maps -> box encodings and class logits of all anchors; loss,
// gradients, optimizer step. Everything is allocated at create.
#ifndef OCELLI_SSD_TRAINER_H_
#define OCELLI_SSD_TRAINER_H_

#include "train/network.h"
#include "train/ssd_loss.h"

// The heads of one map: the layers whose outputs are [rows, height, width, anchors at a pixel * 4] and
// [rows, height, width, anchors at a pixel * columns].
typedef struct {
  int32_t boxes, scores;
} ocl_ssd_heads;

typedef struct {
  const ocl_ssd_heads* heads;
  int32_t num_heads;
  const float* anchors;  // [num_anchors, 4]: y center, x center, height, width, in the order of the heads
  int32_t num_anchors;
  int32_t num_columns;  // of the scores, with background
  int32_t max_boxes;    // true boxes of all images of a batch
  ocl_ssd_loss loss;
} ocl_ssd_plan;

// Where the caller writes and reads; valid until the trainer is destroyed.
typedef struct {
  int32_t* counts;    // [max_rows]: boxes of each image
  float* boxes;       // [max_boxes, 4]: ymin, xmin, ymax, xmax, image after image
  int32_t* classes;   // [max_boxes]
  float* weights;     // [max_boxes]
  float* parameters;  // [num_parameters], 0 at first; network.h gives their order
  float* gradients;   // [num_parameters]
  float* slots;       // [num_slots, num_parameters]
  float* encodings;   // [max_rows, num_anchors, 4], of the last call
  float* logits;      // [max_rows, num_anchors, num_columns], of the last call
  int32_t num_parameters, num_slots;
  int32_t row_length;  // numbers of an image's maps
} ocl_ssd_buffers;

typedef struct {
  ocl_ssd_result loss;
  double regularizer;
} ocl_ssd_trainer_result;

typedef struct ocl_ssd_trainer ocl_ssd_trainer;

// INVALID_ARGUMENT: layers, heads and anchors do not fit together, or a number is out of its range. OUT_OF_MEMORY. The
// functions below change nothing when they fail.
ocl_status ocl_ssd_trainer_create(const ocl_network_plan* network, const ocl_optimizer* optimizer,
                                  const ocl_ssd_plan* plan, ocl_ssd_trainer** trainer_out);
void ocl_ssd_trainer_destroy(ocl_ssd_trainer* trainer);  // takes NULL
ocl_ssd_buffers ocl_ssd_trainer_get_buffers(const ocl_ssd_trainer* trainer);

// Where the caller writes map `map` of row `row` of the next batch, and how many numbers; NULL: there is none.
float* ocl_ssd_trainer_map(const ocl_ssd_trainer* trainer, int32_t map, int32_t row, size_t* count_out);
// Inference: maps -> encodings and logits. INVALID_ARGUMENT: `rows` is not 1 to max_rows.
ocl_status ocl_ssd_trainer_predict(ocl_ssd_trainer* trainer, int32_t rows);
// The same, with the loss; l2 * sum of squares of every kernel joins it. `step` from 1: also trains, and the result is
// that of the parameters before the step; 0: it does not. INVALID_ARGUMENT: rows, step, a count or a class is out of
// its range.
ocl_status ocl_ssd_trainer_run(ocl_ssd_trainer* trainer, int32_t rows, float l2, int32_t step, float learning_rate,
                               ocl_ssd_trainer_result* result_out);

#endif  // OCELLI_SSD_TRAINER_H_
