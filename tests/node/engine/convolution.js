// Networks of one convolution, in floats and in 8 bits.
import { roundEven } from '../../../wasm/shared/numbers.js';
import { samePadding } from '../../../wasm/tflite/network.js';
import { writeTflite } from '../../../wasm/tflite/write.js';
import { OPERATORS } from '../../../wasm/tflite/operators.js';
import { readFile, TYPE, writeFile } from '../../../wasm/quantize/file.js';
import { floatsOf, toBytes } from '../../../wasm/quantize/float_model.js';

/**
 * @typedef {object} Convolution
 * @property {[number, number]} size of the input: height, width
 * @property {number} channels of the input
 * @property {number} [outputs] channels of the output; none: a depthwise convolution
 * @property {[number, number]} [kernel] height, width
 * @property {number} [stride]
 * @property {number} [dilation]
 * @property {'SAME' | 'VALID'} [padding]
 * @property {'NONE' | 'RELU' | 'RELU6'} [activation]
 */

/** Zero point and scale of the input and of the output in 8 bits. */
export const INPUT = { zeroPoint: 9, scale: 1 / 16 };
export const OUTPUT = { zeroPoint: -5, scale: 1 / 4 };

/**
 * Whose weights are more than their input, and than a quarter of a mebibyte, also in 8 bits: they run by blocks of output
 * channels, of which the last is smaller. Windows, strides, pixels that fill no tile, a single pixel.
 * @type {Convolution[]}
 */
export const HEAVY = [
  { size: [5, 7], channels: 500, outputs: 601, kernel: [1, 1] },
  { size: [1, 1], channels: 700, outputs: 403, kernel: [1, 1] },
  { size: [6, 6], channels: 520, outputs: 533, kernel: [1, 1], stride: 2 },
  { size: [8, 9], channels: 120, outputs: 263, stride: 2 },
  { size: [5, 5], channels: 96, outputs: 315, activation: 'NONE' },
  { size: [9, 13], channels: 90, outputs: 333, padding: 'VALID' },
  { size: [9, 8], channels: 100, outputs: 301, dilation: 2 },
].map((c) => /** @type {Convolution} */ (c));

/**
 * @param {Convolution} given
 * @returns {Required<Convolution>} 0 outputs: a depthwise convolution
 */
export function complete(given) {
  return {
    ...{ outputs: 0, kernel: [3, 3], stride: 1, dilation: 1, padding: 'SAME', activation: 'RELU6' },
    ...given,
  };
}

/** Numbers in [-4, 4) that look random and are always the same. */
export function makeNumbers(/** @type {number} */ length, seed = 1) {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // Numerical Recipes' LCG
    return (state >>> 8) / 2 ** 21 - 4;
  });
}

/** @param {Required<Convolution>} c */
export function outputSize({ size, kernel, stride, dilation, padding }) {
  return size.map((n, i) =>
    padding === 'SAME'
      ? Math.ceil(n / stride)
      : Math.floor((n - (kernel[i] - 1) * dilation - 1) / stride) + 1,
  );
}

/**
 * Where each output's taps are: calls with the output's number (of pixels), the tap's and the input's.
 * @param {Required<Convolution>} c
 * @param {(output: number, tap: number, input: number) => void} visit
 */
export function visitTaps(c, visit) {
  const { kernel, stride, dilation, padding } = c;
  const [outHeight, outWidth] = outputSize(c);
  const [height, width] = c.size;
  const before = c.size.map((n, i) =>
    padding === 'SAME' ? samePadding(n, kernel[i], stride, dilation)[0] : 0,
  );
  for (let output = 0; output < outHeight * outWidth; output++) {
    for (let tap = 0; tap < kernel[0] * kernel[1]; tap++) {
      const y = Math.floor(output / outWidth) * stride + Math.floor(tap / kernel[1]) * dilation - before[0];
      const x = (output % outWidth) * stride + (tap % kernel[1]) * dilation - before[1];
      if (y >= 0 && y < height && x >= 0 && x < width) visit(output, tap, y * width + x);
    }
  }
}

/**
 * What the convolution should give, summed in doubles.
 * @param {Required<Convolution>} c
 * @param {Float32Array} input
 * @param {{weights: Float32Array, bias: Float32Array}} constants
 */
export function convolve(c, input, { weights, bias }) {
  const { channels, activation } = c;
  const [height, width] = outputSize(c);
  const made = c.outputs || channels;
  const sums = Float64Array.from({ length: height * width * made }, (_, i) => bias[i % made]);
  visitTaps(c, (output, tap, pixel) => {
    for (let channel = 0; channel < channels; channel++) {
      const value = input[pixel * channels + channel];
      const at = tap * channels + channel;
      if (c.outputs === 0) sums[output * made + channel] += value * weights[at];
      else for (let to = 0; to < made; to++) sums[output * made + to] += value * weights[at * made + to];
    }
  });
  return Float32Array.from(sums, (sum) => {
    const positive = activation === 'NONE' ? sum : Math.max(0, sum);
    return activation === 'RELU6' ? Math.min(6, positive) : positive;
  });
}

/**
 * The same in whole numbers, as XNNPACK rounds: the sum as a float times the scale, to the nearest, ties to even.
 * @param {Required<Convolution>} c
 * @param {Int8Array} input
 * @param {Omit<ReturnType<typeof toInt8>, 'int8'>} constants
 */
export function convolveInt8(c, input, { kernel, bias, scales }) {
  const { channels, activation } = c;
  const made = c.outputs || channels;
  const depth = c.kernel[0] * c.kernel[1] * channels;
  const [height, width] = outputSize(c);
  const sums = Int32Array.from({ length: height * width * made }, (_, i) => bias[i % made]);
  visitTaps(c, (output, tap, pixel) => {
    for (let from = 0; from < channels; from++) {
      const value = input[pixel * channels + from] - INPUT.zeroPoint;
      const at = tap * channels + from;
      if (c.outputs === 0) sums[output * made + from] += value * kernel[at];
      else for (let to = 0; to < made; to++) sums[output * made + to] += value * kernel[to * depth + at];
    }
  });
  const least = activation === 'NONE' ? -128 : OUTPUT.zeroPoint;
  const most = activation === 'RELU6' ? OUTPUT.zeroPoint + 6 / OUTPUT.scale : 127;
  return Int8Array.from(sums, (sum, i) => {
    const scale = Math.fround(Math.fround(INPUT.scale * scales[i % made]) / OUTPUT.scale);
    const value = roundEven(Math.fround(Math.fround(sum) * scale)) + OUTPUT.zeroPoint;
    return Math.max(least, Math.min(most, value));
  });
}

/**
 * @param {Required<Convolution>} c
 * @param {'fp32' | 'fp16'} [precision] of the stored weights
 */
export function build(c, precision = 'fp32') {
  const { model, constants } = buildChain([c], { precision });
  return { model, ...constants[0] };
}

/**
 * A network of convolutions of which each reads the one before.
 * @param {Required<Convolution>[]} layers
 * @param {{precision?: 'fp32' | 'fp16', isSplit?: boolean}} [options] isSplit: each convolution's result is an output
 */
export function buildChain(layers, { precision = 'fp32', isSplit = false } = {}) {
  const input = { name: 'input', shape: [1, ...layers[0].size, layers[0].channels] };
  const constants = layers.map(({ channels, outputs, kernel }, i) => ({
    weights: makeNumbers(kernel[0] * kernel[1] * channels * (outputs || 1), 2 + 2 * i),
    bias: makeNumbers(outputs || channels, 3 + 2 * i),
  }));
  /** @type {ReturnType<typeof operator>[]} */
  const ops = [];
  for (const [i, c] of layers.entries()) {
    const name = i === layers.length - 1 ? 'output' : `map${i}`;
    ops.push(operator(c, ops.at(-1)?.output ?? input, name, constants[i]));
  }
  const outputs = (isSplit ? ops : ops.slice(-1)).map(({ output }) => ({ name: output.name, value: output }));
  return { model: writeTflite({ ops, inputs: [input], outputs }, { precision, description: '' }), constants };
}

/**
 * @param {Required<Convolution>} c
 * @param {{name: string, shape: number[]}} input
 * @param {string} name of the output
 * @param {{weights: Float32Array, bias: Float32Array}} constants
 */
function operator(c, input, name, { weights, bias }) {
  const { channels, outputs, kernel, stride, dilation, padding, activation } = c;
  const isDepthwise = outputs === 0;
  const shape = [...kernel, channels, outputs || 1];
  const tensor = { dtype: /** @type {const} */ ('float32'), shape, data: weights };
  return {
    kind: isDepthwise ? 'DEPTHWISE_CONV_2D' : 'CONV_2D',
    inputs: [input],
    output: { name, shape: [1, ...outputSize(c), outputs || channels] },
    weights: { kernel: tensor, isTransposed: false, bias: Float64Array.from(bias) },
    options: {
      ...{ strideW: stride, strideH: stride, dilationW: dilation, dilationH: dilation },
      ...{ padding, activation, ...(isDepthwise && { depthMultiplier: 1 }) },
    },
  };
}

/**
 * A network with float16 weights, which become all the numbers that there are: 65536 weights.
 * @param {Uint8Array} bytes
 */
export function withEveryHalf(bytes) {
  const model = readFile(bytes);
  const kernel = model.tensors.find(({ type, shape }) => type === TYPE.float16 && shape.length === 4);
  if (kernel) kernel.data = toBytes(Uint16Array.from({ length: 1 << 16 }, (_, i) => i));
  return writeFile(model);
}

/**
 * The same network of one float layer with its kernel in 8 bits behind a DEQUANTIZE, and with the floats that these are.
 * @param {Uint8Array} bytes
 * @param {number} numScales one, or one for each output channel
 * @param {boolean} isUnsigned uint8 with zero points other than 0
 */
export function withStoredBytes(bytes, numScales, isUnsigned) {
  const model = readFile(bytes);
  const [layer] = model.operators;
  const index = layer.inputs[1];
  const kernel = model.tensors[index];
  const axis = kernel.shape[0] === 1 ? 3 : 0;
  const run = axis === 3 ? 1 : floatsOf(kernel).length / kernel.shape[0];
  const scales = Array.from({ length: numScales }, (_, c) => Math.fround(0.01 + 0.003 * c));
  const zeroPoints = scales.map((_, c) => (isUnsigned ? 100 + (c % 50) : 0));
  const numbers = Array.from(floatsOf(kernel), (_, i) => ((i * 37) % 255) - (isUnsigned ? 0 : 127));
  const stored = (isUnsigned ? Uint8Array : Int8Array).from(numbers);
  const channelOf = (/** @type {number} */ i) => Math.floor(i / run) % numScales;
  const values = Float32Array.from(
    numbers,
    (value, i) => (value - zeroPoints[channelOf(i)]) * scales[channelOf(i)],
  );
  const floats = model.tensors.with(index, { ...kernel, data: toBytes(values) });
  const quantization = { scales, zeroPoints, axis };
  const type = isUnsigned ? TYPE.uint8 : TYPE.int8;
  const packed = { ...kernel, name: 'stored', type, data: toBytes(stored), quantization };
  const tensors = [...model.tensors.with(index, { ...kernel, data: undefined }), packed];
  const { code } = OPERATORS.DEQUANTIZE;
  const unpacking = { code, custom: '', version: 5, inputs: [model.tensors.length], outputs: [index] };
  const operators = [{ ...unpacking, optionsType: 0, options: [] }, layer];
  return {
    stored: writeFile({ ...model, tensors, operators }),
    floats: writeFile({ ...model, tensors: floats }),
  };
}

/**
 * The same network in 8 bits, with scales that are easy to write down.
 * @param {Uint8Array} bytes
 */
export function toInt8(bytes) {
  const model = readFile(bytes);
  const [first, ...others] = model.operators;
  const { inputs } = first;
  setInt8(model.tensors[inputs[0]], INPUT);
  const stored = storeInt8(model, first, INPUT.scale);
  for (const operator of others) storeInt8(model, operator, OUTPUT.scale);
  return { int8: writeFile(model), ...stored };
}

/** @typedef {import('../../../wasm/quantize/file.js').Model} FileModel */

/** @param {FileModel['tensors'][number]} tensor @param {{scale: number, zeroPoint: number}} quantization */
function setInt8(tensor, { scale, zeroPoint }) {
  Object.assign(tensor, {
    ...{ type: TYPE.int8, quantization: { scales: [scale], zeroPoints: [zeroPoint], axis: 0 } },
  });
}

/** @param {FileModel} model @param {FileModel['operators'][number]} operator @param {number} inputScale */
function storeInt8(model, { inputs, outputs }, inputScale) {
  const [kernel, bias, output] = [...inputs.slice(1), ...outputs].map((tensor) => model.tensors[tensor]);
  const isDepthwise = kernel.shape[0] === 1 && kernel.shape[3] === floatsOf(bias).length;
  const scales = Array.from(floatsOf(bias), (_, c) => (1 + (c % 3)) / 64);
  /** @param {Float32Array} values @param {number} scale @param {number} run of values with one scale */
  const store = (values, scale, run) =>
    values.map((value, i) =>
      Math.max(-127, Math.min(127, Math.round(value / scale / scales[Math.floor(i / run) % scales.length]))),
    );
  const zeros = scales.map(() => 0);
  const run = isDepthwise ? 1 : floatsOf(kernel).length / scales.length;
  const quantized = { kernel: store(floatsOf(kernel), 1, run), bias: store(floatsOf(bias), inputScale, 1) };
  setInt8(output, OUTPUT);
  Object.assign(kernel, {
    type: TYPE.int8,
    data: toBytes(Int8Array.from(quantized.kernel)),
    quantization: { scales, zeroPoints: zeros, axis: isDepthwise ? 3 : 0 },
  });
  Object.assign(bias, {
    type: TYPE.int32,
    data: toBytes(Int32Array.from(quantized.bias)),
    quantization: { scales: scales.map((scale) => scale * inputScale), zeroPoints: zeros, axis: 0 },
  });
  return { scales, ...quantized };
}
