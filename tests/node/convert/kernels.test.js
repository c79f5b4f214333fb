import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../../../wasm/convert/graph/kernels.js';

test('Round of a constant rounds halves to even, as TensorFlow does', () => {
  const node = /** @type {import('../../../wasm/convert/graph/graph.js').Node} */ ({ op: 'Round' });
  const input = {
    dtype: /** @type {const} */ ('float32'),
    shape: [5],
    data: Float64Array.of(0.5, 1.5, 2.5, -1.5, 2.7),
  };
  const [{ data }] = /** @type {import('../../../wasm/tflite/tensor.js').Tensor[]} */ (
    evaluate(node, [input])
  );
  assert.deepEqual(Array.from(data), [0, 2, 2, -2, 3]);
});
