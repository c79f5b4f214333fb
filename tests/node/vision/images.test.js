// Image files and pixels up to the network's input: resize, orientation, region, rotation, formats. Against TensorFlow's
// own resize, against pixels moved beforehand, and against files built here from their formats' specifications.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { decodeImage, ObjectDetector } from '../../../wasm/platform/node.js';
import { encodePng, makeBmp, makeGif, withExifChunk, withExifSegment } from '../image_files.js';
import {
  loadEngine,
  maxDifference,
  packagePhoto,
  readArray,
  readJson,
  samplePath,
  testData,
  variants,
} from '../shared.js';

/** @typedef {import('../image_files.js').Rgb} Rgb */

/** @type {ObjectDetector} */
let detector;
/** @type {Rgb} */
let photo;
before(async () => {
  detector = await ObjectDetector.create({ deterministic: true });
  photo = crop(await decodeImage(packagePhoto('chelsea.png')), { x: 10, y: 0, width: 250, height: 187 });
});
after(() => detector.close());

describe('resize', () => {
  for (const variant of variants) {
    test(`is TensorFlow’s, ${variant}`, async (t) => {
      for (const reference of readJson(testData('resize/cases.json'))) {
        await t.test(reference.file, () => checkResize(variant, reference));
      }
    });
  }
});

describe('EXIF orientation', () => {
  for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`${orientation} in a PNG: the photo stands upright, and so do its boxes`, async () => {
      const file = withExifChunk(encodePng(storedAs(photo, orientation)), orientation);
      assert.deepEqual(await decodeImage(file), { ...photo, channels: 3 });
      const expected = (await detector.detect(photo)).detections;
      assert.ok(expected.length > 0);
      const { detections, size } = await detector.detect(file);
      assert.deepEqual(detections, expected);
      assert.deepEqual(size, { width: photo.width, height: photo.height });
    });

    test(`${orientation} in a JPEG`, async () => {
      const jpeg = readFileSync(samplePath('photos/data_aloeL.jpg'));
      const expected = upright(await decodeImage(jpeg), orientation);
      for (const isBigEndian of [false, true]) {
        const { data, width, height } = await decodeImage(withExifSegment(jpeg, orientation, isBigEndian));
        assert.deepEqual([width, height], [expected.width, expected.height]);
        assert.ok(Buffer.compare(data, expected.data) === 0);
      }
    });
  }
});

describe('what the network sees', () => {
  /** @param {Parameters<ObjectDetector['heads']>} call */
  const heads = async (...call) => (await detector.heads(...call)).heads.map(({ data }) => data);
  const roi = { x: 31, y: 7, width: 150, height: 121 };

  test('of rows with gaps is what it sees of packed ones', async () => {
    const { data, width, height } = photo;
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
      i % 4 === 3 ? 255 - (i >> 2) : data[(i >> 2) * 3 + (i % 4)],
    );
    const expected = await heads({ data, width, height, channels: 3 });
    for (const [pixels, channels] of /** @type {const} */ ([
      [data, 3],
      [rgba, 4],
    ])) {
      const packed = width * channels;
      const stride = packed + 13;
      assert.deepEqual(await heads({ data: pixels, width, height, channels, stride: packed }), expected);
      const gaps = Uint8Array.from({ length: stride * height - 13 }, (_, i) =>
        i % stride < packed ? pixels[Math.floor(i / stride) * packed + (i % stride)] : 77,
      );
      assert.deepEqual(await heads({ data: gaps, width, height, channels, stride }), expected);
    }
  });

  test('of grey pixels is what it sees of equal red, green and blue', async () => {
    const { width, height } = photo;
    const grey = photo.data.filter((_, i) => i % 3 === 1);
    const rgb = Uint8Array.from({ length: grey.length * 3 }, (_, i) => grey[Math.floor(i / 3)]);
    const expected = await heads({ data: rgb, width, height });
    assert.deepEqual(await heads({ data: grey, width, height }), expected);
    assert.deepEqual(await heads(encodePng({ data: grey, width, height }, 1)), expected);
  });

  // Turning clockwise is what EXIF's 6, 3 and 8 ask for.
  for (const [rotation, orientation] of /** @type {const} */ ([
    [0, 1],
    [90, 6],
    [180, 3],
    [270, 8],
  ])) {
    test(`of a region, turned by ${rotation} degrees, is what it sees of pixels cropped and turned`, async () => {
      const turned = upright(photo, orientation);
      const turnedCrop = upright(crop(photo, roi), orientation);
      assert.deepEqual(await heads(photo, { rotation }), await heads(turned));
      assert.deepEqual(await heads(photo, { rotation, roi }), await heads(turnedCrop));
      const whole = { x: 0, y: 0, width: photo.width, height: photo.height };
      assert.deepEqual(await heads(photo, { rotation, roi: whole }), await heads(turned));
    });

    test(`turned by ${rotation} degrees, boxes are still those of the upright image`, async () => {
      const options = { scoreThreshold: 0.05, rotation, roi };
      const found = (await detector.detect(photo, options)).detections;
      assert.ok(found.length > 0);
      const seen = (await detector.detect(upright(crop(photo, roi), orientation), { scoreThreshold: 0.05 }))
        .detections;
      assert.equal(found.length, seen.length);
      for (const [i, { label, score, box }] of found.entries()) {
        assert.equal(label, seen[i].label);
        assert.equal(score, seen[i].score);
        const back = turnBack(seen[i].box, rotation, roi);
        const expected = { ...back, x: back.x + roi.x, y: back.y + roi.y };
        assert.ok(maxDifference(Object.values(box), Object.values(expected)) < 1e-3);
      }
    });
  }
});

describe('formats', () => {
  // Fewer colours than a GIF's palette has.
  const picture = { data: new Uint8Array(13 * 7 * 3).map((_, i) => (i * 29) & 0xe0), width: 13, height: 7 };
  const numPixels = picture.width * picture.height;
  const expected = { ...picture, channels: 3 };
  const greyLevels = picture.data.filter((_, i) => i % 3 === 0);
  const asGrey = { ...expected, data: picture.data.map((_, i) => greyLevels[Math.floor(i / 3)]) };
  /** @param {Uint8Array} colours @param {number} channels their number */
  const withAlpha = (colours, channels) =>
    Uint8Array.from({ length: numPixels * (channels + 1) }, (_, i) =>
      i % (channels + 1) === channels
        ? i
        : colours[Math.floor(i / (channels + 1)) * channels + (i % (channels + 1))],
    );
  /** @param {Uint8Array} values the high bytes; anything below them @returns {Uint16Array} */
  const to16Bits = (values) => Uint16Array.from(values, (value, i) => value * 256 + ((i * 37) & 255));

  test('PNG: RGB', async () => {
    assert.deepEqual(await decodeImage(encodePng(picture)), expected);
  });
  test('PNG: RGB and alpha, over a background or without it', async () => {
    const data = withAlpha(picture.data, 3);
    const file = encodePng({ ...picture, data }, 4);
    assert.deepEqual(await decodeImage(file, { background: 'ignore' }), expected);
    for (const [background, colour] of /** @type {[string | undefined, number[]][]} */ ([
      [undefined, [255, 255, 255]],
      ['#10A0ff', [16, 160, 255]],
    ])) {
      const blended = picture.data.map((value, i) => {
        const alpha = data[4 * Math.floor(i / 3) + 3];
        return Math.round((value * alpha + colour[i % 3] * (255 - alpha)) / 255);
      });
      assert.deepEqual(await decodeImage(file, { background }), { ...expected, data: blended });
      const flat = encodePng({ ...picture, data: blended });
      const rgba = { ...picture, data, channels: /** @type {4} */ (4) };
      const detector = await ObjectDetector.create({ background });
      const answers = [];
      for (const input of [file, flat, rgba])
        answers.push((await detector.heads(input)).heads.map(({ data }) => data));
      assert.deepEqual(answers[0], answers[1]);
      assert.deepEqual(answers[0], answers[2]);
      detector.close();
    }
  });
  test('PNG: grey', async () => {
    assert.deepEqual(await decodeImage(encodePng({ ...picture, data: greyLevels }, 1)), asGrey);
  });
  test('PNG: grey and alpha', async () => {
    const file = encodePng({ ...picture, data: withAlpha(greyLevels, 1) }, 2);
    assert.deepEqual(await decodeImage(file, { background: 'ignore' }), asGrey);
  });
  test('PNG: 16 bits, of which the upper eight are taken', async () => {
    assert.deepEqual(
      await decodeImage(encodePng({ ...picture, data: to16Bits(picture.data) }, 3, 16)),
      expected,
    );
    assert.deepEqual(await decodeImage(encodePng({ ...picture, data: to16Bits(greyLevels) }, 1, 16)), asGrey);
  });
  test('BMP', async () => {
    assert.deepEqual(await decodeImage(makeBmp(picture)), expected);
  });
  test('GIF', async () => {
    assert.deepEqual(await decodeImage(makeGif(picture)), expected);
  });
  test('JPEG: libjpeg’s pixels', async () => {
    for (const { file, pixels, shape_hwc } of readJson(testData('images/cases.json'))) {
      const actual = await decodeImage(readFileSync(testData(`images/${file}`)));
      assert.deepEqual([actual.height, actual.width, 3], shape_hwc);
      const difference = maxDifference(actual.data, readArray(testData(`images/${pixels}`), Uint8Array));
      assert.equal(difference, 0, `${file} differs by ${difference}`);
    }
  });

  test('the detector takes each of them', async () => {
    for (const file of [encodePng(picture), makeBmp(picture), makeGif(picture)]) {
      assert.deepEqual((await detector.detect(file)).size, { width: 13, height: 7 });
    }
  });

  test('from one pixel to the longest side', async () => {
    for (const [width, height] of [
      [1, 1],
      [65535, 1],
      [1, 65535],
    ]) {
      const row = { data: new Uint8Array(width * height * 3).fill(99), width, height };
      await detector.detect(row);
      assert.deepEqual(await decodeImage(encodePng(row)), { ...row, channels: 3 });
    }
  });
});

/**
 * @param {import('../../../wasm/engine/variant.js').Variant} variant
 * @param {{source: string, source_shape_hwc: number[], output_hw: number[], mode: string, file: string}} reference
 */
async function checkResize(variant, { source, source_shape_hwc, output_hw, mode, file }) {
  const engine = await loadEngine(variant, identityNetwork(output_hw));
  const [height, width, channels] = source_shape_hwc;
  const data = readArray(testData(`resize/${source}`), Uint8Array);
  engine.image.setPixels({
    data,
    width,
    height,
    channels: /** @type {3} */ (channels),
    stride: width * channels,
  });
  engine.image.preprocess(
    { scale: 1, offset: 0, resize: mode === 'legacy' ? 'legacy' : 'half-pixel' },
    undefined,
    0,
  );
  engine.run();
  const { data: actual } = engine.readOutput(0);
  engine.close();
  const difference = maxDifference(
    /** @type {Float32Array} */ (actual),
    readArray(testData(`resize/${file}`), Float32Array),
  );
  assert.ok(difference <= 255e-5, `differs by ${difference} of 255`);
}

/**
 * A network whose output is its input, if that is not negative: a single RELU, its shapes changed.
 * @param {number[]} size height, width
 */
function identityNetwork([height, width]) {
  const bytes = readFileSync(testData('ops/relu_alone.fp32.tflite'));
  const words = (/** @type {number[]} */ ...values) => Buffer.from(Int32Array.from(values).buffer);
  const shape = words(4, 1, 6, 6, 8); // a vector of four
  for (let at = bytes.indexOf(shape); at >= 0; at = bytes.indexOf(shape, at)) {
    words(4, 1, height, width, 3).copy(bytes, at);
  }
  return bytes;
}

/**
 * Where the pixel x, y of the upright image is stored, column and row: EXIF 2.3, table 6. W and H are the upright
 * image's.
 * @type {Record<number, (x: number, y: number, W: number, H: number) => [number, number]>}
 */
const STORED = {
  1: (x, y) => [x, y],
  2: (x, y, W) => [W - 1 - x, y],
  3: (x, y, W, H) => [W - 1 - x, H - 1 - y],
  4: (x, y, W, H) => [x, H - 1 - y],
  5: (x, y) => [y, x],
  6: (x, y, W) => [y, W - 1 - x],
  7: (x, y, W, H) => [H - 1 - y, W - 1 - x],
  8: (x, y, W, H) => [H - 1 - y, x],
};

/**
 * @param {Rgb} image upright
 * @param {number} orientation
 * @returns {Rgb} as a camera that was held that way stores it
 */
function storedAs({ data, width, height }, orientation) {
  const storedWidth = orientation < 5 ? width : height;
  const stored = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, row] = STORED[orientation](x, y, width, height);
      const from = (y * width + x) * 3;
      stored.set(data.subarray(from, from + 3), (row * storedWidth + column) * 3);
    }
  }
  return { data: stored, width: storedWidth, height: (width * height) / storedWidth };
}

/**
 * @param {Rgb} image as stored
 * @param {number} orientation
 * @returns {Rgb}
 */
function upright(image, orientation) {
  // Storing so is its own inverse but for 6 and 8, which are each other's.
  return storedAs(image, { 6: 8, 8: 6 }[orientation] ?? orientation);
}

/**
 * @param {Rgb} image
 * @param {{x: number, y: number, width: number, height: number}} region
 * @returns {Rgb}
 */
function crop({ data, width: stride }, { x, y, width, height }) {
  const rows = Array.from({ length: height }, (_, row) => {
    const start = ((y + row) * stride + x) * 3;
    return data.subarray(start, start + width * 3);
  });
  return { data: new Uint8Array(Buffer.concat(rows)), width, height };
}

/**
 * @param {{x: number, y: number, width: number, height: number}} box in an image turned clockwise
 * @param {0 | 90 | 180 | 270} rotation by so much
 * @param {{width: number, height: number}} size of the image before
 */
function turnBack({ x, y, width: w, height: h }, rotation, { width, height }) {
  return {
    0: { x, y, width: w, height: h },
    90: { x: y, y: height - x - w, width: h, height: w },
    180: { x: width - x - w, y: height - y - h, width: w, height: h },
    270: { x: width - y - h, y: x, width: h, height: w },
  }[rotation];
}
