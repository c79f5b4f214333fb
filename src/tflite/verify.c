// In: untrusted bytes. Out: a verified view of a .tflite (see tflite.h). First flatbuffer.c checks the structure, then
// this file checks the content: indices, buffers, shapes, quantization, options, arity and order. It reads them with
// the functions of tflite.c that also read the verified view. No weights are read and nothing is allocated. Work is
// linear in the rest of the file.
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "tflite/internal.h"
#include "tflite/operators.h"
#include "tflite/tflite.h"

enum { kMaxTensors = 65536, kMaxOperators = 65536, kMaxElements = 1 << 30, kSchemaVersion = 3 };

// ---- buffers and metadata ----

static uint32_t num_buffers(const ocl_tflite* model) {
  return ocl_flatbuffer_count(model->bytes, model->model, OCL_MODEL_BUFFERS);
}

static ocl_status check_buffers(const ocl_tflite* model, ocl_detail* detail) {
  for (uint32_t i = 0; i < num_buffers(model); i++) {
    const uint32_t buffer = ocl_flatbuffer_table_at(model->bytes, model->model, OCL_MODEL_BUFFERS, i);
    const uint64_t offset = ocl_flatbuffer_u64(model->bytes, buffer, OCL_BUFFER_OFFSET, 0);
    const uint64_t size_bytes = ocl_flatbuffer_u64(model->bytes, buffer, OCL_BUFFER_SIZE, 0);
    if (offset > model->size_bytes || size_bytes > model->size_bytes - offset)
      return ocl_status_with_detail(OCL_MODEL_BAD_BUFFER, detail, "buffer %u: offset + size exceeds the file",
                                    (unsigned)i);
  }
  return OCL_OK;
}

static ocl_status check_metadata(const ocl_tflite* model, ocl_detail* detail) {
  const uint32_t count = ocl_flatbuffer_count(model->bytes, model->model, OCL_MODEL_METADATA);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t entry = ocl_flatbuffer_table_at(model->bytes, model->model, OCL_MODEL_METADATA, i);
    const uint32_t buffer = ocl_flatbuffer_u32(model->bytes, entry, OCL_METADATA_ENTRY_BUFFER, 0);
    if (buffer >= num_buffers(model))
      return ocl_status_with_detail(OCL_MODEL_BAD_BUFFER, detail, "metadata %u: no buffer %u (the file has %u)",
                                    (unsigned)i, (unsigned)buffer, (unsigned)num_buffers(model));
  }
  return OCL_OK;
}

// ---- tensors ----

__attribute__((format(printf, 5, 6))) static ocl_status reject_tensor(const ocl_tflite* model, int32_t index,
                                                                      ocl_status status, ocl_detail* detail,
                                                                      const char* format, ...) {
  char text[120];
  va_list arguments;
  va_start(arguments, format);
  ocl_text_format_list(text, sizeof text, format, arguments);
  va_end(arguments);
  const uint32_t table = ocl_flatbuffer_table_at(model->bytes, model->subgraph, OCL_SUBGRAPH_TENSORS, (uint32_t)index);
  return ocl_status_with_detail(status, detail, "tensor %d '%.60s': %s", (int)index,
                                ocl_flatbuffer_string(model->bytes, table, OCL_TENSOR_NAME), text);
}

static ocl_status check_features(const ocl_tflite* model, int32_t index, uint32_t table, ocl_detail* detail) {
  const uint8_t* bytes = model->bytes;
  const uint32_t quantization = ocl_flatbuffer_target(bytes, table, OCL_TENSOR_QUANTIZATION);
  const char* feature = NULL;
  if (ocl_flatbuffer_u8(bytes, table, OCL_TENSOR_IS_VARIABLE, 0) != 0) feature = "a variable";
  const bool is_sparse = ocl_flatbuffer_target(bytes, table, OCL_TENSOR_SPARSITY) != 0;
  if (is_sparse && ocl_flatbuffer_i8(bytes, table, OCL_TENSOR_TYPE, 0) == OCL_TENSOR_TYPE_INT4)
    feature = "sparse, of 4 bits";
  if (ocl_flatbuffer_u32(bytes, table, OCL_TENSOR_EXTERNAL_BUFFER, 0) != 0) feature = "in another file";
  if (ocl_flatbuffer_u8(bytes, quantization, OCL_QUANTIZATION_DETAILS_TYPE, 0) != 0) feature = "custom-quantized";
  if (feature == NULL) return OCL_OK;
  return reject_tensor(model, index, OCL_MODEL_UNSUPPORTED_FEATURE, detail, "it is %s", feature);
}

static ocl_status check_shape(const ocl_tflite* model, int32_t index, uint32_t table, ocl_detail* detail) {
  uint32_t rank, signature_rank;
  const int32_t* dims = (const void*)ocl_flatbuffer_vector(model->bytes, table, OCL_TENSOR_SHAPE, &rank);
  ocl_flatbuffer_vector(model->bytes, table, OCL_TENSOR_SHAPE_SIGNATURE, &signature_rank);
  if (rank > OCL_MAX_RANK)
    return reject_tensor(model, index, OCL_MODEL_BAD_SHAPE, detail, "%u dimensions, at most %d", (unsigned)rank,
                         OCL_MAX_RANK);
  if (signature_rank != 0 && signature_rank != rank)
    return reject_tensor(model, index, OCL_MODEL_BAD_SHAPE, detail, "%u dimensions, but %u in its signature",
                         (unsigned)rank, (unsigned)signature_rank);
  uint64_t num_elements = 1;  // skips dimensions of 0, so that every product is checked and none overflows
  for (uint32_t i = 0; i < rank; i++) {
    if (dims[i] < 0)
      return reject_tensor(model, index, OCL_MODEL_BAD_SHAPE, detail, "dimension %u is %d", (unsigned)i, (int)dims[i]);
    if (dims[i] > 0) num_elements *= (uint64_t)dims[i];
    if (num_elements > kMaxElements)
      return reject_tensor(model, index, OCL_MODEL_TOO_LARGE, detail, "more than %d elements", (int)kMaxElements);
  }
  return OCL_OK;
}

static ocl_status check_data(const ocl_tflite* model, int32_t index, const ocl_tflite_tensor* tensor,
                             ocl_detail* detail) {
  if (tensor->data == NULL && tensor->encoding != OCL_TFLITE_PLAIN)
    return reject_tensor(model, index, OCL_MODEL_UNSUPPORTED_FEATURE, detail,
                         "it is sparse or of 4 bits, but computed");
  if (tensor->data == NULL) return OCL_OK;
  const size_t element_bytes = ocl_dtype_size_bytes(tensor->dtype);
  const uint64_t count = ocl_shape_num_elements(&tensor->shape);
  // A sparse tensor's lists say how many elements are stored (dense.c).
  const uint64_t want_bytes = tensor->encoding == OCL_TFLITE_SPARSE    ? tensor->data_size_bytes
                              : tensor->encoding == OCL_TFLITE_NIBBLES ? (count + 1) / 2
                                                                       : count * element_bytes;
  if (want_bytes != tensor->data_size_bytes)
    return reject_tensor(model, index, OCL_MODEL_BAD_BUFFER, detail,
                         "%llu bytes of data, its shape asks for %llu bytes",
                         (unsigned long long)tensor->data_size_bytes, (unsigned long long)want_bytes);
  if ((size_t)(tensor->data - model->bytes) % element_bytes != 0)
    return reject_tensor(model, index, OCL_MODEL_MISALIGNED, detail, "its data is not aligned to %d bytes",
                         (int)element_bytes);
  return OCL_OK;
}

static bool is_zero_point_in_range(ocl_dtype dtype, int64_t zero_point) {
  switch (dtype) {
    case OCL_INT8: return zero_point >= INT8_MIN && zero_point <= INT8_MAX;
    case OCL_UINT8: return zero_point >= 0 && zero_point <= UINT8_MAX;
    default: return zero_point >= INT32_MIN && zero_point <= INT32_MAX;
  }
}

static ocl_status check_quantization(const ocl_tflite* model, int32_t index, uint32_t table,
                                     const ocl_tflite_tensor* tensor, ocl_detail* detail) {
  const ocl_quantization* q = &tensor->quantization;
  const ocl_status bad = OCL_MODEL_BAD_QUANTIZATION;
  if (q->num_scales == 0) return OCL_OK;
  const uint32_t parameters = ocl_flatbuffer_target(model->bytes, table, OCL_TENSOR_QUANTIZATION);
  const uint32_t num_zero_points = ocl_flatbuffer_count(model->bytes, parameters, OCL_QUANTIZATION_ZERO_POINT);
  if (num_zero_points != 0 && num_zero_points != (uint32_t)q->num_scales)
    return reject_tensor(model, index, bad, detail, "%d scales, but %u zero points", (int)q->num_scales,
                         (unsigned)num_zero_points);
  if (q->axis < 0 || (q->axis >= tensor->shape.rank && q->num_scales > 1))
    return reject_tensor(model, index, bad, detail, "it is quantized along dimension %d of %d", (int)q->axis,
                         (int)tensor->shape.rank);
  if (q->num_scales > 1 && q->num_scales != tensor->shape.dims[q->axis])
    return reject_tensor(model, index, bad, detail, "%d scales for %d channels", (int)q->num_scales,
                         (int)tensor->shape.dims[q->axis]);
  for (int32_t i = 0; i < q->num_scales; i++) {
    if (!isfinite(q->scales[i]) || q->scales[i] <= 0)
      return reject_tensor(model, index, bad, detail, "scale %d is not positive and finite", (int)i);
    if (q->zero_points != NULL && !is_zero_point_in_range(tensor->dtype, q->zero_points[i]))
      return reject_tensor(model, index, bad, detail, "zero point %d is %lld, outside its dtype", (int)i,
                           (long long)q->zero_points[i]);
  }
  return OCL_OK;
}

static ocl_status check_tensor(const ocl_tflite* model, int32_t index, ocl_detail* detail) {
  const uint32_t table = ocl_flatbuffer_table_at(model->bytes, model->subgraph, OCL_SUBGRAPH_TENSORS, (uint32_t)index);
  const int8_t type = ocl_flatbuffer_i8(model->bytes, table, OCL_TENSOR_TYPE, 0);
  const uint32_t buffer = ocl_flatbuffer_u32(model->bytes, table, OCL_TENSOR_BUFFER, 0);
  if (ocl_tflite_dtype_from_type(type) < 0)
    return reject_tensor(model, index, OCL_MODEL_BAD_DTYPE, detail, "TensorType %d is not supported", type);
  OCL_TRY(check_features(model, index, table, detail));
  OCL_TRY(check_shape(model, index, table, detail));
  if (buffer >= num_buffers(model))
    return reject_tensor(model, index, OCL_MODEL_BAD_BUFFER, detail, "no buffer %u (the file has %u)", (unsigned)buffer,
                         (unsigned)num_buffers(model));
  const ocl_tflite_tensor tensor = ocl_tflite_get_tensor(model, index);
  OCL_TRY(check_data(model, index, &tensor, detail));
  return check_quantization(model, index, table, &tensor, detail);
}

// ---- operators ----

__attribute__((format(printf, 5, 6))) static ocl_status reject_operator(int32_t index, const ocl_tflite_operator* op,
                                                                        ocl_status status, ocl_detail* detail,
                                                                        const char* format, ...) {
  char text[120];
  va_list arguments;
  va_start(arguments, format);
  ocl_text_format_list(text, sizeof text, format, arguments);
  va_end(arguments);
  const char* name = ocl_tflite_operator_name(op);
  return ocl_status_with_detail(status, detail, "operator %d (%.40s): %s", (int)index, name == NULL ? "?" : name, text);
}

// Used for operators that ocelli does not run: their tensor indices are checked too, as the graph reads them.
static const ocl_operator kUnknown = {.max_inputs = OCL_OPERATORS_ANY, .outputs = OCL_OPERATORS_ANY};

static ocl_status check_arity(const ocl_tflite* model, int32_t index, const ocl_tflite_operator* op,
                              ocl_detail* detail) {
  const ocl_operator* row = op->row == NULL ? &kUnknown : op->row;
  const bool takes_any = row->max_inputs == OCL_OPERATORS_ANY;
  if (op->num_inputs < row->min_inputs || (op->num_inputs > row->max_inputs && !takes_any))
    return reject_operator(index, op, OCL_MODEL_BAD_ARITY, detail, "%d inputs, at least %d and at most %d expected",
                           (int)op->num_inputs, row->min_inputs, row->max_inputs);
  const bool has_outputs =
      row->outputs == OCL_OPERATORS_ANY ? op->num_outputs > 0 || row == &kUnknown : op->num_outputs == row->outputs;
  if (!has_outputs)
    return reject_operator(index, op, OCL_MODEL_BAD_ARITY, detail, "%d outputs, %d expected", (int)op->num_outputs,
                           row->outputs);
  for (int32_t i = 0; i < op->num_inputs; i++) {
    const int32_t tensor = op->inputs[i];
    if (tensor < -1 || tensor >= model->num_tensors)
      return reject_operator(index, op, OCL_MODEL_BAD_TENSOR_INDEX, detail, "input %d is tensor %d of %d", (int)i,
                             (int)tensor, (int)model->num_tensors);
    const bool is_optional = row == &kUnknown || (i >= row->min_inputs && !takes_any);
    if (tensor == -1 && !is_optional)
      return reject_operator(index, op, OCL_MODEL_BAD_ARITY, detail, "input %d is left out but required", (int)i);
  }
  for (int32_t i = 0; i < op->num_outputs; i++) {
    if (op->outputs[i] < 0 || op->outputs[i] >= model->num_tensors)
      return reject_operator(index, op, OCL_MODEL_BAD_TENSOR_INDEX, detail, "output %d is tensor %d of %d", (int)i,
                             (int)op->outputs[i], (int)model->num_tensors);
  }
  return OCL_OK;
}

static ocl_status check_options(int32_t index, const ocl_tflite_operator* op, const uint8_t* bytes, uint32_t table,
                                ocl_detail* detail) {
  if (op->row == NULL) return OCL_OK;
  ocl_detail what;
  const ocl_status status = ocl_operators_check_options(bytes, table, op->row, &what);
  return status == OCL_OK ? OCL_OK : reject_operator(index, op, status, detail, "%s", what.text);
}

static ocl_status check_operator(const ocl_tflite* model, int32_t index, ocl_detail* detail) {
  const uint8_t* bytes = model->bytes;
  const uint32_t table = ocl_flatbuffer_table_at(bytes, model->subgraph, OCL_SUBGRAPH_OPERATORS, (uint32_t)index);
  const uint32_t opcode_index = ocl_flatbuffer_u32(bytes, table, OCL_OPERATOR_OPCODE_INDEX, 0);
  if (opcode_index >= ocl_flatbuffer_count(bytes, model->model, OCL_MODEL_OPERATOR_CODES))
    return ocl_status_with_detail(OCL_MODEL_BAD_OPCODE, detail, "operator %d: no operator code %u", (int)index,
                                  (unsigned)opcode_index);
  if (ocl_tflite_code_at(model, opcode_index).opcode < 0)
    return ocl_status_with_detail(OCL_MODEL_BAD_OPCODE, detail, "operator %d: its code is negative", (int)index);

  // The options are read as the table that belongs to the opcode, so they must have been verified as that table.
  const uint32_t options = ocl_flatbuffer_target(bytes, table, OCL_OPERATOR_OPTIONS);
  const uint8_t options_type = ocl_flatbuffer_u8(bytes, table, OCL_OPERATOR_OPTIONS_TYPE, 0);
  const ocl_tflite_operator bare = ocl_tflite_code_at(model, opcode_index);
  if (bare.row != NULL && options != 0 && options_type != bare.row->options)
    return reject_operator(index, &bare, OCL_MODEL_BAD_OPTION, detail,
                           "its options are of another operator (BuiltinOptions %d)", options_type);
  if (ocl_flatbuffer_u64(bytes, table, OCL_OPERATOR_LARGE_CUSTOM_OPTIONS_OFFSET, 0) > 1)
    return reject_operator(index, &bare, OCL_MODEL_UNSUPPORTED_FEATURE, detail,
                           "its custom options are outside the FlatBuffer");

  const ocl_tflite_operator op = ocl_tflite_get_operator(model, index);
  OCL_TRY(check_arity(model, index, &op, detail));
  return check_options(index, &op, bytes, options, detail);
}

// ---- order ----

// One bit for each tensor: whether it has a value at this point.
typedef struct {
  uint32_t words[kMaxTensors / 32];
} tensor_set;

static bool has(const tensor_set* set, int32_t tensor) {
  return set->words[tensor / 32] >> (tensor % 32) & 1;
}
static void add(tensor_set* set, int32_t tensor) {
  set->words[tensor / 32] |= UINT32_C(1) << (tensor % 32);
}

static bool has_bytes(const ocl_tflite* model, int32_t tensor) {
  return ocl_tflite_get_tensor(model, tensor).data_size_bytes > 0;
}
// A tensor without elements that nothing has computed is a constant from here on.
static bool is_defined(const ocl_tflite* model, int32_t tensor, tensor_set* defined) {
  if (!has(defined, tensor) && ocl_tflite_get_tensor(model, tensor).data != NULL) add(defined, tensor);
  return has(defined, tensor);
}

static ocl_status check_inputs(const ocl_tflite* model, tensor_set* defined, ocl_detail* detail) {
  const int32_t* inputs = ocl_tflite_inputs(model);
  for (int32_t i = 0; i < model->num_inputs; i++) {
    if (inputs[i] < 0 || inputs[i] >= model->num_tensors)
      return ocl_status_with_detail(OCL_MODEL_BAD_TENSOR_INDEX, detail, "graph input %d is tensor %d", (int)i,
                                    (int)inputs[i]);
    if (has(defined, inputs[i]))
      return reject_tensor(model, inputs[i], OCL_MODEL_BAD_ORDER, detail, "it is a graph input, but also %s",
                           has_bytes(model, inputs[i]) ? "a constant" : "another graph input");
    add(defined, inputs[i]);
  }
  return OCL_OK;
}

static ocl_status check_order(const ocl_tflite* model, int32_t index, tensor_set* defined, ocl_detail* detail) {
  const ocl_tflite_operator op = ocl_tflite_get_operator(model, index);
  for (int32_t i = 0; i < op.num_inputs; i++) {
    if (op.inputs[i] >= 0 && !is_defined(model, op.inputs[i], defined))
      return reject_operator(index, &op, OCL_MODEL_BAD_ORDER, detail, "input %d (tensor %d) has no value yet", (int)i,
                             (int)op.inputs[i]);
  }
  for (int32_t i = 0; i < op.num_outputs; i++) {
    if (has(defined, op.outputs[i]))
      return reject_operator(index, &op, OCL_MODEL_BAD_ORDER, detail, "output %d (tensor %d) has a value already",
                             (int)i, (int)op.outputs[i]);
    add(defined, op.outputs[i]);
  }
  return OCL_OK;
}

static ocl_status check_outputs(const ocl_tflite* model, tensor_set* defined, ocl_detail* detail) {
  const int32_t* outputs = ocl_tflite_outputs(model);
  for (int32_t i = 0; i < model->num_outputs; i++) {
    if (outputs[i] < 0 || outputs[i] >= model->num_tensors)
      return ocl_status_with_detail(OCL_MODEL_BAD_TENSOR_INDEX, detail, "graph output %d is tensor %d", (int)i,
                                    (int)outputs[i]);
    if (!is_defined(model, outputs[i], defined))
      return reject_tensor(model, outputs[i], OCL_MODEL_BAD_ORDER, detail,
                           "it is a graph output that no operator computes");
  }
  return OCL_OK;
}

static ocl_status check_graph(const ocl_tflite* model, ocl_detail* detail) {
  tensor_set defined = {{0}};
  for (int32_t i = 0; i < model->num_tensors; i++) {
    OCL_TRY(check_tensor(model, i, detail));
    if (has_bytes(model, i)) add(&defined, i);
  }
  OCL_TRY(check_inputs(model, &defined, detail));
  for (int32_t i = 0; i < model->num_operators; i++) {
    OCL_TRY(check_operator(model, i, detail));
    OCL_TRY(check_order(model, i, &defined, detail));
  }
  return check_outputs(model, &defined, detail);
}

// ---- the model ----

// The subgraph must have the signature's inputs and outputs: its own lists are what the graph is built from.
static ocl_status check_ports(const ocl_tflite* model, uint32_t signature, uint32_t ports_id, uint32_t tensors_id,
                              ocl_detail* detail) {
  uint32_t count;
  const uint8_t* tensors = ocl_flatbuffer_vector(model->bytes, model->subgraph, tensors_id, &count);
  const uint32_t num_ports = ocl_flatbuffer_count(model->bytes, signature, ports_id);
  bool is_same = num_ports == count;
  for (uint32_t i = 0; is_same && i < num_ports; i++) {
    const uint32_t port = ocl_flatbuffer_table_at(model->bytes, signature, ports_id, i);
    const uint32_t tensor = ocl_flatbuffer_u32(model->bytes, port, OCL_SIGNATURE_PORT_TENSOR, 0);
    is_same = false;
    for (uint32_t k = 0; k < count && !is_same; k++) is_same = !memcmp(tensors + 4 * k, &tensor, sizeof tensor);
  }
  if (is_same) return OCL_OK;
  return ocl_status_with_detail(OCL_MODEL_UNSUPPORTED_FEATURE, detail,
                                "the signature '%.60s' has other %s than its subgraph",
                                ocl_flatbuffer_string(model->bytes, signature, OCL_SIGNATURE_KEY),
                                ports_id == OCL_SIGNATURE_INPUTS ? "inputs" : "outputs");
}

static ocl_status reject_signature(const ocl_tflite* model, const char* key, ocl_detail* detail) {
  char keys[120] = "";
  size_t length = 0;
  for (int32_t i = 0; i < ocl_tflite_num_signatures(model) && length + 1 < sizeof keys; i++) {
    ocl_text_format(keys + length, sizeof keys - length, "%s'%.40s'", i == 0 ? "" : ", ",
                    ocl_tflite_signature_key(model, i));
    length = strlen(keys);
  }
  return ocl_status_with_detail(OCL_MODEL_NO_SIGNATURE, detail, "'%.40s'; it has %s", key, length == 0 ? "none" : keys);
}

// The subgraph of the signature with this key; of NULL, the first subgraph.
static ocl_status choose_subgraph(ocl_tflite* model, const char* key, ocl_detail* detail) {
  const uint32_t num_subgraphs = ocl_flatbuffer_count(model->bytes, model->model, OCL_MODEL_SUBGRAPHS);
  if (num_subgraphs == 0) return OCL_MODEL_NO_SUBGRAPH;
  uint32_t signature = 0;
  for (int32_t i = 0; key != NULL && signature == 0 && i < ocl_tflite_num_signatures(model); i++)
    if (strcmp(ocl_tflite_signature_key(model, i), key) == 0)
      signature = ocl_flatbuffer_table_at(model->bytes, model->model, OCL_MODEL_SIGNATURES, (uint32_t)i);
  if (key != NULL && signature == 0) return reject_signature(model, key, detail);
  model->subgraph_index = ocl_flatbuffer_u32(model->bytes, signature, OCL_SIGNATURE_SUBGRAPH, 0);
  if (model->subgraph_index >= num_subgraphs)
    return ocl_status_with_detail(OCL_MODEL_BAD_TABLE, detail, "the signature '%.60s': no subgraph %u", key,
                                  (unsigned)model->subgraph_index);
  model->subgraph = ocl_flatbuffer_table_at(model->bytes, model->model, OCL_MODEL_SUBGRAPHS, model->subgraph_index);
  if (signature == 0) return OCL_OK;
  OCL_TRY(check_ports(model, signature, OCL_SIGNATURE_INPUTS, OCL_SUBGRAPH_INPUTS, detail));
  return check_ports(model, signature, OCL_SIGNATURE_OUTPUTS, OCL_SUBGRAPH_OUTPUTS, detail);
}

static ocl_status open_subgraph(ocl_tflite* model, const char* signature, ocl_detail* detail) {
  const uint32_t version = ocl_flatbuffer_u32(model->bytes, model->model, OCL_MODEL_VERSION, 0);
  if (version != kSchemaVersion)
    return ocl_status_with_detail(OCL_MODEL_UNSUPPORTED_FEATURE, detail, "schema version %u, %d expected",
                                  (unsigned)version, (int)kSchemaVersion);
  OCL_TRY(choose_subgraph(model, signature, detail));
  const uint32_t num_tensors = ocl_flatbuffer_count(model->bytes, model->subgraph, OCL_SUBGRAPH_TENSORS);
  const uint32_t num_operators = ocl_flatbuffer_count(model->bytes, model->subgraph, OCL_SUBGRAPH_OPERATORS);
  if (num_tensors > kMaxTensors || num_operators > kMaxOperators)
    return ocl_status_with_detail(OCL_MODEL_TOO_LARGE, detail, "%u tensors and %u operators, at most %d each",
                                  (unsigned)num_tensors, (unsigned)num_operators, (int)kMaxTensors);
  model->num_tensors = (int32_t)num_tensors;
  model->num_operators = (int32_t)num_operators;
  model->num_inputs = (int32_t)ocl_flatbuffer_count(model->bytes, model->subgraph, OCL_SUBGRAPH_INPUTS);
  model->num_outputs = (int32_t)ocl_flatbuffer_count(model->bytes, model->subgraph, OCL_SUBGRAPH_OUTPUTS);
  return OCL_OK;
}

ocl_status ocl_tflite_verify(const uint8_t* bytes, size_t size_bytes, ocl_tflite* model_out, ocl_detail* detail) {
  return ocl_tflite_verify_signature(bytes, size_bytes, NULL, model_out, detail);
}

ocl_status ocl_tflite_verify_signature(const uint8_t* bytes, size_t size_bytes, const char* signature,
                                       ocl_tflite* model_out, ocl_detail* detail) {
  ocl_tflite model = {.bytes = bytes, .size_bytes = size_bytes};
  if (detail != NULL) detail->text[0] = 0;
  if (size_bytes < 8)
    return ocl_status_with_detail(OCL_MODEL_TRUNCATED, detail, "%d bytes, at least 8 expected", (int)size_bytes);
  if (!ocl_flatbuffer_has_identifier(bytes, size_bytes, "TFL3")) return OCL_MODEL_NOT_TFLITE;
  if ((uintptr_t)bytes % 8 != 0)
    return ocl_status_with_detail(OCL_INVALID_ARGUMENT, detail, "the model's address is not a multiple of 8");
  OCL_TRY(ocl_flatbuffer_verify(bytes, size_bytes, &ocl_tflite_schema, &model.model, detail));
  OCL_TRY(open_subgraph(&model, signature, detail));
  OCL_TRY(check_buffers(&model, detail));
  OCL_TRY(check_metadata(&model, detail));
  OCL_TRY(check_graph(&model, detail));
  *model_out = model;
  return OCL_OK;
}
