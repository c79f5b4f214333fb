import { failure } from '../shared/errors.js';
import { cure } from './moved.js';

/**
 * Starts a worker.
 * @param {() => import('./pool/link.js').Port} start
 */
export function construct(start) {
  try {
    return start();
  } catch (error) {
    throw failure('WORKER_UNAVAILABLE', `${/** @type {Error} */ (error).message}. ${cure()}`, error);
  }
}

/**
 * Waits until a thread is ready to work.
 * @param {import('./pool/link.js').Port} port of a worker that starts a thread
 * @returns {Promise<import('./pool/link.js').Port>} the same
 */
export function untilReady(port) {
  return new Promise((resolve, reject) => {
    port.onMessage(() => resolve(port));
    port.onEnd((error) => reject(failure('THREADS_UNAVAILABLE', error.message, error)));
  });
}
