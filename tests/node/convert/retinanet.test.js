// Detectors as Keras users write them: anchors of x, y, width, height in pixels or in parts of the image, encodings of tx,
// ty, tw, th, combined or per-class suppression. Detections against TensorFlow's; and --input of a detector.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { convert } from '../../../wasm/convert/node.js';
import { readJson, testData } from '../shared.js';

/**
 * @typedef {{label: number, score: number, xyxy: number[]}} Found
 * @typedef {{squares: number[], input: string | null, detections: Found[]}} Case
 */

/** @type {Record<string, Case>} */
const CASES = readJson(testData('convert/retinanet/expected.json'));
const SIZE = 64;
const source = (/** @type {string} */ name) =>
  new Uint8Array(readFileSync(testData(`convert/retinanet/${name}.pb`)));

/** @param {number[]} squares 8 x 8 colours */
function picture(squares) {
  const data = Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => {
    const [y, x] = [Math.floor(i / 3 / SIZE), Math.floor(i / 3) % SIZE];
    return squares[((y >> 3) * 8 + (x >> 3)) * 3 + (i % 3)];
  });
  return { data, width: SIZE, height: SIZE };
}

/** @param {Uint8Array<ArrayBuffer>} model @param {Case} expected @param {'[0,255]' | '[0,1]' | '[-1,1]'} [input] */
async function compare(model, { squares, detections }, input) {
  const detector = await ObjectDetector.create({ model, ...(input && { input }), scoreThreshold: 0.05 });
  after(() => detector.close());
  const { detections: found } = await detector.detect(picture(squares));
  assert.equal(found.length, detections.length);
  found.forEach(({ labelId, score, box: { x, y, width, height } }, i) => {
    const { label, score: wanted, xyxy } = detections[i];
    assert.equal(labelId, label);
    assert.ok(Math.abs(score - wanted) < 1e-5, `${i}: ${score} ${wanted}`);
    [x, y, x + width, y + height].forEach((edge, k) => {
      const clipped = Math.min(Math.max(xyxy[k], 0), 1);
      assert.ok(Math.abs(edge / SIZE - clipped) < 1e-5, `${i}: ${edge / SIZE} ${clipped}`);
    });
  });
}

test('combined suppression, anchors in pixels, rescaling in the graph', async () => {
  const { model, kind, notes } = await convert(source('combined'));
  assert.equal(kind, 'detector');
  assert.ok(notes.some((note) => /IoU 0.5, at most 8 per class, 15 in all/.test(note)));
  await compare(model, CASES.combined);
});

test('per-class suppression, anchors in parts of the image', async () => {
  const { model, notes } = await convert(source('per_class'), { input: '[-1,1]' });
  assert.ok(notes.some((note) => /IoU 0.5, at most 8 per class, 15 in all/.test(note)));
  await compare(model, CASES.per_class);
});

describe('the values that the image of a detector has', () => {
  test('unknown: asked for when the file is used, and taken then', async () => {
    const { model, notes } = await convert(source('per_class'));
    assert.ok(notes.some((note) => /does not say which values/.test(note)));
    await assert.rejects(ObjectDetector.create({ model }), {
      code: 'MODEL_INPUT_UNKNOWN',
      message: /--input '\[0,1\]'/,
    });
    await compare(model, CASES.per_class, '[-1,1]');
  });

  // The graph takes pixels, and makes -1 to 1 of them: either says the same.
  for (const input of ['[0,255]', '[-1,1]'])
    test(`known, and given as ${input}`, async () => {
      const { model } = await convert(source('combined'), { input });
      await compare(model, CASES.combined);
    });

  for (const input of ['[0,1]', 'imagenet', { scale: 1 / 127.5, offset: 0 }])
    test(`known, and contradicted by ${JSON.stringify(input)}`, () =>
      assert.rejects(convert(source('combined'), { input }), {
        code: 'INVALID_OPTION',
        message: /the graph's own preprocessing computes/,
      }));
});
