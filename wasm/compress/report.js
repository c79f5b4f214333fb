// Writes the comparison of a network before and after compression as Markdown.
import { toCell, toDecibels, toShare } from '../quantize/report.js';
import { plural } from '../shared/text.js';

/** @typedef {import('./index.js').Report} Report */

/** @param {Report} report */
export function toMarkdown({ layers, bytes, weights, images, task, answers }) {
  return [
    '# Compression report',
    '',
    `Calibrated on ${plural(images, 'image')}.`,
    '',
    '| file | bytes |',
    '| --- | ---: |',
    `| before | ${bytes.float} |`,
    `| after | ${bytes.compressed} |`,
    `| after, gzipped | ${bytes.gzip} |`,
    '',
    '| weights stored as | number | share |',
    '| --- | ---: | ---: |',
    ...weightRows(weights).map((row) => `| ${row.join(' | ')} |`),
    '',
    '## Answers',
    '',
    ...describeAnswers(task, answers).map((line) => `- ${line}`),
    '',
    '## Layers',
    '',
    '| tensor | signal-to-noise ratio |',
    '| --- | ---: |',
    ...layers.map(({ name, signalToNoise }) => `| ${toCell(name)} | ${toDecibels(signalToNoise)} |`),
    '',
  ].join('\n');
}

/** How many weights have each form. @param {Report['weights']} weights @returns {string[][]} */
export function weightRows(weights) {
  const total = Object.values(weights).reduce((a, b) => a + b);
  return Object.entries(weights).map(([form, count]) => [
    form,
    String(count),
    `${((100 * count) / total).toFixed(1)} %`,
  ]);
}

/** @param {Report['task']} task @param {Report['answers']} answers @returns {string[]} */
export function describeAnswers(task, answers) {
  return answerRows(task, answers).map((row) => row.join(': '));
}

/** @param {Report['task']} task @param {Report['answers']} answers @returns {[what: string, figure: string][]} */
export function answerRows(task, { share, difference, detections }) {
  const percent = `${(100 * share).toFixed(1)} %`;
  if (detections)
    return [
      ['detections found again', toShare(detections.before)],
      ['detections found before', toShare(detections.after)],
      ['mean score difference', difference.toFixed(4)],
    ];
  if (task === 'classifier')
    return [
      ['images with the same best class', percent],
      ['mean score difference', difference.toFixed(5)],
    ];
  return [
    ['mean cosine of the outputs', share.toFixed(5)],
    ['mean relative difference', difference.toFixed(4)],
  ];
}
