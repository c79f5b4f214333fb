// The ranges of options are the same in the checks, in the types' documentation and in docs/api.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { DEFAULT_MAX_PIXELS } from '../../../dist/layout.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { UNFREEZE } from '../../../wasm/train/tail.js';
import { IMAGES_AT_A_TIME } from '../../../wasm/train/extract.js';
import { makePlan, RANGES } from '../../../wasm/train/plan.js';
import { DEFAULT_TOP_K, TOP_K } from '../../../wasm/vision/classifier.js';
import { DEFAULT_THRESHOLDS, MIN_CHANGE, THRESHOLD_RANGES } from '../../../wasm/vision/detector.js';
import { MAX_PIXELS } from '../../../wasm/vision/reading.js';
import { THREADS } from '../../../wasm/vision/vision_model.js';

/** @typedef {{min: number, max: number}} Range */

const OF_CREATE = { ...THRESHOLD_RANGES, threads: THREADS, maxPixels: MAX_PIXELS };
const DEFAULTS = { ...DEFAULT_THRESHOLDS, minChange: 0, threads: 1, maxPixels: DEFAULT_MAX_PIXELS };

/** @param {string} path */
const read = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

/**
 * 10000 -> "10 000", as the documentation writes it.
 * @param {number} number
 */
const written = (number) =>
  number < 10000 ? String(number) : String(number).replace(/\B(?=(\d{3})+$)/g, ' ');

/** @param {Range} range */
const range = ({ min, max }) => `${written(min)} to ${written(max)}`;

/**
 * The documentation of a property, on one line.
 * @param {string} path
 * @param {string} name
 */
function property(path, name) {
  const [, text] = read(path).match(new RegExp(`\\[${name}\\] ([^]*?)\\n \\*(?: ?@|\\n|/)`)) ?? [];
  assert.ok(text, `${path} documents ${name}`);
  return text.replace(/\s*\n \*\s*/g, ' ');
}

/** @type {[path: string, limits: Record<string, Range>, defaults?: Record<string, number | boolean>][]} */
const DOCUMENTED = [
  ['wasm/engine/types.js', THRESHOLD_RANGES, DEFAULTS],
  ['wasm/vision/types.js', { threads: THREADS, minChange: MIN_CHANGE }, DEFAULTS],
  ['wasm/vision/reading.js', { maxPixels: MAX_PIXELS }, DEFAULTS],
  ['wasm/train/plan.js', (({ learningRate, ...rest }) => rest)(RANGES)],
  ['wasm/train/types.js', { seed: RANGES.seed }],
  ['wasm/train/backbone.js', { threads: THREADS }],
  ['wasm/train/tail.js', { unfreeze: UNFREEZE }],
  ['wasm/train/extract.js', { batchSize: IMAGES_AT_A_TIME }],
];
for (const [path, limits, defaults] of DOCUMENTED) {
  for (const [name, limit] of Object.entries(limits)) {
    test(`${path}, ${name}`, () => {
      const text = property(path, name);
      assert.ok(text.includes(range(limit)), `'${text}' does not say ${range(limit)}`);
      const value = defaults && `default ${written(Number(defaults[name]))}`;
      if (value) assert.ok(text.includes(value), `'${text}' does not say ${value}`);
    });
  }
}

test('wasm/vision/types.js, topK', () => {
  const text = read('wasm/vision/types.js').replace(/\s*\n\s+\*\s*/g, ' ');
  assert.match(text, new RegExp(`\\[topK\\] [^.;]*; ${range(TOP_K)}, default ${DEFAULT_TOP_K}`));
});

describe('docs/api.md', () => {
  const rows = read('docs/api.md').split('\n');
  for (const [name, limit] of Object.entries(OF_CREATE)) {
    test(name, () => {
      const row = rows.find((line) => line.startsWith('| `') && line.split('|')[1].includes(`\`${name}\``));
      const [, , meaning, value] = row?.split('|') ?? [];
      assert.ok(meaning.includes(range(limit)), `${meaning} does not say ${range(limit)}`);
      const expected = DEFAULTS[/** @type {keyof typeof OF_CREATE} */ (name)];
      assert.ok(value.includes(written(expected)), `${value} is not ${expected}`);
    });
  }
});

describe('the ends of a range are allowed, and nothing beyond them', () => {
  for (const [name, { min, max }] of Object.entries(OF_CREATE)) {
    test(`ObjectDetector, ${name}`, async () => {
      // Options are checked before the signal is: nothing is loaded.
      const create = (/** @type {number} */ value) =>
        ObjectDetector.create({ [name]: value, signal: AbortSignal.abort(new Error('in range')) });
      for (const value of [min, max]) await assert.rejects(create(value), { message: 'in range' });
      for (const value of [min - 1, max + 1, NaN])
        await assert.rejects(create(value), { code: 'INVALID_OPTION', message: new RegExp(name) });
    });
  }
  const { learningRate, ...ofPlan } = RANGES;
  for (const [name, { min, max }] of Object.entries(ofPlan)) {
    test(`training, ${name}`, () => {
      for (const value of [min, max]) makePlan({ [name]: value }, ['a', 'b']);
      for (const value of [min - 1, max + 1, NaN])
        assert.throws(() => makePlan({ [name]: value }, ['a', 'b']), { code: 'INVALID_OPTION' });
    });
  }
});
