// 200 steps of training a detector's heads against TensorFlow with the losses of its Object Detection API
// (tests/data/make/ssd_heads.py): momentum, Adam and RMSprop; pointwise, 3x3, separable and shared heads.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import '../../../wasm/train/node.js';
import { makeLoss } from '../../../wasm/train/detect/loss.js';
import { SsdTrainer } from '../../../wasm/train/detect/trainer.js';
import { checkOptimizer, optimizerStruct } from '../../../wasm/train/plan.js';
import { openModule } from '../../../wasm/train/trainer.js';
import { uniforms } from '../../../wasm/train/random.js';
import { numberToHalf } from '../../../wasm/tflite/tensor.js';
import { takeMemory } from './memory.js';
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

test('predictions of two maps: lines through the maps’ numbers, and boxes by the formula of the coder', async () => {
  const [rows, columns, maxRows] = [3, 2, 4];
  const maps = [
    { cells: 2 * 3, atPixel: 2, shape: [2, 3, 1] },
    { cells: 2, atPixel: 1, shape: [1, 2, 1] },
  ];
  const layers = maps.flatMap(({ atPixel }, from) =>
    [4, columns].map((width) => ({
      ...{ kind: /** @type {const} */ ('pointwise'), channels: atPixel * width },
      ...{ activation: /** @type {const} */ ('linear'), from, shared: -1 },
    })),
  );
  const heads = maps.map((_, i) => ({ boxes: 2 * i, scores: 2 * i + 1 }));
  const next = uniforms(3);
  /** Multiples of 1/8, whose products and sums float32 has. */
  const eighths = (/** @type {number} */ length) =>
    Array.from({ length }, () => Math.floor(next() * 16) / 8 - 1);
  /** Of each layer. */
  const lines = layers.map(({ channels }) => ({ slopes: eighths(channels), offsets: eighths(channels) }));
  const cells = maps.flatMap(({ cells }, map) => Array(cells).fill(map));
  const inputs = Array.from({ length: rows }, () => eighths(cells.length));
  const numAnchors = maps.reduce((sum, { cells, atPixel }) => sum + cells * atPixel, 0);
  const anchors = Float32Array.from({ length: 4 * numAnchors }, () => 0.1 + next());

  const trainer = await SsdTrainer.create();
  const network = { inputs: maps.map(({ shape }) => shape), layers, tail: 0, heads, columns };
  const settings = { anchors, boxCoder: BOX_CODER, background: false, maxRows, maxBoxes: 1 };
  trainer.open(
    network,
    translate({ type: 'sgd', learning_rate: 0 }),
    makeLoss({}, { isSoftmax: false }),
    settings,
  );
  trainer.write(
    'parameters',
    Float32Array.from(lines.flatMap(({ slopes, offsets }) => [...slopes, ...offsets])),
  );
  inputs.forEach((row, i) => trainer.writeRow(i, Uint16Array.from(row, numberToHalf)));
  trainer.predict(rows);
  const { boxes, logits } = trainer.readPredictions(rows);
  trainer.close();

  /** What layers give, map by map, cell by cell. @param {'boxes' | 'scores'} kind */
  const expected = (kind) =>
    inputs.flatMap((row) =>
      row.flatMap((value, cell) => {
        const { slopes, offsets } = lines[heads[cells[cell]][kind]];
        return slopes.map((slope, i) => slope * value + offsets[i]);
      }),
    );
  assert.deepEqual([...logits], expected('scores'));
  const encodings = expected('boxes');
  assert.equal(boxes.length, encodings.length);
  for (let i = 0; i < encodings.length; i += 4) {
    const [y, x, height, width] = anchors.subarray(i % anchors.length);
    const [dy, dx, dh, dw] = BOX_CODER.map((scale, d) => encodings[i + d] / scale);
    const [cy, cx, h, w] = [y + dy * height, x + dx * width, height * Math.exp(dh), width * Math.exp(dw)];
    const box = [cy - h / 2, cx - w / 2, cy + h / 2, cx + w / 2];
    assert.ok(maxDifference(boxes.subarray(i, i + 4), box) < 1e-6, `box ${i / 4}`);
  }
});

test('matched by predicted boxes, classes are learnt as from anchors at their places', async () => {
  const trainer = await SsdTrainer.create();
  const layers = [4, 1].map((channels) => ({
    ...{ kind: /** @type {const} */ ('pointwise'), channels, activation: /** @type {const} */ ('linear') },
    ...{ from: 0, shared: -1 },
  }));
  const network = { inputs: [[1, 2, 1]], layers, tail: 0, heads: [{ boxes: 0, scores: 1 }], columns: 1 };
  const box = [0.25, 0.25, 0.75, 0.75];
  /** @param {'anchor' | 'predicted'} matchBy @param {number[]} centers of anchors, from top and left */
  const lossOf = (matchBy, centers) => {
    const anchors = Float32Array.from(centers.flatMap((center) => [center, center, 0.5, 0.5]));
    const settings = { anchors, boxCoder: BOX_CODER, background: false, maxRows: 1, maxBoxes: 1 };
    const loss = makeLoss(
      { matchBy, matchedIou: 0.9, unmatchedIou: 0.9, forceMatch: false },
      { isSoftmax: false },
    );
    trainer.open(network, translate({ type: 'sgd', learning_rate: 0 }), loss, settings);
    // The first anchor's score is 0, the second one's 3; boxes are a quarter further down and right, half of an anchor's side.
    trainer.write('parameters', Float32Array.of(...[0, 0, 0, 0, 5, 5, 0, 0], ...[3, 0]));
    trainer.writeRow(0, Uint16Array.of(0, numberToHalf(1)));
    trainer.writeTruths([
      { boxes: Float32Array.from(box), classes: Int32Array.of(0), weights: Float32Array.of(1) },
    ]);
    return trainer.run(1, { l2: 0 }).classLoss;
  };
  const second = lossOf('anchor', [0, 0.5]);
  assert.notEqual(second, lossOf('anchor', [0.5, 0]));
  assert.equal(lossOf('predicted', [0, 0.25]), second);
  assert.equal(lossOf('predicted', [0.25, 0]), lossOf('anchor', [0.5, 0]));
  trainer.close();
});

test('networks that are opened one after the other leave nothing behind', async () => {
  const [cs] = Object.values(cases);
  const { anchors } = arraysOf(cs);
  const { exports, memory } = await openModule();
  const trainer = new SsdTrainer(exports, memory);
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
  takeMemory(exports, memory);
  const taken = trainer.memoryUse.liveBytes;
  trainer.close();
  assert.equal(trainer.memoryUse.liveBytes, taken);
});
