// Engine and options -> what a feature extractor needs: the tensor to pool (the output vector or an inner feature map)
// and the batch size.
import { failure } from '../shared/errors.js';
import { nearest } from '../shared/spelling.js';
import { sizeOf } from '../shared/numbers.js';

/** @typedef {import('../engine/engine.js').Engine} Engine */

/** The last layer of MobileNetV2's backbone: TF-Slim's name and Keras' name. */
const BACKBONES = ['Conv_1', 'out_relu'];
/** A larger batch takes more memory and is no faster per image. */
const MAX_BATCH = 8;
/** The most bytes of tensors that fit the CPU cache. A batch above it gains on small layers and loses on large ones. */
const CACHED_BYTES = 24 << 20;

export const UNSUITABLE = 'MODEL_HAS_NO_FEATURES';

/**
 * @param {Engine} engine
 * @param {{layer?: string}} options
 * @returns {import('./prepare.js').TaskFacts}
 */
export function prepareTask(engine, { layer }) {
  const vector = layer === undefined ? findVector(engine) : undefined;
  engine.features.use(vector === undefined ? findLayer(engine, layer) : findStep(engine, vector), true);
  const rows = batchOf(engine);
  const { name, shape } = engine.outputs[0];
  if (shape[0] !== rows) throw failure(UNSUITABLE, `'${name}' is [${shape}], not one row per image`);
  const length = engine.features.length;
  if (rows > 1) return { batch: rows, isBatchFixed: true, length };
  return { batch: canBatch(engine) ? chooseBatch(engine.network.arenaBytes) : 1, length };
}

/**
 * The batch size that the network is set to.
 * @param {Engine} engine
 */
export const batchOf = (engine) => engine.inputs[0].shape[0];

/** @param {number} bytes of the tensors for one image */
function chooseBatch(bytes) {
  return Math.min(Math.max(Math.floor(CACHED_BYTES / bytes), 2), MAX_BATCH);
}

/**
 * Finds the output that has one vector per image.
 * @param {Engine} engine
 * @param {number} [minLength] of the vector
 * @returns {number | undefined} its index; undefined if there is none or more than one
 */
export function findVector(engine, minLength = 2) {
  if (engine.heads.hasPostprocess) return undefined;
  const vectors = engine.outputs.flatMap(({ shape }, index) => {
    const length = shape.at(-1) ?? 0;
    const numRows = sizeOf(shape) / length;
    const isVector =
      shape.length > 1 && length >= minLength && shape[0] === numRows && numRows === batchOf(engine);
    return isVector ? [index] : [];
  });
  return vectors.length === 1 ? vectors[0] : undefined;
}

/**
 * @param {Engine} engine
 * @param {number} output
 * @returns {number} index of the operator that writes it
 */
export function findStep(engine, output) {
  const { name } = engine.outputs[output];
  return engine.operators.findLastIndex((operator) => operator.output === name);
}

/**
 * Finds the last operator whose output has this name, or has it as a part between slashes. (TFLite names a tensor of
 * fused layers after all of them, joined by ';'.)
 * @param {Engine} engine
 * @param {string} [layer]
 * @returns {number} its index
 */
export function findLayer(engine, layer) {
  const maps = engine.operators.map(({ output, shape }) => (shape.length >= 2 ? output : ''));
  for (const wanted of layer === undefined ? BACKBONES : [layer]) {
    const found = findNamed(maps, wanted);
    if (found >= 0) return found;
  }
  if (layer === undefined)
    throw failure(UNSUITABLE, `it has neither one output vector nor a tensor '${BACKBONES.join("' or '")}'`);
  const names = [...new Set(maps.flatMap((name) => name.split(/[/;]/)))].filter((name) => name !== '');
  throw failure('UNKNOWN_LAYER', `'${layer}'; nearest: ${nearest(layer, names).join(', ')}`);
}

/** @param {string[]} names @param {string} wanted */
function findNamed(names, wanted) {
  const exact = wanted === '' ? -1 : names.lastIndexOf(wanted);
  if (exact >= 0) return exact;
  return names.findLastIndex((name) => name.split(';').some((part) => `/${part}/`.includes(`/${wanted}/`)));
}

/**
 * Whether the network can run several images at once. This must be tried: a file may declare a dynamic batch and still
 * reshape to a fixed one.
 * @param {Engine} engine
 */
function canBatch(engine) {
  if (!engine.network.dynamicBatch) return false;
  try {
    engine.setBatch(2);
    return engine.outputs[0].shape[0] === 2;
  } catch {
    return false;
  } finally {
    engine.setBatch(1);
  }
}
