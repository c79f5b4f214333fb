// Calibration: runs a float network on images and collects a histogram of every feature map.
import { Histogram } from './histogram.js';
import { featureMaps, Runner } from './runner.js';

/** @typedef {import('./file.js').Model} Model */

/**
 * @param {Model} model float
 * @param {AsyncIterable<Float32Array> | Iterable<Float32Array>} inputs
 * @param {object} options
 * @param {number} options.maxKept how many of the inputs to return, the first ones
 * @param {(numImages: number) => void} options.onImage
 */
export async function calibrate(model, inputs, { maxKept, onImage }) {
  const maps = featureMaps(model);
  const histograms = new Map(maps.map((tensor) => [tensor, new Histogram()]));
  const runner = await Runner.create(model, maps);
  /** @type {Float32Array[]} */
  const keptInputs = [];
  let numImages = 0;
  try {
    for await (const input of inputs) {
      if (keptInputs.length < maxKept) keptInputs.push(input);
      for (const { tensor, values } of runner.run(input))
        /** @type {Histogram} */ (histograms.get(tensor)).add(values);
      onImage(++numImages);
    }
  } finally {
    runner.close();
  }
  return { histograms, keptInputs, numImages };
}
