// Cases of tests/data as an engine is asked them: what is written to a network, what TFLite answers, how far from it an
// answer may be. Tolerances: tests/data/README.md. The module's tests and the native ones share them.
import { readFileSync } from 'node:fs';
import { roundEven } from '../wasm/shared/numbers.js';
import { maxAbs } from './node/numbers.js';

/**
 * @typedef {Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array} Numbers
 * @typedef {object} GoldenOutput found by its name, or else by its number of elements
 * @property {string} name
 * @property {number[]} shape for one input
 * @property {number[]} values for each input, one after the other
 * @property {number} limit of the difference
 * @property {number} cosine at least; -1: any
 * @typedef {object} GoldenCase
 * @property {string} name
 * @property {string | Uint8Array} model path, or the file itself
 * @property {Numbers[]} inputs each written to the first input, then run
 * @property {GoldenOutput[]} outputs
 * @property {boolean} hasDetections whether the first three outputs are those of TFLite_Detection_PostProcess, which are
 *   compared detection by detection
 * @property {boolean} isBatchFree whether all inputs as one batch give the same outputs
 */

const VIEWS = {
  float32: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
};
/** @type {(dtype: string) => {new (buffer: ArrayBuffer): Numbers}} */
const viewOf = (dtype) => VIEWS[/** @type {keyof typeof VIEWS} */ (dtype)];

/**
 * @param {string} path
 * @param {string} dtype
 */
const readNumbers = (path, dtype) => toNumbers(readFileSync(path), dtype);
/** @param {Uint8Array} bytes @param {string} dtype */
const toNumbers = (bytes, dtype) => new (viewOf(dtype))(new Uint8Array(bytes).buffer);
/** @param {string} path @param {string} dtype */
const readValues = (path, dtype) => Array.from(readNumbers(path, dtype), Number);

/**
 * @param {any} operatorCase of ops/*.json
 * @param {string} folder of the model, its input and its outputs
 * @returns {GoldenCase}
 */
export function readOperatorCase({ name, pack, model, input, outputs }, folder) {
  // A file of the case: named, or a part of the family's pack.
  const read = (/** @type {string | [number, number]} */ file) =>
    typeof file === 'string' ? readFileSync(`${folder}/${file}`) : readPart(`${folder}/${pack}`, ...file);
  return {
    name,
    model: pack === undefined ? `${folder}/${model}` : read(model),
    inputs: [toNumbers(read(input.file), input.dtype)],
    outputs: outputs.map((/** @type {any} */ output) => readOperatorOutput(name, output, read(output.file))),
    hasDetections: false,
    isBatchFree: false,
  };
}

/** @type {Map<string, Uint8Array>} */
const packs = new Map();

/** @param {string} path @param {number} offset @param {number} size */
function readPart(path, offset, size) {
  const pack = packs.get(path) ?? readFileSync(path);
  packs.set(path, pack);
  return new Uint8Array(pack.subarray(offset, offset + size));
}

/**
 * @param {string} name of the case
 * @param {any} output
 * @param {Uint8Array} bytes
 * @returns {GoldenOutput}
 */
function readOperatorOutput(name, { dtype, shape }, bytes) {
  const values = Array.from(toNumbers(bytes, dtype), Number);
  return { name: '', shape, values, limit: operatorLimit(name, dtype, values), cosine: -1 };
}

/**
 * @param {string} name
 * @param {string} dtype
 * @param {number[]} reference
 */
function operatorLimit(name, dtype, reference) {
  if (['int32', 'int64', 'bool'].includes(dtype)) return 0;
  if (dtype !== 'float32') return /softmax|logistic|mean|hard/.test(name) ? 2 : 1;
  // Dequantized at the end: the stored value's step, which the outputs themselves show.
  if (name.endsWith('.int8float')) return 1.01 * smallestStep(reference);
  return 1e-5 * maxAbs(reference);
}

/** @param {number[]} values */
function smallestStep(values) {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const steps = sorted.slice(1).map((value, i) => value - sorted[i]);
  return Math.min(...steps.filter((step) => step > 1e-6));
}

/**
 * @param {any} modelCase of models/cases.json
 * @param {string} folder of the model, its input and its outputs
 * @returns {GoldenCase}
 */
export function readModelCase({ model, input, outputs, dynamic_batch }, folder) {
  const pixels = new Uint8Array(readFileSync(`${folder}/${input.pixels}`));
  const perPhoto = pixels.length / 3;
  return {
    name: model.replace(/\.tflite$/, ''),
    model: `${folder}/${model}`,
    inputs: [0, 1, 2].map((p) => toInput(pixels.subarray(p * perPhoto, (p + 1) * perPhoto), input)),
    outputs: outputs.map((/** @type {any} */ output) => readModelOutput(model, output, folder)),
    hasDetections: outputs[0].differs_from_tflite_builtin_and_reference_kernels === null,
    isBatchFree: dynamic_batch,
  };
}

/**
 * @param {string} model
 * @param {any} output
 * @param {string} folder
 * @returns {GoldenOutput}
 */
function readModelOutput(model, output, folder) {
  const values = readValues(`${folder}/${output.file}`, output.dtype);
  return { name: output.name, shape: output.shape_per_photo, values, ...modelLimits(model, output, values) };
}

/**
 * @param {string} model
 * @param {any} output
 * @param {number[]} reference
 */
function modelLimits(model, output, reference) {
  const differences = output.differs_from_tflite_builtin_and_reference_kernels;
  if (differences === null) return { limit: Infinity, cosine: -1 };
  if (output.name.startsWith('TFLite_Detection_PostProcess')) return { limit: 0, cosine: -1 };
  if (/fp(32|16)\.tflite$/.test(model)) return { limit: 1e-4 * maxAbs(reference), cosine: -1 };
  const limit = Math.max(...differences);
  if (limit === 0) return { limit: Infinity, cosine: 0.99 };
  return { limit, cosine: Math.min(...output.cosine_to_tflite_builtin_and_reference_kernels) - 0.003 };
}

/**
 * Pixels as the model's input, computed in float32 as the references were.
 * @param {Uint8Array} pixels
 * @param {any} input
 */
function toInput(pixels, { dtype, scale, offset, quantization: [step, zeroPoint] }) {
  const f = Math.fround;
  const data = new (viewOf(dtype))(new ArrayBuffer(pixels.length * (dtype === 'float32' ? 4 : 1)));
  const [low, high] = dtype === 'int8' ? [-128, 127] : [0, 255];
  for (let i = 0; i < pixels.length; i++) {
    if (scale === null) data[i] = pixels[i];
    else {
      const real = f(f(pixels[i] * f(scale)) + f(offset));
      data[i] =
        dtype === 'float32' ? real : Math.min(Math.max(roundEven(f(real / f(step))) + zeroPoint, low), high);
    }
  }
  return data;
}
