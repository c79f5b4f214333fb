#include "train/backward.h"

#include <stdlib.h>
#include <string.h>

#include "train/matmul.h"

// Output pixels in one matrix product: their gradients and the patches of the input that they read stay in the cache.
enum { CHUNK = 128 };

// The input pixel under one tap of the window at an output pixel.
typedef struct {
  bool is_inside;
  size_t pixel;  // of all images
} tap;

static tap find_tap(const ocl_window* w, int32_t out_pixel, int32_t ky, int32_t kx) {
  const int32_t out_area = w->out_height * w->out_width;
  const int32_t y = out_pixel % out_area / w->out_width * w->stride_y - w->padding_top + ky * w->dilation_y;
  const int32_t x = out_pixel % w->out_width * w->stride_x - w->padding_left + kx * w->dilation_x;
  if (y < 0 || y >= w->height || x < 0 || x >= w->width) return (tap){false, 0};
  const size_t row = (size_t)(out_pixel / out_area) * (size_t)w->height + (size_t)y;
  return (tap){true, row * (size_t)w->width + (size_t)x};
}

static bool is_pointwise(const ocl_window* w) {
  return w->kernel_height == 1 && w->kernel_width == 1 && w->stride_y == 1 && w->stride_x == 1 && w->groups == 1 &&
         w->padding_top == 0 && w->padding_left == 0 && w->out_height == w->height && w->out_width == w->width;
}

// ---- dense ----
// Of each group: kernel gradient [outputs, depth] = gradient^T * patches; patch gradients [pixels, depth] = gradient *
// kernel. A patch holds the inputs of one output pixel: depth = kernel height * kernel width * channels of the group.

typedef struct {
  const ocl_window* window;
  int32_t group_channels, group_outputs, depth;
  float *kernel_gradient, *patches, *patch_gradients, *scratch;
} dense;

// Copies the patches of `count` output pixels from `first` on; taps on padding are 0.
static void gather(const dense* d, int32_t group, int32_t first, int32_t count, const float* input) {
  const ocl_window* w = d->window;
  const size_t bytes = (size_t)d->group_channels * sizeof(float);
  float* patch = d->patches;
  for (int32_t pixel = first; pixel < first + count; pixel++)
    for (int32_t ky = 0; ky < w->kernel_height; ky++)
      for (int32_t kx = 0; kx < w->kernel_width; kx++, patch += d->group_channels) {
        const tap at = find_tap(w, pixel, ky, kx);
        if (at.is_inside)
          memcpy(patch, input + at.pixel * (size_t)w->channels + group * d->group_channels, bytes);
        else
          memset(patch, 0, bytes);
      }
}

// Adds the gradients of patches to the gradients of the inputs that they are copies of.
static void scatter(const dense* d, int32_t group, int32_t first, int32_t count, float* input_gradient) {
  const ocl_window* w = d->window;
  const float* patch = d->patch_gradients;
  for (int32_t pixel = first; pixel < first + count; pixel++)
    for (int32_t ky = 0; ky < w->kernel_height; ky++)
      for (int32_t kx = 0; kx < w->kernel_width; kx++, patch += d->group_channels) {
        const tap at = find_tap(w, pixel, ky, kx);
        if (!at.is_inside) continue;
        float* target = input_gradient + at.pixel * (size_t)w->channels + group * d->group_channels;
        for (int32_t c = 0; c < d->group_channels; c++) target[c] += patch[c];
      }
}

static void run_chunk(const dense* d, int32_t group, int32_t first, int32_t count, const float* input,
                      const float* kernel, const float* gradient, float* input_gradient) {
  const ocl_window* w = d->window;
  const bool are_inputs_patches = is_pointwise(w);
  const float* outputs = gradient + (size_t)first * (size_t)w->out_channels + group * d->group_outputs;
  const size_t at = (size_t)first * (size_t)w->channels;
  if (!are_inputs_patches) gather(d, group, first, count, input);
  ocl_matmul(d->group_outputs, d->depth, count, (ocl_matrix){outputs, 1, w->out_channels},
             (ocl_matrix){are_inputs_patches ? input + at : d->patches, d->depth, 1}, true, d->scratch,
             d->kernel_gradient);
  if (input_gradient == NULL) return;
  ocl_matmul(count, d->depth, d->group_outputs, (ocl_matrix){outputs, w->out_channels, 1},
             (ocl_matrix){kernel + (size_t)group * (size_t)d->group_outputs * (size_t)d->depth, d->depth, 1}, false,
             d->scratch, are_inputs_patches ? input_gradient + at : d->patch_gradients);
  if (!are_inputs_patches) scatter(d, group, first, count, input_gradient);
}

static void sum_squares(int32_t channels, int32_t depth, const float* kernel_gradient, double* squares_out) {
  for (int32_t c = 0; c < channels; c++) {
    squares_out[c] = 0;
    for (int32_t i = 0; i < depth; i++, kernel_gradient++)
      squares_out[c] += (double)*kernel_gradient * (double)*kernel_gradient;
  }
}

static void run_dense(const dense* d, const float* input, const float* kernel, const float* gradient,
                      double* squares_out, float* input_gradient) {
  const ocl_window* w = d->window;
  const int32_t pixels = w->images * w->out_height * w->out_width;
  for (int32_t group = 0; group < w->groups; group++) {
    memset(d->kernel_gradient, 0, (size_t)d->group_outputs * (size_t)d->depth * sizeof(float));
    for (int32_t first = 0; first < pixels; first += CHUNK)
      run_chunk(d, group, first, pixels - first < CHUNK ? pixels - first : CHUNK, input, kernel, gradient,
                input_gradient);
    sum_squares(d->group_outputs, d->depth, d->kernel_gradient, squares_out + group * d->group_outputs);
  }
}

static ocl_status backward_dense(const ocl_window* w, const float* input, const float* kernel, const float* gradient,
                                 double* squares_out, float* input_gradient) {
  dense d = {.window = w, .group_channels = w->channels / w->groups, .group_outputs = w->out_channels / w->groups};
  d.depth = w->kernel_height * w->kernel_width * d.group_channels;
  const size_t patch_floats = is_pointwise(w) ? 1 : (size_t)CHUNK * (size_t)d.depth;
  const size_t scratch = ocl_matmul_scratch_floats(d.group_outputs > CHUNK ? d.group_outputs : CHUNK);
  d.kernel_gradient = malloc((size_t)d.group_outputs * (size_t)d.depth * sizeof(float));
  d.patches = malloc(patch_floats * sizeof(float));
  d.patch_gradients = malloc(patch_floats * sizeof(float));
  d.scratch = malloc(scratch * sizeof(float));
  const bool has_memory =
      d.kernel_gradient != NULL && d.patches != NULL && d.patch_gradients != NULL && d.scratch != NULL;
  if (has_memory) run_dense(&d, input, kernel, gradient, squares_out, input_gradient);
  free(d.kernel_gradient);
  free(d.patches);
  free(d.patch_gradients);
  free(d.scratch);
  return has_memory ? OCL_OK : OCL_OUT_OF_MEMORY;
}

// ---- depthwise ----

// out += a * b
static void add_products(int32_t count, const float* restrict a, const float* restrict b, float* restrict out) {
  for (int32_t i = 0; i < count; i++) out[i] += a[i] * b[i];
}

// Each input channel has `multiplier` outputs side by side.
static void add_repeated(int32_t channels, int32_t multiplier, const float* input, const float* gradient,
                         float* kernel_gradient) {
  for (int32_t i = 0; i < channels * multiplier; i++) kernel_gradient[i] += input[i / multiplier] * gradient[i];
}
static void add_sums(int32_t channels, int32_t multiplier, const float* kernel, const float* gradient,
                     float* input_gradient) {
  for (int32_t i = 0; i < channels * multiplier; i++) input_gradient[i / multiplier] += kernel[i] * gradient[i];
}

static void run_tap(const ocl_window* w, const float* input, const float* kernel, const float* gradient,
                    float* kernel_gradient, float* input_gradient) {
  const int32_t multiplier = w->out_channels / w->channels;
  if (multiplier == 1) {
    add_products(w->channels, input, gradient, kernel_gradient);
    if (input_gradient != NULL) add_products(w->channels, kernel, gradient, input_gradient);
    return;
  }
  add_repeated(w->channels, multiplier, input, gradient, kernel_gradient);
  if (input_gradient != NULL) add_sums(w->channels, multiplier, kernel, gradient, input_gradient);
}

static ocl_status backward_depthwise(const ocl_window* w, const float* input, const float* kernel,
                                     const float* gradient, double* squares_out, float* input_gradient) {
  const size_t outputs = (size_t)w->out_channels, channels = (size_t)w->channels;
  const int32_t taps = w->kernel_height * w->kernel_width;
  float* kernel_gradient = calloc((size_t)taps * outputs, sizeof(float));
  if (kernel_gradient == NULL) return OCL_OUT_OF_MEMORY;
  const int32_t pixels = w->images * w->out_height * w->out_width;
  for (int32_t pixel = 0; pixel < pixels; pixel++)
    for (int32_t i = 0; i < taps; i++) {
      const tap at = find_tap(w, pixel, i / w->kernel_width, i % w->kernel_width);
      if (!at.is_inside) continue;
      run_tap(w, input + at.pixel * channels, kernel + (size_t)i * outputs, gradient + (size_t)pixel * outputs,
              kernel_gradient + (size_t)i * outputs,
              input_gradient == NULL ? NULL : input_gradient + at.pixel * channels);
    }
  memset(squares_out, 0, outputs * sizeof *squares_out);
  for (size_t i = 0; i < (size_t)taps * outputs; i++)
    squares_out[i % outputs] += (double)kernel_gradient[i] * (double)kernel_gradient[i];
  free(kernel_gradient);
  return OCL_OK;
}

// ---- both ----

static bool is_valid(const ocl_window* w) {
  const int32_t positive[] = {w->images,    w->height,        w->width,        w->channels,  w->out_height,
                              w->out_width, w->out_channels,  w->kernel_width, w->stride_y,  w->stride_x,
                              w->groups,    w->kernel_height, w->dilation_y,   w->dilation_x};
  for (size_t i = 0; i < sizeof positive / sizeof *positive; i++)
    if (positive[i] < 1) return false;
  if (w->channels % w->groups != 0 || w->out_channels % w->groups != 0) return false;
  return !w->is_depthwise || w->groups == w->channels;
}

ocl_status ocl_backward_run(const ocl_window* window, const float* input, const float* kernel, const float* gradient,
                            double* squares_out, float* input_gradient_out) {
  if (!is_valid(window)) return OCL_INVALID_ARGUMENT;
  if (input_gradient_out != NULL)
    memset(input_gradient_out, 0,
           (size_t)window->images * (size_t)window->height * (size_t)window->width * (size_t)window->channels *
               sizeof *input_gradient_out);
  return (window->is_depthwise ? backward_depthwise : backward_dense)(window, input, kernel, gradient, squares_out,
                                                                      input_gradient_out);
}
