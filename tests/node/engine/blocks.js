// Blocks of three convolutions whose first feature map has a mebibyte or more, so that they run band by band.
import { complete, outputSize } from './convolution.js';

/** @typedef {import('./convolution.js').Convolution} Convolution */
/** @typedef {Omit<Convolution, 'size' | 'channels'>} Layer */

/** Of so many channels that its feature map of 8 bits has a mebibyte or more, too. */
const EXPAND = { outputs: 64, kernel: /** @type {[number, number]} */ ([1, 1]) };
const PROJECT = {
  outputs: 11,
  kernel: /** @type {[number, number]} */ ([1, 1]),
  activation: /** @type {const} */ ('NONE'),
};

/** @type {{size: [number, number], channels?: number, layers: [Layer, Layer, Layer]}[]} */
export const BLOCKS = [
  // Heights that a band divides, and that it does not; strides; odd and even padding.
  ...[128, 129, 131].flatMap((height) =>
    [1, 2, 3].map((stride) => ({ size: [height, 132], layers: [EXPAND, { stride }, PROJECT] })),
  ),
  ...[1, 2].map((stride) => ({ size: [130, 131], layers: [EXPAND, { stride, padding: 'VALID' }, PROJECT] })),
  // Windows of other heights, which reach further or skip rows.
  ...[
    [5, 5],
    [2, 3],
    [1, 3],
  ].flatMap((kernel) =>
    [1, 2].map((stride) => ({ size: [128, 130], layers: [EXPAND, { kernel, stride }, PROJECT] })),
  ),
  { size: [128, 130], layers: [EXPAND, { kernel: [1, 1], stride: 2 }, PROJECT] },
  { size: [128, 130], layers: [EXPAND, { dilation: 3 }, PROJECT] },
  { size: [128, 130], layers: [EXPAND, { outputs: 8 }, PROJECT] },
  // Channels that are no whole panels.
  ...[1, 2].map((stride) => ({
    size: [128, 130],
    layers: [{ ...EXPAND, outputs: 68 }, { stride }, PROJECT],
  })),
  // Rows whose tiles are cut short, and that have hardly a tile.
  ...[1, 2].flatMap((stride) =>
    [7, 9, 133].map((width) => ({
      size: [600, width],
      layers: [{ ...EXPAND, outputs: 72 * Math.ceil(60 / width) }, { stride }, PROJECT],
    })),
  ),
  // Few rows that are long.
  { size: [20, 900], layers: [EXPAND, {}, PROJECT] },
  // A network's first block: the first convolution has a window, too.
  ...[199, 200].map((width) => ({ size: [300, width], layers: [{ outputs: 80, stride: 2 }, {}, PROJECT] })),
  { size: [300, 200], layers: [{ outputs: 80, kernel: [3, 5], padding: 'VALID' }, { stride: 2 }, PROJECT] },
].map((block) => /** @type {(typeof BLOCKS)[number]} */ (block));

/** @param {(typeof BLOCKS)[number]} block @returns {Required<Convolution>[]} */
export function layersOf({ size, channels = 3, layers }) {
  /** @type {Required<Convolution>[]} */
  const found = [];
  for (const layer of layers) {
    const last = found.at(-1);
    const from = last
      ? { size: outputSize(last), channels: last.outputs || last.channels }
      : { size, channels };
    found.push(complete(/** @type {Convolution} */ ({ ...from, ...layer })));
  }
  return found;
}
