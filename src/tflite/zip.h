// In: bytes that end in a ZIP archive (TFLite Metadata appends one to the .tflite), and a file name. Out: the file's
// bytes as stored: a deflated file is returned raw (RFC 1951, no zlib header), the caller inflates it.
// Source: PKWARE's APPNOTE. No ZIP64, no encryption, no split archives.
#ifndef OCELLI_ZIP_H_
#define OCELLI_ZIP_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
  const uint8_t* bytes;  // borrowed from the archive; NULL: no such file, or no archive at all
  size_t size_bytes;     // as stored
  bool is_deflated;
  size_t inflated_size_bytes;  // == size_bytes unless is_deflated; read from the archive, at most 16 MiB
} ocl_zip_file;

// Finds the file called exactly `name`. BAD_METADATA: the archive is malformed, or the file's encryption or compression
// is not supported; `detail` (may be NULL) says which.
ocl_status ocl_zip_find(const uint8_t* bytes, size_t size_bytes, const char* name, ocl_zip_file* file_out,
                        ocl_detail* detail);

// Copies the file's inflated_size_bytes to `out`. BAD_METADATA: it does not inflate to them. OUT_OF_MEMORY.
ocl_status ocl_zip_copy(const ocl_zip_file* file, char* out);

#endif  // OCELLI_ZIP_H_
