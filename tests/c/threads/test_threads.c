// The thread pool with real threads, under TSan: as many threads as a page may have give the same bits as one, run
// after run, whenever they join, and the pool ends.
#include <pthread.h>
#include <pthreadpool.h>
#include <sanitizer/allocator_interface.h>
#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "graph/threads.h"
#include "machines.h"
#include "ocelli.h"
#include "test_data.h"

enum { MAX_THREADS = 4, NUM_RUNS = 8 };

// The last ones run by blocks of channels, and band by band.
static const char* const kModels[] = {"models/small_classifier.fp32.tflite", "models/small_classifier.uint8.tflite",
                                      "models/mobilenet_v1_classifier.dynamic.tflite",
                                      "../../build/native/cases/wide20.int8.tflite",
                                      "../../build/native/cases/block2.tflite"};

typedef struct {
  ocl_thread_pool pool;
  int32_t index;
} worker;

static void* work(void* argument) {
  const worker* w = argument;
  ocl_graph_threads_work(w->pool, w->index);
  return NULL;
}

static void fill(const ocl_graph* graph, int run) {
  const ocl_graph_tensor input = ocl_graph_input(graph, 0);
  for (size_t k = 0; k < input.size_bytes; k++) ((uint8_t*)input.data)[k] = (uint8_t)(k * 37 + (size_t)run);
  if (input.dtype == OCL_FLOAT32)
    for (size_t k = 0; k < input.size_bytes / 4; k++)
      ((float*)input.data)[k] = (float)((k + (size_t)run) % 29) / 14 - 1;
}

typedef struct {
  worker workers[MAX_THREADS];
  pthread_t threads[MAX_THREADS];
} crew;

static void start(crew* c, ocl_thread_pool pool, int32_t index) {
  c->workers[index] = (worker){pool, index};
  CHECK(pthread_create(&c->threads[index], NULL, work, &c->workers[index]) == 0);
}

static void wait_for(const crew* c, int32_t first, int32_t end) {
  for (int32_t i = first; i < end; i++) CHECK(pthread_join(c->threads[i], NULL) == 0);
}

// The outputs of some runs, one after the other (caller frees). Worker i starts before run `every` * i.
static uint8_t* run_model(const char* path, int32_t num_threads, int every, size_t* size_bytes_out) {
  ocl_session* session;
  crew c;
  CHECK_STATUS(ocl_session_create(num_threads, &session), OCL_OK);
  size_t model_bytes;
  uint8_t* model = data_read(path, &model_bytes);
  memcpy(ocl_session_reserve_model(session, model_bytes), model, model_bytes);
  free(model);
  CHECK_STATUS(ocl_session_open_model(session), OCL_OK);
  CHECK_STATUS(ocl_session_build_model(session, 1), OCL_OK);
  CHECK_STATUS(ocl_session_close_model(session), OCL_OK);
  const size_t bytes = ocl_graph_output(ocl_session_graph(session), 0).size_bytes;
  uint8_t* outputs = malloc(NUM_RUNS * bytes);
  int32_t num_started = 1;
  for (int run = 0; run < NUM_RUNS; run++) {
    for (; num_started < num_threads && run >= every * num_started; num_started++)
      start(&c, ocl_session_pool(session), num_started);
    fill(ocl_session_graph(session), run);
    CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
    memcpy(outputs + (size_t)run * bytes, ocl_graph_output(ocl_session_graph(session), 0).data, bytes);
  }
  ocl_session_destroy(session);
  wait_for(&c, 1, num_started);
  *size_bytes_out = NUM_RUNS * bytes;
  return outputs;
}

static void the_same_bits_as_one_thread(void) {
  for (size_t i = 0; i < sizeof kModels / sizeof *kModels; i++) {
    size_t expected_bytes, found_bytes;
    uint8_t* expected = run_model(kModels[i], 1, 0, &expected_bytes);
    for (int32_t num_threads = 2; num_threads <= MAX_THREADS; num_threads++)
      for (int every = 0; every <= 2; every += 2) {
        uint8_t* found = run_model(kModels[i], num_threads, every, &found_bytes);
        CHECK(found_bytes == expected_bytes && memcmp(found, expected, found_bytes) == 0);
        free(found);
      }
    free(expected);
  }
}

enum { NUM_WORKERS = 3 };

static void all_workers_start(void) {
  ocl_thread_pool pool;
  crew c;
  CHECK_STATUS(ocl_graph_threads_create(NUM_WORKERS + 1, &pool), OCL_OK);
  for (int32_t i = 1; i <= NUM_WORKERS; i++) start(&c, pool, i);
  while (ocl_graph_threads_num_ready(pool) < NUM_WORKERS) sched_yield();
  CHECK(__sanitizer_get_allocated_size(pool) > 0);
  ocl_graph_threads_destroy(pool);
  CHECK(__sanitizer_get_allocated_size(pool) == 0);
  wait_for(&c, 1, NUM_WORKERS + 1);
}

static void count_task(void* counts, size_t index) {
  __atomic_fetch_add((int32_t*)counts + index, 1, __ATOMIC_RELAXED);
}

// Workers join in the middle of many short commands.
static void every_task_runs_once(void) {
  enum { NUM_COMMANDS = 400, NUM_TASKS = 7 };
  static int32_t counts[NUM_TASKS];
  ocl_thread_pool pool;
  crew c;
  CHECK_STATUS(ocl_graph_threads_create(NUM_WORKERS + 1, &pool), OCL_OK);
  for (int32_t done = 0; done < NUM_COMMANDS; done++) {
    if (done % (NUM_COMMANDS / 4) == 0 && done > 0) start(&c, pool, done / (NUM_COMMANDS / 4));
    pthreadpool_parallelize_1d(pool, count_task, counts, NUM_TASKS, 0);
  }
  for (int i = 0; i < NUM_TASKS; i++) CHECK(counts[i] == NUM_COMMANDS);
  ocl_graph_threads_destroy(pool);
  wait_for(&c, 1, NUM_WORKERS + 1);
}

static void a_worker_that_comes_after_the_end_returns(void) {
  for (int32_t num_before = 0; num_before < NUM_WORKERS; num_before++) {
    ocl_thread_pool pool;
    crew c;
    CHECK_STATUS(ocl_graph_threads_create(NUM_WORKERS + 1, &pool), OCL_OK);
    for (int32_t i = 1; i <= num_before; i++) start(&c, pool, i);
    while (ocl_graph_threads_num_ready(pool) < num_before) sched_yield();
    ocl_graph_threads_destroy(pool);
    for (int32_t i = num_before + 1; i <= NUM_WORKERS; i++) start(&c, pool, i);
    wait_for(&c, 1, NUM_WORKERS + 1);
    CHECK(__sanitizer_get_allocated_size(pool) > 0);
    free(pool);  // which only this test knows to be left by all
  }
}

// It may still be read, though all workers have joined.
static void a_pool_that_lost_a_worker_stays(void) {
  ocl_thread_pool pool;
  CHECK_STATUS(ocl_graph_threads_create(1, &pool), OCL_OK);
  ocl_graph_threads_abandon(pool);
  CHECK(ocl_graph_threads_num_ready(pool) == 0);
  ocl_graph_threads_destroy(pool);
  CHECK(__sanitizer_get_allocated_size(pool) > 0);
  free(pool);
}

int main(void) {
  become_machine(&kMachines[NUM_MACHINES - 1]);
  RUN(all_workers_start);
  RUN(every_task_runs_once);
  RUN(a_worker_that_comes_after_the_end_returns);
  RUN(a_pool_that_lost_a_worker_stays);
  RUN(the_same_bits_as_one_thread);
  return check_failed_tests;
}
