// The measures on a few boxes each: their limits, both sides of each, and what comes first of what is equal. Expected numbers
// are counted by hand, from the papers' definitions.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { evaluateDetections } from '../../../wasm/evaluate/index.js';
import { labelDetections } from '../../../wasm/evaluate/measure/average_precision.js';
import { bootstrap, differenceOf, weightedAp } from '../../../wasm/evaluate/measure/bootstrap.js';
import { classMetrics, indexOfHighest } from '../../../wasm/evaluate/measure/classes.js';
import {
  IOU_THRESHOLDS,
  measureCoco,
  overlapOf,
  precisionAtRecalls,
  RECALLS,
} from '../../../wasm/evaluate/measure/coco.js';
import { confuse } from '../../../wasm/evaluate/measure/confusion.js';
import { measureOpenImages } from '../../../wasm/evaluate/measure/open_images.js';
import { bestThreshold, calibrate, thresholdForPrecision } from '../../../wasm/evaluate/measure/scores.js';
import { tabulate } from '../../../wasm/evaluate/measure/table.js';
import { measureTide } from '../../../wasm/evaluate/measure/tide.js';

/** @typedef {[number, number, number, number]} Box */
const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const UP = 2 ** -52;

/**
 * A box is [x, width] of a strip of height 10, or all four numbers; class 1 unless the last object says more.
 * @param {[...number[], object]} row
 */
function entry(row) {
  const numbers = row.filter((value) => typeof value === 'number');
  const [x, width] = numbers;
  const bbox = numbers.length === 4 ? numbers : [x, 0, width, 10];
  return { image_id: 1, category_id: 1, bbox, ...any(row.at(-1)) };
}

/** @param {any[]} truths @param {any[]} found each with its score @param {object} [more] of the ground truth */
function tableOf(truths, found, more = {}) {
  const truth = {
    images: [{ id: 1 }, { id: 2 }],
    categories: [
      { id: 1, name: 'cat' },
      { id: 2, name: 'dog' },
    ],
    annotations: truths.map((row, i) => ({ id: i + 1, ...entry(row) })),
    ...more,
  };
  return tabulate(any(truth), any(found.map(entry)));
}

describe('COCO', () => {
  test('has the thresholds and recalls of numpy.linspace', () => {
    const printed = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95];
    assert.deepEqual([...IOU_THRESHOLDS], printed);
    assert.deepEqual([RECALLS.length, RECALLS[29], RECALLS[57], RECALLS[58], RECALLS[100]], [101, 0.29, 0.5700000000000001, 0.58, 1]); // prettier-ignore
  });

  test('counts an object in each range of area, both ends included', () => {
    const [small, medium] = [32 ** 2, 96 ** 2];
    for (const [area, positives] of /** @type {[number, number[]][]} */ ([
      [0, [1, 1, 0, 0]],
      [small - 0.5, [1, 1, 0, 0]],
      [small, [1, 1, 1, 0]],
      [small + 0.5, [1, 0, 1, 0]],
      [medium - 0.5, [1, 0, 1, 0]],
      [medium, [1, 0, 1, 1]],
      [medium + 0.5, [1, 0, 0, 1]],
      [1e10, [1, 0, 0, 1]],
      [1e10 + 0.5, [0, 0, 0, 0]],
    ])) {
      const { matches } = measureCoco(tableOf([[0, 10, { area }]], []));
      assert.deepEqual(matches[0].positives, positives, String(area));
    }
  });

  test('leaves out what matches nothing and lies outside a range of area', () => {
    for (const [side, ignored] of /** @type {[number, number[]][]} */ ([
      [31, [0, 0, 1023, 1023]],
      [32, [0, 0, 0, 1023]],
      [33, [0, 1023, 0, 1023]],
      [96, [0, 1023, 0, 0]],
      [97, [0, 1023, 1023, 0]],
    ])) {
      const [of] = measureCoco(tableOf([], [[0, 0, side, side, { score: 1 }]])).matches;
      assert.deepEqual(of.ignored.map(([bits]) => bits), ignored, String(side)); // prettier-ignore
    }
  });

  test('divides the overlap of boxes by their union, or by the detection in a crowd', () => {
    for (const [a, b, iou, inCrowd] of /** @type {[Box, Box, number, number][]} */ ([
      [[0, 0, 2, 2], [0, 0, 2, 2], 1, 1],
      [[0, 0, 2, 2], [1, 0, 2, 2], 1 / 3, 1 / 2],
      [[0, 0, 2, 2], [0, 1, 2, 2], 1 / 3, 1 / 2],
      [[1, 1, 2, 2], [0, 0, 4, 4], 1 / 4, 1],
      [[0, 0, 4, 2], [3.5, 1.5, 4, 2], 0.25 / 15.75, 0.25 / 8],
      [[0, 0, 2, 2], [2, 0, 2, 2], 0, 0],
      [[0, 0, 2, 2], [0, 2, 2, 2], 0, 0],
      [[0, 0, 2, 2], [3, 3, 2, 2], 0, 0],
      [[0, 0, 2, 2], [1, 3, 2, 2], 0, 0],
    ]))
      // prettier-ignore
      for (const [crowd, expected] of /** @type {const} */ ([[false, iou], [true, inCrowd]])) // prettier-ignore
        assert.equal(overlapOf(Float64Array.of(9, ...a), 1, Float64Array.of(9, 9, ...b), 2, crowd), expected);
  });

  test('reads at most 100 detections of a class in an image; recalls count the best 1, 10 and 100', () => {
    const objects = Array.from({ length: 101 }, (_, i) => [20 * i, 10, {}]);
    const found = objects.map(([x], i) => [x, 10, { score: 1 - i / 1000 }]);
    const { figures } = measureCoco(tableOf(objects, found));
    const [of1, of10, of100] = [1, 10, 100].map((count) => count / 101);
    for (const [value, expected] of [
      [figures.AR1, of1],
      [figures.AR10, of10],
      [figures.AR100, of100],
    ])
      // prettier-ignore
      assert.ok(Math.abs(Number(value) - Number(expected)) < 1e-12, `${value}, not ${expected}`);
  });

  test('divides by a little more than the detections, as its tool does', () => {
    const { curves, matches } = measureCoco(tableOf([[0, 10, {}]], [[0, 10, { score: 1 }]]));
    const [[first]] = curves[0].precision[0] ?? [];
    const image = Int32Array.of(0);
    const weighted = weightedAp({ ...matches[0], image }, Int32Array.of(1))?.AP50;
    const sum = Array(101).fill(1 / (1 + UP)).reduce((total, value) => total + value, 0); // prettier-ignore
    assert.deepEqual([first, weighted], [1 / (1 + UP), sum / 101]);
  });

  test('takes the highest precision of this recall and above', () => {
    const recalls = Float64Array.of(0, 0.25, 0.26, 0.5, 0.75, 1);
    const curve = precisionAtRecalls([0.5, 0.75, 0.6], 4, recalls);
    assert.deepEqual([...curve], [0.75, 0.75, 0.75, 0.75, 0.6, 0]);
    assert.deepEqual([...precisionAtRecalls([], 4, recalls)], [0, 0, 0, 0, 0, 0]);
  });

  test('lets a crowd match many detections, which then do not count', () => {
    const found = [[0, 10, { score: 0.9 }], [0, 10, { score: 0.8 }], [50, 10, { score: 0.7 }]]; // prettier-ignore
    const [{ ignored, hits, partner, positives }] = measureCoco(tableOf([[0, 10, { iscrowd: 1 }], [50, 10, {}]], found)).matches; // prettier-ignore
    assert.deepEqual([...ignored[0]], [1023, 1023, 0]);
    assert.deepEqual([...hits[0]], [0, 0, 1023]);
    assert.deepEqual([...partner], [0, 0, 1]);
    assert.equal(positives[0], 1);
  });

  test('has one category for all, whose rows are in the order of the categories', () => {
    const found = [[0, 10, { score: 0.5, category_id: 2 }], [50, 10, { score: 0.5 }]]; // prettier-ignore
    const { matches, curves, perCategory } = measureCoco(tableOf([[0, 10, {}]], found), { agnostic: true });
    assert.deepEqual([matches.length, curves.length, perCategory.length], [1, 1, 1]);
    assert.deepEqual([...matches[0].rows], [1, 0]);
    assert.deepEqual([...matches[0].partner], [-1, 0]);
  });

  test('prefers an object to a crowd that is overlapped more, and the last of equal objects', () => {
    const found = [[0, 10, { score: 0.9 }]];
    const partner = (/** @type {any[]} */ ...truths) => measureCoco(tableOf(truths, found)).matches[0].partner[0]; // prettier-ignore
    assert.equal(partner([0, 10, { iscrowd: 1 }], [0, 12, {}]), 1);
    assert.equal(partner([0, 10, { iscrowd: 1 }], [0, 30, {}]), 0);
    assert.equal(partner([0, 12, {}], [0, 10, {}]), 1);
    assert.equal(partner([0, 10, {}], [0, 10, {}]), 1);
    assert.equal(partner([0, 21, {}]), -1);
    assert.equal(partner([0, 20, {}]), 0);
  });
});

describe('Open Images and Pascal VOC label', () => {
  const PLAIN = { groupWeight: undefined, hasDifficult: false, isEvaluated: undefined };
  const VOC = { ...PLAIN, hasDifficult: true };
  const [GROUPS, WEIGHTED] = [0, 0.5].map((groupWeight) => ({ ...PLAIN, groupWeight }));
  const [GROUP, DIFFICULT] = [{ isGroupOf: true }, { difficult: true }];
  const score = (/** @type {number} */ value) => ({ score: value });
  /** @type {[what: string, rule: any, truths: any[], found: any[], labels: [score: number, label: number][], positives: number][]} */
  const cases = [
    ['an IoU of a half', PLAIN, [[0, 10, {}]], [[0, 20, score(0.9)]], [[0.9, 1]], 1],
    ['an IoU of less', PLAIN, [[0, 10, {}]], [[0, 20.1, score(0.9)]], [[0.9, 0]], 1],
    ['an object once', PLAIN, [[0, 10, {}]], [[0, 10, score(0.8)], [0, 9, score(0.9)]], [[0.9, 1], [0.8, 0]], 1],
    ['the first of equal objects', VOC, [[0, 10, DIFFICULT], [0, 10, {}]], [[0, 10, score(0.9)]], [], 1],
    ['the nearer object', VOC, [[0, 10, DIFFICULT], [0, 9, {}]], [[0, 9, score(0.9)]], [[0.9, 1]], 1],
    ['difficult objects', VOC, [[0, 10, DIFFICULT]], [[0, 10, score(0.9)], [0, 9, score(0.8)]], [], 0],
    ['difficult objects, if they are any', PLAIN, [[0, 10, DIFFICULT]], [[0, 10, score(0.9)]], [[0.9, 1]], 1],
    ['groups, if they are objects', PLAIN, [[0, 10, GROUP]], [[0, 10, score(0.9)]], [[0.9, 1]], 1],
    ['groups of no weight', GROUPS, [[0, 99, GROUP]], [[0, 9, score(0.9)]], [], 0],
    ['half in a group', GROUPS, [[0, 99, GROUP]], [[-5, 10, score(0.9)], [94, 10, score(0.8)]], [], 0],
    ['less in a group', GROUPS, [[0, 99, GROUP]], [[-5.1, 10, score(0.9)], [94.1, 10, score(0.8)]], [[0.9, 0], [0.8, 0]], 0],
    ['above and below a group', GROUPS, [[0, 10, 9, 20, GROUP]], [[0, 4, 9, 10, score(0.9)], [0, 5, 9, 10, score(0.8)], [0, 26, 9, 10, score(0.7)]], [[0.9, 0], [0.7, 0]], 0],
    ['the best of a group', WEIGHTED, [[0, 99, GROUP]], [[0, 9, score(0.6)], [9, 9, score(0.7)], [0, 9, score(0.5)]], [[0.7, 0.5]], 0.5],
    ['two groups', WEIGHTED, [[0, 9, GROUP], [50, 9, GROUP], [90, 9, GROUP]], [[50, 9, score(0.6)], [0, 9, score(0.7)]], [[0.7, 0.5], [0.6, 0.5]], 1.5],
    ['no score above 0 in a group', WEIGHTED, [[0, 99, GROUP]], [[0, 9, score(0)], [0, 9, score(-1)]], [], 0.5],
    ['objects before groups', WEIGHTED, [[0, 99, GROUP], [0, 9, {}]], [[0, 9, score(0.6)], [0, 9, score(0.5)]], [[0.6, 1], [0.5, 0.5]], 1.5],
    ['boxes without an area', PLAIN, [], [[0, 0, score(0.9)], [0, 0, 9, 0, score(0.8)], [0, 0, 0.1, 0.1, score(0.7)]], [[0.7, 0]], 0],
    ['scores of -10 and below', PLAIN, [], [[0, 9, score(-9.5)], [0, 9, score(-10)], [0, 9, score(-11)]], [[-9.5, 0]], 0],
    ['another image', PLAIN, [[0, 9, { image_id: 2 }]], [[0, 9, score(0.9)]], [[0.9, 0]], 1],
  ]; // prettier-ignore
  for (const [what, rule, truths, found, labelled, positives] of cases)
    test(what, () => {
      const [cat, dog] = labelDetections(tableOf(truths, found), rule);
      assert.deepEqual(cat.scores.map((value, i) => [value, cat.labels[i]]), labelled); // prettier-ignore
      assert.deepEqual([cat.positives, dog], [positives, { scores: [], labels: [], positives: 0 }]);
    });
  test('at most 10 000 detections of a class in an image', () => {
    const found = Array.from({ length: 10_001 }, (_, i) => [0, 9, score(1 - i / 20_000)]);
    assert.equal(labelDetections(tableOf([], found), PLAIN)[0].labels.length, 10_000);
  });
  test('what somebody verified, by the rule of the challenge', () => {
    const labels = (/** @type {number} */ image, /** @type {number} */ category) => ({ image_id: image, category_id: category }); // prettier-ignore
    const truths = [[0, 9, {}], [0, 9, { image_id: 2, category_id: 3 }]]; // prettier-ignore
    const found = [[0, 9, score(0.5)], [0, 9, { ...score(0.9), image_id: 2 }]]; // prettier-ignore
    const apOf = (/** @type {object[]} */ imageLabels) =>
      measureOpenImages(tableOf(truths, found, { imageLabels }), { rule: 'challenge' }).perCategory[0];
    assert.equal(apOf([]), 1);
    assert.equal(apOf([labels(2, 2)]), 1);
    assert.equal(apOf([labels(2, 1)]), 0.5);
    // Category 3 is not listed, so that it stands for nothing, least of all for category 1 of the next image.
    assert.equal(apOf([labels(1, 3)]), 1);
  });
});

describe('an interval', () => {
  test('of 1000 draws ends at those that 25 and 975 lie below', () => {
    const draws = Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000);
    const found = differenceOf(
      { AP: 0.25, draws: draws.map(() => 0.5) },
      { AP: 0.5, draws: draws.map((draw) => 0.5 + draw / 4000) },
    );
    const expected = [25, 975].map((draw) => 0.25 + (draw - 499.5) / 4000);
    expected.forEach((end, i) => assert.ok(Math.abs(Number(found?.[i]) - end) < 1e-12, `${found}`));
  });
  test('of a difference is of draws that both have', () => {
    const a = { AP: 0.25, draws: [null, 0.1, 0.2, 0.3] };
    assert.deepEqual(differenceOf(a, { AP: 0.75, draws: [0.1, null, 0.9] }), [0.5, 0.5]);
    assert.equal(differenceOf(a, { AP: 0.75, draws: [0.1] }), null);
    assert.equal(differenceOf(a, { AP: null, draws: a.draws }), null);
    assert.equal(differenceOf({ ...a, AP: null }, { AP: 0.75, draws: a.draws }), null);
  });
  test('ends at 0 and 1, that of a difference at -1 and 1', () => {
    const draws = [-1, 0, 1].map((draw) => ({ from: 0.5 - draw / 2, to: 0.5 + draw / 2 }));
    for (const [from, to, expected] of [
      [0, 0.75, [-0.25, 1]],
      [0.75, 0, [-1, 0.25]],
    ]) {
      // prettier-ignore
      const a = { AP: Number(from), draws: draws.map((draw) => draw.from) };
      assert.deepEqual(differenceOf(a, { AP: Number(to), draws: draws.map((draw) => draw.to) }), expected);
    }
    // Of nine objects in an image and one in another, one kind is found. Draws are 0.1 or 0.9, 0 and 1; their mean is far off.
    for (const isFound of [0, 1]) {
      const objects = Array.from({ length: 10 }, (_, i) => [
        20 * i,
        10,
        { image_id: i < 9 ? 1 : 2, score: 1 },
      ]);
      const hits = objects.filter((_, i) => Number(i < 9) === isFound);
      const { matches } = measureCoco(tableOf(objects, hits));
      const none = { score: new Float64Array(), isHit: new Uint8Array(), row: new Int32Array() };
      const images = Int32Array.from(hits, () => (isFound ? 0 : 1));
      const { AP } = bootstrap(matches, none, images, 2, { samples: 100, seed: 1 });
      assert.equal(AP?.[isFound], isFound);
    }
  });
});

describe('classes', () => {
  test('have a precision by column and a recall by row, 0 without any', () => {
    const found = classMetrics(['a', 'b', 'c'], [[1, 3, 0], [0, 2, 0], [0, 0, 0]]); // prettier-ignore
    assert.deepEqual(found, [
      { label: 'a', precision: 1, recall: 0.25, examples: 4 },
      { label: 'b', precision: 0.4, recall: 1, examples: 2 },
      { label: 'c', precision: 0, recall: 0, examples: 0 },
    ]);
  });
  test('the first of the highest', () => {
    for (const [values, at] of /** @type {[number[], number][]} */ ([
      [[1], 0],
      [[1, 1], 0],
      [[1, 2, 2], 1],
      [[3, 2, 4], 2],
      [[-2, -1], 1],
    ]))
      // prettier-ignore
      assert.equal(indexOfHighest(values), at);
  });
});

describe('confusion', () => {
  const score = (/** @type {number} */ value, more = {}) => ({ score: value, ...more });
  const DOG = { category_id: 2 };
  /** @type {[what: string, truths: any[], found: any[], counts: [right: number, confused: number, extra: number, missed: number]][]} */
  const cases = [
    ['an IoU of a half', [[0, 10, {}]], [[0, 20, score(0.9)]], [1, 0, 0, 0]],
    ['an IoU of less', [[0, 10, {}]], [[0, 20.1, score(0.9)]], [0, 0, 1, 1]],
    ['a score of the threshold', [[0, 10, {}]], [[0, 10, score(0.5)]], [0, 0, 0, 1]],
    ['another class', [[0, 10, {}]], [[0, 10, score(0.9, DOG)]], [0, 1, 0, 0]],
    ['the nearer one first', [[0, 10, {}]], [[0, 12, score(0.9)], [0, 11, score(0.8, DOG)]], [0, 1, 1, 0]],
    ['the better one of equal ones', [[0, 10, {}]], [[0, 10, score(0.8, DOG)], [0, 10, score(0.9)]], [1, 0, 1, 0]],
    ['one detection for one object', [[0, 10, {}], [0, 11, {}]], [[0, 10, score(0.9)]], [1, 0, 0, 1]],
    ['in a crowd', [[0, 90, { iscrowd: 1 }]], [[0, 10, score(0.9)], [85, 10, score(0.9)], [86, 10, score(0.9)], [0, 10, score(0.9, DOG)]], [0, 0, 2, 0]],
    ['in a group', [[0, 12, { isGroupOf: 1 }]], [[0, 10, score(0.9)], [0, 5, score(0.9)]], [0, 0, 1, 0]],
    ['on a difficult object', [[0, 12, { difficult: 1 }]], [[0, 6, score(0.9)], [0, 5, score(0.9)]], [0, 0, 1, 0]],
  ]; // prettier-ignore
  for (const [what, truths, found, [right, confused, extra, missed]] of cases)
    test(what, () => {
      const { images } = confuse(tableOf(truths, found), () => 0.5);
      const none = { right: 0, confused: 0, extra: 0, missed: 0 };
      assert.deepEqual(images, [
        { image: 0, right, confused, extra, missed },
        { image: 1, ...none },
      ]);
    });
  test('lists the most frequent pairs first, each class by its own threshold', () => {
    const found = [0, 20, 40].map((x) => [x, 10, { score: 0.5, category_id: x > 0 ? 2 : 1 }]);
    const table = tableOf([[0, 10, {}], [90, 5, { image_id: 7 }]], found); // prettier-ignore
    const pairs = (/** @type {number[]} */ ...thresholds) => confuse(table, (k) => thresholds[k]).pairs;
    assert.deepEqual(pairs(0.4, 0.4), [
      { truth: -1, found: 1, count: 2 },
      { truth: 0, found: 0, count: 1 },
    ]);
    assert.deepEqual(pairs(0.4, 0.6), [{ truth: 0, found: 0, count: 1 }]);
    assert.deepEqual(pairs(0.6, 0.6), [{ truth: 0, found: -1, count: 1 }]);
  });
});

describe('scores', () => {
  const scored = (/** @type {[number, number][]} */ ...rows) =>
    any({ score: rows.map(([score]) => score), isHit: rows.map(([, isHit]) => isHit) });
  test('from 0 to 1 fall into ten bins, the lower end included', () => {
    for (const [score, bin] of [
      [0, 0],
      [0.05, 0],
      [0.1, 1],
      [0.5, 5],
      [0.89, 8],
      [0.9, 9],
      [1, 9],
    ]) {
      // prettier-ignore
      const { bins = [], error } = calibrate(scored([score, 1])) ?? {};
      assert.equal(error, 1 - score);
      const full = { from: bin / 10, to: (bin + 1) / 10, count: 1, score, precision: 1 };
      const empty = { count: 0, score: null, precision: null };
      bins.forEach((each, i) =>
        assert.deepEqual(each, i === bin ? full : { from: i / 10, to: (i + 1) / 10, ...empty }),
      );
      assert.equal(bins.length, 10);
    }
    for (const score of [-0.01, 1.01]) assert.equal(calibrate(scored([score, 1])), null);
  });
  test('the higher of equal thresholds is the best, the lower one has a precision', () => {
    // F1 is 2/3 above 0.7 and above 0.25; precision is 1 and 1/2.
    const found = scored([0.9, 1], [0.5, 0], [0.5, 0], [0.5, 1]);
    assert.deepEqual(bestThreshold(found, 2), { threshold: 0.7, precision: 1, recall: 0.5, f1: 2 / 3 });
    const last = { threshold: 0.25, precision: 0.5, recall: 1, f1: 2 / 3 };
    assert.deepEqual(thresholdForPrecision(found, 2, 0.5), last);
    assert.equal(thresholdForPrecision(found, 2, 0.51)?.threshold, 0.7);
    assert.equal(thresholdForPrecision(scored([0.9, 0]), 1, 0), null);
  });
  test('count by their weights; those of weight 0 have no threshold', () => {
    const found = scored([0.9, 0], [0.8, 1], [0.4, 1], [0.2, 0]);
    const expected = { threshold: 0.5, precision: 1, recall: 0.6, f1: 0.75 };
    assert.deepEqual(bestThreshold(found, 5, [0, 3, 0, 4]), expected);
    assert.equal(bestThreshold(found, 5, [0, 0, 0, 4]), null);
    assert.equal(bestThreshold(scored([-1, 1]), 1)?.threshold, -1.5);
  });
});

describe('TIDE', () => {
  const DOG = { category_id: 2 };
  const score = (/** @type {number} */ value, more = {}) => ({ score: value, ...more });
  // A detection of width w on an object of width 100 has an IoU of w / 100.
  /** @type {[what: string, truths: any[], found: any[], errors: [kind: string, partner: number][]][]} */
  const cases = [
    ['a hit', [[0, 100, {}]], [[0, 50, score(0.9)]], []],
    ['a box that is too far off', [[0, 100, {}]], [[0, 49, score(0.9)]], [['Loc', 0]]],
    ['a box at the end of that', [[0, 100, {}]], [[0, 10, score(0.9)]], [['Loc', 0]]],
    ['nothing there', [[0, 100, {}]], [[0, 9, score(0.9)]], [['Bkg', -1], ['Miss', -1]]],
    ['nothing at all', [], [[0, 9, score(0.9)]], [['Bkg', -1]]],
    ['another class', [[0, 100, DOG]], [[0, 50, score(0.9)]], [['Cls', 0]]],
    ['another class, too far off', [[0, 100, DOG]], [[0, 49, score(0.9)]], [['Both', -1], ['Miss', -1]]],
    ['another class, at the end of that', [[0, 100, DOG]], [[0, 10, score(0.9)]], [['Bkg', -1], ['Miss', -1]]],
    ['an object found twice', [[0, 100, {}]], [[0, 100, score(0.9)], [0, 51, score(0.8)]], [['Dupe', -1]]],
    ['an object found twice, too far off', [[0, 100, {}]], [[0, 100, score(0.9)], [0, 50, score(0.8)]], [['Loc', -1]]],
    ['another class that is found', [[0, 100, DOG]], [[0, 100, score(0.9, DOG)], [0, 99, score(0.8)]], [['Cls', -1]]],
    ['a free object rather than a nearer one', [[0, 100, {}], [0, 90, {}]], [[0, 100, score(0.9)], [0, 100, score(0.8)]], []],
    ['the first of equal objects', [[0, 100, {}], [0, 100, {}]], [[0, 40, score(0.8)]], [['Loc', 0], ['Miss', -1]]],
  ]; // prettier-ignore
  for (const [what, truths, found, expected] of cases)
    test(what, () => {
      const { errors, counts } = measureTide(tableOf(truths, found));
      assert.deepEqual(errors.map(({ kind, partner }) => [kind, partner]), expected); // prettier-ignore
      for (const [kind, count] of Object.entries(counts))
        assert.equal(count, expected.filter(([of]) => of === kind).length, kind);
    });
  test('what lies in a crowd of its class, by more than a half, does not count', () => {
    const crowd = [[0, 100, { iscrowd: 1 }], [200, 10, {}]]; // prettier-ignore
    for (const [row, isIgnored] of /** @type {[any[], boolean][]} */ ([
      [[0, 10, score(0.9)], true],
      [[-4, 10, score(0.9)], true],
      [[-5, 10, score(0.9)], false],
      [[0, 10, score(0.9, DOG)], false],
      [[200, 5, score(0.9)], false],
    ])) {
      const { errors, AP } = measureTide(tableOf(crowd, [row, [200, 10, score(0.5)]]));
      assert.deepEqual(errors.map((error) => error.isIgnored), [isIgnored].slice(0, row[0] === 200 ? 2 : 1)); // prettier-ignore
      if (isIgnored) assert.equal(AP, 100);
    }
  });
  test('reads at most 100 detections of an image', () => {
    const found = Array.from({ length: 101 }, (_, i) => [0, 9, score(1 - i / 1000)]);
    assert.equal(measureTide(tableOf([], found)).errors.length, 100);
  });
  test('says what each kind costs', () => {
    // One of two objects is found, behind a detection of nothing: a precision of 1/2 up to a recall of 1/2 (51 of 101 recalls).
    const truths = [[0, 100, {}], [200, 100, {}]]; // prettier-ignore
    const found = [[500, 10, score(0.9)], [0, 100, score(0.8)]]; // prettier-ignore
    const half = (51 / 101) * 100;
    const { errors: _, counts, ...costs } = measureTide(tableOf(truths, found));
    const near = { AP: half / 2, Cls: 0, Loc: 0, Both: 0, Dupe: 0, Bkg: half / 2, Miss: 50 - half / 2, FalsePos: half / 2, FalseNeg: 50 - half / 2 }; // prettier-ignore
    for (const [key, value] of Object.entries(near))
      assert.ok(Math.abs(Number(any(costs)[key]) - value) < 1e-9, `${key}: ${any(costs)[key]}, not ${value}`);
    assert.deepEqual(counts, { Cls: 0, Loc: 0, Both: 0, Dupe: 0, Bkg: 1, Miss: 1 });
  });
});

describe('an evaluation', () => {
  const truth = {
    images: [{ id: 1 }, { id: 2, file_name: 'b.png' }],
    categories: [{ id: 1, name: 'cat' }, { id: 2, name: 'dog' }], // prettier-ignore
    annotations: [entry([0, 10, { id: 1 }]), entry([50, 10, { id: 2, image_id: 2 }])],
  };
  const found = [[0, 10, { score: 0.9, category_id: 2 }], [70, 10, { score: 0.2 }]].map(any(entry)); // prettier-ignore
  const judge = (/** @type {any} */ options = {}) => evaluateDetections(any(truth), any(found), options);

  test('has all measures, or those that are asked for', () => {
    const all = ['openImages', 'voc', 'tide', 'calibration', 'thresholds', 'confusion'];
    const has = (/** @type {object} */ evaluation) => all.filter((measure) => measure in evaluation);
    assert.deepEqual(has(judge()), all);
    for (const measure of all) assert.deepEqual(has(judge({ measures: [measure] })), [measure]);
    assert.equal('intervals' in judge(), false);
    assert.equal('forPrecision' in any(judge()).thresholds, false);
  });
  test('counts objects and detections, of all and of each class', () => {
    const { images, objects, detections, classes } = judge();
    assert.deepEqual([images, objects, detections], [2, 2, 2]);
    assert.deepEqual(classes.map((each) => [each.name, each.objects, each.detections]), [['cat', 2, 1], ['dog', 0, 1]]); // prettier-ignore
    assert.deepEqual(classes.map(({ precision }) => precision?.length), [101, undefined]); // prettier-ignore
  });
  test('of one category for all finds the box, but not its class', () => {
    const { coco, classes, thresholds } = judge({ agnostic: true });
    assert.deepEqual([coco.AR100, classes[0].coco.AR100, thresholds?.bestF1], [0.5, 0, null]);
  });
  test('confuses above the best threshold, above a half without one, or above a given one', () => {
    const confused = (/** @type {any} */ options = {}) => any(judge(options)).confusion;
    assert.equal(confused().threshold, 0.5);
    assert.equal(confused({ threshold: 0.1 }).threshold, 0.1);
    assert.deepEqual(confused().images, [
      { id: 1, name: '1', right: 0, confused: 1, extra: 0, missed: 0 },
      { id: 2, name: 'b.png', right: 0, confused: 0, extra: 0, missed: 1 },
    ]);
    assert.equal(confused({ threshold: 0.1 }).images[0].extra, 1);
  });
  test('has the rule of the challenge if somebody verified labels, unless another is given', () => {
    const ruleOf = (/** @type {any} */ more, /** @type {any} */ options) => evaluateDetections(any({ ...truth, ...more }), [], options).openImages?.rule; // prettier-ignore
    assert.deepEqual([ruleOf({}, {}), ruleOf({ imageLabels: [] }, {}), ruleOf({ imageLabels: [] }, { openImagesRule: 'v2' })], ['v2', 'challenge', 'v2']); // prettier-ignore
  });
  test('refuses options of another kind', () => {
    for (const wrong of [
      { measures: ['x'] },
      { agnostic: 1 },
      { openImagesRule: 'v3' },
      { threshold: NaN },
      { threshold: '1' },
    ])
      // prettier-ignore
      assert.throws(() => judge(wrong), { code: 'INVALID_OPTION' }, JSON.stringify(wrong));
  });
});
