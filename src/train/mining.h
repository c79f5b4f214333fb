// Hard-example mining: the losses of an image's anchors -> which of them count (HardExampleMiner of TensorFlow's Object
// Detection API).
#ifndef OCELLI_MINING_H_
#define OCELLI_MINING_H_

#include "train/ssd_loss.h"

// Reads matches, losses and decoded boxes of `scratch`, writes is_chosen; order is overwritten.
void ocl_mining_choose(const ocl_ssd_loss* loss, int32_t num_anchors, const ocl_ssd_scratch* scratch);

#endif  // OCELLI_MINING_H_
