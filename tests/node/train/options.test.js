// Options of a backbone that do not go together, refused before anything is read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backbone } from '../../../wasm/train/node.js';

const reason = new Error('checked');
const model = { [Symbol.asyncIterator]: () => assert.fail('it is read') };
/** @param {object} options */
const create = (options) =>
  Backbone.create(/** @type {any} */ ({ model, signal: AbortSignal.abort(reason), ...options }));

/** @type {[object, RegExp][]} */
const refused = [
  [{ batchNorm: 'training' }, /'training' needs unfreeze of at least 1/],
  [{ unfreeze: 1, batchNormMomentum: 0.5 }, /batchNormMomentum needs batchNorm: 'training'/],
  [{ batchNormMomentum: 0.5 }, /batchNormMomentum needs/],
  ...[-0.1, 1.1, '1'].map(
    (value) =>
      /** @type {[object, RegExp]} */ ([
        { unfreeze: 1, batchNorm: 'training', batchNormMomentum: value },
        /batchNormMomentum/,
      ]),
  ),
  ...[-1, 17, 0.5, '1'].map((unfreeze) => /** @type {[object, RegExp]} */ ([{ unfreeze }, /unfreeze/])),
  [{ batchNorm: 'folded' }, /batchNorm/],
  [{ signature: 1 }, /signature/],
  [{ weights: 'full' }, /weights/],
  [{ assetsUrl: 1 }, /assetsUrl/],
  [{ other: 1 }, /other/],
];
for (const [options, message] of refused)
  test(`refuses ${JSON.stringify(options)}`, () =>
    assert.rejects(create(options), { code: 'INVALID_OPTION', message }));
for (const options of [
  {},
  { unfreeze: 0 },
  { unfreeze: 16 },
  { unfreeze: 1, batchNorm: 'training' },
  { unfreeze: 1, batchNorm: 'training', batchNormMomentum: 0 },
])
  test(`takes ${JSON.stringify(options)}`, () =>
    assert.rejects(create(options), (error) => !/INVALID_OPTION/.test(/** @type {any} */ (error).code)));
