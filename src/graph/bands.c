// Runs blocks of three convolutions band by band: a few rows of the last one's output at a time, from rows of the
// feature maps between them that are still in the cache. Those feature maps are never there as a whole: of an inverted
// residual block (Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018) they are the largest.
#include <pthreadpool.h>
#include <string.h>

#include "base/arena.h"
#include "graph/internal.h"
#include "xnnpack/math.h"

enum { BLOCK = 3, MAX_THREADS = 64 };
#ifndef OCL_SMALL_CACHES
enum { MIN_ROWS_OF_THREAD = 8, MIN_BANDS_OF_THREAD = 8 };
// Of the first feature map. Smaller ones stay in the cache between two steps.
static const size_t kMinBytes = 1 << 20;
// Of a band's rows of both feature maps, which must stay in the second cache.
static const size_t kBandBytes = 1 << 19;
#else  // tests/fuzz, whose networks are small
enum { MIN_ROWS_OF_THREAD = 1, MIN_BANDS_OF_THREAD = 1 };
static const size_t kMinBytes = 1, kBandBytes = 1 << 8;
#endif

static size_t row_bytes(const ocl_value* map) {
  return ocl_graph_size_bytes(map) / (size_t)map->shape.dims[1];
}

static size_t height_of(const ocl_value* map) {
  return (size_t)map->shape.dims[1];
}

// ---- planning ----

// Whether only the next step reads the step's output, as its feature map.
static bool feeds_next(ocl_graph* graph, int32_t s) {
  const int32_t output = graph->steps[s].op.outputs[0];
  const ocl_value* value = &graph->values[output];
  return graph->steps[s + 1].op.inputs[0] == output && value->num_uses == 1 && !value->is_output;
}

static bool is_block(ocl_graph* graph, int32_t first, ocl_row_window windows_out[BLOCK]) {
  if (first + BLOCK > graph->num_steps) return false;
  for (int32_t i = 0; i < BLOCK; i++) {
    const ocl_step* step = &graph->steps[first + i];
    const bool has_rows = step->kind->find_rows != NULL && !step->is_folded;
    if (!has_rows || !step->kind->find_rows(graph, step, &windows_out[i])) return false;
    if (i < BLOCK - 1 && !feeds_next(graph, first + i)) return false;
  }
  const ocl_row_window* last = &windows_out[BLOCK - 1];
  return last->span == 1 && last->stride == 1 && last->padding_top == 0 &&
         ocl_graph_size_bytes(ocl_graph_out(graph, &graph->steps[first], 0)) >= kMinBytes;
}

// As many rows of the last output as fit the cache, but few enough that threads end at about the same time. At least
// one.
static size_t rows_in_band(const ocl_row_window* w, uint64_t first_row_bytes, uint64_t second_row_bytes,
                           size_t rows_of_thread) {
  const uint64_t bytes = first_row_bytes * (uint64_t)w->stride + second_row_bytes;
  const uint64_t overlap = w->span > w->stride ? (uint64_t)(w->span - w->stride) * first_row_bytes : 0;
  const uint64_t fitting = overlap < kBandBytes ? (kBandBytes - overlap) / bytes : 0;
  const uint64_t most = rows_of_thread / MIN_BANDS_OF_THREAD, rows = fitting < most ? fitting : most;
  return rows > 1 ? (size_t)rows : 1;
}

// Leaves num_bands at 0 if bands would take more memory than the feature maps, or if there are too few rows for each
// thread, which computes the first rows of the first map for its neighbour, too.
static ocl_bands plan_bands(ocl_graph* graph, int32_t first, const ocl_row_window* window) {
  const ocl_value* map = ocl_graph_out(graph, &graph->steps[first], 0);
  const ocl_value* second = ocl_graph_out(graph, &graph->steps[first + 1], 0);
  const size_t num_threads = pthreadpool_get_threads_count(graph->pool);
  const size_t rows_of_thread = height_of(second) / num_threads;
  const size_t num_rows = rows_in_band(window, row_bytes(map), row_bytes(second), rows_of_thread);
  // As many bands for each thread.
  const size_t num_bands = divide_round_up(divide_round_up(height_of(second), num_threads), num_rows) * num_threads;
  const uint64_t rows_of_first = (uint64_t)window->span + (num_rows - 1) * (uint64_t)window->stride;
  if (num_threads > MAX_THREADS || rows_of_thread < MIN_ROWS_OF_THREAD || rows_of_first > height_of(map))
    return (ocl_bands){0};
  const uint64_t offset_of_second = ocl_arena_padded((size_t)rows_of_first * row_bytes(map));
  const uint64_t bytes = offset_of_second + ocl_arena_padded(num_rows * row_bytes(second));
  if (bytes * num_threads > ocl_graph_size_bytes(map) + ocl_graph_size_bytes(second)) return (ocl_bands){0};
  return (ocl_bands){num_bands, (size_t)bytes, (size_t)offset_of_second, *window};
}

static void set_in_bands(ocl_graph* graph, int32_t s, bool is_in_bands) {
  graph->steps[s].is_in_bands = is_in_bands;
  ocl_graph_out(graph, &graph->steps[s], 0)->is_in_bands = is_in_bands;
}

void ocl_graph_find_bands(ocl_graph* graph) {
  for (int32_t s = 0; s < graph->num_steps; s++) {
    set_in_bands(graph, s, false);
    graph->steps[s].bands = (ocl_bands){0};
  }
  for (int32_t s = 0; s < graph->num_steps; s++) {
    ocl_row_window windows[BLOCK];
    if (!is_block(graph, s, windows)) continue;
    ocl_step* last = &graph->steps[s + BLOCK - 1];
    last->bands = plan_bands(graph, s, &windows[1]);
    if (last->bands.num_bands == 0) continue;
    last->workspace_bytes = pthreadpool_get_threads_count(graph->pool) * last->bands.bytes_of_thread;
    for (int32_t i = 0; i < BLOCK - 1; i++) set_in_bands(graph, s + i, true);
    s += BLOCK - 1;
  }
}

void ocl_graph_place_bands(ocl_graph* graph) {
  for (int32_t s = 0; s < graph->num_steps; s++) {
    const ocl_step* last = &graph->steps[s];
    if (last->bands.num_bands == 0) continue;
    ocl_graph_out(graph, last - 2, 0)->data = last->workspace;
    ocl_graph_out(graph, last - 1, 0)->data = (uint8_t*)last->workspace + last->bands.offset_of_second;
  }
}

// ---- running ----

typedef struct {
  _Alignas(64) size_t top;  // the first row of the first map that it has; threads share no cache line
  size_t bottom;            // the row behind the last one
  double times_us[BLOCK];
} thread_state;

typedef struct {
  ocl_step* steps;  // of the block
  size_t row_bytes, second_row_bytes, map_height, height;
  double (*clock_us)(void);
  thread_state threads[MAX_THREADS];
} block_run;

static void run_rows(const block_run* run, thread_state* thread, int32_t i, const ocl_rows* rows) {
  const ocl_step* step = &run->steps[i];
  const double before = run->clock_us == NULL ? 0 : run->clock_us();
  step->kind->run_rows(step, rows);
  if (run->clock_us != NULL) thread->times_us[i] += run->clock_us() - before;
}

static size_t clip_row(int64_t row, size_t height) {
  return row<0 ? 0 : row>(int64_t) height ? height : (size_t)row;
}

// Moves the rows of the first map from `top` on to the start of the thread's memory. The next row is then `bottom`.
static void keep_rows_from(const block_run* run, thread_state* thread, size_t top, uint8_t* map) {
  if (top >= thread->top && top < thread->bottom)
    memmove(map, map + (top - thread->top) * run->row_bytes, (thread->bottom - top) * run->row_bytes);
  else
    thread->bottom = top;
  thread->top = top;
}

// The bands' heights differ by one row at most.
static size_t first_row(const block_run* run, size_t band, size_t num_bands) {
  return (size_t)((uint64_t)run->height * band / num_bands);
}

static void run_band(block_run* run, size_t thread_number, size_t band) {
  const ocl_step* last = &run->steps[BLOCK - 1];
  const ocl_row_window* w = &last->bands.window;
  thread_state* thread = &run->threads[thread_number];
  const size_t offset = thread_number * last->bands.bytes_of_thread, num_bands = last->bands.num_bands;
  const size_t y = first_row(run, band, num_bands), end = first_row(run, band + 1, num_bands);
  if (y == end) return;  // of a few rows more bands than rows were made
  const int64_t first = (int64_t)y * w->stride - w->padding_top;
  const size_t bottom = clip_row(first + (int64_t)(end - y - 1) * w->stride + w->span, run->map_height);
  keep_rows_from(run, thread, clip_row(first, run->map_height), (uint8_t*)last->workspace + offset);
  const size_t distance = offset - thread->top * run->row_bytes, second = offset - y * run->second_row_bytes;
  if (thread->bottom < bottom) {
    run_rows(run, thread, 0, &(ocl_rows){thread->bottom, bottom, 0, distance});
    thread->bottom = bottom;
  }
  run_rows(run, thread, 1, &(ocl_rows){y, end, distance, second});
  run_rows(run, thread, 2, &(ocl_rows){y, end, second, 0});
}

// Divides the time that the block took among its steps, as they shared the threads' time.
static void record_times(block_run* run, double time_us) {
  double times_us[BLOCK] = {0}, total_us = 0;
  for (int32_t t = 0; t < MAX_THREADS; t++)
    for (int32_t i = 0; i < BLOCK; i++) {
      times_us[i] += run->threads[t].times_us[i];
      total_us += run->threads[t].times_us[i];
    }
  for (int32_t i = 0; i < BLOCK; i++)
    run->steps[i].time_us = total_us > 0 ? time_us * times_us[i] / total_us : time_us / BLOCK;
}

void ocl_graph_run_bands(ocl_graph* graph, int32_t last, double (*clock_us)(void)) {
  ocl_step* steps = &graph->steps[last - BLOCK + 1];
  const ocl_value *map = ocl_graph_out(graph, &steps[0], 0), *second = ocl_graph_out(graph, &steps[1], 0);
  block_run run = {steps, row_bytes(map), row_bytes(second), height_of(map), height_of(second), clock_us, {{0}}};
  const double before = clock_us == NULL ? 0 : clock_us();
  pthreadpool_parallelize_1d_with_thread(graph->pool, (pthreadpool_task_1d_with_thread_t)run_band, &run,
                                         steps[BLOCK - 1].bands.num_bands, PTHREADPOOL_FLAG_DISABLE_DENORMALS);
  if (clock_us != NULL) record_times(&run, clock_us() - before);
}
