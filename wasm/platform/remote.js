// A session that runs in a worker: posts requests to the worker and receives answers. serve.js is the worker's side.
import { failure, reviveError } from '../shared/errors.js';
import { isFloatImages, measure, toPixels } from '../vision/input.js';
import { isTensor } from '../vision/session.js';
import { capture, readable } from './canvas.js';
import { Crew } from './crew.js';
import { baseUrl } from './web.js';

/**
 * @typedef {import('../vision/types.js').Answer} Answer
 * @typedef {import('../vision/types.js').Facts} Facts
 * @typedef {import('../vision/types.js').Request} Request
 * @typedef {import('../vision/types.js').Session} Session
 * @typedef {{resolve: (answer: Answer) => void, reject: (error: unknown) => void}} Waiting
 */

/** @implements {Session} */
export class RemoteSession {
  #worker;
  #crew;
  #isClosed = false;
  #lastId = 0;
  /** @type {Map<number, Waiting>} */ #waiting = new Map();

  /**
   * @param {Worker} worker
   * @param {Crew} crew the worker and its threads
   * @param {Facts} facts
   * @param {Answer['memoryUse']} memoryUse
   */
  constructor(worker, crew, facts, memoryUse) {
    this.#worker = worker;
    this.#crew = crew;
    this.facts = facts;
    this.memoryUse = memoryUse;
    worker.onmessage = ({ data }) => this.#settle(data);
  }

  /**
   * @param {Worker} worker runs worker.browser.js
   * @param {import('../vision/prepare.js').SessionOptions} options
   * @param {import('./crew.js').StartThread} startThread
   * @returns {Promise<RemoteSession>} rejects with WORKER_UNAVAILABLE if the worker's script cannot be loaded
   */
  static async create(worker, { signal, onProgress, ...options }, startThread) {
    const crew = new Crew(worker, startThread);
    /** @type {(() => void) | undefined} */
    let stopListening;
    try {
      return await new Promise((resolve, reject) => {
        const abort = () => reject(signal?.reason);
        signal?.addEventListener('abort', abort);
        stopListening = () => signal?.removeEventListener('abort', abort);
        worker.onerror = (event) => reject(failure('WORKER_UNAVAILABLE', event.message));
        worker.onmessage = ({ data: { progress, ready, memoryUse, error } }) => {
          if (progress) onProgress?.(progress);
          if (ready) resolve(new RemoteSession(worker, crew, ready, memoryUse));
          if (error) reject(reviveError(error));
        };
        worker.postMessage({ create: resolvePaths(options) });
      });
    } catch (error) {
      crew.terminate();
      throw error;
    } finally {
      stopListening?.();
    }
  }

  /**
   * @param {Request} request
   * @returns {Promise<Answer>}
   */
  async run(request) {
    const packed = await Promise.all(request.inputs.map(pack));
    if (this.#isClosed) throw failure('CLOSED');
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const inputs = packed.map(({ input }) => input);
      const transfer = packed.flatMap(({ transfer }) => transfer);
      readable(() => this.#worker.postMessage({ id, request: { ...request, inputs } }, transfer));
      this.#waiting.set(id, { resolve, reject });
    });
  }

  close() {
    this.#isClosed = true;
    this.#crew.terminate();
    for (const { reject } of this.#waiting.values()) reject(failure('CLOSED'));
    this.#waiting.clear();
  }

  /** @param {{id?: number, answer?: Answer, error?: unknown}} message */
  #settle({ id, answer, error }) {
    if (!id) return; // a message for the crew
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!answer) return waiting?.reject(reviveError(error));
    this.memoryUse = answer.memoryUse;
    waiting?.resolve(answer);
  }
}

/**
 * Makes the options' paths absolute: they are relative to the page, not to the worker.
 * @param {import('../vision/prepare.js').SessionOptions} options
 */
function resolvePaths(options) {
  const paths = ['model', 'int8Model', 'labels', 'wasmUrl'].flatMap((key) => {
    const value = options[/** @type {'model' | 'int8Model' | 'labels' | 'wasmUrl'} */ (key)];
    return typeof value === 'string' || value instanceof URL ? [[key, new URL(value, baseUrl()).href]] : [];
  });
  return { ...options, ...Object.fromEntries(paths) };
}

/**
 * The input as it is posted. A drawable is captured, without a copy of its pixels. The user's bytes and pixels are
 * copied, because a transfer would take them away.
 * @param {import('../vision/types.js').Input} input
 * @returns {Promise<{input: unknown, transfer: Transferable[]}>}
 */
async function pack(input) {
  if (isTensor(input) || isFloatImages(input)) return { input, transfer: [] };
  if (measure(input)) {
    const frame = await capture(input);
    return { input: frame, transfer: [frame] };
  }
  if (input instanceof Blob) return { input, transfer: [] };
  const image = await toPixels(input);
  if (image instanceof Uint8Array) {
    const bytes = image.slice();
    return { input: bytes, transfer: [bytes.buffer] };
  }
  const data = image.data.slice();
  return { input: { ...image, data }, transfer: [data.buffer] };
}
