// Writes plots as SVG text: lines over epochs, curves of shares, and bars.
import { escapeXml } from '../shared/text.js';

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {number[]} values one for each epoch
 * @property {boolean} [isDashed]
 * @property {number} color index into COLORS, which repeat
 */

const WIDTH = 800;
const HEIGHT = 400;
const LEFT = 84;
const RIGHT = 256;
const TOP = 44;
const BOTTOM = 48;
const TICKS = 5;
/** Longer texts would leave the plot. */
const MAX_TEXT = 100;
// The palette of Okabe and Ito, which people with colour vision deficiency can tell apart.
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];

/**
 * @param {string} title
 * @param {Line[]} lines
 */
export function linePlot(title, lines) {
  const values = lines.flatMap((line) => line.values);
  const scale = makeScale(Math.min(...values), Math.max(...values));
  const epochs = Math.max(...lines.map((line) => line.values.length));
  const x = (/** @type {number} */ epoch) =>
    LEFT + ((WIDTH - LEFT - RIGHT) * epoch) / Math.max(epochs - 1, 1);
  const drawn = lines.map(({ values: list, isDashed, color }) => {
    const points = list.map((value, epoch) => `${round(x(epoch))},${round(scale.y(value))}`).join(' ');
    const dots =
      list.length > 1
        ? ''
        : `<circle cx="${x(0)}" cy="${round(scale.y(list[0]))}" r="3" fill="${colorOf(color)}"/>`;
    return `<polyline points="${points}" fill="none" stroke="${colorOf(color)}" stroke-width="2"${dashOf(isDashed)}/>${dots}`;
  });
  const marks = [...new Set([0, Math.floor((epochs - 1) / 2), epochs - 1])];
  const axis = marks.map((epoch) => text(x(epoch), HEIGHT - BOTTOM + 18, String(epoch + 1), 'middle'));
  return document(title, [...scale.grid, ...drawn, ...legend(lines), ...axis, axisLabel('epoch')]);
}

/**
 * Curves in the unit square.
 * @param {string} title
 * @param {string} xLabel
 * @param {{name: string, points: [x: number, y: number][], isDashed?: boolean, color: number}[]} curves
 */
export function curvePlot(title, xLabel, curves) {
  const scale = makeScale(0, 1);
  const x = (/** @type {number} */ value) => LEFT + (WIDTH - LEFT - RIGHT) * value;
  const drawn = curves.map(({ points, isDashed, color }) => {
    const list = points.map(([at, value]) => `${round(x(at))},${round(scale.y(value))}`).join(' ');
    return `<polyline points="${list}" fill="none" stroke="${colorOf(color)}" stroke-width="2"${dashOf(isDashed)}/>`;
  });
  const axis = [0, 0.25, 0.5, 0.75, 1].map((mark) =>
    text(x(mark), HEIGHT - BOTTOM + 18, formatTick(mark), 'middle'),
  );
  return document(title, [...scale.grid, ...drawn, ...legend(curves), ...axis, axisLabel(xLabel)]);
}

/** @param {{name: string, isDashed?: boolean, color: number}[]} lines */
function legend(lines) {
  return lines.map(({ name, isDashed, color }, i) => {
    const y = TOP + 8 + 20 * i;
    const [from, to] = [WIDTH - RIGHT + 16, WIDTH - RIGHT + 44];
    const stroke = `<line x1="${from}" x2="${to}" y1="${y}" y2="${y}" stroke="${colorOf(color)}" stroke-width="2"${dashOf(isDashed)}/>`;
    return stroke + text(to + 6, y + 4, name);
  });
}

/** @param {boolean} [isDashed] */
function dashOf(isDashed) {
  return isDashed ? ' stroke-dasharray="6 4"' : '';
}

/** @param {string} label */
function axisLabel(label) {
  return text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, label, 'middle');
}

/**
 * @param {string} title
 * @param {string} unit
 * @param {{name: string, value: number}[]} bars
 */
export function barPlot(title, unit, bars) {
  const scale = makeScale(0, Math.max(...bars.map(({ value }) => value)));
  const slot = (WIDTH - LEFT - 24) / bars.length;
  const drawn = bars.flatMap(({ name, value }, i) => {
    const [x, y] = [LEFT + slot * (i + 0.2), scale.y(value)];
    const height = HEIGHT - BOTTOM - y;
    const middle = x + slot * 0.3;
    return [
      `<rect x="${round(x)}" y="${round(y)}" width="${round(slot * 0.6)}" height="${round(height)}" fill="${colorOf(i)}"/>`,
      text(middle, y - 6, formatTick(value), 'middle'),
      text(middle, HEIGHT - BOTTOM + 18, name, 'middle'),
    ];
  });
  return document(`${title} (${unit})`, [
    ...scale.grid.map((line) => line.replaceAll(`x2="${WIDTH - RIGHT}"`, `x2="${WIDTH - 24}"`)),
    ...drawn,
  ]);
}

/**
 * @param {number} least
 * @param {number} most
 */
function makeScale(least, most) {
  const span = most > least ? most - least : Math.abs(most) || 1;
  const y = (/** @type {number} */ value) =>
    HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * (value - least)) / span;
  const grid = Array.from({ length: TICKS }, (_, i) => {
    const value = least + (span * i) / (TICKS - 1);
    const at = round(y(value));
    const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#ddd"/>`;
    return line + text(LEFT - 8, at + 4, formatTick(value), 'end');
  });
  return { y, grid };
}

/** @param {number} color */
const colorOf = (color) => COLORS[color % COLORS.length];
/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;

/** @param {number} value */
function formatTick(value) {
  if (value === 0) return '0';
  return Math.abs(value) < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {'start' | 'middle' | 'end'} [anchor]
 */
function text(x, y, content, anchor = 'start') {
  const shown = content.length > MAX_TEXT ? `${content.slice(0, MAX_TEXT)}…` : content;
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escapeXml(shown)}</text>`;
}

/**
 * @param {string} title
 * @param {string[]} parts
 */
function document(title, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
      'font-family="sans-serif" font-size="12" fill="#222">',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<g font-size="15" font-weight="bold">${text(LEFT, 24, title)}</g>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}
