// Stage: verified view of a .tflite -> tensors and operators as plain structs.
// Invariant: the view passed ocl_tflite_verify(), so nothing here checks anything. The verifier itself uses these
// functions on what it has checked so far.
#include "tflite/tflite.h"

#include <string.h>

#include "tflite/internal.h"

int32_t ocl_tflite_dtype_from_type(int8_t type) {
  switch (type) {
    case 0: return OCL_FLOAT32;
    case 1: return OCL_FLOAT16;
    case 2: return OCL_INT32;
    case 3: return OCL_UINT8;
    case 4: return OCL_INT64;
    case 6: return OCL_BOOL;
    case 9: return OCL_INT8;
    default: return -1;
  }
}

int32_t ocl_tflite_code_at(const ocl_tflite* model, uint32_t index) {
  const uint32_t code = ocl_flatbuffer_table_at(model->bytes, model->model, OCL_MODEL_OPERATOR_CODES, index);
  const int32_t builtin = ocl_flatbuffer_i32(model->bytes, code, OCL_OPERATOR_CODE_BUILTIN, 0);
  const int32_t deprecated = ocl_flatbuffer_i8(model->bytes, code, OCL_OPERATOR_CODE_DEPRECATED, 0);
  return builtin > deprecated ? builtin : deprecated;
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
  if (tensor.data == NULL && ocl_shape_num_elements(&tensor.shape) == 0) tensor.data = bytes;
  if (tensor.data == NULL) free_dims(model, table, &tensor);
  const bool is_integer = tensor.dtype != OCL_FLOAT32 && tensor.dtype != OCL_FLOAT16 && tensor.dtype != OCL_BOOL;
  if (is_integer) tensor.quantization = read_quantization(model, table);
  return tensor;
}

static ocl_activation read_activation(const ocl_tflite* model, uint32_t table, uint32_t id) {
  return (ocl_activation)ocl_flatbuffer_i8(model->bytes, table, id, OCL_ACTIVATION_NONE);
}

static void read_conv(const ocl_tflite* model, uint32_t table, ocl_tflite_operator* op) {
  const uint8_t* bytes = model->bytes;
  const bool is_depthwise = op->opcode == OCL_OP_DEPTHWISE_CONV_2D;
  op->options.conv.padding = (ocl_padding)ocl_flatbuffer_i8(bytes, table, OCL_CONV_PADDING, 0);
  op->options.conv.stride_w = ocl_flatbuffer_i32(bytes, table, OCL_CONV_STRIDE_W, 0);
  op->options.conv.stride_h = ocl_flatbuffer_i32(bytes, table, OCL_CONV_STRIDE_H, 0);
  op->options.conv.depth_multiplier = is_depthwise ? ocl_flatbuffer_i32(bytes, table, OCL_DEPTHWISE_MULTIPLIER, 0) : 0;
  op->options.conv.activation =
      read_activation(model, table, is_depthwise ? OCL_DEPTHWISE_ACTIVATION : OCL_CONV_ACTIVATION);
  op->options.conv.dilation_w =
      ocl_flatbuffer_i32(bytes, table, is_depthwise ? OCL_DEPTHWISE_DILATION_W : OCL_CONV_DILATION_W, 1);
  op->options.conv.dilation_h =
      ocl_flatbuffer_i32(bytes, table, is_depthwise ? OCL_DEPTHWISE_DILATION_H : OCL_CONV_DILATION_H, 1);
}

static void read_pool(const ocl_tflite* model, uint32_t table, ocl_tflite_operator* op) {
  const uint8_t* bytes = model->bytes;
  op->options.pool.padding = (ocl_padding)ocl_flatbuffer_i8(bytes, table, OCL_CONV_PADDING, 0);
  op->options.pool.stride_w = ocl_flatbuffer_i32(bytes, table, OCL_CONV_STRIDE_W, 0);
  op->options.pool.stride_h = ocl_flatbuffer_i32(bytes, table, OCL_CONV_STRIDE_H, 0);
  op->options.pool.filter_w = ocl_flatbuffer_i32(bytes, table, OCL_POOL_FILTER_W, 0);
  op->options.pool.filter_h = ocl_flatbuffer_i32(bytes, table, OCL_POOL_FILTER_H, 0);
  op->options.pool.activation = read_activation(model, table, OCL_POOL_ACTIVATION);
}

static void read_strided_slice(const ocl_tflite* model, uint32_t table, ocl_tflite_operator* op) {
  const uint8_t* bytes = model->bytes;
  op->options.strided_slice.begin_mask = ocl_flatbuffer_i32(bytes, table, OCL_STRIDED_SLICE_BEGIN_MASK, 0);
  op->options.strided_slice.end_mask = ocl_flatbuffer_i32(bytes, table, OCL_STRIDED_SLICE_END_MASK, 0);
  op->options.strided_slice.ellipsis_mask = ocl_flatbuffer_i32(bytes, table, OCL_STRIDED_SLICE_ELLIPSIS_MASK, 0);
  op->options.strided_slice.new_axis_mask = ocl_flatbuffer_i32(bytes, table, OCL_STRIDED_SLICE_NEW_AXIS_MASK, 0);
  op->options.strided_slice.shrink_axis_mask = ocl_flatbuffer_i32(bytes, table, OCL_STRIDED_SLICE_SHRINK_AXIS_MASK, 0);
}

static void read_options(const ocl_tflite* model, uint32_t table, ocl_tflite_operator* op) {
  const uint8_t* bytes = model->bytes;
  switch (op->opcode) {
    case OCL_OP_CONV_2D:
    case OCL_OP_DEPTHWISE_CONV_2D: read_conv(model, table, op); break;
    case OCL_OP_AVERAGE_POOL_2D:
    case OCL_OP_MAX_POOL_2D: read_pool(model, table, op); break;
    case OCL_OP_FULLY_CONNECTED:
      op->options.fully_connected.activation = read_activation(model, table, OCL_FULLY_CONNECTED_ACTIVATION);
      op->options.fully_connected.keep_num_dims =
          ocl_flatbuffer_u8(bytes, table, OCL_FULLY_CONNECTED_KEEP_NUM_DIMS, 0) != 0;
      break;
    case OCL_OP_ADD:
    case OCL_OP_SUB:
    case OCL_OP_MUL: op->options.binary.activation = read_activation(model, table, OCL_BINARY_ACTIVATION); break;
    case OCL_OP_CONCATENATION:
      op->options.concatenation.axis = ocl_flatbuffer_i32(bytes, table, OCL_CONCATENATION_AXIS, 0);
      op->options.concatenation.activation = read_activation(model, table, OCL_CONCATENATION_ACTIVATION);
      break;
    case OCL_OP_SOFTMAX: op->options.softmax.beta = ocl_flatbuffer_f32(bytes, table, OCL_SOFTMAX_BETA, 0); break;
    case OCL_OP_RESHAPE:
      op->options.reshape.dims = int_vector(model, table, OCL_RESHAPE_DIMS, &op->options.reshape.num_dims);
      break;
    case OCL_OP_SQUEEZE:
      op->options.squeeze.dims = int_vector(model, table, OCL_RESHAPE_DIMS, &op->options.squeeze.num_dims);
      break;
    case OCL_OP_RESIZE_BILINEAR:
      op->options.resize.align_corners = ocl_flatbuffer_u8(bytes, table, OCL_RESIZE_ALIGN_CORNERS, 0) != 0;
      op->options.resize.half_pixel_centers = ocl_flatbuffer_u8(bytes, table, OCL_RESIZE_HALF_PIXEL_CENTERS, 0) != 0;
      break;
    case OCL_OP_RESIZE_NEAREST_NEIGHBOR:
      op->options.resize.align_corners = ocl_flatbuffer_u8(bytes, table, OCL_RESIZE_NEAREST_ALIGN_CORNERS, 0) != 0;
      op->options.resize.half_pixel_centers =
          ocl_flatbuffer_u8(bytes, table, OCL_RESIZE_NEAREST_HALF_PIXEL_CENTERS, 0) != 0;
      break;
    case OCL_OP_MEAN:
      op->options.reduce.keep_dims = ocl_flatbuffer_u8(bytes, table, OCL_REDUCE_KEEP_DIMS, 0) != 0;
      break;
    case OCL_OP_STRIDED_SLICE: read_strided_slice(model, table, op); break;
    case OCL_OP_PACK:
      op->options.pack.axis = ocl_flatbuffer_i32(bytes, table, OCL_PACK_AXIS, 0);
      op->options.pack.values_count = ocl_flatbuffer_i32(bytes, table, OCL_PACK_VALUES_COUNT, 0);
      break;
    default: break;
  }
}

ocl_tflite_operator ocl_tflite_get_operator(const ocl_tflite* model, int32_t index) {
  const uint8_t* bytes = model->bytes;
  const uint32_t table = ocl_flatbuffer_table_at(bytes, model->subgraph, OCL_SUBGRAPH_OPERATORS, (uint32_t)index);
  const uint32_t opcode_index = ocl_flatbuffer_u32(bytes, table, OCL_OPERATOR_OPCODE_INDEX, 0);
  ocl_tflite_operator op = {.opcode = ocl_tflite_code_at(model, opcode_index), .custom_name = ""};
  op.inputs = int_vector(model, table, OCL_OPERATOR_INPUTS, &op.num_inputs);
  op.outputs = int_vector(model, table, OCL_OPERATOR_OUTPUTS, &op.num_outputs);
  if (op.opcode != OCL_OP_CUSTOM) {
    read_options(model, ocl_flatbuffer_target(bytes, table, OCL_OPERATOR_OPTIONS), &op);
    return op;
  }
  const uint32_t code = ocl_flatbuffer_table_at(bytes, model->model, OCL_MODEL_OPERATOR_CODES, opcode_index);
  op.custom_name = ocl_flatbuffer_string(bytes, code, OCL_OPERATOR_CODE_CUSTOM);
  uint32_t size_bytes;
  op.options.custom.bytes = ocl_flatbuffer_vector(bytes, table, OCL_OPERATOR_CUSTOM_OPTIONS, &size_bytes);
  op.options.custom.size_bytes = size_bytes;
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

// schema.fbs: the operators that we know by name only, so that a rejection can name them. X(name, number)
// clang-format off
#define OTHER_OP_LIST(X)                                                                                             \
  X(DEPTH_TO_SPACE, 5) X(EMBEDDING_LOOKUP, 7) X(FLOOR, 8) X(HASHTABLE_LOOKUP, 10) X(L2_NORMALIZATION, 11)            \
  X(L2_POOL_2D, 12) X(LOCAL_RESPONSE_NORMALIZATION, 13) X(LSH_PROJECTION, 15) X(LSTM, 16) X(RELU_N1_TO_1, 20)        \
  X(RNN, 24) X(SPACE_TO_DEPTH, 26) X(SVDF, 27) X(TANH, 28) X(CONCAT_EMBEDDINGS, 29) X(SKIP_GRAM, 30) X(CALL, 31)     \
  X(EMBEDDING_LOOKUP_SPARSE, 33) X(UNIDIRECTIONAL_SEQUENCE_RNN, 35) X(GATHER, 36) X(BATCH_TO_SPACE_ND, 37)           \
  X(SPACE_TO_BATCH_ND, 38) X(DIV, 42) X(UNIDIRECTIONAL_SEQUENCE_LSTM, 44) X(BIDIRECTIONAL_SEQUENCE_RNN, 46)          \
  X(EXP, 47) X(TOPK_V2, 48) X(SPLIT, 49) X(LOG_SOFTMAX, 50) X(DELEGATE, 51) X(BIDIRECTIONAL_SEQUENCE_LSTM, 52)       \
  X(CAST, 53) X(PRELU, 54) X(MAXIMUM, 55) X(ARG_MAX, 56) X(MINIMUM, 57) X(LESS, 58) X(NEG, 59) X(PADV2, 60)          \
  X(GREATER, 61) X(GREATER_EQUAL, 62) X(LESS_EQUAL, 63) X(SELECT, 64) X(SLICE, 65) X(SIN, 66) X(TRANSPOSE_CONV, 67)  \
  X(SPARSE_TO_DENSE, 68) X(EQUAL, 71) X(NOT_EQUAL, 72) X(LOG, 73) X(SUM, 74) X(SQRT, 75) X(RSQRT, 76) X(POW, 78)     \
  X(ARG_MIN, 79) X(FAKE_QUANT, 80) X(REDUCE_PROD, 81) X(REDUCE_MAX, 82) X(LOGICAL_OR, 84) X(ONE_HOT, 85)             \
  X(LOGICAL_AND, 86) X(LOGICAL_NOT, 87) X(UNPACK, 88) X(REDUCE_MIN, 89) X(FLOOR_DIV, 90) X(REDUCE_ANY, 91)           \
  X(SQUARE, 92) X(ZEROS_LIKE, 93) X(FILL, 94) X(FLOOR_MOD, 95) X(RANGE, 96)           \
  X(LEAKY_RELU, 98) X(SQUARED_DIFFERENCE, 99) X(MIRROR_PAD, 100) X(ABS, 101) X(SPLIT_V, 102) X(UNIQUE, 103)          \
  X(CEIL, 104) X(REVERSE_V2, 105) X(ADD_N, 106) X(GATHER_ND, 107) X(COS, 108) X(WHERE, 109) X(RANK, 110) X(ELU, 111) \
  X(REVERSE_SEQUENCE, 112) X(MATRIX_DIAG, 113) X(MATRIX_SET_DIAG, 115) X(ROUND, 116) X(IF, 118) X(WHILE, 119)        \
  X(NON_MAX_SUPPRESSION_V4, 120) X(NON_MAX_SUPPRESSION_V5, 121) X(SCATTER_ND, 122) X(SELECT_V2, 123) X(DENSIFY, 124) \
  X(SEGMENT_SUM, 125) X(BATCH_MATMUL, 126) X(CUMSUM, 128) X(CALL_ONCE, 129) X(BROADCAST_TO, 130) X(RFFT2D, 131)      \
  X(CONV_3D, 132) X(IMAG, 133) X(REAL, 134) X(COMPLEX_ABS, 135) X(HASHTABLE, 136) X(HASHTABLE_FIND, 137)             \
  X(HASHTABLE_IMPORT, 138) X(HASHTABLE_SIZE, 139) X(REDUCE_ALL, 140) X(CONV_3D_TRANSPOSE, 141) X(VAR_HANDLE, 142)    \
  X(READ_VARIABLE, 143) X(ASSIGN_VARIABLE, 144) X(BROADCAST_ARGS, 145) X(RANDOM_STANDARD_NORMAL, 146)                \
  X(BUCKETIZE, 147) X(RANDOM_UNIFORM, 148) X(MULTINOMIAL, 149) X(GELU, 150) X(DYNAMIC_UPDATE_SLICE, 151)             \
  X(RELU_0_TO_1, 152) X(UNSORTED_SEGMENT_PROD, 153) X(UNSORTED_SEGMENT_MAX, 154) X(UNSORTED_SEGMENT_SUM, 155)        \
  X(ATAN2, 156) X(UNSORTED_SEGMENT_MIN, 157) X(SIGN, 158) X(BITCAST, 159) X(BITWISE_XOR, 160) X(RIGHT_SHIFT, 161)
// clang-format on

const char* ocl_tflite_opcode_name(int32_t opcode) {
  switch (opcode) {
#define NAME_KNOWN(name, number, options, min_inputs, max_inputs, num_outputs) \
  case number: return #name;
    OCL_TFLITE_OP_LIST(NAME_KNOWN)
#undef NAME_KNOWN
#define NAME_OTHER(name, number) \
  case number: return #name;
    OTHER_OP_LIST(NAME_OTHER)
#undef NAME_OTHER
    default: return NULL;
  }
}
