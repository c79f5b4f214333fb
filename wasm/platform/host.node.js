// The part of the host that Node's main thread and its workers share: reads files from disk.
import { open, readFile, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { failure } from '../shared/errors.js';
import { openUrl } from './fetch.js';
import { compileOnce, locateModel } from './files.js';

const CHUNK_BYTES = 1 << 20;

/** @param {URL} url */
async function compile(url) {
  try {
    return await WebAssembly.compile(await readFile(url));
  } catch (error) {
    throw failure('MODULE_NOT_FOUND', fileURLToPath(url), error);
  }
}

/**
 * @param {string | URL} source
 * @param {AbortSignal} [signal]
 * @returns {Promise<import('../engine/host.js').ByteSource>}
 */
async function openSource(source, signal) {
  if (/^https?:/.test(String(source))) return openUrl(source, signal);
  try {
    const path = source instanceof URL || !/^file:/.test(source) ? source : new URL(source);
    return { sizeBytes: (await stat(path)).size, chunks: readChunks(path) };
  } catch (error) {
    throw failure('MODEL_NOT_FOUND', /** @type {Error} */ (error).message, error);
  }
}

/**
 * Opens the file when the first chunk is read, so that an unused source leaves no file open.
 * @param {string | URL} path
 */
async function* readChunks(path) {
  let file;
  try {
    file = await open(path);
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw failure('MODEL_NOT_FOUND', /** @type {Error} */ (error).message, error);
  } finally {
    await file?.close();
  }
}

/** @type {import('../engine/host.js').Host} */
export const node = {
  // Node 20 has relaxed SIMD only behind a flag, and computes wrong results with it.
  trustsRelaxed: Number(process.versions.node.split('.')[0]) >= 22,
  hasInt8: true,
  threads: 'here',
  loadModule: (variant, wasmUrl) => compileOnce(variant, wasmUrl, compile),
  locateModel,
  open: openSource,
};
