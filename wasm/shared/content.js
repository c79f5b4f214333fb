// Files that a user hands over: the content of one, or several by path.
import { failure } from './errors.js';

/**
 * @template {string} Name
 * @typedef {import('./platform.js').Global<Name>} Global
 */

/**
 * @typedef {Uint8Array | ArrayBuffer | Global<'Blob'> | (() => Uint8Array | Promise<Uint8Array>)} FileContent
 * @typedef {FileContent | Map<string, FileContent> | Record<string, FileContent> | Iterable<Global<'File'>>} Source
 *   one file, or the files of a directory by path
 */

const ZIP = [0x50, 0x4b];

/** @param {Uint8Array} bytes */
export const isZip = (bytes) => ZIP.every((byte, i) => bytes[i] === byte);

/** @param {unknown} source @returns {source is FileContent} */
export function isContent(source) {
  return (
    source instanceof Uint8Array ||
    source instanceof ArrayBuffer ||
    source instanceof Blob ||
    typeof source === 'function'
  );
}

/**
 * Returns a plain Uint8Array: readers use slice(), which does not copy if the bytes are a Node Buffer.
 * @param {FileContent} content
 * @returns {Promise<Uint8Array>}
 */
export async function toBytes(content) {
  if (content instanceof Blob) return new Uint8Array(await content.arrayBuffer());
  if (content instanceof ArrayBuffer) return new Uint8Array(content);
  const bytes = typeof content === 'function' ? await content() : content;
  if (!ArrayBuffer.isView(bytes))
    throw failure('INVALID_INPUT', 'a file must be bytes, a Blob, or a function that returns bytes');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * @param {Exclude<Source, FileContent>} source
 * @param {string} what it is, for the error
 * @returns {Map<string, FileContent>} by path
 */
export function toFiles(source, what) {
  if (source instanceof Map) return source;
  if (typeof source !== 'object' || source === null)
    throw failure('INVALID_OPTION', `${what} must be bytes, a Blob, a function, or files by path`);
  if (!(Symbol.iterator in source)) return new Map(Object.entries(source));
  return new Map(
    Array.from(/** @type {Iterable<File>} */ (source), (file) => {
      const path = file?.webkitRelativePath || file?.name;
      if (typeof path !== 'string') throw failure('INVALID_INPUT', `${what}: a list must be of Files`);
      return [path, file];
    }),
  );
}
