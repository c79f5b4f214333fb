// What the operators with weights share: convolutions and the fully connected layer.
#ifndef OCELLI_GRAPH_OPERATORS_CONV_H_
#define OCELLI_GRAPH_OPERATORS_CONV_H_

#include "graph/step.h"

// Which code turns sums of products into outputs.
typedef enum {
  OCL_CONV_XNNPACK,
  OCL_CONV_HYBRID,         // conv_sums.c: float activations, 8-bit weights
  OCL_CONV_ROUNDED_TWICE,  // conv_sums.c: 8 bits, in a graph that has_builtin_rounding
  OCL_CONV_BUILTIN,        // conv_builtin.c: float, no XNNPACK
} ocl_conv_sums;

// Rows of the output whose inputs have the same offsets (conv_rows.c).
typedef struct {
  size_t first_alike, num_alike;  // num_alike 0: XNNPACK runs the operator
  size_t input_stride_bytes;      // between the inputs of two rows that follow each other
  size_t num_pointers;            // to a row's inputs
} ocl_conv_rows;

typedef struct {
  bool is_depthwise, is_fully_connected;
  ocl_activation activation;
  ocl_padding padding_mode;
  ocl_pad_2d padding;  // explicit, beside VALID
  int32_t kernel[4];   // its dimensions: [O, kH, kW, I]; depthwise [1, kH, kW, O]; fully connected [O, I]
  int32_t channels;    // of the input that it was built for
  ocl_conv_sums sums;
  void* channel_factors;  // owned: what conv_sums.c or conv_builtin.c needs for each output channel
  ocl_conv_rows rows;
} ocl_conv;

static inline ocl_conv* ocl_conv_of(const ocl_step* step) {
  return step->state;
}

// Kernel and bias in the form that XNNPACK packs from, made for the moment of packing.
typedef struct {
  ocl_dtype dtype;  // of activations: FLOAT32, INT8, UINT8
  ocl_shape shape;  // of the kernel, without what was left out of it
  const void* kernel;
  bool are_halves;   // the kernel of a float operator is float16
  const void* bias;  // float or int32; NULL: none
  float* scales;     // of 8-bit kernels: one for each output channel
  float kernel_scale;
  uint8_t kernel_zero_point;
  void* owned[3];
} ocl_conv_weights;

// conv_weights.c
// Reads inputs 1 (kernel, of that rank) and 2 (bias, optional), and decides step's `sums`. Free with
// ocl_conv_free_weights(), on failure too.
ocl_status ocl_conv_read_weights(ocl_graph* graph, ocl_step* step, int32_t rank, int32_t output_axis,
                                 ocl_conv_weights* weights_out, ocl_detail* detail);
void ocl_conv_free_weights(ocl_conv_weights* weights);
// MODEL_TOO_LARGE: XNNPACK's packed form would be.
ocl_status ocl_conv_check_packed_size(const ocl_step* step, uint64_t groups, uint64_t group_outputs,
                                      uint64_t inputs_per_output, ocl_detail* detail);
// The dtype that XNNPACK's operator has.
ocl_dtype ocl_conv_inner_dtype(ocl_graph* graph, const ocl_step* step);

// conv.c
// Whether such an operator, were its input padded explicitly, could do that padding itself.
bool ocl_conv_can_pad(const ocl_tflite_operator* op);
// Input, XNNPACK's operator, output: what `run` is for all operators with weights.
enum xnn_status ocl_conv_run(ocl_graph* graph, ocl_step* step);
void ocl_conv_drop(ocl_step* step);
// `makes_columns` of a layer whose every output takes all inputs.
bool ocl_conv_makes_columns(const ocl_step* step);

// conv_sums.c
// Keeps what makes outputs of a step's sums (HYBRID, ROUNDED_TWICE), and leaves XNNPACK the kernel as whole numbers.
ocl_status ocl_conv_split_sums(ocl_graph* graph, ocl_step* step, size_t channels, ocl_conv_weights* weights);
// How much of the step's workspace, from its start, is for sums.
size_t ocl_conv_sums_bytes(ocl_graph* graph, const ocl_step* step);
// Where XNNPACK's operator reads and writes: in the workspace, or the step's own input and output.
const void* ocl_conv_sums_input(ocl_graph* graph, const ocl_step* step);
void* ocl_conv_sums_output(ocl_graph* graph, const ocl_step* step);
// Before XNNPACK's operator, and after it.
void ocl_conv_begin_sums(ocl_graph* graph, ocl_step* step);
void ocl_conv_finish_sums(ocl_graph* graph, ocl_step* step);

// conv_builtin.c
// Copies kernel and bias (NULL: none) of a convolution that ocl_conv_run_builtin() is to run.
ocl_status ocl_conv_build_builtin(ocl_step* step, const float* kernel, const float* bias);
void ocl_conv_run_builtin(ocl_graph* graph, ocl_step* step);

// conv_rows.c
// Before XNNPACK's operator is reshaped. false: it reads no windows, or XNNPACK's way is wanted.
bool ocl_conv_prepare_rows(ocl_step* step);
// After. Leaves num_alike 0 where XNNPACK's way is the better one; then it is to be reshaped once more.
ocl_status ocl_conv_share_rows(ocl_step* step);
void ocl_conv_run_rows(ocl_graph* graph, ocl_step* step);

#endif  // OCELLI_GRAPH_OPERATORS_CONV_H_
