// Stage: model bytes -> verified view of a .tflite FlatBuffer.
// The only bounds checks on a model's file structure live in flatbuffer.c and tflite_verify.c: ocl_tflite_verify()
// walks everything that the functions below read, once; after it returned OCL_OK they read freely and cannot fail.
// Invariants then: operators come in an order in which each input is a constant, a graph input or an earlier operator's
// output; each tensor is written once; constants and graph inputs are never written.
// Only the first subgraph is read. All pointers and names given out are borrowed from the bytes, which must outlive
// the view. Little-endian hosts only (wasm, x86, arm).
#ifndef OCELLI_TFLITE_H_
#define OCELLI_TFLITE_H_

#include <stdbool.h>

#include "base/status.h"
#include "base/tensor.h"

enum { OCL_TFLITE_ANY = 65535 };  // as many inputs or outputs as the file likes

// TFLite's BuiltinOperator numbers (schema.fbs) of the operators that the view knows the options of, their options
// table, and how many tensors they take and give. Inputs from min_inputs on may be left out, but not where ANY go in.
// X(name, number, options, min_inputs, max_inputs, num_outputs)
#define OCL_TFLITE_OP_LIST(X)                                      \
  X(ADD, 0, ADD, 2, 2, 1)                                          \
  X(AVERAGE_POOL_2D, 1, POOL_2D, 1, 1, 1)                          \
  X(CONCATENATION, 2, CONCATENATION, 1, OCL_TFLITE_ANY, 1)         \
  X(CONV_2D, 3, CONV_2D, 2, 3, 1)                                  \
  X(DEPTHWISE_CONV_2D, 4, DEPTHWISE_CONV_2D, 2, 3, 1)              \
  X(DEQUANTIZE, 6, DEQUANTIZE, 1, 1, 1)                            \
  X(FULLY_CONNECTED, 9, FULLY_CONNECTED, 2, 3, 1)                  \
  X(LOGISTIC, 14, NONE, 1, 1, 1)                                   \
  X(MAX_POOL_2D, 17, POOL_2D, 1, 1, 1)                             \
  X(MUL, 18, MUL, 2, 2, 1)                                         \
  X(RELU, 19, NONE, 1, 1, 1)                                       \
  X(RELU6, 21, NONE, 1, 1, 1)                                      \
  X(RESHAPE, 22, RESHAPE, 1, 2, 1)                                 \
  X(RESIZE_BILINEAR, 23, RESIZE_BILINEAR, 2, 2, 1)                 \
  X(SOFTMAX, 25, SOFTMAX, 1, 1, 1)                                 \
  X(CUSTOM, 32, NONE, 0, OCL_TFLITE_ANY, OCL_TFLITE_ANY)           \
  X(PAD, 34, PAD, 2, 2, 1)                                         \
  X(TRANSPOSE, 39, TRANSPOSE, 2, 2, 1)                             \
  X(MEAN, 40, REDUCER, 2, 2, 1)                                    \
  X(SUB, 41, SUB, 2, 2, 1)                                         \
  X(SQUEEZE, 43, SQUEEZE, 1, 1, 1)                                 \
  X(STRIDED_SLICE, 45, STRIDED_SLICE, 4, 4, 1)                     \
  X(TILE, 69, TILE, 2, 2, 1)                                       \
  X(EXPAND_DIMS, 70, EXPAND_DIMS, 2, 2, 1)                         \
  X(SHAPE, 77, SHAPE, 1, 1, 1)                                     \
  X(PACK, 83, PACK, 1, OCL_TFLITE_ANY, 1)                          \
  X(RESIZE_NEAREST_NEIGHBOR, 97, RESIZE_NEAREST_NEIGHBOR, 2, 2, 1) \
  X(QUANTIZE, 114, QUANTIZE, 1, 1, 1)                              \
  X(HARD_SWISH, 117, HARD_SWISH, 1, 1, 1)

typedef enum {
#define OCL_TFLITE_OP_ENUM(name, number, options, min_inputs, max_inputs, num_outputs) OCL_OP_##name = number,
  OCL_TFLITE_OP_LIST(OCL_TFLITE_OP_ENUM)
#undef OCL_TFLITE_OP_ENUM
} ocl_tflite_opcode;

typedef enum { OCL_PADDING_SAME = 0, OCL_PADDING_VALID = 1 } ocl_padding;
// Fused activations, TFLite's numbers.
typedef enum {
  OCL_ACTIVATION_NONE = 0,
  OCL_ACTIVATION_RELU = 1,
  OCL_ACTIVATION_RELU_N1_TO_1 = 2,
  OCL_ACTIVATION_RELU6 = 3,
} ocl_activation;

typedef struct {
  const uint8_t* bytes;
  size_t size_bytes;
  // Absolute offsets into bytes, found by ocl_tflite_verify(). Private to tflite.c.
  uint32_t model, subgraph;
  int32_t num_tensors, num_operators, num_inputs, num_outputs;
} ocl_tflite;

typedef struct {
  const char* name;  // NUL-terminated; "" if the file names none
  ocl_dtype dtype;
  ocl_shape shape;         // a dimension that the file leaves free is 1 here; only a constant may have one of 0
  bool is_batch_free;      // shape_signature[0] == -1
  bool is_shape_free;      // shape_signature has -1 elsewhere
  const uint8_t* data;     // constant's bytes, aligned to its element size (at most 8); NULL: computed at run time
  size_t data_size_bytes;  // == elements * element size whenever data != NULL
  ocl_quantization quantization;  // of integers only. zero_points NULL: all are 0
} ocl_tflite_tensor;

typedef struct {
  int32_t opcode;           // ocl_tflite_opcode, or another BuiltinOperator number
  const char* custom_name;  // for OCL_OP_CUSTOM: its NUL-terminated name; "" otherwise
  int32_t num_inputs, num_outputs;
  const int32_t* inputs;  // tensor indices; -1: optional input left out
  const int32_t* outputs;
  union {  // by opcode; TFLite's defaults where the file has no options table
    struct {
      ocl_padding padding;
      int32_t stride_h, stride_w, dilation_h, dilation_w, depth_multiplier;
      ocl_activation activation;
    } conv;  // CONV_2D (depth_multiplier 0), DEPTHWISE_CONV_2D
    struct {
      ocl_padding padding;
      int32_t stride_h, stride_w, filter_h, filter_w;
      ocl_activation activation;
    } pool;
    struct {
      ocl_activation activation;
      bool keep_num_dims;
    } fully_connected;
    struct {
      ocl_activation activation;
    } binary;  // ADD, SUB, MUL
    struct {
      int32_t axis;
      ocl_activation activation;
    } concatenation;
    struct {
      float beta;
    } softmax;
    struct {
      int32_t num_dims;
      const int32_t* dims;  // the options' new_shape / squeeze_dims; NULL if absent
    } reshape, squeeze;
    struct {
      bool align_corners, half_pixel_centers;
    } resize;  // RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR
    struct {
      bool keep_dims;
    } reduce;
    struct {
      int32_t begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask;
    } strided_slice;
    struct {
      int32_t axis, values_count;
    } pack;
    struct {
      const uint8_t* bytes;
      size_t size_bytes;
    } custom;  // opaque custom_options
  } options;
} ocl_tflite_operator;

// Checks every offset, vector, string, index, buffer range, shape, quantization array and option of `bytes` and fills
// *model_out. `bytes` must be aligned to 8 (malloc's are) and must outlive the view.
// INVALID_ARGUMENT (alignment), MODEL_TOO_LARGE, or the MODEL_* of status.h that names the first thing that is wrong;
// `detail` (may be NULL) says where. Time is linear in the file's size without its weights.
ocl_status ocl_tflite_verify(const uint8_t* bytes, size_t size_bytes, ocl_tflite* model_out, ocl_detail* detail);

// `index` in [0, num_tensors).
ocl_tflite_tensor ocl_tflite_get_tensor(const ocl_tflite* model, int32_t index);
// `index` in [0, num_operators).
ocl_tflite_operator ocl_tflite_get_operator(const ocl_tflite* model, int32_t index);
// Tensor indices of the subgraph's inputs [num_inputs] and outputs [num_outputs].
const int32_t* ocl_tflite_inputs(const ocl_tflite* model);
const int32_t* ocl_tflite_outputs(const ocl_tflite* model);
// The bytes (of any alignment) of the `metadata` entry with this name; NULL and 0 if there is none.
const uint8_t* ocl_tflite_find_metadata(const ocl_tflite* model, const char* name, size_t* size_bytes_out);
// "CONV_2D"; operators outside OCL_TFLITE_OP_LIST have names, too. NULL for a number unknown to us. Static storage.
const char* ocl_tflite_opcode_name(int32_t opcode);

#endif  // OCELLI_TFLITE_H_
