// ocelli embed: image files -> a feature vector for each, as text, JSON or a NumPy file.
import { writeFile } from 'node:fs/promises';
import { FeatureExtractor } from '../../wasm/platform/node.js';
import { attempt, bold, dim, print, readBytes, shorten, UsageError } from '../common.js';
import { checkFiles, openModel, readLoading } from '../options.js';

/** @typedef {{file: string, vector: Float32Array}} Embedded */

const SHOWN_NUMBERS = 6;

/**
 * @param {import('../usage.js').Values<'embed'>} values
 * @param {string[]} images
 */
export async function run(values, images) {
  if (values.json && values.npy !== undefined) throw new UsageError('either --json or --npy, not both');
  /** @type {Embedded[]} */
  const rows = [];
  await useExtractor(values, images, async (embed) => {
    for (const file of images) {
      const vector = await embed(file);
      if (!vector) continue;
      rows.push({ file, vector });
      print(values.json ? JSON.stringify({ file, features: Array.from(vector) }) : toText({ file, vector }));
    }
  });
  const { npy } = values;
  if (npy === undefined || rows.length === 0) return;
  await attempt(npy, () => writeFile(npy, encodeNpy(rows.map(({ vector }) => vector))));
}

/**
 * @param {import('../options.js').LoadingValues & {model?: string, layer?: string, normalize?: boolean}} values
 * @param {string[]} images all that will be asked for
 * @param {(embed: (file: string) => Promise<Float32Array | undefined>) => Promise<void>} use `embed` tells why a file
 *   has no vector
 */
export async function useExtractor(values, images, use) {
  checkFiles(images, values.model);
  const loading = await readLoading(values);
  const { layer, normalize: l2Normalize } = values;
  const extractor = loading && (await openModel(FeatureExtractor, values.model, { ...loading, layer }));
  if (!extractor) return;
  try {
    await use((file) => attempt(file, async () => extractor.extract(await readBytes(file), { l2Normalize })));
  } finally {
    extractor.close();
  }
}

/** @param {Embedded} row */
function toText({ file, vector }) {
  const first = Array.from(vector.subarray(0, SHOWN_NUMBERS), shorten).join(', ');
  const norm = shorten(Math.hypot(...vector));
  return `${bold(file)}  ${dim(`${vector.length} numbers, length ${norm}:`)} ${first}, ...`;
}

/**
 * NumPy's format, version 1.0: float32, little-endian, a row for each vector.
 * @param {Float32Array[]} vectors
 */
function encodeNpy(vectors) {
  const about = `{'descr': '<f4', 'fortran_order': False, 'shape': (${vectors.length}, ${vectors[0].length}), }`;
  const prefix = 10; // magic, version, length of the header
  const size = Math.ceil((prefix + about.length + 1) / 64) * 64; // of all of it, as NumPy aligns data
  const header = Buffer.from(`\x93NUMPY\x01\x00\0\0${about.padEnd(size - prefix - 1)}\n`, 'latin1');
  header.writeUInt16LE(size - prefix, 8);
  return Buffer.concat([header, ...vectors.map(({ buffer }) => Buffer.from(buffer))]);
}
