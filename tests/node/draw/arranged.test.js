// Which pixels boxes and tags take, far places of tags, and each call that draws them on a context of the test, whose letters
// are half as wide as high.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { arrange, edgeOf, placeTag } from '../../../wasm/draw/layout.js';
import { paint } from '../../../wasm/draw/paint.js';

const rect = (/** @type {number} */ left, /** @type {number} */ top, /** @type {number} */ right, /** @type {number} */ bottom) => ({ left, top, right, bottom }); // prettier-ignore
/** @param {number[]} box @param {object} [more] */
const found = ([x, y, width, height], more) => ({ labelId: 1, box: { x, y, width, height }, ...more });
const measure = (/** @type {string} */ text, /** @type {number} */ em) => (text.length * em) / 2;

describe('the pixels of a box', () => {
  /** @type {[box: number[], pixels: number[] | undefined][]} */
  const cases = [
    [[10, 20, 30, 40], [10, 20, 40, 60]],
    [[10.4, 20.5, 0.2, 0.2], [10, 21, 11, 22]],
    [[-5, -6, 10, 10], [0, 0, 5, 4]],
    [[95, 75, 50, 50], [95, 75, 100, 80]],
    [[99.7, 79.8, 5, 5], [99, 79, 100, 80]],
    [[-10, -10, 10.1, 10.1], [0, 0, 1, 1]],
    [[-10, 0, 10, 5], undefined],
    [[0, -10, 5, 10], undefined],
    [[100, 0, 5, 5], undefined],
    [[0, 80, 5, 5], undefined],
    [[1, 1, 0, 5], undefined],
    [[1, 1, 5, 0], undefined],
  ]; // prettier-ignore
  for (const [box, pixels] of cases)
    test(`${box}: ${pixels}`, () => {
      const [placed] = arrange(
        [found(box)],
        { width: 100, height: 80 },
        { em_px: 8, measure, textOf: () => '' },
      );
      assert.deepEqual(
        placed?.box,
        pixels && rect(.../** @type {[number, number, number, number]} */ (pixels)),
      );
      assert.ok(!placed || !('tag' in placed));
    });
  test('the best are drawn last, those without a score first', () => {
    const scores = [0.5, undefined, 0.9, 0];
    const detections = scores.map((score) => found([1, 1, 5, 5], { score }));
    const placed = arrange(detections, { width: 9, height: 9 }, { em_px: 8, measure, textOf: () => '' });
    assert.deepEqual(placed.map(({ detection }) => detection.score), [undefined, 0, 0.5, 0.9]); // prettier-ignore
  });
  for (const [width, height, thickness, edge] of [
    [40, 40, 19, 10],
    [40, 8, 19, 2],
    [8, 43, 19, 2],
    [3, 3, 19, 1],
    [40, 40, 1, 1],
  ])
    // prettier-ignore
    test(`the line of ${width} x ${height}, at most ${thickness}: ${edge}`, () =>
      assert.equal(edgeOf(rect(5, 5, 5 + width, 5 + height), thickness), edge));
});

describe('the size of a tag', () => {
  /** @type {[letters: number, em: number, width: number, expected: [em: number, width: number, height: number]][]} */
  const cases = [
    [4, 20, 100, [20, 54, 28]],
    [8, 20, 94, [20, 94, 28]],
    [8, 20, 93, [19, 90, 27]],
    [12, 20, 100, [14, 94, 20]],
    [64, 20, 100, [8, 262, 11]],
    [4, 5, 100, [5, 14, 7]],
    [64, 5, 100, [5, 164, 7]],
  ];
  for (const [letters, em_px, width, [em, wide, high]] of cases)
    test(`of ${letters} letters of ${em_px} on ${width}`, () => {
      const style = { em_px, measure, textOf: () => 'x'.repeat(letters) };
      const [{ tag }] = arrange([found([0, 50, 10, 10])], { width, height: 100 }, style);
      const { left, right, top, bottom } = /** @type {any} */ (tag).rect;
      assert.deepEqual([tag?.em_px, left, right, bottom - top, bottom], [em, 0, wide, high, 50]);
    });
});

describe('a tag far from its box', () => {
  const tag = { width: 20, height: 10 };
  const wide = rect(0, 0, 1000, 1000);
  const box = rect(500, 500, 520, 510);
  /** @type {[taken: number[], place: number[]][]} */
  const cases = [
    [[500, 490, 520, 520], [520, 500, 540, 510]],
    [[500, 490, 521, 520], [480, 500, 500, 510]],
    [[499, 490, 521, 520], [500, 480, 520, 490]],
    [[499, 480, 521, 520], [500, 520, 520, 530]],
    [[0, 420, 1000, 590], [500, 410, 520, 420]],
    [[0, 410, 1000, 590], [500, 590, 520, 600]],
    [[0, 410, 1000, 600], [500, 490, 520, 500]],
  ]; // prettier-ignore
  for (const [[left, top, right, bottom], place] of cases)
    test(`where ${[left, top, right, bottom]} is taken: ${place}`, () =>
      assert.deepEqual(
        placeTag(tag, box, [rect(left, top, right, bottom)], wide),
        rect(.../** @type {[number, number, number, number]} */ (place)),
      ));
  test('is at either end of a wider box, or beside it', () => {
    const long = rect(500, 500, 560, 510);
    const near = rect(480, 490, 580, 520);
    const place = (/** @type {any[]} */ ...more) => placeTag(tag, long, [near, ...more], wide);
    assert.deepEqual(place(), rect(500, 480, 520, 490));
    assert.deepEqual(place(rect(500, 480, 520, 490)), rect(540, 480, 560, 490));
    assert.deepEqual(place(rect(500, 480, 560, 490)), rect(560, 480, 580, 490));
    assert.deepEqual(place(rect(500, 480, 580, 490)), rect(480, 480, 500, 490));
  });
  test('is not searched among more than 300 small boxes', () => {
    const place = (/** @type {number} */ count) => {
      const small = Array.from({ length: count }, () => rect(0, 0, 1, 1));
      return placeTag(tag, box, [rect(500, 490, 520, 520)], wide, small);
    };
    assert.deepEqual(place(300), rect(520, 500, 540, 510));
    assert.deepEqual(place(301), rect(500, 490, 520, 500));
  });
  test('is moved into a part of a picture, unless it is larger', () => {
    const part = rect(50, 50, 150, 150);
    assert.deepEqual(placeTag(tag, rect(10, 52, 60, 140), [], part), rect(50, 52, 70, 62));
    assert.deepEqual(placeTag(tag, rect(140, 90, 160, 100), [], part), rect(130, 80, 150, 90));
    assert.deepEqual(
      placeTag({ width: 20, height: 200 }, rect(60, 60, 80, 80), [], part),
      rect(60, 50, 80, 250),
    );
    assert.deepEqual(
      placeTag({ width: 300, height: 10 }, rect(60, 70, 80, 80), [], part),
      rect(50, 60, 350, 70),
    );
    const beside = placeTag(tag, rect(60, 145, 80, 150), [rect(60, 130, 80, 150)], part);
    assert.deepEqual(beside, rect(80, 140, 100, 150));
  });
});

describe('painting', () => {
  /** @param {any[]} detections @param {object} [options] */
  const draw = (detections, options = {}, canvas = { width: 100, height: 100 }) => {
    /** @type {any[]} */
    const calls = [];
    const context = {
      ...{ canvas, fillStyle: '', font: '', textAlign: '', textBaseline: '', globalAlpha: 0.5 },
      save: () => calls.push('save'),
      restore: () => calls.push('restore'),
      fillRect: (/** @type {number[]} */ ...given) => calls.push([context.fillStyle, ...given]),
      fillText: (/** @type {any[]} */ ...given) =>
        calls.push([
          context.font,
          context.fillStyle,
          context.textAlign,
          context.textBaseline,
          context.globalAlpha,
          ...given,
        ]),
      measureText: (/** @type {string} */ text) => ({
        width: measure(text, Number(/\d+(?=px)/.exec(context.font))),
      }),
    };
    paint(
      /** @type {any} */ (context),
      detections,
      /** @type {any} */ ({ lineWidth: 2, fontSize: 10, ...options }),
    );
    return calls;
  };
  const dog = found([10, 40, 40, 20], { label: 'Dog', score: 0.5 });
  const text = (/** @type {string} */ content, /** @type {number} */ x, /** @type {number} */ baseline, em = 10) => [`600 ${em}px system-ui, sans-serif`, '#000', 'left', 'alphabetic', 1, content, x, baseline]; // prettier-ignore

  test('four lines of a box, then its tag', () =>
    assert.deepEqual(draw([dog], { colours: ['red', 'blue'] }), [
      'save',
      ...[['blue', 10, 40, 40, 2], ['blue', 10, 58, 40, 2], ['blue', 10, 40, 2, 20], ['blue', 48, 40, 2, 20]],
      ...[['blue', 10, 26, 47, 14], text('Dog 50 %', 13.5, 36.6)],
      'restore',
    ])); // prettier-ignore
  test('letters of each tag by its own size', () => {
    const long = found([0, 80, 50, 20], { label: 'x'.repeat(25), score: 0.25 });
    const fonts = draw([dog, long]).filter((call) => call.length === 8).map(([font]) => font); // prettier-ignore
    assert.deepEqual(fonts, ['600 8px system-ui, sans-serif', '600 10px system-ui, sans-serif']);
  });
  test('scaled, of a part of the canvas, mirrored', () => {
    const first = (/** @type {object} */ options) =>
      draw([dog], { labels: false, colours: ['red'], ...options })[1];
    assert.deepEqual(first({ scale: 0.5 }), ['red', 5, 20, 20, 2]);
    assert.deepEqual(first({ mirror: true }), ['red', 50, 40, 40, 2]);
    assert.deepEqual(first({ mirror: true, scale: 2, size: { width: 50, height: 50 } }), [
      'red',
      0,
      80,
      80,
      2,
    ]);
    assert.equal(draw([dog], { size: { width: 10, height: 10 } }).length, 2);
  });
  test('lines and letters by the size of the picture', () => {
    const [, line, , , , , letters] = draw([found([10, 400, 400, 200], { label: 'Dog' })], { lineWidth: undefined, fontSize: undefined }, { width: 1000, height: 1000 }); // prettier-ignore
    assert.equal(line[4], 6);
    assert.equal(letters[0], '600 24px system-ui, sans-serif');
  });
  test('colours: of the class, of the track, given by a list or a function', () => {
    const colour = (/** @type {object} */ more, /** @type {object} */ options) =>
      draw([{ ...dog, ...more }], options)[1][0];
    assert.match(colour({}, {}), /^rgb\(\d+, \d+, \d+\)$/);
    assert.equal(colour({ color: [1, 2, 3] }, {}), 'rgb(1, 2, 3)');
    assert.equal(colour({ trackId: 1 }, {}), colour({}, {}));
    assert.notEqual(colour({ trackId: 2 }, {}), colour({}, {}));
    assert.equal(colour({ trackId: 2 }, { trackIds: false }), colour({}, {}));
    assert.equal(colour({ trackId: 5 }, { colours: ['a', 'b', 'c'] }), 'c');
    assert.equal(colour({ mark: 'own' }, { colours: (/** @type {any} */ { mark }) => mark }), 'own');
  });
  test('texts: with or without, by a list or a function', () => {
    const shown = (/** @type {object} */ more, /** @type {object} */ options) =>
      draw([{ ...dog, ...more }], options)[6]?.[5];
    assert.equal(shown({ trackId: 3 }, {}), 'Dog #3 50 %');
    assert.equal(shown({ trackId: 3 }, { trackIds: false }), 'Dog 50 %');
    assert.equal(shown({}, { labels: false }), undefined);
    assert.equal(shown({}, { labels: ['no', 'Hund'] }), 'Hund 50 %');
    assert.equal(shown({}, { labels: ['no'] }), 'Dog 50 %');
    assert.equal(shown({ mark: 7 }, { labels: (/** @type {any} */ { mark }) => mark }), '7');
    assert.equal(shown({}, { labels: () => '' }), undefined);
  });
  test('the context is given back after an error', () => {
    let ends = 0;
    const context = { canvas: { width: 9, height: 9 }, save() {}, restore: () => ends++ };
    assert.throws(() => paint(/** @type {any} */ (context), [found([1, 1, 5, 5])], {}));
    assert.equal(ends, 1);
  });
});
