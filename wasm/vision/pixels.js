// Pixels that a user hands over -> their layout, or words that say what is wrong with them.
import { failure, OcelliError } from '../shared/errors.js';
import { tagOf } from '../shared/platform.js';
import { describeRefused, nameOf } from './refuse.js';

const MAX_SIDE = 65535;
const MAX_STRIDE = 2 ** 31 - 1;

/**
 * @param {any} image
 * @param {Uint8Array<ArrayBuffer> | undefined} data its bytes; undefined: it has none
 * @returns {import('./input.js').Pixels}
 */
export function checkPixels(image, data) {
  if (!data)
    throw failure(
      'INVALID_INPUT',
      ArrayBuffer.isView(image?.data) ? describeData(image.data) : describeRefused(image),
    );
  const { width, height } = image;
  if (width === undefined || height === undefined)
    throw failure('INVALID_INPUT', `width and height are missing; ${describeSize(image)}`);
  for (const side of [width, height]) checkSide(side, width, height);
  const channels = image.channels ?? Math.floor(data.length / (width * height));
  const stride = image.stride ?? width * channels;
  if (![1, 3, 4].includes(channels) || !Number.isInteger(stride) || stride < 0 || stride > MAX_STRIDE)
    throw new OcelliError(
      'INVALID_PIXELS',
      `${data.length} bytes do not fit ${width} x ${height} pixels of 1, 3 or 4 channels`,
    );
  return { data, width, height, channels, stride };
}

/** @param {unknown} side @param {unknown} width @param {unknown} height */
function checkSide(side, width, height) {
  if (typeof side !== 'number')
    throw failure('INVALID_INPUT', `width and height must be numbers, but one is ${nameOf(side)}`);
  if (Number.isInteger(side) && side >= 1 && side <= MAX_SIDE) return;
  throw failure(
    'INVALID_INPUT',
    `width and height must be from 1 to ${MAX_SIDE}, but are ${width} and ${height}`,
  );
}

/** @param {ArrayBufferView} data of another type than bytes */
function describeData(data) {
  const isFloat = /^Float/.test(tagOf(data) ?? '');
  return `its data is ${nameOf(data)}; pass a Uint8Array with values from 0 to 255${
    isFloat ? ', or {data: Float32Array, shape: [height, width, 3]}' : ''
  }`;
}

/** @param {any} image */
function describeSize({ info, shape }) {
  if (info?.width !== undefined)
    return "of sharp's {data, info} pass {data, width: info.width, height: info.height, channels: info.channels}";
  if (Array.isArray(shape) && shape.length === 3)
    return `pass {data, width: ${Number(shape[1])}, height: ${Number(shape[0])}}`;
  return 'pass {data, width, height}';
}
