// One operator of a generated network. Each function below adds one kind of operator, or nothing if no tensor fits.
#include <math.h>

#include "detect/detection_postprocess.h"
#include "generator.h"
#include "kernels/kernels.h"

static net_tensor* tensor_of(generator* g, int32_t index) {
  return &g->net->tensors[index];
}

static int64_t activation(generator* g) {
  return fuzz_one_in(g->b, 3) ? fuzz_below(g->b, 4) : 0;
}

static int64_t signed_axis(generator* g, int32_t axis, int32_t rank) {
  return fuzz_one_in(g->b, 4) ? axis - rank : axis;
}

// ---- one input, the same shape ----

static void add_unary(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_numbers);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_requantize(g, gen_output(g, op, t.dtype, t.shape, t.is_batched), input, true);
}

static void add_softmax(generator* g, int32_t row) {
  const int32_t before = g->net->num_operators;
  add_unary(g, row);
  if (g->net->num_operators == before) return;
  net_operator* op = &g->net->operators[before];
  gen_float_option(op, 0, fuzz_one_in(g->b, 3) ? 0.25f * (float)fuzz_range(g->b, 1, 12) : 1);
  net_tensor* output = tensor_of(g, op->outputs[0]);
  if (output->shape.rank > 1 || !output->is_batched) return;
  output->is_batched = false;  // its one dimension is the batch
  output->is_mixed = true;
}

static void add_dequantize(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_8_bit);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_output(g, op, OCL_FLOAT32, t.shape, t.is_batched);
}

static void add_quantize(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_numbers);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  const int32_t output = gen_output(g, op, fuzz_one_in(g->b, 3) ? OCL_UINT8 : OCL_INT8, t.shape, t.is_batched);
  gen_quantize_any(g, tensor_of(g, output));
  g->net->is_smooth = false;
}

// ---- two inputs ----

// A shape that broadcasts to `to`.
static ocl_shape any_broadcast(generator* g, const ocl_shape* to, bool keeps_rank) {
  ocl_shape shape = *to;
  const int32_t dropped = keeps_rank || !fuzz_one_in(g->b, 2) ? 0 : fuzz_below(g->b, to->rank);
  shape.rank -= dropped;
  for (int32_t i = 0; i < shape.rank; i++) shape.dims[i] = fuzz_one_in(g->b, 3) ? 1 : to->dims[i + dropped];
  return shape;
}

static bool broadcast(const ocl_shape* a, const ocl_shape* b, ocl_shape* out) {
  out->rank = a->rank > b->rank ? a->rank : b->rank;
  for (int32_t i = 1; i <= out->rank; i++) {
    const int32_t x = i > a->rank ? 1 : a->dims[a->rank - i], y = i > b->rank ? 1 : b->dims[b->rank - i];
    if (x != y && x != 1 && y != 1) return false;
    out->dims[out->rank - i] = x == 1 ? y : x;
  }
  return true;
}

// Rows stay images if both operands have them in the same place, or one operand is the same for all.
static bool are_rows_kept(const net_tensor* a, const net_tensor* b) {
  if (a->is_batched && b->is_batched) return a->shape.rank == b->shape.rank;
  const net_tensor *rows = a->is_batched ? a : b, *other = a->is_batched ? b : a;
  return rows->is_batched &&
         (other->shape.rank < rows->shape.rank || (other->shape.rank == rows->shape.rank && other->shape.dims[0] == 1));
}

// Another operand of `a`: a tensor that broadcasts with it, or a constant.
static int32_t pick_operand(generator* g, int32_t a) {
  const net_tensor t = *tensor_of(g, a);
  ocl_shape shape;
  for (int32_t i = 0; i < 3; i++) {
    const int32_t b = gen_pick(g, gen_fits_summands);
    if (b >= 0 && b != a && tensor_of(g, b)->dtype == t.dtype && broadcast(&t.shape, &tensor_of(g, b)->shape, &shape))
      return b;
  }
  if (fuzz_one_in(g->b, 5)) return a;
  const int32_t b = gen_constant(g, t.dtype, any_broadcast(g, &t.shape, false));
  if (gen_is_8_bit(&t)) gen_quantize_any(g, tensor_of(g, b));
  g->is_operand[b] = fuzz_one_in(g->b, 2);
  return b;
}

static void add_binary(generator* g, int32_t row) {
  int32_t a = gen_pick(g, gen_fits_summands);
  if (a < 0) return;
  int32_t b = pick_operand(g, a);
  ocl_shape shape;
  if (!broadcast(&tensor_of(g, a)->shape, &tensor_of(g, b)->shape, &shape) || !gen_is_small(&shape)) return;
  const bool is_batched = are_rows_kept(tensor_of(g, a), tensor_of(g, b));
  const ocl_dtype dtype = tensor_of(g, a)->dtype;
  net_operator* op = gen_operator(g, row);
  if (fuzz_one_in(g->b, 4)) {
    const int32_t swapped = a;
    a = b;
    b = swapped;
  }
  gen_input(op, a);
  gen_input(op, b);
  gen_option(op, 0, dtype == OCL_INT32 ? 0 : activation(g));
  gen_requantize(g, gen_output(g, op, dtype, shape, is_batched), a, true);
}

static void add_prelu(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_numbers);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t alpha = gen_constant(g, t.dtype, any_broadcast(g, &t.shape, false));
  if (gen_is_8_bit(&t)) gen_quantize_any(g, tensor_of(g, alpha));
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, alpha);
  gen_requantize(g, gen_output(g, op, t.dtype, t.shape, t.is_batched), input, true);
}

// ---- windows ----

typedef struct {
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  bool is_valid;  // else SAME
} window;

static int32_t stride(generator* g) {
  return fuzz_one_in(g->b, 3) ? fuzz_range(g->b, 1, 9) : fuzz_range(g->b, 1, 2);
}

static window any_window(generator* g, bool is_dilated) {
  window w = {.is_valid = fuzz_one_in(g->b, 2), .dilation_h = 1, .dilation_w = 1};
  w.kernel_h = fuzz_one_in(g->b, 3) ? fuzz_range(g->b, 1, 7) : fuzz_one_in(g->b, 2) ? 1 : 3;
  w.kernel_w = fuzz_one_in(g->b, 3) ? fuzz_range(g->b, 1, 7) : w.kernel_h;
  w.stride_h = stride(g);
  w.stride_w = fuzz_one_in(g->b, 3) ? stride(g) : w.stride_h;
  if (!is_dilated || !fuzz_one_in(g->b, 4)) return w;
  w.dilation_h = stride(g);
  w.dilation_w = stride(g);
  return w;
}

static int32_t window_outputs(bool is_valid, int32_t size, int32_t kernel, int32_t by, int32_t dilation) {
  if (!is_valid) return (size + by - 1) / by;
  const int32_t span = (kernel - 1) * dilation + 1;
  return size < span ? 0 : (size - span) / by + 1;
}

static bool slide(const window* w, const ocl_shape* input, int32_t channels, ocl_shape* out) {
  *out =
      (ocl_shape){4,
                  {input->dims[0], window_outputs(w->is_valid, input->dims[1], w->kernel_h, w->stride_h, w->dilation_h),
                   window_outputs(w->is_valid, input->dims[2], w->kernel_w, w->stride_w, w->dilation_w), channels}};
  return out->dims[1] > 0 && out->dims[2] > 0 && gen_is_small(out);
}

static void add_pool(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_map);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const window w = any_window(g, false);
  ocl_shape shape;
  if (!slide(&w, &t.shape, t.shape.dims[3], &shape)) return;
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  const int64_t options[] = {w.is_valid, w.stride_w, w.stride_h, w.kernel_w, w.kernel_h, activation(g)};
  for (uint8_t id = 0; id < 6; id++) gen_option(op, id, options[id]);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched), input, false);
}

// ---- weights ----

// One scale, or one for each index of `axis`.
static void quantize_weights(generator* g, net_tensor* t, int32_t axis) {
  const bool has_many = t->dtype == OCL_INT8 && fuzz_one_in(g->b, 2);
  t->num_scales = has_many ? t->shape.dims[axis] : 1;
  t->axis = axis;
  for (int32_t i = 0; i < t->num_scales; i++) {
    t->scales[i] = 0.002f + 0.001f * (float)(fuzz_random(&g->random) % 8);
    t->zero_points[i] = t->dtype == OCL_UINT8 ? fuzz_random(&g->random) % 256 : 0;
  }
}

// What a DEQUANTIZE makes of a constant.
static int32_t dequantized(generator* g, int32_t constant) {
  net_operator* op = gen_operator(g, OCL_OPERATOR_ROW_DEQUANTIZE);
  gen_input(op, constant);
  const int32_t output = gen_output(g, op, OCL_FLOAT32, tensor_of(g, constant)->shape, false);
  g->is_operand[output] = false;
  return output;
}

enum { FLOATS, HALVES, HYBRID, UNPACKED_INT8, UNPACKED_UINT8, NUM_WEIGHT_FORMS };

static int32_t add_kernel(generator* g, ocl_dtype of_input, ocl_shape shape, int32_t axis) {
  if (of_input != OCL_FLOAT32) {
    const int32_t kernel = gen_constant(g, of_input, shape);
    quantize_weights(g, tensor_of(g, kernel), axis);
    return kernel;
  }
  static const ocl_dtype kDtypes[] = {OCL_FLOAT32, OCL_FLOAT16, OCL_INT8, OCL_INT8, OCL_UINT8};
  const int32_t form = fuzz_one_in(g->b, 2) ? fuzz_below(g->b, NUM_WEIGHT_FORMS) : FLOATS;
  const int32_t kernel = gen_constant(g, kDtypes[form], shape);
  if (gen_is_8_bit(tensor_of(g, kernel))) quantize_weights(g, tensor_of(g, kernel), axis);
  if (form == HYBRID) g->net->is_smooth = false;
  return form == FLOATS || form == HYBRID ? kernel : dequantized(g, kernel);
}

// -1: the operator has none.
static int32_t add_bias(generator* g, ocl_dtype of_input, int32_t channels) {
  if (fuzz_one_in(g->b, 4)) return -1;
  const ocl_shape shape = {1, {channels}};
  if (of_input != OCL_FLOAT32) return gen_constant(g, OCL_INT32, shape);
  return fuzz_one_in(g->b, 4) ? dequantized(g, gen_constant(g, OCL_FLOAT16, shape))
                              : gen_constant(g, OCL_FLOAT32, shape);
}

// Whole panels (src/kernels/kernels.h), in every other block of convolutions.
static int32_t channels_of_block(generator* g) {
  return OCL_PANEL * fuzz_range(g->b, 1, 4);
}

static int32_t any_channels(generator* g) {
  return fuzz_one_in(g->b, 3) ? fuzz_range(g->b, 1, 40) : fuzz_range(g->b, 1, 12);
}

static void add_weighted(generator* g, int32_t row, int32_t input, int32_t kernel, int32_t channels,
                         const int64_t* options, uint8_t num_options, ocl_shape shape) {
  const net_tensor t = *tensor_of(g, input);
  const int32_t bias = add_bias(g, t.dtype, channels);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, kernel);
  if (bias >= 0 || fuzz_one_in(g->b, 2)) gen_input(op, bias);
  for (uint8_t id = 0; id < num_options; id++) gen_option(op, id, options[id]);
  const int32_t output = gen_output(g, op, t.dtype, shape, t.is_batched);
  if (gen_is_8_bit(tensor_of(g, output))) gen_quantize_any(g, tensor_of(g, output));
}

// -1: the window does not fit.
static int32_t conv_of(generator* g, int32_t input, const window* w, int32_t groups, int32_t channels) {
  const net_tensor t = *tensor_of(g, input);
  const int32_t inputs = t.shape.dims[3];
  const ocl_shape kernel_shape = {4, {channels, w->kernel_h, w->kernel_w, inputs / groups}};
  ocl_shape shape;
  if (inputs % groups != 0 || channels > MAX_CHANNELS || !gen_is_small(&kernel_shape)) return -1;
  if (!slide(w, &t.shape, channels, &shape)) return -1;
  const int32_t kernel = add_kernel(g, t.dtype, kernel_shape, 0);
  const int64_t options[] = {w->is_valid, w->stride_w, w->stride_h, activation(g), w->dilation_w, w->dilation_h};
  add_weighted(g, OCL_OPERATOR_ROW_CONV_2D, input, kernel, channels, options, 6, shape);
  return g->net->num_tensors - 1;
}

static int32_t depthwise_of(generator* g, int32_t input, const window* w, int32_t multiplier) {
  const net_tensor t = *tensor_of(g, input);
  const int32_t channels = t.shape.dims[3] * multiplier;
  const ocl_shape kernel_shape = {4, {1, w->kernel_h, w->kernel_w, channels}};
  ocl_shape shape;
  if (channels > MAX_CHANNELS || !slide(w, &t.shape, channels, &shape)) return -1;
  const int32_t kernel = add_kernel(g, t.dtype, kernel_shape, 3);
  const int64_t options[] = {w->is_valid,   w->stride_w,   w->stride_h,  multiplier,
                             activation(g), w->dilation_w, w->dilation_h};
  add_weighted(g, OCL_OPERATOR_ROW_DEPTHWISE_CONV_2D, input, kernel, channels, options, 7, shape);
  return g->net->num_tensors - 1;
}

static const window kPixel = {1, 1, 1, 1, 1, 1, false};

// Behind a convolution: a depthwise one and a 1x1, which nothing else reads; the three may run band by band.
static void add_rest_of_block(generator* g, int32_t expanded) {
  if (!gen_has_room(g)) return;
  window w = any_window(g, true);
  if (fuzz_one_in(g->b, 2)) w = (window){3, 3, w.stride_h, fuzz_range(g->b, 1, 2), 1, 1, w.is_valid};
  g->is_operand[expanded] = fuzz_one_in(g->b, 4);
  const int32_t filtered =
      fuzz_one_in(g->b, 4) ? conv_of(g, expanded, &w, 1, any_channels(g)) : depthwise_of(g, expanded, &w, 1);
  if (filtered < 0 || !gen_has_room(g)) return;
  g->is_operand[filtered] = fuzz_one_in(g->b, 4);
  conv_of(g, filtered, &kPixel, 1, any_channels(g));
}

static void add_conv(generator* g, int32_t row) {
  (void)row;
  const int32_t input = gen_pick(g, gen_fits_map);
  if (input < 0) return;
  const window w = fuzz_one_in(g->b, 3) ? kPixel : any_window(g, true);
  const int32_t groups = fuzz_one_in(g->b, 6) ? fuzz_range(g->b, 1, 4) : 1;
  const bool is_block = fuzz_one_in(g->b, 3);
  const int32_t channels = is_block && fuzz_one_in(g->b, 2) ? channels_of_block(g) : any_channels(g);
  const int32_t output = conv_of(g, input, &w, groups, groups * channels);
  if (output >= 0 && is_block) add_rest_of_block(g, output);
}

static void add_depthwise(generator* g, int32_t row) {
  (void)row;
  const int32_t input = gen_pick(g, gen_fits_map);
  if (input < 0) return;
  const window w = any_window(g, true);
  depthwise_of(g, input, &w, fuzz_one_in(g->b, 3) ? fuzz_range(g->b, 1, 3) : 1);
}

static void add_fully_connected(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_numbers);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t rank = t.shape.rank;
  const bool keeps_dims = rank > 1 && fuzz_one_in(g->b, 3);
  int32_t inputs = t.shape.dims[rank - 1];
  for (int32_t i = rank - 2; i > 0 && !keeps_dims; i--)
    if (inputs * t.shape.dims[i] <= 512 && !fuzz_one_in(g->b, 4)) inputs *= t.shape.dims[i];
  const int32_t elements = (int32_t)ocl_shape_num_elements(&t.shape), channels = any_channels(g);
  const ocl_shape kernel_shape = {2, {channels, inputs}};
  ocl_shape shape = t.shape;
  shape.dims[rank - 1] = channels;
  if (!keeps_dims) shape = (ocl_shape){2, {elements / inputs, channels}};
  if (elements % inputs != 0 || !gen_is_small(&shape) || !gen_is_small(&kernel_shape)) return;
  const int32_t kernel = add_kernel(g, t.dtype, kernel_shape, 0);
  // weights_format, between these two, is 0.
  const int64_t options[] = {activation(g), 0, keeps_dims};
  add_weighted(g, row, input, kernel, channels, options, 3, shape);
}

// ---- joining ----

static void add_concatenation(generator* g, int32_t row) {
  const int32_t first = gen_pick(g, gen_fits_any);
  if (first < 0) return;
  const net_tensor t = *tensor_of(g, first);
  const int32_t axis = fuzz_one_in(g->b, 2) ? fuzz_below(g->b, t.shape.rank) : t.shape.rank - 1;
  int32_t inputs[6] = {first}, count = 1;
  const int32_t wanted = fuzz_range(g->b, 1, 4);
  ocl_shape shape = t.shape;
  bool is_batched = t.is_batched && axis > 0;
  for (int32_t i = 0; i < wanted; i++) {
    const int32_t other = gen_pick(g, gen_fits_any);
    const net_tensor* o = tensor_of(g, other < 0 ? first : other);
    ocl_shape fit = o->shape;
    if (o->dtype != t.dtype || o->num_scales != t.num_scales || fit.rank != shape.rank) continue;
    fit.dims[axis] = t.shape.dims[axis];
    if (!ocl_shape_is_same(&fit, &t.shape)) continue;
    is_batched = is_batched && o->is_batched;
    shape.dims[axis] += o->shape.dims[axis];
    inputs[count++] = other < 0 ? first : other;
  }
  if (fuzz_one_in(g->b, 12)) {
    ocl_shape none = t.shape;
    none.dims[axis] = 0;
    inputs[count++] = gen_constant(g, t.dtype, none);
    if (gen_is_8_bit(&t)) gen_requantize(g, inputs[count - 1], first, true);
    is_batched = false;
  }
  if (!gen_is_small(&shape)) return;
  net_operator* op = gen_operator(g, row);
  for (int32_t i = 0; i < count; i++) gen_input(op, inputs[i]);
  gen_option(op, 0, signed_axis(g, axis, shape.rank));
  gen_requantize(g, gen_output(g, op, t.dtype, shape, is_batched), first, t.num_scales == 1);
}

static void add_pack(generator* g, int32_t row) {
  const int32_t first = gen_pick(g, gen_fits_any);
  if (first < 0 || tensor_of(g, first)->shape.rank == OCL_MAX_RANK) return;
  const net_tensor t = *tensor_of(g, first);
  const int32_t count = fuzz_range(g->b, 1, 4), axis = fuzz_below(g->b, t.shape.rank + 1);
  ocl_shape shape = {.rank = t.shape.rank + 1};
  for (int32_t i = 0; i < shape.rank; i++)
    shape.dims[i] = i < axis ? t.shape.dims[i] : i == axis ? count : t.shape.dims[i - 1];
  if (!gen_is_small(&shape)) return;
  bool is_batched = t.is_batched && axis > 0;
  net_operator* op = gen_operator(g, row);
  for (int32_t i = 0; i < count; i++) {
    const int32_t other = gen_pick(g, gen_fits_any);
    const net_tensor* o = other < 0 ? &t : tensor_of(g, other);
    const bool is_alike =
        o->dtype == t.dtype && o->num_scales == t.num_scales && ocl_shape_is_same(&o->shape, &t.shape);
    is_batched = is_batched && (!is_alike || o->is_batched);
    gen_input(op, other >= 0 && is_alike ? other : first);
  }
  gen_option(op, 0, count);
  gen_option(op, 1, signed_axis(g, axis, shape.rank));
  gen_requantize(g, gen_output(g, op, t.dtype, shape, is_batched), first, t.num_scales == 1);
}

// ---- shapes ----

// Moves factors between the dimensions after the first; or, rarely, all of them.
static ocl_shape reshaped(generator* g, const ocl_shape* from, bool keeps_rows) {
  const int32_t first = keeps_rows ? 1 : 0;
  int32_t left = 1;
  for (int32_t i = first; i < from->rank; i++) left *= from->dims[i];
  ocl_shape shape = {.rank = first};
  if (keeps_rows) shape.dims[0] = from->dims[0];
  while (shape.rank < OCL_MAX_RANK - 1 && left > 1 && !fuzz_one_in(g->b, 3)) {
    int32_t factor = fuzz_range(g->b, 1, 16);
    while (left % factor != 0) factor--;
    shape.dims[shape.rank++] = factor;
    left /= factor;
  }
  shape.dims[shape.rank++] = left;
  return shape;
}

static void add_reshape(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const bool keeps_rows = t.is_batched && t.shape.rank > 1 && !fuzz_one_in(g->b, 8);
  const ocl_shape shape = reshaped(g, &t.shape, keeps_rows);
  ocl_shape given = shape;
  if (keeps_rows || fuzz_one_in(g->b, 3)) given.dims[keeps_rows ? 0 : fuzz_below(g->b, shape.rank)] = -1;
  const bool is_option = fuzz_one_in(g->b, 3);
  const int32_t ints = is_option ? -1 : gen_ints(g, given.dims, given.rank);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  if (!is_option) gen_input(op, ints);
  if (is_option) gen_ints_option(op, 0, &given);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, keeps_rows), input, false);
}

// What Keras makes of a Reshape or Flatten: the batch read from the shape at run time.
static void add_reshape_by_shape(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_numbers);
  if (input < 0 || tensor_of(g, input)->shape.rank < 2 || !tensor_of(g, input)->is_batched) return;
  const net_tensor t = *tensor_of(g, input);
  const ocl_shape shape = reshaped(g, &t.shape, true);
  const int32_t begin = gen_ints(g, &(int32_t){0}, 1), end = gen_ints(g, &(int32_t){1}, 1);
  int32_t rest[OCL_MAX_RANK];
  for (int32_t i = 1; i < shape.rank; i++) {
    rest[i] = gen_ints(g, &shape.dims[i], 1);
    tensor_of(g, rest[i])->shape.rank = 0;
  }
  net_operator* op = gen_operator(g, OCL_OPERATOR_ROW_SHAPE);
  gen_input(op, input);
  const int32_t dims = gen_output(g, op, OCL_INT32, (ocl_shape){1, {t.shape.rank}}, false);
  op = gen_operator(g, OCL_OPERATOR_ROW_STRIDED_SLICE);
  const int32_t slice[] = {dims, begin, end, end};
  for (int32_t i = 0; i < 4; i++) gen_input(op, slice[i]);
  gen_option(op, 4, 1);
  const int32_t batch = gen_output(g, op, OCL_INT32, (ocl_shape){0}, false);
  op = gen_operator(g, OCL_OPERATOR_ROW_PACK);
  gen_input(op, batch);
  for (int32_t i = 1; i < shape.rank; i++) gen_input(op, rest[i]);
  gen_option(op, 0, shape.rank);
  const int32_t packed = gen_output(g, op, OCL_INT32, (ocl_shape){1, {shape.rank}}, false);
  op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, packed);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, true), input, false);
  g->is_operand[dims] = g->is_operand[batch] = g->is_operand[packed] = fuzz_one_in(g->b, 4);
}

static void add_any_reshape(generator* g, int32_t row) {
  if (fuzz_one_in(g->b, 4))
    add_reshape_by_shape(g, row);
  else
    add_reshape(g, row);
}

static void add_shape(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0) return;
  const int32_t rank = tensor_of(g, input)->shape.rank;
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_output(g, op, fuzz_one_in(g->b, 6) ? OCL_INT64 : OCL_INT32, (ocl_shape){1, {rank}}, false);
}

static void add_squeeze(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const bool is_listed = t.is_batched || fuzz_one_in(g->b, 2);
  ocl_shape shape = {0}, listed = {0};
  for (int32_t i = 0; i < t.shape.rank; i++) {
    const bool is_kept = t.shape.dims[i] != 1 || (is_listed && ((i == 0 && t.is_batched) || fuzz_one_in(g->b, 3)));
    if (is_kept)
      shape.dims[shape.rank++] = t.shape.dims[i];
    else if (is_listed)
      listed.dims[listed.rank++] = (int32_t)signed_axis(g, i, t.shape.rank);
  }
  if (is_listed && listed.rank == 0) return;
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  if (is_listed) gen_ints_option(op, 0, &listed);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched && shape.rank > 0), input, false);
}

static void add_expand_dims(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0 || tensor_of(g, input)->shape.rank == OCL_MAX_RANK) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t rank = t.shape.rank + 1, axis = fuzz_below(g->b, rank);
  ocl_shape shape = {.rank = rank};
  for (int32_t i = 0; i < rank; i++) shape.dims[i] = i < axis ? t.shape.dims[i] : i == axis ? 1 : t.shape.dims[i - 1];
  const int32_t given = (int32_t)signed_axis(g, axis, rank), ints = gen_ints(g, &given, 1);
  if (fuzz_one_in(g->b, 2)) tensor_of(g, ints)->shape.rank = 0;
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, ints);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched && axis > 0), input, false);
}

// ---- moving ----

static void add_pad(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_numbers);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  int32_t paddings[2 * OCL_MAX_RANK] = {0};
  ocl_shape shape = t.shape;
  const bool is_spatial = shape.rank == 4 && !fuzz_one_in(g->b, 4);
  for (int32_t i = is_spatial ? 1 : t.is_batched; i < (is_spatial ? 3 : shape.rank); i++)
    for (int32_t side = 0; side < 2; side++) {
      paddings[2 * i + side] = fuzz_one_in(g->b, 2) ? fuzz_range(g->b, 0, 4) : 0;
      shape.dims[i] += paddings[2 * i + side];
    }
  if (!gen_is_small(&shape)) return;
  const int32_t ints = gen_ints(g, paddings, 2 * shape.rank);
  tensor_of(g, ints)->shape = (ocl_shape){2, {shape.rank, 2}};
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, ints);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched), input, false);
}

static void add_transpose(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t rank = t.shape.rank, first = t.is_batched && !fuzz_one_in(g->b, 4);
  int32_t order[OCL_MAX_RANK] = {0};
  ocl_shape shape = t.shape;
  for (int32_t i = 1; i < rank; i++) order[i] = i;
  for (int32_t i = rank - 1; i > first; i--) {
    const int32_t j = fuzz_range(g->b, first, i), moved = order[i];
    order[i] = order[j];
    order[j] = moved;
  }
  for (int32_t i = 0; i < rank; i++) shape.dims[i] = t.shape.dims[order[i]];
  const int32_t ints = gen_ints(g, order, rank);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, ints);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched && order[0] == 0), input, false);
}

static void add_tile(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  int32_t multiples[OCL_MAX_RANK];
  ocl_shape shape = t.shape;
  for (int32_t i = 0; i < shape.rank; i++) {
    multiples[i] = !(i == 0 && t.is_batched) && fuzz_one_in(g->b, 3) ? fuzz_range(g->b, 1, 4) : 1;
    shape.dims[i] *= multiples[i];
  }
  if (!gen_is_small(&shape)) return;
  const int32_t ints = gen_ints(g, multiples, shape.rank);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, ints);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched), input, false);
}

typedef struct {
  int32_t begin, end, by, count;
  bool has_begin, has_end, is_shrunk;
} slice;

// Of a dimension of `size`: forwards or backwards, by indices from either end, or without an end.
static slice any_slice(generator* g, int32_t size) {
  slice s = {.by = fuzz_one_in(g->b, 3) ? fuzz_range(g->b, 1, 3) : 1, .has_begin = true, .has_end = true};
  int32_t first = fuzz_below(g->b, size), last = fuzz_range(g->b, first, size - 1);
  s.is_shrunk = fuzz_one_in(g->b, 6);
  if (s.is_shrunk) return (slice){first, first + 1, 1, 1, true, true, true};
  const bool is_backwards = fuzz_one_in(g->b, 4);
  s.has_begin = !fuzz_one_in(g->b, 4);
  s.has_end = !fuzz_one_in(g->b, 4);
  if (!s.has_begin) first = is_backwards ? first : 0;
  if (!s.has_begin && is_backwards) last = size - 1;
  if (!s.has_end) first = is_backwards ? 0 : first;
  if (!s.has_end && !is_backwards) last = size - 1;
  s.count = (last - first) / s.by + 1;
  s.begin = is_backwards ? last : first;
  s.end = is_backwards ? first - 1 : last + 1;
  if (is_backwards && s.end < 0) s.has_end = false;
  if (is_backwards) s.by = -s.by;
  if (fuzz_one_in(g->b, 4)) s.begin -= size;
  return s;
}

static void add_strided_slice(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_any);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t given = fuzz_one_in(g->b, 3) ? fuzz_range(g->b, 1, t.shape.rank) : t.shape.rank;
  int32_t begin[OCL_MAX_RANK], end[OCL_MAX_RANK], by[OCL_MAX_RANK], begin_mask = 0, end_mask = 0, shrink_mask = 0;
  ocl_shape shape = {0};
  for (int32_t i = 0; i < t.shape.rank; i++) {
    slice s = {0, 0, 1, t.shape.dims[i], false, false, false};
    if (i < given && !(i == 0 && t.is_batched)) s = any_slice(g, t.shape.dims[i]);
    begin[i] = s.begin;
    end[i] = s.end;
    by[i] = s.by;
    begin_mask |= !s.has_begin << i;
    end_mask |= !s.has_end << i;
    shrink_mask |= s.is_shrunk << i;
    if (!s.is_shrunk) shape.dims[shape.rank++] = s.count;
  }
  const int32_t inputs[] = {input, gen_ints(g, begin, given), gen_ints(g, end, given), gen_ints(g, by, given)};
  net_operator* op = gen_operator(g, row);
  for (int32_t i = 0; i < 4; i++) gen_input(op, inputs[i]);
  gen_option(op, 0, begin_mask);
  gen_option(op, 1, end_mask);
  gen_option(op, 4, shrink_mask);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched), input, false);
}

static void add_resize(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_map);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t size[] = {fuzz_range(g->b, 1, 20), fuzz_range(g->b, 1, 20)};
  const ocl_shape shape = {4, {t.shape.dims[0], size[0], size[1], t.shape.dims[3]}};
  if (!gen_is_small(&shape)) return;
  const int32_t ints = gen_ints(g, size, 2), sampling = fuzz_below(g->b, 3);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, ints);
  const uint8_t first = row == OCL_OPERATOR_ROW_RESIZE_BILINEAR ? 2 : 0;
  gen_option(op, first, sampling == 1);
  gen_option(op, first + 1, sampling == 2);
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched), input, false);
}

// ---- reducing ----

static void add_reduction(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_numbers);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const bool keeps_dims = fuzz_one_in(g->b, 2), is_spatial = t.shape.rank == 4 && fuzz_one_in(g->b, 2);
  int32_t axes[OCL_MAX_RANK], count = 0;
  ocl_shape shape = {0};
  for (int32_t i = 0; i < t.shape.rank; i++) {
    const bool is_reduced = is_spatial ? i == 1 || i == 2 : !(i == 0 && t.is_batched) && fuzz_one_in(g->b, 2);
    if (is_reduced) axes[count++] = (int32_t)signed_axis(g, i, t.shape.rank);
    if (!is_reduced || keeps_dims) shape.dims[shape.rank++] = is_reduced ? 1 : t.shape.dims[i];
  }
  if (count == 0) return;
  const int32_t ints = gen_ints(g, axes, count);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, ints);
  gen_option(op, 0, keeps_dims);
  const bool may_differ = row == OCL_OPERATOR_ROW_MEAN;
  gen_requantize(g, gen_output(g, op, t.dtype, shape, t.is_batched), input, may_differ);
}

static void add_arg_max(generator* g, int32_t row) {
  const int32_t input = gen_pick(g, gen_fits_numbers);
  if (input < 0) return;
  const net_tensor t = *tensor_of(g, input);
  const int32_t axis = fuzz_one_in(g->b, 3) ? fuzz_below(g->b, t.shape.rank) : t.shape.rank - 1;
  ocl_shape shape = {0};
  for (int32_t i = 0; i < t.shape.rank; i++)
    if (i != axis) shape.dims[shape.rank++] = t.shape.dims[i];
  const int32_t given = (int32_t)signed_axis(g, axis, t.shape.rank), ints = gen_ints(g, &given, 1);
  net_operator* op = gen_operator(g, row);
  gen_input(op, input);
  gen_input(op, ints);
  gen_output(g, op, fuzz_one_in(g->b, 3) ? OCL_INT64 : OCL_INT32, shape, t.is_batched && axis > 0);
  g->net->is_smooth = false;
}

// ---- detections ----

// A FlexBuffer of numbers of 4 bytes each: keys, the vector of keys, the map, its root.
typedef struct {
  uint8_t* bytes;
  uint32_t size_bytes;
} flexbuffer;

static void put_u32(flexbuffer* f, uint32_t value) {
  memcpy(f->bytes + f->size_bytes, &value, 4);
  f->size_bytes += 4;
}

static void put_offset(flexbuffer* f, uint32_t target) {
  put_u32(f, f->size_bytes - target);
}

enum { INT_TYPE = 1 << 2 | 2, FLOAT_TYPE = 3 << 2 | 2, MAP_TYPE = 9 << 2 | 2, NUM_KEYS = 11 };

static uint32_t write_map(uint8_t* bytes, const char* const keys[NUM_KEYS], const uint32_t values[NUM_KEYS],
                          const uint8_t types[NUM_KEYS]) {
  flexbuffer f = {bytes, 0};
  uint32_t places[NUM_KEYS];
  for (int i = 0; i < NUM_KEYS; i++) {
    places[i] = f.size_bytes;
    memcpy(bytes + f.size_bytes, keys[i], strlen(keys[i]) + 1);
    f.size_bytes += (uint32_t)strlen(keys[i]) + 1;
  }
  while (f.size_bytes % 4 != 0) bytes[f.size_bytes++] = 0;
  put_u32(&f, NUM_KEYS);
  const uint32_t vector = f.size_bytes;
  for (int i = 0; i < NUM_KEYS; i++) put_offset(&f, places[i]);
  put_offset(&f, vector);
  put_u32(&f, 4);
  put_u32(&f, NUM_KEYS);
  const uint32_t map = f.size_bytes;
  for (int i = 0; i < NUM_KEYS; i++) put_u32(&f, values[i]);
  memcpy(bytes + f.size_bytes, types, NUM_KEYS);
  f.size_bytes += NUM_KEYS;
  put_offset(&f, map);
  bytes[f.size_bytes++] = MAP_TYPE;
  bytes[f.size_bytes++] = 4;
  return f.size_bytes;
}

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

// Keys in the order of their bytes, as FlexBuffers want them.
static uint32_t write_postprocess_options(generator* g, uint8_t* bytes, int32_t num_classes, int32_t* num_rows_out) {
  static const char* const kKeys[NUM_KEYS] = {"detections_per_class",
                                              "h_scale",
                                              "max_classes_per_detection",
                                              "max_detections",
                                              "nms_iou_threshold",
                                              "nms_score_threshold",
                                              "num_classes",
                                              "use_regular_nms",
                                              "w_scale",
                                              "x_scale",
                                              "y_scale"};
  static const uint8_t kTypes[NUM_KEYS] = {INT_TYPE, FLOAT_TYPE, INT_TYPE,   INT_TYPE,   FLOAT_TYPE, FLOAT_TYPE,
                                           INT_TYPE, INT_TYPE,   FLOAT_TYPE, FLOAT_TYPE, FLOAT_TYPE};
  const int32_t per_class = fuzz_range(g->b, 1, 12), per_box = fuzz_range(g->b, 1, 4), most = fuzz_range(g->b, 1, 30);
  const uint32_t iou = bits_of((float)fuzz_range(g->b, 1, 10) / 10), score = bits_of((float)fuzz_below(g->b, 10) / 10);
  const uint32_t five = bits_of(5), ten = bits_of(10);
  const uint32_t values[NUM_KEYS] = {(uint32_t)per_class,
                                     five,
                                     (uint32_t)per_box,
                                     (uint32_t)most,
                                     iou,
                                     score,
                                     (uint32_t)num_classes,
                                     (uint32_t)fuzz_below(g->b, 2),
                                     five,
                                     ten,
                                     ten};
  *num_rows_out = per_box * most;
  return write_map(bytes, kKeys, values, kTypes);
}

// Boxes or scores: a tensor that is there, in another shape, or an input of its own.
static int32_t add_head(generator* g, int32_t anchors, int32_t columns) {
  const ocl_shape shape = {3, {1, anchors, columns}};
  for (int32_t i = 0; i < 4; i++) {
    const int32_t input = gen_pick(g, gen_fits_numbers);
    if (input < 0 || ocl_shape_num_elements(&tensor_of(g, input)->shape) != (size_t)(anchors * columns)) continue;
    const ocl_dtype dtype = tensor_of(g, input)->dtype;
    const int32_t ints = gen_ints(g, shape.dims, 3);
    net_operator* op = gen_operator(g, OCL_OPERATOR_ROW_RESHAPE);
    gen_input(op, input);
    gen_input(op, ints);
    const int32_t head = gen_output(g, op, dtype, shape, false);
    gen_requantize(g, head, input, false);
    return head;
  }
  return gen_add_input(g, fuzz_one_in(g->b, 3) ? OCL_UINT8 : OCL_FLOAT32, shape);
}

static void add_postprocess(generator* g, int32_t row) {
  if (g->net->num_inputs > 4) return;
  const int32_t anchors = fuzz_range(g->b, 1, 60), num_classes = fuzz_range(g->b, 1, 8);
  const int32_t boxes = add_head(g, anchors, 4), scores = add_head(g, anchors, num_classes + fuzz_below(g->b, 2));
  const int32_t priors = gen_constant(g, OCL_FLOAT32, (ocl_shape){2, {anchors, 4}});
  for (int32_t i = 0; i < 4 * anchors; i++) {
    float* prior = (float*)(void*)tensor_of(g, priors)->data + i;
    *prior = fabsf(*prior);
  }
  int32_t rows;
  net_operator* op = gen_operator(g, row);
  op->custom_bytes = write_postprocess_options(g, op->custom, num_classes, &rows);
  gen_input(op, boxes);
  gen_input(op, scores);
  gen_input(op, priors);
  gen_output(g, op, OCL_FLOAT32, (ocl_shape){3, {1, rows, 4}}, false);
  gen_output(g, op, OCL_FLOAT32, (ocl_shape){2, {1, rows}}, false);
  gen_output(g, op, OCL_FLOAT32, (ocl_shape){2, {1, rows}}, false);
  gen_output(g, op, OCL_FLOAT32, (ocl_shape){1, {1}}, false);
  g->net->is_smooth = false;
}

// ---- all of operators.def ----

// Every operator has its function: gen_step() ends the program if a new row has none.
static void (*const kSteps[OCL_NUM_OPERATORS])(generator* g, int32_t row) = {
    [OCL_OPERATOR_ROW_ADD] = add_binary,
    [OCL_OPERATOR_ROW_SUB] = add_binary,
    [OCL_OPERATOR_ROW_MUL] = add_binary,
    [OCL_OPERATOR_ROW_AVERAGE_POOL_2D] = add_pool,
    [OCL_OPERATOR_ROW_MAX_POOL_2D] = add_pool,
    [OCL_OPERATOR_ROW_CONCATENATION] = add_concatenation,
    [OCL_OPERATOR_ROW_CONV_2D] = add_conv,
    [OCL_OPERATOR_ROW_DEPTHWISE_CONV_2D] = add_depthwise,
    [OCL_OPERATOR_ROW_DEQUANTIZE] = add_dequantize,
    [OCL_OPERATOR_ROW_FULLY_CONNECTED] = add_fully_connected,
    [OCL_OPERATOR_ROW_LOGISTIC] = add_unary,
    [OCL_OPERATOR_ROW_RELU] = add_unary,
    [OCL_OPERATOR_ROW_RELU6] = add_unary,
    [OCL_OPERATOR_ROW_RESHAPE] = add_any_reshape,
    [OCL_OPERATOR_ROW_RESIZE_BILINEAR] = add_resize,
    [OCL_OPERATOR_ROW_SOFTMAX] = add_softmax,
    [OCL_OPERATOR_ROW_PAD] = add_pad,
    [OCL_OPERATOR_ROW_TRANSPOSE] = add_transpose,
    [OCL_OPERATOR_ROW_MEAN] = add_reduction,
    [OCL_OPERATOR_ROW_SQUEEZE] = add_squeeze,
    [OCL_OPERATOR_ROW_STRIDED_SLICE] = add_strided_slice,
    [OCL_OPERATOR_ROW_PRELU] = add_prelu,
    [OCL_OPERATOR_ROW_ARG_MAX] = add_arg_max,
    [OCL_OPERATOR_ROW_TILE] = add_tile,
    [OCL_OPERATOR_ROW_EXPAND_DIMS] = add_expand_dims,
    [OCL_OPERATOR_ROW_SHAPE] = add_shape,
    [OCL_OPERATOR_ROW_REDUCE_MAX] = add_reduction,
    [OCL_OPERATOR_ROW_PACK] = add_pack,
    [OCL_OPERATOR_ROW_RESIZE_NEAREST_NEIGHBOR] = add_resize,
    [OCL_OPERATOR_ROW_ABS] = add_unary,
    [OCL_OPERATOR_ROW_QUANTIZE] = add_quantize,
    [OCL_OPERATOR_ROW_HARD_SWISH] = add_unary,
    [OCL_OPERATOR_ROW_FLOOR] = gen_function,
    [OCL_OPERATOR_ROW_ELU] = gen_function,
    [OCL_OPERATOR_ROW_TANH] = gen_function,
    [OCL_OPERATOR_ROW_EXP] = gen_function,
    [OCL_OPERATOR_ROW_LOG] = gen_function,
    [OCL_OPERATOR_ROW_SQRT] = gen_function,
    [OCL_OPERATOR_ROW_RSQRT] = gen_function,
    [OCL_OPERATOR_ROW_SQUARE] = gen_function,
    [OCL_OPERATOR_ROW_NEG] = gen_function,
    [OCL_OPERATOR_ROW_CEIL] = gen_function,
    [OCL_OPERATOR_ROW_ROUND] = gen_function,
    [OCL_OPERATOR_ROW_SIGN] = gen_function,
    [OCL_OPERATOR_ROW_RELU_N1_TO_1] = gen_function,
    [OCL_OPERATOR_ROW_RELU_0_TO_1] = gen_function,
    [OCL_OPERATOR_ROW_GELU] = gen_function,
    [OCL_OPERATOR_ROW_LEAKY_RELU] = gen_function,
    [OCL_OPERATOR_ROW_LOG_SOFTMAX] = gen_function,
    [OCL_OPERATOR_ROW_L2_NORMALIZATION] = gen_function,
    [OCL_OPERATOR_ROW_CAST] = gen_cast,
    [OCL_OPERATOR_ROW_ADD_N] = gen_sum,
    [OCL_OPERATOR_ROW_DIV] = gen_arithmetic,
    [OCL_OPERATOR_ROW_FLOOR_DIV] = gen_arithmetic,
    [OCL_OPERATOR_ROW_FLOOR_MOD] = gen_arithmetic,
    [OCL_OPERATOR_ROW_MAXIMUM] = gen_arithmetic,
    [OCL_OPERATOR_ROW_MINIMUM] = gen_arithmetic,
    [OCL_OPERATOR_ROW_POW] = gen_arithmetic,
    [OCL_OPERATOR_ROW_SQUARED_DIFFERENCE] = gen_arithmetic,
    [OCL_OPERATOR_ROW_EQUAL] = gen_comparison,
    [OCL_OPERATOR_ROW_NOT_EQUAL] = gen_comparison,
    [OCL_OPERATOR_ROW_LESS] = gen_comparison,
    [OCL_OPERATOR_ROW_LESS_EQUAL] = gen_comparison,
    [OCL_OPERATOR_ROW_GREATER] = gen_comparison,
    [OCL_OPERATOR_ROW_GREATER_EQUAL] = gen_comparison,
    [OCL_OPERATOR_ROW_LOGICAL_AND] = gen_logic,
    [OCL_OPERATOR_ROW_LOGICAL_OR] = gen_logic,
    [OCL_OPERATOR_ROW_LOGICAL_NOT] = gen_logic,
    [OCL_OPERATOR_ROW_SELECT] = gen_select,
    [OCL_OPERATOR_ROW_SELECT_V2] = gen_select,
    [OCL_OPERATOR_ROW_SUM] = gen_reduction,
    [OCL_OPERATOR_ROW_REDUCE_MIN] = gen_reduction,
    [OCL_OPERATOR_ROW_REDUCE_PROD] = gen_reduction,
    [OCL_OPERATOR_ROW_REDUCE_ANY] = gen_reduction,
    [OCL_OPERATOR_ROW_REDUCE_ALL] = gen_reduction,
    [OCL_OPERATOR_ROW_TOPK_V2] = gen_top,
    [OCL_OPERATOR_ROW_SPLIT] = gen_split,
    [OCL_OPERATOR_ROW_SPLIT_V] = gen_split,
    [OCL_OPERATOR_ROW_UNPACK] = gen_split,
    [OCL_OPERATOR_ROW_SLICE] = gen_slice,
    [OCL_OPERATOR_ROW_MIRROR_PAD] = gen_mirror,
    [OCL_OPERATOR_ROW_PADV2] = gen_mirror,
    [OCL_OPERATOR_ROW_BROADCAST_TO] = gen_broadcast_to,
    [OCL_OPERATOR_ROW_FILL] = gen_fill,
    [OCL_OPERATOR_ROW_RANK] = gen_like,
    [OCL_OPERATOR_ROW_ZEROS_LIKE] = gen_like,
    [OCL_OPERATOR_ROW_DENSIFY] = gen_densify,
    [OCL_OPERATOR_ROW_DEPTH_TO_SPACE] = gen_depth,
    [OCL_OPERATOR_ROW_SPACE_TO_DEPTH] = gen_depth,
    [OCL_OPERATOR_ROW_BATCH_TO_SPACE_ND] = gen_batch_to_space,
    [OCL_OPERATOR_ROW_SPACE_TO_BATCH_ND] = gen_space_to_batch,
    [OCL_OPERATOR_ROW_GATHER] = gen_gather,
    [OCL_OPERATOR_ROW_GATHER_ND] = gen_gather_nd,
    [OCL_OPERATOR_ROW_TRANSPOSE_CONV] = gen_transposed,
    [OCL_OPERATOR_ROW_Convolution2DTransposeBias] = gen_transposed,
    [OCL_OPERATOR_ROW_ARG_MIN] = add_arg_max,
    [OCL_OPERATOR_ROW_TFLite_Detection_PostProcess] = add_postprocess,
};

void gen_step(generator* g) {
  // Convolutions come more often: half of the networks' work is theirs.
  static const int32_t kOften[] = {OCL_OPERATOR_ROW_CONV_2D, OCL_OPERATOR_ROW_DEPTHWISE_CONV_2D, OCL_OPERATOR_ROW_ADD,
                                   OCL_OPERATOR_ROW_CONCATENATION};
  const int32_t row = fuzz_one_in(g->b, 4) ? kOften[fuzz_below(g->b, 4)] : fuzz_below(g->b, OCL_NUM_OPERATORS);
  if (kSteps[row] == NULL) abort();
  kSteps[row](g, row);
}

// A convolution, its channels taken as columns for each anchor. -1: nothing fits.
static int32_t add_scores(generator* g, int32_t columns) {
  const int32_t before = g->net->num_operators, input = gen_pick(g, gen_fits_map);
  if (input < 0) return -1;
  const net_tensor t = *tensor_of(g, input);
  const int32_t size = fuzz_one_in(g->b, 2) ? 1 : 3, channels = columns * fuzz_range(g->b, 1, 4);
  const ocl_shape kernel_shape = {4, {channels, size, size, t.shape.dims[3]}};
  const window w = {size, size, 1, 1, 1, 1, false};
  ocl_shape shape;
  if (!gen_is_small(&kernel_shape) || !slide(&w, &t.shape, channels, &shape)) return -1;
  const int32_t kernel = add_kernel(g, t.dtype, kernel_shape, 0);
  const int64_t options[] = {0, 1, 1, activation(g), 1, 1};
  add_weighted(g, OCL_OPERATOR_ROW_CONV_2D, input, kernel, channels, options, 6, shape);
  if (g->net->num_operators == before) return -1;
  const int32_t conv = g->net->num_tensors - 1;
  const int32_t dims[] = {t.is_batched ? -1 : t.shape.dims[0], shape.dims[1] * shape.dims[2] * (channels / columns),
                          columns};
  const int32_t ints = gen_ints(g, dims, 3);
  net_operator* op = gen_operator(g, OCL_OPERATOR_ROW_RESHAPE);
  gen_input(op, conv);
  gen_input(op, ints);
  const int32_t scores =
      gen_output(g, op, t.dtype, (ocl_shape){3, {t.shape.dims[0], dims[1], columns}}, tensor_of(g, conv)->is_batched);
  gen_requantize(g, scores, conv, false);
  return scores;
}

static void join_scores(generator* g, int32_t a, int32_t b) {
  const net_tensor *x = tensor_of(g, a), *y = tensor_of(g, b);
  if (x->dtype != y->dtype || x->shape.dims[0] != y->shape.dims[0]) return;
  const ocl_shape shape = {3, {x->shape.dims[0], x->shape.dims[1] + y->shape.dims[1], x->shape.dims[2]}};
  net_operator* op = gen_operator(g, OCL_OPERATOR_ROW_CONCATENATION);
  gen_input(op, a);
  gen_input(op, b);
  gen_option(op, 0, 1);
  gen_requantize(g, gen_output(g, op, x->dtype, shape, x->is_batched && y->is_batched), a, true);
}

void gen_heads(generator* g) {
  static const int32_t kAfter[] = {OCL_OPERATOR_ROW_LOGISTIC, OCL_OPERATOR_ROW_DEQUANTIZE, OCL_OPERATOR_ROW_RELU};
  const int32_t columns = fuzz_range(g->b, 2, 9), first = add_scores(g, columns);
  if (first < 0 || !gen_has_room(g)) return;
  const int32_t second = fuzz_one_in(g->b, 2) ? add_scores(g, columns) : -1;
  if (second >= 0) join_scores(g, first, second);
  const int32_t after = kAfter[fuzz_below(g->b, 3)];
  if (fuzz_one_in(g->b, 2)) kSteps[after](g, after);
}
