// Which operators work in 8 bits, and which tensors must share a scale for that.
import { failure } from './errors.js';
import { TYPE } from './file.js';
import { dataInputs, ruleOf } from './operators.js';

/**
 * @typedef {import('./file.js').Model} Model
 * @typedef {import('./file.js').Operator} Operator
 * @typedef {import('./operators.js').Rule} Rule
 *
 * @typedef {object} Plan
 * @property {(Rule | undefined)[]} rules of each operator; undefined: it stays as it is
 * @property {(tensor: number) => number} groupOf tensors of one group have one scale
 * @property {Set<number>} probabilities tensors whose scale the specification fixes
 */

/**
 * @param {Model} model
 * @param {{keepFloat: string[], hasFloatOutputs: boolean}} options keepFloat: names of operators' outputs
 * @returns {Plan}
 */
export function makePlan(model, { keepFloat, hasFloatOutputs }) {
  const rules = model.operators.map((operator) => {
    const isKept = operator.outputs.some((output) => keepFloat.includes(model.tensors[output].name));
    return isKept ? undefined : findRule(model, operator);
  });
  if (hasFloatOutputs) leaveTailsInFloat(model, rules);
  if (rules.every((rule) => rule === undefined)) throw failure('NOTHING_TO_QUANTIZE');
  const probabilities = new Set(
    model.operators.flatMap(({ outputs }, i) => (rules[i]?.isProbability ? outputs : [])),
  );
  return { rules, groupOf: groupTensors(model, rules, probabilities), probabilities };
}

/** @param {Model} model @param {Operator} operator */
function findRule({ tensors }, operator) {
  const rule = ruleOf(operator.code);
  if (!rule) return undefined;
  const maps = [...dataInputs(operator, rule).map((i) => operator.inputs[i]), ...operator.outputs];
  if (maps.some((i) => i < 0 || tensors[i].type !== TYPE.float32)) return undefined;
  if (rule.axis === undefined) return rule;
  return tensors[operator.inputs[1]].data ? rule : undefined;
}

/**
 * What only moves numbers on their way to a float output moves floats: each part of a concatenation, such as a head of
 * one feature map, then has a scale of its own.
 * @param {Model} model
 * @param {(Rule | undefined)[]} rules
 */
function leaveTailsInFloat({ operators, outputs }, rules) {
  for (let i = operators.length - 1; i >= 0; i--) {
    const [output] = operators[i].outputs;
    const users = operators.flatMap(({ inputs }, user) => (inputs.includes(output) ? [user] : []));
    const isTail = (users.length > 0 || outputs.includes(output)) && users.every((user) => !rules[user]);
    if (rules[i]?.isMove && isTail) rules[i] = undefined;
  }
}

/**
 * @param {Model} model
 * @param {(Rule | undefined)[]} rules
 * @param {Set<number>} probabilities
 */
function groupTensors({ tensors, operators }, rules, probabilities) {
  const parents = Array.from(tensors.keys());
  /** @param {number} tensor @returns {number} */
  const find = (tensor) => {
    while (parents[tensor] !== tensor) tensor = parents[tensor];
    return tensor;
  };
  operators.forEach((operator, i) => {
    const rule = rules[i];
    if (!rule?.isSame) return;
    for (const input of dataInputs(operator, rule).map((index) => operator.inputs[index])) {
      if (!probabilities.has(input)) parents[find(input)] = find(operator.outputs[0]);
    }
  });
  return find;
}
