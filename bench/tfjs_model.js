// The default model's .tflite -> the same network as a TensorFlow.js graph model, as TensorFlow.js's converter writes
// it: model.json with fused operators, and float16 weights.
import { readOperators } from './tflite_model.js';

/** @param {string} text */
const text = (text) => ({ s: btoa(text) });
const FLOAT = { type: 'DT_FLOAT' };
const INT = { type: 'DT_INT32' };

/**
 * @param {Uint8Array} model
 * @returns {{model: import('@tensorflow/tfjs-core').io.ModelJSON, weights: Uint8Array<ArrayBuffer>}} `model`: content of model.json; `weights`: content of weights.bin
 */
export function toTensorFlowJs(model) {
  const { input, operators, shapes, constant } = readOperators(model);
  const nameOf = (/** @type {number} */ index) => (index === input ? 'input' : `t${index}`);
  const dim = shapes[input].map((size) => ({ size: String(size) }));
  /** @type {object[]} */
  const nodes = [{ name: 'input', op: 'Placeholder', attr: { dtype: FLOAT, shape: { shape: { dim } } } }];
  /** @type {import('@tensorflow/tfjs-core').io.WeightsManifestEntry[]} */
  const manifest = [];
  /** @type {Uint8Array[]} */
  const parts = [];
  /** @param {string} name @param {number[]} shape @param {Uint16Array | Int32Array} values */
  const store = (name, shape, values) => {
    const isFloat = values instanceof Uint16Array;
    nodes.push({ name, op: 'Const', attr: { dtype: isFloat ? FLOAT : INT } });
    // The cast is needed because the type requires a scale, which float16 does not have.
    const quantization = /** @type {any} */ ({ dtype: 'float16', original_dtype: 'float32' });
    manifest.push({ name, shape, dtype: isFloat ? 'float32' : 'int32', ...(isFloat && { quantization }) });
    parts.push(new Uint8Array(values.buffer));
    return name;
  };
  /** @typedef {import('./tflite_model.js').Operator} Operator */
  /** @type {Record<Operator['kind'], (operator: Operator) => void>} */
  const converters = {
    reshape: ({ inputs: [from], output }) => {
      const shape = shapes[output];
      const sizes = store(`${nameOf(output)}/shape`, [shape.length], Int32Array.from(shape));
      nodes.push({ name: nameOf(output), op: 'Reshape', input: [nameOf(from), sizes], attr: { T: FLOAT } });
    },
    add: ({ inputs, output }) => {
      nodes.push({ name: nameOf(output), op: 'AddV2', input: inputs.map(nameOf), attr: { T: FLOAT } });
    },
    concat: ({ inputs, output, axis }) => {
      const axisName = store(`${nameOf(output)}/axis`, [], Int32Array.of(axis));
      const attr = { T: FLOAT, N: { i: String(inputs.length) } };
      nodes.push({ name: nameOf(output), op: 'ConcatV2', input: [...inputs.map(nameOf), axisName], attr });
    },
    conv: convolve,
    depthwise: convolve,
  };
  /** @param {Operator} operator */
  function convolve({ kind, inputs: [from, filterIndex, biasIndex], output, padding, strides, isRelu6 }) {
    const isConv = kind === 'conv';
    const name = nameOf(output);
    const filter = constant(filterIndex);
    const bias = constant(biasIndex);
    const [a, height, width, b] = filter.shape;
    const values = isConv ? moveFirstToLast(filter.halves, a) : filter.halves;
    const filterName = store(`${name}/filter`, [height, width, b, isConv ? a : 1], values);
    const biasName = store(`${name}/bias`, bias.shape, bias.halves);
    const fused = ['BiasAdd', ...(isRelu6 ? ['Relu6'] : [])];
    const steps = ['1', ...strides.map(String), '1'];
    nodes.push({
      name,
      op: isConv ? '_FusedConv2D' : 'FusedDepthwiseConv2dNative',
      input: [nameOf(from), filterName, biasName],
      attr: {
        ...{ T: FLOAT, num_args: { i: '1' }, epsilon: { f: 0 }, data_format: text('NHWC') },
        ...{ strides: { list: { i: steps } }, dilations: { list: { i: ['1', '1', '1', '1'] } } },
        padding: text(padding),
        fused_ops: { list: { s: fused.map((operator) => text(operator).s) } },
      },
    });
  }

  for (const operator of operators) converters[operator.kind](operator);
  return {
    model: {
      format: 'graph-model',
      modelTopology: { node: nodes, versions: { producer: 1 } },
      weightsManifest: [{ paths: ['weights.bin'], weights: manifest }],
    },
    weights: concatenate(parts),
  };
}

/**
 * [count, rest] -> [rest, count]
 * @param {Uint16Array} values
 * @param {number} count
 */
function moveFirstToLast(values, count) {
  const rest = values.length / count;
  return values.map((_, i) => values[(i % count) * rest + Math.floor(i / count)]);
}

/** @param {Uint8Array[]} parts */
function concatenate(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
