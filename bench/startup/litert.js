// One fresh process: LiteRT.js, from import to the first run's raw heads of a prepared tensor. Prints one JSON line.
// LiteRT.js is made for pages and workers; in Node it needs the worker's `self` and `importScripts`.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFunction } from 'node:vm';
import { MODEL, readInput } from '../measure.js';

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
Object.assign(globalThis, { self: globalThis, importScripts });
console.warn = () => {}; // "Failed to create default WebGPU device"

const input = await readInput();
const start = performance.now();
const { Tensor, getGlobalLiteRt, loadAndCompile, loadLiteRt } = await import('@litertjs/core');
await loadLiteRt(WASM);
const model = await loadAndCompile(new Uint8Array(await readFile(MODEL)), { accelerator: 'wasm' });
const heads = await model.run([new Tensor(input, [1, 300, 300, 3])]);
const outputs = await Promise.all(heads.map((head) => head.data()));
const ms = performance.now() - start;
const memory = /** @type {{HEAPU8: Uint8Array}} */ (/** @type {unknown} */ (getGlobalLiteRt().liteRtWasm));
const result = outputs.map(({ length }) => length).sort((a, b) => a - b);
console.log(JSON.stringify({ ms, memoryBytes: memory.HEAPU8.buffer.byteLength, result }));
