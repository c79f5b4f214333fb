// Node: the modules and the model lie beside this file, in dist/.
import { open, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { failure } from '../errors.js';
import { installHost } from '../host.js';

const DIST = new URL('../../dist/', import.meta.url);
const CHUNK_BYTES = 1 << 20;

/** @type {Map<string, Promise<WebAssembly.Module>>} */
const modules = new Map();

/** @param {import('../variant.js').Variant} variant */
async function compile(variant) {
  const url = new URL(`ocelli-${variant}.wasm`, DIST);
  try {
    return await WebAssembly.compile(await readFile(url));
  } catch (error) {
    modules.delete(variant);
    throw failure('MODULE_NOT_FOUND', fileURLToPath(url), error);
  }
}

/** @param {import('../variant.js').Variant} variant */
function loadModule(variant) {
  const present = modules.get(variant) ?? compile(variant);
  modules.set(variant, present);
  return present;
}

/**
 * @param {string | URL} source
 * @param {AbortSignal} [signal]
 * @returns {Promise<import('../host.js').ByteSource>}
 */
async function openSource(source, signal) {
  if (/^https?:/.test(String(source))) return openUrl(source, signal);
  try {
    const file = await open(source instanceof URL || !/^file:/.test(source) ? source : new URL(source));
    return { sizeBytes: (await file.stat()).size, chunks: readChunks(file) };
  } catch (error) {
    throw failure('MODEL_NOT_FOUND', /** @type {Error} */ (error).message, error);
  }
}

/** @param {import('node:fs/promises').FileHandle} file */
async function* readChunks(file) {
  try {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw failure('MODEL_NOT_FOUND', /** @type {Error} */ (error).message, error);
  } finally {
    await file.close();
  }
}

/**
 * Only where the user gave a URL: nothing is fetched otherwise.
 * @param {string | URL} url
 * @param {AbortSignal} [signal]
 * @returns {Promise<import('../host.js').ByteSource>}
 */
async function openUrl(url, signal) {
  let response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw failure('MODEL_NOT_FOUND', String(url), error);
  }
  if (!response.ok || !response.body) throw failure('MODEL_NOT_FOUND', `${url}: status ${response.status}`);
  const encoded = response.headers.has('content-encoding');
  const length = Number(response.headers.get('content-length'));
  const sizeBytes = !encoded && length > 0 ? length : undefined;
  return { sizeBytes, chunks: readBody(response.body, url, signal) };
}

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {string | URL} url
 * @param {AbortSignal} [signal]
 */
async function* readBody(body, url, signal) {
  try {
    yield* body;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw failure('MODEL_NOT_FOUND', String(url), error);
  }
}

/** @param {import('../host.js').ThreadStart} start */
async function startThread(start) {
  // Not the process's own flags: under `--input-type=module --eval` no worker would start.
  const options = { workerData: start, execArgv: [] };
  const worker = new Worker(new URL('./thread.node.js', import.meta.url), options);
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  }).catch((error) => {
    throw failure('THREADS_UNAVAILABLE', error.message, error);
  });
  worker.unref();
}

installHost({
  // Node 20 has no relaxed SIMD; behind its flag it validates and computes wrong results.
  trustsRelaxed: Number(process.versions.node.split('.')[0]) >= 22,
  defaultModel: new URL('models/ssd_mobilenet_v2_oidv4.bin', DIST),
  loadModule,
  open: openSource,
  startThread,
});

export * from '../index.js';
