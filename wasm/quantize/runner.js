// Runs a network and returns its inner tensors. The file is rewritten with these tensors as outputs, so that the engine
// keeps them.
import { Engine } from '../engine/engine.js';
import { host } from '../engine/host.js';
import { readSource } from '../vision/input.js';
import { chooseVariant } from '../engine/variant.js';
import { TYPE, writeFile } from './file.js';

/**
 * @typedef {import('./file.js').Model} Model
 * @typedef {{tensor: number, values: Float32Array, channels: number}} TensorValues values of one image; channels:
 *   size of the last dimension
 */

/** Opens a deterministic engine, so that quantization writes the same file on every machine. */
export async function openEngine(
  /** @type {Uint8Array<ArrayBuffer>} */ bytes,
  /** @type {string | undefined} */ signature = undefined,
) {
  const { trustsRelaxed } = host();
  const variant = chooseVariant({ threads: 1, deterministic: true, trustsRelaxed });
  const engine = await Engine.create({ variant, threads: 1, deterministic: true });
  try {
    const received = await engine.receiveModel(await readSource(bytes));
    const metadata = engine.openModel(signature);
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

  /** @param {Engine} engine @param {number[]} tensors the tensors that are the engine's outputs */
  constructor(engine, tensors) {
    this.#engine = engine;
    this.#tensors = tensors;
  }

  /** @param {Model} model @param {number[]} tensors the tensors to return */
  static async create(model, tensors) {
    const { engine } = await openEngine(
      writeFile({ ...model, outputs: tensors, signatures: [], metadata: [] }),
    );
    return new Runner(engine, tensors);
  }

  /** @param {import('../engine/engine.js').TensorData[]} inputs @returns {Generator<TensorValues>} */
  *run(...inputs) {
    for (const [i, input] of inputs.entries()) this.#engine.writeInput(i, input);
    this.#engine.run();
    for (const [i, tensor] of this.#tensors.entries()) {
      const { data, shape, quantization } = this.#engine.readOutput(i);
      yield { tensor, values: dequantize(data, quantization), channels: shape.at(-1) ?? 1 };
    }
  }

  close() {
    this.#engine.close();
  }
}

/**
 * Dequantizes int8 data. Float data is returned unchanged.
 * @param {import('../engine/engine.js').TensorData} data
 * @param {{scale: number, zeroPoint: number} | null} quantization
 */
export function dequantize(data, quantization) {
  if (data instanceof Float32Array || !quantization) return /** @type {Float32Array} */ (data);
  const { scale, zeroPoint } = quantization;
  const int8 = /** @type {Int8Array} */ (data);
  const floats = new Float32Array(int8.length);
  for (let i = 0; i < floats.length; i++) floats[i] = (int8[i] - zeroPoint) * scale;
  return floats;
}

/** The network's inputs and the tensors it computes, as far as they are float32 or int8. @param {Model} model */
export function featureMaps({ tensors, operators, inputs }) {
  const computed = operators.flatMap(({ outputs }) => outputs);
  return [...inputs, ...computed].filter(
    (i) => tensors[i].type === TYPE.float32 || tensors[i].type === TYPE.int8,
  );
}
