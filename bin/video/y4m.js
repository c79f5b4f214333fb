// Uncompressed video (YUV4MPEG2) -> RGB frames, and back. Colours are those of BT.601.
import { failure } from '../../wasm/shared/errors.js';

/**
 * @typedef {import('./reader.js').Reader} Reader
 *
 * @typedef {object} Frame
 * @property {Uint8ClampedArray} data RGB
 * @property {number} width
 * @property {number} height
 * @property {3} channels
 *
 * @typedef {object} Layout of a frame
 * @property {number} width
 * @property {number} height
 * @property {number} across pixels in a row that share a colour; 0: there are none
 * @property {number} down
 * @property {boolean} isFull levels from 0 to 255, not from 16 to 235
 * @property {string} rate frames a second, as a fraction
 */

export const SIGNATURE = 'YUV4MPEG2';
const MAX_LINE = 1024;
/** Pixels in a row, and in a column, that share a colour. @type {Record<string, [number, number]>} */
const SAMPLING = {
  420: [2, 2],
  '420jpeg': [2, 2],
  '420mpeg2': [2, 2],
  '420paldv': [2, 2],
  422: [2, 1],
  444: [1, 1],
  mono: [0, 0],
};

/**
 * @param {Reader} reader
 * @param {number} maxPixels
 * @returns {Promise<Layout>}
 */
export async function readHeader(reader, maxPixels) {
  const [, ...fields] = (await reader.line(MAX_LINE))?.split(' ') ?? [];
  const value = (/** @type {string} */ key) =>
    fields.find((field) => field.startsWith(key))?.slice(key.length);
  const [width, height] = [Number(value('W')), Number(value('H'))];
  if (!(width >= 1 && height >= 1 && Number.isSafeInteger(width) && Number.isSafeInteger(height)))
    throw failure('INVALID_INPUT', 'the .y4m file gives no width and height');
  if (width * height > maxPixels)
    throw failure('INVALID_INPUT', `frames of ${width} x ${height} pixels; the limit is ${maxPixels} pixels`);
  const sampling = value('C') ?? '420';
  if (!Object.hasOwn(SAMPLING, sampling))
    throw failure('INVALID_INPUT', `.y4m frames of the form ${sampling}; those of 8 bits can be read`);
  const [across, down] = SAMPLING[sampling];
  const isFull = fields.includes('XCOLORRANGE=FULL');
  const [rate] = /^[1-9]\d*:[1-9]\d*$/.exec(value('F') ?? '') ?? ['30:1'];
  return { width, height, across, down, isFull, rate: rate.replace(':', '/') };
}

/**
 * @param {Reader} reader
 * @param {Layout} layout
 * @returns {AsyncGenerator<Frame>}
 */
export async function* readFrames(reader, layout) {
  const { width, height, across, down } = layout;
  const colors = across === 0 ? 0 : Math.ceil(width / across) * Math.ceil(height / down);
  const sizeBytes = width * height + 2 * colors;
  for (let number = 1; (await reader.peek(1)).length > 0; number++) {
    const head = await reader.line(MAX_LINE);
    if (!head?.startsWith('FRAME'))
      throw failure('INVALID_INPUT', `frame ${number} does not begin with FRAME`);
    const planes = await reader.take(sizeBytes);
    if (planes.length < sizeBytes) throw failure('INVALID_INPUT', `frame ${number} is cut short`);
    yield { data: toRgb(planes, colors, layout), width, height, channels: 3 };
  }
}

/**
 * @param {Uint8Array} planes
 * @param {number} colors in a plane
 * @param {Layout} layout
 */
function toRgb(planes, colors, { width, height, across, down, isFull }) {
  const rgb = new Uint8ClampedArray(width * height * 3);
  const [black, gain, chroma] = isFull ? [0, 1, 1] : [16, 255 / 219, 255 / 224];
  const columns = Math.ceil(width / (across || 1));
  for (let y = 0, to = 0; y < height; y++) {
    const row = width * height + Math.floor(y / (down || 1)) * columns;
    for (let x = 0; x < width; x++, to += 3) {
      const light = gain * (planes[y * width + x] - black);
      const at = across === 0 ? -1 : row + Math.floor(x / across);
      const blue = at < 0 ? 0 : chroma * (planes[at] - 128);
      const red = at < 0 ? 0 : chroma * (planes[at + colors] - 128);
      rgb[to] = light + 1.402 * red;
      rgb[to + 1] = light - 0.344136 * blue - 0.714136 * red;
      rgb[to + 2] = light + 1.772 * blue;
    }
  }
  return rgb;
}

/**
 * @param {{width: number, height: number}} size
 * @param {string} rate
 */
export const writeHeader = ({ width, height }, rate) =>
  `${SIGNATURE} W${width} H${height} F${rate.replace('/', ':')} Ip A1:1 C444\n`;

/**
 * @param {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} frame RGB
 * @returns {Uint8Array} with its head
 */
export function writeFrame({ data, width, height }) {
  const size = width * height;
  const head = Buffer.from('FRAME\n');
  const planes = new Uint8ClampedArray(3 * size);
  for (let i = 0; i < size; i++) {
    const [red, green, blue] = [data[3 * i], data[3 * i + 1], data[3 * i + 2]];
    const light = 0.299 * red + 0.587 * green + 0.114 * blue;
    planes[i] = 16 + (219 / 255) * light;
    planes[i + size] = 128 + (((224 / 255) * 0.5) / 0.886) * (blue - light);
    planes[i + 2 * size] = 128 + (((224 / 255) * 0.5) / 0.701) * (red - light);
  }
  return Buffer.concat([head, Buffer.from(planes.buffer)]);
}
