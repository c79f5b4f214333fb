// Compares a float network with its quantized version on the same inputs: error of each tensor, file size, run time.
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
 * @property {boolean} isInt8 whether the quantized network computes it in int8
 * @property {number} signalToNoise in dB; the noise is the difference from the float network;
 *   Infinity: there is none
 *
 * @typedef {object} Report
 * @property {LayerReport[]} layers in execution order
 * @property {{float: number, quantized: number}} bytes file sizes
 * @property {{float: number, quantized: number}} ms median run time on one thread
 * @property {number} images number of calibration images
 * @property {import('./detections.js').DetectionReport} [detections] only if the model is a detector
 */

const TIMED_RUNS = 15;
const COMPARED_INPUTS = 8;

/**
 * @param {object} parts
 * @param {Uint8Array<ArrayBuffer>} parts.bytes the float file
 * @param {string} [parts.signature] the signature of the float file that was quantized
 * @param {Uint8Array<ArrayBuffer>} parts.file the quantized file
 * @param {Model} parts.model the float model
 * @param {Model} parts.quantized the quantized model, with float inputs and outputs
 * @param {import('./plan.js').Plan} parts.plan
 * @param {Float32Array[]} parts.inputs
 */
export async function compare({ bytes, signature, file, model, quantized, plan, inputs }) {
  return {
    layers: await compareLayers(model, quantized, inputs, int8Outputs(model, plan)),
    bytes: { float: bytes.length, quantized: file.length },
    ms: { float: await measureTime(bytes, signature), quantized: await measureTime(file) },
  };
}

/** The tensors that int8 operators compute. @param {Model} model @param {import('./plan.js').Plan} plan */
function int8Outputs({ operators }, { rules }) {
  return new Set(operators.flatMap(({ outputs }, i) => (rules[i] ? outputs : [])));
}

/**
 * @param {Model} model
 * @param {Model} quantized with the same tensors at the same indices, and others after them
 * @param {Float32Array[]} inputs some of them are used
 * @param {Set<number>} int8 tensors that the quantized network computes in int8
 * @returns {Promise<LayerReport[]>}
 */
export async function compareLayers(model, quantized, inputs, int8) {
  const maps = featureMaps(model).filter((tensor) => !model.inputs.includes(tensor));
  const sums = new Map(maps.map((tensor) => [tensor, { signal: 0, noise: 0 }]));
  const runners = [await Runner.create(model, maps), await Runner.create(quantized, maps)];
  try {
    for (const input of inputs.slice(0, COMPARED_INPUTS)) {
      const [float, dequantized] = runners.map((runner) => runner.run(input));
      for (const { tensor, values } of float) {
        const { values: actual } = /** @type {{values: Float32Array}} */ (dequantized.next().value);
        const sum = /** @type {{signal: number, noise: number}} */ (sums.get(tensor));
        for (let i = 0; i < values.length; i++) {
          sum.signal += values[i] ** 2;
          sum.noise += (values[i] - actual[i]) ** 2;
        }
      }
    }
  } finally {
    for (const runner of runners) runner.close();
  }
  return Array.from(sums, ([tensor, { signal, noise }]) => ({
    name: model.tensors[tensor].name,
    isInt8: int8.has(tensor),
    signalToNoise: noise === 0 ? Infinity : 10 * Math.log10(signal / noise),
  }));
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes of a .tflite file
 * @param {string} [signature]
 * @returns {Promise<number>} ms, median of a run
 */
async function measureTime(bytes, signature) {
  const { trustsRelaxed } = host();
  const variant = chooseVariant({ threads: 1, deterministic: false, trustsRelaxed });
  const engine = await Engine.create({ variant, threads: 1 });
  try {
    await engine.receiveModel(await readSource(bytes));
    engine.openModel(signature);
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
