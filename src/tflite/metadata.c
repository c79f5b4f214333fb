// See metadata.h. Field ids and numbers are those of tflite-support's metadata_schema.fbs.
#include "tflite/metadata.h"

#include <math.h>

#include "tflite/flatbuffer.h"

enum { MODEL_NAME, MODEL_DESCRIPTION, MODEL_VERSION, MODEL_SUBGRAPHS, MODEL_AUTHOR, MODEL_LICENSE };
enum { SUBGRAPH_INPUTS = 2, SUBGRAPH_OUTPUTS, SUBGRAPH_CUSTOM = 9 };
enum { CUSTOM_NAME, CUSTOM_DATA };
enum { TENSOR_NAME, TENSOR_DESCRIPTION, TENSOR_CONTENT = 3, TENSOR_PROCESS_UNITS, TENSOR_FILES = 6 };
enum { CONTENT_TYPE, CONTENT_PROPERTIES };
enum { BOX_ORDER, BOX_TYPE, BOX_COORDINATES };
enum { UNIT_TYPE, UNIT_OPTIONS };
enum { UNIT_IS_NORMALIZATION = 1, UNIT_IS_CALIBRATION, UNIT_IS_THRESHOLD };
enum { NORMALIZATION_MEAN, NORMALIZATION_STD };
enum { CALIBRATION_TRANSFORM, CALIBRATION_DEFAULT_SCORE };
enum { THRESHOLD_SCORE };
enum { FILE_NAME, FILE_TYPE = 2, FILE_LOCALE };

static const ocl_flatbuffer_field kPropertiesFields[] = {
    OCL_FIELD_MEMBER("BoundingBoxProperties", OCL_METADATA_CONTENT_BOXES), OCL_FIELD_VECTOR("index", BOX_ORDER, 4),
    OCL_FIELD_SCALAR("type", BOX_TYPE, 1), OCL_FIELD_SCALAR("coordinate_type", BOX_COORDINATES, 1)};
static const ocl_flatbuffer_schema kProperties = OCL_FLATBUFFER_SCHEMA(kPropertiesFields);
static const ocl_flatbuffer_field kContentFields[] = {
    OCL_FIELD_SCALAR("content_properties_type", CONTENT_TYPE, 1),
    OCL_FIELD_UNION("content_properties", CONTENT_PROPERTIES, &kProperties)};
static const ocl_flatbuffer_schema kContent = OCL_FLATBUFFER_SCHEMA(kContentFields);
static const ocl_flatbuffer_field kUnitOptionsFields[] = {
    OCL_FIELD_MEMBER("NormalizationOptions", UNIT_IS_NORMALIZATION),
    OCL_FIELD_VECTOR("mean", NORMALIZATION_MEAN, 4),
    OCL_FIELD_VECTOR("std", NORMALIZATION_STD, 4),
    OCL_FIELD_MEMBER("ScoreCalibrationOptions", UNIT_IS_CALIBRATION),
    OCL_FIELD_SCALAR("score_transformation", CALIBRATION_TRANSFORM, 1),
    OCL_FIELD_SCALAR("default_score", CALIBRATION_DEFAULT_SCORE, 4),
    OCL_FIELD_MEMBER("ScoreThresholdingOptions", UNIT_IS_THRESHOLD),
    OCL_FIELD_SCALAR("global_score_threshold", THRESHOLD_SCORE, 4)};
static const ocl_flatbuffer_schema kUnitOptions = OCL_FLATBUFFER_SCHEMA(kUnitOptionsFields);
static const ocl_flatbuffer_field kUnitFields[] = {OCL_FIELD_SCALAR("options_type", UNIT_TYPE, 1),
                                                   OCL_FIELD_UNION("options", UNIT_OPTIONS, &kUnitOptions)};
static const ocl_flatbuffer_schema kUnit = OCL_FLATBUFFER_SCHEMA(kUnitFields);
static const ocl_flatbuffer_field kFileFields[] = {OCL_FIELD_STRING("name", FILE_NAME),
                                                   OCL_FIELD_SCALAR("type", FILE_TYPE, 1),
                                                   OCL_FIELD_STRING("locale", FILE_LOCALE)};
static const ocl_flatbuffer_schema kFile = OCL_FLATBUFFER_SCHEMA(kFileFields);
static const ocl_flatbuffer_field kTensorFields[] = {OCL_FIELD_STRING("name", TENSOR_NAME),
                                                     OCL_FIELD_STRING("description", TENSOR_DESCRIPTION),
                                                     OCL_FIELD_TABLE("content", TENSOR_CONTENT, &kContent),
                                                     OCL_FIELD_TABLES("process_units", TENSOR_PROCESS_UNITS, &kUnit),
                                                     OCL_FIELD_TABLES("associated_files", TENSOR_FILES, &kFile)};
static const ocl_flatbuffer_schema kTensor = OCL_FLATBUFFER_SCHEMA(kTensorFields);
static const ocl_flatbuffer_field kCustomFields[] = {OCL_FIELD_STRING("name", CUSTOM_NAME),
                                                     OCL_FIELD_VECTOR("data", CUSTOM_DATA, 1)};
static const ocl_flatbuffer_schema kCustom = OCL_FLATBUFFER_SCHEMA(kCustomFields);
static const ocl_flatbuffer_field kSubgraphFields[] = {
    OCL_FIELD_TABLES("input_tensor_metadata", SUBGRAPH_INPUTS, &kTensor),
    OCL_FIELD_TABLES("output_tensor_metadata", SUBGRAPH_OUTPUTS, &kTensor),
    OCL_FIELD_TABLES("custom_metadata", SUBGRAPH_CUSTOM, &kCustom)};
static const ocl_flatbuffer_schema kSubgraph = OCL_FLATBUFFER_SCHEMA(kSubgraphFields);
static const ocl_flatbuffer_field kModelFields[] = {
    OCL_FIELD_STRING("name", MODEL_NAME),       OCL_FIELD_STRING("description", MODEL_DESCRIPTION),
    OCL_FIELD_STRING("version", MODEL_VERSION), OCL_FIELD_TABLES("subgraph_metadata", MODEL_SUBGRAPHS, &kSubgraph),
    OCL_FIELD_STRING("author", MODEL_AUTHOR),   OCL_FIELD_STRING("license", MODEL_LICENSE)};
static const ocl_flatbuffer_schema kModel = OCL_FLATBUFFER_SCHEMA(kModelFields);

// The options of the tensor's first process unit of this type; 0: there is none.
static uint32_t find_unit(const uint8_t* bytes, uint32_t tensor, uint8_t type) {
  const uint32_t count = ocl_flatbuffer_count(bytes, tensor, TENSOR_PROCESS_UNITS);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t unit = ocl_flatbuffer_table_at(bytes, tensor, TENSOR_PROCESS_UNITS, i);
    if (ocl_flatbuffer_u8(bytes, unit, UNIT_TYPE, 0) == type) return ocl_flatbuffer_target(bytes, unit, UNIT_OPTIONS);
  }
  return 0;
}

static uint32_t find_normalization(const uint8_t* bytes, uint32_t tensor) {
  return find_unit(bytes, tensor, UNIT_IS_NORMALIZATION);
}

// The tensor's BoundingBoxProperties; 0 if its content is something else.
static uint32_t find_boxes(const uint8_t* bytes, uint32_t tensor) {
  const uint32_t content = ocl_flatbuffer_target(bytes, tensor, TENSOR_CONTENT);
  const bool is_boxes = ocl_flatbuffer_u8(bytes, content, CONTENT_TYPE, 0) == OCL_METADATA_CONTENT_BOXES;
  return is_boxes ? ocl_flatbuffer_target(bytes, content, CONTENT_PROPERTIES) : 0;
}

static ocl_status check_normalization(const uint8_t* bytes, uint32_t tensor, ocl_detail* detail) {
  const uint32_t table = find_normalization(bytes, tensor);
  const char* name = ocl_flatbuffer_string(bytes, tensor, TENSOR_NAME);
  uint32_t num_means, num_stds;
  const uint8_t* means = ocl_flatbuffer_vector(bytes, table, NORMALIZATION_MEAN, &num_means);
  const uint8_t* stds = ocl_flatbuffer_vector(bytes, table, NORMALIZATION_STD, &num_stds);
  if (table == 0) return OCL_OK;
  const bool is_count_right = num_means >= 1 && num_means <= OCL_METADATA_MAX_CHANNELS && num_stds >= 1 &&
                              num_stds <= OCL_METADATA_MAX_CHANNELS &&
                              (num_means == num_stds || num_means == 1 || num_stds == 1);
  if (!is_count_right)
    return ocl_status_with_detail(OCL_BAD_METADATA, detail,
                                  "tensor '%.60s': %u means and %u stds; expected 1 to 4 of each, as many or 1", name,
                                  (unsigned)num_means, (unsigned)num_stds);
  for (uint32_t i = 0; i < num_means + num_stds; i++) {
    float value;
    memcpy(&value, i < num_means ? means + 4 * i : stds + 4 * (i - num_means), sizeof value);
    if (!isfinite(value) || (i >= num_means && value <= 0))
      return ocl_status_with_detail(OCL_BAD_METADATA, detail, "tensor '%.60s': its %s is not finite, or not positive",
                                    name, i < num_means ? "mean" : "std");
  }
  return OCL_OK;
}

static ocl_status check_boxes(const uint8_t* bytes, uint32_t tensor, ocl_detail* detail) {
  uint32_t count;
  const uint8_t* order = ocl_flatbuffer_vector(bytes, find_boxes(bytes, tensor), BOX_ORDER, &count);
  if (count == 0) return OCL_OK;
  uint32_t seen = 0;
  for (uint32_t i = 0; i < count && i < 4; i++) {
    uint32_t index;
    memcpy(&index, order + 4 * i, sizeof index);
    if (index < 4) seen |= 1u << index;
  }
  if (count == 4 && seen == 0xf) return OCL_OK;
  return ocl_status_with_detail(OCL_BAD_METADATA, detail,
                                "tensor '%.60s': its box index is not a permutation of 0 to 3",
                                ocl_flatbuffer_string(bytes, tensor, TENSOR_NAME));
}

static ocl_status check_tensors(const uint8_t* bytes, uint32_t subgraph, uint32_t id, ocl_detail* detail) {
  const uint32_t count = ocl_flatbuffer_count(bytes, subgraph, id);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t tensor = ocl_flatbuffer_table_at(bytes, subgraph, id, i);
    OCL_TRY(check_normalization(bytes, tensor, detail));
    OCL_TRY(check_boxes(bytes, tensor, detail));
  }
  return OCL_OK;
}

ocl_status ocl_metadata_verify(const uint8_t* bytes, size_t size_bytes, ocl_metadata* metadata_out,
                               ocl_detail* detail) {
  if (!ocl_flatbuffer_has_identifier(bytes, size_bytes, "M001"))
    return ocl_status_with_detail(OCL_BAD_METADATA, detail, "the metadata does not have the file identifier M001");
  uint32_t root;
  if (ocl_flatbuffer_verify(bytes, size_bytes, &kModel, &root, detail) != OCL_OK) return OCL_BAD_METADATA;
  for (uint32_t i = 0; i < ocl_flatbuffer_count(bytes, root, MODEL_SUBGRAPHS); i++) {
    const uint32_t subgraph = ocl_flatbuffer_table_at(bytes, root, MODEL_SUBGRAPHS, i);
    OCL_TRY(check_tensors(bytes, subgraph, SUBGRAPH_INPUTS, detail));
    OCL_TRY(check_tensors(bytes, subgraph, SUBGRAPH_OUTPUTS, detail));
  }
  *metadata_out = (ocl_metadata){
      .bytes = bytes,
      .name = ocl_flatbuffer_string(bytes, root, MODEL_NAME),
      .description = ocl_flatbuffer_string(bytes, root, MODEL_DESCRIPTION),
      .version = ocl_flatbuffer_string(bytes, root, MODEL_VERSION),
      .author = ocl_flatbuffer_string(bytes, root, MODEL_AUTHOR),
      .license = ocl_flatbuffer_string(bytes, root, MODEL_LICENSE),
      .model = root,
  };
  ocl_metadata_choose_subgraph(metadata_out, 0);
  return OCL_OK;
}

void ocl_metadata_choose_subgraph(ocl_metadata* metadata, uint32_t index) {
  const uint8_t* bytes = metadata->bytes;
  const uint32_t count = ocl_flatbuffer_count(bytes, metadata->model, MODEL_SUBGRAPHS);
  metadata->subgraph = index < count ? ocl_flatbuffer_table_at(bytes, metadata->model, MODEL_SUBGRAPHS, index) : 0;
  metadata->num_inputs = (int32_t)ocl_flatbuffer_count(bytes, metadata->subgraph, SUBGRAPH_INPUTS);
  metadata->num_outputs = (int32_t)ocl_flatbuffer_count(bytes, metadata->subgraph, SUBGRAPH_OUTPUTS);
}

// A single value applies to all channels.
static void read_channels(const uint8_t* values, uint32_t count, int32_t num_channels, float* channels) {
  for (int32_t i = 0; i < num_channels; i++) memcpy(&channels[i], values + 4 * (count == 1 ? 0 : i), sizeof *channels);
}

static void read_normalization(const uint8_t* bytes, ocl_metadata_tensor* tensor) {
  const uint32_t table = find_normalization(bytes, tensor->table);
  uint32_t num_means, num_stds;
  const uint8_t* means = ocl_flatbuffer_vector(bytes, table, NORMALIZATION_MEAN, &num_means);
  const uint8_t* stds = ocl_flatbuffer_vector(bytes, table, NORMALIZATION_STD, &num_stds);
  tensor->num_channels = (int32_t)(num_means > num_stds ? num_means : num_stds);
  read_channels(means, num_means, tensor->num_channels, tensor->mean);
  read_channels(stds, num_stds, tensor->num_channels, tensor->std);
}

static void read_boxes(const uint8_t* bytes, ocl_metadata_tensor* tensor) {
  const uint32_t boxes = find_boxes(bytes, tensor->table);
  tensor->box_type = (ocl_metadata_box_type)ocl_flatbuffer_u8(bytes, boxes, BOX_TYPE, OCL_METADATA_BOX_UNKNOWN);
  tensor->is_box_in_pixels = ocl_flatbuffer_u8(bytes, boxes, BOX_COORDINATES, 0) != 0;
  uint32_t count;
  const uint8_t* order = ocl_flatbuffer_vector(bytes, boxes, BOX_ORDER, &count);
  for (uint32_t i = 0; i < 4; i++) {
    tensor->box_order[i] = i;
    if (count > 0) memcpy(&tensor->box_order[i], order + 4 * i, sizeof *tensor->box_order);
  }
}

static ocl_metadata_tensor read_tensor(const ocl_metadata* metadata, uint32_t id, int32_t index) {
  const uint8_t* bytes = metadata->bytes;
  const uint32_t table = ocl_flatbuffer_table_at(bytes, metadata->subgraph, id, (uint32_t)index);
  const uint32_t content = ocl_flatbuffer_target(bytes, table, TENSOR_CONTENT);
  ocl_metadata_tensor tensor = {
      .name = ocl_flatbuffer_string(bytes, table, TENSOR_NAME),
      .description = ocl_flatbuffer_string(bytes, table, TENSOR_DESCRIPTION),
      .content = (ocl_metadata_content)ocl_flatbuffer_u8(bytes, content, CONTENT_TYPE, OCL_METADATA_CONTENT_NONE),
      .num_files = (int32_t)ocl_flatbuffer_count(bytes, table, TENSOR_FILES),
      .table = table,
  };
  read_normalization(bytes, &tensor);
  read_boxes(bytes, &tensor);
  return tensor;
}

ocl_metadata_tensor ocl_metadata_get_input(const ocl_metadata* metadata, int32_t index) {
  return read_tensor(metadata, SUBGRAPH_INPUTS, index);
}

ocl_metadata_tensor ocl_metadata_get_output(const ocl_metadata* metadata, int32_t index) {
  return read_tensor(metadata, SUBGRAPH_OUTPUTS, index);
}

ocl_metadata_file ocl_metadata_get_file(const ocl_metadata* metadata, const ocl_metadata_tensor* tensor,
                                        int32_t index) {
  const uint32_t file = ocl_flatbuffer_table_at(metadata->bytes, tensor->table, TENSOR_FILES, (uint32_t)index);
  return (ocl_metadata_file){
      .name = ocl_flatbuffer_string(metadata->bytes, file, FILE_NAME),
      .locale = ocl_flatbuffer_string(metadata->bytes, file, FILE_LOCALE),
      .type = (ocl_metadata_file_type)ocl_flatbuffer_u8(metadata->bytes, file, FILE_TYPE, OCL_METADATA_FILE_UNKNOWN),
  };
}

// The name of the output's first file of one of these types; NULL if there is none.
static const char* find_file(const ocl_metadata* metadata, int32_t index, ocl_metadata_file_type type,
                             ocl_metadata_file_type other_type) {
  const ocl_metadata_tensor output = ocl_metadata_get_output(metadata, index);
  for (int32_t i = 0; i < output.num_files; i++) {
    const ocl_metadata_file file = ocl_metadata_get_file(metadata, &output, i);
    if (file.type == type || file.type == other_type) return file.name;
  }
  return NULL;
}

const char* ocl_metadata_find_label_file(const ocl_metadata* metadata) {
  const char* name = NULL;
  for (int32_t i = 0; name == NULL && i < metadata->num_outputs; i++)
    name = find_file(metadata, i, OCL_METADATA_FILE_AXIS_LABELS, OCL_METADATA_FILE_VALUE_LABELS);
  return name;
}

ocl_metadata_scores ocl_metadata_get_scores(const ocl_metadata* metadata) {
  const uint8_t* bytes = metadata->bytes;
  ocl_metadata_scores scores = {0};
  for (int32_t i = 0; i < metadata->num_outputs; i++) {
    const uint32_t tensor = ocl_metadata_get_output(metadata, i).table;
    const uint32_t threshold = find_unit(bytes, tensor, UNIT_IS_THRESHOLD);
    if (threshold != 0 && !scores.has_threshold) {
      scores.has_threshold = true;
      scores.threshold = ocl_flatbuffer_f32(bytes, threshold, THRESHOLD_SCORE, 0);
    }
    const uint32_t calibration = find_unit(bytes, tensor, UNIT_IS_CALIBRATION);
    if (calibration == 0 || scores.calibration_file != NULL) continue;
    scores.calibration_file = find_file(metadata, i, OCL_METADATA_FILE_CALIBRATION, OCL_METADATA_FILE_CALIBRATION);
    scores.transform = ocl_flatbuffer_u8(bytes, calibration, CALIBRATION_TRANSFORM, 0);
    scores.default_score = ocl_flatbuffer_f32(bytes, calibration, CALIBRATION_DEFAULT_SCORE, 0);
  }
  return scores;
}

const uint8_t* ocl_metadata_find_custom(const ocl_metadata* metadata, const char* name, size_t* size_bytes_out) {
  const uint8_t* bytes = metadata->bytes;
  const uint32_t count = ocl_flatbuffer_count(bytes, metadata->subgraph, SUBGRAPH_CUSTOM);
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t custom = ocl_flatbuffer_table_at(bytes, metadata->subgraph, SUBGRAPH_CUSTOM, i);
    if (strcmp(ocl_flatbuffer_string(bytes, custom, CUSTOM_NAME), name) != 0) continue;
    uint32_t size_bytes;
    const uint8_t* data = ocl_flatbuffer_vector(bytes, custom, CUSTOM_DATA, &size_bytes);
    *size_bytes_out = size_bytes;
    return data;
  }
  *size_bytes_out = 0;
  return NULL;
}
