// Threads that join while the network runs, that do not start, that come too late, that trap.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Engine } from '../../../wasm/engine/engine.js';
import { host, installHost } from '../../../wasm/engine/host.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { failure } from '../../../wasm/shared/errors.js';
import { createEngine, loadModel, packagePhoto, testData, variants } from '../shared.js';
import { untilEnded, watchWorkers } from '../vision/workers.js';

/** @typedef {NonNullable<import('../../../wasm/engine/host.js').Host['startThread']>} StartThread */

/** A worker of that number finds its part of the pool far behind the memory. */
const NO_INDEX = 50_000_000;
const MODEL = testData('models/small_classifier.fp32.tflite');
const PHOTO = packagePhoto('chelsea.png');

const { startThread: startSoundThread } = /** @type {{startThread: StartThread}} */ (host());

/**
 * Calls `use` on a host that starts threads in another way.
 * @template T
 * @param {StartThread} startThread
 * @param {() => Promise<T>} use
 */
async function startingThreads(startThread, use) {
  const sound = host();
  installHost({ ...sound, startThread });
  try {
    return await use();
  } finally {
    installHost(sound);
  }
}

/** A way to start threads that keeps each waiting until it is let in; the last one comes first. */
function gate() {
  /** @type {((nothing: void) => void)[]} */ const waiting = [];
  return {
    waiting,
    /** @type {StartThread} */
    async startThread(start) {
      await new Promise((resolve) => waiting.push(resolve));
      return startSoundThread(start);
    },
    letIn: () => waiting.pop()?.(),
  };
}

/** @param {Promise<unknown>} call */
const codeOf = (call) => call.then(String, ({ code }) => code);

const refused = failure('THREADS_UNAVAILABLE', 'no more of them');

describe('threads that join one after the other', () => {
  for (const variant of variants)
    test(`change no bit of the outputs, ${variant}`, async () => {
      const { startThread, waiting, letIn } = gate();
      const engine = await startingThreads(startThread, () =>
        Engine.create({ variant: `${variant}-threads`, threads: 4 }),
      );
      await loadModel(engine, MODEL);
      const run = () => {
        engine.run();
        return engine.readOutput(0).data;
      };
      const expected = run();
      const { workers } = await watchWorkers(async () => {
        while (waiting.length > 0) {
          letIn();
          for (let k = 0; k < 20; k++) {
            assert.deepEqual(run(), expected);
            await host().turn?.();
          }
        }
        await engine.started;
      });
      assert.deepEqual(run(), expected);
      const single = await createEngine(variant);
      await loadModel(single, MODEL);
      single.run();
      assert.deepEqual(single.readOutput(0).data, expected);
      for (const used of [engine, single]) used.close();
      await untilEnded(workers);
    });
});

describe('a thread that does not start', () => {
  const create = () => ObjectDetector.create({ threads: 2 });

  test('ends create with its code', async () => {
    const refuse = () => Promise.reject(refused);
    assert.equal(await codeOf(startingThreads(refuse, create)), 'THREADS_UNAVAILABLE');
  });

  test('later, ends a call with its code, and the next call starts anew', async () => {
    let refuse = () => {};
    const later = new Promise((_, reject) => (refuse = () => reject(refused)));
    const detector = await startingThreads(() => later, create);
    const labels = async () => (await detector.detect(PHOTO)).detections.map(({ label }) => label);
    const expected = await labels();
    refuse();
    await host().turn?.();
    assert.equal(await codeOf(labels()), 'THREADS_UNAVAILABLE');
    const { result, workers } = await watchWorkers(labels);
    assert.deepEqual(result, expected);
    detector.close();
    await untilEnded(workers);
  });

  test('in a worker, too', async () => {
    let count = 0;
    const endThread = (/** @type {import('node:worker_threads').Worker} */ worker) => {
      if (++count === 2) worker.terminate();
    };
    process.on('worker', endThread);
    const { workers } = await watchWorkers(async () => {
      const failing = async () => {
        const detector = await ObjectDetector.create({ threads: 2, worker: true });
        try {
          for (;;) await detector.detect(PHOTO);
        } finally {
          detector.close();
        }
      };
      assert.equal(await codeOf(failing()), 'THREADS_UNAVAILABLE');
    });
    process.off('worker', endThread);
    await untilEnded(workers);
  });
});

describe('threads that come when all is over', () => {
  test('end at once', async () => {
    const { startThread, waiting, letIn } = gate();
    await startingThreads(startThread, async () => {
      (await ObjectDetector.create({ threads: 3 })).close();
      const unknown = { threads: 3, classes: { allow: ['Unicorn'] } };
      assert.equal(await codeOf(ObjectDetector.create(unknown)), 'UNKNOWN_CLASS');
    });
    assert.equal(waiting.length, 4);
    const { workers } = await watchWorkers(async () => {
      while (waiting.length > 0) letIn();
      await host().turn?.();
    });
    assert.equal(workers.length, 4);
    await untilEnded(workers);
  });

  const RUNNING = 'for (;;) await detector.detect({ data: new Uint8Array(300), width: 10, height: 10 });';
  for (const [then, ending] of Object.entries({ [RUNNING]: [null, 'SIGINT'], '': [0, null] }))
    test(`of a process that ${then ? 'is interrupted' : 'ends'}, do not hold it`, async () => {
      const entry = new URL('../../../wasm/platform/node.js', import.meta.url).href;
      const program = `
        import { ObjectDetector } from '${entry}';
        const detector = await ObjectDetector.create({ threads: 4 });
        console.log('created');
        ${then}`;
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
      await once(child.stdout, 'data');
      if (then) child.kill('SIGINT');
      assert.deepEqual(await once(child, 'exit'), ending);
    });
});

test('a trap in one thread is one in the caller, which does not wait for ever', async () => {
  const engine = await startingThreads(
    (start) => startSoundThread({ ...start, index: NO_INDEX }),
    () => Engine.create({ variant: 'simd-threads', threads: 2 }),
  );
  await loadModel(engine, MODEL);
  await engine.started;
  assert.throws(
    () => {
      while (!engine.isBroken) engine.run();
    },
    { code: 'MODULE_TRAPPED' },
  );
  assert.ok(engine.isBroken);
});
