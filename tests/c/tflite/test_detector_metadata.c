// MediaPipe's detector metadata, written by hand: all is read, and what is impossible is refused.
#include "check.h"
#include "flatbuffer_writer.h"
#include "tflite/detector_metadata.h"

static const float kAnchors[2][4] = {{0.25f, 0.125f, 0.5f, 0.75f}, {0.5f, 0.375f, 1, 2}};  // x, y, width, height

typedef struct {
  writer w;
  uint32_t root, anchors, decoding;
  uint32_t anchor[2];
} sample;

static sample s;  // what a test changes

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static void build(void) {
  writer* w = &s.w;
  w_start(w, "V001");
  s.root = w_table(w, 3);
  w_link(w, 0, s.root);
  w_set_string(w, s.root, 0, "1.0.0");  // the least version of its reader
  const uint32_t options = w_new_table(w, s.root, 1, 1);
  s.anchors = w_new_table(w, options, 0, 1);
  const uint32_t list = w_set_vector(w, s.anchors, 0, NULL, 2, 4);
  for (uint32_t i = 0; i < 2; i++) {
    s.anchor[i] = w_new_element(w, list, i, 4);
    for (int32_t k = 0; k < 4; k++) w_set(w, s.anchor[i], k, bits_of(kAnchors[i][k]));
  }
  s.decoding = w_new_table(w, s.root, 2, 12);
  w_set(w, s.decoding, 0, 7);
  for (int32_t k = 0; k < 4; k++) w_set(w, s.decoding, 6 + k, bits_of(10 * (float)(k + 1)));
}

static ocl_status verify(ocl_detector_metadata* metadata, ocl_detail* detail) {
  return ocl_detector_metadata_verify(s.w.bytes, s.w.size_bytes, metadata, detail);
}

static void test_all_is_read(void) {
  build();
  ocl_detector_metadata metadata;
  CHECK_STATUS(verify(&metadata, NULL), OCL_OK);
  CHECK(metadata.num_anchors == 2 && metadata.num_classes == 7);
  CHECK(!metadata.is_size_exponential && !metadata.is_sigmoid);
  // y, x, h, w; the file has x, y, w, h.
  const float scales[] = {20, 10, 40, 30};
  for (int32_t i = 0; i < 4; i++) CHECK(metadata.box_scales[i] == scales[i]);
  float anchors[9] = {0, 0, 0, 0, 0, 0, 0, 0, 99};
  ocl_detector_metadata_fill_anchors(&metadata, anchors);
  const float expected[] = {0.125f, 0.25f, 0.75f, 0.5f, 0.375f, 0.5f, 2, 1, 99};
  for (int32_t i = 0; i < 9; i++) CHECK(anchors[i] == expected[i]);
}

static void test_flags(void) {
  for (int32_t flag = 0; flag < 2; flag++) {
    build();
    w_set(&s.w, s.decoding, 10 + flag, 1);
    ocl_detector_metadata metadata;
    CHECK_STATUS(verify(&metadata, NULL), OCL_OK);
    CHECK(metadata.is_size_exponential == (flag == 0) && metadata.is_sigmoid == (flag == 1));
  }
}

static void test_what_is_impossible_is_refused(void) {
  const float bad_scales[] = {0, -1, INFINITY, NAN};
  ocl_detector_metadata metadata;
  ocl_detail detail;
  for (int32_t k = 0; k < 4; k++)
    for (int32_t i = 0; i < 4; i++) {
      build();
      w_set(&s.w, s.decoding, 6 + k, bits_of(bad_scales[i]));
      CHECK_STATUS(verify(&metadata, &detail), OCL_BAD_METADATA);
      CHECK(strstr(detail.text, "is not positive and finite") != NULL);
    }
  for (uint32_t i = 0; i < 2; i++)
    for (int32_t k = 0; k < 4; k++) {
      build();
      w_set(&s.w, s.anchor[i], k, bits_of(k % 2 == 0 ? NAN : -INFINITY));
      CHECK_STATUS(verify(&metadata, &detail), OCL_BAD_METADATA);
      CHECK(strstr(detail.text, i == 0 ? "anchor 0 is not finite" : "anchor 1 is not finite") != NULL);
    }
}

static void test_other_files_are_refused(void) {
  build();
  ocl_detector_metadata metadata;
  ocl_detail detail;
  s.w.bytes[4] = 'M';
  CHECK_STATUS(verify(&metadata, &detail), OCL_BAD_METADATA);
  CHECK(strstr(detail.text, "does not have the file identifier V001") != NULL);
  build();
  CHECK_STATUS(ocl_detector_metadata_verify(s.w.bytes, 7, &metadata, &detail), OCL_BAD_METADATA);
  CHECK_STATUS(ocl_detector_metadata_verify(s.w.bytes, 8, &metadata, &detail), OCL_BAD_METADATA);
  CHECK_STATUS(ocl_detector_metadata_verify(s.w.bytes, s.w.size_bytes - 4, &metadata, &detail), OCL_BAD_METADATA);
}

static void test_no_anchors(void) {
  writer* w = &s.w;
  w_start(w, "V001");
  const uint32_t root = w_table(w, 3);
  w_link(w, 0, root);
  ocl_detector_metadata metadata;
  CHECK_STATUS(verify(&metadata, NULL), OCL_BAD_METADATA);  // no decoding: its scales are 0
  const uint32_t decoding = w_new_table(w, root, 2, 12);
  for (int32_t k = 0; k < 4; k++) w_set(w, decoding, 6 + k, bits_of(1));
  CHECK_STATUS(verify(&metadata, NULL), OCL_OK);
  CHECK(metadata.num_anchors == 0 && metadata.num_classes == 0);
}

int main(void) {
  RUN(test_all_is_read);
  RUN(test_flags);
  RUN(test_what_is_impossible_is_refused);
  RUN(test_other_files_are_refused);
  RUN(test_no_anchors);
  return check_failed_tests;
}
