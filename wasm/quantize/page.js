// The comparison of float and quantized network as one HTML page; report.js writes it as Markdown.
import { toHtml as writeHtml } from '../report/html.js';
import { linePlot } from '../report/svg.js';
import { formatBytes, plural } from '../shared/text.js';
import { detectionRows, firstName, toDecibels } from './report.js';

/**
 * @typedef {import('./compare.js').Report} Report
 * @typedef {import('../report/html.js').Section} Section
 */

/**
 * The comparison of float and quantized network as an HTML page that needs no other file.
 * @param {Report} report
 */
export function toHtml({ layers, bytes, ms, images, detections }) {
  const int8 = layers.filter(({ isInt8 }) => isInt8).length;
  return writeHtml('Quantization report', [
    {
      title: 'Overview',
      texts: [
        `Calibrated on ${plural(images, 'image')}. ${int8} of ${plural(layers.length, 'tensor')} are computed in 8 bits.`,
      ],
      tables: [
        {
          columns: ['', 'float', 'quantized'],
          rows: [
            ['size', formatBytes(bytes.float), formatBytes(bytes.quantized)],
            [
              'time of a run, median, one thread',
              `${ms.float.toFixed(1)} ms`,
              `${ms.quantized.toFixed(1)} ms`,
            ],
          ],
        },
      ],
    },
    ...(detections
      ? [{ title: 'Detections', tables: [{ columns: ['', ''], rows: detectionRows(detections) }] }]
      : []),
    noiseOf(layers, {
      columns: ['tensor', 'computed in', 'signal-to-noise ratio'],
      rows: layers.map(({ name, isInt8, signalToNoise }) => [
        firstName(name),
        isInt8 ? 'int8' : 'float',
        toDecibels(signalToNoise),
      ]),
    }),
  ]);
}

/**
 * Each tensor's signal-to-noise ratio, as a plot and a table.
 * @param {import('./compare.js').LayerReport[]} layers
 * @param {import('../report/html.js').Table} table
 * @returns {Section}
 */
export function noiseOf(layers, table) {
  const title = 'Signal-to-noise ratio of each tensor';
  const values = layers.map(({ signalToNoise }) => signalToNoise);
  const svg = linePlot(title, [{ name: 'tensors in the order of execution', values, color: 0 }], {
    x: 'number of the tensor',
    y: 'dB, more is better',
  });
  return { title: 'Layers', plots: [{ file: 'noise.svg', title, svg }], tables: [table] };
}
