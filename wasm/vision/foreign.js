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

/** Those that the user passes, in this thread. @type {Map<ForeignFormat, Decoder>} */
export const decoders = new Map();

/**
 * Sets the function that decodes files of a format that ocelli does not decode itself. It runs in this thread, for the workers
 * of its models, too. A page's browser and Node find a decoder by themselves.
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
  const head = String.fromCharCode(...bytes.subarray(0, 12));
  if (/^RIFF[^]{4}WEBP/.test(head)) return 'webp';
  if (/^[^]{4}ftypavi[fs]/.test(head)) return 'avif';
  // mif1 and msf1 do not say which codec; most are HEIC
  return /^[^]{4}ftyp(he|mif1|msf1)/.test(head) ? 'heic' : undefined;
}

/**
 * @param {OcelliError} refusal the module's
 * @param {Uint8Array<ArrayBuffer>} bytes a whole buffer, which a decoder may take away
 * @param {number} maxPixels
 * @returns {Promise<import('./input.js').Pixels | undefined>} undefined: no decoder is known here
 */
export async function decodeForeign(refusal, bytes, maxPixels) {
  const format = formatOf(bytes);
  const decodeFile = format && (decoders.has(format) ? decodePassed : host().decodeFile);
  if (!decodeFile) return undefined;
  const { orientation, isMirrored, ...size } = readFacts(bytes, format);
  if (size.width * size.height === 0) throw corrupt(format, 'it has no size');
  checkPixelCount(size, maxPixels);
  const found = await attempt(format, async () => decodeFile(bytes, format));
  if (typeof found === 'string') throw unsupported(refusal, found);
  const { pixels, isUpright } = found;
  const { data, width, height } = pixels;
  if (data?.length !== 4 * width * height || data.byteLength !== data.length)
    throw corrupt(format, 'the decoder returned no RGBA pixels');
  checkPixelCount(pixels, maxPixels);
  if (!isUpright && isMirrored) throw unsupported(refusal, 'the file is mirrored, which needs sharp');
  return {
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    ...{ width, height, channels: 4, stride: 4 * width },
    orientation: isUpright ? 1 : orientation,
  };
}

/**
 * Decodes by the user's decoder. The pixels can be posted.
 * @param {Pick<Uint8Array<ArrayBuffer>, 'buffer'>} bytes
 * @param {ForeignFormat} format
 */
export const decodePassed = ({ buffer }, format) =>
  attempt(format, async () => {
    const { data, width, height } = Object(await decoders.get(format)?.(buffer));
    return { pixels: { data, width, height }, isUpright: false };
  });

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
 * @param {() => Promise<T>} decode
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
