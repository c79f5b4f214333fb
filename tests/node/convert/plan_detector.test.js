// The file of a detector: a graph of two heads and their decoding -> network and metadata, with all classes and with some,
// proven against the graph; and what is written of labels, scores and pixels.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { make } from '../../../wasm/convert/graph/graph.js';
import { planDetector } from '../../../wasm/convert/plan_detector.js';
import { prove } from '../../../wasm/convert/prove/prove.js';
import { readGraphDef, simplifyPorts } from '../../../wasm/convert/source/saved_model.js';
import { appendLabels, writeMetadata } from '../../../wasm/tflite/metadata.js';
import { writeTflite } from '../../../wasm/tflite/write.js';
import '../../../wasm/platform/node.js';
import { ocelli } from '../bin/run.js';
import { at, floats, ints, number } from './refs.js';
import { assertNear, noise } from './run_graph.js';

/** @typedef {import('../../../wasm/convert/graph/graph.js').Ref} Ref */

// Two rows of three anchors: centre y, centre x, height, width.
const ANCHORS = [0, 1].flatMap((row) =>
  [0, 1, 2].map((column) => [(row + 0.5) / 2, (column + 0.5) / 3, 0.25 + row / 8, 0.5 + column / 8]),
);
const N = ANCHORS.length;

const sigmoid = (/** @type {Ref} */ x) => make('sigmoid', 'Sigmoid', [x]);
const softmax = (/** @type {Ref} */ x) =>
  make('cut', 'Slice', [make('softmax', 'Softmax', [x]), ints([0, 0, 1]), ints([-1, -1, -1])]);

/**
 * A detector of images [1, 4, 6, 3]: a window of 2 x 2 pixels for each anchor.
 * @param {object} [how]
 * @param {number} [how.columns] of the scores
 * @param {(scores: Ref) => Ref} [how.convert]
 * @param {number[]} [how.order] the columns of the encodings that are ty, tx, th, tw
 * @param {(x: Ref) => Ref} [how.prepare]
 * @param {(x: Ref) => Ref} [how.inside] behind each convolution
 */
function detector({
  columns = 3,
  convert = sigmoid,
  order = [0, 1, 2, 3],
  prepare = (x) => x,
  inside = (x) => x,
} = {}) {
  const image = make('image', 'Placeholder', [], {
    dtype: { type: 1 },
    shape: { shape: { dim: [1, 4, 6, 3].map((size) => ({ size })) } },
  });
  const x = prepare(image);
  const window = {
    strides: { list: { i: [1, 2, 2, 1] } },
    padding: { s: new TextEncoder().encode('VALID') },
  };
  const head = (/** @type {string} */ name, /** @type {number} */ size) => {
    const conv = make(`${name}/conv`, 'Conv2D', [x, floats(noise(12 * size, size), [2, 2, 3, size])], window);
    const biased = make(`${name}/bias`, 'BiasAdd', [inside(conv), floats(noise(size, 7))]);
    return make(name, 'Reshape', [biased, ints([1, N, size])]);
  };
  const boxes = head('boxes', 4);
  const parts = make(
    'parts',
    'Unpack',
    [make('rows', 'Squeeze', [boxes], { squeeze_dims: { list: { i: [0] } } })],
    { axis: { i: 1 }, num: { i: 4 } },
  );
  const [ty, tx, th, tw] = order.map((column, i) =>
    make(`t${i}`, 'RealDiv', [at(parts, column), number([10, 20, 5, 2.5][i])]),
  );
  const [cy, cx, h, w] = [0, 1, 2, 3].map((i) => floats(ANCHORS.map((anchor) => anchor[i])));
  const side = (/** @type {Ref} */ t, /** @type {Ref} */ of) =>
    make('side', 'Mul', [make('exp', 'Exp', [t]), of]);
  const centre = (/** @type {Ref} */ t, /** @type {Ref} */ of, /** @type {Ref} */ from) =>
    make('centre', 'AddV2', [make('shift', 'Mul', [t, of]), from]);
  const edges = (/** @type {Ref} */ middle, /** @type {Ref} */ length) =>
    ['Sub', 'AddV2'].map((op) => make('edge', op, [middle, make('half', 'Mul', [length, number(0.5)])]));
  const [[y0, y1], [x0, x1]] = [edges(centre(ty, h, cy), side(th, h)), edges(centre(tx, w, cx), side(tw, w))];
  const decoded = make('decoded', 'Pack', [y0, x0, y1, x1], { axis: { i: 1 } });
  const scores = convert(head('scores', columns));
  const nms = make('nms', 'NonMaxSuppressionV3', [
    decoded,
    make('best', 'Max', [scores, ints([0, 2])]),
    ints([5], []),
    number(0.5),
    number(0.25),
  ]);
  const outputs = [{ name: 'found', ref: nms }];
  return {
    inputs: [{ name: 'image', ref: image, shape: [1, 4, 6, 3] }],
    outputs,
    readTable: async () => undefined,
  };
}

/** @param {Parameters<typeof detector>[0]} [how] @param {any} [options] @param {object} [more] of the model */
async function plan(how, options = {}, more = {}) {
  const model = { ...detector(how), ...more };
  const made = await planDetector(
    model,
    model.outputs.map(({ ref }) => ref),
    options,
  );
  await prove(made.network, made.proof, { onProgress: () => {} });
  const [location, score] = made.network.outputs;
  return {
    ...made,
    kinds: made.network.ops.map(({ kind }) => kind),
    location: location.value,
    score: score.value,
  };
}
const labelsOf = (/** @type {Awaited<ReturnType<typeof plan>>} */ { about }) => about.outputs[1].labels;
const files = (/** @type {string} */ text) => ({
  files: { names: ['labels.txt'], read: async () => new TextEncoder().encode(text) },
});

test('all classes of sigmoids', async () => {
  const made = await plan();
  assert.deepEqual(made.kinds, ['CONV_2D', 'RESHAPE', 'CONV_2D', 'RESHAPE']);
  assert.deepEqual(
    [made.location.shape, made.score.shape],
    [
      [1, N, 4],
      [1, N, 3],
    ],
  );
  assert.deepEqual(
    [made.location.name, made.score.name],
    ['raw_outputs/box_encodings', 'raw_outputs/class_predictions'],
  );
  const { detector: found, own, name, outputs, image } = made.about;
  assertNear(found?.anchors ?? [], ANCHORS.flat());
  assert.deepEqual([found?.boxCoder, found?.numClasses, found?.isSigmoid], [[10, 20, 5, 2.5], 3, true]);
  assert.deepEqual(own, {
    ...{ version: 1, resize: 'half-pixel', scores: 'sigmoid' },
    suppression: {
      scoreThreshold: 0.25,
      iouThreshold: 0.5,
      maxPerClass: 5,
      maxResults: 5,
      classAgnostic: true,
    },
  });
  assert.deepEqual(
    [name, image, outputs.map(({ role }) => role)],
    ['SSD detector', undefined, ['location', 'score']],
  );
  assert.deepEqual(labelsOf(made), ['class 0', 'class 1', 'class 2']);
  assert.deepEqual(made.notes.slice(0, 1), ['input: 4 x 6, half-pixel resize']);
  for (const note of [
    /which values its input takes/,
    /^6 anchors, box coder 10, 20, 5, 2\.5, sigmoid scores of 3 classes$/,
    /^suppression: score 0\.25, IoU 0\.5, at most 5 per class, 5 in all$/,
    /no class names: classes are numbered/,
  ])
    assert.ok(
      made.notes.some((each) => note.test(each)),
      String(note),
    );
  assert.equal(made.notes.length, 5);
});

test('columns of boxes in another order are put in order', async () => {
  const { location, network } = await plan({ order: [1, 0, 3, 2] });
  assert.deepEqual(location.shape, [1, N, 4]);
  assert.deepEqual(network.ops.find(({ weights }) => weights?.channels)?.weights?.channels, [1, 0, 3, 2]);
});

describe('some classes', () => {
  test('of sigmoids: their heads are sliced', async () => {
    const made = await plan({}, { classes: [2, 0] }, files('cat\ndog\ncow'));
    assert.deepEqual(
      [made.score.shape, labelsOf(made), made.about.detector?.numClasses],
      [[1, N, 2], ['cat', 'cow'], 2],
    );
    assert.ok(made.notes.includes('class heads sliced to 2 classes'));
    const named = await plan({}, { classes: ['dog'] }, { ...files('cat\ndog\ncow'), name: 'mine' });
    assert.deepEqual([named.score.shape, labelsOf(named), named.about.name], [[1, N, 1], ['dog'], 'mine']);
    assert.ok(named.notes.includes('class heads sliced to 1 class'));
    assert.ok(!named.notes.some((note) => /no class names/.test(note)));
  });
  const four = { columns: 5, convert: softmax };
  test('of a softmax: its scores are sliced, and its background', async () => {
    const all = await plan(four);
    assert.deepEqual(
      [all.score.shape, all.kinds.slice(-2), all.about.detector?.numClasses, all.about.detector?.isSigmoid],
      [[1, N, 4], ['SOFTMAX', 'STRIDED_SLICE'], 4, false],
    );
    assert.ok(!all.notes.some((note) => /softmax needs the scores/.test(note)));
    const run = await plan(four, { classes: [1, 2] });
    assert.deepEqual(
      [run.score.shape, run.kinds.slice(-2)],
      [
        [1, N, 2],
        ['SOFTMAX', 'STRIDED_SLICE'],
      ],
    );
    assert.ok(run.notes.some((note) => /only their scores, to 2 classes/.test(note)));
    const apart = await plan(four, { classes: [0, 2, 3] });
    assert.deepEqual(
      [apart.score.shape, apart.kinds.slice(-4), labelsOf(apart)],
      [
        [1, N, 3],
        ['SOFTMAX', 'STRIDED_SLICE', 'STRIDED_SLICE', 'CONCATENATION'],
        ['class 0', 'class 2', 'class 3'],
      ],
    );
  });
  test('a softmax without a background is whole', async () => {
    const whole = await plan({ convert: (x) => make('softmax', 'Softmax', [x]) });
    assert.deepEqual([whole.kinds.at(-1), whole.score.shape], ['SOFTMAX', [1, N, 3]]);
  });
  test('a softmax is left whole when a file is used, and inspect says why', async () => {
    const { network, about } = await plan(four, {}, files('cat\ndog\ncow\nfox'));
    const metadata = writeMetadata({ ...about, description: '' });
    const file = writeTflite(network, { precision: 'fp32', description: '', metadata });
    const { stdout, stderr } = ocelli(['inspect', '--json', '--classes', 'dog,cat', '-'], {
      input: appendLabels(file, labelsOf(/** @type {any} */ ({ about })) ?? []),
    });
    assert.equal(String(stderr), '');
    const { sliced } = JSON.parse(String(stdout));
    assert.deepEqual([sliced.classes, sliced.savedMultiplyAdds], [2, 0]);
    assert.match(sliced.leftWhole, /softmax scores depend on each other/);
  });
  test('sigmoids with a background lose it', async () => {
    const made = await plan({
      convert: (x) => make('cut', 'Slice', [sigmoid(x), ints([0, 0, 1]), ints([-1, -1, -1])]),
    });
    assert.deepEqual([made.score.shape, made.kinds.includes('STRIDED_SLICE')], [[1, N, 2], false]);
  });
});

describe('pixels', () => {
  const scaled = (/** @type {Ref} */ x) =>
    make('s', 'Sub', [make('m', 'Mul', [x, number(2 / 255)]), number(1)]);
  const imageOf = async (/** @type {Parameters<typeof detector>[0]} */ how, /** @type {any} */ input) =>
    (await plan(how, { input })).about.image;
  test('as the graph says', async () => {
    const image = await imageOf({ prepare: scaled }, undefined);
    assert.equal(image?.name, 'image');
    assertNear(image?.mean ?? [], [127.5, 127.5, 127.5]);
    assertNear(image?.std ?? [], [127.5, 127.5, 127.5]);
  });
  test('as the option says, of a graph that does not', async () => {
    const plain = await imageOf({}, { scale: [0.5, 0.25, 1], offset: -1 });
    assertNear(plain?.mean ?? [], [2, 4, 1]);
    assertNear(plain?.std ?? [], [2, 4, 1]);
    // The graph multiplies by 3 and adds 6: 3 * (pixel - 1) / 2 + 6.
    const behind = await imageOf(
      { prepare: (x) => make('a', 'AddV2', [make('m', 'Mul', [x, number(3)]), number(6)]) },
      { scale: 0.5, offset: -0.5 },
    );
    assertNear(behind?.std ?? [], [2 / 3, 2 / 3, 2 / 3]);
    assertNear(behind?.mean ?? [], [-3, -3, -3]);
  });
  test('as both say, in either way; and not if they differ', async () => {
    for (const input of ['[0,255]', '[-1,1]'])
      assertNear((await imageOf({ prepare: scaled }, input))?.std ?? [], [127.5, 127.5, 127.5]);
    await assert.rejects(imageOf({ prepare: scaled }, '[0,1]'), {
      code: 'INVALID_OPTION',
      message:
        /computes \(pixel - \[127\.5, 127\.5, 127\.5\]\) \/ \[127\.5, 127\.5, 127\.5\], which the option contradicts/,
    });
  });
});

describe('loops', () => {
  let count = 0;
  /**
   * for (i = 0; i < end; i++) [a, b] = [2 * a, b], as functions: a and b.
   * @param {number} end
   */
  const calls =
    (end) =>
    (/** @type {Ref} */ x, y = x) => {
      const attrs = { cond: { func: { name: `cond${end}` } }, body: { func: { name: 'body' } } };
      const loop = make(`loop${count++}`, 'StatelessWhile', [ints([0], []), x, y], attrs);
      return [at(loop, 1), at(loop, 2)];
    };
  /** The same, as TensorFlow 1 has it. @param {number} end */
  const flow =
    (end) =>
    (/** @type {Ref} */ x, y = x) => {
      const name = `loop${count++}`;
      const variable = (/** @type {Ref} */ from) => make('merge', 'Merge', [make('enter', 'Enter', [from])]);
      const variables = [ints([0], []), x, y].map(variable);
      const condition = make('go', 'LoopCond', [
        make('n', 'Less', [variables[0], make('enter', 'Enter', [ints([end], [])])]),
      ]);
      const switches = variables.map((merge) => make(`${name}/switch`, 'Switch', [merge, condition]));
      const [i, a, b] = switches.map((ref) => make('in', 'Identity', [at(ref, 1)]));
      const enter = (/** @type {Ref} */ ref) => make('enter', 'Enter', [ref]);
      const next = [
        make('k', 'AddV2', [i, enter(ints([1], []))]),
        make('r', 'Mul', [a, enter(number(2))]),
        b,
      ];
      variables.forEach(({ node }, v) => node.inputs.push(make('next', 'NextIteration', [next[v]])));
      return switches.slice(1).map((ref) => make('exit', 'Exit', [ref]));
    };

  /** @param {Ref} ref @returns {import('../../../wasm/convert/graph/graph.js').GraphDef} */
  const toGraph = (ref) => {
    const names = new Map([[ref.node, 'found']]);
    for (const node of names.keys())
      for (const { node: input } of node.inputs)
        if (!names.has(input))
          names.set(input, input.op === 'Placeholder' ? 'image' : `${input.name}_${names.size}`);
    const toDef = (/** @type {import('../../../wasm/convert/graph/graph.js').Node} */ node) => ({
      ...{ name: String(names.get(node)), op: node.op, attr: node.attrs, tensor: node.tensor },
      input: node.inputs.map(({ node: input, index }) => `${names.get(input)}:${index}`),
    });
    const constant = (/** @type {string} */ name, /** @type {Ref} */ { node: { tensor } }) => ({
      name,
      op: 'Const',
      tensor,
    });
    const inputArg = ['i', 'a', 'b'].map((name) => ({ name }));
    const conditions = [1, 2].map((end) => ({
      signature: { name: `cond${end}`, inputArg, outputArg: [{ name: 'o' }] },
      nodeDef: [constant('end', ints([end], [])), { name: 'n', op: 'Less', input: ['i', 'end:output:0'] }],
      ret: [{ key: 'o', value: 'n:z:0' }],
    }));
    const body = {
      signature: { name: 'body', inputArg, outputArg: inputArg },
      nodeDef: [
        ...[constant('one', ints([1], [])), constant('two', number(2))],
        { name: 'k', op: 'AddV2', input: ['i', 'one:output:0'] },
        { name: 'r', op: 'Mul', input: ['a', 'two:output:0'] },
      ],
      ret: Object.entries({ i: 'k:z:0', a: 'r:z:0', b: 'b' }).map(([key, value]) => ({ key, value })),
    };
    return { node: Array.from(names.keys(), toDef), library: { function: [...conditions, body] } };
  };
  /** @param {Parameters<typeof detector>[0]} how */
  const planGraph = async (how) => {
    const [{ ref }] = detector(how).outputs;
    const model = readGraphDef(toGraph(ref), { outputs: ['found'] });
    return planDetector(model, simplifyPorts(model.outputs), {});
  };

  for (const [form, loop] of Object.entries({ calls, flow })) {
    test(`between the image and the heads, ${form}: one iteration`, async () => {
      const doubled = (/** @type {number} */ end) => (/** @type {Ref} */ x) => loop(end)(x)[0];
      const { network, proof } = await planGraph({ inside: doubled(1) });
      await prove(network, proof, { onProgress: () => {} });
      await assert.rejects(planGraph({ inside: doubled(2) }), {
        code: 'GRAPH_UNSUPPORTED',
        message: /the loop of '.*' may run more than once, or not at all/,
      });
    });
    test(`before the network and behind its heads, ${form}: any, also if heads pass through`, async () => {
      /** @type {Parameters<typeof detector>[0][]} */
      const cases = [
        { prepare: (x) => loop(2)(x)[0] },
        { convert: (x) => loop(2)(sigmoid(x))[0] },
        { convert: (x) => make('kept', 'AddV2', loop(2)(sigmoid(x), x)) },
      ];
      for (const how of cases) {
        const { network, proof } = await planGraph(how);
        const kinds = network.ops.map(({ kind }) => kind);
        assert.deepEqual(kinds, ['CONV_2D', 'RESHAPE', 'CONV_2D', 'RESHAPE']);
        await prove(network, proof, { onProgress: () => {} });
      }
    });
  }
});

test('what cannot be a file is refused', async () => {
  await assert.rejects(plan({}, { batch: 2 }), {
    code: 'INVALID_OPTION',
    message: /only be converted with batch 1/,
  });
  assert.ok(await plan({}, { batch: 1 }));
  const model = detector();
  const flat = make('image', 'Placeholder', [], { dtype: { type: 1 } });
  const inputs = [{ name: 'other', ref: flat, shape: [1, 4, 6] }];
  await assert.rejects(
    planDetector(
      { ...model, inputs },
      model.outputs.map(({ ref }) => ref),
      {},
    ),
    { code: 'DETECTOR_NOT_UNDERSTOOD', message: /the input 'other' must have 4 dimensions/ },
  );
});
