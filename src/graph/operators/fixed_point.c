#include "graph/operators/fixed_point.h"

#include <float.h>
#include <math.h>

ocl_fixed_point ocl_fixed_point_of(double factor) {
  int exponent;
  int64_t multiplier = llround(frexp(fmin(factor, DBL_MAX), &exponent) * 0x1p31);
  if (multiplier == INT64_C(1) << 31) {
    multiplier /= 2;
    exponent++;
  }
  if (exponent < -31) return (ocl_fixed_point){0, 0};
  return (ocl_fixed_point){(int32_t)multiplier, exponent};
}

// x / 2^bits, halves rounded away from zero.
static int64_t divide_by_power(int64_t x, int32_t bits) {
  const int64_t half = bits == 0 ? 0 : INT64_C(1) << (bits - 1);
  return x >= 0 ? (x + half) >> bits : -((-x + half) >> bits);
}

int32_t ocl_fixed_point_multiply(int32_t value, ocl_fixed_point factor) {
  const int32_t left = factor.shift > 0 ? factor.shift : 0, right = factor.shift > 0 ? 0 : -factor.shift;
  // A shift by 31 saturates every number but 0, as larger shifts do.
  const int64_t scaled = ocl_fixed_point_saturate((int64_t)value * (INT64_C(1) << (left < 31 ? left : 31)));
  return (int32_t)divide_by_power(ocl_fixed_point_saturate(divide_by_power(scaled * factor.multiplier, 31)), right);
}

// A doubling high multiplication, then a rounding shift, as in ruy and gemmlowp. Both round halves up.
static int64_t requantize(float sum, const ocl_requantization* r) {
  const int64_t biased = ocl_fixed_point_saturate((int64_t)sum + r->bias);
  const int64_t scaled =
      r->factor.shift > 0 ? ocl_fixed_point_saturate(biased * (INT64_C(1) << r->factor.shift)) : biased;
  const int64_t high = (scaled * r->factor.multiplier + (INT64_C(1) << 30)) >> 31;
  return r->factor.shift < 0 ? (high + (INT64_C(1) << (-r->factor.shift - 1))) >> -r->factor.shift : high;
}

void ocl_fixed_point_requantize(const float* sums, const ocl_requantization* factors, size_t count,
                                const ocl_stored_range* range, int8_t* stored_out) {
  const int64_t zero_point = range->zero_point, min = range->min, max = range->max;
  for (size_t i = 0; i < count; i++) {
    const int64_t value = requantize(sums[i], &factors[i]) + zero_point;
    stored_out[i] = (int8_t)(value < min ? min : value > max ? max : value);
  }
}
