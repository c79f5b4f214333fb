// Preprocesses images to the float input of a network, with the engine's own image code.
import { isUnreadable } from '../shared/errors.js';
import { toPixels, toRepeatable } from '../vision/input.js';
import { readAnyView, writeView } from '../vision/view.js';
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
  return {
    /** @param {ImageInput} image @returns {Promise<Float32Array>} [1, height, width, 3] */
    async prepare(image) {
      const source = await toPixels(image, { maxPixels: reading.maxPixels });
      if (source instanceof Uint8Array) {
        await readAnyView(engine, target, source, view);
      } else {
        engine.image.setPixels(source);
        source.release?.();
        writeView(engine, target, view, 0);
      }
      engine.run();
      return /** @type {Float32Array} */ (engine.readOutput(0).data);
    },
    close: () => engine.close(),
  };
}

/**
 * Images one after another, with what the network takes of them. Those that cannot be read are left out.
 * @param {Awaited<ReturnType<typeof openPreprocessor>>} preprocessor
 * @param {AsyncIterable<ImageInput> | Iterable<ImageInput>} images
 * @param {object} options
 * @param {import('../engine/image.js').Reading} options.reading
 * @param {(error: Error, index: number) => void} [options.onUnreadable] without it, the first unreadable image throws
 * @param {AbortSignal} [options.signal]
 */
export async function* prepareImages(preprocessor, images, { reading, onUnreadable, signal }) {
  let index = -1;
  for await (const given of images) {
    signal?.throwIfAborted();
    index++;
    const prepared = await prepareOne(preprocessor, given, reading).catch((error) => {
      if (!onUnreadable || !isUnreadable(error)) throw error;
      onUnreadable(error, index);
    });
    if (prepared) yield prepared;
  }
}

/**
 * @param {Awaited<ReturnType<typeof openPreprocessor>>} preprocessor
 * @param {ImageInput} given
 * @param {import('../engine/image.js').Reading} reading
 */
async function prepareOne(preprocessor, given, { maxPixels }) {
  const image = await toRepeatable(given, { maxPixels });
  return { image, values: await preprocessor.prepare(image) };
}
