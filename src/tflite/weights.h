// In: a constant of the model (float32, float16, or 8-bit with scales). Out: float32 weights.
#ifndef OCELLI_WEIGHTS_H_
#define OCELLI_WEIGHTS_H_

#include "tflite/tflite.h"

// Fills out[number of elements] with the real values of a constant FLOAT32, FLOAT16, INT8 or UINT8 tensor.
// 8-bit values are (stored - zero_point) * scale, per tensor or per channel.
// INVALID_ARGUMENT: another dtype, or 8 bits without scales.
ocl_status ocl_weights_to_float(const ocl_tflite_tensor* tensor, float* out);

// IEEE 754 binary16 -> binary32, exact.
float ocl_weights_half_to_float(uint16_t half);
void ocl_weights_halves_to_floats(size_t count, const uint16_t* halves, float* out);

#endif  // OCELLI_WEIGHTS_H_
