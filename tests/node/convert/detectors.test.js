// Published detectors converted, and created without any further option: detections against TensorFlow's own.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { ObjectDetector } from '../../../wasm/platform/node.js';
import { convert } from '../../../wasm/convert/node.js';
import { Files, openSource } from '../../../wasm/convert/source/files.js';
import { largeSource } from './convert.js';
import { runLiteRt } from '../litert.js';
import { large, loadEngine, maxAbs, maxDifference, needsLarge, readArray, readJson } from '../shared.js';

/**
 * @typedef {{score: number, box: number[], label: number, name?: string, entity?: string}} Found
 * @typedef {{path: string, isExact: boolean, found: Found[]}} Photo `isExact`: decoded as the reference was
 */

const OPEN_IMAGES = 'openimages_v4/openimages-v4-ssd-mobilenet-v2.tar.gz';
const LOOPS = 'openimages_v4/loops-variant-without-variables.tar.gz';
const PERSON = 'frozen_ssdlite_mobilenet_v2_300_person';
const HANDS = 'tfjs_ssd_mobilenet_v2_320_fpnlite_hands_uint8';
const needsOpenImages = needsLarge('convert/openimages_v4', 'photos');
/** Photos of each published detector: the conversion is proven, they show that all of it is read. */
const MAX_PHOTOS = 6;
const SURE = 0.1; // below that, neighbours differ by 1e-6 and change places

/** @returns {Photo[]} */
function openImagesPhotos() {
  const folder = large('convert/openimages_v4/refs');
  return readdirSync(folder).flatMap((photo) => {
    const found = readJson(`${folder}/${photo}/outputs.json`).detections;
    const paths = [
      `${folder}/${photo}/decoded.png`,
      large(`photos/${photo}.png`),
      large(`photos/${photo}.jpg`),
    ];
    return paths
      .filter((path) => existsSync(path))
      .map((path) => ({ path, isExact: path.endsWith('.png'), found }));
  });
}

/** @param {string} name @returns {Photo[]} */
function zooPhotos(name) {
  const { first_20_of_100: zoo, first_20: web } = readJson(large(`convert/${name}/reference.json`));
  const photos = Object.entries(zoo ?? web).slice(0, MAX_PHOTOS);
  return photos.map(([photo, reference]) => ({
    path: large(`photos/${photo}`),
    isExact: photo.endsWith('.png'),
    found: (reference.detection_scores ?? reference.scores).map(
      (/** @type {number} */ score, /** @type {number} */ i) => ({
        score,
        box: reference.detection_boxes[i],
        label: Math.round(reference.detection_classes[i]),
      }),
    ),
  }));
}

/** @param {ObjectDetector} detector @param {string} path @returns {Promise<Found[]>} */
async function detect(detector, path) {
  const tensors = await detector.detectTensors(readFileSync(path), { scoreThreshold: 1e-8 });
  return Array.from(tensors.detection_scores, (score, i) => ({
    score,
    box: [...tensors.detection_boxes.subarray(4 * i, 4 * i + 4)],
    label: Number(tensors.detection_class_labels[i]),
    name: tensors.detection_class_names[i],
    entity: tensors.detection_class_entities[i],
  }));
}

/** The same labels in the same order where scores are sure, and the same set below. @param {Found[]} actual @param {Photo} photo */
function compare(actual, { found, isExact, path }) {
  const tolerance = isExact ? 1e-3 : 0.02;
  const sure = found.filter(({ score }) => score > SURE + tolerance);
  const labels = (/** @type {Found[]} */ list) => list.slice(0, sure.length).map(({ label }) => label);
  if (isExact) assert.deepEqual(labels(actual), labels(sure), path); // another decoder's levels swap near ties
  const left = new Set(actual);
  for (const reference of isExact ? found : sure) {
    const match = [...left].find(
      ({ label, score, box }) =>
        label === reference.label &&
        Math.abs(score - reference.score) < tolerance &&
        maxDifference(box, reference.box) < tolerance,
    );
    assert.ok(match, `${path}: ${reference.label} ${reference.score}`);
    left.delete(match);
    if (reference.name) assert.deepEqual([match.name, match.entity], [reference.name, reference.entity]);
  }
}

/** @param {Uint8Array} model @param {Photo[]} photos */
async function compareAll(model, photos) {
  const detector = await ObjectDetector.create({ model });
  for (const photo of photos) compare(await detect(detector, photo.path), photo);
  detector.close();
}

/** The graph with loops and asset tables, with the other archive's variables. */
async function loopsSource() {
  const [graph, other] = await Promise.all([LOOPS, OPEN_IMAGES].map((name) => openSource(largeSource(name))));
  assert.ok(graph instanceof Files && other instanceof Files);
  return new Map([
    ...graph.names.map((name) => /** @type {const} */ ([name, () => graph.read(name)])),
    ...other.names
      .filter((name) => name.startsWith('variables/'))
      .map((name) => /** @type {const} */ ([name, () => other.read(name)])),
  ]);
}

describe('601 classes of Open Images', needsOpenImages, () => {
  /** @type {Awaited<ReturnType<typeof convert>>} */ let converted;
  before(async () => {
    if (!needsOpenImages.skip) converted = await convert(largeSource(OPEN_IMAGES));
  });

  test('detections, labels and MIDs on every photo', () => compareAll(converted.model, openImagesPhotos()));

  // What these two give is compared with the reference itself: without convert's own proof, which takes seconds.
  test('the graph with loops', async () => {
    const { model } = await convert(await loopsSource(), { verify: false });
    await compareAll(
      model,
      openImagesPhotos().filter(({ isExact }) => isExact),
    );
  });

  test('the raw heads, in LiteRT.js, too', async () => {
    const input = readNpy('refs/pets/input.npy');
    const boxes = readNpy('refs/pets/box_encodings.npy');
    const outputs = await runLiteRt(converted.model, input, [1, 300, 300, 3]);
    const raw = outputs.find(({ shape }) => shape.at(-1) === 4);
    assert.ok(raw && maxDifference(raw.data, boxes) < 1e-4 * 81);
    const engine = await loadEngine('simd', converted.model);
    engine.writeInput(0, input);
    engine.run();
    const scores = outputs.find(({ shape }) => shape.at(-1) === 601);
    assert.ok(
      scores && maxDifference(/** @type {Float32Array} */ (engine.readOutput(1).data), scores.data) < 1e-4,
    );
    engine.close();
  });

  test('classes sliced for good: the same scores', async () => {
    const wanted = ['Dog', 'cat', '/m/01g317'];
    const sliced = await convert(largeSource(OPEN_IMAGES), { classes: wanted, verify: false });
    assert.ok(sliced.model.length < 0.4 * converted.model.length);
    const detector = await ObjectDetector.create({ model: sliced.model });
    assert.deepEqual(detector.labels.map(({ name }) => name).sort(), ['Cat', 'Dog', 'Person']);
    const whole = await ObjectDetector.create({ model: converted.model, classes: { allow: wanted } });
    const photo = readFileSync(large('photos/pets.jpg'));
    const [{ detections: a }, { detections: b }] = await Promise.all(
      [detector, whole].map((d) => d.detect(photo, { scoreThreshold: 0.01 })),
    );
    assert.equal(a.length, b.length);
    a.forEach(({ label, score }, i) => {
      assert.equal(label, b[i].label);
      assert.ok(Math.abs(score - b[i].score) < 1e-6);
    });
    detector.close();
    whole.close();
    await assert.rejects(convert(largeSource(OPEN_IMAGES), { classes: ['Dgo'] }), /UNKNOWN_CLASS|'Dog'/);
  });
});

for (const name of [PERSON, HANDS]) {
  test(name, needsLarge(`convert/${name}`, 'photos'), async () => {
    const { model, kind, notes } = await convert(largeSource(name));
    assert.equal(kind, 'detector');
    assert.match(notes.join(), /the source has no class names: classes are numbered/);
    await compareAll(model, zooPhotos(name));
    const engine = await loadEngine('simd', model);
    const { shape } = engine.inputs[0];
    const noise = Float32Array.from({ length: shape[1] * shape[2] * 3 }, (_, i) => Math.sin(i * i));
    engine.writeInput(0, noise);
    engine.run();
    for (const { shape: of, data } of await runLiteRt(model, noise, shape)) {
      const own = engine.outputs.findIndex((output) => output.shape.at(-1) === of.at(-1));
      const head = /** @type {Float32Array} */ (engine.readOutput(own).data);
      assert.ok(maxDifference(head, data) < 1e-4 * Math.max(1, maxAbs(data)), `LiteRT.js: [${of}]`);
    }
    engine.close();
  });
}

/** Little-endian float32 of version 1. @param {string} path in the folder of the Open Images module */
function readNpy(path) {
  const bytes = readArray(large(`convert/openimages_v4/${path}`), Uint8Array);
  const start = 10 + new DataView(bytes.buffer).getUint16(8, true);
  return new Float32Array(bytes.slice(start).buffer);
}
