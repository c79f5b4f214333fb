// A network in memory: TFLite operators in execution order, and the values between them.

/**
 * @typedef {import('./tensor.js').Tensor} Tensor
 * @typedef {'NONE' | 'RELU' | 'RELU6'} Activation
 *
 * @typedef {object} Value
 * @property {string} name
 * @property {number[]} shape -1: the free batch dimension
 * @property {Tensor} [tensor] the elements, if the value is a constant
 * @property {'int32' | 'int64' | 'bool'} [dtype] of a computed value; default: float32
 *
 * @typedef {object} BatchNorm
 * @property {Float64Array} gamma one for each channel, like the next three
 * @property {Float64Array} beta
 * @property {Float64Array} mean
 * @property {Float64Array} variance
 * @property {number} epsilon
 * @property {number} [momentum] of the moving statistics in training, if the source says it
 *
 * @typedef {object} Weights of a convolution or matrix product: output = (input * kernel) * scale + bias
 * @property {Tensor} kernel in TensorFlow's layout: [H, W, I, O], depthwise [H, W, C, M], matrix [I, O]
 * @property {boolean} isTransposed the matrix is [O, I]
 * @property {Float64Array} [scale] one for each output channel
 * @property {Float64Array} [bias] one for each output channel
 * @property {BatchNorm} [batchNorm] the batch norm that scale and bias were computed from, if nothing else is in them
 * @property {number[]} [channels] the output channels to write; default: all
 *
 * @typedef {object} Op
 * @property {string} kind TFLite's BuiltinOperator
 * @property {Value[]} inputs
 * @property {Value} output
 * @property {Value[]} [others] its outputs after the first
 * @property {Record<string, any>} options
 * @property {Weights} [weights]
 * @property {BatchNorm} [batchNorm] the batch norm whose scale this MUL, or offset this ADD, applies
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

/** @param {string} name @param {number} value @returns {Value} */
export function scalar(name, value) {
  return { name, shape: [], tensor: { dtype: 'float32', shape: [], data: Float64Array.of(value) } };
}

/**
 * SAME padding before and after.
 * @param {number} size @param {number} kernel @param {number} stride @param {number} dilation
 */
export function samePadding(size, kernel, stride, dilation) {
  const total = Math.max((Math.ceil(size / stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

/** The producer and the users of each value. */
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

  /** The producer of a value that exactly one operator uses and that is not an output. @param {Value} value */
  soleProducer(value) {
    const isSole = this.users(value).length === 1 && !this.isOutput(value);
    return isSole ? this.producer(value) : undefined;
  }
}
