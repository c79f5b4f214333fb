// Boxes and tags on a canvas: where the rules for pixels have them, wherever the context comes from. The context here keeps
// what is filled; browsers' own are in tests/browser/draw.test.js.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { classColor, drawDetections } from '../../../wasm/draw/draw.js';

/**
 * @typedef {{style: string, left: number, top: number, right: number, bottom: number}} Filled
 * @typedef {import('../../../wasm/draw/draw.js').Detection} Detection
 */

/** A context that notes what is filled. @param {number} width @param {number} height */
function makeContext(width, height) {
  /** @type {Filled[]} */
  const filled = [];
  /** @type {{text: string, x: number, y: number}[]} */
  const written = [];
  let depth = 0;
  const context = {
    canvas: { width, height },
    ...{ fillStyle: '', font: '10px x', textAlign: 'center', textBaseline: 'top', globalAlpha: 0.5 },
    save: () => void depth++,
    restore: () => void depth--,
    measureText: (/** @type {string} */ text) => ({
      width: text.length * 0.6 * parseFloat(context.font.slice(4)),
    }),
    fillText: (/** @type {string} */ text, /** @type {number} */ x, /** @type {number} */ y) =>
      void written.push({ text, x, y }),
    fillRect(
      /** @type {number} */ x,
      /** @type {number} */ y,
      /** @type {number} */ w,
      /** @type {number} */ h,
    ) {
      filled.push({ style: context.fillStyle, left: x, top: y, right: x + w, bottom: y + h });
    },
  };
  return { context, filled, written, depth: () => depth };
}

/** @param {number} x @param {number} y @param {number} width @param {number} height @param {object} [more] */
const at = (x, y, width, height, more) => ({
  labelId: 3,
  label: 'Dog',
  score: 0.81,
  box: { x, y, width, height },
  ...more,
});

/** @param {Filled[]} parts @returns {number[]} */
const bounds = (parts) => [
  Math.min(...parts.map(({ left }) => left)),
  Math.min(...parts.map(({ top }) => top)),
  Math.max(...parts.map(({ right }) => right)),
  Math.max(...parts.map(({ bottom }) => bottom)),
];

describe('boxes', () => {
  test('are where they are on pixels, line for line', () => {
    const detections = [
      at(30, 40, 50, 60),
      at(100.4, 120.6, 33, 20, { labelId: 5, score: 0.3 }),
      at(190, -5, 40, 30),
    ];
    const [width, height] = [220, 180];
    const pixels = {
      data: new Uint8Array(width * height * 3),
      width,
      height,
      channels: /** @type {const} */ (3),
    };
    drawDetections(pixels, detections);
    const { context, filled } = makeContext(width, height);
    drawDetections(context, detections, { labels: false });
    // Tags cover some of the lines on pixels: where the canvas has a line, pixels have its colour or a tag's.
    const canvas = new Map();
    for (const { style, left, top, right, bottom } of filled)
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) canvas.set(y * width + x, style);
    let same = 0;
    for (const [i, style] of canvas)
      if (style === `rgb(${pixels.data.subarray(3 * i, 3 * i + 3).join(', ')})`) same++;
    assert.ok(same > 0.9 * canvas.size, `${same} of ${canvas.size}`);
    assert.equal(filled.length, 12);
  });

  test('are scaled, mirrored, and of the width and colours that are given', () => {
    const { context, filled } = makeContext(999, 999);
    const options = { labels: false, scale: 2, mirror: true, size: { width: 100, height: 80 }, lineWidth: 3 };
    drawDetections(context, [at(10, 20, 30, 40)], { ...options, colours: ['a', 'b'] });
    assert.deepEqual(bounds(filled), [200 - 80, 40, 200 - 20, 120]);
    assert.ok(filled.every(({ style }) => style === 'b'));
    assert.equal(filled[0].bottom - filled[0].top, 3);
    drawDetections(context, [at(1, 2, 30, 40)], { ...options, colours: ({ label }) => `${label}s` });
    assert.equal(filled.at(-1)?.style, 'Dogs');
  });

  test('of tracks have the colour of the track', () => {
    const { context, filled } = makeContext(300, 300);
    const color = (/** @type {number} */ number) => `rgb(${classColor(number).join(', ')})`;
    drawDetections(context, [at(10, 90, 30, 40, { trackId: 8 })], { labels: false });
    drawDetections(context, [at(10, 90, 30, 40, { trackId: 8 })], { labels: false, trackIds: false });
    assert.deepEqual([filled[0].style, filled[4].style], [color(8), color(3)]);
  });
});

describe('tags', () => {
  /** @param {import('../../../wasm/draw/draw.js').DrawOptions} options */
  const textsOf = (options) => {
    const { context, written, depth } = makeContext(300, 300);
    drawDetections(context, [at(10, 90, 60, 80, { trackId: 8 })], options);
    assert.equal(depth(), 0);
    return written.map(({ text }) => text);
  };

  test('say what is asked for', () => {
    assert.deepEqual(textsOf({}), ['Dog #8 81 %']);
    assert.deepEqual(textsOf({ trackIds: false }), ['Dog 81 %']);
    assert.deepEqual(textsOf({ labels: false }), []);
    assert.deepEqual(textsOf({ labels: ['', '', '', 'Hund'] }), ['Hund #8 81 %']);
    assert.deepEqual(textsOf({ labels: ['Katze'] }), ['Dog #8 81 %']);
    assert.deepEqual(textsOf({ labels: ({ label, box }) => `${label} ${box.x}` }), ['Dog 10']);
    assert.deepEqual(textsOf({ labels: () => '' }), []);
    assert.equal(textsOf({ labels: () => 'x'.repeat(1e6) })[0].length, 64);
  });

  test('are of the size that is given, and in the picture', () => {
    const { context, filled, written } = makeContext(300, 300);
    drawDetections(context, [at(280, 10, 15, 80)], { fontSize: 20, labels: () => 'abcdefgh' });
    const [left, top, right, bottom] = bounds([filled[4]]);
    assert.equal(bottom - top, 28);
    assert.ok(left >= 0 && top >= 0 && right <= 300 && bottom <= 300);
    assert.ok(written[0].x > left && written[0].y > top && written[0].y < bottom);
  });

  test('cover a third of a box at most, however small it is, while there is room', () => {
    let state = 1;
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
    for (let scene = 0; scene < 100; scene++) {
      const { context, filled } = makeContext(1000, 800);
      const detections = Array.from({ length: 1 + (scene % 30) }, () =>
        at(random() * 950, random() * 750, 3 + random() * 40, 3 + random() * 40, { score: random() }),
      );
      drawDetections(context, detections, { fontSize: 13 });
      const tags = filled.slice(4 * detections.length);
      assert.equal(tags.length, detections.length);
      for (const { box } of detections) {
        const [left, top] = [Math.round(box.x), Math.round(box.y)];
        const [right, bottom] = [Math.round(box.x + box.width), Math.round(box.y + box.height)];
        for (const tag of tags) {
          const wide = Math.min(tag.right, right) - Math.max(tag.left, left);
          const high = Math.min(tag.bottom, bottom) - Math.max(tag.top, top);
          const hidden = (Math.max(wide, 0) * Math.max(high, 0)) / ((right - left) * (bottom - top));
          assert.ok(hidden <= 1 / 3 + 1e-9, `scene ${scene}: ${hidden} of a box`);
        }
      }
    }
  });
});

test('options that cannot be used are refused, and nothing is drawn', () => {
  const { context, filled, depth } = makeContext(100, 100);
  for (const options of /** @type {any[]} */ ([
    null,
    { labels: 5 },
    { labels: [1] },
    { colours: 'red' },
    { colours: [null] },
    { lineWidth: 0 },
    { fontSize: NaN },
    { scale: -1 },
    { mirror: 'yes' },
    { trackIds: 1 },
    { size: null },
    { size: { width: 1 } },
    { colors: [] },
  ]))
    assert.throws(() => drawDetections(context, [at(1, 1, 9, 9)], options), { code: 'INVALID_OPTION' });
  assert.throws(() =>
    drawDetections(context, [at(1, 1, 9, 9)], {
      labels: () => {
        throw new Error('own');
      },
    }),
  );
  assert.deepEqual([filled.length, depth()], [0, 0]);
});

describe('an option’s limits are the smallest and the largest that it takes', () => {
  /** @type {[string, number, number, (value: number) => object][]} */
  const limits = [
    ['lineWidth', 0.1, 1e4, (lineWidth) => ({ lineWidth })],
    ['fontSize', 0.1, 1e4, (fontSize) => ({ fontSize })],
    ['scale', 1e-6, 1e6, (scale) => ({ scale })],
    ['size.width', 1e-6, 1e9, (width) => ({ size: { width, height: 1 } })],
    ['size.height', 1e-6, 1e9, (height) => ({ size: { width: 1, height } })],
  ];
  for (const [name, min, max, toOptions] of limits)
    test(name, () => {
      const draw = (/** @type {number} */ value) =>
        drawDetections(makeContext(100, 100).context, [], toOptions(value));
      for (const value of [min, max]) draw(value);
      for (const value of [min * 0.999, max * 1.001, 0, -min])
        assert.throws(() => draw(value), { code: 'INVALID_OPTION', message: new RegExp(name) }, `${value}`);
    });
});
