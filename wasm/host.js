// What differs between Node, browsers and workers, behind one interface; platform/*.js implement and install it.

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
 * @typedef {object} Host
 * @property {boolean} trustsRelaxed whether relaxed SIMD, where it validates, computes what it should
 * @property {string | URL} defaultModel
 * @property {(variant: import('./variant.js').Variant) => Promise<WebAssembly.Module>} loadModule
 * @property {(source: string | URL, signal?: AbortSignal) => Promise<ByteSource>} open a path or URL
 * @property {(start: ThreadStart) => Promise<void>} [startThread] resolves when the thread is about to work
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
