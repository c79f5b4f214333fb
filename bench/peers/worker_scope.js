// LiteRT.js expects a page or a worker: this gives Node a worker's `self` and `importScripts`.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { compileFunction } from 'node:vm';

const require = createRequire(import.meta.url);

/** @param {string} path of a UMD script; `require` cannot load it, because its package declares all scripts as ESM */
function importScripts(path) {
  const module = { exports: {} };
  const names = ['require', 'module', 'exports', '__filename', '__dirname'];
  const run = compileFunction(readFileSync(path, 'utf8'), names, { filename: path });
  run(require, module, module.exports, path, dirname(path));
  Object.assign(globalThis, { ModuleFactory: module.exports });
}
Object.assign(globalThis, { self: globalThis, importScripts });
console.warn = () => {}; // hides "Failed to create default WebGPU device"
