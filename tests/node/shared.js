// What the tests share: their data, photos of packages, engines.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import '../../wasm/platform/node.js';
import { Engine } from '../../wasm/engine/engine.js';
import { sourceOf } from '../../wasm/engine/gather.js';
import { chooseVariant } from '../../wasm/engine/variant.js';

export * from './numbers.js';
export { large, needsLarge } from '../large_models.js';

const DATA = fileURLToPath(new URL('../data', import.meta.url));

/** @param {string} path of a file in tests/data */
export const testData = (path) => `${DATA}/${path}`;

/** @param {string} path @returns {any} */
export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/**
 * A typed array of a raw little-endian file.
 * @template T
 * @param {string} path
 * @param {{new (buffer: ArrayBuffer): T}} View
 * @returns {T}
 */
export function readArray(path, View) {
  return new View(new Uint8Array(readFileSync(path)).buffer);
}

/**
 * The single-threaded variants that this engine can run.
 * @type {('simd' | 'relaxed')[]}
 */
export const variants =
  chooseVariant({ threads: 1, deterministic: false, trustsRelaxed: true }) === 'relaxed'
    ? ['simd', 'relaxed']
    : ['simd'];

/** Options of a detector for each variant that this engine can run, threaded ones among them. */
export const detectorRuns = variants.flatMap((variant) =>
  [1, 2].map((threads) => ({
    name: `${variant}, threads: ${threads}`,
    options: { deterministic: variant === 'simd', threads },
  })),
);

/** The default model's file with all of its weights: what `weights: 'full'` loads. */
export const DEFAULT_MODEL = fileURLToPath(
  new URL('../../dist/models/ssd_mobilenet_v2_oidv4.bin', import.meta.url),
);

/** The same, compressed: what is loaded by default. */
export const COMPRESSED_MODEL = DEFAULT_MODEL.replace('.bin', '.gz');

/** @param {string} name of a script that prints a directory of the user's cache */
const directoryOf = (name) =>
  execFileSync(fileURLToPath(new URL(`../../tools/${name}`, import.meta.url)), { encoding: 'utf8' }).trim();

/** @type {string | undefined} */
let photos;
/** @typedef {'astronaut.png' | 'chelsea.png' | 'coffee.png'} PackagePhoto */

/** Where a photo of scikit-image's is. @param {PackagePhoto} name */
export function packagePhotoPath(name) {
  photos ??= directoryOf('photos.sh');
  return `${photos}/${name}`;
}

/** @param {PackagePhoto} name */
export function packagePhoto(name) {
  return readFileSync(packagePhotoPath(name));
}

/** @type {string | undefined} */
let samples;
/** A file of OpenCV's samples. @param {string} name */
export function samplePath(name) {
  samples ??= directoryOf('samples.sh');
  return `${samples}/${name}`;
}

/** @param {import('../../wasm/engine/variant.js').Variant} variant */
export async function createEngine(variant) {
  const engine = await Engine.create({ variant, threads: variant.endsWith('threads') ? 2 : 1 });
  await engine.started;
  return engine;
}

/**
 * @param {import('../../wasm/engine/variant.js').Variant} variant
 * @param {string | Uint8Array} model path or bytes
 */
export async function loadEngine(variant, model) {
  const engine = await createEngine(variant);
  await loadModel(engine, model);
  return engine;
}

/**
 * Runs a model once, in plain SIMD.
 * @param {Uint8Array} model
 * @param {import('../../wasm/engine/engine.js').TensorData} input
 */
export async function runModel(model, input) {
  const engine = await loadEngine('simd', model);
  engine.writeInput(0, input);
  engine.run();
  const outputs = engine.outputs.map((_, i) => engine.readOutput(i));
  engine.close();
  return outputs;
}

/**
 * @param {Engine} engine
 * @param {string | Uint8Array} model
 */
export async function loadModel(engine, model) {
  const bytes = typeof model === 'string' ? readFileSync(model) : model;
  await engine.receiveModel(sourceOf(bytes));
  const metadata = engine.openModel();
  engine.buildModel();
  return metadata;
}
