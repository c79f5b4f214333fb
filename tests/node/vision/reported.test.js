// Image files of the kinds that people reported of other decoders: Pillow's pictures, or a refusal.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeImage } from '../../../wasm/platform/node.js';
import { large, needsLarge, readJson } from '../shared.js';

const FOLDER = 'reports/images';
/** Of a JPEG's mean error; others are exact. */
const MOST_LEVELS = 3;

/** @param {string} name */
const read = (name) => readFileSync(large(`${FOLDER}/${name}`));

/** Whether a pixel belongs to the only frame of a GIF, behind palette and graphic control. @param {Buffer} gif */
function frameOf(gif) {
  const at = 13 + 3 * 2 ** ((gif[10] & 7) + 1) + 8;
  assert.equal(gif[at], 0x2c);
  const [left, top, width, height] = [1, 3, 5, 7].map((offset) => gif.readUInt16LE(at + offset));
  return (/** @type {number} */ x, /** @type {number} */ y) =>
    x >= left && x < left + width && y >= top && y < top + height;
}

/** @param {string} name @param {string} expected `png`, or `inside`: only the frame is compared */
async function checkPicture(name, expected) {
  const found = await decodeImage(read(name));
  const { data, width, height } = await decodeImage(read(`${name}.exp.png`));
  assert.deepEqual([found.width, found.height], [width, height]);
  const isInside = expected === 'inside' ? frameOf(read(name)) : () => true;
  const errors = Array.from(data, (value, i) => {
    const pixel = Math.floor(i / 3);
    return isInside(pixel % width, Math.floor(pixel / width)) ? Math.abs(value - found.data[i]) : 0;
  });
  const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
  assert.ok(mean <= (name.endsWith('.jpg') ? MOST_LEVELS : 0), `${name}: ${mean} levels`);
}

test('reported image files give the picture of Pillow, or are refused', needsLarge(FOLDER), async () => {
  /** @type {Record<string, 'png' | 'inside' | 'refuse'>} */
  const cases = readJson(large(`${FOLDER}/expected.json`));
  assert.ok(Object.keys(cases).length > 15);
  for (const [name, expected] of Object.entries(cases)) {
    if (expected === 'refuse') await assert.rejects(decodeImage(read(name)), { code: 'IMAGE_CORRUPT' }, name);
    else await checkPicture(name, expected);
  }
});
