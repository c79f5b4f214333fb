// How much of what the default detector finds in full its smaller forms find too, and the other way round: on 80 frames
// of a street and the 162 photos of tests/data/boxes, none of which calibrated any form. Of the raw heads, the signal to
// noise. A further .tflite file or its .gz can be compared as well.
//   node bench/held_out.js [MODEL …]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { match, streetFrames } from '../tests/node/matches.js';
import { samplePath } from '../tests/node/shared.js';
import { ObjectDetector } from '../wasm/platform/node.js';
import { percent, print } from './measure.js';

/** @typedef {import('../wasm/vision/types.js').DetectorOptions} Options */

/** Photos of the two sets are compared by their bytes. @param {string} directory */
function photosIn(directory) {
  return readdirSync(directory)
    .filter((name) => /\.(jpe?g|png)$/i.test(name))
    .map((name) => new Uint8Array(readFileSync(join(directory, name))));
}

function heldOutPhotos() {
  const script = fileURLToPath(new URL('../tools/boxes.js', import.meta.url));
  const directory = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim();
  const digest = (/** @type {Uint8Array} */ bytes) => createHash('sha256').update(bytes).digest('hex');
  const calibrating = new Set(photosIn(samplePath('photos')).map(digest));
  return photosIn(directory).filter((bytes) => !calibrating.has(digest(bytes)));
}

/**
 * @param {Options} options
 * @param {any[]} images
 */
async function run(options, images) {
  const detector = await ObjectDetector.create({ scoreThreshold: 0.2, ...options });
  const detections = [];
  const heads = [];
  for (const image of images) {
    detections.push((await detector.detect(image)).detections);
    heads.push((await detector.heads(image)).heads.map(({ data }) => /** @type {Float32Array} */ (data)));
  }
  detector.close();
  return { detections, heads };
}

/**
 * In decibels, of one head over all images.
 * @param {Float32Array[][]} signal
 * @param {Float32Array[][]} noisy
 * @param {number} head
 */
function signalToNoise(signal, noisy, head) {
  let [power, noise] = [0, 0];
  signal.forEach((heads, image) =>
    heads[head].forEach((value, i) => {
      power += value ** 2;
      noise += (value - noisy[image][head][i]) ** 2;
    }),
  );
  return 10 * Math.log10(power / noise);
}

const photos = heldOutPhotos();
const frames = streetFrames();
const images = [...frames, ...photos];
/** @type {[string, Options][]} */
const forms = [
  ['compressed', {}],
  ['8 bits', { precision: 'int8' }],
  ...process.argv.slice(2).map((model) => /** @type {[string, Options]} */ ([model, { model }])),
];
const full = await run({ weights: 'full' }, images);
const rows = [];
for (const [name, options] of forms) {
  const other = await run(options, images);
  const [again, before] = [
    match(full.detections, other.detections),
    match(other.detections, full.detections),
  ];
  rows.push([
    name,
    ...[again, before].map(({ matched, found, part }) => `${matched} of ${found} (${percent(part)})`),
    again.difference.toFixed(4),
    ...full.heads[0].map((_, head) => `${signalToNoise(full.heads, other.heads, head).toFixed(1)} dB`),
  ]);
}
print(false, {
  title: `Smaller forms beside float16, ${frames.length} frames and ${photos.length} photos`,
  columns: ['', 'found again', 'found before', 'score difference', 'signal to noise, head 0', 'head 1'],
  rows,
  notes: [],
  data: {},
});
