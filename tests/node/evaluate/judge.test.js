// The figures of ocelli/evaluate against those of pycocotools, TensorFlow's object detection API and tidecv.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { evaluateDetections } from '../../../wasm/evaluate/index.js';
import { measureOpenImages } from '../../../wasm/evaluate/measure/open_images.js';
import { tabulate } from '../../../wasm/evaluate/measure/table.js';

const DATA = new URL('../../data/evaluate/', import.meta.url);
const CASES = readdirSync(DATA).map((name) => ({
  name,
  ...JSON.parse(gunzipSync(readFileSync(new URL(name, DATA))).toString()),
}));

/**
 * @param {number | null | undefined} found
 * @param {number | null} expected
 * @param {number} tolerance
 * @param {string} what
 */
function assertNear(found, expected, tolerance, what) {
  if (expected === null) return assert.equal(found, null, what);
  assert.ok(
    typeof found === 'number' && Math.abs(found - expected) <= tolerance,
    `${what}: ${found}, not ${expected}`,
  );
}

for (const { name, truth, detections, hierarchy, expected } of CASES) {
  describe(`data set ${name}`, () => {
    const found = evaluateDetections(truth, detections, { openImagesRule: 'v2' });
    const ofClass = (/** @type {string} */ id) => found.classes.find((each) => String(each.id) === id);

    test('COCO', () => {
      for (const [key, value] of Object.entries(expected.coco))
        assertNear(found.coco[/** @type {keyof typeof found.coco} */ (key)], value, 1e-12, key);
      for (const [id, value] of Object.entries(expected.cocoPerClass))
        assertNear(ofClass(id)?.coco.AP, value, 1e-12, `AP of class ${id}`);
      const agnostic = evaluateDetections(truth, detections, { agnostic: true, measures: [] });
      for (const [key, value] of Object.entries(expected.cocoAgnostic))
        assertNear(
          agnostic.coco[/** @type {keyof typeof agnostic.coco} */ (key)],
          value,
          1e-12,
          `agnostic ${key}`,
        );
    });

    test('Open Images and Pascal VOC', () => {
      const runs = /** @type {const} */ ([
        ['openImages', { openImagesRule: 'v2' }],
        ['challenge', { openImagesRule: 'challenge' }],
        ['challengeExpanded', { openImagesRule: 'challenge', hierarchy }],
      ]);
      for (const [key, options] of runs) {
        const { openImages, classes } = evaluateDetections(truth, detections, {
          ...options,
          measures: ['openImages'],
        });
        assertNear(openImages?.mAP, expected[key].mAP, 1e-9, key);
        for (const { id, openImages: ap } of classes)
          assertNear(ap, expected[key].perClass[id], 1e-9, `${key} ${id}`);
      }
      assertNear(found.voc?.mAP2010, expected.voc2010.mAP, 1e-9, 'VOC 2010');
      for (const { id, voc2010 } of found.classes)
        assertNear(voc2010, expected.voc2010.perClass[id], 1e-9, `VOC ${id}`);
    });

    test('TIDE', () => {
      if (expected.tide === null) return; // tidecv fails: mending leaves no class
      for (const [key, value] of Object.entries(expected.tide))
        if (key === 'counts') assert.deepEqual(found.tide?.counts, value);
        else assertNear(found.tide?.[key], value, 1e-9, key);
    });
  });
}

// ---- the object detection API's own test cases, of object_detection_evaluation_test.py ----

const ANIMALS = [
  { id: 1, name: 'cat' },
  { id: 2, name: 'dog' },
  { id: 3, name: 'elephant' },
];

/** @param {number[]} corners ymin, xmin, ymax, xmax */
const toBox = ([ymin, xmin, ymax, xmax]) =>
  /** @type {[number, number, number, number]} */ ([xmin, ymin, xmax - xmin, ymax - ymin]);

/**
 * @param {string} image
 * @param {[number[], number, object?][]} rows corners, class, flags
 */
const annotate = (image, rows) =>
  rows.map(([corners, label, flags]) => ({
    image_id: image,
    category_id: label,
    bbox: toBox(corners),
    ...flags,
  }));

/** @param {string} image @param {[number[], number, number][]} rows */
const detect = (image, rows) =>
  rows.map(([corners, label, score]) => ({
    image_id: image,
    category_id: label,
    bbox: toBox(corners),
    score,
  }));

const IMAGES = ['img1', 'img2', 'img3'].map((id) => ({ id }));
const FIRST = [
  [0, 0, 1, 1],
  [0, 0, 2, 2],
  [0, 0, 3, 3],
];
const SECOND = [
  [10, 10, 11, 11],
  [500, 500, 510, 510],
  [10, 10, 12, 12],
];

describe("the object detection API's own cases", () => {
  const annotations = (/** @type {object} */ flag) => [
    ...annotate('img1', [
      [FIRST[0], 1],
      [FIRST[1], 3],
      [FIRST[2], 1],
    ]),
    ...annotate('img2', [
      [SECOND[0], 1],
      [SECOND[1], 1, flag],
      [SECOND[2], 3],
    ]),
    ...annotate('img3', [[FIRST[0], 2]]),
  ];
  const detections = detect('img2', [
    [[10, 10, 11, 11], 1, 0.7],
    [[100, 100, 120, 120], 1, 0.8],
    [[100, 100, 220, 220], 3, 0.9],
  ]);

  test('OpenImagesV2EvaluationTest', () => {
    const truth = { images: IMAGES, categories: ANIMALS, annotations: annotations({ isGroupOf: true }) };
    const { openImages, classes } = evaluateDetections(truth, detections);
    assert.deepEqual(
      classes.map(({ openImages: ap }) => ap),
      [1 / 6, 0, 0],
    );
    assertNear(openImages?.mAP, 1 / 18, 1e-9, 'mAP');
  });

  test('PascalEvaluationTest', () => {
    const truth = { images: IMAGES, categories: ANIMALS, annotations: annotations({ difficult: true }) };
    const { voc, classes } = evaluateDetections(truth, detections);
    assert.deepEqual(
      classes.map(({ voc2010 }) => voc2010),
      [1 / 6, 0, 0],
    );
    assertNear(voc?.mAP2010, 1 / 18, 1e-9, 'mAP');
  });

  test('OpenImagesChallengeEvaluatorTest', () => {
    const truth = {
      images: IMAGES,
      categories: ANIMALS,
      annotations: [
        ...annotate('img1', [
          [FIRST[0], 1],
          [FIRST[1], 3],
          [FIRST[2], 1, { isGroupOf: true }],
        ]),
        ...annotate('img2', [
          [SECOND[0], 1],
          [SECOND[1], 1],
          [SECOND[2], 3, { isGroupOf: true }],
        ]),
        ...annotate('img3', [[FIRST[0], 2]]),
      ],
      imageLabels: [1, 2, 3].map((id) => ({ image_id: 'img1', category_id: id })),
    };
    const found = [
      ...detect('img1', [
        [[10, 10, 11, 11], 2, 0.7],
        [[100, 100, 120, 120], 2, 0.8],
      ]),
      ...detect('img2', [
        [[10, 10, 11, 11], 1, 0.7],
        [[100, 100, 120, 120], 1, 0.8],
        [[100, 100, 220, 220], 2, 0.5],
        [[10, 10, 11, 11], 3, 0.9],
      ]),
      ...detect('img3', [[[0, 0, 1, 1], 2, 0.5]]),
    ];
    const { openImages, classes } = evaluateDetections(truth, found, { groupWeight: 0.5 });
    assert.equal(openImages?.rule, 'challenge');
    assertNear(openImages?.mAP, 0.269841269, 1e-9, 'mAP');
    for (const [i, ap] of [0.142857142857, 1 / 3, 1 / 3].entries())
      assertNear(classes[i].openImages, ap, 1e-9, classes[i].name);
  });

  test('one detection in a group counts, with the best score', () => {
    // SingleClassTpFpWithGroupOfBoxesTestWeighted.test_match_two_to_group_of_box
    const truth = {
      images: [{ id: 0 }],
      categories: [{ id: 0, name: 'x' }],
      annotations: annotate('', [
        [[0, 0, 1, 1], 0],
        [[0, 0, 5, 5], 0, { isGroupOf: 1 }],
        [[10, 10, 20, 20], 0, { isGroupOf: 1 }],
      ]).map((annotation) => ({ ...annotation, image_id: 0 })),
    };
    const found = detect('', [
      [[0, 0, 1, 1], 0, 0.8],
      [[0, 0, 2, 1], 0, 0.6],
      [[0, 0, 3, 1], 0, 0.5],
    ]).map((each) => ({ ...each, image_id: 0 }));
    const { perCategory } = measureOpenImages(tabulate(truth, found), { rule: 'v2', groupWeight: 1 });
    // Three objects; the single one and one group are found, without a false positive.
    assertNear(perCategory[0], 2 / 3, 1e-12, 'AP');
  });
});

describe('Pascal VOC 2007', () => {
  test('takes the highest precision at 11 recalls', () => {
    const at = (/** @type {number} */ x) => /** @type {[number, number, number, number]} */ ([x, 0, 10, 10]);
    const truth = {
      images: [{ id: 1 }],
      categories: [{ id: 1, name: 'x' }],
      annotations: [0, 100].map((x) => ({ image_id: 1, category_id: 1, bbox: at(x) })),
    };
    const found = [at(0), at(50), at(100)].map((bbox, i) => ({
      image_id: 1,
      category_id: 1,
      bbox,
      score: 0.9 - i / 10,
    }));
    // Precision is 1 up to a recall of 0.5 (6 points), and 2/3 up to 1 (5 points).
    const { voc } = evaluateDetections(truth, found);
    assertNear(voc?.mAP2007, (6 + 5 * (2 / 3)) / 11, 1e-12, 'VOC 2007');
    assertNear(voc?.mAP2010, (1 + 2 / 3) / 2, 1e-12, 'VOC 2010');
  });
});
