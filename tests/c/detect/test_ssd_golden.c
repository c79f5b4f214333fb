// What TensorFlow makes of the default detector's heads; its stages of the Open Images detector, and the person
// detector's.
#include "ssd_cases.h"
#include "test_data.h"

static const float kScales[4] = {10, 10, 5, 5};

typedef struct {
  uint8_t* file;
  const float* elements;
} npy;

static npy read_npy(const char* folder, const char* name) {
  char path[200];
  snprintf(path, sizeof path, "convert/openimages_v4/refs/%s/%s.npy", folder, name);
  size_t size_bytes;
  npy result = {large_read(path, &size_bytes), NULL};
  // Version 1: magic, version, the header's length at 8.
  result.elements = (const float*)(result.file + 10 + result.file[8] + 256 * result.file[9]);
  return result;
}

// Moves *text past `key` and the next `count` numbers; false if there is no such key.
static bool scan_numbers(const char** text, const char* key, int32_t count, double* numbers_out) {
  const char* at = strstr(*text, key);
  if (at == NULL) return false;
  at += strlen(key);
  for (int32_t i = 0; i < count; i++) {
    at += strcspn(at, "-0123456789");
    char* end;
    numbers_out[i] = strtod(at, &end);
    at = end;
  }
  *text = at;
  return true;
}

// Open Images' ids of the classes of class_predictions_real24, whose column 0 is background.
static const int32_t kIds[23] = {40,  45,  55,  69,  97,  115, 121, 122, 128, 135, 136, 171,
                                 179, 243, 281, 286, 355, 404, 434, 446, 447, 499, 571};

static int32_t class_of_id(int32_t id) {
  for (int32_t i = 0; i < 23; i++)
    if (kIds[i] == id) return i;
  return -1;
}

// All anchors are detections: their scores are 1, and boxes do not suppress each other.
static void check_boxes(const float* anchors, const float* encodings, const float* expected) {
  static float scores[NUM_ANCHORS];
  for (int32_t i = 0; i < NUM_ANCHORS; i++) scores[i] = 1;
  ocl_ssd_config config = {.num_anchors = NUM_ANCHORS,
                           .num_columns = 1,
                           .background_column = -1,
                           .converter = OCL_SSD_NONE,
                           .anchors = anchors,
                           .max_total = NUM_ANCHORS};
  memcpy(config.box_scales, kScales, sizeof kScales);
  const ocl_ssd_options options = {.iou_threshold = 1, .max_per_class = NUM_ANCHORS, .max_total = NUM_ANCHORS};
  ocl_ssd* ssd;
  const ocl_ssd_detection* found;
  int32_t count;
  CHECK_STATUS(ocl_ssd_create(&config, &ssd), OCL_OK);
  CHECK_STATUS(ocl_ssd_detect(ssd, encodings, scores, &options, &found, &count), OCL_OK);
  CHECK(count == NUM_ANCHORS);
  double largest = 0;
  for (int32_t i = 0; i < count; i++)
    for (int32_t k = 0; k < 4; k++)
      largest = fmax(largest, fabs((double)(&found[i].y_min)[k] - expected[4 * found[i].anchor_index + k]));
  CHECK_NEAR(largest, 0, 1e-5);
  ocl_ssd_destroy(ssd);
}

static void decoding_equals_tensorflow(void) {
  NEEDS_LARGE("convert/openimages_v4");
  static const char* const photos[] = {"astronaut", "pets"};
  float* anchors = default_anchors();
  for (int32_t p = 0; p < 2; p++) {
    npy encodings = read_npy(photos[p], "box_encodings"), expected = read_npy(photos[p], "raw_box_locations");
    check_boxes(anchors, encodings.elements, expected.elements);
    free(encodings.file);
    free(expected.file);
  }
  free(anchors);
}

static const ocl_ssd_detection* find(const ocl_ssd_detection* all, int32_t count, int32_t anchor, int32_t class_id) {
  for (int32_t i = 0; i < count; i++)
    if (all[i].anchor_index == anchor && all[i].class_id == class_id) return &all[i];
  return NULL;
}

// Above 0.1 in the same order; all others, whose scores lie as close as 9e-7, as a set. With `is_real24`, the classes
// are those of kIds and only theirs are expected.
static void check_outputs(const char* photo, const ocl_ssd_detection* actual, int32_t num_actual, bool is_real24,
                          double score_tolerance) {
  char path[200];
  snprintf(path, sizeof path, "convert/openimages_v4/refs/%s/outputs.json", photo);
  size_t size_bytes;
  uint8_t* file = large_read(path, &size_bytes);
  const char* text = (const char*)file;
  int32_t index = 0, num_missing = 0;
  double box[4], score, label, anchor;
  for (; scan_numbers(&text, "\"box\"", 4, box); index++) {
    scan_numbers(&text, "\"score\"", 1, &score);
    scan_numbers(&text, "\"label\"", 1, &label);
    scan_numbers(&text, "\"anchor\"", 1, &anchor);
    const int32_t class_id = is_real24 ? class_of_id((int32_t)label) : (int32_t)label - 1;
    if (class_id < 0) continue;
    const ocl_ssd_detection* found = find(actual, num_actual, (int32_t)anchor, class_id);
    num_missing += found == NULL;
    if (score > 0.1) CHECK(found == &actual[index]);
    if (found == NULL) continue;
    CHECK_NEAR(found->score, score, score_tolerance);
    CHECK_NEAR(found->y_min, box[0], 1e-4);
    CHECK_NEAR(found->x_min, box[1], 1e-4);
    CHECK_NEAR(found->y_max, box[2], 1e-4);
    CHECK_NEAR(found->x_max, box[3], 1e-4);
  }
  CHECK(index == 100);
  CHECK_NEAR(num_missing, 0, is_real24 ? 0 : 3);  // float16 may exchange a few at the end of the list
  free(file);
}

static void detections_equal_tensorflow(void) {
  NEEDS_LARGE("convert/openimages_v4");
  static const char* const photos[] = {"astronaut", "pets"};
  float* anchors = default_anchors();
  const ocl_ssd_config config = config_of(NUM_ANCHORS, 24, OCL_SSD_SIGMOID, anchors);
  ocl_ssd* ssd;
  CHECK_STATUS(ocl_ssd_create(&config, &ssd), OCL_OK);
  for (int32_t p = 0; p < 2; p++) {
    npy encodings = read_npy(photos[p], "box_encodings"), scores = read_npy(photos[p], "class_predictions_real24");
    const ocl_ssd_detection* detections;
    int32_t count;
    CHECK_STATUS(ocl_ssd_detect(ssd, encodings.elements, scores.elements, &kOptions, &detections, &count), OCL_OK);
    CHECK(count == 100);
    check_outputs(photos[p], detections, count, true, 1e-5);
    free(encodings.file);
    free(scores.file);
  }
  ocl_ssd_destroy(ssd);
  free(anchors);
}

static float float_of_half(uint16_t half) {
  const int32_t exponent = half >> 10 & 31, mantissa = half & 1023;
  const float magnitude =
      exponent == 0 ? ldexpf((float)mantissa, -24) : ldexpf((float)(mantissa + 1024), exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

static void all_601_classes_equal_tensorflow(void) {
  NEEDS_LARGE("convert/openimages_v4");
  npy encodings = read_npy("astronaut", "box_encodings"), halves = read_npy("astronaut", "class_predictions_f16");
  float* anchors = default_anchors();
  float* scores = malloc(NUM_ANCHORS * 602 * sizeof *scores);
  for (int32_t i = 0; i < NUM_ANCHORS * 602; i++)
    scores[i] = float_of_half(((const uint16_t*)(const void*)halves.elements)[i]);
  const ocl_ssd_config config = config_of(NUM_ANCHORS, 602, OCL_SSD_SIGMOID, anchors);
  ocl_ssd* ssd;
  CHECK_STATUS(ocl_ssd_create(&config, &ssd), OCL_OK);
  const ocl_ssd_detection* detections;
  int32_t count;
  CHECK_STATUS(ocl_ssd_detect(ssd, encodings.elements, scores, &kOptions, &detections, &count), OCL_OK);
  CHECK(count == 100);
  check_outputs("astronaut", detections, count, false, 2e-3);
  ocl_ssd_destroy(ssd);
  free(anchors);
  free(scores);
  free(encodings.file);
  free(halves.file);
}

// The heads of the default detector, and what TensorFlow's own suppression keeps of them over a score of 0.1.
static void check_heads(const char* photo, const float* anchors) {
  char path[3][64];
  snprintf(path[0], sizeof path[0], "detector/%s.boxes.bin", photo);
  snprintf(path[1], sizeof path[1], "detector/%s.scores.bin", photo);
  snprintf(path[2], sizeof path[2], "detector/%s.detections.json", photo);
  size_t size_bytes;
  uint8_t *encodings = data_read(path[0], &size_bytes), *scores = data_read(path[1], &size_bytes),
          *expected = data_read(path[2], &size_bytes);
  const ocl_ssd_config config = config_of(NUM_ANCHORS, 24, OCL_SSD_SIGMOID, anchors);
  ocl_ssd* ssd;
  CHECK_STATUS(ocl_ssd_create(&config, &ssd), OCL_OK);
  ocl_ssd_options options = kOptions;
  options.score_threshold = 0.1f;
  const ocl_ssd_detection* found;
  int32_t count, index = 0;
  CHECK_STATUS(ocl_ssd_detect(ssd, (const float*)(const void*)encodings, (const float*)(const void*)scores, &options,
                              &found, &count),
               OCL_OK);
  const char* text = (const char*)expected;
  double box[4], score, label, anchor;
  for (; scan_numbers(&text, "\"box\"", 4, box) && index < count; index++) {
    scan_numbers(&text, "\"score\"", 1, &score);
    scan_numbers(&text, "\"label\"", 1, &label);
    scan_numbers(&text, "\"anchor\"", 1, &anchor);
    const ocl_ssd_detection* one = &found[index];
    CHECK(one->class_id == (int32_t)label && one->anchor_index == (int32_t)anchor);
    CHECK_NEAR(one->score, score, 1e-5);
    CHECK_NEAR(one->y_min, box[0], 1e-5);
    CHECK_NEAR(one->x_min, box[1], 1e-5);
    CHECK_NEAR(one->y_max, box[2], 1e-5);
    CHECK_NEAR(one->x_max, box[3], 1e-5);
  }
  CHECK(index > 0 && index == count && strstr(text, "\"box\"") == NULL);
  ocl_ssd_destroy(ssd);
  free(encodings);
  free(scores);
  free(expected);
}

static void default_detector_equals_tensorflow(void) {
  float* anchors = default_anchors();
  check_heads("astronaut", anchors);
  check_heads("chelsea", anchors);
  free(anchors);
}

// Another network of the Object Detection API, one class, read from its own heads.
static void person_detector_equals_tensorflow(void) {
  NEEDS_LARGE("convert/frozen_ssdlite_mobilenet_v2_300_person");
  size_t size_bytes;
  const char* folder = "convert/frozen_ssdlite_mobilenet_v2_300_person/";
  char path[3][120];
  snprintf(path[0], sizeof path[0], "%sastronaut.box_encodings.f32.bin", folder);
  snprintf(path[1], sizeof path[1], "%sastronaut.class_predictions.f32.bin", folder);
  snprintf(path[2], sizeof path[2], "%sreference.json", folder);
  uint8_t *encodings = large_read(path[0], &size_bytes), *scores = large_read(path[1], &size_bytes),
          *reference = large_read(path[2], &size_bytes);
  float* anchors = default_anchors();
  const ocl_ssd_config config = config_of(NUM_ANCHORS, 2, OCL_SSD_SIGMOID, anchors);
  ocl_ssd* ssd;
  CHECK_STATUS(ocl_ssd_create(&config, &ssd), OCL_OK);
  const ocl_ssd_detection* detections;
  int32_t count;
  CHECK_STATUS(ocl_ssd_detect(ssd, (const float*)(const void*)encodings, (const float*)(const void*)scores, &kOptions,
                              &detections, &count),
               OCL_OK);
  CHECK(count == 100);
  const char* text = strstr((const char*)reference, "\"astronaut.png\"");
  double boxes[20][4], expected_scores[20];
  CHECK(scan_numbers(&text, "\"detection_boxes\"", 80, boxes[0]));
  CHECK(scan_numbers(&text, "\"detection_scores\"", 20, expected_scores));
  for (int32_t i = 0; i < 20; i++) {
    CHECK_NEAR(detections[i].score, expected_scores[i], 1e-5);
    CHECK_NEAR(detections[i].y_min, boxes[i][0], 1e-5);
    CHECK_NEAR(detections[i].x_min, boxes[i][1], 1e-5);
    CHECK_NEAR(detections[i].y_max, boxes[i][2], 1e-5);
    CHECK_NEAR(detections[i].x_max, boxes[i][3], 1e-5);
  }
  ocl_ssd_destroy(ssd);
  free(anchors);
  free(encodings);
  free(scores);
  free(reference);
}

int main(void) {
  RUN(default_detector_equals_tensorflow);
  RUN(decoding_equals_tensorflow);
  RUN(detections_equal_tensorflow);
  RUN(all_601_classes_equal_tensorflow);
  RUN(person_detector_equals_tensorflow);
  return check_failed_tests;
}
