// Operators that copy elements by index: STRIDED_SLICE, SLICE, TILE, BROADCAST_TO, FILL, GATHER, GATHER_ND,
// MIRROR_PAD.
#include "graph/operators/pick.h"

#include <stdlib.h>
#include <string.h>

#include "graph/operators/table.h"

// ---- picking ----

void ocl_pick_begin(ocl_pick* pick) {
  for (int32_t d = 0; d < OCL_MAX_RANK; d++) free(pick->tables[d]);
  *pick = (ocl_pick){0};
}

void ocl_pick_add(ocl_pick* pick, int32_t count, int64_t start, int64_t step) {
  pick->first += start;
  pick->counts[pick->rank] = count;
  pick->steps[pick->rank++] = step;
}

int32_t* ocl_pick_add_table(ocl_pick* pick, size_t count) {
  pick->counts[pick->rank] = (int32_t)count;
  return pick->tables[pick->rank++] = calloc(count, sizeof(int32_t));
}

static void copy_block(uint8_t* to, const uint8_t* from, size_t size_bytes) {
  if (size_bytes == 1)
    *to = *from;
  else if (size_bytes == 4)
    memcpy(to, from, 4);
  else
    memcpy(to, from, size_bytes);
}

void ocl_pick_copy(const ocl_pick* pick, size_t element_bytes, const void* from, void* to) {
  // The last dimensions are copied as one block if they are neighbours in the input, too.
  int32_t rank = pick->rank;
  size_t block = 1, num_blocks = 1;
  for (; rank > 0 && pick->tables[rank - 1] == NULL && pick->steps[rank - 1] == (int64_t)block; rank--)
    block *= (size_t)pick->counts[rank - 1];
  for (int32_t d = 0; d < rank; d++) num_blocks *= (size_t)pick->counts[d];
  const size_t block_bytes = block * element_bytes;
  int32_t index[OCL_MAX_RANK] = {0};
  uint8_t* next = to;
  for (size_t i = 0; i < num_blocks; i++, next += block_bytes) {
    int64_t offset = pick->first;
    for (int32_t d = 0; d < rank; d++)
      offset += pick->tables[d] != NULL ? pick->tables[d][index[d]] : index[d] * pick->steps[d];
    copy_block(next, (const uint8_t*)from + (size_t)offset * element_bytes, block_bytes);
    for (int32_t d = rank - 1; d >= 0 && ++index[d] == pick->counts[d]; d--) index[d] = 0;
  }
}

static const uint64_t kWorkPerElement = 64;  // computing the offset of one element, in multiply-adds

uint64_t ocl_pick_work(ocl_graph* graph, const ocl_step* step) {
  return (uint64_t)ocl_shape_num_elements(&ocl_graph_out(graph, step, 0)->shape) * kWorkPerElement;
}

enum xnn_status ocl_pick_run(ocl_graph* graph, ocl_step* step) {
  const ocl_value* input = ocl_graph_in(graph, step, ocl_operators_first_map(step->op.row));
  ocl_pick_copy(step->state, ocl_dtype_size_bytes(input->dtype), input->data, ocl_graph_out(graph, step, 0)->data);
  return xnn_status_success;
}

void ocl_pick_drop(ocl_step* step) {
  ocl_pick_begin(step->state);
}

static ocl_status build_pick(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return ocl_graph_check_moves(graph, step, ocl_operators_first_map(step->op.row), detail);
}

// Strides of the input's dimensions, in elements.
static void find_strides(const ocl_shape* shape, int64_t strides[OCL_MAX_RANK]) {
  for (int32_t d = 0; d < shape->rank; d++) strides[d] = (int64_t)ocl_graph_product(shape, d + 1, shape->rank);
}

static ocl_status finish(ocl_graph* graph, ocl_step* step, const ocl_shape* shape) {
  ocl_graph_out(graph, step, 0)->shape = *shape;
  step->other_work = ocl_pick_work(graph, step);
  return OCL_OK;
}

#define PICK(planner) \
  {.state_bytes = sizeof(ocl_pick), .build = build_pick, .plan = planner, .run = ocl_pick_run, .drop = ocl_pick_drop}

// ---- STRIDED_SLICE ----

typedef struct {
  int32_t count, begin[OCL_MAX_RANK], end[OCL_MAX_RANK], stride[OCL_MAX_RANK];
} slices;

static ocl_status read_slices(ocl_graph* graph, const ocl_step* step, slices* s, ocl_detail* detail) {
  int32_t num_end, num_stride;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, s->begin, &s->count, detail));
  OCL_TRY(ocl_graph_known_ints(graph, step, 2, OCL_MAX_RANK, s->end, &num_end, detail));
  OCL_TRY(ocl_graph_known_ints(graph, step, 3, OCL_MAX_RANK, s->stride, &num_stride, detail));
  if (num_end == s->count && num_stride == s->count) return OCL_OK;
  return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its begin, end and strides have %d, %d and %d elements",
                          (int)s->count, (int)num_end, (int)num_stride);
}

// Adds one dimension of `size` indices, sliced as entry `i` says, to the pick, and to the output's shape.
static ocl_status add_slice(const ocl_step* step, const slices* s, int32_t i, int64_t size, int64_t input_stride,
                            ocl_shape* shape, ocl_detail* detail) {
  const int64_t by = s->stride[i];
  if (by == 0) return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "stride %d is 0", (int)i);
  const bool is_shrunk = step->op.options.strided_slice.shrink_axis_mask >> i & 1;
  const bool from_start = !is_shrunk && (step->op.options.strided_slice.begin_mask >> i & 1);
  const bool to_end = step->op.options.strided_slice.end_mask >> i & 1;
  const int64_t low = by > 0 ? 0 : -1, high = by > 0 ? size : size - 1;
  int64_t from = from_start ? (by > 0 ? 0 : size - 1) : s->begin[i] < 0 ? s->begin[i] + size : s->begin[i];
  int64_t to = to_end ? (by > 0 ? size : -1) : s->end[i] < 0 ? s->end[i] + size : s->end[i];
  if (is_shrunk && (from < 0 || from >= size))
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "index %d of a dimension of %d", (int)s->begin[i],
                            (int)size);
  from = from < low ? low : from > high ? high : from;
  to = to < low ? low : to > high ? high : to;
  const int64_t count = is_shrunk ? 1 : by > 0 ? (to - from + by - 1) / by : (from - to - by - 1) / -by;
  if (count < 1) return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its slice is empty");
  ocl_pick_add(step->state, (int32_t)count, from * input_stride, by * input_stride);
  if (!is_shrunk) shape->dims[shape->rank++] = (int32_t)count;
  return OCL_OK;
}

// Adds dimensions `first` to `end` - 1 of the input as they are.
static void add_whole(const ocl_step* step, const ocl_shape* input, int32_t first, int32_t end, ocl_shape* shape) {
  for (int32_t d = first; d < end; d++) {
    ocl_pick_add(step->state, input->dims[d], 0, (int64_t)ocl_graph_product(input, d + 1, input->rank));
    shape->dims[shape->rank++] = input->dims[d];
  }
}

static ocl_status plan_strided_slice(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  slices s;
  ocl_shape shape = {0};
  OCL_TRY(read_slices(graph, step, &s, detail));
  const uint32_t all = (1u << s.count) - 1;
  const uint32_t ellipsis = (uint32_t)step->op.options.strided_slice.ellipsis_mask & all;
  const uint32_t added = (uint32_t)step->op.options.strided_slice.new_axis_mask & all & ~ellipsis;
  const int32_t num_sliced = s.count - __builtin_popcount(ellipsis) - __builtin_popcount(added);
  if (__builtin_popcount(ellipsis) > 1 || num_sliced > input->rank ||
      input->rank + __builtin_popcount(added) > OCL_MAX_RANK)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its %d slices do not fit %d dimensions", (int)s.count,
                            (int)input->rank);
  ocl_pick_begin(step->state);
  int32_t d = 0;
  for (int32_t i = 0; i < s.count; i++) {
    if (ellipsis >> i & 1) {
      add_whole(step, input, d, d + input->rank - num_sliced, &shape);
      d += input->rank - num_sliced;
    } else if (added >> i & 1) {
      ocl_pick_add(step->state, 1, 0, 0);
      shape.dims[shape.rank++] = 1;
    } else {
      OCL_TRY(add_slice(step, &s, i, input->dims[d], (int64_t)ocl_graph_product(input, d + 1, input->rank), &shape,
                        detail));
      d++;
    }
  }
  add_whole(step, input, d, input->rank, &shape);
  return finish(graph, step, &shape);
}

const ocl_kind ocl_kind_STRIDED_SLICE = PICK(plan_strided_slice);

// ---- SLICE ----

static ocl_status plan_slice(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t begin[OCL_MAX_RANK], size[OCL_MAX_RANK], num_begin, num_size;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, begin, &num_begin, detail));
  OCL_TRY(ocl_graph_known_ints(graph, step, 2, OCL_MAX_RANK, size, &num_size, detail));
  if (num_begin != input->rank || num_size != input->rank)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail,
                            "its begin and size have %d and %d elements for %d dimensions", (int)num_begin,
                            (int)num_size, (int)input->rank);
  int64_t strides[OCL_MAX_RANK];
  find_strides(input, strides);
  ocl_pick_begin(step->state);
  ocl_shape shape = {.rank = input->rank};
  for (int32_t d = 0; d < input->rank; d++) {
    shape.dims[d] = size[d] == -1 ? input->dims[d] - begin[d] : size[d];
    if (begin[d] < 0 || begin[d] > input->dims[d] || shape.dims[d] < 0 || shape.dims[d] > input->dims[d] - begin[d])
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "%d elements from %d on, of a dimension of %d",
                              (int)size[d], (int)begin[d], (int)input->dims[d]);
    ocl_pick_add(step->state, shape.dims[d], begin[d] * strides[d], strides[d]);
  }
  return finish(graph, step, &shape);
}

const ocl_kind ocl_kind_SLICE = PICK(plan_slice);

// ---- TILE, BROADCAST_TO, FILL ----

static ocl_status plan_tile(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  int32_t multiples[OCL_MAX_RANK], count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, OCL_MAX_RANK, multiples, &count, detail));
  if (count != input->rank)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "%d multiples for %d dimensions", (int)count,
                            (int)input->rank);
  int64_t strides[OCL_MAX_RANK];
  find_strides(input, strides);
  ocl_pick_begin(step->state);
  ocl_shape shape = *input;
  for (int32_t d = 0; d < shape.rank; d++) {
    if (multiples[d] < 1 || __builtin_mul_overflow(shape.dims[d], multiples[d], &shape.dims[d]) ||
        shape.dims[d] > OCL_GRAPH_MAX_ELEMENTS)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "multiple %d is below 1 or too large",
                              (int)multiples[d]);
    if (multiples[d] == 1 || input->dims[d] == 1) {
      ocl_pick_add(step->state, shape.dims[d], 0, multiples[d] == 1 ? strides[d] : 0);
      continue;
    }
    int32_t* table = ocl_pick_add_table(step->state, (size_t)shape.dims[d]);
    if (table == NULL) return OCL_OUT_OF_MEMORY;
    for (int32_t i = 0; i < shape.dims[d]; i++) table[i] = (int32_t)(i % input->dims[d] * strides[d]);
  }
  return finish(graph, step, &shape);
}

// The known shape in input `from`; input `value` is broadcast to it.
static ocl_status plan_broadcast(ocl_graph* graph, ocl_step* step, int32_t from, int32_t value, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, value)->shape;
  ocl_shape shape, both;
  OCL_TRY(ocl_graph_known_ints(graph, step, from, OCL_MAX_RANK, shape.dims, &shape.rank, detail));
  for (int32_t d = 0; d < shape.rank; d++)
    if (shape.dims[d] < 0)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "dimension %d of its new shape is %d", (int)d,
                              (int)shape.dims[d]);
  if (!ocl_graph_broadcast(input, &shape, &both) || !ocl_shape_is_same(&shape, &both))
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its input does not broadcast to its new shape");
  int64_t strides[OCL_MAX_RANK];
  find_strides(input, strides);
  ocl_pick_begin(step->state);
  for (int32_t d = 0; d < shape.rank; d++) {
    const int32_t of_input = d - shape.rank + input->rank;
    ocl_pick_add(step->state, shape.dims[d], 0, of_input < 0 || input->dims[of_input] == 1 ? 0 : strides[of_input]);
  }
  return finish(graph, step, &shape);
}

static ocl_status plan_broadcast_to(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  return plan_broadcast(graph, step, 1, 0, detail);
}

static ocl_status plan_fill(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  if (ocl_shape_num_elements(&ocl_graph_in(graph, step, 1)->shape) != 1)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "its value is not one number");
  return plan_broadcast(graph, step, 0, 1, detail);
}

const ocl_kind ocl_kind_TILE = PICK(plan_tile);
const ocl_kind ocl_kind_BROADCAST_TO = PICK(plan_broadcast_to);
const ocl_kind ocl_kind_FILL = PICK(plan_fill);

// ---- GATHER, GATHER_ND: by indices that may be computed ----

// The input is rows of blocks. Every row gives `count` blocks: those that a list of indices names. `outer` rows share a
// list.
typedef struct {
  size_t num_rows, outer, count, block;  // block: number of elements
  int32_t depth;                         // an index is so many numbers, one for each dimension of a row
  int32_t sizes[OCL_MAX_RANK];           // of these dimensions
} gathering;

// Writes the number of the block that index `i` names. false: the row does not have it.
static bool find_block(const gathering* g, const ocl_value* indices, size_t i, size_t* block_out) {
  const size_t depth = (size_t)g->depth;
  *block_out = 0;
  for (size_t d = 0; d < depth; d++) {
    const int64_t index = ocl_graph_whole_at(indices, i * depth + d);
    if (index < 0 || index >= g->sizes[d]) return false;
    *block_out = *block_out * (size_t)g->sizes[d] + (size_t)index;
  }
  return true;
}

static ocl_status check_known_indices(const ocl_step* step, const ocl_value* indices, ocl_detail* detail) {
  const gathering* g = step->state;
  const size_t count = indices->known == NULL ? 0 : ocl_shape_num_elements(&indices->shape);
  for (size_t i = 0; i < count; i++) {
    const int64_t index = ocl_graph_whole_at(indices, i);
    const int32_t size = g->sizes[i % (size_t)g->depth];
    if (index < 0 || index >= size)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "index %lld of a dimension of %d", (long long)index,
                              (int)size);
  }
  return OCL_OK;
}

// `shape` ends where the indices' dimensions from `first` on, except the last `except`, and then the input's from
// `rest` on follow.
static ocl_status finish_gathering(ocl_graph* graph, ocl_step* step, ocl_shape shape, int32_t first, int32_t except,
                                   int32_t rest, ocl_detail* detail) {
  gathering* g = step->state;
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  const ocl_value* indices = ocl_graph_in(graph, step, 1);
  const int32_t end = indices->shape.rank - except, rank = shape.rank + end - first + input->rank - rest;
  if (rank > OCL_MAX_RANK)
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its output has %d dimensions", (int)rank);
  g->count = ocl_graph_product(&indices->shape, first, end);
  g->block = ocl_graph_product(input, rest, input->rank);
  for (int32_t d = first; d < end; d++) shape.dims[shape.rank++] = indices->shape.dims[d];
  for (int32_t d = rest; d < input->rank; d++) shape.dims[shape.rank++] = input->dims[d];
  OCL_TRY(check_known_indices(step, indices, detail));
  return finish(graph, step, &shape);
}

static ocl_status build_gather(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  if (!ocl_graph_is_int(ocl_graph_in(graph, step, 1)))
    return ocl_graph_reject(step, OCL_UNSUPPORTED_OPERATOR, detail, "its indices are neither int32 nor int64");
  return build_pick(graph, step, detail);
}

static ocl_status plan_gather(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  gathering* g = step->state;
  const ocl_shape *input = &ocl_graph_in(graph, step, 0)->shape, *indices = &ocl_graph_in(graph, step, 1)->shape;
  const int32_t given = step->op.options.gather.batch_dims, batch_dims = given < 0 ? given + indices->rank : given;
  int32_t axis;
  OCL_TRY(ocl_graph_axis(step, step->op.options.gather.axis, input->rank, &axis, detail));
  bool fits = batch_dims >= 0 && batch_dims <= axis && batch_dims <= indices->rank;
  for (int32_t d = 0; fits && d < batch_dims; d++) fits = input->dims[d] == indices->dims[d];
  if (!fits)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "%d batch dimensions do not fit its indices",
                            (int)given);
  g->outer = ocl_graph_product(input, batch_dims, axis);
  g->num_rows = ocl_graph_product(input, 0, axis);
  g->depth = 1;
  g->sizes[0] = input->dims[axis];
  ocl_shape shape = *input;
  shape.rank = axis;
  return finish_gathering(graph, step, shape, batch_dims, 0, axis + 1, detail);
}

static ocl_status plan_gather_nd(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  gathering* g = step->state;
  const ocl_shape *input = &ocl_graph_in(graph, step, 0)->shape, *indices = &ocl_graph_in(graph, step, 1)->shape;
  g->depth = ocl_graph_dim_from_end(indices, 0);
  if (indices->rank == 0 || g->depth < 1 || g->depth > input->rank)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "indices of %d numbers for %d dimensions", (int)g->depth,
                            (int)input->rank);
  g->num_rows = g->outer = 1;
  memcpy(g->sizes, input->dims, (size_t)g->depth * sizeof *g->sizes);
  return finish_gathering(graph, step, (ocl_shape){0}, 0, 1, g->depth, detail);
}

static enum xnn_status run_gather(ocl_graph* graph, ocl_step* step) {
  const gathering* g = step->state;
  const ocl_value *input = ocl_graph_in(graph, step, 0), *indices = ocl_graph_in(graph, step, 1);
  const size_t size = g->block * ocl_dtype_size_bytes(input->dtype),
               row_bytes = ocl_graph_size_bytes(input) / g->num_rows;
  uint8_t* to = ocl_graph_out(graph, step, 0)->data;
  for (size_t row = 0; row < g->num_rows; row++)
    for (size_t i = 0; i < g->count; i++, to += size) {
      size_t block;
      if (!find_block(g, indices, row / g->outer * g->count + i, &block)) return xnn_status_invalid_parameter;
      copy_block(to, (const uint8_t*)input->data + row * row_bytes + block * size, size);
    }
  return xnn_status_success;
}

const ocl_kind ocl_kind_GATHER = {
    .state_bytes = sizeof(gathering), .build = build_gather, .plan = plan_gather, .run = run_gather};
const ocl_kind ocl_kind_GATHER_ND = {
    .state_bytes = sizeof(gathering), .build = build_gather, .plan = plan_gather_nd, .run = run_gather};

// ---- MIRROR_PAD ----

static ocl_status plan_mirror_pad(ocl_graph* graph, ocl_step* step, ocl_detail* detail) {
  const ocl_shape* input = &ocl_graph_in(graph, step, 0)->shape;
  const int32_t symmetric = step->op.options.mirror_pad.is_symmetric;
  int32_t paddings[OCL_MAX_RANK][2], count;
  OCL_TRY(ocl_graph_known_ints(graph, step, 1, 2 * OCL_MAX_RANK, &paddings[0][0], &count, detail));
  if (count != 2 * input->rank)
    return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "%d paddings for %d dimensions", (int)count,
                            (int)input->rank);
  int64_t strides[OCL_MAX_RANK];
  find_strides(input, strides);
  ocl_pick_begin(step->state);
  ocl_shape shape = *input;
  for (int32_t d = 0; d < input->rank; d++) {
    const int32_t size = input->dims[d], before = paddings[d][0], after = paddings[d][1];
    if (before < 0 || after < 0 || before > size - 1 + symmetric || after > size - 1 + symmetric)
      return ocl_graph_reject(step, OCL_MODEL_BAD_GRAPH, detail, "paddings %d and %d of a dimension of %d", (int)before,
                              (int)after, (int)size);
    shape.dims[d] = before + size + after;
    int32_t* table = ocl_pick_add_table(step->state, (size_t)shape.dims[d]);
    if (table == NULL) return OCL_OUT_OF_MEMORY;
    for (int32_t i = 0; i < shape.dims[d]; i++) {
      const int32_t at = i - before, mirrored = at < 0      ? -at - symmetric
                                                : at < size ? at
                                                            : 2 * size - 2 + symmetric - at;
      table[i] = (int32_t)(mirrored * strides[d]);
    }
  }
  return finish(graph, step, &shape);
}

const ocl_kind ocl_kind_MIRROR_PAD = PICK(plan_mirror_pad);
