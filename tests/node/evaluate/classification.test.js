// The figures of a classifier against their definitions, and its report.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  drawMisclassified,
  evaluateClassification,
  makeClassifierReport,
} from '../../../wasm/evaluate/index.js';
import { decodeImage } from '../../../wasm/platform/node.js';
import { encodePng } from '../../../wasm/draw/png.js';

const LABELS = ['a', 'b', 'c', 'd', 'e', '<f>', 'g'];
const TRUTH = [0, 1, 1, 5];
const ROWS = [
  [0.7, 0.1, 0.1, 0.1, 0, 0, 0],
  [0.6, 0.3, 0.1, 0, 0, 0, 0],
  [0.1, 0.85, 0.05, 0, 0, 0, 0],
  [0.3, 0.2, 0.15, 0.12, 0.11, 0.02, 0.1],
];

describe('a classifier', () => {
  const found = evaluateClassification(LABELS, TRUTH, ROWS);

  test('is measured', () => {
    assert.equal(found.accuracy, 0.5);
    assert.equal(found.top5, 0.75); // <f> is the seventh
    const loss = -(Math.log(0.7) + Math.log(0.3) + Math.log(0.85) + Math.log(0.02)) / 4;
    assert.ok(Math.abs(found.loss - loss) < 1e-12);
    // The bins of 0.7, 0.6, 0.85 and 0.3: right, wrong, right, wrong.
    assert.ok(Math.abs(Number(found.calibration?.error) - (0.3 + 0.6 + 0.15 + 0.3) / 4) < 1e-12);
    assert.deepEqual(found.classes[1], { label: 'b', precision: 1, recall: 0.5, examples: 2 });
    assert.deepEqual(found.confusion[1], [1, 1, 0, 0, 0, 0, 0]);
  });

  test('has a report with names escaped', () => {
    const files = makeClassifierReport(found, { model: '<m>', dataset: 'x', date: new Date(0) });
    assert.deepEqual(Object.keys(files), ['report.md', 'report.html', 'report.json', 'calibration.svg']);
    const text = String(files['report.md']);
    assert.ok(text.includes('4 images, 7 classes. 1970-01-01.'));
    // Of the classes that occur: a as a, b as a, b as b, <f> as a.
    const matrix = ['&lt;f&gt; | a | b', '&lt;f&gt; | 0 | 1 | 0', 'a | 0 | 1 | 0', 'b | 0 | 1 | 1'];
    for (const row of matrix) assert.ok(text.includes(`| ${row} |\n`), row);
    for (const name of ['report.md', 'report.html']) assert.ok(!/<[mf]>/.test(String(files[name])), name);
    assert.ok(String(files['report.html']).includes('<td>0.500</td><td>0.750</td>'));
    assert.equal(JSON.parse(String(files['report.json'])).accuracy, 0.5);
  });

  test('shows the images that are wrong, the least probable first', async () => {
    // As many grey levels as images, so that the picture tells which image it is.
    const images = TRUTH.map((truth, i) => ({
      name: `${i}<f>.png`,
      truth,
      probabilities: ROWS[i],
      read: () =>
        encodePng({ data: new Uint8Array(3 * 900 * 2).fill(50 * i), width: 900, height: 2, channels: 3 }),
    }));
    const worst = await drawMisclassified(LABELS, images, (bytes) => decodeImage(bytes));
    assert.deepEqual(
      worst.map(({ name, summary }) => [name, summary]),
      [
        ['3<f>.png', '<f> (0.020), found as a (0.300)'],
        ['1<f>.png', 'b (0.300), found as a (0.600)'],
      ],
    );
    const { data, width } = await decodeImage(worst[0].png);
    assert.deepEqual([data[0], width], [150, 450]); // at most 640 pixels wide
    const files = makeClassifierReport(found, { model: 'm', dataset: 'x', date: new Date(0) }, worst);
    assert.equal(files['worst-1.png'], worst[0].png);
    assert.ok(String(files['report.md']).includes('worst-2.png'));
    assert.ok(!String(files['report.html']).includes('<f>'));
    assert.equal(JSON.parse(String(files['report.json'])).worst[1].name, '1<f>.png');
  });

  for (const [width, height, factor] of [
    [640, 3, 1],
    [641, 3, 2],
    [5, 1281, 3],
    [1285, 7, 3],
  ])
    for (const channels of /** @type {const} */ ([3, 4]))
      test(`shows ${width} x ${height} pixels of ${channels} numbers as means of ${factor} x ${factor}`, async () => {
        const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * i * 7 + i) % 251);
        const image = { name: 'x', truth: 1, probabilities: ROWS[0], read: () => new Uint8Array() };
        const decode = async () => ({ data, width, height, channels });
        const [{ png }] = await drawMisclassified(LABELS, [image], decode);
        const small = await decodeImage(png);
        assert.deepEqual([small.width, small.height], [width, height].map((side) => Math.ceil(side / factor))); // prettier-ignore
        const [sums, counts] = [0, 1].map(() => new Float64Array(small.width * small.height * 3));
        data.forEach((value, at) => {
          const [channel, x, y] = [
            at % channels,
            Math.floor(at / channels) % width,
            Math.floor(at / channels / width),
          ];
          if (channel === 3) return;
          const to = (Math.floor(y / factor) * small.width + Math.floor(x / factor)) * 3 + channel;
          sums[to] += value;
          counts[to]++;
        });
        const expected = Array.from(sums, (sum, i) => Math.floor(sum / counts[i]));
        assert.deepEqual([...small.data], expected);
      });
});
