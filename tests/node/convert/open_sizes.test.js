// Keras' networks whose image sizes are open: layers that name an axis or merge need the ranks, which are known before `size`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FREE_BATCH as N } from '../../../wasm/convert/graph/batch.js';
import { constant, make } from '../../../wasm/convert/graph/graph.js';
import { convert } from '../../../wasm/convert/node.js';
import { NORMS } from '../../../wasm/convert/source/layer_norms.js';
import { activated, LAYERS } from '../../../wasm/convert/source/layer_rules.js';
import { shapeOf } from '../../../wasm/convert/source/layer_shapes.js';

const dim = [-1, -1, -1, 4].map((size) => ({ size }));
/** @type {Record<string, number[]>} */
const WEIGHTS = { kernel: [3, 3, 4, 4], depthwise_kernel: [3, 3, 4, 1], pointwise_kernel: [1, 1, 4, 4] };
const NEEDED = {
  Permute: { dims: [2, 1, 3] },
  Reshape: { target_shape: [-1, 4] },
  Resizing: { height: 5, width: 6 },
};
/** Shapes of the output; that of the input where nothing is said. @type {Record<string, number[]>} */
const SHAPES = {
  Concatenate: [N, -1, -1, 8],
  Flatten: [N, -1],
  GlobalAveragePooling1D: [N, -1, 4],
  GlobalAveragePooling2D: [N, 4],
  GlobalMaxPooling1D: [N, -1, 4],
  GlobalMaxPooling2D: [N, 4],
  Reshape: [N, -1, 4],
  Resizing: [N, 5, 6, 4],
};

describe('shapes behind each layer', () => {
  for (const [kind, rule] of Object.entries({ ...LAYERS, ...NORMS })) {
    // It splits the picture by its size.
    if (kind === 'GroupNormalization') continue;
    test(kind, () => {
      const x = make('x', 'Placeholder', [], { shape: { shape: { dim } } });
      const weight = (/** @type {string} */ key) => {
        const shape = kind === 'Dense' && key === 'kernel' ? [4, 4] : (WEIGHTS[key] ?? [4]);
        const data = new Float32Array(shape.reduce((a, b) => a * b)).fill(1);
        return constant(key, { dtype: 'float32', shape, data });
      };
      const inputs = /Concat|Add|Sub|Mult|Average$|imum$/.test(kind) ? [x, x] : [x];
      const config = /** @type {Record<string, object>} */ (NEEDED)[kind] ?? {};
      const call = { inputs, operands: [], named: {} };
      const layer = { name: 'layer', config, inputs, weight, call, kerasVersion: 3 };
      assert.deepEqual(shapeOf(activated(rule(layer), layer)), SHAPES[kind] ?? [N, -1, -1, 4]);
    });
  }
});

describe('a size that convert is told gives the network of that size', () => {
  /** @type {[string, any][]} */
  const behind = [
    ['BatchNormalization', { axis: [3] }],
    ['LayerNormalization', { axis: [3] }],
    ['Softmax', { axis: 3 }],
    ['Add', {}],
    ['Average', {}],
    ['Multiply', {}],
    ['Concatenate', { axis: 3 }],
  ];
  /** @param {(number | null)[]} shape @param {string} padding @param {string} kind @param {object} config */
  const network = (shape, padding, kind, config) => {
    const on = (/** @type {string[]} */ ...names) => [names.map((name) => [name, 0, 0, {}])];
    const layers = [
      { class_name: 'InputLayer', name: 'x', inbound_nodes: [], config: { batch_input_shape: shape } },
      {
        ...{ class_name: 'Conv2DTranspose', name: 't', inbound_nodes: on('x') },
        config: { strides: [2, 2], padding, use_bias: false },
      },
      { class_name: 'Rescaling', name: 'half', inbound_nodes: on('t'), config: { scale: 0.5 } },
      {
        ...{ class_name: kind, name: 'y', config },
        inbound_nodes: /Norm|Soft/.test(kind) ? on('t') : on('t', 'half'),
      },
    ].map((layer) => ({ ...layer, config: { name: layer.name, ...layer.config } }));
    const model = { name: 'm', layers, input_layers: [['x', 0, 0]], output_layers: [['y', 0, 0]] };
    const weights = [
      { name: 't/kernel', shape: [3, 3, 4, 3] },
      ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map((key) => ({ name: `y/${key}`, shape: [4] })),
    ].map((weight) => ({ ...weight, dtype: 'float32' }));
    const json = {
      format: 'layers-model',
      modelTopology: {
        keras_version: '2.15.0',
        model_config: { class_name: 'Functional', config: model },
      },
      weightsManifest: [{ paths: ['w.bin'], weights }],
    };
    const data = Float32Array.from({ length: 124 }, (_, i) => 0.3 + (i % 7) / 10);
    return {
      'model.json': () => new TextEncoder().encode(JSON.stringify(json)),
      'w.bin': () => new Uint8Array(data.buffer),
    };
  };
  for (const padding of ['same', 'valid'])
    for (const [kind, config] of behind)
      test(`${padding} Conv2DTranspose, ${kind} ${JSON.stringify(config)}`, async () => {
        const open = await convert(network([null, null, null, 3], padding, kind, config), {
          size: [6, 8],
          batch: 1,
        });
        const fixed = await convert(network([null, 6, 8, 3], padding, kind, config), { batch: 1 });

        assert.deepEqual(open.model, fixed.model);
      });
});
