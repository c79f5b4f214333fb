// Writes the comparison of float and quantized network as Markdown.
import { escapeMarkdown, plural } from '../shared/text.js';

/** @typedef {import('./compare.js').Report} Report */

/** @param {Report} report */
export function toMarkdown({ layers, bytes, ms, images, detections }) {
  return [
    '# Quantization report',
    '',
    `Calibrated on ${plural(images, 'image')}.`,
    '',
    '| | float | quantized |',
    '| --- | ---: | ---: |',
    `| bytes | ${bytes.float} | ${bytes.quantized} |`,
    `| ms per run (median, one thread) | ${ms.float.toFixed(1)} | ${ms.quantized.toFixed(1)} |`,
    ...(detections
      ? ['', '## Detections', '', ...detectionRows(detections).map((row) => `- ${row.join(': ')}`)]
      : []),
    '',
    '## Layers',
    '',
    '| tensor | computed in | signal-to-noise ratio |',
    '| --- | --- | ---: |',
    ...layers.map(
      ({ name, isInt8, signalToNoise }) =>
        `| ${toCell(name)} | ${isInt8 ? 'int8' : 'float'} | ${toDecibels(signalToNoise)} |`,
    ),
    '',
  ].join('\n');
}

/** @param {import('./detections.js').DetectionReport} detections @returns {[what: string, figure: string][]} */
export const detectionRows = ({ before, after, scoreDifference }) => [
  ['float detections that the quantized network also finds', toShare(before)],
  ['quantized detections that the float network also finds', toShare(after)],
  ['mean score difference', scoreDifference.toFixed(4)],
];

/** @param {number} ratio in dB */
export function toDecibels(ratio) {
  return ratio === Infinity ? 'no noise' : `${ratio.toFixed(1)} dB`;
}

/** @param {import('./detections.js').Matched} matched */
export function toShare({ matched, found }) {
  return found === 0 ? 'no detections' : `${matched} of ${found} (${((100 * matched) / found).toFixed(1)} %)`;
}

/** @param {string} name of a tensor, which may list several layers */
export const firstName = (name) => name.split(';')[0];

/** @param {string} name of a tensor */
export function toCell(name) {
  return escapeMarkdown(firstName(name).replaceAll(/[|\\]/g, ' '));
}
