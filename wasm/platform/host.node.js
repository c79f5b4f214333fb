// The part of the host that Node's main thread and its workers share: reads files from disk.
import { open, readFile, stat } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { failure } from '../shared/errors.js';
import { brief } from '../vision/body.js';
import { fetchFile, openUrl, parseUrl } from './fetch.js';
import { compileOnce, locateModel, openingCarried } from './files.js';
import { isDevice } from './image_files.node.js';

const CHUNK_BYTES = 1 << 20;
/** What `fetch` can read. Everything else is a path or a file: URL. */
const FETCHED = /^(https?|data|blob):/i;

/** @param {URL} url */
async function compile(url) {
  const isRemote = FETCHED.test(url.href);
  const response = isRemote && (await fetchFile(url, 'MODULE_NOT_FOUND'));
  try {
    return await WebAssembly.compile(response ? await response.arrayBuffer() : await readFile(url));
  } catch (error) {
    throw failure('MODULE_NOT_FOUND', isRemote ? url.href : fileURLToPath(url), error);
  }
}

/** @type {import('../engine/host.js').Host['toUrl']} */
function toUrl(place, code) {
  const isUrl = typeof place !== 'string' || FETCHED.test(place) || /^file:/i.test(place);
  if (!isUrl) return pathToFileURL(place);
  const url = parseUrl(place, code);
  if (!/^file:/i.test(url.href) && !FETCHED.test(url.href))
    throw failure(
      code,
      `${url.protocol} is not supported: pass a path, or a file:, http:, https: or data: URL`,
    );
  return url;
}

/**
 * @param {string | URL} source
 * @param {AbortSignal | undefined} signal
 * @param {import('../vision/body.js').NotFound} code
 * @returns {Promise<import('../engine/host.js').ByteSource>}
 */
async function openSource(source, signal, code) {
  if (FETCHED.test(String(source))) return openUrl(source, signal, code);
  const [protocol] = /^[a-z][a-z\d+.-]+:(?=\/\/)/i.exec(String(source)) ?? [];
  if (protocol !== undefined && protocol.toLowerCase() !== 'file:')
    throw failure(
      code,
      `${brief(source)}: ocelli cannot read ${protocol} URLs; it reads http:, https:, file:, data: and blob:`,
    );
  try {
    const path = typeof source === 'string' && !/^file:/i.test(source) ? source : new URL(source);
    const found = await stat(path);
    // Whoever opens a pipe waits for its other end. Images are read up to a limit, other files to their end.
    const isEndless = found.isFIFO() || found.isSocket() || (code !== 'IMAGE_NOT_FOUND' && isDevice(found));
    const other = found.isDirectory() ? 'a directory' : isEndless ? 'a pipe or a device' : undefined;
    if (other) throw new Error(`'${brief(path)}' is ${other}, not a file`);
    // A device says 0 bytes.
    return { sizeBytes: found.isFile() ? found.size : undefined, chunks: readChunks(path, code) };
  } catch (error) {
    throw failure(code, brief(/** @type {Error} */ (error).message), error);
  }
}

/**
 * Opens the file when the first chunk is read, so that an unused source leaves no file open.
 * @param {string | URL} path
 * @param {import('../vision/body.js').NotFound} code
 */
async function* readChunks(path, code) {
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
    throw failure(code, /** @type {Error} */ (error).message, error);
  } finally {
    await file?.close();
  }
}

/** @type {import('../engine/host.js').Host} */
export const node = {
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  // Node 20 has relaxed SIMD only behind a flag, and computes wrong results with it.
  trustsRelaxed: Number(process.versions.node.split('.')[0]) >= 22,
  hasInt8: true,
  threads: 'here',
  loadModule: (variant, assetsUrl) => compileOnce(variant, assetsUrl, compile),
  locateModel,
  open: openingCarried(openSource),
  toUrl,
  decodeFile: async (bytes, format) => (await import('./decoders.node.js')).decodeFile(bytes, format),
};
