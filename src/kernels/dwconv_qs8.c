// Depthwise convolution, int8 with a scale for each channel, up to nine taps. It has XNNPACK's signature, its "9p16c"
// layout of weights and its rounding.
// As in dwconv_f32.c, the taps of an output are three columns of three. Eight channels of a column are interleaved so
// that a lane has the taps of one channel; each column is interleaved once and used for up to three outputs. With
// relaxed dot products a lane has four bytes: three taps and a fourth of weight 0. Without, it has two 16-bit numbers:
// the top and middle taps, and in other vectors the bottom taps of this column and the one before it. So an output is
// five products in place of six: the bottom tap of its centre column is multiplied with the right column's.
#include "kernels/kernels.h"
#include "kernels/requantize.h"
#include "xnnpack/dwconv.h"

enum { LANES = 8, WEIGHT_LANES = 16, COLUMN = 3, TAPS = 9 };
enum { BLOCK_BYTES = WEIGHT_LANES * (4 + TAPS + 4), TAPS_AT = WEIGHT_LANES * 4, SCALES_AT = WEIGHT_LANES * (4 + TAPS) };
enum { TILE_OF_STEP_1 = 38, TILE_OF_STEP_2 = 19, MAX_COLUMNS = TILE_OF_STEP_1 + 2 };

#define INLINE __attribute__((always_inline)) static inline

// Three rows of eight channels, inputs or weights.
typedef struct {
  ocl_octet upper, lower;  // quads: lower is not used
  v128_t bottom;           // pairs: of the next column's `lower`
} column;
// Interleaves rows. `flip` as in `strip`; 0 for weights. `before`: `bottom` of the column before this one.
typedef column load_column(const int8_t* top, const int8_t* middle, const int8_t* bottom, v128_t flip, v128_t before);
// is_centre: the bottom tap comes with the right column's.
typedef ocl_octet add_column(ocl_octet sum, column values, column weights, const bool is_centre);

#ifdef __wasm_relaxed_simd__
INLINE column load_quads(const int8_t* top, const int8_t* middle, const int8_t* bottom, v128_t flip, v128_t before) {
  const v128_t a = wasm_v128_load64_zero(top), b = wasm_v128_load64_zero(middle), c = wasm_v128_load64_zero(bottom);
  const v128_t upper = wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const v128_t lower = wasm_u16x8_extend_low_u8x16(c);
  return (column){.upper = {wasm_v128_xor(wasm_i16x8_shuffle(upper, lower, 0, 8, 1, 9, 2, 10, 3, 11), flip),
                            wasm_v128_xor(wasm_i16x8_shuffle(upper, lower, 4, 12, 5, 13, 6, 14, 7, 15), flip)},
                  .bottom = before};
}

INLINE ocl_octet add_quads(ocl_octet sum, column values, column weights, const bool is_centre) {
  (void)is_centre;
  return (ocl_octet){wasm_i32x4_relaxed_dot_i8x16_i7x16_add(weights.upper.low, values.upper.low, sum.low),
                     wasm_i32x4_relaxed_dot_i8x16_i7x16_add(weights.upper.high, values.upper.high, sum.high)};
}
#endif

INLINE ocl_octet interleave(v128_t a, v128_t b) {
  return (ocl_octet){wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11),
                     wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15)};
}

INLINE column load_pairs(const int8_t* top, const int8_t* middle, const int8_t* bottom, v128_t flip, v128_t before) {
  (void)flip;
  const v128_t c = wasm_i16x8_load8x8(bottom);
  return (column){.upper = interleave(wasm_i16x8_load8x8(top), wasm_i16x8_load8x8(middle)),
                  .lower = interleave(before, c),
                  .bottom = c};
}

INLINE ocl_octet add_products(ocl_octet sum, ocl_octet values, ocl_octet weights) {
  return (ocl_octet){wasm_i32x4_add(sum.low, wasm_i32x4_dot_i16x8(values.low, weights.low)),
                     wasm_i32x4_add(sum.high, wasm_i32x4_dot_i16x8(values.high, weights.high))};
}

INLINE ocl_octet add_pairs(ocl_octet sum, column values, column weights, const bool is_centre) {
  sum = add_products(sum, values.upper, weights.upper);
  return is_centre ? sum : add_products(sum, values.lower, weights.lower);
}

typedef struct {
  const int8_t* const* inputs;  // COLUMN pointers for each column
  size_t channel, width;
  const uint8_t* weights;  // a block of WEIGHT_LANES channels: biases, TAPS rows, scales
  size_t lane;             // first channel in the block
  int8_t* output;
  size_t pixel_stride;
  v128_t flip;
  ocl_requantize requantize;
} strip;

static inline void store(int8_t* output, ocl_octet sums, ocl_octet scales, const strip* s) {
  wasm_v128_store64_lane(output, ocl_requantize_octet(sums, scales, &s->requantize), 0);
}

// Flipped inputs add 128 * (sum of the weights) to every accumulator; the bias subtracts it.
INLINE ocl_octet load_bias(const strip* s, add_column add, column left, column centre, column right) {
  const v128_t half = wasm_v128_and(wasm_u8x16_shr(s->flip, 1), wasm_i8x16_const_splat(64));
  const v128_t zero = wasm_i32x4_const_splat(0);
  const column halves = {.upper = {half, half}, .lower = {zero, zero}};
  const ocl_octet of_left = add((ocl_octet){zero, zero}, halves, left, false);
  const ocl_octet sum = add(add(of_left, halves, centre, true), halves, right, false);
  return (ocl_octet){wasm_i32x4_sub(wasm_v128_load(s->weights + 4 * s->lane), wasm_i32x4_shl(sum.low, 1)),
                     wasm_i32x4_sub(wasm_v128_load(s->weights + 4 * s->lane + 16), wasm_i32x4_shl(sum.high, 1))};
}

INLINE column load_inputs(load_column load, const int8_t* const** at, const strip* s, v128_t before) {
  const int8_t* const* rows = *at;
  *at = rows + COLUMN;
  return load(rows[0] + s->channel, rows[1] + s->channel, rows[2] + s->channel, s->flip, before);
}

INLINE column load_weights(load_column load, const int8_t* taps, v128_t before) {
  return load(taps, taps + WEIGHT_LANES, taps + 2 * WEIGHT_LANES, wasm_i8x16_const_splat(0), before);
}

// Computes eight channels of a tile. `step`: columns between neighbouring outputs, 1 or 2; a constant for the inliner.
INLINE void run_strip(const strip* given, const int step, load_column load, add_column add) {
  const strip s = *given;
  const int8_t* taps = (const int8_t*)s.weights + TAPS_AT + s.lane;
  const uint8_t* scales_at = s.weights + SCALES_AT + 4 * s.lane;
  const v128_t none = wasm_i8x16_const_splat(0);
  const column left = load_weights(load, taps, none);
  const column centre = load_weights(load, taps + COLUMN * WEIGHT_LANES, none);
  const column right = load_weights(load, taps + 2 * COLUMN * WEIGHT_LANES, centre.bottom);
  const ocl_octet scales = {wasm_v128_load(scales_at), wasm_v128_load(scales_at + 16)};
  const ocl_octet bias = load_bias(&s, add, left, centre, right);
  const int8_t* const* inputs = s.inputs;
  int8_t* output = s.output;
  // next: left column of the next output. sum: left and centre columns of this output.
  ocl_octet next = bias, sum = bias;
  column values = {.bottom = none};
  for (int i = 0; i < 3 - step; i++) {
    values = load_inputs(load, &inputs, &s, values.bottom);
    sum = add(next, values, centre, true);
    next = add(bias, values, left, false);
  }
  for (size_t x = s.width; x != 0; x--) {
    if (step == 2) {
      values = load_inputs(load, &inputs, &s, none);
      sum = add(next, values, centre, true);
    }
    values = load_inputs(load, &inputs, &s, values.bottom);
    store(output, add(sum, values, right, false), scales, &s);
    output += s.pixel_stride;
    if (step == 1) sum = add(next, values, centre, true);
    next = add(bias, values, left, false);
  }
}

typedef void run_strips(const strip* given);

#ifdef __wasm_relaxed_simd__
static void run_quads_1(const strip* s) {
  run_strip(s, 1, load_quads, add_quads);
}
static void run_quads_2(const strip* s) {
  run_strip(s, 2, load_quads, add_quads);
}
#endif
static void run_pairs_1(const strip* s) {
  run_strip(s, 1, load_pairs, add_pairs);
}
static void run_pairs_2(const strip* s) {
  run_strip(s, 2, load_pairs, add_pairs);
}

static run_strips* choose(bool is_step_1) {
#ifdef __wasm_relaxed_simd__
  if (ocl_kernels_use_dot()) return is_step_1 ? run_quads_1 : run_quads_2;
#endif
  return is_step_1 ? run_pairs_1 : run_pairs_2;
}

static void copy_pointers(const int8_t** inputs, size_t count, size_t offset, const int8_t* zero, const int8_t** out) {
  for (size_t i = 0; i < count; i++) out[i] = inputs[i] == zero ? zero : ocl_kernels_move(inputs[i], offset);
}

void ocl_dwconv_qs8_run(size_t channels, size_t output_width, const int8_t** input, const void* weights, int8_t* output,
                        intptr_t input_stride, size_t output_increment, size_t input_offset, const int8_t* zero,
                        const union xnn_qs8_qc8w_conv_minmax_params* params) {
  const size_t stride = (size_t)input_stride / sizeof *input;
  if (channels % LANES != 0 || (stride != COLUMN && stride != 2 * COLUMN)) {
    xnn_qs8_qc8w_dwconv_minmax_fp32_ukernel_9p16c__wasmsimd_mul16_add16(
        channels, output_width, input, weights, output, input_stride, output_increment, input_offset, zero, params);
    return;
  }
  const bool is_step_1 = stride == COLUMN;
  run_strips* const run = choose(is_step_1);
  const size_t tile_width = is_step_1 ? TILE_OF_STEP_1 : TILE_OF_STEP_2;
  const size_t num_tiles = (output_width + tile_width - 1) / tile_width;
  const int8_t* columns[MAX_COLUMNS * COLUMN];
  strip s = {.inputs = columns,
             .pixel_stride = channels + output_increment,
             .flip = wasm_i8x16_splat(ocl_kernels_flip()),
             .requantize = ocl_requantize_of(params)};
  for (size_t tile = num_tiles; tile != 0; tile--) {
    s.width = (output_width + tile - 1) / tile;
    copy_pointers(input, (s.width - 1) * stride + TAPS, input_offset, zero, columns);
    for (size_t c = 0; c < channels; c += LANES) {
      s.channel = c;
      s.weights = (const uint8_t*)weights + c / WEIGHT_LANES * BLOCK_BYTES;
      s.lane = c % WEIGHT_LANES;
      s.output = output + c;
      run(&s);
    }
    input += s.width * stride;
    output += s.width * s.pixel_stride;
    output_width -= s.width;
  }
}
