// Operators that move blocks of pixels of [N, H, W, C]: between channels and space (DEPTH_TO_SPACE, SPACE_TO_DEPTH),
// and between batch and space (BATCH_TO_SPACE_ND, SPACE_TO_BATCH_ND).
#include <string.h>

#include "graph/operators/conv.h"
#include "graph/operators/pick.h"
#include "graph/operators/table.h"

static ocl_status build_blocks(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return ocl_graph_check_moves(graph, step, 0, detail);
}

static ocl_status set_shape(ocl_graph* graph, ocl_step* step, ocl_shape shape) {
  ocl_graph_out(graph, step, 0)->shape = shape;
  step->other_work = ocl_pick_work(graph, step);
  return OCL_OK;
}

// Adds `count` indices, from `first` on, of a dimension in blocks of `size`: of each block its number * `outer`, and
// within the block its index * `inner`.
static bool add_blocks(ocl_pick* pick, int32_t count, int32_t first, int32_t size, int64_t outer, int64_t inner) {
  int32_t* table = ocl_pick_add_table(pick, (size_t)count);
  for (int32_t i = 0; table != NULL && i < count; i++)
    table[i] = (int32_t)((first + i) / size * outer + (first + i) % size * inner);
  return table != NULL;
}

// ---- DEPTH_TO_SPACE, SPACE_TO_DEPTH ----

static ocl_status plan_depth_to_space(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_rank_4(graph, step, detail));
  const int32_t *in = ocl_graph_in(graph, step, 0)->shape.dims, size = step->op.options.blocks.size;
  if (in[3] % ((int64_t)size * size) != 0)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "%d channels for blocks of %d x %d", (int)in[3],
                            (int)size, (int)size);
  const int32_t channels = in[3] / size / size, h = in[1] * size, w = in[2] * size;
  const int64_t row = (int64_t)in[2] * in[3];
  ocl_pick* pick = step->state;
  ocl_pick_begin(pick);
  ocl_pick_add(pick, in[0], 0, in[1] * row);
  if (!add_blocks(pick, h, 0, size, row, (int64_t)size * channels) || !add_blocks(pick, w, 0, size, in[3], channels))
    return OCL_OUT_OF_MEMORY;
  ocl_pick_add(pick, channels, 0, 1);
  return set_shape(graph, step, (ocl_shape){4, {in[0], h, w, channels}});
}

static ocl_status plan_space_to_depth(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_rank_4(graph, step, detail));
  const int32_t *in = ocl_graph_in(graph, step, 0)->shape.dims, size = step->op.options.blocks.size;
  if (in[1] % size != 0 || in[2] % size != 0)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "%d x %d pixels for blocks of %d x %d", (int)in[1],
                            (int)in[2], (int)size, (int)size);
  const int32_t channels = in[3] * size * size;
  const int64_t row = (int64_t)in[2] * in[3];
  ocl_pick* pick = step->state;
  ocl_pick_begin(pick);
  ocl_pick_add(pick, in[0], 0, in[1] * row);
  ocl_pick_add(pick, in[1] / size, 0, row * size);
  ocl_pick_add(pick, in[2] / size, 0, (int64_t)in[3] * size);
  if (!add_blocks(pick, channels, 0, in[3] * size, row, 1)) return OCL_OUT_OF_MEMORY;
  return set_shape(graph, step, (ocl_shape){4, {in[0], in[1] / size, in[2] / size, channels}});
}

#define BLOCKS(planner) \
  {.state_bytes = sizeof(ocl_pick), .build = build_blocks, .plan = planner, .run = ocl_pick_run, .drop = ocl_pick_drop}
const ocl_kind ocl_kind_DEPTH_TO_SPACE = BLOCKS(plan_depth_to_space);
const ocl_kind ocl_kind_SPACE_TO_DEPTH = BLOCKS(plan_space_to_depth);

// ---- BATCH_TO_SPACE_ND, SPACE_TO_BATCH_ND ----
// TensorFlow writes a dilated convolution as a convolution between the two. They are absorbed: the convolution gets the
// dilation, and what is left of the paddings after the crops.

typedef struct {
  ocl_pick pick;
  // The map as [N, H, W, C]: TFLite also takes [N, H, C]. `map` is the input; SPACE_TO_BATCH_ND's with its padding.
  int32_t map[4];
  int32_t size[2], margins[2][2];  // blocks; crops, or paddings: top, bottom, left, right
} batch_blocks;

static ocl_status read_blocks(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  batch_blocks* b = step->state;
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t num_sizes, num_margins;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, 2, b->size, &num_sizes, detail));
  OCL_TRY(ocl_graph_known_ints(graph, step, 2, 4, &b->margins[0][0], &num_margins, detail));
  if ((input->rank != 3 && input->rank != 4) || num_sizes != input->rank - 2 || num_margins != 2 * num_sizes)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "%d block sizes and %d margins for %d dimensions",
                            (int)num_sizes, (int)num_margins, (int)input->rank);
  if (num_sizes == 1) {
    b->size[1] = 1;
    b->margins[1][0] = b->margins[1][1] = 0;
  }
  b->map[0] = input->dims[0];
  b->map[1] = input->dims[1];
  b->map[2] = num_sizes == 1 ? 1 : input->dims[2];
  b->map[3] = input->dims[input->rank - 1];
  for (int32_t d = 0; d < 2; d++)
    if (b->size[d] < 1 || b->size[d] > 65535 || b->margins[d][0] < 0 || b->margins[d][0] > 65535 ||
        b->margins[d][1] < 0 || b->margins[d][1] > 65535)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "a block size is below 1, or a margin below 0");
  return OCL_OK;
}

// Blocks and crops of the BATCH_TO_SPACE_ND that reads `value`, from the model. false: nothing else than such an
// operator may read it, and its sizes must be constants.
static bool read_crops(ocl_graph* graph, const ocl_value* value, int32_t size_out[2], int32_t crops_out[2][2]) {
  if (value->num_uses != 1 || value->reader < 0) return false;
  const ocl_tflite_operator op = ocl_tflite_get_operator(graph->model, value->reader);
  if (op.opcode != OCL_OP_BATCH_TO_SPACE_ND) return false;
  void* const to[] = {size_out, crops_out};
  for (int32_t i = 0; i < 2; i++) {
    const ocl_tflite_tensor tensor = ocl_tflite_get_tensor(graph->model, op.inputs[1 + i]);
    const size_t count = i == 0 ? 2 : 4;
    if (tensor.data == NULL || tensor.encoding != OCL_TFLITE_PLAIN || tensor.dtype != OCL_INT32 ||
        ocl_shape_num_elements(&tensor.shape) != count)
      return false;
    memcpy(to[i], tensor.data, count * sizeof(int32_t));
  }
  return true;
}

// The output of the convolution that reads `value`, if it may be dilated, else NULL. One with 8-bit weights only
// quantizes each image of the batch on its own: it stays as it is.
static ocl_value* find_dilated(ocl_graph* graph, const ocl_value* value) {
  if (value->num_uses != 1 || value->reader < 0) return NULL;
  const ocl_tflite_operator op = ocl_tflite_get_operator(graph->model, value->reader);
  const bool can_dilate = ocl_conv_can_dilate(&op) && graph->values[op.inputs[1]].dtype == value->dtype;
  return can_dilate ? &graph->values[op.outputs[0]] : NULL;
}

static ocl_status absorb(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  batch_blocks* b = step->state;
  ocl_value* output = ocl_graph_out(graph, step, 0);
  ocl_value* convolved = find_dilated(graph, output);
  int32_t size[2], crops[2][2];
  if (ocl_graph_in(graph, step, 1)->known == NULL || ocl_graph_in(graph, step, 2)->known == NULL || convolved == NULL ||
      !read_crops(graph, convolved, size, crops))
    return OCL_OK;
  OCL_TRY(read_blocks(graph, step, detail));
  for (int32_t d = 0; d < 2; d++)
    for (int32_t side = 0; side < 2; side++)
      if (size[d] != b->size[d] || crops[d][side] < 0 || crops[d][side] > b->margins[d][side]) return OCL_OK;
  output->padding = (ocl_pad_2d){b->margins[0][0] - crops[0][0], b->margins[0][1] - crops[0][1],
                                 b->margins[1][0] - crops[1][0], b->margins[1][1] - crops[1][1]};
  output->dilation_h = convolved->dilation_h = size[0];
  output->dilation_w = convolved->dilation_w = size[1];
  step->is_absorbed = true;
  return OCL_OK;
}

static ocl_status build_space_to_batch(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(build_blocks(graph, step, detail));
  return absorb(graph, step, detail);
}

static ocl_status build_batch_to_space(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  step->is_absorbed = ocl_graph_in(graph, step, 0)->dilation_h > 0;
  return build_blocks(graph, step, detail);
}

static ocl_status plan_absorbed(ocl_graph* graph, ocl_step* step) {
  ocl_graph_out(graph, step, 0)->shape = ocl_graph_in(graph, step, 0)->shape;
  ocl_graph_share_storage(graph, step);
  return OCL_OK;
}

static ocl_status set_batch_shape(ocl_graph* graph, ocl_step* step, int32_t n, int32_t h, int32_t w) {
  const batch_blocks* b = step->state;
  if (ocl_graph_in(graph, step, 0)->shape.rank == 3) return set_shape(graph, step, (ocl_shape){3, {n, h, b->map[3]}});
  return set_shape(graph, step, (ocl_shape){4, {n, h, w, b->map[3]}});
}

static ocl_status plan_batch_to_space(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  if (step->is_absorbed) return plan_absorbed(graph, step);
  batch_blocks* b = step->state;
  OCL_TRY(read_blocks(graph, step, detail));
  const int64_t area = (int64_t)b->size[0] * b->size[1];
  const int64_t h = (int64_t)b->map[1] * b->size[0] - b->margins[0][0] - b->margins[0][1];
  const int64_t w = (int64_t)b->map[2] * b->size[1] - b->margins[1][0] - b->margins[1][1];
  if (b->map[0] % area != 0 || h < 1 || w < 1)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail,
                            "a batch of %d for blocks of %d x %d, or too large crops", (int)b->map[0], (int)b->size[0],
                            (int)b->size[1]);
  const int32_t n = (int32_t)(b->map[0] / area);
  const int64_t row = (int64_t)b->map[2] * b->map[3], image = row * b->map[1];
  ocl_pick_begin(&b->pick);
  ocl_pick_add(&b->pick, n, 0, image);
  if (!add_blocks(&b->pick, (int32_t)h, b->margins[0][0], b->size[0], row, image * n * b->size[1]) ||
      !add_blocks(&b->pick, (int32_t)w, b->margins[1][0], b->size[1], b->map[3], image * n))
    return OCL_OUT_OF_MEMORY;
  ocl_pick_add(&b->pick, b->map[3], 0, 1);
  return set_batch_shape(graph, step, n, (int32_t)h, (int32_t)w);
}

static bool has_margins(const batch_blocks* b) {
  return b->margins[0][0] + b->margins[0][1] + b->margins[1][0] + b->margins[1][1] > 0;
}

static ocl_status plan_space_to_batch(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  batch_blocks* b = step->state;
  OCL_TRY(read_blocks(graph, step, detail));
  int64_t elements = (int64_t)b->map[0] * b->map[3];
  for (int32_t d = 0; d < 2; d++) {
    b->map[1 + d] += b->margins[d][0] + b->margins[d][1];
    if (b->map[1 + d] % b->size[d] != 0)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "%d padded pixels for blocks of %d",
                              (int)b->map[1 + d], (int)b->size[d]);
    if (__builtin_mul_overflow(elements, b->map[1 + d], &elements) || elements > OCL_GRAPH_MAX_ELEMENTS)
      return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "its output has more than 2^28 elements");
  }
  if (step->is_absorbed) return plan_absorbed(graph, step);
  if (has_margins(b))
    step->workspace_bytes = (size_t)elements * ocl_dtype_size_bytes(ocl_graph_in(graph, step, 0)->dtype);
  const int32_t n = b->map[0], blocks = b->size[0] * b->size[1];
  const int64_t row = (int64_t)b->map[2] * b->map[3], image = row * b->map[1];
  ocl_pick_begin(&b->pick);
  int32_t* table = ocl_pick_add_table(&b->pick, (size_t)n * (size_t)blocks);
  if (table == NULL) return OCL_OUT_OF_MEMORY;
  for (int32_t i = 0; i < n * blocks; i++)
    table[i] = (int32_t)(i % n * image + i / n / b->size[1] * row + i / n % b->size[1] * b->map[3]);
  ocl_pick_add(&b->pick, b->map[1] / b->size[0], 0, row * b->size[0]);
  ocl_pick_add(&b->pick, b->map[2] / b->size[1], 0, (int64_t)b->map[3] * b->size[1]);
  ocl_pick_add(&b->pick, b->map[3], 0, 1);
  return set_batch_shape(graph, step, n * blocks, b->map[1] / b->size[0], b->map[2] / b->size[1]);
}

// Copies the input into the workspace, between margins of zeros.
static void pad_into_workspace(const batch_blocks* b, const ocl_value* input, ocl_step* step) {
  const size_t pixel = (size_t)b->map[3] * ocl_dtype_size_bytes(input->dtype);
  const int32_t h = b->map[1] - b->margins[0][0] - b->margins[0][1];
  const size_t row = (size_t)(b->map[2] - b->margins[1][0] - b->margins[1][1]) * pixel;
  memset(step->workspace, ocl_graph_is_quantized(input) ? input->zero_point : 0, step->workspace_bytes);
  const uint8_t* from = input->data;
  for (int32_t n = 0; n < b->map[0]; n++)
    for (int32_t y = 0; y < h; y++, from += row) {
      const size_t to_row = (size_t)n * (size_t)b->map[1] + (size_t)(y + b->margins[0][0]);
      memcpy((uint8_t*)step->workspace + (to_row * (size_t)b->map[2] + (size_t)b->margins[1][0]) * pixel, from, row);
    }
}

static enum xnn_status run_batch_to_space(ocl_graph* graph, ocl_step* step) {
  return step->is_absorbed ? xnn_status_success : ocl_pick_run(graph, step);
}

static enum xnn_status run_space_to_batch(ocl_graph* graph, ocl_step* step) {
  if (step->is_absorbed) return xnn_status_success;
  const batch_blocks* b = step->state;
  if (!has_margins(b)) return ocl_pick_run(graph, step);
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  pad_into_workspace(b, input, step);
  ocl_pick_copy(&b->pick, ocl_dtype_size_bytes(input->dtype), step->workspace, ocl_graph_out(graph, step, 0)->data);
  return xnn_status_success;
}

const ocl_kind ocl_kind_BATCH_TO_SPACE_ND = {.state_bytes = sizeof(batch_blocks),
                                             .build = build_batch_to_space,
                                             .plan = plan_batch_to_space,
                                             .run = run_batch_to_space,
                                             .drop = ocl_pick_drop};
const ocl_kind ocl_kind_SPACE_TO_BATCH_ND = {.state_bytes = sizeof(batch_blocks),
                                             .build = build_space_to_batch,
                                             .plan = plan_space_to_batch,
                                             .run = run_space_to_batch,
                                             .drop = ocl_pick_drop};
