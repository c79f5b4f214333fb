// Option `ssd`, file metadata and manifest -> how the heads of a detector become boxes.
import { failure } from '../../shared/errors.js';
import { boolean, choice, either, list, number, record } from '../../shared/fields.js';
import { sizeOf } from '../../shared/numbers.js';
import { checkFields, checkNumber, checkNumbers, merge } from '../../shared/options.js';
import { checkAllSaid, ownMetadata, SCORES } from '../model_spec.js';

/**
 * @typedef {import('../../engine/engine.js').Metadata} Metadata
 * @typedef {import('../../engine/engine.js').TensorInfo} TensorInfo
 * @typedef {import('../../engine/types.js').SsdSpec} SsdSpec
 */

const NUMBER = number();
const COUNT = number({ min: 1, max: 65535, integer: true });
const SHARE = number({ min: 0, max: 1 });
const LENGTHS = { max: 1000 };
const MAX_ANCHORS = 1 << 20;

const GENERATOR = {
  ...{
    type: choice(['ssd', 'multiscale', 'mediapipe']),
    numLayers: NUMBER,
    minScale: NUMBER,
    maxScale: NUMBER,
  },
  ...{ aspectRatios: list(NUMBER, LENGTHS), scales: list(NUMBER, LENGTHS) },
  ...{ featureMaps: list(list(COUNT, { min: 2, max: 2 }), LENGTHS), interpolatedScaleAspectRatio: NUMBER },
  ...{ reduceBoxesInLowestLayer: boolean, minLevel: NUMBER, maxLevel: NUMBER, anchorScale: NUMBER },
  ...{ scalesPerOctave: NUMBER, strides: list(COUNT, { min: 1, max: 16 }), fixedAnchorSize: boolean },
  ...{ anchorOffsetX: SHARE, anchorOffsetY: SHARE },
};
/** What the generators need. The module checks the ranges of the first two. */
const NEEDED = {
  ...{ ssd: ['aspectRatios'], multiscale: ['aspectRatios'] },
  mediapipe: ['strides', 'minScale', 'maxScale'],
};
const isListOfAnchors = either(
  list(list(NUMBER, { min: 4, max: 4 }), { max: MAX_ANCHORS }),
  list(NUMBER, { max: 4 * MAX_ANCHORS }),
);
const SSD = {
  /** @type {typeof isListOfAnchors} */
  anchors: (value, name) => (value instanceof Float32Array ? undefined : isListOfAnchors(value, name)),
  anchorGenerator: record(GENERATOR, ['type']),
  boxCoder: either(NUMBER, list(NUMBER, { min: 4, max: 4 })),
  ...{ boxSizes: choice(['exponential', 'linear']), boxOrder: choice(['yx', 'xy']) },
  ...{ scores: choice(SCORES), background: boolean },
};

/** @param {any} option */
export function checkSsd(option) {
  checkFields('ssd', option, SSD);
  const { anchorGenerator: generator } = option;
  if (generator === undefined) return;
  const type = /** @type {keyof typeof NEEDED} */ (generator.type);
  checkFields('ssd.anchorGenerator', generator, GENERATOR, NEEDED[type]);
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

/**
 * @param {Partial<SsdSpec> | undefined} option
 * @param {Metadata} metadata
 * @param {import('../model_spec.js').ManifestEntry | undefined} entry
 * @returns {SsdSpec}
 */
export function resolveSsd(option, metadata, entry) {
  if (option !== undefined) checkSsd(option);
  const known = /** @type {Partial<SsdSpec> | undefined} */ (entry?.ssd);
  const spec = merge(known, ssdOfMetadata(metadata), option);
  if (option?.anchorGenerator && !option.anchors) delete spec.anchors;
  /** @type {string[]} */
  const missing = /** @type {const} */ (['boxCoder', 'scores', 'background']).filter(
    (key) => spec[key] === undefined,
  );
  if (!spec.anchors && !spec.anchorGenerator) missing.unshift('anchors (or ssd.anchorGenerator)');
  checkAllSaid('SSD_UNKNOWN', 'ssd', missing);
  const boxCoder = checkNumbers('ssd.boxCoder', spec.boxCoder, 4).map((scale) =>
    checkNumber('ssd.boxCoder', scale, { min: 1e-6, max: 1e6 }),
  );
  return { .../** @type {SsdSpec} */ (spec), boxCoder };
}

/**
 * @param {SsdSpec} ssd
 * @param {import('../../engine/engine.js').Engine} engine
 * @returns {Promise<Float32Array>} [N, 4]
 */
export async function makeAnchors({ anchors, anchorGenerator: generator }, engine) {
  if (anchors) {
    const flat = Float32Array.from(Array.isArray(anchors) ? anchors.flat() : anchors);
    if (flat.length > 0 && flat.length % 4 === 0) return flat;
    throw failure('INVALID_OPTION', 'ssd.anchors must have shape [N, 4]');
  }
  const [, height, width] = engine.inputs[0].shape;
  if (generator?.type === 'mediapipe')
    return (await import('./mediapipe_anchors.js')).mediaPipeAnchors(generator, { height, width });
  return engine.heads.generateAnchors(/** @type {NonNullable<typeof generator>} */ (generator), {
    height,
    width,
  });
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
