#include "detect/nms.h"

#include <stdbool.h>
#include <stddef.h>

static float min_of(float a, float b) {
  return a < b ? a : b;
}
static float max_of(float a, float b) {
  return a > b ? a : b;
}

// In TensorFlow's order of operations, so that thresholds fall on the same side. Either corner may come first.
static bool overlaps(const float* a, const float* b, float iou_threshold) {
  const float a_y_min = min_of(a[0], a[2]), a_y_max = max_of(a[0], a[2]);
  const float a_x_min = min_of(a[1], a[3]), a_x_max = max_of(a[1], a[3]);
  const float b_y_min = min_of(b[0], b[2]), b_y_max = max_of(b[0], b[2]);
  const float b_x_min = min_of(b[1], b[3]), b_x_max = max_of(b[1], b[3]);
  const float height = min_of(a_y_max, b_y_max) - max_of(a_y_min, b_y_min);
  const float width = min_of(a_x_max, b_x_max) - max_of(a_x_min, b_x_min);
  if (height <= 0 || width <= 0) return false;  // as is always so for a box without area
  const float a_area = (a_y_max - a_y_min) * (a_x_max - a_x_min);
  const float b_area = (b_y_max - b_y_min) * (b_x_max - b_x_min);
  const float intersection = height * width;
  return intersection / (a_area + b_area - intersection) > iou_threshold;
}

// ---- a binary heap, the first candidate at [0]

static bool comes_before(const ocl_nms_candidate* a, const ocl_nms_candidate* b) {
  return a->score > b->score || (a->score == b->score && a->box_index < b->box_index);
}

static void sift_down(ocl_nms_candidate* heap, int32_t size, int32_t at) {
  const ocl_nms_candidate moved = heap[at];
  for (int32_t child = 2 * at + 1; child < size; child = 2 * at + 1) {
    if (child + 1 < size && comes_before(&heap[child + 1], &heap[child])) child++;
    if (!comes_before(&heap[child], &moved)) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = moved;
}

static ocl_nms_candidate pop(ocl_nms_candidate* heap, int32_t size) {
  const ocl_nms_candidate first = heap[0];
  heap[0] = heap[size - 1];
  if (size > 1) sift_down(heap, size - 1, 0);
  return first;
}

// ----

// The latest first: neighbours in score are often neighbours in place.
static bool is_suppressed(const float* boxes, const float* classes, float iou_threshold, int32_t max_per_class,
                          int32_t box_index, const ocl_nms_candidate* selected, int32_t num_selected) {
  const float* box = &boxes[4 * (int64_t)box_index];
  int32_t num_of_class = 0;
  for (int32_t i = num_selected - 1; i >= 0; i--) {
    const int32_t other = selected[i].box_index;
    if (classes != NULL && classes[other] != classes[box_index]) continue;
    if (overlaps(box, &boxes[4 * (int64_t)other], iou_threshold)) return true;
    num_of_class++;
  }
  return num_of_class >= max_per_class;
}

int32_t ocl_nms_select(const float* boxes, const float* classes, float iou_threshold, ocl_nms_candidate* candidates,
                       int32_t num_candidates, int32_t max_per_class, int32_t max_selected,
                       ocl_nms_candidate* selected_out) {
  for (int32_t i = num_candidates / 2 - 1; i >= 0; i--) sift_down(candidates, num_candidates, i);
  int32_t num_selected = 0;
  for (int32_t size = num_candidates; size > 0 && num_selected < max_selected; size--) {
    const ocl_nms_candidate next = pop(candidates, size);
    if (is_suppressed(boxes, classes, iou_threshold, max_per_class, next.box_index, selected_out, num_selected))
      continue;
    selected_out[num_selected++] = next;
  }
  return num_selected;
}

static bool ranks_before(const ocl_nms_detection* a, const ocl_nms_detection* b) {
  if (a->score != b->score) return a->score > b->score;
  if (a->box_index != b->box_index) return a->box_index < b->box_index;
  return a->class_id < b->class_id;
}

// From the back, in place: what is written lies at or behind what is still to be read.
int32_t ocl_nms_merge(ocl_nms_detection* kept, int32_t num_kept, int32_t max_kept, const ocl_nms_candidate* selected,
                      int32_t num_selected, int32_t class_id) {
  const int32_t num_merged = num_selected > max_kept - num_kept ? max_kept : num_kept + num_selected;
  int32_t num_old = num_kept;
  for (int32_t num_new = num_selected; num_new > 0;) {
    const int32_t at = num_old + num_new - 1;
    const ocl_nms_detection last_new = {selected[num_new - 1].score, selected[num_new - 1].box_index, class_id};
    const bool is_old_last = num_old > 0 && ranks_before(&last_new, &kept[num_old - 1]);
    const ocl_nms_detection last = is_old_last ? kept[num_old - 1] : last_new;
    if (is_old_last) {
      num_old--;
    } else {
      num_new--;
    }
    if (at < max_kept) kept[at] = last;
  }
  return num_merged;
}
