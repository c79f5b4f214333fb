// The sound files that are damaged.
import { readdirSync, readFileSync } from 'node:fs';
import { encodePng, makeBmp, makeGif, withExifChunk, withExifSegment } from '../node/image_files.js';
import { readOperatorCase } from '../golden_cases.js';
import { DEFAULT_MODEL, packagePhoto, readJson, testData } from '../node/shared.js';
import { imageRegions, modelRegions } from './regions.js';
import { tinyDetector } from './tiny_models.js';

/** @typedef {import('./mutate.js').Seed} Seed */

/** @param {string} name @param {Uint8Array} file @returns {Seed} */
function image(name, file) {
  const bytes = new Uint8Array(file);
  return { name, bytes, regions: imageRegions(bytes) };
}
/** @param {string} name @param {Uint8Array} file @returns {Seed} */
function model(name, file) {
  const bytes = new Uint8Array(file);
  return { name, bytes, regions: modelRegions(bytes) };
}

/** @param {string} folder of tests/data */
function modelsOf(folder) {
  return readdirSync(testData(folder))
    .filter((name) => name.endsWith('.tflite'))
    .map((name) => model(name, readFileSync(testData(`${folder}/${name}`))));
}

/** The models in packs of operators' families. */
function packedModels() {
  return readdirSync(testData('ops'))
    .filter((name) => name.endsWith('.bin') && !/put\d*\.bin$/.test(name))
    .flatMap((name) => readJson(testData(`ops/${name.replace('.bin', '.json')}`)))
    .map((each) => readOperatorCase(each, testData('ops')))
    .map(({ name, model: file }) => model(name, /** @type {Uint8Array} */ (file)));
}

/** Detectors of every kind: raw heads, with their anchors, with the post-processing operator. */
export const detectorSeeds = () => [
  model('default', readFileSync(DEFAULT_MODEL)),
  ...modelsOf('models').filter(({ name }) => name.startsWith('ssd')),
];

export const tinyDetectorSeed = () => model('tiny', tinyDetector());

/** Networks of few operators each, and small whole ones. */
export const networkSeeds = () => [
  tinyDetectorSeed(),
  ...modelsOf('ops'),
  ...packedModels(),
  ...modelsOf('models'),
];

/** The JPEG files that the native tests have in C. */
function jpegs() {
  const source = readFileSync(new URL('../c/image/image_files.h', import.meta.url), 'utf8');
  return [...source.matchAll(/(k\w+Jpeg)\[\] = \{([^}]*)\}/g)].map(([, name, list]) => ({
    name,
    bytes: Buffer.from(list.split(',').flatMap((text) => (text.trim() ? [Number(text)] : []))),
  }));
}

/** @returns {Seed[]} */
export function imageSeeds() {
  const size = { width: 24, height: 16 };
  const rgb = Uint8Array.from({ length: 24 * 16 * 3 }, (_, i) => (i * 7 + (i >> 4)) & 240);
  const grey16 = Uint16Array.from({ length: 24 * 16 }, (_, i) => i * 150);
  const png = encodePng({ ...size, data: rgb });
  return [
    image('png', png),
    image('png, EXIF', withExifChunk(png, 6)),
    image('png, 16 bits', encodePng({ ...size, data: grey16 }, 1, 16)),
    image('png, alpha', encodePng({ width: 18, height: 16, data: rgb }, 4)),
    image('png, photo', packagePhoto('chelsea.png')),
    image('bmp', makeBmp({ ...size, data: rgb })),
    image('gif', makeGif({ ...size, data: rgb.map((value) => value & 0xc0) })),
    ...jpegs().flatMap(({ name, bytes }) => [
      image(name, bytes),
      image(`${name}, EXIF`, withExifSegment(bytes, 5, true)),
    ]),
  ];
}
