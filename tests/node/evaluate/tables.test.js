// Parts of the judge, each against numbers that are written here.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  evaluateDetections,
  expandHierarchy,
  makeEvaluationReport,
  readDataset,
  readDetections,
  runDetector,
} from '../../../wasm/evaluate/index.js';
import { mergeScored, scoredOf } from '../../../wasm/evaluate/measure/scores.js';
import { tabulate } from '../../../wasm/evaluate/measure/table.js';
import { numpyDescending, sortDescending } from '../../../wasm/evaluate/measure/sort.js';

/** @typedef {import('../../../wasm/evaluate/types.js').GroundTruth} GroundTruth */

/** Numbers without an order. @param {number} count */
const shuffled = (count) => Float64Array.from({ length: count }, (_, i) => (i * 7919) % 10_007);

/**
 * Numbers that make the quicksort's pivot the second smallest each time: McIlroy's adversary. An element gets a value when
 * it is compared; until then it is larger than all that have one.
 * @param {number} count
 */
function adversary(count) {
  const values = new Array(count).fill(Infinity);
  let next = 0;
  let candidate = 0;
  const less = (/** @type {number} */ a, /** @type {number} */ b) => {
    if (values[a] === Infinity && values[b] === Infinity) values[a === candidate ? a : b] = next++;
    if (values[a] === Infinity) candidate = a;
    else if (values[b] === Infinity) candidate = b;
    return values[a] < values[b];
  };
  const rows = Array.from(values.keys());
  // The steps of a quicksort by the median of three, without what it does in other cases.
  let [from, to] = [0, count - 1];
  const swap = (/** @type {number} */ i, /** @type {number} */ j) => {
    [rows[i], rows[j]] = [rows[j], rows[i]];
  };
  while (to - from > 15) {
    const middle = from + ((to - from) >> 1);
    if (less(rows[middle], rows[from])) swap(middle, from);
    if (less(rows[to], rows[middle])) swap(to, middle);
    if (less(rows[middle], rows[from])) swap(middle, from);
    const pivot = rows[middle];
    swap(middle, to - 1);
    let [low, high] = [from, to - 1];
    for (;;) {
      do low++;
      while (less(rows[low], pivot));
      do high--;
      while (less(pivot, rows[high]));
      if (low >= high) break;
      swap(low, high);
    }
    swap(low, to - 1);
    if (low - from < to - low) from = low + 1;
    else to = low - 1;
  }
  for (const [i, value] of values.entries()) if (value === Infinity) values[i] = next++;
  return Float64Array.from(values);
}

describe('orders', () => {
  const isDescending = (/** @type {Float64Array} */ keys, /** @type {Int32Array} */ order) => {
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      Array.from(keys.keys()),
    );
    for (let i = 1; i < order.length; i++) assert.ok(keys[order[i - 1]] >= keys[order[i]], String(i));
  };
  const sizes = [0, 1, 2, 3, 15, 16, 17, 18, 31, 32, 33, 64, 65, 100, 300, 1000];
  for (const size of sizes)
    test(`of ${size}`, () => {
      for (const keys of [
        shuffled(size),
        shuffled(size).sort(),
        shuffled(size).sort().reverse(),
        adversary(size),
      ]) {
        isDescending(keys, numpyDescending(keys));
        isDescending(keys, sortDescending(Int32Array.from(keys.keys()), keys));
      }
    });
  test('equal scores keep their order', () => {
    const keys = Float64Array.from({ length: 200 }, (_, i) => i % 3);
    const order = sortDescending(Int32Array.from(keys.keys()), keys);
    for (let i = 1; i < 200; i++)
      if (keys[order[i]] === keys[order[i - 1]]) assert.ok(order[i - 1] < order[i]);
  });
  test('rows that are a part of all', () => {
    const keys = Float64Array.of(5, 9, 1, 7);
    assert.deepEqual([...sortDescending(Int32Array.of(3, 2, 0), keys)], [3, 0, 2]);
  });
  // Of NumPy 2.4.6 without vector instructions. The last numbers send the quicksort so deep that the rest is sorted by heapsort.
  for (const [keys, order] of [
    ['0 3 1 0 3 3 3 3 1 3 1 2 0 3 2 0', '13 9 7 6 5 4 1 14 11 10 8 2 15 12 3 0'],
    ['3 3 2 2 3 0 1 2 3 2 1 2 1 0 2 2 3', '16 4 1 8 0 11 9 15 7 3 2 14 12 10 6 5 13'],
    ['0 3 1 2 0 1 2 0 2 0 1 3 2 2 1 0 3', '16 11 1 3 6 8 12 13 10 5 2 14 9 15 7 4 0'],
    ['1 1 3 2 0 0 1 0 3 2 3 3 2 0 2 3 2 2', '8 15 2 11 10 9 3 16 17 12 14 6 1 0 7 5 4 13'],
    [
      '0 28 2 25 4 26 6 25 8 28 10 26 12 24 14 25 16 28 18 25 20 25 30 23 25 25 23 27 25 28 26 30 27 29 23 1 3 5 7 9 11 13 15 17 19 21 30 24 22 22 26 24 23 24 24 25 26 29 27 23 25 23 22 23 26 22 24 23 25 23 26 29',
      '46 31 22 71 33 57 1 29 9 17 27 58 32 11 70 50 56 5 64 30 28 24 15 3 25 7 68 19 60 21 55 51 47 13 66 54 53 59 34 23 26 52 69 67 61 63 48 49 62 65 45 20 44 18 43 16 42 14 41 12 40 10 39 8 38 6 37 4 36 2 35 0',
    ],
  ])
    test(`of ${keys.split(' ').length} that NumPy has sorted`, () => {
      const found = numpyDescending(Float64Array.from(keys.split(' '), Number));
      assert.equal(found.join(' '), order);
    });
  test('of many that are sorted, and of many that are equal', () => {
    for (const keys of [new Float64Array(2000), Float64Array.from({ length: 2000 }, (_, i) => i % 7)])
      isDescending(keys, numpyDescending(keys));
  });
});

/** @param {number[]} ids @returns {GroundTruth} */
const truthOf = (ids, extra = {}) => ({
  images: ids.map((id) => ({ id, width: 100, height: 100 })),
  categories: [
    { id: 1, name: 'cat' },
    { id: 2, name: 'dog' },
  ],
  annotations: ids.map((id) => ({
    id: id + 1,
    image_id: id,
    category_id: 1,
    bbox: [10, 10, 40, 40],
    area: 1600,
    iscrowd: 0,
  })),
  ...extra,
});

describe('detections that count', () => {
  const scores = Float64Array.of(0.5, 0.9, 0.1, 0.7, 0.7, 0.2);
  test('are those that are not ignored at the first threshold', () => {
    const [rows, none] = [Int32Array.of(3, 0, 5), Int32Array.of(0, 0, 0)];
    const matches = { rows, hits: [Int32Array.of(1, 2, 3)], ignored: [Int32Array.of(2, 1, 0)] };
    const { score, isHit, row } = scoredOf(/** @type {any} */ (matches), scores);
    assert.deepEqual([[...score], [...isHit], [...row]], [[0.7, 0.2], [1, 1], [3, 5]]); // prettier-ignore
    const all = scoredOf(/** @type {any} */ ({ ...matches, ignored: [none] }), scores);
    assert.deepEqual([[...all.isHit], [...all.row]], [[1, 0, 1], [3, 0, 5]]); // prettier-ignore
  });
  test('are merged by score, those of one score in their order', () => {
    const lists = [[1, 3], [], [4, 0, 5], [2]].map((rows) => ({
      score: Float64Array.from(rows, (row) => scores[row]),
      isHit: Uint8Array.from(rows, (row) => row % 2),
      row: Int32Array.from(rows),
    }));
    const { score, isHit, row } = mergeScored(lists);
    assert.deepEqual([...row], [1, 3, 4, 0, 5, 2]);
    assert.deepEqual([...score], [0.9, 0.7, 0.7, 0.5, 0.2, 0.1]);
    assert.deepEqual([...isHit], [1, 1, 0, 0, 1, 0]);
  });
});

test('image labels of an unknown image or category are left out, and noted', () => {
  const { imageLabels, notes } = tabulate(
    truthOf([0, 4], {
      imageLabels: [
        { image_id: 9, category_id: 1 },
        { image_id: 4, category_id: 1 },
        { image_id: 4, category_id: 9, positive: false },
        { image_id: 0, category_id: 8 }, // which a detection names
        { image_id: 0, category_id: 2, positive: false },
      ],
    }),
    [{ image_id: 0, category_id: 8, score: 1, bbox: [0, 0, 1, 1] }],
  );
  assert.deepEqual(imageLabels, [
    { image: 1, category: 0, positive: true },
    { image: 0, category: 1, positive: false },
  ]);
  assert.deepEqual(
    notes.map(({ code, count }) => [code, count]),
    [
      ['UNKNOWN_CATEGORY_detections', 1],
      ['UNKNOWN_IMAGE_imageLabels', 1],
      ['UNKNOWN_CATEGORY_imageLabels', 2],
    ],
  );
});

describe('image labels', () => {
  const found = [
    { image_id: 0, category_id: 2, score: 0.9, bbox: [0, 0, 10, 10] },
    { image_id: 0, category_id: 1, score: 0.8, bbox: [10, 10, 40, 40] },
  ];
  /** @param {unknown} positive */
  const judge = (positive) => {
    const imageLabels = [{ image_id: 0, category_id: 2, ...(positive !== undefined && { positive }) }];
    return evaluateDetections(truthOf([0], { imageLabels }), found, { measures: ['openImages'] });
  };
  for (const positive of [true, false, 1, 0, undefined])
    test(`positive: ${positive}`, () => assert.ok(judge(positive).openImages));
  for (const positive of [2, -1, 0.5, 'yes', null, NaN])
    test(`positive: ${positive} is refused`, () =>
      assert.throws(() => judge(positive), { code: 'INVALID_ENTRY', message: /has positive/ }));
});

describe('a hierarchy', () => {
  const hierarchy = {
    LabelName: 'root',
    Subcategory: [
      {
        LabelName: 'animal',
        Subcategory: [{ LabelName: 'cat' }, { LabelName: 'dog', Subcategory: [{ LabelName: 'puppy' }] }],
      },
      { LabelName: 'pet', Subcategory: [{ LabelName: 'cat' }] },
    ],
  };
  const categories = ['animal', 'cat', 'dog', 'puppy', 'pet'].map((name, id) => ({ id, name }));
  /** @param {number} category @param {any[]} [imageLabels] */
  const expanded = (category, imageLabels) => {
    const [annotation] = truthOf([0]).annotations;
    return expandHierarchy(
      {
        images: [{ id: 0 }],
        categories,
        annotations: [{ ...annotation, category_id: category }],
        ...(imageLabels && { imageLabels }),
      },
      hierarchy,
    );
  };
  const classesOf = (/** @type {{category_id: unknown}[]} */ list) => list.map(({ category_id: id }) => id);
  test('adds a copy for each class above, in every branch', () => {
    assert.deepEqual(classesOf(expanded(1).annotations), [1, 0, 4]);
    assert.deepEqual(classesOf(expanded(3).annotations), [3, 0, 2]);
    assert.deepEqual(classesOf(expanded(0).annotations), [0]);
    assert.equal(expanded(1).imageLabels, undefined);
  });
  test('a label holds above its class, its absence below', () => {
    const label = (/** @type {object} */ more) => [{ image_id: 0, category_id: 2, ...more }];
    assert.deepEqual(classesOf(expanded(0, label({ positive: true })).imageLabels ?? []), [2, 0]);
    assert.deepEqual(classesOf(expanded(0, label({})).imageLabels ?? []), [2, 0]);
    assert.deepEqual(classesOf(expanded(0, label({ positive: false })).imageLabels ?? []), [2, 3]);
  });
  test('classes are named by their MIDs, names or ids', () => {
    const truth = (/** @type {object[]} */ of) => ({
      ...truthOf([0]),
      categories: of,
      annotations: [{ ...truthOf([0]).annotations[0], category_id: 'cat' }],
    });
    const byMid = expandHierarchy(
      /** @type {any} */ (
        truth([
          { id: 'cat', name: 'x', mid: 'cat' },
          { id: 7, name: 'animal' },
          { id: 'pet', name: 'y' },
        ])
      ),
      hierarchy,
    );
    assert.deepEqual(classesOf(byMid.annotations), ['cat', 7, 'pet']);
  });
  /** @type {[string, any, string, RegExp][]} */
  const refused = [
    ['no object', [hierarchy], 'DATASET_DAMAGED', /the hierarchy is not an object/],
    ['null', null, 'DATASET_DAMAGED', /the hierarchy is not an object/],
    ['text', 'root', 'DATASET_DAMAGED', /the hierarchy is not an object/],
    ['no name', { Subcategory: [{}] }, 'DATASET_DAMAGED', /has no LabelName/],
    ['a node that is null', { Subcategory: [null] }, 'DATASET_DAMAGED', /has no LabelName/],
    [
      'children that are no list',
      { Subcategory: { LabelName: 'a' } },
      'DATASET_DAMAGED',
      /a Subcategory of the hierarchy is not a list/,
    ],
    [
      'without a class of the data set',
      { Subcategory: [{ LabelName: 'cat' }] },
      'DATASET_INCOMPLETE',
      /does not have the class with id 0/,
    ],
  ];
  for (const [name, root, code, message] of refused)
    test(`${name} is refused`, () =>
      assert.throws(
        () =>
          expandHierarchy(
            {
              images: [{ id: 0 }],
              categories,
              annotations: [{ ...truthOf([0]).annotations[0], category_id: 0 }],
            },
            root,
          ),
        { code, message },
      ));
  test('101 levels, and 102', () => {
    const deep = (/** @type {number} */ levels) => {
      /** @type {any} */
      let node = { LabelName: 'animal' };
      for (let i = 1; i < levels; i++) node = { LabelName: `n${i}`, Subcategory: [node] };
      return {
        LabelName: 'root',
        Subcategory: [node, ...categories.map(({ name }) => ({ LabelName: name }))],
      };
    };
    const given = {
      images: [{ id: 0 }],
      categories,
      annotations: [{ ...truthOf([0]).annotations[0], category_id: 0 }],
    };
    assert.equal(expandHierarchy(given, deep(101)).annotations.length, 1);
    assert.throws(() => expandHierarchy(given, deep(102)), {
      code: 'DATASET_DAMAGED',
      message: /deeper than 100/,
    });
  });
});

describe('the time of an image', () => {
  /** @param {number[]} times */
  const timed = async (times) => {
    const data = await readDataset({
      'annotations.json': new TextEncoder().encode(JSON.stringify(truthOf(Array.from(times.keys())))),
    });
    const pictures = new Map(times.map((_, id) => [id, `${id}.png`]));
    let runs = 0;
    const detector = {
      labels: [{ name: 'cat' }, { name: 'dog' }],
      detect: async () => ({
        detections: [],
        size: { width: 100, height: 100 },
        ms: { decode: 0, network: times[runs++] },
      }),
    };
    const files = { ...data.files, read: async () => new Uint8Array(1) };
    const { msPerImage } = await runDetector(
      /** @type {any} */ (detector),
      /** @type {any} */ ({ ...data, files, pictures }),
    );
    return msPerImage;
  };
  for (const [times, expected] of /** @type {[number[], number][]} */ ([
    [[7], 7],
    [[9, 1, 4], 4],
    [[9, 1, 4, 2], 3],
    [[100, 20, 3, 1000, 5], 20],
  ]))
    test(`the median of ${times}`, async () => assert.equal(await timed(times), expected));
});

describe('the titles of a report', () => {
  const evaluation = evaluateDetections(
    truthOf([0]),
    [{ image_id: 0, category_id: 1, score: 0.9, bbox: [10, 10, 40, 40] }],
    { threshold: 0.5 },
  );
  const titlesOf = (/** @type {string[]} */ names) => {
    const runs = names.map((name) => ({ name, evaluation }));
    const files = makeEvaluationReport(runs, { dataset: 'd', date: new Date(0) });
    return [...String(files['report.md']).matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  };
  test('name the model only if there are several', () => {
    assert.ok(titlesOf(['first']).includes('Classes'));
    assert.ok(titlesOf(['first']).every((title) => !title.includes('first')));
    const both = titlesOf(['first', 'second']);
    assert.ok(
      both.includes('Classes: first') && both.includes('Classes: second') && !both.includes('Classes'),
    );
  });
  test('and give the figures that were measured, and the day', () => {
    const textOf = (/** @type {any} */ measured) =>
      String(makeEvaluationReport([{ name: 'a', evaluation: measured }], { dataset: 'd', date: new Date(0) })['report.md']); // prettier-ignore
    const all = textOf(evaluation);
    const few = textOf(evaluateDetections(truthOf([0]), [], { measures: [] }));
    assert.match(all, /VOC 2007 mAP \| VOC 2010 mAP \| calibration error/);
    assert.doesNotMatch(few, /VOC 2007|calibration error/);
    for (const text of [all, few]) assert.match(text, /\b1970-01-01\./);
  });
  test('each model has pictures of its own', () => {
    const runs = ['a', 'b', 'c'].map((name) => ({ name, evaluation }));
    const names = Object.keys(makeEvaluationReport(runs, { dataset: 'd', date: new Date(0) }));
    for (const start of ['precision-recall', 'calibration'])
      assert.deepEqual(
        names.filter((name) => name.startsWith(start)).sort(),
        ['-2', '-3', ''].map((end) => `${start}${end}.svg`),
      );
  });
});

describe('files of detections', () => {
  const truth = truthOf([0]);
  test('an empty list is one of COCO', () => {
    const { detections, notes } = readDetections('[]', 'd.json', truth);
    assert.deepEqual([detections, notes], [[], []]);
  });
  test('no list is refused', () => {
    for (const text of ['7', '"a"', 'null'])
      assert.throws(() => readDetections(text, 'd.json', truth), {
        code: 'DATASET_DAMAGED',
        message: /d\.json: expected a list/,
      });
  });
});

test('Open Images without pictures names its images by their ids, those with pictures by the files', async () => {
  const header =
    'ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n';
  const text = `${header}a,x,/m/1,1,0.1,0.6,0.1,0.6,0,0,0,0,0\n`;
  const { groundTruth } = await readDataset({ 'boxes.csv': new TextEncoder().encode(text) });
  assert.deepEqual(groundTruth.images, [{ id: 'a', file_name: 'a' }]);
});
