// Raw heads -> detections, and the post-processing of a network, with settings and numbers of any kind. What comes out
// must keep the rules that the options set.
#include <math.h>

#include "detect/anchors.h"
#include "detect/detection_postprocess.h"
#include "detect/feature_map.h"
#include "detect/ssd.h"
#include "fuzz.h"

static float any_number(fuzz_bytes* b, uint32_t* state) {
  static const float kSpecial[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 1e-40f, 0, 88, -88, 1};
  if (fuzz_random(state) % 16 == 0 && b->left > 0) return kSpecial[fuzz_below(b, 10)];
  return 8 * fuzz_random_real(state);
}

static float* any_numbers(fuzz_bytes* b, size_t count, uint32_t* state) {
  float* numbers = malloc(count * sizeof *numbers + 1);
  for (size_t i = 0; i < count; i++) numbers[i] = any_number(b, state);
  // The same box or score again, for ties.
  for (size_t i = 4; i < count; i++)
    if (fuzz_random(state) % 8 == 0) numbers[i] = numbers[i % 4];
  return numbers;
}

static float overlap(const ocl_ssd_detection* a, const ocl_ssd_detection* b) {
  const float height = fminf(a->y_max, b->y_max) - fmaxf(a->y_min, b->y_min);
  const float width = fminf(a->x_max, b->x_max) - fmaxf(a->x_min, b->x_min);
  const float both = fmaxf(height, 0) * fmaxf(width, 0);
  const float area_a = (a->y_max - a->y_min) * (a->x_max - a->x_min),
              area_b = (b->y_max - b->y_min) * (b->x_max - b->x_min);
  return both <= 0 ? 0 : both / (area_a + area_b - both);
}

static void check_detections(const ocl_ssd_options* o, int32_t num_classes, const ocl_ssd_detection* found,
                             int32_t count) {
  FUZZ_CHECK(count >= 0 && count <= o->max_total, "%d detections", (int)count);
  for (int32_t i = 0; i < count; i++) {
    const ocl_ssd_detection* d = &found[i];
    FUZZ_CHECK(d->score > o->score_threshold, "a score of %g", (double)d->score);
    FUZZ_CHECK(i == 0 || d->score <= found[i - 1].score, "score %d is not in order", (int)i);
    FUZZ_CHECK(d->class_id >= 0 && d->class_id < num_classes, "class %d", (int)d->class_id);
    FUZZ_CHECK(o->allowed_classes == NULL || o->allowed_classes[d->class_id], "class %d", (int)d->class_id);
    FUZZ_CHECK(isfinite(d->y_min) && isfinite(d->x_min) && isfinite(d->y_max) && isfinite(d->x_max), "box %d", (int)i);
    int32_t in_class = 0;
    for (int32_t k = 0; k < i; k++) {
      const bool is_rival = o->is_class_agnostic || found[k].class_id == d->class_id;
      in_class += found[k].class_id == d->class_id;
      const float iou = o->is_clipped || !is_rival ? 0 : overlap(&found[k], d);
      FUZZ_CHECK(!(iou > o->iou_threshold + 1e-3f), "boxes %d and %d overlap by %g", (int)k, (int)i, (double)iou);
    }
    FUZZ_CHECK(o->is_class_agnostic || in_class < o->max_per_class, "class %d", (int)d->class_id);
  }
}

static void try_ssd(fuzz_bytes* b) {
  uint32_t state = fuzz_byte(b) + 1;
  const int32_t anchors = fuzz_range(b, 1, 120), columns = fuzz_range(b, 1, 20);
  float* priors = any_numbers(b, 4 * (size_t)anchors, &state);
  for (int32_t i = 0; i < 4 * anchors && !fuzz_one_in(b, 60); i++)
    priors[i] = isfinite(priors[i]) ? fabsf(priors[i]) / 8 : 0;
  float* boxes = any_numbers(b, 4 * (size_t)anchors, &state);
  float* scores = any_numbers(b, (size_t)anchors * (size_t)columns, &state);
  const ocl_ssd_config config = {.num_anchors = anchors,
                                 .num_columns = columns,
                                 .background_column = -fuzz_below(b, 2),
                                 .converter = (ocl_ssd_converter)fuzz_below(b, 3),
                                 .box_scales = {10, 10, 5, (float)fuzz_below(b, 6)},
                                 .anchors = priors,
                                 .max_total = fuzz_range(b, 1, 60)};
  uint8_t allowed[20];
  for (int i = 0; i < 20; i++) allowed[i] = (uint8_t)fuzz_below(b, 2);
  ocl_ssd* ssd;
  if (ocl_ssd_create(&config, &ssd) == OCL_OK) {
    for (int i = 0; i < 3; i++) {
      const ocl_ssd_options options = {.score_threshold = (float)fuzz_below(b, 12) / 10,
                                       .iou_threshold = (float)fuzz_below(b, 12) / 10,
                                       .max_per_class = fuzz_below(b, 20),
                                       .max_total = fuzz_below(b, 70),
                                       .is_class_agnostic = fuzz_one_in(b, 2),
                                       .is_clipped = fuzz_one_in(b, 2),
                                       .allowed_classes = fuzz_one_in(b, 2) ? allowed : NULL};
      const ocl_ssd_detection* found;
      int32_t count;
      if (ocl_ssd_detect(ssd, boxes, scores, &options, &found, &count) == OCL_OK)
        check_detections(&options, columns - config.background_column - 1, found, count);
    }
    ocl_ssd_destroy(ssd);
  }
  free(priors);
  free(boxes);
  free(scores);
}

static void try_postprocess(fuzz_bytes* b) {
  uint32_t state = fuzz_byte(b) + 1;
  const int32_t anchors = fuzz_range(b, 1, 80), classes = fuzz_range(b, 1, 12), columns = classes + fuzz_below(b, 2);
  const ocl_detection_postprocess_params params = {.max_detections = fuzz_below(b, 40),
                                                   .max_classes_per_detection = fuzz_below(b, 6),
                                                   .detections_per_class = fuzz_below(b, 40),
                                                   .num_classes = classes,
                                                   .nms_score_threshold = (float)fuzz_below(b, 12) / 10 - 0.1f,
                                                   .nms_iou_threshold = (float)fuzz_below(b, 12) / 10,
                                                   .box_scales = {10, 10, 5, 5},
                                                   .use_regular_nms = fuzz_one_in(b, 2)};
  ocl_detection_postprocess* postprocess;
  ocl_detail detail;
  size_t scratch_bytes;
  if (ocl_detection_postprocess_create(&params, &postprocess, &detail) != OCL_OK) return;
  if (ocl_detection_postprocess_scratch_size(postprocess, anchors, columns, &scratch_bytes, &detail) == OCL_OK) {
    const size_t rows = (size_t)ocl_detection_postprocess_num_rows(postprocess);
    float* priors = any_numbers(b, 4 * (size_t)anchors, &state);
    float* boxes = any_numbers(b, 4 * (size_t)anchors, &state);
    float* scores = any_numbers(b, (size_t)anchors * (size_t)columns, &state);
    float *boxes_out = malloc(rows * 16), *classes_out = malloc(rows * 4), *scores_out = malloc(rows * 4), count;
    void* scratch = malloc(scratch_bytes);
    memset(scratch, 0xff, scratch_bytes);
    ocl_detection_postprocess_run(postprocess, anchors, columns, boxes, scores, priors, scratch, boxes_out, classes_out,
                                  scores_out, &count);
    FUZZ_CHECK(count >= 0 && count <= (float)params.max_detections, "%g detections", (double)count);
    for (size_t i = 0; i < rows; i++) {
      FUZZ_CHECK(classes_out[i] >= 0 && classes_out[i] < (float)classes, "class %g", (double)classes_out[i]);
      FUZZ_CHECK(isfinite(scores_out[i]) && isfinite(boxes_out[4 * i]), "row %zu", i);
    }
    free(priors);
    free(boxes);
    free(scores);
    free(boxes_out);
    free(classes_out);
    free(scores_out);
    free(scratch);
  }
  ocl_detection_postprocess_destroy(postprocess);
}

static void try_features(fuzz_bytes* b) {
  uint32_t state = fuzz_byte(b) + 1;
  const ocl_shape shape = {4, {fuzz_range(b, 1, 3), fuzz_range(b, 1, 9), fuzz_range(b, 1, 9), fuzz_range(b, 1, 9)}};
  const size_t count = ocl_shape_num_elements(&shape);
  float* numbers = malloc(count * sizeof *numbers);
  for (size_t i = 0; i < count; i++) numbers[i] = fuzz_random_real(&state);
  const ocl_feature_map map = {numbers, OCL_FLOAT32, shape, 0, 0};
  float* features = malloc((size_t)ocl_feature_map_length(&map) * sizeof *features);
  ocl_feature_map_pool(&map, fuzz_below(b, shape.dims[0]), features);
  for (int i = 0; i < 8; i++) {
    const float y = (float)fuzz_byte(b) / 200 - 0.1f, x = (float)fuzz_byte(b) / 200 - 0.1f;
    const ocl_resize_box box = {y, x, y + (float)fuzz_byte(b) / 100, x + (float)fuzz_byte(b) / 100};
    ocl_feature_map_pool_box(&map, box, features);
    for (int32_t c = 0; c < ocl_feature_map_length(&map); c++)
      FUZZ_CHECK(fabsf(features[c]) <= 1.0001f, "a mean of %g", (double)features[c]);
  }
  free(numbers);
  free(features);
}

int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size_bytes) {
  static void (*const kParts[])(fuzz_bytes*) = {try_ssd, try_postprocess, try_features};
  fuzz_bytes b = {bytes, size_bytes};
  kParts[fuzz_below(&b, 3)](&b);
  return 0;
}
