// Converted and trained detectors need no option anywhere: MediaPipe reads from their metadata what we do, and finds the same.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { convert } from '../../wasm/convert/index.js';
import { encodePng } from '../../wasm/draw/png.js';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { DetectorLearner } from '../../wasm/train/node.js';
import { uniforms } from '../../wasm/train/random.js';
import { largeSource } from '../node/convert/convert.js';
import { needsLarge, packagePhoto } from '../node/shared.js';
import { compose, openBackgrounds, openCutouts, samplePhotos } from '../node/train/compose.js';
import { launch, needsBrowser, openPage, ROOT, serve } from './shared.js';

/** @typedef {{label: string, score: number, box: {x: number, y: number, width: number, height: number}}} Found */

const SCORE = 0.02;
/** How MediaPipe suppresses boxes: its graph has these constants. */
const SUPPRESSION = { classAgnostic: true, iouThreshold: 0.3 };
const PHOTOS = /** @type {const} */ (['astronaut.png', 'chelsea.png', 'coffee.png']);
const MEDIAPIPE = `${ROOT}node_modules/@mediapipe/tasks-vision`;
const SOURCES = {
  openimages: 'openimages_v4',
  person: 'frozen_ssdlite_mobilenet_v2_300_person',
  hands: 'tfjs_ssd_mobilenet_v2_320_fpnlite_hands_uint8',
};

suite('MediaPipe', needsBrowser, () => {
  /** @type {import('playwright-core').Browser} */ let browser;
  /** @type {Awaited<ReturnType<typeof serve>>} */ let server;
  const models = mkdtempSync(join(tmpdir(), 'ocelli-mediapipe-'));
  before(async () => {
    browser = await launch();
    server = await serve({
      roots: { '/mediapipe/': MEDIAPIPE, '/models/': models },
    });
  });
  after(async () => {
    await browser?.close();
    server?.close();
    rmSync(models, { recursive: true });
  });

  /**
   * What MediaPipe finds in each photo, the best first. Its boxes reach beyond the image, and some have no area; ours and
   * TensorFlow's are clipped, and those that are left empty dropped.
   * @param {string} model
   * @param {readonly string[]} photos paths
   * @param {number} threshold of scores
   * @returns {Promise<Found[][]>}
   */
  async function findAll(model, photos, threshold) {
    const { page } = await openPage(browser, `${server.url}/blank.html`);
    const found = await page.evaluate(async ([model, photos, scoreThreshold]) => {
      // @ts-expect-error the page's
      const { FilesetResolver, ObjectDetector } = await import('/mediapipe/vision_bundle.mjs');
      const detector = await ObjectDetector.createFromOptions(
        await FilesetResolver.forVisionTasks('/mediapipe/wasm'),
        {
          baseOptions: { modelAssetPath: `/models/${model}`, delegate: 'CPU' },
          scoreThreshold,
        },
      );
      const found = [];
      for (const photo of photos) {
        const image = new Image();
        image.src = photo;
        await image.decode();
        const clipped = detector
          .detect(image)
          .detections.map((/** @type {any} */ { boundingBox, categories }) => {
            const { originX: x, originY: y } = boundingBox;
            const width = Math.min(x + boundingBox.width, image.width) - x;
            const height = Math.min(y + boundingBox.height, image.height) - y;
            const [{ categoryName: label, score }] = categories;
            return { label, score, box: { x, y, width, height } };
          });
        found.push(clipped.filter((/** @type {Found} */ { box }) => box.width > 0 && box.height > 0));
      }
      detector.close();
      return found;
    }, /** @type {const} */ ([model, photos, threshold]));
    await page.close();
    return found;
  }

  for (const [name, source] of Object.entries(SOURCES)) {
    test(`${name}: the best box of each photo is ours`, needsLarge(`convert/${source}`), async () => {
      const file = source === SOURCES.openimages ? `${source}/openimages-v4-ssd-mobilenet-v2.tar.gz` : source;
      const { model } = await convert(largeSource(file));
      writeFileSync(join(models, `${name}.tflite`), model);
      const detector = await ObjectDetector.create({ model, scoreThreshold: SCORE });
      const paths = PHOTOS.map((photo) => `/photos/${photo}`);
      const theirs = await findAll(`${name}.tflite`, paths, SCORE);
      for (const [i, photo] of PHOTOS.entries()) {
        const [best] = (await detector.detect(packagePhoto(photo))).detections;
        compare(theirs[i][0], best, photo);
      }
      detector.close();
    });
  }

  for (const [how, options] of /** @type {const} */ ([
    ['of its own layers', {}],
    ['of joined maps', { fuseMaps: true }],
  ]))
    test(`a trained detector, ${how}: all boxes and scores of ten photos of its input’s size`, async () => {
      const directory = samplePhotos();
      const [apple, , fish] = await openCutouts(directory);
      const backgrounds = await openBackgrounds([directory]);
      const random = uniforms(7);
      const photos = Array.from({ length: 10 }, () =>
        compose(backgrounds, [apple, fish], random, { width: 300, height: 300 }),
      );
      const learner = await DetectorLearner.create(options);
      for (const { data, width, height, boxes } of photos.slice(0, 4))
        await learner.addExample({ data, width, height }, boxes);
      await learner.fit({
        epochs: 6,
        batchSize: 4,
        views: 3,
        optimizer: { type: 'adam', learningRate: 0.003 },
      });
      writeFileSync(join(models, 'taught.tflite'), learner.export());
      for (const [i, photo] of photos.entries())
        writeFileSync(join(models, `${i}.png`), await encodePng({ ...photo, channels: 3 }));
      const paths = photos.map((_, i) => `/models/${i}.png`);
      const theirs = await findAll('taught.tflite', paths, 0.05);
      let count = 0;
      for (const [i, { data, width, height }] of photos.entries()) {
        const detecting = { scoreThreshold: 0.05, ...SUPPRESSION };
        const { detections } = await learner.detect({ data, width, height }, detecting);
        // One that scores as much as the threshold, nearly, may be found by one of the two only.
        const sure = detections.filter(({ score }) => score > 0.051);
        for (const ours of sure) compareExactly(theirs[i], ours, `photo ${i}`);
        for (const { label, score } of theirs[i])
          assert.ok(
            score <= 0.051 || withScore(detections, label, score).length > 0,
            `photo ${i}, ${label} ${score}`,
          );
        count += sure.length;
      }
      assert.ok(count > 20, `${count} boxes`);
      learner.close();
    });
});

/**
 * @param {Found | undefined} theirs
 * @param {Found | undefined} ours
 * @param {string} photo
 */
function compare(theirs, ours, photo) {
  assert.equal(theirs?.label, ours?.label, photo);
  if (!theirs || !ours) return;
  assert.ok(Math.abs(theirs.score - ours.score) < 0.02, `${photo}: ${theirs.score}, ${ours.score}`);
  const common = overlap(theirs.box, inWholePixels(ours.box));
  assert.ok(common >= 0.9, `${photo}: ${common}`);
}

/**
 * MediaPipe gives boxes in whole pixels, and moves one that begins left of the image or above it into the image: of such only
 * label and score are compared.
 * @param {readonly Found[]} theirs
 * @param {Found} ours
 * @param {string} photo
 */
function compareExactly(theirs, { label, score, box }, photo) {
  const near = withScore(theirs, label, score);
  const isMoved = box.x === 0 || box.y === 0;
  const sides = /** @type {const} */ (['x', 'y', 'width', 'height']);
  const isSame = (/** @type {Found} */ found) =>
    sides.every((side) => Math.abs(found.box[side] - box[side]) <= 1);
  assert.ok(near.some(isMoved ? Boolean : isSame), `${photo}, ${label} ${score}`);
}

/** @param {readonly Found[]} all @param {string} label @param {number} score */
const withScore = (all, label, score) =>
  all.filter((found) => found.label === label && Math.abs(found.score - score) <= 1e-3);

/** As MediaPipe gives boxes. @param {Found['box']} box */
function inWholePixels({ x, y, width, height }) {
  return { x: Math.floor(x), y: Math.floor(y), width: Math.floor(width), height: Math.floor(height) };
}

/**
 * Intersection over union.
 * @param {Found['box']} a
 * @param {Found['box']} b
 */
function overlap(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const common = Math.max(width, 0) * Math.max(height, 0);
  return common / (a.width * a.height + b.width * b.height - common);
}
