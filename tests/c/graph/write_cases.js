// Writes what the native tests read. For test_golden.c the cases of tests/data: a list, and files of inputs (as the
// network takes them) and of answers (float32); and blocks with weights that are no numbers. For test_hostile.c the networks that are refused, and two lists of them. For
// test_allocation.c a detector, and a list of the models. For test_parts.c how many multiply-adds each of them takes. For
// test_session.c its networks.
// The Makefile runs it:  node write_cases.js OUT
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFile, writeFile } from '../../../wasm/quantize/file.js';
import { floatsOf, toBytes } from '../../../wasm/quantize/float_model.js';
import { sizeOf } from '../../../wasm/shared/numbers.js';
import { appendLabels, writeMetadata } from '../../../wasm/tflite/metadata.js';
import { OPERATORS } from '../../../wasm/tflite/operators.js';
import { REFUSED } from '../../fuzz/hostile_networks.js';
import { tinyDetector, writeModel } from '../../fuzz/tiny_models.js';
import { readModelCase, readOperatorCase } from '../../golden_cases.js';
import { BLOCKS, layersOf } from '../../node/engine/blocks.js';
import {
  build,
  buildChain,
  complete,
  convolve,
  convolveInt8,
  HEAVY,
  makeNumbers,
  toInt8,
} from '../../node/engine/convolution.js';
import { DTYPE_NETWORKS, MIXED_NETWORKS, SCALE_NETWORKS } from './dtype_networks.js';
import { formulaCases } from './formula_cases.js';
import { REFUSED_NETWORKS } from './refused_networks.js';
import { COLUMN_NETWORKS } from './column_networks.js';
import { SESSION_NETWORKS } from '../session/networks.js';

const DATA = fileURLToPath(new URL('../../data', import.meta.url));
const out = process.argv[2];
/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(`${DATA}/${path}`, 'utf8'));

/** @typedef {import('../../fuzz/tiny_models.js').TinyTensor} TinyTensor */
/** @typedef {import('../../fuzz/tiny_models.js').TinyOperator} TinyOperator */

mkdirSync(out, { recursive: true });
const groups = readdirSync(`${DATA}/ops`).filter((name) => name.endsWith('.json'));
const cases = [
  ...groups.flatMap((group) =>
    readJson(`ops/${group}`).map((/** @type {any} */ each) => readOperatorCase(each, `${DATA}/ops`)),
  ),
  ...readJson('models/cases.json').map((/** @type {any} */ each) => readModelCase(each, `${DATA}/models`)),
  ...wideConvolutions(),
  ...blocks(),
  ...constantsInFront(),
  ...formulaCases(),
];
writeFileSync(`${out}/golden.txt`, cases.flatMap(writeCase).join('\n') + '\n');
const bands = blocksOfNoNumbers().map((model, i) => write(`bands${i}.tflite`, model));
writeFileSync(`${out}/bands.txt`, bands.map((path) => `${path}\n`).join(''));
const hostile = Object.entries(REFUSED).map(
  ([name, [code, network]], i) => `${code} ${write(`hostile${i}.tflite`, writeModel(network))} ${name}`,
);
const dtypes = [...DTYPE_NETWORKS, ...MIXED_NETWORKS, ...SCALE_NETWORKS].map(
  ({ name, status, network }, i) => `${status} ${write(`dtype${i}.tflite`, writeModel(network))} ${name}`,
);
writeFileSync(`${out}/hostile.txt`, [...hostile, ...dtypes].join('\n') + '\n');
const refused = REFUSED_NETWORKS.map(
  ([status, message, network], i) =>
    `${status} ${write(`refused${i}.tflite`, writeModel(network))} ${message}`,
);
writeFileSync(`${out}/refused.txt`, refused.join('\n') + '\n');
for (const [name, network] of Object.entries(SESSION_NETWORKS)) write(name, writeModel(network));
const columns = Object.entries(COLUMN_NETWORKS).map(([name, network]) =>
  write(`columns_${name}.tflite`, writeModel(network)),
);
writeFileSync(`${out}/columns.txt`, columns.map((path) => `${path}\n`).join(''));
const metadata = writeMetadata({
  ...{ name: 'tiny', description: 'a detector' },
  image: { name: 'image', mean: [127.5], std: [127.5] },
  outputs: [
    { name: 'boxes', role: 'location' },
    { name: 'scores', role: 'score', labels: ['cat', 'dog'] },
  ],
});
write('detector.tflite', appendLabels(tinyDetector(metadata), ['cat', 'dog']));
writeFileSync(`${out}/models.txt`, cases.map((golden) => `${resolve(pathOf(golden))}\n`).join(''));

const counts = cases.flatMap((golden) => {
  const path = pathOf(golden);
  const file = readDense(new Uint8Array(readFileSync(path)));
  return file ? [`${multiplyAdds(file) ?? -1} ${parameters(file)} ${resolve(path)}\n`] : [];
});
writeFileSync(`${out}/multiply_adds.txt`, counts.join(''));

/**
 * Convolutions that are wider than the kernels' tiles, or have more weights than the cache, against the formula.
 * @returns {import('../../golden_cases.js').GoldenCase[]}
 */
function wideConvolutions() {
  const shapes = [
    ...[1, 2, 3].flatMap((stride) =>
      [38, 40, 79].map((width) => ({ size: [3, width], channels: 9, stride })),
    ),
    ...[1, 2].map((stride) => ({ size: [5, 61], channels: 3, outputs: 10, stride })),
    { size: [4, 7], channels: 17, outputs: 19, kernel: [1, 1] },
    { size: [3, 3], channels: 9, outputs: 9, padding: 'VALID' },
    // More products than the 8-bit kernels widen at once.
    { size: [1, 6], channels: 6402, outputs: 8, kernel: [1, 1] },
    { size: [3, 6], channels: 720, outputs: 8, padding: 'VALID' },
    // Exactly as many, at a tap five or ten pairs of them.
    { size: [16, 46], channels: 10, outputs: 8, kernel: [16, 40], padding: 'VALID' },
    { size: [16, 26], channels: 20, outputs: 8, kernel: [16, 20], padding: 'VALID' },
    ...HEAVY,
  ];
  return shapes.flatMap((shape, i) => {
    const c = complete(/** @type {import('../../node/engine/convolution.js').Convolution} */ (shape));
    const { model, ...constants } = build(c);
    const input = makeNumbers(c.size[0] * c.size[1] * c.channels);
    const { int8, ...stored } = toInt8(model);
    const products = c.kernel[0] * c.kernel[1] * c.channels;
    const bytes = Int8Array.from(input, (value) => value * 32);
    const caseOf = (
      /** @type {string} */ kind,
      /** @type {Uint8Array} */ file,
      /** @type {Float32Array | Int8Array} */ given,
      /** @type {ArrayLike<number>} */ values,
      /** @type {number} */ limit,
    ) => ({
      ...{ name: `wide${i}.${kind}`, model: file, inputs: [given], hasDetections: false, isBatchFree: false },
      outputs: [{ name: 'output', shape: [], values: Array.from(values), limit, cosine: -1 }],
    });
    return [
      caseOf('fp32', model, input, convolve(c, input, constants), 1e-4 * Math.max(1, products / 64)),
      caseOf('int8', int8, bytes, convolveInt8(c, bytes, stored), 0),
    ];
  });
}

/**
 * Blocks that run band by band, against the formula: one of each four.
 * @returns {import('../../golden_cases.js').GoldenCase[]}
 */
function blocks() {
  return BLOCKS.filter((_, i) => i % 4 === 0).map((block, i) => {
    const layers = layersOf(block);
    const { model, constants } = buildChain(layers);
    const input = makeNumbers(layers[0].size[0] * layers[0].size[1] * layers[0].channels);
    const values = layers.reduce((map, layer, k) => convolve(layer, map, constants[k]), input);
    return {
      ...{ name: `block${i}`, model, inputs: [input], hasDetections: false, isBatchFree: false },
      outputs: [{ name: 'output', shape: [], values: Array.from(values), limit: 1e-3, cosine: -1 }],
    };
  });
}

/**
 * Blocks whose first two convolutions have sums that are NaN, infinite, or -0, with each activation; with 60 channels there
 * are no panels.
 */
function blocksOfNoNumbers() {
  const last = /** @type {import('../../node/engine/blocks.js').Layer} */ ({
    ...{ outputs: 11, kernel: [1, 1], activation: 'NONE' },
  });
  return /** @type {const} */ (['NONE', 'RELU', 'RELU6']).flatMap((activation) =>
    /** @type {[number, number][]} */ ([
      [1, 64],
      [3, 64],
      [3, 60],
    ]).map(([side, outputs]) => {
      const kernel = /** @type {[number, number]} */ ([side, side]);
      const chain = layersOf({ size: [129, 131], layers: [{ outputs, kernel, activation }, {}, last] });
      const model = readFile(buildChain(chain).model);
      for (const [layer, { inputs }] of model.operators.slice(0, 2).entries()) {
        const [weights, bias] = inputs.slice(1).map((tensor) => model.tensors[tensor]);
        const values = floatsOf(weights);
        const place = (/** @type {number} */ c) => (layer === 0 ? (c * values.length) / outputs : c);
        for (let c = layer; c < outputs; c += 5) values[place(c)] = [NaN, Infinity, -Infinity][c % 3];
        if (layer === 0) values.fill(0, place(2), place(3));
        weights.data = toBytes(values);
        bias.data = toBytes(floatsOf(bias).with(2, -0));
      }
      return writeFile(model);
    }),
  );
}

/**
 * Networks whose tensor 0 is a constant, in every place where an operator or the network takes one. Converters write a
 * network's input first.
 * @returns {import('../../golden_cases.js').GoldenCase[]}
 */
function constantsInFront() {
  const x = makeNumbers(4);
  const c = [1, -2, 0.5, 4];
  const vector = { shape: [1, 4] };
  const first = { ...vector, data: c };
  const shape = /** @type {TinyTensor} */ ({ shape: [2], dtype: 'int32', data: [1, 4] });
  const bytes = /** @type {TinyTensor} */ ({ ...vector, dtype: 'int8', scale: 0.5, data: [2, -4, 1, 8] });
  const pixels = { shape: [1, 2, 2, 1] };
  const conv = /** @type {TinyOperator['options']} */ ([1, ['i32', 1, 1], ['i32', 2, 1], ['i8', 3, 0]]);
  const [ADD, CONV_2D, DEQUANTIZE, RESHAPE, SUB] = [0, 3, 6, 22, 41];
  const values = (/** @type {(value: number, i: number) => number} */ f) => Array.from(x, f);
  /** @type {Record<string, [tensors: TinyTensor[], operators: TinyOperator[], outputs: Record<number, number[]>]>} */
  const networks = {
    second: [
      [first, vector, vector],
      [{ code: ADD, inputs: [1, 0], outputs: [2] }],
      { 2: values((value, i) => value + c[i]) },
    ],
    first: [
      [first, vector, vector],
      [{ code: SUB, inputs: [0, 1], outputs: [2] }],
      { 2: values((value, i) => c[i] - value) },
    ],
    output: [
      [first, vector, vector],
      [{ code: ADD, inputs: [1, 1], outputs: [2] }],
      { 2: values((value) => 2 * value), 0: c },
    ],
    input_as_output: [
      [first, vector, vector],
      [{ code: ADD, inputs: [1, 0], outputs: [2] }],
      { 1: values((value) => value), 2: values((value, i) => value + c[i]) },
    ],
    shape: [[shape, pixels, vector], [{ code: RESHAPE, inputs: [1, 0], outputs: [2] }], { 2: [...x] }],
    kernel: [
      [{ shape: [1, 1, 1, 1], data: [3] }, pixels, { shape: [1], data: [0.25] }, pixels],
      [{ code: CONV_2D, inputs: [1, 0, 2], outputs: [3], options: conv }],
      { 3: values((value) => 3 * value + 0.25) },
    ],
    bias: [
      [{ shape: [1], data: [0.25] }, pixels, { shape: [1, 1, 1, 1], data: [3] }, pixels],
      [{ code: CONV_2D, inputs: [1, 2, 0], outputs: [3], options: conv }],
      { 3: values((value) => 3 * value + 0.25) },
    ],
    map: [
      [{ ...pixels, data: c }, pixels, { shape: [1, 1, 1, 1], data: [3] }, pixels, pixels],
      [
        { code: CONV_2D, inputs: [0, 2], outputs: [3], options: conv },
        { code: ADD, inputs: [1, 3], outputs: [4] },
      ],
      { 4: values((value, i) => value + 3 * c[i]) },
    ],
    dequantized: [
      [bytes, vector, vector, vector],
      [
        { code: DEQUANTIZE, inputs: [0], outputs: [2] },
        { code: ADD, inputs: [1, 2], outputs: [3] },
      ],
      { 3: values((value, i) => value + c[i]) },
    ],
    dequantized_kernel: [
      [
        { shape: [1, 1, 1, 1], dtype: 'int8', scale: 0.5, data: [6] },
        pixels,
        { shape: [1, 1, 1, 1] },
        pixels,
      ],
      [
        { code: DEQUANTIZE, inputs: [0], outputs: [2] },
        { code: CONV_2D, inputs: [1, 2], outputs: [3], options: conv },
      ],
      { 3: values((value) => 3 * value) },
    ],
  };
  return Object.entries(networks).map(([name, [tensors, operators, expected]]) => ({
    ...{ name: `constant_in_front_${name}`, inputs: [x], hasDetections: false, isBatchFree: false },
    model: writeModel({
      ...{ tensors, operators, inputs: [1] },
      outputs: Object.keys(expected)
        .map(Number)
        .toSorted((a, b) => b - a),
    }),
    outputs: Object.entries(expected).map(([tensor, output]) => ({
      ...{ name: `t${tensor}`, shape: [1, 4], values: output, limit: 1e-6, cosine: -1 },
    })),
  }));
}

/** @typedef {ReturnType<typeof readFile>} Model */

/** The elements of all weights and biases. @param {Model} file */
function parameters({ tensors, operators }) {
  const { CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV } = OPERATORS;
  const layers = [CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED].map(({ code }) => code);
  return operators.reduce((sum, { code, custom, inputs }) => {
    const [, kernel, third = -1, fourth = -1] = inputs;
    const isLayer = layers.includes(code) || custom === 'Convolution2DTransposeBias';
    const bias = isLayer ? third : fourth;
    if (!isLayer && code !== TRANSPOSE_CONV.code) return sum;
    return sum + sizeOf(tensors[kernel].shape) + (bias < 0 ? 0 : sizeOf(tensors[bias].shape));
  }, 0);
}

/**
 * By definition, from the shapes that the file states; undefined: it has operators with another one.
 * @param {Model} file
 */
function multiplyAdds({ tensors, operators }) {
  const { CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, SPACE_TO_BATCH_ND, TRANSPOSE_CONV } = OPERATORS;
  // A dilated convolution between SPACE_TO_BATCH_ND and its inverse takes fewer: it computes no padding.
  const isOther = (/** @type {(typeof operators)[number]} */ { code, custom }) =>
    code === TRANSPOSE_CONV.code ||
    code === SPACE_TO_BATCH_ND.code ||
    custom === 'Convolution2DTransposeBias';
  if (operators.some(isOther)) return undefined;
  return operators.reduce((sum, { code, inputs, outputs }) => {
    const [output, kernel] = [tensors[outputs[0]]?.shape, tensors[inputs[1]]?.shape];
    if (code === CONV_2D.code) return sum + sizeOf(output) * sizeOf(kernel.slice(1));
    if (code === DEPTHWISE_CONV_2D.code) return sum + sizeOf(output) * kernel[1] * kernel[2];
    return code === FULLY_CONNECTED.code ? sum + sizeOf(output) * kernel[1] : sum;
  }, 0);
}

/** @param {Uint8Array} bytes */
function readDense(bytes) {
  try {
    return readFile(bytes);
  } catch (error) {
    if (/** @type {{code?: string}} */ (error).code === 'SPARSE_WEIGHTS') return undefined;
    throw error;
  }
}

/** @param {import('../../golden_cases.js').GoldenCase} golden a packed case has no file of its own */
function pathOf({ name, model }) {
  return typeof model === 'string' ? model : `${out}/${name}.tflite`;
}

/** @param {import('../../golden_cases.js').GoldenCase} golden */
function writeCase(golden) {
  const { name, model, inputs, outputs, hasDetections, isBatchFree } = golden;
  if (typeof model !== 'string') writeFileSync(pathOf(golden), model);
  return [
    `case ${name} ${pathOf(golden)} ${Number(hasDetections)} ${Number(isBatchFree)} ${inputs.length} ${outputs.length}`,
    ...inputs.map((input, i) => `input ${write(`${name}.input${i}`, input)}`),
    ...outputs.map(({ name: output, values, limit, cosine }, i) => {
      const file = write(`${name}.output${i}`, Float32Array.from(values));
      return `output ${output || '-'} ${values.length / inputs.length} ${file} ${limit} ${cosine}`;
    }),
  ];
}

/**
 * @param {string} name
 * @param {NodeJS.ArrayBufferView} numbers
 */
function write(name, numbers) {
  writeFileSync(`${out}/${name}`, numbers);
  return `${out}/${name}`;
}
