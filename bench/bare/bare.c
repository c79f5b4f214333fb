// Bench only: model bytes -> XNNPACK subgraph -> runtime; input float32 [1,300,300,3] -> raw heads, float32.
// Runs the default detector on XNNPACK's own subgraph API, runtime and memory planner, in one thread, without ocelli's
// graph. bench/network.js compares ocelli's network time with it. It supports only the six operators of the default
// detector. bench/bare.js calls these functions.
#include <math.h>
#include <stdlib.h>
#include <xnnpack.h>

#include "tflite/weights.h"

enum { MAX_OUTPUTS = 4, MAX_JOINED = 5 };  // XNNPACK concatenates at most five tensors in one node

typedef struct {
  ocl_tflite model;
  xnn_subgraph_t subgraph;
  uint32_t* values;  // [num_tensors] XNNPACK's id of each tensor; XNN_INVALID_VALUE_ID if not defined yet
  xnn_runtime_t runtime;
  struct xnn_external_value external[1 + MAX_OUTPUTS];
  size_t lengths[1 + MAX_OUTPUTS];
} ocl_bare;

static bool define(ocl_bare* bare, const ocl_shape* shape, const void* data, uint32_t external_id, uint32_t flags,
                   uint32_t* id_out) {
  size_t dims[OCL_MAX_RANK];
  for (int32_t i = 0; i < shape->rank; i++) dims[i] = (size_t)shape->dims[i];
  return xnn_define_tensor_value(bare->subgraph, xnn_datatype_fp32, (size_t)shape->rank, dims, data, external_id, flags,
                                 id_out) == xnn_status_success;
}

// Returns XNNPACK's id of a tensor, and defines the tensor at its first use. Constants are converted to float32. They
// are never freed: XNNPACK borrows them until the runtime exists, and the process ends after the benchmark.
static uint32_t value_of(ocl_bare* bare, int32_t index) {
  if (index < 0) return XNN_INVALID_VALUE_ID;
  uint32_t* id = &bare->values[index];
  if (*id != XNN_INVALID_VALUE_ID) return *id;
  const ocl_tflite_tensor tensor = ocl_tflite_get_tensor(&bare->model, index);
  float* data = NULL;
  if (tensor.data != NULL) {
    data = malloc(ocl_shape_num_elements(&tensor.shape) * sizeof *data);
    if (data == NULL || ocl_weights_to_float(&tensor, data) != OCL_OK) return XNN_INVALID_VALUE_ID;
  }
  define(bare, &tensor.shape, data, XNN_INVALID_VALUE_ID, 0, id);
  return *id;
}

// ---- operators ----

static bool add_convolution(ocl_bare* bare, const ocl_tflite_operator* op) {
  const ocl_shape kernel = ocl_tflite_get_tensor(&bare->model, op->inputs[1]).shape;
  const ocl_activation activation = op->options.conv.activation;
  if (activation != OCL_ACTIVATION_NONE && activation != OCL_ACTIVATION_RELU6) return false;
  const float min = activation == OCL_ACTIVATION_RELU6 ? 0 : -INFINITY;
  const float max = activation == OCL_ACTIVATION_RELU6 ? 6 : INFINITY;
  const uint32_t flags = op->options.conv.padding == OCL_PADDING_SAME ? XNN_FLAG_TENSORFLOW_SAME_PADDING : 0;
  const uint32_t kernel_h = (uint32_t)kernel.dims[1], kernel_w = (uint32_t)kernel.dims[2];
  const uint32_t stride_h = (uint32_t)op->options.conv.stride_h, stride_w = (uint32_t)op->options.conv.stride_w;
  const uint32_t input = value_of(bare, op->inputs[0]), filter = value_of(bare, op->inputs[1]);
  const uint32_t bias = op->num_inputs > 2 ? value_of(bare, op->inputs[2]) : XNN_INVALID_VALUE_ID;
  const uint32_t output = value_of(bare, op->outputs[0]);
  const enum xnn_status status =
      op->opcode == OCL_OP_CONV_2D
          ? xnn_define_convolution_2d(bare->subgraph, 0, 0, 0, 0, kernel_h, kernel_w, stride_h, stride_w, 1, 1, 1,
                                      (size_t)kernel.dims[3], (size_t)kernel.dims[0], min, max, input, filter, bias,
                                      output, flags)
          : xnn_define_depthwise_convolution_2d(bare->subgraph, 0, 0, 0, 0, kernel_h, kernel_w, stride_h, stride_w, 1,
                                                1, 1, (size_t)kernel.dims[3], min, max, input, filter, bias, output,
                                                flags);
  return status == xnn_status_success;
}

static bool add_sum(ocl_bare* bare, const ocl_tflite_operator* op) {
  return op->options.binary.activation == OCL_ACTIVATION_NONE &&
         xnn_define_binary(bare->subgraph, xnn_binary_add, NULL, value_of(bare, op->inputs[0]),
                           value_of(bare, op->inputs[1]), value_of(bare, op->outputs[0]), 0) == xnn_status_success;
}

static bool add_reshape(ocl_bare* bare, const ocl_tflite_operator* op) {
  const ocl_shape shape = ocl_tflite_get_tensor(&bare->model, op->outputs[0]).shape;
  size_t dims[OCL_MAX_RANK];
  for (int32_t i = 0; i < shape.rank; i++) dims[i] = (size_t)shape.dims[i];
  return xnn_define_static_reshape(bare->subgraph, (size_t)shape.rank, dims, value_of(bare, op->inputs[0]),
                                   value_of(bare, op->outputs[0]), 0) == xnn_status_success;
}

static bool join(ocl_bare* bare, int32_t axis, int32_t count, const uint32_t* ids, uint32_t output) {
  xnn_subgraph_t graph = bare->subgraph;
  switch (count) {
    case 2: return xnn_define_concatenate2(graph, axis, ids[0], ids[1], output, 0) == xnn_status_success;
    case 5:
      return xnn_define_concatenate5(graph, axis, ids[0], ids[1], ids[2], ids[3], ids[4], output, 0) ==
             xnn_status_success;
    default: return false;
  }
}

// There are six feature maps, and the first is much larger than the rest: join the five small ones, then add the first.
static bool add_concatenation(ocl_bare* bare, const ocl_tflite_operator* op) {
  if (op->num_inputs != 1 + MAX_JOINED) return false;
  const int32_t axis = op->options.concatenation.axis;
  ocl_shape rest_shape = ocl_tflite_get_tensor(&bare->model, op->outputs[0]).shape;
  const ocl_shape first_shape = ocl_tflite_get_tensor(&bare->model, op->inputs[0]).shape;
  if (axis < 0 || axis >= rest_shape.rank || axis >= first_shape.rank) return false;
  rest_shape.dims[axis] -= first_shape.dims[axis];
  uint32_t ids[1 + MAX_JOINED], rest;
  for (int32_t i = 0; i < op->num_inputs; i++) ids[i] = value_of(bare, op->inputs[i]);
  if (!define(bare, &rest_shape, NULL, XNN_INVALID_VALUE_ID, 0, &rest)) return false;
  const uint32_t pair[] = {ids[0], rest};
  return join(bare, axis, MAX_JOINED, ids + 1, rest) && join(bare, axis, 2, pair, value_of(bare, op->outputs[0]));
}

// Dequantizes a float16 constant: the output is the input's value, because value_of() converts constants to float32.
static bool add_dequantize(ocl_bare* bare, const ocl_tflite_operator* op) {
  if (ocl_tflite_get_tensor(&bare->model, op->inputs[0]).data == NULL) return false;
  bare->values[op->outputs[0]] = value_of(bare, op->inputs[0]);
  return bare->values[op->outputs[0]] != XNN_INVALID_VALUE_ID;
}

static bool add_operator(ocl_bare* bare, const ocl_tflite_operator* op) {
  switch (op->opcode) {
    case OCL_OP_CONV_2D:
    case OCL_OP_DEPTHWISE_CONV_2D: return add_convolution(bare, op);
    case OCL_OP_ADD: return add_sum(bare, op);
    case OCL_OP_RESHAPE: return add_reshape(bare, op);
    case OCL_OP_CONCATENATION: return add_concatenation(bare, op);
    case OCL_OP_DEQUANTIZE: return add_dequantize(bare, op);
    default: return false;
  }
}

// ---- network ----

// Defines external value `slot` (0: the input; 1, 2, …: the outputs) and allocates its memory. XNNPACK may read
// XNN_EXTRA_BYTES past the end.
static bool add_external(ocl_bare* bare, int32_t index, uint32_t slot) {
  const ocl_shape shape = ocl_tflite_get_tensor(&bare->model, index).shape;
  bare->lengths[slot] = ocl_shape_num_elements(&shape);
  bare->external[slot].data = calloc(1, bare->lengths[slot] * sizeof(float) + XNN_EXTRA_BYTES);
  const uint32_t flags = slot == 0 ? XNN_VALUE_FLAG_EXTERNAL_INPUT : XNN_VALUE_FLAG_EXTERNAL_OUTPUT;
  return bare->external[slot].data != NULL && define(bare, &shape, NULL, slot, flags, &bare->external[slot].id) &&
         (bare->values[index] = bare->external[slot].id) != XNN_INVALID_VALUE_ID;
}

static bool define_network(ocl_bare* bare) {
  const ocl_tflite* model = &bare->model;
  if (model->num_inputs != 1 || model->num_outputs > MAX_OUTPUTS) return false;
  const uint32_t num_external = 1 + (uint32_t)model->num_outputs;
  bare->values = malloc((size_t)model->num_tensors * sizeof *bare->values);
  if (bare->values == NULL || xnn_create_subgraph(num_external, 0, &bare->subgraph) != xnn_status_success) return false;
  for (int32_t i = 0; i < model->num_tensors; i++) bare->values[i] = XNN_INVALID_VALUE_ID;
  if (!add_external(bare, ocl_tflite_inputs(model)[0], 0)) return false;
  for (uint32_t i = 1; i < num_external; i++)
    if (!add_external(bare, ocl_tflite_outputs(model)[i - 1], i)) return false;
  for (int32_t i = 0; i < model->num_operators; i++) {
    const ocl_tflite_operator op = ocl_tflite_get_operator(model, i);
    if (!add_operator(bare, &op)) return false;
  }
  return true;
}

static bool make_runtime(ocl_bare* bare) {
  xnn_workspace_t workspace;
  return xnn_create_workspace(&workspace) == xnn_status_success &&
         xnn_create_runtime_v4(bare->subgraph, NULL, workspace, NULL, 0, &bare->runtime) == xnn_status_success &&
         xnn_reshape_runtime(bare->runtime) == xnn_status_success &&
         xnn_setup_runtime_v2(bare->runtime, 1 + (size_t)bare->model.num_outputs, bare->external) == xnn_status_success;
}

void* ocl_bare_alloc(size_t size_bytes) {
  return malloc(size_bytes);
}

// `bytes` (from ocl_bare_alloc()) must outlive the result. The result is never freed: each benchmark run has an
// instance of its own. Returns NULL if the model is not the default detector or memory runs out.
ocl_bare* ocl_bare_create(const uint8_t* bytes, size_t size_bytes) {
  ocl_bare* bare = calloc(1, sizeof *bare);
  if (bare == NULL || xnn_initialize(NULL) != xnn_status_success) return NULL;
  if (ocl_tflite_verify(bytes, size_bytes, &bare->model, NULL) != OCL_OK) return NULL;
  return define_network(bare) && make_runtime(bare) ? bare : NULL;
}

// Data of slot 0 (the input), 1, 2, … (the outputs): row-major floats, owned by `bare`. NULL if there is no such slot.
float* ocl_bare_data(const ocl_bare* bare, uint32_t slot) {
  return slot > (uint32_t)bare->model.num_outputs ? NULL : bare->external[slot].data;
}
size_t ocl_bare_length(const ocl_bare* bare, uint32_t slot) {
  return bare->lengths[slot];
}

// Returns xnn_status; 0 is success.
int32_t ocl_bare_run(const ocl_bare* bare) {
  return (int32_t)xnn_invoke_runtime(bare->runtime);
}
