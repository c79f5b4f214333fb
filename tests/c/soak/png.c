// Compares the PNG decoder with libpng, which this program, but no other, is linked with.
//   png damaged FROM TO   damaged files (damaged_pngs.h): what libpng refuses is refused; what it decodes without a
//                         warning gives its pixels
//   png sound FROM TO     random files that libpng writes: its pixels
//   png print NUMBER      writes a damaged file to standard output
//   png write             writes tests/data/images/random_png.bin and damaged_png.bin, for tests/c/image/test_png.c
#include <png.h>
#include <setjmp.h>
#include <stdio.h>

#include "image/damaged_pngs.h"
#include "image/image.h"
#include "image/image_digest.h"

// ---- libpng

typedef struct {
  bool is_refused;
  int32_t num_warnings;
  char error[80];
  uint8_t* pixels;  // RGBA
  int32_t width, height;
} reference;

typedef struct {
  const uint8_t* at;
  size_t left;
} source;

static reference* current;

static void refuse(png_structp p, png_const_charp text) {
  snprintf(current->error, sizeof current->error, "%s", text);
  png_longjmp(p, 1);
}

static void count_warning(png_structp p, png_const_charp text) {
  (void)p, (void)text;
  current->num_warnings++;
}

static void read_some(png_structp p, png_bytep out, size_t size_bytes) {
  source* s = png_get_io_ptr(p);
  if (size_bytes > s->left) png_error(p, "end of file");
  memcpy(out, s->at, size_bytes);
  s->at += size_bytes;
  s->left -= size_bytes;
}

static reference decode_reference(const uint8_t* bytes, size_t size_bytes) {
  static reference r;
  static uint8_t** rows;
  source s = {bytes, size_bytes};
  r = (reference){.is_refused = true};
  rows = NULL;
  current = &r;
  png_structp p = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, refuse, count_warning);
  png_infop info = png_create_info_struct(p);
  if (setjmp(png_jmpbuf(p)) == 0) {
    png_set_read_fn(p, &s, read_some);
    png_read_info(p, info);
    r.width = (int32_t)png_get_image_width(p, info);
    r.height = (int32_t)png_get_image_height(p, info);
    if ((int64_t)r.width * r.height > 1 << 20) png_error(p, "too large for this program");
    png_set_expand(p);
    png_set_strip_16(p);
    png_set_gray_to_rgb(p);
    png_set_add_alpha(p, 255, PNG_FILLER_AFTER);
    png_set_interlace_handling(p);
    png_read_update_info(p, info);
    r.pixels = calloc((size_t)r.width * (size_t)r.height, 4);
    rows = calloc((size_t)r.height, sizeof *rows);
    for (int32_t y = 0; y < r.height; y++) rows[y] = r.pixels + (size_t)y * (size_t)r.width * 4;
    png_read_image(p, rows);
    r.is_refused = false;
  }
  png_destroy_read_struct(&p, &info, NULL);
  free(rows);
  return r;
}

// ---- random files

static void append(png_structp p, png_bytep bytes, size_t size_bytes) {
  damaged_file* f = png_get_io_ptr(p);
  f->bytes = realloc(f->bytes, f->size + size_bytes);
  memcpy(f->bytes + f->size, bytes, size_bytes);
  f->size += size_bytes;
}

static void nothing(png_structp p) {
  (void)p;
}

static damaged_file make_random(uint32_t number, uint32_t largest) {
  static const int kTypes[5] = {0, 2, 3, 4, 6};
  seed_damage(number);
  damaged_file f = {malloc(1), 0};
  png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(p);
  const int type = kTypes[below(5)];
  const int depth = type == 0 ? 1 << below(5) : type == 3 ? 1 << below(4) : 8 << below(2);
  const uint32_t width = 1 + below(largest), height = 1 + below(largest);
  png_set_write_fn(p, &f, append, nothing);
  png_set_IHDR(p, info, width, height, depth, type, below(2) ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
  png_color palette[256];
  uint8_t alphas[256];
  const int num_colors = type == 3 ? 1 + (int)below(1u << depth) : 0;
  for (int i = 0; i < 256; i++) {
    palette[i] = (png_color){(png_byte)below(256), (png_byte)below(256), (png_byte)below(256)};
    alphas[i] = (uint8_t)below(256);
  }
  if (num_colors > 0) png_set_PLTE(p, info, palette, num_colors);
  const uint16_t most = (uint16_t)((1u << depth) - 1);
  png_color_16 clear = {0, (uint16_t)below(most + 1u), 0, most, (uint16_t)below(most + 1u)};
  if (type < 4 && below(2))
    png_set_tRNS(p, info, alphas, 1 + (int)below((uint32_t)(num_colors > 0 ? num_colors : 1)), &clear);
  png_set_compression_level(p, (int)below(10));
  png_set_compression_strategy(p, (int)below(5));
  png_set_compression_buffer_size(p, 6 + below(3) * below(800));
  png_set_filter(p, 0, (int)(8 << below(5)) | (below(2) ? PNG_ALL_FILTERS : 0));
  png_write_info(p, info);
  const size_t row_bytes = png_get_rowbytes(p, info);
  uint8_t* pixels = malloc(row_bytes * height);
  uint8_t** rows = malloc(height * sizeof *rows);
  const uint32_t noise = below(3) == 0 ? 255 : below(8);
  for (uint32_t y = 0; y < height; y++) {
    rows[y] = pixels + y * row_bytes;
    for (size_t i = 0; i < row_bytes; i++) {
      rows[y][i] = (uint8_t)((i / 8 + y * i / 64) * 7 + below(noise + 1));
      if (num_colors > 0 && depth == 8) rows[y][i] %= num_colors;
      if (num_colors > 0 && depth < 8) rows[y][i] = 0;  // so that no index is too large
    }
  }
  png_write_image(p, rows);
  png_write_end(p, info);
  png_destroy_write_struct(&p, &info);
  free(pixels);
  free(rows);
  return f;
}

// ---- comparison

static int32_t num_faults;

static void fault(uint32_t number, const char* what, const char* why) {
  printf("%u: %s: %s\n", number, what, why);
  num_faults++;
}

static ocl_image decode(const damaged_file* f, bool allow_truncated, ocl_detail* detail) {
  const ocl_image_options options = {.max_pixels = 1 << 20, .allow_truncated = allow_truncated};
  ocl_image image;
  detail->text[0] = '\0';
  ocl_image_decode(f->bytes, f->size, &options, &image, detail);
  return image;
}

static bool is_same(const ocl_image* image, const reference* r) {
  const ocl_pixels* pixels = &image->pixels;
  if (pixels->width_px != r->width || pixels->height_px != r->height) return false;
  for (size_t i = 0; i < (size_t)r->width * (size_t)r->height; i++) {
    const uint8_t* pixel = pixels->data + i * (size_t)pixels->num_channels;
    if (memcmp(pixel, r->pixels + 4 * i, 3) != 0) return false;
    if (r->pixels[4 * i + 3] != (pixels->num_channels == 4 ? pixel[3] : 255)) return false;
  }
  return true;
}

// What is refused although libpng may not mind: data without an end, if it has read all pixels before the last chunk of
// data; and chunks before the header, if it does not know them.
static bool is_stricter(const ocl_detail* detail) {
  return strstr(detail->text, "without an end") != NULL || strstr(detail->text, "begin with its header") != NULL;
}

static void compare(uint32_t number, damaged_file f) {
  ocl_detail detail, ignored;
  ocl_image image = decode(&f, false, &detail), part = decode(&f, true, &ignored);
  reference r = decode_reference(f.bytes, f.size);
  const bool is_read = image.pixels.data != NULL;
  // a file that ends behind its pixels is whole enough
  if (r.is_refused && is_read && strcmp(r.error, "end of file") != 0) fault(number, "libpng refuses it", r.error);
  if (!r.is_refused && r.num_warnings == 0 && !is_read && !is_stricter(&detail))
    fault(number, "libpng decodes it", detail.text);
  if (!r.is_refused && r.num_warnings == 0 && is_read && !is_same(&image, &r))
    fault(number, "other pixels", detail.text);
  if (is_read && (part.pixels.data == NULL || part.is_truncated))
    fault(number, "not read as a truncated file", detail.text);
  ocl_image_destroy(&image);
  ocl_image_destroy(&part);
  free(r.pixels);
  free(f.bytes);
}

// ---- stored results

enum { NUM_STORED_DAMAGED = 2500, LARGEST_STORED = 24 };

static uint32_t digest_reference(const damaged_file* f) {
  reference r = decode_reference(f->bytes, f->size);
  ocl_detail detail;
  ocl_image image = decode(f, false, &detail);
  uint32_t digest = r.num_warnings > 0 ? DIGEST_WARNED : DIGEST_REFUSED;
  if (!r.is_refused && r.num_warnings == 0) digest = digest_pixels(r.pixels, r.width, r.height, 4);
  if (r.is_refused && strcmp(r.error, "end of file") == 0 && image.pixels.data != NULL) digest = DIGEST_WARNED;
  if (!r.is_refused && is_stricter(&detail)) digest = DIGEST_WARNED;
  ocl_image_destroy(&image);
  free(r.pixels);
  return digest;
}

// Of each sound file: its size, its digest, its bytes. Of the damaged ones, which are made from them: their digests.
static void write_results(const damaged_file* sound) {
  FILE* out = fopen("tests/data/images/random_png.bin", "wb");
  for (uint32_t i = 0; i < NUM_SOUND_PNGS; i++) {
    const uint32_t head[2] = {(uint32_t)sound[i].size, digest_reference(&sound[i])};
    fwrite(head, sizeof head, 1, out);
    fwrite(sound[i].bytes, sound[i].size, 1, out);
  }
  fclose(out);
  out = fopen("tests/data/images/damaged_png.bin", "wb");
  for (uint32_t number = 0; number < NUM_STORED_DAMAGED; number++) {
    damaged_file f = make_damaged_png(sound, number);
    const uint32_t digest = digest_reference(&f);
    fwrite(&digest, sizeof digest, 1, out);
    free(f.bytes);
  }
  fclose(out);
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  const uint32_t from = argc > 3 ? (uint32_t)atoi(argv[2]) : 0, to = argc > 3 ? (uint32_t)atoi(argv[3]) : 0;
  damaged_file sound[NUM_SOUND_PNGS];
  for (uint32_t i = 0; i < NUM_SOUND_PNGS; i++) sound[i] = make_random(i, LARGEST_STORED);
  if (strcmp(mode, "print") == 0) {
    damaged_file f = make_damaged_png(sound, (uint32_t)atoi(argv[2]));
    fwrite(f.bytes, 1, f.size, stdout);
    free(f.bytes);
  }
  if (strcmp(mode, "write") == 0) write_results(sound);
  for (uint32_t i = from; i < to; i++) {
    if (strcmp(mode, "damaged") == 0) compare(i, make_damaged_png(sound, i));
    if (strcmp(mode, "sound") == 0) compare(i, make_random(i, 60));
  }
  for (int32_t i = 0; i < NUM_SOUND_PNGS; i++) free(sound[i].bytes);
  if (to > from) printf("png %s: %u files, %d faults\n", mode, to - from, num_faults);
  return num_faults > 0;
}
