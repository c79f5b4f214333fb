// Reads SavedModels (TensorFlow 2; TensorFlow 1 and its hub modules) and frozen graphs as a graph with constant
// weights.
import { Checkpoint } from './checkpoint.js';
import { convertFailure } from '../errors.js';
import { reading } from '../../shared/errors.js';
import { dropAugmentation } from '../graph/augmentation.js';
import { GraphBuilder } from '../graph/graph.js';
import { readLoops } from '../graph/loops.js';
import { AssetFileDef, GraphDef, SavedModel } from './messages.js';
import { decode } from './protobuf.js';
import { inOrder, simplify } from '../graph/simplify.js';
import { readTable } from './tables.js';
import { shapeFromProto } from '../../tflite/tensor.js';
import { loadVariables, restoredKeys } from './variables.js';

/**
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {{name: string, ref: Ref, shape?: number[]}} Port
 *
 * @typedef {object} Model A graph with constant weights, the result of every reader.
 * @property {Port[]} inputs
 * @property {Port[]} outputs
 * @property {(table: import('../graph/graph.js').Node) => Promise<Map<number, string> | undefined>} readTable reads a
 *   lookup table
 * @property {import('./files.js').Files} [files] the other files of the graph's directory
 * @property {string} [name]
 * @property {import('../graph/loops.js').CheckedLoop[]} [loops]
 * @property {string[]} [notes] what was left out
 *
 * @typedef {{signature?: string, outputs?: string[]}} Selection
 */

const INIT_OP = '__saved_model_init_op';
const FIRST_BYTE_OF_SAVED_MODEL = 0x08;

/** @param {Uint8Array} bytes of a .pb file */
export const isSavedModel = (bytes) => bytes[0] === FIRST_BYTE_OF_SAVED_MODEL;

/**
 * @param {import('./files.js').Files} files
 * @param {Selection} wanted
 * @returns {Promise<Model>}
 */
export async function readSavedModel(files, wanted) {
  const bytes = await files.read('saved_model.pb');
  const { metaGraphs = [] } = reading(convertFailure, 'SOURCE_DAMAGED', 'saved_model.pb', () =>
    decode(SavedModel, bytes),
  );
  const meta = chooseMetaGraph(metaGraphs);
  const signature = chooseSignature(meta.signatureDef ?? new Map(), wanted.signature);
  const builder = new GraphBuilder(meta.graphDef ?? {});
  const ports = (/** @type {Map<string, any> | undefined} */ infos) =>
    [...(infos ?? [])].map(([name, info]) => ({ name, info })).filter(({ info }) => info.name);
  const inputs = ports(signature.inputs).map(({ name, info }) => ({
    name,
    ref: builder.output(info.name),
    shape: shapeFromProto(info.tensorShape),
  }));
  const published = ports(signature.outputs).map(({ name, info }) => ({ name, info }));
  const outputs = chooseOutputs(published, wanted.outputs).map(({ name, tensor }) => ({
    name,
    ref: builder.output(tensor),
  }));
  const loops = readLoops(builder.loops);
  const { outputs: kept, dropped } = dropAugmentation(simplifyPorts(outputs));
  kept.forEach((ref, i) => {
    outputs[i].ref = ref;
  });
  const nodes = inOrder([...kept, ...loops.map(({ isSingle }) => isSingle)]);
  const hasVariables = files.has('variables/variables.index');
  const checkpoint = hasVariables ? await Checkpoint.open(files, 'variables/variables') : undefined;
  await loadVariables(nodes, restoredKeys(builder, meta.saverDef?.restoreOpName), checkpoint);
  const readAsset = assetReader(files, meta);
  return {
    inputs,
    outputs,
    loops,
    readTable: (table) => readTable(builder, table, readAsset),
    files,
    notes: droppedNote(dropped),
  };
}

/** @param {string[]} dropped names of layers */
export function droppedNote(dropped) {
  return dropped.length === 0
    ? []
    : [`layers that change images in training only were left out: ${dropped.join(', ')}`];
}

/**
 * @param {Uint8Array} bytes a frozen GraphDef
 * @param {Selection} wanted
 * @returns {Model}
 */
export function readFrozenGraph(bytes, wanted) {
  const graphDef = reading(convertFailure, 'SOURCE_DAMAGED', 'the graph', () => decode(GraphDef, bytes));
  if (!graphDef.node?.length) throw convertFailure('SOURCE_UNKNOWN', 'it has no graph');
  return readGraphDef(graphDef, wanted);
}

/**
 * Reads a GraphDef without a signature. Its inputs are its placeholders.
 * @param {import('../graph/graph.js').GraphDef} graphDef
 * @param {Selection & {published?: {name: string, info: {name: string}}[]}} wanted
 * @returns {Model}
 */
export function readGraphDef(graphDef, wanted) {
  if (wanted.signature !== undefined)
    throw convertFailure(
      'SIGNATURE_UNKNOWN',
      `there is no signature '${wanted.signature}': only SavedModels have signatures`,
    );
  const builder = new GraphBuilder(graphDef);
  const published = wanted.published ?? lastNodes(graphDef).map((name) => ({ name, info: { name } }));
  const outputs = chooseOutputs(published, wanted.outputs).map(({ name, tensor }) => ({
    name,
    ref: builder.output(tensor),
  }));
  const loops = readLoops(builder.loops);
  simplifyPorts(outputs);
  const isGiven = wanted.outputs ?? wanted.published;
  const used = isGiven ? outputs : outputs.filter(({ ref }) => placeholdersOf([ref]).length > 0);
  const inputs = placeholdersOf(used.map(({ ref }) => ref)).map((node) => ({
    name: node.name,
    ref: { node, index: 0 },
  }));
  const noAssets = async () => undefined;
  return { inputs, outputs: used, loops, readTable: (table) => readTable(builder, table, noAssets) };
}

/** @param {Ref[]} refs */
function placeholdersOf(refs) {
  return inOrder(refs).filter(({ op }) => op === 'Placeholder');
}

/** Simplifies the graph behind the ports. @param {Port[]} ports changed in place @returns {Ref[]} */
export function simplifyPorts(ports) {
  const refs = simplify(ports.map(({ ref }) => ref));
  ports.forEach((port, i) => {
    port.ref = refs[i];
  });
  return refs;
}

/** @param {any[]} metaGraphs */
function chooseMetaGraph(metaGraphs) {
  const tagsOf = (/** @type {any} */ { metaInfo }) => metaInfo?.tags ?? [];
  const chosen =
    metaGraphs.find((meta) => tagsOf(meta).includes('serve')) ??
    metaGraphs.find((meta) => tagsOf(meta).length === 0) ??
    metaGraphs[0];
  if (chosen === undefined) throw convertFailure('SOURCE_DAMAGED', 'saved_model.pb has no graph');
  return chosen;
}

/**
 * @param {Map<string, any>} signatures
 * @param {string | undefined} wanted
 */
function chooseSignature(signatures, wanted) {
  const names = [...signatures.keys()].filter((name) => name !== INIT_OP);
  const name = wanted ?? ['serving_default', 'default'].find((known) => names.includes(known)) ?? names[0];
  const signature = signatures.get(name ?? '');
  if (signature === undefined)
    throw convertFailure(
      'SIGNATURE_UNKNOWN',
      `there is no signature '${name}'; the model has: ${names.join(', ') || 'none'}`,
    );
  return signature;
}

/**
 * Chooses the outputs. Hub modules have an output for every layer: if one is named 'default', it is the only one
 * chosen.
 * @param {{name: string, info: {name: string}}[]} published
 * @param {string[] | undefined} wanted names of the signature's outputs or of nodes
 */
function chooseOutputs(published, wanted) {
  if (wanted) {
    return wanted.map((name) => ({
      name,
      tensor: published.find((output) => output.name === name)?.info.name ?? name,
    }));
  }
  if (published.length === 0) throw convertFailure('SIGNATURE_UNKNOWN', 'the signature has no outputs');
  const all = published.map(({ name, info }) => ({ name, tensor: info.name }));
  const main = all.find(({ name }) => name === 'default');
  return main ? [main] : all;
}

/** Operators that are never a model's output. */
const NO_OUTPUTS = new Set([
  'Const',
  'NoOp',
  'Assert',
  'Placeholder',
  'SaveV2',
  'RestoreV2',
  'Assign',
  'AssignVariableOp',
]);

/**
 * The nodes whose outputs no other node uses.
 * @param {import('../graph/graph.js').GraphDef} graphDef
 */
function lastNodes({ node = [] }) {
  const used = new Set(
    node.flatMap(({ input = [] }) => input.map((text) => text.replace(/^\^/, '').split(':')[0])),
  );
  return node.filter(({ name, op }) => !used.has(name) && !NO_OUTPUTS.has(op)).map(({ name }) => name);
}

/**
 * @param {import('./files.js').Files} files
 * @param {any} meta
 * @returns {(node: import('../graph/graph.js').Node) => Promise<string | undefined>} reads the text file whose
 *   name is a constant
 */
function assetReader(files, meta) {
  const anys = meta.collectionDef?.get('saved_model_assets')?.anyList?.value ?? [];
  const assets = [
    ...(meta.assetFileDef ?? []),
    ...anys.map((/** @type {any} */ any) => decode(AssetFileDef, any.value)),
  ];
  const names = new Map(
    assets.map(({ tensorInfo, filename }) => [tensorInfo?.name?.split(':')[0], filename]),
  );
  return async (node) => {
    const filename = names.get(node.name);
    if (filename === undefined) return undefined;
    return new TextDecoder().decode(await files.read(`assets/${filename}`));
  };
}
