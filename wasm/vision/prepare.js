// A model's bytes -> an engine with the network in it, and what is known of it for the task at hand.
import { Engine } from '../engine/engine.js';
import { failure, OcelliError } from '../shared/errors.js';
import { host } from '../engine/host.js';
import { readSource } from './input.js';
import { DEFAULT_ENTRY, findManifestEntry, resolveInput } from './model_spec.js';
import { hasFastDots } from '../engine/precision.js';
import * as detector from './prepare_detector.js';
import { chooseVariant } from '../engine/variant.js';

/**
 * @typedef {import('../engine/engine.js').Metadata} Metadata
 *
 * @typedef {'detect' | 'features' | 'classify'} Task
 * @typedef {import('./types.js').DetectorOptions & import('./types.js').ClassifierOptions & {task: Task}}
 *   SessionOptions those of every task; of one task, some
 *
 * @typedef {object} LabelSource
 * @property {string | readonly (string | import('./labels.js').Label)[]} [labels] the option, read
 * @property {Metadata} metadata
 * @property {import('./model_spec.js').ManifestEntry} [entry]
 *
 * @typedef {object} TaskFacts What a task knows of the model; of one task, some.
 * @property {import('./labels.js').Label[]} [labels]
 * @property {Partial<import('./types.js').Thresholds>} [limits] what the file says of thresholds
 * @property {Uint8Array} [mask] of a detector: one byte per class: 0, left out
 * @property {number[]} [classIds] of a detector whose class heads were sliced: the class of each column
 * @property {number} [batch] images that can be run at once
 * @property {boolean} [isBatchFixed] always so many are run, as the file says
 * @property {number} [length] of a feature vector
 * @property {{output: number, scores: import('./types.js').Scores}} [classifier]
 */

/**
 * What is of no use to a detector is only loaded where it is.
 * @type {Record<Task, () => Promise<{NOT_FOR_IT: Parameters<typeof failure>[0],
 *   prepareTask: (engine: Engine, options: SessionOptions, source: LabelSource) => TaskFacts}>>}
 */
const TASKS = {
  detect: async () => detector,
  features: () => import('./prepare_features.js'),
  classify: () => import('./prepare_classifier.js'),
};

/** @param {SessionOptions} options */
export async function prepare(options) {
  const { task, threads = 1, deterministic = false, wasmUrl, signal, onProgress } = options;
  const { trustsRelaxed, locateModel } = host();
  const variant = chooseVariant({ threads, deterministic, trustsRelaxed });
  // The model is on its way while the module compiles.
  const creating = Engine.create({ variant, threads, deterministic, wasmUrl });
  const opening = choosePrecision(options, creating).then((precision) =>
    readSource(
      (precision === 'int8' && options.int8Model) || (options.model ?? locateModel(wasmUrl, precision)),
      signal,
    ),
  );
  opening.catch(() => {});
  const engine = await creating;
  try {
    const received = await engine.receiveModel(await opening, { signal, onProgress });
    const metadata = engine.openModel();
    const entry = options.model === undefined ? DEFAULT_ENTRY : await findManifestEntry(received, metadata);
    engine.buildModel({ keepFile: true });
    const labels =
      options.labels instanceof URL || typeof options.labels === 'string'
        ? await readText(options.labels, signal)
        : options.labels;
    const { NOT_FOR_IT, prepareTask } = await TASKS[task]();
    if (engine.inputs.length !== 1) throw failure(NOT_FOR_IT, `${engine.inputs.length} inputs`);
    const [tensor] = engine.inputs;
    const input = resolveInput(options.input, metadata, entry, tensor);
    const [, height, width] = tensor.shape;
    const facts = prepareTask(engine, options, { labels, metadata, entry });
    engine.closeModel();
    const multiplyAdds = engine.network.multiplyAdds / (tensor.shape[0] ?? 1);
    const precision = precisionOf(engine);
    if (options.precision === 'int8' && precision === 'float')
      throw failure('INVALID_OPTION', 'the model computes in floats');
    return { engine, variant, precision, input, inputSize: { width, height }, multiplyAdds, ...facts };
  } catch (error) {
    engine.close();
    throw error;
  }
}

/**
 * Which of two twins is to be fetched.
 * @param {SessionOptions} options
 * @param {Promise<Engine>} creating
 * @returns {Promise<'float' | 'int8'>}
 */
async function choosePrecision({ precision = 'float', model, int8Model }, creating) {
  if (precision !== 'auto') return precision;
  if (int8Model === undefined && (model !== undefined || !host().hasInt8)) return 'float';
  return hasFastDots(await creating) ? 'int8' : 'float';
}

/**
 * int8 where any of the network is quantized.
 * @param {Pick<Engine, 'operators'>} engine
 * @returns {'float' | 'int8'}
 */
export function precisionOf({ operators }) {
  return operators.some(({ dtype }) => /int8/.test(dtype)) ? 'int8' : 'float';
}

/**
 * @param {string | URL} source
 * @param {AbortSignal} [signal]
 */
async function readText(source, signal) {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of (await host().open(source, signal)).chunks)
      text += decoder.decode(chunk, { stream: true });
  } catch (error) {
    throw error instanceof OcelliError ? failure('LABELS_NOT_FOUND', String(source), error.cause) : error;
  }
  return text + decoder.decode();
}
