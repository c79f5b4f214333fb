// In: the constants of a convolution or fully connected layer. Out: weights in the form that XNNPACK packs from.
// Kernels have TFLite's shapes: [O, kH, kW, I]; depthwise [1, kH, kW, O]; fully connected [O, I].
#include <stdlib.h>
#include <string.h>

#include "graph/operators/conv.h"
#include "kernels/kernels.h"
#include "tflite/weights.h"

static const uint64_t kMaxPackedWeights = (uint64_t)1 << 28;

void ocl_conv_free_weights(ocl_conv_weights* w) {
  for (size_t i = 0; i < sizeof w->owned / sizeof *w->owned; i++) free(w->owned[i]);
}

// The tensor's elements as floats: the tensor's own data, or a converted copy in *owned.
static ocl_status as_floats(const ocl_step* step, const ocl_tflite_tensor* tensor, const void** values_out,
                            void** owned, ocl_detail* detail) {
  *values_out = tensor->data;
  if (tensor->dtype == OCL_FLOAT32) return OCL_OK;
  float* values = *owned = malloc(ocl_shape_num_elements(&tensor->shape) * sizeof(float) + 1);
  if (values == NULL) return OCL_OUT_OF_MEMORY;
  *values_out = values;
  if (ocl_weights_to_float(tensor, values) == OCL_OK) return OCL_OK;
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                          "it has float activations, but its weights are not float, float16 or 8-bit");
}

static ocl_status channel_scales(const ocl_step* step, const ocl_quantization* q, int32_t num_outputs,
                                 ocl_conv_weights* w, ocl_detail* detail) {
  for (int32_t i = 0; i < q->num_scales; i++)
    if (q->zero_points != NULL && q->zero_points[i] != 0)
      return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                              "its int8 weights have a zero point other than 0");
  w->scales = w->owned[2] = malloc((size_t)num_outputs * sizeof(float));
  if (w->scales == NULL) return OCL_OUT_OF_MEMORY;
  for (int32_t i = 0; i < num_outputs; i++) w->scales[i] = q->scales[q->num_scales == 1 ? 0 : i];
  return OCL_OK;
}

// Whether XNNPACK can pack the kernel as it is stored: a dense convolution that keeps all its columns.
static bool can_pack_stored(const ocl_graph* graph, const ocl_step* step, const ocl_tflite_tensor* kernel) {
  const int32_t* dims = kernel->shape.dims;
  const bool are_bytes = kernel->dtype == OCL_INT8 || kernel->dtype == OCL_UINT8;
  return (kernel->dtype == OCL_FLOAT16 || (are_bytes && kernel->quantization.num_scales > 0)) &&
         !ocl_conv_of(step)->is_depthwise && kernel->shape.rank == 4 && dims[3] == ocl_conv_of(step)->channels &&
         step->columns.total == 0 && !graph->has_builtin_rounding &&
         ocl_kernels_pack_stored((size_t)dims[3], (size_t)dims[0]);
}

static ocl_status float_weights(ocl_graph* graph, ocl_step* step, const ocl_tflite_tensor* kernel,
                                const ocl_tflite_tensor* bias, int32_t num_outputs, ocl_conv_weights* w,
                                ocl_detail* detail) {
  if (bias != NULL) OCL_TRY(as_floats(step, bias, &w->bias, &w->owned[1], detail));
  w->kernel = kernel->data;
  // Behind a DEQUANTIZE, 8-bit weights are stored floats. Where the operator itself reads them, TFLite rounds its
  // input.
  if (ocl_graph_in(graph, step, 1)->dtype == OCL_INT8 && kernel->quantization.num_scales > 0) {
    ocl_conv_of(step)->sums = OCL_CONV_HYBRID;
    return channel_scales(step, &kernel->quantization, num_outputs, w, detail);
  }
  w->is_stored = can_pack_stored(graph, step, kernel);
  if (!w->is_stored) return as_floats(step, kernel, &w->kernel, &w->owned[0], detail);
  w->stored = *kernel;
  w->kernel = w->owned[0] =
      malloc(ocl_pack_f32_rows_bytes(ocl_shape_num_elements(&kernel->shape) / (size_t)num_outputs));
  return w->kernel == NULL ? OCL_OUT_OF_MEMORY : OCL_OK;
}

static ocl_status quantized_weights(ocl_graph* graph, ocl_step* step, const ocl_tflite_tensor* kernel,
                                    const ocl_tflite_tensor* bias, int32_t num_outputs, ocl_conv_weights* w,
                                    ocl_detail* detail) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const ocl_quantization* q = &kernel->quantization;
  if (kernel->dtype != w->dtype || output->dtype != w->dtype || (bias != NULL && bias->dtype != OCL_INT32) ||
      !ocl_graph_is_quantized(input) || !ocl_graph_is_quantized(output) || q->num_scales == 0)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                            "its tensors must all be quantized with the same 8-bit dtype, and its bias int32");
  // The factor of an int32 accumulator. Of int8 channels one may be as small as it likes: that of one without weights.
  const float min_factor = w->dtype == OCL_UINT8 ? 0x1p-32f : 0;
  for (int32_t i = 0; i < q->num_scales; i++) {
    const float factor = input->scale * q->scales[i] / output->scale;
    if (!(factor >= min_factor && factor < 256))
      return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                              "input scale * weight scale / output scale is 256 or more, or too small");
  }
  w->kernel = kernel->data;
  w->bias = bias == NULL ? NULL : bias->data;
  w->kernel_scale = q->scales[0];
  w->kernel_zero_point = (uint8_t)(q->zero_points == NULL ? 0 : q->zero_points[0]);
  if (w->dtype == OCL_INT8 && graph->has_builtin_rounding) ocl_conv_of(step)->sums = OCL_CONV_ROUNDED_TWICE;
  if (w->dtype == OCL_INT8) return channel_scales(step, q, num_outputs, w, detail);
  if (q->num_scales == 1) return OCL_OK;
  return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                          "its uint8 weights have one scale per channel; only int8 weights may");
}

// Copies from *rows (one row of `row_bytes` for each output channel) the rows of the columns that are kept. The copy
// replaces *rows and *owned; the old *owned is freed. NULL stays NULL.
static ocl_status keep_rows(const ocl_step* step, int32_t num_rows, size_t row_bytes, const void** rows, void** owned) {
  if (*rows == NULL) return OCL_OK;
  const int32_t total = step->columns.total, count = step->columns.count;
  uint8_t* kept = malloc((size_t)(num_rows / total * count) * row_bytes + 1);
  if (kept == NULL) return OCL_OUT_OF_MEMORY;
  uint8_t* next = kept;
  for (int32_t first = 0; first < num_rows; first += total)
    for (int32_t i = 0; i < count; i++, next += row_bytes)
      memcpy(next, (const uint8_t*)*rows + (size_t)(first + step->columns.kept[i]) * row_bytes, row_bytes);
  free(*owned);
  *rows = *owned = kept;
  return OCL_OK;
}

static ocl_status keep_channels(const ocl_step* step, ocl_conv_weights* w, ocl_tflite_tensor* kernel) {
  if (step->columns.total == 0) return OCL_OK;
  const int32_t num_outputs = kernel->shape.dims[0];
  const bool is_float = w->dtype == OCL_FLOAT32 && ocl_conv_of(step)->sums == OCL_CONV_XNNPACK;
  const size_t row_bytes = ocl_shape_num_elements(&kernel->shape) / (size_t)num_outputs * (is_float ? 4 : 1);
  const void* scales = w->scales;
  OCL_TRY(keep_rows(step, num_outputs, row_bytes, &w->kernel, &w->owned[0]));
  OCL_TRY(keep_rows(step, num_outputs, 4, &w->bias, &w->owned[1]));
  OCL_TRY(keep_rows(step, num_outputs, 4, &scales, &w->owned[2]));
  w->scales = w->owned[2];
  kernel->shape.dims[0] = num_outputs / step->columns.total * step->columns.count;
  return OCL_OK;
}

ocl_status ocl_conv_read_weights(ocl_graph* graph, ocl_step* step, int32_t rank, int32_t output_axis,
                                 ocl_conv_weights* w, ocl_detail* detail) {
  *w = (ocl_conv_weights){.dtype = ocl_graph_in(graph, step, 0)->dtype};
  ocl_tflite_tensor kernel_tensor, bias_tensor, *kernel = &kernel_tensor;
  const ocl_tflite_tensor* bias = NULL;
  OCL_TRY(ocl_graph_constant(graph, step, 1, kernel, detail));
  if (kernel->shape.rank != rank || ocl_shape_num_elements(&kernel->shape) == 0)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its kernel must have %d dimensions and not be empty",
                            (int)rank);
  if (kernel->quantization.num_scales > 1 && kernel->quantization.axis != output_axis)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                            "its weights have a scale for each index of dimension %d, not for each output channel",
                            (int)kernel->quantization.axis);
  const int32_t num_outputs = kernel->shape.dims[output_axis];
  if (ocl_graph_in(graph, step, 2) != NULL) {
    OCL_TRY(ocl_graph_constant(graph, step, 2, &bias_tensor, detail));
    bias = &bias_tensor;
    if (ocl_shape_num_elements(&bias->shape) != (size_t)num_outputs)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its bias has %u elements for %d output channels",
                              (unsigned)ocl_shape_num_elements(&bias->shape), (int)num_outputs);
  }
  if (w->dtype == OCL_INT8 || w->dtype == OCL_UINT8) {
    OCL_TRY(quantized_weights(graph, step, kernel, bias, num_outputs, w, detail));
  } else {
    if (w->dtype != OCL_FLOAT32 || ocl_graph_out(graph, step, 0)->dtype != OCL_FLOAT32)
      return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail,
                              "its input and output must both be float or both be 8-bit");
    OCL_TRY(float_weights(graph, step, kernel, bias, num_outputs, w, detail));
  }
  OCL_TRY(keep_channels(step, w, kernel));
  w->shape = kernel->shape;
  step->num_parameters = ocl_shape_num_elements(&kernel->shape);
  if (bias != NULL) step->num_parameters += (uint64_t)kernel->shape.dims[output_axis];
  return OCL_OK;
}

// XNNPACK pads each group to whole tiles of at most 16 outputs and 8 inputs, so few weights may become many. Their
// number must fit 32 bits.
ocl_status ocl_conv_check_packed_size(const ocl_step* step, uint64_t groups, uint64_t group_outputs,
                                      uint64_t inputs_per_output, ocl_detail* detail) {
  const uint64_t weights_per_group = ((group_outputs + 15) & ~UINT64_C(15)) * ((inputs_per_output + 7) & ~UINT64_C(7));
  if (weights_per_group <= kMaxPackedWeights / groups) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail,
                          "its weights are too large when padded (%u groups of %u outputs)", (unsigned)groups,
                          (unsigned)group_outputs);
}

ocl_dtype ocl_conv_inner_dtype(ocl_graph* graph, const ocl_step* step) {
  return ocl_conv_of(step)->sums == OCL_CONV_XNNPACK ? ocl_graph_in(graph, step, 0)->dtype : OCL_FLOAT32;
}
