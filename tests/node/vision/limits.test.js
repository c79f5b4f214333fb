// `signal` and `timeoutMs` of single calls, in this thread, in a worker and in a pool.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { FeatureExtractor, ImageClassifier, ObjectDetector } from '../../../wasm/platform/node.js';
import { packagePhoto, testData } from '../shared.js';
import { watchWorkers } from './workers.js';

const PHOTO = packagePhoto('chelsea.png');
const REASON = new Error('enough');
const PLACES = [{}, { worker: true }, { pool: 2 }];
const NUM_CALLS = 10_000;
/** A network takes longer. */
const TOO_SHORT = { timeoutMs: 0.001 };

/** @typedef {import('../../../wasm/vision/limits.js').CallOptions} CallOptions */

/**
 * All calls that run the network.
 * @param {object} where
 */
async function openAll(where) {
  const detector = await ObjectDetector.create({ scoreThreshold: 0.3, ...where });
  const extractor = await FeatureExtractor.create(where);
  const classifier = await ImageClassifier.create({
    model: testData('models/mobilenet_v1_classifier.fp32.tflite'),
    input: { scale: 1 / 127.5, offset: -1, resize: 'half-pixel' },
    ...where,
  });
  /** @type {Record<string, (options: CallOptions) => Promise<unknown>>} */
  const calls = {
    detect: (options) => detector.detect(PHOTO, options),
    detectInto: (options) => detector.detectInto(PHOTO, new Float32Array(60), options),
    detectTensors: (options) => detector.detectTensors(PHOTO, options),
    heads: (options) => detector.heads(PHOTO, options),
    profile: (options) => detector.profile(PHOTO, options),
    extract: (options) => extractor.extract(PHOTO, options),
    extractBatch: (options) => extractor.extractBatch(Array(20).fill(PHOTO), options),
    classify: (options) => classifier.classify(PHOTO, options),
  };
  return {
    detector,
    calls,
    close: () => [detector, extractor, classifier].forEach((model) => model.close()),
  };
}

for (const where of PLACES)
  describe(JSON.stringify(where), () => {
    test('every call takes a signal and a time', async () => {
      const { result: all, workers } = await watchWorkers(() => openAll(where));
      const requests = () => workers.reduce((sum, { requests }) => sum + requests, 0);
      for (const [name, call] of Object.entries(all.calls)) {
        const before = requests();
        await assert.rejects(call({ signal: AbortSignal.abort(REASON) }), REASON, name);
        await assert.rejects(call({ signal: AbortSignal.abort() }), { name: 'AbortError' }, name);
        assert.equal(requests(), before, 'nothing was run');
        await assert.rejects(call(TOO_SHORT), { name: 'OcelliError', code: 'TIMEOUT' }, name);
        const { signal } = new AbortController();
        await call({ signal, timeoutMs: 1e12 });
        assert.equal(getEventListeners(signal, 'abort').length, 0);
      }
      all.close();
    });

    test('what is neither is refused, before anything runs', async () => {
      const all = await openAll(where);
      for (const call of Object.values(all.calls)) {
        for (const timeoutMs of [0, -1, NaN, Infinity, '5', null, {}])
          await assert.rejects(call(/** @type {any} */ ({ timeoutMs })), {
            code: 'INVALID_OPTION',
            message: /timeoutMs/,
          });
        for (const signal of [null, {}, 5, new EventTarget()])
          await assert.rejects(call(/** @type {any} */ ({ signal })), {
            code: 'INVALID_OPTION',
            message: /signal/,
          });
      }
      all.close();
    });

    test(`${NUM_CALLS} calls with one signal leave no listener`, async () => {
      const detector = await ObjectDetector.create(where);
      /** @type {Error[]} */ const warnings = [];
      const note = (/** @type {Error} */ warning) => warnings.push(warning);
      process.on('warning', note);
      const { signal } = new AbortController();
      const broken = new Uint8Array(9);
      for (let i = 0; i < NUM_CALLS / 100; i++) {
        const calls = Array.from({ length: 100 }, (_, k) =>
          detector.detect(broken, { signal, ...(k % 2 && { timeoutMs: 1e6 }) }).catch(({ code }) => code),
        );
        assert.deepEqual(new Set(await Promise.all(calls)), new Set(['UNSUPPORTED_IMAGE_FORMAT']));
      }
      await detector.detect(PHOTO, { signal });
      assert.equal(getEventListeners(signal, 'abort').length, 0);
      await new Promise(setImmediate);
      process.off('warning', note);
      assert.deepEqual(warnings, []);
      detector.close();
    });

    test('a signal of another realm, as in jsdom, ends a call', async () => {
      const { signal } = new AbortController();
      const foreign = Object.defineProperties(new EventTarget(), {
        [Symbol.toStringTag]: { value: 'AbortSignal' },
        reason: { value: REASON },
        throwIfAborted: { value() {} },
      });
      assert.ok(!(foreign instanceof signal.constructor));
      const detector = await ObjectDetector.create(where);
      const call = detector.detect(PHOTO, { signal: /** @type {any} */ (foreign) });
      foreign.dispatchEvent(new Event('abort'));
      await assert.rejects(call, REASON);
      assert.equal((await detector.detect(PHOTO)).detections[0].label, 'Cat');
      detector.close();
    });

    test('a batch ends between two runs', async () => {
      const extractor = await FeatureExtractor.create(where);
      const controller = new AbortController();
      const images = Array(40).fill(PHOTO);
      const first = extractor.extract(PHOTO);
      setTimeout(() => controller.abort(REASON));
      await assert.rejects(extractor.extractBatch(images, { signal: controller.signal }), REASON);
      await first;
      assert.ok((await extractor.extract(PHOTO)).features.some((value) => value !== 0));
      extractor.close();
    });
  });

describe('with workers', () => {
  for (const where of PLACES.slice(1))
    test(`a call that runs is rejected at once, and its answer is discarded, ${JSON.stringify(where)}`, async () => {
      const { result: detector, workers } = await watchWorkers(() => ObjectDetector.create(where));
      const controller = new AbortController();
      const call = detector.detect(PHOTO, { signal: controller.signal });
      while (workers[0].requests === 0) await new Promise(setImmediate);
      controller.abort(REASON);
      await assert.rejects(call, REASON);
      assert.equal(workers[0].answers, 0, 'the network has not returned yet');
      assert.equal((await detector.detect(PHOTO)).detections[0].label, 'Cat');
      assert.equal((await detector.detect(PHOTO)).detections[0].label, 'Cat');
      detector.close();
    });

  test('a call that waits is rejected at once and never run; its place is free', async () => {
    const { result: detector, workers } = await watchWorkers(() =>
      ObjectDetector.create({ pool: 1, maxQueue: 1 }),
    );
    const [{ requests: before }] = workers;
    const controller = new AbortController();
    const running = detector.detect(PHOTO);
    const waiting = detector.detect(PHOTO, { signal: controller.signal });
    await assert.rejects(detector.detect(PHOTO), { code: 'QUEUE_FULL' });
    await new Promise(setImmediate);
    controller.abort(REASON);
    await assert.rejects(waiting, REASON);
    assert.equal(workers[0].answers, 0, 'the first call still runs');
    const next = detector.detect(PHOTO);
    await assert.rejects(detector.detect(PHOTO, TOO_SHORT), { code: 'QUEUE_FULL' });
    assert.equal((await running).detections[0].label, 'Cat');
    assert.equal((await next).detections[0].label, 'Cat');
    assert.equal(workers[0].requests - before, 2);
    detector.close();
  });

  test('the time of a call counts while it waits', async () => {
    const { result: detector, workers } = await watchWorkers(() => ObjectDetector.create({ worker: true }));
    const calls = [1, 2, 3].map(() => detector.detect(PHOTO));
    await assert.rejects(detector.detect(PHOTO, { timeoutMs: 1 }), { code: 'TIMEOUT' });
    await Promise.all(calls);
    assert.equal(workers[0].requests, 3);
    detector.close();
  });

  test('an input that is never read to its end does not keep a place', async () => {
    const detector = await ObjectDetector.create({ pool: 1, maxQueue: 0 });
    const endless = new Blob(['x']);
    endless.arrayBuffer = () => new Promise(() => {});
    await assert.rejects(detector.detect(endless, { timeoutMs: 1 }), { code: 'TIMEOUT' });
    assert.equal((await detector.detect(PHOTO)).detections[0].label, 'Cat');
    detector.close();
  });
});
