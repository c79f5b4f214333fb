// Runs convolutions row by row, with input pointers for a few output rows instead of the whole feature map.
// XNNPACK's kernels read their inputs through an indirection buffer (Dukhan, "The Indirect Convolution Algorithm",
// 2019): a pointer for each kernel element of each output pixel. For the first convolution of a 300 x 300 network that
// is 0.8 MB, written before the first run and read in every run.
// The pointers of output rows whose windows cross neither the top nor the bottom edge of the input differ by a constant
// only, which the kernels can add to each pointer. These rows share one row of pointers here, which stays in the L1
// cache.
// The taps of a window's row lie side by side in memory, as their weights do. Where they all lie inside the image, they
// are one tap with more channels: a first convolution of 3 x 3 has three taps of nine numbers in place of nine of
// three.
// XNNPACK reads all weights again for every few pixels. Where they exceed the second cache and the pixels are few, all
// pixels of some output channels are computed before the next channels: each weight comes from the third cache once,
// and threads read different weights.
#include <pthreadpool.h>
#include <string.h>

#include "graph/operators/conv.h"
#include "kernels/kernels.h"
#include "xnnpack/allocator.h"
#include "xnnpack/indirection.h"
#include "xnnpack/math.h"
#include "xnnpack/operator.h"

// Of the weights of a block of output channels, which must stay in the second cache beside the input.
#ifndef OCL_SMALL_CACHES
static const size_t kBlockBytes = 1 << 18;
#else  // tests/fuzz, whose networks are small
static const size_t kBlockBytes = 1;
#endif

static bool is_enabled;

void ocl_graph_enable_shared_rows(void) {
  is_enabled = true;
}

// The address that the pointers are relative to. It must not be zero_buffer (padding): kernels add no offset to that.
static const void* base(xnn_operator_t op) {
  return ocl_kernels_move(op->zero_buffer, XNN_ALLOCATION_ALIGNMENT);
}

static size_t num_kept_rows(const ocl_step* step) {
  return step->xnn->output_height - ocl_conv_of(step)->rows.num_shared + 1;
}

// The pointers to the wide taps of a shared row, behind all others.
static const void** wide_row(const ocl_step* step) {
  return step->xnn->indirection_buffer + num_kept_rows(step) * ocl_conv_of(step)->rows.num_pointers;
}

static bool is_shared(const ocl_conv_rows* rows, size_t y) {
  return y >= rows->first_shared && y < rows->first_shared + rows->num_shared;
}

// The pointers of output row `y`, and the offset to add to them.
static const void** find_row(const ocl_step* step, size_t y, size_t* offset_out) {
  const ocl_conv_rows* rows = &ocl_conv_of(step)->rows;
  const size_t first = rows->first_shared;
  const size_t num_skipped = y < first ? 0 : min(y - first, rows->num_shared - 1);
  *offset_out = (uintptr_t)step->xnn->input - (uintptr_t)base(step->xnn) +
                (is_shared(rows, y) ? num_skipped * rows->input_stride_bytes : 0);
  return step->xnn->indirection_buffer + (y - num_skipped) * rows->num_pointers;
}

// ---- planning ----

static bool is_igemm(xnn_operator_t op) {
  return op->ukernel.type == xnn_microkernel_type_igemm;
}

static void find_shared_rows(ocl_step* step) {
  xnn_operator_t op = step->xnn;
  const size_t stride = op->stride_height, end_of_input = op->padding_top + op->input_height;
  const size_t reach = (op->kernel_height - 1) * op->dilation_height;
  const size_t pixel_bytes = is_igemm(op) ? op->context.igemm.conv2d_igemm_indirection_init.input_pixel_stride
                                          : op->context.dwconv.dwconv_indirection_init.input_pixel_stride;
  const size_t first = min(divide_round_up(op->padding_top, stride), op->output_height);
  const size_t end = min(divide_round_up(doz(end_of_input, reach), stride), op->output_height);
  ocl_conv_of(step)->rows.first_shared = first;
  ocl_conv_of(step)->rows.num_shared = doz(end, first);
  ocl_conv_of(step)->rows.input_stride_bytes = stride * op->input_width * pixel_bytes;
}

// Running row by row, each row may end in a partial tile. Sharing is worth at most 1/16 more tiles.
static bool has_few_extra_tiles(xnn_operator_t op, size_t mr) {
  const size_t by_rows = op->output_height * divide_round_up(op->output_width, mr);
  return by_rows - divide_round_up(op->output_height * op->output_width, mr) <= by_rows / 16;
}

static void fill_igemm_row(xnn_operator_t op, size_t mr, size_t y, const void** pointers) {
  const struct conv2d_igemm_indirection_init_context* c = &op->context.igemm.conv2d_igemm_indirection_init;
  xnn_indirection_init_conv2d(mr, 0, round_up(c->output_width, mr), pointers, base(op), c->zero_buffer,
                              c->input_pixel_stride, c->input_height, c->input_width, 1, c->output_width,
                              c->kernel_height, c->kernel_width, c->stride_height, c->stride_width, c->dilation_height,
                              c->dilation_width, c->input_padding_top - y * c->stride_height, c->input_padding_left);
}

static void fill_dwconv_row(xnn_operator_t op, size_t y, const void** pointers) {
  const struct dwconv_indirection_init_context* c = &op->context.dwconv.dwconv_indirection_init;
  xnn_indirection_init_dwconv2d(0, 1, pointers, base(op), c->input_pixel_stride, c->zero_buffer, c->input_height,
                                c->input_width, 1, c->output_width, c->kernel_height, c->kernel_width, c->stride_height,
                                c->stride_width, c->dilation_height, c->dilation_width,
                                c->input_padding_top - y * c->stride_height, c->input_padding_left, c->step_height,
                                c->step_width, c->tile_size);
}

static bool can_share(const ocl_step* step) {
  xnn_operator_t op = step->xnn;
  if (ocl_conv_of(step)->rows.num_shared < 2) return false;
  if (is_igemm(op)) return op->groups == 1 && has_few_extra_tiles(op, op->compute[1].tile[0]);
  return op->compute[1].type == xnn_parallelization_type_2d && op->ukernel.dwconv.last_tile == 0;
}

// Finds the output columns whose windows cross neither the left nor the right edge. None, if the weights of a tap are
// not next to those of its neighbour, because they are padded or dilated.
static void find_wide_columns(ocl_step* step) {
  ocl_conv_rows* rows = &ocl_conv_of(step)->rows;
  xnn_operator_t op = step->xnn;
  rows->first_wide = rows->end_wide = 0;
  if (!is_igemm(op) || op->ukernel.igemm.kr != 1 || op->kernel_width == 1 || op->dilation_width != 1) return;
  const size_t stride = op->stride_width, end_of_input = op->padding_left + op->input_width;
  rows->first_wide = divide_round_up(op->padding_left, stride);
  rows->end_wide = min(divide_round_up(doz(end_of_input, op->kernel_width - 1), stride), op->output_width);
}

// Takes the first pointer of each row of a window from the pointers of the shared rows.
static void fill_wide_row(const ocl_step* step, size_t mr) {
  xnn_operator_t op = step->xnn;
  const size_t num_tiles = divide_round_up(op->output_width, mr), kernel_width = op->kernel_width;
  const void** from =
      op->indirection_buffer + ocl_conv_of(step)->rows.first_shared * ocl_conv_of(step)->rows.num_pointers;
  const void** to = wide_row(step);
  for (size_t tap = 0; tap < num_tiles * op->kernel_height; tap++, from += kernel_width * mr, to += mr)
    memcpy(to, from, mr * sizeof *to);
}

bool ocl_conv_prepare_rows(ocl_step* step) {
  xnn_operator_t op = step->xnn;
  if (!is_enabled || (!is_igemm(op) && op->ukernel.type != xnn_microkernel_type_dwconv)) return false;
  op->flags |= XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER;
  return true;
}

// Undoes ocl_conv_prepare_rows(): the next reshape makes XNNPACK write all pointers.
static void disable_shared_rows(ocl_step* step) {
  memset(step->xnn->compute, 0, sizeof step->xnn->compute);
  ocl_conv_of(step)->rows.num_shared = 0;
  step->xnn->last_input_height = 0;
  step->xnn->flags &= ~(uint32_t)XNN_FLAG_TRANSIENT_INDIRECTION_BUFFER;
}

ocl_status ocl_conv_share_rows(ocl_step* step) {
  xnn_operator_t op = step->xnn;
  find_shared_rows(step);
  if (!can_share(step)) {
    disable_shared_rows(step);
    return OCL_OK;
  }
  const size_t mr = op->compute[1].tile[0];
  const struct dwconv_indirection_init_context* dwconv = &op->context.dwconv.dwconv_indirection_init;
  const size_t kernel_size = (size_t)op->kernel_height * op->kernel_width;
  ocl_conv_of(step)->rows.num_pointers = is_igemm(op) ? round_up(op->output_width, mr) * kernel_size
                                                      : dwconv->step_height + dwconv->tile_size - kernel_size;
  find_wide_columns(step);
  const bool has_wide = ocl_conv_of(step)->rows.end_wide > ocl_conv_of(step)->rows.first_wide;
  const size_t num_pointers = (num_kept_rows(step) + has_wide) * ocl_conv_of(step)->rows.num_pointers;
  const void** pointers = xnn_reallocate_memory((void*)op->indirection_buffer, num_pointers * sizeof *pointers);
  if (pointers == NULL) return OCL_OUT_OF_MEMORY;
  op->indirection_buffer = pointers;
  for (size_t i = 0; i < num_kept_rows(step); i++, pointers += ocl_conv_of(step)->rows.num_pointers) {
    const size_t y = i <= ocl_conv_of(step)->rows.first_shared ? i : i + ocl_conv_of(step)->rows.num_shared - 1;
    if (is_igemm(op))
      fill_igemm_row(op, mr, y, pointers);
    else
      fill_dwconv_row(op, y, pointers);
  }
  if (has_wide) fill_wide_row(step, mr);
  return OCL_OK;
}

// ---- running ----

// The input of a tile of output pixels: the pointers to its taps, and the offset to add to them.
typedef struct {
  const void** pointers;
  size_t offset, taps_in_one;  // neighbouring taps that are one, with more channels
} tile_input;

static bool is_wide(const ocl_conv_rows* rows, size_t y, size_t x, size_t width) {
  return is_shared(rows, y) && x >= rows->first_wide && x + width <= rows->end_wide;
}

// Of the tile in row `y`, from the pixel `x` on.
static tile_input find_tile(const ocl_step* step, size_t y, size_t x, size_t width) {
  const bool has_wide_taps = is_wide(&ocl_conv_of(step)->rows, y, x, width);
  tile_input tile = {.taps_in_one = has_wide_taps ? step->xnn->kernel_width : 1};
  const void** row = find_row(step, y, &tile.offset);
  const size_t num_taps = step->xnn->context.igemm.igemm.ks / tile.taps_in_one;
  tile.pointers = (has_wide_taps ? wide_row(step) : row) + x * num_taps;
  return tile;
}

typedef struct {
  void* data;
  size_t pixel_bytes;
} tile_output;

static void run_igemm_tile(const ocl_step* step, size_t input_distance, tile_output output, size_t y, size_t x,
                           size_t channel, size_t width, size_t channels) {
  const struct igemm_context* c = &step->xnn->context.igemm.igemm;
  const tile_input tile = find_tile(step, y, x, width);
  c->ukernel.function[XNN_UARCH_DEFAULT](width, channels, c->kc * tile.taps_in_one, c->ks_scaled / tile.taps_in_one,
                                         tile.pointers, (const char*)c->packed_w + channel * c->w_stride, output.data,
                                         output.pixel_bytes, c->cn_stride, tile.offset + input_distance, c->zero,
                                         &c->params);
}

// Where the tile's outputs are in the feature map. The distance is added to its address.
static tile_output output_of(const ocl_step* step, size_t distance, size_t y, size_t x, size_t channel) {
  const struct igemm_context* c = &step->xnn->context.igemm.igemm;
  const size_t pixel = y * step->xnn->output_width + x;
  void* data = (void*)ocl_kernels_move(c->c, distance + pixel * c->cm_stride + (channel << c->log2_csize));
  return (tile_output){data, c->cm_stride};
}

static void run_dwconv_row(const ocl_step* step, size_t input_distance, size_t output_distance, size_t y) {
  const struct dwconv_context* c = &step->xnn->context.dwconv.dwconv;
  size_t offset;
  const void** pointers = find_row(step, y, &offset);
  char* output = (char*)ocl_kernels_move(c->output, output_distance + y * c->output_height_stride);
  c->unipass_ukernel(c->groups, c->output_width, pointers, c->packed_weights, output, c->indirect_input_width_stride,
                     c->output_increment, offset + input_distance, c->zero, &c->params);
}

static void run_tile_of_image(ocl_step* step, size_t image, size_t y, size_t x, size_t channel, size_t width,
                              size_t channels) {
  const struct igemm_context* c = &step->xnn->context.igemm.igemm;
  run_igemm_tile(step, image * c->ba_stride, output_of(step, image * c->bc_stride, y, x, channel), y, x, channel, width,
                 channels);
}

static void run_row_of_image(ocl_step* step, size_t image, size_t y) {
  const struct dwconv_context* c = &step->xnn->context.dwconv.dwconv;
  run_dwconv_row(step, image * c->input_batch_stride, image * c->output_batch_stride, y);
}

static void run_igemm_row(const ocl_step* step, const ocl_rows* rows, size_t y, size_t channel, size_t channels) {
  xnn_operator_t op = step->xnn;
  const size_t width = op->compute[1].tile[0];
  for (size_t x = 0; x < op->output_width; x += width)
    run_igemm_tile(step, rows->input_distance, output_of(step, rows->output_distance, y, x, channel), y, x, channel,
                   min(width, op->output_width - x), channels);
}

static void run_gemm_tile(xnn_operator_t op, const ocl_rows* rows, size_t pixel, size_t channel, size_t width,
                          size_t channels) {
  const struct gemm_context* c = &op->context.gemm.gemm.gemm;
  const size_t output_distance = rows->output_distance + pixel * c->cm_stride + (channel << c->log2_csize);
  c->ukernel.function[XNN_UARCH_DEFAULT](
      width, channels, c->k_scaled, ocl_kernels_move(c->a, rows->input_distance + pixel * c->a_stride), c->a_stride,
      (const char*)c->packed_w + channel * c->w_stride, (void*)ocl_kernels_move(c->c, output_distance), c->cm_stride,
      c->cn_stride, c->fused_params);
}

// ---- blocks of channels ----

static bool is_gemm(xnn_operator_t op) {
  return op->ukernel.type == xnn_microkernel_type_gemm && op->groups == 1;
}

static size_t bytes_of_channel(xnn_operator_t op) {
  return is_igemm(op) ? op->context.igemm.igemm.w_stride : op->context.gemm.gemm.gemm.w_stride;
}

static size_t channels_of_block(xnn_operator_t op) {
  const size_t nr = is_igemm(op) ? op->ukernel.igemm.nr : op->ukernel.gemm.nr;
  return max(kBlockBytes / bytes_of_channel(op) / nr, 1) * nr;
}

static bool has_blocks(ocl_graph* graph, const ocl_step* step) {
  xnn_operator_t op = step->xnn;
  const ocl_conv* conv = ocl_conv_of(step);
  const bool is_known = is_gemm(op) ? !conv->is_fully_connected : is_igemm(op) && conv->rows.num_shared > 0;
  if (!is_enabled || !is_known) return false;
  const size_t bytes = bytes_of_channel(op) * op->group_output_channels;
  return bytes > kBlockBytes && bytes > ocl_graph_size_bytes(ocl_graph_in(graph, step, 0));
}

// `part`: a tile of pixels of a gemm, or a row of an igemm.
static void run_block(ocl_step* step, size_t block, size_t part) {
  xnn_operator_t op = step->xnn;
  const size_t channel = block * channels_of_block(op);
  const size_t channels = min(channels_of_block(op), op->group_output_channels - channel);
  if (is_gemm(op)) {
    const size_t mr = op->compute[0].tile[0], pixel = part * mr;
    run_gemm_tile(op, &(ocl_rows){0}, pixel, channel, min(mr, op->compute[0].range[0] - pixel), channels);
    return;
  }
  const struct igemm_context* c = &op->context.igemm.igemm;
  const size_t image = part / op->output_height;
  const ocl_rows rows = {.input_distance = image * c->ba_stride, .output_distance = image * c->bc_stride};
  run_igemm_row(step, &rows, part % op->output_height, channel, channels);
}

static void run_blocks(ocl_graph* graph, ocl_step* step) {
  xnn_operator_t op = step->xnn;
  const size_t blocks = divide_round_up(op->group_output_channels, channels_of_block(op));
  const size_t parts = is_gemm(op) ? divide_round_up(op->compute[0].range[0], op->compute[0].tile[0])
                                   : op->batch_size * op->output_height;
  pthreadpool_parallelize_2d(graph->pool, (pthreadpool_task_2d_t)run_block, step, blocks, parts,
                             PTHREADPOOL_FLAG_DISABLE_DENORMALS);
}

bool ocl_conv_run_rows(ocl_graph* graph, ocl_step* step) {
  xnn_operator_t op = step->xnn;
  const size_t* tile = op->compute[1].tile;
  if (has_blocks(graph, step))
    run_blocks(graph, step);
  else if (ocl_conv_of(step)->rows.num_shared == 0)
    return false;
  else if (is_igemm(op))
    pthreadpool_parallelize_4d_tile_2d(graph->pool, (pthreadpool_task_4d_tile_2d_t)run_tile_of_image, step,
                                       op->batch_size, op->output_height, op->output_width, op->group_output_channels,
                                       tile[0], tile[1], PTHREADPOOL_FLAG_DISABLE_DENORMALS);
  else
    pthreadpool_parallelize_2d(graph->pool, (pthreadpool_task_2d_t)run_row_of_image, step, op->batch_size,
                               op->output_height, PTHREADPOOL_FLAG_DISABLE_DENORMALS);
  return true;
}

// ---- panels ----

static bool is_float(xnn_operator_t op) {
  return op->type == xnn_operator_type_convolution_nhwc_f32;
}

static bool writes_panels(xnn_operator_t op) {
  if (!is_float(op) || op->group_output_channels % OCL_PANEL != 0 || !(is_gemm(op) || is_igemm(op))) return false;
  const bool has_layout = is_igemm(op) ? op->ukernel.igemm.nr == OCL_PANEL && op->ukernel.igemm.kr == 1
                                       : op->ukernel.gemm.nr == OCL_PANEL && op->ukernel.gemm.kr == 1;
  return has_layout && op->output_width >= OCL_PANEL_TILE;
}

// By how many columns the last window reaches beyond the input.
static size_t padding_right(xnn_operator_t op) {
  return doz((op->output_width - 1) * op->stride_width + op->kernel_width, op->padding_left + op->input_width);
}

static bool reads_panels(const ocl_step* step) {
  xnn_operator_t op = step->xnn;
  if (!is_float(op) || op->ukernel.type != xnn_microkernel_type_dwconv) return false;
  const bool has_kernel =
      op->context.dwconv.dwconv.unipass_ukernel == (xnn_dwconv_unipass_ukernel_fn)ocl_dwconv_f32_run;
  const bool has_window = op->kernel_height == 3 && op->kernel_width == 3 && op->dilation_height == 1 &&
                          op->dilation_width == 1 && op->stride_width <= 2 && op->padding_left <= 1 &&
                          padding_right(op) <= 1 && op->output_width > 1;
  return has_kernel && has_window && op->groups % OCL_PANEL == 0 && op->group_output_channels == 1;
}

static const float* weights_of(const void* packed, size_t channel_bytes, size_t panel) {
  return ocl_kernels_move(packed, panel * OCL_PANEL * channel_bytes);
}

static void write_gemm_panel(xnn_operator_t op, const ocl_rows* rows, size_t panel, float* data) {
  const struct gemm_context* c = &op->context.gemm.gemm.gemm;
  const size_t first = rows->first * op->output_width, end = rows->end * op->output_width;
  const ocl_panel_inputs inputs = {.first = ocl_kernels_move(c->a, rows->input_distance + first * c->a_stride),
                                   .num_taps = 1,
                                   .tap_bytes = c->k_scaled,
                                   .pixel_stride = c->a_stride};
  ocl_gemm_f32_run_panel(end - first, &inputs, weights_of(c->packed_w, c->w_stride, panel), data,
                         (const union xnn_f32_minmax_params*)c->fused_params);
}

// The pixels from `x` on, in whole tiles, whose taps are as far from each other as those of the first. At `x` begins
// a tile of wide taps.
static size_t count_even_pixels(const ocl_step* step, size_t x) {
  const size_t mr = step->xnn->compute[1].tile[0];
  return (min(ocl_conv_of(step)->rows.end_wide, step->xnn->output_width) - x) / mr * mr;
}

static void write_even_pixels(const ocl_step* step, size_t input_distance, size_t y, size_t x, size_t num_pixels,
                              size_t panel, float* data) {
  const struct igemm_context* c = &step->xnn->context.igemm.igemm;
  const size_t mr = step->xnn->compute[1].tile[0];
  const tile_input tile = find_tile(step, y, x, mr);
  const uintptr_t first = (uintptr_t)tile.pointers[0];
  const ocl_panel_inputs inputs = {.first = ocl_kernels_move(tile.pointers[0], tile.offset + input_distance),
                                   .num_taps = c->ks / tile.taps_in_one,
                                   .tap_bytes = c->kc * tile.taps_in_one,
                                   .tap_stride = (uintptr_t)tile.pointers[mr] - first,
                                   .pixel_stride = (uintptr_t)tile.pointers[1] - first};
  ocl_gemm_f32_run_panel(num_pixels, &inputs, weights_of(c->packed_w, c->w_stride, panel), data,
                         (const union xnn_f32_minmax_params*)&c->params);
}

static void write_igemm_panel_row(const ocl_step* step, size_t input_distance, size_t y, size_t panel, float* data) {
  xnn_operator_t op = step->xnn;
  const size_t mr = op->compute[1].tile[0];
  for (size_t x = 0, width; x < op->output_width; x += width) {
    width = is_wide(&ocl_conv_of(step)->rows, y, x, mr) ? count_even_pixels(step, x) : 0;
    if (width >= OCL_PANEL_TILE) {
      write_even_pixels(step, input_distance, y, x, width, panel, data + x * OCL_PANEL);
      continue;
    }
    width = min(mr, op->output_width - x);
    run_igemm_tile(step, input_distance, (tile_output){data + x * OCL_PANEL, OCL_PANEL * sizeof *data}, y, x,
                   panel * OCL_PANEL, width, OCL_PANEL);
  }
}

static void read_panel(const ocl_step* step, const ocl_rows* rows, size_t panel, const float* data) {
  xnn_operator_t op = step->xnn;
  const struct dwconv_context* c = &op->context.dwconv.dwconv;
  const size_t row_floats = op->input_width * OCL_PANEL;
  for (size_t y = rows->first; y < rows->end; y++) {
    const size_t distance = rows->output_distance + y * c->output_height_stride + panel * OCL_PANEL * sizeof *data;
    const ocl_panel_row row = {.top = data + (y - rows->first) * op->stride_height * row_floats,
                               .row_bytes = row_floats * sizeof *data,
                               .pads_left = op->padding_left > 0,
                               .pads_right = padding_right(op) > 0,
                               .output = (float*)ocl_kernels_move(c->output, distance),
                               .output_width = op->output_width,
                               .pixel_stride = c->groups};
    ocl_dwconv_f32_run_panel(&row, op->stride_width, c->packed_weights, panel,
                             (const union xnn_f32_minmax_params*)&c->params);
  }
}

void ocl_conv_run_panel(const ocl_step* step, const ocl_rows* rows, size_t panel, float* data) {
  xnn_operator_t op = step->xnn;
  if (is_gemm(op))
    write_gemm_panel(op, rows, panel, data);
  else if (!is_igemm(op))
    read_panel(step, rows, panel, data);
  else
    for (size_t y = rows->first; y < rows->end; y++, data += op->output_width * OCL_PANEL)
      write_igemm_panel_row(step, rows->input_distance, y, panel, data);
}

// ---- rows alone ----

bool ocl_conv_find_rows(ocl_graph* graph, const ocl_step* step, ocl_row_window* window_out) {
  const ocl_conv* conv = ocl_conv_of(step);
  xnn_operator_t op = step->xnn;
  const bool has_rows = conv->rows.num_shared > 0 || (is_enabled && op != NULL && is_gemm(op));
  if (!has_rows || conv->sums != OCL_CONV_XNNPACK || ocl_graph_in(graph, step, 0)->shape.dims[0] != 1) return false;
  const int64_t reach = (int64_t)(op->kernel_height - 1) * op->dilation_height;
  *window_out = (ocl_row_window){.span = reach + 1,
                                 .stride = op->stride_height,
                                 .padding_top = op->padding_top,
                                 .writes_panels = writes_panels(op),
                                 .reads_panels = reads_panels(step)};
  return true;
}

static void run_gemm_pixels(xnn_operator_t op, const ocl_rows* rows) {
  const size_t end = rows->end * op->output_width, mr = op->compute[0].tile[0];
  for (size_t pixel = rows->first * op->output_width; pixel < end; pixel += mr)
    run_gemm_tile(op, rows, pixel, 0, min(mr, end - pixel), op->group_output_channels);
}

void ocl_conv_run_some_rows(const ocl_step* step, const ocl_rows* rows) {
  if (is_gemm(step->xnn)) {
    run_gemm_pixels(step->xnn, rows);
    return;
  }
  for (size_t y = rows->first; y < rows->end; y++) {
    if (is_igemm(step->xnn))
      run_igemm_row(step, rows, y, 0, step->xnn->group_output_channels);
    else
      run_dwconv_row(step, rows->input_distance, rows->output_distance, y);
  }
}
