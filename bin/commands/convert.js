// ocelli convert: a model as TensorFlow publishes it -> a .tflite file. The only part of conversion that knows a file
// system.
import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { convert } from '../../wasm/convert/index.js';
import {
  attempt,
  clearLine,
  formatBytes,
  print,
  printable,
  readBytes,
  splitNames,
  UsageError,
  writeWhole,
} from '../common.js';

/** @typedef {import('../../wasm/convert/index.js').ConvertOptions} ConvertOptions */

/** Files that stand for the directory they are in. */
const PARTS_OF_A_DIRECTORY = /(^|[/\\])(saved_model\.pb|model\.json)$/;

/**
 * @param {import('../usage.js').Values<'convert'>} values
 * @param {string[]} files
 */
export async function run(values, [source, out]) {
  if (source === undefined || out === undefined) throw new UsageError('which SOURCE, and which OUT.tflite?');
  const options = readOptions(values);
  const converted = await attempt(source, async () => convert(await openSource(source), options));
  process.stderr.write(clearLine());
  const isWritten = converted && (await attempt(out, () => writeWhole(out, converted.model)));
  if (!isWritten) return;
  const { kind, operators, notes, model } = converted;
  if (values.json) print(JSON.stringify({ kind, bytes: model.length, operators, notes }));
  else print(toText(out, converted));
}

/**
 * @param {import('../usage.js').Values<'convert'>} values
 * @returns {ConvertOptions}
 */
function readOptions({ weights, batch, signature, outputs, classes, ...rest }) {
  return {
    .../** @type {ConvertOptions} */ (weights !== undefined && { weights }),
    ...(batch !== undefined && { batch: batch === 'dynamic' ? batch : Number(batch) }),
    ...(signature !== undefined && { signature }),
    ...(outputs && { outputs: splitNames(outputs) }),
    ...(classes && {
      classes: splitNames(classes).map((name) => (/^\d+$/.test(name) ? Number(name) : name)),
    }),
    keepBatchNorm: rest['keep-batch-norm'],
    onProgress: ({ stage }) => process.stderr.write(clearLine(`${stage} ...`)),
  };
}

/** @param {string} path @returns {Promise<import('../../wasm/convert/index.js').Source>} */
async function openSource(path) {
  if (path === '-') return readBytes(path);
  const directory = PARTS_OF_A_DIRECTORY.test(path) ? dirname(path) : path;
  if (!(await stat(path)).isDirectory() && directory === path) return readBytes(path);
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [
        file.slice(join(directory, sep).length).replaceAll(sep, '/'),
        () => readFileSync(file),
      ]),
  );
}

/**
 * @param {string} out
 * @param {import('../../wasm/convert/index.js').Converted} converted
 */
function toText(out, { kind, model, operators, notes }) {
  const kinds = Object.entries(operators).map(([name, count]) => `${count} ${name}`);
  return [
    `${printable(out)}: ${kind === 'detector' ? 'a detector' : 'a network'}, ${formatBytes(model.length)}`,
    `  ${kinds.join(', ')}`,
    ...notes.map((note) => `  ${printable(note)}`),
  ].join('\n');
}
