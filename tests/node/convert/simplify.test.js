// Graphs made simple: identities, loops, conditions, and arrays of one entry, by graphs of a few nodes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { constant, make } from '../../../wasm/convert/graph/graph.js';
import { inOrder, simplify } from '../../../wasm/convert/graph/simplify.js';

/** @typedef {import('../../../wasm/convert/graph/graph.js').Ref} Ref */

const x = make('x', 'Placeholder', []);
const other = make('other', 'Placeholder', []);
const number = (/** @type {number} */ value) =>
  constant('number', { dtype: 'int32', shape: [], data: Int32Array.of(value) });
const truth = (/** @type {boolean} */ value) =>
  constant('truth', { dtype: 'bool', shape: [], data: Uint8Array.of(Number(value)) });
/** An output of a node. @param {Ref} ref @param {number} index */
const at = ({ node }, index) => ({ node, index });
/** @param {Ref} ref */
const simple = (ref) => simplify([ref])[0];

describe('identities', () => {
  for (const op of [
    'Identity',
    'StopGradient',
    'ReadVariableOp',
    'Enter',
    'PlaceholderWithDefault',
    'EnsureShape',
  ])
    test(op, () => assert.equal(simple(make('y', op, [x])), x));
  test('chains of them, in front of every input', () => {
    const y = make('y', 'AddV2', [
      make('a', 'Identity', [make('b', 'Identity', [x])]),
      make('c', 'Snapshot', [other]),
    ]);
    assert.deepEqual(simple(y).node.inputs, [x, other]);
  });
  test('without an input, and of several', () => {
    const empty = make('y', 'Identity', []);
    assert.equal(simple(empty), empty);
    const many = make('many', 'IdentityN', [x, other]);
    assert.equal(simple(at(many, 1)), other);
    assert.equal(simple(at(many, 0)), x);
  });
  test('nodes behind other nodes', () => {
    const inner = make('inner', 'Neg', [make('a', 'Identity', [x])]);
    simplify([make('outer', 'Abs', [inner])]);
    assert.deepEqual(inner.node.inputs, [x]);
  });
});

describe('conditions', () => {
  const branches = (/** @type {Ref} */ predicate) => {
    const gate = make('gate', 'Switch', [x, predicate]);
    const no = make('no', 'Neg', [at(gate, 0)]);
    const yes = make('yes', 'Abs', [make('inner', 'Exp', [number(1), at(gate, 1)].toReversed())]);
    return { merge: make('merge', 'Merge', [no, yes]), no, yes };
  };
  test('a branch with very many inputs', () => {
    const gate = make('gate', 'Switch', [x, truth(true)]);
    const many = Array.from({ length: 200_000 }, () => at(gate, 1));
    const yes = make('yes', 'AddN', many);
    assert.equal(simple(make('merge', 'Merge', [at(gate, 0), yes])).node, yes.node);
  });
  test('the branch that a constant takes', () => {
    for (const wrap of [
      (/** @type {Ref} */ ref) => ref,
      (/** @type {Ref} */ ref) => make('i', 'Identity', [ref]),
    ]) {
      const taken = branches(wrap(truth(true)));
      assert.equal(simple(taken.merge).node, taken.yes.node);
      const left = branches(wrap(truth(false)));
      assert.equal(simple(left.merge).node, left.no.node);
    }
  });
  test('the branch keeps the value that the Switch passes on', () => {
    const { merge } = branches(truth(false));
    assert.deepEqual(simple(merge).node.inputs, [x]);
  });
  test('of a value that is not constant stay', () => {
    const { merge } = branches(other);
    assert.equal(simple(merge).node, merge.node);
  });
  test('of a condition inside a branch decide that one only', () => {
    for (const [outer, inner] of [
      [true, false],
      [true, true],
      [false, false],
      [false, true],
    ]) {
      const gate = make('gate', 'Switch', [x, truth(outer)]);
      const within = (/** @type {number} */ side) => {
        const innerGate = make('inner', 'Switch', [at(gate, side), truth(inner)]);
        const [no, yes] = [make('no', 'Neg', [at(innerGate, 0)]), make('yes', 'Abs', [at(innerGate, 1)])];
        return { merge: make('merge', 'Merge', [no, yes]), taken: inner ? yes : no };
      };
      const [no, yes] = [within(0), within(1)];
      const result = simple(make('merge', 'Merge', [no.merge, yes.merge]));
      assert.equal(result.node, (outer ? yes : no).taken.node);
    }
  });
  test('a branch without a Switch is none', () => {
    const merge = make('merge', 'Merge', [make('no', 'Neg', [x]), make('yes', 'Abs', [other])]);
    assert.equal(simple(merge).node, merge.node);
  });
});

test('a loop gives the value after one round', () => {
  const merge = make('merge', 'Merge', [make('enter', 'Enter', [x])]);
  const gate = make('gate', 'Switch', [merge, other]);
  const body = make('body', 'AddV2', [at(gate, 1), number(1)]);
  merge.node.inputs.push(make('next', 'NextIteration', [body]));
  const exit = make('exit', 'Exit', [at(gate, 0)]);
  const result = simple(exit);
  assert.equal(result.node, body.node);
  assert.equal(result.node.inputs[0], x);
  const strange = make('exit', 'Exit', [other]);
  assert.equal(simple(strange), strange);
});

describe('arrays of one entry', () => {
  const handle = make('array', 'TensorArrayV3', [number(1)]);
  test('scattered, and read', () => {
    const scatter = make('scatter', 'TensorArrayScatterV3', [handle, number(0), x, handle]);
    const read = make('read', 'TensorArrayReadV3', [handle, number(0), make('flow', 'Identity', [scatter])]);
    const { node } = simple(read);
    assert.equal(node.op, 'Squeeze');
    assert.deepEqual([node.inputs, node.ints('squeeze_dims')], [[x], [0]]);
  });
  test('a list of a tensor, and an item of it', () => {
    const list = make('list', 'TensorListFromTensor', [x, number(0)]);
    const { node } = simple(make('item', 'TensorListGetItem', [list, number(0), other]));
    assert.deepEqual([node.op, node.inputs, node.ints('squeeze_dims')], ['Squeeze', [x], [0]]);
  });
  test('written, and gathered', () => {
    const write = make('write', 'TensorArrayWriteV3', [handle, number(0), x, handle]);
    const { node } = simple(make('all', 'TensorArrayGatherV3', [handle, number(0), write]));
    assert.deepEqual([node.op, node.inputs[0]], ['ExpandDims', x]);
    assert.deepEqual([...(node.inputs[1].node.tensor?.data ?? [])], [0]);
  });
  test('set in a list, and stacked', () => {
    const set = make('set', 'TensorListSetItem', [other, number(0), x]);
    for (const op of ['TensorListStack', 'TensorListConcatV2']) {
      const { node } = simple(make('all', op, [set, other]));
      assert.deepEqual([node.op, node.inputs[0]], ['ExpandDims', x]);
    }
  });
  test('two reads of one node become one node', () => {
    const list = make('list', 'TensorListFromTensor', [x, number(0)]);
    const item = make('item', 'TensorListGetItem', [list, number(0), other]);
    const y = simple(make('y', 'AddV2', [item, item]));
    assert.equal(y.node.inputs[0].node, y.node.inputs[1].node);
    assert.equal(y.node.inputs[0].node.op, 'Squeeze');
  });
  test('of another origin stay', () => {
    const read = make('read', 'TensorArrayReadV3', [handle, number(0), other]);
    assert.equal(simple(read), read);
    const all = make('all', 'TensorListStack', [other, x]);
    assert.equal(simple(all), all);
  });
});

describe('order', () => {
  test('each node after its inputs, once', () => {
    const a = make('a', 'Neg', [x]);
    const b = make('b', 'AddV2', [a, x]);
    const c = make('c', 'AddV2', [b, a]);
    const order = inOrder([c, b]);
    assert.deepEqual(
      order.map(({ name }) => name),
      ['x', 'a', 'b', 'c'],
    );
  });
  test('a cycle is named', () => {
    const a = make('a', 'Neg', []);
    a.node.inputs = [make('b', 'Abs', [a])];
    assert.throws(() => inOrder([a]), { code: 'GRAPH_BAD', message: /'[ab]' is part of a cycle/ });
    const i = make('i', 'Identity', []);
    i.node.inputs = [i];
    assert.throws(() => simplify([i]), { code: 'GRAPH_BAD', message: /'i' is part of a cycle/ });
  });
});
