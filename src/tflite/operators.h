// The rows of operators.def as data: names and arities of operators, and how to read and check their options.
#ifndef OCELLI_OPERATORS_H_
#define OCELLI_OPERATORS_H_

#include "tflite/flatbuffer.h"
#include "tflite/tflite.h"

enum { OCL_OPERATORS_ANY = 255 };  // inputs, outputs or maps: any number

// Properties that generic code needs to know.
enum {
  // Its constant inputs, except input 0 and its feature map, are needed only while it is built.
  OCL_OPERATOR_PACKS_WEIGHTS = 1,
  OCL_OPERATOR_IGNORES_VALUES = 2,  // its output depends only on the shapes of its inputs
  OCL_OPERATOR_TAKES_EMPTY = 4,     // an input may have no elements
  // It converts to float, or makes dense; for a constant input, readers use the constant itself.
  OCL_OPERATOR_UNPACKS = 8,
  // Column c of its output (index in the last dimension, modulo the number of columns) is computed from column c of
  // each feature map only, element by element and in the same order.
  OCL_OPERATOR_KEEPS_COLUMNS = 16,
  OCL_OPERATOR_MAPS_FROM_1 = 32,  // its feature maps start at input 1, or at input 2, not at input 0
  OCL_OPERATOR_MAPS_FROM_2 = 64,
};

struct ocl_operator {
  const char* name;  // BuiltinOperator's name, or the name of a custom operator
  uint8_t opcode;    // BuiltinOperator
  uint8_t options;   // type of its options table in the union BuiltinOptions; 0: no table
  uint8_t min_inputs, max_inputs;
  uint8_t outputs;
  uint8_t maps;  // so many inputs are feature maps
  uint8_t flags;
};

// The index of an operator's first feature map.
static inline int32_t ocl_operators_first_map(const ocl_operator* row) {
  return row->flags & OCL_OPERATOR_MAPS_FROM_1 ? 1 : row->flags & OCL_OPERATOR_MAPS_FROM_2 ? 2 : 0;
}

enum {
#define OPERATOR(name, code, options, min_inputs, max_inputs, outputs, maps, int8, version, flags) \
  OCL_OPERATOR_ROW_##name,
#define CUSTOM_OPERATOR(name, inputs, outputs, flags) OCL_OPERATOR_ROW_##name,
#include "tflite/operators.def"
  OCL_NUM_OPERATORS
};
extern const ocl_operator ocl_operators[OCL_NUM_OPERATORS];  // in the order of operators.def

// NULL: ocelli does not run this operator.
const ocl_operator* ocl_operators_find(int32_t opcode, const char* custom_name);
// A static string such as "CONV_2D", also for operators that ocelli does not run. NULL: an unknown number.
const char* ocl_operators_name(int32_t opcode);

// The options tables as the members of a union, for ocl_flatbuffer_verify().
extern const ocl_flatbuffer_schema ocl_operators_options;
// Reads the verified options table at position `table` (0: absent). Absent fields get TFLite's defaults.
void ocl_operators_read_options(const uint8_t* bytes, uint32_t table, const ocl_operator* row,
                                ocl_tflite_options* options_out);
// MODEL_BAD_OPTION: a field is out of range. MODEL_UNSUPPORTED_FEATURE: ocelli does not implement its value.
// `detail`: "stride_h is 0".
ocl_status ocl_operators_check_options(const uint8_t* bytes, uint32_t table, const ocl_operator* row,
                                       ocl_detail* detail);

#endif  // OCELLI_OPERATORS_H_
