#include "train/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/layers.h"
#include "train/matmul.h"

// Of conv3.
enum { SIDE = 3, TAPS = SIDE * SIDE };

struct ocl_network_layer {
  ocl_layer is;
  size_t kernel, norm;   // offsets of its parameters
  uint64_t kernel_size;  // 0: a pool or a gate. 64 bits: fit() refuses sizes that 32 bits would wrap
  ocl_map *input, *output;
  float *normalized, *inverse;  // live batch norm: (x - mean) * inverse deviation, and that [channels]
  float* before;                // what the activation took, if its gradient needs it
};

typedef ocl_network_layer layer;

// ---- shapes and memory

static bool has_window(const ocl_layer* is) {
  return is->kind == OCL_DEPTHWISE || is->kind == OCL_CONV3;
}

static bool fit_kind(const ocl_layer* is, ocl_map_shape input) {
  if (is->kind < 0 || is->kind >= OCL_NUM_LAYER_KINDS || is->norm < 0 || is->norm >= OCL_NUM_NORMS) return false;
  if (is->activation < 0 || is->activation >= OCL_NUM_LAYER_ACTIVATIONS) return false;
  if (is->channels < 1 || is->channels > OCL_NETWORK_MAX_SIZE) return false;
  const bool may_change = is->kind == OCL_POINTWISE || is->kind == OCL_CONV3;
  if (!may_change && is->channels != input.channels) return false;
  if (is->kind == OCL_GATE) return input.height == 1 && input.width == 1 && is->added >= 0;
  if (is->kind == OCL_DEPTHWISE && is->size != 3 && is->size != 5) return false;
  return !has_window(is) || is->stride == 1 || is->stride == 2;
}

static ocl_map_shape out_shape(const ocl_network* n, const ocl_layer* is, ocl_map_shape input) {
  if (is->kind == OCL_POOL) return (ocl_map_shape){1, 1, is->channels};
  if (is->kind == OCL_GATE) return n->activations[is->added].shape;
  const int32_t stride = has_window(is) ? is->stride : 1;
  return (ocl_map_shape){ocl_same_out(input.height, stride), ocl_same_out(input.width, stride), is->channels};
}

static uint64_t kernel_size(const ocl_layer* is, ocl_map_shape input) {
  const uint64_t out = (uint64_t)is->channels, in = (uint64_t)input.channels;
  switch ((ocl_layer_kind)is->kind) {
    case OCL_POINTWISE: return in * out;
    case OCL_DEPTHWISE: return (uint64_t)is->size * (uint64_t)is->size * out;
    case OCL_CONV3: return TAPS * in * out;
    case OCL_POOL:
    case OCL_GATE:
    case OCL_NUM_LAYER_KINDS: break;
  }
  return 0;
}

static size_t norm_size(const layer* l) {
  if (l->kernel_size == 0) return 0;
  return (size_t)l->is.channels * (l->is.norm == OCL_NORM_BIAS ? 1 : 4);
}

static bool fit_shared(const ocl_network* n, const layer* l) {
  if (l->is.shared < 0) return true;
  const layer* of = &n->layers[l->is.shared];
  return of->is.shared < 0 && of->is.kind == l->is.kind && of->is.channels == l->is.channels &&
         of->kernel_size == l->kernel_size && of->is.norm == l->is.norm && l->kernel_size > 0;
}

static bool is_same(ocl_map_shape a, ocl_map_shape b) {
  return a.height == b.height && a.width == b.width && a.channels == b.channels;
}

static bool fit_added(const ocl_network* n, const layer* l) {
  if (l->is.added < 0) return true;
  if (l->is.kind == OCL_GATE) return l->output->shape.channels == l->is.channels;
  return l->is.activation == OCL_LAYER_LINEAR && l->is.kind != OCL_POOL &&
         is_same(n->activations[l->is.added].shape, l->output->shape);
}

// Fills in the shapes; `at` is where the parameters begin.
static bool fit_layer(ocl_network* n, int32_t index, const ocl_layer* is, size_t at) {
  layer* l = &n->layers[index];
  const int32_t own = n->num_inputs + index;
  if (is->from < 0 || is->from >= own || is->added >= own || is->added < -1) return false;
  if (is->shared >= index || is->shared < -1) return false;
  *l = (layer){.is = *is, .input = &n->activations[is->from], .output = &n->activations[own]};
  if (!fit_kind(is, l->input->shape)) return false;
  l->output->shape = out_shape(n, is, l->input->shape);
  l->kernel_size = kernel_size(is, l->input->shape);
  if (!fit_shared(n, l) || !fit_added(n, l)) return false;
  l->kernel = is->shared < 0 ? at : n->layers[is->shared].kernel;
  l->norm = l->kernel + (size_t)l->kernel_size;
  // Only the kernel of layers with batch norm is shared.
  if (is->shared >= 0 && is->norm != OCL_NORM_BIAS) l->norm = at;
  return true;
}

static double own_parameters(const layer* l) {
  if (l->is.shared < 0) return (double)l->kernel_size + (double)norm_size(l);
  return l->is.norm == OCL_NORM_BIAS ? 0 : (double)norm_size(l);
}

static double map_size(ocl_map_shape shape) {
  return (double)shape.height * shape.width * shape.channels;
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
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

static size_t pixels_of(ocl_map_shape shape) {
  return (size_t)shape.height * (size_t)shape.width;
}

// Lays everything out from `base`; the number of floats. Called first with NULL, to count.
static size_t lay_out(ocl_network* n, float* base) {
  size_t total = 0, depth = 1, channels = 1, columns = 0;
  float* next = base;
  const size_t rows = (size_t)n->max_rows, parameters = (size_t)n->num_parameters;
  for (int32_t i = 0; i < n->num_activations; i++) {
    ocl_map* a = &n->activations[i];
    a->values = take(&next, &total, rows * ocl_map_size(a->shape));
    a->gradient = i < n->num_inputs ? NULL : take(&next, &total, rows * ocl_map_size(a->shape));
  }
  for (layer* l = n->layers; l < n->layers + n->num_layers; l++) {
    const bool is_live = l->is.norm == OCL_NORM_LIVE;
    const ocl_map_shape in = l->input->shape;
    l->normalized = is_live ? take(&next, &total, rows * ocl_map_size(l->output->shape)) : NULL;
    l->inverse = is_live ? take(&next, &total, (size_t)l->is.channels) : NULL;
    const bool is_kept = ocl_activation_needs_input(l->is.activation);
    l->before = is_kept ? take(&next, &total, rows * ocl_map_size(l->output->shape)) : NULL;
    channels = larger(channels, (size_t)l->is.channels);
    depth = larger(depth, larger((size_t)in.channels, rows * pixels_of(in)));
    if (l->is.kind != OCL_CONV3) continue;
    columns = larger(columns, pixels_of(l->output->shape) * TAPS * (size_t)in.channels);
    depth = larger(depth, TAPS * (size_t)in.channels);
  }
  depth = larger(depth, channels);
  n->parameters = take(&next, &total, parameters);
  n->gradients = take(&next, &total, parameters);
  n->slots = take(&next, &total, parameters * (size_t)n->num_slots);
  n->scale = take(&next, &total, channels);
  n->sums = (double*)(void*)take(&next, &total, 2 * channels);
  n->columns = take(&next, &total, 2 * columns);
  n->scratch = take(&next, &total, ocl_matmul_scratch_floats((int32_t)depth));
  return total;
}

// Values and gradient, what live batch norm keeps, and what the activation took.
static int32_t maps_of(const ocl_layer* is) {
  return 2 + (is->norm == OCL_NORM_LIVE) + ocl_activation_needs_input(is->activation);
}

// 2^28 floats are a GiB: more than the module can have, so that no size above wraps.
static bool fits_memory(const ocl_network* n, double num_parameters) {
  double per_row = 0, pixels = 1, columns = 0;
  for (int32_t i = 0; i < n->num_activations; i++) {
    const ocl_map_shape shape = n->activations[i].shape;
    per_row += map_size(shape) * (i < n->num_inputs ? 1 : maps_of(&n->layers[i - n->num_inputs].is));
    pixels = fmax(pixels, (double)pixels_of(shape));
    columns = fmax(columns, 2 * TAPS * map_size(shape));
  }
  const double scratch = 8 * fmax(pixels * n->max_rows, TAPS * OCL_NETWORK_MAX_SIZE);
  return per_row * n->max_rows + columns + (2 + OCL_OPTIMIZER_MAX_SLOTS) * num_parameters + scratch < 0x1p28;
}

static bool is_size(int32_t size) {
  return size >= 1 && size <= OCL_NETWORK_MAX_SIZE;
}

static bool is_plan(const ocl_network_plan* plan, const ocl_optimizer* optimizer) {
  if (plan->num_layers < 1 || plan->num_layers > OCL_NETWORK_MAX_LAYERS || !is_size(plan->max_rows)) return false;
  if (plan->num_inputs < 1 || plan->num_inputs > OCL_NETWORK_MAX_INPUTS) return false;
  for (int32_t i = 0; i < plan->num_inputs; i++) {
    const ocl_map_shape shape = plan->inputs[i];
    if (!is_size(shape.height) || !is_size(shape.width) || !is_size(shape.channels)) return false;
  }
  return optimizer->kind >= OCL_SGD && optimizer->kind <= OCL_RMSPROP;
}

static ocl_status fit(ocl_network* n, const ocl_network_plan* plan) {
  double num_parameters = 0;
  for (int32_t i = 0; i < plan->num_inputs; i++) n->activations[i].shape = plan->inputs[i];
  for (int32_t i = 0; i < plan->num_layers; i++) {
    if (!fit_layer(n, i, &plan->layers[i], (size_t)num_parameters)) return OCL_INVALID_ARGUMENT;
    num_parameters += own_parameters(&n->layers[i]);
    if (num_parameters >= 0x1p28) return OCL_OUT_OF_MEMORY;
  }
  if (!fits_memory(n, num_parameters)) return OCL_OUT_OF_MEMORY;
  n->num_parameters = (int32_t)num_parameters;
  n->memory = calloc(lay_out(n, NULL), sizeof *n->memory);
  if (n->memory == NULL) return OCL_OUT_OF_MEMORY;
  lay_out(n, n->memory);
  return OCL_OK;
}

ocl_status ocl_network_init(ocl_network* network, const ocl_network_plan* plan, const ocl_optimizer* optimizer) {
  *network = (ocl_network){0};
  if (!is_plan(plan, optimizer)) return OCL_INVALID_ARGUMENT;
  *network = (ocl_network){.num_layers = plan->num_layers,
                           .num_inputs = plan->num_inputs,
                           .num_activations = plan->num_inputs + plan->num_layers,
                           .max_rows = plan->max_rows,
                           .num_slots = ocl_optimizer_num_slots(optimizer),
                           .optimizer = *optimizer};
  network->layers = calloc((size_t)plan->num_layers, sizeof *network->layers);
  network->activations = calloc((size_t)network->num_activations, sizeof *network->activations);
  if (network->layers == NULL || network->activations == NULL) return OCL_OUT_OF_MEMORY;
  return fit(network, plan);
}

void ocl_network_free(ocl_network* network) {
  free(network->memory);
  free(network->activations);
  free(network->layers);
}

const ocl_layer* ocl_network_layer_of(const ocl_network* network, int32_t index) {
  return &network->layers[index].is;
}

// ---- forward

static size_t count_out_pixels(const layer* l, int32_t rows) {
  return (size_t)rows * pixels_of(l->output->shape);
}

static ocl_same_window window_of(const layer* l, int32_t rows) {
  const ocl_map_shape in = l->input->shape;
  const int32_t size = l->is.kind == OCL_CONV3 ? SIDE : l->is.size;
  return (ocl_same_window){rows, in.height, in.width, in.channels, l->is.stride, size};
}

// scale = gamma / sqrt(variance + epsilon), of the moving statistics.
static void frozen_scale(const ocl_network* n, const layer* l) {
  const int32_t channels = l->is.channels;
  const float *gamma = n->parameters + l->norm, *variance = gamma + 3 * channels;
  for (int32_t c = 0; c < channels; c++) n->scale[c] = gamma[c] / sqrtf(variance[c] + l->is.epsilon);
}

static void norm_frozen(const ocl_network* n, const layer* l, size_t pixels) {
  const int32_t channels = l->is.channels;
  const float *beta = n->parameters + l->norm + channels, *mean = beta + channels;
  float* shift = (float*)(void*)n->sums;
  frozen_scale(n, l);
  for (int32_t c = 0; c < channels; c++) shift[c] = beta[c] - mean[c] * n->scale[c];
  ocl_layers_scale(pixels, channels, n->scale, shift, l->output->values);
}

// The moving variance takes the unbiased variance, as the fused kernel of TensorFlow does.
static void norm_live(const ocl_network* n, const layer* l, size_t pixels) {
  const int32_t channels = l->is.channels;
  float *gamma = n->parameters + l->norm, *beta = gamma + channels, *mean = beta + channels;
  float *variance = mean + channels, *shift = n->scale;
  const float rest = 1 - l->is.momentum;
  ocl_layers_sum(pixels, channels, l->output->values, NULL, n->sums);
  for (int32_t c = 0; c < channels; c++) {
    const float batch_mean = (float)(n->sums[c] / (double)pixels);
    shift[c] = -batch_mean;
    mean[c] = mean[c] * l->is.momentum + batch_mean * rest;
  }
  memcpy(l->normalized, l->output->values, pixels * (size_t)channels * sizeof(float));
  ocl_layers_scale(pixels, channels, NULL, shift, l->normalized);
  ocl_layers_sum(pixels, channels, l->normalized, l->normalized, n->sums);
  const double others = pixels > 1 ? (double)(pixels - 1) : 1;
  for (int32_t c = 0; c < channels; c++) {
    l->inverse[c] = 1 / sqrtf((float)(n->sums[c] / (double)pixels) + l->is.epsilon);
    variance[c] = variance[c] * l->is.momentum + (float)(n->sums[c] / others) * rest;
  }
  ocl_layers_scale(pixels, channels, l->inverse, NULL, l->normalized);
  memcpy(l->output->values, l->normalized, pixels * (size_t)channels * sizeof(float));
  ocl_layers_scale(pixels, channels, gamma, beta, l->output->values);
}

static void convolve_conv3(const ocl_network* n, const layer* l, int32_t rows, const float* kernel) {
  const ocl_map_shape in = l->input->shape;
  const ocl_same_window window = window_of(l, 1);
  const int32_t pixels = (int32_t)pixels_of(l->output->shape), depth = TAPS * in.channels, out = l->is.channels;
  for (int32_t row = 0; row < rows; row++) {
    ocl_layers_unfold(&window, l->input->values + (size_t)row * ocl_map_size(in), n->columns);
    const ocl_matrix x = {n->columns, depth, 1}, w = {kernel, out, 1};
    ocl_matmul(pixels, out, depth, x, w, false, n->scratch,
               l->output->values + (size_t)row * ocl_map_size(l->output->shape));
  }
}

static void convolve(const ocl_network* n, const layer* l, int32_t rows, size_t pixels) {
  const float* kernel = n->parameters + l->kernel;
  if (l->is.kind == OCL_DEPTHWISE) {
    const ocl_same_window window = window_of(l, rows);
    ocl_depthwise_forward(&window, l->input->values, kernel, l->output->values);
  } else if (l->is.kind == OCL_CONV3) {
    convolve_conv3(n, l, rows, kernel);
  } else {
    const int32_t in = l->input->shape.channels;
    const ocl_matrix x = {l->input->values, in, 1}, w = {kernel, l->is.channels, 1};
    ocl_matmul((int32_t)pixels, l->is.channels, in, x, w, false, n->scratch, l->output->values);
  }
}

static void run_layer(const ocl_network* n, const layer* l, int32_t rows, bool is_training) {
  const ocl_map_shape in = l->input->shape;
  if (l->is.kind == OCL_POOL) {
    ocl_layers_pool(rows, in.height * in.width, in.channels, l->input->values, l->output->values);
    return;
  }
  if (l->is.kind == OCL_GATE) {
    const ocl_map* map = &n->activations[l->is.added];
    const int32_t area = (int32_t)pixels_of(map->shape);
    ocl_layers_gate(rows, area, l->is.channels, map->values, l->input->values, l->output->values);
    return;
  }
  const size_t pixels = count_out_pixels(l, rows), count = pixels * (size_t)l->is.channels;
  convolve(n, l, rows, pixels);
  if (l->is.norm == OCL_NORM_BIAS)
    ocl_layers_scale(pixels, l->is.channels, NULL, n->parameters + l->norm, l->output->values);
  else if (l->is.norm == OCL_NORM_LIVE && is_training)
    norm_live(n, l, pixels);
  else
    norm_frozen(n, l, pixels);
  if (is_training && l->before != NULL) memcpy(l->before, l->output->values, count * sizeof *l->before);
  ocl_activation_forward((ocl_layer_activation)l->is.activation, l->is.factor, count, l->output->values);
  if (l->is.added < 0) return;
  const float* added = n->activations[l->is.added].values;
  for (size_t i = 0; i < count; i++) l->output->values[i] += added[i];
}

void ocl_network_forward(const ocl_network* network, int32_t rows, bool is_training) {
  for (int32_t i = 0; i < network->num_layers; i++) run_layer(network, &network->layers[i], rows, is_training);
}

// ---- backward

// The gradient of the layer's result -> that of its convolution's, in place; those of bias, gamma and beta.
static void norm_backward(const ocl_network* n, const layer* l, size_t pixels) {
  const int32_t channels = l->is.channels;
  float *gradients = n->gradients + l->norm, *g = l->output->gradient;
  if (l->is.norm == OCL_NORM_FROZEN) {
    frozen_scale(n, l);
    ocl_layers_scale(pixels, channels, n->scale, NULL, g);
    return;
  }
  float* of_shift = l->is.norm == OCL_NORM_LIVE ? gradients + channels : gradients;
  ocl_layers_sum(pixels, channels, g, NULL, n->sums);
  for (int32_t c = 0; c < channels; c++) of_shift[c] += (float)n->sums[c];
  if (l->is.norm == OCL_NORM_BIAS) return;
  const float* gamma = n->parameters + l->norm;
  ocl_layers_sum(pixels, channels, g, l->normalized, n->sums);
  for (int32_t c = 0; c < channels; c++) gradients[c] = (float)n->sums[c];
  const float share = 1 / (float)pixels;
  const float* x = l->normalized;
  for (size_t pixel = 0; pixel < pixels; pixel++, g += channels, x += channels)
    for (int32_t c = 0; c < channels; c++)
      g[c] = gamma[c] * l->inverse[c] * (g[c] - of_shift[c] * share - x[c] * (gradients[c] * share));
}

static void conv3_backward(const ocl_network* n, const layer* l, int32_t rows, float* of_kernel) {
  const ocl_map_shape in = l->input->shape;
  const ocl_same_window window = window_of(l, 1);
  const int32_t pixels = (int32_t)pixels_of(l->output->shape), depth = TAPS * in.channels, out = l->is.channels;
  float* of_columns = n->columns + (size_t)pixels * (size_t)depth;
  for (int32_t row = 0; row < rows; row++) {
    const size_t image = (size_t)row * ocl_map_size(in);
    const ocl_matrix g = {l->output->gradient + (size_t)row * ocl_map_size(l->output->shape), out, 1};
    ocl_layers_unfold(&window, l->input->values + image, n->columns);
    const ocl_matrix x_transposed = {n->columns, 1, depth}, w_transposed = {n->parameters + l->kernel, 1, out};
    ocl_matmul(depth, out, pixels, x_transposed, g, true, n->scratch, of_kernel);
    if (l->input->gradient == NULL) continue;
    ocl_matmul(pixels, depth, out, g, w_transposed, false, n->scratch, of_columns);
    ocl_layers_fold(&window, of_columns, l->input->gradient + image);
  }
}

static void convolve_backward(const ocl_network* n, const layer* l, int32_t rows, size_t pixels) {
  const float* kernel = n->parameters + l->kernel;
  float *of_kernel = n->gradients + l->kernel, *of_input = l->input->gradient;
  if (l->is.kind == OCL_DEPTHWISE) {
    const ocl_same_window window = window_of(l, rows);
    ocl_depthwise_backward(&window, l->input->values, kernel, l->output->gradient, of_kernel, of_input);
    return;
  }
  if (l->is.kind == OCL_CONV3) {
    conv3_backward(n, l, rows, of_kernel);
    return;
  }
  const int32_t in = l->input->shape.channels, out = l->is.channels;
  const ocl_matrix g = {l->output->gradient, out, 1}, x_transposed = {l->input->values, 1, in};
  const ocl_matrix w_transposed = {kernel, 1, out};
  ocl_matmul(in, out, (int32_t)pixels, x_transposed, g, true, n->scratch, of_kernel);
  if (of_input != NULL) ocl_matmul((int32_t)pixels, in, out, g, w_transposed, true, n->scratch, of_input);
}

static void gate_backward(const ocl_network* n, const layer* l, int32_t rows) {
  const ocl_map* map = &n->activations[l->is.added];
  ocl_layers_gate_backward(rows, (int32_t)pixels_of(map->shape), l->is.channels, map->values, l->input->values,
                           l->output->gradient, n->sums, map->gradient, l->input->gradient);
}

// Adds to the gradient of its input, which begins at 0.
static void backward_layer(const ocl_network* n, const layer* l, int32_t rows) {
  const ocl_map_shape in = l->input->shape;
  if (l->is.kind == OCL_POOL) {
    if (l->input->gradient != NULL)
      ocl_layers_pool_backward(rows, in.height * in.width, in.channels, l->output->gradient, l->input->gradient);
    return;
  }
  if (l->is.kind == OCL_GATE) {
    gate_backward(n, l, rows);
    return;
  }
  const bool is_needed = !l->is.is_frozen || l->input->gradient != NULL || l->is.added >= n->num_inputs;
  if (!is_needed) return;
  const size_t pixels = count_out_pixels(l, rows), count = pixels * (size_t)l->is.channels;
  float *g = l->output->gradient, *of_added = l->is.added < 0 ? NULL : n->activations[l->is.added].gradient;
  for (size_t i = 0; of_added != NULL && i < count; i++) of_added[i] += g[i];
  ocl_activation_backward((ocl_layer_activation)l->is.activation, l->is.factor, count, l->before, l->output->values, g);
  norm_backward(n, l, pixels);
  convolve_backward(n, l, rows, pixels);
}

void ocl_network_clear(const ocl_network* network, int32_t rows) {
  memset(network->gradients, 0, (size_t)network->num_parameters * sizeof(float));
  for (int32_t i = network->num_inputs; i < network->num_activations; i++) {
    const ocl_map* a = &network->activations[i];
    memset(a->gradient, 0, (size_t)rows * ocl_map_size(a->shape) * sizeof(float));
  }
}

void ocl_network_backward(const ocl_network* network, int32_t rows) {
  for (int32_t i = network->num_layers - 1; i >= 0; i--) backward_layer(network, &network->layers[i], rows);
}

// ---- steps

static void apply(const ocl_network* n, int32_t step, float learning_rate, size_t offset, size_t count) {
  float* slots[OCL_OPTIMIZER_MAX_SLOTS] = {0};
  for (int32_t i = 0; i < n->num_slots; i++) slots[i] = n->slots + (size_t)i * (size_t)n->num_parameters + offset;
  ocl_optimizer_apply(&n->optimizer, step, learning_rate, count, n->gradients + offset, slots, n->parameters + offset);
}

static void apply_layer(const ocl_network* n, const layer* l, int32_t step, float learning_rate) {
  if (l->kernel_size == 0 || l->is.is_frozen) return;
  const size_t channels = (size_t)l->is.channels;
  const bool is_own = l->is.shared < 0;
  if (is_own) apply(n, step, learning_rate, l->kernel, (size_t)l->kernel_size);
  if (l->is.norm == OCL_NORM_FROZEN || (l->is.norm == OCL_NORM_BIAS && !is_own)) return;
  apply(n, step, learning_rate, l->norm, channels);
  if (l->is.norm == OCL_NORM_LIVE) apply(n, step, learning_rate, l->norm + channels, channels);
}

double ocl_network_regularize(const ocl_network* network, int32_t index, float l2, bool is_training) {
  const layer* l = &network->layers[index];
  if (l2 == 0 || l->is.shared >= 0 || l->is.is_frozen) return 0;
  const float* kernel = network->parameters + l->kernel;
  float* gradient = network->gradients + l->kernel;
  double squares = 0;
  for (size_t i = 0; i < l->kernel_size; i++) {
    squares += (double)kernel[i] * (double)kernel[i];
    if (is_training) gradient[i] += 2 * l2 * kernel[i];
  }
  return (double)l2 * squares;
}

void ocl_network_apply(const ocl_network* network, int32_t step, float learning_rate) {
  for (int32_t i = 0; i < network->num_layers; i++) apply_layer(network, &network->layers[i], step, learning_rate);
}
