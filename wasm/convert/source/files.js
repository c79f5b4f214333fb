// Opens a source (bytes, an archive, or a directory's files) as files by path. Files are read on demand.
import { gunzip, isGzip, isTar, untar, unzip } from './archive.js';
import { isContent, isZip, toBytes, toFiles } from '../../shared/content.js';
import { CallerError, convertFailure } from '../errors.js';

/**
 * @typedef {import('../../shared/content.js').FileContent} FileContent
 * @typedef {import('../../shared/content.js').Source} Source an archive, a frozen graph, or the files of a directory by path
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
    return bytesOf(content);
  }
}

/**
 * @param {Source} source
 * @returns {Promise<Files | Uint8Array>} bytes if the source is a single file that is not an archive
 */
export async function openSource(source) {
  if (isContent(source)) return unpack(await bytesOf(source));
  const files = toFiles(source, 'the source');
  if (files.size === 0) throw convertFailure('SOURCE_UNKNOWN', 'it has no files');
  return new Files(new Map(files));
}

/** @param {FileContent} content */
async function bytesOf(content) {
  try {
    return await toBytes(content);
  } catch (error) {
    throw new CallerError('', { cause: error });
  }
}

/** @param {Uint8Array} bytes */
function unpack(bytes) {
  if (isGzip(bytes)) bytes = gunzip(bytes);
  if (isZip(bytes)) return new Files(unzip(bytes));
  if (isTar(bytes)) return new Files(untar(bytes));
  return bytes;
}
