// Against TensorFlow's own results (tests/data/resize) and exact properties of the geometry.
#include <stdbool.h>

#include "check.h"
#include "image/resize.h"
#include "test_data.h"

// ---- helpers

static const ocl_resize_target kPlain = {0,         0,         OCL_FLOAT32,     OCL_RESIZE_HALF_PIXEL,
                                         {1, 1, 1}, {0, 0, 0}, OCL_IGNORE_ALPHA};

static ocl_resize_target make_target(int32_t height, int32_t width) {
  ocl_resize_target target = kPlain;
  target.height = height;
  target.width = width;
  return target;
}

static ocl_pixels make_pixels(const uint8_t* data, int32_t width, int32_t height, int32_t num_channels) {
  const size_t stride = (size_t)(width * num_channels);
  return (ocl_pixels){data, stride * (size_t)height, stride, width, height, num_channels, 1};
}

// Exact-size allocations, so that ASan sees any byte beyond.
static void* copy_exact(const void* bytes, size_t size_bytes) {
  void* copy = malloc(size_bytes);
  memcpy(copy, bytes, size_bytes);
  return copy;
}

static ocl_status resize(const ocl_pixels* pixels, const ocl_roi* roi, int32_t turns, const ocl_resize_target* target,
                         void* out) {
  void* scratch = malloc(ocl_resize_scratch_size_bytes(target->width, target->height));
  const ocl_status status = ocl_resize_to_tensor(pixels, roi, turns, target, scratch, out, NULL);
  free(scratch);
  return status;
}

static void* read_file(const char* name, size_t size_bytes) {
  char path[160];
  size_t got;
  snprintf(path, sizeof path, "resize/%s", name);
  void* bytes = data_read(path, &got);
  CHECK(got == size_bytes);
  return bytes;
}

// ---- TensorFlow's results

typedef struct {
  const char* source;
  int32_t width, height, out_width, out_height;
} golden_case;

static const golden_case kGolden[] = {
    {"noise_1x1", 1, 1, 7, 5},       {"noise_2x1", 2, 1, 7, 5},         {"noise_3000x3", 3000, 3, 31, 9},
    {"noise_33x47", 33, 47, 60, 60}, {"noise_97x131", 97, 131, 48, 48}, {"noise_65x63", 65, 63, 64, 64},
    {"noise_90x60", 90, 60, 33, 50},
};

static void compare_golden(const golden_case* c, ocl_resize_mode mode, const char* mode_name) {
  char name[128];
  snprintf(name, sizeof name, "%s.u8.bin", c->source);
  uint8_t* source = read_file(name, (size_t)c->width * (size_t)c->height * 3);
  const size_t count = (size_t)c->out_width * (size_t)c->out_height * 3;
  snprintf(name, sizeof name, "%s.%dx%d.%s.f32.bin", c->source, c->out_width, c->out_height, mode_name);
  float* expected = read_file(name, count * sizeof(float));
  uint8_t* exact = copy_exact(source, (size_t)c->width * (size_t)c->height * 3);
  const ocl_pixels pixels = make_pixels(exact, c->width, c->height, 3);
  ocl_resize_target target = make_target(c->out_height, c->out_width);
  target.mode = mode;
  float* actual = malloc(count * sizeof(float));
  CHECK_STATUS(resize(&pixels, NULL, 0, &target, actual), OCL_OK);
  double worst = 0;
  for (size_t i = 0; i < count; i++) worst = fmax(worst, fabs((double)actual[i] - (double)expected[i]));
  if (worst > 255e-5) printf("# %s: off by %g of 255\n", name, worst);
  CHECK(worst <= 255e-5);
  free(source);
  free(exact);
  free(expected);
  free(actual);
}

static void test_matches_tensorflow(void) {
  for (size_t i = 0; i < sizeof kGolden / sizeof *kGolden; i++) {
    compare_golden(&kGolden[i], OCL_RESIZE_HALF_PIXEL, "half_pixel_centers");
    compare_golden(&kGolden[i], OCL_RESIZE_LEGACY, "legacy");
  }
}

// ---- geometry: at the view's own size a resize is the identity, so every output is one source pixel

enum { W = 5, H = 3 };  // stored size

static uint8_t pixel_value(int32_t x, int32_t y) {
  return (uint8_t)(10 * y + x + 1);
}

// The EXIF standard's table: which stored row and column lie at the upright image's (x, y), as "row 0 is at the <top>,
// column 0 is at the <left>" reads for each of the eight values.
static uint8_t upright_value(int32_t orientation, int32_t x, int32_t y) {
  switch (orientation) {
    case 1: return pixel_value(x, y);                  // top, left
    case 2: return pixel_value(W - 1 - x, y);          // top, right
    case 3: return pixel_value(W - 1 - x, H - 1 - y);  // bottom, right
    case 4: return pixel_value(x, H - 1 - y);          // bottom, left
    case 5: return pixel_value(y, x);                  // left, top
    case 6: return pixel_value(y, H - 1 - x);          // right, top
    case 7: return pixel_value(W - 1 - y, H - 1 - x);  // right, bottom
    default: return pixel_value(W - 1 - y, x);         // left, bottom
  }
}

static uint8_t* make_source(int32_t num_channels, size_t stride, size_t* size_bytes_out) {
  *size_bytes_out = stride * (H - 1) + (size_t)(W * num_channels);
  uint8_t* data = malloc(*size_bytes_out);
  memset(data, 0xEE, *size_bytes_out);
  for (int32_t y = 0; y < H; y++) {
    for (int32_t x = 0; x < W; x++) {
      uint8_t* p = data + (size_t)y * stride + (size_t)(x * num_channels);
      p[0] = pixel_value(x, y);
      if (num_channels >= 3) p[1] = (uint8_t)(p[0] + 60);
      if (num_channels >= 3) p[2] = (uint8_t)(p[0] + 120);
    }
  }
  return data;
}

static void check_orientation(int32_t orientation, int32_t num_channels, size_t stride) {
  size_t size_bytes;
  uint8_t* data = make_source(num_channels, stride, &size_bytes);
  const ocl_pixels pixels = {data, size_bytes, stride, W, H, num_channels, orientation};
  int32_t width, height;
  ocl_resize_upright_size(&pixels, &width, &height);
  CHECK(width == (orientation < 5 ? W : H) && height == (orientation < 5 ? H : W));
  const ocl_resize_target target = make_target(height, width);
  float out[W * H * 3];
  CHECK_STATUS(resize(&pixels, NULL, 0, &target, out), OCL_OK);
  for (int32_t y = 0; y < height; y++) {
    for (int32_t x = 0; x < width; x++) {
      const float* p = out + (y * width + x) * 3;
      const float expected = upright_value(orientation, x, y);
      CHECK(p[0] == expected);
      CHECK(p[1] == expected + (num_channels >= 3 ? 60.0f : 0.0f));
      CHECK(p[2] == expected + (num_channels >= 3 ? 120.0f : 0.0f));
    }
  }
  free(data);
}

static void test_reads_through_all_orientations_channels_and_strides(void) {
  for (int32_t orientation = 1; orientation <= 8; orientation++) {
    check_orientation(orientation, 1, W);
    check_orientation(orientation, 3, W * 3);
    check_orientation(orientation, 3, W * 3 + 7);
    check_orientation(orientation, 4, W * 4);
    check_orientation(orientation, 4, W * 4 + 64);
  }
}

static void test_cuts_the_roi_from_the_upright_image_and_turns_it(void) {
  size_t size_bytes;
  uint8_t* data = make_source(3, W * 3, &size_bytes);
  const ocl_pixels pixels = {data, size_bytes, W * 3, W, H, 3, 6};  // upright: 3 wide, 5 high
  const ocl_roi roi = {1, 1, 2, 3};
  float out[2 * 3 * 3];
  for (int32_t turns = -4; turns <= 8; turns++) {
    const bool is_sideways = (turns & 1) != 0;
    const int32_t width = is_sideways ? 3 : 2, height = is_sideways ? 2 : 3;
    const ocl_resize_target target = make_target(height, width);
    CHECK_STATUS(resize(&pixels, &roi, turns, &target, out), OCL_OK);
    for (int32_t v = 0; v < height; v++) {
      for (int32_t u = 0; u < width; u++) {
        int32_t x, y;  // in the region; a clockwise turn brings its bottom left corner to the top left
        switch (((turns % 4) + 4) % 4) {
          case 0: x = u, y = v; break;
          case 1: x = v, y = 2 - u; break;
          case 2: x = 1 - u, y = 2 - v; break;
          default: x = 1 - v, y = u; break;
        }
        CHECK(out[(v * width + u) * 3] == upright_value(6, roi.x_px + x, roi.y_px + y));
      }
    }
  }
  free(data);
}

// A box around one pixel of the view must come back as that pixel of the upright image.
static void test_maps_boxes_back(void) {
  const ocl_roi roi = {10, 20, 4, 8};
  for (int32_t turns = 0; turns < 4; turns++) {
    const float width = turns & 1 ? 8 : 4, height = turns & 1 ? 4 : 8;
    // the view's top right pixel
    const ocl_resize_box box = {0, (width - 1) / width, 1 / height, 1};
    const ocl_resize_box px = ocl_resize_box_to_upright(box, &roi, turns);
    static const float corner_x[] = {13, 10, 10, 13}, corner_y[] = {20, 20, 27, 27};
    CHECK_NEAR(px.x_min, corner_x[turns], 1e-5);
    CHECK_NEAR(px.y_min, corner_y[turns], 1e-5);
    CHECK_NEAR(px.x_max, corner_x[turns] + 1, 1e-5);
    CHECK_NEAR(px.y_max, corner_y[turns] + 1, 1e-5);
  }
}

// The box mapping and the pixels agree: mark one pixel of the upright image, find it in the view, map it back.
static void test_box_mapping_agrees_with_the_pixels(void) {
  uint8_t data[6 * 4 * 3];
  const ocl_roi roi = {1, 1, 4, 2};
  for (int32_t turns = 0; turns < 4; turns++) {
    memset(data, 0, sizeof data);
    data[(2 * 6 + 3) * 3] = 200;  // x 3, y 2
    const ocl_pixels pixels = make_pixels(data, 6, 4, 3);
    const int32_t width = turns & 1 ? 2 : 4, height = turns & 1 ? 4 : 2;
    const ocl_resize_target target = make_target(height, width);
    float out[8 * 3];
    CHECK_STATUS(resize(&pixels, &roi, turns, &target, out), OCL_OK);
    for (int32_t i = 0; i < 8; i++) {
      if (out[i * 3] != 200) continue;
      const float u = (float)(i % width), v = (float)(i / width), w = (float)width, h = (float)height;
      const ocl_resize_box px =
          ocl_resize_box_to_upright((ocl_resize_box){v / h, u / w, (v + 1) / h, (u + 1) / w}, &roi, turns);
      CHECK_NEAR(px.x_min, 3, 1e-5);
      CHECK_NEAR(px.y_min, 2, 1e-5);
      CHECK_NEAR(px.x_max, 4, 1e-5);
      CHECK_NEAR(px.y_max, 3, 1e-5);
    }
  }
}

// ---- values

static void test_normalizes_per_channel(void) {
  const uint8_t data[] = {0, 100, 255, 255, 0, 100};
  const ocl_pixels pixels = make_pixels(data, 2, 1, 3);
  ocl_resize_target target = make_target(1, 2);
  const float scale[3] = {1 / 127.5f, 0.5f, 2}, offset[3] = {-1, 3, -7};
  memcpy(target.scale, scale, sizeof scale);
  memcpy(target.offset, offset, sizeof offset);
  float out[6];
  CHECK_STATUS(resize(&pixels, NULL, 0, &target, out), OCL_OK);
  const float expected[6] = {-1, 53, 503, 1, 3, 193};
  for (int32_t i = 0; i < 6; i++) CHECK_NEAR(out[i], expected[i], 1e-6);
}

static void test_rounds_ties_to_even_and_saturates(void) {
  uint8_t data[256 * 3];
  for (int32_t i = 0; i < 256 * 3; i++) data[i] = (uint8_t)(i / 3);
  const ocl_pixels pixels = make_pixels(data, 256, 1, 3);
  ocl_resize_target target = make_target(1, 256);
  target.dtype = OCL_UINT8;
  for (int32_t c = 0; c < 3; c++) target.scale[c] = 0.5f;
  uint8_t out[256 * 3];
  CHECK_STATUS(resize(&pixels, NULL, 0, &target, out), OCL_OK);
  CHECK(out[1 * 3] == 0 && out[3 * 3] == 2 && out[5 * 3] == 2 && out[7 * 3] == 4 && out[254 * 3] == 127);

  target.dtype = OCL_INT8;
  for (int32_t c = 0; c < 3; c++) target.scale[c] = 2, target.offset[c] = -200;
  int8_t out_i8[256 * 3];
  CHECK_STATUS(resize(&pixels, NULL, 0, &target, out_i8), OCL_OK);
  for (int32_t i = 0; i < 256; i++) {
    const int32_t value = 2 * i - 200;
    CHECK(out_i8[i * 3 + 2] == (value < -128 ? -128 : value > 127 ? 127 : value));
  }

  for (int32_t c = 0; c < 3; c++) target.scale[c] = 3e38f, target.offset[c] = 0;
  target.dtype = OCL_UINT8;
  CHECK_STATUS(resize(&pixels, NULL, 0, &target, out), OCL_OK);
  CHECK(out[0] == 0 && out[3] == 255);
}

// A linear ramp interpolates to itself wherever no edge is clamped: f(x) = x at half-pixel centres.
static void test_keeps_a_ramp_linear(void) {
  uint8_t data[64 * 16];
  for (int32_t i = 0; i < 64 * 16; i++) data[i] = (uint8_t)(3 * (i % 64) + 2 * (i / 64));
  const ocl_pixels pixels = make_pixels(data, 64, 16, 1);
  static const int32_t sizes[][2] = {{300, 17}, {31, 9}, {64, 16}, {128, 5}, {1, 1}, {7, 100}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    const int32_t width = sizes[s][0], height = sizes[s][1];
    const ocl_resize_target target = make_target(height, width);
    float* out = malloc((size_t)(width * height * 3) * sizeof *out);
    CHECK_STATUS(resize(&pixels, NULL, 0, &target, out), OCL_OK);
    for (int32_t i = 0; i < width * height; i++) {
      const double x = fmin(fmax((i % width + 0.5) * 64 / width - 0.5, 0), 63);
      const double y = fmin(fmax((i / width + 0.5) * 16 / height - 0.5, 0), 15);
      CHECK_NEAR(out[i * 3], 3 * x + 2 * y, 1e-3);
    }
    free(out);
  }
}

// ---- refusals

static void test_refuses_wrong_pixels(void) {
  uint8_t data[4 * 4 * 4] = {0};
  const ocl_resize_target target = make_target(2, 2);
  float out[12];
  const ocl_pixels good = make_pixels(data, 4, 4, 4);
  CHECK_STATUS(resize(&good, NULL, 0, &target, out), OCL_OK);
#define REFUSED(field, value, status)                          \
  do {                                                         \
    ocl_pixels bad = good;                                     \
    bad.field = (value);                                       \
    CHECK_STATUS(resize(&bad, NULL, 0, &target, out), status); \
  } while (0)
  REFUSED(data, NULL, OCL_INVALID_PIXELS);
  REFUSED(width_px, 0, OCL_INVALID_PIXELS);
  REFUSED(height_px, -1, OCL_INVALID_PIXELS);
  REFUSED(num_channels, 2, OCL_INVALID_PIXELS);
  REFUSED(stride_bytes, 15, OCL_INVALID_PIXELS);
  REFUSED(stride_bytes, SIZE_MAX, OCL_INVALID_PIXELS);
  REFUSED(size_bytes, sizeof data - 1, OCL_INVALID_PIXELS);
  REFUSED(size_bytes, 0, OCL_INVALID_PIXELS);
  REFUSED(height_px, INT32_MAX, OCL_INVALID_PIXELS);
  REFUSED(width_px, INT32_MAX, OCL_INVALID_PIXELS);
  REFUSED(orientation, 0, OCL_INVALID_ARGUMENT);
  REFUSED(orientation, 9, OCL_INVALID_ARGUMENT);
#undef REFUSED
}

static void test_refuses_wrong_rois(void) {
  uint8_t data[4 * 6 * 3] = {0};
  const ocl_pixels pixels = make_pixels(data, 4, 6, 3);
  const ocl_resize_target target = make_target(2, 2);
  float out[12];
  static const ocl_roi bad[] = {{0, 0, 0, 1},         {0, 0, 1, 0},         {-1, 0, 2, 2},        {0, -1, 2, 2},
                                {0, 0, 5, 1},         {0, 0, 1, 7},         {3, 0, 2, 1},         {0, 5, 1, 2},
                                {INT32_MAX, 0, 1, 1}, {1, 1, INT32_MAX, 1}, {1, 1, 1, INT32_MAX}, {0, 0, -1, -1}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK_STATUS(resize(&pixels, &bad[i], 0, &target, out), OCL_INVALID_ROI);
  }
  const ocl_roi last_pixel = {3, 5, 1, 1};
  CHECK_STATUS(resize(&pixels, &last_pixel, 1, &target, out), OCL_OK);
}

static void test_refuses_wrong_targets(void) {
  uint8_t data[3] = {0};
  const ocl_pixels pixels = make_pixels(data, 1, 1, 3);
  float out[3];
  ocl_resize_target target = make_target(1, 1);
  target.dtype = OCL_INT32;
  CHECK_STATUS(resize(&pixels, NULL, 0, &target, out), OCL_INVALID_ARGUMENT);
  target = make_target(0, 1);
  CHECK_STATUS(resize(&pixels, NULL, 0, &target, out), OCL_INVALID_ARGUMENT);
  target = make_target(1, 1);
  target.scale[1] = NAN;
  CHECK_STATUS(resize(&pixels, NULL, 0, &target, out), OCL_INVALID_ARGUMENT);
}

int main(void) {
  RUN(test_matches_tensorflow);
  RUN(test_reads_through_all_orientations_channels_and_strides);
  RUN(test_cuts_the_roi_from_the_upright_image_and_turns_it);
  RUN(test_maps_boxes_back);
  RUN(test_box_mapping_agrees_with_the_pixels);
  RUN(test_normalizes_per_channel);
  RUN(test_rounds_ties_to_even_and_saturates);
  RUN(test_keeps_a_ramp_linear);
  RUN(test_refuses_wrong_pixels);
  RUN(test_refuses_wrong_rois);
  RUN(test_refuses_wrong_targets);
  return check_failed_tests;
}
