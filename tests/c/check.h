// A test program is a list of RUN(name) lines in main(). For each test it prints "ok NAME", "ok NAME # SKIP REASON" or
// "not ok NAME"; it exits with the number of failed ones. Built with ASan and UBSan by the Makefile, run by
// tests/node/native/native.test.js.
#ifndef OCELLI_TESTS_CHECK_H_
#define OCELLI_TESTS_CHECK_H_

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures_in_test;
static int check_failed_tests;
static char check_skip_reason[160];

#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) {                                                      \
      printf("# %s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #condition); \
      check_failures_in_test++;                                              \
    }                                                                        \
  } while (0)

// |actual - expected| <= tolerance, NaN fails
#define CHECK_NEAR(actual, expected, tolerance)                                                                    \
  do {                                                                                                             \
    const double check_actual_ = (actual), check_expected_ = (expected);                                           \
    if (!(fabs(check_actual_ - check_expected_) <= (tolerance))) {                                                 \
      printf("# %s:%d: %s is %.9g, expected %.9g\n", __FILE__, __LINE__, #actual, check_actual_, check_expected_); \
      check_failures_in_test++;                                                                                    \
    }                                                                                                              \
  } while (0)

// Compares statuses by name, so that a failure reads well.
#define CHECK_STATUS(expression, expected)                                                                        \
  do {                                                                                                            \
    const ocl_status check_status_ = (expression);                                                                \
    if (check_status_ != (expected)) {                                                                            \
      printf("# %s:%d: %s is %s, expected %s\n", __FILE__, __LINE__, #expression, ocl_status_name(check_status_), \
             ocl_status_name(expected));                                                                          \
      check_failures_in_test++;                                                                                   \
    }                                                                                                             \
  } while (0)

// Returns from a test that cannot run here, as skipped. The arguments are printf's.
#define SKIP(...)                                                       \
  do {                                                                  \
    snprintf(check_skip_reason, sizeof check_skip_reason, __VA_ARGS__); \
    return;                                                             \
  } while (0)

#define RUN(test)                                                         \
  do {                                                                    \
    check_failures_in_test = 0;                                           \
    check_skip_reason[0] = 0;                                             \
    test();                                                               \
    check_failed_tests += check_failures_in_test != 0;                    \
    if (check_failures_in_test == 0 && check_skip_reason[0] != 0)         \
      printf("ok %s # SKIP %s\n", #test, check_skip_reason);              \
    else                                                                  \
      printf("%s %s\n", check_failures_in_test ? "not ok" : "ok", #test); \
  } while (0)

#endif  // OCELLI_TESTS_CHECK_H_
