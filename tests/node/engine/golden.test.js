// The network alone against TFLite's own outputs: every operator case, every whole model, the default detector's heads;
// in each variant that this engine runs. Tolerances: tests/data/README.md.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { readModelCase, readOperatorCase } from '../../golden_cases.js';
import { readList } from '../../large_models.js';
import { decodeImage } from '../../../wasm/platform/node.js';
import {
  cosine,
  createEngine,
  DEFAULT_MODEL,
  large,
  loadEngine,
  loadModel,
  maxAbs,
  maxDifference,
  needsLarge,
  packagePhoto,
  readArray,
  readJson,
  testData,
  variants,
} from '../shared.js';

/**
 * @typedef {import('../../../wasm/engine/engine.js').Engine} Engine
 * @typedef {import('../../golden_cases.js').GoldenCase} GoldenCase
 * @typedef {import('../../golden_cases.js').GoldenOutput} GoldenOutput
 * @typedef {import('../../golden_cases.js').Numbers} Numbers
 */

const runs = [...variants, ...variants.map((variant) => /** @type {const} */ (`${variant}-threads`))];
/** Files of cases in tests/data/ops. */
const OPERATOR_GROUPS = readdirSync(testData('ops'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.replace('.json', ''));
/** The weights are those of trained networks: what they see first is as it should be. */
const TRAINED = /^(mobilenet_v1_0\.25_128_quant|mobilenet_v2_1\.0_224_quant|tf2_mobilenet_v2)/;
const LARGE_MODELS = [...readList().keys()].filter((path) => /^models\/.*\.tflite$/.test(path));

for (const variant of runs) {
  for (const group of OPERATOR_GROUPS) {
    // One engine for all networks of a group: starting an engine's threads takes longer than they do.
    describe(`operators, ${group}, ${variant}`, () => {
      /** @type {Engine} */
      let engine;
      before(async () => {
        engine = await createEngine(variant);
      });
      after(() => engine.close());
      for (const operatorCase of readJson(testData(`ops/${group}.json`)))
        test(operatorCase.name, () => check(engine, readOperatorCase(operatorCase, testData('ops'))));
    });
  }
  describe(`models, ${variant}`, () => {
    for (const modelCase of readJson(testData('models/cases.json')))
      test(modelCase.model, () => checkAlone(variant, readModelCase(modelCase, testData('models'))));
  });
  describe(`large models, ${variant}`, () => {
    for (const path of LARGE_MODELS)
      test(path, needsLarge(path), () =>
        checkAlone(variant, readModelCase(largeCase(path), large('models'))),
      );
  });
  test(`heads of the default detector, ${variant}`, () => checkHeads(variant));
}

/** @param {string} path */
function largeCase(path) {
  const cases = readJson(large('models/cases.json'));
  return cases.find((/** @type {{model: string}} */ { model }) => path === `models/${model}`);
}

/**
 * @param {import('../../../wasm/engine/variant.js').Variant} variant
 * @param {GoldenCase} golden
 */
async function checkAlone(variant, golden) {
  const engine = await createEngine(variant);
  await check(engine, golden);
  engine.close();
}

/**
 * @param {Engine} engine
 * @param {GoldenCase} golden
 */
async function check(engine, { name, model, inputs, outputs, hasDetections, isBatchFree }) {
  await loadModel(engine, model);
  const indices = outputs.map((output, k) => (output.name === '' ? k : findOutput(engine, output)));
  const found = inputs.map((input) => {
    engine.writeInput(0, input);
    engine.run();
    return indices.map((index) => engine.readOutput(index));
  });
  const joined = indices.map((_, k) => found.flatMap((tensors) => Array.from(tensors[k].data, Number)));
  for (const [k, output] of outputs.entries()) {
    for (const tensors of found) assert.deepEqual(tensors[k].shape, output.shape);
    checkOutput(output, joined[k]);
    if (TRAINED.test(name)) checkBest(joined[k], output.values);
  }
  if (hasDetections) checkDetections(outputs, joined);
  if (isBatchFree) {
    engine.setBatch(inputs.length);
    engine.writeInput(0, join(inputs));
    engine.run();
    for (const [k, index] of indices.entries()) {
      const batched = Array.from(engine.readOutput(index).data, Number);
      assert.ok(maxDifference(batched, joined[k]) <= 1e-5 * maxAbs(joined[k]), 'a batch of three differs');
    }
  }
}

/** @param {Numbers[]} inputs */
function join(inputs) {
  const View = /** @type {{new (buffer: ArrayBuffer): Numbers}} */ (inputs[0].constructor);
  const bytes = inputs.map(({ buffer }) => new Uint8Array(/** @type {ArrayBuffer} */ (buffer)));
  return new View(new Uint8Array(Buffer.concat(bytes)).buffer);
}

/**
 * The first class of each photo is the reference's.
 * @param {number[]} actual
 * @param {number[]} reference
 */
function checkBest(actual, reference) {
  const length = actual.length / 3;
  for (const photo of [0, 1, 2]) {
    const [best, expected] = [actual, reference].map((values) => {
      const row = values.slice(photo * length, (photo + 1) * length);
      return row.indexOf(Math.max(...row));
    });
    assert.equal(best, expected, `photo ${photo}`);
  }
}

/**
 * @param {Engine} engine
 * @param {GoldenOutput} output
 */
function findOutput(engine, { name, shape }) {
  const byName = engine.outputs.findIndex((tensor) => tensor.name === name);
  return byName >= 0
    ? byName
    : engine.outputs.findIndex((tensor) => product(tensor.shape) === product(shape));
}

/** @param {number[]} shape */
const product = (shape) => shape.reduce((a, b) => a * b, 1);

/**
 * @param {GoldenOutput} output
 * @param {number[]} actual
 */
function checkOutput({ name, values, limit, cosine: least }, actual) {
  const difference = maxDifference(actual, values);
  assert.ok(difference <= limit, `output ${name} differs by ${difference}, more than ${limit}`);
  if (least < 0) return;
  const found = cosine(actual, values);
  assert.ok(found >= least, `output ${name}: cosine ${found}`);
}

/**
 * The lists of TFLite_Detection_PostProcess: what scores over 0.4 has the same class, nearly the same score, box.
 * @param {GoldenOutput[]} references
 * @param {number[][]} found by output
 */
function checkDetections([boxes, classes, scores], found) {
  const rows = product(scores.shape);
  for (let at = 0; at < scores.values.length; at++) {
    // They are in descending order: after one below, the rest of its photo is below, too.
    if (!(scores.values[at] > 0.4)) {
      at += rows - (at % rows) - 1;
      continue;
    }
    assert.equal(found[1][at], classes.values[at], `class of detection ${at}`);
    assert.ok(Math.abs(found[2][at] - scores.values[at]) <= 0.03, `score ${at}`);
    const box = (/** @type {number[]} */ list) => list.slice(4 * at, 4 * at + 4);
    assert.ok(maxDifference(box(found[0]), box(boxes.values)) <= 0.03, `box ${at}`);
  }
}

/** @param {import('../../../wasm/engine/variant.js').Variant} variant */
async function checkHeads(variant) {
  const engine = await loadEngine(variant, DEFAULT_MODEL);
  const limit = variant.startsWith('relaxed') ? 1e-3 : 1e-4;
  for (const { photo, heads } of readJson(testData('detector/cases.json'))) {
    if (!heads) continue;
    engine.writeInput(0, await nearestInput(photo));
    engine.run();
    for (const [name, file] of [
      ['raw_outputs/box_encodings', heads.boxes],
      ['raw_outputs/class_predictions', heads.scores],
    ]) {
      const index = engine.outputs.findIndex((tensor) => tensor.name === name);
      const actual = /** @type {Float32Array} */ (engine.readOutput(index).data);
      const difference = maxDifference(actual, readArray(testData(`detector/${file}`), Float32Array));
      assert.ok(difference <= limit, `${name} on ${photo} differs by ${difference}`);
    }
  }
  engine.close();
}

/**
 * The input of the reference: each place takes the pixel at its floor.
 * @param {'astronaut.png' | 'chelsea.png'} photo
 */
async function nearestInput(photo) {
  const { data, width, height } = await decodeImage(packagePhoto(photo));
  return Float32Array.from({ length: 300 * 300 * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % 300, Math.floor(i / 900)];
    const at = Math.floor((y * height) / 300) * width + Math.floor((x * width) / 300);
    return Math.fround(data[3 * at + (i % 3)] / 127.5) - 1;
  });
}
