// Whole photos through the public API against TensorFlow's own answers with the same weights, and against what anybody
// can see on them; in each variant that this engine can run.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { decodeImage, ObjectDetector } from '../../../wasm/platform/node.js';
import {
  detectorRuns,
  large,
  maxDifference,
  needsLarge,
  packagePhoto,
  readArray,
  readJson,
  testData,
} from '../shared.js';

/** @typedef {import('../../../wasm/vision/types.js').Detection} Detection */
/**
 * @typedef {{label: string, mid: string, score: number, box: number[], slack: number[]}} Expected
 *   box: x, y, width, height, in pixels; slack: by how much each may differ
 */

const NEEDED = ['convert/openimages_v4', 'photos'];
const REFERENCES = large('convert/openimages_v4/refs');
/** @type {any[]} */
const CASES = readJson(testData('detector/cases.json'));
const THRESHOLD = 0.3;
// A score that near to it may fall on either side.
const CERTAIN = 0.32;
const POSSIBLE = 0.28;

// JPEG decoders differ by a level or two.
const LARGE_PICTURES = ['pets', 'cat_720p', 'hot_dog'].flatMap((name) => [
  { name, path: large(`photos/${name}.jpg`), within: 0.02 },
  { name, path: `${REFERENCES}/${name}/decoded.png`, within: 1e-3 },
]);

// Boxes as one would draw them by eye, a little generous.
const SEEN = /** @type {const} */ ([
  { photo: 'astronaut.png', label: 'Person', box: [20, 17, 350, 490] },
  { photo: 'chelsea.png', label: 'Cat', box: [5, 0, 430, 300] },
  { photo: 'coffee.png', label: 'Coffee cup', box: [175, 20, 250, 300] },
]);

for (const { name, options } of detectorRuns) {
  describe(name, () => {
    /** With the weights that TensorFlow has. */
    const full = /** @type {const} */ ({ ...options, weights: 'full' });

    test('what is to be seen on photos', async () => {
      const detector = await ObjectDetector.create(options);
      for (const { photo, label, box } of SEEN) {
        const found = (await detector.detect(packagePhoto(photo), { scoreThreshold: 0.5 })).detections;
        const [best, ...others] = found;
        assert.equal(best.label, label, photo);
        assert.deepEqual(others, [], photo);
        assert.ok(overlap(toList(best.box), box) > 0.85, `${label} at ${toList(best.box)}`);
      }
      detector.close();
    });

    test('TensorFlow’s detections', async () => {
      const detector = await ObjectDetector.create({ ...full, scoreThreshold: THRESHOLD });
      for (const { photo, shape_hwc, detections } of CASES) {
        const expected = detections.map((/** @type {any} */ { label, score, box }) => {
          const { name, mid } = detector.labels[label];
          return toExpected({ score, box, entity: name, name: mid ?? '' }, shape_hwc);
        });
        checkDetections((await detector.detect(packagePhoto(photo))).detections, expected, 1e-3);
      }
      detector.close();
    });

    test('TensorFlow’s detections with the Open Images module', needsLarge(...NEEDED), async (t) => {
      const detector = await ObjectDetector.create({ ...full, scoreThreshold: THRESHOLD });
      for (const picture of LARGE_PICTURES) {
        await t.test(picture.path, async () => {
          const found = (await detector.detect(readFileSync(picture.path))).detections;
          checkDetections(found, readReference(picture.name), picture.within);
        });
      }
      detector.close();
    });

    test('TensorFlow’s raw heads, from its own input', needsLarge(NEEDED[0]), async () => {
      const detector = await ObjectDetector.create(full);
      for (const photo of ['astronaut', 'pets']) {
        const input = readNpy(`${REFERENCES}/${photo}/input.npy`);
        const heads = (await detector.heads({ tensor: input })).heads;
        checkHeads(heads, photo, options.deterministic ? 1e-4 : 1e-3);
      }
      detector.close();
    });

    test('TensorFlow’s raw heads, from pixels', needsLarge(NEEDED[0]), async () => {
      const detector = await ObjectDetector.create(full);
      checkHeads((await detector.heads(packagePhoto('astronaut.png'))).heads, 'astronaut', 1e-3);
      const pets = readFileSync(`${REFERENCES}/pets/decoded.png`);
      checkHeads((await detector.heads(pets)).heads, 'pets', 1e-3);
      detector.close();
    });
  });
}

describe('one photo, however it is handed in', () => {
  test('bytes in any wrapping and pixels in any layout give one answer', async () => {
    const detector = await ObjectDetector.create({ deterministic: true });
    const file = packagePhoto('coffee.png');
    const image = await decodeImage(file);
    const { data, width, height } = image;
    const rgba = new Uint8ClampedArray(width * height * 4).map((_, i) =>
      i % 4 === 3 ? i >> 2 : data[(i >> 2) * 3 + (i % 4)],
    );
    const expected = (await detector.detect(file)).detections;
    assert.equal(expected.length, 1);
    for (const input of [
      new Uint8Array(file),
      new Uint8Array(file).buffer,
      new Blob([new Uint8Array(file)]),
      image,
      { data, width, height },
      { data: rgba, width, height },
      { data: rgba, width, height, channels: /** @type {const} */ (4), stride: width * 4 },
      // Of another realm, as in jsdom, in Jest, or from an <iframe>
      fromElsewhere(file),
      fromElsewhere(file).buffer,
      { data: fromElsewhere(data), width, height },
    ]) {
      assert.deepEqual((await detector.detect(input)).detections, expected);
    }
    detector.close();
  });

  test('a grey photo, as a file and as pixels, has its cat', async () => {
    const detector = await ObjectDetector.create();
    const { data, width, height } = await decodeImage(packagePhoto('chelsea.png'));
    const grey = new Uint8Array(width * height).map((_, i) =>
      Math.round(0.299 * data[3 * i] + 0.587 * data[3 * i + 1] + 0.114 * data[3 * i + 2]),
    );
    const [cat] = (await detector.detect({ data: grey, width, height })).detections;
    assert.equal(cat.label, 'Cat');
    assert.ok(overlap(toList(cat.box), SEEN[1].box) > 0.85);
    detector.close();
  });
});

/**
 * A copy whose class is not this file's Uint8Array.
 * @param {Uint8Array} bytes
 * @returns {Uint8Array<ArrayBuffer>}
 */
function fromElsewhere(bytes) {
  const copy = runInNewContext(`new Uint8Array(${bytes.length})`);
  copy.set(bytes);
  assert.ok(!(copy instanceof Uint8Array));
  return copy;
}

/** @param {string} photo @returns {Expected[]} */
function readReference(photo) {
  const { decoded_shape_hwc, detections } = readJson(`${REFERENCES}/${photo}/outputs.json`);
  return detections.map((/** @type {any} */ found) => toExpected(found, decoded_shape_hwc));
}

/**
 * @param {{box: number[], score: number, name: string, entity: string}} found a MID and a name
 * @param {number[]} shape height and width of the photo
 * @returns {Expected}
 */
function toExpected({ box: [top, left, bottom, right], score, name, entity }, [height, width]) {
  return {
    label: entity,
    mid: name,
    score,
    box: [left * width, top * height, (right - left) * width, (bottom - top) * height],
    slack: [width / 100, height / 100, width / 100, height / 100],
  };
}

/**
 * Each detection is one of the reference's, and none of the reference's certain ones is left over.
 * @param {Detection[]} found
 * @param {Expected[]} references
 * @param {number} within
 */
function checkDetections(found, references, within) {
  const open = references.filter(({ score }) => score > POSSIBLE);
  for (const { label, mid, score, box } of found) {
    assert.ok(score > THRESHOLD);
    const match = open.findIndex((reference) => {
      const near = toList(box).every((value, i) => Math.abs(value - reference.box[i]) <= reference.slack[i]);
      return (
        label === reference.label &&
        mid === reference.mid &&
        near &&
        Math.abs(score - reference.score) <= within
      );
    });
    assert.ok(match >= 0, `${label} ${score} at ${toList(box)} is none of ${JSON.stringify(open)}`);
    open.splice(match, 1);
  }
  assert.deepEqual(
    open.filter(({ score }) => score > CERTAIN),
    [],
  );
  const scores = found.map(({ score }) => score);
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  );
}

/**
 * @param {{name: string, data: any}[]} heads
 * @param {string} photo
 * @param {number} within
 */
function checkHeads(heads, photo, within) {
  for (const [name, file] of [
    ['raw_outputs/box_encodings', 'box_encodings'],
    ['raw_outputs/class_predictions', 'class_predictions_real24'],
  ]) {
    const head = heads.find((output) => output.name === name);
    const difference = maxDifference(head?.data ?? [], readNpy(`${REFERENCES}/${photo}/${file}.npy`));
    assert.ok(difference <= within, `${name} on ${photo} differs by ${difference}`);
  }
}

/**
 * NumPy's format, version 1, of little-endian float32.
 * @param {string} path
 */
function readNpy(path) {
  const bytes = readArray(path, Uint8Array);
  const headerBytes = 10 + bytes[8] + 256 * bytes[9];
  return new Float32Array(bytes.buffer.slice(headerBytes));
}

/** @param {Detection['box']} box */
function toList({ x, y, width, height }) {
  return [x, y, width, height];
}

/**
 * Intersection over union.
 * @param {readonly number[]} a
 * @param {readonly number[]} b
 */
function overlap([ax, ay, aw, ah], [bx, by, bw, bh]) {
  const width = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const height = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  const both = Math.max(width, 0) * Math.max(height, 0);
  return both / (aw * ah + bw * bh - both);
}
