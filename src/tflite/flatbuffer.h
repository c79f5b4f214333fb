// In: bytes. Out: a FlatBuffer whose tables, vectors and strings can be read without further checks.
// One generic verifier checks the bytes against a schema: tables of fields, the part of a .fbs file that ocelli reads.
// The inline readers below read verified bytes and check nothing. Little-endian hosts only.
// Sources: the FlatBuffers "internals" page; flatcc's verifier, which also names what it rejects.
// After OCL_OK every field in the schema lies inside its table and the bytes and is aligned relative to the first byte,
// and every string ends in NUL. Work is linear in size_bytes even if structures overlap.
#ifndef OCELLI_FLATBUFFER_H_
#define OCELLI_FLATBUFFER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

typedef enum {
  OCL_FLATBUFFER_SCALAR,  // element_bytes: its size
  OCL_FLATBUFFER_STRING,
  OCL_FLATBUFFER_VECTOR,  // of scalars of element_bytes
  OCL_FLATBUFFER_TABLE,   // `tables` points to its schema
  OCL_FLATBUFFER_TABLES,  // vector of tables; `tables` points to their schema
  OCL_FLATBUFFER_UNION,   // its type is the 1-byte field `id` - 1; `tables`: the fields of all members, one after
                          // another
  OCL_FLATBUFFER_MEMBER,  // starts the fields of the union member of type `id`
} ocl_flatbuffer_kind;

typedef struct ocl_flatbuffer_schema ocl_flatbuffer_schema;

typedef struct {
  const char* name;
  uint8_t id;
  uint8_t kind;  // ocl_flatbuffer_kind
  uint8_t element_bytes;
  const ocl_flatbuffer_schema* tables;
} ocl_flatbuffer_field;

struct ocl_flatbuffer_schema {
  uint16_t num_fields;
  const ocl_flatbuffer_field* fields;
};

#define OCL_FIELD_SCALAR(name, id, bytes) {name, id, OCL_FLATBUFFER_SCALAR, bytes, NULL}
#define OCL_FIELD_STRING(name, id) {name, id, OCL_FLATBUFFER_STRING, 1, NULL}
#define OCL_FIELD_VECTOR(name, id, bytes) {name, id, OCL_FLATBUFFER_VECTOR, bytes, NULL}
#define OCL_FIELD_TABLE(name, id, schema) {name, id, OCL_FLATBUFFER_TABLE, 4, schema}
#define OCL_FIELD_TABLES(name, id, schema) {name, id, OCL_FLATBUFFER_TABLES, 4, schema}
#define OCL_FIELD_UNION(name, id, schema) {name, id, OCL_FLATBUFFER_UNION, 4, schema}
#define OCL_FIELD_MEMBER(name, type) {name, type, OCL_FLATBUFFER_MEMBER, 0, NULL}
#define OCL_FLATBUFFER_SCHEMA(fields) {sizeof(fields) / sizeof *(fields), (fields)}

// Whether `bytes` has this file identifier ("TFL3"). false if it is too short for one.
bool ocl_flatbuffer_has_identifier(const uint8_t* bytes, size_t size_bytes, const char* identifier);

// Checks everything in the schema `root`. `bytes` must have an identifier. *root_out: the root table's position, for
// the readers. MODEL_TOO_LARGE, MODEL_MISALIGNED, MODEL_BAD_OFFSET, MODEL_BAD_TABLE, MODEL_BAD_VECTOR,
// MODEL_BAD_STRING; `detail` (may be NULL) starts with the path: "subgraphs[0].tensors[7].shape: …".
ocl_status ocl_flatbuffer_verify(const uint8_t* bytes, size_t size_bytes, const ocl_flatbuffer_schema* root,
                                 uint32_t* root_out, ocl_detail* detail);

// ---- readers of verified bytes. Positions are offsets from the first byte; 0 means an absent table ----

static inline uint32_t ocl_flatbuffer_load_u32(const uint8_t* bytes, uint32_t position) {
  uint32_t value;
  memcpy(&value, bytes + position, sizeof value);
  return value;
}

static inline uint16_t ocl_flatbuffer_load_u16(const uint8_t* bytes, uint32_t position) {
  uint16_t value;
  memcpy(&value, bytes + position, sizeof value);
  return value;
}

// The position of field `id` of `table`; 0 if the table or the field is absent.
static inline uint32_t ocl_flatbuffer_field_position(const uint8_t* bytes, uint32_t table, uint32_t id) {
  if (table == 0) return 0;
  const uint32_t vtable = table - ocl_flatbuffer_load_u32(bytes, table);  // a signed offset; unsigned arithmetic wraps
  const uint32_t entry = 4 + 2 * id;
  if (entry + 2 > ocl_flatbuffer_load_u16(bytes, vtable)) return 0;
  const uint32_t offset = ocl_flatbuffer_load_u16(bytes, vtable + entry);
  return offset == 0 ? 0 : table + offset;
}

#define OCL_FLATBUFFER_READER(suffix, type)                                                                    \
  static inline type ocl_flatbuffer_##suffix(const uint8_t* bytes, uint32_t table, uint32_t id, type absent) { \
    const uint32_t position = ocl_flatbuffer_field_position(bytes, table, id);                                 \
    if (position != 0) memcpy(&absent, bytes + position, sizeof absent);                                       \
    return absent;                                                                                             \
  }
OCL_FLATBUFFER_READER(i8, int8_t)
OCL_FLATBUFFER_READER(u8, uint8_t)
OCL_FLATBUFFER_READER(i32, int32_t)
OCL_FLATBUFFER_READER(u32, uint32_t)
OCL_FLATBUFFER_READER(u64, uint64_t)
OCL_FLATBUFFER_READER(f32, float)
#undef OCL_FLATBUFFER_READER

// The position that an offset field points to: a table, or the length of a vector or string. 0 if absent.
static inline uint32_t ocl_flatbuffer_target(const uint8_t* bytes, uint32_t table, uint32_t id) {
  const uint32_t position = ocl_flatbuffer_field_position(bytes, table, id);
  return position == 0 ? 0 : position + ocl_flatbuffer_load_u32(bytes, position);
}

// The elements of a vector field and their count; NULL and 0 if absent.
static inline const uint8_t* ocl_flatbuffer_vector(const uint8_t* bytes, uint32_t table, uint32_t id,
                                                   uint32_t* count_out) {
  const uint32_t target = ocl_flatbuffer_target(bytes, table, id);
  *count_out = target == 0 ? 0 : ocl_flatbuffer_load_u32(bytes, target);
  return target == 0 ? NULL : bytes + target + 4;
}

static inline uint32_t ocl_flatbuffer_count(const uint8_t* bytes, uint32_t table, uint32_t id) {
  uint32_t count;
  ocl_flatbuffer_vector(bytes, table, id, &count);
  return count;
}

// The position of table `index` (below the count) in a vector of tables.
static inline uint32_t ocl_flatbuffer_table_at(const uint8_t* bytes, uint32_t table, uint32_t id, uint32_t index) {
  const uint32_t position = ocl_flatbuffer_target(bytes, table, id) + 4 + 4 * index;
  return position + ocl_flatbuffer_load_u32(bytes, position);
}

// NUL-terminated; "" if absent.
static inline const char* ocl_flatbuffer_string(const uint8_t* bytes, uint32_t table, uint32_t id) {
  const uint32_t target = ocl_flatbuffer_target(bytes, table, id);
  return target == 0 ? "" : (const char*)bytes + target + 4;
}

#endif  // OCELLI_FLATBUFFER_H_
