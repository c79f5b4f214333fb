// Every n-th allocation fails in turn: alone, and with all that follow it. The call that meets it says OUT_OF_MEMORY;
// called again, with memory, the session goes on to the answers of a session that never failed, and nothing leaks.
// $OCELLI_SOAK: every n of every model; else some of them.
#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "failing.h"
#include "image/image_files.h"
#include "machines.h"
#include "ocelli.h"
#include "test_data.h"
#include "train/trainer.h"

// ---- a way through a session, in steps that can be repeated ----

typedef struct {
  const uint8_t* model;
  size_t model_bytes;
  const uint8_t* photo;
  size_t photo_bytes;
  bool has_heads;  // [1, 16, 4] and [1, 16, 3]
  ocl_session* session;
  float* features;  // of the caller
  uint32_t hash;    // of all answers
} journey;

static void hash_bytes(journey* j, const void* bytes, size_t size_bytes) {
  for (size_t i = 0; i < size_bytes; i++) j->hash = (j->hash ^ ((const uint8_t*)bytes)[i]) * 16777619u;
}

static ocl_status create(journey* j) {
  return ocl_session_create(1, &j->session);
}

static ocl_status open(journey* j) {
  uint8_t* to = ocl_session_reserve_model(j->session, j->model_bytes);
  if (to == NULL) return OCL_OUT_OF_MEMORY;
  memcpy(to, j->model, j->model_bytes);
  OCL_TRY(ocl_session_open_model(j->session));
  char* labels = NULL;
  size_t labels_bytes;
  OCL_TRY(ocl_session_read_labels(j->session, &labels, &labels_bytes));
  if (labels != NULL) hash_bytes(j, labels, labels_bytes);
  free(labels);
  return OCL_OK;
}

static ocl_status build(journey* j) {
  return ocl_session_build_model(j->session, 1);
}

// A failure drops the network.
static ocl_status choose_columns(journey* j) {
  bool is_done;
  const int32_t columns[] = {0, 2};
  if (!j->has_heads) return OCL_OK;
  if (ocl_session_graph(j->session) == NULL) OCL_TRY(build(j));
  return ocl_session_keep_columns(j->session, 1, columns, 2, &is_done);
}

static ocl_status close(journey* j) {
  return ocl_session_close_model(j->session);
}

static ocl_status use_heads(journey* j) {
  static float anchors[64];
  for (int i = 0; i < 64; i++) anchors[i] = i % 4 < 2 ? (float)(i % 16) / 16 : 0.3f;
  const ocl_ssd_config config = {.num_anchors = 16,
                                 .num_columns = 2,
                                 .background_column = 0,
                                 .box_scales = {10, 10, 5, 5},
                                 .anchors = anchors,
                                 .max_total = 20};
  return j->has_heads ? ocl_session_use_heads(j->session, 0, 1, &config) : OCL_OK;
}

static ocl_status decode(journey* j) {
  const ocl_image_options options = {.max_pixels = 1 << 20};
  ocl_image_facts facts;
  return ocl_session_decode(j->session, j->photo, j->photo_bytes, &options, &facts);
}

static ocl_status fill(journey* j) {
  ocl_graph* graph = ocl_session_graph(j->session);
  for (int32_t i = 0; i < ocl_graph_num_inputs(graph); i++) {
    const ocl_graph_tensor input = ocl_graph_input(graph, i);
    for (size_t k = 0; k < input.size_bytes; k++) ((uint8_t*)input.data)[k] = (uint8_t)(k * 37 % 101);
    if (input.dtype == OCL_FLOAT32)
      for (size_t k = 0; k < input.size_bytes / 4; k++) ((float*)input.data)[k] = (float)(k % 29) / 14 - 1;
  }
  const ocl_resize_target target = {.scale = {1 / 127.5f, 1 / 127.5f, 1 / 127.5f}, .offset = {-1, -1, -1}};
  const ocl_status status = ocl_session_preprocess(j->session, &target, NULL, 0, 0);
  return status == OCL_INVALID_ARGUMENT ? OCL_OK : status;  // a network that takes no images
}

static ocl_status run(journey* j) {
  OCL_TRY(ocl_session_run(j->session, NULL));
  const ocl_graph* graph = ocl_session_graph(j->session);
  for (int32_t i = 0; i < ocl_graph_num_outputs(graph); i++) {
    const ocl_graph_tensor output = ocl_graph_output(graph, i);
    hash_bytes(j, output.data, output.size_bytes);
  }
  return OCL_OK;
}

static ocl_status detect(journey* j) {
  const ocl_ssd_options options = {
      .score_threshold = 0.1f, .iou_threshold = 0.5f, .max_per_class = 10, .max_total = 20, .is_clipped = true};
  const ocl_session_detection* found;
  int32_t count;
  if (ocl_session_num_classes(j->session) == 0) return OCL_OK;
  OCL_TRY(ocl_session_detect(j->session, &options, NULL, 0, &found, &count));
  hash_bytes(j, found, (size_t)count * sizeof *found);
  return OCL_OK;
}

static ocl_status upright(journey* j) {
  const ocl_pixels pixels = ocl_session_pixels(j->session);
  uint8_t* rgb = malloc((size_t)pixels.width_px * (size_t)pixels.height_px * 3);
  const ocl_status status = rgb == NULL ? OCL_OUT_OF_MEMORY : ocl_session_upright(j->session, 0xFFFFFF, rgb);
  if (status == OCL_OK) hash_bytes(j, rgb, (size_t)pixels.width_px * (size_t)pixels.height_px * 3);
  free(rgb);
  return status;
}

// After OUT_OF_MEMORY `run` fails until the batch is set.
static ocl_status use_features(journey* j) {
  OCL_TRY(ocl_session_set_batch(j->session, 1));
  const ocl_status status = ocl_session_use_features(j->session, 0, false);
  if (status == OCL_FEATURES_UNUSABLE) return ocl_session_set_batch(j->session, 1);
  return status;
}

static ocl_status pool(journey* j) {
  const int32_t length = ocl_session_features_length(j->session);
  if (length == 0) return OCL_OK;
  float* features = malloc((size_t)length * sizeof *features);
  const ocl_status status = features == NULL ? OCL_OUT_OF_MEMORY : ocl_session_pool_image(j->session, 0, features);
  if (status == OCL_OK) hash_bytes(j, features, (size_t)length * sizeof *features);
  free(features);
  return status;
}

static ocl_status set_batch(journey* j) {
  const ocl_status status = ocl_session_set_batch(j->session, 2);
  return status == OCL_BATCH_NOT_FREE || status == OCL_MODEL_BAD_GRAPH ? ocl_session_set_batch(j->session, 1) : status;
}

typedef ocl_status (*step)(journey* j);
static const step kSteps[] = {create,  open,   build,     choose_columns, close,        use_heads, decode,
                              upright, fill,   run,       detect,         use_features, fill,      run,
                              pool,    detect, set_batch, fill,           run};

// ---- failures ----

// A network whose memory could not be planned does not run, and one that could be does.
static void try_run(const journey* j) {
  if (j->session == NULL || ocl_session_graph(j->session) == NULL) return;
  const ocl_status status = ocl_session_run(j->session, NULL);
  if (status != OCL_OK) CHECK_STATUS(status, OCL_INVALID_ARGUMENT);
}

// The way, with one failure; *failed_out: that the n-th allocation was reached.
static uint32_t travel(journey* j, int64_t n, bool is_lasting) {
  j->hash = 2166136261u;
  j->session = NULL;
  fail_at(n, is_lasting);
  for (size_t i = 0; i < sizeof kSteps / sizeof *kSteps; i++) {
    const uint32_t before = j->hash;
    const bool had_failed = failing.has_failed;
    ocl_status status = kSteps[i](j);
    if (failing.has_failed && !had_failed && status == OCL_OK) printf("# step %d survives\n", (int)i);
    if (failing.has_failed && status != OCL_OK) {
      CHECK_STATUS(status, OCL_OUT_OF_MEMORY);
      fail_no_more();
      failing.has_failed = true;  // once is enough
      if (kSteps[i] == set_batch || kSteps[i] == use_features) try_run(j);
      j->hash = before;
      status = kSteps[i](j);
    }
    CHECK_STATUS(status, OCL_OK);
    if (status != OCL_OK) {
      printf("# step %d, allocation %lld, %s\n", (int)i, (long long)n, ocl_session_detail(j->session));
      break;
    }
  }
  fail_no_more();
  ocl_session_destroy(j->session);
  return j->hash;
}

static void check_journey(journey* j, int64_t every, const char* name) {
  const uint32_t expected = travel(j, -1, false);
  const int64_t live = failing.num_live, calls_before = failing.num_calls;
  travel(j, -1, false);
  const int64_t num_calls = failing.num_calls - calls_before;
  CHECK(failing.num_live == live);
  for (int64_t n = 0; n < num_calls && check_failures_in_test == 0; n += every) {
    for (int is_lasting = 0; is_lasting < 2; is_lasting++) {
      const uint32_t found = travel(j, n, is_lasting);
      CHECK(found == expected);
      CHECK(failing.num_live == live);
    }
    if (check_failures_in_test > 0) printf("# %s: allocation %lld of %lld\n", name, (long long)n, (long long)num_calls);
  }
}

static void detectors(void) {
  size_t size_bytes;
  uint8_t* model = read_below("build/native/cases", "detector.tflite", &size_bytes);
  journey j = {.model = model, .model_bytes = size_bytes, .has_heads = true};
  j.photo = kBaselineJpeg, j.photo_bytes = sizeof kBaselineJpeg;
  check_journey(&j, 1, "detector");
  j.photo = kProgressiveJpeg, j.photo_bytes = sizeof kProgressiveJpeg;
  check_journey(&j, 1, "detector");
  free(model);
}

// One journey for each model of the list; without $OCELLI_SOAK some models, those that are planned again among them,
// and some allocations of each.
static void models(void) {
  const bool is_whole = getenv("OCELLI_SOAK") != NULL;
  FILE* list = fopen("build/native/cases/models.txt", "r");
  if (list == NULL) abort();
  char path[400];
  for (int i = 0; fscanf(list, "%399s", path) == 1; i++) {
    if (!is_whole && i % 5 != 0 && strstr(path, "/free_batch_") == NULL) continue;
    size_t size_bytes;
    uint8_t* model = read_below("", path, &size_bytes);
    journey j = {.model = model, .model_bytes = size_bytes, .photo = kGreyJpeg, .photo_bytes = sizeof kGreyJpeg};
    check_journey(&j, is_whole ? 1 : 5, path);
    free(model);
  }
  fclose(list);
}

// An image of each format, decoded by a session that has no network.
static void images(void) {
  const file tiff = make_tiff(true, 3, 1, 6), jpeg = make_jpeg();
  const file files[] = {make_rgb_png(9, 7),
                        make_interlaced_png(9, 7),
                        make_png_row(8, 16, 0, kCells, sizeof kCells - 2),
                        make_small_bmp(),
                        make_gif(12, 5),
                        add_exif(&jpeg, &tiff),
                        copy_of(kCmykJpeg, sizeof kCmykJpeg)};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    bool has_failed = true;
    uint32_t expected = 0;
    const int64_t live = failing.num_live;
    for (int64_t n = -1; has_failed && check_failures_in_test == 0; n++) {
      journey j = {.photo = files[i].bytes, .photo_bytes = files[i].size_bytes};
      CHECK_STATUS(create(&j), OCL_OK);
      fail_at(n, n % 2 == 0);
      const ocl_status status = decode(&j);
      has_failed = n < 0 || failing.has_failed;
      CHECK(status == (has_failed && n >= 0 ? OCL_OUT_OF_MEMORY : OCL_OK));
      fail_no_more();
      CHECK_STATUS(decode(&j), OCL_OK);
      CHECK_STATUS(upright(&j), OCL_OK);
      if (n < 0) expected = j.hash;
      CHECK(j.hash == expected);
      ocl_session_destroy(j.session);
      CHECK(failing.num_live == live);
      if (check_failures_in_test > 0) printf("# file %d, allocation %d: %s\n", (int)i, (int)n, ocl_status_name(status));
    }
  }
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) free(files[i].bytes);
  free(tiff.bytes);
  free(jpeg.bytes);
}

static ocl_status train(uint32_t* hash) {
  const ocl_layer layers[] = {
      {.kind = OCL_POINTWISE,
       .channels = 6,
       .norm = OCL_NORM_LIVE,
       .activation = OCL_LAYER_RELU6,
       .added = -1,
       .epsilon = 1e-3f,
       .momentum = 0.9f},
      {.kind = OCL_DEPTHWISE,
       .channels = 6,
       .stride = 1,
       .size = 3,
       .norm = OCL_NORM_FROZEN,
       .added = 1,
       .epsilon = 1e-3f},
      {.kind = OCL_POOL, .channels = 6, .added = -1},
      {.kind = OCL_POINTWISE, .channels = 3, .norm = OCL_NORM_BIAS, .added = -1},
  };
  const ocl_optimizer optimizer = {.kind = OCL_ADAM, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7};
  ocl_trainer* trainer;
  OCL_TRY(ocl_trainer_create(layers, 4, (ocl_trainer_shape){4, 4, 5, 2}, &optimizer, &trainer));
  const ocl_trainer_buffers b = ocl_trainer_get_buffers(trainer);
  for (int32_t i = 0; i < b.num_parameters; i++) b.parameters[i] = (float)(i % 7) / 7 + 0.1f;
  for (int32_t i = 0; i < 2 * 4 * 4 * 5; i++) b.input[i] = (float)(i % 11) / 11;
  b.labels[0] = 0, b.labels[1] = 2;
  ocl_trainer_result result = {0};
  const ocl_status status = ocl_trainer_step(trainer, &(ocl_trainer_batch){.rows = 2}, 1, 0.1f, &result);
  for (int32_t i = 0; status == OCL_OK && i < b.num_parameters; i++) {
    uint32_t bits;
    memcpy(&bits, &b.parameters[i], 4);
    *hash = (*hash ^ bits) * 16777619u;
  }
  ocl_trainer_destroy(trainer);
  return status;
}

static void training(void) {
  uint32_t expected = 1;
  const int64_t before = failing.num_calls;
  CHECK_STATUS(train(&expected), OCL_OK);
  const int64_t num_calls = failing.num_calls - before, live = failing.num_live;
  CHECK(num_calls > 1);
  for (int64_t n = 0; n < num_calls; n++) {
    uint32_t found = 1;
    fail_at(n, n % 2 == 1);
    CHECK_STATUS(train(&found), OCL_OUT_OF_MEMORY);
    fail_no_more();
    found = 1;
    CHECK_STATUS(train(&found), OCL_OK);
    CHECK(found == expected && failing.num_live == live);
  }
}

int main(void) {
  become_machine(&kMachines[NUM_MACHINES - 1]);
  RUN(detectors);
  RUN(models);
  RUN(images);
  RUN(training);
  return check_failed_tests;
}
