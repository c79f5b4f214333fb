// One pass over all class scores, without branches, finds every class's largest score; only classes above the threshold
// are looked at again, column by column. What is compared with the threshold there is not a probability but the score
// less its row's offset, with a cut that no probability above the threshold falls below; only what passes pays for exp.
#include "detect/ssd.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/maxima.h"
#include "detect/nms.h"

typedef enum { BOX_UNKNOWN, BOX_USABLE, BOX_UNUSABLE } box_state;

// Arrays are [num_anchors] unless said otherwise.
struct ocl_ssd {
  ocl_ssd_config config;
  int32_t num_classes, first_class_column;
  float* anchors;         // [num_anchors, 4]
  float* column_maxima;   // [num_columns] of score - row offset
  float* row_offsets;     // the row's largest score for SOFTMAX, else 0
  float* row_sums;        // of exp(score - offset), for SOFTMAX; 0: not computed yet
  float* boxes;           // [num_anchors, 4]
  uint8_t* box_states;    // box_state
  int32_t* best_classes;  // for class-agnostic detection
  ocl_nms_candidate* candidates;
  ocl_nms_candidate* selected;
  ocl_nms_detection* kept;        // [max_total]
  ocl_ssd_detection* detections;  // [max_total]
};

// The heads of one call.
typedef struct {
  ocl_ssd* ssd;
  const float* box_encodings;
  const float* class_scores;
  const ocl_ssd_options* options;
} job;

// ---- create, destroy ----

static bool is_config_valid(const ocl_ssd_config* c) {
  if (c->background_column != 0 && c->background_column != -1) return false;
  if (c->converter != OCL_SSD_SIGMOID && c->converter != OCL_SSD_SOFTMAX && c->converter != OCL_SSD_NONE) return false;
  // The bytes of every array can be counted in a signed 32-bit number.
  if (c->num_anchors < 1 || c->num_anchors > INT32_MAX / 16) return false;
  if (c->num_columns < 1 || c->num_columns > INT32_MAX / 4 / c->num_anchors) return false;
  if (c->num_columns == 1 && c->background_column == 0) return false;
  if (c->num_other_columns < 0 || c->num_other_columns > INT32_MAX / 4 / c->num_anchors - 4) return false;
  if (c->max_total < 1 || c->max_total > OCL_SSD_MAX_RESULTS) return false;
  for (int32_t i = 0; i < 4; i++)
    if (!(c->box_scales[i] > 0 && isfinite(c->box_scales[i]))) return false;
  for (int32_t i = 0; i < 4 * c->num_anchors; i++)
    if (!isfinite(c->anchors[i])) return false;
  return true;
}

static ocl_status allocate(ocl_ssd* ssd) {
  const size_t n = (size_t)ssd->config.num_anchors, max_total = (size_t)ssd->config.max_total;
  ssd->anchors = malloc(n * 4 * sizeof *ssd->anchors);
  ssd->column_maxima = malloc((size_t)ssd->config.num_columns * sizeof *ssd->column_maxima);
  ssd->row_offsets = calloc(n, sizeof *ssd->row_offsets);
  ssd->row_sums = malloc(n * sizeof *ssd->row_sums);
  ssd->boxes = malloc(n * 4 * sizeof *ssd->boxes);
  ssd->box_states = malloc(n * sizeof *ssd->box_states);
  ssd->best_classes = malloc(n * sizeof *ssd->best_classes);
  ssd->candidates = malloc(n * sizeof *ssd->candidates);
  ssd->selected = malloc(n * sizeof *ssd->selected);
  ssd->kept = malloc(max_total * sizeof *ssd->kept);
  ssd->detections = malloc(max_total * sizeof *ssd->detections);
  const bool has_all = ssd->anchors && ssd->column_maxima && ssd->row_offsets && ssd->row_sums && ssd->boxes &&
                       ssd->box_states && ssd->best_classes && ssd->candidates && ssd->selected && ssd->kept &&
                       ssd->detections;
  return has_all ? OCL_OK : OCL_OUT_OF_MEMORY;
}

ocl_status ocl_ssd_create(const ocl_ssd_config* config, ocl_ssd** ssd_out) {
  *ssd_out = NULL;
  if (!is_config_valid(config)) return OCL_INVALID_ARGUMENT;
  ocl_ssd* ssd = calloc(1, sizeof *ssd);
  if (ssd == NULL) return OCL_OUT_OF_MEMORY;
  ssd->config = *config;
  ssd->first_class_column = config->background_column + 1;
  ssd->num_classes = config->num_columns - ssd->first_class_column;
  const ocl_status status = allocate(ssd);
  if (status != OCL_OK) {
    ocl_ssd_destroy(ssd);
    return status;
  }
  memcpy(ssd->anchors, config->anchors, (size_t)config->num_anchors * 4 * sizeof *ssd->anchors);
  *ssd_out = ssd;
  return OCL_OK;
}

void ocl_ssd_destroy(ocl_ssd* ssd) {
  if (ssd == NULL) return;
  free(ssd->anchors);
  free(ssd->column_maxima);
  free(ssd->row_offsets);
  free(ssd->row_sums);
  free(ssd->boxes);
  free(ssd->box_states);
  free(ssd->best_classes);
  free(ssd->candidates);
  free(ssd->selected);
  free(ssd->kept);
  free(ssd->detections);
  free(ssd);
}

// ---- boxes ----

static void decode(const float encoding[4], const float anchor[4], const float box_scales[4], bool is_size_linear,
                   float box_out[4]) {
  const float y_center = encoding[0] / box_scales[0] * anchor[2] + anchor[0];
  const float x_center = encoding[1] / box_scales[1] * anchor[3] + anchor[1];
  const float th = encoding[2] / box_scales[2], tw = encoding[3] / box_scales[3];
  const float height = (is_size_linear ? th : expf(th)) * anchor[2];
  const float width = (is_size_linear ? tw : expf(tw)) * anchor[3];
  box_out[0] = y_center - height / 2;
  box_out[1] = x_center - width / 2;
  box_out[2] = y_center + height / 2;
  box_out[3] = x_center + width / 2;
}

// A box is unusable if it is not finite, or if a linear side is negative.
static box_state decode_anchor(const job* j, int32_t anchor) {
  const ocl_ssd_config* c = &j->ssd->config;
  float* box = &j->ssd->boxes[4 * anchor];
  const float* row = &j->box_encodings[(size_t)anchor * (size_t)(4 + c->num_other_columns)];
  const int32_t y = c->is_x_first ? 1 : 0, x = 1 - y;
  const float encoding[4] = {row[y], row[x], row[2 + y], row[2 + x]};
  decode(encoding, &j->ssd->anchors[4 * anchor], c->box_scales, c->is_size_linear, box);
  const bool is_finite = isfinite(box[0]) && isfinite(box[1]) && isfinite(box[2]) && isfinite(box[3]);
  const bool has_sides = !c->is_size_linear || (box[0] <= box[2] && box[1] <= box[3]);
  return is_finite && has_sides ? BOX_USABLE : BOX_UNUSABLE;
}

static bool has_usable_box(const job* j, int32_t anchor) {
  uint8_t* state = &j->ssd->box_states[anchor];
  if (*state == BOX_UNKNOWN) *state = (uint8_t)decode_anchor(j, anchor);
  return *state == BOX_USABLE;
}

static float clamp_unit(float value) {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}

static ocl_ssd_detection place(const job* j, const ocl_nms_detection* kept) {
  const float* box = &j->ssd->boxes[4 * kept->box_index];
  ocl_ssd_detection out = {box[0], box[1], box[2], box[3], kept->score, kept->class_id, kept->box_index};
  if (j->options->is_clipped) {
    out.y_min = clamp_unit(out.y_min);
    out.x_min = clamp_unit(out.x_min);
    out.y_max = clamp_unit(out.y_max);
    out.x_max = clamp_unit(out.x_max);
  }
  return out;
}

// Clipping may leave nothing of a box; TensorFlow drops those after suppression and before it cuts to max_total.
static int32_t drop_outside(const job* j, ocl_nms_candidate* selected, int32_t num_selected) {
  if (!j->options->is_clipped) return num_selected;
  int32_t num_left = 0;
  for (int32_t i = 0; i < num_selected; i++) {
    const ocl_ssd_detection box = place(j, &(ocl_nms_detection){selected[i].score, selected[i].box_index, 0});
    if ((box.y_max - box.y_min) * (box.x_max - box.x_min) > 0) selected[num_left++] = selected[i];
  }
  return num_left;
}

// ---- scores ----

static const float* score_row(const job* j, int32_t anchor) {
  return &j->class_scores[(size_t)anchor * (size_t)j->ssd->config.num_columns];
}

static void scan_scores(const job* j) {
  ocl_ssd* ssd = j->ssd;
  const int32_t num_anchors = ssd->config.num_anchors, num_columns = ssd->config.num_columns;
  for (int32_t c = 0; c < num_columns; c++) ssd->column_maxima[c] = -INFINITY;
  for (int32_t first = 0; first < num_anchors; first += OCL_MAXIMA_ROWS) {
    const float* rows[OCL_MAXIMA_ROWS];
    float offsets[OCL_MAXIMA_ROWS];
    for (int32_t r = 0; r < OCL_MAXIMA_ROWS; r++) {
      // Past the end the last row comes again: a maximum does not mind.
      const int32_t anchor = first + r < num_anchors ? first + r : num_anchors - 1;
      rows[r] = score_row(j, anchor);
      if (ssd->config.converter == OCL_SSD_SOFTMAX) ssd->row_offsets[anchor] = ocl_maxima_row(rows[r], num_columns);
      offsets[r] = ssd->row_offsets[anchor];
    }
    ocl_maxima_fold(rows, offsets, num_columns, ssd->column_maxima);
  }
}

// A probability above or at `probability` comes from a score - offset above this. Both bounds allow for the rounding
// of the probability: sigmoid(x) > p means x > logit(p); in a softmax less its row's maximum, exp(x) / sum > p means
// x > log(p), since the sum is at least 1.
static float cut_for(const ocl_ssd* ssd, float probability) {
  const double lowered = (double)probability * (1 - 8 * FLT_EPSILON);
  if (ssd->config.converter == OCL_SSD_SIGMOID) return (float)(log(lowered / (1 - lowered)) - 1e-5);
  if (ssd->config.converter == OCL_SSD_SOFTMAX) return (float)(log(lowered) - 1e-5);
  return (float)lowered;
}

static float row_sum(const job* j, int32_t anchor) {
  float* sum = &j->ssd->row_sums[anchor];
  if (*sum != 0) return *sum;
  const float* row = score_row(j, anchor);
  const float offset = j->ssd->row_offsets[anchor];
  double total = 0;
  for (int32_t c = 0; c < j->ssd->config.num_columns; c++) total += expf(row[c] - offset);
  return *sum = (float)total;
}

static float probability(const job* j, int32_t anchor, float above_offset) {
  switch (j->ssd->config.converter) {
    case OCL_SSD_SIGMOID: return 1 / (1 + expf(-above_offset));
    case OCL_SSD_SOFTMAX: return expf(above_offset) / row_sum(j, anchor);
    case OCL_SSD_NONE: break;
  }
  return above_offset;
}

// All anchors that have class `class_id` with a score above the threshold and at least `min_score`. A score that is not
// finite is no candidate; under SOFTMAX one NaN or infinity makes NaN of its whole row, which no comparison lets pass.
static int32_t collect(const job* j, int32_t class_id, float min_score, ocl_nms_candidate* candidates_out) {
  const ocl_ssd* ssd = j->ssd;
  const int32_t column = ssd->first_class_column + class_id;
  const float threshold = j->options->score_threshold;
  const float cut = cut_for(ssd, min_score);
  if (!(ssd->column_maxima[column] > cut)) return 0;
  int32_t num_candidates = 0;
  for (int32_t anchor = 0; anchor < ssd->config.num_anchors; anchor++) {
    const float above_offset = score_row(j, anchor)[column] - ssd->row_offsets[anchor];
    if (!(above_offset > cut && above_offset <= FLT_MAX)) continue;
    const float score = probability(j, anchor, above_offset);
    if (!(score > threshold && score >= min_score) || !has_usable_box(j, anchor)) continue;
    candidates_out[num_candidates++] = (ocl_nms_candidate){score, anchor};
  }
  return num_candidates;
}

// ---- detections ----

static bool is_allowed(const job* j, int32_t class_id) {
  return j->options->allowed_classes == NULL || j->options->allowed_classes[class_id] != 0;
}

static int32_t select_candidates(const job* j, int32_t num_candidates, int32_t max_selected) {
  return ocl_nms_select(j->ssd->boxes, NULL, j->options->iou_threshold, j->ssd->candidates, num_candidates,
                        max_selected, max_selected, j->ssd->selected);
}

static int32_t keep_per_class(const job* j) {
  const ocl_ssd* ssd = j->ssd;
  const ocl_ssd_options* options = j->options;
  int32_t num_kept = 0;
  for (int32_t class_id = 0; class_id < ssd->num_classes; class_id++) {
    if (!is_allowed(j, class_id)) continue;
    // Once max_total are kept, what scores below the last of them cannot come in, nor suppress anything that can.
    const bool is_full = num_kept == options->max_total;
    const float min_score = is_full ? ssd->kept[num_kept - 1].score : options->score_threshold;
    const int32_t num_candidates = collect(j, class_id, min_score, ssd->candidates);
    int32_t num_selected = select_candidates(j, num_candidates, options->max_per_class);
    num_selected = drop_outside(j, ssd->selected, num_selected);
    num_kept = ocl_nms_merge(ssd->kept, num_kept, options->max_total, ssd->selected, num_selected, class_id);
  }
  return num_kept;
}

// Every anchor's best allowed class (ties: the lower) as a candidate.
static int32_t collect_best(const job* j) {
  const ocl_ssd* ssd = j->ssd;
  ocl_nms_candidate *best = ssd->candidates, *of_class = ssd->selected;
  for (int32_t anchor = 0; anchor < ssd->config.num_anchors; anchor++) best[anchor].score = -1;
  for (int32_t class_id = 0; class_id < ssd->num_classes; class_id++) {
    if (!is_allowed(j, class_id)) continue;
    const int32_t num_candidates = collect(j, class_id, j->options->score_threshold, of_class);
    for (int32_t i = 0; i < num_candidates; i++) {
      const int32_t anchor = of_class[i].box_index;
      if (of_class[i].score <= best[anchor].score) continue;
      best[anchor] = of_class[i];
      ssd->best_classes[anchor] = class_id;
    }
  }
  int32_t num_best = 0;
  for (int32_t anchor = 0; anchor < ssd->config.num_anchors; anchor++)
    if (best[anchor].score >= 0) best[num_best++] = best[anchor];
  return num_best;
}

static int32_t keep_class_agnostic(const job* j) {
  const ocl_ssd* ssd = j->ssd;
  const int32_t num_best = collect_best(j), max_total = j->options->max_total;
  int32_t num_kept = select_candidates(j, num_best, max_total);
  num_kept = drop_outside(j, ssd->selected, num_kept);
  for (int32_t i = 0; i < num_kept; i++) {
    const ocl_nms_candidate* s = &ssd->selected[i];
    ssd->kept[i] = (ocl_nms_detection){s->score, s->box_index, ssd->best_classes[s->box_index]};
  }
  return num_kept;
}

ocl_status ocl_ssd_check_options(const ocl_ssd_options* o) {
  const bool is_valid = o->score_threshold >= 0 && o->score_threshold <= 1 && o->iou_threshold >= 0 &&
                        o->iou_threshold <= 1 && o->max_per_class >= 1 && o->max_total >= 1 &&
                        o->max_total <= OCL_SSD_MAX_RESULTS;
  return is_valid ? OCL_OK : OCL_INVALID_ARGUMENT;
}

ocl_status ocl_ssd_detect(ocl_ssd* ssd, const float* box_encodings, const float* class_scores,
                          const ocl_ssd_options* options, const ocl_ssd_detection** detections_out,
                          int32_t* num_detections_out) {
  OCL_TRY(ocl_ssd_check_options(options));
  if (options->max_total > ssd->config.max_total) return OCL_INVALID_ARGUMENT;
  const job j = {ssd, box_encodings, class_scores, options};
  memset(ssd->box_states, BOX_UNKNOWN, (size_t)ssd->config.num_anchors * sizeof *ssd->box_states);
  memset(ssd->row_sums, 0, (size_t)ssd->config.num_anchors * sizeof *ssd->row_sums);
  scan_scores(&j);
  const int32_t num_kept = options->is_class_agnostic ? keep_class_agnostic(&j) : keep_per_class(&j);
  for (int32_t i = 0; i < num_kept; i++) ssd->detections[i] = place(&j, &ssd->kept[i]);
  *detections_out = ssd->detections;
  *num_detections_out = num_kept;
  return OCL_OK;
}
