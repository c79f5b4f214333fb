#include "check.h"
#include "detect/detection_postprocess.h"
#include "test_data.h"

static ocl_detection_postprocess_params default_params(void) {
  return (ocl_detection_postprocess_params){.max_detections = 4,
                                            .max_classes_per_detection = 1,
                                            .detections_per_class = 100,
                                            .num_classes = 2,
                                            .nms_score_threshold = 0.3f,
                                            .nms_iou_threshold = 0.5f,
                                            .box_scales = {10, 10, 5, 5}};
}

typedef struct {
  int32_t num_rows;
  float *boxes, *classes, *scores, count;
} result;

static void free_result(result* r) {
  free(r->boxes);
  free(r->classes);
  free(r->scores);
}

// Every array has its exact size, for ASan, and outputs start as NaN, to see that they are written whole.
static result run(const ocl_detection_postprocess_params* params, int32_t num_anchors, int32_t num_columns,
                  const float* encodings, const float* scores, const float* anchors) {
  ocl_detection_postprocess* p;
  CHECK_STATUS(ocl_detection_postprocess_create(params, &p, NULL), OCL_OK);
  size_t scratch_bytes;
  CHECK_STATUS(ocl_detection_postprocess_scratch_size(p, num_anchors, num_columns, &scratch_bytes, NULL), OCL_OK);
  result r = {.num_rows = ocl_detection_postprocess_num_rows(p)};
  const size_t num_rows = (size_t)r.num_rows;
  void* scratch = malloc(scratch_bytes);
  r.boxes = malloc(num_rows * 16);
  r.classes = malloc(num_rows * 4);
  r.scores = malloc(num_rows * 4);
  for (size_t i = 0; i < num_rows; i++) r.classes[i] = r.scores[i] = r.boxes[4 * i + i % 4] = NAN;
  ocl_detection_postprocess_run(p, num_anchors, num_columns, encodings, scores, anchors, scratch, r.boxes, r.classes,
                                r.scores, &r.count);
  free(scratch);
  ocl_detection_postprocess_destroy(p);
  return r;
}

static void check_row(const result* r, int32_t row, double class_id, double score) {
  CHECK_NEAR(r->classes[row], class_id, 0);
  CHECK_NEAR(r->scores[row], score, 1e-6);
}

static void check_zero_from(const result* r, int32_t first_row) {
  for (int32_t row = first_row; row < r->num_rows; row++) {
    check_row(r, row, 0, 0);
    for (int32_t k = 0; k < 4; k++) CHECK_NEAR(r->boxes[4 * row + k], 0, 0);
  }
}

// ---- golden data: TFLite's own runs of small detectors with the operator

// The heads and the operator's outputs are all outputs of the file; three pictures.
static void check_golden(const char* model, const ocl_detection_postprocess_params* params) {
  enum { N = 162, COLUMNS = 6, PICTURES = 3 };
  float* output[6];
  size_t size_bytes;
  for (int32_t i = 0; i < 6; i++) {
    char path[100];
    snprintf(path, sizeof path, "models/%s.output%d.bin", model, (int)i);
    output[i] = (float*)(void*)data_read(path, &size_bytes);
  }
  float* anchors = (float*)(void*)data_read("models/ssd_anchors.f32.bin", &size_bytes);
  CHECK(size_bytes == N * 16);
  for (int32_t i = 0; i < PICTURES * N * COLUMNS; i++) output[5][i] = 1 / (1 + expf(-output[5][i]));
  for (int32_t picture = 0; picture < PICTURES; picture++) {
    result r = run(params, N, COLUMNS, &output[4][picture * N * 4], &output[5][picture * N * COLUMNS], anchors);
    const int32_t first_row = picture * r.num_rows;
    CHECK_NEAR(r.count, output[3][picture], 0);
    for (int32_t row = 0; row < r.num_rows; row++) {
      check_row(&r, row, output[1][first_row + row], output[2][first_row + row]);
      for (int32_t k = 0; k < 4; k++) CHECK_NEAR(r.boxes[4 * row + k], output[0][4 * (first_row + row) + k], 1e-5);
    }
    free_result(&r);
  }
  free(anchors);
  for (int32_t i = 0; i < 6; i++) free(output[i]);
}

static void both_variants_equal_tflite(void) {
  ocl_detection_postprocess_params params = default_params();
  params.num_classes = 5;
  params.nms_iou_threshold = 0.6f;
  params.max_detections = 10;
  check_golden("ssd_fast_nms.fp32", &params);
  params.max_detections = 20;
  params.nms_score_threshold = 0.05f;
  params.use_regular_nms = true;
  check_golden("ssd_regular_nms.fp32", &params);
}

// ---- by hand: with encodings of 0 a box is its anchor

// 0 and 1 are the same box but for a tenth of its height, 2 and 3 lie apart.
static const float kAnchors[16] = {0.2f, 0.2f, 0.2f, 0.2f, 0.21f, 0.2f, 0.2f, 0.2f,
                                   0.7f, 0.7f, 0.2f, 0.4f, 0.2f,  0.7f, 0.1f, 0.1f};
static const float kNoEncodings[16] = {0};
// Background first.
static const float kScores[12] = {0.9f, 0.4f, 0.6f, 0, 0.8f, 0.7f, 0, 0.1f, 0.3f, 1, 0.2f, 0.29f};

static void fast_keeps_anchors(void) {
  ocl_detection_postprocess_params params = default_params();
  result r = run(&params, 4, 3, kNoEncodings, kScores, kAnchors);
  CHECK_NEAR(r.count, 2, 0);  // 1 suppresses 0; the threshold itself is enough for 2
  check_row(&r, 0, 0, 0.8);
  check_row(&r, 1, 1, 0.3);
  CHECK_NEAR(r.boxes[0], 0.11, 1e-6);
  CHECK_NEAR(r.boxes[1], 0.1, 1e-6);
  CHECK_NEAR(r.boxes[2], 0.31, 1e-6);
  CHECK_NEAR(r.boxes[3], 0.3, 1e-6);
  check_zero_from(&r, 2);
  free_result(&r);

  // Three rows an anchor for two classes: all its classes, the best first, whatever they score.
  params.max_classes_per_detection = 3;
  r = run(&params, 4, 3, kNoEncodings, kScores, kAnchors);
  CHECK_NEAR(r.count, 2, 0);
  CHECK(r.num_rows == 12);
  check_row(&r, 0, 0, 0.8);
  check_row(&r, 1, 1, 0.7);
  check_row(&r, 2, 0, 0);
  check_row(&r, 3, 1, 0.3);
  check_row(&r, 4, 0, 0.1);
  CHECK_NEAR(r.boxes[16], 0.6, 1e-6);
  check_zero_from(&r, 5);
  free_result(&r);

  params.max_detections = 1;
  r = run(&params, 4, 3, kNoEncodings, kScores, kAnchors);
  CHECK_NEAR(r.count, 1, 0);
  check_zero_from(&r, 2);
  free_result(&r);
}

static void regular_keeps_pairs(void) {
  ocl_detection_postprocess_params params = default_params();
  params.use_regular_nms = true;
  params.max_classes_per_detection = 2;  // only makes the outputs longer
  result r = run(&params, 4, 3, kNoEncodings, kScores, kAnchors);
  CHECK_NEAR(r.count, 3, 0);
  CHECK(r.num_rows == 8);
  check_row(&r, 0, 0, 0.8);
  check_row(&r, 1, 1, 0.7);
  check_row(&r, 2, 1, 0.3);
  check_zero_from(&r, 3);
  free_result(&r);

  params.detections_per_class = 1;
  r = run(&params, 4, 3, kNoEncodings, kScores, kAnchors);
  CHECK_NEAR(r.count, 2, 0);
  check_zero_from(&r, 2);
  free_result(&r);

  // Without a background column the first column is class 0.
  params = default_params();
  params.use_regular_nms = true;
  params.num_classes = 3;
  r = run(&params, 4, 3, kNoEncodings, kScores, kAnchors);
  CHECK_NEAR(r.count, 4, 0);
  check_row(&r, 0, 0, 1);
  check_row(&r, 1, 0, 0.9);
  check_row(&r, 2, 1, 0.8);
  check_row(&r, 3, 2, 0.7);
  free_result(&r);
}

static void boxes_that_are_none_are_no_candidates(void) {
  ocl_detection_postprocess_params params = default_params();
  params.nms_score_threshold = 0;
  for (int32_t use_regular = 0; use_regular < 2; use_regular++) {
    params.use_regular_nms = use_regular;
    const float encodings[16] = {0, NAN, 0, 0, 0, 0, 1e30f, 0};
    float anchors[16], scores[12];
    memcpy(anchors, kAnchors, sizeof anchors);
    memcpy(scores, kScores, sizeof scores);
    anchors[4 * 2 + 3] = -0.4f;  // corners out of order
    result r = run(&params, 4, 3, encodings, scores, anchors);
    CHECK_NEAR(r.count, use_regular ? 2 : 1, 0);  // anchor 3
    check_row(&r, 0, 1, 0.29);
    free_result(&r);
    scores[11] = INFINITY;
    scores[10] = NAN;
    r = run(&params, 4, 3, encodings, scores, anchors);
    CHECK_NEAR(r.count, 0, 0);
    check_zero_from(&r, 0);
    free_result(&r);
  }
}

// ---- random heads against the definition, written plainly in double

typedef struct {
  double score;
  int32_t anchor, class_id;
} pair;

static uint32_t random_state = 7;
static double uniform(double low, double high) {
  random_state = random_state * 1664525u + 1013904223u;
  return low + (high - low) * (random_state / 4294967296.0);
}
static int32_t pick(int32_t low, int32_t high) {
  return (int32_t)uniform(low, high + 1);
}

static int compare_pairs(const void* a, const void* b) {
  const pair *x = a, *y = b;
  if (x->score != y->score) return x->score > y->score ? -1 : 1;
  if (x->anchor != y->anchor) return x->anchor - y->anchor;
  return x->class_id - y->class_id;
}

static double plain_iou(const double* a, const double* b) {
  const double common = fmax(0, fmin(a[2], b[2]) - fmax(a[0], b[0])) * fmax(0, fmin(a[3], b[3]) - fmax(a[1], b[1]));
  return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common);
}

// Sorted pairs -> those that no better kept one overlaps, at most `max`. Returns how many.
static int32_t keep_apart(pair* pairs, int32_t count, const double* boxes, double iou_threshold, int32_t max) {
  int32_t num_kept = 0;
  for (int32_t i = 0; i < count && num_kept < max; i++) {
    int32_t num_over = 0;
    for (int32_t k = 0; k < num_kept; k++)
      num_over += plain_iou(&boxes[4 * pairs[i].anchor], &boxes[4 * pairs[k].anchor]) > iou_threshold;
    if (num_over == 0) pairs[num_kept++] = pairs[i];
  }
  return num_kept;
}

typedef struct {
  ocl_detection_postprocess_params params;
  int32_t n, num_columns;
  float *encodings, *anchors, *scores;
  double* boxes;
} heads;

static double score_of(const heads* h, int32_t anchor, int32_t class_id) {
  return h->scores[anchor * h->num_columns + h->num_columns - h->params.num_classes + class_id];
}

// The pairs of one class, or of every anchor's best class for class_id -1.
static int32_t sorted_pairs(const heads* h, int32_t class_id, pair* pairs) {
  int32_t count = 0;
  for (int32_t a = 0; a < h->n; a++) {
    int32_t c = class_id < 0 ? 0 : class_id;
    for (int32_t other = 0; class_id < 0 && other < h->params.num_classes; other++)
      if (score_of(h, a, other) > score_of(h, a, c)) c = other;
    if (score_of(h, a, c) >= h->params.nms_score_threshold) pairs[count++] = (pair){score_of(h, a, c), a, c};
  }
  qsort(pairs, (size_t)count, sizeof *pairs, compare_pairs);
  return count;
}

static void check_pair(const heads* h, const result* r, int32_t row, const pair* expected) {
  check_row(r, row, expected->class_id, expected->score);
  for (int32_t k = 0; k < 4; k++) CHECK_NEAR(r->boxes[4 * row + k], h->boxes[4 * expected->anchor + k], 1e-5);
}

static void check_regular(const heads* h, const result* r) {
  pair* all = malloc((size_t)(h->n * h->params.num_classes) * sizeof *all);
  int32_t total = 0;
  for (int32_t c = 0; c < h->params.num_classes; c++) {
    const int32_t count = sorted_pairs(h, c, &all[total]);
    total += keep_apart(&all[total], count, h->boxes, h->params.nms_iou_threshold, h->params.detections_per_class);
  }
  qsort(all, (size_t)total, sizeof *all, compare_pairs);
  if (total > h->params.max_detections) total = h->params.max_detections;
  CHECK_NEAR(r->count, total, 0);
  for (int32_t row = 0; row < total; row++) check_pair(h, r, row, &all[row]);
  check_zero_from(r, total);
  free(all);
}

static void check_fast(const heads* h, const result* r) {
  pair* kept = malloc((size_t)h->n * sizeof *kept);
  pair* classes = malloc((size_t)h->params.num_classes * sizeof *classes);
  const int32_t count = sorted_pairs(h, -1, kept);
  const int32_t num_kept = keep_apart(kept, count, h->boxes, h->params.nms_iou_threshold, h->params.max_detections);
  CHECK_NEAR(r->count, num_kept, 0);
  for (int32_t i = 0; i < num_kept; i++) {
    const int32_t anchor = kept[i].anchor, num_classes = h->params.num_classes;
    for (int32_t c = 0; c < num_classes; c++) classes[c] = (pair){score_of(h, anchor, c), anchor, c};
    qsort(classes, (size_t)num_classes, sizeof *classes, compare_pairs);
    for (int32_t k = 0; k < h->params.max_classes_per_detection; k++) {
      const int32_t row = i * h->params.max_classes_per_detection + k;
      if (k < num_classes) check_pair(h, r, row, &classes[k]);
      if (k >= num_classes) check_row(r, row, 0, 0);
    }
  }
  check_zero_from(r, num_kept * h->params.max_classes_per_detection);
  free(kept);
  free(classes);
}

static void random_heads_equal_the_definition(void) {
  for (int32_t round = 0; round < 200; round++) {
    heads h = {.params = {.max_detections = pick(1, 60),
                          .max_classes_per_detection = pick(1, 4),
                          .detections_per_class = pick(1, 40),
                          .num_classes = pick(1, 12),
                          .nms_score_threshold = (float)uniform(-0.1, 0.9),
                          .nms_iou_threshold = (float)uniform(0.05, 1),
                          .box_scales = {10, 8, 5, 4},
                          .use_regular_nms = round % 2},
               .n = pick(1, 200)};
    h.num_columns = h.params.num_classes + pick(0, 1);
    h.encodings = malloc((size_t)h.n * 16);
    h.anchors = malloc((size_t)h.n * 16);
    h.boxes = malloc((size_t)h.n * 4 * sizeof *h.boxes);
    h.scores = malloc((size_t)(h.n * h.num_columns) * 4);
    for (int32_t i = 0; i < h.n * 4; i++) {
      h.encodings[i] = (float)uniform(-3, 3);
      h.anchors[i] = (float)(i % 4 < 2 ? uniform(0, 1) : uniform(0.1, 0.5));
    }
    for (int32_t i = 0; i < h.n * h.num_columns; i++) h.scores[i] = (float)(pick(0, 255) / 255.0);  // ties
    for (int32_t i = 0; i < h.n * 2; i++) {
      const float *t = &h.encodings[i / 2 * 4], *anchor = &h.anchors[i / 2 * 4];
      const int32_t k = i % 2;
      const double centre = t[k] / h.params.box_scales[k] * anchor[2 + k] + anchor[k];
      const double size = exp(t[2 + k] / h.params.box_scales[2 + k]) * anchor[2 + k];
      h.boxes[i / 2 * 4 + k] = centre - size / 2;
      h.boxes[i / 2 * 4 + 2 + k] = centre + size / 2;
    }
    result r = run(&h.params, h.n, h.num_columns, h.encodings, h.scores, h.anchors);
    if (h.params.use_regular_nms) {
      check_regular(&h, &r);
    } else {
      check_fast(&h, &r);
    }
    free_result(&r);
    free(h.encodings);
    free(h.anchors);
    free(h.boxes);
    free(h.scores);
  }
}

#define REJECTS(change)                                                                              \
  do {                                                                                               \
    ocl_detection_postprocess_params p = default_params();                                           \
    ocl_detection_postprocess* postprocess;                                                          \
    ocl_detail detail = {""};                                                                        \
    change;                                                                                          \
    CHECK_STATUS(ocl_detection_postprocess_create(&p, &postprocess, &detail), OCL_MODEL_BAD_OPTION); \
    CHECK(postprocess == NULL && detail.text[0] != '\0');                                            \
  } while (0)

static void parameters_out_of_range_are_rejected(void) {
  REJECTS(p.max_detections = 0);
  REJECTS(p.max_detections = INT32_MAX);
  REJECTS(p.max_classes_per_detection = 0);
  REJECTS(p.max_classes_per_detection = INT32_MAX);
  REJECTS((p.max_detections = 65536, p.max_classes_per_detection = 65536));
  REJECTS(p.detections_per_class = 0);
  REJECTS(p.num_classes = 0);
  REJECTS(p.num_classes = INT32_MAX);
  REJECTS(p.nms_score_threshold = NAN);
  REJECTS(p.nms_iou_threshold = 0);
  REJECTS(p.nms_iou_threshold = 1.01f);
  REJECTS(p.nms_iou_threshold = NAN);
  for (int32_t i = 0; i < 4; i++) {
    REJECTS(p.box_scales[i] = 0);
    REJECTS(p.box_scales[i] = INFINITY);
  }
  const ocl_detection_postprocess_params params = default_params();
  ocl_detection_postprocess* p;
  size_t size_bytes;
  CHECK_STATUS(ocl_detection_postprocess_create(&params, &p, NULL), OCL_OK);
  CHECK_STATUS(ocl_detection_postprocess_scratch_size(p, 10, 1, &size_bytes, NULL), OCL_MODEL_BAD_GRAPH);
  CHECK_STATUS(ocl_detection_postprocess_scratch_size(p, 10, 4, &size_bytes, NULL), OCL_MODEL_BAD_GRAPH);
  CHECK_STATUS(ocl_detection_postprocess_scratch_size(p, 0, 3, &size_bytes, NULL), OCL_MODEL_BAD_GRAPH);
  CHECK_STATUS(ocl_detection_postprocess_scratch_size(p, INT32_MAX, 3, &size_bytes, NULL), OCL_MODEL_TOO_LARGE);
  ocl_detection_postprocess_destroy(p);
  ocl_detection_postprocess_destroy(NULL);
}

static uint64_t count_comparisons(bool use_regular_nms, int32_t num_anchors) {
  ocl_detection_postprocess_params params = default_params();
  params.use_regular_nms = use_regular_nms;
  params.max_detections = 20;
  params.detections_per_class = 100;
  params.num_classes = 90;
  ocl_detection_postprocess* p;
  CHECK_STATUS(ocl_detection_postprocess_create(&params, &p, NULL), OCL_OK);
  const uint64_t count = ocl_detection_postprocess_count_comparisons(p, num_anchors);
  ocl_detection_postprocess_destroy(p);
  return count;
}

// Each anchor with each that is kept, of which there are no more than anchors; in each class, or once. To rank them,
// each class of a kept anchor with the classes kept of it (fast), or each class with all detections (regular).
static void comparisons_are_counted(void) {
  CHECK(count_comparisons(false, 1917) == 20 * (1917 + 90));
  CHECK(count_comparisons(false, 7) == 7 * (7 + 90));
  CHECK(count_comparisons(true, 1917) == 90 * (1917 * 100 + 20));
  CHECK(count_comparisons(true, 1 << 26) == UINT64_C(90) * ((1 << 26) * UINT64_C(100) + 20));
}

int main(void) {
  RUN(both_variants_equal_tflite);
  RUN(fast_keeps_anchors);
  RUN(regular_keeps_pairs);
  RUN(boxes_that_are_none_are_no_candidates);
  RUN(random_heads_equal_the_definition);
  RUN(parameters_out_of_range_are_rejected);
  RUN(comparisons_are_counted);
  return check_failed_tests;
}
