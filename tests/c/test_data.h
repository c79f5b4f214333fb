// Files of tests/data, and of what is too large for it: $OCELLI_SHARED, else ../shared/data.
#ifndef OCELLI_TESTS_TEST_DATA_H_
#define OCELLI_TESTS_TEST_DATA_H_

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

// Of a test that needs a file which tests/large-models.txt lists: skips it where the file is missing.
#define NEEDS_LARGE(path)                                                        \
  do {                                                                           \
    if (!large_exists(path)) SKIP("needs %s of tests/large-models.txt", (path)); \
  } while (0)

static inline const char* large_root(void) {
  const char* root = getenv("OCELLI_SHARED");
  return root != NULL ? root : "../shared/data";
}

static inline bool large_exists(const char* path) {
  char full[512];
  snprintf(full, sizeof full, "%s/%s", large_root(), path);
  FILE* file = fopen(full, "rb");
  if (file != NULL) fclose(file);
  return file != NULL;
}

// malloc'ed, NUL-terminated past its size (caller frees).
static inline uint8_t* read_below(const char* root, const char* path, size_t* size_bytes_out) {
  char full[512];
  snprintf(full, sizeof full, "%s/%s", root, path);
  FILE* file = fopen(full, "rb");
  if (file == NULL) {
    perror(full);
    abort();
  }
  fseek(file, 0, SEEK_END);
  *size_bytes_out = (size_t)ftell(file);
  rewind(file);
  uint8_t* bytes = malloc(*size_bytes_out + 1);
  if (fread(bytes, 1, *size_bytes_out, file) != *size_bytes_out) abort();
  bytes[*size_bytes_out] = 0;
  fclose(file);
  return bytes;
}

static inline uint8_t* data_read(const char* path, size_t* size_bytes_out) {
  return read_below("tests/data", path, size_bytes_out);
}

static inline uint8_t* large_read(const char* path, size_t* size_bytes_out) {
  return read_below(large_root(), path, size_bytes_out);
}

#endif  // OCELLI_TESTS_TEST_DATA_H_
