// A tiny model, written by hand: CONV_2D -> RESHAPE -> CUSTOM "Echo", with an int8 constant beside.
#ifndef OCELLI_TESTS_TINY_MODEL_H_
#define OCELLI_TESTS_TINY_MODEL_H_

#include "flatbuffer_writer.h"

enum { X, WEIGHTS, BIAS, Y, SHAPE, FLAT, ECHO, QUANTIZED, NUM_TENSORS };
enum { NO_DATA, WEIGHTS_DATA, BIAS_DATA, SHAPE_DATA, QUANTIZED_DATA, NOTE_DATA, NUM_BUFFERS };
enum { CONV, RESHAPE, CUSTOM, NUM_OPERATORS };

typedef struct {
  writer w;  // the numbers below are positions in it
  uint32_t model, subgraph, graph_inputs, graph_outputs, metadata;
  uint32_t codes[NUM_OPERATORS], operators[NUM_OPERATORS], options[NUM_OPERATORS], inputs[NUM_OPERATORS],
      outputs[NUM_OPERATORS];
  uint32_t tensors[NUM_TENSORS], shapes[NUM_TENSORS], signature, quantization, scales, zero_points;
  uint32_t buffer_elements, data[NUM_BUFFERS];
} tiny;

static void build_tensor(tiny* t, uint32_t tensors, int index, const char* name, int type, int buffer,
                         const int32_t* dims, uint32_t rank) {
  const uint32_t table = w_new_element(&t->w, tensors, (uint32_t)index, 11);
  t->tensors[index] = table;
  t->shapes[index] = w_set_vector(&t->w, table, 0, dims, rank, 4);
  w_set(&t->w, table, 1, (uint64_t)type);
  w_set(&t->w, table, 2, (uint64_t)buffer);
  w_set_string(&t->w, table, 3, name);
}

static void build_tensors(tiny* t) {
  static const int32_t image[] = {1, 4, 4, 2}, kernel[] = {3, 1, 1, 2}, three[] = {3}, out[] = {1, 2, 2, 3},
                       two[] = {2}, flat[] = {1, 12};
  writer* w = &t->w;
  const uint32_t tensors = w_set_vector(w, t->subgraph, 0, NULL, NUM_TENSORS, 4);
  build_tensor(t, tensors, X, "x", 0, NO_DATA, image, 4);
  static const int32_t free_batch[] = {-1, 4, 4, 2};
  t->signature = w_set_vector(w, t->tensors[X], 7, free_batch, 4, 4);
  build_tensor(t, tensors, WEIGHTS, "weights", 0, WEIGHTS_DATA, kernel, 4);
  build_tensor(t, tensors, BIAS, "bias", 0, BIAS_DATA, three, 1);
  build_tensor(t, tensors, Y, "y", 0, NO_DATA, out, 4);
  build_tensor(t, tensors, SHAPE, "shape", 2, SHAPE_DATA, two, 1);
  build_tensor(t, tensors, FLAT, "flat", 0, NO_DATA, flat, 2);
  build_tensor(t, tensors, ECHO, "echo", 0, NO_DATA, flat, 2);
  build_tensor(t, tensors, QUANTIZED, "quantized", 9, QUANTIZED_DATA, three, 1);
  t->quantization = w_new_table(w, t->tensors[QUANTIZED], 4, 7);
  static const float scales[] = {0.5f, 0.25f, 2.0f};
  static const int64_t zero_points[] = {0, -128, 127};
  t->scales = w_set_vector(w, t->quantization, 2, scales, 3, 4);
  t->zero_points = w_set_vector(w, t->quantization, 3, zero_points, 3, 8);
}

static void build_operator(tiny* t, uint32_t operators, int index, const int32_t* inputs, uint32_t num_inputs,
                           int32_t output) {
  const uint32_t table = w_new_element(&t->w, operators, (uint32_t)index, 11);
  t->operators[index] = table;
  w_set(&t->w, table, 0, (uint64_t)index);
  t->inputs[index] = w_set_vector(&t->w, table, 1, inputs, num_inputs, 4);
  t->outputs[index] = w_set_vector(&t->w, table, 2, &output, 1, 4);
}

static void build_operators(tiny* t) {
  static const int32_t conv_inputs[] = {X, WEIGHTS, BIAS}, reshape_inputs[] = {Y, SHAPE}, custom_inputs[] = {FLAT};
  static const int32_t new_shape[] = {1, 12};
  writer* w = &t->w;
  const uint32_t operators = w_set_vector(w, t->subgraph, 3, NULL, NUM_OPERATORS, 4);
  build_operator(t, operators, CONV, conv_inputs, 3, Y);
  w_set(w, t->operators[CONV], 3, 1);
  t->options[CONV] = w_new_table(w, t->operators[CONV], 4, 6);
  w_set(w, t->options[CONV], 0, 1);  // VALID
  w_set(w, t->options[CONV], 1, 2);  // stride_w
  w_set(w, t->options[CONV], 2, 3);  // stride_h
  w_set(w, t->options[CONV], 3, 3);  // RELU6
  build_operator(t, operators, RESHAPE, reshape_inputs, 2, FLAT);
  w_set(w, t->operators[RESHAPE], 3, 17);
  t->options[RESHAPE] = w_new_table(w, t->operators[RESHAPE], 4, 1);
  w_set_vector(w, t->options[RESHAPE], 0, new_shape, 2, 4);
  build_operator(t, operators, CUSTOM, custom_inputs, 1, ECHO);
  t->options[CUSTOM] = w_set_vector(w, t->operators[CUSTOM], 5, "hello", 5, 1);
}

static void build(tiny* t) {
  static const float weights[] = {1, 2, 3, 4, 5, 6}, bias[] = {-1, 0, 1};
  static const int32_t shape[] = {1, 12};
  static const int8_t quantized[] = {-128, 0, 127};
  static const struct {
    const void* bytes;
    uint32_t size_bytes;
  } data[NUM_BUFFERS] = {{NULL, 0}, {weights, 24}, {bias, 12}, {shape, 8}, {quantized, 3}, {"noted", 5}};
  writer* w = &t->w;
  w_start(w, "TFL3");
  t->model = w_table(w, 8);
  w_link(w, 0, t->model);
  w_set(w, t->model, 0, 3);
  const uint32_t codes = w_set_vector(w, t->model, 1, NULL, NUM_OPERATORS, 4);
  for (uint32_t i = 0; i < NUM_OPERATORS; i++) t->codes[i] = w_new_element(w, codes, i, 4);
  w_set(w, t->codes[CONV], 0, 3);      // an old writer: deprecated_builtin_code alone
  w_set(w, t->codes[RESHAPE], 3, 22);  // a new one
  w_set(w, t->codes[CUSTOM], 0, 32);
  w_set(w, t->codes[CUSTOM], 3, 32);
  w_set_string(w, t->codes[CUSTOM], 1, "Echo");
  const uint32_t subgraphs = w_set_vector(w, t->model, 2, NULL, 1, 4);
  t->subgraph = w_new_element(w, subgraphs, 0, 5);
  build_tensors(t);
  static const int32_t graph_inputs[] = {X}, graph_outputs[] = {ECHO};
  t->graph_inputs = w_set_vector(w, t->subgraph, 1, graph_inputs, 1, 4);
  t->graph_outputs = w_set_vector(w, t->subgraph, 2, graph_outputs, 1, 4);
  build_operators(t);
  t->buffer_elements = w_set_vector(w, t->model, 4, NULL, NUM_BUFFERS, 4);
  for (uint32_t i = 0; i < NUM_BUFFERS; i++) {
    const uint32_t buffer = w_new_element(w, t->buffer_elements, i, 3);
    if (data[i].size_bytes > 0) t->data[i] = w_set_vector(w, buffer, 0, data[i].bytes, data[i].size_bytes, 1);
  }
  const uint32_t metadata = w_set_vector(w, t->model, 6, NULL, 1, 4);
  t->metadata = w_new_element(w, metadata, 0, 2);
  w_set_string(w, t->metadata, 0, "note");
  w_set(w, t->metadata, 1, NOTE_DATA);
}

#endif  // OCELLI_TESTS_TINY_MODEL_H_
