// See flatbuffer.h. Every load here follows its range check. Positions are 64-bit until they are checked.
#include "tflite/flatbuffer.h"

#include "base/text.h"

// Writers share structures (equal vtables and strings), so the verifier may visit a byte more than once. A hostile file
// could let every table point to one long vector and make readers quadratic. The verifier therefore visits at most this
// many times the file's size. Vectors of bytes (weights) are not visited and do not count.
static const uint64_t kMaxVisitsPerByte = 4;

// The path to a field, for error messages.
typedef struct path {
  const struct path* parent;
  const char* name;
  int64_t index;  // -1: not in a vector
} path;

typedef struct {
  const uint8_t* bytes;
  uint64_t size_bytes;
  uint64_t budget_bytes;
  ocl_detail* detail;
} verifier;

static size_t write_path(const path* at, char* text, size_t capacity) {
  if (at == NULL) return 0;
  size_t used = write_path(at->parent, text, capacity);
  const char* dot = used > 0 ? "." : "";
  used += ocl_text_format(text + used, capacity - used, "%s%s", dot, at->name);
  if (at->index >= 0) used += ocl_text_format(text + used, capacity - used, "[%d]", (int)at->index);
  return used;
}

static ocl_status reject(const verifier* v, ocl_status status, const path* at, const char* what) {
  char text[120] = "";
  write_path(at, text, sizeof text);
  return ocl_status_with_detail(status, v->detail, "%s: %s", text[0] ? text : "root", what);
}

static ocl_status spend(verifier* v, uint64_t cost_bytes, const path* at) {
  if (cost_bytes > v->budget_bytes)
    return reject(v, OCL_MODEL_TOO_LARGE, at, "structures overlap too often (possibly a hostile file)");
  v->budget_bytes -= cost_bytes;
  return OCL_OK;
}

static bool is_inside(const verifier* v, uint64_t position, uint64_t size_bytes) {
  return position <= v->size_bytes && size_bytes <= v->size_bytes - position;
}

// Follows the offset at `position` (checked, aligned) and checks that its target is an aligned 4-byte word.
static ocl_status check_offset(const verifier* v, uint64_t position, const path* at, uint32_t* target_out) {
  const uint32_t offset = ocl_flatbuffer_load_u32(v->bytes, (uint32_t)position);
  const uint64_t target = position + offset;
  if (offset == 0 || !is_inside(v, target, 4))
    return reject(v, OCL_MODEL_BAD_OFFSET, at, "offset points outside the file");
  if (target % 4 != 0) return reject(v, OCL_MODEL_MISALIGNED, at, "offset is not a multiple of 4");
  *target_out = (uint32_t)target;
  return OCL_OK;
}

static ocl_status check_vtable(const verifier* v, uint32_t table, const path* at) {
  int32_t back;
  memcpy(&back, v->bytes + table, sizeof back);
  const int64_t vtable = (int64_t)table - back;
  if (vtable < 0 || !is_inside(v, (uint64_t)vtable, 4))
    return reject(v, OCL_MODEL_BAD_TABLE, at, "vtable lies outside the file");
  if (vtable % 2 != 0) return reject(v, OCL_MODEL_MISALIGNED, at, "vtable is not aligned");
  const uint16_t vtable_bytes = ocl_flatbuffer_load_u16(v->bytes, (uint32_t)vtable);
  const uint16_t table_bytes = ocl_flatbuffer_load_u16(v->bytes, (uint32_t)vtable + 2);
  if (vtable_bytes < 4 || vtable_bytes % 2 != 0 || !is_inside(v, (uint64_t)vtable, vtable_bytes))
    return reject(v, OCL_MODEL_BAD_TABLE, at, "the size of its vtable is invalid");
  if (table_bytes < 4 || !is_inside(v, table, table_bytes))
    return reject(v, OCL_MODEL_BAD_TABLE, at, "the size of the table is invalid");
  return OCL_OK;
}

// position_out: 0 if the field is absent. `table` has passed check_vtable().
static ocl_status check_field(const verifier* v, uint32_t table, uint32_t id, uint32_t size_bytes, const path* at,
                              uint32_t* position_out) {
  *position_out = ocl_flatbuffer_field_position(v->bytes, table, id);
  if (*position_out == 0) return OCL_OK;
  const uint32_t vtable = table - ocl_flatbuffer_load_u32(v->bytes, table);
  const uint32_t table_bytes = ocl_flatbuffer_load_u16(v->bytes, vtable + 2);
  const uint32_t offset = *position_out - table;
  if (offset < 4 || offset + size_bytes > table_bytes)
    return reject(v, OCL_MODEL_BAD_TABLE, at, "field reaches outside its table");
  if (*position_out % size_bytes != 0) return reject(v, OCL_MODEL_MISALIGNED, at, "field is not aligned");
  return OCL_OK;
}

static ocl_status check_vector(verifier* v, uint32_t target, uint32_t element_bytes, const path* at) {
  const uint64_t count = ocl_flatbuffer_load_u32(v->bytes, target);
  const uint64_t elements = (uint64_t)target + 4;
  if (!is_inside(v, elements, count * element_bytes))
    return reject(v, OCL_MODEL_BAD_VECTOR, at, "vector reaches outside the file");
  if (count > 0 && elements % element_bytes != 0)
    return reject(v, OCL_MODEL_MISALIGNED, at, "vector's elements are not aligned");
  return spend(v, element_bytes == 1 ? 4 : 4 + count * element_bytes, at);
}

static ocl_status check_string(verifier* v, uint32_t target, const path* at) {
  const uint64_t length = ocl_flatbuffer_load_u32(v->bytes, target);
  if (!is_inside(v, (uint64_t)target + 4, length + 1))
    return reject(v, OCL_MODEL_BAD_STRING, at, "string reaches outside the file");
  if (v->bytes[(uint64_t)target + 4 + length] != 0)
    return reject(v, OCL_MODEL_BAD_STRING, at, "string does not end in NUL");
  return spend(v, 4 + length + 1, at);
}

// The fields of the union member of this type; no fields if the schema does not list it.
static ocl_flatbuffer_schema find_member(const ocl_flatbuffer_schema* members, uint8_t type) {
  const ocl_flatbuffer_field *at = members->fields, *end = at + members->num_fields;
  while (at < end && (at->kind != OCL_FLATBUFFER_MEMBER || at->id != type)) at++;
  if (at == end) return (ocl_flatbuffer_schema){0, NULL};
  const ocl_flatbuffer_field* first = ++at;
  while (at < end && at->kind != OCL_FLATBUFFER_MEMBER) at++;
  return (ocl_flatbuffer_schema){(uint16_t)(at - first), first};
}

static ocl_status check_table(verifier* v, uint32_t table, const ocl_flatbuffer_schema* schema, const path* at);

static ocl_status check_tables(verifier* v, uint32_t target, const ocl_flatbuffer_schema* schema, const path* at) {
  OCL_TRY(check_vector(v, target, 4, at));
  const uint32_t count = ocl_flatbuffer_load_u32(v->bytes, target);
  for (uint32_t i = 0; i < count; i++) {
    const path element = {at->parent, at->name, i};
    uint32_t table = 0;
    OCL_TRY(check_offset(v, (uint64_t)target + 4 + 4 * (uint64_t)i, &element, &table));
    OCL_TRY(check_table(v, table, schema, &element));
  }
  return OCL_OK;
}

static ocl_status check_union(verifier* v, uint32_t table, const ocl_flatbuffer_field* field, uint32_t target,
                              const path* at) {
  uint32_t type_position;
  OCL_TRY(check_field(v, table, field->id - 1u, 1, at, &type_position));
  const uint8_t type = type_position == 0 ? 0 : v->bytes[type_position];
  const ocl_flatbuffer_schema schema = find_member(field->tables, type);
  return check_table(v, target, &schema, at);
}

static ocl_status check_content(verifier* v, uint32_t table, const ocl_flatbuffer_field* field, const path* at) {
  const bool is_scalar = field->kind == OCL_FLATBUFFER_SCALAR;
  uint32_t position = 0, target = 0;
  OCL_TRY(check_field(v, table, field->id, is_scalar ? field->element_bytes : 4, at, &position));
  if (position == 0 || is_scalar) return OCL_OK;
  OCL_TRY(check_offset(v, position, at, &target));
  switch (field->kind) {
    case OCL_FLATBUFFER_STRING: return check_string(v, target, at);
    case OCL_FLATBUFFER_VECTOR: return check_vector(v, target, field->element_bytes, at);
    case OCL_FLATBUFFER_TABLE: return check_table(v, target, field->tables, at);
    case OCL_FLATBUFFER_TABLES: return check_tables(v, target, field->tables, at);
    default: return check_union(v, table, field, target, at);
  }
}

// Schemas are trees, so the recursion is as deep as the schema.
static ocl_status check_table(verifier* v, uint32_t table, const ocl_flatbuffer_schema* schema, const path* at) {
  OCL_TRY(spend(v, 4, at));
  OCL_TRY(check_vtable(v, table, at));
  for (int32_t i = 0; i < schema->num_fields; i++) {
    const path field = {at, schema->fields[i].name, -1};
    OCL_TRY(check_content(v, table, &schema->fields[i], &field));
  }
  return OCL_OK;
}

bool ocl_flatbuffer_has_identifier(const uint8_t* bytes, size_t size_bytes, const char* identifier) {
  return size_bytes >= 8 && memcmp(bytes + 4, identifier, 4) == 0;
}

ocl_status ocl_flatbuffer_verify(const uint8_t* bytes, size_t size_bytes, const ocl_flatbuffer_schema* root,
                                 uint32_t* root_out, ocl_detail* detail) {
  // The limit of FlatBuffers. It keeps every verified position below 2^31.
  if (size_bytes > INT32_MAX) return ocl_status_with_detail(OCL_MODEL_TOO_LARGE, detail, "the file has 2 GiB or more");
  verifier v = {bytes, size_bytes, size_bytes * kMaxVisitsPerByte, detail};
  OCL_TRY(check_offset(&v, 0, NULL, root_out));
  return check_table(&v, *root_out, root, NULL);
}
