// What users may hand in as an image or a model, reduced to bytes, pixels or a stream of bytes.
import { DEFAULT_MAX_PIXELS } from '../../dist/layout.js';
import { failure, OcelliError } from '../shared/errors.js';
import { host } from '../engine/host.js';
import { checkNumber } from '../shared/options.js';

/**
 * @typedef {import('./types.js').FloatImages} FloatImages
 * @typedef {import('../engine/engine.js').Roi} Roi
 *
 * @typedef {import('../engine/engine.js').PixelArray} PixelArray
 * @typedef {import('../engine/host.js').Size} Size
 */

/**
 * A browser's class, where the user's TypeScript knows browsers.
 * @template {string} Name
 * @typedef {typeof globalThis extends {[name in Name]: {prototype: infer T}} ? T : never} BrowserClass
 */

/**
 * @typedef {BrowserClass<'HTMLVideoElement'> | BrowserClass<'HTMLImageElement'> | BrowserClass<'HTMLCanvasElement'>
 *   | BrowserClass<'OffscreenCanvas'> | BrowserClass<'ImageBitmap'> | BrowserClass<'VideoFrame'>} Drawable
 * @typedef {Uint8Array | ArrayBuffer | Blob | PixelArray | Drawable} ImageInput
 *
 * @typedef {Required<PixelArray> & {scaledFrom?: Size, release?: () => void}} Pixels `scaledFrom`: they show a region of
 *   an image of that size, at the size that the network takes. `release`: once they have been read
 *
 * @typedef {object} Fit What of a drawable is wanted, and at what size.
 * @property {Roi} [roi]
 * @property {Size} size
 */

/**
 * @param {ImageInput} image
 * @param {Fit} [fit] of a drawable; without it, its own size
 * @returns {Promise<Uint8Array<ArrayBuffer> | Pixels>} an image file's bytes, or pixels
 */
export async function toPixels(image, fit) {
  const size = measure(image);
  if (size) return draw(image, size, fit);
  const bytes = await toBytes(image);
  if (bytes) return bytes;
  const pixels = /** @type {PixelArray | undefined} */ (image);
  const data = toByteArray(pixels?.data);
  if (!pixels || !data) throw failure('INVALID_INPUT');
  const { width, height } = pixels;
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

/**
 * The size of something that the host can draw.
 * @param {unknown} image
 */
export function measure(image) {
  const size = host().drawing?.measure(image);
  if (size && !(size.width > 0 && size.height > 0)) throw failure('INVALID_INPUT', 'it has no picture yet');
  return size;
}

/**
 * @param {unknown} image
 * @param {Size} size its own
 * @param {Fit} [fit]
 * @returns {Promise<Pixels>}
 */
async function draw(image, { width, height }, fit) {
  const drawing = /** @type {import('../engine/host.js').Drawing} */ (host().drawing);
  const copied = await drawing.copy(image, { width, height });
  if (copied) return { ...copied, width, height, channels: 4, stride: 4 * width };
  const whole = { x: 0, y: 0, width, height };
  const region = fit?.roi ?? whole;
  const isInside = region.x + region.width <= width && region.y + region.height <= height;
  // A region that is not inside goes on to the module, which says so.
  const isScaled = fit !== undefined && isInside && region.width > 0 && region.height > 0;
  const drawn = isScaled ? fit.size : { width, height };
  return {
    data: drawing.read(image, isScaled ? region : whole, drawn),
    ...drawn,
    channels: 4,
    stride: 4 * drawn.width,
    ...(isScaled && { scaledFrom: { width, height } }),
  };
}

/**
 * The pixels of an image file that the module refused, if it is of a format that the host can decode.
 * @param {unknown} refusal
 * @param {unknown} source
 * @param {number} maxPixels
 */
export async function decodeElsewhere(refusal, source, maxPixels) {
  const isForeign = refusal instanceof OcelliError && refusal.code === 'UNSUPPORTED_IMAGE_FORMAT';
  if (!isForeign || !(source instanceof Uint8Array)) throw refusal;
  const bitmap = await host().drawing?.decode(/** @type {Uint8Array<ArrayBuffer>} */ (source));
  if (!bitmap) throw refusal;
  try {
    const { width, height } = bitmap;
    if (width * height > maxPixels) {
      throw new OcelliError(
        'IMAGE_TOO_LARGE',
        `the image has more pixels than the limit: ${width}x${height}`,
      );
    }
    return await draw(bitmap, bitmap);
  } finally {
    bitmap.close();
  }
}

/** @param {any} input @returns {input is FloatImages} */
export function isFloatImages(input) {
  return tagOf(input?.data) === 'Float32Array';
}

export const MAX_PIXELS = { min: 1, max: 2 ** 31, integer: true };

/** @param {unknown} maxPixels */
export function checkMaxPixels(maxPixels = DEFAULT_MAX_PIXELS) {
  return checkNumber('maxPixels', maxPixels, MAX_PIXELS);
}

/**
 * The name of a built-in's class; by name, as an <iframe>, jsdom and Jest have classes of their own.
 * @param {any} value
 * @returns {string | undefined}
 */
export function tagOf(value) {
  return value?.[Symbol.toStringTag];
}

/**
 * @param {any} source
 * @returns {Promise<Uint8Array<ArrayBuffer> | undefined>}
 */
async function toBytes(source) {
  const tag = tagOf(source);
  if (tag === 'Uint8Array') return toByteArray(source);
  if (tag === 'ArrayBuffer') return new Uint8Array(source);
  if (tag === 'Blob' || tag === 'File') return new Uint8Array(await source.arrayBuffer());
  return undefined;
}

/**
 * @param {any} data
 * @returns {Uint8Array<ArrayBuffer> | undefined} of this realm; empty, if its buffer was handed over
 */
function toByteArray(data) {
  if (!['Uint8Array', 'Uint8ClampedArray'].includes(tagOf(data) ?? '')) return undefined;
  return data.length > 0 ? new Uint8Array(data.buffer, data.byteOffset, data.length) : new Uint8Array();
}

/**
 * @param {string | URL | Uint8Array | ArrayBuffer | Blob} source
 * @param {AbortSignal} [signal]
 * @returns {Promise<import('../engine/host.js').ByteSource>}
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
