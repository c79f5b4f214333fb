// Sections -> one HTML page that needs no other file.
import { escapeXml } from '../../shared/text.js';

/** @typedef {import('./sections.js').Section} Section */

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #8884; text-align: right; }
th:first-child { text-align: left; }
.scroll { overflow-x: auto; }
figure { margin: 1rem 0; }
figure img, figure svg { max-width: 100%; height: auto; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem; }
`;

/**
 * @param {Section[]} sections
 * @param {import('./report.js').ReportAbout} about
 */
export function toHtml(sections, { dataset }) {
  const title = escapeXml(`Evaluation on ${dataset}`);
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${title}</title><style>${STYLE}</style></head><body>`,
    `<h1>${title}</h1>`,
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
    ...tables.map(toTable),
    ...plots.map(({ title: name, svg }) => `<figure aria-label="${escapeXml(name)}">${svg}</figure>`),
    ...(figures.length > 0 ? ['<div class="pictures">', ...figures, '</div>'] : []),
    '</section>',
  ].join('\n');
}

/** @param {import('./sections.js').Table} table */
function toTable({ title, columns, rows, isHeat }) {
  const highest = Math.max(1, ...rows.flatMap((row) => row.slice(1).map(Number)).filter(Number.isFinite));
  const cell = (/** @type {string} */ text) => {
    const share = isHeat ? Number(text) / highest : 0;
    const style = share > 0 ? ` style="background:rgb(0 114 178 / ${(0.1 + 0.6 * share).toFixed(2)})"` : '';
    return `<td${style}>${escapeXml(text)}</td>`;
  };
  const heads = columns.map((name) => `<th scope="col">${escapeXml(name)}</th>`).join('');
  const lines = rows.map(
    ([head, ...cells]) => `<tr><th scope="row">${escapeXml(head)}</th>${cells.map(cell).join('')}</tr>`,
  );
  return [
    `<div class="scroll"><table>${title ? `<caption>${escapeXml(title)}</caption>` : ''}<thead><tr>${heads}</tr></thead>`,
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
