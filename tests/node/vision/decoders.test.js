// Files of formats that the module does not read, with decoders of the test: which one is asked, what it must answer, and what
// is said otherwise. And the facts of a session whose model leaves them out.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { host, installHost } from '../../../wasm/engine/host.js';
import { useDecoder } from '../../../wasm/platform/node.js';
import { OcelliError } from '../../../wasm/shared/errors.js';
import { checkPixelCount, decodeForeign } from '../../../wasm/vision/foreign.js';
import { LocalSession } from '../../../wasm/vision/session.js';

const own = host();
after(() => installHost(own));
const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const refusal = new OcelliError('UNSUPPORTED_IMAGE_FORMAT', 'unknown format');

/** @param {string} tag @param {number[]} data */
const box = (tag, data) => [0, 0, 0, 8 + data.length, ...Buffer.from(tag, 'latin1'), ...data];
/** @param {string} brand @param {number[][]} properties */
const heif = (brand, ...properties) =>
  Uint8Array.from([
    ...box('ftyp', [...Buffer.from(`${brand}\0\0\0\0`, 'latin1')]),
    ...box('iprp', box('ipco', properties.flat())),
  ]);
const size = box('ispe', [0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1]); // 2 x 1
const turned = box('irot', [1]);
const mirrored = box('imir', [0]);
const pixels = { data: Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 255), width: 2, height: 1 };

/** @param {any} decodeFile of the host */
const withHost = (decodeFile) => installHost(any({ ...own, decodeFile }));
const decode = async (/** @type {Uint8Array} */ bytes, maxPixels = 100) =>
  any(await decodeForeign(refusal, any(bytes), maxPixels));

test('formats are known by their first bytes', async () => {
  const asked = /** @type {any[]} */ ([]);
  withHost((/** @type {any} */ _, /** @type {string} */ format) => (asked.push(format), 'no'));
  const webp = Buffer.from(`RIFF\0\0\0\0WEBPVP8X\x0a${'\0'.repeat(13)}`, 'latin1'); // 1 x 1
  const brands = ['avif', 'avis', 'heic', 'heix', 'mif1', 'msf1'];
  for (const bytes of [webp, ...brands.map((brand) => heif(brand, size))])
    await assert.rejects(decode(new Uint8Array(bytes)), {
      code: 'UNSUPPORTED_IMAGE_FORMAT',
      message: 'unknown format; no',
    });
  assert.deepEqual(asked, ['webp', 'avif', 'avif', 'heic', 'heic', 'heic', 'heic']);
  for (const bytes of [
    heif('mp42'),
    heif('avio'),
    Uint8Array.of(1),
    new Uint8Array(Buffer.from('RIFF\0\0\0\0WAVE', 'latin1')),
    // libwebp takes it for a picture of VP8L's, of 16384 x 16384 pixels.
    new Uint8Array(Buffer.from('\x2f\xff\xff\xff\x0f\0\0\0WEBP', 'latin1')),
  ])
    assert.equal(await decode(bytes), undefined);
  withHost(undefined);
  assert.equal(await decode(heif('avif', size)), undefined);
});

test('a decoder that is passed gives pixels as they are stored, the host’s may give them upright', async () => {
  withHost(async () => ({ pixels, isUpright: true }));
  const upright = await decode(heif('avif', size, turned, mirrored));
  assert.deepEqual(
    [[...upright.data], upright.width, upright.height, upright.channels, upright.stride, upright.orientation],
    [[...pixels.data], 2, 1, 4, 8, 1],
  );
  assert.ok(upright.data instanceof Uint8Array);
  withHost(async () => ({ pixels, isUpright: false }));
  assert.equal((await decode(heif('avif', size, turned))).orientation, 8);
  const message = /the file is mirrored, which needs sharp/;
  await assert.rejects(decode(heif('avif', size, mirrored)), { code: 'UNSUPPORTED_IMAGE_FORMAT', message });
  withHost(() => assert.fail('the other one is passed'));
  let given = new Uint8Array(0);
  useDecoder('avif', (bytes) => {
    given = new Uint8Array(bytes);
    return pixels;
  });
  const file = heif('avif', size, turned);
  assert.equal((await decode(file)).orientation, 8);
  assert.deepEqual(given, file);
  await assert.rejects(decode(heif('avif', size, mirrored)), { message });
});

test('a picture has a limit, by its header and by its pixels', async () => {
  let asked = 0;
  useDecoder('avif', () => (asked++, pixels));
  await assert.rejects(decode(heif('avif', size), 1), {
    code: 'IMAGE_TOO_LARGE',
    message: /2x1; the limit is 1 pixels/,
  });
  assert.equal(asked, 0);
  await decode(heif('avif', size), 2);
  assert.equal(asked, 1);
  const smaller = box('ispe', [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  await assert.rejects(decode(heif('avif', smaller), 1), { code: 'IMAGE_TOO_LARGE', message: /2x1/ });
  assert.equal(asked, 2);
  await assert.rejects(decode(heif('avif')), {
    code: 'IMAGE_CORRUPT',
    message: /avif: it has no size$/,
  });
  assert.equal(asked, 2);
  checkPixelCount({ width: 3, height: 4 }, 12);
  assert.throws(() => checkPixelCount({ width: 3, height: 4 }, 11), {
    code: 'IMAGE_TOO_LARGE',
    message: /3x4/,
  });
});

test('what a decoder throws is damage, unless it is an error of ours', async () => {
  /** @type {[unknown, string, RegExp][]} */
  const errors = [
    [new Error('cut'), 'IMAGE_CORRUPT', /avif: cut$/],
    ['a text', 'IMAGE_CORRUPT', /avif: a text$/],
    [undefined, 'IMAGE_CORRUPT', /avif: undefined$/],
    [new OcelliError('CLOSED', 'ours'), 'CLOSED', /^ours$/],
  ];
  for (const [error, code, message] of errors) {
    useDecoder('avif', () => Promise.reject(error));
    await assert.rejects(decode(heif('avif', size)), { code, message });
  }
  const rgba = { data: new Float32Array(8), width: 2, height: 1 };
  for (const answer of [
    ...[{ ...pixels, data: pixels.data.subarray(1) }, undefined, null, { width: 1, height: 1 }, 'a text'],
    ...[{ data: pixels.data }, { ...rgba, data: [...pixels.data] }, rgba],
    ...[
      { ...rgba, data: new ArrayBuffer(8) },
      { ...rgba, data: new Uint32Array(2) },
    ],
  ]) {
    useDecoder('avif', () => any(answer));
    await assert.rejects(decode(heif('avif', size)), {
      code: 'IMAGE_CORRUPT',
      message: /returned no RGBA pixels/,
    });
  }
});

test('a session runs one thread, and has no labels, limits, batch or vector, unless its model says so', () => {
  const model = { variant: 'simd', inputSize: { width: 3, height: 2 }, multiplyAdds: 5, precision: 'int8' };
  const facts = (/** @type {object} */ options, /** @type {object} */ more) =>
    new LocalSession(any(options), any({ ...model, ...more })).facts;
  const { variant, ...same } = model;
  assert.deepEqual(facts({}, {}), {
    ...same,
    variant: { name: 'simd', threads: 1 },
    labels: [],
    limits: {},
    batch: 1,
    length: 0,
    classifier: undefined,
  });
  const known = {
    labels: [{ name: 'a' }],
    limits: { maxResults: 3 },
    batch: 4,
    length: 5,
    classifier: any({}),
  };
  assert.deepEqual(facts({ threads: 2 }, known), {
    ...same,
    ...known,
    variant: { name: 'simd', threads: 2 },
  });
});
