// The one place that touches the module's memory: addresses and heap views stay in here and in engine.js.
import { MAXIMUM_PAGES } from '../../dist/build.js';
import { OcelliError } from '../shared/errors.js';

const text = new TextDecoder();
const MAXIMUM_BYTES = MAXIMUM_PAGES * 65536;

export class Memory {
  /** @type {Uint8Array} */ #bytes = new Uint8Array(0);
  #memory;
  #alloc;
  #free;

  /**
   * @param {WebAssembly.Memory} memory
   * @param {{alloc: (sizeBytes: number) => number, free: (address: number) => void}} heap
   */
  constructor(memory, { alloc, free }) {
    this.#memory = memory;
    this.#alloc = alloc;
    this.#free = free;
  }

  /** The whole memory; a view from before the memory grew is replaced. */
  get bytes() {
    if (this.#bytes.buffer !== this.#memory.buffer) this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  /** Bytes that the module holds from the host. */
  get sizeBytes() {
    return this.#memory.buffer.byteLength;
  }

  /** @param {number} sizeBytes */
  alloc(sizeBytes) {
    return this.reserve(sizeBytes, this.#alloc);
  }

  /**
   * The address that `allocate` gives. It takes 32 bits: what could not be held anyway must not come to it as a
   * remainder.
   * @param {number} sizeBytes
   * @param {(sizeBytes: number) => number} allocate
   */
  reserve(sizeBytes, allocate) {
    const address = sizeBytes < MAXIMUM_BYTES ? allocate(sizeBytes) : 0;
    if (address === 0) throw new OcelliError('OUT_OF_MEMORY', `not enough memory: ${sizeBytes} bytes`);
    return address;
  }

  /**
   * Runs `use` with a copy of `data` in memory, which is freed afterwards.
   * @template T
   * @param {ArrayBufferView} data
   * @param {(address: number) => T} use
   * @returns {T}
   */
  withCopy(data, use) {
    const address = this.alloc(Math.max(data.byteLength, 1));
    try {
      this.write(address, data);
      return use(address);
    } finally {
      this.#free(address);
    }
  }

  /**
   * @param {number} address
   * @param {ArrayBufferView} data
   */
  write(address, data) {
    this.bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), address);
  }

  /**
   * A copy of `length` bytes, its own buffer.
   * @param {number} address
   * @param {number} length
   */
  read(address, length) {
    return this.bytes.slice(address, address + length);
  }

  /**
   * A view for reading one C struct's fields; use it at once.
   * @param {number} address
   * @param {number} sizeBytes
   */
  struct(address, sizeBytes) {
    return new DataView(this.#memory.buffer, address, sizeBytes);
  }

  /**
   * A NUL-terminated UTF-8 string.
   * @param {number} address
   */
  string(address) {
    if (address === 0) return '';
    const bytes = this.bytes;
    return text.decode(bytes.slice(address, bytes.indexOf(0, address)));
  }
}
