// Reference data beside the checkout, and what the tests share.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import '../../wasm/platform/node.js';
import { Engine } from '../../wasm/engine/engine.js';
import { chooseVariant } from '../../wasm/engine/variant.js';

export * from './numbers.js';

const SHARED = process.env.OCELLI_SHARED ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** For a test's options: runs it only where the reference data is. */
export const needsShared = existsSync(SHARED) ? {} : { skip: `no reference data at ${SHARED}` };

/** @param {string} path */
export const shared = (path) => `${SHARED}/${path}`;
/** @param {string} path */
export const sharedJson = (path) => JSON.parse(readFileSync(shared(path), 'utf8'));

/**
 * A typed array of a raw little-endian file.
 * @template T
 * @param {string} path
 * @param {{new (buffer: ArrayBuffer): T}} View
 * @returns {T}
 */
export function sharedArray(path, View) {
  const bytes = readFileSync(shared(path));
  return new View(new Uint8Array(bytes).buffer);
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

/** The default model's file. */
export const DEFAULT_MODEL = fileURLToPath(
  new URL('../../dist/models/ssd_mobilenet_v2_oidv4.bin', import.meta.url),
);

/** @type {string | undefined} */
let photos;

/** @typedef {'astronaut.png' | 'chelsea.png' | 'coffee.png'} PackagePhoto */

/**
 * Where a photo of scikit-image's is in the user's cache: tests of these need no reference data.
 * @param {PackagePhoto} name
 */
export function packagePhotoPath(name) {
  photos ??= execFileSync(fileURLToPath(new URL('../../tools/photos.sh', import.meta.url)), {
    encoding: 'utf8',
  }).trim();
  return `${photos}/${name}`;
}

/** @param {PackagePhoto} name */
export function packagePhoto(name) {
  return readFileSync(packagePhotoPath(name));
}

/**
 * @param {import('../../wasm/engine/variant.js').Variant} variant
 * @param {string | Uint8Array} model path or bytes
 */
export async function loadEngine(variant, model) {
  const engine = await Engine.create({ variant, threads: variant.endsWith('threads') ? 2 : 1 });
  await loadModel(engine, model);
  return engine;
}

/**
 * @param {Engine} engine
 * @param {string | Uint8Array} model
 */
export async function loadModel(engine, model) {
  const bytes = typeof model === 'string' ? readFileSync(model) : model;
  await engine.receiveModel({
    sizeBytes: bytes.length,
    chunks: (async function* () {
      yield bytes;
    })(),
  });
  const metadata = engine.openModel();
  engine.buildModel();
  return metadata;
}
