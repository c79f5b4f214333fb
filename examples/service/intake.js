// Bounds the memory of all bodies that the service holds at the same time.
import { ServiceError } from './errors.js';

/** A client that sent nothing for this long has stalled. */
const STALLED_MS = 100;

export class Intake {
  #limit;
  #total = 0;
  /** @type {Set<Body>} */ #bodies = new Set();

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
}

export class Body {
  #intake;
  /** @type {Uint8Array[]} */ #chunks = [];
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
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    if (this.#received > this.size) this.#intake.grow(this, this.#received - this.size);
  }

  /** The whole body. It counts until it is dropped. */
  complete() {
    this.changed = Infinity;
    const whole = new Uint8Array(this.#received);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [];
    return whole;
  }

  /** @param {Error} [reason] */
  drop(reason = new Error('the request is answered')) {
    this.#isDropped = true;
    this.#chunks = [];
    this.#intake.remove(this);
    this.#reject(reason);
  }
}
