// Texts that are written where they could do harm: they stay readable, and do none.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  escapeCsv,
  escapeMarkdown,
  escapeXml,
  escapeYaml,
  safeJson,
  toLine,
} from '../../../wasm/shared/text.js';
import { parse } from 'yaml';

const HARMLESS = [
  'Coffee cup',
  'naïve',
  '犬',
  'ماشین',
  'می‌خواهم',
  '👩‍🚀',
  '3.5-inch (new)',
  'a_b',
  'C++',
  '-1',
];

describe('harmless texts', () => {
  for (const text of HARMLESS) {
    test(text, () => {
      assert.equal(toLine(text), text);
      assert.equal(escapeXml(text), text);
      assert.equal(escapeMarkdown(text), text);
      assert.equal(safeJson(text), JSON.stringify(text));
    });
  }
});

test('a terminal gets one line, without control, bidirectional and invisible characters', () => {
  for (const bad of [
    '\x1b',
    '\x07',
    '\n',
    '\r',
    '\t',
    '\x7f',
    '\x9b',
    '\u2028',
    '\u202e',
    '\u2066',
    '\u200b',
    '\ufeff',
  ])
    assert.equal(toLine(`a${bad}b`), 'a\ufffdb');
  assert.equal(toLine('a\ud800b'), 'a\ufffdb');
  assert.equal(toLine('a\u{e0041}b'), 'a\ufffdb');
});

test('JSON says the same, in characters that a terminal shows', () => {
  const value = { '\x9b31m': ['a\u202eb', '\u{e0041}', '\x1b[2J', '\ud800'] };
  const text = safeJson(value, 1);
  assert.deepEqual(JSON.parse(text), value);
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]|\u{e0041}/u);
});

test('XML: text and attributes', () => {
  assert.equal(escapeXml(`<a href="x" id='y'>&`), '&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;');
  assert.equal(escapeXml('a\x00b\x08c\uffffd'), 'a\ufffdb\ufffdc\ufffdd');
});

test('Markdown: no marks, links, images, tags, cells, lines', () => {
  for (const [text, expected] of [
    ['[a](javascript:b)', '\\[a\\](javascript:b)'],
    ['![x](y)', '!\\[x\\](y)'],
    ['<script>', '&lt;script&gt;'],
    ['a | b', 'a \\| b'],
    ['a\n\n# b', 'a # b'],
    ['# b', '\\# b'],
    ['*b* _c_ `d` ~~e~~ $f$', '\\*b\\* \\_c\\_ \\`d\\` \\~\\~e\\~\\~ \\$f\\$'],
    ['https://x.invalid www.x.invalid', 'https\\://x.invalid www\\.x.invalid'],
    ['- item', '\\- item'],
    ['---', '\\---'],
    ['1. item', '1\\. item'],
    ['&lt;', '&amp;lt;'],
    ['\\', '\\\\'],
  ])
    assert.equal(escapeMarkdown(text), expected);
});

test('CSV: no formulas, cells, lines', () => {
  for (const start of ['=', '+', '-', '@', '\t=', ' =', '\r=', '＝'])
    assert.match(escapeCsv(`${start}HYPERLINK()`), /^"?'/);
  assert.equal(escapeCsv(-1.5), '-1.5');
  assert.equal(escapeCsv(undefined), '');
  assert.equal(escapeCsv('a "b", c'), '"a ""b"", c"');
  assert.equal(escapeCsv('a;=b'), '"a;=b"');
  assert.ok(!escapeCsv('a\nb\rc').includes('\n'));
});

test('YAML: a text on its line', () => {
  for (const text of ['apache-2.0', 'no', 'a: b', '# c', '- d', 'e"f', '[g]', 'x\ny: z', '12', 'null'])
    assert.equal(parse(`license: ${escapeYaml(text)}`).license, toLine(text));
});
