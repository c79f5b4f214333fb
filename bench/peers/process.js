// Measures one engine in this process and prints its times as one JSON line: process.js NAME WASM_FOLDER
import { readFile } from 'node:fs/promises';
import { MODEL, readInput, readShared } from '../measure.js';
import { measure } from './measure.js';

const [name, wasm] = process.argv.slice(2);
if (name === 'litert') await import('./worker_scope.js');
const { create } = await import(`./${name}.js`);
const [boxes, scores] = await Promise.all(
  ['boxes', 'scores'].map((head) => readShared(`heads/pets.${head}.bin`)),
);
const heads = [boxes, scores].map(
  (head) => new Float32Array(/** @type {Uint8Array} */ (head).slice().buffer),
);
const model = new Uint8Array(await readFile(MODEL));
console.log(JSON.stringify(await measure(create, { model, input: await readInput(), heads, wasm })));
process.exit();
