// Stage: samples of the components -> RGB rows. Upsampling and colours are computed as in libjpeg-turbo,
// so that the pixels are the same.
#include <string.h>
#include <wasm_simd128.h>

#include "image/jpeg_internal.h"

// ---- upsampling

static const uint8_t* sample_row(const jpeg_component* c, int32_t y) {
  return c->ring + (ptrdiff_t)(y % c->ring_rows) * c->stride;
}

// Sums of a row and a nearer row: 3 * near + far; or the row itself. With a copy of the last one on either side.
static void add_rows(const uint8_t* near, const uint8_t* far, int32_t count, int16_t* sums) {
  for (int32_t x = 0; x < count; x += 8) {
    v128_t sum = wasm_u16x8_load8x8(near + x);
    if (far != NULL) sum = wasm_i16x8_add(wasm_i16x8_mul(sum, wasm_i16x8_splat(3)), wasm_u16x8_load8x8(far + x));
    wasm_v128_store(sums + x, sum);
  }
  sums[-1] = sums[0];
  sums[count] = sums[count - 1];
}

// Two pixels of each sample, which is three times as near to them as the next one.
static void widen(const int16_t* sums, int32_t count, int32_t shift, int32_t bias_left, int32_t bias_right,
                  uint8_t* out) {
  for (int32_t x = 0; x < count; x += 8, out += 16) {
    const v128_t thrice = wasm_i16x8_mul(wasm_v128_load(sums + x), wasm_i16x8_splat(3));
    const v128_t left = wasm_i16x8_add(thrice, wasm_v128_load(sums + x - 1));
    const v128_t right = wasm_i16x8_add(thrice, wasm_v128_load(sums + x + 1));
    const v128_t even = wasm_u16x8_shr(wasm_i16x8_add(left, wasm_i16x8_splat((int16_t)bias_left)), (uint32_t)shift);
    const v128_t odd = wasm_u16x8_shr(wasm_i16x8_add(right, wasm_i16x8_splat((int16_t)bias_right)), (uint32_t)shift);
    wasm_v128_store(out, wasm_v128_or(even, wasm_i16x8_shl(odd, 8)));
  }
}

static void blend(const uint8_t* near, const uint8_t* far, int32_t count, int32_t bias, uint8_t* out) {
  for (int32_t x = 0; x < count; x++) out[x] = (uint8_t)((3 * near[x] + far[x] + bias) >> 2);
}

static void repeat(const uint8_t* row, int32_t width, int32_t times, uint8_t* out) {
  for (int32_t x = 0; x < width; x++) out[x] = row[x / times];
}

// A component's samples for the pixels of row y.
static const uint8_t* upsample(const ocl_jpeg* jpeg, const jpeg_component* c, int32_t y) {
  const int32_t row = y / c->down, is_lower = y % c->down;
  const uint8_t* near = sample_row(c, row);
  if (c->across == 1 && c->down == 1) return near;
  const bool is_smooth = jpeg->scale_px > 1 && c->across <= 2 && c->down <= 2 && (c->across == 1 || c->width > 2);
  if (!is_smooth) {
    repeat(near, jpeg->width, c->across, c->upsampled);
    return c->upsampled;
  }
  const int32_t next = is_lower ? row + 1 : row - 1;
  const uint8_t* far = c->down == 1 ? NULL : sample_row(c, next < 0 ? 0 : next < c->height ? next : c->height - 1);
  if (c->across == 1) {
    blend(near, far, c->width, is_lower ? 2 : 1, c->upsampled);
    return c->upsampled;
  }
  add_rows(near, far, c->width, jpeg->sums);
  if (far == NULL)
    widen(jpeg->sums, c->width, 2, 1, 2, c->upsampled);
  else
    widen(jpeg->sums, c->width, 4, 8, 7, c->upsampled);
  return c->upsampled;
}

// ---- colours

// Eight pixels' red, green and blue of their differences from grey. The constants are 1.402, 0.344, 0.714 and 1.772 in
// 16 bits of fraction, less whole numbers.
typedef struct {
  v128_t red, green, blue;
} differences;

static inline v128_t scaled_sum(v128_t low, v128_t high, int32_t blue, int32_t red) {
  const v128_t constants = wasm_i32x4_splat((int32_t)((uint32_t)red << 16 | (blue & 0xFFFF)));
  const v128_t half = wasm_i32x4_splat(1 << 15);
  return wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_dot_i16x8(low, constants), half), 16),
                                 wasm_i32x4_shr(wasm_i32x4_add(wasm_i32x4_dot_i16x8(high, constants), half), 16));
}

static inline differences to_differences(v128_t blue, v128_t red) {
  const v128_t low = wasm_i16x8_shuffle(blue, red, 0, 8, 1, 9, 2, 10, 3, 11);
  const v128_t high = wasm_i16x8_shuffle(blue, red, 4, 12, 5, 13, 6, 14, 7, 15);
  return (differences){
      .red = wasm_i16x8_add(red, scaled_sum(low, high, 0, 26345)),
      .green = wasm_i16x8_sub(scaled_sum(low, high, -22554, 18734), red),
      .blue = wasm_i16x8_add(wasm_i16x8_add(blue, blue), scaled_sum(low, high, -14942, 0)),
  };
}

static inline v128_t add_grey(v128_t low, v128_t high, v128_t grey) {
  return wasm_u8x16_narrow_i16x8(wasm_i16x8_add(low, wasm_u16x8_extend_low_u8x16(grey)),
                                 wasm_i16x8_add(high, wasm_u16x8_extend_high_u8x16(grey)));
}

static inline void store_rgb(v128_t r, v128_t g, v128_t b, uint8_t* out) {
  const v128_t rg0 = wasm_i8x16_shuffle(r, g, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
  const v128_t rg1 = wasm_i8x16_shuffle(r, g, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
  const v128_t rg2 = wasm_i8x16_shuffle(r, g, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
  wasm_v128_store(out, wasm_i8x16_shuffle(rg0, b, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15));
  wasm_v128_store(out + 16, wasm_i8x16_shuffle(rg1, b, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15));
  wasm_v128_store(out + 32, wasm_i8x16_shuffle(rg2, b, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31));
}

static void convert_ycc(const uint8_t* const rows[], int32_t width, uint8_t* rgb) {
  for (int32_t x = 0; x < width; x += 16, rgb += 48) {
    const v128_t grey = wasm_v128_load(rows[0] + x), half = wasm_i16x8_splat(128);
    const v128_t blue = wasm_v128_load(rows[1] + x), red = wasm_v128_load(rows[2] + x);
    const differences low = to_differences(wasm_i16x8_sub(wasm_u16x8_extend_low_u8x16(blue), half),
                                           wasm_i16x8_sub(wasm_u16x8_extend_low_u8x16(red), half));
    const differences high = to_differences(wasm_i16x8_sub(wasm_u16x8_extend_high_u8x16(blue), half),
                                            wasm_i16x8_sub(wasm_u16x8_extend_high_u8x16(red), half));
    store_rgb(add_grey(low.red, high.red, grey), add_grey(low.green, high.green, grey),
              add_grey(low.blue, high.blue, grey), rgb);
  }
}

static void interleave(const uint8_t* const rows[], int32_t width, uint8_t* rgb) {
  for (int32_t x = 0; x < width; x += 16)
    store_rgb(wasm_v128_load(rows[0] + x), wasm_v128_load(rows[1] + x), wasm_v128_load(rows[2] + x), rgb + 3 * x);
}

// Of inverted inks, as Adobe's programs and all others write them. `flip`: 255 if the colours, not the inks, are given.
static void multiply_black(const uint8_t* black, uint8_t flip, int32_t width, uint8_t* rgb) {
  for (int32_t i = 0; i < 3 * width; i++) {
    const uint32_t product = (uint32_t)(rgb[i] ^ flip) * black[i / 3] + 128;
    rgb[i] = (uint8_t)((product + (product >> 8)) >> 8);
  }
}

// T.81 leaves the colours open: JFIF and Adobe's marker say them, else the components' names; as libjpeg guesses.
static bool is_luma_chroma(const ocl_jpeg* jpeg) {
  const jpeg_component* c = jpeg->components;
  if (jpeg->num_components == 4) return jpeg->has_adobe && jpeg->adobe_transform != 0;
  if (jpeg->has_jfif) return true;
  if (jpeg->has_adobe) return jpeg->adobe_transform != 0;
  return c[0].id != 'R' || c[1].id != 'G' || c[2].id != 'B';
}

static void emit_row(ocl_jpeg* jpeg, int32_t y) {
  const uint8_t* rows[MAX_COMPONENTS];
  for (int32_t i = 0; i < jpeg->num_components; i++) rows[i] = upsample(jpeg, &jpeg->components[i], y);
  if (jpeg->num_components == 1) rows[1] = rows[2] = rows[0];
  const bool is_converted = jpeg->num_components > 1 && is_luma_chroma(jpeg);
  if (is_converted)
    convert_ycc(rows, jpeg->width, jpeg->rgb);
  else
    interleave(rows, jpeg->width, jpeg->rgb);
  if (jpeg->num_components == 4) multiply_black(rows[3], is_converted ? 255 : 0, jpeg->width, jpeg->rgb);
  jpeg->sink->take(jpeg->sink->context, y, jpeg->rgb);
}

void ocl_jpeg_emit_rows(ocl_jpeg* jpeg, int32_t end) {
  for (; jpeg->next_row < end; jpeg->next_row++)
    if (jpeg->sink->needs_row[jpeg->next_row]) emit_row(jpeg, jpeg->next_row);
}
