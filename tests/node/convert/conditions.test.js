// Conditions and loops: which branch is taken, and how often a loop runs, by TensorFlow's definitions.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { graphModel } from './graph_model.js';
import { assertNear, FLOAT, ints, runSource } from './run_graph.js';

/** @typedef {import('./graph_model.js').GraphNode} GraphNode */
/** @typedef {import('./graph_model.js').Constant} Constant */

const INT = { T: { type: 'DT_INT32' } };
/** @param {string} name @param {string} op @param {string[]} [input] @param {import('./graph_model.js').Attrs} [attr] @returns {GraphNode} */
const node = (name, op, input = [], attr = FLOAT) => ({ name, op, input, attr });
/** @param {number} value @param {'float32' | 'int32'} [dtype] @returns {Constant} */
const number = (value, dtype = 'float32') => ({ shape: [], values: [value], dtype });
const whole = (/** @type {number} */ value) => number(value, 'int32');
const func = (/** @type {string} */ name) => ({ func: { name } });
/** @param {string} name @param {string[]} inputs @param {GraphNode[]} nodes @param {string[]} outputs */
const define = (name, inputs, nodes, outputs) => ({
  signature: {
    name,
    inputArg: inputs.map((each) => ({ name: each })),
    outputArg: outputs.map((_, i) => ({ name: `o${i}` })),
  },
  nodeDef: nodes,
  ret: Object.fromEntries(outputs.map((output, i) => [`o${i}`, output])),
});
/** @param {GraphNode[]} nodes the last one is the output @param {Record<string, Constant>} constants @param {ReturnType<typeof define>[]} [functions] */
const run = (nodes, constants, functions) =>
  runSource(
    graphModel([1, 4], nodes, constants, [/** @type {GraphNode} */ (nodes.at(-1)).name], functions),
    false,
  );

describe('a condition by functions', () => {
  const branches = [
    define('then', ['a'], [node('r', 'Relu', ['a'])], ['r:activations:0']),
    define('else', ['a'], [node('r', 'Neg', ['a'])], ['r:y:0']),
  ];
  /** @param {GraphNode[]} before they make the condition `c` of constants or of x */
  const decide = (before, constants = {}) => {
    const attr = { then_branch: func('then'), else_branch: func('else') };
    return run([...before, node('y', 'StatelessIf', ['c', 'x'], attr)], constants, branches);
  };
  /** @type {[string, GraphNode[], Record<string, Constant>, boolean][]} */
  const cases = [
    ['a constant', [], { c: whole(1) }, true],
    ['a constant, false', [], { c: whole(0) }, false],
    ['a constant that is not empty', [], { c: { shape: [2], values: [0, 0], dtype: 'int32' } }, true],
    ['an identity', [node('i', 'Identity', ['a']), node('c', 'Identity', ['i'])], { a: whole(0) }, false],
    ['a default', [node('c', 'PlaceholderWithDefault', ['a'])], { a: whole(1) }, true],
    ['not false', [node('c', 'LogicalNot', ['a'])], { a: whole(0) }, true],
    ['not true', [node('c', 'LogicalNot', ['a'])], { a: whole(1) }, false],
    ['true and false', [node('c', 'LogicalAnd', ['a', 'b'])], { a: whole(1), b: whole(0) }, false],
    ['false or true', [node('c', 'LogicalOr', ['a', 'b'])], { a: whole(0), b: whole(1) }, true],
    ['1 = 2', [node('c', 'Equal', ['a', 'b'], INT)], { a: whole(1), b: whole(2) }, false],
    ['a half is less than 2', [node('c', 'Less', ['a', 'b'])], { a: number(0.5), b: number(2) }, true],
    [
      'the greatest of several is greater',
      [node('m', 'Max', ['a', 'axis'], INT), node('c', 'Greater', ['m', 'b'], INT)],
      { a: ints([-5, -2, -9]), axis: ints([0]), b: whole(-3) },
      true,
    ],
  ];
  const axes = ints([0, 1]);
  const unknownCondition = [node('m', 'Max', ['x', 'axes']), node('g', 'Less', ['half', 'm'])];
  const half = { half: number(0.5), axes };
  for (const order of [
    ['a', 'g'],
    ['g', 'a'],
  ])
    cases.push(
      [
        `false decides: ${order}`,
        [...unknownCondition, node('c', 'LogicalAnd', order)],
        { ...half, a: whole(0) },
        false,
      ],
      [
        `true decides: ${order}`,
        [...unknownCondition, node('c', 'LogicalOr', order)],
        { ...half, a: whole(1) },
        true,
      ],
    );
  for (const [name, before, constants, isTaken] of cases)
    test(name, async () => {
      const { x, data } = await decide(before, constants);
      assertNear(
        data,
        x.data.map((value) => (isTaken ? Math.max(value, 0) : -value)),
      );
    });
  /** @type {[string, GraphNode[], Record<string, Constant>][]} */
  const unknown = [
    ['a constant is less than the greatest input', [...unknownCondition, node('c', 'Identity', ['g'])], half],
    [
      'true and an input',
      [...unknownCondition, node('c', 'LogicalAnd', ['a', 'g'])],
      { ...half, a: whole(1) },
    ],
    [
      'false or an input',
      [...unknownCondition, node('c', 'LogicalOr', ['a', 'g'])],
      { ...half, a: whole(0) },
    ],
    ['an operator that is not known', [node('c', 'Surprise', ['a'])], { a: whole(1) }],
    ['a circle', [node('b', 'LogicalNot', ['c']), node('c', 'LogicalNot', ['b'])], {}],
  ];
  for (const [name, before, constants] of unknown)
    test(`${name}: refused`, () =>
      assert.rejects(decide(before, constants), {
        code: 'GRAPH_UNSUPPORTED',
        message: /StatelessIf at 'y': its condition is not constant/,
      }));
  test('constants of functions have the names that TensorFlow.js gives them', async () => {
    const add = define('add', ['a'], [node('add/c', 'Const'), node('r', 'AddV2', ['a', 'add/c'])], ['r:z:0']);
    const call = node('y', 'PartitionedCall', ['x'], { f: func('add') });
    const { x, data } = await run([call], { 'add/c': number(3) }, [add]);
    assertNear(
      data,
      x.data.map((value) => value + 3),
    );
  });
});

describe('loops', () => {
  const refused = {
    code: 'GRAPH_UNSUPPORTED',
    message: /the loop of '.*' may run more than once, or not at all/,
  };
  const LESS = [node('n', 'Less', ['i', 'end'], INT)];
  /**
   * for (i = start; condition; i += step) x += x, as functions and as TensorFlow 1 has it. The condition is the node `n`
   * of `i`, `a` (x) and constants.
   * @param {Record<string, Constant>} constants start, step and what the condition takes
   * @param {GraphNode[]} [condition]
   */
  const forms = (constants, condition = LESS) => {
    const captured = Object.keys(constants).filter((name) => name !== 'start');
    const args = ['i', 'a', ...captured];
    const body = [node('k', 'AddV2', ['i', 'step'], INT), node('r', 'AddV2', ['a', 'a'])];
    const output = (/** @type {string} */ text) => text.replace(/^([gmn])$/, '$1:z:0');
    const inFunction = condition.map((each) => ({ ...each, input: each.input?.map(output) }));
    const calls = () =>
      run(
        [
          node('loop', 'StatelessWhile', ['start', 'x', ...captured], {
            cond: func('cond'),
            body: func('body'),
          }),
          node('y', 'Identity', ['loop:1']),
        ],
        constants,
        [
          define('cond', args, inFunction, ['n:z:0']),
          define('body', args, body, ['k:z:0', 'r:z:0', ...captured]),
        ],
      );
    const variable = (/** @type {string} */ name, /** @type {string} */ from, /** @type {string} */ to) => [
      node(`${name}_in`, 'Enter', [from]),
      node(name, 'Merge', [`${name}_in`, `${name}_next`]),
      node(`${name}_switch`, 'Switch', [name, 'go']),
      node(`${name}_body`, 'Identity', [`${name}_switch:1`]),
      node(`${name}_next`, 'NextIteration', [to]),
    ];
    const flow = () =>
      run(
        [
          ...captured.map((name) => node(`${name}_in`, 'Enter', [name])),
          ...variable('i', 'start', 'k'),
          ...variable('a', 'x', 'r'),
          ...condition.map((each) => ({
            ...each,
            input: each.input?.map((name) => (captured.includes(name) ? `${name}_in` : name)),
          })),
          node('go', 'LoopCond', ['n']),
          node('k', 'AddV2', ['i_body', 'step_in'], INT),
          node('r', 'AddV2', ['a_body', 'a_body']),
          node('y', 'Exit', ['a_switch']),
        ],
        constants,
      );
    return Object.entries({ calls, flow });
  };
  /** @param {number} start @param {number} end @param {number} step */
  const count = (start, end, step) => ({ start: whole(start), end: whole(end), step: whole(step) });

  for (const [start, end, step] of [
    [0, 1, 1],
    [3, 4, 1],
    [0, 2, 2],
  ])
    for (const [form, loop] of forms(count(start, end, step)))
      test(`from ${start} to ${end} by ${step}, ${form}: one iteration`, async () => {
        const { x, data } = await loop();
        assertNear(
          data,
          x.data.map((value) => 2 * value),
        );
      });
  for (const [start, end, step] of [
    [0, 2, 1],
    [-3, 1, 1],
    [1, 1, 1],
    [0, 1, 0],
    [0, 1, -1],
  ])
    for (const [form, loop] of forms(count(start, end, step)))
      test(`from ${start} to ${end} by ${step}, ${form}: refused`, () => assert.rejects(loop(), refused));

  const both = [
    node('m', 'Less', ['i', 'end'], INT),
    node('g', 'Less', ['i', 'most'], INT),
    node('n', 'LogicalAnd', ['m', 'g']),
  ];
  for (const [form, loop] of forms({ ...count(0, 1, 1), most: whole(7) }, both))
    test(`two bounds, ${form}`, async () => {
      const { x, data } = await loop();
      assertNear(
        data,
        x.data.map((value) => 2 * value),
      );
    });
  const greatest = [node('m', 'Max', ['a', 'axes']), node('n', 'Less', ['m', 'one'])];
  const one = { ...count(0, 1, 1), one: number(1), axes: ints([0, 1]) };
  for (const [form, loop] of forms(one, greatest))
    test(`while the values are small, ${form}: refused`, () => assert.rejects(loop(), refused));
});
