// Functions of kernels/ by their definitions. Element-wise ones: at zero, behind the last whole vector, and as exact as
// floats allow. Depthwise convolutions, and products of matrices of relaxed SIMD, in whole numbers, which floats hold.
#include <math.h>

#include "check.h"
#include "kernels/kernels.h"
#include "xnnpack/config.h"
#include "xnnpack/microparams.h"

enum { COUNT = 7 };

static const float kX[COUNT] = {-2, 0, 3, -0.5f, 0, -1, 4};

// 0 is not multiplied: an infinite slope would make a NaN of it.
static void slopes_are_for_negative_numbers_only(void) {
  const float expected[COUNT] = {-INFINITY, 0, 3, -INFINITY, 0, -INFINITY, 4};
  float y[COUNT + 1] = {[COUNT] = 9};
  ocl_leaky_f32(kX, INFINITY, y, COUNT);
  CHECK(memcmp(y, expected, sizeof expected) == 0 && y[COUNT] == 9);
  float slopes[COUNT], twice[2 * COUNT];
  for (int i = 0; i < COUNT; i++) slopes[i] = INFINITY;
  for (int i = 0; i < 2 * COUNT; i++) twice[i] = kX[i % COUNT];
  float rows[2 * COUNT + 1] = {[2 * COUNT] = 9};
  ocl_prelu_f32(twice, slopes, rows, 2, COUNT);
  CHECK(memcmp(rows, expected, sizeof expected) == 0 && memcmp(rows + COUNT, expected, sizeof expected) == 0);
  CHECK(rows[2 * COUNT] == 9);
}

static void each_column_has_its_slope(void) {
  float slopes[COUNT], x[2 * COUNT], y[2 * COUNT];
  for (int i = 0; i < COUNT; i++) slopes[i] = 0.25f * (float)(i + 1);
  for (int i = 0; i < 2 * COUNT; i++) x[i] = -1 - (float)i;
  ocl_prelu_f32(x, slopes, y, 2, COUNT);
  for (int i = 0; i < 2 * COUNT; i++) CHECK(y[i] == x[i] * slopes[i % COUNT]);
}

// Whole vectors and those behind them; in place, too; and a row that is too short to have a direction.
static void rows_get_length_1(void) {
  enum { MOST = 13 };
  for (size_t columns = 1; columns <= MOST; columns++) {
    float x[2 * MOST + 1], y[2 * MOST + 1];
    for (size_t i = 0; i < 2 * columns; i++) x[i] = y[i] = (float)(i % 5) - 1.75f;
    x[2 * columns] = y[2 * columns] = 9;
    ocl_l2_normalize_f32(y, y, 2, columns);
    for (size_t i = 0; i < 2 * columns; i++) {
      const float* row = x + i / columns * columns;
      double sum = 0;
      for (size_t c = 0; c < columns; c++) sum += (double)row[c] * row[c];
      CHECK(fabs(y[i] - x[i] / sqrt(sum)) < 2e-7);
    }
    CHECK(y[2 * columns] == 9);
  }
  const float none[COUNT] = {0, 0, 1e-7f};
  float y[COUNT];
  ocl_l2_normalize_f32(none, y, 1, COUNT);
  CHECK(y[0] == 0 && fabsf(y[2] - 0.1f) < 1e-7f);
}

// The square mean of the relative errors from -limit to 0, where nothing is subtracted from 1.
static double gelu_error(float limit) {
  enum { STEPS = 2000 };
  static float x[STEPS], y[STEPS];
  for (int i = 0; i < STEPS; i++) x[i] = -limit * (float)(i + 1) / STEPS;
  ocl_gelu_f32(x, y, STEPS);
  double sum = 0;
  for (int i = 0; i < STEPS; i++) {
    const double exact = 0.5 * x[i] * erfc(-x[i] / sqrt(2));
    sum += (y[i] / exact - 1) * (y[i] / exact - 1);
  }
  return sqrt(sum / STEPS);
}

static void gelu_is_as_exact_as_its_numbers(void) {
  CHECK(gelu_error(1) < 1.3e-7);
  CHECK(gelu_error(2) < 1.6e-7);
  CHECK(gelu_error(6) < 6.5e-7);
  // Far below, the smallest normal number times x is left; far above, x itself.
  const float far[] = {-20, 20, -1000, 1000};
  float y[4];
  ocl_gelu_f32(far, y, 4);
  CHECK(y[0] <= 0 && y[0] > -1e-35f && y[1] == 20);
  CHECK(y[2] <= 0 && y[2] > -1e-34f && y[3] == 1000);
}

// ---- depthwise convolutions ----

enum { TAPS = 9, GAP = 3, OFFSET = 5, PADDING_BYTES = 16 };

// Outputs whose taps are `step` columns of three apart. Every seventh tap is outside. Pointers are OFFSET elements too
// low. Between the pixels of the output lie GAP elements that stay.
typedef struct {
  size_t channels, width, step;
} depthwise;

static size_t taps_of(const depthwise* d) {
  return (d->width - 1) * d->step * 3 + TAPS;
}

static bool is_outside(size_t tap) {
  return tap % 7 == 3;
}

// A whole number from -6 to 6.
static int whole_at(size_t i) {
  return (int)(i * 29 % 13) - 6;
}

static int sum_at(const depthwise* d, size_t x, size_t channel, int bias) {
  int sum = bias;
  for (size_t t = 0; t < TAPS; t++) {
    const size_t tap = x * d->step * 3 + t;
    if (!is_outside(tap)) sum += whole_at(tap * d->channels + channel) * whole_at(t * 5 + channel * 3);
  }
  return sum;
}

static const void* below(const void* address, size_t offset_bytes) {
  return ocl_kernels_move(address, (size_t)0 - offset_bytes);
}

static void check_floats(const depthwise* d) {
  const size_t taps = taps_of(d), blocks = (d->channels + 7) / 8, stride = d->channels + GAP;
  float* map = malloc(taps * d->channels * sizeof *map + PADDING_BYTES);
  float* zero = calloc(d->channels * sizeof *zero + PADDING_BYTES, 1);
  float* weights = malloc(blocks * 8 * (1 + TAPS) * sizeof *weights);
  const float** pointers = malloc(taps * sizeof *pointers);
  float* output = malloc(d->width * stride * sizeof *output);
  for (size_t i = 0; i < taps * d->channels; i++) map[i] = (float)whole_at(i);
  for (size_t c = 0; c < blocks * 8; c++) {
    float* block = weights + c / 8 * 8 * (1 + TAPS) + c % 8;
    block[0] = (float)whole_at(c);
    for (size_t t = 0; t < TAPS; t++) block[8 * (1 + t)] = (float)whole_at(t * 5 + c * 3);
  }
  for (size_t t = 0; t < taps; t++)
    pointers[t] = is_outside(t) ? zero : below(map + t * d->channels, OFFSET * sizeof *map);
  for (size_t i = 0; i < d->width * stride; i++) output[i] = 99;
  const union xnn_f32_minmax_params params = {.scalar = {.min = -50, .max = 60}};
  ocl_dwconv_f32_run(d->channels, d->width, pointers, weights, output, (intptr_t)(d->step * 3 * sizeof *pointers),
                     GAP * sizeof *output, OFFSET * sizeof *output, zero, &params);
  for (size_t i = 0; i < d->width * stride; i++) {
    const size_t x = i / stride, c = i % stride;
    CHECK(output[i] == (c < d->channels ? fminf(fmaxf((float)sum_at(d, x, c, whole_at(c)), -50), 60) : 99));
  }
  free(map);
  free(zero);
  free(weights);
  free(pointers);
  free(output);
}

static int biased(size_t channel) {
  return whole_at(channel) * 50;
}

// Scales are powers of two: a quotient is rounded once, half of one to the even number.
static float scale_at(size_t channel) {
  return channel % 2 == 0 ? 0.25f : 0.5f;
}

static void check_bytes(const depthwise* d) {
  enum { BLOCK = 16, BLOCK_BYTES = BLOCK * (4 + TAPS + 4), MIN = -100, MAX = 110, ZERO_POINT = 7 };
  const size_t taps = taps_of(d), blocks = (d->channels + BLOCK - 1) / BLOCK, stride = d->channels + GAP;
  int8_t* map = malloc(taps * d->channels + PADDING_BYTES);
  int8_t* zero = calloc(d->channels + PADDING_BYTES, 1);
  uint8_t* weights = calloc(blocks * BLOCK_BYTES + PADDING_BYTES, 1);
  const int8_t** pointers = malloc(taps * sizeof *pointers);
  int8_t* output = malloc(d->width * stride);
  for (size_t i = 0; i < taps * d->channels; i++) map[i] = (int8_t)whole_at(i);
  // The last block has the channels that are left.
  for (size_t c = 0; c < d->channels; c++) {
    uint8_t* block = weights + c / BLOCK * BLOCK_BYTES;
    const int32_t bias = biased(c);
    const float scale = scale_at(c);
    memcpy(block + c % BLOCK * 4, &bias, 4);
    for (size_t t = 0; t < TAPS; t++) block[BLOCK * (4 + t) + c % BLOCK] = (uint8_t)whole_at(t * 5 + c * 3);
    memcpy(block + BLOCK * (4 + TAPS) + c % BLOCK * 4, &scale, 4);
  }
  for (size_t t = 0; t < taps; t++)
    pointers[t] = is_outside(t) ? zero : below(map + t * d->channels, OFFSET * sizeof *map);
  memset(output, 99, d->width * stride);
  const union xnn_qs8_qc8w_conv_minmax_params params = {.fp32_scalar = {ZERO_POINT, MIN, MAX}};
  ocl_dwconv_qs8_run(d->channels, d->width, pointers, weights, output, (intptr_t)(d->step * 3 * sizeof *pointers), GAP,
                     OFFSET, zero, &params);
  for (size_t i = 0; i < d->width * stride; i++) {
    const size_t x = i / stride, c = i % stride;
    const float exact = rintf((float)sum_at(d, x, c, biased(c)) * scale_at(c)) + ZERO_POINT;
    CHECK(output[i] == (c < d->channels ? fminf(fmaxf(exact, MIN), MAX) : 99));
  }
  free(map);
  free(zero);
  free(weights);
  free(pointers);
  free(output);
}

static void depthwise_convolutions_by_definition(void) {
  static const size_t kChannels[] = {1, 3, 4, 5, 8, 11, 16, 24}, kWidths[] = {1, 2, 12, 13, 20, 38, 39, 77};
  for (size_t c = 0; c < sizeof kChannels / sizeof *kChannels; c++)
    for (size_t w = 0; w < sizeof kWidths / sizeof *kWidths; w++)
      for (size_t step = 1; step <= 4 && check_failures_in_test == 0; step++) {
        const depthwise d = {kChannels[c], kWidths[w], step};
        check_floats(&d);
        check_bytes(&d);
        if (check_failures_in_test > 0)
          printf("# %d channels, width %d, step %d\n", (int)d.channels, (int)d.width, (int)step);
      }
}

// ---- packed weights ----

enum { MOST_COLUMNS = 24, MOST_DEPTH = 5, WIDTH = 8 };

// Weight `i` of a kernel whose numbers are stored as `dtype`, each output channel with its scale and zero point.
static float weight_at(ocl_dtype dtype, bool is_by_channel, size_t channel, size_t i) {
  if (dtype == OCL_FLOAT16 || dtype == OCL_FLOAT32) return (float)whole_at(i);
  const size_t at = is_by_channel ? channel : 0;
  return (float)(whole_at(i) - whole_at(at + 4)) * (float)(at + 1) / 8;
}

static void check_packed(ocl_dtype dtype, bool is_by_channel, size_t columns, size_t depth) {
  float floats[MOST_COLUMNS * MOST_DEPTH], rows[WIDTH * MOST_DEPTH], bias[MOST_COLUMNS], scales[MOST_COLUMNS];
  _Float16 halves[MOST_COLUMNS * MOST_DEPTH];
  int8_t bytes[MOST_COLUMNS * MOST_DEPTH];
  int64_t zero_points[MOST_COLUMNS];
  for (size_t i = 0; i < columns * depth; i++) {
    floats[i] = (float)whole_at(i);
    halves[i] = (_Float16)whole_at(i);
    bytes[i] = (int8_t)whole_at(i);
  }
  for (size_t c = 0; c < columns; c++) {
    bias[c] = (float)c + 100;
    scales[c] = (float)(c + 1) / 8;
    zero_points[c] = whole_at(c + 4);
  }
  const ocl_tflite_tensor kernel = {
      .dtype = dtype,
      .shape = {4, {(int32_t)columns, 1, 1, (int32_t)depth}},
      .data = dtype == OCL_INT8 ? (const uint8_t*)bytes : (const uint8_t*)halves,
      .quantization = {.num_scales = dtype != OCL_INT8 ? 0
                                     : is_by_channel   ? (int32_t)columns
                                                       : 1,
                       .scales = scales,
                       .zero_points = zero_points},
  };
  const size_t tiles = (columns + WIDTH - 1) / WIDTH, tile_floats = WIDTH * (depth + 1);
  float* packed = calloc(tiles * tile_floats, sizeof *packed);
  CHECK(ocl_pack_f32_rows_bytes(depth) == WIDTH * depth * sizeof *rows);
  if (dtype != OCL_FLOAT32) ocl_pack_f32_from(&kernel, rows);
  ocl_pack_f32_run(1, columns, depth, WIDTH, 1, 1, (const uint32_t*)(const void*)floats,
                   (const uint32_t*)(const void*)bias, NULL, (uint32_t*)(void*)packed, 0, NULL);
  ocl_pack_f32_from(NULL, NULL);
  for (size_t c = 0; c < columns; c++) {
    const float* tile = packed + c / WIDTH * tile_floats + c % WIDTH;
    CHECK(tile[0] == bias[c]);
    for (size_t k = 0; k < depth; k++)
      CHECK(tile[WIDTH * (k + 1)] == weight_at(dtype, is_by_channel, c, c * depth + k));
  }
  free(packed);
}

static void packed_weights_are_those_that_are_stored(void) {
  for (size_t columns = 1; columns <= MOST_COLUMNS; columns++)
    for (size_t depth = 1; depth <= MOST_DEPTH; depth++) {
      check_packed(OCL_FLOAT32, false, columns, depth);
      check_packed(OCL_FLOAT16, false, columns, depth);
      check_packed(OCL_INT8, false, columns, depth);
      check_packed(OCL_INT8, true, columns, depth);
    }
}

#ifdef __wasm_relaxed_simd__
static float whole(size_t i) {
  return (float)(i * 7 % 11) - 5;
}

// In memory of exactly their sizes. Between the rows of the output lies a number that stays.
static void check_product(size_t rows, size_t columns, size_t depth) {
  const size_t tiles = (columns + 7) / 8, stride = columns + 1;
  float* a = malloc(rows * depth * sizeof *a);
  float* w = malloc(tiles * 8 * (depth + 1) * sizeof *w);
  float* c = malloc(rows * stride * sizeof *c);
  for (size_t i = 0; i < rows * depth; i++) a[i] = whole(i);
  for (size_t i = 0; i < tiles * 8 * (depth + 1); i++) w[i] = whole(i + 3);
  for (size_t i = 0; i < rows * stride; i++) c[i] = 99;
  const union xnn_f32_minmax_params params = {.scalar = {.min = -60, .max = 80}};
  ocl_gemm_f32_run(rows, columns, depth * sizeof *a, a, depth * sizeof *a, w, c, stride * sizeof *c, 8 * sizeof *c,
                   &params);
  for (size_t i = 0; i < rows * stride; i++) {
    const size_t row = i / stride, column = i % stride;
    if (column == columns) {
      CHECK(c[i] == 99);
      continue;
    }
    const float* tile = w + column / 8 * 8 * (depth + 1) + column % 8;
    float sum = tile[0];
    for (size_t k = 0; k < depth; k++) sum += a[row * depth + k] * tile[8 * (k + 1)];
    CHECK(c[i] == fminf(fmaxf(sum, -60), 80));
  }
  free(a);
  free(w);
  free(c);
}

static void products_of_every_tile_by_definition(void) {
  for (size_t rows = 1; rows <= 6; rows++)
    for (size_t columns = 1; columns <= 17; columns++)
      for (size_t depth = 1; depth <= 6; depth++) check_product(rows, columns, depth);
}
#endif

static struct xnn_gemm_config watched;
static int num_gemms, num_igemms;

static void count_gemm(size_t mr, size_t nc, size_t kc, const void* a, size_t a_stride, const void* w, void* c,
                       size_t cm_stride, size_t cn_stride, const void* params) {
  num_gemms++;
  watched.minmax.gemm[mr - 1].function[XNN_UARCH_DEFAULT](mr, nc, kc, a, a_stride, w, c, cm_stride, cn_stride, params);
}

static void count_igemm(size_t mr, size_t nc, size_t kc, size_t ks, const void** a, const void* w, void* c,
                        size_t cm_stride, size_t cn_stride, size_t a_offset, const void* zero, const void* params) {
  num_igemms++;
  watched.minmax.igemm[mr - 1].function[XNN_UARCH_DEFAULT](mr, nc, kc, ks, a, w, c, cm_stride, cn_stride, a_offset,
                                                           zero, params);
}

// Of XNNPACK's kernels and of ours, the largest tiles; ASan sees whether their operands are large enough.
static void warming_up_runs_the_matrix_kernels(void) {
  struct xnn_gemm_config* config = (struct xnn_gemm_config*)xnn_init_f32_gemm_config();
  for (int are_ours = 0; are_ours <= 1; are_ours++) {
    ocl_kernels_install(!are_ours);
    watched = *config;
    config->minmax.gemm[config->mr - 1].function[XNN_UARCH_DEFAULT] = count_gemm;
    config->minmax.igemm[config->mr - 1].function[XNN_UARCH_DEFAULT] = count_igemm;
    num_gemms = num_igemms = 0;
    ocl_kernels_warm_up();
    CHECK(num_gemms > 0 && num_igemms > 0);
    *config = watched;
  }
}

int main(void) {
  RUN(warming_up_runs_the_matrix_kernels);
  RUN(depthwise_convolutions_by_definition);
  RUN(packed_weights_are_those_that_are_stored);
#ifdef __wasm_relaxed_simd__
  RUN(products_of_every_tile_by_definition);
#endif
  RUN(slopes_are_for_negative_numbers_only);
  RUN(each_column_has_its_slope);
  RUN(rows_get_length_1);
  RUN(gelu_is_as_exact_as_its_numbers);
  return check_failed_tests;
}
