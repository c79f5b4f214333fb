// The thread pool that a graph's operators run on: pthreadpool's interface over wasm's atomic wait and notify.
// The host provides the threads (workers that instantiate the same module over the same memory): a pool of n threads
// needs n - 1 workers, and each calls ocl_graph_threads_work(), at any time: the pool works with those that are there,
// with the same results. Only in the threaded variants.
#ifndef OCELLI_GRAPH_THREADS_H_
#define OCELLI_GRAPH_THREADS_H_

#include "graph/graph.h"

// `num_threads` >= 2 includes the calling thread. OUT_OF_MEMORY.
ocl_status ocl_graph_threads_create(int32_t num_threads, ocl_thread_pool* pool_out);
// The main loop of worker `thread` (1 to num_threads - 1). Returns when the pool is destroyed.
void ocl_graph_threads_work(ocl_thread_pool pool, int32_t thread);
// The number of workers that have entered ocl_graph_threads_work().
int32_t ocl_graph_threads_num_ready(ocl_thread_pool pool);
// Call it for a worker that has trapped in ocl_graph_threads_work(), from its thread: the operator that waits for it,
// or the next one, then traps in the calling thread.
void ocl_graph_threads_abandon(ocl_thread_pool pool);
// Tells the workers to stop, waits until those that are there have, and frees the pool unless others may come: these
// return at once. Accepts NULL.
void ocl_graph_threads_destroy(ocl_thread_pool pool);

#endif  // OCELLI_GRAPH_THREADS_H_
