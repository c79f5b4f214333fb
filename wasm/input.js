// What users may hand in as an image or a model, reduced to bytes, pixels or a stream of bytes.
import { failure } from './errors.js';
import { host } from './host.js';
import { checkNumber } from './options.js';

/**
 * @typedef {import('./engine.js').PixelArray} PixelArray
 * @typedef {Uint8Array | ArrayBuffer | Blob | PixelArray} ImageInput
 */

/**
 * @param {ImageInput} image
 * @returns {Promise<Uint8Array | Required<PixelArray>>} an image file's bytes, or pixels
 */
export async function toPixels(image) {
  const bytes = await toBytes(image);
  if (bytes) return bytes;
  const pixels = /** @type {PixelArray} */ (image);
  if (typeof pixels !== 'object' || pixels === null || !isByteArray(pixels.data))
    throw failure('INVALID_INPUT');
  const { data, width, height } = pixels;
  for (const size of [width, height]) {
    if (!Number.isInteger(size) || size < 1 || size > 65535)
      throw failure('INVALID_INPUT', 'its width and height');
  }
  const channels = pixels.channels ?? /** @type {1 | 3 | 4} */ (Math.floor(data.length / (width * height)));
  const stride = pixels.stride ?? width * channels;
  if (![1, 3, 4].includes(channels) || !Number.isInteger(stride) || stride < 0 || stride > 2 ** 31 - 1) {
    throw failure(
      'INVALID_INPUT',
      `${data.length} bytes for ${width} x ${height} pixels of 1, 3 or 4 channels`,
    );
  }
  return { data, width, height, channels, stride };
}

/** @param {unknown} maxPixels */
export function checkMaxPixels(maxPixels = 1 << 24) {
  return checkNumber('maxPixels', maxPixels, { min: 1, max: 2 ** 31, integer: true });
}

/**
 * @param {unknown} source
 * @returns {Promise<Uint8Array<ArrayBuffer> | undefined>}
 */
async function toBytes(source) {
  if (source instanceof Uint8Array) return /** @type {Uint8Array<ArrayBuffer>} */ (source);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof Blob !== 'undefined' && source instanceof Blob)
    return new Uint8Array(await source.arrayBuffer());
  return undefined;
}

/** @param {unknown} data */
function isByteArray(data) {
  return data instanceof Uint8Array || data instanceof Uint8ClampedArray;
}

/**
 * @param {string | URL | Uint8Array | ArrayBuffer | Blob} source
 * @param {AbortSignal} [signal]
 * @returns {Promise<import('./host.js').ByteSource>}
 */
export async function readSource(source, signal) {
  if (typeof source === 'string' || source instanceof URL) return host().open(source, signal);
  const bytes = await toBytes(source);
  if (!bytes) throw failure('INVALID_OPTION', 'model must be a path, a URL or bytes');
  return {
    sizeBytes: bytes.length,
    chunks: (async function* () {
      yield bytes;
    })(),
  };
}
