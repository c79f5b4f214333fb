// Opens a source (bytes, an archive, or a directory's files) as files by path. Files are read on demand.
import { gunzip, isGzip, isTar, isZip, untar, unzip } from './archive.js';
import { failure } from '../../shared/errors.js';
import { convertFailure } from '../errors.js';

/**
 * @template {string} Name
 * @typedef {import('../../shared/platform.js').Global<Name>} Global
 */

/**
 * @typedef {Uint8Array | ArrayBuffer | Global<'Blob'> | (() => Uint8Array | Promise<Uint8Array>)} FileContent
 * @typedef {FileContent | Map<string, FileContent> | Record<string, FileContent> | Iterable<Global<'File'>>} Source
 *   one file (an archive or a frozen graph), or the files of a directory by path
 */

/** The files of a directory. All paths are relative to `root`, the directory of the model. */
export class Files {
  #contents;
  #root;

  /**
   * @param {Map<string, FileContent>} contents
   * @param {string} [root] ends in "/" unless empty
   */
  constructor(contents, root = '') {
    this.#contents = contents;
    this.#root = root;
  }

  /** @returns {string[]} */
  get names() {
    return [...this.#contents.keys()]
      .filter((name) => name.startsWith(this.#root))
      .map((name) => name.slice(this.#root.length));
  }

  /** @param {string} name */
  has(name) {
    return this.#contents.has(this.#root + name);
  }

  /**
   * Finds the directory closest to the root that has a file of this name.
   * @param {string} name
   * @returns {Files | undefined}
   */
  findDirectoryOf(name) {
    const found = this.names
      .filter((candidate) => candidate === name || candidate.endsWith(`/${name}`))
      .sort((a, b) => a.length - b.length)[0];
    return found === undefined
      ? undefined
      : new Files(this.#contents, this.#root + found.slice(0, -name.length));
  }

  /** @param {string} path ends in "/" unless empty */
  directory(path) {
    return new Files(this.#contents, this.#root + path);
  }

  /** @param {string} name */
  async read(name) {
    const content = this.#contents.get(this.#root + name);
    if (content === undefined)
      throw convertFailure('SOURCE_INCOMPLETE', `there is no file '${this.#root + name}'`);
    return toBytes(content);
  }
}

/**
 * Returns a plain Uint8Array: readers use slice(), which does not copy if the bytes are a Node Buffer.
 * @param {FileContent} content
 * @returns {Promise<Uint8Array>}
 */
async function toBytes(content) {
  if (content instanceof Blob) return new Uint8Array(await content.arrayBuffer());
  if (content instanceof ArrayBuffer) return new Uint8Array(content);
  const bytes = typeof content === 'function' ? await content() : content;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * @param {Source} source
 * @returns {Promise<Files | Uint8Array>} bytes if the source is a single file that is not an archive
 */
export async function openSource(source) {
  if (
    source instanceof Uint8Array ||
    source instanceof ArrayBuffer ||
    source instanceof Blob ||
    typeof source === 'function'
  )
    return unpack(await toBytes(source));
  const entries = [...entriesOf(source)];
  if (entries.length === 0) throw convertFailure('SOURCE_UNKNOWN', 'it has no files');
  return new Files(new Map(entries));
}

/**
 * @param {Exclude<Source, FileContent>} source
 * @returns {Iterable<[string, FileContent]>}
 */
function entriesOf(source) {
  if (source instanceof Map) return source;
  if (typeof source !== 'object' || source === null)
    throw failure('INVALID_OPTION', 'the source must be bytes, a Blob, a function, or files by path');
  if (Symbol.iterator in source)
    return Array.from(/** @type {Iterable<File>} */ (source), (file) => [
      file.webkitRelativePath || file.name,
      file,
    ]);
  return Object.entries(source);
}

/** @param {Uint8Array} bytes */
function unpack(bytes) {
  if (isGzip(bytes)) bytes = gunzip(bytes);
  if (isZip(bytes)) return new Files(unzip(bytes));
  if (isTar(bytes)) return new Files(untar(bytes));
  return bytes;
}
