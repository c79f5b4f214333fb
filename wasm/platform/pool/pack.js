// A request -> what can be posted to a worker: inputs are captured or copied when the call is made.
import { failure } from '../../shared/errors.js';
import { attempt, detach, isFloatImages, measure, toPixels } from '../../vision/input.js';
import { isTensor } from '../../vision/session.js';
import { capture, readable } from '../canvas.js';

/**
 * @typedef {import('../../vision/types.js').Input} Input
 * @typedef {import('../../vision/types.js').Request} Request
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

  /**
   * What is in memory is copied before this function returns.
   * @param {Request} request
   * @param {import('../../vision/limits.js').CallLimit} limit ends the reading of inputs
   * @returns {Packed | Promise<Packed>}
   */
  static pack(request, limit) {
    const packing = request.inputs.map((input) =>
      attempt(() => pack(input, request.reading.maxPixels, limit)),
    );
    if (packing.some((packed) => packed instanceof Promise)) return join(request, packing);
    return new Packed(request, /** @type {PackedInput[]} */ (packing));
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

/**
 * @param {Request} request
 * @param {(PackedInput | Promise<PackedInput>)[]} packing
 */
async function join(request, packing) {
  try {
    return new Packed(request, await Promise.all(packing));
  } catch (error) {
    for (const packed of packing) Promise.resolve(packed).then(drop, () => {});
    throw error;
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
 * @param {import('../../vision/limits.js').CallLimit} limit
 * @returns {PackedInput | Promise<PackedInput>}
 */
function pack(input, maxPixels, limit) {
  if (isTensor(input)) {
    const { tensor } = /** @type {typeof input} */ (detach(input));
    return { input: { tensor }, transfer: tensor === input.tensor ? [] : [tensor.buffer] };
  }
  if (isFloatImages(input)) {
    const { data, shape } = /** @type {import('../../vision/types.js').FloatImages} */ (detach(input));
    return { input: { data, shape }, transfer: [data.buffer] };
  }
  if (measure(input)) return packFrame(input);
  const image = toPixels(input, { maxPixels, limit });
  return image instanceof Promise ? image.then(packOwn) : packOwn(detach(image));
}

/** @param {unknown} drawable @returns {Promise<PackedInput>} */
async function packFrame(drawable) {
  const frame = await capture(drawable);
  return { input: frame, transfer: [frame], isFrame: true };
}

/** @param {import('../../vision/input.js').FileOrPixels} image in memory that is not the user's @returns {PackedInput} */
function packOwn(image) {
  const { buffer } = image instanceof Uint8Array ? image : image.data;
  return { input: image, transfer: [buffer] };
}
