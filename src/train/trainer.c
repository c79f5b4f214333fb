#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/layers.h"
#include "train/matmul.h"

typedef struct {
  ocl_layer is;
  int32_t height, width, channels;  // of the input
  int32_t out_height, out_width;
  size_t kernel, norm;   // offsets of its parameters
  uint64_t kernel_size;  // 0: a pool. 64 bits: fit() refuses sizes that 32 bits would wrap
  float *input, *output, *input_gradient, *gradient;
  float *normalized, *inverse;  // live batch norm: (x - mean) * inverse deviation, and that [channels]
} layer;

struct ocl_trainer {
  int32_t num_layers, max_rows;
  layer* layers;
  ocl_optimizer optimizer;
  ocl_trainer_buffers buffers;
  float *memory, *scratch, *scale;
  double* sums;
};

// ---- shapes and memory

// Fills in the shapes that follow from the layer before; `at` is where the parameters begin.
static bool fit_layer(layer* l, int32_t index, const layer* previous, size_t at) {
  if (previous != NULL) {
    l->height = previous->out_height;
    l->width = previous->out_width;
    l->channels = previous->is.channels;
  }
  const ocl_layer* is = &l->is;
  const bool is_pool = is->kind == OCL_POOL;
  if (is->kind < 0 || is->kind >= OCL_NUM_LAYER_KINDS || is->norm < 0 || is->norm >= OCL_NUM_NORMS) return false;
  if (is->channels < 1 || is->channels > OCL_TRAINER_MAX_SIZE) return false;
  if (is->kind != OCL_POINTWISE && is->channels != l->channels) return false;
  const int32_t stride = is->kind == OCL_DEPTHWISE ? is->stride : 1;
  if (stride < 1 || stride > 2 || is->added > index || is->added < -1) return false;
  if (is->added >= 0 && (is->is_relu6 || is_pool)) return false;
  l->out_height = is_pool ? 1 : ocl_depthwise_out(l->height, stride);
  l->out_width = is_pool ? 1 : ocl_depthwise_out(l->width, stride);
  l->kernel = at;
  l->kernel_size = is_pool ? 0 : (uint64_t)is->channels * (uint64_t)(is->kind == OCL_DEPTHWISE ? 9 : l->channels);
  l->norm = at + (size_t)l->kernel_size;
  return true;
}

static size_t norm_size(const layer* l) {
  if (l->is.kind == OCL_POOL) return 0;
  return (size_t)l->is.channels * (l->is.norm == OCL_NORM_BIAS ? 1 : 4);
}

static double in_pixels(const layer* l) {
  return (double)l->height * l->width;
}
static double out_floats(const layer* l) {
  return (double)l->out_height * l->out_width * l->is.channels;
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

static bool fit_added(const ocl_trainer* t, const layer* l) {
  if (l->is.added < 0) return true;
  const layer* from = &t->layers[l->is.added];  // whose input it is
  return from->height == l->out_height && from->width == l->out_width && from->channels == l->is.channels;
}

// Hands out `count` floats of the one block. With `next` NULL it only counts.
static float* take(float** next, size_t* total, size_t count) {
  const size_t rounded = (count + 3) & ~(size_t)3;
  *total += rounded;
  if (*next == NULL) return NULL;
  float* taken = *next;
  *next += rounded;
  return taken;
}

// Lays everything out from `base`; the number of floats. Called first with NULL, to count.
static size_t lay_out(ocl_trainer* t, float* base) {
  size_t total = 0, depth = 1, channels = 1;
  float* next = base;
  const size_t rows = (size_t)t->max_rows;
  const layer *first = t->layers, *last = &t->layers[t->num_layers - 1];
  ocl_trainer_buffers* b = &t->buffers;
  const size_t parameters = (size_t)b->num_parameters, classes = (size_t)b->num_classes;
  float *activation = take(&next, &total, rows * (size_t)in_pixels(first) * (size_t)first->channels), *gradient = NULL;
  b->input = activation;
  for (layer* l = t->layers; l <= last; l++) {
    const size_t count = rows * (size_t)out_floats(l);
    l->input = activation;
    l->output = activation = take(&next, &total, count);
    l->input_gradient = gradient;  // none for the first: what lies before it is not trained
    l->gradient = gradient = take(&next, &total, count);
    const bool is_live = l->is.norm == OCL_NORM_LIVE;
    l->normalized = is_live ? take(&next, &total, count) : NULL;
    l->inverse = is_live ? take(&next, &total, (size_t)l->is.channels) : NULL;
    channels = larger(channels, (size_t)l->is.channels);
    depth = larger(depth, larger((size_t)l->channels, rows * (size_t)in_pixels(l)));
  }
  depth = larger(depth, channels);
  b->probabilities = last->output;
  b->labels = (int32_t*)(void*)take(&next, &total, rows);
  b->targets = take(&next, &total, rows * classes);
  b->weights = take(&next, &total, rows);
  b->parameters = take(&next, &total, parameters);
  b->gradients = take(&next, &total, parameters);
  b->slots = take(&next, &total, parameters * (size_t)b->num_slots);
  t->scale = take(&next, &total, channels);
  t->sums = (double*)(void*)take(&next, &total, 2 * channels);
  t->scratch = take(&next, &total, ocl_matmul_scratch_floats((int32_t)depth));
  return total;
}

// 2^28 floats are a GiB: more than the module can have, so that no size above wraps.
static bool fits_memory(const ocl_trainer* t, double num_parameters) {
  double per_row = in_pixels(t->layers) * t->layers->channels, pixels = 1;
  for (int32_t i = 0; i < t->num_layers; i++) {
    per_row += 3 * out_floats(&t->layers[i]);
    pixels = fmax(pixels, in_pixels(&t->layers[i]));
  }
  const double scratch = 8 * fmax(pixels * t->max_rows, OCL_TRAINER_MAX_SIZE);
  return per_row * t->max_rows + (2 + OCL_OPTIMIZER_MAX_SLOTS) * num_parameters + scratch < 0x1p28;
}

static ocl_status fit(ocl_trainer* t, const ocl_layer* layers, ocl_trainer_shape shape) {
  double num_parameters = 0;
  for (int32_t i = 0; i < t->num_layers; i++) {
    layer* l = &t->layers[i];
    *l = (layer){.is = layers[i], .height = shape.height, .width = shape.width, .channels = shape.channels};
    if (!fit_layer(l, i, i == 0 ? NULL : l - 1, (size_t)num_parameters) || !fit_added(t, l))
      return OCL_INVALID_ARGUMENT;
    num_parameters += (double)l->kernel_size + (double)norm_size(l);
    if (num_parameters >= 0x1p28) return OCL_OUT_OF_MEMORY;
  }
  const layer* last = &t->layers[t->num_layers - 1];
  if (last->out_height != 1 || last->out_width != 1 || last->is.kind != OCL_POINTWISE) return OCL_INVALID_ARGUMENT;
  t->buffers.num_parameters = (int32_t)num_parameters;
  t->buffers.num_classes = last->is.channels;
  t->buffers.num_slots = ocl_optimizer_num_slots(&t->optimizer);
  if (!fits_memory(t, num_parameters)) return OCL_OUT_OF_MEMORY;
  t->memory = calloc(lay_out(t, NULL), sizeof *t->memory);
  if (t->memory == NULL) return OCL_OUT_OF_MEMORY;
  lay_out(t, t->memory);
  return OCL_OK;
}

static bool is_size(int32_t size) {
  return size >= 1 && size <= OCL_TRAINER_MAX_SIZE;
}

ocl_status ocl_trainer_create(const ocl_layer* layers, int32_t num_layers, ocl_trainer_shape shape,
                              const ocl_optimizer* optimizer, ocl_trainer** trainer_out) {
  *trainer_out = NULL;
  if (num_layers < 1 || num_layers > OCL_TRAINER_MAX_LAYERS) return OCL_INVALID_ARGUMENT;
  if (!is_size(shape.height) || !is_size(shape.width) || !is_size(shape.channels) || !is_size(shape.max_rows))
    return OCL_INVALID_ARGUMENT;
  if (optimizer->kind < OCL_SGD || optimizer->kind > OCL_RMSPROP) return OCL_INVALID_ARGUMENT;
  ocl_trainer* t = calloc(1, sizeof *t);
  if (t == NULL) return OCL_OUT_OF_MEMORY;
  *t = (ocl_trainer){.num_layers = num_layers, .max_rows = shape.max_rows, .optimizer = *optimizer};
  t->layers = calloc((size_t)num_layers, sizeof *t->layers);
  const ocl_status status = t->layers == NULL ? OCL_OUT_OF_MEMORY : fit(t, layers, shape);
  if (status == OCL_OK)
    *trainer_out = t;
  else
    ocl_trainer_destroy(t);
  return status;
}

void ocl_trainer_destroy(ocl_trainer* trainer) {
  if (trainer == NULL) return;
  free(trainer->memory);
  free(trainer->layers);
  free(trainer);
}

ocl_trainer_buffers ocl_trainer_get_buffers(const ocl_trainer* trainer) {
  return trainer->buffers;
}

// ---- forward

static size_t count_out_pixels(const layer* l, int32_t rows) {
  return (size_t)rows * (size_t)l->out_height * (size_t)l->out_width;
}

static ocl_depthwise as_depthwise(const layer* l, int32_t rows) {
  return (ocl_depthwise){rows, l->height, l->width, l->channels, l->is.stride};
}

// scale = gamma / sqrt(variance + epsilon), of the moving statistics.
static void frozen_scale(const ocl_trainer* t, const layer* l) {
  const int32_t channels = l->is.channels;
  const float *gamma = t->buffers.parameters + l->norm, *variance = gamma + 3 * channels;
  for (int32_t c = 0; c < channels; c++) t->scale[c] = gamma[c] / sqrtf(variance[c] + l->is.epsilon);
}

static void norm_frozen(const ocl_trainer* t, const layer* l, size_t pixels) {
  const int32_t channels = l->is.channels;
  const float *beta = t->buffers.parameters + l->norm + channels, *mean = beta + channels;
  float* shift = (float*)(void*)t->sums;
  frozen_scale(t, l);
  for (int32_t c = 0; c < channels; c++) shift[c] = beta[c] - mean[c] * t->scale[c];
  ocl_layers_scale(pixels, channels, t->scale, shift, l->output);
}

// The moving variance takes the unbiased variance, as the fused kernel of TensorFlow does.
static void norm_live(const ocl_trainer* t, const layer* l, size_t pixels) {
  const int32_t channels = l->is.channels;
  float *gamma = t->buffers.parameters + l->norm, *beta = gamma + channels, *mean = beta + channels;
  float *variance = mean + channels, *shift = t->scale;
  const float rest = 1 - l->is.momentum;
  ocl_layers_sum(pixels, channels, l->output, NULL, t->sums);
  for (int32_t c = 0; c < channels; c++) {
    const float batch_mean = (float)(t->sums[c] / (double)pixels);
    shift[c] = -batch_mean;
    mean[c] = mean[c] * l->is.momentum + batch_mean * rest;
  }
  memcpy(l->normalized, l->output, pixels * (size_t)channels * sizeof(float));
  ocl_layers_scale(pixels, channels, NULL, shift, l->normalized);
  ocl_layers_sum(pixels, channels, l->normalized, l->normalized, t->sums);
  const double others = pixels > 1 ? (double)(pixels - 1) : 1;
  for (int32_t c = 0; c < channels; c++) {
    l->inverse[c] = 1 / sqrtf((float)(t->sums[c] / (double)pixels) + l->is.epsilon);
    variance[c] = variance[c] * l->is.momentum + (float)(t->sums[c] / others) * rest;
  }
  ocl_layers_scale(pixels, channels, l->inverse, NULL, l->normalized);
  memcpy(l->output, l->normalized, pixels * (size_t)channels * sizeof(float));
  ocl_layers_scale(pixels, channels, gamma, beta, l->output);
}

static void convolve(const ocl_trainer* t, const layer* l, int32_t rows, size_t pixels) {
  const float* kernel = t->buffers.parameters + l->kernel;
  if (l->is.kind == OCL_DEPTHWISE) {
    const ocl_depthwise depthwise = as_depthwise(l, rows);
    ocl_depthwise_forward(&depthwise, l->input, kernel, l->output);
  } else {
    const ocl_matrix x = {l->input, l->channels, 1}, w = {kernel, l->is.channels, 1};
    ocl_matmul((int32_t)pixels, l->is.channels, l->channels, x, w, false, t->scratch, l->output);
  }
}

static void run_layer(const ocl_trainer* t, const layer* l, int32_t rows, bool is_training) {
  if (l->is.kind == OCL_POOL) {
    ocl_layers_pool(rows, l->height * l->width, l->channels, l->input, l->output);
    return;
  }
  const size_t pixels = count_out_pixels(l, rows), count = pixels * (size_t)l->is.channels;
  convolve(t, l, rows, pixels);
  if (l->is.norm == OCL_NORM_BIAS)
    ocl_layers_scale(pixels, l->is.channels, NULL, t->buffers.parameters + l->norm, l->output);
  else if (l->is.norm == OCL_NORM_LIVE && is_training)
    norm_live(t, l, pixels);
  else
    norm_frozen(t, l, pixels);
  if (l->is.is_relu6) ocl_layers_relu6(count, l->output);
  if (l->is.added < 0) return;
  const float* added = t->layers[l->is.added].input;
  for (size_t i = 0; i < count; i++) l->output[i] += added[i];
}

static void run_layers(const ocl_trainer* t, int32_t rows, bool is_training) {
  for (int32_t i = 0; i < t->num_layers; i++) run_layer(t, &t->layers[i], rows, is_training);
}

// ---- backward

// The gradient of the layer's result -> that of its convolution's, in place; those of bias, gamma and beta.
static void norm_backward(const ocl_trainer* t, const layer* l, size_t pixels) {
  const int32_t channels = l->is.channels;
  float* gradients = t->buffers.gradients + l->norm;
  if (l->is.norm == OCL_NORM_FROZEN) {
    frozen_scale(t, l);
    ocl_layers_scale(pixels, channels, t->scale, NULL, l->gradient);
    return;
  }
  float* of_shift = l->is.norm == OCL_NORM_LIVE ? gradients + channels : gradients;
  ocl_layers_sum(pixels, channels, l->gradient, NULL, t->sums);
  for (int32_t c = 0; c < channels; c++) of_shift[c] = (float)t->sums[c];
  if (l->is.norm == OCL_NORM_BIAS) return;
  const float* gamma = t->buffers.parameters + l->norm;
  ocl_layers_sum(pixels, channels, l->gradient, l->normalized, t->sums);
  for (int32_t c = 0; c < channels; c++) gradients[c] = (float)t->sums[c];
  const float share = 1 / (float)pixels;
  float *g = l->gradient, *x = l->normalized;
  for (size_t pixel = 0; pixel < pixels; pixel++, g += channels, x += channels)
    for (int32_t c = 0; c < channels; c++)
      g[c] = gamma[c] * l->inverse[c] * (g[c] - of_shift[c] * share - x[c] * (gradients[c] * share));
}

static void convolve_backward(const ocl_trainer* t, const layer* l, int32_t rows, size_t pixels) {
  const float* kernel = t->buffers.parameters + l->kernel;
  float* of_kernel = t->buffers.gradients + l->kernel;
  if (l->is.kind == OCL_DEPTHWISE) {
    const ocl_depthwise depthwise = as_depthwise(l, rows);
    ocl_depthwise_backward(&depthwise, l->input, kernel, l->gradient, of_kernel, l->input_gradient);
    return;
  }
  const int32_t in = l->channels, out = l->is.channels;
  const ocl_matrix g = {l->gradient, out, 1}, x_transposed = {l->input, 1, in}, w_transposed = {kernel, 1, out};
  ocl_matmul(in, out, (int32_t)pixels, x_transposed, g, false, t->scratch, of_kernel);
  if (l->input_gradient != NULL)
    ocl_matmul((int32_t)pixels, in, out, g, w_transposed, true, t->scratch, l->input_gradient);
}

// Adds to the gradient of its input, which begins at 0.
static void backward_layer(const ocl_trainer* t, const layer* l, int32_t rows) {
  if (l->is.kind == OCL_POOL) {
    if (l->input_gradient != NULL)
      ocl_layers_pool_backward(rows, l->height * l->width, l->channels, l->gradient, l->input_gradient);
    return;
  }
  const size_t pixels = count_out_pixels(l, rows), count = pixels * (size_t)l->is.channels;
  float* of_added = l->is.added < 0 ? NULL : t->layers[l->is.added].input_gradient;
  for (size_t i = 0; of_added != NULL && i < count; i++) of_added[i] += l->gradient[i];
  if (l->is.is_relu6) ocl_layers_relu6_backward(count, l->output, l->gradient);
  norm_backward(t, l, pixels);
  convolve_backward(t, l, rows, pixels);
}

static void clear_gradients(const ocl_trainer* t, int32_t rows) {
  for (int32_t i = 0; i < t->num_layers - 1; i++) {
    const layer* l = &t->layers[i];
    memset(l->gradient, 0, count_out_pixels(l, rows) * (size_t)l->is.channels * sizeof(float));
  }
}

// ---- steps

static void apply(const ocl_trainer* t, int32_t step, float learning_rate, size_t offset, size_t count) {
  const ocl_trainer_buffers* b = &t->buffers;
  float* slots[OCL_OPTIMIZER_MAX_SLOTS] = {0};
  for (int32_t i = 0; i < b->num_slots; i++) slots[i] = b->slots + (size_t)i * (size_t)b->num_parameters + offset;
  ocl_optimizer_apply(&t->optimizer, step, learning_rate, count, b->gradients + offset, slots, b->parameters + offset);
}

static void apply_layer(const ocl_trainer* t, const layer* l, int32_t step, float learning_rate) {
  if (l->kernel_size == 0) return;
  const size_t channels = (size_t)l->is.channels;
  apply(t, step, learning_rate, l->kernel, (size_t)l->kernel_size);
  if (l->is.norm != OCL_NORM_FROZEN) apply(t, step, learning_rate, l->norm, channels);
  if (l->is.norm == OCL_NORM_LIVE) apply(t, step, learning_rate, l->norm + channels, channels);
}

static double regularize(const ocl_trainer* t, float l2, bool is_training) {
  const layer* last = &t->layers[t->num_layers - 1];
  const float* kernel = t->buffers.parameters + last->kernel;
  float* gradient = t->buffers.gradients + last->kernel;
  double squares = 0;
  for (size_t i = 0; l2 != 0 && i < last->kernel_size; i++) {
    squares += (double)kernel[i] * (double)kernel[i];
    if (is_training) gradient[i] += 2 * l2 * kernel[i];
  }
  return (double)l2 * squares;
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
  if (rows < 1 || rows > t->max_rows) return OCL_INVALID_ARGUMENT;
  run_layers(t, rows, false);
  ocl_head_softmax(rows, t->buffers.num_classes, t->buffers.probabilities);
  return OCL_OK;
}

ocl_status ocl_trainer_evaluate(ocl_trainer* t, const ocl_trainer_batch* batch, ocl_trainer_result* result_out) {
  if (batch->rows < 1 || batch->rows > t->max_rows || !are_labels(t, batch)) return OCL_INVALID_ARGUMENT;
  const ocl_head_truth truth = truth_of(t, batch);
  run_layers(t, batch->rows, false);
  result_out->head = ocl_head_loss(&truth, t->buffers.probabilities, NULL);
  result_out->regularizer = regularize(t, batch->l2, false);
  return OCL_OK;
}

ocl_status ocl_trainer_step(ocl_trainer* t, const ocl_trainer_batch* batch, int32_t step, float learning_rate,
                            ocl_trainer_result* result_out) {
  if (batch->rows < 1 || batch->rows > t->max_rows || step < 1 || !are_labels(t, batch)) return OCL_INVALID_ARGUMENT;
  const ocl_head_truth truth = truth_of(t, batch);
  run_layers(t, batch->rows, true);
  clear_gradients(t, batch->rows);
  result_out->head = ocl_head_loss(&truth, t->buffers.probabilities, t->layers[t->num_layers - 1].gradient);
  for (int32_t i = t->num_layers - 1; i >= 0; i--) backward_layer(t, &t->layers[i], batch->rows);
  result_out->regularizer = regularize(t, batch->l2, true);
  for (int32_t i = 0; i < t->num_layers; i++) apply_layer(t, &t->layers[i], step, learning_rate);
  return OCL_OK;
}
