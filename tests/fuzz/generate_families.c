// Operators of a generated network that belong to families: element-wise functions, comparisons, choices, reductions,
// moves, look-ups, transposed convolutions.
#include "generator.h"

static net_tensor* tensor_of(generator* g, int32_t index) {
  return &g->net->tensors[index];
}

static bool fits_bool(const net_tensor* t) {
  return t->dtype == OCL_BOOL && t->shape.rank > 0;
}

static bool fits_stored(const net_tensor* t) {
  return t->shape.rank > 0 && t->dtype != OCL_FLOAT16;
}

static int32_t axis_of(generator* g, const ocl_shape* shape, bool keeps_first) {
  const int32_t first = keeps_first && shape->rank > 1;
  return fuzz_range(g->b, first, shape->rank - 1);
}

static int32_t signed_axis(generator* g, int32_t axis, int32_t rank) {
  return fuzz_one_in(g->b, 4) ? axis - rank : axis;
}

static int32_t add_scalar(generator* g, int32_t value) {
  const int32_t index = gen_ints(g, &value, 1);
  tensor_of(g, index)->shape.rank = 0;
  return index;
}

// ---- one input, the same shape ----

void gen_function(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_numbers);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  if (row == OCL_OPERATOR_ROW_LEAKY_RELU) gen_float_option(op, 0, 0.25f * (float)fuzz_range(g->b, -4, 8));
  if (row == OCL_OPERATOR_ROW_GELU) gen_option(op, 0, fuzz_below(g->b, 2));
  // A normalization mixes the images if its one dimension is the batch.
  const bool is_row = row == OCL_OPERATOR_ROW_LOG_SOFTMAX || row == OCL_OPERATOR_ROW_L2_NORMALIZATION;
  const bool is_batched = t.is_batched && !(is_row && t.shape.rank == 1);
  gen_requantize(g, gen_output(g, op, t.dtype, t.shape, is_batched), input, true);
  static const int32_t kSmooth[] = {OCL_OPERATOR_ROW_ELU,          OCL_OPERATOR_ROW_TANH,        OCL_OPERATOR_ROW_NEG,
                                    OCL_OPERATOR_ROW_RELU_N1_TO_1, OCL_OPERATOR_ROW_RELU_0_TO_1, OCL_OPERATOR_ROW_GELU,
                                    OCL_OPERATOR_ROW_LEAKY_RELU};
  bool is_smooth = false;
  for (size_t i = 0; i < sizeof kSmooth / sizeof *kSmooth; i++) is_smooth = is_smooth || kSmooth[i] == row;
  g->net->is_smooth = g->net->is_smooth && is_smooth;
}

void gen_cast(generator* g, int32_t row) {
  static const ocl_dtype kTo[] = {OCL_FLOAT32, OCL_INT32, OCL_INT64, OCL_BOOL, OCL_UINT8, OCL_INT8};
  const int32_t input = gen_pick(g, fits_stored);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_output(g, op, kTo[fuzz_below(g->b, 6)], t.shape, t.is_batched);
  g->net->is_smooth = false;
}

// ---- two inputs ----

// A constant of the same dtype, one for each index of the last dimension or one for all; or the tensor itself.
static int32_t add_operand(generator* g, int32_t a) {
  const net_tensor t = *tensor_of(g, a);
  if (fuzz_one_in(g->b, 5)) return a;
  const int32_t last = t.shape.dims[t.shape.rank - 1];
  const int32_t b = gen_constant(g, t.dtype, (ocl_shape){1, {fuzz_one_in(g->b, 3) ? 1 : last}});
  if (gen_is_8_bit(&t)) gen_quantize_any(g, tensor_of(g, b));
  return b;
}

static void add_pair(generator* g, int32_t row, bool (*fits)(const net_tensor*), bool is_test) {
  const int32_t a = gen_pick(g, fits);
  if (a < 0) return;
  const net_tensor t = *tensor_of(g, a);
  const int32_t b = add_operand(g, a);
  const bool is_swapped = fuzz_one_in(g->b, 4);
  net_operator* op = gen_operator(g, row);
  gen_input(op, is_swapped ? b : a);
  gen_input(op, is_swapped ? a : b);
  const int32_t output = gen_output(g, op, is_test ? OCL_BOOL : t.dtype, t.shape, t.is_batched);
  if (!is_test) gen_requantize(g, output, a, true);
  const bool is_smooth =
      row == OCL_OPERATOR_ROW_MAXIMUM || row == OCL_OPERATOR_ROW_MINIMUM || row == OCL_OPERATOR_ROW_SQUARED_DIFFERENCE;
  g->net->is_smooth = g->net->is_smooth && is_smooth;
}

// Sums of several tensors of one shape: of constants, and of the tensor itself.
void gen_sum(generator* g, int32_t row) {
  const int32_t first = gen_pick(g, gen_fits_summands);
  if (first < 0) return;
  const net_tensor t = *tensor_of(g, first);
  if (t.dtype != OCL_FLOAT32 && t.dtype != OCL_INT32) return;
  int32_t inputs[5] = {first};
  const int32_t count = fuzz_range(g->b, 2, 5);
  for (int32_t i = 1; i < count; i++) {
    const bool is_constant = !t.is_batched && fuzz_one_in(g->b, 2);
    inputs[i] = is_constant ? gen_constant(g, t.dtype, t.shape) : first;
  }
  net_operator* op = gen_operator(g, row);
  for (int32_t i = 0; i < count; i++) gen_input(op, inputs[i]);
  gen_output(g, op, t.dtype, t.shape, t.is_batched);
}

void gen_arithmetic(generator* g, int32_t row) {
  add_pair(g, row, gen_fits_summands, false);
}
void gen_comparison(generator* g, int32_t row) {
  add_pair(g, row, gen_fits_summands, true);
}

// A tensor of truths: one that is there, or whether numbers are positive. -1: there is none.
static int32_t pick_bool(generator* g) {
  const int32_t known = fuzz_one_in(g->b, 2) ? gen_pick(g, fits_bool) : -1;
  if (known >= 0) return known;
  const int32_t before = g->net->num_operators;
  gen_comparison(g, OCL_OPERATOR_ROW_GREATER);
  return g->net->num_operators == before ? -1 : g->net->operators[before].outputs[0];
}

void gen_logic(generator* g, int32_t row) {
  const int32_t a = pick_bool(g);
  if (a < 0) return;
  const net_tensor t = *tensor_of(g, a);
  net_operator* op = gen_operator(g, row);
  for (int32_t i = 0; i < ocl_operators[row].min_inputs; i++) gen_input(op, a);
  gen_output(g, op, OCL_BOOL, t.shape, t.is_batched);
}

void gen_select(generator* g, int32_t row) {
  const int32_t condition = pick_bool(g);
  if (condition < 0) return;
  const net_tensor t = *tensor_of(g, condition);
  const int32_t a = gen_constant(g, OCL_FLOAT32, t.shape), b = gen_constant(g, OCL_FLOAT32, t.shape);
  net_operator* op = gen_operator(g, row);
  gen_input(op, condition);
  gen_input(op, a);
  gen_input(op, b);
  gen_output(g, op, OCL_FLOAT32, t.shape, t.is_batched);
  g->net->is_smooth = false;
}

// ---- over dimensions ----

void gen_reduction(generator* g, int32_t row) {
  const bool is_logic = row == OCL_OPERATOR_ROW_REDUCE_ANY || row == OCL_OPERATOR_ROW_REDUCE_ALL;
  const int32_t input = is_logic ? pick_bool(g) : gen_pick(g, gen_fits_summands);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t axis = axis_of(g, &t.shape, t.is_batched), given = signed_axis(g, axis, t.shape.rank);
  const bool keeps = fuzz_one_in(g->b, 2);
  ocl_shape shape = {0};
  for (int32_t d = 0; d < t.shape.rank; d++)
    if (d != axis || keeps) shape.dims[shape.rank++] = d == axis ? 1 : t.shape.dims[d];
  const int32_t axes = gen_ints(g, &given, 1);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, axes);
  gen_option(op, 0, keeps);
  const int32_t output = gen_output(g, op, t.dtype, shape, t.is_batched && axis > 0);
  gen_requantize(g, output, input, row == OCL_OPERATOR_ROW_SUM);
  g->net->is_smooth = g->net->is_smooth && row != OCL_OPERATOR_ROW_REDUCE_PROD;
}

void gen_top(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_summands);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  ocl_shape shape = t.shape;
  const int32_t k = fuzz_range(g->b, 1, shape.dims[shape.rank - 1]);
  shape.dims[shape.rank - 1] = k;
  const int32_t count = add_scalar(g, k);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, count);
  const bool is_batched = t.is_batched && shape.rank > 1;
  gen_requantize(g, gen_output(g, op, t.dtype, shape, is_batched), input, false);
  gen_output(g, op, OCL_INT32, shape, is_batched);
  g->net->is_smooth = false;
}

// ---- moves ----

void gen_split(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t axis = axis_of(g, &t.shape, t.is_batched), size = t.shape.dims[axis];
  int32_t count = fuzz_range(g->b, 1, 4), sizes[4] = {0};
  const bool is_unpack = row == OCL_OPERATOR_ROW_UNPACK, is_free = row == OCL_OPERATOR_ROW_SPLIT_V;
  if (is_unpack) count = size;
  if (count > 4 || count > size || (row == OCL_OPERATOR_ROW_SPLIT && size % count != 0)) return;
  for (int32_t i = 0; i < count; i++) sizes[i] = is_unpack ? 1 : size / count;
  sizes[count - 1] += is_free ? size % count : 0;
  const int32_t given = signed_axis(g, axis, t.shape.rank), at = is_unpack ? -1 : add_scalar(g, given);
  const int32_t hidden = fuzz_below(g->b, count), before = sizes[hidden];
  if (is_free && fuzz_one_in(g->b, 3)) sizes[hidden] = -1;
  const int32_t list = is_free ? gen_ints(g, sizes, count) : -1;
  sizes[hidden] = before;
  net_operator* op = gen_operator(g, row);
  if (row == OCL_OPERATOR_ROW_SPLIT) gen_input(op, at);
  gen_input(op, input);
  if (is_free) gen_input(op, list);
  if (is_free) gen_input(op, at);
  gen_option(op, 0, count);
  if (is_unpack) gen_option(op, 1, given);
  for (int32_t i = 0; i < count; i++) {
    ocl_shape shape = t.shape;
    shape.dims[axis] = sizes[i];
    if (is_unpack) {
      shape.rank = 0;
      for (int32_t d = 0; d < t.shape.rank; d++)
        if (d != axis) shape.dims[shape.rank++] = t.shape.dims[d];
    }
    gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched && axis > 0), input, false);
  }
}

void gen_slice(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  int32_t begin[OCL_MAX_RANK] = {0}, size[OCL_MAX_RANK];
  ocl_shape shape = t.shape;
  for (int32_t d = 0; d < shape.rank; d++) {
    const bool is_whole = d == 0 && t.is_batched;
    begin[d] = is_whole ? 0 : fuzz_below(g->b, shape.dims[d]);
    shape.dims[d] = is_whole ? shape.dims[d] : fuzz_range(g->b, 1, shape.dims[d] - begin[d]);
    size[d] = is_whole || begin[d] + shape.dims[d] == t.shape.dims[d] ? -1 : shape.dims[d];
  }
  const int32_t inputs[] = {input, gen_ints(g, begin, shape.rank), gen_ints(g, size, shape.rank)};
  net_operator* op = gen_operator(g, row);
  for (int32_t i = 0; i < 3; i++) gen_input(op, inputs[i]);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched), input, false);
}

void gen_mirror(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const bool is_symmetric = fuzz_one_in(g->b, 2), is_mirror = row == OCL_OPERATOR_ROW_MIRROR_PAD;
  int32_t paddings[2 * OCL_MAX_RANK] = {0};
  ocl_shape shape = t.shape;
  for (int32_t i = t.is_batched ? 2 : 0; i < 2 * shape.rank; i++) {
    const int32_t most = is_mirror ? t.shape.dims[i / 2] - !is_symmetric : 3;
    paddings[i] = most > 0 ? fuzz_below(g->b, (most < 3 ? most : 3) + 1) : 0;
    shape.dims[i / 2] += paddings[i];
  }
  if (!gen_is_small(&shape)) return;
  const int32_t ints = gen_ints(g, paddings, 2 * shape.rank);
  tensor_of(g, ints)->shape = (ocl_shape){2, {shape.rank, 2}};
  const int32_t fill = is_mirror ? -1 : gen_constant(g, t.dtype, (ocl_shape){1, {1}});
  if (fill >= 0) gen_requantize(g, fill, input, false);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, ints);
  if (fill >= 0) gen_input(op, fill);
  if (is_mirror) gen_option(op, 0, is_symmetric);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched), input, false);
}

void gen_broadcast_to(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0 || tensor_of(g, input)->is_batched) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t added = t.shape.rank < OCL_MAX_RANK && fuzz_one_in(g->b, 2);
  ocl_shape shape = {.rank = t.shape.rank + added};
  for (int32_t d = 0; d < shape.rank; d++) {
    const int32_t size = d < added ? 1 : t.shape.dims[d - added];
    shape.dims[d] = size == 1 ? fuzz_range(g->b, 1, 4) : size;
  }
  if (!gen_is_small(&shape)) return;
  const int32_t to = gen_ints(g, shape.dims, shape.rank);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, to);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, false), input, false);
}

void gen_fill(generator* g, int32_t row) {
  const ocl_shape shape = {2, {fuzz_range(g->b, 1, 6), fuzz_range(g->b, 1, 6)}};
  const int32_t to = gen_ints(g, shape.dims, 2);
  const int32_t value = gen_constant(g, fuzz_one_in(g->b, 2) ? OCL_INT32 : OCL_FLOAT32, (ocl_shape){0});
  net_operator* op = gen_operator(g, row);
  gen_input(op, to);
  gen_input(op, value);
  gen_output(g, op, tensor_of(g, value)->dtype, shape, false);
}

void gen_like(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const bool is_rank = row == OCL_OPERATOR_ROW_RANK;
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  const int32_t output =
      gen_output(g, op, is_rank ? OCL_INT32 : t.dtype, is_rank ? (ocl_shape){0} : t.shape, !is_rank && t.is_batched);
  if (!is_rank) gen_requantize(g, output, input, false);
}

void gen_densify(generator* g, int32_t row) {
  const ocl_shape shape = {2, {fuzz_range(g->b, 1, 6), fuzz_range(g->b, 1, 6)}};
  const int32_t constant = gen_constant(g, OCL_FLOAT32, shape);
  net_operator* op = gen_operator(g, row);
  gen_input(op, constant);
  gen_output(g, op, OCL_FLOAT32, shape, false);
}

// ---- blocks ----

void gen_depth(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_map);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t size = fuzz_range(g->b, 1, 3), *in = tensor_of(g, input)->shape.dims;
  const bool is_to_space = row == OCL_OPERATOR_ROW_DEPTH_TO_SPACE;
  if (is_to_space ? in[3] % (size * size) != 0 : in[1] % size != 0 || in[2] % size != 0) return;
  const ocl_shape shape = is_to_space ? (ocl_shape){4, {in[0], in[1] * size, in[2] * size, in[3] / size / size}}
                                      : (ocl_shape){4, {in[0], in[1] / size, in[2] / size, in[3] * size * size}};
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_option(op, 0, size);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched), input, false);
}

static int32_t add_batch_blocks(generator* g, int32_t row, int32_t input, const int32_t size[2],
                                const int32_t margins[4], ocl_shape shape, bool is_batched) {
  const net_tensor t = *tensor_of(g, input);
  const int32_t sizes = gen_ints(g, size, 2), list = gen_ints(g, margins, 4);
  tensor_of(g, list)->shape = (ocl_shape){2, {2, 2}};
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, sizes);
  gen_input(op, list);
  const int32_t output = gen_output(g, op, t.dtype, shape, is_batched);
  gen_requantize(g, output, input, false);
  return output;
}

void gen_batch_to_space(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_map);
  if (input < 0 || tensor_of(g, input)->is_batched) return;
  const int32_t* in = tensor_of(g, input)->shape.dims;
  const int32_t size[] = {in[0] % 2 == 0 ? 2 : 1, 1};
  const int32_t crops[] = {0, in[1] * size[0] > 2 ? 1 : 0, in[2] > 2 ? 1 : 0, 0};
  const ocl_shape shape = {4, {in[0] / size[0], in[1] * size[0] - crops[1], in[2] - crops[2], in[3]}};
  add_batch_blocks(g, row, input, size, crops, shape, false);
}

// By itself; or with a depthwise convolution and BATCH_TO_SPACE_ND after it: a dilated convolution.
void gen_space_to_batch(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_map);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t size[] = {fuzz_range(g->b, 1, 3), fuzz_range(g->b, 1, 3)};
  int32_t pads[] = {fuzz_below(g->b, 4), 0, fuzz_below(g->b, 4), 0};
  ocl_shape shape = t.shape;
  for (int32_t d = 0; d < 2; d++) {
    const int32_t padded = t.shape.dims[1 + d] + pads[2 * d];
    pads[2 * d + 1] = (size[d] - padded % size[d]) % size[d];
    shape.dims[1 + d] = (padded + pads[2 * d + 1]) / size[d];
  }
  shape.dims[0] *= size[0] * size[1];
  if (!gen_is_small(&shape)) return;
  const int32_t spread = add_batch_blocks(g, row, input, size, pads, shape, false);
  if (t.dtype != OCL_FLOAT32 || shape.dims[3] > MAX_CHANNELS || fuzz_one_in(g->b, 3)) return;
  const int32_t kernel = fuzz_range(g->b, 1, shape.dims[1] < 3 ? shape.dims[1] : 3);
  const int32_t weights = gen_constant(g, OCL_FLOAT32, (ocl_shape){4, {1, kernel, 1, shape.dims[3]}});
  const int32_t bias = gen_constant(g, OCL_FLOAT32, (ocl_shape){1, {shape.dims[3]}});
  net_operator* op = gen_operator(g, OCL_OPERATOR_ROW_DEPTHWISE_CONV_2D);
  gen_input(op, spread);
  gen_input(op, weights);
  gen_input(op, bias);
  const int64_t options[] = {1, 1, 1, 1, 0, 1, 1};
  for (uint8_t id = 0; id < 7; id++) gen_option(op, id, options[id]);
  shape.dims[1] -= kernel - 1;
  const int32_t convolved = gen_output(g, op, OCL_FLOAT32, shape, false);
  g->is_operand[spread] = g->is_operand[convolved] = fuzz_one_in(g->b, 4);
  int32_t crops[] = {0, 0, 0, 0};
  for (int32_t i = 0; i < 4; i++)
    if (pads[i] > 0 && shape.dims[1 + i / 2] * size[i / 2] > 2) crops[i] = fuzz_below(g->b, 2);
  const ocl_shape to = {4,
                        {t.shape.dims[0], shape.dims[1] * size[0] - crops[0] - crops[1],
                         shape.dims[2] * size[1] - crops[2] - crops[3], shape.dims[3]}};
  if (to.dims[1] < 1 || to.dims[2] < 1) return;
  add_batch_blocks(g, OCL_OPERATOR_ROW_BATCH_TO_SPACE_ND, convolved, size, crops, to, false);
}

// ---- look-ups ----

// Indices from 0 to `size` - 1: constants, or the place of a largest number of a row.
static int32_t add_indices(generator* g, int32_t size, int32_t* count_out) {
  int32_t list[6];
  *count_out = fuzz_range(g->b, 1, 6);
  for (int32_t i = 0; i < *count_out; i++) list[i] = fuzz_below(g->b, size);
  if (fuzz_one_in(g->b, 20)) list[0] = fuzz_range(g->b, -1, size);
  const int32_t known = gen_ints(g, list, *count_out);
  if (fuzz_one_in(g->b, 2)) return known;
  // Of a row with `size` numbers: ARG_MAX of [count, size].
  const ocl_shape rows = {2, {*count_out, size}};
  if (g->net->num_inputs > 4 || !gen_is_small(&rows)) return known;
  const int32_t numbers = gen_add_input(g, OCL_FLOAT32, rows), axis = add_scalar(g, 1);
  tensor_of(g, numbers)->is_batch_free = tensor_of(g, numbers)->is_batched = false;
  tensor_of(g, numbers)->shape = rows;
  net_operator* op = gen_operator(g, OCL_OPERATOR_ROW_ARG_MAX);
  gen_input(op, numbers);
  gen_input(op, axis);
  g->net->is_smooth = false;
  return gen_output(g, op, OCL_INT32, (ocl_shape){1, {*count_out}}, false);
}

void gen_gather(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t axis = axis_of(g, &t.shape, t.is_batched);
  int32_t count;
  const int32_t indices = add_indices(g, t.shape.dims[axis], &count);
  ocl_shape shape = t.shape;
  shape.dims[axis] = count;
  if (!gen_is_small(&shape)) return;
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, indices);
  gen_option(op, 0, signed_axis(g, axis, t.shape.rank));
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched && axis > 0), input, false);
}

void gen_gather_nd(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0 || tensor_of(g, input)->is_batched) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t depth = fuzz_range(g->b, 1, t.shape.rank), count = fuzz_range(g->b, 1, 5);
  int32_t list[5 * OCL_MAX_RANK];
  for (int32_t i = 0; i < count * depth; i++) list[i] = fuzz_below(g->b, t.shape.dims[i % depth]);
  const int32_t indices = gen_ints(g, list, count * depth);
  tensor_of(g, indices)->shape = (ocl_shape){2, {count, depth}};
  ocl_shape shape = {1, {count}};
  for (int32_t d = depth; d < t.shape.rank; d++) shape.dims[shape.rank++] = t.shape.dims[d];
  if (!gen_is_small(&shape)) return;
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, indices);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, false), input, false);
}

// ---- transposed convolutions ----

void gen_transposed(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_map);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const bool is_custom = row == OCL_OPERATOR_ROW_Convolution2DTransposeBias, is_valid = fuzz_one_in(g->b, 2);
  if (t.dtype != OCL_FLOAT32 || (!is_custom && t.is_batched)) return;  // the batch is in its constant shape
  const int32_t stride_h = fuzz_range(g->b, 1, 3), stride_w = fuzz_range(g->b, 1, 3);
  const int32_t kernel_h = fuzz_range(g->b, 1, 4), kernel_w = fuzz_range(g->b, 1, 4), outputs = fuzz_range(g->b, 1, 9);
  const int32_t more_h = is_valid && kernel_h > stride_h ? kernel_h - stride_h : 0;
  const int32_t more_w = is_valid && kernel_w > stride_w ? kernel_w - stride_w : 0;
  const ocl_shape shape = {
      4, {t.shape.dims[0], t.shape.dims[1] * stride_h + more_h, t.shape.dims[2] * stride_w + more_w, outputs}};
  const ocl_shape kernel = {4, {outputs, kernel_h, kernel_w, t.shape.dims[3]}};
  if (!gen_is_small(&shape) || !gen_is_small(&kernel)) return;
  const int32_t size = is_custom ? -1 : gen_ints(g, shape.dims, 4);
  const int32_t weights = gen_constant(g, OCL_FLOAT32, kernel);
  const int32_t bias = is_custom || fuzz_one_in(g->b, 2) ? gen_constant(g, OCL_FLOAT32, (ocl_shape){1, {outputs}}) : -1;
  net_operator* op = gen_operator(g, row);
  gen_input(op, is_custom ? input : size);
  gen_input(op, weights);
  gen_input(op, is_custom ? bias : input);
  if (!is_custom && bias >= 0) gen_input(op, bias);
  const int32_t custom[] = {is_valid ? 2 : 1, stride_w, stride_h};
  if (is_custom) {
    memcpy(op->custom, custom, sizeof custom);
    op->custom_bytes = sizeof custom;
  } else {
    gen_option(op, 0, is_valid);
    gen_option(op, 1, stride_w);
    gen_option(op, 2, stride_h);
    gen_option(op, 3, fuzz_one_in(g->b, 3) ? fuzz_below(g->b, 4) : 0);
  }
  gen_output(g, op, OCL_FLOAT32, shape, t.is_batched);
}
