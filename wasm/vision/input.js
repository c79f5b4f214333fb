// The user's image -> bytes or pixels. The user's model -> a stream of bytes.
import { checkSize, MAX_BYTES, sourceOf } from '../engine/gather.js';
import { failure, OcelliError } from '../shared/errors.js';
import { host } from '../engine/host.js';
import { tagOf } from '../shared/platform.js';
import { openBody, readBody } from './body.js';
import { checkPixelCount, decodeForeign } from './foreign.js';
import { checkMaxPixels } from './reading.js';
import { checkPixels } from './pixels.js';
import { nameOf } from './refuse.js';

/**
 * @typedef {import('./types.js').FloatImages} FloatImages
 * @typedef {import('../engine/engine.js').Roi} Roi
 *
 * @typedef {import('../engine/engine.js').PixelArray} PixelArray
 * @typedef {import('../engine/host.js').Size} Size
 */

/**
 * @template {string} Name
 * @typedef {import('../shared/platform.js').Global<Name>} Global
 */

/**
 * @typedef {Global<'HTMLVideoElement'> | Global<'HTMLImageElement'> | Global<'HTMLCanvasElement'>
 *   | Global<'OffscreenCanvas'> | Global<'ImageBitmap'> | Global<'VideoFrame'>} Drawable
 * @typedef {string | Global<'URL'> | Uint8Array | ArrayBuffer | Global<'Blob'> | import('./body.js').Body} FileInput The
 *   bytes of a file, or where they are: a path (Node, Bun, Deno) or a URL. A Response, Request or stream is read once.
 * @typedef {FileInput} ModelInput
 * @typedef {FileInput | PixelArray | Drawable} ImageInput
 *
 * @typedef {Required<PixelArray> & {scaledFrom?: Size, release?: () => void, orientation?: number}} Pixels `scaledFrom`: the
 *   source image's size, if these pixels are a region of it, resized to the network's input. `release`: call it when they
 *   were read. `orientation`: as in EXIF; default 1
 *
 * @typedef {object} Fit The region of a drawable to read, and the size to resize it to.
 * @property {Roi} [roi]
 * @property {Size} size
 */

/**
 * @typedef {object} PixelOptions
 * @property {Fit} [fit] for drawables; without it they are read whole at full size
 * @property {number} [maxPixels] limits how many bytes of a stream are read
 * @property {{readonly signal: AbortSignal}} [limit] ends the reading
 *
 * @typedef {Uint8Array<ArrayBuffer> | Pixels} FileOrPixels an image file's bytes, or pixels
 */

/**
 * What is in memory is returned at once, not copied; other sources are read.
 * @param {ImageInput} image
 * @param {PixelOptions} [options]
 * @returns {FileOrPixels | Promise<FileOrPixels>}
 */
export function toPixels(image, { fit, maxPixels, limit } = {}) {
  const size = measure(image);
  if (size) return draw(image, size, fit);
  return (
    inMemory(image) ??
    readImage(image, { maxPixels, limit }).then((bytes) => bytes ?? checkPixels(image, undefined))
  );
}

/**
 * @param {any} image
 * @returns {FileOrPixels | undefined} undefined: it is not in memory, or no image
 */
function inMemory(image) {
  const bytes = bytesInMemory(image);
  if (bytes) return bytes;
  const data = toByteArray(/** @type {any} */ (image)?.data);
  return data && checkPixels(image, data);
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
  const copying = drawing.copy(image, { width, height });
  const copied = copying && (await copying);
  if (copied) return { ...copied, width, height, channels: 4, stride: 4 * width };
  const region = fit?.roi ?? { x: 0, y: 0, width, height };
  const isInside = region.x + region.width <= width && region.y + region.height <= height;
  // The module reports a region that is not inside the image.
  const isScaled = fit !== undefined && isInside && region.width > 0 && region.height > 0;
  if (!isScaled) return readWhole(image, { width, height });
  const { size } = fit;
  const data = drawing.read(image, region, size);
  return { data, ...size, channels: 4, stride: 4 * size.width, scaledFrom: { width, height } };
}

/**
 * @param {unknown} image a drawable
 * @param {Size} size of the drawable
 * @returns {Pixels}
 */
function readWhole(image, { width, height }) {
  const drawing = /** @type {import('../engine/host.js').Drawing} */ (host().drawing);
  const data = drawing.read(image, { x: 0, y: 0, width, height }, { width, height });
  return { data, width, height, channels: 4, stride: 4 * width };
}

const DECODED_ON_HOST = ['UNSUPPORTED_IMAGE_FORMAT', 'IMAGE_CORRUPT'];

/**
 * Lets the host decode an image file that the module cannot.
 * @param {unknown} refusal the module's error; thrown again if the host cannot decode the file either
 * @param {unknown} source the file's bytes
 * @param {number} maxPixels
 */
export async function decodeOnHost(refusal, source, maxPixels) {
  const isTried = refusal instanceof OcelliError && DECODED_ON_HOST.includes(refusal.code);
  if (!isTried || !(source instanceof Uint8Array)) throw refusal;
  const bytes = /** @type {Uint8Array<ArrayBuffer>} */ (source.slice()); // before anything is awaited
  const isUnknown = refusal.code === 'UNSUPPORTED_IMAGE_FORMAT';
  const pixels = isUnknown && (await decodeForeign(refusal, bytes, maxPixels));
  if (pixels) return pixels;
  const bitmap = await host().drawing?.decode(bytes);
  if (!bitmap) throw refusal;
  try {
    checkPixelCount(bitmap, maxPixels);
    return await draw(bitmap, bitmap);
  } finally {
    bitmap.close();
  }
}

/** @param {any} input @returns {input is FloatImages} */
export function isFloatImages(input) {
  return tagOf(input?.data) === 'Float32Array';
}

/** Room for what an image file has beside its pixels: EXIF, colour profiles, previews. */
const METADATA_BYTES = 1 << 24;
/** The base64 of a JPEG, PNG, GIF or WebP file. */
const BASE64 = /^(\/9j\/|iVBORw0KGgo|R0lGOD|UklGR)[A-Za-z0-9+/=\s]{200}/;

/**
 * Reads what is not yet in memory: a path, a URL, a Blob, a Response, a stream.
 * @param {any} source
 * @param {Pick<PixelOptions, 'maxPixels' | 'limit'>} options
 * @returns {Promise<Uint8Array<ArrayBuffer> | undefined>} undefined: the source is of another kind
 */
async function readImage(source, { maxPixels, limit: ending }) {
  const limit = mostBytes(checkMaxPixels(maxPixels));
  if (isBlob(source)) return readBlob(source, limit);
  const signal = ending?.signal;
  const isPlace = typeof source === 'string' || tagOf(source) === 'URL';
  if (typeof source === 'string') checkPlace(source);
  const body = isPlace
    ? await host().open(source, signal, 'IMAGE_NOT_FOUND')
    : openBody(source, 'IMAGE_NOT_FOUND', signal);
  return body && readBody(body, { limit, signal });
}

/**
 * The most bytes that the file of an image has: without compression, four channels of 16 bits, and metadata.
 * @param {number} maxPixels
 */
const mostBytes = (maxPixels) => Math.min(8 * maxPixels + METADATA_BYTES, MAX_BYTES);

/** @param {string} place a path or a URL */
function checkPlace(place) {
  if (place === '') throw failure('INVALID_INPUT', 'the string is empty');
  if (BASE64.test(place))
    throw failure(
      'INVALID_INPUT',
      "the string is base64, not a path or a URL; put 'data:image/jpeg;base64,' before it, or in Node pass Buffer.from(string, 'base64')",
    );
}

/**
 * An input that can be read several times: a Response, a stream and the like as their bytes, others unchanged.
 * @template T
 * @param {T} image
 * @param {Pick<PixelOptions, 'maxPixels' | 'limit'>} [options]
 * @returns {Promise<T | Uint8Array<ArrayBuffer>>}
 */
export async function toRepeatable(image, options = {}) {
  if (typeof image === 'string' || isBlob(image) || measure(image)) return image;
  return (await readImage(image, options)) ?? image;
}

/**
 * An input that later changes of the user's memory do not touch: bytes, pixels and numbers are copied, drawables read.
 * @template T
 * @param {T} input
 * @returns {T | Pixels}
 */
export function detach(input) {
  const size = measure(input);
  if (size) return readWhole(input, size);
  const given = /** @type {any} */ (input);
  const bytes = bytesInMemory(given);
  if (bytes) return /** @type {any} */ (bytes.slice());
  for (const key of ['data', 'tensor']) {
    const numbers = given?.[key];
    if (ArrayBuffer.isView(numbers) && 'slice' in numbers)
      return /** @type {any} */ ({ ...given, ...dimensions(given), [key]: copyOf(numbers) });
  }
  return input;
}

/** An ImageData's fields are those of its prototype. @param {any} pixels */
const dimensions = ({ width, height }) => (width === undefined ? {} : { width, height });

/**
 * @param {any} numbers a typed array. The memory of an empty one may have been transferred, and is not to be
 * @returns {any} not by Buffer.slice(), which shares memory
 */
const copyOf = (numbers) =>
  numbers.length > 0 ? Uint8Array.prototype.slice.call(numbers) : numbers.constructor.from([]);

/** @param {any} source */
function bytesInMemory(source) {
  const tag = tagOf(source);
  if (tag === 'Uint8Array') return toByteArray(source);
  if (tag === 'ArrayBuffer') return source.byteLength > 0 ? new Uint8Array(source) : new Uint8Array();
  return undefined;
}

/**
 * Whether the source is a path, a URL, a Response, a Request or a stream, which may take any time.
 * @param {any} source
 */
export function isBeingSent(source) {
  if (typeof source === 'string' || ['URL', 'Response', 'Request'].includes(tagOf(source) ?? '')) return true;
  return typeof source?.getReader === 'function' || typeof source?.[Symbol.asyncIterator] === 'function';
}

/**
 * @template T
 * @param {() => T | Promise<T>} read
 * @returns {T | Promise<T>} what it throws as a rejection: Promise.all then handles those of the other inputs, too
 */
export function attempt(read) {
  try {
    return read();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** @param {any} source @returns {source is Blob} */
const isBlob = (source) => ['Blob', 'File'].includes(tagOf(source) ?? '');

/**
 * @param {Blob} blob
 * @param {number} limit
 */
async function readBlob(blob, limit) {
  checkSize(blob.size, limit);
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (error) {
    throw failure('READ_FAILED', /** @type {Error} */ (error).message, error);
  }
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
 * @param {ModelInput} source
 * @param {AbortSignal} [signal]
 * @returns {Promise<import('../engine/host.js').ByteSource>}
 */
export async function readSource(source, signal) {
  if (typeof source === 'string' || tagOf(source) === 'URL')
    return host().open(/** @type {string | URL} */ (source), signal, 'MODEL_NOT_FOUND');
  const bytes = bytesInMemory(source) ?? (isBlob(source) ? await readBlob(source, MAX_BYTES) : undefined);
  if (!bytes) return openModelBody(source, signal);
  return sourceOf(bytes);
}

/**
 * @param {any} source
 * @param {AbortSignal} [signal]
 */
function openModelBody(source, signal) {
  const body = openBody(source, 'MODEL_NOT_FOUND', signal);
  if (body) return body;
  throw failure(
    'INVALID_OPTION',
    `model must be a path, a URL, bytes, a Blob, a Response or a stream, not ${nameOf(source)}`,
  );
}

/**
 * Prepares a model for being read several times: a path or URL as an absolute URL, a Response or stream as its bytes.
 * @param {ModelInput | undefined} source
 * @param {Pick<import('./types.js').ModelOptions, 'signal' | 'onProgress'>} options
 */
export async function keepSource(source, { signal, onProgress }) {
  if (source === undefined) return undefined;
  if (typeof source === 'string' || tagOf(source) === 'URL')
    return host().toUrl(/** @type {string | URL} */ (source), 'MODEL_NOT_FOUND').href;
  if (isBlob(source)) return source;
  const bytes = bytesInMemory(source);
  // A copy: the model may be loaded again when the user has changed the memory.
  if (bytes) return bytes.slice();
  return readBody(openModelBody(source, signal), { signal, onProgress });
}
