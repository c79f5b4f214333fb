// A detector of the test runs on a data set of the test: what it is asked, what is kept of its answers, which classes are the
// same, and what is said of pictures that are missing, unreadable or of another size.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { evaluateDetections, runDetector } from '../../../wasm/evaluate/index.js';
import { matchClasses, readClassTable, withLabels } from '../../../wasm/evaluate/read/match.js';
import { OcelliError } from '../../../wasm/shared/errors.js';

const any = (/** @type {unknown} */ value) => /** @type {any} */ (value);
const MS = { decode: 1, network: 2 };
const LABELS = [{ name: 'cat' }, { name: 'dog', mid: '/m/Dog' }, { name: 'hot dog' }];

/** @param {{images?: any[], categories?: any[], annotations?: any[], pictures?: [any, string][], more?: object}} [facts] */
function makeDataset({
  images = [{ id: 1 }, { id: 2 }, { id: 3 }],
  categories = [
    { id: 7, name: 'dog' },
    { id: 9, name: 'bird' },
  ],
  annotations = [],
  pictures = images.map(({ id }) => [id, `${id}.png`]),
  ...more
} = {}) {
  const read = async (/** @type {string} */ path) => any(path);
  return any({
    ...{ format: 'coco', groundTruth: { images, categories, annotations, ...any(more).truth } },
    ...{ pictures: new Map(pictures), files: { read }, ...any(more).set },
  });
}

/** @param {(path: string) => any} [answer] */
function makeDetector(answer = () => ({})) {
  /** @type {any[]} */
  const asked = [];
  const detect = async (/** @type {string} */ path, /** @type {any} */ options) => {
    asked.push([path, options]);
    return { detections: [], size: { width: 40, height: 20 }, ms: { ...MS }, ...answer(path) };
  };
  return { asked, detector: any({ labels: LABELS, detect }) };
}
const box = { x: 4, y: 2, width: 8, height: 6 };

describe('a run', () => {
  test('asks for a thousand objects of each picture, a hundred of each class', async () => {
    const { asked, detector } = makeDetector();
    await runDetector(detector, makeDataset());
    assert.deepEqual(asked.map(([path]) => path), ['1.png', '2.png', '3.png']); // prettier-ignore
    assert.deepEqual(asked[0][1], { scoreThreshold: 0.001, maxResults: 1000, maxPerClass: 100 });
    await runDetector(detector, makeDataset(), any({ scoreThreshold: 0.5, tiles: 'auto' }));
    assert.deepEqual(asked.at(-1)[1], {
      scoreThreshold: 0.5,
      maxResults: 1000,
      maxPerClass: 100,
      tiles: 'auto',
    });
  });
  test('keeps the best hundred of the classes that the data set has', async () => {
    const detections = Array.from({ length: 205 }, (_, i) => ({ labelId: i % 2, score: 1 - i / 1000, box }));
    const { detector } = makeDetector(() => ({ detections }));
    const found = await runDetector(detector, makeDataset({ images: [{ id: 'a' }] }));
    assert.equal(found.detections.length, 100);
    assert.deepEqual(found.detections[99], {
      image_id: 'a',
      category_id: 1,
      score: 1 - 199 / 1000,
      bbox: [4, 2, 8, 6],
    });
    assert.deepEqual(found.unmatched, { categories: ['bird'], labels: ['cat', 'hot dog'] });
    const few = makeDetector(() => ({ detections: detections.slice(0, 2) }));
    const set = { isNormalized: true };
    const [one, none] = (await runDetector(few.detector, makeDataset(any({ images: [{ id: 1 }], set }))))
      .detections;
    assert.deepEqual([any(one).corners, none], [[4 / 40, 2 / 20, 12 / 40, 8 / 20], undefined]);
  });
  for (const [times, median] of /** @type {[number[], number][]} */ ([
    [[5], 5],
    [[9, 1, 5], 5],
    [[1, 2, 9, 4], 3],
  ]))
    // prettier-ignore
    test(`of ${times} ms has the median ${median}`, async () => {
      const { detector } = makeDetector((path) => ({ ms: { all: times[parseInt(path, 10) - 1] } }));
      const images = times.map((_, i) => ({ id: i + 1 }));
      assert.equal((await runDetector(detector, makeDataset({ images }))).msPerImage, median);
    });
  test('without pictures has none', async () => {
    const { msPerImage, detections, notes } = await runDetector(
      makeDetector().detector,
      makeDataset({ images: [] }),
    );
    assert.deepEqual([msPerImage, detections, notes], [null, [], []]);
  });
  test('takes kept results, and tells new ones', async () => {
    const { asked, detector } = makeDetector();
    /** @type {any[]} */
    const told = [];
    /** @type {any[]} */
    const progress = [];
    const done = [{ image: 1, width: 40, height: 20, ms: 100, found: [[1, 0.5, 1, 2, 3, 4]] }];
    const found = await runDetector(detector, makeDataset(), any({
      done,
      onImage: (/** @type {any} */ each) => told.push(each),
      onProgress: (/** @type {any} */ each) => progress.push(each),
    })); // prettier-ignore
    assert.deepEqual(asked.map(([path]) => path), ['2.png', '3.png']); // prettier-ignore
    assert.deepEqual(told, [2, 3].map((image) => ({ image, width: 40, height: 20, ms: 3, found: [] }))); // prettier-ignore
    assert.deepEqual(found.detections, [{ image_id: 1, category_id: 1, score: 0.5, bbox: [1, 2, 3, 4] }]);
    assert.deepEqual(progress.map((each) => [each.done, each.total]), [[1, 3], [2, 3], [3, 3]]); // prettier-ignore
  });
  test('tells the time left: the mean of the new pictures for each of the others', async (t) => {
    let now = 500;
    t.mock.method(performance, 'now', () => now);
    // The pictures 2, 3 and 4 take so long.
    const { detector } = makeDetector((path) => ((now += [2000, 5000, 100][parseInt(path, 10) - 2]), {}));
    const images = [1, 2, 3, 4].map((id) => ({ id }));
    /** @type {(number | undefined)[]} */
    const left = [];
    await runDetector(detector, makeDataset({ images }), any({
      done: [{ image: 1, width: 40, height: 20, ms: 100, found: [] }],
      onProgress: (/** @type {any} */ { secondsLeft }) => left.push(secondsLeft),
    })); // prettier-ignore
    assert.deepEqual(left, [undefined, 2 * 2, (2 + 5) / 2, 0]);
  });
  test('takes an id that is listed twice once, as the last entry says', async () => {
    const detections = [{ labelId: 1, score: 0.9, box }];
    const { asked, detector } = makeDetector(() => ({ detections }));
    const images = [{ id: 1, width: 1, height: 1 }, { id: 2 }, { id: 1, width: 40, height: 20 }];
    const bbox = [4, 2, 8, 6];
    const annotations = [1, 2].map((image) => ({ id: image, image_id: image, category_id: 7, bbox }));
    /** @type {number[]} */
    const totals = [];
    const onProgress = (/** @type {any} */ { total }) => void totals.push(total);
    const set = makeDataset({ images, annotations });
    const ran = await runDetector(detector, set, { onProgress });
    assert.deepEqual(asked.map(([path]) => path), ['1.png', '2.png']); // prettier-ignore
    assert.deepEqual([ran.detections.length, totals, ran.notes], [2, [2, 2], []]);
    const { coco, notes } = evaluateDetections(ran.dataset.groundTruth, ran.detections);
    assert.equal(coco.AP?.toFixed(9), '1.000000000');
    assert.equal(notes[0].code, 'DUPLICATE_IDS_images');
    const none = makeDataset({ images, pictures: [[2, '2.png']] });
    await assert.rejects(runDetector(detector, none), { message: /1 of 2 images without a picture, such as '1'/ }); // prettier-ignore
  });
  test('ends by its signal', async () => {
    const controller = new AbortController();
    const { asked, detector } = makeDetector();
    const running = runDetector(
      detector,
      makeDataset(),
      any({ signal: controller.signal, onImage: () => controller.abort(new Error('enough')) }),
    );
    await assert.rejects(running, /enough/);
    assert.equal(asked.length, 1);
  });
});

describe('pictures', () => {
  const annotations = [1, 2, 3].map((image) => ({
    id: image,
    image_id: image,
    category_id: 7,
    bbox: [0, 0, 1, 1],
  }));
  const imageLabels = [1, 2].map((image) => ({ image_id: image, category_id: 7, verified: true }));
  const missing = (/** @type {any} */ more = {}) =>
    makeDataset(any({ annotations, pictures: [[2, '2.png']], truth: { imageLabels }, ...more }));
  test('that are missing are refused, or left out and said', async () => {
    const code = 'DATASET_INCOMPLETE';
    await assert.rejects(runDetector(makeDetector().detector, missing()), {
      code,
      message: /2 of 3 images without a picture, such as '1', '3'/,
    });
    const { dataset, notes } = await runDetector(makeDetector().detector, missing(), { allowMissing: true });
    const { groundTruth } = dataset;
    assert.deepEqual([groundTruth.images, groundTruth.annotations.map(({ id }) => id)], [[{ id: 2 }], [2]]);
    assert.deepEqual(
      any(groundTruth).imageLabels.map((/** @type {any} */ each) => each.image_id),
      [2],
    );
    assert.deepEqual(notes, [
      {
        code: 'NO_PICTURE',
        count: 2,
        message: "2 of 3 images without a picture, such as '1', '3'; they are left out",
      },
    ]);
    const all = makeDataset({ pictures: [] });
    await assert.rejects(runDetector(makeDetector().detector, all, { allowMissing: true }), { code });
    const five = [1, 2, 3, 4, 5].map((id) => ({ id, file_name: `f${id}` }));
    const names = makeDataset({ images: five, pictures: [[5, 'x']] });
    await assert.rejects(runDetector(makeDetector().detector, names), {
      message: /4 of 5 .* 'f1', 'f2', 'f3'$/,
    });
  });
  test('that cannot be read are refused, or told and left out', async () => {
    const damaged = (/** @type {string[]} */ ...paths) =>
      makeDetector((path) => {
        if (paths.includes(path)) throw new OcelliError('IMAGE_CORRUPT', 'cut');
        return {};
      }).detector;
    await assert.rejects(runDetector(damaged('2.png'), makeDataset()), {
      code: 'IMAGE_CORRUPT',
      message: /^2\.png: /,
    });
    /** @type {string[]} */
    const told = [];
    const onUnreadable = (/** @type {Error} */ _, /** @type {string} */ path) => void told.push(path);
    const { dataset, notes } = await runDetector(damaged('1.png', '3.png'), makeDataset({ annotations }), {
      onUnreadable,
    });
    assert.deepEqual(
      [told, dataset.groundTruth.images, notes],
      [
        ['1.png', '3.png'],
        [{ id: 2 }],
        [{ code: 'UNREADABLE', message: '2 pictures left out: unreadable', count: 2 }],
      ],
    );
    await assert.rejects(runDetector(damaged('1.png', '2.png', '3.png'), makeDataset(), { onUnreadable }), {
      ...{ code: 'DATASET_INCOMPLETE', message: /none of its pictures can be read/ },
    });
    const bug = makeDetector(() => {
      throw new TypeError('a fault');
    });
    await assert.rejects(runDetector(bug.detector, makeDataset(), { onUnreadable }), {
      name: 'TypeError',
      message: '1.png: a fault',
    });
  });
  test('of another size than the data set says', async () => {
    const images = [
      { id: 1, width: 40, height: 20 },
      { id: 2, width: 41, height: 20, file_name: 'b' },
      { id: 3, width: 40, height: 21 },
      { id: 4, height: 9 },
      { id: 5, width: 9 },
    ];
    const { notes } = await runDetector(makeDetector().detector, makeDataset({ images }));
    const message = "2 pictures of another size than the data set says, such as 'b'";
    assert.deepEqual(notes, [{ code: 'SIZE_DIFFERS', message, count: 2 }]);
  });
});

describe('classes', () => {
  const match = (/** @type {any[]} */ categories, /** @type {any} */ table = undefined) => {
    const { labelOf, unmatchedCategories, unmatchedLabels } = matchClasses(categories, any(LABELS), table);
    return [Object.fromEntries(labelOf), unmatchedCategories.map(({ name }) => name), unmatchedLabels];
  };
  test('are the same by MID, or by name in any writing', () => {
    assert.deepEqual(
      match([
        { id: 1, name: ' CAT ' },
        { id: 2, name: 'x', mid: '/M/dog' },
        { id: 3, name: 'Hot_-dog' },
      ]),
      [{ 1: 0, 2: 1, 3: 2 }, [], []],
    );
    assert.deepEqual(match([{ id: 1, name: 'cat', mid: '/m/Dog' }]), [{ 1: 1 }, [], ['cat', 'hot dog']]);
    assert.deepEqual(
      match([
        { id: 1, name: 'cat', mid: '/m/other' },
        { id: 2, name: 'bird' },
      ]),
      [{ 1: 0 }, ['bird'], ['dog', 'hot dog']],
    );
    const twice = matchClasses([{ id: 1, name: 'a' }], [{ name: 'a' }, { name: 'A' }]);
    assert.deepEqual([Object.fromEntries(twice.labelOf), twice.unmatchedLabels], [{ 1: 0 }, ['A']]);
  });
  test('are the same by a table, by name or by id', () => {
    const table = new Map([['Puppy', 'dog'], ['12', 'hot_dog'], ['cat', '/m/Dog']]); // prettier-ignore
    assert.deepEqual(
      match(
        [
          { id: 1, name: 'puppy' },
          { id: 12, name: 'sausage' },
          { id: 3, name: 'cat' },
        ],
        table,
      ),
      [{ 1: 1, 12: 2, 3: 1 }, [], ['cat']],
    );
    assert.throws(() => match([], new Map([['a', 'dgo']])), {
      code: 'UNKNOWN_CLASS',
      message: /'dgo' in the table of classes; nearest: 'dog'/,
    });
  });
  test('of a data set become those of the model', () => {
    const annotations = [7, 9, 7].map((category, i) => ({ id: i, image_id: 1, category_id: category }));
    const truth = { imageLabels: [7, 9].map((category) => ({ image_id: 1, category_id: category })) };
    const set = { locate: (/** @type {string} */ list, /** @type {number} */ i) => `${list} ${i}` };
    const dataset = makeDataset(any({ categories: [{ id: 7, name: 'dog', mid: '/m/own' }, { id: 9, name: 'bird' }], annotations, truth, set })); // prettier-ignore
    const labelled = any(withLabels(dataset, any([{ name: 'cat' }, { name: 'dog' }]), matchClasses(dataset.groundTruth.categories, any([{ name: 'cat' }, { name: 'dog' }])))); // prettier-ignore
    assert.deepEqual(labelled.groundTruth.categories, [{ id: 1, name: 'dog', mid: '/m/own' }]);
    assert.deepEqual(labelled.groundTruth.annotations.map((/** @type {any} */ each) => [each.id, each.category_id]), [[0, 1], [2, 1]]); // prettier-ignore
    assert.deepEqual(labelled.groundTruth.imageLabels, [{ image_id: 1, category_id: 1 }]);
    assert.deepEqual(
      [labelled.locate('annotations', 1), labelled.locate('images', 1)],
      ['annotations 2', 'images 1'],
    );
    const found = matchClasses(dataset.groundTruth.categories, any(LABELS));
    for (const wrong of ['dog', [{}], [{ name: 1 }], null])
      for (const use of [
        () => withLabels(dataset, any(wrong), found),
        () => matchClasses(any(wrong), any(LABELS)),
        () => matchClasses([], any(wrong)),
      ])
        assert.throws(use, { name: 'OcelliError', code: /^INVALID_/ });
    const none = matchClasses([{ id: 1, name: 'x' }], any(LABELS));
    assert.throws(() => withLabels(dataset, any(LABELS), none), { code: 'NO_CLASSES_MATCH' });
  });
  test('in a table of lines or of JSON', () => {
    assert.deepEqual([...readClassTable('a, b \n"c,d",e\n', 'f')], [['a', 'b'], ['c,d', 'e']]); // prettier-ignore
    assert.deepEqual([...readClassTable(' {"a": "b"}', 'f')], [['a', 'b']]);
    for (const [text, message] of /** @type {[string, RegExp][]} */ ([
      ['a,b\nc', /f:2: expected two names and a comma/],
      ['a,b,c', /f:1: expected two names/],
      ['{"a": "b", "c": 1}', /f: the class of 'c' is not a text/],
    ]))
      assert.throws(() => readClassTable(text, 'f'), { code: 'DATASET_DAMAGED', message });
  });
});
