#include "detect/detection_postprocess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/nms.h"

struct ocl_detection_postprocess {
  ocl_detection_postprocess_params params;
};

// One run: its shape, inputs, outputs and the arrays in its scratch.
typedef struct {
  const ocl_detection_postprocess_params* params;
  int32_t num_anchors, num_columns;
  const float* class_scores;      // [num_anchors, num_columns] from the first class on
  float* boxes;                   // [num_anchors, 4]; y_min is NaN: no candidate
  ocl_nms_candidate* candidates;  // [num_anchors]
  ocl_nms_candidate* selected;    // [num_anchors]
  ocl_nms_detection* kept;        // [max_kept]
  int32_t max_kept;
  float *boxes_out, *classes_out, *scores_out;
} job;

static ocl_status reject(ocl_detail* detail, const char* what) {
  return ocl_status_with_detail(OCL_MODEL_BAD_OPTION, detail, "TFLite_Detection_PostProcess: %s", what);
}

static ocl_status check_params(const ocl_detection_postprocess_params* p, ocl_detail* detail) {
  if (p->max_detections < 1) return reject(detail, "max_detections is below 1");
  if (p->max_classes_per_detection < 1) return reject(detail, "max_classes_per_detection is below 1");
  // Boxes, 16 bytes a row, fit a 32-bit address space's signed sizes.
  if (p->max_detections > INT32_MAX / 16 / p->max_classes_per_detection)
    return reject(detail, "max_detections * max_classes_per_detection is too large");
  if (p->detections_per_class < 1) return reject(detail, "detections_per_class is below 1");
  if (p->num_classes < 1 || p->num_classes == INT32_MAX) return reject(detail, "num_classes is out of its range");
  if (!isfinite(p->nms_score_threshold)) return reject(detail, "nms_score_threshold is not finite");
  if (!(p->nms_iou_threshold > 0 && p->nms_iou_threshold <= 1))
    return reject(detail, "nms_iou_threshold is not above 0 and at most 1");
  for (int32_t i = 0; i < 4; i++)
    if (!(p->box_scales[i] > 0 && isfinite(p->box_scales[i])))
      return reject(detail, "y_scale, x_scale, h_scale or w_scale is not above 0");
  return OCL_OK;
}

ocl_status ocl_detection_postprocess_create(const ocl_detection_postprocess_params* params,
                                            ocl_detection_postprocess** postprocess_out, ocl_detail* detail) {
  *postprocess_out = NULL;
  OCL_TRY(check_params(params, detail));
  ocl_detection_postprocess* postprocess = malloc(sizeof *postprocess);
  if (postprocess == NULL) return OCL_OUT_OF_MEMORY;
  postprocess->params = *params;
  *postprocess_out = postprocess;
  return OCL_OK;
}

void ocl_detection_postprocess_destroy(ocl_detection_postprocess* postprocess) {
  free(postprocess);
}

int32_t ocl_detection_postprocess_num_rows(const ocl_detection_postprocess* postprocess) {
  return postprocess->params.max_detections * postprocess->params.max_classes_per_detection;
}

// The fast variant keeps classes of one anchor at a time.
static int32_t count_kept(const ocl_detection_postprocess_params* p) {
  if (p->use_regular_nms) return p->max_detections;
  return p->max_classes_per_detection < p->num_classes ? p->max_classes_per_detection : p->num_classes;
}

uint64_t ocl_detection_postprocess_count_comparisons(const ocl_detection_postprocess* postprocess,
                                                     int32_t num_anchors) {
  const ocl_detection_postprocess_params* p = &postprocess->params;
  const int32_t max_selected = p->use_regular_nms ? p->detections_per_class : p->max_detections;
  const uint64_t num_selected = (uint64_t)(max_selected < num_anchors ? max_selected : num_anchors);
  const uint64_t num_classes = (uint64_t)p->num_classes, max_kept = (uint64_t)count_kept(p);
  if (!p->use_regular_nms) return num_selected * ((uint64_t)num_anchors + num_classes * max_kept);
  const uint64_t num_found = num_classes * num_selected;
  return num_classes * (num_selected * (uint64_t)num_anchors + (num_found < max_kept ? num_found : max_kept));
}

// ---- scratch: boxes, candidates, selected, kept ----

enum { BYTES_PER_ANCHOR = 4 * sizeof(float) + 2 * sizeof(ocl_nms_candidate) };

ocl_status ocl_detection_postprocess_scratch_size(const ocl_detection_postprocess* postprocess, int32_t num_anchors,
                                                  int32_t num_columns, size_t* size_bytes_out, ocl_detail* detail) {
  const int32_t num_classes = postprocess->params.num_classes;
  if (num_anchors < 1) return ocl_status_with_detail(OCL_MODEL_BAD_GRAPH, detail, "there are no anchors");
  if (num_columns != num_classes && num_columns != num_classes + 1)
    return ocl_status_with_detail(OCL_MODEL_BAD_GRAPH, detail, "%d class scores per anchor for %d classes",
                                  (int)num_columns, (int)num_classes);
  const uint64_t size_bytes =
      (uint64_t)num_anchors * BYTES_PER_ANCHOR + (uint64_t)count_kept(&postprocess->params) * sizeof(ocl_nms_detection);
  if (size_bytes > INT32_MAX || num_columns > INT32_MAX / 4 / num_anchors)
    return ocl_status_with_detail(OCL_MODEL_TOO_LARGE, detail, "%d anchors with %d class scores each", (int)num_anchors,
                                  (int)num_columns);
  *size_bytes_out = (size_t)size_bytes;
  return OCL_OK;
}

// ---- boxes ----

// Computed as TFLite does: the centre and half the size in double, rounded, then the corners in float.
static void decode_box(const float encoding[4], const float anchor[4], const float scales[4], float box_out[4]) {
  const float y_center = (float)((double)encoding[0] / scales[0] * anchor[2] + anchor[0]);
  const float x_center = (float)((double)encoding[1] / scales[1] * anchor[3] + anchor[1]);
  const float half_height = (float)(0.5 * exp((double)encoding[2] / scales[2]) * anchor[2]);
  const float half_width = (float)(0.5 * exp((double)encoding[3] / scales[3]) * anchor[3]);
  box_out[0] = y_center - half_height;
  box_out[1] = x_center - half_width;
  box_out[2] = y_center + half_height;
  box_out[3] = x_center + half_width;
}

static void decode_boxes(const job* j, const float* box_encodings, const float* anchors) {
  for (int32_t i = 0; i < j->num_anchors; i++) {
    float* box = &j->boxes[4 * i];
    decode_box(&box_encodings[4 * i], &anchors[4 * i], j->params->box_scales, box);
    const bool is_finite = isfinite(box[0]) && isfinite(box[1]) && isfinite(box[2]) && isfinite(box[3]);
    if (!is_finite || box[0] > box[2] || box[1] > box[3]) box[0] = NAN;
  }
}

static int32_t add_candidate(const job* j, int32_t num_candidates, int32_t anchor, float score) {
  if (!(score >= j->params->nms_score_threshold) || isnan(j->boxes[4 * anchor])) return num_candidates;
  j->candidates[num_candidates] = (ocl_nms_candidate){score, anchor};
  return num_candidates + 1;
}

static int32_t select_candidates(const job* j, int32_t num_candidates, int32_t max_selected) {
  return ocl_nms_select(j->boxes, NULL, j->params->nms_iou_threshold, j->candidates, num_candidates, max_selected,
                        max_selected, j->selected);
}

// Below every threshold if it is not finite.
static float class_score(const job* j, int32_t anchor, int32_t class_id) {
  const float score = j->class_scores[(size_t)anchor * (size_t)j->num_columns + (size_t)class_id];
  return isfinite(score) ? score : -INFINITY;
}

static void write_row(const job* j, int32_t row, const ocl_nms_detection* detection) {
  memcpy(&j->boxes_out[4 * row], &j->boxes[4 * detection->box_index], 4 * sizeof(float));
  j->classes_out[row] = (float)detection->class_id;
  j->scores_out[row] = detection->score;
}

// ---- regular ----

static int32_t run_regular(const job* j) {
  int32_t num_kept = 0;
  for (int32_t class_id = 0; class_id < j->params->num_classes; class_id++) {
    int32_t num_candidates = 0;
    for (int32_t i = 0; i < j->num_anchors; i++)
      num_candidates = add_candidate(j, num_candidates, i, class_score(j, i, class_id));
    const int32_t num_selected = select_candidates(j, num_candidates, j->params->detections_per_class);
    num_kept = ocl_nms_merge(j->kept, num_kept, j->max_kept, j->selected, num_selected, class_id);
  }
  for (int32_t row = 0; row < num_kept; row++) write_row(j, row, &j->kept[row]);
  return num_kept;
}

// ---- fast ----

static float max_of(float a, float b) {
  return a > b ? a : b;
}

static float best_score(const job* j, int32_t anchor) {
  float best = -INFINITY;
  for (int32_t c = 0; c < j->params->num_classes; c++) best = max_of(best, class_score(j, anchor, c));
  return best;
}

static int32_t keep_best_classes(const job* j, int32_t anchor) {
  int32_t num_kept = 0;
  for (int32_t c = 0; c < j->params->num_classes; c++) {
    const ocl_nms_candidate of_class = {class_score(j, anchor, c), anchor};
    if (of_class.score == -INFINITY) continue;
    num_kept = ocl_nms_merge(j->kept, num_kept, j->max_kept, &of_class, 1, c);
  }
  return num_kept;
}

static int32_t run_fast(const job* j) {
  int32_t num_candidates = 0;
  for (int32_t i = 0; i < j->num_anchors; i++) num_candidates = add_candidate(j, num_candidates, i, best_score(j, i));
  const int32_t num_selected = select_candidates(j, num_candidates, j->params->max_detections);
  for (int32_t i = 0; i < num_selected; i++) {
    const int32_t first_row = i * j->params->max_classes_per_detection;
    const int32_t num_kept = keep_best_classes(j, j->selected[i].box_index);
    for (int32_t k = 0; k < num_kept; k++) write_row(j, first_row + k, &j->kept[k]);
  }
  return num_selected;
}

// ----

void ocl_detection_postprocess_run(const ocl_detection_postprocess* postprocess, int32_t num_anchors,
                                   int32_t num_columns, const float* box_encodings, const float* class_scores,
                                   const float* anchors, void* scratch, float* boxes_out, float* classes_out,
                                   float* scores_out, float* count_out) {
  const ocl_detection_postprocess_params* params = &postprocess->params;
  job j = {.params = params,
           .num_anchors = num_anchors,
           .num_columns = num_columns,
           .class_scores = class_scores + (num_columns - params->num_classes),
           .max_kept = count_kept(params),
           .boxes_out = boxes_out,
           .classes_out = classes_out,
           .scores_out = scores_out};
  j.boxes = scratch;
  j.candidates = (ocl_nms_candidate*)(j.boxes + 4 * (size_t)num_anchors);
  j.selected = j.candidates + num_anchors;
  j.kept = (ocl_nms_detection*)(j.selected + num_anchors);
  const size_t num_rows = (size_t)ocl_detection_postprocess_num_rows(postprocess);
  memset(boxes_out, 0, num_rows * 4 * sizeof *boxes_out);
  memset(classes_out, 0, num_rows * sizeof *classes_out);
  memset(scores_out, 0, num_rows * sizeof *scores_out);
  decode_boxes(&j, box_encodings, anchors);
  *count_out = (float)(params->use_regular_nms ? run_regular(&j) : run_fast(&j));
}
