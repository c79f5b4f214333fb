import { failure } from '../shared/errors.js';
import { INITIAL_PAGES, MAXIMUM_PAGES } from '../../dist/build.js';

/** Memory grows by at least this many pages: growing costs time, pages that are never touched cost nothing. */
const MIN_GROWTH_PAGES = 32;

/**
 * Instantiates a variant. The module imports a clock, a way to grow its memory and, with threads, the memory itself.
 * @param {WebAssembly.Module} module
 * @param {WebAssembly.Memory} [shared] only in a worker thread: the memory of the main instance
 */
export async function instantiate(module, shared) {
  const imported = WebAssembly.Module.imports(module).some((entry) => entry.kind === 'memory');
  let memory =
    shared ??
    (imported
      ? new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES, shared: true })
      : undefined);
  const instance = await WebAssembly.instantiate(module, {
    env: {
      ...(memory && { memory }),
      emscripten_get_now: () => performance.now(),
      // On x86 with up to four cores XNNPACK would choose other matrix kernels, which are 20 % slower in V8. A constant
      // also makes the plain variant compute the same bits everywhere.
      hardware_concurrency: () => 16,
      emscripten_resize_heap: (/** @type {number} */ sizeBytes) =>
        grow(/** @type {WebAssembly.Memory} */ (memory), sizeBytes >>> 0),
    },
  });
  memory ??= /** @type {WebAssembly.Memory} */ (instance.exports.memory);
  const exports = /** @type {Record<string, (...args: number[]) => number>} */ (
    /** @type {unknown} */ (instance.exports)
  );
  if (!exports.__wasm_call_ctors) throw failure('MODULE_NOT_FOUND', 'the .wasm is not one of ocelli’s');
  if (!shared) exports.__wasm_call_ctors();
  return { exports, memory };
}

/**
 * Grows the memory to at least `sizeBytes`. Returns 1, or 0 on failure; malloc then returns NULL.
 * @param {WebAssembly.Memory} memory
 * @param {number} sizeBytes
 */
function grow(memory, sizeBytes) {
  const pages = Math.ceil((sizeBytes - memory.buffer.byteLength) / 65536);
  return pages <= 0 || tryGrow(memory, Math.max(pages, MIN_GROWTH_PAGES)) || tryGrow(memory, pages) ? 1 : 0;
}

/**
 * @param {WebAssembly.Memory} memory
 * @param {number} pages
 */
function tryGrow(memory, pages) {
  try {
    memory.grow(pages);
    return true;
  } catch {
    return false;
  }
}
