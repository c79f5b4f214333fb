// TensorFlow.js on its wasm backend: a photo -> the raw class head. The network comes from bench/tfjs_model.js: its
// operators, and float16 weights in the layout that TensorFlow.js wants, as its own converter would have written them.
import * as tf from '@tensorflow/tfjs-core';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { readInput, summarize } from './photo.js';

setWasmPaths('/tfjs-wasm/');
setThreadsCount(1);
const [input, { operators, output }, weights] = await Promise.all([
  readInput(),
  fetch('/tfjs/network.json').then((response) => response.json()),
  fetch('/tfjs/weights.bin').then((response) => response.arrayBuffer()),
  tf.setBackend('wasm'),
]);

const values = new Map();
const read = ({ shape, offset }) => {
  const length = shape.reduce((product, size) => product * size, 1);
  return tf.tensor(new Float32Array(new Float16Array(weights, offset, length)), shape);
};
const filters = operators.map(({ filter, bias }) => filter && { filter: read(filter), bias: read(bias) });

const KINDS = {
  conv: ([x], options, { filter, bias }) => tf.fused.conv2d({ x, filter, bias, ...options }),
  depthwise: ([x], options, { filter, bias }) => tf.fused.depthwiseConv2d({ x, filter, bias, ...options }),
  add: ([a, b]) => tf.add(a, b),
  concat: (inputs, { axis }) => tf.concat(inputs, axis),
  reshape: ([x], { shape }) => tf.reshape(x, shape),
};

values.set('input', tf.tensor(input, [1, 300, 300, 3]));
operators.forEach(({ kind, inputs, name, options }, i) => {
  const args = inputs.map((input) => values.get(input));
  values.set(name, KINDS[kind](args, options, filters[i]));
});
const result = summarize(await values.get(output).data());
globalThis.report = { ms: performance.now(), result };
