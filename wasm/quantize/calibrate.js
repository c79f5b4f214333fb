// Images -> what every feature map of a network holds.
import { Histogram } from './histogram.js';
import { featureMaps, Runner } from './runner.js';

/** @typedef {import('./file.js').Model} Model */

/**
 * @param {Model} model float
 * @param {AsyncIterable<Float32Array> | Iterable<Float32Array>} inputs
 * @param {object} options
 * @param {number} options.maxKept of the inputs, so many are kept
 * @param {(numImages: number) => void} options.onImage
 */
export async function calibrate(model, inputs, { maxKept, onImage }) {
  const maps = featureMaps(model);
  const seen = new Map(maps.map((tensor) => [tensor, new Histogram()]));
  const runner = await Runner.create(model, maps);
  /** @type {Float32Array[]} */
  const kept = [];
  let numImages = 0;
  try {
    for await (const input of inputs) {
      if (kept.length < maxKept) kept.push(input);
      for (const { tensor, values } of runner.run(input))
        /** @type {Histogram} */ (seen.get(tensor)).add(values);
      onImage(++numImages);
    }
  } finally {
    runner.close();
  }
  return { seen, kept, numImages };
}
