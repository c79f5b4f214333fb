// The figures of a classifier against their definitions, and its report.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { evaluateClassification, makeClassifierReport } from '../../../wasm/evaluate/index.js';

const LABELS = ['a', 'b', 'c', 'd', 'e', '<f>', 'g'];
const TRUTH = [0, 1, 1, 5];
const ROWS = [
  [0.7, 0.1, 0.1, 0.1, 0, 0, 0],
  [0.6, 0.3, 0.1, 0, 0, 0, 0],
  [0.1, 0.85, 0.05, 0, 0, 0, 0],
  [0.3, 0.2, 0.15, 0.12, 0.11, 0.02, 0.1],
];

describe('a classifier', () => {
  const found = evaluateClassification(LABELS, TRUTH, ROWS);

  test('is measured', () => {
    assert.equal(found.accuracy, 0.5);
    assert.equal(found.top5, 0.75); // <f> is the seventh
    const loss = -(Math.log(0.7) + Math.log(0.3) + Math.log(0.85) + Math.log(0.02)) / 4;
    assert.ok(Math.abs(found.loss - loss) < 1e-12);
    // The bins of 0.7, 0.6, 0.85 and 0.3: right, wrong, right, wrong.
    assert.ok(Math.abs(Number(found.calibration?.error) - (0.3 + 0.6 + 0.15 + 0.3) / 4) < 1e-12);
    assert.deepEqual(found.classes[1], { label: 'b', precision: 1, recall: 0.5, examples: 2 });
    assert.deepEqual(found.confusion[1], [1, 1, 0, 0, 0, 0, 0]);
  });

  test('has a report with names escaped', () => {
    const files = makeClassifierReport(found, { model: '<m>', dataset: 'x', date: new Date(0) });
    assert.deepEqual(Object.keys(files), ['report.md', 'report.html', 'report.json', 'calibration.svg']);
    for (const name of ['report.md', 'report.html']) assert.ok(!/<[mf]>/.test(files[name]), name);
    assert.ok(files['report.html'].includes('<td>0.500</td><td>0.750</td>'));
    assert.equal(JSON.parse(files['report.json']).accuracy, 0.5);
  });
});
