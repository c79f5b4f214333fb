// In: the bytes of a model's DETECTOR_METADATA entry (MediaPipe's object detector metadata, a separate FlatBuffer
// inside TFLite Metadata). Out: how to decode the raw heads: anchors, box coder, and whether scores are logits. After
// ocl_detector_metadata_verify() every anchor is finite, and every scale is finite and above 0.
#ifndef OCELLI_DETECTOR_METADATA_H_
#define OCELLI_DETECTOR_METADATA_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define OCL_DETECTOR_METADATA_ENTRY "DETECTOR_METADATA"  // for ocl_metadata_find_custom()

typedef struct {
  const uint8_t* bytes;
  int32_t num_anchors, num_classes;
  float box_scales[4];       // of ty, tx, th, tw
  bool is_size_exponential;  // heights and widths are encoded as logarithms
  bool is_sigmoid;           // scores are logits
  uint32_t anchors;          // private to detector_metadata.c
} ocl_detector_metadata;

// `bytes` (of any alignment) must outlive *metadata_out. BAD_METADATA: malformed; `detail` (may be NULL) says where.
ocl_status ocl_detector_metadata_verify(const uint8_t* bytes, size_t size_bytes, ocl_detector_metadata* metadata_out,
                                        ocl_detail* detail);
// Fills the caller's anchors_out [num_anchors, 4]: y_center, x_center, height, width.
void ocl_detector_metadata_fill_anchors(const ocl_detector_metadata* metadata, float* anchors_out);

#endif  // OCELLI_DETECTOR_METADATA_H_
