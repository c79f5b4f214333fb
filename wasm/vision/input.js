// The user's image -> bytes or pixels. The user's model -> a stream of bytes.
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
 * A browser's class, or `never` if the user's TypeScript project has no DOM types.
 * @template {string} Name
 * @typedef {typeof globalThis extends {[name in Name]: {prototype: infer T}} ? T : never} BrowserClass
 */

/**
 * @typedef {BrowserClass<'HTMLVideoElement'> | BrowserClass<'HTMLImageElement'> | BrowserClass<'HTMLCanvasElement'>
 *   | BrowserClass<'OffscreenCanvas'> | BrowserClass<'ImageBitmap'> | BrowserClass<'VideoFrame'>} Drawable
 * @typedef {Uint8Array | ArrayBuffer | Blob | PixelArray | Drawable} ImageInput
 *
 * @typedef {Required<PixelArray> & {scaledFrom?: Size, release?: () => void}} Pixels `scaledFrom`: the source image's
 *   size, if these pixels are a region of it, resized to the network's input. `release`: call it when they were read
 *
 * @typedef {object} Fit The region of a drawable to read, and the size to resize it to.
 * @property {Roi} [roi]
 * @property {Size} size
 */

/**
 * @param {ImageInput} image
 * @param {Fit} [fit] for drawables; without it they are read whole at full size
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
      throw failure(
        'INVALID_INPUT',
        `width and height must be from 1 to 65535, but are ${width} and ${height}`,
      );
  }
  const channels = pixels.channels ?? /** @type {1 | 3 | 4} */ (Math.floor(data.length / (width * height)));
  const stride = pixels.stride ?? width * channels;
  if (![1, 3, 4].includes(channels) || !Number.isInteger(stride) || stride < 0 || stride > 2 ** 31 - 1) {
    throw failure(
      'INVALID_INPUT',
      `${data.length} bytes do not fit ${width} x ${height} pixels of 1, 3 or 4 channels`,
    );
  }
  return { data, width, height, channels, stride };
}

/**
 * The size in pixels of something that the host can draw; undefined for anything else.
 * @param {unknown} image
 */
export function measure(image) {
  const size = host().drawing?.measure(image);
  if (size && !(size.width > 0 && size.height > 0))
    throw failure('INVALID_INPUT', 'the image or video has no pixels yet; wait until it has loaded');
  return size;
}

/**
 * @param {unknown} image a drawable
 * @param {Size} size of the drawable
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
  // The module reports a region that is not inside the image.
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
 * Lets the host decode an image file whose format the module does not support.
 * @param {unknown} refusal the module's error; thrown again if the host cannot decode the file either
 * @param {unknown} source the file's bytes
 * @param {number} maxPixels
 */
export async function decodeOnHost(refusal, source, maxPixels) {
  const isUnsupported = refusal instanceof OcelliError && refusal.code === 'UNSUPPORTED_IMAGE_FORMAT';
  if (!isUnsupported || !(source instanceof Uint8Array)) throw refusal;
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
 * The class name of a built-in object. `instanceof` does not work: an <iframe>, jsdom and Jest have their own classes.
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
 * @returns {Uint8Array<ArrayBuffer> | undefined} a view made of this realm's Uint8Array; empty if its buffer was
 *   transferred
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
