// Inflates gzip files, piece by piece, by fflate, which does not compare the checksums.
import { FlateErrorCode, Gunzip } from 'fflate';
import { crc32 } from './crc.js';
import { joinInto } from './numbers.js';

/** Behind each member of a gzip file: its CRC-32 and its size, modulo 2^32. */
const TRAILER_BYTES = 8;
const NOTHING = new Uint8Array(0);

export class GzipReader {
  #stream;
  /** What is inflated of the current member. */
  #member = { crc: 0, size: 0 };
  /** How many bytes were pushed, and the last of them: the piece that content was inflated from, and those after it. */
  #pushedBytes = 0;
  /** @type {Uint8Array} */ #recent = NOTHING;
  #hasBegun = false;
  #hasInflated = false;
  #isOver = false;

  /** @param {(inflated: Uint8Array) => void} take */
  constructor(take) {
    this.#stream = new Gunzip((inflated) => {
      take(inflated);
      const { crc, size } = this.#member;
      this.#member = { crc: crc32(inflated, crc), size: size + inflated.length };
      this.#hasBegun = true;
      this.#hasInflated = true;
    });
    this.#stream.onmember = (start) => {
      this.#checkTrailer(this.#recent.subarray(0, start - (this.#pushedBytes - this.#recent.length)));
      this.#member = { crc: 0, size: 0 };
    };
  }

  /** @param {Uint8Array} piece of the file, which stays as it is */
  push(piece) {
    if (this.#isOver) {
      if (piece.some((byte) => byte !== 0)) throw new Error('other bytes follow it');
      return;
    }
    this.#pushedBytes += piece.length;
    this.#recent = joinInto(new Uint8Array(this.#recent.length + piece.length), [this.#recent, piece]);
    this.#hasInflated = false;
    try {
      this.#stream.push(piece);
    } catch (error) {
      // What follows a member is no other member: zeros, as gzip itself ignores them.
      if (!this.#hasBegun || /** @type {{code?: unknown}} */ (error).code !== FlateErrorCode.InvalidHeader)
        throw error;
      this.#checkTrailer(this.#recent);
      this.#isOver = true;
    }
    // The trailer begins in the piece that content was inflated from, or behind it.
    if (this.#hasInflated) this.#recent = piece;
  }

  /** Throws if the file is cut short. */
  end() {
    if (this.#isOver) return;
    this.#stream.push(NOTHING, true);
    this.#checkTrailer(this.#recent);
  }

  /** @param {Uint8Array} bytes that end in the member's trailer; zeros may follow it */
  #checkTrailer(bytes) {
    const trailer = new DataView(new ArrayBuffer(TRAILER_BYTES));
    trailer.setUint32(0, this.#member.crc, true);
    trailer.setUint32(4, this.#member.size, true);
    const expected = withoutZeros(new Uint8Array(trailer.buffer));
    const found = withoutZeros(bytes);
    const start = found.length - expected.length;
    if (start + TRAILER_BYTES > bytes.length || expected.some((byte, i) => byte !== found[start + i]))
      throw new Error('cut short, or its checksum is wrong');
  }
}

/** Without those at the end. @param {Uint8Array} bytes */
function withoutZeros(bytes) {
  return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
}
