// Engine and options -> what a detector needs: the heads and how to decode them, the labels, and the classes to report.
import { failure } from '../shared/errors.js';
import { isBackground, selectClasses, withoutBackground, wrongCount } from './labels.js';
import { resolveLabels, resolveLimits } from './model_spec.js';
import { findHeads, makeAnchors, resolveSsd } from './spec/ssd.js';
import { sizeOf } from '../shared/numbers.js';
import { checkKeys } from '../shared/options.js';

/**
 * @typedef {import('../engine/engine.js').Engine} Engine
 * @typedef {import('./types.js').DetectorOptions} DetectorOptions
 * @typedef {import('../engine/types.js').SsdSpec} SsdSpec
 * @typedef {import('./prepare.js').LabelSource} LabelSource
 * @typedef {import('./labels.js').Label} Label
 */

export const UNSUITABLE = 'MODEL_IS_NOT_A_DETECTOR';

/**
 * Refuses a network whose only output is a vector: a classifier or a feature extractor.
 * @param {Engine} engine
 */
export function checkModel({ heads, outputs }) {
  if (heads.hasPostprocess || outputs.length !== 1) return;
  const [{ name, shape }] = outputs;
  if (sizeOf(shape.slice(1)) !== (shape.at(-1) ?? 1)) return;
  throw failure(
    UNSUITABLE,
    `its one output is a vector, '${name}' [${shape}]. For a classifier use ImageClassifier (ocelli classify), for a feature extractor FeatureExtractor (ocelli embed)`,
  );
}

/**
 * @param {Engine} engine
 * @param {Pick<DetectorOptions, 'classes' | 'ssd'>} options
 * @param {LabelSource} source
 * @returns {Promise<import('./prepare.js').TaskFacts>}
 */
export async function prepareTask(engine, options, source) {
  const { labels, metadata, entry } = source;
  const { hasPostprocess } = engine.heads;
  // The operator has suppressed.
  const limits = { ...(hasPostprocess && { iouThreshold: 1 }), ...resolveLimits(metadata) };
  const prepare = hasPostprocess ? preparePostprocess : prepareHeads;
  return { ...(await prepare(engine, options, resolveLabels(labels, metadata, entry), source)), limits };
}

/**
 * @param {Engine} engine
 * @param {Pick<DetectorOptions, 'classes'>} options
 * @param {Label[]} all labels, with one for the background if there is one
 * @param {LabelSource} source
 */
async function preparePostprocess({ heads: { numClasses } }, options, all, { labels: given, metadata }) {
  const labels = withoutBackground(all, numClasses);
  const mask = select(options, labels, numClasses, given);
  const { calibration } = metadata;
  if (!calibration) return { labels, mask };
  const { calibrateRows, readCalibration } = await import('./spec/calibration.js');
  return { labels, mask, calibrate: calibrateRows(readCalibration(calibration, numClasses)) };
}

/**
 * @param {Engine} engine
 * @param {Pick<DetectorOptions, 'classes' | 'ssd'>} options
 * @param {Label[]} all labels, with one for the background if there is one
 * @param {LabelSource} source
 */
async function prepareHeads(engine, options, all, { labels: given, metadata, entry }) {
  const resolved = resolveSsd(options.ssd, metadata, entry);
  const anchors = await makeAnchors(resolved, engine);
  const heads = findHeads(engine.outputs, anchors.length / 4);
  const [boxColumns, columns] = [heads.boxes, heads.scores].map(
    (output) => /** @type {number} */ (engine.outputs[output].shape.at(-1)),
  );
  // MediaPipe Model Maker writes a label for the background, which is column 0. MediaPipe's metadata has no other sign.
  const isNamed = metadata.detector && all.length === columns && isBackground(all[0]);
  const ssd = isNamed && options.ssd?.background === undefined ? { ...resolved, background: true } : resolved;
  const count = columns - Number(ssd.background);
  const labels = withoutBackground(all, count);
  const mask = select(options, labels, count, given);
  const classIds = mask && sliceHeads(engine, heads.scores, mask, ssd);
  const used = classIds ? { ...ssd, background: false } : ssd;
  engine.heads.use(heads, classIds?.length ?? columns, anchors, used, boxColumns - 4);
  return { labels, ...(classIds ? { classIds } : { mask }) };
}

/**
 * @param {Pick<DetectorOptions, 'classes'>} options
 * @param {Label[]} labels
 * @param {number} count of classes
 * @param {LabelSource['labels']} given
 * @returns {Uint8Array | undefined}
 */
function select({ classes }, labels, count, given) {
  if (given !== undefined && labels.length > 0 && labels.length !== count)
    throw wrongCount(labels.length, count);
  return classes && selectClasses(classes, labels, count);
}

/**
 * Removes the columns of unwanted classes from the class heads. A softmax needs all columns, so it is left alone.
 * @param {Engine} engine
 * @param {number} output index of the class scores
 * @param {Uint8Array} mask
 * @param {SsdSpec} ssd
 * @returns {number[] | undefined} the class number of each remaining column; undefined if nothing was removed
 */
function sliceHeads(engine, output, mask, { scores, background }) {
  const classIds = Array.from(mask.keys()).filter((id) => mask[id] === 1);
  if (scores === 'softmax' || classIds.length === 0 || classIds.length === mask.length) return undefined;
  const columns = Int32Array.from(classIds, (id) => id + Number(background));
  return engine.keepColumns(output, columns) ? classIds : undefined;
}

/**
 * @param {NonNullable<DetectorOptions['classes']>} classes
 * @returns {NonNullable<DetectorOptions['classes']>} a copy, which the caller cannot change
 */
export function checkClasses(classes) {
  if (Array.isArray(classes) || typeof classes === 'string') {
    const names = JSON.stringify([classes].flat().slice(0, 3)).replaceAll('"', "'");
    throw failure('INVALID_OPTION', `classes must be an object: write { allow: ${names} }`);
  }
  checkKeys('classes', classes, ['allow', 'deny']);
  const { allow, deny } = classes;
  for (const list of [allow, deny])
    if (list !== undefined && !(Array.isArray(list) && list.every(isClass)))
      throw failure('INVALID_OPTION', 'classes.allow and classes.deny must be lists of names and numbers');
  return { ...(allow && { allow: [...allow] }), ...(deny && { deny: [...deny] }) };
}

/** @param {unknown} value */
const isClass = (value) => typeof value === 'string' || typeof value === 'number';
