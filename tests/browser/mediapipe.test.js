// Converted detectors need no option anywhere: MediaPipe reads from their metadata what we do, and finds the same.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { convert } from '../../wasm/convert/index.js';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { largeSource } from '../node/convert/convert.js';
import { needsLarge, packagePhoto } from '../node/shared.js';
import { launch, needsBrowser, openPage, ROOT, serve } from './shared.js';

/** @typedef {{label: string, score: number, box: {x: number, y: number, width: number, height: number}}} Found */

const SCORE = 0.02;
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
   * The best that MediaPipe finds in each photo. Its boxes reach beyond the image, and some have no area; ours and
   * TensorFlow's are clipped, and those that are left empty dropped.
   * @param {string} model
   * @param {readonly string[]} photos
   * @returns {Promise<(Found | undefined)[]>}
   */
  async function findAll(model, photos) {
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
        image.src = `/photos/${photo}`;
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
        found.push(clipped.find((/** @type {Found} */ { box }) => box.width * box.height > 0));
      }
      detector.close();
      return found;
    }, /** @type {const} */ ([model, photos, SCORE]));
    await page.close();
    return found;
  }

  for (const [name, source] of Object.entries(SOURCES)) {
    test(`${name}: the best box of each photo is ours`, needsLarge(`convert/${source}`), async () => {
      const file = source === SOURCES.openimages ? `${source}/openimages-v4-ssd-mobilenet-v2.tar.gz` : source;
      const { model } = await convert(largeSource(file));
      writeFileSync(join(models, `${name}.tflite`), model);
      const detector = await ObjectDetector.create({ model, scoreThreshold: SCORE });
      const theirs = await findAll(`${name}.tflite`, PHOTOS);
      for (const [i, photo] of PHOTOS.entries()) {
        const [best] = (await detector.detect(packagePhoto(photo))).detections;
        compare(theirs[i], best, photo);
      }
      detector.close();
    });
  }
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
