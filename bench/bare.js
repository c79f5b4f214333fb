// JavaScript interface of bench/bare/bare.c: the default detector in bare XNNPACK.
import { instantiate, place } from './module.js';

export class BareXnnpack {
  #exports;
  #memory;
  #network;

  /**
   * @param {import('./module.js').Instance} instance
   * @param {Uint8Array} model
   */
  constructor(instance, model) {
    this.#exports = instance.exports;
    this.#memory = instance.memory;
    const { exports } = instance;
    const address = place(instance, exports.ocl_bare_alloc, model);
    this.#network = exports.ocl_bare_create(address, model.length);
    if (this.#network === 0)
      throw new Error('bare XNNPACK runs only the default detector, and this is another model');
  }

  /**
   * @param {'simd' | 'relaxed'} variant
   * @param {Uint8Array} model
   */
  static async create(variant, model) {
    return new BareXnnpack(await instantiate(`bare-${variant}`), model);
  }

  /** @param {number} slot 0: the input; 1, 2, …: the outputs */
  #view(slot) {
    const address = this.#exports.ocl_bare_data(this.#network, slot);
    return new Float32Array(this.#memory.buffer, address, this.#exports.ocl_bare_length(this.#network, slot));
  }

  /** @param {Float32Array} tensor */
  writeInput(tensor) {
    this.#view(0).set(tensor);
  }

  /**
   * Returns a copy of an output.
   * @param {number} index
   */
  readOutput(index) {
    return this.#view(1 + index).slice();
  }

  run() {
    const status = this.#exports.ocl_bare_run(this.#network);
    if (status !== 0) throw new Error(`bare XNNPACK failed with xnn_status ${status}`);
  }
}
