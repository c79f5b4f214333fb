// A model file -> an engine with the model in it, for the commands that look at any model, detector or not.
import { Engine } from '../wasm/engine/engine.js';
import { host } from '../wasm/engine/host.js';
import { readSource } from '../wasm/vision/input.js';
import { findManifestEntry } from '../wasm/vision/model_spec.js';
import { hasFastDots } from '../wasm/engine/precision.js';
import { chooseVariant } from '../wasm/engine/variant.js';
import '../wasm/platform/node.js';
import { readBytes } from './common.js';

/** What stands for the model that comes with ocelli where its name is shown. */
export const DEFAULT_MODEL = 'default model';

/**
 * @param {Uint8Array | string | undefined} model bytes, or a file's name; - is standard input; undefined: the default model
 * @param {number} threads
 * @param {object} [options]
 * @param {boolean} [options.baseline] XNNPACK's own kernels
 * @param {'float' | 'int8' | 'auto'} [options.precision] which default model
 * @returns the engine, which the caller closes, what is known of the model, and how long each step took
 */
export async function loadModel(model, threads, { baseline = false, precision = 'float' } = {}) {
  const source = model === '-' ? await readBytes(model) : model;
  const { trustsRelaxed, locateModel } = host();
  const variant = chooseVariant({ threads, deterministic: false, trustsRelaxed });
  const start = performance.now();
  const engine = await Engine.create({ variant, threads, baseline });
  const created = performance.now();
  try {
    const twin = precision === 'auto' ? (hasFastDots(engine) ? 'int8' : 'float') : precision;
    const opened = performance.now();
    const received = await engine.receiveModel(await readSource(source ?? locateModel(undefined, twin)));
    const metadata = engine.openModel();
    const beforeHash = performance.now();
    const entry = await findManifestEntry(received, metadata);
    const afterHash = performance.now();
    engine.buildModel();
    const ms = { module: created - start, model: performance.now() - opened - (afterHash - beforeHash) };
    return { engine, variant, entry, metadata, fileBytes: received.sizeBytes, ms };
  } catch (error) {
    engine.close();
    throw error;
  }
}
