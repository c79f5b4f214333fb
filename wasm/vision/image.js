import { Engine } from '../engine/engine.js';
import { failure } from '../shared/errors.js';
import { host } from '../engine/host.js';
import { checkMaxPixels, decodeOnHost, toPixels } from './input.js';
import { checkKeys } from '../shared/options.js';
import { chooseVariant } from '../engine/variant.js';

/**
 * Decodes an image file to upright pixels, the pixels that boxes refer to.
 *
 * It uses the variant of a detector with one thread, so that no second .wasm is loaded, and an instance of its own, whose
 * memory is freed when it is done.
 * @param {Uint8Array | ArrayBuffer | Blob} image bytes of a PNG, JPEG, BMP or GIF file, or of another that the browser knows
 * @param {{maxPixels?: number}} [options] images with more than `maxPixels` pixels
 *   throw IMAGE_TOO_LARGE; default 16 777 216
 * @returns {Promise<{data: Uint8Array, width: number, height: number, channels: 3}>} RGB, row by row
 */
export async function decodeImage(image, options = {}) {
  checkKeys('options', options, ['maxPixels']);
  const limit = checkMaxPixels(options.maxPixels);
  const bytes = await toPixels(image);
  if (!(bytes instanceof Uint8Array))
    throw failure('INVALID_INPUT', 'decodeImage takes the bytes of an image file');
  const { trustsRelaxed } = host();
  const variant = chooseVariant({ threads: 1, deterministic: false, trustsRelaxed });
  const engine = await Engine.create({ variant, threads: 1 });
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
