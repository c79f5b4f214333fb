// What `make soak-long` does over and over: each part opens a subject, and runs it on case number 0, 1, 2 …
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ObjectDetector } from '../../wasm/platform/node.js';
import { appendLabels, writeMetadata } from '../../wasm/tflite/metadata.js';
import { TINY_ANCHORS, tinyDetector } from '../fuzz/tiny_models.js';
import { encodePng, makeBmp, makeGif } from '../node/image_files.js';
import { packagePhoto, testData } from '../node/shared.js';

/**
 * @typedef {object} Subject
 * @property {(number: number) => Promise<void>} run throws if the case has another answer than before
 * @property {() => number} residentBytes of the process that does the work
 * @property {() => unknown} [fixed] what must be the same after each case
 * @property {() => unknown} close
 *
 * @typedef {object} Part
 * @property {number} total the number of cases that a whole soak has
 * @property {number} warmUp cases before the first measurement
 * @property {() => Promise<Subject>} open
 */

const NUM_IMAGES = 120;
const NUM_CONNECTIONS = 4;

/** A detector's file that says how it is to be used, and computes in microseconds. */
function tinyModel() {
  const labels = ['cat', 'dog'];
  const metadata = writeMetadata({
    ...{ name: 'tiny', description: '' },
    image: { name: 'image', mean: [127.5], std: [127.5] },
    outputs: [
      { name: 'boxes', role: 'location' },
      { name: 'scores', role: 'score', labels },
    ],
    detector: {
      ...{ anchors: Float32Array.from(TINY_ANCHORS.flat()), boxCoder: [10, 10, 5, 5] },
      ...{ numClasses: 2, isSigmoid: true },
    },
    own: { resize: 'legacy' },
  });
  return appendLabels(tinyDetector(metadata), labels);
}

/** @param {number} width @param {number} height */
function paint(width, height) {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 67 + (i >> 9)) & 0xe0);
  return { data, width, height };
}

/** The first answer to each case, which all later ones must equal. */
function createMemory() {
  /** @type {Map<number, string>} */
  const answers = new Map();
  return (/** @type {number} */ key, /** @type {unknown} */ answer) => {
    const text = JSON.stringify(answer);
    if (!answers.has(key)) answers.set(key, text);
    assert.equal(text, answers.get(key), `case ${key} has another answer than at first`);
  };
}

const residentBytes = () => process.memoryUsage.rss();

/** @param {ObjectDetector} detector @param {Subject['run']} run @returns {Subject} */
const ofDetector = (detector, run) => ({
  ...{ run, residentBytes, close: () => detector.close() },
  // The module's memory grows with the largest image, and not after.
  fixed: () => detector.memoryUse.totalBytes,
});

/** @returns {Promise<Subject>} */
async function openTiny() {
  const detector = await ObjectDetector.create({ model: tinyModel(), scoreThreshold: 0 });
  const images = Array.from({ length: 16 }, (_, i) => paint(8 + i, 8));
  const check = createMemory();
  return ofDetector(detector, async (number) => {
    const key = number % images.length;
    const { detections } = await detector.detect(images[key]);
    assert.ok(detections.length > 0);
    check(key, detections);
  });
}

/** @returns {Promise<Subject>} */
async function openDefault() {
  const detector = await ObjectDetector.create();
  const photos = /** @type {const} */ (['chelsea.png', 'astronaut.png', 'coffee.png']).map(packagePhoto);
  const check = createMemory();
  return ofDetector(detector, async (number) => {
    const key = number % photos.length;
    const { detections } = await detector.detect(photos[key]);
    check(key, detections);
  });
}

/** Files of all formats and sizes, some of them cut. */
function makeImages() {
  const folder = testData('images/sound');
  const jpegs = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  return Array.from({ length: NUM_IMAGES }, (_, i) => {
    const size = i % 40 === 7 ? 1600 : 1 + ((i * 7919) % 400);
    const picture = paint(size, 1 + ((i * 104_729) % 300));
    const file = [
      () => encodePng(picture),
      () => makeBmp(picture),
      () => makeGif({ ...paint(1 + (i % 60), 1 + (i % 50)) }),
      () => jpegs[i % jpegs.length],
      () => picture,
      () => encodePng(picture).subarray(0, 60),
    ][i % 6];
    return file();
  });
}

/** @returns {Promise<Subject>} */
async function openImages() {
  const detector = await ObjectDetector.create({ model: tinyModel(), scoreThreshold: 0 });
  const images = makeImages();
  const check = createMemory();
  return ofDetector(detector, async (number) => {
    const key = number % images.length;
    const found = await detector.detect(images[key]).catch(({ code, message }) => {
      assert.match(code, /^IMAGE_/, message);
      return { code };
    });
    check(key, 'code' in found ? found : [found.size, found.detections]);
  });
}

/** Detectors of all kinds. @returns {Promise<Subject>} */
async function openCycles() {
  const kinds = [
    {},
    { threads: 2 },
    { deterministic: true },
    { worker: true },
    { weights: /** @type {const} */ ('full') },
    { precision: /** @type {const} */ ('int8') },
    { model: tinyModel() },
    { pool: 2 },
  ];
  const image = paint(10, 10);
  return {
    async run(number) {
      const detector = await ObjectDetector.create(kinds[number % kinds.length]);
      const { size } = await detector.detect(image);
      assert.deepEqual(size, { width: 10, height: 10 });
      detector.close();
    },
    residentBytes,
    close: () => {},
  };
}

/** The example's server, with the tiny model; it needs the package. @returns {Promise<Subject>} */
async function openRequests() {
  const { install, startServer } = await import('../service/node_server.js');
  const { residentMiB } = await import('../service/load.js');
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-soak-'));
  const model = join(folder, 'tiny.tflite');
  writeFileSync(model, tinyModel());
  const server = await startServer(install(), { MODEL: model, THREADS: '2', MAX_QUEUE: '16' });
  const bodies = Array.from({ length: 8 }, (_, i) => encodePng(paint(8 + i, 8 + (i % 3))));
  const check = createMemory();
  const request = async (/** @type {number} */ number) => {
    const key = number % bodies.length;
    const body = /** @type {Uint8Array<ArrayBuffer>} */ (bodies[key]);
    const response = await server.ask('/detect', { method: 'POST', body });
    check(key, [response.status, await response.text()]);
    assert.equal(response.status, 200);
    // What the helper keeps of the server's log.
    server.log.length = 0;
    server.lines.length = 0;
  };
  return {
    // A case is a request; they come by as many connections at once.
    run: async (number) => {
      if (number % NUM_CONNECTIONS > 0) return;
      await Promise.all(Array.from({ length: NUM_CONNECTIONS }, (_, i) => request(number + i)));
    },
    residentBytes: () => residentMiB(server.server) * 2 ** 20,
    async close() {
      assert.equal(await server.stop(), 0);
      rmSync(folder, { recursive: true });
    },
  };
}

/** @type {Record<string, Part>} */
export const PARTS = {
  tiny: { total: 1e6, warmUp: 2000, open: openTiny },
  default: { total: 20_000, warmUp: 20, open: openDefault },
  cycles: { total: 10_000, warmUp: 16, open: openCycles },
  images: { total: 100_000, warmUp: 2 * NUM_IMAGES, open: openImages },
  requests: { total: 1e6, warmUp: 2000, open: openRequests },
};
