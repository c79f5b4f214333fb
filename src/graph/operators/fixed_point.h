// Factors of 32-bit sums as TFLite's 8-bit kernels have them: a 32-bit multiplier and a shift.
#ifndef OCELLI_GRAPH_OPERATORS_FIXED_POINT_H_
#define OCELLI_GRAPH_OPERATORS_FIXED_POINT_H_

#include <stdint.h>

typedef struct {
  int32_t multiplier;  // of 2^-31
  int32_t shift;       // to the left; negative: to the right
} ocl_fixed_point;

// The nearest multiplier of at least 2^30, as TFLite's QuantizeMultiplier has it. 0 where the factor is below 2^-32.
ocl_fixed_point ocl_fixed_point_of(double factor);
// value * factor by TFLite's reference kernels (gemmlowp's arithmetic): rounded twice, halves away from zero.
int32_t ocl_fixed_point_multiply(int32_t value, ocl_fixed_point factor);

#endif  // OCELLI_GRAPH_OPERATORS_FIXED_POINT_H_
