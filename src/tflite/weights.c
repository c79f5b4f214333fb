#include "tflite/weights.h"

#include <string.h>

// Has no branch, so that compilers vectorize it. It shifts exponent and mantissa into place and corrects the exponent
// bias by a multiplication, which is exact for subnormals too. Infinities and NaNs get all exponent bits set.
float ocl_weights_half_to_float(uint16_t half) {
  const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
  float value;
  memcpy(&value, &magnitude, sizeof value);
  value *= 0x1p112f;
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits |= (uint32_t)(half & 0x8000) << 16;
  bits |= magnitude >= 0x0f800000 ? 0x7f800000 : 0;
  memcpy(&value, &bits, sizeof value);
  return value;
}

void ocl_weights_halves_to_floats(size_t count, const uint16_t* restrict halves, float* restrict out) {
  for (size_t i = 0; i < count; i++) out[i] = ocl_weights_half_to_float(halves[i]);
}

// Runs of `inner` consecutive elements belong to one channel; channels repeat after num_scales.
static void dequantize(const ocl_tflite_tensor* tensor, size_t count, float* out) {
  const ocl_quantization* q = &tensor->quantization;
  size_t inner = count;
  if (q->num_scales > 1) {
    inner = 1;
    for (int32_t i = q->axis + 1; i < tensor->shape.rank; i++) inner *= (size_t)tensor->shape.dims[i];
  }
  size_t i = 0;
  for (int32_t channel = 0; i < count; channel = (channel + 1) % q->num_scales) {
    const float scale = q->scales[channel];
    const int32_t zero_point = q->zero_points == NULL ? 0 : (int32_t)q->zero_points[channel];
    for (const size_t end = i + inner; i < end; i++) {
      const int32_t stored = tensor->dtype == OCL_INT8 ? ((const int8_t*)tensor->data)[i] : tensor->data[i];
      out[i] = (float)(stored - zero_point) * scale;
    }
  }
}

ocl_status ocl_weights_to_float(const ocl_tflite_tensor* tensor, float* out) {
  const size_t count = ocl_shape_num_elements(&tensor->shape);
  switch (tensor->dtype) {
    case OCL_FLOAT32: memcpy(out, tensor->data, count * sizeof *out); return OCL_OK;
    case OCL_FLOAT16:
      ocl_weights_halves_to_floats(count, (const uint16_t*)(const void*)tensor->data, out);
      return OCL_OK;
    case OCL_INT8:
    case OCL_UINT8:
      if (tensor->quantization.num_scales == 0) return OCL_INVALID_ARGUMENT;
      dequantize(tensor, count, out);
      return OCL_OK;
    default: return OCL_INVALID_ARGUMENT;
  }
}
