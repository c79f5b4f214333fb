// The exports of the module as they are, without the classes that call them in the right order: ends of indices, what a stop frees,
// how large memory is that is handed over, and what is measured by a clock that the test moves.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import '../../../wasm/platform/node.js';
import { Bridge } from '../../../wasm/engine/bridge.js';
import { host } from '../../../wasm/engine/host.js';
import { Heads } from '../../../wasm/engine/heads.js';
import { instantiate } from '../../../wasm/engine/instance.js';
import { readMetadata } from '../../../wasm/engine/metadata.js';
import { Builder, table } from '../../../wasm/tflite/flatbuffer.js';
import { appendLabels, writeMetadata } from '../../../wasm/tflite/metadata.js';
import { tinyDetector } from '../../fuzz/tiny_models.js';
import { withEngine } from '../open_engines.js';

/** @type {import('../../../wasm/engine/types.js').SsdAnchorGenerator} */
const SSD = {
  type: 'ssd',
  minScale: 0.2,
  maxScale: 0.9,
  aspectRatios: [1, 2],
  numLayers: 1,
  featureMaps: [[20, 30]],
};
/** @type {import('../../../wasm/engine/types.js').MultiscaleAnchorGenerator} */
const MULTISCALE = {
  type: 'multiscale',
  minLevel: 3,
  maxLevel: 4,
  anchorScale: 4,
  aspectRatios: [1, 2],
  scalesPerOctave: 2,
};

async function start() {
  const { exports, memory } = await instantiate(await host().loadModule('simd'));
  const bridge = new Bridge(exports, memory);
  const before = bridge.memoryUse.liveBytes;
  bridge.call(() => exports.ocl_start(1, 0, 0));
  return { exports, bridge, before };
}

/** Leaves ones in memory that is free, for what reads it before it writes. @param {Awaited<ReturnType<typeof start>>} module */
function soil({ exports, bridge }) {
  const sizes = Array.from({ length: 64 }, (_, i) => 16 * (i + 1));
  const addresses = sizes.map((size) => exports.ocl_alloc(size));
  addresses.forEach((address, i) => bridge.memory.write(address, new Uint8Array(sizes[i]).fill(255)));
  for (const address of addresses) exports.ocl_free(address);
}

for (const name of ['input', 'output', 'step'])
  test(`an ${name} is one of those that are there`, async () => {
    const { exports, bridge } = await start();
    const [at, count] = [exports[`ocl_${name}`], exports[`ocl_${name}_count`]];
    const out = exports.ocl_alloc(4096);
    const refuses = (/** @type {number} */ i) =>
      assert.throws(() => bridge.call(() => at(i, out)), { code: 'INVALID_ARGUMENT' }, `${i} of ${count()}`);
    assert.equal(count(), 0);
    for (const i of [-1, 0, 1]) refuses(i);
    const model = tinyDetector();
    bridge.memory.write(exports.ocl_model_reserve(model.length), model);
    for (const step of [() => exports.ocl_model_open(0), () => exports.ocl_model_build(1)]) bridge.call(step);
    assert.ok(count() > 0);
    for (const i of [-1, count(), count() + 1]) refuses(i);
    for (const i of [0, count() - 1]) bridge.call(() => at(i, out));
  });

test('a stop frees all, and another one nothing', async () => {
  const { exports, bridge, before } = await start();
  const liveBytes = () => bridge.memoryUse.liveBytes;
  const started = liveBytes();
  const pixels = exports.ocl_image_reserve(1000);
  const withPixels = liveBytes();
  assert.ok(before < started && started + 1000 < withPixels);
  assert.equal(exports.ocl_image_reserve(1000), pixels, 'frames of one size use the same memory');
  assert.equal(liveBytes(), withPixels);
  exports.ocl_image_reserve(3000);
  assert.equal(Math.round((liveBytes() - withPixels) / 1000), 2);
  const other = exports.ocl_alloc(3001); // of the size that a second free() would free
  exports.ocl_stop();
  const held = exports.ocl_alloc(3001);
  const kept = liveBytes();
  exports.ocl_stop();
  assert.equal(liveBytes(), kept);
  for (const address of [other, held]) exports.ocl_free(address);
  assert.equal(liveBytes(), before);
  bridge.call(() => exports.ocl_start(1, 0, 0));
  assert.equal(liveBytes(), started);
  exports.ocl_image_reserve(3000); // as many bytes as before, but not those
  assert.ok(liveBytes() > started + 3000);
});

describe('the metadata of a model', () => {
  /** Fields of ModelMetadata in its schema. @type {Record<string, number>} */
  const FIELDS = { name: 0, description: 1, version: 2, author: 4, license: 5 };
  /** @param {Record<string, string>} texts */
  function describedBy(texts) {
    const builder = new Builder(256);
    const fields = Object.entries(texts).map(([name, value]) => [
      ...['ref', FIELDS[name], builder.createString(value)],
    ]);
    builder.finish(table(builder, /** @type {any} */ (fields)), 'M001');
    return builder.asUint8Array();
  }
  const all = Object.fromEntries(Object.keys(FIELDS).map((name) => [name, `the ${name}`]));
  const image = { name: 'image', mean: [1, 2, 3], std: [4, 5, 6] };
  const full = writeMetadata({ name: 'a', description: 'b', image, outputs: [] });
  const anchors = Float32Array.of(0.5, 0.25, 0.125, 1, 2, 3, 4, 5);
  const scales = { boxCoder: [1, 2, 3, 4], numClasses: 3 };
  const detectors = [true, false].map((isSigmoid) => ({ anchors, ...scales, isSigmoid }));
  /** @type {[string, Uint8Array | undefined, object][]} */
  const models = [
    ...Object.entries(all).map(
      ([name, text]) =>
        /** @type {[string, Uint8Array, object]} */ ([name, describedBy({ [name]: text }), { [name]: text }]),
    ),
    ['all texts', describedBy(all), all],
    ['an input', full, { name: 'a', description: 'b', normalization: { mean: [1, 2, 3], std: [4, 5, 6] } }],
    ...detectors.map(
      (detector) =>
        /** @type {[string, Uint8Array, object]} */ ([
          `a detector, sigmoid: ${detector.isSigmoid}`,
          writeMetadata({ name: 'a', description: 'b', outputs: [], detector }),
          { name: 'a', description: 'b', detector: { ...detector, boxSizes: 'exponential' } },
        ]),
    ),
    [
      'the converter’s own',
      writeMetadata({ name: 'a', description: 'b', outputs: [], own: { ssd: 1 } }),
      { name: 'a', description: 'b', own: '{"ssd":1}' },
    ],
    ['a text', describedBy({ version: '7' }), { version: '7' }],
    ['nothing', undefined, {}],
  ];

  test('is its own, whatever was opened before', async () => {
    const module = await start();
    const { exports, bridge } = module;
    for (const [name, metadata, expected] of models) {
      const model = tinyDetector(metadata);
      bridge.memory.write(exports.ocl_model_reserve(model.length), model);
      bridge.call(() => exports.ocl_model_open(0));
      soil(module);
      assert.deepEqual(readMetadata(bridge), expected, name);
      bridge.call(() => exports.ocl_model_close());
    }
    exports.ocl_stop();
  });
});

test('memory that is handed over is as large as what is in it', async () => {
  const { exports, memory } = await instantiate(await host().loadModule('simd'));
  const liveBytes = () => exports.ocl_live_bytes();
  /** @type {number[]} */ let freed = [];
  const ocl_free = (/** @type {number} */ address) => {
    const before = liveBytes();
    exports.ocl_free(address);
    return freed.push(before - liveBytes());
  };
  const bridge = new Bridge({ ...exports, ocl_free }, memory);
  bridge.call(() => exports.ocl_start(1, 0, 0));
  const image = { width: 320, height: 256 };
  const heads = new Heads(bridge);
  const [anchors, labels] = [Float32Array.from({ length: 4000 }, (_, i) => i), Array(999).fill('label')];
  const detector = { anchors, boxCoder: [1, 1, 1, 1], numClasses: 3, isSigmoid: false };
  const outputs = [{ name: 'score', role: /** @type {const} */ ('score'), labels }];
  const metadata = writeMetadata({ name: '', description: '', outputs, detector });
  const model = appendLabels(tinyDetector(metadata), labels);
  bridge.memory.write(exports.ocl_model_reserve(model.length), model);
  bridge.call(() => exports.ocl_model_open(0));
  /** @type {[string, () => number][]} what frees it, and returns its bytes */
  const cases = [
    ['SSD anchors', () => heads.generateAnchors(SSD, image).byteLength],
    ['multiscale anchors', () => heads.generateAnchors(MULTISCALE, image).byteLength],
    ['anchors of a file', () => readMetadata(bridge).detector?.anchors.byteLength ?? 0],
    ['labels', () => readMetadata(bridge).labels?.length ?? 0],
  ];
  for (const [name, use] of cases) {
    freed = [];
    const bytes = use();
    assert.ok(bytes > 4000, name);
    // An allocator adds some bytes.
    assert.ok(
      freed.some((size) => size >= bytes && size < bytes + 32),
      `${name}: ${bytes}, but ${freed}`,
    );
  }
  exports.ocl_stop();
});

describe('measured', () => {
  /** A clock that shows these times, one after the other, and then the last one. @param {number[]} times */
  const show = (times) => {
    const rest = [...times];
    return () => (rest.length > 1 ? rest.shift() : rest[0]);
  };
  /** Multiply-adds of one try: 4 lanes, 12 chains, 400 000 rounds. */
  const PRODUCTS = 4 * 12 * 400_000;

  test('the peak is that of the fastest of five tries', (t) =>
    withEngine((engine) => {
      const tries = [5, 4, 3, 8, 9].flatMap((ms, i) => [100 * i, 100 * i + ms]);
      for (const [precision, products] of /** @type {['float' | 'int8', number][]} */ ([
        ['float', 1],
        ['int8', 2],
      ])) {
        for (const [times, ms] of /** @type {[number[], number][]} */ ([
          [tries, 3],
          [[0, 9, 0, 9, 0, 9, 0, 9, 0, 2], 2],
          [[0, 9, 0, 9, 0, 9, 0, 9, 0, 9, 0, 1], 9],
        ])) {
          const { mock } = t.mock.method(performance, 'now', show(times));
          assert.equal(engine.measurePeak(precision), (PRODUCTS * products) / ms / 1e6);
          mock.restore();
        }
        const { mock } = t.mock.method(performance, 'now', () => 7);
        assert.equal(engine.measurePeak(precision), 0, 'the clock stands still');
        mock.restore();
      }
    }));

  test('the kernels take what the clock says, which goes on meanwhile', (t) =>
    withEngine((engine) => {
      for (const time of engine.timeProducts()) assert.ok(time > 0);
      t.mock.method(performance, 'now', show([10, 13, 20, 27]));
      assert.deepEqual(engine.timeProducts(), [3, 7]);
    }));
});
