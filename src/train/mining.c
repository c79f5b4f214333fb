#include "train/mining.h"

#include <math.h>
#include <stddef.h>

static float loss_of(const ocl_ssd_loss* loss, const ocl_ssd_scratch* s, int32_t i) {
  switch ((ocl_mine_loss)loss->mine_loss) {
    case OCL_MINE_BOX: return s->box_losses[i];
    case OCL_MINE_BOTH: return s->class_losses[i] * loss->mine_class_weight + s->box_losses[i] * loss->mine_box_weight;
    case OCL_MINE_CLASS:
    case OCL_NUM_MINE_LOSSES: break;
  }
  return s->class_losses[i];
}

// Whether anchor a comes before b: by descending loss, then by number.
static bool is_before(const ocl_ssd_loss* loss, const ocl_ssd_scratch* s, int32_t a, int32_t b) {
  const float of_a = loss_of(loss, s, a), of_b = loss_of(loss, s, b);
  return of_a != of_b ? of_a > of_b : a < b;
}

// Lets the entry at `root` of a heap of `size` sink; the last of the order is on top.
static void sink(const ocl_ssd_loss* loss, const ocl_ssd_scratch* s, int32_t root, int32_t size) {
  int32_t* heap = s->order;
  for (int32_t child; (child = 2 * root + 1) < size; root = child) {
    if (child + 1 < size && is_before(loss, s, heap[child], heap[child + 1])) child++;
    if (!is_before(loss, s, heap[root], heap[child])) return;
    const int32_t swapped = heap[root];
    heap[root] = heap[child];
    heap[child] = swapped;
  }
}

static void sort(const ocl_ssd_loss* loss, int32_t count, const ocl_ssd_scratch* s) {
  for (int32_t i = 0; i < count; i++) s->order[i] = i;
  for (int32_t i = count / 2 - 1; i >= 0; i--) sink(loss, s, i, count);
  for (int32_t end = count - 1; end > 0; end--) {
    const int32_t last = s->order[0];
    s->order[0] = s->order[end];
    s->order[end] = last;
    sink(loss, s, 0, end);
  }
}

// Whether two boxes may overlap by more than the limit: their tops differ by less than what this leaves of the height.
// Most pairs end here, and there are many.
static bool may_overlap(const ocl_ssd_loss* loss, const float a[4], const float b[4]) {
  const float limit = loss->mine_iou, slack = 1e-5F + (1 - limit) / (limit + 1e-5F) * (a[2] - a[0]);
  return fabsf(a[0] - b[0]) <= slack * 1.001F;
}

static bool overlaps_chosen(const ocl_ssd_loss* loss, const ocl_ssd_scratch* s, int32_t anchor, int32_t num_chosen) {
  const float* box = s->places + 4 * (ptrdiff_t)anchor;
  for (int32_t i = num_chosen - 1; i >= 0; i--) {
    const float* other = s->places + 4 * (ptrdiff_t)s->order[i];
    if (may_overlap(loss, box, other) && ocl_targets_iou(box, other) > loss->mine_iou) return true;
  }
  return false;
}

// Moves the anchors that non-maximum suppression leaves to the front of the order. Returns how many.
static int32_t suppress(const ocl_ssd_loss* loss, int32_t num_anchors, const ocl_ssd_scratch* s) {
  const int32_t most = loss->num_hard_examples > 0 ? loss->num_hard_examples : num_anchors;
  int32_t chosen = 0;
  for (int32_t i = 0; i < num_anchors && chosen < most; i++) {
    const int32_t anchor = s->order[i];
    if (loss->mine_iou < 1 && overlaps_chosen(loss, s, anchor, chosen)) continue;
    s->order[chosen++] = anchor;
  }
  return chosen;
}

static int32_t count_negatives(const ocl_ssd_loss* loss, const ocl_ssd_scratch* s, int32_t chosen) {
  int32_t positives = 0;
  for (int32_t i = 0; i < chosen; i++) positives += s->matches[s->order[i]] >= 0;
  const float wanted = loss->negatives_per_positive * (float)positives;
  const int32_t most = wanted < (float)chosen ? (int32_t)wanted : chosen;
  return most > loss->min_negatives ? most : loss->min_negatives;
}

void ocl_mining_choose(const ocl_ssd_loss* loss, int32_t num_anchors, const ocl_ssd_scratch* s) {
  sort(loss, num_anchors, s);
  const int32_t chosen = suppress(loss, num_anchors, s);
  for (int32_t i = 0; i < num_anchors; i++) s->is_chosen[i] = false;
  const bool is_limited = loss->negatives_per_positive >= 0;
  const int32_t most = is_limited ? count_negatives(loss, s, chosen) : 0;
  int32_t negatives = 0;
  for (int32_t i = 0; i < chosen; i++) {
    const int32_t match = s->matches[s->order[i]];
    negatives += match == OCL_UNMATCHED;
    s->is_chosen[s->order[i]] = !is_limited || match >= 0 || negatives <= most;
  }
}
