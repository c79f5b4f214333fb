// Which part of an image the network sees, grey inputs, named normalizations, and classifiers with one output.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { ImageClassifier, ObjectDetector } from '../../../wasm/platform/node.js';
import { tinyDetector, TINY_ANCHORS } from '../../fuzz/tiny_models.js';
import { graphModel } from '../convert/graph_model.js';

const FLOAT = { T: { type: 'DT_FLOAT' } };
const LUMINANCE = [0.299, 0.587, 0.114];
const luminance = (/** @type {number[]} */ rgb) =>
  rgb.reduce((sum, value, c) => sum + value * LUMINANCE[c], 0);

/** A network that gives its input back as one row. @param {number[]} shape @param {object} [options] */
async function copying(shape, options) {
  const nodes = [
    { name: 'twice', op: 'Mul', input: ['x', 'two'], attr: FLOAT },
    { name: 'y', op: 'Reshape', input: ['twice', 'to'], attr: FLOAT },
  ];
  const length = shape.slice(1).reduce((a, b) => a * b);
  const to = { shape: [2], values: [-1, length], dtype: /** @type {const} */ ('int32') };
  const constants = { two: { shape: [], values: [2] }, to };
  return (await convert(graphModel(shape, nodes, constants, ['y']), options)).model;
}

/** An RGB image whose every pixel is different. @param {number} width @param {number} height */
function picture(width, height) {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 37) % 251);
  return { data, width, height, channels: /** @type {const} */ (3) };
}

/**
 * What the network receives, in pixels.
 * @param {Uint8Array} model
 * @param {any} input
 * @param {any} image
 * @param {any} [options]
 */
async function seen(model, input, image, options) {
  const classifier = await ImageClassifier.create({ model, input, scores: 'none' });
  const { classes } = await classifier.classify(image, { topK: 1000, ...options });
  classifier.close();
  return classes.sort((a, b) => a.labelId - b.labelId).map(({ score }) => Math.round(score * 500) / 1000);
}

const PIXELS = { scale: 1, offset: 0, resize: 'half-pixel' };
const pixel = (
  /** @type {ReturnType<typeof picture>} */ { data, width },
  /** @type {number} */ x,
  /** @type {number} */ y,
) => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];

describe('fit', () => {
  test('crop takes the centre, of wide and of tall images', async () => {
    const model = await copying([-1, 2, 2, 3]);
    for (const [width, height, left, top] of [
      [6, 2, 2, 0],
      [5, 2, 1, 0],
      [2, 4, 0, 1],
    ]) {
      const image = picture(width, height);
      const expected = [0, 1].flatMap((y) => [0, 1].flatMap((x) => pixel(image, left + x, top + y)));
      assert.deepEqual(await seen(model, { ...PIXELS, fit: 'crop' }, image), expected);
    }
  });

  test('contain adds black borders', async () => {
    const model = await copying([-1, 4, 4, 3]);
    const image = picture(4, 2);
    const black = Array.from({ length: 12 }, () => 0);
    const expected = [...black, ...image.data, ...black];
    assert.deepEqual(await seen(model, { ...PIXELS, fit: 'contain' }, image), expected);
  });

  test('contain shows nothing beside the region', async () => {
    const image = picture(6, 6);
    const roi = { x: 1, y: 2, width: 4, height: 2 };
    const black = Array.from({ length: 12 }, () => 0);
    const rows = [2, 3].flatMap((y) => [1, 2, 3, 4].flatMap((x) => pixel(image, x, y)));
    const model = await copying([-1, 4, 4, 3]);
    assert.deepEqual(await seen(model, { ...PIXELS, fit: 'contain' }, image, { roi }), [...black, ...rows, ...black]); // prettier-ignore
    const grey = await copying([-1, 4, 4, 1]);
    const row = Array.from({ length: 4 }, () => 0);
    const greys = [2, 3].flatMap((y) => [1, 2, 3, 4].map((x) => luminance(pixel(image, x, y))));
    const found = await seen(grey, { ...PIXELS, fit: 'contain' }, image, { roi });
    [...row, ...greys, ...row].forEach((value, i) => assert.ok(Math.abs(found[i] - value) < 0.01));
  });

  for (const [name, size, roi] of /** @type {[string, number[], number[] | undefined][]} */ ([
    ['a wide image', [16, 8], undefined],
    ['a tall image', [8, 16], undefined],
    ['a region', [20, 30], [3, 5, 16, 8]],
  ]))
    test(`with contain, boxes are those in a picture with borders, cut to ${name}`, async () => {
      const image = picture(size[0], size[1]);
      const [left, top, width, height] = roi ?? [0, 0, ...size];
      const side = Math.max(width, height);
      const [x, y] = [(side - width) / 2, (side - height) / 2];
      const bordered = { data: new Uint8Array(side * side * 3), width: side, height: side };
      for (let row = 0; row < height; row++)
        for (let column = 0; column < width; column++)
          bordered.data.set(pixel(image, left + column, top + row), ((y + row) * side + x + column) * 3);
      const options = /** @type {any} */ ({
        ...{ model: tinyDetector(), labels: ['a', 'b', 'c'], layer: 't3' },
        ...{ scoreThreshold: 0, iouThreshold: 1 },
        ssd: {
          ...{ anchors: Float32Array.from(TINY_ANCHORS.flat()), boxCoder: [1, 1, 1, 1] },
          ...{ scores: 'sigmoid', background: false },
        },
      });
      const input = /** @type {const} */ ({ scale: 1 / 127.5, offset: -1, resize: 'half-pixel' });
      const [stretching, containing] = await Promise.all(
        /** @type {const} */ (['stretch', 'contain']).map((fit) =>
          ObjectDetector.create({ ...options, input: { ...input, fit } }),
        ),
      );
      const features = /** @type {const} */ ('boxes');
      const all = (await stretching.detect(bordered, { features })).detections;
      const expected = all.flatMap(({ box, ...rest }) => {
        const [x0, y0] = [Math.max(box.x - x, 0), Math.max(box.y - y, 0)];
        const [x1, y1] = [Math.min(box.x + box.width - x, width), Math.min(box.y + box.height - y, height)];
        return x1 > x0 && y1 > y0 ? [{ ...rest, box: [left + x0, top + y0, x1 - x0, y1 - y0] }] : [];
      });
      const region = roi && { roi: { x: left, y: top, width, height } };
      const { detections } = await containing.detect(image, { ...region, features });
      assert.ok(expected.length > 0 && expected.length < all.length, `${expected.length} of ${all.length}`);
      assert.equal(detections.length, expected.length);
      for (const [i, { box, ...rest }] of detections.entries()) {
        const { box: numbers, ...others } = expected[i];
        assert.deepEqual(rest, others);
        [box.x, box.y, box.width, box.height].forEach((value, k) =>
          assert.ok(Math.abs(value - numbers[k]) < 1e-4, `${value}, not ${numbers[k]}`),
        );
      }
      for (const { box } of detections) await containing.detect(image, { roi: box });
      stretching.close();
      containing.close();
    });

  test('of a region and a turned image', async () => {
    const model = await copying([-1, 2, 2, 3]);
    const image = picture(9, 4);
    const roi = { x: 1, y: 1, width: 6, height: 2 };
    const at = (/** @type {[number, number][]} */ places) => places.flatMap(([x, y]) => pixel(image, x, y));
    const upright = at([
      [3, 1],
      [4, 1],
      [3, 2],
      [4, 2],
    ]);
    assert.deepEqual(await seen(model, { ...PIXELS, fit: 'crop' }, image, { roi }), upright);
    const clockwise = at([
      [3, 2],
      [3, 1],
      [4, 2],
      [4, 1],
    ]);
    assert.deepEqual(await seen(model, { ...PIXELS, fit: 'crop' }, image, { roi, rotation: 90 }), clockwise);
  });

  test('a region may reach the edges of the image, not beyond', async () => {
    const model = await copying([-1, 2, 2, 3]);
    const region = (/** @type {number[]} */ [x, y, width, height]) => ({ roi: { x, y, width, height } });
    const inside = [[0, 0, 1, 1], [3, 0, 1, 4], [0, 3, 4, 1]]; // prettier-ignore
    const outside = [[2, 0, 3, 1], [0, 2, 1, 3], [4, 0, 1, 1], [0, 4, 1, 1], [1, 1, 0, 1], [1, 1, 1, 0]]; // prettier-ignore
    for (const fit of ['stretch', 'crop', 'contain']) {
      const classifier = await ImageClassifier.create({
        ...{ model, input: /** @type {any} */ ({ ...PIXELS, fit }), scores: 'none' },
      });
      const image = picture(4, 4);
      for (const roi of inside) await classifier.classify(image, region(roi));
      for (const roi of outside)
        await assert.rejects(
          classifier.classify(image, region(roi)),
          { code: 'INVALID_ROI' },
          `${fit} ${roi}`,
        );
      classifier.close();
    }
  });

  test('another name is refused', async () => {
    const model = await copying([-1, 2, 2, 3]);
    await assert.rejects(seen(model, { ...PIXELS, fit: 'cover' }, picture(2, 2)), { code: 'INVALID_OPTION' });
  });
});

describe('grey inputs take the luminance', () => {
  const near = (/** @type {number[]} */ actual, /** @type {number[]} */ expected) => {
    assert.equal(actual.length, expected.length);
    actual.forEach((value, i) =>
      assert.ok(Math.abs(value - expected[i]) < 0.01, `${value}, not ${expected[i]}`),
    );
  };
  const image = picture(3, 2);
  const places = (/** @type {[number, number][]} */ list) =>
    list.map(([x, y]) => luminance(pixel(image, x, y)));

  test('as it is', async () => {
    const model = await copying([-1, 2, 3, 1]);
    const all = /** @type {[number, number][]} */ ([
      [0, 0],
      [1, 0],
      [2, 0],
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
    near(await seen(model, PIXELS, image), places(all));
    near(
      await seen(model, PIXELS, {
        data: Float32Array.from(image.data, (value) => value / 255),
        shape: [1, 2, 3, 3],
      }),
      places(all),
    );
  });

  test('turned each way', async () => {
    const tall = await copying([-1, 3, 2, 1]);
    near(
      await seen(tall, PIXELS, image, { rotation: 90 }),
      places([
        [0, 1],
        [0, 0],
        [1, 1],
        [1, 0],
        [2, 1],
        [2, 0],
      ]),
    );
    near(
      await seen(tall, PIXELS, image, { rotation: 270 }),
      places([
        [2, 0],
        [2, 1],
        [1, 0],
        [1, 1],
        [0, 0],
        [0, 1],
      ]),
    );
    const wide = await copying([-1, 2, 3, 1]);
    near(
      await seen(wide, PIXELS, image, { rotation: 180 }),
      places([
        [2, 1],
        [1, 1],
        [0, 1],
        [2, 0],
        [1, 0],
        [0, 0],
      ]),
    );
  });
});

test('normalizations by name, and none', async () => {
  const model = await copying([-1, 1, 1, 3]);
  const image = { data: Uint8Array.of(0, 51, 255), width: 1, height: 1, channels: 3 };
  assert.deepEqual(await seen(model, '[0,1]', image), [0, 0.2, 1]);
  assert.deepEqual(await seen(model, '[-1, 1]', image), [-1, -0.6, 1]);
  assert.deepEqual(await seen(model, '[0,255]', image), [0, 51, 255]);
  assert.deepEqual(await seen(model, 'imagenet', image), [-2.118, -1.143, 2.64]);
  await assert.rejects(seen(model, 'unit', image), { code: 'INVALID_OPTION', message: /\[0,1\]/ });
  await assert.rejects(seen(model, undefined, image), {
    code: 'MODEL_INPUT_UNKNOWN',
    message: /Pass input: '\[-1,1\]'.*--input '\[0,1\]'/,
  });
});

describe('one output is the second of two classes', () => {
  const image = { data: Uint8Array.of(0, 0, 51), width: 1, height: 1, channels: /** @type {const} */ (3) };
  for (const hasSigmoid of [false, true])
    test(hasSigmoid ? 'with a sigmoid' : 'without', async () => {
      const nodes = [
        { name: 'flat', op: 'Reshape', input: ['x', 'to'], attr: FLOAT },
        { name: hasSigmoid ? 'z' : 'y', op: 'MatMul', input: ['flat', 'k'], attr: FLOAT },
        ...(hasSigmoid ? [{ name: 'y', op: 'Sigmoid', input: ['z'], attr: FLOAT }] : []),
      ];
      const to = { shape: [2], values: [-1, 3], dtype: /** @type {const} */ ('int32') };
      const source = graphModel([-1, 1, 1, 3], nodes, { to, k: { shape: [3, 1], values: [1, 1, 10] } }, [
        'y',
      ]);
      const { model } = await convert(source, { input: '[0,1]' });
      const classifier = await ImageClassifier.create({ model, labels: ['no', 'yes'] });
      const { classes } = await classifier.classify(image);
      classifier.close();
      const yes = 1 / (1 + Math.exp(-2));
      assert.deepEqual(
        classes.map(({ label, score }) => [label, Math.round(score * 1e5)]),
        [
          ['yes', Math.round(yes * 1e5)],
          ['no', Math.round((1 - yes) * 1e5)],
        ],
      );
    });
});
