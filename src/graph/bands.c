// Runs blocks of three convolutions band by band: a few rows of the last one's output at a time, from rows of the
// feature maps between them that are still in the cache. Those feature maps are never there as a whole: of an inverted
// residual block (Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018) they are the largest.
// Floats also go panel by panel where the second convolution is depthwise: of a band, it reads eight channels of the
// first map at a time, as soon as they are computed and while they are in the first cache.
#include <pthreadpool.h>
#include <string.h>

#include "base/arena.h"
#include "graph/internal.h"
#include "kernels/kernels.h"
#include "xnnpack/math.h"

enum { BLOCK = 3, MAX_THREADS = 64 };
#ifndef OCL_SMALL_CACHES
enum { MIN_ROWS_OF_THREAD = 8, MIN_BANDS_OF_THREAD = 8 };
// Of a thread's part of the first feature map. Smaller ones stay in the cache between two steps.
static const size_t kMinBytes = 1 << 19;
// Of a band's rows of both feature maps, which must stay in the second cache.
static const size_t kBandBytes = 1 << 20;
// Of a panel. What exceeds the first cache is read in order and comes from the second in time.
static const size_t kPanelBytes = 40 << 10;
#else  // tests/fuzz, whose networks are small
enum { MIN_ROWS_OF_THREAD = 1, MIN_BANDS_OF_THREAD = 1 };
static const size_t kMinBytes = 1, kBandBytes = 1 << 8, kPanelBytes = 1 << 7;
#endif

static size_t row_bytes(const ocl_value* map) {
  return ocl_graph_size_bytes(map) / (size_t)map->shape.dims[1];
}

static size_t height_of(const ocl_value* map) {
  return (size_t)map->shape.dims[1];
}

static size_t num_panels(const ocl_value* map) {
  return (size_t)map->shape.dims[3] / OCL_PANEL;
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
  return last->span == 1 && last->stride == 1 && last->padding_top == 0;
}

// The rows of both maps of a block, in bytes. panel_bytes is that of a row of a panel, 0: the first map has none.
typedef struct {
  uint64_t first_bytes, second_bytes, panel_bytes;
} block_rows;

static block_rows rows_of(ocl_graph* graph, int32_t first, const ocl_row_window windows[BLOCK]) {
  const ocl_value* map = ocl_graph_out(graph, &graph->steps[first], 0);
  const bool has_panels = windows[0].writes_panels && windows[1].reads_panels;
  return (block_rows){row_bytes(map), row_bytes(ocl_graph_out(graph, &graph->steps[first + 1], 0)),
                      has_panels ? row_bytes(map) / num_panels(map) : 0};
}

// The rows of the last output whose rows of both maps fit `bytes`.
static uint64_t rows_that_fit(const ocl_row_window* w, uint64_t first_bytes, uint64_t second_bytes, uint64_t bytes) {
  const uint64_t overlap = w->span > w->stride ? (uint64_t)(w->span - w->stride) * first_bytes : 0;
  return overlap < bytes ? (bytes - overlap) / (first_bytes * (uint64_t)w->stride + second_bytes) : 0;
}

// As many rows of the last output as fit the caches, but few enough that threads end at about the same time. At least
// one.
static size_t rows_in_band(const ocl_row_window* w, const block_rows* rows, size_t rows_of_thread, size_t num_threads) {
  const bool has_panels = rows->panel_bytes > 0;
  uint64_t fitting = rows_that_fit(w, rows->first_bytes, rows->second_bytes, kBandBytes);
  if (has_panels) fitting = min(fitting, rows_that_fit(w, rows->panel_bytes, 0, kPanelBytes));
  // A thread that is alone computes a panel of as many rows as it can: that takes fewer calls.
  const bool is_alone = has_panels && num_threads == 1;
  fitting = min(fitting, is_alone ? rows_of_thread : rows_of_thread / MIN_BANDS_OF_THREAD);
  return (size_t)max(fitting, 1);
}

// Leaves num_bands at 0 if bands would take more memory than the feature maps, or if there are too few rows for each
// thread, which computes the first rows of the first map for its neighbour, too.
static ocl_bands plan_bands(ocl_graph* graph, int32_t first, const ocl_row_window windows[BLOCK]) {
  const ocl_value* map = ocl_graph_out(graph, &graph->steps[first], 0);
  const ocl_value* second = ocl_graph_out(graph, &graph->steps[first + 1], 0);
  const block_rows rows = rows_of(graph, first, windows);
  const ocl_row_window* window = &windows[1];
  const size_t num_threads = pthreadpool_get_threads_count(graph->pool);
  const size_t rows_of_thread = height_of(second) / num_threads;
  const size_t num_rows = rows_in_band(window, &rows, rows_of_thread, num_threads);
  // As many bands for each thread.
  const size_t num_bands = divide_round_up(divide_round_up(height_of(second), num_threads), num_rows) * num_threads;
  const uint64_t rows_of_first = (uint64_t)window->span + (num_rows - 1) * (uint64_t)window->stride;
  if (ocl_graph_size_bytes(map) / num_threads < kMinBytes || num_threads > MAX_THREADS ||
      rows_of_thread < MIN_ROWS_OF_THREAD || rows_of_first > height_of(map))
    return (ocl_bands){0};
  const bool has_panels = rows.panel_bytes > 0;
  const size_t bytes_of_panel = has_panels ? ocl_arena_padded((size_t)(rows_of_first * rows.panel_bytes)) : 0;
  const uint64_t offset_of_second = has_panels ? (uint64_t)bytes_of_panel * num_panels(map)
                                               : ocl_arena_padded((size_t)(rows_of_first * rows.first_bytes));
  const uint64_t bytes = offset_of_second + ocl_arena_padded(num_rows * (size_t)rows.second_bytes);
  if (bytes * num_threads > ocl_graph_size_bytes(map) + ocl_graph_size_bytes(second)) return (ocl_bands){0};
  return (ocl_bands){num_bands, (size_t)bytes, bytes_of_panel, (size_t)offset_of_second, *window};
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
    last->bands = plan_bands(graph, s, windows);
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
  // The first row of the first map that the thread has, and the row behind the last one. Threads share no cache line.
  _Alignas(64) int64_t top;
  int64_t bottom;
  double times_us[BLOCK];
} thread_state;

typedef struct {
  ocl_step* steps;  // of the block
  size_t row_bytes, second_row_bytes, num_panels, map_height, height;
  double (*clock_us)(void);
  thread_state threads[MAX_THREADS];
} block_run;

// A band as a thread computes it: the rows `first` to `end` - 1 of the last output, from `top` to `bottom` - 1 of the
// first map, where `data` is the memory for them.
typedef struct {
  size_t first, end;
  int64_t top, bottom;
  size_t offset, distance_of_second;  // of the thread's memory in the workspace; for run_rows and run_panel
  uint8_t* data;
} band_rows;

static double read_clock(const block_run* run) {
  return run->clock_us == NULL ? 0 : run->clock_us();
}

static void run_rows(const block_run* run, thread_state* thread, int32_t i, const ocl_rows* rows) {
  const ocl_step* step = &run->steps[i];
  const double before = read_clock(run);
  step->kind->run_rows(step, rows);
  thread->times_us[i] += read_clock(run) - before;
}

static int64_t clip_row(int64_t row, const block_run* run) {
  const int64_t height = (int64_t)run->map_height;
  return row < 0 ? 0 : row < height ? row : height;
}

// Moves the rows that the thread has from the band's first one on to the start of its memory. Returns the row behind
// them: the first one that must be computed.
static int64_t keep_rows(const thread_state* thread, int64_t top, uint8_t* data, size_t bytes_of_row) {
  if (top < thread->top || top >= thread->bottom) return top;
  memmove(data, data + (size_t)(top - thread->top) * bytes_of_row, (size_t)(thread->bottom - top) * bytes_of_row);
  return thread->bottom;
}

// Computes the band's rows of both maps. Rows beyond the first map are not there.
static void run_whole_rows(const block_run* run, thread_state* thread, const band_rows* band) {
  const int64_t top = clip_row(band->top, run), bottom = clip_row(band->bottom, run);
  const int64_t row = keep_rows(thread, top, band->data, run->row_bytes);
  const size_t distance = band->offset - (size_t)top * run->row_bytes;
  if (row < bottom) run_rows(run, thread, 0, &(ocl_rows){(size_t)row, (size_t)bottom, 0, distance});
  run_rows(run, thread, 1, &(ocl_rows){band->first, band->end, distance, band->distance_of_second});
  thread->top = top;
  thread->bottom = bottom;
}

// Writes the rows `row` to `end` - 1 of a panel: zeros beyond the first map.
static void write_panel(const block_run* run, size_t panel, int64_t row, int64_t end, uint8_t* data) {
  const size_t bytes_of_row = run->row_bytes / run->num_panels;
  const int64_t first = row < 0 ? 0 : row, from = first < end ? first : end;
  const int64_t bottom = clip_row(end, run), to = bottom > from ? bottom : from;
  memset(data, 0, (size_t)(from - row) * bytes_of_row);
  data += (size_t)(from - row) * bytes_of_row;
  const ocl_rows rows = {.first = (size_t)from, .end = (size_t)to};
  if (from < to) run->steps[0].kind->run_panel(&run->steps[0], &rows, panel, (float*)data);
  memset(data + (size_t)(to - from) * bytes_of_row, 0, (size_t)(end - to) * bytes_of_row);
}

static void run_panel(const block_run* run, thread_state* thread, const band_rows* band, size_t panel) {
  const size_t bytes_of_row = run->row_bytes / run->num_panels;
  const ocl_rows rows = {band->first, band->end, 0, band->distance_of_second};
  uint8_t* data = band->data + panel * run->steps[BLOCK - 1].bands.bytes_of_panel;
  const double before = read_clock(run);
  const int64_t row = keep_rows(thread, band->top, data, bytes_of_row);
  write_panel(run, panel, row, band->bottom, data + (size_t)(row - band->top) * bytes_of_row);
  const double between = read_clock(run);
  run->steps[1].kind->run_panel(&run->steps[1], &rows, panel, (float*)data);
  thread->times_us[0] += between - before;
  thread->times_us[1] += read_clock(run) - between;
}

static void run_panels(const block_run* run, thread_state* thread, const band_rows* band) {
  for (size_t panel = 0; panel < run->num_panels; panel++) run_panel(run, thread, band, panel);
  thread->top = band->top;
  thread->bottom = band->bottom;
}

// The bands' heights differ by one row at most.
static size_t first_row(const block_run* run, size_t band, size_t num_bands) {
  return (size_t)((uint64_t)run->height * band / num_bands);
}

static void run_band(block_run* run, size_t thread_number, size_t number) {
  const ocl_step* last = &run->steps[BLOCK - 1];
  const ocl_bands* bands = &last->bands;
  thread_state* thread = &run->threads[thread_number];
  const size_t y = first_row(run, number, bands->num_bands), end = first_row(run, number + 1, bands->num_bands);
  if (y == end) return;  // of a few rows more bands than rows were made
  const size_t offset = thread_number * bands->bytes_of_thread;
  band_rows band = {.first = y,
                    .end = end,
                    .top = (int64_t)y * bands->window.stride - bands->window.padding_top,
                    .offset = offset,
                    .distance_of_second = offset - y * run->second_row_bytes,
                    .data = (uint8_t*)last->workspace + offset};
  band.bottom = band.top + (int64_t)(end - y - 1) * bands->window.stride + bands->window.span;
  if (bands->bytes_of_panel > 0)
    run_panels(run, thread, &band);
  else
    run_whole_rows(run, thread, &band);
  run_rows(run, thread, 2, &(ocl_rows){y, end, band.distance_of_second, 0});
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
  block_run run = {steps,          row_bytes(map),    row_bytes(second), num_panels(map),
                   height_of(map), height_of(second), clock_us,          {{0}}};
  const double before = read_clock(&run);
  pthreadpool_parallelize_1d_with_thread(graph->pool, (pthreadpool_task_1d_with_thread_t)run_band, &run,
                                         steps[BLOCK - 1].bands.num_bands, PTHREADPOOL_FLAG_DISABLE_DENORMALS);
  if (clock_us != NULL) record_times(&run, clock_us() - before);
}
