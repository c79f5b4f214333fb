// Helpers for all benchmarks: reference data, statistics, random order, arguments, output.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export { median } from '../bin/common.js';

const ROOT = new URL('../', import.meta.url);
export const SHARED = process.env.OCELLI_SHARED ?? fileURLToPath(new URL('../shared/data', ROOT));

/**
 * Reads a file of the reference data; undefined if it is missing.
 * @param {string} path
 */
export async function readShared(path) {
  const file = `${SHARED}/${path}`;
  return existsSync(file) ? new Uint8Array(await readFile(file)) : undefined;
}

export const MODEL = new URL('dist/models/ssd_mobilenet_v2_oidv4.bin', ROOT);

export async function readModel() {
  return new Uint8Array(await readFile(MODEL));
}

/** The input tensor that every engine gets: a photo's or, without the reference data, noise in [-1, 1]. */
export async function readInput() {
  const bytes = await readShared('heads/pets.input.bin');
  if (bytes) return new Float32Array(bytes.slice().buffer);
  let state = 1;
  return Float32Array.from({ length: 300 * 300 * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0; // the LCG of "Numerical Recipes"
    return state / 2 ** 31 - 1;
  });
}

/** @param {number[]} values */
export const min = (values) => values.reduce((a, b) => Math.min(a, b));

/**
 * A shuffled copy (Fisher-Yates).
 * @template T
 * @param {readonly T[]} items
 */
export function shuffle(items) {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

/** @param {() => unknown} call @returns milliseconds */
export function time(call) {
  const start = performance.now();
  call();
  return performance.now() - start;
}

/**
 * Reads the command line: `--json`, `--variant`, and options `--name N` with integers above 0.
 * @template {string} K
 * @param {Record<K, number>} numbers names and defaults of the integer options
 */
export function readArguments(numbers) {
  const names = /** @type {K[]} */ (Object.keys(numbers));
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      variant: { type: 'string', default: 'relaxed' },
      ...Object.fromEntries(names.map((name) => [name, { type: /** @type {const} */ ('string') }])),
    },
  });
  if (values.variant !== 'simd' && values.variant !== 'relaxed')
    throw new Error('--variant must be simd or relaxed');
  const counts = names.map((name) => {
    const given = /** @type {Record<string, unknown>} */ (values)[name];
    const count = Number(given ?? numbers[name]);
    if (!Number.isInteger(count) || count < 1) throw new Error(`--${name} must be an integer above 0`);
    return [name, count];
  });
  return {
    json: values.json,
    variant: /** @type {'simd' | 'relaxed'} */ (values.variant),
    counts: /** @type {Record<K, number>} */ (Object.fromEntries(counts)),
  };
}

/**
 * Prints a result as one JSON object, or as a Markdown section of a table and notes.
 * @param {boolean} json
 * @param {{title: string, columns: string[], rows: string[][], notes?: string[], data: object}} report
 */
export function print(json, { title, columns, rows, notes = [], data }) {
  if (json) {
    console.log(JSON.stringify(data));
    return;
  }
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  const table = [line(columns), line(columns.map(() => '---')), ...rows.map(line)];
  console.log([`## ${title}`, '', ...table, '', ...notes.map((note) => `- ${note}`), ''].join('\n'));
}

/** @param {number} value */
export const ms = (value) => value.toFixed(value < 10 ? 2 : 1);
/** @param {number} value */
export const ratio = (value) => value.toFixed(3);
/** @param {number} value a fraction */
export const percent = (value) => `${(100 * value).toFixed(1)} %`;
