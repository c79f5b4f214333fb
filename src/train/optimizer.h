// Keras 2.15's optimizers: one variable's gradient -> its new values. The constants are doubles, because Keras rounds
// 1 - beta to float32 only after the subtraction.
#ifndef OCELLI_OPTIMIZER_H_
#define OCELLI_OPTIMIZER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { OCL_SGD, OCL_ADAM, OCL_RMSPROP } ocl_optimizer_kind;

// The most numbers that an optimizer remembers for each parameter.
enum { OCL_OPTIMIZER_MAX_SLOTS = 3 };

typedef struct {
  int32_t kind;         // ocl_optimizer_kind
  bool is_nesterov;     // SGD
  bool is_amsgrad;      // Adam
  bool is_centered;     // RMSprop
  double momentum;      // SGD, RMSprop
  double beta_1;        // Adam
  double beta_2;        // Adam; RMSprop's rho
  double epsilon;       // Adam: outside the root; RMSprop: inside
  double weight_decay;  // Adam: decoupled, AdamW's
  double clip_norm;     // per variable; 0: none
} ocl_optimizer;

// Slots, in this order: SGD momentum; Adam m, v, then vhat; RMSprop velocity, then momentum, then average gradient.
int32_t ocl_optimizer_num_slots(const ocl_optimizer* optimizer);

// One step, number `step` from 1, on `count` values; slots[i] has `count` values, all 0 before the first step.
// `gradient` is clipped in place.
void ocl_optimizer_apply(const ocl_optimizer* optimizer, int32_t step, float learning_rate, size_t count,
                         float* gradient, float* const slots[OCL_OPTIMIZER_MAX_SLOTS], float* values);

#endif  // OCELLI_OPTIMIZER_H_
