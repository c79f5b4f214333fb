// How much each output channel's weights matter: the mean squared gradient, over calibration images, of a sum of the
// network's answers with random signs. Runs the network forward in the engine and backward by rules.js.
import { fromFields, kindOf, OPERATORS } from '../tflite/operators.js';
import { Means } from '../quantize/correct.js';
import { floatsOf } from '../quantize/float_model.js';
import { TYPE } from '../quantize/file.js';
import { featureMaps, Runner } from '../quantize/runner.js';
import { Backward } from './backward.js';
import { PASSING } from './derivatives.js';
import { failure } from './errors.js';
import { findMoves, isMove, movedInputs } from './moves.js';
import { FLAT, RULES } from './rules.js';

/**
 * @typedef {import('../quantize/file.js').Model} Model
 * @typedef {import('../quantize/file.js').Operator} Operator
 * @typedef {Map<number, Float64Array>} Sensitivity by kernel tensor: for each output channel, the mean squared gradient of
 *   its weights
 *
 * @typedef {Map<number, Float32Array>} Values by tensor
 *
 * @typedef {object} Measured
 * @property {Sensitivity} sensitivity
 * @property {Means} means of the channels of each layer's input
 */

/** Operators with weights. The axis of the kernel's output channels. @type {Record<string, number>} */
const KERNEL_AXES = { CONV_2D: 0, DEPTHWISE_CONV_2D: 3, FULLY_CONNECTED: 0 };

/**
 * The constant kernels that only layers with weights use.
 * @param {Model} model
 * @returns {Map<number, number>} tensor -> axis of its output channels
 */
export function findKernels({ tensors, operators, outputs }) {
  /** @type {Map<number, number>} */
  const axes = new Map();
  const others = new Set(outputs);
  for (const { code, inputs } of operators) {
    const axis = KERNEL_AXES[kindOf(code) ?? ''];
    inputs.forEach((input, i) => {
      const isKernel =
        i === 1 && axis !== undefined && tensors[input].data && tensors[input].type === TYPE.float32;
      if (isKernel && (axes.get(input) ?? axis) === axis) axes.set(input, axis);
      else others.add(input);
    });
  }
  return new Map([...axes].filter(([tensor]) => !others.has(tensor)));
}

/** The tensors that layers with these kernels read. @param {Model} model @param {Map<number, unknown>} kernels */
function layerInputs({ operators }, kernels) {
  return new Set(operators.filter(({ inputs }) => kernels.has(inputs[1])).map(({ inputs }) => inputs[0]));
}

export class SensitivityMeter {
  #model;
  #runner;
  #backward;
  #kernels;
  /** @type {Map<Operator, Float32Array[] | undefined>} */ #moves = new Map();
  #sums;
  #means = new Means();
  #numImages = 0;

  /** @param {Model} model @param {Runner} runner @param {Backward} backward */
  constructor(model, runner, backward) {
    this.#model = model;
    this.#runner = runner;
    this.#backward = backward;
    this.#kernels = findKernels(model);
    this.#sums = new Map(
      Array.from(this.#kernels, ([kernel, axis]) => [
        kernel,
        new Float64Array(model.tensors[kernel].shape[axis]),
      ]),
    );
  }

  /** @param {Model} model float */
  static async create(model) {
    return new SensitivityMeter(
      model,
      await Runner.create(model, featureMaps(model)),
      await Backward.create(),
    );
  }

  /**
   * @param {Float32Array} input the network's input for one image
   * @param {(values: Values) => Values} lossGradients values of the network's tensors -> gradients of the loss by some
   *   of them
   */
  async add(input, lossGradients) {
    const { operators } = this.#model;
    /** @type {Values} */
    const values = new Map();
    for (const { tensor, values: numbers } of this.#runner.run(input)) values.set(tensor, numbers);
    this.#addMeans(values);
    const gradients = lossGradients(values);
    for (const operator of operators.toReversed()) {
      const gradient = gradients.get(operator.outputs.find((output) => gradients.has(output)) ?? -1);
      if (gradient) await this.#step(operator, values, gradients);
      for (const output of operator.outputs) {
        gradients.delete(output);
        values.delete(output);
      }
    }
    this.#numImages++;
  }

  /** @returns {Measured} */
  get result() {
    return { sensitivity: this.#sensitivity, means: this.#means };
  }

  /** @returns {Sensitivity} */
  get #sensitivity() {
    const { tensors } = this.#model;
    return new Map(
      Array.from(this.#sums, ([kernel, sums]) => {
        const weights = floatsOf(tensors[kernel]).length / sums.length;
        return [kernel, sums.map((sum) => sum / weights / Math.max(this.#numImages, 1))];
      }),
    );
  }

  close() {
    this.#runner.close();
  }

  /** @param {Values} values */
  #addMeans(values) {
    const { tensors } = this.#model;
    for (const tensor of layerInputs(this.#model, this.#kernels)) {
      const found = values.get(tensor);
      if (found) this.#means.add(tensor, found, tensors[tensor].shape.at(-1) ?? 1);
    }
  }

  /** @param {Operator} operator @param {Values} values @param {Values} gradients */
  async #step(operator, values, gradients) {
    const kind = kindOf(operator.code) ?? operator.custom;
    if (FLAT.includes(kind)) return;
    if (isMove(kind)) return this.#moveBack(operator, values, gradients);
    const rule = RULES[kind];
    if (!rule) throw failure('NO_DERIVATIVE', this.#nameOf(operator, kind));
    rule(this.#callOf(kind, operator, values, gradients));
  }

  /** @param {Operator} operator @param {string} kind */
  #nameOf({ outputs: [output] }, kind) {
    return `${kind} ('${this.#model.tensors[output].name}')`;
  }

  /**
   * @param {string} kind
   * @param {Operator} operator
   * @param {Values} values
   * @param {Values} gradients
   * @returns {import('./rules.js').Call}
   */
  #callOf(kind, operator, values, gradients) {
    const { tensors } = this.#model;
    const options = OPERATORS[kind].options ? fromFields(kind, operator.options) : {};
    const [output] = operator.outputs;
    const y = /** @type {Float32Array} */ (values.get(output));
    const gradient = throughActivation(options, y, /** @type {Float32Array} */ (gradients.get(output)));
    const x = (/** @type {number} */ i) =>
      values.get(operator.inputs[i]) ?? floatsOf(tensors[operator.inputs[i]]);
    const wants = (/** @type {number} */ i) => this.#isComputed(operator.inputs[i], values);
    /** @param {number} i @param {Float32Array} added */
    const give = (i, added) => {
      if (wants(i)) addTo(gradients, operator.inputs[i], added);
    };
    return {
      ...{ kind, options, x, y, gradient, wants, give },
      inputs: operator.inputs.filter((i) => i >= 0).map((i) => tensors[i]),
      outputs: operator.outputs.map((i) => tensors[i]),
      runWindow: (window) => {
        const kernel = operator.inputs[1];
        if (!tensors[kernel].data) throw failure('NO_DERIVATIVE', this.#nameOf(operator, kind));
        const { squares, inputGradient } = this.#backward.run(window, {
          ...{ input: x(0), kernel: x(1), gradient, wantsInput: wants(0) },
        });
        const sums = this.#sums.get(kernel);
        if (sums) for (let c = 0; c < sums.length; c++) sums[c] += squares[c];
        if (inputGradient) give(0, inputGradient);
      },
    };
  }

  /** Whether a tensor depends on weights. @param {number} tensor @param {Values} values */
  #isComputed(tensor, values) {
    return values.has(tensor) && !this.#model.inputs.includes(tensor);
  }

  /** @param {Operator} operator @param {Values} values @param {Values} gradients */
  async #moveBack(operator, values, gradients) {
    const { tensors } = this.#model;
    const sources = movedInputs(tensors, operator);
    if (kindOf(operator.code) === 'RESHAPE') {
      addTo(gradients, sources[0], /** @type {Float32Array} */ (gradients.get(operator.outputs[0])));
      return;
    }
    if (!this.#moves.has(operator)) this.#moves.set(operator, await findMoves(this.#model, operator));
    const moves = this.#moves.get(operator);
    if (!moves) throw failure('NO_DERIVATIVE', this.#nameOf(operator, kindOf(operator.code) ?? ''));
    let first = 1;
    for (const source of sources) {
      const { length } = values.get(source) ?? floatsOf(tensors[source]);
      if (this.#isComputed(source, values))
        addTo(gradients, source, collect(operator.outputs, moves, gradients, first, length));
      first += length;
    }
  }
}

/**
 * The gradient of one moved input.
 * @param {number[]} outputs
 * @param {Float32Array[]} moves by output
 * @param {Values} gradients
 * @param {number} first the number of the input's first element
 * @param {number} length
 */
function collect(outputs, moves, gradients, first, length) {
  const sums = new Float32Array(length);
  outputs.forEach((output, k) => {
    const gradient = gradients.get(output);
    if (!gradient) return;
    moves[k].forEach((number, i) => {
      const at = number - first;
      if (at >= 0 && at < length) sums[at] += gradient[i];
    });
  });
  return sums;
}

/** @param {Values} gradients @param {number} tensor @param {Float32Array} added */
function addTo(gradients, tensor, added) {
  const known = gradients.get(tensor);
  const sums = known ? new Float32Array(added.length) : added;
  if (known) for (let i = 0; i < sums.length; i++) sums[i] = known[i] + added[i];
  gradients.set(tensor, sums);
}

/**
 * The gradient before the activation that the operator applies to its result.
 * @param {Record<string, any>} options
 * @param {Float32Array} y
 * @param {Float32Array} gradient
 */
function throughActivation({ activation }, y, gradient) {
  const limits = PASSING[activation];
  if (!limits) return gradient;
  const [low, high] = limits;
  const result = new Float32Array(gradient.length);
  for (let i = 0; i < result.length; i++) result[i] = y[i] > low && y[i] < high ? gradient[i] : 0;
  return result;
}
