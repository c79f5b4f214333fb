// RESIZE_NEAREST_NEIGHBOR against LiteRT.js, in the sizes and conventions that occur.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ints } from '../../../wasm/tflite/network.js';
import { writeTflite } from '../../../wasm/tflite/write.js';
import { runEach } from '../convert/convert.js';
import { runLiteRt } from '../litert.js';

const CASES = [
  { from: [2, 3], to: [4, 6], alignCorners: false, halfPixelCenters: false },
  { from: [5, 7], to: [3, 4], alignCorners: false, halfPixelCenters: false },
  { from: [3, 4], to: [7, 9], alignCorners: false, halfPixelCenters: true },
  { from: [4, 5], to: [9, 7], alignCorners: true, halfPixelCenters: false },
  { from: [4, 5], to: [1, 1], alignCorners: true, halfPixelCenters: false },
  { from: [3, 3], to: [1, 1], alignCorners: true, halfPixelCenters: true },
  { from: [3, 4], to: [5, 7], alignCorners: true, halfPixelCenters: true },
  // The floats of some rows lie just below the middle between two.
  { from: [2, 2], to: [83, 119], alignCorners: true, halfPixelCenters: false },
];

for (const { from, to, ...options } of CASES) {
  test(`[${from}] to [${to}], ${JSON.stringify(options)}`, async () => {
    const input = { name: 'input', shape: [1, ...from, 3] };
    const output = { name: 'output', shape: [1, ...to, 3] };
    const op = { kind: 'RESIZE_NEAREST_NEIGHBOR', inputs: [input, ints('size', to)], output, options };
    const network = { ops: [op], inputs: [input], outputs: [{ name: 'output', value: output }] };
    const model = writeTflite(network, { precision: 'fp32', description: '' });
    const image = Float32Array.from({ length: from[0] * from[1] * 3 }, (_, i) => i);
    const [actual] = await runEach('simd', model, [image]);
    const [expected] = await runLiteRt(model, image, input.shape);
    assert.deepEqual([...actual], [...expected.data]);
  });
}
