// Limits on the size and work of a model. No real network of this kind comes near them; a hostile or mistaken file is
// rejected here, so that every run ends.
#include "graph/internal.h"

static const uint64_t kMaxWorkPerImage = (uint64_t)1 << 35;  // multiply-adds; the default detector has 0.7 * 10^9
static const uint64_t kWorkPerElement = 16;                  // reading or writing one element, in multiply-adds

// Stops counting past OCL_GRAPH_MAX_ELEMENTS, as the true number may not fit size_t.
static uint64_t count_elements(const ocl_shape* shape) {
  uint64_t elements = 1;
  for (int32_t d = 0; d < shape->rank && elements <= OCL_GRAPH_MAX_ELEMENTS; d++) elements *= (uint64_t)shape->dims[d];
  return elements;
}

ocl_status ocl_graph_check_size(const ocl_value* value, ocl_detail* detail) {
  if (count_elements(&value->shape) <= OCL_GRAPH_MAX_ELEMENTS) return OCL_OK;
  return ocl_status_with_detail(OCL_MODEL_TOO_LARGE, detail, "tensor '%s' has more than 2^28 elements", value->name);
}

ocl_status ocl_graph_check_inputs(ocl_graph* graph, const ocl_step* step, ocl_detail* detail) {
  const ocl_operator* row = step->op.row;
  if (row->flags & OCL_OPERATOR_TAKES_EMPTY) return OCL_OK;
  const int32_t first = ocl_operators_first_map(row);
  for (int32_t i = first; i < step->op.num_inputs && (row->maps == OCL_OPERATORS_ANY || i < first + row->maps); i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    if (input != NULL && count_elements(&input->shape) == 0)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input is empty");
  }
  return OCL_OK;
}

ocl_status ocl_graph_check_outputs(ocl_graph* graph, const ocl_step* step, ocl_detail* detail) {
  for (int32_t i = 0; i < step->op.num_outputs; i++) {
    const ocl_value* output = ocl_graph_out(graph, step, i);
    const uint64_t elements = count_elements(&output->shape);
    if (elements == 0) return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its output is empty");
    if (elements > OCL_GRAPH_MAX_ELEMENTS)
      return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "output '%s' has more than 2^28 elements",
                              output->name);
  }
  return OCL_OK;
}

ocl_status ocl_graph_check_work(ocl_graph* graph, const ocl_step* step, int32_t batch, uint64_t* work,
                                ocl_detail* detail) {
  uint64_t elements = 0;
  for (int32_t i = 0; i < step->op.num_inputs; i++) {
    const ocl_value* input = ocl_graph_in(graph, step, i);
    if (input != NULL) elements += count_elements(&input->shape);
  }
  for (int32_t i = 0; i < step->op.num_outputs; i++) elements += count_elements(&ocl_graph_out(graph, step, i)->shape);
  *work += step->multiply_adds + step->other_work + elements * kWorkPerElement;
  if (*work / (uint64_t)batch <= kMaxWorkPerImage) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail,
                          "the model needs more than %llu multiply-adds per image up to here",
                          (unsigned long long)kMaxWorkPerImage);
}
