// The checks of values and options, and the small functions that everything stands on: each at its limits.
import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { isContent, isZip, toBytes, toFiles } from '../../../wasm/shared/content.js';
import {
  failure,
  failures,
  isUnreadable,
  OcelliError,
  reading,
  reviveError,
  toPlainError,
} from '../../../wasm/shared/errors.js';
import {
  boolean,
  choice,
  either,
  list,
  nullable,
  number,
  record,
  text,
} from '../../../wasm/shared/fields.js';
import { notice } from '../../../wasm/shared/notice.js';
import { concatenate, joinInto, sizeOf, toNumbers } from '../../../wasm/shared/numbers.js';
import {
  checkBoolean,
  checkChoice,
  checkFields,
  checkKeys,
  checkNumber,
  checkNumbers,
  checkSignal,
  checkText,
  pick,
} from '../../../wasm/shared/options.js';
import { pixelRange } from '../../../wasm/shared/pixel_range.js';
import { isNear, nearest, suggest } from '../../../wasm/shared/spelling.js';

const invalid = (/** @type {string | RegExp} */ message) => ({ code: 'INVALID_OPTION', message });

describe('fields', () => {
  const whole = number({ min: 1, max: 9, integer: true });
  const NUMBERED = record({ a: whole, b: text(3) }, ['a']);
  /** @type {[string, import('../../../wasm/shared/fields.js').Check, unknown, string | undefined][]} */
  const cases = [
    ['the least', whole, 1, undefined],
    ['the largest', whole, 9, undefined],
    ['too small', whole, 0, 'x must be a whole number from 1 to 9'],
    ['too large', whole, 10, 'x must be a whole number from 1 to 9'],
    ['a fraction', whole, 1.5, 'x must be a whole number from 1 to 9'],
    ['a fraction that may be', number({ min: 0, max: 1 }), 0.5, undefined],
    ['a text', whole, '5', 'x must be a whole number from 1 to 9'],
    ['any number', number(), -1e300, undefined],
    ['NaN', number(), NaN, 'x must be a number'],
    ['infinity', number(), -Infinity, 'x must be a number'],
    ['a choice', choice(['a', 'b']), 'b', undefined],
    ['no choice', choice(['a', 'b']), 'c', "x must be 'a' or 'b'"],
    ['false', boolean, false, undefined],
    ['0 for false', boolean, 0, 'x must be true or false'],
    ['a text of the limit', text(3), 'abc', undefined],
    ['a text over it', text(3), 'abcd', 'x has 4 characters; the limit is 3'],
    ['a number for a text', text(3), 3, 'x must be a text'],
    ['a list', list(whole, { min: 1, max: 2 }), [1, 9], undefined],
    ['a list that is too short', list(whole, { min: 1, max: 2 }), [], 'x has 0 items instead of 1 to 2'],
    [
      'a list that is too long',
      list(whole, { min: 1, max: 2 }),
      [1, 1, 1],
      'x has 3 items instead of 1 to 2',
    ],
    ['an empty list', list(whole, { max: 2 }), [], undefined],
    ['its first item', list(whole, { max: 2 }), [0, 1], 'x[0] must be a whole number from 1 to 9'],
    ['its last item', list(whole, { max: 2 }), [1, 0], 'x[1] must be a whole number from 1 to 9'],
    ['a hole', list(whole, { max: 2 }), [, 1], 'x[0] must be a whole number from 1 to 9'], // eslint-disable-line no-sparse-arrays
    ['a set for a list', list(whole, { max: 2 }), new Set([1]), 'x must be a list'],
    ['an object', NUMBERED, { a: 1, b: 'abc', other: 5 }, undefined],
    ['a field that may be missing', NUMBERED, { a: 1, b: undefined }, undefined],
    ['a field that may not', NUMBERED, { b: '' }, 'x.a is missing'],
    ['a field that is undefined', NUMBERED, { a: undefined }, 'x.a is missing'],
    ['a wrong field', NUMBERED, { a: 1, b: 5 }, 'x.b must be a text'],
    ['the first wrong field', NUMBERED, { b: 5, a: 0 }, 'x.a must be a whole number from 1 to 9'],
    ['null', NUMBERED, null, 'x must be an object'],
    ['a list for an object', NUMBERED, [1], 'x must be an object'],
    ['a text for an object', NUMBERED, 'a', 'x must be an object'],
    ['nothing needed', record({ a: whole }), {}, undefined],
    ['the first of two', either(whole, boolean), 1, undefined],
    ['the second of two', either(whole, boolean), true, undefined],
    ['none of two', either(whole, boolean), 0, 'x must be a whole number from 1 to 9'],
    ['null where it may be', nullable(whole), null, undefined],
    ['a number where null may be', nullable(whole), 1, undefined],
    ['undefined where null may be', nullable(whole), undefined, 'x must be a whole number from 1 to 9'],
  ];
  for (const [name, check, value, fault] of cases) test(name, () => assert.equal(check(value, 'x'), fault));
  test('of a file as a whole', () => assert.equal(NUMBERED({}, ''), 'a is missing'));
});

describe('options', () => {
  test('one value', () => {
    assert.equal(checkNumber('n', 2, { min: 2 }), 2);
    assert.throws(() => checkNumber('n', 1, { min: 2, max: 3 }), invalid(/n must be a number from 2 to 3/));
    assert.equal(checkChoice('c', 'a', ['a']), 'a');
    assert.throws(() => checkChoice('c', 'b', ['a']), invalid(/c must be 'a'/));
    assert.equal(checkBoolean('b', false), false);
    assert.throws(() => checkBoolean('b', 'true'), invalid(/b must be true or false/));
    assert.equal(checkText('t', ''), '');
    assert.throws(() => checkText('t', 5), invalid(/t must be a string/));
    checkSignal(undefined);
    checkSignal(new AbortController().signal);
    for (const signal of [null, {}, new AbortController()])
      assert.throws(() => checkSignal(signal), invalid(/signal must be an AbortSignal/));
  });

  test('one number, or one for each', () => {
    assert.deepEqual(checkNumbers('s', 2, 3), [2, 2, 2]);
    assert.deepEqual(checkNumbers('s', [1, -2, 0], 3), [1, -2, 0]);
    for (const value of [NaN, [1, 2], [1, 2, 3, 4], [1, 2, Infinity], ['1', 2, 3], undefined, '2'])
      assert.throws(() => checkNumbers('s', value, 3), invalid(/s must be a number or a list of 3 numbers/));
  });

  test('those that are given', () => {
    const options = { a: 0, b: undefined, c: null, d: 1 };
    assert.deepEqual(pick(options, ['a', 'b', 'c']), { a: 0, c: null });
    assert.deepEqual(pick(options, []), {});
  });

  test('names', () => {
    const known = ['scoreThreshold', 'classes', 'maxResults'];
    const fault = (/** @type {object} */ options, name = 'options', advice = {}) => {
      try {
        checkKeys(name, options, known, advice);
      } catch (error) {
        return /** @type {Error} */ (error).message;
      }
      return undefined;
    };
    assert.equal(fault({ classes: 1 }), undefined);
    assert.equal(fault({}), undefined);
    for (const options of [null, [], 'x', undefined])
      assert.throws(() => checkKeys('more', options, known), invalid(/more must be an object/));
    assert.equal(fault({ clases: 1 }), "unknown option 'clases'; did you mean 'classes'?");
    assert.equal(fault({ clases: 1 }, 'ssd'), "unknown option 'ssd.clases'; did you mean 'classes'?");
    assert.equal(fault({ minScore: 1 }), "unknown option 'minScore'; did you mean 'scoreThreshold'?");
    assert.equal(fault({ allowlist: 1 }), "unknown option 'allowlist'; did you mean 'classes.allow'?");
    assert.equal(fault({ delegate: 1 }), "unknown option 'delegate'; it is not needed: leave it out");
    assert.equal(
      fault({ zzzzzz: 1 }),
      "unknown option 'zzzzzz'; the options are scoreThreshold, classes, maxResults",
    );
    const advice = { 'pass it to create': ['threads', 'model'] };
    assert.equal(fault({ threads: 1 }, 'options', advice), "unknown option 'threads'; pass it to create");
    assert.equal(
      fault({ thread: 1 }, 'options', advice),
      "unknown option 'thread'; did you mean 'threads'? pass it to create",
    );
    assert.equal(fault({ ['z'.repeat(201)]: 1 })?.split("'")[1], 'z'.repeat(200));
  });

  test('of many names, sixty are shown', () => {
    for (const [count, isCut] of /** @type {[number, boolean][]} */ ([
      [60, false],
      [61, true],
    ])) {
      const known = Array.from({ length: count }, (_, i) => `name${i}`);
      assert.throws(
        () => checkKeys('options', { qqqqqqqq: 1 }, known),
        (/** @type {Error} */ { message }) =>
          message.endsWith(' …') === isCut && message.includes('name59') && !message.includes('name60'),
      );
    }
  });

  test('an object with its fields', () => {
    const fields = { a: number({ min: 0 }), b: boolean };
    checkFields('o', { a: 1 }, fields);
    checkFields('o', { a: 1, b: true }, fields, ['b']);
    assert.throws(() => checkFields('o', { a: 1 }, fields, ['b']), invalid(/o\.b is missing/));
    assert.throws(() => checkFields('o', { a: -1 }, fields), invalid(/o\.a must be a number/));
    assert.throws(() => checkFields('o', { c: 1 }, fields), invalid(/unknown option 'o\.c'/));
  });
});

describe('spelling', () => {
  test('a typing error in three letters, and at least one', () => {
    /** @type {[string, string, boolean][]} */
    const cases = [
      ['ab', 'ax', true],
      ['ab', 'xy', false],
      ['abcdef', 'abcdxy', true],
      ['abcdef', 'abcxyz', false],
      ['abcde', 'abcxy', false],
      ['abcdef', 'badcef', true], // two swaps
      ['abc', 'acb', true],
      ['abc', 'abcd', true],
      ['abcd', 'abc', true],
      ['abc', 'cba', false],
      ['Score_Threshold', 'scorethreshold', true],
      ['', 'a', true],
      ['', 'ab', false],
    ];
    for (const [a, b, expected] of cases) assert.equal(isNear(a, b), expected, `${a} ${b}`);
  });

  test('the same name in another spelling comes first, then what others call it, then what is close', () => {
    const known = ['scoreThreshold', 'scoreThresholds', 'model'];
    assert.equal(suggest('score-thresholds', known), 'scoreThresholds');
    assert.equal(suggest('conf', known), 'scoreThreshold');
    assert.equal(suggest('modle', known), 'model');
    assert.equal(suggest('allowlist', known), undefined);
    assert.equal(suggest('colour', ['color'], {}), 'color');
    assert.equal(suggest('other', ['mine'], { mine: ['Other!'] }), 'mine');
    assert.equal(suggest('other', ['mine'], { yours: ['other'] }), undefined);
  });

  test('the three nearest names, each once', () => {
    const names = ['cart', 'dog', 'cat', 'Cut', 'cat', 'horse'];
    assert.deepEqual(nearest('CAT', names), ['cat', 'cart', 'Cut']);
    const long = 'x'.repeat(100);
    assert.deepEqual(nearest(long, [`${long}y`, long]), [long]);
    assert.deepEqual(nearest(`${long}y`, [long]), []);
    assert.deepEqual(nearest('x', []), []);
  });

  test('names of pixel ranges', () => {
    assert.deepEqual(pixelRange(' [ 0 , 1 ] '), { scale: 1 / 255, offset: 0 });
    assert.deepEqual(pixelRange('[-1,1]'), { scale: 1 / 127.5, offset: -1 });
    assert.deepEqual(pixelRange('[0,255]'), { scale: 1, offset: 0 });
    const { scale, offset } = /** @type {{scale: number[], offset: number[]}} */ (pixelRange('ImageNet'));
    // The mean colour becomes 0, and a deviation more 1.
    [0.485, 0.456, 0.406].forEach((mean, c) => {
      const deviation = [0.229, 0.224, 0.225][c];
      assert.ok(Math.abs(255 * mean * scale[c] + offset[c]) < 1e-12);
      assert.ok(Math.abs(255 * (mean + deviation) * scale[c] + offset[c] - 1) < 1e-12);
    });
    for (const name of ['toString', '[0,2]', '']) assert.equal(pixelRange(name), undefined);
  });
});

describe('numbers', () => {
  test('sizes, lists and parts', () => {
    assert.deepEqual([[2, 3, 4], [5], [], [2, 0]].map(sizeOf), [24, 5, 1, 0]);
    assert.deepEqual(toNumbers(Float32Array.of(1.5, -0, -2)), [1.5, 0, -2]);
    const parts = [Float32Array.of(1, 2), new Float32Array(0), Float32Array.of(3)];
    assert.deepEqual(concatenate(parts), Float32Array.of(1, 2, 3));
    assert.deepEqual(concatenate([]), new Float32Array(0));
    const whole = new Uint8Array(4).fill(9);
    assert.equal(joinInto(whole, [Uint8Array.of(1), Uint8Array.of(2, 3)]), whole);
    assert.deepEqual(whole, Uint8Array.of(1, 2, 3, 9));
  });
});

describe('files', () => {
  test('any content becomes plain bytes', async () => {
    const buffer = Buffer.from([9, 1, 2, 9]).subarray(1, 3);
    for (const content of [
      buffer,
      new Blob([buffer]),
      Uint8Array.of(1, 2).buffer,
      () => buffer,
      async () => Uint8Array.of(1, 2),
    ]) {
      assert.ok(isContent(content));
      const bytes = await toBytes(/** @type {any} */ (content));
      assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
      assert.deepEqual(bytes, Uint8Array.of(1, 2));
    }
    for (const other of [[1, 2], 'path', {}, null, new Map()]) assert.equal(isContent(other), false);
    await assert.rejects(toBytes(/** @type {any} */ (() => 'text')), { code: 'INVALID_INPUT' });
  });

  test('by path', () => {
    const bytes = Uint8Array.of(1);
    const map = new Map([['a', bytes]]);
    assert.equal(toFiles(map, 'it'), map);
    assert.deepEqual(toFiles({ b: bytes }, 'it'), new Map([['b', bytes]]));
    const files = [
      new File(['x'], 'name'),
      Object.assign(new File(['y'], 'other'), { webkitRelativePath: 'dir/other' }),
    ];
    assert.deepEqual([...toFiles(files, 'it').keys()], ['name', 'dir/other']);
    for (const source of [5, 'path', null, undefined])
      assert.throws(() => toFiles(/** @type {any} */ (source), 'it'), invalid(/it must be bytes/));
    for (const item of [5, null, {}])
      assert.throws(() => toFiles(/** @type {any} */ ([item]), 'it'), {
        code: 'INVALID_INPUT',
        message: /it: a list/,
      });
  });

  test('a zip file begins with PK', () => {
    assert.ok(isZip(Uint8Array.of(0x50, 0x4b, 3)));
    for (const bytes of [[0x50], [0x50, 0x4c], [0x51, 0x4b], []])
      assert.equal(isZip(Uint8Array.from(bytes)), false);
  });
});

describe('errors', () => {
  test('a detail of up to 2000 characters', () => {
    const fail = failures({ MINE: 'it failed' });
    assert.equal(fail('MINE').message, 'it failed');
    assert.equal(fail('MINE', '').message, 'it failed');
    assert.equal(fail('MINE', 'x'.repeat(2000)).message, `it failed: ${'x'.repeat(2000)}`);
    assert.equal(fail('MINE', 'x'.repeat(2001)).message, `it failed: ${'x'.repeat(2000)}…`);
    const cause = new Error('below');
    assert.equal(fail('MINE', 'why', cause).cause, cause);
    assert.equal('cause' in fail('MINE', 'why'), false);
  });

  test('what a reader throws gets its code', () => {
    const below = new RangeError('offset');
    assert.equal(
      reading(failure, 'READ_FAILED', 'file', () => 5),
      5,
    );
    assert.throws(
      () => reading(failure, 'READ_FAILED', 'file', () => assert.fail(below)),
      (/** @type {OcelliError} */ error) =>
        error.code === 'READ_FAILED' && error.message.endsWith('file: offset') && error.cause === below,
    );
    const own = failure('IMAGE_NOT_FOUND');
    assert.throws(() => reading(failure, 'READ_FAILED', 'file', () => assert.fail(own)), own);
  });

  test('which of them leave other images readable', () => {
    assert.ok(isUnreadable(failure('IMAGE_NOT_FOUND')) && isUnreadable(failure('READ_FAILED')));
    assert.ok(isUnreadable({ syscall: 'open' }));
    for (const error of [failure('CLOSED'), new Error('x'), undefined, { code: 'IMAGE_CORRUPT' }])
      assert.equal(isUnreadable(error), false);
  });

  test('keep their code when they are sent', () => {
    const sent = reviveError(structuredClone(toPlainError(failure('IMAGE_NOT_FOUND', 'row 3'))));
    assert.ok(sent instanceof OcelliError);
    assert.deepEqual(
      [sent.code, sent.message],
      ['IMAGE_NOT_FOUND', failure('IMAGE_NOT_FOUND', 'row 3').message],
    );
    const other = new TypeError('x');
    assert.equal(reviveError(toPlainError(other)), other);
  });

  test('a notice is printed once', () => {
    const warn = mock.method(console, 'warn', () => {});
    try {
      for (const text of ['first', 'second', 'first']) notice(text);
      assert.deepEqual(
        warn.mock.calls.map(({ arguments: [line] }) => line),
        ['ocelli: first', 'ocelli: second'],
      );
    } finally {
      warn.mock.restore();
    }
  });
});
