// MAX_POOL_2D and AVERAGE_POOL_2D over [N, H, W, C], float and 8-bit. Not XNNPACK's: it has neither a signed 8-bit
// average nor 1 x 1 windows, and these layers take less than 1 % of the time of a network of this kind.
#include <math.h>

#include "graph/operators/table.h"

static const int64_t kMaxArea = (int64_t)1 << 22;  // so that 8-bit sums fit 32 bits

static ocl_status plan_pool(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  OCL_TRY(ocl_graph_check_rank_4(graph, step, detail));
  OCL_TRY(ocl_graph_check_same_quantization(graph, step, detail));
  const ocl_window window = {step->op.options.pool.padding,
                             {0, 0, 0, 0},
                             step->op.options.pool.filter_h,
                             step->op.options.pool.filter_w,
                             step->op.options.pool.stride_h,
                             step->op.options.pool.stride_w,
                             1,
                             1};
  const int32_t channels = ocl_graph_in(graph, step, 0)->shape.dims[3];
  step->workspace_bytes = (size_t)channels * sizeof(float);  // one pixel's accumulators
  OCL_TRY(ocl_graph_plan_window(graph, step, &window, channels, detail));
  const int64_t area = window.kernel_h * window.kernel_w;
  step->other_work = (uint64_t)ocl_shape_num_elements(&ocl_graph_out(graph, step, 0)->shape) * (uint64_t)area;
  if (area > kMaxArea)
    return ocl_graph_reject(step, OCL_MODEL_TOO_LARGE, detail, "its %d x %d window is too large", (int)window.kernel_h,
                            (int)window.kernel_w);
  return OCL_OK;
}

// The part of an output pixel's window that lies inside the input.
typedef struct {
  int64_t y0, y1, x0, x1;
  int64_t row_elements, num_channels;
} patch;

typedef struct {
  bool is_max;
  float min, max;  // of the fused activation
  int32_t stored_min, stored_max;
} pooling;

static void pool_float(const pooling* p, const patch* at, const float* image, float* accumulators, float* out) {
  const int64_t channels = at->num_channels;
  for (int64_t c = 0; c < channels; c++) accumulators[c] = p->is_max ? -INFINITY : 0;
  for (int64_t y = at->y0; y < at->y1; y++)
    for (int64_t x = at->x0; x < at->x1; x++) {
      const float* pixel = image + y * at->row_elements + x * channels;
      if (p->is_max)
        for (int64_t c = 0; c < channels; c++)
          accumulators[c] = pixel[c] > accumulators[c] ? pixel[c] : accumulators[c];
      else
        for (int64_t c = 0; c < channels; c++) accumulators[c] += pixel[c];
    }
  const float count = p->is_max ? 1 : (float)((at->y1 - at->y0) * (at->x1 - at->x0));
  for (int64_t c = 0; c < channels; c++) {
    const float value = accumulators[c] / count;
    out[c] = value < p->min ? p->min : value > p->max ? p->max : value;
  }
}

// Rounds halves away from zero, as TFLite does for 8 bits.
static int32_t rounded_quotient(int32_t sum, int32_t count) {
  return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

static void pool_stored(const pooling* p, const patch* at, const uint8_t* image, bool is_signed, int32_t* accumulators,
                        uint8_t* out) {
  const int64_t channels = at->num_channels;
  for (int64_t c = 0; c < channels; c++) accumulators[c] = p->is_max ? INT32_MIN : 0;
  for (int64_t y = at->y0; y < at->y1; y++)
    for (int64_t x = at->x0; x < at->x1; x++) {
      const uint8_t* pixel = image + y * at->row_elements + x * channels;
      for (int64_t c = 0; c < channels; c++) {
        const int32_t value = is_signed ? (int8_t)pixel[c] : pixel[c];
        accumulators[c] = !p->is_max ? accumulators[c] + value : value > accumulators[c] ? value : accumulators[c];
      }
    }
  const int32_t count = p->is_max ? 1 : (int32_t)((at->y1 - at->y0) * (at->x1 - at->x0));
  for (int64_t c = 0; c < channels; c++) {
    const int32_t value = rounded_quotient(accumulators[c], count);
    out[c] = (uint8_t)(value < p->stored_min ? p->stored_min : value > p->stored_max ? p->stored_max : value);
  }
}

static int64_t padding_before(ocl_padding padding, int64_t size, int64_t kernel, int64_t stride) {
  const int64_t total = ocl_graph_same_padding(size, kernel, stride, 1);
  return padding == OCL_PADDING_SAME ? total / 2 : 0;
}

static void clip(int64_t start, int64_t length, int64_t limit, int64_t* from, int64_t* to) {
  *from = start > 0 ? start : 0;
  *to = start + length < limit ? start + length : limit;
}

static enum xnn_status run_pool(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, 0);
  const ocl_value* output = ocl_graph_out(graph, step, 0);
  const ocl_padding padding = step->op.options.pool.padding;
  const int64_t in_h = input->shape.dims[1], in_w = input->shape.dims[2], channels = input->shape.dims[3];
  const int64_t out_h = output->shape.dims[1], out_w = output->shape.dims[2];
  const int64_t kernel_h = step->op.options.pool.filter_h, kernel_w = step->op.options.pool.filter_w;
  const int64_t stride_h = step->op.options.pool.stride_h, stride_w = step->op.options.pool.stride_w;
  const int64_t pad_top = padding_before(padding, in_h, kernel_h, stride_h);
  const int64_t pad_left = padding_before(padding, in_w, kernel_w, stride_w);
  const bool is_float = input->dtype == OCL_FLOAT32;
  pooling p = {.is_max = step->kind == &ocl_kind_MAX_POOL_2D};
  ocl_graph_activation_bounds(step->op.options.pool.activation, &p.min, &p.max);
  if (!is_float) ocl_graph_stored_bounds(output, step->op.options.pool.activation, &p.stored_min, &p.stored_max);
  patch at = {.row_elements = in_w * channels, .num_channels = channels};
  for (int64_t i = 0; i < output->shape.dims[0] * out_h * out_w; i++) {
    const int64_t image = i / (out_h * out_w) * in_h * in_w * channels;
    clip(i / out_w % out_h * stride_h - pad_top, kernel_h, in_h, &at.y0, &at.y1);
    clip(i % out_w * stride_w - pad_left, kernel_w, in_w, &at.x0, &at.x1);
    if (is_float)
      pool_float(&p, &at, (const float*)input->data + image, step->workspace, (float*)output->data + i * channels);
    else
      pool_stored(&p, &at, (const uint8_t*)input->data + image, input->dtype == OCL_INT8, step->workspace,
                  (uint8_t*)output->data + i * channels);
  }
  return xnn_status_success;
}

const ocl_kind ocl_kind_MAX_POOL_2D = {.plan = plan_pool, .run = run_pool};
const ocl_kind ocl_kind_AVERAGE_POOL_2D = {.plan = plan_pool, .run = run_pool};
