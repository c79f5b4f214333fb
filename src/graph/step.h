// What the graph lends to the operators in graph/operators/: values (tensors at work), steps (operators at work), kinds
// (how an operator is worked), and helpers for them.
#ifndef OCELLI_GRAPH_STEP_H_
#define OCELLI_GRAPH_STEP_H_

#include <xnnpack.h>

#include "graph/graph.h"
#include "tflite/operators.h"

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
  ocl_pad_2d padding;  // of a PAD whose one reader, a convolution, does the padding itself
  uint8_t* known;      // owned: elements that are known before a run (constants, shape arithmetic); NULL: not known
  bool is_input, is_output;
  bool is_kept_constant;  // `known` holds a constant of the model, for as long as the graph lives
  int32_t first_step, last_step;
  void* data;
} ocl_value;

typedef struct ocl_step ocl_step;

// How an operator is worked. `build` is called once (again where columns are left out), `plan` and `bind` for each
// batch size, `run` for each run.
typedef struct {
  size_t state_bytes;  // what it remembers of a step (step->state), zeroed before `build`. 0: nothing
  // Reads the options and the constants. NULL: nothing to do.
  ocl_status (*build)(ocl_graph* graph, ocl_step* step, ocl_detail* detail);
  // Input shapes -> output shapes, all checked; workspace; multiply-adds and other work.
  ocl_status (*plan)(ocl_graph* graph, ocl_step* step, ocl_detail* detail);
  // Hands the addresses to XNNPACK's operator. Not called without one. NULL: nothing to do.
  enum xnn_status (*bind)(ocl_graph* graph, ocl_step* step);
  // NULL: runs XNNPACK's operator, if there is one.
  enum xnn_status (*run)(ocl_graph* graph, ocl_step* step);
  // Frees what the state owns. NULL: it owns nothing.
  void (*drop)(ocl_step* step);
  // Of an operator whose outputs are detections: the number of classes. NULL: of any other.
  int32_t (*num_classes)(const ocl_step* step);
  // Whether each channel of the output is made of weights of its own, which can be left out: then `build` heeds
  // step->columns. NULL: no.
  bool (*makes_columns)(const ocl_step* step);
  const void* how;  // what tells the operators of one family apart
} ocl_kind;

// Of a step whose output lacks columns that nobody asked for (columns.c): the last dimension has a multiple of `total`
// columns, and of each `total` of them only those that `kept` lists are left. total 0: all are left.
typedef struct {
  int32_t total, count;
  const int32_t* kept;
} ocl_columns;

struct ocl_step {
  const ocl_kind* kind;
  int32_t index;           // of the operator in the model
  ocl_tflite_operator op;  // its arrays are the graph's own copies
  xnn_operator_t xnn;      // owned; NULL: XNNPACK takes no part
  void* state;             // owned: the kind's
  ocl_columns columns;
  size_t workspace_bytes;
  void* workspace;
  uint64_t num_parameters, multiply_adds;
  uint64_t other_work;  // beyond them and beyond reading and writing each element once, as that many multiply-adds
  double time_us;
  bool is_absorbed;  // a PAD that its convolution does
  bool is_folded;    // its outputs are known: it was run at plan time
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
  int32_t kept;      // the value of ocl_graph_kept(), -1: none
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
static inline bool ocl_graph_is_same_quantization(const ocl_value* a, const ocl_value* b) {
  return a->scale == b->scale && a->zero_point == b->zero_point;
}
static inline size_t ocl_graph_size_bytes(const ocl_value* value) {
  return ocl_shape_num_elements(&value->shape) * ocl_dtype_size_bytes(value->dtype);
}

// A rejection of `step`: "operator 12 (CONV_2D): …".
ocl_status ocl_graph_reject(const ocl_step* step, ocl_status status, ocl_detail* detail, const char* format, ...)
    __attribute__((format(printf, 4, 5)));
// OCL_OK, or the rejection that an XNNPACK status means.
ocl_status ocl_graph_check_xnn(const ocl_step* step, enum xnn_status status, ocl_detail* detail);

// ---- checks that operators share ----

// The input's dtype is the output's.
ocl_status ocl_graph_check_same_dtype(ocl_graph* graph, const ocl_step* step, ocl_detail* detail);
// The first `count` inputs, and output 0, are float, or all are quantized in one 8-bit dtype.
ocl_status ocl_graph_check_float_or_8_bit(ocl_graph* graph, const ocl_step* step, int32_t count, ocl_detail* detail);
// Input 0 and output 0 have the same dtype, float or 8 bits, and the same quantization.
ocl_status ocl_graph_check_tied(ocl_graph* graph, const ocl_step* step, ocl_detail* detail);
ocl_status ocl_graph_check_rank_4(ocl_graph* graph, const ocl_step* step, ocl_detail* detail);

// ---- constants ----

// The model's tensor behind a constant value; UNSUPPORTED_OPERATOR if the value is computed. Only while building.
ocl_status ocl_graph_constant(ocl_graph* graph, const ocl_step* step, int32_t input, ocl_tflite_tensor* tensor_out,
                              ocl_detail* detail);
// Copies up to `max` integers out of a known INT32 or INT64 input.
ocl_status ocl_graph_known_ints(ocl_graph* graph, const ocl_step* step, int32_t input, int32_t max, int32_t* ints_out,
                                int32_t* count_out, ocl_detail* detail);
// The known [height, width] of a resize, each 1 to 65535.
ocl_status ocl_graph_known_size(ocl_graph* graph, const ocl_step* step, int32_t input, int32_t size_out[2],
                                ocl_detail* detail);

// ---- shapes ----

// Takes an input's storage for output 0.
void ocl_graph_share_storage(ocl_graph* graph, const ocl_step* step);
// For XNNPACK.
void ocl_graph_to_sizes(const ocl_shape* shape, size_t sizes_out[OCL_MAX_RANK]);
// Dimension `i` counted from the last, from 0; 1 where there is none.
int32_t ocl_graph_dim_from_end(const ocl_shape* shape, int32_t i);
// numpy's broadcasting of two shapes; false: they do not fit.
bool ocl_graph_broadcast(const ocl_shape* a, const ocl_shape* b, ocl_shape* shape_out);

// What slides over the plane of an [N, H, W, C] feature map.
typedef struct {
  ocl_padding padding;
  ocl_pad_2d explicit_padding;
  int64_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
} ocl_window;

// Sets output 0's shape to [N, h, w, channels].
ocl_status ocl_graph_plan_window(ocl_graph* graph, const ocl_step* step, const ocl_window* window, int32_t channels,
                                 ocl_detail* detail);

// ---- numbers ----

struct xnn_quantization_params ocl_graph_quantization_of(const ocl_value* value);
// false: neither float nor 8 bits with a scale.
bool ocl_graph_datatype_of(const ocl_value* value, enum xnn_datatype* datatype_out);

// A fused activation's bounds, as reals and in the stored numbers of a quantized output.
void ocl_graph_activation_bounds(ocl_activation activation, float* min_out, float* max_out);
void ocl_graph_stored_bounds(const ocl_value* output, ocl_activation activation, int32_t* min_out, int32_t* max_out);
// A real as a quantized value stores it, saturated.
int32_t ocl_graph_quantize(float real, const ocl_value* value);
// The number that a byte of an 8-bit value stands for.
int32_t ocl_graph_stored_at(const ocl_value* value, uint8_t byte);
// Element `i` of a float or 8-bit value as a real.
float ocl_graph_real_at(const ocl_value* value, size_t i);
void ocl_graph_store_at(const ocl_value* value, size_t i, float real);
// table[stored input byte] = the stored output byte of y = f(x).
void ocl_graph_fill_table(uint8_t table[256], float (*f)(float x), const ocl_value* input, const ocl_value* output);

#endif  // OCELLI_GRAPH_STEP_H_
