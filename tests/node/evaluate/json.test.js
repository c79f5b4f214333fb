// Where a text stops being JSON, and where its values are: by lines, one token on each.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lineAt, lineOf, parseJson } from '../../../wasm/evaluate/read/json.js';

/** @param {string} tokens apart by spaces */
const inLines = (tokens) => tokens.replaceAll(' ', '\n');

describe('a text that is no JSON', () => {
  /** @type {[tokens: string, line: number][]} the number of the token that may not be there */
  const cases = [
    ['{ "a" : 1 , }', 6],
    ['{ "a" : 1 , 2 }', 6],
    ['{ "a" 1 }', 3],
    ['{ "a" : : 1 }', 4],
    ['{ "a" : }', 4],
    ['{ , }', 2],
    ['{ 1 : 2 }', 2],
    ['{ { } : 2 }', 2],
    ['{ "a" : 1 ]', 5],
    ['{ "a" : 1 "b" : 2 }', 5],
    ['{ "a" : "b" "c" }', 5],
    ['[ 1 , ]', 4],
    ['[ , 1 ]', 2],
    ['[ 1 2 ]', 3],
    ['[ 1 }', 3],
    ['[ 1 : 2 ]', 3],
    ['[ [ ] [ ] ]', 4],
    ['[ ] ]', 3],
    ['1 2', 2],
    ['{ } { }', 3],
    [', 1', 1],
    [': 1', 1],
    [']', 1],
    ['[ 01 ]', 2],
    ['[ 1. ]', 2],
    ['[ +1 ]', 2],
    ['[ nul ]', 2],
    ["[ 'a' ]", 2],
    ['[ "\\x" ]', 2],
    ['[ "\\u12g4" ]', 2],
    ['[ 1 , true , false , null , -1.5e+3 , "\\u12aB\\n" , x ]', 14],
  ];
  for (const [tokens, line] of cases)
    test(tokens, () =>
      assert.throws(() => parseJson(inLines(tokens), 'f.json'), {
        code: 'DATASET_DAMAGED',
        message: new RegExp(`f\\.json:${line}: `),
      }),
    );
  for (const tokens of ['{', '[ 1 ,', '[ 1', '{ "a"', '{ "a" :', ''])
    test(`${tokens} that ends too early`, () =>
      assert.throws(() => parseJson(inLines(tokens), 'f.json'), {
        message: new RegExp(`f\\.json:${Math.max(tokens.split(' ').length, 1)}: `),
      }));
  test('that is JSON', () => {
    const value = { a: [1, -2.5e-3, 'x\n"\\'], b: { c: null, d: true, e: false, f: [] }, '': {} };
    for (const indent of [0, 1, '\t'])
      assert.deepEqual(parseJson(JSON.stringify(value, undefined, indent), 'f'), value);
  });
});

describe('the line of a value', () => {
  const text =
    '\n{"a":\n[0,\n[1,\n2],\n{"b"\n:\n{"c":\n3}}],\n"d": 4,\n"d":\n5,\n"\\u0065": "[{\\",}",\n"f":\n[]}';
  /** @type {[path: (string | number)[], line: number | undefined][]} */
  const cases = [
    [[], 2],
    [['a'], 3],
    [['a', 0], 3],
    [['a', 1], 4],
    [['a', 1, 0], 4],
    [['a', 1, 1], 5],
    [['a', 2], 6],
    [['a', 2, 'b'], 8],
    [['a', 2, 'b', 'c'], 9],
    [['d'], 12],
    [['e'], 13],
    [['f'], 15],
    [['g'], undefined],
    [['a', 3], undefined],
    [['a', 'b'], undefined],
    [['d', 0], undefined],
    [[0], undefined],
  ];
  for (const [path, line] of cases)
    test(`${JSON.stringify(path)}: ${line}`, () => assert.equal(lineOf(text, path), line));
  test('of a place in a text', () => {
    const places = [0, 1, 2, 3, 4].map((at) => lineAt('a\n\nb', at));
    assert.deepEqual(places, [1, 1, 2, 3, 3]);
  });
});
