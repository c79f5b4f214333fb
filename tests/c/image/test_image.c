// Leaks and stray reads are LeakSanitizer's and ASan's to find: every
// file is handed over in an allocation of its exact size.
#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "image/exif.h"
#include "image/image.h"
#include "image_files.h"
#include "test_data.h"

// ---- checks

static ocl_status decode(const void* bytes, size_t size_bytes, ocl_image* image_out, ocl_detail* detail) {
  const ocl_image_options options = {.max_pixels = OCL_IMAGE_DEFAULT_MAX_PIXELS};
  return ocl_image_decode(bytes, size_bytes, &options, image_out, detail);
}

// Decodes and drops the file, expects success and the size; the pixels are the caller's to free.
static ocl_image decoded(file f, int32_t width, int32_t height) {
  ocl_image image;
  ocl_detail detail = {""};
  CHECK_STATUS(decode(f.bytes, f.size_bytes, &image, &detail), OCL_OK);
  if (image.pixels.data == NULL) printf("# %s\n", detail.text);
  CHECK(image.pixels.width_px == width && image.pixels.height_px == height);
  drop(&f);
  return image;
}

static void expect_status(file f, ocl_status expected, const char* word_in_detail) {
  ocl_image image;
  ocl_detail detail = {""};
  const ocl_status status = decode(f.bytes, f.size_bytes, &image, &detail);
  CHECK_STATUS(status, expected);
  if (strstr(detail.text, word_in_detail) == NULL) printf("# expected '%s' in '%s'\n", word_in_detail, detail.text);
  CHECK(strstr(detail.text, word_in_detail) != NULL);
  CHECK(status == OCL_OK || image.memory == NULL);
  ocl_image_destroy(&image);
  drop(&f);
}

static void expect_pixel(const ocl_image* image, int32_t x, int32_t y, int32_t r, int32_t g, int32_t b,
                         double tolerance) {
  if (image->pixels.data == NULL) return;
  const uint8_t* p = image->pixels.data + (y * image->pixels.width_px + x) * image->pixels.num_channels;
  CHECK_NEAR(p[0], r, tolerance);
  CHECK_NEAR(p[1], g, tolerance);
  CHECK_NEAR(p[2], b, tolerance);
}

// ---- what decodes

static void expect_gradient(file f, int32_t width, int32_t height) {
  ocl_image image = decoded(f, width, height);
  for (int32_t y = 0; y < height; y++) {
    for (int32_t x = 0; x < width; x++) expect_pixel(&image, x, y, x, y, x * y & 255, 0);
  }
  CHECK(image.pixels.orientation == 1);
  ocl_image_destroy(&image);
}

static void test_decodes_png_plain_and_interlaced(void) {
  expect_gradient(make_rgb_png(5, 3), 5, 3);
  expect_gradient(make_rgb_png(1, 1), 1, 1);
  expect_gradient(make_interlaced_png(13, 11), 13, 11);
  expect_gradient(make_interlaced_png(1, 64), 1, 64);
  expect_gradient(make_interlaced_png(3, 2), 3, 2);
}

static void expect_two_pixels(file f, const int32_t expected[6]) {
  ocl_image image = decoded(f, 2, 1);
  expect_pixel(&image, 0, 0, expected[0], expected[1], expected[2], 0);
  expect_pixel(&image, 1, 0, expected[3], expected[4], expected[5], 0);
  ocl_image_destroy(&image);
}

static void test_decodes_every_png_colour_type(void) {
  expect_two_pixels(make_png_row(2, 8, 0, "\x10\x20", 2), (int32_t[]){16, 16, 16, 32, 32, 32});
  expect_two_pixels(make_png_row(2, 16, 0, "\x10\xff\x20\x00", 4), (int32_t[]){16, 16, 16, 32, 32, 32});
  expect_two_pixels(make_png_row(2, 1, 0, "\x40", 1), (int32_t[]){0, 0, 0, 255, 255, 255});
  // colours stay, even where alpha says that nothing is to be seen
  expect_two_pixels(make_png_row(2, 8, 4, "\x10\x00\x20\x80", 4), (int32_t[]){16, 16, 16, 32, 32, 32});
  expect_two_pixels(make_png_row(2, 8, 6, "\1\2\3\0\4\5\6\x80", 8), (int32_t[]){1, 2, 3, 4, 5, 6});
  expect_two_pixels(make_png_row(2, 16, 6, "\1\0\2\0\3\0\0\0\4\0\5\0\6\0\x80\0", 16), (int32_t[]){1, 2, 3, 4, 5, 6});
  expect_two_pixels(make_png_row(2, 16, 2, "\1\x80\2\x80\3\x80\4\0\5\0\6\0", 12), (int32_t[]){1, 2, 3, 4, 5, 6});
  expect_two_pixels(make_png_row(2, 8, 3, "\0\1", 2), (int32_t[]){1, 2, 3, 4, 5, 6});
  expect_two_pixels(make_png_row(2, 2, 3, "\x10", 1), (int32_t[]){1, 2, 3, 4, 5, 6});
}

// Old stack memory shows where a file names palette entries that it does not have (issues 1861 and 1929 of stb_image).
static void test_shows_black_for_missing_palette_entries(void) {
  expect_two_pixels(make_png_row(2, 8, 3, "\1\xC8", 2), (int32_t[]){4, 5, 6, 0, 0, 0});
  expect_two_pixels(make_bmp(2, 1, 8, "\3\2\1\0", 4, "\0\xC8\0\0", 4), (int32_t[]){1, 2, 3, 0, 0, 0});
}

static void test_decodes_bmp(void) {
  ocl_image image = decoded(make_small_bmp(), 3, 2);
  expect_pixel(&image, 0, 0, 60, 50, 40, 0);
  expect_pixel(&image, 2, 0, 62, 52, 42, 0);
  expect_pixel(&image, 1, 1, 11, 21, 31, 0);
  ocl_image_destroy(&image);
  // top row first, 32 bits, alpha dropped
  image = decoded(make_bmp(1, -2, 32, NULL, 0, "\1\2\3\0\4\5\6\x80", 8), 1, 2);
  expect_pixel(&image, 0, 0, 3, 2, 1, 0);
  expect_pixel(&image, 0, 1, 6, 5, 4, 0);
  ocl_image_destroy(&image);
  expect_two_pixels(make_bmp(2, 1, 1, "\0\0\0\0\xff\xff\xff\0", 8, "\x40\0\0\0", 4),
                    (int32_t[]){0, 0, 0, 255, 255, 255});
}

static void test_decodes_the_first_frame_of_a_gif(void) {
  ocl_image image = decoded(make_gif(19, 17), 19, 17);
  for (int32_t i = 0; i < 19 * 17; i++) {
    const int32_t entry = i % 128;
    expect_pixel(&image, i % 19, i / 19, entry, 2 * entry, 255 - entry, 0);
  }
  ocl_image_destroy(&image);
}

static void expect_cells(const uint8_t* jpeg, size_t size_bytes, bool is_grey) {
  ocl_image image = decoded(copy_of(jpeg, size_bytes), 24, 16);
  for (int32_t cell = 0; cell < 6; cell++) {
    const uint8_t* c = kCells[cell];
    const int32_t grey = (int32_t)lround(0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2]);
    expect_pixel(&image, cell % 3 * 8 + 4, cell / 3 * 8 + 4, is_grey ? grey : c[0], is_grey ? grey : c[1],
                 is_grey ? grey : c[2], 3);
  }
  ocl_image_destroy(&image);
}

static void test_decodes_jpeg(void) {
  expect_cells(kBaselineJpeg, sizeof kBaselineJpeg, false);
  expect_cells(kProgressiveJpeg, sizeof kProgressiveJpeg, false);
  expect_cells(kGreyJpeg, sizeof kGreyJpeg, true);
  expect_cells(kCmykJpeg, sizeof kCmykJpeg, false);
}

static void test_decodes_the_same_twice(void) {
  file f = make_jpeg();
  ocl_image first, second;
  CHECK_STATUS(decode(f.bytes, f.size_bytes, &first, NULL), OCL_OK);
  CHECK_STATUS(decode(f.bytes, f.size_bytes, &second, NULL), OCL_OK);
  CHECK(memcmp(first.pixels.data, second.pixels.data, 24 * 16 * 3) == 0);
  ocl_image_destroy(&first);
  ocl_image_destroy(&first);
  ocl_image_destroy(&second);
  ocl_image_destroy(NULL);
  drop(&f);
}

// ---- orientation

static int32_t orientation_of_jpeg(file tiff) {
  file jpeg = make_jpeg();
  ocl_image image = decoded(add_exif(&jpeg, &tiff), 24, 16);
  const int32_t orientation = image.pixels.orientation;
  ocl_image_destroy(&image);
  drop(&jpeg);
  drop(&tiff);
  return orientation;
}

static int32_t orientation_of_png(file tiff) {
  file f = {0};
  put_ihdr(&f, 1, 1, 8, 0, false);
  put_chunk(&f, "eXIf", tiff.bytes, tiff.size_bytes);
  put_idat(&f, (const uint8_t*)"\0\x77", 2);
  put_chunk(&f, "IEND", NULL, 0);
  ocl_image image = decoded(f, 1, 1);
  const int32_t orientation = image.pixels.orientation;
  ocl_image_destroy(&image);
  drop(&tiff);
  return orientation;
}

static void test_reads_all_orientations(void) {
  enum { SHORT = 3 };
  for (uint32_t orientation = 1; orientation <= 8; orientation++) {
    for (int32_t is_big_endian = 0; is_big_endian < 2; is_big_endian++) {
      CHECK(orientation_of_jpeg(make_tiff(is_big_endian, SHORT, 1, orientation)) == (int32_t)orientation);
      CHECK(orientation_of_png(make_tiff(is_big_endian, SHORT, 1, orientation)) == (int32_t)orientation);
    }
  }
  CHECK(orientation_of_jpeg(make_tiff(false, SHORT, 1, 0)) == 1);
  CHECK(orientation_of_jpeg(make_tiff(false, SHORT, 1, 9)) == 1);
  CHECK(orientation_of_jpeg(make_tiff(false, SHORT, 2, 6)) == 1);
  CHECK(orientation_of_jpeg(make_tiff(true, 2, 1, 6)) == 1);
}

// Cut or changed anywhere it still gives 1..8 and reads nothing outside (ASan), and upright where the entry is cut off.
static void test_survives_hostile_exif(void) {
  for (int32_t is_big_endian = 0; is_big_endian < 2; is_big_endian++) {
    file tiff = make_tiff(is_big_endian, 3, 1, 6);
    for (size_t size = 0; size < tiff.size_bytes; size++) {
      uint8_t* cut = malloc(size + (size == 0));
      memcpy(cut, tiff.bytes, size);
      const int32_t orientation = ocl_exif_orientation(cut, size);
      CHECK(orientation == (size >= 34 ? 6 : 1));
      free(cut);
    }
    for (size_t at = 0; at < tiff.size_bytes; at++) {
      const uint8_t old = tiff.bytes[at];
      for (int32_t value = 0; value < 256; value++) {
        tiff.bytes[at] = (uint8_t)value;
        const int32_t orientation = ocl_exif_orientation(tiff.bytes, tiff.size_bytes);
        CHECK(orientation >= 1 && orientation <= 8);
      }
      tiff.bytes[at] = old;
    }
    drop(&tiff);
  }
  static const uint8_t far[8] = {'I', 'I', 42, 0, 0xff, 0xff, 0xff, 0xff};
  CHECK(ocl_exif_orientation(far, sizeof far) == 1);
}

// ---- refusals

static void test_names_formats_it_does_not_read(void) {
  static const struct {
    const char* bytes;
    size_t size_bytes;
    const char* name;
  } kCases[] = {{"RIFF\x10\0\0\0WEBPVP8 ", 16, "WebP"},
                {"\0\0\0\x1c"
                 "ftypavif\0\0\0\0",
                 16, "AVIF"},
                {"\0\0\0\x18"
                 "ftypheic\0\0\0\0",
                 16, "HEIC"},
                {"II*\0\x08\0\0\0", 8, "TIFF"},
                {"MM\0*\0\0\0\x08", 8, "TIFF"},
                {"8BPS\0\1", 6, "PSD"},
                {"\xef\xbb\xbf  <svg xmlns=", 16, "SVG"},
                {"<!DOCTYPE html>", 15, "HTML"},
                {"%PDF-1.7", 8, "PDF"},
                {"\xff\x0a\0\0", 4, "JPEG XL"},
                {"\0\0\0\x0cjP  \r\n\x87\n", 12, "JPEG 2000"},
                {"\0\0\1\0\1\0", 6, "ICO"},
                {"hello", 5, "unknown"},
                {"\0", 1, "unknown"},
                {"\xff\xd8", 2, "unknown"}};
  for (size_t i = 0; i < sizeof kCases / sizeof *kCases; i++) {
    expect_status(copy_of(kCases[i].bytes, kCases[i].size_bytes), OCL_UNSUPPORTED_IMAGE_FORMAT, kCases[i].name);
  }
  expect_status((file){0}, OCL_IMAGE_EMPTY, "");
  uint8_t zeros[4096] = {0};
  expect_status(copy_of(zeros, sizeof zeros), OCL_UNSUPPORTED_IMAGE_FORMAT, "unknown");
}

static void test_refuses_kinds_that_would_decode_wrongly(void) {
  file f = make_rgb_png(4, 4), apple = {0};
  put(&apple, f.bytes, 8);
  put_chunk(&apple, "CgBI", "\0\0\0\0", 4);
  put(&apple, f.bytes + 8, f.size_bytes - 8);
  drop(&f);
  expect_status(apple, OCL_UNSUPPORTED_IMAGE_FORMAT, "CgBI");

  for (size_t at = 0; at < sizeof kBaselineJpeg; at++) {
    if (kBaselineJpeg[at] != 0xFF || kBaselineJpeg[at + 1] != 0xC0) continue;
    f = make_jpeg();
    f.bytes[at + 1] = 0xC9;
    expect_status(f, OCL_UNSUPPORTED_IMAGE_FORMAT, "arithmetic");
    f = make_jpeg();
    f.bytes[at + 4] = 12;
    expect_status(f, OCL_UNSUPPORTED_IMAGE_FORMAT, "8 bits");
    break;
  }
}

static void test_finds_truncation_at_every_byte(void) {
  file files[] = {make_jpeg(), copy_of(kProgressiveJpeg, sizeof kProgressiveJpeg), make_rgb_png(7, 5), make_small_bmp(),
                  make_interlaced_png(9, 9)};
  // What may be missing: the end marker, the last row's padding, the end chunk and the checksums before it.
  static const size_t kRequired[] = {2, 2, 20, 3, 20};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    for (size_t size = 8; size < files[i].size_bytes - kRequired[i]; size++) {
      expect_status(copy_of(files[i].bytes, size), OCL_IMAGE_CORRUPT, "");
    }
    drop(&files[i]);
  }
  file gif = {0};
  put_gif_header(&gif, 9, 9);
  put_gif_frame(&gif, 0, 0, 9, 9);
  const size_t end = gif.size_bytes - 3;  // behind the last pixel: what ends the data may be missing
  for (size_t size = 8; size < end; size++) expect_status(copy_of(gif.bytes, size), OCL_IMAGE_CORRUPT, "");
  for (size_t size = end; size < gif.size_bytes; size++) expect_status(copy_of(gif.bytes, size), OCL_OK, "");
  drop(&gif);
}

static void test_accepts_what_follows_a_complete_image(void) {
  file files[] = {make_jpeg(), make_rgb_png(7, 5), make_small_bmp(), make_gif(5, 4)};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    put(&files[i], kGreyJpeg, sizeof kGreyJpeg - 2);  // a second image, itself cut short
    expect_status(files[i], OCL_OK, "");
  }
}

static void test_refuses_a_file_without_its_pixels(void) {
  file gif = {0};
  put_gif_header(&gif, 50, 50);
  put_byte(&gif, 0x3B);
  expect_status(gif, OCL_IMAGE_CORRUPT, "no image");

  file png = {0};
  put_ihdr(&png, 4, 4, 8, 2, false);
  put_chunk(&png, "IEND", NULL, 0);
  expect_status(png, OCL_IMAGE_CORRUPT, "before its pixels");

  static const uint8_t jpeg[] = {0xff, 0xd8, 0xff, 0xd9};
  expect_status(copy_of(jpeg, sizeof jpeg), OCL_IMAGE_CORRUPT, "no scan");
}

// ---- bombs

static void test_refuses_sizes_before_decoding(void) {
  file png = make_rgb_png(4, 4);
  for (int32_t i = 16; i < 24; i++) png.bytes[i] = i % 4 == 2 ? 0x80 : 0;  // 32768x32768
  repair_ihdr(&png);
  expect_status(copy_of(png.bytes, png.size_bytes), OCL_IMAGE_TOO_LARGE,
                "32768x32768; the limit is 100000000 pixels (maxPixels)");
  memset(png.bytes + 16, 0, 8);
  repair_ihdr(&png);
  expect_status(copy_of(png.bytes, png.size_bytes), OCL_IMAGE_CORRUPT, "no pixels");
  memset(png.bytes + 16, 0xff, 8);
  repair_ihdr(&png);
  expect_status(copy_of(png.bytes, png.size_bytes), OCL_IMAGE_CORRUPT, "no pixels");
  // within the limit of pixels, but 48 MB from 150 bytes
  for (int32_t i = 16; i < 24; i++) png.bytes[i] = i % 4 == 2 ? 0x0f : 0;
  repair_ihdr(&png);
  expect_status(png, OCL_IMAGE_CORRUPT, "too few bytes");

  file gif = make_gif(3, 3);
  memset(gif.bytes + 6, 0x1f, 4);
  expect_status(gif, OCL_IMAGE_CORRUPT, "too few bytes");

  file bmp = make_small_bmp();
  bmp.bytes[25] = 0x80;  // height -2^31 and a bit
  expect_status(bmp, OCL_IMAGE_TOO_LARGE, "3x2147483646");
  bmp = make_small_bmp();
  memcpy(bmp.bytes + 22, "\0\0\0\x80", 4);
  expect_status(bmp, OCL_IMAGE_CORRUPT, "no pixels");
}

static void test_refuses_long_sides(void) {
  file wide = make_rgb_png(4, 4);
  memcpy(wide.bytes + 16, "\0\1\0\0\0\0\0\1", 8);
  repair_ihdr(&wide);
  expect_status(wide, OCL_IMAGE_TOO_LARGE, "65536x1; the limit is 65535 pixels on a side");
  static const uint8_t kRow[65536 / 8 + 4], kColors[8];
  expect_status(make_bmp(65536, 1, 1, kColors, 8, kRow, 65536 / 8), OCL_IMAGE_TOO_LARGE, "65536x1; the limit is 65535");
  expect_status(make_bmp(1, 65536, 24, NULL, 0, "", 1), OCL_IMAGE_TOO_LARGE, "1x65536; the limit is 65535");
  expect_status(make_bmp(65535, 1, 1, kColors, 8, kRow, 65536 / 8), OCL_OK, "");
}

static void test_keeps_the_callers_limit(void) {
  file png = make_rgb_png(10, 10);
  ocl_image image;
  ocl_image_options options = {.max_pixels = 99};
  CHECK_STATUS(ocl_image_decode(png.bytes, png.size_bytes, &options, &image, NULL), OCL_IMAGE_TOO_LARGE);
  options.max_pixels = 100;
  CHECK_STATUS(ocl_image_decode(png.bytes, png.size_bytes, &options, &image, NULL), OCL_OK);
  ocl_image_destroy(&image);
  drop(&png);
}

// Deflate that goes on past the pixels: 258 zeros per bit pair, megabytes from kilobytes.
static void test_refuses_deflate_bombs(void) {
  file data = copy_of("\x78\x01", 2), png = {0};
  // a fixed-Huffman block: literal 0 (8 bits 00110000), then length 258 (11000101) distance 1 (00000) over and over:
  // bit-reversed into bytes by hand, the pairs come out as a run of 13 bits; write them one bit at a time
  uint32_t bits = 0, num_bits = 0;
  const char* start =
      "1"
      "10"
      "00110000";
  const char* pair =
      "11000101"
      "00000";
  for (int32_t i = 0; i < 20000; i++) {
    for (const char* c = i == 0 ? start : pair; *c != 0; c++) {
      bits |= (uint32_t)(*c - '0') << num_bits;
      if (++num_bits < 8) continue;
      put_byte(&data, bits);
      bits = num_bits = 0;
    }
  }
  put_zeros(&data, 8);
  put_ihdr(&png, 16, 16, 8, 2, false);
  put_chunk(&png, "IDAT", data.bytes, data.size_bytes);
  put_chunk(&png, "IEND", NULL, 0);
  drop(&data);
  expect_status(png, OCL_IMAGE_CORRUPT, "damaged pixels");
}

// Thousands of scans of no data, each of which would cost a pass over the picture.
static void test_refuses_jpegs_of_endless_scans(void) {
  size_t scan = 0;
  while (kProgressiveJpeg[scan] != 0xFF || kProgressiveJpeg[scan + 1] != 0xDA) scan++;
  const size_t length = 2 + (size_t)kProgressiveJpeg[scan + 3];
  file f = copy_of(kProgressiveJpeg, sizeof kProgressiveJpeg - 2);
  for (int32_t i = 0; i < 100; i++) put(&f, kProgressiveJpeg + scan, length);
  put(&f, "\xff\xd9", 2);
  expect_status(f, OCL_IMAGE_CORRUPT, "scans out of order");
}

// Codes behind the frame's last pixel draw nothing.
static void test_ignores_data_past_the_frame_of_a_gif(void) {
  file gif = {0};
  put_gif_header(&gif, 100, 100);
  put_gif_frame(&gif, 0, 0, 100, 100);
  const size_t descriptor = gif.size_bytes - 10 - 1 - (100 * 102) - 3;
  CHECK(gif.bytes[descriptor] == 0x2C);
  gif.bytes[descriptor + 5] = gif.bytes[descriptor + 7] = 2;  // a frame of 2x2
  expect_status(gif, OCL_OK, "");
}

// ---- mutations

static uint32_t random_state;
static uint32_t random_below(uint32_t limit) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state % limit;
}

static void mutate(file* f) {
  static const uint8_t kValues[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe, 0xd8, 0xd9, 0xda, 0xc2};
  for (uint32_t i = 1 + random_below(4); i > 0; i--) {
    uint8_t* byte = f->bytes + random_below((uint32_t)f->size_bytes);
    switch (random_below(3)) {
      case 0: *byte = (uint8_t)random_below(256); break;
      case 1: *byte = kValues[random_below(sizeof kValues)]; break;
      default: *byte ^= (uint8_t)(1u << random_below(8)); break;
    }
  }
  if (random_below(8) == 0) {  // cut, in an allocation of the new size
    f->size_bytes = 1 + random_below((uint32_t)f->size_bytes);
    f->bytes = realloc(f->bytes, f->size_bytes);
  }
}

static void test_survives_mutations(void) {
  file seeds[] = {make_jpeg(),
                  copy_of(kProgressiveJpeg, sizeof kProgressiveJpeg),
                  copy_of(kGreyJpeg, sizeof kGreyJpeg),
                  copy_of(kCmykJpeg, sizeof kCmykJpeg),
                  make_rgb_png(9, 7),
                  make_interlaced_png(9, 7),
                  make_png_row(2, 8, 3, "\0\1", 2),
                  make_png_row(2, 16, 6, "\1\0\2\0\3\0\0\0\4\0\5\0\6\0\x80\0", 16),
                  make_small_bmp(),
                  make_bmp(2, 1, 8, "\3\2\1\0", 4, "\0\1\0\0", 4),
                  make_gif(9, 7)};
  enum { NUM_SEEDS = sizeof seeds / sizeof *seeds, ROUNDS = 600 };
  random_state = 20261123;
  int32_t num_decoded = 0, num_refused = 0;
  const ocl_image_options options = {.max_pixels = 1 << 18};
  for (int32_t i = 0; i < NUM_SEEDS * ROUNDS; i++) {
    file f = copy_of(seeds[i % NUM_SEEDS].bytes, seeds[i % NUM_SEEDS].size_bytes);
    mutate(&f);
    ocl_image image;
    ocl_detail detail = {""};
    const ocl_status status = ocl_image_decode(f.bytes, f.size_bytes, &options, &image, &detail);
    CHECK(status == OCL_OK || status == OCL_IMAGE_CORRUPT || status == OCL_IMAGE_TOO_LARGE ||
          status == OCL_UNSUPPORTED_IMAGE_FORMAT);
    CHECK(status == OCL_OK || (image.memory == NULL && detail.text[0] != 0));
    if (status == OCL_OK) {
      CHECK(image.pixels.orientation >= 1 && image.pixels.orientation <= 8);
      volatile uint8_t last = image.pixels.data[image.pixels.size_bytes - 1];
      (void)last;
    }
    *(status == OCL_OK ? &num_decoded : &num_refused) += 1;
    ocl_image_destroy(&image);
    drop(&f);
  }
  CHECK(num_decoded > NUM_SEEDS * 50 && num_refused > NUM_SEEDS * 50);  // the mutations reach both sides
  for (int32_t i = 0; i < NUM_SEEDS; i++) drop(&seeds[i]);
}

int main(void) {
  RUN(test_decodes_png_plain_and_interlaced);
  RUN(test_decodes_every_png_colour_type);
  RUN(test_shows_black_for_missing_palette_entries);
  RUN(test_decodes_bmp);
  RUN(test_decodes_the_first_frame_of_a_gif);
  RUN(test_decodes_jpeg);
  RUN(test_decodes_the_same_twice);
  RUN(test_reads_all_orientations);
  RUN(test_survives_hostile_exif);
  RUN(test_names_formats_it_does_not_read);
  RUN(test_refuses_kinds_that_would_decode_wrongly);
  RUN(test_finds_truncation_at_every_byte);
  RUN(test_accepts_what_follows_a_complete_image);
  RUN(test_refuses_a_file_without_its_pixels);
  RUN(test_refuses_sizes_before_decoding);
  RUN(test_refuses_long_sides);
  RUN(test_keeps_the_callers_limit);
  RUN(test_refuses_deflate_bombs);
  RUN(test_refuses_jpegs_of_endless_scans);
  RUN(test_ignores_data_past_the_frame_of_a_gif);
  RUN(test_survives_mutations);
  return check_failed_tests;
}
