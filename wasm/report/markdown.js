// Sections -> a Markdown document.
import { escapeMarkdown } from '../shared/text.js';
import { markdownTable } from './metrics.js';

/** @typedef {import('./html.js').Section} Section */

/**
 * @param {string} title
 * @param {Section[]} sections
 */
export function toMarkdown(title, sections) {
  const parts = sections.map(({ title: heading, texts = [], tables = [], plots = [], pictures = [] }) =>
    [
      `## ${escapeMarkdown(heading)}`,
      ...texts.map(escapeMarkdown),
      ...tables.map(({ title: name, columns, rows }) =>
        [...(name ? [`${escapeMarkdown(name)}:`, ''] : []), markdownTable(columns, rows).trimEnd()].join(
          '\n',
        ),
      ),
      ...[...plots, ...pictures].map(({ file, title: name }) => `![${escapeMarkdown(name)}](${file})`),
    ].join('\n\n'),
  );
  return `${[`# ${escapeMarkdown(title)}`, ...parts].join('\n\n')}\n`;
}
