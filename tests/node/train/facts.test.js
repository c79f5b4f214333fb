// What both learners say about a fit, by a clock that only callbacks move and a meter that answers as told; and the memory that
// they give back.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { host } from '../../../wasm/engine/host.js';
import { finalValue } from '../../../wasm/report/metrics.js';
import { DetectorLearner, TransferLearner } from '../../../wasm/train/node.js';
import { watchInstances } from '../open_engines.js';
import { brightBoxes, tinyDetector } from './tiny_detector.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const SIZE = 8;
const LABELS = Array.from({ length: SIZE }, (_, i) => 'ab'[i % 2]);
const PLAN = { epochs: 2, batchSize: 4, validationSplit: 0 };
const NUM_BATCHES = 4;
const FEATURES = Float32Array.from({ length: 5 * SIZE }, (_, i) => (i * 7) % 5);
const DETECTOR = { model: tinyDetector(), worker: false, deterministic: true };
/**
 * @typedef {object} Kind
 * @property {object} plan
 * @property {(saved?: Uint8Array) => Promise<any>} make a learner with eight examples of two classes
 * @property {{forward: number, backward: number}} [macs] multiply-adds of one example
 */
/** @type {Record<string, Kind>} */
const LEARNERS = {
  TransferLearner: {
    plan: PLAN,
    async make(saved) {
      const options = { deterministic: true };
      const learner = await (saved ? TransferLearner.load(saved, options) : TransferLearner.create(options));
      learner.addFeatures(FEATURES, LABELS);
      return learner;
    },
    macs: { forward: 5 * 2, backward: 2 * 5 * 2 },
  },
  DetectorLearner: {
    plan: { ...PLAN, views: 1 },
    async make(saved) {
      const learner = await (saved
        ? DetectorLearner.load(saved, DETECTOR)
        : DetectorLearner.create(DETECTOR));
      for (const { image, boxes } of brightBoxes(LABELS)) await learner.addExample(image, boxes);
      return learner;
    },
  },
};
const KWH = 3.6e6;

/** A clock that stands still. @param {import('node:test').TestContext} t */
function stopClock(t) {
  let ms = 5000;
  t.mock.method(performance, 'now', () => ms);
  return (/** @type {number} */ more) => void (ms += more);
}

/** A meter of 2 and 1 kWh. @param {import('node:test').TestContext} t */
function placeMeter(t) {
  const meter = { started: 0 };
  const startMeter = async () => {
    meter.started++;
    return async () => ({ cpu: 2 * KWH, ram: KWH, source: 'a meter' });
  };
  const describeMachine = async () => ({ threads: 4, memoryGb: 8 });
  t.mock.method(any(host()), 'loadMachine', async () => ({ startMeter, describeMachine }));
  return meter;
}

describe('the extraction of features', () => {
  test('is counted by a classifier while it extracts examples to train on', async (t) => {
    const pass = stopClock(t);
    let batches = 0;
    const extractor = {
      multiplyAdds: 1000,
      async extractBatch(/** @type {any[]} */ images) {
        batches++;
        pass(250);
        const data = Float32Array.from({ length: 3 * images.length }, (_, i) => (i * 7) % 5);
        return { data, shape: [images.length, 3] };
      },
    };
    const image = { data: new Uint8Array(3), width: 1, height: 1 };
    const learner = await TransferLearner.create({ extractor, deterministic: true });
    await learner.addExamples(Array(3).fill(image), ['a', 'b', 'a']);
    await learner.addExample(image, 'b');
    const counted = batches;
    await learner.fit({ epochs: 1, batchSize: 2 });
    await learner.predict(image);
    assert.ok(batches > counted);
    const { energy } = await learner.describeFit();
    assert.deepEqual(energy.extraction, { seconds: counted / 4, multiplyAdds: 4000 });
    const { energy: given } = await learner.describeFit({ extractionSeconds: 9 });
    assert.deepEqual(given.extraction, { seconds: 9 });
    learner.close();
  });

  test('is not known of given features', async () => {
    const learner = await LEARNERS.TransferLearner.make();
    await learner.fit(PLAN);
    assert.equal((await learner.describeFit()).energy.extraction, undefined);
    learner.close();
  });

  test('is what a detector spends before its first step', async () => {
    const learner = await LEARNERS.DetectorLearner.make();
    await learner.fit({ ...PLAN, views: 3 });
    const { energy, seconds } = await learner.describeFit();
    assert.ok(learner.extractionSeconds > 0);
    assert.deepEqual(energy.extraction, { seconds: learner.extractionSeconds });
    assert.equal(energy.account.duration, seconds + learner.extractionSeconds);
    // Three views of each photo, in two epochs.
    assert.equal(energy.sci.images, SIZE * 3 * 2);
    learner.close();
  });
});

for (const [name, { plan, make, macs }] of Object.entries(LEARNERS))
  describe(name, () => {
    test('tells the seconds and the energy of a fit', async (t) => {
      const pass = stopClock(t);
      const meter = placeMeter(t);
      const learner = await make();
      for (const ms of [900_000, 1_800_000]) {
        pass(60_000);
        await learner.fit({ ...plan, callbacks: { onBatch: () => pass(ms) } });
        pass(60_000);
        const { seconds, energy, data } = await learner.describeFit();
        assert.equal(seconds, (NUM_BATCHES * ms) / 1000, 'of the last fit only');
        const { cpu_energy, ram_energy } = energy.account;
        // CodeCarbon's joules have six digits.
        assert.deepEqual([cpu_energy, ram_energy].map((kwh) => kwh.toFixed(5)), ['2.00000', '1.00000']); // prettier-ignore
        assert.deepEqual([data.train, data.validation], [SIZE, 0]);
      }
      assert.equal(meter.started, 2);
      learner.close();
    });

    test('tells the seconds of all parts of an interrupted fit, whose energy was not measured to its end', async (t) => {
      const pass = stopClock(t);
      const meter = placeMeter(t);
      const learner = await make();
      const ending = new AbortController();
      let batches = 0;
      const onBatch = () => {
        pass(250);
        if (++batches === 3) ending.abort(new Error('enough'));
      };
      await assert.rejects(learner.fit({ ...plan, callbacks: { onBatch }, signal: ending.signal }), /enough/);
      await assert.rejects(learner.describeFit(), { code: 'NO_EXAMPLES' });
      pass(60_000);
      await learner.resume({ callbacks: { onBatch } });
      const { seconds, energy } = await learner.describeFit({ energy: { cpuTdp: 100 } });
      assert.deepEqual([batches, seconds, meter.started], [NUM_BATCHES, 1, 1]);
      // Half of the 100 W, for a second.
      assert.equal(energy.account.cpu_energy.toFixed(9), (50 / KWH).toFixed(9));
      learner.close();
    });

    test('counts the multiply-adds of training and of validation', async () => {
      const count = async (/** @type {number} */ validationSplit) => {
        const learner = await make();
        await learner.fit({ ...plan, validationSplit });
        const { multiplyAdds, data } = await learner.describeFit();
        learner.close();
        return { multiplyAdds, data };
      };
      const [all, part] = [await count(0), await count(0.25)];
      // A detector's training computes no gradients of maps.
      const forward = macs?.forward ?? all.multiplyAdds / (2 * SIZE * 2);
      const step = macs ? macs.forward + macs.backward : 2 * forward;
      assert.equal(all.multiplyAdds, 2 * SIZE * step);
      assert.deepEqual([part.data.train, part.data.validation], [6, 2]);
      // A detector's validates before the training, too.
      const validations = macs ? 2 : 3;
      assert.equal(part.multiplyAdds, 2 * 6 * step + validations * 2 * forward);
    });

    for (const [stopping, epochs, weightsEpoch] of /** @type {[object, number, number | undefined][]} */ ([
      [{ minDelta: 9, patience: 2 }, 3, 0],
      [{ minDelta: 9 }, 2, 0],
      [{ minDelta: 9, patience: 2, restoreBestWeights: false }, 3, undefined],
      [{ minDelta: 9, patience: 5 }, 4, undefined],
      [{ patience: 0, monitor: 'loss' }, 4, undefined],
    ]))
      test(`tells whose epoch's figures are shown after early stopping with ${JSON.stringify(stopping)}`, async () => {
        const learner = await make();
        const earlyStopping = { monitor: 'val_loss', ...stopping };
        // So small a rate that each epoch is better than the one before.
        const optimizer = { type: 'sgd', learningRate: 1e-4 };
        await learner.fit({ ...plan, epochs: 4, optimizer, validationSplit: 0.25, earlyStopping });
        const fit = await learner.describeFit();
        assert.deepEqual([fit.history.epoch.length, fit.weightsEpoch], [epochs, weightsEpoch]);
        const { val_loss: losses } = fit.history.history;
        assert.equal(finalValue(fit, 'val_loss'), losses[weightsEpoch ?? epochs - 1]);
        // Measured anew, by the weights that the learner has.
        if (learner instanceof TransferLearner)
          assert.equal((await learner.evaluate()).loss, finalValue(fit, 'val_loss'));
        learner.close();
      });

    for (const more of [
      { classWeight: { a: 1, b: 3 } },
      { earlyStopping: { monitor: 'loss', patience: 1, minDelta: 9 } },
      { l2: 0.5, shuffle: true, seed: 3 },
    ])
      test(`ends the same when it is interrupted, saved and loaded, with ${JSON.stringify(more)}`, async () => {
        const [whole, cut] = [await make(), await make()];
        const history = await whole.fit({ ...plan, epochs: 3, ...more });
        const ending = new AbortController();
        const onBatch = () => ending.abort(new Error('enough'));
        await assert.rejects(
          cut.fit({ ...plan, epochs: 3, ...more, callbacks: { onBatch }, signal: ending.signal }),
          /enough/,
        );
        const loaded = await make(cut.save());
        assert.deepEqual(await loaded.resume(), history);
        assert.deepEqual(loaded.save(), whole.save());
        for (const each of [whole, cut, loaded]) each.close();
      });

    test('refuses options that it does not have', async () => {
      const learner = await make();
      const refused = { code: 'INVALID_OPTION', message: /other/ };
      await assert.rejects(learner.fit({ ...plan, other: 1 }), refused);
      await assert.rejects(learner.fit({ ...plan, callbacks: { other: 1 } }), refused);
      await learner.fit(plan);
      for (const method of ['report', 'resume'])
        await assert.rejects(learner[method]({ other: 1 }), refused, method);
      learner.close();
    });

    test('gives all memory back, once', async (t) => {
      const liveBytes = watchInstances(t);
      const learner = await make();
      await learner.fit(plan);
      await learner.fit({ ...plan, batchSize: 2 });
      assert.ok(liveBytes() > 0);
      learner.close();
      assert.equal(liveBytes(), 0);
      learner.close();
      await assert.rejects(learner.fit(plan), { code: 'CLOSED' });
      assert.equal(liveBytes(), 0);
    });
  });
