#include "kernels/hybrid_f32.h"

#include <math.h>
#include <stdbool.h>

static void find_range(const float* values, size_t count, float* min_out, float* max_out) {
  enum { LANES = 8 };
  float min[LANES] = {0}, max[LANES] = {0};  // the range always includes 0
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int lane = 0; lane < LANES; lane++) {
      min[lane] = values[i + lane] < min[lane] ? values[i + lane] : min[lane];
      max[lane] = values[i + lane] > max[lane] ? values[i + lane] : max[lane];
    }
  for (; i < count; i++) {
    min[0] = values[i] < min[0] ? values[i] : min[0];
    max[0] = values[i] > max[0] ? values[i] : max[0];
  }
  for (int lane = 1; lane < LANES; lane++) {
    min[0] = min[lane] < min[0] ? min[lane] : min[0];
    max[0] = max[lane] > max[0] ? max[lane] : max[0];
  }
  *min_out = min[0];
  *max_out = max[0];
}

// gemmlowp's "nudged" zero point, computed from the end of the range (min or max) that gives the smaller error.
static float zero_point_of(double min, double max, double scale) {
  const double zero_point = 128 - min / scale < 127 + max / scale ? -128 - min / scale : 127 - max / scale;
  return (float)round(zero_point < -128 ? -128 : zero_point > 127 ? 127 : zero_point);
}

float ocl_hybrid_round(const float* values, size_t count, float* out) {
  float min, max;
  find_range(values, count, &min, &max);
  const double range = max - min;                        // subtracted in float, then used in double, as in TFLite
  const bool is_usable = range > 0 && range < INFINITY;  // false: all values are 0, or one is infinite
  const float scale = is_usable ? (float)(range / 255) : 1;
  const float zero_point = is_usable ? zero_point_of(min, max, range / 255) : 0, inverse = 1 / scale;
  for (size_t i = 0; i < count; i++) {
    const float stored = floorf(values[i] * inverse + 0.5f) + zero_point;
    out[i] = (stored > -128 ? (stored < 127 ? stored : 127) : -128) - zero_point;
  }
  return scale;
}

void ocl_hybrid_scale(float* sums, size_t channels, const ocl_hybrid_scales* s) {
  const float first = s->first, last = s->last, min = s->min, max = s->max;
  for (size_t c = 0; c < channels; c++) {
    const float value = sums[c] * (first * s->channels[c]) * last + s->biases[c];
    sums[c] = value > min ? (value < max ? value : max) : min;
  }
}

void ocl_hybrid_shift(const int8_t* stored, size_t count, int32_t zero_point, float* out) {
  for (size_t i = 0; i < count; i++) out[i] = (float)(stored[i] - zero_point);
}
