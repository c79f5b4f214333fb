// The parts of a checkpoint: checksums and compression against published vectors, and an index as TensorFlow may write
// it, with several shards, compressed blocks and half-precision tensors.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Checkpoint } from '../../../wasm/convert/source/checkpoint.js';
import { crc32c } from '../../../wasm/convert/source/crc32c.js';
import { Files } from '../../../wasm/convert/source/files.js';
import { decode } from '../../../wasm/convert/source/protobuf.js';
import { uncompress } from '../../../wasm/convert/source/snappy.js';
import { halfToNumber, numberToHalf } from '../../../wasm/tflite/tensor.js';

const encoder = new TextEncoder();

test('CRC-32C: RFC 3720, B.4', () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
  assert.equal(crc32c(encoder.encode('123456789')), 0xe3069283);
});

describe('snappy', () => {
  test('literals and copies, overlapping ones too', () => {
    const compressed = Uint8Array.of(11, 2 << 2, ...encoder.encode('abc'), ((8 - 4) << 2) | 1, 3);
    assert.equal(new TextDecoder().decode(uncompress(compressed)), 'abcabcabcab');
    const long = Uint8Array.of(0x88, 0x01, 60 << 2, 71, ...new Uint8Array(72).fill(7), (63 << 2) | 2, 72, 0);
    assert.deepEqual(uncompress(long), new Uint8Array(136).fill(7));
  });

  test('damage is named', () => {
    for (const bytes of [
      [],
      [5],
      [5, 16, 97],
      [3, 8, 97, 98, 99, 1, 9],
      [0xff, 0xff, 0xff, 0xff, 0x0f],
      [1, 8, 97, 98, 99],
    ])
      assert.throws(() => uncompress(Uint8Array.from(bytes)), { code: 'CHECKPOINT_DAMAGED' });
  });
});

test('binary16: every number survives, and what lies between is rounded to even', () => {
  for (let half = 0; half < 0x7c00; half++) {
    assert.equal(numberToHalf(halfToNumber(half)), half);
    assert.equal(numberToHalf(-halfToNumber(half)), half | 0x8000);
    const [low, high] = [halfToNumber(half), halfToNumber(half + 1)];
    if (half + 1 < 0x7c00) assert.equal(numberToHalf((low + high) / 2), half % 2 === 0 ? half : half + 1);
  }
  assert.equal(numberToHalf(1e9), 0x7bff);
});

test('Protocol Buffers are read 64 messages deep, whatever the fields are', () => {
  /** @type {import('../../../wasm/convert/source/protobuf.js').Message} */
  const message = {};
  const type = () => message;
  message[1] = { name: 'one', type, count: 'one' };
  message[2] = { name: 'many', type, count: 'many' };
  message[3] = { name: 'map', type, count: 'map' };
  /** @param {number} field @param {number} depth @returns {Uint8Array} */
  const nest = (field, depth) => {
    if (depth === 0) return new Uint8Array(0);
    const inner = nest(field, depth - 1);
    const value = field === 3 ? new BinaryWriter().tag(2, 2).bytes(inner).finish() : inner;
    return new Uint8Array(new BinaryWriter().tag(field, 2).bytes(value).finish());
  };
  // A map's value lies in its entry, which is a message, too.
  for (const [field, most] of [
    [1, 64],
    [2, 64],
    [3, 32],
  ]) {
    assert.ok(decode(message, nest(field, most)));
    assert.throws(() => decode(message, nest(field, most + 1)), /nested too deeply/);
  }
});

/** @param {Uint8Array} bytes */
function mask(bytes) {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** @param {number} value */
function word(value) {
  return new Uint8Array(new Uint32Array([value]).buffer);
}

/** A block as stored, its kind and its checksum. @param {Uint8Array} block @param {boolean} isCompressed */
function stored(block, isCompressed) {
  const size = [(block.length & 127) | 128, block.length >> 7];
  const contents = isCompressed
    ? Uint8Array.of(...size, 61 << 2, (block.length - 1) & 255, (block.length - 1) >> 8, ...block)
    : block;
  const typed = Uint8Array.of(...contents, Number(isCompressed));
  return { bytes: Uint8Array.of(...typed, ...word(mask(typed))), size: contents.length };
}

/** @param {[string, Uint8Array][]} entries one after the other, without shared prefixes */
function block(entries) {
  const parts = entries.flatMap(([key, value]) => [
    0,
    key.length,
    value.length,
    ...encoder.encode(key),
    ...value,
  ]);
  return Uint8Array.of(...parts, ...word(0), ...word(1));
}

/** @param {number} offset @param {number} size */
const handle = (offset, size) => new Uint8Array(new BinaryWriter().uint32(offset).uint32(size).finish());

/** @param {[string, Uint8Array][]} entries */
function table(entries) {
  const data = stored(block(entries), true);
  const meta = stored(block([]), false);
  const index = stored(block([['~', handle(0, data.size)]]), false);
  const footer = new Uint8Array(48);
  const handles = [
    handle(data.bytes.length, meta.size),
    handle(data.bytes.length + meta.bytes.length, index.size),
  ];
  footer.set(handles.flatMap((bytes) => [...bytes]));
  footer.set([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb], 40);
  return Uint8Array.of(...data.bytes, ...meta.bytes, ...index.bytes, ...footer);
}

/** @param {number} dtype @param {number[]} shape @param {number} shard @param {Uint8Array} bytes */
function entry(dtype, shape, shard, bytes) {
  const writer = new BinaryWriter().tag(1, 0).int32(dtype).tag(2, 2).fork();
  for (const size of shape) writer.tag(2, 2).fork().tag(1, 0).int64(size).join();
  writer.join().tag(3, 0).int32(shard).tag(5, 0).int64(bytes.length).tag(6, 5).fixed32(mask(bytes));
  return new Uint8Array(writer.finish());
}

test('an index with two shards, a compressed block, and half-precision tensors', async () => {
  const half = new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x3555).buffer);
  const brain = new Uint8Array(Uint16Array.of(0x3f80, 0xc000).buffer);
  const header = new Uint8Array(new BinaryWriter().tag(1, 0).int32(2).finish());
  const index = table([
    ['', header],
    ['a', entry(19, [3], 0, half)],
    ['b', entry(14, [1, 2], 1, brain)],
  ]);
  const files = new Map([
    ['v.index', index],
    ['v.data-00000-of-00002', half],
    ['v.data-00001-of-00002', brain],
  ]);
  const checkpoint = await Checkpoint.open(new Files(files), 'v');
  const a = await checkpoint.read('a');
  assert.deepEqual([...a.data], [1, -2, halfToNumber(0x3555)]);
  const b = await checkpoint.read('b');
  assert.deepEqual(
    [b.shape, [...b.data]],
    [
      [1, 2],
      [1, -2],
    ],
  );
  await assert.rejects(checkpoint.read('c'), { code: 'CHECKPOINT_INCOMPLETE' });
  files.delete('v.data-00001-of-00002');
  assert.deepEqual(await checkpoint.read('b'), b, 'each shard is read once');
  const incomplete = await Checkpoint.open(new Files(files), 'v');
  await assert.rejects(incomplete.read('b'), { code: 'CHECKPOINT_INCOMPLETE' });
});

describe('damage of an index is named', () => {
  const header = new Uint8Array(new BinaryWriter().tag(1, 0).int32(1).finish());
  const bytes = new Uint8Array(Float32Array.of(1, 2).buffer);
  /** @param {Uint8Array} index @param {Uint8Array} [shard] */
  const open = (index, shard = bytes) =>
    Checkpoint.open(
      new Files(
        new Map([
          ['v.index', index],
          ['v.data-00000-of-00001', shard],
        ]),
      ),
      'v',
    );
  /** A table of one block of these bytes. @param {number[]} data */
  const tableOf = (data) => {
    const whole = stored(Uint8Array.from(data), false);
    const index = stored(block([['~', handle(0, whole.size)]]), false);
    const footer = new Uint8Array(48);
    footer.set([...handle(0, 0), ...handle(whole.bytes.length, index.size)]);
    footer.set([0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb], 40);
    return Uint8Array.of(...whole.bytes, ...index.bytes, ...footer);
  };
  const tail = [...word(0), ...word(1)];
  /** @type {[string, Uint8Array, RegExp][]} */
  const cases = [
    ['shorter than a footer', new Uint8Array(47), /not a LevelDB table/],
    ['another format', new Uint8Array(48), /not a LevelDB table/],
    ['a block without its end', tableOf([1, 2, 3]), /a block of the index has an invalid length/],
    [
      'more restarts than bytes',
      tableOf([...word(0), ...word(2)]),
      /a block of the index has an invalid length/,
    ],
    ['a prefix of a key that there is not', tableOf([1, 0, 0, ...tail]), /an invalid prefix length/],
    ['a key that ends outside', tableOf([0, 9, 0, ...tail]), /unexpected end of the index/],
    ['a value that ends outside', tableOf([0, 0, 9, ...tail]), /unexpected end of the index/],
    ['a number of ten bytes', tableOf([...new Array(9).fill(255), 1, 0, 0, ...tail]), /an invalid varint/],
    ['no shards', table([['', new Uint8Array(0)]]), /it has 0 shards/],
    ['no header', table([['a', entry(1, [2], 0, bytes)]]), /it has 0 shards/],
    [
      '100 000 shards',
      table([['', new Uint8Array(new BinaryWriter().tag(1, 0).int32(100_000).finish())]]),
      /it has 100000 shards/,
    ],
    [
      'big-endian',
      table([['', new Uint8Array(new BinaryWriter().tag(1, 0).int32(1).tag(2, 0).int32(1).finish())]]),
      /it is big-endian/,
    ],
  ];
  for (const [name, index, message] of cases)
    test(name, () => assert.rejects(open(index), { code: 'CHECKPOINT_DAMAGED', message }));

  test('keys that share a prefix, and blocks that are not compressed', async () => {
    const [first, second] = [entry(1, [2], 0, bytes), entry(1, [1], 0, bytes.subarray(0, 4))];
    const data = [
      ...[0, 0, header.length, ...header],
      ...[0, 3, first.length, ...encoder.encode('abc'), ...first],
      ...[2, 2, second.length, ...encoder.encode('de'), ...second],
      ...tail,
    ];
    const checkpoint = await open(tableOf(data));
    assert.deepEqual(
      [checkpoint.has('abc'), checkpoint.has('abde'), checkpoint.has('de')],
      [true, true, false],
    );
    assert.deepEqual([...(await checkpoint.read('abc')).data], [1, 2]);
    assert.deepEqual(await checkpoint.read('abde'), {
      dtype: 'float32',
      shape: [1],
      data: Float32Array.of(1),
    });
  });

  test('99 999 shards are read', async () => {
    const many = new Uint8Array(new BinaryWriter().tag(1, 0).int32(99_999).finish());
    const checkpoint = await open(
      table([
        ['', many],
        ['a', entry(1, [2], 99_998, bytes)],
      ]),
    );
    await assert.rejects(checkpoint.read('a'), { message: /'v\.data-99998-of-99999'/ });
  });

  /** @param {(writer: BinaryWriter) => BinaryWriter} write after the dtype and a shape of [2] */
  const entryOf = (write) => {
    const writer = new BinaryWriter()
      .tag(1, 0)
      .int32(1)
      .tag(2, 2)
      .fork()
      .tag(2, 2)
      .fork()
      .tag(1, 0)
      .int64(2)
      .join()
      .join();
    return new Uint8Array(write(writer).finish());
  };
  const sum = (/** @type {BinaryWriter} */ writer, of = bytes) => writer.tag(6, 5).fixed32(mask(of));
  /** @type {[string, Uint8Array, string, RegExp][]} */
  const tensors = [
    ['a shard that there is not', entry(1, [2], 1, bytes), 'CHECKPOINT_DAMAGED', /there is no shard 1/],
    ['a shard below 0', entry(1, [2], -1, bytes), 'CHECKPOINT_DAMAGED', /there is no shard -1/],
    [
      'slices',
      entryOf((writer) => sum(writer.tag(5, 0).int64(8)).tag(7, 2).fork().join()),
      'GRAPH_UNSUPPORTED',
      /stored in slices/,
    ],
    [
      'a place beyond the shard',
      entryOf((writer) => sum(writer.tag(4, 0).int64(1).tag(5, 0).int64(8))),
      'CHECKPOINT_DAMAGED',
      /beyond the end of its shard/,
    ],
    [
      'a place below 0',
      entryOf((writer) => sum(writer.tag(4, 0).int64(-1).tag(5, 0).int64(8))),
      'CHECKPOINT_DAMAGED',
      /beyond the end of its shard/,
    ],
    [
      'a size below 0',
      entryOf((writer) => sum(writer.tag(4, 0).int64(2).tag(5, 0).int64(-1))),
      'CHECKPOINT_DAMAGED',
      /beyond the end of its shard/,
    ],
    [
      'a wrong checksum',
      entryOf((writer) => sum(writer.tag(5, 0).int64(8), bytes.subarray(1))),
      'CHECKPOINT_DAMAGED',
      /'a' has a wrong checksum/,
    ],
    [
      'no checksum',
      entryOf((writer) => writer.tag(5, 0).int64(8)),
      'CHECKPOINT_DAMAGED',
      /'a' has a wrong checksum/,
    ],
    [
      'another number of elements',
      entry(1, [3], 0, bytes),
      'CHECKPOINT_DAMAGED',
      /'a' has 2 elements, but its shape is \[3\]/,
    ],
  ];
  for (const [name, found, code, message] of tensors)
    test(`a tensor of ${name}`, async () => {
      const checkpoint = await open(
        table([
          ['', header],
          ['a', found],
        ]),
      );
      await assert.rejects(checkpoint.read('a'), { code, message });
    });
  test('a tensor without bytes', async () => {
    const checkpoint = await open(
      table([
        ['', header],
        ['a', entry(1, [0], 0, new Uint8Array(0))],
      ]),
    );
    assert.deepEqual(await checkpoint.read('a'), { dtype: 'float32', shape: [0], data: new Float32Array(0) });
  });
});
