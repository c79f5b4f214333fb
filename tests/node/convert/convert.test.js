// Published models converted, run by our engine and by LiteRT.js, against TensorFlow's own outputs.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { readFile } from '../../../wasm/quantize/file.js';
import { OPERATORS } from '../../../wasm/tflite/operators.js';
import { largeSource, runEach, smallSource } from './convert.js';
import { kernelBytes } from '../kernel_bytes.js';
import { runLiteRt } from '../litert.js';
import {
  large,
  loadEngine,
  maxAbs,
  maxDifference,
  needsLarge,
  readArray,
  testData,
  variants,
} from '../shared.js';

const HUB = 'hub_mobilenet_v2_130_224_feature_vector';
const V2 = 'keras2_mobilenet_v2_035_128_classifier';
const V3 = 'keras2_mobilenet_v3_small_075_96_features';
const ONE_TO_ONE = [1 / 127.5, -1];
const ZERO_TO_ONE = [1 / 255, 0];
const PIXELS = [1, 0];
const V2_OPERATORS = { CONV_2D: 35, DEPTHWISE_CONV_2D: 17, ADD: 10 };

/**
 * The operators are those that TensorFlow's own converter (2.15) leaves, less its PADs, which SAME does as well, and its shape
 * arithmetic; where it has a SUB, this has an ADD.
 * @type {{source: string, pixels?: string, output?: string, range: number[], operators: Record<string, number>}[]}
 */
const CASES = [
  {
    source: `${HUB}.tar.gz`,
    output: `${HUB}.features.bin`,
    range: ZERO_TO_ONE,
    operators: { ...V2_OPERATORS, MUL: 1, ADD: 11, AVERAGE_POOL_2D: 1, RESHAPE: 1 },
  },
  { source: V2, range: ONE_TO_ONE, operators: { ...V2_OPERATORS, MEAN: 1, FULLY_CONNECTED: 1, SOFTMAX: 1 } },
  {
    source: V3,
    range: PIXELS,
    operators: { CONV_2D: 41, DEPTHWISE_CONV_2D: 11, HARD_SWISH: 18, MEAN: 10, MUL: 19, ADD: 7 },
  },
  {
    source: 'keras3_mobilenet_v2_035_96_features',
    range: ONE_TO_ONE,
    operators: { ...V2_OPERATORS, MEAN: 1 },
  },
  {
    source: 'keras3_nested_transfer_model_96',
    range: PIXELS,
    operators: { ...V2_OPERATORS, MUL: 1, ADD: 11, MEAN: 1, FULLY_CONNECTED: 1, SOFTMAX: 1 },
  },
  {
    source: 'tfjs_mobilenet_v3_small_075_96_features_uint8',
    pixels: V3,
    range: PIXELS,
    operators: { CONV_2D: 41, DEPTHWISE_CONV_2D: 11, HARD_SWISH: 18, MEAN: 10, MUL: 19, ADD: 7 },
  },
];

/** One network as each format, with TensorFlow's answers in one file. */
const SMALL_CASES = ['keras2_small_classifier', 'tfjs_layers_small_classifier', 'tfjs_small_classifier'];
const SMALL = SMALL_CASES[0];

/** @param {string} path @param {number[]} range @returns three images */
function readImages(path, [scale, offset]) {
  const bytes = readArray(path, Uint8Array);
  const size = bytes.length / 3;
  return [0, 1, 2].map((i) =>
    Float32Array.from(bytes.subarray(i * size, (i + 1) * size), (pixel) => pixel * scale + offset),
  );
}

/** @param {Float32Array[]} rows */
const joined = (rows) => Float32Array.from(rows.flatMap((row) => [...row]));

const smallImages = () => readImages(testData('models/pictures_96.u8.bin'), ONE_TO_ONE);
const smallReference = () => readArray(testData('convert/small_classifier.output.bin'), Float32Array);

/**
 * In our engine and in LiteRT.js.
 * @param {Uint8Array<ArrayBuffer>} model
 * @param {Float32Array[]} images
 * @param {Float32Array} reference
 */
async function checkOutputs(model, images, reference) {
  const tolerance = 1e-4 * maxAbs(reference);
  for (const variant of variants) {
    const rows = await runEach(variant, model, images);
    assert.ok(maxDifference(joined(rows), reference) <= tolerance, variant);
  }
  const side = Math.sqrt(images[0].length / 3);
  const [{ data }] = await runLiteRt(model, images[0], [1, side, side, 3]);
  assert.ok(maxDifference(data, reference.subarray(0, data.length)) <= tolerance, 'LiteRT.js');
}

describe('classifiers and feature vectors', () => {
  for (const source of SMALL_CASES) {
    test(source, async () => {
      const { model, operators } = await convert(smallSource(source));
      const kinds = { CONV_2D: 5, DEPTHWISE_CONV_2D: 4, MEAN: 1, FULLY_CONNECTED: 1, SOFTMAX: 1 };
      assert.deepEqual(operators, kinds);
      await checkOutputs(model, smallImages(), smallReference());
    });
  }
  for (const options of CASES) {
    const { source, output = `${source}.output.bin`, pixels = source.replace('.tar.gz', '') } = options;
    test(source, needsLarge(`convert/${source}`), async () => {
      const { model, operators } = await convert(largeSource(source));
      assert.deepEqual(operators, options.operators);
      const images = readImages(large(`convert/${pixels}.input.u8.bin`), options.range);
      await checkOutputs(model, images, readArray(large(`convert/${output}`), Float32Array));
    });
  }
});

describe('options', () => {
  const images = smallImages();
  const reference = smallReference();

  for (const weights of /** @type {const} */ (['fp16', 'int8', 'hybrid'])) {
    test(`${weights} weights: smaller, near, and the same in LiteRT.js`, async () => {
      const full = await convert(smallSource(SMALL));
      const { model } = await convert(smallSource(SMALL), { weights });
      const part = kernelBytes(model) / kernelBytes(full.model);
      // Kernels of fewer than 1024 values stay as they are in 8 bits, as TensorFlow leaves them.
      assert.ok(part < (weights === 'fp16' ? 0.51 : 0.75), String(part));
      const [row] = await runEach('simd', model, images.slice(0, 1));
      assert.ok(maxDifference(row, reference.subarray(0, 10)) < (weights === 'fp16' ? 0.01 : 0.06));
      const [{ data }] = await runLiteRt(model, images[0], [1, 96, 96, 3]);
      // LiteRT.js rounds a hybrid operator's input in another way.
      assert.ok(maxDifference(row, data) < (weights === 'hybrid' ? 0.06 : 1e-5));
      const { operators } = readFile(model);
      const isInt8 = operators.some(({ code }) => code === OPERATORS.DEQUANTIZE.code);
      assert.equal(isInt8, weights !== 'hybrid', 'weights behind DEQUANTIZE');
    });
  }

  test('a fixed batch, and a free one', async () => {
    const fixed = await convert(smallSource(SMALL), { batch: 3 });
    const rows = await runEach('simd', fixed.model, [joined(images)]);
    assert.ok(maxDifference(rows[0], reference) < 1e-5);
    const free = await convert(smallSource(SMALL), { batch: 'dynamic' });
    const engine = await loadEngine('simd', free.model);
    assert.ok(engine.network.dynamicBatch);
    engine.setBatch(3);
    engine.writeInput(0, joined(images));
    engine.run();
    assert.ok(maxDifference(/** @type {Float32Array} */ (engine.readOutput(0).data), reference) < 1e-5);
    engine.close();
  });

  test('outputs by the name of a layer', async () => {
    const { model } = await convert(smallSource('tfjs_small_classifier'), {
      outputs: ['StatefulPartitionedCall/model/out_relu/Relu6'],
    });
    const engine = await loadEngine('simd', model);
    assert.deepEqual(engine.outputs[0].shape, [1, 3, 3, 48]);
    engine.close();
  });

  test('what is wrong is named', async () => {
    const source = smallSource(SMALL);
    await assert.rejects(convert(source, { signature: 'nope' }), { code: 'SIGNATURE_UNKNOWN' });
    await assert.rejects(convert(smallSource('tfjs_small_classifier'), { signature: 'nope' }), {
      code: 'SIGNATURE_UNKNOWN',
      message: /there is no signature 'nope': only SavedModels have signatures/,
    });
    await assert.rejects(convert(source, { outputs: ['nope'] }), { code: 'SIGNATURE_UNKNOWN' });
    await assert.rejects(convert(source, /** @type {any} */ ({ weights: 'int4' })), {
      code: 'INVALID_OPTION',
    });
    await assert.rejects(convert(source, { batch: 0 }), { code: 'INVALID_OPTION' });
    await assert.rejects(convert(source, /** @type {any} */ ({ size: 3 })), {
      code: 'INVALID_OPTION',
    });
  });
});
