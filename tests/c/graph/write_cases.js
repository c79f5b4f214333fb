// Writes what the native tests read. For test_golden.c the cases of tests/data: a list, and files of inputs (as the
// network takes them) and of answers (float32). For test_hostile.c the networks that are refused, and a list of them. For
// test_allocation.c a detector, and a list of the models.
// The Makefile runs it:  node write_cases.js OUT
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { appendLabels } from '../../../wasm/tflite/metadata.js';
import { REFUSED } from '../../fuzz/hostile_networks.js';
import { tinyDetector, writeModel } from '../../fuzz/tiny_models.js';
import { readModelCase, readOperatorCase } from '../../golden_cases.js';

const DATA = fileURLToPath(new URL('../../data', import.meta.url));
const out = process.argv[2];
/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(`${DATA}/${path}`, 'utf8'));

mkdirSync(out, { recursive: true });
const groups = readdirSync(`${DATA}/ops`).filter((name) => name.endsWith('.json'));
const cases = [
  ...groups.flatMap((group) =>
    readJson(`ops/${group}`).map((/** @type {any} */ each) => readOperatorCase(each, `${DATA}/ops`)),
  ),
  ...readJson('models/cases.json').map((/** @type {any} */ each) => readModelCase(each, `${DATA}/models`)),
];
writeFileSync(`${out}/golden.txt`, cases.flatMap(writeCase).join('\n') + '\n');
const hostile = Object.entries(REFUSED).map(
  ([name, [code, network]], i) => `${code} ${write(`hostile${i}.tflite`, writeModel(network))} ${name}`,
);
writeFileSync(`${out}/hostile.txt`, hostile.join('\n') + '\n');
write('detector.tflite', appendLabels(tinyDetector(), ['cat', 'dog']));
writeFileSync(`${out}/models.txt`, cases.map((golden) => `${resolve(pathOf(golden))}\n`).join(''));

/** @param {import('../../golden_cases.js').GoldenCase} golden a packed case has no file of its own */
function pathOf({ name, model }) {
  return typeof model === 'string' ? model : `${out}/${name}.tflite`;
}

/** @param {import('../../golden_cases.js').GoldenCase} golden */
function writeCase(golden) {
  const { name, model, inputs, outputs, hasDetections, isBatchFree } = golden;
  if (typeof model !== 'string') writeFileSync(pathOf(golden), model);
  return [
    `case ${name} ${pathOf(golden)} ${Number(hasDetections)} ${Number(isBatchFree)} ${inputs.length} ${outputs.length}`,
    ...inputs.map((input, i) => `input ${write(`${name}.input${i}`, input)}`),
    ...outputs.map(({ name: output, values, limit, cosine }, i) => {
      const file = write(`${name}.output${i}`, Float32Array.from(values));
      return `output ${output || '-'} ${values.length / inputs.length} ${file} ${limit} ${cosine}`;
    }),
  ];
}

/**
 * @param {string} name
 * @param {NodeJS.ArrayBufferView} numbers
 */
function write(name, numbers) {
  writeFileSync(`${out}/${name}`, numbers);
  return `${out}/${name}`;
}
