// Writes the comparison of a network before and after compression as Markdown.
import { toCell, toShare } from '../quantize/report.js';

/** @typedef {import('./index.js').Report} Report */

/** @param {Report} report */
export function toMarkdown({ layers, bytes, weights, images, task, answers }) {
  const total = Object.values(weights).reduce((a, b) => a + b);
  return [
    '# Compression report',
    '',
    `Calibrated on ${images} images.`,
    '',
    '| file | bytes |',
    '| --- | ---: |',
    `| before | ${bytes.float} |`,
    `| after | ${bytes.compressed} |`,
    `| after, gzipped | ${bytes.gzip} |`,
    '',
    '| weights stored as | number | share |',
    '| --- | ---: | ---: |',
    ...Object.entries(weights).map(
      ([form, count]) => `| ${form} | ${count} | ${((100 * count) / total).toFixed(1)} % |`,
    ),
    '',
    '## Answers',
    '',
    ...describeAnswers(task, answers).map((line) => `- ${line}`),
    '',
    '## Layers',
    '',
    '| tensor | signal-to-noise ratio, dB |',
    '| --- | ---: |',
    ...layers.map(({ name, signalToNoise }) => `| ${toCell(name)} | ${signalToNoise.toFixed(1)} |`),
    '',
  ].join('\n');
}

/** @param {Report['task']} task @param {Report['answers']} answers @returns {string[]} */
export function describeAnswers(task, { share, difference, detections }) {
  const percent = `${(100 * share).toFixed(1)} %`;
  if (detections)
    return [
      `detections found again: ${toShare(detections.before)}`,
      `detections found before: ${toShare(detections.after)}`,
      `mean score difference: ${difference.toFixed(4)}`,
    ];
  if (task === 'classifier')
    return [`images with the same best class: ${percent}`, `mean score difference: ${difference.toFixed(5)}`];
  return [
    `mean cosine of the outputs: ${share.toFixed(5)}`,
    `mean relative difference: ${difference.toFixed(4)}`,
  ];
}
