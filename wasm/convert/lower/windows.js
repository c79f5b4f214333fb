// Lowers convolutions, matrix products and pooling.
import { dilatedConvolution } from './dilation.js';
import { emitLeaky, emitPrelu } from './prelu.js';
import { ints } from '../../tflite/network.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 * @typedef {import('../../tflite/network.js').Value} Value
 */

/**
 * @param {Lowering} ctx
 * @param {Node} node
 */
function windowOptions(ctx, node) {
  const [, strideH = 1, strideW = 1] = node.ints('strides');
  const [, dilationH = 1, dilationW = 1] = node.ints('dilations');
  const padding = node.string('padding', 'VALID');
  if (node.string('data_format', 'NHWC') !== 'NHWC')
    throw ctx.unsupported(node, 'its data format is not NHWC');
  return { padding: padding === 'SAME' ? 'SAME' : 'VALID', strideH, strideW, dilationH, dilationW };
}

/**
 * The node's first input; explicit paddings become a PAD.
 * @param {Lowering} ctx
 * @param {Node} node
 * @returns {Value}
 */
function padded(ctx, node) {
  const input = ctx.value(node.inputs[0]);
  const pads = node.ints('explicit_paddings');
  if (node.string('padding', 'VALID') !== 'EXPLICIT') return input;
  const shape = input.shape.map((size, d) => (size < 0 ? size : size + pads[2 * d] + pads[2 * d + 1]));
  const constant = ints(`${node.name}/paddings`, pads);
  constant.shape = [4, 2];
  return ctx.emit('PAD', `${node.name}/Pad`, [input, constant], shape);
}

/** @param {string} kind @returns {Rule} */
export const convolution = (kind) => (ctx, node) => {
  const dilation = ctx.dilation(node.inputs[0]);
  if (dilation) return dilatedConvolution(ctx, node, { ...dilation, kind });
  const kernel = ctx.constant(node, 1);
  const input = padded(ctx, node);
  const output = ctx.emit(kind, node.name, [input], ctx.shapeOf(node), windowOptions(ctx, node), {
    kernel,
    isTransposed: false,
  });
  return fusedOps(ctx, node, output);
};

/** Conv2DBackpropInput, as TRANSPOSE_CONV. Its kernel is [H, W, O, I]; TFLite's is [O, H, W, I]. @type {Rule} */
export function transposedConvolution(ctx, node) {
  const { padding, strideH, strideW, dilationH, dilationW } = windowOptions(ctx, node);
  if (node.string('padding', 'VALID') === 'EXPLICIT' || dilationH !== 1 || dilationW !== 1)
    throw ctx.unsupported(node, 'it has explicit paddings or a dilation');
  const input = ctx.value(node.inputs[2]);
  const shape = ctx.shapeOf(node);
  const kernel = ctx.constant(node, 1);
  const [height, width, outputs, inputs] = kernel.shape;
  const data = new Float64Array(kernel.data.length);
  const taps = height * width;
  for (let tap = 0; tap < taps; tap++)
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++)
        data[(o * taps + tap) * inputs + i] = kernel.data[(tap * outputs + o) * inputs + i];
  const turned = [outputs, height, width, inputs];
  const weights = {
    name: `${node.name}/kernel`,
    shape: turned,
    tensor: { dtype: /** @type {const} */ ('float32'), shape: turned, data },
  };
  const size = sizeFor(ctx, node, input, shape);
  return ctx.emit('TRANSPOSE_CONV', node.name, [size, weights, input], shape, { padding, strideH, strideW });
}

/**
 * A shape as a tensor. Its free batch is that of `input`.
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {Value} input
 * @param {number[]} shape
 * @returns {Value}
 */
function sizeFor(ctx, node, input, shape) {
  if (shape[0] >= 0) return ints(`${node.name}/shape`, shape);
  const named = (/** @type {string} */ name, /** @type {number[]} */ values) =>
    ints(`${node.name}/${name}`, values);
  const options = { outType: 2 };
  const sizes = [input.shape.length];
  const whole = ctx.emit('SHAPE', `${node.name}/sizes`, [input], sizes, options, undefined, 'int32');
  const bounds = [named('begin', [0]), named('end', [1]), named('by', [1])];
  const batch = ctx.emit('STRIDED_SLICE', `${node.name}/batch`, [whole, ...bounds], [1]);
  const rest = named('rest', shape.slice(1));
  return ctx.emit('CONCATENATION', `${node.name}/shape`, [batch, rest], [shape.length], { axis: 0 });
}

/** MatMul, and BatchMatMul with a constant matrix. @type {Rule} */
export function matMul(ctx, node) {
  if (node.bool('transpose_a') || node.bool('adj_x'))
    throw ctx.unsupported(node, 'its first operand is transposed');
  const input = ctx.value(node.inputs[0]);
  const kernel = ctx.constant(node, 1);
  if (kernel.shape.length !== 2)
    throw ctx.unsupported(node, `its second operand has ${kernel.shape.length} dimensions instead of 2`);
  const weights = { kernel, isTransposed: node.bool('transpose_b') || node.bool('adj_y') };
  const shape = ctx.shapeOf(node);
  const options = shape.length === 2 ? {} : { keepNumDims: true };
  return fusedOps(ctx, node, ctx.emit('FULLY_CONNECTED', node.name, [input], shape, options, weights));
}

/** Activations that TensorFlow fuses into a node. @type {Record<string, string>} */
const FUSED_ACTIVATIONS = { Elu: 'ELU', Relu: 'RELU', Relu6: 'RELU6', Sigmoid: 'LOGISTIC', Tanh: 'TANH' };

/**
 * Emits the operators that TensorFlow's optimizer fused into a node.
 * @param {Lowering} ctx
 * @param {Node} node
 * @param {Value} output
 */
function fusedOps(ctx, node, output) {
  for (const name of node.strings('fused_ops')) {
    const { shape } = output;
    if (name === 'BiasAdd') output = ctx.emit('ADD', node.name, [output, ctx.value(node.inputs[2])], shape);
    else if (Object.hasOwn(FUSED_ACTIVATIONS, name))
      output = ctx.emit(FUSED_ACTIVATIONS[name], node.name, [output], shape);
    else if (name === 'Prelu')
      output = emitPrelu(ctx, node, output, ctx.constant(node, node.inputs.length - 1));
    else if (name === 'LeakyRelu') output = emitLeaky(ctx, node, output, node.float('leakyrelu_alpha', 0.2));
    else throw ctx.unsupported(node, `its fused operator ${name} is not supported`);
  }
  return output;
}

/** @param {string} kind @returns {Rule} */
export const pool = (kind) => (ctx, node) => {
  const [, filterH, filterW] = node.ints('ksize');
  if (node.string('padding', 'VALID') === 'EXPLICIT') throw ctx.unsupported(node, 'it has explicit paddings');
  return ctx.emit(kind, node.name, [ctx.value(node.inputs[0])], ctx.shapeOf(node), {
    ...windowOptions(ctx, node),
    filterH,
    filterW,
  });
};
