// Which operators are quantized, which tensors share a scale, and which are logits: of networks that are only tables.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TYPE } from '../../../wasm/quantize/file.js';
import { makePlan } from '../../../wasm/quantize/plan.js';
import { OPERATORS } from '../../../wasm/tflite/operators.js';

/**
 * Tensors are letters, of which A to Z are constants.
 * @param {string[]} operators such as `ADD xC y`
 * @param {string} ports inputs, and behind an arrow outputs
 * @param {{keepFloat?: string[], hasFloatOutputs?: boolean, int32?: string}} [how]
 */
function plan(operators, ports, { keepFloat = [], hasFloatOutputs = false, int32 = '' } = {}) {
  const letters = [
    ...new Set([...`${operators.map((each) => each.replace(/^\w+ /, '')).join('')}${ports}`]),
  ].filter((letter) => /[a-z]/i.test(letter));
  const at = (/** @type {string} */ letter) => letters.indexOf(letter);
  const list = (/** @type {string} */ text) => [...text].map(at);
  const tensors = letters.map((name) => ({
    ...{ name, shape: [4], type: int32.includes(name) ? TYPE.int32 : TYPE.float32 },
    ...(/[A-Z]/.test(name) && { data: new Uint8Array(16) }),
  }));
  const [inputs, outputs] = ports.split('>').map(list);
  const made = makePlan(
    {
      ...{ description: '', tensors, inputs, outputs, signatures: [], metadata: [] },
      operators: operators.map((each) => {
        const [kind, from, to] = each.split(' ');
        return {
          code: OPERATORS[kind].code,
          custom: '',
          version: 1,
          inputs: list(from),
          outputs: list(to),
          optionsType: 0,
          options: [],
        };
      }),
    },
    { keepFloat, hasFloatOutputs },
  );
  return {
    quantized: made.rules.map((rule) => rule !== undefined),
    together: (/** @type {string} */ a, /** @type {string} */ b) =>
      made.groupOf(at(a)) === made.groupOf(at(b)),
    logits: letters.filter((letter) => made.isLogits(made.groupOf(at(letter)))).join(''),
    fixed: letters.filter((letter) => made.fixedScales.has(at(letter))).join(''),
  };
}

describe('logits', () => {
  /** @type {[operators: string[], ports: string, logits: string, keepFloat?: string[]][]} */
  const cases = [
    [['ADD xC z', 'LOGISTIC z y'], 'x>y', 'z'],
    [['ADD xC z', 'LOGISTIC z y'], 'x>yz', ''],
    [['LOGISTIC x y'], 'x>y', ''],
    [['ADD xC z', 'RESHAPE zS r', 'LOGISTIC r y'], 'x>y', 'zr'],
    [['ADD xC z', 'RESHAPE zS r', 'LOGISTIC r y'], 'x>yr', ''],
    [['ADD xC z', 'RESHAPE zS r', 'LOGISTIC r y', 'ADD zD w'], 'x>yw', ''],
    [['ADD xC z', 'LOGISTIC z y', 'LOGISTIC z w'], 'x>yw', 'z'],
    [['ADD xC z', 'LOGISTIC z y'], 'x>y', '', ['y']],
    [['ADD xC z', 'LOGISTIC z y', 'ADD zD w'], 'x>yw', ''],
    [['ADD xC z', 'ADD xD v', 'LOGISTIC z y', 'LOGISTIC v w', 'ADD vE u'], 'x>ywu', 'z'],
  ];
  for (const [operators, ports, logits, keepFloat] of cases)
    test(`${operators.join(', ')}; ${ports}: ${logits || 'none'}`, () =>
      assert.equal(plan(operators, ports, { keepFloat }).logits, logits));
});

describe('scales', () => {
  test('are one for what only moves', () => {
    const { together, fixed } = plan(['ADD xC z', 'RESHAPE zS r', 'ADD rD y'], 'x>y', { int32: 'S' });
    assert.deepEqual(
      [together('z', 'r'), together('x', 'z'), together('r', 'y'), together('r', 'S')],
      [true, false, false, false],
    );
    assert.equal(fixed, '');
  });
  test('of the image are those of what has its values only', () => {
    const all = [
      'PAD xS p',
      'MAX_POOL_2D p q',
      'CONCATENATION pq r',
      'ADD rC a',
      'CONCATENATION ra y',
      'ADD yD w',
    ];
    const { together } = plan(all, 'x>w', { int32: 'S' });
    assert.deepEqual([...'pqr'].map((tensor) => together('x', tensor)), [true, true, true]); // prettier-ignore
    assert.deepEqual([together('x', 'y'), together('a', 'y')], [false, true]);
    const withConstant = plan(['MAXIMUM xC y', 'ADD yD w'], 'x>w');
    assert.equal(withConstant.together('x', 'y'), false);
  });
  test('are one for all that is joined, but for scales that are fixed', () => {
    const { together, fixed } = plan(['ADD xC a', 'LOGISTIC x b', 'CONCATENATION ab y', 'ADD yD w'], 'x>w');
    assert.deepEqual([together('a', 'y'), together('b', 'y'), fixed], [true, false, 'b']);
  });
});

describe('operators', () => {
  /** @type {[string[], string, object, boolean[]][]} */
  const cases = [
    [['ADD xC z', 'RESHAPE zS y'], 'x>y', {}, [true, true]],
    [['ADD xC z', 'RESHAPE zS y'], 'x>y', { hasFloatOutputs: true }, [true, false]],
    [['ADD xC z', 'RESHAPE zS r', 'RESHAPE rS y'], 'x>y', { hasFloatOutputs: true }, [true, false, false]],
    [['ADD xC z', 'RESHAPE zS r', 'ADD rD y'], 'x>y', { hasFloatOutputs: true }, [true, true, true]],
    [
      ['ADD xC z', 'RESHAPE zS r', 'ADD rD y', 'RESHAPE rS w'],
      'x>yw',
      { hasFloatOutputs: true },
      [true, true, true, false],
    ],
    [['ADD xC z', 'RESHAPE zS r', 'ADD rD y'], 'x>yr', { hasFloatOutputs: true }, [true, true, true]],
    [['ADD xC z', 'ADD zD y'], 'x>y', { keepFloat: ['z'] }, [false, true]],
    [['ADD xC z', 'ADD zD y'], 'x>y', { int32: 'zy' }, [false, false]],
    [['ADD xC z', 'ADD zD y'], 'x>y', { int32: 'y' }, [true, false]],
  ];
  for (const [operators, ports, how, quantized] of cases)
    test(`${operators.join(', ')}, ${JSON.stringify(how)}: ${quantized}`, () => {
      if (quantized.includes(true))
        assert.deepEqual(plan(operators, ports, { int32: 'S', ...how }).quantized, quantized);
      else assert.throws(() => plan(operators, ports, how), { code: 'NOTHING_TO_QUANTIZE' });
    });
});
