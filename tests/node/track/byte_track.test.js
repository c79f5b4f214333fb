// Tracks against those of PyPI's `trackers`, and assignments against SciPy's, to the last number.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { assign } from '../../../wasm/track/assignment.js';
import { Tracker } from '../../../wasm/track/index.js';
import { parseMot } from '../../../wasm/track/mot.js';
import { readJson, testData } from '../shared.js';
import { makeMatrix, makeSequence, MATRICES, SEQUENCES } from './sequences.js';

const CASES = readJson(testData('track/cases.json'));

/** @param {number[][]} lists */
function digest(lists) {
  const hash = createHash('sha256');
  for (const list of lists) hash.update(`${list.join()}\n`);
  return hash.digest('hex');
}

/**
 * The confirmed tracks as the reference lists them: frame, index in the frame, id; ids in the order of their first rows.
 * @param {Map<number, import('../../../wasm/track/mot.js').MotBox[]>} frames
 */
function track(frames) {
  const tracker = new Tracker();
  /** @type {number[][]} */
  const found = [];
  for (let frame = 1; frame <= Math.max(...frames.keys()); frame++)
    tracker.update(frames.get(frame) ?? []).forEach(({ trackId }, index) => {
      if (trackId !== undefined) found.push([frame, index, trackId]);
    });
  return found;
}

/** @param {number[][]} found */
function summarize(found) {
  /** @type {Map<number, number>} */
  const numbers = new Map();
  const rows = found.map(([frame, index, id]) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size + 1);
    return [frame, index, Number(numbers.get(id))];
  });
  return { rows: rows.length, tracks: numbers.size, sha256: digest(rows) };
}

test('a street scene is tracked as by the reference', () => {
  const text = gunzipSync(readFileSync(testData('track/vtest.txt.gz'))).toString();
  assert.deepEqual(summarize(track(parseMot(text))), CASES.vtest);
});

describe('random sequences are tracked as by the reference', () => {
  for (let number = 0; number < SEQUENCES; number++)
    test(`sequence ${number}`, () => {
      /** @type {Map<number, any[]>} */
      const frames = new Map();
      for (const { frame, score, ...box } of makeSequence(number))
        frames.set(frame, [...(frames.get(frame) ?? []), { box, score }]);
      assert.deepEqual(summarize(track(frames)), CASES.sequences[number]);
    });
});

test('of assignments that are equally good, the same one as by SciPy', () => {
  const found = Array.from({ length: MATRICES }, (_, number) => {
    const { rows, columns, values } = makeMatrix(number);
    return assign({ values: Float64Array.from(values), rows, columns }).flat();
  });
  assert.equal(digest(found), CASES.assignments);
});
