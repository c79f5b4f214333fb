// What commands print about a model or a run, of facts that are written here; which trainings and evaluations options choose.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeNoise, summarizeTimes, takeTurns, toText as benchText } from '../../../bin/commands/bench.js';
import { toText as compressText } from '../../../bin/commands/compress.js';
import { toText as classifyText } from '../../../bin/commands/classify.js';
import { toOptions as convertOptions, toText as convertText } from '../../../bin/commands/convert.js';
import { toText as detectText } from '../../../bin/commands/detect.js';
import { toText as embedText } from '../../../bin/commands/embed.js';
import { tilesOf } from '../../../bin/commands/evaluate.js';
import { toText as inspectText } from '../../../bin/commands/inspect.js';
import { toFullNames, toText as quantizeText } from '../../../bin/commands/quantize.js';
import { command as train, toChosen, toFits } from '../../../bin/commands/train.js';
import { toText as similarText } from '../../../bin/commands/similar.js';
import { UsageError } from '../../../bin/common.js';
import { configurationsOf } from '../../../bin/evaluate/detector.js';
import { toOptions } from '../../../bin/train/detector.js';
import { summarize } from '../../../bin/train/results.js';
import { planForPhotos } from '../../../wasm/train/node.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const lines = (/** @type {string} */ text) => text.split('\n');

describe('bench', () => {
  const operator = (/** @type {number} */ ms, more = {}) => ({
    ...{ operator: 'CONV_2D', output: 'b;a', shape: [1, 2, 3], multiply_adds: 3e6, ms, ...more },
  });
  const report = {
    ...{
      file: 'm.tflite',
      variant: 'relaxed',
      precision: 'int8',
      threads: 1,
      node: 'v1',
      cpu: 'CPU',
      runs: 1,
    },
    load: { module_ms: 99.994, model_ms: 0.006, first_ms: 99.99 },
    ...{ multiply_adds: 2e9, cores: 2, fma_gmacs: 1, dot_gmacs: 2, bound_ms: 10 },
    network: { median_ms: 20, min_ms: 12.5 },
    operators: [operator(3)],
  };
  test('a run', () =>
    assert.deepEqual(lines(benchText(any(report), false)), [
      'm.tflite  relaxed, int8, 1 thread, Node v1, CPU',
      '  load         100 ms  module 99.99 ms, model 0.01 ms',
      '  first run  99.99 ms',
      '  median     20.00 ms  50 % of the bound; 1 warm run',
      '  min        12.50 ms  80 % of the bound',
      '  bound      10.00 ms  2 G multiply-adds at 100.0 G/s,',
      '                       the int8 peak measured on one core, times 2',
    ]));
  test('beside the baseline', () => {
    const depthwise = [[1, 2], [2, 4]].map(([ms, other]) => operator(ms, { operator: 'DEPTHWISE_CONV_2D', baseline_ms: other })); // prettier-ignore
    const with_ = {
      ...report,
      file: undefined,
      threads: 2,
      runs: 3,
      baseline: { median_ms: 40, min_ms: 50 },
    };
    const text = lines(
      benchText(any({ ...with_, operators: [operator(3, { baseline_ms: 1 }), ...depthwise] }), false),
    );
    assert.equal(text[0], 'default model  relaxed, int8, 2 threads, Node v1, CPU');
    assert.match(text[3], /; 3 warm runs$/);
    assert.deepEqual(text.slice(-3), [
      "  baseline   40.00 ms  XNNPACK's own kernels: the median is 0.500 of it",
      '             50.00 ms  min: 0.250 of it',
      "  depthwise   3.00 ms  0.500 of the baseline's 6.00 ms",
    ]);
    assert.doesNotMatch(benchText(any(with_), false), /depthwise/);
  });
  test('its operators: the first twelve', () => {
    const rest = Array.from({ length: 11 }, (_, i) => operator(0, { output: `x${i}` }));
    const operators = [operator(3), operator(1, { multiply_adds: 0 }), ...rest];
    const text = lines(benchText(any({ ...report, operators }), true)).slice(7);
    assert.deepEqual(text.slice(0, 5), [
      '',
      '  operator  output        time   share    speed    name',
      '  CONV_2D   [1, 2, 3]  3.00 ms  75.0 %  1.0 G/s    b',
      '  CONV_2D   [1, 2, 3]  1.00 ms  25.0 %             b',
      '  CONV_2D   [1, 2, 3]  0.00 ms   0.0 %             x0',
    ]);
    assert.equal(text.length, 2 + 12);
    const beside = lines(benchText(any({ ...report, operators: [operator(3, { baseline_ms: 6 })] }), true));
    assert.deepEqual(beside.slice(-2), [
      '  operator  output        time    share    speed  baseline  name',
      '  CONV_2D   [1, 2, 3]  3.00 ms  100.0 %  1.0 G/s   6.00 ms  b',
    ]);
  });
  test('the times of more runs than a call has arguments', () => {
    const times = Array.from({ length: 200_001 }, (_, i) => 200_001 - i);
    assert.deepEqual(summarizeTimes(times), { median_ms: 100_001, min_ms: 1 });
  });
  test('engines take turns, first one and then the other', () => {
    const run = (/** @type {number} */ count) => {
      /** @type {string[]} */
      const ran = [];
      const engines = Array.from({ length: count }, (_, i) => any({ run: () => ran.push(`${i}`) }));
      const take = (/** @type {any} */ engine) => ran.push(`take ${engines.indexOf(engine)}`);
      return { taken: takeTurns(engines, 3, take), ran };
    };
    assert.deepEqual(run(1), { taken: [[1, 2, 3]], ran: ['take 0', 'take 0', 'take 0'] });
    const one = ['0', 'take 0', '1', 'take 1'];
    const two = ['1', 'take 1', '0', 'take 0'];
    assert.deepEqual(run(2), { taken: [[2, 8, 10], [4, 6, 12]], ran: [...one, ...two, ...one] }); // prettier-ignore
  });
  test('noise of each type', () => {
    const shape = [2, 3, 50];
    const of = (/** @type {string} */ dtype) => any(makeNoise(any({ dtype, shape })));
    for (const [dtype, type] of any([
      ['float32', Float32Array],
      ['float16', Uint16Array],
      ['int8', Int8Array],
      ['uint8', Uint8Array],
    ])) {
      // prettier-ignore
      const noise = of(dtype);
      assert.ok(noise instanceof type);
      assert.deepEqual([noise.length, of(dtype)], [300, noise]);
      assert.ok(new Set(noise).size > 100, dtype);
    }
    const floats = of('float32');
    assert.ok(Math.min(...floats) < -0.9 && Math.min(...floats) >= -1);
    assert.ok(Math.max(...floats) > 0.9 && Math.max(...floats) < 1);
    // The first of xorshift32 with this seed, by its definition.
    let state = BigInt(20261123);
    const mask = 0xffffffffn;
    for (const noise of floats.slice(0, 4)) {
      state ^= (state << 13n) & mask;
      state ^= state >> 17n;
      state ^= (state << 5n) & mask;
      assert.equal(noise, Math.fround(Number(state) / 2 ** 31 - 1));
    }
    const halves = Array.from(of('float16'), (bits) => [bits & 0x7c00, bits >> 15]);
    assert.ok(halves.every(([exponent]) => exponent === 0x3800));
    assert.equal(new Set(halves.map(([, sign]) => sign)).size, 2);
    for (const [dtype, type] of any([
      ['bool', Uint8Array],
      ['int32', Int32Array],
      ['int64', BigInt64Array],
    ]))
      // prettier-ignore
      assert.deepEqual(of(dtype), new type(300));
  });
});

describe('inspect', () => {
  const conv = { operator: 'CONV_2D', output: 'b;a', shape: [1, 4], dtype: 'int8', multiplyAdds: 1000 };
  const add = { ...conv, operator: 'ADD', multiplyAdds: 0 };
  const plain = {
    ...{ file: 'm.tflite', signatures: [], parameters: 1500, multiplyAdds: 2000, precision: 'float' },
    ...{ inputs: [{ name: 'x', dtype: 'float32', shape: [1, 2] }], metadata: {}, dynamicBatch: false },
    outputs: [{ name: 'y', dtype: 'int8', shape: [1], quantization: { scale: 1 / 3, zeroPoint: -4 } }],
    memory: { fileBytes: 1024, arenaBytes: 2048, moduleBytes: 3072 },
    operators: [add, conv, { ...conv, operator: 'MUL', multiplyAdds: 0 }, add, conv],
  };
  test('a plain model', () =>
    assert.deepEqual(lines(inspectText(any(plain), false)), [
      ...['m.tflite', '', 'Inputs', '  x  float32  [1, 2]', '', 'Outputs'],
      '  y  int8  [1]  (stored - -4) * 0.333333',
      ...['', '5 operators', '  CONV_2D  2  2 k', '  ADD      2', '  MUL      1', ''],
      '  parameters     1.5 k',
      '  multiply-adds  2 k an image',
      '  precision      float',
      '  batch          fixed',
      '  file           1.0 KiB',
      '  memory         3.0 KiB in all, 2.0 KiB of it for tensors',
    ]));
  test('every operator', () =>
    assert.deepEqual(lines(inspectText(any(plain), true)).slice(9, 11), [
      '  0  ADD      int8  [1, 4]       b',
      '  1  CONV_2D  int8  [1, 4]  1 k  b',
    ]));
  const labels = (/** @type {number} */ count) =>
    Array.from({ length: count }, (_, i) => ({ name: `n${i}` }));
  const detector = { anchors: 9, boxCoder: [10, 5], classes: 1, mids: false, scores: 'sigmoid' };
  test('all that a detector has', () => {
    const all = {
      ...plain,
      ...{ file: undefined, manifestId: 'id', title: 'Title', signatures: ['a', 'b'], dynamicBatch: true },
      metadata: { name: 'N', normalization: { mean: [1, 1, 1], std: [2, 2, 2] } },
      detector: { ...detector, classes: 2, mids: true, resize: 'legacy', suppression: { scoreThreshold: 0.1, iouThreshold: 0.6, maxPerClass: 7, maxResults: 8 } }, // prettier-ignore
      ...{ labels: labels(16), operators: [conv] },
      sliced: { classes: 1, savedMultiplyAdds: 500 },
    };
    const text = lines(inspectText(any(all), false));
    assert.deepEqual(text.slice(0, 2), ['default model', 'id: Title']);
    assert.ok(text.includes('1 operator'));
    assert.deepEqual(text.slice(12), [
      '  parameters     1.5 k',
      '  multiply-adds  2 k an image',
      '  precision      float',
      '  saved          500 of them (25.0 %) by 1 class only',
      '  batch          free',
      '  signatures     a, b',
      '  file           1.0 KiB',
      '  memory         3.0 KiB in all, 2.0 KiB of it for tensors',
      '  name           N',
      '  normalization  (pixel - 1) / 2',
      '  resize         legacy',
      '  anchors        9, box coder 10, 5',
      '  scores         sigmoid, 2 classes, with MIDs',
      '  suppression    score 0.1, IoU 0.6, 7 a class, 8 in all',
      '  labels         16: n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, ..., n13, n14, n15',
    ]);
  });
  /** @type {[object, string][]} */
  const facts = [
    [
      { labels: labels(15) },
      '  labels         15: n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14',
    ],
    [{ metadata: { normalization: { mean: [1, 2, 3], std: [4, 4, 5.5] } } }, '  normalization  (pixel - [1,2,3]) / [4,4,5.5]'], // prettier-ignore
    [{ detector }, '  scores         sigmoid, 1 class'],
    [{ signatures: ['serve\n'] }, '  signatures     serve\ufffd'],
    [
      { sliced: { classes: 2, savedMultiplyAdds: 0, leftWhole: 'why' } },
      '  saved          none by 2 classes only: the heads are left whole and their scores filtered, as why',
    ],
  ];
  for (const [more, line] of facts)
    test(line.trim(), () => assert.ok(lines(inspectText(any({ ...plain, ...more }), false)).includes(line)));
});

describe('one image', () => {
  const ms = { decode: 1.25, preprocess: 2.5, network: 4, postprocess: 3 };
  const box = { x: 0.4, y: 10.6, width: 100.5, height: 7 };
  const found = (/** @type {object[]} */ ...detections) =>
    any({ detections, size: { width: 640, height: 480 }, ms });
  /** @type {[string, string, string[]][]} */
  const cases = [
    [
      'objects',
      detectText(
        'a\n.png',
        found(
          { label: 'Cat', score: 0.4567, box },
          { label: 'Big\tdog', score: 1, box: { ...box, x: 1234 } },
        ),
      ),
      [
        'a\ufffd.png  640 x 480 px, 2 objects, 11 ms',
        '  label      score     x   y  width  height',
        '  Cat       45.7 %     0  11    101       7',
        '  Big\ufffddog  100.0 %  1234  11    101       7',
      ],
    ],
    [
      'one object',
      detectText('a', found({ label: 'Cat', score: 0.05, box })),
      [
        'a  640 x 480 px, 1 object, 11 ms',
        '  label  score  x   y  width  height',
        '  Cat    5.0 %  0  11    101       7',
      ],
    ],
    ['no object', detectText('a', found()), ['a  640 x 480 px, nothing above 30.0 %, 11 ms']],
    [
      'no object above what is asked for',
      detectText('a', found(), 0.125),
      ['a  640 x 480 px, nothing above 12.5 %, 11 ms'],
    ],
    [
      'classes',
      classifyText(
        'a\n',
        any([
          { label: 'Cat', score: 0.875 },
          { label: 'Dog\n', score: 0.0625 },
        ]),
      ),
      ['a\ufffd', '  87.5 %  Cat', '   6.3 %  Dog\ufffd'],
    ],
    [
      'features',
      embedText({ file: 'a', vector: [3, 4, 0, 0, 0, 0, 0] }),
      ['a  7 numbers, length 5: 3, 4, 0, 0, 0, 0, ...'],
    ],
    [
      'many features',
      embedText({ file: 'a', vector: Array.from({ length: 250_000 }, () => 2) }),
      ['a  250000 numbers, length 1000: 2, 2, 2, 2, 2, 2, ...'],
    ],
    [
      'similar images',
      similarText('a', [
        { file: 'b\n', similarity: 0.98765 },
        { file: 'c', similarity: -0.5 },
      ]),
      ['a', '   0.9877  b\ufffd', '  -0.5000  c'],
    ],
    ['no similar image', similarText('a', []), ['a']],
  ];
  for (const [name, text, expected] of cases) test(name, () => assert.deepEqual(lines(text), expected));
});

describe('quantize and compress', () => {
  test('short names of tensors', () => {
    const names = ['a;x', 'b;x', 'b;y', 'c', 'c;x', 'd;x', 'd;x'];
    assert.deepEqual(toFullNames(['a', 'b;y', 'c', 'd', 'x', ''], names), [
      'a;x',
      'b;y',
      'c',
      'd;x',
      'x',
      '',
    ]);
    assert.throws(
      () => toFullNames(['a', 'b'], names),
      new UsageError(
        '--float b: several tensors have this short name; ocelli inspect --json shows the full ones',
      ),
    );
  });
  const layer = (/** @type {string} */ name, /** @type {number} */ signalToNoise, isInt8 = true) => ({ name, signalToNoise, isInt8 }); // prettier-ignore
  test('an 8-bit model', () => {
    const report = {
      ...{ bytes: { quantized: 1024, float: 4096 }, ms: { quantized: 1.24, float: 10 }, images: 1 },
      layers: [layer('a', 100), layer('f', 1, false), layer('b;x', 10), layer('c', 1000)],
    };
    const expected = [
      'o.tflite: 1.0 KiB (4.0 KiB before), calibrated on 1 image',
      '  3 of 4 tensors in 8 bits; the noisiest at 10.0 dB: b',
      '  1.2 ms a run (10.0 before)',
    ];
    assert.deepEqual(lines(quantizeText('o.tflite', any(report))), expected);
    const detections = {
      before: { matched: 1, found: 2 },
      after: { matched: 3, found: 4 },
      scoreDifference: 0.01,
    };
    assert.deepEqual(lines(quantizeText('o.tflite', any({ ...report, detections }))), [
      ...expected,
      '  detections: 1 of 2 found again, 3 of 4 found before, scores differ by 0.0100',
    ]);
  });
  test('a compressed model', () => {
    const text = compressText(
      'o.gz',
      any({
        ...{ bytes: { compressed: 2048, gzip: 1024, float: 4096 }, images: 2, task: 'features' },
        weights: { int8: 3, float16: 4, float32: 5 },
        layers: [layer('a', 100), layer('b;x', 10), layer('c', 1000)],
        answers: { share: 0.5, difference: 0.25 },
      }),
    );
    assert.deepEqual(lines(text), [
      'o.gz: 2.0 KiB, gzipped 1.0 KiB (4.0 KiB before), calibrated on 2 images',
      '  25.0 % of the weights in int8; the noisiest tensor at 10.0 dB: b',
      '  mean cosine of the outputs: 0.50000',
      '  mean relative difference: 0.2500',
    ]);
  });
});

describe('convert', () => {
  const values = { weights: 'fp32', batch: 2, 'keep-batch-norm': false, 'no-verify': false };
  const of = (/** @type {object} */ more) => any(convertOptions(any({ ...values, ...more })));
  test('options', () => {
    const { onProgress, ...plain } = of({});
    const none = { signature: undefined, outputs: undefined, classes: undefined };
    assert.deepEqual(plain, { ...none, weights: 'fp32', batch: 2, keepBatchNorm: false, verify: true });
    assert.deepEqual(of({ size: '224x99999' }).size, [224, 99999]);
    assert.deepEqual(of({ input: '{"scale": 2}' }).input, { scale: 2 });
    assert.equal(of({ input: '[0,1]' }).input, '[0,1]');
    assert.deepEqual(
      [of({ 'no-verify': true }).verify, of({ 'keep-batch-norm': true }).keepBatchNorm],
      [false, true],
    );
    for (const size of ['224', '224x', 'x224', '224x224x3', '100000x1', '1x100000', ' 1x1'])
      assert.throws(() => of({ size }), {
        message: `--size must be height and width, such as 224x224, not ${size}`,
      });
    assert.throws(() => of({ input: '{' }), { name: 'Error', message: /^--input: / });
  });
  test('what it has written', () => {
    const model = new Uint8Array(2048);
    const operators = { CONV_2D: 3, ADD: 1 };
    const written = (/** @type {object} */ more) =>
      lines(convertText('a.tflite', any({ model, operators, notes: [], ...more })));
    assert.deepEqual(written({ kind: 'detector' }), ['a.tflite: a detector, 2.0 KiB', '  3 CONV_2D, 1 ADD']);
    assert.deepEqual(written({ kind: 'network', notes: ['one', 'two\n'] }), [
      ...['a.tflite: a network, 2.0 KiB', '  3 CONV_2D, 1 ADD', '  one', '  two\ufffd'],
    ]);
  });
  test('progress, and after half a minute of comparing what can be left out', (t) => {
    let text = '';
    let now = 1e6;
    t.mock.method(performance, 'now', () => now);
    t.mock.method(process.stderr, 'write', (/** @type {string} */ more) => ((text += more), true));
    const before = process.stderr.isTTY;
    process.stderr.isTTY = true;
    t.after(() => void (process.stderr.isTTY = before));
    const { onProgress } = of({});
    const show = (/** @type {object} */ progress) => {
      text = '';
      onProgress(progress);
      return text.replaceAll('\x1b[K', '');
    };
    assert.match(show({ stage: 'read' }), /^\rstep 2 of 5: read$/);
    now += 60_000;
    assert.match(show({ stage: 'verify', done: 2, total: 3 }), /^\rstep \d of \d: verify 66 %$/);
    now += 30_000;
    assert.match(show({ stage: 'verify' }), /^\rstep \d of \d: verify 0 %$/);
    now += 1;
    assert.match(
      show({ stage: 'verify', done: 3, total: 3 }),
      /^\rcomparing .*--no-verify leaves it out\n\rstep .* 100 %/,
    );
    assert.match(show({ stage: 'verify', done: 3, total: 3 }), /^\rstep/);
  });
});

describe('train', () => {
  const given = { seed: 7, 'no-stratify': false };
  const common = { epochs: 20, validationSplit: 0.2, seed: 7, stratify: true };
  test('a classifier once', () => {
    const once = { ...common, name: 'training', batchSize: 32, optimizer: 'rmsprop' };
    assert.deepEqual(toFits(any(given)), [once]);
    const set = {
      seed: 1,
      'no-stratify': true,
      batch: 8,
      epochs: 3,
      validation: 0,
      optimizer: 'sgd',
      lr: 0.5,
    };
    assert.deepEqual(toFits(any(set)), [
      {
        ...{ epochs: 3, validationSplit: 0, seed: 1, stratify: false, name: 'training', batchSize: 8 },
        optimizer: { type: 'sgd', learningRate: 0.5 },
      },
    ]);
  });
  test('a classifier in several ways', () => {
    const compare = ['batch32', 'batch64', 'adam', 'rmsprop'];
    const ways = (/** @type {object} */ more) =>
      toFits(any({ ...given, compare, ...more })).map(({ name, batchSize, optimizer }) => [
        name,
        batchSize,
        optimizer,
      ]);
    assert.deepEqual(ways({}), [
      ['Batch 32', 32, 'sgd'],
      ['Batch 64', 64, 'sgd'],
      ['Batch 32 Adam', 32, 'adam'],
      ['Batch 32 RMSprop', 32, 'rmsprop'],
    ]);
    assert.deepEqual(ways({ optimizer: 'momentum' }).map(([, , optimizer]) => optimizer), ['momentum', 'momentum', 'adam', 'rmsprop']); // prettier-ignore
    assert.deepEqual(any(ways({ lr: 0.5 })[2][2]).learningRate, 0.5);
    assert.throws(() => ways({ batch: 8 }), /pass --compare or --batch, not both/);
  });
  test('a detector in several ways', () => {
    assert.deepEqual(toChosen(any({ batch: 8, optimizer: 'sgd' })), [
      { name: 'training', batchSize: 8, optimizer: 'sgd' },
    ]);
    const compare = ['batch64', 'adam'];
    assert.deepEqual(toChosen(any({ compare, optimizer: 'sgd' })), [
      { name: 'Batch 64', batchSize: 64, optimizer: 'sgd' },
      { name: 'Batch 32 Adam', batchSize: 32, optimizer: 'adam' },
    ]);
    assert.throws(() => toChosen(any({ compare, batch: 8 })), UsageError);
  });

  test('a detector as the options say, and else as it suits the photos', () => {
    const learner = any({
      examples: { count: 20 },
      heads: { areFused: false, keepsClasses: false },
      planMemory: () => ({ keptRows: 1500 }),
    });
    const of = (/** @type {object} */ values, chosen = {}) =>
      toOptions(any({ seed: 7, ...values }), learner, any({ name: 'n', ...chosen }));
    assert.deepEqual(of({}), { ...planForPhotos(learner), seed: 7 });
    const given = { epochs: 2, views: 3, lr: 0.5, validation: 0.25 };
    const same = { epochs: 2, views: 3, learningRate: 0.5, validationSplit: 0.25, batchSize: 9 };
    assert.deepEqual(of(given, { batchSize: 9 }), { ...planForPhotos(learner, same), seed: 7 });
    assert.deepEqual(of({}, { optimizer: 'sgd' }).optimizer, { type: 'sgd' });
    assert.deepEqual(of({ lr: 0.5 }, { optimizer: 'sgd' }).optimizer, { type: 'sgd', learningRate: 0.5 });
  });

  const values = { task: 'classify', unfreeze: 0, 'batch-norm': 'frozen', out: 'o.tflite' };
  /** @type {[object, RegExp][]} */
  const refused = [
    [{ out: undefined }, /needs --out or --report/],
    [{ views: 3, split: 'x' }, /^--views needs --task detect$/],
    [{ ssd: '{}', annotations: 'x' }, /^--annotations needs --task detect$/],
    [{ 'keep-classes': true, ssd: '{}' }, /^--keep-classes needs/],
    [{ task: 'detect', 'keep-classes': true, unfreeze: 2 }, /^--keep-classes needs --unfreeze 0/],
    [{ task: 'detect', 'no-stratify': true }, /^--no-stratify is for --task classify$/],
    [{ task: 'detect', compare: ['adam'], batch: 3 }, /not both/],
    [{ compare: ['adam'], batch: 3 }, /not both/],
    [{ validation: 1 }, /^--validation 1 leaves no images to train on; pass less$/],
    [{ task: 'detect', validation: 1, epochs: 3 }, /^--validation 1 leaves no images/],
  ];
  for (const [more, message] of refused)
    test(`${message}`, () =>
      assert.rejects(async () => train.run(any({ ...values, ...more }), ['/nowhere']), {
        name: 'Error',
        message,
      }));

  test('what is printed of several trainings', () => {
    const configuration = {
      ...{ name: 'A', seconds: 12, energy: { account: { energy_consumed: 0.5, emissions: 0.25 } } },
      history: { history: { accuracy: [0.5, 0.75], loss: [3, 2] } },
    };
    const other = {
      ...configuration,
      name: 'B',
      history: { history: { val_accuracy: [0.125], val_loss: [7] } },
    };
    assert.deepEqual(lines(summarize(any([configuration, other]))), [
      '                                         A              B',
      '  Train accuracy                      0.75  not validated',
      '  Train validation accuracy  not validated          0.125',
      '  Train loss                             2  not validated',
      '  Train validation loss      not validated              7',
      '  Energy (kWh)                         0.5            0.5',
      '  Emissions (kg CO2e)                 0.25           0.25',
      '  Seconds                               12             12',
    ]);
  });
});

describe('evaluate', () => {
  test('sizes of tiles', () => {
    assert.deepEqual(tilesOf(undefined), [undefined]);
    assert.deepEqual(tilesOf(['off', 'auto', '64', '4096']), ['off', 'auto', 64, 4096]);
    for (const wrong of ['0', '1.5', '1e9', 'on', '-64', ''])
      assert.throws(() => tilesOf(['off', wrong]), {
        message: /expected off, auto or a size from \d+ to \d+ pixels$/,
      });
  });
  const names = (/** @type {any} */ models, /** @type {any} */ ways) =>
    configurationsOf(models, { decodes: [undefined], tiles: [undefined], ...ways }).map(({ name }) => name);
  test('configurations and their names', () => {
    assert.deepEqual(names([undefined], {}), ['default']);
    assert.deepEqual(names([undefined, 'a.tflite'], {}), ['default', 'a.tflite']);
    assert.deepEqual(names(['default'], { precision: ['float', 'int8'] }), ['default float', 'default int8']);
    assert.deepEqual(names([undefined], { precision: ['float', 'int8'], weights: ['full', 'compressed'] }), [
      ...['default full', 'default compressed', 'default int8'],
    ]);
    assert.deepEqual(names([undefined], { decodes: ['full', 'scaled'], tiles: ['off', 64] }), [
      ...[
        'default full tiles off',
        'default full tiles 64',
        'default scaled tiles off',
        'default scaled tiles 64',
      ],
    ]);
    const [first, second] = configurationsOf(['default', 'a'], { decodes: ['full'], tiles: [64] });
    assert.deepEqual(first, {
      name: 'default',
      model: undefined,
      form: { precision: 'float' },
      decode: 'full',
      tiles: 64,
    });
    assert.equal(second.model, 'a');
  });
  test('forms are those of the default model', () => {
    assert.throws(() => names(['a.tflite'], { weights: ['full'] }), { message: /^--weights chooses a form/ });
    assert.throws(() => names([undefined, 'a.tflite'], { precision: ['float', 'int8'] }), {
      message: /^--precision chooses/,
    });
    assert.deepEqual(names(['a.tflite'], { precision: ['float'] }), ['a.tflite']);
    assert.deepEqual(names(['default'], { weights: ['full'], precision: ['int8'] }), ['default']);
  });
});
