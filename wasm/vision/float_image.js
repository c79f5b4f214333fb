// Float images (RGB in [0, 1], as TensorFlow Hub's modules take them) -> values of the model's input, resized in
// JavaScript.
import { failure } from '../shared/errors.js';

/**
 * @typedef {import('./types.js').FloatImages} FloatImages
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 *
 * @typedef {import('../engine/host.js').Size} Size
 */

/**
 * Splits a batch into single images that share its memory.
 * @param {FloatImages} images
 * @returns {(FloatImages & Size)[]}
 */
export function splitFloatImages({ data, shape, ...others }) {
  if (shape === undefined) throw failure('INVALID_INPUT', `shape is missing; pass ${describeShape(others)}`);
  const isShape = Array.isArray(shape) && shape.every((size) => Number.isInteger(size) && size > 0);
  const [height, width, channels] = isShape ? shape.slice(-3) : [];
  const count = isShape && shape.length === 4 ? shape[0] : 1;
  const length = height * width * 3;
  if (channels !== 3 || shape.length > 4 || data.length !== count * length)
    throw failure(
      'INVALID_INPUT',
      `${data.length} numbers do not fit shape [${shape}], which must be [N, height, width, 3]`,
    );
  return Array.from({ length: count }, (_, i) => ({
    data: data.subarray(i * length, (i + 1) * length),
    shape: [1, height, width, 3],
    width,
    height,
  }));
}

/** @param {{width?: unknown, height?: unknown}} others what the caller gave beside the data */
function describeShape({ width, height }) {
  const sides =
    typeof width === 'number' && typeof height === 'number' ? `${height}, ${width}` : 'height, width';
  return `{data, shape: [${sides}, 3]} with values from 0 to 1`;
}

/**
 * @param {FloatImages} images
 * @returns {FloatImages & Size} the only one
 */
export function soleFloatImage(images) {
  const [image, second] = splitFloatImages(images);
  if (second) throw failure('INVALID_INPUT', 'this call takes one image, but the shape has several');
  return image;
}

/**
 * Resizes one image as TensorFlow's bilinear resize does, and applies the input's scale and offset.
 * @param {FloatImages} images one image
 * @param {Size} size of the model's input
 * @param {InputSpec} input
 * @returns {{numbers: Float32Array} & Size} `numbers` [height, width, 3] as the input tensor stores them; the size is
 *   that of the source image
 */
export function resizeFloatImage(images, size, { scale, offset, resize }) {
  const { data, width, height } = soleFloatImage(images);
  const columns = taps(width, size.width, resize);
  const rows = taps(height, size.height, resize);
  const factor = [0, 1, 2].map((c) => 255 * (Array.isArray(scale) ? scale[c] : scale));
  const addend = [0, 1, 2].map((c) => (Array.isArray(offset) ? offset[c] : offset));
  const values = new Float32Array(size.width * size.height * 3);
  let next = 0;
  for (const { first: y0, second: y1, weight: v } of rows) {
    for (const { first: x0, second: x1, weight: u } of columns) {
      for (let c = 0; c < 3; c++) {
        const at = (/** @type {number} */ y, /** @type {number} */ x) => data[(y * width + x) * 3 + c];
        const top = at(y0, x0) + (at(y0, x1) - at(y0, x0)) * u;
        const bottom = at(y1, x0) + (at(y1, x1) - at(y1, x0)) * u;
        values[next++] = (top + (bottom - top) * v) * factor[c] + addend[c];
      }
    }
  }
  return { numbers: values, width, height };
}

/**
 * The two source pixels, and the weight of the second, that make each target pixel along one axis.
 * @param {number} from source length
 * @param {number} to target length
 * @param {InputSpec['resize']} mode
 */
function taps(from, to, mode) {
  return Array.from({ length: to }, (_, i) => {
    const place = mode === 'legacy' ? (i * from) / to : Math.max(((i + 0.5) * from) / to - 0.5, 0);
    const first = Math.min(Math.floor(place), from - 1);
    return { first, second: Math.min(first + 1, from - 1), weight: place - first };
  });
}
