// LiteRT.js: a photo -> detections. One thread, XNNPACK.
import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import { detect, makeAnchors } from './detections.js';
import { readInput } from './photo.js';
import { report } from './report.js';

const loading = Promise.all([
  readInput(),
  loadLiteRt('/litert/').then(() => loadAndCompile('/model', { accelerator: 'wasm' })),
]);
const anchors = makeAnchors();
const [input, model] = await loading;
const heads = await model.run([new Tensor(input, [1, 300, 300, 3])]);
const found = detect(anchors, await Promise.all(heads.map((head) => head.data())));
report(performance.now(), found.map(({ column }) => column).join());
