// A fixed sample of the damaged files that `make soak` tries by the 100 000.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { availableKinds, KINDS } from '../fuzz/cases.js';

const CASES = { images: 1500, detectors: 60, networks: 1500 };

for (const kind of availableKinds()) {
  test(`damaged ${kind} are refused by name, or run`, async () => {
    const subject = await KINDS[kind]();
    /** @type {Set<string>} */
    const codes = new Set();
    for (let number = 0; number < CASES[kind]; number++) codes.add(await subject.run(number));
    subject.close();
    assert.ok(codes.has('OK'), 'some damage is harmless');
    assert.ok(codes.size > 5, `only ${[...codes]}`);
  });
}
