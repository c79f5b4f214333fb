// Turns images into rows of features, batch by batch.
import { isUnreadable, OcelliError } from '../shared/errors.js';
import { checkNumber } from '../shared/options.js';
import { toRepeatable } from '../vision/input.js';
import { withLimit } from '../vision/limits.js';

/**
 * @typedef {import('../shared/platform.js').Global<'AbortSignal'>} WebSignal
 * @typedef {import('../vision/input.js').ImageInput} ImageInput
 *
 * @typedef {object} ExtractOptions
 * @property {number} [batchSize] images per batch; 1 to 1024, default 16
 * @property {(progress: {done: number, total: number}) => void} [onProgress]
 * @property {(error: Error, index: number) => void} [onUnreadable] called with each image that cannot be read, whose row is
 *   then left out; without it the call throws
 * @property {WebSignal} [signal]
 *
 * @typedef {object} Source An image that is read only when its batch is processed.
 * @property {string} name for error messages
 * @property {() => ImageInput | Promise<ImageInput>} read
 */

export const EXTRACT_KEYS = /** @type {const} */ (['batchSize', 'onProgress', 'onUnreadable', 'signal']);
export const IMAGES_AT_A_TIME = { min: 1, max: 1024, integer: true };

/**
 * @param {import('./types.js').Extractor} extractor
 * @param {readonly Source[]} sources
 * @param {ExtractOptions} [options]
 * @returns {Promise<Float32Array>} [N, length], a row for each image that can be read
 */
export async function extractFeatures(extractor, sources, { signal, ...options } = {}) {
  return withLimit({ signal }, (limit) => extractAll(extractor, sources, options, limit));
}

/**
 * @param {import('./types.js').Extractor} extractor
 * @param {readonly Source[]} sources
 * @param {Omit<ExtractOptions, 'signal'>} options
 * @param {import('../vision/limits.js').CallLimit} limit
 */
async function extractAll(extractor, sources, { batchSize = 16, onProgress, onUnreadable }, limit) {
  checkNumber('batchSize', batchSize, IMAGES_AT_A_TIME);
  let features = new Float32Array(0);
  let used = 0;
  for (let first = 0; first < sources.length; first += batchSize) {
    limit.check();
    const batch = sources.slice(first, first + batchSize);
    const found = onUnreadable
      ? await extractReadable(extractor, batch, limit, (error, i) => onUnreadable(error, first + i))
      : { rows: await extractRows(extractor, batch, limit), count: batch.length };
    if (used === 0 && found.count > 0)
      features = new Float32Array((sources.length * found.rows.length) / found.count);
    features.set(found.rows, used);
    used += found.rows.length;
    onProgress?.({ done: first + batch.length, total: sources.length });
  }
  return used < features.length ? features.slice(0, used) : features;
}

/**
 * Leaves out the images that cannot be read.
 * @param {import('./types.js').Extractor} extractor
 * @param {readonly Source[]} batch
 * @param {import('../vision/limits.js').CallLimit} limit
 * @param {(error: Error, index: number) => void} leaveOut
 */
async function extractReadable(extractor, batch, limit, leaveOut) {
  /** @type {Map<number, ImageInput>} */
  const images = new Map();
  for (const [i, { read }] of batch.entries()) {
    const image = await tryOne(async () => toRepeatable(await read(), { limit }), i, leaveOut);
    if (image !== undefined) images.set(i, image);
  }
  if (images.size === 0) return { rows: new Float32Array(0), count: 0 };
  try {
    return { rows: (await extractor.extractBatch([...images.values()])).data, count: images.size };
  } catch (error) {
    if (!isUnreadable(error)) throw error;
  }
  const rows = [];
  for (const [i, image] of images) {
    const row = await tryOne(async () => (await extractor.extractBatch([image])).data, i, leaveOut);
    if (row) rows.push(row);
  }
  const length = rows[0]?.length ?? 0;
  const joined = new Float32Array(rows.length * length);
  for (const [i, row] of rows.entries()) joined.set(row, i * length);
  return { rows: joined, count: rows.length };
}

/**
 * @template T
 * @param {() => Promise<T>} action
 * @param {number} index
 * @param {(error: Error, index: number) => void} leaveOut
 * @returns {Promise<T | undefined>} undefined: the image cannot be read
 */
async function tryOne(action, index, leaveOut) {
  try {
    return await action();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    leaveOut(/** @type {Error} */ (error), index);
    return undefined;
  }
}

/**
 * @param {import('./types.js').Extractor} extractor
 * @param {readonly Source[]} batch
 * @param {import('../vision/limits.js').CallLimit} limit
 */
async function extractRows(extractor, batch, limit) {
  // A response or a stream can be read once, but after an error the images are run again.
  const images = await Promise.all(batch.map((source) => readImage(source, limit)));
  try {
    return (await extractor.extractBatch(images)).data;
  } catch (error) {
    if (!(error instanceof OcelliError)) throw error;
    throw (await findCulprit(extractor, batch, images)) ?? error;
  }
}

/**
 * @param {Source} source
 * @param {import('../vision/limits.js').CallLimit} limit
 * @returns {Promise<ImageInput>}
 */
async function readImage({ name, read }, limit) {
  try {
    return await toRepeatable(await read(), { limit });
  } catch (error) {
    throw error instanceof OcelliError ? withName(name, error) : error;
  }
}

/** @param {string} name @param {OcelliError} cause */
function withName(name, cause) {
  return new OcelliError(cause.code, `${name}: ${cause.message}`, { cause });
}

/**
 * Runs a failed batch image by image, and returns an error that names the first image that fails.
 * @param {import('./types.js').Extractor} extractor
 * @param {readonly Source[]} batch
 * @param {ImageInput[]} images
 */
async function findCulprit(extractor, batch, images) {
  for (const [i, image] of images.entries()) {
    try {
      await extractor.extractBatch([image]);
    } catch (cause) {
      return withName(batch[i].name, /** @type {OcelliError} */ (cause));
    }
  }
  return undefined;
}
