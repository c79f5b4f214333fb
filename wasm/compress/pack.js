// A float network with the sensitivity of its kernels -> the same network with constants stored in fewer bytes: int8
// with a scale for each output channel, or float16, each behind a DEQUANTIZE.
import { OPERATORS } from '../tflite/operators.js';
import { toHalves } from '../tflite/tensor.js';
import { floatsOf, toBytes } from '../quantize/float_model.js';
import { TYPE } from '../quantize/file.js';
import { depthOf, meanAccumulators } from '../quantize/weights.js';
import { findKernels } from './sensitivity.js';
import { chooseSteps } from './steps.js';

/**
 * @typedef {import('../quantize/file.js').Model} Model
 * @typedef {import('../quantize/file.js').Operator} Operator
 * @typedef {import('../quantize/file.js').Tensor} Tensor
 * @typedef {import('./steps.js').Stored} Stored
 * @typedef {import('./sensitivity.js').Measured} Measured
 * @typedef {import('./steps.js').Kernel & {axis: number, depth: number}} Kernel depth: how many input channels an output
 *   channel reads
 * @typedef {{int8: number, float16: number, float32: number}} Counts weights in each form
 */

/** Operator versions of DEQUANTIZE. */
const FROM_HALF = 3;
const FROM_CHANNELS = 5;
/** The largest float16. Constants beyond it stay in float32. */
const MAX_HALF = 65504;

/** The kernels in the form that steps.js takes. @param {Model} model @returns {Map<number, Kernel>} by tensor */
export function readKernels(model) {
  return new Map(
    Array.from(findKernels(model), ([tensor, axis]) => {
      const values = floatsOf(model.tensors[tensor]);
      const { shape } = model.tensors[tensor];
      const channels = shape[axis];
      const block = axis === 0 ? values.length / channels : 1;
      const channelOf = (/** @type {number} */ i) => Math.floor(i / block) % channels;
      return [tensor, { values, channels, channelOf, axis, depth: depthOf(shape, axis) }];
    }),
  );
}

/**
 * @param {Model} model float
 * @param {Map<number, Kernel>} kernels
 * @param {Measured} measured
 * @param {{lambda: number, halves: Set<string>}} options `halves`: names of the constants that the source stores in
 *   float16
 * @returns {{packed: Model, weights: Counts}}
 */
export function pack(model, kernels, { sensitivity, means }, { lambda, halves }) {
  const steps = new Map(
    Array.from(kernels, ([tensor, kernel]) => [
      tensor,
      chooseSteps(kernel, /** @type {Float64Array} */ (sensitivity.get(tensor)), lambda),
    ]),
  );
  const packing = new Packing(correctBiases(model, kernels, steps, means));
  const weights = { int8: 0, float16: 0, float32: 0 };
  model.tensors.forEach(({ name }, i) => {
    const stored = steps.get(i);
    const kernel = kernels.get(i);
    if (stored && kernel) packing.storeInt8(i, stored, kernel.axis);
    else if (kernel || halves.has(name)) packing.storeHalves(i);
    if (kernel)
      weights[stored ? 'int8' : packing.isConstant(i) ? 'float32' : 'float16'] += kernel.values.length;
  });
  return { packed: packing.model, weights };
}

class Packing {
  #model;
  #tensors;
  /** @type {Operator[]} */ #unpacking = [];

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
    this.#tensors = [...model.tensors];
  }

  get model() {
    return {
      ...this.#model,
      tensors: this.#tensors,
      operators: [...this.#unpacking, ...this.#model.operators],
    };
  }

  /** Whether the tensor is stored as it was. @param {number} tensor */
  isConstant(tensor) {
    return this.#tensors[tensor].data !== undefined;
  }

  /** @param {number} tensor @param {Stored} steps @param {number} axis */
  storeInt8(tensor, { scales, stored }, axis) {
    const quantization = { scales: [...scales], zeroPoints: Array.from(scales, () => 0), axis };
    this.#store(tensor, { type: TYPE.int8, data: toBytes(stored), quantization }, FROM_CHANNELS);
  }

  /** Values that float16 cannot hold stay as they are. @param {number} tensor */
  storeHalves(tensor) {
    const values = floatsOf(this.#tensors[tensor]);
    if (!values.every((value) => Math.abs(value) <= MAX_HALF)) return;
    const data = toBytes(toHalves(values));
    this.#store(tensor, { type: TYPE.float16, data }, FROM_HALF);
  }

  /** @param {number} tensor @param {Partial<Tensor>} stored @param {number} version of DEQUANTIZE */
  #store(tensor, stored, version) {
    const original = this.#tensors[tensor];
    const input = this.#tensors.push({ ...original, ...stored, name: `${original.name}/stored` }) - 1;
    this.#tensors[tensor] = { ...original, data: undefined };
    const options = { optionsType: 0, options: [], custom: '' };
    const { code } = OPERATORS.DEQUANTIZE;
    this.#unpacking.push({ ...options, code, version, inputs: [input], outputs: [tensor] });
  }
}

/**
 * Rounding the weights shifts the mean of each output channel; the corrected bias removes the shift. A bias that several
 * layers share stays as it is.
 * @param {Model} model
 * @param {Map<number, Kernel>} kernels
 * @param {Map<number, Stored | undefined>} steps by kernel
 * @param {Measured['means']} means
 * @returns {Model}
 */
function correctBiases(model, kernels, steps, means) {
  const tensors = [...model.tensors];
  const uses = model.operators.flatMap(({ inputs }) => inputs);
  for (const operator of model.operators) {
    const [input, tensor, bias = -1] = operator.inputs;
    const kernel = kernels.get(tensor);
    const stored = steps.get(tensor);
    const isOwn = bias >= 0 && tensors[bias].data && uses.filter((used) => used === bias).length === 1;
    if (!kernel || !stored || !isOwn || !means.has(input)) continue;
    const channelMeans = means.meansOf(input);
    // A flattened image has no channels.
    if (channelMeans.length < kernel.depth) continue;
    const shifts = meanShifts(kernel, stored, channelMeans);
    const values = floatsOf(tensors[bias]).map((value, c) => value + shifts[c]);
    tensors[bias] = { ...tensors[bias], data: toBytes(values) };
  }
  return { ...model, tensors };
}

/** @param {Kernel} kernel @param {Stored} stored @param {Float64Array} means of the input's channels */
function meanShifts({ values, channels, channelOf, depth }, { scales, stored }, means) {
  const errors = values.map((value, i) => value - stored[i] * scales[channelOf(i)]);
  return meanAccumulators({ channels, channelOf, depth }, errors, means);
}
