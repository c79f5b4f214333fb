// The bytes of a .tflite file -> the verified model of a signature, its metadata, and its associated files.
#ifndef OCELLI_MODEL_FILE_H_
#define OCELLI_MODEL_FILE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "tflite/metadata.h"
#include "tflite/tflite.h"

typedef struct {
  const uint8_t* bytes;  // must outlive the rest
  size_t size_bytes;
  bool is_open, has_metadata;
  ocl_tflite model;
  ocl_metadata metadata;
} ocl_model_file;

// Verifies bytes[0..size_bytes). `signature`: a key that ends in NUL; NULL: the first subgraph. A failure leaves the
// file closed.
ocl_status ocl_model_file_open(ocl_model_file* file, const char* signature, ocl_detail* detail);

// An associated file, inflated; the caller frees the text. NULL `name`: there is none, the text is NULL. BAD_METADATA:
// the archive has no such file, or it does not inflate.
ocl_status ocl_model_file_read(const ocl_model_file* file, const char* name, char** text_out, size_t* size_bytes_out,
                               ocl_detail* detail);

#endif  // OCELLI_MODEL_FILE_H_
