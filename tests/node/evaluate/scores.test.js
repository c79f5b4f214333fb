// Calibration, thresholds, intervals and confusion against their definitions, and what the judge refuses.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { evaluateDetections } from '../../../wasm/evaluate/index.js';
import { bootstrap, weightedAp } from '../../../wasm/evaluate/measure/bootstrap.js';
import { bestThreshold, calibrate, thresholdForPrecision } from '../../../wasm/evaluate/measure/scores.js';
import { measureCoco } from '../../../wasm/evaluate/measure/coco.js';
import { tabulate } from '../../../wasm/evaluate/measure/table.js';

const CASE = new URL('../../data/evaluate/5.json.gz', import.meta.url);
const { truth: TRUTH, detections: DETECTIONS } = JSON.parse(gunzipSync(readFileSync(CASE)).toString());

/** @typedef {[number, number, number, number]} Box */

/** One class, objects of 10 x 10 pixels at these x in image 1. @param {number[]} xs */
const truthAt = (xs) => ({
  images: [{ id: 1, file_name: 'a.jpg' }],
  categories: [{ id: 7, name: 'cat' }],
  annotations: xs.map((x, i) => ({
    id: i + 1,
    image_id: 1,
    category_id: 7,
    bbox: /** @type {Box} */ ([x, 0, 10, 10]),
  })),
});

/** @param {[x: number, score: number][]} rows */
const foundAt = (rows) =>
  rows.map(([x, score]) => ({
    image_id: 1,
    category_id: 7,
    bbox: /** @type {Box} */ ([x, 0, 10, 10]),
    score,
  }));

describe('thresholds', () => {
  // true, false, true, true of equal score, false; 4 objects
  const truth = truthAt([0, 100, 200, 300]);
  const found = foundAt([
    [0, 0.9],
    [50, 0.8],
    [100, 0.6],
    [200, 0.6],
    [60, 0.2],
  ]);

  test('the best F1 lies between two scores', () => {
    const { thresholds, classes } = evaluateDetections(truth, found, { precision: 0.9 });
    assert.deepEqual(thresholds?.bestF1, { threshold: 0.4, precision: 0.75, recall: 0.75, f1: 0.75 });
    assert.deepEqual(classes[0].bestF1, thresholds?.bestF1);
    assert.equal(thresholds?.forPrecision?.recall, 0.25);
    assert.ok(Math.abs((thresholds?.forPrecision?.threshold ?? 0) - 0.85) < 1e-12);
  });

  test('between neighbours of the floats: the lower one', () => {
    for (const ulps of [0, 1, 2]) {
      const [high, low] = [ulps, ulps + 1].map((n) => 1 - n * 2 ** -53);
      const scored = { score: [high, low], isHit: [1, 0], row: [0, 1] };
      assert.equal(bestThreshold(/** @type {any} */ (scored), 1)?.threshold, low);
    }
  });

  test('every threshold shows the detections that it promises', () => {
    const { classes } = evaluateDetections(TRUTH, DETECTIONS);
    for (const { id, bestF1, detections } of classes) {
      if (!bestF1) continue;
      const shown = DETECTIONS.filter(
        (/** @type {any} */ each) => each.category_id === id && each.score > bestF1.threshold,
      );
      const { classes: again } = evaluateDetections(TRUTH, shown);
      const same = again.find((each) => each.id === id);
      assert.ok(shown.length <= detections);
      assert.ok(Math.abs((same?.bestF1?.f1 ?? 0) - bestF1.f1) < 1e-12);
    }
  });

  test('are null if nothing is found, or there is nothing to find', () => {
    assert.equal(evaluateDetections(truth, foundAt([[50, 0.8]])).thresholds?.bestF1, null);
    assert.equal(evaluateDetections(truthAt([]), found).thresholds?.bestF1, null);
  });

  test('work with equal, negative and zero scores', () => {
    for (const score of [0, -2, 1]) {
      const { thresholds } = evaluateDetections(
        truth,
        foundAt([
          [0, score],
          [100, score],
        ]),
      );
      assert.ok(Number(thresholds?.bestF1?.threshold) < score);
      assert.equal(thresholds?.bestF1?.recall, 0.5);
    }
  });
});

test('of no, one and two objects: thresholds and calibration', () => {
  const none = { score: Float64Array.of(), isHit: Uint8Array.of() };
  const one = { score: Float64Array.of(0.5), isHit: Uint8Array.of(1) };
  for (const positives of [0, 1, 2]) {
    const isFound = positives > 0;
    const threshold = { threshold: 0.25, precision: 1, recall: 1 / positives, f1: 2 / (1 + positives) };
    for (const choose of [
      bestThreshold,
      (/** @type {any} */ scored, /** @type {number} */ count) => thresholdForPrecision(scored, count, 1),
    ]) {
      assert.equal(choose(none, positives), null);
      assert.deepEqual(choose(one, positives), isFound ? threshold : null);
    }
  }
  assert.deepEqual([calibrate(none)?.error, calibrate(one)?.error], [null, 0.5]);
});

describe('calibration', () => {
  test('is the weighted mean of |precision - score| over ten bins', () => {
    const found = foundAt([
      [0, 0.95],
      [50, 0.91],
      [100, 0.31],
      [60, 1],
    ]);
    const { calibration } = evaluateDetections(truthAt([0, 100]), found);
    // Bin 0.9 to 1: scores 0.95, 0.91 and 1, one of three right; bin 0.3 to 0.4: one right of 0.31.
    const expected = (Math.abs(0.95 + 0.91 + 1 - 1) + Math.abs(0.31 - 1)) / 4;
    assert.ok(Math.abs((calibration?.error ?? 0) - expected) < 1e-12);
    assert.deepEqual(
      calibration?.bins.map(({ count }) => count),
      [0, 0, 0, 1, 0, 0, 0, 0, 0, 3],
    );
    assert.deepEqual(
      calibration?.bins.map(({ precision }) => precision),
      [null, null, null, 1, null, null, null, null, null, 1 / 3],
    );
  });

  test('is null for scores that are no probabilities', () => {
    assert.equal(evaluateDetections(truthAt([0]), foundAt([[0, 1.5]])).calibration, null);
  });
});

describe('intervals', () => {
  test('an image with weight n counts as n copies of it', () => {
    const table = tabulate(TRUTH, DETECTIONS);
    const { matches } = measureCoco(table);
    const weights = Int32Array.from(table.images, (_, i) => (i * 7) % 4);
    const copyId = (/** @type {number} */ id, /** @type {number} */ copy) => `${id} ${copy}`;
    const copies = (/** @type {any[]} */ list, /** @type {(entry: any) => number} */ imageOf) =>
      list.flatMap((entry) =>
        Array.from(
          { length: weights[table.images.findIndex(({ id }) => id === imageOf(entry))] },
          (_, copy) => ({ entry, copy }),
        ),
      );
    const images = copies(TRUTH.images, ({ id }) => id).map(({ entry, copy }) => ({
      id: copyId(entry.id, copy),
    }));
    const annotations = copies(TRUTH.annotations, ({ image_id: id }) => id).map(({ entry, copy }, i) => ({
      ...entry,
      id: i + 1,
      image_id: copyId(entry.image_id, copy),
    }));
    // Scores that all differ: the order of equal scores depends on the names of the images.
    const detections = copies(DETECTIONS, ({ image_id: id }) => id).map(({ entry, copy }) => ({
      ...entry,
      image_id: copyId(entry.image_id, copy),
      score: entry.score + DETECTIONS.indexOf(entry) * 1e-7,
    }));
    const single = DETECTIONS.map((/** @type {any} */ entry, /** @type {number} */ i) => ({
      ...entry,
      score: entry.score + i * 1e-7,
    }));
    const { classes } = evaluateDetections(
      { ...TRUTH, images, annotations, imageLabels: undefined },
      detections,
      { measures: [] },
    );
    const drawn = measureCoco(tabulate(TRUTH, single)).matches;
    assert.equal(drawn.length, matches.length);
    let compared = 0;
    for (const [k, { coco }] of classes.entries()) {
      const image = drawn[k].rows.map((row) => table.found.image[row]);
      const ap = weightedAp({ ...drawn[k], image }, weights);
      assert.equal(ap === undefined, coco.AP === null);
      if (ap === undefined) continue;
      compared++;
      assert.ok(Math.abs(ap.AP - Number(coco.AP)) < 1e-9, `${ap.AP}, not ${coco.AP}`);
    }
    assert.ok(compared > 0);
  });

  test('hold the AP, depend on the seed only, and shrink with more images', () => {
    const options = { bootstrap: 200, seed: 3, measures: /** @type {const} */ ([]) };
    const { intervals, coco } = evaluateDetections(TRUTH, DETECTIONS, options);
    const [low, high] = intervals?.AP ?? [1, 0];
    assert.ok(low <= Number(coco.AP) && Number(coco.AP) <= high && low < high);
    assert.deepEqual(evaluateDetections(TRUTH, DETECTIONS, options).intervals, intervals);
    assert.notDeepEqual(evaluateDetections(TRUTH, DETECTIONS, { ...options, seed: 4 }).intervals, intervals);
    const many = {
      ...TRUTH,
      imageLabels: undefined,
      images: [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) =>
        TRUTH.images.map((/** @type {any} */ image) => ({ ...image, id: `${image.id} ${n}` })),
      ),
      annotations: [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) =>
        TRUTH.annotations.map((/** @type {any} */ each) => ({
          ...each,
          id: `${each.id} ${n}`,
          image_id: `${each.image_id} ${n}`,
        })),
      ),
    };
    const more = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((n) =>
      DETECTIONS.map((/** @type {any} */ each) => ({ ...each, image_id: `${each.image_id} ${n}` })),
    );
    const [lower, upper] = evaluateDetections(many, more, options).intervals?.AP ?? [0, 1];
    assert.ok(upper - lower < (high - low) / 1.5, `${upper - lower} and ${high - low}`);
  });

  test('are drawn by mulberry32, as its author publishes it', () => {
    let a = 5;
    const random = () => {
      a = (a + 0x6d2b79f5) | 0;
      let t = Math.imul(a ^ (a >>> 15), 1 | a);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    const table = tabulate(TRUTH, DETECTIONS);
    const { matches } = measureCoco(table);
    const { length } = table.images;
    const mean = (/** @type {number[]} */ values) => values.reduce((sum, ap) => sum + ap, 0) / values.length;
    const apsFor = (/** @type {Int32Array} */ weights) =>
      matches.map((each) =>
        weightedAp({ ...each, image: each.rows.map((row) => table.found.image[row]) }, weights),
      );
    /** @typedef {ReturnType<typeof apsFor>} Aps */
    const whole = apsFor(new Int32Array(length).fill(1));
    const drawn = [0, 1, 2].map(() => {
      const weights = new Int32Array(length);
      for (let i = 0; i < length; i++) weights[Math.floor(random() * length)]++;
      return apsFor(weights);
    });
    const none = { score: new Float64Array(), isHit: new Uint8Array(), row: new Int32Array() };
    const found = bootstrap(matches, none, table.found.image, length, { samples: 3, seed: 5 });
    const all = (/** @type {'AP' | 'AP50'} */ key) => (/** @type {Aps} */ aps) =>
      mean(aps.flatMap((ap) => (ap ? [ap[key]] : [])));
    drawn.forEach((aps, i) =>
      assert.ok(Math.abs(Number(found.draws[i]) - all('AP')(aps)) < 1e-12, `draw ${i}`),
    );
    assert.equal(new Set(found.draws).size, 3);

    // Of three draws, the middle 95 % are all.
    const check = (
      /** @type {import('../../../wasm/evaluate/measure/bootstrap.js').Interval} */ interval,
      /** @type {(aps: Aps) => number | undefined} */ figureOf,
    ) => {
      const at = figureOf(whole);
      const values = drawn.flatMap((aps) => figureOf(aps) ?? []);
      if (at === undefined || values.length === 0) return assert.equal(interval, null);
      const moved = values.map((value) => Math.min(1, Math.max(0, value + at - mean(values))));
      const expected = [Math.min(...moved), Math.max(...moved)];
      expected.forEach((end, i) => assert.ok(Math.abs(Number(interval?.[i]) - end) < 1e-12));
    };
    check(found.AP, all('AP'));
    check(found.AP50, all('AP50'));
    found.perCategory.forEach((interval, k) => check(interval, (aps) => aps[k]?.AP));
    assert.ok(found.perCategory.some((interval) => interval && interval[0] < interval[1]));
  });

  test('of the best threshold hold what drawing the images by hand gives', () => {
    /** @type {{objects: number[], found: [x: number, score: number][]}[]} */
    const kinds = [
      { objects: [0], found: [[0, 0.9], [50, 0.3]] }, // right, wrong
      { objects: [0, 100], found: [[0, 0.6], [100, 0.5]] }, // right, right
    ]; // prettier-ignore
    const at = (/** @type {number} */ image) => kinds[image % 2];
    const images = [0, 1].map((id) => ({ id: id + 1, file_name: `${id}.jpg` }));
    const list = images.flatMap(({ id }) => at(id - 1).objects.map((x) => ({ image_id: id, x })));
    const truth = {
      images,
      categories: [{ id: 7, name: 'cat' }],
      annotations: list.map(({ image_id, x }, i) => ({
        id: i + 1,
        image_id,
        category_id: 7,
        bbox: /** @type {Box} */ ([x, 0, 10, 10]),
      })),
    };
    const found = images.flatMap(({ id }) =>
      foundAt(at(id - 1).found).map((each) => ({ ...each, image_id: id })),
    );
    const { intervals, thresholds } = evaluateDetections(truth, found, { bootstrap: 400, seed: 1 });
    assert.equal(thresholds?.bestF1?.threshold, 0.4); // between 0.5 and 0.3
    // A quarter of the draws has the first image twice: between 0.9 and 0.3. A quarter has the second twice: between 0.5 and 0.
    assert.deepEqual(
      intervals?.threshold?.map((value) => Math.round(value * 100)),
      [25, 60],
    );
  });

  test('are null if there is nothing to find', () => {
    const nothing = { score: new Float64Array(), isHit: new Uint8Array(), row: new Int32Array() };
    assert.deepEqual(bootstrap([], nothing, new Int32Array(), 0, { samples: 10, seed: 0 }), {
      AP: null,
      AP50: null,
      threshold: null,
      perCategory: [],
      draws: Array(10).fill(null),
    });
  });
});

describe('confusion', () => {
  test('counts what is found as what, and names the images', () => {
    const truth = {
      images: [{ id: 1, file_name: 'a.jpg' }],
      categories: [
        { id: 1, name: 'cat' },
        { id: 2, name: 'dog' },
      ],
      annotations: [0, 100, 200].map((x, i) => ({
        image_id: 1,
        category_id: i === 1 ? 2 : 1,
        bbox: /** @type {Box} */ ([x, 0, 10, 10]),
      })),
    };
    const found = [
      { image_id: 1, category_id: 1, bbox: /** @type {Box} */ ([0, 0, 10, 10]), score: 0.9 },
      { image_id: 1, category_id: 1, bbox: /** @type {Box} */ ([101, 0, 10, 10]), score: 0.8 },
      { image_id: 1, category_id: 2, bbox: /** @type {Box} */ ([300, 0, 10, 10]), score: 0.7 },
      { image_id: 1, category_id: 2, bbox: /** @type {Box} */ ([200, 0, 10, 10]), score: 0.1 },
    ];
    const { confusion } = evaluateDetections(truth, found, { threshold: 0.5 });
    const pairs = new Map(confusion?.pairs.map(({ truth: of, found: as, count }) => [`${of} ${as}`, count]));
    assert.deepEqual(
      pairs,
      new Map([
        ['cat cat', 1],
        ['dog cat', 1],
        ['null dog', 1],
        ['cat null', 1],
      ]),
    );
    assert.deepEqual(confusion?.images, [
      { id: 1, name: 'a.jpg', right: 1, confused: 1, extra: 1, missed: 1 },
    ]);
  });
});

describe("COCO's corner cases", () => {
  const figures = (/** @type {any} */ truth, /** @type {any[]} */ found) =>
    evaluateDetections(truth, found, { measures: [] });

  test('a match with the annotation of id 0 is a false positive', () => {
    const truth = truthAt([0]);
    truth.annotations[0].id = 0;
    assert.equal(figures(truth, foundAt([[0, 0.9]])).coco.AP, 0);
    assert.equal(figures(truthAt([0]), foundAt([[0, 0.9]])).coco.AP?.toFixed(9), '1.000000000');
  });

  test('of annotations with the same id, the last one counts several times', () => {
    const truth = truthAt([0, 100]);
    truth.annotations[0].id = 2;
    const { coco, notes } = figures(
      truth,
      foundAt([
        [100, 0.9],
        [100, 0.8],
        [0, 0.7],
      ]),
    );
    assert.equal(coco.AP50?.toFixed(9), '1.000000000');
    assert.deepEqual(
      notes.map(({ code }) => code),
      ['DUPLICATE_IDS_annotations'],
    );
  });

  // The tool lists the annotations by their own categories, if at all, and then reads them by their ids.
  test('an annotation of no listed category counts in one category for all, by the last one of its id', () => {
    const truth = truthAt([0, 100]);
    Object.assign(truth.annotations[0], { id: 2, category_id: 8 });
    const recallOf = (/** @type {boolean} */ agnostic) =>
      measureCoco(tabulate(truth, foundAt([[100, 0.9]])), { agnostic }).figures.AR100;
    assert.deepEqual([recallOf(false), recallOf(true)], [1, 0.5]);
  });

  test('entries that the ground truth does not list are left out, and noted', () => {
    const truth = truthAt([0]);
    truth.annotations.push(
      { id: 9, image_id: 5, category_id: 7, bbox: [0, 0, 1, 1] },
      { id: 10, image_id: 1, category_id: 8, bbox: [0, 0, 1, 1] },
    );
    const { coco, notes } = figures(truth, [
      ...foundAt([[0, 0.9]]),
      { ...foundAt([[0, 0.95]])[0], category_id: 8 },
    ]);
    assert.equal(coco.AP?.toFixed(9), '1.000000000');
    const codes = [
      'UNKNOWN_IMAGE_annotations',
      'UNKNOWN_CATEGORY_annotations',
      'UNKNOWN_CATEGORY_detections',
    ];
    assert.deepEqual(
      notes.map(({ code }) => code),
      codes,
    );
    assert.match(notes[0].message, /^1 annotations name an image/);
  });

  test('without images, categories or objects the figures are null', () => {
    for (const truth of [
      { images: [], categories: [], annotations: [] },
      { ...truthAt([]) },
      { ...truthAt([]), categories: [] },
    ]) {
      const { coco, tide } = evaluateDetections(truth, []);
      assert.ok(Object.values(coco).every((value) => value === null));
      assert.equal(tide?.AP, null);
    }
    assert.equal(figures(truthAt([0]), []).coco.AP, 0);
  });

  test('an area of exactly 32 x 32 is small and medium', () => {
    const truth = truthAt([0]);
    Object.assign(truth.annotations[0], { area: 1024 });
    const { APs, APm, APl } = figures(truth, foundAt([[0, 0.9]])).coco;
    assert.deepEqual(
      [APs, APm, APl].map((value) => value?.toFixed(6)),
      ['1.000000', '1.000000', undefined],
    );
  });
});

describe('the judge refuses', () => {
  const truth = truthAt([0]);
  const [good] = foundAt([[0, 0.9]]);
  const refused = /** @type {[string, any, any, RegExp][]} */ ([
    [
      'INVALID_BOX',
      truth,
      [{ ...good, bbox: [0, 0, Number.NaN, 1] }],
      /detections\[0\] has the bbox \[0, 0, NaN, 1\]/,
    ],
    ['INVALID_BOX', truth, [{ ...good, bbox: [Infinity, 0, 1, 1] }], /Infinity/],
    [
      'INVALID_BOX',
      truth,
      [good, { ...good, bbox: [0, 0, 1, -1] }],
      /detections\[1\] has the bbox \[0, 0, 1, -1\]/,
    ],
    ['INVALID_BOX', truth, [{ ...good, bbox: [0, 0, 1] }], /\[0, 0, 1\]/],
    ['INVALID_BOX', truth, [{ ...good, bbox: [0, 0, '1', 1] }], /"1"/],
    ['INVALID_BOX', truth, [{ ...good, bbox: 'abcd' }], /"abcd"/],
    ['INVALID_BOX', truth, [{ ...good, bbox: { 0: 0, 1: 0, 2: 1, 3: 1, length: 4 } }], /"length":4/],
    ['INVALID_BOX', truth, [{ ...good, corners: 5 }], /the corners 5/],
    ['INVALID_BOX', truth, [{ ...good, corners: 'abcd' }], /the corners "abcd"/],
    ['INVALID_BOX', truth, [{ ...good, corners: {} }], /the corners {}/],
    [
      'INVALID_BOX',
      { ...truth, annotations: [{ ...truth.annotations[0], bbox: [0, 0, -3, 1] }] },
      [],
      /annotations\[0\]/,
    ],
    ['INVALID_SCORE', truth, [{ ...good, score: Number.NaN }], /NaN/],
    ['INVALID_SCORE', truth, [{ ...good, score: undefined }], /undefined/],
    ['UNKNOWN_IMAGE', truth, [{ ...good, image_id: 2 }], /image_id 2/],
    ['UNKNOWN_IMAGE', truth, [{ ...good, image_id: '1' }], /image_id "1"/],
    [
      'NO_BOX',
      { ...truth, annotations: [{ id: 1, image_id: 1, category_id: 7, segmentation: [[0, 0, 1, 1, 2, 2]] }] },
      [],
      /segmentation only/,
    ],
    ['NO_BOX', truth, [{ image_id: 1, category_id: 7, score: 1 }], /no bbox/],
    ['INVALID_ENTRY', truth, [null], /not an object/],
    ['INVALID_ENTRY', truth, [{ ...good, category_id: undefined }], /no category_id/],
    ['INVALID_ENTRY', truth, [{ ...good, image_id: undefined }], /detections\[0\] has no image_id/],
    [
      'INVALID_ENTRY',
      { ...truth, annotations: [{ ...truth.annotations[0], image_id: {} }] },
      [],
      /annotations\[0\] has image_id {}/,
    ],
    ['INVALID_ENTRY', truth, {}, /detections must be a list/],
    ['INVALID_ENTRY', null, [], /ground truth/],
    ['INVALID_ENTRY', { ...truth, images: [{ id: 1 }, { id: 'x' }] }, [], /another type/],
    ['INVALID_ENTRY', { ...truth, categories: [{ id: 7 }] }, [], /no name/],
    ['INVALID_ENTRY', { ...truth, images: [{ file_name: 'a.jpg' }] }, [], /images\[0\] has no id/],
    ['INVALID_ENTRY', { ...truth, categories: [{ name: 'a' }] }, [], /categories\[0\] has no id/],
    ['INVALID_ENTRY', { ...truth, annotations: [{ ...truth.annotations[0], iscrowd: 'no' }] }, [], /iscrowd/],
    ['INVALID_ENTRY', { ...truth, annotations: [{ ...truth.annotations[0], area: 'big' }] }, [], /area/],
    ['INVALID_ENTRY', { ...truth, annotations: [{ ...truth.annotations[0], area: -5 }] }, [], /the area -5/],
    [
      'INVALID_ENTRY',
      { ...truth, annotations: [{ ...truth.annotations[0], area: 'NaN' }] },
      [],
      /the area NaN/,
    ],
    [
      'INVALID_ENTRY',
      { ...truth, imageLabels: [{ image_id: 1, category_id: 7, positive: 'no' }] },
      [],
      /imageLabels\[0\] has positive "no"/,
    ],
  ]);
  for (const [code, groundTruth, detections, message] of refused)
    test(`${code}: ${message}`, () =>
      assert.throws(() => evaluateDetections(groundTruth, detections), { code, message }));

  test('the corners of a box may lie on each other, not cross', () => {
    const judge = (/** @type {number[]} */ ...corners) => {
      const [first, ...rest] = truth.annotations;
      return evaluateDetections({ ...truth, annotations: [{ ...first, corners }, ...rest] }, []);
    };
    for (const corners of [[5, 5, 5, 9], [5, 5, 9, 5], [5, 5, 5, 5]]) assert.ok(judge(...corners)); // prettier-ignore
    for (const corners of [
      [6, 5, 5, 9],
      [5, 6, 9, 5],
      [5, 5, 9],
      [5, 5, NaN, 9],
    ])
      assert.throws(() => judge(...corners), { code: 'INVALID_BOX' });
  });

  test('options that it does not have', () => {
    assert.throws(() => evaluateDetections(truth, [], /** @type {any} */ ({ iou: 0.5 })), {
      code: 'INVALID_OPTION',
    });
  });

  test('numbers outside their ranges', () => {
    const nothing = { ...truth, images: [], annotations: [] };
    const ends = { bootstrap: [0, 100_000], seed: [0, 2 ** 32 - 1], groupWeight: [0, 1], precision: [0, 1] };
    for (const [name, [min, max]] of Object.entries(ends)) {
      for (const value of [min, max]) evaluateDetections(nothing, [], { [name]: value });
      for (const value of [min - 1, max + 1, NaN])
        assert.throws(() => evaluateDetections(nothing, [], { [name]: value }), { code: 'INVALID_OPTION' });
    }
  });
});
