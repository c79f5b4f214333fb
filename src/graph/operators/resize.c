// RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR of [N, H, W, C] to a known size.
#include <math.h>

#include "graph/operators/pick.h"
#include "graph/operators/table.h"

// ---- RESIZE_BILINEAR ----

static ocl_status build_resize(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_same_quantization(graph, step, detail));
  if (step->op.options.resize.align_corners && step->op.options.resize.half_pixel_centers)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "align_corners and half_pixel_centers are both set");
  return OCL_OK;
}

// XNNPACK keeps four pointers and two weights for each output pixel, and their size in bytes must fit 32 bits.
static const int32_t kMaxResizedPixels = 1 << 25;

// XNNPACK takes the output size when an operator is created, so `plan` creates it.
static ocl_status plan_resize(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_rank_4(graph, step, detail));
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  int32_t size[2];
  OCL_TRY(ocl_graph_known_size(graph, step, 1, size, detail));
  if (size[0] > kMaxResizedPixels / size[1])
    return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "its output of %d x %d pixels is too large",
                            (int)size[0], (int)size[1]);
  const uint32_t flags = step->op.options.resize.align_corners        ? XNN_FLAG_ALIGN_CORNERS
                         : step->op.options.resize.half_pixel_centers ? 0
                                                                      : XNN_FLAG_TENSORFLOW_LEGACY_MODE;
  const size_t h = (size_t)size[0], w = (size_t)size[1], n = (size_t)input->shape.dims[0];
  const size_t in_h = (size_t)input->shape.dims[1], in_w = (size_t)input->shape.dims[2],
               c = (size_t)input->shape.dims[3];
  ocl_graph_out(graph, step, 0)->shape = (ocl_shape){4, {input->shape.dims[0], size[0], size[1], input->shape.dims[3]}};
  xnn_delete_operator(step->xnn);
  step->xnn = NULL;
  if (graph->has_builtin_rounding && input->dtype == OCL_INT8) return OCL_OK;
  size_t alignment;
  enum xnn_status status;
  if (input->dtype == OCL_FLOAT32) {
    status = xnn_create_resize_bilinear2d_nhwc_f32(h, w, flags, &step->xnn);
    if (status == xnn_status_success)
      status = xnn_reshape_resize_bilinear2d_nhwc_f32(step->xnn, n, in_h, in_w, c, c, c, &step->workspace_bytes,
                                                      &alignment, graph->pool);
  } else if (input->dtype == OCL_INT8) {
    status = xnn_create_resize_bilinear2d_nhwc_s8(h, w, flags, &step->xnn);
    if (status == xnn_status_success)
      status = xnn_reshape_resize_bilinear2d_nhwc_s8(step->xnn, n, in_h, in_w, c, c, c, &step->workspace_bytes,
                                                     &alignment, graph->pool);
  } else {
    status = xnn_create_resize_bilinear2d_nhwc_u8(h, w, flags, &step->xnn);
    if (status == xnn_status_success)
      status = xnn_reshape_resize_bilinear2d_nhwc_u8(step->xnn, n, in_h, in_w, c, c, c, &step->workspace_bytes,
                                                     &alignment, graph->pool);
  }
  return ocl_graph_check_xnn(step, status, detail);
}

static enum xnn_status bind_resize(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  void* output = ocl_graph_out(graph, step, 0)->data;
  if (input->dtype == OCL_FLOAT32)
    return xnn_setup_resize_bilinear2d_nhwc_f32(step->xnn, step->workspace, input->data, output);
  if (input->dtype == OCL_INT8)
    return xnn_setup_resize_bilinear2d_nhwc_s8(step->xnn, step->workspace, input->data, output);
  return xnn_setup_resize_bilinear2d_nhwc_u8(step->xnn, step->workspace, input->data, output);
}

// ---- int8 in a graph that has_builtin_rounding: TFLite rounds halves away from zero, XNNPACK rounds them up ----

// Along one dimension: the two inputs that an output is interpolated from.
typedef struct {
  int32_t first, second;
  float weight;  // of `second`, 0 to 1
} neighbors;

static neighbors find_neighbors(const ocl_step* step, int32_t output, int32_t num_outputs, int32_t num_inputs) {
  const bool is_aligned = step->op.options.resize.align_corners && num_outputs > 1;
  const float scale =
      is_aligned ? (float)(num_inputs - 1) / (float)(num_outputs - 1) : (float)num_inputs / (float)num_outputs;
  const float at =
      step->op.options.resize.half_pixel_centers ? ((float)output + 0.5f) * scale - 0.5f : (float)output * scale;
  // Of more than 2^24 inputs, the last one as a float may be rounded to a number past it.
  const float last = (float)(num_inputs - 1);
  const int32_t first = (int32_t)fminf(fmaxf(floorf(at), 0), last), second = (int32_t)fminf(ceilf(at), last);
  return (neighbors){first < num_inputs ? first : num_inputs - 1, second < num_inputs ? second : num_inputs - 1,
                     at - (float)first};
}

static void run_builtin(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const int32_t *from = input->shape.dims, *to = output->shape.dims;
  const size_t channels = (size_t)from[3], row = (size_t)from[2] * channels;
  int8_t* stored = output->data;
  for (int32_t n = 0; n < to[0]; n++) {
    const int8_t* image = (const int8_t*)input->data + (size_t)n * (size_t)from[1] * row;
    for (int32_t y = 0; y < to[1]; y++) {
      const neighbors rows = find_neighbors(step, y, to[1], from[1]);
      const int8_t *top = image + (size_t)rows.first * row, *bottom = image + (size_t)rows.second * row;
      for (int32_t x = 0; x < to[2]; x++, stored += channels) {
        const neighbors columns = find_neighbors(step, x, to[2], from[2]);
        const size_t left = (size_t)columns.first * channels, right = (size_t)columns.second * channels;
        const float v = rows.weight, h = columns.weight;
        for (size_t c = 0; c < channels; c++)
          stored[c] = (int8_t)roundf(top[left + c] * ((1 - v) * (1 - h)) + top[right + c] * ((1 - v) * h) +
                                     bottom[left + c] * (v * (1 - h)) + bottom[right + c] * (v * h));
      }
    }
  }
}

static enum xnn_status run_resize(ocl_graph* graph, ocl_step* step) {
  if (step->xnn != NULL) return xnn_run_operator(step->xnn, graph->pool);
  run_builtin(graph, step);
  return xnn_status_success;
}

const ocl_kind ocl_kind_RESIZE_BILINEAR = {
    .build = build_resize, .plan = plan_resize, .bind = bind_resize, .run = run_resize};

// ---- RESIZE_NEAREST_NEIGHBOR ----

// Of `from` input rows or columns, the one nearest to output `index` of `to`.
static int32_t nearest_index(const ocl_step* step, int32_t index, int32_t from, int32_t to) {
  const bool align_corners = step->op.options.resize.align_corners;
  const float scale = align_corners && to > 1 ? (float)(from - 1) / (float)(to - 1) : (float)from / (float)to;
  const float at = ((float)index + (step->op.options.resize.half_pixel_centers ? 0.5f : 0.0f)) * scale;
  const int32_t nearest = (int32_t)(align_corners ? roundf(at) : at);  // at >= 0: truncation is the floor
  return nearest < from ? nearest : from - 1;
}

// Adds the offsets of `to` rows or columns, each nearest to one of `from` of the input, which are `stride` apart.
static bool add_nearest(const ocl_step* step, int32_t from, int32_t to, int64_t stride) {
  int32_t* table = ocl_pick_add_table(step->state, (size_t)to);
  for (int32_t i = 0; table != NULL && i < to; i++) table[i] = (int32_t)(nearest_index(step, i, from, to) * stride);
  return table != NULL;
}

static ocl_status build_nearest(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return ocl_graph_check_moves(graph, step, 0, detail);
}

static ocl_status plan_nearest(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_rank_4(graph, step, detail));
  const int32_t* in = ocl_graph_in(graph, step, 0)->shape.dims;
  int32_t size[2];
  OCL_TRY(ocl_graph_known_size(graph, step, 1, size, detail));
  const int64_t row = (int64_t)in[2] * in[3];
  ocl_pick_begin(step->state);
  ocl_pick_add(step->state, in[0], 0, in[1] * row);
  if (!add_nearest(step, in[1], size[0], row) || !add_nearest(step, in[2], size[1], in[3])) return OCL_OUT_OF_MEMORY;
  ocl_pick_add(step->state, in[3], 0, 1);
  ocl_graph_out(graph, step, 0)->shape = (ocl_shape){4, {in[0], size[0], size[1], in[3]}};
  step->other_work = ocl_pick_work(graph, step);
  return OCL_OK;
}

const ocl_kind ocl_kind_RESIZE_NEAREST_NEIGHBOR = {.state_bytes = sizeof(ocl_pick),
                                                   .build = build_nearest,
                                                   .plan = plan_nearest,
                                                   .run = ocl_pick_run,
                                                   .drop = ocl_pick_drop};
