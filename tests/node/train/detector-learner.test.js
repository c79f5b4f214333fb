// DetectorLearner with the default detector, on composed photos (compose.js).
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { DetectorLearner } from '../../../wasm/train/node.js';
import { uniforms } from '../../../wasm/train/random.js';
import { convert } from '../../../wasm/convert/node.js';
import { largeSource } from '../convert/convert.js';
import { needsLarge, packagePhoto } from '../shared.js';
import { compose, openBackgrounds, openCutouts, samplePhotos } from './compose.js';

/** @typedef {import('./compose.js').Composed} Composed */

/** @type {Composed[]} */
let photos;
/** Fast: two views, four steps. */
const FIT = { epochs: 2, batchSize: 4, views: 2, optimizer: /** @type {const} */ ('adam') };

before(async () => {
  const directory = samplePhotos();
  const [apple, , fish] = await openCutouts(directory);
  const backgrounds = await openBackgrounds([directory]);
  const random = uniforms(5);
  photos = Array.from({ length: 4 }, () => compose(backgrounds, [apple, fish], random));
});

/** @param {Composed} photo */
const pixels = ({ data, width, height }) => ({ data, width, height, channels: /** @type {const} */ (3) });

/** @param {import('../../../wasm/train/index.js').DetectorLearnerOptions} [options] */
async function makeLearner(options) {
  const learner = await DetectorLearner.create(options);
  for (const photo of photos) await learner.addExample(pixels(photo), photo.boxes);
  return learner;
}

/** @param {string} code @param {RegExp} [message] */
const error = (code, message = /./) => ({ name: 'OcelliError', code, message });

describe('a detector’s learner', () => {
  test('counts photos and boxes, and tells the memory beforehand', async () => {
    const learner = await makeLearner();
    const { count, boxes, classes } = learner.examples;
    assert.equal(count, photos.length);
    assert.equal(
      boxes,
      photos.reduce((sum, photo) => sum + photo.boxes.length, 0),
    );
    assert.deepEqual(classes.map(({ label }) => label).sort(), ['Apple', 'Fish']);
    const rowBytes = 2 * (19 * 19 * 576 + 10 * 10 * 1280 + 5 * 5 * 512 + 3 * 3 * 256 + 2 * 2 * 256 + 128);
    const { rows, bytes, keptRows } = learner.planMemory({ views: 3, maxMemory: 2.5 * rowBytes });
    assert.deepEqual([rows, bytes, keptRows], [12, 12 * rowBytes, 2]);
    learner.close();
  });

  test('exports a detector that finds what it learnt, as learner.detect does', async () => {
    const learner = await makeLearner();
    const { history } = await learner.fit({
      ...FIT,
      epochs: 12,
      optimizer: { type: 'adam', learningRate: 0.003 },
    });
    assert.ok(/** @type {number} */ (history.loss.at(-1)) < history.loss[0] / 2);
    const file = learner.export();
    const detector = await ObjectDetector.create({ model: file });
    assert.deepEqual(
      detector.labels.map(({ name }) => name),
      learner.labels,
    );
    for (const photo of photos) {
      const options = { scoreThreshold: 0.05 };
      const { detections } = await detector.detect(pixels(photo), options);
      assert.deepEqual(detections, (await learner.detect(pixels(photo), options)).detections);
      for (const { label, box } of photo.boxes) {
        const best = detections.find((found) => found.label === label);
        assert.ok(best && overlap(best.box, box) > 0.5, `${label} is found`);
      }
    }
    detector.close();
    learner.close();
  });

  test('keeps the scores and boxes of old classes to the bit', async () => {
    const learner = await makeLearner({ keepClasses: true, deterministic: true });
    await learner.fit(FIT);
    assert.deepEqual(learner.labels.slice(-2).sort(), ['Apple', 'Fish']);
    assert.equal(learner.labels.length, 25);
    const options = { deterministic: true, classes: { allow: ['Cat', 'Person'] } };
    const [old, taught] = [
      await ObjectDetector.create(options),
      await ObjectDetector.create({ ...options, model: learner.export() }),
    ];
    const photo = packagePhoto('chelsea.png');
    const results = await Promise.all(
      [old, taught].map((detector) => detector.detect(photo, { scoreThreshold: 0.1 })),
    );
    assert.deepEqual(
      results[1].detections.map(({ mid, ...rest }) => rest),
      results[0].detections.map(({ mid, ...rest }) => rest),
    );
    assert.ok(results[0].detections.length > 0);
    for (const closing of [old, taught, learner]) closing.close();
  });

  for (const [name, source] of /** @type {const} */ ([
    ['separable heads', 'frozen_ssdlite_mobilenet_v2_300_person'],
    ['heads that all maps share', 'tfjs_ssd_mobilenet_v2_320_fpnlite_hands_uint8'],
  ]))
    test(`keeps and learns with ${name}`, needsLarge(`convert/${source}`), async () => {
      const { model } = await convert(largeSource(source));
      const learner = await DetectorLearner.create({ model, keepClasses: true, deterministic: true });
      for (const photo of photos) await learner.addExample(pixels(photo), photo.boxes);
      const { history } = await learner.fit({ ...FIT, epochs: 4 });
      assert.ok(/** @type {number} */ (history.loss.at(-1)) < history.loss[0]);
      const astronaut = packagePhoto('astronaut.png');
      const [old, taught] = [model, learner.export()].map((bytes) =>
        ObjectDetector.create({ model: bytes, deterministic: true }),
      );
      const [before, after] = await Promise.all(
        [await old, await taught].map((detector) => detector.detect(astronaut, { scoreThreshold: 0.05 })),
      );
      const isOld = (/** @type {{label: string}} */ { label }) => label.startsWith('class ');
      assert.ok(before.detections.length > 0);
      assert.deepEqual(after.detections.filter(isOld), before.detections);
      for (const closing of [await old, await taught, learner]) closing.close();
    });

  test('gives the same bits after an interruption, a file and a limit of memory', async () => {
    const whole = await makeLearner({ deterministic: true, seed: 3 });
    const plan = {
      ...FIT,
      validationSplit: 0.25,
      earlyStopping: { monitor: /** @type {const} */ ('val_AP50'), patience: 5 },
    };
    const { history } = await whole.fit(plan);
    const cut = await makeLearner({ deterministic: true, seed: 3 });
    const controller = new AbortController();
    const interrupting = {
      onBatch: (/** @type {{epoch: number}} */ { epoch }) => epoch === 1 && controller.abort(),
    };
    await assert.rejects(
      cut.fit({ ...plan, maxMemory: 1e6, callbacks: interrupting, signal: controller.signal }),
      { name: 'AbortError' },
    );
    const loaded = await DetectorLearner.load(cut.save(), { deterministic: true, seed: 3 });
    for (const photo of photos) await loaded.addExample(pixels(photo), photo.boxes);
    const resumed = await loaded.resume();
    assert.deepEqual(resumed.history, history);
    assert.deepEqual(loaded.export(), whole.export());
    assert.ok(history.val_AP50.every((value) => value >= 0 && value <= 1));
    for (const learner of [whole, cut, loaded]) learner.close();
  });

  test('reads a data set, and reports', async () => {
    const learner = await DetectorLearner.create();
    const photo = packagePhoto('coffee.png');
    const instances = {
      images: [{ id: 1, file_name: 'coffee.png', width: 600, height: 800 }],
      categories: [{ id: 7, name: 'Spoon' }],
      annotations: [
        { id: 1, image_id: 1, category_id: 7, bbox: [380, 40, 160, 300], area: 48000, iscrowd: 0 },
      ],
    };
    await learner.addDataset({
      'coffee.png': photo,
      'instances.json': new TextEncoder().encode(JSON.stringify(instances)),
    });
    assert.deepEqual(learner.examples.classes, [{ label: 'Spoon', count: 1 }]);
    assert.match(learner.warnings[0], /'Spoon' has 1 box; give it 3 or more/);
    assert.match(learner.warnings[1], /sizes of 1 of 1 photos .* 'coffee\.png': .* probably wrong/);
    await learner.fit(FIT);
    const files = await learner.report({ name: 'spoons' });
    assert.match(files['README.md'], /pipeline_tag: object-detection[^]*spoons/);
    learner.close();
  });
});

/** @param {{x: number, y: number, width: number, height: number}} a @param {{x: number, y: number, width: number, height: number}} b */
function overlap(a, b) {
  const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(wide, 0) * Math.max(high, 0);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

describe('what a detector’s learner refuses', () => {
  const image = {
    data: new Uint8Array(40 * 30 * 3),
    width: 40,
    height: 30,
    channels: /** @type {const} */ (3),
  };
  const box = { x: 1, y: 2, width: 10, height: 10 };
  /** @type {[string, any, RegExp][]} */
  const boxes = [
    ['no list', undefined, /boxes must be a list/],
    ['no numbers', [{ label: 'a', box: { x: 1 } }], /finite numbers/],
    ['null', [null], /finite numbers/],
    ['NaN', [{ label: 'a', box: { ...box, x: NaN } }], /finite numbers/],
    ['no area', [{ label: 'a', box: { ...box, width: 0 } }], /no area/],
    ['a negative size', [{ label: 'a', box: { ...box, height: -3 } }], /no area/],
    ['a box outside', [{ label: 'a', box: { ...box, x: 35 } }], /not inside the photo of 40 x 30/],
    ['a flag that is none', [{ label: 'a', box, ignore: 1 }], /ignore/],
  ];
  test('boxes; the photo is not added, and the learner works on', async () => {
    const learner = await DetectorLearner.create();
    for (const [name, list, message] of boxes)
      await assert.rejects(learner.addExample(image, list), error('INVALID_EXAMPLE', message), name);
    await assert.rejects(learner.addExample(image, [{ label: '', box }]), error('INVALID_LABEL'));
    await assert.rejects(
      learner.addExample({ ...image, data: new Uint8Array(3) }, []),
      error('INVALID_INPUT'),
    );
    assert.equal(learner.examples.count, 0);
    await assert.rejects(learner.fit(), error('NO_EXAMPLES'));
    await learner.addExample(image, []);
    await assert.rejects(learner.fit(), error('NO_EXAMPLES', /no photo has a box/));
    await learner.addExample(image, [{ label: 'a', box }]);
    assert.throws(() => learner.export(), error('NO_EXAMPLES'));
    assert.throws(() => learner.save(), error('NO_EXAMPLES'));
    await assert.rejects(learner.resume(), error('NOT_INTERRUPTED'));
    learner.close();
    learner.close();
    await assert.rejects(learner.fit(), error('CLOSED'));
    await assert.rejects(learner.addExample(image, []), error('CLOSED'));
  });

  test('options', async () => {
    const learner = await DetectorLearner.create();
    await learner.addExample(image, [{ label: 'a', box }]);
    /** @type {[any, RegExp][]} */
    const bad = [
      [{ views: 0 }, /views/],
      [{ unknown: 1 }, /unknown/],
      [{ loss: { type: 'softmax' } }, /does not fit the model/],
      [{ loss: { gamma: -1 } }, /loss.gamma/],
      [{ loss: { matchedIou: 0.4, unmatchedIou: 0.5 } }, /unmatchedIou/],
      [{ loss: { hardExamples: { by: 'x' } } }, /hardExamples.by/],
      [{ augmentation: { hue: 2 } }, /augmentation.hue/],
      [{ views: 1, freshViews: true }, /freshViews/],
      [{ earlyStopping: { monitor: 'val_AP' } }, /needs validation/],
      [{ earlyStopping: { monitor: 'val_accuracy' } }, /monitor/],
      [{ labelSmoothing: 0.1 }, /labelSmoothing/],
    ];
    for (const [options, message] of bad)
      await assert.rejects(learner.fit(options), error('INVALID_OPTION', message));
    await assert.rejects(learner.fit({ validationSplit: 1 }), error('NO_EXAMPLES'));
    await assert.rejects(
      DetectorLearner.create({ keepClasses: ['Unicorn'] }),
      error('INVALID_LABEL', /Unicorn/),
    );
    await assert.rejects(
      DetectorLearner.create(/** @type {any} */ ({ extractor: 1 })),
      error('INVALID_OPTION'),
    );
    await assert.rejects(DetectorLearner.load(new Uint8Array(9)), error('STATE_CORRUPT'));
    learner.close();
  });
});
