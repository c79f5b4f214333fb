// A session by ocelli.h: what each call refuses and when, what drops a run or a detail, and boxes, scores and features
// of networks that pass on what is written to them (write_cases.js), by formulas.
#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "image/image_files.h"
#include "machines.h"
#include "ocelli.h"
#include "test_data.h"

enum { ANCHORS = 3, CLASSES = 2 };

// Centre y, centre x, height, width. The last one reaches out of the image.
static const float kAnchors[ANCHORS][4] = {
    {0.3f, 0.3f, 0.4f, 0.2f}, {0.75f, 0.5f, 0.5f, 0.5f}, {0.0f, 0.875f, 0.5f, 0.25f}};

static ocl_session* load(const char* name, bool is_closed) {
  size_t size_bytes;
  uint8_t* model = read_below("build/native/cases", name, &size_bytes);
  ocl_session* session;
  CHECK_STATUS(ocl_session_create(1, &session), OCL_OK);
  memcpy(ocl_session_reserve_model(session, size_bytes), model, size_bytes);
  free(model);
  CHECK_STATUS(ocl_session_open_model(session), OCL_OK);
  CHECK_STATUS(ocl_session_build_model(session, 1), OCL_OK);
  if (is_closed) CHECK_STATUS(ocl_session_close_model(session), OCL_OK);
  return session;
}

static ocl_ssd_config config_of(int32_t num_other_columns) {
  return (ocl_ssd_config){.num_anchors = ANCHORS,
                          .num_columns = CLASSES,
                          .background_column = -1,
                          .converter = OCL_SSD_NONE,
                          .box_scales = {1, 1, 1, 1},
                          .num_other_columns = num_other_columns,
                          .anchors = &kAnchors[0][0],
                          .max_total = 10};
}

static ocl_ssd_options options_of(float score_threshold, int32_t max_total) {
  return (ocl_ssd_options){
      .score_threshold = score_threshold, .iou_threshold = 1, .max_per_class = 10, .max_total = max_total};
}

// Encodings of the anchors themselves, and these scores.
static void write_heads(ocl_session* session, const float scores[ANCHORS][CLASSES]) {
  const ocl_graph* graph = ocl_session_graph(session);
  const ocl_graph_tensor boxes = ocl_graph_input(graph, 0), to = ocl_graph_input(graph, 1);
  memset(boxes.data, boxes.zero_point, boxes.size_bytes);
  for (int32_t i = 0; i < ANCHORS * CLASSES; i++) {
    const float score = (&scores[0][0])[i];
    if (to.dtype == OCL_FLOAT32)
      ((float*)to.data)[i] = score;
    else
      ((uint8_t*)to.data)[i] = (uint8_t)(int32_t)(score / to.scale + (float)to.zero_point);
  }
}

static const float kScores[ANCHORS][CLASSES] = {{0.75f, 0}, {0, 0.5f}, {0.25f, 0.125f}};

static void set_image(ocl_session* session, int32_t width, int32_t height) {
  static uint8_t pixels[3000];
  CHECK_STATUS(ocl_session_set_pixels(session, &(ocl_pixels){.data = pixels,
                                                             .size_bytes = sizeof pixels,
                                                             .stride_bytes = 3 * (size_t)width,
                                                             .width_px = width,
                                                             .height_px = height,
                                                             .num_channels = 3,
                                                             .orientation = 1}),
               OCL_OK);
}

static int32_t detect(ocl_session* session, const ocl_ssd_options* options, const ocl_roi* roi, int32_t turns,
                      const ocl_session_detection** found) {
  int32_t count = -1;
  CHECK_STATUS(ocl_session_detect(session, options, roi, turns, found, &count), OCL_OK);
  return count;
}

static void check_detection(const ocl_session_detection* d, const float box[4], float score, int32_t class_id) {
  CHECK_NEAR(d->x_px, box[0], 1e-4);
  CHECK_NEAR(d->y_px, box[1], 1e-4);
  CHECK_NEAR(d->width_px, box[2], 1e-4);
  CHECK_NEAR(d->height_px, box[3], 1e-4);
  CHECK_NEAR(d->score, score, 1e-6);
  CHECK(d->class_id == class_id);
}

// ---- refusals ----

static void numbers_of_threads(void) {
  const int32_t wrong[] = {0, -1, 2, INT32_MIN};
  for (int32_t i = 0; i < 4; i++) {
    ocl_session* session = (ocl_session*)&i;
    CHECK_STATUS(ocl_session_create(wrong[i], &session), OCL_INVALID_ARGUMENT);
    CHECK(session == NULL);
  }
  ocl_session_destroy(NULL);
}

typedef ocl_status (*call)(ocl_session* session);

static ocl_status call_open(ocl_session* session) {
  return ocl_session_open_model(session);
}
static ocl_status call_build(ocl_session* session) {
  return ocl_session_build_model(session, 1);
}
static ocl_status call_columns(ocl_session* session) {
  const int32_t column = 0;
  bool is_done = true;
  const ocl_status status = ocl_session_keep_columns(session, -1, &column, 1, &is_done);
  CHECK(!is_done);
  return status;
}
static ocl_status call_set_batch(ocl_session* session) {
  return ocl_session_set_batch(session, 0);
}
static ocl_status call_upright(ocl_session* session) {
  return ocl_session_upright(session, 0, NULL);
}
static ocl_status call_preprocess(ocl_session* session) {
  return ocl_session_preprocess(session, &(ocl_resize_target){0}, NULL, 0, -1);
}
static ocl_status call_read(ocl_session* session) {
  ocl_image_facts facts = {.width_px = 7};
  const ocl_status status = ocl_session_read(session, NULL, 0, &(ocl_image_options){.max_pixels = 9},
                                             &(ocl_resize_target){0}, NULL, 0, -1, &facts);
  CHECK(facts.width_px == 0);
  return status;
}
static ocl_status call_run(ocl_session* session) {
  return ocl_session_run(session, NULL);
}
static ocl_status call_use_heads(ocl_session* session) {
  const ocl_ssd_config config = config_of(-1);
  return ocl_session_use_heads(session, 0, 1, &config);
}
static ocl_status call_detect(ocl_session* session) {
  const ocl_session_detection* found = (const ocl_session_detection*)&call_detect;
  int32_t count = 9;
  const ocl_ssd_options options = options_of(2, 1);
  const ocl_status status = ocl_session_detect(session, &options, NULL, 0, &found, &count);
  CHECK(found == NULL && count == 0);
  return status;
}
static ocl_status call_use_features(ocl_session* session) {
  return ocl_session_use_features(session, -1, false);
}
static ocl_status call_pool_image(ocl_session* session) {
  return ocl_session_pool_image(session, 0, NULL);
}
static ocl_status call_pool_boxes(ocl_session* session) {
  return ocl_session_pool_boxes(session, 1, NULL);
}
static const call kCalls[] = {call_open,         call_build,      call_columns,   call_set_batch, call_upright,
                              call_preprocess,   call_read,       call_run,       call_use_heads, call_detect,
                              call_use_features, call_pool_image, call_pool_boxes};
enum { NUM_CALLS = sizeof kCalls / sizeof *kCalls };

static void a_session_without_a_model(void) {
  ocl_session* session;
  CHECK_STATUS(ocl_session_create(1, &session), OCL_OK);
  for (int32_t i = 0; i < NUM_CALLS; i++) CHECK_STATUS(kCalls[i](session), OCL_INVALID_ARGUMENT);
  CHECK(ocl_session_graph(session) == NULL && ocl_session_pool(session) == NULL);
  CHECK(ocl_session_num_signatures(session) == 0 && ocl_session_signature_key(session, 0) == NULL);
  CHECK(ocl_session_metadata(session) == NULL && ocl_session_num_classes(session) == 0);
  CHECK(ocl_session_features_length(session) == 0 && ocl_session_pixels(session).num_channels == 0);
  CHECK_STATUS(ocl_session_close_model(session), OCL_OK);
  CHECK(ocl_session_reserve_model(session, SIZE_MAX) == NULL);
  CHECK(ocl_session_reserve_model(session, SIZE_MAX / 5 * 4 + 8) == NULL);  // a quarter more wraps to a few bytes
  ocl_session_destroy(session);
}

// The memory of a file that arrives in parts: a model is read from it whatever it has grown and shrunk to before, and
// it cannot be taken from under one that is open or built.
static void a_model_of_unknown_size(void) {
  size_t size_bytes;
  uint8_t* model = read_below("build/native/cases", "heads.tflite", &size_bytes);
  ocl_session* session;
  CHECK_STATUS(ocl_session_create(1, &session), OCL_OK);
  CHECK(ocl_session_resize_model(session, 0) != NULL);
  for (size_t arrived = 1; arrived <= size_bytes; arrived++) {
    uint8_t* to = ocl_session_resize_model(session, arrived % 7 == 0 ? 5000000 : arrived);
    to[arrived - 1] = model[arrived - 1];
  }
  CHECK(memcmp(ocl_session_resize_model(session, size_bytes), model, size_bytes) == 0);
  free(model);
  CHECK_STATUS(ocl_session_open_model(session), OCL_OK);
  CHECK(ocl_session_resize_model(session, size_bytes) == NULL);
  CHECK_STATUS(ocl_session_build_model(session, 1), OCL_OK);
  CHECK(ocl_session_resize_model(session, size_bytes) == NULL);
  CHECK_STATUS(ocl_session_close_model(session), OCL_OK);
  CHECK(ocl_session_resize_model(session, size_bytes) == NULL);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  CHECK(ocl_session_reserve_model(session, 4) != NULL && ocl_session_resize_model(session, SIZE_MAX) == NULL);
  CHECK_STATUS(ocl_session_open_model(session), OCL_INVALID_ARGUMENT);
  ocl_session_destroy(session);
}

static void fail_with_detail(ocl_session* session) {
  const ocl_ssd_config config = config_of(5);
  CHECK_STATUS(ocl_session_use_heads(session, 0, 1, &config), OCL_SSD_SHAPE_MISMATCH);
  CHECK(strcmp(ocl_session_detail(session), "3 anchors, 2 columns of scores") == 0);
}

// What a call says of the one before is gone with the next call, however that ends.
static void details(void) {
  ocl_session* session = load("heads.tflite", true);
  for (int32_t i = 0; i < NUM_CALLS; i++) {
    if (kCalls[i] == call_run) continue;
    fail_with_detail(session);
    CHECK_STATUS(kCalls[i](session), OCL_INVALID_ARGUMENT);
    CHECK(ocl_session_detail(session)[0] == 0);
    if (check_failures_in_test > 0) printf("# call %d\n", (int)i);
  }
  fail_with_detail(session);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  CHECK(ocl_session_detail(session)[0] == 0);
  fail_with_detail(session);
  CHECK_STATUS(ocl_session_close_model(session), OCL_OK);
  CHECK(ocl_session_detail(session)[0] == 0);
  fail_with_detail(session);
  set_image(session, 3, 2);
  CHECK(ocl_session_detail(session)[0] == 0);
  char* text;
  size_t size_bytes;
  fail_with_detail(session);
  ocl_session_read_labels(session, &text, &size_bytes);
  CHECK(ocl_session_detail(session)[0] == 0);
  fail_with_detail(session);
  ocl_session_read_calibration(session, &text, &size_bytes);
  CHECK(ocl_session_detail(session)[0] == 0);
  fail_with_detail(session);
  ocl_image_facts facts;
  CHECK_STATUS(ocl_session_decode(session, NULL, 0, &(ocl_image_options){.max_pixels = 9}, &facts), OCL_IMAGE_EMPTY);
  CHECK(ocl_session_detail(session)[0] == 0);
  fail_with_detail(session);
  CHECK(ocl_session_reserve_model(session, SIZE_MAX) == NULL);
  CHECK(ocl_session_detail(session)[0] == 0);
  ocl_session_destroy(session);
}

static void heads_that_do_not_fit(void) {
  ocl_session* session = load("heads.tflite", true);
  const struct {
    int32_t boxes, scores, num_anchors, num_columns, num_others;
    ocl_status status;
  } cases[] = {
      {0, 1, 3, 2, 0, OCL_OK},
      {-1, 1, 3, 2, 0, OCL_SSD_SHAPE_MISMATCH},
      {0, -1, 3, 2, 0, OCL_SSD_SHAPE_MISMATCH},
      {2, 1, 3, 2, 0, OCL_SSD_SHAPE_MISMATCH},
      {0, 2, 3, 2, 0, OCL_SSD_SHAPE_MISMATCH},
      {0, 1, 2, 2, 0, OCL_SSD_SHAPE_MISMATCH},
      {0, 1, 3, 3, 0, OCL_SSD_SHAPE_MISMATCH},
      {0, 1, 3, 2, 1, OCL_SSD_SHAPE_MISMATCH},
      {0, 1, 3, 2, -1, OCL_INVALID_ARGUMENT},
      {0, 1, 3, 2, INT32_MAX - 3, OCL_INVALID_ARGUMENT},
      {0, 1, 3, 2, INT32_MAX - 4, OCL_SSD_SHAPE_MISMATCH},
      {1, 0, 1, 12, 2, OCL_OK},  // six numbers, and twelve
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ocl_ssd_config config = config_of(cases[i].num_others);
    config.num_anchors = cases[i].num_anchors;
    config.num_columns = cases[i].num_columns;
    CHECK_STATUS(ocl_session_use_heads(session, cases[i].boxes, cases[i].scores, &config), cases[i].status);
    // The heads that were there stay.
    CHECK(ocl_session_num_classes(session) == (i + 1 == sizeof cases / sizeof *cases ? 12 : 2));
    if (check_failures_in_test > 0) printf("# case %d\n", (int)i);
  }
  ocl_ssd_config config = config_of(0);
  config.background_column = 0;
  CHECK_STATUS(ocl_session_use_heads(session, 0, 1, &config), OCL_OK);
  CHECK(ocl_session_num_classes(session) == 1);
  ocl_session_destroy(session);
}

// ---- heads -> boxes ----

static void boxes_by_heads(const char* name) {
  ocl_session* session = load(name, true);
  const ocl_ssd_config config = config_of(0);
  CHECK_STATUS(ocl_session_use_heads(session, 0, 1, &config), OCL_OK);
  write_heads(session, kScores);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  const ocl_session_detection* found;
  ocl_ssd_options options = options_of(0.2f, 1);
  int32_t count;
  CHECK_STATUS(ocl_session_detect(session, &options, NULL, 0, &found, &count), OCL_INVALID_ARGUMENT);  // no image
  set_image(session, 20, 10);
  CHECK(detect(session, &options, NULL, 0, &found) == 1);
  check_detection(&found[0], (float[]){4, 1, 4, 4}, 0.75f, 0);
  options.max_total = 10;  // more than there was room for
  CHECK(detect(session, &options, NULL, 0, &found) == 3);
  check_detection(&found[0], (float[]){4, 1, 4, 4}, 0.75f, 0);
  check_detection(&found[1], (float[]){5, 5, 10, 5}, 0.5f, 1);
  check_detection(&found[2], (float[]){15, -2.5f, 5, 5}, 0.25f, 0);
  const ocl_roi roi = {2, 1, 10, 8};
  CHECK(detect(session, &options, &roi, 0, &found) == 3);
  check_detection(&found[0], (float[]){4, 1.8f, 2, 3.2f}, 0.75f, 0);
  // Clockwise, the top of what was seen is the left of the image: x is y, and y is 1 - x.
  CHECK(detect(session, &options, &roi, 1, &found) == 3);
  check_detection(&found[0], (float[]){3, 5.8f, 4, 1.6f}, 0.75f, 0);
  const uint8_t allowed[] = {0, 1};
  options = options_of(0.1f, 10);
  options.allowed_classes = allowed;
  CHECK(detect(session, &options, NULL, 0, &found) == 2);
  check_detection(&found[1], (float[]){15, -2.5f, 5, 5}, 0.125f, 1);
  ocl_session_drop_image(session);
  CHECK_STATUS(ocl_session_detect(session, &options, NULL, 0, &found, &count), OCL_INVALID_ARGUMENT);
  CHECK(detect(session, &options, &roi, 0, &found) == 2);
  ocl_session_destroy(session);
}

static void boxes_by_float_heads(void) {
  boxes_by_heads("heads.tflite");
}
static void boxes_by_int8_heads(void) {
  boxes_by_heads("heads_int8.tflite");
}
static void boxes_by_uint8_heads(void) {
  boxes_by_heads("heads_uint8.tflite");
}

static void boxes_by_operator(void) {
  ocl_session* session = load("postprocess.tflite", true);
  CHECK(ocl_session_num_classes(session) == CLASSES);
  write_heads(session, kScores);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  set_image(session, 20, 10);
  const ocl_session_detection* found;
  ocl_ssd_options options = options_of(0, 10);
  CHECK(detect(session, &options, NULL, 0, &found) == 3);
  check_detection(&found[0], (float[]){4, 1, 4, 4}, 0.75f, 0);
  check_detection(&found[1], (float[]){5, 5, 10, 5}, 0.5f, 1);
  check_detection(&found[2], (float[]){15, 0, 5, 2.5f}, 0.25f, 0);  // clipped
  options.max_total = 2;
  CHECK(detect(session, &options, NULL, 0, &found) == 2);
  options = options_of(0, 10);
  options.max_per_class = 1;
  CHECK(detect(session, &options, NULL, 0, &found) == 2);
  check_detection(&found[1], (float[]){5, 5, 10, 5}, 0.5f, 1);
  options.is_class_agnostic = true;
  CHECK(detect(session, &options, NULL, 0, &found) == 3);
  options = options_of(0.5f, 10);  // a score is above its threshold
  CHECK(detect(session, &options, NULL, 0, &found) == 1);
  const uint8_t allowed[] = {0, 1};
  options = options_of(0, 10);
  options.allowed_classes = allowed;
  CHECK(detect(session, &options, NULL, 0, &found) == 1);
  check_detection(&found[0], (float[]){5, 5, 10, 5}, 0.5f, 1);
  const ocl_roi roi = {2, 1, 10, 8};
  CHECK(detect(session, &options, &roi, 1, &found) == 1);
  check_detection(&found[0], (float[]){7, 3, 5, 4}, 0.5f, 1);
  const ocl_ssd_options wrong[] = {options_of(2, 10), options_of(-1, 10), options_of(0, 0), options_of(0, 10001)};
  int32_t count;
  for (int32_t i = 0; i < 4; i++)
    CHECK_STATUS(ocl_session_detect(session, &wrong[i], NULL, 0, &found, &count), OCL_INVALID_ARGUMENT);
  // Beyond the image: the first anchor moves by three of its widths to the left, and has no area.
  ((float*)ocl_graph_input(ocl_session_graph(session), 0).data)[1] = -3;
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  options = options_of(0, 10);
  CHECK(detect(session, &options, NULL, 0, &found) == 2);
  check_detection(&found[0], (float[]){5, 5, 10, 5}, 0.5f, 1);
  ocl_session_destroy(session);
}

// ---- what drops a run ----

static bool has_run(ocl_session* session) {
  const ocl_ssd_options options = options_of(0, 10);
  const ocl_session_detection* found;
  int32_t count;
  return ocl_session_detect(session, &options, &(ocl_roi){0, 0, 9, 9}, 0, &found, &count) == OCL_OK;
}

static void what_drops_a_run(void) {
  ocl_session* session = load("heads.tflite", false);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_INVALID_ARGUMENT);  // not closed
  CHECK_STATUS(ocl_session_close_model(session), OCL_OK);
  CHECK_STATUS(ocl_session_open_model(session), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_build_model(session, 1), OCL_INVALID_ARGUMENT);
  const ocl_ssd_config config = config_of(0);
  CHECK_STATUS(ocl_session_use_heads(session, 0, 1, &config), OCL_OK);
  CHECK(!has_run(session));
  write_heads(session, kScores);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  CHECK(has_run(session));
  CHECK_STATUS(ocl_session_set_batch(session, 2), OCL_BATCH_NOT_FREE);
  CHECK_STATUS(ocl_session_set_batch(session, 0), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_use_features(session, 3, false), OCL_INVALID_ARGUMENT);
  CHECK(has_run(session));
  CHECK_STATUS(ocl_session_set_batch(session, 1), OCL_OK);
  CHECK(!has_run(session));
  write_heads(session, kScores);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  CHECK_STATUS(ocl_session_use_features(session, 2, false), OCL_OK);
  CHECK(!has_run(session));
  CHECK(ocl_session_reserve_model(session, 0) != NULL);
  CHECK(ocl_session_graph(session) == NULL && ocl_session_num_classes(session) == 0);
  CHECK(ocl_session_features_length(session) == 0 && !has_run(session));
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_INVALID_ARGUMENT);
  ocl_session_destroy(session);
}

// A model that is built again has not run, and is not closed.
static void a_model_that_is_built_again(void) {
  size_t size_bytes;
  uint8_t* model = read_below("build/native/cases", "heads.tflite", &size_bytes);
  ocl_session* session = load("heads.tflite", true);
  const ocl_ssd_config config = config_of(0);
  CHECK_STATUS(ocl_session_use_heads(session, 0, 1, &config), OCL_OK);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  memcpy(ocl_session_reserve_model(session, size_bytes), model, size_bytes);
  free(model);
  CHECK_STATUS(ocl_session_open_model(session), OCL_OK);
  CHECK_STATUS(ocl_session_build_model(session, 1), OCL_OK);
  CHECK(ocl_session_num_classes(session) == 0);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_use_heads(session, 0, 1, &config), OCL_OK);
  CHECK(!has_run(session));
  ocl_session_destroy(session);
}

// An index that is out of range ends a run, and drops the outputs of the run before.
static void a_run_that_fails(void) {
  ocl_session* session = load("index.tflite", true);
  const ocl_ssd_config config = config_of(0);
  CHECK_STATUS(ocl_session_use_heads(session, 0, 1, &config), OCL_OK);
  int32_t* index = ocl_graph_input(ocl_session_graph(session), 2).data;
  for (int32_t i = 0; i < 2; i++) {
    *index = 1;
    CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
    CHECK(has_run(session));
    *index = 3;
    CHECK_STATUS(ocl_session_run(session, NULL), OCL_INDEX_OUT_OF_RANGE);
    CHECK(!has_run(session));
  }
  ocl_session_destroy(session);
}

static void columns_that_are_not_there(void) {
  ocl_session* session = load("detector.tflite", false);
  const int32_t columns[] = {0, 2};
  bool is_done = true;
  const int32_t wrong[] = {-1, 2};
  for (int32_t i = 0; i < 2; i++)
    CHECK_STATUS(ocl_session_keep_columns(session, wrong[i], columns, 2, &is_done), OCL_INVALID_ARGUMENT);
  CHECK(!is_done && ocl_session_graph(session) != NULL);
  CHECK_STATUS(ocl_session_keep_columns(session, 1, columns, 2, &is_done), OCL_OK);
  CHECK(is_done);
  CHECK_STATUS(ocl_session_close_model(session), OCL_OK);
  CHECK_STATUS(ocl_session_keep_columns(session, 1, columns, 2, &is_done), OCL_INVALID_ARGUMENT);
  CHECK(!is_done);
  ocl_session_destroy(session);
}

// ---- image -> tensor -> features ----

static const uint8_t kPixels[2][12] = {{1, 2, 3, 40, 50, 60, 7, 8, 9, 100, 110, 120},
                                       {5, 5, 5, 10, 10, 10, 15, 15, 15, 250, 251, 252}};

static ocl_status put_image(ocl_session* session, int32_t image, int32_t batch_index) {
  const ocl_pixels pixels = {kPixels[image], 12, 6, 2, 2, 3, 1};
  const ocl_resize_target target = {.scale = {1, 2, 4}, .offset = {3, 2, 1}};
  CHECK_STATUS(ocl_session_set_pixels(session, &pixels), OCL_OK);
  return ocl_session_preprocess(session, &target, NULL, 0, batch_index);
}

// The network adds 1 to each number, and then 2.
static void batches(void) {
  ocl_session* session = load("free.tflite", true);
  CHECK_STATUS(ocl_session_preprocess(session, &(ocl_resize_target){0}, NULL, 0, 0), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_use_features(session, 0, false), OCL_OK);
  CHECK(ocl_session_features_length(session) == 3);
  CHECK_STATUS(ocl_session_set_batch(session, 2), OCL_OK);
  CHECK_STATUS(put_image(session, 0, 2), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(put_image(session, 0, -1), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(put_image(session, 1, 1), OCL_OK);
  CHECK_STATUS(put_image(session, 0, 0), OCL_OK);
  float features[3];
  CHECK_STATUS(ocl_session_pool_image(session, 0, features), OCL_INVALID_ARGUMENT);  // not run
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  CHECK_STATUS(ocl_session_pool_image(session, 2, features), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_pool_image(session, -1, features), OCL_INVALID_ARGUMENT);
  const ocl_graph_tensor output = ocl_graph_output(ocl_session_graph(session), 0);
  for (int32_t image = 0; image < 2; image++) {
    float sums[3] = {0};
    for (int32_t i = 0; i < 12; i++) {
      const float value = (float)kPixels[image][i] * (float[]){1, 2, 4}[i % 3] + (float[]){3, 2, 1}[i % 3];
      sums[i % 3] += value + 1;
      CHECK(((const float*)output.data)[12 * image + i] == value + 3);
    }
    CHECK_STATUS(ocl_session_pool_image(session, image, features), OCL_OK);
    for (int32_t c = 0; c < 3; c++) CHECK_NEAR(features[c], sums[c] / 4, 1e-4);
  }
  ocl_session_destroy(session);
}

static void features_of_boxes(void) {
  ocl_session* session = load("heads.tflite", true);
  const ocl_ssd_config config = config_of(0);
  CHECK_STATUS(ocl_session_use_heads(session, 0, 1, &config), OCL_OK);
  CHECK_STATUS(ocl_session_use_features(session, 1, false), OCL_FEATURES_UNUSABLE);  // it has no plane
  CHECK(ocl_session_features_length(session) == 0);
  CHECK_STATUS(ocl_session_use_features(session, 2, false), OCL_OK);
  write_heads(session, kScores);
  const ocl_graph_tensor map = ocl_graph_input(ocl_session_graph(session), 2);
  for (int32_t i = 0; i < 12; i++) ((float*)map.data)[i] = (float)(i * i);
  float features[9];
  CHECK_STATUS(ocl_session_pool_boxes(session, 0, features), OCL_INVALID_ARGUMENT);  // not run
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  set_image(session, 20, 10);
  const ocl_session_detection* found;
  const ocl_ssd_options options = options_of(0.2f, 10);
  CHECK(detect(session, &options, &(ocl_roi){3, 2, 5, 5}, 2, &found) == 3);
  CHECK_STATUS(ocl_session_pool_boxes(session, 2, features), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_pool_boxes(session, 4, features), OCL_INVALID_ARGUMENT);
  CHECK_STATUS(ocl_session_pool_boxes(session, 3, features), OCL_OK);
  // In the first cell; in both of the lower row, equally; in the second.
  for (int32_t c = 0; c < 3; c++) {
    const int32_t lower[] = {6 + c, 9 + c};
    CHECK_NEAR(features[c], c * c, 1e-4);
    CHECK_NEAR(features[3 + c], (float)(lower[0] * lower[0] + lower[1] * lower[1]) / 2, 1e-4);
    CHECK_NEAR(features[6 + c], (3 + c) * (3 + c), 1e-4);
  }
  CHECK_STATUS(ocl_session_use_features(session, 1, true), OCL_OK);
  CHECK(ocl_session_features_length(session) == CLASSES && ocl_graph_num_outputs(ocl_session_graph(session)) == 1);
  write_heads(session, kScores);
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  CHECK_STATUS(ocl_session_pool_image(session, 0, features), OCL_OK);
  CHECK_NEAR(features[0], 1.0f / 3, 1e-6);
  CHECK_NEAR(features[1], 0.625f / 3, 1e-6);
  CHECK_STATUS(ocl_session_pool_boxes(session, 0, features), OCL_INVALID_ARGUMENT);
  ocl_session_destroy(session);
}

static void images_upright(void) {
  ocl_session* session;
  CHECK_STATUS(ocl_session_create(1, &session), OCL_OK);
  // Two pixels in a row, of an image that lies on its side: EXIF 6 shows it turned clockwise.
  const ocl_pixels pixels = {kPixels[0], 6, 6, 2, 1, 3, 6};
  CHECK_STATUS(ocl_session_set_pixels(session, &pixels), OCL_OK);
  uint8_t rgb[6];
  CHECK_STATUS(ocl_session_upright(session, 0, rgb), OCL_OK);
  CHECK(memcmp(rgb, kPixels[0], 6) == 0);
  CHECK(ocl_session_pixels(session).width_px == 2);
  const uint8_t rgba[] = {100, 200, 0, 0, 10, 20, 30, 255};
  CHECK_STATUS(ocl_session_set_pixels(session, &(ocl_pixels){rgba, 8, 8, 2, 1, 4, 1}), OCL_OK);
  CHECK_STATUS(ocl_session_upright(session, 0x010203, rgb), OCL_OK);
  const uint8_t expected[] = {1, 2, 3, 10, 20, 30};
  CHECK(memcmp(rgb, expected, 6) == 0);
  CHECK_STATUS(ocl_session_set_pixels(session, &(ocl_pixels){rgba, 7, 8, 2, 1, 4, 1}), OCL_INVALID_PIXELS);
  CHECK(ocl_session_pixels(session).num_channels == 4);
  ocl_session_drop_image(session);
  CHECK_STATUS(ocl_session_upright(session, 0, rgb), OCL_INVALID_ARGUMENT);
  ocl_session_destroy(session);
}

static ocl_session* with_bytes(const char* root, const char* path) {
  size_t size_bytes;
  uint8_t* model = read_below(root, path, &size_bytes);
  ocl_session* session;
  CHECK_STATUS(ocl_session_create(1, &session), OCL_OK);
  memcpy(ocl_session_reserve_model(session, size_bytes), model, size_bytes);
  free(model);
  CHECK_STATUS(ocl_session_open_model(session), OCL_OK);
  return session;
}

static void what_a_file_says(void) {
  ocl_session* session = with_bytes("build/native/cases", "detector.tflite");
  char* text;
  size_t size_bytes;
  CHECK_STATUS(ocl_session_read_labels(session, &text, &size_bytes), OCL_OK);
  CHECK(size_bytes == 8 && text != NULL && memcmp(text, "cat\ndog\n", 8) == 0);
  free(text);
  CHECK_STATUS(ocl_session_read_calibration(session, &text, &size_bytes), OCL_OK);
  CHECK(text == NULL && size_bytes == 0);
  CHECK(ocl_session_num_signatures(session) == 0);
  ocl_session_destroy(session);
  session = with_bytes("tests/data", "models/small_classifier.fp32.tflite");
  CHECK(ocl_session_num_signatures(session) == 1);
  CHECK(strcmp(ocl_session_signature_key(session, 0), "serving_default") == 0);
  CHECK(ocl_session_signature_key(session, 1) == NULL && ocl_session_signature_key(session, -1) == NULL);
  ocl_session_destroy(session);
}

// A file that is read into the tensor gives what it gives decoded and resized in two calls.
static void files_into_the_tensor(void) {
  const ocl_image_options options = {.max_pixels = 1 << 20};
  const ocl_resize_target target = {.scale = {1, 1, 1}};
  const file files[] = {make_rgb_png(9, 7), make_small_bmp(), make_jpeg(), copy_of(kGreyJpeg, sizeof kGreyJpeg)};
  ocl_session* session = load("free.tflite", true);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    ocl_image_facts facts, decoded;
    float expected[12];
    const ocl_graph_tensor input = ocl_graph_input(ocl_session_graph(session), 0);
    CHECK_STATUS(ocl_session_decode(session, files[i].bytes, files[i].size_bytes, &options, &decoded), OCL_OK);
    CHECK_STATUS(ocl_session_preprocess(session, &target, NULL, 0, 0), OCL_OK);
    memcpy(expected, input.data, sizeof expected);
    memset(input.data, 0, sizeof expected);
    CHECK_STATUS(ocl_session_read(session, files[i].bytes, files[i].size_bytes, &options, &target, NULL, 0, 0, &facts),
                 OCL_OK);
    CHECK(facts.width_px == decoded.width_px && facts.height_px == decoded.height_px && !facts.is_truncated);
    for (int32_t k = 0; k < 12; k++) CHECK_NEAR(((const float*)input.data)[k], expected[k], 1e-4);
    CHECK(ocl_session_pixels(session).num_channels == 0);
    if (check_failures_in_test > 0) printf("# file %d\n", (int)i);
    free(files[i].bytes);
  }
  // A network without heads finds nothing.
  CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
  CHECK(!has_run(session));
  ocl_session_destroy(session);
}

int main(void) {
  become_machine(&kMachines[NUM_MACHINES - 1]);
  RUN(numbers_of_threads);
  RUN(a_session_without_a_model);
  RUN(a_model_of_unknown_size);
  RUN(details);
  RUN(heads_that_do_not_fit);
  RUN(boxes_by_float_heads);
  RUN(boxes_by_int8_heads);
  RUN(boxes_by_uint8_heads);
  RUN(boxes_by_operator);
  RUN(what_drops_a_run);
  RUN(a_model_that_is_built_again);
  RUN(a_run_that_fails);
  RUN(columns_that_are_not_there);
  RUN(batches);
  RUN(features_of_boxes);
  RUN(images_upright);
  RUN(what_a_file_says);
  RUN(files_into_the_tensor);
  return check_failed_tests;
}
