// Sizes, texts and places of tags, by the rules that draw.js documents.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { drawDetections } from '../../../wasm/draw/draw.js';
import { clamp, colorOf, placeTag, sizesFor, tagText } from '../../../wasm/draw/layout.js';

test('sizes follow the root of the area', () => {
  /** @type {[number, number, number, number][]} width, height, line, letters */
  const cases = [
    [1, 1, 1, 8],
    [100, 100, 1, 8],
    [160, 160, 1, 10],
    [208, 208, 1, 13],
    [640, 480, 3, 13],
    [1000, 1000, 6, 24],
    [4000, 3000, 19, 82],
  ];
  for (const [width, height, thickness_px, em_px] of cases)
    assert.deepEqual(sizesFor({ width, height }), { thickness_px, em_px }, `${width} x ${height}`);
});

test('texts: the label or its number, the track, whole per cent', () => {
  const detection = (/** @type {object} */ fields) => /** @type {any} */ ({ labelId: 7, ...fields });
  for (const [fields, text] of /** @type {[object, string][]} */ ([
    [{ label: 'Dog', score: 0.806 }, 'Dog 81 %'],
    [{ label: 'Dog', score: 0.804 }, 'Dog 80 %'],
    [{ score: 1 }, '#7 100 %'],
    [{ label: 'Dog', trackId: 0 }, 'Dog #0'],
    [{ label: 'Dog', trackId: 3, score: 0 }, 'Dog #3 0 %'],
    [{ label: 'x'.repeat(65) }, 'x'.repeat(64)],
  ]))
    assert.equal(tagText(detection(fields)), text);
  assert.equal(colorOf(detection({ color: 'red', trackId: 1 })), 'red');
  assert.deepEqual(colorOf(detection({ trackId: 2 })), colorOf(/** @type {any} */ ({ labelId: 2 })));
  assert.notDeepEqual(colorOf(detection({ trackId: 2 })), colorOf(detection({})));
});

test('on a canvas, letters are as large as the picture asks for', () => {
  for (const [
    width,
    height,
    fontSize,
    expected,
  ] of /** @type {[number, number, number | undefined, number][]} */ ([
    [640, 480, undefined, 13],
    [1000, 1000, undefined, 24],
    [50, 50, undefined, 8],
    [640, 480, 5, 5],
  ])) {
    const fonts = new Set();
    const context = {
      canvas: { width, height },
      ...{ fillStyle: '', font: '', textAlign: '', textBaseline: '', globalAlpha: 1 },
      ...{ save() {}, restore() {}, fillRect() {} },
      measureText: () => (fonts.add(context.font.split(' ')[1]), { width: 20 }),
      fillText: () => void fonts.add(context.font.split(' ')[1]),
    };
    const detections = [
      { labelId: 1, label: 'Dog', score: 0.5, box: { x: 5, y: 20, width: 30, height: 20 } },
    ];
    drawDetections(/** @type {any} */ (context), detections, { fontSize });
    assert.deepEqual([...fonts], [`${expected}px`]);
  }
});

describe('the place of a tag', () => {
  const photo = { left: 0, top: 0, right: 100, bottom: 100 };
  const rect = (
    /** @type {number} */ left,
    /** @type {number} */ top,
    /** @type {number} */ right,
    /** @type {number} */ bottom,
  ) => ({
    ...{ left, top, right, bottom },
  });
  const tag = { width: 20, height: 10 };
  test('is above its box where there is room', () => {
    assert.deepEqual(placeTag(tag, rect(30, 40, 80, 80), [], photo), rect(30, 30, 50, 40));
    assert.deepEqual(placeTag(tag, rect(30, 10, 80, 80), [], photo), rect(30, 0, 50, 10));
  });
  test('is inside at the top where there is none', () => {
    assert.deepEqual(placeTag(tag, rect(30, 9, 80, 80), [], photo), rect(30, 9, 50, 19));
    assert.deepEqual(
      placeTag(tag, rect(30, 40, 80, 80), [rect(49, 30, 60, 40)], photo),
      rect(30, 40, 50, 50),
    );
  });
  test('touches other tags', () =>
    assert.deepEqual(
      placeTag(tag, rect(30, 40, 80, 80), [rect(50, 30, 60, 40)], photo),
      rect(30, 30, 50, 40),
    ));
  test('covers a third of a small box, not more', () => {
    const box = rect(30, 40, 80, 80);
    assert.deepEqual(placeTag(tag, box, [], photo, [rect(30, 24, 50, 33)]), rect(30, 30, 50, 40)); // 3 of 9 rows
    assert.deepEqual(placeTag(tag, box, [], photo, [rect(30, 25, 50, 33)]), rect(30, 40, 50, 50)); // 3 of 8 rows
  });
  test('stays on the photo', () =>
    assert.deepEqual(placeTag(tag, rect(90, 40, 99, 80), [], photo), rect(80, 30, 100, 40)));
});

test('clamp', () =>
  assert.deepEqual(
    [-1, 0, 5, 9, 10].map((x) => clamp(x, 0, 9)),
    [0, 0, 5, 9, 9],
  ));
