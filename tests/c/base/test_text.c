// Against the C library's own printf.
#include <limits.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"
#include "base/text.h"
#include "check.h"

#define SAME(...)                                                                 \
  do {                                                                            \
    char expected[100], actual[100];                                              \
    const int length = snprintf(expected, sizeof expected, __VA_ARGS__);          \
    CHECK(ocl_text_format(actual, sizeof actual, __VA_ARGS__) == (size_t)length); \
    CHECK(strcmp(actual, expected) == 0);                                         \
  } while (0)

static void test_conversions(void) {
  SAME("nothing");
  SAME("%s and %.3s, %.40s", "one", "twofold", "three");
  SAME("%d %d %d %d", 0, -1, INT_MAX, INT_MIN);
  SAME("%u %u", 0u, UINT_MAX);
  SAME("%lld %lld", (long long)INT64_MIN, (long long)INT64_MAX);
  SAME("%llu %zu!", (unsigned long long)UINT64_MAX, (size_t)SIZE_MAX);
}

static void test_cuts_to_fit(void) {
  char text[8] = "#######";
  CHECK(ocl_text_format(text, 5, "%s", "too long") == 4);
  CHECK(strcmp(text, "too ") == 0 && text[5] == '#');
  CHECK(ocl_text_format(text, 1, "%d", 12) == 0 && text[0] == '\0');
}

// Each status says something of its own; a number that is none has a text, too.
static void test_statuses_have_messages(void) {
  for (int i = 0; i < OCL_NUM_STATUSES; i++) {
    const char* message = ocl_status_message((ocl_status)i);
    CHECK(message[0] != 0);
    for (int k = 0; k < i; k++) CHECK(strcmp(message, ocl_status_message((ocl_status)k)) != 0);
  }
  CHECK(strcmp(ocl_status_message((ocl_status)OCL_NUM_STATUSES), "unknown status") == 0);
  CHECK(strcmp(ocl_status_message((ocl_status)-1), "unknown status") == 0);
}

int main(void) {
  RUN(test_conversions);
  RUN(test_cuts_to_fit);
  RUN(test_statuses_have_messages);
  return check_failed_tests;
}
