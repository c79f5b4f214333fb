// A network -> a .tflite file.
#define W_CAPACITY (1 << 21)
#include "network.h"
#include "tflite/flatbuffer_writer.h"

static const uint8_t kTypes[OCL_NUM_DTYPES] = {
    [OCL_FLOAT32] = 0, [OCL_FLOAT16] = 1, [OCL_INT32] = 2, [OCL_INT64] = 4,
    [OCL_INT8] = 9,    [OCL_UINT8] = 3,   [OCL_BOOL] = 6,
};

static void write_quantization(writer* w, uint32_t table, const net_tensor* t) {
  if (t->num_scales == 0) return;
  const uint32_t quantization = w_new_table(w, table, 4, 7);
  w_set_vector(w, quantization, 2, t->scales, (uint32_t)t->num_scales, 4);
  w_set_vector(w, quantization, 3, t->zero_points, (uint32_t)t->num_scales, 8);
  w_set(w, quantization, 6, (uint64_t)t->axis);
}

// Buffer 0 is empty; a constant's has its tensor's number, plus 1.
static void write_tensor(writer* w, uint32_t tensors, const network* net, int32_t index) {
  const net_tensor* t = &net->tensors[index];
  const uint32_t table = w_new_element(w, tensors, (uint32_t)index, 8);
  w_set_vector(w, table, 0, t->shape.dims, (uint32_t)t->shape.rank, 4);
  w_set(w, table, 1, kTypes[t->dtype]);
  w_set(w, table, 2, t->data == NULL ? 0 : (uint64_t)index + 1);
  char name[16];
  snprintf(name, sizeof name, "t%d", (int)index);
  w_set_string(w, table, 3, name);
  write_quantization(w, table, t);
  if (!t->is_batch_free) return;
  ocl_shape signature = t->shape;
  signature.dims[0] = -1;
  w_set_vector(w, table, 7, signature.dims, (uint32_t)signature.rank, 4);
}

static void write_operator(writer* w, uint32_t operators, const network* net, int32_t index) {
  const net_operator* op = &net->operators[index];
  const uint32_t table = w_new_element(w, operators, (uint32_t)index, 6);
  w_set(w, table, 0, (uint64_t)index);
  w_set_vector(w, table, 1, op->inputs, (uint32_t)op->num_inputs, 4);
  w_set_vector(w, table, 2, op->outputs, (uint32_t)op->num_outputs, 4);
  if (op->custom_bytes > 0) w_set_vector(w, table, 5, op->custom, op->custom_bytes, 1);
  if (op->row->options == 0) return;
  w_set(w, table, 3, op->row->options);
  const uint32_t options = w_new_table(w, table, 4, 8);
  for (int32_t i = 0; i < op->num_options; i++) {
    const net_option* o = &op->options[i];
    if (o->is_ints)
      w_set_vector(w, options, o->id, o->ints, o->num_ints, 4);
    else
      w_set(w, options, o->id, o->value);
  }
}

static void write_codes(writer* w, uint32_t model, const network* net) {
  const uint32_t codes = w_set_vector(w, model, 1, NULL, (uint32_t)net->num_operators, 4);
  for (int32_t i = 0; i < net->num_operators; i++) {
    const ocl_operator* row = net->operators[i].row;
    const uint32_t code = w_new_element(w, codes, (uint32_t)i, 4);
    w_set(w, code, 0, row->opcode > 127 ? 127 : row->opcode);
    w_set(w, code, 3, row->opcode);
    if (row->opcode == OCL_OP_CUSTOM) w_set_string(w, code, 1, row->name);
  }
}

static void write_buffers(writer* w, uint32_t model, const network* net) {
  const uint32_t buffers = w_set_vector(w, model, 4, NULL, (uint32_t)net->num_tensors + 1, 4);
  w_new_element(w, buffers, 0, 1);
  for (int32_t i = 0; i < net->num_tensors; i++) {
    const net_tensor* t = &net->tensors[i];
    const uint32_t buffer = w_new_element(w, buffers, (uint32_t)i + 1, 1);
    if (t->data != NULL && t->data_bytes > 0) w_set_vector(w, buffer, 0, t->data, (uint32_t)t->data_bytes, 1);
  }
}

uint8_t* net_write(const network* net, size_t* size_bytes_out) {
  static writer w;
  w_start(&w, "TFL3");
  const uint32_t model = w_table(&w, 8);
  w_link(&w, 0, model);
  w_set(&w, model, 0, 3);
  write_codes(&w, model, net);
  const uint32_t subgraphs = w_set_vector(&w, model, 2, NULL, 1, 4);
  const uint32_t subgraph = w_new_element(&w, subgraphs, 0, 5);
  const uint32_t tensors = w_set_vector(&w, subgraph, 0, NULL, (uint32_t)net->num_tensors, 4);
  for (int32_t i = 0; i < net->num_tensors; i++) write_tensor(&w, tensors, net, i);
  w_set_vector(&w, subgraph, 1, net->inputs, (uint32_t)net->num_inputs, 4);
  w_set_vector(&w, subgraph, 2, net->outputs, (uint32_t)net->num_outputs, 4);
  const uint32_t operators = w_set_vector(&w, subgraph, 3, NULL, (uint32_t)net->num_operators, 4);
  for (int32_t i = 0; i < net->num_operators; i++) write_operator(&w, operators, net, i);
  write_buffers(&w, model, net);
  *size_bytes_out = w.size_bytes;
  return fuzz_copy(w.bytes, w.size_bytes);
}
