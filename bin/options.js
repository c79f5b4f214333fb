// What the commands that look at images read from their options, and the model that they open.
import { readFile } from 'node:fs/promises';
import { readLabels } from '../wasm/vision/labels.js';
import { attempt, readBytes, readThreads, UsageError } from './common.js';
import { DEFAULT_MODEL } from './model.js';

/**
 * @typedef {import('../wasm/vision/index.js').ObjectDetector} ObjectDetector
 * @typedef {import('../wasm/vision/index.js').FeatureExtractor} FeatureExtractor
 * @typedef {import('../wasm/vision/index.js').ImageClassifier} ImageClassifier
 *
 * @typedef {object} LoadingValues
 * @property {string} [threads]
 * @property {boolean} [deterministic]
 * @property {string} [precision]
 * @property {string} [labels]
 * @property {string} [input]
 * @property {string} [ssd]
 */

/**
 * @param {string[]} images
 * @param {string} [model]
 */
export function checkFiles(images, model) {
  if (images.length === 0) throw new UsageError('which image? (- is standard input)');
  if ([...images, model].filter((file) => file === '-').length > 1)
    throw new UsageError('standard input can be read only once');
}

/**
 * @template {ObjectDetector | FeatureExtractor | ImageClassifier} T
 * @template {object} Options
 * @param {{create: (options: Options & {model?: string | Uint8Array}) => Promise<T>}} Model
 * @param {string | undefined} file
 * @param {Options} options
 */
export function openModel(Model, file, options) {
  return attempt(file ?? DEFAULT_MODEL, async () => {
    const model = file === '-' ? await readBytes(file) : file;
    return Model.create({ ...options, model });
  });
}

/**
 * @param {LoadingValues} values
 * @returns {Promise<import('../wasm/vision/types.js').DetectorOptions | undefined>} undefined if a file that they name cannot
 *   be read
 */
export async function readLoading({ threads, deterministic, precision, labels: file, input, ssd }) {
  const options = {
    ...(precision && {
      precision: /** @type {import('../wasm/vision/types.js').DetectorOptions['precision']} */ (precision),
    }),
    ...(file && {
      labels: await attempt(file, async () =>
        readLabels(await readFile(file, 'utf8'), { keepBackground: true }),
      ),
    }),
    ...(input && { input: await readJson('input', input) }),
    ...(ssd && { ssd: await readJson('ssd', ssd) }),
  };
  if (Object.values(options).includes(undefined)) return undefined;
  return { threads: readThreads(threads), deterministic, ...options };
}

/**
 * @param {string} option
 * @param {string[] | undefined} lists
 */
export function readClasses(option, lists) {
  if (lists === undefined) return undefined;
  const classes = lists
    .flatMap((list) => list.split(',').map((name) => name.trim()))
    .filter((name) => name !== '');
  if (classes.length === 0) throw new UsageError(`--${option} names no class`);
  return classes.map((name) => (/^\d+$/.test(name) ? Number(name) : name));
}

/**
 * @param {string} option
 * @param {string} textOrFile
 */
export async function readJson(option, textOrFile) {
  const isText = textOrFile.trimStart().startsWith('{');
  const text = isText ? textOrFile : await attempt(textOrFile, () => readFile(textOrFile, 'utf8'));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    const source = isText ? '' : ` ${textOrFile}:`;
    throw new UsageError(`--${option}:${source} ${/** @type {Error} */ (error).message}`);
  }
}
