// A request -> what can be posted to a worker: inputs are captured or copied when the call is made.
import { failure } from '../shared/errors.js';
import { isFloatImages, measure, toPixels } from '../vision/input.js';
import { isTensor } from '../vision/session.js';
import { capture, readable } from './canvas.js';

/**
 * @typedef {import('../vision/types.js').Input} Input
 * @typedef {import('../vision/types.js').Request} Request
 * @typedef {{input: unknown, transfer: Transferable[], isFrame?: boolean}} PackedInput
 */

export class Packed {
  #inputs;

  /**
   * @param {Request} request
   * @param {PackedInput[]} inputs
   */
  constructor(request, inputs) {
    this.#inputs = inputs;
    this.request = { ...request, inputs: inputs.map(({ input }) => input) };
    this.transfer = inputs.flatMap(({ transfer }) => transfer);
  }

  /** @param {Request} request */
  static async pack(request) {
    const packing = request.inputs.map((input) => pack(input, request.reading.maxPixels));
    try {
      return new Packed(request, await Promise.all(packing));
    } catch (error) {
      for (const packed of packing) packed.then(drop, () => {});
      throw error;
    }
  }

  /**
   * Calls `post`; turns its refusal to copy an input into INVALID_INPUT.
   * @template T
   * @param {() => Promise<T>} post
   */
  async send(post) {
    try {
      return await post();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      if (!this.#inputs.some(({ isFrame }) => isFrame)) throw failure('INVALID_INPUT', error.message, error);
      return readable(() => {
        throw error;
      });
    }
  }

  /** Closes captured frames that were not posted: a browser allows few open frames. */
  drop() {
    this.#inputs.forEach(drop);
  }
}

/** @param {PackedInput} packed */
function drop({ input, isFrame }) {
  if (isFrame) /** @type {VideoFrame | ImageBitmap} */ (input).close();
}

/**
 * A drawable is captured, without a copy of its pixels. The user's bytes and pixels are copied, because a transfer would
 * take them away.
 * @param {Input} input
 * @param {number} maxPixels
 * @returns {Promise<PackedInput>}
 */
async function pack(input, maxPixels) {
  if (isTensor(input)) return copyTensor(input.tensor);
  if (isFloatImages(input)) {
    const data = input.data.slice();
    return { input: { data, shape: input.shape }, transfer: [data.buffer] };
  }
  if (measure(input)) {
    const frame = await capture(input);
    return { input: frame, transfer: [frame], isFrame: true };
  }
  const image = await toPixels(input, { maxPixels });
  if (image instanceof Uint8Array) {
    const bytes = image.slice();
    return { input: bytes, transfer: [bytes.buffer] };
  }
  const data = image.data.slice();
  return { input: { ...image, data }, transfer: [data.buffer] };
}

/**
 * @param {any} tensor the session reports one of a wrong type
 * @returns {PackedInput}
 */
function copyTensor(tensor) {
  if (!ArrayBuffer.isView(tensor) || tensor instanceof DataView) return { input: { tensor }, transfer: [] };
  const copy = /** @type {Float32Array<ArrayBuffer>} */ (tensor).slice();
  return { input: { tensor: copy }, transfer: [copy.buffer] };
}
