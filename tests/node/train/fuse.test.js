// Joined maps of a detector's training: their values and standards against formulas, the exported file, saved states.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSafetensors, writeSafetensors } from '../../../wasm/tflite/safetensors.js';
import { fuseMaps } from '../../../wasm/train/detect/fuse.js';
import { openDetector, openExtractor } from '../../../wasm/train/detect/model.js';
import { foldStandard, measureStandard, standardizer } from '../../../wasm/train/detect/standard.js';
import { DetectorLearner } from '../../../wasm/train/node.js';
import { halfToNumber, toHalves } from '../../../wasm/tflite/tensor.js';
import { uniforms } from '../../../wasm/train/random.js';
import { readFile } from '../../../wasm/quantize/file.js';
import { maxDifference, runModel } from '../shared.js';
import { brightBoxes, SIDE, SOFTMAX_OPTIONS, tinyDetector } from './tiny_detector.js';

const [{ image }] = brightBoxes(['cat']);
const OPTIONS = { deterministic: true, worker: false, model: tinyDetector(), fuseMaps: true };
const FIT = {
  ...{ epochs: 60, batchSize: 4, views: 4, validationSplit: 0.25 },
  optimizer: /** @type {const} */ ({ type: 'adam', learningRate: 0.03 }),
};

/** @param {string} code @param {RegExp} [message] */
const error = (code, message = /./) => ({ name: 'OcelliError', code, message });

/** A map's pixels scaled to length 1. @param {Float32Array} map @param {number} channels */
function unit(map, channels) {
  return map.map((value, i) => {
    const pixel = map.subarray(i - (i % channels), i - (i % channels) + channels);
    return (
      value /
      Math.sqrt(
        Math.max(
          pixel.reduce((sum, x) => sum + x * x, 0),
          1e-6,
        ),
      )
    );
  });
}

/** Means of 3x3 pixels with stride 2, SAME: of those inside. @param {Float32Array} map @param {number} side even @param {number} channels */
function halve(map, side, channels) {
  const half = side / 2;
  return Float32Array.from({ length: half * half * channels }, (_, i) => {
    const [y, x] = [Math.floor(i / channels / half), Math.floor(i / channels) % half];
    const inside = [0, 1, 2]
      .flatMap((dy) => [0, 1, 2].map((dx) => [2 * y + dy, 2 * x + dx]))
      .filter((at) => Math.max(...at) < side)
      .map(([row, column]) => map[(row * side + column) * channels + (i % channels)]);
    return inside.reduce((a, b) => a + b, 0) / inside.length;
  });
}

/** @param {boolean} fuses @param {Uint8Array} [model] */
async function mapsOf(fuses, model = OPTIONS.model) {
  const file = await openDetector(model, {}, () => fuses);
  return { file, data: await valuesOf(file, file.unfrozen.inputs) };
}

/** @param {import('../../../wasm/train/detect/model.js').DetectorFile} file @param {import('../../../wasm/tflite/network.js').Value[]} inputs */
async function valuesOf(file, inputs) {
  const extractor = await openExtractor(
    { ...file, unfrozen: { tail: [], inputs } },
    { deterministic: true, worker: false },
  );
  const { data } = await extractor.extractBatch([image]);
  extractor.close();
  return data;
}

/** Maps of one size, pixel by pixel. @param {[map: Float32Array, channels: number][]} maps */
function join(maps) {
  const pixels = maps[0][0].length / maps[0][1];
  return Array.from({ length: pixels }, (_, i) =>
    maps.flatMap(([map, channels]) => [...map.subarray(i * channels, (i + 1) * channels)]),
  ).flat();
}

describe('joined maps', () => {
  test('are the map and the means of the finer one, of length 1 at each pixel', async () => {
    const plain = (await mapsOf(false)).data;
    const { file, data } = await mapsOf(true);
    const [fine, coarse] = [plain.subarray(0, 8 * 8 * 4), plain.subarray(8 * 8 * 4)];
    const means = halve(unit(fine, 4), 8, 4);
    const joined = join([[unit(coarse, 4), 4], [means, 4]]); // prettier-ignore
    const shapes = file.unfrozen.inputs.map(({ shape }) => shape.slice(1));
    assert.deepEqual(shapes, [[8, 8, 4], [8, 8, 4], [4, 4, 4], [4, 4, 8]]); // prettier-ignore
    const expected = Float32Array.from([...fine, ...unit(fine, 4), ...coarse, ...joined]);
    assert.equal(data.length, expected.length);
    assert.ok(maxDifference(data, expected) < 1e-5);
    assert.ok(maxDifference(unit(fine, 4), fine) > 0.1);
  });

  test("have the first values of the first map's size and of twice its size", async () => {
    const model = tinyDetector({ stem: true });
    const { file, data } = await mapsOf(true, model);
    const shapes = file.unfrozen.inputs.map(({ shape }) => shape.slice(1));
    assert.deepEqual(shapes, [[8, 8, 4], [8, 8, 9], [4, 4, 4], [4, 4, 13]]); // prettier-ignore
    const [twice, same, first, second] = await Promise.all(
      ['stem0', 'stem1', 'map0', 'map1'].map((name) => {
        const op = file.found.network.ops.find(({ output }) => output.name === name);
        return valuesOf(file, [/** @type {import('../../../wasm/tflite/network.js').Op} */ (op).output]);
      }),
    );
    const early = [unit(same, 3), unit(halve(twice, 16, 2), 2)];
    const expected = Float32Array.from([
      ...first,
      ...join([[unit(first, 4), 4], [early[0], 3], [early[1], 2]]),
      ...second,
      ...join([[unit(second, 4), 4], [halve(unit(first, 4), 8, 4), 4], [halve(early[0], 8, 3), 3], [halve(early[1], 8, 2), 2]]),
    ]); // prettier-ignore
    assert.equal(data.length, expected.length);
    assert.ok(maxDifference(data, expected) < 1e-5);
  });

  test('of a map that is not half of the one before are the map alone', async () => {
    const { found } = await openDetector(OPTIONS.model, {});
    const heads = [found.heads[1], found.heads[0], found.heads[1]];
    const fused = fuseMaps({ ...found, heads });
    assert.deepEqual(
      fused.found.heads.map(({ scores: [{ inputs }] }) => inputs[0].shape.slice(1)),
      [[4, 4, 8], [8, 8, 4], [4, 4, 8]], // prettier-ignore
    );
  });
});

describe('a standard', async () => {
  const { file } = await mapsOf(true);
  const { inputs } = file.unfrozen;
  const lengths = inputs.map(({ shape }) => shape[1] * shape[2] * shape[3]);
  const total = lengths.reduce((a, b) => a + b);
  const random = uniforms(4);
  const rows = Array.from({ length: 8 }, () =>
    toHalves(Float32Array.from({ length: total }, (_, i) => (i % 4) * random())),
  );
  const rowOf = async (/** @type {number} */ i) => ({ maps: rows[i], targets: [] });

  test('is the mean, and what gives pixels of length 24 by the deviation, over the views', async () => {
    const { mean, inverse } = await measureStandard(file, Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7), 4, rowOf);
    const first = lengths[0];
    for (const channel of [0, 1, 2, 3]) {
      const values = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((row) =>
        Array.from(rows[row].subarray(first, first + lengths[1]), halfToNumber).filter(
          (_, i) => i % 4 === channel,
        ),
      );
      const average = values.reduce((a, b) => a + b) / values.length;
      assert.ok(Math.abs(mean[4 + channel] - average) < 1e-6);
      const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - average) ** 2, 0) / values.length);
      // A twentieth of the mean deviation, of which this map's are c / sqrt(12) for c from 0 to 3.
      const floor = 24 / Math.sqrt(4) / inverse[4 + channel] - deviation;
      assert.ok(Math.abs(floor - (0.05 * 1.5) / Math.sqrt(12)) < 1e-3, `${floor}`);
    }
    assert.deepEqual([...mean.subarray(0, 4), ...inverse.subarray(0, 4)], [0, 0, 0, 0, 1, 1, 1, 1]);
  });

  test('is measured on 100 views, but on three of each photo at least', async () => {
    for (const [photos, measured] of [
      [1, 20],
      [10, 10],
      [30, 4],
      [50, 3],
    ]) {
      /** @type {number[]} */
      const read = [];
      const train = Uint32Array.from({ length: 20 * photos }, (_, i) => i);
      await measureStandard(file, train, 20, async (i) => (read.push(i), rowOf(i % 8)));
      const expected = [...train].filter((i) => i % 20 < measured);
      assert.deepEqual(read, expected);
    }
  });

  test('that is folded into weights computes from the map what these did from the standardized one', async () => {
    const standard = await measureStandard(file, Uint32Array.of(0, 1), 2, rowOf);
    const row = rows[7].slice();
    standardizer(file, standard)(row);
    assert.deepEqual(row.subarray(0, lengths[0]), rows[7].subarray(0, lengths[0]));
    const trained = {
      kernel: Float32Array.from({ length: 8 * 3 }, random),
      bias: Float32Array.from({ length: 3 }, random),
    };
    const folded = foldStandard(trained, inputs[3], inputs, standard);
    const start = lengths[0] + lengths[1] + lengths[2];
    const product = (/** @type {Uint16Array} */ maps, /** @type {typeof trained} */ { kernel, bias }) =>
      Array.from({ length: 16 * 3 }, (_, i) => {
        const [pixel, column] = [Math.floor(i / 3), i % 3];
        let sum = bias[column];
        for (let c = 0; c < 8; c++) sum += halfToNumber(maps[start + pixel * 8 + c]) * kernel[c * 3 + column];
        return sum;
      });
    assert.ok(maxDifference(product(rows[7], folded), product(row, trained)) < 0.01);
    assert.ok(maxDifference(product(rows[7], trained), product(row, trained)) > 0.1);
  });
});

/** @param {object} [options] */
async function makeLearner(options) {
  const learner = await DetectorLearner.create({ ...OPTIONS, ...options });
  await addAll(learner);
  return learner;
}

/** @param {DetectorLearner} learner */
async function addAll(learner) {
  for (const photo of brightBoxes(Array(8).fill('bright')))
    await learner.addExample(photo.image, photo.boxes);
}

describe('classes of the model that are kept beside joined maps', () => {
  const NAMES = ['cat', 'dog', 'cow'];
  const KEPT = { keepClasses: true };
  const INPUT = Float32Array.from({ length: SIDE * SIDE * 3 }, uniforms(3));

  /** @param {Uint8Array} model @param {string[]} labels @param {object} [options] */
  async function teach(model, labels, options) {
    const learner = await DetectorLearner.create({ ...OPTIONS, model, ...options });
    for (const photo of brightBoxes(labels)) await learner.addExample(photo.image, photo.boxes);
    await learner.fit({ ...FIT, epochs: 3, trainBoxes: false });
    const [file, state, { labels: names, heads }] = [learner.export(), learner.save(), learner];
    learner.close();
    return { file, names, heads, state };
  }

  /**
   * The raw boxes, and the raw scores of each class.
   * @param {Uint8Array} file
   * @param {readonly string[]} names
   * @returns {Promise<Record<string, any>>}
   */
  async function outputsOf(file, names) {
    const [boxes, { data }] = await runModel(file, INPUT);
    const column = (/** @type {number} */ at) => data.filter((_, i) => i % names.length === at);
    return { boxes: boxes.data, ...Object.fromEntries(names.map((name, i) => [name, column(i)])) };
  }

  for (const how of /** @type {Parameters<typeof tinyDetector>[0][]} */ ([
    { heads: 'plain' },
    { heads: 'plain', hasBias: false, stem: true },
    { heads: 'separable' },
    { heads: 'shared' },
  ]))
    test(`stay to the bit, and new ones are as without them: ${JSON.stringify(how)}`, async () => {
      const model = tinyDetector({ names: NAMES, ...how });
      const labels = ['dog', 'new', 'dog', 'new'];
      const [alone, { file, names, heads, state }] = [
        await teach(model, labels),
        await teach(model, labels, KEPT),
      ];
      assert.deepEqual(alone.heads, { areFused: true, isSoftmax: false, keepsClasses: false });
      assert.deepEqual(heads, { areFused: true, isSoftmax: false, keepsClasses: true });
      assert.deepEqual(names, [...NAMES, 'new']);
      const [before, without, now] = await Promise.all([
        outputsOf(model, NAMES),
        outputsOf(alone.file, alone.names),
        outputsOf(file, names),
      ]);
      for (const same of ['boxes', 'cat', 'cow']) assert.deepEqual(now[same], before[same], same);
      for (const learnt of ['dog', 'new'])
        assert.ok(maxDifference(now[learnt], without[learnt]) < 1e-5, learnt);
      assert.ok(maxDifference(now.dog, before.dog) > 0.1);
      const loaded = await DetectorLearner.load(state, { model, worker: false });
      assert.deepEqual(loaded.export(), file);
      loaded.close();
    });

  for (const begins of [{}, KEPT])
    for (const how of /** @type {Parameters<typeof tinyDetector>[0][]} */ ([
      { heads: 'plain', stem: true },
      { heads: 'plain', maps: 1 },
      { heads: 'separable', stem: true },
      { heads: 'separable', maps: 1 },
      { heads: 'shared' },
    ]))
      test(`are kept again by the next training of the same maps: ${JSON.stringify([begins, how])}`, async () => {
        const model = tinyDetector(how);
        const mapsIn = async (/** @type {Uint8Array} */ file) => {
          const { file: opened } = await mapsOf(true, file);
          return valuesOf(opened, [...opened.fused]);
        };
        const first = await teach(model, ['one', 'one'], begins);
        const kept = await teach(first.file, ['two', 'two'], KEPT);
        const third = await teach(kept.file, ['three', 'three'], KEPT);
        const own = await teach(third.file, ['four', 'four'], { ...KEPT, fuseMaps: false });
        const last = await teach(own.file, ['five', 'five'], KEPT);
        const all = [first, kept, third, own, last];
        const maps = await mapsIn(model);
        for (const { file } of all) assert.ok(maxDifference(await mapsIn(file), maps) < 1e-6);
        const old = begins === KEPT ? ['cat', 'dog'] : [];
        assert.deepEqual(last.names, [...old, 'one', 'two', 'three', 'four', 'five']);
        const columns = await Promise.all(all.map(({ file, names }) => outputsOf(file, names)));
        columns.forEach((before, i) => {
          for (const later of columns.slice(i + 1))
            for (const [name, values] of Object.entries(before)) assert.deepEqual(later[name], values, name);
        });
        const alone = await teach(model, ['two', 'two']);
        const { two } = await outputsOf(alone.file, alone.names);
        assert.ok(maxDifference(columns[1].two, two) < 1e-5);
        const names = all.map(({ file }) => readFile(file).tensors.map(({ name }) => name));
        for (const list of names) assert.equal(new Set(list).size, list.length);
        assert.equal(names[2].length, names[1].length);
        assert.equal(names[4].length, names[2].length);
      });
});

describe('a learner with joined maps', () => {
  test('exports a file that finds on the photos what it validated on', async () => {
    const learner = await makeLearner();
    const { history } = await learner.fit(FIT);
    assert.ok(learner.heads.areFused);
    assert.ok(/** @type {number} */ (history.loss.at(-1)) < history.loss[0] / 3);
    const [best] = (await learner.detect(image, { scoreThreshold: 0.2 })).detections;
    const [{ boxes: [{ box }] }] = brightBoxes(['bright']); // prettier-ignore
    assert.equal(best.label, 'bright');
    for (const side of /** @type {const} */ (['x', 'y', 'width', 'height']))
      assert.ok(Math.abs(best.box[side] - box[side]) < 3, `${side} ${best.box[side]}`);
    learner.close();
  });

  test('ends the same when it is interrupted, saved and loaded; a state of another model is refused', async () => {
    const whole = await makeLearner();
    const { history } = await whole.fit({ ...FIT, epochs: 3 });
    for (const last of [0, 7]) {
      const cut = await makeLearner();
      const controller = new AbortController();
      let batches = 0;
      const onBatch = () => batches++ === last && controller.abort();
      const interrupted = cut.fit({
        ...FIT,
        epochs: 3,
        maxMemory: 0,
        callbacks: { onBatch },
        signal: controller.signal,
      });
      await assert.rejects(interrupted, { name: 'AbortError' });
      const { fuseMaps: _, ...options } = OPTIONS;
      const loaded = await DetectorLearner.load(cut.save(), options);
      await addAll(loaded);
      assert.deepEqual((await loaded.resume()).history, history);
      assert.deepEqual(loaded.export(), whole.export());
      const { tensors, metadata } = readSafetensors(cut.save());
      const mean = { shape: [3], data: new Float32Array(3) };
      const damaged = writeSafetensors(/** @type {any} */ ({ ...tensors, 'standard/mean': mean }), metadata);
      await assert.rejects(
        DetectorLearner.load(damaged, options),
        error('STATE_MISMATCH', /'standard\/mean' must have 20/),
      );
      const { 'standard/inverse': inverse } = tensors;
      const endless = { ...inverse, data: new Float32Array(20).fill(Infinity) };
      const infinite = writeSafetensors(
        /** @type {any} */ ({ ...tensors, 'standard/inverse': endless }),
        metadata,
      );
      await assert.rejects(
        DetectorLearner.load(infinite, options),
        error('STATE_CORRUPT', /'standard\/inverse' has values that are not finite/),
      );
      for (const closing of [cut, loaded]) closing.close();
    }
    whole.close();
  });

  test('goes on with more photos and classes', async () => {
    const learner = await makeLearner();
    await learner.fit({ ...FIT, epochs: 1 });
    await learner.addExample(image, [{ label: 'other', box: { x: 1, y: 1, width: 6, height: 6 } }]);
    const { history } = await learner.fit({ ...FIT, epochs: 2 });
    assert.deepEqual([history.loss.length, learner.labels], [2, ['bright', 'other']]);
    assert.ok(history.loss.every(Number.isFinite));
    learner.close();
  });

  test('ends the same when it is interrupted in the views of another class', async () => {
    const fit = { epochs: 2, views: 2 };
    const photos = brightBoxes(['one', 'one', 'other', 'other']);
    const add = async (/** @type {DetectorLearner} */ learner, /** @type {typeof photos} */ added) => {
      for (const photo of added) await learner.addExample(photo.image, photo.boxes);
    };
    const begin = async () => {
      const learner = await DetectorLearner.create(OPTIONS);
      await add(learner, photos.slice(0, 2));
      await learner.fit(fit);
      await add(learner, photos.slice(2));
      return learner;
    };
    const whole = await begin();
    await whole.fit(fit);
    const cut = await begin();
    const controller = new AbortController();
    const callbacks = { onView: () => controller.abort() };
    await assert.rejects(cut.fit({ ...fit, callbacks, signal: controller.signal }), { name: 'AbortError' });
    const { fuseMaps: _, ...options } = OPTIONS;
    const loaded = await DetectorLearner.load(cut.save(), options);
    await add(loaded, photos);
    await loaded.resume();
    assert.deepEqual(loaded.export(), whole.export());
    for (const learner of [whole, cut, loaded]) learner.close();
  });

  test('writes files of which no block is unfrozen', async () => {
    for (const keepClasses of [false, true]) {
      const learner = await makeLearner({ keepClasses });
      await learner.fit({ epochs: 1, views: 1 });
      await assert.rejects(
        DetectorLearner.create({ model: learner.export(), unfreeze: 1 }),
        error('BLOCK_UNSUPPORTED', /its scores are computed from joined maps/),
      );
      learner.close();
    }
  });

  test('begins with what anchors are before they are looked at: background, with 0.99', async () => {
    const model = tinyDetector({ scores: 'softmax' });
    const learner = await makeLearner({ ...SOFTMAX_OPTIONS, model });
    await learner.fit({ epochs: 1, views: 1, optimizer: { type: 'sgd', learningRate: 0 } });
    const { data } = readSafetensors(learner.save()).tensors['head/1/bias'];
    const odds = Math.log(0.99 / 0.01);
    assert.ok(maxDifference(data, [odds, -odds, odds, -odds]) < 1e-5, `${data}`);
    learner.close();
  });

  test('refuses what it cannot keep', async () => {
    /** @type {[object, RegExp][]} */
    const cases = [
      [{ unfreeze: 1 }, /fuseMaps needs unfreeze 0/],
      [{ unfreeze: 1, keepClasses: true }, /fuseMaps needs unfreeze 0/],
      [
        { model: tinyDetector({ scores: 'softmax' }), ...SOFTMAX_OPTIONS, keepClasses: true },
        /keepClasses needs fuseMaps false .* softmax/,
      ],
      [{ fuseMaps: 1 }, /fuseMaps/],
    ];
    for (const [options, message] of cases)
      await assert.rejects(
        DetectorLearner.create({ ...OPTIONS, .../** @type {any} */ (options) }),
        error('INVALID_OPTION', message),
      );
  });
});
