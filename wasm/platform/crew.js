// A session's worker and the threads that it asks for. The page starts the threads, because a worker cannot start
// workers in every browser (see browser.js).
import { toPlainError } from '../shared/errors.js';

/** @typedef {(start: import('../engine/host.js').ThreadStart) => Promise<Worker>} StartThread */

export class Crew {
  #members;
  #startThread;
  #isTerminated = false;

  /**
   * @param {Worker} lead the session's worker, which runs worker.browser.js
   * @param {StartThread} startThread
   */
  constructor(lead, startThread) {
    this.#members = [lead];
    this.#startThread = startThread;
    lead.addEventListener('message', async ({ data: { thread } }) => {
      if (thread) lead.postMessage({ started: await this.#enlist(thread) });
    });
  }

  /** @param {import('../engine/host.js').ThreadStart} start */
  async #enlist(start) {
    const { index } = start;
    try {
      const worker = await this.#startThread(start);
      this.#members.push(worker);
      if (this.#isTerminated) worker.terminate();
      return { index };
    } catch (error) {
      return { index, error: toPlainError(error) };
    }
  }

  terminate() {
    this.#isTerminated = true;
    for (const worker of this.#members) worker.terminate();
  }
}
