// A data set's files by path, read on demand: of a directory, of a zip archive, or a single file.
import { isContent, isZip, toBytes, toFiles } from '../../shared/content.js';
import { reading } from '../../shared/errors.js';
import { listZip } from '../../shared/zip.js';
import { failure } from '../errors.js';

/**
 * @typedef {import('../../shared/content.js').FileContent} FileContent
 * @typedef {import('../../shared/content.js').Source} Source the files of a directory by path, a list of Files, or one file: a
 *   zip archive or an annotation file
 */

/** One file of an archive may unpack to so many bytes. */
const MOST_BYTES = 2 ** 30;

export class DataFiles {
  #contents;

  /** @param {Map<string, FileContent>} contents */
  constructor(contents) {
    this.#contents = contents;
    /** Without hidden files, such as macOS' ._photo.png. */
    this.names = [...contents.keys()].filter((name) => !/(^|\/)\.[^/]/.test(name)).sort();
  }

  /** @param {string} name */
  has(name) {
    return this.#contents.has(name);
  }

  /** @param {string} name */
  async read(name) {
    const content = this.#contents.get(name);
    if (content === undefined) throw failure('DATASET_INCOMPLETE', `there is no file '${name}'`);
    return toBytes(content);
  }

  /** @param {string} name */
  async readText(name) {
    return decodeText(await this.read(name), name);
  }

  /**
   * The names with one of these endings.
   * @param {RegExp} pattern
   */
  matching(pattern) {
    return this.names.filter((name) => pattern.test(name));
  }
}

/**
 * @param {Source} source
 * @param {string} [name] of a single file
 * @returns {Promise<DataFiles>}
 */
export async function openFiles(source, name = 'file') {
  if (isContent(source)) {
    const bytes = await toBytes(source);
    return new DataFiles(isZip(bytes) ? openZip(bytes, name) : new Map([[name, bytes]]));
  }
  return new DataFiles(toFiles(source, 'a data set'));
}

/** @param {Uint8Array} bytes @param {string} name */
export function decodeText(bytes, name) {
  try {
    return new TextDecoder().decode(bytes);
  } catch (error) {
    const size = Math.round(bytes.length / 2 ** 20);
    throw failure('DATASET_DAMAGED', `${name}: ${size} MiB are more than a JavaScript text can hold`, error);
  }
}

/**
 * The files of an archive, which are unpacked when they are read.
 * @param {Uint8Array} bytes
 * @param {string} archive
 * @returns {Map<string, FileContent>}
 */
function openZip(bytes, archive) {
  const entries = reading(failure, 'ARCHIVE_DAMAGED', archive, () => listZip(bytes)).filter(
    ({ name }) => !name.endsWith('/') && !name.includes('__MACOSX/'),
  );
  for (const { name, originalSize } of entries)
    if (originalSize > MOST_BYTES)
      throw failure('ARCHIVE_DAMAGED', `${archive}: ${name} unpacks to ${originalSize} bytes`);
  return new Map(
    entries.map(({ name, read }) => [name, () => reading(failure, 'ARCHIVE_DAMAGED', archive, read)]),
  );
}
