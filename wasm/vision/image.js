import { Engine } from '../engine/engine.js';
import { failure } from '../shared/errors.js';
import { host } from '../engine/host.js';
import { decodeOnHost, detach, toPixels } from './input.js';
import { withLimit } from './limits.js';
import { resolveReading } from './reading.js';
import { checkKeys } from '../shared/options.js';
import { chooseVariant } from '../engine/variant.js';
import { resolveAssets } from './vision_model.js';

/** @typedef {import('../shared/platform.js').Global<'URL'>} WebUrl */

/**
 * @typedef {object} DecodeAssets
 * @property {string | WebUrl | undefined} [assetsUrl] as for `ObjectDetector.create`
 *
 * @typedef {Omit<import('./reading.js').ReadingOptions, 'decode'> & DecodeAssets} DecodeOptions
 *
 * @typedef {object} DecodedImage
 * @property {Uint8Array} data RGB, row by row
 * @property {number} width
 * @property {number} height
 * @property {3} channels
 * @property {true} [truncated] the file is cut short, which `allowTruncated` allows; what is missing is grey
 */

/**
 * Decodes an image file to upright pixels, the pixels that boxes refer to.
 *
 * It uses the variant of a detector with one thread, so that no second .wasm is loaded, and an instance of its own, whose
 * memory is freed when it is done.
 * @param {import('./input.js').FileInput} image a PNG, JPEG, BMP or GIF file, or another that the browser knows
 * @param {DecodeOptions} [options]
 * @returns {Promise<DecodedImage>}
 */
export async function decodeImage(image, options = {}) {
  checkKeys('options', options, ['maxPixels', 'allowTruncated', 'background', 'assetsUrl']);
  const reading = resolveReading(options);
  const assetsUrl = resolveAssets(options.assetsUrl);
  const held = detach(image);
  return withLimit({}, (limit) => decode(held, reading, assetsUrl, limit));
}

/**
 * @param {any} image bytes, or where they are
 * @param {import('./reading.js').Reading} reading
 * @param {string | undefined} assetsUrl
 * @param {import('./limits.js').CallLimit} limit
 * @returns {Promise<DecodedImage>}
 */
export async function decode(image, reading, assetsUrl, limit) {
  const bytes = await toPixels(image, { maxPixels: reading.maxPixels, limit });
  if (!(bytes instanceof Uint8Array))
    throw failure('INVALID_INPUT', 'decodeImage takes the bytes of an image file');
  const { trustsRelaxed } = host();
  const variant = chooseVariant({ threads: 1, deterministic: false, trustsRelaxed });
  const engine = await Engine.create({ variant, threads: 1, assetsUrl });
  try {
    let truncated = false;
    try {
      ({ truncated } = engine.image.decode(bytes, reading));
    } catch (error) {
      engine.image.setPixels(await decodeOnHost(error, bytes, reading.maxPixels));
    }
    return { ...engine.image.read(reading.background), channels: 3, ...(truncated && { truncated }) };
  } finally {
    engine.close();
  }
}
