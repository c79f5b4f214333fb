// The backward pass against sums written out: for each weight, the products of the outputs' gradients with the inputs
// that the weight meets.
#include <stdint.h>

#include "check.h"
#include "train/backward.h"

enum { MAX_FLOATS = 8192 };

static float random_float(uint32_t* state) {
  *state = *state * 1664525 + 1013904223;
  return (float)(*state >> 8) / (1 << 23) - 1;
}

static void fill(float* values, int32_t count, uint32_t* state) {
  CHECK(count <= MAX_FLOATS);
  for (int32_t i = 0; i < count; i++) values[i] = random_float(state);
}

static int32_t kernel_depth(const ocl_window* w) {
  return w->is_depthwise ? 1 : w->channels / w->groups;
}

// The kernel's index of the weight between an output channel and an input channel of its group at a tap.
static size_t weight_index(const ocl_window* w, int32_t out, int32_t ky, int32_t kx, int32_t channel) {
  const int32_t tap = ky * w->kernel_width + kx, taps = w->kernel_height * w->kernel_width;
  if (w->is_depthwise) return (size_t)(tap * w->out_channels + out);
  return (size_t)((out * taps + tap) * kernel_depth(w) + channel);
}

// Adds what one output pixel and channel contributes.
static void add_output(const ocl_window* w, const float* input, const float* kernel, float gradient, int32_t image,
                       int32_t y, int32_t x, int32_t out, double* weight_gradient, double* input_gradient) {
  const int32_t first = out / (w->out_channels / w->groups) * kernel_depth(w);
  for (int32_t ky = 0; ky < w->kernel_height; ky++)
    for (int32_t kx = 0; kx < w->kernel_width; kx++)
      for (int32_t c = 0; c < kernel_depth(w); c++) {
        const int32_t in_y = y * w->stride_y + ky * w->dilation_y - w->padding_top;
        const int32_t in_x = x * w->stride_x + kx * w->dilation_x - w->padding_left;
        if (in_y < 0 || in_y >= w->height || in_x < 0 || in_x >= w->width) continue;
        const int32_t at = ((image * w->height + in_y) * w->width + in_x) * w->channels + first + c;
        const size_t weight = weight_index(w, out, ky, kx, c);
        weight_gradient[weight] += (double)gradient * (double)input[at];
        input_gradient[at] += (double)gradient * (double)kernel[weight];
      }
}

static void check_window(const ocl_window* w) {
  static float input[MAX_FLOATS], kernel[MAX_FLOATS], gradient[MAX_FLOATS], input_gradient[MAX_FLOATS];
  static double weights[MAX_FLOATS], inputs[MAX_FLOATS], squares[64], expected[64];
  memset(weights, 0, sizeof weights), memset(inputs, 0, sizeof inputs), memset(expected, 0, sizeof expected);
  uint32_t state = 7;
  const int32_t num_inputs = w->images * w->height * w->width * w->channels;
  const int32_t per_channel = w->kernel_height * w->kernel_width * kernel_depth(w);
  fill(input, num_inputs, &state);
  fill(kernel, per_channel * w->out_channels, &state);
  fill(gradient, w->images * w->out_height * w->out_width * w->out_channels, &state);
  const float* next = gradient;
  for (int32_t image = 0; image < w->images; image++)
    for (int32_t y = 0; y < w->out_height; y++)
      for (int32_t x = 0; x < w->out_width; x++)
        for (int32_t out = 0; out < w->out_channels; out++)
          add_output(w, input, kernel, *next++, image, y, x, out, weights, inputs);
  for (int32_t out = 0; out < w->out_channels; out++)
    for (int32_t i = 0; i < per_channel; i++) {
      const double value = weights[w->is_depthwise ? i * w->out_channels + out : out * per_channel + i];
      expected[out] += value * value;
    }
  CHECK(ocl_backward_run(w, input, kernel, gradient, squares, input_gradient) == OCL_OK);
  for (int32_t out = 0; out < w->out_channels; out++) CHECK_NEAR(squares[out], expected[out], 1e-4 * expected[out]);
  for (int32_t i = 0; i < num_inputs; i++) CHECK_NEAR((double)input_gradient[i], inputs[i], 1e-4);
  memset(squares, 0, sizeof squares);
  CHECK(ocl_backward_run(w, input, kernel, gradient, squares, NULL) == OCL_OK);
  for (int32_t out = 0; out < w->out_channels; out++) CHECK_NEAR(squares[out], expected[out], 1e-4 * expected[out]);
}

static void every_kind_of_window(void) {
  // More output pixels than one chunk, and widths that are no multiple of a vector.
  const ocl_window pointwise = {2, 9, 11, 5, 9, 11, 13, 1, 1, 1, 1, 1, 1, 0, 0, 1, false};
  const ocl_window strided = {1, 9, 8, 3, 5, 4, 6, 3, 3, 2, 2, 1, 1, 1, 0, 1, false};
  const ocl_window dilated = {1, 9, 9, 2, 9, 9, 5, 3, 3, 1, 1, 2, 2, 2, 2, 1, false};
  const ocl_window oblong = {1, 6, 13, 2, 4, 6, 3, 3, 2, 1, 2, 1, 1, 0, 0, 1, false};
  const ocl_window grouped = {1, 5, 5, 6, 5, 5, 9, 3, 3, 1, 1, 1, 1, 1, 1, 3, false};
  const ocl_window connected = {3, 1, 1, 40, 1, 1, 11, 1, 1, 1, 1, 1, 1, 0, 0, 1, false};
  const ocl_window depthwise = {2, 9, 8, 7, 5, 4, 7, 3, 3, 2, 2, 1, 1, 1, 0, 7, true};
  const ocl_window multiplied = {1, 6, 6, 3, 6, 6, 6, 5, 5, 1, 1, 1, 1, 2, 2, 3, true};
  const ocl_window* all[] = {&pointwise, &strided, &dilated, &oblong, &grouped, &connected, &depthwise, &multiplied};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) check_window(all[i]);
}

static void windows_that_do_not_fit(void) {
  const float values[16] = {0};
  double squares[4];
  ocl_window bad = {1, 1, 1, 4, 1, 1, 4, 1, 1, 1, 1, 1, 1, 0, 0, 3, false};
  CHECK(ocl_backward_run(&bad, values, values, values, squares, NULL) == OCL_INVALID_ARGUMENT);
  bad.groups = 1, bad.is_depthwise = true;
  CHECK(ocl_backward_run(&bad, values, values, values, squares, NULL) == OCL_INVALID_ARGUMENT);
  bad.is_depthwise = false, bad.height = 0;
  CHECK(ocl_backward_run(&bad, values, values, values, squares, NULL) == OCL_INVALID_ARGUMENT);
}

int main(void) {
  RUN(every_kind_of_window);
  RUN(windows_that_do_not_fit);
  return check_failed_tests;
}
