// The photos of a detector's learner, what they show, their pixels, and which of their maps are kept: with an extractor of the
// test, which gives one number for each photo.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keepImage, Photos, toRgb } from '../../../wasm/train/detect/examples.js';
import { planMemory, Rows } from '../../../wasm/train/detect/rows.js';
import { keepTrainedHeads } from '../../../wasm/train/detect/weights.js';
import { uniforms } from '../../../wasm/train/random.js';
import '../shared.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
/** @param {string} name @param {object} [more] */
const photo = (name, more) => any({ name, read: () => new Uint8Array(1), width: 100, height: 50, ...more });
/** @param {number[]} box @param {object} [more] */
const found = ([x, y, width, height], more) => any({ label: 'a', box: { x, y, width, height }, ...more });

describe('photos', () => {
  /** @type {[box: number[], target: number[]][]} */
  const boxes = [
    [[10, 10, 20, 20], [0.2, 0.1, 0.6, 0.3]],
    [[0, 0, 100, 50], [0, 0, 1, 1]],
    [[-1, -0.5, 102, 51], [0, 0, 1, 1]],
    [[-1, 10, 2, 10], [0.2, 0, 0.4, 0.01]],
  ]; // prettier-ignore
  for (const [box, target] of boxes)
    test(`a box of ${box}`, () => {
      const photos = new Photos(undefined);
      photos.add(photo('p'), [found(box, { ignore: true })]);
      const [{ label, box: shares, ignore }] = photos.list[0].targets;
      assert.deepEqual([label, ignore], [0, true]);
      shares.forEach((share, i) => assert.ok(Math.abs(share - target[i]) < 1e-12, String(shares)));
    });
  /** @type {[any, RegExp][]} */
  const refused = [
    [found([-1.1, 0, 10, 10]), /p: box 1 is not inside the photo of 100 x 50 pixels/],
    [found([0, -0.6, 10, 10]), /is not inside/],
    [found([90, 0, 11.1, 10]), /is not inside/],
    [found([0, 40, 10, 10.6]), /is not inside/],
    [found([-1, 0, 1, 10]), /is not inside/],
    [found([0, -0.5, 10, 0.5]), /is not inside/],
    [found([100, 0, 1, 10]), /is not inside/],
    [found([0, 0, 0, 10]), /box 1 has no area/],
    [found([0, 0, 10, 0]), /has no area/],
    [found([0, 0, 10, -1]), /has no area/],
    [found([0, 0, 10, NaN]), /with finite numbers/],
    [found([0, 0, 10, Infinity]), /with finite numbers/],
    [found([0, 0, 10, 10], { ignore: 1 }), /ignore must be true or false/],
    [undefined, /with finite numbers/],
    [{ label: 'a' }, /with finite numbers/],
  ];
  for (const [wrong, message] of refused)
    test(`not ${JSON.stringify(wrong)}`, () => {
      const photos = new Photos(undefined);
      assert.throws(() => photos.add(photo('p'), [found([0, 0, 1, 1], { label: 'new' }), wrong]), {
        code: 'INVALID_EXAMPLE',
        message,
      });
      assert.deepEqual([photos.list, photos.labels], [[], []]);
    });
  test('have classes as they come, or those that are given only', () => {
    const photos = new Photos(undefined);
    photos.add(
      photo('p'),
      ['b', 'a', 'b'].map((label) => found([0, 0, 1, 1], { label })),
    );
    photos.add(photo('q'), [found([0, 0, 1, 1], { ignore: true })]);
    assert.deepEqual(photos.labels, ['b', 'a']);
    assert.deepEqual(photos.counts, { count: 2, boxes: 3, classes: [{ label: 'b', count: 2 }, { label: 'a', count: 1 }] }); // prettier-ignore
    const fixed = new Photos(['x', 'a']);
    fixed.add(photo('p'), [found([0, 0, 1, 1])]);
    assert.equal(fixed.list[0].targets[0].label, 1);
    assert.throws(() => fixed.add(photo('p'), [found([0, 0, 1, 1], { label: 'z' })]), {
      code: 'INVALID_LABEL',
      message: /'z' is not a class/,
    });
    assert.throws(() => photos.add(photo('p'), [found([0, 0, 1, 1], { label: 7 })]), {
      code: 'INVALID_LABEL',
    });
    assert.throws(() => photos.add(photo('p'), any('boxes')), {
      code: 'INVALID_EXAMPLE',
      message: /p: boxes must be a list/,
    });
  });
  test('are enough to train on, or not', () => {
    const photos = new Photos(['a', 'b']);
    assert.throws(() => photos.requireTrainable(), { code: 'NO_EXAMPLES', message: /[^]*/ });
    photos.add(photo('p'), []);
    assert.throws(() => photos.requireTrainable(), { code: 'NO_EXAMPLES', message: /no photo has a box/ });
    photos.add(photo('p'), [found([0, 0, 1, 1])]);
    assert.throws(() => photos.requireTrainable(), { code: 'EMPTY_CLASS', message: /b/ });
    photos.add(photo('p'), [found([0, 0, 1, 1], { label: 'b' })]);
    photos.requireTrainable();
  });
  test('that are few or of another size are told', () => {
    const photos = new Photos(['none', 'one', 'two', 'three']);
    const times = (/** @type {string} */ label, /** @type {number} */ count) =>
      Array.from({ length: count }, () => found([0, 0, 1, 1], { label }));
    photos.add(photo('p'), [...times('one', 1), ...times('two', 2), ...times('three', 3)]);
    const few = ["class 'one' has 1 box; give it 3 or more", "class 'two' has 2 boxes; give it 3 or more"];
    assert.deepEqual(photos.warnings, few);
    for (const name of ['q', 'r']) photos.add(photo(name, { isOtherSize: true }), []);
    assert.deepEqual(photos.warnings.slice(0, 2), few);
    assert.match(photos.warnings[2], /^the sizes of 2 of 3 photos are not those .*, such as 'q': /);
    assert.equal(photos.warnings.length, 3);
  });
});

describe('pixels', () => {
  for (const [channels, expected] of /** @type {[number, number[]][]} */ ([
    [1, [1, 1, 1, 2, 2, 2, 5, 5, 5, 6, 6, 6]],
    [3, [1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 14]],
    [4, [1, 2, 3, 5, 6, 7, 11, 12, 13, 15, 16, 17]],
  ]))
    test(`of ${channels} channels, in rows with gaps`, async () => {
      const stride = 2 * channels + 2;
      const data = Uint8Array.from({ length: 2 * stride }, (_, i) => i + 1);
      const rgb = await toRgb(any({ data, width: 2, height: 2, channels, stride }), {});
      assert.deepEqual([[...rgb.data], rgb.width, rgb.height], [expected, 2, 2]);
      const short = { data: data.subarray(0, stride + 2 * channels), width: 2, height: 2, channels, stride };
      assert.deepEqual((await toRgb(any(short), {})).data, rgb.data);
      const shorter = { ...short, data: data.subarray(0, stride + 2 * channels - 1) };
      await assert.rejects(toRgb(any(shorter), {}), {
        code: 'INVALID_INPUT',
        message: /bytes are too few for 2 x 2/,
      });
    });
  test('are kept as they are, files as their bytes', () => {
    const rgb = { data: Uint8Array.of(1, 2, 3), width: 1, height: 1 };
    const file = Uint8Array.of(9);
    const kept = keepImage(file, rgb);
    file[0] = 0;
    assert.deepEqual([kept, keepImage(any({}), rgb)], [Uint8Array.of(9), { ...rgb, channels: 3 }]);
  });
});

test('the memory of maps', () => {
  const inputs = [[1, 2, 3], [1, 4]]; // prettier-ignore
  assert.deepEqual(planMemory(inputs, 5, 59), {
    rows: 5,
    rowBytes: 20,
    bytes: 100,
    keptRows: 2,
    keptBytes: 40,
  });
  assert.deepEqual(planMemory(inputs, 5, 60).keptRows, 3);
  assert.deepEqual(planMemory(inputs, 5, 1000), {
    rows: 5,
    rowBytes: 20,
    bytes: 100,
    keptRows: 5,
    keptBytes: 100,
  });
});

describe('maps of views', () => {
  const augmentation = {
    flip: true,
    crop: false,
    pad: false,
    paste: false,
    brightness: 0,
    contrast: 0,
    saturation: 0,
    hue: 0,
  };
  const plan = any({ views: 3, freshViews: false, augmentation, maxMemory: 100, seed: 1 });
  const make = (maxDecoded = 1000) => {
    const counts = { decoded: 0, extracted: 0, closed: 0 };
    const rows = new Rows(
      any({
        length: 2,
        extractBatch: async (/** @type {any[]} */ [{ data }]) => (
          counts.extracted++,
          { data: Float32Array.of(data[0], 0.5) }
        ),
        close: () => void counts.closed++,
      }),
      {},
      maxDecoded,
    );
    const pixels = { data: Uint8Array.of(3, 3, 3, 7, 7, 7), width: 2, height: 1, channels: 3 };
    const read = () => (counts.decoded++, pixels);
    const first = photo('p', { read, targets: [{ label: 0, box: [0, 0, 1, 0.5], ignore: false }] });
    return { rows, counts, first, second: { ...first, name: 'q' } };
  };
  test('are kept as float16, up to the limit', async () => {
    const { rows, counts, first, second } = make();
    const row = await rows.get(first, 0, 0, plan, 0);
    assert.deepEqual([[...row.maps], row.targets], [[0x4200, 0x3800], first.targets]);
    assert.deepEqual([rows.keptBytes, counts.extracted], [4, 1]);
    assert.equal(await rows.get(first, 0, 0, { ...plan, seed: 2 }, 5), row);
    await rows.get(first, 0, 1, { ...plan, maxMemory: 8 }, 0);
    assert.equal(rows.keptBytes, 8);
    await rows.get(first, 0, 2, { ...plan, maxMemory: 11 }, 0);
    await rows.get(first, 0, 2, { ...plan, maxMemory: 11 }, 0);
    assert.deepEqual([rows.keptBytes, counts.extracted, counts.decoded], [8, 4, 1]);
    await rows.get(second, 1, 0, plan, 0);
    assert.deepEqual([counts.extracted, counts.decoded], [5, 2]);
    // Side by side in memory.
    const next = await rows.get(first, 0, 1, plan, 0);
    assert.equal(next.maps.buffer, row.maps.buffer);
    assert.deepEqual([row.maps.byteOffset, next.maps.byteOffset], [0, 4]);
    // Forgotten, they leave their memory to others.
    rows.forgetOthers({ ...plan, views: 2 });
    assert.equal(await rows.get(first, 0, 1, plan, 0), next);
    assert.equal(rows.keptBytes, 12);
    rows.forgetOthers({ ...plan, seed: 2 });
    assert.equal(rows.keptBytes, 8);
    const other = await rows.get(first, 0, 1, { ...plan, seed: 2 }, 0);
    assert.deepEqual([other.maps.buffer, other.maps.byteOffset], [row.maps.buffer, 4]);
    rows.forgetOthers({ ...plan, seed: 2, views: 1 });
    assert.equal(rows.keptBytes, 8);
    assert.equal(await rows.get(first, 0, 0, plan, 0), row);
    rows.clear();
    assert.equal(rows.keptBytes, 0);
    assert.notEqual(await rows.get(first, 0, 0, plan, 0), row);
    rows.close();
    assert.deepEqual([rows.keptBytes, counts.closed], [0, 1]);
  });
  test('show parts of the donors, each of which is decoded once; those of another donor are another row', async () => {
    const { rows, counts, first, second } = make();
    const pasting = { ...plan, maxMemory: 1000, augmentation: { ...augmentation, flip: false, paste: true } };
    const third = { ...first, name: 'r', targets: [] };
    await rows.get(first, 0, 1, pasting, 0);
    assert.equal(counts.decoded, 1);
    const none = await rows.get(third, 1, 1, pasting, 0, [second]);
    assert.equal(counts.decoded, 3);
    assert.equal(await rows.get(third, 1, 1, pasting, 0, [second]), none);
    assert.notEqual(await rows.get(third, 1, 1, pasting, 0, [first]), none);
    await rows.get(third, 1, 2, pasting, 0, [first, second]);
    assert.equal(counts.decoded, 3);
    await rows.get(second, 2, 0, pasting, 0, [
      { ...first, read: () => assert.fail('a photo itself needs no donor') },
    ]);
  });
  test('are the same for one seed, others for another seed, view, photo or, if that is wanted, epoch', async () => {
    const { rows, first } = make();
    const flips = async (/** @type {any} */ more, index = 0, view = 1, epoch = 0) => {
      const all = [];
      for (let i = 0; i < 24; i++) {
        rows.clear();
        all.push(
          (await rows.get(first, index + 10 * i, view, { ...plan, ...more }, epoch)).targets[0].box[1] > 0,
        );
      }
      return all;
    };
    const known = await flips({});
    assert.ok(known.includes(true) && known.includes(false));
    assert.deepEqual(await flips({}), known);
    assert.deepEqual(await flips({}, 0, 1, 3), known);
    for (const other of [
      await flips({ seed: 2 }),
      await flips({}, 1),
      await flips({}, 0, 2),
      await flips({ freshViews: true }),
    ])
      assert.notDeepEqual(other, known);
    assert.notDeepEqual(await flips({ freshViews: true }, 0, 1, 1), await flips({ freshViews: true }));
    assert.deepEqual(await flips({ freshViews: true }, 0, 0, 1), Array(24).fill(false));
  });
  test('are made of photos that are not kept decoded if nothing will read them again', async () => {
    const { rows, counts, first, second } = make();
    await rows.get(first, 0, 0, { ...plan, views: 1 }, 0);
    await rows.get(first, 0, 1, plan, 0);
    assert.equal(counts.decoded, 2);
    for (let i = 0; i < 2; i++) await rows.get(second, 1, 0, { ...plan, views: 1, maxMemory: 8 }, 0);
    assert.equal(counts.decoded, 3);
  });
  test('are made of decoded photos, of which those that were used last are kept', async () => {
    const [numPhotos, numKept] = [7, 4];
    const { rows, counts, first } = make(numKept * 6);
    const photos = Array.from({ length: numPhotos }, (_, i) => ({ ...first, name: `${i}` }));
    const next = uniforms(5);
    const used = Array.from({ length: 80 }, () => Math.floor(next() * numPhotos));
    const decoded = [];
    for (const index of used) {
      const before = counts.decoded;
      await rows.get(photos[index], index, 0, { ...plan, maxMemory: 0 }, 0);
      decoded.push(counts.decoded > before);
    }
    // A photo is still there if fewer others than fit were used since.
    const expected = used.map((index, i) => {
      const last = used.lastIndexOf(index, i - 1);
      return i === 0 || last < 0 || new Set(used.slice(last + 1, i)).size >= numKept;
    });
    assert.ok(expected.includes(false) && expected.lastIndexOf(true) > numPhotos);
    assert.deepEqual(decoded, expected);
  });
  test('of a photo that is larger than the limit are made of it decoded once', async () => {
    const { rows, counts, first, second } = make(5);
    for (const each of [first, first, second, second, first])
      await rows.get(each, 0, 0, { ...plan, maxMemory: 0 }, 0);
    assert.equal(counts.decoded, 3);
  });
  test('that are fresh are not kept, but the photo itself is', async () => {
    const { rows, first } = make();
    await rows.get(first, 0, 1, { ...plan, freshViews: true }, 0);
    assert.equal(rows.keptBytes, 0);
    await rows.get(first, 0, 0, { ...plan, freshViews: true }, 0);
    assert.equal(rows.keptBytes, 4);
  });
});

test('trained heads are kept with the state of their optimizer', () => {
  const model = any({});
  keepTrainedHeads(model, any({ read: (/** @type {string} */ name) => `the ${name}` }), 7);
  assert.deepEqual(model, { parameters: 'the parameters', slots: 'the slots', step: 7 });
});
