// The network alone against TFLite's own outputs: every operator case, every whole model, the default detector's heads;
// in each variant that this engine runs. Tolerances: tests/data/README.md.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readList } from '../../large_models.js';
import { decodeImage } from '../../../wasm/platform/node.js';
import {
  cosine,
  DEFAULT_MODEL,
  large,
  loadEngine,
  maxAbs,
  maxDifference,
  needsLarge,
  packagePhoto,
  readArray,
  readJson,
  testData,
  variants,
} from '../shared.js';
import { roundEven } from '../../../wasm/shared/numbers.js';

/** @typedef {import('../../../wasm/engine/engine.js').Engine} Engine */

const VIEWS = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array };
/** @type {(dtype: string) => {new (buffer: ArrayBuffer): Float32Array | Int8Array | Uint8Array}} */
const viewOf = (dtype) => VIEWS[/** @type {keyof typeof VIEWS} */ (dtype)];
/** Of what are no values but places. @type {Record<string, {new (buffer: ArrayBuffer): Int32Array | BigInt64Array} | undefined>} */
const INDICES = { int32: Int32Array, int64: BigInt64Array };
const runs = [...variants, ...variants.map((variant) => /** @type {const} */ (`${variant}-threads`))];
/** Files of cases in tests/data/ops. */
const OPERATOR_GROUPS = ['cases', 'reduce_max', 'prelu', 'arg_max', 'abs'];
/** The weights are those of trained networks: what they see first is as it should be. */
const TRAINED = /^(mobilenet_v1_0\.25_128_quant|mobilenet_v2_1\.0_224_quant|tf2_mobilenet_v2)/;
const LARGE_MODELS = [...readList().keys()].filter((path) => /^models\/.*\.tflite$/.test(path));

for (const variant of runs) {
  for (const group of OPERATOR_GROUPS) {
    describe(`operators, ${group}, ${variant}`, () => {
      for (const operatorCase of readJson(testData(`ops/${group}.json`)))
        test(operatorCase.name, () => checkOperator(variant, operatorCase));
    });
  }
  describe(`models, ${variant}`, () => {
    for (const modelCase of readJson(testData('models/cases.json')))
      test(modelCase.model, () => checkModel(variant, modelCase, testData('models')));
  });
  describe(`large models, ${variant}`, () => {
    for (const path of LARGE_MODELS)
      test(path, needsLarge(path), () => checkModel(variant, largeCase(path), large('models')));
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
 * @param {any} operatorCase
 */
async function checkOperator(variant, { name, model, input, outputs }) {
  const engine = await loadEngine(variant, testData(`ops/${model}`));
  engine.writeInput(0, readArray(testData(`ops/${input.file}`), viewOf(input.dtype)));
  engine.run();
  for (const [i, expected] of outputs.entries()) {
    const { shape, data } = engine.readOutput(i);
    assert.deepEqual(shape, expected.shape);
    const file = testData(`ops/${expected.file}`);
    const Indices = INDICES[expected.dtype];
    if (Indices) {
      assert.deepEqual(data, readArray(file, Indices));
      continue;
    }
    const reference = readArray(file, viewOf(expected.dtype));
    const difference = maxDifference(/** @type {Float32Array} */ (data), reference);
    const limit = operatorLimit(name, expected.dtype, reference);
    assert.ok(difference <= limit, `output ${i} differs by ${difference}, more than ${limit}`);
  }
  engine.close();
}

/**
 * @param {string} name
 * @param {string} dtype
 * @param {Float32Array | Int8Array | Uint8Array} reference
 */
function operatorLimit(name, dtype, reference) {
  if (dtype !== 'float32') return /softmax|logistic|mean|hard/.test(name) ? 2 : 1;
  // Dequantized at the end: the stored value's step, which the outputs themselves show.
  if (name.endsWith('.int8float')) return 1.01 * smallestStep(/** @type {Float32Array} */ (reference));
  return 1e-5 * maxAbs(reference);
}

/** @param {Float32Array} values */
function smallestStep(values) {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  return Math.min(
    ...sorted
      .slice(1)
      .map((value, i) => value - sorted[i])
      .filter((step) => step > 1e-6),
  );
}

/**
 * Pixels as the model's input, computed in float32 as the references were.
 * @param {Uint8Array} pixels
 * @param {any} input
 */
function toInput(pixels, { dtype, scale, offset, quantization: [step, zeroPoint] }) {
  const f = Math.fround;
  const data = new (viewOf(dtype))(new ArrayBuffer(pixels.length * (dtype === 'float32' ? 4 : 1)));
  const [low, high] = dtype === 'int8' ? [-128, 127] : [0, 255];
  for (let i = 0; i < pixels.length; i++) {
    if (scale === null) data[i] = pixels[i];
    else {
      const real = f(f(pixels[i] * f(scale)) + f(offset));
      data[i] =
        dtype === 'float32' ? real : Math.min(Math.max(roundEven(f(real / f(step))) + zeroPoint, low), high);
    }
  }
  return data;
}

/**
 * @param {import('../../../wasm/engine/variant.js').Variant} variant
 * @param {any} modelCase
 * @param {string} folder of the model, its input and its outputs
 */
async function checkModel(variant, { model, input, outputs, dynamic_batch }, folder) {
  const engine = await loadEngine(variant, `${folder}/${model}`);
  const pixels = readArray(`${folder}/${input.pixels}`, Uint8Array);
  const perPhoto = pixels.length / 3;
  const photos = [0, 1, 2].map((p) => toInput(pixels.subarray(p * perPhoto, (p + 1) * perPhoto), input));
  const indices = outputs.map((/** @type {any} */ output) => findOutput(engine, output));
  const found = photos.map((photo) => {
    engine.writeInput(0, photo);
    engine.run();
    return indices.map((/** @type {number} */ index) =>
      Array.from(/** @type {Float32Array} */ (engine.readOutput(index).data)),
    );
  });
  const references = outputs.map((/** @type {any} */ { file, dtype }) =>
    readArray(`${folder}/${file}`, viewOf(dtype)),
  );
  const joined = outputs.map((/** @type {any} */ _, /** @type {number} */ k) =>
    found.flatMap((photo) => photo[k]),
  );
  for (const [k, output] of outputs.entries()) {
    // The lists of TFLite_Detection_PostProcess are compared detection by detection.
    if (output.differs_from_tflite_builtin_and_reference_kernels !== null)
      checkOutput(model, output, joined[k], references[k]);
    if (TRAINED.test(model)) checkBest(joined[k], references[k]);
  }
  if (outputs[0].differs_from_tflite_builtin_and_reference_kernels === null)
    checkDetections(references, found);
  if (dynamic_batch) {
    engine.setBatch(3);
    engine.writeInput(0, toInput(pixels, input));
    engine.run();
    for (const [k, index] of indices.entries()) {
      const batched = /** @type {Float32Array} */ (engine.readOutput(index).data);
      assert.ok(maxDifference(batched, joined[k]) <= 1e-5 * maxAbs(joined[k]), 'a batch of three differs');
    }
  }
  engine.close();
}

/**
 * The first class of each photo is the reference's.
 * @param {number[]} actual
 * @param {ArrayLike<number>} reference
 */
function checkBest(actual, reference) {
  const length = actual.length / 3;
  for (const photo of [0, 1, 2]) {
    const [best, expected] = [actual, Array.from(reference)].map((values) => {
      const row = values.slice(photo * length, (photo + 1) * length);
      return row.indexOf(Math.max(...row));
    });
    assert.equal(best, expected, `photo ${photo}`);
  }
}

/**
 * @param {Engine} engine
 * @param {{name: string, shape_per_photo: number[]}} output
 */
function findOutput(engine, { name, shape_per_photo }) {
  const byName = engine.outputs.findIndex((tensor) => tensor.name === name);
  if (byName >= 0) return byName;
  const elements = shape_per_photo.reduce((a, b) => a * b, 1);
  return engine.outputs.findIndex(({ shape }) => shape.reduce((a, b) => a * b, 1) === elements);
}

/**
 * @param {string} model
 * @param {any} output
 * @param {number[]} actual
 * @param {ArrayLike<number>} reference
 */
function checkOutput(model, output, actual, reference) {
  if (output.name.startsWith('TFLite_Detection_PostProcess')) {
    assert.deepEqual(actual, Array.from(reference), 'counts');
    return;
  }
  const difference = maxDifference(actual, reference);
  if (/fp(32|16)\.tflite$/.test(model)) {
    assert.ok(difference <= 1e-4 * maxAbs(reference), `${output.name} differs by ${difference}`);
    return;
  }
  const limit = Math.max(...output.differs_from_tflite_builtin_and_reference_kernels);
  const similarity = Math.min(...output.cosine_to_tflite_builtin_and_reference_kernels) - 0.003;
  assert.ok(
    limit === 0 || difference <= limit,
    `${output.name} differs by ${difference}, more than ${limit}`,
  );
  const found = cosine(actual, reference);
  assert.ok(found >= (limit === 0 ? 0.99 : similarity), `${output.name}: cosine ${found}`);
}

/**
 * The lists of TFLite_Detection_PostProcess: what scores over 0.4 has the same class, nearly the same score, box.
 * @param {Float32Array[]} references
 * @param {number[][][]} found per photo, per output
 */
function checkDetections(references, found) {
  const [boxes, classes, scores] = [0, 1, 2].map((k) => ({ actual: k, reference: references[k] }));
  const rows = references[1].length / 3;
  for (const [p, photo] of found.entries()) {
    for (let i = 0; i < rows && scores.reference[p * rows + i] > 0.4; i++) {
      const at = p * rows + i;
      assert.equal(photo[classes.actual][i], classes.reference[at], `class of detection ${i} on photo ${p}`);
      assert.ok(Math.abs(photo[scores.actual][i] - scores.reference[at]) <= 0.03, `score ${i} on photo ${p}`);
      const box = photo[boxes.actual].slice(4 * i, 4 * i + 4);
      assert.ok(
        maxDifference(box, boxes.reference.slice(4 * at, 4 * at + 4)) <= 0.03,
        `box ${i} on photo ${p}`,
      );
    }
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
