// Reads FlatBuffers by the numbers of their fields, with Google's library.
import { ByteBuffer } from 'flatbuffers';

export class Fields {
  #buffer;
  #at;

  /** @param {ByteBuffer} buffer @param {number} at */
  constructor(buffer, at) {
    this.#buffer = buffer;
    this.#at = at;
  }

  /** @param {Uint8Array} bytes */
  static root(bytes) {
    const buffer = new ByteBuffer(bytes);
    return new Fields(buffer, buffer.readInt32(0));
  }

  /** @param {number} id @returns {number} 0: absent */
  #field(id) {
    const offset = this.#buffer.__offset(this.#at, 4 + 2 * id);
    return offset === 0 ? 0 : this.#at + offset;
  }

  /** @param {number} id */
  byte(id) {
    const at = this.#field(id);
    return at === 0 ? undefined : this.#buffer.readInt8(at);
  }

  /** @param {number} id */
  int(id) {
    const at = this.#field(id);
    return at === 0 ? undefined : this.#buffer.readInt32(at);
  }

  /** @param {number} id */
  float(id) {
    const at = this.#field(id);
    return at === 0 ? undefined : this.#buffer.readFloat32(at);
  }

  /** @param {number} id */
  text(id) {
    const at = this.#field(id);
    return at === 0 ? undefined : String(this.#buffer.__string(at));
  }

  /** @param {number} id */
  table(id) {
    const at = this.#field(id);
    return at === 0 ? undefined : new Fields(this.#buffer, this.#buffer.__indirect(at));
  }

  /** @param {number} id @param {number} bytes of an element @returns {number[]} where the elements are */
  #vector(id, bytes) {
    const at = this.#field(id);
    if (at === 0) return [];
    const start = this.#buffer.__vector(at);
    return Array.from({ length: this.#buffer.__vector_len(at) }, (_, i) => start + i * bytes);
  }

  /** @param {number} id */
  tables(id) {
    return this.#vector(id, 4).map((at) => new Fields(this.#buffer, this.#buffer.__indirect(at)));
  }

  /** @param {number} id */
  floats(id) {
    return this.#vector(id, 4).map((at) => this.#buffer.readFloat32(at));
  }

  /** @param {number} id */
  ints(id) {
    return this.#vector(id, 4).map((at) => this.#buffer.readInt32(at));
  }

  /** @param {number} id */
  bytes(id) {
    return Uint8Array.from(this.#vector(id, 1).map((at) => this.#buffer.readUint8(at)));
  }
}
