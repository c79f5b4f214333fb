// Sections -> a Markdown document.
import { markdownTable } from '../../report/metrics.js';

/** @typedef {import('./sections.js').Section} Section */

/**
 * @param {Section[]} sections
 * @param {import('./report.js').ReportAbout} about
 */
export function toMarkdown(sections, { dataset }) {
  const parts = sections.map(({ title, texts = [], tables = [], plots = [], pictures = [] }) =>
    [
      `## ${escape(title)}`,
      ...texts.map(escape),
      ...tables.map(({ title: name, columns, rows }) =>
        [
          ...(name ? [`${escape(name)}:`, ''] : []),
          markdownTable(
            columns.map(escapeTags),
            rows.map((row) => row.map(escapeTags)),
          ).trimEnd(),
        ].join('\n'),
      ),
      ...[...plots, ...pictures].map(({ file, title: name }) => `![${escape(name)}](${file})`),
    ].join('\n\n'),
  );
  return `${[`# Evaluation on ${escape(dataset)}`, ...parts].join('\n\n')}\n`;
}

/** @param {string} text */
function escape(text) {
  return escapeTags(text.replace(/[\\`*_[\]#|]/g, '\\$&').replace(/\s+/g, ' '));
}

/** @param {string} text */
function escapeTags(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
