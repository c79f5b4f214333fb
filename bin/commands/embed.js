// ocelli embed: prints the feature vector of each image, as text or JSON, or writes them as a NumPy file.
import { safeJson } from '../../wasm/shared/text.js';
import { factsOf, shorten, UsageError } from '../common.js';
import { save } from '../files.js';
import { eachReadable, findInputs, LeftOut } from '../inputs.js';
import { useExtractor } from '../model.js';
import { extractor, force, images } from '../options.js';
import { bold, dim, print, printable } from '../output.js';
import { NPY_HEADER_BYTES } from '../written.js';

/** @typedef {{file: string, vector: number[]}} Embedded */

const SHOWN_NUMBERS = 6;

const options = /** @type {const} */ ({
  json: {
    type: 'flag',
    about:
      'print one line of JSON for each image: {file, width, height, features, precision, decode?, ms: {decode, ' +
      'preprocess, network, postprocess}}',
  },
  npy: {
    type: 'text',
    value: 'FILE',
    about:
      'also write a NumPy file: one float32 array [images, length] with a row for each image that is printed; - is ' +
      'standard output',
    writes: ['.npy'],
  },
  force,
  normalize: { type: 'flag', about: 'divide each vector by its length' },
  ...extractor,
});

/** @type {import('../arguments.js').Command<typeof options>} */
export const command = {
  summary: 'print the feature vector of each image',
  about: 'Prints the feature vector of each image.',
  positionals: [images],
  options,
  examples: ['ocelli embed --npy features.npy photos/'],
  run,
};

/**
 * @param {import('../arguments.js').Values<typeof options>} values
 * @param {string[]} args
 */
async function run(values, args) {
  if (values.json && values.npy !== undefined) throw new UsageError('pass --json or --npy, not both');
  /** @type {Embedded[]} */
  const rows = [];
  const files = await findInputs(args);
  if (files.length === 0) return;
  const leftOut = new LeftOut(values);
  const isDone = await useExtractor(values, (extract) =>
    eachReadable(files, leftOut, async (file, bytes) => {
      const { features: vector, size, ...run } = await extract(bytes);
      rows.push({ file, vector });
      const line = { file, ...size, features: vector, ...factsOf(run) };
      print(values.json ? safeJson(line) : toText({ file, vector }));
    }),
  );
  if (!isDone || values.npy === undefined) return;
  await save(values.npy, encodeNpy(rows.map(({ vector }) => vector)));
}

/** @param {Embedded} row */
export function toText({ file, vector }) {
  const first = Array.from(vector.slice(0, SHOWN_NUMBERS), shorten).join(', ');
  const norm = shorten(Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)));
  return `${bold(printable(file))}  ${dim(`${vector.length} numbers, length ${norm}:`)} ${first}, ...`;
}

/**
 * NumPy's format, version 1.0: float32, little-endian, a row for each vector.
 * @param {number[][]} vectors
 */
function encodeNpy(vectors) {
  const about = `{'descr': '<f4', 'fortran_order': False, 'shape': (${vectors.length}, ${vectors[0].length}), }`;
  const prefix = 10; // magic, version, header length
  const padded = about.padEnd(NPY_HEADER_BYTES - prefix - 1);
  const header = Buffer.from(`\x93NUMPY\x01\x00\0\0${padded}\n`, 'latin1');
  header.writeUInt16LE(NPY_HEADER_BYTES - prefix, 8);
  return Buffer.concat([header, ...vectors.map((vector) => Buffer.from(Float32Array.from(vector).buffer))]);
}
