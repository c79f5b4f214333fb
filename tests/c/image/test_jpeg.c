// The JPEG decoder against libjpeg-turbo's stored results (tests/c/soak/jpeg.c writes them), and how its rows become a
// tensor.
#include "image/exif.h"
#include "image/image.h"
#include "image/image_digest.h"
#include "image/image_files.h"
#include "image/jpeg_decode.h"
#include "image/jpeg_internal.h"
#include "image/sound_jpegs.h"

// ---- libjpeg-turbo's pixels

static uint32_t read_word(const uint8_t* bytes) {
  uint32_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

static uint32_t digest_of(const uint8_t* bytes, size_t size_bytes, int32_t scale_log2) {
  decoded_jpeg d = decode_jpeg(bytes, size_bytes, scale_log2, false, 1);
  const uint32_t digest = d.rgb == NULL ? DIGEST_REFUSED : digest_pixels(d.rgb, d.width, d.height, 3);
  free(d.rgb);
  return digest;
}

static void test_has_the_pixels_of_libjpeg_at_every_scale(void) {
  size_t size_bytes;
  uint8_t* stored = data_read("images/random.bin", &size_bytes);
  int32_t num_files = 0, num_unknown = 0;
  for (size_t at = 0; at + 20 <= size_bytes; num_files++) {
    const uint32_t file_bytes = read_word(stored + at);
    for (int32_t scale_log2 = 0; scale_log2 < 4; scale_log2++) {
      const uint32_t expected = read_word(stored + at + 4 + 4 * scale_log2);
      const bool is_same = digest_of(stored + at + 20, file_bytes, scale_log2) == expected;
      if (expected == DIGEST_WARNED) num_unknown++;
      if (expected != DIGEST_WARNED && !is_same) printf("# file %d at 1/%d\n", num_files, 1 << scale_log2);
      CHECK(expected == DIGEST_WARNED || is_same);
    }
    at += 20 + file_bytes;
  }
  CHECK(num_files == 140 && num_unknown <= 20);
  free(stored);
}

static void test_treats_damaged_files_as_libjpeg_does(void) {
  damaged_file sound[NUM_SOUND];
  read_sound_jpegs(sound);
  size_t size_bytes;
  uint8_t* stored = data_read("images/damaged.bin", &size_bytes);
  uint32_t counts[3] = {0};
  for (uint32_t number = 0; number < size_bytes / 4; number++) {
    const uint32_t expected = read_word(stored + 4 * (size_t)number);
    damaged_file f = make_damaged(sound, NUM_SOUND, number);
    const uint32_t digest = digest_of(f.bytes, f.size, 0);
    if (expected != DIGEST_WARNED && digest != expected) printf("# file %u\n", number);
    CHECK(expected == DIGEST_WARNED || digest == expected);
    counts[expected < 2 ? expected : 2]++;
    free(f.bytes);
  }
  CHECK(counts[0] > 400 && counts[1] > 400 && counts[2] > 400);
  for (int32_t i = 0; i < NUM_SOUND; i++) free(sound[i].bytes);
  free(stored);
}

static void test_has_the_pixels_of_tensorflow(void) {
  static const char* const kNames[] = {"baseline", "whole_chroma", "progressive", "optimized", "grey"};
  for (size_t i = 0; i < sizeof kNames / sizeof *kNames; i++) {
    char path[64];
    size_t size_bytes, num_samples;
    snprintf(path, sizeof path, "images/%s.u8.bin", kNames[i]);
    uint8_t* expected = data_read(path, &num_samples);
    snprintf(path, sizeof path, "images/%s.jpg", kNames[i]);
    uint8_t* bytes = data_read(path, &size_bytes);
    decoded_jpeg d = decode_jpeg(bytes, size_bytes, 0, false, 1);
    CHECK(d.width == 90 && d.height == 61 && num_samples == 90 * 61 * 3);
    CHECK(d.rgb != NULL && memcmp(d.rgb, expected, num_samples) == 0);
    free(d.rgb);
    free(bytes);
    free(expected);
  }
}

// Components of one name are meant in their order, as libjpeg has it.
static void test_reads_components_of_the_same_name(void) {
  size_t size_bytes;
  uint8_t* bytes = data_read("images/baseline.jpg", &size_bytes);
  const uint32_t expected = digest_of(bytes, size_bytes, 0);
  for (size_t i = 2; i + 20 < size_bytes; i += 2 + (size_t)bytes[i + 2] * 256 + bytes[i + 3]) {
    for (size_t k = 0; k < 3 && bytes[i + 1] == 0xC0; k++) bytes[i + 10 + 3 * k] = 7;
    for (size_t k = 0; k < 3 && bytes[i + 1] == 0xDA; k++) bytes[i + 5 + 2 * k] = 7;
    if (bytes[i + 1] == 0xDA) break;
  }
  CHECK(digest_of(bytes, size_bytes, 0) == expected);
  free(bytes);
}

// The sums of the small transform wrap in 32 bits, as those of the vectors of the large ones do. Only row 0 is not 0,
// so that the first pass gives four times its numbers.
static void test_sums_of_the_smallest_transform_wrap(void) {
  static const int32_t factors[8] = {0, 29692, 0, -10426, 0, 6967, 0, -5906};
  static const int16_t kSteps[64] = {1, 1, 1, 1, 1, 1, 1, 1};
  for (int32_t sign = -1; sign <= 1; sign += 2) {
    int16_t block[64] = {0};
    uint8_t samples[4];
    int64_t odd = 0;
    for (int32_t x = 0; x < 8; x++) block[x] = (int16_t)(x == 0 ? 8000 : factors[x] * sign < 0 ? -8000 : 8000);
    for (int32_t x = 0; x < 8; x++) odd += factors[x] * 4 * block[x];
    ocl_jpeg_transform(block, kSteps, 2, false, samples, 2);
    for (int32_t i = 0; i < 4; i++) {
      const int64_t sum = ((int64_t)4 * 8000 << 15) + (1 << 19) + (i % 2 == 0 ? odd : -odd);
      const int32_t value = (int32_t)(uint32_t)sum >> 20;
      CHECK(samples[i] == (value < -128 ? 0 : value > 127 ? 255 : value + 128));
    }
    CHECK(llabs(odd) + ((int64_t)4 * 8000 << 15) > INT32_MAX);
  }
}

// `sampling`: of the components, horizontal and vertical, in a digit each.
static decoded_jpeg decode_sampled(const uint8_t sampling[3]) {
  size_t size_bytes;
  uint8_t* bytes = data_read("images/baseline.jpg", &size_bytes);
  for (size_t i = 2; i + 20 < size_bytes; i += 2 + (size_t)bytes[i + 2] * 256 + bytes[i + 3]) {
    if (bytes[i + 1] != 0xC0) continue;
    for (size_t k = 0; k < 3; k++) bytes[i + 11 + 3 * k] = sampling[k];
    break;
  }
  decoded_jpeg d = decode_jpeg(bytes, size_bytes, 0, true, 1);
  free(d.rgb);
  free(bytes);
  return d;
}

static void test_refuses_impossible_sampling(void) {
  decoded_jpeg d = decode_sampled((const uint8_t[]){0x31, 0x21, 0x11});
  CHECK_STATUS(d.status, OCL_UNSUPPORTED_IMAGE_FORMAT);
  CHECK(strcmp(d.detail.text, "JPEG with fractional sampling factors") == 0);
  d = decode_sampled((const uint8_t[]){0x44, 0x11, 0x11});
  CHECK_STATUS(d.status, OCL_IMAGE_CORRUPT);
  CHECK(strstr(d.detail.text, "too many blocks in a unit") != NULL);
}

// The only scan has the first of three components: 12 x 8 blocks, each of no change (00) and the end of the block
// (1010).
static void test_refuses_components_without_a_scan(void) {
  static const uint8_t header[] = {0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0}, four_blocks[] = {0x28, 0xA2, 0x8A};
  size_t size_bytes;
  uint8_t* bytes = data_read("images/baseline.jpg", &size_bytes);
  size_t at = 2;
  while (bytes[at + 1] != 0xDA) at += 2 + (size_t)bytes[at + 2] * 256 + bytes[at + 3];
  memcpy(bytes + at, header, sizeof header);
  at += sizeof header;
  for (int32_t i = 0; i < 12 * 8 / 4; i++, at += sizeof four_blocks)
    memcpy(bytes + at, four_blocks, sizeof four_blocks);
  memcpy(bytes + at, "\xFF\xD9", 2);
  decoded_jpeg d = decode_jpeg(bytes, at + 2, 0, false, 1);
  CHECK_STATUS(d.status, OCL_IMAGE_CORRUPT);
  CHECK(strstr(d.detail.text, "a component has no scan") != NULL);
  free(d.rgb);
  free(bytes);
}

// ---- needed rows and columns

static void test_decodes_what_is_needed(void) {
  damaged_file sound[NUM_SOUND];
  read_sound_jpegs(sound);
  for (int32_t i = 0; i < NUM_SOUND; i++) {
    for (int32_t nth = 2; nth < 40; nth += 9) {
      decoded_jpeg all = decode_jpeg(sound[i].bytes, sound[i].size, 0, false, 1);
      decoded_jpeg some = decode_jpeg(sound[i].bytes, sound[i].size, 0, false, nth);
      for (int32_t y = 0; y < all.height; y += nth)
        for (int32_t x = 0; x < all.width; x += nth)
          CHECK(memcmp(all.rgb + (y * all.width + x) * 3, some.rgb + (y * all.width + x) * 3, 3) == 0);
      free(all.rgb);
      free(some.rgb);
    }
    free(sound[i].bytes);
  }
}

// ---- files that are cut short

static int32_t row_of_end(const decoded_jpeg* d) {
  const char* row = strstr(d->detail.text, "at row ");
  return row == NULL ? -1 : atoi(row + 7);
}

static bool is_row_of(const decoded_jpeg* d, int32_t y, uint8_t value) {
  for (int32_t i = 0; i < 3 * d->width; i++)
    if (d->rgb[y * 3 * d->width + i] != value) return false;
  return true;
}

static void test_says_where_a_file_ends(void) {
  size_t size_bytes;
  uint8_t* bytes = data_read("images/baseline.jpg", &size_bytes);
  decoded_jpeg whole = decode_jpeg(bytes, size_bytes, 0, false, 1);
  CHECK(!whole.is_truncated);
  int32_t last_row = 0;
  for (size_t cut = 700; cut + 4 < size_bytes; cut += 50) {
    decoded_jpeg refused = decode_jpeg(bytes, cut, 0, false, 1), part = decode_jpeg(bytes, cut, 0, true, 1);
    CHECK_STATUS(refused.status, OCL_IMAGE_CORRUPT);
    const int32_t row = row_of_end(&refused);
    CHECK(row >= last_row && row < 61);
    last_row = row;
    CHECK(part.rgb != NULL && part.is_truncated);
    if (part.rgb == NULL) continue;
    // the last row above the end may have mixed in a chroma row below it
    CHECK(row < 2 || memcmp(part.rgb, whole.rgb, (size_t)(row - 1) * 90 * 3) == 0);
    CHECK(row + 17 > 60 || is_row_of(&part, 60, 128));
    free(part.rgb);
  }
  CHECK(last_row >= 32);
  free(whole.rgb);
  free(bytes);
}

// As a file that ends before them: FF is no segment yet.
static void test_fill_bytes_at_the_end(void) {
  size_t size_bytes;
  uint8_t* bytes = data_read("images/baseline.jpg", &size_bytes);
  const size_t lengths[] = {2, size_bytes - 2};
  for (size_t i = 0; i < 2; i++)
    for (size_t fill = 1; fill < 3; fill++) {
      decoded_jpeg without = decode_jpeg(bytes, lengths[i], 0, true, 1);
      memset(bytes + lengths[i], 0xFF, fill);
      decoded_jpeg with = decode_jpeg(bytes, lengths[i] + fill, 0, true, 1);
      CHECK(with.status == without.status && strcmp(with.detail.text, without.detail.text) == 0);
      CHECK(with.is_truncated == without.is_truncated && (with.rgb == NULL) == (without.rgb == NULL));
      free(without.rgb);
      free(with.rgb);
    }
  free(bytes);
}

static void test_says_in_which_scan_a_file_ends(void) {
  size_t size_bytes;
  uint8_t* bytes = data_read("images/progressive.jpg", &size_bytes);
  decoded_jpeg refused = decode_jpeg(bytes, size_bytes * 2 / 3, 0, false, 1);
  CHECK_STATUS(refused.status, OCL_IMAGE_CORRUPT);
  CHECK(strstr(refused.detail.text, "in scan ") != NULL);
  decoded_jpeg part = decode_jpeg(bytes, size_bytes * 2 / 3, 0, true, 1);
  CHECK(part.rgb != NULL && part.is_truncated);
  free(part.rgb);
  free(bytes);
}

// ---- limits

static void test_refuses_what_needs_too_much_memory(void) {
  size_t size_bytes;
  uint8_t* bytes = data_read("images/progressive.jpg", &size_bytes);
  for (size_t i = 0; i + 8 < size_bytes; i++) {
    if (bytes[i] != 0xFF || bytes[i + 1] != 0xC2) continue;
    memcpy(bytes + i + 5, "\x27\x10\x27\x10", 4);  // 10 000 x 10 000
    break;
  }
  const ocl_image_options options = {.max_pixels = OCL_IMAGE_DEFAULT_MAX_PIXELS};
  ocl_image image;
  ocl_detail detail;
  CHECK_STATUS(ocl_image_decode(bytes, size_bytes, &options, &image, &detail), OCL_IMAGE_TOO_LARGE);
  CHECK(strstr(detail.text, "10000x10000 needs") != NULL && strstr(detail.text, "256 MiB") != NULL);
  free(bytes);
}

// ---- rows -> tensor

enum { NET = 11 };

static const ocl_resize_target kTarget = {NET, NET + 2, OCL_FLOAT32, OCL_RESIZE_HALF_PIXEL, {1, 2, 3}, {4, 5, 6}, 0};

typedef struct {
  float values[NET * (NET + 2) * 3];
} tensor;

static tensor read_tensor(const file* f, const ocl_roi* roi, int32_t turns, ocl_image_scale scale,
                          ocl_image_facts* facts_out) {
  tensor t = {0};
  void* scratch = malloc(ocl_resize_scratch_size_bytes(kTarget.width, kTarget.height));
  const ocl_image_options options = {.max_pixels = 1 << 20, .scale = scale};
  CHECK_STATUS(
      ocl_image_to_tensor(f->bytes, f->size_bytes, &options, roi, turns, &kTarget, scratch, t.values, facts_out, NULL),
      OCL_OK);
  free(scratch);
  return t;
}

static tensor resize_whole(const file* f, const ocl_roi* roi, int32_t turns) {
  tensor t = {0};
  ocl_image image;
  const ocl_image_options options = {.max_pixels = 1 << 20};
  CHECK_STATUS(ocl_image_decode(f->bytes, f->size_bytes, &options, &image, NULL), OCL_OK);
  void* scratch = malloc(ocl_resize_scratch_size_bytes(kTarget.width, kTarget.height));
  CHECK_STATUS(ocl_resize_to_tensor(&image.pixels, roi, turns, &kTarget, scratch, t.values, NULL), OCL_OK);
  free(scratch);
  ocl_image_destroy(&image);
  return t;
}

static file turned_jpeg(uint32_t orientation) {
  size_t size_bytes;
  uint8_t* bytes = data_read("images/baseline.jpg", &size_bytes);
  file jpeg = {bytes, size_bytes}, tiff = make_tiff(false, 3, 1, orientation);
  file f = add_exif(&jpeg, &tiff);
  drop(&tiff);
  drop(&jpeg);
  return f;
}

static void test_gives_the_tensor_of_the_whole_picture(void) {
  static const ocl_roi roi = {7, 20, 33, 29};
  for (uint32_t orientation = 1; orientation <= 8; orientation++) {
    file f = turned_jpeg(orientation);
    for (int32_t turns = 0; turns < 4; turns++) {
      for (int32_t has_roi = 0; has_roi < 2; has_roi++) {
        ocl_image_facts facts;
        const tensor rows = read_tensor(&f, has_roi ? &roi : NULL, turns, OCL_IMAGE_AUTO, &facts);
        const tensor whole = resize_whole(&f, has_roi ? &roi : NULL, turns);
        CHECK(memcmp(rows.values, whole.values, sizeof rows.values) == 0);
        CHECK(facts.width_px == (orientation < 5 ? 90 : 61) && facts.height_px == (orientation < 5 ? 61 : 90));
        CHECK(facts.scale_log2 == 0);
      }
    }
    drop(&f);
  }
}

// At 1/2, what is sampled is the mean of 2 x 2 pixels: nearly the same where the picture is smooth, and in the same
// place in all orientations.
static void test_reads_the_same_places_at_a_smaller_scale(void) {
  static const ocl_roi roi = {2, 4, 57, 55};
  for (uint32_t orientation = 1; orientation <= 8; orientation++) {
    file f = turned_jpeg(orientation);
    for (int32_t turns = 0; turns < 4; turns++) {
      ocl_image_facts facts;
      const tensor scaled = read_tensor(&f, &roi, turns, OCL_IMAGE_SCALED, &facts);
      const tensor whole = resize_whole(&f, &roi, turns);
      CHECK(facts.scale_log2 == 1);
      double sum = 0;
      for (int32_t i = 0; i < NET * (NET + 2) * 3; i++)
        sum += fabs((double)scaled.values[i] - (double)whole.values[i]) / kTarget.scale[i % 3];
      CHECK_NEAR(sum / (NET * (NET + 2) * 3), 0, 6);
    }
    drop(&f);
  }
}

static void expect_scale(int32_t width, int32_t height, const ocl_roi* roi, int32_t expected) {
  const ocl_resize_source source = {width, height, 6, 0};  // lies on its side
  const ocl_resize_target target = {.height = 300, .width = 300};
  int32_t scale_log2 = -1;
  CHECK_STATUS(ocl_resize_choose_scale(&source, roi, 1, &target, &scale_log2, NULL), OCL_OK);
  CHECK(scale_log2 == expected);
}

static void test_chooses_the_smallest_scale_of_twice_the_input(void) {
  expect_scale(4000, 3000, NULL, 2);
  expect_scale(4800, 4800, NULL, 3);
  expect_scale(4800, 4799, NULL, 2);
  expect_scale(1200, 1200, NULL, 1);
  expect_scale(1199, 5000, NULL, 0);
  expect_scale(100, 100, NULL, 0);
  expect_scale(60000, 60000, NULL, 3);
  expect_scale(4000, 3000, &(ocl_roi){0, 0, 1300, 1200}, 1);
}

int main(void) {
  RUN(test_has_the_pixels_of_libjpeg_at_every_scale);
  RUN(test_treats_damaged_files_as_libjpeg_does);
  RUN(test_has_the_pixels_of_tensorflow);
  RUN(test_reads_components_of_the_same_name);
  RUN(test_sums_of_the_smallest_transform_wrap);
  RUN(test_refuses_impossible_sampling);
  RUN(test_refuses_components_without_a_scan);
  RUN(test_decodes_what_is_needed);
  RUN(test_says_where_a_file_ends);
  RUN(test_fill_bytes_at_the_end);
  RUN(test_says_in_which_scan_a_file_ends);
  RUN(test_refuses_what_needs_too_much_memory);
  RUN(test_gives_the_tensor_of_the_whole_picture);
  RUN(test_reads_the_same_places_at_a_smaller_scale);
  RUN(test_chooses_the_smallest_scale_of_twice_the_input);
  return check_failed_tests;
}
