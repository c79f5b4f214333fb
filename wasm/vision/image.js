import { Engine } from '../engine/engine.js';
import { failure } from '../shared/errors.js';
import { host } from '../engine/host.js';
import { checkMaxPixels, decodeOnHost, toPixels } from './input.js';
import { checkKeys } from '../shared/options.js';
import { chooseVariant } from '../engine/variant.js';
import { resolveAssets } from './vision_model.js';

/** @typedef {import('../shared/platform.js').Global<'URL'>} WebUrl */

/**
 * @typedef {object} DecodeOptions
 * @property {number} [maxPixels] images with more pixels throw IMAGE_TOO_LARGE; default 16 777 216
 * @property {string | WebUrl} [assetsUrl] as for `ObjectDetector.create`
 *
 * @typedef {{data: Uint8Array, width: number, height: number, channels: 3}} DecodedImage
 */

/**
 * Decodes an image file to upright pixels, the pixels that boxes refer to.
 *
 * It uses the variant of a detector with one thread, so that no second .wasm is loaded, and an instance of its own, whose
 * memory is freed when it is done.
 * @param {import('./input.js').FileInput} image a PNG, JPEG, BMP or GIF file, or another that the browser knows
 * @param {DecodeOptions} [options]
 * @returns {Promise<DecodedImage>} RGB, row by row
 */
export async function decodeImage(image, options = {}) {
  checkKeys('options', options, ['maxPixels', 'assetsUrl']);
  const limit = checkMaxPixels(options.maxPixels);
  const assetsUrl = resolveAssets(options.assetsUrl);
  const bytes = await toPixels(image, { maxPixels: limit });
  if (!(bytes instanceof Uint8Array))
    throw failure('INVALID_INPUT', 'decodeImage takes the bytes of an image file');
  const { trustsRelaxed } = host();
  const variant = chooseVariant({ threads: 1, deterministic: false, trustsRelaxed });
  const engine = await Engine.create({ variant, threads: 1, assetsUrl });
  try {
    try {
      engine.image.decode(bytes, limit);
    } catch (error) {
      engine.image.setPixels(await decodeOnHost(error, bytes, limit));
    }
    return { ...engine.image.read(), channels: 3 };
  } finally {
    engine.close();
  }
}
