// Shared by the operators with weights: convolutions and the fully connected layer. Sums are the accumulators: sums of
// products of inputs and weights, before rounding, bias and activation.
#ifndef OCELLI_GRAPH_OPERATORS_CONV_H_
#define OCELLI_GRAPH_OPERATORS_CONV_H_

#include "graph/step.h"

// Which code turns accumulators into outputs.
typedef enum {
  OCL_CONV_XNNPACK,
  OCL_CONV_HYBRID,         // conv_sums.c: float activations, 8-bit weights
  OCL_CONV_ROUNDED_TWICE,  // conv_sums.c: 8 bits, in a graph that has_builtin_rounding
  OCL_CONV_BUILTIN,        // conv_builtin.c: float, without XNNPACK
} ocl_conv_sums;

// Output rows that share one row of input pointers (conv_rows.c).
typedef struct {
  size_t first_shared, num_shared;  // num_shared 0: each pixel has pointers of its own, or needs none
  size_t input_stride_bytes;        // between the inputs of neighbouring output rows
  size_t num_pointers;              // for one output row
  size_t first_wide, end_wide;      // columns of shared rows whose windows' rows are one tap each
} ocl_conv_rows;

typedef struct {
  bool is_depthwise, is_fully_connected;
  ocl_activation activation;
  ocl_padding padding_mode;
  ocl_pad_2d padding;  // explicit padding; padding_mode is then VALID
  int32_t kernel[4];   // dimensions: [O, kH, kW, I]; depthwise [1, kH, kW, O]; fully connected [O, I]
  int32_t channels;    // input channels at build time
  ocl_conv_sums sums;
  void* channel_factors;  // owned: data for each output channel, private to conv_sums.c or conv_builtin.c
  ocl_conv_rows rows;
} ocl_conv;

static inline ocl_conv* ocl_conv_of(const ocl_step* step) {
  return step->state;
}

// Kernel and bias in the form that XNNPACK packs from. They exist only while the operator is built.
typedef struct {
  ocl_dtype dtype;  // of activations: FLOAT32, INT8, UINT8
  ocl_shape shape;  // of the kernel, without removed columns
  const void* kernel;
  bool is_stored;            // XNNPACK packs `stored`; `kernel` is scratch memory
  ocl_tflite_tensor stored;  // the constant
  const void* bias;          // float or int32; NULL: none
  float* scales;             // of 8-bit kernels: one for each output channel
  float kernel_scale;
  uint8_t kernel_zero_point;
  void* owned[3];
} ocl_conv_weights;

// conv_weights.c
// Reads inputs 1 (kernel, of rank `rank`) and 2 (bias, optional), and sets the state's `sums`. Free the result with
// ocl_conv_free_weights(), on failure too.
ocl_status ocl_conv_read_weights(ocl_graph* graph, ocl_step* step, int32_t rank, int32_t output_axis,
                                 ocl_conv_weights* weights_out, ocl_detail* detail);
void ocl_conv_free_weights(ocl_conv_weights* weights);
// MODEL_TOO_LARGE: the weights as XNNPACK packs them would be too large.
ocl_status ocl_conv_check_packed_size(const ocl_step* step, uint64_t groups, uint64_t group_outputs,
                                      uint64_t inputs_per_output, ocl_detail* detail);
// The dtype of XNNPACK's operator.
ocl_dtype ocl_conv_inner_dtype(ocl_graph* graph, const ocl_step* step);

// conv.c
// Whether the operator can add the padding of a PAD before it.
bool ocl_conv_can_pad(const ocl_tflite_operator* op);
// Whether the operator, between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND, is a dilated convolution.
bool ocl_conv_can_dilate(const ocl_tflite_operator* op);
// `run` of all operators with weights.
enum xnn_status ocl_conv_run(ocl_graph* graph, ocl_step* step);
// How its input, of the shape that it has now, is padded.
ocl_pad_2d ocl_conv_padding(ocl_graph* graph, const ocl_step* step);
void ocl_conv_drop(ocl_step* step);
// `makes_columns` of CONV_2D: true unless the convolution is grouped.
bool ocl_conv_makes_columns(const ocl_step* step);

// conv_sums.c
// HYBRID, ROUNDED_TWICE: stores scales and biases in the state and replaces the kernel in `weights` by its stored
// integers as floats, so that XNNPACK's float operator computes the accumulators.
ocl_status ocl_conv_prepare_sums(ocl_graph* graph, ocl_step* step, size_t channels, ocl_conv_weights* weights);
// Size of the part of the step's workspace, at its start, that conv_sums.c uses.
size_t ocl_conv_sums_bytes(ocl_graph* graph, const ocl_step* step);
// Where XNNPACK's operator reads and writes: in the workspace, or the step's input and output.
const void* ocl_conv_sums_input(ocl_graph* graph, const ocl_step* step);
void* ocl_conv_sums_output(ocl_graph* graph, const ocl_step* step);
// Call them before and after XNNPACK's operator.
void ocl_conv_begin_sums(ocl_graph* graph, ocl_step* step);
void ocl_conv_finish_sums(ocl_graph* graph, ocl_step* step);

// conv_builtin.c
// Copies kernel and bias (NULL: none) into the state, for ocl_conv_run_builtin().
ocl_status ocl_conv_build_builtin(ocl_step* step, const float* kernel, const float* bias);
void ocl_conv_run_builtin(ocl_graph* graph, ocl_step* step);

// conv_rows.c
// Call it before reshaping XNNPACK's operator. false: leave this operator to XNNPACK (it has no indirection buffer, or
// shared rows are off).
bool ocl_conv_prepare_rows(ocl_step* step);
// Call it after reshaping. Sets num_shared to 0 if XNNPACK is faster for this shape; then reshape the operator again.
ocl_status ocl_conv_share_rows(ocl_step* step);
// false: XNNPACK must run the operator.
bool ocl_conv_run_rows(ocl_graph* graph, ocl_step* step);
// `find_rows`, `run_panel` and `run_rows` of a kind.
bool ocl_conv_find_rows(ocl_graph* graph, const ocl_step* step, ocl_row_window* window_out);
void ocl_conv_run_panel(const ocl_step* step, const ocl_rows* rows, size_t panel, float* data);
void ocl_conv_run_some_rows(const ocl_step* step, const ocl_rows* rows);

#endif  // OCELLI_GRAPH_OPERATORS_CONV_H_
