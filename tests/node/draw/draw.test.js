// Boxes, tags, text and PNG files: what is drawn lies where it should and nothing else is touched. The text is
// compared with areas and extents computed from the font file itself.
import { decode } from 'fast-png';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import opentype from 'opentype.js';
import { classColor, drawDetections } from '../../../wasm/draw/draw.js';
import { encodePng } from '../../../wasm/draw/png.js';
import { measureText, rasterizeText } from '../../../wasm/draw/text.js';

/** @typedef {import('../../../wasm/draw/draw.js').Pixels} Pixels */
/** @typedef {import('../../../wasm/draw/draw.js').Detection} Detection */

const PAPER = 255; // no class colour is white, and no blend of one with black is

/** @param {number} width @param {number} height @param {3 | 4} [channels] @returns {Pixels} all white */
const blank = (width, height, channels = 3) => ({
  data: new Uint8Array(width * height * channels).fill(PAPER),
  width,
  height,
  channels,
});

/** @param {number} x @param {number} y @param {number} width @param {number} height @returns {Detection} */
const dogAt = (x, y, width, height, score = 0.81) => ({
  label: 'Dog',
  labelId: 19,
  score,
  box: { x, y, width, height },
});

/** @param {Pixels} pixels @param {number} x @param {number} y */
const colorAt = ({ data, width, channels }, x, y) =>
  Array.from(data.subarray((y * width + x) * channels, (y * width + x) * channels + 3));

/** @param {Pixels} pixels @param {number} x @param {number} y */
const isDrawn = (pixels, x, y) => colorAt(pixels, x, y).some((value) => value !== PAPER);

/**
 * The smallest rectangle around the drawn pixels that `where` lets through.
 * @param {Pixels} pixels @param {(x: number, y: number) => boolean} [where]
 */
function drawnExtent(pixels, where = () => true) {
  const extent = { left: Infinity, top: Infinity, right: 0, bottom: 0, count: 0 };
  for (let y = 0; y < pixels.height; y++) {
    for (let x = 0; x < pixels.width; x++) {
      if (!where(x, y) || !isDrawn(pixels, x, y)) continue;
      extent.left = Math.min(extent.left, x);
      extent.top = Math.min(extent.top, y);
      extent.right = Math.max(extent.right, x + 1);
      extent.bottom = Math.max(extent.bottom, y + 1);
      extent.count++;
    }
  }
  return extent;
}

describe('drawDetections', () => {
  test('draws a ring of the class colour on the box, and a filled tag on top of it', () => {
    const pixels = blank(400, 300);
    drawDetections(pixels, [dogAt(100.2, 79.6, 150, 120)]);
    const inBox = (/** @type {number} */ x, /** @type {number} */ y) =>
      x >= 100 && x < 250 && y >= 80 && y < 200;

    assert.deepEqual(drawnExtent(pixels, inBox), {
      left: 100,
      top: 80,
      right: 250,
      bottom: 200,
      count: 2 * (150 + 116) * 2,
    });
    for (const [x, y] of [
      [100, 80],
      [249, 80],
      [100, 199],
      [249, 199],
      [101, 140],
      [248, 140],
      [170, 81],
      [170, 198],
    ]) {
      assert.deepEqual(colorAt(pixels, x, y), [...classColor(19)]);
    }
    assert.equal(isDrawn(pixels, 102, 82), false);

    const tag = drawnExtent(pixels, (x, y) => !inBox(x, y));
    assert.equal(tag.count, (tag.right - tag.left) * (tag.bottom - tag.top), 'the tag is a full rectangle');
    assert.equal(tag.left, 100);
    assert.equal(tag.bottom, 80);
    assert.ok(tag.top >= 80 - 24 && tag.right <= 100 + 80);
  });

  test('draws nothing but blends of black and the class colour', () => {
    const pixels = blank(400, 300);
    drawDetections(pixels, [dogAt(100, 80, 150, 120)]);
    const [red, green, blue] = classColor(19);
    let numInk = 0;
    for (let y = 0; y < 300; y++) {
      for (let x = 0; x < 400; x++) {
        if (!isDrawn(pixels, x, y)) continue;
        const [r, g, b] = colorAt(pixels, x, y);
        const share = g / green;
        assert.ok(Math.abs(r - red * share) <= 1 && Math.abs(b - blue * share) <= 1, `${r}, ${g}, ${b}`);
        if (share < 0.1) numInk++;
      }
    }
    assert.ok(numInk > 30, 'there is a text');
  });

  test('gives the same picture every time, and whatever the order of the detections', () => {
    const detections = [dogAt(20, 30, 90, 90), { ...dogAt(60, 50, 90, 70, 0.4), label: 'Cat', labelId: 7 }];
    const [first, second] = [blank(200, 160), blank(200, 160)];
    drawDetections(first, detections);
    drawDetections(second, [...detections].reverse());
    assert.deepEqual(first.data, second.data);
  });

  test('has the better box on top', () => {
    const pixels = blank(200, 160);
    drawDetections(pixels, [dogAt(50, 50, 90, 70, 0.9), { ...dogAt(50, 50, 90, 70, 0.4), labelId: 7 }]);
    assert.deepEqual(colorAt(pixels, 139, 90), [...classColor(19)]);
  });

  test('sets tags beside each other while there is room', () => {
    const [one, both] = [blank(400, 300), blank(400, 300)];
    drawDetections(one, [dogAt(100, 100, 150, 120)]);
    drawDetections(both, [
      dogAt(100, 100, 150, 120),
      { ...dogAt(100, 100, 150, 120, 0.4), label: 'Cat', labelId: 7 },
    ]);
    const tag = drawnExtent(one, (_, y) => y < 100);
    for (let y = tag.top; y < tag.bottom; y++) {
      for (let x = tag.left; x < tag.right; x++) assert.deepEqual(colorAt(both, x, y), colorAt(one, x, y));
    }
    assert.ok(drawnExtent(both).count > drawnExtent(one).count + 0.8 * tag.count);
  });

  for (const [where, x, y] of /** @type {const} */ ([
    ['top left', 0, 0],
    ['top right', 360, 0],
    ['bottom right', 360, 280],
    ['bottom left', 0, 280],
    ['everywhere', 0, 0],
  ])) {
    test(`keeps the whole tag on the photo: ${where}`, () => {
      const middle = blank(600, 400);
      const box = where === 'everywhere' ? [600, 400] : [40, 20];
      drawDetections(middle, [dogAt(300, 200, 40, 40)]);
      const tag = drawnExtent(middle, (_, row) => row < 200);
      const pixels = blank(600, 400);
      drawDetections(pixels, [dogAt((x / 400) * 600, (y / 300) * 400, box[0], box[1])]);
      // The same number of text pixels as in the middle of the photo
      const isInk =
        (/** @type {Pixels} */ drawn) => (/** @type {number} */ column, /** @type {number} */ row) =>
          isDrawn(drawn, column, row) && colorAt(drawn, column, row)[1] < 0.9 * classColor(19)[1];
      assert.equal(drawnExtent(pixels, isInk(pixels)).count, drawnExtent(middle, isInk(middle)).count);
      assert.ok(tag.count > 500);
    });
  }

  test('draws boxes that reach over the border as far as the photo goes', () => {
    const pixels = blank(120, 90);
    drawDetections(pixels, [dogAt(-50, 40, 100, 500)]);
    const { left, right, bottom } = drawnExtent(pixels, (_, y) => y >= 60);
    assert.deepEqual([left, right, bottom], [0, 50, 90]);
  });

  test('writes nothing outside the photo', () => {
    const width = 64;
    const height = 48;
    const numBytes = width * height * 4;
    const memory = new Uint8Array(numBytes + 2048).fill(7);
    /** @type {Pixels} */
    const pixels = { data: memory.subarray(1024, 1024 + numBytes), width, height, channels: 4 };
    for (const x of [-1e9, -70, -10, 0, 30, 60, 63.9, 64, 1e9]) {
      for (const y of [-1e9, -50, -5, 0, 20, 47.9, 48, 1e9]) {
        for (const size of [0.01, 1, 9, 300, 3e9]) {
          drawDetections(pixels, [{ ...dogAt(x, y, size, size / 2), label: 'Computer monitor, Wÿ@' }]);
        }
      }
    }
    assert.ok(memory.subarray(0, 1024).every((byte) => byte === 7));
    assert.ok(memory.subarray(1024 + numBytes).every((byte) => byte === 7));
  });

  test('leaves out boxes that are not on the photo, have no extent or are no numbers', () => {
    const pixels = blank(100, 80);
    drawDetections(pixels, [
      dogAt(100, 10, 20, 20),
      dogAt(10, -30, 20, 30),
      dogAt(10, 10, 0, 20),
      dogAt(10, 10, 20, -1),
      dogAt(NaN, 10, 20, 20),
    ]);
    assert.equal(drawnExtent(pixels).count, 0);
  });

  test('draws a label of any length', () => {
    const pixels = blank(100, 80);
    drawDetections(pixels, [{ ...dogAt(10, 30, 20, 20), label: 'W'.repeat(1e6) }]);
    assert.equal(drawnExtent(pixels).right, 100);
  });

  test('draws on one pixel', () => {
    const pixels = blank(1, 1);
    drawDetections(pixels, [dogAt(0, 0, 1, 1)]);
    assert.equal(isDrawn(pixels, 0, 0), true);
  });

  test('draws opaque on RGBA, the same colours as on RGB', () => {
    const rgb = blank(200, 160);
    const rgba = blank(200, 160, 4);
    for (let at = 3; at < rgba.data.length; at += 4) rgba.data[at] = 9;
    drawDetections(rgb, [dogAt(50, 50, 90, 70)]);
    drawDetections(rgba, [dogAt(50, 50, 90, 70)]);
    for (let at = 0; at < 200 * 160; at++) {
      const [x, y] = [at % 200, Math.floor(at / 200)];
      assert.deepEqual(colorAt(rgba, x, y), colorAt(rgb, x, y));
      assert.equal(rgba.data[at * 4 + 3], isDrawn(rgb, x, y) ? 255 : 9);
    }
  });

  test('refuses pixels that are not what they say', () => {
    const data = new Uint8Array(300);
    for (const [width, height, channels] of [
      [0, 10, 3],
      [10, 0, 3],
      [10, 10, 4],
      [10, 10, 2],
      [9.5, 10, 3],
      [-10, -10, 3],
    ]) {
      assert.throws(
        () => drawDetections({ data, width, height, channels: /** @type {3} */ (channels) }, []),
        { code: 'INVALID_PIXELS' },
      );
    }
  });
});

describe('classColor', () => {
  test('carries black text with a contrast of at least 4.5 (WCAG AA) for every class number', () => {
    const linear = (/** @type {number} */ value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4;
    for (let labelId = 0; labelId < 1001; labelId++) {
      const [red, green, blue] = classColor(labelId);
      const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
      assert.ok((luminance + 0.05) / 0.05 >= 4.5, `${labelId}: ${red}, ${green}, ${blue}`);
    }
  });

  test('tells neighbouring class numbers apart', () => {
    for (let labelId = 0; labelId < 600; labelId++) {
      const [a, b] = [classColor(labelId), classColor(labelId + 1)];
      assert.ok(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) > 100, `${labelId}: ${a} and ${b}`);
    }
  });
});

describe('text', () => {
  const file = readFileSync(
    createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf'),
  );
  const font = opentype.parse(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength));
  const printable = [...Array(256).keys()]
    .filter((code) => (code >= 0x20 && code < 0x7f) || code >= 0xa0)
    .map((code) => String.fromCharCode(code));

  /**
   * Green's theorem; a quadratic curve lies 2/3 of its control triangle away from its chord.
   * @param {opentype.PathCommand[]} commands
   */
  function areaInside(commands) {
    const cross = (/** @type {number[]} */ [ax, ay], /** @type {number[]} */ [bx, by]) =>
      (ax * by - bx * ay) / 2;
    let area = 0;
    let start = [0, 0];
    let at = start;
    for (const command of commands) {
      if (command.type === 'Z') {
        area += cross(at, start);
        continue;
      }
      const end = [command.x, command.y];
      if (command.type === 'M') start = end;
      if (command.type === 'L') area += cross(at, end);
      if (command.type === 'Q') {
        const control = [command.x1, command.y1];
        area += (2 / 3) * (cross(at, control) + cross(control, end)) + (1 / 3) * cross(at, end);
      }
      at = end;
    }
    return Math.abs(area);
  }

  // 4 %: dist/font.js rounds to 1/256 em
  test('every character covers the area and the place that its outline in the font file has', () => {
    const em_px = 100;
    const scale = em_px / font.unitsPerEm;
    const [width, height, x, baseline] = [160, 150, 20, 110];
    for (const char of printable) {
      const glyph = font.charToGlyph(char);
      const coverage = rasterizeText(char, em_px, { width, height, x, baseline });
      const area = coverage.reduce((sum, part) => sum + part, 0);
      const expected = areaInside(glyph.path.commands) * scale * scale;
      assert.ok(Math.abs(area - expected) <= 0.04 * expected, `${char}: ${area}, in the font ${expected}`);

      const covered = [...coverage.keys()].filter((at) => coverage[at] > 0.02);
      if (covered.length === 0) continue;
      const box = glyph.getBoundingBox();
      const columns = covered.map((at) => at % width);
      const rows = covered.map((at) => Math.floor(at / width));
      assert.ok(Math.abs(Math.min(...columns) - (x + box.x1 * scale)) < 1.5, char);
      assert.ok(Math.abs(Math.max(...columns) + 1 - (x + box.x2 * scale)) < 1.5, char);
      assert.ok(Math.abs(Math.min(...rows) - (baseline - box.y2 * scale)) < 1.5, char);
      assert.ok(Math.abs(Math.max(...rows) + 1 - (baseline - box.y1 * scale)) < 1.5, char);
    }
  });

  test('is as wide as the font says', () => {
    for (const char of printable) {
      const expected = ((font.charToGlyph(char).advanceWidth ?? 0) * 256) / font.unitsPerEm;
      assert.ok(Math.abs(measureText(char, 256) - expected) <= 0.5, char);
    }
    assert.equal(
      measureText('Dog 81 %', 20),
      [...'Dog 81 %'].reduce((sum, char) => sum + measureText(char, 20), 0),
    );
  });

  test('shows other characters as ?, and composes accents', () => {
    const area = { width: 60, height: 40, x: 4, baseline: 30 };
    assert.deepEqual(rasterizeText('犬\n', 20, area), rasterizeText('??', 20, area));
    assert.deepEqual(rasterizeText('🐕', 20, area), rasterizeText('?', 20, area));
    assert.deepEqual(rasterizeText('e\u0301', 20, area), rasterizeText('é', 20, area));
  });
});

describe('encodePng', () => {
  for (const channels of /** @type {const} */ ([3, 4])) {
    test(`keeps every byte, ${channels} channels`, () => {
      const pixels = blank(37, 23, channels);
      pixels.data.forEach((_, at) => (pixels.data[at] = (at * at * 31 + at) & 255));
      const decoded = decode(encodePng(pixels));
      assert.deepEqual(
        [decoded.width, decoded.height, decoded.channels, decoded.depth],
        [37, 23, channels, 8],
      );
      assert.deepEqual(Uint8Array.from(decoded.data), pixels.data);
    });
  }
});
