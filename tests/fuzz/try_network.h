// Builds a network and runs it, in one flavour of the library. A program has this file's functions once for each
// flavour: native.mk links each with its own copy of the library, which nothing else of the program can reach.
#ifndef OCELLI_TESTS_FUZZ_TRY_NETWORK_H_
#define OCELLI_TESTS_FUZZ_TRY_NETWORK_H_

#include "base/status.h"
#include "base/tensor.h"
#include "fuzz.h"

enum { TRY_MAX_OUTPUTS = 96, TRY_MAX_COLUMNS = 64, TRY_MAX_BATCH = 3, TRY_MAX_RUNS = 4 };

typedef struct {
  int32_t num_runs;
  // Of each run: the network is built for the first, and set to the others. 0: as the last run, without writing the
  // inputs again.
  int32_t batches[TRY_MAX_RUNS];
  int32_t first_image[TRY_MAX_RUNS];  // the number of the image that is first in the batch
  int32_t feature_step;               // whose output is kept; -1: none
  bool is_cut;                        // the network ends there
  int32_t columns_output;             // whose columns are chosen; -1: none
  uint32_t columns_seed, input_seed;
  // Every tensor and workspace has memory of its own, between canaries; else they share it as in production.
  bool is_unshared;
  uint8_t fill;  // what the memory holds before a run
} trial;

typedef struct {
  int32_t run, index;  // index -1: the features
  ocl_dtype dtype;
  ocl_shape shape;
  float scale;
  size_t offset, size_bytes;  // in `bytes`
} trial_output;

typedef struct {
  ocl_status statuses[TRY_MAX_RUNS];  // of each run
  ocl_status status;                  // of the first call that failed before the runs; OK
  const char* call;                   // its name
  char detail[200];
  bool has_columns;  // they were chosen, and the network then gave them alone
  int32_t columns[TRY_MAX_COLUMNS], num_columns, columns_output;
  int32_t num_steps, num_outputs;
  trial_output outputs[TRY_MAX_OUTPUTS];
  uint8_t* bytes;  // of the outputs (caller frees)
  size_t size_bytes, capacity_bytes;
} trial_result;

void try_network_simd(const uint8_t* model, size_t size_bytes, const trial* t, trial_result* result);
void try_network_relaxed(const uint8_t* model, size_t size_bytes, const trial* t, trial_result* result);

#endif  // OCELLI_TESTS_FUZZ_TRY_NETWORK_H_
