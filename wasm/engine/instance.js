import { INITIAL_PAGES, MAXIMUM_PAGES } from '../../dist/build.js';

/** To grow by: each growth costs, and pages that are never touched do not. */
const FEWEST_PAGES = 32;

/**
 * Instantiates a variant. The module imports a clock, a way to grow its memory and, with threads, the memory itself.
 * @param {WebAssembly.Module} module
 * @param {WebAssembly.Memory} [shared] the memory of the instance that a thread joins
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
      // XNNPACK takes other matrix kernels on x86 with up to four cores, a fifth slower as V8 compiles them. Always
      // the same answer: the plain variant must compute the same bits everywhere.
      hardware_concurrency: () => 16,
      emscripten_resize_heap: (/** @type {number} */ sizeBytes) =>
        grow(/** @type {WebAssembly.Memory} */ (memory), sizeBytes >>> 0),
    },
  });
  memory ??= /** @type {WebAssembly.Memory} */ (instance.exports.memory);
  const exports = /** @type {Record<string, (...args: number[]) => number>} */ (
    /** @type {unknown} */ (instance.exports)
  );
  if (!shared) exports.__wasm_call_ctors();
  return { exports, memory };
}

/**
 * Grows to `sizeBytes`; 0 where that is not to be had, which malloc turns into a status.
 * @param {WebAssembly.Memory} memory
 * @param {number} sizeBytes
 */
function grow(memory, sizeBytes) {
  const pages = Math.ceil((sizeBytes - memory.buffer.byteLength) / 65536);
  return pages <= 0 || tryGrow(memory, Math.max(pages, FEWEST_PAGES)) || tryGrow(memory, pages) ? 1 : 0;
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
