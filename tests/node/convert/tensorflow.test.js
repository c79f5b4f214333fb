// TensorFlow's operators one by one, against what TensorFlow computes: by the evaluator that proves conversions, as
// constants during a conversion, and as the operators of a converted file.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Facts } from '../../../wasm/convert/graph/facts.js';
import { make } from '../../../wasm/convert/graph/graph.js';
import { evaluate } from '../../../wasm/convert/graph/kernels.js';
import { evaluateGraph } from '../../../wasm/convert/prove/evaluate.js';
import { RULES } from '../../../wasm/convert/lower/lower.js';
import { convert } from '../../../wasm/convert/node.js';
import { readGraphModel } from '../../../wasm/convert/source/tfjs.js';
import { loadEngine } from '../shared.js';

/**
 * @typedef {import('../../../wasm/tflite/tensor.js').Tensor} Tensor
 * @typedef {{dtype: 'float32' | 'int32' | 'bool', shape: number[], values: number[]}} Spelt
 * @typedef {{op: string, defaults: string[], attr: Record<string, any>, inputs: Spelt[], outputs: Spelt[]}} Case
 */

/** @type {Case[]} */
const CASES = JSON.parse(readFileSync(new URL('../../data/convert/operators.json', import.meta.url), 'utf8'));
const TYPES = { float32: 'DT_FLOAT', int32: 'DT_INT32', bool: 'DT_BOOL' };
const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** @param {Spelt} spelt @returns {Tensor} */
const tensorOf = ({ dtype, shape, values }) => ({ dtype, shape, data: ARRAYS[dtype].from(values) });

/** @param {{shape: number[], data: ArrayLike<number | bigint>}} result @param {Spelt} expected */
function assertSame({ shape, data }, expected) {
  assert.deepEqual(shape, expected.shape);
  const largest = Math.max(...expected.values.map(Math.abs), 1);
  assert.equal(data.length, expected.values.length);
  expected.values.forEach((value, i) => {
    const [found, allowed] = [Number(data[i]), expected.dtype === 'float32' ? 2e-6 * largest : 0];
    assert.ok(Math.abs(found - value) <= allowed, `${i}: ${found}, not ${value}`);
  });
}

/** The operator with constant inputs, as the converter reads it. @param {Case} given */
function nodeOf({ op, attr, inputs, outputs }) {
  const json = {
    modelTopology: {
      node: [{ name: 'y', op, attr, input: inputs.map((_, i) => `c${i}`) }, ...named(inputs).map(constOf)],
    },
  };
  const names = outputs.map((_, i) => `y:${i}`);
  const weights = new Map(inputs.map((each, i) => [`c${i}`, tensorOf(each)]));
  return readGraphModel(json, weights, { outputs: names }).outputs[0].ref.node;
}

/** @param {Spelt[]} inputs */
const named = (inputs) => inputs.map((each, i) => ({ ...each, name: `c${i}` }));

/** @param {Spelt & {name: string}} spelt */
const constOf = ({ name, dtype }) => ({ name, op: 'Const', attr: { dtype: { type: TYPES[dtype] } } });

/**
 * The operator in a graph whose input is one of the operator's inputs, and the others are constants.
 * @param {Case} given
 * @param {number} at the operator's input that is the graph's
 */
function sourceOf({ op, attr, inputs, outputs }, at) {
  const dim = inputs[at].shape.map((size) => ({ size: String(size) }));
  const placeholder = {
    ...{ name: 'x', op: 'Placeholder' },
    attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim } } },
  };
  const constants = named(inputs).toSpliced(at, 1);
  const input = inputs.map((_, i) => (i === at ? 'x' : `c${i}`));
  const node = [placeholder, ...constants.map(constOf), { name: 'y', op, attr, input }];
  const port = (/** @type {string} */ name) => [name, { name, dtype: 'DT_FLOAT' }];
  const signature = {
    inputs: Object.fromEntries([port('x')]),
    outputs: Object.fromEntries(outputs.map((_, i) => port(`y:${i}`))),
  };
  const weights = constants.map(({ name, shape, dtype }) => ({ name, shape, dtype }));
  const json = {
    ...{ format: 'graph-model', signature, modelTopology: { node } },
    weightsManifest: [{ paths: ['w.bin'], weights }],
  };
  const bytes = Buffer.concat(
    constants.map((each) => Buffer.from(/** @type {any} */ (tensorOf(each).data).buffer)),
  );
  return {
    'model.json': () => new TextEncoder().encode(JSON.stringify(json)),
    'w.bin': () => new Uint8Array(bytes),
  };
}

/** @param {Case} given @param {number} at */
async function runConverted(given, at) {
  const { model } = await convert(sourceOf(given, at), { verify: false, weights: 'fp32' });
  const engine = await loadEngine('simd', model);
  try {
    engine.writeInput(0, Float32Array.from(given.inputs[at].values));
    engine.run();
    return engine.outputs.map((_, i) => engine.readOutput(i));
  } finally {
    engine.close();
  }
}

/** Operators that the converter does not compute of constants. */
const NOT_FOLDED = new Set([
  ...['ClipByValue', 'Elu', 'Erf', 'LeakyRelu', 'LogSoftmax', 'Relu6', 'Selu', 'Softmax', 'Softplus', 'Tanh'],
  ...['ArgMax', 'ArgMin', 'TopKV2', 'AvgPool', 'MaxPool', 'FusedBatchNorm', 'FusedBatchNormV3', 'GatherNd'],
  ...['Pad', 'PadV2', 'MirrorPad', 'DepthToSpace', 'SpaceToDepth', 'SpaceToBatchND', 'BatchToSpaceND'],
  ...['ResizeBilinear', 'ResizeNearestNeighbor', 'Conv2D', 'DepthwiseConv2dNative', 'Conv2DBackpropInput'],
  ...['_FusedConv2D', 'MatMul', 'BatchMatMulV2', '_FusedMatMul'],
]);
/** Whether constants of a case are not computed. @param {Case} given */
const isNotFolded = ({ op, attr }) =>
  NOT_FOLDED.has(op) || (op === 'GatherV2' && Number(attr.batch_dims?.i) > 0);

/** Operators that have weights, which are constants. */
const HAS_WEIGHTS = /Conv|MatMul/;
/** Why a case of an input cannot be a file. @param {Case} given @param {number} at @returns {RegExp | undefined} */
function reasonAgainst({ op }, at) {
  if (HAS_WEIGHTS.test(op) && at === 1) return /its input 1 is not constant/;
  if (op === 'DivNoNan' && at === 1) return /its divisor is not constant/;
  if (/^(?:SpaceToBatch|BatchToSpace)ND$/.test(op))
    return /it is not part of a dilated|does not follow a convolution/;
  return undefined;
}

/** The inputs that may be a network's. @param {Case} given */
const imagesOf = ({ inputs }) =>
  inputs.flatMap(({ dtype, shape }, at) => (dtype === 'float32' && shape.length > 1 ? [at] : []));

const counts = new Map();
/** The case without the attributes that have their defaults, as most files leave them out. @param {Case} given */
const stripped = ({ attr, defaults, ...others }) => ({
  ...others,
  ...{
    defaults: [],
    attr: Object.fromEntries(Object.entries(attr).filter(([key]) => !defaults.includes(key))),
  },
});
const ALL = CASES.flatMap((given) =>
  given.defaults.some((key) => !given.attr[key].type) ? [given, stripped(given)] : [given],
);

for (const given of ALL) {
  const count = (counts.get(given.op) ?? 0) + 1;
  counts.set(given.op, count);
  const name = `${given.op} ${count}`;
  test(`${name} in a proof`, async () => {
    const node = nodeOf(given);
    const refs = given.outputs.map((_, index) => ({ node, index }));
    const results = await evaluateGraph(refs, new Map());
    results.forEach((result, i) => assertSame(result, given.outputs[i]));
  });
  test(`${name} of constants`, () => {
    const results = evaluate(nodeOf(given), given.inputs.map(tensorOf));
    assert.equal(results === undefined, isNotFolded(given));
    results?.forEach((result, i) => assertSame(result, given.outputs[i]));
  });
  test(`${name}: shapes`, () => {
    for (const at of imagesOf(given)) {
      const node = nodeOf(given);
      const image = make('x', 'Placeholder', []);
      node.inputs[at] = image;
      const facts = new Facts([{ node, index: 0 }], new Map([[image.node, given.inputs[at].shape]]));
      given.outputs.forEach(({ shape }, index) => assert.deepEqual(facts.shape({ node, index }), shape));
    }
  });
  if (!Object.hasOwn(RULES, given.op)) continue;
  for (const at of imagesOf(given))
    test(`${name} in a file, of its input ${at}`, async () => {
      const reason = reasonAgainst(given, at);
      if (reason)
        return assert.rejects(runConverted(given, at), { code: 'GRAPH_UNSUPPORTED', message: reason });
      const results = await runConverted(given, at);
      results.forEach((result, i) => assertSame(result, given.outputs[i]));
    });
}
