import { failure } from '../shared/errors.js';

// URLs of the modules and models. Each is written out, because bundlers copy only the files they find in this form.
const FILES = {
  simd: new URL('../../dist/ocelli-simd.wasm', import.meta.url),
  relaxed: new URL('../../dist/ocelli-relaxed.wasm', import.meta.url),
  'simd-threads': new URL('../../dist/ocelli-simd-threads.wasm', import.meta.url),
  'relaxed-threads': new URL('../../dist/ocelli-relaxed-threads.wasm', import.meta.url),
  'train-simd': new URL('../../dist/ocelli-train-simd.wasm', import.meta.url),
  'train-relaxed': new URL('../../dist/ocelli-train-relaxed.wasm', import.meta.url),
};
const MODELS = {
  float: new URL('../../dist/models/ssd_mobilenet_v2_oidv4.bin', import.meta.url),
  int8: new URL('../../dist/models/ssd_mobilenet_v2_oidv4-int8.bin', import.meta.url),
};

/** URL of dist/ if its origin is not the page's; undefined otherwise. Wrong if a bundler has moved the files. */
export function crossOriginDist() {
  const { origin } = FILES.simd;
  return [location.origin, 'null'].includes(origin) ? undefined : new URL('.', FILES.simd);
}

/** @type {Map<string, Promise<WebAssembly.Module>>} */
const modules = new Map();

/**
 * Compiles a variant, once for all detectors. After a failure, the next call tries again.
 * @param {import('../engine/variant.js').Variant | import('../engine/variant.js').TrainVariant} variant
 * @param {string | URL | undefined} wasmUrl a copy of dist/
 * @param {(url: URL) => Promise<WebAssembly.Module>} compile
 */
export function compileOnce(variant, wasmUrl, compile) {
  const url = wasmUrl ? inside(wasmUrl, `ocelli-${variant}.wasm`) : FILES[variant];
  const present = modules.get(url.href) ?? compile(url);
  modules.set(url.href, present);
  present.catch(() => modules.delete(url.href));
  return present;
}

/**
 * @param {string | URL} [wasmUrl] a copy of dist/
 * @param {'float' | 'int8'} [precision]
 */
export function locateModel(wasmUrl, precision = 'float') {
  return wasmUrl
    ? inside(wasmUrl, `models/ssd_mobilenet_v2_oidv4${precision === 'int8' ? '-int8' : ''}.bin`)
    : MODELS[precision];
}

/**
 * @param {string | URL} directory
 * @param {string} name
 */
function inside(directory, name) {
  return new URL(name, parseWasmUrl(`${String(directory).replace(/\/*$/, '')}/`));
}

/**
 * @param {string | URL} wasmUrl
 * @param {string | URL} [base] of a relative URL
 */
export function parseWasmUrl(wasmUrl, base) {
  try {
    return new URL(wasmUrl, base);
  } catch (error) {
    throw failure('INVALID_OPTION', `wasmUrl is no URL: '${wasmUrl}'`, error);
  }
}
