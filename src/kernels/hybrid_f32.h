// The loops of convolutions whose 8-bit numbers XNNPACK multiplies as floats (graph/operators/conv_sums.c).
#ifndef OCELLI_HYBRID_F32_H_
#define OCELLI_HYBRID_F32_H_

#include <stddef.h>
#include <stdint.h>

// Quantizes to 8 bits like TFLite's optimized kernels: rounds halves up, then adds the zero point. Writes
// stored - zero_point and returns the scale.
float ocl_hybrid_round(const float* values, size_t count, float* out);

typedef struct {
  const float *channels, *biases;  // of each channel
  float first, last;               // a sum becomes sum * (first * channel) * last + bias
  float min, max;                  // of the activation
} ocl_hybrid_scales;

// Turns the sums of a pixel into real numbers and applies bias and activation.
void ocl_hybrid_scale(float* sums, size_t channels, const ocl_hybrid_scales* scales);

// Writes stored - zero_point.
void ocl_hybrid_shift(const int8_t* stored, size_t count, int32_t zero_point, float* out);

#endif
