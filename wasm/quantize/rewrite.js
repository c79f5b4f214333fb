// Builds the quantized network from a float network, a plan and scales. Quantized operators get int8 tensors; QUANTIZE
// and DEQUANTIZE are inserted between them and float operators. Tensors keep their indices; new ones are appended.
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
 * @typedef {object} QuantizationParameters
 * @property {(tensor: number) => Scale} scaleOf the scale of a feature map
 * @property {Map<number, import('./weights.js').Weights>} weights by operator
 * @property {Map<number, Float64Array>} biases by operator
 *
 * @typedef {'float32' | 'int8' | 'uint8'} PortType
 */

/**
 * @param {Model} model
 * @param {import('./plan.js').Plan} plan
 * @param {QuantizationParameters} parameters
 * @param {{inputType: PortType, outputType: PortType}} ports
 * @returns {Model}
 */
export function rewrite(model, plan, parameters, ports) {
  return new Rewriting(model, plan, parameters, ports).model;
}

class Rewriting {
  /** @type {Tensor[]} */ #tensors;
  /** @type {Operator[]} */ #operators = [];
  /** Converted tensors, by tensor and target format. @type {Map<string, number>} */ #converted = new Map();
  #plan;
  #parameters;

  /**
   * @param {Model} model
   * @param {import('./plan.js').Plan} plan
   * @param {QuantizationParameters} parameters
   * @param {{inputType: PortType, outputType: PortType}} ports
   */
  constructor(model, plan, parameters, { inputType, outputType }) {
    this.#plan = plan;
    this.#parameters = parameters;
    this.#tensors = [...model.tensors];
    if (inputType !== 'float32') model.inputs.forEach((input) => this.#typeInput(input, inputType));
    model.operators.forEach((operator, i) => {
      for (const output of plan.rules[i] ? operator.outputs : [])
        this.#tensors[output] = toTensor(this.#tensors[output], TYPE.int8, this.#outputScale(output));
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

  /** The scale with which the operator that computes the tensor writes it. @param {number} tensor @returns {Scale} */
  #outputScale(tensor) {
    return this.#plan.fixedScales.get(tensor) ?? this.#parameters.scaleOf(this.#plan.groupOf(tensor));
  }

  /** Changes the type of an input of the network. @param {number} input @param {'int8' | 'uint8'} type */
  #typeInput(input, type) {
    const { scale, zeroPoint } = this.#outputScale(input);
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
      const scale = this.#outputScale(rule.isTied ? operator.outputs[0] : operator.inputs[i]);
      inputs[i] = this.#asInt8(operator.inputs[i], scale, rule.isTied);
    }
    if (rule.axis !== undefined) this.#addWeights(operator, index, rule.axis, inputs);
    this.#operators.push({ ...operator, version: int8Version(operator, rule), inputs });
  }

  /**
   * @param {Operator} operator
   * @param {number} index
   * @param {number} axis
   * @param {number[]} inputs changed in place
   */
  #addWeights({ inputs: [, kernel], outputs: [output] }, index, axis, inputs) {
    const weights = /** @type {import('./weights.js').Weights} */ (this.#parameters.weights.get(index));
    const bias = /** @type {Float64Array} */ (this.#parameters.biases.get(index));
    const { scales } = /** @type {import('./file.js').Quantization} */ (
      this.#tensors[inputs[0]].quantization
    );
    inputs[1] = this.#push(kernelTensor(this.#tensors[kernel], weights, axis));
    inputs[2] = this.#push(biasTensor(`${this.#tensors[output].name}/bias`, bias, weights, scales[0]));
  }

  /**
   * The tensor in float32, dequantized if needed.
   * @param {number} tensor
   * @param {boolean} [takesName] give the float tensor the original name; for outputs of the network
   */
  #asFloat(tensor, takesName = false) {
    const original = this.#tensors[tensor];
    if (!original.quantization || original.data || original.type === TYPE.float32) return tensor;
    const { name } = original;
    const float = { ...original, name: `${name}/float`, type: TYPE.float32, quantization: undefined };
    const converted = this.#convert(tensor, DEQUANTIZE, 2, 'float', float);
    if (takesName) {
      this.#tensors[converted] = { ...float, name };
      this.#tensors[tensor] = { ...original, name: `${name}/int8` };
    }
    return converted;
  }

  /**
   * The tensor in int8 with the target scale, quantized if needed.
   * @param {number} tensor
   * @param {Scale} target
   * @param {boolean} isTied whether a constant must have the target scale too; else its own range decides
   */
  #asInt8(tensor, target, isTied) {
    const original = this.#tensors[tensor];
    if (original.data) return this.#constant(original, isTied ? target : undefined);
    const { scale, zeroPoint } = target;
    const { type, quantization } = original;
    const hasTarget =
      type === TYPE.int8 && quantization?.scales[0] === scale && quantization.zeroPoints[0] === zeroPoint;
    if (hasTarget) return tensor;
    const int8 = { ...toTensor(original, TYPE.int8, target), name: `${original.name}/int8` };
    return this.#convert(tensor, QUANTIZE, type === TYPE.float32 ? 1 : 2, `${scale} ${zeroPoint}`, int8);
  }

  /** Quantizes a constant. @param {Tensor} tensor @param {Scale} [target] default: from its own range */
  #constant(tensor, target) {
    const values = floatsOf(tensor);
    const min = values.reduce((a, b) => Math.min(a, b), 0);
    const max = values.reduce((a, b) => Math.max(a, b), 0);
    const { scale, zeroPoint } = target ?? toInt8({ min, max });
    const stored = Int8Array.from(values, (value) =>
      Math.max(-128, Math.min(127, Math.round(value / scale) + zeroPoint)),
    );
    return this.#push({ ...toTensor(tensor, TYPE.int8, { scale, zeroPoint }), data: toBytes(stored) });
  }

  /**
   * Adds an operator that converts the tensor, once for each key.
   * @param {number} tensor
   * @param {typeof QUANTIZE | typeof DEQUANTIZE} code
   * @param {number} version of the operator
   * @param {string} key the target format
   * @param {Tensor} converted
   * @returns {number} the converted tensor's index
   */
  #convert(tensor, code, version, key, converted) {
    const known = this.#converted.get(`${tensor} ${key}`);
    if (known !== undefined) return known;
    const output = this.#push(converted);
    this.#converted.set(`${tensor} ${key}`, output);
    this.#operators.push({
      code,
      custom: '',
      version,
      inputs: [tensor],
      outputs: [output],
      optionsType: 0,
      options: [],
    });
    return output;
  }

  /** @param {Tensor} tensor @returns {number} its index */
  #push(tensor) {
    return this.#tensors.push(tensor) - 1;
  }
}

/** @param {Tensor} tensor @param {number} type @param {Scale} scale @returns {Tensor} */
function toTensor(tensor, type, { scale, zeroPoint }) {
  return { ...tensor, type, quantization: { scales: [scale], zeroPoints: [zeroPoint], axis: 0 } };
}
