// Runs a network on images and hands out every tensor: the file is written anew with all of them as outputs, which the
// engine then keeps.
import { Engine } from '../engine/engine.js';
import { host } from '../engine/host.js';
import { readSource } from '../vision/input.js';
import { chooseVariant } from '../engine/variant.js';
import { TYPE, writeFile } from './file.js';

/**
 * @typedef {import('./file.js').Model} Model
 * @typedef {{tensor: number, values: Float32Array, channels: number}} Seen of one image; channels: the last dimension
 */

/** Plain SIMD and one choice of kernels: the same file comes out everywhere. */
export async function openEngine(/** @type {Uint8Array<ArrayBuffer>} */ bytes) {
  const { trustsRelaxed } = host();
  const variant = chooseVariant({ threads: 1, deterministic: true, trustsRelaxed });
  const engine = await Engine.create({ variant, threads: 1, deterministic: true });
  try {
    const received = await engine.receiveModel(await readSource(bytes));
    const metadata = engine.openModel();
    engine.buildModel();
    return { engine, received, metadata };
  } catch (error) {
    engine.close();
    throw error;
  }
}

export class Runner {
  #engine;
  #tensors;

  /** @param {Engine} engine @param {number[]} tensors its outputs */
  constructor(engine, tensors) {
    this.#engine = engine;
    this.#tensors = tensors;
  }

  /** @param {Model} model @param {number[]} tensors to look at */
  static async create(model, tensors) {
    const { engine } = await openEngine(
      writeFile({ ...model, outputs: tensors, signatures: [], metadata: [] }),
    );
    return new Runner(engine, tensors);
  }

  /** @param {import('../engine/engine.js').TensorData} input @returns {Generator<Seen>} */
  *run(input) {
    this.#engine.writeInput(0, input);
    this.#engine.run();
    for (const [i, tensor] of this.#tensors.entries()) {
      const { data, shape, quantization } = this.#engine.readOutput(i);
      yield { tensor, values: toReals(data, quantization), channels: shape.at(-1) ?? 1 };
    }
  }

  close() {
    this.#engine.close();
  }
}

/**
 * @param {import('../engine/engine.js').TensorData} data
 * @param {{scale: number, zeroPoint: number} | null} quantization
 */
export function toReals(data, quantization) {
  if (data instanceof Float32Array || !quantization) return /** @type {Float32Array} */ (data);
  const { scale, zeroPoint } = quantization;
  const stored = /** @type {Int8Array} */ (data);
  const reals = new Float32Array(stored.length);
  for (let i = 0; i < reals.length; i++) reals[i] = (stored[i] - zeroPoint) * scale;
  return reals;
}

/** The float feature maps that a network computes. @param {Model} model */
export function featureMaps({ tensors, operators, inputs }) {
  const computed = operators.flatMap(({ outputs }) => outputs);
  return [...inputs, ...computed].filter(
    (i) => tensors[i].type === TYPE.float32 || tensors[i].type === TYPE.int8,
  );
}
