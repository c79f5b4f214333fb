// Depthwise convolution, float, up to nine taps. It has XNNPACK's signature and its "9p8c" layout of weights.
// XNNPACK's kernel is limited by loads: an input and a weight for each multiply-add. This kernel keeps the nine weights
// of four channels in registers and walks along x. The taps of an output are three columns of three. Neighbouring
// outputs share columns, and each column is loaded once. Sums are added in XNNPACK's order, so the results are
// bit-identical.
#include <wasm_simd128.h>

#include "kernels/kernels.h"
#include "xnnpack/microparams.h"

enum { LANES = 4, WEIGHT_LANES = 8, COLUMN = 3, TAPS = 9 };
// Outputs along x in a tile. Each pass over a tile computes four channels. A tile is small enough that a cache line (16
// channels, four passes) stays in the cache until the next pass, and large enough that loading the weights and the
// first columns of a pass costs little.
enum { TILE_OF_STEP_1 = 38, TILE_OF_STEP_2 = 19, TILE_OF_STEP_3 = 12, MAX_COLUMNS = TILE_OF_STEP_1 + 2 };

typedef struct {
  v128_t top, middle, bottom;
} column;

static inline column load_column(const float* const* inputs, size_t channel) {
  return (column){wasm_v128_load(inputs[0] + channel), wasm_v128_load(inputs[1] + channel),
                  wasm_v128_load(inputs[2] + channel)};
}

static inline column load_weights(const float* weights) {
  return (column){wasm_v128_load(weights), wasm_v128_load(weights + WEIGHT_LANES),
                  wasm_v128_load(weights + 2 * WEIGHT_LANES)};
}

#ifdef __wasm_relaxed_simd__
static inline v128_t multiply_add(v128_t a, v128_t b, v128_t sum) {
  return wasm_f32x4_relaxed_madd(a, b, sum);
}
static inline v128_t clamp(v128_t value, v128_t min, v128_t max) {
  return wasm_f32x4_relaxed_min(max, wasm_f32x4_relaxed_max(min, value));
}
#else
static inline v128_t multiply_add(v128_t a, v128_t b, v128_t sum) {
  return wasm_f32x4_add(wasm_f32x4_mul(a, b), sum);
}
static inline v128_t clamp(v128_t value, v128_t min, v128_t max) {
  return wasm_f32x4_pmin(max, wasm_f32x4_pmax(min, value));
}
#endif

static inline v128_t add_column(v128_t sum, column values, column weights) {
  sum = multiply_add(values.top, weights.top, sum);
  sum = multiply_add(values.middle, weights.middle, sum);
  return multiply_add(values.bottom, weights.bottom, sum);
}

typedef struct {
  const float* const* inputs;  // COLUMN pointers for each column
  size_t channel, width;
  const float* weights;  // bias, then TAPS, each WEIGHT_LANES apart
  float* output;
  size_t pixel_stride;
  v128_t min, max;
} strip;

// Computes four channels of a tile. `step`: columns between neighbouring outputs, 1 to 3; a constant for the inliner.
static inline __attribute__((always_inline)) void run_strip(const strip* s, const int step) {
  const v128_t bias = wasm_v128_load(s->weights), min = s->min, max = s->max;
  const column left = load_weights(s->weights + WEIGHT_LANES);
  const column centre = load_weights(s->weights + (1 + COLUMN) * WEIGHT_LANES);
  const column right = load_weights(s->weights + (1 + 2 * COLUMN) * WEIGHT_LANES);
  const float* const* inputs = s->inputs;
  const size_t channel = s->channel, pixel_stride = s->pixel_stride;
  float* output = s->output;
  // next: left column of the next output. sum: left and centre columns of this output.
  v128_t next = bias, sum = bias;
  for (int i = 0; i < 3 - step; i++, inputs += COLUMN) {
    const column values = load_column(inputs, channel);
    sum = add_column(next, values, centre);
    next = add_column(bias, values, left);
  }
  for (size_t x = s->width; x != 0; x--) {
    if (step == 3) {
      next = add_column(bias, load_column(inputs, channel), left);
      inputs += COLUMN;
    }
    if (step >= 2) {
      sum = add_column(next, load_column(inputs, channel), centre);
      inputs += COLUMN;
    }
    const column values = load_column(inputs, channel);
    inputs += COLUMN;
    wasm_v128_store(output, clamp(add_column(sum, values, right), min, max));
    output += pixel_stride;
    if (step == 1) sum = add_column(next, values, centre);
    if (step <= 2) next = add_column(bias, values, left);
  }
}

static __attribute__((noinline)) void run_any_strip(const strip* s, int step) {
  switch (step) {
    case 1: run_strip(s, 1); break;
    case 2: run_strip(s, 2); break;
    default: run_strip(s, 3);
  }
}

// Computes the last channels, fewer than four, through a buffer.
static void run_narrow_strip(const strip* s, int step, size_t num_channels) {
  float outputs[TILE_OF_STEP_1 * LANES];
  strip narrow = *s;
  narrow.output = outputs;
  narrow.pixel_stride = LANES;
  run_any_strip(&narrow, step);
  for (size_t x = 0; x < s->width; x++)
    for (size_t i = 0; i < num_channels; i++) s->output[x * s->pixel_stride + i] = outputs[x * LANES + i];
}

static void copy_pointers(const float** inputs, size_t count, size_t offset_bytes, const float* zero,
                          const float** out) {
  for (size_t i = 0; i < count; i++) out[i] = inputs[i] == zero ? zero : ocl_kernels_move(inputs[i], offset_bytes);
}

void ocl_dwconv_f32_run(size_t channels, size_t output_width, const float** input, const float* weights, float* output,
                        intptr_t input_stride, size_t output_increment, size_t input_offset, const float* zero,
                        const union xnn_f32_minmax_params* params) {
  static const size_t kTiles[] = {0, TILE_OF_STEP_1, TILE_OF_STEP_2, TILE_OF_STEP_3};
  const size_t stride = (size_t)input_stride / sizeof *input;
  // Neighbouring outputs share columns only if they are one or two columns apart (not in a dilated kernel, for
  // example).
  const int step = stride == COLUMN ? 1 : stride == 2 * COLUMN ? 2 : 3;
  const size_t num_tiles = (output_width + kTiles[step] - 1) / kTiles[step];
  const float* columns[MAX_COLUMNS * COLUMN];
  strip s = {.inputs = columns,
             .pixel_stride = channels + output_increment / sizeof *output,
             .min = wasm_v128_load32_splat(&params->scalar.min),
             .max = wasm_v128_load32_splat(&params->scalar.max)};
  for (size_t tile = num_tiles; tile != 0; tile--) {
    s.width = (output_width + tile - 1) / tile;
    if (step == 3)
      for (size_t x = 0; x < s.width; x++)
        copy_pointers(input + x * stride, TAPS, input_offset, zero, columns + x * TAPS);
    else
      copy_pointers(input, (s.width - 1) * stride + TAPS, input_offset, zero, columns);
    for (size_t c = 0; c < channels; c += LANES) {
      s.channel = c;
      s.weights = weights + c / WEIGHT_LANES * WEIGHT_LANES * (1 + TAPS) + c % WEIGHT_LANES;
      s.output = output + c;
      if (channels - c >= LANES)
        run_any_strip(&s, step);
      else
        run_narrow_strip(&s, step, channels - c);
    }
    input += s.width * stride;
    output += s.width * s.pixel_stride;
    output_width -= s.width;
  }
}

// ---- panels ----

// A column of a panel's three rows.
typedef struct {
  const float *top, *middle, *bottom;
} cursor;

static inline column load_at(cursor at) {
  return (column){wasm_v128_load(at.top), wasm_v128_load(at.middle), wasm_v128_load(at.bottom)};
}

static inline cursor move(cursor at, int pixels) {
  return (cursor){at.top + pixels * OCL_PANEL, at.middle + pixels * OCL_PANEL, at.bottom + pixels * OCL_PANEL};
}

// Computes four channels of a row, as run_strip() does.
static inline __attribute__((always_inline)) void run_half(const ocl_panel_row* row, size_t channel, const int step,
                                                           const float* weights,
                                                           const union xnn_f32_minmax_params* params) {
  const v128_t bias = wasm_v128_load(weights), zero = wasm_f32x4_splat(0);
  const v128_t min = wasm_v128_load32_splat(&params->scalar.min), max = wasm_v128_load32_splat(&params->scalar.max);
  const column left = load_weights(weights + WEIGHT_LANES), padding = {zero, zero, zero};
  const column centre = load_weights(weights + (1 + COLUMN) * WEIGHT_LANES);
  const column right = load_weights(weights + (1 + 2 * COLUMN) * WEIGHT_LANES);
  const float* top = row->top + channel;
  cursor at = {top, ocl_kernels_move(top, row->row_bytes), ocl_kernels_move(top, 2 * row->row_bytes)};
  float* output = row->output + channel;
  const size_t pixel_stride = row->pixel_stride;
  v128_t next = add_column(bias, padding, left), sum = bias;
  if (!row->pads_left) {
    next = add_column(bias, load_at(at), left);
    at = move(at, 1);
  }
  if (step == 1) {
    const column values = load_at(at);
    sum = add_column(next, values, centre);
    next = add_column(bias, values, left);
    at = move(at, 1);
  }
#pragma clang loop unroll(disable)
  for (size_t x = row->output_width - row->pads_right; x != 0; x--) {
    if (step == 2) sum = add_column(next, load_at(at), centre);
    const column values = load_at(move(at, step - 1));
    at = move(at, step);
    wasm_v128_store(output, clamp(add_column(sum, values, right), min, max));
    output += pixel_stride;
    if (step == 1) sum = add_column(next, values, centre);
    next = add_column(bias, values, left);
  }
  if (!row->pads_right) return;
  if (step == 2) sum = add_column(next, load_at(at), centre);
  wasm_v128_store(output, clamp(add_column(sum, padding, right), min, max));
}

void ocl_dwconv_f32_run_panel(const ocl_panel_row* row, size_t stride, const float* weights, size_t panel,
                              const union xnn_f32_minmax_params* params) {
  weights += panel * OCL_PANEL * (1 + TAPS);
  for (size_t channel = 0; channel < OCL_PANEL; channel += LANES) {
    if (stride == 1)
      run_half(row, channel, 1, weights + channel, params);
    else
      run_half(row, channel, 2, weights + channel, params);
  }
}
