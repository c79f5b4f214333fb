#include "detection_postprocess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "boxes.h"
#include "flexbuffer.h"

typedef struct {
  float score;
  int32_t anchor, class_id;
} candidate;

struct ocl_detection_postprocess {
  ocl_detection_postprocess_params params;
  int32_t num_anchors, num_columns, num_offset;  // num_offset: columns of background before class 0
  ocl_box* boxes;        // [num_anchors]
  candidate* order;      // [num_anchors]
  uint8_t* is_active;    // [num_anchors]
  candidate* selected;   // [max_detections]: of one suppression
  candidate* merged;     // [2 * max_detections]: the best of all classes so far, and those of one more
  int32_t* class_order;  // [num_classes]
};

ocl_status ocl_detection_postprocess_read(const uint8_t* bytes, size_t size_bytes,
                                          ocl_detection_postprocess_params* params, ocl_detail* detail) {
  ocl_flexbuffer_map map;
  *params = (ocl_detection_postprocess_params){.detections_per_class = 100};
  OCL_TRY(ocl_flexbuffer_open_map(bytes, size_bytes, &map, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "max_detections", &params->max_detections, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "max_classes_per_detection", &params->max_classes_per_detection, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "detections_per_class", &params->detections_per_class, detail));
  OCL_TRY(ocl_flexbuffer_get_int(&map, "num_classes", &params->num_classes, detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "nms_score_threshold", &params->score_threshold, detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "nms_iou_threshold", &params->iou_threshold, detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "y_scale", &params->box_scales[0], detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "x_scale", &params->box_scales[1], detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "h_scale", &params->box_scales[2], detail));
  OCL_TRY(ocl_flexbuffer_get_float(&map, "w_scale", &params->box_scales[3], detail));
  OCL_TRY(ocl_flexbuffer_get_bool(&map, "use_regular_nms", &params->use_regular_nms, detail));
  bool is_valid = params->max_detections > 0 && params->max_detections <= 1 << 16 &&
                  params->max_classes_per_detection > 0 && params->max_classes_per_detection <= 1 << 10 &&
                  params->detections_per_class > 0 && params->num_classes > 0 && params->num_classes <= 1 << 16 &&
                  params->iou_threshold > 0 && params->iou_threshold <= 1 && !isnan(params->score_threshold);
  for (int i = 0; i < 4; i++) is_valid = is_valid && params->box_scales[i] > 0;
  if (!is_valid) return ocl_status_with_detail(OCL_MODEL_BAD_OPTION, detail, "the post-processing's options");
  return OCL_OK;
}

int32_t ocl_detection_postprocess_rows(const ocl_detection_postprocess_params* params) {
  return params->max_detections * params->max_classes_per_detection;
}

ocl_status ocl_detection_postprocess_create(const ocl_detection_postprocess_params* params, int32_t num_anchors,
                                            int32_t num_columns, ocl_detection_postprocess** postprocess_out) {
  *postprocess_out = NULL;
  if (num_anchors < 1 || num_columns < params->num_classes) return OCL_MODEL_BAD_OPTION;
  ocl_detection_postprocess* p = calloc(1, sizeof *p);
  if (p == NULL) return OCL_OUT_OF_MEMORY;
  const size_t anchors = (size_t)num_anchors, detections = (size_t)params->max_detections;
  p->params = *params;
  p->num_anchors = num_anchors;
  p->num_columns = num_columns;
  p->num_offset = num_columns - params->num_classes;
  p->boxes = malloc(anchors * sizeof *p->boxes);
  p->order = malloc(anchors * sizeof *p->order);
  p->is_active = malloc(anchors);
  p->selected = malloc(detections * sizeof *p->selected);
  p->merged = malloc(2 * detections * sizeof *p->merged);
  p->class_order = malloc((size_t)params->num_classes * sizeof *p->class_order);
  if (p->boxes == NULL || p->order == NULL || p->is_active == NULL || p->selected == NULL || p->merged == NULL ||
      p->class_order == NULL) {
    ocl_detection_postprocess_destroy(p);
    return OCL_OUT_OF_MEMORY;
  }
  *postprocess_out = p;
  return OCL_OK;
}

void ocl_detection_postprocess_destroy(ocl_detection_postprocess* p) {
  if (p == NULL) return;
  free(p->boxes);
  free(p->order);
  free(p->is_active);
  free(p->selected);
  free(p->merged);
  free(p->class_order);
  free(p);
}

static int best_first(const void* a, const void* b) {
  const candidate *x = a, *y = b;
  if (x->score != y->score) return x->score > y->score ? -1 : 1;
  return (x->anchor > y->anchor) - (x->anchor < y->anchor);
}

// Suppression among the first `count` of p->order; fills p->selected with at most `max`, best first.
static int32_t suppress(ocl_detection_postprocess* p, int32_t count, int32_t max) {
  qsort(p->order, (size_t)count, sizeof *p->order, best_first);
  memset(p->is_active, 1, (size_t)count);
  int32_t num_selected = 0;
  for (int32_t i = 0; i < count && num_selected < max; i++) {
    if (!p->is_active[i]) continue;
    p->selected[num_selected++] = p->order[i];
    const ocl_box* best = &p->boxes[p->order[i].anchor];
    for (int32_t j = i + 1; j < count; j++)
      if (p->is_active[j] && ocl_box_iou(best, &p->boxes[p->order[j].anchor]) > p->params.iou_threshold)
        p->is_active[j] = 0;
  }
  return num_selected;
}

static int32_t min_int(int32_t a, int32_t b) { return a < b ? a : b; }

typedef struct {
  float *boxes, *classes, *scores;
} outputs;

static void write_row(const ocl_detection_postprocess* p, const outputs* out, int32_t row, const candidate* c) {
  memcpy(out->boxes + 4 * row, &p->boxes[c->anchor], 4 * sizeof(float));
  out->classes[row] = (float)c->class_id;
  out->scores[row] = c->score;
}

// The best `count` classes of a row of scores, best first, equal ones by number; into p->class_order.
static void order_classes(ocl_detection_postprocess* p, const float* row, int32_t count) {
  int32_t* order = p->class_order;
  int32_t num = 0;
  for (int32_t c = 0; c < p->params.num_classes; c++) {
    int32_t at = num;
    while (at > 0 && row[c] > row[order[at - 1]]) at--;
    if (at >= count) continue;
    if (num < count) num++;
    memmove(order + at + 1, order + at, (size_t)(num - 1 - at) * sizeof *order);
    order[at] = c;
  }
}

static int32_t run_fast(ocl_detection_postprocess* p, const float* scores, const outputs* out) {
  const int32_t per_anchor = min_int(p->params.max_classes_per_detection, p->params.num_classes);
  int32_t count = 0;
  for (int32_t i = 0; i < p->num_anchors; i++) {
    const float* row = scores + (size_t)i * (size_t)p->num_columns + p->num_offset;
    order_classes(p, row, 1);
    const float best = row[p->class_order[0]];
    if (best >= p->params.score_threshold) p->order[count++] = (candidate){best, i, p->class_order[0]};
  }
  const int32_t num_selected = suppress(p, count, p->params.max_detections);
  for (int32_t i = 0; i < num_selected; i++) {
    const int32_t anchor = p->selected[i].anchor;
    const float* row = scores + (size_t)anchor * (size_t)p->num_columns + p->num_offset;
    order_classes(p, row, per_anchor);
    for (int32_t j = 0; j < per_anchor; j++) {
      const candidate c = {row[p->class_order[j]], anchor, p->class_order[j]};
      write_row(p, out, i * p->params.max_classes_per_detection + j, &c);
    }
  }
  return num_selected;
}

// Inserts one class's selection into the best of all; equal scores keep the earlier class first.
static int32_t merge(ocl_detection_postprocess* p, int32_t num_merged, int32_t num_selected) {
  for (int32_t i = 0; i < num_selected; i++) {
    int32_t at = num_merged++;
    while (at > 0 && p->selected[i].score > p->merged[at - 1].score) at--;
    memmove(p->merged + at + 1, p->merged + at, (size_t)(num_merged - 1 - at) * sizeof *p->merged);
    p->merged[at] = p->selected[i];
  }
  return min_int(num_merged, p->params.max_detections);
}

static int32_t run_regular(ocl_detection_postprocess* p, const float* scores, const outputs* out) {
  const int32_t max_per_class = min_int(p->params.detections_per_class, p->params.max_detections);
  int32_t num_merged = 0;
  for (int32_t c = 0; c < p->params.num_classes; c++) {
    int32_t count = 0;
    for (int32_t i = 0; i < p->num_anchors; i++) {
      const float score = scores[(size_t)i * (size_t)p->num_columns + (size_t)(p->num_offset + c)];
      if (score >= p->params.score_threshold) p->order[count++] = (candidate){score, i, c};
    }
    num_merged = merge(p, num_merged, suppress(p, count, max_per_class));
  }
  for (int32_t i = 0; i < num_merged; i++) write_row(p, out, i, &p->merged[i]);
  return num_merged;
}

void ocl_detection_postprocess_run(ocl_detection_postprocess* p, const float* box_encodings, const float* class_scores,
                                   const float* anchors, float* boxes_out, float* classes_out, float* scores_out,
                                   float* count_out) {
  const size_t rows = (size_t)ocl_detection_postprocess_rows(&p->params);
  memset(boxes_out, 0, 4 * rows * sizeof *boxes_out);
  memset(classes_out, 0, rows * sizeof *classes_out);
  memset(scores_out, 0, rows * sizeof *scores_out);
  for (int32_t i = 0; i < p->num_anchors; i++)
    p->boxes[i] = ocl_box_decode(box_encodings + 4 * (size_t)i, anchors + 4 * (size_t)i, p->params.box_scales);
  const outputs out = {boxes_out, classes_out, scores_out};
  *count_out = (float)(p->params.use_regular_nms ? run_regular(p, class_scores, &out) : run_fast(p, class_scores, &out));
}
