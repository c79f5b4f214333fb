// DetectorLearner with the default detector and others from the field, on composed photos (compose.js). What does not depend on
// the detector is tested with a tiny one, in tiny.test.js.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { DetectorLearner } from '../../../wasm/train/node.js';
import { uniforms } from '../../../wasm/train/random.js';
import { convert } from '../../../wasm/convert/node.js';
import { largeSource } from '../convert/convert.js';
import { runLiteRt } from '../litert.js';
import { loadEngine, maxDifference, needsLarge, packagePhoto } from '../shared.js';
import { compose, openBackgrounds, openCutouts, samplePhotos } from './compose.js';

/** @typedef {import('./compose.js').Composed} Composed */

/** @type {Composed[]} */
let photos;
/** @type {import('./compose.js').Cutout[]} */
let cutouts;
/** @type {import('./compose.js').Rgb[]} */
let backgrounds;
/** Of the default detector. */
const INPUT = { width: 300, height: 300 };
/** Fast: two views, four steps. */
const FIT = { epochs: 2, batchSize: 4, views: 2, optimizer: /** @type {const} */ ('adam') };

before(async () => {
  const directory = samplePhotos();
  cutouts = await openCutouts(directory);
  const [apple, , fish] = cutouts;
  backgrounds = await openBackgrounds([directory]);
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

describe('a detector’s learner', () => {
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

  for (const [name, options, count] of /** @type {const} */ ([
    ['of its own layers', {}, 10],
    ['of joined maps', { fuseMaps: true }, 3],
    ['of joined maps and of kept classes', { fuseMaps: true, keepClasses: true }, 3],
  ]))
    test(`exports a file whose heads ${name} LiteRT.js computes as we do`, async () => {
      const learner = await makeLearner(options);
      await learner.fit(FIT);
      const file = /** @type {Uint8Array<ArrayBuffer>} */ (learner.export());
      const engine = await loadEngine('simd', file);
      const random = uniforms(9);
      for (const photo of Array.from({ length: count }, () => compose(backgrounds, cutouts, random, INPUT))) {
        const input = Float32Array.from(photo.data, (level) => level / 127.5 - 1);
        engine.writeInput(0, input);
        engine.run();
        const theirs = await runLiteRt(file, input, [1, INPUT.height, INPUT.width, 3]);
        for (const [i, { shape }] of engine.outputs.entries()) {
          const same = theirs.find((output) => output.shape.join() === shape.join());
          const ours = /** @type {Float32Array} */ (engine.readOutput(i).data);
          // A thousandth of a logit is less of a score, and of an encoded box at most a ten thousandth of its anchor.
          assert.ok(same && maxDifference(ours, same.data) < 1e-3, `${shape}`);
        }
      }
      engine.close();
      learner.close();
    });

  for (const fuseMaps of [false, true])
    test(`keeps the scores and boxes of old classes to the bit: fuseMaps ${fuseMaps}`, async () => {
      const learner = await makeLearner({ keepClasses: true, deterministic: true, fuseMaps });
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

  for (const [name, source, checkUnfreeze] of /** @type {const} */ ([
    ['separable heads', 'frozen_ssdlite_mobilenet_v2_300_person', keepsBlockInput],
    ['heads that all maps share', 'tfjs_ssd_mobilenet_v2_320_fpnlite_hands_uint8', isRefused],
  ]))
    test(`keeps and learns with ${name}`, needsLarge(`convert/${source}`), async () => {
      const { model } = await convert(largeSource(source));
      await checkUnfreeze(model);
      for (const fuseMaps of [false, true]) {
        const learner = await DetectorLearner.create({
          ...{ model, fuseMaps, keepClasses: true, deterministic: true },
        });
        for (const photo of photos) await learner.addExample(pixels(photo), photo.boxes);
        const { history } = await learner.fit({ ...FIT, epochs: 4 });
        assert.ok(/** @type {number} */ (history.loss.at(-1)) < history.loss[0]);
        const { modelLabels: old } = learner;
        const [before, after] = [await detectAll(model, old), await detectAll(learner.export(), old)];
        assert.ok(before.length > 0);
        assert.deepEqual(after, before);
        learner.close();
      }
    });
});

/** @param {Uint8Array} model @param {string[]} labels */
async function detectAll(model, labels) {
  const detector = await ObjectDetector.create({ model, deterministic: true, classes: { allow: labels } });
  const { detections } = await detector.detect(packagePhoto('astronaut.png'), { scoreThreshold: 0.05 });
  detector.close();
  return detections;
}

/** With three blocks unfrozen, what is kept is their input and the map before them. @param {Uint8Array} model */
async function keepsBlockInput(model) {
  const learner = await makeLearner({ model, unfreeze: 3 });
  assert.equal(learner.batchNorm, 'folded');
  assert.equal(learner.planMemory({ views: 1 }).rowBytes, 2 * (10 * 10 * 160 + 19 * 19 * 576));
  learner.close();
}

/** No block of a feature pyramid is unfrozen. @param {Uint8Array} model */
async function isRefused(model) {
  await assert.rejects(DetectorLearner.create({ model, unfreeze: 1 }), {
    ...{ code: 'BLOCK_UNSUPPORTED', message: /PredictionTower.*, which a head reads, is not in the chain/ },
  });
}

/** @param {{x: number, y: number, width: number, height: number}} a @param {{x: number, y: number, width: number, height: number}} b */
function overlap(a, b) {
  const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(wide, 0) * Math.max(high, 0);
  return shared / (a.width * a.height + b.width * b.height - shared);
}
