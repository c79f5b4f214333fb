// See detector_metadata.h. Field ids are those of MediaPipe's object_detector_metadata_schema.fbs.
#include "tflite/detector_metadata.h"

#include <math.h>

#include "tflite/flatbuffer.h"

enum { OPTIONS_ANCHORS = 1, OPTIONS_DECODING };
enum { SSD_ANCHORS_FIXED };
enum { FIXED_ANCHORS };
enum { ANCHOR_X_CENTER, ANCHOR_Y_CENTER, ANCHOR_WIDTH, ANCHOR_HEIGHT };
enum { DECODING_NUM_CLASSES, DECODING_X_SCALE = 6, DECODING_Y_SCALE, DECODING_W_SCALE, DECODING_H_SCALE };
enum { DECODING_IS_EXPONENTIAL = 10, DECODING_IS_SIGMOID };

static const ocl_flatbuffer_field kAnchorFields[] = {
    OCL_FIELD_SCALAR("x_center", ANCHOR_X_CENTER, 4), OCL_FIELD_SCALAR("y_center", ANCHOR_Y_CENTER, 4),
    OCL_FIELD_SCALAR("width", ANCHOR_WIDTH, 4), OCL_FIELD_SCALAR("height", ANCHOR_HEIGHT, 4)};
static const ocl_flatbuffer_schema kAnchor = OCL_FLATBUFFER_SCHEMA(kAnchorFields);
static const ocl_flatbuffer_field kFixedFields[] = {OCL_FIELD_TABLES("anchors", FIXED_ANCHORS, &kAnchor)};
static const ocl_flatbuffer_schema kFixed = OCL_FLATBUFFER_SCHEMA(kFixedFields);
static const ocl_flatbuffer_field kAnchorsFields[] = {
    OCL_FIELD_TABLE("fixed_anchors_schema", SSD_ANCHORS_FIXED, &kFixed)};
static const ocl_flatbuffer_schema kAnchors = OCL_FLATBUFFER_SCHEMA(kAnchorsFields);
static const ocl_flatbuffer_field kDecodingFields[] = {
    OCL_FIELD_SCALAR("num_classes", DECODING_NUM_CLASSES, 4),
    OCL_FIELD_SCALAR("x_scale", DECODING_X_SCALE, 4),
    OCL_FIELD_SCALAR("y_scale", DECODING_Y_SCALE, 4),
    OCL_FIELD_SCALAR("w_scale", DECODING_W_SCALE, 4),
    OCL_FIELD_SCALAR("h_scale", DECODING_H_SCALE, 4),
    OCL_FIELD_SCALAR("apply_exponential_on_box_size", DECODING_IS_EXPONENTIAL, 1),
    OCL_FIELD_SCALAR("sigmoid_score", DECODING_IS_SIGMOID, 1)};
static const ocl_flatbuffer_schema kDecoding = OCL_FLATBUFFER_SCHEMA(kDecodingFields);
static const ocl_flatbuffer_field kOptionsFields[] = {
    OCL_FIELD_TABLE("ssd_anchors_options", OPTIONS_ANCHORS, &kAnchors),
    OCL_FIELD_TABLE("tensors_decoding_options", OPTIONS_DECODING, &kDecoding)};
static const ocl_flatbuffer_schema kOptions = OCL_FLATBUFFER_SCHEMA(kOptionsFields);

static void read_anchor(const ocl_detector_metadata* metadata, uint32_t index, float anchor_out[4]) {
  static const uint8_t kOrder[4] = {ANCHOR_Y_CENTER, ANCHOR_X_CENTER, ANCHOR_HEIGHT, ANCHOR_WIDTH};
  const uint32_t anchor = ocl_flatbuffer_table_at(metadata->bytes, metadata->anchors, FIXED_ANCHORS, index);
  for (int32_t i = 0; i < 4; i++) anchor_out[i] = ocl_flatbuffer_f32(metadata->bytes, anchor, kOrder[i], 0);
}

static ocl_status check(const ocl_detector_metadata* metadata, ocl_detail* detail) {
  for (int32_t i = 0; i < 4; i++)
    if (!isfinite(metadata->box_scales[i]) || metadata->box_scales[i] <= 0)
      return ocl_status_with_detail(OCL_BAD_METADATA, detail, "box scale %d is not positive and finite", (int)i);
  for (int32_t i = 0; i < metadata->num_anchors; i++) {
    float anchor[4];
    read_anchor(metadata, (uint32_t)i, anchor);
    if (!isfinite(anchor[0]) || !isfinite(anchor[1]) || !isfinite(anchor[2]) || !isfinite(anchor[3]))
      return ocl_status_with_detail(OCL_BAD_METADATA, detail, "anchor %d is not finite", (int)i);
  }
  return OCL_OK;
}

ocl_status ocl_detector_metadata_verify(const uint8_t* bytes, size_t size_bytes, ocl_detector_metadata* metadata_out,
                                        ocl_detail* detail) {
  if (!ocl_flatbuffer_has_identifier(bytes, size_bytes, "V001"))
    return ocl_status_with_detail(OCL_BAD_METADATA, detail,
                                  "the detector metadata does not have the file identifier V001");
  uint32_t root;
  if (ocl_flatbuffer_verify(bytes, size_bytes, &kOptions, &root, detail) != OCL_OK) return OCL_BAD_METADATA;
  const uint32_t decoding = ocl_flatbuffer_target(bytes, root, OPTIONS_DECODING);
  const uint32_t fixed =
      ocl_flatbuffer_target(bytes, ocl_flatbuffer_target(bytes, root, OPTIONS_ANCHORS), SSD_ANCHORS_FIXED);
  const ocl_detector_metadata metadata = {
      .bytes = bytes,
      .num_anchors = (int32_t)ocl_flatbuffer_count(bytes, fixed, FIXED_ANCHORS),
      .num_classes = ocl_flatbuffer_i32(bytes, decoding, DECODING_NUM_CLASSES, 0),
      .box_scales = {ocl_flatbuffer_f32(bytes, decoding, DECODING_Y_SCALE, 0),
                     ocl_flatbuffer_f32(bytes, decoding, DECODING_X_SCALE, 0),
                     ocl_flatbuffer_f32(bytes, decoding, DECODING_H_SCALE, 0),
                     ocl_flatbuffer_f32(bytes, decoding, DECODING_W_SCALE, 0)},
      .is_size_exponential = ocl_flatbuffer_u8(bytes, decoding, DECODING_IS_EXPONENTIAL, 0) != 0,
      .is_sigmoid = ocl_flatbuffer_u8(bytes, decoding, DECODING_IS_SIGMOID, 0) != 0,
      .anchors = fixed,
  };
  OCL_TRY(check(&metadata, detail));
  *metadata_out = metadata;
  return OCL_OK;
}

void ocl_detector_metadata_fill_anchors(const ocl_detector_metadata* metadata, float* anchors_out) {
  for (int32_t i = 0; i < metadata->num_anchors; i++) read_anchor(metadata, (uint32_t)i, anchors_out + 4 * i);
}
