// Sections -> one HTML page that needs no other file.
import { escapeXml } from '../shared/text.js';
import { FONT, SCHEMES } from './palette.js';

/**
 * @typedef {object} Section
 * @property {string} title
 * @property {string[]} [texts]
 * @property {Table[]} [tables]
 * @property {{file: string, title: string, svg: string}[]} [plots]
 * @property {{file: string, title: string, png: Uint8Array}[]} [pictures]
 *
 * @typedef {object} Table
 * @property {string} [title]
 * @property {string[]} columns
 * @property {string[][]} rows the first cell is a heading
 * @property {boolean} [isHeat] cells are numbers, shaded by their share of the row
 * @property {boolean} [isNoted] the last column is prose
 */

/** @param {import('./palette.js').Scheme} scheme */
const colorsOf = ({ paper, card, ink, muted, line }) =>
  `--paper: ${paper}; --card: ${card}; --ink: ${ink}; --muted: ${muted}; --line: ${line};`;

const STYLE = `
:root { color-scheme: light dark; ${colorsOf(SCHEMES.light)} }
@media (prefers-color-scheme: dark) { :root { ${colorsOf(SCHEMES.dark)} } }
* { box-sizing: border-box; }
body { font: 15px/1.5 ${FONT}; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.6rem; letter-spacing: -.02em; line-height: 1.2; margin: 0 0 1.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 0 0 1rem; padding: 1rem 1.25rem; }
p { margin: .25rem 0 .5rem; max-width: 48rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: .5rem -1.25rem 0; padding: 0 1.25rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
caption { color: var(--muted); text-align: left; padding: .25rem 0; }
th, td { padding: .3rem .75rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
thead th { color: var(--muted); font-weight: 500; vertical-align: bottom; }
tbody tr:last-child > * { border-bottom: 0; }
th:first-child { text-align: left; padding-left: 0; }
tbody th, thead th:first-child { position: sticky; left: 0; background: var(--card); box-shadow: -1.25rem 0 var(--card); }
tbody th { font-weight: 500; max-width: 40rem; overflow-wrap: anywhere; white-space: normal; }
.noted tr > :last-child { text-align: left; white-space: normal; min-width: 24rem; }
.heat td { text-align: center; padding: .3rem .4rem; min-width: 2.2rem; }
.heat thead th:not(:first-child) { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; padding: .4rem .3rem; }
.heat td.none { color: var(--muted); }
figure { margin: .5rem 0 0; min-width: 0; }
figure img, figure svg { display: block; max-width: 100%; height: auto; border-radius: 6px; }
figcaption { color: var(--muted); font-size: 13px; margin-top: .25rem; overflow-wrap: anywhere; }
.plots { display: grid; gap: .5rem 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); margin: 0 -1rem; }
.pictures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); }
@media (max-width: 440px) {
  body { padding: 1rem .5rem 2rem; }
  section { padding: .75rem; }
  .scroll { margin: .5rem -.75rem 0; padding: 0 .75rem; }
  .plots { margin: 0 -.5rem; }
  th, td { padding: .3rem .5rem; }
  tbody th { max-width: 12rem; min-width: 6rem; }
}
`;

/**
 * @param {string} title
 * @param {Section[]} sections
 */
export function toHtml(title, sections) {
  const shown = escapeXml(title);
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${shown}</title><style>${STYLE}</style></head><body>`,
    `<h1>${shown}</h1>`,
    ...sections.map(toSection),
    '</body></html>\n',
  ].join('\n');
}

/** @param {Section} section */
function toSection({ title, texts = [], tables = [], plots = [], pictures = [] }) {
  const figures = pictures.map(
    ({ title: name, png }) =>
      `<figure><img alt="${escapeXml(name)}" src="data:image/png;base64,${toBase64(png)}"><figcaption>${escapeXml(name)}</figcaption></figure>`,
  );
  return [
    `<section><h2>${escapeXml(title)}</h2>`,
    ...texts.map((text) => `<p>${escapeXml(text)}</p>`),
    ...(plots.length > 0
      ? ['<div class="plots">', ...plots.map(({ svg }) => `<figure>${svg}</figure>`), '</div>']
      : []),
    ...tables.map(toTable),
    ...(figures.length > 0 ? ['<div class="pictures">', ...figures, '</div>'] : []),
    '</section>',
  ].join('\n');
}

/** @param {Table} table */
function toTable({ title, columns, rows, isHeat, isNoted }) {
  const cell = (/** @type {string} */ text, /** @type {number} */ _, /** @type {string[]} */ cells) => {
    if (!isHeat) return `<td>${escapeXml(text)}</td>`;
    const share = Number(text) / cells.reduce((sum, other) => sum + Number(other), 0);
    if (!(share > 0)) return `<td class="none">${escapeXml(text)}</td>`;
    return `<td style="background:rgb(23 100 193 / ${(0.1 + 0.45 * share).toFixed(2)})">${escapeXml(text)}</td>`;
  };
  const kind = isHeat ? ' class="heat"' : isNoted ? ' class="noted"' : '';
  const heads = columns.map((name) => `<th scope="col">${escapeXml(name)}</th>`).join('');
  const lines = rows.map(
    ([head, ...cells]) => `<tr><th scope="row">${escapeXml(head)}</th>${cells.map(cell).join('')}</tr>`,
  );
  return [
    `<div class="scroll" tabindex="0"><table${kind}>${title ? `<caption>${escapeXml(title)}</caption>` : ''}<thead><tr>${heads}</tr></thead>`,
    `<tbody>${lines.join('\n')}</tbody></table></div>`,
  ].join('\n');
}

/** @param {Uint8Array} bytes */
function toBase64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 1 << 14)
    text += String.fromCharCode(...bytes.subarray(at, at + (1 << 14)));
  return btoa(text);
}
