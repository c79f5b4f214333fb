#include "tflite/dense.h"

#include <string.h>

#include "tflite/internal.h"

enum { kMaxLevels = 2 * OCL_MAX_RANK };

// ---- 4 bits ----

// Two elements in a byte, the first in the low bits.
static void unpack_nibbles(const uint8_t* packed, size_t count, int8_t* out) {
  for (size_t i = 0; i < count; i++) {
    const uint8_t bits = packed[i / 2] >> (i % 2 * 4) & 15;
    out[i] = (int8_t)(bits < 8 ? bits : bits - 16);
  }
}

// ---- sparse ----
// TFLite's format: a tree whose levels are the dimensions in some order, and then dimensions of blocks. A dense level
// has all its indices, a sparse one those in a list of its own: the children of node n are the entries segments[n] to
// segments[n + 1] - 1 of `indices`. The leaves are the stored elements, in the order of the tree.

typedef struct {
  const uint8_t* values;
  uint32_t count;
  uint8_t element_bytes;
} list;

typedef struct {
  bool is_sparse;
  int32_t dimension;  // of the tensor
  uint32_t size;      // of a dense level
  uint32_t limit;     // the level's indices are below it
  uint32_t scale;     // what one index is in the tensor's dimension: the block's size, or 1
  list segments, indices;
} level;

typedef struct {
  const ocl_tflite_tensor* tensor;
  int32_t num_levels;
  level levels[kMaxLevels];
  size_t strides[OCL_MAX_RANK];  // of the tensor, in elements
  size_t num_stored, next;       // elements; the next one
  size_t element_bytes;
  uint8_t* out;
} sparse;

static uint32_t entry(const list* from, uint32_t i) {
  const uint8_t* at = from->values + (size_t)i * from->element_bytes;
  uint32_t value = 0;
  memcpy(&value, at, from->element_bytes);
  return value;
}

// The vector in a member of the union SparseIndexVector: Int32Vector, Uint16Vector or Uint8Vector.
static list read_list(const uint8_t* bytes, uint32_t table, uint32_t type_id) {
  const uint8_t type = ocl_flatbuffer_u8(bytes, table, type_id, 0);
  list result = {.element_bytes = type == 1 ? 4 : type == 2 ? 2 : 1};
  if (type < 1 || type > 3) return result;
  result.values = ocl_flatbuffer_vector(bytes, ocl_flatbuffer_target(bytes, table, type_id + 1), 0, &result.count);
  return result;
}

static bool read_level(const uint8_t* bytes, uint32_t table, level* to) {
  to->is_sparse = ocl_flatbuffer_i8(bytes, table, OCL_SPARSE_FORMAT, 0) == 1;
  to->size = ocl_flatbuffer_u32(bytes, table, OCL_SPARSE_DENSE_SIZE, 0);
  if (!to->is_sparse) return true;
  to->segments = read_list(bytes, table, OCL_SPARSE_SEGMENTS_TYPE);
  to->indices = read_list(bytes, table, OCL_SPARSE_INDICES_TYPE);
  return to->segments.count > 0;
}

// Reads and checks the description of the tree.
static bool read_sparse(const ocl_tflite* model, uint32_t table, sparse* s) {
  const uint8_t* bytes = model->bytes;
  const ocl_shape* shape = &s->tensor->shape;
  uint32_t num_levels, num_blocks;
  const int32_t* order = (const void*)ocl_flatbuffer_vector(bytes, table, OCL_SPARSE_ORDER, &num_levels);
  const int32_t* block_map = (const void*)ocl_flatbuffer_vector(bytes, table, OCL_SPARSE_BLOCK_MAP, &num_blocks);
  const uint32_t rank = (uint32_t)shape->rank;
  if (num_levels > kMaxLevels || num_levels < rank || num_levels - rank != num_blocks ||
      ocl_flatbuffer_count(bytes, table, OCL_SPARSE_LEVELS) != num_levels)
    return false;
  s->num_levels = (int32_t)num_levels;
  uint32_t block_sizes[OCL_MAX_RANK] = {1, 1, 1, 1, 1, 1}, seen = 0;
  for (uint32_t i = num_levels; i-- > 0;) {
    level* at = &s->levels[i];
    const uint32_t number = (uint32_t)order[i];
    const bool is_block = i >= rank;
    if (number >= num_levels || (number >= rank) != is_block || (seen >> number & 1)) return false;
    seen |= UINT32_C(1) << number;
    if (!read_level(bytes, ocl_flatbuffer_table_at(bytes, table, OCL_SPARSE_LEVELS, i), at)) return false;
    at->dimension = is_block ? block_map[number - rank] : (int32_t)number;
    if (at->dimension < 0 || at->dimension >= shape->rank) return false;
    uint32_t* block = &block_sizes[at->dimension];
    const uint32_t dim = (uint32_t)shape->dims[at->dimension];
    if (is_block) {
      // At most one block for a dimension, and no sparse one.
      if (*block != 1 || at->is_sparse || at->size == 0 || dim % at->size != 0) return false;
      *block = at->size;
    }
    at->scale = is_block ? 1 : *block;
    at->limit = is_block ? at->size : dim / *block;
    if (!at->is_sparse && at->size != at->limit) return false;
  }
  return true;
}

// Copies the elements below node `node` of level `depth`; `offset`: of the tensor's element that the node's path leads
// to. false: an entry exceeds its limit.
static bool fill(sparse* s, int32_t depth, uint32_t node, size_t offset) {
  if (depth == s->num_levels) {
    if (s->next == s->num_stored) return false;
    memcpy(s->out + offset * s->element_bytes, s->tensor->data + s->next++ * s->element_bytes, s->element_bytes);
    return true;
  }
  const level* at = &s->levels[depth];
  const size_t stride = s->strides[at->dimension] * at->scale;
  if (!at->is_sparse) {
    for (uint32_t i = 0; i < at->size; i++)
      if (!fill(s, depth + 1, node * at->size + i, offset + i * stride)) return false;
    return true;
  }
  // Segments that ascend visit each entry once.
  if (node >= at->segments.count - 1) return false;
  const uint32_t first = entry(&at->segments, node), end = entry(&at->segments, node + 1);
  if (first > end || end > at->indices.count) return false;
  for (uint32_t i = first; i < end; i++) {
    const uint32_t index = entry(&at->indices, i);
    if (index >= at->limit || !fill(s, depth + 1, i, offset + index * stride)) return false;
  }
  return true;
}

// Without this, overlapping segments could visit the same entries again and again.
static bool do_segments_ascend(const sparse* s) {
  for (int32_t i = 0; i < s->num_levels; i++) {
    const list* segments = &s->levels[i].segments;
    for (uint32_t k = 1; k < segments->count; k++)
      if (entry(segments, k - 1) > entry(segments, k)) return false;
  }
  return true;
}

ocl_status ocl_tflite_make_dense(const ocl_tflite* model, int32_t index, void* out, ocl_detail* detail) {
  const ocl_tflite_tensor tensor = ocl_tflite_get_tensor(model, index);
  const size_t count = ocl_shape_num_elements(&tensor.shape);
  if (tensor.encoding == OCL_TFLITE_NIBBLES) {
    unpack_nibbles(tensor.data, count, out);
    return OCL_OK;
  }
  sparse s = {.tensor = &tensor, .element_bytes = ocl_dtype_size_bytes(tensor.dtype), .out = out};
  s.num_stored = tensor.data_size_bytes / s.element_bytes;
  size_t stride = 1;
  for (int32_t d = tensor.shape.rank - 1; d >= 0; d--) {
    s.strides[d] = stride;
    stride *= (size_t)tensor.shape.dims[d];
  }
  memset(out, 0, count * s.element_bytes);
  const uint32_t table = ocl_flatbuffer_table_at(model->bytes, model->subgraph, OCL_SUBGRAPH_TENSORS, (uint32_t)index);
  if (read_sparse(model, ocl_flatbuffer_target(model->bytes, table, OCL_TENSOR_SPARSITY), &s) &&
      do_segments_ascend(&s) && fill(&s, 0, 0, 0))
    return OCL_OK;
  return ocl_status_with_detail(OCL_MODEL_BAD_BUFFER, detail,
                                "tensor %d '%.60s': the lists of its sparse elements do not fit its shape", (int)index,
                                tensor.name);
}
