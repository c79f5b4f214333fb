// LiteRT.js, the reference engine of the .tflite format, in Node: it is made for pages and workers and needs the
// worker's `self` and `importScripts`.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';

const require = createRequire(import.meta.url);
const WASM = fileURLToPath(new URL('../wasm/', import.meta.resolve('@litertjs/core')));

/** @param {string} path of a UMD script, in a package that says that all its scripts are ESM */
function importScripts(path) {
  const module = { exports: {} };
  const names = ['require', 'module', 'exports', '__filename', '__dirname'];
  const run = compileFunction(readFileSync(path, 'utf8'), names, { filename: path });
  run(require, module, module.exports, path, dirname(path));
  Object.assign(globalThis, { ModuleFactory: module.exports });
}

let isLoaded = false;

/** @returns {Promise<typeof import('@litertjs/core')>} */
export async function loadLiteRt() {
  const litert = await importQuietly();
  if (!isLoaded) await litert.loadLiteRt(WASM);
  isLoaded = true;
  return litert;
}

async function importQuietly() {
  Object.assign(globalThis, { self: globalThis, importScripts });
  console.warn = () => {}; // "Failed to create default WebGPU device"
  return import('@litertjs/core');
}

/**
 * One run of a model of one input.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {Float32Array} input
 * @param {number[]} shape
 * @returns {Promise<{shape: number[], data: Float32Array}[]>}
 */
export async function runLiteRt(bytes, input, shape) {
  const { Tensor, loadAndCompile } = await loadLiteRt();
  const model = await loadAndCompile(bytes, { accelerator: 'wasm' });
  const outputs = await model.run([new Tensor(input, shape)]);
  const results = [];
  for (const output of outputs)
    results.push({
      shape: [...output.type.layout.dimensions],
      data: /** @type {Float32Array} */ (await output.data()),
    });
  model.delete();
  return results;
}
