// Pages that detect objects in a photo with ocelli, LiteRT.js or TensorFlow.js (wasm), for the benchmarks of page starts.
import { build } from 'esbuild';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CHROMIUM } from './browser.js';
import { MODEL, readModel, SHARED } from './measure.js';
import { toTensorFlowJs } from './tfjs_model.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
export const OUT = `${ROOT}build/bench/page`;
const PHOTO = `${SHARED}/photos/pets.jpg`;
const SETTLE_MS = 1500;
export const ENGINES = /** @type {const} */ (['ocelli', 'litert', 'tfjs']);
export const NAMES = { ocelli: 'ocelli', litert: 'LiteRT.js 2.5.3', tfjs: 'TensorFlow.js 4.22, wasm' };
/** The expected detections, two dogs: labels, or column numbers. */
const EXPECTED = { ocelli: 'Dog,Dog', litert: '20,20', tfjs: '20,20' };

/** @typedef {typeof ENGINES[number]} Name */

/** What the server serves. */
export const roots = {
  '/': OUT,
  '/litert/': `${ROOT}node_modules/@litertjs/core/wasm`,
  '/tfjs-wasm/': `${ROOT}node_modules/@tensorflow/tfjs-backend-wasm/dist`,
};

/** What is missing to run the pages, if anything. */
export const findMissing = () => [PHOTO, CHROMIUM].find((path) => !existsSync(path));

export async function buildSite() {
  mkdirSync(`${OUT}/tfjs`, { recursive: true });
  cpSync(`${ROOT}build/package/dist`, `${OUT}/dist`, { recursive: true });
  const { model, weights } = toTensorFlowJs(await readModel());
  writeFileSync(`${OUT}/tfjs/model.json`, JSON.stringify(model));
  writeFileSync(`${OUT}/tfjs/weights.bin`, weights);
  cpSync(PHOTO, `${OUT}/photo`);
  cpSync(MODEL, `${OUT}/model`);
  await build({
    entryPoints: ENGINES.map((name) => `${ROOT}bench/pages/${name}.js`),
    alias: { ocelli: `${ROOT}build/package/dist/web/browser.js` },
    ...{ bundle: true, minify: true, format: 'esm', outdir: OUT, logLevel: 'error' },
    external: [
      '@tgwf/co2/data',
      'node:*',
      'fs',
      'path',
      'worker_threads',
      'perf_hooks',
      'os',
      'util',
      'crypto',
    ],
  });
  const head = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">';
  // Wait until the browser has started before opening the page.
  const settle = `<script>setTimeout(() => location.replace(location.hash.slice(1)), ${SETTLE_MS})</script>`;
  writeFileSync(`${OUT}/settle.html`, `${head}${settle}`);
  for (const name of ENGINES)
    writeFileSync(`${OUT}/${name}.html`, `${head}<script type="module" src="/${name}.js"></script>`);
}

/**
 * @param {Name} name
 * @param {string[]} report of its page
 * @returns {number} milliseconds from the page's start to its first detections
 */
export function readReport(name, [ms, result]) {
  if (result !== EXPECTED[name]) throw new Error(`${name} found ${result}`);
  return Number(ms);
}
