// Readers of sources at their limits: the files of a folder, the weights of TensorFlow.js and of Keras, the options of a
// conversion, and what each refusal says.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { make } from '../../../wasm/convert/graph/graph.js';
import { sliceRanges } from '../../../wasm/convert/graph/ranges.js';
import { checkOptions } from '../../../wasm/convert/options.js';
import { Files, openSource } from '../../../wasm/convert/source/files.js';
import { Hdf5 } from '../../../wasm/convert/source/hdf5.js';
import { readLayersModel } from '../../../wasm/convert/source/layers.js';
import { legacyWeights, namedWeights, numberedWeights } from '../../../wasm/convert/source/layer_weights.js';
import { readModel } from '../../../wasm/convert/source/read.js';
import { readModelJson, readWeights, isWebModel } from '../../../wasm/convert/source/tfjs.js';
import { dtypeOf } from '../../../wasm/tflite/tensor.js';
import { graphModel } from './graph_model.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const encoder = new TextEncoder();
const filesOf = (/** @type {Record<string, Uint8Array>} */ files) =>
  new Files(new Map(Object.entries(files)));

describe('files', () => {
  const files = filesOf({
    'a/b/model.json': Uint8Array.of(1),
    'a/model.json': Uint8Array.of(2),
    'xmodel.json': Uint8Array.of(3),
    'a/w': Uint8Array.of(4),
  });
  test('the folder nearest to the root', async () => {
    const found = files.findDirectoryOf('model.json');
    assert.deepEqual(found?.names.toSorted(), ['b/model.json', 'model.json', 'w']);
    assert.deepEqual([found?.has('w'), found?.has('a/w')], [true, false]);
    assert.deepEqual(await found?.read('w'), Uint8Array.of(4));
    assert.equal(files.findDirectoryOf('w2'), undefined);
    assert.deepEqual(files.directory('a/b/').names, ['model.json']);
  });
  test('a file that is not there is named from the root', () =>
    assert.rejects(files.directory('a/').read('none'), { code: 'SOURCE_INCOMPLETE', message: /'a\/none'/ }));
  test('no files', () =>
    assert.rejects(openSource({}), { code: 'SOURCE_UNKNOWN', message: /it has no files/ }));
});

describe('what is in a folder', () => {
  /** @type {[string[], RegExp][]} */
  const cases = [
    [['m/data.pkl'], /it is a PyTorch model; expected/],
    [['data.pkl'], /it is a PyTorch model/],
    [['adata.pkl'], /the source is not|expected a SavedModel/],
    [['m.onnx'], /it has an ONNX model/],
    [['m.pt'], /it has a PyTorch model/],
    [['m.pth'], /it has a PyTorch model/],
    [['m.tflite'], /it has a \.tflite file, which needs no conversion/],
    [['x.weights.h5x', 'checkpoint'], /it has weights without their network/],
    [['x.ckpt.index'], /it has weights without their network/],
  ];
  for (const [names, message] of cases)
    test(names.join(), () =>
      assert.rejects(
        readModel(filesOf(Object.fromEntries(names.map((name) => [name, new Uint8Array(9)]))), {}),
        { code: 'SOURCE_UNKNOWN', message },
      ),
    );
  /** @type {[string, (string | number)[], string, RegExp][]} */
  const singles = [
    ['a pickle of version 2', [0x80, 2], 'SOURCE_UNKNOWN', /pickle/],
    ['a pickle of version 5', [0x80, 5], 'SOURCE_UNKNOWN', /pickle/],
    ['a saved model alone', [8, 1, 0x12], 'SOURCE_INCOMPLETE', /a saved_model\.pb needs the other files/],
    ['a saved model of seven', [8, 7, 0x13, ...'xpytorch'], 'SOURCE_INCOMPLETE', /saved_model\.pb/],
    ['ONNX by its name', [8, 7, 18, 4, ...'onnx'], 'SOURCE_UNKNOWN', /an ONNX model/],
    ['JSON behind spaces', [...'  {}'], 'SOURCE_UNKNOWN', /a JSON file alone/],
    ['JSON in lines', [...'{\n  "café": ['], 'SOURCE_UNKNOWN', /a JSON file alone/],
  ];
  for (const [name, start, code, message] of singles)
    test(name, () => {
      const bytes = new Uint8Array(64).fill(32);
      bytes.set(start.map((byte) => (typeof byte === 'string' ? byte.charCodeAt(0) : byte)));
      return assert.rejects(readModel(bytes, {}), { code, message });
    });
  test('pickles of other versions are none', async () => {
    for (const version of [1, 6]) {
      const bytes = new Uint8Array(64).fill(32);
      bytes.set([0x80, version]);
      await assert.rejects(
        readModel(bytes, {}),
        (/** @type {Error} */ error) => !error.message.includes('pickle'),
      );
    }
  });
  test('the first JSON file that is a model, where it lies', async () => {
    const source = graphModel(
      [1, 2, 2, 1],
      [{ name: 'y', op: 'Neg', input: ['x'], attr: { T: { type: 'DT_FLOAT' } } }],
      {},
      ['y'],
    );
    const { 'model.json': json, 'weights.bin': weights } = source;
    const named = {
      'b.json': encoder.encode('{"modelTopology": 1}'),
      'deep/net.json': json(),
      'deep/weights.bin': weights(),
    };
    const { inputs, files } = await readModel(filesOf(named), {});
    assert.equal(inputs[0].name, 'x');
    assert.deepEqual(files?.names.toSorted(), ['net.json', 'weights.bin']);
  });
});

describe("TensorFlow.js' weights", () => {
  const bytes = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  /** @param {object} spec @param {Uint8Array} [data] */
  const read = async (spec, data = bytes) => {
    const groups = [{ paths: ['w'], weights: [{ name: 'a', dtype: 'float32', shape: [4], ...spec }] }];
    return (await readWeights(filesOf({ w: data }), /** @type {any} */ (groups))).get('a');
  };
  test('shapes at their limits', async () => {
    assert.deepEqual((await read({ shape: new Array(32).fill(1) }))?.shape.length, 32);
    assert.deepEqual([...((await read({ shape: undefined }))?.data ?? [])], [1]);
    assert.deepEqual([...((await read({ shape: [0] }))?.data ?? [9])], []);
    for (const shape of [new Array(33).fill(1), [-1], [0.5], [2 ** 31], 4, ['1']])
      await assert.rejects(read({ shape }), {
        code: 'SOURCE_DAMAGED',
        message: /the weight 'a' has no shape/,
      });
  });
  test('types, and how they are stored', async () => {
    await assert.rejects(read({ dtype: 'complex64' }), {
      code: 'SOURCE_DAMAGED',
      message: /has type complex64 and shape \[4\]/,
    });
    await assert.rejects(read({ quantization: { dtype: 'int4' } }), { code: 'SOURCE_DAMAGED' });
    await assert.rejects(read({ shape: [2 ** 30, 2 ** 30] }), {
      code: 'SOURCE_DAMAGED',
      message: /has type float32/,
    });
    assert.deepEqual(
      [...((await read({ dtype: 'bool', shape: [3] }, Uint8Array.of(1, 0, 1)))?.data ?? [])],
      [1, 0, 1],
    );
    const quantized = await read(
      { quantization: { dtype: 'uint8', min: -1, scale: 0.5 } },
      Uint8Array.of(0, 1, 2, 6),
    );
    assert.deepEqual([...(quantized?.data ?? [])], [-1, -0.5, 0, 2]);
    const plain = await read(
      { quantization: { dtype: 'uint16' } },
      new Uint8Array(Uint16Array.of(0, 1, 2, 300).buffer),
    );
    assert.deepEqual([...(plain?.data ?? [])], [0, 1, 2, 300]);
    const whole = await read(
      { dtype: 'int32', quantization: { dtype: 'uint8', min: -3.4, scale: 1.5 } },
      Uint8Array.of(0, 1, 2, 3),
    );
    assert.deepEqual([whole?.data instanceof Int32Array, ...(whole?.data ?? [])], [true, -3, -2, 0, 1]);
    const half = await read(
      { quantization: { dtype: 'float16' }, shape: [2] },
      new Uint8Array(Uint16Array.of(0x3c00, 0xc000).buffer),
    );
    assert.deepEqual([...(half?.data ?? [])], [1, -2]);
  });
  test('too few bytes, and one byte', async () => {
    await assert.rejects(read({}, bytes.subarray(0, 15)), {
      code: 'SOURCE_INCOMPLETE',
      message: /too short for 'a'/,
    });
    assert.ok(await read({}, bytes));
    await assert.rejects(read({ dtype: 'string', shape: [17] }), {
      code: 'SOURCE_INCOMPLETE',
      message: /too short for 'a'/,
    });
  });
  test('weights behind strings, and in several files', async () => {
    const text = [...[2, 0, 0, 0], ...encoder.encode('hi'), ...[0, 0, 0, 0]];
    const groups = [
      {
        paths: ['one', 'two'],
        weights: [
          { name: 't', dtype: 'string', shape: [2] },
          { name: 'a', dtype: 'float32', shape: [2] },
        ],
      },
      { paths: ['three'], weights: [{ name: 'b', dtype: 'float32', shape: [] }] },
    ];
    const floats = new Uint8Array(Float32Array.of(5, 6).buffer);
    const files = filesOf({ one: Uint8Array.of(...text, floats[0]), two: floats.subarray(1), three: bytes });
    const weights = await readWeights(files, /** @type {any} */ (groups));
    assert.deepEqual(
      [weights.get('t')?.dtype, [...(weights.get('a')?.data ?? [])], [...(weights.get('b')?.data ?? [])]],
      ['string', [5, 6], [1]],
    );
  });
  test('groups', async () => {
    const files = filesOf({ w: bytes });
    for (const group of [
      { weights: [] },
      { paths: [] },
      { paths: 'w', weights: [] },
      { paths: [], weights: {} },
    ])
      await assert.rejects(readWeights(files, /** @type {any} */ ([group])), {
        code: 'SOURCE_DAMAGED',
        message: /no lists of paths and weights/,
      });
    await assert.rejects(readWeights(files, [{ paths: ['w', 'w'], weights: [] }]), {
      code: 'SOURCE_DAMAGED',
      message: /names a weight file twice/,
    });
  });
  test('what a model.json is', async () => {
    const json = (/** @type {unknown} */ value) =>
      encoder.encode(typeof value === 'string' ? value : JSON.stringify(value));
    /** @type {[unknown, boolean, RegExp?][]} */
    const cases = [
      [{ modelTopology: {}, weightsManifest: [] }, true],
      [{ modelTopology: null, weightsManifest: [] }, false, /not a TensorFlow\.js model/],
      [{ modelTopology: {}, weightsManifest: {} }, false, /not a TensorFlow\.js model/],
      [{ weightsManifest: [] }, false, /not a TensorFlow\.js model/],
      [null, false, /not a TensorFlow\.js model/],
      ['{', false, /model\.json/],
    ];
    for (const [value, isModel, message] of cases) {
      assert.equal(isWebModel(json(value)), isModel);
      const reads = readModelJson(filesOf({ 'model.json': json(value) }), 'model.json');
      if (message) await assert.rejects(reads, { message });
      else assert.deepEqual(await reads, value);
    }
  });
  test('a batch norm of TensorFlow.js is never in training', async () => {
    const vector = (/** @type {number[]} */ values) => ({ shape: [values.length], values });
    const node = {
      name: 'y',
      op: 'FusedBatchNormV3',
      input: ['x', 'g', 'b', 'm', 'v'],
      attr: { T: { type: 'DT_FLOAT' }, is_training: { b: true } },
    };
    const source = graphModel(
      [1, 2, 2, 1],
      [node],
      { g: vector([1]), b: vector([0]), m: vector([0]), v: vector([1]) },
      ['y'],
    );
    const { operators } = await convert(source);
    assert.deepEqual(operators, { MUL: 1, ADD: 1 });
  });
});

describe("Keras' weights by name", () => {
  const tensor = (/** @type {number} */ value) => ({
    dtype: /** @type {const} */ ('float32'),
    shape: [],
    data: Float32Array.of(value),
  });
  /** @param {string[]} names numbered from 0 */
  const hdf5 = (names) =>
    /** @type {import('../../../wasm/convert/source/hdf5.js').Hdf5} */ (
      /** @type {unknown} */ ({
        names,
        read: (/** @type {string} */ name) =>
          names.includes(name) ? tensor(names.indexOf(name)) : undefined,
      })
    );
  const spec = (/** @type {string} */ name, kind = 'Dense', config = {}) => ({
    class_name: kind,
    name,
    config: { name, ...config },
  });
  const valueOf = (/** @type {{data: ArrayLike<number>} | undefined} */ found) => found?.data[0];

  test('a list: the whole name, the path, the path without its first part, the ending', () => {
    const list = (/** @type {string[]} */ ...names) => new Map(names.map((name, i) => [name, tensor(i)]));
    assert.equal(valueOf(namedWeights(list('b/kernel', 'a/kernel')).weight(spec('a'), 'kernel')), 1);
    assert.equal(valueOf(namedWeights(list('m/a/kernel')).inner(spec('m')).weight(spec('a'), 'kernel')), 0);
    assert.equal(
      valueOf(
        namedWeights(list('x/a/kernel', 'n/a/kernel'))
          .inner(spec('m'))
          .inner(spec('n'))
          .weight(spec('a'), 'kernel'),
      ),
      1,
    );
    assert.equal(valueOf(namedWeights(list('far/away/a/kernel')).weight(spec('a'), 'kernel')), 0);
    assert.equal(namedWeights(list('ba/kernel', 'a/bias')).weight(spec('a'), 'kernel'), undefined);
  });
  test("Keras 2's .h5", () => {
    const found = (
      /** @type {string[]} */ names,
      /** @type {string} */ key,
      /** @type {string[]} */ ...models
    ) => {
      const scope = models.reduce((outer, name) => outer.inner(spec(name)), legacyWeights(hdf5(names)));
      return valueOf(scope.weight(spec('a'), key));
    };
    assert.equal(found(['model_weights/b/b/kernel:0', 'model_weights/a/a/kernel:0'], 'kernel'), 1);
    assert.equal(found(['a/a/kernel:0'], 'kernel'), 0);
    assert.equal(found(['model_weights/a/other/kernel:0'], 'kernel'), 0);
    assert.equal(found(['model_weights/a/xkernel:0'], 'kernel'), undefined);
    assert.equal(found(['model_weights/a/vars/kernel_3'], 'kernel'), 0);
    assert.equal(found(['model_weights/a/other/kernel:0', 'model_weights/a/a/kernel:0'], 'kernel'), 1);
    // Inside a model, the name of the layer is needed: another layer of the model may have a weight of that name.
    assert.equal(found(['model_weights/m/b/kernel:0', 'model_weights/m/a/kernel:0'], 'kernel', 'm'), 1);
    assert.equal(found(['model_weights/m/b/kernel:0'], 'kernel', 'm'), undefined);
    assert.equal(
      found(['model_weights/m/a/kernel:0', 'model_weights/m/m/n/a/kernel:0'], 'kernel', 'm', 'n'),
      1,
    );
  });
  test('the .h5 in a .keras file', () => {
    const layers = [
      spec('first', 'Conv2D'),
      spec('second', 'Conv2D'),
      spec('norm', 'BatchNormalization'),
      spec('deep', 'DepthwiseConv2D'),
      spec('own', 'my>MyPReLU2D'),
    ];
    const read = (/** @type {string[]} */ names, /** @type {number} */ layer, /** @type {string} */ key) =>
      valueOf(numberedWeights(hdf5(names), layers).weight(layers[layer], key));
    assert.equal(read(['layers/conv2d/vars/0'], 0, 'kernel'), 0);
    assert.equal(read(['layers/conv2d/vars/0', 'layers/conv2d_1/vars/1'], 1, 'bias'), 1);
    assert.equal(read(['_layer_checkpoint_dependencies/conv2d_1/vars/0'], 1, 'kernel'), 0);
    assert.equal(read(['layers/second/vars/0'], 1, 'kernel'), 0);
    assert.equal(read(['layers/conv2d/vars/1'], 0, 'kernel'), undefined);
    const norm = [0, 1, 2, 3].map((i) => `layers/batch_normalization/vars/${i}`);
    assert.deepEqual(
      ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((key) => read(norm, 2, key)),
      [0, 1, 2, 3],
    );
    assert.equal(read(['layers/depthwise_conv2d/vars/0'], 3, 'depthwise_kernel'), 0);
    assert.equal(read(['layers/my_my_p_re_lu2d/vars/0'], 4, 'kernel'), 0);
  });
  test('variables in the order in which Keras makes them', () => {
    const order = (
      /** @type {string} */ kind,
      /** @type {object} */ config,
      /** @type {string[]} */ ...keys
    ) => {
      const layer = spec('a', kind, config);
      const scope = numberedWeights(hdf5([0, 1, 2, 3].map((i) => `layers/a/vars/${i}`)), [layer]);
      return keys.map((key) => valueOf(scope.weight(layer, key)));
    };
    assert.deepEqual(
      order('BatchNormalization', { scale: false }, 'beta', 'moving_mean', 'moving_variance', 'gamma'),
      [0, 1, 2, undefined],
    );
    assert.deepEqual(order('BatchNormalization', { center: false }, 'gamma', 'moving_mean', 'beta'), [
      0,
      1,
      undefined,
    ]);
    assert.deepEqual(order('LayerNormalization', {}, 'gamma', 'beta'), [0, 1]);
    assert.deepEqual(order('GroupNormalization', {}, 'gamma', 'beta'), [0, 1]);
    assert.deepEqual(order('Normalization', {}, 'mean', 'variance'), [0, 1]);
    assert.deepEqual(order('SeparableConv2D', {}, 'depthwise_kernel', 'pointwise_kernel', 'bias'), [0, 1, 2]);
    assert.deepEqual(order('PReLU', {}, 'alpha'), [0]);
    assert.deepEqual(order('LayerScale', {}, 'gamma'), [0]);
  });
  test('models in models', () => {
    const inner = spec('inner', 'Functional', { layers: [spec('a')] });
    const found = (/** @type {string[]} */ names) =>
      valueOf(numberedWeights(hdf5(names), [inner]).inner(inner).weight(spec('a'), 'kernel'));
    assert.equal(found(['layers/functional/layers/dense/vars/0']), 0);
    assert.equal(found(['_layer_checkpoint_dependencies/inner/layers/dense/vars/0']), 0);
    assert.equal(found(['layers/dense/vars/0']), undefined);
  });
});

test("TensorFlow.js' names of dtypes", async () => {
  const names = {
    ...{ DT_FLOAT: 'float32', DT_DOUBLE: 'float64', DT_HALF: 'float16', DT_BFLOAT16: 'bfloat16' },
    ...{ DT_INT8: 'int8', DT_INT16: 'int16', DT_INT32: 'int32', DT_INT64: 'int64', DT_UINT8: 'uint8' },
    ...{ DT_UINT16: 'uint16', DT_BOOL: 'bool', DT_STRING: 'string', DT_RESOURCE: 'resource' },
    DT_VARIANT: 'variant',
  };
  for (const [type, dtype] of Object.entries(names)) {
    const node = { name: 'y', op: 'Cast', input: ['x'], attr: { DstT: { type } } };
    const { outputs } = await readModel(await openSource(graphModel([1, 2], [node], {}, ['y'])), {});
    assert.equal(dtypeOf(any(outputs[0].ref.node.attrs.get('DstT')).type), dtype, type);
  }
});

describe('a frozen graph that begins like JSON, with a node of 123 bytes', () => {
  /** @param {number} tag @param {Uint8Array | string} content */
  const field = (tag, content) => {
    const bytes = typeof content === 'string' ? encoder.encode(content) : content;
    return Uint8Array.of((tag << 3) | 2, bytes.length, ...bytes);
  };
  const concat = (/** @type {Uint8Array[]} */ ...parts) =>
    Uint8Array.from(parts.flatMap((part) => [...part]));
  // Names of 34 and 125 letters would look like the quotation mark or the bracket that JSON may have next.
  for (const length of [10, 34, 100])
    test(`and a name of ${length} letters`, async () => {
      const name = 'x'.repeat(length);
      const start = concat(field(1, name), field(2, 'Placeholder'));
      const first = concat(start, field(3, '^'.padEnd(123 - start.length - 2, 'x')));
      assert.equal(first.length, 123);
      const last = concat(field(1, 'y'), field(2, 'Relu'), field(3, name));
      const { outputs } = await readModel(concat(field(1, first), field(1, last)), {});
      assert.deepEqual(
        outputs.map((output) => output.name),
        ['y'],
      );
    });
  test('a file of a bracket, blanks and a control character takes no longer than others', () =>
    assert.rejects(readModel(Uint8Array.of(0x7b, ...Array(100).fill(32), 1), {}), { code: /^SOURCE_/ }));
});

describe('JSON files of a folder', () => {
  const json = (/** @type {unknown} */ value) => encoder.encode(JSON.stringify(value));
  const keras = json({ class_name: 'Sequential', config: {} });
  const web = (/** @type {string} */ output) => {
    const nodes = [{ name: output, op: 'Softmax', input: ['x'], attr: { T: { type: 'DT_FLOAT' } } }];
    const source = graphModel([1, 3], nodes, {}, [output]);
    return { json: source['model.json'](), 'weights.bin': source['weights.bin']() };
  };
  const frozen = Uint8Array.of(
    ...[0x0a, 16, 0x0a, 1, ...encoder.encode('x'), 0x12, 11, ...encoder.encode('Placeholder')],
    ...[0x0a, 12, 0x0a, 1, ...encoder.encode('y'), 0x12, 4, ...encoder.encode('Relu'), 0x1a, 1],
    ...encoder.encode('x'),
  );
  const outputsOf = async (/** @type {Record<string, Uint8Array>} */ files) => {
    const { outputs } = await readModel(filesOf(files), {});
    return outputs.map(({ name }) => name);
  };
  test("Keras' model.json hides no other model", async () => {
    assert.deepEqual(await outputsOf({ 'model.json': keras, 'frozen.pb': frozen }), ['y']);
    assert.deepEqual(await outputsOf({ 'other.json': keras, 'frozen.pb': frozen }), ['y']);
    const { json: model, ...weights } = web('out');
    assert.deepEqual(await outputsOf({ 'model.json': keras, 'web.json': model, ...weights }), ['out']);
    const inside = { 'model.json': keras, 'a/model.json': model, 'a/weights.bin': weights['weights.bin'] };
    assert.deepEqual(await outputsOf(inside), ['out']);
  });
  test('model.json goes before others, and the one nearest to the root first', async () => {
    const [a, b, c] = [web('a'), web('b'), web('c')];
    const weights = { 'weights.bin': a['weights.bin'], 'deep/weights.bin': a['weights.bin'] };
    const files = { 'other.json': a.json, 'deep/model.json': b.json, ...weights };
    assert.deepEqual(await outputsOf(files), ['b']);
    assert.deepEqual(await outputsOf({ ...files, 'model.json': c.json }), ['c']);
  });
  test('what is wrong with model.json is told', async () => {
    await assert.rejects(outputsOf({ 'model.json': keras }), {
      code: 'SOURCE_UNKNOWN',
      message: /model\.json is not a TensorFlow\.js model/,
    });
    const { json: model, ...weights } = web('out');
    await assert.rejects(outputsOf({ 'model.json': model.subarray(0, 50), ...weights }), {
      code: 'SOURCE_DAMAGED',
      message: /model\.json/,
    });
  });
});

describe('the groups of an HDF5 file', () => {
  const group = (/** @type {Record<string, any>} */ entries) => ({
    keys: Object.keys(entries),
    get: (/** @type {string} */ key) => entries[key],
  });
  const dataset = {};
  const namesOf = (/** @type {object} */ root) => new Hdf5(new Uint8Array(0), any(root)).names;
  const nested = (/** @type {number} */ depth, /** @type {(inner: object) => object} */ wrap, inner = {}) =>
    Array.from({ length: depth }).reduce((/** @type {object} */ last) => wrap(last), inner);
  const damaged = (/** @type {RegExp} */ message) => ({ code: 'SOURCE_DAMAGED', message });

  test('paths of datasets, without links that lead nowhere', () =>
    assert.deepEqual(namesOf(group({ a: group({ b: dataset, none: null, empty: group({}) }), c: dataset })), [
      ...['a/b', 'c'],
    ]));

  test('as deep as is allowed, and deeper', () => {
    const deep = (/** @type {number} */ depth) => nested(depth, (a) => group({ a }), group({ x: dataset }));
    assert.deepEqual(namesOf(deep(64)), [`${'a/'.repeat(64)}x`]);
    assert.throws(() => namesOf(deep(65)), damaged(/nested too deeply/));
  });

  test('what its reader throws is told once', () => {
    const broken = (/** @type {unknown} */ error) => ({
      keys: ['a'],
      get() {
        throw error;
      },
    });
    for (const error of ['no such link', new TypeError('no such link')])
      assert.throws(() => namesOf(broken(error)), damaged(/the HDF5 file: no such link$/));
    const own = Object.assign(new Error('ours'), { code: 'OURS' });
    assert.throws(() => namesOf(broken(own)), own);
  });

  test('as many as are allowed, and more', () => {
    const wide = (/** @type {number} */ count) =>
      group(Object.fromEntries(Array.from({ length: count }, (_, i) => [`d${i}`, dataset])));
    assert.equal(namesOf(wide(1e5)).length, 1e5);
    assert.throws(() => namesOf(wide(1e5 + 1)), damaged(/more than 100000 groups/));
    assert.equal(namesOf(group({ a: wide(1e5 - 1) })).length, 1e5 - 1);
    assert.throws(() => namesOf(group({ a: wide(1e5) })), damaged(/more than 100000 groups/));
  });

  test('that share their parts are not walked through 2^50 times', () =>
    assert.throws(
      () => namesOf(nested(50, (each) => group({ a: each, b: each }), group({}))),
      damaged(/more than 100000 groups/),
    ));
});

test('inputs of layers: each size that is not known is -1', () => {
  for (const key of ['batch_input_shape', 'batch_shape']) {
    const input = { class_name: 'InputLayer', config: { name: 'x', [key]: [null, null, 5] } };
    const layers = [input, { class_name: 'ReLU', config: { name: 'y' } }];
    const topology = any({ class_name: 'Sequential', config: { name: 'm', layers } });
    const { inputs } = readLayersModel(topology, any({}), 2, {});
    assert.deepEqual(
      inputs.map(({ name, shape, ref }) => [name, shape, ref.node.attrs.get('shape')]),
      [['x', [-1, -1, 5], { shape: { dim: [{ size: -1 }, { size: -1 }, { size: 5 }] } }]],
    );
  }
});

describe('ranges of slices', () => {
  const node = (/** @type {Record<string, number>} */ masks) =>
    make(
      'y',
      'StridedSlice',
      [],
      Object.fromEntries(Object.entries(masks).map(([key, i]) => [`${key}_mask`, { i }])),
    ).node;
  /** @param {number} size @param {[number, number, number]} range @param {Record<string, number>} [masks] */
  const one = (size, [begin, end, by], masks = {}) =>
    sliceRanges(node(masks), [size], [[begin], [end], [by]])[0];
  /** @type {[string, ReturnType<typeof one>, [number, number, number, string]][]} */
  const cases = [
    ['a known size', one(5, [1, 4, 2]), [1, 2, 2, 'keep']],
    ['from the end', one(5, [-3, -1, 1]), [2, 1, 2, 'keep']],
    ['beyond both ends', one(5, [-9, 9, 1]), [0, 1, 5, 'keep']],
    ['backwards', one(5, [4, -9, -1]), [4, -1, 5, 'keep']],
    ['backwards from beyond', one(5, [9, 1, -2]), [4, -2, 2, 'keep']],
    ['nothing', one(5, [4, 1, 1]), [4, 1, 0, 'keep']],
    ['backwards, all', one(5, [0, 0, -1], { begin: 1, end: 1 }), [4, -1, 5, 'keep']],
    ['one of them', one(5, [-2, 0, 1], { shrink_axis: 1 }), [3, 1, 1, 'shrink']],
    ['a free size, all', one(-7, [0, 0, 1], { begin: 1, end: 1 }), [0, 1, -7, 'keep']],
    ['a free size, every second', one(-7, [0, 0, 2], { begin: 1, end: 1 }), [0, 2, -1, 'keep']],
    ['a free size, the first ones', one(-7, [1, 6, 2]), [1, 2, 3, 'keep']],
    ['a free size, from one on', one(-7, [1, 0, 1], { end: 1 }), [1, 1, -1, 'keep']],
    ['a free size, up to one', one(-7, [0, 3, 1], { begin: 1 }), [0, 1, -1, 'keep']],
    ['a free size, the last ones', one(-7, [-2, 6, 1]), [-2, 1, -1, 'keep']],
    ['a free size, without the last', one(-7, [0, -1, 1]), [0, 1, -1, 'keep']],
    ['a free size, from 0 to 0', one(-7, [0, 0, 1]), [0, 1, 0, 'keep']],
  ];
  for (const [name, { start, step, count, kind }, expected] of cases)
    test(name, () => assert.deepEqual([start, step, count, kind], expected));
});

describe('options of a conversion', () => {
  test('are taken at their limits', () => {
    for (const options of [
      {},
      { batch: 1 },
      { batch: 4096 },
      { batch: 'dynamic' },
      { size: [1, 4096] },
      { weights: 'hybrid' },
      { classes: ['a'] },
      { outputs: ['a'] },
      { keepBatchNorm: true },
    ])
      assert.ok(checkOptions(/** @type {any} */ (options)));
    assert.deepEqual(
      [checkOptions({}).weights, checkOptions({}).verify, checkOptions({ verify: false }).verify],
      ['fp32', true, false],
    );
  });
  /** @type {[any, RegExp][]} */
  const refused = [
    [null, /must be an object/],
    [[], /must be an object/],
    ['x', /must be an object/],
    [{ wieghts: 1 }, /there is no option 'wieghts'/],
    [{ weights: 'fp8' }, /weights must be one of fp32, fp16, int8, hybrid/],
    ...[0, 4097, 1.5, '1', null].map(
      (batch) =>
        /** @type {[any, RegExp]} */ ([{ batch }, /batch must be 'dynamic' or an integer from 1 to 4096/]),
    ),
    ...[[0, 1], [1, 4097], [1], [1, 1, 1], [1.5, 1], 4, '4x4'].map(
      (size) => /** @type {[any, RegExp]} */ ([{ size }, /size must be height and width/]),
    ),
    ...[[], 'a', [1]].map(
      (outputs) => /** @type {[any, RegExp]} */ ([{ outputs }, /outputs must be a non-empty array of names/]),
    ),
    ...[[], 'a'].map(
      (classes) => /** @type {[any, RegExp]} */ ([{ classes }, /classes must be a non-empty array/]),
    ),
    [{ keepBatchNorm: 1 }, /keepBatchNorm must be true or false/],
    [{ verify: 'no' }, /verify must be true or false/],
    [{ signature: 7 }, /signature/],
    ...[5, null, 'x'].map(
      (onProgress) => /** @type {[any, RegExp]} */ ([{ onProgress }, /onProgress must be a function/]),
    ),
    ...[{}, null, 1].map(
      (signal) => /** @type {[any, RegExp]} */ ([{ signal }, /signal must be an AbortSignal/]),
    ),
  ];
  for (const [options, message] of refused)
    test(`${JSON.stringify(options)} is refused`, () =>
      assert.throws(() => checkOptions(options), { code: 'INVALID_OPTION', message }));
});

describe('a conversion', () => {
  const source = graphModel(
    [-1, 2, 2, 3],
    [{ name: 'y', op: 'Softmax', input: ['x'], attr: { T: { type: 'DT_FLOAT' } } }],
    {},
    ['y'],
  );
  test('tells its stages in order', async () => {
    /** @type {string[]} */
    const stages = [];
    await convert(source, { onProgress: ({ stage, done }) => done === undefined && stages.push(stage) });
    assert.deepEqual(stages, ['unpack', 'read', 'simplify', 'write', 'verify']);
    stages.length = 0;
    await convert(source, { verify: false, onProgress: ({ stage }) => stages.push(stage) });
    assert.deepEqual(stages, ['unpack', 'read', 'simplify', 'write']);
  });
  test('ends by its signal at each stage', async () => {
    for (const last of ['unpack', 'read', 'simplify', 'write', 'verify']) {
      const controller = new AbortController();
      const onProgress = (/** @type {{stage: string}} */ { stage }) => {
        if (stage === last) controller.abort(new Error(`at ${last}`));
      };
      await assert.rejects(convert(source, { onProgress, signal: controller.signal }), {
        message: `at ${last}`,
      });
    }
    await assert.rejects(convert(source, { signal: AbortSignal.abort(new Error('before')) }), {
      message: 'before',
    });
  });
  test('passes on what the functions of the caller throw', async () => {
    for (const error of [new TypeError('mine'), new RangeError('mine'), 'mine', undefined]) {
      const isSame = (/** @type {unknown} */ thrown) => thrown === error;
      for (const last of ['unpack', 'read', 'simplify', 'write', 'verify']) {
        const onProgress = (/** @type {{stage: string}} */ { stage }) => {
          if (stage === last) throw error;
        };
        await assert.rejects(convert(source, { onProgress }), isSame);
      }
      const onProgress = (/** @type {{done?: number}} */ { done }) => {
        if (done !== undefined) throw error;
      };
      await assert.rejects(convert(source, { onProgress }), isSame);
      await assert.rejects(convert({ ...source, 'weights.bin': () => Promise.reject(error) }), isSame);
      await assert.rejects(
        convert(() => {
          throw error;
        }),
        isSame,
      );
    }
  });
  test('counts the operators, and chooses classes in detectors only', async () => {
    const { operators, kind } = await convert(source);
    assert.deepEqual([operators, kind], [{ SOFTMAX: 1 }, 'network']);
    await assert.rejects(convert(source, { classes: ['a'] }), {
      code: 'INVALID_OPTION',
      message: /detectors only/,
    });
  });
});
