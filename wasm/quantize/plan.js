// Decides which operators are quantized, and which tensors must share a scale.
import { failure } from './errors.js';
import { TYPE } from './file.js';
import { dataInputs, LOGISTIC, ruleOf } from './operators.js';

/**
 * @typedef {import('./file.js').Model} Model
 * @typedef {import('./file.js').Operator} Operator
 * @typedef {import('./operators.js').Rule} Rule
 *
 * @typedef {object} Plan
 * @property {(Rule | undefined)[]} rules by operator; undefined: it stays in float
 * @property {(tensor: number) => number} groupOf all tensors of a group share a scale
 * @property {(group: number) => boolean} isLogits whether only a logistic takes the values of a group
 * @property {Map<number, {scale: number, zeroPoint: number}>} fixedScales of tensors whose scale the specification fixes
 */

/**
 * @param {Model} model
 * @param {{keepFloat: string[], hasFloatOutputs: boolean}} options keepFloat: names of
 *   operators' outputs
 * @returns {Plan}
 */
export function makePlan(model, { keepFloat, hasFloatOutputs }) {
  const rules = model.operators.map((operator) => {
    const isExcluded = operator.outputs.some((output) => keepFloat.includes(model.tensors[output].name));
    return isExcluded ? undefined : findRule(model, operator);
  });
  if (hasFloatOutputs) keepFinalMovesInFloat(model, rules);
  if (rules.every((rule) => rule === undefined)) throw failure('NOTHING_TO_QUANTIZE');
  const fixedScales = new Map(
    model.operators.flatMap(({ outputs }, i) => {
      const scale = rules[i]?.outputScale;
      return scale ? outputs.map((output) => /** @type {const} */ ([output, scale])) : [];
    }),
  );
  const groupOf = groupTensors(model, rules, fixedScales);
  return { rules, groupOf, isLogits: findLogits(model, rules, groupOf), fixedScales };
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
 * Operators that only move data to a float output stay in float. Each input of a final concatenation, such as the head
 * of one feature map, then keeps its own scale.
 * @param {Model} model
 * @param {(Rule | undefined)[]} rules
 */
function keepFinalMovesInFloat({ operators, outputs }, rules) {
  for (let i = operators.length - 1; i >= 0; i--) {
    const [output] = operators[i].outputs;
    const users = operators.flatMap(({ inputs }, user) => (inputs.includes(output) ? [user] : []));
    const isFinal = (users.length > 0 || outputs.includes(output)) && users.every((user) => !rules[user]);
    if (rules[i]?.isDataMovement && isFinal) rules[i] = undefined;
  }
}

/**
 * Groups the tensors of tied operators (union-find). The input has the pixels' range, so only tensors whose values all come
 * from it are grouped with it.
 * @param {Model} model
 * @param {(Rule | undefined)[]} rules
 * @param {Map<number, unknown>} fixedScales
 * @returns {(tensor: number) => number} the tensor that represents the group
 */
function groupTensors({ tensors, operators, inputs }, rules, fixedScales) {
  const parents = Array.from(tensors.keys());
  const ofInput = new Set(inputs);
  /** @param {number} tensor @returns {number} */
  const find = (tensor) => {
    while (parents[tensor] !== tensor) tensor = parents[tensor];
    return tensor;
  };
  operators.forEach((operator, i) => {
    const rule = rules[i];
    if (!rule?.isTied) return;
    const maps = dataInputs(operator, rule).map((index) => operator.inputs[index]);
    const isOfInput = maps.every((tensor) => ofInput.has(tensor));
    if (isOfInput) operator.outputs.forEach((output) => ofInput.add(output));
    for (const tensor of [...maps, ...operator.outputs])
      if (!fixedScales.has(tensor) && ofInput.has(tensor) === isOfInput)
        parents[find(tensor)] = find(operator.outputs[0]);
  });
  return find;
}

/**
 * Finds the groups whose values reach nothing but a LOGISTIC, directly or by operators that tie them to it.
 * @param {Model} model
 * @param {(Rule | undefined)[]} rules
 * @param {(tensor: number) => number} groupOf
 */
function findLogits({ operators, inputs, outputs }, rules, groupOf) {
  const logits = new Set(
    operators.flatMap(({ code, inputs: [input] }, i) => (isLogistic(code, rules[i]) ? [groupOf(input)] : [])),
  );
  for (const tensor of [...inputs, ...outputs]) logits.delete(groupOf(tensor));
  operators.forEach((operator, i) => {
    const isOwn = (/** @type {number} */ group) =>
      isLogistic(operator.code, rules[i]) ||
      (rules[i]?.isTied && operator.outputs.some((output) => groupOf(output) === group));
    for (const input of operator.inputs)
      if (input >= 0 && !isOwn(groupOf(input))) logits.delete(groupOf(input));
  });
  return (/** @type {number} */ group) => logits.has(group);
}

/** @param {number} code @param {Rule | undefined} rule */
const isLogistic = (code, rule) => rule !== undefined && code === LOGISTIC;
