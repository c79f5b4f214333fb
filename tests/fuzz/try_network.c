#include "try_network.h"

#include "base/arena.h"
#include "graph/internal.h"
#include "machines.h"
#include "ocelli.h"

#ifdef __wasm_relaxed_simd__
#define TRY_NETWORK try_network_relaxed
#else
#define TRY_NETWORK try_network_simd
#endif

// ---- memory that is not shared ----

enum { GAP_BYTES = 256, MAX_BLOCKS = 4096 };

static struct {
  bool is_unshared;
  int32_t num_blocks;
  size_t offsets[MAX_BLOCKS], sizes[MAX_BLOCKS];
} arena;

// native.mk has arena.c define this, and the graph call the function below.
ocl_status ocl_arena_plan_shared(ocl_arena_block* blocks, int32_t num_blocks, size_t* size_bytes_out);

ocl_status ocl_arena_plan(ocl_arena_block* blocks, int32_t num_blocks, size_t* size_bytes_out) {
  arena.num_blocks = 0;
  const ocl_status status = ocl_arena_plan_shared(blocks, num_blocks, size_bytes_out);
  if (status != OCL_OK || !arena.is_unshared || num_blocks > MAX_BLOCKS) return status;
  size_t offset = GAP_BYTES;
  for (int32_t i = 0; i < num_blocks; i++) {
    arena.offsets[i] = blocks[i].offset_bytes = offset;
    arena.sizes[i] = blocks[i].size_bytes;
    const size_t mask = OCL_ARENA_ALIGNMENT_BYTES - 1;
    offset += ((blocks[i].size_bytes + mask) & ~mask) + GAP_BYTES;
  }
  *size_bytes_out = offset;
  arena.num_blocks = num_blocks;
  return OCL_OK;
}

// The same of bands.c. Feature maps that are not shared are there as a whole.
void ocl_graph_find_bands_of_all(ocl_graph* graph);

void ocl_graph_find_bands(ocl_graph* graph) {
  if (!arena.is_unshared) ocl_graph_find_bands_of_all(graph);
}

static void check_canaries(const ocl_graph* graph, uint8_t fill) {
  size_t at = 0;
  for (int32_t i = 0; i <= arena.num_blocks; i++) {
    const size_t end = i == arena.num_blocks ? graph->arena_bytes : arena.offsets[i];
    for (; at < end; at++)
      FUZZ_CHECK(graph->arena[at] == fill, "a run wrote %zu bytes behind block %d, of %zu bytes",
                 at - (i == 0 ? 0 : arena.offsets[i - 1] + arena.sizes[i - 1]), (int)i - 1,
                 i == 0 ? (size_t)0 : arena.sizes[i - 1]);
    if (i < arena.num_blocks) at = arena.offsets[i] + arena.sizes[i];
  }
}

// ---- work ----

// What production accepts takes seconds, and minutes with sanitizers.
static const uint64_t kMaxWork = (uint64_t)1 << 25;

ocl_status ocl_graph_check_work_limited(ocl_graph* graph, const ocl_step* step, int32_t batch, uint64_t* work,
                                        ocl_detail* detail);

ocl_status ocl_graph_check_work(ocl_graph* graph, const ocl_step* step, int32_t batch, uint64_t* work,
                                ocl_detail* detail) {
  const ocl_status status = ocl_graph_check_work_limited(graph, step, batch, work, detail);
  return status == OCL_OK && *work > kMaxWork ? OCL_MODEL_TOO_LARGE : status;
}

// ---- inputs and outputs ----

static void write_image(const ocl_graph_tensor* input, uint8_t* to, size_t size_bytes, uint32_t seed) {
  uint32_t state = seed * 2654435761u + 12345;
  if (input->dtype == OCL_FLOAT32) {
    for (size_t i = 0; i < size_bytes / sizeof(float); i++) ((float*)(void*)to)[i] = fuzz_random_real(&state);
    return;
  }
  for (size_t i = 0; i < size_bytes; i++) to[i] = (uint8_t)(fuzz_random(&state) >> 11);
  if (input->dtype == OCL_BOOL)
    for (size_t i = 0; i < size_bytes; i++) to[i] &= 1;
}

// Image i of a batch is the same image in every batch.
static void write_inputs(ocl_graph* graph, uint32_t seed, int32_t first_image) {
  for (int32_t i = 0; i < ocl_graph_num_inputs(graph); i++) {
    const ocl_graph_tensor input = ocl_graph_input(graph, i);
    const bool is_free = graph->values[graph->inputs[i]].is_batch_free;
    const int32_t images = is_free ? input.shape.dims[0] : 1;
    const size_t bytes = input.size_bytes / (size_t)images;
    for (int32_t k = 0; input.data != NULL && k < images; k++)
      write_image(&input, (uint8_t*)input.data + (size_t)k * bytes, bytes,
                  seed + (uint32_t)i * 1000 + (uint32_t)(is_free ? first_image + k : 0));
  }
}

static void keep_output(trial_result* result, int32_t run, int32_t index, const ocl_graph_tensor* tensor) {
  if (result->num_outputs == TRY_MAX_OUTPUTS) return;
  FUZZ_CHECK(tensor->data != NULL || tensor->size_bytes == 0, "output %d has no memory", (int)index);
  trial_output* o = &result->outputs[result->num_outputs++];
  *o = (trial_output){run, index, tensor->dtype, tensor->shape, tensor->scale, result->size_bytes, tensor->size_bytes};
  if (result->size_bytes + tensor->size_bytes > result->capacity_bytes) {
    result->capacity_bytes = 2 * (result->size_bytes + tensor->size_bytes);
    result->bytes = realloc(result->bytes, result->capacity_bytes);
  }
  if (tensor->size_bytes > 0) memcpy(result->bytes + o->offset, tensor->data, tensor->size_bytes);
  result->size_bytes += tensor->size_bytes;
}

// What the network's own functions say must fit what they were asked.
static void detect(ocl_session* session) {
  static uint8_t allowed[1 << 16];
  const int32_t num_classes = ocl_session_num_classes(session);
  if (num_classes < 1 || num_classes > (int32_t)sizeof allowed) return;
  memset(allowed, 1, (size_t)num_classes);
  const ocl_ssd_options options = {
      .iou_threshold = 1, .max_per_class = 100, .max_total = 100, .allowed_classes = allowed};
  const ocl_roi roi = {0, 0, 100, 100};
  const ocl_session_detection* found;
  int32_t count;
  if (ocl_session_detect(session, &options, &roi, 0, &found, &count) != OCL_OK) return;
  for (int32_t i = 0; i < count; i++)
    FUZZ_CHECK(found[i].class_id >= 0 && found[i].class_id < num_classes, "class %d of %d", (int)found[i].class_id,
               (int)num_classes);
}

// ---- calls ----

#define TRY_CALL(name, expression)                         \
  do {                                                     \
    result->call = (name);                                 \
    if ((result->status = (expression)) != OCL_OK) return; \
  } while (0)

static void choose_columns(ocl_session* session, const trial* t, trial_result* result) {
  const ocl_graph* graph = ocl_session_graph(session);
  if (t->columns_output < 0 || ocl_graph_num_outputs(graph) == 0) return;
  const int32_t output = result->columns_output = t->columns_output % ocl_graph_num_outputs(graph);
  const ocl_shape shape = ocl_graph_output(graph, output).shape;
  const int32_t total = shape.rank == 0 ? 0 : shape.dims[shape.rank - 1];
  uint32_t state = t->columns_seed;
  for (int32_t c = 0; c < total && result->num_columns < TRY_MAX_COLUMNS; c++)
    if (fuzz_random(&state) % 5 < 2) result->columns[result->num_columns++] = c;
  if (result->num_columns == 0) return;
  TRY_CALL("keep_columns",
           ocl_session_keep_columns(session, output, result->columns, result->num_columns, &result->has_columns));
}

static void choose_features(ocl_session* session, const trial* t, trial_result* result) {
  const int32_t num_steps = result->num_steps = ocl_graph_num_steps(ocl_session_graph(session));
  if (t->feature_step < 0 || num_steps == 0) return;
  result->call = "use_features";
  const ocl_status status = ocl_session_use_features(session, t->feature_step % num_steps, t->is_cut);
  // Not every output is a feature map; the network goes on without.
  if (status != OCL_FEATURES_UNUSABLE) result->status = status;
}

static void build(ocl_session* session, const uint8_t* model, size_t size_bytes, const trial* t, trial_result* result) {
  uint8_t* to = ocl_session_reserve_model(session, size_bytes);
  if (to == NULL) {
    result->status = OCL_OUT_OF_MEMORY;
    return;
  }
  memcpy(to, model, size_bytes);
  TRY_CALL("open", ocl_session_open_model(session));
  TRY_CALL("build", ocl_session_build_model(session, t->batches[0]));
  choose_columns(session, t, result);
  if (result->status != OCL_OK) return;
  TRY_CALL("close", ocl_session_close_model(session));
  choose_features(session, t, result);
}

static void keep_outputs(ocl_session* session, int32_t run, trial_result* result) {
  const ocl_graph* graph = ocl_session_graph(session);
  for (int32_t i = 0; i < ocl_graph_num_outputs(graph); i++) {
    const ocl_graph_tensor output = ocl_graph_output(graph, i);
    keep_output(result, run, i, &output);
  }
  if (graph->kept < 0 || ocl_session_features_length(session) == 0) return;
  const ocl_graph_tensor kept = ocl_graph_kept(graph);
  keep_output(result, run, -1, &kept);
  float* pooled = malloc((size_t)ocl_session_features_length(session) * sizeof *pooled);
  ocl_session_pool_image(session, 0, pooled);
  free(pooled);
}

static ocl_status run(ocl_session* session, int32_t index, const trial* t, trial_result* result) {
  ocl_graph* graph = ocl_session_graph(session);
  if (t->batches[index] > 0) {
    if (index > 0) OCL_TRY(ocl_session_set_batch(session, t->batches[index]));
    memset(graph->arena, t->fill, graph->arena_bytes);
    write_inputs(graph, t->input_seed, t->first_image[index]);
  }
  OCL_TRY(ocl_session_run(session, NULL));
  if (arena.num_blocks > 0) check_canaries(graph, t->fill);
  keep_outputs(session, index, result);
  detect(session);
  return OCL_OK;
}

void TRY_NETWORK(const uint8_t* model, size_t size_bytes, const trial* t, trial_result* result) {
  static bool is_machine;
  if (!is_machine) {
    const char* name = getenv("OCELLI_MACHINE");
    become_machine(&kMachines[name == NULL ? NUM_MACHINES - 1 : (size_t)atoi(name) % NUM_MACHINES]);
  }
  is_machine = true;
  *result = (trial_result){.bytes = result->bytes, .capacity_bytes = result->capacity_bytes};
  arena.is_unshared = t->is_unshared;
  ocl_session* session;
  result->call = "create";
  result->status = ocl_session_create(1, &session);
  if (result->status != OCL_OK) return;
  build(session, model, size_bytes, t, result);
  snprintf(result->detail, sizeof result->detail, "%s", ocl_session_detail(session));
  for (int32_t i = 0; result->status == OCL_OK && i < t->num_runs; i++)
    result->statuses[i] = run(session, i, t, result);
  ocl_session_destroy(session);
}
