// What the tests of conversion share: sources, and running what comes out.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { large, loadEngine, testData } from '../shared.js';

/**
 * A source as convert() takes it: a directory's files, or a file's bytes.
 * @param {string} path
 * @returns {Uint8Array | Record<string, () => Uint8Array>}
 */
export function readSource(path) {
  if (statSync(path).isFile()) return new Uint8Array(readFileSync(path));
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(path, name)).isFile(),
  );
  return Object.fromEntries(
    files.map((name) => [relative('.', name), () => new Uint8Array(readFileSync(join(path, name)))]),
  );
}

/** @param {string} name in the folder convert of the large models */
export const largeSource = (name) => readSource(large(`convert/${name}`));

/** @param {string} name in tests/data/convert */
export const smallSource = (name) => readSource(testData(`convert/${name}`));

/**
 * Each of the images through the network, one after the other: the first output.
 * @param {'simd' | 'relaxed'} variant
 * @param {Uint8Array} model
 * @param {Float32Array[]} images
 */
export async function runEach(variant, model, images) {
  const engine = await loadEngine(variant, model);
  const rows = images.map((image) => {
    engine.writeInput(0, image);
    engine.run();
    return /** @type {Float32Array} */ (engine.readOutput(0).data);
  });
  engine.close();
  return rows;
}
