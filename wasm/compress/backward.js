// The backward pass of layers with weights, in the training module.
import { WINDOW } from '../../dist/layout.js';
import { Bridge } from '../engine/bridge.js';
import { host } from '../engine/host.js';
import { instantiate } from '../engine/instance.js';

/** @typedef {import('../engine/memory.js').Values<typeof WINDOW>} Window */

export class Backward {
  #bridge;
  #exports;

  /**
   * @param {import('../engine/bridge.js').Exports} exports
   * @param {WebAssembly.Memory} memory
   */
  constructor(exports, memory) {
    this.#bridge = new Bridge(exports, memory);
    this.#exports = exports;
  }

  /** Plain SIMD: the same bits on every machine. */
  static async create() {
    const { exports, memory } = await instantiate(await host().loadModule('train-simd'));
    return new Backward(exports, memory);
  }

  /**
   * @param {Window} window
   * @param {{input: Float32Array, kernel: Float32Array, gradient: Float32Array, wantsInput: boolean}} arrays `gradient`
   *   of the loss by the outputs; `wantsInput`: whether to return that by the inputs
   * @returns {{squares: Float64Array, inputGradient?: Float32Array}} `squares`: for each output channel, the sum of the
   *   squared gradients of its weights
   */
  run(window, { input, kernel, gradient, wantsInput }) {
    const { memory } = this.#bridge;
    return this.#bridge.guard((put) => {
      const squares = put.space(8 * window.outChannels);
      const inputGradient = wantsInput ? put.space(input.byteLength) : 0;
      this.#bridge.check(
        this.#exports.ocl_train_backward(
          put.structs(WINDOW, window),
          put.data(input),
          put.data(kernel),
          put.data(gradient),
          squares,
          inputGradient,
        ),
      );
      return {
        squares: new Float64Array(memory.read(squares, 8 * window.outChannels).buffer),
        ...(wantsInput && { inputGradient: memory.readFloats(inputGradient, input.length) }),
      };
    });
  }
}
