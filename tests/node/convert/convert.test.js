// Published models converted, run by our engine and by LiteRT.js, against TensorFlow's own outputs.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/index.js';
import { runEach, sharedSource } from './convert.js';
import { runLiteRt } from '../litert.js';
import { loadEngine, maxAbs, maxDifference, needsShared, sharedArray, variants } from '../shared.js';

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
    source: 'keras2_mobilenet_v1_025_128_classifier',
    range: ONE_TO_ONE,
    operators: { CONV_2D: 15, DEPTHWISE_CONV_2D: 13, MEAN: 1, RESHAPE: 1, SOFTMAX: 1 },
  },
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
    source: 'tfjs_mobilenet_v2_130_224_feature_vector_fp16',
    pixels: HUB,
    range: ZERO_TO_ONE,
    operators: { ...V2_OPERATORS, MUL: 1, ADD: 11, AVERAGE_POOL_2D: 1, RESHAPE: 1 },
  },
  {
    source: 'tfjs_mobilenet_v2_035_128_classifier',
    pixels: V2,
    range: ONE_TO_ONE,
    operators: { ...V2_OPERATORS, MEAN: 1, FULLY_CONNECTED: 1, SOFTMAX: 1 },
  },
  {
    source: 'tfjs_mobilenet_v3_small_075_96_features_uint8',
    pixels: V3,
    range: PIXELS,
    operators: { CONV_2D: 41, DEPTHWISE_CONV_2D: 11, HARD_SWISH: 18, MEAN: 10, MUL: 19, ADD: 7 },
  },
  {
    source: 'tfjs_layers_mobilenet_v2_035_128_classifier',
    pixels: V2,
    range: ONE_TO_ONE,
    operators: { ...V2_OPERATORS, MEAN: 1, FULLY_CONNECTED: 1, SOFTMAX: 1 },
  },
];

/** @param {{source: string, pixels?: string, range: number[]}} options three images */
function readImages({ source, pixels = source.replace('.tar.gz', ''), range: [scale, offset] }) {
  const bytes = sharedArray(`convert/${pixels}.input.u8.bin`, Uint8Array);
  const size = bytes.length / 3;
  return [0, 1, 2].map((i) =>
    Float32Array.from(bytes.subarray(i * size, (i + 1) * size), (pixel) => pixel * scale + offset),
  );
}

/** @param {Float32Array[]} rows */
const joined = (rows) => Float32Array.from(rows.flatMap((row) => [...row]));

describe('classifiers and feature vectors', needsShared, () => {
  for (const options of CASES) {
    const { source, output = `${source}.output.bin`, operators } = options;
    test(source, async () => {
      const { model, operators: kinds } = await convert(sharedSource(source));
      assert.deepEqual(kinds, operators);
      const reference = sharedArray(`convert/${output}`, Float32Array);
      const tolerance = 1e-4 * maxAbs(reference);
      const images = readImages(options);
      for (const variant of variants) {
        const rows = await runEach(variant, model, images);
        assert.ok(maxDifference(joined(rows), reference) <= tolerance, variant);
      }
      const side = Math.sqrt(images[0].length / 3);
      const [{ data }] = await runLiteRt(model, images[0], [1, side, side, 3]);
      assert.ok(maxDifference(data, reference.subarray(0, data.length)) <= tolerance, 'LiteRT.js');
    });
  }
});

describe('options', needsShared, () => {
  const images = needsShared.skip ? [] : readImages({ source: V2, range: ONE_TO_ONE });
  const reference = needsShared.skip
    ? new Float32Array()
    : sharedArray(`convert/${V2}.output.bin`, Float32Array);

  for (const weights of /** @type {const} */ (['fp16', 'int8'])) {
    test(`${weights} weights: smaller, near, and the same in LiteRT.js`, async () => {
      const full = await convert(sharedSource(V2));
      const { model } = await convert(sharedSource(V2), { weights });
      assert.ok(
        model.length < full.model.length * (weights === 'fp16' ? 0.55 : 0.4),
        `${model.length} bytes`,
      );
      const [row] = await runEach('simd', model, images.slice(0, 1));
      assert.ok(maxDifference(row, reference.subarray(0, 10)) < (weights === 'fp16' ? 0.01 : 0.06));
      const [{ data }] = await runLiteRt(model, images[0], [1, 128, 128, 3]);
      assert.ok(maxDifference(row, data) < (weights === 'fp16' ? 1e-5 : 0.06));
    });
  }

  test('a fixed batch, and a free one', async () => {
    const fixed = await convert(sharedSource(V2), { batch: 3 });
    const rows = await runEach('simd', fixed.model, [joined(images)]);
    assert.ok(maxDifference(rows[0], reference) < 1e-5);
    const free = await convert(sharedSource(V2), { batch: 'dynamic' });
    const engine = await loadEngine('simd', free.model);
    assert.ok(engine.network.dynamicBatch);
    engine.setBatch(3);
    engine.writeInput(0, joined(images));
    engine.run();
    assert.ok(maxDifference(/** @type {Float32Array} */ (engine.readOutput(0).data), reference) < 1e-5);
    engine.close();
  });

  test('outputs by the name of a layer', async () => {
    const { model } = await convert(sharedSource('tfjs_mobilenet_v2_035_128_classifier'), {
      outputs: ['StatefulPartitionedCall/mobilenetv2_0.35_128/out_relu/Relu6'],
    });
    const engine = await loadEngine('simd', model);
    assert.deepEqual(engine.outputs[0].shape, [1, 4, 4, 1280]);
    engine.close();
  });

  test('what is wrong is named', async () => {
    const source = sharedSource(V2);
    await assert.rejects(convert(source, { signature: 'nope' }), { code: 'SIGNATURE_UNKNOWN' });
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
