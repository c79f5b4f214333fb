// Stage: verified model -> list of steps (XNNPACK operators and a few of our own) over planned memory -> outputs.
// Weights are unpacked and packed one operator at a time and live once, packed; the model's bytes may be freed as soon
// as ocl_graph_create() returns, and then make room for the activations. Tensors are NHWC.
#ifndef OCELLI_GRAPH_H_
#define OCELLI_GRAPH_H_

#include "tflite/tflite.h"

typedef struct ocl_graph ocl_graph;
typedef struct pthreadpool* ocl_thread_pool;  // NULL: the calling thread alone

typedef struct {
  const char* name;  // borrowed from the graph
  ocl_dtype dtype;
  ocl_shape shape;
  float scale;  // real = (stored - zero_point) * scale; 0: not quantized
  int32_t zero_point;
  size_t size_bytes;
  void* data;        // borrowed from the graph; moves when the batch is set. NULL before ocl_graph_place()
  bool is_constant;  // the same whatever the inputs are
} ocl_graph_tensor;

typedef struct {
  const char* operator_name;  // "CONV_2D"
  const char* output_name;    // name of its output tensor, borrowed from the graph
  ocl_shape output_shape;
  ocl_dtype output_dtype;
  uint64_t multiply_adds;
  double time_us;  // of the last ocl_graph_run_timed()
} ocl_graph_step_info;

typedef struct {
  size_t arena_bytes;       // activations, once placed
  uint64_t num_parameters;  // elements of constant weights and biases
  uint64_t multiply_adds;   // of one run at the current batch
  bool is_batch_free;
} ocl_graph_info;

// `pool` must outlive the graph. `batch` >= 1 applies to inputs whose batch dimension the file leaves free.
// UNSUPPORTED_OPERATOR: an operator (detail: index and name) is outside the set, or is used in a way that is.
// MODEL_BAD_GRAPH: shapes, dtypes or quantization of an operator's tensors do not fit together (detail says which).
// MODEL_TOO_LARGE: a tensor or the work of one run is past all reason. OUT_OF_MEMORY. BATCH_NOT_FREE: batch > 1 on a
// model without a free batch dimension.
ocl_status ocl_graph_create(const ocl_tflite* model, ocl_thread_pool pool, int32_t batch, ocl_graph** graph_out,
                            ocl_detail* detail);
void ocl_graph_destroy(ocl_graph* graph);

// Takes memory for activations: only then can the graph be run. OUT_OF_MEMORY.
ocl_status ocl_graph_place(ocl_graph* graph, ocl_detail* detail);

// Plans shapes and memory anew; weights stay. On failure the graph is as it was before.
ocl_status ocl_graph_set_batch(ocl_graph* graph, int32_t batch, ocl_detail* detail);

// Makes the output of step `step` a tensor whose data is there after a run, beside the outputs: ocl_graph_kept().
// Memory is planned anew. FEATURES_UNUSABLE: it is not computed, or not as the file has it. On other failures the graph
// cannot be run until the batch is set.
ocl_status ocl_graph_keep(ocl_graph* graph, int32_t step, ocl_detail* detail);
ocl_graph_tensor ocl_graph_kept(const ocl_graph* graph);  // only once one is kept

// The same, but as the one output of the graph, of which no later step is left.
ocl_status ocl_graph_cut_after(ocl_graph* graph, int32_t step, ocl_detail* detail);

// Leaves only `num_columns` of the last dimension of output `output`, in ascending order, and does not compute the
// others: rows are taken out of the weights of the convolutions that make it. `model` is the one that the graph was
// created from. *is_done_out is false, and the graph as it was, where something between them mixes columns (a softmax).
// MODEL_*, OUT_OF_MEMORY: the graph cannot be run any more.
ocl_status ocl_graph_keep_columns(ocl_graph* graph, const ocl_tflite* model, int32_t output, const int32_t* columns,
                                  int32_t num_columns, bool* is_done_out, ocl_detail* detail);

// Before the first graph: chooses XNNPACK's kernels the same way on every CPU, so that the plain SIMD variant gives the
// same bits everywhere. (XNNPACK takes others on ARM than on x86.)
void ocl_graph_make_deterministic(void);
// Before the first graph: convolutions keep the addresses of few rows' inputs only (operators/conv_rows.c), not
// XNNPACK's way.
void ocl_graph_enable_shared_rows(void);

int32_t ocl_graph_num_inputs(const ocl_graph* graph);
int32_t ocl_graph_num_outputs(const ocl_graph* graph);
ocl_graph_tensor ocl_graph_input(const ocl_graph* graph, int32_t index);   // data: write it before each run
ocl_graph_tensor ocl_graph_output(const ocl_graph* graph, int32_t index);  // data: valid until the next run
ocl_graph_info ocl_graph_describe(const ocl_graph* graph);

// The outputs of the graph's TFLite_Detection_PostProcess: boxes [1,M,4], classes [1,M], scores [1,M], count [1], and
// the number of its classes. false: the graph has none.
bool ocl_graph_postprocess(const ocl_graph* graph, ocl_graph_tensor tensors_out[4], int32_t* num_classes_out);

ocl_status ocl_graph_run(ocl_graph* graph);
// The same, and notes each step's time; `clock_us` gives microseconds.
ocl_status ocl_graph_run_timed(ocl_graph* graph, double (*clock_us)(void));
int32_t ocl_graph_num_steps(const ocl_graph* graph);
ocl_graph_step_info ocl_graph_step(const ocl_graph* graph, int32_t index);

#endif  // OCELLI_GRAPH_H_
