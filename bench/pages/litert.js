// LiteRT.js: a photo -> the raw class head. One thread, XNNPACK.
import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import { readInput, summarize } from './photo.js';
import { report } from './report.js';

const [input, model] = await Promise.all([
  readInput(),
  loadLiteRt('/litert/').then(() => loadAndCompile('/model', { accelerator: 'wasm' })),
]);
const heads = await model.run([new Tensor(input, [1, 300, 300, 3])]);
const outputs = await Promise.all(heads.map((head) => head.data()));
const result = summarize(outputs.find(({ length }) => length === 1917 * 24));
report(performance.now(), result);
