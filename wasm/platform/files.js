import { failure, OcelliError } from '../shared/errors.js';
import { brief } from '../vision/body.js';

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
 * @param {string | undefined} assetsUrl a copy of dist/
 * @param {(url: URL) => Promise<WebAssembly.Module>} compile
 */
export function compileOnce(variant, assetsUrl, compile) {
  const url = assetsUrl ? inside(assetsUrl, `ocelli-${variant}.wasm`) : FILES[variant];
  const present = modules.get(url.href) ?? compile(url).catch((error) => explain(error, assetsUrl));
  modules.set(url.href, present);
  present.catch(() => modules.delete(url.href));
  return present;
}

/**
 * @param {unknown} error
 * @param {string | undefined} assetsUrl
 * @returns {never}
 */
function explain(error, assetsUrl) {
  if (assetsUrl || !(error instanceof OcelliError)) throw error;
  throw new OcelliError(error.code, `${error.message}; if a bundler has moved the code, pass assetsUrl`, {
    cause: error,
  });
}

/**
 * @param {string} [assetsUrl] a copy of dist/
 * @param {'float' | 'int8'} [precision]
 */
export function locateModel(assetsUrl, precision = 'float') {
  return assetsUrl
    ? inside(assetsUrl, `models/ssd_mobilenet_v2_oidv4${precision === 'int8' ? '-int8' : ''}.bin`)
    : MODELS[precision];
}

/**
 * URL of a file in a folder.
 * @param {string | URL} folder with or without a slash at its end
 * @param {string} name
 */
export function inside(folder, name) {
  const url = new URL(folder);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  url.search = url.hash = '';
  try {
    return new URL(name, url);
  } catch (error) {
    throw failure('INVALID_OPTION', `assetsUrl is no folder: '${brief(folder)}'`, error);
  }
}
