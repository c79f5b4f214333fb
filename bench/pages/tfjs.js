// TensorFlow.js on its wasm backend: a photo -> the raw class head. bench/tfjs_model.js made the model's files.
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { setBackend, tensor } from '@tensorflow/tfjs-core';
import { readInput, summarize } from './photo.js';
import { report } from './report.js';

setWasmPaths('/tfjs-wasm/');
setThreadsCount(1);
const [input, model] = await Promise.all([
  readInput(),
  setBackend('wasm').then(() => loadGraphModel('/tfjs/model.json')),
]);
const outputs = model.execute(tensor(input, [1, 300, 300, 3]));
const result = summarize(await outputs.find(({ size }) => size === 1917 * 24).data());
report(performance.now(), result);
