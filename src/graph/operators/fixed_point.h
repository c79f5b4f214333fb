// Fixed-point factors for 32-bit accumulators, as in TFLite's 8-bit kernels: a 32-bit multiplier and a shift.
#ifndef OCELLI_GRAPH_OPERATORS_FIXED_POINT_H_
#define OCELLI_GRAPH_OPERATORS_FIXED_POINT_H_

#include <stddef.h>
#include <stdint.h>

typedef struct {
  int32_t multiplier;  // in units of 2^-31
  int32_t shift;       // to the left; negative: to the right
} ocl_fixed_point;

// Like TFLite's QuantizeMultiplier: the multiplier is at least 2^30. A factor below 2^-32 gives 0;
// an infinite one (a quotient past the range of floats) counts as the largest number.
ocl_fixed_point ocl_fixed_point_of(double factor);
// value * factor as in TFLite's reference kernels (gemmlowp): rounded twice, halves away from zero.
int32_t ocl_fixed_point_multiply(int32_t value, ocl_fixed_point factor);

typedef struct {
  ocl_fixed_point factor;
  int32_t bias;
} ocl_requantization;

typedef struct {
  int32_t zero_point, min, max;
} ocl_stored_range;

// Sums of 8-bit products -> stored 8-bit numbers, each with its own factor and bias.
void ocl_fixed_point_requantize(const float* sums, const ocl_requantization* factors, size_t count,
                                const ocl_stored_range* range, int8_t* stored_out);

// To the range of int32.
static inline int64_t ocl_fixed_point_saturate(int64_t x) {
  return x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : x;
}

#endif  // OCELLI_GRAPH_OPERATORS_FIXED_POINT_H_
