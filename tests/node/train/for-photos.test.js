// What suits the training of a detector on so many photos: which learner, and which options of its fit.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createForPhotos, planForPhotos } from '../../../wasm/train/node.js';
import { SOFTMAX_OPTIONS, tinyDetector } from './tiny_detector.js';

/** @param {RegExp} message */
const invalid = (message) => ({ name: 'OcelliError', code: 'INVALID_OPTION', message });

describe('a learner', () => {
  test('joins maps for few photos, and for more of new classes', async () => {
    const options = { deterministic: true, worker: false, model: tinyDetector() };
    /** @type {[{photos: number, labels: string[]}, object, boolean][]} */
    const cases = [
      [{ photos: 5, labels: ['new'] }, {}, true],
      [{ photos: 500, labels: ['new'] }, { keepClasses: [] }, true],
      [{ photos: 501, labels: ['new'] }, {}, false],
      [{ photos: 14, labels: ['new', 'dog'] }, {}, true],
      [{ photos: 15, labels: ['new', 'dog'] }, {}, false],
      [{ photos: 500, labels: ['new'] }, { keepClasses: true }, true],
      [{ photos: 5, labels: ['new', 'cat'] }, { keepClasses: ['dog'] }, false],
      [{ photos: 5, labels: ['new'] }, { fuseMaps: false }, false],
      [{ photos: 900, labels: ['new'] }, { fuseMaps: true }, true],
    ];
    for (const [about, more, fuses] of cases) {
      const learner = await createForPhotos(about, { ...options, ...more });
      assert.equal(learner.heads.areFused, fuses, JSON.stringify([about, more]));
      assert.deepEqual(learner.modelLabels, ['cat', 'dog']);
      learner.close();
    }
    // Which can be read once.
    const response = new Response(/** @type {Uint8Array<ArrayBuffer>} */ (tinyDetector()));
    const known = { photos: 15, labels: ['dog'] };
    const read = await createForPhotos(known, { ...options, model: response });
    assert.equal(read.heads.areFused, false);
    read.close();
    const softmax = { ...options, ...SOFTMAX_OPTIONS, model: tinyDetector({ scores: 'softmax' }) };
    for (const keepClasses of [false, true]) {
      const learner = await createForPhotos({ photos: 5, labels: ['new'] }, { ...softmax, keepClasses });
      assert.deepEqual(learner.heads, { areFused: !keepClasses, isSoftmax: true, keepsClasses: keepClasses });
      learner.close();
    }
    for (const [about, more, message] of /** @type {[any, any, RegExp][]} */ ([
      [undefined, {}, /about must be an object/],
      [{ photos: 5 }, {}, /about.labels is missing/],
      [{ photos: 5, labels: 'cat' }, {}, /about.labels must be a list/],
      [{ photos: NaN, labels: [] }, {}, /about.photos must be a whole number/],
      [{ photo: 5, labels: [] }, {}, /about.photo'; did you mean 'photos'/],
      [{ photos: 5, labels: [] }, null, /options must be an object/],
    ]))
      await assert.rejects(createForPhotos(about, more && { ...options, ...more }), invalid(message));
  });
});

describe('options of fit', () => {
  const OWN = { areFused: false, isSoftmax: false, keepsClasses: false };
  const FUSED = { ...OWN, areFused: true };
  const BY_BOXES = { matchBy: 'predicted', matchedIou: 0.8, unmatchedIou: 0.5 };

  /** @param {number} count of photos @param {number} most rows that are kept of 1 GiB */
  const learnerOf = (count, most, heads = OWN) => {
    const planMemory = ({ maxMemory = 2 ** 30 }) => ({ keptRows: Math.floor((most * maxMemory) / 2 ** 30) });
    return /** @type {any} */ ({ examples: { count }, heads, planMemory });
  };

  /** @type {[number, object, object][]} */
  const cases = [
    [14, {}, { validationSplit: 0, views: 20, batchSize: 4, epochs: 3, rate: 0.0015 }],
    [15, {}, { validationSplit: 0.2, views: 20, batchSize: 16, epochs: 14, steps: 15, rate: 0.004 }],
    [1000, {}, { validationSplit: 0.2, views: 3, batchSize: 16, epochs: 12, steps: 150, rate: 0.004 }],
    [125, {}, { validationSplit: 0.2, views: 10, batchSize: 16, epochs: 12, steps: 63, rate: 0.004 }],
    [125, { rows: 500 }, { validationSplit: 0.2, views: 5, batchSize: 16, epochs: 12, steps: 32, rate: 0.004 }],
    [125, { steps: 100 }, { validationSplit: 0.2, views: 10, batchSize: 16, epochs: 2, steps: 63, rate: 0.004 }],
    [1, {}, { validationSplit: 0, views: 20, batchSize: 4, epochs: 40, rate: 0.0015 }],
    [5, { steps: 100 }, { validationSplit: 0, views: 20, batchSize: 4, epochs: 4, rate: 0.0015 }],
    [20, { validationSplit: 0.99 }, { validationSplit: 0.99, views: 20, batchSize: 16, epochs: 100, steps: 2, rate: 0.004 }],
    [14, { validationSplit: 0.5, views: 1 }, { validationSplit: 0.5, views: 1, batchSize: 4, epochs: 100, rate: 0.0015 }],
    [5, { batchSize: 32 }, { validationSplit: 0, views: 20, batchSize: 32, epochs: 50, rate: 0.0015 }],
    [14, { epochs: 2, learningRate: 0.5, batchSize: 7 }, { validationSplit: 0, views: 20, batchSize: 7, epochs: 2, rate: 0.5 }],
    [15, { epochs: 2, learningRate: 0.5, batchSize: 8 }, { validationSplit: 0.2, views: 20, batchSize: 8, epochs: 2, steps: 30, rate: 0.5 }],
    [900, {}, { validationSplit: 0.2, views: 3, batchSize: 16, epochs: 12, steps: 135, rate: 0.004 }],
  ]; // prettier-ignore
  for (const [count, options, expected] of cases)
    test(`of ${count} photos, ${JSON.stringify(options)}`, () => {
      const { steps, rate, ...same } = /** @type {any} */ (expected);
      const { optimizer, earlyStopping, loss, ...found } = planForPhotos(learnerOf(count, 1500), options);
      assert.deepEqual(found, same);
      assert.deepEqual(loss, count < 15 ? { matchedIou: 0.6, unmatchedIou: 0.3 } : undefined);
      const falling = { type: 'cosine', rate, decaySteps: same.epochs * steps };
      assert.deepEqual(optimizer, { type: 'adam', learningRate: steps === undefined ? rate : falling });
      assert.deepEqual(earlyStopping, same.validationSplit > 0 && { monitor: 'val_AP', patience: 5 });
    });

  test('with joined maps: as many views as can be kept beside those that validate', () => {
    const of = (/** @type {number} */ count, options = {}, heads = FUSED) => {
      const found = planForPhotos(learnerOf(count, 90, heads), { validationSplit: 0, ...options });
      return [found.optimizer.learningRate, found.l2, found.trainBoxes, found.views, found.loss];
    };
    const falling = { type: 'cosine', rate: 0.004, decaySteps: 34 * 6 };
    assert.deepEqual(of(14), [0.003, 0.01, false, 6, BY_BOXES]);
    assert.deepEqual(of(14, { learningRate: 0.5 }), [0.5, 0.01, false, 6, BY_BOXES]);
    assert.deepEqual(of(14, { maxMemory: 2 ** 29 })[3], 3);
    // 15 photos, and the 15 that validate.
    assert.deepEqual(of(30, { validationSplit: 0.5 })[3], 5);
    assert.deepEqual(of(15), [falling, 0.01, true, 6, undefined]);
    assert.deepEqual(of(200)[3], 1);
    // The boxes of classes that are kept stay.
    assert.deepEqual(of(15, {}, { ...FUSED, keepsClasses: true }), [falling, 0.01, false, 6, BY_BOXES]);
  });

  test('refuse what fit would refuse', () => {
    for (const [options, message] of /** @type {[any, RegExp][]} */ ([
      [{ steps: 0 }, /options.steps must be a whole number from 1 to 1000000/],
      [{ view: 3 }, /unknown option 'view'; did you mean 'views'/],
      [{ maxMemory: -1 }, /options.maxMemory must be a number from 0/],
      [null, /options must be an object/],
    ]))
      assert.throws(() => planForPhotos(learnerOf(5, 90), options), invalid(message));
    for (const other of /** @type {any[]} */ ([undefined, {}, Promise.resolve(learnerOf(5, 90))]))
      assert.throws(() => planForPhotos(other), invalid(/learner must be a DetectorLearner/));
  });
});
