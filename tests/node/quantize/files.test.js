// .tflite files as plain objects: everything that is written is read, 4-bit constants are unpacked, and a report as a page.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readFile, TYPE, writeFile } from '../../../wasm/quantize/file.js';
import { toHtml } from '../../../wasm/quantize/page.js';

/** @typedef {import('../../../wasm/quantize/file.js').Model} Model */

/** @type {Model['operators'][number]} */
const ADD = {
  ...{ code: 0, custom: '', version: 1, inputs: [0, 1], outputs: [2], optionsType: 11, options: [1, 1] },
  customOptions: undefined,
};
const none = { signature: undefined, data: undefined, quantization: undefined };
/** @type {Model} */
const MODEL = {
  description: 'of the test',
  tensors: [
    { ...none, name: 'x', shape: [1, 4], signature: [-1, 4], type: TYPE.float32 },
    { ...none, name: 'constant', shape: [2], type: TYPE.uint8, data: Uint8Array.of(7, 8) },
    {
      ...none,
      name: 'y',
      shape: [],
      type: TYPE.int8,
      quantization: { scales: [0.5, 2], zeroPoints: [-3, 2 ** 40], axis: 1 },
    },
  ],
  operators: [
    ADD,
    { ...ADD, code: 150, version: 3, inputs: [2, -1], optionsType: 0, options: [] },
    { ...ADD, code: 32, custom: 'Mine', optionsType: 0, options: [], customOptions: Uint8Array.of(1, 2, 3) },
    ADD,
  ],
  inputs: [0],
  outputs: [2, 1],
  signatures: [
    { key: 'first', inputs: [['image', 0]], outputs: [['scores', 2], ['more', 1]] }, // prettier-ignore
    { key: 'second', inputs: [], outputs: [['z', 1]] },
  ],
  metadata: [
    { name: 'A', data: Uint8Array.of(9) },
    { name: 'B', data: Uint8Array.of(1, 1, 1) },
  ],
};
const plain = (/** @type {Model} */ model) =>
  JSON.parse(
    JSON.stringify(model, (_, value) =>
      value instanceof Uint8Array ? [...value] : value === undefined ? null : value,
    ),
  );

describe('a file', () => {
  test('that is written is read', () => {
    assert.deepEqual(plain(readFile(writeFile(MODEL))), plain(MODEL));
    assert.deepEqual(
      plain(readFile(new Uint8Array([9, 9, 9, 9, ...writeFile(MODEL)]).subarray(4))),
      plain(MODEL),
    );
    assert.deepEqual(plain(readFile(writeFile(MODEL), 'second')), plain(MODEL));
    assert.equal(Buffer.from(writeFile(MODEL).subarray(4, 8)).toString(), 'TFL3');
  });
  test('lists each operator and version once', () => {
    const empty = { ...MODEL, operators: [ADD] };
    const [one, same, another] = [[ADD], [ADD, ADD], [ADD, { ...ADD, version: 2 }]].map(
      (operators) => writeFile({ ...empty, operators }).length,
    );
    assert.ok(same - one < another - one, `${one} ${same} ${another}`);
  });
  test('has no quantization without scales', () => {
    const [tensor] = MODEL.tensors;
    const quantization = { scales: [], zeroPoints: [], axis: 0 };
    const read = readFile(writeFile({ ...MODEL, tensors: [{ ...tensor, quantization }] }));
    assert.equal(read.tensors[0].quantization, undefined);
  });
  test('has 4-bit constants, the first in the low bits', () => {
    const tensor = { ...none, name: 'w', shape: [5], type: 17, data: Uint8Array.of(0x10, 0x8f, 0x07) };
    const [{ type, data }] = readFile(writeFile({ ...MODEL, tensors: [tensor] })).tensors;
    assert.deepEqual(
      [type, [...new Int8Array(/** @type {Uint8Array} */ (data))]],
      [TYPE.int8, [0, 1, -1, -8, 7]],
    );
  });
});

test('a report as a page', () => {
  const report = {
    layers: [
      { name: 'last;first', isInt8: true, signalToNoise: 12.345 },
      { name: 'other', isInt8: false, signalToNoise: 50 },
    ],
    ...{ bytes: { float: 4096, quantized: 1024 }, ms: { float: 2.04, quantized: 1.06 }, images: 1 },
  };
  const detections = {
    before: { found: 4, matched: 3 },
    after: { found: 5, matched: 5 },
    scoreDifference: 0.01234,
  };
  const text = (/** @type {any} */ given) =>
    toHtml(given)
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ');
  const page = text(report);
  for (const part of [
    'Calibrated on 1 image. 1 of 2 tensors are computed in 8 bits.',
    'size 4.0 KiB 1.0 KiB',
    'time of a run, median, one thread 2.0 ms 1.1 ms',
    'int8 12.3 dB',
    'other float 50.0 dB',
  ])
    assert.ok(page.includes(part), part);
  assert.ok(!page.includes('Detections'));
  assert.match(text({ ...report, detections }), /Detections .*0\.0123/);
});
