// The last blocks of a detector in training: steps against TensorFlow with the losses of its Object Detection API
// (tests/data/make/detector_blocks.py), and a learner from the photos to the exported file.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { convert } from '../../../wasm/convert/node.js';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { findTail } from '../../../wasm/train/blocks.js';
import { chooseClasses } from '../../../wasm/train/detect/classes.js';
import { numberToHalf } from '../../../wasm/tflite/tensor.js';
import { toHeadNetwork } from '../../../wasm/train/detect/network.js';
import { openDetector, openExtractor } from '../../../wasm/train/detect/model.js';
import { makeDetectorPlan } from '../../../wasm/train/detect/plan.js';
import { SsdTrainer } from '../../../wasm/train/detect/trainer.js';
import {
  exportDetector,
  keepTrainedHeads,
  openHeads,
  prepareHeads,
} from '../../../wasm/train/detect/weights.js';
import { DetectorLearner } from '../../../wasm/train/node.js';
import { maxAbs, maxDifference, readArray, readJson, runModel, testData, variants } from '../shared.js';
import { tinyDetector } from './tiny_detector.js';

/** @param {string} file */
const path = (file) => testData(`train/detector_blocks/${file}`);
/** @param {string} file */
const floats = (file) => readArray(path(file), Float32Array);

/** @type {any} */
const { images, batch, counts, cases, ...files } = readJson(path('cases.json'));
const boxes = floats(files.boxes);
const classes = readArray(path(files.classes), Int32Array);
const SPEC = {
  input: '[-1,1]',
  ssd: /** @type {const} */ ({
    ...{ anchors: [], boxCoder: [10, 10, 5, 5], scores: 'sigmoid', background: false },
  }),
};
/** Names that the file's classes have for want of labels. */
const LABELS = ['class 0', 'class 1'];

/** @type {Uint8Array} */ let model;
/** @type {any} */ let spec;
before(async () => {
  const source = new Uint8Array(readFileSync(path('detector.h5')));
  ({ model } = await convert(source, { keepBatchNorm: true, input: '[-1,1]' }));
  const numbers = floats(files.anchors);
  const anchors = Array.from({ length: numbers.length / 4 }, (_, i) => [
    ...numbers.subarray(4 * i, 4 * i + 4),
  ]);
  spec = { ...SPEC, ssd: { ...SPEC.ssd, anchors } };
});

/** What a photo shows. @param {number} image */
function truthOf(image) {
  const first = counts.slice(0, image).reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0);
  const end = first + counts[image];
  return {
    boxes: boxes.slice(4 * first, 4 * end),
    classes: classes.slice(first, end),
    weights: new Float32Array(counts[image]).fill(1),
  };
}

describe('the steps are TensorFlow’s', () => {
  for (const [name, cs] of Object.entries(cases))
    for (const variant of variants)
      test(`${name}, ${variant}`, async () => {
        const { unfreeze, batch_norm: batchNorm, optimizer } = cs;
        const { learning_rate: learningRate, ...rest } = optimizer;
        const file = await openDetector(model, { ...spec, unfreeze, batchNorm });
        const chosen = chooseClasses(file, LABELS, false);
        const plan = makeDetectorPlan(
          {
            optimizer: { ...rest, learningRate },
            loss: { type: 'focal', unmatchedIou: 0.4 },
          },
          { labels: LABELS, isSoftmax: false, keepsClasses: false },
        );
        const trained = prepareHeads(undefined, plan, { file, classes: chosen, seed: 0 });
        const trainer = await SsdTrainer.create({ deterministic: variant === 'simd' });
        openHeads(trained, trainer, { file, maxRows: batch, maxBoxes: 100 });
        const rows = readArray(path(files.rows[unfreeze]), Uint16Array);
        const length = rows.length / images;
        for (const [step, expected] of cs.losses.entries()) {
          const list = Array.from({ length: batch }, (_, i) => ((step * batch) % images) + i);
          list.forEach((image, i) =>
            trainer.writeRow(i, rows.subarray(image * length, (image + 1) * length)),
          );
          trainer.writeTruths(list.map(truthOf));
          const { classLoss, boxLoss } = trainer.run(batch, { l2: 0, step: step + 1, rate: learningRate });
          const apart = Math.abs(classLoss + boxLoss - expected);
          assert.ok(apart <= 1e-5 * expected, `loss ${step} differs by ${apart}`);
          if (step > 0) continue;
          const gradients = floats(cs.first_step_gradients);
          const wrong = maxDifference(trainer.read('gradients'), gradients);
          assert.ok(wrong <= 2e-6 * Math.max(1, maxAbs(gradients)), `gradients differ by ${wrong}`);
        }
        const final = floats(cs.final);
        const apart = maxDifference(trainer.read('parameters'), final);
        assert.ok(apart <= 1e-4, `weights differ by ${apart}`);
        keepTrainedHeads(trained, trainer, cs.losses.length);
        await checkExport(exportDetector(trained, file), file, trainer);
        trainer.close();
      });
});

/**
 * A file gives the logits that the trainer computes from what is kept of a photo.
 * @param {Uint8Array} exported
 * @param {import('../../../wasm/train/detect/model.js').DetectorFile} file that it was trained from
 * @param {SsdTrainer} trainer
 */
async function checkExport(exported, file, trainer) {
  const extractor = await openExtractor(file, { deterministic: true });
  const { data } = await extractor.extractBatch([photoOf(0)]);
  extractor.close();
  trainer.writeRow(0, Uint16Array.from(data, numberToHalf));
  trainer.predict(1);
  const { logits } = trainer.readPredictions(1);
  const scores = (await runModel(exported, toInput(photoOf(0))))[1].data;
  // Half floats have 11 digits; their errors pass through up to 17 layers.
  const apart = maxDifference(/** @type {Float32Array} */ (scores), logits);
  assert.ok(apart <= 2 ** -9 * maxAbs(logits), `logits differ by ${apart}`);
}

/** The start of the SHA-256 of a file that is trained, on every engine. */
const DIGEST = '3038e2aab6c2300a';
const SIDE = 32;

/** Pixels that do not repeat. @param {number} image */
function photoOf(image) {
  const data = Uint8Array.from(
    { length: SIDE * SIDE * 3 },
    (_, i) => (i * 7 + image * 31 + ((i * i) >> 5)) & 255,
  );
  return { data, width: SIDE, height: SIDE, channels: /** @type {const} */ (3) };
}
/** The network's own input. @param {{data: Uint8Array}} photo */
const toInput = ({ data }) => Float32Array.from(data, (pixel) => pixel / 127.5 - 1);

/** @param {import('../../../wasm/train/index.js').DetectorLearnerOptions} options */
const open = (options) =>
  DetectorLearner.create({ model, ...spec, deterministic: true, worker: false, ...options });

/** @param {DetectorLearner} learner */
async function addPhotos(learner) {
  for (let i = 0; i < 5; i++) {
    const box = { x: 3 * i, y: 8, width: 14, height: 12 };
    await learner.addExample(photoOf(i), [{ label: LABELS[i % 2], box }]);
  }
  return learner;
}

const FIT = {
  ...{ epochs: 2, batchSize: 4, views: 2, validationSplit: 0.2 },
  optimizer: { type: /** @type {const} */ ('adam'), learningRate: 0.01 },
};
/** @param {string} code @param {RegExp} message */
const error = (code, message) => ({ name: 'OcelliError', code, message });

describe('the loss that is shown has that of boxes if it changes the weights', () => {
  for (const [unfreeze, trainBoxes, changes] of /** @type {[number, boolean, boolean][]} */ ([
    [0, true, true],
    [0, false, false],
    [2, false, true],
  ]))
    test(`unfreeze ${unfreeze}, trainBoxes ${trainBoxes}`, async () => {
      const trained = [];
      for (const localizationWeight of [1, 3]) {
        const learner = await addPhotos(await open({ unfreeze }));
        const { history } = await learner.fit({ ...FIT, trainBoxes, loss: { localizationWeight } });
        const { loss, class_loss: ofClasses, box_loss: ofBoxes, val_loss: validation } = history;
        assert.ok(ofBoxes[0] > 0.01);
        assert.ok(Math.abs(loss[0] - ofClasses[0] - (changes ? ofBoxes[0] : 0)) < 1e-9);
        trained.push({ file: learner.export(), losses: [loss, validation] });
        learner.close();
      }
      const [a, b] = trained;
      assert.equal(!isDeepStrictEqual(a.file, b.file), changes);
      assert.equal(!isDeepStrictEqual(a.losses, b.losses), changes);
    });
});

describe('a learner that unfreezes blocks', () => {
  for (const unfreeze of [1, 2, 3, 4])
    test(`gives what the file gave before the first step: ${unfreeze}`, async () => {
      const learner = await addPhotos(await open({ unfreeze }));
      assert.equal(learner.batchNorm, 'frozen');
      await learner.fit({ epochs: 1, views: 1, optimizer: { type: 'sgd', learningRate: 0 } });
      const input = toInput(photoOf(1));
      const [now, file] = await Promise.all([learner.export(), model].map((each) => runModel(each, input)));
      now.forEach(({ data }, i) => {
        const expected = /** @type {Float32Array} */ (file[i].data);
        const apart = maxDifference(/** @type {Float32Array} */ (data), expected);
        assert.ok(apart <= 1e-5 * Math.max(1, maxAbs(expected)), `output ${i} differs by ${apart}`);
      });
      learner.close();
    });

  test('of a file with folded batch norm gives its bits, then trains', async () => {
    const source = new Uint8Array(readFileSync(path('detector.h5')));
    const folded = (await convert(source, { input: '[-1,1]' })).model;
    const learner = await addPhotos(await open({ model: folded, unfreeze: 2 }));
    assert.equal(learner.batchNorm, 'folded');
    await learner.fit({ epochs: 1, views: 1, optimizer: { type: 'sgd', learningRate: 0 } });
    const input = toInput(photoOf(1));
    const [now, file] = await Promise.all([learner.export(), folded].map((each) => runModel(each, input)));
    assert.deepEqual(
      now.map(({ data }) => data),
      file.map(({ data }) => data),
    );
    const { history } = await learner.fit({ ...FIT, epochs: 10, views: 1 });
    assert.ok(/** @type {number} */ (history.loss.at(-1)) < history.loss[0] / 2);
    await assert.rejects(
      open({ model: folded, unfreeze: 2, batchNorm: 'training' }),
      error('BATCH_NORM_FOLDED', /at '/),
    );
    learner.close();
  });

  test('keeps what enters the first block, and maps from before it', async () => {
    const frozen = await addPhotos(await open({}));
    assert.equal(frozen.batchNorm, undefined);
    const maps = 8 * 8 * 16 + 4 * 4 * 20 + 2 * 2 * 12 + 10;
    /** @type {[number, number][]} */
    const numbers = [
      [0, maps],
      [1, 4 * 4 * 12 + 8 * 8 * 16],
      [2, 8 * 8 * 8],
      [4, 16 * 16 * 8],
    ];
    for (const [unfreeze, length] of numbers) {
      const learner = await addPhotos(await open({ unfreeze }));
      assert.equal(learner.planMemory({ views: 1 }).rowBytes, 2 * length);
      learner.close();
    }
    frozen.close();
  });

  test('counts the backward pass of its layers in the energy', async () => {
    const learner = await addPhotos(await open({ unfreeze: 1 }));
    await learner.fit({ ...FIT, validationSplit: 0, views: 1 });
    const block = 16 * (12 * 24 + 9 * 24 + 24 * 12);
    const after = 16 * (12 * 20 + 20 * 8) + 4 * (9 * 8 * 12 + 12 * 6) + 9 * 6 + 6 * 10;
    const heads = 12 * (64 * 16 + 16 * 9 * 20 + 4 * 12 + 10);
    const { multiplyAdds } = await learner.describeFit();
    assert.equal(multiplyAdds, FIT.epochs * 5 * 3 * (block + after + heads));
    learner.close();
  });

  test('ends the same when it is interrupted, saved and loaded, also on other engines', async () => {
    const options = { unfreeze: 2, batchNorm: /** @type {const} */ ('training'), batchNormMomentum: 0.5 };
    const whole = await addPhotos(await open(options));
    const { history } = await whole.fit(FIT);
    const file = whole.export();
    for (const last of [0, 2]) {
      const cut = await addPhotos(await open(options));
      const controller = new AbortController();
      let batches = 0;
      const onBatch = () => batches++ === last && controller.abort();
      const { signal } = controller;
      // Less memory than the rows need: some are computed again.
      await assert.rejects(cut.fit({ ...FIT, maxMemory: 3000, callbacks: { onBatch }, signal }), {
        name: 'AbortError',
      });
      const saved = cut.save();
      const loaded = await DetectorLearner.load(saved, { model, ...spec, deterministic: true });
      assert.equal(loaded.batchNorm, 'training');
      await addPhotos(loaded);
      assert.deepEqual((await loaded.resume()).history, history);
      assert.deepEqual(loaded.export(), file);
      await assert.rejects(
        DetectorLearner.load(saved, { model, ...spec, unfreeze: 1 }),
        error('STATE_MISMATCH', /unfreeze 2/),
      );
      for (const closing of [cut, loaded]) closing.close();
    }
    assert.equal(createHash('sha256').update(file).digest('hex').slice(0, 16), DIGEST);
    const [trained, exported] = await Promise.all([
      whole.detect(photoOf(0), { scoreThreshold: 0.1 }),
      ObjectDetector.create({ model: file, deterministic: true, worker: false }),
    ]);
    const { detections } = await exported.detect(photoOf(0), { scoreThreshold: 0.1 });
    assert.ok(detections.length > 0);
    assert.deepEqual(detections, trained.detections);
    for (const closing of [whole, exported]) closing.close();
  });

  /** @type {[import('../../../wasm/train/index.js').DetectorLearnerOptions, string, RegExp][]} */
  const refused = [
    [{ unfreeze: 5 }, 'BLOCK_UNSUPPORTED', /'re_lu' is CONV_2D 3x3 of stride 2x2/],
    [{ unfreeze: 1, keepClasses: ['class 1'] }, 'INVALID_OPTION', /keepClasses needs unfreeze 0/],
    [{ unfreeze: 17 }, 'INVALID_OPTION', /unfreeze/],
    [{ unfreeze: 1, batchNorm: /** @type {any} */ ('live') }, 'INVALID_OPTION', /batchNorm/],
    [{ batchNorm: 'training' }, 'INVALID_OPTION', /needs unfreeze/],
    [{ unfreeze: 1, batchNormMomentum: 0.5 }, 'INVALID_OPTION', /needs batchNorm/],
    [{ unfreeze: 1, model: tinyDetector(), ssd: undefined, input: undefined }, 'BLOCK_UNSUPPORTED', /'image' is the input/],
  ]; // prettier-ignore
  for (const [options, code, message] of refused)
    test(`refuses ${JSON.stringify({ ...options, model: undefined })}`, () =>
      assert.rejects(open(options), error(code, message)));

  test('refuses more layers than the trainer has room for', async () => {
    const { found, unfrozen } = await openDetector(model, { ...spec, unfreeze: 3 });
    const { network } = toHeadNetwork(found.heads, unfrozen, [0, 1]);
    const { inputs, tail } = unfrozen;
    const more = Array.from({ length: 128 - network.layers.length }, () => tail[0]);
    assert.equal(
      toHeadNetwork(found.heads, { inputs, tail: [...tail, ...more] }, [0]).network.layers.length,
      128,
    );
    assert.throws(
      () => toHeadNetwork(found.heads, { inputs, tail: [...tail, ...more, tail[0]] }, [0]),
      error('BLOCK_UNSUPPORTED', /129 layers would be trained; the limit is 128/),
    );
  });

  test('refuses a map that is not in the chain', async () => {
    const { found, unfrozen } = await openDetector(model, { ...spec, unfreeze: 3 });
    const maps = found.heads.map(({ boxes }) => boxes[0].inputs[0]);
    assert.deepEqual(findTail(found.network, maps, 3).inputs, unfrozen.inputs);
    const aside = found.heads[0].boxes[0].output;
    assert.throws(
      () => findTail(found.network, [...maps, aside], 3),
      error('BLOCK_UNSUPPORTED', /'boxes0.*', which a head reads, is not in the chain/),
    );
  });
});
