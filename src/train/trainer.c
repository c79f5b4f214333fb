#include "train/trainer.h"

#include <stdlib.h>

struct ocl_trainer {
  ocl_network network;
  ocl_trainer_buffers buffers;
};

static const ocl_map* output_of(const ocl_network* n) {
  return &n->activations[n->num_activations - 1];
}

static bool is_head(const ocl_network* n) {
  const ocl_map_shape out = output_of(n)->shape;
  return out.height == 1 && out.width == 1 && ocl_network_layer_of(n, n->num_layers - 1)->kind == OCL_POINTWISE;
}

static ocl_status open_buffers(ocl_trainer* t) {
  const ocl_network* n = &t->network;
  const size_t rows = (size_t)n->max_rows, classes = (size_t)output_of(n)->shape.channels;
  t->buffers = (ocl_trainer_buffers){.input = n->activations[0].values,
                                     .labels = calloc(rows, sizeof(int32_t)),
                                     .targets = calloc(rows * classes, sizeof(float)),
                                     .weights = calloc(rows, sizeof(float)),
                                     .parameters = n->parameters,
                                     .gradients = n->gradients,
                                     .slots = n->slots,
                                     .probabilities = output_of(n)->values,
                                     .num_parameters = n->num_parameters,
                                     .num_slots = n->num_slots,
                                     .num_classes = (int32_t)classes};
  const bool has_all = t->buffers.labels != NULL && t->buffers.targets != NULL && t->buffers.weights != NULL;
  return has_all ? OCL_OK : OCL_OUT_OF_MEMORY;
}

static ocl_status open_trainer(ocl_trainer* t, const ocl_network_plan* plan, const ocl_optimizer* optimizer) {
  OCL_TRY(ocl_network_init(&t->network, plan, optimizer));
  return is_head(&t->network) ? open_buffers(t) : OCL_INVALID_ARGUMENT;
}

ocl_status ocl_trainer_create(const ocl_layer* layers, int32_t num_layers, ocl_trainer_shape shape,
                              const ocl_optimizer* optimizer, ocl_trainer** trainer_out) {
  *trainer_out = NULL;
  if (num_layers < 1 || num_layers > OCL_NETWORK_MAX_LAYERS) return OCL_INVALID_ARGUMENT;
  ocl_layer chain[OCL_NETWORK_MAX_LAYERS];
  for (int32_t i = 0; i < num_layers; i++) {
    chain[i] = layers[i];
    chain[i].from = i;
    chain[i].shared = -1;
    chain[i].is_frozen = 0;
  }
  ocl_trainer* t = calloc(1, sizeof *t);
  if (t == NULL) return OCL_OUT_OF_MEMORY;
  const ocl_map_shape input = {shape.height, shape.width, shape.channels};
  const ocl_network_plan plan = {chain, num_layers, &input, 1, shape.max_rows};
  const ocl_status status = open_trainer(t, &plan, optimizer);
  if (status == OCL_OK)
    *trainer_out = t;
  else
    ocl_trainer_destroy(t);
  return status;
}

void ocl_trainer_destroy(ocl_trainer* trainer) {
  if (trainer == NULL) return;
  free(trainer->buffers.labels);
  free(trainer->buffers.targets);
  free(trainer->buffers.weights);
  ocl_network_free(&trainer->network);
  free(trainer);
}

ocl_trainer_buffers ocl_trainer_get_buffers(const ocl_trainer* trainer) {
  return trainer->buffers;
}

static bool are_rows(const ocl_trainer* t, int32_t rows) {
  return rows >= 1 && rows <= t->network.max_rows;
}

// l2 joins the loss for the last kernel only.
static double regularize(const ocl_trainer* t, float l2, bool is_training) {
  return ocl_network_regularize(&t->network, t->network.num_layers - 1, l2, is_training);
}

static bool are_labels(const ocl_trainer* t, const ocl_trainer_batch* batch) {
  for (int32_t i = 0; !batch->has_targets && i < batch->rows; i++) {
    if (t->buffers.labels[i] < 0 || t->buffers.labels[i] >= t->buffers.num_classes) return false;
  }
  return true;
}

static ocl_head_truth truth_of(const ocl_trainer* t, const ocl_trainer_batch* batch) {
  const ocl_trainer_buffers* b = &t->buffers;
  return (ocl_head_truth){batch->rows,
                          b->num_classes,
                          batch->has_targets ? NULL : b->labels,
                          b->targets,
                          batch->has_weights ? b->weights : NULL,
                          batch->label_smoothing};
}

ocl_status ocl_trainer_predict(ocl_trainer* t, int32_t rows) {
  if (!are_rows(t, rows)) return OCL_INVALID_ARGUMENT;
  ocl_network_forward(&t->network, rows, false);
  ocl_head_softmax(rows, t->buffers.num_classes, t->buffers.probabilities);
  return OCL_OK;
}

ocl_status ocl_trainer_evaluate(ocl_trainer* t, const ocl_trainer_batch* batch, ocl_trainer_result* result_out) {
  if (!are_rows(t, batch->rows) || !are_labels(t, batch)) return OCL_INVALID_ARGUMENT;
  const ocl_head_truth truth = truth_of(t, batch);
  ocl_network_forward(&t->network, batch->rows, false);
  result_out->head = ocl_head_loss(&truth, t->buffers.probabilities, NULL);
  result_out->regularizer = regularize(t, batch->l2, false);
  return OCL_OK;
}

ocl_status ocl_trainer_step(ocl_trainer* t, const ocl_trainer_batch* batch, int32_t step, float learning_rate,
                            ocl_trainer_result* result_out) {
  if (!are_rows(t, batch->rows) || step < 1 || !are_labels(t, batch)) return OCL_INVALID_ARGUMENT;
  const ocl_head_truth truth = truth_of(t, batch);
  ocl_network_forward(&t->network, batch->rows, true);
  ocl_network_clear(&t->network, batch->rows);
  result_out->head = ocl_head_loss(&truth, t->buffers.probabilities, output_of(&t->network)->gradient);
  ocl_network_backward(&t->network, batch->rows);
  result_out->regularizer = regularize(t, batch->l2, true);
  ocl_network_apply(&t->network, step, learning_rate);
  return OCL_OK;
}
