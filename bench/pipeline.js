// Times of the stages around the network, relative to the network's time: pre- and post-processing of a 1280x720 RGBA
// frame, decoding of photos, and post-processing of 601 classes.
//   node bench/pipeline.js [--rounds N] [--json]
import { basename } from 'node:path';
import { Engine } from '../wasm/engine/engine.js';
import { ObjectDetector } from '../wasm/platform/node.js';
import { measureHeads } from './heads.js';
import { median, ms, percent, print, readArguments, readShared } from './measure.js';

const TARGETS = { around: 0.08, classes601: 0.02 };
const OPTIONS = { scoreThreshold: 0.3 };
const PHOTOS = ['pets.jpg', 'cat_720p.jpg', 'hot_dog.jpg', 'astronaut.png', 'chelsea.png', 'coffee.png'];
const WARM_UP_RUNS = 5;

/** 1280x720 RGBA pixels: a photo of that size or, without the reference data, a gradient. */
async function makeFrame() {
  const width = 1280;
  const height = 720;
  const data = new Uint8Array(4 * width * height).fill(255);
  const photo = await decode('photos/cat_720p.jpg');
  for (let i = 0; i < width * height; i++) {
    data.set(photo?.data.subarray(3 * i, 3 * i + 3) ?? [i >> 12, i >> 8, i], 4 * i);
  }
  return { data, width, height, channels: /** @type {const} */ (4) };
}

/** @param {string} path */
async function decode(path) {
  const bytes = await readShared(path);
  if (!bytes) return undefined;
  const engine = await Engine.create({ variant: 'relaxed', threads: 1 });
  engine.image.decode(bytes, { maxPixels: 1e8, decode: 'full', allowTruncated: false, background: 0xffffff });
  return engine.image.read();
}

/**
 * Detects `runs` times and returns the median time of each stage.
 * @param {ObjectDetector} detector
 * @param {import('../wasm/vision/input.js').ImageInput} image
 * @param {number} runs
 */
async function measure(detector, image, runs) {
  /** @type {import('../wasm/vision/types.js').StageTimes[]} */
  const times = [];
  for (let i = 0; i < runs; i++) {
    times.push((await detector.detect(image, OPTIONS)).ms);
  }
  const stage = (/** @type {keyof typeof times[number]} */ name) => median(times.map((time) => time[name]));
  return {
    decode: stage('decode'),
    preprocess: stage('preprocess'),
    network: stage('network'),
    postprocess: stage('postprocess'),
  };
}

const { json, counts } = readArguments({ rounds: 30 });
const detector = await ObjectDetector.create();
const frame = await makeFrame();
await measure(detector, frame, WARM_UP_RUNS);
const stages = await measure(detector, frame, counts.rounds);
// For raw pixels, `decode` is the time to copy them into the module.
const around = stages.decode + stages.preprocess + stages.postprocess;
/** @type {{file: string, width: number, height: number, ms: number}[]} */
const photos = [];
for (const file of PHOTOS) {
  const bytes = await readShared(`photos/${file}`);
  if (!bytes) continue;
  await measure(detector, bytes, 2);
  const { decode } = await measure(detector, bytes, Math.ceil(counts.rounds / 5));
  const { width, height } = (await detector.detect(bytes, OPTIONS)).size;
  photos.push({ file: basename(file), width, height, ms: decode });
}
detector.close();
const heads = await measureHeads(counts.rounds);
const headsMs = heads && median(heads.times);
const ratios = { around: around / stages.network, classes601: headsMs && headsMs / stages.network };
print(json, {
  title: 'Around the network, one thread',
  columns: ['', 'share of the network', 'ms'],
  rows: [
    ['**pre- and postprocessing, 1280x720 RGBA**', `**${percent(ratios.around)}**`, ms(around)],
    ...(headsMs && ratios.classes601
      ? [['**boxes, 601 classes, threshold 0.3**', `**${percent(ratios.classes601)}**`, ms(headsMs)]]
      : []),
    ['copying the pixels in', percent(stages.decode / stages.network), ms(stages.decode)],
    ['resizing and normalizing', percent(stages.preprocess / stages.network), ms(stages.preprocess)],
    ['boxes, 23 classes', percent(stages.postprocess / stages.network), ms(stages.postprocess)],
    ...photos.map(({ file, width, height, ms: decode }) => [
      `decoding ${file}, ${width}x${height}`,
      percent(decode / stages.network),
      ms(decode),
    ]),
    ['network', '', ms(stages.network)],
  ],
  notes: [
    `targets: pre- and postprocessing under ${percent(TARGETS.around)}, boxes of 601 classes under ${percent(TARGETS.classes601)}`,
  ],
  data: { ratios, stages, photos, heads601Ms: headsMs },
});
