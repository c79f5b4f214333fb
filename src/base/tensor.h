// Describes a tensor: dtype, shape, quantization. The only code computes sizes from them.
#ifndef OCELLI_TENSOR_H_
#define OCELLI_TENSOR_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OCL_MAX_RANK = 6 };

// X(name, bytes per element)
#define OCL_DTYPE_LIST(X) X(FLOAT32, 4) X(FLOAT16, 2) X(INT32, 4) X(INT64, 8) X(INT8, 1) X(UINT8, 1) X(BOOL, 1)

typedef enum {
#define OCL_DTYPE_ENUM(name, bytes) OCL_##name,
  OCL_DTYPE_LIST(OCL_DTYPE_ENUM)
#undef OCL_DTYPE_ENUM
      OCL_NUM_DTYPES
} ocl_dtype;

static inline size_t ocl_dtype_size_bytes(ocl_dtype dtype) {
  static const uint8_t sizes[] = {
#define OCL_DTYPE_SIZE(name, bytes) bytes,
      OCL_DTYPE_LIST(OCL_DTYPE_SIZE)
#undef OCL_DTYPE_SIZE
  };
  return sizes[dtype];
}

typedef struct {
  int32_t rank;
  int32_t dims[OCL_MAX_RANK];  // row-major, the last one contiguous; each > 0, except in empty constants
} ocl_shape;

size_t ocl_shape_num_elements(const ocl_shape* shape);
bool ocl_shape_is_same(const ocl_shape* a, const ocl_shape* b);

// real = (stored - zero_point) * scale. Per tensor (num_scales 1), per channel along `axis` (num_scales = dims[axis]),
// or none (num_scales 0). The arrays are borrowed from the model's bytes.
typedef struct {
  int32_t num_scales;
  int32_t axis;
  const float* scales;
  const int64_t* zero_points;
} ocl_quantization;

#endif  // OCELLI_TENSOR_H_
