// Plans the file of a classifier, feature extractor or other network, which is converted completely.
import { failure, OcelliError } from '../shared/errors.js';
import { convertFailure } from './errors.js';
import { FREE_BATCH } from './graph/batch.js';
import { Facts } from './graph/facts.js';
import { fuse } from './lower/fuse.js';
import { outputLabels } from './labels.js';
import { checkSingleIterations } from './graph/loops.js';
import { lower } from './lower/lower.js';
import { describe, normalizationOption, readNormalization, UNKNOWN_NOTE } from './normalization.js';

/**
 * @typedef {import('../tflite/network.js').Network} Network
 * @typedef {import('../tflite/network.js').Value} Value
 * @typedef {import('./source/saved_model.js').Model} Model
 * @typedef {Pick<import('./options.js').ConvertOptions, 'batch' | 'classes' | 'input' | 'size'>} PlanOptions
 */

/**
 * @param {Model} model
 * @param {import('./graph/graph.js').Ref[]} refs its outputs
 * @param {PlanOptions} options
 * @returns {Promise<import('./index.js').Plan>}
 */
export async function planNetwork(model, refs, options) {
  const batch = options.batch ?? (model.loops?.length ? 1 : 'dynamic');
  try {
    return await planWithBatch(model, refs, { ...options, batch });
  } catch (error) {
    if (batch !== 'dynamic' || /** @type {OcelliError} */ (error).code !== 'GRAPH_UNSUPPORTED') throw error;
    throw (await worksWithOne(model, refs, options)) ? withHint(/** @type {OcelliError} */ (error)) : error;
  }
}

/** @param {Model} model @param {import('./graph/graph.js').Ref[]} refs @param {PlanOptions} options */
async function worksWithOne(model, refs, options) {
  try {
    await planWithBatch(model, refs, { ...options, batch: 1 });
    return true;
  } catch {
    return false;
  }
}

/** @param {OcelliError} error */
function withHint({ code, message, cause }) {
  return new OcelliError(code, `${message}. It works with a fixed batch: batch: 1 (--batch 1)`, { cause });
}

/**
 * @param {Model} model
 * @param {import('./graph/graph.js').Ref[]} refs its outputs
 * @param {PlanOptions & {batch: number | 'dynamic'}} options
 * @returns {Promise<import('./index.js').Plan>}
 */
async function planWithBatch(model, refs, { batch, classes, input, size }) {
  const { loops = [] } = model;
  if (classes) throw failure('INVALID_OPTION', 'classes can be selected in detectors only');
  const facts = new Facts(
    [...refs, ...loops.map(({ isSingle }) => isSingle)],
    inputShapes(model, batch, size),
  );
  checkSingleIterations(loops, facts);
  const { network, trace } = lower(model.inputs, model.outputs, facts);
  fuse(network);
  const isProbability = (/** @type {Value} */ value) =>
    network.ops.some(({ kind, output }) => output === value && (kind === 'SOFTMAX' || kind === 'LOGISTIC'));
  const scored = network.outputs.filter(({ value }) => isProbability(value));
  const { labels, notes: labelNotes } = await outputLabels(
    model.files,
    scored.map((output) => ({ ...output, numClasses: classesOf(output.value) })),
  );
  const outputs = network.outputs.map(({ name, value }) => ({
    name,
    role: isProbability(value) ? /** @type {const} */ ('probability') : /** @type {const} */ ('feature'),
    labels: labels.get(value),
  }));
  const { image, notes, fit } = await planInput(model, network, trace, input);
  const proof = {
    inputs: network.inputs.map(({ name }) => portNamed(model.inputs, name)),
    outputs: model.outputs.map(({ ref }) => ({ ref })),
    trace,
    range: sampleRange(image),
  };
  const about = {
    ...{ name: model.name ?? '', description: '', image, outputs },
    ...(fit && { own: { version: 1, fit } }),
  };
  return { network, about, notes: [...notes, ...labelNotes, ...(model.notes ?? [])], proof };
}

/** How many classes an output has: one score tells two apart. @param {Value} value */
const classesOf = ({ shape }) => Math.max(shape[shape.length - 1], 2);

/**
 * @param {Model} model
 * @param {Network} network
 * @param {Map<Value, import('./graph/graph.js').Ref>} trace
 * @param {import('./options.js').ConvertOptions['input']} option
 */
async function planInput(model, network, trace, option) {
  const [{ name, shape }] = network.inputs;
  const isImage = network.inputs.length === 1 && shape.length === 4 && (shape[3] === 3 || shape[3] === 1);
  if (!isImage) {
    if (option) throw failure('INVALID_OPTION', 'input: the network does not take one image [N, H, W, 3]');
    return { notes: [] };
  }
  const nameOf = (/** @type {Value} */ value) => trace.get(value)?.node.name ?? value.name;
  const read = await readNormalization(model, network, nameOf);
  const known = option === undefined ? read : normalizationOption(option);
  const fit = read?.fit;
  if (!known) return { notes: [UNKNOWN_NOTE] };
  const { mean, std } = known;
  if (mean.length > 1 && shape[3] === 1)
    throw failure(
      'INVALID_OPTION',
      'input: the network takes grey images, so it has one scale and one offset',
    );
  return { image: { name, mean, std }, fit, notes: [describe(known), ...(fit ? [`fit: ${fit}`] : [])] };
}

/** @param {import('./source/saved_model.js').Port[]} ports @param {string} wanted */
function portNamed(ports, wanted) {
  const { ref } = /** @type {import('./source/saved_model.js').Port} */ (
    ports.find(({ name }) => name === wanted)
  );
  return ref;
}

/**
 * The values of an image's pixels, for the proof.
 * @param {{mean: number[], std: number[]} | undefined} normalization
 * @returns {[number, number]}
 */
function sampleRange(normalization) {
  if (!normalization) return [-1, 1];
  const { mean, std } = normalization;
  return [-mean[0] / std[0], (255 - mean[0]) / std[0]];
}

/**
 * @param {Model} model
 * @param {number | 'dynamic'} batch for inputs whose batch is free
 * @param {[number, number]} [size] for images whose height and width are free
 */
function inputShapes({ inputs }, batch, size) {
  return new Map(
    inputs.map(({ name, ref, shape: signatureShape }) => {
      const shape = ref.node.shape('shape') ?? signatureShape;
      if (!shape) throw convertFailure('GRAPH_UNSUPPORTED', `the input '${name}' has no shape`);
      const [first, ...rest] = shape;
      const isFreeImage = rest.length === 3 && rest[0] < 0 && rest[1] < 0;
      const sides = size && isFreeImage ? [...size, rest[2]] : rest;
      return [ref.node, [first < 0 ? (batch === 'dynamic' ? FREE_BATCH : batch) : first, ...sides]];
    }),
  );
}
