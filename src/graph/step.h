// The part of the graph that graph/operators/ may use: values (a graph's tensors), steps (a graph's operators), kinds
// (the functions that implement an operator), and helpers.
#ifndef OCELLI_GRAPH_STEP_H_
#define OCELLI_GRAPH_STEP_H_

#include <xnnpack.h>

#include "graph/graph.h"
#include "tflite/operators.h"

enum { OCL_GRAPH_MAX_ELEMENTS = 1 << 28 };  // of a tensor

typedef struct {
  int32_t top, bottom, left, right;
} ocl_pad_2d;

typedef struct {
  const char* name;
  ocl_dtype dtype;
  ocl_shape shape;
  float scale;  // 0: not quantized
  int32_t zero_point;
  int32_t constant;  // index of the constant tensor in the model; -1: computed. Valid only while building
  int32_t num_uses;  // by operator inputs and graph outputs
  int32_t reader;    // the last operator of the model whose input 0 it is; -1: none
  int32_t storage;   // index of the value whose memory it uses (a reshape's input), or its own index
  // If it is the output of an absorbed PAD or SPACE_TO_BATCH_ND: the padding that its convolution adds.
  ocl_pad_2d padding;
  // If it lies between absorbed SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: the dilation that their convolution gets. 0:
  // it does not.
  int32_t dilation_h, dilation_w;
  uint8_t* known;  // owned: elements known before a run (constants, shape arithmetic); NULL: not known
  bool is_input, is_output;
  bool is_batch_free;     // an input whose dimension 0 is the batch
  bool is_kept_constant;  // `known` is a copy of a constant of the model and stays for the graph's life
  bool is_in_bands;       // never there as a whole: `data` is memory for some rows (bands.c)
  int32_t first_step, last_step;
  void* data;
} ocl_value;

typedef struct ocl_step ocl_step;

// Output row y is computed from input rows y * stride - padding_top on, `span` of them.
typedef struct {
  int64_t span, stride, padding_top;
  bool writes_panels, reads_panels;  // whether run_panel computes its outputs, or from its input, in panels (kernels.h)
} ocl_row_window;

// Output rows `first` to end - 1. The distances, in bytes, are added to the addresses of input and output, and may
// wrap.
typedef struct {
  size_t first, end, input_distance, output_distance;
} ocl_rows;

// The implementation of an operator. `build` is called once (and again if columns are removed), `plan` and `bind` for
// each batch size, `run` for each run.
typedef struct {
  size_t state_bytes;  // size of step->state, which is zeroed before `build`. 0: no state
  // Reads options and constants. NULL: nothing to do.
  ocl_status (*build)(ocl_graph* graph, ocl_step* step, ocl_detail* detail);
  // Checks the input shapes; sets the output shapes, workspace_bytes, multiply_adds and other_work.
  ocl_status (*plan)(ocl_graph* graph, ocl_step* step, ocl_detail* detail);
  // Gives the addresses to step->xnn. Not called if step->xnn is NULL. NULL: nothing to do.
  enum xnn_status (*bind)(ocl_graph* graph, ocl_step* step);
  // NULL: runs step->xnn, if there is one. invalid_parameter: an index that was computed is out of range.
  enum xnn_status (*run)(ocl_graph* graph, ocl_step* step);
  // Frees what the state owns. NULL: it owns nothing.
  void (*drop)(ocl_step* step);
  // The number of classes, for operators whose outputs are detections. NULL for all others.
  int32_t (*num_classes)(const ocl_step* step);
  // Whether each output channel has its own weights, which can be removed: `build` then reads step->columns. NULL: no.
  bool (*makes_columns)(const ocl_step* step);
  // Whether some rows of a feature map [1, H, W, C] can be computed alone, by run_rows on one thread. NULL: no.
  bool (*find_rows)(ocl_graph* graph, const ocl_step* step, ocl_row_window* window_out);
  // Computes some rows of the channels of a panel only. `data` has the output's rows, or those that the input's windows
  // cover, with rows of zeros where they begin before the map or end after it.
  void (*run_panel)(const ocl_step* step, const ocl_rows* rows, size_t panel, float* data);
  void (*run_rows)(const ocl_step* step, const ocl_rows* rows);
  const void* variant;  // parameters that distinguish the operators of one family
} ocl_kind;

// Which columns (indices into the last dimension) of a step's output are computed (columns.c). The model has a multiple
// of `total` columns there; of each `total`, only the `count` columns in `kept` are computed. total 0: all are
// computed.
typedef struct {
  int32_t total, count;
  const int32_t* kept;
} ocl_columns;

// How the last step of a block runs the whole block (bands.c). num_bands 0: it is not the last step of one.
typedef struct {
  size_t num_bands;
  size_t bytes_of_thread;   // of the workspace: each thread has rows of both feature maps of its own
  size_t bytes_of_panel;    // if the first feature map's rows are in panels, one after the other; else 0
  size_t offset_of_second;  // of the second feature map's rows among them, in bytes
  ocl_row_window window;    // of the second step
} ocl_bands;

struct ocl_step {
  const ocl_kind* kind;
  int32_t index;           // of the operator in the model
  ocl_tflite_operator op;  // its arrays are the graph's own copies
  xnn_operator_t xnn;      // owned; NULL: the step does not use XNNPACK
  void* state;             // owned; kind->state_bytes
  ocl_columns columns;
  size_t workspace_bytes;
  void* workspace;
  uint64_t num_parameters, multiply_adds;
  uint64_t other_work;  // in multiply-adds; neither those above nor reading and writing each element once
  double time_us;
  bool is_absorbed;  // the following (or the previous) convolution does what it does; it does not run
  bool is_folded;    // constant folding: it was run at plan time, and its outputs are known
  bool is_in_bands;  // the last step of its block runs it
  ocl_bands bands;
};

// A list of constants in memory of its own.
typedef struct ocl_dense ocl_dense;

struct ocl_graph {
  const ocl_tflite* model;  // only while building
  ocl_dense* dense;         // owned: constants that the file does not store as they are; only while building a step
  uint64_t num_dense;       // elements of all of them
  ocl_thread_pool pool;
  ocl_value* values;
  ocl_step* steps;
  int32_t num_values, num_steps, num_inputs, num_outputs;
  int32_t *inputs, *outputs;
  char* names;       // every value's name
  int32_t* indices;  // every step's inputs and outputs
  int32_t* columns;  // owned: `kept` of every step's columns; NULL: all columns are computed
  int32_t kept;      // index of the value of ocl_graph_kept(), -1: none
  int32_t batch;
  bool is_batch_free;  // some input's is
  // The model computes shapes at run time. TFLite runs such models with its built-in kernels instead of XNNPACK, and
  // the two round differently.
  bool has_builtin_rounding;
  bool is_dynamic_range;  // some operator has float activations and 8-bit weights
  bool has_memory;        // ocl_graph_place() was called: every plan allocates memory
  bool is_placed;         // memory is allocated and bound: the graph can run
  uint8_t* arena;
  size_t arena_bytes;
};

// A step's i-th input and output. ocl_graph_in() returns NULL if an optional input is absent.
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
// Integers that are not quantized: shapes, indices.
static inline bool ocl_graph_is_int(const ocl_value* value) {
  return value->dtype == OCL_INT32 || value->dtype == OCL_INT64;
}
static inline bool ocl_graph_is_same_quantization(const ocl_value* a, const ocl_value* b) {
  return a->scale == b->scale && a->zero_point == b->zero_point;
}
static inline size_t ocl_graph_size_bytes(const ocl_value* value) {
  return ocl_shape_num_elements(&value->shape) * ocl_dtype_size_bytes(value->dtype);
}

// Returns `status` and writes "operator 12 (CONV_2D): …" to `detail` (may be NULL).
ocl_status ocl_graph_reject(const ocl_step* step, ocl_status status, ocl_detail* detail, const char* format, ...)
    __attribute__((format(printf, 4, 5)));
// Translates an XNNPACK status; rejects `step` if XNNPACK does.
ocl_status ocl_graph_check_xnn(const ocl_step* step, enum xnn_status status, ocl_detail* detail);

// The same after step->xnn was created: XNNPACK may report success although there was no memory for it.
ocl_status ocl_graph_check_created(const ocl_step* step, enum xnn_status status, ocl_detail* detail);

// ---- checks that operators share ----

// Input 0 and output 0 have the same dtype.
ocl_status ocl_graph_check_same_dtype(ocl_graph* graph, const ocl_step* step, ocl_detail* detail);
// The first `count` inputs and output 0 are all float, or all quantized with the same 8-bit dtype.
ocl_status ocl_graph_check_float_or_8_bit(ocl_graph* graph, const ocl_step* step, int32_t count, ocl_detail* detail);
// Input `input` and all outputs have the same dtype and the same quantization, if any.
ocl_status ocl_graph_check_moves(ocl_graph* graph, const ocl_step* step, int32_t input, ocl_detail* detail);
// Input 0 and output 0 have the same dtype, float or 8 bits, and the same quantization.
ocl_status ocl_graph_check_same_quantization(ocl_graph* graph, const ocl_step* step, ocl_detail* detail);
ocl_status ocl_graph_check_rank_4(ocl_graph* graph, const ocl_step* step, ocl_detail* detail);

// ---- constants ----

// The model's tensor of a constant input. UNSUPPORTED_OPERATOR: the input is computed. Only while building.
ocl_status ocl_graph_constant(ocl_graph* graph, const ocl_step* step, int32_t input, ocl_tflite_tensor* tensor_out,
                              ocl_detail* detail);
// Tensor `index` of the model, dense. Valid until ocl_graph_free_dense().
ocl_status ocl_graph_read_tensor(ocl_graph* graph, int32_t index, ocl_tflite_tensor* tensor_out, ocl_detail* detail);
void ocl_graph_free_dense(ocl_graph* graph);
// Copies up to `max` integers out of a known INT32 or INT64 input.
ocl_status ocl_graph_known_ints(ocl_graph* graph, const ocl_step* step, int32_t input, int32_t max, int32_t* ints_out,
                                int32_t* count_out, ocl_detail* detail);
// The known output size [height, width] of a resize, each 1 to 65535.
ocl_status ocl_graph_known_size(ocl_graph* graph, const ocl_step* step, int32_t input, int32_t size_out[2],
                                ocl_detail* detail);

// ---- shapes ----

// An axis counted from the first dimension (0) or the last (-1), as 0 to rank - 1. MODEL_BAD_GRAPH: it is neither.
ocl_status ocl_graph_axis(const ocl_step* step, int32_t given, int32_t rank, int32_t* axis_out, ocl_detail* detail);
// The product of dimensions `first` to `end` - 1.
size_t ocl_graph_product(const ocl_shape* shape, int32_t first, int32_t end);

// Makes output 0 use the memory of input 0.
void ocl_graph_share_storage(ocl_graph* graph, const ocl_step* step);
// The dimensions as XNNPACK takes them.
void ocl_graph_to_sizes(const ocl_shape* shape, size_t sizes_out[OCL_MAX_RANK]);
// Dimension `i`, counted from the last (0); 1 if the shape has no such dimension.
int32_t ocl_graph_dim_from_end(const ocl_shape* shape, int32_t i);
// numpy's broadcasting of two shapes. false: they are incompatible.
bool ocl_graph_broadcast(const ocl_shape* a, const ocl_shape* b, ocl_shape* shape_out);

// A window that slides over H and W of a feature map [N, H, W, C].
typedef struct {
  ocl_padding padding;
  ocl_pad_2d explicit_padding;
  int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
} ocl_window;

// SAME's padding along one dimension, both sides together. The formula is negative if a stride is larger than its
// window.
static inline int64_t ocl_graph_same_padding(int64_t size, int64_t kernel, int64_t stride, int64_t dilation) {
  const int64_t padding = (size - 1) / stride * stride + (kernel - 1) * dilation + 1 - size;
  return padding > 0 ? padding : 0;
}

// Sets output 0's shape to [N, h, w, channels].
ocl_status ocl_graph_plan_window(ocl_graph* graph, const ocl_step* step, const ocl_window* window, int32_t channels,
                                 ocl_detail* detail);

// ---- numbers ----

struct xnn_quantization_params ocl_graph_quantization_of(const ocl_value* value);
// false: the value is neither float nor quantized to 8 bits.
bool ocl_graph_datatype_of(const ocl_value* value, enum xnn_datatype* datatype_out);

// The bounds of a fused activation, as real numbers and as quantized values of `output`.
void ocl_graph_activation_bounds(ocl_activation activation, float* min_out, float* max_out);
void ocl_graph_stored_bounds(const ocl_value* output, ocl_activation activation, int32_t* min_out, int32_t* max_out);
// A real number quantized with the scale and zero point of `value`, saturated to its dtype.
int32_t ocl_graph_quantize(float real, const ocl_value* value);
// A byte of an 8-bit value as the signed or unsigned integer that the value's dtype says.
int32_t ocl_graph_stored_at(const ocl_value* value, uint8_t byte);
// Element `i` of a float or 8-bit value as a real number.
float ocl_graph_real_at(const ocl_value* value, size_t i);
void ocl_graph_store_at(const ocl_value* value, size_t i, float real);
// Element `i` of a value that is not float, as stored; of a bool, 0 or 1.
int64_t ocl_graph_whole_at(const ocl_value* value, size_t i);
// Keeps the low bits of `whole`.
void ocl_graph_store_whole_at(const ocl_value* value, size_t i, int64_t whole);
// Arithmetic on such elements. Sums and products wrap around.
int64_t ocl_graph_add_wholes(int64_t a, int64_t b);
int64_t ocl_graph_multiply_wholes(int64_t a, int64_t b);
int64_t ocl_graph_larger_whole(int64_t a, int64_t b);
int64_t ocl_graph_smaller_whole(int64_t a, int64_t b);
// Fills a lookup table from quantized input byte to quantized output byte of f.
float ocl_graph_identity(float x);
void ocl_graph_fill_table(uint8_t table[256], float (*f)(float x), const ocl_value* input, const ocl_value* output);

#endif  // OCELLI_GRAPH_STEP_H_
