// Replaces pthreadpool's pthreads.c. pthreadpool's portable-api.c splits the work and calls pthreadpool_parallelize().
// An idle thread spins for about 0.1 ms, in case the next operator follows at once, and then sleeps.
#include "graph/threads.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/kernels.h"
#include "threadpool-object.h"  // internal to pthreadpool: struct pthreadpool

enum { kSpins = 200000 };

// pool->flags, which pthreadpool does not use here, counts the workers that have joined, and says that one is lost.
enum { kLost = 1 << 16 };

// pool->command says what to do and how many workers do it: those that had joined before. A worker that joins later
// leaves the command alone, and the others take its share of the tasks. kTurn changes with each command, so that a
// worker notices two equal ones in a row.
enum { kKind = 3, kTurn = 4, kOneWorker = 8 };

static uint32_t flags_of(struct pthreadpool* pool) {
  return pthreadpool_load_acquire_uint32_t(&pool->flags);
}

static void wait_while_equal(pthreadpool_atomic_uint32_t* address, uint32_t value) {
  for (int i = 0; i < kSpins; i++)
    if (pthreadpool_load_acquire_uint32_t(address) != value) return;
  while (pthreadpool_load_acquire_uint32_t(address) == value)
    __builtin_wasm_memory_atomic_wait32((int32_t*)address, (int32_t)value, -1);
}

static void wake_all(pthreadpool_atomic_uint32_t* address) {
  __builtin_wasm_memory_atomic_notify((int32_t*)address, UINT32_MAX);
}

ocl_status ocl_graph_threads_create(int32_t num_threads, ocl_thread_pool* pool_out) {
  *pool_out = pthreadpool_create((size_t)num_threads);
  return *pool_out == NULL ? OCL_OUT_OF_MEMORY : OCL_OK;
}

struct pthreadpool* pthreadpool_create(size_t num_threads) {
  const size_t size = sizeof(struct pthreadpool) + num_threads * sizeof(struct thread_info);
  struct pthreadpool* pool = aligned_alloc(PTHREADPOOL_CACHELINE_SIZE, size);
  if (pool == NULL) return NULL;
  memset(pool, 0, size);
  pool->threads_count = fxdiv_init_size_t(num_threads);
  for (size_t i = 0; i < num_threads; i++) {
    pool->threads[i].thread_number = i;
    pool->threads[i].threadpool = pool;
  }
  return pool;
}

// active_threads counts the workers that have not finished the current command; the caller waits on has_active_threads.
static void finish_command(struct pthreadpool* pool) {
  if (pthreadpool_decrement_fetch_acquire_release_size_t(&pool->active_threads) != 0) return;
  pthreadpool_store_release_uint32_t(&pool->has_active_threads, 0);
  wake_all(&pool->has_active_threads);
}

// Returns the number of workers that carry it out.
static uint32_t send_command(struct pthreadpool* pool, uint32_t kind) {
  const uint32_t num_workers = (uint32_t)ocl_graph_threads_num_ready(pool);
  pthreadpool_store_relaxed_size_t(&pool->active_threads, num_workers);
  pthreadpool_store_relaxed_uint32_t(&pool->has_active_threads, num_workers > 0);
  const uint32_t turn = ~pthreadpool_load_relaxed_uint32_t(&pool->command) & kTurn;
  pthreadpool_store_release_uint32_t(&pool->command, kind | turn | num_workers * kOneWorker);
  wake_all(&pool->command);
  return num_workers;
}

static void run_tasks(struct pthreadpool* pool, int32_t thread) {
  const thread_function_t work = (thread_function_t)pthreadpool_load_relaxed_void_p(&pool->thread_function);
  work(pool, &pool->threads[thread]);
}

// Until there is work: a first image is computed sooner by kernels that the engine has compiled well.
static void warm_up(struct pthreadpool* pool) {
  for (int round = 0; round < OCL_WARM_UP_ROUNDS; round++) {
    if (pthreadpool_load_acquire_uint32_t(&pool->command) != threadpool_command_init) return;
    ocl_kernels_warm_up();
  }
}

void ocl_graph_threads_work(ocl_thread_pool pool, int32_t thread) {
  const uint32_t before_me = __atomic_fetch_add((uint32_t*)&pool->flags, 1, __ATOMIC_ACQ_REL) & (kLost - 1);
  if (thread == 1) warm_up(pool);  // what is compiled is there for all threads
  uint32_t command = threadpool_command_init;
  while ((command & kKind) != threadpool_command_shutdown) {
    wait_while_equal(&pool->command, command);
    command = pthreadpool_load_acquire_uint32_t(&pool->command);
    if (command / kOneWorker <= before_me) continue;
    if ((command & kKind) == threadpool_command_parallelize) run_tasks(pool, thread);
    finish_command(pool);
  }
}

int32_t ocl_graph_threads_num_ready(ocl_thread_pool pool) {
  return (int32_t)(flags_of(pool) & (kLost - 1));
}

void ocl_graph_threads_abandon(ocl_thread_pool pool) {
  __atomic_fetch_or((uint32_t*)&pool->flags, kLost, __ATOMIC_ACQ_REL);
  finish_command(pool);
}

PTHREADPOOL_INTERNAL void pthreadpool_parallelize(struct pthreadpool* pool, thread_function_t thread_function,
                                                  const void* params, size_t params_size, void* task, void* context,
                                                  size_t linear_range, uint32_t flags) {
  (void)flags;  // denormals and yielding: wasm has no control over either
  pthreadpool_store_relaxed_void_p(&pool->thread_function, (void*)thread_function);
  pthreadpool_store_relaxed_void_p(&pool->task, task);
  pthreadpool_store_relaxed_void_p(&pool->argument, context);
  if (params_size != 0) memcpy(&pool->params, params, params_size);
  const struct fxdiv_result_size_t share = fxdiv_divide_size_t(linear_range, pool->threads_count);
  size_t start = 0;
  for (size_t i = 0; i < pool->threads_count.value; i++) {
    const size_t length = share.quotient + (i < share.remainder);
    pthreadpool_store_relaxed_size_t(&pool->threads[i].range_start, start);
    pthreadpool_store_relaxed_size_t(&pool->threads[i].range_end, start + length);
    pthreadpool_store_relaxed_size_t(&pool->threads[i].range_length, length);
    start += length;
  }
  send_command(pool, threadpool_command_parallelize);
  thread_function(pool, &pool->threads[0]);
  wait_while_equal(&pool->has_active_threads, 1);
  // What the lost worker left undone is lost too: the caller ends as it did.
  if (flags_of(pool) & kLost) __builtin_trap();
}

void pthreadpool_destroy(struct pthreadpool* pool) {
  if (pool == NULL) return;
  const uint32_t num_workers = send_command(pool, threadpool_command_shutdown);
  // A lost worker never answers. The others may still read the pool.
  if (flags_of(pool) & kLost) return;
  wait_while_equal(&pool->has_active_threads, 1);
  // A worker that joins later reads the pool to find out that it is too late.
  if (num_workers == pool->threads_count.value - 1) free(pool);
}

void ocl_graph_threads_destroy(ocl_thread_pool pool) {
  pthreadpool_destroy(pool);
}
