// Targets, losses and gradients of a detector against TensorFlow's Object Detection API:
// tests/data/train/ssd_losses.bin, made by tests/data/make/ssd.py. Each case is the words of `header` and `settings`,
// the inputs, then what is expected, in the order of check_case(). With an argument the program reads another file of
// cases.
#include "check.h"
#include "test_data.h"
#include "train/ssd_loss.h"

typedef struct {
  int32_t rows, anchors, columns, boxes, class_loss, background, normalized, divided, mined, mine_loss, hard,
      min_negatives;
  int32_t forced, swaps;
} header;

typedef struct {
  float matched, unmatched, scales[4], alpha, gamma, logit_scale, delta, negative_weight, class_weight, box_weight;
  float mine_iou, mine_class, mine_box, ratio;
} settings;

static const char* cases = "train/ssd_losses.bin";
static const char* root = "tests/data";

static const void* take(const uint8_t** at, size_t count) {
  const void* taken = *at;
  *at += 4 * count;
  return taken;
}

static ocl_ssd_loss loss_of(const header* h, const settings* s) {
  ocl_ssd_loss loss = {.match = {s->matched, s->unmatched, h->forced != 0, h->swaps != 0},
                       .class_loss = h->class_loss,
                       .has_background = h->background != 0,
                       .alpha = s->alpha,
                       .gamma = s->gamma,
                       .logit_scale = s->logit_scale,
                       .delta = s->delta,
                       .negative_weight = s->negative_weight,
                       .class_weight = s->class_weight,
                       .box_weight = s->box_weight,
                       .is_normalized = h->normalized != 0,
                       .is_divided_by_coder = h->divided != 0,
                       .is_mined = h->mined != 0,
                       .mine_loss = h->mine_loss,
                       .num_hard_examples = h->hard,
                       .mine_iou = s->mine_iou,
                       .mine_class_weight = s->mine_class,
                       .mine_box_weight = s->mine_box,
                       .negatives_per_positive = s->ratio,
                       .min_negatives = h->min_negatives};
  memcpy(loss.scales, s->scales, sizeof loss.scales);
  return loss;
}

// Within 1e-5 of the value, or of 1 for smaller ones.
static void check_all(const char* what, const float* actual, const float* expected, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const double tolerance = 1e-5 * fmax(1, fabs((double)expected[i]));
    if (fabs((double)actual[i] - (double)expected[i]) <= tolerance) continue;
    printf("# %s %zu is %.9g, expected %.9g\n", what, i, (double)actual[i], (double)expected[i]);
    check_failures_in_test++;
  }
}

static void check_targets(const ocl_ssd_loss* loss, const ocl_ssd_batch* b, const int32_t* matches,
                          const float* targets) {
  int32_t* found = malloc((size_t)b->num_anchors * sizeof *found);
  float* corners = malloc((size_t)b->num_anchors * 4 * sizeof *corners);
  for (int32_t i = 0; i < b->num_anchors; i++) ocl_targets_corners(b->anchors + 4 * i, corners + 4 * i);
  int32_t first = 0;
  for (int32_t row = 0; row < b->rows; first += b->counts[row++]) {
    const ocl_truth truth = {b->counts[row], b->boxes + 4 * first, b->weights + first};
    ocl_targets_match(&loss->match, &truth, b->num_anchors, corners, found);
    for (int32_t i = 0; i < b->num_anchors; i++, matches++, targets += 4) {
      CHECK(found[i] == *matches);
      if (found[i] < 0) continue;
      float encoding[4], decoded[4];
      ocl_targets_encode(truth.boxes + 4 * found[i], b->anchors + 4 * i, loss->scales, encoding);
      check_all("target", encoding, targets, 4);
      ocl_targets_decode(encoding, b->anchors + 4 * i, loss->scales, decoded);
      check_all("decoded", decoded, truth.boxes + 4 * found[i], 4);
    }
  }
  free(corners);
  free(found);
}

static ocl_ssd_scratch allocate_scratch(size_t anchors) {
  return (ocl_ssd_scratch){malloc(4 * anchors), malloc(4 * anchors),  malloc(4 * anchors),
                           malloc(4 * anchors), malloc(16 * anchors), malloc(anchors)};
}

static void free_scratch(const ocl_ssd_scratch* s) {
  free(s->matches), free(s->order), free(s->class_losses), free(s->box_losses), free(s->places), free(s->is_chosen);
}

static void check_loss(const ocl_ssd_loss* loss, const ocl_ssd_batch* b, const float* expected) {
  const size_t anchors = (size_t)b->num_anchors, encodings = 4 * anchors * (size_t)b->rows;
  const size_t logits = anchors * (size_t)(b->num_columns * b->rows);
  const ocl_ssd_scratch scratch = allocate_scratch(anchors);
  float *by_encoding = malloc(4 * encodings), *by_logit = malloc(4 * logits);
  const ocl_ssd_result result = ocl_ssd_loss_compute(loss, b, &scratch, by_encoding, by_logit);
  const ocl_ssd_result again = ocl_ssd_loss_compute(loss, b, &scratch, NULL, NULL);
  CHECK(result.class_loss == again.class_loss && result.box_loss == again.box_loss);
  const float losses[] = {(float)result.class_loss, (float)result.box_loss};
  check_all("loss", losses, expected, 2);
  check_all("gradient of an encoding", by_encoding, expected + 2, encodings);
  check_all("gradient of a logit", by_logit, expected + 2 + encodings, logits);
  free_scratch(&scratch), free(by_encoding), free(by_logit);
}

// If predicted boxes are matched, classes are learnt as if each anchor were where the box is that it predicts.
static void check_predicted(const ocl_ssd_loss* given, const ocl_ssd_batch* b) {
  const size_t anchors = (size_t)b->num_anchors, logits = anchors * (size_t)b->num_columns;
  ocl_ssd_loss predicted = *given, moved = *given;
  predicted.is_mined = moved.is_mined = false;
  predicted.matches_predicted = true;
  const ocl_ssd_scratch scratch = allocate_scratch(anchors);
  float *places = malloc(16 * anchors), *actual = malloc(4 * logits), *expected = malloc(4 * logits);
  ocl_ssd_batch one = *b;
  one.rows = 1;
  for (int32_t row = 0; row < b->rows; row++) {
    one.anchors = b->anchors;
    const double found = ocl_ssd_loss_compute(&predicted, &one, &scratch, NULL, actual).class_loss;
    for (int32_t i = 0; i < b->num_anchors; i++) {
      float box[4];
      ocl_targets_decode(one.encodings + 4 * i, b->anchors + 4 * i, given->scales, box);
      for (int d = 0; d < 2; d++) {
        places[4 * i + d] = (box[d] + box[2 + d]) / 2;
        places[4 * i + 2 + d] = box[2 + d] - box[d];
      }
    }
    one.anchors = places;
    CHECK_NEAR(found, ocl_ssd_loss_compute(&moved, &one, &scratch, NULL, expected).class_loss,
               1e-5 * (1 + fabs(found)));
    check_all("gradient by a predicted box", actual, expected, logits);
    one.encodings += 4 * anchors, one.logits += logits;
    const int32_t shown = *one.counts++;
    one.boxes += 4 * shown, one.classes += shown, one.weights += shown;
  }
  free_scratch(&scratch), free(places), free(actual), free(expected);
}

static void check_case(const uint8_t** at) {
  const header* h = take(at, sizeof *h / 4);
  const ocl_ssd_loss loss = loss_of(h, take(at, sizeof(settings) / 4));
  const size_t anchors = (size_t)h->anchors, rows = (size_t)h->rows, boxes = (size_t)h->boxes;
  const size_t logits = rows * anchors * (size_t)h->columns;
  ocl_ssd_batch batch = {.rows = h->rows, .num_anchors = h->anchors, .num_columns = h->columns};
  batch.anchors = take(at, 4 * anchors);
  batch.encodings = take(at, rows * anchors * 4);
  batch.logits = take(at, logits);
  batch.counts = take(at, rows);
  batch.boxes = take(at, 4 * boxes);
  batch.classes = take(at, boxes);
  batch.weights = take(at, boxes);
  const int32_t* matches = take(at, rows * anchors);
  const float* targets = take(at, rows * anchors * 4);
  check_targets(&loss, &batch, matches, targets);
  check_predicted(&loss, &batch);
  check_loss(&loss, &batch, take(at, 2 + rows * anchors * 4 + logits));
}

static void losses_are_the_apis(void) {
  size_t size_bytes;
  int32_t count = 0;
  uint8_t* file = read_below(root, cases, &size_bytes);
  for (const uint8_t* at = file; at < file + size_bytes && check_failures_in_test < 20; count++) {
    const int before = check_failures_in_test;
    check_case(&at);
    if (check_failures_in_test > before) printf("# in case %d\n", (int)count);
  }
  CHECK(count >= 12);
  free(file);
}

// At logits where expf() overflows, losses and gradients stay finite.
static void far_logits_are_finite(void) {
  const float anchor[4] = {0.5F, 0.5F, 1, 1}, zeros[4] = {0}, logits[] = {300, -300}, box[4] = {0, 0, 1, 1}, one = 1;
  const int32_t classes[] = {1}, counts[] = {1};
  int32_t matches[1], order[1];
  float class_losses[1], box_losses[1], places[4], by_logit[2], by_encoding[4];
  bool is_chosen[1];
  const ocl_ssd_scratch scratch = {matches, order, class_losses, box_losses, places, is_chosen};
  const ocl_ssd_batch batch = {1, 1, 2, anchor, zeros, logits, counts, box, classes, &one};
  for (int32_t kind = 0; kind < OCL_NUM_CLASS_LOSSES; kind++) {
    const ocl_ssd_loss loss = {.match = {0.5F, 0.5F, true, false},
                               .scales = {10, 10, 5, 5},
                               .class_loss = kind,
                               .alpha = -1,
                               .gamma = 2,
                               .logit_scale = 1,
                               .delta = 1,
                               .class_weight = 1,
                               .box_weight = 1};
    const ocl_ssd_result result = ocl_ssd_loss_compute(&loss, &batch, &scratch, by_encoding, by_logit);
    CHECK_NEAR(result.class_loss, 600, 1e-3);
    CHECK_NEAR(by_logit[0], 1, 1e-6);
    CHECK_NEAR(by_logit[1], -1, 1e-6);
  }
}

int main(int argc, char** argv) {
  if (argc > 1) root = ".", cases = argv[1];
  RUN(losses_are_the_apis);
  RUN(far_logits_are_finite);
  return check_failed_tests;
}
