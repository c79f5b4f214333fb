#include "ssd_cases.h"

// ---- random heads against the definition, written plainly in double

typedef struct {
  double box[4], score;
  int32_t class_id, anchor;
  bool is_alive;
} plain;

static uint32_t random_state = 1;
static uint32_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}
static double uniform(double low, double high) {
  return low + (high - low) * (next_random() / 4294967296.0);
}

static int compare_plain(const void* a, const void* b) {
  const plain *x = a, *y = b;
  if (x->is_alive != y->is_alive) return x->is_alive ? -1 : 1;
  if (x->score != y->score) return x->score > y->score ? -1 : 1;
  if (x->anchor != y->anchor) return x->anchor < y->anchor ? -1 : 1;
  return x->class_id - y->class_id;
}

static double plain_iou(const plain* a, const plain* b) {
  const double height = fmin(a->box[2], b->box[2]) - fmax(a->box[0], b->box[0]);
  const double width = fmin(a->box[3], b->box[3]) - fmax(a->box[1], b->box[1]);
  const double common = fmax(height, 0) * fmax(width, 0);
  return common / ((a->box[2] - a->box[0]) * (a->box[3] - a->box[1]) +
                   (b->box[2] - b->box[0]) * (b->box[3] - b->box[1]) - common);
}

static double plain_score(const float* row, int32_t num_columns, int32_t column, ocl_ssd_converter converter) {
  if (converter == OCL_SSD_NONE) return row[column];
  if (converter == OCL_SSD_SIGMOID) return 1 / (1 + exp(-(double)row[column]));
  double sum = 0;
  for (int32_t c = 0; c < num_columns; c++) sum += exp((double)row[c] - row[column]);
  return 1 / sum;
}

// An anchor's pairs are all suppressed but the best, if class-agnostic.
static void leave_best_class(plain* pairs, int32_t count) {
  for (int32_t i = 0; i < count; i++)
    for (int32_t j = 0; j < i; j++)
      if (pairs[j].anchor == pairs[i].anchor) pairs[i].is_alive = false;
}

// Sorted pairs: each that lives kills what it overlaps of the later ones.
static void suppress(plain* pairs, int32_t count, const ocl_ssd_options* options) {
  int32_t num_of_class[64] = {0};
  for (int32_t i = 0; i < count; i++) {
    if (!pairs[i].is_alive) continue;
    int32_t* num = &num_of_class[options->is_class_agnostic ? 0 : pairs[i].class_id];
    if (++*num > (options->is_class_agnostic ? options->max_total : options->max_per_class)) {
      pairs[i].is_alive = false;
      continue;
    }
    for (int32_t j = i + 1; j < count; j++)
      if ((options->is_class_agnostic || pairs[j].class_id == pairs[i].class_id) &&
          plain_iou(&pairs[i], &pairs[j]) > options->iou_threshold)
        pairs[j].is_alive = false;
  }
}

static void clip(plain* pairs, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    double* box = pairs[i].box;
    for (int32_t k = 0; k < 4; k++) box[k] = fmin(fmax(box[k], 0), 1);
    if (box[0] >= box[2] || box[1] >= box[3]) pairs[i].is_alive = false;
  }
}

static void check_against_plain(const ocl_ssd_config* config, const ocl_ssd_options* options) {
  const int32_t n = config->num_anchors, num_columns = config->num_columns, first = config->background_column + 1;
  float* encodings = malloc((size_t)n * 4 * sizeof *encodings);
  float* scores = malloc((size_t)(n * num_columns) * sizeof *scores);
  plain* pairs = malloc((size_t)(n * num_columns) * sizeof *pairs);
  for (int32_t i = 0; i < 4 * n; i++) encodings[i] = (float)uniform(-3, 3);
  // Steps of 1/16: many exact ties.
  for (int32_t i = 0; i < n * num_columns; i++)
    scores[i] = (float)(config->converter == OCL_SSD_NONE ? next_random() % 64 / 64.0 : next_random() % 128 / 16.0 - 6);
  int32_t count = 0;
  for (int32_t a = 0; a < n; a++)
    for (int32_t c = first; c < num_columns; c++) {
      if (options->allowed_classes != NULL && !options->allowed_classes[c - first]) continue;
      plain p = {.anchor = a, .class_id = c - first, .is_alive = true};
      p.score = plain_score(&scores[a * num_columns], num_columns, c, config->converter);
      const float *t = &encodings[4 * a], *anchor = &config->anchors[4 * a];
      for (int32_t k = 0; k < 2; k++) {
        const double centre = t[k] / 10.0 * anchor[2 + k] + anchor[k], size = exp(t[2 + k] / 5.0) * anchor[2 + k];
        p.box[k] = centre - size / 2;
        p.box[2 + k] = centre + size / 2;
      }
      if (p.score > options->score_threshold) pairs[count++] = p;
    }
  qsort(pairs, (size_t)count, sizeof *pairs, compare_plain);
  if (options->is_class_agnostic) leave_best_class(pairs, count);
  suppress(pairs, count, options);
  if (options->is_clipped) clip(pairs, count);
  qsort(pairs, (size_t)count, sizeof *pairs, compare_plain);
  int32_t num_expected = 0;
  while (num_expected < count && pairs[num_expected].is_alive && num_expected < options->max_total) num_expected++;

  ocl_ssd* ssd;
  CHECK_STATUS(ocl_ssd_create(config, &ssd), OCL_OK);
  const ocl_ssd_detection* found;
  int32_t num_found;
  CHECK_STATUS(ocl_ssd_detect(ssd, encodings, scores, options, &found, &num_found), OCL_OK);
  CHECK(num_found == num_expected);
  for (int32_t i = 0; i < num_found && i < num_expected; i++) {
    CHECK(found[i].anchor_index == pairs[i].anchor && found[i].class_id == pairs[i].class_id);
    CHECK_NEAR(found[i].score, pairs[i].score, 1e-6);
    CHECK_NEAR(found[i].y_min, pairs[i].box[0], 1e-5);
    CHECK_NEAR(found[i].x_min, pairs[i].box[1], 1e-5);
    CHECK_NEAR(found[i].y_max, pairs[i].box[2], 1e-5);
    CHECK_NEAR(found[i].x_max, pairs[i].box[3], 1e-5);
  }
  ocl_ssd_destroy(ssd);
  free(encodings);
  free(scores);
  free(pairs);
}

static void random_heads_equal_the_definition(void) {
  static const ocl_ssd_converter converters[] = {OCL_SSD_SIGMOID, OCL_SSD_NONE, OCL_SSD_SOFTMAX};
  for (int32_t round = 0; round < 120; round++) {
    const int32_t n = 1 + (int32_t)(next_random() % 90), num_columns = 2 + (int32_t)(next_random() % 40);
    float* anchors = malloc((size_t)n * 4 * sizeof *anchors);
    for (int32_t i = 0; i < 4 * n; i++) anchors[i] = (float)(i % 4 < 2 ? uniform(-0.1, 1.1) : uniform(0.1, 0.5));
    uint8_t allowed[64];
    for (int32_t i = 0; i < 64; i++) allowed[i] = next_random() % 2;
    ocl_ssd_config config = config_of(n, num_columns, converters[round % 3], anchors);
    config.background_column = (int32_t)(next_random() % 2) - 1;
    ocl_ssd_options options = {.score_threshold = (float)uniform(0, round % 3 == 2 ? 0.2 : 0.9),
                               .iou_threshold = (float)uniform(0, 1),
                               .max_per_class = 1 + (int32_t)(next_random() % 30),
                               .max_total = 1 + (int32_t)(next_random() % 100),
                               .is_class_agnostic = next_random() % 2,
                               .is_clipped = next_random() % 2,
                               .allowed_classes = next_random() % 2 ? allowed : NULL};
    if (round % 10 == 0) options.score_threshold = 0;
    check_against_plain(&config, &options);
    free(anchors);
  }
}

// ---- single cases: with encodings of 0, boxes are their anchors

typedef struct {
  const float* anchors;  // [num_anchors, 4]
  int32_t num_anchors, num_columns;
  const float* scores;
} still;

static int32_t detect_still(const still* heads, ocl_ssd_converter converter, const ocl_ssd_options* options,
                            ocl_ssd_detection* detections_out) {
  ocl_ssd_config config = config_of(heads->num_anchors, heads->num_columns, converter, heads->anchors);
  config.background_column = -1;
  float* encodings = calloc((size_t)heads->num_anchors * 4, sizeof *encodings);
  ocl_ssd* ssd;
  CHECK_STATUS(ocl_ssd_create(&config, &ssd), OCL_OK);
  const ocl_ssd_detection* found;
  int32_t count = 0;
  CHECK_STATUS(ocl_ssd_detect(ssd, encodings, heads->scores, options, &found, &count), OCL_OK);
  memcpy(detections_out, found, (size_t)count * sizeof *found);
  ocl_ssd_destroy(ssd);
  free(encodings);
  return count;
}

static void thresholds_are_strict(void) {
  // Boxes [0 0 1 1] and [0 0 1 0.5]: an intersection over union of exactly 0.5.
  static const float anchors[] = {0.5f, 0.5f, 1, 1, 0.5f, 0.25f, 1, 0.5f};
  static const float scores[] = {0.75f, 0.5f};
  const still heads = {anchors, 2, 1, scores};
  ocl_ssd_options options = kOptions;
  ocl_ssd_detection found[8];
  options.score_threshold = 0.5f;
  options.iou_threshold = 0.5f;
  CHECK(detect_still(&heads, OCL_SSD_NONE, &options, found) == 1);
  options.score_threshold = nextafterf(0.5f, 0);
  CHECK(detect_still(&heads, OCL_SSD_NONE, &options, found) == 2);
  options.iou_threshold = nextafterf(0.5f, 0);
  CHECK(detect_still(&heads, OCL_SSD_NONE, &options, found) == 1);

  static const float logits[] = {2, 0};  // sigmoid(0) is exactly 0.5
  const still logit_heads = {anchors, 2, 1, logits};
  options.iou_threshold = 0.5f;
  CHECK(detect_still(&logit_heads, OCL_SSD_SIGMOID, &options, found) == 2);
  options.score_threshold = 0.5f;
  CHECK(detect_still(&logit_heads, OCL_SSD_SIGMOID, &options, found) == 1);
  options.score_threshold = 1;
  CHECK(detect_still(&logit_heads, OCL_SSD_SIGMOID, &options, found) == 0);
}

static void boxes_outside_are_dropped_after_suppression(void) {
  // 0 lies outside and suppresses nothing; 1 is without area and overlaps nothing, itself included; 2 suppresses 3.
  static const float anchors[] = {-0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0,    0.5f, 0.1f, 0.5f,
                                  0.4f,  0.5f, 0.1f, 0.5f, 0.4f, 0.5f, 0.8f, 0.8f, 0.2f, 0.2f};
  static const float scores[] = {0.9f, 0.8f, 0.7f, 0.6f, 0.5f};
  const still heads = {anchors, 5, 1, scores};
  ocl_ssd_options options = kOptions;
  ocl_ssd_detection found[8];
  options.max_total = 2;
  CHECK(detect_still(&heads, OCL_SSD_NONE, &options, found) == 2);
  CHECK(found[0].anchor_index == 2 && found[1].anchor_index == 4);
  CHECK_NEAR(found[0].y_min, 0, 0);
  CHECK_NEAR(found[0].y_max, 0.3, 1e-7);
  options.is_clipped = false;
  CHECK(detect_still(&heads, OCL_SSD_NONE, &options, found) == 2);
  CHECK(found[0].anchor_index == 0 && found[1].anchor_index == 1);
  CHECK_NEAR(found[0].y_min, -0.75, 0);
  // Suppression takes max_per_class first, so what it took and clipping dropped is not replaced.
  options = kOptions;
  options.max_per_class = 3;
  CHECK(detect_still(&heads, OCL_SSD_NONE, &options, found) == 1);
  CHECK(found[0].anchor_index == 2);
}

// Sides that are not exponentials may be negative: of height, of width, of both.
static void linear_boxes_have_no_negative_sides(void) {
  static const float places[2][4] = {{0.2f, 0.7f, 0.1f, 0.1f}, {0.7f, 0.2f, 0.1f, 0.1f}};
  static const float sides[4][4] = {{0, 0, 2, 1}, {0, 0, -2, 1}, {0, 0, 2, -1}, {0, 0, -2, -1}};
  static const float scores[] = {0.3f, 0.5f, 0.6f, 0.7f, 0.3f, 0.5f, 0.6f, 0.7f};
  float anchors[8][4], encodings[8][4];
  for (int32_t i = 0; i < 8; i++) {
    memcpy(anchors[i], places[i / 4], sizeof anchors[i]);
    memcpy(encodings[i], sides[i % 4], sizeof encodings[i]);
  }
  ocl_ssd_config config = config_of(8, 1, OCL_SSD_NONE, anchors[0]);
  config.background_column = -1;
  config.is_size_linear = true;
  for (int32_t i = 0; i < 4; i++) config.box_scales[i] = 1;
  ocl_ssd_options options = kOptions;
  options.is_clipped = false;
  ocl_ssd* ssd;
  const ocl_ssd_detection* found;
  int32_t count;
  CHECK_STATUS(ocl_ssd_create(&config, &ssd), OCL_OK);
  CHECK_STATUS(ocl_ssd_detect(ssd, encodings[0], scores, &options, &found, &count), OCL_OK);
  CHECK(count == 2 && found[0].anchor_index == 0 && found[1].anchor_index == 4);
  CHECK_NEAR(found[0].y_max - found[0].y_min, 0.2, 1e-6);
  CHECK_NEAR(found[0].x_max - found[0].x_min, 0.1, 1e-6);
  ocl_ssd_destroy(ssd);
}

static void ties_go_to_the_lower_anchor_then_class(void) {
  static const float anchors[] = {0.8f, 0.8f, 0.1f, 0.1f, 0.5f, 0.5f, 0.1f, 0.1f, 0.2f, 0.2f, 0.1f, 0.1f};
  // Sigmoids that round to 1: 40 is not better than 30.
  static const float logits[] = {30, 40, 50, 60, 70, 30};
  const still heads = {anchors, 3, 2, logits};
  ocl_ssd_detection found[8];
  CHECK(detect_still(&heads, OCL_SSD_SIGMOID, &kOptions, found) == 6);
  for (int32_t i = 0; i < 6; i++) CHECK(found[i].anchor_index == i / 2 && found[i].class_id == i % 2);
  ocl_ssd_options options = kOptions;
  options.is_class_agnostic = true;
  CHECK(detect_still(&heads, OCL_SSD_SIGMOID, &options, found) == 3);
  for (int32_t i = 0; i < 3; i++) CHECK(found[i].anchor_index == i && found[i].class_id == 0);
}

static void softmax_of_large_logits_is_exact(void) {
  static const float anchors[] = {0.5f, 0.5f, 0.1f, 0.1f};
  static const float logits[] = {1000, 1000, -1000};
  const still heads = {anchors, 1, 3, logits};
  ocl_ssd_options options = kOptions;
  ocl_ssd_detection found[8];
  CHECK(detect_still(&heads, OCL_SSD_SOFTMAX, &options, found) == 2);
  CHECK_NEAR(found[0].score, 0.5, 0);
  options.score_threshold = 0.5f;
  CHECK(detect_still(&heads, OCL_SSD_SOFTMAX, &options, found) == 0);
}

// Poisoned heads: no crash, nothing that is not finite comes out, and the anchors that are whole come out as before.
static void what_is_not_finite_is_dropped(void) {
  enum { N = 50, COLUMNS = 7 };
  static const float poison[] = {NAN, INFINITY, -INFINITY, 1e38f, -1e38f};
  float anchors[N * 4], encodings[N * 4], scores[N * COLUMNS];
  for (int32_t i = 0; i < N; i++) {
    const float anchor[4] = {(float)(i / 10) * 0.2f + 0.1f, (float)(i % 10) * 0.1f + 0.05f, 0.1f, 0.05f};
    memcpy(&anchors[4 * i], anchor, sizeof anchor);
  }
  for (int32_t round = 0; round < 300; round++) {
    bool is_poisoned[N] = {false};
    for (int32_t i = 0; i < N * 4; i++) encodings[i] = 0;
    for (int32_t i = 0; i < N * COLUMNS; i++) scores[i] = (float)uniform(0.1, 0.9);
    for (int32_t i = 0; i < 20; i++) {
      const int32_t anchor = (int32_t)(next_random() % N);
      is_poisoned[anchor] = true;
      const float bad = poison[next_random() % 5];
      if (next_random() % 2) {
        encodings[anchor * 4 + (int32_t)(next_random() % 4)] = bad;
      } else {
        scores[anchor * COLUMNS + (int32_t)(next_random() % COLUMNS)] = bad;
      }
    }
    ocl_ssd_config config = config_of(N, COLUMNS, (ocl_ssd_converter)(round % 3), anchors);
    ocl_ssd* ssd;
    CHECK_STATUS(ocl_ssd_create(&config, &ssd), OCL_OK);
    ocl_ssd_options options = kOptions;
    options.max_total = 400;
    options.is_clipped = round % 2;
    options.is_class_agnostic = round / 2 % 2;
    if (round % 5 == 0) options.score_threshold = 0;
    const ocl_ssd_detection* found;
    int32_t count, num_whole = 0, num_expected = 0;
    CHECK_STATUS(ocl_ssd_detect(ssd, encodings, scores, &options, &found, &count), OCL_OK);
    for (int32_t i = 0; i < count; i++) {
      CHECK(isfinite(found[i].y_min) && isfinite(found[i].x_min) && isfinite(found[i].y_max) &&
            isfinite(found[i].x_max) && isfinite(found[i].score));
      num_whole += !is_poisoned[found[i].anchor_index];
    }
    for (int32_t i = 0; i < N; i++) num_expected += is_poisoned[i] ? 0 : options.is_class_agnostic ? 1 : COLUMNS - 1;
    // A finite but huge box may suppress whole ones.
    CHECK(num_whole <= num_expected && num_whole >= num_expected / 2);
    ocl_ssd_destroy(ssd);
  }
}

// Every score is above the threshold and above every score of the class before: none can be left out early, and an
// algorithm that compared each with each would not end.
static void all_above_the_threshold_gives_the_best(void) {
  enum { CLASSES = 601 };
  float* anchors = default_anchors();
  ocl_ssd_config config = config_of(NUM_ANCHORS, CLASSES, OCL_SSD_SIGMOID, anchors);
  config.background_column = -1;
  float* encodings = calloc(NUM_ANCHORS * 4, sizeof *encodings);
  float* scores = malloc((size_t)NUM_ANCHORS * CLASSES * sizeof *scores);
  for (int32_t i = 0; i < NUM_ANCHORS * CLASSES; i++) scores[i] = (float)(i % CLASSES * 0.025 + uniform(-8, -7.975));
  ocl_ssd* ssd;
  CHECK_STATUS(ocl_ssd_create(&config, &ssd), OCL_OK);
  const ocl_ssd_detection* found;
  int32_t count;
  CHECK_STATUS(ocl_ssd_detect(ssd, encodings, scores, &kOptions, &found, &count), OCL_OK);
  CHECK(count == 100);
  for (int32_t i = 1; i < count; i++) CHECK(found[i].score <= found[i - 1].score);
  ocl_ssd_destroy(ssd);
  free(anchors);
  free(encodings);
  free(scores);
}

#define REJECTS_CONFIG(change)                                    \
  do {                                                            \
    ocl_ssd_config c = config_of(1, 3, OCL_SSD_SIGMOID, anchor);  \
    ocl_ssd* ssd;                                                 \
    change;                                                       \
    CHECK_STATUS(ocl_ssd_create(&c, &ssd), OCL_INVALID_ARGUMENT); \
    CHECK(ssd == NULL);                                           \
  } while (0)

#define REJECTS_OPTION(change)                                                                   \
  do {                                                                                           \
    ocl_ssd_options o = kOptions;                                                                \
    const ocl_ssd_detection* found;                                                              \
    int32_t count;                                                                               \
    change;                                                                                      \
    CHECK_STATUS(ocl_ssd_detect(ssd, anchor, anchor, &o, &found, &count), OCL_INVALID_ARGUMENT); \
  } while (0)

static void arguments_out_of_range_are_rejected(void) {
  static const float anchor[4] = {0.5f, 0.5f, 0.1f, 0.1f};
  static const float bad_anchor[4] = {0.5f, NAN, 0.1f, 0.1f};
  REJECTS_CONFIG(c.num_anchors = 0);
  REJECTS_CONFIG(c.num_anchors = INT32_MAX);
  REJECTS_CONFIG(c.num_columns = 1);  // the background
  REJECTS_CONFIG(c.num_columns = INT32_MAX);
  REJECTS_CONFIG(c.num_columns = INT32_MIN);
  REJECTS_CONFIG(c.num_other_columns = -1);
  REJECTS_CONFIG(c.num_other_columns = INT32_MAX);
  REJECTS_CONFIG(c.background_column = 1);
  REJECTS_CONFIG(c.converter = (ocl_ssd_converter)3);
  REJECTS_CONFIG(c.box_scales[2] = 0);
  REJECTS_CONFIG(c.box_scales[0] = NAN);
  REJECTS_CONFIG(c.anchors = bad_anchor);
  REJECTS_CONFIG(c.max_total = 0);
  REJECTS_CONFIG(c.max_total = OCL_SSD_MAX_RESULTS + 1);
  ocl_ssd_config config = config_of(1, 3, OCL_SSD_SIGMOID, anchor);
  ocl_ssd* ssd;
  config.max_total = OCL_SSD_MAX_RESULTS;
  CHECK_STATUS(ocl_ssd_create(&config, &ssd), OCL_OK);
  ocl_ssd_destroy(ssd);
  config.max_total = 400;
  CHECK_STATUS(ocl_ssd_create(&config, &ssd), OCL_OK);
  REJECTS_OPTION(o.score_threshold = -0.1f);
  REJECTS_OPTION(o.score_threshold = NAN);
  REJECTS_OPTION(o.iou_threshold = 1.1f);
  REJECTS_OPTION(o.max_per_class = 0);
  REJECTS_OPTION(o.max_total = 0);
  REJECTS_OPTION(o.max_total = 401);
  ocl_ssd_options widest = {
      .score_threshold = 1, .iou_threshold = 1, .max_per_class = INT32_MAX, .max_total = OCL_SSD_MAX_RESULTS};
  CHECK_STATUS(ocl_ssd_check_options(&widest), OCL_OK);
  widest.max_total++;
  CHECK_STATUS(ocl_ssd_check_options(&widest), OCL_INVALID_ARGUMENT);
  ocl_ssd_destroy(ssd);
  ocl_ssd_destroy(NULL);
}

int main(void) {
  RUN(random_heads_equal_the_definition);
  RUN(thresholds_are_strict);
  RUN(boxes_outside_are_dropped_after_suppression);
  RUN(linear_boxes_have_no_negative_sides);
  RUN(ties_go_to_the_lower_anchor_then_class);
  RUN(softmax_of_large_logits_is_exact);
  RUN(what_is_not_finite_is_dropped);
  RUN(all_above_the_threshold_gives_the_best);
  RUN(arguments_out_of_range_are_rejected);
  return check_failed_tests;
}
