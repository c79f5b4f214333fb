// Shared by generator.c, generate_step.c and generate_families.c.
#ifndef OCELLI_TESTS_FUZZ_GENERATOR_H_
#define OCELLI_TESTS_FUZZ_GENERATOR_H_

#include "network.h"

typedef struct {
  fuzz_bytes* b;
  network* net;
  bool is_operand[MAX_TENSORS];  // operators may take it: no weights, axes or sizes
  uint32_t random;               // of the constants' contents
} generator;

// ---- generate_step.c ----

// Adds an operator (or an idiom of several), or nothing if the one that was chosen fits no tensor.
void gen_step(generator* g);
// Adds what makes scores of anchors from one or two feature maps.
void gen_heads(generator* g);

// ---- generate_families.c: one operator of the row, or nothing ----

void gen_function(generator* g, int32_t row);
void gen_cast(generator* g, int32_t row);
void gen_arithmetic(generator* g, int32_t row);
void gen_sum(generator* g, int32_t row);
void gen_comparison(generator* g, int32_t row);
void gen_logic(generator* g, int32_t row);
void gen_select(generator* g, int32_t row);
void gen_reduction(generator* g, int32_t row);
void gen_top(generator* g, int32_t row);
void gen_split(generator* g, int32_t row);
void gen_slice(generator* g, int32_t row);
void gen_mirror(generator* g, int32_t row);
void gen_broadcast_to(generator* g, int32_t row);
void gen_fill(generator* g, int32_t row);
void gen_like(generator* g, int32_t row);
void gen_densify(generator* g, int32_t row);
void gen_depth(generator* g, int32_t row);
void gen_batch_to_space(generator* g, int32_t row);
void gen_space_to_batch(generator* g, int32_t row);
void gen_gather(generator* g, int32_t row);
void gen_gather_nd(generator* g, int32_t row);
void gen_transposed(generator* g, int32_t row);

// ---- generator.c ----

bool gen_has_room(const generator* g);  // for one more step
int32_t gen_tensor(generator* g, ocl_dtype dtype, ocl_shape shape);
int32_t gen_add_input(generator* g, ocl_dtype dtype, ocl_shape shape);
int32_t gen_constant(generator* g, ocl_dtype dtype, ocl_shape shape);
int32_t gen_ints(generator* g, const int32_t* ints, int32_t count);
bool gen_is_8_bit(const net_tensor* t);
void gen_quantize(net_tensor* t, float scale, int32_t zero_point);
void gen_quantize_any(generator* g, net_tensor* t);
void gen_requantize(generator* g, int32_t output, int32_t from, bool may_differ);
bool gen_is_small(const ocl_shape* shape);

int32_t gen_pick(generator* g, bool (*fits)(const net_tensor*));
bool gen_fits_any(const net_tensor* t);
bool gen_fits_map(const net_tensor* t);       // [N, H, W, C], float or 8 bits
bool gen_fits_numbers(const net_tensor* t);   // float or 8 bits
bool gen_fits_summands(const net_tensor* t);  // these or int32
bool gen_fits_8_bit(const net_tensor* t);

net_operator* gen_operator(generator* g, int32_t row);
void gen_input(net_operator* op, int32_t tensor);
void gen_option(net_operator* op, uint8_t id, int64_t value);
void gen_float_option(net_operator* op, uint8_t id, float value);
void gen_ints_option(net_operator* op, uint8_t id, const ocl_shape* ints);
int32_t gen_output(generator* g, net_operator* op, ocl_dtype dtype, ocl_shape shape, bool is_batched);

#endif  // OCELLI_TESTS_FUZZ_GENERATOR_H_
