// The worker of a session, and the threads that it asks for: started from outside, as not every browser lets a worker
// start workers (see browser.js).
import { toPlainError } from '../shared/errors.js';

/** @typedef {(start: import('../engine/host.js').ThreadStart) => Promise<Worker>} StartThread */

export class Crew {
  #members;
  #startThread;
  #isGone = false;

  /**
   * @param {Worker} lead of worker.browser.js
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
      if (this.#isGone) worker.terminate();
      return { index };
    } catch (error) {
      return { index, error: toPlainError(error) };
    }
  }

  terminate() {
    this.#isGone = true;
    for (const worker of this.#members) worker.terminate();
  }
}
