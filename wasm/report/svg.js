// Writes plots as SVG text: lines, curves of shares, and bars. They are readable on light and dark pages, and on a phone.
import { escapeXml } from '../shared/text.js';
import { FONT, MOST_SERIES, SCHEMES } from './palette.js';
import { alignedLabels, roundTicks } from './ticks.js';

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {number[]} values one for each place on the x axis; one that is no number is left out
 * @property {boolean} [isDashed]
 * @property {number} color number of a series; they repeat
 *
 * @typedef {{name: string, isDashed?: boolean, color: number}} Key
 *
 * @typedef {object} Curve
 * @property {string} name
 * @property {[x: number, y: number][]} points in the unit square
 * @property {boolean} [isDashed]
 * @property {number} color
 *
 * @typedef {object} Bar
 * @property {string} name
 * @property {number} value
 * @property {number} [color] default: `accent` decides
 *
 * @typedef {{title?: string, bars: Bar[]}} Group
 *
 * @typedef {object} Area where a plot has its points
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 */

const WIDTH = 520;
const EDGE = 16;
const PLOT_HEIGHT = 220;
/** Of the texts on a phone: where the plot is narrower than NARROW, letters grow so far in the plot's own units. */
const NARROW_FONT = 16;
const NARROW = 440;
const ROW = 22;
const SWATCH = 22;
const TITLE_HEIGHT = 36;

const BAR = 18;
const BAR_ROW = 28;
const MOST_NAME = 256;

/** @param {import('./palette.js').Scheme} scheme */
const rulesOf = ({ card, ink, muted, line, accent, series }) =>
  [
    `.card{fill:${card}}text{fill:${ink}}.muted{fill:${muted}}.grid{stroke:${line}}.axis{stroke:${muted}}`,
    `.accent{fill:${accent}}.peer{fill:${muted}}`,
    ...series.map((color, i) => `.s${i}{stroke:${color}}.f${i}{fill:${color}}`),
  ].join('');

const STYLE = [
  `svg.plot text{font:13px ${FONT};font-variant-numeric:tabular-nums}svg.plot .head{font-weight:600}svg.plot .title{font-size:15px}`,
  `@media (max-width:${NARROW}px){svg.plot text{font-size:${NARROW_FONT}px}svg.plot .title{font-size:18px}}`,
  prefixed(rulesOf(SCHEMES.light)),
  `@media (prefers-color-scheme:dark){${prefixed(rulesOf(SCHEMES.dark))}}`,
].join('\n');

/** Rules for plots only: in a page, they would apply to all of it. @param {string} rules */
function prefixed(rules) {
  return rules.replaceAll('}', '}\n').trimEnd().replace(/^/gm, 'svg.plot ').replaceAll('\n', '');
}

/**
 * @param {string} title
 * @param {Line[]} lines
 * @param {object} [options]
 * @param {string} [options.x] what is counted, from 1
 * @param {string} [options.y] the unit of the values
 * @param {boolean} [options.isShare] the values are at most 1
 * @param {Key[]} [options.key] what the legend explains; default: each line
 */
export function linePlot(
  title,
  lines,
  { x: xLabel = 'epoch', y: yLabel, isShare = false, key = lines } = {},
) {
  const values = lines.flatMap((line) => line.values).filter(Number.isFinite);
  const ticks = roundTicks(...rangeOf(values));
  if (isShare) limit(ticks);
  const count = Math.max(1, ...lines.map((line) => line.values.length));
  const frame = makeFrame(title, key, ticks, yLabel);
  const { left, right } = frame.area;
  const x = (/** @type {number} */ i) =>
    count === 1 ? (left + right) / 2 : left + ((right - left) * i) / (count - 1);
  const drawn = lines.map(({ values: list, isDashed, color }) => {
    const points = list.flatMap((value, i) =>
      Number.isFinite(value) ? [/** @type {[number, number]} */ ([x(i), frame.y(value)])] : [],
    );
    return drawLine(points, color, isDashed);
  });
  const marks = count > 1 ? roundTicks(1, count, { isWhole: true }).values : [1];
  const places = marks.includes(1) || marks[0] < 3 ? marks : [1, ...marks];
  const axis = places.map((mark) => tick(x(mark - 1), frame.area, String(mark)));
  return frame.finish([...drawn, ...axis], xLabel);
}

/** Smaller differences, as a part of the greatest value, are those of rounding. */
const FLAT = 1e-6;

/** @param {number[]} values @returns {[least: number, most: number]} from 0 if they are not all far from it */
function rangeOf(values) {
  if (values.length === 0) return [0, 1];
  const [least, most] = [Math.min, Math.max].map((choose) => values.reduce((a, b) => choose(a, b)));
  const isFlat = most - least <= FLAT * Math.max(Math.abs(least), Math.abs(most));
  if (isFlat) return [Math.min(least, 0), Math.max(most, 0)];
  return least >= 0 && least < most / 2 ? [0, most] : [least, most];
}

/** Leaves out ticks above 1. @param {import('./ticks.js').Ticks} ticks */
function limit({ values, labels }) {
  while (values.length > 2 && /** @type {number} */ (values.at(-1)) > 1 + 1e-9) {
    values.pop();
    labels.pop();
  }
}

/**
 * Curves in the unit square.
 * @param {string} title
 * @param {{x: string, y: string}} axes
 * @param {Curve[]} curves
 */
export function curvePlot(title, { x: xLabel, y: yLabel }, curves) {
  const ticks = roundTicks(0, 1);
  const frame = makeFrame(title, curves, ticks, yLabel);
  const { left, right } = frame.area;
  const x = (/** @type {number} */ value) => left + (right - left) * value;
  const drawn = curves.map(({ points, isDashed, color }) => {
    const list = points.map(([at, value]) => /** @type {[number, number]} */ ([x(at), frame.y(value)]));
    return drawLine(list, color, isDashed);
  });
  const axis = ticks.values.map((mark, i) => tick(x(mark), frame.area, ticks.labels[i]));
  return frame.finish([...drawn, ...axis], xLabel);
}

/**
 * Bars from left to right, in groups one below the other.
 * @param {string} title with the unit
 * @param {Group[]} groups
 * @param {{accent?: number}} [options] the bar of each group that stands out; without it and colours, all do
 */
export function barPlot(title, groups, { accent } = {}) {
  const bars = groups.flatMap((group) => group.bars);
  const labels = alignedLabels(bars.map(({ value }) => value));
  const most = Math.max(...bars.map(({ value }) => value)) || 1;
  const left = EDGE + Math.min(MOST_NAME, Math.max(...bars.map(({ name }) => widthOf(name)))) + 8;
  const right = WIDTH - EDGE - Math.max(...labels.map(widthOf)) - 6;
  const parts = [];
  let y = TITLE_HEIGHT + 4;
  let number = 0;
  for (const { title: heading, bars: rows } of groups) {
    if (heading !== undefined) {
      parts.push(text(EDGE, y + 18, heading, { kind: 'head' }));
      y += BAR_ROW;
    }
    const top = y;
    for (const [i, { name, value, color }] of rows.entries()) {
      const width = Math.max(1, ((right - left) * value) / most);
      const kind =
        color !== undefined
          ? `f${color % MOST_SERIES}`
          : accent === undefined || accent === i
            ? 'accent'
            : 'peer';
      parts.push(
        text(EDGE, y + 14, name, { room: left - EDGE - 8 }),
        `<rect class="${kind}" x="${round(left)}" y="${round(y)}" width="${round(width)}" height="${BAR}" rx="2"/>`,
        text(left + width + 6, y + 14, labels[number++]),
      );
      y += BAR_ROW;
    }
    const axis = `x1="${round(left)}" x2="${round(left)}" y1="${round(top - 4)}" y2="${round(y - BAR_ROW + BAR + 4)}"`;
    parts.push(`<line class="axis" ${axis}/>`);
    y += 4;
  }
  return document(title, y + 4, parts);
}

/**
 * Title, legend, y axis and grid.
 * @param {string} title
 * @param {Key[]} series
 * @param {import('./ticks.js').Ticks} ticks
 * @param {string} [yLabel]
 */
function makeFrame(title, series, { values, labels }, yLabel) {
  const key = legend(series, TITLE_HEIGHT + 6);
  const top = key.bottom + (yLabel === undefined ? 10 : 30);
  const area = {
    left: EDGE + Math.max(...labels.map(widthOf)) + 8,
    right: WIDTH - EDGE - 8,
    top,
    bottom: top + PLOT_HEIGHT,
  };
  const [least, most] = [values[0], values[values.length - 1]];
  const y = (/** @type {number} */ value) => area.bottom - (PLOT_HEIGHT * (value - least)) / (most - least);
  const grid = values.flatMap((value, i) => [
    `<line class="${i === 0 ? 'axis' : 'grid'}" x1="${round(area.left)}" x2="${round(area.right)}" y1="${round(y(value))}" y2="${round(y(value))}"/>`,
    text(area.left - 8, y(value) + 5, labels[i], { kind: 'muted', anchor: 'end' }),
  ]);
  const unit = yLabel === undefined ? [] : [text(EDGE, top - 15, yLabel, { kind: 'muted' })];
  return {
    area,
    y,
    /** @param {string[]} parts @param {string} xLabel */
    finish(parts, xLabel) {
      const label = text((area.left + area.right) / 2, area.bottom + 44, xLabel, {
        kind: 'muted',
        anchor: 'middle',
      });
      return document(title, area.bottom + 56, [...key.parts, ...unit, ...grid, ...parts, label]);
    },
  };
}

/**
 * Names in rows, as many in a row as fit.
 * @param {Key[]} series
 * @param {number} top
 */
function legend(series, top) {
  const parts = [];
  let [x, y] = [EDGE, top];
  for (const { name, isDashed, color } of series) {
    const room = WIDTH - 2 * EDGE - SWATCH - 6;
    const width = SWATCH + 6 + Math.min(room, widthOf(name)) + 16;
    if (x > EDGE && x + width > WIDTH) [x, y] = [EDGE, y + ROW];
    parts.push(
      `<line class="s${color % MOST_SERIES}" x1="${round(x)}" x2="${round(x + SWATCH)}" y1="${y + 10}" y2="${y + 10}" stroke-width="3"${dashOf(isDashed)}/>`,
      text(x + SWATCH + 6, y + 15, name, { room }),
    );
    x += width;
  }
  return { parts, bottom: y + (series.length > 0 ? ROW : 0) };
}

/**
 * One point alone is a dot.
 * @param {[x: number, y: number][]} points
 * @param {number} color
 * @param {boolean} [isDashed]
 */
function drawLine(points, color, isDashed) {
  const number = color % MOST_SERIES;
  const list = points.map((point) => point.map(round).join(','));
  if (list.length === 1) {
    const [x, y] = list[0].split(',');
    return `<circle class="f${number}" cx="${x}" cy="${y}" r="4"/>`;
  }
  return `<polyline class="s${number}" points="${list.join(' ')}" fill="none" stroke-width="2" stroke-linejoin="round"${dashOf(isDashed)}/>`;
}

/** @param {boolean} [isDashed] */
const dashOf = (isDashed) => (isDashed ? ' stroke-dasharray="6 4"' : '');

/** A mark of the x axis. @param {number} x @param {Area} area @param {string} label */
function tick(x, { bottom }, label) {
  return text(x, bottom + 22, label, { kind: 'muted', anchor: 'middle' });
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;

/** Above every font's, for letters of NARROW_FONT: an estimate, because no font is at hand. @param {string} content */
function widthOf(content) {
  let width = 0;
  for (const character of content) width += character < '\u0300' ? 0.6 : 1.05;
  return width * NARROW_FONT;
}

/** The longest beginning that fits, with an ellipsis. @param {string} content @param {number} room */
function fit(content, room) {
  if (widthOf(content) <= room) return content;
  let shown = '';
  for (const character of content) {
    if (widthOf(`${shown}${character}…`) > room) break;
    shown += character;
  }
  return `${shown}…`;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {{kind?: string, anchor?: 'start' | 'middle' | 'end', room?: number}} [options] of a name: a longer one is cut, and
 *   shown whole by the pointer
 */
function text(x, y, content, { kind, anchor, room } = {}) {
  const shown = fit(content, room ?? WIDTH - 2 * EDGE);
  const attributes = [
    ...(kind ? [`class="${kind}"`] : []),
    `x="${round(x)}" y="${round(y)}"`,
    ...(anchor ? [`text-anchor="${anchor}"`] : []),
  ].join(' ');
  return `<text ${attributes}>${room === undefined ? '' : `<title>${escapeXml(content)}</title>`}${escapeXml(shown)}</text>`;
}

/**
 * @param {string} title
 * @param {number} height
 * @param {string[]} parts
 */
function document(title, height, parts) {
  const size = `width="${WIDTH}" height="${Math.ceil(height)}" viewBox="0 0 ${WIDTH} ${Math.ceil(height)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="plot" ${size} role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>\n${STYLE}\n</style>`,
    `<rect class="card" width="${WIDTH}" height="${Math.ceil(height)}" rx="8"/>`,
    text(EDGE, 28, title, { kind: 'head title' }),
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}
