// A model's bytes -> what is known about it beyond its network.
import { findManifestEntry, resolveInput } from '../vision/model_spec.js';
import { failure } from './errors.js';
import { openEngine } from './runner.js';

/**
 * @typedef {import('../engine/engine.js').InputSpec} InputSpec
 * @typedef {import('../engine/engine.js').Metadata} Metadata
 * @typedef {import('../vision/model_spec.js').ManifestEntry} ManifestEntry
 */

/**
 * Reads the model's metadata, its entry in the manifest of models, and how to preprocess its input.
 * @template T
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {{input: Partial<InputSpec> | string | undefined, signature?: string}} given
 * @param {(engine: import('../engine/engine.js').Engine, source: {metadata: Metadata, entry?: ManifestEntry}) => T | Promise<T>} inspect what
 *   else to find out, while the engine has the model
 */
export async function readInfo(bytes, given, inspect) {
  const { engine, received, metadata } = await openEngine(bytes, given.signature);
  try {
    const { inputs } = engine;
    if (inputs.length !== 1 || inputs[0].shape.length !== 4 || ![1, 3].includes(inputs[0].shape[3]))
      throw failure('NOT_AN_IMAGE_MODEL');
    const entry = await findManifestEntry({ sizeBytes: received.sizeBytes, readAll: () => bytes }, metadata);
    return {
      ...{ metadata, entry, input: resolveInput(given.input, metadata, entry, inputs[0]) },
      inspected: await inspect(engine, { metadata, entry }),
    };
  } finally {
    engine.close();
  }
}
