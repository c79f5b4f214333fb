// What operators share (graph/step.h) and the limits of a graph: each function by values that are made here.
#include <limits.h>
#include <stdint.h>

#include "check.h"
#include "graph/internal.h"
#include "graph/operators/fixed_point.h"

enum { NUM_VALUES = 4 };

// A step with values 0 and 1 as inputs and 2 and 3 as outputs.
typedef struct {
  ocl_graph graph;
  ocl_step step;
  ocl_value values[NUM_VALUES];
  int32_t inputs[2], outputs[2];
  ocl_operator row;
  ocl_detail detail;
} bench;

static ocl_value float_value(ocl_shape shape) {
  return (ocl_value){.name = "v", .dtype = OCL_FLOAT32, .shape = shape, .constant = -1};
}

static ocl_value byte_value(ocl_dtype dtype, float scale, int32_t zero_point) {
  return (ocl_value){.name = "v", .dtype = dtype, .shape = {1, {4}}, .scale = scale, .zero_point = zero_point};
}

static void set_up(bench* b) {
  *b = (bench){.inputs = {0, 1}, .outputs = {2, 3}};
  for (int32_t i = 0; i < NUM_VALUES; i++) b->values[i] = float_value((ocl_shape){4, {1, 6, 8, 3}});
  b->graph.values = b->values;
  b->graph.num_values = NUM_VALUES;
  b->row = *ocl_operators_find(3, NULL);
  b->step.op = (ocl_tflite_operator){
      .row = &b->row, .num_inputs = 2, .num_outputs = 2, .inputs = b->inputs, .outputs = b->outputs};
  b->step.index = 7;
  for (int32_t i = 0; i < NUM_VALUES; i++) b->values[i].storage = i;
}

// ---- shapes ----

static void axes(void) {
  bench b;
  set_up(&b);
  const int32_t given[] = {0, 2, 3, -1, -4}, expected[] = {0, 2, 3, 3, 0};
  for (int32_t i = 0; i < 5; i++) {
    int32_t axis = 99;
    CHECK_STATUS(ocl_graph_axis(&b.step, given[i], 4, &axis, &b.detail), OCL_OK);
    CHECK(axis == expected[i]);
  }
  int32_t axis;
  CHECK_STATUS(ocl_graph_axis(&b.step, 4, 4, &axis, &b.detail), OCL_MODEL_BAD_GRAPH);
  CHECK(strcmp(b.detail.text, "operator 7 (CONV_2D): axis 4 of 4 dimensions") == 0);
  CHECK_STATUS(ocl_graph_axis(&b.step, -5, 4, &axis, NULL), OCL_MODEL_BAD_GRAPH);
}

static void products(void) {
  const ocl_shape shape = {4, {2, 3, 5, 7}};
  CHECK(ocl_graph_product(&shape, 0, 4) == 210 && ocl_graph_product(&shape, 1, 3) == 15);
  CHECK(ocl_graph_product(&shape, 2, 2) == 1 && ocl_graph_product(&shape, 3, 4) == 7);
  size_t sizes[OCL_MAX_RANK] = {9, 9, 9, 9, 9, 9};
  ocl_graph_to_sizes(&shape, sizes);
  CHECK(sizes[0] == 2 && sizes[3] == 7 && sizes[4] == 9);
  const int32_t from_end[] = {7, 5, 3, 2, 1, 1};
  for (int32_t i = 0; i < 6; i++) CHECK(ocl_graph_dim_from_end(&shape, i) == from_end[i]);
}

static void broadcasts(void) {
  const ocl_shape image = {4, {2, 3, 5, 7}}, row = {1, {7}}, column = {3, {3, 1, 1}}, scalar = {0, {0}};
  const ocl_shape other = {2, {4, 7}}, wide = {5, {6, 1, 3, 5, 1}};
  ocl_shape found;
  CHECK(ocl_graph_broadcast(&image, &row, &found) && ocl_shape_is_same(&found, &image));
  CHECK(ocl_graph_broadcast(&column, &image, &found) && ocl_shape_is_same(&found, &image));
  CHECK(ocl_graph_broadcast(&image, &scalar, &found) && ocl_shape_is_same(&found, &image));
  CHECK(!ocl_graph_broadcast(&image, &other, &found) && !ocl_graph_broadcast(&other, &image, &found));
  const ocl_shape both = {5, {6, 2, 3, 5, 7}};
  CHECK(ocl_graph_broadcast(&wide, &image, &found) && ocl_shape_is_same(&found, &both));
  CHECK(ocl_graph_broadcast(&image, &wide, &found) && ocl_shape_is_same(&found, &both));
}

static void storage(void) {
  bench b;
  set_up(&b);
  b.values[0].storage = 1;
  ocl_graph_share_storage(&b.graph, &b.step);
  CHECK(b.values[2].storage == 1 && b.values[3].storage == 3);
}

typedef struct {
  ocl_window window;
  int32_t height, width;  // of the output; 0: refused
} window_case;

static void windows(void) {
  const ocl_padding same = OCL_PADDING_SAME, valid = OCL_PADDING_VALID;
  const window_case cases[] = {
      {{same, {0, 0, 0, 0}, 3, 2, 1, 1, 1, 1}, 6, 8},     {{same, {0, 0, 0, 0}, 3, 2, 4, 3, 1, 1}, 2, 3},
      {{valid, {0, 0, 0, 0}, 3, 2, 1, 1, 1, 1}, 4, 7},    {{valid, {0, 0, 0, 0}, 3, 2, 2, 3, 1, 1}, 2, 3},
      {{valid, {0, 0, 0, 0}, 3, 2, 1, 1, 2, 3}, 2, 5},    {{valid, {1, 2, 3, 0}, 3, 2, 1, 1, 1, 1}, 7, 10},
      {{valid, {0, 0, 0, 0}, 6, 8, 1, 1, 1, 1}, 1, 1},    {{valid, {0, 0, 0, 0}, 7, 8, 1, 1, 1, 1}, 0, 0},
      {{valid, {0, 0, 0, 0}, 6, 9, 1, 1, 1, 1}, 0, 0},    {{valid, {1, 0, 0, 0}, 7, 8, 1, 1, 1, 1}, 1, 1},
      {{valid, {0, 1, 0, 1}, 7, 9, 1, 1, 1, 1}, 1, 1},    {{valid, {0, 0, 0, 0}, 6, 1, 5, 5, 1, 1}, 1, 2},
      {{same, {0, 0, 0, 0}, 1, 1, 100, 100, 1, 1}, 1, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bench b;
    set_up(&b);
    const window_case* c = &cases[i];
    const ocl_status status = ocl_graph_plan_window(&b.graph, &b.step, &c->window, 9, &b.detail);
    CHECK_STATUS(status, c->height > 0 ? OCL_OK : OCL_MODEL_BAD_GRAPH);
    const ocl_shape expected = {4, {1, c->height, c->width, 9}};
    if (status == OCL_OK) CHECK(ocl_shape_is_same(&b.values[2].shape, &expected));
    if (check_failures_in_test > 0) printf("# case %d\n", (int)i);
  }
}

static void windows_that_are_too_large(void) {
  bench b;
  set_up(&b);
  const int64_t span = (int64_t)1 << 30;
  ocl_window window = {OCL_PADDING_SAME, {0, 0, 0, 0}, 2, 1, 1, 1, span - 1, 1};
  CHECK_STATUS(ocl_graph_plan_window(&b.graph, &b.step, &window, 1, &b.detail), OCL_OK);
  window.dilation_h = span;
  CHECK_STATUS(ocl_graph_plan_window(&b.graph, &b.step, &window, 1, &b.detail), OCL_MODEL_TOO_LARGE);
  window = (ocl_window){OCL_PADDING_SAME, {0, 0, 0, 0}, 1, 2, 1, 1, 1, span};
  CHECK_STATUS(ocl_graph_plan_window(&b.graph, &b.step, &window, 1, &b.detail), OCL_MODEL_TOO_LARGE);
  // 2^27 taps of all outputs, and more.
  b.values[0].shape = (ocl_shape){4, {1, 1 << 10, 1 << 10, 1}};
  window = (ocl_window){OCL_PADDING_SAME, {0, 0, 0, 0}, 16, 8, 1, 1, 1, 1};
  CHECK_STATUS(ocl_graph_plan_window(&b.graph, &b.step, &window, 1, &b.detail), OCL_OK);
  window.kernel_w = 9;
  CHECK_STATUS(ocl_graph_plan_window(&b.graph, &b.step, &window, 1, &b.detail), OCL_MODEL_TOO_LARGE);
}

static void same_padding(void) {
  CHECK(ocl_graph_same_padding(6, 3, 1, 1) == 2 && ocl_graph_same_padding(6, 3, 2, 1) == 1);
  CHECK(ocl_graph_same_padding(7, 3, 2, 1) == 2 && ocl_graph_same_padding(6, 3, 1, 2) == 4);
  CHECK(ocl_graph_same_padding(6, 1, 1, 1) == 0 && ocl_graph_same_padding(8, 2, 3, 1) == 0);
}

// ---- checks ----

static void dtypes(void) {
  bench b;
  set_up(&b);
  CHECK_STATUS(ocl_graph_check_same_dtype(&b.graph, &b.step, &b.detail), OCL_OK);
  CHECK_STATUS(ocl_graph_check_float_or_8_bit(&b.graph, &b.step, 2, &b.detail), OCL_OK);
  CHECK_STATUS(ocl_graph_check_same_quantization(&b.graph, &b.step, &b.detail), OCL_OK);
  b.values[1] = byte_value(OCL_INT8, 1, 0);
  CHECK_STATUS(ocl_graph_check_float_or_8_bit(&b.graph, &b.step, 1, &b.detail), OCL_OK);
  CHECK_STATUS(ocl_graph_check_float_or_8_bit(&b.graph, &b.step, 2, &b.detail), OCL_UNSUPPORTED_OPERATOR);
  b.values[0] = b.values[1];
  CHECK_STATUS(ocl_graph_check_same_dtype(&b.graph, &b.step, &b.detail), OCL_MODEL_BAD_GRAPH);
  CHECK_STATUS(ocl_graph_check_float_or_8_bit(&b.graph, &b.step, 1, &b.detail), OCL_UNSUPPORTED_OPERATOR);
  b.values[2] = byte_value(OCL_INT8, 2, 0);
  CHECK_STATUS(ocl_graph_check_float_or_8_bit(&b.graph, &b.step, 2, &b.detail), OCL_OK);
  CHECK_STATUS(ocl_graph_check_same_quantization(&b.graph, &b.step, &b.detail), OCL_UNSUPPORTED_OPERATOR);
  b.values[2] = byte_value(OCL_INT8, 1, 1);
  CHECK_STATUS(ocl_graph_check_same_quantization(&b.graph, &b.step, &b.detail), OCL_UNSUPPORTED_OPERATOR);
  b.values[2] = byte_value(OCL_INT8, 1, 0);
  CHECK_STATUS(ocl_graph_check_same_quantization(&b.graph, &b.step, &b.detail), OCL_OK);
  b.values[0].scale = 0;
  CHECK_STATUS(ocl_graph_check_float_or_8_bit(&b.graph, &b.step, 1, &b.detail), OCL_UNSUPPORTED_OPERATOR);
  b.values[2].scale = 0;
  CHECK_STATUS(ocl_graph_check_float_or_8_bit(&b.graph, &b.step, 1, &b.detail), OCL_UNSUPPORTED_OPERATOR);
  for (int32_t i = 0; i < NUM_VALUES; i++) b.values[i] = byte_value(OCL_UINT8, 1, 0);
  b.values[1].dtype = OCL_INT8;
  CHECK_STATUS(ocl_graph_check_float_or_8_bit(&b.graph, &b.step, 2, &b.detail), OCL_UNSUPPORTED_OPERATOR);
}

static void moves(void) {
  bench b;
  set_up(&b);
  CHECK_STATUS(ocl_graph_check_moves(&b.graph, &b.step, 1, &b.detail), OCL_OK);
  b.values[3].dtype = OCL_INT32;
  CHECK_STATUS(ocl_graph_check_moves(&b.graph, &b.step, 1, &b.detail), OCL_MODEL_BAD_GRAPH);
  for (int32_t i = 0; i < NUM_VALUES; i++) b.values[i] = byte_value(OCL_INT8, 0.5f, 3);
  CHECK_STATUS(ocl_graph_check_moves(&b.graph, &b.step, 0, &b.detail), OCL_OK);
  b.values[0].zero_point = 4;
  CHECK_STATUS(ocl_graph_check_moves(&b.graph, &b.step, 1, &b.detail), OCL_OK);
  CHECK_STATUS(ocl_graph_check_moves(&b.graph, &b.step, 0, &b.detail), OCL_UNSUPPORTED_OPERATOR);
  b.values[0] = b.values[1];
  b.values[3].scale = 0;
  CHECK_STATUS(ocl_graph_check_moves(&b.graph, &b.step, 0, &b.detail), OCL_UNSUPPORTED_OPERATOR);
  b.values[0].scale = b.values[2].scale = 0;
  b.values[3].scale = 0.5f;
  CHECK_STATUS(ocl_graph_check_moves(&b.graph, &b.step, 0, &b.detail), OCL_UNSUPPORTED_OPERATOR);
}

static void ranks(void) {
  bench b;
  set_up(&b);
  CHECK_STATUS(ocl_graph_check_rank_4(&b.graph, &b.step, &b.detail), OCL_OK);
  b.values[0].shape.rank = 3;
  CHECK_STATUS(ocl_graph_check_rank_4(&b.graph, &b.step, &b.detail), OCL_MODEL_BAD_GRAPH);
  CHECK(strstr(b.detail.text, "its input has 3 dimensions, not the 4 of [N, H, W, C]") != NULL);
}

static void statuses(void) {
  bench b;
  set_up(&b);
  CHECK_STATUS(ocl_graph_check_xnn(&b.step, xnn_status_success, &b.detail), OCL_OK);
  CHECK_STATUS(ocl_graph_check_xnn(&b.step, xnn_status_out_of_memory, &b.detail), OCL_OUT_OF_MEMORY);
  CHECK_STATUS(ocl_graph_check_xnn(&b.step, xnn_status_invalid_parameter, &b.detail), OCL_UNSUPPORTED_OPERATOR);
  CHECK(strstr(b.detail.text, "XNNPACK rejects its parameters") != NULL);
  CHECK_STATUS(ocl_graph_check_created(&b.step, xnn_status_success, &b.detail), OCL_OUT_OF_MEMORY);
  b.step.xnn = (xnn_operator_t)(void*)&b;
  CHECK_STATUS(ocl_graph_check_created(&b.step, xnn_status_success, &b.detail), OCL_OK);
  CHECK_STATUS(ocl_graph_check_created(&b.step, xnn_status_invalid_parameter, &b.detail), OCL_UNSUPPORTED_OPERATOR);
}

// ---- known integers ----

static void known_ints(void) {
  bench b;
  set_up(&b);
  int32_t ints[3] = {0, 0, 0}, count = -1, words[] = {5, -6, 7};
  int64_t wides[] = {INT32_MAX, INT32_MIN, 8};
  CHECK_STATUS(ocl_graph_known_ints(&b.graph, &b.step, 1, 3, ints, &count, &b.detail), OCL_UNSUPPORTED_OPERATOR);
  b.values[1] = (ocl_value){.dtype = OCL_INT32, .shape = {1, {3}}, .known = (uint8_t*)words, .data = words};
  CHECK_STATUS(ocl_graph_known_ints(&b.graph, &b.step, 1, 3, ints, &count, &b.detail), OCL_OK);
  CHECK(count == 3 && ints[0] == 5 && ints[1] == -6 && ints[2] == 7);
  CHECK_STATUS(ocl_graph_known_ints(&b.graph, &b.step, 1, 2, ints, &count, &b.detail), OCL_MODEL_BAD_GRAPH);
  b.values[1] = (ocl_value){.dtype = OCL_INT64, .shape = {1, {3}}, .known = (uint8_t*)wides, .data = wides};
  CHECK_STATUS(ocl_graph_known_ints(&b.graph, &b.step, 1, 3, ints, &count, &b.detail), OCL_OK);
  CHECK(ints[0] == INT32_MAX && ints[1] == INT32_MIN && ints[2] == 8);
  const int64_t beyond[] = {(int64_t)INT32_MAX + 1, (int64_t)INT32_MIN - 1};
  for (int32_t i = 0; i < 2; i++) {
    wides[2] = beyond[i];
    CHECK_STATUS(ocl_graph_known_ints(&b.graph, &b.step, 1, 3, ints, &count, &b.detail), OCL_MODEL_BAD_GRAPH);
  }
  b.values[1].dtype = OCL_FLOAT32;
  CHECK_STATUS(ocl_graph_known_ints(&b.graph, &b.step, 1, 3, ints, &count, &b.detail), OCL_UNSUPPORTED_OPERATOR);
  b.inputs[1] = -1;
  CHECK_STATUS(ocl_graph_known_ints(&b.graph, &b.step, 1, 3, ints, &count, &b.detail), OCL_UNSUPPORTED_OPERATOR);
}

static void known_sizes(void) {
  const struct {
    int32_t size[3], count;
    bool is_good;
  } cases[] = {{{1, 65535, 0}, 2, true},  {{65535, 1, 0}, 2, true},  {{0, 5, 0}, 2, false}, {{5, 0, 0}, 2, false},
               {{65536, 5, 0}, 2, false}, {{5, 65536, 0}, 2, false}, {{5, 5, 0}, 1, false}, {{5, 5, 5}, 3, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bench b;
    set_up(&b);
    int32_t size[2] = {1, 1}, given[3];
    memcpy(given, cases[i].size, sizeof given);
    b.values[1] =
        (ocl_value){.dtype = OCL_INT32, .shape = {1, {cases[i].count}}, .known = (uint8_t*)given, .data = given};
    const ocl_status status = ocl_graph_known_size(&b.graph, &b.step, 1, size, &b.detail);
    CHECK_STATUS(status, cases[i].is_good ? OCL_OK : OCL_MODEL_BAD_GRAPH);
    if (cases[i].is_good) CHECK(size[0] == given[0] && size[1] == given[1]);
    if (check_failures_in_test > 0) printf("# case %d\n", (int)i);
  }
}

// ---- numbers ----

static void quantize(void) {
  const ocl_value int8 = byte_value(OCL_INT8, 0.5f, -3), uint8 = byte_value(OCL_UINT8, 0.25f, 100);
  CHECK(ocl_graph_quantize(0, &int8) == -3 && ocl_graph_quantize(2, &int8) == 1);
  CHECK(ocl_graph_quantize(0.24f, &int8) == -3 && ocl_graph_quantize(0.26f, &int8) == -2);
  CHECK(ocl_graph_quantize(-0.25f, &int8) == -4 && ocl_graph_quantize(0.25f, &int8) == -2);
  CHECK(ocl_graph_quantize(65, &int8) == 127 && ocl_graph_quantize(64.5f, &int8) == 126);
  CHECK(ocl_graph_quantize(-62, &int8) == -127 && ocl_graph_quantize(-1000, &int8) == -128);
  CHECK(ocl_graph_quantize(INFINITY, &int8) == 127 && ocl_graph_quantize(-INFINITY, &int8) == -128);
  CHECK(ocl_graph_quantize(NAN, &int8) == -128);
  CHECK(ocl_graph_quantize(0, &uint8) == 100 && ocl_graph_quantize(38.75f, &uint8) == 255);
  CHECK(ocl_graph_quantize(1e9f, &uint8) == 255 && ocl_graph_quantize(-25, &uint8) == 0);
  CHECK(ocl_graph_quantize(-1e9f, &uint8) == 0);
  const struct xnn_quantization_params params = ocl_graph_quantization_of(&uint8);
  CHECK(params.scale == 0.25f && params.zero_point == 100);
}

static void bounds(void) {
  const struct {
    ocl_activation activation;
    float min, max;
    int32_t stored_min, stored_max;
  } cases[] = {
      {OCL_ACTIVATION_NONE, -INFINITY, INFINITY, -128, 127},
      {OCL_ACTIVATION_RELU, 0, INFINITY, 10, 127},
      {OCL_ACTIVATION_RELU6, 0, 6, 10, 70},
      {OCL_ACTIVATION_RELU_N1_TO_1, -1, 1, 0, 20},
  };
  const ocl_value output = byte_value(OCL_INT8, 0.1f, 10);
  for (int32_t i = 0; i < 4; i++) {
    float min, max;
    int32_t stored_min, stored_max;
    ocl_graph_activation_bounds(cases[i].activation, &min, &max);
    ocl_graph_stored_bounds(&output, cases[i].activation, &stored_min, &stored_max);
    CHECK(min == cases[i].min && max == cases[i].max);
    CHECK(stored_min == cases[i].stored_min && stored_max == cases[i].stored_max);
  }
}

static void datatypes(void) {
  enum xnn_datatype datatype;
  const ocl_value values[] = {float_value((ocl_shape){0, {0}}), byte_value(OCL_INT8, 1, 0),
                              byte_value(OCL_UINT8, 1, 0)};
  const enum xnn_datatype expected[] = {xnn_datatype_fp32, xnn_datatype_qint8, xnn_datatype_quint8};
  for (int32_t i = 0; i < 3; i++) CHECK(ocl_graph_datatype_of(&values[i], &datatype) && datatype == expected[i]);
  const ocl_value none[] = {byte_value(OCL_INT8, 0, 0), byte_value(OCL_UINT8, 0, 0), byte_value(OCL_INT32, 1, 0)};
  for (int32_t i = 0; i < 3; i++) CHECK(!ocl_graph_datatype_of(&none[i], &datatype));
  CHECK(ocl_graph_is_quantized(&values[1]) && ocl_graph_is_quantized(&values[2]) &&
        !ocl_graph_is_quantized(&values[0]));
  CHECK(!ocl_graph_is_quantized(&none[0]) && !ocl_graph_is_quantized(&none[2]));
  CHECK(ocl_graph_is_int(&none[2]) && !ocl_graph_is_int(&values[1]));
}

static void elements(void) {
  int8_t bytes[] = {-128, -1, 0, 127};
  ocl_value value = byte_value(OCL_INT8, 0.5f, -1);
  value.data = bytes;
  const float reals[] = {-63.5f, 0, 0.5f, 64};
  for (size_t i = 0; i < 4; i++) CHECK(ocl_graph_real_at(&value, i) == reals[i]);
  ocl_graph_store_at(&value, 2, -3);
  CHECK(bytes[2] == -7 && bytes[1] == -1 && bytes[3] == 127);
  CHECK(ocl_graph_stored_at(&value, 255) == -1 && ocl_graph_whole_at(&value, 0) == -128);
  value.dtype = OCL_UINT8;
  CHECK(ocl_graph_stored_at(&value, 255) == 255 && ocl_graph_real_at(&value, 0) == 64.5f);
  float floats[] = {1, 2, 3};
  ocl_value real = float_value((ocl_shape){1, {3}});
  real.data = floats;
  ocl_graph_store_at(&real, 1, 9.5f);
  CHECK(ocl_graph_real_at(&real, 1) == 9.5f && floats[0] == 1 && floats[2] == 3);
  CHECK(ocl_graph_identity(-2.5f) == -2.5f);
}

static void wholes(void) {
  int32_t words[] = {1, 2, 3};
  int64_t wides[] = {1, 2, 3};
  uint8_t truths[] = {1, 0, 200};
  ocl_value value = {.dtype = OCL_INT32, .data = words};
  ocl_graph_store_whole_at(&value, 1, ((int64_t)5 << 32) - 9);
  CHECK(words[0] == 1 && words[1] == -9 && words[2] == 3 && ocl_graph_whole_at(&value, 1) == -9);
  value = (ocl_value){.dtype = OCL_INT64, .data = wides};
  ocl_graph_store_whole_at(&value, 2, (int64_t)5 << 32);
  CHECK(wides[1] == 2 && ocl_graph_whole_at(&value, 2) == (int64_t)5 << 32);
  value = (ocl_value){.dtype = OCL_BOOL, .data = truths};
  CHECK(ocl_graph_whole_at(&value, 0) == 1 && ocl_graph_whole_at(&value, 1) == 0 && ocl_graph_whole_at(&value, 2) == 1);
  ocl_graph_store_whole_at(&value, 1, 1);
  CHECK(truths[0] == 1 && truths[1] == 1 && truths[2] == 200);
  CHECK(ocl_graph_add_wholes(3, -5) == -2 && ocl_graph_add_wholes(INT64_MAX, 1) == INT64_MIN);
  CHECK(ocl_graph_multiply_wholes(-3, 5) == -15 && ocl_graph_multiply_wholes(INT64_MAX, 2) == -2);
  CHECK(ocl_graph_larger_whole(-3, 2) == 2 && ocl_graph_larger_whole(2, -3) == 2);
  CHECK(ocl_graph_smaller_whole(-3, 2) == -3 && ocl_graph_smaller_whole(2, -3) == -3);
}

static float doubled(float x) {
  return 2 * x;
}

static void tables(void) {
  uint8_t table[256];
  const ocl_value input = byte_value(OCL_INT8, 0.5f, 4), output = byte_value(OCL_UINT8, 1, 10);
  ocl_graph_fill_table(table, doubled, &input, &output);
  for (int32_t stored = -128; stored < 128; stored++) {
    const int32_t exact = stored - 4 + 10;
    CHECK(table[(uint8_t)(int8_t)stored] == (exact < 0 ? 0 : exact));
  }
}

// A factor that rounds up to a power of two.
static void fixed_points(void) {
  const ocl_fixed_point below_1 = ocl_fixed_point_of(1 - 0x1p-40), one = ocl_fixed_point_of(1);
  CHECK(below_1.multiplier == one.multiplier && below_1.shift == one.shift);
  CHECK(one.multiplier == 1 << 30 && one.shift == 1);
  CHECK(ocl_fixed_point_multiply(12345, below_1) == 12345 && ocl_fixed_point_multiply(-7, one) == -7);
}

// ---- limits ----

static void sizes(void) {
  bench b;
  set_up(&b);
  ocl_value value = float_value((ocl_shape){2, {1 << 14, 1 << 14}});
  CHECK_STATUS(ocl_graph_check_size(&value, &b.detail), OCL_OK);
  value.shape.dims[1]++;
  CHECK_STATUS(ocl_graph_check_size(&value, &b.detail), OCL_MODEL_TOO_LARGE);
  CHECK(strcmp(b.detail.text, "tensor 'v' has more than 2^28 elements") == 0);
  // Its number of elements is 0 in 64 bits.
  value.shape = (ocl_shape){6, {1 << 16, 1 << 16, 1 << 16, 1 << 16, 1, 1}};
  CHECK_STATUS(ocl_graph_check_size(&value, &b.detail), OCL_MODEL_TOO_LARGE);
}

static void outputs(void) {
  bench b;
  set_up(&b);
  CHECK_STATUS(ocl_graph_check_outputs(&b.graph, &b.step, &b.detail), OCL_OK);
  for (int32_t i = 2; i < NUM_VALUES; i++) {
    ocl_shape* shape = &b.values[i].shape;
    const ocl_shape whole = *shape;
    shape->dims[1] = 0;
    CHECK_STATUS(ocl_graph_check_outputs(&b.graph, &b.step, &b.detail), OCL_MODEL_BAD_GRAPH);
    CHECK(strstr(b.detail.text, "its output is empty") != NULL);
    *shape = (ocl_shape){1, {1 << 28}};
    CHECK_STATUS(ocl_graph_check_outputs(&b.graph, &b.step, &b.detail), OCL_OK);
    shape->dims[0]++;
    CHECK_STATUS(ocl_graph_check_outputs(&b.graph, &b.step, &b.detail), OCL_MODEL_TOO_LARGE);
    *shape = whole;
  }
  b.values[3].shape.dims[1] = 0;
  b.step.op.num_outputs = 1;
  CHECK_STATUS(ocl_graph_check_outputs(&b.graph, &b.step, &b.detail), OCL_OK);
}

static void empty_inputs(void) {
  bench b;
  set_up(&b);
  b.row.maps = 1;
  CHECK_STATUS(ocl_graph_check_inputs(&b.graph, &b.step, &b.detail), OCL_OK);
  b.values[1].shape.dims[2] = 0;
  CHECK_STATUS(ocl_graph_check_inputs(&b.graph, &b.step, &b.detail), OCL_OK);  // input 1 is no feature map
  b.row.maps = 2;
  CHECK_STATUS(ocl_graph_check_inputs(&b.graph, &b.step, &b.detail), OCL_MODEL_BAD_GRAPH);
  b.row.maps = OCL_OPERATORS_ANY;
  CHECK_STATUS(ocl_graph_check_inputs(&b.graph, &b.step, &b.detail), OCL_MODEL_BAD_GRAPH);
  b.row.flags |= OCL_OPERATOR_TAKES_EMPTY;
  CHECK_STATUS(ocl_graph_check_inputs(&b.graph, &b.step, &b.detail), OCL_OK);
  b.row.flags = OCL_OPERATOR_MAPS_FROM_1;
  b.row.maps = 1;
  CHECK_STATUS(ocl_graph_check_inputs(&b.graph, &b.step, &b.detail), OCL_MODEL_BAD_GRAPH);
  b.inputs[1] = -1;
  CHECK_STATUS(ocl_graph_check_inputs(&b.graph, &b.step, &b.detail), OCL_OK);
  b.inputs[1] = 1;
  b.values[1].shape.dims[2] = 8;
  b.values[0].shape.dims[2] = 0;
  CHECK_STATUS(ocl_graph_check_inputs(&b.graph, &b.step, &b.detail), OCL_OK);  // input 0 is no feature map now
}

static void work(void) {
  bench b;
  set_up(&b);
  b.values[0].shape = (ocl_shape){1, {10}};
  b.values[1].shape = (ocl_shape){1, {100}};
  b.values[2].shape = (ocl_shape){1, {1000}};
  b.values[3].shape = (ocl_shape){1, {10000}};
  b.step.multiply_adds = 7;
  b.step.other_work = 50;
  uint64_t total = 3;
  CHECK_STATUS(ocl_graph_check_work(&b.graph, &b.step, 1, &total, &b.detail), OCL_OK);
  CHECK(total == 3 + 7 + 50 + 16 * 11110);
  b.inputs[0] = -1;
  total = 0;
  CHECK_STATUS(ocl_graph_check_work(&b.graph, &b.step, 1, &total, &b.detail), OCL_OK);
  CHECK(total == 57 + 16 * 11100);
  const uint64_t most = (uint64_t)1 << 35;
  const uint64_t own = total;
  total = most - own;
  CHECK_STATUS(ocl_graph_check_work(&b.graph, &b.step, 1, &total, &b.detail), OCL_OK);
  CHECK(total == most);
  CHECK_STATUS(ocl_graph_check_work(&b.graph, &b.step, 1, &total, &b.detail), OCL_MODEL_TOO_LARGE);
  CHECK(strstr(b.detail.text, "more than 34359738368 multiply-adds per image") != NULL);
  CHECK_STATUS(ocl_graph_check_work(&b.graph, &b.step, 2, &total, &b.detail), OCL_OK);
}

int main(void) {
  RUN(axes);
  RUN(products);
  RUN(broadcasts);
  RUN(storage);
  RUN(windows);
  RUN(windows_that_are_too_large);
  RUN(same_padding);
  RUN(dtypes);
  RUN(moves);
  RUN(ranks);
  RUN(statuses);
  RUN(known_ints);
  RUN(known_sizes);
  RUN(quantize);
  RUN(bounds);
  RUN(datatypes);
  RUN(elements);
  RUN(wholes);
  RUN(tables);
  RUN(fixed_points);
  RUN(sizes);
  RUN(outputs);
  RUN(empty_inputs);
  RUN(work);
  return check_failed_tests;
}
