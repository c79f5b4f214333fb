// Detectors in threads. A thread may die under a task: what it was at is done again, since nothing was answered yet.
import { Piscina } from 'piscina';
import { ServiceError } from '../service/errors.js';

const MAX_TRIES = 3;

/**
 * @param {object} options
 * @param {number} options.threads
 * @param {number} options.maxQueue tasks that wait
 * @param {number} options.maxPixels
 */
export function createPool({ threads, maxQueue, maxPixels }) {
  const pool = new Piscina({
    filename: new URL('detect-worker.js', import.meta.url).href,
    ...{ minThreads: threads, maxThreads: threads, maxQueue },
    workerData: { maxPixels },
  });
  pool.on('error', () => {}); // of a thread that died without a task; the next one takes its place

  /** @type {import('../service/app.js').Parts['detect']} */
  async function detect(image, wanted) {
    for (let tries = 1; ; tries++) {
      try {
        const { found, code, message } = await pool.run({ image, wanted });
        if (found) return found;
        throw new ServiceError(code, message);
      } catch (error) {
        if (error instanceof ServiceError) throw error;
        if (isFull(error)) throw new ServiceError('BUSY', 'as much waits as can');
        if (tries === MAX_TRIES) throw error;
      }
    }
  }
  return { detect, pool };
}

/** @param {unknown} error of piscina's */
const isFull = (error) => /queue is at limit/i.test(String(error));
