// Files of the shared golden data: $OCELLI_SHARED, else ../shared/data.
#ifndef OCELLI_TESTS_SHARED_DATA_H_
#define OCELLI_TESTS_SHARED_DATA_H_

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// malloc'ed, NUL-terminated past its size (caller frees); NULL if there is no such file.
static uint8_t* shared_read(const char* path, size_t* size_bytes_out) {
  const char* root = getenv("OCELLI_SHARED");
  char full[512];
  snprintf(full, sizeof full, "%s/%s", root != NULL ? root : "../shared/data", path);
  FILE* file = fopen(full, "rb");
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  *size_bytes_out = (size_t)ftell(file);
  rewind(file);
  uint8_t* bytes = malloc(*size_bytes_out + 1);
  if (fread(bytes, 1, *size_bytes_out, file) != *size_bytes_out) abort();
  bytes[*size_bytes_out] = 0;
  fclose(file);
  return bytes;
}

#endif  // OCELLI_TESTS_SHARED_DATA_H_
