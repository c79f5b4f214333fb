// Class slicing: the scores of a network that computes some classes only are those of the whole one, filtered.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import labels from '../../../models/openimages_v4_labels.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { largeSource } from '../convert/convert.js';
import { detectorRuns, needsLarge, packagePhoto, testData } from '../shared.js';

const TEN = ['Dog', 'Cat', 'Person', 'Car', 'Chair', 'Book', 'Bottle', 'Tortoise', 'Zebra', 'Hot dog'];
const ALL = { scoreThreshold: 0.005, maxResults: 10000, maxPerClass: 1000 };
const photos = /** @type {const} */ (['astronaut', 'chelsea', 'coffee']).map((name) =>
  packagePhoto(`${name}.png`),
);

/** @typedef {import('../../../wasm/vision/types.js').DetectorOptions} DetectorOptions */
/** @typedef {import('../../../wasm/vision/types.js').Thresholds} Thresholds */

/**
 * What a detector with a list of classes finds, beside what one without finds of them.
 * @param {DetectorOptions & Thresholds} options
 * @param {NonNullable<DetectorOptions['classes']>} classes
 */
async function compare(options, classes) {
  const [some, all] = [
    await ObjectDetector.create({ ...options, classes }),
    await ObjectDetector.create(options),
  ];
  const wanted = [...(classes.allow ?? all.labels.map(({ name }) => name))].filter(
    (name) => !classes.deny?.includes(name),
  );
  const names = all.labels.map(({ name, mid }) => wanted.includes(name) || wanted.includes(mid ?? ''));
  let total = 0;
  for (const photo of photos) {
    const found = (await some.detect(photo, ALL)).detections;
    const everything = (await all.detect(photo, ALL)).detections;
    assert.ok(everything.length < ALL.maxResults);
    const filtered = everything.filter(({ labelId }) => names[labelId]);
    total += found.length;
    assert.equal(found.length, filtered.length);
    for (const [i, { labelId, label, score, box }] of found.entries()) {
      // Equal scores may change places with a rounding.
      const twin = filtered.find(
        (other) =>
          other.labelId === labelId &&
          Math.abs(other.box.x - box.x) < 0.01 &&
          Math.abs(other.box.y - box.y) < 0.01 &&
          Math.abs(other.score - score) <= 1e-6,
      );
      assert.ok(twin, `${i}: ${label} ${score}`);
    }
  }
  assert.ok(total > 0);
  const work = await Promise.all([some, all].map(totalWork));
  some.close();
  all.close();
  return { some: work[0], all: work[1] };
}

/** @param {ObjectDetector} detector */
async function totalWork(detector) {
  const { operators } = await detector.profile(photos[0]);
  return operators.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
}

for (const { name, options } of detectorRuns) {
  test(`the default detector, ${name}`, async () => {
    const { some, all } = await compare(options, { allow: ['Dog', '/m/01yrx', 'Person'] });
    assert.ok(some < 0.97 * all, `${some} of ${all}`);
    await compare(options, { deny: ['Dog', 'Table'] });
  });
}

test('the heads have the columns of the classes that are left', async () => {
  const detector = await ObjectDetector.create({ classes: { allow: ['Dog', 'Cat'] } });
  const heads = (await detector.heads(photos[1])).heads;
  assert.deepEqual(
    heads.map(({ shape }) => shape),
    [
      [1, 1917, 4],
      [1, 1917, 2],
    ].toSorted(
      (a, b) =>
        heads.findIndex(({ shape }) => shape[2] === a[2]) - heads.findIndex(({ shape }) => shape[2] === b[2]),
    ),
  );
  detector.close();
});

test('no class at all, or all of them', async () => {
  const none = await ObjectDetector.create({ classes: { allow: [] } });
  assert.deepEqual((await none.detect(photos[1], ALL)).detections, []);
  none.close();
  const names = (await ObjectDetector.create()).labels.map(({ name }) => name);
  const { some, all } = await compare({}, { allow: names });
  assert.equal(some, all);
});

test('features and slicing together', async () => {
  const detector = await ObjectDetector.create({ classes: { allow: ['Cat'] } });
  const whole = await ObjectDetector.create();
  const [some, all] = await Promise.all(
    [detector, whole].map((d) => d.detect(photos[1], { features: 'both' })),
  );
  assert.deepEqual(some.features, all.features);
  assert.deepEqual(
    some.detections[0].features,
    all.detections.find(({ label }) => label === 'Cat')?.features,
  );
  detector.close();
  whole.close();
});

describe('left whole', () => {
  const input = /** @type {const} */ ({ scale: 1 / 127.5, offset: -1, resize: 'half-pixel' });
  const labels = Array.from({ length: 5 }, (_, i) => `class ${i}`);

  test('a softmax', async () => {
    const model = testData('models/ssd_with_anchors.fp32.tflite');
    const anchors = Array.from({ length: 162 }, (_, i) => [(i % 83) / 83, (i % 82) / 82, 0.2, 0.2]);
    const { some, all } = await compare(
      {
        ...{ model, labels, input },
        ssd: { anchors, boxCoder: [10, 10, 5, 5], scores: 'none', background: true },
      },
      { allow: ['class 1', 'class 4', 'class 0'] },
    );
    assert.equal(some, all);
  });

  test('a post-processing operator', async () => {
    const options = { model: testData('models/ssd_regular_nms.fp32.tflite'), input, labels };
    const [some, all] = [
      await ObjectDetector.create({ ...options, classes: { allow: ['class 0'] } }),
      await ObjectDetector.create(options),
    ];
    assert.equal(await totalWork(some), await totalWork(all));
    const threshold = { scoreThreshold: 0.1 };
    const found = (await some.detect(photos[1], threshold)).detections;
    assert.ok(found.length > 0);
    assert.deepEqual(
      found,
      (await all.detect(photos[1], threshold)).detections.filter(({ label }) => label === 'class 0'),
    );
    some.close();
    all.close();
  });
});

const needsOpenImages = needsLarge('convert/openimages_v4');
describe('601 classes', needsOpenImages, () => {
  /** @type {Record<string, Uint8Array>} */
  const models = {};
  before(async () => {
    const source = largeSource('openimages_v4/openimages-v4-ssd-mobilenet-v2.tar.gz');
    for (const weights of /** @type {const} */ (['fp32', 'fp16', 'int8'])) {
      if (!needsOpenImages.skip) models[weights] = (await convert(source, { weights, verify: false })).model;
    }
  });

  for (const weights of ['fp32', 'fp16', 'int8']) {
    test(`ten of them, ${weights}`, async () => {
      const { some, all } = await compare({ model: models[weights] }, { allow: TEN });
      assert.ok(some < 0.6 * all, `${some} of ${all}`);
    });
  }

  test('a list of labels by hand is as good as that in the file', async () => {
    const model = models.fp16;
    const [named, own] = [
      await ObjectDetector.create({ model, labels }),
      await ObjectDetector.create({ model }),
    ];
    assert.deepEqual(named.labels, own.labels);
    named.close();
    own.close();
  });

  test('names in any case, MIDs; a misspelling is answered with the nearest names', async () => {
    const model = models.fp16;
    const detector = await ObjectDetector.create({
      model,
      classes: { allow: ['hot DOG', '/M/01YRX'], deny: ['dog'] },
    });
    const [cat] = (await detector.detect(packagePhoto('chelsea.png'))).detections;
    assert.deepEqual([cat.label, cat.mid], ['Cat', '/m/01yrx']);
    detector.close();
    await assert.rejects(ObjectDetector.create({ model, classes: { allow: ['Tortose'] } }), {
      code: 'UNKNOWN_CLASS',
      message: /'Tortose'; nearest: 'Tortoise'/,
    });
    await assert.rejects(ObjectDetector.create({ model, classes: { deny: ['Hotdog'] } }), /'Hot dog'/);
  });
});
