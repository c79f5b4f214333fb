// The names of classes: lookup tables behind a detector's classes, label maps and label files, and what names may hold.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unzipSync } from 'fflate';
import { Facts } from '../../../wasm/convert/graph/facts.js';
import { constant, GraphBuilder, make } from '../../../wasm/convert/graph/graph.js';
import { convert } from '../../../wasm/convert/node.js';
import { outputLabels, readLabels } from '../../../wasm/convert/labels.js';
import { readTable } from '../../../wasm/convert/source/tables.js';
import { graphModel } from './graph_model.js';

/** @typedef {import('../../../wasm/convert/graph/graph.js').Ref} Ref */

/** @param {Record<string, string>} texts */
const filesOf = (texts) =>
  /** @type {import('../../../wasm/convert/source/files.js').Files} */ (
    /** @type {unknown} */ ({
      names: Object.keys(texts),
      read: async (/** @type {string} */ name) => new TextEncoder().encode(texts[name]),
    })
  );
const NO_FACTS = new Facts([], new Map());

/** @param {Record<string, string>} texts @param {number} numClasses */
const fromFiles = (texts, numClasses) =>
  readLabels(
    { inputs: [], outputs: [], readTable: async () => undefined, files: filesOf(texts) },
    NO_FACTS,
    numClasses,
  );

describe('label files beside a detector', () => {
  /** @type {[string, Record<string, string>, number, object][]} */
  const cases = [
    ['a line for each class', { 'labels.txt': 'cat\ndog\n' }, 2, { names: ['cat', 'dog'] }],
    ['Windows lines, and spaces', { 'my_Label.TXT': ' cat \r\ndog\r\n' }, 2, { names: ['cat', 'dog'] }],
    ['one line more: the background first', { 'labels.txt': '???\ncat\ndog' }, 2, { names: ['cat', 'dog'] }],
    ['two lines more', { 'labels.txt': 'a\nb\nc\nd' }, 2, {}],
    ['a line less', { 'labels.txt': 'a' }, 2, {}],
    ['an empty line in between', { 'labels.txt': 'a\n\nc' }, 3, { names: ['a', 'class 1', 'c'] }],
    ['other files', { 'notes.txt': 'a\nb', 'label.json': 'a\nb', 'labels/x.txt': 'a\nb' }, 2, {}],
    [
      'the next file, if the first does not fit',
      { 'label.txt': 'a', 'labels.txt': 'a\nb' },
      2,
      { names: ['a', 'b'] },
    ],
    [
      'a label map, in any order, without one class',
      { 'label_map.pbtxt': 'item { id: 3 name: "c" }\nitem {\n  name: \'a\'\n  id: 1\n}' },
      3,
      { names: ['a', 'class 1', 'c'] },
    ],
    [
      'a label map with names for readers',
      {
        'label_map.pbtxt':
          'item { name: "/m/01" id: 1 display_name: "A" } item { name: "/g/02" id: 2 display_name: "B" }',
      },
      2,
      { names: ['A', 'B'], mids: ['/m/01', '/g/02'] },
    ],
    [
      'not all of them have ids of the knowledge graph',
      { 'label_map.pbtxt': 'item { name: "/m/01" id: 1 } item { name: "b" id: 2 }' },
      2,
      { names: ['/m/01', 'b'] },
    ],
    [
      'a background with id 0',
      { 'label.pbtxt': 'item { id: 0 name: "none" } item { id: 1 name: "a" }' },
      1,
      { names: ['a'] },
    ],
    [
      'an id beyond the classes',
      { 'label.pbtxt': 'item { id: 1 name: "a" } item { id: 3 name: "c" }' },
      2,
      {},
    ],
    ['no id', { 'label.pbtxt': 'item { name: "a" }' }, 1, {}],
    ['no item', { 'label.pbtxt': 'nothing' }, 1, {}],
  ];
  for (const [name, texts, numClasses, expected] of cases)
    test(name, async () => assert.deepEqual(await fromFiles(texts, numClasses), expected));

  test('no files', async () =>
    assert.deepEqual(
      await readLabels({ inputs: [], outputs: [], readTable: async () => undefined }, NO_FACTS, 2),
      {},
    ));
});

describe("strings of a label map, in protobuf's text format", () => {
  /** @type {[string, string, string][]} */
  const cases = [
    ['an apostrophe in quotation marks', `"women's shoe"`, "women's shoe"],
    ['quotation marks in apostrophes', `'say "hi"'`, 'say "hi"'],
    ['the quote itself, and a backslash', String.raw`"a \"b\" \'c\' \\ d"`, String.raw`a "b" 'c' \ d`],
    ['bytes of UTF-8 in octal', String.raw`"caf\303\251"`, 'café'],
    ['bytes of UTF-8 in hexadecimal', String.raw`"caf\xc3\xA9"`, 'café'],
    ['digits behind an octal escape', String.raw`"\1012"`, 'A2'],
    ['code points', String.raw`"caf\u00e9 \U0001f600 \ud83d\ude00"`, 'café 😀 😀'],
    ['letters as they are', '"café 😀"', 'café 😀'],
    ['an escaped backslash before a letter', String.raw`"a\\nb"`, String.raw`a\nb`],
    ['strings side by side', `"one " 'two'\n    "\\303" # three\n "\\251"`, 'one twoé'],
    ['brackets', `"a } b { c"`, 'a } b { c'],
    ['the sign of a comment', `"c# major" # a comment: it's "one"`, 'c# major'],
  ];
  for (const [name, text, expected] of cases)
    test(name, async () =>
      assert.deepEqual(await fromFiles({ 'label_map.pbtxt': `item {\n  id: 1\n  name: ${text}\n}` }, 1), {
        names: [expected],
      }),
    );
  test('a line break is a control character', () =>
    assert.rejects(fromFiles({ 'label_map.pbtxt': String.raw`item { id: 1 name: "a\nb" }` }, 1), {
      code: 'SOURCE_DAMAGED',
      message: /has a control character/,
    }));
  test('messages and lists inside of an item, and other brackets', async () => {
    const text = `
      # it's the map of 2 classes {
      item: <
        keypoints { id: 7 label: "nose" name: "no }" }
        ancestor_ids: ["a } {", 'id: 9']
        id: 2, name: "b";
      >
      item { name: "a" id: 1 instance_count: 5 }`;
    assert.deepEqual(await fromFiles({ 'label_map.pbtxt': text }, 2), { names: ['a', 'b'] });
  });
  test('a damaged file takes no longer than others', async () => {
    for (const text of ['"\\"', "'", 'a', 'a ', '{', '<', '\\', ': ', '"\\\n'])
      assert.deepEqual(await fromFiles({ 'label_map.pbtxt': text.repeat(200_000) }, 1), {});
  });
});

describe('names that a file with one name a line cannot hold', () => {
  for (const character of ['\u0007', '\u2028', '\u2029', '\u0085'])
    test(JSON.stringify(character), () =>
      assert.rejects(fromFiles({ 'labels.txt': `a\nb${character}c` }, 2), {
        code: 'SOURCE_DAMAGED',
        message: /the class "b.*c" has a control character/,
      }),
    );
  test('1000 characters, and 1001', async () => {
    const { names } = await fromFiles({ 'labels.txt': `a\n${'x'.repeat(1000)}` }, 2);
    assert.equal(names?.[1].length, 1000);
    await assert.rejects(fromFiles({ 'labels.txt': `a\n${'x'.repeat(1001)}` }, 2), {
      code: 'SOURCE_DAMAGED',
      message: /class 1 has a name of 1001 characters/,
    });
  });
});

describe('labels of a classifier', () => {
  /** @type {[string, Record<string, string>, string[] | undefined][]} */
  const cases = [
    ['a line for each class', { 'labels.txt': 'cat\ndog\n' }, ['cat', 'dog']],
    ['one line more is none', { 'labels.txt': 'x\ncat\ndog\n' }, undefined],
    ["Teachable Machine's metadata.json", { 'metadata.json': '{"labels": ["cat", 7]}' }, ['cat', '7']],
    ['labels that are no list', { 'metadata.json': '{"labels": "cat"}' }, undefined],
    ['no JSON', { 'metadata.json': 'cat\ndog' }, undefined],
    ['JSON of another name', { 'data.json': '{"labels": ["cat", "dog"]}' }, undefined],
    ['a text of another name', { 'classes.txt': 'cat\ndog' }, undefined],
  ];
  const value = { name: 'scores', shape: [1, 2] };
  const output = { name: 'scores', value, numClasses: 2 };
  for (const [name, texts, expected] of cases)
    test(name, async () => {
      const { labels } = await outputLabels(filesOf(texts), [output]);
      assert.deepEqual(labels.get(value), expected);
    });
  test('no files', async () =>
    assert.deepEqual(await outputLabels(undefined, [output]), { labels: new Map(), notes: [] }));
});

describe('labels of outputs with the same number of classes', () => {
  const [YES, AGE, COLOUR] = ['yes\nno\n', 'young\nold\n', 'red\ngreen\nblue\n'];
  const lines = (/** @type {string} */ text) => text.trimEnd().split('\n');
  /** @param {Record<string, string>} texts @param {Record<string, number>} outputs numbers of classes */
  const read = async (texts, outputs) => {
    const all = Object.entries(outputs).map(([name, numClasses]) => ({
      ...{ name, numClasses, value: { name, shape: [1, numClasses] } },
    }));
    const { labels, notes } = await outputLabels(filesOf(texts), all);
    const found = all.flatMap(({ name, value }) => (labels.has(value) ? [[name, labels.get(value)]] : []));
    return { labels: Object.fromEntries(found), notes };
  };
  const leftOut = (/** @type {string} */ file, names = "'age', 'smiles'") =>
    `names in ${file}: they fit the outputs ${names}, and its name does not say which; left out`;
  const both = { age: 2, smiles: 2 };

  test('are those of the file that is named as the output', async () => {
    for (const files of /** @type {Record<string, string>[]} */ ([
      { 'Smiles-labels.txt': YES, 'labels_AGE.txt': AGE },
      { 'age/labels.txt': AGE, 'smiles/labels.txt': YES },
    ]))
      assert.deepEqual(await read(files, both), {
        labels: { age: lines(AGE), smiles: lines(YES) },
        notes: [],
      });
    const longer = await read({ 'age_group.labels.txt': AGE }, { age: 2, age_group: 2 });
    assert.deepEqual(longer, { labels: { age_group: lines(AGE) }, notes: [] });
  });
  test('are left out, with a note, if no name says whose they are', async () => {
    for (const file of ['labels.txt', 'package_labels.txt', 'smiles_age_labels.txt'])
      assert.deepEqual(await read({ [file]: YES }, both), { labels: {}, notes: [leftOut(file)] });
    const others = await read({ 'labels.txt': YES, 'label2.txt': COLOUR }, { ...both, colour: 3 });
    assert.deepEqual(others, { labels: { colour: lines(COLOUR) }, notes: [leftOut('labels.txt')] });
    const misfit = await read({ 'labels.txt': YES, 'label2.txt': 'a' }, { colour: 3, ...both });
    assert.deepEqual(misfit, {
      labels: {},
      notes: [leftOut('labels.txt'), 'names in label2.txt: 1, but the model has 3 classes; left out'],
    });
  });
  test('are those of one output that has two names', async () => {
    const value = { name: 'softmax', shape: [1, 2] };
    const outputs = ['scores', 'probabilities'].map((name) => ({ name, value, numClasses: 2 }));
    const { labels, notes } = await outputLabels(filesOf({ 'labels.txt': YES }), outputs);
    assert.deepEqual([labels.get(value), notes], [lines(YES), []]);
  });
});

test('two outputs with names of their own keep both', async () => {
  const scores = (/** @type {string} */ name) => ({
    ...{ name, op: 'Softmax', input: [`${name}_logits`] },
    attr: { T: { type: 'DT_FLOAT' } },
  });
  const logits = (/** @type {string} */ name) => ({
    ...{ name: `${name}_logits`, op: 'MatMul', input: ['x', `${name}_kernel`] },
    attr: { T: { type: 'DT_FLOAT' } },
  });
  const nodes = [logits('age'), logits('sex'), scores('age'), scores('sex')];
  const kernel = (/** @type {number} */ units) => ({
    shape: [4, units],
    values: Array.from({ length: 4 * units }, (_, i) => Math.sin(i)),
  });
  const source = graphModel([-1, 4], nodes, { age_kernel: kernel(3), sex_kernel: kernel(2) }, ['age', 'sex']);
  const texts = { 'age_labels.txt': 'young\nmiddle\nold\n', 'sex_labels.txt': 'female\nmale\n' };
  const files = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, new TextEncoder().encode(text)]),
  );
  const { model } = await convert({ ...source, ...files });
  const appended = Object.values(unzipSync(model)).map((bytes) => new TextDecoder().decode(bytes));
  assert.deepEqual(appended, Object.values(texts));
});

describe('lookup tables', () => {
  const image = make('classes', 'Placeholder', []);
  const number = (/** @type {number} */ value) =>
    constant(`c${value}`, { dtype: 'int32', shape: [], data: Int32Array.of(value) });
  /** @param {Ref} keys @param {Map<number, string>} table @param {number} numClasses */
  const fromTable = (keys, table, numClasses) => {
    const found = make('found', 'LookupTableFindV2', [make('table', 'HashTableV2', []), keys, number(0)]);
    const facts = new Facts([found], new Map([[image.node, [4]]]));
    const outputs = [{ name: 'names', ref: found }];
    return readLabels({ inputs: [], outputs, readTable: async () => table }, facts, numClasses);
  };
  const table = (/** @type {number} */ first) => new Map(['a', 'b', 'c'].map((text, i) => [first + i, text]));
  const all = { names: ['a', 'b', 'c'] };

  test('keys from 0', async () => assert.deepEqual(await fromTable(image, table(0), 3), all));
  test('keys from 1', async () => assert.deepEqual(await fromTable(image, table(1), 3), all));
  test('keys that a sum says', async () => {
    const cast = (/** @type {Ref} */ ref) => make('cast', 'Cast', [ref]);
    const keys = make('sum', 'AddV2', [cast(make('other', 'Sub', [cast(image), number(3)])), number(8)]);
    assert.deepEqual(await fromTable(keys, table(5), 3), all);
    assert.deepEqual(await fromTable(make('sum', 'Add', [number(2), image]), table(2), 3), all);
  });
  test('a sum that leaves a class out is none', async () =>
    assert.deepEqual(await fromTable(make('sum', 'AddV2', [image, number(1)]), table(0), 3), all));
  test('an operator that changes the keys ends the search', async () => {
    const keys = make('product', 'Mul', [make('sum', 'AddV2', [image, number(5)]), number(1)]);
    assert.deepEqual(await fromTable(keys, table(0), 3), all);
  });
  test('a class that the table does not have', async () =>
    assert.deepEqual(
      await fromTable(
        image,
        new Map([
          [0, 'a'],
          [2, 'c'],
        ]),
        3,
      ),
      { names: ['a', 'class 1', 'c'] },
    ));
  test('ids of the knowledge graph', async () =>
    assert.deepEqual(
      await fromTable(
        image,
        new Map([
          [0, '/m/0a'],
          [1, '/g/1b'],
        ]),
        2,
      ),
      { mids: ['/m/0a', '/g/1b'] },
    ));
  test('not only such ids', async () =>
    assert.deepEqual(
      await fromTable(
        image,
        new Map([
          [0, '/m/0a'],
          [1, 'm/1b'],
        ]),
        2,
      ),
      { names: ['/m/0a', 'm/1b'] },
    ));

  /** @param {string} op @param {Record<string, any>} [attr] @param {string[]} [values] */
  const tableOf = (op, attr = {}, values = ['x', 'y']) => {
    const tensor = (/** @type {object} */ value) => new Map([['value', { tensor: value }]]);
    const strings = values.map((text) => new TextEncoder().encode(text));
    const node = [
      { name: 'table', op: 'HashTableV2' },
      { name: 'other', op: 'HashTableV2' },
      {
        name: 'keys',
        op: 'Const',
        attr: tensor({ dtype: 3, tensorShape: { dim: [{ size: 2 }] }, intVal: [4, 9] }),
      },
      {
        name: 'values',
        op: 'Const',
        attr: tensor({ dtype: 7, tensorShape: { dim: [{ size: values.length }] }, stringVal: strings }),
      },
      { name: 'wrong', op, input: ['other', 'values', 'values'] },
      { name: 'init', op, input: ['table:0', 'keys', 'values'], attr: new Map(Object.entries(attr)) },
    ];
    const builder = new GraphBuilder({ node });
    return { builder, table: builder.output('table').node };
  };
  const none = async () => undefined;
  test('initialized by lists', async () => {
    for (const op of ['InitializeTable', 'InitializeTableV2']) {
      const { builder, table: node } = tableOf(op);
      assert.deepEqual(
        await readTable(builder, node, none),
        new Map([
          [4, 'x'],
          [9, 'y'],
        ]),
      );
    }
  });
  test('lists of unequal lengths, and another operator', async () => {
    const uneven = tableOf('InitializeTableV2', {}, ['x']);
    assert.equal(await readTable(uneven.builder, uneven.table, none), undefined);
    const other = tableOf('LookupTableImportV2');
    assert.equal(await readTable(other.builder, other.table, none), undefined);
  });
  test('initialized by a text file, a line for each number', async () => {
    const op = 'InitializeTableFromTextFileV2';
    const columns = (/** @type {number} */ key, /** @type {number} */ value) => ({
      key_index: { i: key },
      value_index: { i: value },
    });
    const read = async () => 'cat\r\ndog\n';
    for (const attr of [{}, columns(-1, -2)]) {
      const { builder, table: node } = tableOf(op, attr);
      assert.deepEqual(
        await readTable(builder, node, read),
        new Map([
          [0, 'cat'],
          [1, 'dog'],
        ]),
      );
      await assert.rejects(readTable(builder, node, none), {
        code: 'SOURCE_INCOMPLETE',
        message: /no text file for the table 'table'/,
      });
    }
    for (const attr of [columns(0, -2), columns(-1, 1)]) {
      const { builder, table: node } = tableOf(op, attr);
      assert.equal(await readTable(builder, node, read), undefined);
    }
  });
});
