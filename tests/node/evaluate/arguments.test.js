// Whatever a program passes to the functions of ocelli/evaluate, what comes out is an OcelliError, never a raw one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as entry from '../../../wasm/evaluate/index.js';

const { OcelliError, MEASURES, ...functions } = entry;
const EMPTY = { images: [], annotations: [], categories: [] };
const VALUES = [
  ...[undefined, null, 1, 'x', [], {}, [null], [1], ['a'], new Map(), new Map([['a.json', 1]])],
  ...[() => {}, { images: 1 }, { ...EMPTY, images: [null] }, { ...EMPTY, categories: [{}] }, EMPTY],
  ...[
    { groundTruth: EMPTY, files: new Map() },
    { labels: [{ name: 'a' }], detect() {} },
    [{ evaluation: {} }],
  ],
];

for (const [name, call] of Object.entries(functions))
  test(name, async () => {
    for (const first of VALUES)
      for (const second of VALUES)
        for (const third of VALUES)
          try {
            await /** @type {any} */ (call)(first, second, third);
          } catch (error) {
            if (error instanceof OcelliError) continue;
            assert.fail(
              `${name}(${[first, second, third].map(String)}): ${/** @type {Error} */ (error).stack}`,
            );
          }
  });

test('each argument is checked, also where nothing would be done with it', async () => {
  const decode = /** @type {any} */ (() => {});
  const wrong = /** @type {any} */ (7);
  for (const [labels, images, how, message] of /** @type {[any, any, any, RegExp][]} */ ([
    [wrong, [], decode, /labels/],
    [['a'], wrong, decode, /images/],
    [['a'], [], wrong, /decode/],
  ]))
    await assert.rejects(entry.drawMisclassified(labels, images, how), { code: 'INVALID_INPUT', message });
});

test('what is wrong is said', () => {
  assert.throws(
    () =>
      entry.evaluateClassification(
        ['a', 'b'],
        [0, 2],
        [
          [1, 0],
          [0, 1],
        ],
      ),
    {
      code: 'INVALID_INPUT',
      message: /truth must be a list of numbers of classes, 0 to 1/,
    },
  );
  assert.throws(() => entry.evaluateClassification(['a', 'b'], [0, 1], [[1, 0], [0]]), {
    code: 'INVALID_INPUT',
    message: /probabilities must be a list with 2 finite numbers for each image/,
  });
  assert.throws(() => entry.makeEvaluationReport([], /** @type {any} */ ({ date: new Date(0) })), {
    code: 'INVALID_INPUT',
    message: /runs must be a list of .*, at least one/,
  });
});

test('reports are refused without the names that they show', () => {
  const evaluation = entry.evaluateDetections({ images: [], categories: [], annotations: [] }, []);
  const classification = entry.evaluateClassification(['a'], [0], [[1]]);
  const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
  const [about, code] = [{ dataset: 'd', date: new Date(0) }, 'INVALID_INPUT'];
  assert.throws(() => entry.makeEvaluationReport(any([{ evaluation }]), about), { code, message: /runs/ });
  assert.throws(() => entry.makeEvaluationReport([{ name: 'm', evaluation }], any({ date: about.date })), { code, message: /about/ }); // prettier-ignore
  assert.throws(() => entry.makeClassifierReport(classification, any(about)), {
    code,
    message: /about\.model/,
  });
});

test('options of wrong types are refused', async () => {
  const truth = { images: [{ id: 1 }], categories: [{ id: 1, name: 'a' }], annotations: [] };
  const files = { read: async () => new Uint8Array() };
  const dataset = /** @type {any} */ ({ groundTruth: truth, pictures: new Map([[1, 'a.png']]), files });
  const detect = async () => ({ detections: [], size: { width: 1, height: 1 }, ms: {} });
  const measure = (/** @type {any} */ options) => entry.evaluateDetections(truth, [], options);
  const run = (/** @type {any} */ options) =>
    entry.runDetector({ labels: [{ name: 'a' }], detect }, dataset, options);
  const wrong = [5, null, 'x', {}, [1]];
  for (const [call, names] of /** @type {const} */ ([
    [measure, ['measures', 'locate']],
    [run, ['done', 'onImage', 'onProgress', 'onUnreadable', 'signal']],
  ]))
    for (const name of names)
      for (const value of wrong)
        await assert.rejects(
          async () => call({ [name]: value }),
          { code: 'INVALID_OPTION', message: new RegExp(name) },
          `${name}: ${JSON.stringify(value)}`,
        );
});
