// The proof of a conversion: what it notices, and what it says.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { evaluateGraph, KERNELS } from '../../../wasm/convert/prove/evaluate.js';
import { RULES } from '../../../wasm/convert/lower/lower.js';
import { make, Node } from '../../../wasm/convert/graph/graph.js';
import { prove } from '../../../wasm/convert/prove/prove.js';
import { smallSource } from './convert.js';
import { floats, ints } from './refs.js';
import { base64, graphModel } from './graph_model.js';

const FLOAT = { T: { type: 'DT_FLOAT' } };

/** A network that multiplies by `factor` and then adds 1, said to be a graph that multiplies by 2. @param {number} factor */
function claim(factor) {
  const x = new Node('x', 'Placeholder');
  const number = (/** @type {string} */ name, /** @type {number} */ value) => {
    const node = new Node(name, 'Const');
    node.setConstant({ dtype: 'float32', shape: [], data: Float32Array.of(value) });
    return { node, index: 0 };
  };
  const doubled = new Node('doubled', 'Mul');
  doubled.inputs = [{ node: x, index: 0 }, number('two', 2)];
  const y = new Node('y', 'AddV2');
  y.inputs = [{ node: doubled, index: 0 }, number('one', 1)];
  const value = (/** @type {string} */ name, /** @type {number} */ constant) => ({
    name,
    shape: [],
    tensor: { dtype: /** @type {const} */ ('float32'), shape: [], data: Float64Array.of(constant) },
  });
  const shape = [-1, 2, 2, 3];
  const [input, middle, output] = ['x', 'doubled', 'y'].map((name) => ({ name, shape }));
  const network = {
    ops: [
      { kind: 'MUL', inputs: [input, value('factor', factor)], output: middle, options: {} },
      { kind: 'ADD', inputs: [middle, value('shift', 1)], output, options: {} },
    ],
    inputs: [input],
    outputs: [{ name: 'y', value: output }],
  };
  const ref = (/** @type {Node} */ node) => ({ node, index: 0 });
  const trace = new Map([
    [middle, ref(doubled)],
    [output, ref(y)],
  ]);
  const range = /** @type {[number, number]} */ ([-1, 1]);
  return { network, proof: { inputs: [ref(x)], outputs: [{ ref: ref(y) }], trace, range } };
}

const watch = { onProgress: () => {} };

describe('a proof', () => {
  test('of what is right passes, within 1e-4', async () => {
    for (const factor of [2, 2.00005]) {
      const { network, proof } = claim(factor);
      await prove(network, proof, watch);
    }
  });

  test('evaluates nothing before what is given', async () => {
    const unknown = make('unknown', 'NoOperator', []);
    const given = make('given', 'Mul', [unknown, unknown]);
    const sum = make('sum', 'AddV2', [given, given]);
    const value = { dtype: /** @type {const} */ ('float32'), shape: [2], data: Float64Array.of(3, 5) };
    const [found] = await evaluateGraph([sum], new Map([[given.node, value]]));
    assert.deepEqual([...found.data], [6, 10]);
    assert.deepEqual([...value.data], [3, 5]);
    await assert.rejects(evaluateGraph([sum], new Map()), { code: 'RESULT_UNPROVEN', message: /NoOperator/ });
  });

  test('of what is wrong names the first tensor that differs, not the output', async () => {
    const { network, proof } = claim(2.001);
    await assert.rejects(prove(network, proof, watch), {
      code: 'RESULT_DIFFERS',
      message: /'doubled' \(Mul\) is the first tensor that differs: -?\d.* instead of -?\d/,
    });
  });

  for (const factor of [1e-5, 1, 1e5])
    test(`of a choice among values up to ${factor} finds one of the largest`, async () => {
      const shape = [-1, 2, 2, 3];
      const choose = (/** @type {string} */ kind) => {
        const x = make('x', 'Placeholder', []);
        const scaled = make('scaled', 'Mul', [x, floats([factor], [])]);
        const y = make('y', 'ArgMax', [scaled, ints([3], [])]);
        const constants = /** @type {const} */ ([
          {
            name: 'factor',
            shape: [],
            tensor: { dtype: 'float32', shape: [], data: Float32Array.of(factor) },
          },
          { name: 'axis', shape: [], tensor: { dtype: 'int32', shape: [], data: Int32Array.of(3) } },
        ]);
        const [input, middle] = ['x', 'scaled'].map((name) => ({ name, shape }));
        const output = { name: 'y', shape: [-1, 2, 2], dtype: /** @type {const} */ ('int64') };
        const network = {
          ops: [
            { kind: 'MUL', inputs: [input, constants[0]], output: middle, options: {} },
            { kind, inputs: [middle, constants[1]], output, options: {} },
          ],
          inputs: [input],
          outputs: [{ name: 'y', value: output }],
        };
        const trace = new Map([[middle, scaled]]);
        const range = /** @type {[number, number]} */ ([-1, 1]);
        return prove(
          /** @type {any} */ (network),
          { inputs: [x], outputs: [{ ref: y }], trace, range },
          watch,
        );
      };
      await choose('ARG_MAX');
      await assert.rejects(choose('ARG_MIN'), { code: 'RESULT_DIFFERS' });
    });

  test('of a source that computes NaN only proves nothing', async () => {
    const { network, proof } = claim(2);
    const root = new Node('root', 'Sqrt');
    root.inputs = [proof.outputs[0].ref];
    const outputs = [{ ref: { node: root, index: 0 } }];
    await assert.rejects(prove(network, { ...proof, outputs, range: [-9, -2] }, watch), {
      code: 'RESULT_UNPROVEN',
      message: /NaN\) for 'root'.*--no-verify/,
    });
  });

  test('of what cannot be evaluated or run says how to go on', async () => {
    const { network, proof } = claim(2);
    const unknown = new Node('strange', 'Strange');
    unknown.inputs = [proof.outputs[0].ref];
    const outputs = [{ ref: { node: unknown, index: 0 } }];
    await assert.rejects(prove(network, { ...proof, outputs }, watch), {
      code: 'RESULT_UNPROVEN',
      message: /Strange at 'strange'.*--no-verify/,
    });
    network.inputs[0].shape = [-1, 60000, 60000, 3];
    await assert.rejects(prove(network, proof, watch), { code: 'RESULT_UNPROVEN' });
  });
});

test('every operator that is lowered can be evaluated', () => {
  assert.deepEqual(
    Object.keys(RULES).filter((op) => !Object.hasOwn(KERNELS, op)),
    [],
  );
});

test('progress while verifying, and an end by signal', async () => {
  /** @type {{stage: string, done?: number, total?: number}[]} */
  const seen = [];
  await convert(smallSource('tfjs_small_classifier'), { onProgress: (progress) => seen.push(progress) });
  const verified = seen.filter(({ stage, total }) => stage === 'verify' && total);
  assert.equal(verified.at(-1)?.done, verified.at(-1)?.total);
  const controller = new AbortController();
  const onProgress = (/** @type {{stage: string}} */ { stage }) => {
    if (stage === 'verify') controller.abort(new Error('enough'));
  };
  const { signal } = controller;
  await assert.rejects(convert(smallSource('tfjs_small_classifier'), { onProgress, signal }), /enough/);
});

test('networks that mix the images of a batch are refused, whatever the proof', async () => {
  const attr = { ...FLOAT, keep_dims: { b: true } };
  const nodes = [{ name: 'y', op: 'Mean', input: ['x', 'axes'], attr }];
  const axes = { shape: [3], values: [0, 1, 2], dtype: /** @type {const} */ ('int32') };
  await assert.rejects(convert(graphModel([-1, 2, 2, 3], nodes, { axes }, ['y'])), {
    code: 'GRAPH_UNSUPPORTED',
    message: /all images of a batch/,
  });
});

test('a file of names that does not fit the classes is left out, and a note says so', async () => {
  const nodes = [
    { name: 'mean', op: 'Mean', input: ['x', 'axes'], attr: FLOAT },
    { name: 'y', op: 'Softmax', input: ['mean'], attr: FLOAT },
  ];
  const axes = { shape: [2], values: [1, 2], dtype: /** @type {const} */ ('int32') };
  const source = graphModel([-1, 2, 2, 3], nodes, { axes }, ['y']);
  const text = (/** @type {string} */ content) => () => new TextEncoder().encode(content);
  for (const [name, content, note] of /** @type {const} */ ([
    ['labels.txt', 'a\nb\nc\n', undefined],
    ['labels.txt', 'a\nb\n', 'names in labels.txt: 2, but the model has 3 classes; left out'],
    [
      'metadata.json',
      '{"labels": ["a"]}',
      'names in metadata.json: 1, but the model has 3 classes; left out',
    ],
    ['metadata.json', '{}', undefined],
  ])) {
    const { notes } = await convert({ ...source, [name]: text(content) });
    assert.deepEqual(
      notes.filter((each) => each.startsWith('names')),
      note ? [note] : [],
    );
  }
});

describe('the values that an input takes', () => {
  const conv = { strides: { list: { i: ['1', '1', '1', '1'] } }, padding: { s: base64('SAME') } };
  const kernel = { shape: [1, 1, 3, 2], values: [1, 2, 3, 4, 5, 6] };
  const number = (/** @type {number} */ value) => ({ shape: [], values: [value] });
  /** @param {[string, number | number[]][]} steps @param {object} [options] */
  const notesOf = async (steps, options) => {
    const nodes = steps.map(([op], i) => ({
      name: `s${i}`,
      op,
      input: [i ? `s${i - 1}` : 'x', `c${i}`],
      attr: FLOAT,
    }));
    const constants = Object.fromEntries(
      steps.map(([, value], i) => [
        `c${i}`,
        Array.isArray(value) ? { shape: [3], values: value } : number(value),
      ]),
    );
    const last = {
      name: 'y',
      op: 'Conv2D',
      input: [steps.length ? `s${steps.length - 1}` : 'x', 'k'],
      attr: { ...FLOAT, ...conv },
    };
    const { notes } = await convert(
      graphModel([-1, 4, 4, 3], [...nodes, last], { ...constants, k: kernel }, ['y']),
      options,
    );
    return notes.join('; ');
  };
  /** @type {[string, [string, number | number[]][], RegExp][]} */
  const cases = [
    ['a network that begins with a convolution', [], /does not say which values/],
    ['x / 255', [['RealDiv', 255]], /^input: pixel, from the rescaling/],
    [
      'x / 127.5 - 1',
      [
        ['RealDiv', 127.5],
        ['Sub', 1],
      ],
      /^input: pixel, from the rescaling/,
    ],
    [
      '2x - 1',
      [
        ['Mul', 2],
        ['Sub', 1],
      ],
      /^input: pixel \/ 255, from the rescaling/,
    ],
    [
      'ImageNet’s mean and deviation of values from 0 to 1',
      [
        ['Sub', [0.485, 0.456, 0.406]],
        ['RealDiv', [0.229, 0.224, 0.225]],
      ],
      /^input: pixel \/ 255/,
    ],
    ['Caffe’s means', [['Sub', [103.9, 116.8, 123.7]]], /^input: pixel, from/],
    ['x + 0.1', [['AddV2', 0.1]], /does not say/],
    ['3x, which says nothing', [['Mul', 3]], /does not say/],
  ];
  for (const [name, steps, note] of cases) test(name, async () => assert.match(await notesOf(steps), note));

  for (const [input, note] of /** @type {[any, RegExp][]} */ ([
    ['[0,1]', /^input: pixel \/ 255, from the option/],
    ['[-1, 1]', /^input: \(pixel - 127.5\) \/ 127.5, from the option/],
    ['[0,255]', /^input: pixel, from the option/],
    ['imagenet', /^input: \(pixel - \[123.675, 116.28, 103.53\]\) \/ \[58.395, 57.12, 57.375\]/],
    [{ scale: 0.5, offset: [1, 2, 3] }, /^input: \(pixel - \[-2, -4, -6\]\) \/ 2/],
  ]))
    test(`the option ${JSON.stringify(input)} wins over the graph`, async () =>
      assert.match(await notesOf([['RealDiv', 255]], { input }), note));

  for (const input of [
    '[0,2]',
    '',
    { scale: 0, offset: 1 },
    { scale: 1 },
    { scale: [1, 2], offset: 0 },
    7,
    null,
  ])
    test(`the option ${JSON.stringify(input)} is refused`, () =>
      assert.rejects(notesOf([], { input }), { code: 'INVALID_OPTION', message: /\[-1,1\], \[0,1\]/ }));
});

test('a network that magnifies the rounding of float32 is not refused for it', async () => {
  const nodes = [
    { name: 'far', op: 'AddV2', input: ['x', 'big'], attr: FLOAT },
    { name: 'kept', op: 'Relu', input: ['far'], attr: FLOAT },
    { name: 'y', op: 'Sub', input: ['kept', 'big'], attr: FLOAT },
  ];
  // Floats of this size are 1 apart: the result is a whole number, and x is not.
  const big = { shape: [], values: [2 ** 23 + 1] };
  const { model } = await convert(graphModel([1, 4, 4, 3], nodes, { big }, ['y']));
  assert.ok(model.length > 0);
});

describe('what is not evaluated is named', () => {
  const text = (/** @type {string} */ value) => ({ s: new TextEncoder().encode(value) });
  const window = { strides: { list: { i: [1, 1, 1, 1] } }, padding: text('SAME') };
  const nchw = { ...window, data_format: text('NCHW') };
  const fusedBy = (/** @type {string} */ name) => ({
    ...window,
    fused_ops: { list: { s: [new TextEncoder().encode(name)] } },
  });
  /** @type {[op: string, shapes: number[][], attrs: object, message: RegExp][]} */
  const cases = [
    ['Conv2D', [[1, 2, 2, 1], [1, 1, 1, 1]], nchw, /only NHWC images/],
    ['Conv2D', [[2, 2, 1], [1, 1, 1, 1]], window, /only NHWC images/],
    ['MaxPool', [[1, 2, 2, 1]], { ...nchw, ksize: { list: { i: [1, 2, 2, 1] } } }, /only NHWC images/],
    ['_FusedConv2D', [[1, 2, 2, 1], [1, 1, 1, 1]], fusedBy('Mine'), /fused Mine/],
    ['MatMul', [[2, 3], [2, 4]], { transpose_a: { b: true } }, /its first operand is transposed/],
    ['BatchMatMulV2', [[1, 3, 2], [1, 3, 4]], { adj_x: { b: true } }, /its first operand is transposed/],
    ['BatchMatMulV2', [[1, 2, 3], [1, 3, 4]], {}, /only products with one matrix/],
    ['MatMul', [[2, 3], [4, 5]], {}, /\[2,3\] times \[4,5\]/],
    ['AddV2', [[2, 3], [2, 4]], {}, /\[2,3\] and \[2,4\] do not broadcast/],
  ]; // prettier-ignore
  for (const [op, shapes, attrs, message] of cases)
    test(`${op} of ${JSON.stringify(shapes)}: ${message}`, async () => {
      const refs = shapes.map((_, i) => make(`x${i}`, 'Placeholder', []));
      const given = new Map(
        refs.map(({ node }, i) => [
          node,
          { shape: shapes[i], data: new Float64Array(shapes[i].reduce((a, b) => a * b, 1)) },
        ]),
      );
      await assert.rejects(evaluateGraph([make('y', op, refs, attrs)], given), {
        code: 'RESULT_UNPROVEN',
        message,
      });
    });
});
