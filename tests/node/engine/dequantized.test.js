// 8-bit weights behind a DEQUANTIZE are floats that are stored in 8 bits: against the formulas. Where an operator reads
// 8-bit weights itself, TFLite rounds its input to 8 bits, too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeModel } from '../../fuzz/tiny_models.js';
import { loadEngine, maxDifference, variants } from '../shared.js';
import { makeNumbers } from './convolution.js';

const [SIZE, CHANNELS, OUTPUTS, TAPS] = [5, 3, 6, 3];
const INPUT = makeNumbers(SIZE * SIZE * CHANNELS);

/**
 * @typedef {object} Operator
 * @property {number} code
 * @property {number[]} kernel its shape
 * @property {number} axis of the kernel's output channels
 * @property {number[]} output its shape
 * @property {import('../../fuzz/tiny_models.js').TinyOperator['options']} options
 * @property {(w: Float32Array, out: Float64Array) => void} compute adds up products of INPUT and weights
 */

/** @param {(tap: number, input: number, output: number) => void} visit taps and pixels of a 3 x 3 window, SAME padding */
function visitTaps(visit) {
  for (let output = 0; output < SIZE * SIZE; output++)
    for (let tap = 0; tap < TAPS * TAPS; tap++) {
      const y = Math.floor(output / SIZE) + Math.floor(tap / TAPS) - 1;
      const x = (output % SIZE) + (tap % TAPS) - 1;
      if (y >= 0 && y < SIZE && x >= 0 && x < SIZE) visit(tap, y * SIZE + x, output);
    }
}

/** @type {Record<string, Operator>} */
const OPERATORS = {
  CONV_2D: {
    code: 3,
    kernel: [OUTPUTS, TAPS, TAPS, CHANNELS],
    axis: 0,
    output: [1, SIZE, SIZE, OUTPUTS],
    options: [1, ['i32', 1, 1], ['i32', 2, 1], ['i32', 4, 1], ['i32', 5, 1]],
    compute: (w, out) =>
      visitTaps((tap, input, output) => {
        for (let o = 0; o < OUTPUTS; o++)
          for (let c = 0; c < CHANNELS; c++)
            out[output * OUTPUTS + o] +=
              INPUT[input * CHANNELS + c] * w[(o * TAPS * TAPS + tap) * CHANNELS + c];
      }),
  },
  DEPTHWISE_CONV_2D: {
    code: 4,
    kernel: [1, TAPS, TAPS, CHANNELS],
    axis: 3,
    output: [1, SIZE, SIZE, CHANNELS],
    options: [2, ['i32', 1, 1], ['i32', 2, 1], ['i32', 3, 1], ['i32', 5, 1], ['i32', 6, 1]],
    compute: (w, out) =>
      visitTaps((tap, input, output) => {
        for (let c = 0; c < CHANNELS; c++)
          out[output * CHANNELS + c] += INPUT[input * CHANNELS + c] * w[tap * CHANNELS + c];
      }),
  },
  FULLY_CONNECTED: {
    code: 9,
    kernel: [OUTPUTS, INPUT.length],
    axis: 0,
    output: [1, OUTPUTS],
    options: [8],
    compute: (w, out) =>
      out.forEach((_, o) => INPUT.forEach((x, i) => (out[o] += x * w[o * INPUT.length + i]))),
  },
};

const product = (/** @type {number[]} */ shape) => shape.reduce((a, b) => a * b, 1);

for (const variant of variants)
  for (const [name, { code, kernel, axis, output, options, compute }] of Object.entries(OPERATORS))
    for (const dtype of /** @type {const} */ (['int8', 'uint8']))
      for (const isPerChannel of [false, true])
        test(`${name}, ${dtype} weights behind DEQUANTIZE, ${isPerChannel ? 'per channel' : 'per tensor'}, ${variant}`, async () => {
          const scales = Array.from({ length: isPerChannel ? kernel[axis] : 1 }, (_, i) => 0.01 + i / 300);
          const stored = Array.from(makeNumbers(product(kernel), 2), (x) =>
            Math.floor(x * 32 + (dtype === 'int8' ? 0 : 128)),
          );
          const inner = product(kernel.slice(axis + 1));
          const weights = Float32Array.from(
            stored,
            (q, i) => q * Math.fround(scales[Math.floor(i / inner) % scales.length]),
          );
          const model = writeModel({
            tensors: [
              { shape: [1, SIZE, SIZE, CHANNELS] },
              { shape: kernel, dtype, scale: scales, axis, data: stored },
              { shape: kernel },
              { shape: output },
            ],
            operators: [
              { code: 6, inputs: [1], outputs: [2] },
              { code, inputs: [0, 2], outputs: [3], options },
            ],
            inputs: [0],
            outputs: [3],
          });
          const engine = await loadEngine(variant, model);
          engine.writeInput(0, INPUT);
          engine.run();
          const found = Array.from(/** @type {Float32Array} */ (engine.readOutput(0).data));
          engine.close();
          const expected = new Float64Array(product(output));
          compute(weights, expected);
          assert.ok(expected.some((x) => Math.abs(x) > 1));
          const difference = maxDifference(found, expected);
          assert.ok(difference < 1e-4, `${difference}`);
        });
