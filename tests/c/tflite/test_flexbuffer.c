#include <stdbool.h>

#include "check.h"
#include "test_data.h"
#include "tflite/flexbuffer.h"
#include "tflite/tflite.h"

// Written by hand from the format's description: {"a": 1 (int), "b": 2.5 (indirect float32), "c": true, "d": "s"}.
static const uint8_t kMap[] = {
    'a',     0,
    'b',     0,
    'c',     0,
    'd',     0,  // 0: the keys
    0,       0,
    0x20,    0x40,  // 8: 2.5f
    1,       's',
    0,  // 12: a string, its text at 13
    4,       16,
    15,      14,
    13,  // 15: the vector of keys: 4, then offsets back to 0, 2, 4, 6
    4,       1,
    4,  // 20: the map: offset back to its keys at 16, their width, 4 values
    1,       16,
    1,       13,  // 23: the values: 1, offset to 8, true, offset to 13
    1 << 2,  (8 << 2) | 2,
    26 << 2, 5 << 2,  // 27: their types
    8,       9 << 2,
    1,  // 31: the root: offset back to 23, a map, of width 1
};

static void test_map_by_hand(void) {
  ocl_flexbuffer_map map;
  CHECK_STATUS(ocl_flexbuffer_open_map(kMap, sizeof kMap, &map, NULL), OCL_OK);
  int32_t i = -7;
  float f = -7;
  bool b = false;
  ocl_detail detail;
  CHECK_STATUS(ocl_flexbuffer_get_int(&map, "a", &i, NULL), OCL_OK);
  CHECK_STATUS(ocl_flexbuffer_get_float(&map, "b", &f, NULL), OCL_OK);
  CHECK_STATUS(ocl_flexbuffer_get_bool(&map, "c", &b, NULL), OCL_OK);
  CHECK(i == 1 && f == 2.5f && b);
  CHECK_STATUS(ocl_flexbuffer_get_float(&map, "a", &f, NULL), OCL_OK);
  CHECK(f == 1);
  CHECK_STATUS(ocl_flexbuffer_get_int(&map, "b", &i, &detail), OCL_MODEL_BAD_OPTION);
  CHECK(strstr(detail.text, "b: not a 32-bit integer") != NULL);
  CHECK_STATUS(ocl_flexbuffer_get_int(&map, "d", &i, &detail), OCL_MODEL_BAD_OPTION);
  CHECK(strstr(detail.text, "d: not a number") != NULL);
  i = 42;
  CHECK_STATUS(ocl_flexbuffer_get_int(&map, "missing", &i, NULL), OCL_OK);
  CHECK_STATUS(ocl_flexbuffer_get_int(&map, "", &i, NULL), OCL_OK);
  CHECK(i == 42);
}

static void read_all(const uint8_t* bytes, size_t size_bytes) {
  static const char* const keys[] = {"a", "b", "c", "d", "max_detections", "nms_iou_threshold", "y_scale"};
  uint8_t* copy = malloc(size_bytes + 1);
  uint8_t* tight = copy + 1;  // any alignment will do
  memcpy(tight, bytes, size_bytes);
  ocl_flexbuffer_map map;
  if (ocl_flexbuffer_open_map(tight, size_bytes, &map, NULL) == OCL_OK) {
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
      int32_t number = 0;
      float real = 0;
      ocl_flexbuffer_get_int(&map, keys[i], &number, NULL);
      ocl_flexbuffer_get_float(&map, keys[i], &real, NULL);
    }
  }
  free(copy);
}

static void mutate_everywhere(const uint8_t* bytes, size_t size_bytes) {
  for (size_t length = 0; length <= size_bytes; length++) {
    read_all(bytes, length);
    read_all(bytes + length, size_bytes - length);
  }
  uint8_t* mutated = malloc(size_bytes);
  memcpy(mutated, bytes, size_bytes);
  for (size_t i = 0; i < size_bytes; i++) {
    for (int value = 0; value < 256; value++) {
      mutated[i] = (uint8_t)value;
      read_all(mutated, size_bytes);
    }
    mutated[i] = bytes[i];
  }
  free(mutated);
}

static void test_hostile_map(void) {
  mutate_everywhere(kMap, sizeof kMap);
}

static void test_other_roots_are_refused(void) {
  static const uint8_t number[] = {5, 1 << 2, 1}, wide[] = {1, 9 << 2, 3}, before[] = {200, 9 << 2, 1};
  ocl_flexbuffer_map map;
  CHECK_STATUS(ocl_flexbuffer_open_map(number, 0, &map, NULL), OCL_MODEL_BAD_OPTION);
  CHECK_STATUS(ocl_flexbuffer_open_map(number, 3, &map, NULL), OCL_MODEL_BAD_OPTION);
  CHECK_STATUS(ocl_flexbuffer_open_map(wide, 3, &map, NULL), OCL_MODEL_BAD_OPTION);
  CHECK_STATUS(ocl_flexbuffer_open_map(before, 3, &map, NULL), OCL_MODEL_BAD_OPTION);
}

// ---- golden: the options of files whose maps the flatbuffers package wrote: tests/data/make/models.py ----

typedef struct {
  int32_t max_detections, detections_per_class, num_classes;
  float score_threshold, iou_threshold, y_scale, w_scale;
  bool is_regular;
} options;

static options read_options(const ocl_flexbuffer_map* map) {
  options o = {.detections_per_class = -1};
  CHECK_STATUS(ocl_flexbuffer_get_int(map, "max_detections", &o.max_detections, NULL), OCL_OK);
  CHECK_STATUS(ocl_flexbuffer_get_int(map, "detections_per_class", &o.detections_per_class, NULL), OCL_OK);
  CHECK_STATUS(ocl_flexbuffer_get_int(map, "num_classes", &o.num_classes, NULL), OCL_OK);
  CHECK_STATUS(ocl_flexbuffer_get_float(map, "nms_score_threshold", &o.score_threshold, NULL), OCL_OK);
  CHECK_STATUS(ocl_flexbuffer_get_float(map, "nms_iou_threshold", &o.iou_threshold, NULL), OCL_OK);
  CHECK_STATUS(ocl_flexbuffer_get_float(map, "y_scale", &o.y_scale, NULL), OCL_OK);
  CHECK_STATUS(ocl_flexbuffer_get_float(map, "w_scale", &o.w_scale, NULL), OCL_OK);
  CHECK_STATUS(ocl_flexbuffer_get_bool(map, "use_regular_nms", &o.is_regular, NULL), OCL_OK);
  return o;
}

// Mutates the options as well.
static options read_file(const char* path) {
  size_t size_bytes;
  uint8_t* bytes = data_read(path, &size_bytes);
  options found = {0};
  ocl_tflite model;
  CHECK_STATUS(ocl_tflite_verify(bytes, size_bytes, &model, NULL), OCL_OK);
  for (int32_t i = 0; i < model.num_operators; i++) {
    const ocl_tflite_operator op = ocl_tflite_get_operator(&model, i);
    ocl_flexbuffer_map map;
    if (op.opcode != OCL_OP_CUSTOM) continue;
    CHECK(strcmp(op.custom_name, "TFLite_Detection_PostProcess") == 0);
    CHECK_STATUS(ocl_flexbuffer_open_map(op.options.custom.bytes, op.options.custom.size_bytes, &map, NULL), OCL_OK);
    found = read_options(&map);
    mutate_everywhere(op.options.custom.bytes, op.options.custom.size_bytes);
  }
  free(bytes);
  return found;
}

static void test_fast_nms_options(void) {
  const options o = read_file("models/ssd_fast_nms.uint8in.tflite");
  CHECK(o.max_detections == 10 && o.num_classes == 5 && !o.is_regular);
  CHECK(o.score_threshold == 0.3f && o.iou_threshold == 0.6f && o.y_scale == 10 && o.w_scale == 5);
}

static void test_regular_nms_options(void) {
  const options o = read_file("models/ssd_regular_nms.dynamic.tflite");
  CHECK(o.max_detections == 20 && o.detections_per_class == 100 && o.num_classes == 5 && o.is_regular);
  CHECK(o.score_threshold == 0.05f && o.iou_threshold == 0.6f && o.y_scale == 10 && o.w_scale == 5);
}

int main(void) {
  RUN(test_map_by_hand);
  RUN(test_hostile_map);
  RUN(test_other_roots_are_refused);
  RUN(test_fast_nms_options);
  RUN(test_regular_nms_options);
  return check_failed_tests;
}
