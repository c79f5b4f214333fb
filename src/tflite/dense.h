// In: a constant that the file stores in fewer bytes than its elements take: sparse, or with 4 bits for an element.
// Out: its elements, one after the other.
#ifndef OCELLI_DENSE_H_
#define OCELLI_DENSE_H_

#include "tflite/tflite.h"

// Fills out[number of elements * element size] with the elements of tensor `index`, whose `encoding` is not PLAIN.
// MODEL_BAD_BUFFER: the file's lists of a sparse tensor do not fit its shape or each other. Time is linear in the
// number of elements and in the file's size.
ocl_status ocl_tflite_make_dense(const ocl_tflite* model, int32_t index, void* out, ocl_detail* detail);

#endif  // OCELLI_DENSE_H_
