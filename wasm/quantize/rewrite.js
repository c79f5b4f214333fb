// A float network, a plan and scales -> the quantized network: what works in 8 bits gets int8 tensors, and where it meets
// what does not, QUANTIZE and DEQUANTIZE stand between. Tensors keep their numbers; new ones come after them.
import { TYPE } from './file.js';
import { floatsOf, toBytes } from './float_model.js';
import { dataInputs, DEQUANTIZE, int8Version, QUANTIZE } from './operators.js';
import { toInt8 } from './ranges.js';
import { biasTensor, kernelTensor } from './weights.js';

/**
 * @typedef {import('./file.js').Model} Model
 * @typedef {import('./file.js').Operator} Operator
 * @typedef {import('./file.js').Tensor} Tensor
 * @typedef {import('./operators.js').Rule} Rule
 * @typedef {{scale: number, zeroPoint: number}} Scale
 *
 * @typedef {object} Numbers
 * @property {(tensor: number) => Scale} scaleOf a feature map's
 * @property {Map<number, import('./weights.js').Weights>} weights by operator
 * @property {Map<number, Float64Array>} biases by operator
 *
 * @typedef {'float32' | 'int8' | 'uint8'} PortType
 */

const PROBABILITY = { scale: 1 / 256, zeroPoint: -128 };

/**
 * @param {Model} model
 * @param {import('./plan.js').Plan} plan
 * @param {Numbers} numbers
 * @param {{inputType: PortType, outputType: PortType}} ports
 * @returns {Model}
 */
export function rewrite(model, plan, numbers, ports) {
  return new Rewriting(model, plan, numbers, ports).model;
}

class Rewriting {
  /** @type {Tensor[]} */ #tensors;
  /** @type {Operator[]} */ #operators = [];
  /** @type {Map<string, number>} */ #versions = new Map();
  #plan;
  #numbers;

  /**
   * @param {Model} model
   * @param {import('./plan.js').Plan} plan
   * @param {Numbers} numbers
   * @param {{inputType: PortType, outputType: PortType}} ports
   */
  constructor(model, plan, numbers, { inputType, outputType }) {
    this.#plan = plan;
    this.#numbers = numbers;
    this.#tensors = [...model.tensors];
    if (inputType !== 'float32') model.inputs.forEach((input) => this.#typeInput(input, inputType));
    model.operators.forEach((operator, i) => {
      for (const output of plan.rules[i] ? operator.outputs : [])
        this.#tensors[output] = toTensor(this.#tensors[output], TYPE.int8, this.#homeScale(output));
    });
    model.operators.forEach((operator, i) => this.#add(operator, i, plan.rules[i]));
    const outputs = model.outputs.map((output) =>
      outputType === 'float32' ? this.#asFloat(output, true) : output,
    );
    const renamed = new Map(model.outputs.map((output, i) => [output, outputs[i]]));
    this.model = {
      ...model,
      tensors: this.#tensors,
      operators: this.#operators,
      outputs,
      signatures: model.signatures.map((signature) => ({
        ...signature,
        outputs: signature.outputs.map(
          ([name, tensor]) => /** @type {[string, number]} */ ([name, renamed.get(tensor) ?? tensor]),
        ),
      })),
    };
  }

  /** @param {number} tensor @returns {Scale} */
  #homeScale(tensor) {
    return this.#plan.probabilities.has(tensor)
      ? PROBABILITY
      : this.#numbers.scaleOf(this.#plan.groupOf(tensor));
  }

  /** @param {number} input @param {'int8' | 'uint8'} type */
  #typeInput(input, type) {
    const { scale, zeroPoint } = this.#homeScale(input);
    this.#tensors[input] = toTensor(this.#tensors[input], TYPE[type], {
      scale,
      zeroPoint: type === 'uint8' ? zeroPoint + 128 : zeroPoint,
    });
  }

  /** @param {Operator} operator @param {number} index @param {Rule | undefined} rule */
  #add(operator, index, rule) {
    if (!rule) {
      const inputs = operator.inputs.map((input) => (input < 0 ? input : this.#asFloat(input)));
      this.#operators.push({ ...operator, inputs });
      return;
    }
    const inputs = [...operator.inputs];
    for (const i of dataInputs(operator, rule)) {
      const wanted = this.#homeScale(rule.isSame ? operator.outputs[0] : operator.inputs[i]);
      inputs[i] = this.#asInt8(operator.inputs[i], wanted, rule.isSame);
    }
    if (rule.axis !== undefined) this.#addWeights(operator, index, rule.axis, inputs);
    this.#operators.push({ ...operator, version: int8Version(operator, rule), inputs });
  }

  /** @param {Operator} operator @param {number} index @param {number} axis @param {number[]} inputs changed */
  #addWeights({ inputs: [, kernel], outputs: [output] }, index, axis, inputs) {
    const weights = /** @type {import('./weights.js').Weights} */ (this.#numbers.weights.get(index));
    const bias = /** @type {Float64Array} */ (this.#numbers.biases.get(index));
    const { scales } = /** @type {import('./file.js').Quantization} */ (
      this.#tensors[inputs[0]].quantization
    );
    inputs[1] = this.#push(kernelTensor(this.#tensors[kernel], weights, axis));
    inputs[2] = this.#push(biasTensor(`${this.#tensors[output].name}/bias`, bias, weights, scales[0]));
  }

  /** @param {number} tensor @param {boolean} [takesName] as an output of the network, it has the float tensor's name */
  #asFloat(tensor, takesName = false) {
    const home = this.#tensors[tensor];
    if (!home.quantization || home.data || home.type === TYPE.float32) return tensor;
    const { name } = home;
    const floats = { ...home, name: `${name}/float`, type: TYPE.float32, quantization: undefined };
    const version = this.#convert(tensor, DEQUANTIZE, 2, 'float', floats);
    if (takesName) {
      this.#tensors[version] = { ...floats, name };
      this.#tensors[tensor] = { ...home, name: `${name}/int8` };
    }
    return version;
  }

  /** @param {number} tensor @param {Scale} wanted @param {boolean} isSame */
  #asInt8(tensor, wanted, isSame) {
    const home = this.#tensors[tensor];
    if (home.data) return this.#constant(home, isSame ? wanted : undefined);
    const { scale, zeroPoint } = wanted;
    const [homeScale] = home.quantization?.scales ?? [];
    const isAtHome =
      home.type === TYPE.int8 && homeScale === scale && home.quantization?.zeroPoints[0] === zeroPoint;
    if (isAtHome) return tensor;
    const int8 = { ...toTensor(home, TYPE.int8, wanted), name: `${home.name}/int8` };
    return this.#convert(tensor, QUANTIZE, home.type === TYPE.float32 ? 1 : 2, `${scale} ${zeroPoint}`, int8);
  }

  /** @param {Tensor} tensor @param {Scale} [wanted] */
  #constant(tensor, wanted) {
    const values = floatsOf(tensor);
    const min = values.reduce((a, b) => Math.min(a, b), 0);
    const max = values.reduce((a, b) => Math.max(a, b), 0);
    const { scale, zeroPoint } = wanted ?? toInt8({ min, max });
    const stored = Int8Array.from(values, (value) =>
      Math.max(-128, Math.min(127, Math.round(value / scale) + zeroPoint)),
    );
    return this.#push({ ...toTensor(tensor, TYPE.int8, { scale, zeroPoint }), data: toBytes(stored) });
  }

  /**
   * @param {number} tensor
   * @param {typeof QUANTIZE | typeof DEQUANTIZE} code
   * @param {number} version of the operator
   * @param {string} key
   * @param {Tensor} converted
   */
  #convert(tensor, code, version, key, converted) {
    const known = this.#versions.get(`${tensor} ${key}`);
    if (known !== undefined) return known;
    const number = this.#push(converted);
    this.#versions.set(`${tensor} ${key}`, number);
    this.#operators.push({
      code,
      custom: '',
      version,
      inputs: [tensor],
      outputs: [number],
      optionsType: 0,
      options: [],
    });
    return number;
  }

  /** @param {Tensor} tensor */
  #push(tensor) {
    return this.#tensors.push(tensor) - 1;
  }
}

/** @param {Tensor} tensor @param {number} type @param {Scale} scale @returns {Tensor} */
function toTensor(tensor, type, { scale, zeroPoint }) {
  return { ...tensor, type, quantization: { scales: [scale], zeroPoints: [zeroPoint], axis: 0 } };
}
