// The code of `make soak-long` on a few cases. tests/service has its requests to the server.
import assert from 'node:assert/strict';
import { openSync } from 'node:fs';
import { test } from 'node:test';
import { PARTS } from '../../soak/parts.js';
import { assertFlat, runPart } from '../../soak/run.js';

/** @type {Record<string, number>} */
const CASES = { tiny: 2000, default: 6, cycles: 8, images: 240 };

for (const [name, cases] of Object.entries(CASES))
  test(`${name}: ${cases} cases`, async () => {
    const part = { ...PARTS[name], warmUp: Math.ceil(cases / 2) };
    const outcome = await runPart(part, 0, { cases });
    assert.equal(outcome.cases, cases);
    assertFlat(outcome, 160); // A detector that is open holds 45 MiB, and garbage of a few cases is not gone yet.
  });

test('it goes on where it was, and ends after its seconds', async () => {
  const seen = /** @type {number[]} */ ([]);
  const part = {
    ...{ total: 10, warmUp: 1 },
    open: async () => ({
      run: async (/** @type {number} */ number) => void seen.push(number),
      residentBytes: () => 0,
      close() {},
    }),
  };
  await runPart(part, 5, { cases: 3, seconds: 100 });
  assert.deepEqual(seen, [5, 5, 6, 7]); // the first one also before what is measured
  const { cases } = await runPart(part, 0, { cases: 10, seconds: 0 });
  assert.equal(cases, 0);
});

test('it notices memory, handles and answers that do not stay', async () => {
  /** @type {unknown[]} */ const kept = [];
  const leaking = (/** @type {() => unknown} */ leak, /** @type {() => unknown} */ fixed) => ({
    ...{ total: 100, warmUp: 4 },
    open: async () => ({
      run: async () => void kept.push(leak()),
      residentBytes: () => process.memoryUsage.rss(),
      ...{ fixed, close() {} },
    }),
  });
  const same = () => 0;
  const memory = await runPart(
    leaking(() => new Uint8Array(8e6).fill(1), same),
    0,
    { cases: 40, settleMs: 200 },
  );
  assert.throws(() => assertFlat(memory), /memory grew/);
  kept.length = 0;
  await assert.rejects(
    runPart(
      leaking(same, () => kept.length),
      0,
      { cases: 40 },
    ),
    /after case/,
  );
  const handles = await runPart(
    leaking(() => openSync('/dev/null', 'r'), same),
    0,
    { cases: 4, settleMs: 200 },
  );
  assert.throws(() => assertFlat(handles), /left/);
});
