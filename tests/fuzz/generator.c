// The fuzzer's bytes -> a well-formed network: a few inputs, then operators one after the other, each on tensors that
// are there and fit it. Shapes are computed as TFLite does, and declared so, but for a rare lie.
#include "generator.h"

#include <math.h>

#include "detect/detection_postprocess.h"

enum { MAX_ELEMENTS = 8192, MAX_WEIGHTS = 4096 };

// ---- tensors ----

int32_t gen_tensor(generator* g, ocl_dtype dtype, ocl_shape shape) {
  network* net = g->net;
  if (net->num_tensors == MAX_TENSORS) abort();  // gen_has_room()
  net->tensors[net->num_tensors] = (net_tensor){.dtype = dtype, .shape = shape};
  return net->num_tensors++;
}

bool gen_is_8_bit(const net_tensor* t) {
  return t->dtype == OCL_INT8 || t->dtype == OCL_UINT8;
}

void gen_quantize(net_tensor* t, float scale, int32_t zero_point) {
  t->num_scales = 1;
  t->axis = 0;
  t->scales[0] = scale;
  t->zero_points[0] = zero_point;
}

// Most of them are scales of which no product or quotient, as the operators form them, leaves XNNPACK's range.
void gen_quantize_any(generator* g, net_tensor* t) {
  static const float kScales[] = {0.05f, 0.0078125f, 0.02f, 0.1f, 0.00392157f, 0.5f};
  static const int32_t kZeroPoints[] = {0, -128, -1, 127, 5, -77};
  static const float kExtremes[] = {1e-12f, 1e-38f, 1e-45f, 1e9f, 3e38f, 0x1p-33f, 0x1p-10f, 300};
  const int32_t zero_point = kZeroPoints[fuzz_below(g->b, 6)];
  const float scale = fuzz_one_in(g->b, 50) ? kExtremes[fuzz_below(g->b, 8)] : kScales[fuzz_below(g->b, 6)];
  gen_quantize(t, scale, zero_point + (t->dtype == OCL_UINT8 ? 128 : 0));
}

static uint16_t random_half(uint32_t* state) {
  const uint32_t bits = fuzz_random(state);
  return (uint16_t)((bits & 0x83ff) | (9 + bits % 6) << 10);  // 2^-6 to 1
}

// Random content. Integers that are no weights are small.
static void fill(generator* g, net_tensor* t) {
  const size_t count = ocl_shape_num_elements(&t->shape);
  t->data_bytes = count * ocl_dtype_size_bytes(t->dtype);
  t->data = malloc(t->data_bytes + 1);
  for (size_t i = 0; i < count; i++) switch (t->dtype) {
      case OCL_FLOAT32: ((float*)(void*)t->data)[i] = fuzz_random_real(&g->random); break;
      case OCL_FLOAT16: ((uint16_t*)(void*)t->data)[i] = random_half(&g->random); break;
      case OCL_INT32: ((int32_t*)(void*)t->data)[i] = (int32_t)(fuzz_random(&g->random) % 401) - 200; break;
      case OCL_INT64: ((int64_t*)(void*)t->data)[i] = (int64_t)(fuzz_random(&g->random) % 401) - 200; break;
      default: t->data[i] = (uint8_t)(fuzz_random(&g->random) >> 13);
    }
}

int32_t gen_constant(generator* g, ocl_dtype dtype, ocl_shape shape) {
  const int32_t index = gen_tensor(g, dtype, shape);
  fill(g, &g->net->tensors[index]);
  return index;
}

int32_t gen_ints(generator* g, const int32_t* ints, int32_t count) {
  const int32_t index = gen_tensor(g, OCL_INT32, (ocl_shape){1, {count}});
  net_tensor* t = &g->net->tensors[index];
  t->data_bytes = (size_t)count * sizeof *ints;
  t->data = malloc(t->data_bytes + 1);
  memcpy(t->data, ints, t->data_bytes);
  return index;
}

bool gen_is_small(const ocl_shape* shape) {
  int64_t count = 1;
  for (int32_t i = 0; i < shape->rank; i++) count *= shape->dims[i] < 1 ? MAX_ELEMENTS + 1 : shape->dims[i];
  return count >= 1 && count <= MAX_ELEMENTS;
}

// The latest tensor that `fits`, most of the time; else any that does. -1: none does. Weights are not taken, and
// constants seldom.
int32_t gen_pick(generator* g, bool (*fits)(const net_tensor*)) {
  const network* net = g->net;
  const int32_t skip = fuzz_one_in(g->b, 3) ? fuzz_below(g->b, net->num_tensors) : 0;
  const bool takes_constants = fuzz_one_in(g->b, 12);
  for (int32_t i = 0; i < net->num_tensors; i++) {
    const int32_t index = (2 * net->num_tensors - 1 - skip - i) % net->num_tensors;
    const net_tensor* t = &net->tensors[index];
    if (g->is_operand[index] && (t->data == NULL || takes_constants) && fits(t)) return index;
  }
  return -1;
}

bool gen_fits_any(const net_tensor* t) {
  return t->shape.rank > 0;
}
bool gen_fits_map(const net_tensor* t) {
  return t->shape.rank == 4 && gen_fits_numbers(t);
}
bool gen_fits_numbers(const net_tensor* t) {
  return t->shape.rank > 0 && (t->dtype == OCL_FLOAT32 || (gen_is_8_bit(t) && t->num_scales == 1));
}
bool gen_fits_summands(const net_tensor* t) {
  return gen_fits_numbers(t) || (t->shape.rank > 0 && t->dtype == OCL_INT32);
}
bool gen_fits_8_bit(const net_tensor* t) {
  return gen_is_8_bit(t) && t->num_scales == 1;
}

// ---- operators ----

net_operator* gen_operator(generator* g, int32_t row) {
  network* net = g->net;
  net_operator* op = &net->operators[net->num_operators++];
  *op = (net_operator){.row = &ocl_operators[row]};
  return op;
}

void gen_input(net_operator* op, int32_t tensor) {
  op->inputs[op->num_inputs++] = tensor;
}

void gen_option(net_operator* op, uint8_t id, int64_t value) {
  op->options[op->num_options++] = (net_option){.id = id, .value = (uint64_t)value};
}

void gen_float_option(net_operator* op, uint8_t id, float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  gen_option(op, id, bits);
}

void gen_ints_option(net_operator* op, uint8_t id, const ocl_shape* ints) {
  net_option* o = &op->options[op->num_options++];
  *o = (net_option){.id = id, .is_ints = true, .num_ints = (uint8_t)ints->rank};
  memcpy(o->ints, ints->dims, sizeof o->ints);
}

int32_t gen_output(generator* g, net_operator* op, ocl_dtype dtype, ocl_shape shape, bool is_batched) {
  const int32_t index = gen_tensor(g, dtype, shape);
  net_tensor* t = &g->net->tensors[index];
  bool is_any_mixed = false, is_any_batched = false;
  for (int32_t i = 0; i < op->num_inputs; i++) {
    const net_tensor* input = op->inputs[i] < 0 ? t : &g->net->tensors[op->inputs[i]];
    is_any_mixed = is_any_mixed || input->is_mixed;
    is_any_batched = is_any_batched || input->is_batched;
  }
  t->is_batched = is_batched && !is_any_mixed;
  t->is_mixed = is_any_mixed || (is_any_batched && !t->is_batched);
  op->outputs[op->num_outputs++] = index;
  g->is_operand[index] = true;
  return index;
}

// As `from` is quantized; or, if it may, in its own way.
void gen_requantize(generator* g, int32_t output, int32_t from, bool may_differ) {
  net_tensor *t = &g->net->tensors[output], *source = &g->net->tensors[from];
  if (!gen_is_8_bit(t)) return;
  if (may_differ && !fuzz_one_in(g->b, 3))
    gen_quantize_any(g, t);
  else
    gen_quantize(t, source->scales[0], (int32_t)source->zero_points[0]);
}

// ---- inputs and outputs ----

static ocl_shape any_map(generator* g) {
  const int32_t h = fuzz_range(g->b, 1, 14), w = fuzz_range(g->b, 1, 14), c = fuzz_range(g->b, 1, 20);
  return (ocl_shape){4, {1, h, w, c}};
}

static ocl_shape any_shape(generator* g) {
  if (!fuzz_one_in(g->b, 4)) return any_map(g);
  ocl_shape shape = {.rank = fuzz_range(g->b, 1, OCL_MAX_RANK)};
  for (int32_t i = 0; i < shape.rank; i++) shape.dims[i] = fuzz_range(g->b, 1, 5);
  return shape;
}

static ocl_dtype any_dtype(generator* g) {
  static const ocl_dtype kDtypes[] = {OCL_FLOAT32, OCL_FLOAT32, OCL_INT8, OCL_INT8, OCL_UINT8, OCL_FLOAT32};
  if (fuzz_one_in(g->b, 40)) return (ocl_dtype)fuzz_below(g->b, OCL_NUM_DTYPES);
  return kDtypes[fuzz_below(g->b, 6)];
}

int32_t gen_add_input(generator* g, ocl_dtype dtype, ocl_shape shape) {
  const int32_t index = gen_tensor(g, dtype, shape);
  net_tensor* t = &g->net->tensors[index];
  if (gen_is_8_bit(t)) gen_quantize_any(g, t);
  t->is_batch_free = g->net->is_batch_free && shape.rank > 1;
  t->is_batched = t->is_batch_free;
  if (t->is_batch_free) t->shape.dims[0] = 1;
  g->is_operand[index] = true;
  g->net->inputs[g->net->num_inputs++] = index;
  return index;
}

static void add_outputs(generator* g) {
  network* net = g->net;
  bool has_last = false;
  for (int32_t i = net->num_tensors - 1; i >= 0 && net->num_outputs < 20; i--) {
    if (!g->is_operand[i]) continue;
    const bool is_last = !has_last && net->tensors[i].data == NULL;
    if (is_last || fuzz_one_in(g->b, 6)) net->outputs[net->num_outputs++] = i;
    has_last = has_last || is_last;
  }
}

// A declared shape that is not the computed one. Dimensions that weights decide stay.
static void lie(generator* g) {
  net_tensor* t = &g->net->tensors[fuzz_below(g->b, g->net->num_tensors)];
  if (t->data != NULL || t->is_batch_free || t->shape.rank < 1) return;
  t->shape.dims[fuzz_below(g->b, t->shape.rank)] = fuzz_range(g->b, 1, 12);
}

bool gen_has_room(const generator* g) {
  return g->net->num_tensors + 24 <= MAX_TENSORS && g->net->num_operators + 6 <= MAX_OPERATORS;
}

void net_generate(fuzz_bytes* b, network* net) {
  generator state = {.b = b, .net = net}, *g = &state;
  memset(net, 0, sizeof *net);
  net->is_smooth = true;
  g->random = fuzz_u32(b);
  net->is_batch_free = fuzz_below(b, 3) != 0;
  const int32_t num_inputs = fuzz_one_in(b, 4) ? fuzz_range(b, 1, 3) : 1;
  for (int32_t i = 0; i < num_inputs; i++) gen_add_input(g, any_dtype(g), any_shape(g));
  const int32_t num_steps = fuzz_range(b, 1, 12);
  for (int32_t i = 0; i < num_steps && gen_has_room(g); i++) gen_step(g);
  if (fuzz_one_in(b, 3) && gen_has_room(g)) gen_heads(g);
  if (fuzz_one_in(b, 30)) lie(g);
  add_outputs(g);
}

void net_free(network* net) {
  for (int32_t i = 0; i < net->num_tensors; i++) free(net->tensors[i].data);
}
