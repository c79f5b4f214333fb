// A network of TFLite operators, before it is written: operators in order, values between them.

/**
 * @typedef {import('./tensor.js').Tensor} Tensor
 * @typedef {'NONE' | 'RELU' | 'RELU6'} Activation
 *
 * @typedef {object} Value
 * @property {string} name
 * @property {number[]} shape -1: the free batch
 * @property {Tensor} [tensor] of a constant
 * @property {'int32' | 'int64'} [dtype] of a computed value; default: float32
 *
 * @typedef {object} BatchNorm
 * @property {Float64Array} gamma one per channel, as all of them
 * @property {Float64Array} beta
 * @property {Float64Array} mean
 * @property {Float64Array} variance
 * @property {number} epsilon
 *
 * @typedef {object} Weights of a convolution or matrix product; output channel c is multiplied by scale[c]
 * @property {Tensor} kernel as TensorFlow has it: [H, W, I, O], [H, W, C, M] or [I, O]
 * @property {boolean} isTransposed [O, I]
 * @property {Float64Array} [scale] one per output channel
 * @property {Float64Array} [bias] added after that
 * @property {BatchNorm} [batchNorm] what scale and bias came from, if nothing else is in them
 * @property {number[]} [channels] the output channels to write; default: all
 *
 * @typedef {object} Op
 * @property {string} kind TFLite's BuiltinOperator
 * @property {Value[]} inputs
 * @property {Value} output
 * @property {Record<string, any>} options
 * @property {Weights} [weights]
 * @property {BatchNorm} [batchNorm] whose factor (of a MUL) or offset (of an ADD) it applies
 *
 * @typedef {object} Network
 * @property {Op[]} ops
 * @property {Value[]} inputs
 * @property {{name: string, value: Value}[]} outputs
 */

export const WEIGHTED = new Set(['CONV_2D', 'DEPTHWISE_CONV_2D', 'FULLY_CONNECTED']);

/** @param {Weights} weights @param {string} kind */
export function numChannels({ kernel: { shape }, isTransposed }, kind) {
  if (kind === 'DEPTHWISE_CONV_2D') return shape[2] * shape[3];
  return isTransposed ? shape[0] : shape[shape.length - 1];
}

/**
 * @param {string} name
 * @param {ArrayLike<number>} numbers
 * @returns {Value}
 */
export function ints(name, numbers) {
  const data = Int32Array.from(numbers);
  return { name, shape: [data.length], tensor: { dtype: 'int32', shape: [data.length], data } };
}

/** What SAME pads before and after. @param {number} size @param {number} kernel @param {number} stride @param {number} dilation */
export function samePadding(size, kernel, stride, dilation) {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

/** Who makes and who takes each value. */
export class Wiring {
  /** @type {Map<Value, Op>} */ #producers = new Map();
  /** @type {Map<Value, Op[]>} */ #users = new Map();
  #outputs;

  /** @param {Network} network */
  constructor({ ops, outputs }) {
    for (const op of ops) {
      this.#producers.set(op.output, op);
      for (const input of op.inputs) {
        const users = this.#users.get(input);
        if (users) users.push(op);
        else this.#users.set(input, [op]);
      }
    }
    this.#outputs = new Set(outputs.map(({ value }) => value));
  }

  /** @param {Value} value */
  producer(value) {
    return this.#producers.get(value);
  }

  /** @param {Value} value */
  users(value) {
    return this.#users.get(value) ?? [];
  }

  /** @param {Value} value */
  isOutput(value) {
    return this.#outputs.has(value);
  }

  /** The operator that makes a value which nobody but one other operator takes. @param {Value} value */
  soleProducer(value) {
    const isSole = this.users(value).length === 1 && !this.isOutput(value);
    return isSole ? this.producer(value) : undefined;
  }
}
