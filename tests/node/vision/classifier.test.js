// Classification against TFLite's own outputs: the same classes, the same probabilities.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import { ImageClassifier } from '../../../wasm/platform/node.js';
import { large, needsLarge, packagePhoto, readArray, readJson, testData } from '../shared.js';

const INPUT = /** @type {const} */ ({ scale: 1 / 127.5, offset: -1, resize: 'half-pixel' });
const FLOAT = 'models/mobilenet_v2_classifier.fp32.tflite';
const IMAGENET = 'models/tf2_mobilenet_v2_1.0_224_ptq.tflite';
const LABELS = 'labels/imagenet-1001.txt';

/**
 * @param {string} name
 * @param {(path: string) => string} where the model is
 * @returns {{pixels: Uint8Array, size: number, spec: any, rows: number[][]}} of each photo, probabilities
 */
function modelCase(name, where) {
  const cases = readJson(where('models/cases.json'));
  const { input, outputs } = cases.find((/** @type {any} */ { model }) => model === name);
  /** @type {Record<string, {new (buffer: ArrayBuffer): ArrayLike<number>}>} */
  const views = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array };
  const [{ file, dtype, quantization }] = outputs;
  const [scale, zeroPoint] = quantization[0] ? quantization : [1, 0];
  const values = Array.from(
    readArray(where(`models/${file}`), views[dtype]),
    (value) => (value - zeroPoint) * scale,
  );
  const [step, zero] = input.quantization;
  // Where the reference's pixels are the tensor, so are ours.
  const spec = { ...INPUT, ...(input.scale === null && { scale: step, offset: -zero * step }) };
  const length = values.length / 3;
  const rows = [0, 1, 2].map((i) => values.slice(i * length, (i + 1) * length));
  return { pixels: readArray(where(`models/${input.pixels}`), Uint8Array), size: input.size, spec, rows };
}

describe('top five, as TFLite has them', () => {
  for (const [path, tolerance] of /** @type {[string, number][]} */ ([
    [FLOAT, 1e-4],
    ['models/small_classifier.uint8.tflite', 0.02],
    ['models/mobilenet_v2_1.0_224_quant.tflite', 0.06],
    ['models/mobilenet_v1_0.25_128_quant.tflite', 0.06],
    [IMAGENET, 0.06],
  ])) {
    const isOurs = existsSync(testData(path));
    test(path, isOurs ? {} : needsLarge(path), async () => {
      const where = isOurs ? testData : large;
      const { pixels, size, spec, rows } = modelCase(basename(path), where);
      const classifier = await ImageClassifier.create({ model: where(path), input: spec });
      for (const [i, row] of rows.entries()) {
        const data = pixels.subarray((i * pixels.length) / 3, ((i + 1) * pixels.length) / 3);
        const top = (await classifier.classify({ data, width: size, height: size })).classes;
        assert.equal(top.length, 5);
        const best = row.indexOf(Math.max(...row));
        if (path === FLOAT || !isOurs) assert.equal(top[0].labelId, best);
        for (const [rank, { labelId, score, label }] of top.entries()) {
          assert.ok(Math.abs(score - row[labelId]) <= tolerance, `${labelId}: ${score}, ${row[labelId]}`);
          assert.ok(rank === 0 || score <= top[rank - 1].score);
          assert.equal(label, classifier.labels[labelId]?.name ?? `class ${labelId}`);
        }
      }
      classifier.close();
    });
  }
});

describe('labels', () => {
  test('a list whose background is the model’s', needsLarge(IMAGENET, LABELS), async () => {
    const [model, labels] = [large(IMAGENET), large(LABELS)];
    const classifier = await ImageClassifier.create({ model, labels, input: INPUT });
    assert.equal(classifier.labels.length, 1001);
    assert.equal(classifier.labels[0].name, 'background');
    const [cat] = (await classifier.classify(packagePhoto('chelsea.png'), { topK: 1 })).classes;
    assert.match(cat.label, /cat/);
    assert.ok(cat.score > 0.5);
    classifier.close();
  });

  test('one background too many is left out, any other number refused', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `name ${i}`);
    const ten = testData(FLOAT);
    const options = { model: ten, input: INPUT };
    const classifier = await ImageClassifier.create({ ...options, labels: ['background', ...names] });
    assert.deepEqual(
      classifier.labels.map(({ name }) => name),
      names,
    );
    classifier.close();
    const few = ImageClassifier.create({ ...options, labels: names.slice(1) });
    await assert.rejects(few, {
      code: 'INVALID_OPTION',
      message: /labels has 9 names, but the model has 10 classes/,
    });
  });
});

test('what makes probabilities can be said', async () => {
  const photo = packagePhoto('coffee.png');
  const model = testData('models/mobilenet_v2_features.fp16.tflite'); // ends in no softmax
  const options = { model, input: INPUT };
  const [softmax, sigmoid, none] = await Promise.all(
    [undefined, /** @type {const} */ ('sigmoid'), /** @type {const} */ ('none')].map(async (scores) => {
      const classifier = await ImageClassifier.create({ ...options, scores });
      const all = (await classifier.classify(photo, { topK: 1280 })).classes;
      classifier.close();
      return all.toSorted((a, b) => a.labelId - b.labelId).map(({ score }) => score);
    }),
  );
  const sum = none.reduce((total, value) => total + Math.exp(value), 0);
  for (const [i, value] of none.entries()) {
    assert.ok(Math.abs(softmax[i] - Math.exp(value) / sum) < 1e-9);
    assert.ok(Math.abs(sigmoid[i] - 1 / (1 + Math.exp(-value))) < 1e-9);
  }
});

describe('refusals', () => {
  test('of models', async () => {
    await assert.rejects(ImageClassifier.create(), { code: 'INVALID_OPTION', message: /no classifier/ });
    const detector = testData('models/ssd_fast_nms.uint8in.tflite');
    const options = { model: detector, input: INPUT };
    await assert.rejects(ImageClassifier.create(options), { code: 'MODEL_IS_NOT_A_CLASSIFIER' });
    const bare = testData(FLOAT);
    await assert.rejects(ImageClassifier.create({ model: bare }), { code: 'MODEL_INPUT_UNKNOWN' });
  });

  test('of options and images; the classifier works on', async () => {
    const classifier = await ImageClassifier.create({ model: testData(FLOAT), input: INPUT });
    const photo = packagePhoto('coffee.png');
    const before = (await classifier.classify(photo)).classes;
    for (const options of /** @type {any[]} */ ([{ topK: 0 }, { topK: 1.5 }, { top: 3 }, null])) {
      await assert.rejects(classifier.classify(photo, options), { code: 'INVALID_OPTION' });
    }
    await assert.rejects(classifier.classify(new Uint8Array(0)), { code: 'IMAGE_EMPTY' });
    assert.deepEqual((await classifier.classify(photo)).classes, before);
    classifier.close();
    await assert.rejects(classifier.classify(photo), { code: 'CLOSED' });
  });
});
