#include "graph/operators/table.h"

static const ocl_kind* const kKinds[OCL_NUM_OPERATORS] = {
#define OPERATOR(name, code, options, min_inputs, max_inputs, outputs, maps, int8, version, flags) &ocl_kind_##name,
#define CUSTOM_OPERATOR(name, inputs, outputs, flags) &ocl_kind_##name,
#include "tflite/operators.def"
};

const ocl_kind* ocl_operators_kind(const ocl_operator* row) {
  return kKinds[row - ocl_operators];
}
