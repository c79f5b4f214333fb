// Derivatives of operators against differences of their definitions.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BINARY, PASSING, UNARY } from '../../../wasm/compress/derivatives.js';
import { RULES } from '../../../wasm/compress/rules.js';

const H = 1e-5;
const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
/** The share of the normal distribution below x, by Simpson's rule. @param {number} x */
function normal(x) {
  const density = (/** @type {number} */ t) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI);
  const width = (x + 12) / 2000;
  let sum = density(-12) + density(x);
  for (let i = 1; i < 2000; i++) sum += density(-12 + i * width) * (i % 2 === 0 ? 2 : 4);
  return (sum * width) / 3;
}
const ALPHA = 0.3;
/** @type {Record<string, (x: number) => number>} */
const DEFINITIONS = {
  RELU: (x) => Math.max(x, 0),
  RELU6: (x) => Math.min(Math.max(x, 0), 6),
  RELU_N1_TO_1: (x) => Math.min(Math.max(x, -1), 1),
  RELU_0_TO_1: (x) => Math.min(Math.max(x, 0), 1),
  LEAKY_RELU: (x) => (x < 0 ? ALPHA * x : x),
  ELU: (x) => (x < 0 ? Math.exp(x) - 1 : x),
  LOGISTIC: sigmoid,
  TANH: Math.tanh,
  HARD_SWISH: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
  GELU: (x) => x * normal(x),
  SQRT: Math.sqrt,
  RSQRT: (x) => 1 / Math.sqrt(x),
  EXP: Math.exp,
  LOG: Math.log,
  SQUARE: (x) => x * x,
  ABS: Math.abs,
  NEG: (x) => -x,
};
const POSITIVE = new Set(['SQRT', 'RSQRT', 'LOG']);
const PLACES = [-7, -3.5, -2.5, -1.5, -0.7, -0.2, 0.3, 0.8, 1.4, 2.6, 3.5, 5.5, 6.5];

describe('of one number', () => {
  test('all are here', () =>
    assert.deepEqual(Object.keys(UNARY).toSorted(), Object.keys(DEFINITIONS).toSorted()));
  for (const [name, f] of Object.entries(DEFINITIONS))
    test(name, () => {
      for (const x of PLACES.filter((place) => place > 0 || !POSITIVE.has(name))) {
        const difference = (f(x + H) - f(x - H)) / (2 * H);
        assert.ok(
          Math.abs(UNARY[name](x, f(x), ALPHA) - difference) < 1e-4,
          `${x}: ${UNARY[name](x, f(x), ALPHA)}, not ${difference}`,
        );
      }
    });
  test('at the ends of their ranges nothing passes', () => {
    for (const [name, low, high] of /** @type {[string, number, number][]} */ ([
      ['RELU6', 0, 6],
      ['RELU_N1_TO_1', -1, 1],
      ['RELU_0_TO_1', 0, 1],
    ]))
      assert.deepEqual([UNARY[name](low, low, 0), UNARY[name](high, high, 0)], [0, 0]);
    assert.equal(UNARY.RELU(0, 0, 0), 0);
    assert.deepEqual([UNARY.HARD_SWISH(-3, 0, 0), UNARY.HARD_SWISH(3, 3, 0)], [0, 1]);
    assert.equal(UNARY.SQRT(0, 0, 0), 0);
    assert.ok(Math.abs(UNARY.GELU(0, 0, 0) - 0.5) < 1e-9);
    assert.deepEqual([UNARY.LEAKY_RELU(0, 0, ALPHA), UNARY.ELU(0, 0, 0)], [ALPHA, 1]);
  });
  test('what a fused activation passes on', () =>
    assert.deepEqual(PASSING, { RELU: [0, Infinity], RELU6: [0, 6], RELU_N1_TO_1: [-1, 1] }));
});

describe('of two numbers', () => {
  /** @type {Record<string, (a: number, b: number) => number>} */
  const definitions = {
    ADD: (a, b) => a + b,
    SUB: (a, b) => a - b,
    MUL: (a, b) => a * b,
    DIV: (a, b) => a / b,
    MAXIMUM: Math.max,
    MINIMUM: Math.min,
    PRELU: (a, b) => (a < 0 ? a * b : a),
    SQUARED_DIFFERENCE: (a, b) => (a - b) ** 2,
  };
  test('all are here', () =>
    assert.deepEqual(Object.keys(BINARY).toSorted(), Object.keys(definitions).toSorted()));
  for (const [name, f] of Object.entries(definitions))
    test(name, () => {
      for (const a of [-2.5, -0.4, 0.7, 3])
        for (const b of [-1.5, -0.3, 0.6, 2]) {
          const [byA, byB] = [(f(a + H, b) - f(a - H, b)) / (2 * H), (f(a, b + H) - f(a, b - H)) / (2 * H)];
          assert.ok(Math.abs(BINARY[name][0](a, b) - byA) < 1e-4, `${a} ${b}: ${byA}`);
          assert.ok(Math.abs(BINARY[name][1](a, b) - byB) < 1e-4, `${a} ${b}: ${byB}`);
        }
    });
  test('of equal numbers, the first is taken', () => {
    assert.deepEqual([BINARY.MAXIMUM[0](1, 1), BINARY.MAXIMUM[1](1, 1)], [1, 0]);
    assert.deepEqual([BINARY.MINIMUM[0](1, 1), BINARY.MINIMUM[1](1, 1)], [1, 0]);
    assert.deepEqual([BINARY.PRELU[0](0, 0.5), BINARY.PRELU[1](0, 0.5)], [0.5, 0]);
  });
});

describe('of vectors along the last dimension', () => {
  const BETA = 1.5;
  /** @type {Record<string, (vector: number[]) => number[]>} */
  const definitions = {
    L2_NORMALIZATION: (vector) => vector.map((value) => value / Math.hypot(...vector)),
    SOFTMAX: (vector) => {
      const powers = vector.map((value) => Math.exp(BETA * value));
      return powers.map((power) => power / powers.reduce((a, b) => a + b));
    },
  };
  const values = [0.5, -1, 2, 0.3, 0.7, -0.2];
  const weights = [1, -2, 0.5, 3, -1, 2];
  for (const [kind, define] of Object.entries(definitions))
    test(kind, () => {
      const apply = (/** @type {number[]} */ x) => [...define(x.slice(0, 3)), ...define(x.slice(3))];
      const loss = (/** @type {number[]} */ x) => apply(x).reduce((sum, y, i) => sum + weights[i] * y, 0);
      /** @type {Float32Array | undefined} */
      let given;
      const call = {
        ...{ kind, options: { beta: BETA }, inputs: [], outputs: [{ shape: [2, 3] }] },
        ...{ x: () => Float32Array.from(values), y: Float32Array.from(apply(values)) },
        gradient: Float32Array.from(weights),
        give: (/** @type {number} */ _, /** @type {Float32Array} */ added) => (given = added),
      };
      RULES[kind](/** @type {any} */ (call));
      values.forEach((value, i) => {
        const [above, below] = [H, -H].map((step) => loss(values.with(i, value + step)));
        const difference = (above - below) / (2 * H);
        assert.ok(Math.abs(Number(given?.[i]) - difference) < 1e-5, `${i}: ${given?.[i]}, not ${difference}`);
      });
    });
});
