// Stands for tests/node/shared.js: the reference data comes from the page's server, at once, as tests expect it.
import { chooseVariant } from '../../../wasm/engine/variant.js';

export * from '../../node/numbers.js';
export const needsShared = {};

/** @param {string} path */
export const shared = (path) => `/shared/${path}`;

/** @param {string} path */
function read(path) {
  const request = new XMLHttpRequest();
  request.open('GET', shared(path), false);
  request.overrideMimeType('text/plain; charset=x-user-defined'); // a byte a character
  request.send();
  if (request.status !== 200) throw new Error(`${path}: ${request.status}`);
  return Uint8Array.from(request.responseText, (character) => character.charCodeAt(0) & 0xff);
}

/** @param {string} path */
export const sharedJson = (path) => JSON.parse(new TextDecoder().decode(read(path)));

/**
 * @template T
 * @param {string} path
 * @param {{new (buffer: ArrayBuffer): T}} View
 */
export const sharedArray = (path, View) => new View(read(path).buffer);

export const variants =
  chooseVariant({ threads: 1, deterministic: false, trustsRelaxed: true }) === 'relaxed'
    ? ['simd', 'relaxed']
    : ['simd'];
