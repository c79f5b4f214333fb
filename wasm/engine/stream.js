// A web stream -> its bytes, as they arrive.
const PART_BYTES = 1 << 18;

/** @typedef {{done: boolean, value?: Uint8Array<ArrayBuffer>}} Part */

/**
 * Reads one part ahead, so that a download goes on while the caller copies or compiles. Two buffers take turns: use a
 * part before you ask for the next. (Safari's streams are not async iterable.)
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @param {(error: unknown) => unknown} explain turns the stream's error into the one to throw
 * @param {AbortSignal} [signal] ends the reading; the caller throws
 */
export function readStream(stream, explain, signal) {
  const reader = openReader(stream);
  const read = (/** @type {ArrayBuffer} */ buffer) => {
    const part = reader.read(buffer).catch((error) => {
      throw explain(error);
    });
    // Nobody may ask for this part: do not report an unhandled rejection.
    part.catch(() => {});
    return part;
  };
  return iterate(reader, read, read(new ArrayBuffer(PART_BYTES)), signal);
}

/**
 * A reader that fills the buffer it is given, because allocating memory costs more than copying into it. If the stream
 * has no BYOB reader, each part has a new buffer.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @returns {{read: (buffer: ArrayBuffer) => Promise<Part>, cancel: () => Promise<void>}}
 */
function openReader(stream) {
  try {
    const reader = stream.getReader({ mode: 'byob' });
    return { read: (buffer) => reader.read(new Uint8Array(buffer)), cancel: () => reader.cancel() };
  } catch {
    const reader = stream.getReader();
    return { read: () => reader.read(), cancel: () => reader.cancel() };
  }
}

/**
 * @param {{cancel: () => Promise<void>}} reader
 * @param {(buffer: ArrayBuffer) => Promise<Part>} read
 * @param {Promise<Part>} next
 * @param {AbortSignal} [signal]
 */
async function* iterate(reader, read, next, signal) {
  // `cancel` of a failed stream rejects with the same error.
  const cancel = () => void reader.cancel().catch(() => {});
  signal?.addEventListener('abort', cancel);
  let spare = new ArrayBuffer(PART_BYTES);
  try {
    for (let part = await next; !part.done; part = await next) {
      const value = /** @type {Uint8Array<ArrayBuffer>} */ (part.value);
      next = read(spare);
      yield value;
      spare = value.buffer;
    }
  } finally {
    signal?.removeEventListener('abort', cancel);
    cancel(); // not awaited: a source may never finish to cancel
  }
}
