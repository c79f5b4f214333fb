// Reads the keys and values of a LevelDB table, the format of TensorFlow's checkpoint indices.
import { crc32c, unmask } from './crc32c.js';
import { convertFailure } from '../errors.js';
import { uncompress } from './snappy.js';

const FOOTER_BYTES = 48;
const MAGIC = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
const TRAILER_BYTES = 5; // compression type and checksum of a block
const SNAPPY = 1;

/**
 * @param {Uint8Array} bytes
 * @returns {Generator<[string, Uint8Array]>}
 */
export function* readTable(bytes) {
  const footer = bytes.subarray(bytes.length - FOOTER_BYTES);
  if (bytes.length < FOOTER_BYTES || !MAGIC.every((byte, i) => footer[FOOTER_BYTES - 8 + i] === byte))
    throw convertFailure('CHECKPOINT_DAMAGED', 'the index is not a LevelDB table, or is truncated');
  const cursor = new Cursor(footer);
  cursor.varint(); // The meta index block's offset and size are not needed.
  cursor.varint();
  const decoder = new TextDecoder();
  for (const [, handle] of readBlock(bytes, new Cursor(footer, cursor.at))) {
    for (const [key, value] of readBlock(bytes, new Cursor(handle))) yield [decoder.decode(key), value];
  }
}

/**
 * Reads the entries of the block at a handle's offset and size.
 * @param {Uint8Array} bytes
 * @param {Cursor} handle
 * @returns {Generator<[Uint8Array, Uint8Array]>}
 */
function* readBlock(bytes, handle) {
  const offset = handle.varint();
  const size = handle.varint();
  if (offset + size + TRAILER_BYTES > bytes.length)
    throw convertFailure('CHECKPOINT_DAMAGED', 'a block extends beyond the end of the index');
  const stored = bytes.subarray(offset, offset + size);
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + offset + size, TRAILER_BYTES);
  if (crc32c(bytes.subarray(offset, offset + size + 1)) !== unmask(trailer.getUint32(1, true)))
    throw convertFailure('CHECKPOINT_DAMAGED', 'a block of the index has a wrong checksum');
  yield* blockEntries(trailer.getUint8(0) === SNAPPY ? uncompress(stored) : stored);
}

/**
 * Reads the entries of a block. A key is stored as the length of the prefix it shares with the key before it, and the
 * rest.
 * @param {Uint8Array} block
 * @returns {Generator<[Uint8Array, Uint8Array]>}
 */
function* blockEntries(block) {
  const numRestarts =
    block.length < 4 ? -1 : new DataView(block.buffer, block.byteOffset).getUint32(block.length - 4, true);
  const end = block.length - 4 - 4 * numRestarts;
  if (numRestarts < 0 || end < 0)
    throw convertFailure('CHECKPOINT_DAMAGED', 'a block of the index has an invalid length');
  const cursor = new Cursor(block.subarray(0, end));
  let key = new Uint8Array(0);
  while (cursor.at < end) {
    const shared = cursor.varint();
    const [own, length] = [cursor.varint(), cursor.varint()];
    if (shared > key.length)
      throw convertFailure('CHECKPOINT_DAMAGED', 'a key of the index has an invalid prefix length');
    const next = new Uint8Array(shared + own);
    next.set(key.subarray(0, shared));
    next.set(cursor.take(own), shared);
    key = next;
    yield [key, cursor.take(length)];
  }
}

class Cursor {
  /**
   * @param {Uint8Array} bytes
   * @param {number} [at]
   */
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  varint() {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = this.take(1)[0];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw convertFailure('CHECKPOINT_DAMAGED', 'the index has an invalid varint');
  }

  /** @param {number} count */
  take(count) {
    if (this.at + count > this.bytes.length)
      throw convertFailure('CHECKPOINT_DAMAGED', 'unexpected end of the index');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
}
