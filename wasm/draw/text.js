// Rasterizes one line of text in the label font.
//
//   in   a string, the size of the em square in pixels
//   out  coverage: Float32Array [height, width], 0 (paper) to 1 (ink)
//
// Characters outside printable ASCII and Latin-1 become '?'. No kerning, no line breaks, left to right.
import { CAP_HEIGHT, GLYPHS, UNITS_PER_EM } from '../../dist/font.js';

/**
 * @typedef {object} Point
 * @property {number} x in font units
 * @property {number} y in font units, upwards from the baseline
 * @property {boolean} isOnCurve false for the control point of a quadratic curve
 *
 * @typedef {object} Glyph
 * @property {number} advance distance to the next glyph, in font units
 * @property {Point[][]} contours closed; each starts on the curve
 */

/** Height of a capital letter, in em. */
export const CAP_HEIGHT_EM = CAP_HEIGHT / UNITS_PER_EM;

/** @type {Glyph[] | undefined} */
let glyphs;

/** @returns {Glyph[]} the font, in code point order; the packing is described in tools/make-font.js */
function unpackFont() {
  const bytes = Uint8Array.from(atob(GLYPHS), (char) => char.charCodeAt(0));
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const unzigzag = (/** @type {number} */ code) => (code >> 1) ^ -(code & 1);
  /** @type {Glyph[]} */
  const unpacked = [];
  while (at < bytes.length) {
    const advance = varint();
    const origin = { x: 0, y: 0 };
    const contours = Array.from({ length: varint() }, () =>
      Array.from({ length: varint() }, () => {
        const dx = varint();
        origin.x += unzigzag(dx >> 1);
        origin.y += unzigzag(varint());
        return { ...origin, isOnCurve: (dx & 1) === 1 };
      }),
    );
    unpacked.push({ advance, contours });
  }
  return unpacked;
}

/** @param {string} text @returns {Glyph[]} one for each character */
function toGlyphs(text) {
  const font = (glyphs ??= unpackFont());
  // NFC: é may be given as e and a combining accent, but the font has composed letters only.
  return Array.from(text.normalize('NFC'), (char) => {
    const code = /** @type {number} */ (char.codePointAt(0));
    if (code >= 0x20 && code <= 0x7e) return font[code - 0x20];
    if (code >= 0xa0 && code <= 0xff) return font[code - 0xa0 + 95];
    return font[0x3f - 0x20];
  });
}

/**
 * @param {string} text
 * @param {number} em_px size of the em square
 * @returns {number} width of the line, in pixels, not rounded
 */
export function measureText(text, em_px) {
  return toGlyphs(text).reduce((sum, glyph) => sum + glyph.advance, 0) * (em_px / UNITS_PER_EM);
}

/**
 * Adds one straight edge to `winding` [height, width + 1], the accumulation buffer of Raph Levien's font-rs. The
 * running sum along a row gives, for each pixel, the area to the right of the edges, signed by their direction; for
 * closed contours that is the area inside. An edge is cut at the pixel borders: a piece of height dy whose middle is at
 * x covers dy · (column + 1 - x) of its own pixel and dy of each pixel further right.
 *
 * @param {Float32Array} winding
 * @param {number} width
 * @param {number} x0 @param {number} y0 start, in pixels
 * @param {number} x1 @param {number} y1 end
 */
function addEdge(winding, width, x0, y0, x1, y1) {
  if (y0 === y1) return;
  const direction = y0 < y1 ? 1 : -1;
  const slope = (x1 - x0) / (y1 - y0);
  const top = Math.min(y0, y1);
  const bottom = Math.max(y0, y1);
  for (let row = Math.floor(top); row < bottom; row++) {
    const from = Math.max(top, row);
    const to = Math.min(bottom, row + 1);
    const xFrom = x0 + (from - y0) * slope;
    const xTo = x0 + (to - y0) * slope;
    const left = Math.min(xFrom, xTo);
    const right = Math.max(xFrom, xTo);
    for (let column = Math.floor(left); column <= right; column++) {
      const pieceLeft = Math.max(left, column);
      const pieceRight = Math.min(right, column + 1);
      const share = right > left ? (pieceRight - pieceLeft) / (right - left) : 1;
      const dy = direction * (to - from) * share;
      const inside = dy * (column + 1 - (pieceLeft + pieceRight) / 2);
      winding[row * (width + 1) + column] += inside;
      winding[row * (width + 1) + column + 1] += dy - inside;
    }
  }
}

/**
 * @param {Float32Array} winding [height, width + 1]
 * @param {number} width
 * @param {Point[]} contour
 * @param {(point: Point) => [number, number]} toPixels
 */
function addContour(winding, width, contour, toPixels) {
  let [x, y] = toPixels(contour[0]);
  const lineTo = (/** @type {number} */ nextX, /** @type {number} */ nextY) => {
    addEdge(winding, width, x, y, nextX, nextY);
    [x, y] = [nextX, nextY];
  };
  for (let i = 1; i <= contour.length; i++) {
    const point = contour[i % contour.length];
    const [pointX, pointY] = toPixels(point);
    if (point.isOnCurve) {
      lineTo(pointX, pointY);
      continue;
    }
    const [endX, endY] = toPixels(contour[++i % contour.length]);
    const [startX, startY] = [x, y];
    // A quadratic curve is at most |start - 2 control + end| / 4 away from its chord, and at most 1/n² of that from n
    // chords. Choose n so that the error stays below 1/20 px.
    const bend = Math.hypot(startX - 2 * pointX + endX, startY - 2 * pointY + endY);
    const numPieces = Math.ceil(Math.sqrt(5 * bend)) || 1;
    for (let piece = 1; piece <= numPieces; piece++) {
      const t = piece / numPieces;
      const [a, b, c] = [(1 - t) * (1 - t), 2 * t * (1 - t), t * t];
      lineTo(a * startX + b * pointX + c * endX, a * startY + b * pointY + c * endY);
    }
  }
}

/**
 * @param {string} text
 * @param {number} em_px size of the em square
 * @param {{ width: number, height: number, x: number, baseline: number }} area size of the result in whole pixels, x
 *   of the start of the line, and y of its baseline. It must hold the text: leave 0.1 em at the sides, 1 em above the
 *   baseline and 0.3 em below it.
 * @returns {Float32Array} coverage [height, width], 0 to 1
 */
export function rasterizeText(text, em_px, area) {
  const { width, height, baseline } = area;
  const scale = em_px / UNITS_PER_EM;
  const winding = new Float32Array((width + 1) * height + 1);
  let x = area.x;
  for (const { advance, contours } of toGlyphs(text)) {
    const origin = x;
    for (const contour of contours) {
      addContour(winding, width, contour, (point) => [origin + point.x * scale, baseline - point.y * scale]);
    }
    x += advance * scale;
  }
  const coverage = new Float32Array(width * height);
  for (let row = 0; row < height; row++) {
    let area_px = 0;
    for (let column = 0; column < width; column++) {
      area_px += winding[row * (width + 1) + column];
      coverage[row * width + column] = Math.min(1, Math.abs(area_px));
    }
  }
  return coverage;
}
