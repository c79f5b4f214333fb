// Parts of compression on numbers that are made here: the search for a target, steps at their limits, random signs, what answers
// depend on, how many of them stay, and what is written about it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareAnswers } from '../../../wasm/compress/answers.js';
import { compress } from '../../../wasm/compress/node.js';
import { exp, randomSigns, sigmoid } from '../../../wasm/compress/exact.js';
import { checkOptions } from '../../../wasm/compress/options.js';
import { answerRows, toMarkdown, weightRows } from '../../../wasm/compress/report.js';
import { search } from '../../../wasm/compress/search.js';
import { findKernels, SensitivityMeter } from '../../../wasm/compress/sensitivity.js';
import { chooseSteps } from '../../../wasm/compress/steps.js';
import { findTask } from '../../../wasm/compress/task.js';
import { readFloatModel } from '../../../wasm/quantize/float_model.js';
import { appendLabels, writeMetadata } from '../../../wasm/tflite/metadata.js';
import { writeTflite } from '../../../wasm/tflite/write.js';
import { createEngine, loadModel } from '../shared.js';
import { ANCHORS, tinyDetector } from '../train/tiny_detector.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const near = (/** @type {number} */ found, /** @type {number} */ expected, tolerance = 1e-6) =>
  assert.ok(Math.abs(found - expected) <= tolerance, `${found}, not ${expected}`);

describe('the search', () => {
  /** Between two tries that differ by this factor. */
  const WIDTH = 4096 ** (1 / 1024);
  for (const prefersCoarse of [true, false])
    for (const limit of [0.1, 3, 20])
      test(`${prefersCoarse ? 'coarsest' : 'finest'} steps that pass: ${limit}`, async () => {
        /** @type {number[]} */
        const made = [];
        const passes = (/** @type {number} */ lambda) => (prefersCoarse ? lambda <= limit : lambda >= limit);
        const make = async (/** @type {number} */ lambda) => (made.push(lambda), lambda);
        const best = await search(2, make, { passes, prefersCoarse, miss: String });
        assert.ok(passes(best));
        const ratio = prefersCoarse ? limit / best : best / limit;
        assert.ok(ratio >= 1 && ratio <= WIDTH, `${ratio}`);
        assert.deepEqual([made.length, made[0]], [11, prefersCoarse ? 2 / 64 : 2 * 64]);
      });
  test('that finds nothing says what it has', () =>
    assert.rejects(
      search(2, async (lambda) => lambda, any({ passes: () => false, prefersCoarse: false, miss: (/** @type {number} */ made) => `only ${made}` })),
      { code: 'TARGET_NOT_REACHED', message: /only 128/ },
    )); // prettier-ignore
});

describe('steps', () => {
  /** @param {number} count @param {number} channels @param {(c: number, i: number) => number} value */
  const kernel = (count, channels, value) => ({
    values: Float32Array.from({ length: count }, (_, i) => value(i % channels, i)),
    channels,
    channelOf: (/** @type {number} */ i) => i % channels,
  });
  const alternating = (/** @type {number} */ c, /** @type {number} */ i) => ((i / 2) & 4 ? 1 : -1);
  const sensitive = (/** @type {number} */ count, /** @type {number} */ channels) =>
    Float64Array.from({ length: channels }, (_, c) => (c < count ? 1e6 : 1e-6));

  /** @type {[string, number, number, boolean][]} weights, channels that need finer steps of 20, whether it is in int8 */
  const small = [
    ['a small layer may have 15 % of sensitive channels', 19_980, 3, true],
    ['a small layer with more', 19_980, 4, false],
    ['a large layer may have any', 20_000, 20, true],
  ];
  for (const [name, count, sensitives, isInt8] of small)
    test(name, () =>
      assert.equal(
        chooseSteps(kernel(count, 20, alternating), sensitive(sensitives, 20), 3) !== undefined,
        isInt8,
      ),
    );

  test('are never finer than int8 has, nor coarser than 1.6 root mean squares', () => {
    const found = chooseSteps(
      kernel(20_000, 2, (c) => (c + 1) * 0.5),
      Float64Array.of(1e12, 1e12),
      1,
    );
    near(Number(found?.scales[0]), 0.5 / 127, 1e-8);
    near(Number(found?.scales[1]), 1 / 127, 1e-8);
    assert.deepEqual([...(found?.stored.subarray(0, 2) ?? [])], [127, 127]);
    const coarse = chooseSteps(
      kernel(400, 2, (c) => (c + 1) * 0.5),
      Float64Array.of(1e-12, 1e-12),
      1,
    );
    near(Number(coarse?.scales[0]), 0.8);
    near(Number(coarse?.scales[1]), 1.6);
  });
  test('follow nine parts of the channel’s sensitivity and one of the mean', () => {
    const found = chooseSteps(kernel(400, 2, alternating), Float64Array.of(1, 9), 0.5);
    [1, 9].forEach((own, c) => near(Number(found?.scales[c]), 0.5 / Math.sqrt(0.9 * own + 0.1 * 5)));
  });
  test('of a channel without weights are 1; halves are rounded to even', () => {
    const halves = [0.5, 1.5, 2.5, -0.5, -1.5, 90];
    const found = chooseSteps(
      kernel(12, 2, (c, i) => (c === 1 ? 0 : halves[i / 2])),
      Float64Array.of(1, 1),
      1,
    );
    assert.deepEqual([...(found?.scales ?? [])], [1, 1]);
    assert.deepEqual(
      [...(found?.stored ?? [])].filter((_, i) => i % 2 === 0),
      [0, 2, 2, -0, -2, 90].map(Number).map((x) => x + 0),
    );
  });
  test('are not chosen for numbers that are none', () => {
    for (const bad of [Infinity, NaN])
      assert.equal(
        chooseSteps(
          kernel(8, 2, (c, i) => (i === 3 ? bad : 1)),
          Float64Array.of(1, 1),
          1,
        ),
        undefined,
      );
    assert.equal(
      chooseSteps(
        kernel(8, 2, () => 1),
        Float64Array.of(1, Infinity),
        1,
      ),
      undefined,
    );
  });
});

test('powers of e are nearly those of the engine, between 0 and e to 700', () => {
  for (let x = -699.5; x <= 700; x += 0.375) near(exp(x) / Math.exp(x), 1, 2e-15);
  for (const x of [-700, -701, -Infinity, NaN]) assert.equal(exp(x), 0, String(x));
  for (const x of [700.5, 1e9, Infinity]) assert.equal(exp(x), exp(700));
  assert.deepEqual([exp(0), sigmoid(0), sigmoid(-1e9), sigmoid(1e9)], [1, 0.5, 1 / (1 + exp(700)), 1]);
  near(sigmoid(-2), 1 / (1 + Math.E ** 2), 1e-15);
});

test('rows of a report', () => {
  assert.deepEqual(weightRows({ int8: 1, float16: 0, float32: 2 }), [['int8', '1', '33.3 %'], ['float16', '0', '0.0 %'], ['float32', '2', '66.7 %']]); // prettier-ignore
  const answers = { share: 0.98765432, difference: 0.0123456 };
  assert.deepEqual(answerRows('classifier', answers), [['images with the same best class', '98.8 %'], ['mean score difference', '0.01235']]); // prettier-ignore
  for (const task of /** @type {const} */ (['features', 'detector']))
    assert.deepEqual(answerRows(task, answers), [['mean cosine of the outputs', '0.98765'], ['mean relative difference', '0.0123']]); // prettier-ignore
});

test('signs are those of Marsaglia’s xorshift generator', () => {
  for (const seed of [0, 1, 7, 1000]) {
    const sign = randomSigns(seed);
    let state = (BigInt(seed + 1) * 0x9e3779b1n) | 1n;
    const low = (/** @type {bigint} */ x) => BigInt.asUintN(32, x);
    state = low(state);
    for (let i = 0; i < 200; i++) {
      state ^= low(state << 13n);
      state ^= state >> 17n;
      state ^= low(state << 5n);
      assert.equal(sign(), state >> 31n ? -1 : 1, `${seed}, ${i}`);
    }
  }
});

const softmax = (/** @type {number[]} */ row) => {
  const sum = row.reduce((total, x) => total + Math.exp(x), 0);
  return row.map((x) => Math.exp(x) / sum);
};

/** A network of one matrix product of two inputs and three outputs, and a softmax if that is wanted. @param {{bias: number[], isSoftmax: boolean, labels?: string[]}} how */
function tiny({ bias, isSoftmax, labels }) {
  const image = { name: 'x', shape: [1, 1, 2, 1] };
  const kernel = {
    dtype: /** @type {const} */ ('float32'),
    shape: [2, 3],
    data: Float32Array.of(1, 0, -1, 0, 2, 1),
  };
  const y = { name: 'y', shape: [1, 3] };
  const ops = [
    { kind: 'FULLY_CONNECTED', inputs: [image], output: y, options: { activation: 'NONE', keepNumDims: false }, weights: { kernel, isTransposed: false, bias: Float64Array.from(bias) } },
    ...(isSoftmax ? [{ kind: 'SOFTMAX', inputs: [y], output: { name: 'p', shape: [1, 3] }, options: {} }] : []),
  ]; // prettier-ignore
  const output = ops[ops.length - 1].output;
  const metadata =
    labels &&
    writeMetadata({ name: '', description: '', outputs: [{ name: 'y', role: 'probability', labels }] });
  const model = writeTflite(any({ ops, inputs: [image], outputs: [{ name: 'y', value: output }] }), {
    precision: 'fp32',
    description: '',
    ...(metadata && { metadata }),
  });
  return labels ? appendLabels(model, labels) : model;
}

/** @param {Uint8Array} bytes */
async function taskOf(bytes) {
  const engine = await createEngine('simd');
  const metadata = await loadModel(engine, bytes);
  const model = readFloatModel(any(bytes));
  const task = await findTask(engine, model, { metadata });
  engine.close();
  return { task, model };
}

describe('what a network answers', () => {
  test('with probabilities: a class', async () => {
    const { task, model } = await taskOf(tiny({ bias: [0, 0, 0], isSoftmax: true }));
    assert.deepEqual([task.kind, task.outputs], ['classifier', model.outputs]);
    const signs = randomSigns(5);
    const [gradient] = task
      .lossGradients(new Map([[model.outputs[0], Float32Array.of(0.5, 0.25, 0.25)]]), 5)
      .values();
    assert.deepEqual([...gradient], [signs(), signs(), signs()]);
  });
  test('with one label: a class, too', async () =>
    assert.equal(
      (await taskOf(tiny({ bias: [0, 0, 0], isSoftmax: false, labels: ['a'] }))).task.kind,
      'classifier',
    ));
  test('with logits beyond what exp() can hold', async () => {
    const { task, model } = await taskOf(
      tiny({ bias: [0, 0, 0], isSoftmax: false, labels: ['a', 'b', 'c'] }),
    );
    const gradientOf = (/** @type {number} */ shift) => {
      const logits = Float32Array.of(shift, shift + 1, shift - 1);
      return [...[...task.lossGradients(new Map([[model.outputs[0], logits]]), 9).values()][0]];
    };
    for (const shift of [1000, -1000]) assert.deepEqual(gradientOf(shift), gradientOf(0));
  });
  test('with labels and logits: the class of their softmax', async () => {
    const { task, model } = await taskOf(
      tiny({ bias: [0, 0, 0], isSoftmax: false, labels: ['a', 'b', 'c'] }),
    );
    assert.deepEqual([task.kind, task.outputs], ['classifier', model.outputs]);
    const logits = [1, -0.5, 2];
    const [gradient] = task
      .lossGradients(new Map([[model.outputs[0], Float32Array.from(logits)]]), 9)
      .values();
    const sign = randomSigns(9);
    const signs = logits.map(() => sign());
    // Of the sum of the probabilities with their signs, by differences.
    const loss = (/** @type {number[]} */ row) => softmax(row).reduce((sum, p, i) => sum + signs[i] * p, 0);
    logits.forEach((logit, i) => {
      const [more, less] = [1e-4, -1e-4].map((change) => loss(logits.with(i, logit + change)));
      near(gradient[i], (more - less) / 2e-4, 1e-5);
    });
  });
  test('with vectors: features, in parts of their length', async () => {
    const { task, model } = await taskOf(tiny({ bias: [0, 0, 0], isSoftmax: false }));
    assert.deepEqual([task.kind, task.outputs], ['features', model.outputs]);
    const of = (/** @type {number[]} */ values) =>
      [...task.lossGradients(new Map([[model.outputs[0], Float32Array.from(values)]]), 2).values()][0];
    const signs = randomSigns(2);
    of([0, 3, 4]).forEach((value) => near(value, signs() / 5));
    of([0, 0, 0]).forEach((value) => near(Math.abs(value), 1));
  });

  for (const scores of /** @type {const} */ (['sigmoid', 'none']))
    test(`of a detector: boxes and scores, ${scores}`, async () => {
      const { task, model } = await taskOf(tinyDetector({ isSigmoid: scores === 'sigmoid' }));
      const [boxes, classes] = model.outputs;
      assert.deepEqual([task.kind, task.outputs], ['detector', [boxes, classes]]);
      const rows = ANCHORS.length;
      const logits = Float32Array.from({ length: 2 * rows }, (_, i) =>
        scores === 'none' ? (i % 10) / 10 : Math.sin(i),
      );
      const gradients = task.lossGradients(new Map([[classes, logits]]), 3);
      const probability = (/** @type {number} */ x) => (scores === 'none' ? x : 1 / (1 + Math.exp(-x)));
      const [ofScores, ofBoxes] = [classes, boxes].map((tensor) => any(gradients.get(tensor)));
      assert.deepEqual([ofScores.length, ofBoxes.length], [2 * rows, 4 * rows]);
      const signs = [...ofScores, ...ofBoxes].filter(Boolean).map(Math.sign);
      assert.ok(signs.includes(1) && signs.includes(-1));
      logits.forEach((x, i) => {
        const p = probability(x);
        near(Math.abs(ofScores[i]), scores === 'none' ? 1 : p * (1 - p));
      });
      for (let row = 0; row < rows; row++) {
        const best = Math.max(probability(logits[2 * row]), probability(logits[2 * row + 1]));
        [10, 10, 5, 5].forEach((coder, k) => near(Math.abs(ofBoxes[4 * row + k]), (2 * best) / coder));
      }
    });
});

test('options at their limits', () => {
  /** @type {[option: string, taken: unknown[], refused: unknown[]][]} */
  const limits = [
    ['targetBytes', [1, 2 ** 31], [0, 1.5, 2 ** 31 + 1, '1']],
    ['targetMatch', [0, 1], [-0.001, 1.001, NaN]],
  ];
  for (const [option, taken, refused] of limits) {
    for (const value of taken) assert.equal(any(checkOptions({ [option]: value }))[option], value);
    for (const value of refused)
      assert.throws(
        () => checkOptions({ [option]: value }),
        { code: 'INVALID_OPTION' },
        `${option} ${value}`,
      );
  }
});

describe('answers that stay', () => {
  /** @param {boolean} isSoftmax @param {number[]} bias after */
  const compare = async (isSoftmax, bias) => {
    const files = [[0, 0, 0], bias].map((each) => ({ model: tiny({ bias: each, isSoftmax }) }));
    const models = files.map(({ model }) => readFloatModel(model));
    const { task } = await taskOf(files[0].model);
    const inputs = [Float32Array.of(1, 0.25), Float32Array.of(0.5, 1)];
    const input = any({ scale: 1, offset: 0, resize: 'half-pixel' });
    return compareAnswers({ files, models, task, inputs, images: [], input });
  };
  /** The network's numbers. @param {number[]} bias */
  const logitsOf = (bias) => [[1, 0.5, -0.75], [0.5, 2, 0.5]].map((row) => row.map((x, i) => x + bias[i])); // prettier-ignore
  for (const [bias, share] of /** @type {[number[], number][]} */ ([
    [[0, 0, 0], 1],
    [[0, 0.75, 0], 0.5],
    [[0, 0, 9], 0],
  ]))
    test(`of a classifier: ${bias}`, async () => {
      const found = await compare(true, bias);
      const [before, after] = [[0, 0, 0], bias].map((each) => logitsOf(each).map(softmax));
      const differences = before.flatMap((row, i) => row.map((p, k) => Math.abs(p - after[i][k])));
      assert.equal(found.share, share);
      near(found.difference, differences.reduce((a, b) => a + b) / 6);
    });
  test('of features: the cosine, and how far they are', async () => {
    const bias = [0.5, -1, 2];
    const found = await compare(false, bias);
    const [before, after] = [logitsOf([0, 0, 0]), logitsOf(bias)];
    const length = (/** @type {number[]} */ row) => Math.hypot(...row);
    const cosines = before.map(
      (row, i) => row.reduce((sum, x, k) => sum + x * after[i][k], 0) / length(row) / length(after[i]),
    );
    near(found.share, (cosines[0] + cosines[1]) / 2);
    near(found.difference, (length(bias) / length(before[0]) + length(bias) / length(before[1])) / 2);
  });
});

test('a report as Markdown', () => {
  const report = any({
    layers: [{ name: 'a|b', signalToNoise: 100 }],
    bytes: { float: 4000, compressed: 2000, gzip: 1000 },
    weights: { int8: 1, float16: 2, float32: 5 },
    ...{ images: 2, task: 'detector' },
    answers: {
      ...{ share: 0.5, difference: 0.12345 },
      detections: { before: { found: 4, matched: 3 }, after: { found: 5, matched: 2 } },
    },
  });
  const lines = toMarkdown(report).split('\n');
  for (const line of [
    'Calibrated on 2 images.',
    ...['| before | 4000 |', '| after | 2000 |', '| after, gzipped | 1000 |'],
    ...['| int8 | 1 | 12.5 % |', '| float16 | 2 | 25.0 % |', '| float32 | 5 | 62.5 % |'],
    '- mean score difference: 0.1235',
  ])
    assert.ok(lines.includes(line), line);
  assert.match(lines.find((line) => line.includes('found again')) ?? '', /3 of 4/);
  assert.match(lines.find((line) => line.includes('found before')) ?? '', /2 of 5/);
  assert.equal(lines.at(-2), '| a b | 100.0 dB |');
});

test('stages are told in their order', async () => {
  const image = { data: Uint8Array.of(10, 200), width: 2, height: 1, channels: /** @type {const} */ (1) };
  const input = { scale: 1 / 255, offset: 0, resize: /** @type {const} */ ('half-pixel') };
  const stages = [{ stage: 'measure', images: 1 }, { stage: 'measure', images: 2 }, { stage: 'search' }];
  for (const report of [true, false]) {
    /** @type {object[]} */
    const told = [];
    const onProgress = (/** @type {object} */ progress) => void told.push(progress);
    await compress(tiny({ bias: [0, 0, 0], isSoftmax: true }), [image, image], { input, report, onProgress });
    assert.deepEqual(told, report ? [...stages, { stage: 'compare' }] : stages);
  }
});

describe('a layer', () => {
  const [FULLY_CONNECTED, CUSTOM, FLOAT32, INT32] = [9, 32, 0, 2];
  /** Tensors: the image, the weights, the result. @param {any} kernel @param {any} operator */
  const modelOf = (kernel, operator = {}) =>
    any({
      tensors: [{ name: 'x', shape: [1, 2] }, { name: 'w', shape: [1, 2], ...kernel }, { name: 'y', shape: [1, 1] }],
      operators: [{ code: FULLY_CONNECTED, options: [], inputs: [0, 1], outputs: [2], ...operator }],
      ...{ inputs: [0], outputs: [2] },
    }); // prettier-ignore
  const weights = { data: new Uint8Array(new Float32Array([3, 4]).buffer), type: FLOAT32 };
  const values = [[0, [1, 2]], [1, [3, 4]], [2, [11]]].map(([tensor, of]) => ({ tensor, values: Float32Array.from(any(of)) })); // prettier-ignore
  const measure = async (/** @type {any} */ model) => {
    const backward = { run: () => ({ squares: Float64Array.of(6) }) };
    const meter = new SensitivityMeter(model, any({ run: () => values }), any(backward));
    await meter.add(Float32Array.of(1, 2), () => new Map([[2, Float32Array.of(1)]]));
    return meter.result.sensitivity;
  };
  test('of constant weights is as sensitive as the mean of its squares', async () => {
    assert.deepEqual(await measure(modelOf(weights)), new Map([[1, Float64Array.of(3)]]));
  });
  test('whose weights are computed, and one of another kind, have no derivative', async () => {
    const code = 'NO_DERIVATIVE';
    await assert.rejects(measure(modelOf({})), { code, message: /FULLY_CONNECTED \('y'\)/ });
    const custom = modelOf(weights, { code: CUSTOM, custom: 'Own' });
    await assert.rejects(measure(custom), { code, message: /Own \('y'\)/ });
  });
  test('has a kernel if it is constant, of floats, and read by such layers only', () => {
    const axisOf = (/** @type {any} */ kernel, /** @type {any} */ more = {}) => findKernels({ ...modelOf(kernel, more.operator), ...more.model }).get(1); // prettier-ignore
    assert.equal(axisOf(weights), 0);
    for (const [kernel, more] of /** @type {[any, any?][]} */ ([
      [{ type: FLOAT32 }],
      [{ ...weights, type: INT32 }],
      [weights, { model: { outputs: [1] } }],
      [weights, { operator: { inputs: [1, 1] } }],
      [weights, { operator: { inputs: [0, 0, 1] } }],
      [weights, { operator: { code: CUSTOM } }],
    ]))
      assert.equal(axisOf(kernel, more), undefined);
  });
});
