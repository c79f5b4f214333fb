// Kinds of BMP, GIF and PNG files that programs write, or that browsers accept, beside the plain ones of test_image.c.
#include "check.h"
#include "image/exif.h"
#include "image/image.h"
#include "image/image_files.h"
#include "image/pictures.h"

static ocl_image decode_file(file f, bool allow_truncated) {
  const ocl_image_options options = {.max_pixels = 1 << 20, .allow_truncated = allow_truncated};
  ocl_image image;
  ocl_detail detail = {""};
  if (ocl_image_decode(f.bytes, f.size_bytes, &options, &image, &detail) != OCL_OK) printf("# %s\n", detail.text);
  drop(&f);
  return image;
}

// `rgba`: of all pixels, row by row; alpha is 255 where the picture has none.
static void expect_pixels(file f, int32_t width, int32_t height, const uint8_t* rgba) {
  ocl_image image = decode_file(f, false);
  const ocl_pixels* p = &image.pixels;
  CHECK(p->data != NULL && p->width_px == width && p->height_px == height);
  for (int32_t i = 0; p->data != NULL && i < width * height; i++) {
    const uint8_t* pixel = p->data + i * p->num_channels;
    for (int32_t c = 0; c < 4; c++) CHECK((c < p->num_channels ? pixel[c] : 255) == rgba[4 * i + c]);
  }
  ocl_image_destroy(&image);
}

static void expect_refusal(file f, ocl_status status, const char* words) {
  const ocl_image_options options = {.max_pixels = 1 << 20};
  ocl_image image;
  ocl_detail detail = {""};
  CHECK_STATUS(ocl_image_decode(f.bytes, f.size_bytes, &options, &image, &detail), status);
  CHECK(strstr(detail.text, words) != NULL);
  drop(&f);
}

// ---- BMP

static file put_bmp_header(uint32_t header_bytes, uint32_t pixels_at, int32_t width, int32_t height, uint32_t bits,
                           uint32_t compression) {
  file f = copy_of("BM", 2);
  put_zeros(&f, 8);
  put_le(&f, pixels_at, 4);
  put_le(&f, header_bytes, 4);
  put_le(&f, (uint32_t)width, header_bytes == 12 ? 2 : 4);
  put_le(&f, (uint32_t)height, header_bytes == 12 ? 2 : 4);
  put_le(&f, 1, 2);
  put_le(&f, bits, 2);
  if (header_bytes == 12) return f;
  put_le(&f, compression, 4);
  put_zeros(&f, 20);
  return f;
}

static const uint8_t kRedGreen[8] = {255, 0, 0, 255, 0, 255, 0, 255};

static void test_bmp_with_a_gap_or_a_palette_of_24_bits(void) {
  file f = put_bmp_header(40, 54 + 10, 2, 1, 24, 0);
  put(&f, "palettegap", 10);
  put(&f, "\0\0\xff\0\xff\0\0\0", 8);
  expect_pixels(f, 2, 1, kRedGreen);
  f = put_bmp_header(40, 54 + 8 + 3, 2, 1, 8, 0);
  put(&f, "\0\0\xff\0\0\xff\0\0gap\0\1\0\0", 15);
  expect_pixels(f, 2, 1, kRedGreen);
}

// Nowhere, right behind the header although colours lie there, or inside the header: as Pillow and Chromium read them.
static void test_bmp_whose_pixels_begin_too_early(void) {
  static const uint32_t kPlaces[] = {0, 54};
  for (size_t i = 0; i < 2; i++) {
    file f = put_bmp_header(40, kPlaces[i], 2, 1, 8, 0);
    f.bytes[46] = 2;  // colours
    put(&f, "\0\0\xff\0\0\xff\0\0\0\1\0\0", 12);
    expect_pixels(f, 2, 1, kRedGreen);
    f = put_bmp_header(40, kPlaces[i], 2, 1, 24, 0);
    put(&f, "\0\0\xff\0\xff\0\0\0", 8);
    expect_pixels(f, 2, 1, kRedGreen);
  }
  file f = put_bmp_header(40, 18, 2, 1, 24, 0);  // width and height
  put_zeros(&f, 8);
  expect_pixels(f, 2, 1, (uint8_t[]){0, 0, 2, 255, 0, 1, 0, 255});
  // colours that reach behind the first pixel are colours, too
  f = put_bmp_header(40, 58, 2, 1, 8, 0);
  put(&f, "\0\0\xff\0\0\xff\0\0", 8);
  f.bytes[46] = 2;
  expect_pixels(f, 2, 1, (uint8_t[]){255, 0, 0, 255, 0, 0, 0, 255});
}

static void test_bmp_of_os2(void) {
  file f = put_bmp_header(12, 26 + 6, 2, 1, 1, 0);
  put(&f, "\0\0\xff\0\xff\0\x40\0\0\0", 10);
  expect_pixels(f, 2, 1, kRedGreen);
  f = put_bmp_header(64, 14 + 64, 2, 1, 24, 0);
  put_zeros(&f, 24);
  put(&f, "\0\0\xff\0\xff\0\0\0", 8);
  expect_pixels(f, 2, 1, kRedGreen);
}

// Masks behind the header, and in headers of three lengths.
static void test_bmp_with_masks(void) {
  static const uint32_t kHeaders[] = {40, 52, 56, 108, 124};
  for (size_t i = 0; i < sizeof kHeaders / sizeof *kHeaders; i++) {
    const uint32_t masks_bytes = kHeaders[i] < 56 ? 12 : 16, end = 14 + (kHeaders[i] == 40 ? 52 : kHeaders[i]);
    file f = put_bmp_header(kHeaders[i], end, 2, 1, 16, 3);
    put_le(&f, 0xF800, 4);
    put_le(&f, 0x07E0, 4);
    put_le(&f, 0x001F, 4);
    put_zeros(&f, (int32_t)(end - 54 - 12));
    CHECK(masks_bytes <= end - 54);
    put_le(&f, 0xF800, 2);
    put_le(&f, 0x07E0, 2);
    expect_pixels(f, 2, 1, kRedGreen);
  }
  // the longer of the two has no mask of alpha, whatever the compression says
  for (int has_pixels = 0; has_pixels < 2; has_pixels++) {
    file f = put_bmp_header(52, 66, 1, 1, 32, 6);
    put_le(&f, 0xFF0000, 4);
    put_le(&f, 0xFF00, 4);
    put_le(&f, 0xFF, 4);
    if (has_pixels) put(&f, "\x1e\x14\x0a\x80", 4);
    ocl_image image = decode_file(f, true);
    static const uint8_t kPixels[2][3] = {{128, 128, 128}, {10, 20, 30}};
    CHECK(image.pixels.num_channels == 3 && memcmp(image.pixels.data, kPixels[has_pixels], 3) == 0);
    ocl_image_destroy(&image);
  }
  // alpha, also if it is 0 everywhere
  for (uint32_t alpha = 0; alpha < 2; alpha++) {
    file f = put_bmp_header(56, 70, 2, 1, 32, 3);
    put_le(&f, 0xFF0000, 4);
    put_le(&f, 0xFF00, 4);
    put_le(&f, 0xFF, 4);
    put_le(&f, 0xFF000000, 4);
    put(&f, "\0\0\xff", 3);
    put_byte(&f, alpha * 7);
    put(&f, "\0\xff\0\0", 4);
    expect_pixels(f, 2, 1, (uint8_t[]){255, 0, 0, (uint8_t)(alpha * 7), 0, 255, 0, 0});
  }
}

static file put_masked_bmp(uint32_t bits, uint32_t red, uint32_t green, uint32_t blue, uint32_t alpha) {
  file f = put_bmp_header(56, 70, 2, 1, bits, 3);
  put_le(&f, red, 4);
  put_le(&f, green, 4);
  put_le(&f, blue, 4);
  put_le(&f, alpha, 4);
  put_le(&f, red, (int32_t)bits / 8);
  put_le(&f, green, (int32_t)bits / 8);
  return f;
}

static void test_bmp_with_masks_that_do_not_fit(void) {
  expect_pixels(put_masked_bmp(16, 0xF800, 0x07E0, 0x001F, 0xFF000000), 2, 1, kRedGreen);
  expect_pixels(put_masked_bmp(32, 0xFF000000, 0xFF0000, 0xFF00, 0), 2, 1, kRedGreen);
  expect_refusal(put_masked_bmp(16, 0xF800, 0x0FE0, 0x001F, 0), OCL_IMAGE_CORRUPT, "masks");
  expect_refusal(put_masked_bmp(32, 0xFF0000, 0xFF00, 0xF7, 0), OCL_IMAGE_CORRUPT, "masks");
  expect_refusal(put_masked_bmp(32, 0xFF0000, 0xFF00, 0xFF, 0x80), OCL_IMAGE_CORRUPT, "masks");
}

static file put_rle(uint32_t bits, int32_t width, int32_t height, const void* data, size_t data_bytes) {
  file f = put_bmp_header(40, 54 + 12, width, height, bits, bits == 8 ? 1 : 2);
  f.bytes[46] = 3;  // colours
  put(&f, "\0\0\xff\0\0\xff\0\0\xff\0\0\0", 12);
  put(&f, data, data_bytes);
  return f;
}

static void test_bmp_with_runs(void) {
  enum { R, G, B };
  static const uint8_t kColors[3][4] = {{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}};
  static const uint8_t kIndices[2][3] = {{R, B, R}, {G, G, B}};  // top row first
  uint8_t expected[24];
  for (int32_t i = 0; i < 6; i++) memcpy(expected + 4 * i, kColors[kIndices[i / 3][i % 3]], 4);
  // a run, a literal of one, the end of the row; a move, a literal; the end
  expect_pixels(put_rle(8, 3, 2, "\2\1\1\2\0\0\0\2\1\0\1\2\0\1", 14), 3, 2, expected);
  // literals of three with their padding
  expect_pixels(put_rle(8, 3, 2, "\0\3\1\1\2\0\0\0\0\3\0\2\0\0", 14), 3, 2, expected);
  // half bytes
  expect_pixels(put_rle(4, 3, 2, "\2\x11\1\x20\0\0\0\3\x02\0\0\1", 12), 3, 2, expected);
  expect_refusal(put_rle(8, 3, 2, "\2\1\1\2\0\0", 6), OCL_IMAGE_CORRUPT, "row 1 of 2");
  expect_refusal(put_bmp_header(40, 54, 3, 2, 24, 1), OCL_IMAGE_CORRUPT, "compression");
  expect_refusal(put_bmp_header(40, 54, 3, 2, 24, 4), OCL_UNSUPPORTED_IMAGE_FORMAT, "JPEG");
}

static void test_bmp_that_is_cut_short(void) {
  file f = make_small_bmp();
  f.size_bytes -= 12;
  expect_refusal(copy_of(f.bytes, f.size_bytes), OCL_IMAGE_CORRUPT, "row 1 of 2");
  ocl_image image = decode_file(f, true);
  CHECK(image.is_truncated && image.pixels.data[0] == 128 && image.pixels.data[9] == 10);
  ocl_image_destroy(&image);
}

// ---- GIF

static void put_rgba(file* f, int32_t index) {
  put(f, (uint8_t[]){(uint8_t)index, (uint8_t)(2 * index), (uint8_t)(255 - index), 255}, 4);
}

// What the frame leaves uncovered is transparent; a screen that is too small grows.
static void expect_frame(uint32_t screen, uint32_t left, uint32_t top, int32_t width, int32_t height) {
  file gif = {0}, expected = {0};
  put_gif_header(&gif, screen, screen);
  put_zeros(&gif, 3);
  put_gif_frame(&gif, left, top, 3, 2);
  for (int32_t y = 0; y < height; y++) {
    for (int32_t x = 0; x < width; x++) {
      const int32_t in_x = x - (int32_t)left, in_y = y - (int32_t)top;
      if (in_x >= 0 && in_x < 3 && in_y >= 0 && in_y < 2)
        put_rgba(&expected, in_y * 3 + in_x);
      else
        put_zeros(&expected, 4);
    }
  }
  expect_pixels(gif, width, height, expected.bytes);
  drop(&expected);
}

static void test_gif_frames_of_other_sizes_than_the_screen(void) {
  expect_frame(0, 0, 0, 3, 2);
  expect_frame(2, 0, 0, 3, 2);
  expect_frame(2, 1, 1, 4, 3);
  expect_frame(5, 1, 2, 5, 5);
}

// Of few bytes, on a screen of 4000 x 4000.
static void test_gif_with_a_small_frame_on_a_large_screen(void) {
  file gif = {0};
  put_gif_header(&gif, 4000, 4000);
  put_gif_frame(&gif, 7, 3999, 1, 1);
  const ocl_image_options options = {.max_pixels = 16000000};
  ocl_image image;
  CHECK_STATUS(ocl_image_decode(gif.bytes, gif.size_bytes, &options, &image, NULL), OCL_OK);
  const uint8_t* corner = image.pixels.data + (size_t)4000 * 3999 * 4;
  CHECK(corner[6 * 4 + 3] == 0 && corner[7 * 4 + 3] == 255 && corner[7 * 4 + 2] == 255);
  ocl_image_destroy(&image);
  drop(&gif);
}

static void test_gif_with_transparency_or_without_a_palette(void) {
  file gif = {0};
  put_gif_header(&gif, 3, 2);
  put(&gif, "\x21\xF9\x04\1\0\0\1\0", 8);  // colour 1
  put_gif_frame(&gif, 0, 0, 3, 2);
  file expected = {0};
  for (int32_t i = 0; i < 6; i++) put_rgba(&expected, i);
  expected.bytes[7] = 0;
  expect_pixels(gif, 3, 2, expected.bytes);
  drop(&expected);

  gif = copy_of("GIF87a\3\0\2\0\0\0\0", 13);
  put_gif_frame(&gif, 0, 0, 3, 2);
  for (int32_t i = 0; i < 6; i++) put(&expected, (uint8_t[]){(uint8_t)i, (uint8_t)i, (uint8_t)i, 255}, 4);
  expect_pixels(gif, 3, 2, expected.bytes);
  drop(&expected);
}

// Rows 0, 8, 16; 4, 12; 2, 6, 10, 14, 18; then the odd ones.
static void test_gif_with_interlaced_rows(void) {
  enum { HEIGHT = 19 };
  static const int32_t kRows[HEIGHT] = {0, 8, 16, 4, 12, 2, 6, 10, 14, 18, 1, 3, 5, 7, 9, 11, 13, 15, 17};
  file gif = {0};
  put_gif_header(&gif, 1, HEIGHT);
  const size_t descriptor = gif.size_bytes;
  put_gif_frame(&gif, 0, 0, 1, HEIGHT);
  gif.bytes[descriptor + 9] = 0x40;
  uint8_t expected[HEIGHT * 4];
  for (int32_t i = 0; i < HEIGHT; i++) {
    const uint8_t color[4] = {(uint8_t)i, (uint8_t)(2 * i), (uint8_t)(255 - i), 255};
    memcpy(expected + 4 * kRows[i], color, 4);
  }
  expect_pixels(gif, 1, HEIGHT, expected);
}

// Fewer root bits than GIF89a allows: codes grow to three bits behind the first one, as in Chromium and giflib.
static void test_gif_of_one_root_bit(void) {
  static const uint8_t kIndices[12] = {0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1};
  file gif = copy_of("GIF89a\x0C\0\1\0\x80\0\0\0\0\0\xff\xff\xff", 19), expected = {0};
  put(&gif, "\x2C\0\0\0\0\x0C\0\1\0\0\1", 11);
  seed_damage(1);
  file codes = compress_indices(kIndices, 12, 1);
  put_sub_blocks(&gif, &codes);
  for (int32_t i = 0; i < 12; i++) {
    put(&expected, kIndices[i] ? "\xff\xff\xff\xff" : "\0\0\0\xff", 4);
  }
  expect_pixels(gif, 12, 1, expected.bytes);
  drop(&codes);
  drop(&expected);
}

static void test_gif_that_is_cut_short(void) {
  file gif = make_gif(9, 9);
  gif.size_bytes = 13 + 384 + 8 + 10 + 1 + 2 + 40;  // 40 pixels
  expect_refusal(copy_of(gif.bytes, gif.size_bytes), OCL_IMAGE_CORRUPT, "row 4 of 9");
  ocl_image image = decode_file(gif, true);
  CHECK(image.is_truncated && image.pixels.data[39 * 4 + 3] == 255 && image.pixels.data[40 * 4 + 3] == 0);
  ocl_image_destroy(&image);
}

// ---- PNG, EXIF

static void test_png_without_its_end(void) {
  static const uint8_t pixels[12] = {0, 0, 0, 255, 1, 0, 0, 255, 2, 0, 0, 255};
  file f = make_rgb_png(3, 1);
  f.size_bytes -= 12;
  expect_pixels(f, 3, 1, pixels);
  f = make_rgb_png(3, 1);
  f.size_bytes -= 12;
  put(&f, "\0\0\1\0tEXtcut short", 17);
  expect_pixels(f, 3, 1, pixels);
}

static void test_exif_behind_the_pixels_or_with_a_count_too_large(void) {
  file tiff = make_tiff(true, 3, 1, 6), f = make_rgb_png(3, 1);
  f.size_bytes -= 12;
  put_chunk(&f, "eXIf", tiff.bytes, tiff.size_bytes);
  ocl_image image = decode_file(f, false);
  CHECK(image.pixels.orientation == 1);
  ocl_image_destroy(&image);
  tiff.bytes[8] = 0x7F;
  CHECK(ocl_exif_orientation(tiff.bytes, tiff.size_bytes) == 6);
  drop(&tiff);
}

static void test_the_first_exif_of_a_jpeg_counts(void) {
  const file jpeg = make_jpeg(), first = make_tiff(true, 3, 1, 3), second = make_tiff(false, 3, 1, 6);
  const file one = add_exif(&jpeg, &second), two = add_exif(&one, &first);
  ocl_image image = decode_file(copy_of(two.bytes, two.size_bytes), false);
  CHECK(image.pixels.orientation == 3);
  ocl_image_destroy(&image);
  for (int i = 0; i < 5; i++) drop(&(file[]){jpeg, first, second, one, two}[i]);
}

// Each scan says which bits it brings, so that the end is known without its marker.
static void test_progressive_jpegs_without_their_end(void) {
  const size_t size_bytes = sizeof kProgressiveJpeg;
  for (int allow_truncated = 0; allow_truncated < 2; allow_truncated++) {
    ocl_image image = decode_file(copy_of(kProgressiveJpeg, size_bytes - 2), allow_truncated);
    CHECK(image.pixels.data != NULL && !image.is_truncated);
    ocl_image_destroy(&image);
  }
}

// No address below has so many bytes: only the header is read.
static void test_refuses_files_of_two_gigabytes(void) {
  file bmp = make_small_bmp();
  const ocl_image_options options = {.max_pixels = 1 << 20};
  ocl_image image;
  ocl_detail detail = {""};
  CHECK_STATUS(ocl_image_decode(bmp.bytes, (size_t)INT32_MAX + 1, &options, &image, &detail), OCL_IMAGE_TOO_LARGE);
  CHECK(strcmp(detail.text, "the file has more than 2147483647 bytes") == 0);
  drop(&bmp);
}

static void expect_need(file f, const char* words) {
  const ocl_image_options options = {.max_pixels = OCL_IMAGE_DEFAULT_MAX_PIXELS, .allow_truncated = true};
  ocl_image image;
  ocl_detail detail = {""};
  CHECK_STATUS(ocl_image_decode(f.bytes, f.size_bytes, &options, &image, &detail), OCL_IMAGE_TOO_LARGE);
  if (strstr(detail.text, words) == NULL) printf("# expected '%s' in '%s'\n", words, detail.text);
  CHECK(strstr(detail.text, words) != NULL);
  drop(&f);
}

// As many bytes for a pixel as the result has, and little more.
static void test_memory_of_large_images(void) {
  file gif = {0}, rgb = {0}, rgba = {0};
  put_gif_header(&gif, 8192, 8193);
  put_gif_frame(&gif, 0, 0, 1, 1);
  put_zeros(&gif, 20000);  // room for so large a screen
  expect_need(gif, "8192x8193 needs 256 MiB to decode");
  expect_need(make_bmp(9000, 10000, 24, NULL, 0, "", 1), "9000x10000 needs 257 MiB to decode");
  expect_need(make_bmp(9000, 10000, 8, "\1\2\3", 4, "", 1), "9000x10000 needs 257 MiB to decode");
  put_ihdr(&rgb, 9000, 10000, 8, 2, false);
  put_idat(&rgb, (const uint8_t*)"", 1);
  expect_need(rgb, "9000x10000 needs 257 MiB to decode");
  put_ihdr(&rgba, 8192, 8192, 8, 6, false);
  put_idat(&rgba, (const uint8_t*)"", 1);
  expect_need(rgba, "8192x8192 needs 256 MiB to decode");
}

int main(void) {
  RUN(test_memory_of_large_images);
  RUN(test_refuses_files_of_two_gigabytes);
  RUN(test_the_first_exif_of_a_jpeg_counts);
  RUN(test_progressive_jpegs_without_their_end);
  RUN(test_bmp_with_a_gap_or_a_palette_of_24_bits);
  RUN(test_bmp_whose_pixels_begin_too_early);
  RUN(test_bmp_of_os2);
  RUN(test_bmp_with_masks);
  RUN(test_bmp_with_masks_that_do_not_fit);
  RUN(test_bmp_with_runs);
  RUN(test_bmp_that_is_cut_short);
  RUN(test_gif_frames_of_other_sizes_than_the_screen);
  RUN(test_gif_with_a_small_frame_on_a_large_screen);
  RUN(test_gif_with_transparency_or_without_a_palette);
  RUN(test_gif_with_interlaced_rows);
  RUN(test_gif_of_one_root_bit);
  RUN(test_gif_that_is_cut_short);
  RUN(test_png_without_its_end);
  RUN(test_exif_behind_the_pixels_or_with_a_count_too_large);
  return check_failed_tests;
}
