// A comparison of both networks as Markdown.

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
    `| ms a run, median, one thread | ${ms.float.toFixed(1)} | ${ms.quantized.toFixed(1)} |`,
    ...(detections
      ? [
          '',
          '## Detections',
          '',
          `- of the float network, found again: ${toShare(detections.before)}`,
          `- of the quantized network, found before: ${toShare(detections.after)}`,
          `- mean difference of scores: ${detections.scoreDifference.toFixed(4)}`,
        ]
      : []),
    '',
    '## Layers',
    '',
    '| tensor | computed in | signal to noise, dB |',
    '| --- | --- | ---: |',
    ...layers.map(
      ({ name, isInt8, signalToNoise }) =>
        `| ${escape(name)} | ${isInt8 ? 'int8' : 'float'} | ${signalToNoise.toFixed(1)} |`,
    ),
    '',
  ].join('\n');
}

/** @param {import('./detections.js').Matched} matched */
function toShare({ matched, found }) {
  return found === 0 ? 'none there' : `${matched} of ${found} (${((100 * matched) / found).toFixed(1)} %)`;
}

/** Names come from the file. @param {string} name */
function escape(name) {
  return name.replaceAll(/[|\\\p{Cc}]/gu, ' ').split(';')[0];
}
