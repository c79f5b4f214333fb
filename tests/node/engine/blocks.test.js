// Blocks that run band by band against the same convolutions one after the other, and against XNNPACK's kernels: bit for bit.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Engine } from '../../../wasm/engine/engine.js';
import { loadModel, maxDifference, variants } from '../shared.js';
import { BLOCKS, layersOf } from './blocks.js';
import { buildChain, makeNumbers, toInt8 } from './convolution.js';

/** @param {Engine} engine @param {Uint8Array} model @param {Float32Array | Int8Array} input */
async function runModel(engine, model, input) {
  await loadModel(engine, model);
  engine.writeInput(0, input);
  engine.run();
  const first = engine.readOutput(engine.outputs.length - 1).data;
  engine.run(true);
  assert.deepEqual(engine.readOutput(engine.outputs.length - 1).data, first, 'a second run');
  return first;
}

/** @param {Engine} engine */
const arenaBytes = (engine) => engine.network.arenaBytes;

for (const variant of variants) {
  describe(`blocks, ${variant}`, async () => {
    const open = (/** @type {object} */ options) => Engine.create({ variant, threads: 1, ...options });
    const [one, theirs] = [await open({}), await open({ baseline: true })];
    const others = await Promise.all(
      [2, 3].map((threads) => open({ variant: `${variant}-threads`, threads })),
    );
    after(() => [one, theirs, ...others].forEach((engine) => engine.close()));

    for (const block of BLOCKS)
      test(JSON.stringify(block), async () => {
        const layers = layersOf(block);
        const floats = [false, true].map((isSplit) => buildChain(layers, { isSplit }).model);
        const input = makeNumbers(layers[0].size[0] * layers[0].size[1] * layers[0].channels);
        const bytes = Int8Array.from(input, (value) => value * 32);
        const forms = /** @type {const} */ ([
          [floats, input],
          [floats.map((model) => toInt8(model).int8), bytes],
        ]);
        for (const [[whole, split], given] of forms) {
          const expected = await runModel(theirs, whole, given);
          const largest =
            layers[1].size[0] * layers[1].size[1] * layers[1].channels * given.BYTES_PER_ELEMENT;
          assert.deepEqual(await runModel(one, split, given), expected, 'one after the other');
          assert.ok(arenaBytes(one) > largest);
          assert.deepEqual(await runModel(one, whole, given), expected, 'one thread');
          assert.ok(arenaBytes(one) < largest, 'the first feature map is never there as a whole');
          assert.equal(one.operators.filter(({ ms }) => ms > 0).length, 3);
          for (const engine of others)
            assert.deepEqual(await runModel(engine, whole, given), expected, 'several threads');
        }
      });

    for (const isCut of [false, true])
      test(`features from within a block, ${isCut ? 'the end of the network' : 'beside its outputs'}`, async () => {
        const layers = layersOf(BLOCKS[0]);
        const [whole, split] = [false, true].map((isSplit) => buildChain(layers, { isSplit }).model);
        const input = makeNumbers(layers[0].size[0] * layers[0].size[1] * layers[0].channels);
        const expected = await runModel(theirs, whole, input);
        await runModel(one, split, input);
        const map = /** @type {Float32Array} */ (one.readOutput(1).data);
        const { channels } = layers[2];
        const means = Float64Array.from({ length: channels }, (_, c) => {
          let sum = 0;
          for (let i = c; i < map.length; i += channels) sum += map[i];
          return (sum * channels) / map.length;
        });
        await loadModel(one, whole);
        one.features.use(1, isCut);
        one.writeInput(0, input);
        one.run();
        assert.ok(maxDifference(one.features.read(1), means) < 1e-4);
        if (!isCut) assert.deepEqual(one.readOutput(0).data, expected);
      });
  });
}
