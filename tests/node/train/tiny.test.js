// DetectorLearner on a detector of milliseconds (tiny_detector.js): what its file keeps of what is not trained, to the bit, what
// new classes begin with, interruptions, and what it refuses.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodePng } from '../../../wasm/draw/png.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { readFile } from '../../../wasm/quantize/file.js';
import { readSafetensors } from '../../../wasm/tflite/safetensors.js';
import { DetectorLearner } from '../../../wasm/train/node.js';
import { uniforms } from '../../../wasm/train/random.js';
import { loadEngine, maxDifference, runModel } from '../shared.js';
import { brightBoxes, SIDE, SOFTMAX_OPTIONS, tinyDetector } from './tiny_detector.js';

/** @typedef {import('../../../wasm/train/index.js').DetectorLearnerOptions} Options */

const INPUT = Float32Array.from({ length: SIDE * SIDE * 3 }, uniforms(3));
const [{ image, boxes: BOXES }] = brightBoxes(['cat']);
const [{ box: BOX }] = BOXES;
/** One step that changes nothing. */
const NO_STEP = { epochs: 1, views: 1, optimizer: { type: /** @type {const} */ ('sgd'), learningRate: 0 } };

/** @param {readonly string[]} labels of boxes, each in a photo of its own @param {Options} [options] */
async function makeLearner(labels, options) {
  const learner = await open(options);
  await addAll(learner, labels);
  return learner;
}

/** @param {Options} [options] */
const open = (options) =>
  DetectorLearner.create({ model: tinyDetector(), deterministic: true, worker: false, ...options });

/** @param {DetectorLearner} learner @param {readonly string[]} labels */
async function addAll(learner, labels) {
  for (const photo of brightBoxes(labels)) await learner.addExample(photo.image, photo.boxes);
}

/** The raw boxes and scores of a file. @param {Uint8Array} model */
async function outputsOf(model) {
  const [boxes, scores] = await runModel(model, INPUT);
  return [boxes, scores].map(({ data, shape }) => ({ data: /** @type {Float32Array} */ (data), shape }));
}

/** The shapes that the file states are those that are computed. @param {Uint8Array} model */
async function checkShapes(model) {
  const engine = await loadEngine('simd', model);
  const stated = new Map(readFile(model).tensors.map(({ name, shape }) => [name, shape]));
  assert.ok(engine.operators.length > 4);
  for (const { output, shape } of engine.operators) assert.deepEqual(stated.get(output), shape, output);
  engine.close();
}

/** Columns of rows. @param {{data: Float32Array, shape: number[]}} scores @param {number[]} columns */
const pick = ({ data, shape: [, rows, width] }, columns) =>
  Array.from({ length: rows }, (_, row) => columns.map((column) => data[row * width + column])).flat();

/** @param {string} code @param {RegExp} [message] */
const error = (code, message = /./) => ({ name: 'OcelliError', code, message });

describe('without a change of weights, the file', () => {
  /** @type {[string, Parameters<typeof tinyDetector>[0], string[], Options][]} */
  const same = [
    ['plain heads', {}, ['cat', 'dog'], {}],
    ['one map', { maps: 1 }, ['cat', 'dog'], {}],
    ['separable heads', { heads: 'separable' }, ['cat', 'dog'], {}],
    ['heads that all maps share', { heads: 'shared' }, ['cat', 'dog'], {}],
    ['heads without biases', { hasBias: false }, ['cat', 'dog'], {}],
    [
      'kept classes without biases',
      { hasBias: false, names: ['cat', 'dog', 'cow'] },
      ['dog'],
      { keepClasses: true },
    ],
    ['kept classes', { names: ['cat', 'dog', 'cow'] }, ['dog'], { keepClasses: true }],
    [
      'kept classes, shared heads',
      { heads: 'shared', names: ['cat', 'dog', 'cow'] },
      ['dog'],
      { keepClasses: true },
    ],
  ];
  for (const [name, how, labels, options] of same)
    test(`gives what the file before gave: ${name}`, async () => {
      const model = tinyDetector(how);
      const learner = await makeLearner(labels, { ...options, model });
      await learner.fit(NO_STEP);
      const file = learner.export();
      assert.deepEqual(await outputsOf(file), await outputsOf(model));
      await checkShapes(file);
      const detectors = await Promise.all(
        [model, file].map((each) =>
          ObjectDetector.create({ model: each, deterministic: true, worker: false }),
        ),
      );
      assert.deepEqual(detectors[1].labels, detectors[0].labels);
      const [before, after] = await Promise.all(
        detectors.map((detector) => detector.detect(image, { scoreThreshold: 0.6 })),
      );
      assert.ok(before.detections.length > 3);
      assert.deepEqual(after.detections, before.detections);
      for (const closing of [learner, ...detectors]) closing.close();
    });

  /** @type {[string[], boolean | string[], string[], number[][]][]} labels, keepClasses, classes, [column, before] */
  const chosen = [
    [['dog', 'cat'], false, ['dog', 'cat'], [[0, 1], [1, 0]]],
    [['cow'], false, ['cow'], [[0, 2]]],
    [['cow'], ['dog'], ['dog', 'cow'], [[0, 1], [1, 2]]],
    [['new', 'cow'], true, ['cat', 'dog', 'cow', 'new'], [[0, 0], [1, 1], [2, 2]]],
  ]; // prettier-ignore
  for (const [labels, keepClasses, classes, columns] of chosen)
    test(`has ${classes}: ${labels} are learnt, and kept are ${keepClasses}`, async () => {
      const model = tinyDetector({ names: ['cat', 'dog', 'cow'] });
      const learner = await makeLearner(labels, { model, keepClasses });
      await learner.fit(NO_STEP);
      assert.deepEqual(learner.labels, classes);
      const named = await makeLearner(labels, { model, keepClasses, labels });
      await named.fit(NO_STEP);
      const loaded = await DetectorLearner.load(learner.save(), { model });
      for (const same of [named, loaded]) assert.deepEqual(same.export(), learner.export());
      for (const closing of [named, loaded]) closing.close();
      const [[boxes, scores], [oldBoxes, oldScores]] = await Promise.all(
        [learner.export(), model].map(outputsOf),
      );
      assert.deepEqual(boxes, oldBoxes);
      assert.equal(scores.shape[2], classes.length);
      const [now, before] = [0, 1].map((side) => columns.map((pair) => pair[side]));
      assert.deepEqual(pick(scores, now), pick(oldScores, before));
      learner.close();
    });

  test('of a model without names of classes is saved and loaded with what it keeps', async () => {
    const options = { ...SOFTMAX_OPTIONS, model: tinyDetector({ scores: 'softmax' }) };
    for (const labels of [undefined, ['new'], ['new', 'other']]) {
      const given = { ...options, labels, keepClasses: true };
      const learner = await makeLearner(labels ?? ['new'], given);
      await learner.fit(NO_STEP);
      const old = labels?.length === 2 ? [] : ['class 0', 'class 1'];
      assert.deepEqual(learner.labels, [...old, ...(labels ?? ['new'])]);
      const loaded = await DetectorLearner.load(learner.save(), options);
      assert.deepEqual(loaded.labels, learner.labels);
      assert.deepEqual(loaded.export(), learner.export());
      // As without a state, classes come by boxes unless they were given.
      const [photo] = brightBoxes(['third']);
      const adding = loaded.addExample(photo.image, photo.boxes);
      if (labels) await assert.rejects(adding, error('INVALID_LABEL'));
      else await adding;
      for (const closing of [learner, loaded]) closing.close();
    }
  });

  test('of a softmax gives its probabilities, without the background', async () => {
    const model = tinyDetector({ scores: 'softmax' });
    const learner = await makeLearner(['cat', 'dog'], {
      ...{ model, ...SOFTMAX_OPTIONS, labels: ['cat', 'dog'], keepClasses: false },
    });
    await learner.fit(NO_STEP);
    const [[boxes, scores], [oldBoxes, logits]] = await Promise.all([learner.export(), model].map(outputsOf));
    assert.deepEqual(boxes, oldBoxes);
    const expected = [];
    for (let row = 0; row < logits.shape[1]; row++) {
      const powers = Array.from(logits.data.subarray(3 * row, 3 * row + 3), Math.exp);
      const sum = powers.reduce((a, b) => a + b);
      expected.push(powers[1] / sum, powers[2] / sum);
    }
    assert.ok(maxDifference(scores.data, expected) < 1e-6);
    await checkShapes(learner.export());
    learner.close();
  });

  test('of a softmax whose background the file cuts gives the same', async () => {
    const model = tinyDetector({ scores: 'softmax', lastOperator: 'SOFTMAX', cutsFirst: true });
    const { input, ssd } = SOFTMAX_OPTIONS;
    const learner = await makeLearner(['cat', 'dog'], {
      ...{ model, input, ssd: { ...ssd, scores: 'none', background: false }, labels: ['cat', 'dog'] },
    });
    await learner.fit(NO_STEP);
    const [now, before] = await Promise.all([learner.export(), model].map(outputsOf));
    assert.deepEqual(now[0], before[0]);
    assert.deepEqual(now[1].shape, before[1].shape);
    assert.ok(maxDifference(now[1].data, before[1].data) < 1e-6);
    learner.close();
  });

  test('new classes begin at a score of 1 %, with small weights that depend on the seed', async () => {
    const weights = await Promise.all(
      [1, 1, 2].map(async (seed) => {
        const learner = await makeLearner(['new'], { seed });
        await learner.fit(NO_STEP);
        const { tensors } = readSafetensors(learner.save());
        learner.close();
        return tensors;
      }),
    );
    const [bias, kernel] = ['head/1/bias', 'head/1/kernel'].map((name) =>
      weights.map((tensors) => /** @type {Float32Array} */ (tensors[name].data)),
    );
    for (const value of bias[0]) assert.ok(Math.abs(1 / (1 + Math.exp(-value)) - 0.01) < 1e-6);
    const most = Math.max(...kernel[0].map(Math.abs));
    assert.ok(most <= 0.01 * Math.sqrt(3) && most > 0.9 * 0.01 * Math.sqrt(3));
    assert.ok(Math.min(...kernel[0]) < 0 && Math.max(...kernel[0]) > 0);
    assert.deepEqual(kernel[1], kernel[0]);
    assert.notDeepEqual(kernel[2], kernel[0]);
  });
});

const FIT = { epochs: 3, batchSize: 2, views: 2, optimizer: /** @type {const} */ ('adam') };
const LABELS = ['cat', 'dog', 'cat', 'dog', 'cat'];

describe('training', () => {
  test('finds what was learnt, with the weights of the last fit', async () => {
    const learner = await makeLearner(['bright', 'bright', 'bright', 'bright']);
    const plan = { ...FIT, epochs: 120, batchSize: 8, optimizer: { type: 'adam', learningRate: 0.03 } };
    const { history, epoch, params } = await learner.fit(/** @type {any} */ (plan));
    assert.ok(history.loss[119] < history.loss[0] / 3);
    assert.deepEqual([epoch.length, epoch[119], params], [120, 119, { epochs: 120, steps: 1 }]);
    const { detections } = await learner.detect(image, { scoreThreshold: 0.3 });
    const [first] = detections;
    assert.equal(first.label, 'bright');
    for (const side of /** @type {const} */ (['x', 'y', 'width', 'height']))
      assert.ok(Math.abs(first.box[side] - BOX[side]) < 1.5, `${side} ${first.box[side]}`);
    const detector = await ObjectDetector.create({
      ...{ model: learner.export(), deterministic: true, worker: false },
    });
    assert.deepEqual((await detector.detect(image, { scoreThreshold: 0.3 })).detections, detections);
    await learner.fit(/** @type {any} */ (plan));
    const again = await learner.detect(image, { scoreThreshold: 0.3 });
    assert.notEqual(again.detections[0].score, first.score);
    for (const closing of [detector, learner]) closing.close();
  });

  test('ends the same when it is interrupted after a batch, saved and loaded', async () => {
    const options = { seed: 3, deterministic: true, worker: false, model: tinyDetector() };
    const plan = {
      ...{ ...FIT, validationSplit: 0.2, shuffle: true },
      earlyStopping: { monitor: /** @type {const} */ ('val_AP50'), patience: 9 },
    };
    const whole = await makeLearner(LABELS, options);
    const { history } = await whole.fit(plan);
    assert.deepEqual(history.loss.length, 3);
    for (const last of [0, 3, 4, 11]) {
      const cut = await makeLearner(LABELS, options);
      const controller = new AbortController();
      let batches = 0;
      const onBatch = () => batches++ === last && controller.abort();
      const signal = controller.signal;
      await assert.rejects(cut.fit({ ...plan, maxMemory: 1e3, callbacks: { onBatch }, signal }), {
        name: 'AbortError',
      });
      const loaded = await DetectorLearner.load(cut.save(), options);
      await addAll(loaded, LABELS);
      assert.deepEqual((await loaded.resume()).history, history, `batch ${last}`);
      assert.deepEqual(loaded.export(), whole.export());
      await assert.rejects(loaded.resume(), error('NOT_INTERRUPTED'));
      for (const closing of [cut, loaded]) closing.close();
    }
    whole.close();
  });

  describe('that was interrupted is resumed', () => {
    const options = { deterministic: true, worker: false, model: tinyDetector() };
    const all = brightBoxes(LABELS);
    /** @param {DetectorLearner} learner @param {any[]} photos */
    const add = async (learner, photos) => {
      for (const photo of photos) await learner.addExample(photo.image, photo.boxes);
      return learner;
    };
    const interrupt = async () => {
      const learner = await add(await DetectorLearner.create(options), all);
      const controller = new AbortController();
      const callbacks = { onBatch: () => controller.abort() };
      await assert.rejects(learner.fit({ ...FIT, callbacks, signal: controller.signal }), {
        name: 'AbortError',
      });
      const saved = learner.save();
      learner.close();
      return saved;
    };

    test('as deterministic as it began', async () => {
      const whole = await add(await DetectorLearner.create(options), all);
      await whole.fit(FIT);
      const loaded = await add(await DetectorLearner.load(await interrupt(), { model: options.model }), all);
      await loaded.resume();
      assert.deepEqual(loaded.export(), whole.export());
      for (const closing of [whole, loaded]) closing.close();
    });

    const [first, second, ...rest] = all;
    const [{ label, box }] = first.boxes;
    const withBox = (/** @type {object} */ change) => [
      { ...first, boxes: [{ label, box, ...change }] },
      second,
      ...rest,
    ];
    const pixels = first.image.data.with(100, 1);
    /** @type {[string, any[]][]} */
    const others = [
      ['photos in another order', [second, first, ...rest]],
      ['a box that moved', withBox({ box: { ...box, x: box.x + 1e-3 } })],
      ['a box of another class', withBox({ label: 'dog' })],
      ['a box to ignore', withBox({ ignore: true })],
      [
        'a photo of another size',
        [{ ...first, image: { ...first.image, width: 8, height: 32 }, boxes: first.boxes }, second, ...rest],
      ],
      [
        'a photo with another pixel',
        [{ ...first, image: { ...first.image, data: pixels } }, second, ...rest],
      ],
      ['more photos', [...all, first]],
    ];
    for (const [name, photos] of others)
      test(`not with ${name}`, async () => {
        const loaded = await add(await DetectorLearner.load(await interrupt(), options), photos);
        await assert.rejects(loaded.resume(), error('STATE_MISMATCH'));
        loaded.close();
      });

    /** @type {[string, Options, RegExp][]} */
    const models = [
      ['another model', { model: tinyDetector({ names: ['cow', 'dog'] }) }, /the model/],
      ['another input', { input: '[-1,1]' }, /the model/],
      ['other anchors', { ssd: { boxCoder: [10, 10, 5, 4] } }, /the model/],
      ['other bits', { deterministic: false }, /saved with deterministic true/],
      ['classes that it keeps', { keepClasses: ['cat'] }, /saved with keepClasses false/],
      ['joined maps', { fuseMaps: true }, /saved with fuseMaps false/],
    ];
    for (const [name, more, message] of models)
      test(`not with ${name}`, async () => {
        const load = DetectorLearner.load(await interrupt(), { ...options, ...more });
        await assert.rejects(
          load.then((loaded) => loaded.close()),
          error('STATE_MISMATCH', message),
        );
      });
  });

  test('goes on with the optimizer’s state, unless the optimizer or the classes are others', async () => {
    const learner = await makeLearner(LABELS);
    const stepOf = () => JSON.parse(readSafetensors(learner.save()).metadata.state).step;
    const steps = [];
    for (const optimizer of /** @type {const} */ (['adam', 'adam', 'sgd', 'sgd'])) {
      await learner.fit({ ...FIT, epochs: 1, optimizer });
      steps.push(stepOf());
    }
    await learner.addExample(image, [{ ...BOXES[0], label: 'new' }]);
    await learner.fit({ ...FIT, epochs: 1, optimizer: 'sgd' });
    assert.deepEqual([...steps, stepOf()], [5, 10, 5, 10, 6]);
    learner.close();
  });

  test('of a class that comes after it counts from the next one on', async () => {
    for (const keepClasses of [false, true]) {
      const options = { keepClasses, model: tinyDetector({ names: ['cat', 'dog', 'cow'] }) };
      const learner = await makeLearner(LABELS, options);
      await learner.fit(FIT);
      const ask = async () => ({
        exported: learner.export(),
        saved: learner.save(),
        data: (await learner.describeFit()).data,
      });
      const before = await ask();
      for (const label of ['new', 'cow']) await learner.addExample(image, [{ ...BOXES[0], label }]);
      assert.deepEqual(await ask(), before);
      const loaded = await DetectorLearner.load(learner.save(), options);
      assert.deepEqual(loaded.export(), before.exported);
      await learner.fit({ ...FIT, epochs: 1 });
      assert.deepEqual((await ask()).data.classes.toSorted(), ['cat', 'cow', 'dog', 'new']);
      for (const closing of [learner, loaded]) closing.close();
    }
  });

  test('says what the validation photos gave before it, and which classes were only kept', async () => {
    const learner = await makeLearner(LABELS, { keepClasses: true });
    const fit = { ...FIT, epochs: 1, validationSplit: 0.4 };
    await learner.fit({ ...fit, optimizer: { type: 'sgd', learningRate: 0 } });
    const still = await learner.describeFit();
    const { val_loss, val_AP, val_AP50 } = still.history.history;
    assert.deepEqual(still.before, { val_loss: val_loss[0], val_AP: val_AP[0], val_AP50: val_AP50[0] });
    assert.deepEqual(
      still.data.kept,
      ['cat', 'dog'].filter((name) => !LABELS.includes(name)),
    );
    await learner.fit(fit);
    const { before, history } = await learner.describeFit();
    assert.deepEqual(before, still.before);
    assert.notEqual(history.history.val_loss[0], before?.val_loss);
    await learner.fit({ ...fit, validationSplit: 0 });
    assert.equal((await learner.describeFit()).before, undefined);
    learner.close();
  });

  test('computes the maps that fit the memory beforehand, and tells of each', async () => {
    const learner = await makeLearner(LABELS);
    const rowBytes = 2 * (8 * 8 * 4 + 4 * 4 * 4);
    assert.deepEqual(learner.planMemory({ ...FIT, views: 2 }).keptRows, 10);
    assert.deepEqual(learner.planMemory({ views: 3, maxMemory: 2.5 * rowBytes, validationSplit: 0.2 }), {
      ...{ rows: 13, rowBytes, bytes: 13 * rowBytes, keptRows: 2, keptBytes: 2 * rowBytes },
    });
    /** @type {[object, number][]} options, and how many are told */
    const cases = [
      [{}, 10],
      [{ maxMemory: 3 * rowBytes }, 3],
      [{ freshViews: true }, 5],
      [{ validationSplit: 0.2 }, 9],
    ];
    for (const [more, total] of cases) {
      /** @type {number[][]} */
      const told = [];
      const onView = (/** @type {any} */ view) => void told.push([view.done, view.total]);
      await learner.fit({ ...FIT, epochs: 1, seed: total, ...more, callbacks: { onView } });
      assert.deepEqual(
        told,
        Array.from({ length: total }, (_, i) => [i + 1, total]),
        JSON.stringify(more),
      );
    }
    const ending = new AbortController();
    const dones = /** @type {number[]} */ ([]);
    const onView = (/** @type {any} */ { done }) => (
      dones.push(done),
      done === 2 && ending.abort(new Error('enough'))
    );
    await assert.rejects(
      learner.fit({ ...FIT, seed: 2, callbacks: { onView }, signal: ending.signal }),
      /enough/,
    );
    assert.deepEqual(dones, [1, 2]);
    learner.close();
  });

  test('that diverges leaves the weights as they were, and cannot be resumed', async () => {
    const learner = await makeLearner(LABELS);
    await learner.fit({ ...FIT, epochs: 1 });
    const before = learner.export();
    const optimizer = { type: /** @type {const} */ ('sgd'), learningRate: 1e6, momentum: 1 };
    await assert.rejects(
      learner.fit({ ...FIT, epochs: 500, optimizer, l2: 1 }),
      error('TRAINING_DIVERGED', /at step \d/),
    );
    assert.deepEqual(learner.export(), before);
    await assert.rejects(learner.resume(), error('NOT_INTERRUPTED'));
    learner.close();
  });

  test('takes a data set, and is warned, described, reported and measured', async () => {
    const learner = await open();
    const all = brightBoxes(LABELS);
    const annotations = all.map(({ boxes: [{ label, box }] }, id) => ({
      ...{ id: id + 1, image_id: id, category_id: LABELS.indexOf(label), area: 24, iscrowd: 0 },
      bbox: [box.x, box.y, box.width, box.height],
    }));
    /** @type {Record<string, Uint8Array>} */
    const source = {
      'instances.json': new TextEncoder().encode(
        JSON.stringify({
          images: all.map((_, id) => ({
            id,
            file_name: `${id}.png`,
            width: SIDE,
            height: id === 2 ? 20 : SIDE,
          })),
          categories: ['cat', 'dog'].map((name, id) => ({ id, name })),
          annotations,
        }),
      ),
    };
    all.forEach(({ image: { data } }, i) => {
      source[`${i}.png`] = encodePng({ data, width: SIDE, height: SIDE, channels: 3 });
    });
    await learner.addDataset(source);
    assert.deepEqual(learner.examples, {
      ...{ count: 5, boxes: 5 },
      classes: [
        { label: 'cat', count: 3 },
        { label: 'dog', count: 2 },
      ],
    });
    assert.match(
      learner.warnings.join('\n'),
      /^class 'dog' has 2 boxes.*\n.*1 of 5 photos .*'2\.png'.*\n3 of 5 boxes/,
    );
    await learner.fit({
      ...FIT,
      epochs: 60,
      optimizer: { type: 'adam', learningRate: 0.03 },
      validationSplit: 0.2,
    });
    const { AP, AP50, evaluation } = await learner.evaluate(source);
    assert.ok(AP50 !== null && AP50 > 0.1, `AP50 ${AP50}`);
    assert.deepEqual([AP, AP50], [evaluation.coco.AP, evaluation.coco.AP50]);
    const facts = await learner.describeFit({ name: 'boxes' });
    const parameters = 36 * 8 + 8 + 36 * 4 + 4 + 4 * 8 + 8 + 4 * 4 + 4;
    assert.deepEqual(facts.data, { train: 4, validation: 1, classes: ['cat', 'dog'], parameters, kept: [] });
    const files = await learner.report({ name: 'boxes' });
    assert.match(files['README.md'], /pipeline_tag: object-detection[^]*boxes/);
    await assert.rejects(learner.report(/** @type {any} */ ({ other: 1 })), error('INVALID_OPTION'));
    learner.close();
  });

  test('an image that a data set lists twice is one photo, as its last entry says', async () => {
    const learner = await open();
    const photo = encodePng({ data: image.data, width: SIDE, height: SIDE, channels: 3 });
    const images = ['gone.png', '1.png', '0.png'].map((name, i) => ({ id: i % 2, file_name: name }));
    const bbox = [BOX.x, BOX.y, BOX.width, BOX.height];
    const annotations = [{ id: 1, image_id: 0, category_id: 1, bbox }];
    const text = JSON.stringify({ images, categories: [{ id: 1, name: 'cat' }], annotations });
    await learner.addDataset({ 'a.json': new TextEncoder().encode(text), '0.png': photo, '1.png': photo });
    const { count, boxes } = learner.examples;
    assert.deepEqual({ count, boxes }, { count: 2, boxes: 1 });
    learner.close();
  });
});

describe('the detectors that a learner runs', () => {
  test('read images as the learner does', async () => {
    const background = '#000000';
    const learner = await makeLearner(LABELS, { background, maxPixels: SIDE * SIDE });
    await learner.fit(NO_STEP);
    const clear = new Uint8Array(SIDE * SIDE * 4).map((_, i) => (i % 4 === 3 ? 0 : 255));
    const black = { data: new Uint8Array(SIDE * SIDE * 3), width: SIDE, height: SIDE };
    const find = async (/** @type {any} */ photo) =>
      (await learner.detect(photo, { scoreThreshold: 0 })).detections;
    const png = encodePng({ data: clear, width: SIDE, height: SIDE, channels: 4 });
    assert.deepEqual(await find(png), await find(black));
    const large = encodePng({ data: new Uint8Array(3 * 17 * 16), width: 17, height: 16, channels: 3 });
    await assert.rejects(find(large), error('IMAGE_TOO_LARGE'));
    learner.close();
  });

  /** A learner that was trained, and its detectors that are open. @param {import('node:test').TestContext} t */
  const watched = async (t) => {
    /** @type {Set<ObjectDetector>} */
    const opened = new Set();
    const create = ObjectDetector.create.bind(ObjectDetector);
    t.mock.method(ObjectDetector, 'create', async (/** @type {any} */ options) => {
      const detector = await create(options);
      opened.add(detector);
      const close = detector.close.bind(detector);
      t.mock.method(detector, 'close', () => (opened.delete(detector), close()));
      return detector;
    });
    const learner = await makeLearner(LABELS);
    await learner.fit(NO_STEP);
    return { learner, opened };
  };

  test('are one for calls at once', async (t) => {
    const { learner, opened } = await watched(t);
    const [first, second] = await Promise.all([learner.detect(image), learner.detect(image)]);
    assert.deepEqual(second.detections, first.detections);
    assert.equal(opened.size, 1);
    learner.close();
    await Promise.resolve();
    assert.equal(opened.size, 0);
  });

  test('are closed if they open after the learner was closed', async (t) => {
    const { learner, opened } = await watched(t);
    const detecting = [learner.detect(image), learner.detect(image)];
    learner.close();
    for (const each of detecting) await assert.rejects(each, error('CLOSED'));
    assert.equal(opened.size, 0);
    await assert.rejects(learner.detect(image), error('CLOSED'));
  });

  test('are closed after a training, once their calls have ended', async (t) => {
    const { learner, opened } = await watched(t);
    const expected = (await learner.detect(image)).detections;
    await learner.fit(NO_STEP);
    assert.equal(opened.size, 0);
    const create = ObjectDetector.create;
    let finish = () => {};
    const trained = new Promise((resolve) => (finish = () => resolve(undefined)));
    t.mock.method(ObjectDetector, 'create', async (/** @type {any} */ options) => {
      await trained;
      return create(options);
    });
    const detecting = [learner.detect(image), learner.detect(image)];
    await learner.fit({ ...FIT, epochs: 9 });
    finish();
    for (const { detections } of await Promise.all(detecting)) assert.deepEqual(detections, expected);
    assert.equal(opened.size, 0);
    assert.notDeepEqual((await learner.detect(image)).detections, expected);
    assert.equal(opened.size, 1);
    learner.close();
  });

  test('are made again after one that failed', async (t) => {
    const { learner, opened } = await watched(t);
    const fault = new Error('no memory');
    const create = ObjectDetector.create;
    t.mock.method(ObjectDetector, 'create', async () => {
      throw fault;
    });
    for (let i = 0; i < 2; i++) await assert.rejects(learner.detect(image), fault);
    ObjectDetector.create = create;
    await learner.detect(image);
    assert.equal(opened.size, 1);
    learner.close();
  });
});

describe('a learner refuses', () => {
  /** @type {[string, any, RegExp][]} */
  const boxes = [
    ['no list', undefined, /boxes must be a list/],
    ['no numbers', [{ label: 'a', box: { x: 1 } }], /finite numbers/],
    ['null', [null], /finite numbers/],
    ['NaN', [{ label: 'a', box: { ...BOX, x: NaN } }], /finite numbers/],
    ['no area', [{ label: 'a', box: { ...BOX, width: 0 } }], /no area/],
    ['a negative size', [{ label: 'a', box: { ...BOX, height: -3 } }], /no area/],
    ['a box outside', [{ label: 'a', box: { ...BOX, x: 13 } }], /not inside the photo of 16 x 16/],
    ['a flag that is none', [{ label: 'a', box: BOX, ignore: 1 }], /ignore/],
  ];
  test('boxes; the photo is not added, and the learner works on', async () => {
    const learner = await open();
    for (const [name, list, message] of boxes)
      await assert.rejects(learner.addExample(image, list), error('INVALID_EXAMPLE', message), name);
    await assert.rejects(learner.addExample(image, [{ label: '', box: BOX }]), error('INVALID_LABEL'));
    await assert.rejects(
      learner.addExample({ ...image, channels: 3, data: new Uint8Array(3) }, []),
      error('INVALID_INPUT'),
    );
    assert.equal(learner.examples.count, 0);
    await learner.addExample(image, BOXES);
    assert.equal(learner.examples.count, 1);
    learner.close();
  });

  test('entries of a data set without a box, before it adds a photo', async () => {
    const learner = await open();
    const photo = encodePng({ data: image.data, width: SIDE, height: SIDE, channels: 3 });
    const box = [BOX.x, BOX.y, BOX.width, BOX.height];
    const add = (/** @type {object} */ entry) => {
      const annotations = [{ bbox: box }, entry].map((each, i) => ({ id: i, image_id: i, category_id: 1, ...each })); // prettier-ignore
      const images = annotations.map(({ id }) => ({ id, file_name: `${id}.png` }));
      const text = JSON.stringify({ images, categories: [{ id: 1, name: 'cat' }], annotations }, null, 1);
      const source = { 'a.json': new TextEncoder().encode(text), '0.png': photo, '1.png': photo };
      return learner.addDataset(source);
    };
    for (const [entry, message] of /** @type {[object, RegExp][]} */ ([
      [{ segmentation: [[0, 0, 5, 0, 5, 5]] }, /a\.json:\d+: annotations\[1\] has a segmentation only/],
      [{}, /annotations\[1\] has no bbox/],
      [{ bbox: null }, /has no bbox/],
      [{ bbox: [] }, /has no bbox/],
      [{ bbox: 5 }, /has no bbox/],
      [{ bbox: { length: 4e9 } }, /has no bbox/],
    ]))
      await assert.rejects(add(entry), error('NO_BOX', message));
    for (const [source, code] of /** @type {[any, string][]} */ ([
      [null, 'INVALID_OPTION'],
      [undefined, 'INVALID_OPTION'],
      [{ groundTruth: null }, 'INVALID_INPUT'],
    ])) {
      await assert.rejects(learner.addDataset(source), error(code));
      await assert.rejects(learner.evaluate(source), error(code));
    }
    assert.equal(learner.examples.count, 0);
    for (const bbox of ['left', [1, 2, 3]]) await assert.rejects(add({ bbox }), error('INVALID_EXAMPLE'));
    await add({ bbox: box });
    assert.equal(learner.examples.classes[0].label, 'cat');
    learner.close();
  });

  test('options', async () => {
    const learner = await makeLearner(['cat']);
    /** @type {[any, RegExp][]} */
    const bad = [
      [{ views: 0 }, /views/],
      [{ unknown: 1 }, /unknown/],
      [{ callbacks: { onStep: 1 } }, /onStep/],
      [{ signal: true }, /signal must be an AbortSignal/],
      [{ loss: { type: 'softmax' } }, /does not fit the model/],
      [{ loss: { gamma: -1 } }, /loss.gamma/],
      [{ loss: { matchedIou: 0.4, unmatchedIou: 0.5 } }, /unmatchedIou/],
      [{ loss: { type: null } }, /loss.type/],
      [{ loss: { matchBy: null } }, /loss.matchBy/],
      [{ loss: { matchBy: 'predicted', forceMatch: false } }, /needs trainBoxes false/],
      [{ loss: { hardExamples: { by: 'x' } } }, /hardExamples.by/],
      [{ augmentation: { hue: 2 } }, /augmentation.hue/],
      [{ views: 1, freshViews: true }, /freshViews/],
      [{ earlyStopping: { monitor: 'val_accuracy' } }, /monitor/],
      [{ labelSmoothing: 0.1 }, /labelSmoothing/],
    ];
    for (const [options, message] of bad)
      await assert.rejects(learner.fit(options), error('INVALID_OPTION', message));
    await learner.fit({
      epochs: 1,
      views: 1,
      trainBoxes: false,
      loss: { matchBy: 'predicted', forceMatch: false },
    });
    assert.throws(() => learner.planMemory(/** @type {any} */ ({ epoch: 1 })), error('INVALID_OPTION'));
    await assert.rejects(learner.resume(/** @type {any} */ ({ epochs: 1 })), error('INVALID_OPTION'));
    for (const options of /** @type {any[]} */ ([null, { other: 1 }])) {
      await assert.rejects(learner.addDataset({}, options), error('INVALID_OPTION'));
      await assert.rejects(learner.describeFit(options), error('INVALID_OPTION'));
    }
    for (const [options, code] of /** @type {[any, string][]} */ ([
      [{ extractor: 1 }, 'INVALID_OPTION'],
      [{ seed: -1 }, 'INVALID_OPTION'],
      [{ deterministic: 1 }, 'INVALID_OPTION'],
      [{ labels: [''] }, 'INVALID_LABEL'],
    ]))
      await assert.rejects(open(options), error(code));
    await assert.rejects(DetectorLearner.load(new Uint8Array(9)), error('STATE_CORRUPT'));
    learner.close();
  });

  test('weights of boxes that become NaN outside of the loss are found, and those of before restored', async () => {
    const learner = await makeLearner(['cat', 'dog', 'new'], { model: tinyDetector({ heads: 'shared' }) });
    const loss = /** @type {const} */ ({ matchBy: 'predicted', matchedIou: 0.8, unmatchedIou: 0.5 });
    // A gradient of 0 is divided by 0.
    const optimizer = /** @type {const} */ ({ type: 'adam', epsilon: 0 });
    await assert.rejects(
      learner.fit({ epochs: 6, views: 2, batchSize: 1, loss, optimizer }),
      error('TRAINING_DIVERGED', /a weight is no number/),
    );
    const { history } = await learner.fit({ epochs: 1 });
    assert.ok(Number.isFinite(history.loss[0]));
    learner.close();
  });

  test('what cannot be trained', async () => {
    const learner = await open();
    await assert.rejects(learner.fit(), error('NO_EXAMPLES'));
    await learner.addExample(image, []);
    await assert.rejects(learner.fit(), error('NO_EXAMPLES', /no photo has a box/));
    await learner.addExample(image, BOXES);
    for (const early of /** @type {const} */ (['val_loss', 'val_AP', 'val_AP50']))
      await assert.rejects(
        learner.fit({ earlyStopping: { monitor: early } }),
        error('INVALID_OPTION', new RegExp(`${early} needs validation photos`)),
      );
    await assert.rejects(
      learner.fit({ validationSplit: 1 }),
      error('NO_EXAMPLES', /validationSplit leaves no/),
    );
    await learner.fit({ ...NO_STEP, earlyStopping: { monitor: 'loss' } });
    learner.close();
  });

  test('what needs a training before it, or the same photos', async () => {
    const learner = await makeLearner(LABELS);
    for (const call of [() => learner.export(), () => learner.save()])
      assert.throws(call, error('NO_EXAMPLES', /call fit\(\) first/));
    await assert.rejects(learner.describeFit(), error('NO_EXAMPLES'));
    await assert.rejects(learner.resume(), error('NOT_INTERRUPTED'));
    const controller = new AbortController();
    const onBatch = () => controller.abort();
    await assert.rejects(learner.fit({ ...FIT, callbacks: { onBatch }, signal: controller.signal }));
    await learner.addExample(image, BOXES);
    await assert.rejects(learner.resume(), error('STATE_MISMATCH', /found 6 photos, expected 5/));
    learner.close();
  });

  test('two fits at once, and files meanwhile', async () => {
    const learner = await makeLearner(LABELS);
    await learner.fit(NO_STEP);
    const refused = async () => {
      await assert.rejects(learner.fit(), error('FIT_RUNNING'));
      assert.throws(() => learner.save(), error('FIT_RUNNING'));
      assert.throws(() => learner.export(), error('FIT_RUNNING'));
    };
    let calls = 0;
    const onBatch = () => (calls++ === 0 ? refused() : undefined);
    await learner.fit({ ...FIT, callbacks: { onBatch } });
    assert.ok(calls > 1);
    learner.save();
    learner.close();
  });

  test('all after close, also if it is closed in a fit', async () => {
    const learner = await makeLearner(LABELS);
    const onBatch = () => learner.close();
    await assert.rejects(learner.fit({ ...FIT, callbacks: { onBatch } }), error('CLOSED'));
    await assert.rejects(learner.fit(), error('CLOSED'));
    await assert.rejects(learner.addExample(image, BOXES), error('CLOSED'));
    await assert.rejects(learner.detect(image), error('CLOSED'));
    await assert.rejects(learner.addDataset({}), error('CLOSED'));
    learner.close();
  });

  /** @type {[string, Uint8Array, Options, string, RegExp][]} */
  const files = [
    ['scores that are neither sigmoids nor a softmax', tinyDetector(), { ssd: { scores: 'none' } }, 'HEADS_UNSUPPORTED', /neither sigmoids/],
    ['boxes with linear sizes', tinyDetector(), { ssd: { boxSizes: 'linear' } }, 'HEADS_UNSUPPORTED', /four encodings/],
    ['boxes that begin with x', tinyDetector(), { ssd: { boxOrder: 'xy' } }, 'HEADS_UNSUPPORTED', /four encodings/],
    ['kept classes that it does not have', tinyDetector(), { keepClasses: ['cow'] }, 'INVALID_LABEL', /no class 'cow'/],
    ['weights that are no text', tinyDetector(), /** @type {any} */ ({ signature: 1 }), 'INVALID_OPTION', /signature/],
    ['no settings', tinyDetector({ scores: 'softmax' }), {}, 'SSD_UNKNOWN', /anchors/],
  ]; // prettier-ignore
  for (const [name, model, options, code, message] of files)
    test(name, () => assert.rejects(open({ model, ...options }), error(code, message)));
});
