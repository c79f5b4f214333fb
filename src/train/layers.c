#include "train/layers.h"

#include <string.h>

enum { MAX_TAPS = OCL_SAME_MAX_SIZE * OCL_SAME_MAX_SIZE };

// One output pixel's tap inside the image: where its channels begin in the three arrays.
typedef struct {
  size_t input, output, kernel;
} tap;

// The taps of output pixel number `pixel`, those that fall on padding left out. Returns how many.
static int32_t find_taps(const ocl_same_window* w, int32_t pixel, tap taps[MAX_TAPS]) {
  const int32_t out_height = ocl_same_out(w->height, w->stride), out_width = ocl_same_out(w->width, w->stride);
  const int32_t padding_y = ((out_height - 1) * w->stride + w->size - w->height) / 2;
  const int32_t padding_x = ((out_width - 1) * w->stride + w->size - w->width) / 2;
  const int32_t image = pixel / (out_height * out_width);
  const int32_t top = pixel / out_width % out_height * w->stride - padding_y;
  const int32_t left = pixel % out_width * w->stride - padding_x;
  const size_t channels = (size_t)w->channels;
  int32_t count = 0;
  for (int32_t y = 0; y < w->size; y++) {
    for (int32_t x = 0; x < w->size; x++) {
      if (top + y < 0 || top + y >= w->height || left + x < 0 || left + x >= w->width) continue;
      const size_t source = ((size_t)image * (size_t)w->height + (size_t)(top + y)) * (size_t)w->width;
      taps[count++] = (tap){(source + (size_t)(left + x)) * channels, (size_t)pixel * channels,
                            (size_t)(y * w->size + x) * channels};
    }
  }
  return count;
}

static int32_t count_pixels(const ocl_same_window* w) {
  return w->images * ocl_same_out(w->height, w->stride) * ocl_same_out(w->width, w->stride);
}

// out += a * b
static void add_products(int32_t count, const float* restrict a, const float* restrict b, float* restrict out) {
  for (int32_t i = 0; i < count; i++) out[i] += a[i] * b[i];
}

void ocl_depthwise_forward(const ocl_same_window* w, const float* input, const float* kernel, float* out) {
  const int32_t pixels = count_pixels(w);
  memset(out, 0, (size_t)pixels * (size_t)w->channels * sizeof *out);
  tap taps[MAX_TAPS];
  for (int32_t pixel = 0; pixel < pixels; pixel++) {
    const int32_t count = find_taps(w, pixel, taps);
    for (int32_t i = 0; i < count; i++)
      add_products(w->channels, input + taps[i].input, kernel + taps[i].kernel, out + taps[i].output);
  }
}

void ocl_depthwise_backward(const ocl_same_window* w, const float* input, const float* kernel, const float* gradient,
                            float* kernel_gradient_out, float* input_gradient_out) {
  const int32_t pixels = count_pixels(w);
  tap taps[MAX_TAPS];
  for (int32_t pixel = 0; pixel < pixels; pixel++) {
    const int32_t count = find_taps(w, pixel, taps);
    for (int32_t i = 0; i < count; i++) {
      const float* g = gradient + taps[i].output;
      add_products(w->channels, input + taps[i].input, g, kernel_gradient_out + taps[i].kernel);
      if (input_gradient_out != NULL)
        add_products(w->channels, kernel + taps[i].kernel, g, input_gradient_out + taps[i].input);
    }
  }
}

static size_t column_size(const ocl_same_window* w) {
  return (size_t)w->size * (size_t)w->size * (size_t)w->channels;
}

void ocl_layers_unfold(const ocl_same_window* w, const float* input, float* columns_out) {
  const int32_t pixels = count_pixels(w);
  const size_t size = column_size(w), bytes = (size_t)w->channels * sizeof *columns_out;
  tap taps[MAX_TAPS];
  for (int32_t pixel = 0; pixel < pixels; pixel++, columns_out += size) {
    const int32_t count = find_taps(w, pixel, taps);
    if (count < w->size * w->size) memset(columns_out, 0, size * sizeof *columns_out);
    for (int32_t i = 0; i < count; i++) memcpy(columns_out + taps[i].kernel, input + taps[i].input, bytes);
  }
}

void ocl_layers_fold(const ocl_same_window* w, const float* columns, float* input_gradient_out) {
  const int32_t pixels = count_pixels(w);
  tap taps[MAX_TAPS];
  for (int32_t pixel = 0; pixel < pixels; pixel++, columns += column_size(w)) {
    const int32_t count = find_taps(w, pixel, taps);
    for (int32_t i = 0; i < count; i++) {
      const float* from = columns + taps[i].kernel;
      float* to = input_gradient_out + taps[i].input;
      for (int32_t c = 0; c < w->channels; c++) to[c] += from[c];
    }
  }
}

void ocl_layers_sum(size_t rows, int32_t channels, const float* a, const float* b, double* sums_out) {
  memset(sums_out, 0, (size_t)channels * sizeof *sums_out);
  for (; rows-- > 0; a += channels) {
    for (int32_t c = 0; c < channels; c++) sums_out[c] += (double)(b != NULL ? a[c] * b[c] : a[c]);
    if (b != NULL) b += channels;
  }
}

void ocl_layers_scale(size_t rows, int32_t channels, const float* scale, const float* shift, float* data) {
  for (; rows-- > 0; data += channels) {
    if (scale != NULL)
      for (int32_t c = 0; c < channels; c++) data[c] *= scale[c];
    if (shift != NULL)
      for (int32_t c = 0; c < channels; c++) data[c] += shift[c];
  }
}

void ocl_layers_pool(int32_t images, int32_t area, int32_t channels, const float* input, float* out) {
  for (; images-- > 0; out += channels) {
    memset(out, 0, (size_t)channels * sizeof *out);
    for (int32_t pixel = 0; pixel < area; pixel++, input += channels)
      for (int32_t c = 0; c < channels; c++) out[c] += input[c];
    for (int32_t c = 0; c < channels; c++) out[c] /= (float)area;
  }
}

void ocl_layers_pool_backward(int32_t images, int32_t area, int32_t channels, const float* gradient,
                              float* input_gradient_out) {
  for (; images-- > 0; gradient += channels)
    for (int32_t pixel = 0; pixel < area; pixel++, input_gradient_out += channels)
      for (int32_t c = 0; c < channels; c++) input_gradient_out[c] += gradient[c] / (float)area;
}

void ocl_layers_gate(int32_t images, int32_t area, int32_t channels, const float* map, const float* gate, float* out) {
  for (; images-- > 0; gate += channels)
    for (int32_t pixel = 0; pixel < area; pixel++, map += channels, out += channels)
      for (int32_t c = 0; c < channels; c++) out[c] = map[c] * gate[c];
}

void ocl_layers_gate_backward(int32_t images, int32_t area, int32_t channels, const float* map, const float* gate,
                              const float* gradient, double* sums, float* map_gradient_out, float* gate_gradient_out) {
  const size_t size = (size_t)area * (size_t)channels;
  for (int32_t image = 0; image < images; image++, map += size, gradient += size, gate += channels) {
    if (map_gradient_out != NULL)
      for (int32_t pixel = 0; pixel < area; pixel++, map_gradient_out += channels)
        add_products(channels, gradient + (size_t)pixel * (size_t)channels, gate, map_gradient_out);
    if (gate_gradient_out == NULL) continue;
    ocl_layers_sum((size_t)area, channels, gradient, map, sums);
    for (int32_t c = 0; c < channels; c++) *gate_gradient_out++ += (float)sums[c];
  }
}
