// One detector and its methods: what they give, how options change it, and that an error leaves it as it was.
import assert from 'node:assert/strict';
import { describe, before, after, test } from 'node:test';
import { decodeImage, ObjectDetector } from '../../../wasm/platform/node.js';
import { DEFAULT_MODEL, loadEngine, packagePhoto } from '../shared.js';

/** @typedef {import('../../../wasm/vision/types.js').DetectorOptions & import('../../../wasm/vision/types.js').Thresholds} Options */

const ASTRONAUT = packagePhoto('astronaut.png'); // 512 x 512; person, bottle, person
/** @type {ObjectDetector} */
let detector;
before(async () => {
  detector = await ObjectDetector.create({ scoreThreshold: 0.3, deterministic: true });
});
after(() => detector.close());

/**
 * What a detector of its own finds.
 * @param {Options} options
 */
async function find(options) {
  const own = await ObjectDetector.create({ scoreThreshold: 0.3, deterministic: true, ...options });
  const found = (await own.detect(ASTRONAUT)).detections;
  own.close();
  return found;
}

/** @param {{label: string}[]} found */
const namesOf = (found) => found.map(({ label }) => label);

describe('detect', () => {
  test('gives plain objects, best first', async () => {
    const [person, bottle] = (await detector.detect(ASTRONAUT)).detections;
    assert.deepEqual(Object.keys(person), ['label', 'labelId', 'mid', 'score', 'box']);
    assert.deepEqual(Object.keys(person.box), ['x', 'y', 'width', 'height']);
    assert.deepEqual([person.label, person.labelId, person.mid], ['Person', 3, '/m/01g317']);
    assert.deepEqual([bottle.label, bottle.labelId, bottle.mid], ['Bottle', 15, '/m/04dr76w']);
    assert.deepEqual(JSON.parse(JSON.stringify(person)), person);
  });

  test('labelId is the label’s place in the list of labels', async () => {
    const { labels } = detector;
    assert.equal(labels.length, 23);
    for (const { label, labelId, mid } of (await detector.detect(ASTRONAUT, { scoreThreshold: 0.05 }))
      .detections) {
      assert.deepEqual(labels[labelId], { name: label, mid });
    }
  });

  test('thresholds hold for the call they are given to', async () => {
    assert.deepEqual(namesOf((await detector.detect(ASTRONAUT, { scoreThreshold: 0.5 })).detections), [
      'Person',
    ]);
    assert.deepEqual(namesOf((await detector.detect(ASTRONAUT)).detections), ['Person', 'Bottle', 'Person']);
    assert.deepEqual(namesOf((await detector.detect(ASTRONAUT, { maxResults: 2 })).detections), [
      'Person',
      'Bottle',
    ]);
    assert.deepEqual(namesOf((await detector.detect(ASTRONAUT, { maxPerClass: 1 })).detections), [
      'Person',
      'Bottle',
    ]);
    assert.deepEqual((await detector.detect(ASTRONAUT, { scoreThreshold: 1 })).detections, []);
  });

  test('a higher IoU threshold keeps more boxes, suppression across classes fewer', async () => {
    /** @param {import('../../../wasm/vision/types.js').Thresholds} options */
    const count = async (options) =>
      (await detector.detect(ASTRONAUT, { scoreThreshold: 0.02, maxResults: 10000, ...options })).detections
        .length;
    const usual = await count({});
    assert.ok((await count({ iouThreshold: 0.9, maxPerClass: 10000 })) > usual);
    assert.ok((await count({ iouThreshold: 0.3 })) < usual);
    assert.ok((await count({ classAgnostic: true })) < usual);
  });

  test('the most that may be asked for', async () => {
    const all = (
      await detector.detect(ASTRONAUT, {
        scoreThreshold: 0,
        iouThreshold: 1,
        maxResults: 10000,
        maxPerClass: 10000,
      })
    ).detections;
    assert.equal(all.length, 10000);
    for (const [i, { score }] of all.entries()) assert.ok(i === 0 || score <= all[i - 1].score);
  });
});

describe('detectTensors', () => {
  test('gives the same under TF Hub’s names, types and conventions', async () => {
    const size = 512;
    const found = (await detector.detect(ASTRONAUT)).detections;
    const tensors = await detector.detectTensors(ASTRONAUT);
    assert.deepEqual(Object.keys(tensors).sort(), [
      'detection_boxes',
      'detection_class_entities',
      'detection_class_labels',
      'detection_class_names',
      'detection_scores',
      ...['ms', 'precision', 'size', 'variant'],
    ]);
    assert.ok(tensors.detection_boxes instanceof Float32Array);
    assert.ok(tensors.detection_scores instanceof Float32Array);
    assert.ok(tensors.detection_class_labels instanceof BigInt64Array);
    assert.equal(tensors.detection_boxes.length, 4 * found.length);
    for (const [i, { label, labelId, mid, score, box }] of found.entries()) {
      const expected = [box.y, box.x, box.y + box.height, box.x + box.width].map((v) =>
        Math.fround(v / size),
      );
      assert.deepEqual(Array.from(tensors.detection_boxes.subarray(4 * i, 4 * i + 4)), expected);
      assert.equal(tensors.detection_scores[i], score);
      assert.equal(tensors.detection_class_labels[i], BigInt(labelId) + 1n);
      assert.equal(tensors.detection_class_names[i], mid);
      assert.equal(tensors.detection_class_entities[i], label);
    }
  });

  test('nothing found: empty arrays', async () => {
    const { ms, size, variant, precision, decode, truncated, ...tensors } = await detector.detectTensors(
      ASTRONAUT,
      {
        scoreThreshold: 1,
      },
    );
    assert.deepEqual(size, { width: 512, height: 512 });
    assert.equal(Object.keys(tensors).length, 5);
    for (const tensor of Object.values(tensors)) assert.equal(tensor.length, 0);
  });
});

describe('heads', () => {
  test('of a tensor are those of the image it was made from', async () => {
    const { data } = await decodeImage(ASTRONAUT);
    // A region of the input's own size is not resized.
    const roi = { x: 100, y: 50, width: 300, height: 300 };
    const tensor = Float32Array.from({ length: 300 * 300 * 3 }, (_, i) => {
      const [row, column] = [Math.floor(i / 900), i % 900];
      const pixel = data[((roi.y + row) * 512 + roi.x) * 3 + column];
      return Math.fround(Math.fround(pixel * Math.fround(2 / 255)) - 1);
    });
    const heads = (await detector.heads({ tensor })).heads;
    assert.deepEqual(heads, (await detector.heads(ASTRONAUT, { roi })).heads);
    assert.deepEqual(
      heads.map(({ name, dtype, shape, quantization }) => ({ name, dtype, shape, quantization })),
      [
        ['raw_outputs/box_encodings', 4],
        ['raw_outputs/class_predictions', 24],
      ].map(([name, columns]) => ({ name, dtype: 'float32', shape: [1, 1917, columns], quantization: null })),
    );
  });

  test('are copies', async () => {
    const [first] = (await detector.heads(ASTRONAUT)).heads;
    const kept = first.data.slice();
    await detector.heads(packagePhoto('coffee.png'));
    assert.deepEqual(first.data, kept);
  });
});

test('profile: the operators’ multiply-adds sum up to the network’s', async () => {
  const engine = await loadEngine('simd', DEFAULT_MODEL);
  const { multiplyAdds } = engine.network;
  engine.close();
  const { operators, ms, size } = await detector.profile(ASTRONAUT);
  const sum = operators.reduce((total, operator) => total + operator.multiplyAdds, 0);
  assert.equal(sum, multiplyAdds);
  assert.equal(Math.round(sum / 1e6), 673);
  assert.deepEqual(size, { width: 512, height: 512 });
  const time = operators.reduce((total, operator) => total + operator.ms, 0);
  assert.ok(time > 0 && time <= ms.network);
  assert.ok(operators.every(({ shape, output }) => shape.length > 0 && output.length > 0));
});

describe('classes', () => {
  test('to report: by name, MID, number', async () => {
    const all = (await detector.detect(ASTRONAUT)).detections;
    const bottles = all.filter(({ label }) => label === 'Bottle');
    assert.equal(bottles.length, 1);
    for (const bottle of ['Bottle', ' bottle', '/m/04dr76w', 15]) {
      assert.deepEqual(await find({ classes: { allow: [bottle] } }), bottles);
    }
    assert.deepEqual(await find({ classes: { allow: ['Person', 15] } }), all);
    assert.deepEqual(await find({ classes: { allow: [] } }), []);
  });

  test('not to report', async () => {
    const people = (await detector.detect(ASTRONAUT)).detections.filter(({ label }) => label === 'Person');
    for (const bottle of ['Bottle', '/m/04dr76w', 15]) {
      assert.deepEqual(await find({ classes: { deny: [bottle] } }), people);
    }
    assert.deepEqual(await find({ classes: { allow: ['Person', 'Bottle'], deny: ['Bottle'] } }), people);
  });

  test('that the model does not have: the nearest names are told', async () => {
    await assert.rejects(find({ classes: { deny: ['Botle'] } }), {
      name: 'OcelliError',
      code: 'UNKNOWN_CLASS',
      message: /'Botle'.*'Bottle'/,
    });
    for (const unknown of [23, -1, 1.5]) {
      await assert.rejects(find({ classes: { allow: [unknown] } }), {
        code: 'UNKNOWN_CLASS',
        message: /0 to 22/,
      });
    }
  });
});

describe('labels', () => {
  const names = Array.from({ length: 23 }, (_, i) => `label ${i}`);

  test('of one’s own, with or without the background', async () => {
    const found = await find({ labels: names });
    assert.deepEqual(namesOf(found), ['label 3', 'label 15', 'label 3']);
    assert.ok(found.every((detection) => !('mid' in detection)));
    for (const background of ['???', 'background', '__background__']) {
      assert.deepEqual(await find({ labels: [background, ...names] }), found);
    }
  });

  test('with ids', async () => {
    const [person] = await find({ labels: names.map((name, i) => ({ name, mid: `/m/${i}` })) });
    assert.deepEqual([person.label, person.mid], ['label 3', '/m/3']);
  });

  test('none: classes go by number', async () => {
    assert.deepEqual(namesOf(await find({ labels: [] })), ['class 3', 'class 15', 'class 3']);
  });
});

describe('an error has a code, says what is wrong and leaves the detector as it was', () => {
  /** @type {import('../../../wasm/vision/types.js').Detection[]} */
  let expected;
  before(async () => {
    expected = (await detector.detect(ASTRONAUT)).detections;
  });

  /** @type {[string, any, any, string, RegExp][]} */
  const calls = [
    ['no image', undefined, {}, 'INVALID_INPUT', /it is undefined; pass the bytes/],
    ['no file', 'photo.jpg', {}, 'IMAGE_NOT_FOUND', /no such file.*photo\.jpg/],
    ['floats', new Float32Array(12), {}, 'INVALID_INPUT', /the input cannot be used: it is/],
    ['a tensor', { tensor: new Float32Array(270000) }, {}, 'INVALID_INPUT', /an image/],
    ['no bytes', new Uint8Array(0), {}, 'IMAGE_EMPTY', /no bytes/],
    ['zeros', new Uint8Array(1000), {}, 'UNSUPPORTED_IMAGE_FORMAT', /PNG, JPEG, BMP or GIF/],
    ['half a file', ASTRONAUT.subarray(0, 100_000), {}, 'IMAGE_CORRUPT', /truncated/],
    ['no width', { data: new Uint8Array(12), height: 2 }, {}, 'INVALID_INPUT', /width/],
    [
      'a width of 65536',
      { data: new Uint8Array(65536), width: 65536, height: 1 },
      {},
      'INVALID_INPUT',
      /width/,
    ],
    [
      'five bytes for a pixel',
      { data: new Uint8Array(5), width: 1, height: 1 },
      {},
      'INVALID_PIXELS',
      /5 bytes/,
    ],
    [
      'two channels',
      { data: new Uint8Array(8), width: 2, height: 2, channels: 2 },
      {},
      'INVALID_PIXELS',
      /1, 3 or 4/,
    ],
    [
      'too few pixels',
      { data: new Uint8Array(11), width: 2, height: 2, channels: 3 },
      {},
      'INVALID_PIXELS',
      /11 bytes/,
    ],
    [
      'a stride too short',
      { data: new Uint8Array(12), width: 2, height: 2, channels: 3, stride: 5 },
      {},
      'INVALID_PIXELS',
      /stride 5/,
    ],
    ['an unknown option', ASTRONAUT, { treshold: 0.5 }, 'INVALID_OPTION', /treshold/],
    ['no options', ASTRONAUT, null, 'INVALID_OPTION', /object/],
    ['a loading option', ASTRONAUT, { threads: 2 }, 'INVALID_OPTION', /threads/],
    ['a score threshold of 1.1', ASTRONAUT, { scoreThreshold: 1.1 }, 'INVALID_OPTION', /scoreThreshold/],
    [
      'a score threshold that is not a number',
      ASTRONAUT,
      { scoreThreshold: NaN },
      'INVALID_OPTION',
      /scoreThreshold/,
    ],
    ['an IoU threshold of text', ASTRONAUT, { iouThreshold: '0.5' }, 'INVALID_OPTION', /iouThreshold/],
    ['no results', ASTRONAUT, { maxResults: 0 }, 'INVALID_OPTION', /maxResults/],
    ['too many results', ASTRONAUT, { maxResults: 10001 }, 'INVALID_OPTION', /maxResults/],
    ['half a result per class', ASTRONAUT, { maxPerClass: 0.5 }, 'INVALID_OPTION', /maxPerClass/],
    ['classAgnostic: 1', ASTRONAUT, { classAgnostic: 1 }, 'INVALID_OPTION', /classAgnostic/],
    ['a rotation of 45', ASTRONAUT, { rotation: 45 }, 'INVALID_OPTION', /rotation/],
    ['a rotation of -90', ASTRONAUT, { rotation: -90 }, 'INVALID_OPTION', /rotation/],
    [
      'a region without a height',
      ASTRONAUT,
      { roi: { x: 0, y: 0, width: 5 } },
      'INVALID_OPTION',
      /roi.height/,
    ],
    [
      'a region left of the image',
      ASTRONAUT,
      { roi: { x: -1, y: 0, width: 5, height: 5 } },
      'INVALID_OPTION',
      /roi.x/,
    ],
    ['an empty region', ASTRONAUT, { roi: { x: 0, y: 0, width: 0, height: 5 } }, 'INVALID_ROI', /0x5/],
    [
      'a region too wide',
      ASTRONAUT,
      { roi: { x: 1, y: 0, width: 512, height: 5 } },
      'INVALID_ROI',
      /512x512/,
    ],
  ];
  for (const [what, image, options, code, message] of calls) {
    test(`${code}: ${what}`, async () => {
      const error = { name: 'OcelliError', code, message };
      await assert.rejects(detector.detect(image, options), error);
      await assert.rejects(detector.detectTensors(image, options), error);
      assert.deepEqual((await detector.detect(ASTRONAUT)).detections, expected);
    });
  }

  test('OUT_OF_MEMORY: more bytes than 32 bits count', async () => {
    const bytes = new Uint8Array(2 ** 32); // not touched, so hardly any memory
    const error = { name: 'OcelliError', code: 'OUT_OF_MEMORY', message: /4294967296/ };
    await assert.rejects(detector.detect(bytes), error);
    await assert.rejects(detector.detect({ data: bytes, width: 10, height: 10, channels: 3 }), error);
    assert.deepEqual((await detector.detect(ASTRONAUT)).detections, expected);
  });

  /** @type {[string, any][]} */
  const tensors = [
    ['too short', new Float32Array(100)],
    ['of bytes', new Uint8Array(270000)],
    ['missing', undefined],
  ];
  for (const [what, tensor] of tensors) {
    test(`INVALID_INPUT: a tensor that is ${what}`, async () => {
      await assert.rejects(detector.heads({ tensor }), {
        code: 'INVALID_INPUT',
        message: /float32 \[1,300,300,3\]/,
      });
    });
  }

  test('INVALID_INPUT: a region or a rotation of a tensor', async () => {
    const tensor = new Float32Array(300 * 300 * 3);
    const roi = { x: 0, y: 0, width: 100, height: 100 };
    for (const options of [{ roi }, { rotation: /** @type {const} */ (90) }])
      await assert.rejects(detector.heads({ tensor }, options), {
        code: 'INVALID_INPUT',
        message: /roi and rotation/,
      });
  });

  test('IMAGE_TOO_LARGE: more pixels than maxPixels', async () => {
    const careful = await ObjectDetector.create({ maxPixels: 512 * 512 - 1 });
    await assert.rejects(careful.detect(ASTRONAUT), { code: 'IMAGE_TOO_LARGE', message: /512x512/ });
    assert.equal((await careful.detect(packagePhoto('coffee.png'))).detections.length, 1);
    careful.close();
  });

  test('decodeImage', async () => {
    /** @type {(image: any, options?: any) => Promise<unknown>} */
    const decode = decodeImage;
    await assert.rejects(decode(new Uint8Array(0)), { code: 'IMAGE_EMPTY' });
    await assert.rejects(decode(undefined), { code: 'INVALID_INPUT' });
    await assert.rejects(decode({ data: new Uint8Array(3), width: 1, height: 1 }), { code: 'INVALID_INPUT' });
    await assert.rejects(decode(ASTRONAUT, { maxPixels: 9 }), { code: 'IMAGE_TOO_LARGE' });
    await assert.rejects(decode(ASTRONAUT, { maxPixels: 0 }), { code: 'INVALID_OPTION' });
    await assert.rejects(decode(ASTRONAUT, { maxPixel: 9 }), { code: 'INVALID_OPTION' });
    await assert.rejects(decode(ASTRONAUT, null), { code: 'INVALID_OPTION' });
  });
});

describe('closing', () => {
  test('a closed detector can only be closed again', async () => {
    const own = await ObjectDetector.create();
    own.close();
    own.close();
    const closed = { name: 'OcelliError', code: 'CLOSED' };
    await assert.rejects(own.detect(ASTRONAUT), closed);
    await assert.rejects(own.detectTensors(ASTRONAUT), closed);
    await assert.rejects(own.heads(ASTRONAUT), closed);
    await assert.rejects(own.profile(ASTRONAUT), closed);
    assert.throws(() => own.memoryUse, closed);
    assert.throws(() => own.labels, closed);
    assert.throws(() => own.variant, closed);
  });

  test('`using` closes', async () => {
    const own = await ObjectDetector.create();
    own[Symbol.dispose]();
    await assert.rejects(own.detect(ASTRONAUT), { code: 'CLOSED' });
  });

  test('while a call waits for its image: that call says so', async () => {
    const own = await ObjectDetector.create();
    const pending = own.detect(new Blob([new Uint8Array(ASTRONAUT)]));
    own.close();
    await assert.rejects(pending, { code: 'CLOSED' });
  });
});
