// A network and its quantized twin on the same inputs: how close each tensor stays, how large and how fast they are.
import { Engine } from '../engine/engine.js';
import { host } from '../engine/host.js';
import { readSource } from '../vision/input.js';
import { chooseVariant } from '../engine/variant.js';
import { featureMaps, Runner } from './runner.js';

/**
 * @typedef {import('./file.js').Model} Model
 *
 * @typedef {object} LayerReport
 * @property {string} name of the tensor
 * @property {boolean} isInt8
 * @property {number} signalToNoise in dB
 *
 * @typedef {object} Report
 * @property {LayerReport[]} layers in the order that they are computed
 * @property {{float: number, quantized: number}} bytes
 * @property {{float: number, quantized: number}} ms median of a run, one thread
 * @property {number} images that it was calibrated on
 * @property {import('./detections.js').DetectionReport} [detections] of a detector
 */

const TIMED_RUNS = 15;
const COMPARED_INPUTS = 8;

/**
 * @param {object} parts
 * @param {Uint8Array<ArrayBuffer>} parts.bytes
 * @param {Uint8Array<ArrayBuffer>} parts.file
 * @param {Model} parts.model
 * @param {Model} parts.quantized with float inputs and outputs
 * @param {import('./plan.js').Plan} parts.plan
 * @param {Float32Array[]} parts.inputs
 */
export async function compare({ bytes, file, model, quantized, plan, inputs }) {
  return {
    layers: await compareLayers(model, quantized, plan, inputs.slice(0, COMPARED_INPUTS)),
    bytes: { float: bytes.length, quantized: file.length },
    ms: { float: await time(bytes), quantized: await time(file) },
  };
}

/**
 * @param {Model} model
 * @param {Model} quantized
 * @param {import('./plan.js').Plan} plan
 * @param {Float32Array[]} inputs
 * @returns {Promise<LayerReport[]>}
 */
async function compareLayers(model, quantized, { rules }, inputs) {
  const maps = featureMaps(model).filter((tensor) => !model.inputs.includes(tensor));
  const sums = new Map(maps.map((tensor) => [tensor, { signal: 0, noise: 0 }]));
  const int8 = new Set(model.operators.flatMap(({ outputs }, i) => (rules[i] ? outputs : [])));
  const runners = [await Runner.create(model, maps), await Runner.create(quantized, maps)];
  try {
    for (const input of inputs) {
      const [reals, stored] = runners.map((runner) => runner.run(input));
      for (const { tensor, values } of reals) {
        const { values: found } = /** @type {{values: Float32Array}} */ (stored.next().value);
        const sum = /** @type {{signal: number, noise: number}} */ (sums.get(tensor));
        for (let i = 0; i < values.length; i++) {
          sum.signal += values[i] ** 2;
          sum.noise += (values[i] - found[i]) ** 2;
        }
      }
    }
  } finally {
    for (const runner of runners) runner.close();
  }
  return Array.from(sums, ([tensor, { signal, noise }]) => ({
    name: model.tensors[tensor].name,
    isInt8: int8.has(tensor),
    signalToNoise: 10 * Math.log10(signal / noise),
  }));
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function time(bytes) {
  const { trustsRelaxed } = host();
  const variant = chooseVariant({ threads: 1, deterministic: false, trustsRelaxed });
  const engine = await Engine.create({ variant, threads: 1 });
  try {
    await engine.receiveModel(await readSource(bytes));
    engine.openModel();
    engine.buildModel();
    const times = Array.from({ length: TIMED_RUNS }, () => {
      const start = performance.now();
      engine.run();
      return performance.now() - start;
    });
    return times.sort((a, b) => a - b)[TIMED_RUNS >> 1];
  } finally {
    engine.close();
  }
}
