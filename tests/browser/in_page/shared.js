// Stands for tests/node/shared.js: the test data comes from the page's server, at once, as tests expect it.
import { chooseVariant } from '../../../wasm/engine/variant.js';

export * from '../../node/numbers.js';

/** @param {string} path of a file in tests/data */
export const testData = (path) => `/data/${path}`;

/** @param {string} url */
function read(url) {
  const request = new XMLHttpRequest();
  request.open('GET', url, false);
  request.overrideMimeType('text/plain; charset=x-user-defined'); // a byte a character
  request.send();
  if (request.status !== 200) throw new Error(`${url}: ${request.status}`);
  return Uint8Array.from(request.responseText, (character) => character.charCodeAt(0) & 0xff);
}

/** @param {string} url */
export const readJson = (url) => JSON.parse(new TextDecoder().decode(read(url)));

/**
 * @template T
 * @param {string} url
 * @param {{new (buffer: ArrayBuffer): T}} View
 */
export const readArray = (url, View) => new View(read(url).buffer);

export const variants =
  chooseVariant({ threads: 1, deterministic: false, trustsRelaxed: true }) === 'relaxed'
    ? ['simd', 'relaxed']
    : ['simd'];
