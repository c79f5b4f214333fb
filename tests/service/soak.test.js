// The requests of `make soak-long`, some of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PARTS } from '../soak/parts.js';
import { assertFlat, runPart } from '../soak/run.js';

test('200 requests of tiny images, with a detector of its own', async () => {
  const outcome = await runPart({ ...PARTS.requests, warmUp: 100 }, 0, { cases: 200 });
  assert.equal(outcome.cases, 200);
  assertFlat(outcome, 64);
});
