// Large JPEG photos, made of the sample photos (upscaled, with noise).
//   photos.js             how detections of `decode: 'full'` and `decode: 'scaled'` differ, and which is nearer to those of
//                         an antialiased reduction by sharp; --count N photos of 8 to 48 megapixels (default 200)
//   photos.js --times     CPU time of decoding and resizing beside sharp, on one thread; memory beside the file
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { loadModel } from '../bin/model.js';
import { ObjectDetector } from '../wasm/platform/node.js';
import { resolveReading } from '../wasm/vision/reading.js';
import { readView } from '../wasm/vision/view.js';
import { median, min } from './measure.js';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '200' }, times: { type: 'boolean', default: false } },
});

const THRESHOLD = 0.3;
/** Detections of the same class whose boxes have this intersection over union are the same. */
const SAME_IOU = 0.5;
/** Of 8, 12, 24 and 48 megapixels; how often each comes. */
const SIZES = [...Array(14).fill([3264, 2448]), ...Array(4).fill([4032, 3024]), [6000, 4000], [8000, 6000]];

/** @param {string} script of tools/ that prints a directory */
const directoryOf = (script) =>
  execFileSync(fileURLToPath(new URL(`../tools/${script}`, import.meta.url)), { encoding: 'utf8' }).trim();

function findSources() {
  const directories = [directoryOf('photos.sh'), join(directoryOf('samples.sh'), 'photos')];
  return directories.flatMap((path) =>
    readdirSync(path)
      .sort()
      .map((name) => join(path, name)),
  );
}

/** A tile of grey noise, which is laid over photos. @param {number} sigma */
const makeNoise = (sigma) =>
  sharp({
    create: {
      width: 1024,
      height: 1024,
      channels: 3,
      background: '#808080',
      noise: { type: 'gaussian', mean: 128, sigma },
    },
  })
    .png({ compressionLevel: 0 })
    .toBuffer();

/**
 * @param {string} source
 * @param {number} number of the photo: chooses its region of the source, so that no two are the same
 * @param {{size: number[], noise: Buffer, quality: number}} how
 */
async function makePhoto(source, number, { size: [width, height], noise, quality }) {
  const whole = sharp(source).rotate().removeAlpha().toColourspace('srgb');
  const { data, info } = await whole.png({ compressionLevel: 0 }).toBuffer({ resolveWithObject: true });
  const share = 0.7 + 0.3 * ((number * 0.618) % 1);
  const part = { width: Math.floor(info.width * share), height: Math.floor(info.height * share) };
  const left = Math.floor((info.width - part.width) * ((number * 0.414) % 1));
  const top = Math.floor((info.height - part.height) * ((number * 0.732) % 1));
  return sharp(data)
    .extract({ left, top, ...part })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .composite([{ input: noise, tile: true, blend: 'hard-light' }])
    .jpeg({ quality })
    .toBuffer();
}

// ---- detections

/** @typedef {import('../wasm/vision/types.js').Detection} Detection */

/** @param {Detection['box']} a @param {Detection['box']} b */
function overlap(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (a.width * a.height + b.width * b.height - width * height);
}

/**
 * Compares two lists of detections, which reach below the threshold: what is above it in one is looked for in the other.
 * @param {Detection[]} found
 * @param {Detection[]} expected
 */
function compare(found, expected) {
  const pairs = [
    ...expected
      .filter(({ score }) => score > THRESHOLD)
      .map((wanted) => /** @type {const} */ ([wanted, found])),
    ...found
      .filter(({ score }) => score > THRESHOLD)
      .map((wanted) => /** @type {const} */ ([wanted, expected])),
  ];
  return pairs.map(([wanted, others]) => {
    const same = others.filter(
      ({ label, box }) => label === wanted.label && overlap(box, wanted.box) > SAME_IOU,
    );
    const score = Math.max(0, ...same.map((other) => other.score));
    return { difference: Math.abs(score - wanted.score), isLost: score <= THRESHOLD };
  });
}

async function compareScales() {
  const sources = findSources();
  const noises = await Promise.all([4, 8, 16].map(makeNoise));
  const detector = await ObjectDetector.create({ scoreThreshold: 0.05, maxPixels: 1e8 });
  const { width, height } = { width: 300, height: 300 };
  /** @type {Record<'full, scaled' | 'full, reduced' | 'scaled, reduced', ReturnType<typeof compare>>} */
  const differences = { 'full, scaled': [], 'full, reduced': [], 'scaled, reduced': [] };
  const count = Number(values.count);
  for (let i = 0; i < count; i++) {
    const size = SIZES[i % SIZES.length];
    const photo = await makePhoto(sources[i % sources.length], i, {
      size,
      noise: noises[i % 3],
      quality: 80 + (i % 4) * 5,
    });
    const reduced = await sharp(photo)
      .resize(width, height, { fit: 'fill', kernel: 'lanczos3', fastShrinkOnLoad: false })
      .raw()
      .toBuffer();
    const full = (await detector.detect(photo, { decode: 'full' })).detections;
    const scaled = (await detector.detect(photo, { decode: 'scaled' })).detections;
    const { detections } = await detector.detect({ data: reduced, width, height });
    const [across, down] = [size[0] / width, size[1] / height];
    const enlarged = detections.map(({ box, ...rest }) => ({
      ...rest,
      box: { x: box.x * across, y: box.y * down, width: box.width * across, height: box.height * down },
    }));
    differences['full, scaled'].push(...compare(scaled, full));
    differences['full, reduced'].push(...compare(full, enlarged));
    differences['scaled, reduced'].push(...compare(scaled, enlarged));
    if ((i + 1) % 25 === 0 || i + 1 === count) report(differences, i + 1);
  }
  detector.close();
}

/** @param {Record<string, ReturnType<typeof compare>>} differences @param {number} count */
function report(differences, count) {
  console.log(
    `\n${count} photos\n\n| compared | detections | score differs by (mean) | median | below ${THRESHOLD} in the other |`,
  );
  console.log('| --- | --- | --- | --- | --- |');
  for (const [name, list] of Object.entries(differences)) {
    const all = list.map(({ difference }) => difference);
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    const lost = list.filter(({ isLost }) => isLost).length;
    console.log(`| ${name} | ${all.length} | ${mean.toFixed(4)} | ${median(all).toFixed(4)} | ${lost} |`);
  }
}

// ---- times

/** CPU time of a call, in ms. @param {() => unknown} call */
async function cpuTime(call) {
  const start = process.cpuUsage();
  await call();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** @param {'full' | 'scaled'} decode */
const viewOf = (decode) => ({ turns: 0, reading: resolveReading({ decode, maxPixels: 1e8 }) });

/** @param {Buffer} photo @param {'full' | 'scaled'} decode */
async function memoryBeside(photo, decode) {
  const { engine, target } = await open();
  readView(engine, target, photo, viewOf(decode), 0);
  const { totalBytes } = engine.memoryUse;
  engine.close();
  return totalBytes - photo.length;
}

async function open() {
  const { engine } = await loadModel(undefined, 1);
  const input = /** @type {const} */ ({ scale: 1 / 127.5, offset: -1, resize: 'legacy' });
  return { engine, target: { input, inputSize: { width: 300, height: 300 } } };
}

async function measureTimes() {
  sharp.concurrency(1);
  sharp.cache(false);
  const [source] = findSources();
  const noise = await makeNoise(40);
  const small = await sharp(source).resize(300, 300, { fit: 'fill' }).jpeg().toBuffer();
  console.log('| photo | full | sharp whole | ratio | scaled | sharp 300x300 | ratio | memory (MiB more) |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const [size, quality] of /** @type {[number[], number][]} */ ([
    [[4000, 3000], 60],
    [[4000, 3000], 85],
    [[8000, 6000], 60],
  ])) {
    const photo = await makePhoto(source, 1, { size, noise, quality });
    const { engine, target } = await open();
    const calls = {
      full: () => readView(engine, target, photo, viewOf('full'), 0),
      whole: () => sharp(photo).raw().toBuffer(),
      scaled: () => readView(engine, target, photo, viewOf('scaled'), 0),
      reduced: () => sharp(photo).resize(300, 300, { fit: 'fill' }).raw().toBuffer(),
    };
    /** @type {Record<string, number[]>} */
    const times = { full: [], whole: [], scaled: [], reduced: [] };
    for (let round = 0; round < 12; round++)
      for (const [name, call] of Object.entries(calls)) times[name].push(await cpuTime(call));
    engine.close();
    const least = Object.fromEntries(Object.entries(times).map(([name, list]) => [name, min(list)]));
    const growth = (await memoryBeside(photo, 'full')) - (await memoryBeside(small, 'full'));
    console.log(
      `| ${size.join(' x ')}, ${(photo.length / 1e6).toFixed(1)} MB | ${least.full.toFixed(0)} ms | ${least.whole.toFixed(0)} ms | ` +
        `${(least.full / least.whole).toFixed(2)} | ${least.scaled.toFixed(0)} ms | ${least.reduced.toFixed(0)} ms | ` +
        `${(least.scaled / least.reduced).toFixed(2)} | ${(growth / 2 ** 20).toFixed(2)} |`,
    );
  }
}

await (values.times ? measureTimes() : compareScales());
