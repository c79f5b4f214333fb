// TensorFlow.js on its wasm backend: a photo -> detections. bench/tfjs_model.js makes the model files.
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { setBackend, tensor } from '@tensorflow/tfjs-core';
import { detect, makeAnchors } from './detections.js';
import { readInput } from './photo.js';
import { report } from './report.js';

setWasmPaths('/tfjs-wasm/');
setThreadsCount(1);
const loading = Promise.all([readInput(), setBackend('wasm').then(() => loadGraphModel('/tfjs/model.json'))]);
const anchors = makeAnchors();
const [input, model] = await loading;
const outputs = model.execute(tensor(input, [1, 300, 300, 3]));
const found = detect(anchors, await Promise.all(outputs.map((head) => head.data())));
report(performance.now(), found.map(({ column }) => column).join());
