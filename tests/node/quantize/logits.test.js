// The quantizer's rules for logits, hard-swish and the input's pixels, against exact numbers.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { convert } from '../../../wasm/convert/node.js';
import { TYPE } from '../../../wasm/quantize/file.js';
import { fuseHardSwish } from '../../../wasm/quantize/hard_swish.js';
import { quantize } from '../../../wasm/quantize/node.js';
import { pixelScale } from '../../../wasm/quantize/ranges.js';
import { kindOf, OPERATORS } from '../../../wasm/tflite/operators.js';
import { loadEngine } from '../shared.js';
import { graphModel } from '../convert/graph_model.js';

const FLOAT = { T: { type: 'DT_FLOAT' } };

test('scores of logits from -440 to 4 keep their order and their values', async () => {
  const conv = { strides: { list: { i: ['1', '1', '1', '1'] } }, padding: { s: 'VkFMSUQ=' } };
  const nodes = [
    { name: 'z', op: 'Conv2D', input: ['x', 'k'], attr: { ...FLOAT, ...conv } },
    { name: 'logits', op: 'BiasAdd', input: ['z', 'b'], attr: FLOAT },
    { name: 'rows', op: 'Reshape', input: ['logits', 'to'], attr: FLOAT },
    { name: 'y', op: 'Sigmoid', input: ['rows'], attr: FLOAT },
  ];
  const to = { shape: [3], values: [-1, 256, 1], dtype: /** @type {const} */ ('int32') };
  // From 0 to 255, the red channel gives logits from -440 to 4; 224 to 255 give scores that matter.
  const constants = {
    k: { shape: [1, 1, 3, 1], values: [444, 0, 0] },
    b: { shape: [1], values: [-440] },
    to,
  };
  const { model } = await convert(graphModel([-1, 16, 16, 3], nodes, constants, ['y']), { input: '[0,1]' });
  const data = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
  const image = { data, width: 16, height: 16, channels: /** @type {const} */ (3) };
  const { model: int8 } = await quantize(model, [image], { report: false });
  const engine = await loadEngine('simd', int8);
  engine.writeInput(
    0,
    Float32Array.from(data, (value) => value / 255),
  );
  engine.run();
  const scores = Array.from(engine.readOutput(0).data, Number);
  engine.close();
  scores.forEach((score, pixel) => {
    const expected = 1 / (1 + Math.exp(-((444 * pixel) / 255 - 440)));
    assert.ok(Math.abs(score - expected) < 0.02, `${pixel}: ${score}, not ${expected}`);
  });
});

describe('hard-swish spelled out', () => {
  const float = (/** @type {string} */ name) => ({ name, shape: [1, 4], type: TYPE.float32 });
  const number = (/** @type {string} */ name, /** @type {number} */ value) => ({
    ...float(name),
    shape: [],
    data: new Uint8Array(Float32Array.of(value).buffer),
  });
  /**
   * @param {[kind: string, inputs: string[], output: string, activation?: number][]} steps
   * @param {string[]} [outputs]
   */
  function kindsAfter(steps, outputs = ['y']) {
    const names = ['x', 'three', 'sixth', 'half', ...steps.map(([, , output]) => output)];
    const constants = new Map([
      ['three', 3],
      ['sixth', 1 / 6],
      ['half', 0.5],
    ]);
    const operators = steps.map(([kind, inputs, output, activation = 0]) => ({
      ...{ code: OPERATORS[kind].code, custom: '', version: 1, optionsType: 0, options: [activation] },
      inputs: inputs.map((name) => names.indexOf(name)),
      outputs: [names.indexOf(output)],
    }));
    const tensors = names.map((name) =>
      constants.has(name) ? number(name, constants.get(name) ?? 0) : float(name),
    );
    const all = { description: '', signatures: [], metadata: [], tensors, operators, inputs: [0] };
    const fused = fuseHardSwish({ ...all, outputs: outputs.map((name) => names.indexOf(name)) });
    return fused.operators.map(({ code, inputs }) => `${kindOf(code)} ${inputs.map((i) => names[i])}`);
  }
  /** @type {[string, Parameters<typeof kindsAfter>[0]][]} */
  const forms = [
    [
      'x * (relu6(x + 3) / 6)',
      [
        ['ADD', ['x', 'three'], 'a', 3],
        ['MUL', ['a', 'sixth'], 'g'],
        ['MUL', ['x', 'g'], 'y'],
      ],
    ],
    [
      '(relu6(3 + x) * x) / 6',
      [
        ['ADD', ['three', 'x'], 'a'],
        ['RELU6', ['a'], 'r'],
        ['MUL', ['r', 'x'], 'p'],
        ['MUL', ['sixth', 'p'], 'y'],
      ],
    ],
    [
      '(x / 6) * relu6(x + 3)',
      [
        ['MUL', ['x', 'sixth'], 's'],
        ['ADD', ['x', 'three'], 'a', 3],
        ['MUL', ['s', 'a'], 'y'],
      ],
    ],
  ];
  for (const [name, steps] of forms) test(name, () => assert.deepEqual(kindsAfter(steps), ['HARD_SWISH x']));

  /** @type {[string, Parameters<typeof kindsAfter>[0], string[]?][]} */
  const others = [
    [
      'another shift',
      [
        ['ADD', ['x', 'half'], 'a', 3],
        ['MUL', ['a', 'sixth'], 'g'],
        ['MUL', ['x', 'g'], 'y'],
      ],
    ],
    [
      'another factor',
      [
        ['ADD', ['x', 'three'], 'a', 3],
        ['MUL', ['a', 'half'], 'g'],
        ['MUL', ['x', 'g'], 'y'],
      ],
    ],
    [
      'another activation',
      [
        ['ADD', ['x', 'three'], 'a', 1],
        ['MUL', ['a', 'sixth'], 'g'],
        ['MUL', ['x', 'g'], 'y'],
      ],
    ],
    ['a gate that is an output', forms[0][1], ['y', 'g']],
    [
      'the input in place of a gate',
      [
        ['MUL', ['x', 'sixth'], 's'],
        ['MUL', ['x', 's'], 'y'],
      ],
    ],
    [
      'operands that are left out',
      [
        ['ADD', ['x', 'none'], 'a', 3],
        ['MUL', ['a', 'sixth'], 'g'],
        ['MUL', ['x', 'g'], 'y'],
      ],
    ],
    [
      'a gate of another value',
      [
        ['ADD', ['x', 'three'], 'a', 3],
        ['MUL', ['a', 'sixth'], 'g'],
        ['RELU', ['x'], 'z'],
        ['MUL', ['z', 'g'], 'y'],
      ],
    ],
  ];
  for (const [name, steps, outputs] of others)
    test(`not ${name}`, () =>
      assert.deepEqual(
        kindsAfter(steps, outputs).map((text) => text.split(' ')[0]),
        steps.map(([kind]) => kind),
      ));
});

describe('the scale of pixels', () => {
  const error = (
    /** @type {number} */ start,
    /** @type {number} */ end,
    /** @type {{scale: number, zeroPoint: number}} */ { scale, zeroPoint },
  ) => {
    const pixels = Array.from({ length: 256 }, (_, p) => start + ((end - start) * p) / 255);
    const rounded = pixels.map((value) => {
      const stored = Math.min(Math.max(Math.round(value / scale) + zeroPoint, -128), 127);
      return (stored - zeroPoint) * scale;
    });
    return Math.max(...pixels.map((value, p) => Math.abs(value - rounded[p]))) / ((end - start) / 255);
  };
  test('from 0 to 1: exact', () => assert.ok(error(0, 1, pixelScale(0, 1, false)) < 1e-4));
  test('from -1 to 1: black and white are exact, and 0 is', () => {
    const { scale, zeroPoint } = pixelScale(-1, 1, false);
    assert.deepEqual([scale, zeroPoint], [Math.fround(1 / 127), 0]);
    assert.ok(error(-1, 1, { scale, zeroPoint }) <= 0.51);
  });
  test('bytes of pixels are the tensor', () =>
    assert.equal(pixelScale(-1, 1, true).scale, Math.fround(2 / 255)));
});
