// One and two updates of a few numbers by every optimizer, against its definition in double.
#include "check.h"
#include "train/optimizer.h"

enum { COUNT = 3, STEPS = 3 };

static const float kGradients[STEPS][COUNT] = {{0.3f, -0.4f, 1.2f}, {-0.6f, 0.2f, 0.9f}, {0.1f, 0.05f, -0.02f}};
static const float kRates[STEPS] = {0.1f, 0.05f, 0.2f};

typedef struct {
  double momentum, first, second, largest, mean;
} slots;

static double clip_factor(const float* gradient, double limit) {
  double squares = 0;
  for (int32_t i = 0; i < COUNT; i++) squares += (double)gradient[i] * (double)gradient[i];
  return limit > 0 && sqrt(squares) > limit ? limit / sqrt(squares) : 1;
}

static double change_sgd(const ocl_optimizer* o, double g, double rate, slots* s) {
  s->momentum = o->momentum * s->momentum - rate * g;
  return o->is_nesterov ? o->momentum * s->momentum - rate * g : s->momentum;
}

static double change_adam(const ocl_optimizer* o, double g, double rate, int32_t step, double value, slots* s) {
  s->first = o->beta_1 * s->first + (1 - o->beta_1) * g;
  s->second = o->beta_2 * s->second + (1 - o->beta_2) * g * g;
  s->largest = fmax(s->largest, s->second);
  const double root = sqrt(o->is_amsgrad ? s->largest : s->second);
  const double alpha = rate * sqrt(1 - pow(o->beta_2, step)) / (1 - pow(o->beta_1, step));
  const double decayed = value * o->weight_decay * rate;
  return -decayed - alpha * s->first / (root + o->epsilon);
}

static double change_rmsprop(const ocl_optimizer* o, double g, double rate, slots* s) {
  s->second = o->beta_2 * s->second + (1 - o->beta_2) * g * g;
  s->mean = o->beta_2 * s->mean + (1 - o->beta_2) * g;
  const double spread = s->second - (o->is_centered ? s->mean * s->mean : 0);
  s->momentum = o->momentum * s->momentum + rate * g / sqrt(spread + o->epsilon);
  return -s->momentum;
}

static void check_updates(const ocl_optimizer* o, int32_t num_slots) {
  float values[COUNT] = {1, -2, 0.5f}, memory[OCL_OPTIMIZER_MAX_SLOTS][COUNT] = {{0}};
  float* const places[OCL_OPTIMIZER_MAX_SLOTS] = {memory[0], memory[1], memory[2]};
  double expected[COUNT] = {1, -2, 0.5};
  slots state[COUNT] = {{0}};
  CHECK(ocl_optimizer_num_slots(o) == num_slots);
  for (int32_t step = 1; step <= STEPS; step++) {
    float gradient[COUNT];
    memcpy(gradient, kGradients[step - 1], sizeof gradient);
    const double factor = clip_factor(gradient, o->clip_norm), rate = (double)kRates[step - 1];
    ocl_optimizer_apply(o, step, kRates[step - 1], COUNT, gradient, places, values);
    for (int32_t i = 0; i < COUNT; i++) {
      const double g = (double)kGradients[step - 1][i] * factor;
      expected[i] += o->kind == OCL_SGD    ? change_sgd(o, g, rate, &state[i])
                     : o->kind == OCL_ADAM ? change_adam(o, g, rate, step, expected[i], &state[i])
                                           : change_rmsprop(o, g, rate, &state[i]);
      CHECK_NEAR((double)values[i], expected[i], 2e-6);
    }
  }
  for (int32_t slot = num_slots; slot < OCL_OPTIMIZER_MAX_SLOTS; slot++)
    for (int32_t i = 0; i < COUNT; i++) CHECK(memory[slot][i] == 0);
}

static void sgd(void) {
  check_updates(&(ocl_optimizer){.kind = OCL_SGD}, 1);
  check_updates(&(ocl_optimizer){.kind = OCL_SGD, .momentum = 0.8}, 1);
  check_updates(&(ocl_optimizer){.kind = OCL_SGD, .momentum = 0.8, .is_nesterov = true}, 1);
}

static void adam(void) {
  const ocl_optimizer plain = {.kind = OCL_ADAM, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = 1e-3};
  check_updates(&plain, 2);
  ocl_optimizer other = plain;
  other.is_amsgrad = true;
  check_updates(&other, 3);
  other.weight_decay = 0.3;
  check_updates(&other, 3);
}

static void rmsprop(void) {
  const ocl_optimizer plain = {.kind = OCL_RMSPROP, .beta_2 = 0.7, .epsilon = 1e-2};
  check_updates(&plain, 1);
  ocl_optimizer other = plain;
  other.momentum = 0.6;
  check_updates(&other, 2);
  other.is_centered = true;
  check_updates(&other, 3);
  other.momentum = 0;
  check_updates(&other, 2);
}

// The norms of the three gradients are 1.3, 1.1 and 0.11: a limit of 1.2 leaves two of them alone, and 5 all of them.
static void clipping_never_scales_up(void) {
  const double limits[] = {0.05, 1.2, 5};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    check_updates(&(ocl_optimizer){.kind = OCL_SGD, .momentum = 0.5, .clip_norm = limits[i]}, 1);
}

int main(void) {
  RUN(sgd);
  RUN(adam);
  RUN(rmsprop);
  RUN(clipping_never_scales_up);
  return check_failed_tests;
}
