// What one worker of a pool has loaded and measured, for the others: they fetch no file.
import { assumeFastInt8 } from '../../engine/precision.js';
import { joinInto } from '../../shared/numbers.js';

/**
 * @typedef {import('../../engine/host.js').ByteSource} ByteSource
 * @typedef {import('../../engine/host.js').Host} Host
 *
 * @typedef {object} Loads
 * @property {Map<string, Uint8Array>} files by path or URL
 * @property {boolean} [fastInt8] what `precision: 'auto'` has measured
 */

const PART_BYTES = 1 << 20;

/**
 * @param {Host} host
 * @returns {{host: Host, loads: Loads}} a host that keeps what it loads
 */
export function keepLoads(host) {
  /** @type {Loads} */
  const loads = { files: new Map() };
  return {
    loads,
    host: {
      ...host,
      async open(source, signal, code) {
        const { sizeBytes, chunks } = await host.open(source, signal, code);
        return { sizeBytes, chunks: keep(chunks, (file) => loads.files.set(String(source), file)) };
      },
    },
  };
}

/**
 * @param {Host} host
 * @param {Loads} loads
 * @returns {Host} a host that takes what another worker has loaded
 */
export function reuseLoads(host, { files, fastInt8 }) {
  assumeFastInt8(fastInt8);
  return {
    ...host,
    async open(source, signal, code) {
      const file = files.get(String(source));
      return file ? { sizeBytes: file.length, chunks: split(file) } : host.open(source, signal, code);
    },
  };
}

/**
 * @param {AsyncIterable<Uint8Array>} chunks
 * @param {(file: Uint8Array) => void} done
 */
async function* keep(chunks, done) {
  const parts = [];
  for await (const chunk of chunks) {
    parts.push(new Uint8Array(chunk));
    yield chunk;
  }
  done(join(parts));
}

/**
 * All bytes of a source, in memory that threads share if they may.
 * @param {ByteSource} source
 */
export async function readShared({ chunks }) {
  const parts = [];
  for await (const chunk of chunks) parts.push(new Uint8Array(chunk));
  return join(parts);
}

/** @param {Uint8Array[]} parts */
function join(parts) {
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const canShare = typeof SharedArrayBuffer !== 'undefined' && globalThis.crossOriginIsolated !== false;
  const memory = canShare ? new SharedArrayBuffer(sizeBytes) : new ArrayBuffer(sizeBytes);
  return joinInto(new Uint8Array(memory), parts);
}

/**
 * Copies, because decoders of text take no shared memory.
 * @param {Uint8Array} file
 */
async function* split(file) {
  for (let start = 0; start < file.length; start += PART_BYTES) yield file.slice(start, start + PART_BYTES);
}
