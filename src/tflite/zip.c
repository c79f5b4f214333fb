// See zip.h. The search starts at the end record (a comment of up to 64 KiB may follow it), which points to the central
// directory, which points to the local headers. Every range is checked in 64 bits before it is read.
#include "tflite/zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/inflate.h"

enum {
  kEndSignature = 0x06054b50,
  kCentralSignature = 0x02014b50,
  kLocalSignature = 0x04034b50,
  kEndBytes = 22,
  kCentralBytes = 46,
  kLocalBytes = 30,
  kMaxComment = 65535,
  kMaxInflatedBytes = 16 << 20,
  kStored = 0,
  kDeflated = 8,
  kIsEncrypted = 1,
};

typedef struct {
  const uint8_t* bytes;
  uint64_t size_bytes;
} range;

// The address of `offset`; NULL if [offset, offset + size_bytes) is not inside `r`.
static const uint8_t* slice(range r, uint64_t offset, uint64_t size_bytes) {
  return offset <= r.size_bytes && size_bytes <= r.size_bytes - offset ? r.bytes + offset : NULL;
}

static ocl_status reject(ocl_detail* detail, const char* name, const char* what) {
  return ocl_status_with_detail(OCL_BAD_METADATA, detail, "associated file '%.60s': %s", name, what);
}

// The end record whose comment ends exactly at the end of the file. NULL: no archive.
static const uint8_t* find_end_record(range file) {
  for (uint64_t comment = 0; comment <= kMaxComment && comment + kEndBytes <= file.size_bytes; comment++) {
    const uint8_t* record = file.bytes + (file.size_bytes - kEndBytes - comment);
    if (ocl_load_u32_le(record) == kEndSignature && ocl_load_u16_le(record + 20) == comment) return record;
  }
  return NULL;
}

// `archive` starts at the position that the archive's offsets count from. `entry`: the file's central directory record.
static ocl_status open_file(range archive, const uint8_t* entry, const char* name, ocl_zip_file* file,
                            ocl_detail* detail) {
  const uint32_t flags = ocl_load_u16_le(entry + 8), method = ocl_load_u16_le(entry + 10);
  if ((flags & kIsEncrypted) != 0) return reject(detail, name, "it is encrypted, which is not supported");
  if (method != kStored && method != kDeflated)
    return reject(detail, name, "its compression is neither stored nor deflated");
  const uint64_t local_offset = ocl_load_u32_le(entry + 42);
  const uint8_t* local = slice(archive, local_offset, kLocalBytes);
  if (local == NULL || ocl_load_u32_le(local) != kLocalSignature)
    return reject(detail, name, "its local header is missing");
  file->size_bytes = ocl_load_u32_le(entry + 20);
  file->inflated_size_bytes = ocl_load_u32_le(entry + 24);
  file->is_deflated = method == kDeflated;
  if (file->inflated_size_bytes > kMaxInflatedBytes) return reject(detail, name, "it is larger than 16 MiB");
  if (!file->is_deflated && file->size_bytes != file->inflated_size_bytes)
    return reject(detail, name, "it is stored, but its two sizes differ");
  const uint64_t data_offset = local_offset + kLocalBytes + ocl_load_u16_le(local + 26) + ocl_load_u16_le(local + 28);
  file->bytes = slice(archive, data_offset, file->size_bytes);
  return file->bytes == NULL ? reject(detail, name, "its data reaches outside the archive") : OCL_OK;
}

ocl_status ocl_zip_find(const uint8_t* bytes, size_t size_bytes, const char* name, ocl_zip_file* file_out,
                        ocl_detail* detail) {
  *file_out = (ocl_zip_file){0};
  const uint8_t* end = find_end_record((range){bytes, size_bytes});
  if (end == NULL) return OCL_OK;
  const uint64_t directory_bytes = ocl_load_u32_le(end + 12), directory_offset = ocl_load_u32_le(end + 16);
  // Offsets count either from the first byte of the file or from the first byte of the archive. The directory ends at
  // the end record, which tells the two apart.
  const uint64_t end_offset = (uint64_t)(end - bytes);
  if (directory_bytes + directory_offset > end_offset)
    return reject(detail, name, "the archive has no central directory");
  const uint64_t start = end_offset - directory_bytes - directory_offset;
  const range archive = {bytes + start, end_offset - start};

  const size_t name_bytes = strlen(name);
  uint64_t offset = directory_offset;
  for (uint32_t i = ocl_load_u16_le(end + 10); i > 0; i--) {
    const uint8_t* entry = slice(archive, offset, kCentralBytes);
    if (entry == NULL || ocl_load_u32_le(entry) != kCentralSignature) return reject(detail, name, "damaged directory");
    const uint32_t entry_name_bytes = ocl_load_u16_le(entry + 28);
    const uint8_t* entry_name = slice(archive, offset + kCentralBytes, entry_name_bytes);
    if (entry_name == NULL) return reject(detail, name, "damaged directory");
    if (entry_name_bytes == name_bytes && memcmp(entry_name, name, name_bytes) == 0)
      return open_file(archive, entry, name, file_out, detail);
    offset += kCentralBytes + entry_name_bytes + ocl_load_u16_le(entry + 30) + ocl_load_u16_le(entry + 32);
  }
  return OCL_OK;
}

ocl_status ocl_zip_copy(const ocl_zip_file* file, char* out) {
  if (!file->is_deflated) {
    memcpy(out, file->bytes, file->size_bytes);
    return OCL_OK;
  }
  ocl_inflate* inflate = malloc(sizeof *inflate);
  if (inflate == NULL) return OCL_OUT_OF_MEMORY;
  const bool is_sound = ocl_inflate_all(inflate, file->bytes, file->size_bytes, out, file->inflated_size_bytes);
  free(inflate);
  return is_sound ? OCL_OK : OCL_BAD_METADATA;
}
