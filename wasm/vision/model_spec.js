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
import { mediaPipeAnchors } from './mediapipe_anchors.js';
import {
  checkBoolean,
  checkChoice,
  checkKeys,
  checkList,
  checkNumber,
  checkNumbers,
} from '../shared/options.js';
import { sizeOf } from '../shared/numbers.js';

/**
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 * @typedef {import('../engine/engine.js').TensorInfo} TensorInfo
 * @typedef {import('../engine/engine.js').Metadata} Metadata
 * @typedef {import('./labels.js').Label} Label
 * @typedef {import('../engine/types.js').SsdAnchorGenerator} SsdAnchorGenerator
 * @typedef {import('../engine/types.js').MultiscaleAnchorGenerator} MultiscaleAnchorGenerator
 * @typedef {import('../engine/types.js').SsdSpec} SsdSpec
 *
 * @typedef {(typeof manifest)['models'][number]} ManifestEntry
 */

const RESIZES = /** @type {const} */ (['legacy', 'half-pixel']);
const SCORES = /** @type {const} */ (['sigmoid', 'softmax', 'none']);

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
  const keys = /** @type {const} */ (['scale', 'offset', 'resize']);
  const given = typeof option === 'string' ? namedInput(option) : option;
  if (given !== undefined) checkKeys('input', given, [...keys, 'fit']);
  const known = entry && { scale: entry.input.scale, offset: entry.input.offset, resize: entry.input.resize };
  const { fit = 'stretch', ...spec } = {
    ...known,
    ...inputOfMetadata(metadata, tensor),
    ...given,
    ...(typeof option === 'string' && { resize: ownMetadata(metadata).resize ?? 'half-pixel' }),
  };
  checkChoice('input.fit', fit, FITS);
  const missing = keys.filter((key) => spec[key] === undefined);
  if (missing.length > 0) {
    throw failure(
      'MODEL_INPUT_UNKNOWN',
      `neither the option, the file's metadata nor the manifest gives input.${missing.join(', input.')}. ${HOW_TO_GIVE}`,
    );
  }
  const scale = checkNumbers('input.scale', spec.scale, 3);
  const offset = checkNumbers('input.offset', spec.offset, 3);
  const resize = checkChoice('input.resize', spec.resize, RESIZES);
  const quantization = tensor.quantization;
  if (!quantization) return { scale, offset, resize, fit };
  return {
    scale: scale.map((s) => s / quantization.scale),
    offset: offset.map((o) => o / quantization.scale + quantization.zeroPoint),
    resize,
    fit,
  };
}

const HOW_TO_GIVE =
  "Pass input: '[-1,1]', '[0,1]', '[0,255]' or 'imagenet' (the values that it was trained on), or {scale, offset, " +
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
  if (!normalization) return { ...(fit && { fit }) };
  if (dtype === 'uint8' && quantization) {
    return {
      scale: quantization.scale,
      offset: -quantization.zeroPoint * quantization.scale,
      resize,
      ...(fit && { fit }),
    };
  }
  const { mean, std } = normalization;
  return {
    ...{ scale: std.map((s) => 1 / s), offset: std.map((s, i) => -mean[i] / s), resize },
    ...(fit && { fit }),
  };
}

/**
 * @typedef {object} OwnMetadata The metadata that ocelli adds to TFLite's and MediaPipe's.
 * @property {'legacy' | 'half-pixel'} [resize]
 * @property {InputSpec['fit']} [fit]
 * @property {SsdSpec['scores']} [scores]
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
 * The file's detector metadata as an SsdSpec. This metadata has no background column: every score column is a class.
 * @param {Metadata} metadata
 * @returns {Partial<SsdSpec>}
 */
function ssdOfMetadata(metadata) {
  const { detector } = metadata;
  if (!detector) return {};
  const scores = ownMetadata(metadata).scores ?? (detector.isSigmoid ? 'sigmoid' : 'none');
  const { anchors, boxCoder, boxSizes } = detector;
  return { anchors, boxCoder, boxSizes, scores, background: false };
}

const BOX_SIZES = /** @type {const} */ (['exponential', 'linear']);
const BOX_ORDERS = /** @type {const} */ (['yx', 'xy']);

/**
 * @param {Partial<SsdSpec> | undefined} option
 * @param {Metadata} metadata
 * @param {ManifestEntry | undefined} entry
 * @returns {SsdSpec}
 */
export function resolveSsd(option, metadata, entry) {
  const needed = /** @type {const} */ (['boxCoder', 'scores', 'background']);
  if (option !== undefined) checkKeys('ssd', option, SSD_KEYS);
  /** @type {Partial<SsdSpec>} */
  const known = /** @type {Partial<SsdSpec> | undefined} */ (entry?.ssd) ?? {};
  const spec = { ...known, ...ssdOfMetadata(metadata), ...option };
  if (option?.anchorGenerator && !option.anchors) delete spec.anchors;
  /** @type {string[]} */
  const missing = needed.filter((key) => spec[key] === undefined);
  if (!spec.anchors && !spec.anchorGenerator) missing.unshift('anchors (or ssd.anchorGenerator)');
  if (missing.length > 0) {
    throw failure(
      'SSD_UNKNOWN',
      `neither the option, the file's metadata nor the manifest gives ssd.${missing.join(', ssd.')}`,
    );
  }
  return {
    ...spec,
    boxCoder: checkNumbers('ssd.boxCoder', spec.boxCoder, 4).map((scale) =>
      checkNumber('ssd.boxCoder', scale, { min: 1e-6, max: 1e6 }),
    ),
    boxSizes: checkChoice('ssd.boxSizes', spec.boxSizes ?? 'exponential', BOX_SIZES),
    boxOrder: checkChoice('ssd.boxOrder', spec.boxOrder ?? 'yx', BOX_ORDERS),
    scores: checkChoice('ssd.scores', spec.scores, SCORES),
    background: checkBoolean('ssd.background', spec.background),
  };
}

/**
 * The thresholds of the detector that the file was converted from, and the threshold of TFLite Metadata (`ownThreshold`),
 * as far as the file has them.
 * @param {Metadata} metadata
 */
export function resolveLimits(metadata) {
  const { suppression } = ownMetadata(metadata);
  const { scoreThreshold: ownThreshold = -1 } = metadata;
  return {
    ...(suppression && limitsOf(suppression)),
    ...(ownThreshold >= 0 && ownThreshold <= 1 && { ownThreshold }),
  };
}

/** @param {NonNullable<OwnMetadata['suppression']>} suppression */
function limitsOf({ scoreThreshold, iouThreshold, maxPerClass, maxResults, classAgnostic }) {
  const most = (/** @type {number | undefined} */ count) => count && Math.min(count, MAX_RESULTS);
  return {
    ...{ scoreThreshold, iouThreshold, classAgnostic },
    ...{ maxPerClass: most(maxPerClass), maxResults: most(maxResults) },
  };
}

const SSD_KEYS = ['anchors', 'anchorGenerator', 'boxCoder', 'boxSizes', 'boxOrder', 'scores', 'background'];
const NUMBER = number();
const LENGTHS = { max: 1000 };
const isGenerator = record({
  ...{ type: choice(['ssd', 'multiscale', 'mediapipe']), numLayers: NUMBER, minScale: NUMBER, maxScale: NUMBER },
  ...{ aspectRatios: list(NUMBER, LENGTHS), scales: list(NUMBER, LENGTHS) },
  ...{ featureMaps: list(list(NUMBER, { min: 2, max: 2 }), LENGTHS), interpolatedScaleAspectRatio: NUMBER },
  ...{ reduceBoxesInLowestLayer: boolean, minLevel: NUMBER, maxLevel: NUMBER, anchorScale: NUMBER },
  ...{ scalesPerOctave: NUMBER, strides: list(NUMBER, LENGTHS), fixedAnchorSize: boolean },
  ...{ anchorOffsetX: NUMBER, anchorOffsetY: NUMBER },
});
const MAX_ANCHORS = 1 << 20;
const isSsd = record({
  anchors: either(
    list(list(NUMBER, { min: 4, max: 4 }), { max: MAX_ANCHORS }),
    list(NUMBER, { max: 4 * MAX_ANCHORS }),
  ),
  anchorGenerator: isGenerator,
  boxCoder: either(NUMBER, list(NUMBER, { min: 4, max: 4 })),
  ...{ boxSizes: choice(BOX_SIZES), boxOrder: choice(BOX_ORDERS) },
  ...{ scores: choice(SCORES), background: boolean },
});
const VALUES = either(NUMBER, list(NUMBER, { min: 3, max: 3 }));
const isInput = record({ scale: VALUES, offset: VALUES, resize: choice(RESIZES), fit: choice(FITS) });

/** Checks the option `ssd` that a file has. @param {any} option */
export function checkSsd(option) {
  checkKeys('ssd', option, SSD_KEYS);
  const fault = isSsd(option, 'ssd');
  if (fault) throw failure('INVALID_OPTION', fault);
}

/** Checks the option `input` that a file has. @param {any} option */
export function checkInput(option) {
  checkKeys('input', option, ['scale', 'offset', 'resize', 'fit']);
  const fault = isInput(option, 'input');
  if (fault) throw failure('INVALID_OPTION', fault);
}

/**
 * @param {SsdSpec['anchorGenerator']} generator
 * @returns {SsdAnchorGenerator | MultiscaleAnchorGenerator} with checked types; the module checks the ranges
 */
function checkGenerator(generator) {
  checkKeys('ssd.anchorGenerator', generator, [
    ...['type', 'aspectRatios', 'featureMaps', 'numLayers', 'minScale', 'maxScale', 'scales'],
    ...['interpolatedScaleAspectRatio', 'reduceBoxesInLowestLayer'],
    ...['minLevel', 'maxLevel', 'anchorScale', 'scalesPerOctave'],
  ]);
  const checked = /** @type {SsdAnchorGenerator | MultiscaleAnchorGenerator} */ (generator);
  checkChoice(
    'ssd.anchorGenerator.type',
    checked.type,
    /** @type {const} */ (['ssd', 'multiscale', 'mediapipe']),
  );
  checkList('ssd.anchorGenerator.aspectRatios', checked.aspectRatios);
  if (checked.type === 'ssd') checkSsdGenerator(checked);
  return checked;
}

/**
 * @param {SsdSpec['anchorGenerator']} generator
 * @param {import('../engine/engine.js').Engine} engine
 * @returns {Float32Array} [N, 4]
 */
export function generateAnchors(generator, engine) {
  const [, height, width] = engine.inputs[0].shape;
  if (generator?.type === 'mediapipe') return mediaPipeAnchors(generator, { height, width });
  return engine.heads.generateAnchors(checkGenerator(generator), { height, width });
}

/** @param {SsdAnchorGenerator} generator */
function checkSsdGenerator({ featureMaps = [], scales = [], reduceBoxesInLowestLayer = true }) {
  const arePairs = Array.isArray(featureMaps) && featureMaps.every((map) => map?.length === 2);
  if (!arePairs)
    throw failure('INVALID_OPTION', 'each entry of ssd.anchorGenerator.featureMaps must be [height, width]');
  checkList('ssd.anchorGenerator.featureMaps', featureMaps.flat());
  checkList('ssd.anchorGenerator.scales', scales);
  checkBoolean('ssd.anchorGenerator.reduceBoxesInLowestLayer', reduceBoxesInLowestLayer);
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

/**
 * Finds the two heads among the outputs by shape: boxes [.., N, 4], scores [.., N, C]. A constant output is skipped:
 * some models output their anchors. Boxes may have further columns for keypoints.
 * @param {(TensorInfo & {isConstant: boolean})[]} outputs
 * @param {number} numAnchors
 */
export function findHeads(outputs, numAnchors) {
  const rows = outputs.map(({ shape }) => sizeOf(shape) / (shape.at(-1) ?? 1));
  const heads = outputs.map(({ name, shape }, index) => ({ name, index, columns: shape.at(-1) ?? 0 }));
  const fitting = heads.filter(({ index }) => rows[index] === numAnchors && !outputs[index].isConstant);
  const boxes = findBoxes(fitting);
  const others = fitting.filter((head) => head !== boxes);
  const wide = others.filter(({ columns }) => columns !== 4);
  const scores = wide.length > 0 ? wide[0] : others.find(({ name }) => /class|score/i.test(name));
  if (!boxes || !scores || wide.length > 1) {
    const shapes = outputs.map(({ name, shape }) => `${name} [${shape}]`).join(', ');
    throw failure(
      'MODEL_IS_NOT_A_DETECTOR',
      `there are ${numAnchors} anchors, but the outputs are ${shapes}`,
    );
  }
  return { boxes: boxes.index, scores: scores.index };
}

/**
 * Four columns may be boxes, or scores of four classes: if two outputs have four, or none, their names decide.
 * @param {{name: string, index: number, columns: number}[]} heads
 */
function findBoxes(heads) {
  const four = heads.filter(({ columns }) => columns === 4);
  if (four.length === 1) return four[0];
  const candidates = four.length > 0 ? four : heads.filter(({ columns }) => columns > 4);
  const isOnlyWide = four.length === 0 && heads.length === 2 && candidates.length === 1;
  return isOnlyWide ? candidates[0] : candidates.find(({ name }) => /box|loc|regress/i.test(name));
}
