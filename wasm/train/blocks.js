// Finds the last blocks of a backbone in the file's network, those of MobileNetV1, V2 and V3 and of EfficientNet, and the layers
// after them.
import { samePadding, Wiring } from '../tflite/network.js';
import { failure } from './errors.js';

/**
 * @typedef {import('../tflite/network.js').BatchNorm} BatchNorm
 * @typedef {import('../tflite/network.js').Network} FileNetwork
 * @typedef {import('../tflite/network.js').Op} Op
 * @typedef {import('../tflite/network.js').Value} Value
 * @typedef {import('./trainer.js').TrainLayer} TrainLayer
 *
 * @typedef {object} TailLayer
 * @property {Op} op whose weights are trained; a MEAN or a MUL has none
 * @property {TrainLayer} layer
 * @property {Value} value its result, with activation and skip connection
 * @property {Value} [added] the other operand of that ADD, or the map that a gate scales
 * @property {boolean} [isSqueezed] a convolution of the mean, which has a bias and no batch norm
 * @property {number} [shift] what the file's bias has more than the trainer's: the 3 of relu6(x + 3)
 * @property {BatchNorm} [batchNorm] folded into `op`, but separate in `layer`
 *
 * @typedef {{op: Op | undefined, layer: Partial<TrainLayer>, shift?: number}} Activated an operator, and the function after it
 */

/** Fused functions that the trainer has. */
const FUSED = /** @type {const} */ ({ NONE: 'linear', RELU: 'relu', RELU6: 'relu6' });
/** Functions that are an operator of their own. */
const SEPARATE = /** @type {const} */ ({
  RELU: 'relu',
  RELU6: 'relu6',
  HARD_SWISH: 'hard-swish',
  LOGISTIC: 'sigmoid',
});
const DEPTHWISE_SIZES = [3, 5];
/** What stands before the projection of an inverted residual block: MUL is its squeeze and excitation. */
const BEFORE_PROJECTION = new Set(['DEPTHWISE_CONV_2D', 'MUL']);

/**
 * Walks back from the last map: the layers after the blocks, such as the last pointwise layer of MobileNetV2 or the layers
 * between the maps of a detector, then the last blocks. MobileNetV2 and V3, EfficientNet: [expand,] depthwise, [squeeze and
 * excite,] project [, add]. MobileNetV1: depthwise and pointwise.
 * @param {FileNetwork} network
 * @param {Value[]} maps the feature map that is pooled, or those that the heads of a detector read
 * @param {number} blocks
 * @returns {{tail: TailLayer[], inputs: Value[]}} in the network's order, and what is computed before: what the first layer
 *   takes, and maps that are not in the tail
 */
export function findTail(network, maps, blocks) {
  return new Walk(network).find(maps, blocks);
}

class Walk {
  #ops;
  #wiring;
  /** @type {TailLayer[]} */ #tail = [];

  /** @param {FileNetwork} network */
  constructor(network) {
    this.#ops = network.ops;
    this.#wiring = new Wiring(network);
  }

  /** @param {Value[]} maps @param {number} blocks */
  find(maps, blocks) {
    const order = this.#ops.map(({ output }) => output);
    let [input] = maps.toSorted((a, b) => order.indexOf(b) - order.indexOf(a));
    let kind = this.#blockAt(input);
    for (; !kind; kind = this.#blockAt(input)) input = this.#takeAfter(input);
    for (let block = 0; block < blocks; block++)
      input = kind === 'inverted' ? this.#takeInverted(input) : this.#takeSeparable(input);
    return { tail: this.#tail, inputs: this.#connect(input, maps) };
  }

  /**
   * The kind of block that a value is the result of; undefined: it is that of a layer after the blocks.
   * @param {Value} value
   */
  #blockAt(value) {
    const { op, layer } = this.#activated(value);
    if (op?.kind === 'ADD') return 'inverted';
    if (!isPointwise(op)) return undefined;
    const before = this.#activated(op.inputs[0]).op;
    const isProjection = layer.activation === 'linear' && before && BEFORE_PROJECTION.has(before.kind);
    if (isProjection) return 'inverted';
    return before?.kind === 'DEPTHWISE_CONV_2D' && !this.#isReduced(before) ? 'separable' : undefined;
  }

  /**
   * Whether the channels are reduced before a depthwise layer, as in the layers of SSDLite after the blocks. In MobileNetV1
   * that pointwise layer is the end of a block.
   * @param {Op} depthwise
   */
  #isReduced(depthwise) {
    const pad = this.#wiring.producer(depthwise.inputs[0]);
    const { op } = this.#activated(pad?.kind === 'PAD' ? pad.inputs[0] : depthwise.inputs[0]);
    return isPointwise(op) && this.#activated(op.inputs[0]).op?.kind !== 'DEPTHWISE_CONV_2D';
  }

  /** A layer after the blocks. @param {Value} value */
  #takeAfter(value) {
    const { op } = this.#activated(value);
    if (isPointwise(op)) return this.#take(value, 'pointwise');
    return this.#takeWindow(value, op?.kind === 'DEPTHWISE_CONV_2D' ? 'depthwise' : 'conv3');
  }

  /** @param {Value} value */
  #takeSeparable(value) {
    return this.#takeWindow(this.#take(value, 'pointwise'), 'depthwise');
  }

  /**
   * A convolution and the function after it. Returns the convolution's input.
   * @param {Value} value
   * @param {TrainLayer['kind']} kind
   * @param {Partial<TailLayer>} [more]
   */
  #take(value, kind, more) {
    const { op, layer, shift } = this.#activated(value);
    if (!op || kindOf(op) !== kind) throw unsupported(describe(op, value));
    this.#tail.unshift({
      ...{ op, value, layer: { ...toLayer(op, kind), ...layer } },
      ...(shift && { shift }),
      ...more,
    });
    return op.inputs[0];
  }

  /**
   * A layer with a window, and the padding before it, which the trainer makes itself.
   * @param {Value} value
   * @param {'depthwise' | 'conv3'} kind
   */
  #takeWindow(value, kind) {
    const before = this.#take(value, kind);
    const pad = this.#wiring.producer(before);
    const input = pad?.kind === 'PAD' ? pad.inputs[0] : before;
    const paddings = pad?.kind === 'PAD' ? [...(pad.inputs[1].tensor?.data ?? [])] : Array(8).fill(0);
    if (!isPaddedAsSame(input, paddings, this.#tail[0].op))
      throw unsupported(`'${nameOf(value)}' is not padded as SAME, as the trainer pads`);
    return input;
  }

  /** A block with a linear projection at its end. @param {Value} value */
  #takeInverted(value) {
    const add = this.#wiring.producer(value);
    const [branch, skip] = add?.kind === 'ADD' ? this.#operands(add) : [value];
    let input = this.#take(branch, 'pointwise', { value, ...(skip && { added: skip }) });
    const { op, layer } = this.#tail[0];
    if (skip && layer.activation !== 'linear') throw unsupported(describe(op, branch));
    input = this.#takeWindow(this.#takeSqueeze(input), 'depthwise');
    const expand = this.#activated(input);
    const isExpanded = isPointwise(expand.op) && expand.layer.activation !== 'linear';
    return isExpanded ? this.#take(input, 'pointwise') : input;
  }

  /**
   * What the block computed, and the skip connection.
   * @param {Op} add
   * @returns {[Value, Value]}
   */
  #operands(add) {
    const [a, b] = add.inputs;
    if (!isPlain(add) || a.tensor || b.tensor || !isSameShape(a, b))
      throw unsupported(describe(add, add.output));
    const isFirst = this.#wiring.producer(a)?.kind === 'CONV_2D' && this.#wiring.users(a).length === 1;
    return isFirst ? [a, b] : [b, a];
  }

  /**
   * Squeeze and excitation: the map, times a gate that two convolutions make of its mean. Returns the map, or `value` if
   * there is no gate.
   * @param {Value} value
   */
  #takeSqueeze(value) {
    const excite = this.#wiring.producer(value);
    if (excite?.kind !== 'MUL' || this.#activated(value).op !== excite) return value;
    const [a, b] = excite.inputs;
    const [map, gate] = this.#meanBehind(b) === a ? [a, b] : [b, a];
    if (!isPlain(excite) || this.#meanBehind(gate) !== map) throw unsupported(describe(excite, value));
    const { shape } = map;
    const layer = { kind: /** @type {const} */ ('gate'), channels: shape[3] };
    this.#tail.unshift({ op: excite, value, layer, added: map });
    const squeezed = this.#take(gate, 'pointwise', { isSqueezed: true });
    const mean = this.#skipReshape(this.#take(squeezed, 'pointwise', { isSqueezed: true }));
    const op = /** @type {Op} */ (this.#wiring.producer(mean));
    this.#tail.unshift({ op, value: mean, layer: { kind: 'pool', channels: shape[3] } });
    return map;
  }

  /** The map whose mean two convolutions make into `gate`. @param {Value} gate */
  #meanBehind(gate) {
    const excite = this.#activated(gate).op;
    const reduce = excite?.kind === 'CONV_2D' ? this.#activated(excite.inputs[0]).op : undefined;
    if (reduce?.kind !== 'CONV_2D') return undefined;
    const mean = this.#wiring.producer(this.#skipReshape(reduce.inputs[0]));
    return mean && isMean(mean) ? mean.inputs[0] : undefined;
  }

  /** [N, C] -> [N, 1, 1, C] @param {Value} value */
  #skipReshape(value) {
    const op = this.#wiring.producer(value);
    const isReshape = op?.kind === 'RESHAPE' && op.output.shape.slice(1, 3).every((size) => size === 1);
    return isReshape ? op.inputs[0] : value;
  }

  /**
   * The operator before the function that gives a value.
   * @param {Value} value
   * @returns {Activated}
   */
  #activated(value) {
    const last = this.#wiring.producer(value);
    if (last?.kind === 'MUL') return this.#multiplied(last);
    const separate = SEPARATE[/** @type {keyof SEPARATE} */ (last?.kind)];
    const op = separate && last ? this.#wiring.producer(last.inputs[0]) : last;
    const fused = FUSED[/** @type {keyof FUSED} */ (op?.options.activation)];
    // Two functions in a row are none that the trainer has.
    if (separate && fused !== 'linear') return { op: last, layer: {} };
    return { op, layer: { activation: separate ?? fused } };
  }

  /** Swish is x * sigmoid(x), hard sigmoid relu6(x + 3) / 6. @param {Op} mul @returns {Activated} */
  #multiplied(mul) {
    const found = this.#swished(mul) ?? this.#scaled(mul);
    return found && isPlain(mul) ? found : { op: mul, layer: {} };
  }

  /** @param {Op} mul @returns {Activated | undefined} */
  #swished({ inputs: [a, b] }) {
    for (const [x, gate] of [
      [a, b],
      [b, a],
    ]) {
      const sigmoid = this.#wiring.producer(gate);
      const op = this.#wiring.producer(x);
      const isSwish = sigmoid?.kind === 'LOGISTIC' && sigmoid.inputs[0] === x;
      if (isSwish && op?.options.activation === 'NONE') return { op, layer: { activation: 'swish' } };
    }
    return undefined;
  }

  /** A convolution whose bias has the 3, times a number. @param {Op} mul @returns {Activated | undefined} */
  #scaled({ inputs: [a, b] }) {
    const [x, { tensor }] = a.tensor ? [b, a] : [a, b];
    const { op, layer } = this.#activated(x);
    if (tensor?.data.length !== 1 || !(tensor.data[0] > 0) || layer.activation !== 'relu6') return undefined;
    return { op, layer: { activation: 'hard-sigmoid', factor: Math.fround(tensor.data[0]) }, shift: 3 };
  }

  /**
   * Numbers the activations: first what is computed before the tail, which is returned, then the results of the layers.
   * @param {Value} input of the tail
   * @param {Value[]} maps
   */
  #connect(input, maps) {
    const results = this.#tail.map(({ value }) => value);
    const before = maps.filter((map) => map !== input && !results.includes(map));
    this.#checkBefore(input, before);
    const inputs = [input, ...before];
    const values = [...inputs, ...results];
    for (const { layer, added, value } of this.#tail) {
      if (!added) continue;
      layer.added = values.indexOf(added);
      if (layer.added < 0)
        throw unsupported(`'${nameOf(value)}' adds '${nameOf(added)}' from before the block`);
    }
    return inputs;
  }

  /**
   * Refuses maps that are on no way to the tail: those of a feature pyramid have layers of their own after the blocks.
   * @param {Value} input of the tail
   * @param {Value[]} maps
   */
  #checkBefore(input, maps) {
    const before = new Set([input]);
    for (const { inputs, output } of this.#ops.toReversed())
      if (before.has(output)) for (const value of inputs) before.add(value);
    const map = maps.find((value) => !before.has(value));
    if (map) throw unsupported(`'${nameOf(map)}', which a head reads, is not in the chain of layers`);
  }
}

/** @param {string} detail */
const unsupported = (detail) => failure('BLOCK_UNSUPPORTED', detail);

/** A tensor of a fused operator has all their names. @param {Value} value */
const nameOf = ({ name }) => name.split(';')[0];

/**
 * What stands where a layer to train should be.
 * @param {Op | undefined} op
 * @param {Value} value
 */
function describe(op, value) {
  if (!op) return `'${nameOf(value)}' is the input of the network`;
  const { activation = 'NONE', strideW, strideH } = op.options;
  const size = op.weights ? ` ${op.weights.kernel.shape.slice(0, 2).join('x')}` : '';
  const stride = op.weights && (strideW > 1 || strideH > 1) ? ` of stride ${strideH}x${strideW}` : '';
  const after = activation === 'NONE' ? '' : ` with ${activation}`;
  return `'${nameOf(op.output)}' is ${op.kind}${size}${stride}${after}`;
}

/** Whether an operator has no function fused into it. @param {Op} op */
const isPlain = ({ options: { activation = 'NONE' } }) => activation === 'NONE';

/** @param {Value} a @param {Value} b */
const isSameShape = (a, b) => a.shape.join() === b.shape.join();

/** @param {Op | undefined} op @returns {op is Op & {weights: import('../tflite/network.js').Weights}} */
function isPointwise(op) {
  const [height, width] = op?.weights?.kernel.shape ?? [];
  return op?.kind === 'CONV_2D' && height === 1 && width === 1;
}

/** The trainer's kind of layer for an operator; undefined: it has none. @param {Op} op @returns {TrainLayer['kind'] | undefined} */
function kindOf(op) {
  const { kind, options, weights, inputs, output } = op;
  const [height, width, channels, multiplier] = weights?.kernel.shape ?? [];
  const { activation, strideW, strideH, dilationW, dilationH } = options;
  if (!(activation in FUSED) || dilationW !== 1 || dilationH !== 1 || strideW !== strideH) return undefined;
  if (output.shape.length !== 4 || channels !== inputs[0].shape[3]) return undefined;
  if (isPointwise(op)) return strideW === 1 ? 'pointwise' : undefined;
  if (height !== width || (strideW !== 1 && strideW !== 2)) return undefined;
  if (kind === 'CONV_2D') return height === 3 ? 'conv3' : undefined;
  return DEPTHWISE_SIZES.includes(height) && multiplier === 1 ? 'depthwise' : undefined;
}

/**
 * Whether a layer reads what it reads with SAME padding. Explicit padding may be the same, or by another row.
 * @param {Value} input before the padding
 * @param {number[]} paddings before and after each axis
 * @param {Op} op
 */
function isPaddedAsSame({ shape }, paddings, { output, options, weights }) {
  if ([0, 1, 6, 7].some((i) => paddings[i] !== 0)) return false;
  const { strideW: stride, padding } = options;
  const size = /** @type {import('../tflite/network.js').Weights} */ (weights).kernel.shape[0];
  return [1, 2].every((axis) => {
    const [before, after] = paddings.slice(2 * axis, 2 * axis + 2);
    const padded = shape[axis] + before + after;
    const own = padding === 'SAME' ? samePadding(padded, size, stride, 1)[0] : 0;
    const [expected] = samePadding(shape[axis], size, stride, 1);
    return before + own === expected && output.shape[axis] === Math.ceil(shape[axis] / stride);
  });
}

/** Whether an operator takes the mean of each whole map. @param {Op} op */
function isMean({ kind, inputs: [map, axes], output, options }) {
  const [, height, width, channels] = map.shape;
  if (map.shape.length !== 4 || output.shape.at(-1) !== channels) return false;
  if (kind === 'MEAN') return [...(axes.tensor?.data ?? [])].map((axis) => (axis + 4) % 4).join() === '1,2';
  const isWhole = options.filterH === height && options.filterW === width;
  return kind === 'AVERAGE_POOL_2D' && options.padding === 'VALID' && isWhole;
}

/** @param {Op} op @param {TrainLayer['kind']} kind @returns {TrainLayer} */
function toLayer({ options, output, weights }, kind) {
  const size = weights?.kernel.shape[0];
  return {
    kind,
    channels: output.shape[3],
    stride: options.strideW,
    activation: 'linear',
    ...(kind === 'depthwise' && size !== 3 && { size }),
  };
}
