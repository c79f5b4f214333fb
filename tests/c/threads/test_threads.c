// The thread pool with real threads, under TSan: as many threads as a page may have give the same bits as one, run
// after run, and the pool ends.
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "graph/threads.h"
#include "machines.h"
#include "ocelli.h"
#include "test_data.h"

enum { MAX_THREADS = 4, NUM_RUNS = 8 };

static const char* const kModels[] = {"models/small_classifier.fp32.tflite", "models/small_classifier.uint8.tflite",
                                      "models/mobilenet_v1_classifier.dynamic.tflite"};

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

// The outputs of some runs, one after the other (caller frees).
static uint8_t* run_model(const char* path, int32_t num_threads, size_t* size_bytes_out) {
  ocl_session* session;
  pthread_t threads[MAX_THREADS];
  worker workers[MAX_THREADS];
  CHECK_STATUS(ocl_session_create(num_threads, &session), OCL_OK);
  for (int32_t i = 1; i < num_threads; i++) {
    workers[i] = (worker){ocl_session_pool(session), i};
    CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
  }
  size_t model_bytes;
  uint8_t* model = data_read(path, &model_bytes);
  memcpy(ocl_session_reserve_model(session, model_bytes), model, model_bytes);
  free(model);
  CHECK_STATUS(ocl_session_open_model(session), OCL_OK);
  CHECK_STATUS(ocl_session_build_model(session, 1), OCL_OK);
  CHECK_STATUS(ocl_session_close_model(session), OCL_OK);
  const size_t bytes = ocl_graph_output(ocl_session_graph(session), 0).size_bytes;
  uint8_t* outputs = malloc(NUM_RUNS * bytes);
  for (int run = 0; run < NUM_RUNS; run++) {
    fill(ocl_session_graph(session), run);
    CHECK_STATUS(ocl_session_run(session, NULL), OCL_OK);
    memcpy(outputs + (size_t)run * bytes, ocl_graph_output(ocl_session_graph(session), 0).data, bytes);
  }
  ocl_session_destroy(session);
  for (int32_t i = 1; i < num_threads; i++) pthread_join(threads[i], NULL);
  *size_bytes_out = NUM_RUNS * bytes;
  return outputs;
}

static void the_same_bits_as_one_thread(void) {
  for (size_t i = 0; i < sizeof kModels / sizeof *kModels; i++) {
    size_t expected_bytes, found_bytes;
    uint8_t* expected = run_model(kModels[i], 1, &expected_bytes);
    for (int32_t num_threads = 2; num_threads <= MAX_THREADS; num_threads++) {
      uint8_t* found = run_model(kModels[i], num_threads, &found_bytes);
      CHECK(found_bytes == expected_bytes && memcmp(found, expected, found_bytes) == 0);
      free(found);
    }
    free(expected);
  }
}

static void all_workers_start(void) {
  enum { NUM_WORKERS = 3 };
  ocl_thread_pool pool;
  pthread_t threads[NUM_WORKERS];
  worker workers[NUM_WORKERS];
  CHECK_STATUS(ocl_graph_threads_create(NUM_WORKERS + 1, &pool), OCL_OK);
  for (int32_t i = 0; i < NUM_WORKERS; i++) {
    workers[i] = (worker){pool, i + 1};
    CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
  }
  while (ocl_graph_threads_num_ready(pool) < NUM_WORKERS) sched_yield();
  ocl_graph_threads_destroy(pool);
  for (int32_t i = 0; i < NUM_WORKERS; i++) pthread_join(threads[i], NULL);
}

int main(void) {
  become_machine(&kMachines[NUM_MACHINES - 1]);
  RUN(all_workers_start);
  RUN(the_same_bits_as_one_thread);
  return check_failed_tests;
}
