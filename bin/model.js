// Opens models: as the library's classes, or as a bare engine for commands that take any model.
import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { Engine } from '../wasm/engine/engine.js';
import { host } from '../wasm/engine/host.js';
import { checkWeights, formOf } from '../wasm/vision/spec/forms.js';
import { readSource } from '../wasm/vision/input.js';
import { readLabels } from '../wasm/vision/labels.js';
import { checkInput, findManifestEntry } from '../wasm/vision/model_spec.js';
import { checkSsd } from '../wasm/vision/spec/ssd.js';
import { FeatureExtractor } from '../wasm/platform/node.js';
import { hasFastInt8 } from '../wasm/engine/precision.js';
import { chooseVariant } from '../wasm/engine/variant.js';
import { pixelRange } from '../wasm/shared/pixel_range.js';
import { OcelliError } from '../wasm/shared/errors.js';
import { attempt, readBytes, readText, UsageError } from './common.js';
import { printable } from './output.js';

/**
 * @typedef {import('../wasm/vision/index.js').ObjectDetector} ObjectDetector
 * @typedef {import('../wasm/vision/index.js').ImageClassifier} ImageClassifier
 * @typedef {import('../wasm/vision/spec/forms.js').Weights} Weights
 * @typedef {{labels?: string, input?: string, ssd?: string}} Specs as the user gives them
 */

/** Shown instead of a file name for the model that comes with ocelli. */
export const DEFAULT_MODEL = 'default model';

/**
 * @template {ObjectDetector | FeatureExtractor | ImageClassifier} T
 * @template {object} Options
 * @param {{create: (options: Options & {model?: string | Uint8Array}) => Promise<T>}} Model
 * @param {{model?: string, labels?: string}} values
 * @param {Options} options
 */
export function openModel(Model, { model: file, labels }, options) {
  return attempt(file ?? DEFAULT_MODEL, async () => {
    const model = await readModel(file);
    return blamingLabels(labels, () => Model.create({ ...options, model }));
  });
}

/**
 * Says that the file of --labels is wrong, if the model has other classes.
 * @template T
 * @param {string | undefined} file
 * @param {() => Promise<T>} create
 */
export async function blamingLabels(file, create) {
  try {
    return await create();
  } catch (error) {
    const [, reason] = /: (labels has .*)/.exec(/** @type {Error} */ (error).message) ?? [];
    if (file === undefined || !(error instanceof OcelliError) || !reason) throw error;
    throw new UsageError(`--labels ${file}: ${reason}`);
  }
}

/**
 * The options of `create` that all commands have.
 * @param {{threads: number, deterministic: boolean, decode?: 'full' | 'scaled', 'max-pixels': number, signature?: string,
 *   weights?: Weights} &
 *   Specs} values
 * @returns {Promise<import('../wasm/vision/types.js').DetectorOptions | undefined>} undefined if a file cannot be read
 */
export async function readLoading({
  threads,
  deterministic,
  decode,
  'max-pixels': maxPixels,
  signature,
  weights,
  ...values
}) {
  const specs = await readSpecs(values);
  return (
    specs && {
      threads,
      deterministic,
      decode,
      maxPixels,
      ...(signature !== undefined && { signature }),
      ...(weights !== undefined && { weights }),
      ...specs,
    }
  );
}

/**
 * What the options say about a model: read from files, or parsed.
 * @param {Specs} values
 * @returns {Promise<{labels?: import('../wasm/vision/labels.js').Label[], input?: any, ssd?: any} | undefined>} undefined if a
 *   file cannot be read
 */
export async function readSpecs({ labels: file, input, ssd }) {
  const specs = {
    ...(file !== undefined && { labels: await attempt(file, () => readLabelFile(file)) }),
    ...(input !== undefined && {
      input: pixelRange(input) ? input : await readJson('input', input, checkInput),
    }),
    ...(ssd !== undefined && { ssd: await readJson('ssd', ssd, checkSsd) }),
  };
  return Object.values(specs).includes(undefined) ? undefined : specs;
}

/** @param {string} file */
async function readLabelFile(file) {
  return readLabels(await readText(file), file);
}

/**
 * @param {string} option
 * @param {string} textOrFile
 * @param {(value: any) => void} check throws INVALID_OPTION
 * @returns {Promise<any>} undefined if the file cannot be read
 */
async function readJson(option, textOrFile, check) {
  const isText = textOrFile.trimStart().startsWith('{');
  if (!isText && extname(textOrFile) === '' && textOrFile !== '-' && !existsSync(textOrFile))
    throw new UsageError(
      `--${option} ${printable(textOrFile)}: neither a value that it takes nor a file; see --help`,
    );
  const text = isText ? textOrFile : await attempt(textOrFile, () => readText(textOrFile));
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text);
    check(value);
    return value;
  } catch (error) {
    const source = isText ? '' : ` ${textOrFile}:`;
    throw new UsageError(`--${option}:${source} ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * Opens an extractor, calls `use`, and closes the extractor.
 * @template T
 * @param {import('./arguments.js').Values<typeof import('./options.js').extractor> & {normalize?: boolean}} values
 * @param {(extract: (image: Uint8Array) => Promise<import('../wasm/vision/types.js').ExtractResult>) => Promise<T>} use
 * @returns {Promise<T | undefined>} undefined: there is no extractor
 */
export async function useExtractor(values, use) {
  const { layer, normalize: l2Normalize } = values;
  const loading = await readLoading(values);
  const extractor = loading && (await openModel(FeatureExtractor, values, { ...loading, layer }));
  if (!extractor) return undefined;
  try {
    return await use((image) => extractor.extract(image, { l2Normalize }));
  } finally {
    extractor.close();
  }
}

/**
 * @param {string | undefined} file - is standard input
 * @returns {Promise<Uint8Array | string | undefined>} what the library takes as a model
 */
export async function readModel(file) {
  return file === '-' ? readBytes(file) : file;
}

/**
 * @param {Uint8Array | string | undefined} model bytes or a file's name; undefined: the default model
 * @param {number} threads
 * @param {object} [options]
 * @param {boolean} [options.deterministic] every machine computes the same bits
 * @param {boolean} [options.baseline] use XNNPACK's own kernels, where it has them
 * @param {Weights} [options.weights] of the default model
 * @param {'float' | 'int8' | 'auto'} [options.precision] of the default model
 * @param {string} [options.signature] which signature to run
 * @returns the engine, which the caller closes, facts about the model, and how long each step took
 */
export async function loadModel(model, threads, options = {}) {
  const { deterministic = false, baseline = false, weights, precision = 'float', signature } = options;
  checkWeights({ weights, model, precision });
  const { trustsRelaxed, locateModel } = host();
  const variant = chooseVariant({ threads, deterministic, trustsRelaxed });
  const start = performance.now();
  const engine = await Engine.create({ variant, threads, deterministic, baseline });
  const created = performance.now();
  try {
    const twin = precision === 'auto' ? (hasFastInt8(engine) ? 'int8' : 'float') : precision;
    const opened = performance.now();
    const received = await engine.receiveModel(
      await readSource(model ?? locateModel(undefined, formOf({ weights, precision: twin }))),
    );
    const metadata = engine.openModel(signature);
    const { signatures } = engine;
    const beforeHash = performance.now();
    const entry = await findManifestEntry(received, metadata);
    const afterHash = performance.now();
    engine.buildModel();
    const ms = { module: created - start, model: performance.now() - opened - (afterHash - beforeHash) };
    return { engine, variant, entry, metadata, signatures, fileBytes: received.sizeBytes, ms };
  } catch (error) {
    engine.close();
    throw error;
  }
}
