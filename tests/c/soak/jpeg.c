// Compares the JPEG decoder with libjpeg-turbo, which this program, but no other, is linked with.
//   jpeg damaged FROM TO   files of damage.h: what libjpeg refuses is refused; what it decodes without a warning gives
//                          its pixels
//   jpeg sound FROM TO     random files that libjpeg writes, at every scale: its pixels
//   jpeg print NUMBER      writes a damaged file to standard output
//   jpeg write             writes tests/data/images/damaged.bin and random.bin, for tests/c/image/test_jpeg.c
#include <math.h>
#include <setjmp.h>
#include <stdio.h>

// needs the standard headers before it
#include <jpeglib.h>

#include "image/image_digest.h"
#include "image/jpeg_decode.h"
#include "image/sound_jpegs.h"

// ---- libjpeg-turbo

typedef struct {
  bool is_refused, is_guessed, is_guessed_wrong;
  long num_warnings;
  uint8_t* rgb;
  int32_t width, height;
} reference;

static jmp_buf refused;

static void refuse(j_common_ptr common) {
  (void)common;
  longjmp(refused, 1);
}

static void count_warning(j_common_ptr common, int level) {
  if (level < 0) common->err->num_warnings++;
}

// Of inverted inks, with the rounding of Pillow and of the decoder.
static uint8_t multiply(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return (uint8_t)((product + (product >> 8)) >> 8);
}

static void read_rows(struct jpeg_decompress_struct* libjpeg, reference* r, uint8_t* row) {
  while (libjpeg->output_scanline < libjpeg->output_height) {
    uint8_t* out = r->rgb + (size_t)libjpeg->output_scanline * libjpeg->output_width * 3;
    jpeg_read_scanlines(libjpeg, &row, 1);
    for (size_t i = 0; i < libjpeg->output_width; i++)
      for (size_t c = 0; c < 3; c++)
        out[3 * i + c] = libjpeg->num_components == 4 ? multiply(row[4 * i + c], row[4 * i + 3]) : row[3 * i + c];
  }
}

// What a progressive file lacks is guessed by the blocks around. Up to version 3.1, libjpeg-turbo takes wrong ones at
// the edges of components that are two blocks wide, or have several rows of blocks in a unit.
static void note_guesses(const struct jpeg_decompress_struct* libjpeg, reference* r) {
  bool may_be_wrong = false;
  for (int i = 0; i < libjpeg->num_components && libjpeg->progressive_mode; i++) {
    const jpeg_component_info* component = &libjpeg->comp_info[i];
    may_be_wrong = may_be_wrong || component->width_in_blocks == 2 || component->v_samp_factor > 1;
    for (int k = 1; k < 10; k++) r->is_guessed = r->is_guessed || libjpeg->coef_bits[i][k] != 0;
  }
  r->is_guessed_wrong = r->is_guessed && may_be_wrong;
}

static reference decode_reference(const uint8_t* bytes, size_t size_bytes, unsigned denominator) {
  static reference r;
  static uint8_t* row;
  static struct jpeg_decompress_struct libjpeg;
  struct jpeg_error_mgr errors;
  r = (reference){.is_refused = true};
  row = NULL;
  libjpeg.err = jpeg_std_error(&errors);
  errors.error_exit = refuse;
  errors.emit_message = count_warning;
  if (setjmp(refused) == 0) {
    jpeg_create_decompress(&libjpeg);
    jpeg_mem_src(&libjpeg, bytes, size_bytes);
    jpeg_read_header(&libjpeg, TRUE);
    libjpeg.scale_denom = denominator;
    libjpeg.out_color_space = libjpeg.num_components == 4 ? JCS_CMYK : JCS_RGB;
    // as the decoder's users do
    const bool is_usual = libjpeg.num_components != 2 && libjpeg.num_components <= 4;
    if (is_usual && (size_t)libjpeg.image_width * libjpeg.image_height <= 1 << 22) {
      jpeg_start_decompress(&libjpeg);
      r.width = (int32_t)libjpeg.output_width;
      r.height = (int32_t)libjpeg.output_height;
      r.rgb = malloc((size_t)r.width * (size_t)r.height * 3);
      row = malloc((size_t)r.width * 4);
      read_rows(&libjpeg, &r, row);
      note_guesses(&libjpeg, &r);
      jpeg_finish_decompress(&libjpeg);
      r.is_refused = false;
    }
  }
  r.num_warnings = errors.num_warnings;
  jpeg_destroy_decompress(&libjpeg);
  free(row);
  return r;
}

static uint32_t digest_reference(const reference* r) {
  if (r->is_refused) return DIGEST_REFUSED;
  return r->num_warnings > 0 || r->is_guessed_wrong ? DIGEST_WARNED : digest_pixels(r->rgb, r->width, r->height, 3);
}

// ---- random files

static int32_t random_sampling(struct jpeg_compress_struct* c) {
  static const int kUsual[8][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {4, 2}, {3, 1}, {1, 4}};
  int32_t h_max = 1, v_max = 1, num_blocks = 0;
  for (int i = 0; i < c->num_components; i++) {
    jpeg_component_info* component = &c->comp_info[i];
    const int* usual = kUsual[i > 0 && below(2) ? 0 : below(8)];
    const bool is_odd = below(3) == 0;
    component->h_samp_factor = is_odd ? 1 + (int)below(4) : usual[0];
    component->v_samp_factor = is_odd ? 1 + (int)below(4) : usual[1];
    if (component->h_samp_factor > h_max) h_max = component->h_samp_factor;
    if (component->v_samp_factor > v_max) v_max = component->v_samp_factor;
    num_blocks += component->h_samp_factor * component->v_samp_factor;
  }
  for (int i = 0; i < c->num_components; i++)
    if (h_max % c->comp_info[i].h_samp_factor != 0 || v_max % c->comp_info[i].v_samp_factor != 0) return 99;
  return c->num_components == 1 ? 1 : num_blocks;
}

static jpeg_scan_info scans[400];

static void add_scan(struct jpeg_compress_struct* c, int component, int first, int last, int high, int low) {
  jpeg_scan_info* scan = &scans[c->num_scans++];
  *scan = (jpeg_scan_info){1, {component}, first, last, high, low};
  if (component >= 0) return;
  *scan = (jpeg_scan_info){c->num_components, {0, 1, 2, 3}, first, last, high, low};
}

static void add_dc_scans(struct jpeg_compress_struct* c, int high, int low) {
  if (below(2)) {
    add_scan(c, -1, 0, 0, high, low);
    return;
  }
  for (int i = 0; i < c->num_components; i++) add_scan(c, i, 0, 0, high, low);
}

static void random_progression(struct jpeg_compress_struct* c) {
  const int dc_low = (int)below(3);
  add_dc_scans(c, 0, dc_low);
  const int num_first = c->num_scans;
  for (int i = 0; i < c->num_components; i++) {
    for (int first = 1, last; first < 64; first = last + 1) {
      const int low = (int)below(4);
      last = below(2) ? 63 : first + (int)below((uint32_t)(64 - first));
      add_scan(c, i, first, last, 0, low);
      for (int high = low; high > 0; high--) add_scan(c, i, first, last, high, high - 1);
    }
  }
  for (int high = dc_low; high > 0; high--) add_dc_scans(c, high, high - 1);
  if (below(3) == 0)
    c->num_scans = num_first + (int)below((uint32_t)(c->num_scans - num_first));  // the others never come
  c->scan_info = scans;
}

static void random_scans(struct jpeg_compress_struct* c) {
  const uint32_t kind = below(6);
  if (kind == 0) jpeg_simple_progression(c);
  if (kind == 1) random_progression(c);
  if (kind != 2) return;
  for (int i = 0; i < c->num_components; i++) add_scan(c, i, 0, 63, 0, 0);
  c->scan_info = scans;
}

static void random_colors(struct jpeg_compress_struct* c) {
  static const struct {
    int num_components;
    J_COLOR_SPACE from, to;
  } kKinds[8] = {
      {1, JCS_GRAYSCALE, JCS_GRAYSCALE}, {4, JCS_CMYK, JCS_CMYK}, {4, JCS_CMYK, JCS_YCCK}, {3, JCS_RGB, JCS_RGB},
      {3, JCS_RGB, JCS_YCbCr},           {3, JCS_RGB, JCS_YCbCr}, {3, JCS_RGB, JCS_YCbCr}, {3, JCS_RGB, JCS_YCbCr}};
  const uint32_t kind = below(8);
  c->input_components = kKinds[kind].num_components;
  c->in_color_space = kKinds[kind].from;
  jpeg_set_defaults(c);
  jpeg_set_colorspace(c, kKinds[kind].to);
  if (c->num_components == 3 && below(2)) c->write_JFIF_header = FALSE;
}

static void write_rows(struct jpeg_compress_struct* c) {
  uint8_t* row = malloc(c->image_width * 4);
  const double across = below(100) / 300.0, down = below(100) / 300.0;
  const uint32_t noise = below(4) == 0 ? 255 : below(60);
  for (JDIMENSION y = 0; y < c->image_height; y++) {
    for (JDIMENSION i = 0; i < c->image_width * (JDIMENSION)c->input_components; i++) {
      const JDIMENSION x = i / (JDIMENSION)c->input_components, k = i % (JDIMENSION)c->input_components;
      const double value =
          128 + 100 * sin(across * x + k) + 60 * cos(down * y * (1 + k)) + below(noise + 1) - noise / 2.0;
      row[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
    jpeg_write_scanlines(c, &row, 1);
  }
  free(row);
}

static damaged_file make_random(uint32_t number, uint32_t largest) {
  struct jpeg_compress_struct c;
  struct jpeg_error_mgr errors;
  c.err = jpeg_std_error(&errors);
  errors.emit_message = count_warning;
  jpeg_create_compress(&c);
  damaged_file f = {0};
  unsigned long size = 0;
  jpeg_mem_dest(&c, &f.bytes, &size);
  seed_damage(number);
  if (below(3) == 0 && largest > 20) largest = 20;
  c.image_width = 1 + below(largest);
  c.image_height = 1 + below(largest);
  random_colors(&c);
  jpeg_set_quality(&c, 1 + (int)below(100), (boolean)below(2));
  while (random_sampling(&c) > 10) continue;
  if (below(3) == 0) c.restart_interval = 1 + below(40);
  c.optimize_coding = (boolean)below(2);
  random_scans(&c);
  jpeg_start_compress(&c, TRUE);
  write_rows(&c);
  jpeg_finish_compress(&c);
  jpeg_destroy_compress(&c);
  f.size = size;
  return f;
}

// ---- comparison

static int32_t num_faults;

static void fault(uint32_t number, const char* what, const decoded_jpeg* d) {
  printf("%u: %s %s\n", number, what, d->detail.text);
  num_faults++;
}

static double mean_difference(const decoded_jpeg* d, const reference* r) {
  const size_t count = (size_t)r->width * (size_t)r->height * 3;
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += abs(d->rgb[i] - r->rgb[i]);
  return sum / (double)count;
}

// Whether the pixels are the same; or nearly, where libjpeg errs.
static bool is_same(const decoded_jpeg* d, const reference* r) {
  enum { ERROR_LEVELS = 15 };
  return d->width == r->width && d->height == r->height &&
         mean_difference(d, r) <= (r->is_guessed_wrong ? ERROR_LEVELS : 0);
}

static void compare_damaged(uint32_t number, const damaged_file* sound) {
  damaged_file f = make_damaged(sound, NUM_SOUND, number);
  decoded_jpeg d = decode_jpeg(f.bytes, f.size, 0, false, 1), cut = decode_jpeg(f.bytes, f.size, 0, true, 1);
  reference r = decode_reference(f.bytes, f.size, 1);
  if (r.is_refused && d.rgb != NULL) fault(number, "libjpeg refuses it", &d);
  if (!r.is_refused && r.num_warnings == 0 && d.rgb == NULL) fault(number, "libjpeg decodes it", &d);
  if (!r.is_refused && r.num_warnings == 0 && d.rgb != NULL && !is_same(&d, &r))
    fault(number, "libjpeg has another picture", &d);
  free(d.rgb);
  free(cut.rgb);
  free(r.rgb);
  free(f.bytes);
}

static void compare_random(uint32_t number) {
  damaged_file f = make_random(number, 300);
  for (int32_t scale_log2 = 0; scale_log2 < 4; scale_log2++) {
    decoded_jpeg d = decode_jpeg(f.bytes, f.size, scale_log2, false, 1);
    reference r = decode_reference(f.bytes, f.size, 1u << scale_log2);
    if (r.is_refused || d.rgb == NULL || !is_same(&d, &r)) fault(number, "libjpeg has another picture", &d);
    free(d.rgb);
    free(r.rgb);
  }
  free(f.bytes);
}

// ---- stored results

enum { NUM_STORED_DAMAGED = 2500, NUM_STORED_RANDOM = 120, NUM_STORED_GUESSED = 20, LARGEST_STORED = 40 };

static void write_damaged(const damaged_file* sound) {
  FILE* out = fopen("tests/data/images/damaged.bin", "wb");
  for (uint32_t number = 0; number < NUM_STORED_DAMAGED; number++) {
    damaged_file f = make_damaged(sound, NUM_SOUND, number);
    reference r = decode_reference(f.bytes, f.size, 1);
    const uint32_t digest = digest_reference(&r);
    fwrite(&digest, sizeof digest, 1, out);
    free(r.rgb);
    free(f.bytes);
  }
  fclose(out);
}

// Its size, its digests at the four scales, its bytes.
static void store(const damaged_file* f, FILE* out) {
  uint32_t head[5] = {(uint32_t)f->size};
  for (uint32_t scale_log2 = 0; scale_log2 < 4; scale_log2++) {
    reference r = decode_reference(f->bytes, f->size, 1u << scale_log2);
    head[1 + scale_log2] = digest_reference(&r);
    free(r.rgb);
  }
  fwrite(head, sizeof head, 1, out);
  fwrite(f->bytes, f->size, 1, out);
}

// The first ones, and some more with pixels that are guessed.
static void write_random(void) {
  FILE* out = fopen("tests/data/images/random.bin", "wb");
  for (uint32_t number = 0, num_stored = 0; num_stored < NUM_STORED_RANDOM + NUM_STORED_GUESSED; number++) {
    damaged_file f = make_random(number, LARGEST_STORED);
    reference r = decode_reference(f.bytes, f.size, 1);
    if (number < NUM_STORED_RANDOM || (r.is_guessed && !r.is_guessed_wrong)) {
      store(&f, out);
      num_stored++;
    }
    free(r.rgb);
    free(f.bytes);
  }
  fclose(out);
}

int main(int argc, char** argv) {
  damaged_file sound[NUM_SOUND];
  read_sound_jpegs(sound);
  const char* mode = argc > 1 ? argv[1] : "";
  const uint32_t from = argc > 3 ? (uint32_t)atoi(argv[2]) : 0, to = argc > 3 ? (uint32_t)atoi(argv[3]) : 0;
  if (strcmp(mode, "print") == 0 && argc > 2) {
    damaged_file f = make_damaged(sound, NUM_SOUND, (uint32_t)atoi(argv[2]));
    fwrite(f.bytes, 1, f.size, stdout);
    free(f.bytes);
    return 0;
  }
  if (strcmp(mode, "damaged") == 0)
    for (uint32_t i = from; i < to; i++) compare_damaged(i, sound);
  if (strcmp(mode, "sound") == 0)
    for (uint32_t i = from; i < to; i++) compare_random(i);
  if (strcmp(mode, "write") == 0) {
    write_damaged(sound);
    write_random();
  }
  for (int32_t i = 0; i < NUM_SOUND; i++) free(sound[i].bytes);
  printf("jpeg %s: %u files, %d faults\n", mode, to - from, num_faults);
  return num_faults > 0;
}
