// WebP, AVIF and HEIC files -> pixels in Node, Bun and Deno, by a package that the user has installed. It is loaded when
// the first such file comes.
import { readFile } from 'node:fs/promises';

/**
 * @typedef {import('../vision/foreign.js').ForeignFormat} ForeignFormat
 * @typedef {import('../vision/foreign.js').Decoder} Decoder
 */

/** @type {Partial<Record<ForeignFormat, string>>} */
const PACKAGES = { webp: '@jsquash/webp', avif: '@jsquash/avif' };

/** What was loaded, by name. @type {Map<string, Promise<any>>} */
const loaded = new Map();

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {ForeignFormat} format
 * @returns {Promise<import('../engine/host.js').DecodedFile | string>} a string: what to install
 */
export async function decodeFile(bytes, format) {
  const sharp = await once('sharp', () => load('sharp'));
  if (sharp) return decodeBySharp(sharp.default, bytes, format);
  const name = PACKAGES[format];
  // Their files cannot be found there.
  if (name && !import.meta.resolve) return 'to read it in a CommonJS bundle, install sharp';
  const decode = name && (await once(name, () => loadJsquash(name, format)));
  if (!decode)
    return `to read it, install ${name ? `${name} or sharp` : 'sharp, built with a libvips that reads HEIC'}`;
  return { pixels: await decode(bytes.slice().buffer), isUpright: false };
}

/** @param {string} name @param {() => Promise<any>} start */
function once(name, start) {
  const promise = loaded.get(name) ?? start();
  loaded.set(name, promise);
  return promise;
}

/**
 * @param {string} name of a module that may be missing
 * @returns {Promise<any>}
 */
async function load(name) {
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ name);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}

/**
 * Its decoder, with its module compiled from disk: by itself it would fetch it.
 * @param {string} name
 * @param {ForeignFormat} format
 * @returns {Promise<Decoder | undefined>}
 */
async function loadJsquash(name, format) {
  const decoder = await load(`${name}/decode.js`);
  if (!decoder) return undefined;
  // Turbopack refuses createRequire(…).resolve of a name that it does not know.
  const path = new URL(import.meta.resolve(`${name}/codec/dec/${format}_dec.wasm`));
  await decoder.init(await WebAssembly.compile(await readFile(path)));
  return decoder.default;
}

/**
 * @param {any} sharp
 * @param {Uint8Array} bytes
 * @param {ForeignFormat} format
 */
async function decodeBySharp(sharp, bytes, format) {
  try {
    const image = sharp(bytes, { limitInputPixels: false })
      .rotate()
      .toColourspace('srgb')
      .ensureAlpha()
      .raw();
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    return { pixels: { data, width: info.width, height: info.height }, isUpright: true };
  } catch (error) {
    const [text] = /** @type {Error} */ (error).message.split('\n');
    if (format !== 'heic') throw new Error(text, { cause: error });
    // npm's builds of sharp have no decoder for HEVC
    return `this sharp does not read it: ${text}`;
  }
}
