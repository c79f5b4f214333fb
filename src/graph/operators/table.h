// Maps a row of operators.def to its implementation.
#ifndef OCELLI_GRAPH_OPERATORS_TABLE_H_
#define OCELLI_GRAPH_OPERATORS_TABLE_H_

#include "graph/step.h"

// One kind for each operator that ocelli runs (ocl_kind_ADD, ocl_kind_CONV_2D …), defined in the file of its family.
#define OPERATOR(name, code, options, min_inputs, max_inputs, outputs, maps, int8, version, flags) \
  extern const ocl_kind ocl_kind_##name;
#define CUSTOM_OPERATOR(name, inputs, outputs, flags) extern const ocl_kind ocl_kind_##name;
#include "tflite/operators.def"

const ocl_kind* ocl_operators_kind(const ocl_operator* row);

#endif  // OCELLI_GRAPH_OPERATORS_TABLE_H_
