// Depthwise convolution, int8 with a scale for each channel, up to nine taps, with relaxed dot products. It has
// XNNPACK's signature, its "9p16c" layout of weights and its rounding.
// As in dwconv_f32.c, the taps of an output are three columns of three. Here a column of eight channels is interleaved
// into two vectors of four channels by four taps, where the fourth tap has weight 0. Each column is interleaved once
// and used for up to three outputs.
#include "kernels/kernels.h"
#ifdef __wasm_relaxed_simd__
#include "kernels/requantize.h"
#include "xnnpack/dwconv.h"

enum { LANES = 8, WEIGHT_LANES = 16, COLUMN = 3, TAPS = 9 };
enum { BLOCK_BYTES = WEIGHT_LANES * (4 + TAPS + 4), TAPS_AT = WEIGHT_LANES * 4, SCALES_AT = WEIGHT_LANES * (4 + TAPS) };
enum { TILE_OF_STEP_1 = 38, TILE_OF_STEP_2 = 19, MAX_COLUMNS = TILE_OF_STEP_1 + 2 };

static inline ocl_octet interleave(v128_t top, v128_t middle, v128_t bottom, v128_t fourth) {
  const v128_t upper = wasm_i8x16_shuffle(top, middle, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const v128_t lower = wasm_i8x16_shuffle(bottom, fourth, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  return (ocl_octet){wasm_i16x8_shuffle(upper, lower, 0, 8, 1, 9, 2, 10, 3, 11),
                     wasm_i16x8_shuffle(upper, lower, 4, 12, 5, 13, 6, 14, 7, 15)};
}

static inline ocl_octet load_weights(const int8_t* taps) {
  return interleave(wasm_v128_load64_zero(taps), wasm_v128_load64_zero(taps + WEIGHT_LANES),
                    wasm_v128_load64_zero(taps + 2 * WEIGHT_LANES), wasm_i8x16_const_splat(0));
}

// `flip`: 0x80 in each byte if the dot product treats its second operand as unsigned, which adds 128 to each input;
// else 0.
static inline ocl_octet load_column(const int8_t* const* inputs, size_t channel, v128_t flip) {
  const v128_t bottom = wasm_v128_load64_zero(inputs[2] + channel);
  const ocl_octet column = interleave(wasm_v128_load64_zero(inputs[0] + channel),
                                      wasm_v128_load64_zero(inputs[1] + channel), bottom, bottom);
  return (ocl_octet){wasm_v128_xor(column.low, flip), wasm_v128_xor(column.high, flip)};
}

static inline ocl_octet add_column(ocl_octet sum, ocl_octet values, ocl_octet weights) {
  return (ocl_octet){wasm_i32x4_relaxed_dot_i8x16_i7x16_add(weights.low, values.low, sum.low),
                     wasm_i32x4_relaxed_dot_i8x16_i7x16_add(weights.high, values.high, sum.high)};
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
static inline ocl_octet load_bias(const strip* s, ocl_octet left, ocl_octet centre, ocl_octet right) {
  const v128_t half = wasm_v128_and(wasm_u8x16_shr(s->flip, 1), wasm_i8x16_const_splat(64));
  const ocl_octet halves = {half, half}, zero = {wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0)};
  const ocl_octet sum = add_column(add_column(add_column(zero, halves, left), halves, centre), halves, right);
  return (ocl_octet){wasm_i32x4_sub(wasm_v128_load(s->weights + 4 * s->lane), wasm_i32x4_shl(sum.low, 1)),
                     wasm_i32x4_sub(wasm_v128_load(s->weights + 4 * s->lane + 16), wasm_i32x4_shl(sum.high, 1))};
}

// Computes eight channels of a tile. `step`: columns between neighbouring outputs, 1 or 2; a constant for the inliner.
static inline __attribute__((always_inline)) void run_strip(const strip* given, const int step) {
  const strip s = *given;
  const int8_t* taps = (const int8_t*)s.weights + TAPS_AT + s.lane;
  const uint8_t* scales_at = s.weights + SCALES_AT + 4 * s.lane;
  const ocl_octet left = load_weights(taps), centre = load_weights(taps + COLUMN * WEIGHT_LANES),
                  right = load_weights(taps + 2 * COLUMN * WEIGHT_LANES);
  const ocl_octet scales = {wasm_v128_load(scales_at), wasm_v128_load(scales_at + 16)};
  const ocl_octet bias = load_bias(&s, left, centre, right);
  const int8_t* const* inputs = s.inputs;
  int8_t* output = s.output;
  // next: left column of the next output. sum: left and centre columns of this output.
  ocl_octet next = bias, sum = bias;
  for (int i = 0; i < 3 - step; i++, inputs += COLUMN) {
    const ocl_octet values = load_column(inputs, s.channel, s.flip);
    sum = add_column(next, values, centre);
    next = add_column(bias, values, left);
  }
  for (size_t x = s.width; x != 0; x--) {
    if (step == 2) {
      sum = add_column(next, load_column(inputs, s.channel, s.flip), centre);
      inputs += COLUMN;
    }
    const ocl_octet values = load_column(inputs, s.channel, s.flip);
    inputs += COLUMN;
    store(output, add_column(sum, values, right), scales, &s);
    output += s.pixel_stride;
    if (step == 1) sum = add_column(next, values, centre);
    next = add_column(bias, values, left);
  }
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
  const size_t tile_width = is_step_1 ? TILE_OF_STEP_1 : TILE_OF_STEP_2;
  const size_t num_tiles = (output_width + tile_width - 1) / tile_width;
  const int8_t* columns[MAX_COLUMNS * COLUMN];
  strip s = {.inputs = columns,
             .pixel_stride = channels + output_increment,
             .flip = wasm_i8x16_splat(ocl_kernels_dot_is_unsigned() ? INT8_MIN : 0),
             .requantize = ocl_requantize_of(params)};
  for (size_t tile = num_tiles; tile != 0; tile--) {
    s.width = (output_width + tile - 1) / tile;
    copy_pointers(input, (s.width - 1) * stride + TAPS, input_offset, zero, columns);
    for (size_t c = 0; c < channels; c += LANES) {
      s.channel = c;
      s.weights = (const uint8_t*)weights + c / WEIGHT_LANES * BLOCK_BYTES;
      s.lane = c % WEIGHT_LANES;
      s.output = output + c;
      if (is_step_1)
        run_strip(&s, 1);
      else
        run_strip(&s, 2);
    }
    input += s.width * stride;
    output += s.width * s.pixel_stride;
    output_width -= s.width;
  }
}
#endif
