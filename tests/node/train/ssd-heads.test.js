// 200 steps of training a detector's heads against TensorFlow with the losses of its Object Detection API
// (tests/data/make/ssd_heads.py): momentum, Adam and RMSprop; pointwise, 3x3, separable and shared heads.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import '../../../wasm/train/node.js';
import { makeLoss } from '../../../wasm/train/detect/loss.js';
import { SsdTrainer } from '../../../wasm/train/detect/trainer.js';
import { checkOptimizer, optimizerStruct } from '../../../wasm/train/plan.js';
import { maxDifference, readArray, readJson, testData, variants } from '../shared.js';

/** @type {any} */
const { steps, batch, images, cases } = readJson(testData('train/ssd_heads.json'));
const bytes = readArray(testData('train/ssd_heads.bin'), Uint8Array);
const BOX_CODER = [10, 10, 5, 5];

/** @param {[number, number, string]} place */
function arrayAt([offset, length, type]) {
  const View = { float32: Float32Array, uint16: Uint16Array, int32: Int32Array }[type] ?? Float32Array;
  return new View(bytes.slice(offset, offset + length * View.BYTES_PER_ELEMENT).buffer);
}

/** @param {any} cs */
function translate({ type, learning_rate: learningRate, ...rest }) {
  return optimizerStruct(checkOptimizer({ type, learningRate, ...rest }));
}

/** @param {any} cs @returns {Record<string, any>} */
const arraysOf = (cs) =>
  Object.fromEntries(
    Object.entries(cs.arrays).map(([key, place]) => [key, arrayAt(/** @type {any} */ (place))]),
  );

/**
 * @param {any} cs
 * @param {SsdTrainer} trainer
 * @param {Float32Array} anchors
 */
function open(cs, trainer, anchors) {
  const loss = makeLoss(
    { type: cs.type, unmatchedIou: 0.4, hardExamples: cs.mined },
    { isSoftmax: cs.type === 'softmax' },
  );
  const settings = { anchors, boxCoder: BOX_CODER, background: cs.background, maxRows: batch, maxBoxes: 100 };
  const layers = cs.layers.map((/** @type {any} */ { relu6, ...layer }) => ({
    ...layer,
    activation: relu6 ? 'relu6' : 'linear',
  }));
  trainer.open({ ...cs, layers }, translate(cs.optimizer), loss, settings);
}

/**
 * @param {any} cs
 * @param {SsdTrainer} trainer
 */
function train(cs, trainer) {
  const arrays = arraysOf(cs);
  const { anchors, initial, final } = arrays;
  open(cs, trainer, anchors);
  trainer.write('parameters', initial);
  const rowLength = arrays.rows.length / images;
  const starts = cs.counts.map((/** @type {number} */ _, /** @type {number} */ i) =>
    cs.counts.slice(0, i).reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0),
  );
  const losses = [];
  for (let step = 0; step < steps; step++) {
    const list = Array.from({ length: batch }, (_, i) => ((step * batch) % images) + i);
    list.forEach((image, i) =>
      trainer.writeRow(
        i,
        /** @type {any} */ (arrays.rows.subarray(image * rowLength, (image + 1) * rowLength)),
      ),
    );
    trainer.writeTruths(
      list.map((image) => {
        const end = starts[image] + cs.counts[image];
        return {
          boxes: /** @type {any} */ (arrays.boxes.subarray(4 * starts[image], 4 * end)),
          classes: /** @type {any} */ (arrays.classes.subarray(starts[image], end)),
          weights: new Float32Array(cs.counts[image]).fill(1),
        };
      }),
    );
    const result = trainer.run(batch, { l2: 0, step: step + 1, rate: cs.optimizer.learning_rate });
    losses.push(result.classLoss + result.boxLoss);
  }
  return { losses, final, parameters: trainer.read('parameters') };
}

describe('200 steps of a detector’s heads are TensorFlow’s', () => {
  for (const [name, cs] of Object.entries(cases)) {
    for (const variant of variants) {
      test(`${name}, ${variant}`, async () => {
        const trainer = await SsdTrainer.create({ deterministic: variant === 'simd' });
        const { losses, final, parameters } = train(cs, trainer);
        assert.ok(maxDifference(losses, cs.losses) < 1e-4 * Math.max(...cs.losses), 'losses');
        assert.equal(parameters.length, final.length);
        assert.ok(maxDifference(parameters, final) < 1e-4, `weights by ${maxDifference(parameters, final)}`);
        trainer.close();
      });
    }
  }
});

test('networks that are opened one after the other leave nothing behind', async () => {
  const [cs] = Object.values(cases);
  const { anchors } = arraysOf(cs);
  const trainer = await SsdTrainer.create();
  open(cs, trainer, anchors);
  const { liveBytes } = trainer.memoryUse;
  for (let i = 0; i < 3; i++) open(cs, trainer, anchors);
  assert.equal(trainer.memoryUse.liveBytes, liveBytes);
  for (let i = 0; i < 2; i++) trainer.close();
  const closed = trainer.memoryUse.liveBytes;
  assert.ok(closed < liveBytes);
  open(cs, trainer, anchors);
  assert.equal(trainer.memoryUse.liveBytes, liveBytes);
  trainer.close();
  assert.equal(trainer.memoryUse.liveBytes, closed);
});
