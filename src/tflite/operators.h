// The rows of operators.def as data: what an operator is called, what it takes, how its options are read and checked.
#ifndef OCELLI_OPERATORS_H_
#define OCELLI_OPERATORS_H_

#include "tflite/flatbuffer.h"
#include "tflite/tflite.h"

enum { OCL_OPERATORS_ANY = 255 };  // inputs, outputs or maps: as many as the file likes

// What generic code asks of an operator.
enum {
  OCL_OPERATOR_PACKS_WEIGHTS = 1,   // constants after its first input are read while building, and not kept
  OCL_OPERATOR_IGNORES_VALUES = 2,  // its output follows from its inputs' shapes
  OCL_OPERATOR_TAKES_EMPTY = 4,     // an input may have no elements
  OCL_OPERATOR_UNPACKS = 8,         // of a constant, its output is that constant, which its readers take as floats
  // Elements of its maps become elements of its output one by one, in order along each of the last dimension's columns:
  // a column of the output (modulo the columns) is made of the same column of each map, and of nothing else.
  OCL_OPERATOR_KEEPS_COLUMNS = 16,
};

struct ocl_operator {
  const char* name;  // of a custom operator: the name that files have
  uint8_t opcode;    // BuiltinOperator
  uint8_t options;   // number of its options table in the union BuiltinOptions; 0: it has none
  uint8_t least_inputs, most_inputs;
  uint8_t outputs;
  uint8_t maps;  // how many inputs, the first ones, are feature maps
  uint8_t flags;
};

enum {
#define OPERATOR(name, code, options, least_inputs, most_inputs, outputs, maps, int8, version, flags) \
  OCL_OPERATOR_ROW_##name,
#define CUSTOM_OPERATOR(name, inputs, outputs, flags) OCL_OPERATOR_ROW_##name,
#include "tflite/operators.def"
  OCL_NUM_OPERATORS
};
extern const ocl_operator ocl_operators[OCL_NUM_OPERATORS];  // in the order of operators.def

// NULL: ocelli does not run it.
const ocl_operator* ocl_operators_find(int32_t opcode, const char* custom_name);
// "CONV_2D"; operators that ocelli does not run have names, too. NULL: a number that ocelli does not know. Static.
const char* ocl_operators_name(int32_t opcode);

// The options tables, for ocl_flatbuffer_verify(): fields of one after the other, as a union has them.
extern const ocl_flatbuffer_schema ocl_operators_options;
// Reads the verified table of `row`'s options, 0: the file has none. Fields that are absent get TFLite's defaults.
void ocl_operators_read_options(const uint8_t* bytes, uint32_t table, const ocl_operator* row,
                                ocl_tflite_options* options_out);
// MODEL_BAD_OPTION: a field is out of its range. MODEL_UNSUPPORTED_FEATURE. `detail`: "stride_h is 0".
ocl_status ocl_operators_check_options(const uint8_t* bytes, uint32_t table, const ocl_operator* row,
                                       ocl_detail* detail);

#endif  // OCELLI_OPERATORS_H_
