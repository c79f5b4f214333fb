// Bounds the memory of all bodies that the service holds at the same time.
import { ServiceError } from './errors.js';

/** A client that sent nothing for this long has stalled. */
const STALLED_MS = 100;

export class Intake {
  #limit;
  #total = 0;
  /** @type {Set<Body>} */ #bodies = new Set();
  /** Blocks of memory that bodies have given back. @type {Uint8Array<ArrayBuffer>[]} */ #spare = [];

  /** @param {number} limit in bytes */
  constructor(limit) {
    this.#limit = limit;
  }

  /** The body of one request. Drop it when the request is answered. */
  open() {
    return new Body(this);
  }

  /**
   * Counts bytes of a body. Over the limit, a body whose client has stalled is dropped, so that such clients cannot lock
   * out the others. If none has, the growing body is dropped. Complete bodies stay.
   * @param {Body} body
   * @param {number} bytes
   */
  grow(body, bytes) {
    this.#bodies.add(body);
    body.size += bytes;
    this.#total += bytes;
    while (this.#total > this.#limit) {
      const slowest = [...this.#bodies].reduce((a, b) => (b.changed < a.changed ? b : a));
      const hasStalled = slowest.changed < performance.now() - STALLED_MS;
      (hasStalled ? slowest : body).drop(
        new ServiceError('BUSY', 'too many bodies are being received; try again later'),
      );
    }
  }

  /** @param {Body} body */
  remove(body) {
    if (this.#bodies.delete(body)) this.#total -= body.size;
  }

  /**
   * A block of memory with at least so many bytes. Blocks are used again, so that not every body leaves garbage.
   * @param {number} length
   */
  take(length) {
    const found = this.#spare.findIndex((block) => block.length >= length);
    return found < 0 ? new Uint8Array(length) : this.#spare.splice(found, 1)[0];
  }

  /** @param {Uint8Array<ArrayBuffer>} block */
  giveBack(block) {
    this.#spare.push(block);
    let spare = this.#spare.reduce((sum, { length }) => sum + length, 0);
    while (spare + this.#total > this.#limit) {
      const oldest = /** @type {Uint8Array<ArrayBuffer>} */ (this.#spare.shift());
      spare -= oldest.length;
      release(oldest);
    }
  }
}

export class Body {
  #intake;
  /** @type {Uint8Array<ArrayBuffer>} the first bytes of it are the body's */ #block = new Uint8Array(0);
  /** @type {(reason: Error) => void} */ #reject = () => {};
  #isDropped = false;
  /** @type {Promise<never>} rejects with the reason when the body is dropped */
  dropped = new Promise((_, reject) => (this.#reject = reject));
  #received = 0;
  /** Bytes that are counted: its announced length or, if it is longer, what has arrived. */
  size = 0;
  /** When bytes last arrived, in ms; Infinity: it is complete. */
  changed = performance.now();

  /** @param {Intake} intake */
  constructor(intake) {
    this.#intake = intake;
    this.dropped.catch(() => {}); // Nobody waits for it before and after the body is read.
  }

  /**
   * Counts a body before it is read, so that one that does not fit is refused unread.
   * @param {number} bytes
   */
  announce(bytes) {
    this.#intake.grow(this, bytes);
  }

  /** @param {Uint8Array} chunk */
  add(chunk) {
    if (this.#isDropped) return;
    this.changed = performance.now();
    const needed = this.#received + chunk.length;
    if (needed > this.size) this.#intake.grow(this, needed - this.size);
    if (this.#isDropped) return;
    if (needed > this.#block.length) this.#resize(Math.max(this.size, 2 * this.#block.length));
    this.#block.set(chunk, this.#received);
    this.#received = needed;
  }

  /** @param {number} length */
  #resize(length) {
    const larger = this.#intake.take(length);
    larger.set(this.#block.subarray(0, this.#received));
    this.#giveBack();
    this.#block = larger;
  }

  #giveBack() {
    if (this.#block.length > 0) this.#intake.giveBack(this.#block);
    this.#block = new Uint8Array(0);
  }

  /** The whole body. It counts, and can be used, until it is dropped. */
  complete() {
    this.changed = Infinity;
    return this.#block.subarray(0, this.#received);
  }

  /** @param {Error} [reason] */
  drop(reason = new Error('the request is answered')) {
    this.#isDropped = true;
    this.#intake.remove(this);
    this.#giveBack();
    this.#reject(reason);
  }
}

/**
 * Frees the memory of bytes that nobody needs any more. Garbage collectors count such memory less than it weighs: they
 * would let up to 64 MiB of it pile up.
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
export function release({ buffer, byteLength }) {
  if (byteLength === 0 || byteLength !== buffer.byteLength) return;
  const { transfer } = /** @type {{transfer?: (length: number) => void}} */ (/** @type {unknown} */ (buffer));
  if (transfer) transfer.call(buffer, 0);
  else nowhere().postMessage(undefined, [buffer]);
}

/** @type {MessagePort | undefined} */
let closed;

/** For Node 20, which has no ArrayBuffer.transfer(): what is sent through a closed port is gone. */
function nowhere() {
  if (!closed) {
    closed = new MessageChannel().port1;
    closed.close();
  }
  return closed;
}
