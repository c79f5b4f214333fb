// Memory of the training module that was freed and belongs to others now.

/**
 * Fills blocks of many sizes with ones, so that who still reads what was freed finds no zeros and no addresses.
 * @param {import('../../../wasm/engine/bridge.js').Exports} exports
 * @param {WebAssembly.Memory} memory
 */
export function takeMemory(exports, memory) {
  for (let size = 16; size <= 1024; size += 16) {
    const address = exports.ocl_alloc(size);
    new Uint8Array(memory.buffer).fill(255, address, address + size);
  }
}
