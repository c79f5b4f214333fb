// A thread that traps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Engine } from '../../../wasm/engine/engine.js';
import { host, installHost } from '../../../wasm/engine/host.js';
import { loadModel, testData } from '../shared.js';

/** A worker of that number finds its part of the pool far behind the memory. */
const NO_INDEX = 50_000_000;

test('a trap in one thread is one in the caller, which does not wait for ever', async () => {
  const sound = host();
  installHost({
    ...sound,
    startThread: (start) => sound.startThread?.({ ...start, index: NO_INDEX }) ?? Promise.reject(),
  });
  const engine = await Engine.create({ variant: 'simd-threads', threads: 2 });
  installHost(sound);
  await loadModel(engine, testData('models/small_classifier.fp32.tflite'));
  assert.throws(() => engine.run(), { code: 'MODULE_TRAPPED' });
  assert.ok(engine.isBroken);
});
