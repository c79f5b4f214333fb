// Saved states and rows that are crafted: a named refusal, soon and in little memory.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { readSafetensors, writeSafetensors } from '../../../wasm/tflite/safetensors.js';
import { TransferLearner } from '../../../wasm/train/node.js';

const learner = await TransferLearner.create();
learner.addFeatures(
  Float32Array.from({ length: 40 }, (_, i) => (i * 7) % 5),
  Array.from('abababab'.slice(0, 8)),
);
const controller = new AbortController();
await learner
  .fit({
    epochs: 5,
    batchSize: 2,
    callbacks: { onEpoch: () => controller.abort() },
    signal: controller.signal,
  })
  .catch(() => {});
const saved = learner.save();
learner.close();
const { tensors, metadata } = readSafetensors(saved);
const state = JSON.parse(metadata.state);

/** @param {(state: any) => void} change */
function changed(change) {
  const copy = structuredClone(state);
  change(copy);
  return writeSafetensors(tensors, { ...metadata, state: JSON.stringify(copy) });
}

/** @param {object} header @param {Uint8Array} [data] */
function rawFile(header, data = new Uint8Array(0)) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

test('the state itself is sound', async () => {
  const loaded = await TransferLearner.load(saved);
  assert.deepEqual(loaded.labels, ['a', 'b']);
  loaded.close();
});

describe('a crafted state', () => {
  const object = { toString: 0 };
  /** @type {Record<string, (state: any) => void>} */
  const CASES = {
    'layers: [null]': (s) => (s.network.layers = [null]),
    'a layer of null before the last': (s) => s.network.layers.unshift(null),
    'a layer of an unknown kind': (s) => (s.network.layers[0].kind = 'toString'),
    'a layer of an object kind': (s) => (s.network.layers[0].kind = object),
    'more channels than memory': (s) => (s.network.layers[0].channels = 2 ** 40),
    'input: objects': (s) => (s.network.input = [object, object, object]),
    'input: huge': (s) => (s.network.input = [60000, 60000, 60000]),
    'layers: a kind that its weights are not of': (s) => (s.network.layers[0].kind = 'conv3'),
    'layers: a function that is none': (s) => (s.network.layers[0].activation = 'constructor'),
    'layers: a factor of no gate': (s) => (s.network.layers[0].factor = 1e300),
    'layers: a gate of no map': (s) =>
      s.network.layers.unshift({ kind: 'gate', channels: s.network.input[2] }),
    'network: null': (s) => (s.network = null),
    'labels: null': (s) => (s.labels = null),
    'labels: objects': (s) => (s.labels = [object, object]),
    'labels: a line end': (s) => (s.labels = ['a\n', 'b']),
    'plan: a text': (s) => (s.plan = 'x'),
    'plan: epochs of an object': (s) => (s.plan.epochs = object),
    'plan: optimizer null': (s) => (s.plan.optimizer = null),
    'plan: optimizer of an object': (s) => (s.plan.optimizer.type = object),
    'plan: batchSize': (s) => (s.plan.batchSize = 1e9),
    'plan: classWeight': (s) => (s.plan.classWeight = [1]),
    'progress: a list': (s) => (s.progress = []),
    'progress: no sums': (s) => delete s.progress.sums,
    'progress: epoch of an object': (s) => (s.progress.epoch = object),
    'progress: history of null': (s) => (s.progress.history = null),
    'progress: history of texts': (s) => (s.progress.history.loss = ['x']),
    'progress: best': (s) => (s.progress.best = { value: 'x' }),
    'examples: negative': (s) => (s.examples = -1),
    'step: a fraction': (s) => (s.step = 0.5),
  };
  for (const [name, change] of Object.entries(CASES)) {
    test(name, async () => {
      const load = TransferLearner.load(changed(change));
      await assert.rejects(load, (/** @type {any} */ error) => {
        assert.equal(error.name, 'OcelliError', error.stack);
        assert.ok(['STATE_CORRUPT', 'INVALID_LABEL'].includes(error.code), error.code);
        return true;
      });
    });
  }

  test('layers: as version 0.1.0 saved them', async () => {
    const [old, named] = await Promise.all(
      [{ relu6: true }, { activation: 'relu6' }].map((layer) =>
        TransferLearner.load(changed((s) => Object.assign(s.network.layers[0], layer))),
      ),
    );
    assert.deepEqual(old.save(), named.save());
    for (const each of [old, named]) each.close();
  });

  test('tensors: object dtypes, and the same bytes many times', async () => {
    for (const dtype of [object, 'toString', '__proto__', ['F32'], null])
      await assert.rejects(
        TransferLearner.load(rawFile({ x: { dtype, shape: [0], data_offsets: [0, 0] } })),
        {
          code: 'STATE_CORRUPT',
        },
      );
    const data = new Uint8Array(4 << 20);
    const entry = { dtype: 'F32', shape: [1 << 20], data_offsets: [0, 4 << 20] };
    const many = rawFile(Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`t${i}`, entry])), data);
    const before = process.memoryUsage().arrayBuffers;
    await assert.rejects(TransferLearner.load(many), { code: 'STATE_CORRUPT' });
    assert.ok(process.memoryUsage().arrayBuffers - before < 64 << 20);
  });
});

describe('rows', () => {
  test('300 000 at once', async () => {
    const rows = 300_000;
    const many = await TransferLearner.create();
    many.addFeatures(
      new Float32Array(rows),
      Array.from({ length: rows }, (_, i) => (i % 2 ? 'a' : 'b')),
    );
    assert.equal(many.examples.count, rows);
    many.close();
  });

  test('that need more weights than there is memory', async () => {
    const labels = Array.from({ length: 60_000 }, (_, i) => `class ${i}`);
    const many = await TransferLearner.create({ labels });
    const features = new Float32Array(60_000 * 4);
    many.addFeatures(features, labels);
    many.close();
    const wide = await TransferLearner.create();
    wide.addFeatures(new Float32Array(2 * 4_000_000), ['a', 'b']);
    await assert.rejects(wide.fit({ batchSize: 65_536 }), { name: 'OcelliError' });
    wide.close();
  });

  test('of too many classes', async () => {
    const rows = 100_000;
    const many = await TransferLearner.create();
    const labels = Array.from({ length: rows }, (_, i) => `class ${i}`);
    assert.throws(() => many.addFeatures(new Float32Array(rows), labels), { code: 'INVALID_LABEL' });
    await assert.rejects(TransferLearner.create({ labels }), { code: 'INVALID_LABEL' });
    many.close();
  });
});

test('shapes of weights', async () => {
  for (const [dtype, shape] of [
    ['float32', [-1, -4]],
    ['float32', [2 ** 40, 0]],
    ['float32', 'abcd'],
    ['float32', Array(1e5).fill(1)],
    ['string', [1e9]],
  ]) {
    const json = {
      ...{ format: 'graph-model', modelTopology: { node: [] } },
      weightsManifest: [{ paths: ['a.bin'], weights: [{ name: 'w', dtype, shape }] }],
    };
    const files = {
      'model.json': new TextEncoder().encode(JSON.stringify(json)),
      'a.bin': new Uint8Array(64),
    };
    await assert.rejects(convert(files), (/** @type {any} */ error) => {
      assert.ok(['SOURCE_DAMAGED', 'SOURCE_INCOMPLETE'].includes(error.code), error.stack);
      assert.match(error.message, /weight/);
      return true;
    });
  }
});

test('a weight file that is named again and again', async () => {
  const json = {
    ...{ format: 'graph-model', modelTopology: { node: [] } },
    weightsManifest: [{ paths: Array(5000).fill('a.bin'), weights: [] }],
  };
  const files = {
    'model.json': new TextEncoder().encode(JSON.stringify(json)),
    'a.bin': new Uint8Array(4 << 20),
  };
  await assert.rejects(convert(files), { code: 'SOURCE_DAMAGED', message: /twice/ });
});
