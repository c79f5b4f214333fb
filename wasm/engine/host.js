// The interface to the platform (Node, browsers, workers). wasm/platform/*.js implement and install it. Other folders
// declare further parts of it: WorkerHost (vision), MachineHost (report), DirectoryHost (train).

/**
 * @typedef {object} ByteSource Bytes that arrive in pieces.
 * @property {number} [sizeBytes] undefined: not known
 * @property {AsyncIterable<Uint8Array>} chunks
 */

/** @typedef {'compressed' | 'full' | 'int8'} ModelForm a form of the package's model */

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
 * @property {(source: unknown) => Size | undefined} measure the source's size; undefined: it cannot be drawn
 * @property {(source: any, size: Size) => Promise<{data: Uint8Array, release: () => void} | undefined> | undefined} copy the whole
 *   source at its own size, RGBA; undefined: not possible, use `read`
 * @property {(source: any, region: import('./engine.js').Roi, size: Size) => Uint8ClampedArray} read draw a region of
 *   the source at `size`; RGBA
 * @property {(bytes: Uint8Array<ArrayBuffer>) => Promise<Size & {close(): void} | undefined>} decode decode an image
 *   file; undefined: the browser cannot
 *
 * @typedef {object} DecodedFile
 * @property {{data: Uint8Array | Uint8ClampedArray} & Size} pixels RGBA
 * @property {boolean} isUpright whether they are turned already
 *
 * @typedef {object} Host
 * @property {() => Promise<void>} [turn] lets the event loop turn, so that timers, messages and input are handled; missing
 *   at the edge, where a request must not wait for another one's turn
 * @property {boolean} trustsRelaxed whether relaxed SIMD, if the engine has it, computes correct results
 * @property {boolean} hasInt8 whether the int8 version of the package's model is available here
 * @property {'here' | 'worker' | 'none'} threads where a thread pool can run. A page must not block, so its pool
 *   runs in a worker.
 * @property {(variant: import('./variant.js').Variant | import('./variant.js').TrainVariant, assetsUrl?: string) => Promise<WebAssembly.Module>} loadModule
 * @property {(assetsUrl: string | undefined, form: ModelForm) => string | URL} locateModel the path or URL of the
 *   package's model
 * @property {(source: string | URL, signal: AbortSignal | undefined, code: 'IMAGE_NOT_FOUND' | 'LABELS_NOT_FOUND' | 'MODEL_NOT_FOUND') => Promise<ByteSource>} open
 *   open a path or URL; `code` is that of the error
 * @property {(place: string | URL, code: 'INVALID_OPTION' | 'LABELS_NOT_FOUND' | 'MODEL_NOT_FOUND') => URL} toUrl the
 *   absolute URL of a path or URL that the user gave; `code` is that of the error
 * @property {(start: ThreadStart, assetsUrl?: string) => Promise<unknown>} [startThread] resolves when the thread is ready to work
 * @property {Drawing} [drawing]
 * @property {(bytes: Uint8Array<ArrayBuffer>, format: 'webp' | 'avif' | 'heic') => Promise<DecodedFile | string>} [decodeFile]
 *   decode a file that the module cannot; a string: what the user can do to make it possible
 * @property {(chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>} [gunzip] inflates where there is no DecompressionStream
 * @property {number} [maxPixels] the default of the option, if it is not the module's own
 */

/** @type {Host | undefined} */
let installed;

/** @param {Host} host */
export function installHost(host) {
  installed = host;
}

/** Whether a platform is installed. */
export const isHosted = () => installed !== undefined;

/** @returns {Host} */
export function host() {
  if (!installed)
    throw new Error(
      'no platform is installed: import ocelli through an entry of package.json, such as "ocelli"',
    );
  return installed;
}
