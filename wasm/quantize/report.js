// Writes the comparison of float and quantized network as Markdown.
import { escapeMarkdown } from '../shared/text.js';

/** @typedef {import('./compare.js').Report} Report */

/** @param {Report} report */
export function toMarkdown({ layers, bytes, ms, images, detections }) {
  return [
    '# Quantization report',
    '',
    `Calibrated on ${images} images.`,
    '',
    '| | float | quantized |',
    '| --- | ---: | ---: |',
    `| bytes | ${bytes.float} | ${bytes.quantized} |`,
    `| ms per run (median, one thread) | ${ms.float.toFixed(1)} | ${ms.quantized.toFixed(1)} |`,
    ...(detections
      ? [
          '',
          '## Detections',
          '',
          `- float detections that the quantized network also finds: ${toShare(detections.before)}`,
          `- quantized detections that the float network also finds: ${toShare(detections.after)}`,
          `- mean score difference: ${detections.scoreDifference.toFixed(4)}`,
        ]
      : []),
    '',
    '## Layers',
    '',
    '| tensor | computed in | signal-to-noise ratio, dB |',
    '| --- | --- | ---: |',
    ...layers.map(
      ({ name, isInt8, signalToNoise }) =>
        `| ${toCell(name)} | ${isInt8 ? 'int8' : 'float'} | ${signalToNoise.toFixed(1)} |`,
    ),
    '',
  ].join('\n');
}

/** @param {import('./detections.js').Matched} matched */
export function toShare({ matched, found }) {
  return found === 0 ? 'no detections' : `${matched} of ${found} (${((100 * matched) / found).toFixed(1)} %)`;
}

/** @param {string} name of a tensor, which may list several layers */
export function toCell(name) {
  return escapeMarkdown(name.replaceAll(/[|\\]/g, ' ').split(';')[0]);
}
