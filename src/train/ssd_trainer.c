#include "train/ssd_trainer.h"

#include <stdlib.h>
#include <string.h>

enum { BOX_SIZE = 4, MAX_ANCHORS = 1 << 20, MAX_BOXES = 1 << 24 };

struct ocl_ssd_trainer {
  ocl_network network;
  ocl_ssd_plan plan;
  ocl_ssd_heads* heads;
  float* anchors;
  ocl_ssd_buffers buffers;
  float *encoding_gradients, *logit_gradients;
  ocl_ssd_scratch scratch;
};

static const ocl_map* output_of(const ocl_network* n, int32_t layer) {
  return &n->activations[n->num_inputs + layer];
}

// ---- create

// The anchors of a map; 0: its heads do not fit.
static int32_t count_anchors(const ocl_network* n, ocl_ssd_heads heads, int32_t columns) {
  const bool are_layers =
      heads.boxes >= 0 && heads.boxes < n->num_layers && heads.scores >= 0 && heads.scores < n->num_layers;
  if (!are_layers) return 0;
  const ocl_map_shape boxes = output_of(n, heads.boxes)->shape, scores = output_of(n, heads.scores)->shape;
  const int32_t at_pixel = boxes.channels / BOX_SIZE;
  const bool fits = boxes.height == scores.height && boxes.width == scores.width &&
                    boxes.channels == at_pixel * BOX_SIZE && scores.channels == (int64_t)at_pixel * columns;
  return fits ? boxes.height * boxes.width * at_pixel : 0;
}

static bool fit_heads(const ocl_network* n, const ocl_ssd_plan* plan) {
  int64_t anchors = 0;
  for (int32_t i = 0; i < plan->num_heads; i++) {
    const int32_t count = count_anchors(n, plan->heads[i], plan->num_columns);
    if (count == 0) return false;
    anchors += count;
  }
  return anchors == plan->num_anchors;
}

static bool is_loss(const ocl_ssd_loss* loss) {
  if (loss->class_loss < 0 || loss->class_loss >= OCL_NUM_CLASS_LOSSES) return false;
  if (loss->mine_loss < 0 || loss->mine_loss >= OCL_NUM_MINE_LOSSES) return false;
  if (loss->class_loss == OCL_CLASS_SOFTMAX && !loss->has_background) return false;
  for (int i = 0; i < BOX_SIZE; i++) {
    if (!(loss->scales[i] > 0)) return false;
  }
  return loss->delta > 0 && loss->logit_scale > 0 && loss->match.matched_iou >= loss->match.unmatched_iou;
}

static bool is_plan(const ocl_ssd_plan* plan) {
  if (plan->num_heads < 1 || plan->num_heads > OCL_NETWORK_MAX_LAYERS) return false;
  if (plan->num_columns < 1 + plan->loss.has_background || plan->num_columns > OCL_NETWORK_MAX_SIZE) return false;
  if (plan->num_anchors < 1 || plan->num_anchors > MAX_ANCHORS) return false;
  return plan->max_boxes >= 0 && plan->max_boxes <= MAX_BOXES && is_loss(&plan->loss);
}

static void* copy(const void* from, size_t size_bytes) {
  void* to = malloc(size_bytes > 0 ? size_bytes : 1);
  if (to != NULL) memcpy(to, from, size_bytes);
  return to;
}

static ocl_status open_buffers(ocl_ssd_trainer* t) {
  const ocl_network* n = &t->network;
  const size_t rows = (size_t)n->max_rows, anchors = (size_t)t->plan.num_anchors;
  const size_t columns = (size_t)t->plan.num_columns, boxes = (size_t)t->plan.max_boxes + 1;
  if ((double)rows * (double)anchors * (double)(columns + BOX_SIZE) >= 0x1p27) return OCL_OUT_OF_MEMORY;
  ocl_ssd_buffers* b = &t->buffers;
  ocl_ssd_scratch* s = &t->scratch;
  *b = (ocl_ssd_buffers){.parameters = n->parameters,
                         .gradients = n->gradients,
                         .slots = n->slots,
                         .num_parameters = n->num_parameters,
                         .num_slots = n->num_slots};
  for (int32_t i = 0; i < n->num_inputs; i++) b->row_length += (int32_t)ocl_map_size(n->activations[i].shape);
  const bool has_all =
      (t->heads = copy(t->plan.heads, (size_t)t->plan.num_heads * sizeof *t->heads)) &&
      (t->anchors = copy(t->plan.anchors, anchors * BOX_SIZE * sizeof(float))) &&
      (b->counts = calloc(rows, sizeof(int32_t))) && (b->boxes = calloc(boxes, BOX_SIZE * sizeof(float))) &&
      (b->classes = calloc(boxes, sizeof(int32_t))) && (b->weights = calloc(boxes, sizeof(float))) &&
      (b->encodings = calloc(rows * anchors, BOX_SIZE * sizeof(float))) &&
      (b->logits = calloc(rows * anchors, columns * sizeof(float))) &&
      (t->encoding_gradients = calloc(rows * anchors, BOX_SIZE * sizeof(float))) &&
      (t->logit_gradients = calloc(rows * anchors, columns * sizeof(float))) &&
      (s->matches = calloc(anchors, sizeof(int32_t))) && (s->order = calloc(anchors, sizeof(int32_t))) &&
      (s->class_losses = calloc(anchors, sizeof(float))) && (s->box_losses = calloc(anchors, sizeof(float))) &&
      (s->places = calloc(anchors, BOX_SIZE * sizeof(float))) && (s->is_chosen = calloc(anchors, sizeof(bool)));
  t->plan.heads = t->heads;
  t->plan.anchors = t->anchors;
  return has_all ? OCL_OK : OCL_OUT_OF_MEMORY;
}

static ocl_status open_trainer(ocl_ssd_trainer* t, const ocl_network_plan* network, const ocl_optimizer* optimizer) {
  if (!is_plan(&t->plan)) return OCL_INVALID_ARGUMENT;
  OCL_TRY(ocl_network_init(&t->network, network, optimizer));
  return fit_heads(&t->network, &t->plan) ? open_buffers(t) : OCL_INVALID_ARGUMENT;
}

ocl_status ocl_ssd_trainer_create(const ocl_network_plan* network, const ocl_optimizer* optimizer,
                                  const ocl_ssd_plan* plan, ocl_ssd_trainer** trainer_out) {
  *trainer_out = NULL;
  ocl_ssd_trainer* t = calloc(1, sizeof *t);
  if (t == NULL) return OCL_OUT_OF_MEMORY;
  t->plan = *plan;
  const ocl_status status = open_trainer(t, network, optimizer);
  if (status == OCL_OK)
    *trainer_out = t;
  else
    ocl_ssd_trainer_destroy(t);
  return status;
}

void ocl_ssd_trainer_destroy(ocl_ssd_trainer* trainer) {
  if (trainer == NULL) return;
  ocl_ssd_buffers* b = &trainer->buffers;
  ocl_ssd_scratch* s = &trainer->scratch;
  void* owned[] = {trainer->heads,
                   trainer->anchors,
                   trainer->encoding_gradients,
                   trainer->logit_gradients,
                   b->counts,
                   b->boxes,
                   b->classes,
                   b->weights,
                   b->encodings,
                   b->logits,
                   s->matches,
                   s->order,
                   s->class_losses,
                   s->box_losses,
                   s->places,
                   s->is_chosen};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
  ocl_network_free(&trainer->network);
  free(trainer);
}

ocl_ssd_buffers ocl_ssd_trainer_get_buffers(const ocl_ssd_trainer* trainer) {
  return trainer->buffers;
}

// ---- maps and heads

float* ocl_ssd_trainer_map(const ocl_ssd_trainer* trainer, int32_t map, int32_t row, size_t* count_out) {
  const ocl_network* n = &trainer->network;
  if (map < 0 || map >= n->num_inputs || row < 0 || row >= n->max_rows) return NULL;
  *count_out = ocl_map_size(n->activations[map].shape);
  return n->activations[map].values + (size_t)row * *count_out;
}

// Copies between a head's map [rows, size] and its part of all anchors' values [rows, total], which begins at `first`.
static void copy_head(int32_t rows, size_t size, size_t total, size_t first, float* map, float* all, bool is_to_all) {
  for (int32_t row = 0; row < rows; row++) {
    float *part = all + (size_t)row * total + first, *of_row = map + (size_t)row * size;
    memcpy(is_to_all ? part : of_row, is_to_all ? of_row : part, size * sizeof *map);
  }
}

// Values of all heads -> encodings and logits; or their gradients -> those of the heads.
static void copy_heads(const ocl_ssd_trainer* t, int32_t rows, bool is_backward) {
  const size_t columns = (size_t)t->plan.num_columns, anchors = (size_t)t->plan.num_anchors;
  size_t first = 0;
  for (int32_t i = 0; i < t->plan.num_heads; i++) {
    const ocl_map *boxes = output_of(&t->network, t->heads[i].boxes),
                  *scores = output_of(&t->network, t->heads[i].scores);
    const size_t size = ocl_map_size(boxes->shape);
    copy_head(rows, size, anchors * BOX_SIZE, first * BOX_SIZE, is_backward ? boxes->gradient : boxes->values,
              is_backward ? t->encoding_gradients : t->buffers.encodings, !is_backward);
    copy_head(rows, ocl_map_size(scores->shape), anchors * columns, first * columns,
              is_backward ? scores->gradient : scores->values, is_backward ? t->logit_gradients : t->buffers.logits,
              !is_backward);
    first += size / BOX_SIZE;
  }
}

// ---- steps

static void predict(const ocl_ssd_trainer* t, int32_t rows, bool is_training) {
  ocl_network_forward(&t->network, rows, is_training);
  copy_heads(t, rows, false);
}

static bool are_boxes(const ocl_ssd_trainer* t, int32_t rows) {
  const ocl_ssd_buffers* b = &t->buffers;
  const int32_t classes = t->plan.num_columns - t->plan.loss.has_background;
  int64_t total = 0;
  for (int32_t row = 0; row < rows; row++) {
    if (b->counts[row] < 0) return false;
    total += b->counts[row];
  }
  if (total > t->plan.max_boxes) return false;
  for (int64_t i = 0; i < total; i++) {
    if (b->classes[i] < 0 || b->classes[i] >= classes) return false;
  }
  return true;
}

ocl_status ocl_ssd_trainer_predict(ocl_ssd_trainer* trainer, int32_t rows) {
  if (rows < 1 || rows > trainer->network.max_rows) return OCL_INVALID_ARGUMENT;
  predict(trainer, rows, false);
  return OCL_OK;
}

static double regularize(const ocl_ssd_trainer* t, float l2, bool is_training) {
  double sum = 0;
  for (int32_t i = 0; i < t->network.num_layers; i++) sum += ocl_network_regularize(&t->network, i, l2, is_training);
  return sum;
}

ocl_status ocl_ssd_trainer_run(ocl_ssd_trainer* t, int32_t rows, float l2, int32_t step, float learning_rate,
                               ocl_ssd_trainer_result* result_out) {
  if (rows < 1 || rows > t->network.max_rows || step < 0 || !are_boxes(t, rows)) return OCL_INVALID_ARGUMENT;
  const ocl_ssd_buffers* b = &t->buffers;
  const bool is_training = step > 0;
  predict(t, rows, is_training);
  const ocl_ssd_batch batch = {rows,         t->plan.num_anchors, t->plan.num_columns, t->anchors,
                               b->encodings, b->logits,           b->counts,           b->boxes,
                               b->classes,   b->weights};
  result_out->loss =
      ocl_ssd_loss_compute(&t->plan.loss, &batch, &t->scratch, is_training ? t->encoding_gradients : NULL,
                           is_training ? t->logit_gradients : NULL);
  if (is_training) {
    ocl_network_clear(&t->network, rows);
    copy_heads(t, rows, true);
    ocl_network_backward(&t->network, rows);
  }
  result_out->regularizer = regularize(t, l2, is_training);
  if (is_training) ocl_network_apply(&t->network, step, learning_rate);
  return OCL_OK;
}
