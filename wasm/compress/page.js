// The comparison of a network before and after compression as one HTML page; report.js writes it as Markdown.
import { noiseOf } from '../quantize/page.js';
import { firstName, toDecibels } from '../quantize/report.js';
import { toHtml as writeHtml } from '../report/html.js';
import { formatBytes, plural } from '../shared/text.js';
import { answerRows, weightRows } from './report.js';

/** @typedef {import('./index.js').Report} Report */

/**
 * The comparison of a network before and after compression as an HTML page that needs no other file.
 * @param {Report} report
 */
export function toHtml({ layers, bytes, weights, images, task, answers }) {
  return writeHtml('Compression report', [
    {
      title: 'Overview',
      texts: [`Calibrated on ${plural(images, 'image')}.`],
      tables: [
        {
          columns: ['file', 'size'],
          rows: [
            ['before', formatBytes(bytes.float)],
            ['after', formatBytes(bytes.compressed)],
            ['after, gzipped', formatBytes(bytes.gzip)],
          ],
        },
        {
          columns: ['weights stored as', 'number', 'share'],
          rows: weightRows(weights),
        },
      ],
    },
    { title: 'Answers', tables: [{ columns: ['', ''], rows: answerRows(task, answers) }] },
    noiseOf(layers, {
      columns: ['tensor', 'signal-to-noise ratio'],
      rows: layers.map(({ name, signalToNoise }) => [firstName(name), toDecibels(signalToNoise)]),
    }),
  ]);
}
