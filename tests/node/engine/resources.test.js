// What a detector takes and gives back: memory, threads, files, and the process that may end.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { WEIGHTS } from '../../../wasm/vision/spec/forms.js';
import { PATIENCE_MS } from '../../patience.js';
import { detectorRuns, packagePhoto, samplePath } from '../shared.js';

const MIB = 2 ** 20;
const CYCLES = process.env.OCELLI_SOAK ? 100 : 8;
const CALLS = process.env.OCELLI_SOAK ? 200 : 20;
const ASTRONAUT = packagePhoto('astronaut.png');
const onLinux = existsSync('/proc/self/task') ? {} : { skip: 'no /proc' };

test('threads sleep while there is nothing to do', async () => {
  const detector = await ObjectDetector.create({ threads: 2 });
  for (let i = 0; i < 10; i++) await detector.detect(ASTRONAUT);
  await sleep(500); // the engine's own compiler
  const before = process.cpuUsage();
  await sleep(1000);
  const { user, system } = process.cpuUsage(before);
  // One that spins takes all that a busy machine has left for it.
  assert.ok(user + system < 50_000, `${user + system} µs of a second`);
  detector.close();
});

describe('memory', () => {
  for (const { name, options } of detectorRuns.filter(({ options: { threads } }) => threads === 1)) {
    test(`after the first detection, ${name}`, async () => {
      const detector = await ObjectDetector.create(options);
      await detector.detect(ASTRONAUT);
      const { totalBytes, liveBytes } = detector.memoryUse;
      assert.ok(totalBytes <= 70 * MIB, `${totalBytes / MIB} MiB in all`);
      assert.ok(liveBytes <= 45 * MIB, `${liveBytes / MIB} MiB allocated`);
      detector.close();
    });
  }

  for (const weights of WEIGHTS)
    test(`after the first detection, ${weights} weights: activations take the place of the file`, async () => {
      const detector = await ObjectDetector.create({ weights });
      await detector.detect(ASTRONAUT);
      const { totalBytes } = detector.memoryUse;
      assert.ok(totalBytes <= 36 * MIB, `${totalBytes / MIB} MiB in all`);
      detector.close();
    });

  test('after a JPEG of more than a megapixel', async () => {
    const detector = await ObjectDetector.create();
    await detector.detect(readFileSync(samplePath('photos/data_aloeL.jpg')));
    const { totalBytes, liveBytes } = detector.memoryUse;
    assert.ok(totalBytes <= 70 * MIB, `${totalBytes / MIB} MiB in all`);
    assert.ok(liveBytes <= 45 * MIB, `${liveBytes / MIB} MiB allocated`);
    detector.close();
  });

  for (const { name, options } of detectorRuns) {
    test(`is the same after ${CALLS} detections and ${CALLS} errors, ${name}`, async () => {
      const detector = await ObjectDetector.create(options);
      const pixels = { data: new Uint8Array(64 * 48 * 4), width: 64, height: 48 };
      const once = async () => {
        await detector.detect(ASTRONAUT);
        await detector.detect(pixels, { scoreThreshold: 0.01 });
        await assert.rejects(detector.detect(ASTRONAUT.subarray(0, 5000)), { code: 'IMAGE_CORRUPT' });
        const roi = { x: 60, y: 0, width: 5, height: 5 };
        await assert.rejects(detector.detect(pixels, { roi }), { code: 'INVALID_ROI' });
      };
      await once();
      const before = detector.memoryUse;
      for (let i = 0; i < CALLS / 2; i++) await once();
      assert.deepEqual(detector.memoryUse, before);
      detector.close();
    });
  }

  test('is the same however many objects an image has', async () => {
    const detector = await ObjectDetector.create();
    const memoryAt = async (/** @type {number} */ scoreThreshold) => {
      const { length } = (await detector.detect(ASTRONAUT, { scoreThreshold })).detections;
      return { length, ...detector.memoryUse };
    };
    const [few, many] = [await memoryAt(0.99), await memoryAt(0)];
    assert.deepEqual([few.length, many.length], [0, 100]);
    assert.deepEqual({ ...few, length: 0 }, { ...many, length: 0 });
    detector.close();
  });
});

describe(`${CYCLES} detectors, opened and closed`, () => {
  for (const { name, options } of detectorRuns) {
    test(`leave no thread, file or memory, ${name}`, onLinux, async () => {
      // Kept, as a user may keep a closed detector.
      /** @type {ObjectDetector[]} */
      const closed = [];
      await leavesNothing(async () => {
        closed.push(await openAndClose(options));
      });
      assert.equal(closed.length, CYCLES + 1);
    });

    test(`the same when the model is refused, ${name}`, onLinux, () =>
      leavesNothing(() =>
        assert.rejects(ObjectDetector.create({ ...options, classes: { allow: ['Unicorn'] } }), {
          code: 'UNKNOWN_CLASS',
        }),
      ),
    );
  }
});

for (const threads of [1, 2]) {
  for (const end of ['', 'detector.close();']) {
    test(`a process with ${threads} threads ends by itself, ${end ? 'closed' : 'not closed'}`, () => {
      const entry = new URL('../../../wasm/platform/node.js', import.meta.url).href;
      const program = `
        import { ObjectDetector } from '${entry}';
        const detector = await ObjectDetector.create({ threads: ${threads} });
        await detector.detect({ data: new Uint8Array(300), width: 10, height: 10 });
        ${end}
        console.log('done');`;
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--input-type=module', '--eval', program],
        { encoding: 'utf8', timeout: PATIENCE_MS },
      );
      assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'done\n', stderr: '' });
    });
  }
}

/** @param {import('../../../wasm/vision/types.js').DetectorOptions} options */
async function openAndClose(options) {
  const detector = await ObjectDetector.create(options);
  await detector.detect({ data: new Uint8Array(300), width: 10, height: 10 });
  detector.close();
  return detector;
}

/**
 * Garbage goes and threads end when they come to it: waits for that, ten seconds at most.
 * @param {() => Promise<void>} cycle
 */
async function leavesNothing(cycle) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  await cycle();
  for (let i = 0; i < 5; i++) {
    collect();
    await sleep(20);
  }
  const before = measure();
  for (let i = 0; i < CYCLES; i++) await cycle();
  let now = measure();
  // Each holds 45 MiB while it is open.
  const isBack = () =>
    now.threads <= before.threads &&
    now.files <= before.files &&
    now.residentBytes < before.residentBytes + 3 * 45 * MIB;
  for (let i = 0; i < 200 && !isBack(); i++) {
    collect();
    await sleep(50);
    now = measure();
  }
  assert.ok(isBack(), `at first ${JSON.stringify(before)}, then ${JSON.stringify(now)}`);
}

function measure() {
  return {
    threads: readdirSync('/proc/self/task').length,
    files: readdirSync('/proc/self/fd').length,
    residentBytes: process.memoryUsage.rss(),
  };
}
