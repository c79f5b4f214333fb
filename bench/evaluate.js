// Time and memory of measuring detections: 5000 images, 36 000 objects and 500 000 detections of COCO's shape, from JSON
// files to COCO's figures. With --python FILE, also faster-coco-eval and pycocotools in that Python, in the same run.
//   node bench/evaluate.js [--rounds N] [--python FILE] [--json]
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, print } from './measure.js';

const TARGET_RATIO = 1.5;
const TARGET_MIB = 1024;
const IMAGES = 5000;
const OBJECTS = 36000;
const DETECTIONS = 500000;
const CLASSES = 80;
const MIB = 2 ** 20;

const OUT = fileURLToPath(new URL('../build/bench/evaluate/', import.meta.url));
const FILES = [join(OUT, 'truth.json'), join(OUT, 'detections.json')];
const OURS = fileURLToPath(new URL('judges/ocelli.js', import.meta.url));
const THEIRS = fileURLToPath(new URL('judges/coco.py', import.meta.url));

/** Random numbers from 0 to 1, the same each time. @param {number} state */
function makeRandom(state) {
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Boxes of all sizes; detections near objects, and others; at most 100 in an image. */
function writeData() {
  const random = makeRandom(1);
  const whole = (/** @type {number} */ count) => Math.floor(random() * count);
  const images = Array.from({ length: IMAGES }, (_, i) => ({ id: i + 1, width: 640, height: 480 }));
  const annotations = Array.from({ length: OBJECTS }, (_, i) => {
    const [width, height] = [8 + 300 * random() ** 3, 8 + 300 * random() ** 3];
    return {
      id: i + 1,
      image_id: 1 + whole(IMAGES),
      category_id: 1 + Math.floor(CLASSES * random() ** 2),
      bbox: [random() * (640 - width), random() * (480 - height), width, height],
      area: width * height,
      iscrowd: Number(random() < 0.01),
    };
  });
  const round = (/** @type {number} */ value) => Math.round(100 * value) / 100;
  const detections = Array.from({ length: DETECTIONS }, (_, i) => {
    const near = annotations[whole(OBJECTS)];
    const [x, y, width, height] = near.bbox;
    const isNear = random() < 0.3;
    const off = (/** @type {number} */ size) => (random() - 0.5) * 0.4 * size;
    return {
      image_id: isNear ? near.image_id : 1 + (i % IMAGES),
      category_id: random() < 0.8 ? near.category_id : 1 + whole(CLASSES),
      bbox: isNear
        ? [x + off(width), y + off(height), width + off(width), height + off(height)].map(round)
        : [round(640 * random()), round(480 * random()), round(width), round(height)],
      score: Math.round(1e5 * (isNear ? 0.3 + 0.7 * random() : random() ** 3)) / 1e5,
    };
  });
  const categories = Array.from({ length: CLASSES }, (_, i) => ({ id: i + 1, name: `class ${i + 1}` }));
  mkdirSync(OUT, { recursive: true });
  writeFileSync(FILES[0], JSON.stringify({ images, categories, annotations }));
  writeFileSync(FILES[1], JSON.stringify(detections));
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {{AP: number, seconds: number, mib: number}} processor time and the most memory
 */
function measure(command, args) {
  const { AP, seconds, bytes } = JSON.parse(
    execFileSync(command, [...args, ...FILES], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  return { AP, seconds, mib: bytes / MIB };
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    python: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
writeData();
const { python } = values;
/** @type {[name: string, run: () => ReturnType<typeof measure>][]} */
const judges = [
  ["ocelli, COCO's figures", () => measure(process.execPath, [OURS, 'coco'])],
  ['ocelli, all measures', () => measure(process.execPath, [OURS, 'all'])],
];
if (python !== undefined)
  for (const name of ['faster-coco-eval', 'pycocotools'])
    judges.push([name, () => measure(python, [THEIRS, name])]);
const results = judges.map(([name]) => ({ name, runs: /** @type {ReturnType<typeof measure>[]} */ ([]) }));
for (let round = 0; round < Number(values.rounds); round++)
  for (const [i, [, run]] of judges.entries()) results[i].runs.push(run());

const rows = results.map(({ name, runs }) => ({
  name,
  AP: runs[0].AP,
  seconds: median(runs.map(({ seconds }) => seconds)),
  mib: median(runs.map(({ mib }) => mib)),
}));
const peer = rows.find(({ name }) => name === 'faster-coco-eval');
print(values.json, {
  title: `Measuring ${DETECTIONS} detections of ${OBJECTS} objects in ${IMAGES} images`,
  columns: ['judge', 'AP', 'processor time, s', 'memory, MiB', ...(peer ? ['time / faster-coco-eval'] : [])],
  rows: rows.map(({ name, AP, seconds, mib }) => [
    name,
    AP.toFixed(6),
    seconds.toFixed(1),
    mib.toFixed(0),
    ...(peer ? [(seconds / peer.seconds).toFixed(2)] : []),
  ]),
  notes: [
    `target: memory under ${TARGET_MIB} MiB, time at most ${TARGET_RATIO} times that of faster-coco-eval`,
    ...(peer ? [] : ['--python FILE, a Python with faster-coco-eval and pycocotools, compares with them']),
  ],
  data: { results: rows },
});
