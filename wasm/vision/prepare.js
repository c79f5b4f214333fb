// A model's bytes -> an engine with the network in it, and the facts that the task needs.
import { Engine } from '../engine/engine.js';
import { failure } from '../shared/errors.js';
import { host } from '../engine/host.js';
import { formOf } from './spec/forms.js';
import { readSource } from './input.js';
import { MAX_TEXT, readLabels } from './labels.js';
import { DEFAULT_ENTRY, findManifestEntry, resolveInput } from './model_spec.js';
import { hasFastInt8 } from '../engine/precision.js';
import * as classify from './prepare_classifier.js';
import * as detect from './prepare_detector.js';
import * as features from './prepare_features.js';
import { chooseVariant } from '../engine/variant.js';

/**
 * @typedef {import('../engine/engine.js').Metadata} Metadata
 *
 * @typedef {'detect' | 'features' | 'classify'} Task
 * @typedef {import('./types.js').DetectorOptions & import('./types.js').ClassifierOptions & {task: Task}} GivenOptions
 *   the options of all tasks; a task uses some of them
 * @typedef {Omit<GivenOptions, 'assetsUrl' | 'labels'> & {assetsUrl?: string, labels?: LabelSource['labels']}}
 *   SessionOptions the same with absolute URLs, and with sources that can be read more than once
 *
 * @typedef {object} LabelSource
 * @property {string | readonly (string | import('./labels.js').Label)[]} [labels] the option: its list, or its file's
 *   text
 * @property {Metadata} metadata
 * @property {import('./model_spec.js').ManifestEntry} [entry]
 *
 * @typedef {object} TaskFacts What the tasks find out about the model; each task sets some of the fields.
 * @property {import('./labels.js').Label[]} [labels]
 * @property {import('./types.js').FileLimits} [limits] thresholds from the model file
 * @property {Uint8Array} [mask] detector: one byte per class, 0 if it is not reported
 * @property {import('./spec/calibration.js').CalibrateRows} [calibrate] detector: calibrates the scores
 * @property {number[]} [classIds] detector with sliced class heads: the class number of each column
 * @property {number} [batch] the most images in one run
 * @property {boolean} [isBatchFixed] the file fixes the batch: every run takes `batch` images
 * @property {number} [length] of a feature vector
 * @property {import('./types.js').Facts['classifier']} [classifier]
 */

/**
 * @type {Record<Task, {UNSUITABLE: Parameters<typeof failure>[0], checkModel?: (engine: Engine) => void,
 *   prepareTask: (engine: Engine, options: SessionOptions, source: LabelSource) => TaskFacts | Promise<TaskFacts>}>}
 */
const TASKS = { detect, features, classify };

/** @param {SessionOptions} options */
export async function prepare(options) {
  const { task, threads = 1, deterministic = false, assetsUrl, signal, onProgress } = options;
  const { trustsRelaxed, locateModel } = host();
  const variant = chooseVariant({ threads, deterministic, trustsRelaxed });
  // Download the model while the module compiles.
  const creating = Engine.create({ variant, threads, deterministic, assetsUrl });
  let isOwn = false;
  const opening = choosePrecision(options, creating).then((precision) => {
    const given = (precision === 'int8' && options.int8Model) || options.model;
    isOwn = !given;
    return readSource(given ?? locateModel(assetsUrl, formOf({ ...options, precision })), signal);
  });
  opening.catch(() => {});
  const engine = await creating;
  try {
    const received = await engine.receiveModel(await opening, { signal, onProgress });
    const metadata = engine.openModel(options.signature);
    const entry = isOwn ? DEFAULT_ENTRY : await findManifestEntry(received, metadata);
    engine.buildModel({ keepFile: true });
    const labels =
      typeof options.labels === 'string'
        ? readLabels(await readText(options.labels, signal), options.labels)
        : options.labels;
    const { UNSUITABLE, checkModel, prepareTask } = TASKS[task];
    if (engine.inputs.length !== 1)
      throw failure(UNSUITABLE, `it has ${engine.inputs.length} inputs instead of one`);
    checkModel?.(engine);
    const [tensor] = engine.inputs;
    const input = resolveInput(options.input, metadata, entry, tensor);
    const [, height, width, channels] = tensor.shape;
    const facts = await prepareTask(engine, options, { labels, metadata, entry });
    engine.closeModel();
    engine.checkThreads();
    const multiplyAdds = engine.network.multiplyAdds / (tensor.shape[0] ?? 1);
    const precision = precisionOf(engine);
    if (options.precision === 'int8' && precision === 'float')
      throw failure('INVALID_OPTION', "precision is 'int8', but the model computes in float");
    return {
      ...{ engine, variant, precision, input, inputSize: { width, height }, channels, multiplyAdds },
      ...facts,
    };
  } catch (error) {
    engine.close();
    throw error;
  }
}

/**
 * Chooses between the float and the 8-bit model.
 * @param {SessionOptions} options
 * @param {Promise<Engine>} creating
 * @returns {Promise<'float' | 'int8'>}
 */
async function choosePrecision({ precision = 'float', model, int8Model }, creating) {
  if (precision !== 'auto') return precision;
  const hasInt8 = int8Model !== undefined || (model === undefined && host().hasInt8);
  return hasInt8 && hasFastInt8(await creating) ? 'int8' : 'float';
}

/**
 * 'int8' if any operator is quantized.
 * @param {Pick<Engine, 'operators'>} engine
 * @returns {'float' | 'int8'}
 */
export function precisionOf({ operators }) {
  return operators.some(({ dtype }) => /int8/.test(dtype)) ? 'int8' : 'float';
}

/**
 * @param {string} source a path or a URL
 * @param {AbortSignal} [signal]
 */
async function readText(source, signal) {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of (await host().open(source, signal, 'LABELS_NOT_FOUND')).chunks)
    if (text.length <= MAX_TEXT) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
