// A network as its generator makes it (generator.c), and its .tflite file.
#ifndef OCELLI_TESTS_FUZZ_NETWORK_H_
#define OCELLI_TESTS_FUZZ_NETWORK_H_

#include "fuzz.h"
#include "tflite/operators.h"

enum { MAX_TENSORS = 160, MAX_OPERATORS = 32, MAX_CHANNELS = 48, MAX_IO = 16, MAX_OPTIONS = 8 };

typedef struct {
  ocl_dtype dtype;
  ocl_shape shape;
  bool is_batch_free;
  // The rows along dimension 0 are the images of a batch, each computed from its own image only.
  bool is_batched;
  bool is_mixed;  // it depends on the batch in another way
  int32_t num_scales, axis;
  float scales[MAX_CHANNELS];
  int64_t zero_points[MAX_CHANNELS];
  uint8_t* data;  // of a constant, owned; NULL: computed
  size_t data_bytes;
} net_tensor;

typedef struct {
  uint8_t id;
  uint8_t num_ints;  // 0: a scalar
  bool is_ints;
  uint64_t value;  // its bits
  int32_t ints[OCL_MAX_RANK];
} net_option;

typedef struct {
  const ocl_operator* row;
  int32_t inputs[MAX_IO], outputs[4], num_inputs, num_outputs, num_options;
  net_option options[MAX_OPTIONS];
  uint8_t custom[400];
  uint32_t custom_bytes;
} net_operator;

typedef struct {
  net_tensor tensors[MAX_TENSORS];
  net_operator operators[MAX_OPERATORS];
  int32_t num_tensors, num_operators;
  int32_t inputs[8], outputs[24], num_inputs, num_outputs;
  bool is_batch_free;
  // Small differences of its numbers stay small: nothing is rounded to 8 bits, and no place of a largest is given.
  bool is_smooth;
} network;

// Decides everything by the bytes. Call net_free() afterwards.
void net_generate(fuzz_bytes* b, network* net);
void net_free(network* net);

// The file (caller frees).
uint8_t* net_write(const network* net, size_t* size_bytes_out);

#endif  // OCELLI_TESTS_FUZZ_NETWORK_H_
