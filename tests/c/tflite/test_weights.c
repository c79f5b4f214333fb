#include <stdbool.h>

#include "check.h"
#include "tflite/weights.h"

// IEEE 754-2019, 3.4: sign 1 bit, exponent 5 bits of bias 15, fraction 10 bits.
static double half_by_definition(uint32_t half) {
  const int exponent = (int)(half >> 10 & 31);
  const double fraction = (half & 1023) / 1024.0, sign = (half & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31) return fraction == 0 ? sign * INFINITY : NAN;
  return sign * (exponent == 0 ? ldexp(fraction, -14) : ldexp(1 + fraction, exponent - 15));
}

static void test_every_half(void) {
  for (uint32_t half = 0; half < 65536; half++) {
    const double expected = half_by_definition(half);
    const float actual = ocl_weights_half_to_float((uint16_t)half);
    CHECK(isnan(expected) ? isnan(actual) : (double)actual == expected);
    CHECK(!!signbit(actual) == !!(half & 0x8000));
  }
}

static ocl_tflite_tensor tensor_of(ocl_dtype dtype, const void* data, int32_t rows, int32_t columns) {
  return (ocl_tflite_tensor){.dtype = dtype, .shape = {2, {rows, columns}}, .data = data};
}

static void test_floats_are_copied(void) {
  static const float values[] = {0.0f, -0.0f, 1.5f, -3.25f, INFINITY, 1e-40f};
  const ocl_tflite_tensor tensor = tensor_of(OCL_FLOAT32, values, 2, 3);
  float out[6];
  CHECK_STATUS(ocl_weights_to_float(&tensor, out), OCL_OK);
  CHECK(memcmp(out, values, sizeof values) == 0);
}

static void test_halves(void) {
  static const uint16_t halves[] = {0x0000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555};
  const ocl_tflite_tensor tensor = tensor_of(OCL_FLOAT16, halves, 3, 2);
  float out[6];
  CHECK_STATUS(ocl_weights_to_float(&tensor, out), OCL_OK);
  for (int i = 0; i < 6; i++) CHECK((double)out[i] == half_by_definition(halves[i]));
}

// (stored - zero_point) * scale, one scale for all: every stored value.
static void test_per_tensor(void) {
  uint8_t stored[256];
  for (int i = 0; i < 256; i++) stored[i] = (uint8_t)i;
  static const float scale = 0.37f;
  static const int64_t zero_points[] = {0, -128, 127, 5};
  for (int z = 0; z < 4; z++) {
    const bool is_signed_only = zero_points[z] < 0;
    for (int is_signed = is_signed_only; is_signed < 2; is_signed++) {
      ocl_tflite_tensor tensor = tensor_of(is_signed ? OCL_INT8 : OCL_UINT8, stored, 16, 16);
      tensor.quantization = (ocl_quantization){1, 0, &scale, z == 0 ? NULL : &zero_points[z]};
      float out[256];
      CHECK_STATUS(ocl_weights_to_float(&tensor, out), OCL_OK);
      for (int i = 0; i < 256; i++) {
        const int value = is_signed && i > 127 ? i - 256 : i;
        CHECK_NEAR(out[i], (value - (double)zero_points[z]) * (double)scale, 1e-5);
      }
    }
  }
}

// Along each axis of [2, 3, 4]: the scale is that of the element's index on it.
static void test_per_channel(void) {
  static const int32_t dims[] = {2, 3, 4}, strides[] = {12, 4, 1};
  static const float scales[] = {1.0f, 0.5f, 4.0f, 0.125f};
  static const int64_t zero_points[] = {0, 3, -7, 100};
  int8_t stored[24];
  for (int i = 0; i < 24; i++) stored[i] = (int8_t)(i * 11 - 128);
  for (int32_t axis = 0; axis < 3; axis++) {
    const ocl_tflite_tensor tensor = {.dtype = OCL_INT8,
                                      .shape = {3, {2, 3, 4}},
                                      .data = (const uint8_t*)stored,
                                      .quantization = {dims[axis], axis, scales, zero_points}};
    float out[24];
    CHECK_STATUS(ocl_weights_to_float(&tensor, out), OCL_OK);
    for (int i = 0; i < 24; i++) {
      const int channel = i / strides[axis] % dims[axis];
      CHECK((double)out[i] == ((double)stored[i] - (double)zero_points[channel]) * (double)scales[channel]);
    }
  }
}

static void test_nothing_to_fill(void) {
  static const float scales[] = {1.0f, 2.0f};
  const int8_t stored = 0;
  const ocl_tflite_tensor tensor = {.dtype = OCL_INT8,
                                    .shape = {3, {2, 0, 4}},
                                    .data = (const uint8_t*)&stored,
                                    .quantization = {2, 0, scales, NULL}};
  CHECK_STATUS(ocl_weights_to_float(&tensor, NULL), OCL_OK);
}

static void test_what_is_no_weight(void) {
  const int64_t data = 0;
  float out[1];
  static const ocl_dtype dtypes[] = {OCL_INT32, OCL_INT64, OCL_BOOL, OCL_INT8, OCL_UINT8};  // these without scales
  for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
    const ocl_tflite_tensor tensor = tensor_of(dtypes[i], &data, 1, 1);
    CHECK_STATUS(ocl_weights_to_float(&tensor, out), OCL_INVALID_ARGUMENT);
  }
}

int main(void) {
  RUN(test_every_half);
  RUN(test_floats_are_copied);
  RUN(test_halves);
  RUN(test_per_tensor);
  RUN(test_per_channel);
  RUN(test_nothing_to_fill);
  RUN(test_what_is_no_weight);
  return check_failed_tests;
}
