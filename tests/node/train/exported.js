// A trained classifier's file in our engine and in LiteRT.js.
import assert from 'node:assert/strict';
import { runLiteRt } from '../litert.js';
import { loadEngine, maxDifference } from '../shared.js';

/** Of probabilities. */
export const TOLERANCE = 1e-4;

/**
 * The probabilities that both give for an input.
 * @param {import('../../../wasm/engine/engine.js').Engine} engine with the file in it
 * @param {Uint8Array} file
 * @param {Float32Array} input
 */
export async function runInBoth(engine, file, input) {
  engine.writeInput(0, input);
  engine.run();
  const ours = /** @type {Float32Array} */ (engine.readOutput(0).data);
  const bytes = /** @type {Uint8Array<ArrayBuffer>} */ (file);
  const [theirs] = await runLiteRt(bytes, input, engine.inputs[0].shape);
  return { ours, theirs: theirs.data };
}

/**
 * The exported file gives the learner's probabilities, here and there.
 * @param {import('../../../wasm/train/index.js').TransferLearner} learner
 * @param {readonly import('../../../wasm/engine/engine.js').PixelArray[]} images of the network's own size
 * @param {(image: import('../../../wasm/engine/engine.js').PixelArray) => Float32Array} toInput
 */
export async function checkExport(learner, images, toInput) {
  const file = learner.export();
  const engine = await loadEngine('simd', file);
  for (const image of images) {
    const { ours, theirs } = await runInBoth(engine, file, toInput(image));
    const found = (await learner.predict(image)).sort((a, b) => a.labelId - b.labelId);
    const scores = found.map(({ score }) => score);
    assert.ok(maxDifference(ours, scores) <= TOLERANCE, `${ours} and ${scores}`);
    assert.ok(maxDifference(theirs, scores) <= TOLERANCE, `LiteRT: ${theirs} and ${scores}`);
  }
  engine.close();
}
