// Which part of an image the network sees, and writing it to the network's input: `fit` makes the part as wide and high as
// the input is, and grey inputs take the luminance.
import { DETECTION_COLUMNS } from '../engine/heads.js';
import { OcelliError } from '../shared/errors.js';
import { decodeOnHost } from './input.js';
import { resizeFloatImage, soleFloatImage } from './float_image.js';

/**
 * @typedef {import('../engine/engine.js').Engine} Engine
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 * @typedef {import('../engine/engine.js').Roi} Roi
 * @typedef {import('../engine/host.js').Size} Size
 * @typedef {import('../engine/image.js').Reading} Reading
 * @typedef {import('./types.js').FloatImages} FloatImages
 *
 * @typedef {object} Target The network's input.
 * @property {InputSpec} input
 * @property {Size} inputSize
 * @property {number} [channels] 1 or 3
 *
 * @typedef {object} View What the network sees of an image.
 * @property {Roi} [roi]
 * @property {number} turns
 * @property {Reading} reading
 */

export const FITS = /** @type {const} */ (['stretch', 'crop', 'contain']);

/** Of R, G and B, by ITU-R BT.601, as TensorFlow and Pillow use them. */
const LUMINANCE = [0.299, 0.587, 0.114];

/** Of EXIF, by quarter turns clockwise. */
const ORIENTATIONS = [1, 6, 3, 8];

/** Whether the engine can read, scale and write the image without a copy in JavaScript. @param {Target} target */
export function isPlain({ input, channels = 3 }) {
  return channels === 3 && (input.fit ?? 'stretch') === 'stretch';
}

/**
 * The region of the upright image that is to be seen.
 * @param {Roi | undefined} roi
 * @param {Size} size of the image
 * @returns {Roi}
 */
const wantedRegion = (roi, { width, height }) => roi ?? { x: 0, y: 0, width, height };

/**
 * The region of the upright image that becomes the network's input. With 'contain' it reaches beyond the one that is to be
 * seen: the rest is black.
 * @param {Target} target
 * @param {Roi | undefined} roi
 * @param {Size} size of the image
 * @param {number} turns
 * @returns {Roi}
 */
export function seenRegion({ input, inputSize }, roi, size, turns) {
  const region = wantedRegion(roi, size);
  const { fit = 'stretch' } = input;
  if (fit === 'stretch' || region.width === 0 || region.height === 0) return region;
  const ratio = turns % 2 ? inputSize.height / inputSize.width : inputSize.width / inputSize.height;
  const choose = fit === 'crop' ? Math.min : Math.max;
  const width = choose(region.width, Math.max(Math.round(region.height * ratio), 1));
  const height = choose(region.height, Math.max(Math.round(region.width / ratio), 1));
  const x = region.x + Math.floor((region.width - width) / 2);
  const y = region.y + Math.floor((region.height - height) / 2);
  return { x, y, width, height };
}

/**
 * Decodes an image file and writes it to the network's input.
 * @param {Engine} engine
 * @param {Target} target
 * @param {Uint8Array} file
 * @param {View} view
 * @param {number} batchIndex
 */
export function readView(engine, target, file, view, batchIndex) {
  const { image } = engine;
  const { roi, turns, reading } = view;
  if (isPlain(target)) return image.readFile(file, reading, target.input, roi, turns, batchIndex);
  const facts = image.decode(file, reading);
  writeView(engine, target, view, batchIndex);
  return facts;
}

/**
 * Like readView(), and lets the host decode a file that the module cannot.
 * @param {Engine} engine
 * @param {Target} target
 * @param {Uint8Array} file
 * @param {View} view
 */
export async function readAnyView(engine, target, file, view) {
  try {
    readView(engine, target, file, view, 0);
  } catch (error) {
    engine.image.setPixels(await decodeOnHost(error, file, view.reading.maxPixels));
    writeView(engine, target, view, 0);
  }
}

/**
 * Writes the engine's current image to the network's input.
 * @param {Engine} engine
 * @param {Target} target
 * @param {View} view
 * @param {number} batchIndex
 */
export function writeView(engine, target, { roi, turns, reading: { background } }, batchIndex) {
  const { input, channels = 3 } = target;
  if (isPlain(target)) return engine.image.preprocess(input, roi, turns, batchIndex, background);
  const size = engine.image.size;
  checkRoi(roi, size);
  const region = seenRegion(target, roi, size, turns);
  if (channels === 3 && input.fit === 'crop')
    return engine.image.preprocess(input, region, turns, batchIndex, background);
  const whole = engine.image.read(background);
  const seen = cut(whole.data, size.width, region, wantedRegion(roi, size), Uint8Array);
  const { width, height } = region;
  const pixels = { data: seen, width, height, channels: /** @type {const} */ (3), stride: width * 3 };
  if (channels === 3) {
    engine.image.setPixels(pixels);
    return engine.image.preprocess(input, undefined, turns, batchIndex);
  }
  engine.image.setPixels({ ...pixels, orientation: ORIENTATIONS[turns] });
  const turned = engine.image.read();
  const data = Float32Array.from(turned.data, (value) => value / 255);
  const image = { data, shape: [turned.height, turned.width, 3] };
  return engine.writeImage(luminance(resizeFloatImage(image, target.inputSize, input).numbers), batchIndex);
}

/**
 * Resizes one float image, as writeView() does images of bytes.
 * @param {FloatImages} images
 * @param {Target} target
 */
export function resizeFloatView(images, target) {
  const { data, width, height } = soleFloatImage(images);
  const whole = wantedRegion(undefined, { width, height });
  const region = seenRegion(target, whole, whole, 0);
  const seen = region === whole ? data : cut(data, width, region, whole, Float32Array);
  const image = { data: seen, shape: [region.height, region.width, 3] };
  const { numbers } = resizeFloatImage(image, target.inputSize, target.input);
  return { numbers: target.channels === 1 ? luminance(numbers) : numbers, width, height };
}

/** @param {Roi | undefined} roi in whole pixels from 0 @param {Size} size */
function checkRoi(roi, { width, height }) {
  if (!roi) return;
  const isInside =
    roi.width > 0 && roi.height > 0 && roi.x + roi.width <= width && roi.y + roi.height <= height;
  if (!isInside)
    throw new OcelliError(
      'INVALID_ROI',
      `the region is not inside the image: x ${roi.x}, y ${roi.y}, ${roi.width}x${roi.height} in an image of ${width}x${height}`,
    );
}

/**
 * What two regions share.
 * @param {Roi} a
 * @param {Roi} b
 * @returns {Roi} with sides of 0 or less if that is nothing
 */
function overlap(a, b) {
  const [x, y] = [Math.max(a.x, b.x), Math.max(a.y, b.y)];
  const width = Math.min(a.x + a.width, b.x + b.width) - x;
  return { x, y, width, height: Math.min(a.y + a.height, b.y + b.height) - y };
}

/**
 * Cuts boxes to what is to be seen, and leaves out those beside it. Only 'contain' shows the network more.
 * @param {Target} target
 * @param {Roi | undefined} roi
 * @param {Size} size of the image
 * @param {Float32Array} rows as Heads.detect returns them; changed in place
 * @returns {number[] | undefined} the rows to keep; undefined: all
 */
export function cutBoxes({ input }, roi, size, rows) {
  if (input.fit !== 'contain') return undefined;
  const kept = [];
  for (let i = 0; i < rows.length; i += DETECTION_COLUMNS) {
    const [x, y, width, height] = rows.subarray(i);
    const box = overlap({ x, y, width, height }, wantedRegion(roi, size));
    rows.set([box.x, box.y, box.width, box.height], i);
    if (box.width > 0 && box.height > 0) kept.push(i / DETECTION_COLUMNS);
  }
  return kept;
}

/**
 * A region of an RGB image; black outside of what is to be seen.
 * @template {Uint8Array | Float32Array} T
 * @param {T} data
 * @param {number} width of the image
 * @param {Roi} region
 * @param {Roi} wanted
 * @param {{new (length: number): T}} Numbers
 */
function cut(data, width, region, wanted, Numbers) {
  const result = new Numbers(region.width * region.height * 3);
  const shown = overlap(region, wanted);
  for (let y = shown.y; y < shown.y + shown.height; y++) {
    const start = (y * width + shown.x) * 3;
    const row = data.subarray(start, start + shown.width * 3);
    result.set(row, ((y - region.y) * region.width + shown.x - region.x) * 3);
  }
  return result;
}

/** @param {Float32Array} rgb values with the same scale and offset in every channel */
function luminance(rgb) {
  const [r, g, b] = LUMINANCE;
  return Float32Array.from(
    { length: rgb.length / 3 },
    (_, i) => r * rgb[3 * i] + g * rgb[3 * i + 1] + b * rgb[3 * i + 2],
  );
}
