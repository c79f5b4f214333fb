// Derivatives of the operators that work element by element.
import { exp } from './exact.js';

/** By input x and output y. @type {Record<string, (x: number, y: number, alpha: number) => number>} */
export const UNARY = {
  RELU: (x, y) => (y > 0 ? 1 : 0),
  RELU6: (x, y) => (y > 0 && y < 6 ? 1 : 0),
  RELU_N1_TO_1: (x, y) => (y > -1 && y < 1 ? 1 : 0),
  RELU_0_TO_1: (x, y) => (y > 0 && y < 1 ? 1 : 0),
  LEAKY_RELU: (x, y, alpha) => (x > 0 ? 1 : alpha),
  ELU: (x, y) => (x > 0 ? 1 : y + 1),
  LOGISTIC: (x, y) => y * (1 - y),
  TANH: (x, y) => 1 - y * y,
  HARD_SWISH: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6),
  // y = x * (share of the normal distribution below x); the approximation by tanh is near enough to it.
  GELU: (x, y) => (Math.abs(x) < 1e-6 ? 0.5 : y / x) + x * exp((-x * x) / 2) * 0.3989422804014327,
  SQRT: (x, y) => (y > 0 ? 0.5 / y : 0),
  RSQRT: (x, y) => -0.5 * y * y * y,
  EXP: (x, y) => y,
  LOG: (x) => 1 / x,
  SQUARE: (x) => 2 * x,
  ABS: (x) => Math.sign(x),
  NEG: () => -1,
};

/** By each of the two inputs. @type {Record<string, [(a: number, b: number) => number, (a: number, b: number) => number]>} */
export const BINARY = {
  ADD: [() => 1, () => 1],
  SUB: [() => 1, () => -1],
  MUL: [(a, b) => b, (a) => a],
  DIV: [(a, b) => 1 / b, (a, b) => -a / (b * b)],
  MAXIMUM: [(a, b) => (a >= b ? 1 : 0), (a, b) => (a >= b ? 0 : 1)],
  MINIMUM: [(a, b) => (a <= b ? 1 : 0), (a, b) => (a <= b ? 0 : 1)],
  PRELU: [(a, b) => (a > 0 ? 1 : b), (a) => (a > 0 ? 0 : a)],
  SQUARED_DIFFERENCE: [(a, b) => 2 * (a - b), (a, b) => 2 * (b - a)],
};

/** Where an activation that an operator applies to its result passes it on: between these. @type {Record<string, [number, number]>} */
export const PASSING = { RELU: [0, Infinity], RELU6: [0, 6], RELU_N1_TO_1: [-1, 1] };
