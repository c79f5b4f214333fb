import { instantiate } from './instance.js';

/**
 * Runs in a worker: instantiates the module over the shared memory, says that it is ready, works until the pool
 * is destroyed, and says so. After a trap here the caller that waits for this thread traps, too: it throws MODULE_TRAPPED.
 * @param {import('./host.js').ThreadStart} start
 * @param {(state: 'ready' | 'done') => void} tell
 */
export async function runThread({ module, memory, stackAddress, stackSizeBytes, pool, index }, tell) {
  const { exports } = await instantiate(module, memory);
  exports._emscripten_wasm_worker_initialize(stackAddress, stackSizeBytes);
  tell('ready');
  try {
    exports.ocl_threads_work(pool, index);
  } catch {
    exports.ocl_threads_abandon(pool);
  }
  tell('done');
}
