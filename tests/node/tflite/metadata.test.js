// TFLite Metadata that is written, field by field, as the schemas number them: metadata_schema.fbs and MediaPipe's
// object_detector_metadata_schema.fbs.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unzipSync, zipSync } from 'fflate';
import {
  appendFiles,
  appendLabelFiles,
  appendLabels,
  associatedFiles,
  writeMetadata,
} from '../../../wasm/tflite/metadata.js';
import { Fields } from './fields.js';

const about = {
  name: 'a name',
  description: 'a description',
  image: { name: 'picture', mean: [1, 2, 3], std: [4, 5, 6] },
  outputs: [
    { name: 'boxes', role: /** @type {const} */ ('location') },
    { name: 'classes', role: /** @type {const} */ ('score'), labels: ['a', 'b'] },
  ],
  detector: {
    anchors: Float32Array.of(0.125, 0.25, 0.5, 0.75, 0.375, 0.625, 0.875, 1),
    boxCoder: [10, 20, 5, 2.5],
    numClasses: 7,
    isSigmoid: true,
  },
  own: { version: 1 },
  batchNorm: Uint8Array.of(9, 8, 7),
};
/** @param {Fields} model */
const subgraphOf = (model) => model.tables(3)[0];
/** @param {import('../../../wasm/tflite/metadata.js').About} given */
const read = (given) => Fields.root(writeMetadata(given));

test('the model', () => {
  const bytes = writeMetadata(about);
  assert.equal(new TextDecoder().decode(bytes.subarray(4, 8)), 'M001');
  const model = Fields.root(bytes);
  assert.deepEqual(
    [0, 1, 2, 7].map((id) => model.text(id)),
    ['a name', 'a description', undefined, '1.5.0'],
  );
  assert.equal(model.tables(3).length, 1);
});

test('the image of the input', () => {
  const inputs = subgraphOf(read(about)).tables(2);
  assert.equal(inputs.length, 1);
  const [input] = inputs;
  assert.equal(input.text(0), 'picture');
  // ContentProperties: ImageProperties is 2; its color_space RGB is 1.
  assert.equal(input.table(3)?.byte(0), 2);
  assert.equal(input.table(3)?.table(1)?.byte(0), 1);
  // ProcessUnit: NormalizationOptions is 1.
  const units = input.tables(4);
  assert.equal(units.length, 1);
  assert.equal(units[0].byte(0), 1);
  assert.deepEqual(
    [units[0].table(1)?.floats(0), units[0].table(1)?.floats(1)],
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  );
  assert.equal(subgraphOf(read({ ...about, image: undefined })).tables(2).length, 0);
});

test('the outputs', () => {
  const outputs = subgraphOf(read(about)).tables(3);
  assert.deepEqual(
    outputs.map((output) => output.text(0)),
    ['boxes', 'classes'],
  );
  // FeatureProperties is 1, BoundingBoxProperties is 3; its type BOUNDARIES is 1.
  assert.deepEqual(
    outputs.map((output) => output.table(3)?.byte(0)),
    [3, 1],
  );
  assert.equal(outputs[0].table(3)?.table(1)?.byte(1), 1);
  assert.ok(outputs[1].table(3)?.table(1));
  assert.deepEqual(
    outputs.map((output) => output.tables(6).length),
    [0, 1],
  );
  // AssociatedFile: its type TENSOR_AXIS_LABELS is 2.
  const [file] = outputs[1].tables(6);
  assert.deepEqual([file.text(0), file.byte(2)], ['labels.txt', 2]);
});

test('each output names a label file of its own', () => {
  const role = /** @type {const} */ ('probability');
  const outputs = [
    { name: 'age', role, labels: ['young', 'old'] },
    { name: 'plain', role },
    { name: 'sex', role, labels: ['f', 'm'] },
    { name: 'mood', role, labels: ['good', 'bad'] },
  ];
  const named = subgraphOf(read({ ...about, outputs }))
    .tables(3)
    .map((output) => output.tables(6).map((file) => file.text(0)));
  assert.deepEqual(named, [['labels.txt'], [], ['labels2.txt'], ['labels3.txt']]);
  const files = unzipSync(appendLabelFiles(Uint8Array.of(1, 2, 3, 4), outputs));
  const texts = named.map((names) => names.map((name) => new TextDecoder().decode(files[String(name)])));
  assert.deepEqual(texts, [['young\nold\n'], [], ['f\nm\n'], ['good\nbad\n']]);
});

test('entries of its own', () => {
  const entries = (/** @type {Parameters<typeof read>[0]} */ given) =>
    Object.fromEntries(
      subgraphOf(read(given))
        .tables(9)
        .map((entry) => [entry.text(0), entry.bytes(1)]),
    );
  const all = entries(about);
  assert.deepEqual(Object.keys(all), ['DETECTOR_METADATA', 'OCELLI', 'OCELLI_BATCH_NORM']);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(all.OCELLI)), { version: 1 });
  assert.deepEqual([...all.OCELLI_BATCH_NORM], [9, 8, 7]);
  const { name, description, outputs } = about;
  assert.deepEqual(entries({ name, description, outputs }), {});
});

describe('the detector', () => {
  /** @param {boolean} isSigmoid */
  const detector = (isSigmoid) => {
    const given = { ...about, detector: { ...about.detector, isSigmoid } };
    const [entry] = subgraphOf(read(given)).tables(9);
    const bytes = entry.bytes(1);
    assert.equal(new TextDecoder().decode(bytes.subarray(4, 8)), 'V001');
    return Fields.root(bytes);
  };
  test('anchors are x, y, width, height', () => {
    const root = detector(true);
    assert.equal(root.text(0), '1.0.0');
    const anchors = root.table(1)?.table(0)?.tables(0) ?? [];
    assert.deepEqual(
      anchors.map((anchor) => [0, 1, 2, 3].map((id) => anchor.float(id))),
      [
        [0.25, 0.125, 0.75, 0.5],
        [0.625, 0.375, 1, 0.875],
      ],
    );
  });
  test('decoding', () => {
    for (const isSigmoid of [true, false]) {
      const decoding = detector(isSigmoid).table(2);
      // Classes, boxes, coordinates; no keypoints, of 2 values each.
      assert.deepEqual(
        [0, 1, 2, 3, 4, 5].map((id) => decoding?.int(id)),
        [7, 2, 4, undefined, undefined, 2],
      );
      assert.deepEqual(
        [6, 7, 8, 9].map((id) => decoding?.float(id)),
        [20, 10, 2.5, 5],
      );
      // apply_exponential_on_box_size, sigmoid_score.
      assert.deepEqual(
        [10, 11].map((id) => decoding?.byte(id)),
        [1, isSigmoid ? 1 : undefined],
      );
    }
  });
});

describe('associated files', () => {
  const model = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);
  test('lie behind the model, and are found by other programs', () => {
    const whole = appendLabels(model, ['a', 'b c']);
    assert.deepEqual(whole.subarray(0, 1000), model);
    assert.deepEqual(Object.keys(unzipSync(whole)), ['labels.txt']);
    assert.equal(new TextDecoder().decode(unzipSync(whole)['labels.txt']), 'a\nb c\n');
  });
  test('of several files, each entry says where it begins, from the first byte of the model', () => {
    const files = { one: Uint8Array.of(1, 2), two: Uint8Array.of(3), three: new Uint8Array(300) };
    const whole = appendFiles(model, files);
    const view = new DataView(whole.buffer);
    const end = whole.length - 22;
    assert.equal(view.getUint32(end, true), 0x06054b50);
    let at = view.getUint32(end + 16, true);
    const places = Object.keys(files).map((name) => {
      assert.equal(view.getUint32(at, true), 0x02014b50);
      const local = view.getUint32(at + 42, true);
      assert.equal(view.getUint32(local, true), 0x04034b50);
      const nameAt = local + 30;
      at +=
        46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
      return new TextDecoder().decode(whole.subarray(nameAt, nameAt + name.length));
    });
    assert.deepEqual(places, ['one', 'two', 'three']);
    assert.equal(at, end);
    assert.deepEqual(
      Object.fromEntries(Object.entries(associatedFiles(whole)).map(([name, bytes]) => [name, [...bytes]])),
      Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, [...bytes]])),
    );
  });
  test('are stored as they are, the same in every run', () => {
    const once = appendLabels(model, ['a']);
    assert.deepEqual(appendLabels(model, ['a']), once);
    assert.ok(Buffer.from(once).includes('a\n'));
    // MS-DOS's first date, 1 January 1980.
    const at = 1000 + 10;
    assert.deepEqual([...once.subarray(at, at + 4)], [0, 0, 33, 0]);
  });
  test('are none, of a model without', () => {
    assert.deepEqual(associatedFiles(model), {});
    assert.deepEqual(associatedFiles(new Uint8Array(3)), {});
  });
  test('may have offsets from the first byte of their archive: cat model labels.zip', () => {
    const files = { 'labels.txt': Uint8Array.of(97, 10), 'more.txt': new Uint8Array(300).fill(98) };
    const archive = zipSync(files, { comment: 'labels' });
    assert.deepEqual(associatedFiles(new Uint8Array(Buffer.concat([model, archive]))), files);
  });
  test('that cannot be read are an error', () => {
    const whole = appendLabels(model, ['a cat']);
    const at = Buffer.from(whole).indexOf('a cat');
    const end = whole.length - 22;
    for (const [from, to, message] of /** @type {[number, number, RegExp][]} */ ([
      [end - 56, end, /its directory is damaged/],
      [end + 12, end + 20, /its directory is missing/],
      [at, at + 1, /the checksum of 'labels\.txt' is wrong/],
      [1000, 1004, /the header of 'labels\.txt' is missing/],
    ])) {
      const damaged = whole.slice().fill(255, from, to);
      assert.throws(() => associatedFiles(damaged), { code: 'BAD_METADATA', message });
    }
  });
  test('are not read if they unpack to more than 64 MiB together', () => {
    const large = new Uint8Array(1 << 25);
    const files = { a: large, b: large };
    assert.deepEqual(Object.keys(associatedFiles(appendFiles(new Uint8Array(4), files))), ['a', 'b']);
    const whole = appendFiles(new Uint8Array(4), { ...files, c: Uint8Array.of(1) });
    assert.throws(() => associatedFiles(whole), {
      code: 'BAD_METADATA',
      message: /they unpack to more than 67108864 bytes/,
    });
  });
});
