// A session that runs in one worker, and the threads that it asks for. This side starts the threads, because a worker
// cannot start workers in every browser (see browser.js), and compiles the module, once for all workers. serve.js is the
// worker's side.
import { host } from '../../engine/host.js';
import { failure } from '../../shared/errors.js';
import { decodePassed, decoders } from '../../vision/foreign.js';
import { withLimit } from '../../vision/limits.js';
import { carried } from '../carried.js';
import { Link } from './link.js';
import { cure } from '../moved.js';

/**
 * @typedef {import('./link.js').Port} Port
 * @typedef {import('../../engine/host.js').ThreadStart} ThreadStart
 * @typedef {import('../../vision/prepare.js').SessionOptions} SessionOptions
 *
 * @typedef {object} Platform How a platform starts workers.
 * @property {<T>(use: (port: Port) => Promise<T>) => Promise<T>} withWorker starts a worker that calls `serve`, and passes
 *   it to `use`; both may throw WORKER_UNAVAILABLE
 * @property {(start: ThreadStart) => Promise<Port>} startThread resolves when the thread is ready
 * @property {import('./link.js').Functions} [answers] what workers may call beside
 */

export class RemoteSession {
  #ports;
  #link;
  /** @type {import('./serve.js').Created | undefined} */ #created;
  /** Whether the worker has ended: the session is of no use any more. */
  isLost = false;

  /**
   * @param {Port} port of a worker that calls `serve`
   * @param {Pick<Platform, 'startThread' | 'answers'>} platform
   * @param {SessionOptions['onProgress']} onProgress
   */
  constructor(port, { startThread, answers }, onProgress) {
    this.#ports = [port];
    this.#link = new Link((message, transfer) => port.post(message, transfer), {
      progress: (progress) => onProgress?.(progress),
      startThread: async (start) => this.#enlist(await startThread(start)),
      loadModule: async ({ variant, assetsUrl }) => ({ result: await host().loadModule(variant, assetsUrl) }),
      decode: async ({ buffer, format }) => ({ result: (await decodePassed({ buffer }, format)).pixels }),
      readCarried: async (name) => ({ result: await carried()?.read(name) }),
      ...answers,
    });
    port.onMessage((message) => this.#link.receive(message));
    port.onEnd((error) => this.#lose(error));
  }

  /**
   * @param {Port} port of a worker that calls `serve`
   * @param {Omit<import('./serve.js').Creation, 'isCarried'>} creation `signal` and `onProgress` stay on this side
   * @param {Pick<Platform, 'startThread' | 'answers'>} platform
   * @returns {Promise<RemoteSession>} rejects with WORKER_UNAVAILABLE if the worker's script cannot be loaded
   */
  static async create(port, { options: { signal, onProgress, ...options }, ...creation }, platform) {
    const session = new RemoteSession(port, platform, onProgress);
    try {
      session.#created = await withLimit({ signal }, () =>
        session.#create({ ...creation, options, isCarried: carried() !== undefined }),
      );
      return session;
    } catch (error) {
      session.#terminate();
      throw error;
    }
  }

  /** @param {import('./serve.js').Creation} creation */
  async #create(creation) {
    try {
      return await this.#link.call('create', creation);
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      throw name === 'DataCloneError' ? failure('INVALID_OPTION', message, error) : error;
    }
  }

  get #found() {
    return /** @type {import('./serve.js').Created} */ (this.#created);
  }

  get facts() {
    return this.#found.facts;
  }

  get memoryUse() {
    return this.#found.memoryUse;
  }

  /** What the worker has loaded, if it was to keep that. The session forgets it. */
  takeLoads() {
    const { loads } = this.#found;
    this.#found.loads = undefined;
    return loads;
  }

  /**
   * @param {import('./pack.js').Packed} packed
   * @returns {Promise<import('../../vision/types.js').Answer>}
   */
  async run(packed) {
    const { request, transfer } = packed;
    const answer = await packed.send(() =>
      this.#link.call('run', { ...request, decoded: [...decoders.keys()] }, transfer),
    );
    this.#found.memoryUse = answer.memoryUse;
    return answer;
  }

  /** Keeps the process alive. */
  hold() {
    this.#ports[0].hold();
  }

  /** Lets the process end. */
  release() {
    this.#ports[0].release();
  }

  close() {
    this.#link.end(failure('CLOSED'));
    this.#terminate();
  }

  /** @param {Port} thread */
  #enlist(thread) {
    let isDone = false;
    this.#ports.push(thread);
    thread.onMessage((state) => {
      isDone ||= state === 'done'; // its engine was closed, for one of other classes, say
      if (isDone) this.#ports = this.#ports.filter((port) => port !== thread);
    });
    thread.onEnd((error) => {
      if (!isDone) this.#lose(error);
    });
    if (this.isLost) thread.terminate();
  }

  /**
   * Ends the session, because a worker ended. The network cannot run without all of its threads.
   * @param {Error} error
   */
  #lose(error) {
    const { message } = error;
    this.#link.end(
      this.#created
        ? failure('WORKER_LOST', message, error)
        : failure('WORKER_UNAVAILABLE', `${message}. ${cure()}`, error),
    );
    this.#terminate();
  }

  #terminate() {
    this.isLost = true;
    for (const port of this.#ports) port.terminate();
  }
}
