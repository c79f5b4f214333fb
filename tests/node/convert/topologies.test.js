// How the layers of a Keras model are connected and called: inputs, outputs, arguments of calls, classes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { readFile } from '../../../wasm/quantize/file.js';
import { loadEngine } from '../shared.js';
import { assertNear, noise } from './run_graph.js';

/** @typedef {{class_name: string, name: string, config: object, inbound_nodes: any, module?: string | null}} Layer */

const N = 2;
const SHAPE = [5, 3, 4];

/** @param {string} name @param {number[]} [shape] */
const input = (name, shape = SHAPE) => ({
  ...{ class_name: 'InputLayer', name, inbound_nodes: [] },
  config: { name, batch_input_shape: [N, ...shape] },
});

/**
 * @param {string} name
 * @param {string} kind
 * @param {any} nodes
 * @param {object} [config]
 * @returns {Layer}
 */
const layer = (name, kind, nodes, config = {}) => ({
  ...{ class_name: kind, name, inbound_nodes: nodes },
  config: { name, ...config },
});

/** Keras 2's call on the first outputs of layers. @param {string[]} names @param {object} [named] */
const on = (names, named = {}) => [names.map((name) => [name, 0, 0, named])];

/**
 * @param {object[]} layers
 * @param {any} inputs
 * @param {any} outputs
 * @param {Record<string, number[]>} [weights] of one dimension
 * @param {string} [version] of Keras
 */
function functional(layers, inputs, outputs, weights = {}, version = '2.15.0') {
  const config = { name: 'model', layers, input_layers: inputs, output_layers: outputs };
  const specs = Object.entries(weights).map(([name, values]) => ({
    name,
    shape: [values.length],
    dtype: 'float32',
  }));
  const json = {
    format: 'layers-model',
    modelTopology: { keras_version: version, model_config: { class_name: 'Functional', config } },
    weightsManifest: [{ paths: ['w.bin'], weights: specs }],
  };
  const data = Float32Array.from(Object.values(weights).flat());
  return {
    'model.json': () => new TextEncoder().encode(JSON.stringify(json)),
    'w.bin': () => new Uint8Array(data.buffer),
  };
}

/** Converts and runs; values by the names of inputs and outputs. @param {ReturnType<typeof functional>} source */
async function run(source) {
  const { model } = await convert(source, { batch: N });
  const file = readFile(model);
  const engine = await loadEngine('simd', model);
  const inputs = engine.inputs.map(({ shape }, i) =>
    noise(
      shape.reduce((a, b) => a * b),
      1 + 10 * i,
    ),
  );
  inputs.forEach((values, i) => engine.writeInput(i, Float32Array.from(values)));
  engine.run();
  const outputs = file.outputs.map((_, i) => {
    const { shape, data } = engine.readOutput(i);
    return { shape, data: Array.from(data, Number) };
  });
  const nameOf = (/** @type {number} */ i) => file.tensors[i].name;
  engine.close();
  return { names: file.inputs.map(nameOf), inputs, outputs };
}

/** Whether it is refused, and how. @param {ReturnType<typeof functional>} source @param {RegExp} message */
const refused = (source, message) => assert.rejects(convert(source), { code: 'GRAPH_UNSUPPORTED', message });

const ends = [['x', 0, 0]];

describe('inputs and outputs', () => {
  test('inputs are in the order of the model', async () => {
    const subtract = layer('difference', 'Subtract', on(['b', 'a']));
    const { names, inputs, outputs } = await run(
      functional(
        [input('a'), input('b'), subtract],
        [
          ['a', 0, 0],
          ['b', 0, 0],
        ],
        [['difference', 0, 0]],
      ),
    );
    assert.deepEqual(names, ['a', 'b']);
    assertNear(
      outputs[0].data,
      inputs[0].map((value, i) => inputs[1][i] - value),
    );
  });

  test('dictionaries are in the order of their keys', async () => {
    const layers = [
      input('first'),
      input('second'),
      layer('half', 'Rescaling', on(['first']), { scale: 0.5 }),
      layer('double', 'Rescaling', on(['second']), { scale: 2 }),
    ];
    const { names, inputs, outputs } = await run(
      functional(
        layers,
        { q: ['first', 0, 0], p: ['second', 0, 0] },
        { z: ['double', 0, 0], y: ['half', 0, 0] },
      ),
    );
    assert.deepEqual(names, ['second', 'first']);
    assertNear(
      outputs[0].data,
      inputs[1].map((value) => value / 2),
    );
    assertNear(
      outputs[1].data,
      inputs[0].map((value) => value * 2),
    );
  });

  test('a model in the model takes and gives dictionaries', async () => {
    const inner = {
      ...layer('inner', 'Functional', [{ first: ['x', 0, 0, {}], second: ['scaled', 0, 0, {}] }]),
      config: {
        name: 'inner',
        layers: [input('one'), input('two'), layer('difference', 'Subtract', on(['one', 'two']))],
        input_layers: { second: ['two', 0, 0], first: ['one', 0, 0] },
        output_layers: { only: ['difference', 0, 0] },
      },
    };
    const { inputs, outputs } = await run(
      functional([input('x'), layer('scaled', 'Rescaling', on(['x']), { scale: 3 }), inner], ends, [
        ['inner', 1, 0],
      ]),
    );
    assertNear(
      outputs[0].data,
      inputs[0].map((value) => value - 3 * value),
    );
  });
});

describe('layers that merge inputs with different numbers of axes', () => {
  const [H, W, C] = SHAPE;
  /** @type {[string, (a: number, b: number) => number][]} */
  const cases = [
    ['Add', (a, b) => a + b],
    ['Average', (a, b) => (a + b) / 2],
    ['Maximum', Math.max],
    ['Minimum', Math.min],
    ['Multiply', (a, b) => a * b],
    ['Subtract', (a, b) => a - b],
  ];
  // Keras puts the new axes behind the batch.
  for (const [kind, f] of cases)
    for (const shape of [[C], [W, C]])
      test(`${kind} of [N, ${SHAPE}] and [N, ${shape}]`, async () => {
        const { inputs, outputs } = await run(
          functional(
            [input('a'), input('b', shape), layer('merged', kind, on(['a', 'b']))],
            [
              ['a', 0, 0],
              ['b', 0, 0],
            ],
            [['merged', 0, 0]],
          ),
        );
        assert.deepEqual(outputs[0].shape, [N, H, W, C]);
        const size = inputs[1].length / N;
        const other = (/** @type {number} */ i) => inputs[1][Math.floor(i / (H * W * C)) * size + (i % size)];
        assertNear(
          outputs[0].data,
          inputs[0].map((value, i) => f(value, other(i))),
        );
      });
});

describe('arguments of calls', () => {
  const norm = { 'layer/gamma': [1, 2, 3, 4], 'layer/beta': [0, 1, 0, 1] };
  const statistics = { 'layer/moving_mean': [0, 1, 2, 3], 'layer/moving_variance': [1, 4, 9, 16] };
  /** @param {string} kind @param {object} named @param {object} [config] */
  const called = (kind, named, config) =>
    functional([input('x'), layer('layer', kind, on(['x'], named), config)], ends, [['layer', 0, 0]], {
      ...norm,
      ...statistics,
    });

  test('training=True', async () => {
    await refused(called('BatchNormalization', { training: true }), /training=True.*'layer'/);
    for (const kind of ['Dropout', 'GaussianDropout', 'GaussianNoise', 'SpatialDropout2D'])
      await refused(called(kind, { training: true }, { rate: 0.5 }), /training=True.*'layer'/);
  });
  test('training=True changes nothing where a layer is frozen, and the other values never', async () => {
    const expected = await convert(called('BatchNormalization', {}));
    for (const [named, config] of [
      [{ training: true }, { trainable: false }],
      [{ training: false }, {}],
      [{ training: null }, {}],
    ])
      assert.deepEqual((await convert(called('BatchNormalization', named, config))).model, expected.model);
  });
  test('a call of a model holds for its layers, unless their own calls say something else', async () => {
    const inner = (/** @type {object} */ outerNamed, /** @type {object} */ named) =>
      functional(
        [
          input('x'),
          {
            ...layer('inner', 'Functional', on(['x'], outerNamed)),
            config: {
              name: 'inner',
              layers: [input('i'), layer('layer', 'BatchNormalization', on(['i'], named))],
              input_layers: [['i', 0, 0]],
              output_layers: [['layer', 0, 0]],
            },
          },
        ],
        ends,
        [['inner', 1, 0]],
        { ...norm, ...statistics },
      );
    await refused(inner({ training: true }, {}), /training=True/);
    await convert(inner({ training: true }, { training: false }));
    await convert(inner({ training: false }, {}));
  });
  test('None and False by position', async () => {
    const x = { class_name: '__keras_tensor__', config: { keras_history: ['x', 0, 0] } };
    const source = (/** @type {unknown[]} */ ...rest) =>
      functional(
        [input('x'), layer('layer', 'ReLU', [{ args: [x, ...rest], kwargs: {} }], { dtype: 'float32' })],
        ends,
        [['layer', 0, 0]],
        {},
        '3.5.0',
      );
    for (const rest of [[null], [false], [null, null]])
      assert.deepEqual((await convert(source(...rest))).operators, { RELU: 1 });
    for (const rest of [[true], [0], [null, 2]]) await refused(source(...rest), /'layer' takes a number/);
    await refused(source(null, x), /'layer' takes several arguments/);
  });
  test('a mask, and an array among what is merged', async () => {
    await refused(called('Softmax', { mask: ['x', 0, 0] }), /'mask'/);
    await refused(called('Softmax', { mask: [true, false] }), /'mask'/);
    const array = [
      ['x', 0, 0, {}],
      ['_CONSTANT_VALUE', -1, [[1, 2, 3, 4]], {}],
    ];
    await refused(
      functional([input('x'), layer('sum', 'Add', [array])], ends, [['sum', 0, 0]]),
      /Add at 'sum' takes a number/,
    );
  });
});

describe('classes', () => {
  /** @param {string} kind @param {object} [more] @param {object} [config] */
  const ofClass = (kind, more = {}, config = {}) =>
    functional(
      [
        input('x'),
        { ...layer('layer', kind, on(['x']), config), ...more },
        layer('out', 'ReLU', on(['layer'])),
      ],
      ends,
      [['out', 0, 0]],
    );

  test('layers that change images in training only are left out', async () => {
    for (const change of [
      ...[
        'Brightness',
        'ColorDegeneration',
        'ColorJitter',
        'Contrast',
        'ElasticTransform',
        'Erasing',
        'Flip',
      ],
      ...['GaussianBlur', 'Grayscale', 'Height', 'Hue', 'Invert', 'Perspective', 'Posterization', 'Rotation'],
      ...['Saturation', 'Sharpness', 'Shear', 'Translation', 'Width', 'Zoom'],
    ]) {
      const { operators, notes } = await convert(ofClass(`Random${change}`));
      assert.deepEqual(operators, { RELU: 1 });
      assert.ok(
        notes.some((note) => /left out: layer/.test(note)),
        notes.join(),
      );
    }
  });
  test('those of KerasCV and KerasHub, too', async () => {
    for (const module of [
      'keras_cv.layers',
      'keras_cv.src.layers.preprocessing.random_flip',
      'keras_hub.layers',
    ])
      assert.deepEqual((await convert(ofClass('RandomFlip', { module }))).operators, { RELU: 1 });
    await refused(ofClass('RandomCrop', { module: 'keras_cv.layers' }), /RandomCrop at 'layer'/);
    await refused(ofClass('RandomFlip', { module: 'keras_cvs' }), /RandomFlip at 'layer'/);
  });
  test('other layers whose names begin with Random are refused', async () => {
    for (const kind of ['RandomCrop', 'RandomFourierFeatures', 'RandomThing'])
      await refused(ofClass(kind), new RegExp(`the layer ${kind} at 'layer'.*export\\(\\)`));
  });
  test("a user's class with the name of one of Keras' is refused", async () => {
    for (const module of [null, 'mine.layers'])
      for (const kind of ['RandomFlip', 'ReLU'])
        await refused(ofClass(kind, { module }), new RegExp(`the layer ${kind} at 'layer'`));
    for (const module of [
      ...['keras.layers', 'keras.src.applications.convnext', 'tf_keras.layers'],
      ...['keras_core.layers', 'keras_core.src.layers.activations.relu', undefined],
    ])
      await convert(ofClass('ReLU', { module }));
    for (const module of ['keras_core_mine.layers', 'keras_cv.layers'])
      await refused(ofClass('ReLU', { module }), /the layer ReLU at 'layer'/);
  });
  test('quantized weights are refused', async () => {
    const policy = { class_name: 'QuantizedDTypePolicy', config: { mode: 'int8', source_name: 'float32' } };
    for (const dtype of [policy, 'int8_from_float32'])
      await refused(ofClass('Dense', {}, { dtype }), /Dense at 'layer' has quantized weights/);
  });
});
