// Of which tensor features are pooled: the model's vector, or one inside the network.
import { failure } from '../shared/errors.js';
import { nearest } from './labels.js';
import { sizeOf } from '../shared/numbers.js';

/** @typedef {import('../engine/engine.js').Engine} Engine */

/** Where MobileNetV2's backbone ends, whatever is built on it: as TF-Slim names it, and as Keras does. */
const BACKBONES = ['Conv_1', 'out_relu'];
/** More at once make no image faster, and take memory. */
const MAX_BATCH = 8;
/** Tensors of one batch that a cache still holds. Beyond it, two images win on small layers what they lose on large. */
const CACHED_BYTES = 24 << 20;

export const NOT_FOR_IT = 'MODEL_HAS_NO_FEATURES';

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
  if (shape[0] !== rows) throw failure(NOT_FOR_IT, `'${name}' is [${shape}], not one row an image`);
  const length = engine.features.length;
  if (rows > 1) return { batch: rows, isBatchFixed: true, length };
  return { batch: canBatch(engine) ? chooseBatch(engine.network.arenaBytes) : 1, length };
}

/**
 * Images that the file says each run takes.
 * @param {Engine} engine
 */
export const batchOf = (engine) => engine.inputs[0].shape[0];

/** @param {number} bytes of one image's tensors */
function chooseBatch(bytes) {
  return Math.min(Math.max(Math.floor(CACHED_BYTES / bytes), 2), MAX_BATCH);
}

/**
 * The output that has one vector for each image, if there is just one.
 * @param {Engine} engine
 * @returns {number | undefined} its index
 */
export function findVector(engine) {
  if (engine.heads.hasPostprocess) return undefined;
  const vectors = engine.outputs.flatMap(({ shape }, index) => {
    const length = shape.at(-1) ?? 0;
    const numRows = sizeOf(shape) / length;
    const isVector = shape.length > 1 && length > 1 && shape[0] === numRows && numRows === batchOf(engine);
    return isVector ? [index] : [];
  });
  return vectors.length === 1 ? vectors[0] : undefined;
}

/**
 * @param {Engine} engine
 * @param {number} output
 * @returns {number} the operator that makes it
 */
function findStep(engine, output) {
  const { name } = engine.outputs[output];
  return engine.operators.findLastIndex((operator) => operator.output === name);
}

/**
 * The last operator whose output bears the name, or has it as a part between slashes. (A tensor that several layers were
 * fused into is named after all of them.)
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
    throw failure(NOT_FOR_IT, `neither one vector as output nor a tensor '${BACKBONES.join("' or '")}'`);
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
 * Whether the network can be run on several images at once. A file may say that its batch is free, and still reshape to a
 * fixed one somewhere.
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
