// Options, file metadata and manifest -> how pixels become the model's input, how its heads become boxes, and its
// labels. The caller's option wins, then the file's metadata, then the manifest's entry for exactly these bytes. A
// setting that is missing from all three is an error, never a guess.
import { MAX_RESULTS } from '../../dist/layout.js';
import manifest from '../../dist/models/manifest.js';
import { failure, OcelliError } from '../shared/errors.js';
import { boolean, choice, either, list, number, record, text } from '../shared/fields.js';
import { PIXEL_RANGES, pixelRange } from '../shared/pixel_range.js';
import { FITS } from './view.js';
import { MAX_LABELS, readLabels } from './labels.js';
import { checkFields, checkNumbers, merge } from '../shared/options.js';

/**
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 * @typedef {import('../engine/engine.js').TensorInfo} TensorInfo
 * @typedef {import('../engine/engine.js').Metadata} Metadata
 * @typedef {import('./labels.js').Label} Label
 *
 * @typedef {(typeof manifest)['models'][number]} ManifestEntry
 */

const RESIZES = /** @type {const} */ (['legacy', 'half-pixel']);
export const SCORES = /** @type {const} */ (['sigmoid', 'softmax', 'none']);

/** @type {ManifestEntry} */
export const DEFAULT_ENTRY = /** @type {ManifestEntry} */ (
  manifest.models.find((entry) => entry.id === manifest.default)
);

/**
 * The manifest's entry for this file, or for the model that it was quantized from. The bytes are hashed only if the
 * manifest has a model of this size.
 * @param {{sizeBytes: number, readAll: () => Uint8Array<ArrayBuffer>}} model
 * @param {Metadata} metadata
 * @returns {Promise<ManifestEntry | undefined>}
 */
export async function findManifestEntry({ sizeBytes, readAll }, metadata) {
  const { like, sha256: origin } = ownMetadata(metadata);
  if (like) return manifest.models.find((entry) => entry.id === like && entry.sha256 === origin);
  const candidates = manifest.models.filter((entry) => entry.size_bytes === sizeBytes);
  if (candidates.length === 0 || !globalThis.crypto?.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', readAll()));
  const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return candidates.find((entry) => entry.sha256 === sha256);
}

/**
 * @param {Partial<InputSpec> | string | undefined} option a string: the name of a normalization, such as '[0,1]'
 * @param {Metadata} metadata
 * @param {ManifestEntry | undefined} entry
 * @param {TensorInfo} tensor the model's input
 * @returns {InputSpec} scale and offset from pixel values to the values that the tensor stores
 */
export function resolveInput(option, metadata, entry, tensor) {
  const given =
    typeof option === 'string'
      ? { ...namedInput(option), resize: ownMetadata(metadata).resize ?? 'half-pixel' }
      : option;
  if (given !== undefined) checkInput(given);
  const known = /** @type {Partial<InputSpec> | undefined} */ (entry?.input);
  const { fit = 'stretch', ...spec } = merge(known, inputOfMetadata(metadata, tensor), given);
  const missing = /** @type {const} */ (['scale', 'offset', 'resize']).filter(
    (key) => spec[key] === undefined,
  );
  checkAllSaid('MODEL_INPUT_UNKNOWN', 'input', missing, HOW_TO_GIVE);
  const scale = checkNumbers('input.scale', spec.scale, 3);
  const offset = checkNumbers('input.offset', spec.offset, 3);
  const resize = /** @type {InputSpec['resize']} */ (spec.resize);
  const quantization = tensor.quantization;
  if (!quantization) return { scale, offset, resize, fit };
  return {
    scale: scale.map((s) => s / quantization.scale),
    offset: offset.map((o) => o / quantization.scale + quantization.zeroPoint),
    resize,
    fit,
  };
}

/**
 * @param {Parameters<typeof failure>[0]} code of the error
 * @param {string} option
 * @param {string[]} missing fields of the option
 * @param {string} [hint]
 */
export function checkAllSaid(code, option, missing, hint = '') {
  if (missing.length > 0)
    throw failure(
      code,
      `neither the option, the file's metadata nor the manifest gives ${option}.${missing.join(`, ${option}.`)}${hint}`,
    );
}

const VALUES = either(number(), list(number(), { min: 3, max: 3 }));
const INPUT = { scale: VALUES, offset: VALUES, resize: choice(RESIZES), fit: choice(FITS) };

/** @param {any} option */
export function checkInput(option) {
  checkFields('input', option, INPUT);
}

const HOW_TO_GIVE =
  ". Pass input: '[-1,1]', '[0,1]', '[0,255]' or 'imagenet' (the values that it was trained on), or {scale, offset, " +
  "resize} with value = pixel * scale + offset; on the command line --input '[0,1]'";

/** @param {string} name */
function namedInput(name) {
  const known = pixelRange(name);
  if (known) return known;
  throw failure(
    'INVALID_OPTION',
    `input must be an object or one of ${Object.keys(PIXEL_RANGES).join(', ')}, not '${name}'`,
  );
}

/**
 * TFLite Metadata gives mean and std for float inputs; a uint8 input takes the pixel bytes unchanged. The resize mode
 * is our own field. Without it the mode is 'half-pixel', as in other readers of this metadata (TFLite's task library,
 * MediaPipe).
 * @param {Metadata} metadata
 * @param {TensorInfo} tensor
 * @returns {Partial<InputSpec>}
 */
function inputOfMetadata(metadata, { dtype, quantization }) {
  const { normalization } = metadata;
  const { resize = 'half-pixel', fit } = ownMetadata(metadata);
  if (!normalization) return { fit };
  if (dtype === 'uint8') {
    const { scale = 1, zeroPoint = 0 } = quantization ?? {};
    return { scale, offset: 0 - zeroPoint * scale, resize, fit };
  }
  const { mean, std } = normalization;
  return { scale: std.map((s) => 1 / s), offset: std.map((s, i) => -mean[i] / s), resize, fit };
}

/**
 * @typedef {object} OwnMetadata The metadata that ocelli adds to TFLite's and MediaPipe's.
 * @property {'legacy' | 'half-pixel'} [resize]
 * @property {InputSpec['fit']} [fit]
 * @property {(typeof SCORES)[number]} [scores]
 * @property {{scoreThreshold?: number, iouThreshold: number, maxPerClass?: number, maxResults?: number, classAgnostic?: boolean}} [suppression]
 * @property {string[]} [mids]
 * @property {string} [like] id of the manifest's model that the file was quantized from
 * @property {string} [sha256] of that model
 */

const SHARE = number({ min: 0, max: 1 });
const COUNT = number({ min: 1, max: 2 ** 31, integer: true });
const isOwn = record({
  resize: choice(RESIZES),
  fit: choice(FITS),
  scores: choice(SCORES),
  suppression: record(
    {
      ...{ scoreThreshold: SHARE, iouThreshold: SHARE, maxPerClass: COUNT, maxResults: COUNT },
      classAgnostic: boolean,
    },
    ['iouThreshold'],
  ),
  mids: list(text(1000), { max: MAX_LABELS }),
  like: text(1000),
  sha256: text(64),
});

/**
 * @param {Metadata} metadata
 * @returns {OwnMetadata}
 */
export function ownMetadata({ own }) {
  if (own === undefined) return {};
  const value = parseOwn(own);
  const fault = isOwn(value, '');
  if (fault) throw new OcelliError('BAD_METADATA', `the entry OCELLI of the model's metadata: ${fault}`);
  return value;
}

/** @param {string} json */
function parseOwn(json) {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new OcelliError('BAD_METADATA', "the entry OCELLI of the model's metadata is not JSON", {
      cause: error,
    });
  }
}

/**
 * The thresholds of the detector that the file was converted from, and the threshold of TFLite Metadata (`ownThreshold`),
 * as far as the file has them.
 * @param {Metadata} metadata
 */
export function resolveLimits(metadata) {
  /** @type {Partial<NonNullable<OwnMetadata['suppression']>>} */
  const { scoreThreshold, iouThreshold, maxPerClass, maxResults, classAgnostic } =
    ownMetadata(metadata).suppression ?? {};
  const { scoreThreshold: threshold = -1 } = metadata;
  const most = (/** @type {number | undefined} */ count) => count && Math.min(count, MAX_RESULTS);
  return merge({
    ...{ scoreThreshold, iouThreshold, classAgnostic },
    ...{ maxPerClass: most(maxPerClass), maxResults: most(maxResults) },
    ownThreshold: threshold >= 0 && threshold <= 1 ? threshold : undefined,
  });
}

/**
 * @param {string | readonly (string | Label)[] | undefined} option
 * @param {Metadata} metadata
 * @param {ManifestEntry | undefined} entry
 */
export function resolveLabels(option, metadata, entry) {
  if (option !== undefined || metadata.labels === undefined) return readLabels(option ?? entry?.labels ?? []);
  const labels = readFileLabels(metadata.labels);
  const { mids } = ownMetadata(metadata);
  if (mids === undefined) return labels;
  if (mids.length !== labels.length)
    throw new OcelliError(
      'BAD_METADATA',
      `the entry OCELLI of the model's metadata: mids has ${mids.length} items, but there are ${labels.length} labels`,
    );
  return labels.map(({ name }, i) => ({ name, mid: mids[i] }));
}

/** @param {string} labels the text in a model's file */
export function readFileLabels(labels) {
  try {
    return readLabels(labels, "the model's labels");
  } catch (error) {
    throw new OcelliError('BAD_METADATA', /** @type {Error} */ (error).message, { cause: error });
  }
}
