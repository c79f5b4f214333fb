// Replaces hard-swish that is spelled out, x * relu6(x + 3) / 6 in any order of its operators, by one HARD_SWISH: in 8 bits
// each of its parts would round.
import { OPERATORS } from '../tflite/operators.js';
import { sizeOf } from '../shared/numbers.js';
import { floatsOf } from './float_model.js';

/**
 * @typedef {import('./file.js').Model} Model
 * @typedef {import('./file.js').Operator} Operator
 */

const RELU6_ACTIVATION = 3;
/** Constants may have been stored in 16 bits. */
const TOLERANCE = 1e-3;
const NO_OPTIONS = { optionsType: 0, options: [] };

/** @param {Model} model @returns {Model} */
export function fuseHardSwish(model) {
  const parts = new Parts(model);
  /** The operators that HARD_SWISH replaces, by the last one of them. @type {Map<Operator, {x: number, used: Operator[]}>} */
  const found = new Map();
  for (const last of model.operators) {
    const match = parts.match(last);
    if (match) found.set(last, match);
  }
  // A product by 1/6 after the match of its own operand is the longer match.
  const inner = new Set([...found.values()].flatMap(({ used }) => used));
  const kept = new Map([...found].filter(([last]) => !inner.has(last)));
  const removed = new Set([...kept.values()].flatMap(({ used }) => used));
  return {
    ...model,
    operators: model.operators.flatMap((operator) => {
      const match = kept.get(operator);
      if (removed.has(operator)) return [];
      if (!match) return [operator];
      const { HARD_SWISH } = OPERATORS;
      const { outputs } = operator;
      return [{ code: HARD_SWISH.code, custom: '', version: 1, inputs: [match.x], outputs, ...NO_OPTIONS }];
    }),
  };
}

class Parts {
  #model;
  /** @type {Map<number, Operator>} */ #producers = new Map();
  /** @type {Map<number, number>} */ #uses = new Map();

  /** @param {Model} model */
  constructor(model) {
    this.#model = model;
    for (const operator of model.operators) {
      for (const output of operator.outputs) this.#producers.set(output, operator);
      for (const input of operator.inputs) this.#uses.set(input, (this.#uses.get(input) ?? 0) + 1);
    }
    for (const output of model.outputs) this.#uses.set(output, (this.#uses.get(output) ?? 0) + 1);
  }

  /**
   * @param {Operator} last a MUL
   * @returns {{x: number, used: Operator[]} | undefined}
   */
  match(last) {
    if (last.code !== OPERATORS.MUL.code || last.options[0]) return undefined;
    const scaled = this.#timesConstant(last);
    const product = scaled ? this.#sole(scaled.x) : last;
    if (!product || product.code !== OPERATORS.MUL.code || product.options[0]) return undefined;
    const [a, b] = product.inputs;
    for (const [left, right] of [
      [a, b],
      [b, a],
    ]) {
      const gate = this.#gate(right);
      if (!gate) continue;
      const own = this.#scaledX(left, gate.x);
      if (!own) continue;
      const factor = (scaled?.factor ?? 1) * gate.factor * own.factor;
      if (Math.abs(factor * 6 - 1) > TOLERANCE) continue;
      const used = [...gate.used, ...own.used, ...(product === last ? [] : [product])];
      return { x: gate.x, used };
    }
    return undefined;
  }

  /** factor * relu6(x + 3) @param {number} tensor */
  #gate(tensor) {
    const operator = this.#sole(tensor);
    const scaled = operator && this.#timesConstant(operator);
    const relu = scaled ? this.#sole(scaled.x) : operator;
    if (!operator || !relu) return undefined;
    const isSeparate = relu.code === OPERATORS.RELU6.code;
    const add = isSeparate ? this.#sole(relu.inputs[0]) : relu;
    if (add?.code !== OPERATORS.ADD.code || Boolean(add.options[0]) === isSeparate) return undefined;
    if (!isSeparate && add.options[0] !== RELU6_ACTIVATION) return undefined;
    const shift = this.#withConstant(add);
    if (!shift || Math.abs(shift.value / 3 - 1) > TOLERANCE) return undefined;
    const used = [...new Set([operator, relu, add])];
    return { x: shift.x, factor: scaled?.factor ?? 1, used };
  }

  /** x, or x times a number @param {number} tensor @param {number} x */
  #scaledX(tensor, x) {
    if (tensor === x) return { factor: 1, used: [] };
    const operator = this.#sole(tensor);
    const scaled = operator && this.#timesConstant(operator);
    return operator && scaled?.x === x ? { factor: scaled.factor, used: [operator] } : undefined;
  }

  /** The operator whose output only one other operator takes. @param {number} tensor */
  #sole(tensor) {
    return this.#uses.get(tensor) === 1 ? this.#producers.get(tensor) : undefined;
  }

  /** @param {Operator} operator */
  #timesConstant(operator) {
    if (operator.code !== OPERATORS.MUL.code || operator.options[0]) return undefined;
    const found = this.#withConstant(operator);
    return found && { x: found.x, factor: found.value };
  }

  /** The operand of an operator whose other operand is one number. @param {Operator} operator */
  #withConstant({ inputs: [a, b] }) {
    const [left, right] = [a, b].map((tensor) => this.#number(tensor));
    if (right !== undefined) return { x: a, value: right };
    return left === undefined ? undefined : { x: b, value: left };
  }

  /** @param {number} tensor */
  #number(tensor) {
    const { data, shape } = this.#model.tensors[tensor] ?? {};
    return data && sizeOf(shape) === 1 ? floatsOf(this.#model.tensors[tensor])[0] : undefined;
  }
}
