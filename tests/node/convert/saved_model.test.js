// SavedModels of a few nodes, written field by field: which graph, signature and outputs are chosen, and texts of tables.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Files } from '../../../wasm/convert/source/files.js';
import { readFrozenGraph, readSavedModel } from '../../../wasm/convert/source/saved_model.js';

/** @typedef {(writer: BinaryWriter) => unknown} Write */

/** @param {Write} write */
const message = (write) => {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
};
/** @param {BinaryWriter} writer @param {number} field @param {Write} write */
const put = (writer, field, write) => writer.tag(field, 2).bytes(message(write));
/** @param {BinaryWriter} writer @param {number} field @param {string} text */
const text = (writer, field, text) => writer.tag(field, 2).string(text);

/** @typedef {{name: string, op: string, input?: string[], attr?: Record<string, Write>}} NodeDef */

/** @param {NodeDef[]} nodes @returns {Write} a GraphDef */
const graph = (nodes) => (w) => {
  for (const { name, op, input = [], attr = {} } of nodes)
    put(w, 1, (node) => {
      text(node, 1, name);
      text(node, 2, op);
      for (const each of input) text(node, 3, each);
      for (const [key, value] of Object.entries(attr))
        put(node, 5, (entry) => {
          text(entry, 1, key);
          put(entry, 2, value);
        });
    });
};
/** @param {Record<string, string>} tensors by name @param {number} field @returns {Write} */
const infos = (tensors, field) => (w) => {
  for (const [name, tensor] of Object.entries(tensors))
    put(w, field, (entry) => {
      text(entry, 1, name);
      put(entry, 2, (info) => {
        if (tensor) text(info, 1, tensor);
        put(info, 3, (shape) => put(shape, 2, (dim) => dim.tag(1, 0).int64(4)));
      });
    });
};
const SHAPE = {
  shape: (/** @type {BinaryWriter} */ w) =>
    put(w, 7, (shape) => put(shape, 2, (dim) => dim.tag(1, 0).int64(4))),
};
const NODES = [
  { name: 'x', op: 'Placeholder', attr: SHAPE },
  { name: 'neg', op: 'Neg', input: ['x'] },
  { name: 'abs', op: 'Abs', input: ['neg'] },
  { name: 'exp', op: 'Exp', input: ['neg'] },
];

/**
 * @param {object} [how]
 * @param {string[]} [how.tags]
 * @param {Record<string, Record<string, string>>} [how.signatures] outputs by name
 * @param {NodeDef[]} [how.nodes]
 * @param {Write} [how.more]
 * @returns {Write} a MetaGraphDef
 */
const meta =
  ({
    tags = ['serve'],
    signatures = { serving_default: { y: 'abs:0' } },
    nodes = NODES,
    more = () => {},
  } = {}) =>
  (w) => {
    put(w, 1, (info) => tags.forEach((tag) => text(info, 4, tag)));
    put(w, 2, graph(nodes));
    for (const [name, outputs] of Object.entries(signatures))
      put(w, 5, (entry) => {
        text(entry, 1, name);
        put(entry, 2, (signature) => {
          infos({ image: 'x:0' }, 1)(signature);
          infos(outputs, 2)(signature);
        });
      });
    more(w);
  };
/** @param {Write[]} metas @param {any} [wanted] @param {Record<string, string>} [files] */
const read = (metas, wanted = {}, files = {}) => {
  const bytes = message((w) => metas.forEach((each) => put(w, 2, each)));
  const all = new Map([
    ['saved_model.pb', bytes],
    ...Object.entries(files).map(
      ([name, content]) => /** @type {const} */ ([name, new TextEncoder().encode(content)]),
    ),
  ]);
  return readSavedModel(new Files(all), wanted);
};
/** @param {Awaited<ReturnType<typeof read>>} model */
const outputsOf = ({ outputs }) => outputs.map(({ name, ref }) => [name, ref.node.name]);

describe('the graph is', () => {
  const other = meta({ tags: ['train'], signatures: { serving_default: { y: 'exp:0' } } });
  const plain = meta({ tags: [] });
  test('the one to serve, wherever it is', async () => {
    assert.deepEqual(outputsOf(await read([other, meta()])), [['y', 'abs']]);
    assert.deepEqual(outputsOf(await read([other, meta({ tags: ['gpu', 'serve'] })])), [['y', 'abs']]);
  });
  test('else the one without tags, else the first', async () => {
    assert.deepEqual(outputsOf(await read([other, plain])), [['y', 'abs']]);
    assert.deepEqual(outputsOf(await read([other, meta({ tags: ['eval'] })])), [['y', 'exp']]);
  });
  test('there', () => assert.rejects(read([]), { code: 'SOURCE_DAMAGED', message: /has no graph/ }));
});

describe('the signature is', () => {
  const two = (/** @type {string} */ a, /** @type {string} */ b) => [
    meta({ signatures: { [a]: { y: 'abs:0' }, [b]: { y: 'exp:0' } } }),
  ];
  test('serving_default, else default, else the first, else the one that is wanted', async () => {
    assert.deepEqual(outputsOf(await read(two('default', 'serving_default'))), [['y', 'exp']]);
    assert.deepEqual(outputsOf(await read(two('a', 'default'))), [['y', 'exp']]);
    assert.deepEqual(outputsOf(await read(two('b', 'a'))), [['y', 'abs']]);
    assert.deepEqual(outputsOf(await read(two('__saved_model_init_op', 'b'))), [['y', 'exp']]);
    assert.deepEqual(outputsOf(await read(two('serving_default', 'b'), { signature: 'b' })), [['y', 'exp']]);
  });
  test('there', async () => {
    await assert.rejects(read(two('a', 'b'), { signature: 'c' }), {
      code: 'SIGNATURE_UNKNOWN',
      message: /there is no signature 'c'; the model has: a, b$/,
    });
    await assert.rejects(read([meta({ signatures: {} })]), {
      code: 'SIGNATURE_UNKNOWN',
      message: /the model has: none$/,
    });
    await assert.rejects(read([meta({ signatures: { __saved_model_init_op: { y: 'abs:0' } } })]), {
      code: 'SIGNATURE_UNKNOWN',
    });
  });
});

describe('the outputs are', () => {
  const signatures = (/** @type {Record<string, string>} */ outputs) => [
    meta({ signatures: { serving_default: outputs } }),
  ];
  test('all of the signature, or the one named default', async () => {
    assert.deepEqual(outputsOf(await read(signatures({ a: 'abs:0', b: 'exp:0' }))), [
      ['a', 'abs'],
      ['b', 'exp'],
    ]);
    assert.deepEqual(outputsOf(await read(signatures({ a: 'abs:0', default: 'exp:0' }))), [
      ['default', 'exp'],
    ]);
    assert.deepEqual(outputsOf(await read(signatures({ a: 'abs:0', none: '' }))), [['a', 'abs']]);
  });
  test('those that are wanted, by their names or by those of nodes', async () => {
    const [given] = [signatures({ a: 'abs:0', default: 'exp:0' })];
    assert.deepEqual(outputsOf(await read(given, { outputs: ['a', 'neg'] })), [
      ['a', 'abs'],
      ['neg', 'neg'],
    ]);
  });
  test('there', () =>
    assert.rejects(read(signatures({})), {
      code: 'SIGNATURE_UNKNOWN',
      message: /the signature has no outputs/,
    }));
  test('of inputs that the signature names, with their shapes', async () => {
    const { inputs } = await read([meta()]);
    assert.deepEqual(
      inputs.map(({ name, ref, shape }) => [name, ref.node.name, shape]),
      [['image', 'x', [4]]],
    );
  });
});

describe('a table reads its texts', () => {
  const file = {
    name: 'file',
    op: 'Const',
    attr: {
      value: (/** @type {BinaryWriter} */ w) =>
        put(w, 8, (tensor) => {
          tensor.tag(1, 0).int32(7);
          text(tensor, 8, 'x');
        }),
    },
  };
  const nodes = [
    ...NODES,
    file,
    { name: 'table', op: 'HashTableV2' },
    { name: 'init', op: 'InitializeTableFromTextFileV2', input: ['table', 'file'] },
    { name: 'find', op: 'LookupTableFindV2', input: ['table', 'abs', 'neg'] },
  ];
  const asset = (/** @type {BinaryWriter} */ w) => {
    put(w, 1, (info) => text(info, 1, 'file:0'));
    text(w, 2, 'labels.txt');
  };
  const signatures = { serving_default: { y: 'find:0' } };
  const files = { 'assets/labels.txt': 'cat\ndog\n' };
  const tableOf = async (/** @type {Write} */ more) => {
    const { outputs, readTable } = await read([meta({ nodes, signatures, more })], {}, files);
    return readTable(outputs[0].ref.node.inputs[0].node);
  };
  const labels = new Map([
    [0, 'cat'],
    [1, 'dog'],
  ]);
  test('from the file that is named as an asset, in the new way or in the old one', async () => {
    assert.deepEqual(await tableOf((w) => put(w, 6, asset)), labels);
    const any = (/** @type {BinaryWriter} */ w) =>
      put(w, 5, (list) => put(list, 1, (each) => each.tag(2, 2).bytes(message(asset))));
    const collection = (/** @type {BinaryWriter} */ w) =>
      put(w, 4, (entry) => {
        text(entry, 1, 'saved_model_assets');
        put(entry, 2, any);
      });
    assert.deepEqual(await tableOf(collection), labels);
  });
  test('or says that there is no such file', () =>
    assert.rejects(
      tableOf(() => {}),
      { code: 'SOURCE_INCOMPLETE', message: /no text file for the table 'table'/ },
    ));
});

describe('a frozen graph', () => {
  const frozen = (/** @type {NodeDef[]} */ nodes, wanted = {}) =>
    readFrozenGraph(message(graph(nodes)), wanted);
  test('has the outputs that no other node takes and that depend on an input', () => {
    const { inputs, outputs } = frozen([
      ...NODES,
      { name: 'c', op: 'Const' },
      { name: 'nothing', op: 'NoOp', input: ['^abs'] },
      { name: 'check', op: 'Assert', input: ['exp'] },
      { name: 'alone', op: 'Range' },
    ]);
    assert.deepEqual([inputs.length, outputs.length], [0, 0]);
    const plain = frozen([...NODES, { name: 'alone', op: 'Range' }]);
    assert.deepEqual(
      plain.outputs.map(({ name }) => name),
      ['abs', 'exp'],
    );
  });
  test('has the outputs that are wanted', () => {
    assert.deepEqual(
      frozen(NODES, { outputs: ['neg'] }).outputs.map(({ name, ref }) => [name, ref.node.op]),
      [['neg', 'Neg']],
    );
  });
  test('has no signatures', () =>
    assert.throws(() => frozen(NODES, { signature: 'serving_default' }), {
      code: 'SIGNATURE_UNKNOWN',
      message: /there is no signature 'serving_default': only SavedModels have signatures/,
    }));
  test('is there', () => {
    assert.throws(() => frozen([]), { code: 'SOURCE_UNKNOWN', message: /it has no graph/ });
    assert.throws(() => readFrozenGraph(Uint8Array.of(0x0a, 0x7f, 1), {}), { code: 'SOURCE_DAMAGED' });
  });
});
