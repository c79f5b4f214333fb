// Reads and writes the module's memory. Only wasm/engine/, wasm/train/trainer.js and wasm/train/detect/trainer.js handle addresses, and only this
// file creates views of the memory.
import { MAXIMUM_PAGES } from '../../dist/build.js';
import { OcelliError } from '../shared/errors.js';

/**
 * @typedef {readonly [type: string, offset: number, length?: number, stride?: number]} Field of a struct; with a
 *   length: an array
 * @typedef {{readonly size: number, readonly fields: {readonly [name: string]: Field}}} Layout of a C struct, in the
 *   format of dist/layout.js
 */

/**
 * @template {Field} F
 * @typedef {F[0] extends 'Text' ? string : F[0] extends 'Bool' ? boolean : number} Value
 */

/**
 * @template {Layout} L
 * @typedef {{-readonly [name in keyof L['fields']]: L['fields'][name]['length'] extends 2 ? Value<L['fields'][name]> : Value<L['fields'][name]>[]}} Values
 *   of a struct's fields; numbers may be addresses
 */

/**
 * @typedef {object} Put Copies the arguments of a call into the module's memory. Each function returns an address.
 * @property {(data: ArrayBufferView) => number} data
 * @property {<L extends Layout>(layout: L, ...structs: Values<L>[]) => number} structs one struct, or an array of them
 * @property {(sizeBytes: number) => number} space memory for the call's results; not cleared
 */

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

  /** A view of the whole memory, made again whenever the memory has grown. */
  get bytes() {
    if (this.#bytes.buffer !== this.#memory.buffer) this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  /** Size of the whole memory in bytes. */
  get sizeBytes() {
    return this.#memory.buffer.byteLength;
  }

  /** @param {number} sizeBytes */
  alloc(sizeBytes) {
    return this.reserve(sizeBytes, this.#alloc);
  }

  /**
   * Calls `allocate` and returns its address; throws OUT_OF_MEMORY if it fails. Sizes past the module's maximum fail
   * here, because `allocate` takes 32 bits and would get a truncated size.
   * @param {number} sizeBytes
   * @param {(sizeBytes: number) => number} allocate
   */
  reserve(sizeBytes, allocate) {
    const address = sizeBytes < MAXIMUM_BYTES ? allocate(sizeBytes) : 0;
    if (address === 0) throw new OcelliError('OUT_OF_MEMORY', `not enough memory for ${sizeBytes} bytes`);
    return address;
  }

  /**
   * Calls `use`, then frees the arguments that it put into memory.
   * @template T
   * @param {(put: Put) => T} use
   * @returns {T}
   */
  withArguments(use) {
    /** @type {number[]} */
    const addresses = [];
    /** @param {number} sizeBytes */
    const space = (sizeBytes) => {
      const address = this.alloc(Math.max(sizeBytes, 1));
      addresses.push(address);
      return address;
    };
    /** @param {ArrayBufferView} data */
    const data = (data) => {
      const address = space(data.byteLength);
      this.write(address, data);
      return address;
    };
    try {
      return use({ space, data, structs: (layout, ...structs) => data(packStructs(layout, structs)) });
    } finally {
      for (const address of addresses) this.#free(address);
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
   * A copy of `length` bytes, in a buffer of its own.
   * @param {number} address
   * @param {number} length
   */
  read(address, length) {
    return this.bytes.slice(address, address + length);
  }

  /**
   * A copy of `length` float32 numbers.
   * @param {number} address
   * @param {number} length
   */
  readFloats(address, length) {
    return new Float32Array(this.read(address, length * 4).buffer);
  }

  /**
   * @template {Layout} L
   * @param {number} address
   * @param {L} layout
   * @returns {Values<L>}
   */
  readStruct(address, { size, fields }) {
    const view = new DataView(this.#memory.buffer, address, size);
    /** @param {Field} field */
    const read = ([type, offset, length, stride = 0]) =>
      length === undefined
        ? this.#readValue(view, type, offset)
        : Array.from({ length }, (_, i) => this.#readValue(view, type, offset + i * stride));
    const entries = Object.entries(fields).map(([name, field]) => [name, read(field)]);
    return Object.fromEntries(entries);
  }

  /**
   * @param {any} view
   * @param {string} type
   * @param {number} offset
   */
  #readValue(view, type, offset) {
    if (type === 'Text') return this.string(view.getUint32(offset, true));
    if (type === 'Bool') return view.getUint8(offset) !== 0;
    return Number(view[`get${type}`](offset, true));
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

/**
 * @template {Layout} L
 * @param {L} layout
 * @param {Values<L>[]} structs
 */
function packStructs({ size, fields }, structs) {
  /** @type {any} */
  const view = new DataView(new ArrayBuffer(structs.length * size));
  for (const [i, values] of structs.entries()) {
    for (const [name, [type, offset, length = 1, stride = 0]] of Object.entries(fields)) {
      const set = type === 'Bool' ? 'setUint8' : `set${type}`;
      const elements = [values[name]].flat();
      for (let k = 0; k < length; k++) view[set](i * size + offset + k * stride, elements[k], true);
    }
  }
  return view;
}
