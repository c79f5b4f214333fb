// The steps that reach a target. Coarser steps make a smaller file, roughly; the search narrows down their factor.
import { failure } from './errors.js';

/** @typedef {import('./task.js').Task} Task */

/** The coarsest steps that the search tries, in the default's, and the finest. */
const WIDEST = 64;
const TRIES = 10;

/**
 * The coarsest steps that pass, or the finest.
 * @template T
 * @param {number} lambda the default
 * @param {(lambda: number) => Promise<T>} make
 * @param {{passes: (made: T) => Promise<boolean> | boolean, prefersCoarse: boolean, miss: (made: T) => string}} target
 *   `prefersCoarse`: whether finer steps pass, so that the coarsest of those that pass is wanted
 * @returns {Promise<T>}
 */
export async function search(lambda, make, { passes, prefersCoarse, miss }) {
  let [safe, risky] = prefersCoarse ? [1 / WIDEST, WIDEST] : [WIDEST, 1 / WIDEST];
  let best = await make(lambda * safe);
  if (!(await passes(best))) throw failure('TARGET_NOT_REACHED', miss(best));
  for (let i = 0; i < TRIES; i++) {
    const middle = Math.sqrt(safe * risky);
    const made = await make(lambda * middle);
    if (await passes(made)) [safe, best] = [middle, made];
    else risky = middle;
  }
  return best;
}
