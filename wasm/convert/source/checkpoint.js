// Reads tensors from a TensorFlow checkpoint, version 2: NAME.index, a LevelDB table that gives the position of each
// tensor, and its shards NAME.data-0000i-of-0000n.
import { crc32c, unmask } from './crc32c.js';
import { convertFailure } from '../errors.js';
import { reading } from '../../shared/errors.js';
import { BundleEntry, BundleHeader } from './messages.js';
import { decode } from './protobuf.js';
import { readTable } from './leveldb.js';
import { sizeOf } from '../../shared/numbers.js';
import { dtypeOf, fromBytes, shapeFromProto } from '../../tflite/tensor.js';

/** @typedef {import('../../tflite/tensor.js').Tensor} Tensor */

export class Checkpoint {
  #files;
  #prefix;
  #numShards;
  /** @type {Map<string, any>} */ #entries;
  /** @type {Map<number, Uint8Array>} */ #shards = new Map();

  /**
   * @param {import('./files.js').Files} files
   * @param {string} prefix
   * @param {number} numShards
   * @param {Map<string, any>} entries
   */
  constructor(files, prefix, numShards, entries) {
    this.#files = files;
    this.#prefix = prefix;
    this.#numShards = numShards;
    this.#entries = entries;
  }

  /**
   * @param {import('./files.js').Files} files
   * @param {string} prefix path without ".index"
   */
  static async open(files, prefix) {
    const index = await files.read(`${prefix}.index`);
    return reading(convertFailure, 'CHECKPOINT_DAMAGED', `${prefix}.index`, () => {
      const entries = new Map();
      let numShards = 0;
      for (const [key, value] of readTable(index)) {
        if (key === '') {
          const header = decode(BundleHeader, value);
          if (header.endianness)
            throw convertFailure('CHECKPOINT_DAMAGED', 'it is big-endian, which is not supported');
          numShards = header.numShards ?? 0;
        } else entries.set(key, decode(BundleEntry, value));
      }
      if (!(numShards >= 1 && numShards < 100000))
        throw convertFailure('CHECKPOINT_DAMAGED', `it has ${numShards} shards`);
      return new Checkpoint(files, prefix, numShards, entries);
    });
  }

  /** @param {string} key */
  has(key) {
    return this.#entries.has(key);
  }

  /**
   * @param {string} key
   * @returns {Promise<Tensor>}
   */
  async read(key) {
    const entry = this.#entries.get(key);
    if (entry === undefined) throw convertFailure('CHECKPOINT_INCOMPLETE', `there is no tensor '${key}'`);
    if (entry.slices) throw convertFailure('GRAPH_UNSUPPORTED', `the tensor '${key}' is stored in slices`);
    const { dtype: number, shardId = 0, offset = 0, size = 0 } = entry;
    const shard = await this.#shard(shardId);
    if (offset < 0 || size < 0 || offset + size > shard.length)
      throw convertFailure('CHECKPOINT_DAMAGED', `'${key}' extends beyond the end of its shard`);
    const bytes = shard.subarray(offset, offset + size);
    if (crc32c(bytes) !== unmask(entry.crc32c ?? 0))
      throw convertFailure('CHECKPOINT_DAMAGED', `'${key}' has a wrong checksum`);
    const dtype = dtypeOf(number);
    const shape = shapeFromProto(entry.shape) ?? [];
    const data = fromBytes(dtype, bytes);
    if (data.length !== sizeOf(shape))
      throw convertFailure(
        'CHECKPOINT_DAMAGED',
        `'${key}' has ${data.length} elements, but its shape is [${shape}]`,
      );
    return { dtype, shape, data };
  }

  /** @param {number} id */
  async #shard(id) {
    if (!(id >= 0 && id < this.#numShards))
      throw convertFailure('CHECKPOINT_DAMAGED', `there is no shard ${id}`);
    let bytes = this.#shards.get(id);
    if (bytes === undefined) {
      const [index, count] = [id, this.#numShards].map((n) => String(n).padStart(5, '0'));
      const name = `${this.#prefix}.data-${index}-of-${count}`;
      if (!this.#files.has(name)) throw convertFailure('CHECKPOINT_INCOMPLETE', `there is no file '${name}'`);
      bytes = await this.#files.read(name);
      this.#shards.set(id, bytes);
    }
    return bytes;
  }
}
