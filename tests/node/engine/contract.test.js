// src/ocelli.h's contract, through the module: a failed call leaves the session as it was, or drops what the header
// says; calls in the wrong order are refused.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import '../../../wasm/platform/node.js';
import { Engine } from '../../../wasm/engine/engine.js';
import { sourceOf } from '../../../wasm/engine/gather.js';
import { MAX_RESULTS } from '../../../dist/layout.js';
import { TINY_ANCHORS, tinyDetector, writeModel } from '../../fuzz/tiny_models.js';
import { encodePng } from '../image_files.js';

/** @typedef {import('../../fuzz/tiny_models.js').TinyTensor} TinyTensor */

const ANCHORS = Float32Array.from(TINY_ANCHORS.flat());
const HEADS = { boxes: 0, scores: 1 };
/** @type {import('../../../wasm/engine/types.js').SsdSpec} */
const SSD = { boxCoder: [10, 10, 5, 5], scores: 'sigmoid', background: true };
/** @type {import('../../../wasm/engine/engine.js').InputSpec} */
const INPUT = { scale: 1 / 255, offset: 0, resize: 'half-pixel' };
const OPTIONS = {
  scoreThreshold: 0.1,
  iouThreshold: 0.6,
  maxResults: 100,
  maxPerClass: 100,
  classAgnostic: false,
};
const SEEN = { x: 0, y: 0, width: 8, height: 8 };
const CONVOLUTION_STEP = 1;

const wave = (/** @type {number} */ count) => Array.from({ length: count }, (_, i) => Math.sin(i * 7) / 2);
const pixels = {
  data: Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => (i * 37) % 256),
  width: 8,
  height: 8,
  channels: /** @type {3} */ (3),
  stride: 24,
};

const PNG = encodePng(pixels);
const READING = /** @type {const} */ ({
  maxPixels: 100,
  decode: 'full',
  allowTruncated: false,
  background: 0xffffff,
});

/**
 * A network of 1x1 convolutions, whose batch is free: [N, 4, 4, 3] -> boxes [N, 4, 4, 4], scores [N, 4, 4, 3].
 */
function freeBatchDetector() {
  const signature = [-1, 4, 4, 3];
  const convolution = {
    code: 3,
    options: /** @type {any} */ ([1, ['i32', 1, 1], ['i32', 2, 1], ['i32', 4, 1], ['i32', 5, 1]]),
  };
  return writeModel({
    tensors: [
      { shape: [1, 4, 4, 3], signature },
      { shape: [4, 1, 1, 3], data: wave(12) },
      { shape: [4], data: wave(4) },
      { shape: [1, 4, 4, 4], signature: [-1, 4, 4, 4] },
      { shape: [3, 1, 1, 3], data: wave(9) },
      { shape: [3], data: wave(3) },
      { shape: [1, 4, 4, 3], signature },
    ],
    operators: [
      { ...convolution, inputs: [0, 1, 2], outputs: [3] },
      { ...convolution, inputs: [0, 4, 5], outputs: [6] },
    ],
    inputs: [0],
    outputs: [3, 6],
  });
}

/** [1, 4, 4, 3] -> the sum with itself, and that as one row of 48 numbers, which is no feature map. */
function flattener() {
  return writeModel({
    tensors: [
      { shape: [1, 4, 4, 3] },
      { shape: [1, 4, 4, 3] },
      { shape: [1], dtype: 'int32', data: [48] },
      { shape: [48] },
      { shape: [48] },
    ],
    operators: [
      { code: 0, inputs: [0, 0], outputs: [1], options: [11, ['i8', 0, 0]] },
      { code: 22, inputs: [1, 2], outputs: [3] },
      { code: 0, inputs: [3, 3], outputs: [4], options: [11, ['i8', 0, 0]] },
    ],
    inputs: [0],
    outputs: [4],
  });
}

/**
 * @param {Engine} engine
 * @param {Uint8Array} bytes
 */
async function receive(engine, bytes) {
  await engine.receiveModel(sourceOf(bytes));
}

const create = () => Engine.create({ variant: 'simd', threads: 1 });

/** @param {Uint8Array} [model] */
async function open(model = tinyDetector()) {
  const engine = await create();
  await receive(engine, model);
  engine.openModel();
  engine.buildModel({ keepFile: true });
  return engine;
}

/** A detector that has run, with the features of a convolution. */
async function ready() {
  const engine = await open();
  engine.closeModel();
  engine.heads.use(HEADS, 3, ANCHORS, SSD);
  engine.features.use(CONVOLUTION_STEP, false);
  engine.image.setPixels(pixels);
  engine.image.preprocess(INPUT, undefined, 0);
  engine.run();
  return engine;
}

/**
 * All that a session tells of its last run.
 * @param {Engine} engine
 */
function state(engine) {
  const found = engine.heads.detect(OPTIONS, undefined, SEEN, 0);
  assert.ok(found.length > 0);
  return {
    found,
    outputs: engine.outputs.map((_, i) => engine.readOutput(i)),
    image: engine.image.read(),
    features: [engine.features.read(1), engine.features.readBoxes(found.length / 6)],
    numClasses: engine.heads.numClasses,
  };
}

const countBoxes = (/** @type {Engine} */ engine) =>
  engine.heads.detect(OPTIONS, undefined, SEEN, 0).length / 6;

/**
 * @param {() => unknown} call
 * @param {string} code
 */
const refuses = (call, code = 'INVALID_ARGUMENT') => assert.throws(call, { code });

describe('a refused call leaves the session as it was:', () => {
  /** @type {Record<string, [code: string, call: (engine: Engine) => unknown][]>} */
  const CALLS = {
    openModel: [['INVALID_ARGUMENT', (engine) => engine.openModel()]],
    buildModel: [['INVALID_ARGUMENT', (engine) => engine.buildModel({ keepFile: true })]],
    keepColumns: [['INVALID_ARGUMENT', (engine) => engine.keepColumns(1, Int32Array.of(0))]],
    setBatch: [
      ['INVALID_ARGUMENT', (engine) => engine.setBatch(0)],
      ['BATCH_NOT_FREE', (engine) => engine.setBatch(2)],
    ],
    'image.decode': [
      ['IMAGE_EMPTY', (engine) => engine.image.decode(new Uint8Array(), READING)],
      ['UNSUPPORTED_IMAGE_FORMAT', (engine) => engine.image.decode(new Uint8Array(50), READING)],
      ['IMAGE_TOO_LARGE', (engine) => engine.image.decode(PNG, { ...READING, maxPixels: 1 })],
      ['IMAGE_CORRUPT', (engine) => engine.image.decode(PNG.subarray(0, 40), READING)],
    ],
    'image.readFile': [
      ['INVALID_ARGUMENT', (engine) => engine.image.readFile(PNG, READING, INPUT, undefined, 0, 1)],
    ],
    'image.preprocess': [
      ['INVALID_ROI', (engine) => engine.image.preprocess(INPUT, { ...SEEN, width: 9 }, 0)],
      ['INVALID_ARGUMENT', (engine) => engine.image.preprocess({ ...INPUT, scale: NaN }, undefined, 0)],
      ['INVALID_ARGUMENT', (engine) => engine.image.preprocess(INPUT, undefined, 0, 1)],
      ['INVALID_ARGUMENT', (engine) => engine.image.preprocess(INPUT, undefined, 0, -1)],
    ],
    'heads.use': [
      ['SSD_SHAPE_MISMATCH', (engine) => engine.heads.use(HEADS, 3, ANCHORS.subarray(4), SSD)],
      ['SSD_SHAPE_MISMATCH', (engine) => engine.heads.use({ boxes: 2, scores: 1 }, 3, ANCHORS, SSD)],
      ['SSD_SHAPE_MISMATCH', (engine) => engine.heads.use({ boxes: -1, scores: 1 }, 3, ANCHORS, SSD)],
      [
        'INVALID_ARGUMENT',
        (engine) => engine.heads.use(HEADS, 3, ANCHORS, { ...SSD, boxCoder: [0, 1, 1, 1] }),
      ],
      [
        'INVALID_ARGUMENT',
        (engine) =>
          engine.heads.use(
            HEADS,
            3,
            ANCHORS.map(() => NaN),
            SSD,
          ),
      ],
    ],
    'heads.detect': [
      { scoreThreshold: -0.1 },
      { scoreThreshold: 1.1 },
      { scoreThreshold: NaN },
      { iouThreshold: -0.1 },
      { iouThreshold: 1.1 },
      { maxPerClass: 0 },
      { maxResults: 0 },
      { maxResults: MAX_RESULTS + 1 },
    ].map((wrong) => [
      'INVALID_ARGUMENT',
      (engine) => engine.heads.detect({ ...OPTIONS, ...wrong }, undefined, SEEN, 0),
    ]),
    readOutput: [
      ['INVALID_ARGUMENT', (engine) => engine.readOutput(2)],
      ['INVALID_ARGUMENT', (engine) => engine.readOutput(-1)],
    ],
    writeInput: [
      ['INVALID_ARGUMENT', (engine) => engine.writeInput(1, new Float32Array(192))],
      ['INVALID_INPUT', (engine) => engine.writeInput(0, new Float32Array(193))],
    ],
    writeImage: [
      ['INVALID_INPUT', (engine) => engine.writeImage(new Float32Array(193), 0)],
      ['INVALID_INPUT', (engine) => engine.writeImage(new Float32Array(192), 1)],
      ['INVALID_INPUT', (engine) => engine.writeImage(new Float32Array(192), -1)],
      ['INVALID_INPUT', (engine) => engine.writeImage(new Float32Array(192), 0.5)],
    ],
    'features.read': [['INVALID_ARGUMENT', (engine) => engine.features.read(2)]],
    'features.readBoxes': [
      ['INVALID_ARGUMENT', (engine) => engine.features.readBoxes(countBoxes(engine) - 1)],
      ['INVALID_ARGUMENT', (engine) => engine.features.readBoxes(countBoxes(engine) + 1)],
      ['INVALID_ARGUMENT', (engine) => engine.features.readBoxes(0)],
    ],
    'features.use': [
      ['INVALID_ARGUMENT', (engine) => engine.features.use(-1, false)],
      ['INVALID_ARGUMENT', (engine) => engine.features.use(5, true)],
    ],
  };
  for (const [name, calls] of Object.entries(CALLS)) {
    test(name, async () => {
      const engine = await ready();
      const before = state(engine);
      for (const [code, call] of calls) {
        refuses(() => call(engine), code);
        assert.deepEqual(state(engine), before, `${call}`);
        engine.run();
        assert.deepEqual(state(engine), before, `${call}, and another run`);
      }
      engine.close();
    });
  }

  test('detect, of the boxes that features are pooled under', async () => {
    const engine = await ready();
    const rows = engine.heads.detect(OPTIONS, undefined, SEEN, 0).length / 6;
    const before = engine.features.readBoxes(rows);
    refuses(() => engine.heads.detect({ ...OPTIONS, maxPerClass: 0 }, undefined, SEEN, 0));
    // Clears the memory that the features were in, which is allocated again for the next ones.
    refuses(
      () => engine.image.decode(new Uint8Array(before.byteLength), READING),
      'UNSUPPORTED_IMAGE_FORMAT',
    );
    assert.deepEqual(engine.features.readBoxes(rows), before);
    engine.close();
  });

  test('keepColumns, of columns that are not there or not in order', async () => {
    const engine = await open();
    for (const columns of [[], [3], [-1], [1, 1], [2, 1]]) {
      refuses(() => engine.keepColumns(1, Int32Array.from(columns)));
    }
    refuses(() => engine.keepColumns(2, Int32Array.of(0)));
    refuses(() => engine.keepColumns(-1, Int32Array.of(0)));
    assert.equal(engine.keepColumns(1, Int32Array.of(0, 2)), true);
    refuses(() => engine.keepColumns(1, Int32Array.of(0)));
    assert.deepEqual(engine.outputs[1].shape, [1, 16, 2]);
    engine.close();
  });
});

describe('what a failure drops', () => {
  test('a model that is damaged: it cannot be built, and another one can be received', async () => {
    const engine = await create();
    const damaged = tinyDetector();
    damaged.fill(255, 4, 8);
    await receive(engine, damaged);
    refuses(() => engine.openModel(), 'MODEL_NOT_TFLITE');
    refuses(() => engine.buildModel());
    await receive(engine, tinyDetector());
    engine.openModel();
    engine.buildModel();
    engine.run();
    engine.close();
  });

  test('memory for a model, if there is none: the network before it', async () => {
    const engine = await ready();
    const chunks = (async function* () {
      yield new Uint8Array(1);
    })();
    await assert.rejects(engine.receiveModel({ sizeBytes: 900 * 2 ** 20, chunks }), {
      code: 'OUT_OF_MEMORY',
    });
    refuses(() => engine.run());
    refuses(() => engine.heads.detect(OPTIONS, undefined, SEEN, 0));
    refuses(() => engine.setBatch(1));
    refuses(() => engine.features.use(0, false));
    assert.deepEqual([engine.heads.numClasses, engine.features.length], [0, 0]);
    assert.deepEqual(engine.image.size, { width: 8, height: 8 });
    engine.close();
  });

  test('a batch that is too large: the outputs of the last run', async () => {
    const engine = await open(freeBatchDetector());
    engine.closeModel();
    engine.heads.use(HEADS, 3, ANCHORS, SSD);
    engine.image.setPixels(pixels);
    const detect = () => {
      engine.image.preprocess(INPUT, undefined, 0);
      engine.run();
      return engine.heads.detect(OPTIONS, undefined, SEEN, 0);
    };
    const before = detect();
    assert.ok(before.length > 0);
    refuses(() => engine.setBatch(2 ** 30), 'MODEL_TOO_LARGE');
    refuses(() => engine.heads.detect(OPTIONS, undefined, SEEN, 0));
    assert.deepEqual(engine.outputs[0].shape, [1, 4, 4, 4]);
    assert.deepEqual(detect(), before);
    engine.close();
  });

  test('pixels that contradict their size: the image before them, whose memory they take', async () => {
    const engine = await ready();
    refuses(() => engine.image.setPixels({ ...pixels, stride: 23 }), 'INVALID_PIXELS');
    refuses(() => engine.image.preprocess(INPUT, undefined, 0));
    refuses(() => engine.image.read());
    engine.image.setPixels(pixels);
    engine.image.preprocess(INPUT, undefined, 0);
    engine.close();
  });

  for (const isCut of [false, true]) {
    test(`features that cannot be averaged, ${isCut ? 'cut' : 'kept'}: the features, not the network`, async () => {
      const engine = await open(flattener());
      engine.closeModel();
      const run = () => {
        engine.image.setPixels(pixels);
        engine.image.preprocess(INPUT, undefined, 0);
        engine.run();
        return engine.readOutput(0);
      };
      const before = run();
      engine.features.use(0, false);
      assert.equal(engine.features.length, 3);
      refuses(() => engine.features.use(1, isCut), 'FEATURES_UNUSABLE');
      assert.equal(engine.features.length, 0);
      assert.equal(engine.operators.length, 3);
      assert.deepEqual(run(), before);
      refuses(() => engine.features.read(1));
      engine.close();
    });
  }
});

test('transparent pixels are white, if nothing else is said', async () => {
  const engine = await create();
  engine.image.setPixels({ data: new Uint8Array(16), width: 2, height: 2, channels: 4, stride: 8 });
  assert.deepEqual(engine.image.read().data, new Uint8Array(12).fill(255));
  engine.close();
});

test('pixels are counted in bytes', async () => {
  const engine = await create();
  const { buffer } = pixels.data;
  engine.image.setPixels({ ...pixels, data: /** @type {any} */ (new Uint32Array(buffer)) });
  assert.deepEqual(engine.image.read().data, pixels.data);
  engine.close();
});

describe('in the wrong order', () => {
  test('nothing is there', async () => {
    const engine = await create();
    /** @type {((engine: Engine) => unknown)[]} */
    const calls = [
      (e) => e.openModel(),
      (e) => e.buildModel(),
      (e) => e.keepColumns(0, Int32Array.of(0)),
      (e) => e.setBatch(1),
      (e) => e.image.read(),
      (e) => e.image.preprocess(INPUT, undefined, 0),
      (e) => e.run(),
      (e) => e.heads.detect(OPTIONS, undefined, SEEN, 0),
      (e) => e.features.use(0, false),
      (e) => e.features.read(1),
      (e) => e.features.readBoxes(1),
      (e) => e.network,
      (e) => e.readOutput(0),
      (e) => e.writeInput(0, new Float32Array(1)),
      (e) => e.writeImage(new Float32Array(3), 0),
    ];
    for (const call of calls) refuses(() => call(engine));
    assert.deepEqual([engine.operators, engine.heads.hasPostprocess], [[], false]);
    engine.closeModel();
    engine.image.drop();
    engine.close();
  });

  test('before the model is closed, there is no memory to run in', async () => {
    const engine = await open();
    engine.heads.use(HEADS, 3, ANCHORS, SSD);
    engine.image.setPixels(pixels);
    refuses(() => engine.image.preprocess(INPUT, undefined, 0));
    refuses(() => engine.run());
    refuses(() => engine.heads.detect(OPTIONS, undefined, SEEN, 0));
    refuses(() => engine.readOutput(0));
    refuses(() => engine.writeInput(0, new Float32Array(192)));
    refuses(() => engine.writeImage(new Float32Array(192), 0));
    engine.closeModel();
    engine.image.preprocess(INPUT, undefined, 0);
    engine.run();
    assert.ok(engine.heads.detect(OPTIONS, undefined, SEEN, 0).length > 0);
    engine.close();
  });

  test('before the first run, and after a change, there is nothing to read', async () => {
    const engine = await open();
    engine.closeModel();
    engine.heads.use(HEADS, 3, ANCHORS, SSD);
    engine.features.use(CONVOLUTION_STEP, false);
    engine.image.setPixels(pixels);
    engine.image.preprocess(INPUT, undefined, 0);
    const readers = [
      () => engine.heads.detect(OPTIONS, undefined, SEEN, 0),
      () => engine.features.read(1),
      () => engine.features.readBoxes(16),
    ];
    for (const read of readers) refuses(read);
    engine.run();
    state(engine);
    engine.features.use(CONVOLUTION_STEP, false);
    for (const read of readers) refuses(read);
    engine.close();
  });

  test('without heads or features there is nothing to detect or to pool', async () => {
    const engine = await open();
    engine.closeModel();
    engine.run();
    refuses(() => engine.heads.detect(OPTIONS, undefined, SEEN, 0));
    refuses(() => engine.features.read(1));
    refuses(() => engine.features.readBoxes(1));
    engine.close();
  });

  test('a network that changes after its heads were said', async () => {
    const fewer = await open();
    fewer.heads.use(HEADS, 3, ANCHORS, SSD);
    assert.equal(fewer.keepColumns(1, Int32Array.of(0)), true);
    fewer.closeModel();
    fewer.run();
    refuses(() => fewer.heads.detect(OPTIONS, undefined, SEEN, 0), 'SSD_SHAPE_MISMATCH');
    fewer.close();

    const more = await open(freeBatchDetector());
    more.heads.use(HEADS, 3, ANCHORS, SSD);
    more.closeModel();
    more.setBatch(2);
    more.run();
    refuses(() => more.heads.detect(OPTIONS, undefined, SEEN, 0), 'SSD_SHAPE_MISMATCH');
    more.setBatch(1);
    more.run();
    assert.ok(more.heads.detect(OPTIONS, undefined, SEEN, 0).length > 0);
    more.close();

    const cut = await ready();
    cut.features.use(CONVOLUTION_STEP, true);
    cut.run();
    refuses(() => cut.heads.detect(OPTIONS, undefined, SEEN, 0), 'SSD_SHAPE_MISMATCH');
    refuses(() => cut.features.readBoxes(1));
    assert.equal(cut.features.read(1).length, cut.features.length);
    cut.close();
  });
});

test('a closed engine takes nothing, and may be closed again', async () => {
  const engine = await Engine.create({ variant: 'simd', threads: 1 });
  engine.close();
  engine.close();
  await assert.rejects(engine.receiveModel(sourceOf(freeBatchDetector())), { code: 'CLOSED' });
  for (const call of [() => engine.openModel(), () => engine.run(), () => engine.image.setPixels(pixels)])
    assert.throws(call, { code: 'CLOSED' });
});
