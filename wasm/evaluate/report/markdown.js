// Sections -> a Markdown document.
import { markdownTable } from '../../report/metrics.js';
import { escapeMarkdown } from '../../shared/text.js';

/** @typedef {import('./sections.js').Section} Section */

/**
 * @param {Section[]} sections
 * @param {import('./report.js').ReportAbout} about
 */
export function toMarkdown(sections, { dataset }) {
  const parts = sections.map(({ title, texts = [], tables = [], plots = [], pictures = [] }) =>
    [
      `## ${escapeMarkdown(title)}`,
      ...texts.map(escapeMarkdown),
      ...tables.map(({ title: name, columns, rows }) =>
        [...(name ? [`${escapeMarkdown(name)}:`, ''] : []), markdownTable(columns, rows).trimEnd()].join(
          '\n',
        ),
      ),
      ...[...plots, ...pictures].map(({ file, title: name }) => `![${escapeMarkdown(name)}](${file})`),
    ].join('\n\n'),
  );
  return `${[`# Evaluation on ${escapeMarkdown(dataset)}`, ...parts].join('\n\n')}\n`;
}
