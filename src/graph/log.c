// XNNPACK calls these functions even if logging is compiled out. These stubs replace its tables of names.
#include <xnnpack.h>

#include "xnnpack/microkernel-type.h"
#include "xnnpack/operator-type.h"

const char* xnn_operator_type_to_string(enum xnn_operator_type type) {
  return (void)type, "";
}
const char* xnn_microkernel_type_to_string(enum xnn_microkernel_type type) {
  return (void)type, "";
}
const char* xnn_datatype_to_string(enum xnn_datatype type) {
  return (void)type, "";
}
