// The files that `ocelli/inline` carries in its own code. Every copy of ocelli in a program finds them: a bundler may put
// one into each of its chunks.
import { VERSION } from '../../dist/build.js';
import { sourceOf } from '../engine/gather.js';
import { inflateWhole } from '../engine/inflate.js';

/**
 * @typedef {import('../engine/variant.js').Variant | import('../engine/variant.js').TrainVariant | 'model'} CarriedName
 *
 * @typedef {object} Carried
 * @property {(name: CarriedName) => Promise<Uint8Array<ArrayBuffer>>} read a file of the package
 * @property {() => Promise<string>} [readScript] the text of the worker's script; missing: no workers here
 */

const KEY = Symbol.for(`ocelli/inline ${VERSION}`);
/** Stands for the model that is carried; not a URL to fetch. */
export const CARRIED_MODEL = 'ocelli:model';

/** @type {() => Carried | undefined} */
export const carried = () => /** @type {any} */ (globalThis)[KEY];

/** @param {Carried} parts */
export function carry(parts) {
  /** @type {any} */ (globalThis)[KEY] = parts;
}

/** @param {string} text base64 of a file, or of a gzip file of it */
export function decode(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return inflateWhole(bytes);
}

/**
 * @param {Carried} parts
 * @returns {Promise<import('../engine/host.js').ByteSource>}
 */
export async function openCarried({ read }) {
  return sourceOf(await read('model'));
}
