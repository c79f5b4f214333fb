// ocelli detect: image files -> a table or a line of JSON for each, and the photos with the objects drawn on them.
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { drawDetections } from '../../wasm/draw/draw.js';
import { decodeImage, ObjectDetector } from '../../wasm/platform/node.js';
import { encodePng } from '../../wasm/draw/png.js';
import { format } from '../../wasm/report/metrics.js';
import {
  attempt,
  bold,
  dim,
  layOut,
  plural,
  print,
  printable,
  readBytes,
  readNumber,
  roundMs,
  UsageError,
} from '../common.js';
import { checkFiles, openModel, readClasses, readLoading } from '../options.js';

/**
 * @typedef {import('../usage.js').Values<'detect'>} Values
 * @typedef {import('../../wasm/vision/types.js').Detection} Detection
 * @typedef {import('../../wasm/vision/types.js').RunInfo} RunInfo
 */

/**
 * @param {Values} values
 * @param {string[]} images
 */
export async function run(values, images) {
  checkFiles(images, values.model);
  const thresholds = readThresholds(values);
  const classes = { allow: readClasses('classes', values.classes), deny: readClasses('deny', values.deny) };
  const loading = await readLoading(values);
  const pictures = values.out === undefined ? [] : await planPictures(values.out, images);
  const detector =
    loading &&
    pictures &&
    (await openModel(ObjectDetector, values.model, { ...loading, classes, ...thresholds }));
  if (!detector) return;
  try {
    for (const [i, image] of images.entries()) {
      await detectIn(detector, image, pictures[i], {
        json: values.json ?? false,
        score: thresholds.scoreThreshold,
      });
    }
    if (values.report) await tellEnergy(detector, values.json ?? false);
  } finally {
    detector.close();
  }
}

/**
 * @param {ObjectDetector} detector
 * @param {boolean} json
 */
async function tellEnergy(detector, json) {
  const { figures } = await detector.report();
  if (json) return print(JSON.stringify({ energy: figures }));
  const rows = figures.map(({ name, value, unit, kind, basis }) => [
    name,
    `${format(value)} ${unit}`,
    `${kind}: ${basis}`,
  ]);
  print([bold('Energy'), ...layOut(rows, 'lll')].join('\n'));
}

/**
 * One image: tells what is in it, and writes the picture if one is asked for.
 * @param {ObjectDetector} detector
 * @param {string} image
 * @param {string | undefined} picture
 * @param {{json: boolean, score: number}} shown
 */
async function detectIn(detector, image, picture, { json, score }) {
  const result = await attempt(image, async () => {
    const bytes = await readBytes(image);
    return { bytes, detections: await detector.detect(bytes), info: detector.lastRun };
  });
  if (!result) return;
  const { bytes, detections, info } = result;
  print(json ? toJson(image, detections, info, detector.precision) : toText(image, detections, info, score));
  if (picture === undefined) return;
  const written = await attempt(picture, async () => {
    await writeFile(picture, await drawPicture(bytes, detections));
    return true;
  });
  if (written && !json) print(dim(`  drawn in ${picture}`));
}

/**
 * @param {Uint8Array} bytes
 * @param {Detection[]} detections
 * @returns {Promise<Uint8Array>} a PNG file
 */
async function drawPicture(bytes, detections) {
  const pixels = await decodeImage(bytes);
  drawDetections(pixels, detections);
  return encodePng(pixels);
}

// ---- results ----

/**
 * @param {string} file
 * @param {Detection[]} detections
 * @param {RunInfo} info
 * @param {string} precision
 */
function toJson(file, detections, { width, height, ms }, precision) {
  const rounded = Object.fromEntries(Object.entries(ms).map(([stage, time]) => [stage, roundMs(time)]));
  return JSON.stringify({ file, width, height, detections, precision, ms: rounded });
}

/**
 * @param {string} file
 * @param {Detection[]} detections
 * @param {RunInfo} info
 * @param {number} score
 */
function toText(file, detections, { width, height, ms }, score) {
  const total = ms.decode + ms.preprocess + ms.network + ms.postprocess;
  const found =
    detections.length > 0 ? plural(detections.length, 'object') : `nothing above ${formatScore(score)}`;
  const facts = dim(`${width} x ${height} px, ${found}, ${total.toFixed(0)} ms`);
  return [`${bold(file)}  ${facts}`, ...(detections.length > 0 ? tableLines(detections) : [])].join('\n');
}

/** @param {Detection[]} detections */
function tableLines(detections) {
  const rows = detections.map(({ label, score, box }) => [
    printable(label),
    formatScore(score),
    ...[box.x, box.y, box.width, box.height].map((size) => size.toFixed(0)),
  ]);
  const [head, ...lines] = layOut([['label', 'score', 'x', 'y', 'width', 'height'], ...rows], 'lrrrrr');
  return [dim(head), ...lines];
}

/** @param {number} score */
function formatScore(score) {
  return `${(100 * score).toFixed(1)} %`;
}

// ---- options ----

/** @param {Values} values */
function readThresholds({ score, iou, max }) {
  const maxResults = readNumber('max', max, { min: 1, max: 100000, integer: true }) ?? 100;
  return {
    scoreThreshold: readNumber('score', score, { min: 0, max: 1 }) ?? 0.5,
    iouThreshold: readNumber('iou', iou, { min: 0, max: 1 }) ?? 0.6,
    maxResults,
    maxPerClass: maxResults,
  };
}

// ---- where pictures go ----

/**
 * The file to write for each image.
 * @param {string} out a name ending in .png is a file, any other a directory, which is made if it is not there
 * @param {string[]} images
 * @returns {Promise<string[] | undefined>} undefined if there can be no such directory
 */
async function planPictures(out, images) {
  const inputs = new Set(await Promise.all(images.map(identify)));
  inputs.delete(undefined);
  if (/\.png$/i.test(out) && !(await isDirectory(out))) {
    if (images.length > 1)
      throw new UsageError(`--out ${out} is one file for ${images.length} images; name a directory`);
    if (inputs.has(await identify(out))) throw new UsageError(`--out ${out} would overwrite the image`);
    return [out];
  }
  return attempt(out, async () => {
    await mkdir(out, { recursive: true });
    return nameInDirectory(out, images, inputs);
  });
}

/**
 * DIR/NAME.png; DIR/NAME-2.png and so on where that is taken by another image, or is itself one that is read.
 * @param {string} directory
 * @param {string[]} images
 * @param {Set<string | undefined>} inputs
 */
async function nameInDirectory(directory, images, inputs) {
  /** @type {Set<string>} */
  const taken = new Set();
  const pictures = [];
  for (const image of images) {
    const name = image === '-' ? 'stdin' : parse(image).name;
    let picture = join(directory, `${name}.png`);
    for (let i = 2; taken.has(picture.toLowerCase()) || inputs.has(await identify(picture)); i++) {
      picture = join(directory, `${name}-${i}.png`);
    }
    taken.add(picture.toLowerCase());
    pictures.push(picture);
  }
  return pictures;
}

/**
 * The same for all names of a file, links too.
 * @param {string} file
 * @returns {Promise<string | undefined>} undefined if there is none
 */
async function identify(file) {
  const found = await stat(file, { bigint: true }).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}

/** @param {string} path */
async function isDirectory(path) {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
