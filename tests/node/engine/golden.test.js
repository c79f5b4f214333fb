// The network alone against TFLite's own outputs: every operator case, every whole model, the default detector's heads;
// in each variant that this engine runs. Tolerances: ../shared/data/README.md.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cosine,
  loadEngine,
  maxAbs,
  maxDifference,
  needsShared,
  shared,
  sharedArray,
  sharedJson,
  variants,
} from '../shared.js';
import { roundEven } from '../../../wasm/shared/numbers.js';

/** @typedef {import('../../../wasm/engine/engine.js').Engine} Engine */

const VIEWS = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array, int32: Int32Array };
/** @type {(dtype: string) => {new (buffer: ArrayBuffer): Float32Array | Int8Array | Uint8Array | Int32Array}} */
const viewOf = (dtype) => VIEWS[/** @type {keyof typeof VIEWS} */ (dtype)];
const runs = [...variants, ...variants.map((variant) => /** @type {const} */ (`${variant}-threads`))];

for (const variant of runs) {
  test(`operators, ${variant}`, needsShared, async (t) => {
    for (const operatorCase of sharedJson('ops/cases.json')) {
      await t.test(operatorCase.name, () => checkOperator(variant, operatorCase));
    }
  });
  test(`models, ${variant}`, needsShared, async (t) => {
    for (const modelCase of sharedJson('models/cases.json')) {
      await t.test(modelCase.model, () => checkModel(variant, modelCase));
    }
  });
  test(`heads of the default detector, ${variant}`, needsShared, () => checkHeads(variant));
}

/**
 * @param {import('../../../wasm/engine/variant.js').Variant} variant
 * @param {any} operatorCase
 */
async function checkOperator(variant, { name, model, input, outputs }) {
  const engine = await loadEngine(variant, shared(`ops/${model}`));
  engine.writeInput(0, sharedArray(`ops/${input.file}`, viewOf(input.dtype)));
  engine.run();
  for (const [i, expected] of outputs.entries()) {
    const reference = sharedArray(`ops/${expected.file}`, viewOf(expected.dtype));
    const actual = engine.readOutput(i);
    assert.deepEqual(actual.shape, expected.shape);
    const difference = maxDifference(/** @type {Float32Array} */ (actual.data), reference);
    const limit = operatorLimit(name, expected.dtype, reference);
    assert.ok(difference <= limit, `output ${i} differs by ${difference}, more than ${limit}`);
  }
  engine.close();
}

/**
 * @param {string} name
 * @param {string} dtype
 * @param {Float32Array | Int8Array | Uint8Array | Int32Array} reference
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
 */
async function checkModel(variant, { model, input, outputs, dynamic_batch }) {
  const engine = await loadEngine(variant, shared(`models/${model}`));
  const pixels = sharedArray(`models/${input.pixels}`, Uint8Array);
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
  const joined = outputs.map((/** @type {any} */ _, /** @type {number} */ k) =>
    found.flatMap((photo) => photo[k]),
  );
  if (outputs[0].differs_from_tflite_builtin_and_reference_kernels === null) checkDetections(outputs, found);
  for (const [k, output] of outputs.entries()) {
    if (
      output.differs_from_tflite_builtin_and_reference_kernels !== null &&
      output.shape_per_photo.length > 1
    ) {
      checkOutput(model, output, joined[k]);
    }
  }
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
 */
function checkOutput(model, output, actual) {
  const reference = sharedArray(`models/${output.file}`, viewOf(output.dtype));
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
 * The four outputs of TFLite_Detection_PostProcess: what scores over 0.4 has the same class, nearly the same score, box.
 * @param {any[]} outputs
 * @param {number[][][]} found per photo, per output
 */
function checkDetections(outputs, found) {
  const references = outputs.map((output) => sharedArray(`models/${output.file}`, Float32Array));
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
  const engine = await loadEngine(
    variant,
    new URL('../../../dist/models/ssd_mobilenet_v2_oidv4.bin', import.meta.url).pathname,
  );
  const limit = variant.startsWith('relaxed') ? 1e-3 : 1e-4;
  for (const photo of ['pets', 'cat']) {
    engine.writeInput(0, sharedArray(`heads/${photo}.input.bin`, Float32Array));
    engine.run();
    for (const [name, file] of [
      ['raw_outputs/box_encodings', `heads/${photo}.boxes.bin`],
      ['raw_outputs/class_predictions', `heads/${photo}.scores.bin`],
    ]) {
      const index = engine.outputs.findIndex((tensor) => tensor.name === name);
      const actual = /** @type {Float32Array} */ (engine.readOutput(index).data);
      const difference = maxDifference(actual, sharedArray(file, Float32Array));
      assert.ok(difference <= limit, `${name} on ${photo} differs by ${difference}`);
    }
  }
  engine.close();
}
