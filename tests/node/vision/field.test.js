// What detectors in the field say about themselves: score calibration and thresholds, labels with a background, boxes
// with keypoints, MediaPipe's anchors, outputs in any order. Networks pass their input on as heads, so that every number
// is known.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { encode } from 'flatbuffers/js/flexbuffers.js';
import { ImageClassifier, ObjectDetector } from '../../../wasm/platform/node.js';
import { quantize } from '../../../wasm/quantize/node.js';
import { mediaPipeAnchors } from '../../../wasm/vision/spec/mediapipe_anchors.js';
import { Builder, offsets, table } from '../../../wasm/tflite/flatbuffer.js';
import { appendFiles, appendLabels, writeMetadata } from '../../../wasm/tflite/metadata.js';
import { tinyDetector, writeModel, TINY_ANCHORS } from '../../fuzz/tiny_models.js';

const INPUT = { scale: 1 / 255, offset: 0, resize: /** @type {const} */ ('half-pixel') };
const LABELS = ['ant', 'bee', 'cicada'];
const ANCHORS = [
  [0.2, 0.2, 0.2, 0.2],
  [0.2, 0.7, 0.2, 0.2],
  [0.7, 0.2, 0.2, 0.2],
  [0.7, 0.7, 0.2, 0.2],
];
/** For each anchor, the scores of the three classes, as pixels: the network takes pixel / 255. */
const SCORES = [230, 20, 0, 40, 200, 0, 60, 0, 180, 150, 10, 0];
const IMAGE = { data: Uint8Array.from(SCORES), width: 2, height: 2 };

/**
 * TFLite Metadata as tflite-support writes it for the scores of a detector.
 * @param {{transform?: number, defaultScore?: number, threshold?: number, hasFile?: boolean}} scores
 */
function scoreMetadata({ transform, defaultScore = 0, threshold, hasFile = true }) {
  const builder = new Builder(1024);
  /** @param {number} type @param {import('../../../wasm/tflite/flatbuffer.js').Field[]} fields */
  const unit = (type, fields) =>
    table(builder, [
      ['i8', 0, type],
      ['ref', 1, table(builder, fields)],
    ]);
  /** @param {string} name @param {number} type */
  const file = (name, type) =>
    table(builder, [
      ['ref', 0, builder.createString(name)],
      ['i8', 2, type],
    ]);
  const units = [
    ...(transform === undefined
      ? []
      : [
          unit(2, [
            ['i8', 0, transform],
            ['f32', 1, defaultScore],
          ]),
        ]),
    ...(threshold === undefined ? [] : [unit(3, [['f32', 0, threshold]])]),
  ];
  const files = [file('labelmap.txt', 3), ...(hasFile ? [file('calibration.txt', 4)] : [])];
  const score = table(builder, [
    ['ref', 4, offsets(builder, units)],
    ['ref', 6, offsets(builder, files)],
  ]);
  const subgraph = table(builder, [['ref', 3, offsets(builder, [score])]]);
  builder.finish(table(builder, [['ref', 3, offsets(builder, [subgraph])]]), 'M001');
  return new Uint8Array(builder.asUint8Array());
}

/**
 * A detector that ends in TFLite_Detection_PostProcess and takes the scores as its input.
 * @param {{metadata?: Uint8Array, outputs?: number[], anchors?: number[][], custom?: object}} [options] custom: options
 *   of the operator
 */
function postprocessed({ metadata, outputs = [5, 6, 7, 8], anchors = ANCHORS, custom = {} } = {}) {
  const perAnchor = 'max_classes_per_detection' in custom ? Number(custom.max_classes_per_detection) : 1;
  const customOptions = encode({
    ...{ max_detections: 4, max_classes_per_detection: 1, detections_per_class: 4, use_regular_nms: true },
    ...{ num_classes: 3, nms_score_threshold: 0.015625, nms_iou_threshold: 0.5 },
    ...{ y_scale: 10.5, x_scale: 10.5, h_scale: 5.5, w_scale: 5.5 },
    ...custom,
  });
  return writeModel({
    tensors: [
      { shape: [1, 2, 2, 3] },
      { shape: [3], dtype: 'int32', data: [1, 4, 3] },
      { shape: [1, 4, 3] },
      { shape: [1, 4, 4], data: Array(16).fill(0) },
      { shape: [4, 4], data: anchors.flat() },
      { shape: [1, 4 * perAnchor, 4] },
      { shape: [1, 4 * perAnchor] },
      { shape: [1, 4 * perAnchor] },
      { shape: [1] },
      { shape: [1, 4, 3] },
    ],
    operators: [
      { code: 22, inputs: [0, 1], outputs: [2] },
      { code: 19, inputs: [2], outputs: [9] },
      {
        code: 32,
        custom: 'TFLite_Detection_PostProcess',
        customOptions,
        inputs: [3, 9, 4],
        outputs: [5, 6, 7, 8],
      },
    ],
    ...{ inputs: [0], outputs, metadata },
  });
}

const text = (/** @type {string} */ content) => new TextEncoder().encode(content);
const FILES = { 'labelmap.txt': text(`${LABELS.join('\n')}\n`) };

/** @param {Uint8Array} model @param {import('../../../wasm/vision/types.js').DetectorOptions} [options] */
async function open(model, options) {
  const detector = await ObjectDetector.create({ model, input: INPUT, ...options });
  after(() => detector.close());
  return detector;
}

/** @param {Uint8Array} model @param {import('../../../wasm/vision/types.js').DetectorOptions} [options] */
async function labelsAndScores(model, options) {
  const { detections } = await (await open(model, options)).detect(IMAGE);
  return detections.map(({ label, score }) => /** @type {const} */ ([label, score]));
}

/** @param {(readonly [string, number])[]} found @param {(readonly [string, number])[]} expected */
function same(found, expected) {
  assert.deepEqual(
    found.map(([label]) => label),
    expected.map(([label]) => label),
  );
  found.forEach(([, score], i) =>
    assert.ok(Math.abs(score - expected[i][1]) < 1e-5, `${score} ${expected[i][1]}`),
  );
}

test('the outputs of the post-processing in any order, and one of them only', async () => {
  const expected = await labelsAndScores(postprocessed({}), { labels: LABELS });
  same(expected, [
    ['ant', 230 / 255],
    ['bee', 200 / 255],
    ['cicada', 180 / 255],
    ['ant', 150 / 255],
  ]);
  for (const outputs of [[8, 7, 6, 5], [7, 5, 8, 6], [6]])
    assert.deepEqual(await labelsAndScores(postprocessed({ outputs }), { labels: LABELS }), expected);
});

test('the best rows first, also where the post-processing gives each box two classes', async () => {
  const custom = { use_regular_nms: false, max_classes_per_detection: 2 };
  const expected = LABELS.flatMap((label, c) =>
    SCORES.filter((score, i) => i % 3 === c && score > 0).map((score) => [label, score / 255]),
  )
    .map(([label, score]) => /** @type {const} */ ([String(label), Number(score)]))
    .toSorted(([, a], [, b]) => b - a);
  const options = { labels: LABELS, scoreThreshold: 0 };
  same(await labelsAndScores(postprocessed({ custom }), options), expected);
  for (const maxResults of [1, 2, 3, 5])
    same(
      await labelsAndScores(postprocessed({ custom }), { ...options, maxResults }),
      expected.slice(0, maxResults),
    );
});

describe('suppression after the post-processing', async () => {
  // Two boxes whose intersection is 0.35 * 0.4 and union 0.45 * 0.4, and others far away.
  const anchors = [
    [0.3, 0.3, 0.4, 0.4],
    [0.3, 0.35, 0.4, 0.4],
    [0.8, 0.2, 0.2, 0.2],
    [0.8, 0.8, 0.2, 0.2],
  ];
  const model = postprocessed({ anchors, custom: { nms_iou_threshold: 0.875 } });
  const detector = await open(model, { labels: LABELS });
  /** @param {number[]} scores @param {import('../../../wasm/vision/types.js').DetectOptions} [options] */
  const scoresOf = async (scores, options) => {
    const data = Uint8Array.from(scores);
    const { detections } = await detector.detect({ data, width: 2, height: 2 }, options);
    return detections.map(({ label, score }) => `${label} ${Math.round(score * 255)}`);
  };
  const one = [230, 0, 0, 220, 0, 0, 210, 0, 0, 200, 0, 0];
  const two = [230, 0, 0, 0, 220, 0, 210, 0, 0, 200, 0, 0];
  const all = ['ant 230', 'ant 220', 'ant 210', 'ant 200'];

  test('iouThreshold', async () => {
    assert.deepEqual(await scoresOf(one, { iouThreshold: 0.8 }), all);
    assert.deepEqual(await scoresOf(one, { iouThreshold: 0.75 }), all.toSpliced(1, 1));
    assert.deepEqual(await scoresOf(one), all, 'the default: the operator has suppressed');
  });

  test('classAgnostic', async () => {
    assert.deepEqual(await scoresOf(two), all.with(1, 'bee 220'));
    assert.deepEqual(await scoresOf(two, { classAgnostic: true, iouThreshold: 0.75 }), all.toSpliced(1, 1));
    assert.deepEqual(await scoresOf(two, { classAgnostic: true, iouThreshold: 0.8 }), all.with(1, 'bee 220'));
  });

  test('maxPerClass', async () => {
    assert.deepEqual(await scoresOf(two, { maxPerClass: 1 }), ['ant 230', 'bee 220']);
    assert.deepEqual(await scoresOf(two, { maxPerClass: 2 }), ['ant 230', 'bee 220', 'ant 210']);
    assert.deepEqual(
      await scoresOf(two, { maxPerClass: 1, classAgnostic: true, iouThreshold: 1 }),
      all.with(1, 'bee 220'),
      'not if boxes of all classes suppress each other',
    );
  });
});

describe('score calibration', () => {
  const lines = '0.9,8,-4\n1,-2,1,0.7\n\n';
  /** @param {number} transform @param {string} [calibration] */
  const calibrated = (transform, calibration = lines) =>
    appendFiles(postprocessed({ metadata: scoreMetadata({ transform, defaultScore: 0.125 }) }), {
      ...FILES,
      'calibration.txt': text(calibration),
    });
  const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
  for (const [transform, f] of /** @type {const} */ ([
    [0, (/** @type {number} */ x) => x],
    [1, Math.log],
    [2, (/** @type {number} */ x) => Math.log(x / (1 - x))],
  ]))
    test(`transformation ${transform}: a sigmoid for each class, the least score, the default score`, async () => {
      const all = [
        .../** @type {const} */ ([230 / 255, 150 / 255]).map(
          (x) => /** @type {const} */ (['ant', 0.9 * sigmoid(8 * f(x) - 4)]),
        ),
        /** @type {const} */ (['bee', sigmoid(-2 * f(200 / 255) + 1)]),
        /** @type {const} */ (['cicada', 0.125]),
      ].sort(([, a], [, b]) => b - a);
      same(await labelsAndScores(calibrated(transform), { scoreThreshold: 0 }), all);
      const sure = all.filter(([, score]) => score > 0.3);
      same(await labelsAndScores(calibrated(transform)), sure);
      same(
        await labelsAndScores(calibrated(transform), { maxResults: 1, scoreThreshold: 0 }),
        all.slice(0, 1),
      );
      same(
        await labelsAndScores(calibrated(transform), { classes: { deny: ['ant'] }, scoreThreshold: 0 }),
        all.filter(([label]) => label !== 'ant'),
      );
    });

  test('a score below the least one becomes the default score', async () => {
    const found = await labelsAndScores(calibrated(0, '1,1,0\n1,1,0,0.9\n1,1,0'), { scoreThreshold: 0 });
    assert.ok(Math.abs(Number(found.find(([label]) => label === 'bee')?.[1]) - 0.125) < 1e-6);
  });

  for (const [what, content] of Object.entries({
    'too few lines': '1,1,0\n',
    'two numbers': '1,1\n1,1,0\n1,1,0',
    'no numbers': 'a,b,c\n1,1,0\n1,1,0',
    'an empty number': '1,,0\n1,1,0\n1,1,0',
    'a negative scale': '-1,1,0\n1,1,0\n1,1,0',
  }))
    test(`${what}: BAD_METADATA`, () =>
      assert.rejects(open(calibrated(0, content)), { code: 'BAD_METADATA', message: /score calibration/ }));

  test('an unknown transformation, and a file that is missing: BAD_METADATA', async () => {
    await assert.rejects(open(calibrated(7)), { code: 'BAD_METADATA', message: /transformation 7/ });
    const model = appendFiles(postprocessed({ metadata: scoreMetadata({ transform: 0 }) }), FILES);
    await assert.rejects(open(model), { code: 'BAD_METADATA', message: /calibration.txt/ });
  });

  test('of a classifier', async () => {
    const model = appendFiles(
      writeModel({
        tensors: [{ shape: [1, 1, 1, 3] }, { shape: [2], dtype: 'int32', data: [1, 3] }, { shape: [1, 3] }],
        operators: [{ code: 22, inputs: [0, 1], outputs: [2] }],
        ...{ inputs: [0], outputs: [2], metadata: scoreMetadata({ transform: 0, defaultScore: 0.01 }) },
      }),
      { ...FILES, 'calibration.txt': text('1,4,-1\n\n1,-4,3') },
    );
    const classifier = await ImageClassifier.create({ model, input: INPUT, scores: 'none' });
    after(() => classifier.close());
    const { classes } = await classifier.classify({ data: Uint8Array.of(51, 204, 102), width: 1, height: 1 });
    same(
      classes.map(({ label, score }) => [label, score]),
      [
        ['cicada', sigmoid(-4 * 0.4 + 3)],
        ['ant', sigmoid(4 * 0.2 - 1)],
        ['bee', 0.01],
      ],
    );
  });

  test('of a classifier with another output behind its logits: they are no probabilities', async () => {
    const model = writeModel({
      tensors: [
        ...[{ shape: [1, 1, 2, 3] }, { shape: [2], dtype: /** @type {const} */ ('int32'), data: [1, 6] }],
        ...[{ shape: [1, 6] }, { shape: [1, 1, 2, 3] }],
      ],
      operators: [
        { code: 22, inputs: [0, 1], outputs: [2] },
        { code: 14, inputs: [0], outputs: [3] },
      ],
      ...{ inputs: [0], outputs: [2, 3] },
    });
    const classifier = await ImageClassifier.create({ model, input: INPUT, topK: 6 });
    after(() => classifier.close());
    const { classes } = await classifier.classify({ data: new Uint8Array(6), width: 2, height: 1 });
    const sum = classes.reduce((total, { score }) => total + score, 0);
    assert.ok(Math.abs(sum - 1) < 1e-6, `the scores add up to ${sum}`);
  });

  test('survives quantization, as do labels by another name', async () => {
    const { model } = await quantize(calibrated(0), [IMAGE], { input: INPUT, report: false });
    const found = await labelsAndScores(model, { scoreThreshold: 0 });
    assert.deepEqual(found.map(([label]) => label).sort(), ['ant', 'ant', 'bee', 'cicada']);
    assert.ok(Math.abs(Number(found.find(([label]) => label === 'cicada')?.[1]) - 0.125) < 1e-6);
  });
});

describe('the score threshold of the metadata', () => {
  const model = appendFiles(
    postprocessed({ metadata: scoreMetadata({ threshold: 0.75, hasFile: false }) }),
    FILES,
  );
  test('is the default', async () => {
    assert.deepEqual(
      (await labelsAndScores(model)).map(([label]) => label),
      ['ant', 'bee'],
    );
  });
  test('gives way to the option', async () => {
    assert.equal((await labelsAndScores(model, { scoreThreshold: 0.1 })).length, 4);
  });
});

test('MediaPipe Model Maker: the label of the background is not a class', async () => {
  const anchors = Float32Array.from(TINY_ANCHORS.flat());
  /** @param {string[]} labels */
  const withLabels = (labels) => {
    const detector = { anchors, boxCoder: [1, 1, 1, 1], numClasses: 3, isSigmoid: false };
    const outputs = [
      { name: 'location', role: /** @type {const} */ ('location') },
      { name: 'score', role: /** @type {const} */ ('score'), labels },
    ];
    const image = { name: 'image', mean: [0], std: [255] };
    const metadata = writeMetadata({ name: '', description: '', image, outputs, detector });
    return appendLabels(tinyDetector(metadata), labels);
  };
  const image = {
    data: Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * 67) % 256),
    width: 8,
    height: 8,
  };
  /** @param {string[]} labels */
  const all = async (labels) => {
    const detector = await ObjectDetector.create({ model: withLabels(labels), scoreThreshold: 0 });
    after(() => detector.close());
    return { labels: detector.labels, found: (await detector.detect(image)).detections };
  };
  const plain = await all(['x', 'cat', 'dog']);
  const maker = await all(['background', 'cat', 'dog']);
  assert.deepEqual(maker.labels, [{ name: 'cat' }, { name: 'dog' }]);
  const simple = (/** @type {typeof plain.found} */ list) =>
    list.map(({ label, score, box }) => ({ label, score, box }));
  assert.ok(plain.found.some(({ label }) => label === 'x'));
  assert.deepEqual(simple(maker.found), simple(plain.found.filter(({ label }) => label !== 'x')));
});

describe("MediaPipe's anchors", () => {
  const short = { minScale: 0.1484375, maxScale: 0.75, fixedAnchorSize: true };
  for (const [name, side, settings, count] of /** @type {const} */ ([
    ['BlazeFace, short range', 128, { strides: [8, 16, 16, 16] }, 896],
    ['BlazeFace, full range', 192, { strides: [4], interpolatedScaleAspectRatio: 0 }, 2304],
    ['palms', 192, { strides: [8, 16, 16, 16] }, 2016],
    ['poses', 224, { strides: [8, 16, 32, 32, 32] }, 2254],
  ]))
    test(`of ${name}: ${count}`, () => {
      const generator = {
        type: /** @type {const} */ ('mediapipe'),
        ...short,
        ...settings,
        strides: [...settings.strides],
      };
      assert.equal(mediaPipeAnchors(generator, { height: side, width: side }).length / 4, count);
    });

  test('layers of the same stride share their cells', () => {
    const generator = { type: /** @type {const} */ ('mediapipe'), ...short, strides: [8, 16, 16, 16] };
    const anchors = mediaPipeAnchors(generator, { height: 128, width: 128 });
    const row = (/** @type {number} */ i) => [...anchors.subarray(4 * i, 4 * i + 4)];
    // Two anchors in each of 16 x 16 cells, then six in each of 8 x 8.
    assert.deepEqual(row(0), [1 / 32, 1 / 32, 1, 1]);
    assert.deepEqual([row(1), row(2)], [row(0), [1 / 32, 3 / 32, 1, 1]]);
    assert.deepEqual([row(512), row(517), row(518)], [row(512), row(512), [1 / 16, 3 / 16, 1, 1]]);
    assert.deepEqual(row(895), [15 / 16, 15 / 16, 1, 1]);
  });

  test('scales and ratios', () => {
    const anchors = mediaPipeAnchors(
      {
        ...{ type: 'mediapipe', strides: [16, 32], minScale: 0.2, maxScale: 0.8, aspectRatios: [1, 4] },
        ...{
          reduceBoxesInLowestLayer: true,
          anchorOffsetY: 0.25,
          featureMaps: [
            [1, 1],
            [1, 2],
          ],
        },
      },
      { height: 32, width: 32 },
    );
    const expected = [
      [0.25, 0.5, 0.1, 0.1],
      [0.25, 0.5, 0.2 / Math.SQRT2, 0.2 * Math.SQRT2],
      [0.25, 0.5, 0.2 * Math.SQRT2, 0.2 / Math.SQRT2],
      ...[0.25, 0.75].flatMap((x) => [
        [0.25, x, 0.8, 0.8],
        [0.25, x, 0.4, 1.6],
        [0.25, x, Math.sqrt(0.8), Math.sqrt(0.8)],
      ]),
    ].flat();
    assert.equal(anchors.length, expected.length);
    anchors.forEach((value, i) =>
      assert.ok(Math.abs(value - expected[i]) < 1e-6, `${i}: ${value} ${expected[i]}`),
    );
  });
});

describe('boxes with keypoints', () => {
  const SIDE = { rows: 2, columns: 3 };
  // Six anchors of 16 numbers, and a logit each: [1, 17, 2, 3] -> [1, 6, 17] -> [1, 6, 16] and [1, 6, 1].
  const ints = (/** @type {number[]} */ data) => ({
    shape: [data.length],
    dtype: /** @type {const} */ ('int32'),
    data,
  });
  const model = writeModel({
    tensors: [
      { shape: [1, 17, 2, 3] },
      ints([1, 6, 17]),
      { shape: [1, 6, 17] },
      ...[ints([0, 0, 0]), ints([1, 6, 16]), ints([0, 0, 16]), ints([1, 6, 1])],
      ...[{ shape: [1, 6, 16] }, { shape: [1, 6, 1] }],
    ],
    operators: [
      { code: 22, inputs: [0, 1], outputs: [2] },
      { code: 65, inputs: [2, 3, 4], outputs: [7] },
      { code: 65, inputs: [2, 5, 6], outputs: [8] },
    ],
    ...{ inputs: [0], outputs: [8, 7] },
  });
  const generator = {
    ...{ type: /** @type {const} */ ('mediapipe'), strides: [8], minScale: 0.15, maxScale: 0.75 },
    ...{ interpolatedScaleAspectRatio: 0, fixedAnchorSize: true, featureMaps: [[SIDE.rows, SIDE.columns]] },
  };
  const ssd = {
    ...{
      anchorGenerator: generator,
      boxCoder: [100, 100, 100, 100],
      scores: /** @type {const} */ ('sigmoid'),
    },
    ...{
      background: false,
      boxSizes: /** @type {const} */ ('linear'),
      boxOrder: /** @type {const} */ ('xy'),
    },
  };
  const input = { scale: 1, offset: -128, resize: /** @type {const} */ ('half-pixel') };
  const pixels = Uint8Array.from({ length: 6 * 17 }, (_, i) => {
    const [column, row] = [i % 17, Math.floor(i / 17)];
    if (column === 16) return 126 + 2 * row; // logits
    return column < 2 ? 120 + 3 * row + column : 128 + 20 + column + row; // centres, sides, keypoints
  });
  const image = { data: pixels, width: 2, height: 17 };

  test('tx, ty, tw, th as parts of the anchor', async () => {
    const detector = await ObjectDetector.create({
      model,
      input,
      ssd,
      scoreThreshold: 0,
      iouThreshold: 1,
      labels: ['face'],
    });
    after(() => detector.close());
    const { detections } = await detector.detect(image);
    const expected = Array.from({ length: 6 }, (_, row) => {
      const [tx, ty, tw, th] = Array.from(pixels.subarray(17 * row, 17 * row + 4), (x) => (x - 128) / 100);
      const [x, y] = [tx + ((row % 3) + 0.5) / 3, ty + (Math.floor(row / 3) + 0.5) / 2];
      const edges = [x - tw / 2, x + tw / 2, y - th / 2, y + th / 2].map((edge) =>
        Math.min(Math.max(edge, 0), 1),
      );
      return { score: 1 / (1 + Math.exp(2 - 2 * row)), edges };
    }).sort((a, b) => b.score - a.score);
    assert.equal(detections.length, 6);
    for (const [i, { score, box, label }] of detections.entries()) {
      assert.equal(label, 'face');
      assert.ok(Math.abs(score - expected[i].score) < 1e-6);
      const edges = [box.x / 2, (box.x + box.width) / 2, box.y / 17, (box.y + box.height) / 17];
      edges.forEach((edge, k) => assert.ok(Math.abs(edge - expected[i].edges[k]) < 1e-6, `${i}: ${edges}`));
    }
  });

  test('a side below 0 is no box', async () => {
    const detector = await ObjectDetector.create({ model, input, ssd, scoreThreshold: 0, iouThreshold: 1 });
    after(() => detector.close());
    const data = pixels.slice();
    data[2] = 100; // tw of anchor 0
    [data[17 + 2], data[17 + 3]] = [100, 90]; // both sides of anchor 1
    assert.equal((await detector.detect({ ...image, data })).detections.length, 4);
  });

  for (const [what, change] of Object.entries({
    strides: { strides: [] },
    'strides of 0': { strides: [0] },
    'another number of layers': { numLayers: 2 },
    'feature maps': {
      featureMaps: [
        [2, 3],
        [1, 1],
      ],
    },
    scales: { minScale: 0, maxScale: 0, fixedAnchorSize: false },
    'an unknown key': { anchorOffset: 1 },
    ratios: { aspectRatios: [-1] },
    'a side that is no number': { minScale: 'a' },
    'an offset outside of the cell': { anchorOffsetX: 2 },
    'too many': { strides: [1], featureMaps: [[65535, 65535]] },
    none: { aspectRatios: [] },
  }))
    test(`anchors refused: ${what}`, () =>
      assert.rejects(
        ObjectDetector.create({
          model,
          input,
          ssd: { ...ssd, anchorGenerator: { ...generator, .../** @type {any} */ (change) } },
        }),
        { code: 'INVALID_OPTION', message: /ssd\.anchorGenerator/ },
      ));

  for (const wrong of [{ boxSizes: 'log' }, { boxOrder: 'xyxy' }])
    test(`${JSON.stringify(wrong)} is refused`, () =>
      assert.rejects(
        ObjectDetector.create({ model, input, ssd: { ...ssd, .../** @type {any} */ (wrong) } }),
        {
          code: 'INVALID_OPTION',
        },
      ));
});
