// ocelli embed: image files -> a feature vector for each, as a table, lines of JSON or a NumPy file.
import { attempt, bold, dim, layOut, plural, print, UsageError, writeWhole } from './common.js';
import { embed } from './extractor.js';

const SHOWN_NUMBERS = 4;

/**
 * @param {import('./usage.js').Values<'embed'>} values
 * @param {string[]} images
 */
export async function run(values, images) {
  if (values.json && values.npy !== undefined) throw new UsageError('--json or --npy FILE, not both');
  const embeddings = await embed(values, images, { l2Normalize: values.normalize ?? false });
  if (embeddings.length === 0) return;
  const { npy } = values;
  if (npy !== undefined && !(await attempt(npy, () => writeWhole(npy, toNpy(embeddings))))) return;
  if (values.json) {
    for (const { file, features } of embeddings)
      print(JSON.stringify({ file, length: features.length, features: Array.from(features) }));
  } else {
    print(toText(embeddings).join('\n'));
  }
}

/** @param {import('./extractor.js').Embedding[]} embeddings */
function toText(embeddings) {
  const [{ features }] = embeddings;
  const rows = embeddings.map(({ file, features }, row) => [
    String(row),
    file,
    Math.hypot(...features).toFixed(3),
    `${Array.from(features.subarray(0, SHOWN_NUMBERS), (value) => value.toFixed(4)).join(' ')} ...`,
  ]);
  const [head, ...lines] = layOut([['row', 'image', 'norm', 'features'], ...rows], 'rlrl');
  const title = `${bold(plural(embeddings.length, 'image'))} of ${features.length} numbers each`;
  return [title, dim(head), ...lines];
}

/**
 * NumPy's format, version 1.0: float32, a row for each image.
 * @param {import('./extractor.js').Embedding[]} embeddings
 */
function toNpy(embeddings) {
  const columns = embeddings[0].features.length;
  const shape = `(${embeddings.length}, ${columns})`;
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`;
  // Magic, version and the header's length are ten bytes; the data begins at a multiple of 64.
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const bytes = Buffer.alloc(10 + padded.length + 4 * embeddings.length * columns);
  bytes.write('\x93NUMPY\x01\x00', 'latin1');
  bytes.writeUInt16LE(padded.length, 8);
  bytes.write(padded, 10, 'latin1');
  let at = 10 + padded.length;
  for (const { features } of embeddings) for (const value of features) at = bytes.writeFloatLE(value, at);
  return bytes;
}
