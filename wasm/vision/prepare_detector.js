// Engine and options -> what a detector needs: the heads and how to decode them, the labels, and the classes to report.
import { failure } from '../shared/errors.js';
import { selectClasses, withoutBackground } from './labels.js';
import { checkGenerator, findHeads, resolveLabels, resolveLimits, resolveSsd } from './model_spec.js';
import { sizeOf } from '../shared/numbers.js';
import { checkKeys, checkList } from '../shared/options.js';

/**
 * @typedef {import('../engine/engine.js').Engine} Engine
 * @typedef {import('./types.js').DetectorOptions} DetectorOptions
 * @typedef {import('./model_spec.js').SsdSpec} SsdSpec
 * @typedef {import('./prepare.js').LabelSource} LabelSource
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
 * @returns {import('./prepare.js').TaskFacts}
 */
export function prepareTask(engine, options, { labels: given, metadata, entry }) {
  const all = resolveLabels(given, metadata, entry);
  const limits = resolveLimits(metadata);
  /** @param {number} count */
  const select = (count) => {
    const labels = withoutBackground(all, count);
    if (given !== undefined && labels.length > 0 && labels.length !== count)
      throw failure(
        'INVALID_OPTION',
        `labels has ${labels.length} ${labels.length === 1 ? 'name' : 'names'}, but the model has ${count} ${count === 1 ? 'class' : 'classes'}`,
      );
    return { labels, mask: options.classes && selectClasses(options.classes, labels, count) };
  };
  if (engine.heads.hasPostprocess) return { limits, ...select(engine.heads.numClasses) };
  const ssd = resolveSsd(options.ssd, metadata, entry);
  const [, height, width] = engine.inputs[0].shape;
  const anchors = ssd.anchors
    ? flatten(ssd.anchors)
    : engine.heads.generateAnchors(checkGenerator(ssd.anchorGenerator), { height, width });
  const heads = findHeads(engine.outputs, anchors.length / 4);
  const columns = /** @type {number} */ (engine.outputs[heads.scores].shape.at(-1));
  const { labels, mask } = select(columns - Number(ssd.background));
  const classIds = mask && sliceHeads(engine, heads.scores, mask, ssd);
  const numColumns = classIds?.length ?? columns;
  engine.heads.use(heads, numColumns, anchors, classIds ? { ...ssd, background: false } : ssd);
  return { labels, limits, ...(classIds ? { classIds } : { mask }) };
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

/** @param {Float32Array | number[][]} anchors */
export function flatten(anchors) {
  const flat =
    anchors instanceof Float32Array
      ? anchors
      : Float32Array.from(checkList('ssd.anchors', Array.isArray(anchors) ? anchors.flat() : anchors));
  if (flat.length === 0 || flat.length % 4 !== 0)
    throw failure('INVALID_OPTION', 'ssd.anchors must have shape [N, 4]');
  return flat;
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
