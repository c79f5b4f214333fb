// Merged detections and slices against sahi's.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { mergeDetections } from '../../../wasm/tiles/merge.js';
import { sliceTiles } from '../../../wasm/tiles/slices.js';
import { readJson, testData } from '../shared.js';
import { CASES, makeCase, makeSlicing, SLICES } from './cases.js';

const WANTED = readJson(testData('tiles/cases.json'));

/** @param {number[]} values */
const digest = (values) =>
  createHash('sha256')
    .update(new Uint8Array(Float64Array.from(values).buffer))
    .digest('hex');

test('1 000 random cases are merged as by sahi', () => {
  const merged = Array.from({ length: CASES }, (_, number) => {
    const { detections, ...options } = makeCase(number);
    const rows = mergeDetections(detections, options).map(
      ({ labelId, score, box: { x, y, width, height } }) => [x, y, x + width, y + height, score, labelId],
    );
    assert.ok(rows.every(([, , , , score], i) => i === 0 || score <= rows[i - 1][4]));
    return rows.sort((a, b) => a.map((value, i) => value - b[i]).find((difference) => difference !== 0) ?? 0);
  });
  assert.equal(merged.flat().length, WANTED.detections);
  assert.equal(digest(merged.flat(2)), WANTED.merged);
});

test('pictures are sliced as by sahi', () => {
  const tiles = Array.from({ length: SLICES }, (_, number) => {
    const { size, overlap, ...picture } = makeSlicing(number);
    return sliceTiles(picture, size, overlap).map(({ x, y, width, height }) => [x, y, x + width, y + height]);
  });
  assert.equal(digest(tiles.flat(2)), WANTED.slices);
});
