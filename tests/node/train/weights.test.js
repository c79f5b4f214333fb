// Where a network's weights lie in the array of its parameters, and what may replace them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readWeights, replaceWeights } from '../../../wasm/train/model.js';
import { parameterSpecs } from '../../../wasm/train/network.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const NETWORK = any({
  input: [4, 4, 2],
  layers: [
    { kind: 'pointwise', channels: 3, norm: 'training' },
    { kind: 'depthwise', channels: 3 },
    { kind: 'depthwise', channels: 3, size: 5, norm: 'frozen' },
    { kind: 'gate', channels: 3 },
    { kind: 'pool', channels: 3 },
    { kind: 'pointwise', channels: 2 },
  ],
});

test('each layer has a kernel, and a bias or its batch norm', () => {
  const sizes = [
    ...[['tail/0/kernel', [2, 3]], ['tail/0/gamma', [3]], ['tail/0/beta', [3]], ['tail/0/moving_mean', [3]], ['tail/0/moving_variance', [3]]],
    ...[['tail/1/kernel', [3, 3, 3]], ['tail/1/bias', [3]]],
    ...[['tail/2/kernel', [5, 5, 3]], ['tail/2/gamma', [3]], ['tail/2/beta', [3]], ['tail/2/moving_mean', [3]], ['tail/2/moving_variance', [3]]],
    ...[['dense/kernel', [3, 2]], ['dense/bias', [2]]],
  ]; // prettier-ignore
  let at = 0;
  const expected = any(sizes).map((/** @type {any} */ [name, shape]) => {
    const size = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b);
    at += size;
    return { name, shape, offset: at - size, size };
  });
  assert.deepEqual(parameterSpecs(NETWORK), expected);
});

describe('weights', () => {
  const head = any({ input: [1, 1, 2], layers: [{ kind: 'pointwise', channels: 3 }] });
  const make = () => any({ network: head, parameters: Float32Array.from({ length: 9 }, (_, i) => i) });
  test('are read as copies', () => {
    const model = make();
    const weights = readWeights(model);
    assert.deepEqual(weights, {
      'dense/kernel': { shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) },
      'dense/bias': { shape: [3], data: Float32Array.of(6, 7, 8) },
    });
    weights['dense/bias'].data.fill(9);
    assert.equal(model.parameters[8], 8);
  });
  test('are replaced, all or some', () => {
    const model = make();
    replaceWeights(model, { 'dense/bias': Float32Array.of(1, 2, 3) });
    assert.deepEqual([...model.parameters], [0, 1, 2, 3, 4, 5, 1, 2, 3]);
    replaceWeights(model, { 'dense/kernel': new Float32Array(6), 'dense/bias': any(undefined) });
    assert.deepEqual([...model.parameters], [0, 0, 0, 0, 0, 0, 1, 2, 3]);
  });
  const kernel = new Float32Array(6);
  for (const [wrong, code] of /** @type {[any, string][]} */ ([
    [{ 'dense/kernel': kernel, 'dense/bias': new Float32Array(2) }, 'INVALID_FEATURES'],
    [{ 'dense/kernel': kernel, 'dense/bias': new Float32Array(4) }, 'INVALID_FEATURES'],
    [{ 'dense/kernel': kernel, 'dense/bias': [1, 2, 3] }, 'INVALID_FEATURES'],
    [{ 'dense/kernel': kernel, 'dense/bias': Float32Array.of(1, NaN, 3) }, 'INVALID_FEATURES'],
    [{ 'dense/kernel': kernel, 'dense/bias': null }, 'INVALID_FEATURES'],
    [{ 'dense/kernel': kernel, 'tail/0/kernel': kernel }, 'INVALID_OPTION'],
  ]))
    test(`are not ${JSON.stringify(wrong)}, and nothing is replaced then`, () => {
      const model = make();
      assert.throws(() => replaceWeights(model, wrong), { code });
      assert.deepEqual(model.parameters, make().parameters);
    });
});
