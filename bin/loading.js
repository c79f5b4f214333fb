// Images and a model, as the commands that look at images take them.
import { readFile } from 'node:fs/promises';
import { readLabels } from '../wasm/labels.js';
import { attempt, readBytes, readThreads, UsageError } from './common.js';
import { DEFAULT_MODEL } from './model.js';

/**
 * @param {string[]} images
 * @param {string | undefined} model
 */
export function checkImages(images, model) {
  if (images.length === 0) throw new UsageError('which image? (- is standard input)');
  if ([...images, model].filter((file) => file === '-').length > 1)
    throw new UsageError('standard input can be read only once');
}

/**
 * @template T
 * @param {string | undefined} file
 * @param {(model: Uint8Array | string | undefined) => Promise<T>} create
 * @returns {Promise<T | undefined>} undefined if it cannot be loaded, which has been told
 */
export function openModel(file, create) {
  return attempt(file ?? DEFAULT_MODEL, async () => create(file === '-' ? await readBytes(file) : file));
}

/**
 * @param {{threads?: string, deterministic?: boolean, labels?: string, input?: string}} values
 * @returns the options that they stand for; undefined if a file that they name cannot be read
 */
export async function readLoading({ threads, deterministic, labels: file, input: json }) {
  const count = readThreads(threads);
  const labels =
    file === undefined
      ? undefined
      : await attempt(file, async () => readLabels(await readFile(file, 'utf8'), { keepBackground: true }));
  const input = json === undefined ? undefined : await readJson('input', json);
  if ((file !== undefined && labels === undefined) || (json !== undefined && input === undefined))
    return undefined;
  return { threads: count, deterministic, ...(labels && { labels }), ...(input && { input }) };
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
