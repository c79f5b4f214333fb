// How a training's detections are found and judged, against numbers that are written here: boxes in eighths, which floats
// hold.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { averagePrecision, suppress } from '../../../wasm/train/detect/score.js';

/** @typedef {[box: number[], ...logits: number[]]} Anchor */

/** @param {Anchor[]} anchors @param {number[]} [wanted] */
const found = (anchors, wanted = [0]) => {
  const [, ...first] = anchors[0];
  const boxes = Float32Array.from(anchors.flatMap(([box]) => box));
  const logits = Float32Array.from(anchors.flatMap(([, ...each]) => each));
  return suppress({ boxes, logits }, first.length, wanted);
};
/** A box as high as the image. @param {number} xmin @param {number} xmax */
const wide = (xmin, xmax) => [0, xmin, 1, xmax];

describe('detections of a training', () => {
  test('are those of the columns that are asked for, by descending score', () => {
    const anchors = /** @type {Anchor[]} */ ([
      [wide(0, 0.25), 9, -2, 0.5],
      [wide(0.5, 0.75), 9, 3, 0.5],
      [wide(0.75, 1), 9, 1, 2],
    ]);
    assert.deepEqual(found(anchors, [2, 1]), [
      { label: 0, score: 2, box: wide(0.75, 1) },
      { label: 0, score: 0.5, box: wide(0, 0.25) },
      { label: 0, score: 0.5, box: wide(0.5, 0.75) },
      { label: 1, score: 3, box: wide(0.5, 0.75) },
      { label: 1, score: 1, box: wide(0.75, 1) },
      { label: 1, score: -2, box: wide(0, 0.25) },
    ]);
  });

  test('have boxes within the image, of some size', () => {
    const anchors = /** @type {Anchor[]} */ ([
      [[-1, 0.25, 0.5, 2], 5],
      [[0.5, 0, 0.5, 1], 4],
      [[0, 0.5, 1, 0.5], 3],
      [[0.75, 0, 0.5, 1], 2],
      [[2, 0, 3, 1], 1],
    ]);
    assert.deepEqual(found(anchors), [{ label: 0, score: 5, box: [0, 0.25, 0.5, 1] }]);
  });

  // The intersection over the union of a box and one within it is the quotient of their sizes.
  for (const [inner, isKept] of /** @type {[number, boolean][]} */ ([
    [0.25, true],
    [0.375, true], // 0.6
    [0.5, false],
    [0.625, false],
  ]))
    test(`that cover ${inner} of 0.625 stay: ${isKept}`, () => {
      for (const turn of [
        (/** @type {number[]} */ box) => box,
        (/** @type {number[]} */ [ymin, xmin, ymax, xmax]) => [xmin, ymin, xmax, ymax],
      ]) {
        const anchors = /** @type {Anchor[]} */ ([
          [turn(wide(0.25, 0.875)), 2],
          [turn(wide(0.25, 0.25 + inner)), 1],
        ]);
        assert.equal(found(anchors).length, isKept ? 2 : 1);
      }
    });

  test('that do not overlap all stay', () => {
    const anchors = /** @type {Anchor[]} */ ([
      [[0, 0, 0.5, 0.5], 4],
      [[0, 0.5, 0.5, 1], 3],
      [[0.5, 0, 1, 0.5], 2],
      [[0.625, 0.625, 1, 1], 1],
    ]);
    assert.equal(found(anchors).length, 4);
  });

  test('are a hundred of a class at most, of its best 400 anchors', () => {
    const apart = Array.from(
      { length: 101 },
      (_, i) => /** @type {Anchor} */ ([wide(i / 128, (i + 1) / 128), -i]),
    );
    assert.deepEqual(
      found(apart).map(({ score }) => -score),
      Array.from({ length: 100 }, (_, i) => i),
    );
    const same = (/** @type {number} */ count) =>
      Array.from({ length: count }, () => /** @type {Anchor} */ ([wide(0, 0.5), 1]));
    const other = /** @type {Anchor} */ ([wide(0.5, 1), 0]);
    assert.equal(found([...same(399), other]).length, 2);
    assert.equal(found([...same(400), other]).length, 1);
  });
});

describe('the AP of a training', () => {
  const target = (/** @type {number[]} */ box, label = 0, ignore = 0) =>
    /** @type {any} */ ({ label, box, ignore });
  const at = (/** @type {number[]} */ box, score = 1, label = 0) => ({ label, score, box });
  const figures = (/** @type {any[]} */ images) =>
    Object.values(averagePrecision(images, ['cat', 'dog'])).map((value) => Number(value.toFixed(6)));

  // COCO's thresholds are 0.5, 0.55 ... 0.95.
  for (const [box, ap] of /** @type {[number[], number][]} */ ([
    [[0, 0.5, 1, 1], 1],
    [[0, 0.5, 1, 0.75], 0.1],
    [[0, 0.5, 0.5, 1], 0.1],
    [[0.25, 0.5, 1, 1], 0.6],
    [[0, 0.625, 1, 1], 0.6],
    [[0, 0.5, 1, 0.625], 0],
  ]))
    test(`of the box ${box} is ${ap}`, () =>
      assert.deepEqual(figures([{ targets: [target([0, 0.5, 1, 1])], found: [at(box)] }]), [
        ap,
        Math.ceil(ap),
      ]));

  test('is the mean of the classes, image by image', () => {
    const box = [0, 0, 0.5, 0.5];
    const cat = { targets: [target(box)], found: [at(box, 2), at(box, 1, 1)] };
    const dog = { targets: [target(box, 1)], found: [at(box, 3, 1)] };
    assert.deepEqual(figures([cat, dog]), [1, 1]);
    assert.deepEqual(figures([cat, { ...dog, found: [] }]), [0.5, 0.5]);
    assert.deepEqual(figures([{ ...cat, found: [at(box, 2), at(box, 4, 1)] }, dog]), [0.75, 0.75]);
    assert.deepEqual(figures([{ ...cat, found: [] }, dog]), [0.5, 0.5]);
    assert.deepEqual(figures([{ targets: [], found: [at(box)] }]), [0, 0]);
  });

  test('leaves out crowds', () => {
    const [left, right] = [wide(0, 0.5), wide(0.5, 1)];
    const image = { targets: [target(left), target(right, 0, 1)], found: [at(right, 2), at(left, 1)] };
    assert.deepEqual(figures([image]), [1, 1]);
  });
});
