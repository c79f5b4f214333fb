// The GIF and BMP decoders against Pillow's stored results (tests/data/make/pictures.py writes them).
#include "check.h"
#include "image/picture_digest.h"
#include "image/pictures.h"
#include "test_data.h"

typedef struct {
  uint32_t refused, unknown, decoded;
} tally;

static tally compare(uint32_t first, uint32_t count, damaged_file (*make)(uint32_t number)) {
  size_t size_bytes;
  uint8_t* stored = data_read("images/pictures.bin", &size_bytes);
  CHECK(size_bytes == (size_t)4 * 5000);
  tally t = {0};
  for (uint32_t number = 0; number < count; number++) {
    uint32_t expected;
    memcpy(&expected, stored + 4 * (size_t)(first + number), 4);
    damaged_file f = make(number);
    const uint32_t digest = digest_picture(f.bytes, f.size);
    if (expected != DIGEST_WARNED && digest != expected) printf("# file %u\n", number);
    CHECK(expected == DIGEST_WARNED || digest == expected);
    (*(expected == DIGEST_REFUSED ? &t.refused : expected == DIGEST_WARNED ? &t.unknown : &t.decoded))++;
    free(f.bytes);
  }
  free(stored);
  return t;
}

static void test_reads_gifs_as_pillow_does(void) {
  CHECK(compare(0, 500, make_sound_gif).decoded == 500);
}

static void test_treats_damaged_gifs_as_pillow_does(void) {
  const tally t = compare(500, 2000, make_damaged_gif);
  CHECK(t.refused > 600 && t.decoded > 800);
}

static void test_reads_bmps_as_pillow_does(void) {
  CHECK(compare(2500, 500, make_sound_bmp).decoded > 480);
}

static void test_treats_damaged_bmps_as_pillow_does(void) {
  const tally t = compare(3000, 2000, make_damaged_bmp);
  CHECK(t.refused > 600 && t.decoded > 600);
}

int main(void) {
  RUN(test_reads_gifs_as_pillow_does);
  RUN(test_treats_damaged_gifs_as_pillow_does);
  RUN(test_reads_bmps_as_pillow_does);
  RUN(test_treats_damaged_bmps_as_pillow_does);
  return check_failed_tests;
}
