// Shared by tflite.c, schema.c and verify.c: the field ids of TFLite's schema.fbs that ocelli reads.
#ifndef OCELLI_TFLITE_INTERNAL_H_
#define OCELLI_TFLITE_INTERNAL_H_

#include "tflite/flatbuffer.h"
#include "tflite/tflite.h"

enum {
  OCL_MODEL_VERSION,
  OCL_MODEL_OPERATOR_CODES,
  OCL_MODEL_SUBGRAPHS,
  OCL_MODEL_BUFFERS = 4,
  OCL_MODEL_METADATA = 6,
  OCL_MODEL_SIGNATURES = 7
};
enum { OCL_SIGNATURE_INPUTS, OCL_SIGNATURE_OUTPUTS, OCL_SIGNATURE_KEY, OCL_SIGNATURE_SUBGRAPH = 4 };
enum { OCL_SIGNATURE_PORT_NAME, OCL_SIGNATURE_PORT_TENSOR };
enum { OCL_OPERATOR_CODE_DEPRECATED, OCL_OPERATOR_CODE_CUSTOM, OCL_OPERATOR_CODE_BUILTIN = 3 };
enum { OCL_BUFFER_DATA, OCL_BUFFER_OFFSET, OCL_BUFFER_SIZE };
enum { OCL_METADATA_ENTRY_NAME, OCL_METADATA_ENTRY_BUFFER };
enum { OCL_SUBGRAPH_TENSORS, OCL_SUBGRAPH_INPUTS, OCL_SUBGRAPH_OUTPUTS, OCL_SUBGRAPH_OPERATORS };
enum {
  OCL_TENSOR_SHAPE,
  OCL_TENSOR_TYPE,
  OCL_TENSOR_BUFFER,
  OCL_TENSOR_NAME,
  OCL_TENSOR_QUANTIZATION,
  OCL_TENSOR_IS_VARIABLE,
  OCL_TENSOR_SPARSITY,
  OCL_TENSOR_SHAPE_SIGNATURE,
  OCL_TENSOR_EXTERNAL_BUFFER = 10,
};
enum { OCL_SPARSE_ORDER, OCL_SPARSE_BLOCK_MAP, OCL_SPARSE_LEVELS };
enum {
  OCL_SPARSE_FORMAT,
  OCL_SPARSE_DENSE_SIZE,
  OCL_SPARSE_SEGMENTS_TYPE,
  OCL_SPARSE_SEGMENTS,
  OCL_SPARSE_INDICES_TYPE,
  OCL_SPARSE_INDICES,
};
enum {
  OCL_QUANTIZATION_SCALE = 2,
  OCL_QUANTIZATION_ZERO_POINT,
  OCL_QUANTIZATION_DETAILS_TYPE,
  OCL_QUANTIZATION_AXIS = 6
};
enum {
  OCL_OPERATOR_OPCODE_INDEX,
  OCL_OPERATOR_INPUTS,
  OCL_OPERATOR_OUTPUTS,
  OCL_OPERATOR_OPTIONS_TYPE,
  OCL_OPERATOR_OPTIONS,
  OCL_OPERATOR_CUSTOM_OPTIONS,
  OCL_OPERATOR_LARGE_CUSTOM_OPTIONS_OFFSET = 9,
};

extern const ocl_flatbuffer_schema ocl_tflite_schema;

enum { OCL_TENSOR_TYPE_INT4 = 17 };
// schema.fbs' TensorType -> ocl_dtype; -1: ocelli does not have this type. INT4: of constants only, as int8.
int32_t ocl_tflite_dtype_from_type(int8_t type);
// Operator code `index` (in range) as an operator with opcode, custom name and row only.
ocl_tflite_operator ocl_tflite_code_at(const ocl_tflite* model, uint32_t index);
// Data of buffer `index` (in range), inline or elsewhere in the file. NULL and 0 if the buffer is empty.
const uint8_t* ocl_tflite_buffer_data(const ocl_tflite* model, uint32_t index, size_t* size_bytes_out);

#endif  // OCELLI_TFLITE_INTERNAL_H_
