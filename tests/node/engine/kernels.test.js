// Our kernels against XNNPACK's own, bit for bit, and against the formula.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Engine } from '../../../wasm/engine/engine.js';
import * as convolutions from './convolution.js';
import { loadModel, maxDifference, variants } from '../shared.js';

/** @typedef {import('./convolution.js').Convolution} Convolution */

const { build, complete, convolve, convolveInt8, HEAVY, makeNumbers } = convolutions;
const { toInt8, withEveryHalf, withStoredBytes } = convolutions;

const SIZES = [1, 2, 3, 4, 5, 7, 19, 38, 39, 40, 41, 75, 77, 78, 79, 80];
const CHANNELS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 15, 16, 17, 24, 31, 96];

/** @type {Convolution[]} */
const CASES = [
  // Widths around the tiles' ends, even and odd, where the padding of 'SAME' differs.
  ...[1, 2, 3].flatMap((stride) =>
    SIZES.flatMap((width) => {
      /** @type {Convolution} */
      const shape = { size: [4, width], channels: 9, stride };
      return [shape, ...(width >= 3 ? [{ ...shape, padding: /** @type {const} */ ('VALID') }] : [])];
    }),
  ),
  ...[1, 2].flatMap((stride) => SIZES.map((height) => ({ size: [height, 5], channels: 4, stride }))),
  ...[1, 2, 3].flatMap((stride) => CHANNELS.map((channels) => ({ size: [6, 43], channels, stride }))),
  ...['NONE', 'RELU', 'RELU6'].flatMap((activation) =>
    [1, 2].map((stride) => ({ size: [5, 41], channels: 13, stride, activation })),
  ),
  // Others that XNNPACK runs with the same kernel.
  ...[2, 3].map((dilation) => ({ size: [9, 30], channels: 10, dilation })),
  ...[
    [1, 1],
    [3, 2],
    [2, 3],
    [1, 5],
    [5, 1],
    [2, 4],
    [4, 2],
    [1, 7],
    [1, 9],
    [9, 1],
  ].flatMap((kernel) => [1, 2, 3].map((stride) => ({ size: [10, 45], channels: 10, kernel, stride }))),
].map((c) => /** @type {Convolution} */ (c));

/** @type {Convolution[]} */
const MATRIX_CASES = [
  // Rows, columns and inputs around the tiles' ends.
  ...[1, 2, 3, 4, 5, 7, 8, 9].flatMap((width) =>
    [1, 7, 8, 9, 16].map((outputs) => ({ size: [1, width], channels: 5, outputs, kernel: [1, 1] })),
  ),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 24, 33].map((channels) => ({
    ...{ size: [3, 3], channels, outputs: 11, kernel: [1, 1] },
  })),
  ...[1, 3, 4, 5, 13].flatMap((channels) =>
    [1, 2].flatMap((stride) =>
      ['SAME', 'VALID'].map((padding) => ({ size: [5, 7], channels, outputs: 10, stride, padding })),
    ),
  ),
  ...['NONE', 'RELU'].map((activation) => ({ size: [4, 4], channels: 6, outputs: 6, activation })),
  { size: [4, 5], channels: 3, outputs: 9, dilation: 2 },
].map((c) => /** @type {Convolution} */ (c));

// Wide enough for tiles of whole rows; heights that have rows of every kind: at the edges, alike, at both edges.
/** @type {Convolution[]} */
const ROW_CASES = [
  ...[1, 2, 3].flatMap((stride) =>
    [1, 2, 3, 4, 5, 8, 9].map((height) => ({ size: [height, 60 * stride], stride })),
  ),
  ...[
    [5, 2],
    [2, 5],
    [1, 3],
    [4, 4],
  ].flatMap((kernel) => [1, 2].map((stride) => ({ size: [11, 61], kernel, stride }))),
  ...[2, 3].map((dilation) => ({ size: [13, 48], dilation })),
  ...[1, 2].map((stride) => ({ size: [9, 62], stride, padding: 'VALID' })),
].map((c) => /** @type {Convolution} */ ({ channels: 3, outputs: 10, ...c }));

/**
 * @param {Engine} engine
 * @param {Uint8Array} model
 * @param {Float32Array | Int8Array} input
 */
async function runModel(engine, model, input) {
  await loadModel(engine, model);
  engine.writeInput(0, input);
  engine.run();
  return engine.readOutput(0).data;
}

/** Weights behind a DEQUANTIZE: a name, whether there is a scale for each channel, whether they are uint8. */
const STORED_FORMS = /** @type {[string, boolean, boolean][]} */ ([
  ['int8 weights, a scale for each channel', true, false],
  ['int8 weights, one scale', false, false],
  ['uint8 weights with a zero point', false, true],
]);

for (const variant of variants) {
  describe(`kernels, ${variant}`, async () => {
    const ours = await Engine.create({ variant, threads: 1 });
    const theirs = await Engine.create({ variant, threads: 1, baseline: true });
    const threaded = await Promise.all(
      [2, 3].map((threads) => Engine.create({ variant: `${variant}-threads`, threads })),
    );
    after(() => [ours, theirs, ...threaded].forEach((engine) => engine.close()));
    /** @param {Uint8Array} model @param {Float32Array | Int8Array} input */
    const runBoth = (model, input) =>
      Promise.all([ours, theirs].map((engine) => runModel(engine, model, input)));

    for (const given of CASES) {
      test(`depthwise ${JSON.stringify(given)}`, async () => {
        const c = complete(given);
        const { model, ...constants } = build(c);
        const input = makeNumbers(c.size[0] * c.size[1] * c.channels);
        const [actual, expected] = await runBoth(model, input);
        assert.deepEqual(actual, expected);
        const difference = maxDifference(/** @type {Float32Array} */ (actual), convolve(c, input, constants));
        assert.ok(difference < 1e-4);

        const [found, wanted] = await runBoth(
          toInt8(model).int8,
          Int8Array.from(input, (value) => value * 32),
        );
        assert.deepEqual(found, wanted);
        assert.ok(new Set(/** @type {Int8Array} */ (found)).size > 1 || found.length < 8);
      });
    }

    for (const given of ROW_CASES) {
      test(`dense ${JSON.stringify(given)}`, async () => {
        const c = complete(given);
        const { model, ...constants } = build(c);
        const input = makeNumbers(c.size[0] * c.size[1] * c.channels);
        const [actual, expected] = await runBoth(model, input);
        assert.deepEqual(actual, expected);
        const difference = maxDifference(/** @type {Float32Array} */ (actual), convolve(c, input, constants));
        assert.ok(difference < 1e-4);
      });
    }

    for (const given of [...MATRIX_CASES, ...ROW_CASES]) {
      test(`int8 ${JSON.stringify(given)}`, async () => {
        const c = complete(given);
        const { int8, ...constants } = toInt8(build(c).model);
        const input = Int8Array.from(makeNumbers(c.size[0] * c.size[1] * c.channels), (value) => value * 32);
        const [found, wanted] = await runBoth(int8, input);
        assert.deepEqual(found, wanted);
        assert.deepEqual(found, convolveInt8(c, input, constants));
      });

      test(`float16 weights ${JSON.stringify(given)}`, async () => {
        const c = complete(given);
        const input = makeNumbers(c.size[0] * c.size[1] * c.channels);
        const [actual, expected] = await runBoth(build(c, 'fp16').model, input);
        assert.deepEqual(actual, expected);
      });
    }

    for (const given of [...MATRIX_CASES, ...ROW_CASES]) {
      for (const [kind, isPerChannel, isUnsigned] of STORED_FORMS) {
        test(`${kind} ${JSON.stringify(given)}`, async () => {
          const c = complete(given);
          const { stored, floats } = withStoredBytes(
            build(c).model,
            isPerChannel ? c.outputs : 1,
            isUnsigned,
          );
          const input = makeNumbers(c.size[0] * c.size[1] * c.channels);
          const [[fromBytes], [fromFloats]] = [await runBoth(stored, input), await runBoth(floats, input)];
          assert.deepEqual(fromBytes, fromFloats);
        });
      }
    }

    for (const given of HEAVY) {
      test(`by blocks of channels ${JSON.stringify(given)}`, async () => {
        const c = complete(given);
        const { model } = build(c);
        const input = makeNumbers(c.size[0] * c.size[1] * c.channels);
        const bytes = Int8Array.from(input, (value) => value * 32);
        for (const [network, data] of /** @type {const} */ ([
          [model, input],
          [toInt8(model).int8, bytes],
        ])) {
          const [actual, expected] = await runBoth(network, data);
          assert.deepEqual(actual, expected);
          for (const engine of threaded) assert.deepEqual(await runModel(engine, network, data), expected);
        }
      });
    }

    test('float16 weights: all that there are', async () => {
      const c = complete({ size: [1, 1], channels: 256, outputs: 256, kernel: [1, 1], activation: 'NONE' });
      const model = withEveryHalf(build(c, 'fp16').model);
      const [actual, expected] = await runBoth(model, new Float32Array(256).fill(1));
      assert.deepEqual(actual, expected);
      assert.equal(
        actual.filter(Number.isFinite).length,
        256 - 8,
        'two of 64 exponents are infinity and NaN',
      );
    });
  });
}
