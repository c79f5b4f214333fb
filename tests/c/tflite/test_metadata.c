#include "check.h"
#include "flatbuffer_writer.h"
#include "test_data.h"
#include "tflite/metadata.h"
#include "tflite/model_file.h"
#include "tflite/tflite.h"
#include "tflite/zip.h"

// ---- metadata written by hand: an image input, boxes with labels as output ----

typedef struct {
  writer w;  // the numbers below are positions in it
  uint32_t model, input, output, content, mean, std, box_order;
} sample;

static void build_input(sample* s, uint32_t subgraph) {
  static const float mean[] = {127.5f}, std[] = {1, 2, 4};
  writer* w = &s->w;
  s->input = w_new_element(w, w_set_vector(w, subgraph, 2, NULL, 1, 4), 0, 7);
  w_set_string(w, s->input, 0, "image");
  s->content = w_new_table(w, s->input, 3, 2);
  w_set(w, s->content, 0, 2);
  w_new_table(w, s->content, 1, 2);
  const uint32_t units = w_set_vector(w, s->input, 4, NULL, 2, 4);
  const uint32_t threshold = w_new_element(w, units, 0, 2);
  w_set(w, threshold, 0, 3);
  const uint32_t normalization = w_new_element(w, units, 1, 2);
  w_set(w, normalization, 0, 1);
  const uint32_t options = w_new_table(w, normalization, 1, 2);
  s->mean = w_set_vector(w, options, 0, mean, 1, 4);
  s->std = w_set_vector(w, options, 1, std, 3, 4);
}

static void build_output(sample* s, uint32_t subgraph) {
  static const uint32_t order[] = {1, 0, 3, 2};
  writer* w = &s->w;
  s->output = w_new_element(w, w_set_vector(w, subgraph, 3, NULL, 1, 4), 0, 7);
  w_set_string(w, s->output, 0, "location");
  w_set_string(w, s->output, 1, "where they are");
  const uint32_t content = w_new_table(w, s->output, 3, 2);
  w_set(w, content, 0, 3);
  const uint32_t boxes = w_new_table(w, content, 1, 3);
  s->box_order = w_set_vector(w, boxes, 0, order, 4, 4);
  w_set(w, boxes, 1, 1);
  w_set(w, boxes, 2, 1);
  const uint32_t units = w_set_vector(w, s->output, 4, NULL, 2, 4);
  const uint32_t calibration = w_new_element(w, units, 0, 2);
  w_set(w, calibration, 0, 2);
  const uint32_t calibrating = w_new_table(w, calibration, 1, 2);
  w_set(w, calibrating, 0, OCL_METADATA_SCORE_INVERSE_LOGISTIC);
  w_set(w, calibrating, 1, 0x3e000000);  // 0.125f
  const uint32_t threshold = w_new_element(w, units, 1, 2);
  w_set(w, threshold, 0, 3);
  w_set(w, w_new_table(w, threshold, 1, 1), 0, 0x3f400000);  // 0.75f
  const uint32_t files = w_set_vector(w, s->output, 6, NULL, 3, 4);
  const uint32_t readme = w_new_element(w, files, 0, 4);
  w_set_string(w, readme, 0, "readme.txt");
  w_set(w, readme, 2, 1);
  const uint32_t labels = w_new_element(w, files, 1, 4);
  w_set_string(w, labels, 0, "labels.txt");
  w_set(w, labels, 2, 3);
  w_set_string(w, labels, 3, "de");
  const uint32_t sigmoids = w_new_element(w, files, 2, 4);
  w_set_string(w, sigmoids, 0, "calibration.csv");
  w_set(w, sigmoids, 2, OCL_METADATA_FILE_CALIBRATION);
}

static void build(sample* s) {
  writer* w = &s->w;
  w_start(w, "M001");
  s->model = w_table(w, 8);
  w_link(w, 0, s->model);
  w_set_string(w, s->model, 0, "Ocellus");
  w_set_string(w, s->model, 1, "finds things");
  w_set_string(w, s->model, 2, "v3");
  w_set_string(w, s->model, 4, "an insect");
  w_set_string(w, s->model, 5, "Apache-2.0");
  const uint32_t subgraph = w_new_element(w, w_set_vector(w, s->model, 3, NULL, 1, 4), 0, 10);
  build_input(s, subgraph);
  build_output(s, subgraph);
  const uint32_t entries = w_set_vector(w, subgraph, 9, NULL, 2, 4);
  for (uint32_t i = 0; i < 2; i++) {
    const uint32_t entry = w_new_element(w, entries, i, 2);
    w_set_string(w, entry, 0, i == 0 ? "OTHER" : OCL_METADATA_OWN_ENTRY);
    w_set_vector(w, entry, 1, i == 0 ? "other" : "{}", i == 0 ? 5 : 2, 1);
  }
}

static void check_entries(const ocl_metadata* metadata) {
  size_t size_bytes;
  const uint8_t* own = ocl_metadata_find_custom(metadata, OCL_METADATA_OWN_ENTRY, &size_bytes);
  CHECK(size_bytes == 2 && own != NULL && memcmp(own, "{}", 2) == 0);
  CHECK(ocl_metadata_find_custom(metadata, "OTHE", &size_bytes) == NULL && size_bytes == 0);
}

static void touch_tensor(const ocl_metadata* metadata, const ocl_metadata_tensor* tensor) {
  size_t sum = strlen(tensor->name) + strlen(tensor->description);
  for (int32_t i = 0; i < tensor->num_channels; i++) CHECK(tensor->std[i] > 0 && isfinite(tensor->mean[i]));
  for (int32_t i = 0; i < 4; i++) CHECK(tensor->box_order[i] < 4);
  for (int32_t i = 0; i < tensor->num_files; i++) {
    const ocl_metadata_file file = ocl_metadata_get_file(metadata, tensor, i);
    sum += strlen(file.name) + strlen(file.locale);
  }
  CHECK(sum < 1u << 30);
}

// Verifies an exact-size copy at an odd address and reads all that it gives out.
static ocl_status verify_copy(const uint8_t* bytes, size_t size_bytes, ocl_detail* detail) {
  uint8_t* copy = malloc(size_bytes + 1);
  memcpy(copy + 1, bytes, size_bytes);
  ocl_metadata metadata;
  const ocl_status status = ocl_metadata_verify(copy + 1, size_bytes, &metadata, detail);
  for (int32_t i = 0; status == OCL_OK && i < metadata.num_inputs; i++) {
    const ocl_metadata_tensor tensor = ocl_metadata_get_input(&metadata, i);
    touch_tensor(&metadata, &tensor);
  }
  for (int32_t i = 0; status == OCL_OK && i < metadata.num_outputs; i++) {
    const ocl_metadata_tensor tensor = ocl_metadata_get_output(&metadata, i);
    touch_tensor(&metadata, &tensor);
  }
  free(copy);
  return status;
}

static sample s;  // what a test changes

static void test_all_is_read(void) {
  build(&s);
  ocl_metadata metadata;
  CHECK_STATUS(ocl_metadata_verify(s.w.bytes, s.w.size_bytes, &metadata, NULL), OCL_OK);
  check_entries(&metadata);
  CHECK(strcmp(metadata.name, "Ocellus") == 0 && strcmp(metadata.description, "finds things") == 0);
  CHECK(strcmp(metadata.version, "v3") == 0 && strcmp(metadata.author, "an insect") == 0);
  CHECK(strcmp(metadata.license, "Apache-2.0") == 0 && metadata.num_inputs == 1 && metadata.num_outputs == 1);

  const ocl_metadata_tensor input = ocl_metadata_get_input(&metadata, 0);
  CHECK(strcmp(input.name, "image") == 0 && input.content == OCL_METADATA_CONTENT_IMAGE && input.num_files == 0);
  CHECK(input.num_channels == 3 && input.mean[0] == 127.5f && input.mean[2] == 127.5f);
  CHECK(input.std[0] == 1 && input.std[1] == 2 && input.std[2] == 4);

  const ocl_metadata_tensor output = ocl_metadata_get_output(&metadata, 0);
  CHECK(strcmp(output.description, "where they are") == 0 && output.num_channels == 0);
  CHECK(output.content == OCL_METADATA_CONTENT_BOXES && output.box_type == OCL_METADATA_BOX_BOUNDARIES);
  CHECK(output.is_box_in_pixels && output.box_order[0] == 1 && output.box_order[3] == 2);
  CHECK(output.num_files == 3);
  const ocl_metadata_file labels = ocl_metadata_get_file(&metadata, &output, 1);
  CHECK(strcmp(labels.name, "labels.txt") == 0 && strcmp(labels.locale, "de") == 0);
  CHECK(labels.type == OCL_METADATA_FILE_VALUE_LABELS);
  CHECK(strcmp(ocl_metadata_find_label_file(&metadata), "labels.txt") == 0);
  const ocl_metadata_scores scores = ocl_metadata_get_scores(&metadata);
  CHECK(scores.has_threshold && scores.threshold == 0.75f && scores.default_score == 0.125f);
  CHECK(scores.transform == OCL_METADATA_SCORE_INVERSE_LOGISTIC);
  CHECK(strcmp(scores.calibration_file, "calibration.csv") == 0);
  ocl_metadata_choose_subgraph(&metadata, 1);  // the metadata does not describe it
  CHECK(metadata.num_inputs == 0 && metadata.num_outputs == 0 && !ocl_metadata_get_scores(&metadata).has_threshold);
  CHECK(ocl_metadata_find_label_file(&metadata) == NULL);
}

static void poke_f32(uint32_t position, float value) {
  w_poke(&s.w, position, &value, 4);
}
static void poke_u32(uint32_t position, uint32_t value) {
  w_poke(&s.w, position, &value, 4);
}

#define REJECTS(change, expected_detail)                                              \
  do {                                                                                \
    ocl_detail detail_ = {""};                                                        \
    build(&s);                                                                        \
    change;                                                                           \
    CHECK_STATUS(verify_copy(s.w.bytes, s.w.size_bytes, &detail_), OCL_BAD_METADATA); \
    CHECK(strstr(detail_.text, expected_detail) != NULL);                             \
  } while (0)

static void test_malformed_metadata_is_refused(void) {
  REJECTS(s.w.bytes[4] = 'N', "M001");
  REJECTS(s.w.size_bytes = 6, "M001");
  REJECTS(poke_u32(0, 1 << 20), "root");
  REJECTS(poke_f32(s.std + 4, 0), "tensor 'image': its std is");
  REJECTS(poke_f32(s.std, -1), "its std is");
  REJECTS(poke_f32(s.mean, NAN), "its mean is");
  REJECTS(poke_u32(s.mean - 4, 0), "0 means and 3 stds");
  REJECTS(poke_u32(s.mean - 4, 2), "2 means and 3 stds");
  REJECTS(poke_u32(s.std - 4, 5), "1 means and 5 stds");
  REJECTS(poke_u32(s.std - 4, 1 << 30), "process_units[1].options.std");
  REJECTS(poke_u32(s.box_order, 0), "box index");
  REJECTS(poke_u32(s.box_order, 4), "box index");
  REJECTS(poke_u32(s.box_order - 4, 3), "box index");
}

static void test_empty_metadata_is_fine(void) {
  w_start(&s.w, "M001");
  w_link(&s.w, 0, w_table(&s.w, 8));
  ocl_metadata metadata;
  CHECK_STATUS(ocl_metadata_verify(s.w.bytes, s.w.size_bytes, &metadata, NULL), OCL_OK);
  CHECK(metadata.num_inputs == 0 && metadata.num_outputs == 0 && metadata.name[0] == 0 && metadata.license[0] == 0);
  CHECK(ocl_metadata_find_label_file(&metadata) == NULL);
}

static uint32_t random_state = 20261123;

static void test_hostile_metadata(void) {
  build(&s);
  for (uint32_t length = 0; length < s.w.size_bytes; length++) verify_copy(s.w.bytes, length, NULL);
  int num_accepted = 0;
  for (uint32_t i = 0; i < s.w.size_bytes; i++) {
    const uint8_t original = s.w.bytes[i];
    random_state = random_state * 1664525 + 1013904223;
    const uint8_t values[] = {0, 0xff, original ^ 1, original ^ 0x80, (uint8_t)(random_state >> 24)};
    for (size_t j = 0; j < sizeof values; j++) {
      s.w.bytes[i] = values[j];
      const ocl_status status = verify_copy(s.w.bytes, s.w.size_bytes, NULL);
      CHECK(status == OCL_OK || status == OCL_BAD_METADATA);
      num_accepted += status == OCL_OK;
    }
    s.w.bytes[i] = original;
  }
  CHECK(num_accepted > 0);
}

// ---- a ZIP archive of two files, with something before and a comment behind ----

static const char kBefore[] = "not part of the archive";
static const char* const kNames[] = {"a.txt", "labels.txt"};
static const char* const kTexts[] = {"first", "cat\ndog\n"};

typedef struct {
  uint8_t bytes[512];
  size_t size_bytes, directory, end;
} archive;

static void put_u16(archive* a, uint32_t value) {
  a->bytes[a->size_bytes++] = (uint8_t)value;
  a->bytes[a->size_bytes++] = (uint8_t)(value >> 8);
}
static void put_u32(archive* a, uint32_t value) {
  put_u16(a, value & 0xffff);
  put_u16(a, value >> 16);
}
static void put_text(archive* a, const char* text) {
  memcpy(a->bytes + a->size_bytes, text, strlen(text));
  a->size_bytes += strlen(text);
}

// What local headers and directory entries share: version, flags, method, time, date, CRC, sizes, name length.
static void put_header(archive* a, int file, uint32_t method, uint32_t extra_bytes) {
  put_u16(a, 20);
  put_u16(a, 0);
  put_u16(a, method);
  put_u32(a, 0);
  put_u32(a, 0);
  put_u32(a, (uint32_t)strlen(kTexts[file]));
  put_u32(a, (uint32_t)strlen(kTexts[file]) + (method == 8 ? 100 : 0));
  put_u16(a, (uint32_t)strlen(kNames[file]));
  put_u16(a, extra_bytes);
}

static void build_archive(archive* a, bool counts_what_is_before) {
  uint32_t local[2];
  memset(a, 0, sizeof *a);
  put_text(a, kBefore);
  const uint32_t start = counts_what_is_before ? 0 : (uint32_t)a->size_bytes;
  for (int i = 0; i < 2; i++) {
    local[i] = (uint32_t)a->size_bytes - start;
    put_u32(a, 0x04034b50);
    put_header(a, i, i == 0 ? 8 : 0, 3);
    put_text(a, kNames[i]);
    put_text(a, "ext");
    put_text(a, kTexts[i]);
  }
  a->directory = a->size_bytes;
  for (int i = 0; i < 2; i++) {
    put_u32(a, 0x02014b50);
    put_u16(a, 20);
    put_header(a, i, i == 0 ? 8 : 0, 0);
    put_u16(a, 2);  // comment
    put_u16(a, 0);
    put_u16(a, 0);
    put_u32(a, 0);
    put_u32(a, local[i]);
    put_text(a, kNames[i]);
    put_text(a, "hm");
  }
  a->end = a->size_bytes;
  put_u32(a, 0x06054b50);
  put_u32(a, 0);
  put_u16(a, 2);
  put_u16(a, 2);
  put_u32(a, (uint32_t)(a->end - a->directory));
  put_u32(a, (uint32_t)a->directory - start);
  put_u16(a, 4);
  put_text(a, "bye!");
}

static void test_files_are_found_in_the_archive(void) {
  archive a;
  for (int i = 0; i < 2; i++) {
    build_archive(&a, i == 0);
    ocl_zip_file file;
    CHECK_STATUS(ocl_zip_find(a.bytes, a.size_bytes, "labels.txt", &file, NULL), OCL_OK);
    CHECK(!file.is_deflated && file.size_bytes == 8 && file.inflated_size_bytes == 8);
    CHECK(file.bytes != NULL && memcmp(file.bytes, "cat\ndog\n", 8) == 0);
    CHECK_STATUS(ocl_zip_find(a.bytes, a.size_bytes, "a.txt", &file, NULL), OCL_OK);
    CHECK(file.is_deflated && file.size_bytes == 5 && file.inflated_size_bytes == 105);
    CHECK(file.bytes != NULL && memcmp(file.bytes, "first", 5) == 0);
    CHECK_STATUS(ocl_zip_find(a.bytes, a.size_bytes, "label", &file, NULL), OCL_OK);
    CHECK(file.bytes == NULL);
  }
}

static void test_files_are_copied(void) {
  // A block of deflate that is stored as it is.
  static const uint8_t block[] = {1, 5, 0, 0xfa, 0xff, 'f', 'i', 'r', 's', 't'};
  const ocl_zip_file deflated = {
      .bytes = block, .size_bytes = sizeof block, .is_deflated = true, .inflated_size_bytes = 5};
  char copy[5];
  CHECK_STATUS(ocl_zip_copy(&deflated, copy), OCL_OK);
  CHECK(memcmp(copy, "first", 5) == 0);
  archive a;
  build_archive(&a, true);
  const ocl_model_file file = {.bytes = a.bytes, .size_bytes = a.size_bytes};
  char* text;
  size_t size_bytes;
  ocl_detail detail;
  CHECK_STATUS(ocl_model_file_read(&file, "labels.txt", &text, &size_bytes, &detail), OCL_OK);
  CHECK(size_bytes == 8 && memcmp(text, "cat\ndog\n", 8) == 0);
  free(text);
  CHECK_STATUS(ocl_model_file_read(&file, "a.txt", &text, &size_bytes, &detail), OCL_BAD_METADATA);
  CHECK(text == NULL && size_bytes == 0 && strcmp(detail.text, "file 'a.txt' does not inflate") == 0);
  CHECK_STATUS(ocl_model_file_read(&file, "b.txt", &text, &size_bytes, &detail), OCL_BAD_METADATA);
  CHECK(text == NULL && strcmp(detail.text, "no file 'b.txt'") == 0);
  CHECK_STATUS(ocl_model_file_read(&file, NULL, &text, &size_bytes, &detail), OCL_OK);
  CHECK(text == NULL);
}

static void test_no_archive_is_no_file(void) {
  ocl_zip_file file;
  CHECK_STATUS(ocl_zip_find((const uint8_t*)kBefore, sizeof kBefore, "a.txt", &file, NULL), OCL_OK);
  CHECK(file.bytes == NULL);
  CHECK_STATUS(ocl_zip_find((const uint8_t*)kBefore, 0, "a.txt", &file, NULL), OCL_OK);
  CHECK(file.bytes == NULL);
}

static ocl_status find_in_copy(const uint8_t* bytes, size_t size_bytes, const char* name) {
  uint8_t* copy = malloc(size_bytes);
  memcpy(copy, bytes, size_bytes);
  ocl_zip_file file;
  const ocl_status status = ocl_zip_find(copy, size_bytes, name, &file, NULL);
  uint32_t sum = 0;
  for (size_t i = 0; status == OCL_OK && i < file.size_bytes; i++) sum += file.bytes[i];
  CHECK(sum <= 255 * size_bytes);
  free(copy);
  return status;
}

static void test_hostile_archive(void) {
  archive a;
  build_archive(&a, true);
  for (size_t length = 0; length < a.size_bytes; length++) {
    find_in_copy(a.bytes, length, "labels.txt");
    find_in_copy(a.bytes + length, a.size_bytes - length, "labels.txt");
  }
  for (size_t i = 0; i < a.size_bytes; i++) {
    const uint8_t original = a.bytes[i];
    for (int value = 0; value < 256; value++) {
      a.bytes[i] = (uint8_t)value;
      const ocl_status status = find_in_copy(a.bytes, a.size_bytes, kNames[i % 2]);
      CHECK(status == OCL_OK || status == OCL_BAD_METADATA);
    }
    a.bytes[i] = original;
  }
}

#define REFUSES(offset, value)                                                    \
  do {                                                                            \
    build_archive(&a, true);                                                      \
    a.bytes[offset] = value;                                                      \
    CHECK_STATUS(find_in_copy(a.bytes, a.size_bytes, "a.txt"), OCL_BAD_METADATA); \
  } while (0)

static void test_malformed_archives_are_refused(void) {
  archive a;
  build_archive(&a, true);
  const size_t directory = a.directory, end = a.end;
  REFUSES(directory, 'Q');      // no directory entry
  REFUSES(directory + 8, 1);    // encrypted
  REFUSES(directory + 10, 12);  // bzip2
  REFUSES(directory + 27, 2);   // inflates to 32 MiB
  REFUSES(directory + 23, 1);   // 16 MiB of data
  REFUSES(directory + 42, 0);   // no local header there
  REFUSES(end + 14, 0xff);      // directory of 16 MiB
}

// ---- golden: a published model's metadata ----

static void check_published(const uint8_t* bytes, size_t size_bytes) {
  ocl_tflite model;
  ocl_metadata metadata;
  CHECK_STATUS(ocl_tflite_verify(bytes, size_bytes, &model, NULL), OCL_OK);
  size_t entry_bytes;
  const uint8_t* entry = ocl_tflite_find_metadata(&model, OCL_METADATA_ENTRY, &entry_bytes);
  CHECK(entry != NULL);
  CHECK_STATUS(ocl_metadata_verify(entry, entry_bytes, &metadata, NULL), OCL_OK);
  CHECK_STATUS(verify_copy(entry, entry_bytes, NULL), OCL_OK);
  CHECK(metadata.num_inputs == 1 && metadata.num_outputs == 4);
  const ocl_metadata_tensor input = ocl_metadata_get_input(&metadata, 0);
  CHECK(input.content == OCL_METADATA_CONTENT_IMAGE && input.num_channels == 1);
  CHECK(input.mean[0] == 127.5f && input.std[0] == 127.5f);

  int num_label_files = 0;
  for (int32_t i = 0; i < metadata.num_outputs; i++) {
    const ocl_metadata_tensor output = ocl_metadata_get_output(&metadata, i);
    if (output.content == OCL_METADATA_CONTENT_BOXES) CHECK(output.box_type == OCL_METADATA_BOX_BOUNDARIES);
    for (int32_t j = 0; j < output.num_files; j++) {
      const ocl_metadata_file file = ocl_metadata_get_file(&metadata, &output, j);
      CHECK(strcmp(file.name, "labelmap.txt") == 0 && file.type == OCL_METADATA_FILE_VALUE_LABELS);
      num_label_files++;
    }
  }
  CHECK(num_label_files == 1);
  CHECK(strcmp(ocl_metadata_find_label_file(&metadata), "labelmap.txt") == 0);
  ocl_zip_file labels;
  CHECK_STATUS(ocl_zip_find(bytes, size_bytes, "labelmap.txt", &labels, NULL), OCL_OK);
  CHECK(labels.bytes != NULL && !labels.is_deflated && labels.size_bytes == 661);
  if (labels.bytes != NULL) CHECK(memcmp(labels.bytes, "person\nbicycle\ncar\n", 19) == 0);
}

static void test_published_model(void) {
  const char* path = "models/ssd_mobilenet_v1_300_coco_metadata.uint8.tflite";
  NEEDS_LARGE(path);
  size_t size_bytes;
  uint8_t* bytes = large_read(path, &size_bytes);
  check_published(bytes, size_bytes);
  free(bytes);
}

int main(void) {
  RUN(test_all_is_read);
  RUN(test_malformed_metadata_is_refused);
  RUN(test_empty_metadata_is_fine);
  RUN(test_hostile_metadata);
  RUN(test_files_are_found_in_the_archive);
  RUN(test_files_are_copied);
  RUN(test_no_archive_is_no_file);
  RUN(test_hostile_archive);
  RUN(test_malformed_archives_are_refused);
  RUN(test_published_model);
  return check_failed_tests;
}
