// Which part of an image the network sees, and writing it to the network's input: `fit` makes the part as wide and high as
// the input is, and grey inputs take the luminance.
import { OcelliError } from '../shared/errors.js';
import { decodeOnHost } from './input.js';
import { resizeFloatImage, splitFloatImages } from './float_image.js';

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

/** Whether the engine can read, scale and write the image without a copy in JavaScript. @param {Target} target */
export function isPlain({ input, channels = 3 }) {
  return channels === 3 && (input.fit ?? 'stretch') === 'stretch';
}

/**
 * The region of the upright image that becomes the network's input. With 'contain' it may reach outside the image.
 * @param {Target} target
 * @param {Roi | undefined} roi
 * @param {Size} size of the image
 * @param {number} turns
 * @returns {Roi}
 */
export function seenRegion({ input, inputSize }, roi, size, turns) {
  const region = roi ?? { x: 0, y: 0, width: size.width, height: size.height };
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
  const seen = cut(whole.data, size, region, Uint8Array);
  if (channels === 3) {
    const { width, height } = region;
    engine.image.setPixels({ data: seen, width, height, channels: 3, stride: width * 3 });
    return engine.image.preprocess(input, undefined, turns, batchIndex);
  }
  const turned = turn(seen, region, turns);
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
  const [{ data, width, height }] = splitFloatImages(images);
  const region = seenRegion(target, undefined, { width, height }, 0);
  const isWhole = region.width === width && region.height === height;
  const seen = isWhole
    ? images
    : { data: cut(data, { width, height }, region, Float32Array), shape: [region.height, region.width, 3] };
  const { numbers } = resizeFloatImage(seen, target.inputSize, target.input);
  return { numbers: target.channels === 1 ? luminance(numbers) : numbers, width, height };
}

/** @param {Roi | undefined} roi @param {Size} size */
function checkRoi(roi, { width, height }) {
  if (!roi) return;
  const isInside =
    [roi.x, roi.y, roi.width, roi.height].every(Number.isInteger) &&
    roi.x >= 0 &&
    roi.y >= 0 &&
    roi.width > 0 &&
    roi.height > 0 &&
    roi.x + roi.width <= width &&
    roi.y + roi.height <= height;
  if (!isInside)
    throw new OcelliError(
      'INVALID_ROI',
      `the region is not inside the image: x ${roi.x}, y ${roi.y}, ${roi.width}x${roi.height} in an image of ${width}x${height}`,
    );
}

/**
 * A region of an RGB image; black outside.
 * @template {Uint8Array | Float32Array} T
 * @param {T} data
 * @param {Size} size
 * @param {Roi} region
 * @param {{new (length: number): T}} Numbers
 */
function cut(data, { width, height }, region, Numbers) {
  const result = new Numbers(region.width * region.height * 3);
  const left = Math.max(region.x, 0);
  const right = Math.min(region.x + region.width, width);
  for (let y = Math.max(region.y, 0); y < Math.min(region.y + region.height, height); y++) {
    const row = data.subarray((y * width + left) * 3, (y * width + right) * 3);
    result.set(row, ((y - region.y) * region.width + left - region.x) * 3);
  }
  return result;
}

/**
 * Turns an RGB image clockwise.
 * @param {Uint8Array} data
 * @param {Size} size
 * @param {number} turns quarters
 */
function turn(data, { width, height }, turns) {
  const quarters = ((turns % 4) + 4) % 4;
  if (quarters === 0) return { data, width, height };
  const result = new Uint8Array(data.length);
  const isSideways = quarters % 2 === 1;
  const [wide, high] = isSideways ? [height, width] : [width, height];
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [fromX, fromY] =
        quarters === 1
          ? [y, height - 1 - x]
          : quarters === 2
            ? [width - 1 - x, height - 1 - y]
            : [width - 1 - y, x];
      const from = (fromY * width + fromX) * 3;
      result.set(data.subarray(from, from + 3), (y * wide + x) * 3);
    }
  }
  return { data: result, width: wide, height: high };
}

/** @param {Float32Array} rgb values with the same scale and offset in every channel */
function luminance(rgb) {
  const [r, g, b] = LUMINANCE;
  return Float32Array.from(
    { length: rgb.length / 3 },
    (_, i) => r * rgb[3 * i] + g * rgb[3 * i + 1] + b * rgb[3 * i + 2],
  );
}
