// Saves and loads a detector's learner (weights, optimizer slots, progress of an interrupted fit) as a safetensors file.
import { boolean, choice, either, list, nullable, number, record, text } from '../../shared/fields.js';
import { concatenate } from '../../shared/numbers.js';
import { readSafetensors, writeSafetensors } from '../../tflite/safetensors.js';
import { keepOptions, parseState } from '../state.js';
import { failure } from '../errors.js';
import { RANGES } from '../plan.js';
import { BATCH_NORM_MODES, MOMENTUM, pickUnfreeze, UNFREEZE } from '../tail.js';
import { headParameterSpecs } from './network.js';
import { DETECTOR_PLAN_KEYS, makeDetectorPlan } from './plan.js';

/**
 * @typedef {import('./weights.js').HeadModel} HeadModel
 * @typedef {import('./plan.js').DetectorPlan} DetectorPlan
 * @typedef {import('./fit.js').DetectorProgress} DetectorProgress
 *
 * @typedef {object} SavedLearner
 * @property {readonly string[]} labels the classes that are learnt
 * @property {boolean} areLabelsGiven as an option, not by boxes
 * @property {boolean | readonly string[]} keepClasses
 * @property {boolean} fuseMaps
 * @property {import('./examples.js').PhotosState} photos when the last fit began
 * @property {number} model checksum of its file
 * @property {boolean} deterministic
 * @property {DetectorProgress | null} progress of an interrupted fit
 * @property {ReturnType<typeof pickUnfreeze>} unfrozen
 *
 * @typedef {object} SavedModel what belongs to a model that the caller opens again
 * @property {(context: Parameters<typeof makeDetectorPlan>[1]) => DetectorPlan} toPlan
 * @property {(model: HeadModel) => void} fill gives the model the saved weights
 * @property {(model: HeadModel) => Float32Array | null} bestOf the best weights of an interrupted fit
 */

const FORMAT = 'ocelli-detector-learner';
const VERSION = '1';

/**
 * @param {HeadModel} model
 * @param {SavedLearner} learner
 * @returns {Uint8Array} tail/… are the unfrozen layers, head/… those of the heads, in their order, slot/N/… the optimizer's,
 *   best/… for early stopping, standard/… means and inverse deviations of joined maps
 */
export function writeDetectorState(
  { network, parameters, slots, step, plan, standard },
  { progress, unfrozen, ...rest },
) {
  const count = parameters.length;
  /** @type {Record<string, Float32Array>} */
  const groups = { '': parameters };
  for (let i = 0; i < slots.length / count; i++)
    groups[`slot/${i}/`] = slots.subarray(i * count, (i + 1) * count);
  if (progress?.bestParameters) groups['best/'] = progress.bestParameters;
  const specs = headParameterSpecs(network);
  const tensors = Object.entries(groups).flatMap(([prefix, values]) =>
    specs.map(({ name, shape, offset, size }) => [
      prefix + name,
      { shape, data: values.slice(offset, offset + size) },
    ]),
  );
  for (const [name, data] of Object.entries(standard ?? {}))
    tensors.push([`standard/${name}`, { shape: [data.length], data: data.slice() }]);
  const state = {
    ...{ ...rest, step, plan, progress: progress && { ...progress, bestParameters: null } },
    ...(network.tail > 0 && { unfrozen }),
  };
  return writeSafetensors(Object.fromEntries(tensors), {
    format: FORMAT,
    version: VERSION,
    state: JSON.stringify(state),
  });
}

const WHOLE = number({ min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });
const NUMBER = number();
const NAMES = list(text(1000), { max: 65_536 });
const SUMS = { rows: NUMBER, loss: NUMBER, class_loss: NUMBER, box_loss: NUMBER };
const HISTORY = list(NUMBER, { max: RANGES.epochs.max });
const VALIDATED = ['val_loss', 'val_AP', 'val_AP50'];
const METRICS = ['loss', 'class_loss', 'box_loss', ...VALIDATED];
const isProgress = record(
  {
    ...{ epoch: WHOLE, batch: WHOLE, step: WHOLE, multiplyAdds: NUMBER, seconds: NUMBER },
    sums: record(SUMS, Object.keys(SUMS)),
    history: record(Object.fromEntries(METRICS.map((name) => [name, HISTORY]))),
    best: nullable(record({ value: NUMBER, epoch: WHOLE, wait: WHOLE }, ['value', 'epoch', 'wait'])),
    before: nullable(record(Object.fromEntries(VALIDATED.map((name) => [name, NUMBER])))),
    joules: nullable(record({ cpu: NUMBER, ram: NUMBER, source: text(1000) }, ['cpu', 'source'])),
    bestParameters: (value) => (value === null ? undefined : 'bestParameters must be null'),
  },
  ['epoch', 'batch', 'sums', 'history', 'step', 'multiplyAdds', 'seconds'],
);
const isState = record(
  {
    ...{ labels: NAMES, areLabelsGiven: boolean, keepClasses: either(boolean, NAMES) },
    ...{ fuseMaps: boolean, deterministic: boolean },
    ...{
      photos: record({ count: WHOLE, checksum: WHOLE }, ['count', 'checksum']),
      model: WHOLE,
      step: WHOLE,
    },
    plan: (plan) => (typeof plan === 'object' && plan !== null ? undefined : 'state.plan must be an object'),
    progress: nullable(isProgress),
    unfrozen: record(
      {
        ...{ unfreeze: number(UNFREEZE), batchNorm: choice(BATCH_NORM_MODES) },
        batchNormMomentum: number(MOMENTUM),
      },
      ['unfreeze', 'batchNorm'],
    ),
  },
  ['labels', 'areLabelsGiven', 'keepClasses', 'deterministic', 'photos', 'model', 'step', 'plan', 'progress'],
);

/**
 * @param {Uint8Array} file
 * @returns {SavedLearner & SavedModel}
 */
export function readDetectorState(file) {
  const { tensors, metadata } = readSafetensors(file);
  if (metadata.format !== FORMAT) throw failure('STATE_FOREIGN');
  if (metadata.version !== VERSION) throw failure('STATE_FOREIGN', `version ${metadata.version}`);
  /** @type {SavedLearner & {plan: any, step: number}} */
  const {
    plan,
    step,
    unfrozen = pickUnfreeze({}),
    fuseMaps = false,
    ...rest
  } = parseState(metadata.state, isState);
  return {
    ...{ ...rest, unfrozen, fuseMaps },
    toPlan: (context) => toPlan(plan, context),
    fill: (model) => {
      model.parameters = gather('', tensors, model);
      if (fuseMaps) model.standard = readStandard(tensors, model);
      const slots = [];
      for (let i = 0; `slot/${i}/head/0/kernel` in tensors; i++)
        slots.push(gather(`slot/${i}/`, tensors, model));
      model.slots = concatenate(slots);
      model.step = step;
    },
    bestOf: (model) => ('best/head/0/kernel' in tensors ? gather('best/', tensors, model) : null),
  };
}

/**
 * The options that a learner was saved with.
 * @param {SavedLearner} saved
 * @param {import('./types.js').DetectorLearnerOptions} given
 */
export function savedOptions(saved, given) {
  const { labels, areLabelsGiven, keepClasses, fuseMaps, deterministic, unfrozen } = saved;
  const { unfreeze } = unfrozen;
  const kept = keepOptions({ deterministic, unfreeze, keepClasses, fuseMaps }, given);
  return { labels: areLabelsGiven ? labels : undefined, ...unfrozen, ...kept };
}

/**
 * @param {any} saved
 * @param {Parameters<typeof makeDetectorPlan>[1]} context
 * @returns {DetectorPlan}
 */
function toPlan(saved, context) {
  const { classWeight, earlyStopping, loss, augmentation, labelSmoothing, stratify, ...rest } = saved;
  try {
    const unknown = Object.keys(rest).find((key) => !DETECTOR_PLAN_KEYS.includes(key));
    if (unknown !== undefined) throw new Error(`unknown option ${unknown}`);
    if (typeof loss !== 'object' || loss === null) throw new Error('loss must be an object');
    const weights =
      classWeight && Object.fromEntries(context.labels.map((label, i) => [label, classWeight[i]]));
    return makeDetectorPlan(
      {
        ...rest,
        ...(weights && { classWeight: weights }),
        earlyStopping: earlyStopping ?? false,
        loss: { ...loss, hardExamples: loss.hardExamples ?? false },
        augmentation: augmentation ?? undefined,
      },
      context,
    );
  } catch (error) {
    throw failure(
      'STATE_CORRUPT',
      `its metadata: state.plan: ${/** @type {Error} */ (error).message}`,
      error,
    );
  }
}

/**
 * The standard of joined maps; undefined if the fit was interrupted before it was known.
 * @param {Record<string, import('../../tflite/safetensors.js').Tensor>} tensors
 * @param {HeadModel} model
 * @returns {import('./standard.js').Standard | undefined}
 */
function readStandard(tensors, { network }) {
  if (!('standard/mean' in tensors)) return undefined;
  const channels = network.inputs.reduce((sum, shape) => sum + shape[2], 0);
  const [mean, inverse] = ['mean', 'inverse'].map((name) =>
    readFloats(tensors, `standard/${name}`, channels),
  );
  return { mean, inverse };
}

/**
 * @param {Record<string, import('../../tflite/safetensors.js').Tensor>} tensors
 * @param {string} name
 * @param {number} size
 */
function readFloats(tensors, name, size) {
  const data = tensors[name]?.data;
  if (!(data instanceof Float32Array) || data.length !== size)
    throw failure('STATE_MISMATCH', `tensor '${name}' must have ${size} float32 values for this model`);
  if (!data.every(Number.isFinite))
    throw failure('STATE_CORRUPT', `tensor '${name}' has values that are not finite`);
  return data;
}

/**
 * @param {string} prefix
 * @param {Record<string, import('../../tflite/safetensors.js').Tensor>} tensors
 * @param {HeadModel} model
 */
function gather(prefix, tensors, { network }) {
  return concatenate(
    headParameterSpecs(network).map(({ name, size }) => readFloats(tensors, prefix + name, size)),
  );
}
