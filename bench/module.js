// Instantiates the wasm modules that bench.mk builds.
import { readFile } from 'node:fs/promises';

/** @typedef {{exports: Record<string, (...args: number[]) => number>, memory: WebAssembly.Memory}} Instance */

/** @type {Map<string, Promise<WebAssembly.Module>>} */
const modules = new Map();

/** @param {string} name */
function load(name) {
  const url = new URL(`../build/bench/${name}.wasm`, import.meta.url);
  const module = modules.get(name) ?? readFile(url).then((bytes) => WebAssembly.compile(bytes));
  modules.set(name, module);
  return module;
}

/**
 * A fresh instance of build/bench/NAME.wasm.
 * @param {string} name
 */
export async function instantiate(name) {
  /** @type {WebAssembly.Memory} */
  let memory;
  const instance = await WebAssembly.instantiate(await load(name), {
    env: {
      emscripten_get_now: () => performance.now(),
      hardware_concurrency: () => navigator.hardwareConcurrency, // XNNPACK selects plain SIMD kernels by it
      emscripten_resize_heap: (/** @type {number} */ sizeBytes) => {
        memory.grow(Math.ceil((sizeBytes - memory.buffer.byteLength) / 65536));
        return 1;
      },
      _abort_js: () => {
        throw new Error(`${name} aborted`);
      },
    },
  });
  const exports = /** @type {any} */ (instance.exports);
  memory = exports.memory;
  exports.__wasm_call_ctors();
  return /** @type {Instance} */ ({ exports, memory });
}

/**
 * Copies `data` into memory from `alloc` and returns its address.
 * @param {Instance} instance
 * @param {(sizeBytes: number) => number} alloc
 * @param {Uint8Array | Float32Array} data
 */
export function place({ memory }, alloc, data) {
  const address = alloc(data.byteLength);
  if (address === 0) throw new Error('out of memory');
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  new Uint8Array(memory.buffer).set(bytes, address);
  return address;
}
