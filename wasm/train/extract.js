// Turns images into rows of features, batch by batch.
import { OcelliError } from '../shared/errors.js';
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
 * @property {WebSignal} [signal]
 *
 * @typedef {object} Source An image that is read only when its batch is processed.
 * @property {string} name for error messages
 * @property {() => ImageInput | Promise<ImageInput>} read
 */

export const IMAGES_AT_A_TIME = { min: 1, max: 1024, integer: true };

/**
 * @param {import('./types.js').Extractor} extractor
 * @param {readonly Source[]} sources
 * @param {ExtractOptions} [options]
 * @returns {Promise<Float32Array>} [N, length]
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
async function extractAll(extractor, sources, { batchSize = 16, onProgress }, limit) {
  checkNumber('batchSize', batchSize, IMAGES_AT_A_TIME);
  let features = new Float32Array(0);
  for (let first = 0; first < sources.length; first += batchSize) {
    limit.check();
    const batch = sources.slice(first, first + batchSize);
    const rows = await extractRows(extractor, batch, limit);
    const rowLength = rows.length / batch.length;
    if (first === 0) features = new Float32Array(sources.length * rowLength);
    features.set(rows, first * rowLength);
    onProgress?.({ done: first + batch.length, total: sources.length });
  }
  return features;
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
