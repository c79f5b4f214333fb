// Times -> a bar chart in SVG, readable on light and dark pages.

const WIDTH = 720;
const LABEL_WIDTH = 210;
const VALUE_WIDTH = 60;
const BAR = 20;
const ROW = 28;
const HEAD = 34;
/** The text's contrast with the page is at least 4.5 : 1. */
const STYLE = `
  text { font: 14px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600 }
  .peer { fill: #9aa4b2 } .ours { fill: #0a7f5a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .peer { fill: #6e7681 } .ours { fill: #3fb98c }
  }
`;

/** @param {string} text */
const escape = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/**
 * @param {{title: string, hosts: {title: string, rows: {engine: string, min_ms: number}[]}[]}} chart the first row of
 *   each host is ocelli
 */
export function drawBars({ title, hosts }) {
  const longest = Math.max(...hosts.flatMap(({ rows }) => rows.map((row) => row.min_ms)));
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / longest;
  let y = HEAD;
  /** @type {string[]} */
  const parts = [`<text class="head" x="0" y="20">${escape(title)}</text>`];
  for (const host of hosts) {
    parts.push(`<text class="head" x="0" y="${y + 20}">${escape(host.title)}</text>`);
    y += HEAD;
    host.rows.forEach(({ engine, min_ms }, i) => {
      const width = (min_ms * scale).toFixed(1);
      const end = (LABEL_WIDTH + min_ms * scale + 6).toFixed(1);
      parts.push(
        `<text x="0" y="${y + 15}">${escape(engine)}</text>`,
        `<rect class="${i === 0 ? 'ours' : 'peer'}" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
        `<text x="${end}" y="${y + 15}">${min_ms.toFixed(1)}</text>`,
      );
      y += ROW;
    });
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${STYLE}</style>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}
