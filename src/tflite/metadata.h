// In: the bytes of a model's TFLITE_METADATA entry (TFLite Metadata, a separate FlatBuffer). Out: normalization of the
// inputs, meaning of the outputs, names of the label files, and the texts of a model card. Only the first subgraph is
// read. The label files are in a ZIP archive at the end of the .tflite (zip.h).
// After ocl_metadata_verify() the getters check nothing and cannot fail. All strings are borrowed from the bytes,
// NUL-terminated, "" if absent, and untrusted.
#ifndef OCELLI_METADATA_H_
#define OCELLI_METADATA_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define OCL_METADATA_ENTRY "TFLITE_METADATA"  // for ocl_tflite_find_metadata()
#define OCL_METADATA_OWN_ENTRY "OCELLI"       // JSON of ocelli's converter, for ocl_metadata_find_custom()

// Numbers of metadata_schema.fbs. Files may contain other numbers.
typedef enum {
  OCL_METADATA_FILE_UNKNOWN = 0,
  OCL_METADATA_FILE_DESCRIPTIONS = 1,
  OCL_METADATA_FILE_AXIS_LABELS = 2,   // line i names index i along the tensor's last axis
  OCL_METADATA_FILE_VALUE_LABELS = 3,  // line i names the tensor's value i
  OCL_METADATA_FILE_CALIBRATION = 4,   // line i calibrates the scores of class i
} ocl_metadata_file_type;

// How a score is transformed before it is calibrated.
typedef enum {
  OCL_METADATA_SCORE_IDENTITY = 0,
  OCL_METADATA_SCORE_LOG = 1,
  OCL_METADATA_SCORE_INVERSE_LOGISTIC = 2,
} ocl_metadata_score_transform;

typedef enum {
  OCL_METADATA_CONTENT_NONE = 0,
  OCL_METADATA_CONTENT_FEATURE = 1,
  OCL_METADATA_CONTENT_IMAGE = 2,
  OCL_METADATA_CONTENT_BOXES = 3,
} ocl_metadata_content;

typedef enum {
  OCL_METADATA_BOX_UNKNOWN = 0,
  OCL_METADATA_BOX_BOUNDARIES = 1,  // left, top, right, bottom
  OCL_METADATA_BOX_UPPER_LEFT = 2,  // left, top, width, height
  OCL_METADATA_BOX_CENTER = 3,      // centre x, centre y, width, height
} ocl_metadata_box_type;

enum { OCL_METADATA_MAX_CHANNELS = 4 };

typedef struct {
  const uint8_t* bytes;
  const char *name, *description, *version, *author, *license;
  int32_t num_inputs, num_outputs;  // tensors described here; the model may have more or fewer
  uint32_t model, subgraph;         // private to metadata.c
} ocl_metadata;

typedef struct {
  const char *name, *description;
  ocl_metadata_content content;
  // Only if `content` is OCL_METADATA_CONTENT_BOXES:
  ocl_metadata_box_type box_type;
  bool is_box_in_pixels;  // false: in [0, 1]
  uint32_t box_order[4];  // for each number of box_type, its index in the tensor; a permutation of 0..3
  // normalized = (pixel - mean) / std for each channel; every std is > 0.
  int32_t num_channels;  // 1: the same for all channels; 0: no normalization
  float mean[OCL_METADATA_MAX_CHANNELS], std[OCL_METADATA_MAX_CHANNELS];
  int32_t num_files;
  uint32_t table;  // private to metadata.c
} ocl_metadata_tensor;

typedef struct {
  const char *name, *locale;
  ocl_metadata_file_type type;
} ocl_metadata_file;

// `bytes` (of any alignment) must outlive *metadata_out. BAD_METADATA: malformed; `detail` (may be NULL) says where.
ocl_status ocl_metadata_verify(const uint8_t* bytes, size_t size_bytes, ocl_metadata* metadata_out, ocl_detail* detail);
// Chooses which subgraph's tensors the functions below read; at first that is the first subgraph. A subgraph that the
// metadata does not describe has no tensors here.
void ocl_metadata_choose_subgraph(ocl_metadata* metadata, uint32_t index);
// `index` in [0, num_inputs), in the order of the model's inputs.
ocl_metadata_tensor ocl_metadata_get_input(const ocl_metadata* metadata, int32_t index);
// `index` in [0, num_outputs), in the order of the model's outputs.
ocl_metadata_tensor ocl_metadata_get_output(const ocl_metadata* metadata, int32_t index);
// `index` in [0, tensor->num_files).
ocl_metadata_file ocl_metadata_get_file(const ocl_metadata* metadata, const ocl_metadata_tensor* tensor, int32_t index);
// The name of the first label file of any output; NULL if there is none.
const char* ocl_metadata_find_label_file(const ocl_metadata* metadata);
// What the metadata says about scores.
typedef struct {
  bool has_threshold;
  float threshold;               // scores below it are not results
  const char* calibration_file;  // with a line for each class; NULL: scores are not calibrated
  int32_t transform;             // ocl_metadata_score_transform; the file may contain other numbers
  float default_score;           // of classes without calibration
} ocl_metadata_scores;
// The first threshold, and the first calibration, of any output.
ocl_metadata_scores ocl_metadata_get_scores(const ocl_metadata* metadata);
// The data (of any alignment) of the custom metadata called `name`; NULL and 0 if there is none.
const uint8_t* ocl_metadata_find_custom(const ocl_metadata* metadata, const char* name, size_t* size_bytes_out);

#endif  // OCELLI_METADATA_H_
