// LiteRT.js in a fresh process: time from import to the raw heads of a prepared tensor, as one JSON line.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { MODEL, readInput } from '../measure.js';
import '../peers/worker_scope.js';

const WASM = fileURLToPath(new URL('../wasm/', import.meta.resolve('@litertjs/core')));

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
