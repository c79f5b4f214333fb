// How image files are read: the options, and what the result says of them. The pixels of each kind of file are compared
// in tests/c/image.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { decodeImage, FeatureExtractor, ObjectDetector } from '../../../wasm/platform/node.js';
import { testData } from '../shared.js';

const jpeg = readFileSync(testData('images/baseline.jpg'));
/** The same file that says to be of 4 112 x 2 832 pixels: what it lacks of them is grey. */
const large = Buffer.from(jpeg);
const frame = large.indexOf(Buffer.from([0xff, 0xc0]));
large.writeUInt16BE(2832, frame + 5);
large.writeUInt16BE(4112, frame + 7);

/** @type {ObjectDetector} */
let detector;
before(async () => {
  detector = await ObjectDetector.create({ allowTruncated: true });
});
after(() => detector.close());

/** @param {Parameters<typeof ObjectDetector.create>[0]} options */
const refused = (options) =>
  assert.rejects(() => ObjectDetector.create(options), { name: 'OcelliError', code: 'INVALID_OPTION' });

test('wrong options are refused', async () => {
  await refused({ decode: /** @type {any} */ ('auto') });
  await refused({ allowTruncated: /** @type {any} */ (1) });
  for (const background of ['white', '#fff', '#1234567', 0])
    await refused({ background: /** @type {any} */ (background) });
  await assert.rejects(() => detector.detect(jpeg, { decode: /** @type {any} */ (2) }), {
    code: 'INVALID_OPTION',
  });
});

describe('the scale', () => {
  for (const [what, file, options, expected] of /** @type {const} */ ([
    ['of a small picture is full', jpeg, {}, 'full'],
    ['of a large picture is smaller', large, {}, 'scaled'],
    ['is full if asked for', large, { decode: 'full' }, 'full'],
    ['is full where TensorFlow’s pixels are wanted', large, { exact: true }, 'full'],
    ['is smaller if asked for, even then', large, { exact: true, decode: 'scaled' }, 'scaled'],
    [
      'of a region that is not large is full',
      large,
      { roi: { x: 0, y: 0, width: 700, height: 500 }, decode: 'scaled' },
      'full',
    ],
  ])) {
    test(what, async () => {
      const { decode, size } = await detector.detect(file, options);
      assert.equal(decode, expected === 'full' ? undefined : expected);
      assert.deepEqual(size, file === jpeg ? { width: 90, height: 61 } : { width: 4112, height: 2832 });
    });
  }

  test('is the option of create', async () => {
    const full = await ObjectDetector.create({ allowTruncated: true, decode: 'full' });
    assert.equal((await full.detect(large)).decode, undefined);
    full.close();
  });
});

describe('files that are cut short', () => {
  const cut = jpeg.subarray(0, (jpeg.length * 3) / 4);
  test('are refused with the row at which they end', async () => {
    await assert.rejects(() => decodeImage(cut), {
      code: 'IMAGE_CORRUPT',
      message: /the data ends at row \d+ of 61/,
    });
  });
  test('give what is there, if that is allowed', async () => {
    const whole = await decodeImage(jpeg);
    const part = await decodeImage(cut, { allowTruncated: true });
    assert.deepEqual(part.data.subarray(0, 90 * 3 * 8), whole.data.subarray(0, 90 * 3 * 8));
    assert.ok(part.data.subarray(-90 * 3).every((value) => value === 128));
    assert.deepEqual([part.truncated, whole.truncated], [true, undefined]);
    assert.equal((await detector.detect(cut)).truncated, true);
    assert.equal((await detector.detect(jpeg)).truncated, undefined);
  });
  for (const input of [{ fit: /** @type {const} */ ('crop') }, { fit: /** @type {const} */ ('contain') }]) {
    test(`also where the input is fitted: ${input.fit}`, async () => {
      const fitted = await ObjectDetector.create({ allowTruncated: true, input });
      const { truncated, decode, size } = await fitted.detect(cut, { decode: 'scaled' });
      assert.deepEqual(
        { truncated, decode, size },
        { truncated: true, decode: undefined, size: { width: 90, height: 61 } },
      );
      fitted.close();
    });
  }
  test('are named by a batch that has one', async () => {
    const extractor = await FeatureExtractor.create({ allowTruncated: true });
    const batch = Array.from({ length: 9 }, () => jpeg);
    const whole = await extractor.extractBatch(batch);
    assert.ok(!('truncated' in whole) && !('decode' in whole));
    const { truncated, decode } = await extractor.extractBatch([cut, large, ...batch]);
    assert.deepEqual([truncated, decode], [true, 'scaled']);
    extractor.close();
  });
  test('are accepted by a pool, too', async () => {
    const pool = await ObjectDetector.create({ pool: 1, allowTruncated: true });
    assert.equal((await pool.detect(cut)).truncated, true);
    pool.close();
  });
});

test('the limit of pixels is the option’s', async () => {
  await assert.rejects(() => decodeImage(jpeg, { maxPixels: 90 * 61 - 1 }), {
    code: 'IMAGE_TOO_LARGE',
    message: /maxPixels/,
  });
  await decodeImage(jpeg, { maxPixels: 90 * 61 });
});
