// The least and greatest values of a plan, colours of views, and what a detector's trainer is given.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { augment } from '../../../wasm/train/detect/augment.js';
import { openHeads } from '../../../wasm/train/detect/weights.js';
import { makePlan } from '../../../wasm/train/plan.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);

/** @type {[option: string, taken: number[], refused: number[]][]} */
const ranges = [
  ['epochs', [1, 1e6], [0, 1e6 + 1, 1.5]],
  ['batchSize', [1], [0, 1.5]],
  ['validationSplit', [0, 1], [-1e-9, 1.001]],
  ['seed', [0, 2 ** 32 - 1], [-1, 2 ** 32, 0.5]],
  ['labelSmoothing', [0, 1], [-1e-9, 1.001]],
  ['l2', [0, 1e6], [-1e-9, 1e6 + 1]],
];
for (const [option, taken, refused] of ranges)
  test(`${option}: ${taken}, not ${refused}`, () => {
    for (const value of taken) assert.equal(any(makePlan({ [option]: value }, ['a', 'b']))[option], value);
    for (const value of refused)
      assert.throws(() => makePlan({ [option]: value }, ['a', 'b']), { code: 'INVALID_OPTION' });
  });

describe('colours of a view', () => {
  const none = {
    ...{ flip: false, crop: false, pad: false, paste: false },
    ...{ brightness: 0, contrast: 0, saturation: 0, hue: 0 },
  };
  /** Views of a photo of two pixels. @param {number[]} levels @param {object} change */
  const views = (levels, change) =>
    Array.from({ length: 40 }, (_, stream) => {
      const photo = { data: Uint8Array.from(levels), width: 2, height: 1 };
      return [...augment(photo, [], { ...none, ...change }, { seed: 3, stream }).image.data];
    });
  const range = (/** @type {number[]} */ values) => [Math.min(...values), Math.max(...values)];
  const luma = (/** @type {number[]} */ [r, g, b]) => 0.299 * r + 0.587 * g + 0.114 * b;
  const grey = [100, 100, 100, 150, 150, 150];
  const colour = [160, 120, 90, 120, 120, 120];

  test('are those of the photo if nothing may change', () => {
    for (const view of views(colour, {})) assert.deepEqual(view, colour);
  });
  test('brightness adds the same to all levels, up to its share of 255', () => {
    const added = views(grey, { brightness: 0.2 }).map((view) => {
      assert.deepEqual(view, grey.map((level) => level + view[0] - 100)); // prettier-ignore
      return view[0] - 100;
    });
    const [least, most] = range(added);
    assert.ok(least >= -51 && least < -35 && most <= 51 && most > 35, `${least} ${most}`);
  });
  test('contrast scales levels about their mean', () => {
    const scales = views(grey, { contrast: 0.4 }).map((view) => {
      assert.ok(Math.abs(view[0] + view[3] - 250) <= 1);
      return (view[3] - view[0]) / 50;
    });
    const [least, most] = range(scales);
    assert.ok(least >= 0.58 && least < 0.75 && most <= 1.42 && most > 1.25, `${least} ${most}`);
  });
  test('saturation scales colours about their grey', () => {
    const scales = views(colour, { saturation: 0.5 }).map((view) => {
      assert.ok(Math.abs(luma(view) - luma(colour)) <= 1.5, String(view));
      assert.deepEqual(view.slice(3), colour.slice(3));
      return (view[0] - view[2]) / 70;
    });
    const [least, most] = range(scales);
    assert.ok(least >= 0.47 && least < 0.7 && most <= 1.53 && most > 1.3, `${least} ${most}`);
  });
  test('hue turns colours about their grey', () => {
    const shifts = views(colour, { hue: 0.1 }).map((view) => {
      assert.ok(Math.abs(luma(view) - luma(colour)) <= 1.5, String(view));
      assert.deepEqual(view.slice(3), colour.slice(3));
      return view[1] - 120;
    });
    const [least, most] = range(shifts);
    assert.ok(least < -10 && most > 10, `${least} ${most}`);
  });
});

test('a trainer is given the network, its loss, its anchors and its weights', () => {
  /** @type {any[]} */
  const calls = [];
  const trainer = {
    open: (/** @type {any[]} */ ...given) => calls.push(given),
    write: (/** @type {any[]} */ ...given) => calls.push(given),
  };
  const model = {
    network: 'net',
    plan: { optimizer: undefined, loss: 'loss' },
    parameters: 'p',
    slots: 's',
    classes: { background: 7 },
  };
  const settings = { file: { anchors: 'anchors', boxCoder: 'coder' }, maxRows: 3, maxBoxes: 4 };
  openHeads(any(model), any(trainer), any(settings));
  const [[network, optimizer, loss, about], ...written] = calls;
  assert.deepEqual([network, loss, written], ['net', 'loss', [['parameters', 'p'], ['slots', 's']]]); // prettier-ignore
  assert.deepEqual(about, { anchors: 'anchors', boxCoder: 'coder', background: 7, maxRows: 3, maxBoxes: 4 });
  assert.ok(optimizer);
});
