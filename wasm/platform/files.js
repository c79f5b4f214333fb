// The package's modules and models: where they are, and the modules compiled.
import { failure, OcelliError } from '../shared/errors.js';
import { brief } from '../vision/body.js';
import { DEFAULT_ENTRY } from '../vision/model_spec.js';
import { CARRIED_MODEL, carried, openCarried } from './carried.js';
import { cure, unmoved } from './moved.js';

/**
 * @typedef {import('../engine/host.js').ModelForm} ModelForm
 * @typedef {import('../engine/variant.js').Variant | import('../engine/variant.js').TrainVariant} AnyVariant
 * @typedef {AnyVariant | ModelForm} FileName
 * @typedef {() => Record<FileName, URL>} Urls
 */

/** @type {Urls | undefined} */
let urls;

/** @param {Urls} [given] undefined: this form of the package has no files of its own */
export function installUrls(given) {
  urls = given;
}

/**
 * @param {FileName} name
 * @param {'MODULE_NOT_FOUND' | 'MODEL_NOT_FOUND'} code of the error
 */
function urlOf(name, code) {
  try {
    const place = /** @type {Urls} */ (urls)()[name];
    // A copy, because a bundler may have put an object of its own in the URL's place.
    return unmoved(new URL(place.href, globalThis.location?.href));
  } catch (error) {
    throw failure(code, cure(), error);
  }
}

/**
 * URL of dist/ if the worker's script beside this code cannot be the one to start: if it has another origin than the page,
 * or if Vite has moved the code. Wrong if a bundler has moved the files.
 */
export function otherDist() {
  if (!urls) return undefined;
  const { origin, href } = urlOf('simd', 'MODULE_NOT_FOUND');
  const isBeside = [location.origin, 'null'].includes(origin) && href === urls().simd.href;
  return isBeside ? undefined : new URL('.', href);
}

/** @type {Map<string, Promise<WebAssembly.Module>>} */
const modules = new Map();

/**
 * Compiles a variant, once for all detectors. After a failure, the next call tries again.
 * @param {AnyVariant} variant
 * @param {string | undefined} assetsUrl a copy of dist/
 * @param {(url: URL) => Promise<WebAssembly.Module>} compile
 */
export function compileOnce(variant, assetsUrl, compile) {
  const key = assetsUrl === undefined ? variant : `${variant} ${assetsUrl}`;
  const present = modules.get(key) ?? load(variant, assetsUrl, compile);
  modules.set(key, present);
  present.catch(() => modules.delete(key));
  return present;
}

/**
 * @param {AnyVariant} variant
 * @param {string | undefined} assetsUrl
 * @param {(url: URL) => Promise<WebAssembly.Module>} compile
 * @returns {Promise<WebAssembly.Module>}
 */
async function load(variant, assetsUrl, compile) {
  if (assetsUrl) return compile(inside(assetsUrl, `ocelli-${variant}.wasm`));
  const parts = carried();
  if (parts) return WebAssembly.compile(await parts.read(variant));
  return compile(urlOf(variant, 'MODULE_NOT_FOUND')).catch(explain);
}

/**
 * @param {unknown} error
 * @returns {never}
 */
function explain(error) {
  if (!(error instanceof OcelliError)) throw error;
  throw new OcelliError(error.code, `${error.message}. ${cure()}`, { cause: error });
}

/**
 * @param {string | undefined} assetsUrl a copy of dist/
 * @param {ModelForm} form
 */
export function locateModel(assetsUrl, form) {
  const { file } = form === 'full' ? DEFAULT_ENTRY : DEFAULT_ENTRY.made[form];
  if (assetsUrl) return inside(assetsUrl, `models/${file}`);
  if (carried() && form === 'compressed') return CARRIED_MODEL;
  if (urls) return urlOf(form, 'MODEL_NOT_FOUND');
  const what = form === 'int8' ? "precision 'int8'" : "weights 'full'";
  const option = form === 'int8' ? 'int8Model' : 'model';
  throw failure(
    'INVALID_OPTION',
    `${what}: ocelli/inline has only the compressed model; pass the file as ${option}`,
  );
}

/**
 * @param {import('../engine/host.js').Host['open']} open
 * @returns {import('../engine/host.js').Host['open']} the same, which opens the carried model too
 */
export function openingCarried(open) {
  return async (source, signal, code) => {
    const parts = source === CARRIED_MODEL ? carried() : undefined;
    return parts ? openCarried(parts) : open(source, signal, code);
  };
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
    throw failure('INVALID_OPTION', `assetsUrl is not a folder: '${brief(folder)}'`, error);
  }
}
