// A pool of threads, each with a detector. If a thread dies during a task, the task runs again in another thread.
import { Piscina } from 'piscina';
import { ServiceError } from '../service/errors.js';

const MAX_TRIES = 3;

/**
 * @param {object} options
 * @param {number} options.threads
 * @param {number} options.maxQueue the most tasks that may wait
 * @param {number} options.maxPixels
 */
export function createPool({ threads, maxQueue, maxPixels }) {
  const pool = new Piscina({
    filename: new URL('detect-worker.js', import.meta.url).href,
    ...{ minThreads: threads, maxThreads: threads, maxQueue },
    workerData: { maxPixels },
  });
  pool.on('error', () => {}); // a thread died while idle; the pool replaces it

  /** @type {import('../service/app.js').Parts['detect']} */
  async function detect(image, wanted) {
    for (let tries = 1; ; tries++) {
      try {
        const { found, code, message } = await pool.run({ image, wanted });
        if (found) return found;
        throw new ServiceError(code, message);
      } catch (error) {
        if (error instanceof ServiceError) throw error;
        if (isFull(error)) throw new ServiceError('BUSY', 'the queue is full; try again later');
        if (tries === MAX_TRIES) throw error;
      }
    }
  }
  return { detect, pool };
}

/** @param {unknown} error thrown by piscina */
const isFull = (error) => /queue is at limit/i.test(String(error));
