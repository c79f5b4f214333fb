#include <float.h>

#include "check.h"
#include "test_data.h"
#include "tflite/dense.h"
#include "tflite/operators.h"
#include "tflite/tflite.h"
#include "tiny_model.h"

// ---- reading everything that a view gives out ----

static uint32_t touch_bytes(const void* bytes, size_t size_bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < size_bytes; i++) sum += ((const uint8_t*)bytes)[i];
  return sum;
}

static uint32_t touch_ints(const int32_t* ints, int32_t count) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < count; i++) sum += (uint32_t)ints[i];
  return sum;
}

static uint32_t touch_operator(const ocl_tflite* model, int32_t index) {
  const ocl_tflite_operator op = ocl_tflite_get_operator(model, index);
  uint32_t sum = touch_ints(op.inputs, op.num_inputs) + touch_ints(op.outputs, op.num_outputs);
  sum += (uint32_t)strlen(op.custom_name);
  if (op.opcode == OCL_OP_CUSTOM) sum += touch_bytes(op.options.custom.bytes, op.options.custom.size_bytes);
  if (op.opcode == OCL_OP_RESHAPE || op.opcode == OCL_OP_SQUEEZE)
    sum += touch_ints(op.options.reshape.dims.ints, op.options.reshape.dims.count);
  return sum;
}

static uint32_t touch_tensor(const ocl_tflite* model, int32_t index) {
  const ocl_tflite_tensor tensor = ocl_tflite_get_tensor(model, index);
  const ocl_quantization* q = &tensor.quantization;
  uint32_t sum = (uint32_t)strlen(tensor.name);
  if (tensor.data != NULL) {
    CHECK(tensor.data_size_bytes == ocl_shape_num_elements(&tensor.shape) * ocl_dtype_size_bytes(tensor.dtype));
    sum += touch_bytes(tensor.data, tensor.data_size_bytes);
  }
  for (int32_t i = 0; i < q->num_scales; i++) {
    CHECK(q->scales[i] > 0 && q->scales[i] <= FLT_MAX);
    sum += q->zero_points == NULL ? 0 : (uint32_t)q->zero_points[i];
  }
  CHECK(q->num_scales <= 1 || q->num_scales == tensor.shape.dims[q->axis]);
  return sum;
}

static uint32_t touch(const ocl_tflite* model) {
  uint32_t sum = 0;
  for (int32_t i = 0; i < model->num_tensors; i++) sum += touch_tensor(model, i);
  for (int32_t i = 0; i < model->num_operators; i++) sum += touch_operator(model, i);
  sum += touch_ints(ocl_tflite_inputs(model), model->num_inputs);
  sum += touch_ints(ocl_tflite_outputs(model), model->num_outputs);
  static const char* const names[] = {"note", "min_runtime_version", "CONVERSION_METADATA"};
  for (int i = 0; i < 3; i++) {
    size_t size_bytes;
    const uint8_t* bytes = ocl_tflite_find_metadata(model, names[i], &size_bytes);
    sum += touch_bytes(bytes, size_bytes);
  }
  return sum;
}

// Verifies an exact-size copy, so that ASan sees every overread.
static ocl_status verify_copy(const uint8_t* bytes, size_t size_bytes, ocl_detail* detail) {
  uint8_t* copy = malloc(size_bytes);
  memcpy(copy, bytes, size_bytes);
  ocl_tflite model;
  const ocl_status status = ocl_tflite_verify(copy, size_bytes, &model, detail);
  if (status == OCL_OK) touch(&model);
  free(copy);
  return status;
}

// ---- what the view says ----

static void test_tiny_model_is_read(void) {
  tiny t;
  build(&t);
  ocl_tflite model;
  ocl_detail detail = {"stale"};
  uint8_t* bytes = malloc(t.w.size_bytes);
  memcpy(bytes, t.w.bytes, t.w.size_bytes);
  CHECK_STATUS(ocl_tflite_verify(bytes, t.w.size_bytes, &model, &detail), OCL_OK);
  CHECK(detail.text[0] == 0);
  CHECK(model.num_tensors == NUM_TENSORS && model.num_operators == NUM_OPERATORS);

  const ocl_tflite_tensor x = ocl_tflite_get_tensor(&model, ocl_tflite_inputs(&model)[0]);
  CHECK(strcmp(x.name, "x") == 0 && x.dtype == OCL_FLOAT32 && x.data == NULL && x.shape.rank == 4);
  CHECK(x.is_batch_free && !x.is_shape_free && x.shape.dims[0] == 1 && x.shape.dims[3] == 2);
  const ocl_tflite_tensor weights = ocl_tflite_get_tensor(&model, WEIGHTS);
  CHECK(weights.data_size_bytes == 24 && ((const float*)(const void*)weights.data)[5] == 6);
  const ocl_quantization q = ocl_tflite_get_tensor(&model, QUANTIZED).quantization;
  CHECK(q.num_scales == 3 && q.axis == 0 && q.scales[1] == 0.25f && q.zero_points[1] == -128);

  const ocl_tflite_operator conv = ocl_tflite_get_operator(&model, CONV);
  CHECK(conv.opcode == OCL_OP_CONV_2D && conv.num_inputs == 3 && conv.outputs[0] == Y);
  CHECK(conv.options.conv.padding == OCL_PADDING_VALID && conv.options.conv.activation == OCL_ACTIVATION_RELU6);
  CHECK(conv.options.conv.stride_w == 2 && conv.options.conv.stride_h == 3 && conv.options.conv.dilation_w == 1);
  const ocl_tflite_operator reshape = ocl_tflite_get_operator(&model, RESHAPE);
  CHECK(reshape.opcode == OCL_OP_RESHAPE && reshape.options.reshape.dims.count == 2);
  CHECK(reshape.options.reshape.dims.ints[1] == 12);
  const ocl_tflite_operator custom = ocl_tflite_get_operator(&model, CUSTOM);
  CHECK(custom.opcode == OCL_OP_CUSTOM && strcmp(custom.custom_name, "Echo") == 0);
  CHECK(custom.options.custom.size_bytes == 5 && memcmp(custom.options.custom.bytes, "hello", 5) == 0);

  size_t size_bytes;
  const uint8_t* note = ocl_tflite_find_metadata(&model, "note", &size_bytes);
  CHECK(size_bytes == 5 && memcmp(note, "noted", 5) == 0);
  CHECK(ocl_tflite_find_metadata(&model, "not", &size_bytes) == NULL && size_bytes == 0);
  free(bytes);
}

static void test_opcodes_have_names(void) {
  CHECK(strcmp(ocl_operators_name(3), "CONV_2D") == 0);
  CHECK(strcmp(ocl_operators_name(67), "TRANSPOSE_CONV") == 0);
  CHECK(ocl_operators_name(-1) == NULL && ocl_operators_name(1 << 20) == NULL);
  // schema.fbs: 127 is a placeholder.
  for (int32_t i = 0; i <= 161; i++) CHECK((ocl_operators_name(i) == NULL) == (i == 127));
}

// ---- what is refused, each by its name ----

static tiny t;  // the model that a test changes

static void poke_i32(uint32_t position, int32_t value) {
  w_poke(&t.w, position, &value, 4);
}
static void poke_f32(uint32_t position, float value) {
  w_poke(&t.w, position, &value, 4);
}

#define REJECTS(change, expected, expected_detail)                                                 \
  do {                                                                                             \
    ocl_detail detail_ = {""};                                                                     \
    build(&t);                                                                                     \
    change;                                                                                        \
    CHECK_STATUS(verify_copy(t.w.bytes, t.w.size_bytes, &detail_), expected);                      \
    if (strstr(detail_.text, expected_detail) == NULL) {                                           \
      printf("# %s:%d: \"%s\" lacks \"%s\"\n", __FILE__, __LINE__, detail_.text, expected_detail); \
      check_failures_in_test++;                                                                    \
    }                                                                                              \
  } while (0)

#define ACCEPTS(change) REJECTS(change, OCL_OK, "")

static void test_structure_is_checked(void) {
  REJECTS(t.w.size_bytes = 0, OCL_MODEL_TRUNCATED, "0 bytes");
  REJECTS(t.w.size_bytes = 7, OCL_MODEL_TRUNCATED, "7 bytes");
  REJECTS(t.w.bytes[5] = 'f', OCL_MODEL_NOT_TFLITE, "");
  REJECTS(poke_i32(0, 1 << 30), OCL_MODEL_BAD_OFFSET, "root");
  REJECTS(poke_i32(0, 0), OCL_MODEL_BAD_OFFSET, "root");
  REJECTS(poke_i32(0, 10), OCL_MODEL_MISALIGNED, "root");
  REJECTS(poke_i32(t.tensors[Y], 1 << 20), OCL_MODEL_BAD_TABLE, "subgraphs[0].tensors[3]");
  REJECTS(poke_i32(t.tensors[Y], -(1 << 20)), OCL_MODEL_BAD_TABLE, "vtable lies outside");
  REJECTS(poke_i32(t.tensors[Y], 1), OCL_MODEL_MISALIGNED, "vtable");
  REJECTS(poke_i32(t.shapes[Y] - 4, 1 << 20), OCL_MODEL_BAD_VECTOR, "subgraphs[0].tensors[3].shape");
  REJECTS(poke_i32(t.shapes[Y] - 4, -1), OCL_MODEL_BAD_VECTOR, "shape");
  REJECTS(poke_i32(t.data[WEIGHTS_DATA] - 4, INT32_MAX), OCL_MODEL_BAD_VECTOR, "buffers[1].data");
  REJECTS(poke_i32(w_set_vector(&t.w, t.tensors[Y], 3, "abcd", 5, 1) - 4, 3), OCL_MODEL_BAD_STRING, "end in NUL");
  REJECTS(poke_i32(w_set_vector(&t.w, t.tensors[Y], 3, "abcd", 5, 1) - 4, -1), OCL_MODEL_BAD_STRING, "reaches outside");
  // The shape [1, 12], read as a vector of one number at an address that is no multiple of 8.
  REJECTS(w_set_offset(&t.w, t.quantization, 3, t.data[SHAPE_DATA]), OCL_MODEL_MISALIGNED, "zero_point");
  REJECTS(w_set(&t.w, t.model, 0, 2), OCL_MODEL_UNSUPPORTED_FEATURE, "version 2");
  REJECTS(poke_i32(t.tensors[X] + 4, 1), OCL_MODEL_MISALIGNED, "tensors[0].shape");
}

static void test_overlapping_structures_are_refused(void) {
  // 200 subgraphs that are one, with a long vector: reading each would be quadratic work.
  static const int32_t inputs[2000];
  build(&t);
  const uint32_t elements = w_set_vector(&t.w, t.model, 2, NULL, 200, 4);
  const uint32_t subgraph = w_table(&t.w, 5);
  for (uint32_t i = 0; i < 200; i++) w_link(&t.w, elements + 4 * i, subgraph);
  w_set_vector(&t.w, subgraph, 1, inputs, 2000, 4);
  ocl_detail detail;
  CHECK_STATUS(verify_copy(t.w.bytes, t.w.size_bytes, &detail), OCL_MODEL_TOO_LARGE);
  CHECK(strstr(detail.text, "overlap") != NULL);
}

static void test_tensors_are_checked(void) {
  REJECTS(w_set(&t.w, t.tensors[QUANTIZED], 1, 5), OCL_MODEL_BAD_DTYPE, "tensor 7 'quantized': TensorType 5");
  REJECTS(poke_i32(t.shapes[Y] + 4, -2), OCL_MODEL_BAD_SHAPE, "tensor 3 'y': dimension 1 is -2");
  REJECTS(poke_i32(t.signature - 4, 3), OCL_MODEL_BAD_SHAPE, "3 in its signature");
  REJECTS(poke_i32(t.shapes[QUANTIZED] - 4, 7), OCL_MODEL_BAD_SHAPE, "7 dimensions");
  REJECTS(poke_i32(t.shapes[Y], 1 << 30), OCL_MODEL_TOO_LARGE, "tensor 3");
  REJECTS(for (uint32_t i = 0; i < 4; i++) poke_i32(t.shapes[Y] + 4 * i, 65536), OCL_MODEL_TOO_LARGE, "tensor 3");
  REJECTS(w_set(&t.w, t.tensors[X], 2, NUM_BUFFERS), OCL_MODEL_BAD_BUFFER, "no buffer 6");
  REJECTS(poke_i32(t.shapes[WEIGHTS], 2), OCL_MODEL_BAD_BUFFER, "24 bytes of data, its shape asks for 16");
  REJECTS(w_set(&t.w, t.tensors[Y], 5, 1), OCL_MODEL_UNSUPPORTED_FEATURE, "a variable");
  REJECTS(w_new_table(&t.w, t.tensors[Y], 6, 3), OCL_MODEL_UNSUPPORTED_FEATURE, "sparse");
  REJECTS(w_set(&t.w, t.tensors[Y], 1, 17);
          w_new_table(&t.w, t.tensors[Y], 6, 3), OCL_MODEL_UNSUPPORTED_FEATURE, "sparse, of 4 bits");
  REJECTS(w_set(&t.w, t.tensors[Y], 10, 4), OCL_MODEL_UNSUPPORTED_FEATURE, "another file");
  REJECTS(w_set(&t.w, t.metadata, 1, 77), OCL_MODEL_BAD_BUFFER, "metadata 0: no buffer 77");

  ACCEPTS(poke_i32(t.signature + 4, -1));
  ACCEPTS(poke_i32(t.shapes[Y] + 4, 0));  // it is computed: the shape is another at run time
  ACCEPTS(w_set_vector(&t.w, t.tensors[QUANTIZED], 0, NULL, 1, 4); poke_i32(t.data[QUANTIZED_DATA] - 4, 0);
          w_set(&t.w, t.tensors[QUANTIZED], 1, 2); w_set_vector(&t.w, t.quantization, 2, NULL, 0, 4));
}

// A tree of no levels, for a tensor of one dimension.
static void test_sparse_tensors_that_do_not_fit(void) {
  build(&t);
  w_new_table(&t.w, t.tensors[QUANTIZED], 6, 3);
  ocl_tflite model;
  ocl_detail detail;
  int8_t dense[3];
  CHECK_STATUS(ocl_tflite_verify(t.w.bytes, t.w.size_bytes, &model, &detail), OCL_OK);
  CHECK_STATUS(ocl_tflite_make_dense(&model, QUANTIZED, dense, &detail), OCL_MODEL_BAD_BUFFER);
  CHECK(strcmp(detail.text, "tensor 7 'quantized': the lists of its sparse elements do not fit its shape") == 0);
}

static void test_free_dimensions_are_told_apart(void) {
  build(&t);
  poke_i32(t.signature, 1);
  poke_i32(t.signature + 4, -1);
  ocl_tflite model;
  uint8_t* bytes = malloc(t.w.size_bytes);
  memcpy(bytes, t.w.bytes, t.w.size_bytes);
  CHECK_STATUS(ocl_tflite_verify(bytes, t.w.size_bytes, &model, NULL), OCL_OK);
  const ocl_tflite_tensor x = ocl_tflite_get_tensor(&model, X);
  CHECK(!x.is_batch_free && x.is_shape_free && x.shape.dims[1] == 1 && x.shape.dims[2] == 4);
  free(bytes);
}

static void use_external_buffer(uint32_t index, uint64_t offset, uint64_t size_bytes) {
  const uint32_t buffer = w_table(&t.w, 3);
  w_set(&t.w, buffer, 1, offset);
  w_set(&t.w, buffer, 2, size_bytes);
  w_link(&t.w, t.buffer_elements + 4 * index, buffer);
}

static void test_buffers_outside_the_flatbuffer(void) {
  build(&t);
  const uint64_t data = t.data[WEIGHTS_DATA];
  ACCEPTS(use_external_buffer(WEIGHTS_DATA, data, 24));
  REJECTS(use_external_buffer(WEIGHTS_DATA, data, 20), OCL_MODEL_BAD_BUFFER, "20 bytes");
  REJECTS(use_external_buffer(WEIGHTS_DATA, data + 2, 24), OCL_MODEL_MISALIGNED, "tensor 1");
  REJECTS(use_external_buffer(WEIGHTS_DATA, data, 1 << 20), OCL_MODEL_BAD_BUFFER, "buffer 1");
  REJECTS(use_external_buffer(WEIGHTS_DATA, UINT64_MAX - 8, 24), OCL_MODEL_BAD_BUFFER, "buffer 1");
  REJECTS(use_external_buffer(WEIGHTS_DATA, data, UINT64_MAX), OCL_MODEL_BAD_BUFFER, "buffer 1");
  REJECTS(use_external_buffer(0, data, 1 << 20), OCL_MODEL_BAD_BUFFER, "buffer 0");
  REJECTS(use_external_buffer(NUM_BUFFERS - 1, data, 1 << 20), OCL_MODEL_BAD_BUFFER, "buffer 5");
}

static void test_quantization_is_checked(void) {
  REJECTS(poke_f32(t.scales, 0), OCL_MODEL_BAD_QUANTIZATION, "scale 0 is not positive");
  REJECTS(poke_f32(t.scales + 4, NAN), OCL_MODEL_BAD_QUANTIZATION, "scale 1 is");
  REJECTS(poke_f32(t.scales + 8, INFINITY), OCL_MODEL_BAD_QUANTIZATION, "scale 2 is");
  REJECTS(poke_i32(t.zero_points, 128), OCL_MODEL_BAD_QUANTIZATION, "zero point 0 is 128");
  REJECTS(poke_i32(t.scales - 4, 2), OCL_MODEL_BAD_QUANTIZATION, "2 scales, but 3 zero points");
  REJECTS(poke_i32(t.scales - 4, 2);
          poke_i32(t.zero_points - 4, 2), OCL_MODEL_BAD_QUANTIZATION, "2 scales for 3 channels");
  REJECTS(w_set(&t.w, t.quantization, 6, 1), OCL_MODEL_BAD_QUANTIZATION, "along dimension 1 of 1");
  REJECTS(w_set(&t.w, t.quantization, 6, 0xffffffff), OCL_MODEL_BAD_QUANTIZATION, "along dimension -1");
  REJECTS(w_set(&t.w, t.quantization, 4, 1), OCL_MODEL_UNSUPPORTED_FEATURE, "custom-quantized");
  ACCEPTS(poke_i32(t.scales - 4, 1); poke_i32(t.zero_points - 4, 1));
  ACCEPTS(poke_i32(t.zero_points - 4, 0));
  ACCEPTS(poke_i32(t.scales - 4, 0));
}

static void test_operators_are_checked(void) {
  REJECTS(w_set(&t.w, t.operators[CONV], 0, 3), OCL_MODEL_BAD_OPCODE, "operator 0: no operator code 3");
  REJECTS(w_set(&t.w, t.codes[CONV], 0, 0xfd);
          w_set(&t.w, t.codes[CONV], 3, 0xfffffff0), OCL_MODEL_BAD_OPCODE, "negative");
  REJECTS(poke_i32(t.inputs[CONV], NUM_TENSORS), OCL_MODEL_BAD_TENSOR_INDEX,
          "operator 0 (CONV_2D): input 0 is tensor 8");
  REJECTS(poke_i32(t.inputs[CONV], -2), OCL_MODEL_BAD_TENSOR_INDEX, "tensor -2");
  REJECTS(poke_i32(t.outputs[CUSTOM], -1), OCL_MODEL_BAD_TENSOR_INDEX, "operator 2 (Echo): output 0 is tensor -1");
  REJECTS(poke_i32(t.graph_inputs, 99), OCL_MODEL_BAD_TENSOR_INDEX, "graph input 0");
  REJECTS(poke_i32(t.graph_outputs, -1), OCL_MODEL_BAD_TENSOR_INDEX, "graph output 0");
  REJECTS(poke_i32(t.inputs[CONV] - 4, 1), OCL_MODEL_BAD_ARITY, "1 inputs");
  REJECTS(poke_i32(t.outputs[RESHAPE] - 4, 0), OCL_MODEL_BAD_ARITY, "operator 1 (RESHAPE): 0 outputs");
  REJECTS(poke_i32(t.inputs[CONV] + 4, -1), OCL_MODEL_BAD_ARITY, "input 1 is left out");
  ACCEPTS(poke_i32(t.inputs[CONV] + 8, -1));
  REJECTS(w_set(&t.w, t.operators[CUSTOM], 9, 2), OCL_MODEL_UNSUPPORTED_FEATURE,
          "operator 2 (Echo): its custom options are outside the FlatBuffer");
  REJECTS(w_set_string(&t.w, t.codes[CUSTOM], 1, "TFLite_Detection_PostProcess"), OCL_MODEL_BAD_ARITY, "1 inputs");
  REJECTS(w_set(&t.w, t.codes[CONV], 0, 0), OCL_MODEL_BAD_OPTION, "operator 0 (ADD): its options are of another");
  // An operator that we do not know the options of is accepted here and refused by graph.c.
  ACCEPTS(w_set(&t.w, t.codes[CONV], 3, 132));
}

static void test_options_are_checked(void) {
  const uint32_t conv[] = {0, 1, 2, 3, 4, 5};  // padding, stride_w, stride_h, activation, dilation_w, dilation_h
  REJECTS(w_set(&t.w, t.options[CONV], conv[0], 2), OCL_MODEL_BAD_OPTION, "operator 0 (CONV_2D): padding is 2");
  REJECTS(w_set(&t.w, t.options[CONV], conv[1], 0), OCL_MODEL_BAD_OPTION, "stride_w is 0");
  REJECTS(w_set(&t.w, t.options[CONV], conv[2], 65536), OCL_MODEL_BAD_OPTION, "stride_h is 65536");
  REJECTS(w_set(&t.w, t.options[CONV], conv[4], 0), OCL_MODEL_BAD_OPTION, "dilation_w is 0");
  REJECTS(w_set(&t.w, t.options[CONV], conv[5], 0xffffffff), OCL_MODEL_BAD_OPTION, "dilation_h is -1");
  REJECTS(w_set(&t.w, t.options[CONV], conv[3], 6), OCL_MODEL_BAD_OPTION, "activation is 6");
  REJECTS(w_set(&t.w, t.options[CONV], conv[3], 4), OCL_MODEL_UNSUPPORTED_FEATURE, "TANH");
  REJECTS(w_set(&t.w, t.options[CONV], conv[3], 5), OCL_MODEL_UNSUPPORTED_FEATURE, "SIGN_BIT");
  ACCEPTS(w_set(&t.w, t.options[CONV], conv[1], 65535));
}

static void test_order_is_checked(void) {
  REJECTS(poke_i32(t.inputs[CONV], FLAT), OCL_MODEL_BAD_ORDER, "operator 0 (CONV_2D): input 0 (tensor 5)");
  REJECTS(poke_i32(t.outputs[RESHAPE], Y), OCL_MODEL_BAD_ORDER, "operator 1 (RESHAPE): output 0 (tensor 3)");
  REJECTS(poke_i32(t.outputs[CONV], X), OCL_MODEL_BAD_ORDER, "tensor 0");
  REJECTS(poke_i32(t.outputs[CONV], WEIGHTS), OCL_MODEL_BAD_ORDER, "tensor 1");
  REJECTS(poke_i32(t.graph_inputs, WEIGHTS), OCL_MODEL_BAD_ORDER, "a constant");
  // Without elements, it is a constant for the operator before the one that computes it.
  REJECTS(poke_i32(t.shapes[FLAT], 0);
          poke_i32(t.inputs[CONV], FLAT), OCL_MODEL_BAD_ORDER, "operator 1 (RESHAPE): output 0 (tensor 5)");
  REJECTS(poke_i32(t.outputs[CUSTOM] - 4, 0), OCL_MODEL_BAD_ORDER, "tensor 6 'echo': it is a graph output that no");
}

static void test_no_subgraph(void) {
  REJECTS(w_set_vector(&t.w, t.model, 2, NULL, 0, 4), OCL_MODEL_NO_SUBGRAPH, "");
}

static void test_bytes_must_be_aligned(void) {
  build(&t);
  uint8_t* bytes = malloc(t.w.size_bytes + 4);
  memcpy(bytes + 4, t.w.bytes, t.w.size_bytes);
  ocl_tflite model;
  CHECK_STATUS(ocl_tflite_verify(bytes + 4, t.w.size_bytes, &model, NULL), OCL_INVALID_ARGUMENT);
  free(bytes);
}

// ---- golden: what TensorFlow's own tools say about the files ----

static bool seek(const char** at, const char* text) {
  const char* found = strstr(*at, text);
  if (found != NULL) *at = found + strlen(text);
  return found != NULL;
}

// Reads the string at *at up to its closing quote.
static void read_text(const char** at, char* text, size_t capacity) {
  size_t i = 0;
  for (; **at != '"' && i + 1 < capacity; ++*at) text[i++] = **at;
  text[i] = 0;
}

static void check_dtype(const char** at, ocl_dtype dtype) {
  static const struct {
    const char* name;
    ocl_dtype dtype;
  } dtypes[] = {{"float32", OCL_FLOAT32}, {"int8", OCL_INT8}, {"uint8", OCL_UINT8}};
  char name[32];
  CHECK(seek(at, "\"dtype\": \""));
  read_text(at, name, sizeof name);
  for (int i = 0; i < 3; i++)
    if (strcmp(dtypes[i].name, name) == 0) CHECK(dtypes[i].dtype == dtype);
}

static void check_golden_tensor(const char** at, const ocl_tflite_tensor* tensor) {
  char* next;
  CHECK(seek(at, "\"shape\": ["));
  for (int32_t i = 0; i < tensor->shape.rank; i++) {
    CHECK(strtol(*at, &next, 10) == tensor->shape.dims[i]);
    *at = next + 1;
  }
  check_dtype(at, tensor->dtype);
  CHECK(seek(at, "\"quantization\": ["));
  const double scale = strtod(*at, &next);
  const long zero_point = strtol(next + 1, NULL, 10);
  const ocl_quantization* q = &tensor->quantization;
  CHECK_NEAR(q->num_scales == 0 ? 0 : q->scales[0], scale, scale * 1e-6);
  CHECK((q->num_scales == 0 || q->zero_points == NULL ? 0 : q->zero_points[0]) == zero_point);
}

static void check_golden_case(const char** at, const ocl_tflite* model) {
  char name[64];
  CHECK(seek(at, "\"ops\": ["));
  for (int32_t i = 0; i < model->num_operators; i++) {
    CHECK(seek(at, "\""));
    read_text(at, name, sizeof name);
    ++*at;
    const ocl_tflite_operator op = ocl_tflite_get_operator(model, i);
    CHECK(strcmp(name, ocl_tflite_operator_name(&op)) == 0);
  }
  CHECK((*at)[strspn(*at, " \n")] == ']');
  const ocl_tflite_tensor input = ocl_tflite_get_tensor(model, ocl_tflite_inputs(model)[0]);
  check_golden_tensor(at, &input);
  for (int32_t i = 0; i < model->num_outputs; i++) {
    const ocl_tflite_tensor output = ocl_tflite_get_tensor(model, ocl_tflite_outputs(model)[i]);
    check_golden_tensor(at, &output);
  }
}

static void check_folder(const char* folder, int expected_count) {
  char path[256], file[160];
  size_t size_bytes;
  snprintf(path, sizeof path, "%s/cases.json", folder);
  char* cases = (char*)data_read(path, &size_bytes);
  const bool is_ops = strcmp(folder, "ops") == 0;
  int count = 0;
  for (const char* at = cases; seek(&at, "\"model\": \""); count++) {
    read_text(&at, file, sizeof file);
    snprintf(path, sizeof path, "%s/%s", folder, file);
    uint8_t* bytes = data_read(path, &size_bytes);
    ocl_tflite model;
    ocl_detail detail;
    CHECK_STATUS(ocl_tflite_verify(bytes, size_bytes, &model, &detail), OCL_OK);
    if (detail.text[0] != 0) printf("# %s: %s\n", path, detail.text);
    if (detail.text[0] == 0) touch(&model);
    if (detail.text[0] == 0 && is_ops) check_golden_case(&at, &model);
    free(bytes);
  }
  CHECK(count == expected_count);
  free(cases);
}

static void test_operator_cases_are_read_as_tflite_reads_them(void) {
  check_folder("ops", 128);
}
static void test_small_networks_verify(void) {
  check_folder("models", 18);
}

static void test_dynamic_batch_is_seen(void) {
  size_t size_bytes;
  uint8_t* bytes = data_read("models/mobilenet_v1_classifier.fp32.tflite", &size_bytes);
  ocl_tflite model;
  CHECK_STATUS(ocl_tflite_verify(bytes, size_bytes, &model, NULL), OCL_OK);
  const ocl_tflite_tensor input = ocl_tflite_get_tensor(&model, ocl_tflite_inputs(&model)[0]);
  CHECK(input.is_batch_free && !input.is_shape_free && input.shape.dims[0] == 1 && input.shape.dims[1] == 96);
  free(bytes);
}

// ---- hostile ----

static uint32_t random_state = 20261123;
static uint32_t next_random(void) {
  return random_state = random_state * 1664525 + 1013904223;
}

static void truncate_everywhere(const uint8_t* bytes, size_t size_bytes) {
  const size_t step = size_bytes / 2000 + 1;
  for (size_t length = 0; length < size_bytes; length += step) verify_copy(bytes, length, NULL);
}

// Every byte, each of five ways, and every word, each of six.
static int mutate_everywhere(const uint8_t* bytes, size_t size_bytes) {
  uint8_t* mutated = malloc(size_bytes);
  memcpy(mutated, bytes, size_bytes);
  int num_accepted = 0;
  ocl_detail detail;
  for (size_t i = 0; i < size_bytes; i++) {
    const uint8_t original = bytes[i];
    const uint8_t values[] = {0, 0xff, original ^ 1, original ^ 0x80, (uint8_t)(next_random() >> 24)};
    for (size_t j = 0; j < sizeof values; j++) {
      mutated[i] = values[j];
      num_accepted += verify_copy(mutated, size_bytes, &detail) == OCL_OK;
    }
    mutated[i] = original;
  }
  for (size_t i = 0; i + 4 <= size_bytes; i += 4) {
    const uint32_t values[] = {INT32_MAX,           0xffffffff,          (uint32_t)size_bytes,
                               next_random() >> 16, next_random() >> 28, (uint32_t)(size_bytes - i)};
    for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
      memcpy(mutated + i, &values[j], 4);
      num_accepted += verify_copy(mutated, size_bytes, &detail) == OCL_OK;
    }
    memcpy(mutated + i, bytes + i, 4);
  }
  free(mutated);
  return num_accepted;
}

static void test_hostile_tiny_model(void) {
  build(&t);
  truncate_everywhere(t.w.bytes, t.w.size_bytes);
  CHECK(mutate_everywhere(t.w.bytes, t.w.size_bytes) > 0);
}

static void test_hostile_operator_cases(void) {
  static const char* const files[] = {"relu_alone.fp32",
                                      "conv1x1_relu6.int8",
                                      "mean_fc_softmax.int8float",
                                      "concat_axis1_heads.fp32",
                                      "maxpool_3x3_s1_valid.fp32",
                                      "resize_bilinear_legacy.int8",
                                      "expand_dims_transpose_free.int8"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char path[128];
    size_t size_bytes;
    snprintf(path, sizeof path, "ops/%s.tflite", files[i]);
    uint8_t* bytes = data_read(path, &size_bytes);
    truncate_everywhere(bytes, size_bytes);
    mutate_everywhere(bytes, size_bytes);
    free(bytes);
  }
}

int main(void) {
  RUN(test_tiny_model_is_read);
  RUN(test_opcodes_have_names);
  RUN(test_structure_is_checked);
  RUN(test_overlapping_structures_are_refused);
  RUN(test_tensors_are_checked);
  RUN(test_sparse_tensors_that_do_not_fit);
  RUN(test_free_dimensions_are_told_apart);
  RUN(test_buffers_outside_the_flatbuffer);
  RUN(test_quantization_is_checked);
  RUN(test_operators_are_checked);
  RUN(test_options_are_checked);
  RUN(test_order_is_checked);
  RUN(test_no_subgraph);
  RUN(test_bytes_must_be_aligned);
  RUN(test_operator_cases_are_read_as_tflite_reads_them);
  RUN(test_small_networks_verify);
  RUN(test_dynamic_batch_is_seen);
  RUN(test_hostile_tiny_model);
  RUN(test_hostile_operator_cases);
  return check_failed_tests;
}
