// Damaged and hostile sources: every one ends in a named error, quickly, and never in a model.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync as nodeGzip } from 'node:zlib';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { gzipSync, zipSync } from 'fflate';
import { convert } from '../../../wasm/convert/node.js';
import { CONVERT_MESSAGES } from '../../../wasm/convert/errors.js';
import { GraphBuilder } from '../../../wasm/convert/graph/graph.js';
import { smallSource } from './convert.js';

/** @typedef {Record<string, Uint8Array>} Folder */

const CODES = new Set(Object.keys(CONVERT_MESSAGES));
const VARIABLES = 'variables/variables.data-00000-of-00001';
const INDEX = 'variables/variables.index';
const TWENTY = Array.from({ length: 20 }, (_, i) => i);
/** Each takes half a second. */
const NUM_BOMBS = process.env.OCELLI_SOAK ? 20 : 4;

/** @param {import('../../../wasm/convert/source/files.js').Source} source @param {RegExp} [reason] */
async function assertNamed(source, reason) {
  await assert.rejects(convert(source), (/** @type {any} */ error) => {
    assert.equal(error.name, 'OcelliError', error.stack);
    assert.ok(CODES.has(error.code), error.code);
    if (reason) assert.match(`${error.code}: ${error.message}`, reason);
    return true;
  });
}

/** @param {string} name @returns {Folder} */
function folder(name) {
  const files = /** @type {Record<string, () => Uint8Array>} */ (smallSource(name));
  return Object.fromEntries(Object.entries(files).map(([path, read]) => [path, read()]));
}

/** @param {Uint8Array} bytes @param {number} at @param {number} [bits] */
function flipped(bytes, at, bits = 0x55) {
  const copy = bytes.slice();
  copy[at % copy.length] ^= bits;
  return copy;
}

describe('SavedModels', () => {
  const source = folder('keras2_small_classifier');
  const variables = source[VARIABLES];
  const index = source[INDEX];

  test('a shard is missing', async () => {
    const { [VARIABLES]: _, ...rest } = source;
    await assertNamed(rest, /CHECKPOINT_INCOMPLETE.*data-00000-of-00001/);
    const { [INDEX]: __, ...unindexed } = source;
    await assertNamed(unindexed, /CHECKPOINT_INCOMPLETE/);
    for (const i of TWENTY)
      await assertNamed(
        { ...rest, [`variables/variables.data-0000${i % 10}-of-000${10 + i}`]: variables },
        /CHECKPOINT_INCOMPLETE/,
      );
  });

  test('the index is truncated, anywhere', async () => {
    for (const i of TWENTY)
      await assertNamed(
        { ...source, [INDEX]: index.subarray(0, Math.floor((index.length * i) / 20)) },
        /CHECKPOINT_DAMAGED/,
      );
  });

  test('the index is changed, anywhere', async () => {
    for (const i of TWENTY)
      await assertNamed(
        { ...source, [INDEX]: flipped(index, Math.floor((index.length * i) / 20)) },
        /CHECKPOINT_/,
      );
  });

  test('a checksum is wrong', async () => {
    // The moments and the optimizer's state at the end are not needed: those bytes may change
    for (const i of TWENTY)
      await assertNamed(
        { ...source, [VARIABLES]: flipped(variables, Math.floor((variables.length * i) / 40)) },
        /CHECKPOINT_DAMAGED.*checksum/,
      );
  });

  test('the shard is truncated', async () => {
    for (const i of TWENTY)
      await assertNamed(
        { ...source, [VARIABLES]: variables.subarray(0, Math.floor((variables.length * i) / 40)) },
        /CHECKPOINT_DAMAGED/,
      );
  });

  test('the graph is truncated or overwritten', async () => {
    const graph = source['saved_model.pb'];
    for (const i of TWENTY) {
      await assertNamed({
        ...source,
        'saved_model.pb': graph.subarray(0, Math.floor((graph.length * i) / 20)),
      });
      const overwritten = { ...source, 'saved_model.pb': graph.slice().fill(0xff, i * 997, i * 997 + 8) };
      await convert(overwritten, { verify: false }).catch((error) =>
        assert.ok(CODES.has(error.code), error.stack),
      );
    }
  });

  test('single bytes of the graph: a named error or a model, never anything else', async () => {
    const graph = source['saved_model.pb'];
    for (const i of TWENTY) {
      const changed = { ...source, 'saved_model.pb': flipped(graph, (i * 7919) % 60000, 1 << (i % 8)) };
      await convert(changed, { verify: false }).catch((error) =>
        assert.ok(CODES.has(error.code), error.stack),
      );
    }
  });
});

describe('TensorFlow.js models', () => {
  const graph = folder('tfjs_small_classifier');
  const layers = folder('tfjs_layers_small_classifier');
  const SHARD = 'group1-shard1of1.bin';

  /** @param {Folder} source @param {(json: any) => void} change @returns {Folder} */
  const changed = (source, change) => {
    const json = JSON.parse(new TextDecoder().decode(source['model.json']));
    change(json);
    return { ...source, 'model.json': new TextEncoder().encode(JSON.stringify(json)) };
  };

  test('shards are missing, short, or elsewhere', async () => {
    for (const source of [graph, layers]) {
      const { [SHARD]: shard, ...rest } = source;
      await assertNamed(rest, /SOURCE_INCOMPLETE/);
      const size = Math.ceil(shard.length / TWENTY.length);
      const parts = TWENTY.map((i) => [`part${i}.bin`, shard.subarray(i * size, (i + 1) * size)]);
      for (const missing of TWENTY)
        await assertNamed(
          {
            ...changed(rest, (json) => (json.weightsManifest[0].paths = parts.map(([name]) => name))),
            ...Object.fromEntries(parts.filter((_, i) => i !== missing)),
          },
          new RegExp(`SOURCE_INCOMPLETE.*part${missing}\\.bin`),
        );
      for (const i of TWENTY)
        await assertNamed(
          { ...source, [SHARD]: shard.subarray(0, Math.floor((shard.length * i) / 20)) },
          /SOURCE_INCOMPLETE/,
        );
      await assertNamed(
        changed(source, (json) => (json.weightsManifest[0].paths = ['../../etc/passwd'])),
        /SOURCE_INCOMPLETE/,
      );
    }
  });

  test('the JSON is truncated or says nonsense', async () => {
    for (const source of [graph, layers]) {
      const text = source['model.json'];
      for (const i of TWENTY)
        await assertNamed(
          { ...source, 'model.json': text.subarray(0, Math.floor((text.length * i) / 20)) },
          /SOURCE_/,
        );
      /** @type {((json: any) => void)[]} */
      const changes = [
        (json) => (json.weightsManifest[0].weights[0].shape = [4294967295, 4294967295]),
        (json) => (json.weightsManifest[0].weights[0].shape = [-1]),
        (json) => (json.weightsManifest[0].weights[0].shape = 'wide'),
        (json) => (json.weightsManifest[0].weights[0].dtype = 'complex64'),
        (json) => (json.weightsManifest[0].weights[0].dtype = 'constructor'),
        (json) => (json.weightsManifest[0].weights[0].quantization = { dtype: 'toString' }),
        (json) => (json.weightsManifest[0].weights[0].name = 'another'),
        (json) => (json.weightsManifest = {}),
        (json) => (json.modelTopology = 7),
        (json) => delete json.modelTopology,
      ];
      for (const change of changes) await assertNamed(changed(source, change));
    }
  });

  test('layers that are unknown, missing, or take their own output', async () => {
    const config = (/** @type {any} */ json) => json.modelTopology.model_config.config;
    /** @type {[(json: any) => void, RegExp][]} */
    const changes = [
      [(json) => (config(json).layers[3].class_name = 'LSTM'), /GRAPH_UNSUPPORTED.*LSTM at/],
      [(json) => (config(json).layers[3].class_name = 'constructor'), /GRAPH_UNSUPPORTED/],
      [(json) => config(json).layers.splice(4, 1), /SOURCE_DAMAGED.*no layer/],
      [
        (json) => (config(json).layers[4].inbound_nodes[0][0][0] = config(json).layers[8].config.name),
        /takes its own output/,
      ],
      [(json) => (config(json).layers = []), /SOURCE_DAMAGED|GRAPH/],
    ];
    for (const [change, reason] of changes) await assertNamed(changed(layers, change), reason);
  });
});

/**
 * @typedef {{name: string, op: string, input?: string[], func?: string}} TestNode
 * @param {BinaryWriter} writer
 * @param {number} field
 * @param {TestNode} node
 */
function writeNode(writer, field, { name, op, input = [], func }) {
  writer.tag(field, 2).fork();
  writer.tag(1, 2).string(name).tag(2, 2).string(op);
  for (const text of input) writer.tag(3, 2).string(text);
  if (op === 'Placeholder') {
    writer.tag(5, 2).fork().tag(1, 2).string('shape').tag(2, 2).fork().tag(7, 2).fork();
    for (const size of [1, 8, 8, 3]) writer.tag(2, 2).fork().tag(1, 0).int64(size).join();
    writer.join().join().join();
  }
  if (func) {
    writer.tag(5, 2).fork().tag(1, 2).string('f').tag(2, 2).fork();
    writer.tag(10, 2).fork().tag(1, 2).string(func).join().join().join();
  }
  writer.join();
}

/** @param {TestNode[]} nodes @param {Record<string, TestNode[]>} [functions] of one argument x, giving their last node */
function graphDef(nodes, functions = {}) {
  const writer = new BinaryWriter();
  for (const node of nodes) writeNode(writer, 1, node);
  writer.tag(2, 2).fork();
  for (const [name, body] of Object.entries(functions)) {
    writer.tag(1, 2).fork();
    writer.tag(1, 2).fork().tag(1, 2).string(name);
    writer.tag(2, 2).fork().tag(1, 2).string('x').join();
    writer.tag(3, 2).fork().tag(1, 2).string('y').join().join();
    for (const node of body) writeNode(writer, 3, node);
    writer
      .tag(4, 2)
      .fork()
      .tag(1, 2)
      .string('y')
      .tag(2, 2)
      .string(`${body[body.length - 1].name}:output:0`)
      .join();
    writer.join();
  }
  return new Uint8Array(writer.join().finish());
}

describe('graphs', () => {
  const input = { name: 'x', op: 'Placeholder' };
  const call = (
    /** @type {string} */ name,
    /** @type {string} */ func,
    /** @type {string} */ from = 'x',
  ) => ({ name, op: 'PartitionedCall', input: [from], func });

  test('functions that call themselves, or each other, or too many', async () => {
    await assertNamed(
      graphDef([input, call('out', 'f')], { f: [call('again', 'f')] }),
      /GRAPH_BAD.*calls itself/,
    );
    await assertNamed(
      graphDef([input, call('out', 'f')], { f: [call('there', 'g')], g: [call('back', 'f')] }),
      /calls itself/,
    );
    for (const last of TWENTY) {
      const names = TWENTY.slice(0, last + 1);
      const circle = Object.fromEntries(
        names.map((i) => [`f${i}`, [call('next', `f${i === last ? 0 : i + 1}`)]]),
      );
      await assertNamed(graphDef([input, call('out', 'f0')], circle), /GRAPH_BAD.*calls itself/);
    }
    const builder = new GraphBuilder({});
    for (let i = 0; i < 100_000; i++) builder.countCall();
    assert.throws(() => builder.countCall(), { code: 'GRAPH_BAD', message: /over 100000 function calls/ });
    await assertNamed(graphDef([input, call('out', 'nowhere')]), /there is no function 'nowhere'/);
    await assertNamed(
      graphDef([input, call('out', 'f', 'out')], { f: [call('a', 'f')] }),
      /GRAPH_BAD|SIGNATURE/,
    );
    /** @type {Record<string, TestNode[]>} */
    const doubling = {};
    for (let i = 0; i < 40; i++)
      doubling[`f${i}`] = [
        call('a', `f${i + 1}`),
        call('b', `f${i + 1}`),
        { name: 's', op: 'AddV2', input: ['a:output:0', 'b:output:0'] },
      ];
    doubling.f40 = [{ name: 's', op: 'Relu', input: ['x'] }];
    await assertNamed(graphDef([input, call('out', 'f0')], doubling), /GRAPH_BAD.*over/);
  });

  test('a loop of more rounds than one is refused', async () => {
    const loop = [
      { name: 'enter', op: 'Enter', input: ['x'] },
      { name: 'merge', op: 'Merge', input: ['enter', 'next'] },
      { name: 'less', op: 'Less', input: ['merge', 'x'] },
      { name: 'go', op: 'LoopCond', input: ['less'] },
      { name: 'switch', op: 'Switch', input: ['merge', 'go'] },
      { name: 'body', op: 'Relu', input: ['switch:1'] },
      { name: 'next', op: 'NextIteration', input: ['body'] },
      { name: 'out', op: 'Exit', input: ['switch'] },
    ];
    await assertNamed(graphDef([input, ...loop]), /GRAPH_UNSUPPORTED.*the loop of 'go'/);
  });

  test('nodes in a circle', async () => {
    const circle = [
      { name: 'a', op: 'Relu', input: ['b'] },
      { name: 'b', op: 'Relu', input: ['a'] },
      { name: 'out', op: 'Relu6', input: ['a'] },
    ];
    await assertNamed(graphDef([input, ...circle]), /GRAPH_BAD.*cycle/);
    const identities = circle.map((node) => ({ ...node, op: node.name === 'out' ? 'Relu6' : 'Identity' }));
    await assertNamed(graphDef([input, ...identities]), /GRAPH_BAD.*cycle/);
  });

  test('operators that cannot be expressed are named, with their place', async () => {
    const operators =
      'Conv3D FFT Einsum PyFunc MatrixInverse constructor __proto__ toString LSTMBlockCell Unique StringSplit ' +
      'SparseTensorDenseMatMul Where Bincount RandomUniform TensorListReserve DecodeJpeg Qr Erf Multinomial';
    for (const op of operators.split(' ')) {
      const graph = graphDef([input, { name: 'some/where', op, input: ['x'] }]);
      await assertNamed(graph, new RegExp(`GRAPH_UNSUPPORTED.*${op} at 'some/where'`));
      const inside = graphDef([input, call('out', 'f')], { f: [{ name: 'deep', op, input: ['x'] }] });
      await assertNamed(inside, new RegExp(`GRAPH_UNSUPPORTED.*${op} at '.*deep'`));
    }
    await assertNamed(graphDef([{ name: 'y', op: 'Relu', input: ['x'] }]), /there is no node 'x'/);
  });

  test('lengths of 4 GB, and nothing', async () => {
    for (const i of TWENTY) {
      const huge = new BinaryWriter()
        .tag((i % 5) + 1, 2)
        .uint32(0xffffffff - i)
        .finish();
      await assertNamed(new Uint8Array(huge));
      await assertNamed({ 'saved_model.pb': new Uint8Array(huge) });
    }
    for (const bytes of [new Uint8Array(0), new Uint8Array(100), new Uint8Array(100).fill(255)])
      await assertNamed(bytes);
    await assertNamed({});
  });

  test('constants of more elements than there is memory', async () => {
    const writer = new BinaryWriter()
      .tag(1, 2)
      .fork()
      .tag(1, 2)
      .string('c')
      .tag(2, 2)
      .string('Const')
      .tag(5, 2)
      .fork();
    writer.tag(1, 2).string('value').tag(2, 2).fork().tag(8, 2).fork().tag(1, 0).int32(1).tag(2, 2).fork();
    for (let d = 0; d < 4; d++)
      writer
        .tag(2, 2)
        .fork()
        .tag(1, 0)
        .int64(1 << 20)
        .join();
    const huge = writer.join().join().join().join().join().finish();
    const rest = graphDef([input, { name: 'y', op: 'AddV2', input: ['x', 'c'] }]);
    await assertNamed(new Uint8Array([...huge, ...rest]), /GRAPH_BAD.*elements/);
  });
});

/** @param {string} name @param {Uint8Array} data @param {string} [size] in octal */
function tarEntry(name, data, size = data.length.toString(8).padStart(11, '0')) {
  const block = new Uint8Array(512 + Math.ceil(data.length / 512) * 512);
  const text = new TextEncoder();
  block.set(text.encode(name));
  block.set(text.encode(`${size} `), 124);
  block.set(text.encode('        0'), 148);
  block.set(text.encode('ustar\0'), 257);
  const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  block.set(text.encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
  block.set(data, 512);
  return block;
}

describe('archives', () => {
  const NAMES = [
    '../evil',
    'a/../../evil',
    '/etc/passwd',
    'C:\\evil',
    '..\\evil',
    'a/b/../../../evil',
    '\\\\server\\evil',
  ];
  const data = new Uint8Array(10);

  test('names outside of themselves', async () => {
    for (const name of NAMES) {
      await assertNamed(zipSync({ [name]: data }), /ARCHIVE_UNSAFE/);
      await assertNamed(tarEntry(name, data), /ARCHIVE_UNSAFE/);
      await assertNamed(gzipSync(tarEntry(name, data)), /ARCHIVE_UNSAFE/);
    }
  });

  test('bombs', async () => {
    const zeros = new Uint8Array(100 << 20);
    for (const i of TWENTY.slice(0, NUM_BOMBS)) {
      const data = zeros.subarray(0, (66 + i) << 20);
      // Each is within the limit
      const parts = Object.fromEntries(
        TWENTY.map((part) => [`zeros${part}`, data.subarray(0, data.length / 20)]),
      );
      const bomb = [
        () => nodeGzip(tarEntry('zeros', data)),
        () => nodeGzip(nodeGzip(tarEntry('zeros', zeros))),
        () => zipSync({ [`zeros${i}`]: data }, { level: 1 }),
        () => zipSync(parts, { level: 1 }),
      ][i % 4];
      await assertNamed(new Uint8Array(bomb()), i % 4 === 1 ? undefined : /ARCHIVE_TOO_LARGE/);
    }
  });

  test('truncated and changed', async () => {
    const files = { 'saved_model.pb': new Uint8Array(2000).map((_, i) => (i * i) % 251) };
    const archives = [zipSync(files), gzipSync(tarEntry('saved_model.pb', files['saved_model.pb']))];
    for (const archive of archives) {
      for (const i of TWENTY) {
        await assertNamed(archive.subarray(0, Math.floor((archive.length * i) / 20)));
        await assertNamed(flipped(archive, Math.floor((archive.length * i) / 20)));
      }
    }
    await assertNamed(tarEntry('saved_model.pb', data, '77777777777'), /ARCHIVE_DAMAGED/);
    await assertNamed(tarEntry('saved_model.pb', data, '-0000000010'), /ARCHIVE_DAMAGED|SOURCE/);
  });
});
