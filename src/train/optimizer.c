#include "train/optimizer.h"

#include <math.h>

int32_t ocl_optimizer_num_slots(const ocl_optimizer* o) {
  if (o->kind == OCL_SGD) return 1;
  if (o->kind == OCL_ADAM) return o->is_amsgrad ? 3 : 2;
  return 1 + (o->momentum > 0) + o->is_centered;
}

static void clip(double norm_limit, size_t count, float* gradient) {
  double squares = 0;
  for (size_t i = 0; i < count; i++) squares += (double)gradient[i] * (double)gradient[i];
  const float norm = (float)sqrt(squares), limit = (float)norm_limit;
  for (size_t i = 0; i < count; i++) gradient[i] = gradient[i] * limit / (norm > limit ? norm : limit);
}

// The rate is inside the momentum, which only a schedule tells from other forms.
static void apply_sgd(const ocl_optimizer* o, float rate, size_t count, const float* gradient, float* momentum,
                      float* values) {
  const float factor = (float)o->momentum;
  for (size_t i = 0; i < count; i++) {
    momentum[i] = -gradient[i] * rate + momentum[i] * factor;
    values[i] += o->is_nesterov ? -gradient[i] * rate + momentum[i] * factor : momentum[i];
  }
}

// base^exponent rounded to float32, from the float32 base: what a float32 pow() gives.
static float power(double base, int32_t exponent) {
  double result = 1, square = (double)(float)base;
  for (; exponent > 0; exponent >>= 1, square *= square) {
    if (exponent & 1) result *= square;
  }
  return (float)result;
}

static void apply_adam(const ocl_optimizer* o, int32_t step, float rate, size_t count, const float* gradient,
                       float* const slots[OCL_OPTIMIZER_MAX_SLOTS], float* values) {
  const float alpha = rate * sqrtf(1 - power(o->beta_2, step)) / (1 - power(o->beta_1, step));
  const float rest_1 = (float)(1 - o->beta_1), rest_2 = (float)(1 - o->beta_2), epsilon = (float)o->epsilon;
  const float decay = (float)o->weight_decay;
  float *m = slots[0], *v = slots[1], *maximum = o->is_amsgrad ? slots[2] : NULL;
  for (size_t i = 0; i < count; i++) {
    m[i] += (gradient[i] - m[i]) * rest_1;
    v[i] += (gradient[i] * gradient[i] - v[i]) * rest_2;
    float spread = v[i];
    if (maximum != NULL) spread = maximum[i] = maximum[i] > spread ? maximum[i] : spread;
    values[i] -= values[i] * decay * rate;
    values[i] -= m[i] * alpha / (sqrtf(spread) + epsilon);
  }
}

static void apply_rmsprop(const ocl_optimizer* o, float rate, size_t count, const float* gradient,
                          float* const slots[OCL_OPTIMIZER_MAX_SLOTS], float* values) {
  const float rho = (float)o->beta_2, rest = (float)(1 - o->beta_2), epsilon = (float)o->epsilon;
  const float factor = (float)o->momentum;
  float *velocity = slots[0], *momentum = o->momentum > 0 ? slots[1] : NULL;
  float* average = o->is_centered ? slots[momentum != NULL ? 2 : 1] : NULL;
  for (size_t i = 0; i < count; i++) {
    const float g = gradient[i];
    velocity[i] = rho * velocity[i] + rest * (g * g);
    float spread = velocity[i] + epsilon;
    if (average != NULL) {
      average[i] = rho * average[i] + rest * g;
      spread = velocity[i] - average[i] * average[i] + epsilon;
    }
    float change = rate * g * (1 / sqrtf(spread));
    if (momentum != NULL) change = momentum[i] = factor * momentum[i] + change;
    values[i] -= change;
  }
}

void ocl_optimizer_apply(const ocl_optimizer* optimizer, int32_t step, float learning_rate, size_t count,
                         float* gradient, float* const slots[OCL_OPTIMIZER_MAX_SLOTS], float* values) {
  if (optimizer->clip_norm > 0) clip(optimizer->clip_norm, count, gradient);
  switch ((ocl_optimizer_kind)optimizer->kind) {
    case OCL_SGD: apply_sgd(optimizer, learning_rate, count, gradient, slots[0], values); break;
    case OCL_ADAM: apply_adam(optimizer, step, learning_rate, count, gradient, slots, values); break;
    case OCL_RMSPROP: apply_rmsprop(optimizer, learning_rate, count, gradient, slots, values); break;
  }
}
