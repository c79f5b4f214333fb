// What differs between Node, browsers and workers, behind one interface; platform/*.js implement and install it. Rooms
// above the engine declare what else they may find in it: WorkerHost (vision), MachineHost (report), DirectoryHost (train).

/**
 * @typedef {object} ByteSource Bytes that arrive in pieces.
 * @property {number} [sizeBytes] if known beforehand
 * @property {AsyncIterable<Uint8Array>} chunks
 */

/**
 * @typedef {object} ThreadStart What a thread needs to join a pool.
 * @property {WebAssembly.Module} module
 * @property {WebAssembly.Memory} memory
 * @property {number} stackAddress
 * @property {number} stackSizeBytes
 * @property {number} pool
 * @property {number} index
 */

/**
 * @typedef {object} Size in pixels
 * @property {number} width
 * @property {number} height
 *
 * @typedef {object} Drawing What a browser can draw and decode.
 * @property {(source: unknown) => Size | undefined} measure undefined: not something that can be drawn
 * @property {(source: any, size: Size) => Promise<{data: Uint8Array, release: () => void} | undefined>} copy all of it at
 *   its own size, RGBA; undefined: to be drawn and read
 * @property {(source: any, region: import('./engine.js').Roi, size: Size) => Uint8ClampedArray} read draws a region of
 *   the source at that size; RGBA
 * @property {(bytes: Uint8Array<ArrayBuffer>) => Promise<Size & {close(): void} | undefined>} decode an image file;
 *   undefined: the browser cannot
 *
 * @typedef {object} Host
 * @property {boolean} trustsRelaxed whether relaxed SIMD, where it validates, computes what it should
 * @property {boolean} hasInt8 whether the package's own model has its 8-bit twin here
 * @property {'here' | 'worker' | 'none'} threads where a pool of threads can be had: a page must not wait for others
 * @property {(variant: import('./variant.js').Variant | import('./variant.js').TrainVariant, wasmUrl?: string | URL) => Promise<WebAssembly.Module>} loadModule
 * @property {(wasmUrl?: string | URL, precision?: 'float' | 'int8') => string | URL} locateModel where the package's own
 *   model is
 * @property {(source: string | URL, signal?: AbortSignal) => Promise<ByteSource>} open a path or URL
 * @property {(start: ThreadStart) => Promise<unknown>} [startThread] resolves when the thread is about to work
 * @property {Drawing} [drawing]
 */

/** @type {Host | undefined} */
let installed;

/** @param {Host} host */
export function installHost(host) {
  installed = host;
}

/** @returns {Host} */
export function host() {
  if (!installed) throw new Error('import ocelli through its package entry');
  return installed;
}
