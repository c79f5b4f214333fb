// Sessions in workers behind one session. A call waits until one of them is free: first come, first served. If a worker
// ends, its call fails, and the next call starts a new one.
import { failure } from '../../shared/errors.js';
import { isBeingSent, readSource } from '../../vision/input.js';
import { CallLimit, withLimit } from '../../vision/limits.js';
import { readShared } from './loads.js';
import { Packed } from './pack.js';
import { RemoteSession } from './remote.js';

/**
 * @typedef {import('../../vision/prepare.js').SessionOptions} SessionOptions
 * @typedef {import('../../vision/types.js').Answer} Answer
 * @typedef {import('../../vision/types.js').Request} Request
 * @typedef {import('../../vision/types.js').Session} Session
 * @typedef {import('./remote.js').Platform} Platform
 *
 * @typedef {{session?: RemoteSession, isBusy: boolean}} Slot a place for a worker
 *
 * @typedef {object} Waiting A call that waits for a slot.
 * @property {number} number of the call; calls are numbered as they come
 * @property {Slot} [wanted] the only slot that will do
 * @property {(slot: Slot) => void} resolve
 * @property {(error: unknown) => void} reject
 */

export const DEFAULT_MAX_QUEUE = 100;

/** @implements {Session} */
export class WorkerPool {
  #platform;
  #options;
  #maxQueue;
  /** @type {Slot[]} */ #slots;
  /** @type {import('./loads.js').Loads | undefined} */ #loads;
  /** @type {Session['facts'] | undefined} */ #facts;
  #closing = new AbortController();
  /** Calls that have a place and will soon wait for a slot. */
  #arriving = 0;
  /** Calls that have a slot or wait for one. */
  #calls = 0;
  #lastNumber = 0;
  /** By number. @type {Waiting[]} */ #waiting = [];

  /**
   * @param {SessionOptions} options
   * @param {Platform} platform
   */
  constructor(options, platform) {
    const { pool = 1, maxQueue = options.pool === undefined ? Infinity : DEFAULT_MAX_QUEUE } = options;
    this.#platform = platform;
    this.#options = options;
    this.#maxQueue = maxQueue;
    this.#slots = Array.from({ length: pool }, () => ({ isBusy: false }));
  }

  /**
   * @param {SessionOptions} options
   * @param {Platform} platform
   * @returns {Promise<WorkerPool>} rejects with WORKER_UNAVAILABLE if the workers' script cannot be loaded
   */
  static async create({ signal, onProgress, ...options }, platform) {
    const portable = await withLimit({ signal }, () => toPortable(options));
    const pool = new WorkerPool(portable, platform);
    const [first, ...others] = pool.#slots;
    try {
      const session = await pool.#start(first, { signal, onProgress });
      pool.#facts = session.facts;
      pool.#loads = session.takeLoads();
      await Promise.all(others.map((slot) => pool.#start(slot, { signal })));
      pool.#release();
      return pool;
    } catch (error) {
      pool.close();
      throw error;
    }
  }

  get facts() {
    return /** @type {Session['facts']} */ (this.#facts);
  }

  /** The sum over all workers. */
  get memoryUse() {
    const uses = this.#slots.flatMap(({ session }) => session?.memoryUse ?? []);
    return {
      totalBytes: uses.reduce((sum, { totalBytes }) => sum + totalBytes, 0),
      liveBytes: uses.reduce((sum, { liveBytes }) => sum + liveBytes, 0),
    };
  }

  /**
   * @param {Request} request
   * @param {CallLimit} [limit]
   * @returns {Promise<Answer>}
   */
  async run(request, limit = new CallLimit()) {
    this.#checkRoom();
    const number = ++this.#lastNumber;
    const packing = Packed.pack(request, limit);
    if (!(packing instanceof Promise)) return this.#run(packing, number, limit);
    // Calls whose input is sent by others have no place until it is there: clients that send slowly keep nobody out.
    if (request.inputs.some(isBeingSent)) {
      const packed = await packing;
      return this.#run(packed, number, limit, () => this.#checkRoom());
    }
    return this.#run(await this.#reserve(packing, limit), number, limit);
  }

  /**
   * Keeps a place until the input is there or the call is over.
   * @param {Promise<Packed>} packing
   * @param {CallLimit} limit
   */
  async #reserve(packing, limit) {
    this.#arriving++;
    let isArriving = true;
    const arrive = () => {
      if (isArriving) this.#arriving--;
      isArriving = false;
    };
    const stopListening = limit.onEnd(arrive);
    try {
      return await packing;
    } finally {
      stopListening();
      arrive();
    }
  }

  /**
   * Runs a request without inputs in every worker, each when it is its turn there. It needs no room in the queue.
   * @param {Request} request
   * @param {CallLimit} [limit]
   * @returns {Promise<Answer[]>}
   */
  runOnAll(request, limit = new CallLimit()) {
    const number = ++this.#lastNumber;
    return Promise.all(
      this.#slots.map((slot) => this.#run(new Packed(request, []), number, limit, undefined, slot)),
    );
  }

  close() {
    this.#closing.abort(failure('CLOSED'));
    for (const { reject } of this.#waiting.splice(0)) reject(failure('CLOSED'));
    for (const { session } of this.#slots) session?.close();
  }

  #checkRoom() {
    this.#closing.signal.throwIfAborted();
    const free = this.#slots.filter(({ isBusy }) => !isBusy).length;
    if (this.#waiting.length + this.#arriving >= this.#maxQueue + free)
      throw failure('QUEUE_FULL', `maxQueue is ${this.#maxQueue}`);
  }

  #release() {
    for (const { session } of this.#slots) session?.release();
  }

  /**
   * @param {Packed} packed
   * @param {number} number of the call
   * @param {CallLimit} limit
   * @param {() => void} [check] throws if the call is not accepted
   * @param {Slot} [wanted] the only slot that will do
   */
  async #run(packed, number, limit, check, wanted) {
    let slot;
    try {
      limit.check();
      check?.();
      slot = await this.#take(number, limit, wanted);
      const session = await this.#healthySession(slot);
      limit.check();
      return await session.run(packed);
    } catch (error) {
      packed.drop();
      throw error;
    } finally {
      if (slot) this.#give(slot);
    }
  }

  /**
   * Waits for a free slot. A call that reaches its limit leaves the queue.
   * @param {number} number of the call
   * @param {CallLimit} limit
   * @param {Slot} [wanted]
   * @returns {Slot | Promise<Slot>}
   */
  #take(number, limit, wanted) {
    this.#closing.signal.throwIfAborted();
    const free = wanted ?? this.#slots.find(({ isBusy }) => !isBusy);
    if (this.#calls++ === 0) for (const { session } of this.#slots) session?.hold();
    if (free && !free.isBusy) {
      free.isBusy = true;
      return free;
    }
    return this.#wait(number, limit, wanted).catch((error) => {
      this.#leave();
      throw error;
    });
  }

  /**
   * @param {number} number of the call
   * @param {CallLimit} limit
   * @param {Slot} [wanted]
   */
  async #wait(number, limit, wanted) {
    /** @type {Waiting | undefined} */ let waiting;
    const waited = new Promise((/** @type {(slot: Slot) => void} */ resolve, reject) => {
      waiting = { number, wanted, resolve, reject };
      const before = this.#waiting.findLastIndex((other) => other.number < number);
      this.#waiting.splice(before + 1, 0, waiting);
    });
    const stopListening = limit.onEnd((reason) => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      waiting?.reject(reason);
    });
    return waited.finally(stopListening);
  }

  #leave() {
    if (--this.#calls === 0) this.#release();
  }

  /** @param {Slot} slot that is free again */
  #give(slot) {
    this.#leave();
    const next = this.#waiting.findIndex(({ wanted }) => wanted === undefined || wanted === slot);
    if (next < 0) slot.isBusy = false;
    else this.#waiting.splice(next, 1)[0].resolve(slot);
  }

  /** @param {Slot} slot */
  async #healthySession(slot) {
    if (slot.session && !slot.session.isLost) return slot.session;
    return this.#start(slot, { signal: this.#closing.signal });
  }

  /**
   * Starts a worker. It keeps the process alive.
   * @param {Slot} slot
   * @param {Pick<SessionOptions, 'signal' | 'onProgress'>} watching
   */
  async #start(slot, watching) {
    const keepsLoads = !this.#loads && this.#slots.length > 1;
    const creation = { options: { ...this.#options, ...watching }, loads: this.#loads, keepsLoads };
    const session = await this.#platform.withWorker((port) =>
      RemoteSession.create(port, creation, this.#platform),
    );
    if (this.#closing.signal.aborted) session.close();
    this.#closing.signal.throwIfAborted();
    return (slot.session = session);
  }
}

/**
 * The options as they can be posted to several workers, now and later: with files of the user's in memory.
 * @param {SessionOptions} options
 */
async function toPortable(options) {
  /** @type {SessionOptions} */
  const portable = { ...options };
  for (const key of /** @type {const} */ (['model', 'int8Model'])) {
    const value = portable[key];
    if (value !== undefined && typeof value !== 'string')
      portable[key] = /** @type {Uint8Array<ArrayBuffer>} */ (await readShared(await readSource(value)));
  }
  return portable;
}
