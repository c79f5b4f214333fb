// Packs weights [columns, depth] for float matrix kernels with eight columns. Out: for every eight columns, their
// biases, then eight weights for each input (XNNPACK's layout). float16 and int8 weights are converted while packing,
// without a float32 copy.
#include <string.h>
#include <wasm_simd128.h>

#include "kernels/kernels.h"
#include "tflite/weights.h"
#include "xnnpack/packw.h"

enum { WIDTH = 8, STEP = 4 };

// One output channel's weights: float16, or int8 with its scale.
typedef struct {
  const void* weights;
  float scale;
} column;

static struct {
  ocl_pack_form form;
  const float* scales;
} source;

void ocl_pack_f32_from(ocl_pack_form form, const float* scales) {
  source.form = form;
  source.scales = scales;
}

// ocl_weights_half_to_float() for four values.
static inline v128_t widen(const uint16_t* halves) {
  const v128_t bits = wasm_u32x4_load16x4(halves);
  const v128_t magnitude = wasm_i32x4_shl(wasm_v128_and(bits, wasm_i32x4_const_splat(0x7fff)), 13);
  const v128_t sign = wasm_i32x4_shl(wasm_v128_and(bits, wasm_i32x4_const_splat(0x8000)), 16);
  const v128_t is_special = wasm_i32x4_ge(magnitude, wasm_i32x4_const_splat(0x0f800000));
  const v128_t value = wasm_f32x4_mul(magnitude, wasm_f32x4_const_splat(0x1p112f));
  return wasm_v128_or(wasm_v128_or(value, sign), wasm_v128_and(is_special, wasm_i32x4_const_splat(0x7f800000)));
}

static inline v128_t dequantize(const int8_t* bytes, float scale) {
  const v128_t words = wasm_i32x4_extend_low_i16x8(wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(bytes)));
  return wasm_f32x4_mul(wasm_f32x4_convert_i32x4(words), wasm_f32x4_splat(scale));
}

// Four weights of a column. `form` is a constant in each call.
static inline v128_t load(ocl_pack_form form, column c, size_t input) {
  return form == OCL_PACK_BYTES ? dequantize((const int8_t*)c.weights + input, c.scale)
                                : widen((const uint16_t*)c.weights + input);
}

static inline float load_one(ocl_pack_form form, column c, size_t input) {
  return form == OCL_PACK_BYTES ? (float)((const int8_t*)c.weights)[input] * c.scale
                                : ocl_weights_half_to_float(((const uint16_t*)c.weights)[input]);
}

// Transposes a 4 x 4 block: four inputs of each of four columns -> four columns of each of four inputs.
static inline void pack_square(ocl_pack_form form, const column* columns, size_t input, float* packed) {
  const v128_t a = load(form, columns[0], input), b = load(form, columns[1], input);
  const v128_t c = load(form, columns[2], input), d = load(form, columns[3], input);
  const v128_t ab_low = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5), ab_high = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
  const v128_t cd_low = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5), cd_high = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
  wasm_v128_store(packed, wasm_i64x2_shuffle(ab_low, cd_low, 0, 2));
  wasm_v128_store(packed + WIDTH, wasm_i64x2_shuffle(ab_low, cd_low, 1, 3));
  wasm_v128_store(packed + 2 * WIDTH, wasm_i64x2_shuffle(ab_high, cd_high, 0, 2));
  wasm_v128_store(packed + 3 * WIDTH, wasm_i64x2_shuffle(ab_high, cd_high, 1, 3));
}

// Packs the weights of eight columns.
static inline __attribute__((always_inline)) float* pack_weights(ocl_pack_form form, const column columns[WIDTH],
                                                                 size_t depth, float* packed) {
  size_t input = 0;
  for (; input + STEP <= depth; input += STEP, packed += STEP * WIDTH) {
    pack_square(form, columns, input, packed);
    pack_square(form, columns + WIDTH / 2, input, packed + WIDTH / 2);
  }
  for (; input < depth; input++, packed += WIDTH)
    for (size_t i = 0; i < WIDTH; i++) packed[i] = load_one(form, columns[i], input);
  return packed;
}

// Packs `count` <= 8 columns from number `first` on. The rest of the panel repeats one of them; kernels read it but
// store no result for it.
static float* pack_panel(const uint8_t* weights, size_t depth, size_t first, size_t count, const float* bias,
                         float* packed) {
  const bool are_bytes = source.form == OCL_PACK_BYTES;
  column columns[WIDTH];
  for (size_t i = 0; i < WIDTH; i++) {
    const size_t number = first + (i < count ? i : 0);
    columns[i] = (column){weights + number * depth * (are_bytes ? 1 : 2), are_bytes ? source.scales[number] : 1};
  }
  memset(packed, 0, WIDTH * sizeof *packed);
  if (bias != NULL) memcpy(packed, bias + first, count * sizeof *bias);
  packed += WIDTH;
  return are_bytes ? pack_weights(OCL_PACK_BYTES, columns, depth, packed)
                   : pack_weights(OCL_PACK_HALVES, columns, depth, packed);
}

void ocl_pack_f32_run(size_t groups, size_t columns, size_t depth, size_t nr, size_t kr, size_t sr,
                      const uint32_t* weights, const uint32_t* bias, const void* scale, uint32_t* packed,
                      size_t extra_bytes, const void* params) {
  if (source.form == OCL_PACK_FLOATS) {
    xnn_x32_packw_gemm_goi_ukernel_x8__wasmsimd_u4(groups, columns, depth, nr, kr, sr, weights, bias, scale, packed,
                                                   extra_bytes, params);
    return;
  }
  const float* biases = (const float*)(const void*)bias;
  float* next = (float*)(void*)packed;
  for (size_t first = 0; first < columns; first += WIDTH)
    next = pack_panel((const uint8_t*)(const void*)weights, depth, first,
                      columns - first < WIDTH ? columns - first : WIDTH, biases, next);
}

// The linker option --wrap makes this replace XNNPACK's packing of convolutions with more than one tap. All float
// matrix kernels here have kr 1, so the inputs of all taps can be packed as the inputs of one tap. XNNPACK's kernel for
// that is vectorized: six times as fast in the engine's baseline compiler.
void __wrap_xnn_pack_f32_conv_goki_w(size_t g, size_t nc, size_t ks, size_t kc, size_t nr, size_t kr, size_t sr,
                                     const float* k, const float* b, const void* scale, float* packed_weights,
                                     size_t extra_bytes, const void* params) {
  ocl_pack_f32_run(g, nc, ks * kc, nr, kr, sr, (const uint32_t*)k, (const uint32_t*)b, scale, (uint32_t*)packed_weights,
                   extra_bytes, params);
}
