// The PNG decoder against libpng's stored results (tests/c/soak/png.c writes them), and files that are cut short.
#include "check.h"
#include "image/damaged_pngs.h"
#include "image/image.h"
#include "image/picture_digest.h"
#include "test_data.h"

static ocl_image decode(const void* bytes, size_t size_bytes, bool allow_truncated, ocl_detail* detail) {
  const ocl_image_options options = {.max_pixels = 1 << 20, .allow_truncated = allow_truncated};
  // of the exact size, so that ASan sees every stray read
  uint8_t* copy = malloc(size_bytes);
  memcpy(copy, bytes, size_bytes);
  ocl_image image;
  ocl_image_decode(copy, size_bytes, &options, &image, detail);
  free(copy);
  return image;
}

static uint32_t read_word(const uint8_t* bytes) {
  uint32_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

// Every colour type, depth, filter and interlacing, with and without tRNS.
static void read_sound_pngs(damaged_file out[NUM_SOUND_PNGS], uint32_t digests[NUM_SOUND_PNGS]) {
  size_t size_bytes, at = 0;
  uint8_t* stored = data_read("images/random_png.bin", &size_bytes);
  for (uint32_t i = 0; i < NUM_SOUND_PNGS; i++) {
    out[i] = (damaged_file){NULL, read_word(stored + at)};
    digests[i] = read_word(stored + at + 4);
    out[i].bytes = malloc(out[i].size);
    memcpy(out[i].bytes, stored + at + 8, out[i].size);
    at += 8 + out[i].size;
  }
  CHECK(at == size_bytes);
  free(stored);
}

static void test_treats_files_as_libpng_does(void) {
  damaged_file sound[NUM_SOUND_PNGS];
  uint32_t digests[NUM_SOUND_PNGS], counts[3] = {0};
  read_sound_pngs(sound, digests);
  for (uint32_t i = 0; i < NUM_SOUND_PNGS; i++)
    CHECK(digest_picture(sound[i].bytes, sound[i].size) == digests[i] && digests[i] > DIGEST_WARNED);
  size_t size_bytes;
  uint8_t* stored = data_read("images/damaged_png.bin", &size_bytes);
  for (uint32_t number = 0; number < size_bytes / 4; number++) {
    const uint32_t expected = read_word(stored + 4 * (size_t)number);
    damaged_file f = make_damaged_png(sound, number);
    const uint32_t digest = digest_picture(f.bytes, f.size);
    if (expected != DIGEST_WARNED && digest != expected) printf("# file %u\n", number);
    CHECK(expected == DIGEST_WARNED || digest == expected);
    counts[expected < 2 ? expected : 2]++;
    free(f.bytes);
  }
  CHECK(counts[0] > 400 && counts[2] > 400);
  for (uint32_t i = 0; i < NUM_SOUND_PNGS; i++) free(sound[i].bytes);
  free(stored);
}

static bool is_pixel(const ocl_image* image, int32_t x, int32_t y, unsigned r, unsigned g, unsigned b) {
  const uint8_t* p = image->pixels.data + (y * image->pixels.width_px + x) * 3;
  return p[0] == r && p[1] == g && p[2] == b;
}

// At every byte: refused with the row; or what is there, and grey.
static void test_shows_what_a_file_that_is_cut_short_has(void) {
  file f = make_rgb_png(7, 5);
  const size_t first = 8 + 25 + 8 + 7, row_bytes = 1 + 3 * 7;  // of its pixels
  for (size_t size = first; size < first + 5 * row_bytes; size++) {
    ocl_detail detail;
    const int32_t row = (int32_t)((size - first) / row_bytes);
    CHECK(decode(f.bytes, size, false, &detail).pixels.data == NULL);
    const char* said = strstr(detail.text, "the data ends at row ");
    CHECK(said != NULL && atoi(said + 21) == row);
    ocl_image image = decode(f.bytes, size, true, &detail);
    CHECK(image.pixels.data != NULL && image.is_truncated);
    for (int32_t y = 0; y < 5 && image.pixels.data != NULL; y++)
      for (int32_t x = 0; x < 7; x++)
        CHECK(y < row ? is_pixel(&image, x, y, (unsigned)x, (unsigned)y, (unsigned)(x * y))
                      : is_pixel(&image, x, y, 128, 128, 128));
    ocl_image_destroy(&image);
  }
  drop(&f);
}

static void test_shows_the_passes_that_a_file_that_is_cut_short_has(void) {
  file f = make_interlaced_png(9, 9);
  ocl_detail detail;
  ocl_image image = decode(f.bytes, f.size_bytes - 40, true, &detail);
  CHECK(image.pixels.data != NULL && image.is_truncated);
  int32_t num_grey = 0;
  for (int32_t i = 0; i < 81 && image.pixels.data != NULL; i++) {
    const int32_t x = i % 9, y = i / 9;
    const bool is_grey = is_pixel(&image, x, y, 128, 128, 128);
    CHECK(is_grey || is_pixel(&image, x, y, (unsigned)x, (unsigned)y, (unsigned)(x * y)));
    CHECK(!is_grey || y % 2 == 1);  // the last pass
    num_grey += is_grey;
  }
  CHECK(num_grey == 9);
  CHECK(decode(f.bytes, f.size_bytes - 40, false, &detail).pixels.data == NULL);
  CHECK(strstr(detail.text, "row 7 of 9") != NULL);
  ocl_image_destroy(&image);
  drop(&f);
}

int main(void) {
  RUN(test_treats_files_as_libpng_does);
  RUN(test_shows_what_a_file_that_is_cut_short_has);
  RUN(test_shows_the_passes_that_a_file_that_is_cut_short_has);
  return check_failed_tests;
}
