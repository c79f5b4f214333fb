// The parts of a vision model that need no module, each alone: pixels, labels, float images, regions, words for what is
// refused, and which tensors of a network a task takes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cosineSimilarity } from '../../../wasm/vision/features.js';
import { resizeFloatImage, splitFloatImages } from '../../../wasm/vision/float_image.js';
import {
  describeClass,
  findClasses,
  isBackground,
  MAX_TEXT,
  readLabels,
  selectClasses,
  withoutBackground,
  wrongCount,
} from '../../../wasm/vision/labels.js';
import { CallLimit, withLimit } from '../../../wasm/vision/limits.js';
import { readFileLabels } from '../../../wasm/vision/model_spec.js';
import { checkPixels } from '../../../wasm/vision/pixels.js';
import { describeNoVideo, describeRefused, nameOf } from '../../../wasm/vision/refuse.js';
import { isPlain, resizeFloatView, seenRegion } from '../../../wasm/vision/view.js';

test('a call with a limit ends at that moment, not before, and with the first reason', (t) => {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const limit = new CallLimit(50);
  for (now of [1000, 1049.999]) limit.check();
  now = 1050;
  assert.throws(() => limit.check(), { code: 'TIMEOUT', message: /50 ms/ });
  limit.end(new Error('later'));
  assert.throws(() => limit.check(), { code: 'TIMEOUT' });
  assert.equal(limit.signal.reason.code, 'TIMEOUT');
  const endless = new CallLimit();
  now = Number.MAX_VALUE;
  endless.check();
});

test('a call that is over leaves the calls of its object, whatever became of it', async () => {
  for (const call of [
    async () => 7,
    () => Promise.reject(new Error('no')),
    async () => new Promise(() => {}),
  ]) {
    let left = 0;
    const calls = /** @type {any} */ ({ add: () => () => void left++ });
    await withLimit({ timeoutMs: 20 }, call, calls).catch(() => {});
    assert.equal(left, 1);
  }
});

const tagged = (/** @type {string} */ tag) => ({ [Symbol.toStringTag]: tag });

describe('pixels', () => {
  const bytes = (/** @type {number} */ length) => new Uint8Array(length);
  /** @type {[length: number, image: object, channels: number, stride: number][]} */
  const taken = [
    [12, { width: 2, height: 2 }, 3, 6],
    [15, { width: 2, height: 2 }, 3, 6],
    [16, { width: 2, height: 2 }, 4, 8],
    [4, { width: 2, height: 2 }, 1, 2],
    [16, { width: 2, height: 2, channels: 3 }, 3, 6],
    [16, { width: 2, height: 2, channels: 1, stride: 8 }, 1, 8],
    [1, { width: 1, height: 1 }, 1, 1],
    [65535, { width: 65535, height: 1 }, 1, 65535],
    [65535, { width: 1, height: 65535 }, 1, 1],
    [1, { width: 1, height: 1, stride: 0 }, 1, 0],
    [1, { width: 1, height: 1, stride: 2 ** 31 - 1 }, 1, 2 ** 31 - 1],
  ];
  for (const [length, image, channels, stride] of taken)
    test(`${length} bytes, ${JSON.stringify(image)}`, () => {
      const data = bytes(length);
      const { width, height } = /** @type {any} */ (image);
      assert.deepEqual(checkPixels(image, data), { data, width, height, channels, stride });
    });

  const sides = /^.*width and height must be from 1 to 65535, but are /;
  /** @type {[length: number, image: object, code: string, message: RegExp][]} */
  const refused = [
    ...[0, -1, 1.5, 65536, NaN].flatMap((side) => [
      .../** @type {[number, object, string, RegExp][]} */ ([
        [4, { width: side, height: 1 }, 'INVALID_INPUT', sides],
        [4, { width: 1, height: side }, 'INVALID_INPUT', sides],
      ]),
    ]),
    [4, { width: 1, height: '1' }, 'INVALID_INPUT', /must be numbers, but one is a string/],
    [4, { width: 1 }, 'INVALID_INPUT', /are missing; pass \{data, width, height\}$/],
    [4, { height: 1 }, 'INVALID_INPUT', /are missing; pass \{data, width, height\}$/],
    [4, { shape: [5, 7, 3] }, 'INVALID_INPUT', /pass \{data, width: 7, height: 5\}$/],
    [4, { shape: [5, 7] }, 'INVALID_INPUT', /pass \{data, width, height\}$/],
    [4, { shape: { length: 3 } }, 'INVALID_INPUT', /pass \{data, width, height\}$/],
    [4, { info: {} }, 'INVALID_INPUT', /pass \{data, width, height\}$/],
    [4, { info: { width: 5 }, shape: [5, 7, 3] }, 'INVALID_INPUT', /width: info\.width/],
    [
      3,
      { width: 2, height: 2 },
      'INVALID_PIXELS',
      /^[^]*3 bytes do not fit 2 x 2 pixels of 1, 3 or 4 channels$/,
    ],
    [8, { width: 2, height: 2 }, 'INVALID_PIXELS', /8 bytes/],
    [20, { width: 2, height: 2 }, 'INVALID_PIXELS', /20 bytes/],
    [16, { width: 2, height: 2, channels: 2 }, 'INVALID_PIXELS', /16 bytes/],
    [16, { width: 2, height: 2, stride: -1 }, 'INVALID_PIXELS', /16 bytes/],
    [16, { width: 2, height: 2, stride: 6.5 }, 'INVALID_PIXELS', /16 bytes/],
    [16, { width: 2, height: 2, stride: 2 ** 31 }, 'INVALID_PIXELS', /16 bytes/],
  ];
  for (const [length, image, code, message] of refused)
    test(`${length} bytes, ${JSON.stringify(image)}: ${code}`, () =>
      assert.throws(() => checkPixels(image, bytes(length)), { code, message }));

  test('of other types', () => {
    const words = (/** @type {any} */ image) => {
      try {
        checkPixels(image, undefined);
      } catch (error) {
        return /** @type {Error} */ (error).message;
      }
      return '';
    };
    const floats = /, or \{data: Float32Array, shape: \[height, width, 3\]\}$/;
    assert.match(words({ data: new Float32Array(3) }), /its data is a Float32Array; pass a Uint8Array/);
    for (const data of [new Float32Array(3), new Float64Array(3)]) assert.match(words({ data }), floats);
    assert.match(words({ data: new Int8Array(3) }), /its data is a Int8Array; .* from 0 to 255$/);
    assert.match(words({ data: [1, 2] }), /it is an object; pass the bytes/);
    assert.match(words(null), /it is null; pass the bytes/);
  });
});

describe('labels', () => {
  const named = (/** @type {string[]} */ ...names) => names.map((name) => ({ name }));
  test('of the background', () => {
    for (const name of ['???', 'background', 'BACKGROUND', '__background__'])
      assert.ok(isBackground({ name }));
    for (const name of ['????', 'a background', 'backgrounds', '', '__background'])
      assert.ok(!isBackground({ name }));
  });
  test('of the background are left out where there are more labels than classes', () => {
    const three = named('???', 'a', 'b');
    assert.deepEqual(withoutBackground(three, 2), named('a', 'b'));
    assert.deepEqual(withoutBackground(three, 1), named('a', 'b'));
    assert.equal(withoutBackground(three, 3), three);
    assert.equal(withoutBackground(three, 4), three);
    assert.deepEqual(withoutBackground(named('a', '???'), 1), named('a', '???'));
    assert.deepEqual(withoutBackground([], 0), []);
  });
  test('are lines of a text or items of a list', () => {
    assert.deepEqual(readLabels('a\r\n b \n\nc\n\n'), named('a', 'b', '', 'c'));
    assert.deepEqual(readLabels([' a ', { name: ' b ', mid: '/m/1' }]), [
      { name: 'a' },
      { name: ' b ', mid: '/m/1' },
    ]);
    assert.deepEqual(readLabels('\n'.repeat(MAX_TEXT)), named(''));
    assert.equal(MAX_TEXT, 8_388_608);
    const code = 'INVALID_OPTION';
    assert.throws(() => readLabels('\n'.repeat(MAX_TEXT + 1), 'x'), {
      code,
      message: /x has 8388609 characters/,
    });
    assert.throws(() => readFileLabels('\n'.repeat(MAX_TEXT + 1)), {
      code: 'BAD_METADATA',
      message: /the model's labels has \d+ characters/,
    });
    assert.equal(readLabels(['l'.repeat(1000)])[0].name.length, 1000);
    for (const wrong of [['l'.repeat(1001)], [7], [{}], [{ name: 'a', mid: 7 }]])
      assert.throws(() => readLabels(/** @type {any} */ (wrong)), { code, message: /a label is a name or/ });
    assert.throws(() => readLabels(/** @type {any} */ ({ length: 0 })), { code, message: /must be a list/ });
  });
  test('in a result', () => {
    const labels = [{ name: 'a', mid: '/m/a' }, { name: 'b' }, { name: 'c', mid: '' }];
    assert.deepEqual(describeClass(labels, 0), { label: 'a', labelId: 0, mid: '/m/a' });
    assert.deepEqual(describeClass(labels, 1), { label: 'b', labelId: 1 });
    assert.deepEqual(describeClass(labels, 2), { label: 'c', labelId: 2 });
    assert.deepEqual(describeClass(labels, 3), { label: 'class 3', labelId: 3 });
  });

  const animals = [{ name: 'Cat' }, { name: 'Dog', mid: '/m/Dog' }, { name: 'cat' }, { name: 'Extra' }];
  test('chosen by name, MID or number', () => {
    const find = (/** @type {string | number} */ wanted) => findClasses(wanted, animals, 3);
    assert.deepEqual(find(' CAT '), [0, 2]);
    assert.deepEqual(find('/M/dog'), [1]);
    assert.deepEqual([find(0), find(2)], [[0], [2]]);
    for (const number of [-1, 3, 0.5, NaN])
      assert.throws(() => find(number), { code: 'UNKNOWN_CLASS', message: /class numbers are 0 to 2$/ });
    assert.throws(() => find('Extra'), { code: 'UNKNOWN_CLASS' });
    assert.throws(() => find('Dgo'), { message: /'Dgo'; nearest: 'Dog'/ });
  });
  test('that are not known get as much help as is short', () => {
    const many = (/** @type {number} */ count) =>
      Array.from({ length: count }, (_, i) => ({ name: `n${i}` }));
    const message = (/** @type {{name: string}[]} */ labels) => {
      try {
        findClasses('something else', labels, labels.length);
      } catch (error) {
        return /** @type {Error} */ (error).message;
      }
      return '';
    };
    assert.match(message(many(1)), /; the classes are n0$/);
    assert.match(message(many(30)), /; the classes are n0, .*, n29$/);
    assert.match(message(many(31)), /; the model has 31 classes, which `labels` lists$/);
    assert.match(message([]), /; the model has no names of classes$/);
  });
  test('as a mask', () => {
    const mask = (/** @type {any} */ classes) => [...selectClasses(classes, animals, 3)];
    assert.deepEqual(mask({}), [1, 1, 1]);
    assert.deepEqual(mask({ allow: [] }), [0, 0, 0]);
    assert.deepEqual(mask({ allow: ['cat'] }), [1, 0, 1]);
    assert.deepEqual(mask({ deny: ['cat'] }), [0, 1, 0]);
    assert.deepEqual(mask({ allow: ['cat', 1], deny: [0] }), [0, 1, 1]);
  });
  test('that are too many or too few', () => {
    assert.match(wrongCount(1, 2).message, /labels has 1 name, but the model has 2 classes$/);
    assert.match(wrongCount(2, 1).message, /labels has 2 names, but the model has 1 class$/);
    assert.match(wrongCount(0, 3).message, /labels has 0 names, but the model has 3 classes$/);
  });
});

describe('float images', () => {
  const grey = (/** @type {number[]} */ ...values) =>
    Float32Array.from(values.flatMap((value) => [value, value, value]));
  test('of a batch share its memory', () => {
    const data = Float32Array.from({ length: 36 }, (_, i) => i);
    const images = splitFloatImages({ data, shape: [3, 2, 2, 3] });
    assert.deepEqual(
      images.map((each) => [each.data[0], each.data.length, each.shape, each.width, each.height]),
      [0, 12, 24].map((first) => [first, 12, [1, 2, 2, 3], 2, 2]),
    );
    assert.equal(images[2].data.buffer, data.buffer);
    const [one, none] = splitFloatImages({ data: data.subarray(18), shape: [2, 3, 3] });
    assert.deepEqual([one.width, one.height, none], [3, 2, undefined]);
  });
  test('whose shape does not fit', () => {
    const data = new Float32Array(12);
    for (const shape of [
      [2, 2, 4],
      [2, 3, 3],
      [2, 2, 2, 3],
      [1, 1, 2, 2, 3],
      [2, 0, 2, 3],
      [2, 2.5, 3],
      [-2, -2, 3],
      [],
      '223',
    ])
      assert.throws(() => splitFloatImages({ data, shape: /** @type {any} */ (shape) }), {
        code: 'INVALID_INPUT',
        message: /12 numbers do not fit shape \[.*\], which must be/,
      });
    for (const [others, words] of /** @type {const} */ ([
      [{ width: 5, height: 7 }, '[7, 5, 3]'],
      [{ width: 5 }, '[height, width, 3]'],
      [{ height: 7 }, '[height, width, 3]'],
    ]))
      assert.throws(() => splitFloatImages(/** @type {any} */ ({ data, ...others })), {
        message: new RegExp(`shape is missing; pass {data, shape: ${words.replaceAll('[', '\\[')}} with`),
      });
  });

  /** @param {number[]} row @param {number} width @param {'legacy' | 'half-pixel'} resize */
  const across = (row, width, resize) =>
    resizeFloatImage(
      { data: grey(...row), shape: [1, row.length, 3] },
      { width, height: 1 },
      { scale: 1 / 255, offset: 0, resize },
    ).numbers.filter((_, i) => i % 3 === 0);
  /** @type {[number[], number, 'legacy' | 'half-pixel', number[]][]} */
  const rows = [
    [[0, 8], 4, 'legacy', [0, 4, 8, 8]],
    [[0, 8], 4, 'half-pixel', [0, 2, 6, 8]],
    [[0, 4, 8, 16], 2, 'legacy', [0, 8]],
    [[0, 4, 8, 16], 2, 'half-pixel', [2, 12]],
    [[3], 3, 'half-pixel', [3, 3, 3]],
    [[1, 2, 5], 3, 'legacy', [1, 2, 5]],
  ];
  for (const [row, width, resize, expected] of rows)
    test(`${row} to ${width} by ${resize}: ${expected}`, () => {
      const found = across(row, width, resize);
      expected.forEach((value, i) => assert.ok(Math.abs(found[i] - value) < 1e-5, `${found}`));
      assert.equal(found.length, width);
    });
  test('of two dimensions, with a scale and an offset for each channel', () => {
    const data = Float32Array.of(0, 1, 2, 4, 5, 6, 8, 9, 10, 16, 17, 18); // prettier-ignore
    const { numbers, width, height } = resizeFloatImage(
      { data, shape: [2, 2, 3] },
      { width: 1, height: 1 },
      { scale: [1, 2, 3], offset: [10, 20, 30], resize: 'half-pixel' },
    );
    assert.deepEqual([...numbers], [7 * 255 + 10, 8 * 510 + 20, 9 * 765 + 30]);
    assert.deepEqual([width, height], [2, 2]);
    const two = { data: new Float32Array(6), shape: [2, 1, 1, 3] };
    const spec = /** @type {const} */ ({ scale: 1, offset: 0, resize: 'legacy' });
    assert.throws(() => resizeFloatImage(two, { width: 1, height: 1 }, spec), { message: /several/ });
  });
  test('with a view: cropped, with borders, and as luminance', () => {
    const spec = /** @type {const} */ ({ scale: 1 / 255, offset: 0, resize: 'legacy' });
    const seen = (/** @type {any} */ fit, /** @type {any} */ size, /** @type {any} */ channels = 3) => {
      const target = { input: { ...spec, fit }, inputSize: size, channels };
      const { numbers, width, height } = resizeFloatView({ data: grey(1, 2, 3), shape: [1, 3, 3] }, target);
      return [...numbers]
        .filter((_, i) => channels === 1 || i % 3 === 0)
        .concat(width, height)
        .map((n) => Math.round(n * 1e4) / 1e4);
    };
    assert.deepEqual(seen('crop', { width: 1, height: 1 }), [2, 3, 1]);
    assert.deepEqual(seen('contain', { width: 3, height: 3 }), [0, 0, 0, 1, 2, 3, 0, 0, 0, 3, 1]);
    assert.deepEqual(seen('stretch', { width: 3, height: 1 }, 1), [1, 2, 3, 3, 1]);
    for (const fit of /** @type {const} */ (['stretch', 'crop', 'contain'])) {
      const target = { input: { ...spec, fit }, inputSize: { width: 4, height: 4 } };
      const two = { data: grey(1, 2, 3, 4), shape: [2, 1, 2, 3] };
      assert.throws(() => resizeFloatView(two, target), { code: 'INVALID_INPUT', message: /several/ });
    }
    const colours = { data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1), shape: [1, 3, 3] };
    const target = { input: spec, inputSize: { width: 3, height: 1 }, channels: 1 };
    assert.deepEqual(
      [...resizeFloatView(colours, target).numbers],
      [...Float32Array.of(0.299, 0.587, 0.114)],
    );
  });
});

describe('the region that the network sees', () => {
  const roi = { x: 10, y: 20, width: 30, height: 12 };
  const size = { width: 100, height: 50 };
  /** @type {[fit: any, input: [number, number], roi: any, turns: number, expected: [number, number, number, number]][]} */
  const cases = [
    ['stretch', [10, 10], undefined, 0, [0, 0, 100, 50]],
    [undefined, [10, 10], roi, 0, [10, 20, 30, 12]],
    ['crop', [10, 10], undefined, 0, [25, 0, 50, 50]],
    ['contain', [10, 10], undefined, 0, [0, -25, 100, 100]],
    ['crop', [20, 10], undefined, 0, [0, 0, 100, 50]],
    ['crop', [20, 10], undefined, 1, [37, 0, 25, 50]],
    ['crop', [20, 10], undefined, 2, [0, 0, 100, 50]],
    ['contain', [20, 10], undefined, 3, [0, -75, 100, 200]],
    ['crop', [10, 10], roi, 0, [19, 20, 12, 12]],
    ['contain', [10, 10], roi, 0, [10, 11, 30, 30]],
    ['crop', [1, 100], { x: 0, y: 0, width: 3, height: 3 }, 0, [1, 0, 1, 3]],
    ['crop', [100, 1], { x: 0, y: 0, width: 3, height: 3 }, 0, [0, 1, 3, 1]],
    ['crop', [10, 10], { x: 0, y: 0, width: 0, height: 3 }, 0, [0, 0, 0, 3]],
    ['contain', [10, 10], { x: 0, y: 0, width: 3, height: 0 }, 0, [0, 0, 3, 0]],
  ];
  for (const [fit, [width, height], region, turns, [x, y, w, h]] of cases)
    test(`${fit} to ${width}x${height}, ${turns} turns, of ${JSON.stringify(region)}`, () => {
      const target = { input: /** @type {any} */ ({ fit }), inputSize: { width, height } };
      assert.deepEqual(seenRegion(target, region, size, turns), { x, y, width: w, height: h });
    });
  test('is read by the module alone if it is plain', () => {
    const plain = (/** @type {any} */ fit, /** @type {any} */ channels) =>
      isPlain({ input: /** @type {any} */ ({ fit }), inputSize: size, channels });
    assert.deepEqual([plain(undefined, undefined), plain('stretch', 3)], [true, true]);
    assert.deepEqual([plain('crop', 3), plain('stretch', 1)], [false, false]);
  });
});

describe('words for what is refused', () => {
  class Own {}
  const names = /** @type {[unknown, string][]} */ ([
    [null, 'null'],
    [undefined, 'undefined'],
    [7, 'a number'],
    ['x', 'a string'],
    [() => {}, 'a function'],
    [[1], 'an array'],
    [{}, 'an object'],
    [Object.create(null), 'an object'],
    [new Own(), 'a Own'],
    [new Map(), 'a Map'],
  ]);
  for (const [value, name] of names) test(`${name}`, () => assert.equal(nameOf(value), name));

  const hints = /** @type {[unknown, RegExp][]} */ ([
    [tagged('FileList'), /^it is a FileList; pass one of its files, such as files\[0\]$/],
    [Promise.resolve(), /; await it first$/],
    [{ then() {} }, /; await it first$/],
    [[1, 2], /^it is an array; for bytes pass Uint8Array/],
    [[{}], /; call once for each image/],
    [[], /; call once for each image/],
    [() => {}, /^it is a function; call it and pass what it returns$/],
    [{ dataSync() {} }, /; for a tf\.Tensor/],
    [{ dataSync: 1 }, /; pass the bytes of an image file/],
    [{ then: 1 }, /; pass the bytes of an image file/],
    [new DataView(new ArrayBuffer(1)), /; pass new Uint8Array\(view\.buffer/],
    [new Int16Array(1), /; pass new Uint8Array\(view\.buffer/],
    [tagged('HTMLDivElement'), /; of elements, pass an <img>/],
    [tagged('SVGRectElement'), /; of elements, pass an <img>/],
    [tagged('HTMLCollection'), /; pass the bytes of an image file/],
    [7, /^it is a number; pass the bytes of an image file/],
  ]);
  for (const [value, words] of hints) test(`${words}`, () => assert.match(describeRefused(value), words));

  test('of no video', () => {
    const words = (/** @type {string} */ tag) => describeNoVideo(tagged(tag));
    for (const tag of [
      'HTMLCanvasElement',
      'OffscreenCanvas',
      'HTMLImageElement',
      'ImageBitmap',
      'VideoFrame',
    ])
      assert.equal(words(tag), `it is a ${tag}: call detect with it for each picture`);
    assert.equal(words('MediaStream'), 'it is a MediaStream; set it as srcObject of a <video> and pass that');
    assert.equal(words('HTMLDivElement'), 'it is a HTMLDivElement');
    assert.equal(describeNoVideo(undefined), 'it is undefined');
  });
});

describe('the cosine of two vectors', () => {
  const cases = /** @type {[number[], number[], number][]} */ ([
    [[3, 4], [3, 4], 1], // prettier-ignore
    [[3, 4], [-6, -8], -1], // prettier-ignore
    [[1, 0], [0, 5], 0], // prettier-ignore
    [[3, 4], [4, 3], 24 / 25], // prettier-ignore
    [[1, 2, 2], [2, -1, 2], 4 / 9], // prettier-ignore
    [[0, 0], [0, 0], 0], // prettier-ignore
  ]);
  for (const [a, b, cosine] of cases)
    test(`${a} and ${b}: ${cosine}`, () => assert.ok(Math.abs(cosineSimilarity(a, b) - cosine) < 1e-15));
  test('is in [-1, 1], whatever rounding does', () => {
    for (let i = 1; i < 200; i++) {
      const a = [i, i / 3, Math.sqrt(i)];
      assert.ok(cosineSimilarity(a, a) <= 1);
      assert.ok(
        cosineSimilarity(
          a,
          a.map((value) => -value),
        ) >= -1,
      );
    }
  });
  test('needs two of one length', () => {
    for (const [a, b] of /** @type {any[]} */ ([
      [[], []],
      [[1], [1, 2]],
      [undefined, undefined],
      [[1], null],
    ]))
      // prettier-ignore
      assert.throws(() => cosineSimilarity(a, b), {
        code: 'INVALID_INPUT',
        message: new RegExp(`have ${a?.length} and ${b?.length}$`),
      });
  });
});
