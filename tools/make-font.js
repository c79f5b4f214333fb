// TTF -> dist/font.js: the outlines of the label font (printable ASCII and Latin-1) as one base64 string.
//
//   node tools/make-font.js [OUT.js]
//
// The font is stored as outlines, not pixels: labels are 8 px (thumbnails) to 90 px (12 MP photos) high, and one set of
// outlines (22 KB) is sharp at every size.
//
// Format: the glyphs in code point order. A glyph is its advance and number of contours, then each contour. A contour
// is its number of points, then dx and dy of each point. Differences are taken from the previous point, across
// contours; a glyph starts at (0, 0). All numbers are varints (7 bits per byte, low bits first, top bit: more follow);
// dx and dy are zigzag coded, and dx has an extra lowest bit: the point is on the curve.
// The unit is 1/256 em; y grows upwards. Curves are quadratic, as in TrueType; a contour's first point is on the curve.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import opentype from 'opentype.js';

const FONT_FILE = 'dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf';
const FONT_SHA256 = '38098d0b8edd8430a0f53fb2831b5d36037563a998a620d3c87a4d7591766d20';
const UNITS_PER_EM = 256;
/** First and last code point of each run of glyphs. wasm/draw/text.js assumes the same two runs. */
const RANGES = [
  [0x20, 0x7e],
  [0xa0, 0xff],
];

/** @typedef {{ x: number, y: number, isOnCurve: boolean }} Point */

/** @returns {opentype.Font} the font; throws if its checksum is wrong */
function readFont() {
  const bytes = readFileSync(createRequire(import.meta.url).resolve(FONT_FILE));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 !== FONT_SHA256) throw new Error(`${FONT_FILE}: sha256 is ${sha256}, not ${FONT_SHA256}`);
  return opentype.parse(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/**
 * @param {opentype.PathCommand[]} commands closed contours of lines and quadratic curves
 * @param {number} scale font units to ours
 * @returns {Point[][]} contours, in integer units
 */
function toContours(commands, scale) {
  /** @type {Point[][]} */
  const contours = [];
  const add = (/** @type {number} */ x, /** @type {number} */ y, /** @type {boolean} */ isOnCurve) =>
    contours[contours.length - 1].push({ x: Math.round(x * scale), y: Math.round(y * scale), isOnCurve });
  for (const command of commands) {
    if (command.type === 'M') contours.push([]);
    if (command.type === 'C')
      throw new Error('the font has cubic curves, but only quadratic ones are supported');
    if (command.type === 'Q') add(command.x1, command.y1, false);
    if (command.type !== 'Z') add(command.x, command.y, true);
  }
  return contours;
}

/** @param {number} value @returns {number} 0, -1, 1, -2, … as 0, 1, 2, 3, … */
const zigzag = (value) => (value < 0 ? -2 * value - 1 : 2 * value);

/** @param {number[]} bytes @param {number} value */
function pushVarint(bytes, value) {
  for (; value > 127; value >>= 7) bytes.push((value & 127) | 128);
  bytes.push(value);
}

/** @param {number[]} bytes @param {opentype.Glyph} glyph @param {number} scale */
function packGlyph(bytes, glyph, scale) {
  const contours = toContours(glyph.path.commands, scale);
  pushVarint(bytes, Math.round((glyph.advanceWidth ?? 0) * scale));
  pushVarint(bytes, contours.length);
  let x = 0;
  let y = 0;
  for (const contour of contours) {
    pushVarint(bytes, contour.length);
    for (const point of contour) {
      pushVarint(bytes, zigzag(point.x - x) * 2 + Number(point.isOnCurve));
      pushVarint(bytes, zigzag(point.y - y));
      ({ x, y } = point);
    }
  }
}

/** @returns {string} the text of dist/font.js */
function makeModule() {
  const font = readFont();
  const scale = UNITS_PER_EM / font.unitsPerEm;
  /** @type {number[]} */
  const bytes = [];
  for (const [first, last] of RANGES) {
    for (let code = first; code <= last; code++) {
      packGlyph(bytes, font.charToGlyph(String.fromCodePoint(code)), scale);
    }
  }
  const capHeight = Math.round(font.charToGlyph('H').getBoundingBox().y2 * scale);
  return `// Made by tools/make-font.js from DejaVu Sans Condensed Bold (its licence: NOTICE).
export const UNITS_PER_EM = ${UNITS_PER_EM};
export const CAP_HEIGHT = ${capHeight};
export const GLYPHS =
  '${Buffer.from(bytes).toString('base64')}';
`;
}

const out = resolve(process.argv[2] ?? fileURLToPath(new URL('../dist/font.js', import.meta.url)));
mkdirSync(dirname(out), { recursive: true });
writeFileSync(`${out}.partial`, makeModule());
renameSync(`${out}.partial`, out);
