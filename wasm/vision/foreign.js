// Files of formats that the module does not read (WebP, AVIF, HEIC) -> pixels, by a decoder of others: one that the user
// names, or one that the host finds.
import { failure, OcelliError } from '../shared/errors.js';
import { checkChoice } from '../shared/options.js';
import { host } from '../engine/host.js';
import { readFacts } from './foreign_header.js';

/**
 * @typedef {'webp' | 'avif' | 'heic'} ForeignFormat
 * @typedef {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} ForeignPixels RGBA, row by row, alpha not
 *   multiplied in; an ImageData is that
 * @typedef {(file: ArrayBuffer) => ForeignPixels | Promise<ForeignPixels>} Decoder decodes one file; the pixels as they
 *   are stored, because ocelli turns them upright. `decode` of `@jsquash/webp` and `@jsquash/avif` is such a function
 */

export const FOREIGN_FORMATS = /** @type {const} */ (['webp', 'avif', 'heic']);

/** @type {Map<ForeignFormat, Decoder>} */
const decoders = new Map();

/**
 * Sets the function that decodes files of a format that ocelli does not decode itself, in this thread. A page's browser and
 * Node find a decoder by themselves.
 * @param {ForeignFormat} format
 * @param {Decoder} decode
 */
export function useDecoder(format, decode) {
  checkChoice('format', format, FOREIGN_FORMATS);
  if (typeof decode !== 'function') throw failure('INVALID_OPTION', 'decode must be a function');
  decoders.set(format, decode);
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {ForeignFormat | undefined}
 */
function formatOf(bytes) {
  const tag = String.fromCharCode(...bytes.subarray(4, 12));
  if (tag.endsWith('WEBP')) return 'webp';
  if (/^ftypavi[fs]/.test(tag)) return 'avif';
  // mif1 and msf1 do not say which codec; most are HEIC
  return /^ftyp(he|mif1|msf1)/.test(tag) ? 'heic' : undefined;
}

/**
 * @param {OcelliError} refusal the module's
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} maxPixels
 * @returns {Promise<import('./input.js').Pixels | undefined>} undefined: no decoder is known here
 */
export async function decodeForeign(refusal, bytes, maxPixels) {
  const format = formatOf(bytes);
  const { decodeFile } = host();
  const decode = format && decoders.get(format);
  if (!format || !(decode ?? decodeFile)) return undefined;
  const { orientation, isMirrored, ...size } = readFacts(bytes, format);
  checkPixelCount(size, maxPixels);
  const found = decode
    ? { pixels: await attempt(format, () => decode(bytes.slice().buffer)), isUpright: false }
    : await attempt(format, () => decodeFile?.(bytes, format));
  if (!found || typeof found === 'string') throw unsupported(refusal, found ?? '');
  const { pixels, isUpright } = found;
  const { data, width, height } = pixels;
  if (data.length !== 4 * width * height) throw corrupt(format, 'the decoder returned no RGBA pixels');
  checkPixelCount(pixels, maxPixels);
  if (!isUpright && isMirrored) throw unsupported(refusal, 'the file is mirrored, which needs sharp');
  return {
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    ...{ width, height, channels: 4, stride: 4 * width },
    orientation: isUpright ? 1 : orientation,
  };
}

/** @param {{width: number, height: number}} size @param {number} maxPixels */
export function checkPixelCount({ width, height }, maxPixels) {
  if (width * height > maxPixels)
    throw new OcelliError(
      'IMAGE_TOO_LARGE',
      `the image has more pixels than the limit: ${width}x${height}; the limit is ${maxPixels} pixels (maxPixels)`,
    );
}

/**
 * @template T
 * @param {ForeignFormat} format
 * @param {() => T | Promise<T>} decode
 */
async function attempt(format, decode) {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof OcelliError) throw error;
    throw corrupt(format, /** @type {{message?: string} | undefined} */ (error)?.message ?? String(error));
  }
}

/** @param {ForeignFormat} format @param {string} what */
function corrupt(format, what) {
  return new OcelliError('IMAGE_CORRUPT', `the image is damaged or truncated: ${format}: ${what}`);
}

/** @param {OcelliError} refusal @param {string} hint */
function unsupported({ code, message }, hint) {
  return new OcelliError(code, `${message}; ${hint}`);
}
