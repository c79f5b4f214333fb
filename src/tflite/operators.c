#include "tflite/operators.h"

#include <float.h>
#include <string.h>

enum { OCL_MAX_STRIDE = 65535 };  // also of filter sizes and dilations

// ---- rows ----

enum {
  ANY = OCL_OPERATORS_ANY,
  PACKS_WEIGHTS = OCL_OPERATOR_PACKS_WEIGHTS,
  IGNORES_VALUES = OCL_OPERATOR_IGNORES_VALUES,
  TAKES_EMPTY = OCL_OPERATOR_TAKES_EMPTY,
  UNPACKS = OCL_OPERATOR_UNPACKS,
  KEEPS_COLUMNS = OCL_OPERATOR_KEEPS_COLUMNS,
  MAPS_FROM_1 = OCL_OPERATOR_MAPS_FROM_1,
  MAPS_FROM_2 = OCL_OPERATOR_MAPS_FROM_2,
};

enum {
  OPTIONS_NUMBER_NONE = 0,
#define OPTIONS(name, number) OPTIONS_NUMBER_##name = number,
#include "tflite/operators.def"
};

const ocl_operator ocl_operators[OCL_NUM_OPERATORS] = {
#define OPERATOR(name, code, options, min_inputs, max_inputs, outputs, maps, int8, version, flags) \
  {#name, code, OPTIONS_NUMBER_##options, min_inputs, max_inputs, outputs, maps, flags},
#define CUSTOM_OPERATOR(name, inputs, outputs, flags) \
  {#name, OCL_OP_CUSTOM, OPTIONS_NUMBER_NONE, inputs, inputs, outputs, inputs, flags},
#include "tflite/operators.def"
};

const ocl_operator* ocl_operators_find(int32_t opcode, const char* custom_name) {
  for (size_t i = 0; i < OCL_NUM_OPERATORS; i++) {
    const ocl_operator* row = &ocl_operators[i];
    if (row->opcode == opcode && (opcode != OCL_OP_CUSTOM || strcmp(row->name, custom_name) == 0)) return row;
  }
  return NULL;
}

const char* ocl_operators_name(int32_t opcode) {
  switch (opcode) {
#define OPERATOR(name, code, options, min_inputs, max_inputs, outputs, maps, int8, version, flags) \
  case code: return #name;
#define KNOWN_BY_NAME(name, code) \
  case code: return #name;
#include "tflite/operators.def"
    case OCL_OP_CUSTOM: return "CUSTOM";
    default: return NULL;
  }
}

// ---- options ----

// kFields and kFieldUses have one entry for each OPTIONS, FIELD, REFUSED and UNREAD row of operators.def, in order.
enum { BYTE_SIZE = 1, ACTIVATION_SIZE = 1, INT_SIZE = 4, FLOAT_SIZE = 4, INTS_SIZE = 4 };
enum {
  BYTE_KIND = OCL_FLATBUFFER_SCALAR,
  ACTIVATION_KIND = OCL_FLATBUFFER_SCALAR,
  INT_KIND = OCL_FLATBUFFER_SCALAR,
  FLOAT_KIND = OCL_FLATBUFFER_SCALAR,
  INTS_KIND = OCL_FLATBUFFER_VECTOR
};

static const ocl_flatbuffer_field kFields[] = {
#define OPTIONS(name, number) OCL_FIELD_MEMBER(#name, number),
#define FIELD(id, type, name, member, absent, min, max) {#name, id, type##_KIND, type##_SIZE, NULL},
#define REFUSED(id, type, name) {#name, id, type##_KIND, type##_SIZE, NULL},
#define UNREAD(id, type, name) {#name, id, type##_KIND, type##_SIZE, NULL},
#include "tflite/operators.def"
};
const ocl_flatbuffer_schema ocl_operators_options = OCL_FLATBUFFER_SCHEMA(kFields);

typedef enum {
  UNREAD_FIELD,
  REFUSED_FIELD,
  BYTE_FIELD,
  ACTIVATION_FIELD,
  INT_FIELD,
  FLOAT_FIELD,
  INTS_FIELD
} field_use;

static const struct {
  uint8_t use;     // field_use
  uint8_t offset;  // in ocl_tflite_options
  float absent, min, max;
} kFieldUses[] = {
#define OPTIONS(name, number) {UNREAD_FIELD, 0, 0, 0, 0},
#define FIELD(id, type, name, member, absent, min, max) \
  {type##_FIELD, offsetof(ocl_tflite_options, member), (float)(absent), (float)(min), (float)(max)},
#define REFUSED(id, type, name) {REFUSED_FIELD, 0, 0, 0, 0},
#define UNREAD(id, type, name) {UNREAD_FIELD, 0, 0, 0, 0},
#include "tflite/operators.def"
};
_Static_assert(sizeof(ocl_padding) == 4 && sizeof(ocl_activation) == 4, "read_field() writes four bytes");

// The index of the first field of a table; *end_out: the index after its last field.
static size_t first_field(const ocl_operator* row, size_t* end_out) {
  const size_t count = sizeof kFields / sizeof *kFields;
  size_t first = 0;
  while (first < count && (kFields[first].kind != OCL_FLATBUFFER_MEMBER || kFields[first].id != row->options)) first++;
  size_t end = ++first;
  while (end < count && kFields[end].kind != OCL_FLATBUFFER_MEMBER) end++;
  *end_out = end;
  return first;
}

static int32_t read_int(const uint8_t* bytes, uint32_t table, const ocl_flatbuffer_field* field, int32_t absent) {
  return field->element_bytes == 1 ? ocl_flatbuffer_i8(bytes, table, field->id, (int8_t)absent)
                                   : ocl_flatbuffer_i32(bytes, table, field->id, absent);
}

static void read_field(const uint8_t* bytes, uint32_t table, size_t i, uint8_t* options) {
  const float absent = kFieldUses[i].absent;
  uint8_t* member = options + kFieldUses[i].offset;
  if (kFieldUses[i].use == INTS_FIELD) {
    uint32_t count;
    const void* ints = ocl_flatbuffer_vector(bytes, table, kFields[i].id, &count);
    memcpy(member, &(ocl_tflite_ints){ints, (int32_t)count}, sizeof(ocl_tflite_ints));
  } else if (kFieldUses[i].use == FLOAT_FIELD) {
    memcpy(member, &(float){ocl_flatbuffer_f32(bytes, table, kFields[i].id, absent)}, 4);
  } else if (kFieldUses[i].use > REFUSED_FIELD) {
    memcpy(member, &(int32_t){read_int(bytes, table, &kFields[i], (int32_t)absent)}, 4);
  }
}

void ocl_operators_read_options(const uint8_t* bytes, uint32_t table, const ocl_operator* row,
                                ocl_tflite_options* options_out) {
  if (row->options == 0) return;
  size_t end;
  for (size_t i = first_field(row, &end); i < end; i++) read_field(bytes, table, i, (uint8_t*)options_out);
}

// The name of an activation of schema.fbs that ocelli does not implement; NULL for other numbers.
static const char* refused_activation(int32_t number) {
  return number == 4 ? "TANH" : number == 5 ? "SIGN_BIT" : NULL;
}

static ocl_status check_field(const uint8_t* bytes, uint32_t table, size_t i, ocl_detail* detail) {
  const char* name = kFields[i].name;
  const field_use use = kFieldUses[i].use;
  if (use == UNREAD_FIELD || use == INTS_FIELD) return OCL_OK;
  if (use == FLOAT_FIELD) {
    const float value = ocl_flatbuffer_f32(bytes, table, kFields[i].id, kFieldUses[i].absent);
    if (value >= kFieldUses[i].min && value <= kFieldUses[i].max) return OCL_OK;
    return ocl_status_with_detail(OCL_MODEL_BAD_OPTION, detail, "%s is out of its range", name);
  }
  const int32_t value = read_int(bytes, table, &kFields[i], (int32_t)kFieldUses[i].absent);
  if (use == REFUSED_FIELD) {
    if (value == 0) return OCL_OK;
    return ocl_status_with_detail(OCL_MODEL_UNSUPPORTED_FEATURE, detail, "%s is %d", name, (int)value);
  }
  if (use == ACTIVATION_FIELD && refused_activation(value) != NULL)
    return ocl_status_with_detail(OCL_MODEL_UNSUPPORTED_FEATURE, detail, "%s is %s", name, refused_activation(value));
  if ((float)value >= kFieldUses[i].min && (float)value <= kFieldUses[i].max) return OCL_OK;
  return ocl_status_with_detail(OCL_MODEL_BAD_OPTION, detail, "%s is %d", name, (int)value);
}

ocl_status ocl_operators_check_options(const uint8_t* bytes, uint32_t table, const ocl_operator* row,
                                       ocl_detail* detail) {
  if (row->options == 0) return OCL_OK;
  size_t end;
  for (size_t i = first_field(row, &end); i < end; i++) OCL_TRY(check_field(bytes, table, i, detail));
  return OCL_OK;
}
