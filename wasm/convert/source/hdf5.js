// Reads HDF5 files by jsfive, which is loaded when the first such file comes.
import { convertFailure } from '../errors.js';
import { sizeOf } from '../../shared/numbers.js';
import { fromBytes } from '../../tflite/tensor.js';

/**
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 * @typedef {import('../../tflite/tensor.js').Dtype} Dtype
 * @typedef {import('jsfive').Group} Group
 * @typedef {import('jsfive').Dataset} Dataset
 */

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const DATA_LAYOUT = 8;
const CONTIGUOUS = 1;
const MAX_DEPTH = 64;
/** Links count, not what they lead to: groups that share their parts would be walked through without end. */
const MAX_LINKS = 1e5;
/** Compressed numbers may be this many times the bytes of the file, or this many. */
const MAX_RATIO = 50;
const SMALL = 1 << 23;

/** @type {Record<string, Dtype>} */
const DTYPES = { '<f4': 'float32', '<f2': 'float16', '<f8': 'float64', '<i4': 'int32', '<i8': 'int64' };

/** @param {Uint8Array} bytes */
export const isHdf5 = (bytes) => SIGNATURE.every((byte, i) => bytes[i] === byte);

/** A text of fixed length is padded with zeros. @param {string} text */
function withoutPadding(text) {
  let end = text.length;
  while (text[end - 1] === '\0') end--;
  return text.slice(0, end);
}

export class Hdf5 {
  #bytes;
  #root;
  /** @type {Map<string, Dataset> | undefined} */ #datasets;

  /** @param {Uint8Array} bytes @param {Group} root */
  constructor(bytes, root) {
    this.#bytes = bytes;
    this.#root = root;
  }

  /** @param {Uint8Array} bytes */
  static async open(bytes) {
    const { File } = await import('jsfive');
    const isWhole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
    const whole = isWhole ? bytes : bytes.slice();
    const buffer = /** @type {ArrayBuffer} */ (whole.buffer);
    return new Hdf5(
      whole,
      guard(() => new File(buffer)),
    );
  }

  /** A text attribute of the root. @param {string} name @returns {string | undefined} */
  attribute(name) {
    const value = guard(() => this.#root.attrs[name]);
    return typeof value === 'string' ? withoutPadding(value) : undefined;
  }

  /** Paths of all datasets, without the leading slash. @returns {string[]} */
  get names() {
    return [...this.#all().keys()];
  }

  /** @param {string} name @returns {Tensor | undefined} */
  read(name) {
    const dataset = this.#all().get(name);
    return dataset && guard(() => this.#tensor(name, dataset));
  }

  #all() {
    if (this.#datasets) return this.#datasets;
    /** @type {Map<string, Dataset>} */
    const found = new Map();
    guard(() => collect(this.#root, '', { found, links: 0 }, 0));
    this.#datasets = found;
    return found;
  }

  /** @param {string} name @param {Dataset} dataset @returns {Tensor} */
  #tensor(name, dataset) {
    const { shape } = dataset;
    const dtype = DTYPES[String(dataset.dtype)];
    const count = sizeOf(shape);
    if (!dtype || !Number.isSafeInteger(count))
      throw convertFailure(
        'SOURCE_DAMAGED',
        `'${name}' has type ${String(dataset.dtype)} and shape [${shape}]`,
      );
    const stored = this.#contiguous(dataset, count * Number(String(dataset.dtype).slice(2)));
    if (stored) return { dtype, shape, data: fromBytes(dtype, stored) };
    if (count > Math.max(SMALL, this.#bytes.length * MAX_RATIO))
      throw convertFailure('SOURCE_DAMAGED', `'${name}' is larger than the file`);
    const data = Float64Array.from(dataset.value);
    if (data.length !== count) throw convertFailure('SOURCE_DAMAGED', `'${name}' is incomplete`);
    return { dtype, shape, data };
  }

  /**
   * The bytes of a dataset that is stored as one block. jsfive would turn them into an array of numbers one by one.
   * @param {Dataset} dataset
   * @param {number} length
   */
  #contiguous({ _dataobjects: objects }, length) {
    const [message] = objects.find_msg_type(DATA_LAYOUT);
    const [, , layout, at] = objects._get_data_message_properties(Number(message?.get('offset_to_message')));
    if (layout !== CONTIGUOUS) return undefined;
    const { buffer, byteOffset } = this.#bytes;
    const start = Number(new DataView(buffer, byteOffset).getBigUint64(at, true));
    if (start + length > this.#bytes.length)
      throw convertFailure('SOURCE_DAMAGED', 'the HDF5 file is shorter than its data');
    return this.#bytes.subarray(start, start + length);
  }
}

/**
 * @param {Group} group
 * @param {string} path
 * @param {{found: Map<string, Dataset>, links: number}} walk
 * @param {number} depth
 */
function collect(group, path, walk, depth) {
  if (depth > MAX_DEPTH)
    throw convertFailure('SOURCE_DAMAGED', 'the groups of the HDF5 file are nested too deeply');
  for (const key of group.keys) {
    if (++walk.links > MAX_LINKS)
      throw convertFailure(
        'SOURCE_DAMAGED',
        `the HDF5 file links to more than ${MAX_LINKS} groups and datasets`,
      );
    const name = path + key;
    const child = group.get(key);
    if (child === null) continue;
    if ('keys' in child && Array.isArray(child.keys)) collect(child, `${name}/`, walk, depth + 1);
    else walk.found.set(name, /** @type {Dataset} */ (child));
  }
}

/**
 * jsfive throws texts.
 * @template T
 * @param {() => T} read
 * @returns {T}
 */
function guard(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw convertFailure('SOURCE_DAMAGED', `the HDF5 file: ${reason}`, error);
  }
}
