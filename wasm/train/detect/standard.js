// Joined maps are standardized for the training: each channel by its mean and deviation over views of the photos, and
// all channels of a map so that its pixels have the same length as those of other maps: one rate fits all. Heads learn from a few
// photos so in a third of the steps. The exported weights are those for the maps as they are.
import { sizeOf } from '../../shared/numbers.js';
import { halfToNumber, numberToHalf } from '../../tflite/tensor.js';

/**
 * @typedef {import('../../tflite/network.js').Value} Value
 * @typedef {import('./model.js').DetectorFile} DetectorFile
 *
 * @typedef {{mean: Float32Array, inverse: Float32Array}} Standard for each channel of each map, one after the other: a value
 *   becomes (value - mean) * inverse
 */

/** Added to each standard deviation, as a share of their mean: channels that hardly vary are not blown up. */
const FLOOR = 0.05;
/** Of a pixel's standardized features, as a vector, about. */
const LENGTH = 24;
/** So many views are measured: all of a few photos, since one photo alone says little about what channels are elsewhere. */
const MEASURED = { views: 100, least: 3 /* of a photo */ };

/** Means and standard deviations of joined maps. */
class Statistics {
  #maps;
  #sums;
  #squares;
  #rows = 0;

  /** @param {readonly Value[]} maps of a row, one after the other @param {ReadonlySet<Value>} fused */
  constructor(maps, fused) {
    this.#maps = layOut(maps, fused);
    const channels = maps.reduce((sum, { shape }) => sum + shape[3], 0);
    this.#sums = new Float64Array(channels);
    this.#squares = new Float64Array(channels);
  }

  /** @param {Uint16Array} row */
  add(row) {
    this.#rows++;
    for (const { first, end, channels, channel } of this.#maps) {
      for (let i = first; i < end; i++) {
        const value = halfToNumber(row[i]);
        const at = channel + ((i - first) % channels);
        this.#sums[at] += value;
        this.#squares[at] += value * value;
      }
    }
  }

  /** Maps that are not joined stay as they are. @returns {Standard} */
  finish() {
    const mean = new Float32Array(this.#sums.length);
    const inverse = new Float32Array(this.#sums.length).fill(1);
    for (const { first, end, channels, channel } of this.#maps) {
      const count = (this.#rows * (end - first)) / channels;
      const deviations = Array.from({ length: channels }, (_, c) => {
        mean[channel + c] = this.#sums[channel + c] / count;
        return Math.sqrt(Math.max(this.#squares[channel + c] / count - mean[channel + c] ** 2, 0));
      });
      const floor = (FLOOR * deviations.reduce((a, b) => a + b, 0)) / channels;
      deviations.forEach((deviation, c) => {
        if (floor > 0) inverse[channel + c] = LENGTH / Math.sqrt(channels) / (deviation + floor);
      });
    }
    return { mean, inverse };
  }
}

/**
 * Where the joined maps are in a row, and their channels in a standard.
 * @param {readonly Value[]} maps
 * @param {ReadonlySet<Value>} fused
 */
function layOut(maps, fused) {
  let [first, channel] = [0, 0];
  const all = maps.map((map) => {
    const channels = map.shape[3];
    const part = { map, first, end: first + sizeOf(map.shape.slice(1)), channels, channel };
    [first, channel] = [part.end, channel + channels];
    return part;
  });
  return all.filter(({ map }) => fused.has(map));
}

/**
 * @param {DetectorFile} file
 * @param {Uint32Array} train rows: the views of the photos, one after the other
 * @param {number} views of a photo
 * @param {import('./rows.js').RowOf} rowOf
 * @param {AbortSignal} [signal]
 */
export async function measureStandard({ unfrozen, fused }, train, views, rowOf, signal) {
  const statistics = new Statistics(unfrozen.inputs, fused);
  const measured = Math.max(Math.ceil((MEASURED.views * views) / train.length), MEASURED.least);
  for (const index of train.filter((row) => row % views < measured)) {
    signal?.throwIfAborted();
    statistics.add((await rowOf(index, 0)).maps);
  }
  return statistics.finish();
}

/**
 * @param {DetectorFile} file
 * @param {Standard} standard
 * @returns {(row: Uint16Array) => void} changes a row in place
 */
export function standardizer({ unfrozen, fused }, { mean, inverse }) {
  const maps = layOut(unfrozen.inputs, fused);
  return (row) => {
    for (const { first, end, channels, channel } of maps) {
      for (let i = first; i < end; i++) {
        const at = channel + ((i - first) % channels);
        row[i] = numberToHalf((halfToNumber(row[i]) - mean[at]) * inverse[at]);
      }
    }
  };
}

/**
 * The weights of a layer for a joined map as it is, from those for the standardized one.
 * @param {{kernel: Float32Array, bias: Float32Array}} trained
 * @param {Value} map
 * @param {readonly Value[]} maps
 * @param {Standard} standard
 */
export function foldStandard({ kernel, bias }, map, maps, { mean, inverse }) {
  const [{ channel }] = layOut(maps, new Set([map]));
  const columns = bias.length;
  const sums = Float64Array.from(bias);
  const folded = kernel.map((weight, i) => {
    const at = channel + Math.floor(i / columns);
    const value = weight * inverse[at];
    sums[i % columns] -= value * mean[at];
    return value;
  });
  return { kernel: folded, bias: Float32Array.from(sums) };
}
