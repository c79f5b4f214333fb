// Runs of a detector on a data set, and the reports of them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode } from 'fast-png';
import { encodePng } from '../../../wasm/draw/png.js';
import {
  evaluateDetections,
  makeEvaluationReport,
  readDataset,
  runDetector,
} from '../../../wasm/evaluate/index.js';
import { differenceOf } from '../../../wasm/evaluate/measure/bootstrap.js';
import { drawWorst } from '../../../wasm/evaluate/report/worst.js';

/** @param {number} width @param {number} height */
const photo = (width, height) =>
  encodePng({ data: new Uint8Array(width * height * 3).fill(200), width, height, channels: 3 });

const EVIL = '<script>alert("x")</script>|`';
const TRUTH = {
  images: ['a', 'b', 'c'].map((name, id) => ({ id, file_name: `${name}.png`, width: 100, height: 60 })),
  categories: [
    { id: 1, name: EVIL },
    { id: 2, name: 'dog' },
    { id: 3, name: 'unicorn' },
  ],
  annotations: [
    { id: 1, image_id: 0, category_id: 1, bbox: [10, 10, 30, 30], area: 900, iscrowd: 0 },
    { id: 2, image_id: 1, category_id: 2, bbox: [20, 10, 30, 30], area: 900, iscrowd: 0 },
    { id: 3, image_id: 2, category_id: 3, bbox: [20, 10, 30, 30], area: 900, iscrowd: 0 },
  ],
};
const LABELS = [{ name: 'car' }, { name: EVIL }, { name: 'Dog' }];

/** @param {string[]} [names] of the pictures */
const dataset = (names = ['a', 'b', 'c']) =>
  readDataset({
    'annotations.json': new TextEncoder().encode(JSON.stringify(TRUTH)),
    ...Object.fromEntries(names.map((name) => [`${name}.png`, photo(100, 60)])),
  });

/** A detector that finds the same in every picture, which has this size. */
function fakeDetector(size = { width: 100, height: 60 }) {
  let runs = 0;
  return {
    labels: LABELS,
    get runs() {
      return runs;
    },
    /** @param {unknown} _image @param {object} options */
    async detect(_image, options) {
      assert.ok('scoreThreshold' in options);
      runs++;
      const detections = [
        { labelId: 0, score: 0.95, box: { x: 0, y: 0, width: 9, height: 9 } },
        { labelId: 1, score: 0.9, box: { x: 10, y: 10, width: 30, height: 30 } },
        { labelId: 2, score: 0.2, box: { x: 20, y: 10, width: 30, height: 30 } },
      ];
      return { detections, size, ms: { decode: 1, network: 2 } };
    },
  };
}

describe('runDetector', () => {
  test('keeps the classes that the data set and the model share, and lists the others', async () => {
    const {
      detections,
      dataset: found,
      unmatched,
      msPerImage,
      notes,
    } = await runDetector(fakeDetector(), await dataset());
    assert.equal(detections.length, 6);
    assert.deepEqual(detections[0], { image_id: 0, category_id: 1, score: 0.9, bbox: [10, 10, 30, 30] });
    assert.deepEqual(unmatched, { categories: ['unicorn'], labels: ['car'] });
    assert.equal(found.groundTruth.annotations.length, 2);
    assert.equal(msPerImage, 3);
    assert.deepEqual(notes, []);
  });

  test('reports progress, stops, and resumes', async () => {
    const detector = fakeDetector();
    const controller = new AbortController();
    /** @type {any[]} */
    const done = [];
    /** @type {any[]} */
    const progress = [];
    const first = runDetector(detector, await dataset(), {
      signal: controller.signal,
      onImage: (result) => {
        done.push(result);
      },
      onProgress: (at) => {
        progress.push(at);
        if (at.done === 2) controller.abort();
      },
    });
    await assert.rejects(first, { name: 'AbortError' });
    assert.deepEqual(
      progress.map(({ done: count, total }) => [count, total]),
      [
        [1, 3],
        [2, 3],
      ],
    );
    assert.ok(progress[0].secondsLeft >= 0);
    const resumed = await runDetector(detector, await dataset(), { done: JSON.parse(JSON.stringify(done)) });
    assert.equal(detector.runs, 3);
    assert.deepEqual(resumed.detections, (await runDetector(fakeDetector(), await dataset())).detections);
  });

  test('refuses missing pictures, or leaves them out', async () => {
    const some = await dataset(['a', 'c']);
    await assert.rejects(runDetector(fakeDetector(), some), {
      code: 'DATASET_INCOMPLETE',
      message: /1 of 3 .*'b\.png'/,
    });
    const {
      detections,
      dataset: found,
      notes,
    } = await runDetector(fakeDetector(), some, { allowMissing: true });
    assert.equal(detections.length, 4);
    assert.equal(found.groundTruth.images.length, 2);
    assert.equal(notes[0].code, 'NO_PICTURE');
    await assert.rejects(runDetector(fakeDetector(), await dataset([]), { allowMissing: true }), {
      code: 'DATASET_INCOMPLETE',
    });
  });

  test('notes pictures of another size, and names a picture that cannot be read', async () => {
    const detector = fakeDetector({ width: 50, height: 30 });
    const { notes } = await runDetector(detector, await dataset());
    assert.deepEqual(
      notes.map(({ code, count }) => [code, count]),
      [['SIZE_DIFFERS', 3]],
    );
    const broken = { ...fakeDetector(), detect: () => Promise.reject(new Error('no image')) };
    await assert.rejects(runDetector(broken, await dataset()), /a\.png: no image/);
  });
});

describe('a report', async () => {
  const { detections, dataset: found } = await runDetector(fakeDetector(), await dataset());
  const evaluation = evaluateDetections(found.groundTruth, detections, { bootstrap: 50, threshold: 0.5 });
  const decodePhoto = async (/** @type {Uint8Array} */ bytes) => /** @type {any} */ (decode(bytes));
  const worst = await drawWorst(evaluation, found, detections, decodePhoto);
  const unmatched = { categories: ['unicorn'], labels: ['car'] };
  const run = { name: EVIL, evaluation, worst, unmatched, msPerImage: 3, sizeBytes: 1 << 20 };
  const files = makeEvaluationReport([run, { ...run, name: 'other' }], {
    dataset: EVIL,
    format: 'COCO',
    date: new Date(0),
  });
  const html = String(files['report.html']);

  test('is one page that needs no other file, with names escaped', () => {
    assert.ok(!html.includes('<script'));
    assert.doesNotMatch(
      html.replaceAll('xmlns="http://www.w3.org/2000/svg"', ''),
      /https?:|src="(?!data:)|href=/,
    );
    for (const title of [
      'Overview',
      'Figures',
      'Kinds of errors',
      'Classes',
      'Curves',
      'Confusion',
      'Images with most errors',
      'Notes',
    ])
      assert.ok(html.includes(`<h2>${title}`), title);
    assert.ok(html.includes('unicorn'));
  });

  test('says the figures in Markdown and JSON too', () => {
    const markdown = String(files['report.md']);
    assert.ok(!markdown.includes('<script'));
    const shown = evaluation.coco.AP?.toFixed(3);
    assert.ok(markdown.includes(`| ${shown} |`) && html.includes(`<td>${shown}</td>`));
    for (const [, file] of markdown.matchAll(/\]\(([^)]*)\)/g)) assert.ok(file in files, file);
    const { runs } = JSON.parse(String(files['report.json']));
    assert.equal(runs[0].evaluation.coco.AP, evaluation.coco.AP);
    assert.equal(runs.length, 2);
  });

  test('has the images with most errors, drawn in the colours that it explains', () => {
    // Above the threshold, the first class is found in a.png, and wrongly in b.png and c.png.
    assert.deepEqual(
      worst.map(({ name }) => name),
      ['b.png', 'c.png'],
    );
    const { data, width, height } = decode(worst[1].png);
    assert.deepEqual([width, height], [100, 60]);
    const colors = new Set();
    for (let i = 0; i < data.length; i += 3) colors.add(data.slice(i, i + 3).join());
    assert.ok(colors.has('255,90,80'));
    assert.ok(html.includes(Buffer.from(worst[0].png).toString('base64')));
  });

  test('compares models on the same images', () => {
    const { interval } = {
      interval: differenceOf({ AP: 0.5, draws: [0.4, 0.5, 0.6] }, { AP: 0.6, draws: [0.5, 0.6, 0.7] }),
    };
    assert.deepEqual(
      interval?.map((value) => value.toFixed(9)),
      ['0.100000000', '0.100000000'],
    );
    assert.equal(differenceOf({ AP: null, draws: [] }, { AP: 1, draws: [] }), null);
    assert.match(html, /Difference of AP/);
  });

  test('can be made without intervals, pictures, objects and other measures', () => {
    const empty = evaluateDetections({ images: [], categories: [], annotations: [] }, [], { measures: [] });
    const made = makeEvaluationReport([{ name: 'x', evaluation: empty }], {
      dataset: 'y',
      date: new Date(0),
    });
    assert.deepEqual(Object.keys(made), ['report.md', 'report.html', 'report.json']);
  });
});
