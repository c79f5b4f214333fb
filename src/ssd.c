#include "ssd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  float score;
  int32_t anchor, class_id;
} candidate;

struct ocl_ssd {
  ocl_ssd_params params;
  float* anchors;
  // Per anchor, valid for the present call where the flag is set.
  ocl_box* boxes;
  uint8_t* is_decoded;
  float* row_thresholds;   // what a column must exceed to be looked at
  float* row_max;          // softmax: of the row's logits
  float* row_inverse_sum;  // softmax: 1 / sum of exp(logit - row_max)
  int32_t* class_counts;   // columns that exceed it, per class
  candidate* heap;         // of one class
  candidate* kept;         // of one class, after suppression; the first max_per_class of num_anchors
  ocl_detection* detections;
  int32_t num_detections, capacity;
};

ocl_status ocl_ssd_create(const ocl_ssd_params* params, ocl_ssd** ssd_out) {
  *ssd_out = NULL;
  const int32_t num_anchors = params->num_anchors;
  if (num_anchors < 1 || params->num_columns < 1 + params->has_background) return OCL_INVALID_ARGUMENT;
  for (int i = 0; i < 4; i++)
    if (!(params->box_scales[i] > 0)) return OCL_INVALID_ARGUMENT;
  ocl_ssd* ssd = calloc(1, sizeof *ssd);
  if (ssd == NULL) return OCL_OUT_OF_MEMORY;
  const size_t n = (size_t)num_anchors;
  ssd->params = *params;
  ssd->anchors = malloc(4 * n * sizeof *ssd->anchors);
  ssd->boxes = malloc(n * sizeof *ssd->boxes);
  ssd->is_decoded = malloc(n);
  ssd->row_thresholds = malloc(n * sizeof *ssd->row_thresholds);
  ssd->row_max = malloc(n * sizeof *ssd->row_max);
  ssd->row_inverse_sum = malloc(n * sizeof *ssd->row_inverse_sum);
  ssd->class_counts = malloc((size_t)params->num_columns * sizeof *ssd->class_counts);
  ssd->heap = malloc(n * sizeof *ssd->heap);
  ssd->kept = malloc(n * sizeof *ssd->kept);
  if (ssd->anchors == NULL || ssd->boxes == NULL || ssd->is_decoded == NULL || ssd->row_thresholds == NULL ||
      ssd->row_max == NULL || ssd->row_inverse_sum == NULL || ssd->class_counts == NULL || ssd->heap == NULL ||
      ssd->kept == NULL) {
    ocl_ssd_destroy(ssd);
    return OCL_OUT_OF_MEMORY;
  }
  memcpy(ssd->anchors, params->anchors, 4 * n * sizeof *ssd->anchors);
  *ssd_out = ssd;
  return OCL_OK;
}

void ocl_ssd_destroy(ocl_ssd* ssd) {
  if (ssd == NULL) return;
  free(ssd->anchors);
  free(ssd->boxes);
  free(ssd->is_decoded);
  free(ssd->row_thresholds);
  free(ssd->row_max);
  free(ssd->row_inverse_sum);
  free(ssd->class_counts);
  free(ssd->heap);
  free(ssd->kept);
  free(ssd->detections);
  free(ssd);
}

int32_t ocl_ssd_num_classes(const ocl_ssd* ssd) { return ssd->params.num_columns - ssd->params.has_background; }

// ---- scores ----

static float logit(float p) { return p <= 0 ? -INFINITY : p >= 1 ? INFINITY : logf(p / (1 - p)); }

// Necessary conditions are rounded down by this much; the score itself then decides.
static const float kMargin = 1e-3f;

static float max_of(const float* values, int32_t count) {
  float max = -INFINITY;
  for (int32_t i = 0; i < count; i++) max = values[i] > max ? values[i] : max;
  return max;
}

// p_i > t needs exp(l_i - max) > t, as the sum is at least exp(0); and, against the background b alone,
// 1 / (1 + exp(b - l_i)) > t.
static float softmax_threshold(const ocl_ssd* ssd, const float* row, float max, float score_threshold) {
  const float by_max = max + logf(score_threshold);
  const float by_background = ssd->params.has_background ? row[0] + logit(score_threshold) : -INFINITY;
  return (by_max > by_background ? by_max : by_background) - kMargin;
}

// Fills row_thresholds and, for softmax, row_max.
static void find_thresholds(ocl_ssd* ssd, const float* scores, float score_threshold) {
  const int32_t columns = ssd->params.num_columns;
  const float fixed = ssd->params.converter == OCL_SSD_SIGMOID ? logit(score_threshold) - kMargin : score_threshold;
  for (int32_t i = 0; i < ssd->params.num_anchors; i++) {
    ssd->row_thresholds[i] = fixed;
    if (ssd->params.converter != OCL_SSD_SOFTMAX) continue;
    const float* row = scores + (size_t)i * (size_t)columns;
    ssd->row_max[i] = max_of(row, columns);
    ssd->row_inverse_sum[i] = 0;
    ssd->row_thresholds[i] = softmax_threshold(ssd, row, ssd->row_max[i], score_threshold);
  }
}

static float softmax_score(ocl_ssd* ssd, const float* row, int32_t anchor, float value) {
  if (ssd->row_inverse_sum[anchor] == 0) {
    float sum = 0;
    for (int32_t c = 0; c < ssd->params.num_columns; c++) sum += expf(row[c] - ssd->row_max[anchor]);
    ssd->row_inverse_sum[anchor] = 1 / sum;
  }
  return expf(value - ssd->row_max[anchor]) * ssd->row_inverse_sum[anchor];
}

static float score_of(ocl_ssd* ssd, const float* row, int32_t anchor, float value) {
  switch (ssd->params.converter) {
    case OCL_SSD_SIGMOID: return 1 / (1 + expf(-value));
    case OCL_SSD_SOFTMAX: return softmax_score(ssd, row, anchor, value);
    default: return value;
  }
}

// ---- candidates ----

// Counts, per class, the columns above their row's threshold. This is the one pass over all N x C numbers.
static void count_classes(ocl_ssd* ssd, const float* scores, const uint8_t* mask) {
  enum { LANES = 16 };
  const int32_t columns = ssd->params.num_columns, first = ssd->params.has_background;
  int32_t* counts = ssd->class_counts;
  memset(counts, 0, (size_t)columns * sizeof *counts);
  for (int32_t i = 0; i < ssd->params.num_anchors; i++) {
    const float* row = scores + (size_t)i * (size_t)columns;
    const float threshold = ssd->row_thresholds[i];
    int32_t c = first;
    while (c < columns) {
      int32_t end = columns;
      if (c + LANES <= columns) {
        int32_t any = 0;
        for (int lane = 0; lane < LANES; lane++) any |= -(row[c + lane] > threshold);
        end = c + LANES;
        if (!any) c = end;
      }
      for (; c < end; c++) counts[c - first] += row[c] > threshold;
    }
  }
  for (int32_t c = 0; mask != NULL && c < columns - first; c++)
    if (!mask[c]) counts[c] = 0;
}

static bool is_better(const candidate* a, const candidate* b) {
  return a->score != b->score ? a->score > b->score : a->anchor < b->anchor;
}

static void sift_down(candidate* heap, int32_t count, int32_t i) {
  for (;;) {
    int32_t best = i;
    for (int32_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++)
      if (is_better(&heap[child], &heap[best])) best = child;
    if (best == i) return;
    const candidate swapped = heap[i];
    heap[i] = heap[best];
    heap[best] = swapped;
    i = best;
  }
}

static void add_candidate(ocl_ssd* ssd, const float* row, int32_t anchor, int32_t class_id, float threshold,
                          int32_t* count) {
  const float value = row[class_id + ssd->params.has_background];
  if (!(value > ssd->row_thresholds[anchor])) return;
  const float score = score_of(ssd, row, anchor, value);
  if (score > threshold) ssd->heap[(*count)++] = (candidate){score, anchor, class_id};
}

static int32_t collect_class(ocl_ssd* ssd, const float* scores, int32_t class_id, float threshold) {
  int32_t count = 0;
  for (int32_t i = 0; i < ssd->params.num_anchors; i++)
    add_candidate(ssd, scores + (size_t)i * (size_t)ssd->params.num_columns, i, class_id, threshold, &count);
  return count;
}

// Each anchor's best class among the allowed ones.
static int32_t collect_best_classes(ocl_ssd* ssd, const float* scores, const ocl_ssd_options* options) {
  const int32_t first = ssd->params.has_background, classes = ocl_ssd_num_classes(ssd);
  int32_t count = 0;
  for (int32_t i = 0; i < ssd->params.num_anchors; i++) {
    const float* row = scores + (size_t)i * (size_t)ssd->params.num_columns;
    int32_t best = -1;
    for (int32_t c = 0; c < classes; c++)
      if ((options->class_mask == NULL || options->class_mask[c]) && (best < 0 || row[first + c] > row[first + best]))
        best = c;
    if (best >= 0) add_candidate(ssd, row, i, best, options->score_threshold, &count);
  }
  return count;
}

// ---- suppression ----

static bool is_finite_box(const ocl_box* box) {
  return isfinite(box->y_min) && isfinite(box->x_min) && isfinite(box->y_max) && isfinite(box->x_max);
}

static const ocl_box* box_of(ocl_ssd* ssd, const float* encodings, int32_t anchor) {
  if (!ssd->is_decoded[anchor]) {
    ssd->boxes[anchor] = ocl_box_decode(encodings + 4 * anchor, ssd->anchors + 4 * anchor, ssd->params.box_scales);
    ssd->is_decoded[anchor] = 1;
  }
  return &ssd->boxes[anchor];
}

static bool overlaps_kept(const ocl_ssd* ssd, const ocl_box* box, int32_t num_kept, float iou_threshold) {
  for (int32_t i = num_kept - 1; i >= 0; i--)
    if (ocl_box_iou(box, &ssd->boxes[ssd->kept[i].anchor]) > iou_threshold) return true;
  return false;
}

// Takes from the heap, best first, what no better box suppresses.
static int32_t suppress(ocl_ssd* ssd, const float* encodings, int32_t count, const ocl_ssd_options* options) {
  candidate* heap = ssd->heap;
  for (int32_t i = count / 2 - 1; i >= 0; i--) sift_down(heap, count, i);
  const int32_t max = options->is_class_agnostic ? options->max_total : options->max_per_class;
  int32_t num_kept = 0;
  while (count > 0 && num_kept < max) {
    const candidate best = heap[0];
    heap[0] = heap[--count];
    sift_down(heap, count, 0);
    const ocl_box* box = box_of(ssd, encodings, best.anchor);
    if (is_finite_box(box) && !overlaps_kept(ssd, box, num_kept, options->iou_threshold)) ssd->kept[num_kept++] = best;
  }
  return num_kept;
}

// ---- results ----

static ocl_status append_kept(ocl_ssd* ssd, int32_t num_kept) {
  if (ssd->num_detections + num_kept > ssd->capacity) {
    const int32_t capacity = 2 * ssd->capacity + num_kept;
    ocl_detection* grown = realloc(ssd->detections, (size_t)capacity * sizeof *grown);
    if (grown == NULL) return OCL_OUT_OF_MEMORY;
    ssd->detections = grown;
    ssd->capacity = capacity;
  }
  for (int32_t i = 0; i < num_kept; i++) {
    const candidate* c = &ssd->kept[i];
    const ocl_box box = ocl_box_clip(ssd->boxes[c->anchor]);
    if ((box.y_max - box.y_min) * (box.x_max - box.x_min) > 0)
      ssd->detections[ssd->num_detections++] = (ocl_detection){box, c->score, c->class_id, c->anchor};
  }
  return OCL_OK;
}

static int best_first(const void* a, const void* b) {
  const ocl_detection *x = a, *y = b;
  if (x->score != y->score) return x->score > y->score ? -1 : 1;
  if (x->class_id != y->class_id) return x->class_id < y->class_id ? -1 : 1;
  return (x->anchor > y->anchor) - (x->anchor < y->anchor);
}

ocl_status ocl_ssd_detect(ocl_ssd* ssd, const float* box_encodings, const float* class_scores,
                          const ocl_ssd_options* options, const ocl_detection** detections_out,
                          int32_t* num_detections_out) {
  *num_detections_out = 0;
  ssd->num_detections = 0;
  memset(ssd->is_decoded, 0, (size_t)ssd->params.num_anchors);
  find_thresholds(ssd, class_scores, options->score_threshold);
  if (options->is_class_agnostic) {
    const int32_t count = collect_best_classes(ssd, class_scores, options);
    OCL_TRY(append_kept(ssd, suppress(ssd, box_encodings, count, options)));
  } else {
    count_classes(ssd, class_scores, options->class_mask);
    for (int32_t c = 0; c < ocl_ssd_num_classes(ssd); c++) {
      if (ssd->class_counts[c] == 0) continue;
      const int32_t count = collect_class(ssd, class_scores, c, options->score_threshold);
      OCL_TRY(append_kept(ssd, suppress(ssd, box_encodings, count, options)));
    }
  }
  if (ssd->num_detections > 0) qsort(ssd->detections, (size_t)ssd->num_detections, sizeof *ssd->detections, best_first);
  *detections_out = ssd->detections;
  *num_detections_out = ssd->num_detections < options->max_total ? ssd->num_detections : options->max_total;
  return OCL_OK;
}
