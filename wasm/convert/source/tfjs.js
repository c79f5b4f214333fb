// Reads TensorFlow.js folders: the weights of model.json's shards as named tensors, and the graph of graph models.
import { convertFailure } from '../errors.js';
import { reading } from '../../shared/errors.js';
import { inOrder } from '../graph/simplify.js';
import { readGraphDef } from './saved_model.js';
import { sizeOf } from '../../shared/numbers.js';
import { fromBytes } from '../../tflite/tensor.js';

/**
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {import('../../tflite/tensor.js').Dtype} Dtype
 * @typedef {{dtype: Dtype, shape: number[], name: string, quantization?: {dtype: Dtype, min?: number, scale?: number}}} Spec
 * @typedef {{paths: string[], weights: Spec[]}} Group
 */

const TYPES = /** @type {Record<string, number>} */ ({
  ...{
    DT_FLOAT: 1,
    DT_DOUBLE: 2,
    DT_INT32: 3,
    DT_UINT8: 4,
    DT_INT16: 5,
    DT_INT8: 6,
    DT_STRING: 7,
    DT_INT64: 9,
  },
  ...{ DT_BOOL: 10, DT_BFLOAT16: 14, DT_UINT16: 17, DT_HALF: 19, DT_RESOURCE: 20, DT_VARIANT: 21 },
});

/**
 * @param {import('./files.js').Files} files
 * @param {string} name
 * @returns {Promise<any>}
 */
export async function readModelJson(files, name) {
  const bytes = await files.read(name);
  const json = reading(convertFailure, 'SOURCE_DAMAGED', name, () =>
    JSON.parse(new TextDecoder().decode(bytes)),
  );
  if (!hasModel(json)) throw convertFailure('SOURCE_UNKNOWN', `${name} is not a TensorFlow.js model`);
  return json;
}

/** @param {any} json */
const hasModel = (json) => Boolean(json?.modelTopology) && Array.isArray(json.weightsManifest);

/** @param {Uint8Array} bytes of a JSON file */
export function isWebModel(bytes) {
  try {
    return hasModel(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return false;
  }
}

/** @param {any} json */
export const isLayersModel = ({ format, modelTopology }) =>
  format === 'layers-model' || Boolean(modelTopology.model_config ?? modelTopology.class_name);

/**
 * @param {import('./files.js').Files} files
 * @param {Group[]} groups
 */
export async function readWeights(files, groups) {
  /** @type {Map<string, Tensor>} */
  const weights = new Map();
  for (const { paths, weights: specs } of groups) {
    if (!Array.isArray(paths) || !Array.isArray(specs))
      throw convertFailure('SOURCE_DAMAGED', 'a group of weightsManifest has no lists of paths and weights');
    if (new Set(paths).size < paths.length)
      throw convertFailure('SOURCE_DAMAGED', 'weightsManifest names a weight file twice');
    const shards = [];
    for (const path of paths) shards.push(await files.read(path));
    const bytes =
      shards.length === 1
        ? shards[0]
        : new Uint8Array(await new Blob(/** @type {BlobPart[]} */ (shards)).arrayBuffer());
    let at = 0;
    for (const spec of specs) {
      const size = storedBytes(spec, bytes, at);
      if (at + size > bytes.length)
        throw convertFailure('SOURCE_INCOMPLETE', `the weight files are too short for '${spec.name}'`);
      weights.set(
        spec.name,
        reading(convertFailure, 'SOURCE_DAMAGED', spec.name, () =>
          toTensor(spec, bytes.subarray(at, at + size)),
        ),
      );
      at += size;
    }
  }
  return weights;
}

const MAX_RANK = 32;

const STORED = /** @type {Record<string, number>} */ ({
  float32: 4,
  int32: 4,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
});

/**
 * @param {Spec} spec
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function storedBytes({ name, dtype, shape, quantization }, bytes, at) {
  const isSize = (/** @type {unknown} */ size) =>
    Number.isInteger(size) && Number(size) >= 0 && Number(size) < 2 ** 31;
  if (shape !== undefined && !(Array.isArray(shape) && shape.length <= MAX_RANK && shape.every(isSize)))
    throw convertFailure('SOURCE_DAMAGED', `the weight '${name}' has no shape`);
  const count = sizeOf(shape ?? []);
  if (dtype === 'string' && count > bytes.length)
    throw convertFailure('SOURCE_INCOMPLETE', `the weight files are too short for '${name}'`);
  if (dtype === 'string') return stringsLength(bytes, at, count);
  const size = STORED[quantization?.dtype ?? dtype];
  if (size === undefined || !Number.isSafeInteger(count) || count < 0)
    throw convertFailure('SOURCE_DAMAGED', `the weight '${name}' has type ${dtype} and shape [${shape}]`);
  return count * size;
}

/**
 * The stored length of strings. Each string is preceded by its length.
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} count
 */
function stringsLength(bytes, start, count) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = start;
  for (let i = 0; i < count && at + 4 <= bytes.length; i++) at += 4 + view.getUint32(at, true);
  return at - start;
}

/**
 * @param {Spec} spec
 * @param {Uint8Array} bytes
 * @returns {Tensor}
 */
function toTensor({ dtype, shape, quantization }, bytes) {
  if (dtype === 'string') return { dtype, shape, data: new Uint8Array(0), strings: [] };
  if (!quantization || quantization.dtype === 'float16')
    return { dtype, shape, data: fromBytes(quantization?.dtype ?? dtype, bytes) };
  const { min = 0, scale = 1 } = quantization;
  const stored = fromBytes(quantization.dtype, bytes);
  const data = dtype === 'int32' ? new Int32Array(stored.length) : new Float32Array(stored.length);
  for (let i = 0; i < data.length; i++)
    data[i] = dtype === 'int32' ? Math.round(stored[i] * scale + min) : stored[i] * scale + min;
  return { dtype, shape, data };
}

/**
 * @param {any} json
 * @param {Map<string, Tensor>} weights
 * @param {import('./saved_model.js').Selection} wanted
 */
export function readGraphModel(json, weights, wanted) {
  const { node = [], library } = json.modelTopology;
  const toDef = (/** @type {any} */ each) => toNodeDef(each, weights);
  const graphDef = reading(convertFailure, 'SOURCE_DAMAGED', 'modelTopology', () => ({
    node: node.map(toDef),
    library: {
      function: (library?.function ?? []).map((/** @type {any} */ def) => ({
        ...def,
        nodeDef: (def.nodeDef ?? []).map(toDef),
        ret: Object.entries(def.ret ?? {}).map(([key, value]) => ({ key, value })),
      })),
    },
  }));
  const outputs = json.signature?.outputs ?? json.userDefinedMetadata?.signature?.outputs;
  const published = outputs && Object.entries(outputs).map(([name, info]) => ({ name, info }));
  const model = readGraphDef(graphDef, { ...wanted, published });
  const loops = (model.loops ?? []).map(({ isSingle }) => isSingle);
  adaptNodes(inOrder([...model.outputs.map(({ ref }) => ref), ...loops]));
  const named = Object.entries(json.signature?.inputs ?? json.userDefinedMetadata?.signature?.inputs ?? {});
  for (const input of model.inputs) {
    const entry = named.find(([, info]) => /** @type {any} */ (info).name?.split(':')[0] === input.name);
    if (entry) input.name = entry[0].replace(/:0$/, '');
  }
  return model;
}

/** @param {import('../graph/graph.js').Node[]} nodes that the outputs depend on */
function adaptNodes(nodes) {
  for (const node of nodes) {
    if (node.op === 'Const' && !node.tensor)
      throw convertFailure('SOURCE_INCOMPLETE', `there is no weight '${node.name}'`);
    if (node.op.startsWith('FusedBatchNorm')) node.attrs.set('is_training', { b: lacksMoments(node) });
  }
}

/**
 * TensorFlow.js never runs batch norm in training mode, whatever its attribute says. But where mean and variance are empty, as in
 * Keras 2's LayerNormalization, only training mode has a result.
 * @param {import('../graph/graph.js').Node} node
 */
function lacksMoments({ inputs }) {
  const moments = inputs.slice(3, 5).map(({ node }) => node);
  return (
    moments.length === 2 && moments.every(({ op, tensor }) => op === 'Const' && tensor?.data.length === 0)
  );
}

/**
 * @param {any} node
 * @param {Map<string, Tensor>} weights
 * @returns {import('../graph/graph.js').NodeDef}
 */
function toNodeDef({ name, op, input, attr = {} }, weights) {
  const attrs = Object.entries(attr).map(([key, value]) => /** @type {const} */ ([key, toAttr(value)]));
  return { name, op, input, attr: new Map(attrs), tensor: op === 'Const' ? weights.get(name) : undefined };
}

/**
 * Converts an attribute from JSON, which has bytes in base64, 64-bit integers as text, and types by name.
 * @param {any} attr
 */
function toAttr(attr) {
  const { list } = attr;
  return {
    ...attr,
    ...(attr.s !== undefined && { s: base64(attr.s) }),
    ...(attr.i !== undefined && { i: Number(attr.i) }),
    ...(attr.type !== undefined && { type: TYPES[attr.type] ?? attr.type }),
    ...(list && { list: { ...list, s: list.s?.map(base64), i: list.i?.map(Number) } }),
    ...(attr.tensor && { tensor: undefined }),
  };
}

/** @param {string} text */
function base64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
