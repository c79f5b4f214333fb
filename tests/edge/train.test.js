// ocelli/train in real workerd: the same weights as everywhere.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DETECTOR_DIGEST } from '../node/train/detector_run.js';
import { DIGESTS } from '../node/train/reference_run.js';
import { bundle, start } from './app.js';

const RUN = readFileSync(new URL('../node/train/reference_run.js', import.meta.url), 'utf8');

test('training in workerd ends in the weights of every engine', async (t) => {
  const { out } = await bundle(
    'train',
    `import * as train from 'ocelli/train';
     ${RUN.replaceAll('export ', '')}
     export default { fetch: async () => Response.json(await run(train)) };`,
  );
  const worker = start(out);
  t.after(() => worker.dispose());
  const response = await worker.dispatchFetch('http://edge/');
  assert.deepEqual(await response.json(), DIGESTS);
});

test('training a detector in workerd ends in the file of every engine', async (t) => {
  const text = readFileSync(new URL('../node/train/detector_run.js', import.meta.url), 'utf8');
  const { out } = await bundle(
    'train-detector',
    `import * as train from 'ocelli/train';
     ${text.replaceAll('export ', '')}
     export default { fetch: async () => new Response(await runDetectorTraining(train)) };`,
  );
  const worker = start(out);
  t.after(() => worker.dispose());
  const response = await worker.dispatchFetch('http://edge/');
  assert.equal(await response.text(), DETECTOR_DIGEST);
});
