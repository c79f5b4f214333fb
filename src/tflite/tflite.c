// In: a verified view of a .tflite. Out: tensors and operators as plain structs.
// Nothing is checked here, because the view has passed ocl_tflite_verify(). The verifier itself calls these functions
// for parts that it has already checked.
#include "tflite/tflite.h"

#include <string.h>

#include "tflite/internal.h"
#include "tflite/operators.h"

int32_t ocl_tflite_dtype_from_type(int8_t type) {
  switch (type) {
    case 0: return OCL_FLOAT32;
    case 1: return OCL_FLOAT16;
    case 2: return OCL_INT32;
    case 3: return OCL_UINT8;
    case 4: return OCL_INT64;
    case 6: return OCL_BOOL;
    case 9:
    case OCL_TENSOR_TYPE_INT4: return OCL_INT8;
    default: return -1;
  }
}

ocl_tflite_operator ocl_tflite_code_at(const ocl_tflite* model, uint32_t index) {
  const uint8_t* bytes = model->bytes;
  const uint32_t code = ocl_flatbuffer_table_at(bytes, model->model, OCL_MODEL_OPERATOR_CODES, index);
  // Old writers fill only the deprecated field, new ones fill both.
  const int32_t builtin = ocl_flatbuffer_i32(bytes, code, OCL_OPERATOR_CODE_BUILTIN, 0);
  const int32_t deprecated = ocl_flatbuffer_i8(bytes, code, OCL_OPERATOR_CODE_DEPRECATED, 0);
  ocl_tflite_operator op = {.opcode = builtin > deprecated ? builtin : deprecated, .custom_name = ""};
  if (op.opcode == OCL_OP_CUSTOM) op.custom_name = ocl_flatbuffer_string(bytes, code, OCL_OPERATOR_CODE_CUSTOM);
  op.row = ocl_operators_find(op.opcode, op.custom_name);
  return op;
}

const uint8_t* ocl_tflite_buffer_data(const ocl_tflite* model, uint32_t index, size_t* size_bytes_out) {
  const uint32_t buffer = ocl_flatbuffer_table_at(model->bytes, model->model, OCL_MODEL_BUFFERS, index);
  uint32_t count;
  const uint8_t* data = ocl_flatbuffer_vector(model->bytes, buffer, OCL_BUFFER_DATA, &count);
  *size_bytes_out = count;
  if (count > 0) return data;
  const uint64_t offset = ocl_flatbuffer_u64(model->bytes, buffer, OCL_BUFFER_OFFSET, 0);
  const uint64_t size_bytes = ocl_flatbuffer_u64(model->bytes, buffer, OCL_BUFFER_SIZE, 0);
  if (offset <= 1 || size_bytes == 0) return NULL;  // schema.fbs: "only valid if > 1"
  *size_bytes_out = (size_t)size_bytes;
  return model->bytes + offset;
}

static const int32_t* int_vector(const ocl_tflite* model, uint32_t table, uint32_t id, int32_t* count_out) {
  uint32_t count;
  const void* ints = ocl_flatbuffer_vector(model->bytes, table, id, &count);
  *count_out = (int32_t)count;
  return ints;
}

static ocl_quantization read_quantization(const ocl_tflite* model, uint32_t tensor) {
  const uint32_t table = ocl_flatbuffer_target(model->bytes, tensor, OCL_TENSOR_QUANTIZATION);
  uint32_t num_scales, num_zero_points;
  const void* scales = ocl_flatbuffer_vector(model->bytes, table, OCL_QUANTIZATION_SCALE, &num_scales);
  const void* zero_points = ocl_flatbuffer_vector(model->bytes, table, OCL_QUANTIZATION_ZERO_POINT, &num_zero_points);
  if (num_scales == 0) return (ocl_quantization){0};
  return (ocl_quantization){
      .num_scales = (int32_t)num_scales,
      .axis = num_scales == 1 ? 0 : ocl_flatbuffer_i32(model->bytes, table, OCL_QUANTIZATION_AXIS, 0),
      .scales = scales,
      .zero_points = num_zero_points == 0 ? NULL : zero_points,
  };
}

static void read_shape(const ocl_tflite* model, uint32_t table, ocl_tflite_tensor* tensor) {
  const int32_t* dims = int_vector(model, table, OCL_TENSOR_SHAPE, &tensor->shape.rank);
  for (int32_t i = 0; i < tensor->shape.rank; i++) tensor->shape.dims[i] = dims[i];
}

static void free_dims(const ocl_tflite* model, uint32_t table, ocl_tflite_tensor* tensor) {
  int32_t rank;
  const int32_t* signature = int_vector(model, table, OCL_TENSOR_SHAPE_SIGNATURE, &rank);
  for (int32_t i = 0; i < rank; i++) {
    if (signature[i] != -1) continue;
    tensor->shape.dims[i] = 1;
    if (i == 0)
      tensor->is_batch_free = true;
    else
      tensor->is_shape_free = true;
  }
}

ocl_tflite_tensor ocl_tflite_get_tensor(const ocl_tflite* model, int32_t index) {
  const uint8_t* bytes = model->bytes;
  const uint32_t table = ocl_flatbuffer_table_at(bytes, model->subgraph, OCL_SUBGRAPH_TENSORS, (uint32_t)index);
  ocl_tflite_tensor tensor = {
      .name = ocl_flatbuffer_string(bytes, table, OCL_TENSOR_NAME),
      .dtype = (ocl_dtype)ocl_tflite_dtype_from_type(ocl_flatbuffer_i8(bytes, table, OCL_TENSOR_TYPE, 0)),
  };
  read_shape(model, table, &tensor);
  tensor.data =
      ocl_tflite_buffer_data(model, ocl_flatbuffer_u32(bytes, table, OCL_TENSOR_BUFFER, 0), &tensor.data_size_bytes);
  if (ocl_flatbuffer_i8(bytes, table, OCL_TENSOR_TYPE, 0) == OCL_TENSOR_TYPE_INT4) tensor.encoding = OCL_TFLITE_NIBBLES;
  if (ocl_flatbuffer_target(bytes, table, OCL_TENSOR_SPARSITY) != 0) tensor.encoding = OCL_TFLITE_SPARSE;
  if (tensor.data == NULL) free_dims(model, table, &tensor);
  if (tensor.data == NULL && ocl_shape_num_elements(&tensor.shape) == 0) tensor.data = bytes;
  const bool is_integer = tensor.dtype != OCL_FLOAT32 && tensor.dtype != OCL_FLOAT16 && tensor.dtype != OCL_BOOL;
  if (is_integer) tensor.quantization = read_quantization(model, table);
  return tensor;
}

ocl_tflite_operator ocl_tflite_get_operator(const ocl_tflite* model, int32_t index) {
  const uint8_t* bytes = model->bytes;
  const uint32_t table = ocl_flatbuffer_table_at(bytes, model->subgraph, OCL_SUBGRAPH_OPERATORS, (uint32_t)index);
  ocl_tflite_operator op = ocl_tflite_code_at(model, ocl_flatbuffer_u32(bytes, table, OCL_OPERATOR_OPCODE_INDEX, 0));
  op.inputs = int_vector(model, table, OCL_OPERATOR_INPUTS, &op.num_inputs);
  op.outputs = int_vector(model, table, OCL_OPERATOR_OUTPUTS, &op.num_outputs);
  if (op.opcode == OCL_OP_CUSTOM) {
    uint32_t size_bytes;
    op.options.custom.bytes = ocl_flatbuffer_vector(bytes, table, OCL_OPERATOR_CUSTOM_OPTIONS, &size_bytes);
    op.options.custom.size_bytes = size_bytes;
  } else if (op.row != NULL) {
    ocl_operators_read_options(bytes, ocl_flatbuffer_target(bytes, table, OCL_OPERATOR_OPTIONS), op.row, &op.options);
  }
  return op;
}

const int32_t* ocl_tflite_inputs(const ocl_tflite* model) {
  int32_t count;
  return int_vector(model, model->subgraph, OCL_SUBGRAPH_INPUTS, &count);
}

const int32_t* ocl_tflite_outputs(const ocl_tflite* model) {
  int32_t count;
  return int_vector(model, model->subgraph, OCL_SUBGRAPH_OUTPUTS, &count);
}

int32_t ocl_tflite_num_signatures(const ocl_tflite* model) {
  return (int32_t)ocl_flatbuffer_count(model->bytes, model->model, OCL_MODEL_SIGNATURES);
}

const char* ocl_tflite_signature_key(const ocl_tflite* model, int32_t index) {
  return ocl_flatbuffer_string(
      model->bytes, ocl_flatbuffer_table_at(model->bytes, model->model, OCL_MODEL_SIGNATURES, (uint32_t)index),
      OCL_SIGNATURE_KEY);
}

const uint8_t* ocl_tflite_find_metadata(const ocl_tflite* model, const char* name, size_t* size_bytes_out) {
  const uint32_t count = ocl_flatbuffer_count(model->bytes, model->model, OCL_MODEL_METADATA);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t entry = ocl_flatbuffer_table_at(model->bytes, model->model, OCL_MODEL_METADATA, i);
    if (strcmp(ocl_flatbuffer_string(model->bytes, entry, OCL_METADATA_ENTRY_NAME), name) != 0) continue;
    return ocl_tflite_buffer_data(model, ocl_flatbuffer_u32(model->bytes, entry, OCL_METADATA_ENTRY_BUFFER, 0),
                                  size_bytes_out);
  }
  *size_bytes_out = 0;
  return NULL;
}

const char* ocl_tflite_operator_name(const ocl_tflite_operator* op) {
  return op->opcode == OCL_OP_CUSTOM ? op->custom_name : ocl_operators_name(op->opcode);
}
