// What the examples of a dataset write into a trainer's batch.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkExamples, Dataset } from '../../../wasm/train/dataset.js';

/**
 * What a batch of these examples contains.
 * @param {Dataset} data
 * @param {number[]} indices
 * @param {number[] | null} [classWeight]
 * @returns {Record<string, any>}
 */
function batchOf(data, indices, classWeight = null) {
  /** @type {Record<string, any>} */
  const batch = { rows: [] };
  const trainer = {
    writeRow: (/** @type {number} */ i, /** @type {Float32Array} */ row) => (batch.rows[i] = [...row]),
    writeHalfRows: (/** @type {Uint16Array[]} */ rows) => (batch.rows = rows.map((row) => [...row])),
    write: (/** @type {string} */ name, /** @type {ArrayLike<number>} */ values) =>
      (batch[name] = Array.from(values)),
  };
  const { targets, weights } = data.write(/** @type {any} */ (trainer), indices, classWeight);
  return { ...batch, says: { targets, weights } };
}

const says = (/** @type {boolean} */ targets, /** @type {boolean} */ weights) => ({ targets, weights });

describe('weights', () => {
  test('are 1 for examples without, whether they come before or after those with', () => {
    for (const isFirst of [false, true]) {
      const data = new Dataset(1);
      const plain = { features: Float32Array.of(1, 2), labels: [0, 1] };
      const weighted = { features: Float32Array.of(3), labels: [1], weights: [5] };
      for (const set of isFirst ? [weighted, plain] : [plain, weighted]) data.add(set);
      assert.ok(data.hasWeights);
      const order = isFirst ? [1, 2, 0] : [0, 1, 2];
      const batch = { rows: [[1], [2], [3]], labels: [0, 1, 1] };
      assert.deepEqual(batchOf(data, order), { ...batch, weights: [1, 1, 5], says: says(false, true) });
      const classes = [10, 2];
      assert.deepEqual(batchOf(data, order, classes), {
        ...batch,
        weights: [10, 2, 10],
        says: says(false, true),
      });
    }
  });

  test('are not written where there are none', () => {
    const data = new Dataset(2);
    data.add({ features: Float32Array.of(1, 2, 3, 4), labels: [1, 0] });
    assert.equal(data.hasWeights, false);
    assert.deepEqual(batchOf(data, [1]), { rows: [[3, 4]], labels: [0], says: says(false, false) });
    assert.deepEqual(batchOf(data, [1, 0], [4, 0.5]), {
      ...{
        rows: [
          [3, 4],
          [1, 2],
        ],
        labels: [0, 1],
        weights: [4, 0.5],
        says: says(false, true),
      },
    });
  });

  test('of 0 stay 0', () => {
    const data = new Dataset(1);
    data.add({ features: Float32Array.of(1, 2), labels: [0, 1], weights: [0, 0.25] });
    assert.deepEqual(batchOf(data, [0, 1]).weights, [0, 0.25]);
  });

  test('of examples that are replaced become 1', () => {
    const data = new Dataset(1);
    data.add({ features: Float32Array.of(1), labels: [0], weights: [7] });
    data.restore(Float32Array.of(8, 9), [1, 0]);
    assert.deepEqual([data.size, data.labels, [...data.rows]], [2, [1, 0], [8, 9]]);
    assert.deepEqual(batchOf(data, [0, 1], [1, 3]).weights, [3, 1]);
  });
});

test('distributions are targets, and their largest is the label', () => {
  const data = new Dataset(1);
  data.add({ features: Float32Array.of(1, 2), labels: Float32Array.of(0.2, 0.5, 0.3, 0.75, 0, 0.25) });
  assert.ok(data.hasTargets);
  assert.deepEqual(data.labels, [1, 0]);
  assert.deepEqual(batchOf(data, [1], [2, 3, 4]), {
    ...{ rows: [[2]], targets: [0.75, 0, 0.25], weights: [2], says: says(true, true) },
  });
  const mixed = { code: 'INVALID_LABEL' };
  assert.throws(() => data.add({ features: Float32Array.of(1), labels: [0] }), mixed);
  const named = new Dataset(1);
  named.add({ features: Float32Array.of(1), labels: [0] });
  assert.throws(() => named.add({ features: Float32Array.of(1), labels: Float32Array.of(1, 0, 0) }), mixed);
});

test('rows grow, keep their order, and are stored as asked', () => {
  const data = new Dataset(2);
  for (let i = 0; i < 20; i++) data.add({ features: Float32Array.of(i, -i), labels: [i % 3] });
  assert.equal(data.rows.length, 40);
  data.rows.forEach((value, i) => assert.ok(value === (i % 2 ? -1 : 1) * Math.floor(i / 2)));
  const half = new Dataset(2, 'float16');
  half.add({ features: Float32Array.of(1, -2, 0.5, 0), labels: [0, 0] });
  assert.deepEqual(batchOf(half, [1, 0]).rows, [
    [0x3800, 0],
    [0x3c00, 0xc000],
  ]);
});

describe('examples that are refused', () => {
  const good = { features: Float32Array.of(1, 2, 3, 4), labels: [0, 1] };
  test('none of these', () => {
    checkExamples(good, 2, 2);
    checkExamples({ ...good, weights: [0, 1e9] }, 2, 2);
    checkExamples({ ...good, labels: Float32Array.of(0.5, 0.5, 1, 0) }, 2, 2);
  });
  for (const [name, change, rowLength, code] of /** @type {[string, object, number, string][]} */ ([
    ['a length that is no whole row', {}, 3, 'INVALID_FEATURES'],
    ['a label for another number of rows', { labels: [0] }, 2, 'INVALID_LABEL'],
    ['an infinite number', { features: Float32Array.of(1, 2, Infinity, 4) }, 2, 'INVALID_FEATURES'],
    ['a weight below 0', { weights: [1, -1e-9] }, 2, 'INVALID_FEATURES'],
    ['a weight that is NaN', { weights: [NaN, 1] }, 2, 'INVALID_FEATURES'],
    ['a weight too few', { weights: [1] }, 2, 'INVALID_FEATURES'],
  ]))
    test(name, () => assert.throws(() => checkExamples({ ...good, ...change }, rowLength, 2), { code }));
});
