// In: the bytes of a model. Out: a verified view of the .tflite FlatBuffer.
// All bounds checks on the file's structure are in flatbuffer.c and verify.c: ocl_tflite_verify() checks once
// everything that the functions below read. After it has returned OCL_OK, those functions check nothing and cannot
// fail. Then also: each operator input is a constant, a graph input or the output of an earlier operator; each tensor
// is written once; constants and graph inputs are never written. One subgraph is read: the first, or that of a
// signature. All returned pointers and names are borrowed from the bytes, which must outlive the view. Little-endian
// hosts only (wasm, x86, ARM).
#ifndef OCELLI_TFLITE_H_
#define OCELLI_TFLITE_H_

#include <stdbool.h>

#include "base/status.h"
#include "base/tensor.h"

// TFLite's BuiltinOperator numbers of the operators that ocelli runs.
enum {
#define OPERATOR(name, code, options, min_inputs, max_inputs, outputs, maps, int8, version, flags) OCL_OP_##name = code,
#include "tflite/operators.def"
  OCL_OP_CUSTOM = 32,
};

typedef enum { OCL_PADDING_SAME = 0, OCL_PADDING_VALID = 1 } ocl_padding;
// A vector, borrowed from the file. NULL and 0: absent.
typedef struct {
  const int32_t* ints;
  int32_t count;
} ocl_tflite_ints;
// Fused activations, with TFLite's numbers.
typedef enum {
  OCL_ACTIVATION_NONE = 0,
  OCL_ACTIVATION_RELU = 1,
  OCL_ACTIVATION_RELU_N1_TO_1 = 2,
  OCL_ACTIVATION_RELU6 = 3,
} ocl_activation;

typedef struct {
  const uint8_t* bytes;
  size_t size_bytes;
  // Offsets from the first byte. Private to tflite.c and verify.c.
  uint32_t model, subgraph;
  uint32_t subgraph_index;
  int32_t num_tensors, num_operators, num_inputs, num_outputs;
} ocl_tflite;

// How the file stores a constant's elements. All but PLAIN ones are read by ocl_tflite_make_dense() (dense.h).
typedef enum { OCL_TFLITE_PLAIN, OCL_TFLITE_SPARSE, OCL_TFLITE_NIBBLES } ocl_tflite_encoding;

typedef struct {
  const char* name;  // NUL-terminated; "" if the tensor has no name
  ocl_dtype dtype;
  ocl_shape shape;     // a free dimension is 1 here; one of 0 may be another at run time
  bool is_batch_free;  // shape_signature[0] == -1
  bool is_shape_free;  // shape_signature has -1 elsewhere
  // A constant's bytes, aligned to its element size (at most 8). NULL: computed at run time. A tensor without elements
  // has an address in either case: it is a constant unless it is an input of the graph or an operator computes it.
  const uint8_t* data;
  size_t data_size_bytes;  // == elements * element size if data != NULL and its encoding is PLAIN
  ocl_tflite_encoding encoding;
  ocl_quantization quantization;  // of integer tensors only. zero_points NULL: all are 0
} ocl_tflite_tensor;

// The options of an operator, one member for each options table. Fields that the file omits have TFLite's defaults.
typedef union {
  struct {
    ocl_padding padding;
    int32_t stride_h, stride_w, dilation_h, dilation_w;
    ocl_activation activation;
  } conv;  // CONV_2D, DEPTHWISE_CONV_2D
  struct {
    ocl_padding padding;
    int32_t stride_h, stride_w, filter_h, filter_w;
    ocl_activation activation;
  } pool;
  struct {
    ocl_activation activation;
    int32_t keep_num_dims;
  } fully_connected;
  struct {
    ocl_activation activation;
  } binary;  // ADD, SUB, MUL, DIV; all 0 for other operators on two inputs
  struct {
    int32_t axis;
    ocl_activation activation;
  } concatenation;
  struct {
    float beta;
  } softmax;
  struct {
    ocl_tflite_ints dims;  // reshape: the new shape; squeeze: the dimensions to remove
  } reshape, squeeze;
  struct {
    int32_t align_corners, half_pixel_centers;
  } resize;  // RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR
  struct {
    int32_t keep_dims;
  } reduce;
  struct {
    int32_t begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask;
  } strided_slice;
  struct {
    int32_t values_count, axis;
  } pack;
  struct {
    int32_t count, axis;  // of outputs; UNPACK's axis
  } split;                // SPLIT, SPLIT_V, UNPACK
  struct {
    int32_t axis, batch_dims;
  } gather;
  struct {
    int32_t size;
  } blocks;  // DEPTH_TO_SPACE, SPACE_TO_DEPTH
  struct {
    int32_t is_symmetric;
  } mirror_pad;
  struct {
    float alpha;
  } leaky_relu;
  struct {
    int32_t approximate;
  } gelu;
  struct {
    ocl_activation activation;
  } l2_normalization;
  struct {
    ocl_padding padding;
    int32_t stride_h, stride_w;
    ocl_activation activation;
  } transpose_conv;
  struct {
    const uint8_t* bytes;
    size_t size_bytes;
  } custom;  // CUSTOM: opaque bytes
} ocl_tflite_options;

typedef struct ocl_operator ocl_operator;  // operators.h

typedef struct {
  const ocl_operator* row;  // in operators.def; NULL: ocelli does not run this operator
  int32_t opcode;           // BuiltinOperator
  const char* custom_name;  // NUL-terminated; "" unless opcode is CUSTOM
  int32_t num_inputs, num_outputs;
  const int32_t* inputs;  // tensor indices; -1: an optional input that is absent
  const int32_t* outputs;
  ocl_tflite_options options;  // valid if `row` is not NULL
} ocl_tflite_operator;

// Checks every offset, vector, string, index, buffer range, shape, quantization array and option of `bytes` and fills
// *model_out. `bytes` must be aligned to 8 (as malloc aligns) and must outlive the view.
// INVALID_ARGUMENT (alignment), MODEL_TOO_LARGE, or the MODEL_* of status.h for the first error found; `detail` (may be
// NULL) says where. Time is linear in the file's size without its weights.
ocl_status ocl_tflite_verify(const uint8_t* bytes, size_t size_bytes, ocl_tflite* model_out, ocl_detail* detail);
// The same for the subgraph of the signature with the key `signature`; NULL: the first subgraph, as above. Also
// MODEL_NO_SIGNATURE, and MODEL_UNSUPPORTED_FEATURE if the subgraph has other inputs or outputs than the signature.
ocl_status ocl_tflite_verify_signature(const uint8_t* bytes, size_t size_bytes, const char* signature,
                                       ocl_tflite* model_out, ocl_detail* detail);

int32_t ocl_tflite_num_signatures(const ocl_tflite* model);
// `index` in [0, the number of signatures). NUL-terminated.
const char* ocl_tflite_signature_key(const ocl_tflite* model, int32_t index);
// `index` in [0, num_tensors).
ocl_tflite_tensor ocl_tflite_get_tensor(const ocl_tflite* model, int32_t index);
// `index` in [0, num_operators).
ocl_tflite_operator ocl_tflite_get_operator(const ocl_tflite* model, int32_t index);
// Tensor indices of the subgraph's inputs [num_inputs] and outputs [num_outputs].
const int32_t* ocl_tflite_inputs(const ocl_tflite* model);
const int32_t* ocl_tflite_outputs(const ocl_tflite* model);
// The bytes (of any alignment) of the `metadata` entry called `name`; NULL and 0 if there is none.
const uint8_t* ocl_tflite_find_metadata(const ocl_tflite* model, const char* name, size_t* size_bytes_out);
// "CONV_2D", or a custom operator's name, borrowed from the bytes. NULL: an unknown BuiltinOperator.
const char* ocl_tflite_operator_name(const ocl_tflite_operator* op);

#endif  // OCELLI_TFLITE_H_
