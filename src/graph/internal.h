// What graph.c and graph_*.c share: values (tensors at work), steps (operators at work), kinds (how each is worked).
#ifndef OCELLI_GRAPH_INTERNAL_H_
#define OCELLI_GRAPH_INTERNAL_H_

#include <xnnpack.h>

#include "detect/detection_postprocess.h"
#include "graph/graph.h"

typedef struct {
  int32_t top, bottom, left, right;
} ocl_pad_2d;

typedef struct {
  const char* name;
  ocl_dtype dtype;
  ocl_shape shape;
  float scale;  // 0: not quantized
  int32_t zero_point;
  int32_t constant;  // index of the model's tensor that holds its elements, -1: computed. Only while building
  int32_t num_uses;
  int32_t storage;     // the value whose memory it shares (a reshape's input); its own index if none
  ocl_pad_2d padding;  // of a PAD that its one consumer, a convolution, does itself
  uint8_t* known;      // owned: elements known before a run (kept constants, shape arithmetic); NULL: not known
  bool is_input, is_output, is_kept;
  int32_t first_step, last_step;
  void* data;
} ocl_value;

typedef struct ocl_step ocl_step;

// Who makes an operator's outputs of its sums of products.
typedef enum {
  OCL_SUMS_OF_XNNPACK,
  OCL_SUMS_HYBRID,         // graph_sums.c: float activations, 8-bit weights
  OCL_SUMS_ROUNDED_TWICE,  // graph_sums.c: 8 bits, in a graph that has_builtin_rounding
} ocl_sums;

// How an operator is worked. Everything is called in this order, plan and bind anew for each batch size.
typedef struct {
  // Reads the options and the constants. NULL: nothing to do.
  ocl_status (*build)(ocl_graph* graph, ocl_step* step, ocl_detail* detail);
  // Input shapes -> output shapes, all checked; workspace; multiply-adds and other work.
  ocl_status (*plan)(ocl_graph* graph, ocl_step* step, ocl_detail* detail);
  // Hands the addresses to XNNPACK. NULL: nothing to do.
  enum xnn_status (*bind)(ocl_graph* graph, ocl_step* step);
  // Used where step->xnn is NULL. NULL too: nothing to do at run time.
  void (*run)(ocl_graph* graph, ocl_step* step);
} ocl_kind;

// Rows of a convolution's output whose inputs have the same offsets (graph_rows.c).
typedef struct {
  size_t first_alike, num_alike;  // num_alike 0: XNNPACK runs the operator
  size_t input_stride_bytes;      // between the inputs of two rows that follow each other
  size_t num_pointers;            // to a row's inputs
} ocl_shared_rows;

struct ocl_step {
  const ocl_kind* kind;
  int32_t index;           // of the operator in the model
  ocl_tflite_operator op;  // its arrays are the graph's own copies
  xnn_operator_t xnn;
  xnn_operator_t clamp;                    // a fused activation that XNNPACK does not fuse: in place on the output
  void* channel_factors;                   // owned: what graph_sums.c or graph_builtin.c needs per output channel
  uint8_t* table;                          // owned: 256 bytes per quantized input, stored -> stored
  ocl_detection_postprocess* postprocess;  // owned
  int32_t num_classes;                     // of a post-processing
  ocl_pad_2d padding;                      // explicit padding of a convolution
  int32_t kernel[4];                       // its kernel's dimensions
  int32_t channels;                        // of the input it was built for
  ocl_sums sums;
  ocl_shared_rows rows;
  size_t outer;  // of a joining along an axis: the product of the dimensions before it
  struct {
    int32_t start[OCL_MAX_RANK], step[OCL_MAX_RANK], count[OCL_MAX_RANK];
  } pick;  // of a slice or tiling: which input elements, along each of the input's dimensions
  // Of what makes columns that nobody asked for (graph_columns.c): the last dimension counts `total` of them, once or
  // several times, and of each time `count` are left. total 0: all are.
  struct {
    int32_t total, count;
    const int32_t* kept;
  } columns;
  size_t workspace_bytes;
  void* workspace;
  uint64_t num_parameters, multiply_adds;
  uint64_t other_work;  // beyond them and beyond reading and writing each element once, as that many multiply-adds
  double time_us;
  bool is_fused_away;  // a PAD that its convolution does
  bool is_folded;      // its outputs are known: done at plan time
};

struct ocl_graph {
  const ocl_tflite* model;  // only while building
  ocl_thread_pool pool;
  ocl_value* values;
  ocl_step* steps;
  int32_t num_values, num_steps, num_inputs, num_outputs;
  int32_t *inputs, *outputs;
  char* names;       // every value's name
  int32_t* indices;  // every step's inputs and outputs
  int32_t* columns;  // see the steps'
  int32_t kept;      // a value, -1: none
  int32_t batch;
  bool is_batch_free;
  // TFLite's default, XNNPACK, takes no graph whose shapes are computed at run time: such a graph's numbers are those
  // of TFLite's built-in kernels, which round elsewhere.
  bool has_builtin_rounding;
  bool is_dynamic_range;  // some weights are 8-bit, activations float
  bool has_memory;        // since ocl_graph_place(): each plan takes some
  bool is_placed;         // can be run
  uint8_t* arena;
  size_t arena_bytes;
};

// Shapes for a batch size and, where the graph has memory, addresses. On failure it cannot be run.
ocl_status ocl_graph_plan(ocl_graph* graph, int32_t batch, ocl_detail* detail);

// The kind for an operator, NULL: outside the set.
const ocl_kind* ocl_graph_find_kind(const ocl_tflite_operator* op);

// graph_conv.c
extern const ocl_kind ocl_graph_conv, ocl_graph_depthwise_conv, ocl_graph_fully_connected;
// graph_sums.c
// Keeps what makes outputs of a step's sums: scales [channels], biases [channels] of the operator's bias dtype, or
// NULL.
ocl_status ocl_graph_build_sums(ocl_graph* graph, ocl_step* step, const float* scales, const void* biases,
                                size_t channels);
// The caller frees.
ocl_status ocl_graph_whole_numbers(const int8_t* numbers, size_t count, float** floats_out);
// How much of the step's workspace, from its start, is for sums.
size_t ocl_graph_sums_bytes(ocl_graph* graph, const ocl_step* step);
// Where XNNPACK's operator reads and writes: in the workspace, or the step's own input and output.
const void* ocl_graph_sums_input(ocl_graph* graph, const ocl_step* step);
void* ocl_graph_sums_output(ocl_graph* graph, const ocl_step* step);
// Before XNNPACK's operator, and after it.
void ocl_graph_begin_sums(ocl_graph* graph, ocl_step* step);
void ocl_graph_finish_sums(ocl_graph* graph, ocl_step* step);
// graph_builtin.c
// Copies kernel and bias (NULL: none) of a convolution, dense or depthwise, that ocl_graph_run_builtin_conv() is to
// run.
ocl_status ocl_graph_build_builtin_conv(ocl_step* step, const float* kernel, const float* bias);
void ocl_graph_run_builtin_conv(ocl_graph* graph, ocl_step* step);
void ocl_graph_run_builtin_resize(ocl_graph* graph, ocl_step* step);  // INT8
// graph_columns.c
// Of a step that leaves columns out: leaves their rows [row_bytes] out of `*rows`, of which there are `num_rows`, one
// an output channel. What is left is *owned, which is freed before. NULL stays NULL.
ocl_status ocl_graph_keep_rows(const ocl_step* step, int32_t num_rows, size_t row_bytes, const void** rows,
                               void** owned);
// graph_rows.c
// Before XNNPACK's operator is reshaped. false: it reads no windows, or XNNPACK's way is wanted.
bool ocl_graph_prepare_rows(ocl_step* step);
// After. Leaves step->rows.num_alike 0 where XNNPACK's way is the better one; then it is to be reshaped once more.
ocl_status ocl_graph_share_rows(ocl_step* step);
void ocl_graph_run_rows(ocl_graph* graph, ocl_step* step);
// graph_pool.c
extern const ocl_kind ocl_graph_max_pool, ocl_graph_average_pool;
// graph_math.c
extern const ocl_kind ocl_graph_add, ocl_graph_sub, ocl_graph_mul, ocl_graph_unary, ocl_graph_softmax, ocl_graph_mean,
    ocl_graph_resize, ocl_graph_detection_postprocess;
// graph_shape.c
extern const ocl_kind ocl_graph_pad, ocl_graph_reshape, ocl_graph_transpose, ocl_graph_concatenation, ocl_graph_shape,
    ocl_graph_strided_slice, ocl_graph_pack, ocl_graph_tile, ocl_graph_resize_nearest;

// A step's i-th input and output. ocl_graph_in() is NULL for an optional input left out.
static inline ocl_value* ocl_graph_in(ocl_graph* graph, const ocl_step* step, int32_t i) {
  if (i >= step->op.num_inputs || step->op.inputs[i] < 0) return NULL;
  return &graph->values[step->op.inputs[i]];
}
static inline ocl_value* ocl_graph_out(ocl_graph* graph, const ocl_step* step, int32_t i) {
  return &graph->values[step->op.outputs[i]];
}

static inline bool ocl_graph_is_quantized(const ocl_value* value) {
  return (value->dtype == OCL_INT8 || value->dtype == OCL_UINT8) && value->scale > 0;
}
static inline size_t ocl_graph_size_bytes(const ocl_value* value) {
  return ocl_shape_num_elements(&value->shape) * ocl_dtype_size_bytes(value->dtype);
}
static inline int32_t ocl_graph_stored_min(ocl_dtype dtype) {
  return dtype == OCL_INT8 ? -128 : 0;
}
static inline int32_t ocl_graph_stored_max(ocl_dtype dtype) {
  return dtype == OCL_INT8 ? 127 : 255;
}

// A rejection of `step`: "operator 12 (CONV_2D): …".
ocl_status ocl_graph_reject(const ocl_step* step, ocl_status status, ocl_detail* detail, const char* format, ...)
    __attribute__((format(printf, 4, 5)));
// OCL_OK, or the rejection that an XNNPACK status means.
ocl_status ocl_graph_check_xnn(const ocl_step* step, enum xnn_status status, ocl_detail* detail);

// graph_limits.c. MODEL_TOO_LARGE, or MODEL_BAD_GRAPH for what is empty.
ocl_status ocl_graph_check_size(const ocl_value* value, ocl_detail* detail);
ocl_status ocl_graph_check_input(ocl_graph* graph, const ocl_step* step, ocl_detail* detail);
ocl_status ocl_graph_check_outputs(ocl_graph* graph, const ocl_step* step, ocl_detail* detail);
// Adds the step's work to that of the steps before it.
ocl_status ocl_graph_check_work(ocl_graph* graph, const ocl_step* step, int32_t batch, uint64_t* work,
                                ocl_detail* detail);

// The model's tensor behind a constant value; MODEL_BAD_GRAPH if the value is computed. Only while building.
ocl_status ocl_graph_constant(ocl_graph* graph, const ocl_step* step, int32_t input, ocl_tflite_tensor* tensor_out,
                              ocl_detail* detail);
// Copies up to `max` integers out of a known INT32 or INT64 input.
ocl_status ocl_graph_known_ints(ocl_graph* graph, const ocl_step* step, int32_t input, int32_t max, int32_t* ints_out,
                                int32_t* count_out, ocl_detail* detail);
// Takes an input's storage for output 0.
void ocl_graph_share_storage(ocl_graph* graph, const ocl_step* step);
// The clamp that step->op's fused activation asks for, as a second XNNPACK operator on output 0.
ocl_status ocl_graph_build_clamp(ocl_graph* graph, ocl_step* step, ocl_activation activation, ocl_detail* detail);

// What slides over the plane of an [N, H, W, C] feature map.
typedef struct {
  ocl_padding padding;
  ocl_pad_2d explicit_padding;
  int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
} ocl_window;

// Sets output 0's shape to [N, h, w, channels].
ocl_status ocl_graph_plan_window(ocl_graph* graph, const ocl_step* step, const ocl_window* window, int32_t channels,
                                 ocl_detail* detail);
ocl_status ocl_graph_check_rank_4(ocl_graph* graph, const ocl_step* step, ocl_detail* detail);

// A fused activation's bounds, as reals and in the stored numbers of a quantized output.
void ocl_graph_activation_bounds(ocl_activation activation, float* min_out, float* max_out);
void ocl_graph_stored_bounds(const ocl_value* output, ocl_activation activation, int32_t* min_out, int32_t* max_out);
int32_t ocl_graph_quantize(float real, const ocl_value* value);
// table[stored input byte] = the stored output byte of a unary operator (OCL_OP_QUANTIZE: the same real value).
void ocl_graph_fill_table(uint8_t table[256], int32_t opcode, const ocl_value* input, const ocl_value* output);

#endif  // OCELLI_GRAPH_INTERNAL_H_
