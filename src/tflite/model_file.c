#include "tflite/model_file.h"

#include <stdlib.h>

#include "tflite/zip.h"

ocl_status ocl_model_file_open(ocl_model_file* file, const char* signature, ocl_detail* detail) {
  file->is_open = false;  // the caller may have changed the bytes since they were opened
  OCL_TRY(ocl_tflite_verify_signature(file->bytes, file->size_bytes, signature, &file->model, detail));
  size_t size_bytes;
  const uint8_t* metadata = ocl_tflite_find_metadata(&file->model, OCL_METADATA_ENTRY, &size_bytes);
  file->has_metadata = metadata != NULL;
  if (metadata != NULL) {
    OCL_TRY(ocl_metadata_verify(metadata, size_bytes, &file->metadata, detail));
    ocl_metadata_choose_subgraph(&file->metadata, file->model.subgraph_index);
  }
  file->is_open = true;
  return OCL_OK;
}

ocl_status ocl_model_file_read(const ocl_model_file* file, const char* name, char** text_out, size_t* size_bytes_out,
                               ocl_detail* detail) {
  *text_out = NULL;
  *size_bytes_out = 0;
  if (name == NULL) return OCL_OK;
  ocl_zip_file found;
  OCL_TRY(ocl_zip_find(file->bytes, file->size_bytes, name, &found, detail));
  if (found.bytes == NULL) return ocl_status_with_detail(OCL_BAD_METADATA, detail, "no file '%s'", name);
  char* text = malloc(found.inflated_size_bytes + 1);
  if (text == NULL) return OCL_OUT_OF_MEMORY;
  const ocl_status status = ocl_zip_copy(&found, text);
  if (status != OCL_OK) {
    free(text);
    return ocl_status_with_detail(status, detail, "file '%s' does not inflate", name);
  }
  *text_out = text;
  *size_bytes_out = found.inflated_size_bytes;
  return OCL_OK;
}
