// The exports that the inference module and the training module share.
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/status.h"

// A hash of the struct layouts and the exports of this build; the Makefile computes it. JavaScript compares it with its
// own, because `assetsUrl` may point to the .wasm of another version.
int32_t ocl_abi(void) {
  return OCL_ABI;
}

void* ocl_alloc(size_t size_bytes) {
  return malloc(size_bytes);
}
void ocl_free(void* address) {
  free(address);
}
// The number of bytes that are currently allocated.
size_t ocl_live_bytes(void) {
  return (size_t)mallinfo().uordblks;
}

const char* ocl_status_code(int32_t status) {
  return ocl_status_name((ocl_status)status);
}
const char* ocl_status_text(int32_t status) {
  return ocl_status_message((ocl_status)status);
}
