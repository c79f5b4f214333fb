// The pool of threads that a graph's operators run on: pthreadpool's interface, wasm's wait and notify underneath.
// The threads themselves are the host's (workers that instantiate the same module over the same memory); a pool of n
// needs n - 1 of them, each calling ocl_graph_threads_work(). Only in the threaded variants.
#ifndef OCELLI_GRAPH_THREADS_H_
#define OCELLI_GRAPH_THREADS_H_

#include "graph/graph.h"

// `num_threads` >= 2, the calling thread included. OUT_OF_MEMORY.
ocl_status ocl_graph_threads_create(int32_t num_threads, ocl_thread_pool* pool_out);
// The life of thread 1 .. num_threads - 1: works until the pool is destroyed.
void ocl_graph_threads_work(ocl_thread_pool pool, int32_t thread);
// Number of threads that have begun to work.
int32_t ocl_graph_threads_num_ready(ocl_thread_pool pool);
// Sends the threads home and frees the pool once they have left. Takes NULL.
void ocl_graph_threads_destroy(ocl_thread_pool pool);

#endif  // OCELLI_GRAPH_THREADS_H_
