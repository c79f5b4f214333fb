// The parts of a checkpoint: checksums and compression against published vectors, and an index as TensorFlow may write
// it, with several shards, compressed blocks and half-precision tensors.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { Checkpoint } from '../../../wasm/convert/source/checkpoint.js';
import { crc32c } from '../../../wasm/convert/source/crc32c.js';
import { Files } from '../../../wasm/convert/source/files.js';
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
  const incomplete = await Checkpoint.open(new Files(files), 'v');
  await assert.rejects(incomplete.read('b'), { code: 'CHECKPOINT_INCOMPLETE' });
});
