// Lowers activations that are one operator in the graph and several in TFLite, or the other way round.
import { scalar } from '../../tflite/network.js';

/**
 * @typedef {import('../graph/graph.js').Node} Node
 * @typedef {import('../graph/graph.js').Ref} Ref
 * @typedef {import('./lower.js').Lowering} Lowering
 * @typedef {import('./lower.js').Rule} Rule
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {import('../../tflite/tensor.js').Tensor} Tensor
 */

/** max(x, 0) + log(1 + exp(-|x|)). @type {Rule} */
export function softplus(ctx, node) {
  const x = ctx.value(node.inputs[0]);
  const step = (/** @type {string} */ kind, /** @type {Value[]} */ ...inputs) =>
    ctx.emit(kind, `${node.name}/${kind.toLowerCase()}`, inputs, x.shape);
  const small = step('EXP', step('NEG', step('ABS', x)));
  const log = step('LOG', step('ADD', small, scalar(`${node.name}/one`, 1)));
  return ctx.emit('ADD', node.name, [step('RELU', x), log], x.shape);
}

/** x / (1 + |x|). @type {Rule} */
export function softsign(ctx, node) {
  const x = ctx.value(node.inputs[0]);
  const size = ctx.emit('ABS', `${node.name}/abs`, [x], x.shape);
  const shifted = ctx.emit('ADD', `${node.name}/add`, [size, scalar(`${node.name}/one`, 1)], x.shape);
  return ctx.emit('DIV', node.name, [x, shifted], x.shape);
}

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/** The scaled max(x, 0) + alpha * elu(min(x, 0)). @type {Rule} */
export function selu(ctx, node) {
  const x = ctx.value(node.inputs[0]);
  const step = (/** @type {string} */ kind, /** @type {Value[]} */ ...inputs) =>
    ctx.emit(kind, `${node.name}/${kind.toLowerCase()}`, inputs, x.shape);
  const negative = step('ELU', step('MINIMUM', x, scalar(`${node.name}/zero`, 0)));
  const scaled = step('MUL', negative, scalar(`${node.name}/alpha`, SELU_SCALE * SELU_ALPHA));
  const positive = ctx.emit(
    'MUL',
    `${node.name}/positive`,
    [step('RELU', x), scalar(`${node.name}/scale`, SELU_SCALE)],
    x.shape,
  );
  return ctx.emit('ADD', node.name, [positive, scaled], x.shape);
}

// ---- GELU: 0.5 * x * (1 + erf(x / sqrt(2))) or 0.5 * x * erfc(-x / sqrt(2)), its factors in any order ----

const isNear = (/** @type {number} */ a, /** @type {number} */ b) => Math.abs(a - b) < 1e-6 * Math.abs(b);

/** The number that all elements of a constant are. @param {Tensor | undefined} tensor */
export function uniform(tensor) {
  const first = tensor?.data[0];
  return tensor?.data.every((value) => value === first) ? first : undefined;
}

/** @param {Lowering} ctx @param {Ref} ref */
const numberOf = (ctx, ref) => uniform(ctx.facts.value(ref));

/**
 * A product as one number and the other factors.
 * @param {Lowering} ctx
 * @param {Ref} ref
 * @param {Ref} [whole] a factor that stays one, though it may be a product
 * @returns {{number: number, factors: Ref[]}}
 */
function factorsOf(ctx, ref, whole) {
  if (isSame(whole, ref)) return { number: 1, factors: [ref] };
  const number = numberOf(ctx, ref);
  if (number !== undefined) return { number, factors: [] };
  const { node } = ref;
  if (node.op === 'Neg') {
    const inner = factorsOf(ctx, node.inputs[0], whole);
    return { ...inner, number: -inner.number };
  }
  const divisor = node.op === 'RealDiv' ? numberOf(ctx, node.inputs[1]) : undefined;
  if (node.op !== 'Mul' && divisor === undefined) return { number: 1, factors: [ref] };
  const [a, b] = node.inputs.map((input) => factorsOf(ctx, input, whole));
  return divisor === undefined
    ? { number: a.number * b.number, factors: [...a.factors, ...b.factors] }
    : { number: a.number / divisor, factors: a.factors };
}

/** The x of 1 + erf(x / sqrt(2)), or of erfc(-x / sqrt(2)). @param {Lowering} ctx @param {Ref} ref @returns {Ref | undefined} */
function inErf(ctx, { node }) {
  const scaled = node.op === 'Erfc' ? node.inputs[0] : argumentOfErf(ctx, node);
  if (!scaled) return undefined;
  const wanted = node.op === 'Erfc' ? -Math.SQRT1_2 : Math.SQRT1_2;
  const parts = scaled.node.inputs;
  // x may be a product itself.
  return [...parts, ...parts.flatMap((part) => (part.node.op === 'Neg' ? part.node.inputs : [])), undefined]
    .map((whole) => {
      const { number, factors } = factorsOf(ctx, scaled, whole);
      return factors.length === 1 && isNear(number, wanted) ? factors[0] : undefined;
    })
    .find((x) => x);
}

/** The z of 1 + erf(z). @param {Lowering} ctx @param {Node} node @returns {Ref | undefined} */
function argumentOfErf(ctx, { op, inputs }) {
  if (op !== 'Add' && op !== 'AddV2') return undefined;
  const erf = inputs.find((input) => input.node.op === 'Erf');
  const other = inputs.find((input) => input !== erf);
  return erf && other && numberOf(ctx, other) === 1 ? erf.node.inputs[0] : undefined;
}

const isSame = (/** @type {Ref | undefined} */ a, /** @type {Ref} */ b) =>
  a?.node === b.node && a.index === b.index;

/**
 * @param {Lowering} ctx
 * @param {Node} node a Mul
 * @returns {Value | undefined} undefined if it is no GELU
 */
export function gelu(ctx, node) {
  const product = { node, index: 0 };
  const [x] = factorsOf(ctx, product).factors.flatMap((factor) => inErf(ctx, factor) ?? []);
  const { number, factors } = factorsOf(ctx, product, x);
  const isGelu =
    x && factors.length === 2 && isNear(number, 0.5) && factors.some((factor) => isSame(x, factor));
  return isGelu
    ? ctx.emit('GELU', node.name, [ctx.value(x)], ctx.shapeOf(node), { approximate: false })
    : undefined;
}
