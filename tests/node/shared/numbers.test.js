import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roundEven } from '../../../wasm/shared/numbers.js';

test('halves are rounded to the even number, other numbers to the nearest', () => {
  const values = [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999999999999994, 2.6, -2.6, 2 ** 52 + 1];
  assert.deepEqual(values.map(roundEven), [0, 2, 2, -0, -2, -2, 0, 3, -3, 2 ** 52 + 1]);
});
