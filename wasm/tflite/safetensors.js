// Reads and writes the safetensors format: the length of the header, a JSON header, raw tensors.
import { failures } from '../shared/errors.js';
import { sizeOf } from '../shared/numbers.js';

/** @typedef {Float32Array | Uint16Array | Int32Array} TensorArray */
/** @typedef {{shape: number[], data: TensorArray}} Tensor */

/** @type {Record<string, {new (buffer: ArrayBuffer): TensorArray, BYTES_PER_ELEMENT: number}>} */
const VIEWS = { F32: Float32Array, F16: Uint16Array, I32: Int32Array };
export const SAFETENSORS_MESSAGES = {
  STATE_CORRUPT: 'the saved state is damaged',
  STATE_FOREIGN: 'this package did not save the file',
};

const failure = failures(SAFETENSORS_MESSAGES);

const MAX_HEADER_BYTES = 16 << 20;

/**
 * @param {Record<string, Tensor>} tensors
 * @param {Record<string, string>} metadata
 */
export function writeSafetensors(tensors, metadata) {
  let end = 0;
  /** @type {Record<string, unknown>} */
  const header = { __metadata__: metadata };
  for (const [name, { shape, data }] of Object.entries(tensors)) {
    const dtype = Object.keys(VIEWS).find((key) => data instanceof VIEWS[key]);
    header[name] = { dtype, shape, data_offsets: [end, (end += data.byteLength)] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Padded with spaces, so that tensors are aligned to 8 bytes.
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + headerBytes + end).fill(0x20, 8, 8 + headerBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(text, 8);
  let at = 8 + headerBytes;
  for (const { data } of Object.values(tensors)) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * @param {Uint8Array} file
 * @returns {{tensors: Record<string, Tensor>, metadata: Record<string, string>}}
 */
export function readSafetensors(file) {
  const { header, data } = readHeader(file);
  const { __metadata__: metadata = {}, ...entries } = header;
  const isText = (/** @type {unknown} */ value) => typeof value === 'string';
  if (typeof metadata !== 'object' || metadata === null || !Object.values(metadata).every(isText))
    throw failure('STATE_CORRUPT', 'its metadata is not a map of strings');
  // Checked before anything is copied: many tensors may name the same bytes.
  const ranges = Object.entries(entries).map(([name, entry]) => checkTensor(name, entry, data));
  const bytes = ranges.reduce((sum, { begin, end }) => sum + end - begin, 0);
  if (bytes !== data.length)
    throw failure('STATE_CORRUPT', `its tensors have ${bytes} bytes, its data ${data.length}`);
  /** @type {[string, Tensor][]} */
  const tensors = ranges.map(({ name, shape, View, begin, end }) => [
    name,
    { shape, data: new View(data.slice(begin, end).buffer) },
  ]);
  return { tensors: Object.fromEntries(tensors), metadata: /** @type {Record<string, string>} */ (metadata) };
}

/** @param {Uint8Array} file */
function readHeader(file) {
  if (!(file instanceof Uint8Array)) throw failure('STATE_CORRUPT', 'it is not a Uint8Array');
  if (file.length < 10) throw failure('STATE_CORRUPT', 'it is too short');
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  // In a file of another format, this length is arbitrary.
  if (length > MAX_HEADER_BYTES || file[8] !== 0x7b)
    throw failure('STATE_FOREIGN', 'it has no safetensors header');
  if (8 + length > file.length) throw failure('STATE_CORRUPT', 'its header is longer than the file');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, 8 + length));
    return { header: JSON.parse(text), data: file.subarray(8 + length) };
  } catch (error) {
    throw failure('STATE_CORRUPT', 'its header is not JSON', error);
  }
}

/**
 * @param {string} name
 * @param {any} entry
 * @param {Uint8Array} data
 */
function checkTensor(name, entry, data) {
  const bad = () => failure('STATE_CORRUPT', `the entry of tensor '${name.slice(0, 100)}' is malformed`);
  const { shape, dtype, data_offsets: offsets } = entry ?? {};
  const View = typeof dtype === 'string' && Object.hasOwn(VIEWS, dtype) ? VIEWS[dtype] : undefined;
  const isSize = (/** @type {unknown} */ n) => Number.isSafeInteger(n) && Number(n) >= 0;
  if (!View || !Array.isArray(shape) || !shape.every(isSize)) throw bad();
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) throw bad();
  const [begin, end] = offsets;
  if (end > data.length || end - begin !== sizeOf(shape) * View.BYTES_PER_ELEMENT) throw bad();
  return { name, shape: /** @type {number[]} */ (shape), View, begin, end };
}
