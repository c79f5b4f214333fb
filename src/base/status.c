#include "base/status.h"

#include <stdarg.h>

#include "base/text.h"

static const char* const kNames[] = {
#define OCL_STATUS_NAME(name, message) #name,
    OCL_STATUS_LIST(OCL_STATUS_NAME)
#undef OCL_STATUS_NAME
};

static const char* const kMessages[] = {
#define OCL_STATUS_MESSAGE(name, message) message,
    OCL_STATUS_LIST(OCL_STATUS_MESSAGE)
#undef OCL_STATUS_MESSAGE
};

const char* ocl_status_name(ocl_status status) {
  return (unsigned)status < OCL_NUM_STATUSES ? kNames[status] : "UNKNOWN";
}

const char* ocl_status_message(ocl_status status) {
  return (unsigned)status < OCL_NUM_STATUSES ? kMessages[status] : "unknown status";
}

ocl_status ocl_status_with_detail(ocl_status status, ocl_detail* detail, const char* format, ...) {
  if (detail == NULL) return status;
  va_list arguments;
  va_start(arguments, format);
  ocl_text_format_list(detail->text, sizeof detail->text, format, arguments);
  va_end(arguments);
  return status;
}
