// In: a verified model. Out: a graph that runs it, as a list of steps (XNNPACK operators and a few of our own) over
// planned memory. Tensors are NHWC.
// The graph packs the weights of one operator at a time and keeps the packed copy only. The model's bytes may be freed
// as soon as ocl_graph_create() returns, before ocl_graph_place() takes memory for the activations.
#ifndef OCELLI_GRAPH_H_
#define OCELLI_GRAPH_H_

#include "tflite/tflite.h"

typedef struct ocl_graph ocl_graph;
typedef struct pthreadpool* ocl_thread_pool;  // NULL: run on the calling thread only

typedef struct {
  const char* name;  // borrowed from the graph
  ocl_dtype dtype;
  ocl_shape shape;
  float scale;  // real = (stored - zero_point) * scale; 0: not quantized
  int32_t zero_point;
  size_t size_bytes;
  void* data;        // borrowed from the graph; changes when the batch is set. NULL before ocl_graph_place()
  bool is_constant;  // does not depend on the graph's inputs
} ocl_graph_tensor;

typedef struct {
  const char* operator_name;  // "CONV_2D"
  const char* output_name;    // borrowed from the graph
  ocl_shape output_shape;
  ocl_dtype output_dtype;
  uint64_t multiply_adds;
  double time_us;  // in the last ocl_graph_run_timed()
} ocl_graph_step_info;

typedef struct {
  size_t arena_bytes;       // memory for activations; 0 before ocl_graph_place()
  uint64_t num_parameters;  // elements of weights and biases
  uint64_t multiply_adds;   // of one run at the current batch
  bool is_batch_free;       // the model accepts any batch size
} ocl_graph_info;

// `pool` must outlive the graph. `batch` >= 1 applies to inputs whose batch dimension the file leaves free.
// UNSUPPORTED_OPERATOR: ocelli does not run an operator of the model, or not with its options (detail: index, name).
// MODEL_BAD_GRAPH: shapes, dtypes or quantization of an operator's tensors do not fit together (detail says which).
// MODEL_TOO_LARGE: a tensor or the work of one run exceeds the limits of limits.c. OUT_OF_MEMORY.
// BATCH_NOT_FREE: batch > 1 on a model with a fixed batch.
ocl_status ocl_graph_create(const ocl_tflite* model, ocl_thread_pool pool, int32_t batch, ocl_graph** graph_out,
                            ocl_detail* detail);
void ocl_graph_destroy(ocl_graph* graph);

// Allocates the memory for activations. Call it before the first run. OUT_OF_MEMORY.
ocl_status ocl_graph_place(ocl_graph* graph, ocl_detail* detail);

// Plans shapes and memory again; the packed weights stay. On failure the previous batch is restored; should that fail
// too (OUT_OF_MEMORY), the graph cannot run.
ocl_status ocl_graph_set_batch(ocl_graph* graph, int32_t batch, ocl_detail* detail);

// Keeps the output of step `step` valid after each run, in addition to the graph's outputs; read it with
// ocl_graph_kept(). Plans memory again. FEATURES_UNUSABLE: a run does not compute this output (its PAD is part of a
// convolution, or the output is constant). After other failures the graph cannot run until the batch is set.
ocl_status ocl_graph_keep(ocl_graph* graph, int32_t step, ocl_detail* detail);
ocl_graph_tensor ocl_graph_kept(const ocl_graph* graph);  // only after ocl_graph_keep()

// Makes the output of step `step` the graph's only output and removes all later steps. Fails like ocl_graph_keep().
ocl_status ocl_graph_cut_after(ocl_graph* graph, int32_t step, ocl_detail* detail);

// Keeps only the listed columns (indices into the last dimension, ascending) of output `output` and computes no others:
// the convolutions that produce the output are built again without the other rows of their weights. `model` is the one
// that the graph was created from. *is_done_out is false, and the graph unchanged, if an operator in between mixes
// columns (a softmax). MODEL_*, OUT_OF_MEMORY: the graph can no longer run.
ocl_status ocl_graph_keep_columns(ocl_graph* graph, const ocl_tflite* model, int32_t output, const int32_t* columns,
                                  int32_t num_columns, bool* is_done_out, ocl_detail* detail);

// Call it before creating the first graph. XNNPACK chooses other kernels on ARM than on x86; this makes it choose the
// same ones everywhere, so that the plain SIMD variant gives the same bits on every CPU.
void ocl_graph_make_deterministic(void);
// Call it before creating the first graph. Convolutions then store input pointers for a few output rows only
// (operators/conv_rows.c); by default XNNPACK stores them for every output pixel.
void ocl_graph_enable_shared_rows(void);

int32_t ocl_graph_num_inputs(const ocl_graph* graph);
int32_t ocl_graph_num_outputs(const ocl_graph* graph);
ocl_graph_tensor ocl_graph_input(const ocl_graph* graph, int32_t index);   // data: write it before each run
ocl_graph_tensor ocl_graph_output(const ocl_graph* graph, int32_t index);  // data: valid until the next run
ocl_graph_info ocl_graph_describe(const ocl_graph* graph);

// The outputs of the graph's TFLite_Detection_PostProcess operator, boxes [1,M,4], classes [1,M], scores [1,M] and
// count [1], and its number of classes. false: the graph has no such operator.
bool ocl_graph_postprocess(const ocl_graph* graph, ocl_graph_tensor tensors_out[4], int32_t* num_classes_out);

ocl_status ocl_graph_run(ocl_graph* graph);
// Like ocl_graph_run(), and records each step's time. `clock_us` returns microseconds.
ocl_status ocl_graph_run_timed(ocl_graph* graph, double (*clock_us)(void));
int32_t ocl_graph_num_steps(const ocl_graph* graph);
ocl_graph_step_info ocl_graph_step(const ocl_graph* graph, int32_t index);

#endif  // OCELLI_GRAPH_H_
