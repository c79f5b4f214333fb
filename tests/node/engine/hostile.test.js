// A fixed sample of the damaged files that `make soak` tries by the 100 000, and what it or reading the code has found.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS } from '../../fuzz/cases.js';
import { REFUSED } from '../../fuzz/hostile_networks.js';
import { writeModel } from '../../fuzz/tiny_models.js';
import { loadEngine } from '../shared.js';

const CASES = { images: 1000, detectors: 300, networks: 3000 };

for (const kind of /** @type {(keyof typeof KINDS)[]} */ (Object.keys(KINDS))) {
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

for (const [name, [code, network]] of Object.entries(REFUSED)) {
  test(`${name}: ${code}`, () => assert.rejects(loadEngine('simd', writeModel(network)), { code }));
}
