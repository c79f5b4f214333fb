// Preprocesses images to the float input of a network, with the engine's own image code.
import { decodeOnHost, toPixels } from '../vision/input.js';
import { readView, writeView } from '../vision/view.js';
import { writeFile } from './file.js';
import { openEngine } from './runner.js';

/** @typedef {import('../vision/input.js').ImageInput} ImageInput */

/** A network whose output is its input. @param {import('./file.js').Tensor} input */
function identityNetwork(input) {
  return writeFile({
    description: '',
    tensors: [input],
    operators: [],
    inputs: [0],
    outputs: [0],
    signatures: [],
    metadata: [],
  });
}

/**
 * @param {import('./file.js').Tensor} tensor the network's input
 * @param {import('../engine/engine.js').InputSpec} spec
 * @param {import('../engine/image.js').Reading} reading
 */
export async function openPreprocessor(tensor, spec, reading) {
  const { engine } = await openEngine(identityNetwork(tensor));
  const [, height, width, channels] = engine.inputs[0].shape;
  const target = { input: spec, inputSize: { width, height }, channels };
  const view = { turns: 0, reading };
  /** @param {import('../vision/input.js').Pixels} pixels */
  const preprocess = (pixels) => {
    engine.image.setPixels(pixels);
    pixels.release?.();
    writeView(engine, target, view, 0);
  };
  return {
    /** @param {ImageInput} image @returns {Promise<Float32Array>} [1, height, width, 3] */
    async prepare(image) {
      const source = await toPixels(image, { maxPixels: reading.maxPixels });
      if (source instanceof Uint8Array) {
        try {
          readView(engine, target, source, view, 0);
        } catch (error) {
          preprocess(await decodeOnHost(error, source, reading.maxPixels));
        }
      } else {
        preprocess(source);
      }
      engine.run();
      return /** @type {Float32Array} */ (engine.readOutput(0).data);
    },
    close: () => engine.close(),
  };
}
